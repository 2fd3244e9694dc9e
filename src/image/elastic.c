/*
 * elastic.c: smoothing as banded matrix products, spline coefficients by recursion along columns, sampling four taps at a time.
 */
#include "image/elastic.h"

#include "base/memory.h"
#include "base/simd.h"

#include <math.h>
#include <string.h>

enum {
	EDGE = 12,  /* SciPy's padding for splines that go on as at their edge */
	DECAY = 16, /* beyond so many pixels a spline coefficient is below 1e-9 of its cause */
	BORDER = 2, /* coefficients needed beyond a slice */
	SPARE = 64, /* rows and columns that any of these may add to a plane */
	LANES = 16,
	BLOCK = 4
};

struct hy_elastic {
	int64_t max_h, max_w, side; /* a plane is side x side */
	float *kernel;              /* 2 * side + SPARE weights */
	float *plane[3];
};

hy_elastic *hy_elastic_new(int64_t max_h, int64_t max_w, hardy_error *err)
{
	hy_elastic *e = hy_calloc(1, sizeof *e);
	if (!e) {
		hy_fail_memory(err, "elastic deformation", 1, sizeof *e);
		return NULL;
	}
	e->max_h = max_h;
	e->max_w = max_w;
	e->side = ((max_h > max_w ? max_h : max_w) + SPARE + LANES - 1) / LANES * LANES;
	e->kernel = hy_alloc_aligned((size_t)(2 * e->side + SPARE), sizeof *e->kernel);
	bool ok = e->kernel;
	for (int i = 0; i < 3; i++) {
		e->plane[i] = hy_alloc_aligned((size_t)e->side, (size_t)e->side * sizeof *e->plane[i]);
		ok = ok && e->plane[i];
	}
	if (!ok) {
		hy_fail_memory(err, "elastic deformation", (size_t)e->side, (size_t)e->side * 3 * sizeof(float));
		hy_elastic_free(e);
		return NULL;
	}
	return e;
}

void hy_elastic_free(hy_elastic *e)
{
	if (!e)
		return;
	for (int i = 0; i < 3; i++)
		hy_free_aligned(e->plane[i]);
	hy_free_aligned(e->kernel);
	hy_free(e);
}

static int64_t round_up(int64_t n)
{
	return (n + LANES - 1) / LANES * LANES;
}

/* out(c, r) = in(r, c); rows of in and out are in_stride and out_stride values apart. */
HY_CLONES static void transpose(const float *restrict in, int64_t in_stride, int64_t rows, int64_t cols, float *restrict out,
                                int64_t out_stride)
{
	enum { TILE = 16 };
	for (int64_t r0 = 0; r0 < rows; r0 += TILE)
		for (int64_t c0 = 0; c0 < cols; c0 += TILE) {
			const int64_t r1 = r0 + TILE < rows ? r0 + TILE : rows, c1 = c0 + TILE < cols ? c0 + TILE : cols;
			for (int64_t c = c0; c < c1; c++)
				for (int64_t r = r0; r < r1; r++)
					out[c * out_stride + r] = in[r * in_stride + c];
		}
}

/* ---- Gaussian smoothing ------------------------------------------------------------------------------------------------- */

/* Weights of offsets -reach .. reach times factor, zeros around them; returns the weight of offset 0. */
static const float *gaussian(float *kernel, double sigma, int64_t reach, double factor)
{
	const int64_t radius = (int64_t)(4 * sigma + 0.5);
	double sum = 1;
	for (int64_t i = 1; i <= radius; i++)
		sum += 2 * exp(-0.5 * (double)(i * i) / (sigma * sigma));
	float *middle = kernel + reach + SPARE / 2;
	for (int64_t i = 0; i < reach + SPARE / 2; i++) {
		const double weight = i <= radius ? exp(-0.5 * (double)(i * i) / (sigma * sigma)) / sum : 0;
		middle[i] = middle[-i] = (float)(weight * factor);
	}
	return middle;
}

/*
 * Smooths along columns: out row i (of n_out) = sum over j of weight(j - first - i) * in row j. Rows hold a multiple of LANES
 * values. BLOCK output rows share each loaded row; weights outside the kernel are zeros in the table.
 */
