/*
 * tree.h: a temporary folder in which a test builds a small data set, with folders made as needed.
 */
#ifndef HY_TESTS_SUPPORT_TREE_H
#define HY_TESTS_SUPPORT_TREE_H

#include "image/volume.h"

/* Starts an empty tree (removing the last one). */
void tree_new(void);
void tree_remove(void);

/* A path in the tree, valid for the next seven calls; "" is the root. */
const char *tree_path(const char *name);
void tree_text(const char *name, const char *text);
void tree_delete(const char *name);
void tree_truncate(const char *name, long size); /* keeps the first size bytes */

enum { TREE_NX = 6, TREE_NY = 5, TREE_NZ = 2, TREE_VOXELS = TREE_NX * TREE_NY * TREE_NZ };

/* An image of 6 x 5 x 2 voxels of 2 x 2 x 8 mm and nt frames; voxel i of frame t is base + 100 t + i. */
void tree_image(const char *name, int nt, float base);

/* Labels of the same grid: in each frame the first n voxels have the values v[0] to v[n-1] plus `step` times the frame, when v
 * is not 0; the rest is 0. */
void tree_labels(const char *name, int nt, const uint8_t *v, int n, int step);

/* Full control: data may be NULL (zeros). */
void tree_image_grid(const char *name, const hy_grid *grid, int nt, const float *data);
void tree_labels_grid(const char *name, const hy_grid *grid, int nt, const uint8_t *data);
hy_grid tree_grid(void);

/*
 * folder/images/NAME.nii.gz and folder/labels/NAME.nii.gz, 40 x 36 x nz (3 at most) voxels of 2.5 x 2.5 x 8 mm: a ring (1) around a
 * core (2) in noise, wider by a voxel with each seed up to 7. Without last_labelled the last slice has no label.
 */
void tree_ring_case(const char *folder, const char *name, int nz, bool last_labelled, uint64_t seed);

#endif
