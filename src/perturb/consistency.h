/*
 * consistency.h: how far predictions on changed images are from a reference: Kullback-Leibler and contour divergence, and the
 * divergence of several views from their mean; each with its gradient by the logits, and as an operator of a tape.
 *
 * Logits are planar, n x c x h x w; M = n h w. Sums are formed sample by sample, in order.
 */
#ifndef HY_PERTURB_CONSISTENCY_H
#define HY_PERTURB_CONSISTENCY_H

#include "engine/ops.h"

enum { HY_MAX_VIEWS = 8 };

/*
 * sum_c p (log p - log q) / M with p = softmax(reference), a constant, and q = softmax(logits). grad (NULL or) += weight times its
 * gradient, (q - p) / M. partial: n values of scratch.
 */
double hy_kl(const float *reference, const float *logits, int64_t n, int64_t c, int64_t hw, double weight, float *grad,
             double *partial);

/*
 * Mean over the classes but the first of 1/2 (MSE of the Sobel gradients along x of q_c and p_c + the same along y), zero padding,
 * p and q as above (Chen et al., "Realistic adversarial data augmentation for MR image segmentation", MICCAI 2020). scratch:
 * HY_CONTOUR_SCRATCH floats for each value of logits.
 */
enum { HY_CONTOUR_SCRATCH = 3 };
double hy_contour(const float *reference, const float *logits, int64_t n, int64_t c, int64_t h, int64_t w, double weight,
                  float *grad, float *scratch, double *partial);

/*
 * One view's divergence from the mean of all, before any weight: sum_c p_i (log p_i - log m) / M, m = mean of all p_i within
 * [1e-8, 1] (Hendrycks et al., AugMix, ICLR 2020), into out[i]. grads[i] (grads NULL or) += weight times the gradient of the mean
 * over views by view i's logits. partial: n * n_views values of scratch.
 */
void hy_views_divergence(const float *const *logits, int n_views, int64_t n, int64_t c, int64_t hw, double weight,
                         float *const *grads, double *partial, double *out);

/* A divergence at run time. */
typedef struct hy_divergence {
	const char *name;       /* in messages */
	double w_kl, w_contour; /* weights, in the gradient too; contour only when recorded with w_contour > 0 */
	double value;           /* w_kl KL + w_contour contour */
	double kl, contour;     /* without weights */
} hy_divergence;

/* Adds its gradient to that of logits; none flows into reference. */
void hy_op_divergence(hy_tape *t, int logits, int reference, hy_divergence *d);

typedef struct hy_views {
	const char *name;
	int n;
	double weight;                                 /* of the mean over views */
	double value;                                  /* weighted */
	int logits[HY_MAX_VIEWS], grads[HY_MAX_VIEWS]; /* values, filled in when recorded */
} hy_views;

/* Adds its gradients to those of the views' logits. */
void hy_op_views(hy_tape *t, const int *logits, int n_views, hy_views *v);

#endif
