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

static hardy_status take(scan *to, hy_foretold *foretold, const cJSON *item, size_t source, hardy_error *err)
{
	char subject[HY_NAME_SIZE], phase[16];
	const cJSON *name = cJSON_GetObjectItemCaseSensitive(item, "case");
	if (!cJSON_IsString(name) || !hy_split_phase(name->valuestring, subject, phase))
		return hy_fail(err, HARDY_ERROR_DATA, "a result's case has no name, or one longer than %d letters", HY_NAME_SIZE - 1);
	snprintf(to->subject, sizeof to->subject, "%zu %s", source, subject);
	*foretold = (hy_foretold){to->subject, hy_json_number(item, "predicted", NAN), hy_json_number(item, "predicted_low", NAN),
	                          hy_compare_mean(item, "stn")};
	return HARDY_OK;
}

static hardy_status judge(const hy_study *s, const cJSON *line, hardy_forecast *f, hardy_error *err)
{
	size_t most = 0, n = 0;
	for (size_t k = 0; k < s->n_sets; k++)
		most += (size_t)cJSON_GetArraySize(hy_compare_cases(line, s->sets[k].name));
	scan *scans = hy_alloc(most, sizeof *scans);
	hy_foretold *items = hy_alloc(most, sizeof *items);
	hardy_status status =
	    scans && items ? HARDY_OK : hy_fail_memory(err, "predicted Dice", most, sizeof *scans + sizeof *items);
	for (size_t k = 0; k < s->n_sets && !status; k++) {
		const cJSON *item;
		if (s->sets[k].kind == HY_SET_INTRA)
			continue;
		cJSON_ArrayForEach(item, hy_compare_cases(line, s->sets[k].name))
		{
			if (!status)
				status = take(&scans[n], &items[n], item, s->sets[k].source, err);
			n++;
		}
	}
	if (!status)
		status = hy_forecast_judge(f, items, n, err);
	hy_free(scans);
	hy_free(items);
	return status;
}

hardy_status hy_compare_judge(hy_compare *c, cJSON *const *lines, hardy_error *err)
{
	const size_t n_methods = c->s->n_methods, n_seeds = (size_t)c->s->o->seeds;
	hardy_status status = HARDY_OK;
	c->forecasts = hy_calloc(n_methods * n_seeds, sizeof *c->forecasts);
	if (!c->forecasts)
		return hy_fail_memory(err, "predicted Dice", n_methods * n_seeds, sizeof *c->forecasts);
	for (size_t m = 0; m < n_methods; m++)
		for (size_t seed = 0; seed < n_seeds && !status; seed++)
			if (lines[seed * n_methods + m])
				status = judge(c->s, lines[seed * n_methods + m], &c->forecasts[m * n_seeds + seed], err);
	return status;
}

bool hy_compare_foretells(const hy_compare *c)
{
	for (size_t i = 0; i < c->s->n_methods * (size_t)c->s->o->seeds; i++)
		if (c->forecasts[i].n)
			return true;
	return false;
}
