/*
 * distance.c: surface distances of two objects and the scores made of them (see distance.h).
 *
 * Everything happens in the box around both objects: surface.c finds their surfaces there, nearest.c the distances.
 */
#include "metric/distance.h"

#include "base/memory.h"
#include "metric/nearest.h"
#include "metric/statistics.h"
#include "metric/surface.h"
#include "metric/surfel.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static size_t count_bit(const hy_surface_grid *g, uint8_t bit)
{
	size_t n = 0;
	for (int64_t i = 0; i < hy_surface_size(g); i++)
		n += (g->bits[i] & bit) != 0;
	return n;
}

static void fill_infinite(double *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		v[i] = INFINITY;
}

/* Distances both ways on a grid of surface elements. */
static hardy_status measure(const hy_surface_grid *surface, hy_surface_distances *d, hardy_error *err)
{
	d->n_pred = count_bit(surface, HY_SURFACE_PRED);
	d->n_ref = count_bit(surface, HY_SURFACE_REF);
	d->pred_to_ref = hy_alloc(d->n_pred, sizeof(double));
	d->ref_to_pred = hy_alloc(d->n_ref, sizeof(double));
	if (!d->pred_to_ref || !d->ref_to_pred)
		return hy_fail_memory(err, "surface distances", d->n_pred + d->n_ref, sizeof(double));
	if (d->n_pred == 0 || d->n_ref == 0) {
		fill_infinite(d->pred_to_ref, d->n_pred);
		fill_infinite(d->ref_to_pred, d->n_ref);
		return HARDY_OK;
	}
	hardy_status status = hy_nearest_distances(surface, HY_SURFACE_PRED, HY_SURFACE_REF, d->pred_to_ref, err);
	return status == HARDY_OK ? hy_nearest_distances(surface, HY_SURFACE_REF, HY_SURFACE_PRED, d->ref_to_pred, err) : status;
}

static hardy_status check_pair(const hy_object_pair *p, hardy_error *err)
{
	if ((p->n_dims != 2 && p->n_dims != 3) || (p->n_dims == 2 && p->n[0] != 1))
		return hy_fail(err, HARDY_ERROR_ARGUMENT,
		               "surface distances: %d dimensions with %lld planes, want 3, or 2 with 1 plane", p->n_dims,
		               (long long)p->n[0]);
	for (int a = p->n_dims == 3 ? 0 : 1; a < 3; a++)
		if (p->n[a] < 1 || p->n[a] >= INT32_MAX || !(p->spacing_mm[a] > 0) || !isfinite(p->spacing_mm[a]))
			return hy_fail(err, HARDY_ERROR_ARGUMENT,
			               "surface distances: axis %d has %lld voxels of %g mm, want 1 or more above 0 mm", a,
			               (long long)p->n[a], p->spacing_mm[a]);
	return HARDY_OK;
}

hardy_status hy_distance_voxels(const hy_object_pair *pair, hy_connectivity connectivity, hy_surface_distances *out,
                                hardy_error *err)
{
	hy_surface_distances d = {0};
	hy_surface_grid objects = {0}, surface = {0};
	hardy_status status = check_pair(pair, err);
	if (status == HARDY_OK)
		status = hy_surface_crop(pair, &objects, &d.overlap, err);
	if (status == HARDY_OK && objects.bits)
		status = hy_surface_voxels(&objects, pair->n_dims, connectivity, &surface, err);
	if (status == HARDY_OK)
		status = measure(&surface, &d, err);
	hy_free(objects.bits);
	hy_free(surface.bits);
	if (status != HARDY_OK) {
		hy_distance_clear(&d);
		return status;
	}
	*out = d;
	return HARDY_OK;
}

/* The sizes of the elements of both surfaces, in the order of measure. */
static hardy_status weigh(const hy_surface_grid *surface, const uint16_t *codes, int n_dims, hy_surface_distances *d,
                          hardy_error *err)
{
	double size[256] = {0};
	if (n_dims == 3)
		hy_surfel_areas(surface->spacing_mm, size);
	else
		hy_surfel_lengths(surface->spacing_mm + 1, size);
	d->pred_weight = hy_alloc(d->n_pred, sizeof(double));
	d->ref_weight = hy_alloc(d->n_ref, sizeof(double));
	if (!d->pred_weight || !d->ref_weight)
		return hy_fail_memory(err, "surface element sizes", d->n_pred + d->n_ref, sizeof(double));
	double *pred = d->pred_weight, *ref = d->ref_weight;
	for (int64_t i = 0; i < hy_surface_size(surface); i++) {
		if (surface->bits[i] & HY_SURFACE_PRED)
			*pred++ = size[codes[i] & 255];
		if (surface->bits[i] & HY_SURFACE_REF)
			*ref++ = size[codes[i] >> 8];
	}
	return HARDY_OK;
}

