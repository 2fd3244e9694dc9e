/*
 * recentre.c: whether structures reach the edge of the network's window, and where it should lie instead.
 */
#include "predict/recentre.h"

#include "image/resample.h"
#include "predict/components.h"

enum { EDGE_SHARE = 24 }; /* the window's side by this is near */

/* 1 where any class is likelier than the background. */
static void find_foreground(const float *q, int n_classes, int64_t plane, uint8_t *label)
{
	for (int64_t k = 0; k < plane; k++) {
		bool found = false;
		for (int c = 1; c < n_classes && !found; c++)
			found = q[c * plane + k] > q[k];
		label[k] = found;
	}
}

hardy_status hy_extent_measure(const float *q, int64_t n_slices, int n_classes, int64_t size, hy_extent *e, hardy_error *err)
{
	const hy_grid grid = {.nx = size, .ny = size, .nz = n_slices};
	const int64_t plane = size * size;
	hy_labels l = {0};
	*e = (hy_extent){.low = {size, size}, .high = {-1, -1}};
	hardy_status status = hy_labels_alloc(&l, &grid, err);
	if (status)
		return status;
#pragma omp parallel for
	for (int64_t z = 0; z < n_slices; z++)
		find_foreground(q + z * n_classes * plane, n_classes, plane, l.data + z * plane);
	status = hy_keep_largest(&l, 2, NULL, err);
	for (int64_t i = 0; i < n_slices * plane && !status; i++) {
		if (!l.data[i])
			continue;
		const int64_t at[2] = {i % plane / size, i % size};
		e->n++;
		for (int a = 0; a < 2; a++) {
			e->low[a] = at[a] < e->low[a] ? at[a] : e->low[a];
			e->high[a] = at[a] > e->high[a] ? at[a] : e->high[a];
		}
	}
	hy_labels_clear(&l);
	return status;
}

/* Along one axis of a slice of `have` pixels. */
static bool move_along(int64_t low, int64_t high, int64_t size, int64_t have, int64_t *shift)
{
	const int64_t near = size / EDGE_SHARE, centred = hy_window_offset(have, size), first = centred + *shift;
	const bool before = low < near && first > 0, behind = high >= size - near && first + size < have;
	if (have <= size || !(before || behind))
		return false;
	int64_t wanted = first + (low + high + 1 - size) / 2;
	wanted = wanted < 0 ? 0 : wanted > have - size ? have - size : wanted;
	const bool moves = wanted != first;
	*shift = wanted - centred;
	return moves;
}

bool hy_recentre(const hy_extent *e, int64_t size, int64_t height, int64_t width, hy_window_shift *shift)
{
	if (!e->n)
		return false;
	const bool down = move_along(e->low[0], e->high[0], size, height, &shift->y);
	const bool across = move_along(e->low[1], e->high[1], size, width, &shift->x);
	return down || across;
}
