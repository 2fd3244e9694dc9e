/*
 * kernels.c: every kernel table, and every convolution library, against plain loops in double precision on planar arrays. Outputs
 * lie between guard bands.
 */
#include "base/memory.h"
#include "base/rng.h"
#include "engine/kernels/conv.h"
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#ifdef _OPENMP
#include <omp.h>
#endif

/*
 * Convolutions are planned for PLANNED threads and run with as many, within a parallel region of the caller's (then one) or with as many as the
 * runtime thinks fit; the test runs once more under OMP_THREAD_LIMIT=1.
 */
enum { PLANNED = 3 };
static enum { WHOLE_TEAM, WITHIN_A_REGION, DYNAMIC_TEAM, N_TEAMS } team;
static const char *const TEAMS[] = {"as many threads as planned", "one thread, within a region", "a dynamic team"};

enum { GUARD = 64 };
static const float POISON = -12345.5f;

static const hy_kernels *k; /* the table under test */
static hy_rng g;

static float *guarded(size_t n)
{
	float *p = hy_alloc_aligned(n + 2 * GUARD, sizeof *p);
	assert_non_null(p);
	for (size_t i = 0; i < n + 2 * GUARD; i++)
		p[i] = POISON;
	return p + GUARD;
}

static void release(float *p, size_t n)
{
	for (int i = 0; i < GUARD; i++)
		if (p[-1 - i] != POISON || p[n + (size_t)i] != POISON)
			fail_msg("%s: a kernel wrote outside of its output", k->name);
	hy_free_aligned(p - GUARD);
}

static hy_blocked *guarded_blocked(size_t n)
{
	return (hy_blocked *)(void *)guarded(n);
}

static void release_blocked(hy_blocked *p, size_t n)
{
	release((float *)(void *)p, n);
}

/* As bfloat16 holds it, by cutting off: then the product of two is exact in single precision. */
static float representable(float v)
{
	uint32_t bits;
	memcpy(&bits, &v, sizeof bits);
	bits &= 0xffff0000;
	memcpy(&v, &bits, sizeof v);
	return v;
}

/* Mostly normal numbers, with zeros and a few large ones; all of them exact in the table's elements. */
static float *draw(size_t n)
{
	float *p = guarded(n);
	for (size_t i = 0; i < n; i++) {
		const double u = hy_rng_uniform(&g);
		p[i] = u < .02 ? 0 : (float)(hy_rng_normal(&g) * (u > .99 ? 20 : 1));
		if (k->element == 2)
			p[i] = representable(p[i]);
	}
	return p;
}

/* planar <-> blocked */
static void turn(float *planar, hy_blocked *blocked, int64_t n, int64_t c, int64_t hw, bool to_blocked)
{
	float *floats = (float *)(void *)blocked;
	uint16_t *halves = (uint16_t *)(void *)blocked;
	for (int64_t i = 0; i < n; i++)
		for (int64_t ch = 0; ch < c; ch++)
			for (int64_t p = 0; p < hw; p++) {
				float *one = planar + (i * c + ch) * hw + p;
				const int64_t at = ((i * (c / k->block) + ch / k->block) * hw + p) * k->block + ch % k->block;
				uint32_t bits;
				if (k->element == 4 && to_blocked) {
					floats[at] = *one;
				} else if (k->element == 4) {
					*one = floats[at];
				} else if (to_blocked) {
					memcpy(&bits, one, sizeof bits);
					halves[at] = (uint16_t)(bits >> 16);
				} else {
					bits = (uint32_t)halves[at] << 16;
					memcpy(one, &bits, sizeof bits);
				}
			}
}

static hy_blocked *blocked(float *planar, int64_t n, int64_t c, int64_t hw)
{
	hy_blocked *p = guarded_blocked((size_t)(n * c * hw));
	turn(planar, p, n, c, hw, true);
	return p;
}

static void close_planar(const char *what, const float *got, const double *want, size_t n, double tolerance)
{
	double scale = 0;
	for (size_t i = 0; i < n; i++)
		scale = fmax(scale, fabs(want[i]));
	for (size_t i = 0; i < n; i++)
		if (!(fabs((double)got[i] - want[i]) <= tolerance * (scale + 1e-6)))
			fail_msg("%s: %s: element %zu is %g, want %g", k->name, what, i, (double)got[i], want[i]);
}

static void close_blocked(const char *what, hy_blocked *got, const double *want, int64_t n, int64_t c, int64_t hw,
                          double tolerance)
{
	float *p = guarded((size_t)(n * c * hw));
	turn(p, got, n, c, hw, false);
	close_planar(what, p, want, (size_t)(n * c * hw), k->element == 2 ? 0x1p-8 : tolerance); /* one rounding to 8 bits */
	release(p, (size_t)(n * c * hw));
}

/* ---- convolutions ---- */

/* oneDNN itself sums what threads that never came would have written. */
static bool skips_library(int library)
{
#ifdef _OPENMP
	const bool whole = team == WHOLE_TEAM && omp_get_thread_limit() >= PLANNED;
#else
	const bool whole = true;
#endif
	return library == HY_CONV_DNNL && (!hy_dnnl_version() || k->element != 4 || !whole);
}

