/*
 * ranking.c: the area under the curve against a count of all pairs, and its interval.
 */
#include "metric/ranking.h"

#include "base/memory.h"
#include "base/rng.h"
#include "metric/statistics.h"
#include "support/test.h"

#include <math.h>

enum { N = 60, N_GROUPS = 12 };

static double score[N];
static bool positive[N];
static size_t group[N];

/* Positives tend to score low; scores are coarse, so that many are equal. */
static void draw(uint64_t seed)
{
	hy_rng g = hy_rng_make(seed, HY_RNG_TEST, 0, 0);
	for (size_t i = 0; i < N; i++) {
		positive[i] = hy_rng_uniform(&g) < 0.4;
		score[i] = floor(hy_rng_between(&g, 0, 8) + (positive[i] ? 0 : 3));
		group[i] = i % N_GROUPS;
	}
}

static double by_pairs(void)
{
	double right = 0, n = 0;
	for (int i = 0; i < N; i++)
		for (int k = 0; k < N; k++) {
			if (!positive[i] || positive[k])
				continue;
			right += score[i] < score[k] ? 1 : score[i] == score[k] ? 0.5 : 0;
			n++;
		}
	return right / n;
}

static void area_counts_pairs(void **state)
{
	(void)state;
	hardy_error err;
	for (uint64_t seed = 1; seed < 6; seed++) {
		double auc = NAN;
		draw(seed);
		assert_ok(hy_auc(score, positive, N, &auc, &err), &err);
		assert_true(fabs(auc - by_pairs()) < 1e-12);
	}
}

static void one_kind_alone_has_no_area(void **state)
{
	(void)state;
	hardy_error err;
	const double s[3] = {1, 2, 3};
	const bool none[3] = {false, false, false};
	const size_t own[3] = {0, 1, 2};
	double auc = 0, low = 0, high = 0;
	assert_ok(hy_auc(s, none, 3, &auc, &err), &err);
	assert_true(isnan(auc));
	assert_ok(hy_auc_interval(s, none, own, 3, 3, 50, 1, &low, &high, &err), &err);
	assert_true(isnan(low) && isnan(high));
	assert_ok(hy_auc(s, none, 0, &auc, &err), &err);
	assert_true(isnan(auc));
}

static void interval_is_about_the_area(void **state)
{
	(void)state;
	hardy_error err;
	double auc, low, high, low_again, high_again, narrow_low, narrow_high;
	draw(3);
	assert_ok(hy_auc(score, positive, N, &auc, &err), &err);
	assert_ok(hy_auc_interval(score, positive, group, N, N_GROUPS, 500, 7, &low, &high, &err), &err);
	assert_true(low < auc && auc < high && low > 0.5 && high <= 1);
	assert_ok(hy_auc_interval(score, positive, group, N, N_GROUPS, 500, 7, &low_again, &high_again, &err), &err);
	assert_true(low == low_again && high == high_again);
	/* one group alone is the same in every draw */
	for (size_t i = 0; i < N; i++)
		group[i] = 0;
	assert_ok(hy_auc_interval(score, positive, group, N, 1, 20, 7, &narrow_low, &narrow_high, &err), &err);
	assert_true(fabs(narrow_low - auc) < 1e-12 && fabs(narrow_high - auc) < 1e-12);
}

/* Of independent values it is the normal one, mean +- 1.96 sd / sqrt(n), within what 4000 draws leave open; twins do not make it narrower. */
static void interval_of_a_mean(void **state)
{
	(void)state;
	enum { N_VALUES = 400 };
	hardy_error err;
	double values[2 * N_VALUES], low, high, twin_low, twin_high;
	size_t own[2 * N_VALUES];
	hy_rng g = hy_rng_make(5, HY_RNG_TEST, 0, 0);
	for (size_t i = 0; i < N_VALUES; i++) {
		values[i] = values[N_VALUES + i] = hy_rng_uniform(&g);
		own[i] = own[N_VALUES + i] = i;
	}
	const hy_summary s = hy_summarise(values, N_VALUES);
	const double half = 1.96 * s.sd / sqrt(N_VALUES);
	assert_ok(hy_mean_interval(values, own, N_VALUES, N_VALUES, 4000, 1, &low, &high, &err), &err);
	assert_true(fabs(low - (s.mean - half)) < 0.1 * half && fabs(high - (s.mean + half)) < 0.1 * half);
	assert_ok(hy_mean_interval(values, own, 2 * N_VALUES, N_VALUES, 4000, 1, &twin_low, &twin_high, &err), &err);
	assert_true(fabs(twin_low - low) < 1e-12 && fabs(twin_high - high) < 1e-12);
	assert_ok(hy_mean_interval(values, own, 0, 0, 10, 1, &low, &high, &err), &err);
	assert_true(isnan(low) && isnan(high));
	for (int k = 1; k <= 2; k++) {
		low = high = -1;
		hy_memory_fail_at(k);
		assert_int_equal(hy_mean_interval(values, own, N_VALUES, N_VALUES, 10, 1, &low, &high, &err), HARDY_ERROR_MEMORY);
		hy_memory_fail_at(0);
		assert_true(low == -1 && high == -1);
	}
}

static void memory_runs_out(void **state)
{
	(void)state;
	draw(1);
	for (int k = 1; k <= 3; k++) {
		hardy_error err = {0};
		double low = -1, high = -1;
		hy_memory_fail_at(k);
		assert_int_equal(hy_auc_interval(score, positive, group, N, N_GROUPS, 10, 1, &low, &high, &err), HARDY_ERROR_MEMORY);
		hy_memory_fail_at(0);
		assert_true(low == -1 && high == -1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(area_counts_pairs),
	    cmocka_unit_test(one_kind_alone_has_no_area),
	    cmocka_unit_test(interval_is_about_the_area),
	    cmocka_unit_test(interval_of_a_mean),
	    cmocka_unit_test(memory_runs_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
