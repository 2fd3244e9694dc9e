/*
 * options.h: one table per command drives the parser and --help.
 */
#ifndef HARDY_CLI_OPTIONS_H
#define HARDY_CLI_OPTIONS_H

#include <hardy.h>

/* Exit codes of the program. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_PARTIAL = 3, EXIT_BELOW = 4, EXIT_INTERRUPTED = 130 };

typedef enum option_kind {
	OPTION_HEADING,  /* no option: help is the heading of those that follow */
	OPTION_FLAG,     /* bool *: set true */
	OPTION_INT,      /* int64_t * */
	OPTION_DOUBLE,   /* double * */
	OPTION_STRING,   /* const char ** */
	OPTION_STRINGS,  /* string_list *: may be repeated */
	OPTION_DURATION, /* double *, seconds: 90, 90s, 45m, 2h */
	OPTION_SPACING   /* double[3], mm: "1.5" (x and y) or "1.5,1.5,10" */
} option_kind;

typedef struct string_list {
	const char **items;
	size_t n;
} string_list;

typedef struct option {
	const char *name; /* "--size". "--output" also answers to -o; NULL for a heading */
	option_kind kind;
	void *target;            /* holds the default, which --help prints */
	const char *placeholder; /* "N", NULL for flags */
	const char *help;        /* one sentence */
	double low, high;        /* range of numbers, both 0: any; a low of -1 that is the default stands for not given */
	const char *choices;     /* "a|b|c" for strings, or NULL */
} option;

typedef struct command {
	const char *name, *arguments, *summary, *details;
	const char *examples[3]; /* command lines; ends with NULL */
	int (*run)(const struct command *self, int argc, char **argv);
} command;

extern const command *const commands[]; /* ends with NULL */

/*
 * Parses argv[1..]; positional arguments are collected in rest. Returns -1 to go on, or an exit code (0 after --help, 2 after a
 * usage error whose message was printed). Options end at "--". Both "--size 96" and "--size=96" are read. n_min and n_max bound
 * the number of positional arguments. Release with options_clear, whatever the result.
 */
int options_parse(const command *self, const option *table, size_t n_table, int argc, char **argv, size_t n_min, size_t n_max,
                  string_list *rest);
void options_clear(const option *table, size_t n_table, string_list *rest);

/* Prints what the table says: "" as --help does, "man" as a manual page, "words" as one line an option for a shell's completion: its name,
 * and behind it its choices, * if any value may follow, or nothing if none does. */
int options_help(const command *self, const option *table, size_t n_table, const char *form);

/* Prints "hardy COMMAND: message" to stderr and returns EXIT_USAGE. For arguments that only the command can judge. */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
int usage_error(const command *self, const char *format, ...);

/* Prints "hardy COMMAND: message" to stderr, unless another process tells it (hardy_rank_speaks), and returns the exit code for the status. */
int report_error(const command *self, hardy_status status, const hardy_error *err);

/* A log that writes warnings and lines to stderr, and progress in place on a terminal, as plain lines at most every ten seconds
 * otherwise. */
hardy_log terminal_log(void);
/* --verbose (-v) and --quiet (-q), which every command takes: warnings that repeat are shown, not counted; only warnings and errors are
 * shown. */
extern bool options_verbose, options_quiet;

/* The nearest of the n names to word, or NULL when none is near enough to be what was meant. */
const char *nearest_name(const char *word, const char *const *names, size_t n);

/* From now on Ctrl-C and SIGTERM make the returned question true, once; the second one ends the program. */
hardy_stop interrupt_stop(void);

/* A sink that writes to stdout. main reports what could not be written. */
hardy_sink stdout_sink(void);

#endif
