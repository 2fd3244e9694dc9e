/*
 * estimate.h: how long runs will take.
 */
#ifndef HY_EXPERIMENT_ESTIMATE_H
#define HY_EXPERIMENT_ESTIMATE_H

#include "experiment/study.h"

typedef struct hy_estimate {
	double *steps;  /* owned: of a run of each method */
	double *step_s; /* owned: of each method, two steps timed on random slices */
	double score_s; /* of a run: a random scan timed, for each test scan; other sites' are guessed from the number of files */
} hy_estimate;

hardy_status hy_estimate_make(const hy_study *s, hy_estimate *out, hardy_error *err);
void hy_estimate_clear(hy_estimate *e);

#endif
