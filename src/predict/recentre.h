/*
 * recentre.h: moving the network's window onto structures that reach its edge.
 */
#ifndef HY_PREDICT_RECENTRE_H
#define HY_PREDICT_RECENTRE_H

#include "dataset/preprocess.h"

/* Where the largest connected piece of foreground lies in the window: rows 0, columns 1. */
typedef struct hy_extent {
	int64_t n; /* voxels; 0: nothing was found, the rest is undefined */
	int64_t low[2], high[2];
} hy_extent;

/* q: n_slices x n_classes x size x size probabilities. */
hardy_status hy_extent_measure(const float *q, int64_t n_slices, int n_classes, int64_t size, hy_extent *e, hardy_error *err);

/*
 * Whether foreground comes so near to an edge of the window, behind which the slice of height x width pixels goes on, that some may lie
 * outside: within 1/24 of the window's side. If so *shift is moved, along that axis, onto the foreground's middle, as far as the slice goes.
 */
bool hy_recentre(const hy_extent *e, int64_t size, int64_t height, int64_t width, hy_window_shift *shift);

#endif
