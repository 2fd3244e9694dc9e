/*
 * survey.c: grids that fit small, usual and large objects, and how alike objects lie.
 */
#include "support/test.h"

#include "base/memory.h"
#include "dataset/survey.h"

#include <math.h>
#include <string.h>

enum { SIDE = 60, DEEP = 2 };

static void add_thick(hy_survey *s, const uint8_t *labels, double spacing_mm, double thickness_mm, int subject)
{
	hardy_error err;
	hy_grid g;
	hy_plan p;
	hy_plan_init(&p);
	hy_grid_set_simple(&g, SIDE, SIDE, DEEP, spacing_mm, spacing_mm, thickness_mm);
	assert_ok(hy_survey_add(s, &p, &g, labels, subject, &err), &err);
}

static void add(hy_survey *s, const uint8_t *labels, double spacing_mm, int subject)
{
	add_thick(s, labels, spacing_mm, 8, subject);
}

/* A box of a class, columns and rows from .. to, on all slices. */
static void box(uint8_t *l, uint8_t class, int x0, int x1, int y0, int y1)
{
	for (int i = 0; i < SIDE * SIDE * DEEP; i++) {
		const int x = i % SIDE, y = i / SIDE % SIDE;
		if (x >= x0 && x <= x1 && y >= y0 && y <= y1)
			l[i] = class;
	}
}

/* Discs of radius 4 of two classes, 20 pixels apart at an angle, one behind the other in every third slice of nothing. */
static void add_pair(hy_survey *s, double degrees, int subject)
{
	static uint8_t l[SIDE * SIDE * DEEP];
	const double a = degrees * 3.14159265358979 / 180;
	memset(l, 0, sizeof l);
	for (int i = 0; i < SIDE * SIDE * DEEP; i++) {
		const double x = i % SIDE - 29.5, y = i / SIDE % SIDE - 29.5;
		for (int side = -1; side <= 1; side += 2)
			if (hypot(x - side * 10 * cos(a), y - side * 10 * sin(a)) < 4)
				l[i] = side < 0 ? 1 : 2;
	}
	add(s, l, 1, subject);
}

static void grid_of(int reach, double spacing_mm, int64_t *size, double *grid_mm)
{
	static uint8_t l[SIDE * SIDE * DEEP];
	hy_survey s = {0};
	for (int k = 0; k < 10; k++) { /* one in ten reaches as far as there is */
		const int r = k == 4 ? SIDE / 2 : reach;
		memset(l, 0, sizeof l);
		box(l, 1, SIDE / 2, SIDE / 2 + r - 1, SIDE / 2, SIDE / 2);
		add(&s, l, spacing_mm, k);
	}
	*size = 96;
	*grid_mm = 2;
	hy_survey_grid(&s, size, grid_mm);
	hy_survey_clear(&s);
}

static void grids_fit(void **state)
{
	(void)state;
	int64_t size;
	double mm;
	grid_of(20, 4, &size, &mm); /* 160 of 192 mm: as usual */
	assert_int_equal(size, 96);
	assert_true(fabs(mm - 2) < 1e-9);
	grid_of(26, 4, &size, &mm); /* 208 mm: nearly */
	assert_true(size == 96 && fabs(mm - 2) < 1e-9);
	grid_of(20, 1, &size, &mm); /* 40 mm in a slice of 60: whole slices, at their own spacing */
	assert_int_equal(size, 64);
	assert_true(fabs(mm - 1) < 1e-9);
	grid_of(10, 1.5, &size, &mm); /* 30 mm in 90: with a margin, 37.5 mm are 25 pixels; 32 is the least */
	assert_int_equal(size, 32);
	assert_true(fabs(mm - 1.5) < 1e-9);
	grid_of(10, 0.25, &size, &mm); /* finer than the usual size can hold is made coarser: 15 mm, 60 pixels, stay */
	assert_int_equal(size, 32);
	assert_true(fabs(mm - 0.25) < 1e-9);
	grid_of(26, 6, &size, &mm); /* 312 mm do not fit: 3.25 mm */
	assert_int_equal(size, 96);
	assert_true(fabs(mm - 3.25) < 1e-9);
	hy_survey none = {0};
	hy_survey_grid(&none, &size, &mm);
	assert_int_equal(size, 96);
	assert_true(fabs(mm - 3.25) < 1e-9);
}

static void directions_are_told_apart(void **state)
{
	(void)state;
	static const double alike[] = {170, 178, -177, -170}, any[] = {0, 100, -150, 60};
	hy_survey s = {0};
	for (int k = 0; k < 4; k++)
		add_pair(&s, alike[k], k);
	hy_alike a = hy_survey_alike(&s);
	assert_int_equal(a.from, 1);
	assert_int_equal(a.to, 2);
	assert_true(a.spread_deg > 7 && a.spread_deg < 10); /* of -10, -2, 3, 10: 8.5 */
	for (int k = 0; k < 4; k++)
		add_pair(&s, alike[0], k); /* a second scan of the same subjects */
	assert_true(hy_survey_alike(&s).spread_deg < a.spread_deg);
	hy_survey_clear(&s);
	for (int k = 0; k < 4; k++)
		add_pair(&s, any[k], k);
	assert_true(hy_survey_alike(&s).spread_deg > 60);
	hy_survey_clear(&s);
	for (int k = 0; k < 9; k++)
		add_pair(&s, any[k % 2], k % 2);
	assert_true(isnan(hy_survey_alike(&s).spread_deg)); /* two subjects */
	hy_survey_clear(&s);
}

