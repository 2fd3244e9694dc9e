/*
 * perturbation.h: ways to make an example harder, behind one interface: what a recipe is composed of.
 *
 * A kind knows its parameters, allocates what it needs, records its passes on the step's tape behind the standard pass, and at each
 * step makes the hard example and runs them. Its losses, times its weight, add to the step's; its gradients to the others'. It keeps
 * nothing from one step to the next: what it draws depends on seed, step and kind alone.
 *
 * Latent masking ("cooperative") is a kind too; its passes are the step's own (step.c). So are changes of the batches ("randomise" and its
 * like), which have none.
 */
#ifndef HY_TRAINING_PERTURBATION_H
#define HY_TRAINING_PERTURBATION_H

#include "training/passes.h"

enum { HY_MAX_PARAMETERS = 16 };

typedef struct hy_parameter {
	const char *name;
	double usual, low, high; /* as published; range */
	bool whole;              /* a whole number */
	const char *choices;     /* "a|b|c": the value is the index of a choice; NULL */
} hy_parameter;

typedef struct hy_perturbation hy_perturbation;

typedef struct hy_perturbation_kind {
	const char *name, *summary;
	uint32_t stream; /* its own random numbers: unlike any other kind's, and never changed */
	bool of_batches; /* the batches are made with it (dataset/randomise.h): it has no passes, weight or probability */
	enum {
		HY_NEEDS_NOTHING,
		HY_NEEDS_STUDY /* codes, an image decoder, or names of layers: the study's networks */
	} needs;
	const hy_parameter *parameters; /* ends with a NULL name */
	/* Whether it can work with these parameters (all in range) on this grid; the error says why not. NULL: always. */
	hardy_status (*check)(const double *values, int64_t height, int64_t width, hardy_error *err);
	/* Whether, with these parameters, the example made of a slice depends on other slices of the batch. NULL: never. */
	bool (*mixes)(const double *values);
	/* Allocates and records; what record began to allocate, clear releases. NULL: the step itself does. */
	hardy_status (*record)(hy_perturbation *p, hardy_error *err);
	hardy_status (*run)(hy_perturbation *p, int64_t iteration, hardy_error *err);
	void (*clear)(hy_perturbation *p);
} hy_perturbation_kind;

extern const hy_perturbation_kind *const hy_perturbation_kinds[]; /* ends with NULL */
const hy_perturbation_kind *hy_perturbation_find(const char *name);
/* The index of a kind's parameter, or -1. */
int hy_parameter_find(const hy_perturbation_kind *kind, const char *name);

/* One member of a composition. */
typedef struct hy_perturbation_options {
	const hy_perturbation_kind *kind;
	double weight, probability; /* of its loss; that it takes part in a step */
	double values[HY_MAX_PARAMETERS];
} hy_perturbation_options;

void hy_perturbation_options_init(hy_perturbation_options *o, const hy_perturbation_kind *kind);

struct hy_perturbation {
	hy_perturbation_options o;
	hy_passes *passes;
	void *own;                     /* of the kind */
	hy_loss seg[2], rec, shape[2]; /* weighted; those that the kind uses have a name */
	bool has_consistency;
	double consistency; /* weighted */
	/* What the last run left, for figures and tests: the changed images, n x c x h x w (NULL where only features change), and what a
	 * search maximises, at its first and its last look. */
	const float *example;
	double search[2];
};

/* Allocates and records, with passes' standard pass recorded before. Release with clear, whatever the result. */
hardy_status hy_perturbation_init(hy_perturbation *p, const hy_perturbation_options *o, hy_passes *passes, hardy_error *err);
void hy_perturbation_clear(hy_perturbation *p);

/* Takes part in this step with its probability: makes the hard example, runs the passes. */
hardy_status hy_perturbation_run(hy_perturbation *p, int64_t iteration, hardy_error *err);

/* Whether a member of this kind and probability takes part in the step. */
bool hy_perturbation_takes_part(const hy_perturbation_options *o, uint64_t seed, int64_t iteration);

/* For kinds: random numbers of this step; part 0 for the whole batch, others as the kind likes. */
hy_rng hy_perturbation_rng(const hy_perturbation *p, int64_t iteration, uint64_t part);
double hy_perturbation_value(const hy_perturbation *p, const char *name);

extern const hy_perturbation_kind hy_perturb_latent, hy_perturb_randomise, hy_perturb_lines, hy_perturb_waves, hy_perturb_mwm,
    hy_perturb_randconv, hy_perturb_adv_noise, hy_perturb_adv_bias, hy_perturb_rsc, hy_perturb_mixstyle, hy_perturb_dsu,
    hy_perturb_maxstyle;

#endif
