/*
 * step.c: the method. One training step in the order of the paper: the standard pass (eq. 1), latent masks and hard examples,
 * the hard pass (eq. 2 and 3), one Adam step over all five modules.
 *
 * Each pass is recorded once, forward and backward, and its memory is free again when it is done: gradients add up over the
 * passes. The standard pass is reused for the masks: the gradient of D_i's loss by z_i is the one its backward pass computes
 * anyway; for z_s one extra backward pass of D_s, data only, carries the cross-entropy alone.
 */
#include "training/step.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

const char *const hy_term_names[HY_N_TERMS] = {"seg",      "rec",      "shape_gt",        "shape_pred",
                                               "hard_seg", "hard_rec", "hard_shape_pred", "hard_p"};

struct hy_step {
	hy_step_options o;
	hy_network *network;
	hy_tape tape;
	/* inputs */
	int x, x_noisy; /* values: clean and noisy image */
	float *noisy;   /* owned */
	const uint8_t *label;
	/* values kept between passes */
	int z_i, z_s, x_hat, p_hat;
	int score_i[2], score_s[2]; /* per channel, per position */
	hy_mask mask_i, mask_s;     /* data owned */
	float *mask_data[2], *mask_work;
	hy_loss loss[HY_N_TERMS];
	/* segments of the tape */
	int standard, score_z_s, standard_back, hard_examples, hard, end;
};

void hy_step_options_init(hy_step_options *o)
{
	*o = (hy_step_options){.use_p_hat = true, .noise = 0.05, .w_ce = 1, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8};
	hy_mask_options_init(&o->mask_i);
	hy_mask_options_init(&o->mask_s);
}

/* ---- recording ---- */

enum { TRAIN = HY_BACK_WEIGHTS | HY_BACK_NORM };

static void norm_mode(hy_tape *t, hy_norm_mode mode, bool frozen)
{
	t->norm = mode;
	t->norm_frozen = frozen;
}

/* The STN's pass on a class map q: forward, loss, backward. The gradient flows on into q's origin unless q is constant. */
static void stn_pass(hy_step *s, int q, enum hy_term term)
{
	hy_tape *t = &s->tape;
	const int from = hy_tape_mark(t);
	const int refined = hy_stn_refine(t, s->network, q);
	hy_op_cross_entropy(t, refined, &s->loss[term]);
	hy_tape_back(t, from, hy_tape_mark(t), TRAIN);
}

/* CE(STN(softmax(p / 2)), y), whose gradient adds to that of p. */
static void stn_pass_on_prediction(hy_step *s, int p, bool into_p, enum hy_term term)
{
	hy_tape *t = &s->tape;
	const int from = hy_tape_mark(t), q = hy_op_softmax(t, p, HY_STN_SOFTENING);
	if (!into_p)
		hy_tape_constant(t, q);
	stn_pass(s, q, term);
	hy_tape_back(t, from, from + 1, 0);
}

/* D_i's pass: forward, 1/2 MSE against the clean image, backward into z_i. Returns nothing: x0 has no further use. */
static void reconstruction_pass(hy_step *s, int z_i, enum hy_term term)
{
	hy_tape *t = &s->tape;
	const int from = hy_tape_mark(t);
	const int x0 = hy_op_sigmoid(t, hy_ftn_reconstruct(t, s->network, z_i));
	hy_op_sigmoid_mse(t, x0, s->x, &s->loss[term]);
	hy_tape_back(t, from, hy_tape_mark(t), TRAIN);
}

static int label_map(hy_step *s)
{
	hy_tape *t = &s->tape;
	const int y = hy_tape_value(t, s->o.batch, s->network->config.classes, s->o.height, s->o.width, false);
	hy_tape_constant(t, y);
	hy_op_one_hot(t, &s->label, y);
	return y;
}

