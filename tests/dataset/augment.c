/*
 * augment.c: the order and the rules of classic augmentation, and the statistics of its draws.
 */
#include "dataset/augment.h"

#include "base/memory.h"
#include "image/affine.h"
#include "image/elastic.h"
#include "image/intensity.h"
#include "support/test.h"

#include <math.h>
#include <string.h>

enum { H = 40, W = 46, SIZE = 48 };

/* A lopsided blob of two classes, brighter than a ramp. */
static void make_slice(float *image, uint8_t *label)
{
	for (int r = 0; r < H; r++)
		for (int c = 0; c < W; c++) {
			const double d = hypot(r - 18, 0.8 * (c - 26));
			label[r * W + c] = d < 6 ? 3 : d < 10 ? 1 : 0;
			image[r * W + c] = (float)(d < 6 ? 0.9 : d < 10 ? 0.5 : 0.005 * c);
		}
}

/* Nothing happens but padding, the crop and the min-max. */
static hy_augment_options still(void)
{
	hy_augment_options o;
	hy_augment_options_init(&o, SIZE);
	o.flip_probability = o.brightness_probability = o.elastic_probability = 0;
	o.rotation_deg = o.shift_fraction = 0;
	o.zoom_low = o.zoom_high = 1;
	o.rotate_eighths = false;
	return o;
}

static void draws_follow_the_published_ranges(void **state)
{
	(void)state;
	enum { N = 20000 };
	hy_augment_options o;
	hy_augment_options_init(&o, 192);
	assert_int_equal(hy_augment_pad(&o), 224);
	double flips = 0, bright = 0, elastic = 0, zoom = 0, groups[8] = {0};
	for (int i = 0; i < N; i++) {
		hy_rng g = hy_rng_make(3, HY_RNG_TEST, (uint64_t)i, 0);
		const hy_augment_draw d = hy_augment_draw_make(&o, &g);
		assert_true(d.scale >= 0.8 && d.scale <= 1.2 && fabs(d.shift) <= 0.1 && fabs(d.rotation_deg) <= 15);
		assert_true(fabs(d.shift_row) <= 0.1 && fabs(d.shift_col) <= 0.1 && d.zoom_row >= 0.8 && d.zoom_col <= 1.1);
		assert_true(d.alpha >= 1.5 && d.alpha <= 2 && d.sigma >= 0.1 && d.sigma <= 0.2);
		flips += d.flip_horizontal + d.flip_vertical;
		bright += d.brightness;
		elastic += d.elastic;
		zoom += d.zoom_row;
		groups[d.eighths]++;
	}
	assert_true(fabs(flips / (2 * N) - 0.2) < 0.01);
	assert_true(fabs(bright / N - 0.5) < 0.015);
	assert_true(fabs(elastic / N - 0.5) < 0.015);
	assert_true(fabs(zoom / N - 0.95) < 0.005);
	for (int i = 0; i < 8; i++)
		assert_true(fabs(groups[i] / N - 0.125) < 0.01);
}

/* Turning one stage off leaves what chance decides for the others. */
static void draws_do_not_depend_on_switches(void **state)
{
	(void)state;
	hy_augment_options o;
	hy_augment_options_init(&o, 192);
	hy_rng a = hy_rng_make(3, HY_RNG_TEST, 5, 0), b = a;
	const hy_augment_draw d = hy_augment_draw_make(&o, &a);
	o.elastic_probability = 0;
	o.flip_probability = 1;
	o.rotate_eighths = false;
	const hy_augment_draw e = hy_augment_draw_make(&o, &b);
	assert_true(e.flip_horizontal && e.flip_vertical && !e.elastic && e.eighths == -1);
	assert_true(d.rotation_deg == e.rotation_deg && d.zoom_col == e.zoom_col && d.sigma == e.sigma && d.scale == e.scale);
}

