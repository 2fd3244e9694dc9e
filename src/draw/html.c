/*
 * html.c: escapes text, prints JSON and base64 into an HTML page.
 */
#include "draw/html.h"

#include "base/json.h"
#include "base/memory.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* The bytes of the UTF-8 character at s, or 0 when there is none that XML allows. */
static size_t character(const unsigned char *s)
{
	if (s[0] < 0x80)
		return s[0] >= 0x20 && s[0] != 0x7f ? 1 : s[0] == '\n' || s[0] == '\t' ? 1 : 0;
	const size_t n = s[0] >= 0xf0 ? 4 : s[0] >= 0xe0 ? 3 : 2;
	if (s[0] < 0xc2 || s[0] > 0xf4)
		return 0;
	uint32_t code = s[0] & (0x7f >> n);
	for (size_t i = 1; i < n; i++) {
		if ((s[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (s[i] & 0x3f);
	}
	static const uint32_t least[5] = {0, 0, 0x80, 0x800, 0x10000};
	return code < least[n] || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : n;
}

void hy_html_text(hy_outfile *f, const char *text)
{
	const unsigned char *s = (const unsigned char *)text;
	while (*s) {
		const size_t n = character(s);
		const char *escaped = *s == '&'    ? "&amp;"
		                      : *s == '<'  ? "&lt;"
		                      : *s == '>'  ? "&gt;"
		                      : *s == '"'  ? "&quot;"
		                      : *s == '\'' ? "&#39;"
		                      : n          ? NULL
		                                   : "\xef\xbf\xbd";
		if (escaped)
			hy_outfile_write(f, escaped, strlen(escaped));
		else
			hy_outfile_write(f, s, n);
		s += n ? n : 1;
	}
}

/* One conversion of a number, from % to its letter. */
static void number(hy_outfile *f, const char *from, size_t n, va_list *args)
{
	char spec[32], text[512];
	if (n >= sizeof spec)
		return;
	memcpy(spec, from, n);
	spec[n] = 0;
	const char kind = spec[n - 1];
	int length = 0;
	if (kind == 'f' || kind == 'g')
		length = snprintf(text, sizeof text, spec, va_arg(*args, double));
	else if (n > 2 && spec[n - 2] == 'z')
		length = snprintf(text, sizeof text, spec, va_arg(*args, size_t));
	else if (n > 3 && spec[n - 2] == 'l' && spec[n - 3] == 'l')
		length = snprintf(text, sizeof text, spec, va_arg(*args, long long));
	else
		length = snprintf(text, sizeof text, spec, va_arg(*args, int));
	hy_outfile_write(f, text, length > 0 && (size_t)length < sizeof text ? (size_t)length : 0);
}

void hy_html_printf(hy_outfile *f, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	for (const char *at = format; *at;) {
		const char *next = strchr(at, '%');
		if (!next) {
			hy_outfile_write(f, at, strlen(at));
			break;
		}
		hy_outfile_write(f, at, (size_t)(next - at));
		const size_t n = 1 + strcspn(next + 1, "sdufg%") + 1;
		if (next[n - 1] == 's')
			hy_html_text(f, va_arg(args, const char *));
		else if (next[n - 1] == '%')
			hy_outfile_write(f, "%", 1);
		else
			number(f, next, n, &args);
		at = next + n;
	}
	va_end(args);
}

/* Inside JSON < and > occur in strings only, where an escape means the same. */
static void put_json(hy_outfile *f, const char *text)
{
	for (size_t n; *text; text += n) {
		n = strcspn(text, "<>&");
		hy_outfile_write(f, text, n);
		if (text[n]) {
			hy_outfile_printf(f, "\\u%04x", (unsigned)text[n]);
			n++;
		}
	}
}

static void print_json(hy_outfile *f, const cJSON *json, size_t skip)
{
	char *text = json ? hy_json_print(json, false) : NULL;
	if (text)
		put_json(f, text + skip);
	else if (!f->error)
		f->error = ENOMEM;
	cJSON_free(text);
}

void hy_html_json(hy_outfile *f, const cJSON *json)
{
	print_json(f, json, 0);
}

void hy_html_json_members(hy_outfile *f, const cJSON *json)
{
	print_json(f, json, 1);
}

void hy_html_json_string(hy_outfile *f, const char *text)
{
	cJSON *json = cJSON_CreateString(text);
	hy_html_json(f, json);
	cJSON_Delete(json);
}

void hy_html_base64(hy_outfile *f, const void *data, size_t size)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	const unsigned char *in = data;
	char text[4096];
	size_t n = 0;
	for (size_t i = 0; i < size; i += 3) {
		const size_t left = size - i;
		const uint32_t v = (uint32_t)in[i] << 16 | (left > 1 ? (uint32_t)in[i + 1] << 8 : 0) | (left > 2 ? in[i + 2] : 0);
		text[n++] = digits[v >> 18];
		text[n++] = digits[v >> 12 & 63];
		text[n++] = left > 1 ? digits[v >> 6 & 63] : '=';
		text[n++] = left > 2 ? digits[v & 63] : '=';
		if (n == sizeof text) {
			hy_outfile_write(f, text, n);
			n = 0;
		}
	}
	hy_outfile_write(f, text, n);
}
