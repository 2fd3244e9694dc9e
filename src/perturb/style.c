/*
 * style.c: measuring and changing feature styles.
 */
#include "perturb/style.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

hardy_status hy_style_init(hy_style *s, int64_t n, int64_t c, hardy_error *err)
{
	*s = (hy_style){.n = n, .c = c};
	double **const members[] = {&s->mean, &s->sd, &s->scale, &s->shift, &s->by_style_sd, &s->by_style_mean};
	for (size_t i = 0; i < sizeof members / sizeof *members; i++)
		if (!(*members[i] = hy_calloc((size_t)n, (size_t)c * sizeof(double)))) {
			hy_style_clear(s);
			return hy_fail_memory(err, "feature styles", (size_t)n, (size_t)c * sizeof(double));
		}
	return HARDY_OK;
}

void hy_style_clear(hy_style *s)
{
	hy_free(s->mean);
	hy_free(s->sd);
	hy_free(s->scale);
	hy_free(s->shift);
	hy_free(s->by_style_sd);
	hy_free(s->by_style_mean);
	memset(s, 0, sizeof *s);
}

/* Where channel k of sample i begins, and how far its pixels are apart. */
static int64_t start_of(int64_t i, int64_t k, int64_t c, int64_t hw, int block)
{
	return block ? (i * (c / block) + k / block) * hw * block + k % block : (i * c + k) * hw;
}

static int64_t step_of(int block)
{
	return block ? block : 1;
}

void hy_style_measure(hy_style *s, const float *x, int64_t hw, int block, double eps)
{
	const int64_t step = step_of(block);
#pragma omp parallel for schedule(static)
	for (int64_t j = 0; j < s->n * s->c; j++) {
		const float *p = x + start_of(j / s->c, j % s->c, s->c, hw, block);
		double sum = 0, square = 0;
		for (int64_t q = 0; q < hw; q++)
			sum += (double)p[q * step];
		const double mean = sum / (double)hw;
		for (int64_t q = 0; q < hw; q++)
			square += ((double)p[q * step] - mean) * ((double)p[q * step] - mean);
		s->mean[j] = mean;
		s->sd[j] = sqrt(square / (double)(hw > 1 ? hw - 1 : 1) + eps);
	}
}

void hy_style_apply(const hy_style *s, const float *x, int64_t hw, int block, float *y)
{
	const int64_t step = step_of(block);
#pragma omp parallel for schedule(static)
	for (int64_t j = 0; j < s->n * s->c; j++) {
		const int64_t start = start_of(j / s->c, j % s->c, s->c, hw, block);
		for (int64_t q = 0; q < hw; q++)
			y[start + q * step] = (float)((double)x[start + q * step] * s->scale[j] + s->shift[j]);
	}
}

void hy_style_back(hy_style *s, const float *x, const float *dy, int64_t hw, int block, bool accumulate, bool with_style,
                   float *dx)
{
	const int64_t step = step_of(block);
#pragma omp parallel for schedule(static)
	for (int64_t j = 0; j < s->n * s->c; j++) {
		const int64_t start = start_of(j / s->c, j % s->c, s->c, hw, block);
		const float *p = x + start, *g = dy + start;
		double sum = 0, product = 0;
		for (int64_t q = 0; q < hw * step && with_style; q += step) {
			sum += (double)g[q];
			product += (double)g[q] * ((double)p[q] - s->mean[j]);
		}
		s->by_style_mean[j] = sum;
		s->by_style_sd[j] = product / s->sd[j];
		for (int64_t q = start; q < start + hw * step && dx; q += step)
			dx[q] = (float)((accumulate ? (double)dx[q] : 0) + (double)dy[q] * s->scale[j]);
	}
}

void hy_style_set(hy_style *s, int64_t i, int64_t k, double style_sd, double style_mean)
{
	const int64_t j = i * s->c + k;
	s->scale[j] = style_sd / s->sd[j];
	s->shift[j] = style_mean - s->mean[j] * s->scale[j];
}

void hy_style_spread(const double *values, int64_t n, int64_t c, double *spread)
{
	for (int64_t k = 0; k < c; k++) {
		double mean = 0, square = 0;
		for (int64_t i = 0; i < n; i++)
			mean += values[i * c + k] / (double)n;
		for (int64_t i = 0; i < n; i++)
			square += (values[i * c + k] - mean) * (values[i * c + k] - mean);
		spread[k] = sqrt(square / (double)(n > 1 ? n - 1 : 1));
	}
}

void hy_style_mix(hy_style *s, const double *lambda, const size_t *permutation)
{
	for (int64_t i = 0; i < s->n; i++)
		for (int64_t k = 0; k < s->c; k++) {
			const int64_t own = i * s->c + k, other = (int64_t)permutation[i] * s->c + k;
			hy_style_set(s, i, k, (1 - lambda[i]) * s->sd[own] + lambda[i] * s->sd[other],
			             (1 - lambda[i]) * s->mean[own] + lambda[i] * s->mean[other]);
		}
}

