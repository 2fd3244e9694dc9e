/*
 * perturb_adversarial.c: images changed so that the prediction changes most: adversarial noise and adversarial bias fields.
 *
 * Three passes follow the search for the image: an inner one with running statistics, from which only the image's gradient is wanted;
 * the consistency of the prediction on the changed image with that of the standard pass; and hard-example training on it.
 */
#include "training/perturbation.h"

#include "base/memory.h"
#include "perturb/adv_bias.h"
#include "perturb/adv_noise.h"
#include "perturb/consistency.h"
#include "perturb/rescale.h"

#include <math.h>
#include <string.h>

/* Both kinds' memory; of one kind some is unused. */
typedef struct adversary {
	int64_t n, c, hw, count;   /* of images; count = n c hw */
	float *image;              /* owned: the changed image, input of the inner and the consistency pass */
	float *unit;               /* owned: the same scaled to [0, 1], input of hard-example training */
	float *moved, *direction;  /* owned, noise: before scaling; d */
	float *low, *high;         /* owned, noise: ranges of the clean images */
	float *points, *on_points; /* owned, bias: control points and their gradient */
	float *field;              /* owned, bias */
	hy_bias bias;
	int gradient; /* value: of the inner divergence by the image */
	hy_divergence inner, consistency;
	int inner_segment, consistency_segment, example_segment;
} adversary;

static void clear_adversary(hy_perturbation *p)
{
	adversary *a = p->own;
	if (!a)
		return;
	hy_free_aligned(a->image);
	hy_free_aligned(a->unit);
	hy_free(a->moved);
	hy_free(a->direction);
	hy_free(a->low);
	hy_free(a->high);
	hy_free(a->points);
	hy_free(a->on_points);
	hy_free(a->field);
	hy_bias_clear(&a->bias);
	hy_free(a);
}

/* The prediction's divergence from the standard pass's, with batch norm as set. Returns the logits' first node. */
static void record_divergence(hy_passes *s, int x, hy_divergence *d, int flags)
{
	hy_tape *t = &s->tape;
	hy_tape_gradients_begin(t);
	const int from = hy_tape_mark(t);
	const int p = hy_network_forward(t, s->network, x).p;
	hy_op_divergence(t, p, s->p, d);
	hy_tape_back(t, from, hy_tape_mark(t), flags);
}

static int input(const hy_perturbation *p, float *data, bool with_gradient)
{
	hy_passes *s = p->passes;
	const int v = hy_tape_input(&s->tape, s->batch, s->network->config.channels, s->height, s->width);
	if (v >= 0) {
		s->tape.values[v].data = data;
		s->tape.values[v].constant = !with_gradient;
	}
	return v;
}

static void record_passes(hy_perturbation *p)
{
	hy_passes *s = p->passes;
	hy_tape *t = &s->tape;
	adversary *a = p->own;
	const double kl = hy_pass_share(s, hy_perturbation_value(p, "kl")),
	             contour = hy_pass_share(s, hy_perturbation_value(p, "contour")), weight = p->o.weight;
	a->inner = (hy_divergence){.name = "inner divergence", .w_kl = kl, .w_contour = contour};
	a->consistency = (hy_divergence){.name = "consistency", .w_kl = weight * kl, .w_contour = weight * contour};
	p->seg[0] = hy_pass_classes_loss(s, "adversarial seg", weight);
	p->rec = hy_pass_image_loss(s, "adversarial rec", weight);
	p->shape[0] = hy_pass_classes_loss(s, "adversarial shape", weight);
	p->has_consistency = true;
	hy_tape_keep(t, s->p);

	const int x = input(p, a->image, true);
	hy_pass_norm(s, HY_NORM_RUNNING, true);
	a->inner_segment = hy_tape_segment(t);
	record_divergence(s, x, &a->inner, 0);
	a->gradient = hy_tape_gradient(t, x);
	hy_tape_keep(t, a->gradient);

	hy_pass_norm(s, HY_NORM_BATCH, true);
	a->consistency_segment = hy_tape_segment(t);
	record_divergence(s, input(p, a->image, false), &a->consistency, HY_PASS_TRAIN);
	a->example_segment = hy_tape_segment(t);
	hy_pass_example(s, input(p, a->unit, false), &p->seg[0], &p->rec, &p->shape[0]);
}

