/*
 * roof.h: what the machine can do at most, measured: multiply-adds from registers, and memory read and written.
 */
#ifndef HY_BENCH_ROOF_H
#define HY_BENCH_ROOF_H

#include "engine/kernels/kernels.h"

typedef struct hy_roof {
	double fma_gflops; /* of independent multiply-adds, a multiply-add being 2, with the vectors of the kernel table */
	double read_gbs;   /* the sum of a large array */
	double triad_gbs;  /* a = b + s c, three arrays counted, as in McCalpin's STREAM; the faster of two kinds of stores */
} hy_roof;

/*
 * On as many threads as OpenMP now gives. Takes some tenths of a second, and some hundred MB while it runs. rough: a trial in some
 * milliseconds, in which the cache may pass for memory.
 */
hardy_status hy_roof_measure(const hy_kernels *kernels, bool rough, hy_roof *out, hardy_error *err);

double hy_roof_gbs(const hy_roof *r); /* the larger of both memory rates */
/* Seconds that arithmetic and bytes need at least: the larger of both. 0 without a roof. */
double hy_roof_bound(const hy_roof *r, double flop, double bytes);

#endif
