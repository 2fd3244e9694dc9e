/*
 * components.h: connected components of label maps.
 */
#ifndef HY_PREDICT_COMPONENTS_H
#define HY_PREDICT_COMPONENTS_H

#include "image/volume.h"

/*
 * Of each class 1 .. n_classes - 1 keeps the component with the most voxels (of equals the one met first); the others become
 * background. Voxels are neighbours when they share a face, an edge or a corner (26-connectivity), within and between slices.
 * *n_removed (may be NULL) gets the number of voxels that became background. On failure labels is unchanged.
 */
hardy_status hy_keep_largest(hy_labels *labels, int n_classes, int64_t *n_removed, hardy_error *err);

#endif
