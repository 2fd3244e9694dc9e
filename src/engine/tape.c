/*
 * tape.c: recording, memory planning and running of a tape.
 */
#define _POSIX_C_SOURCE 200809L
#include "engine/tape.h"

#include "base/machine.h"
#include "base/memory.h"
#include "engine/ops_fuse.h"

#include <assert.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ALIGN = 16 }; /* floats: a cache line */

static size_t aligned(size_t n)
{
	return (n + ALIGN - 1) / ALIGN * ALIGN;
}

hardy_status hy_tape_init(hy_tape *t, hy_params *params, const hy_tape_options *o, hardy_error *err)
{
	memset(t, 0, sizeof *t);
	t->kernels = hy_kernels_pick(o ? o->isa : HY_ISA_AUTO, err);
	if (!t->kernels)
		return HARDY_ERROR_UNSUPPORTED;
	t->library = o ? o->library : HY_CONV_AUTO;
	t->params = params;
	t->norm_momentum = 0.1;
	t->n_ranks = 1;
	return HARDY_OK;
}

void hy_tape_clear(hy_tape *t)
{
	for (size_t i = 0; i < t->n_convs; i++)
		hy_conv_clear(&t->convs[i]);
	hy_free(t->values);
	hy_free(t->nodes);
	hy_free(t->instructions);
	hy_free(t->segments);
	hy_free(t->convs);
	hy_free(t->packs);
	hy_free(t->gradient);
	hy_free_aligned(t->slab);
	hy_free_aligned(t->aux);
	if (!t->packs_of)
		hy_free_aligned(t->packed);
	hy_free(t->sums);
	hy_free_aligned(t->work);
	memset(t, 0, sizeof *t);
}

void hy_tape_fail(hy_tape *t, hardy_status status, const char *format, ...)
{
	if (t->error.status)
		return;
	va_list args;
	va_start(args, format);
	t->error.status = status;
	vsnprintf(t->error.message, sizeof t->error.message, format, args);
	va_end(args);
}

bool hy_tape_failed(const hy_tape *t)
{
	return t->error.status != HARDY_OK;
}

/* Room for one more in a growing list; false (and the tape fails) when memory runs out. */
static bool grow(hy_tape *t, void *list, size_t n, size_t *room, size_t size)
{
	if (hy_tape_failed(t))
		return false;
	if (n < *room)
		return true;
	const size_t wanted = *room ? *room * 2 : 64;
	void *old, *larger;
	memcpy(&old, list, sizeof old);
	larger = hy_realloc(old, wanted, size);
	if (!larger) {
		hy_tape_fail(t, HARDY_ERROR_MEMORY, "out of memory while recording a network");
		return false;
	}
	memcpy(list, &larger, sizeof larger);
	*room = wanted;
	return true;
}

int hy_tape_value(hy_tape *t, int64_t n, int64_t c, int64_t h, int64_t w, bool blocked)
{
	if (!grow(t, &t->values, t->n_values, &t->room_values, sizeof *t->values))
		return -1;
	if (n < 1 || c < 1 || h < 1 || w < 1 || (blocked && c % t->kernels->block)) {
		hy_tape_fail(t, HARDY_ERROR_ARGUMENT,
		             "a tensor of %lld x %lld x %lld x %lld: want sizes of 1 or more, channels a multiple of %d", (long long)n,
		             (long long)c, (long long)h, (long long)w, t->kernels->block);
		return -1;
	}
	t->values[t->n_values] =
	    (hy_value){.n = n, .c = c, .h = h, .w = w, .blocked = blocked, .first = -1, .last = -1, .lazy_x = -1};
	return (int)t->n_values++;
}

int hy_tape_input(hy_tape *t, int64_t n, int64_t c, int64_t h, int64_t w)
{
	const int v = hy_tape_value(t, n, c, h, w, false);
	if (v >= 0) {
		t->values[v].external = true;
		t->values[v].constant = true;
	}
	return v;
}

void hy_tape_keep(hy_tape *t, int value)
{
	if (value >= 0)
		t->values[value].kept = true;
}

void hy_tape_constant(hy_tape *t, int value)
{
	if (value >= 0)
		t->values[value].constant = true;
}

