/*
 * recalibrate.h: batch-norm statistics for finished weights, and what a model makes of the slices it was trained on.
 */
#ifndef HY_TRAINING_RECALIBRATE_H
#define HY_TRAINING_RECALIBRATE_H

#include "network/infer.h"

/*
 * Replaces every running mean and variance by the mean over batches of the slices (n x channels x size x size), which are shuffled
 * by seed and cut into whole batches: with one batch, that batch's own. At a small budget the running ones lag behind the
 * weights, most of all in the STN, which sees softmax(p / 2) here, as in prediction.
 */
hardy_status hy_recalibrate(hy_network *network, const float *image, int64_t n, int64_t size, int64_t batch, uint64_t seed,
                            hardy_error *err);

/* Mean and standard deviation over slices of the mean squared error between a slice and D_i(E(x)). */
hardy_status hy_reconstruction_error(hy_network *network, const float *image, int64_t n, int64_t size, double *mean, double *sd,
                                     hardy_error *err);

#endif
