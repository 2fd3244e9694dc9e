/*
 * rescale.c: linear scaling of images to a range.
 */
#include "perturb/rescale.h"

static const double EPS = 1e-20; /* against images of one value */

typedef struct extremes {
	int64_t at_low, at_high; /* the first of equals */
	double low, high;
} extremes;

static extremes find(const float *x, int64_t size)
{
	extremes e = {0};
	for (int64_t k = 1; k < size; k++) {
		if (x[k] < x[e.at_low])
			e.at_low = k;
		if (x[k] > x[e.at_high])
			e.at_high = k;
	}
	e.low = (double)x[e.at_low];
	e.high = (double)x[e.at_high];
	return e;
}

void hy_rescale_unit(const float *x, int64_t n, int64_t size, float *out)
{
#pragma omp parallel for schedule(static)
	for (int64_t i = 0; i < n; i++) {
		const float *in = x + i * size;
		const extremes e = find(in, size);
		const double scale = 1 / (e.high - e.low + EPS);
		for (int64_t k = 0; k < size; k++)
			out[i * size + k] = (float)(((double)in[k] - e.low) * scale);
	}
}

void hy_rescale_range(const float *x, int64_t n, int64_t size, float *low, float *high)
{
	for (int64_t i = 0; i < n; i++) {
		const extremes e = find(x + i * size, size);
		low[i] = (float)e.low;
		high[i] = (float)e.high;
	}
}

void hy_rescale(const float *x, const float *low, const float *high, int64_t n, int64_t size, float *out)
{
#pragma omp parallel for schedule(static)
	for (int64_t i = 0; i < n; i++) {
		const float *in = x + i * size;
		const extremes e = find(in, size);
		const double scale = ((double)high[i] - (double)low[i]) / (e.high - e.low + EPS);
		for (int64_t k = 0; k < size; k++)
			out[i * size + k] = (float)(((double)in[k] - e.low) * scale + (double)low[i]);
	}
}

/*
 * With r = max - min, R = high - low: out = (x - min) R / r + low. d out / d x = R / r; d out / d min = -R / r + (x - min) R / r^2;
 * d out / d max = -(x - min) R / r^2.
 */
void hy_rescale_back(const float *x, const float *dout, const float *low, const float *high, int64_t n, int64_t size, float *dx)
{
#pragma omp parallel for schedule(static)
	for (int64_t i = 0; i < n; i++) {
		const float *in = x + i * size, *g = dout + i * size;
		const extremes e = find(in, size);
		const double r = e.high - e.low + EPS, scale = ((double)high[i] - (double)low[i]) / r;
		double sum = 0, moment = 0;
		for (int64_t k = 0; k < size; k++) {
			sum += (double)g[k];
			moment += (double)g[k] * ((double)in[k] - e.low);
		}
		for (int64_t k = 0; k < size; k++)
			dx[i * size + k] = (float)((double)g[k] * scale);
		dx[i * size + e.at_low] += (float)(-scale * sum + scale * moment / r);
		dx[i * size + e.at_high] += (float)(-scale * moment / r);
	}
}