/* Memory for images; the kind adds its own and records. */
static adversary *make(hy_perturbation *p, hardy_error *err)
{
	const hy_passes *s = p->passes;
	adversary *a = p->own = hy_calloc(1, sizeof *a);
	if (!a) {
		hy_fail_memory(err, "an adversary", 1, sizeof *a);
		return NULL;
	}
	a->n = s->batch;
	a->c = s->network->config.channels;
	a->hw = s->height * s->width;
	a->count = a->n * a->c * a->hw;
	a->image = hy_alloc_aligned((size_t)a->count, sizeof *a->image);
	a->unit = hy_alloc_aligned((size_t)a->count, sizeof *a->unit);
	if (a->image && a->unit)
		return a;
	hy_fail_memory(err, "changed images", (size_t)a->count, sizeof *a->image);
	return NULL;
}

/* The gradient of the inner divergence by a->image. */
static hardy_status look(hy_perturbation *p, int iteration, float **gradient, hardy_error *err)
{
	const adversary *a = p->own;
	*gradient = hy_tape_planar(&p->passes->tape, a->gradient);
	const hardy_status status = hy_tape_run(&p->passes->tape, a->inner_segment, err);
	p->search[1] = a->inner.value;
	if (iteration == 0)
		p->search[0] = a->inner.value;
	return status;
}

/* What follows once a->image is found. */
static hardy_status train(hy_perturbation *p, hardy_error *err)
{
	adversary *a = p->own;
	hy_rescale_unit(a->image, a->n * a->c, a->hw, a->unit);
	p->example = a->unit;
	hardy_status status = hy_tape_run(&p->passes->tape, a->consistency_segment, err);
	if (!status)
		status = hy_tape_run(&p->passes->tape, a->example_segment, err);
	p->consistency = a->consistency.value;
	return status;
}

/* ---- noise -------------------------------------------------------------------------------------------------------------- */

enum { RESCALE, CLAMP, LEAVE };

static const hy_parameter noise_parameters[] = {
    {"epsilon", 0.1, 0, 1000, false, NULL},                /* length of the noise of an image */
    {"xi", 1e-6, 1e-12, 1000, false, NULL},                /* length of the probe */
    {"iterations", 1, 0, 20, true, NULL},                  /* 0: at random */
    {"range", RESCALE, 0, 0, true, "rescale|clamp|leave"}, /* how the image's range is kept */
    {"kl", 1, 0, 1000, false, NULL},
    {"contour", 0, 0, 1000, false, NULL},
    {NULL, 0, 0, 0, false, NULL},
};

/* The range of all images of the batch is kept. */
static bool noise_mixes(const double *values)
{
	return values[3] == CLAMP;
}

static hardy_status record_noise(hy_perturbation *p, hardy_error *err)
{
	adversary *a = make(p, err);
	if (!a)
		return HARDY_ERROR_MEMORY;
	a->moved = hy_alloc((size_t)a->count, sizeof *a->moved);
	a->direction = hy_alloc((size_t)a->count, sizeof *a->direction);
	a->low = hy_alloc((size_t)a->n, sizeof *a->low);
	a->high = hy_alloc((size_t)a->n, sizeof *a->high);
	if (!a->moved || !a->direction || !a->low || !a->high)
		return hy_fail_memory(err, "adversarial noise", (size_t)a->count, sizeof *a->moved);
	record_passes(p);
	return HARDY_OK;
}

