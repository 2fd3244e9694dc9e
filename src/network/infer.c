/*
 * infer.c: the recorded forward pass. With running statistics a slice needs no other: each thread runs slices of its own.
 */
#include "network/infer.h"

#include "base/machine.h"
#include "base/memory.h"

#include <string.h>

typedef struct pass {
	hy_tape tape;
	int x, p, p0, x0, segment;
} pass;

struct hy_infer {
	hy_infer_options o;
	hy_network *network;
	int64_t slices; /* a pass */
	int n_passes;   /* that run beside one another */
	pass *passes;   /* owned */
};

static hardy_status record(hy_infer *f, pass *a, hardy_error *err)
{
	const hy_infer_options *o = &f->o;
	hy_tape *t = &a->tape;
	if (hy_tape_init(t, &f->network->params, &o->engine, err))
		return HARDY_ERROR_UNSUPPORTED;
	a->p0 = a->x0 = -1;
	t->norm = o->norm;
	t->fold = o->norm == HY_NORM_RUNNING;
	if (a != f->passes)
		t->packs_of = &f->passes->tape;
	a->segment = hy_tape_segment(t);
	a->x = hy_tape_input(t, f->slices, f->network->config.channels, o->height, o->width);
	const hy_forward forward = hy_network_forward(t, f->network, a->x);
	a->p = forward.p;
	hy_tape_keep(t, a->p);
	if (o->reconstruct && hy_network_has(f->network, HY_PART_IMAGE_DECODER)) {
		a->x0 = hy_op_sigmoid(t, hy_ftn_reconstruct(t, f->network, forward.z_i));
		hy_tape_keep(t, a->x0);
	}
	if (o->stn)
		a->p0 = a->p;
	if (o->stn && hy_network_has(f->network, HY_PART_SHAPE)) {
		for (int k = 0; k < (o->stn_iterations > 1 ? o->stn_iterations : 1); k++)
			a->p0 = hy_stn_refine(t, f->network, hy_op_softmax(t, a->p0, HY_STN_SOFTENING));
		hy_tape_keep(t, a->p0);
	}
	return hy_tape_compile(t, err);
}

hy_infer *hy_infer_new(hy_network *network, const hy_infer_options *o, hardy_error *err)
{
	hy_infer *f = hy_calloc(1, sizeof *f);
	if (!f) {
		hy_fail_memory(err, "an inference plan", 1, sizeof *f);
		return NULL;
	}
	f->o = *o;
	f->network = network;
	const bool running = o->norm == HY_NORM_RUNNING;
	f->slices = running ? 1 : o->batch;
	f->n_passes = running && o->batch > 1 ? hy_threads() : 1;
	f->n_passes = f->n_passes > o->batch ? (int)o->batch : f->n_passes;
	f->passes = hy_calloc((size_t)f->n_passes, sizeof *f->passes);
	if (!f->passes) {
		hy_fail_memory(err, "an inference plan", (size_t)f->n_passes, sizeof *f->passes);
		goto fail;
	}
	for (int i = 0; i < f->n_passes; i++)
		if (record(f, &f->passes[i], err))
			goto fail;
	hy_tape_refresh(&f->passes->tape);
	return f;
fail:
	hy_infer_free(f);
	return NULL;
}

void hy_infer_free(hy_infer *f)
{
	if (!f)
		return;
	for (int i = f->n_passes - 1; f->passes && i >= 0; i--)
		hy_tape_clear(&f->passes[i].tape);
	hy_free(f->passes);
	hy_free(f);
}

hy_tape *hy_infer_tape(hy_infer *f, int i)
{
	return i < f->n_passes ? &f->passes[i].tape : NULL;
}

void hy_infer_momentum(hy_infer *f, double momentum)
{
	f->passes->tape.norm_momentum = momentum;
}

static void take(const pass *a, int value, float *out, int64_t at)
{
	if (!out || value < 0)
		return;
	const hy_value *v = &a->tape.values[value];
	const size_t size = (size_t)(v->c * v->h * v->w);
	memcpy(out + (size_t)at * size, v->data, (size_t)v->n * size * sizeof *out);
}

/* The slices from `at` on. */
static hardy_status run_pass(hy_infer *f, pass *a, const float *image, int64_t at, float *p, float *p0, float *x0,
                             hardy_error *err)
{
	union {
		const float *in;
		float *data;
	} input = {image + (size_t)(at * f->network->config.channels * f->o.height * f->o.width)};
	a->tape.values[a->x].data = input.data;
	const hardy_status status = hy_tape_run(&a->tape, a->segment, err);
	if (status)
		return status;
	take(a, a->p, p, at);
	take(a, a->p0, p0, at);
	take(a, a->x0, x0, at);
	return HARDY_OK;
}

hardy_status hy_infer_run(hy_infer *f, const float *image, int64_t n, float *p, float *p0, float *x0, hardy_error *err)
{
	if (f->o.norm != HY_NORM_RUNNING && n % f->o.batch)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "batch statistics want whole batches: %lld slices, %lld a batch",
		               (long long)n, (long long)f->o.batch);
	hy_tape_refresh(&f->passes->tape); /* whose packed weights all use */
	/* Whole rounds of slices beside one another, each in its thread's cache; the rest one by one, on all threads. */
	const int64_t beside = f->n_passes > 1 ? n / f->n_passes * f->n_passes : 0;
	hardy_status status = HARDY_OK;
#pragma omp parallel for schedule(static, 1) num_threads(f->n_passes)
	for (int k = 0; k < f->n_passes; k++) {
		hardy_error own = {0};
		hardy_status failed = HARDY_OK;
		for (int64_t at = k; at < beside && !failed; at += f->n_passes)
			failed = run_pass(f, &f->passes[k], image, at, p, p0, x0, &own);
		if (failed) {
#pragma omp critical
			status = hy_fail(err, failed, "%s", own.message);
		}
	}
	for (int64_t at = beside; at < n && !status; at += f->slices)
		status = run_pass(f, f->passes, image, at, p, p0, x0, err);
	return status;
}
