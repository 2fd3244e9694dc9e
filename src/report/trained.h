/*
 * trained.h: what a training left in its folder, read for a report: what was done, the scans that it used, and its validation scans, which are
 * segmented again. The folder of a cross-validation holds as many trainings as folds.
 */
#ifndef HY_REPORT_TRAINED_H
#define HY_REPORT_TRAINED_H

#include "base/json.h"
#include "draw/blob.h"
#include "predict/model.h"

/* What a subject served for; in a cross-validation every one does for both, HY_ROLE_FOLDS. */
enum hy_role { HY_ROLE_TRAIN, HY_ROLE_VALIDATION, HY_ROLE_TEST, HY_ROLE_FOLDS, HY_N_ROLES };

/* A labelled scan of the data set, as its label map is stored, with the axis across the slices last. */
typedef struct hy_trained_scan {
	char subject[HY_NAME_SIZE], phase[16], site[HY_NAME_SIZE];
	enum hy_role role;
	int64_t shape[3];                 /* columns, rows, slices */
	double spacing_mm[3];             /* likewise */
	double volume_ml[HY_MAX_CLASSES]; /* NaN where the class is not there */
} hy_trained_scan;

/* A validation scan as the model segments it, in its own grid. */
typedef struct hy_trained_case {
	char name[HARDY_CASE_SIZE];
	size_t part;
	double dice[HY_MAX_CLASSES], mean; /* NaN where neither has the class */
	double truth_ml[HY_MAX_CLASSES], found_ml[HY_MAX_CLASSES];
	int64_t slice[3], n_slices; /* shown, from 0 */
	hy_blob picture;            /* PNG: these slices with the borders of both */
} hy_trained_case;

/* One training. */
typedef struct hy_trained_part {
	char *folder;  /* owned */
	cJSON *json;   /* owned: run.json */
	char *metrics; /* owned: metrics.csv, cut up by whoever draws it; NULL when it is not there */
} hy_trained_part;

typedef struct hy_trained {
	cJSON *folds; /* owned: folds.json; NULL: one training */
	hy_trained_part *parts;
	size_t n_parts;
	hy_class classes[HY_MAX_CLASSES]; /* of the models; n_classes with background, 0: none could be read */
	int n_classes;
	hy_use use;                 /* of the first model */
	hy_fingerprint fingerprint; /* likewise: what its training scans looked like; n_volumes 0: unknown */
	hy_trained_scan *scans;
	size_t n_scans;
	hy_trained_case *cases; /* the worst first */
	size_t n_cases;
	char *note;    /* owned; what could not be shown and why; NULL: all is there */
	char date[16]; /* on which run.json or folds.json was written, in UTC */
} hy_trained;

/* Whether a folder is that of `hardy train`, and none of an experiment; an error only when memory runs out. */
hardy_status hy_trained_look(const char *folder, bool *is, hardy_error *err);

/*
 * Reads what is in the folder; with scores, also data set and models, where they are: what is missing is a note. A folder whose records are
 * damaged is HARDY_ERROR_FORMAT.
 */
hardy_status hy_trained_read(hy_trained *t, const char *folder, bool scores, const hardy_log *log, hardy_error *err);
void hy_trained_clear(hy_trained *t);

/* Members of run.json, of the first training of several. */
const cJSON *hy_trained_option(const hy_trained *t, const char *name);
const cJSON *hy_trained_data(const hy_trained *t, const char *name);

/* The mean over the cases that have it of a class's Dice, or with class 0 the mean of these means over classes; NaN without any. */
double hy_trained_dice(const hy_trained *t, int class);

#endif
