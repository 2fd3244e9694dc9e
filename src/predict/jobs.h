/*
 * jobs.h: what a command line asks to predict: models, and scans from files, folders and data sets.
 */
#ifndef HY_PREDICT_JOBS_H
#define HY_PREDICT_JOBS_H

#include "dataset/dataset.h"
#include "image/series.h"
#include "predict/model.h"

#include <cJSON.h>

/* One output: a case of a data set, or a loose scan dressed as one. */
typedef struct hy_job {
	size_t set, index; /* sets[set].cases[index] */
	char *name;        /* owned: of the output, without extension, below HARDY_CASE_SIZE letters */
	char *source;      /* owned: what the scan is called where its file was made from DICOM, FOLDER/NAME; NULL */
} hy_job;

/* A scan that cannot even be tried. */
typedef struct hy_lost {
	char name[HARDY_CASE_SIZE], text[1024];
} hy_lost;

typedef struct hy_jobs {
	hy_dataset *sets; /* owned; loose scans are cases of a set whose root is NULL; a loose file may hold many frames */
	size_t n_sets;
	hy_job *items; /* owned, in the order given, data sets and folders sorted */
	size_t n;
	hy_lost *lost; /* owned */
	size_t n_lost;
	hy_converted *converted; /* owned: folders of DICOM; their scans go with the jobs */
	size_t n_converted;
} hy_jobs;

typedef struct hy_jobs_options {
	int n_channels; /* of the model */
	hy_dataset_options dataset;
	const char *subjects;       /* a file with a name a line, or "a,b,c": only these of the data sets; NULL: all */
	const char *split, *splits; /* the list of that name in a JSON file: only these; NULL */
	int64_t fold;               /* as in hy_splits_read */
	const char *scratch;        /* as in hy_series_convert */
	bool bids;                  /* names of outputs as hy_bids_name makes them */
	const hardy_stop *stop;     /* asked while DICOM is converted; NULL */
} hy_jobs_options;

/*
 * The file name of a training's model that counts: the best in validation, where one was kept; but with the one-cycle schedule, whose last steps are
 * made to be its best, or without validation, the last. Every training writes it to run.json ("model"), and every command takes that one.
 */
const char *hy_model_that_counts(const char *schedule, bool has_best);

/*
 * The model file that an argument stands for: a .safetensors file, a run's folder (the model that its run.json names), or a folder with
 * best, model or last.safetensors, in this order. Newly allocated (hy_free). *model gets NULL when the argument is no model; a run whose model
 * is not there is an error.
 */
hardy_status hy_model_argument(const char *argument, char **model, hardy_error *err);
/*
 * The same for what may be several: the folder of a cross-validation names the model of each of its runs, which must all be done. *models is
 * owned by the caller (hy_models_free), *n 0 where the argument is no model.
 */
hardy_status hy_model_arguments(const char *argument, char ***models, size_t *n, hardy_error *err);
void hy_models_free(char **models, size_t n);

/*
 * inputs: NIfTI files (NAME_0000 ... NAME_000k hold the channels of one scan; with one channel, NAME_0000 and NAME_0001 side by side are
 * scans of their own, which is told), folders of them, data sets, folders of DICOM. Files of a folder that differ in the extension alone are lost. Every
 * wanted subject must be there; two outputs of one name, and no scan at all, are errors.
 */
hardy_status hy_jobs_collect(hy_jobs *jobs, const char *const *inputs, size_t n_inputs, const hy_jobs_options *o,
                             const hardy_log *log, hardy_error *err);

/*
 * The same of one data set, sets[1] then, whose classes are those of the model that path holds: for what compares predictions with
 * labels.
 */
hardy_status hy_jobs_collect_for(hy_jobs *jobs, const char *data, const hy_jobs_options *o, const hy_model *m, const char *path,
                                 const hardy_log *log, hardy_error *err);

void hy_jobs_clear(hy_jobs *jobs);
void hy_job_clear(hy_job *job); /* one that is taken out */

/* Subject and phase that a loose scan's name tells, as data sets read it; false where the name is too long. */
bool hy_job_phase(const hy_jobs *jobs, const hy_job *job, char subject[HY_NAME_SIZE], char phase[16]);
/* What a job's scan is called in messages and tables. */
const char *hy_job_scan(const hy_jobs *jobs, const hy_job *job);
/* Replaces paths of converted scans in text by what they are called; room bytes. */
void hy_jobs_say(const hy_jobs *jobs, char *text, size_t room);

/* Adds to a list what a model has seen, by its card: "data", a data set's name, and "subjects"; and what the model has that it started from. */
hardy_status hy_training_add(cJSON *list, const hy_model *m, hardy_error *err);
/* Whether such a list, NULL for none, has this subject of a data set of that name; nothing has loose scans. */
bool hy_seen(const cJSON *training, const hy_dataset *d, const char *subject);
/* How many of the scans those are; *first: the first such subject, part of jobs, or NULL. */
size_t hy_jobs_trained_on(const hy_jobs *jobs, const cJSON *training, const char **first);
/* A warning of them that ends with `so`, what it means; none where there are no such scans. */
void hy_jobs_warn_trained_on(const hy_jobs *jobs, const cJSON *training, const char *so, const hardy_log *log);

/*
 * Work that several programs divide: "K/N", K from 1 to N, N at most 1000000, is every N-th thing from the K-th on; NULL is all of them, 1/1.
 * HARDY_ERROR_ARGUMENT else.
 */
typedef struct hy_share {
	int64_t number, of;
} hy_share;

hardy_status hy_share_read(const char *text, hy_share *out, hardy_error *err);
bool hy_share_has(const hy_share *p, size_t i); /* whether thing i, from 0, belongs to it */

/* Tells that job i is next: how long one took since start_s (hy_clock_s), and what is left. unit: "scan". */
void hy_jobs_tell_progress(const hy_jobs *jobs, size_t i, double start_s, const char *unit, const hardy_log *log);

#endif
