/*
 * distance.c: surfaces and distances against brute force on small random volumes, and on shapes with known answers.
 */
#include "support/test.h"

#include "base/memory.h"
#include "base/rng.h"
#include "metric/distance.h"
#include "metric/nearest.h"
#include "metric/surfel.h"

#include <math.h>
#include <string.h>

enum { MAX_VOXELS = 4096 };

static hardy_error err;

/* ---- brute force -------------------------------------------------------------------------------------------------------- */

static bool object_at(const hy_object_pair *p, const uint8_t *map, int64_t z, int64_t y, int64_t x)
{
	if (z < 0 || y < 0 || x < 0 || z >= p->n[0] || y >= p->n[1] || x >= p->n[2])
		return false;
	return map[(z * p->n[1] + y) * p->n[2] + x] == p->value;
}

static bool surface_at(const hy_object_pair *p, const uint8_t *map, int connectivity, int64_t z, int64_t y, int64_t x)
{
	if (!object_at(p, map, z, y, x))
		return false;
	for (int dz = -1; dz <= 1; dz++)
		for (int dy = -1; dy <= 1; dy++)
			for (int dx = -1; dx <= 1; dx++) {
				if (abs(dz) + abs(dy) + abs(dx) > connectivity || (p->n_dims == 2 && dz != 0))
					continue;
				if (!object_at(p, map, z + dz, y + dy, x + dx))
					return true;
			}
	return false;
}

static size_t surface_points(const hy_object_pair *p, const uint8_t *map, int connectivity, double (*points)[3])
{
	size_t n = 0;
	for (int64_t z = 0; z < p->n[0]; z++)
		for (int64_t y = 0; y < p->n[1]; y++)
			for (int64_t x = 0; x < p->n[2]; x++)
				if (surface_at(p, map, connectivity, z, y, x)) {
					points[n][0] = (double)z * p->spacing_mm[0];
					points[n][1] = (double)y * p->spacing_mm[1];
					points[n++][2] = (double)x * p->spacing_mm[2];
				}
	return n;
}

static double nearest(const double a[3], double (*points)[3], size_t n)
{
	double best = INFINITY;
	for (size_t i = 0; i < n; i++) {
		double dz = a[0] - points[i][0], dy = a[1] - points[i][1], dx = a[2] - points[i][2];
		best = fmin(best, sqrt(dz * dz + dy * dy + dx * dx));
	}
	return best;
}

static void compare_with_brute_force(const hy_object_pair *p, int connectivity)
{
	static double pred[MAX_VOXELS][3], ref[MAX_VOXELS][3];
	size_t n_pred = surface_points(p, p->pred, connectivity, pred), n_ref = surface_points(p, p->ref, connectivity, ref);
	hy_surface_distances d;
	assert_ok(hy_distance_voxels(p, (hy_connectivity)connectivity, &d, &err), &err);
	assert_int_equal(d.n_pred, n_pred);
	assert_int_equal(d.n_ref, n_ref);
	for (size_t i = 0; i < n_pred; i++) {
		double want = nearest(pred[i], ref, n_ref);
		if (fabs(d.pred_to_ref[i] - want) > 1e-9 && !(isinf(want) && isinf(d.pred_to_ref[i])))
			fail_msg("from prediction %zu: %.15g, want %.15g", i, d.pred_to_ref[i], want);
	}
	for (size_t i = 0; i < n_ref; i++) {
		double want = nearest(ref[i], pred, n_pred);
		if (fabs(d.ref_to_pred[i] - want) > 1e-9 && !(isinf(want) && isinf(d.ref_to_pred[i])))
			fail_msg("from reference %zu: %.15g, want %.15g", i, d.ref_to_pred[i], want);
	}
	hy_distance_clear(&d);
}

/* ---- random volumes ----------------------------------------------------------------------------------------------------- */

/* Noise of any density, alone or over a few boxes: full, thin, touching borders, far apart. */
static void fill_random(hy_rng *g, uint8_t *map, const int64_t n[3], uint8_t value)
{
	int64_t size = n[0] * n[1] * n[2];
	memset(map, 0, (size_t)size);
	for (uint64_t k = hy_rng_below(g, 3); k > 0; k--) {
		int64_t low[3], high[3];
		for (int a = 0; a < 3; a++) {
			low[a] = (int64_t)hy_rng_below(g, (uint64_t)n[a]);
			high[a] = low[a] + (int64_t)hy_rng_below(g, (uint64_t)(n[a] - low[a]));
		}
		for (int64_t i = 0; i < size; i++) {
			int64_t c[3] = {i / (n[1] * n[2]), i / n[2] % n[1], i % n[2]};
			if (c[0] >= low[0] && c[0] <= high[0] && c[1] >= low[1] && c[1] <= high[1] && c[2] >= low[2] && c[2] <= high[2])
				map[i] = value;
		}
	}
	double density = hy_rng_uniform(g);
	density *= density * density;
	for (int64_t i = 0; i < size; i++)
		if (hy_rng_uniform(g) < density)
			map[i] = (uint8_t)(value - map[i]);
}