typedef struct convolved {
	const hy_conv *conv;
	const hy_fused *fused;    /* NULL: nothing */
	const hy_blocked *x, *dy; /* weights: both; else x */
	const float *bias, *packed;
	hy_blocked *y;
	float *dw, *db, *work;
} convolved;

static hardy_status convolve(const convolved *a, hardy_error *err)
{
	hardy_status status = HARDY_ERROR_MEMORY;
#pragma omp parallel num_threads(2) if (team == WITHIN_A_REGION)
#pragma omp single
	status = a->dy ? a->conv->run_weights(a->conv, a->fused, a->x, a->dy, a->dw, a->db, a->work, err)
	               : a->conv->run(a->conv, a->fused, a->x, a->bias, a->packed, a->y, a->work, err);
	return status;
}

static int64_t x_at(const hy_conv_shape *s, int64_t i, int64_t c, int64_t y, int64_t x)
{
	return ((i * s->ic + c) * s->ih + y) * s->iw + x;
}

/* Calls for every product of the convolution: w index, x index, y index. */
#define EACH_PRODUCT(s, body)                                                                                                  \
	for (int64_t i = 0; i < (s)->n; i++)                                                                                       \
		for (int64_t o = 0; o < (s)->oc; o++)                                                                                  \
			for (int64_t oy = 0; oy < (s)->oh; oy++)                                                                           \
				for (int64_t ox = 0; ox < (s)->ow; ox++)                                                                       \
					for (int64_t c = 0; c < (s)->ic; c++)                                                                      \
						for (int64_t ky = 0; ky < (s)->k; ky++)                                                                \
							for (int64_t kx = 0; kx < (s)->k; kx++) {                                                          \
								const int64_t iy = oy * (s)->stride + ky - (s)->pad, ix = ox * (s)->stride + kx - (s)->pad;    \
								if (iy < 0 || ix < 0 || iy >= (s)->ih || ix >= (s)->iw)                                        \
									continue;                                                                                  \
								const int64_t at_w = ((o * (s)->ic + c) * (s)->k + ky) * (s)->k + kx;                          \
								const int64_t at_x = x_at(s, i, c, iy, ix);                                                    \
								const int64_t at_y = ((i * (s)->oc + o) * (s)->oh + oy) * (s)->ow + ox;                        \
								body                                                                                           \
							}

static void run_conv(const hy_conv_shape *s, hy_conv_library library, enum hy_conv_role role, bool accumulate)
{
	hardy_error err;
	hy_conv conv;
	const hardy_status status = hy_conv_make(&conv, k, library, s, role, accumulate, role != HY_CONV_DATA, &err);
	if (status == HARDY_ERROR_UNSUPPORTED && accumulate && role == HY_CONV_DATA && s->stride > 1)
		return; /* said so: no layer needs it */
	assert_ok(status, &err);
	const size_t nx = (size_t)(s->n * s->ic * s->ih * s->iw), ny = (size_t)(s->n * s->oc * s->oh * s->ow);
	const size_t nw = (size_t)(s->oc * s->ic * s->k * s->k);
	float *x = draw(nx), *y = draw(ny), *w = draw(nw), *bias = draw((size_t)s->oc);
	hy_blocked *bx = blocked(x, s->n, s->ic, s->ih * s->iw), *by = blocked(y, s->n, s->oc, s->oh * s->ow);
	float *packed = guarded(conv.packed_floats + 16), *work = guarded(conv.work_floats + 16);
	if (role != HY_CONV_WEIGHTS)
		conv.pack(&conv, w, packed);
	double *want = hy_calloc(nx + ny + nw, sizeof *want);
	char what[128];
	snprintf(what, sizeof what, "conv role %d library %d %lld>%lld k%d s%d", (int)role, (int)library, (long long)s->ic,
	         (long long)s->oc, s->k, s->stride);
	if (role == HY_CONV_FORWARD) {
		for (size_t i = 0; i < ny; i++)
			want[i] = (accumulate ? (double)y[i] : 0) + (double)bias[i / (size_t)(s->oh * s->ow) % (size_t)s->oc];
		EACH_PRODUCT(s, want[at_y] += (double)w[at_w] * (double)x[at_x];)
		assert_ok(convolve(&(convolved){.conv = &conv, .x = bx, .bias = bias, .packed = packed, .y = by, .work = work}, &err),
		          &err);
		close_blocked(what, by, want, s->n, s->oc, s->oh * s->ow, 1e-5);
	} else if (role == HY_CONV_DATA) {
		for (size_t i = 0; i < nx; i++)
			want[i] = accumulate ? (double)x[i] : 0;
		EACH_PRODUCT(s, want[at_x] += (double)w[at_w] * (double)y[at_y];)
		assert_ok(convolve(&(convolved){.conv = &conv, .x = by, .packed = packed, .y = bx, .work = work}, &err), &err);
		close_blocked(what, bx, want, s->n, s->ic, s->ih * s->iw, 1e-5);
	} else {
		double *db = want + nw;
		for (size_t i = 0; i < nw; i++)
			want[i] = (double)w[i];
		for (int64_t o = 0; o < s->oc; o++)
			db[o] = (double)bias[o];
		EACH_PRODUCT(s, want[at_w] += (double)x[at_x] * (double)y[at_y];)
		for (size_t i = 0; i < ny; i++)
			db[i / (size_t)(s->oh * s->ow) % (size_t)s->oc] += (double)y[i];
		assert_ok(convolve(&(convolved){.conv = &conv, .x = bx, .dy = by, .dw = w, .db = bias, .work = work}, &err), &err);
		close_planar(what, w, want, nw, 1e-5);
		close_planar(what, bias, db, (size_t)s->oc, 1e-5);
	}
	hy_free(want);
	release(packed, conv.packed_floats + 16);
	release(work, conv.work_floats + 16);
	release_blocked(bx, nx);
	release_blocked(by, ny);
	release(x, nx);
	release(y, ny);
	release(w, nw);
	release(bias, (size_t)s->oc);
	hy_conv_clear(&conv);
}