hardy_status hy_distance_surfels(const hy_object_pair *pair, hy_surface_distances *out, hardy_error *err)
{
	hy_surface_distances d = {0};
	hy_surface_grid objects = {0}, surface = {0};
	uint16_t *codes = NULL;
	hardy_status status = check_pair(pair, err);
	if (status == HARDY_OK)
		status = hy_surface_crop(pair, &objects, &d.overlap, err);
	if (status == HARDY_OK && objects.bits)
		status = hy_surface_surfels(&objects, pair->n_dims, &surface, &codes, err);
	if (status == HARDY_OK)
		status = measure(&surface, &d, err);
	if (status == HARDY_OK)
		status = weigh(&surface, codes, pair->n_dims, &d, err);
	hy_free(objects.bits);
	hy_free(surface.bits);
	hy_free(codes);
	if (status != HARDY_OK) {
		hy_distance_clear(&d);
		return status;
	}
	*out = d;
	return HARDY_OK;
}

void hy_distance_clear(hy_surface_distances *d)
{
	hy_free(d->pred_to_ref);
	hy_free(d->ref_to_pred);
	hy_free(d->pred_weight);
	hy_free(d->ref_weight);
	memset(d, 0, sizeof(*d));
}

/* ---- what is made of the distances ---- */

static bool is_empty(const hy_surface_distances *d)
{
	return d->n_pred == 0 || d->n_ref == 0;
}

static double sum(const double *v, size_t n)
{
	double s = 0;
	for (size_t i = 0; i < n; i++)
		s += v[i];
	return s;
}

static double largest(const double *v, size_t n)
{
	double m = 0;
	for (size_t i = 0; i < n; i++)
		m = v[i] > m ? v[i] : m;
	return m;
}

double hy_distance_hd(const hy_surface_distances *d)
{
	return is_empty(d) ? NAN : fmax(largest(d->pred_to_ref, d->n_pred), largest(d->ref_to_pred, d->n_ref));
}

hardy_status hy_distance_hd_pooled(const hy_surface_distances *d, double q, double *out, hardy_error *err)
{
	if (is_empty(d)) {
		*out = NAN;
		return HARDY_OK;
	}
	double *pool = hy_alloc(d->n_pred + d->n_ref, sizeof(*pool));
	if (!pool)
		return hy_fail_memory(err, "surface distances", d->n_pred + d->n_ref, sizeof(*pool));
	memcpy(pool, d->pred_to_ref, d->n_pred * sizeof(*pool));
	memcpy(pool + d->n_pred, d->ref_to_pred, d->n_ref * sizeof(*pool));
	*out = hy_quantile(pool, d->n_pred + d->n_ref, q);
	hy_free(pool);
	return HARDY_OK;
}

hardy_status hy_distance_hd_directed(const hy_surface_distances *d, double q, double *out, hardy_error *err)
{
	if (is_empty(d)) {
		*out = NAN;
		return HARDY_OK;
	}
	size_t most = d->n_pred > d->n_ref ? d->n_pred : d->n_ref;
	double *copy = hy_alloc(most, sizeof(*copy));
	if (!copy)
		return hy_fail_memory(err, "surface distances", most, sizeof(*copy));
	memcpy(copy, d->pred_to_ref, d->n_pred * sizeof(*copy));
	double pred = hy_quantile(copy, d->n_pred, q);
	memcpy(copy, d->ref_to_pred, d->n_ref * sizeof(*copy));
	double ref = hy_quantile(copy, d->n_ref, q);
	*out = fmax(pred, ref);
	hy_free(copy);
	return HARDY_OK;
}

double hy_distance_asd(const hy_surface_distances *d)
{
	return is_empty(d) ? NAN : sum(d->pred_to_ref, d->n_pred) / (double)d->n_pred;
}

double hy_distance_asd_reverse(const hy_surface_distances *d)
{
	return is_empty(d) ? NAN : sum(d->ref_to_pred, d->n_ref) / (double)d->n_ref;
}

double hy_distance_assd(const hy_surface_distances *d)
{
	if (is_empty(d))
		return NAN;
	return (sum(d->pred_to_ref, d->n_pred) + sum(d->ref_to_pred, d->n_ref)) / (double)(d->n_pred + d->n_ref);
}

double hy_distance_assd_directed(const hy_surface_distances *d)
{
	return 0.5 * (hy_distance_asd(d) + hy_distance_asd_reverse(d));
}

static void add_within(const double *distance, const double *weight, size_t n, double tolerance, double *within, double *whole)
{
	for (size_t i = 0; i < n; i++) {
		double w = weight ? weight[i] : 1;
		*whole += w;
		*within += distance[i] <= tolerance ? w : 0;
	}
}

double hy_distance_nsd(const hy_surface_distances *d, double tolerance_mm)
{
	double within = 0, whole = 0;
	add_within(d->pred_to_ref, d->pred_weight, d->n_pred, tolerance_mm, &within, &whole);
	add_within(d->ref_to_pred, d->ref_weight, d->n_ref, tolerance_mm, &within, &whole);
	return whole == 0 ? NAN : within / whole;
}
