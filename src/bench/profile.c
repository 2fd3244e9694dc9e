/*
 * profile.c: where a tape's time goes, and what bounds it.
 */
#include "bench/profile.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

hardy_status hy_profile_init(hy_profile *p, hy_tape *const *tapes, int n_tapes, hardy_error *err)
{
	*p = (hy_profile){.tapes = tapes, .n_tapes = n_tapes};
	for (int k = 0; k < n_tapes; k++) {
		p->n += tapes[k]->n_instructions;
		tapes[k]->profile = true;
	}
	p->seconds = hy_calloc(p->n, sizeof *p->seconds);
	p->n_runs = hy_calloc(p->n, sizeof *p->n_runs);
	if (p->seconds && p->n_runs)
		return HARDY_OK;
	const size_t n = p->n;
	hy_profile_clear(p);
	return hy_fail_memory(err, "a profile", n, sizeof *p->seconds);
}

void hy_profile_clear(hy_profile *p)
{
	hy_free(p->seconds);
	hy_free(p->n_runs);
	*p = (hy_profile){0};
}

/* Instruction `at` of all tapes, and its tape. */
static hy_instruction *instruction(const hy_profile *p, size_t at, const hy_tape **tape)
{
	int k = 0;
	for (; at >= p->tapes[k]->n_instructions; k++)
		at -= p->tapes[k]->n_instructions;
	if (tape)
		*tape = p->tapes[k];
	return &p->tapes[k]->instructions[at];
}

void hy_profile_begin(hy_profile *p)
{
	for (size_t i = 0; i < p->n; i++) {
		hy_instruction *in = instruction(p, i, NULL);
		in->seconds = 0;
		in->n_runs = 0;
	}
}

void hy_profile_end(hy_profile *p, double wall_s)
{
	if (p->wall_s > 0 && wall_s >= p->wall_s)
		return;
	p->wall_s = wall_s;
	for (size_t i = 0; i < p->n; i++) {
		const hy_instruction *in = instruction(p, i, NULL);
		p->seconds[i] = in->seconds / p->n_tapes;
		p->n_runs[i] = in->n_runs;
	}
}

/* ---- work --------------------------------------------------------------------------------------------------------------- */

enum { N_VALUES = sizeof((hy_instruction *)0)->value / sizeof(int) };

static double value_bytes(const hy_tape *t, int value)
{
	const hy_value *v = &t->values[value];
	return value < 0 ? 0 : (v->blocked ? t->kernels->element : 4) * (double)(v->n * v->c) * (double)(v->h * v->w);
}

/* What an instruction reads of the value that it writes. */
static double bytes_added_to(const hy_tape *t, const hy_instruction *i)
{
	const int *conv = i->node.conv;
	if (i->flop > 0) { /* convolutions write their second value; blocked ones tell by their handles */
		const bool adds =
		    i->accumulate || (conv[0] >= 0 && t->convs[conv[0]].accumulate) || (conv[1] >= 0 && t->convs[conv[1]].accumulate);
		return adds ? value_bytes(t, i->value[1]) : 0;
	}
	if (!strcmp(i->name, "norm back sums")) /* turns the gradient into another in place */
		return value_bytes(t, i->value[0]);
	int last = N_VALUES - 1;
	while (last > 0 && i->value[last] < 0)
		last--;
	return i->accumulate ? value_bytes(t, i->value[last]) : 0;
}

double hy_instruction_bytes(const hy_tape *t, const hy_instruction *i)
{
	/* a batch norm whose sums and result are other instructions' work only looks after its channels */
	if (!strcmp(i->name, "norm") && i->value[1] < 0 && (i->node.k || i->node.norm == HY_NORM_RUNNING))
		return 0;
	double bytes = bytes_added_to(t, i);
	for (int k = 0; k < N_VALUES; k++)
		bytes += i->value[k] < 0 ? 0 : value_bytes(t, i->value[k]);
	if (i->flop > 0 && i->node.param[0] >= 0)
		bytes += 4.0 * (double)t->params->list[i->node.param[0]].n;
	return bytes;
}

static void add_instruction(hy_work *w, const hy_profile *p, size_t at, const hy_roof *roof)
{
	const hy_tape *t;
	const hy_instruction *i = instruction(p, at, &t);
	const double runs = (double)p->n_runs[at], bytes = hy_instruction_bytes(t, i);
	w->seconds += p->seconds[at];
	w->flop += runs * i->flop;
	w->bytes += runs * bytes;
	w->bound_s += runs * hy_roof_bound(roof, i->flop, bytes);
	w->n += p->n_runs[at];
}

hy_work hy_profile_sum(const hy_profile *p, const hy_roof *roof)
{
	hy_work w = {0};
	for (size_t i = 0; i < p->n; i++)
		add_instruction(&w, p, i, roof);
	return w;
}

/* ---- the table ---------------------------------------------------------------------------------------------------------- */

typedef struct row {
	char name[96];
	hy_work work;
} row;

static int slower_first(const void *a, const void *b)
{
	const row *p = a, *q = b;
	return p->work.seconds < q->work.seconds ? 1 : p->work.seconds > q->work.seconds ? -1 : strcmp(p->name, q->name);
}

