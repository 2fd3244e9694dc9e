/*
 * fourier.h: Fourier transforms of many lines at once, and the lock around FFTW's planner.
 *
 * Lines are transformed HY_LINES at a time, side by side: sample x of line j is buffer[x * HY_LINES + j]. Two real lines ride on
 * one complex one, which is right for whatever weighs the frequencies k and -k alike (a real, symmetric filter).
 */
#ifndef HY_IMAGE_FOURIER_H
#define HY_IMAGE_FOURIER_H

#include "base/error.h"

#include <stdint.h>

enum { HY_LINES = 16 };

/* FFTW's planner is not safe to call from several threads; executing a plan is. */
void hy_fourier_lock(void);
void hy_fourier_unlock(void);

typedef struct hy_line_plan hy_line_plan;

/* For lines of n samples, 1 or more. Plans are estimated, never timed: the same machine gives the same bytes. */
hy_line_plan *hy_line_plan_new(int64_t n, hardy_error *err);
void hy_line_plan_free(hy_line_plan *p);

/* n x HY_LINES floats, 64-byte aligned (hy_free_aligned); NULL when memory runs out. */
float *hy_line_buffer(const hy_line_plan *p) HY_MUST_USE;

/*
 * In place, not normalised: forward and backward multiply by n. Row k of a spectrum holds frequency k (k - n above n / 2). Safe
 * from several threads on different buffers.
 */
void hy_line_forward(const hy_line_plan *p, float *buffer);
void hy_line_backward(const hy_line_plan *p, float *buffer);

#endif
