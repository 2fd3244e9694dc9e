/*
 * adv_noise.h: adversarial noise by virtual adversarial training (Miyato et al., TPAMI 2019): the direction in an image's space along
 * which a prediction changes most, found by power iteration.
 */
#ifndef HY_PERTURB_ADV_NOISE_H
#define HY_PERTURB_ADV_NOISE_H

#include <stdint.h>

/* Each of n samples of `size` values scaled to Euclidean length 1: d = g / (|g| + 1e-20). d may be g. */
void hy_noise_unit(const float *g, int64_t n, int64_t size, float *d);

/* out = x + length d. */
void hy_noise_add(const float *x, const float *d, double length, int64_t count, float *out);

/* out = x within the smallest and largest value of the batch `clean` (count values each). */
void hy_noise_clamp(const float *x, const float *clean, int64_t count, float *out);

#endif
