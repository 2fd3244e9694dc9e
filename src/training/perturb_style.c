/*
 * perturb_style.c: feature styles changed within the network: MixStyle and DSU in the image encoder, MaxStyle in the image decoder.
 */
#include "training/perturbation.h"

#include "base/memory.h"
#include "perturb/maxstyle.h"
#include "perturb/rescale.h"

#include <stdio.h>
#include <string.h>

enum { MAX_LAYERS = 6 };

/* A place where styles are changed, and what is drawn for it. */
typedef struct layer {
	hy_restyle restyle;
	hy_maxstyle max;
	size_t *other;                    /* owned, MixStyle: whose style is mixed in */
	double *lambda;                   /* owned, MixStyle: n */
	double *on_mean, *on_sd, *spread; /* owned, DSU: n c, n c, c */
} layer;

typedef struct styles {
	layer layers[MAX_LAYERS + 1]; /* by index as published; unused ones have no style */
	int first, last;
	const char *const *taps; /* names of the layers that lie within the network */
	int first_node;          /* the first re-styling's */
	hy_loss ascent;          /* MaxStyle: minus the cross-entropy */
	int image;               /* MaxStyle, value: the decoded image */
	int inner_segment, decode_segment, train_segment;
} styles;

static void clear(hy_perturbation *p)
{
	styles *s = p->own;
	for (int i = 0; s && i <= MAX_LAYERS; i++) {
		layer *l = &s->layers[i];
		hy_style_clear(&l->restyle.style);
		hy_maxstyle_clear(&l->max);
		hy_free(l->other);
		hy_free(l->lambda);
		hy_free(l->on_mean);
		hy_free(l->on_sd);
		hy_free(l->spread);
	}
	hy_free(s);
}

static hardy_status check_layers(const hy_perturbation_kind *kind, const double *values, hardy_error *err)
{
	const double first = values[hy_parameter_find(kind, "first_layer")], last = values[hy_parameter_find(kind, "last_layer")];
	if (first > last)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: layers are %g to %g, want the first at most the last", kind->name, first,
		               last);
	return HARDY_OK;
}

/* Re-styles a named inner value while the network is recorded. */
static int tap(void *payload, hy_tape *t, const char *name, int value)
{
	styles *s = payload;
	for (int i = s->first; i <= s->last; i++)
		if (s->taps[i] && !strcmp(s->taps[i], name))
			return hy_op_restyle(t, value, &s->layers[i].restyle);
	return value;
}

static void listen(hy_tape *t, styles *s)
{
	t->tap = s ? tap : NULL;
	t->tap_payload = s;
}

/* A value that no tap names: re-styled when it is one of the layers. */
static int restyle_here(hy_tape *t, styles *s, int i, int value)
{
	return i >= s->first && i <= s->last ? hy_op_restyle(t, value, &s->layers[i].restyle) : value;
}

static styles *make(hy_perturbation *p, const char *const *taps, const int64_t *channels, double eps,
                    void (*choose)(hy_restyle *r), hardy_error *err)
{
	styles *s = p->own = hy_calloc(1, sizeof *s);
	if (!s) {
		hy_fail_memory(err, "feature styles", 1, sizeof *s);
		return NULL;
	}
	s->taps = taps;
	s->first = (int)hy_perturbation_value(p, "first_layer");
	s->last = (int)hy_perturbation_value(p, "last_layer");
	for (int i = s->first; i <= s->last; i++) {
		hy_restyle *r = &s->layers[i].restyle;
		const int64_t c = channels[i] ? channels[i] : p->passes->network->config.channels;
		if (hy_style_init(&r->style, p->passes->batch, c, err))
			return NULL;
		r->eps = eps;
		r->choose = choose;
		r->payload = &s->layers[i];
	}
	return s;
}

/* All three take a style from another slice, or measure how styles spread over the batch. */
static bool mixes(const double *values)
{
	(void)values;
	return true;
}

/* ---- MixStyle and DSU: the encoder's layers ----------------------------------------------------------------------------- */

static const char *const encoder_taps[MAX_LAYERS + 1] = {
    NULL,
    "image_encoder.general_encoder.inc",
    "image_encoder.general_encoder.down1",
    "image_encoder.general_encoder.down2",
    "image_encoder.general_encoder.down3",
    "image_encoder.general_encoder.down4",
    NULL, /* 6: the code itself */
};
static const int64_t encoder_channels[MAX_LAYERS + 1] = {0, 16, 32, 64, 128, 128, HY_CODE_CHANNELS};