/* a->image = x + length d, in the range of x. */
static void disturb(const hy_perturbation *p, double length, int range)
{
	const adversary *a = p->own;
	const float *x = p->passes->image;
	float *to = range == RESCALE ? a->moved : a->image;
	hy_noise_add(x, a->direction, length, a->count, to);
	if (range == RESCALE)
		hy_rescale(a->moved, a->low, a->high, a->n, a->c * a->hw, a->image);
	else if (range == CLAMP)
		hy_noise_clamp(a->image, x, a->count, a->image);
}

static hardy_status run_noise(hy_perturbation *p, int64_t iteration, hardy_error *err)
{
	const hy_passes *s = p->passes;
	adversary *a = p->own;
	const int64_t size = a->c * a->hw;
	const int range = (int)hy_perturbation_value(p, "range");
	for (int64_t i = 0; i < a->n; i++) {
		hy_rng g = hy_perturbation_rng(p, iteration, (uint64_t)hy_pass_sample(p->passes, i));
		for (int64_t k = i * size; k < (i + 1) * size; k++)
			a->direction[k] = (float)hy_rng_normal(&g);
	}
	hy_noise_unit(a->direction, a->n, size, a->direction);
	hy_rescale_range(s->image, a->n, size, a->low, a->high);
	for (int k = 0; k < (int)hy_perturbation_value(p, "iterations"); k++) {
		float *g;
		disturb(p, hy_perturbation_value(p, "xi"), range);
		const hardy_status status = look(p, k, &g, err);
		if (status)
			return status;
		if (range == RESCALE)
			hy_rescale_back(a->moved, g, a->low, a->high, a->n, size, g);
		hy_noise_unit(g, a->n, size, a->direction); /* xi, a factor of the gradient, drops out */
	}
	disturb(p, hy_perturbation_value(p, "epsilon"), range);
	return train(p, err);
}

const hy_perturbation_kind hy_perturb_adv_noise = {
    .name = "adv-noise",
    .summary = "adversarial noise, and consistent predictions",
    .stream = 4,
    .parameters = noise_parameters,
    .mixes = noise_mixes,
    .record = record_noise,
    .run = run_noise,
    .clear = clear_adversary,
};

/* ---- bias field --------------------------------------------------------------------------------------------------------- */

enum { LOG_SPACE, LINEAR_SPACE };
enum { BOX, SPHERE };

static const hy_parameter bias_parameters[] = {
    {"epsilon", 0.4, 0.001, 0.99, false, NULL}, /* the field lies within 1 - epsilon .. 1 + epsilon */
    {"spacing", 0.5, 0.01, 1, false, NULL},     /* of control points, in sides of the image */
    {"downscale", 2, 1, 16, false, NULL},
    {"space", LOG_SPACE, 0, 0, true, "log|linear"},
    {"points", BOX, 0, 0, true, "box|sphere"}, /* sphere: of length 1 for each sample, as in advchain of August 2021 */
    {"iterations", 1, 0, 20, true, NULL},      /* 0: at random */
    {"step", 1, 0, 1000, false, NULL},
    {"decay", 1, 0, 1, true, NULL}, /* step / sqrt(1 + i) at iteration i */
    {"kl", 1, 0, 1000, false, NULL},
    {"contour", 0.5, 0, 1000, false, NULL},
    {NULL, 0, 0, 0, false, NULL},
};

enum { EPSILON, SPACING, DOWNSCALE, SPACE };

static hy_bias_options bias_options(const double *values, int64_t height, int64_t width)
{
	return (hy_bias_options){
	    .epsilon = values[EPSILON],
	    .spacing = {floor(values[SPACING] * (double)height), floor(values[SPACING] * (double)width)},
	    .downscale = values[DOWNSCALE],
	    .log_space = values[SPACE] == LOG_SPACE,
	};
}

