/*
 * picture.c: the canvas and its PNG, read back by libpng; pictures of scans and what they refuse.
 */
#include "support/test.h"

#include "base/files.h"
#include "base/memory.h"
#include "draw/png.h"
#include "image/nifti.h"
#include "predict/legend.h"

#include <math.h>
#include <png.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char folder[] = "/tmp/hardy-picture-XXXXXX";

static char *in_folder(const char *name)
{
	static char path[4][96];
	static int next;
	next = (next + 1) % 4;
	snprintf(path[next], sizeof path[next], "%s/%s", folder, name);
	return path[next];
}

static int make_folder(void **state)
{
	(void)state;
	return mkdtemp(folder) ? 0 : -1;
}

static int remove_folder(void **state)
{
	(void)state;
	static const char *const names[] = {"x.png", "t.csv", "scan.nii", "truth.nii", "other.nii", "small.nii", "same.nii"};
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		unlink(in_folder(names[i]));
	return rmdir(folder); /* fails when something else was left behind */
}

/* The decoded picture; free with hy_free. */
static uint8_t *read_png(const char *path, int *width, int *height)
{
	png_image image = {.version = PNG_IMAGE_VERSION};
	assert_true(png_image_begin_read_from_file(&image, path));
	assert_int_equal(image.format, PNG_FORMAT_RGB);
	uint8_t *rgb = hy_alloc(PNG_IMAGE_SIZE(image), 1);
	assert_non_null(rgb);
	assert_true(png_image_finish_read(&image, NULL, rgb, 0, NULL));
	*width = (int)image.width;
	*height = (int)image.height;
	return rgb;
}

static const uint8_t *pixel(const hy_canvas *c, int x, int y)
{
	return c->rgb + 3 * (y * c->width + x);
}

#define assert_pixel(c, x, y, r, g, b) assert_memory_equal(pixel(c, x, y), ((uint8_t[3]){r, g, b}), 3)

static void png_keeps_every_pixel(void **state)
{
	(void)state;
	hardy_error err;
	hy_canvas *c;
	assert_ok(hy_canvas_new(&c, 7, 5, &err), &err);
	for (int i = 0; i < 7 * 5 * 3; i++)
		c->rgb[i] = (uint8_t)(i * 37);
	assert_ok(hy_png_write(c, in_folder("x.png"), HY_REPLACE_ANY, &err), &err);
	int width, height;
	uint8_t *rgb = read_png(in_folder("x.png"), &width, &height);
	assert_int_equal(width, 7);
	assert_int_equal(height, 5);
	assert_memory_equal(rgb, c->rgb, 7 * 5 * 3);
	hy_free(rgb);
	assert_int_equal(hy_png_write(c, "/proc/none/x.png", HY_REPLACE_ANY, &err), HARDY_ERROR_IO);
	hy_canvas_free(c);
	hy_canvas_free(NULL);
	assert_int_equal(hy_canvas_new(&c, 0, 5, &err), HARDY_ERROR_ARGUMENT);
	assert_int_equal(hy_canvas_new(&c, 5, 1 << 20, &err), HARDY_ERROR_ARGUMENT);
}

static void images_span_black_to_white(void **state)
{
	(void)state;
	hardy_error err;
	hy_canvas *c;
	assert_ok(hy_canvas_new(&c, 10, 8, &err), &err);
	const float values[4] = {-3, 7, 2, NAN};
	hy_canvas_image(c, 1, 2, 3, values, 2, 2);
	assert_pixel(c, 1, 2, 0, 0, 0);
	assert_pixel(c, 4, 2, 255, 255, 255);
	assert_pixel(c, 6, 4, 255, 255, 255);
	assert_pixel(c, 7, 2, 0, 0, 0); /* beside it */
	assert_pixel(c, 1, 5, 128, 128, 128);
	assert_pixel(c, 4, 5, 0, 0, 0);
	hy_canvas_image(c, -4, -4, 20, values, 2, 2); /* cut at every border */
	assert_pixel(c, 9, 7, 0, 0, 0);
	hy_canvas_free(c);
}

