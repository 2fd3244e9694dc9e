/*
 * resample.h: in-plane resampling of stacks of slices, and fitting them into another height and width.
 *
 * A stack is n slices of height x width values, rows contiguous. The grids share the centre of their first voxel: sample i of
 * the new grid lies at i * step voxels of the old one, step = new spacing / old spacing. This is what SimpleITK's
 * ResampleImageFilter does with an unchanged origin and direction.
 */
#ifndef HY_IMAGE_RESAMPLE_H
#define HY_IMAGE_RESAMPLE_H

#include "base/error.h"

#include <stdint.h>

enum { HY_RESAMPLE_MAX = 16384 }; /* largest height or width that resampling may make */

/* What lies beyond the old grid, that is at size - 1/2 voxels or more; up to there the edge voxel goes on. */
typedef enum hy_resample_beyond {
	HY_BEYOND_ZERO, /* 0: scans and their labels */
	HY_BEYOND_EDGE  /* the edge voxel: maps on their way back to the scan */
} hy_resample_beyond;

/* One axis of a resampling. */
typedef struct hy_resample_axis {
	int64_t n_in, n_out;
	double step; /* old voxels per new voxel */
} hy_resample_axis;

/* Voxels along an axis after resampling: n * old / new, halves to even, 1 at least. */
int64_t hy_resample_count(int64_t n, double old_mm, double new_mm);

/*
 * Axes y and x for old spacings to new ones. Spacings whose relative deviations sum to less than 1e-4 count as equal: step 1,
 * same counts. HARDY_ERROR_DATA when a spacing is not a positive number or a count would exceed HY_RESAMPLE_MAX; what names the
 * scan.
 */
hardy_status hy_resample_axes(int64_t ny, int64_t nx, double old_y_mm, double old_x_mm, double new_y_mm, double new_x_mm,
                              hy_resample_axis *y, hy_resample_axis *x, hardy_error *err);

/* The way back: from the new grid to the old one. */
hy_resample_axis hy_resample_inverse(hy_resample_axis a);

/* Bilinear. Slices of in lie in_stride values apart, those of out out_stride. Runs over slices in parallel. */
hardy_status hy_resample_linear(const float *in, int64_t in_stride, hy_resample_axis y, hy_resample_axis x, int64_t n_slices,
                                hy_resample_beyond beyond, float *out, int64_t out_stride, hardy_error *err);

/* Nearest voxel, halves upwards. */
hardy_status hy_resample_nearest(const uint8_t *in, int64_t in_stride, hy_resample_axis y, hy_resample_axis x, int64_t n_slices,
                                 hy_resample_beyond beyond, uint8_t *out, int64_t out_stride, hardy_error *err);

/*
 * Offset of a window of `want` within an axis of `have` about the centre: element i of the window is element i + offset of the
 * axis. floor((have - want) / 2), so that padding before is the larger half and cropping before the smaller one.
 */
int64_t hy_window_offset(int64_t have, int64_t want);

/* One slice through a window: out(r, c) = in(r + offset_y, c + offset_x), or fill outside of in. */
void hy_window_f32(const float *in, int64_t in_h, int64_t in_w, int64_t offset_y, int64_t offset_x, float fill, float *out,
                   int64_t out_h, int64_t out_w);
void hy_window_u8(const uint8_t *in, int64_t in_h, int64_t in_w, int64_t offset_y, int64_t offset_x, uint8_t fill, uint8_t *out,
                  int64_t out_h, int64_t out_w);

#endif
