/*
 * network.c: both networks' parameters as one object.
 */
#include "network/network.h"

#include <string.h>

hardy_status hy_network_init(hy_network *n, const hy_network_config *config, hardy_error *err)
{
	if (config->channels < 1 || config->channels > 8)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "a network of %d image channels: want 1 to 8", config->channels);
	if (config->classes < 2 || config->classes > 32)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "a network of %d classes: want 2 to 32, background included",
		               config->classes);
	hy_network made = {.config = *config};
	hy_scope s = {.params = &made.params};
	hy_ftn_define(&s, config);
	hy_stn_define(&s, config);
	hardy_status status = s.failed ? hy_fail(err, HARDY_ERROR_MEMORY, "out of memory for a network's definition") : HARDY_OK;
	if (!status)
		status = hy_params_allocate(&made.params, err);
	if (status) {
		hy_network_clear(&made);
		return status;
	}
	*n = made;
	hy_network_reset_statistics(n);
	return HARDY_OK;
}

void hy_network_clear(hy_network *n)
{
	hy_params_clear(&n->params);
}

void hy_network_reset_statistics(hy_network *n)
{
	for (size_t i = 0; i < n->params.n; i++) {
		const hy_param *p = &n->params.list[i];
		for (size_t k = 0; p->is_buffer && k < p->n; k++)
			n->params.buffers[p->offset + k] = p->init == HY_INIT_ONE ? 1.0f : 0.0f;
	}
}
