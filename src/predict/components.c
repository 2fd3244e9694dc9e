/*
 * components.c: the largest connected component of each class, by flood filling.
 */
#include "predict/components.h"

#include "base/memory.h"

#include <string.h>

typedef struct flood {
	const hy_labels *l;
	int32_t *part;  /* per voxel: 0 not seen, else the number of its component */
	int64_t *stack; /* voxels whose neighbours are to be looked at; each voxel is pushed once */
} flood;

/* Gives the component that holds voxel `start` the number `part`; returns its size. */
static int64_t fill(const flood *f, int64_t start, int32_t part)
{
	const hy_grid *g = &f->l->grid;
	const uint8_t class = f->l->data[start];
	int64_t n_stack = 0, size = 0;
	f->part[start] = part;
	f->stack[n_stack++] = start;
	while (n_stack) {
		const int64_t v = f->stack[--n_stack], x = v % g->nx, y = v / g->nx % g->ny, z = v / (g->nx * g->ny);
		const int64_t z0 = z > 0 ? z - 1 : 0, z1 = z + 1 < g->nz ? z + 1 : z, y0 = y > 0 ? y - 1 : 0;
		const int64_t y1 = y + 1 < g->ny ? y + 1 : y, x0 = x > 0 ? x - 1 : 0, x1 = x + 1 < g->nx ? x + 1 : x;
		size++;
		for (int64_t c = z0; c <= z1; c++) {
			for (int64_t b = y0; b <= y1; b++) {
				for (int64_t a = x0; a <= x1; a++) {
					const int64_t w = (c * g->ny + b) * g->nx + a;
					if (f->l->data[w] != class || f->part[w])
						continue;
					f->part[w] = part;
					f->stack[n_stack++] = w;
				}
			}
		}
	}
	return size;
}

hardy_status hy_keep_largest(hy_labels *labels, int n_classes, int64_t *n_removed, hardy_error *err)
{
	const int64_t n = hy_grid_voxels(&labels->grid);
	int64_t n_foreground = 0, removed = 0;
	for (int64_t i = 0; i < n; i++)
		n_foreground += labels->data[i] != 0;
	flood f = {.l = labels};
	int32_t largest[256] = {0};
	int64_t largest_size[256] = {0};
	int32_t n_parts = 0;
	hardy_status status = HARDY_OK;
	if (n_foreground > INT32_MAX)
		return hy_fail(err, HARDY_ERROR_UNSUPPORTED, "%lld labelled voxels, too many to find components in",
		               (long long)n_foreground);
	f.part = hy_calloc((size_t)n, sizeof *f.part);
	f.stack = hy_alloc((size_t)n_foreground, sizeof *f.stack);
	if (!f.part || !f.stack) {
		status = hy_fail_memory(err, "connected components", (size_t)n, sizeof *f.part + sizeof *f.stack);
		goto out;
	}
	for (int64_t i = 0; i < n; i++) {
		const uint8_t class = labels->data[i];
		if (!class || f.part[i])
			continue;
		const int64_t size = fill(&f, i, ++n_parts);
		if (size > largest_size[class]) {
			largest_size[class] = size;
			largest[class] = n_parts;
		}
	}
	for (int64_t i = 0; i < n; i++) {
		if (!f.part[i] || labels->data[i] >= n_classes || f.part[i] == largest[labels->data[i]])
			continue;
		labels->data[i] = 0;
		removed++;
	}
	if (n_removed)
		*n_removed = removed;
out:
	hy_free(f.part);
	hy_free(f.stack);
	return status;
}
