/*
 * part.c: cuts a part out of a slice and draws it.
 */
#include "draw/part.h"

#include "base/memory.h"
#include "base/text.h"
#include "predict/legend.h"

#include <math.h>

hy_part hy_part_around(const hy_box *box, int64_t nx, int64_t ny, double margin, int least, int most, int panel)
{
	const bool any = !hy_box_is_empty(box);
	const int64_t width = any ? box->high[0] - box->low[0] + 1 : nx, height = any ? box->high[1] - box->low[1] + 1 : ny;
	const int64_t longer = width > height ? width : height;
	const int64_t side = hy_clamp(any ? llround(margin * (double)longer) : longer, least, most);
	const int64_t x2 = any ? box->low[0] + box->high[0] + 1 : nx, y2 = any ? box->low[1] + box->high[1] + 1 : ny;
	return (hy_part){
	    .x = (x2 - side) / 2, .y = (y2 - side) / 2, .side = (int)side, .scale = side < panel ? (int)(panel / side) : 1};
}

/* Background outside of the slice. */
static void cut_labels(const hy_part *p, const uint8_t *slice, int64_t nx, int64_t ny, uint8_t *out)
{
	for (int64_t k = 0; k < (int64_t)p->side * p->side; k++) {
		const int64_t x = p->x + k % p->side, y = p->y + k / p->side;
		out[k] = x >= 0 && x < nx && y >= 0 && y < ny ? slice[y * nx + x] : 0;
	}
}

static void cut_image(const hy_part *p, const float *slice, int64_t nx, int64_t ny, float *out)
{
	for (int64_t k = 0; k < (int64_t)p->side * p->side; k++) {
		const int64_t x = p->x + k % p->side, y = p->y + k / p->side;
		out[k] = x >= 0 && x < nx && y >= 0 && y < ny ? slice[y * nx + x] : NAN;
	}
}

hardy_status hy_part_draw(hy_canvas *c, int left, int top, const hy_part *p, const float *slice, const hy_borders *b,
                          int64_t nx, int64_t ny, hardy_error *err)
{
	static const uint8_t white[3] = {255, 255, 255};
	const size_t n = (size_t)p->side * (size_t)p->side;
	float *grey = hy_alloc(n, sizeof *grey);
	uint8_t *labels = hy_alloc(n, 1);
	if (!grey || !labels) {
		hy_free(grey);
		hy_free(labels);
		return hy_fail_memory(err, "a part of a slice", n, sizeof *grey);
	}
	cut_image(p, slice, nx, ny, grey);
	hy_canvas_image(c, left, top, p->scale, grey, p->side, p->side);
	if (b && b->truth) {
		cut_labels(p, b->truth, nx, ny, labels);
		hy_canvas_borders(c, left, top, p->scale, labels, p->side, p->side, white);
	}
	if (b && b->label) {
		cut_labels(p, b->label, nx, ny, labels);
		for (size_t k = 0; k < n && b->classes; k++)
			labels[k] = (uint8_t)hy_class_shown(b->classes, labels[k]);
		hy_canvas_contours(c, left, top, p->scale, labels, p->side, p->side);
	}
	hy_free(grey);
	hy_free(labels);
	return HARDY_OK;
}

int64_t hy_slice_of_difference(const uint8_t *a, const uint8_t *b, int64_t nx, int64_t ny, int64_t nz)
{
	const int64_t n = nx * ny;
	int64_t best = 0, most = -1, most_labelled = -1;
	for (int64_t z = 0; z < nz; z++) {
		int64_t differing = 0, labelled = 0;
		for (int64_t i = z * n; i < (z + 1) * n; i++) {
			differing += a[i] != b[i];
			labelled += a[i] || b[i];
		}
		if (differing > most || (differing == most && labelled > most_labelled)) {
			best = z;
			most = differing;
			most_labelled = labelled;
		}
	}
	return best;
}