static void still_options_leave_the_slice(void **state)
{
	(void)state;
	float image[H * W], out[SIZE * SIZE], plain[SIZE * SIZE];
	uint8_t label[H * W], out_label[SIZE * SIZE], plain_label[SIZE * SIZE];
	hardy_error err;
	make_slice(image, label);
	const hy_augment_options o = still();
	hy_augment *a = hy_augment_new(&o, H, W, 1, &err);
	assert_non_null(a);
	hy_rng g = hy_rng_make(1, HY_RNG_TEST, 0, 0);
	const hy_augment_draw d = hy_augment_draw_make(&o, &g);
	hy_augment_apply(a, &d, image, label, H, W, out, out_label);
	hy_augment_plain(SIZE, true, image, label, 1, H, W, plain, plain_label);
	assert_memory_equal(out_label, plain_label, sizeof out_label);
	/* padding differs (minima, zeros), the slice itself does not */
	for (int r = 0; r < H; r++)
		for (int c = 0; c < W; c++) {
			const int i = (r + (SIZE - H + 1) / 2) * SIZE + c + (SIZE - W + 1) / 2;
			assert_true(fabsf(out[i] - plain[i]) < 2e-6f);
		}
	/* un-augmented slices are not scaled unless asked for */
	hy_augment_plain(SIZE, false, image, label, 1, H, W, plain, plain_label);
	assert_true(plain[(18 + 4) * SIZE + 26 + 1] == image[18 * W + 26]);
	hy_augment_free(a);
}

/* The stages called one after the other give what hy_augment_apply gives. */
static void stages_come_in_the_published_order(void **state)
{
	(void)state;
	enum { PAD = 56, N = PAD * PAD };
	float image[H * W], out[SIZE * SIZE], mine[SIZE * SIZE];
	uint8_t label[H * W], out_label[SIZE * SIZE], mine_label[SIZE * SIZE];
	hardy_error err;
	make_slice(image, label);
	hy_augment_options o;
	hy_augment_options_init(&o, SIZE);
	assert_int_equal(hy_augment_pad(&o), PAD);
	hy_augment *a = hy_augment_new(&o, H, W, 1, &err);
	hy_elastic *e = hy_elastic_new(PAD, PAD, &err);
	float *x = hy_alloc(2 * N, sizeof *x), *y = x + N, *u = hy_alloc(N, sizeof *u), *shift = hy_alloc(2 * N, sizeof *shift);
	uint8_t *lx = hy_alloc(2 * N, 1), *ly = lx + N;
	assert_true(a && e && x && u && shift && lx);
	const hy_augment_draw d = {.flip_horizontal = true,
	                           .brightness = true,
	                           .scale = 1.1,
	                           .shift = 0.05,
	                           .rotation_deg = 11,
	                           .shift_row = 0.04,
	                           .shift_col = -0.07,
	                           .zoom_row = 0.85,
	                           .zoom_col = 1.05,
	                           .eighths = 3,
	                           .elastic = true,
	                           .alpha = 1.8,
	                           .sigma = 0.15,
	                           .field = hy_rng_make(9, HY_RNG_TEST, 0, 0)};
	hy_augment_apply(a, &d, image, label, H, W, out, out_label);

	hy_pad_minimum_f32(image, H, W, PAD, PAD, x);
	hy_pad_minimum_u8(label, H, W, PAD, PAD, lx);
	hy_flip_f32(x, PAD, PAD, true, false);
	hy_flip_u8(lx, PAD, PAD, true, false);
	hy_augment_brightness(x, N, 1.1, 0.05);
	const hy_affine map = hy_affine_make(11, 0.04, -0.07, 0.85, 1.05, PAD, PAD),
	                turn = hy_affine_make(135, 0, 0, 1, 1, PAD, PAD);
	hy_affine_image(x, PAD, PAD, &map, y);
	hy_affine_label(lx, PAD, PAD, &map, ly);
	hy_affine_image(y, PAD, PAD, &turn, x);
	hy_affine_label(ly, PAD, PAD, &turn, lx);
	const hy_window crop = {(PAD - SIZE) / 2, (PAD - SIZE) / 2, SIZE, SIZE};
	hy_rng g = d.field;
	for (int axis = 1; axis >= 0; axis--) {
		for (int i = 0; i < N; i++)
			u[i] = (float)(int32_t)hy_rng_u32(&g) * 0x1p-31f;
		hy_elastic_field(e, u, PAD, PAD, 1.8 * PAD, 0.15 * PAD * 0.75, crop, shift + axis * SIZE * SIZE);
	}
	hy_elastic_image(e, x, PAD, PAD, shift, shift + SIZE * SIZE, crop, mine);
	hy_elastic_label(e, lx, PAD, PAD, shift, shift + SIZE * SIZE, crop, mine_label);
	hy_minmax_train(mine, SIZE * SIZE);
	assert_memory_equal(out, mine, sizeof out);
	assert_memory_equal(out_label, mine_label, sizeof out_label);
	hy_free(x);
	hy_free(u);
	hy_free(shift);
	hy_free(lx);
	hy_elastic_free(e);
	hy_augment_free(a);
}

