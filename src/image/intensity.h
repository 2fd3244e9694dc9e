/*
 * intensity.h: percentiles and scaling of voxel values.
 */
#ifndef HY_IMAGE_INTENSITY_H
#define HY_IMAGE_INTENSITY_H

#include "base/error.h"

#include <stdint.h>

/*
 * Percentiles (0 to 100) of n values, linear between the order statistics around position percent / 100 * (n - 1).
 * Exact, by counting the values' bits: two sweeps, no copy. HARDY_ERROR_NUMERIC when a value is not finite.
 */
hardy_status hy_percentiles(const float *x, int64_t n, const double *percent, int n_percent, double *out, hardy_error *err);

/* x <- (clip(x, low, high) - low) / (1e-10 + high - low): [0, 1], all 0 when low = high. */
void hy_clip_scale(float *x, int64_t n, double low, double high);

/* x <- (x - min) / (max - min + 1e-20): [0, 1]; a constant slice becomes 0. */
void hy_minmax_test(float *x, int64_t n);

/* x <- a clip(x, low, high) + (1 - a high), a = 1 / (high - low + 1e-8): [0, 1], all 1 when low = high. */
void hy_scale_between(float *x, int64_t n, double low, double high);
/* The same with the slice's own least and greatest value. */
void hy_minmax_train(float *x, int64_t n);

/* n >= 1. */
void hy_range(const float *x, int64_t n, float *min, float *max);

#endif
