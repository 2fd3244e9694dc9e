/*
 * artefacts.c: time of the four artefacts of ACDC-C on one volume: bench_artefacts [X Y Z [REPEATS]] (default 192 192 10 10),
 * one JSON line each, a fresh draw every time.
 */
#include "artefact/artefact.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

static double now(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static int by_value(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

static double seconds(hy_artefact_kind kind, const float *image, float *work, const int64_t n[3], int repeat, hardy_error *err)
{
	hy_grid grid;
	hy_rng g = hy_artefact_stream(0, kind, "bench", 0, repeat);
	hy_grid_set_simple(&grid, n[0], n[1], n[2], 1, 1, 1);
	memcpy(work, image, (size_t)(n[0] * n[1] * n[2]) * sizeof *work);
	const hy_block b = hy_block_of_scan(work, &grid);
	const double start = now();
	const hy_artefact a = hy_artefact_draw(kind, 0, n, false, &g);
	return hy_artefact_apply(&a, &b, err) ? -1 : now() - start;
}

int main(int argc, char **argv)
{
	int64_t n[3] = {192, 192, 10}, repeats = 10;
	hardy_error err = {0};
	for (int i = 0; i < 3 && argc > 3; i++)
		n[i] = strtol(argv[1 + i], NULL, 10);
	if (argc > 4)
		repeats = strtol(argv[4], NULL, 10);
	if (n[0] < 1 || n[1] < 1 || n[2] < 1 || repeats < 1) {
		fprintf(stderr, "bench_artefacts: want numbers of 1 or more\n");
		return 2;
	}
	const size_t size = (size_t)(n[0] * n[1] * n[2]);
	float *image = hy_alloc(size, sizeof *image), *work = hy_alloc(size, sizeof *work);
	double *times = hy_alloc((size_t)repeats, sizeof *times);
	hy_rng g = hy_rng_make(0, HY_RNG_TEST, 0, 0);
	if (!image || !work || !times)
		return 1;
	for (size_t i = 0; i < size; i++)
		image[i] = (float)hy_rng_uniform(&g);
	for (int kind = 0; kind < HY_N_ARTEFACTS; kind++) {
		seconds((hy_artefact_kind)kind, image, work, n, 0, &err); /* warm up */
		for (int64_t r = 0; r < repeats; r++) {
			times[r] = seconds((hy_artefact_kind)kind, image, work, n, 1 + (int)r, &err);
			if (times[r] < 0) {
				fprintf(stderr, "bench_artefacts: %s\n", err.message);
				return 1;
			}
		}
		qsort(times, (size_t)repeats, sizeof *times, by_value);
		printf("{\"artefact\": \"%s\", \"shape\": [%lld, %lld, %lld], \"min_s\": %.5f, \"median_s\": %.5f}\n",
		       hy_artefact_name((hy_artefact_kind)kind), (long long)n[0], (long long)n[1], (long long)n[2], times[0],
		       times[repeats / 2]);
	}
	hy_free(image);
	hy_free(work);
	hy_free(times);
	return 0;
}
