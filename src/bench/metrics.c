/*
 * metrics.c: times Dice, HD95, ASSD and NSD of one class of a pair of label maps. Each metric starts from the label maps in memory,
 * as a caller of a library would; "all" computes the four together, as hardy evaluate does. One thread: a class of a case is one
 * thread's work.
 */
#include "base/scratch.h"
#include "base/text.h"
#include "bench/bench.h"
#include "bench/process.h"
#include "bench/scan.h"
#include "image/nifti.h"
#include "metric/distance.h"

#include <math.h>

typedef struct job {
	hy_object_pair pair;
	double tolerance_mm, value;
	hardy_status (*metric)(const hy_object_pair *p, double tolerance_mm, double *out, hardy_error *err);
} job;

static hardy_status dice(const hy_object_pair *p, double tolerance_mm, double *out, hardy_error *err)
{
	(void)tolerance_mm, (void)err;
	const hy_overlap o = hy_overlap_count(p->pred, p->ref, (size_t)(p->n[0] * p->n[1] * p->n[2]), p->value);
	*out = hy_overlap_dice(&o);
	return HARDY_OK;
}

static hardy_status hd95(const hy_object_pair *p, double tolerance_mm, double *out, hardy_error *err)
{
	(void)tolerance_mm;
	hy_surface_distances d;
	hardy_status status = hy_distance_voxels(p, HY_CONNECTIVITY_FACE, &d, err);
	if (status)
		return status;
	status = hy_distance_hd_pooled(&d, .95, out, err);
	hy_distance_clear(&d);
	return status;
}

static hardy_status assd(const hy_object_pair *p, double tolerance_mm, double *out, hardy_error *err)
{
	(void)tolerance_mm;
	hy_surface_distances d;
	const hardy_status status = hy_distance_voxels(p, HY_CONNECTIVITY_FACE, &d, err);
	if (status)
		return status;
	*out = hy_distance_assd(&d);
	hy_distance_clear(&d);
	return status;
}

static hardy_status nsd(const hy_object_pair *p, double tolerance_mm, double *out, hardy_error *err)
{
	hy_surface_distances d;
	const hardy_status status = hy_distance_voxels(p, HY_CONNECTIVITY_FACE, &d, err);
	if (status)
		return status;
	*out = hy_distance_nsd(&d, tolerance_mm);
	hy_distance_clear(&d);
	return status;
}

static hardy_status nsd_surfels(const hy_object_pair *p, double tolerance_mm, double *out, hardy_error *err)
{
	hy_surface_distances d;
	const hardy_status status = hy_distance_surfels(p, &d, err);
	if (status)
		return status;
	*out = hy_distance_nsd(&d, tolerance_mm);
	hy_distance_clear(&d);
	return status;
}

/* The value is their sum, which nothing means. */
static hardy_status all(const hy_object_pair *p, double tolerance_mm, double *out, hardy_error *err)
{
	hy_surface_distances d;
	hardy_status status = hy_distance_voxels(p, HY_CONNECTIVITY_FACE, &d, err);
	if (status)
		return status;
	double v = 0;
	status = hy_distance_hd_pooled(&d, .95, &v, err);
	*out = hy_overlap_dice(&d.overlap) + v + hy_distance_assd(&d) + hy_distance_nsd(&d, tolerance_mm);
	hy_distance_clear(&d);
	return status;
}

static const struct {
	const char *name;
	hardy_status (*run)(const hy_object_pair *p, double tolerance_mm, double *out, hardy_error *err);
} metrics[] = {{"dice", dice}, {"hd95", hd95}, {"assd", assd}, {"nsd", nsd}, {"nsd surfels", nsd_surfels}, {"all", all}};
enum { N_METRICS = sizeof metrics / sizeof *metrics };

static hardy_status run_once(void *payload, hardy_error *err)
{
	job *j = payload;
	return j->metric(&j->pair, j->tolerance_mm, &j->value, err);
}

static hardy_status run(hy_bench *b, const hy_labels *pred, const hy_labels *ref, hardy_error *err)
{
	const hy_grid *g = &ref->grid;
	const hy_repeat repeat = {.warm_up = 1, .runs = (int)b->o->steps, .at_least = b->o->seconds};
	job j = {.pair = {.pred = pred->data,
	                  .ref = ref->data,
	                  .value = (uint8_t)b->o->label,
	                  .n_dims = 3,
	                  .n = {g->nz, g->ny, g->nx},
	                  .spacing_mm = {g->spacing_mm[2], g->spacing_mm[1], g->spacing_mm[0]}},
	         .tolerance_mm = b->o->tolerance_mm};
	hy_bench_print(b, "metrics of class %lld on label maps of %lld x %lld x %lld, one thread\n", (long long)b->o->label,
	               (long long)g->nx, (long long)g->ny, (long long)g->nz);
	for (int m = 0; m < N_METRICS; m++) {
		hy_timing t;
		j.metric = metrics[m].run;
		const hardy_status status = hy_clock_repeat(&repeat, run_once, &j, &t, err);
		if (status)
			return status;
		const bool has_value = metrics[m].run != all;
		cJSON *r = hy_row_new(b, "metrics");
		hy_row_text(b, r, "metric", metrics[m].name);
		if (has_value)
			hy_row_number(b, r, "value", j.value);
		hy_row_number(b, r, "label", (double)b->o->label);
		hy_row_timing(b, r, &t);
		hy_row_number(b, r, "peak_rss_mb", hy_peak_mb());
		hy_row_done(b, r);
		hy_bench_print(b, "  %-12s %10.4f ms (median %.4f of %d)", metrics[m].name, t.min_s * 1e3, t.median_s * 1e3, t.n);
		if (has_value)
			hy_bench_print(b, "  = %.6g", j.value);
		hy_bench_print(b, "\n");
	}
	return HARDY_OK;
}

hardy_status hy_bench_metrics(hy_bench *b, hardy_error *err)
{
	const hardy_bench_options *o = b->o;
	hy_labels pred = {0}, ref = {0};
	hardy_status status;
	hy_peak_reset();
	if (o->n_files == 2) {
		int64_t counts[256];
		status = hy_nifti_read_labels(o->files[0], NULL, &pred, counts, b->log, err);
		if (!status)
			status = hy_nifti_read_labels(o->files[1], NULL, &ref, counts, b->log, err);
	} else if (o->n_files == 0) {
		char *folder = NULL;
		status = hy_scratch_make(o->folder, "hardy-bench", &folder, err);
		if (!status)
			status = hy_phantom_pair(folder, &pred, &ref, err);
		hy_scratch_remove(folder);
	} else {
		status = hy_fail(err, HARDY_ERROR_ARGUMENT, "%s named, want two label maps, or none", HY_COUNT(o->n_files, "file"));
	}
	if (!status && (pred.grid.nx != ref.grid.nx || pred.grid.ny != ref.grid.ny || pred.grid.nz != ref.grid.nz))
		status = hy_fail(err, HARDY_ERROR_DATA, "%s is %lld x %lld x %lld, want %lld x %lld x %lld as %s is", o->files[0],
		                 (long long)pred.grid.nx, (long long)pred.grid.ny, (long long)pred.grid.nz, (long long)ref.grid.nx,
		                 (long long)ref.grid.ny, (long long)ref.grid.nz, o->files[1]);
	if (!status)
		status = run(b, &pred, &ref, err);
	hy_labels_clear(&pred);
	hy_labels_clear(&ref);
	return status;
}