int hy_tape_segment(hy_tape *t)
{
	if (!grow(t, &t->segments, t->n_segments, &t->room_segments, sizeof *t->segments))
		return -1;
	t->segments[t->n_segments] = (int)t->n_instructions;
	return (int)t->n_segments++;
}

int hy_tape_mark(const hy_tape *t)
{
	return (int)t->n_nodes;
}

int hy_tape_tap(hy_tape *t, const char *name, int value)
{
	return t->tap && !hy_tape_failed(t) ? t->tap(t->tap_payload, t, name, value) : value;
}

hy_node *hy_tape_node(hy_tape *t, const char *name)
{
	static _Thread_local hy_node nowhere; /* where a failed recording writes */
	hy_node *node = &nowhere;
	if (grow(t, &t->nodes, t->n_nodes, &t->room_nodes, sizeof *t->nodes))
		node = &t->nodes[t->n_nodes++];
	*node = (hy_node){.name = name,
	                  .in = {-1, -1, -1},
	                  .out = -1,
	                  .param = {-1, -1, -1, -1, -1},
	                  .conv = {-1, -1, -1},
	                  .pack = {-1, -1},
	                  .fuse = {.in_aux = -1, .aux = -1},
	                  .slope = 1};
	return node;
}

hy_instruction *hy_tape_emit(hy_tape *t, const char *name,
                             hardy_status (*run)(hy_tape *, const hy_instruction *, hardy_error *), const hy_node *node,
                             const int *values, int n_values)
{
	static _Thread_local hy_instruction nowhere;
	hy_instruction *i = &nowhere;
	if (!t->n_segments)
		hy_tape_segment(t);
	if (grow(t, &t->instructions, t->n_instructions, &t->room_instructions, sizeof *t->instructions))
		i = &t->instructions[t->n_instructions++];
	*i = (hy_instruction){.name = name, .run = run, .value = {-1, -1, -1, -1, -1, -1}};
	if (node)
		i->node = *node;
	for (int k = 0; k < n_values; k++) {
		i->value[k] = values[k];
		if (values[k] < 0 || i == &nowhere)
			continue;
		hy_value *v = &t->values[values[k]];
		if (v->lazy_x >= 0)
			hy_tape_fail(t, HARDY_ERROR_UNSUPPORTED, "%s cannot read the result of a batch norm left to a convolution", name);
		const int at = (int)t->n_instructions - 1;
		if (v->first < 0)
			v->first = at;
		v->last = at;
	}
	return i;
}

int hy_tape_aux(hy_tape *t, size_t n_floats)
{
	const size_t at = t->aux_floats;
	t->aux_floats += aligned(n_floats);
	return (int)at;
}

void hy_tape_work(hy_tape *t, size_t n_floats)
{
	if (n_floats > t->work_floats)
		t->work_floats = n_floats;
}

void hy_tape_sums(hy_tape *t, size_t n)
{
	if (n > t->n_sums)
		t->n_sums = n;
}

int hy_tape_raw(const hy_tape *t, int value)
{
	return value >= 0 && t->values[value].lazy_x >= 0 ? t->values[value].lazy_x : value;
}

/* Field by field: what lies between the fields is anything. */
static bool same_shape(const hy_conv_shape *a, const hy_conv_shape *b)
{
	return a->n == b->n && a->ic == b->ic && a->ih == b->ih && a->iw == b->iw && a->oc == b->oc && a->oh == b->oh &&
	       a->ow == b->ow && a->k == b->k && a->stride == b->stride && a->pad == b->pad && a->doubled == b->doubled;
}

int hy_tape_conv(hy_tape *t, const hy_conv_shape *s, enum hy_conv_role role, bool accumulate, bool bias)
{
	for (size_t i = 0; i < t->n_convs; i++) {
		const hy_conv *c = &t->convs[i];
		if (same_shape(&c->shape, s) && c->role == role && c->accumulate == accumulate && c->bias == bias)
			return (int)i;
	}
	if (!grow(t, &t->convs, t->n_convs, &t->room_convs, sizeof *t->convs))
		return -1;
	hy_conv *c = &t->convs[t->n_convs];
	hardy_error err;
	if (hy_conv_make(c, t->kernels, t->library, s, role, accumulate, bias, &err)) {
		hy_tape_fail(t, err.status, "%s", err.message);
		return -1;
	}
	hy_tape_work(t, c->work_floats);
	return (int)t->n_convs++;
}

