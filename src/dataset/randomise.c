/*
 * randomise.c: draws, and the changes in the order in which a scanner makes them: contrast, shading, sampling of k-space, noise, and
 * at the end the choice of the grey scale.
 */
#include "dataset/randomise.h"

#include "base/memory.h"
#include "base/simd.h"
#include "base/text.h"
#include "image/fourier.h"
#include "image/intensity.h"

#include <math.h>
#include <string.h>

static const double two_pi = 6.283185307179586;

void hy_randomise_options_init(hy_randomise_options *o)
{
	*o = (hy_randomise_options){
	    .curve = 0.5,
	    .clip = 0.3,
	    .shade = 0.5,
	    .sharpness = 0.4,
	    .noise = 0.3,
	    .lines = 0.3,
	    .waves = 0.3,
	    .strength = 1,
	    .wave_strength = 3,
	};
}

/* ---- draws -------------------------------------------------------------------------------------------------------------- */

/* Every number is drawn whether it is used or not: turning a change off leaves the others as they were. */
static void draw_grey(const hy_randomise_options *o, hy_rng *g, hy_randomise_draw *d)
{
	double sum = 0;
	d->curve = hy_rng_uniform(g) < o->curve;
	d->invert = hy_rng_uniform(g) < o->invert;
	for (int i = 0; i < 4; i++)
		sum += d->knots[i] = exp(0.8 * o->strength * hy_rng_normal(g));
	for (int i = 0; i < 4; i++)
		d->knots[i] /= sum;
	d->clip = hy_rng_uniform(g) < o->clip;
	d->clip_low = fmin(0.1 * o->strength, 0.4) * hy_rng_uniform(g);
	d->clip_high = fmin(0.35 * o->strength, 0.5) * hy_rng_uniform(g);
	d->shade = hy_rng_uniform(g) < o->shade;
	for (int i = 0; i < HY_RANDOM_SHADES; i++) {
		d->shades[i][0] = hy_rng_between(g, 0, 0.6 * o->strength);
		d->shades[i][1] = hy_rng_between(g, -2.5, 2.5);
		d->shades[i][2] = hy_rng_between(g, -2.5, 2.5);
		d->shades[i][3] = hy_rng_between(g, 0, two_pi);
	}
}

static void draw_quality(const hy_randomise_options *o, hy_rng *g, hy_randomise_draw *d)
{
	const bool sharpness = hy_rng_uniform(g) < o->sharpness, sharpen = hy_rng_uniform(g) < 0.3,
	           isotropic = hy_rng_uniform(g) < 0.5;
	for (int i = 0; i < 2; i++)
		d->blur[i] = hy_rng_between(g, 0.3, 0.3 + 1.2 * o->strength);
	d->sharpen = hy_rng_between(g, 0, 2 * o->strength);
	if (isotropic)
		d->blur[1] = d->blur[0];
	if (!sharpness)
		d->blur[0] = d->blur[1] = 0;
	if (!sharpness || !sharpen)
		d->sharpen = 0;
	d->noise = hy_rng_uniform(g) < o->noise;
	d->rician = hy_rng_uniform(g) < 0.5;
	d->sd = hy_rng_between(g, 0, 0.15 * o->strength);
}

static void draw_frequencies(const hy_randomise_options *o, hy_rng *g, hy_randomise_draw *d)
{
	const bool lines = hy_rng_uniform(g) < o->lines, waves = hy_rng_uniform(g) < o->waves;
	const int axis = (int)hy_rng_below(g, 2);
	d->line_axis = lines ? axis : -1;
	d->line_kind = (int)hy_rng_below(g, 3);
	d->line_step = 2 + (int)hy_rng_below(g, 9);
	d->line_first = (int)hy_rng_below(g, (uint64_t)d->line_step);
	d->line_weight = 1 - fmin(o->strength, 1) * hy_rng_uniform(g);
	d->line_cut = hy_rng_between(g, 0.25, 0.9);
	const int n_waves = 1 + (int)hy_rng_below(g, HY_RANDOM_WAVES);
	d->n_waves = waves ? n_waves : 0;
	for (int i = 0; i < HY_RANDOM_WAVES; i++) {
		/* several waves share the amplitude */
		d->waves[i][0] = hy_rng_uniform(g) * o->wave_strength / n_waves;
		d->waves[i][1] = hy_rng_between(g, -0.5, 0.5);
		d->waves[i][2] = hy_rng_between(g, -0.5, 0.5);
		d->waves[i][3] = hy_rng_between(g, 0, two_pi);
	}
}

