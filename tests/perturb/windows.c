/*
 * windows.c: random windows: how many, where and how large, and what painting leaves of an image.
 */
#include "perturb/windows.h"

#include "support/test.h"

#include <math.h>
#include <string.h>

static void draws(void **state)
{
	(void)state;
	static const int64_t sizes[][2] = {{10, 10}, {16, 32}, {96, 96}, {45, 38}};
	int full = 0, none = 0;
	for (int round = 0; round < 20000; round++) {
		hy_rng g = hy_rng_make(1, HY_RNG_TEST, (uint64_t)round, 0);
		const int64_t h = sizes[round % 4][0], w = sizes[round % 4][1];
		hy_window list[HY_MAX_WINDOWS];
		const int n = hy_windows_draw(&g, 5, 0.95, h, w, list);
		assert_in_range(n, 0, 5);
		full += n == 5;
		none += n == 0;
		for (int i = 0; i < n; i++) {
			assert_true(list[i].height >= h / 6 && list[i].height <= h / 3 && list[i].width >= w / 6 && list[i].width <= w / 3);
			assert_true(list[i].row >= 3 && list[i].row + list[i].height <= h - 3);
			assert_true(list[i].column >= 3 && list[i].column + list[i].width <= w - 3);
		}
	}
	assert_true(fabs(full / 20000.0 - pow(0.95, 5)) < 0.01);
	assert_true(fabs(none / 20000.0 - 0.05) < 0.005);
}

static void every_size_is_drawn(void **state)
{
	(void)state;
	int seen[13] = {0};
	hy_rng g = hy_rng_make(2, HY_RNG_TEST, 0, 0);
	for (int round = 0; round < 4000; round++) {
		hy_window one;
		if (hy_windows_draw(&g, 1, 1, 36, 36, &one))
			seen[one.height]++;
	}
	for (int i = 6; i <= 12; i++)
		assert_true(seen[i] > 400);
}

static void painting(void **state)
{
	(void)state;
	enum { C = 2, H = 20, W = 24 };
	static float image[C * H * W], out[C * H * W], noise[C * H * W];
	const hy_window list[] = {{4, 5, 3, 6}, {6, 8, 5, 4}};
	for (int i = 0; i < C * H * W; i++) {
		image[i] = 1 + (float)i;
		noise[i] = -1 - (float)i;
	}
	assert_int_equal(hy_windows_noise(list, 2, C), C * (18 + 20));
	memcpy(out, noise, sizeof out);
	hy_windows_out(list, 2, image, C, H, W, out);
	hy_windows_in(list, 2, noise, C, H, W, image);
	for (int c = 0, at = 0; c < C; c++)
		for (int y = 0; y < H; y++)
			for (int x = 0; x < W; x++, at++) {
				const bool a = y >= 4 && y < 7 && x >= 5 && x < 11, b = y >= 6 && y < 11 && x >= 8 && x < 12;
				assert_true((image[at] < 0) == (a || b) && (out[at] > 0) == (a || b));
				/* the second window overwrites: its block begins behind the first one's */
				if (b)
					assert_true(image[at] == noise[C * 18 + (c * 5 + y - 6) * 4 + x - 8]);
			}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(draws), cmocka_unit_test(every_size_is_drawn),
	                                   cmocka_unit_test(painting)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
