/*
 * results.h: what `hardy experiment` left in its folder, read for a report: methods, test sets, runs, and the score of every case.
 */
#ifndef HY_REPORT_RESULTS_H
#define HY_REPORT_RESULTS_H

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
} hy_results_run;

/* One case of a set, as a run segmented it. [0] FTN, [1] FTN+STN; NaN where a class is undefined. */
typedef struct hy_results_score {
	size_t run, set;
	char name[160];
	int64_t draw; /* of an artefact, from 0 */
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

/* HARDY_ERROR_DATA when no run is finished. Messages name file and line. */
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
