/*
 * adv_noise.c: adversarial noise and the scaling of images: lengths, ranges, and the gradient of scaling by central differences.
 */
#include "perturb/adv_noise.h"

#include "base/rng.h"
#include "perturb/rescale.h"
#include "support/test.h"

#include <math.h>
#include <string.h>

enum { N = 3, SIZE = 40 };

static void fill(float *x, uint64_t stream)
{
	hy_rng g = hy_rng_make(5, HY_RNG_TEST, stream, 0);
	for (int i = 0; i < N * SIZE; i++)
		x[i] = (float)hy_rng_uniform(&g);
}

static void directions_have_length_one(void **state)
{
	(void)state;
	float g[N * SIZE], d[N * SIZE], zero[N * SIZE] = {0};
	fill(g, 2);
	hy_noise_unit(g, N, SIZE, d);
	for (int i = 0; i < N; i++) {
		double square = 0, length = 0;
		for (int k = i * SIZE; k < (i + 1) * SIZE; k++) {
			square += (double)d[k] * (double)d[k];
			length += (double)g[k] * (double)g[k];
		}
		assert_true(fabs(square - 1) < 1e-5);
		for (int k = i * SIZE; k < (i + 1) * SIZE; k++)
			assert_true(fabs((double)d[k] * sqrt(length) - (double)g[k]) < 1e-5);
	}
	hy_noise_unit(zero, N, SIZE, zero); /* no direction stays none */
	for (int k = 0; k < N * SIZE; k++)
		assert_true(zero[k] == 0);
}

static void ranges(void **state)
{
	(void)state;
	float x[N * SIZE], y[N * SIZE], low[N], high[N];
	fill(x, 1);
	for (int k = 0; k < SIZE; k++)
		x[SIZE + k] = 0.25f; /* an image of one value */
	hy_rescale_unit(x, N, SIZE, y);
	hy_rescale_range(y, N, SIZE, low, high);
	assert_true(low[0] == 0 && high[0] == 1 && low[1] == 0 && high[1] == 0 && low[2] == 0 && high[2] == 1);
	low[0] = -2, high[0] = 3;
	hy_rescale(x, low, high, N, SIZE, y);
	hy_rescale_range(y, N, SIZE, low, high);
	assert_true(low[0] == -2 && fabs((double)high[0] - 3) < 1e-6 && low[1] == 0);
	hy_noise_add(x, x, 1, N * SIZE, y);
	hy_noise_clamp(y, x, N * SIZE, y);
	float l[N], h[N];
	hy_rescale_range(y, 1, N * SIZE, l, h);
	hy_rescale_range(x, 1, N * SIZE, low, high);
	assert_true(l[0] >= low[0] && h[0] == high[0]);
}

/* Of the weighted sum of the scaled image, minimum and maximum included. */
static void gradient_of_scaling(void **state)
{
	(void)state;
	float x[N * SIZE], w[N * SIZE], y[N * SIZE], dx[N * SIZE], low[N] = {0, -1, 2}, high[N] = {1, 1, 2.5f};
	fill(x, 2);
	fill(w, 3);
	hy_rescale_back(x, w, low, high, N, SIZE, dx);
	for (int k = 0; k < N * SIZE; k++) {
		const float kept = x[k], step = 1e-3f;
		double sum[2] = {0, 0};
		for (int side = 0; side < 2; side++) {
			x[k] = kept + (side ? step : -step);
			hy_rescale(x, low, high, N, SIZE, y);
			for (int j = 0; j < N * SIZE; j++)
				sum[side] += (double)w[j] * (double)y[j];
		}
		x[k] = kept;
		const double slope = (sum[1] - sum[0]) / (2 * (double)step);
		if (!(fabs(slope - (double)dx[k]) < 0.02 * (1 + fabs(slope))))
			fail_msg("pixel %d: slope %g, gradient %g", k, slope, (double)dx[k]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(directions_have_length_one), cmocka_unit_test(ranges),
	                                   cmocka_unit_test(gradient_of_scaling)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
