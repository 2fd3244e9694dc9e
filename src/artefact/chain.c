/*
 * chain.c: the steps around an artefact in ACDC-C (Chen et al., MICCAI 2021).
 */
#include "artefact/artefact.h"
#include "base/memory.h"
#include "image/intensity.h"
#include "image/resample.h"

static void scale_slices(float *stack, int64_t n, int64_t plane)
{
#pragma omp parallel for
	for (int64_t z = 0; z < n; z++)
		hy_minmax_test(stack + z * plane, plane);
}

hardy_status hy_acdcc_apply(const hy_artefact *a, float *stack, int64_t n, int64_t height, int64_t width, int64_t size,
                            hardy_error *err)
{
	const int64_t h = size ? size : height, w = size ? size : width;
	const int64_t oy = hy_window_offset(height, h), ox = hy_window_offset(width, w);
	float *canvas = hy_alloc_aligned((size_t)n, (size_t)(h * w) * sizeof *canvas);
	if (!canvas)
		return hy_fail_memory(err, "a stack of slices", (size_t)n, (size_t)(h * w) * sizeof *canvas);
	for (int64_t z = 0; z < n; z++)
		hy_window_f32(stack + z * height * width, height, width, oy, ox, 0, canvas + z * h * w, h, w);
	scale_slices(canvas, n, h * w);
	hardy_status status = HARDY_OK;
	if (a) {
		const hy_block b = hy_block_of_stack(canvas, n, h, w);
		status = hy_artefact_apply(a, &b, err);
		if (!status)
			scale_slices(canvas, n, h * w);
	}
	for (int64_t z = 0; z < n && !status; z++)
		hy_window_f32(canvas + z * h * w, h, w, -oy, -ox, 0, stack + z * height * width, height, width);
	hy_free_aligned(canvas);
	return status;
}
