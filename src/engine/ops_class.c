/*
 * ops_class.c: class maps, losses, latent masks and their scores.
 */
#include "engine/ops.h"

#include <math.h>

/* ---- softmax, sigmoid, one-hot ---- */

static hardy_status run_softmax(hy_tape *t, const hy_instruction *i, hardy_error *err)
{
	(void)err;
	const hy_value *x = &t->values[i->value[0]];
	t->kernels->softmax(x->data, i->node.scale, x->n, x->c, x->h * x->w, hy_tape_planar(t, i->value[1]));
	return HARDY_OK;
}

/* values: dy, y, dx */
static hardy_status run_softmax_back(hy_tape *t, const hy_instruction *i, hardy_error *err)
{
	(void)err;
	const hy_value *y = &t->values[i->value[1]];
	t->kernels->softmax_back(y->data, hy_tape_planar(t, i->value[0]), i->node.scale, y->n, y->c, y->h * y->w, i->accumulate,
	                         hy_tape_planar(t, i->value[2]));
	return HARDY_OK;
}

/* Emits the adjoint of a node of one input that is told from dy and the result. */
static void emit_back(hy_tape *t, const char *name, const hy_node *node,
                      hardy_status (*run)(hy_tape *, const hy_instruction *, hardy_error *))
{
	bool accumulate;
	const int dx = hy_tape_gradient_out(t, node->in[0], &accumulate);
	if (dx < 0)
		return;
	const int values[] = {hy_tape_gradient(t, node->out), node->out, dx};
	hy_tape_emit(t, name, run, node, values, 3)->accumulate = accumulate;
}

static void softmax_back(hy_tape *t, const hy_node *node, int flags)
{
	(void)flags;
	emit_back(t, "softmax back", node, run_softmax_back);
}

/* A planar node of one input whose output has its shape. */
static int same_shape(hy_tape *t, const char *name, int x, float scale,
                      hardy_status (*run)(hy_tape *, const hy_instruction *, hardy_error *),
                      void (*back)(hy_tape *, const hy_node *, int))
{
	if (hy_tape_failed(t))
		return -1;
	const hy_value in = t->values[x];
	const int y = hy_tape_value(t, in.n, in.c, in.h, in.w, in.blocked);
	if (y >= 0)
		t->values[y].constant = in.constant;
	hy_node *n = hy_tape_node(t, name);
	n->in[0] = x, n->n_in = 1, n->out = y;
	n->scale = scale;
	n->back = back;
	const int values[] = {x, y};
	hy_tape_emit(t, name, run, n, values, 2);
	return y;
}

int hy_op_softmax(hy_tape *t, int x, float scale)
{
	return same_shape(t, "softmax", x, scale, run_softmax, softmax_back);
}

static hardy_status run_sigmoid(hy_tape *t, const hy_instruction *i, hardy_error *err)
{
	(void)err;
	const hy_value *x = &t->values[i->value[0]];
	t->kernels->sigmoid(x->data, x->n * x->c * x->h * x->w, hy_tape_planar(t, i->value[1]));
	return HARDY_OK;
}

/* values: dy, y, dx */
static hardy_status run_sigmoid_back(hy_tape *t, const hy_instruction *i, hardy_error *err)
{
	(void)err;
	const hy_value *y = &t->values[i->value[1]];
	const float *dy = hy_tape_planar(t, i->value[0]);
	float *dx = hy_tape_planar(t, i->value[2]);
	const int64_t count = y->n * y->c * y->h * y->w;
#pragma omp parallel for schedule(static)
	for (int64_t k = 0; k < count; k++) {
		const float g = dy[k] * y->data[k] * (1 - y->data[k]);
		dx[k] = i->accumulate ? dx[k] + g : g;
	}
	return HARDY_OK;
}

