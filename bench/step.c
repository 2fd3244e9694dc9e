/*
 * step.c: times the training step and shows where the time goes, operator by operator.
 *
 *     bench_step [--standard] [--size N] [--batch N] [--steps N] [--isa plain|avx2|avx512]
 */
#include "training/step.h"

#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

static double now(void)
{
	struct timespec s;
	clock_gettime(CLOCK_MONOTONIC, &s);
	return (double)s.tv_sec + 1e-9 * (double)s.tv_nsec;
}

typedef struct row {
	const char *name;
	double seconds, flop;
	int64_t n;
} row;

static int slower_first(const void *a, const void *b)
{
	const row *p = a, *q = b;
	return p->seconds < q->seconds ? 1 : p->seconds > q->seconds ? -1 : 0;
}

static void print_profile(const hy_tape *t, int steps)
{
	row rows[64];
	int n = 0;
	for (size_t i = 0; i < t->n_instructions; i++) {
		const hy_instruction *in = &t->instructions[i];
		int k = 0;
		while (k < n && strcmp(rows[k].name, in->name))
			k++;
		if (k == 64)
			continue;
		if (k == n)
			rows[n++] = (row){.name = in->name};
		rows[k].seconds += in->seconds / steps;
		rows[k].flop += in->flop * (double)in->n_runs / steps;
		rows[k].n++;
	}
	qsort(rows, (size_t)n, sizeof *rows, slower_first);
	for (int k = 0; k < n; k++)
		printf("%-22s %4lld x %8.2f ms %8.1f GFLOP/s\n", rows[k].name, (long long)rows[k].n, rows[k].seconds * 1e3,
		       rows[k].flop / rows[k].seconds * 1e-9);
}

int main(int argc, char **argv)
{
	hy_step_options o;
	hy_step_options_init(&o);
	o.cooperative = true;
	o.batch = 20;
	o.height = 96;
	o.mask_i.scheme = HY_SCHEME_CHANNEL;
	o.mask_s.scheme = HY_SCHEME_SPATIAL;
	int steps = 5;
	for (int i = 1; i < argc; i++) {
		const char *value = i + 1 < argc ? argv[i + 1] : "";
		if (!strcmp(argv[i], "--standard"))
			o.cooperative = false;
		else if (!strcmp(argv[i], "--size"))
			o.height = strtol(value, NULL, 10), i++;
		else if (!strcmp(argv[i], "--batch"))
			o.batch = strtol(value, NULL, 10), i++;
		else if (!strcmp(argv[i], "--steps"))
			steps = (int)strtol(value, NULL, 10), i++;
		else if (!strcmp(argv[i], "--isa"))
			o.engine.isa = !strcmp(value, "plain") ? HY_ISA_PLAIN : !strcmp(value, "avx2") ? HY_ISA_AVX2 : HY_ISA_AVX512, i++;
	}
	o.width = o.height;
	hardy_error err;
	hy_network n;
	const hy_network_config config = {.channels = 1, .classes = 4, .decoupler = true};
	if (hy_network_init(&n, &config, &err))
		return fprintf(stderr, "%s\n", err.message), 1;
	hy_params_draw(&n.params, 1);
	double start = now();
	hy_step *s = hy_step_new(&n, &o, &err);
	if (!s)
		return fprintf(stderr, "%s\n", err.message), 1;
	const double built = now() - start;
	const size_t size = (size_t)(o.batch * o.height * o.width);
	float *x = hy_alloc(size, sizeof *x);
	uint8_t *y = hy_alloc(size, 1);
	hy_rng g = hy_rng_make(1, HY_RNG_TEST, 0, 0);
	for (size_t i = 0; i < size; i++) {
		x[i] = (float)hy_rng_uniform(&g);
		y[i] = (uint8_t)hy_rng_below(&g, 4);
	}
	double terms[HY_N_TERMS], best = 1e9;
	for (int i = 0; i <= steps; i++) {
		hy_step_tape(s)->profile = i > 0;
		start = now();
		if (hy_step_run(s, x, y, i, 1e-4, terms, &err))
			return fprintf(stderr, "%s\n", err.message), 1;
		const double t = now() - start;
		if (i && t < best)
			best = t;
		printf("%s%.3f s", i ? ", " : "first ", t);
	}
	struct rusage usage;
	getrusage(RUSAGE_SELF, &usage);
	printf("\nbest %.4f s; recorded in %.2f s; activations %.0f MB, peak %ld MB\n", best, built,
	       (double)hy_tape_bytes(hy_step_tape(s)) / 1e6, usage.ru_maxrss / 1024);
	print_profile(hy_step_tape(s), steps);
	hy_step_free(s);
	hy_network_clear(&n);
	hy_free(x);
	hy_free(y);
	return 0;
}
