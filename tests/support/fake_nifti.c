/*
 * fake_nifti.c: makes NIfTI files for tests.
 */
#include "support/fake_nifti.h"

#include "support/test.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>
#include <zlib.h>

fake_nifti fake_nifti_make(int datatype)
{
	fake_nifti f = {.version = 1, .single = true, .datatype = datatype, .n = {5, 4, 3, 2}, .n_dim = 4};
	fake_nifti_update(&f);
	return f;
}

size_t fake_nifti_voxel_size(const fake_nifti *f)
{
	switch (f->datatype) {
	case HY_NIFTI_UINT8:
	case HY_NIFTI_INT8:
		return 1;
	case HY_NIFTI_INT16:
	case HY_NIFTI_UINT16:
		return 2;
	case HY_NIFTI_INT32:
	case HY_NIFTI_UINT32:
	case HY_NIFTI_FLOAT32:
		return 4;
	default:
		return 8;
	}
}

size_t fake_nifti_n_voxels(const fake_nifti *f)
{
	return (size_t)(f->n[0] * f->n[1] * f->n[2] * f->n[3]);
}

void fake_nifti_update(fake_nifti *f)
{
	const int v = f->version;
	const size_t size = v == 2 ? HY_NIFTI2_SIZE : HY_NIFTI1_SIZE;
	memset(f->raw, 0, sizeof f->raw);
	hy_nifti_put_int(f->raw, v, HY_F_SIZEOF_HDR, 0, (int64_t)size);
	hy_nifti_put_int(f->raw, v, HY_F_DIM, 0, f->n_dim);
	for (int i = 1; i < 8; i++) {
		hy_nifti_put_int(f->raw, v, HY_F_DIM, i, i <= 4 ? f->n[i - 1] : 1);
		hy_nifti_put_real(f->raw, v, HY_F_PIXDIM, i, i == 1 ? 1.5 : i == 2 ? 1.25 : i == 3 ? 8 : 1);
	}
	hy_nifti_put_real(f->raw, v, HY_F_PIXDIM, 0, 1);
	hy_nifti_put_int(f->raw, v, HY_F_DATATYPE, 0, f->datatype);
	hy_nifti_put_int(f->raw, v, HY_F_BITPIX, 0, (int64_t)(8 * fake_nifti_voxel_size(f)));
	hy_nifti_put_int(f->raw, v, HY_F_VOX_OFFSET, 0, f->single ? (int64_t)(size + 4 + f->extension) : 0);
	hy_nifti_put_int(f->raw, v, HY_F_XYZT_UNITS, 0, 2 + 8);
	size_t n;
	memcpy(hy_nifti_text(f->raw, v, HY_F_DESCRIP, &n), "made for a test", 15);
	uint8_t *magic = hy_nifti_text(f->raw, v, HY_F_MAGIC, &n);
	memcpy(magic, v == 2 ? "n+2\0\r\n\032\n" : "n+1", n);
	if (!f->single)
		magic[1] = 'i';
}

size_t fake_nifti_header(const fake_nifti *f, uint8_t *out)
{
	const size_t size = f->version == 2 ? HY_NIFTI2_SIZE : HY_NIFTI1_SIZE;
	memcpy(out, f->raw, size);
	if (f->big_endian)
		hy_nifti_swap_header(out, f->version);
	if (!f->single)
		return size;
	memset(out + size, 0, 4 + f->extension);
	if (f->extension) { /* flag, size and code of one extension; its content is noise that must not be read */
		out[size] = 1;
		memset(out + size + 4, 0x5a, f->extension);
	}
	return size + 4 + f->extension;
}

double fake_nifti_value(const fake_nifti *f, size_t i)
{
	static const double low[] = {0, -128, 0, -32768, 0, -2147483648.0, 0, -9223372036854775808.0, 0};
	static const double high[] = {
	    255, 127, 65535, 32767, 4294967295.0, 2147483647, 18446744073709549568.0, 9223372036854774784.0, 0};
	static const int codes[] = {HY_NIFTI_UINT8,  HY_NIFTI_INT8,  HY_NIFTI_UINT16, HY_NIFTI_INT16,
	                            HY_NIFTI_UINT32, HY_NIFTI_INT32, HY_NIFTI_UINT64, HY_NIFTI_INT64};
	for (size_t k = 0; k < 8; k++)
		if (codes[k] == f->datatype)
			return i == 0 ? low[k] : i == 1 ? high[k] : floor(fmod(37.0 * (double)i, 120));
	const double value = i == 0 ? -1.5e30 : i == 1 ? 0x1p-130 : 1.7 * (double)i - 40;
	return f->datatype == HY_NIFTI_FLOAT32 ? (double)(float)value : value;
}

#define STORE(type)                                                                                                            \
	{                                                                                                                          \
		const type typed = (type)value;                                                                                        \
		memcpy(out, &typed, sizeof typed);                                                                                     \
	}                                                                                                                          \
	break

void fake_nifti_store(const fake_nifti *f, size_t i, uint8_t *out)
{
	const double value = fake_nifti_value(f, i);
	switch (f->datatype) {
	case HY_NIFTI_UINT8:
		STORE(uint8_t);
	case HY_NIFTI_INT8:
		STORE(int8_t);
	case HY_NIFTI_UINT16:
		STORE(uint16_t);
	case HY_NIFTI_INT16:
		STORE(int16_t);
	case HY_NIFTI_UINT32:
		STORE(uint32_t);
	case HY_NIFTI_INT32:
		STORE(int32_t);
	case HY_NIFTI_UINT64:
		STORE(uint64_t);
	case HY_NIFTI_INT64:
		STORE(int64_t);
	case HY_NIFTI_FLOAT32:
		STORE(float);
	default:
		STORE(double);
	}
	if (f->big_endian != hy_host_is_big_endian())
		hy_swap_bytes(out, 1, fake_nifti_voxel_size(f));
}

uint8_t *fake_nifti_file(const fake_nifti *f, size_t *size)
{
	const size_t n = fake_nifti_n_voxels(f), width = fake_nifti_voxel_size(f);
	uint8_t *bytes = hy_calloc(HY_NIFTI2_SIZE + 4 + f->extension + n * width, 1);
	assert_non_null(bytes);
	size_t at = f->single ? fake_nifti_header(f, bytes) : 0;
	for (size_t i = 0; i < n; i++, at += width)
		fake_nifti_store(f, i, bytes + at);
	*size = at;
	return bytes;
}

uint8_t *fake_gzip(const void *data, size_t size, size_t *n)
{
	z_stream z = {0};
	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
	const size_t room = deflateBound(&z, size) + 64;
	uint8_t *out = hy_alloc(room, 1);
	assert_non_null(out);
	z.next_in = (Bytef *)(uintptr_t)data;
	z.avail_in = (uInt)size;
	z.next_out = out;
	z.avail_out = (uInt)room;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	*n = room - z.avail_out;
	deflateEnd(&z);
	return out;
}
