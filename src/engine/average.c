/*
 * average.c: a moving average of weights.
 */
#include "engine/average.h"

#include "base/memory.h"

#include <string.h>

hardy_status hy_average_start(hy_params *p, hardy_error *err)
{
	if (!p->average_values)
		p->average_values = hy_alloc_aligned(p->n_values, sizeof(float));
	if (!p->average_buffers)
		p->average_buffers = hy_alloc_aligned(p->n_buffers, sizeof(float));
	if (!p->average_values || !p->average_buffers)
		return hy_fail_memory(err, "averaged weights", p->n_values, sizeof(float));
	memcpy(p->average_values, p->values, p->n_values * sizeof(float));
	memcpy(p->average_buffers, p->buffers, p->n_buffers * sizeof(float));
	return HARDY_OK;
}

static void follow(float *average, const float *values, size_t n, double part)
{
	const float share = (float)part;
#pragma omp parallel for schedule(static)
	for (size_t i = 0; i < n; i++)
		average[i] += share * (values[i] - average[i]);
}

void hy_average_step(hy_params *p, double decay, int64_t t)
{
	const double early = (1 + (double)t) / (10 + (double)t), part = 1 - (decay < early ? decay : early);
	follow(p->average_values, p->values, p->n_values, part);
	follow(p->average_buffers, p->buffers, p->n_buffers, part);
}

void hy_average_swap(hy_params *p)
{
	float *const values = hy_params_write_values(p), *const buffers = hy_params_write_buffers(p);
	p->values = p->own_values = p->average_values;
	p->buffers = p->own_buffers = p->average_buffers;
	p->average_values = values;
	p->average_buffers = buffers;
}
