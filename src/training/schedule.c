/*
 * schedule.c: learning-rate schedules. One cycle: Smith and Topin, "Super-convergence: very fast training of neural networks using
 * large learning rates", 2018, in the two-phase form of PyTorch.
 */
#include "training/schedule.h"

#include <math.h>

#define WARM_UP        0.1  /* share of the steps */
#define START_DIVISOR  25.0 /* peak / start */
#define FINAL_DIVISOR  1e4  /* start / end */
#define BETA1_LOW      0.85
#define BETA1_HIGH     0.95
#define BETA1_CONSTANT 0.9
#define PI             3.14159265358979323846

static double cosine(double from, double to, double part)
{
	return to + (from - to) / 2 * (cos(PI * part) + 1);
}

hy_rate hy_schedule_at(hy_schedule schedule, double peak, int64_t step, int64_t total)
{
	if (schedule == HY_SCHEDULE_CONSTANT)
		return (hy_rate){peak, BETA1_CONSTANT};
	const double start = peak / START_DIVISOR, end = start / FINAL_DIVISOR;
	const double top = WARM_UP * (double)total - 1, last = (double)total - 1, at = (double)step;
	if (at <= top) {
		const double part = top > 0 ? at / top : 1;
		return (hy_rate){cosine(start, peak, part), cosine(BETA1_HIGH, BETA1_LOW, part)};
	}
	const double part = last > top ? (at - top) / (last - top) : 1;
	return (hy_rate){cosine(peak, end, part), cosine(BETA1_LOW, BETA1_HIGH, part)};
}
