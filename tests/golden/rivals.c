/*
 * rivals.c: perturbations of images and features against values recorded from the published implementations (ops are the
 * manifest's). An adversarial iteration runs here with the recorded network, one 3 x 3 convolution, in double precision.
 */
#include "base/memory.h"
#include "perturb/adv_bias.h"
#include "perturb/adv_noise.h"
#include "perturb/consistency.h"
#include "perturb/maxstyle.h"
#include "perturb/randconv.h"
#include "perturb/rescale.h"
#include "perturb/rsc.h"
#include "perturb/windows.h"
#include "support/golden.h"
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static golden g;

/* ---- arrays and tolerances ---- */

typedef struct tensor {
	int64_t n, c, h, w, hw, count;
	float *v; /* owned */
} tensor;

static tensor load(const char *name)
{
	char first[128];
	snprintf(first, sizeof first, "%.*s", (int)strcspn(name, " "), name); /* a remark may follow */
	npy a = golden_array(&g, first);
	tensor t = {.n = a.shape[0], .c = 1, .h = 1, .w = 1, .count = (int64_t)a.n, .v = npy_floats(&a)};
	if (a.n_dims == 4) {
		t.c = a.shape[1];
		t.h = a.shape[2];
		t.w = a.shape[3];
	}
	t.hw = t.h * t.w;
	npy_clear(&a);
	assert_non_null(t.v);
	return t;
}

static tensor load_member(const cJSON *c, const char *key)
{
	return load(golden_string(c, key));
}

static float *room(int64_t n)
{
	float *p = hy_calloc((size_t)n, sizeof *p);
	assert_non_null(p);
	return p;
}

/* The number after `kind` in the part of the case's tolerance that names `what`, or in a part that begins with `kind`. */
static double tolerance(const cJSON *c, const char *what, const char *kind)
{
	const char *text = golden_string(c, "tolerance");
	for (const char *part = text; part; part = strchr(part, ';')) {
		part += strspn(part, "; ");
		char copy[128], *at;
		snprintf(copy, sizeof copy, "%.*s", (int)strcspn(part, ";("), part);
		at = strstr(copy, kind);
		if (!at || (!strstr(copy, what) && at != copy))
			continue;
		return strtod(at + strlen(kind) + strspn(at + strlen(kind), " >"), NULL);
	}
	fail_msg("%s: tolerance \"%s\" has no \"%s\" for %s", golden_string(c, "name"), text, kind, what);
	return 0;
}

static void close_to(const cJSON *c, const char *what, double got, double want, double limit)
{
	if (!(fabs(got - want) <= limit))
		fail_msg("%s: %s is %.9g, want %.9g within %.3g", golden_string(c, "name"), what, got, want, limit);
}

static void close_all(const cJSON *c, const char *name, const float *got, double absolute, double relative)
{
	tensor want = load(name);
	for (int64_t i = 0; i < want.count; i++)
		close_to(c, name, (double)got[i], (double)want.v[i], absolute + relative * fabs((double)want.v[i]));
	hy_free(want.v);
}

/* Euclidean distance relative to the length of the recorded array, and the cosine. */
static void compare(const char *name, const float *got, double *distance, double *cosine)
{
	tensor want = load(name);
	double dot = 0, a = 0, b = 0, d = 0;
	for (int64_t i = 0; i < want.count; i++) {
		const double x = (double)got[i], y = (double)want.v[i];
		dot += x * y;
		a += x * x;
		b += y * y;
		d += (x - y) * (x - y);
	}
	*distance = sqrt(d / b);
	*cosine = dot / sqrt(a * b);
	hy_free(want.v);
}

/* ---- images ---- */

