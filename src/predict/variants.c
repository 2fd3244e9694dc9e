/*
 * variants.c: versions of a slice, and the way back.
 */
#include "predict/variants.h"

#include "dataset/dataset.h"

#include <math.h>
#include <string.h>

int hy_variants(bool flips, bool intensity, hy_variant out[HY_MAX_VARIANTS])
{
	static const float gammas[] = {1, 0.7f, 1 / 0.7f};
	int n = 0;
	for (int g = 0; g < (intensity ? 3 : 1); g++)
		for (int f = 0; f < (flips ? 4 : 1); f++)
			out[n++] = (hy_variant){.flip_x = f & 1, .flip_y = f & 2, .gamma = gammas[g]};
	return n;
}

int hy_opinions(hy_variant out[HY_MAX_VARIANTS - 1])
{
	out[0] = (hy_variant){.flip_x = true, .gamma = 0.7f};
	out[1] = (hy_variant){.flip_y = true, .gamma = 1 / 0.7f};
	return 2;
}

static void reverse(float *p, int64_t n, int64_t step)
{
	for (int64_t i = 0; i < n / 2; i++) {
		const float kept = p[i * step];
		p[i * step] = p[(n - 1 - i) * step];
		p[(n - 1 - i) * step] = kept;
	}
}

void hy_variant_restore(const hy_variant *v, int64_t n, int64_t h, int64_t w, float *maps)
{
#pragma omp parallel for schedule(static)
	for (int64_t i = 0; i < n; i++) {
		for (int64_t y = 0; y < h && v->flip_x; y++)
			reverse(maps + (i * h + y) * w, w, 1);
		for (int64_t x = 0; x < w && v->flip_y; x++)
			reverse(maps + i * h * w + x, h, w);
	}
}

void hy_variant_apply(const hy_variant *v, const float *image, int64_t n, int64_t h, int64_t w, float *out)
{
	if (v->gamma == 1) {
		memcpy(out, image, (size_t)(n * h * w) * sizeof *out);
	} else {
#pragma omp parallel for schedule(static)
		for (int64_t k = 0; k < n * h * w; k++)
			out[k] = powf(image[k] < 0 ? 0 : image[k], v->gamma);
	}
	hy_variant_restore(v, n, h, w, out); /* mirroring is its own inverse */
}

void hy_variant_add(const float *logits, int64_t n, int classes, int64_t plane, float share, float *q)
{
#pragma omp parallel for
	for (int64_t i = 0; i < n; i++) {
		const float *from = logits + i * classes * plane;
		float *to = q + i * classes * plane;
		for (int64_t k = 0; k < plane; k++) {
			float e[HY_MAX_CLASSES], largest = from[k], sum = 0;
			for (int c = 1; c < classes; c++)
				largest = fmaxf(largest, from[c * plane + k]);
			for (int c = 0; c < classes; c++)
				sum += e[c] = expf(from[c * plane + k] - largest);
			for (int c = 0; c < classes; c++)
				to[c * plane + k] += share * (e[c] / sum);
		}
	}
}
