/*
 * randconv.c: random convolutions of images.
 */
#include "perturb/randconv.h"

#include <math.h>

void hy_randconv_draw(hy_rng *g, int64_t c, int largest, bool mix, hy_randconv *r)
{
	r->k = 1 + 2 * (int)hy_rng_below(g, (uint64_t)(largest + 1) / 2);
	const double sd = 1 / sqrt((double)(c * r->k * r->k));
	for (int64_t i = 0; i < c * c * r->k * r->k; i++)
		r->kernel[i] = (float)(sd * hy_rng_normal(g));
	r->alpha = mix ? hy_rng_uniform(g) : 0;
}

/* Rows are summed a strip at a time, in memory of the stack. */
enum { STRIP = 1024 };

static void convolve_row(const hy_randconv *r, const float *image, int64_t c, int64_t out, int64_t y, int64_t h, int64_t w,
                         int64_t from, int64_t to, double *sum)
{
	const int k = r->k;
	for (int64_t i = from; i < to; i++)
		sum[i - from] = 0;
	for (int64_t in = 0; in < c; in++)
		for (int ky = 0; ky < k; ky++) {
			const int64_t row = y + ky - k / 2;
			if (row < 0 || row >= h)
				continue;
			const float *x = image + (in * h + row) * w;
			for (int kx = 0; kx < k; kx++) {
				const int64_t d = kx - k / 2;
				const double weight = (double)r->kernel[((out * c + in) * k + ky) * k + kx];
				const int64_t first = from + d < 0 ? -d : from, last = to + d > w ? w - d : to;
				for (int64_t i = first; i < last; i++)
					sum[i - from] += weight * (double)x[i + d];
			}
		}
}

void hy_randconv_apply(const hy_randconv *r, const float *x, int64_t n, int64_t c, int64_t h, int64_t w, float *out)
{
#pragma omp parallel for schedule(static)
	for (int64_t line = 0; line < n * c * h; line++) {
		const int64_t y = line % h, channel = line / h % c, i = line / h / c;
		double sum[STRIP];
		for (int64_t from = 0; from < w; from += STRIP) {
			const int64_t to = from + STRIP < w ? from + STRIP : w;
			convolve_row(r, x + i * c * h * w, c, channel, y, h, w, from, to, sum);
			for (int64_t k = from; k < to; k++)
				out[line * w + k] = (float)(r->alpha * (double)x[line * w + k] + (1 - r->alpha) * sum[k - from]);
		}
	}
}
