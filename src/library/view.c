/*
 * view.c: checks what programs hand over, and reads voxels of any type and order.
 */
#include "library/view.h"

#include "base/memory.h"
#include "image/geometry.h"

#include <math.h>
#include <string.h>

static hardy_status size_of(const void *given, size_t *size, const char *what, hardy_error *err)
{
	if (!given)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s is NULL", what);
	memcpy(size, given, sizeof *size);
	if (*size < sizeof *size || *size > 65536)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: its first field is %zu, want its sizeof: begin with HARDY_INIT", what,
		               *size);
	return HARDY_OK;
}

hardy_status hy_struct_take(void *own, size_t own_size, const void *given, const char *what, hardy_error *err)
{
	size_t size = 0;
	const hardy_status status = size_of(given, &size, what, err);
	if (status)
		return status;
	const char *bytes = given;
	for (size_t i = own_size; i < size; i++)
		if (bytes[i])
			return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: it sets something that hardy %s does not know", what, HARDY_VERSION);
	memset(own, 0, own_size);
	memcpy(own, given, size < own_size ? size : own_size);
	memcpy(own, &own_size, sizeof own_size);
	return HARDY_OK;
}

hardy_status hy_struct_give(void *out, const void *made, size_t made_size, const char *what, hardy_error *err)
{
	size_t size = 0;
	const hardy_status status = size_of(out, &size, what, err);
	if (!status)
		memcpy((char *)out + sizeof size, (const char *)made + sizeof size,
		       (size < made_size ? size : made_size) - sizeof size);
	return status;
}

/* ---- types -------------------------------------------------------------------------------------------------------------- */

/* Voxels may lie at any address: they are copied before they are looked at. */
#define READER(name, type)                                                                                                     \
	static void name(const char *from, int64_t stride, int64_t n, double *out)                                                 \
	{                                                                                                                          \
		for (int64_t i = 0; i < n; i++) {                                                                                      \
			type v;                                                                                                            \
			memcpy(&v, from + i * stride, sizeof v);                                                                           \
			out[i] = (double)v;                                                                                                \
		}                                                                                                                      \
	}
READER(read_uint8, uint8_t)
READER(read_int8, int8_t)
READER(read_uint16, uint16_t)
READER(read_int16, int16_t)
READER(read_uint32, uint32_t)
READER(read_int32, int32_t)
READER(read_uint64, uint64_t)
READER(read_int64, int64_t)
READER(read_float32, float)
READER(read_float64, double)

static const struct {
	size_t size;
	void (*read)(const char *from, int64_t stride, int64_t n, double *out);
} types[] = {[HARDY_TYPE_NONE] = {0, NULL},           [HARDY_TYPE_UINT8] = {1, read_uint8},
             [HARDY_TYPE_INT8] = {1, read_int8},      [HARDY_TYPE_UINT16] = {2, read_uint16},
             [HARDY_TYPE_INT16] = {2, read_int16},    [HARDY_TYPE_UINT32] = {4, read_uint32},
             [HARDY_TYPE_INT32] = {4, read_int32},    [HARDY_TYPE_UINT64] = {8, read_uint64},
             [HARDY_TYPE_INT64] = {8, read_int64},    [HARDY_TYPE_FLOAT32] = {4, read_float32},
             [HARDY_TYPE_FLOAT64] = {8, read_float64}};

size_t hy_type_size(hardy_type type)
{
	return (size_t)type < sizeof types / sizeof types[0] ? types[type].size : 0;
}

/* ---- shape and place ---------------------------------------------------------------------------------------------------- */

static hardy_status take_shape(hy_view *v, const hardy_image *own, int64_t shape[4], const char *what, hardy_error *err)
{
	int n_dims = 4;
	size_t n = hy_type_size(own->type);
	while (n_dims > 1 && own->shape[n_dims - 1] == 0)
		n_dims--;
	for (int i = 0; i < 4; i++) {
		shape[i] = i < n_dims ? own->shape[i] : 1;
		if (shape[i] < 1 || __builtin_mul_overflow(n, (size_t)shape[i], &n) || n > INT64_MAX)
			return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: shape[%d] is %lld, want 1 or more%s", what, i, (long long)shape[i],
			               shape[i] < 1 ? "" : ", and no more bytes than there can be");
	}
	bool packed = true;
	for (int i = 0; i < 4; i++)
		packed = packed && own->stride[i] == 0;
	int64_t next = (int64_t)hy_type_size(own->type);
	for (int i = 0; i < 4; next *= shape[i], i++)
		v->stride[i] = packed ? next : own->stride[i];
	return HARDY_OK;
}

static bool has_affine(const hardy_image *own)
{
	for (int i = 0; i < 3; i++)
		for (int k = 0; k < 4; k++)
			if (own->affine[i][k] != 0) /* also where it is not a number */
				return true;
	return false;
}

