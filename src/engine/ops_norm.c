/*
 * ops_norm.c: batch norm with activation and residual sum, forward and backward in two sweeps each.
 *
 * Forward: sums of x and x^2 over batch and grid, then y = act(gamma (x - mean) / sqrt(var + eps) + beta + skip) with the
 * biased variance; running statistics follow with the unbiased one (Ioffe & Szegedy, ICML 2015; PyTorch's BatchNorm2d
 * conventions). Backward, with g = dy act'(y), xh = (x - mean) / sigma, M elements a channel: dbeta = sum g, dgamma = sum g xh,
 * dx = gamma / sigma (g - dbeta / M - xh dgamma / M); running statistics: dx = gamma / sigma g.
 */
#include "engine/ops.h"

#include <math.h>
#include <string.h>

static const double EPS = 1e-5;

/* The node's own memory: 7 rows of c floats. */
enum { MEAN, SCALE, SHIFT, INVERSE, BACK_G, BACK_X, BACK_1, N_ROWS };

static float *row_of(hy_tape *t, const hy_node *node, int64_t c, int row)
{
	return t->aux + node->aux + row * c;
}

/* Adds the samples' partial sums (two a channel) in order, then over the ranks of a data-parallel run. */
static void gather(hy_tape *t, int64_t n, int64_t c, double *partial)
{
	for (int64_t i = 1; i < n; i++)
		for (int64_t k = 0; k < 2 * c; k++)
			partial[k] += partial[i * 2 * c + k];
	if (t->reduce)
		t->reduce(t->reduce_payload, partial, (size_t)(2 * c));
}

static hardy_status run_forward(hy_tape *t, const hy_instruction *i, hardy_error *err)
{
	const hy_node *node = &i->node;
	const hy_value *x = &t->values[i->value[0]], *y = &t->values[i->value[1]];
	const int64_t c = x->c;
	float *mean = row_of(t, node, c, MEAN), *scale = row_of(t, node, c, SCALE), *shift = row_of(t, node, c, SHIFT);
	float *inverse = row_of(t, node, c, INVERSE);
	const float *gamma = hy_tape_param(t, node->param[0]), *beta = hy_tape_param(t, node->param[1]);
	float *running_mean = hy_tape_param(t, node->param[2]), *running_var = hy_tape_param(t, node->param[3]);
	const float *bias = hy_tape_param(t, node->param[4]);
	const double count = (double)(x->n * x->h * x->w) * (double)t->reduce_ranks;
	if (node->norm != HY_NORM_RUNNING) {
		double *sums = (double *)(void *)t->work;
		t->kernels->norm_sums(x->data, x->n, c, x->h * x->w, sums);
		gather(t, x->n, c, sums);
		for (int64_t k = 0; k < c; k++) {
			const double m = sums[2 * k] / count, spread = sums[2 * k + 1] / count - m * m, var = spread > 0 ? spread : 0;
			if (!isfinite(m) || !isfinite(spread))
				return hy_fail(err, HARDY_ERROR_NUMERIC, "batch statistics of channel %lld before %s are not finite",
				               (long long)k, t->params->list[node->param[0]].name);
			mean[k] = (float)m;
			inverse[k] = (float)(1 / sqrt(var + EPS));
			if (node->norm == HY_NORM_TRACK) {
				const double momentum = t->norm_momentum, unbiased = count > 1 ? var * count / (count - 1) : var;
				running_mean[k] =
				    (float)((1 - momentum) * (double)running_mean[k] + momentum * (m + (bias ? (double)bias[k] : 0)));
				running_var[k] = (float)((1 - momentum) * (double)running_var[k] + momentum * unbiased);
			}
		}
	} else {
		for (int64_t k = 0; k < c; k++) {
			mean[k] = running_mean[k] - (bias ? bias[k] : 0);
			inverse[k] = (float)(1 / sqrt((double)running_var[k] + EPS));
		}
	}
	for (int64_t k = 0; k < c; k++) {
		scale[k] = gamma[k] * inverse[k];
		shift[k] = beta[k] - mean[k] * scale[k];
	}
	t->kernels->norm_act(x->data, scale, shift, hy_tape_data(t, i->value[2]), node->flag, node->slope, x->n, c, x->h, x->w,
	                     y->data);
	return HARDY_OK;
}

