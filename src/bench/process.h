/*
 * process.h: peak memory of this process, and of a program that is started and waited for.
 */
#ifndef HY_BENCH_PROCESS_H
#define HY_BENCH_PROCESS_H

#include "base/error.h"

/*
 * Forgets the peak so far, where the system can (Linux); then the peak since. In MB of 2^20 bytes, everything counted that the
 * process holds.
 */
void hy_peak_reset(void);
double hy_peak_mb(void);

typedef struct hy_process_cost {
	double wall_s, peak_mb;
} hy_process_cost;

/*
 * Runs arguments[0] (a path) to its end. What it prints on stdout is dropped; stderr goes to the file `messages`. Any ending but an
 * exit with 0 is an error with the first line of it. peak_mb is never below what this process holds while starting the other.
 */
hardy_status hy_process_run(const char *const *arguments, const char *messages, hy_process_cost *out, hardy_error *err);

#endif
