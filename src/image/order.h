/*
 * order.h: grids that are the same points counted in another order: axes exchanged, or counted from the other end.
 *
 * Two files may hold one scan as x to the left or x to the right, or with the slices along x instead of z. Their headers say so, and
 * nothing but the order of the voxels differs.
 */
#ifndef HY_IMAGE_ORDER_H
#define HY_IMAGE_ORDER_H

#include "image/volume.h"

/* Axis k of the new order is axis[k] of the old one, counted from its end when flip[k]. */
typedef struct hy_order {
	int axis[3];
	bool flip[3];
} hy_order;

bool hy_order_is_identity(const hy_order *o);
bool hy_order_same(const hy_order *a, const hy_order *b);

/* The grid in the new order: the same points. */
hy_grid hy_order_grid(const hy_order *o, const hy_grid *g);

/*
 * The order that brings from next to the points of to, and the greatest distance in mm that is left between corresponding corner voxels;
 * the identity and INFINITY when no order gives it the shape of to. Among equals (1e-3 mm) the identity comes first.
 */
double hy_order_between(const hy_grid *from, const hy_grid *to, hy_order *o);

/* n frames of voxels of size bytes into the new order; out must not be data. */
void hy_order_voxels(const hy_order *o, const hy_grid *g, int64_t n, size_t size, const void *data, void *out);
/* The way back: data in the new order, g the grid in the old one. */
void hy_order_voxels_back(const hy_order *o, const hy_grid *g, int64_t n, size_t size, const void *data, void *out);

/* Labels of g in the new order: themselves where it is the old one, else a copy in *own (hy_free), and NULL when memory runs out. */
const uint8_t *hy_order_labels(const hy_order *o, const hy_grid *g, const uint8_t *labels, uint8_t **own);

/* Brings labels into the new order. */
hardy_status hy_labels_reorder(hy_labels *l, const hy_order *o, hardy_error *err);
/* Likewise a volume with all its frames; its header stays as it is. */
hardy_status hy_volume_reorder(hy_volume *v, const hy_order *o, hardy_error *err);

/*
 * The axis that the slices are stacked along: the third, unless another one is spaced 1.3 times as wide as either of the two that are
 * left, the third among them.
 */
int hy_stack_axis(const hy_grid *g);

/* The order that makes axis k the third; the other two keep theirs. */
hy_order hy_order_stack(int k);

/*
 * The order that turns slices of g, stacked along its third axis, next to rows and columns that run along these directions (unit vectors
 * of x and y in RAS+ mm). The identity when the slices do not lie nearly in that plane, 25 degrees at most, or when no order brings both
 * axes within some 40 degrees: then nobody can say which order is alike. Slices keep their sequence.
 */
hy_order hy_order_towards(const hy_grid *g, const double (*direction)[3]);

/* First a, then b. */
hy_order hy_order_join(const hy_order *a, const hy_order *b);

#endif
