/*
 * json.c: JSON read, and made.
 */
#include "base/json.h"

#include "base/files.h"
#include "base/memory.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_white(char c)
{
	return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

hardy_status hy_json_parse(const char *text, size_t size, cJSON **out, hardy_error *err)
{
	const char *end = NULL;
	int line = 1;
	errno = 0; /* cJSON returns NULL in both cases, but what found no memory has set it to ENOMEM */
	*out = cJSON_ParseWithLengthOpts(text, size, &end, 0);
	if (!*out && errno == ENOMEM)
		return hy_fail_memory(err, "a JSON document", size, 1);
	const bool parsed = *out != NULL;
	while (parsed && end < text + size && is_white(*end))
		end++;
	if (parsed && end == text + size)
		return HARDY_OK;
	cJSON_Delete(*out);
	*out = NULL;
	for (const char *p = text; end && p < end && p < text + size; p++)
		line += *p == '\n';
	return hy_fail(err, HARDY_ERROR_FORMAT, "line %d: %s", line,
	               parsed ? "more behind the end of the JSON document" : "not valid JSON");
}

hardy_status hy_json_read(const char *path, cJSON **out, hardy_error *err)
{
	char *text = NULL;
	size_t size = 0;
	*out = NULL;
	hardy_status status = hy_file_read(path, &text, &size, err);
	if (!status && (status = hy_json_parse(text, size, out, err)))
		hy_prefix(err, status, "%s", path);
	hy_free(text);
	return status;
}

/* Bytes of the UTF-8 character at p (Unicode 15, table 3-7), 0 where there is none. */
static size_t utf8_length(const unsigned char *p)
{
	const unsigned char a = p[0], b = a ? p[1] : 0;
	const bool next = (b & 0xc0) == 0x80;
	if (a < 0x80)
		return 1;
	if (a >= 0xc2 && a <= 0xdf)
		return next ? 2 : 0;
	if (a >= 0xe0 && a <= 0xef) {
		const bool good = next && !(a == 0xe0 && b < 0xa0) && !(a == 0xed && b > 0x9f);
		return good && (p[2] & 0xc0) == 0x80 ? 3 : 0;
	}
	if (a >= 0xf0 && a <= 0xf4) {
		const bool good = next && !(a == 0xf0 && b < 0x90) && !(a == 0xf4 && b > 0x8f);
		return good && (p[2] & 0xc0) == 0x80 && (p[3] & 0xc0) == 0x80 ? 4 : 0;
	}
	return 0;
}

/* A stray byte as it stands in the document: the backslash is a character of the string. */
static const char stray[] = "\\\\x%02x";
enum { STRAY_SIZE = 5 };

char *hy_json_print(const cJSON *json, bool indented)
{
	char *text = indented ? cJSON_Print(json) : cJSON_PrintUnformatted(json);
	size_t n_bad = 0;
	for (const unsigned char *p = (unsigned char *)text; p && *p;) {
		const size_t n = utf8_length(p);
		n_bad += n == 0;
		p += n ? n : 1;
	}
	if (!text || !n_bad)
		return text;
	char *clean = cJSON_malloc(strlen(text) + n_bad * STRAY_SIZE + 1), *to = clean;
	for (const unsigned char *p = (unsigned char *)text; clean && *p;) {
		const size_t n = utf8_length(p);
		if (n)
			memcpy(to, p, n);
		else
			snprintf(to, STRAY_SIZE + 1, stray, *p);
		to += n ? n : STRAY_SIZE;
		p += n ? n : 1;
	}
	if (clean)
		*to = 0;
	cJSON_free(text);
	return clean;
}

void hy_json_bytes(char *text)
{
	char *to = text;
	for (const char *p = text; *p;) {
		unsigned byte = 0;
		if (p[0] == '\\' && p[1] == 'x' && isxdigit((unsigned char)p[2]) && isxdigit((unsigned char)p[3]))
			byte = (unsigned)strtoul((char[]){p[2], p[3], 0}, NULL, 16);
		*to++ = byte >= 0x80 ? (char)byte : *p;
		p += byte >= 0x80 ? 4 : 1;
	}
	*to = 0;
}

bool hy_json_add(cJSON *object, const char *name, cJSON *item)
{
	if (item && object && cJSON_AddItemToObject(object, name, item))
		return true;
	cJSON_Delete(item);
	return false;
}

bool hy_json_append(cJSON *list, cJSON *item)
{
	if (item && list && cJSON_AddItemToArray(list, item))
		return true;
	cJSON_Delete(item);
	return false;
}

cJSON *hy_json_keep(bool good, cJSON *item)
{
	if (good)
		return item;
	cJSON_Delete(item);
	return NULL;
}

cJSON *hy_json_put(hy_json_maker *m, cJSON *parent, const char *name, cJSON *item)
{
	if (name ? hy_json_add(parent, name, item) : hy_json_append(parent, item))
		return item;
	m->lost = true;
	return NULL;
}

cJSON *hy_json_put_object(hy_json_maker *m, cJSON *parent, const char *name)
{
	return hy_json_put(m, parent, name, cJSON_CreateObject());
}

cJSON *hy_json_put_list(hy_json_maker *m, cJSON *parent, const char *name)
{
	return hy_json_put(m, parent, name, cJSON_CreateArray());
}

void hy_json_put_text(hy_json_maker *m, cJSON *parent, const char *name, const char *text)
{
	hy_json_put(m, parent, name, cJSON_CreateString(text));
}

void hy_json_put_flag(hy_json_maker *m, cJSON *parent, const char *name, bool value)
{
	hy_json_put(m, parent, name, cJSON_CreateBool(value));
}

void hy_json_put_number(hy_json_maker *m, cJSON *parent, const char *name, double value)
{
	hy_json_put(m, parent, name, isfinite(value) ? cJSON_CreateNumber(value) : cJSON_CreateNull());
}

void hy_json_put_numbers(hy_json_maker *m, cJSON *parent, const char *name, const double *values, int n)
{
	hy_json_put(m, parent, name, cJSON_CreateDoubleArray(values, n));
}

char *hy_json_made(const hy_json_maker *m, cJSON *root, bool indented)
{
	char *text = m->lost || !root ? NULL : hy_json_print(root, indented);
	cJSON_Delete(root);
	return text;
}

double hy_json_number(const cJSON *object, const char *name, double other)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
	return cJSON_IsNumber(item) ? item->valuedouble : other;
}

int64_t hy_json_whole(const cJSON *object, const char *name, int64_t other)
{
	const double most = 9007199254740992.0, v = hy_json_number(object, name, (double)other);
	return v >= most ? (int64_t)most : v <= -most ? -(int64_t)most : v == v ? (int64_t)v : other;
}

cJSON *hy_json_real(double value)
{
	char text[32];
	if (!isfinite(value))
		return cJSON_CreateNull();
	snprintf(text, sizeof text, "%.15g", value);
	if (strtod(text, NULL) != value)
		snprintf(text, sizeof text, "%.17g", value);
	return cJSON_CreateRaw(text);
}
