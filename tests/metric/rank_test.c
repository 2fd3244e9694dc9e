/*
 * rank_test.c: the signed-rank test against the distribution counted out, published tables and worked examples; Holm's correction by
 * hand.
 */
#include "support/test.h"

#include "base/rng.h"
#include "metric/rank_test.h"

#include <math.h>

static hy_signed_rank test_of(const double *d, size_t n)
{
	hardy_error err;
	hy_signed_rank r;
	assert_ok(hy_signed_rank_test(d, n, &r, &err), &err);
	return r;
}

/* Every choice of signs for ranks 1..n, counted: the share of those at least as far from the middle. */
static void exact_by_counting(void **state)
{
	(void)state;
	for (int n = 1; n <= 9; n++) {
		for (int signs = 0; signs < 1 << n; signs += 1 + n / 5) {
			double d[9], w = 0, n_far = 0;
			for (int i = 0; i < n; i++) {
				d[i] = (signs >> i & 1 ? 1 : -1) * (i + 1) * 0.37;
				w += signs >> i & 1 ? i + 1 : 0;
			}
			const double middle = n * (n + 1) / 4.;
			for (int other = 0; other < 1 << n; other++) {
				double v = 0;
				for (int i = 0; i < n; i++)
					v += other >> i & 1 ? i + 1 : 0;
				n_far += fabs(v - middle) >= fabs(w - middle) - 1e-9;
			}
			const hy_signed_rank r = test_of(d, (size_t)n);
			assert_true(r.exact && r.n == (size_t)n && r.w_plus == w);
			assert_true(fabs(r.p - n_far / (1 << n)) < 1e-12);
		}
	}
}

/*
 * Two-sided critical values at 0.05 (Wilcoxon and Wilcox, "Some rapid approximate statistical procedures", 1964): the largest sum of
 * ranks that is significant, so that one more is not.
 */
static void exact_by_tables(void **state)
{
	(void)state;
	static const struct {
		int n, critical;
	} table[] = {{6, 0}, {7, 2}, {8, 3}, {9, 5}, {10, 8}, {12, 13}, {15, 25}, {20, 52}, {25, 89}};
	for (size_t k = 0; k < sizeof table / sizeof *table; k++) {
		for (int more = 0; more < 2; more++) {
			double d[25];
			int left = table[k].critical + more;
			for (int i = table[k].n; i >= 1; i--) { /* positive ranks that sum up to it */
				const bool positive = i <= left;
				d[i - 1] = positive ? i : -i;
				left -= positive ? i : 0;
			}
			assert_int_equal(left, 0);
			const hy_signed_rank r = test_of(d, (size_t)table[k].n);
			assert_true(more ? r.p > .05 : r.p <= .05);
		}
	}
}

/*
 * With ties and a zero. Differences 1 1 -1 2 3 -4 0: sizes 1 1 1 2 3 4 have ranks 2 2 2 4 5 6, w_plus = 2 + 2 + 4 + 5 = 13, mean 10.5,
 * variance 6 7 13 / 24 - (27 - 3) / 48 = 22.25, z = (2.5 - 0.5) / 4.71699 = 0.424.
 */
static void approximate(void **state)
{
	(void)state;
	const double d[] = {1, 1, -1, 2, 3, -4, 0};
	const hy_signed_rank r = test_of(d, 7);
	assert_false(r.exact);
	assert_true(r.n == 6 && r.w_plus == 13);
	assert_true(fabs(r.p - erfc(2 / sqrt(22.25) / sqrt(2))) < 1e-12);
	assert_true(fabs(r.p - .6716) < 5e-5);
	/* close to the exact one where both can be had */
	double many[60];
	hy_rng g = hy_rng_make(4, HY_RNG_TEST, 0, 0);
	for (int i = 0; i < 60; i++)
		many[i] = hy_rng_normal(&g) + .3;
	const hy_signed_rank exact = test_of(many, 49), tied = test_of(many, 60);
	assert_true(exact.exact && !tied.exact && exact.p < .2 && tied.p < .2);
	const double m = 49, z = (fabs(exact.w_plus - m * (m + 1) / 4) - .5) / sqrt(m * (m + 1) * (2 * m + 1) / 24);
	assert_true(fabs(erfc(z / sqrt(2)) - exact.p) < .003);
}

static void nothing_to_test(void **state)
{
	(void)state;
	const double zeros[] = {0, 0, NAN, INFINITY}, one[] = {NAN, 3};
	hy_signed_rank r = test_of(zeros, 4);
	assert_true(r.n == 0 && isnan(r.p));
	assert_true(isnan(test_of(zeros, 0).p));
	r = test_of(one, 2);
	assert_true(r.n == 1 && r.p == 1);
}

/* 0.01 0.04 0.03 0.005: sorted times 4 3 2 1 is 0.02 0.03 0.06 0.04, and never below the one before. */
static void holm(void **state)
{
	(void)state;
	hardy_error err;
	double p[] = {0.01, NAN, 0.04, 0.03, 0.005};
	const double want[] = {0.03, NAN, 0.06, 0.06, 0.02};
	assert_ok(hy_holm(p, 5, &err), &err);
	for (int i = 0; i < 5; i++)
		assert_true(i == 1 ? isnan(p[i]) != 0 : fabs(p[i] - want[i]) < 1e-15);
	double high[] = {0.6, 0.9};
	assert_ok(hy_holm(high, 2, &err), &err);
	assert_true(high[0] == 1 && high[1] == 1);
	assert_ok(hy_holm(NULL, 0, &err), &err);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(exact_by_counting),
	    cmocka_unit_test(exact_by_tables),
	    cmocka_unit_test(approximate),
	    cmocka_unit_test(nothing_to_test),
	    cmocka_unit_test(holm),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
