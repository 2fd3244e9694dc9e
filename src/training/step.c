/*
 * step.c: the method. One training step in the order of the paper: the standard pass (eq. 1), latent masks and hard examples,
 * the hard pass (eq. 2 and 3), the passes of any other perturbation that the recipe is composed of, one Adam step over all five
 * modules.
 *
 * Each pass is recorded once, forward and backward, and its memory is free again when it is done: gradients add up over the
 * passes. The standard pass is reused for the masks: the gradient of D_i's loss by z_i is the one its backward pass computes
 * anyway; for z_s one extra backward pass of D_s, data only, carries the cross-entropy alone.
 */
#include "training/step.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

const char *const hy_term_names[HY_N_TERMS] = {
    "seg",           "rec",           "shape_gt",        "shape_pred",
    "hard_seg",      "hard_rec",      "hard_shape_pred", "hard_p",
    "perturbed_seg", "perturbed_rec", "perturbed_shape", "perturbed_consistency",
    "unlabelled",
};

enum { N_OWN = HY_TERM_PERTURBED_SEG }; /* terms of the method */

struct hy_step {
	hy_step_options o;
	hy_passes pass;
	float *noisy; /* owned */
	/* values kept between passes */
	int x_hat, p_hat;
	int score_i[2], score_s[2];                 /* per channel, per position */
	hy_mask mask_i, mask_s;                     /* data owned */
	float *mask_data[2], *mask_work, *whole[2]; /* whole: scores and masks of the whole batch, of several ranks */
	hy_loss loss[N_OWN];
	hy_perturbation perturbations[HY_MAX_PERTURBATIONS]; /* in the order of the recipe */
	int x_unlabelled;
	hy_loss unlabelled_loss;
	/* segments of the tape */
	int unlabelled, standard, score_z_s, standard_back, hard_examples, hard;
	/* of several ranks */
	size_t *ready;  /* owned, by instruction: gradients from here on are final behind it, if its segment is the step's last */
	size_t to_send; /* gradients before this have not been handed over yet */
	bool sends;     /* while hy_step_run computes them */
};

void hy_step_options_init(hy_step_options *o)
{
	*o = (hy_step_options){
	    .weight = 1, .probability = 1, .use_p_hat = true, .noise = 0.05, .w_ce = 1, .beta1 = 0.9, .beta2 = 0.999, .eps = 1e-8};
	hy_mask_options_init(&o->mask_i);
	hy_mask_options_init(&o->mask_s);
}

/* ---- recording ---- */

/* Eq. 1: L_std = CE(p, y) + 1/2 MSE(x0, x) + CE(p0, y) + CE(y0, y). */
static void record_standard_pass(hy_step *s)
{
	hy_passes *pass = &s->pass;
	hy_tape *t = &pass->tape;
	const hy_network *n = pass->network;
	hy_pass_norm(pass, HY_NORM_TRACK, false);

	s->standard = hy_tape_segment(t);
	hy_tape_gradients_begin(t);
	hy_pass_stn(pass, hy_pass_label_map(pass), &s->loss[HY_TERM_SHAPE_GT]);

	const int encoder = hy_tape_mark(t);
	pass->z_i = hy_ftn_encode(t, n, pass->x_noisy);
	pass->z_s = hy_ftn_decouple(t, n, pass->z_i);
	const int decoder = hy_tape_mark(t);
	pass->p = hy_ftn_segment(t, n, pass->z_s);
	const int decoded = hy_tape_mark(t);
	hy_tape_gradients_begin(t);
	hy_pass_reconstruction(pass, pass->z_i, &s->loss[HY_TERM_REC]);
	hy_op_cross_entropy(t, pass->p, &s->loss[HY_TERM_SEG]);
	const int dz_i = hy_tape_gradient(t, pass->z_i), dp = hy_tape_gradient(t, pass->p);

	if (s->o.cooperative) {
		hy_op_score(t, dz_i, &s->score_i[0], &s->score_i[1]);
		s->score_z_s = hy_tape_segment(t);
		hy_tape_gradients_begin(t);
		hy_tape_gradient_set(t, pass->p, dp);
		hy_tape_back(t, decoder, decoded, 0);
		hy_op_score(t, hy_tape_gradient(t, pass->z_s), &s->score_s[0], &s->score_s[1]);
	}

	s->standard_back = hy_tape_segment(t);
	hy_tape_gradients_begin(t);
	hy_tape_gradient_set(t, pass->z_i, dz_i);
	hy_tape_gradient_set(t, pass->p, dp);
	hy_pass_stn_on_prediction(pass, pass->p, !s->o.separate, &s->loss[HY_TERM_SHAPE_PRED]);
	hy_tape_back(t, encoder, decoded, HY_PASS_TRAIN);
}