int hy_tape_pack_derived(hy_tape *t, int param, int conv, hy_derived derived)
{
	hy_tape_work(t, aligned(t->params->list[param].n) + derived.n_floats);
	for (size_t i = 0; i < t->n_packs; i++) {
		const hy_pack_slot *p = &t->packs[i];
		if (p->param == param && p->conv == conv && p->derived.first == derived.first && p->fold[0] < 0)
			return (int)i;
	}
	if (conv < 0 || !grow(t, &t->packs, t->n_packs, &t->room_packs, sizeof *t->packs))
		return -1;
	t->packs[t->n_packs] = (hy_pack_slot){
	    .param = param, .conv = conv, .derived = derived, .offset = t->pack_floats, .fold = {-1, -1, -1, -1, -1}};
	t->pack_floats += aligned(t->convs[conv].packed_floats);
	return (int)t->n_packs++;
}

int hy_tape_pack(hy_tape *t, int param, int conv)
{
	return hy_tape_pack_derived(t, param, conv, (hy_derived){0});
}

int hy_tape_pack_folded(hy_tape *t, const hy_pack_slot *old, int conv, const int fold[5])
{
	if (conv < 0 || !grow(t, &t->packs, t->n_packs, &t->room_packs, sizeof *t->packs))
		return -1;
	const hy_conv *c = &t->convs[conv];
	hy_pack_slot *slot = &t->packs[t->n_packs];
	*slot = *old;
	slot->conv = conv;
	slot->offset = t->pack_floats;
	memcpy(slot->fold, fold, sizeof slot->fold);
	t->pack_floats += aligned(c->packed_floats + (size_t)t->params->list[old->param].shape[0]);
	return (int)t->n_packs++;
}

float *hy_tape_planar(const hy_tape *t, int value)
{
	assert(value < 0 || !t->values[value].blocked);
	return value < 0 ? NULL : t->values[value].data;
}

hy_blocked *hy_tape_blocked(const hy_tape *t, int value)
{
	assert(value < 0 || t->values[value].blocked);
	return value < 0 ? NULL : t->values[value].blocks;
}

float *hy_tape_floats(const hy_tape *t, int value)
{
	if (value < 0 || !t->values[value].blocked)
		return hy_tape_planar(t, value);
	assert(t->kernels->element == sizeof(float));
	return (float *)(void *)t->values[value].blocks;
}

const float *hy_tape_param(const hy_tape *t, int param)
{
	if (param < 0)
		return NULL;
	const hy_param *p = &t->params->list[param];
	return (p->is_buffer ? t->params->buffers : t->params->values) + p->offset;
}

float *hy_tape_grad(const hy_tape *t, int param)
{
	return param < 0 ? NULL : t->params->grads + t->params->list[param].offset;
}

/* ---- gradients ---- */

void hy_tape_gradients_begin(hy_tape *t)
{
	if (hy_tape_failed(t))
		return;
	for (size_t i = 0; i < t->room_gradient; i++)
		t->gradient[i] = -1;
}

int hy_tape_gradient(const hy_tape *t, int value)
{
	return value >= 0 && (size_t)value < t->room_gradient ? t->gradient[value] : -1;
}

void hy_tape_gradient_set(hy_tape *t, int value, int gradient)
{
	if (hy_tape_failed(t) || value < 0)
		return;
	if ((size_t)value >= t->room_gradient) {
		const size_t wanted = (size_t)value * 2 + 64;
		int *larger = hy_realloc(t->gradient, wanted, sizeof *larger);
		if (!larger) {
			hy_tape_fail(t, HARDY_ERROR_MEMORY, "out of memory while recording a backward pass");
			return;
		}
		for (size_t i = t->room_gradient; i < wanted; i++)
			larger[i] = -1;
		t->gradient = larger;
		t->room_gradient = wanted;
	}
	t->gradient[value] = gradient;
}

