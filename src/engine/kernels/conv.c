/*
 * conv.c: prepares a convolution: our own where it fits, else the plain C kernels of the table; oneDNN where it is asked for. (oneDNN's weight
 * gradient is wrong in a team smaller than it planned for.)
 */
#include "engine/kernels/conv.h"

#include <string.h>

static void plain_pack(const hy_conv *c, const float *w, float *packed)
{
	c->kernels->conv_pack(&c->shape, (int)c->role, w, packed);
}

static hardy_status plain_forward(const hy_conv *c, const hy_fused *fused, const hy_blocked *x, const float *bias,
                                  const float *packed, hy_blocked *y, float *work, hardy_error *err)
{
	(void)fused, (void)work, (void)err;
	c->kernels->conv_forward(&c->shape, x, packed, bias, c->accumulate, y);
	return HARDY_OK;
}

static hardy_status plain_data(const hy_conv *c, const hy_fused *fused, const hy_blocked *dy, const float *none,
                               const float *packed, hy_blocked *dx, float *work, hardy_error *err)
{
	(void)fused, (void)none, (void)work, (void)err;
	c->kernels->conv_data(&c->shape, dy, packed, c->accumulate, dx);
	return HARDY_OK;
}

void hy_conv_bias_gradient(const hy_conv *c, const hy_blocked *dy, float *db, float *work)
{
	if (!db)
		return;
	const hy_conv_shape *s = &c->shape;
	double *partial = (double *)(void *)work;
	c->kernels->channel_sums(dy, s->n, s->oc, s->oh * s->ow, partial);
	for (int64_t k = 0; k < s->oc; k++) {
		double sum = 0;
		for (int64_t i = 0; i < s->n; i++)
			sum += partial[i * s->oc + k];
		db[k] += (float)sum;
	}
}

static hardy_status plain_weights(const hy_conv *c, const hy_fused *fused, const hy_blocked *x, const hy_blocked *dy, float *dw,
                                  float *db, float *work, hardy_error *err)
{
	(void)fused, (void)err;
	c->kernels->conv_weights(&c->shape, x, dy, dw);
	hy_conv_bias_gradient(c, dy, db, work);
	return HARDY_OK;
}

static void make_plain(hy_conv *c)
{
	const hy_conv_shape *s = &c->shape;
	c->pack = plain_pack;
	c->run = c->role == HY_CONV_FORWARD ? plain_forward : plain_data;
	c->run_weights = plain_weights;
	c->packed_floats = c->role == HY_CONV_WEIGHTS ? 0 : (size_t)(s->ic * s->oc * s->k * s->k);
	c->work_floats = c->role == HY_CONV_WEIGHTS ? (size_t)(2 * s->n * s->oc) : 0;
}

hardy_status hy_conv_make(hy_conv *c, const hy_kernels *kernels, hy_conv_library library, const hy_conv_shape *shape,
                          enum hy_conv_role role, bool accumulate, bool bias, hardy_error *err)
{
	*c = (hy_conv){.shape = *shape, .role = role, .accumulate = accumulate, .bias = bias, .kernels = kernels};
	const bool ours = library == HY_CONV_DIRECT || library == HY_CONV_WINOGRAD;
	if (ours && !hy_conv_direct_fits(kernels, shape))
		return hy_fail(err, HARDY_ERROR_UNSUPPORTED, "the %s table has no convolution of its own for kernel %d, stride %d",
		               kernels->name, shape->k, shape->stride);
	if (ours || (library == HY_CONV_AUTO && hy_conv_direct_fits(kernels, shape)))
		return hy_conv_make_direct(c, library == HY_CONV_DIRECT ? 0 : hy_conv_tile(kernels, shape), err);
	if (library == HY_CONV_DNNL && kernels->element != sizeof(float))
		return hy_fail(err, HARDY_ERROR_UNSUPPORTED, "oneDNN is used in single precision only");
	if (library == HY_CONV_DNNL)
		return hy_conv_make_dnnl(c, err);
	make_plain(c);
	return HARDY_OK;
}

void hy_conv_clear(hy_conv *c)
{
	if (c->free_state)
		c->free_state(c->state);
	memset(c, 0, sizeof *c);
}
