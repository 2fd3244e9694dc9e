/*
 * nifti_header.h: the bytes of a NIfTI-1, NIfTI-2 or ANALYZE 7.5 header, checked and understood, and written back.
 *
 * Offsets and meanings follow the NIfTI-1 (2003) and NIfTI-2 (2011) definitions. Headers are kept in little-endian order.
 */
#ifndef HY_IMAGE_NIFTI_HEADER_H
#define HY_IMAGE_NIFTI_HEADER_H

#include "image/volume.h"

enum { HY_NIFTI1_SIZE = 348, HY_NIFTI2_SIZE = 540 };

/* Scalar types that are read; the codes are the file's. */
enum {
	HY_NIFTI_UINT8 = 2,
	HY_NIFTI_INT16 = 4,
	HY_NIFTI_INT32 = 8,
	HY_NIFTI_FLOAT32 = 16,
	HY_NIFTI_FLOAT64 = 64,
	HY_NIFTI_INT8 = 256,
	HY_NIFTI_UINT16 = 512,
	HY_NIFTI_UINT32 = 768,
	HY_NIFTI_INT64 = 1024,
	HY_NIFTI_UINT64 = 1280
};

/* Where the geometry that was believed comes from; SFORM_AND_PIXDIM: directions of the one, lengths of the other. */
typedef enum hy_geometry_source {
	HY_FROM_SFORM,
	HY_FROM_SFORM_AND_PIXDIM,
	HY_FROM_QFORM,
	HY_FROM_PIXDIM,
	HY_FROM_ANALYZE
} hy_geometry_source;

typedef struct hy_nifti_header {
	int version;                 /* 1, 2; 0 ANALYZE 7.5 */
	bool big_endian;             /* the file's byte order, voxels included */
	bool single;                 /* voxels follow in the same file */
	uint8_t raw[HY_NIFTI2_SIZE]; /* little-endian */
	size_t size;                 /* bytes of raw in use */
	int64_t n[4];                /* x, y, z, t; 1 or more */
	int datatype;
	size_t voxel_size; /* bytes */
	bool bitpix_agrees;
	int64_t n_voxels, n_bytes; /* of all frames */
	int64_t offset;            /* of the first voxel */
	bool scaled;
	double slope, inter; /* 1 and 0 unless scaled */
	hy_grid grid;        /* as believed */
	hy_geometry_source source;
} hy_nifti_header;

/*
 * Understands size bytes read from the start of the file at path; pair: the file's name says header of a pair, so that ANALYZE
 * is allowed. Everything is checked but whether the voxels are there. spacing_mm as in hy_nifti_options (NULL: believe the
 * file).
 */
hardy_status hy_nifti_header_parse(const char *path, const uint8_t *bytes, size_t size, bool pair, const double *spacing_mm,
                                   hy_nifti_header *out, const hardy_log *log, hardy_error *err);

/* Name of a datatype code, "int16"; also of those that are refused; "unknown". */
const char *hy_nifti_type_name(int datatype);

/*
 * Makes the header of a single-file NIfTI with nt frames of datatype: like's own, adapted, or a new one when like has none.
 * Fills bytes (with the four bytes that say "no extension" behind it) and returns their number, which is the voxel offset.
 */
size_t hy_nifti_header_make(const hy_volume *like, int64_t nt, int datatype, uint8_t bytes[HY_NIFTI2_SIZE + 4]);

/* The description text of a kept header, ended with a zero byte; bytes that are not printable ASCII become '?'. */
void hy_nifti_header_description(const void *header, size_t size, char text[81]);

#endif
