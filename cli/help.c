/*
 * help.c: what a command's table of options says of itself: --help, the manual page, its part of docs/COMMANDS.md, and the words that a shell
 * completes.
 */
#include "options.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

enum { HELP_WIDTH = 110, HELP_COLUMN = 28 };

/* What every command takes beside its table. */
static const struct {
	const char *name, *help;
} common[] = {
    {"--options FILE", "A YAML file of options, NAME: VALUE; those of the command line override it."},
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
	va_list list;
	va_start(list, format);
	vsnprintf(s + used, n - used, format, list);
	va_end(list);
}

/* The default as the struct holds it; nothing when the option is off by default, or -1, or a 0 out of range, stands for not given. */
static void describe_default(const hardy_option *o, const void *values, char *s, size_t n)
{
	char text[200];
	if (option_is_flag(o) && !(o->use & HARDY_OPTION_EITHER))
		return;
	hardy_option_text(o, values, text, sizeof text);
	if (*text && !(o->low == -1 && strcmp(text, "-1") == 0) && !(o->low > 0 && strcmp(text, "0") == 0))
		add_text(s, n, "%s", text);
}

/* The range as people write it: bounds that nobody meets are left out, and -1 where it stands for not given. */
static void describe_range(const hardy_option *o, char *s, size_t n)
{
	const double many = 1e5, low = o->low == -1 ? 0 : o->low;
	if (o->type == HARDY_OPTION_SPACING)
		return;
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
static void describe_name(const hardy_option *o, char *s, size_t n)
{
	char word[80], opposite[80] = "";
	option_word(o, false, word, sizeof word);
	if (o->use & HARDY_OPTION_EITHER)
		option_word(o, true, opposite, sizeof opposite);
	add_text(s, n, "%s%s%s%s%s%s", strcmp(word, "--output") == 0 ? "-o, " : "", word, *opposite ? ", " : "", opposite,
	         o->value && !option_is_flag(o) ? " " : "", o->value && !option_is_flag(o) ? o->value : "");
}

/* The sentence, choices, range. */
static void describe_meaning(const hardy_option *o, char *s, size_t n)
{
	add_text(s, n, "%s", o->about);
	if (o->choices)
		add_text(s, n, " (%s)", o->choices);
	describe_range(o, s, n);
	if (o->type == HARDY_OPTION_TEXTS)
		add_text(s, n, " May be repeated.");
}

/* The same and the default. */
static void describe_option(const hardy_option *o, const void *values, char *s, size_t n)
{
	char value[256] = "";
	describe_meaning(o, s, n);
	describe_default(o, values, value, sizeof value);
	if (*value)
		add_text(s, n, " [%s]", value);
}

/* The rows under heading h, 0: before all headings, of both tables; at the first one *heading becomes its text. */
typedef struct walk {
	const option_set *sets;
	int heading, set;
	size_t row;
} walk;

static const hardy_option *next_row(walk *w, const void **values)
{
	for (; w->set < MOST_SETS; w->set++, w->row = 0) {
		const hardy_options *table = w->sets[w->set].table;
		while (table && w->row < table->n) {
			const hardy_option *o = &table->rows[w->row++];
			*values = w->sets[w->set].values;
			if (o->heading == w->heading && !(o->use & HARDY_OPTION_ARGUMENT))
				return o;
		}
	}
	return NULL;
}

/* Of the heading's number; NULL behind the last. */
static const char *heading_of(const option_set *sets, int number)
{
	int most = 0;
	for (int s = 0; s < MOST_SETS; s++)
		for (size_t i = 0; sets[s].table && i < sets[s].table->n; i++)
			most = sets[s].table->rows[i].heading > most ? sets[s].table->rows[i].heading : most;
	return number > most ? NULL : number ? sets[0].table->headings[number] : "";
}

static void print_help(const command *self, const option_set *sets)
{
	printf("hardy %s: %s\n\nUsage: hardy %s [options]%s%s\n", self->name, self->summary, self->name,
	       self->arguments && *self->arguments ? " " : "", self->arguments ? self->arguments : "");
	for (size_t i = 0; i < 3 && self->examples[i]; i++)
		printf("%s  %s\n", i ? "" : "\nExamples:\n", self->examples[i]);
	if (self->details)
		printf("\n%s\n", self->details);
	printf("\nOptions:\n");
	const char *heading;
	for (int h = 0; (heading = heading_of(sets, h)); h++) {
		const hardy_option *o;
		const void *values;
		if (h)
			printf("\n%s:\n", heading);
		for (walk w = {sets, h, 0, 0}; (o = next_row(&w, &values));) {
			char left[160] = "", text[1024] = "";
			describe_name(o, left, sizeof left);
			describe_option(o, values, text, sizeof text);
			print_option(left, text);
		}
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

static void print_manual(const command *self, const option_set *sets)
{
	printf(".TH HARDY\\-%s 1 \"\" \"hardy %s\"\n.SH NAME\nhardy\\-%s \\- ", self->name, hardy_version(), self->name);
	print_troff(self->summary);
	printf("\n.SH SYNOPSIS\n.B hardy %s\n[options] ", self->name);
	print_troff(self->arguments ? self->arguments : "");
	printf("\n.SH DESCRIPTION\n.nf\n");
	print_troff(self->details ? self->details : self->summary);
	printf("\n.fi\n.SH OPTIONS\n");
	const char *heading;
	for (int h = 0; (heading = heading_of(sets, h)); h++) {
		const hardy_option *o;
		const void *values;
		if (h) {
			printf(".SS ");
			print_troff(heading);
			printf("\n");
		}
		for (walk w = {sets, h, 0, 0}; (o = next_row(&w, &values));) {
			char left[160] = "", text[1024] = "";
			describe_name(o, left, sizeof left);
			describe_option(o, values, text, sizeof text);
			print_entry(left, text);
		}
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

/* ---- the page of the manual ---------------------------------------------------------------------------------------------- */

/* One text as Markdown, in a cell of a table or outside. */
static void print_markdown(const char *text)
{
	bool code = false;
	for (; *text; text++) {
		code ^= *text == '`';
		if (*text == '|' || (!code && strchr("*_<[]", *text)))
			putchar('\\');
		putchar(*text);
	}
}

static void print_row(const char *name, const char *text, const char *value)
{
	printf("| `");
	for (; *name; name++)
		printf(*name == '|' ? "\\|" : "%c", *name);
	printf("` | ");
	print_markdown(text);
	printf(*value ? " | `%s` |\n" : " | |\n", value);
}

static void print_page(const command *self, const option_set *sets)
{
	printf("## hardy %s\n\n", self->name);
	print_markdown(self->summary);
	printf("\n\n```text\nhardy %s [options]%s%s\n", self->name, self->arguments && *self->arguments ? " " : "",
	       self->arguments ? self->arguments : "");
	for (size_t i = 0; i < 3 && self->examples[i]; i++)
		printf("%s%s\n", i ? "" : "\n", self->examples[i]);
	printf("%s%s\n```\n", self->details ? "\n" : "", self->details ? self->details : "");
	const char *heading;
	for (int h = 0; (heading = heading_of(sets, h)); h++) {
		const hardy_option *o;
		const void *values;
		printf("\n| %s | | without it |\n|---|---|---|\n", h ? heading : "option");
		for (walk w = {sets, h, 0, 0}; (o = next_row(&w, &values));) {
			char left[160] = "", text[1024] = "", value[256] = "";
			describe_name(o, left, sizeof left);
			describe_meaning(o, text, sizeof text);
			describe_default(o, values, value, sizeof value);
			print_row(left, text, value);
		}
	}
	printf("\n");
}

void options_page_begins(const command *const *all)
{
	printf(
	    "# Commands\n\nEvery command with every option, as the program itself has them; `hardy help COMMAND` shows the same. "
	    "This page is\nmade by `hardy help --markdown`, and a test holds it to that.\n\n| command | what it does "
	    "|\n|---|---|\n");
	for (size_t i = 0; all[i]; i++)
		printf("| [`hardy %s`](#hardy-%s) | %s |\n", all[i]->name, all[i]->name, all[i]->summary);
	printf("\nExit codes: 0 done, 1 failed, 2 usage, 3 some cases failed, 4 below a stated threshold, 130 interrupted after "
	       "saving.\n\nEvery command takes these, too. Options may stand before and behind the arguments; `--size 96` and "
	       "`--size=96` are\nthe same, and `--` ends them.\n\n| option | | without it |\n|---|---|---|\n");
	for (size_t i = 0; i < sizeof common / sizeof *common; i++)
		print_row(common[i].name, common[i].help, "");
	printf("\n");
}

/* ---- words for a shell -------------------------------------------------------------------------------------------------- */

/* Every option, one a line; of one that has choices, these behind it: "--preset quick hour paper short". */
static void print_words(const option_set *sets)
{
	for (int h = 0; heading_of(sets, h); h++) {
		const hardy_option *o;
		const void *values;
		for (walk w = {sets, h, 0, 0}; (o = next_row(&w, &values));) {
			char word[80];
			option_word(o, false, word, sizeof word);
			printf("%s%s", word, o->choices ? " " : "");
			for (const char *c = o->choices; c && *c; c++)
				putchar(*c == '|' ? ' ' : *c);
			printf("%s\n", option_is_flag(o) || o->choices ? "" : " *");
			option_word(o, true, word, sizeof word);
			if (o->use & HARDY_OPTION_EITHER)
				printf("%s\n", word);
		}
	}
	printf("--options *\n--quiet\n--verbose\n--help\n");
}

int options_help(const command *self, const option_set sets[MOST_SETS], const char *form)
{
	if (!*form)
		print_help(self, sets);
	else if (strcmp(form, "man") == 0)
		print_manual(self, sets);
	else if (strcmp(form, "words") == 0)
		print_words(sets);
	else if (strcmp(form, "markdown") == 0)
		print_page(self, sets);
	else
		return usage_error(self, "--help is \"%s\", want man, words, markdown, or nothing", form);
	return EXIT_DONE;
}
