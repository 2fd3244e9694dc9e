/*
 * recalibrate.c: statistics of batch norm over batches of slices, and reconstruction errors.
 */
#include "training/recalibrate.h"

#include "base/memory.h"
#include "support/test.h"

#include <math.h>
#include <string.h>

enum { SIZE = 16, N = 5, BATCH = 2, PIXELS = SIZE * SIZE };

static hy_network network;
static float image[N * PIXELS];

static int prepare(void **state)
{
	(void)state;
	hardy_error err = {0};
	const hy_network_config config = {.channels = 1, .classes = 3, .decoupler = true};
	if (hy_network_init(&network, &config, &err))
		return 1;
	hy_params_draw(&network.params, 3);
	for (int i = 0; i < N; i++) {
		hy_rng g = hy_rng_make(1, HY_RNG_TEST, (uint64_t)i, 0);
		for (int k = 0; k < PIXELS; k++)
			image[i * PIXELS + k] = (float)(hy_rng_uniform(&g) * (i + 1) / N);
	}
	return 0;
}

static int clean(void **state)
{
	(void)state;
	hy_network_clear(&network);
	return 0;
}

/* Statistics of one batch by themselves, into the network's buffers. */
static void track_once(const float *batch, int64_t n)
{
	hardy_error err = {0};
	const hy_infer_options o = {
	    .batch = n, .height = SIZE, .width = SIZE, .stn = true, .reconstruct = true, .norm = HY_NORM_TRACK};
	hy_infer *f = hy_infer_new(&network, &o, &err);
	assert_non_null(f);
	hy_infer_momentum(f, 1);
	assert_ok(hy_infer_run(f, batch, n, NULL, NULL, NULL, &err), &err);
	hy_infer_free(f);
}

static float *buffers(void)
{
	float *copy = hy_alloc(network.params.n_buffers, sizeof *copy);
	assert_non_null(copy);
	memcpy(copy, network.params.buffers, network.params.n_buffers * sizeof *copy);
	return copy;
}

static void statistics_are_the_mean_over_whole_batches(void **state)
{
	(void)state;
	hardy_error err = {0};
	const size_t n = network.params.n_buffers;
	size_t order[N];
	float batch[BATCH * PIXELS], *parts[N / BATCH];
	hy_rng g = hy_rng_make(9, HY_RNG_ORDER, UINT64_MAX, 0);
	hy_rng_permutation(&g, N, order);
	for (int k = 0; k < N / BATCH; k++) {
		for (int i = 0; i < BATCH; i++)
			memcpy(batch + i * PIXELS, image + order[k * BATCH + i] * PIXELS, PIXELS * sizeof *batch);
		track_once(batch, BATCH);
		parts[k] = buffers();
	}
	for (size_t i = 0; i < n; i++)
		hy_params_write_buffers(&network.params)[i] = 1e6f; /* what was there does not matter */
	assert_ok(hy_recalibrate(&network, image, N, SIZE, BATCH, 9, &err), &err);
	size_t n_checked = 0;
	for (size_t p = 0; p < network.params.n; p++) {
		const hy_param *q = &network.params.list[p];
		for (size_t i = q->offset; q->is_buffer && i < q->offset + q->n; i++, n_checked++) {
			const double want = ((double)parts[0][i] + (double)parts[1][i]) / 2;
			assert_true(fabs((double)network.params.buffers[i] - want) <= 1e-5 * (fabs(want) + 1e-3));
		}
	}
	assert_true(n_checked > 1000);
	float *first = buffers();
	assert_ok(hy_recalibrate(&network, image, N, SIZE, BATCH, 9, &err), &err);
	assert_memory_equal(first, network.params.buffers, n * sizeof *first);
	hy_free(first);
	for (int k = 0; k < N / BATCH; k++)
		hy_free(parts[k]);
}

static void fewer_slices_than_a_batch_are_one(void **state)
{
	(void)state;
	hardy_error err = {0};
	track_once(image, N);
	float *want = buffers();
	assert_ok(hy_recalibrate(&network, image, N, SIZE, 20, 9, &err), &err);
	for (size_t p = 0; p < network.params.n; p++) {
		const hy_param *q = &network.params.list[p];
		for (size_t i = q->offset; q->is_buffer && i < q->offset + q->n; i++) /* another order of the same slices */
			assert_true(fabs((double)network.params.buffers[i] - (double)want[i]) <= 1e-4 * (fabs((double)want[i]) + 1e-2));
	}
	hy_free(want);
}

static void errors_of_reconstruction(void **state)
{
	(void)state;
	hardy_error err = {0};
	static float x0[N * PIXELS];
	const hy_infer_options o = {.batch = N, .height = SIZE, .width = SIZE, .reconstruct = true, .norm = HY_NORM_RUNNING};
	hy_infer *f = hy_infer_new(&network, &o, &err);
	assert_non_null(f);
	assert_ok(hy_infer_run(f, image, N, NULL, NULL, x0, &err), &err);
	hy_infer_free(f);
	double each[N], mean = 0, variance = 0, found_mean = 0, found_sd = 0;
	for (int i = 0; i < N; i++) {
		each[i] = 0;
		for (int k = i * PIXELS; k < (i + 1) * PIXELS; k++)
			each[i] += pow((double)x0[k] - (double)image[k], 2) / PIXELS;
		mean += each[i] / N;
	}
	for (int i = 0; i < N; i++)
		variance += (each[i] - mean) * (each[i] - mean) / N;
	assert_ok(hy_reconstruction_error(&network, image, N, SIZE, &found_mean, &found_sd, &err), &err);
	assert_true(fabs(found_mean - mean) <= 1e-6 * mean);
	assert_true(fabs(found_sd - sqrt(variance)) <= 1e-4 * sqrt(variance));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(statistics_are_the_mean_over_whole_batches),
	    cmocka_unit_test(fewer_slices_than_a_batch_are_one),
	    cmocka_unit_test(errors_of_reconstruction),
	};
	return cmocka_run_group_tests(tests, prepare, clean);
}
