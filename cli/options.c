/*
 * options.c: the parser of the command line and the text of --help, both from one table.
 */
#include "options.h"

#include <errno.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WORD 64

int usage_error(const command *self, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	fprintf(stderr, "hardy %s: ", self->name);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fprintf(stderr, "\nTry: hardy %s --help\n", self->name);
	return EXIT_USAGE;
}

/* ---- suggestions -------------------------------------------------------------------------------------------------------- */

/* Edit distance in which swapping two neighbours costs one (optimal string alignment), words cut at MAX_WORD. */
static size_t edit_distance(const char *a, const char *b)
{
	size_t n_a = strnlen(a, MAX_WORD), n_b = strnlen(b, MAX_WORD);
	size_t d[MAX_WORD + 1][MAX_WORD + 1];
	for (size_t i = 0; i <= n_a; i++)
		d[i][0] = i;
	for (size_t j = 0; j <= n_b; j++)
		d[0][j] = j;
	for (size_t i = 1; i <= n_a; i++) {
		for (size_t j = 1; j <= n_b; j++) {
			size_t best = d[i - 1][j - 1] + (a[i - 1] != b[j - 1]);
			if (d[i - 1][j] + 1 < best)
				best = d[i - 1][j] + 1;
			if (d[i][j - 1] + 1 < best)
				best = d[i][j - 1] + 1;
			if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] && d[i - 2][j - 2] + 1 < best)
				best = d[i - 2][j - 2] + 1;
			d[i][j] = best;
		}
	}
	return d[n_a][n_b];
}

const char *nearest_name(const char *word, const char *const *names, size_t n)
{
	const char *best = NULL;
	size_t best_distance = strlen(word) / 3 + 1; /* a third of the letters may be wrong */
	for (size_t i = 0; i < n; i++) {
		size_t distance = edit_distance(word, names[i]);
		if (distance <= best_distance && (!best || distance < best_distance)) {
			best = names[i];
			best_distance = distance;
		}
	}
	return best;
}

static int unknown_option(const command *self, const option *table, size_t n_table, const char *name)
{
	const char **names = malloc((n_table + 1) * sizeof *names);
	const char *nearest = NULL;
	if (names) {
		size_t n = 0;
		for (size_t i = 0; i < n_table; i++)
			if (table[i].kind != OPTION_HEADING)
				names[n++] = table[i].name;
		names[n++] = "--help";
		nearest = nearest_name(name, names, n);
	}
	int code = nearest ? usage_error(self, "unknown option %s; did you mean %s?", name, nearest)
	                   : usage_error(self, "unknown option %s", name);
	free(names);
	return code;
}

/* ---- values ------------------------------------------------------------------------------------------------------------- */

static int check_range(const command *self, const option *o, double value, const char *text)
{
	if ((o->low != 0 || o->high != 0) && !(value >= o->low && value <= o->high))
		return usage_error(self, "%s is %s, want %.10g to %.10g", o->name, text, o->low, o->high);
	return -1;
}

static bool read_number(const char *text, double *out, char **end)
{
	errno = 0;
	double value = strtod(text, end);
	if (*end == text || errno == ERANGE || !isfinite(value))
		return false;
	*out = value;
	return true;
}

static int parse_int(const command *self, const option *o, const char *text)
{
	char *end;
	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (end == text || *end || errno == ERANGE)
		return usage_error(self, "%s is \"%s\", want a whole number", o->name, text);
	int code = check_range(self, o, (double)value, text);
	if (code < 0)
		*(int64_t *)o->target = value;
	return code;
}

static int parse_double(const command *self, const option *o, const char *text)
{
	char *end;
	double value;
	if (!read_number(text, &value, &end) || *end)
		return usage_error(self, "%s is \"%s\", want a number", o->name, text);
	int code = check_range(self, o, value, text);
	if (code < 0)
		*(double *)o->target = value;
	return code;
}

static int parse_duration(const command *self, const option *o, const char *text)
{
	char *end;
	double value;
	bool good = read_number(text, &value, &end) && value > 0;
	if (good && *end) {
		double unit = *end == 's' ? 1 : *end == 'm' ? 60 : *end == 'h' ? 3600 : 0;
		good = unit > 0 && !end[1];
		value *= unit;
	}
	if (!good)
		return usage_error(self, "%s is \"%s\", want a time such as 90s, 45m or 2h", o->name, text);
	int code = check_range(self, o, value, text);
	if (code < 0)
		*(double *)o->target = value;
	return code;
}

static int parse_spacing(const command *self, const option *o, const char *text)
{
	double value[3];
	int n = 0;
	const char *at = text;
	bool good = true;
	for (;;) {
		char *end;
		good = n < 3 && read_number(at, &value[n], &end) && value[n] > 0 && (*end == ',' || !*end);
		if (!good)
			break;
		n++;
		if (!*end)
			break;
		at = end + 1;
	}
	if (!good || n == 2)
		return usage_error(self, "%s is \"%s\", want mm, one number (x and y) or three: 1.5 or 1.5,1.5,10", o->name, text);
	for (int i = 0; i < n; i++) {
		int code = check_range(self, o, value[i], text);
		if (code >= 0)
			return code;
	}
	double *out = o->target;
	out[0] = value[0];
	out[1] = n == 3 ? value[1] : value[0];
	if (n == 3)
		out[2] = value[2];
	return -1;
}

