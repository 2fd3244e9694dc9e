/*
 * augment.c: draws of the published distributions, and the stages in their order.
 */
#include "dataset/augment.h"

#include "base/memory.h"
#include "image/affine.h"
#include "image/elastic.h"
#include "image/intensity.h"
#include "image/resample.h"

#include <math.h>
#include <string.h>

void hy_augment_options_init(hy_augment_options *o, int64_t size)
{
	*o = (hy_augment_options){
	    .size = size,
	    .flip_probability = 0.2,
	    .brightness_probability = 0.5,
	    .scale_low = 0.8,
	    .scale_high = 1.2,
	    .shift_low = -0.1,
	    .shift_high = 0.1,
	    .rotation_deg = 15,
	    .shift_fraction = 0.1,
	    .zoom_low = 0.8,
	    .zoom_high = 1.1,
	    .rotate_eighths = true,
	    .elastic_probability = 0.5,
	    .elastic_alpha_low = 1.5,
	    .elastic_alpha_high = 2,
	    .elastic_sigma_low = 0.1,
	    .elastic_sigma_high = 0.2,
	};
}

int64_t hy_augment_pad(const hy_augment_options *o)
{
	return o->pad > 0 ? o->pad : (int64_t)llround((double)o->size * 224 / 192);
}

hardy_status hy_augment_options_check(const hy_augment_options *o, hardy_error *err)
{
	if (o->size < 1 || o->size > HY_RESAMPLE_MAX)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "augmentation: size is %lld, want 1 to %d", (long long)o->size,
		               HY_RESAMPLE_MAX);
	if (hy_augment_pad(o) < o->size || hy_augment_pad(o) > HY_RESAMPLE_MAX)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "augmentation: pad is %lld, want %lld (the size) to %d", (long long)o->pad,
		               (long long)o->size, HY_RESAMPLE_MAX);
	const struct {
		const char *name;
		double low, high, least, most;
	} ranges[] = {
	    {"flip probability", o->flip_probability, o->flip_probability, 0, 1},
	    {"brightness probability", o->brightness_probability, o->brightness_probability, 0, 1},
	    {"elastic probability", o->elastic_probability, o->elastic_probability, 0, 1},
	    {"intensity scale", o->scale_low, o->scale_high, -1e3, 1e3},
	    {"intensity shift", o->shift_low, o->shift_high, -1e3, 1e3},
	    {"rotation", o->rotation_deg, o->rotation_deg, 0, 180},
	    {"shift", o->shift_fraction, o->shift_fraction, 0, 1},
	    {"zoom", o->zoom_low, o->zoom_high, 0.01, 100},
	    {"elastic alpha", o->elastic_alpha_low, o->elastic_alpha_high, 0, 100},
	    {"elastic sigma", o->elastic_sigma_low, o->elastic_sigma_high, 0.001, 10},
	};
	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
		if (!(ranges[i].low >= ranges[i].least && ranges[i].low <= ranges[i].high && ranges[i].high <= ranges[i].most))
			return hy_fail(err, HARDY_ERROR_ARGUMENT, "augmentation: %s is %g to %g, want a range within %g to %g",
			               ranges[i].name, ranges[i].low, ranges[i].high, ranges[i].least, ranges[i].most);
	return HARDY_OK;
}

hy_augment_draw hy_augment_draw_make(const hy_augment_options *o, hy_rng *g)
{
	hy_augment_draw d = {0};
	d.flip_horizontal = hy_rng_uniform(g) < o->flip_probability;
	d.flip_vertical = hy_rng_uniform(g) < o->flip_probability;
	d.brightness = hy_rng_uniform(g) < o->brightness_probability;
	d.scale = hy_rng_between(g, o->scale_low, o->scale_high);
	d.shift = hy_rng_between(g, o->shift_low, o->shift_high);
	d.rotation_deg = hy_rng_between(g, -o->rotation_deg, o->rotation_deg);
	d.shift_row = hy_rng_between(g, -o->shift_fraction, o->shift_fraction);
	d.shift_col = hy_rng_between(g, -o->shift_fraction, o->shift_fraction);
	d.zoom_row = hy_rng_between(g, o->zoom_low, o->zoom_high);
	d.zoom_col = hy_rng_between(g, o->zoom_low, o->zoom_high);
	const int eighths = (int)hy_rng_below(g, 8);
	d.eighths = o->rotate_eighths ? eighths : -1;
	d.elastic = hy_rng_uniform(g) < o->elastic_probability;
	d.alpha = hy_rng_between(g, o->elastic_alpha_low, o->elastic_alpha_high);
	d.sigma = hy_rng_between(g, o->elastic_sigma_low, o->elastic_sigma_high);
	d.field = *g;
	return d;
}

