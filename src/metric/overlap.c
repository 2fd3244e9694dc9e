/*
 * overlap.c: overlap of two objects (see overlap.h).
 */
#include "metric/overlap.h"

#include "metric/statistics.h"

#include <math.h>
#include <string.h>

hy_overlap hy_overlap_count(const uint8_t *pred, const uint8_t *ref, size_t n, uint8_t value)
{
	hy_overlap o = {0, 0, 0};
	/* Sums of at most 255 ones fit a byte, so that the compiler adds whole vectors of bytes. */
	for (size_t start = 0; start < n; start += 4080) {
		size_t end = start + 4080 < n ? start + 4080 : n;
		uint32_t p_sum = 0, r_sum = 0, both_sum = 0;
		size_t i = start;
		uint8_t p_lane[16] = {0}, r_lane[16] = {0}, both_lane[16] = {0};
		for (; i + 16 <= end; i += 16) {
			for (int k = 0; k < 16; k++) {
				uint8_t p = (uint8_t)(pred[i + k] == value), r = (uint8_t)(ref[i + k] == value);
				p_lane[k] = (uint8_t)(p_lane[k] + p);
				r_lane[k] = (uint8_t)(r_lane[k] + r);
				both_lane[k] = (uint8_t)(both_lane[k] + (p & r));
			}
		}
		for (int k = 0; k < 16; k++) {
			p_sum += p_lane[k];
			r_sum += r_lane[k];
			both_sum += both_lane[k];
		}
		for (; i < end; i++) {
			p_sum += pred[i] == value;
			r_sum += ref[i] == value;
			both_sum += pred[i] == value && ref[i] == value;
		}
		o.n_pred += p_sum;
		o.n_ref += r_sum;
		o.n_both += both_sum;
	}
	return o;
}

static double ratio(double a, double b)
{
	return b == 0 ? NAN : a / b;
}

double hy_overlap_dice(const hy_overlap *o)
{
	return ratio(2.0 * (double)o->n_both, (double)(o->n_pred + o->n_ref));
}

double hy_overlap_mean_dice(const uint8_t *pred, const uint8_t *ref, size_t n, int n_classes, const bool *counted, double *dice)
{
	double values[256];
	values[0] = NAN;
	for (int c = 1; c < n_classes; c++) {
		values[c] = NAN;
		if (counted && !counted[c])
			continue;
		const hy_overlap o = hy_overlap_count(pred, ref, n, (uint8_t)c);
		values[c] = hy_overlap_dice(&o);
	}
	if (dice)
		memcpy(dice, values, (size_t)n_classes * sizeof *dice);
	return hy_mean_defined(values, (size_t)n_classes);
}

double hy_overlap_jaccard(const hy_overlap *o)
{
	return ratio((double)o->n_both, (double)(o->n_pred + o->n_ref - o->n_both));
}

double hy_overlap_precision(const hy_overlap *o)
{
	return ratio((double)o->n_both, (double)o->n_pred);
}

double hy_overlap_recall(const hy_overlap *o)
{
	return ratio((double)o->n_both, (double)o->n_ref);
}