/* Eq. 1: L_std = CE(p, y) + 1/2 MSE(x0, x) + CE(p0, y) + CE(y0, y). */
static void record_standard_pass(hy_step *s)
{
	hy_tape *t = &s->tape;
	const hy_network *n = s->network;
	norm_mode(t, HY_NORM_TRACK, false);

	s->standard = hy_tape_segment(t);
	hy_tape_gradients_begin(t);
	stn_pass(s, label_map(s), HY_TERM_SHAPE_GT);

	const int encoder = hy_tape_mark(t);
	s->z_i = hy_ftn_encode(t, n, s->x_noisy);
	s->z_s = hy_ftn_decouple(t, n, s->z_i);
	const int decoder = hy_tape_mark(t);
	const int p = hy_ftn_segment(t, n, s->z_s);
	const int decoded = hy_tape_mark(t);
	hy_tape_gradients_begin(t);
	reconstruction_pass(s, s->z_i, HY_TERM_REC);
	hy_op_cross_entropy(t, p, &s->loss[HY_TERM_SEG]);
	const int dz_i = hy_tape_gradient(t, s->z_i), dp = hy_tape_gradient(t, p);

	if (s->o.cooperative) {
		hy_op_score(t, dz_i, &s->score_i[0], &s->score_i[1]);
		s->score_z_s = hy_tape_segment(t);
		hy_tape_gradients_begin(t);
		hy_tape_gradient_set(t, p, dp);
		hy_tape_back(t, decoder, decoded, 0);
		hy_op_score(t, hy_tape_gradient(t, s->z_s), &s->score_s[0], &s->score_s[1]);
	}

	s->standard_back = hy_tape_segment(t);
	hy_tape_gradients_begin(t);
	hy_tape_gradient_set(t, s->z_i, dz_i);
	hy_tape_gradient_set(t, p, dp);
	stn_pass_on_prediction(s, p, !s->o.separate, HY_TERM_SHAPE_PRED);
	hy_tape_back(t, encoder, decoded, TRAIN);
}

/* x^ = D_i(z_i m_i), p^ = D_s(z_s m_s), with batch statistics; constants from here on. */
static void record_hard_examples(hy_step *s)
{
	hy_tape *t = &s->tape;
	norm_mode(t, HY_NORM_BATCH, true);
	s->hard_examples = hy_tape_segment(t);
	s->x_hat = hy_op_sigmoid(t, hy_ftn_reconstruct(t, s->network, hy_op_mask(t, s->z_i, &s->mask_i)));
	s->p_hat = -1;
	if (s->o.use_p_hat)
		s->p_hat = hy_ftn_segment(t, s->network, hy_op_mask(t, s->z_s, &s->mask_s));
	hy_tape_keep(t, s->x_hat);
	hy_tape_keep(t, s->p_hat);
	hy_tape_constant(t, s->x_hat);
	hy_tape_constant(t, s->p_hat);
}

/*
 * Eq. 2: L_hard = CE(p-, y) + 1/2 MSE(D_i(E(x^)), x) + CE(STN(softmax(p- / 2)), y) + CE(STN(softmax(p^ / 2)), y), p- =
 * D_s(H(E(x^))). Batch norm keeps its running statistics, scale and shift, except in D_i, which trains as usual.
 */
static void record_hard_pass(hy_step *s)
{
	hy_tape *t = &s->tape;
	const hy_network *n = s->network;
	norm_mode(t, HY_NORM_BATCH, true);
	s->hard = hy_tape_segment(t);
	hy_tape_gradients_begin(t);
	if (s->o.use_p_hat)
		stn_pass_on_prediction(s, s->p_hat, false, HY_TERM_HARD_P);

	const int encoder = hy_tape_mark(t);
	const int z_i = hy_ftn_encode(t, n, s->x_hat);
	const int p = hy_ftn_segment(t, n, hy_ftn_decouple(t, n, z_i));
	const int decoded = hy_tape_mark(t);
	norm_mode(t, HY_NORM_TRACK, false);
	reconstruction_pass(s, z_i, HY_TERM_HARD_REC);
	norm_mode(t, HY_NORM_BATCH, true);
	hy_op_cross_entropy(t, p, &s->loss[HY_TERM_HARD_SEG]);
	stn_pass_on_prediction(s, p, !s->o.separate, HY_TERM_HARD_SHAPE_PRED);
	hy_tape_back(t, encoder, decoded, TRAIN);
}