/* ---- stages ------------------------------------------------------------------------------------------------------------- */

void hy_augment_brightness(float *x, int64_t n, double scale, double shift)
{
	float min, max;
	hy_range(x, n, &min, &max);
	const float s = (float)scale, b = (float)shift;
	for (int64_t i = 0; i < n; i++) {
		const float v = s * x[i] + b;
		x[i] = v < min ? min : v > max ? max : v;
	}
}

int64_t hy_augment_crop_start(int64_t have, int64_t want)
{
	return (have - want + 1) / 2;
}

void hy_augment_plain(int64_t size, bool minmax, const float *image, const uint8_t *label, int64_t channels, int64_t h,
                      int64_t w, float *out_image, uint8_t *out_label)
{
	const int64_t oy = hy_window_offset(h, size), ox = hy_window_offset(w, size);
	for (int64_t c = 0; c < channels; c++) {
		float *to = out_image + c * size * size;
		hy_window_f32(image + c * h * w, h, w, oy, ox, 0, to, size, size);
		if (minmax)
			hy_minmax_test(to, size * size);
	}
	hy_window_u8(label, h, w, oy, ox, 0, out_label, size, size);
}

struct hy_augment {
	hy_augment_options options;
	int64_t max_h, max_w, channels; /* after padding */
	hy_elastic *elastic;            /* NULL when it is off */
	float *image[2];                /* channels x max_h x max_w */
	uint8_t *label[2];
	float *noise;    /* max_h x max_w */
	float *shift[2]; /* rows, columns: size x size */
};

hy_augment *hy_augment_new(const hy_augment_options *o, int64_t max_h, int64_t max_w, int64_t channels, hardy_error *err)
{
	if (hy_augment_options_check(o, err))
		return NULL;
	hy_augment *a = hy_calloc(1, sizeof *a);
	if (!a) {
		hy_fail_memory(err, "augmentation", 1, sizeof *a);
		return NULL;
	}
	const int64_t pad = hy_augment_pad(o);
	a->options = *o;
	a->max_h = max_h > pad ? max_h : pad;
	a->max_w = max_w > pad ? max_w : pad;
	a->channels = channels;
	const size_t n = (size_t)a->max_h * (size_t)a->max_w, crop = (size_t)o->size * (size_t)o->size;
	bool ok = true;
	for (int i = 0; i < 2; i++) {
		a->image[i] = hy_alloc_aligned((size_t)channels, n * sizeof *a->image[i]);
		a->label[i] = hy_alloc_aligned(n, 1);
		a->shift[i] = o->elastic_probability > 0 ? hy_alloc_aligned(crop, sizeof *a->shift[i]) : NULL;
		ok = ok && a->image[i] && a->label[i] && (a->shift[i] || o->elastic_probability <= 0);
	}
	if (ok && o->elastic_probability > 0) {
		a->noise = hy_alloc_aligned(n, sizeof *a->noise);
		a->elastic = hy_elastic_new(a->max_h, a->max_w, err);
		ok = a->noise && a->elastic;
	}
	if (!ok) {
		hy_augment_free(a);
		hy_fail_memory(err, "augmentation", (size_t)channels, n * sizeof(float));
		return NULL;
	}
	return a;
}