static void convolutions(void **state)
{
	(void)state;
	static const hy_conv_shape shapes[] = {
	    {2, 16, 6, 5, 32, 6, 5, 3, 1, 1, 0},   {3, 32, 4, 4, 16, 4, 4, 3, 1, 1, 0},     {2, 16, 8, 6, 16, 4, 3, 3, 2, 1, 0},
	    {2, 32, 3, 7, 16, 3, 7, 1, 1, 0, 0},   {2, 16, 6, 8, 32, 3, 4, 2, 2, 0, 0},     {1, 128, 1, 1, 128, 1, 1, 3, 1, 1, 0},
	    {2, 16, 6, 26, 16, 3, 13, 4, 2, 1, 0}, {3, 32, 3, 31, 32, 3, 31, 3, 1, 1, 0},   {1, 16, 2, 60, 64, 1, 30, 3, 2, 1, 0},
	    {5, 64, 4, 8, 16, 4, 8, 1, 1, 0, 0},   {2, 16, 12, 12, 32, 12, 12, 3, 1, 1, 0}, {3, 32, 6, 50, 16, 6, 50, 3, 1, 1, 0},
	    {1, 64, 4, 4, 64, 4, 4, 3, 1, 1, 0},   {2, 32, 24, 6, 32, 24, 6, 3, 1, 1, 0},   {3, 32, 20, 28, 16, 20, 28, 3, 1, 1, 0},
	};
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
		for (int library = HY_CONV_PLAIN; library <= HY_CONV_WINOGRAD; library++)
			for (int role = 0; role < 3; role++)
				for (int accumulate = 0; accumulate < (role == HY_CONV_WEIGHTS ? 1 : 2); accumulate++)
					if (!skips_library(library) && (library < HY_CONV_DIRECT || k->direct_forward))
						run_conv(&shapes[i], (hy_conv_library)library, (enum hy_conv_role)role, accumulate);
}

/* A doubled input and one beside it: the whole one that they stand for, n x ic x ih x iw. */
static float *double_beside(const hy_conv_shape *s, const float *small, const float *beside)
{
	const int64_t plane = s->ih * s->iw, rest = s->ic - s->doubled;
	float *x = guarded((size_t)(s->n * s->ic * plane));
	for (int64_t i = 0; i < s->n; i++)
		for (int64_t c = 0; c < s->ic; c++)
			for (int64_t p = 0; p < plane; p++) {
				const int64_t half = (p / s->iw / 2) * (s->iw / 2) + p % s->iw / 2;
				x[(i * s->ic + c) * plane + p] = c < s->doubled ? small[(i * s->doubled + c) * (plane / 4) + half]
				                                                : beside[(i * rest + c - s->doubled) * plane + p];
			}
	return x;
}

/* The adjoint: dx of the whole input added to those of its parts. */
static void add_parts(const hy_conv_shape *s, const double *dx, double *small, double *beside)
{
	const int64_t plane = s->ih * s->iw, rest = s->ic - s->doubled;
	for (int64_t i = 0; i < s->n; i++)
		for (int64_t c = 0; c < s->ic; c++)
			for (int64_t p = 0; p < plane; p++) {
				const int64_t half = (p / s->iw / 2) * (s->iw / 2) + p % s->iw / 2;
				double *to = c < s->doubled ? small + (i * s->doubled + c) * (plane / 4) + half
				                            : beside + (i * rest + c - s->doubled) * plane + p;
				*to += dx[(i * s->ic + c) * plane + p];
			}
}