/* Lengths that differ by rounding alone leave the affine as it is. */
static bool is_near(double a, double b)
{
	return fabs(a - b) <= 1e-6 * b;
}

static hardy_status take_place(hy_view *v, const hardy_image *own, const int64_t shape[4], const char *what, hardy_error *err)
{
	static const char axes[] = "xyz";
	double spacing[3];
	const bool located = has_affine(own);
	memcpy(spacing, own->spacing_mm, sizeof spacing);
	for (int i = 0; i < 3; i++)
		if (!(spacing[i] >= 0 && spacing[i] < 1e5) || (spacing[i] > 0 && spacing[i] < 1e-6))
			return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: spacing_mm is %g along %c, want 1e-6 to 1e5", what, spacing[i],
			               axes[i]);
	if (!located) {
		for (int i = 0; i < 3; i++)
			if (spacing[i] <= 0)
				return hy_fail(err, HARDY_ERROR_ARGUMENT,
				               "%s: spacing_mm is 0 along %c and there is no affine: want one of them", what, axes[i]);
		hy_grid_set_simple(&v->grid, shape[0], shape[1], shape[2], spacing[0], spacing[1], spacing[2]);
		v->grid.located = false;
		return HARDY_OK;
	}
	double implied[3], affine[3][4];
	memcpy(affine, own->affine, sizeof affine);
	if (!hy_affine_usable((const double(*)[4])affine))
		return hy_fail(err, HARDY_ERROR_ARGUMENT,
		               "%s: the columns of its affine do not span space, or a number in it is not finite or no length in mm",
		               what);
	hy_affine_spacing((const double(*)[4])affine, implied);
	bool same = true;
	for (int i = 0; i < 3; i++) {
		spacing[i] = spacing[i] > 0 ? spacing[i] : implied[i];
		same = same && is_near(spacing[i], implied[i]);
	}
	if (!same)
		hy_affine_rescale(affine, spacing);
	v->grid = (hy_grid){.nx = shape[0], .ny = shape[1], .nz = shape[2], .located = true};
	memcpy(v->grid.spacing_mm, spacing, sizeof spacing);
	memcpy(v->grid.affine, affine, sizeof affine);
	return HARDY_OK;
}

hardy_status hy_view_make(hy_view *v, const hardy_image *image, const char *what, hardy_error *err)
{
	hardy_image own;
	hy_view made = {0};
	int64_t shape[4] = {0};
	hardy_status status = hy_struct_take(&own, sizeof own, image, what, err);
	if (!status && !hy_type_size(own.type))
		status = hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: type is %d, want HARDY_TYPE_UINT8 to HARDY_TYPE_FLOAT64", what,
		                 (int)own.type);
	if (!status && !own.data)
		status = hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: data is NULL", what);
	if (!status)
		status = take_shape(&made, &own, shape, what, err);
	if (!status)
		status = take_place(&made, &own, shape, what, err);
	if (status)
		return status;
	made.data = own.data;
	made.type = own.type;
	made.nt = shape[3];
	*v = made;
	return HARDY_OK;
}

hardy_image hy_view_of(const hy_grid *g, int64_t nt, hardy_type type, const void *data)
{
	hardy_image image = {.size = sizeof image, .data = data, .type = type, .shape = {g->nx, g->ny, g->nz, nt}};
	memcpy(image.spacing_mm, g->spacing_mm, sizeof image.spacing_mm);
	if (g->located)
		memcpy(image.affine, g->affine, sizeof image.affine);
	return image;
}

/* ---- voxels ------------------------------------------------------------------------------------------------------------- */

void hy_view_row(const hy_view *v, int64_t y, int64_t z, int64_t t, double *out)
{
	types[v->type].read(v->data + y * v->stride[1] + z * v->stride[2] + t * v->stride[3], v->stride[0], v->grid.nx, out);
}

hardy_status hy_view_volume(const hy_view *v, int64_t t, int64_t nt, hy_volume *out, hardy_error *err)
{
	const hy_grid *g = &v->grid;
	hy_volume made = {0};
	double *row = hy_alloc((size_t)g->nx, sizeof *row);
	hardy_status status = row ? HARDY_OK : hy_fail_memory(err, "a row of voxels", (size_t)g->nx, sizeof *row);
	if (!status)
		status = hy_volume_alloc(&made, g, nt, err);
	float *to = made.data;
	for (int64_t i = 0; i < nt * g->nz * g->ny && !status; i++) {
		hy_view_row(v, i % g->ny, i / g->ny % g->nz, t + i / g->ny / g->nz, row);
		for (int64_t x = 0; x < g->nx; x++)
			*to++ = (float)row[x];
	}
	hy_free(row);
	if (!status)
		*out = made;
	return status;
}
