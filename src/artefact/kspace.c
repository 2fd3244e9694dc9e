/*
 * kspace.c: weights on planes of k-space: ghosting, Gaussian blur, lower resolution.
 */
#include "artefact/effects.h"
#include "artefact/lines.h"
#include "base/memory.h"

#include <math.h>

/* Copies from periodic changes during the acquisition: every num_ghosts-th plane is weakened, whether that hits the centre or not. */
hardy_status hy_effect_ghosting(const hy_artefact *a, const hy_block *b, hardy_error *err)
{
	const int axis = a->ghosting.axis;
	const int64_t n = b->n[axis], middle = n / 2, step = a->ghosting.num_ghosts;
	if (!step || a->ghosting.intensity == 0)
		return HARDY_OK;
	double *weight = hy_alloc((size_t)n, sizeof *weight);
	if (!weight)
		return hy_fail_memory(err, "ghosting", (size_t)n, sizeof *weight);
	for (int64_t q = 0; q < n; q++)
		weight[q] = q % step ? 1 : 1 - a->ghosting.intensity;
	if (isnan(a->ghosting.restore)) {
		weight[middle] = 1;
	} else {
		const int64_t half = (int64_t)(nearbyint(a->ghosting.restore * (double)n) / 2);
		for (int64_t q = middle - half; q < middle + half; q++)
			weight[q] = 1;
	}
	const hardy_status status = hy_lines_filter(b, axis, weight, err);
	hy_free(weight);
	return status;
}

/* Both axes of the slices through a weight that depends on the distance from the centre of k-space. */
static hardy_status filter_slices(const hy_block *b, double (*weight_of)(double q, double n, double spacing_mm, double x),
                                  double x, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	for (int axis = 0; axis < 3 && !status; axis++) {
		if (axis == b->slice_axis)
			continue;
		const int64_t n = b->n[axis];
		const double spacing_mm = hypot(hypot(b->affine[0][axis], b->affine[1][axis]), b->affine[2][axis]);
		double *weight = hy_alloc((size_t)n, sizeof *weight);
		if (!weight)
			return hy_fail_memory(err, "a filter", (size_t)n, sizeof *weight);
		for (int64_t q = 0; q < n; q++)
			weight[q] = weight_of((double)(q - n / 2), (double)n, spacing_mm, x);
		status = hy_lines_filter(b, axis, weight, err);
		hy_free(weight);
	}
	return status;
}

/* The transform of a Gaussian: exp(-2 (pi sd f)^2), f = q / (n spacing). */
static double gaussian_weight(double q, double n, double spacing_mm, double sd_mm)
{
	const double x = 3.141592653589793 * sd_mm * q / (n * spacing_mm);
	return exp(-2 * x * x);
}

hardy_status hy_effect_blur(const hy_artefact *a, const hy_block *b, hardy_error *err)
{
	return filter_slices(b, gaussian_weight, a->blur.sd_mm, err);
}

/* Frequencies up to 1 / factor of the highest: what a coarser acquisition leaves, filled up with zeros. */
static double band_weight(double q, double n, double spacing_mm, double factor)
{
	(void)spacing_mm;
	return fabs(q) * factor <= n / 2 ? 1 : 0;
}

hardy_status hy_effect_resolution(const hy_artefact *a, const hy_block *b, hardy_error *err)
{
	return filter_slices(b, band_weight, a->resolution.factor, err);
}
