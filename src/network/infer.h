/*
 * infer.h: the networks' forward pass on slices, for prediction, validation and recalibration of batch norm.
 */
#ifndef HY_NETWORK_INFER_H
#define HY_NETWORK_INFER_H

#include "network/network.h"

typedef struct hy_infer_options {
	int64_t
	    batch; /* batch statistics: slices a run, of which n must be a multiple; running ones: how many will come, at least */
	int64_t height, width;
	bool stn, reconstruct; /* compute p0 and x0 too; p0 of a network without a second one is p, and x0 of one without an image
	                          decoder is left as it is */
	int stn_iterations;    /* how often the STN refines, each time its own last result: 0 and 1 are once */
	hy_norm_mode norm;     /* RUNNING for prediction; TRACK for recalibration; BATCH to adapt to the slices at hand */
	hy_tape_options engine;
} hy_infer_options;

typedef struct hy_infer hy_infer;

hy_infer *hy_infer_new(hy_network *network, const hy_infer_options *o, hardy_error *err);
void hy_infer_free(hy_infer *f);
/* For profiles: the passes that run beside one another; tape i of them, or NULL. */
hy_tape *hy_infer_tape(hy_infer *f, int i);
/* The part of a batch that running statistics take over in TRACK mode; 0.1. */
void hy_infer_momentum(hy_infer *f, double momentum);

/*
 * image: n x channels x height x width, any n >= 1. p, p0: n x classes x height x width logits of FTN and FTN+STN; x0: the
 * reconstruction, shaped like image. NULL where unwanted.
 */
hardy_status hy_infer_run(hy_infer *f, const float *image, int64_t n, float *p, float *p0, float *x0, hardy_error *err);

#endif
