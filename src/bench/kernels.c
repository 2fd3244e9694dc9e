/*
 * kernels.c: times every convolution of a training step by itself, with each library that has it.
 */
#include "base/memory.h"
#include "bench/bench.h"
#include "training/step.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A distinct convolution of the step. The narrow ones at both ends have kernels of their own in the table. */
typedef enum kind { BLOCKED, STEM, HEAD } kind;

typedef struct entry {
	kind kind;
	hy_conv_shape shape;
	enum hy_conv_role role;
} entry;

enum { MAX_ENTRIES = 256 };

typedef struct list {
	entry entries[MAX_ENTRIES];
	int n;
} list;

static void add(list *l, kind k, const hy_conv_shape *s, enum hy_conv_role role)
{
	for (int i = 0; i < l->n; i++)
		if (l->entries[i].kind == k && l->entries[i].role == role && !memcmp(&l->entries[i].shape, s, sizeof *s))
			return;
	if (l->n < MAX_ENTRIES)
		l->entries[l->n++] = (entry){.kind = k, .shape = *s, .role = role};
}

static void add_narrow(list *l, const hy_tape *t, const hy_instruction *in)
{
	static const struct {
		const char *name;
		kind kind;
		enum hy_conv_role role;
	} narrow[] = {{"stem", STEM, HY_CONV_FORWARD}, {"stem data", STEM, HY_CONV_DATA}, {"stem weights", STEM, HY_CONV_WEIGHTS},
	              {"head", HEAD, HY_CONV_FORWARD}, {"head data", HEAD, HY_CONV_DATA}, {"head weights", HEAD, HY_CONV_WEIGHTS}};
	for (size_t k = 0; k < sizeof narrow / sizeof *narrow; k++) {
		if (strcmp(in->name, narrow[k].name))
			continue;
		const bool back = narrow[k].role == HY_CONV_DATA; /* values: dy, dx; else x, y or x, dy */
		const hy_value *x = &t->values[in->value[back]], *y = &t->values[in->value[!back]];
		hy_conv_shape s;
		memset(&s, 0, sizeof s);
		s.n = x->n, s.ic = x->c, s.ih = x->h, s.iw = x->w, s.oc = y->c, s.oh = y->h, s.ow = y->w;
		s.k = (int)in->node.k, s.stride = 1, s.pad = s.k / 2;
		add(l, narrow[k].kind, &s, narrow[k].role);
	}
}

/* By kind and shape, the largest grids first; the three roles of one shape together. */
static int by_shape(const void *a, const void *b)
{
	const entry *p = a, *q = b;
	const int64_t x[] = {(int64_t)p->kind, -p->shape.ih,    p->shape.ic,     p->shape.oc,
	                     p->shape.k,       p->shape.stride, (int64_t)p->role},
	              y[] = {(int64_t)q->kind, -q->shape.ih,    q->shape.ic,     q->shape.oc,
	                     q->shape.k,       q->shape.stride, (int64_t)q->role};
	for (size_t k = 0; k < sizeof x / sizeof *x; k++)
		if (x[k] != y[k])
			return x[k] < y[k] ? -1 : 1;
	return 0;
}

/* What a step is made of. */
static hardy_status collect(const hy_bench *b, list *l, hardy_error *err)
{
	hy_step_options s;
	hy_step_options_init(&s);
	s.batch = b->o->batch;
	s.height = s.width = b->o->size;
	s.cooperative = b->cooperative;
	s.engine = b->engine;
	hy_network n;
	const hardy_status status = hy_network_init(&n, &b->network, err);
	if (status)
		return status;
	hy_step *step = hy_step_new(&n, &s, err);
	if (step) {
		const hy_tape *t = hy_step_tape(step);
		for (size_t i = 0; i < t->n_instructions; i++)
			add_narrow(l, t, &t->instructions[i]);
		for (size_t i = 0; i < t->n_convs; i++)
			add(l, BLOCKED, &t->convs[i].shape, t->convs[i].role);
		qsort(l->entries, (size_t)l->n, sizeof *l->entries, by_shape);
	}
	hy_step_free(step);
	hy_network_clear(&n);
	return step ? HARDY_OK : err->status;
}

/* ---- one measurement ---------------------------------------------------------------------------------------------------- */

typedef struct job {
	const entry *e;
	const hy_kernels *kernels;
	hy_conv conv;
	float *x, *y, *w, *bias, *packed, *work; /* owned */
} job;

static hy_blocked *blocked(float *p)
{
	return (hy_blocked *)(void *)p;
}

