/*
 * statistics.c: summaries that leave out undefined values, quantiles against a sort.
 */
#include "support/test.h"

#include "base/rng.h"
#include "metric/statistics.h"

#include <math.h>
#include <string.h>

static int ascending(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static void quantiles_agree_with_a_sort(void **state)
{
	(void)state;
	static const double q[] = {0, .02, .05, .25, .5, .75, .95, .98, 1};
	double v[300], sorted[300];
	hy_rng g = hy_rng_make(2, HY_RNG_TEST, 0, 0);
	for (size_t n = 1; n <= 300; n = n < 12 ? n + 1 : n * 2 - 3) {
		for (int kind = 0; kind < 4; kind++) {
			for (size_t i = 0; i < n; i++) {
				double random = hy_rng_uniform(&g);
				v[i] = kind == 0 ? random : kind == 1 ? floor(4 * random) : kind == 2 ? (double)i : (double)(n - i);
			}
			memcpy(sorted, v, n * sizeof(*v));
			qsort(sorted, n, sizeof(*v), ascending);
			for (size_t k = 0; k < sizeof(q) / sizeof(q[0]); k++) {
				double position = q[k] * (double)(n - 1), low = floor(position);
				double a = sorted[(size_t)low], b = sorted[(size_t)ceil(position)];
				double want = a + (b - a) * (position - low);
				if (fabs(hy_quantile(v, n, q[k]) - want) > 1e-12)
					fail_msg("quantile %g of %zu values of kind %d", q[k], n, kind);
			}
		}
	}
	assert_true(isnan(hy_quantile(v, 0, .5)));
}

static void undefined_values_are_counted_not_averaged(void **state)
{
	(void)state;
	const double v[] = {1, NAN, 2, 6, INFINITY};
	hy_summary s = hy_summarise(v, 5);
	assert_int_equal(s.n, 3);
	assert_int_equal(s.n_undefined, 2);
	assert_true(s.mean == 3 && s.min == 1 && s.max == 6 && fabs(s.sd - sqrt(7)) < 1e-15);
	s = hy_summarise(v, 1);
	assert_true(s.mean == 1 && isnan(s.sd));
	s = hy_summarise(v + 1, 1);
	assert_true(s.n == 0 && s.n_undefined == 1 && isnan(s.mean));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(quantiles_agree_with_a_sort),
	                                   cmocka_unit_test(undefined_values_are_counted_not_averaged)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
