/*
 * nearest.h: exact Euclidean distances to the nearest marked position of a grid.
 */
#ifndef HY_METRIC_NEAREST_H
#define HY_METRIC_NEAREST_H

#include "metric/surface.h"

/*
 * Exact Euclidean distance transform: out[i] is the distance in mm from the centre of i to that of the nearest voxel with
 * (feature & mask) != 0, infinite without one. Axes slowest first. Separable lower envelopes: Felzenszwalb and Huttenlocher,
 * Theory of Computing 8, 2012.
 */
hardy_status hy_distance_transform(const uint8_t *feature, uint8_t mask, const int64_t n[3], const double spacing_mm[3],
                                   double *out, hardy_error *err);

/*
 * From every position with from_bit to the nearest with to_bit, in the order of positions. Looks from near to far among rows,
 * which ends after a few where surfaces are close, as they are in a useful segmentation; where they are not, a budget stops it
 * and the whole distance transform answers the rest.
 */
hardy_status hy_nearest_distances(const hy_surface_grid *g, uint8_t from_bit, uint8_t to_bit, double *out, hardy_error *err);

#endif
