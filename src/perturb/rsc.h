/*
 * rsc.h: representation self-challenging (Huang et al., ECCV 2020), as in Chen et al., MaxStyle, MICCAI 2022: the elements of a code that
 * agree most with the target are muted.
 *
 * The score is the gradient of mean(decoder(z) target) by z, averaged over space or over channels; one is drawn for each code. The
 * share that is muted is fixed, and it is muted entirely.
 */
#ifndef HY_PERTURB_RSC_H
#define HY_PERTURB_RSC_H

#include "perturb/latent.h"

/* mask = 0 where score > its floor(count share)-th largest of the sample, counted from 0, else 1. work: count floats. */
void hy_rsc_mask(const float *score, double share, int64_t n, int64_t count, float *work, float *mask);

#endif
