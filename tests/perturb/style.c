/*
 * style.c: feature styles: features get exactly the style that is set, both layouts agree, the backward pass, draws of Beta, and the
 * operator on a tape.
 */
#include "perturb/style.h"

#include "support/test.h"

#include <math.h>
#include <string.h>

enum { N = 4, C = 16, H = 4, W = 8, HW = H * W, SIZE = N * C * HW };

static float x[SIZE], y[SIZE], dy[SIZE], dx[SIZE], blocked[SIZE], other[SIZE];

static void fill(void)
{
	hy_rng g = hy_rng_make(8, HY_RNG_TEST, 0, 0);
	for (int i = 0; i < SIZE; i++) {
		x[i] = (float)(hy_rng_normal(&g) * (1 + i / HW % 5) + i / HW);
		dy[i] = (float)hy_rng_normal(&g);
	}
}

static void to_blocked(const float *from, int block, float *to)
{
	for (int i = 0; i < SIZE; i++) {
		const int q = i % HW, k = i / HW % C, s = i / HW / C;
		to[((s * (C / block) + k / block) * HW + q) * block + k % block] = from[i];
	}
}

static hy_style make(void)
{
	hy_style s;
	hardy_error err;
	assert_ok(hy_style_init(&s, N, C, &err), &err);
	return s;
}

static void features_get_the_style(void **state)
{
	(void)state;
	fill();
	hy_style s = make(), after = make();
	const double lambda[N] = {0, 1, 0.25, 0.5};
	const size_t whose[N] = {1, 2, 3, 3};
	hy_style_measure(&s, x, HW, 0, 0);
	hy_style_mix(&s, lambda, whose);
	hy_style_apply(&s, x, HW, 0, y);
	hy_style_measure(&after, y, HW, 0, 0);
	for (int i = 0; i < N; i++)
		for (int k = 0; k < C; k++) {
			const int a = i * C + k, b = (int)whose[i] * C + k;
			assert_true(fabs(after.mean[a] - ((1 - lambda[i]) * s.mean[a] + lambda[i] * s.mean[b])) < 1e-4);
			assert_true(fabs(after.sd[a] - ((1 - lambda[i]) * s.sd[a] + lambda[i] * s.sd[b])) < 1e-4);
		}
	double on_mean[N * C], on_sd[N * C], spread[C], spread_sd[C];
	for (int i = 0; i < N * C; i++) {
		on_mean[i] = i % 3 - 1;
		on_sd[i] = 0.1 * (i % 4);
	}
	hy_style_disturb(&s, on_mean, on_sd, spread);
	hy_style_apply(&s, x, HW, 0, y);
	hy_style_measure(&after, y, HW, 0, 0);
	hy_style_spread(s.mean, N, C, spread);
	hy_style_spread(s.sd, N, C, spread_sd);
	for (int i = 0; i < N * C; i++) {
		assert_true(fabs(after.mean[i] - s.mean[i] - on_mean[i] * spread[i % C]) < 1e-3);
		assert_true(fabs(after.sd[i] - s.sd[i] - on_sd[i] * spread_sd[i % C]) < 1e-3);
	}
	hy_style_clear(&s);
	hy_style_clear(&after);
}

static void layouts_agree(void **state)
{
	(void)state;
	static const int blocks[] = {8, 16};
	fill();
	for (int b = 0; b < 2; b++) {
		hy_style planar = make(), s = make();
		to_blocked(x, blocks[b], blocked);
		hy_style_measure(&planar, x, HW, 0, 1e-6);
		hy_style_measure(&s, blocked, HW, blocks[b], 1e-6);
		assert_memory_equal(planar.mean, s.mean, N * C * sizeof *s.mean);
		assert_memory_equal(planar.sd, s.sd, N * C * sizeof *s.sd);
		for (int i = 0; i < N * C; i++) {
			hy_style_set(&planar, i / C, i % C, 2, -1);
			hy_style_set(&s, i / C, i % C, 2, -1);
		}
		hy_style_apply(&planar, x, HW, 0, y);
		hy_style_apply(&s, blocked, HW, blocks[b], blocked);
		to_blocked(y, blocks[b], other);
		assert_memory_equal(blocked, other, sizeof other);
		to_blocked(x, blocks[b], blocked);
		to_blocked(dy, blocks[b], other);
		hy_style_back(&planar, x, dy, HW, 0, false, true, dx);
		hy_style_back(&s, blocked, other, HW, blocks[b], false, true, y);
		to_blocked(dx, blocks[b], other);
		assert_memory_equal(y, other, sizeof other);
		assert_memory_equal(planar.by_style_sd, s.by_style_sd, N * C * sizeof *s.by_style_sd);
		assert_memory_equal(planar.by_style_mean, s.by_style_mean, N * C * sizeof *s.by_style_mean);
		hy_style_clear(&planar);
		hy_style_clear(&s);
	}
}

