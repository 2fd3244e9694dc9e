/*
 * checkpoint.h: where a training stands, saved beside weights and moments so that it goes on with the same bytes.
 */
#ifndef HY_TRAINING_CHECKPOINT_H
#define HY_TRAINING_CHECKPOINT_H

#include "predict/model.h"
#include "training/step.h"

typedef struct hy_progress {
	int64_t step, steps; /* made, in all */
	int64_t epoch;       /* completed */
	int64_t n_rows;      /* of the metrics */
	double sums[HY_N_TERMS];
	int64_t n_sums;  /* steps of the open epoch that sums covers */
	double best_iou; /* -1 before the first validation */
	int64_t best_epoch;
	double seconds, epoch_seconds; /* spent so far, and on the open epoch */
	uint32_t checksum;             /* of the training slices */
} hy_progress;

/* Atomic: the file is the old or the new one. */
hardy_status hy_checkpoint_save(const char *path, const hy_model *model, const hy_progress *p, hardy_error *err);

/* A checkpoint of another network than model's plan, classes and channels describe is an error. Fills model->network and card. */
hardy_status hy_checkpoint_load(const char *path, hy_model *model, hy_progress *p, hardy_error *err);

#endif
