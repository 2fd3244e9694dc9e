/*
 * options.c: the parser of the command line: which options were given, and their values put into the structs that the tables describe.
 */
#include "options.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_WORD 64

int usage_error(const command *self, const char *format, ...)
{
	va_list list;
	va_start(list, format);
	fprintf(stderr, "hardy %s: ", self->name);
	vfprintf(stderr, format, list);
	va_end(list);
	fprintf(stderr, "\nTry: hardy %s --help\n", self->name);
	return EXIT_USAGE;
}

/* ---- suggestions -------------------------------------------------------------------------------------------------------- */

/* file: the file of options that holds the name; NULL: the command line does. */
static int unknown_option(const command *self, const arguments *a, const char *file, const char *name)
{
	enum { MOST_NAMES = 128, NAME_SIZE = 64 };
	char words[MOST_NAMES][NAME_SIZE] = {"--help", "--options", "--quiet", "--verbose"}, wanted[NAME_SIZE];
	const char *names[MOST_NAMES];
	size_t n = file ? 0 : 4;
	for (int s = 0; s < MOST_SETS; s++)
		for (size_t i = 0; a->sets[s].table && i < a->sets[s].table->n; i++)
			if (!(a->sets[s].table->rows[i].use & HARDY_OPTION_ARGUMENT) && n < MOST_NAMES)
				option_word(&a->sets[s].table->rows[i], false, words[n++], NAME_SIZE);
	for (size_t i = 0; i < n; i++)
		names[i] = words[i];
	snprintf(wanted, sizeof wanted, "%s%s", file ? "--" : "", name);
	const char *nearest = hardy_nearest_name(wanted, names, n);
	if (file)
		return nearest ? usage_error(self, "%s: \"%s\" is no option of this command; did you mean %s?", file, name, nearest + 2)
		               : usage_error(self, "%s: \"%s\" is no option of this command", file, name);
	return nearest ? usage_error(self, "unknown option %s; did you mean %s?", name, nearest)
	               : usage_error(self, "unknown option %s", name);
}

/* ---- rows --------------------------------------------------------------------------------------------------------------- */

void option_word(const hardy_option *row, bool negative, char *out, size_t size)
{
	snprintf(out, size, "--%s%s", negative ? "no-" : "", row->word ? row->word : row->name);
	for (char *c = out; *c; c++)
		*c = *c == '_' ? '-' : *c;
}

bool option_is_flag(const hardy_option *row)
{
	return row->type == HARDY_OPTION_SWITCH && !row->choices;
}

/* The row that a word of the command line names, NULL for none; *negative when it is --no-NAME of a switch. */
static const hardy_option *find_row(const arguments *a, const char *word, size_t n, void **values, bool *negative)
{
	for (int which = 0; which < 2; which++) { /* --no-top-skip is a name of its own */
		*negative = which == 1;
		for (int s = 0; s < MOST_SETS; s++)
			for (size_t i = 0; a->sets[s].table && i < a->sets[s].table->n; i++) {
				const hardy_option *row = &a->sets[s].table->rows[i];
				char name[MAX_WORD + 8];
				if (row->use & HARDY_OPTION_ARGUMENT || (*negative && !option_is_flag(row)))
					continue;
				option_word(row, *negative, name, sizeof name);
				const bool output = n == 2 && memcmp(word, "-o", 2) == 0 && strcmp(name, "--output") == 0;
				if (!output && (strlen(name) != n || memcmp(name, word, n) != 0))
					continue;
				*values = a->sets[s].values;
				return row;
			}
	}
	return NULL;
}

static int out_of_memory(const command *self)
{
	fprintf(stderr, "hardy %s: out of memory\n", self->name);
	return EXIT_FAILED;
}

static int add_given(arguments *a, const command *self, const hardy_option *row, void *values, const char *text)
{
	given *larger = realloc(a->given, (a->n + 1) * sizeof *larger);
	if (!larger)
		return out_of_memory(self);
	a->given = larger;
	a->given[a->n++] = (given){row, values, text};
	return -1;
}

static int add_rest(arguments *a, const command *self, const char *text)
{
	const char **larger = realloc(a->rest, (a->n_rest + 1) * sizeof *larger);
	if (!larger)
		return out_of_memory(self);
	a->rest = larger;
	a->rest[a->n_rest++] = text;
	return -1;
}

/* ---- files of options --------------------------------------------------------------------------------------------------- */

/* What the file says comes before what the command line says, wherever it is named. */
static int read_file(arguments *a, const command *self, const char *path)
{
	hardy_error err = {0};
	if (a->file)
		return usage_error(self, "--options is given twice");
	hardy_status status = hardy_option_file_read(&a->file, path, &err);
	const size_t n_words = a->n;
	for (size_t i = 0; !status && i < hardy_option_file_n(a->file); i++) {
		const char *name, *text;
		const hardy_option *row = NULL;
		void *values = NULL;
		hardy_option_file_entry(a->file, i, &name, &text);
		for (int s = 0; s < MOST_SETS && !row; s++) {
			row = hardy_option_find(a->sets[s].table, name);
			values = a->sets[s].values;
		}
		if (!row || row->use & HARDY_OPTION_ARGUMENT)
			return unknown_option(self, a, path, name);
		const int code = add_given(a, self, row, values, text);
		if (code >= 0)
			return code;
	}
	if (status)
		return report_error(self, status, &err);
	if (!a->n)
		return -1;
	/* to the front, both in their order */
	given *moved = malloc((a->n + 1) * sizeof *moved);
	if (!moved)
		return out_of_memory(self);
	memcpy(moved, a->given + n_words, (a->n - n_words) * sizeof *moved);
	memcpy(moved + (a->n - n_words), a->given, n_words * sizeof *moved);
	free(a->given);
	a->given = moved;
	return -1;
}

