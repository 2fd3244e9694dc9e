/*
 * randconv.h: random convolutions of images (Xu et al., "Robust and generalizable visual representation learning via random
 * convolutions", ICLR 2021).
 */
#ifndef HY_PERTURB_RANDCONV_H
#define HY_PERTURB_RANDCONV_H

#include "base/rng.h"

#include <stdbool.h>

enum { HY_RANDCONV_MAX_SIZE = 7, HY_RANDCONV_MAX_CHANNELS = 8 };

/* A convolution and how it is mixed with the image; one for a whole batch. */
typedef struct hy_randconv {
	int k;        /* side of the kernel, odd */
	double alpha; /* share of the image itself */
	float kernel[HY_RANDCONV_MAX_CHANNELS * HY_RANDCONV_MAX_CHANNELS * HY_RANDCONV_MAX_SIZE * HY_RANDCONV_MAX_SIZE];
} hy_randconv;

/* k uniform in {1, 3, ..., largest}; weights N(0, 1 / (c k^2)), no bias; alpha uniform in [0, 1) when mix, else 0. */
void hy_randconv_draw(hy_rng *g, int64_t c, int largest, bool mix, hy_randconv *r);

/* out = alpha x + (1 - alpha) (kernel * x): cross-correlation with zero padding. kernel: c x c x k x k; x, out: n x c x h x w. */
void hy_randconv_apply(const hy_randconv *r, const float *x, int64_t n, int64_t c, int64_t h, int64_t w, float *out);

#endif
