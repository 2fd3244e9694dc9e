/*
 * metrics.c: times Dice, HD95, ASSD and NSD on one label pair: bench_metrics A.nii.gz B.nii.gz [label [tolerance_mm]].
 *
 * Prints one JSON line a metric: name, value, best time of several in seconds. Each metric starts from the label maps in
 * memory, as a caller of a library would; "all" computes the four together, as hardy evaluate does.
 */
#include "image/nifti.h"
#include "metric/distance.h"
#include "metric/overlap.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static double tolerance_mm = 2;

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

static hardy_status dice(const hy_object_pair *p, double *out, hardy_error *err)
{
	hy_overlap o = hy_overlap_count(p->pred, p->ref, (size_t)(p->n[0] * p->n[1] * p->n[2]), p->value);
	*out = hy_overlap_dice(&o);
	return HARDY_OK;
}

static hardy_status hd95(const hy_object_pair *p, double *out, hardy_error *err)
{
	hy_surface_distances d;
	hardy_status status = hy_distance_voxels(p, HY_CONNECTIVITY_FACE, &d, err);
	if (status != HARDY_OK)
		return status;
	status = hy_distance_hd_pooled(&d, .95, out, err);
	hy_distance_clear(&d);
	return status;
}

static hardy_status assd(const hy_object_pair *p, double *out, hardy_error *err)
{
	hy_surface_distances d;
	hardy_status status = hy_distance_voxels(p, HY_CONNECTIVITY_FACE, &d, err);
	if (status != HARDY_OK)
		return status;
	*out = hy_distance_assd(&d);
	hy_distance_clear(&d);
	return status;
}

static hardy_status nsd(const hy_object_pair *p, double *out, hardy_error *err)
{
	hy_surface_distances d;
	hardy_status status = hy_distance_voxels(p, HY_CONNECTIVITY_FACE, &d, err);
	if (status != HARDY_OK)
		return status;
	*out = hy_distance_nsd(&d, tolerance_mm);
	hy_distance_clear(&d);
	return status;
}

static hardy_status nsd_surfel(const hy_object_pair *p, double *out, hardy_error *err)
{
	hy_surface_distances d;
	hardy_status status = hy_distance_surfels(p, &d, err);
	if (status != HARDY_OK)
		return status;
	*out = hy_distance_nsd(&d, tolerance_mm);
	hy_distance_clear(&d);
	return status;
}

static hardy_status all(const hy_object_pair *p, double *out, hardy_error *err)
{
	hy_surface_distances d;
	hardy_status status = hy_distance_voxels(p, HY_CONNECTIVITY_FACE, &d, err);
	if (status != HARDY_OK)
		return status;
	double v;
	status = hy_distance_hd_pooled(&d, .95, &v, err);
	*out = hy_overlap_dice(&d.overlap) + v + hy_distance_assd(&d) + hy_distance_nsd(&d, tolerance_mm);
	hy_distance_clear(&d);
	return status;
}

static const struct {
	const char *name;
	hardy_status (*run)(const hy_object_pair *p, double *out, hardy_error *err);
} metrics[] = {{"hardy dice", dice},
               {"hardy hd95", hd95},
               {"hardy assd", assd},
               {"hardy nsd", nsd},
               {"hardy nsd surfel", nsd_surfel},
               {"hardy all (dice + hd95 + assd + nsd)", all}};

static int time_all(const hy_object_pair *p, hardy_error *err)
{
	for (size_t m = 0; m < sizeof(metrics) / sizeof(metrics[0]); m++) {
		double best = 1e9, value = 0, end = now_s() + .3;
		for (int i = 0; i < 3 || (now_s() < end && i < 1000); i++) {
			double start = now_s();
			if (metrics[m].run(p, &value, err) != HARDY_OK)
				return 1;
			double took = now_s() - start;
			best = took < best ? took : best;
		}
		printf("{\"metric\": \"%s\", \"value\": %.6f, \"min_s\": %.7f}\n", metrics[m].name, value, best);
	}
	return 0;
}

int main(int argc, char **argv)
{
	if (argc < 3 || argc > 5) {
		fprintf(stderr, "usage: bench_metrics A.nii.gz B.nii.gz [label [tolerance_mm]]\n");
		return 2;
	}
	hardy_error err;
	hy_nifti_options o;
	hy_labels pred = {0}, ref = {0};
	int64_t values[256];
	int code = 1;
	hy_nifti_options_init(&o);
	if (argc > 4)
		tolerance_mm = strtod(argv[4], NULL);
	if (hy_nifti_read_labels(argv[1], &o, &pred, values, NULL, &err) != HARDY_OK ||
	    hy_nifti_read_labels(argv[2], &o, &ref, values, NULL, &err) != HARDY_OK)
		goto out;
	const hy_grid *g = &ref.grid;
	if (pred.grid.nx != g->nx || pred.grid.ny != g->ny || pred.grid.nz != g->nz) {
		hy_fail(&err, HARDY_ERROR_DATA, "%s and %s have different shapes", argv[1], argv[2]);
		goto out;
	}
	hy_object_pair p = {.pred = pred.data,
	                    .ref = ref.data,
	                    .value = (uint8_t)(argc > 3 ? strtoul(argv[3], NULL, 10) : 1),
	                    .n_dims = 3,
	                    .n = {g->nz, g->ny, g->nx},
	                    .spacing_mm = {g->spacing_mm[2], g->spacing_mm[1], g->spacing_mm[0]}};
	code = time_all(&p, &err);
out:
	if (code != 0)
		fprintf(stderr, "bench_metrics: %s\n", err.message);
	hy_labels_clear(&pred);
	hy_labels_clear(&ref);
	return code;
}
