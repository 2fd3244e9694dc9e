/*
 * rank_test.h: the signed-rank test for paired scores, and correction for many tests.
 */
#ifndef HY_METRIC_RANK_TEST_H
#define HY_METRIC_RANK_TEST_H

#include "base/error.h"

#include <stddef.h>

typedef struct hy_signed_rank {
	size_t n;      /* differences that are finite and not 0 */
	double w_plus; /* sum of the ranks of the positive ones */
	double p;      /* two-sided; NaN when n is 0 */
	bool exact;
} hy_signed_rank;

/*
 * Wilcoxon's signed-rank test of n paired differences (Wilcoxon, Biometrics Bulletin 1, 1945): whether they are symmetric about 0. Zeros and
 * values that are not finite are left out. Exact (from the distribution of w_plus under all signs) when fewer than 50 are left, no two
 * of equal size, and no zero was left out; else by the normal approximation, its variance corrected for ties, its numerator for
 * continuity. (So does R's wilcox.test.)
 */
hardy_status hy_signed_rank_test(const double *differences, size_t n, hy_signed_rank *out, hardy_error *err);

/* Holm's step-down correction (Scandinavian Journal of Statistics 6, 1979), in place. NaN is no test: it stays, and is not counted. */
hardy_status hy_holm(double *p, size_t n, hardy_error *err);

#endif
