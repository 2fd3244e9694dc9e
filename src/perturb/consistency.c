/*
 * consistency.c: divergences between predictions.
 */
#include "perturb/consistency.h"

#include <math.h>
#include <string.h>

enum { MAX_CLASSES = 32 };

/* Probabilities and their logarithms at one pixel. */
static void log_softmax(const float *x, int64_t c, int64_t stride, double *p, double *log_p)
{
	double largest = (double)x[0], sum = 0;
	for (int64_t k = 1; k < c; k++)
		largest = fmax(largest, (double)x[k * stride]);
	for (int64_t k = 0; k < c; k++)
		sum += p[k] = exp((double)x[k * stride] - largest);
	const double log_sum = log(sum);
	for (int64_t k = 0; k < c; k++) {
		p[k] /= sum;
		log_p[k] = (double)x[k * stride] - largest - log_sum;
	}
}

static double add_up(const double *partial, int64_t n)
{
	double sum = 0;
	for (int64_t i = 0; i < n; i++)
		sum += partial[i];
	return sum;
}

double hy_kl(const float *reference, const float *logits, int64_t n, int64_t c, int64_t hw, double weight, float *grad,
             double *partial)
{
	const double count = (double)(n * hw);
#pragma omp parallel for schedule(static)
	for (int64_t i = 0; i < n; i++) {
		double p[MAX_CLASSES], q[MAX_CLASSES], log_p[MAX_CLASSES], log_q[MAX_CLASSES], sum = 0;
		for (int64_t k = 0; k < hw; k++) {
			const int64_t at = i * c * hw + k;
			log_softmax(reference + at, c, hw, p, log_p);
			log_softmax(logits + at, c, hw, q, log_q);
			for (int64_t j = 0; j < c; j++) {
				sum += p[j] * (log_p[j] - log_q[j]);
				if (grad)
					grad[at + j * hw] += (float)(weight * (q[j] - p[j]) / count);
			}
		}
		partial[i] = sum;
	}
	return add_up(partial, n) / count;
}

/* ---- contour ---- */

/* Differences of p = softmax(reference) and q = softmax(logits): q - p into d (c x hw), q into q. */
static void compare(const float *reference, const float *logits, int64_t c, int64_t hw, float *d, float *q)
{
	double a[MAX_CLASSES], b[MAX_CLASSES], unused[MAX_CLASSES];
	for (int64_t k = 0; k < hw; k++) {
		log_softmax(reference + k, c, hw, a, unused);
		log_softmax(logits + k, c, hw, b, unused);
		for (int64_t j = 0; j < c; j++) {
			d[j * hw + k] = (float)(b[j] - a[j]);
			q[j * hw + k] = (float)b[j];
		}
	}
}

static float at(const float *d, int64_t y, int64_t x, int64_t h, int64_t w)
{
	return y < 0 || x < 0 || y >= h || x >= w ? 0 : d[y * w + x];
}

/* The Sobel gradients of d at a pixel; the kernels' signs do not matter to squares. */
static void sobel(const float *d, int64_t y, int64_t x, int64_t h, int64_t w, float *gx, float *gy)
{
	const float a = at(d, y - 1, x - 1, h, w), b = at(d, y - 1, x, h, w), c = at(d, y - 1, x + 1, h, w);
	const float e = at(d, y, x - 1, h, w), f = at(d, y, x + 1, h, w);
	const float i = at(d, y + 1, x - 1, h, w), j = at(d, y + 1, x, h, w), k = at(d, y + 1, x + 1, h, w);
	*gx = (a - c) + 2 * (e - f) + (i - k);
	*gy = (a - i) + 2 * (b - j) + (c - k);
}

/* The adjoint of sobel: the gradient of d at a pixel from those of gx and gy. */
static float sobel_back(const float *gx, const float *gy, int64_t y, int64_t x, int64_t h, int64_t w)
{
	float sum = 0;
	for (int64_t dy = -1; dy <= 1; dy++)
		for (int64_t dx = -1; dx <= 1; dx++) {
			/* pixel (y, x) is read with these weights by the pixel (y + dy, x + dx), where it lies at (-dy, -dx) */
			const float on_x = dx ? (float)dx * (dy ? 1 : 2) : 0, on_y = dy ? (float)dy * (dx ? 1 : 2) : 0;
			sum += on_x * at(gx, y + dy, x + dx, h, w) + on_y * at(gy, y + dy, x + dx, h, w);
		}
	return sum;
}

