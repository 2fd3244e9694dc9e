/*
 * data.c: preprocessing and classic augmentation against values recorded from SimpleITK, SciPy and torchsample.
 *
 * Each case says what was done (op), with which parameters, and how close a result must come (tolerance).
 */
#include "base/memory.h"
#include "dataset/augment.h"
#include "dataset/preprocess.h"
#include "image/affine.h"
#include "image/elastic.h"
#include "image/intensity.h"
#include "image/nifti.h"
#include "image/resample.h"
#include "support/golden.h"
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static golden set;

/* ---- what a case says --------------------------------------------------------------------------------------------------- */

/* The number behind "abs" in the part of the tolerance that names what ("" for the first part); exact is 0. */
static double tolerance(const cJSON *c, const char *what)
{
	const char *text = golden_string(c, "tolerance"), *part = strstr(text, what);
	if (!part)
		fail_msg("%s: tolerance '%s' says nothing of '%s'", golden_string(c, "name"), text, what);
	const char *absolute = strstr(part, "abs "), *end = strchr(part, ';'), *exact = strstr(part, "exact");
	if (absolute && (!end || absolute < end))
		return strtod(absolute + 4, NULL);
	if (!exact || (end && exact > end))
		fail_msg("%s: tolerance '%s' gives no number for '%s'", golden_string(c, "name"), text, what);
	return 0;
}

/* The share of labels that may differ: the percentage behind "<=", or none. */
static double label_tolerance(const cJSON *c)
{
	const char *part = strstr(golden_string(c, "tolerance"), "label"), *share = part ? strstr(part, "<=") : NULL;
	return share ? strtod(share + 2, NULL) / 100 : 0;
}

static const cJSON *case_named(const char *name, size_t length)
{
	const cJSON *c;
	cJSON_ArrayForEach(c, golden_member(set.manifest, "cases"))
	{
		const char *n = golden_string(c, "name");
		if (strlen(n) == length && !strncmp(n, name, length))
			return c;
	}
	fail_msg("no case %.*s", (int)length, name);
	return NULL;
}

/* ---- comparing ---------------------------------------------------------------------------------------------------------- */

static void near_enough(const cJSON *c, const char *what, const float *got, const npy *want, double limit)
{
	double worst = 0;
	size_t at = 0;
	for (size_t i = 0; i < want->n; i++) {
		const double d = fabs((double)got[i] - npy_at(want, i));
		if (!(d <= worst)) {
			worst = d;
			at = i;
		}
	}
	if (!(worst <= limit))
		fail_msg("%s: %s differs by %g at %zu (%g, want %g), at most %g", golden_string(c, "name"), what, worst, at,
		         (double)got[at], npy_at(want, at), limit);
}

static void same_labels(const cJSON *c, const uint8_t *got, const npy *want, double share)
{
	size_t different = 0;
	for (size_t i = 0; i < want->n; i++)
		different += got[i] != (uint8_t)npy_at(want, i);
	if ((double)different > share * (double)want->n)
		fail_msg("%s: %zu of %zu labels differ, at most %g %%", golden_string(c, "name"), different, want->n, 100 * share);
}

static void want_shape(const cJSON *c, const npy *a, int n_dims, int64_t n, int64_t h, int64_t w)
{
	const int64_t *s = a->shape + a->n_dims - 2;
	if (a->n_dims != n_dims || s[0] != h || s[1] != w || (n_dims == 3 && a->shape[0] != n))
		fail_msg("%s: recorded array ends in %lld x %lld, ours is %lld x %lld", golden_string(c, "name"), (long long)s[0],
		         (long long)s[1], (long long)h, (long long)w);
}

static float *floats(const npy *a)
{
	float *x = npy_floats(a);
	assert_non_null(x);
	return x;
}

static uint8_t *bytes(const npy *a)
{
	uint8_t *x = npy_bytes(a);
	assert_non_null(x);
	return x;
}

static void *room(size_t n, size_t size)
{
	void *p = hy_calloc(n, size);
	assert_non_null(p);
	return p;
}

/* ---- resampling and intensity ------------------------------------------------------------------------------------------- */

static void axes_of(const cJSON *c, const npy *a, hy_resample_axis *y, hy_resample_axis *x)
{
	double spacing[3], wanted[3];
	hardy_error err;
	golden_numbers(c, "spacing_xyz", spacing, 3);
	golden_numbers(c, "new_spacing_xyz", wanted, 3);
	assert_ok(hy_resample_axes(a->shape[1], a->shape[2], spacing[1], spacing[0], wanted[1], wanted[0], y, x, &err), &err);
}