static void windows(const cJSON *c)
{
	tensor x = load_member(c, "input"), noise = load_member(c, "noise");
	const bool outside = noise.count == x.count && noise.c * noise.hw > 1; /* else one list of blocks */
	const cJSON *samples = golden_member(c, "windows_row_col_height_width");
	float *blocks = noise.v;
	assert_int_equal(cJSON_GetArraySize(samples), x.n);
	for (int64_t i = 0; i < x.n; i++) {
		const cJSON *list = cJSON_GetArrayItem(samples, (int)i);
		const int n = cJSON_GetArraySize(list);
		hy_window w[HY_MAX_WINDOWS];
		assert_in_range(n, 0, HY_MAX_WINDOWS);
		for (int k = 0; k < n; k++) {
			int64_t v[4];
			for (int j = 0; j < 4; j++)
				v[j] = cJSON_GetArrayItem(cJSON_GetArrayItem(list, k), j)->valueint;
			w[k] = (hy_window){v[0], v[1], v[2], v[3]};
		}
		float *image = x.v + i * x.c * x.hw;
		if (outside) {
			hy_windows_out(w, n, image, x.c, x.h, x.w, noise.v + i * x.c * x.hw);
		} else {
			hy_windows_in(w, n, blocks, x.c, x.h, x.w, image);
			blocks += hy_windows_noise(w, n, x.c);
		}
	}
	close_all(c, golden_string(c, "expected"), outside ? noise.v : x.v, 0, 0);
	hy_free(x.v);
	hy_free(noise.v);
}

static void randconv(const cJSON *c)
{
	tensor x = load_member(c, "input"), kernel = load_member(c, "kernel");
	hy_randconv r = {.k = (int)kernel.h, .alpha = golden_number(c, "alpha")};
	const double limit = tolerance(c, "", "abs");
	float *out = room(x.count);
	assert_true((size_t)kernel.count <= sizeof r.kernel / sizeof *r.kernel);
	memcpy(r.kernel, kernel.v, (size_t)kernel.count * sizeof *r.kernel);
	hy_randconv_apply(&r, x.v, x.n, x.c, x.h, x.w, out);
	close_all(c, golden_string(c, "expected"), out, limit, 0);
	hy_rescale_unit(out, x.n * x.c, x.hw, out);
	close_all(c, golden_string(c, "expected_after_minmax"), out, limit, 0);
	hy_free(x.v);
	hy_free(kernel.v);
	hy_free(out);
}

/* ---- divergences ---- */

static void views(const cJSON *c)
{
	const cJSON *names = golden_member(c, "logits"), *each = golden_member(c, "per_view");
	const int n = cJSON_GetArraySize(names);
	const double weight = golden_number(c, "lam"), limit = tolerance(c, "", "rel");
	tensor t[HY_MAX_VIEWS] = {{0}};
	const float *logits[HY_MAX_VIEWS];
	double out[HY_MAX_VIEWS], mean = 0;
	assert_in_range(n, 1, HY_MAX_VIEWS);
	for (int i = 0; i < n; i++) {
		t[i] = load(cJSON_GetArrayItem(names, i)->valuestring);
		logits[i] = t[i].v;
	}
	double *partial = hy_calloc((size_t)(t[0].n * n), sizeof *partial);
	hy_views_divergence(logits, n, t[0].n, t[0].c, t[0].hw, weight, NULL, partial, out);
	for (int i = 0; i < n; i++) {
		const double want = cJSON_GetArrayItem(each, i)->valuedouble;
		close_to(c, "per_view", weight * out[i], want, limit * want);
		mean += weight * out[i] / n;
		hy_free(t[i].v);
	}
	close_to(c, "mean_over_views", mean, golden_number(c, "mean_over_views"), limit * mean);
	hy_free(partial);
}