static hardy_status run_stem(job *j)
{
	const hy_conv_shape *s = &j->e->shape;
	if (j->e->role == HY_CONV_FORWARD)
		j->kernels->stem(j->x, j->w, j->bias, s->n, s->ic, s->ih, s->iw, s->oc, blocked(j->y));
	else if (j->e->role == HY_CONV_DATA)
		j->kernels->stem_data(blocked(j->y), j->w, s->n, s->ic, s->ih, s->iw, s->oc, false, j->x);
	else
		j->kernels->stem_weights(j->x, blocked(j->y), s->n, s->ic, s->ih, s->iw, s->oc, j->work, j->w);
	return HARDY_OK;
}

static hardy_status run_head(job *j)
{
	const hy_conv_shape *s = &j->e->shape;
	const int64_t hw = s->ih * s->iw;
	if (j->e->role == HY_CONV_FORWARD)
		j->kernels->head(blocked(j->x), j->w, j->bias, s->n, s->ic, hw, s->oc, j->y);
	else if (j->e->role == HY_CONV_DATA)
		j->kernels->head_data(NULL, j->y, j->w, s->n, s->ic, s->ih, s->iw, s->oc, false, blocked(j->x));
	else
		j->kernels->head_weights(blocked(j->x), j->y, s->n, s->ic, hw, s->oc, j->work, j->w, j->bias);
	return HARDY_OK;
}

static hardy_status run_once(void *payload, hardy_error *err)
{
	job *j = payload;
	const hy_conv *c = &j->conv;
	if (j->e->kind == STEM)
		return run_stem(j);
	if (j->e->kind == HEAD)
		return run_head(j);
	switch (c->role) {
	case HY_CONV_FORWARD:
		return c->run(c, NULL, blocked(j->x), j->bias, j->packed, blocked(j->y), j->work, err);
	case HY_CONV_DATA:
		return c->run(c, NULL, blocked(j->y), NULL, j->packed, blocked(j->x), j->work, err);
	case HY_CONV_WEIGHTS:
		break;
	}
	return c->run_weights(c, NULL, blocked(j->x), blocked(j->y), j->w, NULL, j->work, err);
}

static bool fill(float **p, size_t n, uint64_t stream)
{
	*p = hy_alloc_aligned(n, sizeof **p);
	if (!*p)
		return false;
	hy_rng g = hy_rng_make(2, HY_RNG_TEST, stream, 0);
	for (size_t i = 0; i < n; i++)
		(*p)[i] = (float)hy_rng_u32(&g) * 0x1p-32f - .5f;
	return true;
}

static hardy_status make(job *j, hy_conv_library library, hardy_error *err)
{
	const hy_conv_shape *s = &j->e->shape;
	size_t work = (size_t)(s->n * (s->ic * s->k * s->k + 1) * s->oc), packed = 16;
	if (j->e->kind == BLOCKED) {
		const bool bias = j->e->role == HY_CONV_FORWARD;
		const hardy_status status = hy_conv_make(&j->conv, j->kernels, library, s, j->e->role, false, bias, err);
		if (status)
			return status;
		work = j->conv.work_floats + 16;
		packed = j->conv.packed_floats + 16;
	}
	const size_t x = (size_t)(s->n * s->ic * s->ih * s->iw), y = (size_t)(s->n * s->oc * s->oh * s->ow);
	if (!fill(&j->x, x, 0) || !fill(&j->y, y, 1) || !fill(&j->w, (size_t)(s->oc * s->ic * s->k * s->k), 2) ||
	    !fill(&j->bias, (size_t)(s->oc + s->ic), 3) || !fill(&j->packed, packed, 4) || !fill(&j->work, work, 5))
		return hy_fail_memory(err, "a convolution's tensors", x + y, sizeof(float));
	if (j->conv.pack && j->e->role != HY_CONV_WEIGHTS)
		j->conv.pack(&j->conv, j->w, j->packed);
	return HARDY_OK;
}

static void drop(job *j)
{
	hy_conv_clear(&j->conv);
	hy_free_aligned(j->x);
	hy_free_aligned(j->y);
	hy_free_aligned(j->w);
	hy_free_aligned(j->bias);
	hy_free_aligned(j->packed);
	hy_free_aligned(j->work);
}

/* ---- the table ---------------------------------------------------------------------------------------------------------- */

/* Who computes it. "plain" is the table for any processor; "C" the same loops compiled for this one, where a tape takes them. */
typedef struct contender {
	const char *name;
	bool any_processor;
	hy_conv_library library;
} contender;

static const contender contenders[] = {
    {"plain", true, HY_CONV_PLAIN},  {"C", false, HY_CONV_PLAIN},       {"oneDNN", false, HY_CONV_DNNL},
    {"taps", false, HY_CONV_DIRECT}, {"ours", false, HY_CONV_WINOGRAD},
};

