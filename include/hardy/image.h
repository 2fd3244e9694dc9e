/*
 * image.h: a scan or label map in the caller's memory, and reading and writing NIfTI.
 *
 * A hardy_image describes voxels that lie somewhere already: type, shape, strides, spacing, place in space. It owns nothing and nothing is
 * copied; it is good as long as the memory is. A hardy_volume owns voxels that were read from a file, with their header.
 *
 * Example (arguments: a scan to read, a file to write): the scan upside down, without copying it.
 *
 *     #include <hardy.h>
 *     #include <stdio.h>
 *
 *     int main(int argc, char **argv)
 *     {
 *         hardy_error err = {HARDY_OK, "want a scan and a file"};
 *         hardy_volume *scan = NULL;
 *         hardy_image view;
 *         hardy_status status = argc < 3 ? HARDY_ERROR_ARGUMENT : hardy_volume_read(argv[1], &scan, NULL, &err);
 *         if (!status) {
 *             view = *hardy_volume_image(scan);
 *             printf("%d x %d x %d voxels of %g mm\n", (int)view.shape[0], (int)view.shape[1], (int)view.shape[2],
 *                    view.spacing_mm[0]);
 *             view.stride[0] = sizeof(float); // packed until now
 *             view.stride[1] = -view.shape[0] * view.stride[0];
 *             view.stride[2] = view.shape[0] * view.shape[1] * view.stride[0];
 *             view.stride[3] = view.shape[2] * view.stride[2];
 *             view.data = (const float *)view.data + (view.shape[1] - 1) * view.shape[0];
 *             status = hardy_image_write(&view, argv[2], scan, false, &err);
 *         }
 *         if (status)
 *             fprintf(stderr, "%s\n", err.message);
 *         hardy_volume_free(scan);
 *         return status ? 1 : 0;
 *     }
 */
#ifndef HARDY_IMAGE_H
#define HARDY_IMAGE_H

#include "error.h"
#include "version.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Of a voxel, in this machine's byte order. */
typedef enum hardy_type {
	HARDY_TYPE_NONE = 0, /* no voxels can be of it */
	HARDY_TYPE_UINT8,    /* also a C or NumPy boolean */
	HARDY_TYPE_INT8,
	HARDY_TYPE_UINT16,
	HARDY_TYPE_INT16,
	HARDY_TYPE_UINT32,
	HARDY_TYPE_INT32,
	HARDY_TYPE_UINT64,
	HARDY_TYPE_INT64,
	HARDY_TYPE_FLOAT32,
	HARDY_TYPE_FLOAT64
} hardy_type;

/*
 * Voxel (x, y, z, t) lies `x stride[0] + y stride[1] + z stride[2] + t stride[3]` bytes behind data. Begin with HARDY_INIT.
 */
typedef struct hardy_image {
	size_t size;          /* sizeof(hardy_image) */
	const void *data;     /* the caller's */
	hardy_type type;      /* of a voxel */
	int64_t shape[4];     /* x, y, z, and frames of a cine or input channels; 0 behind the last axis is 1 */
	int64_t stride[4];    /* bytes; negative ones go backwards; all 0: packed, x fastest */
	double spacing_mm[3]; /* x, y, z: distance between voxel centres; 0: as long as the affine's column */
	double affine[3][4];  /* voxel index (x, y, z, 1) to RAS+ mm, as NIfTI has it; all 0: unknown, and spacing_mm is wanted */
} hardy_image;

/* What was read from a file. Not changed by any function: threads may share it. */
typedef struct hardy_volume hardy_volume;

/*
 * Reads NIfTI-1 or NIfTI-2 (.nii, .nii.gz, .hdr with .img): any datatype, with the header's scaling, into float32. What is doubtful about
 * the header is told to log. *out is released with hardy_volume_free.
 */
HARDY_API hardy_status hardy_volume_read(const char *path, hardy_volume **out, const hardy_log *log, hardy_error *err);
HARDY_API void hardy_volume_free(hardy_volume *v); /* NULL allowed */

/* Its voxels: float32, or uint8 of a label map that hardy/dataset.h gave; packed. Good until hardy_volume_free. */
HARDY_API const hardy_image *hardy_volume_image(const hardy_volume *v);

/*
 * Writes a .nii or .nii.gz, which appears when it is complete. Types: uint8, uint16, int16, float32; others are HARDY_ERROR_UNSUPPORTED.
 * like (NULL allowed): the header is that file's (its geometry counts then, and the shapes must agree but for the frames); else it is made from
 * spacing_mm and affine. Something at path is an error unless overwrite.
 */
HARDY_API hardy_status hardy_image_write(const hardy_image *image, const char *path, const hardy_volume *like, bool overwrite,
                                         hardy_error *err);

#ifdef __cplusplus
}
#endif
#endif