static void divergences(const cJSON *c)
{
	tensor p = load_member(c, "reference"), q = load_member(c, "pred");
	float *grad = room(q.count), *scratch = room(HY_CONTOUR_SCRATCH * q.count);
	double *partial = hy_calloc((size_t)q.n, sizeof *partial);
	const double limit = tolerance(c, "", "rel"), on_grad = tolerance(c, "grad", "abs");
	const double kl = hy_kl(p.v, q.v, q.n, q.c, q.hw, 1, grad, partial), want = golden_number(c, "kl");
	close_to(c, "kl", kl, want, limit * want);
	close_all(c, golden_string(c, "kl_grad"), grad, on_grad, 0);
	memset(grad, 0, (size_t)q.count * sizeof *grad);
	const double contour = hy_contour(p.v, q.v, q.n, q.c, q.h, q.w, 1, grad, scratch, partial);
	close_to(c, "contour", contour, golden_number(c, "contour"), limit * golden_number(c, "contour"));
	close_all(c, golden_string(c, "contour_grad"), grad, on_grad, 0);
	hy_free(p.v);
	hy_free(q.v);
	hy_free(grad);
	hy_free(scratch);
	hy_free(partial);
}

/* ---- adversarial bias field ---- */

static hy_bias_options bias_options(const cJSON *config, int64_t h, int64_t w)
{
	hy_bias_options o = {.epsilon = 0.4, .spacing = {(double)(h / 2), (double)(w / 2)}, .downscale = 2, .log_space = true};
	if (!config)
		return o;
	assert_int_equal((int)golden_number(config, "interpolation_order"), 3);
	o.epsilon = golden_number(config, "epsilon");
	golden_numbers(config, "control_point_spacing", o.spacing, 2);
	o.downscale = golden_number(config, "downscale");
	o.log_space = !strcmp(golden_string(config, "space"), "log");
	return o;
}

static void bias_field(const cJSON *c)
{
	const cJSON *config = golden_member(c, "config");
	double size[4], range[2];
	golden_numbers(config, "data_size", size, 4);
	golden_numbers(c, "init_range", range, 2);
	tensor p = load_member(c, "control_points");
	const hy_bias_options o = bias_options(config, (int64_t)size[2], (int64_t)size[3]);
	hy_bias b;
	hardy_error err;
	assert_ok(hy_bias_init(&b, &o, p.n, (int64_t)size[2], (int64_t)size[3], &err), &err);
	assert_int_equal(b.y.n, p.h);
	assert_int_equal(b.x.n, p.w);
	close_to(c, "init_range", b.low, range[0], 1e-12);
	close_to(c, "init_range", b.high, range[1], 1e-12);
	const double limit = tolerance(c, "", "abs");
	float *field = room(p.n * b.y.length * b.x.length);
	hy_bias_field(&b, p.v, p.n, field);
	close_all(c, golden_string(c, "expected_field"), field, limit, 0);
	if (cJSON_HasObjectItem(c, "input")) {
		tensor x = load_member(c, "input");
		hy_bias_apply(x.v, field, x.n, x.c, x.hw, x.v);
		close_all(c, golden_string(c, "expected_image"), x.v, limit, 0);
		hy_free(x.v);
	}
	hy_bias_clear(&b);
	hy_free(field);
	hy_free(p.v);
}

static void bias_step(const cJSON *c)
{
	tensor p = load_member(c, "control_points"), grad = load_member(c, "grad");
	hy_bias b = {.y = {.n = p.h}, .x = {.n = p.w}};
	double range[2];
	golden_numbers(c, "clamp", range, 2);
	b.low = range[0];
	b.high = range[1];
	const double limit = tolerance(c, "", "abs");
	hy_bias_move(&b, p.v, grad.v, golden_number(c, "step"), p.n);
	close_all(c, golden_string(c, "expected_unclamped"), p.v, limit, 0);
	hy_bias_clamp(&b, p.v, p.n);
	close_all(c, golden_string(c, "expected"), p.v, limit, 0);
	hy_free(p.v);
	hy_free(grad.v);
}

/* ---- an adversarial iteration ---- */

/* A convolution 3 x 3 with zero padding and a bias: one input channel after the other. */
typedef struct network {
	tensor weight, bias, reference; /* reference: logits */
	double w_kl, w_contour;
} network;

