/*
 * chain.c: the steps of ACDC-C around an artefact: crop or pad, scaling of each slice, and the way back.
 */
#include "artefact/artefact.h"
#include "support/test.h"

#include <math.h>
#include <string.h>

enum { H = 9, W = 14, N = 3, SIZE = 12 };

static float image[N][H][W], x[N][H][W];

static void fill(void)
{
	hy_rng g = hy_rng_make(3, HY_RNG_TEST, 0, 0);
	for (int z = 0; z < N; z++)
		for (int r = 0; r < H; r++)
			for (int c = 0; c < W; c++)
				image[z][r][c] = z == 1 ? 5 : (float)hy_rng_between(&g, 10, 20 + z); /* slice 1 is constant */
	memcpy(x, image, sizeof x);
}

/* Without an artefact: padded with zeros to 12 rows, cropped to columns 1 to 12, each slice to [0, 1]. */
static void test_frame(void **state)
{
	hardy_error err;
	(void)state;
	fill();
	assert_ok(hy_acdcc_apply(NULL, &x[0][0][0], N, H, W, SIZE, &err), &err);
	for (int z = 0; z < N; z++) {
		float most = 0;
		for (int r = 0; r < H; r++)
			for (int c = 1; c < 13; c++)
				most = fmaxf(most, image[z][r][c]);
		for (int r = 0; r < H; r++)
			for (int c = 0; c < W; c++)
				assert_true(fabsf(x[z][r][c] - (c < 1 || c >= 13 ? 0 : image[z][r][c] / most)) < 1e-6f);
	}
}

/* A slice without structure stays one, whatever comes before and after it. */
static void test_constant(void **state)
{
	hardy_error err;
	hy_artefact a = {.kind = HY_ARTEFACT_BIAS};
	(void)state;
	fill();
	a.bias.order = 1;
	a.bias.coefficients[1] = .7;
	assert_ok(hy_acdcc_apply(&a, &x[0][0][0], N, H, W, 0, &err), &err);
	for (int z = 0; z < N; z++) {
		float low = 2, high = -1;
		for (int i = 0; i < H * W; i++) {
			low = fminf(low, (&x[z][0][0])[i]);
			high = fmaxf(high, (&x[z][0][0])[i]);
		}
		assert_true(low == 0 && high == (z == 1 ? 0 : 1));
	}
}

static void test_bad_voxel(void **state)
{
	hardy_error err;
	const hy_artefact a = {.kind = HY_ARTEFACT_BIAS};
	(void)state;
	fill();
	x[2][4][4] = NAN;
	assert_int_equal(hy_acdcc_apply(&a, &x[0][0][0], N, H, W, 0, &err), HARDY_ERROR_NUMERIC);
	assert_true(x[0][0][0] == image[0][0][0]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_frame),
	    cmocka_unit_test(test_constant),
	    cmocka_unit_test(test_bad_voxel),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
