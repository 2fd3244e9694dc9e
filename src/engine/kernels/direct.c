/*
 * direct.c: plans our own convolutions: taps, phases, packed weights and scratch memory, the same for every instruction set.
 */
#include "engine/kernels/direct.h"

#include "base/memory.h"
#include "engine/kernels/conv.h"

#include <string.h>

#ifdef _OPENMP
#include <omp.h>
#endif

enum { BLOCK_POSITIONS = 160, MOST_BLOCK_ROWS = 16 };

static int64_t floor_half(int64_t a)
{
	return (a - (a & 1)) / 2;
}

static void add_tap(hy_phase *f, int64_t row, int64_t col, int weight)
{
	f->row[f->n_taps] = (int)row;
	f->col[f->n_taps] = (int)col;
	f->weight[f->n_taps++] = weight;
}

/* y[o] = sum over k of w[k] x[s o + k - pad]. */
static void taps_forward(const hy_conv_shape *s, hy_direct *d)
{
	d->in_step = s->stride;
	d->out_step = d->n_phases = 1;
	for (int ky = 0; ky < s->k; ky++)
		for (int kx = 0; kx < s->k; kx++)
			add_tap(&d->phase[0], ky - s->pad, kx - s->pad, ky * s->k + kx);
}

/* x[i] = sum over k of w[k] y[(i + pad - k) / s] where that is whole. */
static void taps_data(const hy_conv_shape *s, hy_direct *d)
{
	d->in_step = 1;
	d->out_step = s->stride;
	d->n_phases = s->stride * s->stride;
	for (int f = 0; f < d->n_phases; f++) {
		hy_phase *phase = &d->phase[f];
		phase->y = f / s->stride;
		phase->x = f % s->stride;
		for (int ky = 0; ky < s->k; ky++)
			for (int kx = s->k - 1; kx >= 0; kx--) { /* columns from left to right */
				const int64_t y = phase->y + s->pad - ky, x = phase->x + s->pad - kx;
				if (s->stride == 1)
					add_tap(phase, y, x, ky * s->k + kx);
				else if (!(y & 1) && !(x & 1))
					add_tap(phase, floor_half(y), floor_half(x), ky * s->k + kx);
			}
	}
}

/* A 1 x 1 convolution does not care for rows: as many positions a row as suit the loops. */
static void fold_rows(hy_direct *d, int64_t most)
{
	int64_t lines = 1;
	for (int64_t m = 2; m <= d->in_h; m++)
		if (d->in_h % m == 0 && m * d->in_w <= most)
			lines = m;
	d->lines = lines;
	d->in_h = d->out_h = d->in_h / lines;
	d->in_w = d->out_w = d->in_w * lines;
}

static int threads_now(void)
{
#ifdef _OPENMP
	return omp_get_max_threads();
#else
	return 1;
#endif
}

/* Whether each run of taps lies in one row, in neighbouring columns. */
static bool runs(const hy_phase *f)
{
	for (int t = 0; t < f->n_taps; t++)
		if (t % f->run && (f->row[t] != f->row[t - 1] || f->col[t] != f->col[t - 1] + 1))
			return false;
	return true;
}

static void plan(hy_direct *d, const hy_conv_shape *s, enum hy_conv_role role, const hy_kernels *kernels)
{
	const bool data = role == HY_CONV_DATA;
	*d = (hy_direct){.n = s->n, .k = s->k, .lines = 1, .threads = threads_now()};
	d->in_c = data ? s->oc : s->ic, d->in_h = data ? s->oh : s->ih, d->in_w = data ? s->ow : s->iw;
	d->out_c = data ? s->ic : s->oc, d->out_h = data ? s->ih : s->oh, d->out_w = data ? s->iw : s->ow;
	if (data)
		taps_data(s, d);
	else
		taps_forward(s, d);
	if (s->k == 1 && s->stride == 1)
		fold_rows(d, BLOCK_POSITIONS * (role == HY_CONV_WEIGHTS ? 1 : 4));
	d->rows = d->out_h / d->out_step;
	d->columns = d->out_w / d->out_step;
	d->group = d->out_c / kernels->block % 2 ? 1 : 2;
	int64_t col_low = 0, col_high = 0;
	size_t packed = 0;
	for (int f = 0; f < d->n_phases; f++) {
		hy_phase *phase = &d->phase[f];
		phase->packed = packed;
		phase->run = d->group == 1 && d->in_step == 1 ? s->k / d->out_step : 1;
		if (phase->run < 1 || phase->run > 3 || phase->n_taps % phase->run || !runs(phase))
			phase->run = 1;
		packed += (size_t)(phase->n_taps * d->in_c * d->out_c);
		for (int t = 0; t < phase->n_taps; t++) {
			d->row_low = phase->row[t] < d->row_low ? phase->row[t] : d->row_low;
			d->row_high = phase->row[t] > d->row_high ? phase->row[t] : d->row_high;
			col_low = phase->col[t] < col_low ? phase->col[t] : col_low;
			col_high = phase->col[t] > col_high ? phase->col[t] : col_high;
		}
	}
	const int64_t beyond_rows = (d->rows - 1) * d->in_step + d->row_high - (d->in_h - 1);
	const int64_t beyond = (d->columns - 1) * d->in_step + col_high - (d->in_w - 1);
	d->left = -col_low;
	d->right = beyond > 0 ? beyond : 0;
	const bool pairs = kernels->element == 2 && role == HY_CONV_WEIGHTS; /* made from copied rows */
	d->padded = d->left || d->right || d->row_low < 0 || beyond_rows > 0 || pairs;
	d->block_rows = BLOCK_POSITIONS / d->columns;
	d->block_rows = d->block_rows < 1 ? 1 : d->block_rows > MOST_BLOCK_ROWS ? MOST_BLOCK_ROWS : d->block_rows;
	d->chunks = 1;
	if (d->n % d->threads) {
		d->chunks = (4 * d->threads + d->n - 1) / d->n;
		d->chunks = d->chunks > d->rows ? d->rows : d->chunks;
	}
	const int64_t slots = role == HY_CONV_WEIGHTS ? (d->block_rows - 1) * d->in_step + s->k : d->row_high - d->row_low + 1;
	d->ring_floats = d->padded ? (size_t)((slots + 1) * (d->left + d->in_w + d->right) * d->in_c) : 0;
	d->ring_floats = (d->ring_floats + 15) / 16 * 16;
	if (pairs)
		d->pair_floats = (size_t)(d->block_rows * d->out_c * ((d->columns + 1) / 2) + (d->left + d->in_w + d->right) * d->in_c);
}

