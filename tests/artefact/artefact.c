/*
 * artefact.c: what holds for every artefact: identities, odd and even sizes, one slice, memory layouts, bad voxels, draws.
 */
#include "artefact/artefact.h"
#include "base/memory.h"
#include "support/test.h"

#include <math.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

enum { MOST = 40 * 40 * 12 };

static void fill(float *x, int64_t n, uint64_t seed)
{
	hy_rng g = hy_rng_make(seed, HY_RNG_TEST, 0, 0);
	for (int64_t i = 0; i < n; i++)
		x[i] = (float)hy_rng_uniform(&g);
}

static hy_artefact drawn(hy_artefact_kind kind, int level, const int64_t n[3])
{
	hy_rng g = hy_artefact_stream(7, kind, "subject", 0, 0);
	return hy_artefact_draw(kind, level, n, level > 0, &g);
}

static hy_block stack(float *x, const int64_t n[3])
{
	return hy_block_of_stack(x, n[0], n[1], n[2]);
}

/* Parameters that ask for no change leave every voxel alone, or nearly where a transform is done. */
static void test_nothing(void **state)
{
	static float x[MOST], y[MOST];
	const int64_t n[3] = {5, 20, 17};
	hy_artefact a[8] = {{.kind = HY_ARTEFACT_BIAS},     {.kind = HY_ARTEFACT_GHOSTING},  {.kind = HY_ARTEFACT_GHOSTING},
	                    {.kind = HY_ARTEFACT_MOTION},   {.kind = HY_ARTEFACT_SPIKE},     {.kind = HY_ARTEFACT_BLUR},
	                    {.kind = HY_ARTEFACT_CONTRAST}, {.kind = HY_ARTEFACT_RESOLUTION}};
	(void)state;
	a[0].bias.order = 3;
	a[1].ghosting.num_ghosts = 5; /* intensity 0 */
	a[2].ghosting.intensity = 1;  /* no ghosts */
	a[3].motion.n = 2;            /* no movement */
	a[3].motion.times[0] = .3;
	a[3].motion.times[1] = .7;
	a[4].spike.n = 2; /* intensity 0 */
	a[6].contrast.gamma = 1;
	a[7].resolution.factor = 1;
	for (int i = 0; i < 8; i++) {
		hardy_error err;
		fill(x, MOST, 1);
		memcpy(y, x, sizeof x);
		const hy_block b = stack(x, n);
		assert_ok(hy_artefact_apply(&a[i], &b, &err), &err);
		for (int64_t v = 0; v < MOST; v++)
			assert_true(fabsf(x[v] - y[v]) < 1e-6f);
	}
}

/* Every kind changes a volume of every size it meets, keeps to it, and gives the same bytes again with another number of threads. */
static void test_sizes(void **state)
{
	static const int64_t sizes[][3] = {{10, 32, 40}, {9, 33, 31}, {1, 20, 21}, {20, 21, 1}, {7, 1, 33}};
	static float x[MOST + 1], y[MOST + 1], z[MOST + 1];
	(void)state;
	for (int s = 0; s < 5; s++) {
		const int64_t *n = sizes[s], size = n[0] * n[1] * n[2];
		for (int kind = 0; kind < HY_N_ARTEFACTS; kind++)
			for (int level = 0; level <= HY_N_LEVELS; level += 5) {
				hardy_error err;
				const hy_artefact a = drawn((hy_artefact_kind)kind, level, n);
				fill(x, MOST + 1, 2);
				memcpy(y, x, sizeof x);
				memcpy(z, x, sizeof x);
				const hy_block b = stack(x, n), again = stack(y, n);
				assert_ok(hy_artefact_apply(&a, &b, &err), &err);
#ifdef _OPENMP
				omp_set_num_threads(3);
#endif
				assert_ok(hy_artefact_apply(&a, &again, &err), &err);
#ifdef _OPENMP
				omp_set_num_threads(1);
#endif
				assert_memory_equal(x, y, sizeof x);
				assert_memory_equal(x + size, z + size, sizeof x - (size_t)size * sizeof *x);
				if (size > 1000 && kind != HY_ARTEFACT_GHOSTING && kind != HY_ARTEFACT_MOTION)
					assert_memory_not_equal(x, z, (size_t)size * sizeof *x);
			}
	}
}

