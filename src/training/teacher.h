/*
 * teacher.h: labels for unlabelled slices from the averaged weights of the network in training (mean teacher: Tarvainen and Valpola,
 * NeurIPS 2017), kept where they are confident (Sohn et al., "FixMatch", NeurIPS 2020).
 */
#ifndef HY_TRAINING_TEACHER_H
#define HY_TRAINING_TEACHER_H

#include "network/infer.h"

typedef struct hy_teacher hy_teacher;

/* network, whose parameters have an average (engine/average.h), stays the caller's. Slices are size x size, batch of them at most. */
hy_teacher *hy_teacher_new(hy_network *network, int64_t batch, int64_t size, const hy_tape_options *engine, hardy_error *err);
void hy_teacher_free(hy_teacher *t); /* NULL allowed */

/*
 * image: n x channels x size x size; label: n x size x size, the likeliest class where its probability is at least `confidence`, else
 * HY_NO_LABEL. Not beside a step of the same network: the weights are exchanged for their average meanwhile.
 */
hardy_status hy_teacher_label(hy_teacher *t, const float *image, int64_t n, double confidence, uint8_t *label,
                              hardy_error *err);

/* The part of its weight that the loss of unlabelled slices has at `step` of `total`: exp(-5 (1 - t)^2) over the first three tenths, while
 * the teacher learns (Laine and Aila, ICLR 2017), then 1. */
double hy_teacher_ramp(int64_t step, int64_t total);

#endif
