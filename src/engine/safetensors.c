/*
 * safetensors.c: reads and writes the model and checkpoint file.
 */
#include "engine/safetensors.h"

#include "base/files.h"
#include "base/json.h"
#include "base/memory.h"

#include <cJSON.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define METADATA      "__metadata__"
#define LENGTH_BYTES  8
#define HEADER_MAX    100000000          /* bytes of JSON; the limit of the format's own reader */
#define WHOLE_MAX     9007199254740992.0 /* 2^53: JSON numbers are doubles, whole ones are exact up to here */
#define MAX_DIMS      ((int)(sizeof((hy_st_tensor *)0)->shape / sizeof(int64_t)))
#define ELEMENT_BYTES 8 /* of the widest type */

static const struct {
	const char *name;
	size_t size;
} dtypes[] = {[HY_F32] = {"F32", 4}, [HY_F64] = {"F64", 8}, [HY_I64] = {"I64", 8}, [HY_I32] = {"I32", 4}, [HY_U8] = {"U8", 1}};
enum { N_DTYPES = sizeof dtypes / sizeof dtypes[0] };

void hy_st_clear(hy_st_file *f)
{
	if (!f)
		return;
	for (size_t i = 0; i < f->n_tensors; i++)
		hy_free(f->tensors[i].name);
	for (size_t i = 0; i < f->n_metadata; i++) {
		hy_free(f->keys[i]);
		hy_free(f->values[i]);
	}
	hy_free(f->tensors);
	hy_free(f->keys);
	hy_free(f->values);
	hy_free(f->buffer);
	*f = (hy_st_file){0};
}

const hy_st_tensor *hy_st_find(const hy_st_file *f, const char *name)
{
	for (size_t i = 0; i < f->n_tensors; i++) {
		if (strcmp(f->tensors[i].name, name) == 0)
			return &f->tensors[i];
	}
	return NULL;
}

const char *hy_st_metadata(const hy_st_file *f, const char *key)
{
	for (size_t i = 0; i < f->n_metadata; i++) {
		if (strcmp(f->keys[i], key) == 0)
			return f->values[i];
	}
	return NULL;
}

/* ---- reading ------------------------------------------------------------------------------------------------------------ */

/* What a reader function needs besides the item at hand. */
typedef struct reader {
	hy_st_file *f;
	const char *path;
	const char *data; /* behind the header */
	size_t n_data;
	hardy_error *err;
} reader;

static bool is_whole(const cJSON *item)
{
	double v = item ? item->valuedouble : -1;
	return cJSON_IsNumber(item) && v >= 0 && v <= WHOLE_MAX && (double)(int64_t)v == v;
}

static hardy_status read_metadata(reader *r, const cJSON *item)
{
	if (!cJSON_IsObject(item))
		return hy_fail(r->err, HARDY_ERROR_FORMAT, "%s: " METADATA " is not an object", r->path);
	if (r->f->keys)
		return hy_fail(r->err, HARDY_ERROR_FORMAT, "%s: " METADATA " stands twice", r->path);
	size_t n = (size_t)cJSON_GetArraySize(item);
	r->f->keys = hy_calloc(n + 1, sizeof *r->f->keys);
	r->f->values = hy_calloc(n + 1, sizeof *r->f->values);
	if (!r->f->keys || !r->f->values)
		return hy_fail_memory(r->err, "metadata", n + 1, sizeof *r->f->keys);
	for (const cJSON *entry = item->child; entry; entry = entry->next) {
		if (!cJSON_IsString(entry))
			return hy_fail(r->err, HARDY_ERROR_FORMAT, "%s: " METADATA " \"%s\" is not a string", r->path, entry->string);
		char *key = hy_strdup(entry->string), *value = hy_strdup(entry->valuestring);
		if (!key || !value) {
			hy_free(key);
			hy_free(value);
			return hy_fail_memory(r->err, "metadata", strlen(entry->valuestring) + 1, 1);
		}
		r->f->keys[r->f->n_metadata] = key;
		r->f->values[r->f->n_metadata++] = value;
	}
	return HARDY_OK;
}