/* accumulate: 1 to the doubled part's gradient, 2 to the one beside it. */
static void run_beside(const hy_conv_shape *s, enum hy_conv_role role, int accumulate)
{
	hardy_error err;
	hy_conv conv;
	assert_ok(hy_conv_make(&conv, k, HY_CONV_WINOGRAD, s, role, accumulate & 1, false, &err), &err);
	const int64_t plane = s->ih * s->iw, rest = s->ic - s->doubled;
	const size_t n_small = (size_t)(s->n * s->doubled * plane / 4), n_beside = (size_t)(s->n * rest * plane);
	const size_t nx = (size_t)(s->n * s->ic * plane), ny = (size_t)(s->n * s->oc * plane), nw = (size_t)(s->oc * s->ic * 9);
	float *small = draw(n_small), *beside = draw(n_beside), *y = draw(ny), *w = draw(nw), *x = double_beside(s, small, beside);
	hy_blocked *b_small = blocked(small, s->n, s->doubled, plane / 4), *b_beside = blocked(beside, s->n, rest, plane);
	hy_blocked *by = blocked(y, s->n, s->oc, plane);
	float *packed = guarded(conv.packed_floats + 16), *work = guarded(conv.work_floats + 16);
	double *want = hy_calloc(nx + ny + nw, sizeof *want), *parts = hy_calloc(n_small + n_beside, sizeof *parts);
	const hy_fused f = {.beside = b_beside, .beside_accumulate = accumulate & 2};
	char what[128];
	snprintf(what, sizeof what, "doubled role %d, %lld and %lld>%lld, %lld x %lld", (int)role, (long long)s->doubled,
	         (long long)rest, (long long)s->oc, (long long)s->ih, (long long)s->iw);
	if (role != HY_CONV_WEIGHTS)
		conv.pack(&conv, w, packed);
	if (role == HY_CONV_FORWARD) {
		EACH_PRODUCT(s, want[at_y] += (double)w[at_w] * (double)x[at_x];)
		assert_ok(
		    convolve(&(convolved){.conv = &conv, .fused = &f, .x = b_small, .packed = packed, .y = by, .work = work}, &err),
		    &err);
		close_blocked(what, by, want, s->n, s->oc, plane, 1e-5);
	} else if (role == HY_CONV_DATA) {
		for (size_t i = 0; i < n_small && accumulate & 1; i++)
			parts[i] = (double)small[i];
		for (size_t i = 0; i < n_beside && accumulate & 2; i++)
			parts[n_small + i] = (double)beside[i];
		EACH_PRODUCT(s, want[at_x] += (double)w[at_w] * (double)y[at_y];)
		add_parts(s, want, parts, parts + n_small);
		assert_ok(
		    convolve(&(convolved){.conv = &conv, .fused = &f, .x = by, .packed = packed, .y = b_small, .work = work}, &err),
		    &err);
		close_blocked(what, b_small, parts, s->n, s->doubled, plane / 4, 1e-5);
		close_blocked(what, b_beside, parts + n_small, s->n, rest, plane, 1e-5);
	} else {
		for (size_t i = 0; i < nw; i++)
			want[i] = (double)w[i];
		EACH_PRODUCT(s, want[at_w] += (double)x[at_x] * (double)y[at_y];)
		assert_ok(convolve(&(convolved){.conv = &conv, .fused = &f, .x = b_small, .dy = by, .dw = w, .work = work}, &err),
		          &err);
		close_planar(what, w, want, nw, 1e-5);
	}
	hy_free(want);
	hy_free(parts);
	release(packed, conv.packed_floats + 16);
	release(work, conv.work_floats + 16);
	release_blocked(b_small, n_small);
	release_blocked(b_beside, n_beside);
	release_blocked(by, ny);
	release(small, n_small);
	release(beside, n_beside);
	release(x, nx);
	release(y, ny);
	release(w, nw);
	hy_conv_clear(&conv);
}

static void doubled_inputs(void **state)
{
	(void)state;
	static const hy_conv_shape shapes[] = {
	    {2, 48, 8, 12, 16, 8, 12, 3, 1, 1, 32},   {3, 96, 4, 4, 32, 4, 4, 3, 1, 1, 64},
	    {1, 64, 6, 10, 32, 6, 10, 3, 1, 1, 32},   {2, 48, 2, 6, 32, 2, 6, 3, 1, 1, 16},
	    {5, 48, 20, 28, 48, 20, 28, 3, 1, 1, 32}, {3, 64, 16, 16, 16, 16, 16, 3, 1, 1, 16},
	};
	for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
		if (!k->direct_forward || !hy_conv_direct_fits(k, &shapes[i]))
			continue; /* the operator then does it in two parts */
		for (int role = 0; role < 3; role++)
			for (int accumulate = 0; accumulate < (role == HY_CONV_DATA ? 4 : 1); accumulate++)
				run_beside(&shapes[i], (enum hy_conv_role)role, accumulate);
	}
}

