/*
 * intensity.c: percentiles by radix selection, clipping and scaling.
 */
#include "image/intensity.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

/* Bits of a float as an unsigned number in the order of the values. */
static uint32_t ordered(float x)
{
	uint32_t u;
	memcpy(&u, &x, sizeof u);
	return u & 0x80000000u ? ~u : u | 0x80000000u;
}

static float from_ordered(uint32_t u)
{
	const uint32_t bits = u & 0x80000000u ? u & 0x7fffffffu : ~u;
	float x;
	memcpy(&x, &bits, sizeof x);
	return x;
}

enum { N_BINS = 1 << 16 };

/* The value of rank k among x, given the counts of the upper halves of their bits. low is scratch of N_BINS. */
static float select_rank(const float *x, int64_t n, const int64_t *high, int64_t k, int64_t *low)
{
	uint32_t h = 0, l = 0;
	while (k >= high[h])
		k -= high[h++];
	memset(low, 0, N_BINS * sizeof *low);
	for (int64_t i = 0; i < n; i++) {
		const uint32_t u = ordered(x[i]);
		if (u >> 16 == h)
			low[u & 0xffff]++;
	}
	while (k >= low[l])
		k -= low[l++];
	return from_ordered(h << 16 | l);
}

hardy_status hy_percentiles(const float *x, int64_t n, const double *percent, int n_percent, double *out, hardy_error *err)
{
	if (n < 1)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "percentiles of no values");
	int64_t *high = hy_calloc(2 * N_BINS, sizeof *high);
	if (!high)
		return hy_fail_memory(err, "a histogram", 2 * N_BINS, sizeof *high);
	int64_t *low = high + N_BINS, bad = 0;
	for (int64_t i = 0; i < n; i++)
		high[ordered(x[i]) >> 16]++;
	/* An exponent of ones is infinity or NaN: the first and the last 128 bins. */
	for (int i = 0; i < 128; i++)
		bad += high[i] + high[N_BINS - 1 - i];
	for (int i = 0; !bad && i < n_percent; i++) {
		const double at = fmin(fmax(percent[i], 0), 100) / 100 * (double)(n - 1), weight = at - floor(at);
		const int64_t k = (int64_t)at;
		const double a = select_rank(x, n, high, k, low), b = weight > 0 ? select_rank(x, n, high, k + 1, low) : a;
		out[i] = a + weight * (b - a);
	}
	hy_free(high);
	if (bad)
		return hy_fail(err, HARDY_ERROR_NUMERIC, "%lld of %lld voxels are not finite, want none", (long long)bad, (long long)n);
	return HARDY_OK;
}

void hy_clip_scale(float *x, int64_t n, double low, double high)
{
	const double width = 1e-10 + high - low;
#pragma omp parallel for simd if (n > 100000)
	for (int64_t i = 0; i < n; i++) {
		double v = (double)x[i];
		v = v < low ? low : v;
		v = v > high ? high : v;
		x[i] = (float)((v - low) / width);
	}
}

void hy_range(const float *x, int64_t n, float *min, float *max)
{
	enum { LANES = 16 };
	float a[LANES], b[LANES];
	for (int j = 0; j < LANES; j++)
		a[j] = b[j] = x[0];
	int64_t i = 0;
	for (; i + LANES <= n; i += LANES)
		for (int j = 0; j < LANES; j++) {
			a[j] = x[i + j] < a[j] ? x[i + j] : a[j];
			b[j] = x[i + j] > b[j] ? x[i + j] : b[j];
		}
	for (; i < n; i++) {
		a[0] = x[i] < a[0] ? x[i] : a[0];
		b[0] = x[i] > b[0] ? x[i] : b[0];
	}
	for (int j = 1; j < LANES; j++) {
		a[0] = a[j] < a[0] ? a[j] : a[0];
		b[0] = b[j] > b[0] ? b[j] : b[0];
	}
	*min = a[0];
	*max = b[0];
}

void hy_minmax_test(float *x, int64_t n)
{
	float min, max;
	hy_range(x, n, &min, &max);
	const double low = (double)min, width = (double)max - low + 1e-20;
	for (int64_t i = 0; i < n; i++)
		x[i] = (float)(((double)x[i] - low) / width);
}

void hy_scale_between(float *x, int64_t n, double low, double high)
{
	const double a = 1 / (high - low + 1e-8), b = 1 - a * high;
	for (int64_t i = 0; i < n; i++) {
		double v = (double)x[i];
		v = v < low ? low : v;
		v = v > high ? high : v;
		x[i] = (float)(a * v + b);
	}
}

void hy_minmax_train(float *x, int64_t n)
{
	float min, max;
	hy_range(x, n, &min, &max);
	hy_scale_between(x, n, (double)min, (double)max);
}