static void channels_move_alike(void **state)
{
	(void)state;
	float image[2 * H * W], out[2 * SIZE * SIZE];
	uint8_t label[H * W], out_label[SIZE * SIZE];
	hardy_error err;
	make_slice(image, label);
	for (int i = 0; i < H * W; i++)
		image[H * W + i] = 0.5f * image[i] + 0.25f;
	hy_augment_options o;
	hy_augment_options_init(&o, SIZE);
	o.brightness_probability = 0;
	o.elastic_probability = 1;
	hy_augment *a = hy_augment_new(&o, H, W, 2, &err);
	assert_non_null(a);
	for (uint64_t i = 0; i < 8; i++) {
		hy_rng g = hy_rng_make(2, HY_RNG_TEST, i, 0);
		const hy_augment_draw d = hy_augment_draw_make(&o, &g);
		hy_augment_apply(a, &d, image, label, H, W, out, out_label);
		float low, high;
		hy_range(out, SIZE * SIZE, &low, &high);
		assert_true(fabsf(low) < 1e-6f && fabsf(high - 1) < 1e-6f);
		for (int j = 0; j < SIZE * SIZE; j++) {
			assert_true(fabsf(out[j] - out[SIZE * SIZE + j]) < 1e-4f);
			assert_true(out_label[j] == 0 || out_label[j] == 1 || out_label[j] == 3);
		}
	}
	hy_augment_free(a);
}

/* A deformation of nothing, with whatever shape, leaves slice and label as they are; so does a shift by whole pixels. */
static void splines_reproduce_the_slice(void **state)
{
	(void)state;
	static const struct {
		int h, w;
	} t[] = {{40, 46}, {17, 5}, {3, 70}, {1, 9}, {2, 2}, {33, 1}};
	hardy_error err;
	hy_elastic *e = hy_elastic_new(64, 70, &err);
	assert_non_null(e);
	for (size_t k = 0; k < sizeof t / sizeof *t; k++) {
		const int n = t[k].h * t[k].w;
		float *x = hy_alloc((size_t)n, sizeof *x), *d = hy_calloc((size_t)(2 * n), sizeof *d),
		      *out = hy_alloc((size_t)n, sizeof *out);
		uint8_t *label = hy_alloc((size_t)n, 1), *moved = hy_alloc((size_t)n, 1);
		assert_true(x && d && out && label && moved);
		hy_rng g = hy_rng_make(4, HY_RNG_TEST, k, 0);
		for (int i = 0; i < n; i++) {
			x[i] = (float)hy_rng_uniform(&g);
			label[i] = (uint8_t)hy_rng_below(&g, 4);
		}
		const hy_window all = {0, 0, t[k].h, t[k].w};
		hy_elastic_image(e, x, t[k].h, t[k].w, d, d + n, all, out);
		hy_elastic_label(e, label, t[k].h, t[k].w, d, d + n, all, moved);
		for (int i = 0; i < n; i++)
			assert_true(fabsf(out[i] - x[i]) < 2e-6f);
		assert_memory_equal(label, moved, n);
		/* three rows on: beyond the slice the image is mirrored and the label goes on as at the edge */
		for (int i = 0; i < n; i++)
			d[i] = 3;
		hy_elastic_image(e, x, t[k].h, t[k].w, d, d + n, all, out);
		hy_elastic_label(e, label, t[k].h, t[k].w, d, d + n, all, moved);
		for (int i = 0; i < n; i++) {
			const int r = i / t[k].w, c = i % t[k].w, h = t[k].h;
			int from = (r + 3) % (2 * h);
			from = from >= h ? 2 * h - 1 - from : from;
			assert_true(fabsf(out[i] - x[from * t[k].w + c]) < 2e-6f);
			from = r + 3 < h ? r + 3 : h - 1;
			assert_int_equal(moved[i], label[from * t[k].w + c]);
		}
		hy_free(x);
		hy_free(d);
		hy_free(out);
		hy_free(label);
		hy_free(moved);
	}
	hy_elastic_free(e);
}

