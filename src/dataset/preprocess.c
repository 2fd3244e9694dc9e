/*
 * preprocess.c: percentile scaling, resampling, crop or pad, min-max; and the way back to the scan.
 */
#include "dataset/preprocess.h"

#include "base/memory.h"
#include "image/intensity.h"
#include "image/resample.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void hy_plan_init(hy_plan *p)
{
	*p = (hy_plan){.spacing_mm = 1.36719,
	               .size = 192,
	               .percentile_low = 2,
	               .percentile_high = 98,
	               .normalise_first = true,
	               .minmax_slice = true,
	               .planes = 1};
}

void hy_slices_clear(hy_slices *s)
{
	hy_free(s->image);
	hy_free(s->label);
	memset(s, 0, sizeof *s);
}

static hardy_status plan_check(const hy_plan *p, hardy_error *err)
{
	if (!(isfinite(p->spacing_mm) && p->spacing_mm > 0))
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "plan: spacing_mm is %g, want a positive number", p->spacing_mm);
	if (p->neighbours < 0 || p->neighbours > HY_MOST_NEIGHBOURS)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "plan: neighbours is %d, want 0 to %d", p->neighbours, HY_MOST_NEIGHBOURS);
	if ((p->planes != 1 && p->planes != HY_MOST_PLANES) || p->plane < 0 || p->plane >= p->planes)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "plan: plane %d of %d, want 0 of 1 or 0 to 2 of 3", p->plane, p->planes);
	if (p->size < 1 || p->size > HY_RESAMPLE_MAX)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "plan: size is %lld, want 1 to %d", (long long)p->size, HY_RESAMPLE_MAX);
	if (!(p->percentile_low >= 0 && p->percentile_low < p->percentile_high && p->percentile_high <= 100))
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "plan: percentiles are %g and %g, want 0 <= low < high <= 100",
		               p->percentile_low, p->percentile_high);
	return HARDY_OK;
}

bool hy_plan_same(const hy_plan *a, const hy_plan *b)
{
	return a->spacing_mm == b->spacing_mm && a->size == b->size && a->percentile_low == b->percentile_low &&
	       a->percentile_high == b->percentile_high && a->normalise_first == b->normalise_first &&
	       a->minmax_slice == b->minmax_slice && a->directed == b->directed &&
	       (!a->directed || !memcmp(a->direction, b->direction, sizeof a->direction)) && a->neighbours == b->neighbours &&
	       a->planes == b->planes && a->plane == b->plane;
}

hy_plan hy_plan_plane(const hy_plan *p, int k)
{
	hy_plan own = *p;
	own.plane = k;
	return own;
}

int hy_plan_channels(const hy_plan *p, int n_channels)
{
	return n_channels * (2 * p->neighbours + 1);
}

/* ---- the order of a scan's voxels --------------------------------------------------------------------------------------- */

/* That of the first plane. */
static hy_order order_across_stack(const hy_plan *p, const hy_grid *g)
{
	const hy_order stack = hy_order_stack(hy_stack_axis(g));
	if (!p->directed || !g->located)
		return stack;
	const hy_grid moved = hy_order_grid(&stack, g);
	const hy_order turn = hy_order_towards(&moved, p->direction);
	return hy_order_join(&stack, &turn);
}

hy_order hy_plan_order(const hy_plan *p, const hy_grid *g)
{
	const hy_order first = order_across_stack(p, g), across = hy_order_stack(2 - p->plane);
	return hy_order_join(&first, &across);
}

/* Directions of x and y of the slices of a scan. */
static void take_direction(const hy_grid *g, double (*direction)[3])
{
	const hy_order stack = hy_order_stack(hy_stack_axis(g));
	const hy_grid moved = hy_order_grid(&stack, g);
	for (int c = 0; c < 2; c++)
		for (int r = 0; r < 3; r++)
			direction[c][r] = moved.affine[r][c] / moved.spacing_mm[c];
}