static void record(hy_step *s)
{
	hy_tape *t = &s->tape;
	const hy_step_options *o = &s->o;
	s->x = hy_tape_input(t, o->batch, s->network->config.channels, o->height, o->width);
	s->x_noisy = hy_tape_input(t, o->batch, s->network->config.channels, o->height, o->width);
	record_standard_pass(s);
	if (o->cooperative) {
		record_hard_examples(s);
		record_hard_pass(s);
	}
}

/* ---- life cycle ---- */

static hardy_status check_options(const hy_step_options *o, hardy_error *err)
{
	if (o->batch < 2)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "batch is %lld, want 2 or more (batch norm needs several samples)",
		               (long long)o->batch);
	if (o->height < 16 || o->width < 16 || o->height % 16 || o->width % 16 || o->height > 512 || o->width > 512)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "grid is %lld x %lld, want multiples of 16 from 16 to 512",
		               (long long)o->height, (long long)o->width);
	return HARDY_OK;
}

hy_step *hy_step_new(hy_network *network, const hy_step_options *o, hardy_error *err)
{
	if (check_options(o, err))
		return NULL;
	hy_step *s = hy_calloc(1, sizeof *s);
	if (!s) {
		hy_fail_memory(err, "a training step", 1, sizeof *s);
		return NULL;
	}
	s->o = *o;
	s->network = network;
	const int64_t positions = (o->height / HY_CODE_STRIDE) * (o->width / HY_CODE_STRIDE);
	const size_t most = (size_t)(positions > HY_CODE_CHANNELS ? positions : HY_CODE_CHANNELS);
	const size_t image = (size_t)(o->batch * network->config.channels * o->height * o->width);
	s->noisy = hy_alloc_aligned(image, sizeof *s->noisy);
	s->mask_data[0] = hy_alloc((size_t)o->batch * most, sizeof(float));
	s->mask_data[1] = hy_alloc((size_t)o->batch * most, sizeof(float));
	s->mask_work = hy_alloc(most, sizeof(float));
	if (!s->noisy || !s->mask_data[0] || !s->mask_data[1] || !s->mask_work) {
		hy_fail_memory(err, "a training step", image, sizeof *s->noisy);
		goto fail;
	}
	for (int k = 0; k < HY_N_TERMS; k++) {
		const bool rec = k == HY_TERM_REC || k == HY_TERM_HARD_REC;
		s->loss[k] = (hy_loss){.name = hy_term_names[k], .w_ce = rec ? 0.5f : o->w_ce, .w_dice = rec ? 0 : o->w_dice};
	}
	if (hy_tape_init(&s->tape, &network->params, &o->engine, err))
		goto fail;
	record(s);
	if (hy_tape_compile(&s->tape, err))
		goto fail;
	return s;
fail:
	hy_step_free(s);
	return NULL;
}

void hy_step_free(hy_step *s)
{
	if (!s)
		return;
	hy_tape_clear(&s->tape);
	hy_free_aligned(s->noisy);
	hy_free(s->mask_data[0]);
	hy_free(s->mask_data[1]);
	hy_free(s->mask_work);
	hy_free(s);
}

void hy_step_set_beta1(hy_step *s, double beta1)
{
	s->o.beta1 = beta1;
}

/* ---- running ---- */

/* The FTN's input: clamp(x + noise N(0, 1), 0, 1). */
static void add_noise(hy_step *s, const float *image, int64_t iteration)
{
	const int64_t size = s->network->config.channels * s->o.height * s->o.width;
#pragma omp parallel for schedule(static)
	for (int64_t i = 0; i < s->o.batch; i++) {
		hy_rng g = hy_rng_make(s->o.seed, HY_RNG_NOISE, (uint64_t)iteration, (uint64_t)i);
		for (int64_t k = i * size; k < (i + 1) * size; k++) {
			const double v = (double)image[k] + s->o.noise * hy_rng_normal(&g);
			s->noisy[k] = (float)(v < 0 ? 0 : v > 1 ? 1 : v);
		}
	}
}

