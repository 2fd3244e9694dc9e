/*
 * variants.h: versions of a slice whose predictions are averaged (test-time augmentation): mirrored, and of other contrast.
 */
#ifndef HY_PREDICT_VARIANTS_H
#define HY_PREDICT_VARIANTS_H

#include <stdbool.h>
#include <stdint.h>

enum { HY_MAX_VARIANTS = 12 };

typedef struct hy_variant {
	bool flip_x, flip_y;
	float gamma; /* intensities of 0 to 1 are raised to it */
} hy_variant;

/* The slice as it is, first; with flips also mirrored along x, y and both; with intensity each of these also with gamma 0.7 and
 * 1 / 0.7. Returns their number. */
int hy_variants(bool flips, bool intensity, hy_variant out[HY_MAX_VARIANTS]);

/* Versions whose mean is a second opinion on the slice as it is, for a network that has no STN; at most HY_MAX_VARIANTS - 1. Returns
 * their number. */
int hy_opinions(hy_variant out[HY_MAX_VARIANTS - 1]);

/* out = n planes of h x w, changed. */
void hy_variant_apply(const hy_variant *v, const float *image, int64_t n, int64_t h, int64_t w, float *out);

/* Mirrors n planes of a prediction back, in place. */
void hy_variant_restore(const hy_variant *v, int64_t n, int64_t h, int64_t w, float *maps);

/* q += share * softmax(logits) over the classes of each pixel; both n x classes x plane. */
void hy_variant_add(const float *logits, int64_t n, int classes, int64_t plane, float share, float *q);

#endif
