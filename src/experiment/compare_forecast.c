/*
 * compare_forecast.c: how well the Dice that models foretold agrees with the one that was found, away from the training site: other
 * sites and spoiled scans pooled, a model (method and seed) at a time.
 */
#include "base/memory.h"
#include "experiment/compare.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct scan {
	char subject[HY_NAME_SIZE + 24]; /* with its source: other sites may have subjects of the same name */
} scan;

static hardy_status take(scan *to, hy_foretold *foretold, const hy_results_score *c, size_t source, hardy_error *err)
{
	char subject[HY_NAME_SIZE], phase[16];
	if (!c->name[0] || !hy_split_phase(c->name, subject, phase))
		return hy_fail(err, HARDY_ERROR_DATA, "a result's case has no name, or one longer than %d letters", HY_NAME_SIZE - 1);
	snprintf(to->subject, sizeof to->subject, "%zu %s", source, subject);
	*foretold = (hy_foretold){to->subject, c->predicted, c->low, c->mean[1]};
	return HARDY_OK;
}

static hardy_status judge(const hy_study *s, const hy_compare_results *r, size_t run, hardy_forecast *f, hardy_error *err)
{
	const size_t most = r->results.runs[r->run[run]].n;
	size_t n = 0, n_cases;
	scan *scans = hy_alloc(most, sizeof *scans);
	hy_foretold *items = hy_alloc(most, sizeof *items);
	hardy_status status =
	    scans && items ? HARDY_OK : hy_fail_memory(err, "predicted Dice", most, sizeof *scans + sizeof *items);
	for (size_t k = 0; k < s->n_sets; k++) {
		const hy_results_score *c = hy_compare_cases(r, run, k, &n_cases);
		for (size_t i = 0; i < n_cases && !status && s->sets[k].kind != HY_SET_INTRA; i++, n++)
			status = take(&scans[n], &items[n], &c[i], s->sets[k].source, err);
	}
	if (!status)
		status = hy_forecast_judge(f, items, n, err);
	hy_free(scans);
	hy_free(items);
	return status;
}

hardy_status hy_compare_judge(hy_compare *c, const hy_compare_results *r, hardy_error *err)
{
	const size_t n_methods = c->s->n_methods, n_seeds = (size_t)c->s->o->seeds;
	hardy_status status = HARDY_OK;
	c->forecasts = hy_calloc(n_methods * n_seeds, sizeof *c->forecasts);
	if (!c->forecasts)
		return hy_fail_memory(err, "predicted Dice", n_methods * n_seeds, sizeof *c->forecasts);
	for (size_t m = 0; m < n_methods; m++)
		for (size_t seed = 0; seed < n_seeds && !status; seed++)
			if (r->run[seed * n_methods + m] < r->results.n_runs)
				status = judge(c->s, r, seed * n_methods + m, &c->forecasts[m * n_seeds + seed], err);
	return status;
}

bool hy_compare_foretells(const hy_compare *c)
{
	for (size_t i = 0; i < c->s->n_methods * (size_t)c->s->o->seeds; i++)
		if (c->forecasts[i].n)
			return true;
	return false;
}