/* The standard pass of a network that has nothing but a segmentation: CE(p, y). */
static void record_segmentation_pass(hy_step *s)
{
	hy_passes *pass = &s->pass;
	hy_tape *t = &pass->tape;
	hy_pass_norm(pass, HY_NORM_TRACK, false);
	s->standard = hy_tape_segment(t);
	hy_tape_gradients_begin(t);
	const int from = hy_tape_mark(t);
	pass->p = hy_network_forward(t, pass->network, pass->x_noisy).p;
	hy_op_cross_entropy(t, pass->p, &s->loss[HY_TERM_SEG]);
	hy_tape_back(t, from, hy_tape_mark(t), HY_PASS_TRAIN);
	s->standard_back = hy_tape_segment(t);
}

/* x^ = D_i(z_i m_i), p^ = D_s(z_s m_s), with batch statistics; constants from here on. */
static void record_hard_examples(hy_step *s)
{
	hy_passes *pass = &s->pass;
	hy_tape *t = &pass->tape;
	hy_pass_norm(pass, HY_NORM_BATCH, true);
	s->hard_examples = hy_tape_segment(t);
	s->x_hat = hy_op_sigmoid(t, hy_ftn_reconstruct(t, pass->network, hy_op_mask(t, pass->z_i, &s->mask_i)));
	s->p_hat = -1;
	if (s->o.use_p_hat)
		s->p_hat = hy_ftn_segment(t, pass->network, hy_op_mask(t, pass->z_s, &s->mask_s));
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
	hy_passes *pass = &s->pass;
	hy_tape *t = &pass->tape;
	const hy_network *n = pass->network;
	hy_pass_norm(pass, HY_NORM_BATCH, true);
	s->hard = hy_tape_segment(t);
	hy_tape_gradients_begin(t);
	if (s->o.use_p_hat)
		hy_pass_stn_on_prediction(pass, s->p_hat, false, &s->loss[HY_TERM_HARD_P]);

	const int encoder = hy_tape_mark(t);
	const int z_i = hy_ftn_encode(t, n, s->x_hat);
	const int p = hy_ftn_segment(t, n, hy_ftn_decouple(t, n, z_i));
	const int decoded = hy_tape_mark(t);
	hy_pass_norm(pass, HY_NORM_TRACK, false);
	hy_pass_reconstruction(pass, z_i, &s->loss[HY_TERM_HARD_REC]);
	hy_pass_norm(pass, HY_NORM_BATCH, true);
	hy_op_cross_entropy(t, p, &s->loss[HY_TERM_HARD_SEG]);
	hy_pass_stn_on_prediction(pass, p, !s->o.separate, &s->loss[HY_TERM_HARD_SHAPE_PRED]);
	hy_tape_back(t, encoder, decoded, HY_PASS_TRAIN);
}

/* Slices without labels: the standard pass of the segmentation against labels that a teacher gives them. */
static void record_unlabelled_pass(hy_step *s)
{
	hy_passes *pass = &s->pass;
	hy_tape *t = &pass->tape;
	hy_pass_norm(pass, HY_NORM_TRACK, false);
	s->unlabelled = hy_tape_segment(t);
	s->x_unlabelled =
	    hy_tape_input(t, s->o.unlabelled / pass->ranks->size, pass->network->config.channels, pass->height, pass->width);
	hy_tape_gradients_begin(t);
	const int from = hy_tape_mark(t), p = hy_network_forward(t, pass->network, s->x_unlabelled).p;
	hy_op_cross_entropy(t, p, &s->unlabelled_loss);
	hy_tape_back(t, from, hy_tape_mark(t), HY_PASS_TRAIN);
}