static size_t count_turned(const hy_plan *p, const hy_grid *grids, size_t n)
{
	size_t turned = 0;
	for (size_t i = 0; i < n; i++) {
		const hy_order stack = hy_order_stack(hy_stack_axis(&grids[i])), order = hy_plan_order(p, &grids[i]);
		turned += !hy_order_same(&stack, &order);
	}
	return turned;
}

size_t hy_plan_direct(hy_plan *p, const hy_grid *grids, size_t n)
{
	size_t least = n + 1;
	for (size_t i = 0; i < n && least; i++) {
		hy_plan tried = *p;
		if (!grids[i].located)
			continue;
		tried.directed = true;
		take_direction(&grids[i], tried.direction);
		const size_t turned = count_turned(&tried, grids, n);
		if (turned < least) {
			least = turned;
			*p = tried;
		}
	}
	return least <= n ? least : 0;
}

/* g: in the plan's order. */
static hardy_status plan_axes(const hy_plan *p, const hy_grid *g, hy_resample_axis *y, hy_resample_axis *x, hardy_error *err)
{
	const hardy_status st = plan_check(p, err);
	if (st)
		return st;
	return hy_resample_axes(g->ny, g->nx, g->spacing_mm[1], g->spacing_mm[0], p->spacing_mm, p->spacing_mm, y, x, err);
}

/* ---- field of view ------------------------------------------------------------------------------------------------------ */

/* Whether voxel i of an axis comes into the window, and how wide the window must be to hold it. */
static bool is_inside(hy_resample_axis a, int64_t i, int64_t size, double *pixels)
{
	const int64_t first = hy_window_offset(a.n_out, size);
	const double at = (double)i / a.step, centre = (double)(a.n_out - 1) / 2;
	*pixels = fmax(*pixels, 2 * fabs(at - centre) + 1);
	return at > (double)first - 0.5 && at < (double)(first + size) - 0.5;
}

hardy_status hy_cover_add(hy_cover *c, const hy_plan *p, const hy_grid *g, const uint8_t *labels, hardy_error *err)
{
	const hy_order order = hy_plan_order(p, g);
	const hy_grid moved = hy_order_grid(&order, g);
	hy_resample_axis y, x;
	hardy_status st = plan_axes(p, &moved, &y, &x, err);
	if (st)
		return st;
	uint8_t *own;
	const uint8_t *at = hy_order_labels(&order, g, labels, &own);
	if (!at)
		return hy_fail_memory(err, "labels", (size_t)hy_grid_voxels(g), 1);
	for (int64_t k = 0; k < moved.nz; k++) {
		for (int64_t j = 0; j < moved.ny; j++) {
			for (int64_t i = 0; i < moved.nx; i++, at++) {
				if (!*at)
					continue;
				const bool in_y = is_inside(y, j, p->size, &c->pixels), in_x = is_inside(x, i, p->size, &c->pixels);
				++*(in_x && in_y ? &c->inside[*at] : &c->outside[*at]);
			}
		}
	}
	hy_free(own);
	return HARDY_OK;
}

bool hy_cover_is_empty(const hy_cover *c)
{
	int64_t inside = 0, outside = 0;
	for (int k = 1; k < HY_MAX_CLASSES; k++) {
		inside += c->inside[k];
		outside += c->outside[k];
	}
	return !inside && outside;
}

bool hy_cover_say(const hy_cover *c, const hy_plan *p, const hy_class *classes, int n_classes, char *text, size_t room)
{
	char shares[400] = "";
	for (int k = 1; k < n_classes; k++) {
		const size_t used = strlen(shares);
		const double share = 100 * (double)c->outside[k] / (double)(c->inside[k] + c->outside[k]);
		if (c->outside[k])
			snprintf(shares + used, sizeof shares - used, "%s%.3g %% of %.40s", used ? ", " : "", share, classes[k].name);
	}
	if (!*shares)
		return false;
	const int64_t size = ((int64_t)ceil(c->pixels - 1e-6) + 15) / 16 * 16;
	const double spacing = ceil(p->spacing_mm * c->pixels / (double)p->size * 100) / 100;
	snprintf(text, room,
	         "%s %s outside of the network's field of view, %lld x %lld pixels of %g mm: a size of %lld or a spacing of %g mm "
	         "would hold all",
	         shares, strchr(shares, ',') ? "lie" : "lies", (long long)p->size, (long long)p->size, p->spacing_mm,
	         (long long)size, spacing);
	return true;
}

