/*
 * dnnl.c: convolutions by oneDNN, 2.x or 3.x. The only file that knows its version.
 *
 * Activations are in the blocked layout of the kernel table, weights in whatever layout the primitive asks for (packed once a
 * step). The data gradient of a stride-1 convolution is itself a forward convolution with flipped, transposed weights, which
 * can add to its output; other data gradients use oneDNN's own primitive.
 */
#include "engine/kernels/conv.h"

#ifdef HY_HAVE_DNNL

#include "base/memory.h"

#include <dnnl.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

/* What 3.0 changed: descriptions of memory are objects, a convolution's description and its primitive's are one. */
#if DNNL_VERSION_MAJOR >= 3
typedef const_dnnl_memory_desc_t view;

static view view_of(const dnnl_memory_desc_t *d)
{
	return *d;
}

static dnnl_status_t describe(dnnl_memory_desc_t *d, int n_dims, const dnnl_dims_t dims, dnnl_format_tag_t tag)
{
	return dnnl_memory_desc_create_with_tag(d, n_dims, dims, dnnl_f32, tag);
}

static void forget(dnnl_memory_desc_t *d)
{
	if (*d)
		dnnl_memory_desc_destroy(*d);
}

static dnnl_status_t append_sum(dnnl_post_ops_t ops)
{
	return dnnl_post_ops_append_sum(ops, 1.0f, 0, dnnl_data_type_undef);
}

static const dnnl_dims_t dense = {0, 0};

static dnnl_status_t forward_description(dnnl_primitive_desc_t *pd, dnnl_engine_t e, view x, view w, view b, view y,
                                         const dnnl_dims_t strides, const dnnl_dims_t before, const dnnl_dims_t after,
                                         dnnl_primitive_attr_t attr)
{
	return dnnl_convolution_forward_primitive_desc_create(pd, e, dnnl_forward_training, dnnl_convolution_direct, x, w, b, y,
	                                                      strides, dense, before, after, attr);
}

static dnnl_status_t data_description(dnnl_primitive_desc_t *pd, dnnl_engine_t e, view x, view w, view y,
                                      const dnnl_dims_t strides, const dnnl_dims_t before, const dnnl_dims_t after,
                                      dnnl_primitive_desc_t hint, dnnl_primitive_attr_t attr)
{
	return dnnl_convolution_backward_data_primitive_desc_create(pd, e, dnnl_convolution_direct, x, w, y, strides, dense, before,
	                                                            after, hint, attr);
}

static dnnl_status_t weights_description(dnnl_primitive_desc_t *pd, dnnl_engine_t e, view x, view w, view b, view y,
                                         const dnnl_dims_t strides, const dnnl_dims_t before, const dnnl_dims_t after,
                                         dnnl_primitive_desc_t hint, dnnl_primitive_attr_t attr)
{
	return dnnl_convolution_backward_weights_primitive_desc_create(pd, e, dnnl_convolution_direct, x, w, b, y, strides, dense,
	                                                               before, after, hint, attr);
}
#else
typedef const dnnl_memory_desc_t *view;

static view view_of(const dnnl_memory_desc_t *d)
{
	return d;
}

static dnnl_status_t describe(dnnl_memory_desc_t *d, int n_dims, const dnnl_dims_t dims, dnnl_format_tag_t tag)
{
	return dnnl_memory_desc_init_by_tag(d, n_dims, dims, dnnl_f32, tag);
}

static void forget(dnnl_memory_desc_t *d)
{
	(void)d;
}

static dnnl_status_t append_sum(dnnl_post_ops_t ops)
{
	return dnnl_post_ops_append_sum(ops, 1.0f);
}

static dnnl_status_t forward_description(dnnl_primitive_desc_t *pd, dnnl_engine_t e, view x, view w, view b, view y,
                                         const dnnl_dims_t strides, const dnnl_dims_t before, const dnnl_dims_t after,
                                         dnnl_primitive_attr_t attr)
{
	dnnl_convolution_desc_t d;
	const dnnl_status_t failed = dnnl_convolution_forward_desc_init(&d, dnnl_forward_training, dnnl_convolution_direct, x, w, b,
	                                                                y, strides, before, after);
	return failed ? failed : dnnl_primitive_desc_create(pd, &d, attr, e, NULL);
}

