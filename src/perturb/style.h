/*
 * style.h: feature styles: each channel's mean and standard deviation over space, exchanged or moved while the content stays.
 *
 *     y = x^ s + m,  x^ = (x - mu) / sigma,  mu and sigma constants for the gradient, sigma = sqrt(unbiased variance + eps)
 *
 * MixStyle (Zhou et al., ICLR 2021) takes s and m between those of two samples, DSU (Li et al., ICLR 2022) adds normal noise, MaxStyle
 * (maxstyle.h) both, with parameters that make the example hardest. As every choice of s and m, it is one scale and one shift for
 * each sample and channel.
 */
#ifndef HY_PERTURB_STYLE_H
#define HY_PERTURB_STYLE_H

#include "engine/ops.h"

/* Statistics and styles: n x c values, owned by whoever holds the struct. */
typedef struct hy_style {
	int64_t n, c;
	double *mean, *sd;                   /* mu, sigma */
	double *scale, *shift;               /* y = scale x + shift */
	double *by_style_sd, *by_style_mean; /* gradients by s and m */
} hy_style;

hardy_status hy_style_init(hy_style *s, int64_t n, int64_t c, hardy_error *err);
void hy_style_clear(hy_style *s);

/* mean and sd of x. block 0: x is planar, n x c x hw; else blocked with that many channels innermost. */
void hy_style_measure(hy_style *s, const float *x, int64_t hw, int block, double eps);
/* y = scale x + shift. */
void hy_style_apply(const hy_style *s, const float *x, int64_t hw, int block, float *y);
/* dx = (or +=) scale dy; with_style: by_style_sd and by_style_mean too. */
void hy_style_back(hy_style *s, const float *x, const float *dy, int64_t hw, int block, bool accumulate, bool with_style,
                   float *dx);

/* Sets scale and shift so that sample i, channel k gets the style (style_sd, style_mean). */
void hy_style_set(hy_style *s, int64_t i, int64_t k, double style_sd, double style_mean);

/* Unbiased standard deviation of values (n x c) over the n samples: spread has c values. */
void hy_style_spread(const double *values, int64_t n, int64_t c, double *spread);

/* MixStyle: lambda[i] weighs the other sample, permutation[i]. */
void hy_style_mix(hy_style *s, const double *lambda, const size_t *permutation);
/* DSU: s = sigma + on_sd spread of sigma, m = mu + on_mean spread of mu; on_mean, on_sd: n x c normal numbers. spread: c doubles of scratch. */
void hy_style_disturb(hy_style *s, const double *on_mean, const double *on_sd, double *spread);

/* A number of the distribution Beta(a, a), 0 < a <= 1. */
double hy_style_beta(hy_rng *g, double a);

/* ---- as an operator ---- */

typedef struct hy_restyle hy_restyle;
struct hy_restyle {
	hy_style style;
	bool active;     /* false: y = x */
	bool with_style; /* its backward computes the gradients by the style */
	double eps;
	void (*choose)(hy_restyle *r); /* called with mean and sd measured: sets scale and shift */
	void *payload;
};

/* Shapes of r->style are checked against x. */
int hy_op_restyle(hy_tape *t, int x, hy_restyle *r);

#endif
