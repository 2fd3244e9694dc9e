/*
 * rsc.c: masks of representation self-challenging.
 */
#include "perturb/rsc.h"

void hy_rsc_mask(const float *score, double share, int64_t n, int64_t count, float *work, float *mask)
{
	hy_mask_from_score(score, NULL, share, n, count, work, mask);
}