static hardy_status read_dtype(reader *r, const char *name, const cJSON *item, hy_dtype *out)
{
	if (!cJSON_IsString(item))
		return hy_fail(r->err, HARDY_ERROR_FORMAT, "%s: tensor \"%s\": dtype is missing or not a string", r->path, name);
	for (int i = 0; i < N_DTYPES; i++) {
		if (strcmp(item->valuestring, dtypes[i].name) == 0) {
			*out = (hy_dtype)i;
			return HARDY_OK;
		}
	}
	return hy_fail(r->err, HARDY_ERROR_UNSUPPORTED, "%s: tensor \"%s\": dtype is %s, want F32, F64, I64, I32 or U8", r->path,
	               name, item->valuestring);
}

/* Reads the shape and sets n_bytes to what it asks for. */
static hardy_status read_shape(reader *r, const char *name, const cJSON *item, hy_st_tensor *t)
{
	if (!cJSON_IsArray(item))
		return hy_fail(r->err, HARDY_ERROR_FORMAT, "%s: tensor \"%s\": shape is missing or not a list", r->path, name);
	int n = cJSON_GetArraySize(item), i = 0;
	if (n > MAX_DIMS)
		return hy_fail(r->err, HARDY_ERROR_UNSUPPORTED, "%s: tensor \"%s\" has %d dimensions, want %d or fewer", r->path, name,
		               n, MAX_DIMS);
	size_t n_bytes = dtypes[t->dtype].size;
	bool overflow = false;
	for (const cJSON *d = item->child; d; d = d->next, i++) {
		if (!is_whole(d))
			return hy_fail(r->err, HARDY_ERROR_FORMAT, "%s: tensor \"%s\": shape[%d] is not a whole number of 0 or more",
			               r->path, name, i);
		t->shape[i] = (int64_t)d->valuedouble;
		overflow |= __builtin_mul_overflow(n_bytes, (size_t)t->shape[i], &n_bytes);
	}
	if (overflow || n_bytes > r->n_data)
		return hy_fail(r->err, HARDY_ERROR_FORMAT, "%s: tensor \"%s\": its shape asks for more than the %zu bytes of the file",
		               r->path, name, r->n_data);
	t->n_dims = n;
	t->n_bytes = n_bytes;
	return HARDY_OK;
}

static hardy_status read_offsets(reader *r, const char *name, const cJSON *item, hy_st_tensor *t)
{
	const cJSON *begin = cJSON_GetArrayItem(item, 0), *end = cJSON_GetArrayItem(item, 1);
	if (!cJSON_IsArray(item) || cJSON_GetArraySize(item) != 2 || !is_whole(begin) || !is_whole(end))
		return hy_fail(r->err, HARDY_ERROR_FORMAT, "%s: tensor \"%s\": data_offsets are missing or not two whole numbers",
		               r->path, name);
	size_t a = (size_t)begin->valuedouble, b = (size_t)end->valuedouble;
	if (a > b || b > r->n_data)
		return hy_fail(r->err, HARDY_ERROR_FORMAT, "%s: tensor \"%s\": data_offsets are [%zu, %zu], want them within %zu bytes",
		               r->path, name, a, b, r->n_data);
	if (b - a != t->n_bytes)
		return hy_fail(r->err, HARDY_ERROR_FORMAT, "%s: tensor \"%s\": data_offsets hold %zu bytes, want %zu for its shape",
		               r->path, name, b - a, t->n_bytes);
	t->data = r->data + a;
	return HARDY_OK;
}

static hardy_status read_tensor(reader *r, const cJSON *item)
{
	const char *name = item->string;
	if (!cJSON_IsObject(item))
		return hy_fail(r->err, HARDY_ERROR_FORMAT, "%s: tensor \"%s\" is not described by an object", r->path, name);
	for (const cJSON *field = item->child; field; field = field->next) {
		bool known = strcmp(field->string, "dtype") == 0 || strcmp(field->string, "shape") == 0 ||
		             strcmp(field->string, "data_offsets") == 0;
		if (!known || cJSON_GetObjectItemCaseSensitive(item, field->string) != field)
			return hy_fail(r->err, HARDY_ERROR_FORMAT, "%s: tensor \"%s\": field \"%s\" is unknown or stands twice", r->path,
			               name, field->string);
	}
	hy_st_tensor *t = &r->f->tensors[r->f->n_tensors];
	hardy_status status = read_dtype(r, name, cJSON_GetObjectItemCaseSensitive(item, "dtype"), &t->dtype);
	if (!status)
		status = read_shape(r, name, cJSON_GetObjectItemCaseSensitive(item, "shape"), t);
	if (!status)
		status = read_offsets(r, name, cJSON_GetObjectItemCaseSensitive(item, "data_offsets"), t);
	if (status)
		return status;
	t->name = hy_strdup(name);
	if (!t->name)
		return hy_fail_memory(r->err, "tensor name", strlen(name) + 1, 1);
	r->f->n_tensors++;
	return HARDY_OK;
}

