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
/*
 * The processors' worth of time that the process's control group, or one above it, allows (Linux, both versions of control groups), rounded up;
 * 0: no limit is known. root is "", or in tests a folder that stands for the file system's.
 */
int hy_machine_quota(const char *root);
/*
 * Sets that number, and returns what it was, for setting it back. With wanted 0 it stays, unless it is that of all processors (nobody chose it) and
 * the control group allows less: threads beyond that would wait for one another while none of them may run.
 */
int hy_threads_set(int64_t wanted);

double hy_clock_s(void); /* seconds of a clock that never goes back */

#endif
