/*
 * ops_norm.c: batch norm with activation and residual sum, forward and backward in two sweeps each.
 *
 * Forward: sums of x and x^2 over batch and grid, then y = act(gamma (x - mean) / sqrt(var + eps) + beta + skip) with the
 * biased variance; running statistics follow with the unbiased one (Ioffe & Szegedy, ICML 2015; PyTorch's BatchNorm2d
 * conventions). Backward, with g = dy act'(y), xh = (x - mean) / sigma, M elements a channel: dbeta = sum g, dgamma = sum g xh,
 * dx = gamma / sigma (g - dbeta / M - xh dgamma / M); running statistics: dx = gamma / sigma g.
 */
#include "engine/ops_fuse.h"

#include <math.h>
#include <string.h>

/* Adds the partial sums (two a channel) of the jobs in order. */
static void gather(hy_tape *t, int64_t jobs, int64_t c)
{
	for (int64_t i = 1; i < jobs; i++)
		for (int64_t k = 0; k < 2 * c; k++)
			t->sums[k] += t->sums[i * 2 * c + k];
}

/* The same over the ranks of a data-parallel run. */
static void gather_ranks(hy_tape *t, int64_t c)
{
	if (t->over.sum && !t->norm_local)
		t->over.sum(t->over.payload, t->sums, (size_t)(2 * c));
}

static double elements(const hy_tape *t, const hy_value *x)
{
	return (double)(x->n * x->h * x->w) * (double)(t->norm_local ? 1 : t->n_ranks);
}

/* Mean and 1 / sigma of the batch; node->k: rows of partial sums that the convolution left, or 0. */
static hardy_status batch_statistics(hy_tape *t, const hy_node *node, const hy_value *x, hardy_error *err)
{
	const int64_t c = x->c;
	const double count = elements(t, x);
	float *mean = hy_norm_row(t, node->aux, c, HY_NORM_MEAN), *inverse = hy_norm_row(t, node->aux, c, HY_NORM_INVERSE);
	float *buffers = node->norm == HY_NORM_TRACK ? hy_params_write_buffers(t->params) : NULL;
	float *running_mean = buffers ? buffers + t->params->list[node->param[2]].offset : NULL;
	float *running_var = buffers ? buffers + t->params->list[node->param[3]].offset : NULL;
	const float *bias = hy_tape_param(t, node->param[4]);
	if (!node->k)
		t->kernels->norm_sums(x->blocks, x->n, c, x->h * x->w, t->sums);
	gather(t, node->k ? node->k : x->n, c);
	gather_ranks(t, c);
	for (int64_t k = 0; k < c; k++) {
		const double m = t->sums[2 * k] / count, spread = t->sums[2 * k + 1] / count - m * m, var = spread > 0 ? spread : 0;
		if (!isfinite(m) || !isfinite(spread))
			return hy_fail(err, HARDY_ERROR_NUMERIC, "batch statistics of channel %lld before %s are not finite", (long long)k,
			               t->params->list[node->param[0]].name);
		mean[k] = (float)m;
		inverse[k] = (float)(1 / sqrt(var + HY_NORM_EPS));
		if (buffers) {
			const double momentum = t->norm_momentum, unbiased = count > 1 ? var * count / (count - 1) : var;
			running_mean[k] = (float)((1 - momentum) * (double)running_mean[k] + momentum * (m + (bias ? (double)bias[k] : 0)));
			running_var[k] = (float)((1 - momentum) * (double)running_var[k] + momentum * unbiased);
		}
	}
	return HARDY_OK;
}

static void running_statistics(hy_tape *t, const hy_node *node, int64_t c)
{
	float *mean = hy_norm_row(t, node->aux, c, HY_NORM_MEAN), *inverse = hy_norm_row(t, node->aux, c, HY_NORM_INVERSE);
	const float *running_mean = hy_tape_param(t, node->param[2]), *running_var = hy_tape_param(t, node->param[3]);
	const float *bias = hy_tape_param(t, node->param[4]);
	for (int64_t k = 0; k < c; k++) {
		mean[k] = running_mean[k] - (bias ? bias[k] : 0);
		inverse[k] = (float)(1 / sqrt((double)running_var[k] + HY_NORM_EPS));
	}
}

