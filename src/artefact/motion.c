/*
 * motion.c: a patient who moves while k-space is acquired along its last axis (Shaw et al., MIDL 2019), as TorchIO simulates it.
 *
 * Each stretch of k-space comes from the image as it lay at that time. Stretches are bands across axis 2, so that transforms
 * along axis 2 suffice. Outside the scan a moved image has the scan's minimum; with that subtracted, most lines of a far-moved
 * image are empty and cost nothing.
 */
#include "artefact/effects.h"
#include "artefact/lines.h"
#include "base/memory.h"
#include "base/simd.h"
#include "image/intensity.h"

#include <math.h>
#include <string.h>

/* Index of the moved image to index of the scan: q = m i + m[.][3]. */
typedef struct pull {
	double m[3][4];
} pull;

/* Everything that the lines of one call share. */
typedef struct motion {
	const hy_block *b;
	int n_images; /* the scan, and one for each movement */
	hy_line_set lines;
	hy_line_plan *plan;
	pull pulls[HY_MOTION_MAX + 1];    /* [0] unused */
	float *weight[HY_MOTION_MAX + 1]; /* by row of a spectrum, n each; NULL: no plane comes from this image */
	float *weights;                   /* owned: all of them */
	const float *scan;                /* owned: the block's voxels before */
	int64_t stride[3];
	double floor;
} motion;

/* ---- geometry ----------------------------------------------------------------------------------------------------------- */

static bool invert(const double (*m)[3], double (*out)[3])
{
	double det = 0;
	for (int i = 0; i < 3; i++)
		det += m[0][i] * (m[1][(i + 1) % 3] * m[2][(i + 2) % 3] - m[1][(i + 2) % 3] * m[2][(i + 1) % 3]);
	if (!(fabs(det) > 0) || !isfinite(det))
		return false;
	for (int i = 0; i < 3; i++)
		for (int k = 0; k < 3; k++) {
			const int r0 = (k + 1) % 3, r1 = (k + 2) % 3, c0 = (i + 1) % 3, c1 = (i + 2) % 3;
			out[i][k] = (m[r0][c0] * m[r1][c1] - m[r0][c1] * m[r1][c0]) / det;
		}
	return true;
}

static void multiply(const double (*a)[3], const double (*b)[3], double (*out)[3])
{
	for (int i = 0; i < 3; i++)
		for (int k = 0; k < 3; k++)
			out[i][k] = a[i][0] * b[0][k] + a[i][1] * b[1][k] + a[i][2] * b[2][k];
}

/* Rz(z) Rx(x) Ry(y), right-handed: the order of ITK's Euler angles. */
static void rotation(const double degrees[3], double (*out)[3])
{
	double c[3], s[3], t[3][3];
	for (int i = 0; i < 3; i++) {
		c[i] = cos(degrees[i] * (3.141592653589793 / 180));
		s[i] = sin(degrees[i] * (3.141592653589793 / 180));
	}
	const double x[3][3] = {{1, 0, 0}, {0, c[0], -s[0]}, {0, s[0], c[0]}};
	const double y[3][3] = {{c[1], 0, s[1]}, {0, 1, 0}, {-s[1], 0, c[1]}};
	const double z[3][3] = {{c[2], -s[2], 0}, {s[2], c[2], 0}, {0, 0, 1}};
	multiply(z, x, t);
	multiply(t, y, out);
}

/*
 * Index to index through space: i -> p = B i + b (LPS mm) -> R (p - c) + c + t -> index. c is the origin, since TorchIO loses the
 * centre that it means to rotate about, or with about_image the centre of the grid.
 */
static bool make_pull(const hy_block *b, const double degrees[3], const double translation[3], bool about_image, pull *out)
{
	double forward[3][3], back[3][3], offset[3], r[3][3], rb[3][3], m[3][3], centre[3] = {0, 0, 0}, shift[3];
	for (int i = 0; i < 3; i++) {
		const double sign = i < 2 ? -1 : 1; /* RAS to LPS */
		for (int k = 0; k < 3; k++)
			forward[i][k] = sign * b->affine[i][k];
		offset[i] = sign * b->affine[i][3];
	}
	if (!invert(forward, back))
		return false;
	for (int i = 0; i < 3 && about_image; i++) {
		centre[i] = offset[i];
		for (int k = 0; k < 3; k++)
			centre[i] += forward[i][k] * (double)(b->n[k] - 1) / 2;
	}
	rotation(degrees, r);
	multiply(r, forward, rb);
	multiply(back, rb, m);
	for (int i = 0; i < 3; i++) {
		shift[i] = translation[i] + centre[i] - offset[i];
		for (int k = 0; k < 3; k++)
			shift[i] += r[i][k] * (offset[k] - centre[k]);
	}
	for (int i = 0; i < 3; i++) {
		memcpy(out->m[i], m[i], sizeof m[i]);
		out->m[i][3] = back[i][0] * shift[0] + back[i][1] * shift[1] + back[i][2] * shift[2];
	}
	return true;
}

