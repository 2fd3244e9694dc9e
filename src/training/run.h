/*
 * run.h: the run directory: run.json, metrics.csv, metrics.jsonl, progress.svg and progress.html, and the names of the models in it.
 */
#ifndef HY_TRAINING_RUN_H
#define HY_TRAINING_RUN_H

#include "base/lock.h"
#include "base/text.h"
#include "training/options.h"
#include "training/progress_page.h"
#include "training/validate.h"

/* One epoch. NaN where there is no value (terms that the recipe lacks, epochs without validation). */
typedef struct hy_metrics_row {
	int64_t epoch, step; /* 1-based; step: how many were made */
	double learning_rate, loss, terms[HY_N_TERMS];
	hy_validation validation;
	double seconds, steps_per_s; /* since the start of the run, of this epoch */
} hy_metrics_row;

typedef struct hy_run {
	char *json, *csv, *jsonl, *curves, *page, *best, *last, *checkpoint, *lock_path; /* owned paths */
	hy_text text[2];                                                                 /* content of csv and jsonl */
	int64_t n_rows;
	hy_lock lock;
	bool made_folder;
} hy_run;

/* What run.json says besides options and data. */
typedef struct hy_run_facts {
	const char *status; /* "running", "interrupted", "failed", "done" */
	const hy_recipe *recipe;
	int64_t steps, steps_per_epoch, step; /* in all, and made */
	int threads, ranks;
	double step_s; /* timed before fixing the steps of a budget; 0 */
	double seconds;
	const hy_validation *last, *best; /* of the finished models; NULL */
	int64_t best_epoch;
} hy_run_facts;

hardy_status hy_run_init(hy_run *r, const char *folder, hardy_error *err);
void hy_run_clear(hy_run *r);

/* What an earlier run left in the folder is an error that says what to do, unless resume; overwrite removes it. What no run left there is
 * an error unless overwrite. */
hardy_status hy_run_open(const hy_run *r, const hardy_train_options *o, hardy_error *err);
/* Whether hy_run_open would fail: to be asked before minutes go into reading scans. */
hardy_status hy_run_check(const hy_run *r, const hardy_train_options *o, hardy_error *err);

/*
 * Makes the folder (unless resume) and keeps others from training in it until hy_run_unlock, which takes back a folder that was made in vain:
 * HARDY_ERROR_ARGUMENT when one does already.
 */
hardy_status hy_run_lock(hy_run *r, const hardy_train_options *o, const hardy_log *log, hardy_error *err);
void hy_run_unlock(hy_run *r, const hardy_train_options *o);

/* Writes run.json; o names its data by a path from the root. */
hardy_status hy_run_write(const hy_run *r, const hardy_train_options *o, const hy_training_set *set, const hy_run_facts *facts,
                          hardy_error *err);

/* Adds a row to both tables, and draws the curves anew. */
hardy_status hy_run_add(hy_run *r, const hy_metrics_row *row, hardy_error *err);

/* Writes progress.html: the curves of the rows there are and what *p says, whose title and curves are filled in on the way. */
hardy_status hy_run_show(const hy_run *r, hy_progress_facts *p, hardy_error *err);

/* Reads the tables of a run back and keeps n_rows: later ones belong to steps that will be made again. */
hardy_status hy_run_truncate(hy_run *r, int64_t n_rows, const hardy_log *log, hardy_error *err);

#endif
