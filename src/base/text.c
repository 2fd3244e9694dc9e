/*
 * text.c: small things of text and numbers that many need.
 */
#include "base/text.h"

#include "base/memory.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Room for n bytes and the zero byte behind them. */
static bool make_room(hy_text *t, size_t n)
{
	if (t->failed || n < t->room - t->used)
		return !t->failed;
	const size_t room = 2 * t->room + n + 1024;
	char *larger = room > n ? hy_realloc(t->data, room, 1) : NULL;
	if (!larger) {
		t->failed = true;
		return false;
	}
	t->data = larger;
	t->room = room;
	return true;
}

void hy_text_add(hy_text *t, const char *data, size_t n)
{
	if (!make_room(t, n))
		return;
	if (n) /* data may be NULL then */
		memcpy(t->data + t->used, data, n);
	t->used += n;
	t->data[t->used] = 0;
}

void hy_text_printf(hy_text *t, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	const int n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (n < 0)
		t->failed = true;
	if (n < 0 || !make_room(t, (size_t)n))
		return;
	va_start(args, format);
	vsnprintf(t->data + t->used, t->room - t->used, format, args);
	va_end(args);
	t->used += (size_t)n;
}

void hy_text_clear(hy_text *t)
{
	hy_free(t->data);
	*t = (hy_text){0};
}

double hy_number(const char *text)
{
	char *end;
	const double v = strtod(text, &end);
	return end != text && !*end && isfinite(v) ? v : NAN;
}

bool hy_ends_with(const char *s, const char *end)
{
	const size_t n = strlen(s), m = strlen(end);
	return n >= m && strcasecmp(s + n - m, end) == 0;
}

size_t hy_shell_quote(char *out, const char *word)
{
	size_t n = 0;
	if (*word && !word[strspn(word, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-+=.,:/@%")]) {
		n = strlen(word);
		if (out)
			memcpy(out, word, n);
		return n;
	}
	for (const char *p = word; *p; p++) {
		const char *piece = *p == '\'' ? "'\\''" : (char[2]){*p, 0};
		const size_t m = strlen(piece);
		if (out)
			memcpy(out + 1 + n, piece, m);
		n += m;
	}
	if (out)
		out[0] = out[1 + n] = '\'';
	return n + 2;
}

char *hy_shell_word(const char *word)
{
	char *text = hy_alloc(hy_shell_quote(NULL, word) + 1, 1);
	if (text)
		text[hy_shell_quote(text, word)] = 0;
	return text;
}
