/*
 * profile.h: where a tape's time goes, instruction by instruction, against what arithmetic and memory allow.
 */
#ifndef HY_BENCH_PROFILE_H
#define HY_BENCH_PROFILE_H

#include "bench/bench.h"

/*
 * Of the fastest run so far. Tapes that run beside one another, one a thread, are one profile: their times are averaged, their work is
 * added up.
 */
typedef struct hy_profile {
	hy_tape *const *tapes; /* the caller's */
	int n_tapes;
	size_t n;        /* instructions of all */
	double *seconds; /* owned, an instruction each, tape by tape */
	int64_t *n_runs; /* owned */
	double wall_s;   /* of the whole run, what lies outside of the tapes included */
} hy_profile;

/* Sums over the instructions that ran. Arithmetic is that of convolutions. */
typedef struct hy_work {
	double seconds, flop, bytes, bound_s; /* bound_s: of each instruction by itself, added up */
	int64_t n;
} hy_work;

/* Turns the tapes' profiles on. */
hardy_status hy_profile_init(hy_profile *p, hy_tape *const *tapes, int n_tapes, hardy_error *err);
void hy_profile_clear(hy_profile *p);
void hy_profile_begin(hy_profile *p);              /* before a run */
void hy_profile_end(hy_profile *p, double wall_s); /* after it */
hy_work hy_profile_sum(const hy_profile *p, const hy_roof *roof);
/*
 * Bytes that an instruction moves at least: every value that it reads or writes once, one that it changes in place or adds to twice, and
 * a convolution's weights.
 */
double hy_instruction_bytes(const hy_tape *t, const hy_instruction *i);

/* The table by operator, or by operator and shape, slowest first; then what more threads could bring. */
hardy_status hy_profile_write(hy_bench *b, const hy_profile *p, bool shapes, hardy_error *err);

#endif