/* values: x, y (-1: left to the convolutions that read it), skip */
static hardy_status run_forward(hy_tape *t, const hy_instruction *i, hardy_error *err)
{
	const hy_node *node = &i->node;
	const hy_value *x = &t->values[i->value[0]];
	const int64_t c = x->c;
	if (node->norm == HY_NORM_RUNNING) {
		running_statistics(t, node, c);
	} else {
		const hardy_status status = batch_statistics(t, node, x, err);
		if (status)
			return status;
	}
	const float *mean = hy_norm_row(t, node->aux, c, HY_NORM_MEAN), *inverse = hy_norm_row(t, node->aux, c, HY_NORM_INVERSE);
	const float *gamma = hy_tape_param(t, node->param[0]), *beta = hy_tape_param(t, node->param[1]);
	float *scale = hy_norm_row(t, node->aux, c, HY_NORM_SCALE), *shift = hy_norm_row(t, node->aux, c, HY_NORM_SHIFT);
	for (int64_t k = 0; k < c; k++) {
		scale[k] = gamma[k] * inverse[k];
		shift[k] = beta[k] - mean[k] * scale[k];
	}
	if (i->value[1] >= 0)
		t->kernels->norm_act(x->blocks, scale, shift, hy_tape_blocked(t, i->value[2]), node->flag, node->slope, x->n, c, x->h,
		                     x->w, hy_tape_blocked(t, i->value[1]));
	return HARDY_OK;
}

/* Where no convolution could do it. values: dy, y (-1: lazy), x, dskip (half only) */
static hardy_status run_back_sums(hy_tape *t, const hy_instruction *i, hardy_error *err)
{
	(void)err;
	const hy_value *x = &t->values[i->value[2]];
	const hy_fused f = {.slope = i->node.slope,
	                    .partial = t->sums,
	                    .x = x->blocks,
	                    .value = hy_tape_blocked(t, i->value[1]),
	                    .scale = hy_norm_row(t, i->node.aux, x->c, HY_NORM_SCALE),
	                    .shift = hy_norm_row(t, i->node.aux, x->c, HY_NORM_SHIFT),
	                    .mean = hy_norm_row(t, i->node.aux, x->c, HY_NORM_MEAN),
	                    .dskip = hy_tape_blocked(t, i->value[3])};
	t->kernels->norm_back_sums(&f, x->n, x->c, x->h, x->w, hy_tape_blocked(t, i->value[0]));
	return HARDY_OK;
}

/* values: g, x, dx. node->k: rows of partial sums */
static hardy_status run_back(hy_tape *t, const hy_instruction *i, hardy_error *err)
{
	(void)err;
	const hy_node *node = &i->node;
	const hy_value *x = &t->values[i->value[1]];
	const int64_t c = x->c;
	const float *gamma = hy_tape_param(t, node->param[0]), *mean = hy_norm_row(t, node->aux, c, HY_NORM_MEAN),
	            *inverse = hy_norm_row(t, node->aux, c, HY_NORM_INVERSE);
	float *on_g = hy_norm_row(t, node->aux, c, HY_NORM_ON_G), *on_x = hy_norm_row(t, node->aux, c, HY_NORM_ON_X),
	      *on_1 = hy_norm_row(t, node->aux, c, HY_NORM_ON_1);
	gather(t, node->k, c);
	/* this process's share: like the gradients of all parameters these are added up later */
	for (int64_t k = 0; i->on_norm && k < c; k++) {
		hy_tape_grad(t, node->param[0])[k] += (float)(t->sums[2 * k + 1] * (double)inverse[k]);
		hy_tape_grad(t, node->param[1])[k] += (float)t->sums[2 * k];
	}
	if (node->norm != HY_NORM_RUNNING)
		gather_ranks(t, c);
	const double count = elements(t, x);
	for (int64_t k = 0; k < c; k++) {
		const double sum = t->sums[2 * k], product = t->sums[2 * k + 1] * (double)inverse[k];
		const double a = (double)gamma[k] * (double)inverse[k];
		const double b = node->norm == HY_NORM_RUNNING ? 0 : -a * (double)inverse[k] * product / count;
		on_g[k] = (float)a;
		on_x[k] = (float)b;
		on_1[k] = node->norm == HY_NORM_RUNNING ? 0 : (float)(-a * sum / count - b * (double)mean[k]);
	}
	hy_blocked *dx = hy_tape_blocked(t, i->value[2]);
	if (dx)
		t->kernels->norm_back(hy_tape_blocked(t, i->value[0]), x->blocks, on_g, on_x, on_1, x->n, c, x->h * x->w, dx);
	return HARDY_OK;
}

