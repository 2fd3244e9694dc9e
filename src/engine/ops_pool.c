/*
 * ops_pool.c: max pooling, of a value in memory or of a batch norm's result that nobody wrote.
 */
#include "engine/ops_fuse.h"

static const float *row_of(const hy_tape *t, const hy_node *n, int64_t c, enum hy_norm_rows row)
{
	return n->fuse.in_aux < 0 ? NULL : hy_norm_row(t, n->fuse.in_aux, c, row);
}

/* values: x, y */
static hardy_status run_pool(hy_tape *t, const hy_instruction *i, hardy_error *err)
{
	(void)err;
	const hy_value *x = &t->values[i->value[0]];
	t->kernels->max_pool(x->blocks, row_of(t, &i->node, x->c, HY_NORM_SCALE), row_of(t, &i->node, x->c, HY_NORM_SHIFT),
	                     i->node.fuse.in_slope, x->n, x->c, x->h, x->w, hy_tape_blocked(t, i->value[1]));
	return HARDY_OK;
}

/* values: dy, dx; x, value and dskip as for a convolution that finishes, then x */
static hardy_status run_pool_back(hy_tape *t, const hy_instruction *i, hardy_error *err)
{
	(void)err;
	const hy_value *x = &t->values[i->value[5]];
	hy_fused f;
	t->kernels->max_pool_back(hy_conv_fused(t, i, NULL, x, &f), hy_tape_blocked(t, i->value[0]), x->blocks,
	                          row_of(t, &i->node, x->c, HY_NORM_SCALE), row_of(t, &i->node, x->c, HY_NORM_SHIFT),
	                          i->node.fuse.in_slope, x->n, x->c, x->h, x->w, i->accumulate, hy_tape_blocked(t, i->value[1]));
	return HARDY_OK;
}

static void pool_back(hy_tape *t, const hy_node *node, int flags)
{
	(void)flags;
	bool accumulate;
	const int dy = hy_tape_gradient(t, node->out), dx = hy_tape_gradient_out(t, node->in[0], &accumulate);
	if (dx < 0)
		return;
	const int values[] = {dy, dx, -1, -1, -1, hy_tape_raw(t, node->in[0])};
	hy_instruction *i = hy_tape_emit(t, "pool back", run_pool_back, node, values, 6);
	i->accumulate = accumulate;
	i->finishes_samples = true;
}

int hy_op_max_pool(hy_tape *t, int x)
{
	if (hy_tape_failed(t))
		return -1;
	const hy_value in = t->values[x];
	if (in.h % 2 || in.w % 2) {
		hy_tape_fail(t, HARDY_ERROR_ARGUMENT, "a grid of %lld x %lld cannot be halved", (long long)in.h, (long long)in.w);
		return -1;
	}
	const int y = hy_tape_value(t, in.n, in.c, in.h / 2, in.w / 2, true);
	hy_node *n = hy_tape_node(t, "pool");
	n->in[0] = x, n->n_in = 1, n->out = y;
	n->back = pool_back;
	if (in.lazy_x >= 0) {
		n->fuse.in_aux = in.lazy_aux;
		n->fuse.in_slope = in.lazy_slope;
	}
	const int values[] = {hy_tape_raw(t, x), y};
	hy_tape_emit(t, "pool", run_pool, n, values, 2);
	return y;
}