static network load_network(const cJSON *c)
{
	network m = {load_member(c, "weight"), load_member(c, "bias"), load_member(c, "reference_logits"), 0, 0};
	const cJSON *d;
	cJSON_ArrayForEach(d, golden_member(c, "divergence"))
	{
		const char *name = cJSON_GetArrayItem(d, 0)->valuestring;
		const double weight = cJSON_GetArrayItem(d, 1)->valuedouble;
		if (!strcmp(name, "kl"))
			m.w_kl = weight;
		else if (!strcmp(name, "contour"))
			m.w_contour = weight;
		else
			fail_msg("unknown divergence %s", name);
	}
	return m;
}

static void network_clear(network *m)
{
	hy_free(m->weight.v);
	hy_free(m->bias.v);
	hy_free(m->reference.v);
}

static bool inside(int64_t y, int64_t x, const tensor *t)
{
	return y >= 0 && x >= 0 && y < t->h && x < t->w;
}

/* The divergence at image (shaped like x), and its gradient by the image when dimage. */
static double divergence(const network *m, const tensor *x, const float *image, float *dimage)
{
	const int64_t classes = m->weight.n, count = x->n * classes * x->hw;
	float *logits = room(count), *grad = room(count), *scratch = room(HY_CONTOUR_SCRATCH * count);
	double *partial = hy_calloc((size_t)x->n, sizeof *partial);
	for (int pass = 0; pass < 2; pass++) {
		for (int64_t at = 0; at < count; at++) {
			const int64_t px = at % x->w, py = at / x->w % x->h, k = at / x->hw % classes, i = at / x->hw / classes;
			double sum = (double)m->bias.v[k];
			for (int64_t tap = 0; tap < x->c * 9; tap++) {
				const int64_t y = py + tap / 3 % 3 - 1, q = px + tap % 3 - 1;
				const int64_t from = ((i * x->c + tap / 9) * x->h + y) * x->w + q;
				if (!inside(y, q, x))
					continue;
				if (!pass)
					sum += (double)m->weight.v[k * x->c * 9 + tap] * (double)image[from];
				else if (dimage)
					dimage[from] += m->weight.v[k * x->c * 9 + tap] * grad[at];
			}
			if (!pass)
				logits[at] = (float)sum;
		}
		if (pass)
			break;
		partial[0] = hy_kl(m->reference.v, logits, x->n, classes, x->hw, m->w_kl, grad, partial) * m->w_kl;
		const double kl = partial[0];
		double contour = 0;
		if (m->w_contour > 0)
			contour = hy_contour(m->reference.v, logits, x->n, classes, x->h, x->w, m->w_contour, grad, scratch, partial);
		partial[0] = kl + m->w_contour * contour;
		if (!dimage)
			break;
	}
	const double value = partial[0];
	hy_free(logits);
	hy_free(grad);
	hy_free(scratch);
	hy_free(partial);
	return value;
}

static void check_gradient(const cJSON *c, const float *grad)
{
	double distance, cosine;
	compare(golden_string(c, "grad"), grad, &distance, &cosine);
	if (!(distance <= tolerance(c, "grad", "rel-L2")))
		fail_msg("%s: gradient differs by %.3g of its length", golden_string(c, "name"), distance);
}

static void adversarial_bias(const cJSON *c)
{
	network m = load_network(c);
	tensor x = load_member(c, "input"), p = load_member(c, "param0");
	const hy_bias_options o = bias_options(cJSON_GetObjectItem(c, "config"), x.h, x.w);
	hy_bias b;
	hardy_error err;
	assert_ok(hy_bias_init(&b, &o, x.n, x.h, x.w, &err), &err);
	assert_int_equal(b.y.n * b.x.n, p.hw);
	float *field = room(x.n * x.hw), *image = room(x.count), *dimage = room(x.count), *grad = room(p.count);
	hy_bias_field(&b, p.v, x.n, field);
	hy_bias_apply(x.v, field, x.n, x.c, x.hw, image);
	const double inner = divergence(&m, &x, image, dimage), on_loss = tolerance(c, "loss", "abs");
	close_to(c, "inner_loss", inner, golden_number(c, "inner_loss"), on_loss);
	hy_bias_apply_back(x.v, dimage, x.n, x.c, x.hw, field);
	hy_bias_back(&b, p.v, field, x.n, grad);
	check_gradient(c, grad);
	hy_bias_move(&b, p.v, grad, golden_number(c, "step"), x.n);
	hy_bias_clamp(&b, p.v, x.n);
	const double limit = tolerance(c, "image", "abs");
	close_all(c, golden_string(c, "param1"), p.v, limit, 0);
	hy_bias_field(&b, p.v, x.n, field);
	hy_bias_apply(x.v, field, x.n, x.c, x.hw, image);
	close_all(c, golden_string(c, "adv_image"), image, limit, 0);
	close_to(c, "final_consistency_loss", divergence(&m, &x, image, NULL), golden_number(c, "final_consistency_loss"), on_loss);
	hy_bias_clear(&b);
	network_clear(&m);
	float *all[] = {x.v, p.v, field, image, dimage, grad};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		hy_free(all[i]);
}