hy_randomise_draw hy_randomise_draw_make(const hy_randomise_options *o, hy_rng *g)
{
	hy_randomise_draw d = {0};
	draw_grey(o, g, &d);
	draw_quality(o, g, &d);
	draw_frequencies(o, g, &d);
	d.field = *g;
	return d;
}

/* ---- scratch ------------------------------------------------------------------------------------------------------------ */

enum { MAX_RADIUS = 24, CURVE = 1024 };

struct hy_randomise {
	int64_t h, w;
	float *part;            /* h x w */
	float *waves;           /* cosines and sines by row and by column; or one line with room at both ends */
	hy_line_plan *lines[2]; /* of h, of w samples */
	float *buffer[2];       /* one of each */
	float *weights;         /* of frequencies */
};

hy_randomise *hy_randomise_new(int64_t h, int64_t w, hardy_error *err)
{
	const size_t n = (size_t)(h * w), sides = (size_t)(h + w);
	hy_randomise *r = hy_calloc(1, sizeof *r);
	if (!r) {
		hy_fail_memory(err, "randomisation", 1, sizeof *r);
		return NULL;
	}
	r->h = h;
	r->w = w;
	r->part = hy_alloc_aligned(n, sizeof *r->part);
	r->waves = hy_alloc_aligned(2 * sides + 2 * MAX_RADIUS, sizeof *r->waves);
	r->weights = hy_alloc_aligned(sides, sizeof *r->weights);
	if (!r->part || !r->waves || !r->weights) {
		hy_fail_memory(err, "randomisation", n, sizeof *r->part);
		goto fail;
	}
	for (int i = 0; i < 2; i++) {
		if (!(r->lines[i] = hy_line_plan_new(i ? w : h, err)))
			goto fail;
		if (!(r->buffer[i] = hy_line_buffer(r->lines[i]))) {
			hy_fail_memory(err, "randomisation", sides, HY_LINES * sizeof(float));
			goto fail;
		}
	}
	return r;
fail:
	hy_randomise_free(r);
	return NULL;
}

void hy_randomise_free(hy_randomise *r)
{
	if (!r)
		return;
	for (int i = 0; i < 2; i++) {
		hy_line_plan_free(r->lines[i]);
		hy_free_aligned(r->buffer[i]);
	}
	hy_free_aligned(r->part);
	hy_free_aligned(r->waves);
	hy_free_aligned(r->weights);
	hy_free(r);
}

/* ---- grey scale --------------------------------------------------------------------------------------------------------- */

/* The curve with these rises at v in [0, 1]: monotone cubic interpolation of its five points (Fritsch and Butland, SIAM J Sci Stat
 * Comput 5, 300, 1984: harmonic means of neighbouring slopes). */
static double curve_at(const double *rise, double v)
{
	double slope[5] = {4 * rise[0], 0, 0, 0, 4 * rise[3]}, at = 0;
	for (int i = 1; i < 4; i++)
		slope[i] = 8 * rise[i - 1] * rise[i] / (rise[i - 1] + rise[i]);
	int k = (int)(v * 4);
	k = k > 3 ? 3 : k;
	for (int i = 0; i < k; i++)
		at += rise[i];
	const double t = v * 4 - k, a = slope[k] / 4, b = slope[k + 1] / 4, rest = 1 - t;
	return at + rise[k] * t * t * (3 - 2 * t) + a * t * rest * rest - b * t * t * rest;
}

static void change_scale(const hy_randomise_draw *d, float *x, int64_t n)
{
	float table[CURVE + 1];
	if (!d->curve && !d->invert && !d->clip)
		return;
	const double low = d->clip ? d->clip_low : 0, high = d->clip ? 1 - d->clip_high : 1;
	for (int i = 0; i <= CURVE; i++) {
		double v = hy_clamp_real(((double)i / CURVE - low) / (high - low), 0, 1);
		v = d->curve ? curve_at(d->knots, v) : v;
		table[i] = (float)(d->invert ? 1 - v : v);
	}
	for (int64_t i = 0; i < n; i++) {
		const float at = (float)hy_clamp_real((double)x[i], 0, 1) * CURVE;
		const int k = at >= CURVE ? CURVE - 1 : (int)at;
		x[i] = table[k] + (at - (float)k) * (table[k + 1] - table[k]);
	}
}