static void contours_are_the_inner_border(void **state)
{
	(void)state;
	hardy_error err;
	hy_canvas *c;
	assert_ok(hy_canvas_new(&c, 16, 16, &err), &err);
	const uint8_t labels[16] = {0, 0, 0, 0, 0, 1, 1, 0, 0, 1, 2, 0, 0, 0, 0, 0};
	uint8_t one[3], two[3];
	hy_label_colour(1, one);
	hy_label_colour(2, two);
	assert_memory_not_equal(one, two, 3);
	hy_canvas_contours(c, 0, 0, 4, labels, 4, 4);
	assert_pixel(c, 3, 5, 0, 0, 0);                 /* background */
	assert_memory_equal(pixel(c, 4, 5), one, 3);    /* left border of the object */
	assert_pixel(c, 6, 6, 0, 0, 0);                 /* inside a voxel */
	assert_pixel(c, 7, 6, 0, 0, 0);                 /* between two voxels of one label */
	assert_memory_equal(pixel(c, 10, 7), one, 3);   /* where 1 meets 2 */
	assert_memory_equal(pixel(c, 10, 8), two, 3);   /* where 2 meets 1 */
	assert_memory_equal(pixel(c, 11, 10), two, 3);  /* right border of 2 */
	hy_canvas_contours(c, 12, 12, 4, labels, 4, 4); /* cut */
	hy_canvas_free(c);
}

static int count_white(const hy_canvas *c)
{
	int n = 0;
	for (int i = 0; i < c->width * c->height; i++)
		n += c->rgb[3 * i] == 255;
	return n;
}

static void every_capital_and_digit_has_its_own_glyph(void **state)
{
	(void)state;
	hardy_error err;
	const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:-+=_/()%&<>#\x7f";
	uint8_t seen[sizeof letters][6 * 8 * 3];
	for (size_t i = 0; letters[i]; i++) {
		hy_canvas *c;
		assert_ok(hy_canvas_new(&c, 6, 8, &err), &err);
		hy_canvas_text(c, 0, 0, 1, (char[2]){letters[i], 0});
		assert_true(count_white(c) > 1);
		memcpy(seen[i], c->rgb, sizeof seen[i]);
		for (size_t k = 0; k < i; k++)
			assert_memory_not_equal(seen[i], seen[k], sizeof seen[i]);
		hy_canvas_free(c);
	}
	hy_canvas *c;
	assert_ok(hy_canvas_new(&c, 12, 16, &err), &err);
	hy_canvas_text(c, 0, 0, 2, " ");
	assert_int_equal(count_white(c), 0);
	hy_canvas_text(c, 0, 0, 2, "i\xff far too long for it");
	assert_true(count_white(c) > 0);
	hy_canvas_free(c);
}

/* ---- pictures of scans -------------------------------------------------------------------------------------------------- */

static void write_text(const char *path, const char *text)
{
	hardy_error err;
	hy_outfile f;
	assert_ok(hy_outfile_open(&f, path, HY_REPLACE_ANY, &err), &err);
	hy_outfile_write(&f, text, strlen(text));
	assert_ok(hy_outfile_commit(&f, &err), &err);
}

/* A label map of nx x 30 x 3 voxels with a square of the value in slice z. */
static void write_map(const char *path, int64_t nx, int64_t z, uint16_t value)
{
	hardy_error err;
	hy_volume v = {0};
	hy_grid g;
	hy_grid_set_simple(&g, nx, 30, 3, 1.5, 1.5, 10);
	assert_ok(hy_volume_alloc(&v, &g, 1, &err), &err);
	const uint16_t values[256] = {0, value};
	uint8_t *data = hy_calloc((size_t)hy_grid_voxels(&g), 1);
	assert_non_null(data);
	for (int64_t y = 10; y < 16; y++)
		memset(data + (z * 30 + y) * nx + 12, 1, 6);
	assert_ok(hy_nifti_write_values(path, &v, data, values, 1, &(hy_origin){.overwrite = true}, &err), &err);
	hy_free(data);
	hy_volume_clear(&v);
}

static void a_picture_shows_where_maps_differ(void **state)
{
	(void)state;
	hardy_error err;
	write_map(in_folder("scan.nii"), 40, 2, 100);
	write_map(in_folder("truth.nii"), 40, 1, 1);
	write_map(in_folder("other.nii"), 40, 2, 2);
	char text[512];
	snprintf(text, sizeof text, "case,image,truth,other\r\nfirst,%s,%s,%s\r\n\r\n", in_folder("scan.nii"),
	         in_folder("truth.nii"), in_folder("other.nii"));
	write_text(in_folder("t.csv"), text);
	assert_ok(hardy_picture(in_folder("t.csv"), in_folder("x.png"), true, NULL, &err), &err);
	int width, height, n_one = 0, n_two = 0;
	uint8_t *rgb = read_png(in_folder("x.png"), &width, &height), one[3], two[3];
	hy_label_colour(1, one);
	hy_label_colour(2, two);
	for (int i = 0; i < width * height; i++) {
		n_one += memcmp(rgb + 3 * i, one, 3) == 0;
		n_two += memcmp(rgb + 3 * i, two, 3) == 0;
	}
	hy_free(rgb);
	assert_int_equal(width, 4 + 3 * 244);
	/* Both differing slices differ in as many voxels, the one that the reference labels is shown: nothing of the other map. */
	assert_true(n_one > 0);
	assert_int_equal(n_two, 0);
}