/*
 * The gradient dy of the result becomes g in place. Without a skip, or with one of half the grid, dx then takes its place; a skip of the
 * same grid has g as its gradient.
 */
static void norm_back(hy_tape *t, const hy_node *node, int flags)
{
	const int dy = hy_tape_gradient(t, node->out), skip = node->in[1];
	const bool lazy = t->values[node->out].lazy_x >= 0, whole = skip >= 0 && !node->flag;
	if (hy_tape_gradient(t, node->in[0]) >= 0 || hy_tape_gradient(t, skip) >= 0)
		hy_tape_fail(t, HARDY_ERROR_UNSUPPORTED, "batch norm's input and skip may serve no other operator");
	bool accumulate;
	const int dskip = node->flag ? hy_tape_gradient_out(t, skip, &accumulate) : -1;
	int dx = -1;
	if (whole) {
		dx = hy_tape_gradient_out(t, node->in[0], &accumulate);
		if (!t->values[skip].constant)
			hy_tape_gradient_set(t, skip, dy);
	} else if (!t->values[node->in[0]].constant) {
		hy_tape_gradient_set(t, node->in[0], dx = dy);
	}
	hy_node n = *node;
	const int y = lazy ? -1 : node->out;
	n.k = hy_conv_fuse_back(t, node, dy, y, dskip);
	if (!n.k) {
		const int values[] = {dy, y, node->in[0], dskip};
		n.k = t->values[node->in[0]].n;
		hy_tape_emit(t, "norm back sums", run_back_sums, &n, values, 4);
	}
	hy_tape_sums(t, (size_t)(2 * n.k * t->values[node->in[0]].c));
	const int values[] = {dy, node->in[0], dx};
	hy_tape_emit(t, "norm back", run_back, &n, values, 3)->on_norm = (flags & HY_BACK_NORM) && !node->frozen;
}

int hy_op_norm_act(hy_tape *t, int x, int bias, int gamma, int beta, int running_mean, int running_var, int skip, float slope,
                   bool lazy)
{
	if (hy_tape_failed(t))
		return -1;
	const hy_value in = t->values[x];
	if (skip >= 0) {
		const hy_value s = t->values[skip];
		const bool same = s.h == in.h && s.w == in.w, half = s.h * 2 == in.h && s.w * 2 == in.w;
		if (s.c != in.c || s.n != in.n || !(same || half))
			hy_tape_fail(t, HARDY_ERROR_ARGUMENT, "a skip of %lld x %lld x %lld beside %lld x %lld x %lld", (long long)s.c,
			             (long long)s.h, (long long)s.w, (long long)in.c, (long long)in.h, (long long)in.w);
	}
	const int y = hy_tape_value(t, in.n, in.c, in.h, in.w, true);
	hy_node *n = hy_tape_node(t, "norm");
	n->in[0] = x, n->in[1] = skip, n->n_in = 2, n->out = y;
	n->param[0] = gamma, n->param[1] = beta, n->param[2] = running_mean, n->param[3] = running_var, n->param[4] = bias;
	n->slope = slope;
	n->norm = t->norm;
	n->frozen = t->norm_frozen;
	n->back = norm_back;
	if (hy_tape_failed(t))
		return -1;
	n->flag = skip >= 0 && t->values[skip].h != in.h;
	if (t->fold && t->norm == HY_NORM_RUNNING && hy_conv_fold(t, n, x, y, skip)) {
		n->back = NULL;
		return y;
	}
	n->aux = hy_tape_aux(t, (size_t)(HY_N_NORM_ROWS * in.c));
	n->k = t->norm == HY_NORM_RUNNING ? 0 : hy_conv_fuse_sums(t, x);
	hy_tape_sums(t, (size_t)(2 * (n->k ? n->k : in.n) * in.c));
	lazy = lazy && skip < 0 && hy_conv_fuses(t);
	const int values[] = {x, lazy ? -1 : y, skip};
	hy_tape_emit(t, "norm", run_forward, n, values, 3);
	if (lazy) {
		t->values[y].lazy_x = x;
		t->values[y].lazy_aux = n->aux;
		t->values[y].lazy_slope = slope;
	}
	return y;
}
