/*
 * network.c: a network's parameters as one object, and what it has.
 */
#include "network/network.h"

#include <string.h>

const char *const hy_network_names[HY_N_NETWORKS] = {"study", "unet"};

static hardy_status check_unet(const hy_network_config *c, hardy_error *err)
{
	if (c->width < 16 || c->width > HY_UNET_MOST_WIDTH || c->width % 16)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "a U-Net of width %d: want 16, 32, 48 or %d", c->width, HY_UNET_MOST_WIDTH);
	if (c->levels < HY_UNET_LEAST_LEVELS || c->levels > HY_UNET_MOST_LEVELS)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "a U-Net of %d levels: want %d to %d", c->levels, HY_UNET_LEAST_LEVELS,
		               HY_UNET_MOST_LEVELS);
	return HARDY_OK;
}

/* Elements of all tensors. */
static size_t count_elements(const hy_params *p)
{
	size_t n = 0;
	for (size_t i = 0; i < p->n; i++)
		n += p->list[i].n;
	return n;
}

hardy_status hy_network_init(hy_network *n, const hy_network_config *config, hardy_error *err)
{
	return hy_network_init_within(n, config, SIZE_MAX, err);
}

hardy_status hy_network_init_within(hy_network *n, const hy_network_config *config, size_t most, hardy_error *err)
{
	if (config->channels < 1 || config->channels > 8)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "a network of %d image channels: want 1 to 8", config->channels);
	if (config->classes < 2 || config->classes > 32)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "a network of %d classes: want 2 to 32, background included",
		               config->classes);
	hy_network made = {.config = *config};
	hy_network_config *c = &made.config;
	hy_scope s = {.params = &made.params};
	if (c->kind == HY_NETWORK_UNET) {
		c->width = c->width ? c->width : 16;
		c->levels = c->levels ? c->levels : 5;
		c->decoupler = false;
		const hardy_status wrong = check_unet(c, err);
		if (wrong)
			return wrong;
		hy_unet(&s, -1, c);
	} else {
		c->width = c->levels = 0;
		c->no_top_skip = false;
		hy_ftn_define(&s, c);
		hy_stn_define(&s, c);
	}
	hardy_status status = s.failed ? hy_fail(err, HARDY_ERROR_MEMORY, "out of memory for a network's definition") : HARDY_OK;
	if (!status && count_elements(&made.params) > most)
		status = hy_fail(err, HARDY_ERROR_FORMAT, "such a network has %zu values, there are %zu", count_elements(&made.params),
		                 most);
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

bool hy_network_has(const hy_network *n, hy_network_part part)
{
	(void)part;
	return n->config.kind == HY_NETWORK_STUDY; /* all of them; a U-Net none */
}

int64_t hy_network_stride(const hy_network_config *c)
{
	return c->kind == HY_NETWORK_UNET && c->levels ? INT64_C(1) << (c->levels - 1) : HY_CODE_STRIDE;
}

hy_forward hy_network_forward(hy_tape *t, const hy_network *n, int x)
{
	hy_forward f = {-1, -1, -1};
	if (n->config.kind == HY_NETWORK_UNET) {
		hy_scope s = {.tape = t, .params = t->params};
		f.p = hy_unet(&s, x, &n->config);
	} else {
		f.z_i = hy_ftn_encode(t, n, x);
		f.z_s = hy_ftn_decouple(t, n, f.z_i);
		f.p = hy_ftn_segment(t, n, f.z_s);
	}
	return f;
}

void hy_network_clear(hy_network *n)
{
	hy_params_clear(&n->params);
}

void hy_network_reset_statistics(hy_network *n)
{
	float *buffers = hy_params_write_buffers(&n->params);
	for (size_t i = 0; i < n->params.n; i++) {
		const hy_param *p = &n->params.list[i];
		for (size_t k = 0; p->is_buffer && k < p->n; k++)
			buffers[p->offset + k] = p->init == HY_INIT_ONE ? 1.0f : 0.0f;
	}
}