/* Of values as they are, or of act(scale x + shift); equal ones are frequent, for the gradient belongs to the first. */
static void pooling(void **state)
{
	(void)state;
	const int64_t n = 3, c = 32, h = 6, w = 10, hw = h * w, q = hw / 4;
	const size_t nx = (size_t)(n * c * hw), ny = nx / 4;
	for (int lazy = 0; lazy < 2; lazy++)
		for (int accumulate = 0; accumulate < 2; accumulate++) {
			float *x = draw(nx), *dy = draw(ny), *dx = draw(nx), *scale = draw((size_t)c), *shift = draw((size_t)c);
			for (size_t i = 0; i < nx; i++)
				x[i] = roundf(x[i]);
			hy_blocked *bx = blocked(x, n, c, hw), *bdy = blocked(dy, n, c, q), *bdx = blocked(dx, n, c, hw),
			           *by = guarded_blocked(ny);
			double *want = hy_calloc(ny + nx, sizeof *want), *wdx = want + ny;
			for (size_t i = 0; i < nx; i++)
				wdx[i] = accumulate ? (double)dx[i] : 0;
			for (int64_t i = 0; i < (int64_t)ny; i++) {
				const int64_t plane = i / q, row = i % q / (w / 2) * 2, col = i % (w / 2) * 2;
				int64_t first = -1;
				for (int64_t j = 0; j < 4; j++) {
					const int64_t at = plane * hw + (row + j / 2) * w + col + j % 2;
					double v = (double)x[at];
					if (lazy) {
						v = v * (double)scale[plane % c] + (double)shift[plane % c];
						v = v > 0 ? v : 0.25 * v;
					}
					if (first < 0 || v > want[i]) {
						want[i] = v;
						first = at;
					}
				}
				wdx[first] += (double)dy[i];
			}
			k->max_pool(bx, lazy ? scale : NULL, lazy ? shift : NULL, 0.25f, n, c, h, w, by);
			close_blocked("pool", by, want, n, c, q, 1e-6);
			k->max_pool_back(NULL, bdy, bx, lazy ? scale : NULL, lazy ? shift : NULL, 0.25f, n, c, h, w, accumulate, bdx);
			close_blocked("pool back", bdx, wdx, n, c, hw, 1e-6);
			hy_free(want);
			release_blocked(bx, nx);
			release_blocked(bdy, ny);
			release_blocked(bdx, nx);
			release_blocked(by, ny);
			release(x, nx);
			release(dy, ny);
			release(dx, nx);
			release(scale, (size_t)c);
			release(shift, (size_t)c);
		}
}

static void narrow_ends(void **state)
{
	(void)state;
	for (int64_t ic = 1; ic <= 5; ic += 2) {
		const hy_conv_shape s = {2, ic, 16, 32, 16, 16, 32, 3, 1, 1, 0};
		const size_t nx = (size_t)(2 * ic * 512), ny = 2 * 16 * 512, nw = (size_t)(16 * ic * 9);
		float *x = draw(nx), *w = draw(nw), *bias = draw(16), *dy = draw(ny), *work = guarded(nx + 2 * nw);
		hy_blocked *bdy = blocked(dy, 2, 16, 512), *y = guarded_blocked(ny);
		double *want = hy_calloc(ny + nx + nw, sizeof *want), *dx = want + ny, *dw = dx + nx;
		for (size_t i = 0; i < ny; i++)
			want[i] = (double)bias[i / 512 % 16];
		for (size_t i = 0; i < nx; i++)
			dx[i] = (double)x[i];
		for (size_t i = 0; i < nw; i++)
			dw[i] = (double)w[i];
		EACH_PRODUCT(&s, want[at_y] += (double)w[at_w] * (double)x[at_x]; dx[at_x] += (double)w[at_w] * (double)dy[at_y];
		             dw[at_w] += (double)x[at_x] * (double)dy[at_y];)
		k->stem(x, w, bias, 2, ic, 16, 32, 16, y);
		close_blocked("stem", y, want, 2, 16, 512, 1e-5);
		float *keep = guarded(nw);
		memcpy(keep, w, nw * sizeof *w);
		k->stem_weights(x, bdy, 2, ic, 16, 32, 16, work, w);
		close_planar("stem weights", w, dw, nw, 1e-5);
		k->stem_data(bdy, keep, 2, ic, 16, 32, 16, true, x);
		close_planar("stem data", x, dx, nx, 1e-5);
		hy_free(want);
		release(keep, nw);
		release(x, nx);
		release(w, nw);
		release(bias, 16);
		release(dy, ny);
		release_blocked(bdy, ny);
		release_blocked(y, ny);
		release(work, nx + 2 * nw);
	}
	for (int64_t oc = 1; oc <= 7; oc += 3) {
		const hy_conv_shape s = {2, 16, 16, 16, oc, 16, 16, 1, 1, 0, 0};
		const size_t nx = 2 * 16 * 256, ny = (size_t)(2 * oc * 256), nw = (size_t)(16 * oc);
		float *x = draw(nx), *w = draw(nw), *bias = draw((size_t)oc), *dy = draw(ny), *y = guarded(ny),
		      *work = guarded((size_t)(2 * 17 * oc));
		hy_blocked *bx = blocked(x, 2, 16, 256);
		double *want = hy_calloc(ny + nx + nw + (size_t)oc, sizeof *want), *dx = want + ny, *dw = dx + nx, *db = dw + nw;
		for (size_t i = 0; i < ny; i++) {
			want[i] = (double)bias[i / 256 % (size_t)oc];
			db[i / 256 % (size_t)oc] += (double)dy[i];
		}
		for (size_t i = 0; i < nx; i++)
			dx[i] = (double)x[i];
		for (int64_t o = 0; o < oc; o++)
			db[o] += (double)bias[o];
		for (size_t i = 0; i < nw; i++)
			dw[i] = (double)w[i];
		EACH_PRODUCT(&s, want[at_y] += (double)w[at_w] * (double)x[at_x]; dx[at_x] += (double)w[at_w] * (double)dy[at_y];
		             dw[at_w] += (double)x[at_x] * (double)dy[at_y];)
		k->head(bx, w, bias, 2, 16, 256, oc, y);
		close_planar("head", y, want, ny, 1e-5);
		float *keep = guarded(nw);
		memcpy(keep, w, nw * sizeof *w);
		k->head_weights(bx, dy, 2, 16, 256, oc, work, w, bias);
		close_planar("head weights", w, dw, nw, 1e-5);
		close_planar("head bias", bias, db, (size_t)oc, 1e-5);
		k->head_data(NULL, dy, keep, 2, 16, 16, 16, oc, true, bx);
		close_blocked("head data", bx, dx, 2, 16, 256, 1e-5);
		hy_free(want);
		release(keep, nw);
		release(x, nx);
		release(w, nw);
		release(bias, (size_t)oc);
		release(dy, ny);
		release_blocked(bx, nx);
		release(y, ny);
		release(work, (size_t)(2 * 17 * oc));
	}
}

