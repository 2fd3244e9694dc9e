/*
 * batch.h: training batches, prepared beside the compute.
 *
 * Batch `iteration` is a pure function of the options, the seed and the cases: it does not depend on threads, timing, or which
 * batches were asked for before, so a resumed run sees what an uninterrupted one sees.
 *
 * An epoch is a permutation of all slices, k of them a batch (k = half the batch when half of it is un-augmented); its last
 * batch is filled up from the permutation's beginning. A slice without foreground is replaced by a random slice of the same
 * patient that has some (Chen et al., MICCAI 2021), if there is one.
 */
#ifndef HY_DATASET_BATCH_H
#define HY_DATASET_BATCH_H

#include "dataset/augment.h"
#include "dataset/preprocess.h"
#include "dataset/randomise.h"
#include "dataset/warp.h"

typedef enum hy_batch_content {
	HY_BATCH_HALF,      /* k augmented slices, then the same k as they are (as published) */
	HY_BATCH_AUGMENTED, /* all augmented */
	HY_BATCH_PLAIN      /* none augmented */
} hy_batch_content;

typedef struct hy_batch_options {
	int64_t batch; /* samples of a batch: 20; even for HY_BATCH_HALF */
	hy_batch_content content;
	bool minmax_plain; /* scale un-augmented slices to [0, 1] each; the published code leaves them as they are: false */
	bool ahead;        /* prepare in a thread of its own; the same bytes either way: true */
	uint64_t seed;
	hy_augment_options augment; /* its size is the batch's height and width */
	bool warps;                 /* augmented samples by strong geometry instead: false */
	hy_warp_options warp;
	hy_randomise_options randomise; /* of the network's input, behind the augmentation: none */
	/* of several processes that share a batch: this one's samples are part, part + parts, ...; parts divides batch: 0 of 1 */
	int64_t part, parts;
} hy_batch_options;

void hy_batch_options_init(hy_batch_options *o, int64_t size); /* as published */

typedef struct hy_batches hy_batches;

/*
 * cases: what hy_preprocess_train made, with labels, all of the same number of channels; they are read, never written, and must
 * outlive the batches. patient_of_case: the same number for cases of the same patient. NULL on failure.
 */
hy_batches *hy_batches_new(const hy_batch_options *o, const hy_slices *cases, const int *patient_of_case, size_t n_cases,
                           hardy_error *err);
void hy_batches_free(hy_batches *b); /* NULL allowed; waits for the thread */

/* Iterations of an epoch: iteration i belongs to epoch i / that. */
int64_t hy_batches_per_epoch(const hy_batches *b);

/*
 * image: batch / parts x channels x size x size in [0, 1], label: batch / parts x size x size. Both stay valid until the next call. Asking
 * for iterations in their order is what is prepared ahead; any other order works, without that.
 */
hardy_status hy_batches_get(hy_batches *b, int64_t iteration, const float **image, const uint8_t **label, hardy_error *err);

/* So far: how many batches were prepared, and the processor's time for it. */
typedef struct hy_batch_times {
	int64_t n;
	double prepare_s;
} hy_batch_times;

hy_batch_times hy_batches_times(hy_batches *b);

/*
 * The network's input for the batch that was asked for last, in the same form and as long valid: its images with some of them
 * randomised; the very same when nothing is.
 */
const float *hy_batches_input(const hy_batches *b);

#endif
