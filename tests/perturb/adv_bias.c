/*
 * adv_bias.c: bias fields: constant points give a level field, ranges, gradients by central differences, the update, and what is
 * refused.
 */
#include "perturb/adv_bias.h"

#include "base/memory.h"
#include "support/test.h"

#include <math.h>
#include <string.h>

enum { N = 2 };

static hy_bias make(hy_bias_options o, int64_t h, int64_t w)
{
	hy_bias b;
	hardy_error err;
	assert_ok(hy_bias_init(&b, &o, N, h, w, &err), &err);
	return b;
}

static const struct {
	hy_bias_options o;
	int64_t h, w;
} cases[] = {
    {{0.4, {8, 8}, 2, true}, 16, 16},    {{0.4, {48, 48}, 2, true}, 96, 96}, {{0.3, {12, 7}, 1, true}, 33, 20},
    {{0.3, {16, 16}, 2, false}, 32, 48}, {{0.4, {22, 19}, 2, true}, 45, 38}, {{0.5, {28, 28}, 4, true}, 64, 64},
    {{0.2, {5, 9}, 1.5, false}, 17, 31},
};

static void constant_points_give_a_level_field(void **state)
{
	(void)state;
	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		hy_bias b = make(cases[k].o, cases[k].h, cases[k].w);
		float *p = hy_alloc((size_t)(N * b.y.n * b.x.n), sizeof *p),
		      *f = hy_alloc((size_t)(N * cases[k].h * cases[k].w), sizeof *f);
		for (int64_t i = 0; i < N * b.y.n * b.x.n; i++)
			p[i] = i < b.y.n * b.x.n ? 0.1f : 9;
		hy_bias_field(&b, p, N, f);
		for (int64_t i = 0; i < cases[k].h * cases[k].w; i++) {
			/* near the border a control point is missing on one side: the spline falls short there, as in the reference */
			const bool middle = i / cases[k].w == cases[k].h / 2 && i % cases[k].w == cases[k].w / 2;
			const double want = b.o.log_space ? exp(0.1) : 1.1;
			assert_true((double)f[i] <= want + 1e-6 && (double)f[i] > 1 + 0.8 * (want - 1));
			if (middle && !(fabs((double)f[i] - want) < 1e-6))
				fail_msg("case %zu: the middle is %g, want %g", k, (double)f[i], want);
			assert_true(f[cases[k].h * cases[k].w + i] == (float)(1 + b.o.epsilon)); /* clipped */
		}
		hy_bias_clear(&b);
		hy_free(p);
		hy_free(f);
	}
}

static void gradient_by_differences(void **state)
{
	(void)state;
	for (size_t k = 0; k < sizeof cases / sizeof *cases; k++) {
		if (cases[k].h > 64)
			continue;
		hy_bias b = make(cases[k].o, cases[k].h, cases[k].w);
		const int64_t np = N * b.y.n * b.x.n, nf = N * cases[k].h * cases[k].w;
		float *p = hy_alloc((size_t)np, sizeof *p), *g = hy_alloc((size_t)np, sizeof *g);
		float *f = hy_alloc((size_t)nf, sizeof *f), *w = hy_alloc((size_t)nf, sizeof *w);
		hy_rng rng = hy_rng_make(6, HY_RNG_TEST, k, 0);
		for (int64_t i = 0; i < nf; i++)
			w[i] = (float)hy_rng_normal(&rng);
		for (int i = 0; i < N; i++)
			hy_bias_draw(&b, &rng, p + i * b.y.n * b.x.n);
		for (int64_t i = 0; i < np; i++) {
			assert_true((double)p[i] >= b.low - 1e-7 && (double)p[i] <= b.high + 1e-7);
			p[i] *= 0.8f; /* no pixel at the clip's kinks */
		}
		hy_bias_back(&b, p, w, N, g);
		for (int64_t i = 0; i < np; i++) {
			const float kept = p[i], step = 1e-2f;
			double sum[2] = {0, 0};
			for (int side = 0; side < 2; side++) {
				p[i] = kept + (side ? step : -step);
				hy_bias_field(&b, p, N, f);
				for (int64_t j = 0; j < nf; j++)
					sum[side] += (double)w[j] * (double)f[j];
			}
			p[i] = kept;
			const double slope = (sum[1] - sum[0]) / (2 * (double)step);
			if (!(fabs(slope - (double)g[i]) < 2e-3 * (1 + fabs(slope))))
				fail_msg("case %zu, point %d: slope %g, gradient %g", k, (int)i, slope, (double)g[i]);
		}
		hy_bias_clear(&b);
		hy_free(p);
		hy_free(g);
		hy_free(f);
		hy_free(w);
	}
}

static void clipped_pixels_have_no_gradient(void **state)
{
	(void)state;
	hy_bias b = make(cases[0].o, cases[0].h, cases[0].w);
	float p[64], g[64], w[512];
	for (int i = 0; i < 64; i++)
		p[i] = 2;
	for (int i = 0; i < 512; i++)
		w[i] = 1;
	assert_true(N * b.y.n * b.x.n <= 64);
	hy_bias_back(&b, p, w, N, g);
	for (int64_t i = 0; i < N * b.y.n * b.x.n; i++)
		assert_true(g[i] == 0);
	hy_bias_clear(&b);
}

static void update_and_channels(void **state)
{
	(void)state;
	hy_bias b = make(cases[0].o, cases[0].h, cases[0].w);
	const int64_t count = b.y.n * b.x.n;
	float p[64] = {0}, g[64] = {0};
	g[0] = 3, g[1] = -4, g[count] = 0;
	hy_bias_move(&b, p, g, 1, N);
	assert_true(fabs((double)p[0] - 0.6) < 1e-6 && fabs((double)p[1] + 0.8) < 1e-6 && p[2] == 0 && p[count] == 0);
	hy_bias_clamp(&b, p, N);
	assert_true(p[0] == (float)log(1.4) && p[1] == (float)log(0.6));
	hy_bias_clear(&b);
	const float x[] = {1, 2, 3, 4}, field[] = {2, 10}, dout[] = {1, 1, 5, 1};
	float out[4], df[2];
	hy_bias_apply(x, field, 1, 2, 2, out);
	assert_true(out[0] == 2 && out[1] == 20 && out[2] == 6 && out[3] == 40);
	hy_bias_apply_back(x, dout, 1, 2, 2, df);
	assert_true(df[0] == 16 && df[1] == 6);
}

static void refused(void **state)
{
	(void)state;
	hy_bias b;
	hardy_error err;
	const hy_bias_options o = {0.4, {8, 8}, 16, true};
	assert_int_equal(hy_bias_init(&b, &o, N, 16, 16, &err), HARDY_ERROR_ARGUMENT);
	assert_non_null(strstr(err.message, "8 pixels apart"));
	for (int64_t k = 1; k <= 5; k++) {
		hy_memory_fail_at(k);
		const hardy_status status = hy_bias_init(&b, &cases[0].o, N, 16, 16, &err);
		hy_memory_fail_at(0);
		assert_int_equal(status, HARDY_ERROR_MEMORY);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(constant_points_give_a_level_field),
	    cmocka_unit_test(gradient_by_differences),
	    cmocka_unit_test(clipped_pixels_have_no_gradient),
	    cmocka_unit_test(update_and_channels),
	    cmocka_unit_test(refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
