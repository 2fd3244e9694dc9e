/*
 * surface.h: the surfaces of two objects on one small grid (internal to the metrics).
 *
 * Both objects share one byte a position, so that one pass of byte operations finds both surfaces.
 */
#ifndef HY_METRIC_SURFACE_H
#define HY_METRIC_SURFACE_H

#include "metric/distance.h"

enum { HY_SURFACE_PRED = 1, HY_SURFACE_REF = 2 };

/* A grid of positions, axes slowest first, with the bits HY_SURFACE_PRED and HY_SURFACE_REF. */
typedef struct hy_surface_grid {
	int64_t n[3];
	double spacing_mm[3];
	uint8_t *bits; /* owned (hy_free); NULL and n = 0 when there is no object */
} hy_surface_grid;

int64_t hy_surface_size(const hy_surface_grid *g);

/* Both objects in the box around them, with a margin of one background voxel (none along axis 0 in 2-D). n_voxels gets the
 * sizes of prediction and reference. */
hardy_status hy_surface_crop(const hy_object_pair *p, hy_surface_grid *out, hy_overlap *overlap, hardy_error *err);

/* The surface voxels of both objects of a cropped grid, on the same grid. */
hardy_status hy_surface_voxels(const hy_surface_grid *g, int n_dims, hy_connectivity connectivity, hy_surface_grid *out,
                               hardy_error *err);

/* The surface elements of both objects of a cropped grid, on the grid of voxel corners. *codes (owned by the caller) holds the
 * neighbourhood codes of surfel.h, the prediction's in bits 0 to 7, the reference's in 8 to 15. */
hardy_status hy_surface_surfels(const hy_surface_grid *g, int n_dims, hy_surface_grid *out, uint16_t **codes, hardy_error *err);

#endif
