/*
 * npy.c: the header is a Python dictionary literal of three known keys; it is searched, not parsed in general.
 */
#include "support/npy.h"

#include "base/files.h"
#include "base/memory.h"

#include <stdlib.h>
#include <string.h>

static const struct {
	char code[3];
	size_t size;
} types[] = {{"f4", 4}, {"f8", 8}, {"i8", 8}, {"i4", 4}, {"i2", 2}, {"u1", 1}, {"b1", 1}};

static size_t size_of(const char *code)
{
	for (size_t i = 0; i < sizeof types / sizeof *types; i++)
		if (!strcmp(types[i].code, code))
			return types[i].size;
	return 0;
}

/* header is zero-terminated. */
static hardy_status parse_header(const char *path, const char *header, npy *a, hardy_error *err)
{
	const char *d = strstr(header, "'descr':"), *f = strstr(header, "'fortran_order':"), *s = strstr(header, "'shape':");
	if (!d || !f || !s)
		return hy_fail(err, HARDY_ERROR_FORMAT, "%s: header '%s', want descr, fortran_order and shape", path, header);
	d = strchr(d + 8, '\'');
	if (!d || !strchr("<|", d[1]) || d[1] == 0 || d[2] == 0 || d[3] == 0 || d[4] != '\'')
		return hy_fail(err, HARDY_ERROR_UNSUPPORTED, "%s: header '%s', want a little-endian number type", path, header);
	memcpy(a->type, d + 2, 2);
	if (!size_of(a->type))
		return hy_fail(err, HARDY_ERROR_UNSUPPORTED, "%s: type %s, want f4, f8, i8, i4, i2, u1 or b1", path, a->type);
	f += strlen("'fortran_order':");
	while (*f == ' ')
		f++;
	if (strncmp(f, "False", 5) != 0)
		return hy_fail(err, HARDY_ERROR_UNSUPPORTED, "%s: header '%s', want C order", path, header);
	s = strchr(s, '(');
	if (!s)
		return hy_fail(err, HARDY_ERROR_FORMAT, "%s: header '%s', want a shape", path, header);
	s++;
	a->n = 1;
	for (;;) {
		while (*s == ' ' || *s == ',')
			s++;
		if (*s == ')')
			return HARDY_OK;
		char *end = NULL;
		const long long length = strtoll(s, &end, 10);
		if (end == s || length < 0 || a->n_dims == NPY_MAX_DIMS || __builtin_mul_overflow(a->n, (size_t)length, &a->n))
			return hy_fail(err, HARDY_ERROR_FORMAT, "%s: header '%s', want a shape of at most %d lengths", path, header,
			               NPY_MAX_DIMS);
		a->shape[a->n_dims++] = length;
		s = end;
	}
}

hardy_status npy_read(const char *path, npy *out, hardy_error *err)
{
	npy a = {.n = 0};
	char *file = NULL, *header = NULL;
	size_t size = 0, begin, length;
	hardy_status st = hy_file_read(path, &file, &size, err);
	if (st)
		return st;
	const uint8_t *b = (const uint8_t *)file;
	if (size < 12 || memcmp(b, "\x93NUMPY", 6) != 0 || b[6] < 1 || b[6] > 2) {
		st = hy_fail(err, HARDY_ERROR_FORMAT, "%s: %zu bytes, want a .npy file of version 1 or 2", path, size);
		goto out;
	}
	begin = b[6] == 1 ? 10 : 12;
	length =
	    b[6] == 1 ? (size_t)(b[8] | b[9] << 8) : (size_t)b[8] | (size_t)b[9] << 8 | (size_t)b[10] << 16 | (size_t)b[11] << 24;
	if (length > size - begin) {
		st = hy_fail(err, HARDY_ERROR_FORMAT, "%s: header of %zu bytes in a file of %zu", path, length, size);
		goto out;
	}
	header = hy_calloc(length + 1, 1);
	if (!header) {
		st = hy_fail_memory(err, path, length, 1);
		goto out;
	}
	memcpy(header, file + begin, length);
	header[strcspn(header, "\n")] = 0;
	st = parse_header(path, header, &a, err);
	if (st)
		goto out;
	begin += length;
	if (a.n > (size - begin) / size_of(a.type) || a.n * size_of(a.type) != size - begin) {
		st = hy_fail(err, HARDY_ERROR_FORMAT, "%s: %zu bytes of data, want %zu elements of type %s", path, size - begin, a.n,
		             a.type);
		goto out;
	}
	a.data = hy_alloc_aligned(a.n, size_of(a.type));
	if (!a.data) {
		st = hy_fail_memory(err, path, a.n, size_of(a.type));
		goto out;
	}
	memcpy(a.data, file + begin, size - begin);
	*out = a;
out:
	hy_free(header);
	hy_free(file);
	return st;
}

void npy_clear(npy *a)
{
	hy_free_aligned(a->data);
	memset(a, 0, sizeof *a);
}

double npy_at(const npy *a, size_t i)
{
	if (!strcmp(a->type, "f4"))
		return ((const float *)a->data)[i];
	if (!strcmp(a->type, "f8"))
		return ((const double *)a->data)[i];
	if (!strcmp(a->type, "i8"))
		return (double)((const int64_t *)a->data)[i];
	if (!strcmp(a->type, "i4"))
		return ((const int32_t *)a->data)[i];
	if (!strcmp(a->type, "i2"))
		return ((const int16_t *)a->data)[i];
	return ((const uint8_t *)a->data)[i];
}

float *npy_floats(const npy *a)
{
	float *out = hy_alloc(a->n, sizeof *out);
	for (size_t i = 0; out && i < a->n; i++)
		out[i] = (float)npy_at(a, i);
	return out;
}

double *npy_doubles(const npy *a)
{
	double *out = hy_alloc(a->n, sizeof *out);
	for (size_t i = 0; out && i < a->n; i++)
		out[i] = npy_at(a, i);
	return out;
}

uint8_t *npy_bytes(const npy *a)
{
	uint8_t *out = hy_alloc(a->n, sizeof *out);
	for (size_t i = 0; out && i < a->n; i++)
		out[i] = (uint8_t)npy_at(a, i);
	return out;
}
