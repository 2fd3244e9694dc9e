/*
 * grey.c: voxel by voxel: noise and another grey scale.
 */
#include "artefact/effects.h"
#include "image/intensity.h"

#include <math.h>

/* sqrt((v + a)^2 + b^2) with Gaussian a and b: Gudbjartsson and Patz, Magn Reson Med 34, 910, 1995. */
hardy_status hy_effect_noise(const hy_artefact *a, const hy_block *b, hardy_error *err)
{
	const double percent[2] = {2, 98};
	double at[2];
	const int slow = b->last_fastest ? 0 : 2;
	const int64_t plane = b->n[0] * b->n[1] * b->n[2] / b->n[slow];
	const hardy_status status = hy_percentiles(b->data, plane * b->n[slow], percent, 2, at, err);
	if (status)
		return status;
	float low, high;
	hy_range(b->data, plane * b->n[slow], &low, &high);
	const double sd = a->noise.sd * (at[1] - at[0]), floor = (double)low;
#pragma omp parallel for
	for (int64_t s = 0; s < b->n[slow]; s++) {
		hy_rng g = hy_rng_make(a->noise.seed, HY_RNG_ARTEFACT, UINT64_MAX, (uint64_t)s);
		float *x = b->data + s * plane;
		for (int64_t i = 0; i < plane; i++) {
			const double real = (double)x[i] - floor + sd * hy_rng_normal(&g), other = sd * hy_rng_normal(&g);
			x[i] = (float)(floor + sqrt(real * real + other * other));
		}
	}
	return HARDY_OK;
}

hardy_status hy_effect_contrast(const hy_artefact *a, const hy_block *b, hardy_error *err)
{
	const int64_t n = b->n[0] * b->n[1] * b->n[2];
	float low, high;
	(void)err;
	hy_range(b->data, n, &low, &high);
	const double from = (double)low, width = (double)high - from;
	if (!(width > 0))
		return HARDY_OK;
#pragma omp parallel for
	for (int64_t i = 0; i < n; i++)
		b->data[i] = (float)(from + width * pow(((double)b->data[i] - from) / width, a->contrast.gamma));
	return HARDY_OK;
}
