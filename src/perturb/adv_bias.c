/*
 * adv_bias.c: adversarial bias fields.
 */
#include "perturb/adv_bias.h"

#include "base/memory.h"

#include <math.h>
#include <string.h>

/* ---- one axis ---- */

/* Convolves a (n values, in place) with a box of s ones; returns the new length. */
static int64_t widen(double *a, int64_t n, int64_t s)
{
	for (int64_t i = n + s - 2; i >= 0; i--) {
		double sum = 0;
		for (int64_t k = 0; k < s; k++)
			if (i - k >= 0 && i - k < n)
				sum += a[i - k];
		a[i] = sum;
	}
	return n + s - 1;
}

/* The cubic B-spline of spacing s, 4 s - 3 values around the middle one: four boxes convolved, summing to 1 at every pixel. */
static void make_basis(double *b, int64_t s)
{
	int64_t n = s;
	for (int64_t i = 0; i < s; i++)
		b[i] = 1 / ((double)s * (double)s * (double)s);
	for (int k = 0; k < 3; k++)
		n = widen(b, n, s);
}

static double sign(double v)
{
	return v > 0 ? 1 : v < 0 ? -1 : 0;
}

/* How many pixels of the whole spline lie before and behind the part that is used, besides one spacing at each end. */
static void find_crop(int64_t inner, double wanted, int64_t *before, int64_t *behind)
{
	const double excess = (double)inner - wanted, even = sign(excess) * floor(fabs(excess) / 2);
	const double odd = excess - 2 * floor(excess / 2); /* not negative */
	*before = (int64_t)trunc(even + odd * sign(excess));
	*behind = (int64_t)trunc(even);
}

/* Row i of the matrix: pixel i of the image between two pixels of the spline's grid, each a sum of control points. */
static void fill_matrix(hy_bias_axis *a, const double *basis, int64_t s, int64_t first, int64_t coarse)
{
	for (int64_t i = 0; i < a->length; i++) {
		double at = ((double)i + 0.5) * (double)coarse / (double)a->length - 0.5;
		at = at < 0 ? 0 : at;
		int64_t left = (int64_t)at;
		left = left < coarse - 1 ? left : coarse - 1;
		const int64_t right = left + 1 < coarse ? left + 1 : left;
		const double part = at - (double)left;
		for (int64_t k = 0; k < a->n; k++) {
			const int64_t l = first + left - k * s + 2 * s - 2, r = first + right - k * s + 2 * s - 2; /* places in the basis */
			const double vl = l >= 0 && l < 4 * s - 3 ? basis[l] : 0, vr = r >= 0 && r < 4 * s - 3 ? basis[r] : 0;
			a->matrix[i * a->n + k] = (1 - part) * vl + part * vr;
		}
	}
}

static hardy_status make_axis(hy_bias_axis *a, int64_t length, double spacing, double downscale, hardy_error *err)
{
	const int64_t s = (int64_t)floor(spacing / downscale);
	if (s < 1)
		return hy_fail(
		    err, HARDY_ERROR_ARGUMENT,
		    "control points of a bias field %g pixels apart on a grid %g times coarser: want a pixel of that grid or more",
		    spacing, downscale);
	const double wanted = (double)length / downscale;
	const int64_t n = (int64_t)ceil(wanted / (double)s), inner = s * n - (s - 1), full = s * (n + 2) - (s - 1);
	int64_t before, behind;
	find_crop(inner, wanted, &before, &behind);
	const int64_t coarse = full - 2 * s - before - behind;
	if (coarse < 1)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "a bias field of %lld pixels with control points %g pixels apart is empty",
		               (long long)length, spacing);
	double *basis = hy_alloc((size_t)(4 * s), sizeof *basis);
	*a = (hy_bias_axis){.length = length, .n = n + 2, .matrix = hy_alloc((size_t)length, (size_t)(n + 2) * sizeof(double))};
	if (!basis || !a->matrix) {
		hy_free(basis);
		return hy_fail_memory(err, "a bias field", (size_t)length, (size_t)(n + 2) * sizeof(double));
	}
	make_basis(basis, s);
	fill_matrix(a, basis, s, s + before, coarse);
	hy_free(basis);
	return HARDY_OK;
}

hardy_status hy_bias_init(hy_bias *b, const hy_bias_options *o, int64_t n, int64_t height, int64_t width, hardy_error *err)
{
	*b = (hy_bias){.o = *o};
	hardy_status status = make_axis(&b->y, height, o->spacing[0], o->downscale, err);
	if (!status)
		status = make_axis(&b->x, width, o->spacing[1], o->downscale, err);
	const size_t room = (size_t)(b->x.n * (b->y.n + 1) + width);
	if (!status && !(b->work = hy_alloc((size_t)n, room * sizeof *b->work)))
		status = hy_fail_memory(err, "a bias field", (size_t)n, room * sizeof *b->work);
	b->low = o->log_space ? log(1 - o->epsilon) : -o->epsilon;
	b->high = o->log_space ? log(1 + o->epsilon) : o->epsilon;
	if (status)
		hy_bias_clear(b);
	return status;
}

void hy_bias_clear(hy_bias *b)
{
	hy_free(b->y.matrix);
	hy_free(b->x.matrix);
	hy_free(b->work);
	memset(b, 0, sizeof *b);
}