/* in resampled as case c says, newly allocated. */
static float *resampled(const cJSON *c, const npy *in, const float *values, hy_resample_axis *y, hy_resample_axis *x)
{
	hardy_error err;
	axes_of(c, in, y, x);
	float *out = room((size_t)(in->shape[0] * y->n_out * x->n_out), sizeof *out);
	assert_ok(
	    hy_resample_linear(values, y->n_in * x->n_in, *y, *x, in->shape[0], HY_BEYOND_ZERO, out, y->n_out * x->n_out, &err),
	    &err);
	return out;
}

static void check_resample(const cJSON *c)
{
	npy image = golden_member_array(&set, c, "image"), label = golden_member_array(&set, c, "label");
	npy want = golden_member_array(&set, c, "expected_image"), want_label = golden_member_array(&set, c, "expected_label");
	hy_resample_axis y, x;
	hardy_error err;
	float *in = floats(&image), *out = resampled(c, &image, in, &y, &x);
	uint8_t *labels = bytes(&label), *out_labels = room(want_label.n, 1);
	double shape[3];
	golden_numbers(c, "out_shape_zyx", shape, 3);
	assert_int_equal(y.n_out, (int64_t)shape[1]);
	assert_int_equal(x.n_out, (int64_t)shape[2]);
	want_shape(c, &want, 3, image.shape[0], y.n_out, x.n_out);
	want_shape(c, &want_label, 3, image.shape[0], y.n_out, x.n_out);
	assert_ok(
	    hy_resample_nearest(labels, y.n_in * x.n_in, y, x, image.shape[0], HY_BEYOND_ZERO, out_labels, y.n_out * x.n_out, &err),
	    &err);
	near_enough(c, "image", out, &want, tolerance(c, "image"));
	same_labels(c, out_labels, &want_label, label_tolerance(c));
	hy_free(in);
	hy_free(out);
	hy_free(labels);
	hy_free(out_labels);
	npy_clear(&image);
	npy_clear(&label);
	npy_clear(&want);
	npy_clear(&want_label);
}

static void normalise(float *x, size_t n, double *low, double *high)
{
	hardy_error err;
	const double percent[2] = {2, 98};
	double at[2];
	assert_ok(hy_percentiles(x, (int64_t)n, percent, 2, at, &err), &err);
	hy_clip_scale(x, (int64_t)n, at[0], at[1]);
	*low = at[0];
	*high = at[1];
}

static void check_normalise(const cJSON *c)
{
	npy in = golden_member_array(&set, c, "input"), want = golden_member_array(&set, c, "expected");
	float *x = floats(&in);
	double low, high;
	normalise(x, in.n, &low, &high);
	assert_true(fabs(low - golden_number(c, "p2")) < 1e-6 * fabs(low) + 1e-6);
	assert_true(fabs(high - golden_number(c, "p98")) < 1e-6 * fabs(high) + 1e-6);
	near_enough(c, "image", x, &want, tolerance(c, ""));
	hy_free(x);
	npy_clear(&in);
	npy_clear(&want);
}

/* The resampling that goes with an order case: "(spacing of NAME)" in its op, else that of the recorded shape. */
static const cJSON *spacing_case(const cJSON *c, const npy *want)
{
	const char *of = strstr(golden_string(c, "op"), "spacing of ");
	if (of)
		return case_named(of + 11, strcspn(of + 11, ") "));
	const cJSON *r;
	cJSON_ArrayForEach(r, golden_member(set.manifest, "cases"))
	{
		double shape[3];
		if (strncmp(golden_string(r, "op"), "in-plane resample", 17) != 0)
			continue;
		golden_numbers(r, "out_shape_zyx", shape, 3);
		if ((int64_t)shape[1] == want->shape[1] && (int64_t)shape[2] == want->shape[2])
			return r;
	}
	fail_msg("%s: no resampling of its shape", golden_string(c, "name"));
	return NULL;
}

