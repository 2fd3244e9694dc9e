/*
 * perturbation.c: the table of perturbations, and what they have in common.
 */
#include "training/perturbation.h"

#include <string.h>

/* Chen et al., MICCAI 2021: masks of both latent codes; step.c records and runs them. */
static const hy_parameter latent_parameters[] = {
    {"scheme_image", 0, 0, 0, true, "random|dropout|channel|spatial"},
    {"scheme_shape", 0, 0, 0, true, "random|dropout|channel|spatial"},
    {"hard_masks", 0, 0, 1, true, NULL},
    {"threshold_low", 0, 0, 1, false, NULL},
    {"threshold_high", 0.5, 0, 1, false, NULL},
    {"only_x_hat", 0, 0, 1, true, NULL},
    {NULL, 0, 0, 0, false, NULL},
};

const hy_perturbation_kind hy_perturb_latent = {
    .name = "cooperative",
    .summary = "hard examples from masked latent codes",
    .needs = HY_NEEDS_STUDY,
    .stream = 1,
    .parameters = latent_parameters,
};

/*
 * Images as other scanners might have made them; the order is that of the enum in recipe.c. Shading, weakened lines of k-space and plane
 * waves resemble artefacts that models are tested with: shading is a parameter that is 0 unless given, the others are members of their own,
 * so that a result on such artefacts without them is one on artefacts never seen.
 */
static const hy_parameter randomise_parameters[] = {
    {"share", 1, 0, 1, false, NULL},
    {"share_plain", 0.5, 0, 1, false, NULL},
    {"target", 0, 0, 0, true, "clean|same"},
    {"strength", 1, 0, 4, false, NULL},
    {"curve", 0.5, 0, 1, false, NULL},
    {"invert", 0, 0, 1, false, NULL},
    {"clip", 0.3, 0, 1, false, NULL},
    {"sharpness", 0.4, 0, 1, false, NULL},
    {"noise", 0.3, 0, 1, false, NULL},
    {"shade", 0, 0, 1, false, NULL},
    {NULL, 0, 0, 0, false, NULL},
};

static const hy_parameter lines_parameters[] = {{"share", 0.3, 0, 1, false, NULL}, {NULL, 0, 0, 0, false, NULL}};
static const hy_parameter waves_parameters[] = {
    {"share", 0.3, 0, 1, false, NULL}, {"strength", 3, 0, 10, false, NULL}, {NULL, 0, 0, 0, false, NULL}};

const hy_perturbation_kind hy_perturb_randomise = {
    .name = "randomise",
    .summary = "images as other scanners might have made them",
    .stream = 10,
    .of_batches = true,
    .parameters = randomise_parameters,
};

const hy_perturbation_kind hy_perturb_lines = {
    .name = "lines",
    .summary = "images with weakened lines of k-space",
    .stream = 12,
    .of_batches = true,
    .parameters = lines_parameters,
};

const hy_perturbation_kind hy_perturb_waves = {
    .name = "waves",
    .summary = "images with plane waves on them",
    .stream = 13,
    .of_batches = true,
    .parameters = waves_parameters,
};

const hy_perturbation_kind *const hy_perturbation_kinds[] = {
    &hy_perturb_latent,
    &hy_perturb_randomise,
    &hy_perturb_lines,
    &hy_perturb_waves,
    &hy_perturb_mwm,
    &hy_perturb_randconv,
    &hy_perturb_adv_noise,
    &hy_perturb_adv_bias,
    &hy_perturb_rsc,
    &hy_perturb_mixstyle,
    &hy_perturb_dsu,
    &hy_perturb_maxstyle,
    NULL,
};

const hy_perturbation_kind *hy_perturbation_find(const char *name)
{
	for (int i = 0; hy_perturbation_kinds[i]; i++)
		if (!strcmp(hy_perturbation_kinds[i]->name, name))
			return hy_perturbation_kinds[i];
	return NULL;
}

int hy_parameter_find(const hy_perturbation_kind *kind, const char *name)
{
	for (int i = 0; kind->parameters[i].name; i++)
		if (!strcmp(kind->parameters[i].name, name))
			return i;
	return -1;
}

void hy_perturbation_options_init(hy_perturbation_options *o, const hy_perturbation_kind *kind)
{
	*o = (hy_perturbation_options){.kind = kind, .weight = 1, .probability = 1};
	for (int i = 0; kind->parameters[i].name; i++)
		o->values[i] = kind->parameters[i].usual;
}

/* ---- one at work ---- */

hardy_status hy_perturbation_init(hy_perturbation *p, const hy_perturbation_options *o, hy_passes *passes, hardy_error *err)
{
	*p = (hy_perturbation){.o = *o, .passes = passes};
	return o->kind->record(p, err);
}

void hy_perturbation_clear(hy_perturbation *p)
{
	if (p->o.kind && p->o.kind->clear)
		p->o.kind->clear(p);
	memset(p, 0, sizeof *p);
}

static void begin_loss(hy_loss *l, const uint8_t *label)
{
	l->label = label;
	l->value = l->dice = 0;
}

hardy_status hy_perturbation_run(hy_perturbation *p, int64_t iteration, hardy_error *err)
{
	const uint8_t *label = p->passes->label;
	for (int i = 0; i < 2; i++) {
		begin_loss(&p->seg[i], label);
		begin_loss(&p->shape[i], label);
	}
	begin_loss(&p->rec, label);
	p->consistency = 0;
	if (!hy_perturbation_takes_part(&p->o, p->passes->seed, iteration))
		return HARDY_OK;
	const hardy_status status = p->o.kind->run(p, iteration, err);
	return status ? hy_prefix(err, status, "%s", p->o.kind->name) : HARDY_OK;
}

/* A stream: the kind in the upper half; part 0 of the next one decides whether it takes part. */
static hy_rng stream(uint64_t seed, int64_t iteration, uint32_t kind, uint64_t part)
{
	return hy_rng_make(seed, HY_RNG_PERTURB, (uint64_t)iteration, ((uint64_t)kind << 32) + part);
}

bool hy_perturbation_takes_part(const hy_perturbation_options *o, uint64_t seed, int64_t iteration)
{
	if (o->probability >= 1)
		return true;
	hy_rng g = stream(seed, iteration, o->kind->stream | 0x80000000u, 0);
	return hy_rng_uniform(&g) < o->probability;
}

hy_rng hy_perturbation_rng(const hy_perturbation *p, int64_t iteration, uint64_t part)
{
	return stream(p->passes->seed, iteration, p->o.kind->stream, part);
}

double hy_perturbation_value(const hy_perturbation *p, const char *name)
{
	return p->o.values[hy_parameter_find(p->o.kind, name)];
}
