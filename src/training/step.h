/*
 * step.h: one training step: standard, and with hard examples from whatever the recipe is composed of.
 *
 * Numbers of equations are those of Chen et al., "Cooperative training and latent space data augmentation for robust medical
 * image segmentation", MICCAI 2021.
 */
#ifndef HY_TRAINING_STEP_H
#define HY_TRAINING_STEP_H

#include "perturb/latent.h"
#include "training/perturbation.h"

/* The terms of the loss, as they are added up: eight of the method, four of all other perturbations together, one of unlabelled slices. */
enum hy_term {
	HY_TERM_SEG,        /* CE(p, y) */
	HY_TERM_REC,        /* 1/2 MSE(x0, x) */
	HY_TERM_SHAPE_GT,   /* CE(y0, y) */
	HY_TERM_SHAPE_PRED, /* CE(p0, y) */
	HY_TERM_HARD_SEG,
	HY_TERM_HARD_REC,
	HY_TERM_HARD_SHAPE_PRED,
	HY_TERM_HARD_P, /* CE(STN(softmax(p^ / 2)), y) */
	HY_TERM_PERTURBED_SEG,
	HY_TERM_PERTURBED_REC,
	HY_TERM_PERTURBED_SHAPE,
	HY_TERM_PERTURBED_CONSISTENCY,
	HY_TERM_UNLABELLED, /* of unlabelled slices, against a teacher's labels */
	HY_N_TERMS
};
extern const char *const hy_term_names[HY_N_TERMS];

enum { HY_MAX_PERTURBATIONS = 8 };

typedef struct hy_step_options {
	int64_t batch, height, width;
	uint64_t seed;
	bool cooperative;
	double weight, probability; /* of the hard examples from latent masks: 1, 1 */
	bool use_p_hat;             /* the hard example p^ too ("x^ and p^"); false: x^ only */
	bool separate;              /* no gradient from the STN into the FTN */
	double noise;               /* standard deviation of the FTN's input noise: 0.05 */
	float w_ce, w_dice;         /* each cross-entropy term is w_ce CE + w_dice (1 - soft Dice): 1, 0 */
	int64_t unlabelled;         /* slices that hy_step_unlabelled gives beside the batch; 0: none */
	hy_mask_options mask_i, mask_s;
	int n_perturbations; /* besides latent masks */
	hy_perturbation_options perturbations[HY_MAX_PERTURBATIONS];
	double beta1, beta2, eps; /* Adam: 0.9, 0.999, 1e-8 */
	double decay;             /* of weights, decoupled; 0 */
	hy_tape_options engine;
	const hy_ranks
	    *ranks; /* that share batch, and unlabelled: each has its samples of them (dataset/batch.h); NULL: this one has all */
	bool norm_local; /* batch norm's statistics are those of a rank's own samples; false: of the batch */
} hy_step_options;

void hy_step_options_init(hy_step_options *o); /* as published; batch, height and width are the caller's */

typedef struct hy_step hy_step;

hy_step *hy_step_new(hy_network *network, const hy_step_options *o, hardy_error *err); /* network stays the caller's */
void hy_step_free(hy_step *s);
bool hy_step_has_term(const hy_step *s, enum hy_term term); /* whether the recipe has it */
void hy_step_set_beta1(hy_step *s, double beta1);           /* schedules that cycle it: before each step */

/*
 * For the steps from now on: options.unlabelled slices, input and labels in the form of a batch, HY_NO_LABEL where a pixel has none, and
 * the weight of their loss (0: they take no part). They stay the caller's and are read during hy_step_run. NULL and 0 end it.
 */
void hy_step_unlabelled(hy_step *s, const float *input, const uint8_t *label, double weight);

/*
 * One step: noise, gradients, Adam. image: batch x channels x height x width in [0, 1]; input: what the FTN sees of it before the
 * noise, randomised or the very same; label: batch x height x width class indices. iteration selects the random streams. Deterministic for a given seed, iteration and machine. terms: HY_N_TERMS
 * values; unused ones are 0. A non-finite loss is an error; the parameters are then unchanged. With several ranks image, input and label are
 * this rank's samples, and terms and parameters are the same on all.
 */
hardy_status hy_step_run(hy_step *s, const float *input, const float *image, const uint8_t *label, int64_t iteration,
                         double learning_rate, double *terms, hardy_error *err);

/* Masks given instead of drawn (tests, figures): data as in hy_mask. */
typedef struct hy_step_masks {
	hy_mask i, s;
} hy_step_masks;

/* The gradients alone, without those of other ranks, into network->params.grads (overwritten); noisy is the FTN's input. masks NULL: drawn. */
hardy_status hy_step_gradients(hy_step *s, const float *noisy, const float *image, const uint8_t *label,
                               const hy_step_masks *masks, int64_t iteration, double *terms, hardy_error *err);

/* What the last step left: hard examples x^ (after the sigmoid) and p^ (logits), and the scores of both codes. NULL when
 * standard. */
const float *hy_step_x_hat(const hy_step *s);
const float *hy_step_p_hat(const hy_step *s);
const float *hy_step_score(const hy_step *s, bool of_z_s, bool spatial);
const hy_perturbation *hy_step_perturbation(const hy_step *s, int i); /* of the options' list */
hy_tape *hy_step_tape(hy_step *s);                                    /* for profiles and memory figures */

#endif
