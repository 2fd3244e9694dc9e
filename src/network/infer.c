/*
 * infer.c: the recorded forward pass on a fixed number of slices.
 */
#include "network/infer.h"

#include "base/memory.h"

#include <string.h>

struct hy_infer {
	hy_infer_options o;
	hy_network *network;
	hy_tape tape;
	int x, p, p0, x0, segment;
	float *input; /* owned: the last, padded batch */
};

hy_infer *hy_infer_new(hy_network *network, const hy_infer_options *o, hardy_error *err)
{
	hy_infer *f = hy_calloc(1, sizeof *f);
	if (!f) {
		hy_fail_memory(err, "an inference plan", 1, sizeof *f);
		return NULL;
	}
	f->o = *o;
	f->network = network;
	f->p0 = f->x0 = -1;
	hy_tape *t = &f->tape;
	if (hy_tape_init(t, &network->params, &o->engine, err))
		goto fail;
	const size_t size = (size_t)(o->batch * network->config.channels * o->height * o->width);
	f->input = hy_alloc_aligned(size, sizeof *f->input);
	if (!f->input) {
		hy_fail_memory(err, "an inference plan", size, sizeof *f->input);
		goto fail;
	}
	t->norm = o->norm;
	f->segment = hy_tape_segment(t);
	f->x = hy_tape_input(t, o->batch, network->config.channels, o->height, o->width);
	const int z_i = hy_ftn_encode(t, network, f->x);
	f->p = hy_ftn_segment(t, network, hy_ftn_decouple(t, network, z_i));
	hy_tape_keep(t, f->p);
	if (o->reconstruct) {
		f->x0 = hy_op_sigmoid(t, hy_ftn_reconstruct(t, network, z_i));
		hy_tape_keep(t, f->x0);
	}
	if (o->stn) {
		f->p0 = hy_stn_refine(t, network, hy_op_softmax(t, f->p, HY_STN_SOFTENING));
		hy_tape_keep(t, f->p0);
	}
	if (hy_tape_compile(t, err))
		goto fail;
	hy_tape_refresh(t);
	return f;
fail:
	hy_infer_free(f);
	return NULL;
}

void hy_infer_free(hy_infer *f)
{
	if (!f)
		return;
	hy_tape_clear(&f->tape);
	hy_free_aligned(f->input);
	hy_free(f);
}

void hy_infer_refresh(hy_infer *f)
{
	hy_tape_refresh(&f->tape);
}

hy_tape *hy_infer_tape(hy_infer *f)
{
	return &f->tape;
}

void hy_infer_momentum(hy_infer *f, double momentum)
{
	f->tape.norm_momentum = momentum;
}

static void take(const hy_infer *f, int value, float *out, int64_t at, int64_t n)
{
	if (!out || value < 0)
		return;
	const hy_value *v = &f->tape.values[value];
	const size_t size = (size_t)(v->c * v->h * v->w);
	memcpy(out + (size_t)at * size, v->data, (size_t)n * size * sizeof *out);
}

hardy_status hy_infer_run(hy_infer *f, const float *image, int64_t n, float *p, float *p0, float *x0, hardy_error *err)
{
	const int64_t batch = f->o.batch;
	const size_t size = (size_t)(f->network->config.channels * f->o.height * f->o.width);
	if (f->o.norm != HY_NORM_RUNNING && n % batch)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "batch statistics want whole batches: %lld slices, %lld a batch",
		               (long long)n, (long long)batch);
	for (int64_t at = 0; at < n; at += batch) {
		const int64_t now = n - at < batch ? n - at : batch;
		memset(f->input, 0, (size_t)batch * size * sizeof *f->input);
		memcpy(f->input, image + (size_t)at * size, (size_t)now * size * sizeof *f->input);
		f->tape.values[f->x].data = f->input;
		const hardy_status status = hy_tape_run(&f->tape, f->segment, err);
		if (status)
			return status;
		take(f, f->p, p, at, now);
		take(f, f->p0, p0, at, now);
		take(f, f->x0, x0, at, now);
	}
	return HARDY_OK;
}
