/*
 * signals.c: sums over the pixels of each slice, then over slices in their order.
 */
#include "predict/signals.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

typedef struct sums {
	int64_t n_a, n_b, n_both;                /* pixels of A, B and both */
	double a, b, a_in_a, b_in_b, aa, bb, ab; /* over the slice */
} sums;

static int most_probable(const float *q, int n_classes, int64_t plane)
{
	int best = 0;
	for (int c = 1; c < n_classes; c++)
		if (q[c * plane] > q[best * plane])
			best = c;
	return best;
}

static void add_slice(const float *ftn, const float *stn, int n_classes, int64_t plane, sums *out)
{
	for (int64_t k = 0; k < plane; k++) {
		const int in_a = most_probable(ftn + k, n_classes, plane), in_b = most_probable(stn + k, n_classes, plane);
		out[in_a].n_a++;
		out[in_b].n_b++;
		out[in_a].n_both += in_a == in_b;
		out[in_a].a_in_a += (double)ftn[in_a * plane + k];
		out[in_b].b_in_b += (double)stn[in_b * plane + k];
	}
	for (int c = 1; c < n_classes; c++) {
		const float *a = ftn + c * plane, *b = stn + c * plane;
		for (int64_t k = 0; k < plane; k++) {
			const double p = (double)a[k], q = (double)b[k];
			out[c].a += p;
			out[c].b += q;
			out[c].aa += p * p;
			out[c].bb += q * q;
			out[c].ab += p * q;
		}
	}
}

static double ratio(double top, double bottom)
{
	return bottom > 0 ? 2 * top / bottom : 0;
}

hardy_status hy_signals_measure(hy_signals *s, const float *ftn, const float *stn, int64_t n, int n_classes, int64_t plane,
                                hardy_error *err)
{
	sums *parts = hy_calloc((size_t)(n * n_classes), sizeof *parts);
	if (!parts)
		return hy_fail_memory(err, "quality signals", (size_t)(n * n_classes), sizeof *parts);
#pragma omp parallel for
	for (int64_t i = 0; i < n; i++)
		add_slice(ftn + i * n_classes * plane, stn + i * n_classes * plane, n_classes, plane, parts + i * n_classes);
	*s = (hy_signals){.n_classes = n_classes};
	for (int c = 1; c < n_classes; c++) {
		sums t = {0};
		for (int64_t i = 0; i < n; i++) {
			const sums *p = &parts[i * n_classes + c];
			t.n_a += p->n_a;
			t.n_b += p->n_b;
			t.n_both += p->n_both;
			t.a += p->a;
			t.b += p->b;
			t.a_in_a += p->a_in_a;
			t.b_in_b += p->b_in_b;
			t.aa += p->aa;
			t.bb += p->bb;
			t.ab += p->ab;
		}
		s->absent[c] = t.n_a + t.n_b == 0;
		if (s->absent[c])
			continue;
		s->measure[HY_CONFIDENCE_FTN][c] = ratio(t.a_in_a, (double)t.n_a + t.a);
		s->measure[HY_CONFIDENCE_STN][c] = ratio(t.b_in_b, (double)t.n_b + t.b);
		s->measure[HY_AGREEMENT_LABELS][c] = ratio((double)t.n_both, (double)(t.n_a + t.n_b));
		s->measure[HY_AGREEMENT_PROBABILITIES][c] = ratio(t.ab, t.aa + t.bb);
	}
	hy_free(parts);
	return HARDY_OK;
}

/* Bounded, so that a perfect or an empty map is no outlier. */
static double log_odds(double p)
{
	p = fmin(fmax(p, 0.01), 0.99);
	return log(p / (1 - p));
}

void hy_signals_vector(const hy_signals *s, const double presence[HY_MAX_CLASSES], double out[HY_N_SIGNALS])
{
	for (int m = 0; m < HY_N_MEASURES; m++) {
		double sum = 0, weights = 0, least = 1;
		for (int c = 1; c < s->n_classes; c++) {
			const double weight = s->absent[c] ? presence[c] : 1, v = s->measure[m][c];
			sum += weight * v;
			weights += weight;
			if (weight >= 0.5 && v < least)
				least = v;
		}
		out[3 * m] = weights > 0 ? sum / weights : 0;
		out[3 * m + 1] = weights > 0 ? least : 0;
		out[3 * m + 2] = log_odds(out[3 * m + 1]);
	}
}