static hardy_status record(hy_step *s, hardy_error *err)
{
	hy_passes *pass = &s->pass;
	const int channels = pass->network->config.channels;
	pass->x = hy_tape_input(&pass->tape, pass->batch, channels, pass->height, pass->width);
	pass->x_noisy = hy_tape_input(&pass->tape, pass->batch, channels, pass->height, pass->width);
	if (pass->network->config.kind == HY_NETWORK_STUDY)
		record_standard_pass(s);
	else
		record_segmentation_pass(s);
	if (s->o.cooperative) {
		record_hard_examples(s);
		record_hard_pass(s);
	}
	if (s->o.unlabelled)
		record_unlabelled_pass(s);
	hardy_status status = HARDY_OK;
	for (int i = 0; i < s->o.n_perturbations && !status; i++)
		status = hy_perturbation_init(&s->perturbations[i], &s->o.perturbations[i], pass, err);
	return status;
}

/* ---- life cycle ---- */

static hardy_status check_options(const hy_network *n, const hy_step_options *o, hardy_error *err)
{
	if (o->batch < 2)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "batch is %lld, want 2 or more (batch norm needs several samples)",
		               (long long)o->batch);
	if (o->height < 16 || o->width < 16 || o->height % 16 || o->width % 16 || o->height > 512 || o->width > 512)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "grid is %lld x %lld, want multiples of 16 from 16 to 512",
		               (long long)o->height, (long long)o->width);
	const int64_t ranks = o->ranks ? o->ranks->size : 1;
	if (o->batch % ranks || o->unlabelled % ranks)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "batch is %lld, want a multiple of the %lld ranks", (long long)o->batch,
		               (long long)ranks);
	if (o->norm_local && o->batch / ranks < 2)
		return hy_fail(err, HARDY_ERROR_ARGUMENT,
		               "batch is %lld on %lld ranks: want 2 slices a rank or more, or norm statistics of the whole batch",
		               (long long)o->batch, (long long)ranks);
	for (int i = 0; i < o->n_perturbations && ranks > 1; i++) {
		const hy_perturbation_options *p = &o->perturbations[i];
		if (p->kind->mixes && p->kind->mixes(p->values))
			return hy_fail(err, HARDY_ERROR_UNSUPPORTED,
			               "%s makes an example of several slices of the batch, which lie on %lld ranks: train it on one",
			               p->kind->name, (long long)ranks);
	}
	if (o->cooperative && !hy_network_has(n, HY_PART_CODES))
		return hy_fail(err, HARDY_ERROR_UNSUPPORTED, "the network \"%s\" has no codes to mask",
		               hy_network_names[n->config.kind]);
	return HARDY_OK;
}

static void sum_over_ranks(void *payload, double *sums, size_t n)
{
	hy_ranks_sum(payload, sums, n);
}

/* Recorded operators add up over the ranks. */
static void join_ranks(hy_step *s)
{
	union {
		const hy_ranks *in;
		void *payload;
	} u = {s->pass.ranks};
	hy_tape *t = &s->pass.tape;
	if (u.in->size == 1)
		return;
	t->over = (hy_reduce){sum_over_ranks, u.payload};
	t->n_ranks = u.in->size;
	t->norm_local = s->o.norm_local;
}