int hy_tape_gradient_out(hy_tape *t, int value, bool *accumulate)
{
	*accumulate = false;
	if (value < 0 || hy_tape_failed(t) || t->values[value].constant)
		return -1;
	int g = hy_tape_gradient(t, value);
	if (g >= 0) {
		*accumulate = true;
		return g;
	}
	const hy_value v = t->values[value];
	g = hy_tape_value(t, v.n, v.c, v.h, v.w, v.blocked);
	hy_tape_gradient_set(t, value, g);
	return g;
}

void hy_tape_back(hy_tape *t, int from, int to, int flags)
{
	for (int i = to - 1; i >= from && !hy_tape_failed(t); i--) {
		const hy_node node = t->nodes[i];
		if (node.back && hy_tape_gradient(t, node.out) >= 0)
			node.back(t, &node, flags);
	}
}

/* ---- compiling ---- */

static size_t value_floats(const hy_tape *t, const hy_value *v)
{
	const size_t n = (size_t)(v->n * v->c * v->h * v->w);
	return aligned(v->blocked ? (n * (size_t)t->kernels->element + sizeof(float) - 1) / sizeof(float) : n);
}

typedef struct place {
	int value;
	size_t size;
} place;

static int larger_first(const void *a, const void *b)
{
	const place *p = a, *q = b;
	if (p->size != q->size)
		return p->size < q->size ? 1 : -1;
	return p->value - q->value;
}

/*
 * Places values by falling size, each at the lowest offset that is free during its life. For the few hundred values of a step
 * this comes within some percent of the largest sum of live sizes.
 */
static hardy_status plan_memory(hy_tape *t, hardy_error *err)
{
	place *order = hy_alloc(t->n_values + 1, sizeof *order);
	int *placed = hy_alloc(t->n_values + 1, sizeof *placed);
	if (!order || !placed) {
		hy_free(order);
		hy_free(placed);
		return hy_fail_memory(err, "a memory plan", t->n_values, sizeof *order);
	}
	size_t n = 0, n_placed = 0;
	for (size_t i = 0; i < t->n_values; i++) {
		hy_value *v = &t->values[i];
		if (v->kept) {
			v->first = 0;
			v->last = INT_MAX;
		}
		if (!v->external && v->first >= 0)
			order[n++] = (place){.value = (int)i, .size = value_floats(t, v)};
	}
	qsort(order, n, sizeof *order, larger_first);
	for (size_t i = 0; i < n; i++) {
		hy_value *v = &t->values[order[i].value];
		size_t at = 0;
		for (size_t k = 0; k < n_placed; k++) { /* placed is sorted by offset */
			const hy_value *u = &t->values[placed[k]];
			if (u->last < v->first || u->first > v->last)
				continue;
			if (u->offset >= at + order[i].size)
				break;
			if (u->offset + value_floats(t, u) > at)
				at = u->offset + value_floats(t, u);
		}
		v->offset = at;
		size_t k = n_placed++;
		for (; k > 0 && t->values[placed[k - 1]].offset > at; k--)
			placed[k] = placed[k - 1];
		placed[k] = order[i].value;
		if (at + order[i].size > t->slab_floats)
			t->slab_floats = at + order[i].size;
	}
	hy_free(order);
	hy_free(placed);
	return HARDY_OK;
}

static bool folds(const hy_tape *t)
{
	for (size_t i = 0; i < t->n_packs; i++)
		if (t->packs[i].fold[0] >= 0)
			return true;
	return false;
}

hardy_status hy_tape_compile(hy_tape *t, hardy_error *err)
{
	if (hy_tape_failed(t))
		return hy_fail(err, t->error.status, "%s", t->error.message);
	const hardy_status status = plan_memory(t, err);
	if (status)
		return status;
	t->slab = hy_alloc_aligned(t->slab_floats, sizeof *t->slab);
	t->aux = hy_alloc_aligned(t->aux_floats, sizeof *t->aux);
	t->packed = t->packs_of ? t->packs_of->packed : hy_alloc_aligned(t->pack_floats, sizeof *t->packed);
	t->work = hy_alloc_aligned(t->work_floats, sizeof *t->work);
	t->sums = hy_alloc(t->n_sums, sizeof *t->sums);
	if (!t->slab || !t->aux || !t->packed || !t->work || !t->sums)
		return hy_fail_memory(err, "the network's activations", t->slab_floats + t->pack_floats + t->work_floats,
		                      sizeof *t->slab);
	memset(t->aux, 0, t->aux_floats * sizeof *t->aux);
	for (size_t i = 0; i < t->n_values; i++)
		if (t->values[i].blocked)
			t->values[i].blocks = (hy_blocked *)(void *)(t->slab + t->values[i].offset);
		else if (!t->values[i].external)
			t->values[i].data = t->slab + t->values[i].offset;
	t->folds = folds(t);
	t->compiled = true;
	return HARDY_OK;
}