static void odd_slices_survive(void **state)
{
	(void)state;
	static const struct {
		int h, w;
	} t[] = {{1, 1}, {3, 150}, {90, 2}, {200, 190}};
	hardy_error err;
	hy_augment_options o;
	hy_augment_options_init(&o, 16);
	o.elastic_probability = 1;
	hy_augment *a = hy_augment_new(&o, 200, 190, 1, &err);
	float *image = hy_alloc(200 * 190, sizeof *image), out[256];
	uint8_t *label = hy_alloc(200 * 190, 1), out_label[256];
	assert_true(a && image && label);
	for (size_t k = 0; k < sizeof t / sizeof *t; k++)
		for (uint64_t i = 0; i < 20; i++) {
			hy_rng g = hy_rng_make(5, HY_RNG_TEST, i, k);
			for (int j = 0; j < t[k].h * t[k].w; j++) {
				image[j] = i % 4 ? (float)hy_rng_uniform(&g) : 0.3f;
				label[j] = (uint8_t)(hy_rng_below(&g, 3) * 127);
			}
			const hy_augment_draw d = hy_augment_draw_make(&o, &g);
			hy_augment_apply(a, &d, image, label, t[k].h, t[k].w, out, out_label);
			for (int j = 0; j < 256; j++)
				assert_true(out[j] >= -1e-6f && out[j] <= 1 + 1e-6f && out_label[j] % 127 == 0);
		}
	hy_free(image);
	hy_free(label);
	hy_augment_free(a);
}

static void bad_options_are_refused(void **state)
{
	(void)state;
	hardy_error err;
	hy_augment_options o = still();
	o.zoom_low = 0;
	assert_null(hy_augment_new(&o, 10, 10, 1, &err));
	assert_int_equal(err.status, HARDY_ERROR_ARGUMENT);
	assert_non_null(strstr(err.message, "zoom"));
	o = still();
	o.pad = SIZE - 1;
	assert_int_equal(hy_augment_options_check(&o, &err), HARDY_ERROR_ARGUMENT);
	o = still();
	o.flip_probability = NAN;
	assert_int_equal(hy_augment_options_check(&o, &err), HARDY_ERROR_ARGUMENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(draws_follow_the_published_ranges),
	                                   cmocka_unit_test(draws_do_not_depend_on_switches),
	                                   cmocka_unit_test(still_options_leave_the_slice),
	                                   cmocka_unit_test(stages_come_in_the_published_order),
	                                   cmocka_unit_test(channels_move_alike),
	                                   cmocka_unit_test(splines_reproduce_the_slice),
	                                   cmocka_unit_test(odd_slices_survive),
	                                   cmocka_unit_test(bad_options_are_refused)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
