/*
 * box.c: the bounding box of labels.
 */
#include "image/box.h"

hy_box hy_box_empty(void)
{
	return (hy_box){.low = {INT64_MAX, INT64_MAX, INT64_MAX}, .high = {-1, -1, -1}};
}

bool hy_box_is_empty(const hy_box *b)
{
	return b->high[0] < b->low[0];
}

void hy_box_add(hy_box *b, const uint8_t *labels, int64_t nx, int64_t ny, int64_t nz)
{
	for (int64_t i = 0; i < nx * ny * nz; i++) {
		const int64_t at[3] = {i % nx, i / nx % ny, i / (nx * ny)};
		for (int a = 0; a < 3 && labels[i]; a++) {
			b->low[a] = at[a] < b->low[a] ? at[a] : b->low[a];
			b->high[a] = at[a] > b->high[a] ? at[a] : b->high[a];
		}
	}
}