static dnnl_status_t data_description(dnnl_primitive_desc_t *pd, dnnl_engine_t e, view x, view w, view y,
                                      const dnnl_dims_t strides, const dnnl_dims_t before, const dnnl_dims_t after,
                                      dnnl_primitive_desc_t hint, dnnl_primitive_attr_t attr)
{
	dnnl_convolution_desc_t d;
	const dnnl_status_t failed =
	    dnnl_convolution_backward_data_desc_init(&d, dnnl_convolution_direct, x, w, y, strides, before, after);
	return failed ? failed : dnnl_primitive_desc_create(pd, &d, attr, e, hint);
}

static dnnl_status_t weights_description(dnnl_primitive_desc_t *pd, dnnl_engine_t e, view x, view w, view b, view y,
                                         const dnnl_dims_t strides, const dnnl_dims_t before, const dnnl_dims_t after,
                                         dnnl_primitive_desc_t hint, dnnl_primitive_attr_t attr)
{
	dnnl_convolution_desc_t d;
	const dnnl_status_t failed =
	    dnnl_convolution_backward_weights_desc_init(&d, dnnl_convolution_direct, x, w, b, y, strides, before, after);
	return failed ? failed : dnnl_primitive_desc_create(pd, &d, attr, e, hint);
}
#endif

typedef struct state {
	dnnl_primitive_t primitive, reorder; /* reorder: user weights to packed; for the weight gradient: back, adding */
	dnnl_stream_t stream;
	dnnl_memory_t in0, in1, weights, out, bias, scratch, user, reorder_scratch;
	size_t weights_bytes, scratch_bytes;
	bool flip; /* data gradient as a forward convolution */
} state;

static dnnl_engine_t engine;
static dnnl_status_t engine_status;
static pthread_once_t engine_once = PTHREAD_ONCE_INIT;

static void make_engine(void)
{
	engine_status = dnnl_engine_create(&engine, dnnl_cpu, 0);
}

const char *hy_dnnl_version(void)
{
	static char text[32];
	const dnnl_version_t *v = dnnl_version();
	if (!text[0])
		snprintf(text, sizeof text, "%d.%d.%d", v->major, v->minor, v->patch);
	return text;
}

static void free_state(void *p)
{
	state *s = p;
	if (!s)
		return;
	dnnl_memory_t memories[] = {s->in0, s->in1, s->weights, s->out, s->bias, s->scratch, s->user, s->reorder_scratch};
	for (size_t i = 0; i < sizeof memories / sizeof *memories; i++)
		if (memories[i])
			dnnl_memory_destroy(memories[i]);
	if (s->primitive)
		dnnl_primitive_destroy(s->primitive);
	if (s->reorder)
		dnnl_primitive_destroy(s->reorder);
	if (s->stream)
		dnnl_stream_destroy(s->stream);
	hy_free(s);
}

#define TRY(call)                                                                                                              \
	do {                                                                                                                       \
		if (!failed && (failed = (call)) != dnnl_success)                                                                      \
			where = #call;                                                                                                     \
	} while (0)

static void *handle(const void *p)
{
	union {
		const void *in;
		void *out;
	} u = {p};
	return u.out;
}

static void pack(const hy_conv *c, const float *w, float *packed)
{
	state *s = c->state;
	const hy_conv_shape *g = &c->shape;
	float *turned = NULL;
	if (s->flip) { /* w[oc][ic][kh][kw] to [ic][oc][k-1-kh][k-1-kw], in the tail of the packed buffer */
		const int64_t taps = g->k * g->k;
		turned = packed + s->weights_bytes / sizeof(float);
		for (int64_t o = 0; o < g->oc; o++)
			for (int64_t i = 0; i < g->ic; i++)
				for (int64_t t = 0; t < taps; t++)
					turned[(i * g->oc + o) * taps + taps - 1 - t] = w[(o * g->ic + i) * taps + t];
		w = turned;
	}
	dnnl_memory_set_data_handle(s->user, handle(w));
	dnnl_memory_set_data_handle(s->weights, packed);
	const dnnl_exec_arg_t args[] = {{DNNL_ARG_FROM, s->user}, {DNNL_ARG_TO, s->weights}};
	dnnl_primitive_execute(s->reorder, s->stream, 2, args);
	dnnl_stream_wait(s->stream);
}