/* y = (x - mu) / sigma style_sd + style_mean with mu and sigma held. */
static void backward(void **state)
{
	(void)state;
	fill();
	hy_style s = make();
	hy_style_measure(&s, x, HW, 0, 0.01);
	for (int i = 0; i < N * C; i++)
		hy_style_set(&s, i / C, i % C, 1 + i % 3, i % 5);
	hy_style_back(&s, x, dy, HW, 0, false, true, dx);
	for (int j = 0; j < N * C; j++) {
		double mean = 0, sd = 0;
		for (int q = 0; q < HW; q++) {
			const int i = j * HW + q;
			assert_true(fabs((double)dx[i] - (double)dy[i] * (1 + j % 3) / s.sd[j]) < 1e-5);
			mean += (double)dy[i];
			sd += (double)dy[i] * ((double)x[i] - s.mean[j]) / s.sd[j];
		}
		assert_true(fabs(mean - s.by_style_mean[j]) < 1e-6 && fabs(sd - s.by_style_sd[j]) < 1e-6);
	}
	memcpy(y, dx, sizeof y);
	hy_style_back(&s, x, dy, HW, 0, true, false, y);
	for (int i = 0; i < SIZE; i++)
		assert_true(fabs((double)y[i] - 2 * (double)dx[i]) < 1e-5);
	hy_style_clear(&s);
}

static void beta_has_its_moments(void **state)
{
	(void)state;
	static const double shapes[] = {0.1, 0.5, 1};
	hy_rng g = hy_rng_make(9, HY_RNG_TEST, 0, 0);
	for (int k = 0; k < 3; k++) {
		double mean = 0, square = 0;
		for (int i = 0; i < 20000; i++) {
			const double v = hy_style_beta(&g, shapes[k]);
			assert_true(v >= 0 && v <= 1);
			mean += v / 20000;
			square += v * v / 20000;
		}
		assert_true(fabs(mean - 0.5) < 0.015);
		assert_true(fabs(square - mean * mean - 1 / (4 * (2 * shapes[k] + 1))) < 0.005);
	}
}

static int n_chosen;

static void choose(hy_restyle *r)
{
	n_chosen++;
	for (int64_t i = 0; i < r->style.n; i++)
		for (int64_t k = 0; k < r->style.c; k++)
			hy_style_set(&r->style, i, k, 2, (double)k);
}

static void as_operator(void **state)
{
	(void)state;
	hardy_error err;
	hy_params params = {0};
	hy_tape t;
	hy_restyle r = {.style = make(), .active = true, .with_style = true, .eps = 1e-8, .choose = choose};
	fill();
	assert_ok(hy_tape_init(&t, &params, NULL, &err), &err);
	const int in = hy_tape_input(&t, N, C, H, W), up = hy_tape_input(&t, N, C, H, W);
	t.values[in].constant = false;
	const int out = hy_op_restyle(&t, in, &r), end = hy_tape_mark(&t);
	hy_tape_gradients_begin(&t);
	hy_tape_gradient_set(&t, out, up);
	hy_tape_back(&t, 0, end, 0);
	const int g = hy_tape_gradient(&t, in);
	hy_tape_keep(&t, out);
	hy_tape_keep(&t, g);
	assert_ok(hy_tape_compile(&t, &err), &err);
	t.values[in].data = x;
	t.values[up].data = dy;
	assert_ok(hy_tape_run(&t, 0, &err), &err);
	assert_int_equal(n_chosen, 1);
	for (int j = 0; j < N * C; j++) {
		double mean = 0;
		for (int q = 0; q < HW; q++)
			mean += (double)hy_tape_floats(&t, out)[j * HW + q] / HW;
		assert_true(fabs(mean - j % C) < 1e-4);
		assert_true(fabs((double)hy_tape_floats(&t, g)[j * HW] - 2 * (double)dy[j * HW] / r.style.sd[j]) < 1e-5);
	}
	r.active = false;
	assert_ok(hy_tape_run(&t, 0, &err), &err);
	assert_memory_equal(hy_tape_floats(&t, out), x, sizeof x);
	assert_memory_equal(hy_tape_floats(&t, g), dy, sizeof dy);
	assert_int_equal(n_chosen, 1);
	hy_tape_clear(&t);
	hy_style_clear(&r.style);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(features_get_the_style), cmocka_unit_test(layouts_agree),
	                                   cmocka_unit_test(backward), cmocka_unit_test(beta_has_its_moments),
	                                   cmocka_unit_test(as_operator)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