/* ---- moved images ------------------------------------------------------------------------------------------------------- */

/* Samples of a line at which the index may lie on the grid: [*from, *to), from the ends alone; a superset. */
static void line_range(const motion *w, const double start[3], const double step[3], int64_t *from, int64_t *to)
{
	const int64_t n = w->lines.n;
	double low = 0, high = (double)(n - 1);
	for (int a = 0; a < 3; a++) {
		const double edge[2] = {-.5, (double)w->b->n[a] - .5}, end = start[a] + step[a] * (double)(n - 1);
		if ((start[a] < edge[0] && end < edge[0]) || (start[a] >= edge[1] && end >= edge[1])) {
			*from = *to = 0;
			return;
		}
		if (n < 32 || fabs(step[a]) < 1e-9)
			continue;
		const double t0 = (edge[0] - start[a]) / step[a], t1 = (edge[1] - start[a]) / step[a];
		low = fmax(low, floor(fmin(t0, t1)) - 1);
		high = fmin(high, ceil(fmax(t0, t1)) + 1);
	}
	*from = (int64_t)low;
	*to = high >= low ? (int64_t)high + 1 : *from;
}

/* Linear, coordinates beyond the first or last voxel's centre clamped to it; q lies on the grid. */
static double sample(const motion *w, const double q[3])
{
	const float *at = w->scan;
	int64_t next[3];
	double f[3];
	for (int a = 0; a < 3; a++) {
		const int64_t last = w->b->n[a] - 1;
		const double c = q[a] < 0 ? 0 : q[a];
		const int64_t i = (int64_t)c;
		f[a] = i < last ? c - (double)i : 0;
		at += (i < last ? i : last) * w->stride[a];
		next[a] = i < last ? w->stride[a] : 0;
	}
	double v[4];
	for (int k = 0; k < 4; k++) {
		const float *p = at + (k & 1 ? next[1] : 0) + (k & 2 ? next[2] : 0);
		const double x = (double)p[0];
		v[k] = x + f[0] * ((double)p[next[0]] - x);
	}
	v[0] += f[1] * (v[1] - v[0]);
	v[2] += f[1] * (v[3] - v[2]);
	return v[0] + f[2] * (v[2] - v[0]);
}

/* One line of a moved image, less the floor, into lane 0 of buffer (which holds zeros); false when all of it lies outside. */
static bool moved_line(const motion *w, const pull *p, int64_t line, float *buffer)
{
	const int64_t start_voxel = hy_line_start(&w->lines, line), *n = w->b->n;
	const double i0 = (double)(start_voxel / w->stride[0] % n[0]), i1 = (double)(start_voxel / w->stride[1] % n[1]);
	double start[3], step[3];
	int64_t from, to;
	bool any = false;
	for (int a = 0; a < 3; a++) {
		start[a] = p->m[a][0] * i0 + p->m[a][1] * i1 + p->m[a][3];
		step[a] = p->m[a][2];
	}
	line_range(w, start, step, &from, &to);
	for (int64_t x = from; x < to; x++) {
		double q[3];
		bool inside = true;
		for (int a = 0; a < 3; a++) {
			q[a] = start[a] + step[a] * (double)x;
			inside = inside && q[a] >= -.5 && q[a] < (double)n[a] - .5;
		}
		if (!inside)
			continue;
		any = true;
		buffer[x * HY_LINES] = (float)(sample(w, q) - w->floor);
	}
	return any;
}

static bool moved_lines(const motion *w, const pull *p, int64_t first, float *buffer)
{
	bool any = false;
	memset(buffer, 0, (size_t)w->lines.n * HY_LINES * sizeof *buffer);
	for (int64_t j = 0; j < HY_LINES && first + j < w->lines.n_lines; j++)
		any |= moved_line(w, p, first + j, buffer + j);
	return any;
}

/* ---- k-space ------------------------------------------------------------------------------------------------------------ */

/*
 * Which image each plane comes from. Images follow one another in time, the scan first; then the scan takes the place of the one
 * that would supply the centre: the first whose time is past half, or the last.
 */
static void assign_planes(const hy_artefact *a, int64_t n, int *image_of)
{
	const int last = a->motion.n;
	int order[HY_MOTION_MAX + 1], centre = 0;
	for (int t = 0; t <= last; t++)
		order[t] = t;
	while (centre < last && !(a->motion.times[centre] > .5))
		centre++;
	order[0] = centre;
	order[centre] = 0;
	int64_t from = 0;
	for (int t = 0; t <= last; t++) {
		const int64_t to = t < last ? (int64_t)((double)n * a->motion.times[t]) : n;
		for (int64_t q = from; q < to; q++)
			image_of[q] = order[t];
		from = to;
	}
}