/* From where on gradients are final once instructions up to i have run, all others of the segment being later ones. */
static void fill_ready(hy_step *s, int segment)
{
	const hy_tape *t = &s->pass.tape;
	const hy_params *p = &s->pass.network->params;
	int from, to;
	hy_tape_range(t, segment, &from, &to);
	size_t at = 0; /* behind the last parameter that a later instruction may touch */
	for (int i = to - 1; i >= from; i--) {
		s->ready[i] = at;
		for (int k = 0; k < 5; k++) {
			const int q = t->instructions[i].node.param[k];
			if (q >= 0 && !p->list[q].is_buffer && p->list[q].offset + p->list[q].n > at)
				at = p->list[q].offset + p->list[q].n;
		}
	}
}

hy_step *hy_step_new(hy_network *network, const hy_step_options *o, hardy_error *err)
{
	if (check_options(network, o, err))
		return NULL;
	hy_step *s = hy_calloc(1, sizeof *s);
	if (!s) {
		hy_fail_memory(err, "a training step", 1, sizeof *s);
		return NULL;
	}
	static const hy_ranks alone = {.rank = 0, .size = 1};
	const hy_ranks *ranks = o->ranks ? o->ranks : &alone;
	const int64_t own = o->batch / ranks->size; /* samples */
	s->o = *o;
	s->pass = (hy_passes){.network = network,
	                      .ranks = ranks,
	                      .batch = own,
	                      .height = o->height,
	                      .width = o->width,
	                      .seed = o->seed,
	                      .w_ce = o->w_ce,
	                      .w_dice = o->w_dice,
	                      .separate = o->separate};
	const int64_t positions = (o->height / HY_CODE_STRIDE) * (o->width / HY_CODE_STRIDE);
	const size_t most = (size_t)(positions > HY_CODE_CHANNELS ? positions : HY_CODE_CHANNELS);
	const size_t image = (size_t)(own * network->config.channels * o->height * o->width);
	s->noisy = hy_alloc_aligned(image, sizeof *s->noisy);
	s->mask_data[0] = hy_alloc((size_t)own * most, sizeof(float));
	s->mask_data[1] = hy_alloc((size_t)own * most, sizeof(float));
	s->mask_work = hy_alloc(most, sizeof(float));
	const bool several = ranks->size > 1 && o->cooperative;
	s->whole[0] = several ? hy_calloc((size_t)o->batch * most, sizeof(float)) : NULL;
	s->whole[1] = several ? hy_calloc((size_t)o->batch * most, sizeof(float)) : NULL;
	if (!s->noisy || !s->mask_data[0] || !s->mask_data[1] || !s->mask_work || (several && (!s->whole[0] || !s->whole[1]))) {
		hy_fail_memory(err, "a training step", image, sizeof *s->noisy);
		goto fail;
	}
	for (int k = 0; k < N_OWN; k++) {
		const bool rec = k == HY_TERM_REC || k == HY_TERM_HARD_REC;
		const double weight = k < HY_TERM_HARD_SEG ? 1 : o->weight;
		s->loss[k] = rec ? hy_pass_image_loss(&s->pass, hy_term_names[k], weight)
		                 : hy_pass_classes_loss(&s->pass, hy_term_names[k], weight);
	}
	if (hy_tape_init(&s->pass.tape, &network->params, &o->engine, err))
		goto fail;
	join_ranks(s);
	if (record(s, err))
		goto fail;
	if (hy_tape_compile(&s->pass.tape, err))
		goto fail;
	if (ranks->size > 1) {
		s->ready = hy_alloc(s->pass.tape.n_instructions, sizeof *s->ready);
		if (!s->ready) {
			hy_fail_memory(err, "a training step", s->pass.tape.n_instructions, sizeof *s->ready);
			goto fail;
		}
		for (size_t i = 0; i < s->pass.tape.n_segments; i++)
			fill_ready(s, (int)i);
	}
	return s;
fail:
	hy_step_free(s);
	return NULL;
}

void hy_step_free(hy_step *s)
{
	if (!s)
		return;
	for (int i = 0; i < s->o.n_perturbations; i++)
		hy_perturbation_clear(&s->perturbations[i]);
	hy_tape_clear(&s->pass.tape);
	hy_free_aligned(s->noisy);
	hy_free(s->mask_data[0]);
	hy_free(s->mask_data[1]);
	hy_free(s->whole[0]);
	hy_free(s->whole[1]);
	hy_free(s->ready);
	hy_free(s->mask_work);
	hy_free(s);
}

