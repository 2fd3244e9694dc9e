/*
 * score.h: a finished model on the test sets of a study.
 */
#ifndef HY_EXPERIMENT_SCORE_H
#define HY_EXPERIMENT_SCORE_H

#include "experiment/study.h"

typedef struct hy_scored_case {
	char name[2 * HY_NAME_SIZE]; /* SUBJECT_PHASE */
	int64_t draw;
	double dice[2][HY_MAX_CLASSES]; /* of FTN and FTN+STN, by class of the set; NaN where neither has it */
	double predicted, low;          /* Dice of FTN+STN foretold, and its lower bound; NaN from a model without calibration */
} hy_scored_case;

typedef struct hy_scored_set {
	int n_classes;
	char classes[HY_MAX_CLASSES][HY_NAME_SIZE];
	hy_scored_case *cases; /* owned */
	size_t n, n_left_out;  /* cases; those that could not be used */
} hy_scored_set;

/*
 * Scores the model on every set of the study, on the threads that OpenMP has; out: s->n_sets, empty. A case that cannot be scored is
 * left out with a warning, with strict an error. The first time that voxels of test sets are read. Release with hy_scored_clear, whatever the result.
 */
hardy_status hy_score_sets(const hy_study *s, const hy_study_run *run, const char *model_path, hy_scored_set *out,
                           hardy_error *err);
void hy_scored_clear(hy_scored_set *sets, size_t n);

#endif
