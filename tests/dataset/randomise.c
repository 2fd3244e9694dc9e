/*
 * randomise.c: each change against its formula, the statistics of the draws, and what holds for all of them.
 */
#include "dataset/randomise.h"

#include "base/memory.h"
#include "support/test.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { H = 20, W = 27, N = H * W };

/* Smooth, from 0 to 1, unlike along rows and columns. */
static void make_image(float *x)
{
	float low = 1e9f, high = -1e9f;
	for (int i = 0; i < N; i++) {
		const int r = i / W, c = i % W;
		x[i] = (float)(sin(0.4 * r + 1) + 0.7 * cos(0.31 * c) + 0.02 * r * c / 10);
		low = x[i] < low ? x[i] : low;
		high = x[i] > high ? x[i] : high;
	}
	for (int i = 0; i < N; i++)
		x[i] = (x[i] - low) / (high - low);
}

static hy_randomise_draw nothing(void)
{
	return (hy_randomise_draw){.line_axis = -1, .field = hy_rng_make(4, HY_RNG_TEST, 0, 0)};
}

static void apply(const hy_randomise_draw *d, float *x, int64_t channels)
{
	hardy_error err = {0};
	hy_randomise *r = hy_randomise_new(H, W, &err);
	assert_non_null(r);
	hy_randomise_apply(r, d, x, channels);
	hy_randomise_free(r);
}

static void scale(double *x)
{
	double low = x[0], high = x[0];
	for (int i = 0; i < N; i++) {
		low = fmin(low, x[i]);
		high = fmax(high, x[i]);
	}
	for (int i = 0; i < N; i++)
		x[i] = (x[i] - low) / (high - low);
}

static void compare(const float *x, double *want, double tolerance)
{
	scale(want);
	for (int i = 0; i < N; i++)
		if (!(fabs((double)x[i] - want[i]) <= tolerance))
			fail_msg("pixel %d is %g, want %g", i, (double)x[i], want[i]);
}

static void nothing_drawn_changes_nothing(void **state)
{
	(void)state;
	float x[N], y[N];
	make_image(x);
	memcpy(y, x, sizeof x);
	const hy_randomise_draw d = nothing();
	apply(&d, y, 1);
	for (int i = 0; i < N; i++)
		assert_true(fabsf(x[i] - y[i]) < 1e-6f);
}

static void curves_keep_the_order_of_grey_values(void **state)
{
	(void)state;
	for (int k = 0; k < 50; k++) {
		hy_randomise_options o;
		hy_randomise_options_init(&o);
		hy_rng g = hy_rng_make(1, HY_RNG_TEST, (uint64_t)k, 0);
		const hy_randomise_draw drawn = hy_randomise_draw_make(&o, &g);
		float x[N], y[N];
		for (int i = 0; i < N; i++)
			x[i] = y[i] = (float)i / (N - 1);
		hy_randomise_draw d = nothing();
		d.curve = true;
		memcpy(d.knots, drawn.knots, sizeof d.knots);
		apply(&d, y, 1);
		for (int i = 1; i < N; i++)
			assert_true(y[i] >= y[i - 1]);
		/* through its points */
		double at = 0;
		for (int i = 0; i < 4; i++) {
			at += d.knots[i];
			const double pixel = (i + 1) * (N - 1) / 4., low = floor(pixel), part = pixel - low;
			const double here = (1 - part) * (double)y[(int)low] + (part > 0 ? part * (double)y[(int)low + 1] : 0);
			assert_true(fabs(here - at) < 0.01);
		}
		d.invert = true;
		apply(&d, x, 1);
		for (int i = 0; i < N; i++)
			assert_true(fabsf(x[i] - (1 - y[i])) < 1e-5f);
	}
}

static void clips_cut_both_ends_off(void **state)
{
	(void)state;
	float x[N];
	double want[N];
	make_image(x);
	hy_randomise_draw d = nothing();
	d.clip = true;
	d.clip_low = 0.1;
	d.clip_high = 0.25;
	for (int i = 0; i < N; i++)
		want[i] = fmin(fmax((double)x[i], 0.1), 0.75);
	apply(&d, x, 1);
	compare(x, want, 2e-3); /* a table with steps of 1 / 1024 */
}

static void shading_is_a_smooth_factor(void **state)
{
	(void)state;
	float x[N];
	double want[N];
	make_image(x);
	hy_randomise_draw d = nothing();
	d.shade = true;
	static const double shades[HY_RANDOM_SHADES][4] = {{0.5, 2, -1, 0.3}, {0.3, 2.5, 0.5, 4}, {0.1, 0, 1, 1}};
	memcpy(d.shades, shades, sizeof shades);
	for (int i = 0; i < N; i++) {
		double sum = 0;
		for (int k = 0; k < HY_RANDOM_SHADES; k++)
			sum += shades[k][0] *
			       cos(3.141592653589793 * (shades[k][1] * (i / W) / H + shades[k][2] * (i % W) / W) + shades[k][3]);
		want[i] = (double)x[i] * exp(sum);
	}
	apply(&d, x, 1);
	compare(x, want, 0.02); /* linear between every fourth pixel */
}

