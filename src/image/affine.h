/*
 * affine.h: padding, flipping and affine maps of one slice, as the augmentation of Chen et al. (MICCAI 2021, 2022) does them.
 *
 * Slices are h x w values, rows contiguous; out never overlaps in.
 */
#ifndef HY_IMAGE_AFFINE_H
#define HY_IMAGE_AFFINE_H

#include <stdbool.h>
#include <stdint.h>

/*
 * Pads to at least th x tw (an axis that is longer stays): rows are added first, holding the minimum of their column, then
 * columns, holding the minimum of their (extended) row. The larger half comes before. out: max(h, th) x max(w, tw).
 */
void hy_pad_minimum_f32(const float *in, int64_t h, int64_t w, int64_t th, int64_t tw, float *out);
void hy_pad_minimum_u8(const uint8_t *in, int64_t h, int64_t w, int64_t th, int64_t tw, uint8_t *out);

/* In place. Horizontally: the order of columns is reversed; vertically: that of rows. */
void hy_flip_f32(float *x, int64_t h, int64_t w, bool horizontal, bool vertical);
void hy_flip_u8(uint8_t *x, int64_t h, int64_t w, bool horizontal, bool vertical);

/* A map of (row, column) vectors relative to the centre ((h - 1) / 2, (w - 1) / 2) of the output to those of the input. */
typedef struct hy_affine {
	float m[2][3];
} hy_affine;

/*
 * Rotation * translation * zoom of torchsample (https://github.com/ncullen93/torchsample), computed in double, rounded once.
 * Shifts are fractions of h and w; zooms below 1 magnify.
 */
hy_affine hy_affine_make(double rotation_deg, double shift_row, double shift_col, double zoom_row, double zoom_col, int64_t h,
                         int64_t w);

/* Bilinear, coordinates clamped to [0, length - 2]: the slice's edge goes on, its last row and column are never reached. */
void hy_affine_image(const float *in, int64_t h, int64_t w, const hy_affine *a, float *out);
/* Nearest, halves to even, coordinates clamped to [0, length - 1]. */
void hy_affine_label(const uint8_t *in, int64_t h, int64_t w, const hy_affine *a, uint8_t *out);

#endif