static int by_place(const void *a, const void *b)
{
	const hy_st_tensor *s = a, *t = b;
	const char *p = s->data, *q = t->data;
	if (p != q)
		return p < q ? -1 : 1;
	if (s->n_bytes != t->n_bytes)
		return s->n_bytes < t->n_bytes ? -1 : 1;
	return strcmp(s->name, t->name);
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* Refuses a name that stands twice; sorts the names. */
static hardy_status check_unique(const char *path, const char *what, const char **names, size_t n, hardy_error *err)
{
	qsort(names, n, sizeof *names, by_bytes);
	for (size_t i = 1; i < n; i++) {
		if (strcmp(names[i - 1], names[i]) == 0)
			return hy_fail(err, HARDY_ERROR_FORMAT, "%s: %s \"%s\" stands twice", path, what, names[i]);
	}
	return HARDY_OK;
}

static hardy_status check_tensor_names(const char *path, const hy_st_tensor *tensors, size_t n, hardy_error *err)
{
	const char **names = hy_alloc(n, sizeof *names);
	if (!names)
		return hy_fail_memory(err, "tensor names", n, sizeof *names);
	for (size_t i = 0; i < n; i++)
		names[i] = tensors[i].name;
	hardy_status status = check_unique(path, "tensor", names, n, err);
	hy_free(names);
	return status;
}

static hardy_status check_metadata_names(const reader *r)
{
	size_t n = r->f->n_metadata;
	const char **names = hy_alloc(n, sizeof *names);
	if (!names)
		return hy_fail_memory(r->err, "metadata", n, sizeof *names);
	for (size_t i = 0; i < n; i++)
		names[i] = r->f->keys[i];
	hardy_status status = check_unique(r->path, METADATA, names, n, r->err);
	hy_free(names);
	return status;
}

/* Puts the tensors into file order and demands that they cover the data without gap or overlap. */
static hardy_status check_cover(reader *r)
{
	hy_st_file *f = r->f;
	qsort(f->tensors, f->n_tensors, sizeof *f->tensors, by_place);
	size_t at = 0;
	for (size_t i = 0; i < f->n_tensors; i++) {
		size_t begin = (size_t)((const char *)f->tensors[i].data - r->data);
		if (begin != at)
			return hy_fail(r->err, HARDY_ERROR_FORMAT, "%s: tensor \"%s\" begins at byte %zu, want %zu (%s)", r->path,
			               f->tensors[i].name, begin, at, begin < at ? "it overlaps another" : "there is a gap");
		at += f->tensors[i].n_bytes;
	}
	if (at != r->n_data)
		return hy_fail(r->err, HARDY_ERROR_FORMAT, "%s: the tensors end at byte %zu of the data, the file at %zu", r->path, at,
		               r->n_data);
	return HARDY_OK;
}

/* Checks the length field and returns the parsed header, whose bytes are f->buffer + LENGTH_BYTES up to *data. */
static hardy_status read_header(reader *r, size_t size, cJSON **root)
{
	const unsigned char *bytes = (const unsigned char *)r->f->buffer;
	if (size < LENGTH_BYTES)
		return hy_fail(r->err, HARDY_ERROR_FORMAT, "%s: %zu bytes, want %d or more: not a safetensors file", r->path, size,
		               LENGTH_BYTES);
	uint64_t length = 0;
	for (int i = LENGTH_BYTES - 1; i >= 0; i--)
		length = length << 8 | bytes[i];
	if (length > HEADER_MAX || length > size - LENGTH_BYTES)
		return hy_fail(r->err, HARDY_ERROR_FORMAT,
		               "%s: its header would be %llu bytes long, the file has %zu: cut short or not a safetensors file",
		               r->path, (unsigned long long)length, size);
	const char *text = r->f->buffer + LENGTH_BYTES;
	if (length == 0 || text[0] != '{')
		return hy_fail(r->err, HARDY_ERROR_FORMAT, "%s: its header is not a JSON object: not a safetensors file", r->path);
	if (memchr(text, 0, (size_t)length))
		return hy_fail(r->err, HARDY_ERROR_FORMAT, "%s: its header holds a zero byte", r->path);
	const hardy_status status = hy_json_parse(text, (size_t)length, root, r->err);
	if (status)
		return hy_prefix(r->err, status, "%s: its header", r->path);
	const char *end = text + length;
	while (end[-1] == ' ' || end[-1] == '\n')
		end--;
	if (end[-1] != '}') /* white space of JSON that the format does not fill up with */
		return hy_fail(r->err, HARDY_ERROR_FORMAT, "%s: there are stray bytes in its header", r->path);
	r->data = text + length;
	r->n_data = size - LENGTH_BYTES - (size_t)length;
	return HARDY_OK;
}

hardy_status hy_st_parse(hy_st_file *f, char *buffer, size_t size, const char *name, hardy_error *err)
{
	hy_st_file file = {.buffer = buffer, .size = size};
	reader r = {.f = &file, .path = name, .err = err};
	cJSON *root = NULL;
	hardy_status status = read_header(&r, size, &root);
	if (status)
		goto out;
	size_t n = (size_t)cJSON_GetArraySize(root);
	file.tensors = hy_calloc(n, sizeof *file.tensors);
	if (!file.tensors) {
		status = hy_fail_memory(err, "tensors", n, sizeof *file.tensors);
		goto out;
	}
	for (const cJSON *item = root->child; item && !status; item = item->next)
		status = strcmp(item->string, METADATA) == 0 ? read_metadata(&r, item) : read_tensor(&r, item);
	if (!status)
		status = check_metadata_names(&r);
	if (!status)
		status = check_tensor_names(name, file.tensors, file.n_tensors, err);
	if (!status)
		status = check_cover(&r);
out:
	cJSON_Delete(root);
	if (status)
		hy_st_clear(&file);
	else
		*f = file;
	return status;
}

hardy_status hy_st_read(hy_st_file *f, const char *path, hardy_error *err)
{
	char *buffer;
	size_t size;
	hardy_status status = hy_file_read(path, &buffer, &size, err);
	return status ? status : hy_st_parse(f, buffer, size, path, err);
}

/* ---- writing ------------------------------------------------------------------------------------------------------------ */

static hardy_status check_tensor(const char *path, const hy_st_tensor *t, hardy_error *err)
{
	if (!t->name || strcmp(t->name, METADATA) == 0)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: a tensor without a name or named " METADATA, path);
	bool good = (int)t->dtype >= 0 && (int)t->dtype < N_DTYPES && t->n_dims >= 0 && t->n_dims <= MAX_DIMS;
	size_t n_bytes = good ? dtypes[t->dtype].size : 0;
	for (int i = 0; good && i < t->n_dims; i++)
		good = t->shape[i] >= 0 && !__builtin_mul_overflow(n_bytes, (size_t)t->shape[i], &n_bytes);
	if (!good || n_bytes != t->n_bytes)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: tensor \"%s\" has %zu bytes, which its shape and type do not make", path,
		               t->name, t->n_bytes);
	return HARDY_OK;
}