void hy_bias_draw(const hy_bias *b, hy_rng *g, float *points)
{
	for (int64_t i = 0; i < b->y.n * b->x.n; i++)
		points[i] = (float)hy_rng_between(g, b->low, b->high);
}

/* ---- field ---- */

/* Memory of one sample: a mixture of the rows of control points, sums by control point, and one row of the image. */
typedef struct scratch {
	double *mix, *sums, *row;
} scratch;

static scratch scratch_of(const hy_bias *b, int64_t sample)
{
	double *at = b->work + sample * (b->x.n * (b->y.n + 1) + b->x.length);
	return (scratch){.mix = at, .sums = at + b->x.n, .row = at + b->x.n * (b->y.n + 1)};
}

/* One row of the spline, exponentiated in log space, into w.row. */
static void make_row(const hy_bias *b, const float *points, int64_t y, scratch w)
{
	for (int64_t l = 0; l < b->x.n; l++) {
		w.mix[l] = 0;
		for (int64_t k = 0; k < b->y.n; k++)
			w.mix[l] += b->y.matrix[y * b->y.n + k] * (double)points[k * b->x.n + l];
	}
	for (int64_t i = 0; i < b->x.length; i++) {
		double s = 0;
		for (int64_t l = 0; l < b->x.n; l++)
			s += b->x.matrix[i * b->x.n + l] * w.mix[l];
		w.row[i] = b->o.log_space ? exp(s) : 1 + s;
	}
}

void hy_bias_field(hy_bias *b, const float *points, int64_t n, float *field)
{
	const double low = 1 - b->o.epsilon, high = 1 + b->o.epsilon;
#pragma omp parallel for schedule(static)
	for (int64_t i = 0; i < n; i++) {
		const scratch w = scratch_of(b, i);
		for (int64_t y = 0; y < b->y.length; y++) {
			float *out = field + (i * b->y.length + y) * b->x.length;
			make_row(b, points + i * b->y.n * b->x.n, y, w);
			for (int64_t x = 0; x < b->x.length; x++)
				out[x] = (float)(w.row[x] < low ? low : w.row[x] > high ? high : w.row[x]);
		}
	}
}

static void add_row(const hy_bias *b, const float *g, int64_t y, scratch w)
{
	const double low = 1 - b->o.epsilon, high = 1 + b->o.epsilon;
	for (int64_t l = 0; l < b->x.n; l++)
		w.mix[l] = 0;
	for (int64_t x = 0; x < b->x.length; x++) {
		const double v = w.row[x];
		if (v < low || v > high)
			continue;
		for (int64_t l = 0; l < b->x.n; l++)
			w.mix[l] += (double)g[x] * (b->o.log_space ? v : 1) * b->x.matrix[x * b->x.n + l];
	}
	for (int64_t k = 0; k < b->y.n; k++)
		for (int64_t l = 0; l < b->x.n; l++)
			w.sums[k * b->x.n + l] += b->y.matrix[y * b->y.n + k] * w.mix[l];
}

void hy_bias_back(hy_bias *b, const float *points, const float *dfield, int64_t n, float *dpoints)
{
	const int64_t count = b->y.n * b->x.n;
#pragma omp parallel for schedule(static)
	for (int64_t i = 0; i < n; i++) {
		const scratch w = scratch_of(b, i);
		memset(w.sums, 0, (size_t)count * sizeof *w.sums);
		for (int64_t y = 0; y < b->y.length; y++) {
			make_row(b, points + i * count, y, w);
			add_row(b, dfield + (i * b->y.length + y) * b->x.length, y, w);
		}
		for (int64_t k = 0; k < count; k++)
			dpoints[i * count + k] = (float)w.sums[k];
	}
}

void hy_bias_apply(const float *x, const float *field, int64_t n, int64_t c, int64_t hw, float *out)
{
#pragma omp parallel for schedule(static)
	for (int64_t plane = 0; plane < n * c; plane++)
		for (int64_t k = 0; k < hw; k++)
			out[plane * hw + k] = x[plane * hw + k] * field[plane / c * hw + k];
}

void hy_bias_apply_back(const float *x, const float *dout, int64_t n, int64_t c, int64_t hw, float *dfield)
{
#pragma omp parallel for schedule(static)
	for (int64_t i = 0; i < n; i++)
		for (int64_t k = 0; k < hw; k++) {
			double sum = 0;
			for (int64_t at = i * c * hw + k; at < (i + 1) * c * hw; at += hw)
				sum += (double)x[at] * (double)dout[at];
			dfield[i * hw + k] = (float)sum;
		}
}

/* ---- update ---- */

void hy_bias_move(const hy_bias *b, float *points, const float *g, double step, int64_t n)
{
	const int64_t count = b->y.n * b->x.n;
	for (int64_t i = 0; i < n; i++) {
		double square = 0;
		for (int64_t k = i * count; k < (i + 1) * count; k++)
			square += (double)g[k] * (double)g[k];
		const double scale = step / (sqrt(square) + 1e-20);
		for (int64_t k = i * count; k < (i + 1) * count; k++)
			points[k] = (float)((double)points[k] + scale * (double)g[k]);
	}
}

void hy_bias_clamp(const hy_bias *b, float *points, int64_t n)
{
	for (int64_t k = 0; k < n * b->y.n * b->x.n; k++) {
		const double v = (double)points[k];
		points[k] = (float)(v < b->low ? b->low : v > b->high ? b->high : v);
	}
}
