/*
 * part.c: the box around labels, the square around a box, what is drawn of a slice, and the slice that is shown.
 */
#include "draw/part.h"
#include "predict/legend.h"
#include "support/test.h"

#include <string.h>

static void box_of_labels(void **state)
{
	(void)state;
	uint8_t labels[2 * 3 * 4] = {0}; /* 2 slices of 3 rows of 4 */
	hy_box b = hy_box_empty();
	assert_true(hy_box_is_empty(&b));
	hy_box_add(&b, labels, 4, 3, 2);
	assert_true(hy_box_is_empty(&b));
	labels[12 + 2 * 4 + 1] = 7;
	labels[12 + 1 * 4 + 3] = 1;
	hy_box_add(&b, labels, 4, 3, 2);
	assert_false(hy_box_is_empty(&b));
	const int64_t low[3] = {1, 1, 1}, high[3] = {3, 2, 1};
	assert_memory_equal(b.low, low, sizeof low);
	assert_memory_equal(b.high, high, sizeof high);
	labels[0] = 2; /* a second map makes it larger, never smaller */
	hy_box_add(&b, labels, 4, 3, 1);
	assert_int_equal(b.low[0], 0);
	assert_int_equal(b.low[2], 0);
	assert_int_equal(b.high[0], 3);
}

static void square_around_a_box(void **state)
{
	(void)state;
	hy_box b = {.low = {10, 20, 0}, .high = {19, 23, 5}};
	hy_part p = hy_part_around(&b, 100, 80, 2, 8, 64, 100);
	assert_int_equal(p.side, 20);
	assert_int_equal(p.scale, 5);
	assert_int_equal(p.x, 5);  /* middle 15 */
	assert_int_equal(p.y, 12); /* middle 22 */
	p = hy_part_around(&b, 100, 80, 2, 8, 16, 10);
	assert_int_equal(p.side, 16);
	assert_int_equal(p.scale, 1);
	b = hy_box_empty();
	p = hy_part_around(&b, 100, 80, 2, 8, 512, 100);
	assert_int_equal(p.side, 100);
	assert_int_equal(p.x, 0);
	assert_int_equal(p.y, -10); /* above the slice, which is lower than wide */
}

static const uint8_t *pixel(const hy_canvas *c, int x, int y)
{
	return c->rgb + 3 * ((size_t)y * (size_t)c->width + (size_t)x);
}

/* Grey inside, black outside of the slice; the prediction's border over the truth's. */
static void both_borders(void **state)
{
	(void)state;
	hardy_error err = {0};
	hy_canvas *c = NULL;
	float slice[6 * 6];
	uint8_t truth[6 * 6] = {0}, label[6 * 6] = {0};
	for (int i = 0; i < 36; i++)
		slice[i] = i == 0 ? 0 : 1;
	for (int y = 1; y <= 4; y++)
		for (int x = 1; x <= 4; x++)
			truth[y * 6 + x] = label[y * 6 + x] = 1;
	label[4 * 6 + 4] = 0; /* a corner is missed */
	const hy_part p = {.x = -1, .y = 0, .side = 7, .scale = 1};
	const hy_borders b = {truth, label, NULL};
	assert_ok(hy_canvas_new(&c, 7, 7, &err), &err);
	assert_ok(hy_part_draw(c, 0, 0, &p, slice, &b, 6, 6, &err), &err);
	const uint8_t black[3] = {0}, white[3] = {255, 255, 255};
	assert_memory_equal(pixel(c, 0, 3), black, 3); /* left of the slice */
	assert_memory_equal(pixel(c, 3, 6), black, 3); /* below it */
	assert_memory_equal(pixel(c, 1, 0), black, 3); /* the darkest voxel */
	assert_memory_equal(pixel(c, 6, 5), white, 3); /* the brightest */
	assert_memory_equal(pixel(c, 5, 4), white, 3); /* only the truth has it */
	const uint8_t *both = pixel(c, 2, 1);
	assert_true(both[0] != both[1] || both[1] != both[2]); /* a class's colour */
	assert_memory_equal(pixel(c, 5, 1), both, 3);
	hy_canvas_free(c);
}

/* A class has the colour of the value that label maps hold, here and in a viewer. */
static void colours_of_classes(void **state)
{
	(void)state;
	hardy_error err = {0};
	hy_canvas *c = NULL;
	float slice[4 * 4] = {0};
	uint8_t label[4 * 4] = {0}, lv[3], unnamed[3];
	const hy_class classes[] = {{"background", 0, true}, {"LV", 3, true}, {"RV", -1, false}, {"far", 301, true}};
	label[5] = 1, label[10] = 2;
	const hy_part p = {.side = 4, .scale = 1};
	const hy_borders b = {NULL, label, classes};
	assert_ok(hy_canvas_new(&c, 4, 4, &err), &err);
	assert_ok(hy_part_draw(c, 0, 0, &p, slice, &b, 4, 4, &err), &err);
	hy_label_colour(3, lv);
	hy_label_colour(2, unnamed);
	assert_memory_equal(pixel(c, 1, 1), lv, 3);
	assert_memory_equal(pixel(c, 2, 2), unnamed, 3);
	uint8_t far[3], shown[3];
	hy_label_colour(301, far);
	hy_label_colour(hy_class_shown(classes, 3), shown);
	assert_memory_equal(far, shown, 3);
	hy_canvas_free(c);
}

static void slice_where_maps_differ(void **state)
{
	(void)state;
	uint8_t a[3 * 4] = {0}, b[3 * 4] = {0};
	assert_int_equal(hy_slice_of_difference(a, b, 2, 2, 3), 0);
	a[4] = b[4] = 1; /* the same: the slice with labels */
	assert_int_equal(hy_slice_of_difference(a, b, 2, 2, 3), 1);
	a[9] = 1;
	assert_int_equal(hy_slice_of_difference(a, b, 2, 2, 3), 2);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(box_of_labels), cmocka_unit_test(square_around_a_box),
	                                   cmocka_unit_test(both_borders), cmocka_unit_test(colours_of_classes),
	                                   cmocka_unit_test(slice_where_maps_differ)};
	return cmocka_run_group_tests_name("draw/part", tests, NULL, NULL);
}