void hy_style_disturb(hy_style *s, const double *on_mean, const double *on_sd, double *spread)
{
	hy_style_spread(s->mean, s->n, s->c, spread);
	for (int64_t j = 0; j < s->n * s->c; j++)
		s->shift[j] = s->mean[j] + on_mean[j] * spread[j % s->c]; /* the new mean waits here */
	hy_style_spread(s->sd, s->n, s->c, spread);
	for (int64_t j = 0; j < s->n * s->c; j++)
		hy_style_set(s, j / s->c, j % s->c, s->sd[j] + on_sd[j] * spread[j % s->c], s->shift[j]);
}

/* Joehnk's method: u^(1/a) / (u^(1/a) + v^(1/a)) when the sum is at most 1. Small powers are compared by their logarithms. */
double hy_style_beta(hy_rng *g, double a)
{
	for (;;) {
		const double u = hy_rng_uniform(g), v = hy_rng_uniform(g);
		if (u <= 0 || v <= 0)
			continue;
		const double log_u = log(u) / a, log_v = log(v) / a, largest = fmax(log_u, log_v);
		const double log_sum = largest + log(exp(log_u - largest) + exp(log_v - largest));
		if (log_sum <= 0)
			return exp(log_u - log_sum);
	}
}

/* ---- operator ---- */

static int block_of(const hy_tape *t, const hy_value *x)
{
	return x->blocked ? t->kernels->block : 0;
}

static hardy_status run_restyle(hy_tape *t, const hy_instruction *i, hardy_error *err)
{
	(void)err;
	const hy_value *x = &t->values[i->value[0]];
	const float *from = hy_tape_floats(t, i->value[0]);
	float *to = hy_tape_floats(t, i->value[1]);
	hy_restyle *r = i->node.link;
	if (!r->active) {
		memcpy(to, from, (size_t)(x->n * x->c * x->h * x->w) * sizeof *to);
		return HARDY_OK;
	}
	hy_style_measure(&r->style, from, x->h * x->w, block_of(t, x), r->eps);
	r->choose(r);
	hy_style_apply(&r->style, from, x->h * x->w, block_of(t, x), to);
	return HARDY_OK;
}

/* values: x, dy, dx */
static hardy_status run_restyle_back(hy_tape *t, const hy_instruction *i, hardy_error *err)
{
	(void)err;
	const hy_value *x = &t->values[i->value[0]];
	const float *from = hy_tape_floats(t, i->value[0]), *dy = hy_tape_floats(t, i->value[1]);
	float *dx = hy_tape_floats(t, i->value[2]);
	const int64_t size = x->n * x->c * x->h * x->w;
	hy_restyle *r = i->node.link;
	if (r->active) {
		hy_style_back(&r->style, from, dy, x->h * x->w, block_of(t, x), i->accumulate, r->with_style, dx);
		return HARDY_OK;
	}
	for (int64_t k = 0; k < size && dx; k++)
		dx[k] = i->accumulate ? dx[k] + dy[k] : dy[k];
	return HARDY_OK;
}

static void restyle_back(hy_tape *t, const hy_node *node, int flags)
{
	(void)flags;
	bool accumulate;
	const int dx = hy_tape_gradient_out(t, node->in[0], &accumulate);
	const int values[] = {node->in[0], hy_tape_gradient(t, node->out), dx};
	hy_tape_emit(t, "restyle back", run_restyle_back, node, values, 3)->accumulate = accumulate;
}

int hy_op_restyle(hy_tape *t, int x, hy_restyle *r)
{
	if (hy_tape_failed(t))
		return -1;
	const hy_value in = t->values[x];
	if (in.blocked && t->kernels->element != sizeof(float)) {
		hy_tape_fail(t, HARDY_ERROR_UNSUPPORTED,
		             "features are re-styled in single precision only, this plan holds them in bf16");
		return -1;
	}
	if (r->style.n != in.n || r->style.c != in.c) {
		hy_tape_fail(t, HARDY_ERROR_ARGUMENT, "styles of %lld x %lld for features of %lld x %lld", (long long)r->style.n,
		             (long long)r->style.c, (long long)in.n, (long long)in.c);
		return -1;
	}
	const int y = hy_tape_value(t, in.n, in.c, in.h, in.w, in.blocked);
	hy_node *n = hy_tape_node(t, "restyle");
	n->in[0] = x, n->n_in = 1, n->out = y;
	n->link = r;
	n->back = restyle_back;
	const int values[] = {x, y};
	hy_tape_emit(t, "restyle", run_restyle, n, values, 2);
	return y;
}
