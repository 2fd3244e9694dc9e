/*
 * distance.h: exact Euclidean distances in mm between the surfaces of two objects: HD, HD95, ASD, ASSD, surface Dice (NSD).
 *
 * Arrays are given in C order, axes slowest first (z, y, x; a 2-D image has n = {1, ny, nx}). An object is the set of voxels
 * equal to one value; outside the array is background. Its surface is, in voxel form, the object voxels with at least one
 * background neighbour (4 or 8 neighbours in 2-D; 6 or 18 in 3-D), measured between voxel centres; in surfel form, the corners
 * where eight (2-D: four) voxels differ, each weighted by its area (length), see surfel.h.
 *
 * Undefined: with an empty object there are no surface distances; HD, HD95, ASD and ASSD are then NaN. NSD is 0 when one object
 * is empty and NaN when both are.
 */
#ifndef HY_METRIC_DISTANCE_H
#define HY_METRIC_DISTANCE_H

#include "base/error.h"
#include "metric/overlap.h"

#include <stddef.h>
#include <stdint.h>

typedef struct hy_object_pair {
	const uint8_t *pred, *ref; /* n[0] * n[1] * n[2] */
	uint8_t value;             /* the object's voxels */
	int n_dims;                /* 3, or 2: n[0] is 1 and axis 0 has no neighbours */
	int64_t n[3];
	double spacing_mm[3]; /* spacing_mm[0] is not used in 2-D */
} hy_object_pair;

typedef struct hy_surface_distances {
	double *pred_to_ref, *ref_to_pred; /* owned; mm, infinite when the other object is empty */
	double *pred_weight, *ref_weight;  /* owned; area or length of each element; NULL in voxel form */
	size_t n_pred, n_ref;              /* surface elements */
	hy_overlap overlap;                /* the objects' voxels, counted on the way */
} hy_surface_distances;

typedef enum hy_connectivity { HY_CONNECTIVITY_FACE = 1, HY_CONNECTIVITY_EDGE = 2 } hy_connectivity;

/* Voxel form. */
hardy_status hy_distance_voxels(const hy_object_pair *pair, hy_connectivity connectivity, hy_surface_distances *out,
                                hardy_error *err);
/* Surfel form. */
hardy_status hy_distance_surfels(const hy_object_pair *pair, hy_surface_distances *out, hardy_error *err);
void hy_distance_clear(hy_surface_distances *d);

double hy_distance_hd(const hy_surface_distances *d); /* larger of the two directed maxima */
/* Quantile q of the two lists pooled (MedPy's HD95: q = .95), linear interpolation. Reorders nothing. */
hardy_status hy_distance_hd_pooled(const hy_surface_distances *d, double q, double *out, hardy_error *err);
/* Larger of the two directed quantiles (MONAI's HD95). */
hardy_status hy_distance_hd_directed(const hy_surface_distances *d, double q, double *out, hardy_error *err);
double hy_distance_asd(const hy_surface_distances *d);           /* mean from prediction to reference */
double hy_distance_asd_reverse(const hy_surface_distances *d);   /* mean from reference to prediction */
double hy_distance_assd(const hy_surface_distances *d);          /* mean of the two lists pooled (MedPy 0.5) */
double hy_distance_assd_directed(const hy_surface_distances *d); /* half the sum of the two directed means (MedPy 0.4) */
/* Share of both surfaces within tolerance (<=) of the other; by count, or by weight when there are weights. */
double hy_distance_nsd(const hy_surface_distances *d, double tolerance_mm);

#endif
