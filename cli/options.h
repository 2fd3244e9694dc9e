/*
 * options.h: the command line: what was given of a command's options, whose rows are the library's (hardy/options.h) and a few of the program's
 * own, and what --help shows of them.
 */
#ifndef HARDY_CLI_OPTIONS_H
#define HARDY_CLI_OPTIONS_H

#include <hardy.h>

/* Exit codes of the program. */
enum { EXIT_DONE = 0, EXIT_FAILED = 1, EXIT_USAGE = 2, EXIT_PARTIAL = 3, EXIT_BELOW = 4, EXIT_INTERRUPTED = 130 };

typedef struct command {
	const char *name, *arguments, *summary, *details;
	const char *examples[3]; /* command lines; ends with NULL */
	int (*run)(const struct command *self, int argc, char **argv);
} command;

extern const command *const commands[]; /* ends with NULL */

/* A table and the struct whose fields its rows name; hold the defaults before the command line is read, for --help to show. */
typedef struct option_set {
	const hardy_options *table;
	void *values;
} option_set;

enum { MOST_SETS = 2 }; /* the command's in the library, the program's own */

/* One option that was given: by the command line or a file of options. */
typedef struct given {
	const hardy_option *row;
	void *values;
	const char *text; /* "on" or "off" for a switch alone */
} given;

/* A command line that was read; {0} to begin with. */
typedef struct arguments {
	option_set sets[MOST_SETS];
	given *given; /* owned: those of files first */
	size_t n;
	const char **rest; /* owned: what is no option */
	size_t n_rest;
	hardy_option_file *file; /* owned */
	const char ***lists;     /* owned, and each: of options that may be repeated */
	size_t n_lists;
} arguments;

/*
 * Reads argv[1..] by the tables of a->sets. Returns -1 to go on, or an exit code (0 after --help, 2 after a usage error whose message was
 * printed). Options end at "--". Both "--size 96" and "--size=96" are read; an abbreviated "-o" is --output; --options FILE stands for what a
 * YAML file says. n_min and n_max bound the arguments that are no options. Release with arguments_clear, whatever the result.
 */
int arguments_read(arguments *a, const command *self, int argc, char **argv, size_t n_min, size_t n_max);

/* Sets the fields of a->sets. Returns as arguments_read does. */
int arguments_apply(arguments *a, const command *self);

/* Both. own: rows of the program's own, or NULL. options get their defaults first, own holds its. */
int arguments_take(arguments *a, const command *self, void *options, const option_set *own, int argc, char **argv, size_t n_min,
                   size_t n_max);

/* The text that was given last for the option of this name; NULL when it was not. */
const char *arguments_find(const arguments *a, const char *name);

void arguments_clear(arguments *a);

/* Prints what the tables say: "" as --help does, "man" as a manual page, "markdown" as a section of docs/COMMANDS.md, "words" as one line an
 * option for a shell's completion: its name, and behind it its choices, * if any value may follow, or nothing if none does. */
int options_help(const command *self, const option_set sets[MOST_SETS], const char *form);

/* Prints what docs/COMMANDS.md begins with: the table of commands, and the options that all have. */
void options_page_begins(const command *const *all);

/* The option on the command line: "--learning-rate"; negative: "--no-minmax". */
void option_word(const hardy_option *row, bool negative, char *out, size_t size);

/* Whether a switch stands alone, without a value. */
bool option_is_flag(const hardy_option *row);

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

/* From now on Ctrl-C and SIGTERM make the returned question true, once; the second one ends the program. */
hardy_stop interrupt_stop(void);

/* A sink that writes to stdout. main reports what could not be written. */
hardy_sink stdout_sink(void);

#endif
