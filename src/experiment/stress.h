/*
 * stress.h: scores of spoiled scans, and the tables made of them (internal to hardy_stress).
 */
#ifndef HY_EXPERIMENT_STRESS_H
#define HY_EXPERIMENT_STRESS_H

#include "artefact/artefact.h"
#include "dataset/dataset.h"
#include "predict/forecast.h"

/* What was done to a scan: an artefact's kind, or one of these. */
enum { HY_STRESS_NONE = -1, HY_STRESS_SHIFT = HY_N_ARTEFACTS, HY_STRESS_END };

typedef struct hy_stress_row {
	char subject[HY_NAME_SIZE], phase[16];
	int kind, level; /* level 0: the protocol */
	int64_t copy;
	double dice[2][HY_MAX_CLASSES]; /* of FTN and FTN+STN by class, [0] unused; NaN where neither has the class */
	double mean[2];                 /* over the classes that are defined */
	double predicted, low;          /* Dice of FTN+STN and its lower bound; NaN from a model without calibration */
} hy_stress_row;

typedef struct hy_stress_result {
	const hardy_stress_options *o;
	const char *data;          /* the data set's root */
	const char *const *models; /* paths */
	size_t n_models;
	const hy_class *classes;
	int n_classes;
	hy_stress_row *rows; /* owned */
	size_t n_rows, n_cases, n_failed;
	bool complete; /* not interrupted */
} hy_stress_result;

const char *hy_stress_name(int kind);           /* "none", "bias" ... "shift" */
double hy_stress_severity(int kind, int level); /* of a sweep's level 1 to 5 */

/*
 * The rows of hardy_stress, on the threads that OpenMP has; no file is written (o->output is ignored). A case that fails is left out with
 * a warning, or with strict an error; so are memory that runs out and a last case that fails. *rows is released with hy_free.
 */
hardy_status hy_stress_collect(const hardy_stress_options *o, bool strict, hy_stress_row **rows, size_t *n_rows,
                               const hardy_log *log, const hardy_stop *stop, hardy_error *err);

/*
 * Case i of a data set as hardy_stress sees it with its defaults: on the protocol's grid, spoiled by one draw of an artefact of ACDC-C
 * (HY_STRESS_NONE: as it is), scaled to [0, 1]. name is SUBJECT_PHASE, which the draw depends on.
 */
hardy_status hy_stress_example(const hy_dataset *d, size_t i, const hy_dataset_options *o, const char *name, int kind,
                               int64_t copy, hy_volume *image, hy_labels *truth, hardy_error *err);

/* One cell of the tables. */
typedef struct hy_stress_cell {
	size_t n; /* cases with a defined mean */
	double mean, sd, below_half, below_tenth, dice[HY_MAX_CLASSES];
} hy_stress_cell;

/* Over the rows of this kind (HY_STRESS_END: of the four of ACDC-C) and level; which: 0 FTN, 1 FTN+STN. */
hardy_status hy_stress_cell_of(const hy_stress_result *r, int kind, int level, int which, hy_stress_cell *cell,
                               hardy_error *err);

/* How the predicted Dice agrees with the true one, over the protocol's rows or the sweep's. */
hardy_status hy_stress_forecast(const hy_stress_result *r, bool sweep, hardy_forecast *f, hardy_error *err);

/* What hy_stress_write may replace as file i of cases.csv, stress.json, sweep.csv: as in hy_outfile_open. */
const char *hy_stress_mark(const hardy_stress_options *o, int i);

/* cases.csv, stress.json and sweep.csv in folder; the tables for people to report. */
hardy_status hy_stress_write(const hy_stress_result *r, const char *folder, hardy_error *err);
hardy_status hy_stress_print(const hy_stress_result *r, const hardy_sink *report, hardy_error *err);

#endif
