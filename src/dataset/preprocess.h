/*
 * preprocess.h: from a scan in its own grid to the network's slices and back (the steps of Chen et al., MICCAI 2021).
 */
#ifndef HY_DATASET_PREPROCESS_H
#define HY_DATASET_PREPROCESS_H

#include "dataset/dataset.h"

/* Everything that turns a scan into network input; stored in every model and obeyed at prediction. */
typedef struct hy_plan {
	double spacing_mm;     /* in-plane spacing that slices are resampled to; z is kept. 1.36719 as published */
	int64_t size;          /* height and width of the network's slices, a multiple of 16; 192 as published */
	double percentile_low; /* volume intensities are clipped to these percentiles and scaled to [0, 1]: 2 and 98 */
	double percentile_high;
	bool normalise_first; /* true: percentiles on the scan's own grid, then resample (as published); false: the other order */
	bool minmax_slice;    /* after crop or pad each slice is scaled to [0, 1] (the published test path does) */
	bool directed; /* slices are brought next to these rows and columns (hy_order_towards); false: taken as they are stored */
	double direction[2][3]; /* of x and y of a slice, unit vectors in RAS+ mm */
	int neighbours; /* slices on each side that the network sees beside each slice, 0 to HY_MOST_NEIGHBOURS (hy_plan_channels) */
	int planes;     /* 1: slices across the axis that they are stacked along; 3: across each of the axes, for one network */
	int plane;      /* which of them (hy_plan_plane), 0 to planes - 1; not stored */
} hy_plan;

enum { HY_MOST_NEIGHBOURS = 3, HY_MOST_PLANES = 3 };

/* The plan of plane k alone: 0, slices across the axis that they are stacked along; 1, across the rows' (y); 2, across the columns' (x). */
hy_plan hy_plan_plane(const hy_plan *p, int k);

/* Channels of a slice for the network: those of the slice itself, then those of its neighbours below and above, next ones first. Beyond the first and the
 * last slice these go on. */
int hy_plan_channels(const hy_plan *p, int n_channels);

void hy_plan_init(hy_plan *p); /* as published */

bool hy_plan_same(const hy_plan *a, const hy_plan *b);

/*
 * The order in which a scan's voxels go to the network: slices across the axis that they are stacked along (hy_stack_axis), and rows and
 * columns as those of the scans that the plan was made from; then, of another plane, across another axis of that. Everything below takes
 * scans as they are stored and gives them back so.
 */
hy_order hy_plan_order(const hy_plan *p, const hy_grid *g);

/*
 * Makes p directed: like those of the scans on n grids that agree with most of the others. Scans whose header does not say where they
 * lie do not count; with none that does, p stays as it is. Returns how many will be turned.
 */
size_t hy_plan_direct(hy_plan *p, const hy_grid *grids, size_t n);

/* How much of the labels the network's slices hold: begin with a zeroed one. */
typedef struct hy_cover {
	int64_t inside[HY_MAX_CLASSES], outside[HY_MAX_CLASSES]; /* voxels by class */
	double pixels;                                           /* what the side of the slices must have to hold all */
} hy_cover;

/* labels: class indices on grid g. HARDY_ERROR_DATA when g cannot be resampled. */
hardy_status hy_cover_add(hy_cover *c, const hy_plan *p, const hy_grid *g, const uint8_t *labels, hardy_error *err);
/* One sentence that names shares, and the size and spacing that would hold all; false when all is inside. */
bool hy_cover_say(const hy_cover *c, const hy_plan *p, const hy_class *classes, int n_classes, char *text, size_t room);
/* True when no voxel of any class besides the background is inside, though there are some. */
bool hy_cover_is_empty(const hy_cover *c);

/* Slices as the network sees them. */
typedef struct hy_slices {
	int64_t n, channels, height, width; /* channels: as of hy_plan_channels */
	float *image;                       /* owned, n x channels x height x width */
	uint8_t *label;                     /* owned, n x height x width class indices; NULL without labels */
} hy_slices;

void hy_slices_clear(hy_slices *s);

/* The whole test path: normalise, resample, crop or pad to plan size, min-max. labels may be NULL. image: nt = channels. */
hardy_status hy_preprocess_test(const hy_plan *plan, const hy_volume *image, const hy_labels *labels, hy_slices *out,
                                hardy_error *err);

/* The training path up to the cached slice: normalise and resample only (height and width as they come, not cropped). */
hardy_status hy_preprocess_train(const hy_plan *plan, const hy_volume *image, const hy_labels *labels, hy_slices *out,
                                 hardy_error *err);

/* How many pixels, down and to the right, the network's window lies from the middle of the resampled slice. */
typedef struct hy_window_shift {
	int64_t y, x;
} hy_window_shift;

/* The rest of the test path, from the training path's slices: crop or pad to plan size, min-max. shift: NULL for none. */
hardy_status hy_preprocess_window(const hy_plan *plan, const hy_slices *full, const hy_window_shift *shift, hy_slices *out,
                                  hardy_error *err);

/*
 * Back to the scan's own grid: map m of values (n_slices x n_maps x size x size floats, e.g. class probabilities) is pasted into
 * the resampled canvas and resampled linearly to grid, so that the arg max over all maps is a valid label map. out: nz x ny x nx.
 * Outside the crop out is `outside`; beyond the canvas (half a voxel at most) its edge goes on. shift: the crop's, NULL for none.
 */
hardy_status hy_restore_map(const hy_plan *plan, const hy_grid *grid, const hy_window_shift *shift, int64_t n_maps, int64_t m,
                            const float *values, float outside, float *out, hardy_error *err);

#endif
