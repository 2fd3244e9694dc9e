/*
 * maxstyle.c: draws, gradients by central differences, and that Adam makes an example harder.
 */
#include "perturb/maxstyle.h"

#include "support/test.h"

#include <math.h>
#include <string.h>

enum { N = 3, C = 2, HW = 20, SIZE = N * C * HW };

static float x[SIZE], w[SIZE], y[SIZE];

static void fill(void)
{
	hy_rng g = hy_rng_make(10, HY_RNG_TEST, 0, 0);
	for (int i = 0; i < SIZE; i++) {
		x[i] = (float)(hy_rng_normal(&g) * (1 + i / HW) + i / HW);
		w[i] = (float)hy_rng_normal(&g);
	}
}

/* The weighted sum of the features in their new style. */
static double value(hy_maxstyle *m, hy_style *s)
{
	double sum = 0;
	hy_style_measure(s, x, HW, 0, 1e-6);
	hy_maxstyle_choose(m, s);
	hy_style_apply(s, x, HW, 0, y);
	for (int i = 0; i < SIZE; i++)
		sum += (double)w[i] * (double)y[i];
	return sum;
}

static void draws(void **state)
{
	(void)state;
	hardy_error err;
	hy_maxstyle m;
	assert_ok(hy_maxstyle_init(&m, 2, C, &err), &err);
	for (int round = 0; round < 200; round++) {
		hy_rng g = hy_rng_make(11, HY_RNG_TEST, (uint64_t)round, 0);
		hy_maxstyle_draw(&m, &g, round % 2 ? 0.1 : 0);
		assert_true(m.other[0] == 1 && m.other[1] == 0); /* never itself */
		assert_true(m.values[0] >= 0 && m.values[0] <= 1);
	}
	hy_maxstyle_clear(&m);
}

static void gradients_by_differences(void **state)
{
	(void)state;
	hardy_error err;
	hy_maxstyle m;
	hy_style s;
	fill();
	assert_ok(hy_maxstyle_init(&m, N, C, &err), &err);
	assert_ok(hy_style_init(&s, N, C, &err), &err);
	hy_rng g = hy_rng_make(12, HY_RNG_TEST, 0, 0);
	hy_maxstyle_draw(&m, &g, 0);
	m.values[1] = 1.5f; /* held at 1 */
	value(&m, &s);
	hy_style_back(&s, x, w, HW, 0, false, true, NULL);
	hy_maxstyle_gradient(&m, &s);
	assert_true(m.grads[1] == 0);
	for (int i = 0; i < N * (1 + 2 * C); i++) {
		const float kept = m.values[i];
		m.values[i] = kept + 1e-2f;
		const double high = value(&m, &s);
		m.values[i] = kept - 1e-2f;
		const double slope = (high - value(&m, &s)) / 2e-2;
		m.values[i] = kept;
		if (!(fabs(slope - (double)m.grads[i]) < 1e-3 * (1 + fabs(slope))))
			fail_msg("parameter %d: slope %g, gradient %g", i, slope, (double)m.grads[i]);
	}
	hy_maxstyle_clear(&m);
	hy_style_clear(&s);
}

static void steps_go_down(void **state)
{
	(void)state;
	hardy_error err;
	hy_maxstyle m;
	hy_style s;
	fill();
	assert_ok(hy_maxstyle_init(&m, N, C, &err), &err);
	assert_ok(hy_style_init(&s, N, C, &err), &err);
	hy_rng g = hy_rng_make(13, HY_RNG_TEST, 0, 0);
	hy_maxstyle_draw(&m, &g, 0);
	double before = value(&m, &s);
	for (int step = 0; step < 5; step++) {
		hy_style_back(&s, x, w, HW, 0, false, true, NULL);
		hy_maxstyle_gradient(&m, &s);
		hy_maxstyle_step(&m, 0.1);
		const double now = value(&m, &s);
		assert_true(now < before);
		before = now;
	}
	hy_maxstyle_clear(&m);
	hy_style_clear(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(draws), cmocka_unit_test(gradients_by_differences),
	                                   cmocka_unit_test(steps_go_down)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