static double contour_of_class(float *d, float *gx, float *gy, int64_t h, int64_t w, double scale)
{
	double sum = 0;
	for (int64_t y = 0; y < h; y++)
		for (int64_t x = 0; x < w; x++) {
			sobel(d, y, x, h, w, &gx[y * w + x], &gy[y * w + x]);
			sum += (double)gx[y * w + x] * (double)gx[y * w + x] + (double)gy[y * w + x] * (double)gy[y * w + x];
		}
	for (int64_t y = 0; y < h; y++) /* from here on d holds the gradient by q */
		for (int64_t x = 0; x < w; x++)
			d[y * w + x] = (float)(2 * scale * (double)sobel_back(gx, gy, y, x, h, w));
	return sum;
}

/* scratch of one sample: q - p, then its gradient; q; and two planes of a class in the room of the third part. */
static double contour_of_sample(const float *reference, const float *logits, int64_t c, int64_t h, int64_t w, double scale,
                                double weight, float *grad, float *scratch)
{
	const int64_t hw = h * w;
	float *d = scratch, *q = scratch + c * hw, *gx = scratch + 2 * c * hw, *gy = gx + hw;
	double sum = 0;
	compare(reference, logits, c, hw, d, q);
	memset(d, 0, (size_t)hw * sizeof *d); /* the background does not count */
	for (int64_t j = 1; j < c; j++)
		sum += contour_of_class(d + j * hw, gx, gy, h, w, scale);
	for (int64_t k = 0; k < hw && grad; k++) {
		double dot = 0;
		for (int64_t j = 1; j < c; j++)
			dot += (double)q[j * hw + k] * (double)d[j * hw + k];
		for (int64_t j = 0; j < c; j++)
			grad[j * hw + k] += (float)(weight * (double)q[j * hw + k] * ((double)d[j * hw + k] - dot));
	}
	return sum;
}

double hy_contour(const float *reference, const float *logits, int64_t n, int64_t c, int64_t h, int64_t w, double weight,
                  float *grad, float *scratch, double *partial)
{
	const int64_t size = c * h * w;
	const double scale = 0.5 / ((double)(c - 1) * (double)(n * h * w));
#pragma omp parallel for schedule(static)
	for (int64_t i = 0; i < n; i++)
		partial[i] = contour_of_sample(reference + i * size, logits + i * size, c, h, w, scale, weight,
		                               grad ? grad + i * size : NULL, scratch + i * HY_CONTOUR_SCRATCH * size);
	return scale * add_up(partial, n);
}

/* ---- several views ---- */

/* At one pixel: each view's divergence is added to sums, the gradients are added. */
static void views_at(const float *const *logits, int n_views, int64_t at_pixel, int64_t c, int64_t hw, double scale,
                     float *const *grads, double *sums)
{
	double p[HY_MAX_VIEWS][MAX_CLASSES], log_p[HY_MAX_VIEWS][MAX_CLASSES], log_mean[MAX_CLASSES];
	bool held[MAX_CLASSES]; /* the mean is at its lower bound and does not move */
	for (int v = 0; v < n_views; v++)
		log_softmax(logits[v] + at_pixel, c, hw, p[v], log_p[v]);
	for (int64_t j = 0; j < c; j++) {
		double mean = 0;
		for (int v = 0; v < n_views; v++)
			mean += p[v][j] / n_views;
		held[j] = mean < 1e-8;
		log_mean[j] = log(held[j] ? 1e-8 : mean > 1 ? 1 : mean);
	}
	for (int v = 0; v < n_views; v++) {
		double d[MAX_CLASSES], dot = 0;
		for (int64_t j = 0; j < c; j++) {
			sums[v] += p[v][j] * (log_p[v][j] - log_mean[j]);
			/* by p_v: log p_v - log m + 1 - (sum of p) / (n_views m), the last two cancelling unless m is held */
			d[j] = log_p[v][j] - log_mean[j] + (held[j] ? 1 : 0);
			dot += p[v][j] * d[j];
		}
		for (int64_t j = 0; j < c && grads; j++)
			grads[v][at_pixel + j * hw] += (float)(scale * p[v][j] * (d[j] - dot));
	}
}

void hy_views_divergence(const float *const *logits, int n_views, int64_t n, int64_t c, int64_t hw, double weight,
                         float *const *grads, double *partial, double *out)
{
	const double count = (double)(n * hw), scale = weight / (count * n_views);
#pragma omp parallel for schedule(static)
	for (int64_t i = 0; i < n; i++) {
		double *sums = partial + i * n_views;
		for (int v = 0; v < n_views; v++)
			sums[v] = 0;
		for (int64_t k = 0; k < hw; k++)
			views_at(logits, n_views, i * c * hw + k, c, hw, scale, grads, sums);
	}
	for (int v = 0; v < n_views; v++) {
		out[v] = 0;
		for (int64_t i = 0; i < n; i++)
			out[v] += partial[i * n_views + v] / count;
	}
}