static void blur_and_sharpening_are_gaussian(void **state)
{
	(void)state;
	float x[N], y[N];
	double down[N], want[N];
	make_image(x);
	hy_randomise_draw d = nothing();
	d.blur[0] = 1.3;
	d.blur[1] = 0.6;
	for (int axis = 0; axis < 2; axis++)
		for (int i = 0; i < N; i++) {
			double sum = 0, weights = 0;
			const int radius = (int)ceil(3 * d.blur[axis]);
			for (int k = -radius; k <= radius; k++) {
				const int at = axis ? i % W + k : i / W + k, n = axis ? W : H, to = at < 0 ? 0 : at >= n ? n - 1 : at;
				const int from = axis ? i - i % W + to : to * W + i % W;
				const double weight = exp(-0.5 * k * k / (d.blur[axis] * d.blur[axis]));
				sum += weight * (axis ? down[from] : (double)x[from]);
				weights += weight;
			}
			*(axis ? &want[i] : &down[i]) = sum / weights;
		}
	memcpy(y, x, sizeof x);
	apply(&d, y, 1);
	double sharp[N];
	for (int i = 0; i < N; i++)
		sharp[i] = (double)x[i] + 1.5 * ((double)x[i] - want[i]);
	compare(y, want, 1e-5);
	d.sharpen = 1.5;
	apply(&d, x, 1);
	compare(x, sharp, 1e-5);
}

/* Every frequency by itself, along rows or columns: cosines and sines of a line, weighed. */
static void weigh(const float *x, int axis, double (*weight)(int k, const hy_randomise_draw *d), const hy_randomise_draw *d,
                  double *out)
{
	const int n = axis ? W : H;
	for (int i = 0; i < N; i++)
		out[i] = 0;
	for (int k = 0; k < n; k++) {
		const double w = weight(k <= n - k ? k : n - k, d) / n;
		for (int i = 0; i < N; i++) {
			const int to = axis ? i % W : i / W;
			for (int from = 0; from < n; from++)
				out[i] +=
				    w * cos(6.283185307179586 * k * (to - from) / n) * (double)x[axis ? i - i % W + from : from * W + i % W];
		}
	}
}

static double comb(int k, const hy_randomise_draw *d)
{
	return k && k % d->line_step == d->line_first ? d->line_weight : 1;
}

static double outer(int k, const hy_randomise_draw *d)
{
	return k > d->line_cut * (d->line_axis ? W : H) / 2 ? 0.5 * d->line_weight : 1;
}

static void lines_are_weakened_in_k_space(void **state)
{
	(void)state;
	for (int axis = 0; axis < 2; axis++)
		for (int kind = 0; kind < 2; kind++) {
			float x[N];
			double want[N];
			make_image(x);
			hy_randomise_draw d = nothing();
			d.line_axis = axis;
			d.line_kind = kind;
			d.line_step = 4;
			d.line_first = axis ? 0 : 3;
			d.line_weight = 0.3;
			d.line_cut = 0.4;
			weigh(x, axis, kind ? outer : comb, &d, want);
			apply(&d, x, 1);
			compare(x, want, 1e-5);
		}
}

static void waves_are_added(void **state)
{
	(void)state;
	float x[N];
	double want[N], mean = 0;
	make_image(x);
	hy_randomise_draw d = nothing();
	d.n_waves = 2;
	static const double waves[HY_RANDOM_WAVES][4] = {{2, 0.31, -0.12, 0.7}, {0.5, -0.44, 0.25, 3}, {9, 0, 0, 0}};
	memcpy(d.waves, waves, sizeof waves);
	for (int i = 0; i < N; i++)
		mean += (double)x[i] / N;
	for (int i = 0; i < N; i++) {
		want[i] = (double)x[i];
		for (int k = 0; k < 2; k++)
			want[i] +=
			    waves[k][0] * mean * cos(6.283185307179586 * (waves[k][1] * (i / W) + waves[k][2] * (i % W)) + waves[k][3]);
	}
	apply(&d, x, 1);
	compare(x, want, 1e-4);
}

static void noise_has_its_standard_deviation(void **state)
{
	(void)state;
	float x[N], y[N];
	for (int i = 0; i < N; i++)
		x[i] = y[i] = i < N / 2 ? 0 : 1;
	hy_randomise_draw d = nothing();
	d.noise = true;
	d.sd = 0.05;
	apply(&d, x, 1);
	double sum[2] = {0}, square[2] = {0};
	for (int i = 0; i < N; i++) {
		sum[i >= N / 2] += (double)x[i] / (N / 2);
		square[i >= N / 2] += (double)x[i] * (double)x[i] / (N / 2);
	}
	const double width = sum[1] - sum[0];
	for (int i = 0; i < 2; i++) {
		const double sd = sqrt(square[i] - sum[i] * sum[i]) / width;
		if (fabs(sd - d.sd) >= 0.01) /* of 270 pixels: 4.6 standard errors */
			fail_msg("standard deviation is %g, want %g", sd, d.sd);
	}
	/* a magnitude is never below 0, and where there is no signal its mean is sd sqrt(pi / 2) */
	d.rician = true;
	d.sd = 0.1;
	apply(&d, y, 1);
	double low = 0, high = 0;
	for (int i = 0; i < N; i++)
		*(i < N / 2 ? &low : &high) += (double)y[i] / (N / 2);
	assert_true(low / high > 0.08 && low / high < 0.16);
}