static void one_class_has_a_long_axis_or_none(void **state)
{
	(void)state;
	static uint8_t l[SIDE * SIDE * DEEP];
	hy_survey s = {0};
	for (int k = 0; k < 3; k++) {
		memset(l, 0, sizeof l);
		box(l, 1, 10, 40, 20 + k, 26 + k);
		add(&s, l, 1, k);
	}
	hy_alike a = hy_survey_alike(&s);
	assert_int_equal(a.from, 0);
	assert_true(a.spread_deg < 1e-3);
	hy_survey_clear(&s);
	for (int k = 0; k < 3; k++) {
		memset(l, 0, sizeof l);
		box(l, 1, 10 + k, 30 + k, 20, 42);
		add(&s, l, 1, k);
	}
	assert_true(isnan(hy_survey_alike(&s).spread_deg));
	memset(l, 0, sizeof l);
	add(&s, l, 1, 7);
	assert_int_equal(s.n, 3); /* nothing labelled does not count */
	hy_survey_clear(&s);
	assert_true(isnan(hy_survey_alike(&s).spread_deg));
}

/* Where half of the scans have slices no more than twice as far apart as pixels. */
static void thin_slices_have_neighbours(void **state)
{
	(void)state;
	static uint8_t l[SIDE * SIDE * DEEP];
	hy_survey s = {0};
	assert_int_equal(hy_survey_neighbours(&s), 0);
	box(l, 1, 10, 20, 10, 20);
	add_thick(&s, l, 1.5, 3, 0);
	assert_int_equal(hy_survey_neighbours(&s), 1);
	add_thick(&s, l, 1.5, 3.1, 1);
	add_thick(&s, l, 1.5, 10, 2);
	assert_int_equal(hy_survey_neighbours(&s), 0);
	hy_survey_clear(&s);
}

/* Where slices are thin, and nine labels in ten fit into the network's view across them, too. */
static void thin_slices_are_taken_across_all_axes(void **state)
{
	(void)state;
	static uint8_t l[SIDE * SIDE * DEEP];
	hy_survey s = {0};
	assert_int_equal(hy_survey_planes(&s, 1000), 1);
	box(l, 1, 10, 20, 10, 20);
	add_thick(&s, l, 1.5, 3, 0);
	const double need_mm = DEEP * 3.0; /* a box goes through all slices */
	assert_true(s.scans[0].depth_mm == need_mm / 2);
	assert_int_equal(hy_survey_planes(&s, need_mm), 3);
	assert_int_equal(hy_survey_planes(&s, need_mm - 1), 1);
	add_thick(&s, l, 1.5, 10, 1);
	add_thick(&s, l, 1.5, 10, 2);
	assert_int_equal(hy_survey_planes(&s, 1000), 1);
	hy_survey_clear(&s);
}

/* What scans say is told without memory: it never runs out there, to leave another grid or another geometry. */
static void memory_runs_out_while_scans_are_added_only(void **state)
{
	(void)state;
	hardy_error err;
	hy_survey s = {0};
	hy_survey_scan scan = {.spacing_mm = 0.5, .thickness = 1, .image_mm = 60, .reach_mm = 20, .depth_mm = 10, .elongation = 2};
	int64_t size = HY_USUAL_SIZE;
	double spacing_mm = HY_USUAL_SPACING_MM;
	const int64_t live = hy_memory_live();
	for (int k = 1; k <= 2; k++) {
		hy_memory_fail_at(k);
		assert_int_equal(hy_survey_put(&s, &scan, &err), HARDY_ERROR_MEMORY);
		hy_memory_fail_at(0);
		assert_int_equal(s.n, 0);
	}
	for (int k = 0; k < 3; k++)
		assert_ok(hy_survey_put(&s, &scan, &err), &err);
	hy_memory_fail_at(1);
	hy_survey_grid(&s, &size, &spacing_mm);
	assert_int_equal(hy_survey_neighbours(&s), 1);
	assert_int_equal(hy_survey_planes(&s, 20), 3);
	assert_true(hy_survey_alike(&s).from == 0);
	hy_memory_fail_at(0);
	assert_int_equal(size, 96);
	assert_true(fabs(spacing_mm - 0.625) < 1e-9);
	hy_survey_clear(&s);
	assert_int_equal(hy_memory_live(), live);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(grids_fit),
	    cmocka_unit_test(directions_are_told_apart),
	    cmocka_unit_test(thin_slices_have_neighbours),
	    cmocka_unit_test(thin_slices_are_taken_across_all_axes),
	    cmocka_unit_test(one_class_has_a_long_axis_or_none),
	    cmocka_unit_test(memory_runs_out_while_scans_are_added_only),
	};
	return cmocka_run_group_tests_name("dataset/survey", tests, NULL, NULL);
}