HY_CLONES static void smooth_columns(const float *restrict in, int64_t n_in, int64_t stride, const float *middle,
                                     int64_t radius, int64_t first, int64_t n_out, float *restrict out)
{
	for (int64_t i = 0; i < n_out; i += BLOCK) {
		const int64_t at = first + i, from = at - radius > 0 ? at - radius : 0;
		const int64_t last = at + BLOCK - 1 + radius < n_in - 1 ? at + BLOCK - 1 + radius : n_in - 1;
		for (int64_t c = 0; c < stride; c += LANES) {
			hy_f16 a = {0}, b = {0}, d = {0}, e = {0}, v;
			const float *row = in + from * stride + c, *k = middle + from - at;
			for (int64_t j = from; j <= last; j++, row += stride, k++) {
				memcpy(&v, row, sizeof v);
				a += v * k[0];
				b += v * k[-1];
				d += v * k[-2];
				e += v * k[-3];
			}
			float *to = out + i * stride + c;
			memcpy(to, &a, sizeof a);
			memcpy(to + stride, &b, sizeof b);
			memcpy(to + 2 * stride, &d, sizeof d);
			memcpy(to + 3 * stride, &e, sizeof e);
		}
	}
}

void hy_elastic_field(hy_elastic *e, const float *u, int64_t h, int64_t w, double alpha, double sigma, hy_window window,
                      float *d)
{
	const int64_t stride = round_up(w), rows = round_up(window.rows), reach = h > w ? h : w;
	const double full = floor(4 * sigma + 0.5);
	const int64_t radius = full < (double)reach ? (int64_t)full : reach;
	float *a = e->plane[0], *b = e->plane[1];
	for (int64_t r = 0; r < h; r++) {
		memcpy(a + r * stride, u + r * w, (size_t)w * sizeof *a);
		memset(a + r * stride + w, 0, (size_t)(stride - w) * sizeof *a);
	}
	const float *middle = gaussian(e->kernel, sigma, reach, 1);
	smooth_columns(a, h, stride, middle, radius, window.row, window.rows, b);
	memset(a, 0, (size_t)(w * rows) * sizeof *a);
	transpose(b, stride, window.rows, w, a, rows);
	middle = gaussian(e->kernel, sigma, reach, alpha);
	smooth_columns(a, w, rows, middle, radius, window.col, window.cols, b);
	transpose(b, rows, window.cols, window.rows, d, window.cols);
}

/* ---- cubic B-splines ---------------------------------------------------------------------------------------------------- */

/*
 * Values to coefficients along columns, in place; the column goes on mirrored about its outer edges. n columns, a multiple of
 * LANES. Pole sqrt(3) - 2, gain 6.
 */
HY_CLONES static void coefficients(float *x, int64_t rows, int64_t n, int64_t stride)
{
	const float z = -0.26794919243112270647f, gain = 6;
	const int64_t horizon = rows < 2 * DECAY ? rows : 2 * DECAY;
	for (int64_t r = 0; r < rows; r++)
		for (int64_t c = 0; c < n; c++)
			x[r * stride + c] *= gain;
	/* the first coefficient: the geometric series over the mirrored column, of period 2 rows */
	const double zn = pow((double)z, (double)rows);
	for (int64_t c = 0; c < n; c += LANES) {
		float sum[LANES] = {0};
		double power = 1;
		for (int64_t i = 0; i < horizon; i++, power *= (double)z) {
			const float near = (float)power, far = (float)(power * zn);
			const float *p = x + i * stride + c, *q = x + (rows - 1 - i) * stride + c;
			for (int j = 0; j < LANES; j++)
				sum[j] += near * p[j] + far * q[j];
		}
		const float scale = (float)((double)z / (1 - zn * zn));
		for (int j = 0; j < LANES; j++)
			x[c + j] += scale * sum[j];
	}
	for (int64_t r = 1; r < rows; r++)
		for (int64_t c = 0; c < n; c++)
			x[r * stride + c] += z * x[(r - 1) * stride + c];
	for (int64_t c = 0; c < n; c++)
		x[(rows - 1) * stride + c] *= z / (z - 1);
	for (int64_t r = rows - 2; r >= 0; r--)
		for (int64_t c = 0; c < n; c++)
			x[r * stride + c] = z * (x[(r + 1) * stride + c] - x[r * stride + c]);
}

/*
 * Coefficients of the h x w values at the start of plane 0 (rows stride(w) apart) into plane 1, with BORDER mirrored ones
 * around. Returns the place of coefficient (0, 0); *out_stride the distance of rows.
 */
