/*
 * consistency.c: divergences of predictions: zero where both agree, gradients by central differences, and as operators of a tape.
 */
#include "perturb/consistency.h"

#include "base/memory.h"
#include "support/test.h"

#include <math.h>
#include <string.h>

enum { N = 2, C = 3, H = 4, W = 8, SIZE = N * C * H * W };

static float a[SIZE], b[SIZE], c[SIZE], grad[3][SIZE], scratch[HY_CONTOUR_SCRATCH * SIZE];
static double partial[3 * N];

static void fill(void)
{
	hy_rng g = hy_rng_make(7, HY_RNG_TEST, 0, 0);
	for (int i = 0; i < SIZE; i++) {
		a[i] = (float)hy_rng_normal(&g);
		b[i] = (float)hy_rng_normal(&g);
		c[i] = (float)(30 * hy_rng_normal(&g)); /* probabilities near 0 and 1 */
	}
	memset(grad, 0, sizeof grad);
}

static double kl(void)
{
	return hy_kl(a, b, N, C, H * W, 1, NULL, partial);
}

static double contour(void)
{
	return hy_contour(a, b, N, C, H, W, 1, NULL, scratch, partial);
}

static double views(void)
{
	const float *logits[] = {a, b, c};
	double out[3];
	hy_views_divergence(logits, 3, N, C, H * W, 1, NULL, partial, out);
	return (out[0] + out[1] + out[2]) / 3;
}

static void slopes(const char *name, double (*f)(void), float *x, const float *g, float step, double weight)
{
	for (int i = 0; i < SIZE; i++) {
		const float kept = x[i];
		x[i] = kept + step;
		const double high = f();
		x[i] = kept - step;
		const double low = f(), slope = weight * (high - low) / (2 * (double)step);
		x[i] = kept;
		if (!(fabs(slope - (double)g[i]) < 1e-3 * fabs(slope) + 2e-6 * weight))
			fail_msg("%s, logit %d: slope %g, gradient %g", name, i, slope, (double)g[i]);
	}
}

static void gradients_by_differences(void **state)
{
	(void)state;
	fill();
	hy_kl(a, b, N, C, H * W, 2.5, grad[0], partial);
	slopes("KL", kl, b, grad[0], 1e-2f, 2.5);
	hy_contour(a, b, N, C, H, W, 0.5, grad[1], scratch, partial);
	slopes("contour", contour, b, grad[1], 1e-2f, 0.5);
	fill();
	const float *logits[] = {a, b, c};
	float *const grads[] = {grad[0], grad[1], grad[2]};
	double out[3];
	hy_views_divergence(logits, 3, N, C, H * W, 10, grads, partial, out);
	slopes("views", views, a, grad[0], 1e-2f, 10);
	slopes("views", views, b, grad[1], 1e-2f, 10);
	slopes("views", views, c, grad[2], 1e-2f, 10);
}

static void zero_where_both_agree(void **state)
{
	(void)state;
	fill();
	memcpy(b, a, sizeof b);
	memcpy(c, a, sizeof c);
	assert_true(fabs(kl()) < 1e-12 && fabs(contour()) < 1e-12 && fabs(views()) < 1e-12);
	hy_kl(a, b, N, C, H * W, 1, grad[0], partial);
	for (int i = 0; i < SIZE; i++)
		assert_true(fabs((double)grad[0][i]) < 1e-9);
	a[3] += 1;
	assert_true(kl() > 0 && contour() > 0 && views() > 0);
}

/* As operators: the first to write a gradient, or after another one. */
static void as_operators(void **state)
{
	(void)state;
	hardy_error err;
	hy_params params = {0};
	hy_tape t;
	hy_divergence d = {.name = "d", .w_kl = 1, .w_contour = 0.5}, e = {.w_kl = 2};
	hy_views v = {.name = "v", .weight = 10};
	fill();
	assert_ok(hy_tape_init(&t, &params, NULL, &err), &err);
	int x[3];
	float *const data[] = {a, b, c};
	for (int i = 0; i < 3; i++) {
		x[i] = hy_tape_input(&t, N, C, H, W);
		t.values[x[i]].constant = false;
		t.values[x[i]].data = data[i];
	}
	hy_tape_gradients_begin(&t);
	hy_op_divergence(&t, x[1], x[0], &d);
	hy_op_divergence(&t, x[1], x[0], &e);
	hy_op_views(&t, x, 3, &v);
	int g[3];
	for (int i = 0; i < 3; i++) {
		g[i] = hy_tape_gradient(&t, x[i]);
		hy_tape_keep(&t, g[i]);
	}
	assert_ok(hy_tape_compile(&t, &err), &err);
	for (int run = 0; run < 2; run++)
		assert_ok(hy_tape_run(&t, 0, &err), &err);
	assert_true(fabs(d.value - (kl() + 0.5 * contour())) < 1e-9 && fabs(e.value - 2 * kl()) < 1e-9);
	assert_true(fabs(v.value - 10 * views()) < 1e-9 && e.contour == 0);
	double out[3];
	const float *logits[] = {a, b, c};
	float *const grads[] = {grad[0], grad[1], grad[2]};
	hy_kl(a, b, N, C, H * W, 3, grad[1], partial);
	hy_contour(a, b, N, C, H, W, 0.5, grad[1], scratch, partial);
	hy_views_divergence(logits, 3, N, C, H * W, 10, grads, partial, out);
	for (int i = 0; i < 3 * SIZE; i++)
		assert_true(fabs((double)hy_tape_planar(&t, g[i / SIZE])[i % SIZE] - (double)grad[i / SIZE][i % SIZE]) < 1e-6);
	b[5] = NAN;
	assert_int_equal(hy_tape_run(&t, 0, &err), HARDY_ERROR_NUMERIC);
	assert_non_null(strstr(err.message, "\"d\""));
	hy_tape_clear(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(gradients_by_differences), cmocka_unit_test(zero_where_both_agree),
	                                   cmocka_unit_test(as_operators)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