static hardy_status failure(hardy_error *err, const hy_conv *c, dnnl_status_t failed, const char *where)
{
	const hy_conv_shape *g = &c->shape;
	return hy_fail(err, failed == dnnl_out_of_memory ? HARDY_ERROR_MEMORY : HARDY_ERROR_UNSUPPORTED,
	               "oneDNN %s, convolution %lld -> %lld of %lld x %lld, kernel %d, stride %d: status %d at %.200s",
	               hy_dnnl_version(), (long long)g->ic, (long long)g->oc, (long long)g->ih, (long long)g->iw, g->k, g->stride,
	               (int)failed, where);
}

static hardy_status run_forward(const hy_conv *c, const hy_fused *fused, const hy_blocked *in, const float *bias,
                                const float *packed, hy_blocked *out, float *work, hardy_error *err)
{
	(void)fused;
	state *s = c->state;
	const char *where = "execution";
	dnnl_memory_set_data_handle(s->in0, handle(in));
	dnnl_memory_set_data_handle(s->weights, handle(packed));
	dnnl_memory_set_data_handle(s->out, out);
	dnnl_memory_set_data_handle(s->scratch, work);
	const bool data = c->role == HY_CONV_DATA && !s->flip;
	dnnl_exec_arg_t args[5] = {{data ? DNNL_ARG_DIFF_DST : DNNL_ARG_SRC, s->in0},
	                           {DNNL_ARG_WEIGHTS, s->weights},
	                           {data ? DNNL_ARG_DIFF_SRC : DNNL_ARG_DST, s->out},
	                           {DNNL_ARG_SCRATCHPAD, s->scratch}};
	int n = 4;
	if (c->role == HY_CONV_FORWARD && c->bias) {
		dnnl_memory_set_data_handle(s->bias, handle(bias));
		args[n++] = (dnnl_exec_arg_t){DNNL_ARG_BIAS, s->bias};
	}
	dnnl_status_t failed = dnnl_primitive_execute(s->primitive, s->stream, n, args);
	if (!failed)
		failed = dnnl_stream_wait(s->stream);
	return failed ? failure(err, c, failed, where) : HARDY_OK;
}

static size_t round_up(size_t bytes)
{
	return (bytes + 63) / 64 * 16; /* floats, in whole cache lines */
}

static hardy_status run_weights(const hy_conv *c, const hy_fused *fused, const hy_blocked *x, const hy_blocked *dy, float *dw,
                                float *db, float *work, hardy_error *err)
{
	(void)fused;
	state *s = c->state;
	float *gradient = work, *bias = gradient + round_up(s->weights_bytes), *scratch = bias + round_up((size_t)c->shape.oc * 4);
	dnnl_memory_set_data_handle(s->in0, handle(x));
	dnnl_memory_set_data_handle(s->in1, handle(dy));
	dnnl_memory_set_data_handle(s->weights, gradient);
	dnnl_memory_set_data_handle(s->scratch, scratch);
	dnnl_memory_set_data_handle(s->user, dw);
	dnnl_exec_arg_t args[5] = {{DNNL_ARG_SRC, s->in0},
	                           {DNNL_ARG_DIFF_DST, s->in1},
	                           {DNNL_ARG_DIFF_WEIGHTS, s->weights},
	                           {DNNL_ARG_SCRATCHPAD, s->scratch}};
	int n = 4;
	if (c->bias) {
		dnnl_memory_set_data_handle(s->bias, bias);
		args[n++] = (dnnl_exec_arg_t){DNNL_ARG_DIFF_BIAS, s->bias};
	}
	dnnl_status_t failed = dnnl_primitive_execute(s->primitive, s->stream, n, args);
	if (!failed) {
		const dnnl_exec_arg_t back[] = {{DNNL_ARG_FROM, s->weights}, {DNNL_ARG_TO, s->user}};
		failed = dnnl_primitive_execute(s->reorder, s->stream, 2, back);
	}
	if (!failed)
		failed = dnnl_stream_wait(s->stream);
	if (failed)
		return failure(err, c, failed, "execution");
	if (db && c->bias)
		for (int64_t k = 0; k < c->shape.oc; k++)
			db[k] += bias[k];
	return HARDY_OK;
}

