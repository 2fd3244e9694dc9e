/*
 * direct.c: plans our own convolutions: taps, phases, packed weights and scratch memory, the same for every instruction set.
 */
#include "engine/kernels/direct.h"

#include "base/machine.h"
#include "base/memory.h"
#include "base/simd.h"
#include "engine/kernels/conv.h"

#include <string.h>

enum {
	BLOCK_POSITIONS = 160,
	MOST_BLOCK_ROWS = 16,
	MOST_BLOCK = 16, /* channels */
	MOST_PLANES = 36,
	CACHE_FLOATS = 65536, /* of a core's cache, for transformed inputs: 256 kB */
};

/* Products for a tile and weights for a kernel, an input and an output channel; by taps: of the whole kernel. */
static int planes(const hy_direct *d)
{
	return d->tile ? (d->tile + 2) * (d->tile + 2) : d->k * d->k;
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
					add_tap(phase, y / 2, x / 2, ky * s->k + kx);
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

/* Whether each run of taps lies in one row, in neighbouring columns. */
static bool runs(const hy_phase *f)
{
	for (int t = 0; t < f->n_taps; t++)
		if (t % f->run && (f->row[t] != f->row[t - 1] || f->col[t] != f->col[t - 1] + 1))
			return false;
	return true;
}

/* Rows are copied into slots of a ring, and one of zeros. */
static void plan_ring(hy_direct *d, int64_t slots)
{
	d->ring_floats = (size_t)((slots + 1) * (d->left + d->in_w + d->right) * d->in_c);
	d->ring_floats = (d->ring_floats + 15) / 16 * 16;
}

static void plan_chunks(hy_direct *d)
{
	d->chunks = 1;
	if (d->n % d->threads) {
		d->chunks = (4 * d->threads + d->n - 1) / d->n;
		d->chunks = d->chunks > d->rows ? d->rows : d->chunks;
	}
}

static void plan_taps(hy_direct *d, const hy_conv_shape *s, enum hy_conv_role role, const hy_kernels *kernels)
{
	if (role == HY_CONV_DATA)
		taps_data(s, d);
	else
		taps_forward(s, d);
	if (s->k == 1 && s->stride == 1)
		fold_rows(d, BLOCK_POSITIONS * (role == HY_CONV_WEIGHTS ? 1 : 4));
	d->rows = d->out_h / d->out_step;
	d->columns = d->out_w / d->out_step;
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
	if (d->padded)
		plan_ring(d, role == HY_CONV_WEIGHTS ? (d->block_rows - 1) * d->in_step + s->k : d->row_high - d->row_low + 1);
	if (pairs)
		d->pair_floats = (size_t)(d->block_rows * d->out_c * ((d->columns + 1) / 2) + (d->left + d->in_w + d->right) * d->in_c);
}

/*
 * How many lines of tiles a step takes, a divisor of all: those that fill the loops' tiles of `most` best; of equals the most whose inputs stay
 * in the cache, because weights are read once a step.
 */
static int64_t lines_of_tiles(const hy_direct *d, int64_t all, int64_t most)
{
	const int64_t a_line = (int64_t)planes(d) * d->in_c * d->tiles_a_row;
	int64_t lines = 1, best = 0;
	for (int64_t m = 1; m <= all && (m == 1 || m * a_line <= CACHE_FLOATS); m++) {
		const int64_t tiles = m * d->tiles_a_row, chunks = (tiles + most - 1) / most;
		if (all % m == 0 && tiles / chunks >= best) {
			lines = m;
			best = tiles / chunks;
		}
	}
	return lines;
}

/* Room for the planes of so many tiles and channels. */
static size_t transformed(const hy_direct *d, int64_t tiles, int64_t channels, const hy_kernels *kernels)
{
	return (size_t)(planes(d) * (tiles * channels + kernels->block));
}

/* Tiles of outputs (winograd.inc): a step is one or more lines of tiles. */
static void plan_winograd(hy_direct *d, enum hy_conv_role role, const hy_kernels *kernels)
{
	const int64_t all = d->out_h / d->tile;
	d->n_phases = 1;
	d->tiles_a_row = d->out_w / d->tile;
	const int64_t lines = role == HY_CONV_WEIGHTS ? 1 : lines_of_tiles(d, all, kernels->most_tile[d->group - 1]);
	d->in_step = d->out_step = (int)(d->tile * lines);
	d->rows = all / lines;
	d->left = d->right = 1;
	d->row_low = -1;
	d->row_high = d->tile * lines;
	d->padded = true;
	if (role == HY_CONV_WEIGHTS) {
		/* Sums of the products of a weight go to memory once a block: the more weights, the larger the block. */
		const int64_t tiles = d->in_c * d->out_c / 170, lines_a_block = (tiles > 24 ? tiles : 24) / d->tiles_a_row;
		const int64_t blocks = lines_a_block > 1 ? (all + lines_a_block - 1) / lines_a_block : all;
		d->block_rows = (all + blocks - 1) / blocks;
		d->transform_floats = transformed(d, d->block_rows * d->tiles_a_row, d->in_c, kernels) +
		                      transformed(d, d->block_rows * d->tiles_a_row, d->out_c, kernels);
	} else {
		const int64_t tiles = lines * d->tiles_a_row;
		d->transform_floats =
		    transformed(d, tiles, d->in_c, kernels) + transformed(d, tiles, d->group * kernels->block, kernels);
	}
	plan_ring(d, d->row_high - d->row_low + 1);
}

static void plan(hy_direct *d, const hy_conv_shape *s, enum hy_conv_role role, int tile, const hy_kernels *kernels)
{
	const bool data = role == HY_CONV_DATA;
	*d = (hy_direct){.n = s->n, .k = s->k, .lines = 1, .tile = tile, .threads = hy_threads()};
	d->in_c = data ? s->oc : s->ic, d->in_h = data ? s->oh : s->ih, d->in_w = data ? s->ow : s->iw;
	d->out_c = data ? s->ic : s->oc, d->out_h = data ? s->ih : s->oh, d->out_w = data ? s->iw : s->ow;
	*(data ? &d->out_doubled : &d->in_doubled) = s->doubled;
	d->group = d->out_c / kernels->block % 2 || d->out_doubled / kernels->block % 2 ? 1 : 2; /* both parts are whole groups */
	if (tile)
		plan_winograd(d, role, kernels);
	else
		plan_taps(d, s, role, kernels);
	plan_chunks(d);
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

/* B kernels' values at one place, side by side. */
typedef float lane[MOST_BLOCK];

/* G g along one axis (winograd.inc): three values `from` apart to four or, with tiles of 4, six `to` apart. */
static inline __attribute__((always_inline)) void transform_line(const int tile, const int64_t B, const lane *g, int from,
                                                                 lane *u, int to)
{
	const float *a = g[0], *b = g[from], *c = g[2 * from];
	for (int64_t i = 0; i < B; i++) {
		u[0][i] = a[i];
		if (tile == 2) {
			u[to][i] = 0.5f * ((a[i] + c[i]) + b[i]);
			u[2 * to][i] = 0.5f * ((a[i] + c[i]) - b[i]);
			u[3 * to][i] = c[i];
		} else {
			u[to][i] = ((a[i] + c[i]) + b[i]) * (1.0f / 3);
			u[2 * to][i] = ((a[i] + c[i]) - b[i]) * (-1.0f / 3);
			u[3 * to][i] = ((a[i] + 0.25f * c[i]) + 0.5f * b[i]) * (-16.0f / 15);
			u[4 * to][i] = ((a[i] + 4 * c[i]) - 2 * b[i]) * (1.0f / 15);
			u[5 * to][i] = c[i];
		}
	}
}

/* 3 x 3 kernels to planes. tile and B are constants after inlining. */
static inline __attribute__((always_inline)) void transform_kernels(const int tile, const int64_t B, const lane g[9],
                                                                    lane u[MOST_PLANES])
{
	const int n = tile + 2;
	lane half[3 * 6];
	for (int x = 0; x < 3; x++)
		transform_line(tile, B, g + x, 3, half + x, 3);
	for (int y = 0; y < n; y++)
		transform_line(tile, B, half + 3 * y, 1, u + n * y, 1);
}

/*
 * B kernels of one input channel, `apart` floats from one to the next (turned: each by half a circle), to planes that lie `plane` floats
 * apart.
 */
static inline __attribute__((always_inline)) void pack_planes(const int tile, const int64_t B, const float *w, int64_t apart,
                                                              bool turned, float *packed, int64_t plane)
{
	lane g[9], u[MOST_PLANES];
	for (int64_t b = 0; b < B; b++)
		for (int t = 0; t < 9; t++)
			g[t][b] = w[b * apart + (turned ? 8 - t : t)];
	transform_kernels(tile, B, g, u);
	for (int t = 0; t < (tile + 2) * (tile + 2); t++, packed += plane)
		for (int64_t b = 0; b < B; b++)
			packed[b] = u[t][b];
}

/* One block of outputs, all input channels, of a plan by transforms. Compiled for several widths of vectors. */
HY_CLONES static void pack_block(const hy_direct *d, int64_t B, bool data, int64_t o, const float *w, float *packed)
{
	const int64_t plane = d->in_c * d->group * B, apart = data ? 9 : d->in_c * 9;
	float *to = packed + (o / d->group * planes(d) * d->in_c * d->group + o % d->group) * B;
	for (int64_t i = 0; i < d->in_c; i++, to += d->group * B) {
		const float *from = w + (data ? i * d->out_c + o * B : o * B * d->in_c + i) * 9;
		if (B == 8 && d->tile == 4)
			pack_planes(4, 8, from, apart, data, to, plane);
		else if (B == 8)
			pack_planes(2, 8, from, apart, data, to, plane);
		else if (d->tile == 4)
			pack_planes(4, 16, from, apart, data, to, plane);
		else
			pack_planes(2, 16, from, apart, data, to, plane);
	}
}

/* The place of the weights of input channel i and output block o for tap t: B values, for bfloat16 every second of 2 B. */
static int64_t place(const hy_direct *d, const hy_phase *f, int64_t B, bool pairs, int64_t o, int64_t i, int t)
{
	const int64_t G = d->group, R = f->run, j = i % B;
	const int64_t line = (o / G * (d->in_c / B) + i / B) * f->n_taps;
	const int64_t vector = ((pairs ? j / 2 : j) * R + t % R) * G + o % G;
	return (int64_t)f->packed + (line + t / R * R) * B * G * B + (pairs ? vector * B * 2 + j % 2 : vector * B);
}

/*
 * [phase][group of output blocks][input block][run][B of input][tap of the run][group][B of output]; bfloat16: pairs of input channels
 * innermost. Transformed: [group of output blocks][plane][input][group][B of output].
 */
static void pack(const hy_conv *c, const float *w, float *packed)
{
	const hy_direct *d = c->state;
	const int64_t B = c->kernels->block;
	const int taps = c->shape.k * c->shape.k;
	const bool data = c->role == HY_CONV_DATA, pairs = c->kernels->element == 2;
#pragma omp parallel for schedule(static) num_threads(d->threads)
	for (int64_t o = 0; o < d->out_c / B; o++) {
		if (d->tile) {
			pack_block(d, B, data, o, w, packed);
			continue;
		}
		for (int64_t i = 0; i < d->in_c; i++) {
			lane g[HY_MAX_TAPS];
			for (int64_t b = 0; b < B; b++) {
				const float *from = w + (data ? i * d->out_c + o * B + b : (o * B + b) * d->in_c + i) * taps;
				for (int t = 0; t < taps; t++)
					g[t][b] = from[t];
			}
			for (int f = 0; f < d->n_phases; f++)
				for (int t = 0; t < d->phase[f].n_taps; t++) {
					const float *from = g[d->phase[f].weight[t]];
					const int64_t at = place(d, &d->phase[f], B, pairs, o, i, t);
					if (!pairs) {
						memcpy(packed + at, from, (size_t)B * sizeof *packed);
						continue;
					}
					uint16_t *to = (uint16_t *)(void *)packed + at;
					for (int64_t b = 0; b < B; b++)
						to[2 * b] = bfloat16(from[b]);
				}
		}
	}
}

static hardy_status run_forward(const hy_conv *c, const hy_fused *f, const hy_blocked *x, const float *bias,
                                const float *packed, hy_blocked *y, float *work, hardy_error *err)
{
	(void)err;
	c->kernels->direct_forward(c->state, f, x, packed, c->bias ? bias : NULL, c->accumulate, y, work);
	return HARDY_OK;
}

static hardy_status run_weights(const hy_conv *c, const hy_fused *f, const hy_blocked *x, const hy_blocked *dy, float *dw,
                                float *db, float *work, hardy_error *err)
{
	(void)err;
	c->kernels->direct_weights(c->state, f, x, dy, dw, work);
	hy_conv_bias_gradient(c, dy, db, work);
	return HARDY_OK;
}

bool hy_conv_direct_fits(const hy_kernels *k, const hy_conv_shape *s)
{
	if (s->doubled && (!hy_conv_tile(k, s) || s->doubled % k->block || s->doubled >= s->ic))
		return false;
	return k->direct_forward && s->k <= 4 && (s->stride == 1 || (s->stride == 2 && s->ih % 2 == 0 && s->iw % 2 == 0)) &&
	       s->ic % k->block == 0 && s->oc % k->block == 0;
}

int hy_conv_tile(const hy_kernels *k, const hy_conv_shape *s)
{
	if (k->element != sizeof(float) || s->k != 3 || s->stride != 1 || s->pad != 1 || s->oh % 2 || s->ow % 2)
		return 0;
	if (s->oh % 4 == 0 && s->ow % 4 == 0)
		return 4;
	/* Between 16 channels and 16, memory is the bound with the widest vectors, and these transforms gain nothing. */
	return k->block == 16 && s->ic * s->oc <= 16 * 16 ? 0 : 2;
}

int64_t hy_conv_jobs(const hy_conv *c)
{
	const hy_direct *d = c->state;
	return c->fuses ? d->n * d->chunks : 0;
}

hardy_status hy_conv_make_direct(hy_conv *c, int tile, hardy_error *err)
{
	hy_direct *d = hy_calloc(1, sizeof *d);
	if (!d)
		return hy_fail_memory(err, "a convolution", 1, sizeof *d);
	const hy_conv_shape *s = &c->shape;
	plan(d, s, c->role, tile, c->kernels);
	c->state = d;
	c->free_state = hy_free;
	c->fuses = true;
	c->reads_fused = d->padded;
	if (c->role == HY_CONV_WEIGHTS) {
		d->gradient_floats = ((size_t)(s->ic * s->oc) * (size_t)planes(d) + 15) / 16 * 16;
		const size_t bias = (size_t)(2 * s->n * s->oc),
		             sums = (size_t)d->threads * (d->ring_floats + d->pair_floats + d->transform_floats + d->gradient_floats);
		c->run_weights = run_weights;
		c->work_floats = bias > sums ? bias : sums;
	} else {
		c->run = run_forward;
		c->pack = pack;
		c->packed_floats = (size_t)(s->ic * s->oc) * (size_t)planes(d);
		c->work_floats = (size_t)d->threads * (d->ring_floats + d->transform_floats);
	}
	return HARDY_OK;
}