static double number_or(const cJSON *c, const char *key, double otherwise)
{
	return cJSON_HasObjectItem(c, key) ? golden_number(c, key) : otherwise;
}

static void adversarial_noise(const cJSON *c)
{
	network m = load_network(c);
	tensor x = load_member(c, "input"), d = load_member(c, "param0");
	const double epsilon = number_or(c, "epsilon", 0.1), xi = number_or(c, "xi", 1e-6), on_loss = tolerance(c, "loss", "abs");
	const int64_t size = x.c * x.hw;
	float *low = room(x.n), *high = room(x.n), *moved = room(x.count), *image = room(x.count), *grad = room(x.count);
	hy_rescale_range(x.v, x.n, size, low, high);
	hy_noise_add(x.v, d.v, xi, x.count, moved);
	hy_rescale(moved, low, high, x.n, size, image);
	const double inner = divergence(&m, &x, image, grad);
	close_to(c, "inner_loss", inner, golden_number(c, "inner_loss"), on_loss);
	hy_rescale_back(moved, grad, low, high, x.n, size, grad);
	for (int64_t i = 0; i < x.count; i++)
		grad[i] = (float)(xi * (double)grad[i]);
	double distance, cosine;
	compare(golden_string(c, "grad"), grad, &distance, &cosine);
	if (!(distance <= tolerance(c, "param1", "rel-L2")))
		fail_msg("gradient differs by %.3g of its length", distance);
	hy_noise_unit(grad, x.n, size, d.v);
	compare(golden_string(c, "param1"), d.v, &distance, &cosine);
	if (!(distance <= tolerance(c, "param1", "rel-L2") && cosine > tolerance(c, "param1", "cosine")))
		fail_msg("param1 differs by %.3g of its length, cosine %.8f", distance, cosine);
	hy_noise_add(x.v, d.v, epsilon, x.count, moved);
	hy_rescale(moved, low, high, x.n, size, image);
	close_all(c, golden_string(c, "adv_image"), image, tolerance(c, "image", "abs"), 0);
	close_to(c, "final_consistency_loss", divergence(&m, &x, image, NULL), golden_number(c, "final_consistency_loss"), on_loss);
	network_clear(&m);
	float *all[] = {x.v, d.v, low, high, moved, image, grad};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		hy_free(all[i]);
}

static void adversary(const cJSON *c)
{
	(strstr(golden_string(c, "name"), "bias") ? adversarial_bias : adversarial_noise)(c);
}

static void noise_step(const cJSON *c)
{
	tensor x = load_member(c, "input"), grad = load_member(c, "grad");
	const int64_t size = x.c * x.hw;
	const double limit = tolerance(c, "", "abs");
	float *low = room(x.n), *high = room(x.n), *raw = room(x.count), *out = room(x.count);
	hy_noise_unit(grad.v, x.n, size, grad.v);
	close_all(c, golden_string(c, "expected_param"), grad.v, limit, 0);
	hy_noise_add(x.v, grad.v, golden_number(c, "epsilon"), x.count, raw);
	close_all(c, golden_string(c, "expected_raw"), raw, limit, 0);
	hy_rescale_range(x.v, x.n, size, low, high);
	hy_rescale(raw, low, high, x.n, size, out);
	close_all(c, golden_string(c, "expected_rescaled_to_input_range"), out, limit, 0);
	hy_noise_clamp(raw, x.v, x.count, out);
	close_all(c, golden_string(c, "expected_clamped"), out, limit, 0);
	float *all[] = {x.v, grad.v, low, high, raw, out};
	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		hy_free(all[i]);
}

