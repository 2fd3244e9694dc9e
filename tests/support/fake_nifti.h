/*
 * fake_nifti.h: NIfTI files of any version, byte order and type, made byte by byte for tests.
 */
#ifndef HY_TESTS_SUPPORT_FAKE_NIFTI_H
#define HY_TESTS_SUPPORT_FAKE_NIFTI_H

#include "image/nifti_fields.h"
#include "image/nifti_header.h"

typedef struct fake_nifti {
	int version; /* 1 or 2 */
	bool big_endian, single;
	int datatype;
	int64_t n[4]; /* x, y, z, t */
	int n_dim;
	size_t extension;            /* bytes between header and voxels, beyond the four that say whether there are any */
	uint8_t raw[HY_NIFTI2_SIZE]; /* little-endian; change fields with hy_nifti_put_* before fake_nifti_bytes */
} fake_nifti;

/* A version 1, little-endian, single-file 5 x 4 x 3 x 2 scan of this type, spacing 1.5 x 1.25 x 8 mm, no sform or qform. */
fake_nifti fake_nifti_make(int datatype);
/* Writes dimensions, type and offsets into raw again, after changing the fields of the struct. */
void fake_nifti_update(fake_nifti *f);
size_t fake_nifti_voxel_size(const fake_nifti *f);
size_t fake_nifti_n_voxels(const fake_nifti *f);
/* Header of the file in its byte order: returns its size, with extension flag and extension for a single file. */
size_t fake_nifti_header(const fake_nifti *f, uint8_t *out);
/* Value number i of the test pattern, as stored: stays in the type's range and reaches its ends; and its bytes in the file. */
double fake_nifti_value(const fake_nifti *f, size_t i);
void fake_nifti_store(const fake_nifti *f, size_t i, uint8_t *out);
/* The whole single file (hy_free), filled with the pattern. */
uint8_t *fake_nifti_file(const fake_nifti *f, size_t *size);
/* gzip of data (hy_free). */
uint8_t *fake_gzip(const void *data, size_t size, size_t *n);

#endif