static void random_volumes(void **state)
{
	(void)state;
	static uint8_t pred[MAX_VOXELS], ref[MAX_VOXELS];
	for (uint64_t i = 0; i < 400; i++) {
		hy_rng g = hy_rng_make(3, HY_RNG_TEST, i, 0);
		hy_object_pair p = {.pred = pred, .ref = ref, .value = (uint8_t)(1 + i % 3), .n_dims = i % 4 == 0 ? 2 : 3};
		const int64_t most[3] = {6, 11, 13};
		for (int a = 0; a < 3; a++) {
			p.n[a] = 1 + (int64_t)hy_rng_below(&g, (uint64_t)most[a]);
			p.spacing_mm[a] = hy_rng_between(&g, .3, 4);
		}
		if (p.n_dims == 2)
			p.n[0] = 1;
		fill_random(&g, pred, p.n, p.value);
		fill_random(&g, ref, p.n, p.value);
		for (int connectivity = 1; connectivity <= 2; connectivity++)
			compare_with_brute_force(&p, connectivity);
	}
}

/* Many elements far from one: the search's budget runs out and the transform answers. */
static void far_objects(void **state)
{
	(void)state;
	static uint8_t pred[3 * 24 * 50], ref[3 * 24 * 50];
	hy_object_pair p = {.pred = pred, .ref = ref, .value = 1, .n_dims = 3, .n = {3, 24, 50}, .spacing_mm = {5, 1.3, .7}};
	for (size_t i = 0; i < sizeof(pred); i++)
		pred[i] = i % 50 > 10 && (i * 7919) % 11 < 5;
	ref[24 * 50 + 23 * 50] = 1;
	compare_with_brute_force(&p, 1);
	compare_with_brute_force(&p, 2);
}

static void transform_agrees_with_brute_force(void **state)
{
	(void)state;
	static uint8_t feature[MAX_VOXELS];
	static double found[MAX_VOXELS], points[MAX_VOXELS][3];
	for (uint64_t i = 0; i < 100; i++) {
		hy_rng g = hy_rng_make(4, HY_RNG_TEST, i, 0);
		int64_t n[3];
		double spacing[3];
		for (int a = 0; a < 3; a++) {
			n[a] = 1 + (int64_t)hy_rng_below(&g, 12);
			spacing[a] = hy_rng_between(&g, .3, 9);
		}
		fill_random(&g, feature, n, 2);
		size_t n_points = 0;
		int64_t size = n[0] * n[1] * n[2];
		for (int pass = 0; pass < 2; pass++) {
			if (pass == 1)
				assert_ok(hy_distance_transform(feature, 2, n, spacing, found, &err), &err);
			for (int64_t k = 0; k < size; k++) {
				double at[3] = {(double)(k / (n[1] * n[2])) * spacing[0], (double)(k / n[2] % n[1]) * spacing[1],
				                (double)(k % n[2]) * spacing[2]};
				if (pass == 0 && (feature[k] & 2))
					memcpy(points[n_points++], at, sizeof(at));
				if (pass == 0)
					continue;
				double want = nearest(at, points, n_points);
				assert_true(isinf(want) ? isinf(found[k]) : fabs(found[k] - want) < 1e-9);
			}
		}
	}
}

/* ---- shapes with known answers ------------------------------------------------------------------------------------------ */