/* On the noisy image, with batch statistics; nothing of batch norm trains. */
static void record_encoder_pass(hy_perturbation *p)
{
	hy_passes *s = p->passes;
	hy_tape *t = &s->tape;
	styles *own = p->own;
	p->seg[0] = hy_pass_classes_loss(s, "style seg", p->o.weight);
	p->rec = hy_pass_image_loss(s, "style rec", p->o.weight);
	p->shape[0] = hy_pass_classes_loss(s, "style shape", p->o.weight);
	hy_pass_norm(s, HY_NORM_BATCH, true);
	own->train_segment = hy_tape_segment(t);
	hy_tape_gradients_begin(t);
	const int encoder = hy_tape_mark(t);
	listen(t, own);
	const int z_i = restyle_here(t, own, 6, hy_ftn_encode(t, s->network, s->x_noisy));
	listen(t, NULL);
	const int logits = hy_ftn_segment(t, s->network, hy_ftn_decouple(t, s->network, z_i));
	const int decoded = hy_tape_mark(t);
	hy_pass_reconstruction(s, z_i, &p->rec);
	hy_op_cross_entropy(t, logits, &p->seg[0]);
	hy_pass_stn_on_prediction(s, logits, !s->separate, &p->shape[0]);
	hy_tape_back(t, encoder, decoded, HY_PASS_TRAIN);
}

static hy_rng draw_activity(hy_perturbation *p, int64_t iteration, int i)
{
	styles *s = p->own;
	hy_rng g = hy_perturbation_rng(p, iteration, (uint64_t)i);
	s->layers[i].restyle.active = hy_rng_uniform(&g) < hy_perturbation_value(p, "layer_probability");
	return g;
}

static const hy_parameter mixstyle_parameters[] = {
    {"layer_probability", 0.5, 0, 1, false, NULL}, {"beta", 0.1, 0.001, 1, false, NULL}, /* lambda ~ Beta(beta, beta) */
    {"first_layer", 1, 1, MAX_LAYERS, true, NULL}, {"last_layer", 3, 1, MAX_LAYERS, true, NULL}, {NULL, 0, 0, 0, false, NULL},
};

static hardy_status check_mixstyle(const double *values, int64_t height, int64_t width, hardy_error *err)
{
	(void)height, (void)width;
	return check_layers(&hy_perturb_mixstyle, values, err);
}

static void choose_mix(hy_restyle *r)
{
	const layer *l = r->payload;
	hy_style_mix(&r->style, l->lambda, l->other);
}

static hardy_status record_mixstyle(hy_perturbation *p, hardy_error *err)
{
	styles *s = make(p, encoder_taps, encoder_channels, 1e-8, choose_mix, err);
	if (!s)
		return HARDY_ERROR_MEMORY;
	const size_t n = (size_t)p->passes->batch;
	for (int i = s->first; i <= s->last; i++) {
		s->layers[i].other = hy_alloc(n, sizeof(size_t));
		s->layers[i].lambda = hy_alloc(n, sizeof(double));
		if (!s->layers[i].other || !s->layers[i].lambda)
			return hy_fail_memory(err, "feature styles", n, sizeof(double));
	}
	record_encoder_pass(p);
	return HARDY_OK;
}

static hardy_status run_mixstyle(hy_perturbation *p, int64_t iteration, hardy_error *err)
{
	styles *s = p->own;
	for (int i = s->first; i <= s->last; i++) {
		layer *l = &s->layers[i];
		hy_rng g = draw_activity(p, iteration, i);
		for (int64_t k = 0; k < p->passes->batch; k++)
			l->lambda[k] = hy_style_beta(&g, hy_perturbation_value(p, "beta"));
		hy_rng_permutation(&g, (size_t)p->passes->batch, l->other);
	}
	return hy_tape_run(&p->passes->tape, s->train_segment, err);
}

const hy_perturbation_kind hy_perturb_mixstyle = {
    .name = "mixstyle",
    .needs = HY_NEEDS_STUDY,
    .summary = "feature styles in the encoder mixed between samples",
    .stream = 7,
    .parameters = mixstyle_parameters,
    .mixes = mixes,
    .check = check_mixstyle,
    .record = record_mixstyle,
    .run = run_mixstyle,
    .clear = clear,
};

