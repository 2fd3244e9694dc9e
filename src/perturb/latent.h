/*
 * latent.h: latent masks, the method's way of making an example harder (Chen et al., MICCAI 2021, section 2.3).
 *
 * A code z (n x c x h x w) gets one of three masks: dropout of whole channels; channels or positions whose score, the mean of
 * d loss / d z, is largest.
 */
#ifndef HY_PERTURB_LATENT_H
#define HY_PERTURB_LATENT_H

#include "engine/ops.h"

typedef enum hy_scheme { HY_SCHEME_RANDOM, HY_SCHEME_DROPOUT, HY_SCHEME_CHANNEL, HY_SCHEME_SPATIAL } hy_scheme;

typedef struct hy_mask_options {
	hy_scheme scheme;     /* RANDOM: uniformly one of the three, each code by itself */
	bool hard;            /* factor 0 instead of a soft one */
	double p_low, p_high; /* threshold p ~ U(p_low, p_high): 0, 0.5 */
	double dropout;       /* probability of dropping a channel: 0.5 */
	double soft_high;     /* soft factors ~ U(0, soft_high): 0.5 */
} hy_mask_options;

void hy_mask_options_init(hy_mask_options *o);

/* Draws the scheme when it is RANDOM. */
hy_scheme hy_mask_scheme(const hy_mask_options *o, hy_rng *g);

/*
 * mask = factor where score > the k-th largest score of the sample (0-based, strictly), else 1; k = floor(count p), one p for
 * the whole batch. factors: n x count values to use there (NULL: 0, a hard mask). score, mask: n x count.
 */
void hy_mask_from_score(const float *score, const float *factors, double p, int64_t n, int64_t count, float *work, float *mask);

/*
 * Draws a mask of `scheme` into mask->data (room for n x max(c, hw)) and sets mask->spatial. channel, spatial: the scores n x c
 * and n x hw (may be NULL for dropout). work: max(c, hw) floats.
 */
void hy_mask_draw(const hy_mask_options *o, hy_scheme scheme, hy_rng *g, const float *channel, const float *spatial, int64_t n,
                  int64_t c, int64_t hw, float *work, hy_mask *mask);

#endif
