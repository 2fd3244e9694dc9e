/*
 * recalibrate.c: one sweep over the training slices with the weights as they are.
 */
#include "training/recalibrate.h"

#include "base/memory.h"
#include "base/rng.h"

#include <math.h>
#include <string.h>

enum { REST_BATCH = 8 };

hardy_status hy_recalibrate(hy_network *network, const float *image, int64_t n, int64_t size, int64_t batch, uint64_t seed,
                            hardy_error *err)
{
	if (batch > n)
		batch = n;
	const size_t slice = (size_t)(network->config.channels * size * size);
	const hy_infer_options o = {
	    .batch = batch, .height = size, .width = size, .stn = true, .reconstruct = true, .norm = HY_NORM_TRACK};
	hardy_status status = HARDY_OK;
	size_t *order = hy_alloc((size_t)n, sizeof *order);
	float *shuffled = hy_alloc_aligned((size_t)batch * slice, sizeof *shuffled);
	hy_infer *f = NULL;
	if (!order || !shuffled) {
		status = hy_fail_memory(err, "a batch of slices", (size_t)batch * slice, sizeof *shuffled);
		goto out;
	}
	if (!(f = hy_infer_new(network, &o, err))) {
		status = err ? err->status : HARDY_ERROR_MEMORY;
		goto out;
	}
	/* a purpose of its own: epochs draw orders 0, 1, ... */
	hy_rng g = hy_rng_make(seed, HY_RNG_ORDER, UINT64_MAX, 0);
	hy_rng_permutation(&g, (size_t)n, order);
	hy_network_reset_statistics(network);
	for (int64_t k = 0; k < n / batch && !status; k++) {
		for (int64_t i = 0; i < batch; i++)
			memcpy(shuffled + (size_t)i * slice, image + order[k * batch + i] * slice, slice * sizeof *shuffled);
		hy_infer_momentum(f, 1.0 / (double)(k + 1));
		status = hy_infer_run(f, shuffled, batch, NULL, NULL, NULL, err);
	}
out:
	hy_infer_free(f);
	hy_free_aligned(shuffled);
	hy_free(order);
	return status;
}

hardy_status hy_reconstruction_error(hy_network *network, const float *image, int64_t n, int64_t size, double *mean, double *sd,
                                     hardy_error *err)
{
	const size_t slice = (size_t)(network->config.channels * size * size);
	const hy_infer_options o = {
	    .batch = REST_BATCH, .height = size, .width = size, .reconstruct = true, .norm = HY_NORM_RUNNING};
	hardy_status status = HARDY_OK;
	double sum = 0, squares = 0;
	float *x0 = hy_alloc_aligned(REST_BATCH * slice, sizeof *x0);
	if (!x0)
		return hy_fail_memory(err, "reconstructed slices", REST_BATCH * slice, sizeof *x0);
	hy_infer *f = hy_infer_new(network, &o, err);
	if (!f)
		status = err ? err->status : HARDY_ERROR_MEMORY;
	for (int64_t at = 0; at < n && !status; at += REST_BATCH) {
		const int64_t now = n - at < REST_BATCH ? n - at : REST_BATCH;
		const float *x = image + (size_t)at * slice;
		status = hy_infer_run(f, x, now, NULL, NULL, x0, err);
		for (int64_t i = 0; i < now && !status; i++) {
			double error = 0;
			for (size_t k = (size_t)i * slice; k < (size_t)(i + 1) * slice; k++)
				error += ((double)x0[k] - (double)x[k]) * ((double)x0[k] - (double)x[k]);
			error /= (double)slice;
			sum += error;
			squares += error * error;
		}
	}
	hy_infer_free(f);
	hy_free_aligned(x0);
	if (status)
		return status;
	const double m = sum / (double)n, spread = squares / (double)n - m * m;
	*mean = m;
	*sd = spread > 0 ? sqrt(spread) : 0;
	return HARDY_OK;
}