static const hy_parameter dsu_parameters[] = {
    {"layer_probability", 0.5, 0, 1, false, NULL},
    {"first_layer", 1, 1, MAX_LAYERS, true, NULL},
    {"last_layer", 6, 1, MAX_LAYERS, true, NULL},
    {NULL, 0, 0, 0, false, NULL},
};

static hardy_status check_dsu(const double *values, int64_t height, int64_t width, hardy_error *err)
{
	(void)height, (void)width;
	return check_layers(&hy_perturb_dsu, values, err);
}

static void choose_disturbed(hy_restyle *r)
{
	const layer *l = r->payload;
	hy_style_disturb(&r->style, l->on_mean, l->on_sd, l->spread);
}

static hardy_status record_dsu(hy_perturbation *p, hardy_error *err)
{
	styles *s = make(p, encoder_taps, encoder_channels, 1e-8, choose_disturbed, err);
	if (!s)
		return HARDY_ERROR_MEMORY;
	for (int i = s->first; i <= s->last; i++) {
		layer *l = &s->layers[i];
		const size_t c = (size_t)l->restyle.style.c, n = (size_t)p->passes->batch * c;
		l->on_mean = hy_alloc(n, sizeof(double));
		l->on_sd = hy_alloc(n, sizeof(double));
		l->spread = hy_alloc(c, sizeof(double));
		if (!l->on_mean || !l->on_sd || !l->spread)
			return hy_fail_memory(err, "feature styles", n, sizeof(double));
	}
	record_encoder_pass(p);
	return HARDY_OK;
}

static hardy_status run_dsu(hy_perturbation *p, int64_t iteration, hardy_error *err)
{
	styles *s = p->own;
	for (int i = s->first; i <= s->last; i++) {
		layer *l = &s->layers[i];
		const int64_t n = l->restyle.style.n * l->restyle.style.c;
		hy_rng g = draw_activity(p, iteration, i);
		for (int64_t k = 0; k < n; k++)
			l->on_mean[k] = hy_rng_normal(&g);
		for (int64_t k = 0; k < n; k++)
			l->on_sd[k] = hy_rng_normal(&g);
	}
	return hy_tape_run(&p->passes->tape, s->train_segment, err);
}

const hy_perturbation_kind hy_perturb_dsu = {
    .name = "dsu",
    .needs = HY_NEEDS_STUDY,
    .summary = "feature styles in the encoder with normal noise",
    .stream = 8,
    .parameters = dsu_parameters,
    .mixes = mixes,
    .check = check_dsu,
    .record = record_dsu,
    .run = run_dsu,
    .clear = clear,
};

/* ---- MaxStyle: the image decoder's layers ------------------------------------------------------------------------------- */

static const char *const decoder_taps[MAX_LAYERS + 1] = {
    NULL, /* 0: the code */
    "image_decoder.up1",
    "image_decoder.up2",
    "image_decoder.up3",
    "image_decoder.up4",
    NULL, /* 5: the image */
    NULL,
};
static const int64_t decoder_channels[MAX_LAYERS + 1] = {HY_CODE_CHANNELS, 64, 32, 16, 16, 0, 0}; /* 0: those of the image */

static const hy_parameter maxstyle_parameters[] = {
    {"layer_probability", 0.5, 0, 1, false, NULL},
    {"iterations", 5, 0, 50, true, NULL},
    {"rate", 0.1, 0, 1000, false, NULL}, /* of Adam */
    {"beta", 0, 0, 1, false, NULL},      /* start of lambda: Beta(beta, beta); 0: uniform */
    {"first_layer", 3, 0, 5, true, NULL},
    {"last_layer", 5, 0, 5, true, NULL},
    {NULL, 0, 0, 0, false, NULL},
};

static hardy_status check_maxstyle(const double *values, int64_t height, int64_t width, hardy_error *err)
{
	(void)height, (void)width;
	return check_layers(&hy_perturb_maxstyle, values, err);
}

static void choose_hardest(hy_restyle *r)
{
	layer *l = r->payload;
	hy_maxstyle_choose(&l->max, &r->style);
}

/* D_i(z_i) with changed styles; *first is the first re-styling's node. */
static int decode(hy_passes *s, styles *own, int *first)
{
	hy_tape *t = &s->tape;
	*first = hy_tape_mark(t);
	const int z_i = restyle_here(t, own, 0, s->z_i);
	listen(t, own);
	const int x = hy_op_sigmoid(t, hy_ftn_reconstruct(t, s->network, z_i));
	listen(t, NULL);
	while (*first < hy_tape_mark(t) && strcmp(t->nodes[*first].name, "restyle") != 0)
		++*first;
	return restyle_here(t, own, 5, x);
}

