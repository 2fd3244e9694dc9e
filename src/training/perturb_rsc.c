/*
 * perturb_rsc.c: representation self-challenging (Huang et al., ECCV 2020): both codes are decoded without the elements that agree most
 * with the target.
 */
#include "training/perturbation.h"

#include "base/memory.h"
#include "perturb/rsc.h"

static const hy_parameter parameters[] = {
    {"share", 1.0 / 3, 0, 1, false, NULL}, /* of a code's channels or positions that is muted */
    {NULL, 0, 0, 0, false, NULL},
};

typedef struct rsc {
	int score[2][2]; /* values: of z_i and z_s, per channel and per position */
	hy_mask mask[2]; /* data owned */
	float *work;     /* owned */
	int64_t n, c, hw;
	int score_segment, train_segment;
} rsc;

static void clear(hy_perturbation *p)
{
	rsc *r = p->own;
	if (!r)
		return;
	hy_free(r->mask[0].data);
	hy_free(r->mask[1].data);
	hy_free(r->work);
	hy_free(r);
}

/* The gradient of mean(decoder(z) target), but for a factor that the ranking does not see, averaged both ways. */
static void score(hy_passes *s, int z, int decoded, int target, int from, int *scores)
{
	hy_tape *t = &s->tape;
	hy_tape_gradients_begin(t);
	hy_tape_gradient_set(t, decoded, target);
	hy_tape_back(t, from, hy_tape_mark(t), 0);
	hy_op_score(t, hy_tape_gradient(t, z), &scores[0], &scores[1]);
}

/*
 * The encoder's pass is that of the standard pass, made again (with the same batch statistics): its gradients are linear in those
 * of the codes. The decoders' batch norm does not train on muted codes.
 */
static void record_passes(hy_perturbation *p)
{
	hy_passes *s = p->passes;
	hy_tape *t = &s->tape;
	const hy_network *n = s->network;
	rsc *r = p->own;

	r->score_segment = hy_tape_segment(t);
	hy_pass_norm(s, HY_NORM_BATCH, false);
	const int encoder = hy_tape_mark(t);
	const int z_i = hy_ftn_encode(t, n, s->x_noisy), z_s = hy_ftn_decouple(t, n, z_i);
	const int encoded = hy_tape_mark(t);
	hy_pass_norm(s, HY_NORM_BATCH, true);
	score(s, z_i, hy_op_sigmoid(t, hy_ftn_reconstruct(t, n, z_i)), s->x, encoded, r->score[0]);
	const int image_decoded = hy_tape_mark(t);
	score(s, z_s, hy_ftn_segment(t, n, z_s), hy_pass_label_map(s), image_decoded, r->score[1]);

	r->train_segment = hy_tape_segment(t);
	hy_tape_gradients_begin(t);
	const int masks = hy_tape_mark(t);
	const int muted_s = hy_op_mask_through(t, z_s, &r->mask[1]), muted_i = hy_op_mask_through(t, z_i, &r->mask[0]);
	const int on_s = hy_tape_mark(t);
	const int p_s = hy_ftn_segment(t, n, muted_s);
	const int on_i = hy_tape_mark(t);
	hy_op_cross_entropy(t, p_s, &p->seg[0]);
	hy_pass_stn_on_prediction(s, p_s, !s->separate, &p->shape[0]);
	hy_tape_back(t, on_s, on_i, HY_PASS_TRAIN);

	hy_pass_reconstruction(s, muted_i, &p->rec);
	const int decoupler = hy_tape_mark(t);
	const int p_i = hy_ftn_segment(t, n, hy_ftn_decouple(t, n, muted_i));
	const int end = hy_tape_mark(t);
	hy_op_cross_entropy(t, p_i, &p->seg[1]);
	hy_pass_stn_on_prediction(s, p_i, !s->separate, &p->shape[1]);
	hy_tape_back(t, decoupler, end, HY_PASS_TRAIN);
	hy_tape_back(t, masks, on_s, 0);
	hy_tape_back(t, encoder, encoded, HY_PASS_TRAIN);
}

static hardy_status record(hy_perturbation *p, hardy_error *err)
{
	const hy_passes *s = p->passes;
	rsc *r = p->own = hy_calloc(1, sizeof *r);
	if (!r)
		return hy_fail_memory(err, "self-challenging", 1, sizeof *r);
	r->n = s->batch;
	r->c = HY_CODE_CHANNELS;
	r->hw = (s->height / HY_CODE_STRIDE) * (s->width / HY_CODE_STRIDE);
	const size_t most = (size_t)(r->c > r->hw ? r->c : r->hw);
	r->mask[0].data = hy_alloc((size_t)r->n, most * sizeof(float));
	r->mask[1].data = hy_alloc((size_t)r->n, most * sizeof(float));
	r->work = hy_alloc(most, sizeof *r->work);
	if (!r->mask[0].data || !r->mask[1].data || !r->work)
		return hy_fail_memory(err, "self-challenging", (size_t)r->n, most * sizeof(float));
	for (int i = 0; i < 2; i++) {
		p->seg[i] = hy_pass_classes_loss(s, "rsc seg", p->o.weight);
		p->shape[i] = hy_pass_classes_loss(s, "rsc shape", p->o.weight);
	}
	p->rec = hy_pass_image_loss(s, "rsc rec", p->o.weight);
	record_passes(p);
	return HARDY_OK;
}

static hardy_status run(hy_perturbation *p, int64_t iteration, hardy_error *err)
{
	hy_tape *t = &p->passes->tape;
	rsc *r = p->own;
	const hardy_status status = hy_tape_run(t, r->score_segment, err);
	if (status)
		return status;
	hy_rng g = hy_perturbation_rng(p, iteration, 0);
	for (int i = 0; i < 2; i++) {
		hy_mask *m = &r->mask[i];
		m->spatial = hy_rng_uniform(&g) < 0.5;
		hy_rsc_mask(hy_tape_planar(t, r->score[i][m->spatial]), hy_perturbation_value(p, "share"), r->n,
		            m->spatial ? r->hw : r->c, r->work, m->data);
	}
	return hy_tape_run(t, r->train_segment, err);
}

const hy_perturbation_kind hy_perturb_rsc = {
    .name = "rsc",
    .needs = HY_NEEDS_STUDY,
    .summary = "codes without their elements that agree most with the target",
    .stream = 6,
    .parameters = parameters,
    .record = record,
    .run = run,
    .clear = clear,
};
