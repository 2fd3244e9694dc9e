/*
 * params.c: the parameter slabs, start values and Adam.
 */
#include "engine/params.h"

#include "base/memory.h"
#include "engine/kernels/kernels.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

int hy_params_add(hy_params *p, const char *name, int n_dims, const int64_t *shape, bool is_buffer, int init, int64_t fan_in)
{
	if (p->n == p->room) {
		const size_t wanted = p->room ? 2 * p->room : 64;
		hy_param *larger = hy_realloc(p->list, wanted, sizeof *larger);
		if (!larger)
			return -1;
		p->list = larger;
		p->room = wanted;
	}
	hy_param *q = &p->list[p->n];
	*q = (hy_param){.n_dims = n_dims, .is_buffer = is_buffer, .init = init, .fan_in = fan_in, .n = 1};
	snprintf(q->name, sizeof q->name, "%s", name);
	for (int i = 0; i < n_dims; i++) {
		q->shape[i] = shape[i];
		q->n *= (size_t)shape[i];
	}
	size_t *total = is_buffer ? &p->n_buffers : &p->n_values;
	q->offset = *total;
	*total += (q->n + 15) / 16 * 16; /* each tensor begins on a cache line */
	return (int)p->n++;
}

/* Never the same twice, so that one hy_params is not taken for another that was at its place. */
static uint64_t next_generation(void)
{
	static _Atomic uint64_t last;
	return ++last;
}

float *hy_params_write_values(hy_params *p)
{
	p->values_generation = next_generation();
	return p->own_values;
}

float *hy_params_write_buffers(hy_params *p)
{
	p->buffers_generation = next_generation();
	return p->own_buffers;
}

hardy_status hy_params_allocate(hy_params *p, hardy_error *err)
{
	float **slabs[] = {&p->own_values, &p->grads, &p->first_moment, &p->second_moment, &p->own_buffers};
	for (int i = 0; i < 5; i++) {
		const size_t n = i < 4 ? p->n_values : p->n_buffers;
		*slabs[i] = hy_alloc_aligned(n, sizeof(float));
		if (!*slabs[i])
			return hy_fail_memory(err, "the network's parameters", n, sizeof(float));
		memset(*slabs[i], 0, n * sizeof(float));
	}
	p->values = hy_params_write_values(p);
	p->buffers = hy_params_write_buffers(p);
	return HARDY_OK;
}

void hy_params_draw(hy_params *p, uint64_t seed)
{
	float *values = hy_params_write_values(p), *buffers = hy_params_write_buffers(p);
	for (size_t i = 0; i < p->n; i++) {
		const hy_param *q = &p->list[i];
		float *v = (q->is_buffer ? buffers : values) + q->offset;
		hy_rng g = hy_rng_make(seed, HY_RNG_INIT, i, 0);
		for (size_t k = 0; k < q->n; k++) {
			switch (q->init) {
			case HY_INIT_ONE:
				v[k] = 1;
				break;
			case HY_INIT_HE_NORMAL: /* He et al., ICCV 2015: standard deviation sqrt(2 / fan in) */
				v[k] = (float)(hy_rng_normal(&g) * sqrt(2.0 / (double)q->fan_in));
				break;
			case HY_INIT_UNIFORM_FAN:
				v[k] = (float)(hy_rng_between(&g, -1, 1) / sqrt((double)q->fan_in));
				break;
			case HY_INIT_BN_SCALE:
				v[k] = (float)(1 + 0.02 * hy_rng_normal(&g));
				break;
			default:
				v[k] = 0;
			}
		}
	}
	memset(p->grads, 0, p->n_values * sizeof(float));
	memset(p->first_moment, 0, p->n_values * sizeof(float));
	memset(p->second_moment, 0, p->n_values * sizeof(float));
	p->n_batches_tracked = 0;
	p->adam_steps = 0;
}

void hy_params_clear(hy_params *p)
{
	hy_free(p->list);
	hy_free_aligned(p->own_values);
	hy_free_aligned(p->grads);
	hy_free_aligned(p->first_moment);
	hy_free_aligned(p->second_moment);
	hy_free_aligned(p->own_buffers);
	hy_free_aligned(p->average_values);
	hy_free_aligned(p->average_buffers);
	memset(p, 0, sizeof *p);
}

int hy_params_find(const hy_params *p, const char *name)
{
	for (size_t i = 0; i < p->n; i++)
		if (!strcmp(p->list[i].name, name))
			return (int)i;
	return -1;
}

void hy_adam_step(hy_params *p, const hy_kernels *k, double lr, double beta1, double beta2, double eps, double decay)
{
	const double t = (double)++p->adam_steps;
	float *values = hy_params_write_values(p);
	const float keep = (float)(1 - lr * decay);
	/* no if clause: a team of one is allocated anew at every region */
	if (decay > 0) {
#pragma omp parallel for schedule(static)
		for (size_t i = 0; i < p->n_values; i++)
			values[i] *= keep;
	}
	k->adam(values, p->grads, p->first_moment, p->second_moment, (int64_t)p->n_values, (float)(lr / (1 - pow(beta1, t))),
	        (float)beta1, (float)beta2, (float)sqrt(1 - pow(beta2, t)), (float)eps);
}