/* ---- styles ---- */

static hy_style measured(const cJSON *c, const tensor *x)
{
	hy_style s;
	hardy_error err;
	assert_ok(hy_style_init(&s, x->n, x->c, &err), &err);
	hy_style_measure(&s, x->v, x->hw, 0, golden_number(c, "eps"));
	return s;
}

static void read_permutation(const cJSON *c, size_t *out, int64_t n)
{
	double p[64];
	assert_in_range(n, 1, 64);
	golden_numbers(c, "perm", p, (int)n);
	for (int64_t i = 0; i < n; i++)
		out[i] = (size_t)p[i];
}

static void mixstyle(const cJSON *c)
{
	tensor x = load_member(c, "input"), lambda = load_member(c, "lmda");
	hy_style s = measured(c, &x);
	size_t other[64];
	double l[64];
	read_permutation(c, other, x.n);
	for (int64_t i = 0; i < x.n; i++)
		l[i] = (double)lambda.v[i];
	hy_style_mix(&s, l, other);
	hy_style_apply(&s, x.v, x.hw, 0, x.v);
	close_all(c, golden_string(c, "expected"), x.v, tolerance(c, "", "abs"), 0);
	hy_style_clear(&s);
	hy_free(x.v);
	hy_free(lambda.v);
}

static void dsu(const cJSON *c)
{
	tensor x = load_member(c, "input"), on_mean = load_member(c, "eps_mu"), on_sd = load_member(c, "eps_sigma");
	hy_style s = measured(c, &x);
	double *n = hy_calloc((size_t)(2 * x.n * x.c + x.c), sizeof *n);
	for (int64_t i = 0; i < x.n * x.c; i++) {
		n[i] = (double)on_mean.v[i];
		n[x.n * x.c + i] = (double)on_sd.v[i];
	}
	hy_style_disturb(&s, n, n + x.n * x.c, n + 2 * x.n * x.c);
	hy_style_apply(&s, x.v, x.hw, 0, x.v);
	close_all(c, golden_string(c, "expected"), x.v, tolerance(c, "", "abs"), 0);
	hy_style_clear(&s);
	hy_free(n);
	hy_free(x.v);
	hy_free(on_mean.v);
	hy_free(on_sd.v);
}