static void draws_follow_their_probabilities(void **state)
{
	(void)state;
	enum { MANY = 4000 };
	hy_randomise_options o, none = {.strength = 1};
	hy_randomise_options_init(&o);
	double n[7] = {0};
	for (int k = 0; k < MANY; k++) {
		hy_rng g = hy_rng_make(9, HY_RNG_TEST, (uint64_t)k, 0), same = g;
		const hy_randomise_draw d = hy_randomise_draw_make(&o, &g), off = hy_randomise_draw_make(&none, &same);
		const bool any[] = {d.curve, d.clip, d.shade, d.blur[0] > 0, d.noise, d.line_axis >= 0, d.n_waves > 0};
		for (int i = 0; i < 7; i++)
			n[i] += any[i];
		assert_true(!off.curve && !off.invert && !off.clip && !off.shade && off.blur[0] == 0 && !off.noise);
		assert_true(off.line_axis < 0 && !off.n_waves);
		/* what is turned off leaves the rest as it was */
		assert_true(off.knots[0] == d.knots[0] && off.line_step == d.line_step && off.sd == d.sd);
		assert_true(fabs(d.knots[0] + d.knots[1] + d.knots[2] + d.knots[3] - 1) < 1e-12);
		assert_true(d.line_first < d.line_step && d.line_weight > 0 && d.line_weight <= 1 && !d.invert);
		assert_true(d.waves[0][0] <= 3 && fabs(d.waves[0][1]) <= 0.5);
	}
	const double want[] = {o.curve, o.clip, o.shade, o.sharpness, o.noise, o.lines, o.waves};
	for (int i = 0; i < 7; i++)
		assert_true(fabs(n[i] / MANY - want[i]) < 0.03);
}

/* Whatever is drawn: in [0, 1], the same twice, channels by themselves, a constant slice 0, nothing written beyond the slice. */
static void results_are_images_again(void **state)
{
	(void)state;
	hardy_error err = {0};
	hy_randomise *r = hy_randomise_new(H, W, &err);
	assert_non_null(r);
	hy_randomise_options o;
	hy_randomise_options_init(&o);
	o.strength = 4;
	o.invert = 0.5;
	o.curve = o.clip = o.shade = o.sharpness = o.noise = o.lines = o.waves = 0.7;
	for (int k = 0; k < 200; k++) {
		float x[2 * N + 2], y[2 * N + 2], flat[N] = {0};
		hy_rng g = hy_rng_make(2, HY_RNG_TEST, (uint64_t)k, 0);
		hy_randomise_draw d = hy_randomise_draw_make(&o, &g);
		make_image(x + 1);
		make_image(x + 1 + N);
		x[0] = x[2 * N + 1] = 77;
		memcpy(y, x, sizeof x);
		hy_randomise_apply(r, &d, x + 1, 2);
		hy_randomise_apply(r, &d, y + 1, 2);
		assert_memory_equal(x, y, sizeof x);
		assert_true(x[0] == 77 && x[2 * N + 1] == 77);
		float low = 1, high = 0;
		for (int i = 1; i <= N; i++) {
			assert_true(x[i] >= 0 && x[i] <= 1);
			low = fminf(low, x[i]);
			high = fmaxf(high, x[i]);
			if (!d.noise)
				assert_true(x[i] == x[i + N]);
		}
		assert_true(low == 0 && high > 0.99f);
		d.noise = d.invert = false;
		hy_randomise_apply(r, &d, flat, 1);
		for (int i = 0; i < N; i++)
			assert_true(flat[i] == 0);
	}
	hy_randomise_free(r);
}

static void every_allocation_may_fail(void **state)
{
	(void)state;
	for (int64_t k = 1;; k++) {
		hardy_error err = {0};
		hy_memory_fail_at(k);
		hy_randomise *r = hy_randomise_new(H, W, &err);
		hy_memory_fail_at(0);
		if (r) {
			assert_true(k > 5);
			hy_randomise_free(r);
			break;
		}
		assert_int_equal(err.status, HARDY_ERROR_MEMORY);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(nothing_drawn_changes_nothing),
	    cmocka_unit_test(curves_keep_the_order_of_grey_values),
	    cmocka_unit_test(clips_cut_both_ends_off),
	    cmocka_unit_test(shading_is_a_smooth_factor),
	    cmocka_unit_test(blur_and_sharpening_are_gaussian),
	    cmocka_unit_test(lines_are_weakened_in_k_space),
	    cmocka_unit_test(waves_are_added),
	    cmocka_unit_test(noise_has_its_standard_deviation),
	    cmocka_unit_test(draws_follow_their_probabilities),
	    cmocka_unit_test(results_are_images_again),
	    cmocka_unit_test(every_allocation_may_fail),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
