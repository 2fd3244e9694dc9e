/*
 * nifti_fields.c: offsets and types of header fields in NIfTI-1 and NIfTI-2, and access to them.
 */
#include "image/nifti_fields.h"

#include <string.h>

/* Types: b, h, i, q integers of 1, 2, 4, 8 bytes; f, d reals; s text; 0 the version has no such field. */
typedef struct place {
	uint16_t offset;
	char type;
} place;

static const struct {
	uint8_t count;
	place at[2];
} table[HY_F_COUNT] = {
    [HY_F_SIZEOF_HDR] = {1, {{0, 'i'}, {0, 'i'}}},
    [HY_F_EXTENTS] = {1, {{32, 'i'}, {0, 0}}},
    [HY_F_SESSION_ERROR] = {1, {{36, 'h'}, {0, 0}}},
    [HY_F_DIM] = {8, {{40, 'h'}, {16, 'q'}}},
    [HY_F_INTENT_P] = {3, {{56, 'f'}, {80, 'd'}}},
    [HY_F_INTENT_CODE] = {1, {{68, 'h'}, {504, 'i'}}},
    [HY_F_DATATYPE] = {1, {{70, 'h'}, {12, 'h'}}},
    [HY_F_BITPIX] = {1, {{72, 'h'}, {14, 'h'}}},
    [HY_F_SLICE_START] = {1, {{74, 'h'}, {224, 'q'}}},
    [HY_F_PIXDIM] = {8, {{76, 'f'}, {104, 'd'}}},
    [HY_F_VOX_OFFSET] = {1, {{108, 'f'}, {168, 'q'}}},
    [HY_F_SCL_SLOPE] = {1, {{112, 'f'}, {176, 'd'}}},
    [HY_F_SCL_INTER] = {1, {{116, 'f'}, {184, 'd'}}},
    [HY_F_SLICE_END] = {1, {{120, 'h'}, {232, 'q'}}},
    [HY_F_SLICE_CODE] = {1, {{122, 'b'}, {496, 'i'}}},
    [HY_F_XYZT_UNITS] = {1, {{123, 'b'}, {500, 'i'}}},
    [HY_F_CAL_MAX] = {1, {{124, 'f'}, {192, 'd'}}},
    [HY_F_CAL_MIN] = {1, {{128, 'f'}, {200, 'd'}}},
    [HY_F_SLICE_DURATION] = {1, {{132, 'f'}, {208, 'd'}}},
    [HY_F_TOFFSET] = {1, {{136, 'f'}, {216, 'd'}}},
    [HY_F_GLMAX] = {1, {{140, 'i'}, {0, 0}}},
    [HY_F_GLMIN] = {1, {{144, 'i'}, {0, 0}}},
    [HY_F_DESCRIP] = {80, {{148, 's'}, {240, 's'}}},
    [HY_F_AUX_FILE] = {24, {{228, 's'}, {320, 's'}}},
    [HY_F_QFORM_CODE] = {1, {{252, 'h'}, {344, 'i'}}},
    [HY_F_SFORM_CODE] = {1, {{254, 'h'}, {348, 'i'}}},
    [HY_F_QUATERN] = {3, {{256, 'f'}, {352, 'd'}}},
    [HY_F_QOFFSET] = {3, {{268, 'f'}, {376, 'd'}}},
    [HY_F_SROW] = {12, {{280, 'f'}, {400, 'd'}}},
    [HY_F_INTENT_NAME] = {16, {{328, 's'}, {508, 's'}}},
    [HY_F_MAGIC] = {8, {{344, 's'}, {4, 's'}}}, /* 4 bytes in version 1 */
};

static size_t width(char type)
{
	return type == 'h' ? 2 : type == 'i' || type == 'f' ? 4 : type == 'q' || type == 'd' ? 8 : 1;
}

static uint64_t load(const uint8_t *p, size_t n)
{
	uint64_t value = 0;
	for (size_t i = 0; i < n; i++)
		value |= (uint64_t)p[i] << (8 * i);
	return value;
}

static void store(uint8_t *p, size_t n, uint64_t value)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (uint8_t)(value >> (8 * i));
}

static place find(int version, hy_nifti_field field, int index)
{
	place at = table[field].at[version == 2];
	at.offset = (uint16_t)(at.offset + (size_t)index * width(at.type));
	return at;
}

int64_t hy_nifti_get_int(const uint8_t *raw, int version, hy_nifti_field field, int index)
{
	const place at = find(version, field, index);
	switch (at.type) {
	case 'b':
		return raw[at.offset];
	case 'h':
		return (int16_t)load(raw + at.offset, 2);
	case 'i':
		return (int32_t)load(raw + at.offset, 4);
	case 'q':
		return (int64_t)load(raw + at.offset, 8);
	default:
		return 0;
	}
}

double hy_nifti_get_real(const uint8_t *raw, int version, hy_nifti_field field, int index)
{
	const place at = find(version, field, index);
	if (at.type == 'f') {
		const uint32_t bits = (uint32_t)load(raw + at.offset, 4);
		float value;
		memcpy(&value, &bits, sizeof value);
		return value;
	}
	if (at.type == 'd') {
		const uint64_t bits = load(raw + at.offset, 8);
		double value;
		memcpy(&value, &bits, sizeof value);
		return value;
	}
	return (double)hy_nifti_get_int(raw, version, field, index);
}

void hy_nifti_put_int(uint8_t *raw, int version, hy_nifti_field field, int index, int64_t value)
{
	const place at = find(version, field, index);
	if (at.type == 'f' || at.type == 'd')
		hy_nifti_put_real(raw, version, field, index, (double)value);
	else if (at.type && at.type != 's')
		store(raw + at.offset, width(at.type), (uint64_t)value);
}

void hy_nifti_put_real(uint8_t *raw, int version, hy_nifti_field field, int index, double value)
{
	const place at = find(version, field, index);
	if (at.type == 'f') {
		const float narrow = (float)value;
		uint32_t bits;
		memcpy(&bits, &narrow, sizeof bits);
		store(raw + at.offset, 4, bits);
	} else if (at.type == 'd') {
		uint64_t bits;
		memcpy(&bits, &value, sizeof bits);
		store(raw + at.offset, 8, bits);
	}
}

uint8_t *hy_nifti_text(uint8_t *raw, int version, hy_nifti_field field, size_t *size)
{
	const place at = find(version, field, 0);
	*size = field == HY_F_MAGIC && version != 2 ? 4 : table[field].count;
	return at.type == 's' ? raw + at.offset : NULL;
}

void hy_nifti_swap_header(uint8_t *raw, int version)
{
	for (int f = 0; f < HY_F_COUNT; f++) {
		const place at = table[f].at[version == 2];
		if (at.type && at.type != 's')
			hy_swap_bytes(raw + at.offset, table[f].count, width(at.type));
	}
}

void hy_swap_bytes(void *data, size_t n, size_t size)
{
	uint8_t *p = data;
	if (size < 2)
		return;
	for (size_t k = 0; k < n; k++, p += size)
		for (size_t i = 0; i < size / 2; i++) {
			const uint8_t kept = p[i];
			p[i] = p[size - 1 - i];
			p[size - 1 - i] = kept;
		}
}