static void check_order(const cJSON *c, bool normalise_first)
{
	npy in = golden_member_array(&set, c, "input"), want = golden_member_array(&set, c, "expected");
	hy_resample_axis y, x;
	float *values = floats(&in);
	double low, high;
	if (normalise_first)
		normalise(values, in.n, &low, &high);
	float *out = resampled(spacing_case(c, &want), &in, values, &y, &x);
	want_shape(c, &want, 3, in.shape[0], y.n_out, x.n_out);
	if (!normalise_first)
		normalise(out, want.n, &low, &high);
	near_enough(c, "image", out, &want, tolerance(c, ""));
	hy_free(values);
	hy_free(out);
	npy_clear(&in);
	npy_clear(&want);
}

static void check_order_a(const cJSON *c)
{
	check_order(c, true);
}

static void check_order_b(const cJSON *c)
{
	check_order(c, false);
}

static void check_crop_or_pad(const cJSON *c)
{
	npy in = golden_member_array(&set, c, "input"), label = golden_member_array(&set, c, "label");
	npy want = golden_member_array(&set, c, "expected_image"), want_label = golden_member_array(&set, c, "expected_label");
	npy want_scaled = golden_member_array(&set, c, "expected_minmax"),
	    want_back = golden_member_array(&set, c, "expected_recovered");
	double size[2], canvas[2];
	golden_numbers(c, "size_hw", size, 2);
	golden_numbers(c, "canvas_hw", canvas, 2);
	const int64_t h = in.shape[1], w = in.shape[2], th = (int64_t)size[0], tw = (int64_t)size[1];
	const int64_t ch = h > th ? h : th, cw = w > tw ? w : tw;
	assert_int_equal(ch, (int64_t)canvas[0]);
	assert_int_equal(cw, (int64_t)canvas[1]);
	want_shape(c, &want, 3, in.shape[0], th, tw);
	want_shape(c, &want_back, 3, in.shape[0], ch, cw);
	const int64_t oy = hy_window_offset(h, th), ox = hy_window_offset(w, tw);
	assert_int_equal(oy > 0 ? oy : 0, (int64_t)golden_number(c, "h_s"));
	assert_int_equal(ox > 0 ? ox : 0, (int64_t)golden_number(c, "w_s"));
	float *image = floats(&in), *out = room(want.n, sizeof *out), *back = room(want_back.n, sizeof *back);
	uint8_t *labels = bytes(&label), *out_labels = room(want_label.n, 1);
	for (int64_t z = 0; z < in.shape[0]; z++) {
		hy_window_f32(image + z * h * w, h, w, oy, ox, 0, out + z * th * tw, th, tw);
		hy_window_u8(labels + z * h * w, h, w, oy, ox, 0, out_labels + z * th * tw, th, tw);
	}
	near_enough(c, "crop", out, &want, tolerance(c, "crop"));
	same_labels(c, out_labels, &want_label, 0);
	for (int64_t z = 0; z < in.shape[0]; z++) {
		float *slice = out + z * th * tw;
		hy_window_f32(slice, th, tw, -(oy > 0 ? oy : 0), -(ox > 0 ? ox : 0), 0, back + z * ch * cw, ch, cw);
		hy_minmax_test(slice, th * tw);
	}
	near_enough(c, "min-max", out, &want_scaled, tolerance(c, "minmax"));
	near_enough(c, "recovered", back, &want_back, tolerance(c, "crop"));
	hy_free(image);
	hy_free(out);
	hy_free(back);
	hy_free(labels);
	hy_free(out_labels);
	npy_clear(&in);
	npy_clear(&label);
	npy_clear(&want);
	npy_clear(&want_label);
	npy_clear(&want_scaled);
	npy_clear(&want_back);
}

/* ---- augmentation, stage by stage --------------------------------------------------------------------------------------- */

/* "NAME slice K": the array, and slice K of it. */
static npy slice_of(const cJSON *c, const char *key, size_t *offset, int64_t *h, int64_t *w)
{
	const char *text = golden_string(c, key), *slice = strstr(text, " slice ");
	char name[128];
	if (!slice || slice - text >= (int)sizeof name)
		fail_msg("%s: %s is '%s', want NAME slice K", golden_string(c, "name"), key, text);
	memcpy(name, text, (size_t)(slice - text));
	name[slice - text] = 0;
	npy a = golden_array(&set, name);
	const int64_t k = strtol(slice + 7, NULL, 10);
	assert_true(a.n_dims == 3 && k >= 0 && k < a.shape[0]);
	*h = a.shape[1];
	*w = a.shape[2];
	*offset = (size_t)(k * *h * *w);
	return a;
}