/* Forward to the cross-entropy on the decoded image, and back to the styles alone. */
static void record_ascent(hy_passes *s, styles *own)
{
	hy_tape *t = &s->tape;
	int first;
	own->inner_segment = hy_tape_segment(t);
	hy_tape_gradients_begin(t);
	const int x = decode(s, own, &first);
	const int p = hy_ftn_segment(t, s->network, hy_ftn_decouple(t, s->network, hy_ftn_encode(t, s->network, x)));
	const int end = hy_tape_mark(t);
	hy_op_cross_entropy(t, p, &own->ascent);
	hy_tape_back(t, first, end, 0);
}

static hardy_status record_maxstyle(hy_perturbation *p, hardy_error *err)
{
	hy_passes *s = p->passes;
	hy_tape *t = &s->tape;
	styles *own = make(p, decoder_taps, decoder_channels, 1e-6, choose_hardest, err);
	int first;
	if (!own)
		return HARDY_ERROR_MEMORY;
	for (int i = own->first; i <= own->last; i++) {
		hy_restyle *r = &own->layers[i].restyle;
		r->with_style = true;
		const hardy_status status = hy_maxstyle_init(&own->layers[i].max, r->style.n, r->style.c, err);
		if (status)
			return status;
	}
	own->ascent = (hy_loss){.name = "maxstyle ascent", .w_ce = -1};
	p->seg[0] = hy_pass_classes_loss(s, "maxstyle seg", p->o.weight);
	p->rec = hy_pass_image_loss(s, "maxstyle rec", p->o.weight);
	p->shape[0] = hy_pass_classes_loss(s, "maxstyle shape", p->o.weight);
	hy_tape_keep(t, s->z_i);
	hy_pass_norm(s, HY_NORM_BATCH, true);
	record_ascent(s, own);
	own->decode_segment = hy_tape_segment(t);
	own->image = decode(s, own, &first);
	hy_tape_keep(t, own->image);
	hy_tape_constant(t, own->image);
	own->train_segment = hy_tape_segment(t);
	hy_pass_example(s, own->image, &p->seg[0], &p->rec, &p->shape[0]);
	return HARDY_OK;
}

static hardy_status ascend(hy_perturbation *p, int iteration, hardy_error *err)
{
	styles *s = p->own;
	const hardy_status status = hy_tape_run(&p->passes->tape, s->inner_segment, err);
	p->search[1] = -s->ascent.value;
	if (iteration == 0)
		p->search[0] = -s->ascent.value;
	for (int i = s->first; i <= s->last && !status; i++) {
		layer *l = &s->layers[i];
		if (!l->restyle.active)
			continue;
		hy_maxstyle_gradient(&l->max, &l->restyle.style);
		hy_maxstyle_step(&l->max, hy_perturbation_value(p, "rate"));
	}
	return status;
}

static hardy_status run_maxstyle(hy_perturbation *p, int64_t iteration, hardy_error *err)
{
	hy_tape *t = &p->passes->tape;
	styles *s = p->own;
	bool any = false;
	for (int i = s->first; i <= s->last; i++) {
		hy_rng g = draw_activity(p, iteration, i);
		hy_maxstyle_draw(&s->layers[i].max, &g, hy_perturbation_value(p, "beta"));
		any |= s->layers[i].restyle.active;
	}
	s->ascent.label = p->passes->label;
	hardy_status status = HARDY_OK;
	for (int k = 0; k < (int)hy_perturbation_value(p, "iterations") && any && !status; k++)
		status = ascend(p, k, err);
	if (!status)
		status = hy_tape_run(t, s->decode_segment, err);
	if (status)
		return status;
	const hy_value *x = &t->values[s->image];
	hy_rescale_unit(x->data, x->n * x->c, x->h * x->w, x->data);
	p->example = x->data;
	return hy_tape_run(t, s->train_segment, err);
}

const hy_perturbation_kind hy_perturb_maxstyle = {
    .name = "maxstyle",
    .needs = HY_NEEDS_STUDY,
    .summary = "decoded images in the feature styles that are hardest to segment",
    .stream = 9,
    .parameters = maxstyle_parameters,
    .mixes = mixes,
    .check = check_maxstyle,
    .record = record_maxstyle,
    .run = run_maxstyle,
    .clear = clear,
};
