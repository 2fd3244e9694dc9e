/*
 * help.c: what a command's table of options says of itself: --help, the manual page, and the words that a shell completes.
 */
#include "options.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { HELP_WIDTH = 110, HELP_COLUMN = 28 };

/* What every command takes beside its table. */
static const struct {
	const char *name, *help;
} common[] = {
    {"-q, --quiet", "Shows warnings and errors, no progress."},
    {"-v, --verbose", "Shows every warning, not the first of each kind and how many more there were."},
    {"-h, --help", "Prints this help."},
};

/* Appends to the n bytes at s, which hold a string; what does not fit is cut. */
#if defined(__GNUC__)
__attribute__((format(printf, 3, 4)))
#endif
static void
add_text(char *s, size_t n, const char *format, ...)
{
	size_t used = strlen(s);
	va_list arguments;
	va_start(arguments, format);
	vsnprintf(s + used, n - used, format, arguments);
	va_end(arguments);
}

static void describe_duration(double seconds, char *s, size_t n)
{
	if (seconds >= 3600 && fmod(seconds, 3600) == 0)
		add_text(s, n, "%gh", seconds / 3600);
	else if (seconds >= 60 && fmod(seconds, 60) == 0)
		add_text(s, n, "%gm", seconds / 60);
	else
		add_text(s, n, "%gs", seconds);
}

/* The default as it stands in the target; nothing when the option is off by default. */
static void describe_default(const option *o, char *s, size_t n)
{
	switch (o->kind) {
	case OPTION_INT:
		if (*(const int64_t *)o->target != -1) /* which stands for not given */
			add_text(s, n, "%lld", (long long)*(const int64_t *)o->target);
		break;
	case OPTION_DOUBLE:
		if (!isnan(*(const double *)o->target) && (o->low != -1 || *(const double *)o->target != -1))
			add_text(s, n, "%g", *(const double *)o->target);
		break;
	case OPTION_DURATION:
		if (*(const double *)o->target > 0)
			describe_duration(*(const double *)o->target, s, n);
		break;
	case OPTION_SPACING: {
		const double *v = o->target;
		if (v[0] > 0)
			add_text(s, n, "%g,%g,%g", v[0], v[1], v[2]);
		break;
	}
	case OPTION_STRING:
		if (*(const char *const *)o->target)
			add_text(s, n, "%s", *(const char *const *)o->target);
		break;
	case OPTION_STRINGS:
	case OPTION_HEADING:
	case OPTION_FLAG:
		break;
	}
}

/* The range as people write it: bounds that nobody meets are left out, and -1 where it stands for not given. */
static void describe_range(const option *o, char *s, size_t n)
{
	const double many = 1e5, low = o->low == -1 ? 0 : o->low;
	if (o->high < many && (low != 0 || o->high != 0))
		add_text(s, n, " (%g to %g)", low, o->high);
	else if (o->high >= many && low > 0)
		add_text(s, n, " (%g or more)", low);
}

/* Prints text from the current column, wrapped between column and HELP_WIDTH. */
static void print_wrapped(const char *text, size_t at, size_t column)
{
	while (*text) {
		size_t word = strcspn(text, " ");
		if (at > column && at + 1 + word > HELP_WIDTH) {
			printf("\n%*s", (int)column, "");
			at = column;
		} else if (at > column) {
			putchar(' ');
			at++;
		}
		printf("%.*s", (int)word, text);
		at += word;
		text += word;
		text += strspn(text, " ");
	}
	putchar('\n');
}

static void print_option(const char *left, const char *text)
{
	size_t n = strlen(left);
	printf("  %s", left);
	if (n + 2 + 2 > HELP_COLUMN)
		printf("\n%*s", HELP_COLUMN, "");
	else
		printf("%*s", (int)(HELP_COLUMN - n - 2), "");
	print_wrapped(text, HELP_COLUMN, HELP_COLUMN);
}

/* "-o, --output RUN" */
static void describe_name(const option *o, char *s, size_t n)
{
	add_text(s, n, "%s%s%s%s", strcmp(o->name, "--output") == 0 ? "-o, " : "", o->name, o->placeholder ? " " : "",
	         o->placeholder ? o->placeholder : "");
}

/* The sentence, choices, range, default. */
static void describe_option(const option *o, char *s, size_t n)
{
	char value[256] = "";
	add_text(s, n, "%s", o->help);
	if (o->choices)
		add_text(s, n, " (%s)", o->choices);
	describe_range(o, s, n);
	if (o->kind == OPTION_STRINGS)
		add_text(s, n, " May be repeated.");
	describe_default(o, value, sizeof value);
	if (*value)
		add_text(s, n, " [%s]", value);
}

