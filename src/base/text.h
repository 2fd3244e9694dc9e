/*
 * text.h: small things of text and numbers that many need: growing texts, endings of names, bounds, counted things, and what an unknown
 * word was probably meant to be.
 */
#ifndef HY_BASE_TEXT_H
#define HY_BASE_TEXT_H

#include "base/error.h"

#include <stddef.h>

/* A growing text, {0} to begin with; always ended with a zero byte once something was added. What does not fit in memory is noticed at the
 * end: failed. */
typedef struct hy_text {
	char *data; /* owned; NULL as long as it is empty */
	size_t used, room;
	bool failed;
} hy_text;

void hy_text_add(hy_text *t, const char *data, size_t n);
void hy_text_printf(hy_text *t, const char *format, ...) HY_PRINTF(2, 3);
void hy_text_clear(hy_text *t);

/* Without regard to case. */
bool hy_ends_with(const char *s, const char *end);

static inline int64_t hy_clamp(int64_t v, int64_t low, int64_t high)
{
	return v < low ? low : v > high ? high : v;
}

static inline double hy_clamp_real(double v, double low, double high)
{
	return v < low ? low : v > high ? high : v;
}

/* The finite number that the whole text is; NAN for anything else. */
double hy_number(const char *text);

/* Returned by value, so that a message's arguments can be made in place; the text lasts as long as the statement. */
typedef struct hy_words {
	char text[120];
} hy_words;

/* "1 subject", "3 subjects"; "2 boxes", "2 classes", "2 entries", "2 series". thing: a single one. In a message: "%s", HY_COUNT(n, "subject"). */
hy_words hy_count(int64_t n, const char *thing);
#define HY_COUNT(n, thing) (hy_count((int64_t)(n), thing).text)
/* The verb behind it. */
#define HY_IS(n)  ((n) == 1 ? "is" : "are")
#define HY_HAS(n) ((n) == 1 ? "has" : "have")

/*
 * " (did you mean hardy?)", with the name nearest to the first n letters of word, or "" where none is near (hardy_nearest_name). list: names
 * with any of ", |" between.
 */
hy_words hy_meant(const char *word, size_t n, const char *list);

/* A word as a shell reads it back, newly allocated (hy_free); NULL when memory runs out. */
char *hy_shell_word(const char *word) HY_MUST_USE;
/* The same into out (NULL: only counted), without a zero byte; returns how many bytes. */
size_t hy_shell_quote(char *out, const char *word);

#endif
