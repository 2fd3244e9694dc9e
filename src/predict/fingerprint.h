/*
 * fingerprint.h: what the training scans looked like, and whether a scan is like them.
 *
 * Intensities are measured on slices as hy_preprocess_train makes them (percentiles and scaling, whole slices): mean and
 * standard deviation of each channel over the volume.
 */
#ifndef HY_PREDICT_FINGERPRINT_H
#define HY_PREDICT_FINGERPRINT_H

#include "predict/model.h"

/* Widens f by one training volume of n_channels, the first of its slices; begin with a zeroed f. Reconstruction errors are set by the caller. */
void hy_fingerprint_add(hy_fingerprint *f, const hy_grid *grid, const hy_slices *slices, int n_channels);

/*
 * How far a scan may leave the ranges before it counts: a range over a few scans is narrower than the range of scans like them.
 * Spacing: half as wide again as the widest, or as much narrower than the narrowest. Intensities: half the range's width, at least 0.02.
 */
#define HY_FINGERPRINT_SPACING_FACTOR   1.5
#define HY_FINGERPRINT_INTENSITY_MARGIN 0.5
#define HY_FINGERPRINT_INTENSITY_LEAST  0.02
/* A reconstruction error this many standard deviations above the training slices' mean counts, too. */
#define HY_FINGERPRINT_Z_LIMIT 4.0

/* n_channels: as above. Calls found once for each property that lies outside; nothing when f holds no volume. */
void hy_fingerprint_check(const hy_fingerprint *f, const hy_grid *grid, const hy_slices *slices, int n_channels,
                          void (*found)(void *payload, const char *text), void *payload);

/* (error - mean) / sd of the training slices; NaN when these are unknown. */
double hy_fingerprint_z(const hy_fingerprint *f, double reconstruction_error);

#endif
