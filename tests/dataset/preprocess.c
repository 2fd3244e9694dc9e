/*
 * preprocess.c: the way to the network's slices and back, on volumes of known content.
 */
#include "dataset/preprocess.h"

#include "base/memory.h"
#include "image/intensity.h"
#include "image/resample.h"
#include "support/test.h"

#include <math.h>
#include <string.h>

/* A bright disc of 25 mm radius with a ring around it, off centre, on a ramp; channel t is scaled by t + 1. */
static void make_scan(hy_volume *v, hy_labels *l, int64_t nx, int64_t ny, int64_t nz, double sx, double sy, int64_t nt)
{
	hy_grid g;
	hardy_error err;
	hy_grid_set_simple(&g, nx, ny, nz, sx, sy, 8);
	assert_ok(hy_volume_alloc(v, &g, nt, &err), &err);
	assert_ok(hy_labels_alloc(l, &g, &err), &err);
	for (int64_t z = 0; z < nz; z++)
		for (int64_t y = 0; y < ny; y++)
			for (int64_t x = 0; x < nx; x++) {
				const double dy = ((double)y - 0.45 * (double)ny) * sy, dx = ((double)x - 0.55 * (double)nx) * sx;
				const double r = sqrt(dy * dy + dx * dx);
				const int64_t i = (z * ny + y) * nx + x;
				l->data[i] = r < 25 ? 1 : r < 35 ? 2 : 0;
				for (int64_t t = 0; t < nt; t++)
					v->data[t * nx * ny * nz + i] = (float)((r < 25 ? 900 : r < 35 ? 300 : 100 + (double)x) * (double)(t + 1));
			}
}

static double dice(const uint8_t *a, const uint8_t *b, int64_t n, uint8_t value)
{
	int64_t both = 0, sum = 0;
	for (int64_t i = 0; i < n; i++) {
		both += a[i] == value && b[i] == value;
		sum += (a[i] == value) + (b[i] == value);
	}
	return 2 * (double)both / (double)sum;
}

static void labels_come_back(void **state)
{
	(void)state;
	/* odd sizes, anisotropic pixels, grids larger and smaller than the scan, finer and coarser than it; one slice */
	static const struct {
		int64_t nx, ny, nz;
		double sx, sy;
		int64_t size;
		double spacing;
	} t[] = {{101, 91, 3, 1.3, 1.5, 192, 1.36719},
	         {101, 91, 3, 1.3, 1.5, 80, 1.36719},
	         {57, 64, 1, 2.0, 2.0, 96, 1.1},
	         {130, 121, 2, 0.9, 0.9, 96, 1.3},
	         {90, 90, 2, 1.36719, 1.36719, 96, 1.36719}};
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		hy_volume v;
		hy_labels l;
		hy_slices s = {0};
		hy_plan p;
		hardy_error err;
		make_scan(&v, &l, t[i].nx, t[i].ny, t[i].nz, t[i].sx, t[i].sy, 1);
		hy_plan_init(&p);
		p.size = t[i].size;
		p.spacing_mm = t[i].spacing;
		assert_ok(hy_preprocess_test(&p, &v, &l, &s, &err), &err);
		assert_int_equal(s.n, t[i].nz);
		assert_int_equal(s.height, p.size);
		const int64_t plane = p.size * p.size, n = hy_grid_voxels(&v.grid);
		float *maps = hy_calloc((size_t)(s.n * 3 * plane), sizeof *maps),
		      *restored = hy_calloc((size_t)(3 * n), sizeof *restored);
		uint8_t *label = hy_alloc((size_t)n, 1);
		assert_true(maps && restored && label);
		for (int64_t z = 0; z < s.n; z++)
			for (int64_t j = 0; j < plane; j++)
				maps[(z * 3 + s.label[z * plane + j]) * plane + j] = 1;
		const float outside[3] = {1, 0, 0};
		for (int m = 0; m < 3; m++)
			assert_ok(hy_restore_map(&p, &v.grid, NULL, 3, m, maps, outside[m], restored + m * n, &err), &err);
		for (int64_t j = 0; j < n; j++) {
			const float *m = restored + j;
			assert_true(fabsf(m[0] + m[n] + m[2 * n] - 1) < 1e-5f);
			label[j] = m[n] > m[0] && m[n] >= m[2 * n] ? 1 : m[2 * n] > m[0] ? 2 : 0;
		}
		assert_true(dice(label, l.data, n, 1) > 0.97);
		assert_true(dice(label, l.data, n, 2) > 0.93);
		hy_free(maps);
		hy_free(restored);
		hy_free(label);
		hy_slices_clear(&s);
		hy_volume_clear(&v);
		hy_labels_clear(&l);
	}
}