/* ---- scans to slices ---------------------------------------------------------------------------------------------------- */

static hardy_status normalise(const hy_plan *p, float *x, int64_t n, int64_t channel, hardy_error *err)
{
	const double percent[2] = {p->percentile_low, p->percentile_high};
	double at[2];
	const hardy_status st = hy_percentiles(x, n, percent, 2, at, err);
	if (st)
		return hy_prefix(err, st, "channel %lld", (long long)channel);
	hy_clip_scale(x, n, at[0], at[1]);
	return HARDY_OK;
}

/* One channel: nz slices of the scan to nz slices `stride` values apart. own and canvas are scratch of the two volumes. */
static hardy_status channel_slices(const hy_plan *p, const hy_volume *image, int64_t channel, hy_resample_axis y,
                                   hy_resample_axis x, float *own, float *canvas, float *out, int64_t stride, hardy_error *err)
{
	const int64_t n = hy_grid_voxels(&image->grid), nz = image->grid.nz, plane_in = y.n_in * x.n_in, plane = y.n_out * x.n_out;
	hardy_status st = HARDY_OK;
	memcpy(own, image->data + channel * n, (size_t)n * sizeof *own);
	if (p->normalise_first)
		st = normalise(p, own, n, channel, err);
	if (!st)
		st = hy_resample_linear(own, plane_in, y, x, nz, HY_BEYOND_ZERO, canvas, plane, err);
	if (!st && !p->normalise_first)
		st = normalise(p, canvas, nz * plane, channel, err);
	for (int64_t z = 0; !st && z < nz; z++)
		memcpy(out + z * stride, canvas + z * plane, (size_t)plane * sizeof *out);
	return st;
}

/* image and labels in the plan's order. */
static hardy_status make_slices(const hy_plan *plan, const hy_volume *image, const hy_labels *labels, hy_slices *out,
                                hardy_error *err)
{
	const hy_grid *g = &image->grid;
	hy_resample_axis y, x;
	hardy_status st = plan_axes(plan, g, &y, &x, err);
	if (st)
		return st;
	const int64_t plane = y.n_out * x.n_out, channels = image->nt, stride = channels * plane;
	hy_slices s = {.n = g->nz, .channels = channels, .height = y.n_out, .width = x.n_out};
	float *own = hy_alloc_aligned((size_t)hy_grid_voxels(g), sizeof *own);
	float *canvas = hy_alloc_aligned((size_t)(s.n * plane), sizeof *canvas);
	s.image = hy_alloc((size_t)s.n, (size_t)stride * sizeof *s.image);
	s.label = labels ? hy_alloc((size_t)s.n, (size_t)plane) : NULL;
	if (!own || !canvas || !s.image || (labels && !s.label)) {
		st = hy_fail_memory(err, "slices", (size_t)(s.n * stride), sizeof *s.image);
		goto out;
	}
	for (int64_t c = 0; !st && c < channels; c++)
		st = channel_slices(plan, image, c, y, x, own, canvas, s.image + c * plane, stride, err);
	if (!st && labels)
		st = hy_resample_nearest(labels->data, g->ny * g->nx, y, x, s.n, HY_BEYOND_ZERO, s.label, plane, err);
	if (!st) {
		*out = s;
		s = (hy_slices){0};
	}
out:
	hy_slices_clear(&s);
	hy_free_aligned(canvas);
	hy_free_aligned(own);
	return st;
}

