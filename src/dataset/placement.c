/*
 * placement.c: whether two files of one scan hold the same points, and in which order.
 */
#include "dataset/dataset.h"
#include "image/geometry.h"

#include <math.h>

/* Header differences below this are rounding of the file formats. */
static const double negligible_mm = 0.01;

static bool same_shape(const hy_grid *a, const hy_grid *b)
{
	return a->nx == b->nx && a->ny == b->ny && a->nz == b->nz;
}

static hardy_status fail_shape(const char *path, const hy_grid *g, const char *whose, const hy_grid *want, hardy_error *err)
{
	return hy_fail(err, HARDY_ERROR_DATA, "%s: %lld x %lld x %lld voxels, but %s has %lld x %lld x %lld", path,
	               (long long)g->nx, (long long)g->ny, (long long)g->nz, whose, (long long)want->nx, (long long)want->ny,
	               (long long)want->nz);
}

hardy_status hy_fit_grid(const char *path, const hy_grid *g, const char *whose, const hy_grid *want, hy_order *order,
                         const hardy_log *log, hardy_error *err)
{
	const double *s = want->spacing_mm, half_voxel = 0.5 * fmin(fmin(s[0], s[1]), s[2]);
	double apart = hy_order_between(g, want, order);
	if (!isfinite(apart))
		return fail_shape(path, g, whose, want, err);
	if (!g->located || !want->located) { /* nothing says where the voxels are: they are taken as they are stored */
		*order = hy_order_stack(2);
		if (!same_shape(g, want))
			return fail_shape(path, g, whose, want, err);
		apart = hy_grid_difference_mm(g, want);
	} else if (apart > half_voxel) {
		return hy_fail(
		    err, HARDY_ERROR_DATA,
		    "%s: the header puts voxels up to %.2f mm away from those of %s, in any axis order; want the same points", path,
		    apart, whose);
	}
	char from[4], to[4];
	if (!hy_order_is_identity(order)) {
		hy_affine_orientation(g->affine, from);
		hy_affine_orientation(want->affine, to);
		hy_warn(log, "%s: the same points as %s in another axis order (%s, there %s); reordered", path, whose, from, to);
	} else if (apart > negligible_mm) {
		hy_warn(log, "%s: the header puts voxels up to %.2f mm away from those of %s; the latter is believed", path, apart,
		        whose);
	}
	return HARDY_OK;
}
