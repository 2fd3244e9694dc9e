/*
 * set.h: everything that a training reads from its data set, in memory: slices to train on, to recalibrate and to validate with.
 */
#ifndef HY_TRAINING_SET_H
#define HY_TRAINING_SET_H

#include "dataset/batch.h"
#include "dataset/survey.h"
#include "predict/model.h"

/* Cases by the test path, slices one after the other; with several planes each case as often, plane by plane. */
typedef struct hy_stack {
	int64_t n;        /* slices */
	float *image;     /* owned; n x channels x size x size */
	uint8_t *label;   /* owned; n x size x size */
	int64_t *n_slice; /* owned; per case */
	size_t n_cases;
} hy_stack;

/* What the labels to train on say of how the objects lie, where the options leave it to them. */
typedef struct hy_fitted {
	bool alike_asked;
	hy_alike alike;
} hy_fitted;

typedef struct hy_training_set {
	hy_dataset dataset;
	hy_split split;
	hy_slices *parts;                 /* owned; by the training path, one per training case and plane */
	int *subject;                     /* owned; of each of them, index into split.train */
	size_t n_parts, room;             /* of them, and of what there is memory for */
	size_t n_cases;                   /* training cases */
	hy_stack calibration, validation; /* training and validation subjects by the test path */
	hy_fingerprint fingerprint;       /* without reconstruction errors */
	hy_fitted fitted;
	uint32_t checksum; /* of the training slices: a resumed run must find the same */
} hy_training_set;

/*
 * Opens the data set, draws subjects and reads their labelled cases. A training set without foreground, or whose labels all lie outside
 * of the plan's field of view, is an error; a class that no training label holds is a warning. A scan that cannot be used is one, too,
 * and left out, unless o->strict. *plan gets the directions of the training scans. What o leaves to the data (hy_fit_asked) is filled in,
 * in *plan, too. stop as in hardy_train.
 */
hardy_status hy_training_set_load(hy_training_set *s, hardy_train_options *o, hy_plan *plan, const hardy_log *log,
                                  const hardy_stop *stop, hardy_error *err);
void hy_training_set_clear(hy_training_set *s);

#endif
