/*
 * option.h: the rows of options.h as the library uses them: what tables are made of, and what else is done by them: run.json, what may change
 * when a run goes on, the words of a command line.
 */
#ifndef HY_BASE_OPTION_H
#define HY_BASE_OPTION_H

#include "base/json.h"

#include <hardy/options.h>

/* The tables, each defined beside its command. */
extern const hardy_options hy_bench_table, hy_calibrate_table, hy_check_table, hy_corrupt_table, hy_demo_table,
    hy_evaluate_table, hy_experiment_table, hy_export_table, hy_figures_table, hy_phantom_table, hy_predict_table,
    hy_report_table, hy_stress_table, hy_train_table;

#define HY_TABLE_ROWS(rows) (rows), sizeof(rows) / sizeof *(rows)

/* A row of a field of `owner`, the command's struct; what follows `text` names further members of the row. */
#define HY_OPTION(owner, field, called, text, ...)                                                                             \
	{                                                                                                                          \
		.name = #field, .offset = offsetof(owner, field), .value = called, .about = text, __VA_ARGS__                          \
	}

/* Rows that many commands have. */
#define HY_OPTION_OUTPUT(owner, called, text) HY_OPTION(owner, output, called, text, .type = HARDY_OPTION_TEXT)
#define HY_OPTION_OVERWRITE(owner, text)      HY_OPTION(owner, overwrite, NULL, text, .type = HARDY_OPTION_SWITCH)
#define HY_OPTION_ARGUMENT(owner, field, called, text)                                                                         \
	HY_OPTION(owner, field, called, text, .type = HARDY_OPTION_TEXT, .use = HARDY_OPTION_ARGUMENT)
#define HY_OPTION_ARGUMENTS(owner, field, called, text)                                                                        \
	HY_OPTION(owner, field, called, text, .type = HARDY_OPTION_TEXTS, .use = HARDY_OPTION_ARGUMENT)
#define HY_OPTION_THREADS(owner)                                                                                               \
	HY_OPTION(owner, threads, "N", "Threads; 0: as many as there are.", .type = HARDY_OPTION_WHOLE, .usual = "0", .high = 1024)
#define HY_OPTION_SEED(owner, text)                                                                                            \
	HY_OPTION(owner, seed, "N", text, .type = HARDY_OPTION_WHOLE, .usual = "0", .high = 9007199254740992.0)
#define HY_OPTION_LABELS(owner)                                                                                                \
	HY_OPTION(owner, labels, "NAME=V,...", "What a data set's label values mean, where nothing says it, e.g. lv=3,myo=2.",     \
	          .type = HARDY_OPTION_TEXT, .use = HARDY_OPTION_CHANGES)
#define HY_OPTION_SPACING(owner)                                                                                               \
	{                                                                                                                          \
		.name = "spacing", .type = HARDY_OPTION_SPACING, .offset = offsetof(owner, spacing_mm), .value = "X,Y,Z",              \
		.about = "Spacing in mm to believe instead of the files'.", .high = 1000, .use = HARDY_OPTION_CHANGES                  \
	}

/* Which subjects of data sets. */
#define HY_OPTIONS_SUBJECTS(owner)                                                                                             \
	HY_OPTION(owner, subjects, "FILE|NAME,...", "Of data sets, these subjects only; in a file one a line.",                    \
	          .type = HARDY_OPTION_TEXT),                                                                                      \
	    HY_OPTION(owner, split, "NAME", "Of data sets, the subjects of this list of splits only, e.g. test.",                  \
	              .type = HARDY_OPTION_TEXT),                                                                                  \
	    HY_OPTION(owner, splits, "FILE", "JSON file with lists of subjects.", .type = HARDY_OPTION_TEXT),                      \
	    HY_OPTION(owner, fold, "N", "Of splits that are a list of folds, as nnU-Net writes; from 0.",                          \
	              .type = HARDY_OPTION_WHOLE, .usual = "-1", .low = -1, .high = 1e6)