static bool is_near(const float *got, const npy *want, double limit)
{
	for (size_t i = 0; i < want->n; i++)
		if (!(fabs((double)got[i] - npy_at(want, i)) <= limit))
			return false;
	return true;
}

/*
 * The published pipeline scales between the percentiles 0 and 100, and so the cases say. Those recorded with the defaults of
 * the class it calls, 1 and 95, clip the same way between other values: a recording must fit one of the two.
 */
static void check_train_scale(const cJSON *c, const float *cropped, int64_t n, const npy *want)
{
	static const double percent[2] = {1, 95};
	double at[2];
	hardy_error err;
	float *x = room((size_t)n, sizeof *x);
	memcpy(x, cropped, (size_t)n * sizeof *x);
	hy_minmax_train(x, n);
	if (!is_near(x, want, tolerance(c, "norm"))) {
		memcpy(x, cropped, (size_t)n * sizeof *x);
		assert_ok(hy_percentiles(x, n, percent, 2, at, &err), &err);
		hy_scale_between(x, n, at[0], at[1]);
		near_enough(c, "min-max", x, want, tolerance(c, "norm"));
	}
	hy_free(x);
}

static void check_train_pad(const cJSON *c)
{
	size_t offset = 0;
	int64_t h = 0, w = 0;
	double pad[2], crop[2];
	npy in = slice_of(c, "input", &offset, &h, &w), label = slice_of(c, "label", &offset, &h, &w);
	npy want_pad = golden_member_array(&set, c, "expected_pad"), want_crop = golden_member_array(&set, c, "expected_crop");
	npy want_label = golden_member_array(&set, c, "expected_croplab"),
	    want_scaled = golden_member_array(&set, c, "expected_norm");
	golden_numbers(c, "pad_hw", pad, 2);
	golden_numbers(c, "crop_hw", crop, 2);
	const int64_t th = (int64_t)pad[0], tw = (int64_t)pad[1], ch = (int64_t)crop[0], cw = (int64_t)crop[1];
	const int64_t ph = h > th ? h : th, pw = w > tw ? w : tw;
	want_shape(c, &want_pad, 2, 1, ph, pw);
	want_shape(c, &want_crop, 2, 1, ch, cw);
	float *image = floats(&in), *padded = room((size_t)(ph * pw), sizeof *padded),
	      *cropped = room(want_crop.n, sizeof *cropped);
	uint8_t *labels = bytes(&label), *padded_labels = room((size_t)(ph * pw), 1), *cropped_labels = room(want_label.n, 1);
	const int64_t oy = hy_augment_crop_start(ph, ch), ox = hy_augment_crop_start(pw, cw);
	hy_pad_minimum_f32(image + offset, h, w, th, tw, padded);
	near_enough(c, "pad", padded, &want_pad, tolerance(c, "pad"));
	hy_window_f32(padded, ph, pw, oy, ox, -1, cropped, ch, cw);
	near_enough(c, "crop", cropped, &want_crop, tolerance(c, "crop"));
	hy_pad_minimum_u8(labels + offset, h, w, th, tw, padded_labels);
	hy_window_u8(padded_labels, ph, pw, oy, ox, 99, cropped_labels, ch, cw);
	same_labels(c, cropped_labels, &want_label, 0);
	check_train_scale(c, cropped, ch * cw, &want_scaled);
	hy_free(image);
	hy_free(padded);
	hy_free(cropped);
	hy_free(labels);
	hy_free(padded_labels);
	hy_free(cropped_labels);
	npy_clear(&in);
	npy_clear(&label);
	npy_clear(&want_pad);
	npy_clear(&want_crop);
	npy_clear(&want_label);
	npy_clear(&want_scaled);
}

/* The slice of member input, and its size. */
static float *slice(const cJSON *c, int64_t *h, int64_t *w)
{
	npy in = golden_member_array(&set, c, "input");
	assert_int_equal(in.n_dims, 2);
	*h = in.shape[0];
	*w = in.shape[1];
	float *x = floats(&in);
	npy_clear(&in);
	return x;
}

static void check_flip(const cJSON *c)
{
	int64_t h, w;
	float *x = slice(c, &h, &w);
	npy want = golden_member_array(&set, c, "expected");
	const char *which = strrchr(golden_string(c, "name"), '_');
	assert_non_null(which);
	want_shape(c, &want, 2, 1, h, w);
	hy_flip_f32(x, h, w, strchr(which, 'h'), strchr(which, 'v'));
	near_enough(c, "image", x, &want, tolerance(c, ""));
	hy_free(x);
	npy_clear(&want);
}