static hardy_status make_weights(motion *w, const hy_artefact *a, hardy_error *err)
{
	const int64_t n = w->lines.n;
	int *image_of = hy_calloc((size_t)n, sizeof *image_of);
	double *share = hy_alloc((size_t)n, sizeof *share);
	w->weights = hy_alloc((size_t)n, (size_t)w->n_images * sizeof *w->weights);
	if (image_of && share && w->weights) {
		assign_planes(a, n, image_of);
		for (int t = 0; t < w->n_images; t++) {
			bool any = false;
			for (int64_t q = 0; q < n; q++) {
				share[q] = image_of[q] == t;
				any |= image_of[q] == t;
			}
			hy_lines_symmetrise(n, share, w->weights + t * n);
			w->weight[t] = any ? w->weights + t * n : NULL;
		}
	}
	const bool ok = image_of && share && w->weights;
	hy_free(image_of);
	hy_free(share);
	return ok ? HARDY_OK : hy_fail_memory(err, "motion", (size_t)n, (size_t)w->n_images * sizeof(float));
}

HY_CLONES static void weigh_into(float *restrict sum, const float *restrict part, const float *restrict weight, int64_t n)
{
	for (int64_t k = 0; k < n; k++)
		for (int j = 0; j < HY_LINES; j++)
			sum[k * HY_LINES + j] += part[k * HY_LINES + j] * weight[k];
}

HY_CLONES static void add_to_all(float *x, int64_t n, float v)
{
	for (int64_t i = 0; i < n; i++)
		x[i] += v;
}

static void compose(const motion *w, int64_t first, float *part, float *sum)
{
	const int64_t n = w->lines.n, size = n * HY_LINES;
	memset(sum, 0, (size_t)size * sizeof *sum);
	for (int t = 0; t < w->n_images; t++) {
		bool any = w->weight[t];
		if (any && t)
			any = moved_lines(w, &w->pulls[t], first, part);
		if (!any)
			continue;
		if (!t) {
			hy_lines_load(&w->lines, w->scan, first, part);
			add_to_all(part, size, (float)-w->floor);
		}
		hy_line_forward(w->plan, part);
		weigh_into(sum, part, w->weight[t], n);
	}
	hy_line_backward(w->plan, sum);
	add_to_all(sum, size, (float)w->floor);
	hy_lines_store(&w->lines, w->b->data, first, sum);
}

static hardy_status compose_all(const motion *w, hardy_error *err)
{
	bool failed = false;
#pragma omp parallel
	{
		float *part = hy_line_buffer(w->plan), *sum = hy_line_buffer(w->plan);
		if (!part || !sum) {
#pragma omp atomic write
			failed = true;
		}
#pragma omp for schedule(dynamic, 8)
		for (int64_t l = 0; l < w->lines.n_lines; l += HY_LINES) {
			if (part && sum)
				compose(w, l, part, sum);
		}
		hy_free_aligned(part);
		hy_free_aligned(sum);
	}
	return failed ? hy_fail_memory(err, "lines of k-space", (size_t)w->lines.n, HY_LINES * sizeof(float)) : HARDY_OK;
}

hardy_status hy_effect_motion(const hy_artefact *a, const hy_block *b, hardy_error *err)
{
	motion w = {.b = b, .n_images = a->motion.n + 1, .lines = hy_line_set_of(b, 2)};
	const int64_t n = b->n[0] * b->n[1] * b->n[2];
	float *scan = hy_alloc((size_t)n, sizeof *scan), low, high;
	hardy_status status = scan ? HARDY_OK : hy_fail_memory(err, "motion", (size_t)n, sizeof *scan);
	for (int t = 0; t < a->motion.n && !status; t++) {
		if (!make_pull(b, a->motion.degrees[t], a->motion.translation[t], a->motion.about_image, &w.pulls[t + 1]))
			status = hy_fail(err, HARDY_ERROR_ARGUMENT, "motion: the scan's affine cannot be inverted");
	}
	if (status || (status = make_weights(&w, a, err)))
		goto out;
	w.plan = hy_line_plan_new(w.lines.n, err);
	if (!w.plan) {
		status = err ? err->status : HARDY_ERROR_MEMORY;
		goto out;
	}
	memcpy(scan, b->data, (size_t)n * sizeof *scan);
	hy_range(scan, n, &low, &high);
	w.scan = scan;
	w.floor = (double)low;
	for (int i = 0; i < 3; i++)
		w.stride[i] = hy_line_set_of(b, i).step;
	status = compose_all(&w, err);
out:
	hy_line_plan_free(w.plan);
	hy_free(w.weights);
	hy_free(scan);
	return status;
}