/* ---- batch norm, activation, skip ---- */

static void norm_case(int64_t h, int64_t w, int skip_kind, float slope) /* 0 none, 1 same, 2 half */
{
	const int64_t n = 3, c = 32, hw = h * w;
	const size_t count = (size_t)(n * c * hw), small = skip_kind == 2 ? count / 4 : count;
	float *x = draw(count), *skip = draw(small), *dy = draw(count), *scale = draw((size_t)c), *shift = draw((size_t)c),
	      *mean = draw((size_t)c);
	hy_blocked *bx = blocked(x, n, c, hw), *bdy = blocked(dy, n, c, hw), *by = guarded_blocked(count),
	           *bdx = guarded_blocked(count), *bds = guarded_blocked(small);
	hy_blocked *bs = blocked(skip, n, c, skip_kind == 2 ? hw / 4 : hw);
	double *want = hy_calloc(4 * count, sizeof *want), *gr = want + count, *ds = gr + count, *dx = ds + count;
	double *partial = hy_calloc((size_t)(2 * n * c), sizeof *partial), sums[32][4] = {{0}};
	for (int64_t i = 0; i < (int64_t)count; i++) {
		const int64_t ch = i / hw % c, row = i % hw / w, col = i % w;
		const int64_t at = skip_kind == 2 ? i / hw * (hw / 4) + row / 2 * (w / 2) + col / 2 : i;
		const double v = (double)x[i] * (double)scale[ch] + (double)shift[ch] + (skip_kind ? (double)skip[at] : 0);
		want[i] = v > 0 ? v : v * (double)slope;
		gr[i] = (double)dy[i] * (v > 0 ? 1 : (double)slope);
		ds[at] += gr[i];
		sums[ch][0] += (double)x[i];
		sums[ch][1] += (double)x[i] * (double)x[i];
		sums[ch][2] += gr[i];
		sums[ch][3] += gr[i] * ((double)x[i] - (double)mean[ch]);
		dx[i] = (double)scale[ch] * gr[i] + (double)shift[ch] * (double)x[i] + (double)mean[ch];
	}
	k->norm_act(bx, scale, shift, skip_kind ? bs : NULL, skip_kind == 2, slope, n, c, h, w, by);
	close_blocked("norm", by, want, n, c, hw, 1e-6);
	k->norm_sums(bx, n, c, hw, partial);
	for (int pass = 0; pass < 2; pass++) {
		for (int64_t ch = 0; ch < c; ch++)
			for (int q = 0; q < 2; q++) {
				double sum = 0;
				for (int64_t i = 0; i < n; i++)
					sum += partial[(i * c + ch) * 2 + q];
				if (!(fabs(sum - sums[ch][2 * pass + q]) <= 1e-4 * (1 + fabs(sums[ch][2 * pass + q]))))
					fail_msg("%s: sums: channel %d is %g, want %g", k->name, (int)ch, sum, sums[ch][2 * pass + q]);
			}
		const hy_fused f = {.slope = slope,
		                    .partial = partial,
		                    .x = bx,
		                    .value = skip_kind ? by : NULL,
		                    .scale = scale,
		                    .shift = shift,
		                    .mean = mean,
		                    .dskip = skip_kind == 2 ? bds : NULL};
		if (!pass)
			k->norm_back_sums(&f, n, c, h, w, bdy);
	}
	if (skip_kind == 2)
		close_blocked("skip back", bds, ds, n, c, hw / 4, 1e-6);
	close_blocked("norm back g", bdy, gr, n, c, hw, 1e-6);
	k->norm_back(bdy, bx, scale, shift, mean, n, c, hw, bdx);
	close_blocked("norm back", bdx, dx, n, c, hw, 1e-6);
	hy_free(want);
	hy_free(partial);
	release(x, count);
	release(skip, small);
	release(dy, count);
	release(scale, (size_t)c);
	release(shift, (size_t)c);
	release(mean, (size_t)c);
	release_blocked(bx, count);
	release_blocked(bdy, count);
	release_blocked(by, count);
	release_blocked(bdx, count);
	release_blocked(bds, small);
	release_blocked(bs, small);
}