bool hy_step_has_term(const hy_step *s, enum hy_term term)
{
	if (term < HY_TERM_HARD_SEG)
		return term == HY_TERM_SEG ||
		       hy_network_has(s->pass.network, term == HY_TERM_REC ? HY_PART_IMAGE_DECODER : HY_PART_SHAPE);
	if ((int)term < N_OWN)
		return s->o.cooperative && (term != HY_TERM_HARD_P || s->o.use_p_hat);
	if (term == HY_TERM_UNLABELLED)
		return s->o.unlabelled > 0;
	for (int i = 0; i < s->o.n_perturbations; i++) {
		const hy_perturbation *p = &s->perturbations[i];
		const bool has[] = {p->seg[0].name, p->rec.name, p->shape[0].name, p->has_consistency};
		if (has[(int)term - N_OWN])
			return true;
	}
	return false;
}

void hy_step_set_beta1(hy_step *s, double beta1)
{
	s->o.beta1 = beta1;
}

void hy_step_unlabelled(hy_step *s, const float *input, const uint8_t *label, double weight)
{
	union {
		const float *in;
		float *data;
	} x = {input};
	s->pass.tape.values[s->x_unlabelled].data = x.data;
	s->unlabelled_loss = hy_pass_classes_loss(&s->pass, hy_term_names[HY_TERM_UNLABELLED], input ? weight : 0);
	s->unlabelled_loss.label = label;
}

/* ---- running ---- */

/* The FTN's input: clamp(x + noise N(0, 1), 0, 1). */
static void add_noise(hy_step *s, const float *image, int64_t iteration)
{
	const int64_t size = s->pass.network->config.channels * s->o.height * s->o.width;
#pragma omp parallel for schedule(static)
	for (int64_t i = 0; i < s->pass.batch; i++) {
		hy_rng g = hy_rng_make(s->o.seed, HY_RNG_NOISE, (uint64_t)iteration, (uint64_t)hy_pass_sample(&s->pass, i));
		hy_rng_normals(&g, s->noisy + i * size, (size_t)size);
		for (int64_t k = i * size; k < (i + 1) * size; k++) {
			const float v = image[k] + (float)s->o.noise * s->noisy[k];
			s->noisy[k] = v < 0 ? 0 : v > 1 ? 1 : v;
		}
	}
}

/*
 * A mask of this rank's samples. Its random numbers go through the whole batch, one sample after the other, so the whole is drawn, with no scores
 * of the others, and what is theirs is left.
 */
static void draw_mask(hy_step *s, const hy_mask_options *o, hy_scheme scheme, hy_rng *g, bool of_z_s, hy_mask *mask)
{
	const hy_value *z = &s->pass.tape.values[s->pass.z_i];
	const int64_t hw = z->h * z->w, count = scheme == HY_SCHEME_SPATIAL ? hw : z->c;
	const float *score = hy_step_score(s, of_z_s, scheme == HY_SCHEME_SPATIAL);
	mask->data = s->mask_data[of_z_s];
	if (s->pass.ranks->size == 1) {
		hy_mask_draw(o, scheme, g, score, score, z->n, z->c, hw, s->mask_work, mask);
		return;
	}
	for (int64_t i = 0; i < z->n; i++)
		memcpy(s->whole[0] + hy_pass_sample(&s->pass, i) * count, score + i * count, (size_t)count * sizeof *score);
	hy_mask whole = {.data = s->whole[1]};
	hy_mask_draw(o, scheme, g, s->whole[0], s->whole[0], s->o.batch, z->c, hw, s->mask_work, &whole);
	mask->spatial = whole.spatial;
	for (int64_t i = 0; i < z->n; i++)
		memcpy(mask->data + i * count, whole.data + hy_pass_sample(&s->pass, i) * count, (size_t)count * sizeof *score);
}

