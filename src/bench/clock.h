/*
 * clock.h: repeated timing of one thing.
 */
#ifndef HY_BENCH_CLOCK_H
#define HY_BENCH_CLOCK_H

#include "base/error.h"

enum { HY_MAX_RUNS = 1000 };

typedef struct hy_timing {
	double min_s, median_s;
	int n; /* timed runs */
} hy_timing;

typedef struct hy_repeat {
	int warm_up;     /* runs before the timed ones */
	int runs;        /* at least; 1 to HY_MAX_RUNS */
	double at_least; /* seconds that the timed runs take together, HY_MAX_RUNS permitting */
	double at_most;  /* seconds after which no further run begins, the first excepted; 0: any */
} hy_repeat;

/* Of n seconds, 1 or more; sorts them. */
hy_timing hy_timing_of(double *seconds, int n);
hardy_status hy_clock_repeat(const hy_repeat *r, hardy_status (*run)(void *payload, hardy_error *err), void *payload,
                             hy_timing *out, hardy_error *err);

#endif
