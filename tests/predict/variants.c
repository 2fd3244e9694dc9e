/*
 * variants.c: versions of a slice: how many, that the first is the slice, and that mirroring comes back.
 */
#include "predict/variants.h"

#include "support/test.h"

#include <math.h>
#include <string.h>

enum { N = 2, H = 3, W = 4, SIZE = N * H * W };

static void numbers(void **state)
{
	(void)state;
	hy_variant v[HY_MAX_VARIANTS];
	assert_int_equal(hy_variants(false, false, v), 1);
	assert_int_equal(hy_variants(true, false, v), 4);
	assert_int_equal(hy_variants(false, true, v), 3);
	assert_int_equal(hy_variants(true, true, v), 12);
	assert_true(!v[0].flip_x && !v[0].flip_y && v[0].gamma == 1);
	for (int i = 0; i < 12; i++)
		for (int k = 0; k < i; k++)
			assert_true(v[i].flip_x != v[k].flip_x || v[i].flip_y != v[k].flip_y || v[i].gamma != v[k].gamma);
	const int n = hy_opinions(v);
	assert_true(n > 0 && n < HY_MAX_VARIANTS);
	for (int i = 0; i < n; i++)
		assert_true(v[i].flip_x || v[i].flip_y || v[i].gamma != 1); /* none is the slice itself */
}

static void there_and_back(void **state)
{
	(void)state;
	float x[SIZE], y[SIZE];
	hy_variant v[HY_MAX_VARIANTS];
	for (int i = 0; i < SIZE; i++)
		x[i] = (float)i / SIZE;
	const int n = hy_variants(true, true, v);
	for (int k = 0; k < n; k++) {
		hy_variant_apply(&v[k], x, N, H, W, y);
		for (int i = 0; i < SIZE; i++) {
			const int column = v[k].flip_x ? W - 1 - i % W : i % W, row = v[k].flip_y ? H - 1 - i / W % H : i / W % H;
			const float from = x[i / (W * H) * W * H + row * W + column];
			assert_true(fabs((double)y[i] - pow((double)from, (double)v[k].gamma)) < 1e-6);
		}
		hy_variant_restore(&v[k], N, H, W, y);
		for (int i = 0; i < SIZE; i++)
			assert_true(fabs((double)y[i] - pow((double)x[i], (double)v[k].gamma)) < 1e-6);
	}
	const float outside[] = {-1, 2};
	hy_variant_apply(&(hy_variant){.gamma = 0.5f}, outside, 1, 1, 2, y);
	assert_true(y[0] == 0 && y[1] > 1.4f); /* below 0 a power would not be a number */
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(numbers), cmocka_unit_test(there_and_back)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