/* exp of a sum of cosines of low frequency. They are cheap enough to be taken at every fourth pixel, the rest lies between. */
static void shade(const hy_randomise *r, const hy_randomise_draw *d, float *x)
{
	const double half = two_pi / 2;
	const int64_t nodes = (r->w + 2) / 4 + 2;
	float *node = r->waves;
	for (int64_t y = 0; y < r->h; y++) {
		for (int64_t k = 0; k < nodes; k++) {
			double sum = 0;
			for (int i = 0; i < HY_RANDOM_SHADES; i++) {
				const double *s = d->shades[i];
				sum += s[0] * cos(half * (s[1] * (double)y / (double)r->h + s[2] * 4 * (double)k / (double)r->w) + s[3]);
			}
			node[k] = (float)exp(sum);
		}
		for (int64_t i = 0; i < r->w; i++)
			x[y * r->w + i] *= node[i / 4] + (float)(i % 4) / 4 * (node[i / 4 + 1] - node[i / 4]);
	}
}

/* ---- sharpness ---------------------------------------------------------------------------------------------------------- */

static int make_gaussian(double sd, float *weight)
{
	const int radius = (int)fmin(ceil(3 * sd), MAX_RADIUS);
	double sum = 0;
	for (int k = -radius; k <= radius; k++)
		sum += exp(-0.5 * k * k / (sd * sd));
	for (int k = 0; k <= radius; k++)
		weight[k] = (float)(exp(-0.5 * k * k / (sd * sd)) / sum);
	return radius;
}

static int64_t within(int64_t i, int64_t n)
{
	return i < 0 ? 0 : i >= n ? n - 1 : i;
}

/* Along columns from x to out, edges repeated. */
HY_CLONES static void blur_down(const float *x, int64_t h, int64_t w, const float *weight, int radius, float *out)
{
	for (int64_t y = 0; y < h; y++) {
		float *row = out + y * w;
		for (int64_t i = 0; i < w; i++)
			row[i] = weight[0] * x[y * w + i];
		for (int k = 1; k <= radius; k++) {
			const float *a = x + within(y - k, h) * w, *b = x + within(y + k, h) * w;
			for (int64_t i = 0; i < w; i++)
				row[i] += weight[k] * (a[i] + b[i]);
		}
	}
}

/* Along rows, in place. */
HY_CLONES static void blur_across(float *x, int64_t h, int64_t w, const float *weight, int radius, float *line)
{
	for (int64_t y = 0; y < h; y++) {
		float *row = x + y * w;
		for (int64_t i = -radius; i < w + radius; i++)
			line[i + radius] = row[within(i, w)];
		for (int64_t i = 0; i < w; i++)
			row[i] = weight[0] * line[i + radius];
		for (int k = 1; k <= radius; k++)
			for (int64_t i = 0; i < w; i++)
				row[i] += weight[k] * (line[i + radius - k] + line[i + radius + k]);
	}
}

static void change_sharpness(const hy_randomise *r, const hy_randomise_draw *d, float *x)
{
	float weight[MAX_RADIUS + 1];
	const int64_t n = r->h * r->w;
	int radius = make_gaussian(d->blur[0], weight);
	blur_down(x, r->h, r->w, weight, radius, r->part);
	radius = make_gaussian(d->blur[1], weight);
	blur_across(r->part, r->h, r->w, weight, radius, r->waves);
	if (d->sharpen <= 0) {
		memcpy(x, r->part, (size_t)n * sizeof *x);
		return;
	}
	const float by = (float)d->sharpen;
	for (int64_t i = 0; i < n; i++)
		x[i] += by * (x[i] - r->part[i]);
}

/* ---- k-space ------------------------------------------------------------------------------------------------------------ */

/* A weight for each frequency 0 .. n - 1, the same for k and n - k; that of 0 stays 1. */
static void weigh_lines(const hy_randomise_draw *d, int64_t n, float *weight)
{
	hy_rng g = d->field;
	const double cut = d->line_cut * (double)n / 2, least = d->line_weight;
	for (int64_t k = 0; k <= n / 2; k++) {
		double v = 1;
		if (d->line_kind == 0)
			v = k % d->line_step == d->line_first ? least : 1;
		else if (d->line_kind == 1)
			v = (double)k > cut ? least * 0.5 : 1;
		else
			v = 1 - (1 - least) * hy_rng_uniform(&g);
		weight[k] = weight[(n - k) % n] = k ? (float)v : 1;
	}
	for (int64_t k = 0; k < n; k++)
		weight[k] /= (float)n;
}

