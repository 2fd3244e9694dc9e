/*
 * unlabelled.h: the scans without labels that join a training.
 */
#ifndef HY_TRAINING_UNLABELLED_H
#define HY_TRAINING_UNLABELLED_H

#include "training/set.h"

enum { HY_UNLABELLED_FRAMES = 6 }; /* at most, of a cine, evenly spaced */

typedef struct hy_unlabelled {
	hy_slices *cases; /* owned; by the training path, labels all 0; one per scan or frame */
	int *scan;        /* owned; the scan that each belongs to */
	size_t n_cases, n_scans;
	int64_t n_slices;
} hy_unlabelled;

/*
 * Reads o->unlabelled: NIfTI files, a folder of them, or a data set, whose labels are not looked at. Of the data set that is trained on, or
 * a copy by its path, only subjects take part that are in no list of the split: neither those to train on nor validation nor test.
 * No scan left is an error.
 */
hardy_status hy_unlabelled_load(hy_unlabelled *u, const hardy_train_options *o, const hy_plan *plan, const hy_training_set *set,
                                const hardy_log *log, const hardy_stop *stop, hardy_error *err);
void hy_unlabelled_clear(hy_unlabelled *u);

#endif