/* Section 2.3: each code draws its own scheme; scores come from the standard pass. */
static hardy_status draw_masks(hy_step *s, int64_t iteration, hardy_error *err)
{
	hy_rng g = hy_rng_make(s->o.seed, HY_RNG_MASK, (uint64_t)iteration, 0);
	const hy_scheme scheme_i = hy_mask_scheme(&s->o.mask_i, &g), scheme_s = hy_mask_scheme(&s->o.mask_s, &g);
	if (s->o.use_p_hat && scheme_s != HY_SCHEME_DROPOUT) {
		const hardy_status status = hy_tape_run(&s->pass.tape, s->score_z_s, err);
		if (status)
			return status;
	}
	draw_mask(s, &s->o.mask_i, scheme_i, &g, false, &s->mask_i);
	draw_mask(s, &s->o.mask_s, scheme_s, &g, true, &s->mask_s);
	return HARDY_OK;
}

/* The batch at hand, and no loss yet. */
static void begin(hy_step *s, const float *noisy, const float *image, const uint8_t *label)
{
	hy_passes *pass = &s->pass;
	hy_params *params = &pass->network->params;
	union {
		const float *in;
		float *data;
	} clean = {image}, input = {noisy};
	pass->tape.values[pass->x].data = clean.data;
	pass->tape.values[pass->x_noisy].data = input.data;
	pass->image = image;
	pass->noisy = noisy;
	pass->label = label;
	for (int k = 0; k < N_OWN; k++) {
		s->loss[k].label = label;
		s->loss[k].value = s->loss[k].dice = 0;
	}
	memset(params->grads, 0, params->n_values * sizeof *params->grads);
}

static void take_terms(const hy_step *s, double *terms)
{
	memset(terms, 0, HY_N_TERMS * sizeof *terms);
	for (int k = 0; k < N_OWN; k++)
		terms[k] = s->loss[k].value + s->loss[k].dice;
	for (int i = 0; i < s->o.n_perturbations; i++) {
		const hy_perturbation *p = &s->perturbations[i];
		for (int k = 0; k < 2; k++) {
			terms[HY_TERM_PERTURBED_SEG] += p->seg[k].value + p->seg[k].dice;
			terms[HY_TERM_PERTURBED_SHAPE] += p->shape[k].value + p->shape[k].dice;
		}
		terms[HY_TERM_PERTURBED_REC] += p->rec.value;
		terms[HY_TERM_PERTURBED_CONSISTENCY] += p->consistency;
	}
	terms[HY_TERM_UNLABELLED] = s->unlabelled_loss.value + s->unlabelled_loss.dice;
}

/* ---- several ranks ---- */

enum { LEAST_SENT = 1 << 17 }; /* gradients at once: a message of half a megabyte takes longer than what surrounds it */

/* Behind each instruction of the last pass: hands over the gradients that are final. They become so from the last tensor to the first. */
static void send_ready(void *payload, int instruction)
{
	hy_step *s = payload;
	const size_t from = s->ready[instruction];
	if (s->to_send >= from + LEAST_SENT) {
		hy_ranks_begin(s->pass.ranks, s->pass.network->params.grads + from, s->to_send - from);
		s->to_send = from;
	}
	hy_ranks_go_on(s->pass.ranks);
}

/* Gradients and terms of the batch from those of the ranks; running statistics are one for all, too. */
static void add_up_ranks(hy_step *s, double *terms)
{
	const hy_ranks *r = s->pass.ranks;
	hy_params *p = &s->pass.network->params;
	if (r->size == 1)
		return;
	hy_ranks_begin(r, p->grads, s->to_send);
	hy_ranks_sum(r, terms, HY_N_TERMS);
	if (s->o.norm_local) {
		float *buffers = hy_params_write_buffers(p);
		for (size_t i = 0; i < p->n_buffers; i++)
			buffers[i] /= (float)r->size;
		hy_ranks_begin(r, buffers, p->n_buffers);
	}
	hy_ranks_end(r);
}

