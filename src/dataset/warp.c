/*
 * warp.c: draws and the one resampling of strong geometry.
 */
#include "dataset/warp.h"

#include "image/resample.h"

#include <math.h>

void hy_warp_options_init(hy_warp_options *o)
{
	*o = (hy_warp_options){
	    .rotation_deg = 180,
	    .mirror = 0.5,
	    .zoom_low = 0.7,
	    .zoom_high = 1.4,
	    .aspect = 0.1,
	    .shift = 0.1,
	    .elastic = 0.5,
	    .elastic_sd = 0.02,
	};
}

hardy_status hy_warp_options_check(const hy_warp_options *o, hardy_error *err)
{
	const struct {
		const char *name;
		double low, high, least, most;
	} ranges[] = {
	    {"rotation", o->rotation_deg, o->rotation_deg, 0, 180},
	    {"mirror", o->mirror, o->mirror, 0, 1},
	    {"zoom", o->zoom_low, o->zoom_high, 0.1, 10},
	    {"aspect", o->aspect, o->aspect, 0, 0.9},
	    {"shift", o->shift, o->shift, 0, 1},
	    {"elastic", o->elastic, o->elastic, 0, 1},
	    {"elastic displacement", o->elastic_sd, o->elastic_sd, 0, 0.5},
	};
	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
		if (!(ranges[i].low >= ranges[i].least && ranges[i].low <= ranges[i].high && ranges[i].high <= ranges[i].most))
			return hy_fail(err, HARDY_ERROR_ARGUMENT, "geometry: %s is %g to %g, want a range within %g to %g", ranges[i].name,
			               ranges[i].low, ranges[i].high, ranges[i].least, ranges[i].most);
	return HARDY_OK;
}

hy_warp_draw hy_warp_draw_make(const hy_warp_options *o, hy_rng *g)
{
	hy_warp_draw d;
	const double angle = hy_rng_between(g, -o->rotation_deg, o->rotation_deg) * 3.14159265358979323846 / 180;
	const double across = 1 / hy_rng_between(g, o->zoom_low, o->zoom_high);
	const double down = across * hy_rng_between(g, 1 - o->aspect, 1 + o->aspect);
	const double side = hy_rng_uniform(g) < o->mirror ? -1 : 1;
	const double c = cos(angle), s = sin(angle);
	d.map[0][0] = down * c;
	d.map[0][1] = side * down * s;
	d.map[0][2] = hy_rng_between(g, -o->shift, o->shift);
	d.map[1][0] = -across * s;
	d.map[1][1] = side * across * c;
	d.map[1][2] = hy_rng_between(g, -o->shift, o->shift);
	d.elastic = hy_rng_uniform(g) < o->elastic;
	for (int a = 0; a < 2; a++)
		for (int i = 0; i < HY_WARP_NODES; i++)
			for (int k = 0; k < HY_WARP_NODES; k++)
				d.node[a][i][k] = (float)(o->elastic_sd * hy_rng_normal(g));
	return d;
}

/* Weights of all nodes at t in [0, 1] along a side: cubic convolution (Keys, IEEE TASSP 29, 1153, 1981), a = -1/2, end nodes repeated. */
static void weigh_nodes(double t, float weight[HY_WARP_NODES])
{
	const double at = t * (HY_WARP_NODES - 1), low = fmin(floor(at), HY_WARP_NODES - 2), f = at - low;
	const double w[4] = {-0.5 * f + f * f - 0.5 * f * f * f, 1 - 2.5 * f * f + 1.5 * f * f * f,
	                     0.5 * f + 2 * f * f - 1.5 * f * f * f, -0.5 * f * f + 0.5 * f * f * f};
	for (int i = 0; i < HY_WARP_NODES; i++)
		weight[i] = 0;
	for (int k = 0; k < 4; k++) {
		int i = (int)low + k - 1;
		i = i < 0 ? 0 : i > HY_WARP_NODES - 1 ? HY_WARP_NODES - 1 : i;
		weight[i] += (float)w[k];
	}
}