/* ---- the parser --------------------------------------------------------------------------------------------------------- */

bool options_verbose, options_quiet;

static bool is_either(const char *word, const char *a, const char *b)
{
	return strcmp(word, a) == 0 || strcmp(word, b) == 0;
}

/* The value behind "=", or the next word; NULL, and a message, when there is none. */
static const char *value_of(const command *self, const char *name, const char *called, int argc, char **argv, int *at)
{
	const size_t n = strcspn(argv[*at], "=");
	const char *value = argv[*at][n] ? argv[*at] + n + 1 : NULL;
	if (!value && *at + 1 < argc && strncmp(argv[*at + 1], "--", 2) != 0)
		value = argv[++*at];
	if (!value || !*value)
		usage_error(self, "%s wants a value (%s)%s", name, called ? called : "VALUE", value ? ", found none" : "");
	return value && *value ? value : NULL;
}

/* Reads the option at argv[*at] and its value; moves *at to the last word used. */
static int read_option(arguments *a, const command *self, int argc, char **argv, int *at)
{
	const char *word = argv[*at];
	const size_t n = strcspn(word, "=");
	void *values = NULL;
	bool negative = false;
	char name[MAX_WORD + 1];
	snprintf(name, sizeof name, "%.*s", (int)(n < MAX_WORD ? n : MAX_WORD), word);
	if (strcmp(name, "--options") == 0) {
		const char *path = value_of(self, name, "FILE", argc, argv, at);
		return path ? read_file(a, self, path) : EXIT_USAGE;
	}
	const hardy_option *row = find_row(a, word, n, &values, &negative);
	if (!row)
		return unknown_option(self, a, NULL, name);
	if (option_is_flag(row)) {
		if (word[n])
			return usage_error(self, "%s takes no value, found \"%s\"", name, word + n + 1);
		return add_given(a, self, row, values, negative ? "off" : "on");
	}
	option_word(row, false, name, sizeof name);
	const char *value = value_of(self, name, row->value, argc, argv, at);
	return value ? add_given(a, self, row, values, value) : EXIT_USAGE;
}

int arguments_read(arguments *a, const command *self, int argc, char **argv, size_t n_min, size_t n_max)
{
	/* Help first: it shows the defaults, not what earlier words have set. */
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (is_either(argv[i], "--help", "-h") || strncmp(argv[i], "--help=", 7) == 0)
			return options_help(self, a->sets, argv[i][2] == 'h' && argv[i][6] ? argv[i] + 7 : "");
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
			code = read_option(a, self, argc, argv, &i);
		else
			code = add_rest(a, self, argv[i]);
		if (code >= 0)
			return code;
	}
	if (a->n_rest < n_min)
		return usage_error(self, "%s", n_max == 1 ? "an argument is missing" : "arguments are missing");
	if (a->n_rest > n_max)
		return usage_error(self, "unexpected argument \"%s\"", a->rest[n_max]);
	return -1;
}

/* All that was given for a row that may be repeated. */
static int apply_list(arguments *a, const command *self, const given *first)
{
	hardy_error err = {0};
	const char ***larger = realloc(a->lists, (a->n_lists + 1) * sizeof *larger);
	if (!larger)
		return out_of_memory(self);
	a->lists = larger;
	const char **list = malloc(a->n * sizeof *list);
	if (!list)
		return out_of_memory(self);
	a->lists[a->n_lists++] = list;
	size_t n = 0;
	for (size_t i = 0; i < a->n; i++)
		if (a->given[i].row == first->row)
			list[n++] = a->given[i].text;
	const hardy_status status = hardy_option_set_texts(first->row, first->values, list, n, &err);
	return status ? report_error(self, status, &err) : -1;
}

int arguments_apply(arguments *a, const command *self)
{
	for (size_t i = 0; i < a->n; i++) {
		const given *g = &a->given[i];
		hardy_error err = {0};
		size_t first = 0;
		while (a->given[first].row != g->row)
			first++;
		if (g->row->type == HARDY_OPTION_TEXTS) {
			const int code = first == i ? apply_list(a, self, g) : -1;
			if (code >= 0)
				return code;
			continue;
		}
		if (!hardy_option_set(g->row, g->values, g->text, &err))
			continue;
		char word[MAX_WORD + 8];
		option_word(g->row, false, word, sizeof word);
		const size_t n = strlen(g->row->name); /* with which the message begins */
		return usage_error(self, "%s%s", word, strncmp(err.message, g->row->name, n) == 0 ? err.message + n : err.message);
	}
	return -1;
}

int arguments_take(arguments *a, const command *self, void *options, const option_set *own, int argc, char **argv, size_t n_min,
                   size_t n_max)
{
	const hardy_options *table = hardy_options_of(self->name);
	*a = (arguments){0};
	if (table) {
		hardy_options_default(table, options);
		a->sets[0] = (option_set){table, options};
	}
	if (own)
		a->sets[table ? 1 : 0] = *own;
	const int code = arguments_read(a, self, argc, argv, n_min, n_max);
	return code < 0 ? arguments_apply(a, self) : code;
}

const char *arguments_find(const arguments *a, const char *name)
{
	const char *found = NULL;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->given[i].row->name, name) == 0)
			found = a->given[i].text;
	return found;
}

void arguments_clear(arguments *a)
{
	for (size_t i = 0; i < a->n_lists; i++)
		free(a->lists[i]);
	free(a->lists);
	free(a->given);
	free(a->rest);
	hardy_option_file_free(a->file);
	*a = (arguments){0};
}
