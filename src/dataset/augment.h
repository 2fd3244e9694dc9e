/*
 * augment.h: classic augmentation of training slices in the order of Chen et al. (MICCAI 2021): pad by minima, flip,
 * brightness, affine map, rotation by a multiple of 45 degrees, elastic deformation, centre crop, min-max.
 */
#ifndef HY_DATASET_AUGMENT_H
#define HY_DATASET_AUGMENT_H

#include "base/error.h"
#include "base/rng.h"

#include <stdint.h>

/* Probability 0 turns a stage off; the affine map is always applied, ranges of zero width make it the identity. */
typedef struct hy_augment_options {
	int64_t size;                                 /* height and width of the result */
	int64_t pad;                                  /* height and width before the crop, at least; 0: size * 224 / 192, rounded */
	double flip_probability;                      /* of each direction: 0.2 */
	double brightness_probability;                /* 0.5 */
	double scale_low, scale_high;                 /* of intensities: 0.8, 1.2 */
	double shift_low, shift_high;                 /* of intensities: -0.1, 0.1 */
	double rotation_deg;                          /* at most, both ways: 15 */
	double shift_fraction;                        /* of height and width, at most, both ways: 0.1 */
	double zoom_low, zoom_high;                   /* each axis by itself, below 1 magnifies: 0.8, 1.1 */
	bool rotate_eighths;                          /* by a random multiple of 45 degrees: true */
	double elastic_probability;                   /* 0.5 */
	double elastic_alpha_low, elastic_alpha_high; /* times height: 1.5, 2 */
	double elastic_sigma_low, elastic_sigma_high; /* times 3/4 of height: 0.1, 0.2 */
} hy_augment_options;

void hy_augment_options_init(hy_augment_options *o, int64_t size); /* as published */
hardy_status hy_augment_options_check(const hy_augment_options *o, hardy_error *err);
int64_t hy_augment_pad(const hy_augment_options *o); /* pad, or what 0 means */

/* What chance decided for one sample. */
typedef struct hy_augment_draw {
	bool flip_horizontal, flip_vertical;
	bool brightness;
	double scale, shift;
	double rotation_deg, shift_row, shift_col, zoom_row, zoom_col;
	int eighths; /* -1: no such rotation, else 0 to 7 times 45 degrees */
	bool elastic;
	double alpha, sigma; /* over the current height, over 3/4 of it */
	hy_rng field;        /* of the elastic displacement */
} hy_augment_draw;

/* Every number is drawn whether it is used or not: turning a stage off leaves the others as they were. */
hy_augment_draw hy_augment_draw_make(const hy_augment_options *o, hy_rng *g);

/* Scratch for slices of at most max_h x max_w and so many channels; one per thread. */
typedef struct hy_augment hy_augment;
hy_augment *hy_augment_new(const hy_augment_options *o, int64_t max_h, int64_t max_w, int64_t channels, hardy_error *err);
void hy_augment_free(hy_augment *a); /* NULL allowed */

/*
 * image: channels x h x w, label: h x w; out: channels x size x size and size x size. All channels move alike; intensities
 * are treated channel by channel. No allocation, one thread.
 */
void hy_augment_apply(hy_augment *a, const hy_augment_draw *d, const float *image, const uint8_t *label, int64_t h, int64_t w,
                      float *out_image, uint8_t *out_label);

/* The slice as it is: zero padding or centre crop to size, min-max of each channel if asked (the published code does not). */
void hy_augment_plain(int64_t size, bool minmax, const float *image, const uint8_t *label, int64_t channels, int64_t h,
                      int64_t w, float *out_image, uint8_t *out_label);

/* x <- scale x + shift, clipped to the range that x had. */
void hy_augment_brightness(float *x, int64_t n, double scale, double shift);

/* Start of the centre crop of `want` from `have` >= want: the larger half is cut before. */
int64_t hy_augment_crop_start(int64_t have, int64_t want);

#endif
