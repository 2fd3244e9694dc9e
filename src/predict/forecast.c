/*
 * forecast.c: error, area under the curve, and its bootstrap over subjects.
 */
#include "predict/forecast.h"

#include "base/memory.h"
#include "base/text.h"
#include "metric/ranking.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N_DRAWS = 2000 };
static const uint64_t SEED = 1;

static int by_subject(const void *a, const void *b)
{
	return strcmp(((const hy_foretold *)a)->subject, ((const hy_foretold *)b)->subject);
}

static hardy_status areas(hardy_forecast *f, const double *score, const bool *poor, const size_t *group, hardy_error *err)
{
	const hardy_status status = hy_auc(score, poor, f->n, &f->auc, err);
	return status ? status
	              : hy_auc_interval(score, poor, group, f->n, f->n_subjects, N_DRAWS, SEED, &f->auc_low, &f->auc_high, err);
}

hardy_status hy_forecast_judge(hardy_forecast *f, const hy_foretold *items, size_t n, hardy_error *err)
{
	hardy_forecast made = {.auc = NAN, .auc_low = NAN, .auc_high = NAN, .error = NAN, .below_low = NAN};
	hy_foretold *used = hy_alloc(n, sizeof *used);
	double *score = hy_alloc(n, sizeof *score), error = 0, below = 0;
	bool *poor = hy_alloc(n, sizeof *poor);
	size_t *group = hy_alloc(n, sizeof *group);
	hardy_status status = HARDY_OK;
	if (!used || !score || !poor || !group) {
		status = hy_fail_memory(err, "predicted Dice", n, sizeof *used);
		goto out;
	}
	for (size_t i = 0; i < n; i++)
		if (!isnan(items[i].predicted) && !isnan(items[i].dice))
			used[made.n++] = items[i];
	if (made.n)
		qsort(used, made.n, sizeof *used, by_subject);
	for (size_t i = 0; i < made.n; i++) {
		made.n_subjects += i == 0 || strcmp(used[i].subject, used[i - 1].subject) != 0;
		group[i] = made.n_subjects - 1;
		score[i] = used[i].predicted;
		poor[i] = used[i].dice < HY_DICE_POOR;
		made.n_below += poor[i];
		error += fabs(used[i].predicted - used[i].dice);
		below += used[i].dice < used[i].low;
	}
	if (made.n) {
		made.error = error / (double)made.n;
		made.below_low = below / (double)made.n;
		status = areas(&made, score, poor, group, err);
	}
	if (!status)
		*f = made;
out:
	hy_free(used);
	hy_free(score);
	hy_free(poor);
	hy_free(group);
	return status;
}

void hy_forecast_print(const hardy_forecast *f, char *text, size_t size)
{
	char area[96] = "no area under the curve";
	if (size)
		text[0] = 0;
	if (!f->n)
		return;
	if (!isnan(f->auc))
		snprintf(area, sizeof area, "area under the curve %.3f (%.3f to %.3f)", f->auc, f->auc_low, f->auc_high);
	snprintf(text, size, "predicted Dice of %s, %zu of them below %g: %s, mean absolute error %.3f, %.1f %% below the bound",
	         HY_COUNT(f->n, "scan"), f->n_below, HY_DICE_POOR, area, f->error, 100 * f->below_low);
}
