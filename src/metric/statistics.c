/*
 * statistics.c: summaries and quantiles (see statistics.h).
 */
#include "metric/statistics.h"

#include <math.h>

hy_summary hy_summarise(const double *values, size_t n)
{
	hy_summary s = {0, 0, NAN, NAN, NAN, NAN};
	double sum = 0, squares = 0;
	for (size_t i = 0; i < n; i++) {
		if (!isfinite(values[i])) {
			s.n_undefined++;
			continue;
		}
		sum += values[i];
		s.min = s.n == 0 || values[i] < s.min ? values[i] : s.min;
		s.max = s.n == 0 || values[i] > s.max ? values[i] : s.max;
		s.n++;
	}
	if (s.n == 0)
		return s;
	s.mean = sum / (double)s.n;
	for (size_t i = 0; i < n; i++)
		if (isfinite(values[i]))
			squares += (values[i] - s.mean) * (values[i] - s.mean);
	if (s.n > 1)
		s.sd = sqrt(squares / (double)(s.n - 1));
	return s;
}

double hy_mean_defined(const double *values, size_t n)
{
	return hy_summarise(values, n).mean;
}

static void swap(double *a, double *b)
{
	double t = *a;
	*a = *b;
	*b = t;
}

/* Hoare's selection, pivot the median of three: afterwards v[k] is in its sorted place, nothing left of it larger, nothing
 * right of it smaller. */
static void select_kth(double *v, size_t n, size_t k)
{
	size_t low = 0, high = n - 1;
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		if (v[middle] < v[low])
			swap(&v[middle], &v[low]);
		if (v[high] < v[low])
			swap(&v[high], &v[low]);
		if (v[high] < v[middle])
			swap(&v[high], &v[middle]);
		double pivot = v[middle];
		size_t i = low, j = high;
		for (;;) {
			while (v[i] < pivot)
				i++;
			while (pivot < v[j])
				j--;
			if (i >= j)
				break;
			swap(&v[i++], &v[j--]);
		}
		/* All left of i are at most the pivot, all right of j at least. */
		if (i == j) {
			if (k == i)
				return;
			if (k < i)
				high = i - 1;
			else
				low = i + 1;
		} else if (k <= j) {
			high = j;
		} else {
			low = i;
		}
	}
}

double hy_quantile(double *values, size_t n, double q)
{
	if (n == 0)
		return NAN;
	double position = q * (double)(n - 1);
	size_t k = (size_t)position;
	double t = position - (double)k;
	select_kth(values, n, k);
	double a = values[k];
	if (t == 0 || k + 1 >= n)
		return a;
	double b = values[k + 1];
	for (size_t i = k + 2; i < n; i++)
		b = values[i] < b ? values[i] : b;
	/* From the nearer end, as NumPy does, so that equal neighbours give themselves. */
	return t < 0.5 ? a + (b - a) * t : b - (b - a) * (1 - t);
}