static void norms(void **state)
{
	(void)state;
	norm_case(5, 5, 0, 0.2f);
	norm_case(5, 3, 1, 0.2f);
	norm_case(1, 1, 0, 0);
	norm_case(6, 10, 2, 0.2f);
	norm_case(16, 16, 1, 0);
}

/* ---- class maps: values directly, gradients by central differences of the value in double ---- */

static double ce_value(const double *x, const uint8_t *label, int64_t n, int64_t c, int64_t hw, double w_ce, double w_dice)
{
	double loss = 0, inter[32] = {0}, both[32] = {0}, dice = 0;
	for (int64_t i = 0; i < n; i++)
		for (int64_t p = 0; p < hw; p++) {
			const double *v = x + i * c * hw + p;
			const int y = label[i * hw + p];
			if (y == HY_NO_LABEL)
				continue;
			double top = v[0], sum = 0;
			for (int64_t q = 1; q < c; q++)
				top = fmax(top, v[q * hw]);
			for (int64_t q = 0; q < c; q++)
				sum += exp(v[q * hw] - top);
			loss += top + log(sum) - v[y * hw];
			for (int64_t q = 1; q < c; q++) {
				const double prob = exp(v[q * hw] - top) / sum;
				inter[q] += y == q ? prob : 0;
				both[q] += prob + (y == q);
			}
		}
	for (int64_t q = 1; q < c; q++)
		dice += (2 * inter[q] + 1) / (both[q] + 1) / (double)(c - 1);
	return w_ce * loss / (double)(n * hw) + w_dice * (1 - dice);
}

static void class_maps(void **state)
{
	(void)state;
	const int64_t n = 2, hw = 32;
	for (int64_t c = 2; c <= 6; c += 2) {
		const size_t count = (size_t)(n * c * hw);
		float *x = draw(count), *dx = draw(count), *y = guarded(count), *dy = draw(count);
		double *v = hy_alloc(3 * count, sizeof *v), *before = v + count, *want = before + count;
		uint8_t label[64];
		for (int i = 0; i < 64; i++)
			label[i] = i % 7 == 3 ? HY_NO_LABEL : (uint8_t)hy_rng_below(&g, (uint64_t)c);
		for (size_t i = 0; i < count; i++) {
			v[i] = (double)x[i];
			before[i] = (double)dx[i];
		}
		double work[2 * 65], loss, dice;
		k->cross_entropy(x, label, n, c, hw, 0.75f, 0.5f, true, NULL, work, dx, &loss, &dice);
		const double value = ce_value(v, label, n, c, hw, 0.75, 0.5);
		assert_true(fabs(0.75 * loss + 0.5 * dice - value) < 1e-5 * (1 + value));
		for (size_t i = 0; i < count; i++) {
			const double kept = v[i];
			v[i] = kept + 1e-5;
			const double up = ce_value(v, label, n, c, hw, 0.75, 0.5);
			v[i] = kept - 1e-5;
			want[i] = before[i] + (up - ce_value(v, label, n, c, hw, 0.75, 0.5)) / 2e-5;
			v[i] = kept;
		}
		close_planar("cross-entropy gradient", dx, want, count, 1e-6);
		k->softmax(x, 0.5f, n, c, hw, y);
		for (size_t i = 0; i < count; i++) {
			const size_t sample = i / (size_t)(c * hw), p = i % (size_t)hw;
			double sum = 0;
			for (int64_t q = 0; q < c; q++)
				sum += exp(0.5 * ((double)x[sample * (size_t)(c * hw) + (size_t)(q * hw) + p] - (double)x[i]));
			want[i] = 1 / sum;
		}
		close_planar("softmax", y, want, count, 1e-6);
		k->softmax_back(y, dy, 0.5f, n, c, hw, false, dx);
		for (size_t i = 0; i < count; i++) {
			const size_t sample = i / (size_t)(c * hw), p = i % (size_t)hw;
			double dot = 0;
			for (int64_t q = 0; q < c; q++) {
				const size_t j = sample * (size_t)(c * hw) + (size_t)(q * hw) + p;
				dot += (double)y[j] * (double)dy[j];
			}
			want[i] = 0.5 * (double)y[i] * ((double)dy[i] - dot);
		}
		close_planar("softmax back", dx, want, count, 1e-5);
		k->sigmoid(x, (int64_t)count, y);
		for (size_t i = 0; i < count; i++)
			want[i] = 1 / (1 + exp(-(double)x[i]));
		close_planar("sigmoid", y, want, count, 1e-6);
		k->sigmoid_mse(y, dy, n, (int64_t)count / n, 0.5f, work, dx, &loss);
		double mse = 0;
		for (size_t i = 0; i < count; i++) {
			const double d = (double)y[i] - (double)dy[i];
			mse += d * d / (double)count;
			want[i] = d * (double)y[i] * (1 - (double)y[i]) / (double)count;
		}
		assert_true(fabs(loss - mse) < 1e-5 * mse);
		close_planar("sigmoid and mse", dx, want, count, 1e-5);
		k->one_hot(label, n, c, hw, y);
		for (size_t i = 0; i < count; i++)
			assert_true(
			    y[i] ==
			    (label[i / (size_t)(c * hw) * (size_t)hw + i % (size_t)hw] == i / (size_t)hw % (size_t)c ? 1.0f : 0.0f));
		hy_free(v);
		release(x, count);
		release(dx, count);
		release(y, count);
		release(dy, count);
	}
}