/* Two equal boxes, one shifted by a whole number of voxels along one axis: HD is the shift in mm. */
static void shifted_boxes(void **state)
{
	(void)state;
	enum { N0 = 8, N1 = 20, N2 = 30 };
	static uint8_t pred[N0 * N1 * N2], ref[N0 * N1 * N2];
	const double spacing[3] = {6, 1.5, .5};
	for (int axis = 0; axis < 3; axis++) {
		int64_t shift[3] = {0, 0, 0};
		shift[axis] = axis == 0 ? 1 : 3;
		for (int64_t i = 0; i < N0 * N1 * N2; i++) {
			int64_t c[3] = {i / (N1 * N2), i / N2 % N1, i % N2};
			bool in_ref = true, in_pred = true;
			const int64_t low[3] = {2, 4, 6}, high[3] = {5, 12, 20};
			for (int a = 0; a < 3; a++) {
				in_ref &= c[a] >= low[a] && c[a] <= high[a];
				in_pred &= c[a] >= low[a] + shift[a] && c[a] <= high[a] + shift[a];
			}
			pred[i] = in_pred;
			ref[i] = in_ref;
		}
		hy_object_pair p = {.pred = pred, .ref = ref, .value = 1, .n_dims = 3, .n = {N0, N1, N2}, .spacing_mm = {6, 1.5, .5}};
		hy_surface_distances d, surfels;
		double v, want = (double)shift[axis] * spacing[axis];
		assert_ok(hy_distance_voxels(&p, HY_CONNECTIVITY_FACE, &d, &err), &err);
		assert_ok(hy_distance_surfels(&p, &surfels, &err), &err);
		assert_true(fabs(hy_distance_hd(&d) - want) < 1e-12);
		assert_true(fabs(hy_distance_hd(&surfels) - want) < 1e-12);
		assert_true(hy_distance_nsd(&d, want) == 1 && hy_distance_nsd(&surfels, want) == 1);
		assert_true(hy_distance_nsd(&d, want * .99) < 1 && hy_distance_nsd(&surfels, want * .99) < 1);
		assert_ok(hy_distance_hd_directed(&d, 1, &v, &err), &err);
		assert_true(fabs(v - want) < 1e-12);
		assert_int_equal(d.overlap.n_pred, 4 * 9 * 15);
		assert_int_equal(d.overlap.n_both, axis == 0 ? 3 * 9 * 15 : axis == 1 ? 4 * 6 * 15 : 4 * 9 * 12);
		/* Mirror images: both directions alike. */
		assert_true(fabs(hy_distance_asd(&d) - hy_distance_asd_reverse(&d)) < 1e-12);
		hy_distance_clear(&d);
		hy_distance_clear(&surfels);
	}
}

static void surfel_sizes(void **state)
{
	(void)state;
	const double mm[3] = {4, 1.5, .7};
	double area[256], length[16];
	hy_surfel_areas(mm, area);
	/* Half spaces: a whole face of the cell. */
	assert_true(fabs(area[0xF0] - 1.5 * .7) < 1e-14 && fabs(area[0xCC] - 4 * .7) < 1e-14 && fabs(area[0xAA] - 4 * 1.5) < 1e-14);
	/* One corner: the triangle between three edge middles. */
	double a = 1.5 * .7, b = 4 * .7, c = 4 * 1.5, corner = sqrt(a * a + b * b + c * c) / 8;
	for (int k = 0; k < 8; k++)
		assert_true(fabs(area[1 << k] - corner) < 1e-14 && fabs(area[255 - (1 << k)] - corner) < 1e-14);
	assert_true(area[0] == 0 && area[255] == 0);
	for (int k = 1; k < 255; k++)
		assert_true(area[k] > 0 && fabs(area[k] - area[255 - k]) < 1e-14);
	hy_surfel_lengths(mm + 1, length);
	assert_true(length[0] == 0 && length[15] == 0 && length[3] == .7 && length[5] == 1.5);
	assert_true(fabs(length[6] - 2 * length[1]) < 1e-15);
}

/* Whole surface of a box in surfels: six faces with bevelled edges and corners. */
static void surfel_box_area(void **state)
{
	(void)state;
	static uint8_t map[7 * 9 * 8];
	for (int i = 0; i < 7 * 9 * 8; i++)
		map[i] = i / 72 >= 2 && i / 72 < 5 && i / 8 % 9 >= 1 && i / 8 % 9 < 7 && i % 8 >= 3 && i % 8 < 7;
	hy_object_pair p = {.pred = map, .ref = map, .value = 1, .n_dims = 3, .n = {7, 9, 8}, .spacing_mm = {3, 2, .5}};
	hy_surface_distances d;
	assert_ok(hy_distance_surfels(&p, &d, &err), &err);
	double found = 0;
	for (size_t i = 0; i < d.n_pred; i++)
		found += d.pred_weight[i];
	double n[3] = {3, 6, 4}, s[3] = {3, 2, .5}, want = 0, corner = 0;
	for (int k = 0; k < 3; k++) {
		int u = (k + 1) % 3, v = (k + 2) % 3;
		double side = s[u] * s[v];
		want += 2 * (n[u] - 1) * (n[v] - 1) * side;                          /* faces */
		want += 4 * (n[k] - 1) * s[k] * sqrt(s[u] * s[u] + s[v] * s[v]) / 2; /* bevels along axis k */
		corner += side * side;
	}
	want += 8 * sqrt(corner) / 8;
	assert_true(fabs(found - want) < 1e-9);
	assert_true(hy_distance_nsd(&d, 0) == 1);
	hy_distance_clear(&d);
}