static hardy_status check_bias(const double *values, int64_t height, int64_t width, hardy_error *err)
{
	const hy_bias_options o = bias_options(values, height, width);
	hy_bias b;
	const hardy_status status = hy_bias_init(&b, &o, 1, height, width, err);
	if (status)
		return hy_prefix(err, status, "adv-bias");
	hy_bias_clear(&b);
	return HARDY_OK;
}

static hardy_status record_bias(hy_perturbation *p, hardy_error *err)
{
	const hy_passes *s = p->passes;
	adversary *a = make(p, err);
	if (!a)
		return HARDY_ERROR_MEMORY;
	const hy_bias_options o = bias_options(p->o.values, s->height, s->width);
	const hardy_status status = hy_bias_init(&a->bias, &o, a->n, s->height, s->width, err);
	if (status)
		return status;
	const size_t n_points = (size_t)(a->bias.y.n * a->bias.x.n);
	a->points = hy_alloc((size_t)a->n, n_points * sizeof *a->points);
	a->on_points = hy_alloc((size_t)a->n, n_points * sizeof *a->on_points);
	a->field = hy_alloc((size_t)a->n, (size_t)a->hw * sizeof *a->field);
	if (!a->points || !a->on_points || !a->field)
		return hy_fail_memory(err, "bias fields", (size_t)a->n, (size_t)a->hw * sizeof *a->field);
	record_passes(p);
	return HARDY_OK;
}

static void shade(const hy_perturbation *p)
{
	adversary *a = p->own;
	hy_bias_field(&a->bias, a->points, a->n, a->field);
	hy_bias_apply(p->passes->image, a->field, a->n, a->c, a->hw, a->image);
}

static void draw_points(const hy_perturbation *p, int64_t iteration, bool sphere)
{
	adversary *a = p->own;
	const int64_t n_points = a->bias.y.n * a->bias.x.n;
	for (int64_t i = 0; i < a->n; i++) {
		hy_rng g = hy_perturbation_rng(p, iteration, (uint64_t)hy_pass_sample(p->passes, i));
		hy_bias_draw(&a->bias, &g, a->points + i * n_points);
	}
	if (sphere) { /* from U(-epsilon, epsilon), of which only the direction is left */
		for (int64_t k = 0; k < a->n * n_points; k++) {
			const double low = a->bias.low, high = a->bias.high;
			a->points[k] = (float)(((double)a->points[k] - low) / (high - low) * 2 - 1);
		}
		hy_noise_unit(a->points, a->n, n_points, a->points);
	}
}

static hardy_status run_bias(hy_perturbation *p, int64_t iteration, hardy_error *err)
{
	const hy_passes *s = p->passes;
	adversary *a = p->own;
	const bool sphere = hy_perturbation_value(p, "points") == SPHERE, decay = hy_perturbation_value(p, "decay") != 0;
	const int64_t n_points = a->bias.y.n * a->bias.x.n;
	draw_points(p, iteration, sphere);
	for (int k = 0; k < (int)hy_perturbation_value(p, "iterations"); k++) {
		const double step = hy_perturbation_value(p, "step") / (decay ? sqrt(k + 1) : 1);
		float *g;
		shade(p);
		const hardy_status status = look(p, k, &g, err);
		if (status)
			return status;
		hy_bias_apply_back(s->image, g, a->n, a->c, a->hw, a->field);
		hy_bias_back(&a->bias, a->points, a->field, a->n, a->on_points);
		hy_bias_move(&a->bias, a->points, a->on_points, step, a->n);
		if (sphere)
			hy_noise_unit(a->points, a->n, n_points, a->points);
	}
	if (!sphere)
		hy_bias_clamp(&a->bias, a->points, a->n);
	shade(p);
	return train(p, err);
}

const hy_perturbation_kind hy_perturb_adv_bias = {
    .name = "adv-bias",
    .summary = "an adversarial bias field, and consistent predictions",
    .stream = 5,
    .parameters = bias_parameters,
    .check = check_bias,
    .record = record_bias,
    .run = run_bias,
    .clear = clear_adversary,
};