static void outside_of_the_crop_is_what_the_caller_says(void **state)
{
	(void)state;
	hy_grid g;
	hy_plan p;
	hardy_error err;
	hy_plan_init(&p);
	p.size = 16;
	p.spacing_mm = 1;
	hy_grid_set_simple(&g, 40, 30, 1, 1, 1, 1);
	float *values = hy_alloc(256, sizeof *values), *out = hy_alloc(1200, sizeof *out);
	assert_true(values && out);
	for (int i = 0; i < 256; i++)
		values[i] = 5;
	assert_ok(hy_restore_map(&p, &g, NULL, 1, 0, values, -3, out, &err), &err);
	int inside = 0;
	for (int y = 0; y < 30; y++)
		for (int x = 0; x < 40; x++) {
			const bool in = y >= 7 && y < 23 && x >= 12 && x < 28;
			assert_true(out[y * 40 + x] == (in ? 5.0f : -3.0f));
			inside += in;
		}
	assert_int_equal(inside, 256);
	hy_free(values);
	hy_free(out);
}

static void channels_are_scaled_one_by_one(void **state)
{
	(void)state;
	hy_volume v;
	hy_labels l;
	hy_slices s = {0};
	hy_plan p;
	hardy_error err;
	make_scan(&v, &l, 60, 50, 2, 1.5, 1.5, 2);
	hy_plan_init(&p);
	p.size = 64;
	assert_ok(hy_preprocess_test(&p, &v, NULL, &s, &err), &err);
	assert_null(s.label);
	assert_int_equal(s.channels, 2);
	/* the second channel is twice the first: scaled by itself it is the same */
	for (int64_t z = 0; z < 2; z++)
		for (int64_t i = 0; i < 64 * 64; i++)
			assert_true(fabsf(s.image[(z * 2) * 4096 + i] - s.image[(z * 2 + 1) * 4096 + i]) < 1e-6f);
	for (int64_t i = 0; i < 4; i++) {
		float low, high;
		hy_range(s.image + i * 4096, 4096, &low, &high);
		assert_true(low == 0.0f && high == 1.0f);
	}
	hy_slices_clear(&s);
	hy_volume_clear(&v);
	hy_labels_clear(&l);
}

/* Behind a slice's own channels come those of the slice below and the one above, then of the next; the ends go on. */
static void neighbours_are_channels(void **state)
{
	(void)state;
	static const int64_t there[] = {0, -1, 1, -2, 2};
	hy_volume v;
	hy_labels l;
	hy_slices alone = {0}, s = {0};
	hy_plan p;
	hardy_error err;
	make_scan(&v, &l, 30, 26, 4, 1.5, 1.5, 2);
	hy_plan_init(&p);
	p.size = 32;
	assert_ok(hy_preprocess_test(&p, &v, &l, &alone, &err), &err);
	p.neighbours = 2;
	assert_int_equal(hy_plan_channels(&p, 2), 10);
	assert_ok(hy_preprocess_test(&p, &v, &l, &s, &err), &err);
	assert_int_equal(s.n, 4);
	assert_int_equal(s.channels, 10);
	assert_memory_equal(s.label, alone.label, 4 * 1024);
	for (int64_t z = 0; z < 4; z++)
		for (int64_t i = 0; i < 5; i++) {
			const int64_t from = z + there[i] < 0 ? 0 : z + there[i] > 3 ? 3 : z + there[i];
			assert_memory_equal(s.image + (z * 10 + 2 * i) * 1024, alone.image + from * 2 * 1024, 2 * 1024 * sizeof(float));
		}
	hy_slices_clear(&s);
	p.neighbours = HY_MOST_NEIGHBOURS + 1;
	assert_int_equal(hy_preprocess_test(&p, &v, &l, &s, &err), HARDY_ERROR_ARGUMENT);
	hy_slices_clear(&alone);
	hy_volume_clear(&v);
	hy_labels_clear(&l);
}

