/*
 * warp.h: strong geometry in one pass: rotation, mirror, zoom, aspect, shift and a coarse elastic field, from a slice of any size to the
 * network's grid.
 *
 * One resampling keeps what four in a row would blur, and reads what lies outside of the grid where the map reaches there. How much of it
 * helps is a matter of the anatomy: a heart may lie in any direction, a hippocampus has a front and a back (docs/RECIPES.md).
 */
#ifndef HY_DATASET_WARP_H
#define HY_DATASET_WARP_H

#include "base/error.h"
#include "base/rng.h"

#include <stdint.h>

enum {
	HY_WARP_NODES = 5,  /* of the elastic field, along each side of the grid */
	HY_WARP_MOST = 1024 /* largest side of the grid */
};

typedef struct hy_warp_options {
	double rotation_deg;        /* at most, both ways; 180: any */
	double mirror;              /* probability */
	double zoom_low, zoom_high; /* of both axes, above 1 magnifies */
	double aspect;              /* of one axis against the other: 1 - aspect to 1 + aspect */
	double shift;               /* at most, both ways and along both axes, in half sides of the grid */
	double elastic;             /* probability */
	double elastic_sd;          /* of a node's displacement, in half sides of the grid */
} hy_warp_options;

/* Any rotation, mirror .5, zoom .7 to 1.4, aspect .1, shift .1, elastic .5 of .02. */
void hy_warp_options_init(hy_warp_options *o);
hardy_status hy_warp_options_check(const hy_warp_options *o, hardy_error *err);

/* What chance decided for one slice. */
typedef struct hy_warp_draw {
	double map[2][3]; /* (row, column, 1) of the grid, in half sides from its centre, to those of the slice */
	bool elastic;
	float node[2][HY_WARP_NODES][HY_WARP_NODES]; /* displacement along rows, along columns, in half sides */
} hy_warp_draw;

/* Every number is drawn whether it is used or not: turning a stage off leaves the others as they were. */
hy_warp_draw hy_warp_draw_make(const hy_warp_options *o, hy_rng *g);

/*
 * image: channels x h x w, label: h x w; out: channels x size x size and size x size. The slice's centre is that of its centre crop to
 * size. Images are sampled linearly, labels at the nearest pixel; outside of the slice both are 0. One thread, no allocation.
 */
void hy_warp_apply(const hy_warp_draw *d, const float *image, const uint8_t *label, int64_t channels, int64_t h, int64_t w,
                   int64_t size, float *out_image, uint8_t *out_label);

#endif
