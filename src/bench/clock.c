/*
 * clock.c: repeated timing of one thing.
 */
#include "bench/clock.h"

#include "base/machine.h"

#include <stdlib.h>

static int smaller_first(const void *a, const void *b)
{
	const double *p = a, *q = b;
	return *p < *q ? -1 : *p > *q;
}

hy_timing hy_timing_of(double *seconds, int n)
{
	qsort(seconds, (size_t)n, sizeof *seconds, smaller_first);
	return (hy_timing){.min_s = seconds[0], .median_s = .5 * (seconds[(n - 1) / 2] + seconds[n / 2]), .n = n};
}

hardy_status hy_clock_repeat(const hy_repeat *r, hardy_status (*run)(void *payload, hardy_error *err), void *payload,
                             hy_timing *out, hardy_error *err)
{
	double seconds[HY_MAX_RUNS], sum = 0;
	int n = 0;
	for (int i = 0; i < r->warm_up; i++) {
		const hardy_status status = run(payload, err);
		if (status)
			return status;
	}
	while (n < HY_MAX_RUNS && (n < r->runs || sum < r->at_least) && !(n && r->at_most > 0 && sum > r->at_most)) {
		const double start = hy_clock_s();
		const hardy_status status = run(payload, err);
		if (status)
			return status;
		sum += seconds[n++] = hy_clock_s() - start;
	}
	*out = hy_timing_of(seconds, n);
	return HARDY_OK;
}