void hy_augment_free(hy_augment *a)
{
	if (!a)
		return;
	for (int i = 0; i < 2; i++) {
		hy_free_aligned(a->image[i]);
		hy_free_aligned(a->label[i]);
		hy_free_aligned(a->shift[i]);
	}
	hy_free_aligned(a->noise);
	hy_elastic_free(a->elastic);
	hy_free(a);
}

/* Both images and the label through an affine map, from buffer 0 to buffer 1, which then change places. */
static void warp(hy_augment *a, const hy_affine *map, int64_t h, int64_t w)
{
	for (int64_t c = 0; c < a->channels; c++)
		hy_affine_image(a->image[0] + c * h * w, h, w, map, a->image[1] + c * h * w);
	hy_affine_label(a->label[0], h, w, map, a->label[1]);
	float *image = a->image[0];
	uint8_t *label = a->label[0];
	a->image[0] = a->image[1];
	a->label[0] = a->label[1];
	a->image[1] = image;
	a->label[1] = label;
}

/* A field of uniform numbers in [-1, 1), smoothed: columns first, then rows, as the published code draws them. */
static void displace(hy_augment *a, const hy_augment_draw *d, int64_t h, int64_t w, hy_window window)
{
	hy_rng g = d->field;
	const double alpha = d->alpha * (double)h, sigma = d->sigma * (double)h * 0.75;
	for (int axis = 1; axis >= 0; axis--) {
		for (int64_t i = 0; i < h * w; i++)
			a->noise[i] = (float)(int32_t)hy_rng_u32(&g) * 0x1p-31f;
		hy_elastic_field(a->elastic, a->noise, h, w, alpha, sigma, window, a->shift[axis]);
	}
}

void hy_augment_apply(hy_augment *a, const hy_augment_draw *d, const float *image, const uint8_t *label, int64_t h, int64_t w,
                      float *out_image, uint8_t *out_label)
{
	const int64_t pad = hy_augment_pad(&a->options), size = a->options.size;
	const int64_t ph = h > pad ? h : pad, pw = w > pad ? w : pad, plane = ph * pw;
	for (int64_t c = 0; c < a->channels; c++) {
		float *x = a->image[0] + c * plane;
		hy_pad_minimum_f32(image + c * h * w, h, w, pad, pad, x);
		hy_flip_f32(x, ph, pw, d->flip_horizontal, d->flip_vertical);
		if (d->brightness)
			hy_augment_brightness(x, plane, d->scale, d->shift);
	}
	hy_pad_minimum_u8(label, h, w, pad, pad, a->label[0]);
	hy_flip_u8(a->label[0], ph, pw, d->flip_horizontal, d->flip_vertical);

	const hy_affine map = hy_affine_make(d->rotation_deg, d->shift_row, d->shift_col, d->zoom_row, d->zoom_col, ph, pw);
	warp(a, &map, ph, pw);
	if (d->eighths >= 0) {
		const hy_affine turn = hy_affine_make(45 * d->eighths, 0, 0, 1, 1, ph, pw);
		warp(a, &turn, ph, pw);
	}

	/* deforming computes just what the crop keeps */
	const hy_window crop = {hy_augment_crop_start(ph, size), hy_augment_crop_start(pw, size), size, size};
	if (d->elastic) {
		displace(a, d, ph, pw, crop);
		for (int64_t c = 0; c < a->channels; c++)
			hy_elastic_image(a->elastic, a->image[0] + c * plane, ph, pw, a->shift[0], a->shift[1], crop,
			                 out_image + c * size * size);
		hy_elastic_label(a->elastic, a->label[0], ph, pw, a->shift[0], a->shift[1], crop, out_label);
	} else {
		for (int64_t c = 0; c < a->channels; c++)
			hy_window_f32(a->image[0] + c * plane, ph, pw, crop.row, crop.col, 0, out_image + c * size * size, size, size);
		hy_window_u8(a->label[0], ph, pw, crop.row, crop.col, 0, out_label, size, size);
	}
	for (int64_t c = 0; c < a->channels; c++)
		hy_minmax_train(out_image + c * size * size, size * size);
}
