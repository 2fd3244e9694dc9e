/*
 * nifti_fields.h: the fields of NIfTI headers by name, whatever the version; headers are bytes in little-endian order.
 */
#ifndef HY_IMAGE_NIFTI_FIELDS_H
#define HY_IMAGE_NIFTI_FIELDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum hy_nifti_field {
	HY_F_SIZEOF_HDR,
	HY_F_EXTENTS,
	HY_F_SESSION_ERROR,
	HY_F_DIM,
	HY_F_INTENT_P,
	HY_F_INTENT_CODE,
	HY_F_DATATYPE,
	HY_F_BITPIX,
	HY_F_SLICE_START,
	HY_F_PIXDIM,
	HY_F_VOX_OFFSET,
	HY_F_SCL_SLOPE,
	HY_F_SCL_INTER,
	HY_F_SLICE_END,
	HY_F_SLICE_CODE,
	HY_F_XYZT_UNITS,
	HY_F_CAL_MAX,
	HY_F_CAL_MIN,
	HY_F_SLICE_DURATION,
	HY_F_TOFFSET,
	HY_F_GLMAX,
	HY_F_GLMIN,
	HY_F_DESCRIP,
	HY_F_AUX_FILE,
	HY_F_QFORM_CODE,
	HY_F_SFORM_CODE,
	HY_F_QUATERN,
	HY_F_QOFFSET,
	HY_F_SROW,
	HY_F_INTENT_NAME,
	HY_F_MAGIC,
	HY_F_COUNT
} hy_nifti_field;

/* version is 1 (ANALYZE included) or 2; index counts elements of array fields. A field that the version lacks reads as 0. */
int64_t hy_nifti_get_int(const uint8_t *raw, int version, hy_nifti_field field, int index);
double hy_nifti_get_real(const uint8_t *raw, int version, hy_nifti_field field, int index);
void hy_nifti_put_int(uint8_t *raw, int version, hy_nifti_field field, int index, int64_t value);
void hy_nifti_put_real(uint8_t *raw, int version, hy_nifti_field field, int index, double value);

/* Bytes of a text field and their number; NULL when the version lacks it. */
uint8_t *hy_nifti_text(uint8_t *raw, int version, hy_nifti_field field, size_t *size);

/* Reverses the bytes of every number in the header. */
void hy_nifti_swap_header(uint8_t *raw, int version);

/* Reverses the bytes of each of n elements of size bytes. */
void hy_swap_bytes(void *data, size_t n, size_t size);

/* True on a big-endian machine. */
static inline bool hy_host_is_big_endian(void)
{
	const uint16_t one = 1;
	return *(const uint8_t *)&one == 0;
}

#endif
