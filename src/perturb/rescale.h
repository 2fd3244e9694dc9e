/*
 * rescale.h: linear scaling of images to a range, and its gradient.
 */
#ifndef HY_PERTURB_RESCALE_H
#define HY_PERTURB_RESCALE_H

#include <stddef.h>
#include <stdint.h>

/* out = (x - min) / (max - min), for each of n images of `size` values by itself; an image of one value becomes 0. out may be x. */
void hy_rescale_unit(const float *x, int64_t n, int64_t size, float *out);

/* low[i], high[i] = range of image i. */
void hy_rescale_range(const float *x, int64_t n, int64_t size, float *low, float *high);

/* out = image i of x scaled linearly from its own range to low[i] .. high[i]. out may be x. */
void hy_rescale(const float *x, const float *low, const float *high, int64_t n, int64_t size, float *out);

/*
 * The gradient by x of hy_rescale (low and high constant), which flows through each image's minimum and maximum too, that is, to the
 * pixel that attains them (the first of equals). dx may be dout.
 */
void hy_rescale_back(const float *x, const float *dout, const float *low, const float *high, int64_t n, int64_t size,
                     float *dx);

#endif
