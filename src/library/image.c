/*
 * image.c: hardy/image.h: scans from NIfTI files, views into NIfTI files.
 */
#include "base/memory.h"
#include "image/nifti.h"
#include "library/view.h"
#include "library/volume.h"

#include <math.h>
#include <string.h>

hardy_status hy_volume_give(hy_volume *volume, hy_labels *label, hardy_volume **out, hardy_error *err)
{
	hardy_volume *made = hy_calloc(1, sizeof *made);
	if (!made) {
		hy_volume_clear(volume);
		if (label)
			hy_labels_clear(label);
		return hy_fail_memory(err, "a volume", 1, sizeof *made);
	}
	made->volume = *volume;
	*volume = (hy_volume){0};
	if (label) {
		made->labels = label->data;
		made->view = hy_view_of(&label->grid, 1, HARDY_TYPE_UINT8, label->data);
		*label = (hy_labels){0};
	} else {
		made->view = hy_view_of(&made->volume.grid, made->volume.nt, HARDY_TYPE_FLOAT32, made->volume.data);
	}
	*out = made;
	return HARDY_OK;
}

hardy_status hardy_volume_read(const char *path, hardy_volume **out, const hardy_log *log, hardy_error *err)
{
	if (!path || !out)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s is NULL", path ? "out" : "path");
	hy_volume read = {0};
	const hardy_status status = hy_nifti_read(path, NULL, &read, log, err);
	return status ? status : hy_volume_give(&read, NULL, out, err);
}

void hardy_volume_free(hardy_volume *v)
{
	if (!v)
		return;
	hy_volume_clear(&v->volume);
	hy_free(v->labels);
	hy_free(v);
}

const hardy_image *hardy_volume_image(const hardy_volume *v)
{
	return v ? &v->view : NULL;
}

/* The view's voxels side by side in their own type. */
static void *pack(const hy_view *v, hardy_error *err)
{
	const size_t size = hy_type_size(v->type), n = (size_t)(hy_grid_voxels(&v->grid) * v->nt);
	char *packed = hy_alloc(n, size), *to = packed;
	if (!packed) {
		hy_fail_memory(err, "voxels to be written", n, size);
		return NULL;
	}
	for (int64_t t = 0; t < v->nt; t++)
		for (int64_t z = 0; z < v->grid.nz; z++)
			for (int64_t y = 0; y < v->grid.ny; y++)
				for (int64_t x = 0; x < v->grid.nx; x++, to += size)
					memcpy(to, v->data + x * v->stride[0] + y * v->stride[1] + z * v->stride[2] + t * v->stride[3], size);
	return packed;
}

static hardy_status write_packed(const char *path, const hy_volume *like, hardy_type type, const void *data, int64_t nt,
                                 const hy_origin *o, hardy_error *err)
{
	switch (type) {
	case HARDY_TYPE_UINT8:
		return hy_nifti_write_labels(path, like, data, nt, o, err);
	case HARDY_TYPE_UINT16:
		return hy_nifti_write_uint16(path, like, data, nt, o, err);
	case HARDY_TYPE_INT16:
		return hy_nifti_write_int16(path, like, data, nt, o, err);
	default:
		return hy_nifti_write_float(path, like, data, nt, o, err);
	}
}

hardy_status hardy_image_write(const hardy_image *image, const char *path, const hardy_volume *like, bool overwrite,
                               hardy_error *err)
{
	const hy_origin origin = {HY_MAKER_NONE, overwrite};
	hy_view v;
	if (!path)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "path is NULL");
	const hardy_status status = hy_view_make(&v, image, "the image to write", err);
	if (status)
		return status;
	if (v.type != HARDY_TYPE_UINT8 && v.type != HARDY_TYPE_UINT16 && v.type != HARDY_TYPE_INT16 && v.type != HARDY_TYPE_FLOAT32)
		return hy_fail(err, HARDY_ERROR_UNSUPPORTED,
		               "%s: voxels of type %d cannot be written, want uint8, uint16, int16 or float32", path, (int)v.type);
	const hy_volume bare = {.grid = v.grid, .nt = v.nt};
	const hy_grid *g = &v.grid, *l = like ? &like->volume.grid : g;
	if (g->nx != l->nx || g->ny != l->ny || g->nz != l->nz)
		return hy_fail(
		    err, HARDY_ERROR_ARGUMENT, "%s: %lld x %lld x %lld voxels do not fit the header of a scan of %lld x %lld x %lld",
		    path, (long long)g->nx, (long long)g->ny, (long long)g->nz, (long long)l->nx, (long long)l->ny, (long long)l->nz);
	void *data = pack(&v, err);
	if (!data)
		return HARDY_ERROR_MEMORY;
	const hardy_status written = write_packed(path, like ? &like->volume : &bare, v.type, data, v.nt, &origin, err);
	hy_free(data);
	return written;
}
