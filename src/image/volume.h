/*
 * volume.h: a scan or label map in memory.
 *
 * Voxel (x, y, z, t) is data[((t * nz + z) * ny + y) * nx + x], x fastest, as NIfTI stores it. A slice is a z plane with rows y
 * (height) and columns x (width). t counts frames of a cine or, for a loaded case, input channels.
 */
#ifndef HY_IMAGE_VOLUME_H
#define HY_IMAGE_VOLUME_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

typedef struct hy_grid {
	int64_t nx, ny, nz;   /* 1 or more */
	double spacing_mm[3]; /* x, y, z; > 0 */
	double affine[3][4];  /* voxel index (x, y, z, 1) to RAS+ mm */
	bool located;         /* a header says so; false: only lengths are known, the affine is a convention */
} hy_grid;

typedef struct hy_volume {
	hy_grid grid;
	int64_t nt;   /* frames or channels, 1 or more */
	float *data;  /* owned */
	void *header; /* owned: what the reader keeps of the file's header so that outputs can carry it; NULL when made in memory */
	size_t header_size;
} hy_volume;

typedef struct hy_labels {
	hy_grid grid;
	uint8_t *data; /* owned; nx * ny * nz class indices, 0 background */
} hy_labels;

int64_t hy_grid_voxels(const hy_grid *g); /* nx * ny * nz */
/* Axis-aligned affine with this spacing and the origin at voxel 0. */
void hy_grid_set_simple(hy_grid *g, int64_t nx, int64_t ny, int64_t nz, double sx_mm, double sy_mm, double sz_mm);

hardy_status hy_volume_alloc(hy_volume *v, const hy_grid *grid, int64_t nt, hardy_error *err); /* zeroed */
void hy_volume_clear(hy_volume *v);                                                            /* frees and zeroes */
hardy_status hy_labels_alloc(hy_labels *l, const hy_grid *grid, hardy_error *err);             /* zeroed */
void hy_labels_clear(hy_labels *l);

#endif
