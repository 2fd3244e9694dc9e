/*
 * rank_test.c: Wilcoxon's signed-rank test and Holm's correction (see rank_test.h).
 */
#include "metric/rank_test.h"

#include "base/memory.h"

#include <math.h>
#include <stdlib.h>

enum { EXACT_BELOW = 50 };

static int by_size(const void *a, const void *b)
{
	const double x = fabs(*(const double *)a), y = fabs(*(const double *)b);
	return (x > y) - (x < y);
}

/* P(W+ <= w) for n ranks under all 2^n signs: ways[s] counts the subsets of 1..n whose sum is s. */
static double exact_below(size_t n, double w)
{
	double ways[EXACT_BELOW * (EXACT_BELOW - 1) / 2 + 1] = {1}, sum = 0;
	size_t top = 0;
	for (size_t rank = 1; rank <= n; rank++) {
		top += rank;
		for (size_t s = top; s >= rank; s--)
			ways[s] += ways[s - rank];
	}
	for (size_t s = 0; s <= top && (double)s <= w; s++)
		sum += ways[s];
	return sum / ldexp(1, (int)n);
}

hardy_status hy_signed_rank_test(const double *differences, size_t n, hy_signed_rank *out, hardy_error *err)
{
	hy_signed_rank r = {.p = NAN};
	double *d = hy_alloc(n, sizeof *d), ties = 0;
	bool plain = true;
	if (!d)
		return hy_fail_memory(err, "differences", n, sizeof *d);
	for (size_t i = 0; i < n; i++) {
		if (isfinite(differences[i]) && differences[i] != 0)
			d[r.n++] = differences[i];
		plain = plain && differences[i] != 0;
	}
	qsort(d, r.n, sizeof *d, by_size);
	for (size_t i = 0, end; i < r.n; i = end) {
		for (end = i + 1; end < r.n && fabs(d[end]) == fabs(d[i]);)
			end++;
		const double same = (double)(end - i), rank = ((double)i + 1 + (double)end) / 2;
		for (size_t k = i; k < end; k++)
			r.w_plus += d[k] > 0 ? rank : 0;
		ties += same * (same * same - 1);
		plain = plain && end == i + 1;
	}
	hy_free(d);
	const double m = (double)r.n, most = m * (m + 1) / 2;
	r.exact = plain && r.n < EXACT_BELOW;
	if (r.n && r.exact) {
		r.p = 2 * exact_below(r.n, r.w_plus < most / 2 ? r.w_plus : most - r.w_plus);
	} else if (r.n) {
		const double sd = sqrt(m * (m + 1) * (2 * m + 1) / 24 - ties / 48);
		const double off = fabs(r.w_plus - most / 2) - 0.5;
		r.p = erfc((off > 0 ? off : 0) / sd / sqrt(2));
	}
	r.p = r.p > 1 ? 1 : r.p;
	*out = r;
	return HARDY_OK;
}

typedef struct ordered {
	double p;
	size_t at;
} ordered;

static int by_p(const void *a, const void *b)
{
	const ordered *x = a, *y = b;
	return x->p != y->p ? (x->p > y->p) - (x->p < y->p) : (x->at > y->at) - (x->at < y->at);
}

hardy_status hy_holm(double *p, size_t n, hardy_error *err)
{
	ordered *list = hy_alloc(n, sizeof *list);
	size_t m = 0;
	double most = 0;
	if (!list)
		return hy_fail_memory(err, "p values", n, sizeof *list);
	for (size_t i = 0; i < n; i++)
		if (!isnan(p[i]))
			list[m++] = (ordered){p[i], i};
	qsort(list, m, sizeof *list, by_p);
	for (size_t i = 0; i < m; i++) {
		const double corrected = (double)(m - i) * list[i].p;
		most = corrected > most ? corrected : most;
		p[list[i].at] = most < 1 ? most : 1;
	}
	hy_free(list);
	return HARDY_OK;
}