static void maxstyle(const cJSON *c)
{
	static const char *const start[] = {"lmda", "gamma_noise", "beta_noise"};
	tensor x = load_member(c, "input"), target = load_member(c, "target");
	hy_style s = measured(c, &x);
	hy_maxstyle m;
	hardy_error err;
	assert_ok(hy_maxstyle_init(&m, x.n, x.c, &err), &err);
	read_permutation(c, m.other, x.n);
	float *const values[] = {m.values, hy_maxstyle_gamma(&m), hy_maxstyle_beta(&m)};
	for (int k = 0; k < 3; k++) {
		tensor v = load_member(c, start[k]);
		memcpy(values[k], v.v, (size_t)v.count * sizeof *v.v);
		hy_free(v.v);
	}
	const double on_out = tolerance(c, "out", "abs"), on_grads = tolerance(c, "grads", "rel"),
	             later = tolerance(c, "after 3 steps", "abs");
	const cJSON *losses = golden_member(c, "losses"), *grads = golden_member(c, "grads_step1"),
	            *after = golden_member(c, "after_3_steps");
	float *out = room(x.count), *dout = room(x.count);
	for (int step = 0; step <= cJSON_GetArraySize(losses); step++) {
		hy_maxstyle_choose(&m, &s);
		hy_style_apply(&s, x.v, x.hw, 0, out);
		if (!step)
			close_all(c, golden_string(c, "expected"), out, on_out, 0);
		if (step == cJSON_GetArraySize(losses))
			break;
		double loss = 0;
		for (int64_t i = 0; i < x.count; i++) {
			const double d = (double)out[i] - (double)target.v[i];
			loss -= d * d / (double)x.count;
			dout[i] = (float)(-2 * d / (double)x.count);
		}
		const double want = cJSON_GetArrayItem(losses, step)->valuedouble;
		close_to(c, "loss", loss, want, 1e-5 * fabs(want));
		hy_style_back(&s, x.v, dout, x.hw, 0, false, true, NULL);
		hy_maxstyle_gradient(&m, &s);
		const int64_t starts[] = {0, x.n, x.n * (1 + x.c)};
		for (int k = 0; k < 3 && !step; k++)
			close_all(c, cJSON_GetArrayItem(grads, k)->valuestring, m.grads + starts[k], 1e-7, on_grads);
		hy_maxstyle_step(&m, 0.1);
	}
	for (int k = 0; k < 3; k++)
		close_all(c, cJSON_GetArrayItem(after, k)->valuestring, values[k], later, 0);
	close_all(c, cJSON_GetArrayItem(after, 3)->valuestring, out, later, 0);
	hy_maxstyle_clear(&m);
	hy_style_clear(&s);
	hy_free(x.v);
	hy_free(target.v);
	hy_free(out);
	hy_free(dout);
}

/* ---- self-challenging ---- */

static void rsc(const cJSON *c)
{
	tensor z = load_member(c, "gradient");
	const bool spatial = strstr(golden_string(c, "op"), "spatial");
	const int64_t n = spatial ? z.hw : z.c;
	float *score = room(z.n * n), *mask = room(z.n * n), *work = room(n);
	/* in a training the tape takes the means */
	for (int64_t i = 0; i < z.n; i++)
		for (int64_t k = 0; k < n; k++) {
			double sum = 0;
			for (int64_t j = 0; j < z.c * z.hw / n; j++)
				sum += (double)z.v[i * z.c * z.hw + (spatial ? j * z.hw + k : k * z.hw + j)];
			score[i * n + k] = (float)(sum / (double)(z.c * z.hw / n));
		}
	hy_rsc_mask(score, golden_number(c, "percentile"), z.n, n, work, mask);
	close_all(c, golden_string(c, "expected"), mask, 0, 0);
	hy_free(z.v);
	hy_free(score);
	hy_free(mask);
	hy_free(work);
}

/* ---- all ---- */

typedef struct op {
	const char *name; /* how the manifest's op begins */
	void (*check)(const cJSON *c);
} op;

static const op ops[] = {
    {"multi-window masking", windows},
    {"RandConv", randconv},
    {"3-view consistency", views},
    {"KL and contour", divergences},
    {"adversarial bias field from control points", bias_field},
    {"PGD step on control points", bias_step},
    {"adv noise, power iteration", noise_step},
    {"one adversarial iteration", adversary},
    {"MixStyle", mixstyle},
    {"DSU", dsu},
    {"MaxStyle", maxstyle},
    {"RSC", rsc},
};

static void all_cases(void **state)
{
	(void)state;
	const cJSON *c;
	cJSON_ArrayForEach(c, golden_member(g.manifest, "cases"))
	{
		const char *name = golden_string(c, "op");
		const op *found = NULL;
		for (size_t i = 0; i < sizeof ops / sizeof *ops && !found; i++)
			if (!strncmp(name, ops[i].name, strlen(ops[i].name)))
				found = &ops[i];
		if (!found)
			fail_msg("%s: unknown op \"%s\"", golden_string(c, "name"), name);
		found->check(c);
		g.n_checked++;
	}
	assert_true(golden_all_read(&g));
}

int main(void)
{
	golden_open(&g, "rivals");
	const struct CMUnitTest tests[] = {cmocka_unit_test(all_cases)};
	return golden_close(&g, cmocka_run_group_tests(tests, NULL, NULL));
}
