/*
 * maxstyle.c: styles that make an example hardest.
 */
#include "perturb/maxstyle.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

static size_t count(const hy_maxstyle *m)
{
	return (size_t)(m->n * (1 + 2 * m->c));
}

hardy_status hy_maxstyle_init(hy_maxstyle *m, int64_t n, int64_t c, hardy_error *err)
{
	*m = (hy_maxstyle){.n = n, .c = c};
	const size_t size = count(m);
	m->other = hy_calloc((size_t)n, sizeof *m->other);
	m->values = hy_calloc(size, sizeof *m->values);
	m->grads = hy_calloc(size, sizeof *m->grads);
	m->moments[0] = hy_calloc(size, sizeof *m->moments[0]);
	m->moments[1] = hy_calloc(size, sizeof *m->moments[1]);
	m->spread_sd = hy_calloc((size_t)c, sizeof *m->spread_sd);
	m->spread_mean = hy_calloc((size_t)c, sizeof *m->spread_mean);
	if (m->other && m->values && m->grads && m->moments[0] && m->moments[1] && m->spread_sd && m->spread_mean)
		return HARDY_OK;
	hy_maxstyle_clear(m);
	return hy_fail_memory(err, "feature styles", size, sizeof(float));
}

void hy_maxstyle_clear(hy_maxstyle *m)
{
	hy_free(m->other);
	hy_free(m->values);
	hy_free(m->grads);
	hy_free(m->moments[0]);
	hy_free(m->moments[1]);
	hy_free(m->spread_sd);
	hy_free(m->spread_mean);
	memset(m, 0, sizeof *m);
}

float *hy_maxstyle_gamma(const hy_maxstyle *m)
{
	return m->values + m->n;
}

float *hy_maxstyle_beta(const hy_maxstyle *m)
{
	return m->values + m->n * (1 + m->c);
}

static bool is_identity(const size_t *p, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		if (p[i] != (size_t)i)
			return false;
	return true;
}

void hy_maxstyle_draw(hy_maxstyle *m, hy_rng *g, double shape)
{
	do
		hy_rng_permutation(g, (size_t)m->n, m->other);
	while (is_identity(m->other, m->n) && m->n > 1);
	for (int64_t i = 0; i < m->n; i++)
		m->values[i] = (float)(shape > 0 ? hy_style_beta(g, shape) : hy_rng_uniform(g));
	for (size_t i = (size_t)m->n; i < count(m); i++)
		m->values[i] = (float)hy_rng_normal(g);
	hy_maxstyle_reset(m);
}

void hy_maxstyle_reset(hy_maxstyle *m)
{
	m->measured = false;
	m->steps = 0;
	memset(m->moments[0], 0, count(m) * sizeof *m->moments[0]);
	memset(m->moments[1], 0, count(m) * sizeof *m->moments[1]);
}

void hy_maxstyle_choose(hy_maxstyle *m, hy_style *s)
{
	const float *gamma = hy_maxstyle_gamma(m), *beta = hy_maxstyle_beta(m);
	if (!m->measured) {
		hy_style_spread(s->sd, s->n, s->c, m->spread_sd);
		hy_style_spread(s->mean, s->n, s->c, m->spread_mean);
		m->measured = true;
	}
	for (int64_t i = 0; i < m->n; i++) {
		const double free = (double)m->values[i], lambda = free < 0 ? 0 : free > 1 ? 1 : free;
		for (int64_t k = 0; k < m->c; k++) {
			const int64_t own = i * m->c + k, other = (int64_t)m->other[i] * m->c + k;
			const double sd = (1 - lambda) * s->sd[own] + lambda * s->sd[other];
			const double mean = (1 - lambda) * s->mean[own] + lambda * s->mean[other];
			hy_style_set(s, i, k, sd + (double)gamma[own] * m->spread_sd[k], mean + (double)beta[own] * m->spread_mean[k]);
		}
	}
}

void hy_maxstyle_gradient(hy_maxstyle *m, const hy_style *s)
{
	float *on_gamma = m->grads + m->n, *on_beta = m->grads + m->n * (1 + m->c);
	for (int64_t i = 0; i < m->n; i++) {
		double sum = 0;
		for (int64_t k = 0; k < m->c; k++) {
			const int64_t own = i * m->c + k, other = (int64_t)m->other[i] * m->c + k;
			sum += s->by_style_sd[own] * (s->sd[other] - s->sd[own]) + s->by_style_mean[own] * (s->mean[other] - s->mean[own]);
			on_gamma[own] = (float)(s->by_style_sd[own] * m->spread_sd[k]);
			on_beta[own] = (float)(s->by_style_mean[own] * m->spread_mean[k]);
		}
		m->grads[i] = m->values[i] < 0 || m->values[i] > 1 ? 0 : (float)sum;
	}
}

void hy_maxstyle_step(hy_maxstyle *m, double rate)
{
	const double t = (double)++m->steps, first = 1 - pow(0.9, t), second = sqrt(1 - pow(0.999, t));
	for (size_t i = 0; i < count(m); i++) {
		const double g = (double)m->grads[i];
		m->moments[0][i] = (float)(0.9 * (double)m->moments[0][i] + 0.1 * g);
		m->moments[1][i] = (float)(0.999 * (double)m->moments[1][i] + 0.001 * g * g);
		m->values[i] -= (float)(rate / first * (double)m->moments[0][i] / (sqrt((double)m->moments[1][i]) / second + 1e-8));
	}
}