/* Weights times the batch norm's scale by output channel into t->work; the bias behind the packed weights. Returns the weights. */
static const float *fold_norm(hy_tape *t, const hy_pack_slot *slot, const float *w, float *bias)
{
	const hy_param *p = &t->params->list[slot->param];
	const float *gamma = hy_tape_param(t, slot->fold[0]), *beta = hy_tape_param(t, slot->fold[1]);
	const float *mean = hy_tape_param(t, slot->fold[2]), *var = hy_tape_param(t, slot->fold[3]),
	            *own = hy_tape_param(t, slot->fold[4]);
	const int64_t n = (int64_t)p->n / p->shape[0];
	for (int64_t o = 0; o < p->shape[0]; o++) {
		const double scale = (double)gamma[o] / sqrt((double)var[o] + HY_NORM_EPS);
		bias[o] = (float)((double)beta[o] + ((own ? (double)own[o] : 0) - (double)mean[o]) * scale);
		for (int64_t i = o * n; i < (o + 1) * n; i++)
			t->work[i] = (float)((double)w[i] * scale);
	}
	return t->work;
}

static bool packs_are_current(const hy_tape *t)
{
	const hy_params *p = t->params;
	return !t->n_packs ||
	       (t->packed_values == p->values_generation && (!t->folds || t->packed_buffers == p->buffers_generation));
}

void hy_tape_refresh(hy_tape *t)
{
	if (t->packs_of || packs_are_current(t))
		return;
	t->packed_values = t->params->values_generation;
	t->packed_buffers = t->params->buffers_generation;
	for (size_t i = 0; i < t->n_packs; i++) {
		const hy_pack_slot *slot = &t->packs[i];
		const hy_conv *c = &t->convs[slot->conv];
		const hy_param *p = &t->params->list[slot->param];
		float *packed = t->packed + slot->offset;
		const float *w = hy_tape_param(t, slot->param);
		if (slot->fold[0] >= 0)
			w = fold_norm(t, slot, w, packed + c->packed_floats);
		if (slot->derived.make) {
			float *derived = t->work + aligned(p->n);
			slot->derived.make(p, w, slot->derived.first, slot->derived.count, derived);
			w = derived;
		}
		c->pack(c, w, packed);
	}
}

void hy_tape_range(const hy_tape *t, int segment, int *from, int *to)
{
	*from = t->segments[segment];
	*to = (size_t)segment + 1 < t->n_segments ? t->segments[segment + 1] : (int)t->n_instructions;
}

hardy_status hy_tape_run(hy_tape *t, int segment, hardy_error *err)
{
	int from, to;
	hy_tape_refresh(t);
	if (t->packs_of && !packs_are_current(t->packs_of))
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "packed weights are older than the network's parameters");
	hy_tape_range(t, segment, &from, &to);
	for (int i = from; i < to; i++) {
		hy_instruction *in = &t->instructions[i];
		const double start = t->profile ? hy_clock_s() : 0;
		const hardy_status status = in->run(t, in, err);
		if (status)
			return status;
		if (t->profile) {
			in->seconds += hy_clock_s() - start;
			in->n_runs++;
		}
		if (t->after)
			t->after(t->after_payload, i);
	}
	return HARDY_OK;
}

size_t hy_tape_bytes(const hy_tape *t)
{
	return (t->slab_floats + t->aux_floats + (t->packs_of ? 0 : t->pack_floats) + t->work_floats) * sizeof(float) +
	       t->n_sums * sizeof(double);
}