/* "conv 16>32 96x96 k3 s1": channels read and written, the larger grid, kernel and stride. */
static void describe(const hy_tape *t, const hy_instruction *i, bool shapes, char *text, size_t size)
{
	const hy_value *a = i->value[0] < 0 ? NULL : &t->values[i->value[0]], *b = i->value[1] < 0 ? a : &t->values[i->value[1]];
	if (!shapes || !a) {
		snprintf(text, size, "%s", i->name);
	} else if (i->flop > 0) {
		const hy_value *large = a->h > b->h ? a : b;
		snprintf(text, size, "%s %lld>%lld %lldx%lld k%lld s%lld", i->name, (long long)a->c, (long long)b->c,
		         (long long)large->h, (long long)large->w, (long long)i->node.k, (long long)i->node.stride);
	} else {
		snprintf(text, size, "%s %lld %lldx%lld", i->name, (long long)a->c, (long long)a->h, (long long)a->w);
	}
}

static void write_row(hy_bench *b, const hy_profile *p, const row *r)
{
	const hy_work *w = &r->work;
	const double share = w->seconds > 0 ? w->bound_s / w->seconds : 0;
	cJSON *o = hy_row_new(b, "operator");
	hy_row_text(b, o, "operator", r->name);
	hy_row_number(b, o, "n", (double)w->n);
	hy_row_number(b, o, "s", w->seconds);
	hy_row_number(b, o, "share_of_time", w->seconds / p->wall_s);
	hy_row_number(b, o, "gflop", w->flop * 1e-9);
	hy_row_number(b, o, "gflops", w->flop / w->seconds * 1e-9);
	hy_row_number(b, o, "gb", w->bytes * 1e-9);
	hy_row_number(b, o, "gbs", w->bytes / w->seconds * 1e-9);
	hy_row_number(b, o, "bound_s", w->bound_s);
	hy_row_number(b, o, "share_of_bound", share);
	hy_row_done(b, o);
	hy_bench_print(b, "  %-38s %5lld %9.2f %5.1f%% %8.2f %8.1f %7.3f %7.1f %6.0f%%\n", r->name, (long long)w->n,
	               w->seconds * 1e3, 100 * w->seconds / p->wall_s, w->flop * 1e-9, w->flop / w->seconds * 1e-9, w->bytes * 1e-9,
	               w->bytes / w->seconds * 1e-9, 100 * share);
}

/* The same plan on more threads, were arithmetic to grow with them and the memory's rate to stay as it is. */
static void write_model(hy_bench *b, const hy_profile *p)
{
	hy_bench_print(b, "  the bound on more threads, with this memory: arithmetic grows with them, bandwidth stays\n");
	for (int threads = 1; threads <= 64; threads *= 2) {
		const hy_roof roof = {b->roof.fma_gflops / b->threads * threads, b->roof.read_gbs, b->roof.triad_gbs};
		double by_memory = 0;
		const hy_work all = hy_profile_sum(p, &roof);
		for (size_t i = 0; i < p->n; i++) {
			const hy_tape *t;
			const hy_instruction *in = instruction(p, i, &t);
			const double bytes = hy_instruction_bytes(t, in), bound = hy_roof_bound(&roof, in->flop, bytes);
			if (hy_roof_bound(&roof, in->flop, 0) < bound)
				by_memory += bound * (double)p->n_runs[i];
		}
		cJSON *o = hy_row_new(b, "model");
		hy_row_number(b, o, "model_threads", threads);
		hy_row_number(b, o, "bound_s", all.bound_s);
		hy_row_number(b, o, "memory_bound_share", by_memory / all.bound_s);
		hy_row_done(b, o);
		hy_bench_print(b, "  %4d threads %9.2f ms, %3.0f%% of it bound by memory\n", threads, all.bound_s * 1e3,
		               100 * by_memory / all.bound_s);
	}
}

hardy_status hy_profile_write(hy_bench *b, const hy_profile *p, bool shapes, hardy_error *err)
{
	row *rows = hy_calloc(p->n + 1, sizeof *rows);
	if (!rows)
		return hy_fail_memory(err, "a profile", p->n, sizeof *rows);
	size_t n = 0;
	for (size_t i = 0; i < p->n; i++) {
		char name[sizeof rows->name];
		size_t k = 0;
		if (!p->n_runs[i])
			continue;
		const hy_tape *t;
		const hy_instruction *in = instruction(p, i, &t);
		describe(t, in, shapes, name, sizeof name);
		while (k < n && strcmp(rows[k].name, name))
			k++;
		if (k == n)
			memcpy(rows[n++].name, name, sizeof name);
		add_instruction(&rows[k].work, p, i, &b->roof);
	}
	row rest = {.name = "outside the tape", .work = {.seconds = p->wall_s - hy_profile_sum(p, &b->roof).seconds, .n = 1}};
	rows[n++] = rest;
	qsort(rows, n, sizeof *rows, slower_first);
	hy_bench_print(b, "  %-38s %5s %9s %6s %8s %8s %7s %7s %7s\n", "operator (of the fastest run)", "runs", "ms", "time",
	               "GFLOP", "GFLOP/s", "GB", "GB/s", "bound");
	for (size_t i = 0; i < n; i++)
		write_row(b, p, &rows[i]);
	write_model(b, p);
	hy_free(rows);
	return HARDY_OK;
}
