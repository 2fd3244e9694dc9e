/*
 * latent.c: drawing of latent masks.
 */
#include "perturb/latent.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

void hy_mask_options_init(hy_mask_options *o)
{
	*o = (hy_mask_options){.scheme = HY_SCHEME_RANDOM, .p_low = 0, .p_high = 0.5, .dropout = 0.5, .soft_high = 0.5};
}

hy_scheme hy_mask_scheme(const hy_mask_options *o, hy_rng *g)
{
	return o->scheme == HY_SCHEME_RANDOM ? (hy_scheme)(HY_SCHEME_DROPOUT + (int)hy_rng_below(g, 3)) : o->scheme;
}

static int falling(const void *a, const void *b)
{
	const float x = *(const float *)a, y = *(const float *)b;
	return x < y ? 1 : x > y ? -1 : 0;
}

void hy_mask_from_score(const float *score, const float *factors, double p, int64_t n, int64_t count, float *work, float *mask)
{
	int64_t k = (int64_t)floor((double)count * p);
	if (k > count - 1)
		k = count - 1;
	for (int64_t i = 0; i < n; i++) {
		const float *s = score + i * count;
		memcpy(work, s, (size_t)count * sizeof *work);
		qsort(work, (size_t)count, sizeof *work, falling);
		for (int64_t j = 0; j < count; j++)
			mask[i * count + j] = s[j] > work[k] ? (factors ? factors[i * count + j] : 0) : 1;
	}
}

void hy_mask_draw(const hy_mask_options *o, hy_scheme scheme, hy_rng *g, const float *channel, const float *spatial, int64_t n,
                  int64_t c, int64_t hw, float *work, hy_mask *mask)
{
	mask->spatial = scheme == HY_SCHEME_SPATIAL;
	const int64_t count = mask->spatial ? hw : c;
	if (scheme == HY_SCHEME_DROPOUT) {
		const float kept = (float)(1 / (1 - o->dropout));
		for (int64_t i = 0; i < n * c; i++)
			mask->data[i] = hy_rng_uniform(g) >= o->dropout ? kept : 0;
		return;
	}
	const double p = hy_rng_between(g, o->p_low, o->p_high);
	for (int64_t i = 0; i < n * count; i++) /* the factors wait where the mask goes */
		mask->data[i] = o->hard ? 0 : (float)(o->soft_high * hy_rng_uniform(g));
	hy_mask_from_score(mask->spatial ? spatial : channel, mask->data, p, n, count, work, mask->data);
}
