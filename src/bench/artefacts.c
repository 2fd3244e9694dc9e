/*
 * artefacts.c: times each image artefact on one volume of random voxels. A run draws the parameters anew and spoils a copy, as a
 * user of a transform would.
 */
#include "artefact/artefact.h"

#include "base/memory.h"
#include "bench/bench.h"
#include "bench/process.h"

#include <string.h>

typedef struct job {
	hy_artefact_kind kind;
	hy_grid grid;
	float *image, *work; /* owned */
	int64_t n_done;
} job;

static hardy_status run_once(void *payload, hardy_error *err)
{
	job *j = payload;
	const int64_t n[3] = {j->grid.nx, j->grid.ny, j->grid.nz};
	hy_rng g = hy_artefact_stream(0, j->kind, "bench", 0, j->n_done++);
	memcpy(j->work, j->image, (size_t)hy_grid_voxels(&j->grid) * sizeof *j->work);
	const hy_block block = hy_block_of_scan(j->work, &j->grid);
	const hy_artefact a = hy_artefact_draw(j->kind, 0, n, false, &g);
	return hy_artefact_apply(&a, &block, err);
}

static hardy_status measure(hy_bench *b, job *j, hardy_error *err)
{
	const hy_repeat repeat = {.warm_up = 1, .runs = (int)b->o->steps, .at_least = b->o->seconds};
	hy_timing t;
	j->n_done = 0;
	hy_peak_reset();
	const hardy_status status = hy_clock_repeat(&repeat, run_once, j, &t, err);
	if (status)
		return status;
	cJSON *r = hy_row_new(b, "artefacts");
	hy_row_text(b, r, "artefact", hy_artefact_name(j->kind));
	hy_row_number(b, r, "size", (double)j->grid.nx);
	hy_row_number(b, r, "slices", (double)j->grid.nz);
	hy_row_timing(b, r, &t);
	hy_row_number(b, r, "peak_rss_mb", hy_peak_mb());
	hy_row_done(b, r);
	hy_bench_print(b, "  %-12s %10.3f ms (median %.3f of %d)\n", hy_artefact_name(j->kind), t.min_s * 1e3, t.median_s * 1e3,
	               t.n);
	return HARDY_OK;
}

hardy_status hy_bench_artefacts(hy_bench *b, hardy_error *err)
{
	job j = {.n_done = 0};
	hy_grid_set_simple(&j.grid, b->o->size, b->o->size, b->o->slices, 1, 1, 1);
	const size_t size = (size_t)hy_grid_voxels(&j.grid);
	j.image = hy_alloc(size, sizeof *j.image);
	j.work = hy_alloc(size, sizeof *j.work);
	hardy_status status = j.image && j.work ? HARDY_OK : hy_fail_memory(err, "a volume", 2 * size, sizeof *j.image);
	hy_rng g = hy_rng_make(0, HY_RNG_TEST, 0, 0);
	for (size_t i = 0; i < size && !status; i++)
		j.image[i] = (float)hy_rng_uniform(&g);
	hy_bench_print(b, "artefacts on a volume of %lld x %lld x %lld on %s\n", (long long)j.grid.nx, (long long)j.grid.ny,
	               (long long)j.grid.nz, b->on);
	for (int kind = 0; kind < HY_N_ARTEFACTS && !status; kind++) {
		j.kind = (hy_artefact_kind)kind;
		status = measure(b, &j, err);
	}
	hy_free(j.image);
	hy_free(j.work);
	return status;
}