static void weaken_lines(const hy_randomise *r, const hy_randomise_draw *d, float *x)
{
	const int axis = d->line_axis;
	const int64_t n = axis ? r->w : r->h, lines = axis ? r->h : r->w;
	const int64_t step = axis ? 1 : r->w, next = axis ? r->w : 1;
	float *b = r->buffer[axis];
	weigh_lines(d, n, r->weights);
	for (int64_t first = 0; first < lines; first += HY_LINES) {
		const int64_t m = lines - first < HY_LINES ? lines - first : HY_LINES;
		for (int64_t k = 0; k < n; k++)
			for (int64_t j = 0; j < HY_LINES; j++)
				b[k * HY_LINES + j] = j < m ? x[k * step + (first + j) * next] : 0;
		hy_line_forward(r->lines[axis], b);
		for (int64_t k = 0; k < n; k++)
			for (int64_t j = 0; j < HY_LINES; j++)
				b[k * HY_LINES + j] *= r->weights[k];
		hy_line_backward(r->lines[axis], b);
		for (int64_t k = 0; k < n; k++)
			for (int64_t j = 0; j < m; j++)
				x[k * step + (first + j) * next] = b[k * HY_LINES + j];
	}
}

/* cos(a + b) = cos a cos b - sin a sin b, a by row and b by column. */
HY_CLONES static void add_wave(float *x, int64_t h, int64_t w, const float *down, const float *across)
{
	for (int64_t y = 0; y < h; y++) {
		const float c = down[y], s = down[h + y];
		for (int64_t i = 0; i < w; i++)
			x[y * w + i] += c * across[i] - s * across[w + i];
	}
}

static double mean_of(const float *x, int64_t n)
{
	double sum = 0;
	for (int64_t i = 0; i < n; i++)
		sum += (double)x[i];
	return sum / (double)n;
}

static void add_waves(const hy_randomise *r, const hy_randomise_draw *d, float *x)
{
	const double mean = mean_of(x, r->h * r->w);
	float *down = r->waves, *across = r->waves + 2 * r->h;
	for (int k = 0; k < d->n_waves; k++) {
		const double *v = d->waves[k];
		for (int64_t y = 0; y < r->h; y++) {
			const double a = two_pi * v[1] * (double)y + v[3];
			down[y] = (float)(v[0] * mean * cos(a));
			down[r->h + y] = (float)(v[0] * mean * sin(a));
		}
		for (int64_t i = 0; i < r->w; i++) {
			across[i] = (float)cos(two_pi * v[2] * (double)i);
			across[r->w + i] = (float)sin(two_pi * v[2] * (double)i);
		}
		add_wave(x, r->h, r->w, down, across);
	}
}

/* ---- noise -------------------------------------------------------------------------------------------------------------- */

/* Rician: the magnitude of a complex signal (Gudbjartsson and Patz, Magn Reson Med 34, 910, 1995). */
static void add_noise(const hy_randomise_draw *d, hy_rng *g, float *x, int64_t n)
{
	for (int64_t i = 0; i < n; i++) {
		const double real = (double)x[i] + d->sd * hy_rng_normal(g);
		if (d->rician) {
			const double other = d->sd * hy_rng_normal(g);
			x[i] = (float)sqrt(real * real + other * other);
		} else {
			x[i] = (float)real;
		}
	}
}

/* ---- all of it ---------------------------------------------------------------------------------------------------------- */

void hy_randomise_apply(hy_randomise *r, const hy_randomise_draw *d, float *image, int64_t channels)
{
	const int64_t n = r->h * r->w;
	hy_rng g = d->field;
	for (int64_t c = 0; c < channels; c++) {
		float *x = image + c * n;
		change_scale(d, x, n);
		if (d->shade)
			shade(r, d, x);
		if (d->blur[0] > 0)
			change_sharpness(r, d, x);
		if (d->line_axis >= 0)
			weaken_lines(r, d, x);
		if (d->noise)
			add_noise(d, &g, x, n);
		if (d->n_waves)
			add_waves(r, d, x);
		hy_minmax_test(x, n);
	}
}