static bool is_choice(const char *choices, const char *text)
{
	size_t n = strlen(text);
	for (const char *at = choices; at; at = strchr(at, '|')) {
		at += *at == '|';
		if (n > 0 && strcspn(at, "|") == n && memcmp(at, text, n) == 0)
			return true;
	}
	return false;
}

static int append(const command *self, string_list *list, const char *text)
{
	const char **items = realloc(list->items, (list->n + 1) * sizeof *items);
	if (!items) {
		fprintf(stderr, "hardy %s: out of memory\n", self->name);
		return EXIT_FAILED;
	}
	list->items = items;
	list->items[list->n++] = text;
	return -1;
}

static int parse_value(const command *self, const option *o, const char *text)
{
	switch (o->kind) {
	case OPTION_INT:
		return parse_int(self, o, text);
	case OPTION_DOUBLE:
		return parse_double(self, o, text);
	case OPTION_DURATION:
		return parse_duration(self, o, text);
	case OPTION_SPACING:
		return parse_spacing(self, o, text);
	case OPTION_STRING:
	case OPTION_STRINGS:
		if (o->choices && !is_choice(o->choices, text))
			return usage_error(self, "%s is \"%s\", want one of %s", o->name, text, o->choices);
		if (o->kind == OPTION_STRINGS)
			return append(self, o->target, text);
		*(const char **)o->target = text;
		return -1;
	case OPTION_HEADING:
	case OPTION_FLAG:
		break;
	}
	return -1;
}

/* ---- the parser --------------------------------------------------------------------------------------------------------- */

static const option *find_option(const option *table, size_t n_table, const char *name, size_t n_name)
{
	for (size_t i = 0; i < n_table; i++) {
		if (table[i].kind == OPTION_HEADING)
			continue;
		if (strlen(table[i].name) == n_name && memcmp(table[i].name, name, n_name) == 0)
			return &table[i];
		if (n_name == 2 && memcmp(name, "-o", 2) == 0 && strcmp(table[i].name, "--output") == 0)
			return &table[i];
	}
	return NULL;
}

/* Reads the option at argv[*at] and its value; moves *at to the last word used. */
static int parse_option(const command *self, const option *table, size_t n_table, int argc, char **argv, int *at)
{
	const char *word = argv[*at];
	size_t n_name = strcspn(word, "=");
	const option *o = find_option(table, n_table, word, n_name);
	if (!o) {
		char name[MAX_WORD + 1] = "";
		snprintf(name, sizeof name, "%.*s", (int)(n_name < MAX_WORD ? n_name : MAX_WORD), word);
		return unknown_option(self, table, n_table, name);
	}
	const char *value = word[n_name] ? word + n_name + 1 : NULL;
	if (o->kind == OPTION_FLAG) {
		if (value)
			return usage_error(self, "%s takes no value, found \"%s\"", o->name, value);
		*(bool *)o->target = true;
		return -1;
	}
	if (!value) {
		if (*at + 1 >= argc || strncmp(argv[*at + 1], "--", 2) == 0)
			return usage_error(self, "%s wants a value (%s)", o->name, o->placeholder ? o->placeholder : "VALUE");
		value = argv[++*at];
	}
	if (!*value)
		return usage_error(self, "%s wants a value (%s), found none", o->name, o->placeholder ? o->placeholder : "VALUE");
	return parse_value(self, o, value);
}

bool options_verbose, options_quiet;

static bool is_either(const char *word, const char *a, const char *b)
{
	return strcmp(word, a) == 0 || strcmp(word, b) == 0;
}

int options_parse(const command *self, const option *table, size_t n_table, int argc, char **argv, size_t n_min, size_t n_max,
                  string_list *rest)
{
	*rest = (string_list){0};
	/* Help first: it shows the defaults, not what earlier words have set. */
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (is_either(argv[i], "--help", "-h") || strncmp(argv[i], "--help=", 7) == 0)
			return options_help(self, table, n_table, argv[i][2] == 'h' && argv[i][6] ? argv[i] + 7 : "");
	}
	bool options_over = false;
	for (int i = 1; i < argc; i++) {
		int code;
		if (!options_over && strcmp(argv[i], "--") == 0) {
			options_over = true;
			continue;
		}
		if (!options_over && is_either(argv[i], "--verbose", "-v")) {
			options_verbose = true;
			continue;
		}
		if (!options_over && is_either(argv[i], "--quiet", "-q")) {
			options_quiet = true;
			continue;
		}
		if (!options_over && argv[i][0] == '-' && argv[i][1])
			code = parse_option(self, table, n_table, argc, argv, &i);
		else
			code = append(self, rest, argv[i]);
		if (code >= 0)
			return code;
	}
	if (rest->n < n_min)
		return usage_error(self, "%s", n_max == 1 ? "an argument is missing" : "arguments are missing");
	if (rest->n > n_max)
		return usage_error(self, "unexpected argument \"%s\"", rest->items[n_max]);
	return -1;
}

void options_clear(const option *table, size_t n_table, string_list *rest)
{
	for (size_t i = 0; i < n_table; i++) {
		if (table[i].kind == OPTION_STRINGS) {
			string_list *list = table[i].target;
			free(list->items);
			*list = (string_list){0};
		}
	}
	free(rest->items);
	*rest = (string_list){0};
}
