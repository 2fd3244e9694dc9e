/*
 * box.h: where the labels of a map lie.
 */
#ifndef HY_IMAGE_BOX_H
#define HY_IMAGE_BOX_H

#include <stdbool.h>
#include <stdint.h>

/* The smallest box around voxels, both ends inside: columns, rows, slices. */
typedef struct hy_box {
	int64_t low[3], high[3]; /* high[0] < low[0]: nothing is in it */
} hy_box;

/* A box that holds nothing. */
hy_box hy_box_empty(void);
bool hy_box_is_empty(const hy_box *b);

/* Makes the box hold every labelled voxel (not 0) of nz slices of ny rows of nx voxels, too. */
void hy_box_add(hy_box *b, const uint8_t *labels, int64_t nx, int64_t ny, int64_t nz);

#endif