/* Not used by a reconstruction's own loss, which forms the gradient by x itself. */
static void sigmoid_back(hy_tape *t, const hy_node *node, int flags)
{
	(void)flags;
	emit_back(t, "sigmoid back", node, run_sigmoid_back);
}

int hy_op_sigmoid(hy_tape *t, int x)
{
	return same_shape(t, "sigmoid", x, 1, run_sigmoid, sigmoid_back);
}

static hardy_status run_one_hot(hy_tape *t, const hy_instruction *i, hardy_error *err)
{
	(void)err;
	const hy_value *y = &t->values[i->value[0]];
	const uint8_t *const *label = i->node.link;
	t->kernels->one_hot(*label, y->n, y->c, y->h * y->w, y->data);
	return HARDY_OK;
}

void hy_op_one_hot(hy_tape *t, const uint8_t *const *label, int out)
{
	hy_node n = {0};
	union {
		const uint8_t *const *in;
		void *link;
	} u = {label};
	n.link = u.link;
	hy_tape_emit(t, "one-hot", run_one_hot, &n, &out, 1);
}

/* ---- losses: value and gradient in one instruction ---- */

static hardy_status run_cross_entropy(hy_tape *t, const hy_instruction *i, hardy_error *err)
{
	const hy_value *x = &t->values[i->value[0]];
	hy_loss *loss = i->node.link;
	double ce, dice;
	/* Soft Dice is one number for all ranks: of its value each has a share, as of the cross-entropy, but its gradient is whole. */
	t->kernels->cross_entropy(x->data, loss->label, x->n, x->c, x->h * x->w, loss->w_ce, loss->w_dice * (float)t->n_ranks,
	                          i->accumulate, t->over.sum ? &t->over : NULL, (double *)(void *)t->work,
	                          hy_tape_planar(t, i->value[1]), &ce, &dice);
	if (!isfinite(ce) || !isfinite(dice))
		return hy_fail(err, HARDY_ERROR_NUMERIC, "the cross-entropy \"%s\" is not finite", loss->name ? loss->name : "");
	loss->value = (double)loss->w_ce * ce;
	loss->dice = (double)loss->w_dice * dice;
	return HARDY_OK;
}

void hy_op_cross_entropy(hy_tape *t, int logits, hy_loss *loss)
{
	if (hy_tape_failed(t))
		return;
	bool accumulate;
	const int values[] = {logits, hy_tape_gradient_out(t, logits, &accumulate)};
	hy_node n = {.link = loss};
	hy_tape_work(t, (size_t)(t->values[logits].n * 2 * (1 + 2 * 32)));
	hy_tape_emit(t, "cross-entropy", run_cross_entropy, &n, values, 2)->accumulate = accumulate;
}

/* values: y, target, dx */
static hardy_status run_sigmoid_mse(hy_tape *t, const hy_instruction *i, hardy_error *err)
{
	const hy_value *y = &t->values[i->value[0]];
	hy_loss *loss = i->node.link;
	double mse;
	t->kernels->sigmoid_mse(y->data, hy_tape_planar(t, i->value[1]), y->n, y->c * y->h * y->w, loss->w_ce,
	                        (double *)(void *)t->work, hy_tape_planar(t, i->value[2]), &mse);
	if (!isfinite(mse))
		return hy_fail(err, HARDY_ERROR_NUMERIC, "the reconstruction error \"%s\" is not finite", loss->name ? loss->name : "");
	loss->value = (double)loss->w_ce * mse;
	return HARDY_OK;
}

void hy_op_sigmoid_mse(hy_tape *t, int y, int target, hy_loss *loss)
{
	if (hy_tape_failed(t))
		return;
	int x = -1;
	for (size_t i = t->n_nodes; i-- > 0 && x < 0;)
		if (t->nodes[i].out == y)
			x = t->nodes[i].in[0];
	bool accumulate;
	const int values[] = {y, target, hy_tape_gradient_out(t, x, &accumulate)};
	if (accumulate)
		hy_tape_fail(t, HARDY_ERROR_UNSUPPORTED, "a reconstruction may have one loss");
	hy_node n = {.link = loss};
	hy_tape_work(t, (size_t)(2 * t->values[y].n));
	hy_tape_emit(t, "reconstruction error", run_sigmoid_mse, &n, values, 3);
}

