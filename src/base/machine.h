/*
 * machine.h: what this machine is, for records of what was measured on it, its clock, and how many of its threads are
 * used.
 */
#ifndef HY_BASE_MACHINE_H
#define HY_BASE_MACHINE_H

#include <stddef.h>
#include <stdint.h>

void hy_machine_name(char *text, size_t size); /* what the processor calls itself, or "unknown" */

/* How many threads the next parallel loop of the calling thread gets; 1 in a build without OpenMP. */
int hy_threads(void);
/* Sets that number unless wanted is 0, and returns what it was, for setting it back. */
int hy_threads_set(int64_t wanted);

double hy_clock_s(void); /* seconds of a clock that never goes back */

#endif