/* Puts the neighbours' channels behind each slice's own. */
static hardy_status add_neighbours(const hy_plan *plan, hy_slices *s, hardy_error *err)
{
	const int64_t own = s->channels * s->height * s->width, all = hy_plan_channels(plan, 1);
	if (all == 1)
		return HARDY_OK;
	float *image = hy_alloc((size_t)(s->n * all), (size_t)own * sizeof *image);
	if (!image)
		return hy_fail_memory(err, "slices with their neighbours", (size_t)(s->n * all), (size_t)own * sizeof *image);
	for (int64_t z = 0; z < s->n; z++)
		for (int64_t i = 0; i < all; i++) {
			const int64_t there = z + (i % 2 ? -(i + 1) / 2 : i / 2); /* 0, -1, 1, -2, 2, ... */
			const int64_t from = there < 0 ? 0 : there < s->n ? there : s->n - 1;
			memcpy(image + (z * all + i) * own, s->image + from * own, (size_t)own * sizeof *image);
		}
	hy_free(s->image);
	s->image = image;
	s->channels *= all;
	return HARDY_OK;
}

/* The scan in the plan's order, each slice by itself. */
static hardy_status make_slices_in_order(const hy_plan *plan, const hy_volume *image, const hy_labels *labels, hy_slices *out,
                                         hardy_error *err)
{
	const hy_grid *g = &image->grid;
	if (labels && (labels->grid.nx != g->nx || labels->grid.ny != g->ny || labels->grid.nz != g->nz))
		return hy_fail(err, HARDY_ERROR_DATA, "labels have %lld x %lld x %lld voxels, want the image's %lld x %lld x %lld",
		               (long long)labels->grid.nx, (long long)labels->grid.ny, (long long)labels->grid.nz, (long long)g->nx,
		               (long long)g->ny, (long long)g->nz);
	const hy_order order = hy_plan_order(plan, g);
	if (hy_order_is_identity(&order))
		return make_slices(plan, image, labels, out, err);
	const size_t n = (size_t)hy_grid_voxels(g);
	hy_volume turned = {.grid = hy_order_grid(&order, g), .nt = image->nt};
	hy_labels turned_labels = {.grid = turned.grid};
	hardy_status st = HARDY_OK;
	turned.data = hy_alloc(n * (size_t)image->nt, sizeof *turned.data);
	turned_labels.data = labels ? hy_alloc(n, 1) : NULL;
	if (!turned.data || (labels && !turned_labels.data)) {
		st = hy_fail_memory(err, "a scan in another order", n * (size_t)image->nt, sizeof *turned.data);
		goto out;
	}
	hy_order_voxels(&order, g, image->nt, sizeof *turned.data, image->data, turned.data);
	if (labels)
		hy_order_voxels(&order, g, 1, 1, labels->data, turned_labels.data);
	st = make_slices(plan, &turned, labels ? &turned_labels : NULL, out, err);
out:
	hy_volume_clear(&turned);
	hy_labels_clear(&turned_labels);
	return st;
}

hardy_status hy_preprocess_train(const hy_plan *plan, const hy_volume *image, const hy_labels *labels, hy_slices *out,
                                 hardy_error *err)
{
	hy_slices made = {0};
	hardy_status st = make_slices_in_order(plan, image, labels, &made, err);
	if (!st)
		st = add_neighbours(plan, &made, err);
	if (st)
		hy_slices_clear(&made);
	else
		*out = made;
	return st;
}

/* Of the window's first pixel in a slice of height x width. */
static void place_window(int64_t size, int64_t height, int64_t width, const hy_window_shift *shift, int64_t *y, int64_t *x)
{
	*y = hy_window_offset(height, size) + (shift ? shift->y : 0);
	*x = hy_window_offset(width, size) + (shift ? shift->x : 0);
}

