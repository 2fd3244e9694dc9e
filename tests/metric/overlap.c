/*
 * overlap.c: voxel counts and ratios, and what is undefined.
 */
#include "support/test.h"

#include "base/rng.h"
#include "metric/overlap.h"

#include <math.h>

static void counts_agree_with_a_plain_loop(void **state)
{
	(void)state;
	enum { N = 9001 };
	static uint8_t pred[N], ref[N];
	hy_rng g = hy_rng_make(1, HY_RNG_TEST, 0, 0);
	for (int i = 0; i < N; i++) {
		pred[i] = (uint8_t)hy_rng_below(&g, 4);
		ref[i] = (uint8_t)hy_rng_below(&g, 3);
	}
	for (size_t n = 0; n <= N; n = n < 40 ? n + 1 : n + 997) {
		int64_t n_pred = 0, n_ref = 0, n_both = 0;
		for (size_t i = 0; i < n; i++) {
			n_pred += pred[i] == 2;
			n_ref += ref[i] == 2;
			n_both += pred[i] == 2 && ref[i] == 2;
		}
		hy_overlap o = hy_overlap_count(pred, ref, n, 2);
		assert_int_equal(o.n_pred, n_pred);
		assert_int_equal(o.n_ref, n_ref);
		assert_int_equal(o.n_both, n_both);
	}
}

/* A whole block of ones must not overflow the byte lanes. */
static void full_objects(void **state)
{
	(void)state;
	static uint8_t ones[10000];
	for (size_t i = 0; i < sizeof(ones); i++)
		ones[i] = 1;
	hy_overlap o = hy_overlap_count(ones, ones, sizeof(ones), 1);
	assert_int_equal(o.n_pred, sizeof(ones));
	assert_int_equal(o.n_both, sizeof(ones));
	assert_true(hy_overlap_dice(&o) == 1 && hy_overlap_jaccard(&o) == 1);
}

static void ratios(void **state)
{
	(void)state;
	hy_overlap o = {6, 4, 3};
	assert_true(fabs(hy_overlap_dice(&o) - .6) < 1e-15);
	assert_true(fabs(hy_overlap_jaccard(&o) - 3.0 / 7) < 1e-15);
	assert_true(fabs(hy_overlap_precision(&o) - .5) < 1e-15);
	assert_true(fabs(hy_overlap_recall(&o) - .75) < 1e-15);
}

static void empty_objects(void **state)
{
	(void)state;
	hy_overlap none = {0, 0, 0}, no_pred = {0, 5, 0}, no_ref = {5, 0, 0};
	assert_true(isnan(hy_overlap_dice(&none)) && isnan(hy_overlap_jaccard(&none)));
	assert_true(hy_overlap_dice(&no_pred) == 0 && hy_overlap_dice(&no_ref) == 0);
	assert_true(isnan(hy_overlap_precision(&no_pred)) && hy_overlap_recall(&no_pred) == 0);
	assert_true(hy_overlap_precision(&no_ref) == 0 && isnan(hy_overlap_recall(&no_ref)));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(counts_agree_with_a_plain_loop), cmocka_unit_test(full_objects),
	                                   cmocka_unit_test(ratios), cmocka_unit_test(empty_objects)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
