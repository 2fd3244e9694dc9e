/*
 * validate.h: overlap of FTN and FTN+STN with the labels of whole cases, on the network's grid.
 */
#ifndef HY_TRAINING_VALIDATE_H
#define HY_TRAINING_VALIDATE_H

#include "base/ranks.h"
#include "training/set.h"

/* Means over foreground classes of the means over cases; a class that case and prediction lack does not count. NaN: none counts. */
typedef struct hy_validation {
	double iou[2], dice[2]; /* [0] FTN, [1] FTN+STN */
} hy_validation;

typedef struct hy_validator hy_validator;

#define HY_USE_GAIN 0.001 /* Dice */

/* network and stack stay the caller's. */
hy_validator *hy_validator_new(hy_network *network, const hy_stack *stack, int64_t size, hardy_error *err);
void hy_validator_free(hy_validator *v);
/* From now on hy_validator_run, called by all ranks, divides the slices over them; all get all labels. At first it has them for itself. */
void hy_validator_share(hy_validator *v, const hy_ranks *ranks);

/*
 * How the network predicts best, on the same cases: FTN or FTN+STN, the largest component of each class or all, and, if they may be
 * (slices were mirrored in training), over mirrored slices, which cost four times. The last two where they gain HY_USE_GAIN at least.
 */
hardy_status hy_validator_choose(hy_validator *v, bool may_mirror, hy_use *out, hardy_error *err);

/* A slice of the last run, as the network sees and labels it; pointers lie in validator and stack. */
typedef struct hy_shot {
	const float *image;           /* size x size: the first channel */
	const uint8_t *truth, *label; /* size x size class indices; label by FTN+STN */
	size_t scan;                  /* of the stack, from 0 */
	int64_t slice, n_slices;      /* of the scan, from 0 */
} hy_shot;

/* Of room scans, evenly among all, the slice with the largest true objects: the same ones after every run. Returns how many. */
size_t hy_validator_shots(const hy_validator *v, hy_shot *out, size_t room);

/* Scores the network as its weights and running statistics are now. */
hardy_status hy_validator_run(hy_validator *v, hy_validation *out, hardy_error *err);

#endif