static void empty_objects(void **state)
{
	(void)state;
	static uint8_t none[2 * 3 * 4], some[2 * 3 * 4];
	some[5] = 1;
	const uint8_t *maps[3][2] = {{none, none}, {none, some}, {some, none}};
	for (int k = 0; k < 3; k++) {
		hy_object_pair p = {
		    .pred = maps[k][0], .ref = maps[k][1], .value = 1, .n_dims = 3, .n = {2, 3, 4}, .spacing_mm = {1, 1, 1}};
		for (int form = 0; form < 2; form++) {
			hy_surface_distances d;
			double v[2];
			if (form == 0)
				assert_ok(hy_distance_voxels(&p, HY_CONNECTIVITY_FACE, &d, &err), &err);
			else
				assert_ok(hy_distance_surfels(&p, &d, &err), &err);
			assert_ok(hy_distance_hd_pooled(&d, .95, &v[0], &err), &err);
			assert_ok(hy_distance_hd_directed(&d, .95, &v[1], &err), &err);
			assert_true(isnan(hy_distance_hd(&d)) && isnan(v[0]) && isnan(v[1]) && isnan(hy_distance_asd(&d)));
			assert_true(isnan(hy_distance_asd_reverse(&d)) && isnan(hy_distance_assd(&d)) &&
			            isnan(hy_distance_assd_directed(&d)));
			assert_true(k == 0 ? isnan(hy_distance_nsd(&d, 1)) : hy_distance_nsd(&d, 1e9) == 0);
			hy_distance_clear(&d);
		}
	}
}

static void refuses_bad_grids(void **state)
{
	(void)state;
	uint8_t map[4] = {1, 0, 1, 0};
	hy_surface_distances d;
	hy_object_pair p = {.pred = map, .ref = map, .value = 1, .n_dims = 3, .n = {1, 2, 2}, .spacing_mm = {1, 0, 1}};
	assert_int_equal(hy_distance_voxels(&p, HY_CONNECTIVITY_FACE, &d, &err), HARDY_ERROR_ARGUMENT);
	p.spacing_mm[1] = NAN;
	assert_int_equal(hy_distance_surfels(&p, &d, &err), HARDY_ERROR_ARGUMENT);
	p.spacing_mm[1] = 1;
	p.n_dims = 4;
	assert_int_equal(hy_distance_voxels(&p, HY_CONNECTIVITY_FACE, &d, &err), HARDY_ERROR_ARGUMENT);
}

/* Every allocation that can fail does so once; nothing leaks (sanitizer) and the error is passed on. */
static void memory_runs_out(void **state)
{
	(void)state;
	static uint8_t pred[6 * 6 * 40], ref[6 * 6 * 40];
	for (size_t i = 0; i < sizeof(pred); i++)
		pred[i] = i % 40 > 8 && i % 3 != 0;
	ref[0] = 1;
	hy_object_pair p = {.pred = pred, .ref = ref, .value = 1, .n_dims = 3, .n = {6, 6, 40}, .spacing_mm = {1, 1, 1}};
	int n_failures = 0;
	for (int64_t k = 1;; k++) {
		hy_surface_distances d;
		hy_memory_fail_at(k);
		hardy_status status =
		    k % 2 ? hy_distance_voxels(&p, HY_CONNECTIVITY_FACE, &d, &err) : hy_distance_surfels(&p, &d, &err);
		hy_memory_fail_at(0);
		if (status == HARDY_OK) {
			hy_distance_clear(&d);
			if (k > 40)
				break;
			continue;
		}
		assert_int_equal(status, HARDY_ERROR_MEMORY);
		n_failures++;
	}
	assert_true(n_failures > 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(random_volumes),
	                                   cmocka_unit_test(far_objects),
	                                   cmocka_unit_test(transform_agrees_with_brute_force),
	                                   cmocka_unit_test(shifted_boxes),
	                                   cmocka_unit_test(surfel_sizes),
	                                   cmocka_unit_test(surfel_box_area),
	                                   cmocka_unit_test(empty_objects),
	                                   cmocka_unit_test(refuses_bad_grids),
	                                   cmocka_unit_test(memory_runs_out)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