/* How a model is run. */
#define HY_OPTION_TTA(owner)                                                                                                   \
	HY_OPTION(owner, tta, "WHAT",                                                                                              \
	          "Average over variants of each slice: mirrored (4 runs), of other contrast (3 runs), or both (12).",             \
	          .type = HARDY_OPTION_TEXT, .choices = "none|flips|intensity|both")
#define HY_OPTION_ADAPT(owner)                                                                                                 \
	HY_OPTION(owner, adapt, NULL,                                                                                              \
	          "Adapt batch-norm statistics to each scan: the model's own count as one more batch of its slices.",              \
	          .type = HARDY_OPTION_SWITCH)
#define HY_OPTION_STN_ITERATIONS(owner)                                                                                        \
	HY_OPTION(owner, stn_iterations, "N", "Let the STN refine its own result until it has run N times.",                       \
	          .type = HARDY_OPTION_WHOLE, .usual = "1", .low = 1, .high = 20)
#define HY_OPTION_BATCH(owner)                                                                                                 \
	HY_OPTION(owner, batch, "N", "Slices a run; 0: chosen by the number of slices.", .type = HARDY_OPTION_WHOLE, .usual = "0", \
	          .high = 1024)
#define HY_OPTIONS_PREDICTOR(owner) HY_OPTION_ADAPT(owner), HY_OPTION_STN_ITERATIONS(owner), HY_OPTION_TTA(owner)

/* The range and choices of the value that the row's field has. HARDY_ERROR_ARGUMENT as of hardy_option_set. */
hardy_status hy_option_check(const hardy_option *r, const void *options, hardy_error *err);

/* The number of a row; the first of a pair or spacing, 0 or 1 of a switch. */
double hy_option_number(const hardy_option *r, const void *options);

bool hy_option_equal(const hardy_option *r, const void *a, const void *b);

/* Sets a field by its key in JSON: a row's name, or one of the names that a pair or a spacing has there. HARDY_ERROR_ARGUMENT as of
 * hardy_option_set, and when there is none of that name. */
hardy_status hy_options_set_key(const hardy_options *table, void *options, const char *key, const char *text, hardy_error *err);

/* The row's value as it is told: "none" where there is no text. */
void hy_option_describe(const hardy_option *r, const void *options, char *out, size_t size);

/*
 * Adds the row's value to a JSON object: numbers, true and false, text or null; of a pair NAME_low and NAME_high, of a spacing NAME_x_mm,
 * NAME_y_mm and NAME_z_mm. False when memory runs out.
 */
bool hy_option_to_json(const hardy_option *r, const void *options, cJSON *object);

/* Takes what hy_option_to_json adds out of the object. */
void hy_option_drop(const hardy_option *r, cJSON *object);

/* How many bytes the row's text takes with its zero byte; 0 of others, and of none. */
size_t hy_option_room(const hardy_option *r, const cJSON *object);

typedef enum hy_option_read { HY_OPTION_READ, HY_OPTION_MISSING, HY_OPTION_WRONG } hy_option_read;

/* Reads the row's value from such an object; a text is copied to *text, which moves on. A key that is missing leaves its value as it was. Nothing
 * but the type is looked at. */
hy_option_read hy_option_from_json(const hardy_option *r, void *options, const cJSON *object, char **text);

/* Calls add with the words of a command line that set what differs from the defaults: the option's word without its dashes, and its value or NULL
 * for a switch alone. Arguments are not among them. False when memory runs out. */
bool hy_options_words(const hardy_options *table, const void *options,
                      void (*add)(void *to, const char *word, const char *value), void *to);

/* hardy_option_file_read of text in memory; path is named in messages. */
hardy_status hy_option_file_parse(hardy_option_file **out, const char *text, size_t size, const char *path, hardy_error *err);

#endif