/* The same volume with the other axis fastest in memory gives the same voxels. */
static void test_layouts(void **state)
{
	static const int64_t n[3] = {12, 19, 14};
	static float x[MOST], y[MOST];
	(void)state;
	for (int kind = 0; kind < HY_N_ARTEFACTS; kind++) {
		hardy_error err;
		const hy_artefact a = drawn((hy_artefact_kind)kind, 4, n);
		if (kind == HY_ARTEFACT_NOISE)
			continue; /* drawn in the order of memory */
		fill(x, MOST, 3);
		hy_block b = stack(x, n), c = stack(y, n);
		b.slice_axis = c.slice_axis = 2;
		c.last_fastest = false;
		for (int64_t i = 0; i < n[0]; i++)
			for (int64_t j = 0; j < n[1]; j++)
				for (int64_t k = 0; k < n[2]; k++)
					y[(k * n[1] + j) * n[0] + i] = x[(i * n[1] + j) * n[2] + k];
		assert_ok(hy_artefact_apply(&a, &b, &err), &err);
		assert_ok(hy_artefact_apply(&a, &c, &err), &err);
		for (int64_t i = 0; i < n[0]; i++)
			for (int64_t j = 0; j < n[1]; j++)
				for (int64_t k = 0; k < n[2]; k++)
					assert_true(fabsf(y[(k * n[1] + j) * n[0] + i] - x[(i * n[1] + j) * n[2] + k]) < 3e-6f);
	}
}

static void test_bad_voxels(void **state)
{
	static const int64_t n[3] = {2, 20, 20};
	static float x[MOST];
	const float bad[2] = {NAN, -INFINITY};
	(void)state;
	for (int kind = 0; kind < HY_N_ARTEFACTS; kind++)
		for (int i = 0; i < 2; i++) {
			hardy_error err;
			const hy_artefact a = drawn((hy_artefact_kind)kind, 0, n);
			const hy_block b = stack(x, n);
			fill(x, MOST, 4);
			x[400 + 20 * 3 + 7] = x[799] = bad[i];
			assert_int_equal(hy_artefact_apply(&a, &b, &err), HARDY_ERROR_NUMERIC);
			assert_non_null(strstr(err.message, "2 voxels are NaN or infinite, the first at (1, 3, 7)"));
		}
}

/* A field that leaves the range of floats is an error, not a scan of infinities. */
static void test_overflow(void **state)
{
	static const int64_t n[3] = {2, 20, 20};
	static float x[MOST];
	hardy_error err;
	hy_artefact a = {.kind = HY_ARTEFACT_BIAS};
	(void)state;
	fill(x, MOST, 5);
	a.bias.coefficients[0] = 100;
	const hy_block b = stack(x, n);
	assert_int_equal(hy_artefact_apply(&a, &b, &err), HARDY_ERROR_NUMERIC);
	assert_non_null(strstr(err.message, "NaN or infinite after bias"));
}

static void test_bias_is_exp(void **state)
{
	static float x[3 * 11 * 150];
	const int64_t n[3] = {3, 11, 150};
	hardy_error err;
	hy_artefact a = {.kind = HY_ARTEFACT_BIAS};
	(void)state;
	a.bias.order = 2; /* 1, z, z^2, y, y z, y^2, x, x z, x y, x^2 */
	for (int i = 0; i < 10; i++)
		a.bias.coefficients[i] = (i % 3 - 1) * 2.5 + .3 * i;
	for (int i = 0; i < 3 * 11 * 150; i++)
		x[i] = 1;
	const hy_block b = stack(x, n);
	assert_ok(hy_artefact_apply(&a, &b, &err), &err);
	for (int64_t i = 0; i < 3; i++)
		for (int64_t j = 0; j < 11; j++)
			for (int64_t k = 0; k < 150; k++) {
				const double t0 = (double)i - 1, t1 = (double)j / 5 - 1, t2 = (double)k / 74.5 - 1;
				const double t[10] = {1, t2, t2 * t2, t1, t1 * t2, t1 * t1, t0, t0 * t2, t0 * t1, t0 * t0};
				double sum = 0;
				for (int m = 0; m < 10; m++)
					sum += a.bias.coefficients[m] * t[m];
				const double want = (double)(float)exp(sum);
				assert_true(fabs((double)x[(i * 11 + j) * 150 + k] - want) <= 1.3e-7 * want);
			}
}

