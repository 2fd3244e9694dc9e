/*
 * volume.c: life cycle of scans and label maps.
 */
#include "image/volume.h"

#include "base/memory.h"

#include <string.h>

int64_t hy_grid_voxels(const hy_grid *g)
{
	return g->nx * g->ny * g->nz;
}

void hy_grid_set_simple(hy_grid *g, int64_t nx, int64_t ny, int64_t nz, double sx_mm, double sy_mm, double sz_mm)
{
	*g = (hy_grid){.nx = nx, .ny = ny, .nz = nz, .spacing_mm = {sx_mm, sy_mm, sz_mm}};
	for (int i = 0; i < 3; i++)
		g->affine[i][i] = g->spacing_mm[i];
}

static bool count_voxels(const hy_grid *g, int64_t nt, size_t *n)
{
	return g->nx > 0 && g->ny > 0 && g->nz > 0 && nt > 0 && !__builtin_mul_overflow((size_t)g->nx, (size_t)g->ny, n) &&
	       !__builtin_mul_overflow(*n, (size_t)g->nz, n) && !__builtin_mul_overflow(*n, (size_t)nt, n);
}

hardy_status hy_volume_alloc(hy_volume *v, const hy_grid *grid, int64_t nt, hardy_error *err)
{
	size_t n = 0;
	if (!count_voxels(grid, nt, &n))
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "volume of %lld x %lld x %lld x %lld voxels: each count must be 1 or more",
		               (long long)grid->nx, (long long)grid->ny, (long long)grid->nz, (long long)nt);
	float *data = hy_calloc(n, sizeof *data);
	if (!data)
		return hy_fail_memory(err, "a volume", n, sizeof *data);
	*v = (hy_volume){.grid = *grid, .nt = nt, .data = data};
	return HARDY_OK;
}

void hy_volume_clear(hy_volume *v)
{
	hy_free(v->data);
	hy_free(v->header);
	memset(v, 0, sizeof *v);
}

hardy_status hy_labels_alloc(hy_labels *l, const hy_grid *grid, hardy_error *err)
{
	size_t n = 0;
	if (!count_voxels(grid, 1, &n))
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "label map of %lld x %lld x %lld voxels: each count must be 1 or more",
		               (long long)grid->nx, (long long)grid->ny, (long long)grid->nz);
	uint8_t *data = hy_calloc(n, 1);
	if (!data)
		return hy_fail_memory(err, "a label map", n, 1);
	*l = (hy_labels){.grid = *grid, .data = data};
	return HARDY_OK;
}

void hy_labels_clear(hy_labels *l)
{
	hy_free(l->data);
	memset(l, 0, sizeof *l);
}