static void check_brightness(const cJSON *c)
{
	int64_t h, w;
	float *x = slice(c, &h, &w);
	npy want = golden_member_array(&set, c, "expected");
	want_shape(c, &want, 2, 1, h, w);
	hy_augment_brightness(x, h * w, golden_number(c, "scale"), golden_number(c, "brightness"));
	near_enough(c, "image", x, &want, tolerance(c, ""));
	hy_free(x);
	npy_clear(&want);
}

/* The image, and the label if the case has one, through a map. */
static void check_map(const cJSON *c, const hy_affine *map)
{
	int64_t h, w;
	float *x = slice(c, &h, &w), *out = room((size_t)(h * w), sizeof *out);
	const bool labelled = cJSON_HasObjectItem(c, "label");
	npy want = golden_member_array(&set, c, labelled ? "expected_image" : "expected");
	want_shape(c, &want, 2, 1, h, w);
	hy_affine_image(x, h, w, map, out);
	near_enough(c, "image", out, &want, tolerance(c, labelled ? "image" : ""));
	if (labelled) {
		npy label = golden_member_array(&set, c, "label"), want_label = golden_member_array(&set, c, "expected_label");
		uint8_t *in = bytes(&label), *got = room(want_label.n, 1);
		want_shape(c, &want_label, 2, 1, h, w);
		hy_affine_label(in, h, w, map, got);
		same_labels(c, got, &want_label, label_tolerance(c));
		hy_free(in);
		hy_free(got);
		npy_clear(&label);
		npy_clear(&want_label);
	}
	hy_free(x);
	hy_free(out);
	npy_clear(&want);
}

static void shape_of(const cJSON *c, int64_t *h, int64_t *w)
{
	npy in = golden_member_array(&set, c, "input");
	assert_int_equal(in.n_dims, 2);
	*h = in.shape[0];
	*w = in.shape[1];
	npy_clear(&in);
}

static void check_affine(const cJSON *c)
{
	int64_t h, w;
	double shift[2], zoom[2];
	golden_numbers(c, "shift_frac_row_col", shift, 2);
	golden_numbers(c, "zoom_row_col", zoom, 2);
	assert_true(golden_number(c, "shear") == 0);
	shape_of(c, &h, &w);
	const hy_affine a = hy_affine_make(golden_number(c, "rotation_deg"), shift[0], shift[1], zoom[0], zoom[1], h, w);
	const cJSON *matrix = golden_member(c, "matrix");
	for (int i = 0; i < 2; i++)
		for (int j = 0; j < 3; j++) {
			const double want = cJSON_GetArrayItem(cJSON_GetArrayItem(matrix, i), j)->valuedouble;
			assert_true(fabs((double)a.m[i][j] - want) < 2e-6 * (1 + fabs(want)));
		}
	check_map(c, &a);
}

static void check_rotation(const cJSON *c)
{
	int64_t h, w;
	shape_of(c, &h, &w);
	const hy_affine a = hy_affine_make(golden_number(c, "rotation_deg"), 0, 0, 1, 1, h, w);
	check_map(c, &a);
}