static const float *spline(hy_elastic *e, int64_t h, int64_t w, int64_t *out_stride)
{
	const int64_t stride = round_up(w), turned = round_up(h), wide = round_up(w + 2 * BORDER);
	float *a = e->plane[0], *b = e->plane[1];
	coefficients(a, h, stride, stride);
	memset(b, 0, (size_t)(w * turned) * sizeof *b);
	transpose(a, stride, h, w, b, turned);
	coefficients(b, w, turned, turned);
	transpose(b, turned, w, h, a, stride);
	for (int64_t r = -BORDER; r < h + BORDER; r++) {
		int64_t from = r < 0 ? -1 - r : r >= h ? 2 * h - 1 - r : r;
		from = from < 0 ? 0 : from >= h ? h - 1 : from; /* slices of one row */
		float *to = b + (r + BORDER) * wide + BORDER;
		memcpy(to, a + from * stride, (size_t)w * sizeof *to);
		for (int64_t k = 1; k <= BORDER; k++) {
			const int64_t back = k - 1 < w ? k - 1 : w - 1;
			to[-k] = to[back];
			to[w - 1 + k] = to[w - 1 - back];
		}
	}
	*out_stride = wide;
	return b + BORDER * wide + BORDER;
}

/* Weights of the four coefficients around a fraction f of a pixel, the first of them one before it. */
static inline hy_f4 weights(float f)
{
	const hy_f4 c0 = {1.0f / 6, 4.0f / 6, 1.0f / 6, 0}, c1 = {-0.5f, 0, 0.5f, 0}, c2 = {0.5f, -1, 0.5f, 0},
	            c3 = {-1.0f / 6, 0.5f, -0.5f, 1.0f / 6};
	return ((c3 * f + c2) * f + c1) * f + c0;
}

/* The spline at whole + fraction pixels. */
static inline float sample(const float *coefficient, int64_t stride, int64_t iy, float fy, int64_t ix, float fx)
{
	const hy_f4 wy = weights(fy), wx = weights(fx);
	const float *p = coefficient + (iy - 1) * stride + ix - 1;
	hy_f4 a, b, c, d;
	memcpy(&a, p, sizeof a);
	memcpy(&b, p + stride, sizeof b);
	memcpy(&c, p + 2 * stride, sizeof c);
	memcpy(&d, p + 3 * stride, sizeof d);
	const hy_f4 sum = ((a * wy[0] + b * wy[1]) + (c * wy[2] + d * wy[3])) * wx;
	return (sum[0] + sum[1]) + (sum[2] + sum[3]);
}

/* A coordinate brought into [-1/2, n - 1/2] by mirroring about these ends. */
static inline double mirror(double v, double n)
{
	if (v < -0.5 || v > n - 0.5) {
		v = fmod(fabs(v + 0.5), 2 * n);
		v = (v > n ? 2 * n - v : v) - 0.5;
	}
	return v;
}

void hy_elastic_image(hy_elastic *e, const float *in, int64_t h, int64_t w, const float *dy, const float *dx, hy_window window,
                      float *out)
{
	const int64_t stride = round_up(w);
	for (int64_t r = 0; r < h; r++) {
		memcpy(e->plane[0] + r * stride, in + r * w, (size_t)w * sizeof *in);
		memset(e->plane[0] + r * stride + w, 0, (size_t)(stride - w) * sizeof *in);
	}
	int64_t wide;
	const float *c = spline(e, h, w, &wide);
	for (int64_t r = 0, i = 0; r < window.rows; r++)
		for (int64_t k = 0; k < window.cols; k++, i++) {
			const double y = mirror((double)(window.row + r) + (double)dy[i], (double)h);
			const double x = mirror((double)(window.col + k) + (double)dx[i], (double)w);
			const int64_t iy = (int64_t)(y + 1) - 1, ix = (int64_t)(x + 1) - 1; /* floors, for y and x are above -1 */
			out[i] = sample(c, wide, iy, (float)(y - (double)iy), ix, (float)(x - (double)ix));
		}
}

/* ---- labels ------------------------------------------------------------------------------------------------------------- */

typedef struct box {
	int64_t r0, r1, c0, c1; /* first and last */
} box;

