/*
 * part.h: a square part of a slice around its labels, drawn with their borders.
 */
#ifndef HY_DRAW_PART_H
#define HY_DRAW_PART_H

#include "dataset/dataset.h"
#include "draw/png.h"
#include "image/box.h"

/* May reach out of the slice, where it is black. */
typedef struct hy_part {
	int64_t x, y; /* of its first column and row */
	int side;     /* pixels of the slice */
	int scale;    /* pixels of the picture for one of the slice */
} hy_part;

/*
 * The square around a box in slices of ny rows of nx voxels, margin times as long as the box's longer side, but of least to most (at most
 * 4096) pixels; around the whole slice where the box is empty. Each pixel is enlarged as often as panel pixels hold it, once at least.
 */
hy_part hy_part_around(const hy_box *box, int64_t nx, int64_t ny, double margin, int least, int most, int panel);

/* The borders that lie over an image: class indices or label values of the whole slice, 0 background. */
typedef struct hy_borders {
	const uint8_t *truth;    /* drawn in white, below; NULL: none */
	const uint8_t *label;    /* in the colours of the classes; NULL: none */
	const hy_class *classes; /* label holds indices of these; NULL: it holds label values */
} hy_borders;

/*
 * Draws the part of a slice (ny rows of nx) with its top left at (left, top) of the canvas; it takes side * scale pixels both ways. An error
 * only when memory runs out.
 */
hardy_status hy_part_draw(hy_canvas *c, int left, int top, const hy_part *p, const float *slice, const hy_borders *b,
                          int64_t nx, int64_t ny, hardy_error *err);

/* The slice of nz in which two maps of class indices differ in most voxels; of equals, and without a difference, the one with most labels. */
int64_t hy_slice_of_difference(const uint8_t *a, const uint8_t *b, int64_t nx, int64_t ny, int64_t nz);

#endif