hardy_status hy_preprocess_window(const hy_plan *plan, const hy_slices *full, const hy_window_shift *shift, hy_slices *out,
                                  hardy_error *err)
{
	const int64_t size = plan->size, plane = size * size, plane_full = full->height * full->width;
	int64_t oy, ox;
	place_window(size, full->height, full->width, shift, &oy, &ox);
	hy_slices s = {.n = full->n, .channels = full->channels, .height = size, .width = size};
	s.image = hy_alloc((size_t)(s.n * s.channels), (size_t)plane * sizeof *s.image);
	s.label = full->label ? hy_alloc((size_t)s.n, (size_t)plane) : NULL;
	if (!s.image || (full->label && !s.label)) {
		hy_slices_clear(&s);
		return hy_fail_memory(err, "slices", (size_t)(full->n * full->channels), (size_t)plane * sizeof *s.image);
	}
#pragma omp parallel for
	for (int64_t i = 0; i < s.n * s.channels; i++) {
		float *to = s.image + i * plane;
		hy_window_f32(full->image + i * plane_full, full->height, full->width, oy, ox, 0, to, size, size);
		if (plan->minmax_slice)
			hy_minmax_test(to, plane);
	}
	for (int64_t i = 0; s.label && i < s.n; i++)
		hy_window_u8(full->label + i * plane_full, full->height, full->width, oy, ox, 0, s.label + i * plane, size, size);
	*out = s;
	return HARDY_OK;
}

hardy_status hy_preprocess_test(const hy_plan *plan, const hy_volume *image, const hy_labels *labels, hy_slices *out,
                                hardy_error *err)
{
	hy_slices full = {0};
	hardy_status st = hy_preprocess_train(plan, image, labels, &full, err);
	if (!st)
		st = hy_preprocess_window(plan, &full, NULL, out, err);
	hy_slices_clear(&full);
	return st;
}

/* ---- the way back ------------------------------------------------------------------------------------------------------- */

/* Slices of one map, `stride` values apart, to the scan's grid. */
static hardy_status restore_slices(const hy_plan *plan, hy_resample_axis y, hy_resample_axis x, const hy_window_shift *shift,
                                   int64_t n, const float *values, int64_t stride, float outside, float *canvas, float *out,
                                   hardy_error *err)
{
	const int64_t size = plan->size, plane = y.n_out * x.n_out;
	int64_t oy, ox;
	place_window(size, y.n_out, x.n_out, shift, &oy, &ox);
#pragma omp parallel for if (n > 1)
	for (int64_t z = 0; z < n; z++)
		hy_window_f32(values + z * stride, size, size, -oy, -ox, outside, canvas + z * plane, y.n_out, x.n_out);
	return hy_resample_linear(canvas, plane, hy_resample_inverse(y), hy_resample_inverse(x), n, HY_BEYOND_EDGE, out,
	                          y.n_in * x.n_in, err);
}

hardy_status hy_restore_map(const hy_plan *plan, const hy_grid *grid, const hy_window_shift *shift, int64_t n_maps, int64_t m,
                            const float *values, float outside, float *out, hardy_error *err)
{
	const hy_order order = hy_plan_order(plan, grid);
	const hy_grid moved = hy_order_grid(&order, grid);
	const bool turned = !hy_order_is_identity(&order);
	hy_resample_axis y, x;
	hardy_status st = plan_axes(plan, &moved, &y, &x, err);
	if (st)
		return st;
	const size_t n_canvas = (size_t)(moved.nz * y.n_out * x.n_out), n = (size_t)hy_grid_voxels(grid);
	float *canvas = hy_alloc_aligned(n_canvas, sizeof *canvas), *own = turned ? hy_alloc_aligned(n, sizeof *own) : NULL;
	const int64_t plane = plan->size * plan->size;
	if (!canvas || (turned && !own))
		st = hy_fail_memory(err, "a restored map", n_canvas, sizeof *canvas);
	if (!st)
		st = restore_slices(plan, y, x, shift, moved.nz, values + m * plane, n_maps * plane, outside, canvas,
		                    turned ? own : out, err);
	if (!st && turned)
		hy_order_voxels_back(&order, grid, 1, sizeof *own, own, out);
	hy_free_aligned(canvas);
	hy_free_aligned(own);
	return st;
}