/* values: dy, y, x, dx, dskip */
static hardy_status run_back(hy_tape *t, const hy_instruction *i, hardy_error *err)
{
	(void)err;
	const hy_node *node = &i->node;
	const hy_value *x = &t->values[i->value[2]];
	const int64_t c = x->c, hw = x->h * x->w;
	const float *dy = hy_tape_data(t, i->value[0]), *y = hy_tape_data(t, i->value[1]);
	float *dx = hy_tape_data(t, i->value[3]), *dskip = hy_tape_data(t, i->value[4]);
	const float *gamma = hy_tape_param(t, node->param[0]), *mean = row_of(t, node, c, MEAN),
	            *inverse = row_of(t, node, c, INVERSE);
	float *on_g = row_of(t, node, c, BACK_G), *on_x = row_of(t, node, c, BACK_X), *on_1 = row_of(t, node, c, BACK_1);
	double *sums = (double *)(void *)t->work;
	t->kernels->norm_act_sums_back(dy, y, x->data, mean, node->slope, node->flag, x->n, c, x->h, x->w, sums, dskip);
	gather(t, x->n, c, sums);
	const double count = (double)(x->n * hw) * (double)t->reduce_ranks;
	float *dgamma = i->on_norm ? hy_tape_grad(t, node->param[0]) : NULL,
	      *dbeta = i->on_norm ? hy_tape_grad(t, node->param[1]) : NULL;
	for (int64_t k = 0; k < c; k++) {
		const double sum = sums[2 * k], product = sums[2 * k + 1] * (double)inverse[k];
		if (dgamma) {
			dgamma[k] += (float)product;
			dbeta[k] += (float)sum;
		}
		const double a = (double)gamma[k] * (double)inverse[k];
		const double b = node->norm == HY_NORM_RUNNING ? 0 : -a * (double)inverse[k] * product / count;
		on_g[k] = (float)a;
		on_x[k] = (float)b;
		on_1[k] = node->norm == HY_NORM_RUNNING ? 0 : (float)(-a * sum / count - b * (double)mean[k]);
	}
	if (dx) {
		const bool ready = dskip && !node->flag; /* dskip then holds g */
		t->kernels->norm_back(ready ? dskip : dy, ready ? NULL : y, x->data, on_g, on_x, on_1, node->slope, x->n, c, hw, dx);
	}
	return HARDY_OK;
}

static void norm_back(hy_tape *t, const hy_node *node, int flags)
{
	bool accumulate = false, accumulate_skip = false;
	const int dx = hy_tape_gradient_out(t, node->in[0], &accumulate);
	const int dskip = hy_tape_gradient_out(t, node->in[1], &accumulate_skip);
	if (accumulate || accumulate_skip)
		hy_tape_fail(t, HARDY_ERROR_UNSUPPORTED, "batch norm's input and skip may serve no other operator");
	const int values[] = {hy_tape_gradient(t, node->out), node->out, node->in[0], dx, dskip};
	hy_tape_emit(t, "norm back", run_back, node, values, 5)->on_norm = (flags & HY_BACK_NORM) && !node->frozen;
}

int hy_op_norm_act(hy_tape *t, int x, int bias, int gamma, int beta, int running_mean, int running_var, int skip, float slope)
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
	n->aux = hy_tape_aux(t, (size_t)(N_ROWS * in.c));
	n->back = norm_back;
	if (hy_tape_failed(t))
		return -1;
	n->flag = skip >= 0 && t->values[skip].h != in.h;
	hy_tape_work(t, (size_t)(4 * in.n * in.c));
	const int values[] = {x, y, skip};
	hy_tape_emit(t, "norm", run_forward, n, values, 3);
	return y;
}