static void check_elastic(const cJSON *c)
{
	int64_t h, w;
	hardy_error err;
	float *x = slice(c, &h, &w), *out = room((size_t)(h * w), sizeof *out);
	npy uniform = golden_member_array(&set, c, "raw_uniform_dx_dy"), label = golden_member_array(&set, c, "label");
	npy want_shift = golden_member_array(&set, c, "displacement_dx_dy"), want = golden_member_array(&set, c, "expected_image"),
	    want_label = golden_member_array(&set, c, "expected_label");
	want_shape(c, &uniform, 3, 2, h, w);
	want_shape(c, &want_shift, 3, 2, h, w);
	want_shape(c, &want, 2, 1, h, w);
	want_shape(c, &want_label, 2, 1, h, w);
	hy_elastic *e = hy_elastic_new(h, w, &err);
	assert_non_null(e);
	const hy_window all = {0, 0, h, w}, part = {h / 5, w / 7, h / 2, w / 3};
	float *u = floats(&uniform), *d = room((size_t)(2 * h * w), sizeof *d);
	uint8_t *in_label = bytes(&label), *out_label = room((size_t)(h * w), 1);
	for (int i = 0; i < 2; i++)
		hy_elastic_field(e, u + i * h * w, h, w, golden_number(c, "alpha"), golden_number(c, "sigma"), all, d + i * h * w);
	near_enough(c, "displacement", d, &want_shift, tolerance(c, "displacement"));
	hy_elastic_image(e, x, h, w, d + h * w, d, all, out);
	near_enough(c, "image", out, &want, tolerance(c, "image"));
	hy_elastic_label(e, in_label, h, w, d + h * w, d, all, out_label);
	same_labels(c, out_label, &want_label, label_tolerance(c));

	/* a part of the slice alone is that part of the whole */
	const int64_t n = part.rows * part.cols;
	float *pd = room((size_t)(2 * n), sizeof *pd), *pout = room((size_t)n, sizeof *pout);
	uint8_t *plabel = room((size_t)n, 1);
	for (int i = 0; i < 2; i++)
		hy_elastic_field(e, u + i * h * w, h, w, golden_number(c, "alpha"), golden_number(c, "sigma"), part, pd + i * n);
	hy_elastic_image(e, x, h, w, pd + n, pd, part, pout);
	hy_elastic_label(e, in_label, h, w, pd + n, pd, part, plabel);
	for (int64_t i = 0; i < n; i++) {
		const int64_t at = (part.row + i / part.cols) * w + part.col + i % part.cols;
		assert_true(fabsf(pd[i] - d[at]) < 1e-5f && fabsf(pout[i] - out[at]) < 1e-5f);
		assert_int_equal(plabel[i], out_label[at]);
	}
	hy_elastic_free(e);
	void *owned[] = {x, out, u, d, in_label, out_label, pd, pout, plabel};
	for (size_t i = 0; i < sizeof owned / sizeof *owned; i++)
		hy_free(owned[i]);
	npy_clear(&uniform);
	npy_clear(&label);
	npy_clear(&want_shift);
	npy_clear(&want);
	npy_clear(&want_label);
}

/* Of another program's augmentation, which hardy does not have: its arrays count as read. */
static void pass_over(const cJSON *c)
{
	const cJSON *member;
	cJSON_ArrayForEach(member, c)
	{
		if (strncmp(member->string, "expected", 8) != 0)
			continue;
		npy a = golden_member_array(&set, c, member->string);
		npy_clear(&a);
	}
}

/* ---- all of them -------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *op; /* how the op begins */
	void (*check)(const cJSON *c);
} kinds[] = {
    {"in-plane resample", check_resample},
    {"volume 2-98 percentile", check_normalise},
    {"acdc_preprocess order", check_order_a},
    {"loader order", check_order_b},
    {"test-time crop_or_pad", check_crop_or_pad},
    {"train-time PadNumpy", check_train_pad},
    {"flip", check_flip},
    {"LSDA RandomAffine", check_affine},
    {"choice rotate", check_rotation},
    {"elastic", check_elastic},
    {"x*scale+brightness", check_brightness},
    {"MaxStyle-repo affine", pass_over},
    {"MaxStyle-repo choice rotate", pass_over},
};

enum { N_KINDS = sizeof kinds / sizeof *kinds };

static void recorded_cases(void **state)
{
	(void)state;
	int seen[N_KINDS] = {0};
	const cJSON *c;
	cJSON_ArrayForEach(c, golden_member(set.manifest, "cases"))
	{
		const char *op = golden_string(c, "op");
		int k = 0;
		while (k < N_KINDS && strncmp(op, kinds[k].op, strlen(kinds[k].op)) != 0)
			k++;
		if (k == N_KINDS)
			fail_msg("%s: op '%s' is unknown", golden_string(c, "name"), op);
		kinds[k].check(c);
		seen[k]++;
		set.n_checked += kinds[k].check != pass_over;
	}
	for (int k = 0; k < N_KINDS; k++)
		if (!seen[k])
			fail_msg("no case of '%s'", kinds[k].op);
}

/* ---- the same scans as files -------------------------------------------------------------------------------------------- */

/* The first case whose op begins with op and, unless of is NULL, speaks of it; or NULL. */
static const cJSON *case_of_op(const char *op, const char *of)
{
	const cJSON *c;
	cJSON_ArrayForEach(c, golden_member(set.manifest, "cases"))
	{
		const char *text = golden_string(c, "op");
		if (!strncmp(text, op, strlen(op)) && (!of || strstr(text, of)))
			return c;
	}
	return NULL;
}