/* FreeSurfer's values, say. */
static void large_label_values_are_drawn(void **state)
{
	(void)state;
	hardy_error err;
	int width, height;
	write_map(in_folder("scan.nii"), 40, 2, 100);
	write_map(in_folder("truth.nii"), 40, 1, 1001);
	write_map(in_folder("same.nii"), 40, 1, 1001);
	write_map(in_folder("other.nii"), 40, 1, 2035);
	char text[700];
	snprintf(text, sizeof text, "case,image,truth,same,other\nfirst,%s,%s,%s,%s\n", in_folder("scan.nii"),
	         in_folder("truth.nii"), in_folder("same.nii"), in_folder("other.nii"));
	write_text(in_folder("t.csv"), text);
	assert_ok(hardy_picture(in_folder("t.csv"), in_folder("x.png"), true, NULL, &err), &err);
	uint8_t *rgb = read_png(in_folder("x.png"), &width, &height), colour[2][3];
	int n[2] = {0, 0};
	for (int k = 0; k < 2; k++)
		hy_label_colour((uint8_t)(201 + k), colour[k]);
	for (int i = 0; i < width * height; i++)
		for (int k = 0; k < 2; k++)
			n[k] += memcmp(rgb + 3 * i, colour[k], 3) == 0;
	hy_free(rgb);
	assert_true(memcmp(colour[0], colour[1], 3) != 0);
	assert_true(n[1] > 0);
	assert_int_equal(n[0], 2 * n[1]); /* two maps of one value, one of the other */
}

static void bad_tables_are_refused(void **state)
{
	(void)state;
	write_map(in_folder("scan.nii"), 40, 2, 100);
	write_map(in_folder("truth.nii"), 40, 1, 1);
	write_map(in_folder("small.nii"), 39, 1, 1);
	unlink(in_folder("x.png"));
	char other_shape[300], absent[300];
	snprintf(other_shape, sizeof other_shape, "a,b,c\nd,%s,%s\n", in_folder("scan.nii"), in_folder("small.nii"));
	snprintf(absent, sizeof absent, "a,b,c\nd,%s,%s\n", in_folder("scan.nii"), in_folder("absent.nii"));
	const struct {
		const char *text, *message;
	} bad[] = {
	    {"", "0 rows"},
	    {"a,b,c\n", "1 row,"},
	    {"a,b\n", "line 1 has 2 columns"},
	    {"a,b,c,d,e,f,g,h,i,j,k\n", "line 1 has 11 columns"},
	    {"a,b,c\nd,e\n", "line 2 has 2 columns, want 3"},
	    {"a,b,c\n\n\nd,e,f,g\n", "line 4 has 4 columns, want 3"},
	    {"a,b,c\nd,,f\n", "cannot be opened"},
	    {other_shape, "small.nii: 39 x 30 x 3 voxels, want 40 x 30 x 3"},
	    {absent, "absent.nii"},
	};
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
		hardy_error err = {0};
		write_text(in_folder("t.csv"), bad[i].text);
		assert_int_not_equal(hardy_picture(in_folder("t.csv"), in_folder("x.png"), true, NULL, &err), HARDY_OK);
		if (!strstr(err.message, bad[i].message))
			fail_msg("found \"%s\", want \"%s\"", err.message, bad[i].message);
		assert_false(hy_path_exists(in_folder("x.png")));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(png_keeps_every_pixel),
	    cmocka_unit_test(images_span_black_to_white),
	    cmocka_unit_test(contours_are_the_inner_border),
	    cmocka_unit_test(every_capital_and_digit_has_its_own_glyph),
	    cmocka_unit_test(a_picture_shows_where_maps_differ),
	    cmocka_unit_test(large_label_values_are_drawn),
	    cmocka_unit_test(bad_tables_are_refused),
	};
	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
