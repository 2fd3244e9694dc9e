/*
 * text.c: small things of text and numbers that many need.
 */
#include "base/text.h"

#include "base/memory.h"

#include <ctype.h>
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

/* ---- counted things ----------------------------------------------------------------------------------------------------- */

hy_words hy_count(int64_t n, const char *thing)
{
	hy_words w;
	const bool same = n == 1 || hy_ends_with(thing, "series"), y = !same && hy_ends_with(thing, "y");
	const char *end = same ? "" : y ? "ies" : hy_ends_with(thing, "s") || hy_ends_with(thing, "x") ? "es" : "s";
	snprintf(w.text, sizeof w.text, "%lld %.*s%s", (long long)n, (int)strlen(thing) - y, thing, end);
	return w;
}

/* ---- what was meant ----------------------------------------------------------------------------------------------------- */

enum { MOST_LETTERS = 64 };

/* Edit distance in which swapping two neighbours costs one (optimal string alignment), without regard to case, words cut at MOST_LETTERS. */
static size_t edit_distance(const char *a, const char *b)
{
	char x[MOST_LETTERS], y[MOST_LETTERS];
	size_t n_a = strnlen(a, MOST_LETTERS), n_b = strnlen(b, MOST_LETTERS);
	size_t d[MOST_LETTERS + 1][MOST_LETTERS + 1];
	for (size_t i = 0; i < n_a; i++)
		x[i] = (char)tolower((unsigned char)a[i]);
	for (size_t j = 0; j < n_b; j++)
		y[j] = (char)tolower((unsigned char)b[j]);
	for (size_t i = 0; i <= n_a; i++)
		d[i][0] = i;
	for (size_t j = 0; j <= n_b; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= n_a; i++) {
		for (size_t j = 1; j <= n_b; j++) {
			size_t best = d[i - 1][j - 1] + (x[i - 1] != y[j - 1]);
			if (d[i - 1][j] + 1 < best)
				best = d[i - 1][j] + 1;
			if (d[i][j - 1] + 1 < best)
				best = d[i][j - 1] + 1;
			if (i > 1 && j > 1 && x[i - 1] == y[j - 2] && x[i - 2] == y[j - 1] && d[i - 2][j - 2] + 1 < best)
				best = d[i - 2][j - 2] + 1;
			d[i][j] = best;
		}
	}
	return d[n_a][n_b];
}

static bool begins_with(const char *name, const char *word)
{
	return strncasecmp(name, word, strlen(word)) == 0;
}

const char *hardy_nearest_name(const char *word, const char *const *names, size_t n)
{
	enum { LEAST = 3 }; /* letters that tell a name by its beginning */
	const size_t length = strlen(word);
	const char *best = NULL;
	size_t best_distance = length / 3 + 1; /* a third of the letters may be wrong, */
	for (size_t i = 0; i < n; i++) {
		const size_t distance = edit_distance(word, names[i]), other = strlen(names[i]);
		if (distance && 2 * distance >= (length > other ? length : other)) /* but fewer than half */
			continue;
		if (distance <= best_distance && (!best || distance < best_distance)) {
			best = names[i];
			best_distance = distance;
		}
	}
	for (size_t i = 0; i < n && length >= LEAST && (!best || best_distance > 1); i++)
		if (begins_with(names[i], word))
			return names[i];
	return best;
}

hy_words hy_meant(const char *word, size_t n, const char *list)
{
	enum { MOST_NAMES = 64 };
	char letters[MOST_LETTERS], room[2048];
	const char *names[MOST_NAMES];
	size_t n_names = 0;
	hy_words w = {{0}};
	snprintf(letters, sizeof letters, "%.*s", (int)(n < MOST_LETTERS ? n : MOST_LETTERS), word);
	snprintf(room, sizeof room, "%s", list);
	for (char *at = room + strspn(room, ", |"); *at && n_names < MOST_NAMES; at += strspn(at, ", |")) {
		names[n_names++] = at;
		at += strcspn(at, ", |");
		if (!*at)
			break;
		*at++ = 0;
	}
	const char *nearest = hardy_nearest_name(letters, names, n_names);
	if (nearest)
		snprintf(w.text, sizeof w.text, " (did you mean %.80s?)", nearest);
	return w;
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