static int64_t low(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t high(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* The classes' bounding boxes (r1 < r0 for an absent class). */
static void find_boxes(const uint8_t *in, int64_t h, int64_t w, box boxes[256])
{
	for (int v = 0; v < 256; v++)
		boxes[v] = (box){h, -1, w, -1};
	for (int64_t r = 0; r < h; r++)
		for (int64_t c = 0; c < w; c++) {
			const uint8_t v = in[r * w + c];
			if (!v)
				continue;
			box *b = &boxes[v];
			b->r0 = low(b->r0, r);
			b->r1 = high(b->r1, r);
			b->c0 = low(b->c0, c);
			b->c1 = high(b->c1, c);
		}
}

/*
 * One class: its mask around its box, where alone the spline can reach 1/2 (more than a pixel outside, the spline of a mask
 * stays below), padded as SciPy pads.
 */
static void deform_class(hy_elastic *e, const uint8_t *in, int64_t h, int64_t w, uint8_t value, box b, const float *dy,
                         const float *dx, hy_window window, int64_t reach_y, uint8_t *out)
{
	const int64_t top = b.r0 > 0 ? high(b.r0 - DECAY, -EDGE) : -EDGE,
	              bottom = b.r1 < h - 1 ? low(b.r1 + DECAY, h - 1 + EDGE) : h - 1 + EDGE;
	const int64_t left = b.c0 > 0 ? high(b.c0 - DECAY, -EDGE) : -EDGE,
	              right = b.c1 < w - 1 ? low(b.c1 + DECAY, w - 1 + EDGE) : w - 1 + EDGE;
	const int64_t mh = bottom - top + 1, mw = right - left + 1, stride = round_up(mw);
	for (int64_t r = 0; r < mh; r++) {
		const uint8_t *from = in + low(high(top + r, 0), h - 1) * w;
		float *to = e->plane[0] + r * stride;
		for (int64_t c = 0; c < mw; c++)
			to[c] = from[low(high(left + c, 0), w - 1)] == value;
		memset(to + mw, 0, (size_t)(stride - mw) * sizeof *to);
	}
	int64_t wide;
	const float *c = spline(e, mh, mw, &wide);
	/* in the mask's coordinates; where the class touches the slice's edge, it reaches as far as coordinates go */
	const double y0 = (double)(b.r0 > 0 ? b.r0 - top - 1 : 0), y1 = (double)(b.r1 < h - 1 ? b.r1 - top + 1 : mh - 1);
	const double x0 = (double)(b.c0 > 0 ? b.c0 - left - 1 : 0), x1 = (double)(b.c1 < w - 1 ? b.c1 - left + 1 : mw - 1);
	const double end_y = (double)(h - 1 + EDGE - top), end_x = (double)(w - 1 + EDGE - left);
	const double begin_y = (double)(-EDGE - top), begin_x = (double)(-EDGE - left);
	const int64_t from = b.r0 > 0 ? high(b.r0 - 1 - reach_y - window.row, 0) : 0;
	const int64_t to = b.r1 < h - 1 ? low(b.r1 + 1 + reach_y - window.row, window.rows - 1) : window.rows - 1;
	for (int64_t r = from; r <= to; r++)
		for (int64_t k = 0; k < window.cols; k++) {
			const int64_t i = r * window.cols + k;
			double y = (double)(window.row + r - top) + (double)dy[i], x = (double)(window.col + k - left) + (double)dx[i];
			y = y < begin_y ? begin_y : y > end_y ? end_y : y;
			x = x < begin_x ? begin_x : x > end_x ? end_x : x;
			if (y < y0 || y > y1 || x < x0 || x > x1)
				continue;
			const int64_t iy = (int64_t)y, ix = (int64_t)x;
			if (sample(c, wide, iy, (float)(y - (double)iy), ix, (float)(x - (double)ix)) >= 0.5f)
				out[i] = value;
		}
}

void hy_elastic_label(hy_elastic *e, const uint8_t *in, int64_t h, int64_t w, const float *dy, const float *dx,
                      hy_window window, uint8_t *out)
{
	const int64_t n = window.rows * window.cols;
	box boxes[256];
	find_boxes(in, h, w, boxes);
	float most = 0;
	for (int64_t i = 0; i < n; i++)
		most = fabsf(dy[i]) > most ? fabsf(dy[i]) : most;
	const int64_t reach = (int64_t)fminf(most, 1e6f) + 1;
	memset(out, 0, (size_t)n);
	/* class 0 claims only what is 0 already */
	for (int v = 1; v < 256; v++)
		if (boxes[v].r1 >= 0)
			deform_class(e, in, h, w, (uint8_t)v, boxes[v], dy, dx, window, reach, out);
}