static void describe_tensor(hy_json_maker *m, cJSON *root, const hy_st_tensor *t, size_t begin)
{
	cJSON *item = hy_json_put_object(m, root, t->name);
	hy_json_put_text(m, item, "dtype", dtypes[t->dtype].name);
	cJSON *shape = hy_json_put_list(m, item, "shape");
	for (int i = 0; i < t->n_dims; i++)
		hy_json_put_number(m, shape, NULL, (double)t->shape[i]);
	const double offsets[2] = {(double)begin, (double)(begin + t->n_bytes)};
	hy_json_put_numbers(m, item, "data_offsets", offsets, 2);
}

/* The header's text, or NULL when memory runs out. order lists the tensors as they follow one another. */
static char *describe(const hy_st_tensor *const *order, size_t n, const char *const *keys, const char *const *values,
                      size_t n_metadata)
{
	hy_json_maker m = {false};
	cJSON *root = cJSON_CreateObject();
	cJSON *metadata = n_metadata ? hy_json_put_object(&m, root, METADATA) : NULL;
	for (size_t i = 0; i < n_metadata; i++)
		hy_json_put_text(&m, metadata, keys[i], values[i]);
	size_t begin = 0;
	for (size_t i = 0; i < n; i++) {
		describe_tensor(&m, root, order[i], begin);
		begin += order[i]->n_bytes;
	}
	return hy_json_made(&m, root, false);
}