/* Section 2.3: each code draws its own scheme; scores come from the standard pass. */
static hardy_status draw_masks(hy_step *s, int64_t iteration, hardy_error *err)
{
	hy_rng g = hy_rng_make(s->o.seed, HY_RNG_MASK, (uint64_t)iteration, 0);
	const hy_scheme scheme_i = hy_mask_scheme(&s->o.mask_i, &g), scheme_s = hy_mask_scheme(&s->o.mask_s, &g);
	if (s->o.use_p_hat && scheme_s != HY_SCHEME_DROPOUT) {
		const hardy_status status = hy_tape_run(&s->tape, s->score_z_s, err);
		if (status)
			return status;
	}
	const hy_value *z = &s->tape.values[s->z_i];
	s->mask_i.data = s->mask_data[0];
	s->mask_s.data = s->mask_data[1];
	hy_mask_draw(&s->o.mask_i, scheme_i, &g, hy_step_score(s, false, false), hy_step_score(s, false, true), z->n, z->c,
	             z->h * z->w, s->mask_work, &s->mask_i);
	hy_mask_draw(&s->o.mask_s, scheme_s, &g, hy_step_score(s, true, false), hy_step_score(s, true, true), z->n, z->c,
	             z->h * z->w, s->mask_work, &s->mask_s);
	return HARDY_OK;
}

hardy_status hy_step_gradients(hy_step *s, const float *noisy, const float *image, const uint8_t *label,
                               const hy_step_masks *masks, int64_t iteration, double *terms, hardy_error *err)
{
	hy_tape *t = &s->tape;
	hy_params *params = &s->network->params;
	union {
		const float *in;
		float *data;
	} clean = {image}, input = {noisy};
	t->values[s->x].data = clean.data;
	t->values[s->x_noisy].data = input.data;
	s->label = label;
	for (int k = 0; k < HY_N_TERMS; k++) {
		s->loss[k].label = label;
		s->loss[k].value = s->loss[k].dice = 0;
	}
	memset(params->grads, 0, params->n_values * sizeof *params->grads);
	hy_tape_refresh(t);

	hardy_status status = hy_tape_run(t, s->standard, err);
	if (!status && s->o.cooperative && masks) {
		status = hy_tape_run(t, s->score_z_s, err);
		s->mask_i = masks->i;
		s->mask_s = masks->s;
	} else if (!status && s->o.cooperative) {
		status = draw_masks(s, iteration, err);
	}
	if (!status)
		status = hy_tape_run(t, s->standard_back, err);
	if (!status && s->o.cooperative)
		status = hy_tape_run(t, s->hard_examples, err);
	if (!status && s->o.cooperative)
		status = hy_tape_run(t, s->hard, err);
	for (int k = 0; k < HY_N_TERMS; k++)
		terms[k] = s->loss[k].value + s->loss[k].dice;
	return status;
}

hardy_status hy_step_run(hy_step *s, const float *image, const uint8_t *label, int64_t iteration, double learning_rate,
                         double *terms, hardy_error *err)
{
	add_noise(s, image, iteration);
	const hardy_status status = hy_step_gradients(s, s->noisy, image, label, NULL, iteration, terms, err);
	if (status)
		return hy_prefix(err, status, "step %lld", (long long)iteration);
	hy_adam_step(&s->network->params, learning_rate, s->o.beta1, s->o.beta2, s->o.eps);
	s->network->params.n_batches_tracked++;
	return HARDY_OK;
}

const float *hy_step_x_hat(const hy_step *s)
{
	return s->o.cooperative ? hy_tape_data(&s->tape, s->x_hat) : NULL;
}

const float *hy_step_p_hat(const hy_step *s)
{
	return s->o.cooperative ? hy_tape_data(&s->tape, s->p_hat) : NULL;
}

const float *hy_step_score(const hy_step *s, bool of_z_s, bool spatial)
{
	return s->o.cooperative ? hy_tape_data(&s->tape, (of_z_s ? s->score_s : s->score_i)[spatial]) : NULL;
}

hy_tape *hy_step_tape(hy_step *s)
{
	return &s->tape;
}
