/*
 * maxstyle.h: MaxStyle (Chen et al., MICCAI 2022): feature styles whose mixture and noise make the example hardest.
 *
 *     s = (1 - lambda) sigma + lambda sigma_other + gamma spread of sigma,  m = the same with mu and beta,
 *
 * lambda within [0, 1] when used; the spreads over the batch are those of the first forward pass. lambda (a value a sample), gamma and
 * beta (a value a sample and channel) follow Adam.
 */
#ifndef HY_PERTURB_MAXSTYLE_H
#define HY_PERTURB_MAXSTYLE_H

#include "perturb/style.h"

typedef struct hy_maxstyle {
	int64_t n, c;
	size_t *other;                   /* n: whose style is mixed in; never the identity */
	float *values;                   /* lambda (n), gamma (n c), beta (n c): owned, one after the other */
	float *grads;                    /* owned, likewise */
	float *moments[2];               /* owned, of Adam */
	double *spread_sd, *spread_mean; /* c */
	bool measured;                   /* the spreads are */
	int64_t steps;                   /* of Adam */
} hy_maxstyle;

hardy_status hy_maxstyle_init(hy_maxstyle *m, int64_t n, int64_t c, hardy_error *err);
void hy_maxstyle_clear(hy_maxstyle *m);

float *hy_maxstyle_gamma(const hy_maxstyle *m);
float *hy_maxstyle_beta(const hy_maxstyle *m);

/* A new start: others, lambda ~ U(0, 1) or, when shape > 0, Beta(shape, shape), gamma and beta ~ N(0, 1); n >= 2. */
void hy_maxstyle_draw(hy_maxstyle *m, hy_rng *g, double shape);
/* Forgets spreads and moments: before the first forward pass of other features. */
void hy_maxstyle_reset(hy_maxstyle *m);

/* Sets scale and shift from the measured s->mean and s->sd. */
void hy_maxstyle_choose(hy_maxstyle *m, hy_style *s);
/* The gradients by lambda, gamma and beta from s->by_style_sd and s->by_style_mean; lambda outside of [0, 1] has none. */
void hy_maxstyle_gradient(hy_maxstyle *m, const hy_style *s);
/* One Adam step (betas 0.9 and 0.999, eps 1e-8) down the gradients. */
void hy_maxstyle_step(hy_maxstyle *m, double rate);

#endif