/* The slices of another plane are those of the scan stored across that axis, and they find back to the same voxels. */
static void planes_are_scans_in_another_order(void **state)
{
	(void)state;
	static const hy_order across[] = {{{0, 2, 1}, {false}}, {{1, 2, 0}, {false}}}; /* (x, z, y) and (y, z, x) */
	hy_volume v;
	hy_labels l;
	hy_plan p;
	hardy_error err;
	make_scan(&v, &l, 30, 26, 22, 1.5, 1.5, 1);
	for (int a = 0; a < 3; a++)
		v.grid.spacing_mm[a] = l.grid.spacing_mm[a] = 1.5;
	hy_plan_init(&p);
	p.size = 32;
	p.spacing_mm = 1.5;
	p.neighbours = 1;
	p.planes = 3;
	for (int k = 1; k < 3; k++) {
		const hy_plan plane = hy_plan_plane(&p, k);
		hy_plan first = hy_plan_plane(&p, 0);
		hy_slices s = {0}, want = {0};
		hy_volume turned;
		hy_labels turned_labels;
		assert_ok(hy_volume_alloc(&turned, &v.grid, v.nt, &err), &err);
		assert_ok(hy_labels_alloc(&turned_labels, &l.grid, &err), &err);
		memcpy(turned.data, v.data, (size_t)(hy_grid_voxels(&v.grid) * v.nt) * sizeof *v.data);
		memcpy(turned_labels.data, l.data, (size_t)hy_grid_voxels(&l.grid));
		assert_ok(hy_volume_reorder(&turned, &across[k - 1], &err), &err);
		assert_ok(hy_labels_reorder(&turned_labels, &across[k - 1], &err), &err);
		assert_false(hy_plan_same(&plane, &first));
		assert_ok(hy_preprocess_test(&plane, &v, &l, &s, &err), &err);
		assert_ok(hy_preprocess_test(&first, &turned, &turned_labels, &want, &err), &err);
		assert_int_equal(s.n, k == 1 ? 26 : 30);
		const size_t n = (size_t)(s.n * 32 * 32);
		assert_memory_equal(s.image, want.image, n * (size_t)s.channels * sizeof *s.image);
		assert_memory_equal(s.label, want.label, n);
		/* labels as a map: pixels of 1.5 mm stay where they are, and all of the scan lies in the window */
		float *map = hy_alloc(n, sizeof *map), *back = hy_alloc((size_t)hy_grid_voxels(&v.grid), sizeof *back);
		assert_true(map && back);
		for (size_t i = 0; i < n; i++)
			map[i] = s.label[i];
		assert_ok(hy_restore_map(&plane, &v.grid, NULL, 1, 0, map, -1, back, &err), &err);
		int64_t wrong = 0;
		for (int64_t i = 0; i < hy_grid_voxels(&v.grid); i++)
			wrong += fabsf(back[i] - (float)l.data[i]) > 1e-4F;
		assert_int_equal(wrong, 0);
		hy_free(map);
		hy_free(back);
		hy_slices_clear(&s);
		hy_slices_clear(&want);
		hy_volume_clear(&turned);
		hy_labels_clear(&turned_labels);
	}
	hy_slices none = {0};
	p.planes = 2;
	assert_int_equal(hy_preprocess_test(&p, &v, &l, &none, &err), HARDY_ERROR_ARGUMENT);
	p.planes = 1;
	p.plane = 1;
	assert_int_equal(hy_preprocess_test(&p, &v, &l, &none, &err), HARDY_ERROR_ARGUMENT);
	hy_volume_clear(&v);
	hy_labels_clear(&l);
}

static void constant_scan(void **state)
{
	(void)state;
	hy_grid g;
	hy_volume v;
	hy_slices s = {0};
	hy_plan p;
	hardy_error err;
	hy_grid_set_simple(&g, 5, 7, 1, 1.9, 1.7, 8);
	assert_ok(hy_volume_alloc(&v, &g, 1, &err), &err);
	for (int i = 0; i < 35; i++)
		v.data[i] = 42;
	hy_plan_init(&p);
	p.size = 16;
	for (int order = 0; order < 2; order++) {
		p.normalise_first = !order;
		assert_ok(hy_preprocess_test(&p, &v, NULL, &s, &err), &err);
		for (int i = 0; i < 256; i++)
			assert_true(s.image[i] >= 0.0f && s.image[i] <= 1.0f);
		hy_slices_clear(&s);
	}
	hy_volume_clear(&v);
}

