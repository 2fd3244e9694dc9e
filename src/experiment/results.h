/*
 * results.h: finished runs in memory: methods, test sets, and the score of every case, from lines of results (result.c writes them). The one
 * reader of such lines: the ledger looks for keys, comparisons add the runs of a study, reports read an experiment's whole folder.
 */
#ifndef HY_EXPERIMENT_RESULTS_H
#define HY_EXPERIMENT_RESULTS_H

#include "base/json.h"
#include "dataset/dataset.h"

typedef struct hy_results_method {
	char name[HY_NAME_SIZE], title[160], recipe[256];
} hy_results_method;

typedef struct hy_results_set {
	char name[HY_NAME_SIZE], title[160], kind[16]; /* "intra", "site", "artefact" */
} hy_results_set;

/* One training, finished and scored. */
typedef struct hy_results_run {
	size_t method;
	int64_t seed, steps;
	double train_s;    /* NaN: unknown */
	const cJSON *line; /* of results.jsonl */
	size_t first, n;   /* its scores in the list of all */
} hy_results_run;

/* One case of a set, as a run segmented it. [0] FTN, [1] FTN+STN; NaN where a class is undefined. */
typedef struct hy_results_score {
	size_t run, set;
	const char *name; /* the line's; "" when it has none */
	int64_t draw;     /* of an artefact, from 0 */
	double dice[2][HY_MAX_CLASSES], mean[2];
	double predicted, low; /* the Dice of FTN+STN that the model foretold, and its lower bound; NaN: none */
} hy_results_score;

typedef struct hy_results {
	char *folder;                   /* owned */
	cJSON *experiment, *statistics; /* experiment.json and statistics.json; NULL when absent */
	hy_results_method *methods;     /* all owned */
	hy_results_set *sets;
	hy_results_run *runs;
	hy_results_score *scores; /* by run, set, case */
	char (*classes)[HY_NAME_SIZE];
	cJSON **lines;
	size_t n_methods, n_sets, n_runs, n_scores, n_classes;
} hy_results;

/* A line of a file of results. */
typedef struct hy_results_line {
	const char *text; /* n bytes and a zero byte, without its end */
	size_t n, number; /* number: from 1 */
	cJSON *json;      /* NULL when it is no JSON object; whoever keeps it sets this to NULL */
	const char *key;  /* its "key"; NULL without */
	bool done;        /* its "status" says so, or there is none */
} hy_results_line;

/* Each line, until take returns an error. */
hardy_status hy_results_each(const char *path, hardy_status (*take)(void *payload, hy_results_line *line), void *payload,
                             hardy_error *err);

/* Adds a finished run; takes json over, whatever the result. s begins as {0}. HARDY_ERROR_FORMAT when it is no result. */
hardy_status hy_results_add(hy_results *s, cJSON *json, hardy_error *err);

/* The cases of a set as a run segmented it, one after the other; NULL and *n 0: the run has no such set. */
const hy_results_score *hy_results_cases(const hy_results *s, size_t run, size_t set, size_t *n);

/* The set of that name; n_sets: there is none. */
size_t hy_results_set_named(const hy_results *s, const char *name);

/* The folder of an experiment. HARDY_ERROR_DATA when no run is finished. Messages name file and line. */
hardy_status hy_results_read(hy_results *s, const char *folder, hardy_error *err);
void hy_results_clear(hy_results *s);

/* What experiment.json says about the run; NULL: nothing. */
const cJSON *hy_results_entry(const hy_results *s, const hy_results_run *run);

/* A member's text, or other when it is no text. */
const char *hy_results_text(const cJSON *object, const char *name, const char *other);

/* The mean over a method's cases of a set, each seed by itself and then the seeds; which: 0 FTN, 1 FTN+STN. */
typedef struct hy_results_cell {
	size_t n_seeds, n_cases;        /* cases of one seed */
	double mean, spread;            /* spread: standard deviation over seeds; NaN below two */
	double below_half, below_tenth; /* shares of cases with a mean Dice below 0.5 and 0.1 */
} hy_results_cell;
hy_results_cell hy_results_cell_of(const hy_results *s, size_t method, size_t set, int which);

#endif
