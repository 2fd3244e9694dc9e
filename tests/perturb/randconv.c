/*
 * randconv.c: random convolutions: what is drawn, borders and channels against a direct sum.
 */
#include "perturb/randconv.h"

#include "support/test.h"

#include <math.h>

static void draws(void **state)
{
	(void)state;
	int count[8] = {0};
	double square = 0, alpha = 0;
	int n = 0;
	for (int round = 0; round < 8000; round++) {
		hy_rng g = hy_rng_make(3, HY_RNG_TEST, (uint64_t)round, 0);
		hy_randconv r;
		hy_randconv_draw(&g, 2, 7, true, &r);
		assert_in_range(r.k, 1, 7);
		count[r.k]++;
		assert_true(r.alpha >= 0 && r.alpha < 1);
		alpha += r.alpha / 8000;
		for (int i = 0; i < 4 * r.k * r.k; i++, n++) /* of variance 1 / (c k^2) */
			square += (double)r.kernel[i] * (double)r.kernel[i] * 2 * r.k * r.k;
	}
	for (int k = 1; k <= 7; k += 2)
		assert_true(count[k] > 1850 && count[k] < 2150);
	assert_true(fabs(alpha - 0.5) < 0.02 && fabs(square / n - 1) < 0.02);
	hy_rng g = hy_rng_make(3, HY_RNG_TEST, 0, 0);
	hy_randconv r;
	hy_randconv_draw(&g, 1, 1, false, &r);
	assert_true(r.k == 1 && r.alpha == 0);
}

static void against_a_direct_sum(void **state)
{
	(void)state;
	enum { N = 2, C = 3, H = 5, W = 9 }; /* narrower than the largest kernel in one direction */
	static float x[N * C * H * W], out[N * C * H * W];
	hy_rng g = hy_rng_make(4, HY_RNG_TEST, 0, 0);
	for (int i = 0; i < N * C * H * W; i++)
		x[i] = (float)hy_rng_uniform(&g);
	for (int round = 0; round < 12; round++) {
		hy_randconv r;
		hy_randconv_draw(&g, C, 7, round % 2, &r);
		hy_randconv_apply(&r, x, N, C, H, W, out);
		for (int at = 0; at < N * C * H * W; at++) {
			const int px = at % W, py = at / W % H, o = at / (W * H) % C, i = at / (W * H * C);
			double sum = 0;
			for (int in = 0; in < C; in++)
				for (int ky = 0; ky < r.k; ky++)
					for (int kx = 0; kx < r.k; kx++) {
						const int qy = py + ky - r.k / 2, qx = px + kx - r.k / 2;
						if (qy >= 0 && qx >= 0 && qy < H && qx < W)
							sum += (double)r.kernel[((o * C + in) * r.k + ky) * r.k + kx] *
							       (double)x[((i * C + in) * H + qy) * W + qx];
					}
			const double want = r.alpha * (double)x[at] + (1 - r.alpha) * sum;
			assert_true(fabs((double)out[at] - want) < 1e-6);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(draws), cmocka_unit_test(against_a_direct_sum)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
