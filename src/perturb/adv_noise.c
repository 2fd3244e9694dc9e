/*
 * adv_noise.c: adversarial noise.
 */
#include "perturb/adv_noise.h"

#include <math.h>

void hy_noise_unit(const float *g, int64_t n, int64_t size, float *d)
{
#pragma omp parallel for schedule(static)
	for (int64_t i = 0; i < n; i++) {
		double square = 0;
		for (int64_t k = i * size; k < (i + 1) * size; k++)
			square += (double)g[k] * (double)g[k];
		const double scale = 1 / (sqrt(square) + 1e-20);
		for (int64_t k = i * size; k < (i + 1) * size; k++)
			d[k] = (float)((double)g[k] * scale);
	}
}

void hy_noise_add(const float *x, const float *d, double length, int64_t count, float *out)
{
	for (int64_t k = 0; k < count; k++)
		out[k] = (float)((double)x[k] + length * (double)d[k]);
}

void hy_noise_clamp(const float *x, const float *clean, int64_t count, float *out)
{
	float low = clean[0], high = clean[0];
	for (int64_t k = 1; k < count; k++) {
		low = clean[k] < low ? clean[k] : low;
		high = clean[k] > high ? clean[k] : high;
	}
	for (int64_t k = 0; k < count; k++)
		out[k] = x[k] < low ? low : x[k] > high ? high : x[k];
}
