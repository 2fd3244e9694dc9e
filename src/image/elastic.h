/*
 * elastic.h: elastic deformation of one slice (Simard, Steinkraus, Platt, ICDAR 2003) with SciPy's interpolation rules.
 *
 * A displacement is a field of independent uniform numbers, smoothed by a Gaussian and multiplied by alpha. The slice is
 * sampled at (row + d_y, column + d_x) by cubic B-splines (Unser, IEEE Signal Processing Magazine 1999).
 */
#ifndef HY_IMAGE_ELASTIC_H
#define HY_IMAGE_ELASTIC_H

#include "base/error.h"

#include <stdint.h>

/* The part of a slice that is wanted. */
typedef struct hy_window {
	int64_t row, col, rows, cols;
} hy_window;

/* Scratch for slices of at most max_h x max_w, so that deforming allocates nothing. */
typedef struct hy_elastic hy_elastic;
hy_elastic *hy_elastic_new(int64_t max_h, int64_t max_w, hardy_error *err);
void hy_elastic_free(hy_elastic *e); /* NULL allowed */

/*
 * d = alpha * Gaussian(sigma) of u (h x w, in [-1, 1]) within window: kernel radius floor(4 sigma + 1/2), weights summing to 1,
 * zeros beyond the slice. d has rows x cols values. sigma > 0.
 */
void hy_elastic_field(hy_elastic *e, const float *u, int64_t h, int64_t w, double alpha, double sigma, hy_window window,
                      float *d);

/* Samples in at the displaced positions of window (dy, dx: rows x cols). The slice goes on mirrored about its outer edges. */
void hy_elastic_image(hy_elastic *e, const float *in, int64_t h, int64_t w, const float *dy, const float *dx, hy_window window,
                      float *out);

/*
 * Each class present is deformed as a mask, which goes on as at its edge, and assigned where the result is 1/2 or more, in
 * ascending order; what no class claims is 0.
 */
void hy_elastic_label(hy_elastic *e, const uint8_t *in, int64_t h, int64_t w, const float *dy, const float *dx,
                      hy_window window, uint8_t *out);

#endif
