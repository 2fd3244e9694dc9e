/*
 * ranking.h: how well a score tells poor from good, the area under the receiver operating characteristic; and 95 % intervals by bootstrap.
 */
#ifndef HY_METRIC_RANKING_H
#define HY_METRIC_RANKING_H

#include "base/error.h"

/*
 * The probability that a positive one scores lower than a negative one, ties counting a half (Hanley and McNeil, Radiology 143, 29,
 * 1982). *auc gets NaN when either is missing. No score may be NaN.
 */
hardy_status hy_auc(const double *score, const bool *positive, size_t n, double *auc, hardy_error *err);

/* How often each of the groups comes in the i-th draw with replacement, in all as many as there are; sample: which of several sets of groups. */
void hy_bootstrap_draw(uint64_t seed, size_t i, size_t sample, size_t n_groups, size_t *count);

/*
 * Its 95 % interval by bootstrap: groups (group[i] from 0 to n_groups - 1, e.g. subjects) are drawn with replacement, n_draws times,
 * by seed; draws without positives or negatives are left out. NaN when none is left.
 */
hardy_status hy_auc_interval(const double *score, const bool *positive, const size_t *group, size_t n, size_t n_groups,
                             size_t n_draws, uint64_t seed, double *low, double *high, hardy_error *err);

/*
 * The 95 % interval of the mean of n finite values by the same bootstrap (Efron and Tibshirani 1993, percentiles). NaN without a value.
 */
hardy_status hy_mean_interval(const double *values, const size_t *group, size_t n, size_t n_groups, size_t n_draws,
                              uint64_t seed, double *low, double *high, hardy_error *err);

#endif