static hardy_status make(hy_conv *c, state *s, hardy_error *err)
{
	hy_conv_shape g = c->shape;
	dnnl_status_t failed = dnnl_success;
	const char *where = "";
	const dnnl_format_tag_t tag = c->kernels->block == 16 ? dnnl_nChw16c : dnnl_nChw8c;
	s->flip = c->role == HY_CONV_DATA && g.stride == 1 && g.ih == g.oh && g.iw == g.ow;
	if (s->flip) {
		const int64_t swap = g.ic;
		g.ic = g.oc;
		g.oc = swap;
		g.pad = g.k - 1 - g.pad;
	}
	const dnnl_dims_t x_dims = {g.n, g.ic, g.ih, g.iw}, w_dims = {g.oc, g.ic, g.k, g.k}, b_dims = {g.oc},
	                  y_dims = {g.n, g.oc, g.oh, g.ow};
	const dnnl_dims_t strides = {g.stride, g.stride}, pads = {g.pad, g.pad};
	const dnnl_dims_t pads_end = {(g.oh - 1) * g.stride + g.k - g.pad - g.ih, (g.ow - 1) * g.stride + g.k - g.pad - g.iw};
	enum { X, W, B, Y, USER, N_DESCRIPTIONS };
	dnnl_memory_desc_t of[N_DESCRIPTIONS];
	memset(of, 0, sizeof of);
	TRY(describe(&of[X], 4, x_dims, tag));
	TRY(describe(&of[W], 4, w_dims, dnnl_format_tag_any));
	TRY(describe(&of[B], 1, b_dims, dnnl_a));
	TRY(describe(&of[Y], 4, y_dims, tag));
	TRY(describe(&of[USER], 4, w_dims, dnnl_oihw));
	const view x = view_of(&of[X]), w = view_of(&of[W]), b = view_of(&of[B]), y = view_of(&of[Y]), user = view_of(&of[USER]);

	dnnl_primitive_attr_t attr = NULL, add = NULL;
	dnnl_post_ops_t sum = NULL;
	TRY(dnnl_primitive_attr_create(&attr));
	TRY(dnnl_primitive_attr_set_scratchpad_mode(attr, dnnl_scratchpad_mode_user));
	TRY(dnnl_primitive_attr_create(&add));
	TRY(dnnl_post_ops_create(&sum));
	TRY(append_sum(sum));
	TRY(dnnl_primitive_attr_set_post_ops(add, sum));
	const bool forward = c->role == HY_CONV_FORWARD || s->flip;
	if (forward && c->accumulate)
		TRY(dnnl_primitive_attr_set_post_ops(attr, sum));

	dnnl_primitive_desc_t pd = NULL, hint = NULL, rd = NULL;
	const view bias = c->bias && c->role != HY_CONV_DATA ? b : NULL;
	TRY(forward_description(&hint, engine, x, w, bias, y, strides, pads, pads_end, forward ? attr : NULL));
	if (c->role == HY_CONV_DATA && !forward)
		TRY(data_description(&pd, engine, x, w, y, strides, pads, pads_end, hint, attr));
	else if (c->role == HY_CONV_WEIGHTS)
		TRY(weights_description(&pd, engine, x, w, bias, y, strides, pads, pads_end, hint, attr));
	const dnnl_primitive_desc_t use = pd ? pd : hint;
	TRY(dnnl_primitive_create(&s->primitive, use));
	TRY(dnnl_stream_create(&s->stream, engine, dnnl_stream_default_flags));
	if (!failed) {
		const bool weights = c->role == HY_CONV_WEIGHTS, data = c->role == HY_CONV_DATA && !forward;
		const view packed = dnnl_primitive_desc_query_md(use, weights ? dnnl_query_diff_weights_md : dnnl_query_weights_md, 0);
		const view scratch = dnnl_primitive_desc_query_md(use, dnnl_query_scratchpad_md, 0);
		s->weights_bytes = dnnl_memory_desc_get_size(packed);
		s->scratch_bytes = dnnl_memory_desc_get_size(scratch);
		TRY(dnnl_memory_create(&s->in0, data ? y : x, engine, DNNL_MEMORY_NONE));
		TRY(dnnl_memory_create(&s->in1, y, engine, DNNL_MEMORY_NONE));
		TRY(dnnl_memory_create(&s->out, data ? x : y, engine, DNNL_MEMORY_NONE));
		TRY(dnnl_memory_create(&s->weights, packed, engine, DNNL_MEMORY_NONE));
		TRY(dnnl_memory_create(&s->bias, b, engine, DNNL_MEMORY_NONE));
		TRY(dnnl_memory_create(&s->scratch, scratch, engine, DNNL_MEMORY_NONE));
		TRY(dnnl_memory_create(&s->user, user, engine, DNNL_MEMORY_NONE));
		if (weights)
			TRY(dnnl_reorder_primitive_desc_create(&rd, packed, engine, user, engine, add));
		else
			TRY(dnnl_reorder_primitive_desc_create(&rd, user, engine, packed, engine, NULL));
		TRY(dnnl_primitive_create(&s->reorder, rd));
	}
	if (!failed && c->role == HY_CONV_WEIGHTS) {
		c->run_weights = run_weights;
		c->work_floats = round_up(s->weights_bytes) + round_up((size_t)g.oc * 4) + round_up(s->scratch_bytes);
	} else if (!failed) {
		c->run = run_forward;
		c->pack = pack;
		c->packed_floats = s->weights_bytes / sizeof(float) + (s->flip ? (size_t)(g.ic * g.oc * g.k * g.k) : 0);
		c->work_floats = round_up(s->scratch_bytes);
	}
	for (int i = 0; i < N_DESCRIPTIONS; i++)
		forget(&of[i]);
	if (rd)
		dnnl_primitive_desc_destroy(rd);
	if (pd)
		dnnl_primitive_desc_destroy(pd);
	if (hint)
		dnnl_primitive_desc_destroy(hint);
	if (sum)
		dnnl_post_ops_destroy(sum);
	if (add)
		dnnl_primitive_attr_destroy(add);
	if (attr)
		dnnl_primitive_attr_destroy(attr);
	return failed ? failure(err, c, failed, where) : HARDY_OK;
}

hardy_status hy_conv_make_dnnl(hy_conv *c, hardy_error *err)
{
	pthread_once(&engine_once, make_engine);
	if (engine_status)
		return failure(err, c, engine_status, "engine");
	if (c->accumulate && c->role == HY_CONV_DATA && c->shape.stride != 1)
		return hy_fail(err, HARDY_ERROR_UNSUPPORTED,
		               "oneDNN cannot add the data gradient of a strided convolution to its output");
	state *s = hy_calloc(1, sizeof *s);
	if (!s)
		return hy_fail_memory(err, "a convolution", 1, sizeof *s);
	c->state = s;
	c->free_state = free_state;
	const hardy_status status = make(c, s, err);
	if (status)
		hy_conv_clear(c);
	return status;
}

#else

hardy_status hy_conv_make_dnnl(hy_conv *c, hardy_error *err)
{
	(void)c;
	return hy_fail(err, HARDY_ERROR_UNSUPPORTED, "this build has no oneDNN");
}

const char *hy_dnnl_version(void)
{
	return NULL;
}

#endif