static void test_draws(void **state)
{
	static const int64_t n[3] = {10, 192, 192}, flat[3] = {192, 192, 1};
	(void)state;
	double sum = 0;
	for (int copy = 0; copy < 300; copy++) {
		hy_rng g = hy_artefact_stream(1, HY_ARTEFACT_GHOSTING, "patient007_ED", 0, copy);
		const hy_artefact a = hy_artefact_draw(HY_ARTEFACT_GHOSTING, 0, copy % 2 ? flat : n, false, &g);
		assert_in_range(a.ghosting.num_ghosts, 4, 10);
		assert_in_range(a.ghosting.axis, 0, copy % 2 ? 1 : 2);
		assert_true(a.ghosting.intensity >= .5 && a.ghosting.intensity < 1 && isnan(a.ghosting.restore));
		g = hy_artefact_stream(1, HY_ARTEFACT_MOTION, "patient007_ED", 0, copy);
		const hy_artefact m = hy_artefact_draw(HY_ARTEFACT_MOTION, 0, copy % 2 ? flat : n, false, &g);
		assert_int_equal(m.motion.n, 2);
		assert_true(m.motion.times[0] >= 1 / 3. - .1 && m.motion.times[0] < 1 / 3. + .1);
		assert_true(m.motion.times[1] >= 2 / 3. - .1 && m.motion.times[1] < 2 / 3. + .1);
		for (int t = 0; t < 2; t++)
			for (int i = 0; i < 3; i++) {
				assert_true(fabs(m.motion.degrees[t][i]) <= 30 && fabs(m.motion.translation[t][i]) <= 10);
				sum += m.motion.degrees[t][2];
			}
		if (copy % 2)
			assert_true(m.motion.degrees[0][0] == 0 && m.motion.degrees[1][1] == 0 && m.motion.translation[0][2] == 0);
	}
	assert_true(fabs(sum / 1800) < 3);
}

/* Another subject, frame, copy or kind draws something else; the same one the same. */
static void test_streams(void **state)
{
	(void)state;
	hy_rng g[6] = {hy_artefact_stream(1, HY_ARTEFACT_BIAS, "a", 0, 0),   hy_artefact_stream(2, HY_ARTEFACT_BIAS, "a", 0, 0),
	               hy_artefact_stream(1, HY_ARTEFACT_MOTION, "a", 0, 0), hy_artefact_stream(1, HY_ARTEFACT_BIAS, "b", 0, 0),
	               hy_artefact_stream(1, HY_ARTEFACT_BIAS, "a", 1, 0),   hy_artefact_stream(1, HY_ARTEFACT_BIAS, "a", 0, 1)};
	hy_rng same = hy_artefact_stream(1, HY_ARTEFACT_BIAS, "a", 0, 0);
	double first[6];
	for (int i = 0; i < 6; i++) {
		first[i] = hy_rng_uniform(&g[i]);
		for (int k = 0; k < i; k++)
			assert_true(first[i] != first[k]);
	}
	assert_true(first[0] == hy_rng_uniform(&same));
}

static void test_names(void **state)
{
	(void)state;
	hardy_error err;
	hy_artefact_kind kind;
	const char *name, *about;
	for (size_t i = 0; hardy_artefact(i, &name, &about); i++) {
		assert_ok(hy_artefact_find(name, &kind, &err), &err);
		assert_int_equal(kind, i);
		assert_true(strlen(about) > 0);
	}
	assert_int_equal(hy_artefact_find("ghost", &kind, &err), HARDY_ERROR_ARGUMENT);
	assert_non_null(strstr(err.message, "'ghost' (did you mean ghosting?); known are bias, ghosting, motion, spike, noise"));
}

/* Memory that runs out at any point is reported, and nothing leaks. */
static void test_memory(void **state)
{
	static const int64_t n[3] = {4, 20, 20};
	static float x[MOST];
	(void)state;
#ifdef _OPENMP
	omp_set_num_threads(1);
#endif
	for (int kind = 0; kind < HY_N_ARTEFACTS; kind++) {
		const hy_artefact a = drawn((hy_artefact_kind)kind, 0, n);
		const hy_block b = stack(x, n);
		for (int64_t k = 1;; k++) {
			hardy_error err;
			fill(x, MOST, 6);
			hy_memory_fail_at(k);
			const hardy_status status = hy_artefact_apply(&a, &b, &err);
			hy_memory_fail_at(0);
			if (!status)
				break;
			assert_int_equal(status, HARDY_ERROR_MEMORY);
			assert_true(k < 100);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_nothing),    cmocka_unit_test(test_sizes),    cmocka_unit_test(test_layouts),
	    cmocka_unit_test(test_bad_voxels), cmocka_unit_test(test_overflow), cmocka_unit_test(test_bias_is_exp),
	    cmocka_unit_test(test_draws),      cmocka_unit_test(test_streams),  cmocka_unit_test(test_names),
	    cmocka_unit_test(test_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
