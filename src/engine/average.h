/*
 * average.h: an exponential moving average of weights and running statistics (Polyak and Juditsky, 1992, with fading memory).
 */
#ifndef HY_ENGINE_AVERAGE_H
#define HY_ENGINE_AVERAGE_H

#include "engine/params.h"

/* Begins the average at the present values; without effect on memory when it was begun before. */
hardy_status hy_average_start(hy_params *p, hardy_error *err);

/* After step t (1, 2, ...) of the weights: average += (1 - d) (weights - average), d = min(decay, (1 + t) / (10 + t)), so that the
 * start is soon forgotten. */
void hy_average_step(hy_params *p, double decay, int64_t t);

/* Exchanges average and values, and both once more to go back. */
void hy_average_swap(hy_params *p);

#endif