/* ---- operators ---- */

static hardy_status not_finite(const char *name, hardy_error *err)
{
	return hy_fail(err, HARDY_ERROR_NUMERIC, "the divergence \"%s\" is not finite", name ? name : "");
}

static void clear_unless(const hy_instruction *i, const hy_value *x, float *grad)
{
	if (!i->accumulate)
		memset(grad, 0, (size_t)(x->n * x->c * x->h * x->w) * sizeof *grad);
}

/* values: logits, reference, gradient; the scratch memory holds n doubles, then the floats of the contours */
static hardy_status run_divergence(hy_tape *t, const hy_instruction *i, hardy_error *err)
{
	const hy_value *x = &t->values[i->value[0]];
	hy_divergence *d = i->node.link;
	const float *reference = hy_tape_planar(t, i->value[1]);
	float *grad = hy_tape_planar(t, i->value[2]);
	double *partial = (double *)(void *)t->work;
	clear_unless(i, x, grad);
	d->kl = hy_kl(reference, x->data, x->n, x->c, x->h * x->w, d->w_kl, grad, partial);
	d->contour = i->node.flag
	                 ? hy_contour(reference, x->data, x->n, x->c, x->h, x->w, d->w_contour, grad, t->work + 2 * x->n, partial)
	                 : 0;
	d->value = d->w_kl * d->kl + d->w_contour * d->contour;
	return isfinite(d->value) ? HARDY_OK : not_finite(d->name, err);
}

void hy_op_divergence(hy_tape *t, int logits, int reference, hy_divergence *d)
{
	if (hy_tape_failed(t))
		return;
	const hy_value x = t->values[logits];
	bool accumulate;
	const int values[] = {logits, reference, hy_tape_gradient_out(t, logits, &accumulate)};
	hy_node n = {.link = d, .flag = d->w_contour > 0};
	hy_tape_work(t, (size_t)(2 * x.n + (n.flag ? HY_CONTOUR_SCRATCH * x.n * x.c * x.h * x.w : 0)));
	hy_tape_emit(t, "divergence", run_divergence, &n, values, 3)->accumulate = accumulate;
}

/* A list of values: those of an instruction are too few for all views and gradients. */
static hardy_status run_views(hy_tape *t, const hy_instruction *i, hardy_error *err)
{
	hy_views *v = i->node.link;
	const hy_value *x = &t->values[v->logits[0]];
	const float *logits[HY_MAX_VIEWS];
	float *grads[HY_MAX_VIEWS];
	double each[HY_MAX_VIEWS];
	for (int k = 0; k < v->n; k++) {
		logits[k] = hy_tape_planar(t, v->logits[k]);
		grads[k] = hy_tape_planar(t, v->grads[k]);
	}
	hy_views_divergence(logits, v->n, x->n, x->c, x->h * x->w, v->weight, grads, (double *)(void *)t->work, each);
	v->value = 0;
	for (int k = 0; k < v->n; k++)
		v->value += v->weight * each[k] / v->n;
	return isfinite(v->value) ? HARDY_OK : not_finite(v->name, err);
}

static hardy_status run_zero(hy_tape *t, const hy_instruction *i, hardy_error *err)
{
	(void)err;
	const hy_value *x = &t->values[i->value[0]];
	memset(x->data, 0, (size_t)(x->n * x->c * x->h * x->w) * sizeof *x->data);
	return HARDY_OK;
}

static hardy_status run_nothing(hy_tape *t, const hy_instruction *i, hardy_error *err)
{
	(void)t, (void)i, (void)err;
	return HARDY_OK;
}

void hy_op_views(hy_tape *t, const int *logits, int n_views, hy_views *v)
{
	v->n = n_views;
	for (int k = 0; k < n_views && !hy_tape_failed(t); k++) {
		bool accumulate;
		v->logits[k] = logits[k];
		v->grads[k] = hy_tape_gradient_out(t, logits[k], &accumulate);
		if (!accumulate)
			hy_tape_emit(t, "zero", run_zero, NULL, &v->grads[k], 1);
	}
	if (hy_tape_failed(t))
		return;
	hy_node n = {.link = v};
	const hy_value x = t->values[logits[0]];
	hy_tape_work(t, (size_t)(2 * x.n * n_views));
	hy_tape_emit(t, "views", run_views, &n, NULL, 0);
	for (int k = 0; k < n_views; k++) /* they stay alive until here */
		hy_tape_emit(t, "views", run_nothing, NULL, (const int[]){v->logits[k], v->grads[k]}, 2);
}