/* The pass of this step behind which no other touches gradients, or -1: not told, with other perturbations than latent masks. */
static int last_pass(const hy_step *s, bool cooperative)
{
	if (s->unlabelled_loss.w_ce > 0)
		return s->unlabelled;
	if (s->o.n_perturbations)
		return -1;
	if (cooperative)
		return s->hard;
	return s->pass.network->config.kind == HY_NETWORK_STUDY ? s->standard_back : s->standard;
}

/* Whether hard examples from latent masks take part in this step. */
static bool is_cooperative(const hy_step *s, int64_t iteration)
{
	const hy_perturbation_options o = {.kind = &hy_perturb_latent, .probability = s->o.probability};
	return s->o.cooperative && hy_perturbation_takes_part(&o, s->o.seed, iteration);
}

static hardy_status run_pass(hy_step *s, int pass, int last, hardy_error *err)
{
	hy_tape *t = &s->pass.tape;
	t->after = s->sends && pass == last ? send_ready : NULL;
	t->after_payload = s;
	const hardy_status status = hy_tape_run(t, pass, err);
	t->after = NULL;
	return status;
}

hardy_status hy_step_gradients(hy_step *s, const float *noisy, const float *image, const uint8_t *label,
                               const hy_step_masks *masks, int64_t iteration, double *terms, hardy_error *err)
{
	const bool cooperative = is_cooperative(s, iteration);
	const int last = last_pass(s, cooperative);
	begin(s, noisy, image, label);
	hardy_status status = run_pass(s, s->standard, last, err);
	if (!status && cooperative && masks) {
		status = hy_tape_run(&s->pass.tape, s->score_z_s, err);
		s->mask_i = masks->i;
		s->mask_s = masks->s;
	} else if (!status && cooperative) {
		status = draw_masks(s, iteration, err);
	}
	if (!status)
		status = run_pass(s, s->standard_back, last, err);
	if (!status && cooperative)
		status = run_pass(s, s->hard_examples, last, err);
	if (!status && cooperative)
		status = run_pass(s, s->hard, last, err);
	for (int i = 0; i < s->o.n_perturbations && !status; i++)
		status = hy_perturbation_run(&s->perturbations[i], iteration, err);
	if (!status && s->unlabelled_loss.w_ce > 0)
		status = run_pass(s, s->unlabelled, last, err);
	take_terms(s, terms);
	return status;
}

hardy_status hy_step_run(hy_step *s, const float *input, const float *image, const uint8_t *label, int64_t iteration,
                         double learning_rate, double *terms, hardy_error *err)
{
	add_noise(s, input, iteration);
	s->sends = s->pass.ranks->size > 1;
	s->to_send = s->pass.network->params.n_values;
	const hardy_status status = hy_step_gradients(s, s->noisy, image, label, NULL, iteration, terms, err);
	s->sends = false;
	if (status)
		return hy_prefix(err, status, "step %lld", (long long)iteration);
	add_up_ranks(s, terms);
	hy_adam_step(&s->pass.network->params, hy_kernels_pick(s->o.engine.isa, NULL), learning_rate, s->o.beta1, s->o.beta2,
	             s->o.eps, s->o.decay);
	s->pass.network->params.n_batches_tracked++;
	return HARDY_OK;
}

const float *hy_step_x_hat(const hy_step *s)
{
	return s->o.cooperative ? hy_tape_planar(&s->pass.tape, s->x_hat) : NULL;
}

const float *hy_step_p_hat(const hy_step *s)
{
	return s->o.cooperative ? hy_tape_planar(&s->pass.tape, s->p_hat) : NULL;
}

const float *hy_step_score(const hy_step *s, bool of_z_s, bool spatial)
{
	return s->o.cooperative ? hy_tape_planar(&s->pass.tape, (of_z_s ? s->score_s : s->score_i)[spatial]) : NULL;
}

const hy_perturbation *hy_step_perturbation(const hy_step *s, int i)
{
	return &s->perturbations[i];
}

hy_tape *hy_step_tape(hy_step *s)
{
	return &s->pass.tape;
}