static int by_tensor_name(const void *a, const void *b)
{
	return strcmp((*(const hy_st_tensor *const *)a)->name, (*(const hy_st_tensor *const *)b)->name);
}

hardy_status hy_st_hash(const hy_st_tensor *tensors, size_t n_tensors, char text[HY_SHA256_TEXT], hardy_error *err)
{
	const hy_st_tensor **order = hy_alloc(n_tensors, sizeof *order);
	hy_sha256 hash;
	if (!order)
		return hy_fail_memory(err, "tensor order", n_tensors, sizeof *order);
	for (size_t i = 0; i < n_tensors; i++)
		order[i] = &tensors[i];
	qsort(order, n_tensors, sizeof *order, by_tensor_name);
	hy_sha256_init(&hash);
	for (size_t i = 0; i < n_tensors; i++) {
		const hy_st_tensor *t = order[i];
		char line[256];
		int used = snprintf(line, sizeof line, " %s", dtypes[t->dtype].name);
		for (int k = 0; k < t->n_dims; k++)
			used += snprintf(line + used, sizeof line - (size_t)used, " %lld", (long long)t->shape[k]);
		used += snprintf(line + used, sizeof line - (size_t)used, "\n");
		hy_sha256_add(&hash, t->name, strlen(t->name));
		hy_sha256_add(&hash, line, (size_t)used);
		hy_sha256_add(&hash, t->data, t->n_bytes);
	}
	hy_sha256_end(&hash, text);
	hy_free(order);
	return HARDY_OK;
}

hardy_status hy_st_write(const char *path, const hy_st_tensor *tensors, size_t n_tensors, const char *const *keys,
                         const char *const *values, size_t n_metadata, const char *mark, hardy_error *err)
{
	char *text = NULL;
	const hy_st_tensor **order = hy_alloc(n_tensors, sizeof *order);
	hy_outfile file = {0};
	hardy_status status = order ? HARDY_OK : hy_fail_memory(err, "tensor order", n_tensors, sizeof *order);
	for (size_t i = 0; i < n_tensors && !status; i++)
		status = check_tensor(path, &tensors[i], err);
	if (!status)
		status = check_tensor_names(path, tensors, n_tensors, err);
	if (status)
		goto out;
	size_t n = 0;
	for (size_t width = ELEMENT_BYTES; width > 0; width /= 2) {
		for (size_t i = 0; i < n_tensors; i++) {
			if (dtypes[tensors[i].dtype].size == width)
				order[n++] = &tensors[i];
		}
	}
	text = describe(order, n, keys, values, n_metadata);
	if (!text) {
		status = hy_fail_memory(err, "safetensors header", n, 128);
		goto out;
	}
	status = hy_outfile_open(&file, path, mark, err);
	if (status)
		goto out;
	size_t used = strlen(text), length = (used + 7) / 8 * 8;
	unsigned char bytes[LENGTH_BYTES];
	for (int i = 0; i < LENGTH_BYTES; i++)
		bytes[i] = (unsigned char)((uint64_t)length >> (8 * i));
	hy_outfile_write(&file, bytes, sizeof bytes);
	hy_outfile_write(&file, text, used);
	hy_outfile_write(&file, "       ", length - used);
	for (size_t i = 0; i < n; i++)
		hy_outfile_write(&file, order[i]->data, order[i]->n_bytes);
	status = hy_outfile_commit(&file, err);
out:
	hy_outfile_discard(&file);
	cJSON_free(text);
	hy_free(order);
	return status;
}
