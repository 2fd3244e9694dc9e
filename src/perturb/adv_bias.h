/*
 * adv_bias.h: an adversarial bias field: a smooth positive field from a few control points, multiplied with the image (Chen et al.,
 * "Realistic adversarial data augmentation for MR image segmentation", MICCAI 2020).
 *
 * The control points P are the coefficients of a cubic B-spline S on a coarser grid, which is brought to the image's grid bilinearly; the
 * field is B = exp(S) (log space) or 1 + S, within [1 - epsilon, 1 + epsilon]. Both steps are linear and act along one axis at a time:
 * S = R_y P R_x^T.
 */
#ifndef HY_PERTURB_ADV_BIAS_H
#define HY_PERTURB_ADV_BIAS_H

#include "base/error.h"
#include "base/rng.h"

#include <stdbool.h>

typedef struct hy_bias_options {
	double epsilon;    /* 0 < epsilon < 1 */
	double spacing[2]; /* pixels of the image between control points: rows, columns */
	double downscale;  /* of the spline's grid, 1 or more */
	bool log_space;
} hy_bias_options;

/* One axis: how the values of `length` pixels follow from n control points. */
typedef struct hy_bias_axis {
	int64_t length, n;
	double *matrix; /* owned: length x n */
} hy_bias_axis;

typedef struct hy_bias {
	hy_bias_options o;
	hy_bias_axis y, x;
	double low, high; /* range of the control points */
	double *work;     /* owned */
} hy_bias;

/* For at most n samples. HARDY_ERROR_ARGUMENT when the control points would be less than a pixel of the spline's grid apart. */
hardy_status hy_bias_init(hy_bias *b, const hy_bias_options *o, int64_t n, int64_t height, int64_t width, hardy_error *err);
void hy_bias_clear(hy_bias *b);

/* Uniform in the range of the control points. points: y.n x x.n. */
void hy_bias_draw(const hy_bias *b, hy_rng *g, float *points);

/* Fields of n samples. points: n x y.n x x.n; field: n x height x width. */
void hy_bias_field(hy_bias *b, const float *points, int64_t n, float *field);

/* The gradient by the points, from that by the field. */
void hy_bias_back(hy_bias *b, const float *points, const float *dfield, int64_t n, float *dpoints);

/* out = x field, the same field for every channel. x, out: n x c x hw. */
void hy_bias_apply(const float *x, const float *field, int64_t n, int64_t c, int64_t hw, float *out);
/* The gradient by the field: dfield = sum over channels of x dout. */
void hy_bias_apply_back(const float *x, const float *dout, int64_t n, int64_t c, int64_t hw, float *dfield);

/* Ascent: each sample's points move by `step` along g / (|g| + 1e-20). g: n x (number of points). */
void hy_bias_move(const hy_bias *b, float *points, const float *g, double step, int64_t n);
/* The points within their range, after the last step. */
void hy_bias_clamp(const hy_bias *b, float *points, int64_t n);

#endif
