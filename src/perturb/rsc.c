/*
 * rsc.c: scores and masks of representation self-challenging.
 */
#include "perturb/rsc.h"

void hy_rsc_score(const float *gradient, bool spatial, int64_t n, int64_t c, int64_t hw, float *score)
{
	for (int64_t i = 0; i < n; i++)
		for (int64_t k = 0; k < (spatial ? hw : c); k++) {
			const float *g = gradient + i * c * hw + (spatial ? k : k * hw);
			double sum = 0;
			for (int64_t j = 0; j < (spatial ? c : hw); j++)
				sum += (double)g[j * (spatial ? hw : 1)];
			score[i * (spatial ? hw : c) + k] = (float)(sum / (double)(spatial ? c : hw));
		}
}

void hy_rsc_mask(const float *score, double share, int64_t n, int64_t count, float *work, float *mask)
{
	hy_mask_from_score(score, NULL, share, n, count, work, mask);
}