/* The resampling case with the scan's spacing. */
static const cJSON *case_of_spacing(const double mm[3])
{
	const cJSON *c;
	cJSON_ArrayForEach(c, golden_member(set.manifest, "cases"))
	{
		double spacing[3];
		if (strncmp(golden_string(c, "op"), "in-plane resample", 17) != 0)
			continue;
		golden_numbers(c, "spacing_xyz", spacing, 3);
		if (fabs(spacing[0] - mm[0]) + fabs(spacing[1] - mm[1]) + fabs(spacing[2] - mm[2]) < 1e-5)
			return c;
	}
	fail_msg("no resampling of %g x %g x %g mm", mm[0], mm[1], mm[2]);
	return NULL;
}

/* Both orders of the whole path up to the training slices, where they are recorded for this spacing. */
static void check_slices(const cJSON *resample, const hy_volume *v, const hy_labels *l)
{
	double wanted[3];
	hardy_error err;
	hy_plan plan;
	hy_plan_init(&plan);
	golden_numbers(resample, "new_spacing_xyz", wanted, 3);
	plan.spacing_mm = wanted[0];
	for (int order = 0; order < 2; order++) {
		hy_slices s = {0};
		const char *name = golden_string(resample, "name");
		const cJSON *c = order ? case_of_op("loader order", NULL) : case_of_op("acdc_preprocess order", name);
		plan.normalise_first = !order;
		assert_ok(hy_preprocess_train(&plan, v, l, &s, &err), &err);
		npy labels = golden_member_array(&set, resample, "expected_label");
		want_shape(resample, &labels, 3, s.n, s.height, s.width);
		same_labels(resample, s.label, &labels, label_tolerance(resample));
		npy_clear(&labels);
		if (c) {
			npy want = golden_member_array(&set, c, "expected");
			if (spacing_case(c, &want) == resample)
				near_enough(c, "slices", s.image, &want, tolerance(c, ""));
			npy_clear(&want);
		}
		hy_slices_clear(&s);
	}
}

static void recorded_files(void **state)
{
	(void)state;
	npy voxels = golden_array(&set, "raw"), values = golden_array(&set, "label");
	const cJSON *entry;
	cJSON_ArrayForEach(entry, golden_member(set.manifest, "nifti"))
	{
		char name[128], pair[128];
		assert_true(cJSON_IsString(entry));
		assert_true(snprintf(name, sizeof name, "%.*s", (int)strcspn(entry->valuestring, " "), entry->valuestring) < 128);
		if (strncmp(name, "raw_", 4) != 0)
			continue;
		snprintf(pair, sizeof pair, "label_%.100s", name + 4);
		char *path = golden_path(&set, name), *label_path = golden_path(&set, pair);
		hy_volume v = {0};
		hy_labels l = {0};
		hardy_error err;
		int64_t counts[256];
		assert_ok(hy_nifti_read(path, NULL, &v, NULL, &err), &err);
		assert_ok(hy_nifti_read_labels(label_path, NULL, &l, counts, NULL, &err), &err);
		assert_true(v.nt == 1 && v.grid.nx == voxels.shape[2] && v.grid.ny == voxels.shape[1] && v.grid.nz == voxels.shape[0]);
		for (size_t i = 0; i < voxels.n; i++)
			assert_true((double)v.data[i] == npy_at(&voxels, i) && (double)l.data[i] == npy_at(&values, i));
		const cJSON *resample = case_of_spacing(v.grid.spacing_mm);
		for (int i = 0; i < 3; i++)
			assert_true(fabs(v.grid.affine[i][i] - (i < 2 ? -1 : 1) * v.grid.spacing_mm[i]) < 1e-6);
		check_slices(resample, &v, &l);
		hy_volume_clear(&v);
		hy_labels_clear(&l);
		hy_free(path);
		hy_free(label_path);
		set.n_checked++;
	}
	npy_clear(&voxels);
	npy_clear(&values);
}

/* A manifest from which cases were lost still lists their arrays. */
static void no_case_is_missing(void **state)
{
	(void)state;
	assert_true(golden_all_read(&set));
}

int main(void)
{
	golden_open(&set, "data");
	const struct CMUnitTest tests[] = {cmocka_unit_test(recorded_cases), cmocka_unit_test(recorded_files),
	                                   cmocka_unit_test(no_case_is_missing)};
	return golden_close(&set, cmocka_run_group_tests(tests, NULL, NULL));
}