static void print_help(const command *self, const option *table, size_t n_table)
{
	printf("hardy %s: %s\n\nUsage: hardy %s [options]%s%s\n", self->name, self->summary, self->name,
	       self->arguments && *self->arguments ? " " : "", self->arguments ? self->arguments : "");
	for (size_t i = 0; i < 3 && self->examples[i]; i++)
		printf("%s  %s\n", i ? "" : "\nExamples:\n", self->examples[i]);
	if (self->details)
		printf("\n%s\n", self->details);
	printf("\nOptions:\n");
	for (size_t i = 0; i < n_table; i++) {
		char left[128] = "", text[1024] = "";
		if (table[i].kind == OPTION_HEADING) {
			printf("\n%s:\n", table[i].help);
			continue;
		}
		describe_name(&table[i], left, sizeof left);
		describe_option(&table[i], text, sizeof text);
		print_option(left, text);
	}
	printf("\n");
	for (size_t i = 0; i < sizeof common / sizeof *common; i++)
		print_option(common[i].name, common[i].help);
}

/* ---- the manual page ---------------------------------------------------------------------------------------------------- */

/* One text as troff input: what troff would take for its own is escaped. */
static void print_troff(const char *text)
{
	bool line_begins = true;
	for (; *text; text++) {
		if (line_begins && (*text == '.' || *text == '\''))
			printf("\\&");
		line_begins = *text == '\n';
		if (*text == '\\')
			printf("\\e");
		else if (*text == '-')
			printf("\\-");
		else
			putchar(*text);
	}
}

static void print_entry(const char *name, const char *text)
{
	printf(".TP\n.B ");
	print_troff(name);
	printf("\n");
	print_troff(text);
	printf("\n");
}

static void print_manual(const command *self, const option *table, size_t n_table)
{
	printf(".TH HARDY\\-%s 1 \"\" \"hardy %s\"\n.SH NAME\nhardy\\-%s \\- ", self->name, hardy_version(), self->name);
	print_troff(self->summary);
	printf("\n.SH SYNOPSIS\n.B hardy %s\n[options] ", self->name);
	print_troff(self->arguments ? self->arguments : "");
	printf("\n.SH DESCRIPTION\n.nf\n");
	print_troff(self->details ? self->details : self->summary);
	printf("\n.fi\n.SH OPTIONS\n");
	for (size_t i = 0; i < n_table; i++) {
		char left[128] = "", text[1024] = "";
		if (table[i].kind == OPTION_HEADING) {
			printf(".SS ");
			print_troff(table[i].help);
			printf("\n");
			continue;
		}
		describe_name(&table[i], left, sizeof left);
		describe_option(&table[i], text, sizeof text);
		print_entry(left, text);
	}
	printf(".SS Common to all commands\n");
	for (size_t i = 0; i < sizeof common / sizeof *common; i++)
		print_entry(common[i].name, common[i].help);
	if (self->examples[0])
		printf(".SH EXAMPLES\n.nf\n");
	for (size_t i = 0; i < 3 && self->examples[i]; i++) {
		print_troff(self->examples[i]);
		printf("\n");
	}
	printf("%s.SH EXIT STATUS\n0 done, 1 failed, 2 usage, 3 some cases failed, 4 below a stated threshold, 130 interrupted "
	       "after saving.\n"
	       ".SH SEE ALSO\n.BR hardy (1)\n",
	       self->examples[0] ? ".fi\n" : "");
}

/* ---- words for a shell -------------------------------------------------------------------------------------------------- */

/* Every option, one a line; of one that has choices, these behind it: "--preset quick hour paper short". */
static void print_words(const option *table, size_t n_table)
{
	for (size_t i = 0; i < n_table; i++) {
		const option *o = &table[i];
		if (o->kind == OPTION_HEADING)
			continue;
		printf("%s%s", o->name, o->choices ? " " : "");
		for (const char *c = o->choices; c && *c; c++)
			putchar(*c == '|' ? ' ' : *c);
		printf("%s\n", o->kind == OPTION_FLAG || o->choices ? "" : " *");
	}
	printf("--quiet\n--verbose\n--help\n");
}

int options_help(const command *self, const option *table, size_t n_table, const char *form)
{
	if (!*form)
		print_help(self, table, n_table);
	else if (strcmp(form, "man") == 0)
		print_manual(self, table, n_table);
	else if (strcmp(form, "words") == 0)
		print_words(table, n_table);
	else
		return usage_error(self, "--help is \"%s\", want man, words, or nothing", form);
	return EXIT_DONE;
}
