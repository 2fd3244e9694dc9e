/*
 * blob.h: bytes that are made to be embedded in a page.
 */
#ifndef HY_DRAW_BLOB_H
#define HY_DRAW_BLOB_H

#include "draw/png.h"
#include "image/volume.h"

typedef struct hy_blob {
	uint8_t *data; /* owned */
	size_t size, room;
	bool failed; /* memory ran out while it grew */
} hy_blob;

void hy_blob_clear(hy_blob *b);

/* Appends to a hy_blob, for hy_outfile and the like. */
hardy_sink hy_blob_sink(hy_blob *b);

hardy_status hy_blob_png(hy_blob *b, const hy_canvas *c, hardy_error *err);
/* A NIfTI volume of uint8 voxels, gzipped; the same bytes for the same voxels. */
hardy_status hy_blob_nifti(hy_blob *b, const hy_grid *grid, const uint8_t *voxels, hardy_error *err);

#endif
