/*
 * schedule.h: the learning rate and Adam's first beta, step by step.
 */
#ifndef HY_TRAINING_SCHEDULE_H
#define HY_TRAINING_SCHEDULE_H

#include <stdint.h>

typedef enum hy_schedule { HY_SCHEDULE_CONSTANT, HY_SCHEDULE_ONE_CYCLE } hy_schedule;

typedef struct hy_rate {
	double learning_rate, beta1;
} hy_rate;

/*
 * What step (0-based) of total uses; peak is the largest rate. ONE_CYCLE is PyTorch's OneCycleLR with its defaults but
 * pct_start 0.1: cosine from peak / 25 up to peak over the first tenth, down to peak / 250000 over the rest; beta1 mirrors it from
 * 0.95 to 0.85 and back. CONSTANT: peak and beta1 0.9 throughout.
 */
hy_rate hy_schedule_at(hy_schedule schedule, double peak, int64_t step, int64_t total);

#endif