/* Round to nearest, ties to even; a NaN stays one. */
static uint16_t bfloat16(float v)
{
	uint32_t bits;
	memcpy(&bits, &v, sizeof bits);
	if ((bits & 0x7fffffff) > 0x7f800000)
		return (uint16_t)(bits >> 16 | 64);
	return (uint16_t)((bits + 0x7fff + (bits >> 16 & 1)) >> 16);
}

/*
 * [phase][group of output blocks][input block][run][B of input][tap of the run][group][B of output]; bfloat16: pairs of input channels
 * innermost.
 */
static void pack(const hy_conv *c, const float *w, float *packed)
{
	const hy_direct *d = c->state;
	const int64_t B = c->kernels->block, G = d->group, taps = (int64_t)c->shape.k * c->shape.k;
	const bool data = c->role == HY_CONV_DATA, pairs = c->kernels->element == 2;
	uint16_t *halves = (uint16_t *)(void *)packed;
	for (int f = 0; f < d->n_phases; f++) {
		const hy_phase *phase = &d->phase[f];
		for (int64_t o = 0; o < d->out_c; o++)
			for (int64_t i = 0; i < d->in_c; i++) {
				const float *from = w + (data ? i * d->out_c + o : o * d->in_c + i) * taps;
				const int64_t R = phase->run, line = (o / B / G * (d->in_c / B) + i / B) * phase->n_taps;
				for (int t = 0; t < phase->n_taps; t++) {
					const int64_t first = (int64_t)phase->packed + (line + t / R * R) * B * G * B, j = i % B;
					const int64_t vector = ((pairs ? j / 2 : j) * R + t % R) * G + o / B % G;
					if (pairs)
						halves[first + (vector * B + o % B) * 2 + j % 2] = bfloat16(from[phase->weight[t]]);
					else
						packed[first + vector * B + o % B] = from[phase->weight[t]];
				}
			}
	}
}

static hardy_status run_forward(const hy_conv *c, const hy_fused *f, const float *x, const float *bias, const float *packed,
                                float *y, float *unused, float *work, hardy_error *err)
{
	(void)unused, (void)err;
	c->kernels->direct_forward(c->state, f, x, packed, c->bias ? bias : NULL, c->accumulate, y, work);
	return HARDY_OK;
}

static hardy_status run_weights(const hy_conv *c, const hy_fused *f, const float *x, const float *dy, const float *packed,
                                float *dw, float *db, float *work, hardy_error *err)
{
	(void)packed, (void)err;
	c->kernels->direct_weights(c->state, f, x, dy, dw, work);
	hy_conv_bias_gradient(c, dy, db, work);
	return HARDY_OK;
}

bool hy_conv_direct_fits(const hy_kernels *k, const hy_conv_shape *s)
{
	return k->direct_forward && s->k <= 4 && (s->stride == 1 || (s->stride == 2 && s->ih % 2 == 0 && s->iw % 2 == 0)) &&
	       s->ic % k->block == 0 && s->oc % k->block == 0;
}

int64_t hy_conv_jobs(const hy_conv *c)
{
	const hy_direct *d = c->state;
	return c->fuses ? d->n * d->chunks : 0;
}

hardy_status hy_conv_make_direct(hy_conv *c, hardy_error *err)
{
	hy_direct *d = hy_calloc(1, sizeof *d);
	if (!d)
		return hy_fail_memory(err, "a convolution", 1, sizeof *d);
	const hy_conv_shape *s = &c->shape;
	plan(d, s, c->role, c->kernels);
	c->state = d;
	c->free_state = hy_free;
	c->fuses = true;
	c->reads_fused = d->padded;
	if (c->role == HY_CONV_WEIGHTS) {
		d->gradient_floats = ((size_t)(s->ic * s->oc * s->k * s->k) + 15) / 16 * 16;
		const size_t bias = (size_t)(2 * s->n * s->oc),
		             sums = (size_t)d->threads * (d->ring_floats + d->pair_floats + d->gradient_floats);
		c->run = run_weights;
		c->work_floats = bias > sums ? bias : sums;
	} else {
		c->run = run_forward;
		c->pack = pack;
		c->packed_floats = (size_t)(s->ic * s->oc * s->k * s->k);
		c->work_floats = (size_t)d->threads * d->ring_floats;
	}
	return HARDY_OK;
}