static void bad_input_is_refused(void **state)
{
	(void)state;
	hy_volume v;
	hy_labels l, small;
	hy_slices s = {0};
	hy_plan p;
	hy_grid g;
	hardy_error err;
	make_scan(&v, &l, 20, 20, 2, 1.5, 1.5, 1);
	hy_grid_set_simple(&g, 20, 19, 2, 1.5, 1.5, 8);
	assert_ok(hy_labels_alloc(&small, &g, &err), &err);
	hy_plan_init(&p);
	assert_int_equal(hy_preprocess_train(&p, &v, &small, &s, &err), HARDY_ERROR_DATA);
	assert_non_null(strstr(err.message, "20 x 19 x 2"));
	v.data[7] = NAN;
	v.data[8] = -INFINITY;
	assert_int_equal(hy_preprocess_test(&p, &v, &l, &s, &err), HARDY_ERROR_NUMERIC);
	assert_non_null(strstr(err.message, "2 of 800"));
	v.data[7] = v.data[8] = 0;
	p.spacing_mm = 1e-5;
	assert_int_equal(hy_preprocess_test(&p, &v, &l, &s, &err), HARDY_ERROR_DATA);
	p.spacing_mm = NAN;
	assert_int_equal(hy_preprocess_test(&p, &v, &l, &s, &err), HARDY_ERROR_ARGUMENT);
	p.spacing_mm = 1;
	p.percentile_low = 99;
	assert_int_equal(hy_preprocess_test(&p, &v, &l, &s, &err), HARDY_ERROR_ARGUMENT);
	p.percentile_low = 2;
	assert_null(s.image);
	/* every allocation in turn fails cleanly */
	const int64_t before = hy_memory_calls();
	assert_ok(hy_preprocess_test(&p, &v, &l, &s, &err), &err);
	hy_slices_clear(&s);
	const int64_t n = hy_memory_calls() - before;
	for (int64_t k = 1; k <= n; k++) {
		hy_memory_fail_at(k);
		const hardy_status st = hy_preprocess_test(&p, &v, &l, &s, &err);
		hy_memory_fail_at(0);
		assert_int_equal(st, HARDY_ERROR_MEMORY);
		assert_null(s.image);
	}
	hy_volume_clear(&v);
	hy_labels_clear(&l);
	hy_labels_clear(&small);
}

static void percentiles_of_known_values(void **state)
{
	(void)state;
	/* -50 .. 50 in a scrambled order, so that percentile p is p - 50 */
	float x[101];
	for (int i = 0; i < 101; i++)
		x[i * 37 % 101] = (float)(i - 50);
	const double percent[5] = {0, 2, 50, 98.25, 100};
	double at[5];
	hardy_error err;
	assert_ok(hy_percentiles(x, 101, percent, 5, at, &err), &err);
	for (int i = 0; i < 5; i++)
		assert_true(fabs(at[i] - (percent[i] - 50)) < 1e-12);
	assert_ok(hy_percentiles(x, 1, percent, 5, at, &err), &err);
	assert_true(at[0] == (double)x[0] && at[4] == (double)x[0]);
}

static void windows(void **state)
{
	(void)state;
	assert_int_equal(hy_window_offset(5, 2), 1);
	assert_int_equal(hy_window_offset(2, 5), -2);
	assert_int_equal(hy_window_offset(4, 4), 0);
	assert_int_equal(hy_resample_count(45, 1, 2), 22); /* 22.5 */
	assert_int_equal(hy_resample_count(47, 1, 2), 24); /* 23.5 */
	assert_int_equal(hy_resample_count(1, 0.3, 1.4), 1);
}