/* Where a row of the grid lies in the slice: rows and columns of its pixels. */
static void place_row(const hy_warp_draw *d, int64_t row, int64_t size, double centre_row, double centre_col,
                      const float (*weight)[HY_WARP_NODES], float *to_row, float *to_col)
{
	const double half = 0.5 * (double)size, y = ((double)row + 0.5) / half - 1;
	float blend[2][HY_WARP_NODES] = {{0}};
	for (int a = 0; a < 2 && d->elastic; a++)
		for (int k = 0; k < HY_WARP_NODES; k++)
			for (int i = 0; i < HY_WARP_NODES; i++)
				blend[a][k] += weight[row][i] * d->node[a][i][k];
	for (int64_t col = 0; col < size; col++) {
		const double x = ((double)col + 0.5) / half - 1;
		float e[2] = {0, 0};
		for (int k = 0; k < HY_WARP_NODES; k++) {
			e[0] += weight[col][k] * blend[0][k];
			e[1] += weight[col][k] * blend[1][k];
		}
		to_row[col] = (float)(centre_row + half * (d->map[0][0] * y + d->map[0][1] * x + d->map[0][2] + (double)e[0]));
		to_col[col] = (float)(centre_col + half * (d->map[1][0] * y + d->map[1][1] * x + d->map[1][2] + (double)e[1]));
	}
}

/* A pixel, or 0 outside. */
static inline float at(const float *image, int64_t h, int64_t w, int64_t row, int64_t col)
{
	return row < 0 || row >= h || col < 0 || col >= w ? 0 : image[row * w + col];
}

static float sample(const float *image, int64_t h, int64_t w, float row, float col)
{
	const float fr = floorf(row), fc = floorf(col), a = row - fr, b = col - fc;
	const int64_t r = (int64_t)fr, c = (int64_t)fc;
	if (r >= 0 && r + 1 < h && c >= 0 && c + 1 < w) {
		const float *p = image + r * w + c;
		return (1 - a) * ((1 - b) * p[0] + b * p[1]) + a * ((1 - b) * p[w] + b * p[w + 1]);
	}
	if (!(row > -1 && row < (float)h && col > -1 && col < (float)w))
		return 0;
	return (1 - a) * ((1 - b) * at(image, h, w, r, c) + b * at(image, h, w, r, c + 1)) +
	       a * ((1 - b) * at(image, h, w, r + 1, c) + b * at(image, h, w, r + 1, c + 1));
}

void hy_warp_apply(const hy_warp_draw *d, const float *image, const uint8_t *label, int64_t channels, int64_t h, int64_t w,
                   int64_t size, float *out_image, uint8_t *out_label)
{
	float weight[HY_WARP_MOST][HY_WARP_NODES], row[HY_WARP_MOST], col[HY_WARP_MOST];
	const double centre_row = (double)hy_window_offset(h, size) + 0.5 * (double)(size - 1);
	const double centre_col = (double)hy_window_offset(w, size) + 0.5 * (double)(size - 1);
	for (int64_t i = 0; i < size; i++)
		weigh_nodes(((double)i + 0.5) / (double)size, weight[i]);
	for (int64_t r = 0; r < size; r++) {
		place_row(d, r, size, centre_row, centre_col, weight, row, col);
		for (int64_t c = 0; c < channels; c++)
			for (int64_t i = 0; i < size; i++)
				out_image[(c * size + r) * size + i] = sample(image + c * h * w, h, w, row[i], col[i]);
		for (int64_t i = 0; i < size; i++) {
			const float y = rintf(row[i]), x = rintf(col[i]);
			const bool inside = y >= 0 && y < (float)h && x >= 0 && x < (float)w;
			out_label[r * size + i] = inside ? label[(int64_t)y * w + (int64_t)x] : 0;
		}
	}
}
