/*
 * view.h: between what programs hand over (hardy/image.h, option structs that begin with their size) and what the library works on.
 */
#ifndef HY_LIBRARY_VIEW_H
#define HY_LIBRARY_VIEW_H

#include "image/volume.h"

/*
 * Copies a struct that begins with its size into own, which is of own_size bytes and of this version. Of a shorter one the rest is 0; of a longer
 * one what this version does not know must be 0. `what` names it in messages.
 */
hardy_status hy_struct_take(void *own, size_t own_size, const void *given, const char *what, hardy_error *err);

/*
 * The other way round: fills the caller's struct, which begins with its size, from made, of made_size bytes: no more than the caller knows.
 * HARDY_ERROR_ARGUMENT, as of hy_struct_take, when that is no size.
 */
hardy_status hy_struct_give(void *out, const void *made, size_t made_size, const char *what, hardy_error *err);

/* A checked copy of the caller's description: shape filled up with 1, strides in bytes, grid made. */
typedef struct hy_view {
	const char *data;
	hardy_type type;
	hy_grid grid;
	int64_t nt, stride[4];
} hy_view;

/* `what` names the image in messages: "the scan". */
hardy_status hy_view_make(hy_view *v, const hardy_image *image, const char *what, hardy_error *err);

/* Voxels of nt frames from t on, as float, packed. */
hardy_status hy_view_volume(const hy_view *v, int64_t t, int64_t nt, hy_volume *out, hardy_error *err);

/* n voxels along x of row (y, z, t), as doubles: exact but for integers above 2^53. */
void hy_view_row(const hy_view *v, int64_t y, int64_t z, int64_t t, double *out);

/* Bytes of a voxel; 0: no such type. */
size_t hy_type_size(hardy_type type);

/* The view of packed voxels of the library's own. */
hardy_image hy_view_of(const hy_grid *g, int64_t nt, hardy_type type, const void *data);

#endif
