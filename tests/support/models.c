/*
 * models.c: see models.h.
 */
#include "support/models.h"

#include "base/rng.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

const hy_class drawn_a_b[3] = {{"background", 0, true}, {"A", 5, true}, {"B", 9, true}};
const hy_class drawn_ring[3] = {{"background", 0, true}, {"ring", 1, true}, {"core", 2, true}};

void drawn_params(hy_params *p, uint64_t seed)
{
	hy_params_draw(p, seed);
	float *statistics = hy_params_write_buffers(p);
	hy_rng g = hy_rng_make(seed, HY_RNG_TEST, 1, 0);
	for (size_t i = 0; i < p->n; i++) {
		const hy_param *q = &p->list[i];
		for (size_t k = 0; q->is_buffer && k < q->n; k++)
			statistics[q->offset + k] = (float)(q->init == HY_INIT_ONE ? hy_rng_between(&g, 0.5, 2) : 0.3 * hy_rng_normal(&g));
	}
}

void drawn_model(hy_model *m, const hy_network_config *config, const hy_class *classes, int side, double spacing_mm,
                 uint64_t seed)
{
	hardy_error err;
	*m = (hy_model){.n_classes = config->classes, .n_channels = config->channels};
	assert_ok(hy_network_init(&m->network, config, &err), &err);
	drawn_params(&m->network.params, seed);
	hy_plan_init(&m->plan);
	m->plan.size = side;
	m->plan.spacing_mm = spacing_mm;
	memcpy(m->classes, classes, (size_t)config->classes * sizeof *classes);
	for (int i = 0; i < config->channels; i++)
		snprintf(m->channels[i], sizeof m->channels[i], "channel_%d", i);
}
