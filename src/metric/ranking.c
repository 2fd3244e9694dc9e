/*
 * ranking.c: the area under the curve from one sort; each bootstrap draw only changes how often a score counts.
 */
#include "metric/ranking.h"

#include "base/memory.h"
#include "base/rng.h"
#include "metric/statistics.h"

#include <math.h>
#include <stdlib.h>

typedef struct item {
	double score;
	size_t group;
	bool positive;
} item;

static int by_score(const void *a, const void *b)
{
	const double x = ((const item *)a)->score, y = ((const item *)b)->score;
	return (x > y) - (x < y);
}

/* group NULL: each its own. */
static item *sorted(const double *score, const bool *positive, const size_t *group, size_t n)
{
	item *items = hy_alloc(n, sizeof *items);
	for (size_t i = 0; items && i < n; i++)
		items[i] = (item){score[i], group ? group[i] : i, positive[i]};
	if (items && n)
		qsort(items, n, sizeof *items, by_score);
	return items;
}

/* count: how often each group counts, NULL: once. Positives before a negative are right, those beside it half. */
static double area(const item *items, size_t n, const size_t *count)
{
	double before = 0, right = 0, negatives = 0;
	for (size_t i = 0; i < n;) {
		double positive = 0, negative = 0;
		size_t k = i;
		for (; k < n && items[k].score == items[i].score; k++) {
			const double weight = count ? (double)count[items[k].group] : 1;
			*(items[k].positive ? &positive : &negative) += weight;
		}
		right += negative * (before + positive / 2);
		before += positive;
		negatives += negative;
		i = k;
	}
	return before > 0 && negatives > 0 ? right / (before * negatives) : NAN;
}

hardy_status hy_auc(const double *score, const bool *positive, size_t n, double *auc, hardy_error *err)
{
	item *items = sorted(score, positive, NULL, n);
	if (!items)
		return hy_fail_memory(err, "scores", n, sizeof *items);
	*auc = area(items, n, NULL);
	hy_free(items);
	return HARDY_OK;
}

void hy_bootstrap_draw(uint64_t seed, size_t i, size_t sample, size_t n_groups, size_t *count)
{
	hy_rng g = hy_rng_make(seed, HY_RNG_BOOTSTRAP, i, sample);
	for (size_t k = 0; k < n_groups; k++)
		count[k] = 0;
	for (size_t k = 0; k < n_groups; k++)
		count[hy_rng_below(&g, n_groups)]++;
}

hardy_status hy_auc_interval(const double *score, const bool *positive, const size_t *group, size_t n, size_t n_groups,
                             size_t n_draws, uint64_t seed, double *low, double *high, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	item *items = sorted(score, positive, group, n);
	size_t *count = hy_alloc(n_groups, sizeof *count), n_drawn = 0;
	double *drawn = hy_alloc(n_draws, sizeof *drawn);
	if (!items || !count || !drawn) {
		status = hy_fail_memory(err, "a bootstrap", n + n_draws, sizeof *items);
		goto out;
	}
	for (size_t i = 0; i < n_draws; i++) {
		hy_bootstrap_draw(seed, i, 0, n_groups, count);
		const double a = area(items, n, count);
		if (!isnan(a))
			drawn[n_drawn++] = a;
	}
	*low = hy_quantile(drawn, n_drawn, 0.025);
	*high = hy_quantile(drawn, n_drawn, 0.975);
out:
	hy_free(items);
	hy_free(count);
	hy_free(drawn);
	return status;
}

hardy_status hy_mean_interval(const double *values, const size_t *group, size_t n, size_t n_groups, size_t n_draws,
                              uint64_t seed, double *low, double *high, hardy_error *err)
{
	size_t *count = hy_alloc(n_groups, sizeof *count), n_drawn = 0;
	double *drawn = hy_alloc(n_draws, sizeof *drawn);
	const hardy_status status =
	    count && drawn ? HARDY_OK : hy_fail_memory(err, "a bootstrap", n_groups + n_draws, sizeof *drawn);
	for (size_t i = 0; i < n_draws && !status; i++) {
		double sum = 0, weight = 0;
		hy_bootstrap_draw(seed, i, 0, n_groups, count);
		for (size_t k = 0; k < n; k++) {
			sum += (double)count[group[k]] * values[k];
			weight += (double)count[group[k]];
		}
		if (weight > 0)
			drawn[n_drawn++] = sum / weight;
	}
	if (!status) {
		*low = hy_quantile(drawn, n_drawn, 0.025);
		*high = hy_quantile(drawn, n_drawn, 0.975);
	}
	hy_free(count);
	hy_free(drawn);
	return status;
}
