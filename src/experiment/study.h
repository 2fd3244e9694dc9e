/*
 * study.h: an experiment resolved into runs: which method, which seed, which subjects, which test sets, and the key under which the
 * result of a run is known on any machine.
 */
#ifndef HY_EXPERIMENT_STUDY_H
#define HY_EXPERIMENT_STUDY_H

#include "artefact/artefact.h"
#include "base/json.h"
#include "base/sha256.h"
#include "dataset/dataset.h"
#include "experiment/methods.h"
#include "training/recipe.h"

/* Goes up when the same configuration gives other results than before: then results of earlier versions do not count. */
enum { HY_RESULT_VERSION = 1 };

/* One DATA argument, "[NAME=]FOLDER[:labels=...][:classes=A,B][:title=TEXT][:labelled-slices]". */
typedef struct hy_source {
	char *text, *name, *folder, *labels, *classes, *title; /* in text, which is owned; labels and classes may be NULL */
	bool labelled_slices;
} hy_source;

typedef enum hy_set_kind { HY_SET_INTRA, HY_SET_SITE, HY_SET_ARTEFACT, HY_N_SET_KINDS } hy_set_kind;
extern const char *const hy_set_kind_names[HY_N_SET_KINDS]; /* "intra", "site", "artefact" */

/* The training site's test subjects, another site, or the former with one artefact. */
typedef struct hy_test_set {
	hy_set_kind kind;
	size_t source; /* index of the data set */
	hy_artefact_kind artefact;
	char name[HY_NAME_SIZE], title[HY_NAME_SIZE + 16];
} hy_test_set;

typedef enum hy_run_state { HY_RUN_WAITING, HY_RUN_BEGUN, HY_RUN_FAILED, HY_RUN_DONE } hy_run_state;

typedef struct hy_study_run {
	const hy_method *method;
	char name[96]; /* METHOD-SEED */
	char *folder;  /* owned: OUTPUT/runs/NAME */
	hy_recipe recipe;
	hardy_train_options train; /* its text is the study's, its recipe recipe.text, its output folder */
	hy_split split;
	cJSON *config; /* owned: all that the result depends on, but the data */
	char key[HY_SHA256_TEXT], config_hash[HY_SHA256_TEXT], data_hash[HY_SHA256_TEXT];
	char training_key[HY_SHA256_TEXT]; /* of what the model depends on */
	hy_run_state state;
	char *line;         /* owned: the result, one line of JSON without its end; NULL until done */
	char failure[1024]; /* when failed */
} hy_study_run;

typedef struct hy_study {
	const hardy_experiment_options *o;
	const hardy_log *log;
	const hardy_stop *stop;
	const hy_experiment *experiment;
	hardy_train_options base; /* preset and the user's changes */
	hy_source *sources;       /* owned */
	size_t n_sources;
	char **words; /* owned: pieces of option texts that train points to */
	size_t n_words;
	hy_test_set *sets; /* owned */
	size_t n_sets;
	const hy_method *const *methods; /* owned list */
	size_t n_methods;
	char *splits;                           /* owned: resolved path */
	bool shown_splits;                      /* a temporary file, of a study that is only told about */
	hy_dataset training;                    /* the first source: names, no voxels */
	char (*file_hashes)[2][HY_SHA256_TEXT]; /* owned: of its cases' image and label, "" until needed */
	hy_study_run *runs;                     /* owned: seed by seed, in each all methods */
	size_t n_runs;
} hy_study;

/*
 * Opens one of the sources. Cases that cannot be used are told to s->log and left out, or with strict an error; none that can be is one, too.
 * *n_lost, not NULL: how many.
 */
hardy_status hy_study_open(const hy_study *s, size_t source, hy_dataset *d, size_t *n_lost, hardy_error *err);

/* Whether a case that ended so is left out, which is told to s->log: not with strict, nor where memory ran out or someone interrupted. */
bool hy_study_leaves_out(const hy_study *s, hardy_status status, const hardy_error *err);

/*
 * Reads the arguments, names of files, and the scans of training and validation subjects (for their hash). Of test sets only names and
 * sizes of files are looked at.
 */
hardy_status hy_study_make(hy_study *s, const hardy_experiment_options *o, const hardy_log *log, const hardy_stop *stop,
                           hardy_error *err);
void hy_study_clear(hy_study *s);

/* How the data set is to be opened. */
/* What an output of the experiment may replace: mark, or anything when the user asks for that; as in hy_outfile_open. */
const char *hy_study_mark(const hy_study *s, const char *mark);

hy_dataset_options hy_study_dataset_options(const hy_study *s, size_t source);
/* Whether the case belongs to a set (a case of that set's source). */
bool hy_study_has_case(const hy_study_run *run, const hy_test_set *set, const hy_case *c);

/* Whether the run's last model is scored: with a schedule that ends at zero, and without validation; else the best one, as published. */
bool hy_study_scores_last(const hy_study_run *run);

/* A path in the study's folder; NULL when memory runs out. */
char *hy_study_path(const hy_study *s, const char *name) HY_MUST_USE;

#endif
