/*
 * validate.h: overlap of FTN and FTN+STN with the labels of whole cases, on the network's grid.
 */
#ifndef HY_TRAINING_VALIDATE_H
#define HY_TRAINING_VALIDATE_H

#include "training/set.h"

/* Means over foreground classes of the means over cases; a class that case and prediction lack does not count. NaN: none counts. */
typedef struct hy_validation {
	double iou[2], dice[2]; /* [0] FTN, [1] FTN+STN */
} hy_validation;

typedef struct hy_validator hy_validator;

/* network and stack stay the caller's. */
hy_validator *hy_validator_new(hy_network *network, const hy_stack *stack, int64_t size, hardy_error *err);
void hy_validator_free(hy_validator *v);

/* Scores the network as its weights and running statistics are now. */
hardy_status hy_validator_run(hy_validator *v, hy_validation *out, hardy_error *err);

#endif
