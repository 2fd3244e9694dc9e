/*
 * options.h: every option of every command: name, type, range, default and what it does.
 *
 * The program's command line, its help and manual pages, YAML files of options, run.json and the words that child processes get are all made of
 * these rows, and a program of one's own sets options by name with them.
 *
 * Example:
 *
 *     #include <hardy.h>
 *     #include <stdio.h>
 *
 *     int main(void)
 *     {
 *         hardy_stress_options o;
 *         hardy_error err = {HARDY_OK, ""};
 *         const hardy_options *table = hardy_options_of("stress");
 *         hardy_options_default(table, &o);
 *         if (hardy_option_set(hardy_option_find(table, "copies"), &o, "5", &err)) {
 *             fprintf(stderr, "%s\n", err.message);
 *             return 1;
 *         }
 *         printf("%d copies\n", (int)o.copies);
 *         return 0;
 *     }
 *
 * Tables are constant and may be read from any thread.
 */
#ifndef HARDY_OPTIONS_H
#define HARDY_OPTIONS_H

#include "error.h"

#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What a row's field is, and how a text sets it. */
typedef enum hardy_option_type {
	HARDY_OPTION_SWITCH,  /* bool: "on" or "off", or the second and the first of its choices */
	HARDY_OPTION_WHOLE,   /* int64_t */
	HARDY_OPTION_REAL,    /* double */
	HARDY_OPTION_TIME,    /* double, seconds: "90", "90s", "45m", "2h" */
	HARDY_OPTION_PAIR,    /* double[2]: "0,0.5" */
	HARDY_OPTION_SPACING, /* double[3], mm: "1.5", which is x and y, or "1.5,1.5,10" */
	HARDY_OPTION_CHOICE,  /* an enum: one of choices, which are its values in order */
	HARDY_OPTION_TEXT,    /* const char *, the caller's; one of choices where there are some */
	HARDY_OPTION_TEXTS    /* const char *const * and a size_t behind it, the caller's: hardy_option_set_texts */
} hardy_option_type;

/* What a row is for. */
enum hardy_option_use {
	HARDY_OPTION_CHANGES = 1,   /* results depend on it, and it is no path */
	HARDY_OPTION_NEEDED = 2,    /* a text that is never NULL */
	HARDY_OPTION_ARGUMENT = 4,  /* on the command line an argument, not an option */
	HARDY_OPTION_EITHER = 8,    /* a switch that is on or off by default as others have it: its opposite is an option, too */
	HARDY_OPTION_RECORDED = 16, /* the rest is of trainings: it stands in run.json; */
	HARDY_OPTION_FREE = 32,     /* it may differ when a run goes on; */
	HARDY_OPTION_LENGTH = 64,   /* it may if the learning rate is constant; */
	HARDY_OPTION_LATER = 128,   /* runs of earlier versions lack it; */
	HARDY_OPTION_FITTED = 256   /* where it is left to the data it is no wish when a run goes on */
};

typedef struct hardy_option {
	const char *name;       /* "learning_rate": the struct's field, and the key in run.json */
	hardy_option_type type; /* of the field */
	size_t offset;          /* of the field in the command's struct, bytes */
	const char *value;      /* what its value is called, "N"; NULL for switches that take none on the command line */
	const char *about;      /* one sentence */
	const char *usual;      /* the default, as text; NULL: off, 0, NULL */
	double low, high;       /* range of numbers; both 0: any. A low of -1 that is the default stands for not given */
	const char *choices;    /* "a|b|c", or NULL */
	const char *word;       /* on the command line, "lr"; NULL: the name with - for _ */
	unsigned use;           /* of hardy_option_use */
	int heading;            /* of the table's headings, under which it is shown; 0: before them all */
} hardy_option;

typedef struct hardy_options {
	const char *command; /* "stress" */
	const hardy_option *rows;
	size_t n, size;              /* rows; bytes of the command's struct */
	const char *const *headings; /* from 1 on; NULL: none */
} hardy_options;

/* The table of a command whose options are a struct of hardy/commands.h; NULL when there is none of that name. */
HARDY_API const hardy_options *hardy_options_of(const char *command);

/* The row of that name, or NULL; - counts as _. Also by its word on the command line. */
HARDY_API const hardy_option *hardy_option_find(const hardy_options *table, const char *name);

/*
 * The nearest of the n names to word, upper and lower case alike, or NULL when none is near enough to be what was meant: a third of the letters
 * may be wrong, else it has to begin with word.
 */
HARDY_API const char *hardy_nearest_name(const char *word, const char *const *names, size_t n);

/* Every default of a command's struct. (Trainings: hardy_train_options_init, which knows presets and recipes.) */
HARDY_API void hardy_options_default(const hardy_options *table, void *options);

/*
 * Sets the row's field in a command's struct from text, which must last as long as the struct. HARDY_ERROR_ARGUMENT, and no change, when it is
 * of another type, out of range, or none of the choices: "copies is 0, want 1 to 100"; where there are choices it names the nearest: "tta is
 * \"flip\" (did you mean flips?), want one of none|flips|intensity|both". row NULL (of an unknown name) is one, too.
 */
HARDY_API hardy_status hardy_option_set(const hardy_option *row, void *options, const char *text, hardy_error *err);

/* Sets a row of HARDY_OPTION_TEXTS. */
HARDY_API hardy_status hardy_option_set_texts(const hardy_option *row, void *options, const char *const *texts, size_t n,
                                              hardy_error *err);

/* The field's value as a text that hardy_option_set reads back, cut to size bytes with the zero byte; "" when it is not given. Of TEXTS "". */
HARDY_API void hardy_option_text(const hardy_option *row, const void *options, char *out, size_t size);

/* HARDY_ERROR_ARGUMENT that names the first field out of its range or choices. Every command does this first. */
HARDY_API hardy_status hardy_options_check(const hardy_options *table, const void *options, hardy_error *err);

/*
 * A YAML file of options: one map of names (with - or _) to values, "learning_rate: 0.004"; a value may be a list where an option may be
 * repeated. The entries are in the file's order, a list's one by one; their texts last until the file is freed. HARDY_ERROR_FORMAT names file and
 * line. Release with hardy_option_file_free (NULL allowed).
 */
typedef struct hardy_option_file hardy_option_file;
HARDY_API hardy_status hardy_option_file_read(hardy_option_file **out, const char *path, hardy_error *err);
HARDY_API size_t hardy_option_file_n(const hardy_option_file *f);
HARDY_API void hardy_option_file_entry(const hardy_option_file *f, size_t i, const char **name, const char **text);
HARDY_API void hardy_option_file_free(hardy_option_file *f);

#ifdef __cplusplus
}
#endif
#endif