/* y = x mask, or y += x mask. */
static void mask_case(bool spatial, bool accumulate)
{
	const int64_t n = 2, c = 32, hw = 15;
	const size_t count = (size_t)(n * c * hw), n_mask = (size_t)(n * (spatial ? hw : c));
	float *x = draw(count), *before = draw(count), *mask = draw(n_mask);
	hy_blocked *bx = blocked(x, n, c, hw), *y = accumulate ? blocked(before, n, c, hw) : guarded_blocked(count);
	double *want = hy_calloc(count, sizeof *want);
	for (size_t i = 0; i < count; i++) {
		const size_t at = spatial ? i / (size_t)(c * hw) * (size_t)hw + i % (size_t)hw : i / (size_t)hw;
		want[i] = (accumulate ? (double)before[i] : 0) + (double)x[i] * (double)mask[at];
	}
	(spatial ? k->mask_spatial : k->mask_channel)(bx, mask, n, c, hw, accumulate, y);
	close_blocked(spatial ? "spatial mask" : "channel mask", y, want, n, c, hw, 1e-6);
	hy_free(want);
	release(x, count);
	release(before, count);
	release(mask, n_mask);
	release_blocked(bx, count);
	release_blocked(y, count);
}

static void masks(void **state)
{
	(void)state;
	for (int i = 0; i < 4; i++)
		mask_case(i & 1, i & 2);
}

static void small_ones(void **state)
{
	(void)state;
	const int64_t n = 2, c = 32, h = 3, w = 5, hw = h * w;
	const size_t count = (size_t)(n * c * hw);
	float *x = draw(count);
	hy_blocked *bx = blocked(x, n, c, hw);
	float *channel = guarded((size_t)(n * c)), *place = guarded((size_t)(n * hw));
	double *c_mean = hy_calloc((size_t)(n * c), sizeof *c_mean), *p_mean = hy_calloc((size_t)(n * hw), sizeof *p_mean);
	for (size_t i = 0; i < count; i++) {
		c_mean[i / (size_t)hw] += (double)x[i] / (double)hw;
		p_mean[i / (size_t)(c * hw) * (size_t)hw + i % (size_t)hw] += (double)x[i] / (double)c;
	}
	k->score(bx, n, c, hw, channel, place);
	close_planar("channel score", channel, c_mean, (size_t)(n * c), 1e-6);
	close_planar("spatial score", place, p_mean, (size_t)(n * hw), 1e-6);
	hy_free(c_mean);
	hy_free(p_mean);
	release(x, count);
	release_blocked(bx, count);
	release(channel, (size_t)(n * c));
	release(place, (size_t)(n * hw));
}

static void unavailable_is_an_error(void **state)
{
	(void)state;
	hardy_error err = {0};
	if (!hy_kernels_pick(HY_ISA_AVX512, &err))
		assert_non_null(strstr(err.message, "AVX-512"));
	if (!hy_kernels_pick(HY_ISA_AVX512_BF16, &err))
		assert_non_null(strstr(err.message, "BF16"));
	assert_non_null(hy_kernels_pick(HY_ISA_AUTO, &err));
}

int main(void)
{
	int failed = 0;
	for (int isa = HY_ISA_PLAIN; isa <= HY_ISA_AVX512_BF16; isa++) {
		k = hy_kernels_pick((hy_isa)isa, NULL);
		if (!k)
			continue;
		const struct CMUnitTest tests[] = {
		    cmocka_unit_test(convolutions), cmocka_unit_test(doubled_inputs), cmocka_unit_test(pooling),
		    cmocka_unit_test(narrow_ends),  cmocka_unit_test(norms),          cmocka_unit_test(class_maps),
		    cmocka_unit_test(masks),        cmocka_unit_test(small_ones),     cmocka_unit_test(unavailable_is_an_error)};
		for (int i = 0; i < N_TEAMS; i++) {
			team = i;
			g = hy_rng_make(20, HY_RNG_TEST, 0, 0);
#ifdef _OPENMP
			omp_set_num_threads(PLANNED);
			omp_set_dynamic(i == DYNAMIC_TEAM);
#endif
			print_message("kernels: %s, %s\n", k->name, TEAMS[i]);
			failed += cmocka_run_group_tests(tests, NULL, NULL);
		}
	}
	return failed;
}