static bool takes_part(const hy_bench *b, const entry *e, const contender *c)
{
	if (c->library == HY_CONV_DNNL)
		return hy_dnnl_version() && e->kind == BLOCKED && b->kernels->element == sizeof(float);
	if (c->library == HY_CONV_DIRECT || c->library == HY_CONV_WINOGRAD)
		return e->kind == BLOCKED && hy_conv_direct_fits(b->kernels, &e->shape) &&
		       (c->library == HY_CONV_WINOGRAD || hy_conv_tile(b->kernels, &e->shape));
	return c->any_processor || b->kernels != &hy_kernels_plain;
}

static hardy_status measure(hy_bench *b, entry e, const contender *c, hardy_error *err)
{
	static const char *const roles[] = {"forward", "data", "weights"};
	static const char *const kinds[] = {"blocked", "stem", "head"};
	/* The C loops are slow: two samples tell their rate. */
	if (c->library == HY_CONV_PLAIN && e.kind == BLOCKED && e.shape.n > 2)
		e.shape.n = 2;
	job j = {.e = &e, .kernels = c->any_processor ? &hy_kernels_plain : b->kernels};
	const hy_repeat repeat = {.warm_up = 1, .runs = (int)b->o->steps, .at_least = b->o->seconds, .at_most = 5};
	hy_timing t;
	hardy_status status = make(&j, c->library, err);
	if (!status)
		status = hy_clock_repeat(&repeat, run_once, &j, &t, err);
	drop(&j);
	if (status)
		return status;
	const hy_conv_shape *s = &e.shape;
	const double x = (double)(s->n * s->ic) * (double)(s->ih * s->iw), y = (double)(s->n * s->oc) * (double)(s->oh * s->ow),
	             w = (double)(s->ic * s->oc * s->k * s->k);
	const double flop = 2 * w * (double)s->n * (double)(s->oh * s->ow), bytes = j.kernels->element * (x + y + w);
	const double bound = hy_roof_bound(&b->roof, flop, bytes), rate = flop / t.min_s * 1e-9;
	cJSON *r = hy_row_new(b, "kernels");
	hy_row_text(b, r, "library", c->name);
	hy_row_text(b, r, "kind", kinds[e.kind]);
	hy_row_text(b, r, "role", roles[e.role]);
	const struct {
		const char *key;
		int64_t value;
	} sizes[] = {{"n", s->n},   {"ic", s->ic}, {"ih", s->ih}, {"iw", s->iw},        {"oc", s->oc},
	             {"oh", s->oh}, {"ow", s->ow}, {"k", s->k},   {"stride", s->stride}};
	for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++)
		hy_row_number(b, r, sizes[k].key, (double)sizes[k].value);
	hy_row_timing(b, r, &t);
	hy_row_number(b, r, "gflop", flop * 1e-9);
	hy_row_number(b, r, "gflops", rate);
	hy_row_number(b, r, "share_of_peak", rate / b->roof.fma_gflops);
	hy_row_number(b, r, "gbs", bytes / t.min_s * 1e-9);
	hy_row_number(b, r, "share_of_bound", bound / t.min_s);
	hy_row_done(b, r);
	char shape[64];
	snprintf(shape, sizeof shape, "%lld>%lld %lldx%lld k%d s%d", (long long)s->ic, (long long)s->oc, (long long)s->ih,
	         (long long)s->iw, s->k, s->stride);
	hy_bench_print(b, "  %-8s %-24s %-7s %4lld %10.4f %9.1f %6.0f%% %6.0f%%\n", roles[e.role], shape, c->name, (long long)s->n,
	               t.min_s * 1e3, rate, 100 * rate / b->roof.fma_gflops, 100 * bound / t.min_s);
	return HARDY_OK;
}

hardy_status hy_bench_kernels(hy_bench *b, hardy_error *err)
{
	list *l = hy_calloc(1, sizeof *l);
	if (!l)
		return hy_fail_memory(err, "a list of convolutions", 1, sizeof *l);
	hardy_status status = collect(b, l, err);
	hy_bench_print(b, "convolutions of a step on %s\n  %-8s %-24s %-7s %4s %10s %9s %7s %7s\n", b->on, "", "channels, grid",
	               "by", "n", "ms", "GFLOP/s", "peak", "bound");
	for (int i = 0; i < l->n && !status; i++)
		for (size_t c = 0; c < sizeof contenders / sizeof *contenders && !status; c++)
			if (takes_part(b, &l->entries[i], &contenders[c])) {
				hy_log(b->log, HARDY_LOG_PROGRESS, "convolution %d of %d", i + 1, l->n);
				status = measure(b, l->entries[i], &contenders[c], err);
			}
	hy_free(l);
	return status;
}
