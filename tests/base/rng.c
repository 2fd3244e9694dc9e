/*
 * rng.c: the random streams against the published Philox vectors' properties and their promised independence.
 */
#include "base/rng.h"

#include "support/test.h"

#include <math.h>

static void streams_differ_and_repeat(void **state)
{
	(void)state;
	hy_rng a = hy_rng_make(1, HY_RNG_TEST, 2, 3), b = a, c = hy_rng_make(1, HY_RNG_TEST, 3, 2),
	       d = hy_rng_make(1, HY_RNG_INIT, 2, 3);
	int same_c = 0, same_d = 0;
	for (int i = 0; i < 1000; i++) {
		const uint32_t x = hy_rng_u32(&a);
		assert_int_equal(x, hy_rng_u32(&b));
		same_c += x == hy_rng_u32(&c);
		same_d += x == hy_rng_u32(&d);
	}
	assert_int_equal(same_c, 0);
	assert_int_equal(same_d, 0);
}

static void moments(void **state)
{
	(void)state;
	hy_rng g = hy_rng_make(7, HY_RNG_TEST, 0, 0);
	double sum = 0, square = 0, uniform = 0;
	const int n = 200000;
	for (int i = 0; i < n; i++) {
		const double x = hy_rng_normal(&g);
		sum += x;
		square += x * x;
		uniform += hy_rng_uniform(&g);
	}
	assert_true(fabs(sum / n) < 0.01);
	assert_true(fabs(square / n - 1) < 0.02);
	assert_true(fabs(uniform / n - 0.5) < 0.005);
}

static void many_normals(void **state)
{
	(void)state;
	enum { N = 200001 };
	static float x[N + 1];
	hy_rng g = hy_rng_make(5, HY_RNG_TEST, 1, 2), h = hy_rng_make(5, HY_RNG_TEST, 1, 2);
	x[N] = 42;
	hy_rng_normals(&g, x, N);
	assert_true(x[N] == 42);
	double sum = 0, square = 0, fourth = 0, pairs = 0;
	size_t beyond = 0;
	for (size_t i = 0; i < N; i++) {
		const double v = (double)x[i];
		sum += v;
		square += v * v;
		fourth += v * v * v * v;
		pairs += i % 2 ? v * (double)x[i - 1] : 0;
		beyond += fabs(v) > 1.959964;
	}
	assert_true(fabs(sum / N) < 0.01);
	assert_true(fabs(square / N - 1) < 0.015);
	assert_true(fabs(fourth / N - 3) < 0.15);
	assert_true(fabs(pairs / (N / 2.0)) < 0.015);
	assert_true(fabs((double)beyond / N - 0.05) < 0.003);
	float again[7];
	hy_rng_normals(&h, again, 7);
	assert_memory_equal(again, x, 6 * sizeof *x);
}

static void below_and_permutation(void **state)
{
	(void)state;
	hy_rng g = hy_rng_make(7, HY_RNG_TEST, 1, 0);
	int count[3] = {0};
	for (int i = 0; i < 30000; i++)
		count[hy_rng_below(&g, 3)]++;
	for (int i = 0; i < 3; i++)
		assert_true(count[i] > 9500 && count[i] < 10500);
	size_t p[100];
	int seen[100] = {0};
	hy_rng_permutation(&g, 100, p);
	for (int i = 0; i < 100; i++)
		seen[p[i]]++;
	for (int i = 0; i < 100; i++)
		assert_int_equal(seen[i], 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(streams_differ_and_repeat), cmocka_unit_test(moments),
	                                   cmocka_unit_test(many_normals), cmocka_unit_test(below_and_permutation)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