/* A scan stored in another order, as the network sees it and as maps come back. */
static void another_order_makes_no_difference(void **state)
{
	static const hy_order orders[] = {{{0, 1, 2}, {true, false, false}},
	                                  {{1, 0, 2}, {false, true, false}},
	                                  {{2, 1, 0}, {false, true, false}},
	                                  {{0, 2, 1}, {true, false, false}}};
	hy_volume v;
	hy_labels l;
	hardy_error err;
	hy_plan plan;
	(void)state;
	make_scan(&v, &l, 40, 34, 3, 2, 2, 2);
	v.grid.located = l.grid.located = true;
	hy_plan_init(&plan);
	plan.size = 32;
	plan.spacing_mm = 2.5;
	assert_int_equal(hy_plan_direct(&plan, &v.grid, 1), 0);
	assert_true(plan.directed);
	hy_slices want = {0}, got = {0};
	assert_ok(hy_preprocess_test(&plan, &v, &l, &want, &err), &err);
	const size_t n = (size_t)hy_grid_voxels(&v.grid), plane = (size_t)(want.height * want.width);
	float *map = hy_alloc(n, sizeof *map), *back = hy_alloc(n, sizeof *back), *turned = hy_alloc(n, sizeof *turned);
	assert_ok(hy_restore_map(&plan, &v.grid, NULL, 2, 1, want.image, 0.5F, map, &err), &err);
	for (size_t k = 0; k < sizeof orders / sizeof *orders; k++) {
		hy_volume w;
		hy_labels m;
		make_scan(&w, &m, 40, 34, 3, 2, 2, 2);
		w.grid.located = true;
		assert_ok(hy_volume_reorder(&w, &orders[k], &err), &err);
		assert_ok(hy_labels_reorder(&m, &orders[k], &err), &err);
		assert_ok(hy_preprocess_test(&plan, &w, &m, &got, &err), &err);
		assert_int_equal(got.n, 3);
		assert_memory_equal(got.image, want.image, 3 * 2 * plane * sizeof *got.image);
		assert_memory_equal(got.label, want.label, 3 * plane);
		assert_ok(hy_restore_map(&plan, &w.grid, NULL, 2, 1, got.image, 0.5F, back, &err), &err);
		hy_order_voxels(&orders[k], &v.grid, 1, sizeof *map, map, turned);
		assert_memory_equal(back, turned, n * sizeof *map);
		/* The scan that differs from the others is the one to be turned. */
		const hy_grid grids[3] = {w.grid, v.grid, v.grid};
		hy_plan other = plan;
		other.directed = false;
		assert_int_equal(hy_plan_direct(&other, grids, 3), 1);
		assert_true(hy_plan_same(&other, &plan));
		hy_slices_clear(&got);
		hy_volume_clear(&w);
		hy_labels_clear(&m);
	}
	hy_free(map);
	hy_free(back);
	hy_free(turned);
	hy_slices_clear(&want);
	hy_volume_clear(&v);
	hy_labels_clear(&l);
}

static void labels_outside_are_counted(void **state)
{
	hy_plan plan;
	hy_cover c = {0};
	hy_grid g;
	hardy_error err;
	char text[400];
	static uint8_t label[64 * 64 * 2];
	hy_class classes[3] = {{.name = "background"}, {.name = "near"}, {.name = "far"}};
	(void)state;
	hy_plan_init(&plan);
	plan.size = 32;
	plan.spacing_mm = 1;
	hy_grid_set_simple(&g, 64, 64, 2, 1, 1, 8);
	for (int i = 0; i < 4; i++) {
		label[32 * 64 + 30 + i] = 1;
		label[32 * 64 + i] = 2;
	}
	assert_ok(hy_cover_add(&c, &plan, &g, label, &err), &err);
	assert_true(c.inside[1] == 4 && c.outside[1] == 0 && c.inside[2] == 0 && c.outside[2] == 4);
	assert_true(hy_cover_say(&c, &plan, classes, 3, text, sizeof text));
	assert_non_null(strstr(text, "100 % of far lies outside of the network's field of view, 32 x 32 pixels of 1 mm: a size of "
	                             "64 or a spacing of 2 mm "));
	assert_false(hy_cover_is_empty(&c));
	/* What it recommends holds all. */
	plan.size = 64;
	c = (hy_cover){0};
	assert_ok(hy_cover_add(&c, &plan, &g, label, &err), &err);
	assert_false(hy_cover_say(&c, &plan, classes, 3, text, sizeof text));
	plan.size = 32;
	plan.spacing_mm = 2;
	c = (hy_cover){0};
	assert_ok(hy_cover_add(&c, &plan, &g, label, &err), &err);
	assert_false(hy_cover_say(&c, &plan, classes, 3, text, sizeof text));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(labels_come_back),
	                                   cmocka_unit_test(outside_of_the_crop_is_what_the_caller_says),
	                                   cmocka_unit_test(channels_are_scaled_one_by_one),
	                                   cmocka_unit_test(neighbours_are_channels),
	                                   cmocka_unit_test(planes_are_scans_in_another_order),
	                                   cmocka_unit_test(constant_scan),
	                                   cmocka_unit_test(bad_input_is_refused),
	                                   cmocka_unit_test(percentiles_of_known_values),
	                                   cmocka_unit_test(windows),
	                                   cmocka_unit_test(another_order_makes_no_difference),
	                                   cmocka_unit_test(labels_outside_are_counted)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