/* ---- latent masks ---- */

static hardy_status run_mask(hy_tape *t, const hy_instruction *i, hardy_error *err)
{
	(void)err;
	const hy_value *x = &t->values[i->value[0]];
	const hy_mask *m = i->node.link;
	(m->spatial ? t->kernels->mask_spatial : t->kernels->mask_channel)(x->blocks, m->data, x->n, x->c, x->h * x->w, false,
	                                                                   hy_tape_blocked(t, i->value[1]));
	return HARDY_OK;
}

int hy_op_mask(hy_tape *t, int x, const hy_mask *mask)
{
	if (hy_tape_failed(t))
		return -1;
	const hy_value in = t->values[x];
	const int y = hy_tape_value(t, in.n, in.c, in.h, in.w, true);
	hy_tape_constant(t, y);
	union {
		const hy_mask *in;
		void *link;
	} u = {mask};
	hy_node n = {.link = u.link};
	const int values[] = {x, y};
	hy_tape_emit(t, "mask", run_mask, &n, values, 2);
	return y;
}

/* values: dy, dx */
static hardy_status run_mask_back(hy_tape *t, const hy_instruction *i, hardy_error *err)
{
	(void)err;
	const hy_value *dy = &t->values[i->value[0]];
	const hy_mask *m = i->node.link;
	(m->spatial ? t->kernels->mask_spatial : t->kernels->mask_channel)(dy->blocks, m->data, dy->n, dy->c, dy->h * dy->w,
	                                                                   i->accumulate, hy_tape_blocked(t, i->value[1]));
	return HARDY_OK;
}

static void mask_back(hy_tape *t, const hy_node *node, int flags)
{
	(void)flags;
	bool accumulate;
	const int dx = hy_tape_gradient_out(t, node->in[0], &accumulate);
	if (dx < 0)
		return;
	const int values[] = {hy_tape_gradient(t, node->out), dx};
	hy_tape_emit(t, "mask back", run_mask_back, node, values, 2)->accumulate = accumulate;
}

int hy_op_mask_through(hy_tape *t, int x, const hy_mask *mask)
{
	if (hy_tape_failed(t))
		return -1;
	const hy_value in = t->values[x];
	union {
		const hy_mask *in;
		void *link;
	} u = {mask};
	const int y = hy_tape_value(t, in.n, in.c, in.h, in.w, true);
	hy_node *n = hy_tape_node(t, "mask");
	n->in[0] = x, n->n_in = 1, n->out = y;
	n->link = u.link;
	n->back = mask_back;
	const int values[] = {x, y};
	hy_tape_emit(t, "mask", run_mask, n, values, 2);
	return y;
}

static hardy_status run_score(hy_tape *t, const hy_instruction *i, hardy_error *err)
{
	(void)err;
	const hy_value *x = &t->values[i->value[0]];
	t->kernels->score(x->blocks, x->n, x->c, x->h * x->w, hy_tape_planar(t, i->value[1]), hy_tape_planar(t, i->value[2]));
	return HARDY_OK;
}

void hy_op_score(hy_tape *t, int x, int *channel, int *spatial)
{
	if (hy_tape_failed(t) || x < 0)
		return;
	const hy_value in = t->values[x];
	*channel = hy_tape_value(t, in.n, in.c, 1, 1, false);
	*spatial = hy_tape_value(t, in.n, 1, in.h, in.w, false);
	hy_tape_keep(t, *channel);
	hy_tape_keep(t, *spatial);
	const int values[] = {x, *channel, *spatial};
	hy_tape_emit(t, "score", run_score, NULL, values, 3);
}
