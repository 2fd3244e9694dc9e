/*
 * engine.c: the network and its training step against values recorded from the authors' network (case names are the
 * manifest's): A inference, B standard step, C cooperative steps with three pairs of masks, D twelve steps of gradient descent,
 * E Adam. Every kernel table and convolution library that this machine has is held to them.
 */
#include "base/memory.h"
#include "engine/safetensors.h"
#include "network/infer.h"
#include "support/golden.h"
#include "support/ranks.h"
#include "support/test.h"
#include "training/step.h"

#include <math.h>
#include <string.h>

static golden g;

typedef struct setup {
	const char *name;
	hy_tape_options engine;
} setup;

static const setup setups[] = {
    {"plain", {HY_ISA_PLAIN, HY_CONV_PLAIN}},         {"avx2", {HY_ISA_AVX2, HY_CONV_PLAIN}},
    {"avx2+onednn", {HY_ISA_AVX2, HY_CONV_DNNL}},     {"avx512", {HY_ISA_AVX512, HY_CONV_PLAIN}},
    {"avx512+onednn", {HY_ISA_AVX512, HY_CONV_DNNL}}, {"avx2+own", {HY_ISA_AVX2, HY_CONV_DIRECT}},
    {"avx512+own", {HY_ISA_AVX512, HY_CONV_DIRECT}},
};
static const setup *now;

static bool available(const setup *s)
{
	if (HY_EMULATED && s->engine.isa == HY_ISA_AVX512) /* it takes long, and tests/engine/kernels.c holds it */
		return false;
	if (TEST_STRIDE > 1 && s->engine.isa != HY_ISA_PLAIN && s->engine.library == HY_CONV_PLAIN)
		return false; /* the same loops as plain's, and not what is used */
	return hy_kernels_pick(s->engine.isa, NULL) && (s->engine.library != HY_CONV_DNNL || hy_dnnl_version());
}

/* ---- the recorded network and batch ---- */

typedef struct batch {
	int64_t n, h, w;
	float *clean, *noisy;
	uint8_t *label;
} batch;

static hy_network load_network(void)
{
	hardy_error err;
	hy_st_file f;
	char *path = golden_path(&g, "weights.safetensors");
	assert_ok(hy_st_read(&f, path, &err), &err);
	hy_free(path);
	const hy_st_tensor *last = hy_st_find(&f, "segmentation_decoder.final_conv.weight");
	const hy_st_tensor *first = hy_st_find(&f, "image_encoder.general_encoder.inc.0.weight");
	assert_non_null(last);
	assert_non_null(first);
	const hy_network_config config = {.channels = (int)first->shape[1], .classes = (int)last->shape[0], .decoupler = true};
	hy_network n;
	assert_ok(hy_network_init(&n, &config, &err), &err);
	size_t used = 0;
	for (size_t i = 0; i < n.params.n; i++) {
		const hy_param *p = &n.params.list[i];
		const hy_st_tensor *t = hy_st_find(&f, p->name);
		if (!t || t->n_bytes != p->n * sizeof(float))
			fail_msg("weights.safetensors: no tensor %s of %zu values", p->name, p->n);
		memcpy((p->is_buffer ? hy_params_write_buffers(&n.params) : hy_params_write_values(&n.params)) + p->offset, t->data,
		       t->n_bytes);
		used++;
	}
	for (size_t i = 0; i < f.n_tensors; i++)
		used -= !strstr(f.tensors[i].name, "num_batches_tracked");
	assert_int_equal(used, 0);
	hy_st_clear(&f);
	return n;
}

static batch load_batch(void)
{
	const cJSON *input = golden_member(g.manifest, "input");
	npy clean = golden_member_array(&g, input, "clean_image"), noisy = golden_member_array(&g, input, "noisy_image");
	npy label = golden_member_array(&g, input, "label");
	batch b = {.n = clean.shape[0], .h = clean.shape[clean.n_dims - 2], .w = clean.shape[clean.n_dims - 1]};
	b.clean = npy_floats(&clean);
	b.noisy = npy_floats(&noisy);
	b.label = npy_bytes(&label);
	npy_clear(&clean);
	npy_clear(&noisy);
	npy_clear(&label);
	return b;
}

static void batch_clear(batch *b)
{
	hy_free(b->clean);
	hy_free(b->noisy);
	hy_free(b->label);
}

/* ---- comparisons ---- */

static void close_to(const char *what, const char *part, double got, double want, double tolerance)
{
	golden_close_to(now->name, what, part, got, want, tolerance);
}

static void close_array(const char *what, const cJSON *item, const float *values)
{
	golden_close_array(&g, now->name, what, item, values);
}

static void close_tensors(const char *what, const cJSON *tensors, const hy_params *p, bool gradients)
{
	golden_close_tensors(&g, now->name, what, tensors, p, gradients);
}

static void close_losses(const cJSON *loss, const double *terms, bool cooperative)
{
	static const char *const keys[2][HY_N_TERMS] = {
	    {"seg", "rec_half_mse", "shape_gt", "shape_pred"},
	    {"standard_seg", "standard_rec_half_mse", "standard_shape_gt", "standard_shape_pred", "hard_seg", "hard_rec_half_mse",
	     "hard_shape_pred", "hard_shape_corrupted_segmentation"},
	};
	double total = 0;
	for (int k = 0; k < HY_N_TERMS; k++) {
		total += terms[k];
		if (!keys[cooperative][k])
			continue;
		const cJSON *item = golden_member(loss, keys[cooperative][k]);
		close_to("loss", keys[cooperative][k], terms[k], golden_number(item, "value"), golden_number(item, "tolerance"));
		g.n_checked++;
	}
	const cJSON *item = golden_member(loss, "total");
	close_to("loss", "total", total, golden_number(item, "value"), golden_number(item, "tolerance"));
}

/* ---- cases ---- */

static void inference(const cJSON *c)
{
	hy_network n = load_network();
	batch b = load_batch();
	hardy_error err;
	const hy_infer_options o = {.batch = b.n,
	                            .height = b.h,
	                            .width = b.w,
	                            .stn = true,
	                            .reconstruct = true,
	                            .norm = HY_NORM_RUNNING,
	                            .engine = now->engine};
	hy_infer *f = hy_infer_new(&n, &o, &err);
	if (!f)
		fail_msg("%s", err.message);
	const size_t map = (size_t)(b.n * n.config.classes * b.h * b.w);
	float *p = hy_alloc(map, sizeof *p), *p0 = hy_alloc(map, sizeof *p0), *x0 = hy_alloc(map, sizeof *x0);
	assert_ok(hy_infer_run(f, b.clean, b.n, p, p0, x0, &err), &err);
	close_array("logits", golden_member(c, "logits"), p);
	close_array("stn_logits", golden_member(c, "stn_logits"), p0);
	close_array("reconstruction", golden_member(c, "reconstruction"), x0);
	hy_infer_free(f);

	/* the STN on the label, and the codes, which no plan keeps by itself */
	hy_tape t;
	assert_ok(hy_tape_init(&t, &n.params, &now->engine, &err), &err);
	t.norm = HY_NORM_RUNNING;
	const uint8_t *label = b.label;
	const int y = hy_tape_value(&t, b.n, n.config.classes, b.h, b.w, false),
	          x = hy_tape_input(&t, b.n, n.config.channels, b.h, b.w);
	hy_op_one_hot(&t, &label, y);
	const int y0 = hy_stn_refine(&t, &n, y), z_i = hy_ftn_encode(&t, &n, x), z_s = hy_ftn_decouple(&t, &n, z_i);
	hy_tape_keep(&t, y0);
	hy_tape_keep(&t, z_i);
	hy_tape_keep(&t, z_s);
	assert_ok(hy_tape_compile(&t, &err), &err);
	t.values[x].data = b.clean;
	assert_ok(hy_tape_run(&t, 0, &err), &err);
	close_array("stn_logits_of_label", golden_member(c, "stn_logits_of_label"), hy_tape_planar(&t, y0));
	const int codes[] = {z_i, z_s};
	const char *const names[] = {"z_i", "z_s"};
	for (int k = 0; k < 2; k++) { /* blocked to planar */
		const hy_value *v = &t.values[codes[k]];
		const float *z = hy_tape_floats(&t, codes[k]);
		const int64_t block = t.kernels->block, hw = v->h * v->w;
		for (int64_t i = 0; i < v->n * v->c * hw; i++) {
			const int64_t sample = i / (v->c * hw), channel = i / hw % v->c;
			p[i] = z[((sample * (v->c / block) + channel / block) * hw + i % hw) * block + channel % block];
		}
		close_array(names[k], golden_member(c, names[k]), p);
	}
	hy_tape_clear(&t);
	hy_free(p);
	hy_free(p0);
	hy_free(x0);
	batch_clear(&b);
	hy_network_clear(&n);
}

static hy_step_options step_options(const batch *b, bool cooperative)
{
	hy_step_options o;
	hy_step_options_init(&o);
	o.batch = b->n;
	o.height = b->h;
	o.width = b->w;
	o.cooperative = cooperative;
	o.engine = now->engine;
	return o;
}

static void standard(const cJSON *c)
{
	hy_network n = load_network();
	batch b = load_batch();
	hardy_error err;
	const hy_step_options o = step_options(&b, false);
	hy_step *s = hy_step_new(&n, &o, &err);
	if (!s)
		fail_msg("%s", err.message);
	double terms[HY_N_TERMS];
	assert_ok(hy_step_gradients(s, b.noisy, b.clean, b.label, NULL, 0, terms, &err), &err);
	close_losses(golden_member(c, "loss"), terms, false);
	close_tensors("gradient", golden_member(c, "grad"), &n.params, true);
	close_tensors("running statistics", golden_member(c, "running_stats_after"), &n.params, false);
	hy_step_free(s);
	batch_clear(&b);
	hy_network_clear(&n);
}

/* The recorded mask of a code; and that the score rule gives it from the recorded score. */
static hy_mask load_mask(const cJSON *m, int64_t n)
{
	npy a = golden_member_array(&g, m, "mask");
	hy_mask mask = {.spatial = !strcmp(golden_string(m, "scheme"), "spatial"), .data = npy_floats(&a)};
	if (cJSON_HasObjectItem(m, "score")) {
		npy score = golden_member_array(&g, m, "score"), soft = golden_member_array(&g, m, "soft_factor");
		float *s = npy_floats(&score), *f = npy_floats(&soft), *made = hy_alloc(score.n, sizeof *made),
		      *work = hy_alloc(score.n, sizeof *work);
		assert_int_equal(score.n, a.n);
		hy_mask_from_score(s, f, golden_number(m, "p"), n, (int64_t)score.n / n, work, made);
		for (size_t i = 0; i < score.n; i++)
			close_to("mask", "element", (double)made[i], (double)mask.data[i], 1e-7);
		g.n_checked++;
		hy_free(s);
		hy_free(f);
		hy_free(made);
		hy_free(work);
		npy_clear(&score);
		npy_clear(&soft);
	}
	npy_clear(&a);
	return mask;
}

static void close_score(const hy_step *s, const cJSON *m, bool of_z_s, int64_t n)
{
	if (!cJSON_HasObjectItem(m, "score"))
		return;
	npy want = golden_member_array(&g, m, "score");
	const float *got = hy_step_score(s, of_z_s, !strcmp(golden_string(m, "scheme"), "spatial"));
	const size_t count = want.n / (size_t)n;
	for (int64_t i = 0; i < n; i++) {
		double dot = 0, a = 0, b = 0;
		for (size_t k = (size_t)i * count; k < (size_t)(i + 1) * count; k++) {
			const double w = npy_at(&want, k), v = (double)got[k];
			dot += v * w;
			a += v * v;
			b += w * w;
		}
		if (!(dot / sqrt(a * b) >= .9999))
			fail_msg("%s: score of %s, sample %d: cosine %.6f", now->name, of_z_s ? "z_s" : "z_i", (int)i, dot / sqrt(a * b));
	}
	npy_clear(&want);
	g.n_checked++;
}

static void cooperative(const cJSON *c)
{
	hy_network n = load_network();
	batch b = load_batch();
	hardy_error err;
	const hy_step_options o = step_options(&b, true);
	hy_step *s = hy_step_new(&n, &o, &err);
	if (!s)
		fail_msg("%s", err.message);
	const cJSON *masking = golden_member(c, "masking"), *on_i = golden_member(masking, "z_i"),
	            *on_s = golden_member(masking, "z_s");
	hy_step_masks masks = {load_mask(on_i, b.n), load_mask(on_s, b.n)};
	double terms[HY_N_TERMS];
	assert_ok(hy_step_gradients(s, b.noisy, b.clean, b.label, &masks, 0, terms, &err), &err);
	close_score(s, on_i, false, b.n);
	close_score(s, on_s, true, b.n);
	close_array("x_hat", golden_member(on_i, "decoded"), hy_step_x_hat(s));
	close_array("p_hat", golden_member(on_s, "decoded"), hy_step_p_hat(s));
	close_losses(golden_member(c, "loss"), terms, true);
	close_tensors("gradient", golden_member(c, "grad"), &n.params, true);
	close_tensors("running statistics", golden_member(c, "running_stats_after"), &n.params, false);
	hy_free(masks.i.data);
	hy_free(masks.s.data);
	hy_step_free(s);
	batch_clear(&b);
	hy_network_clear(&n);
}

static void curve(const cJSON *c)
{
	hy_network n = load_network();
	batch b = load_batch();
	hardy_error err;
	const hy_step_options o = step_options(&b, false);
	hy_step *s = hy_step_new(&n, &o, &err);
	if (!s)
		fail_msg("%s", err.message);
	const cJSON *loss = golden_member(c, "loss"), *tolerance = golden_member(c, "tolerance");
	for (int step = 0; step < cJSON_GetArraySize(loss); step++) {
		double terms[HY_N_TERMS];
		assert_ok(hy_step_gradients(s, b.noisy, b.clean, b.label, NULL, step, terms, &err), &err);
		for (int k = 0; k < 4; k++)
			close_to("curve", hy_term_names[k], terms[k], cJSON_GetArrayItem(cJSON_GetArrayItem(loss, step), k)->valuedouble,
			         cJSON_GetArrayItem(cJSON_GetArrayItem(tolerance, step), k)->valuedouble);
		float *values = hy_params_write_values(&n.params);
		for (size_t i = 0; i < n.params.n_values; i++)
			values[i] -= 0.02f * n.params.grads[i];
		g.n_checked++;
	}
	hy_step_free(s);
	batch_clear(&b);
	hy_network_clear(&n);
}

/* The same on ranks that share the batch: recorded values and tolerances are those of one. */
typedef struct descent {
	hy_step_options o;
	hy_network n;
	batch b; /* the whole */
	hardy_status status;
	hardy_error err;
	double terms[16][HY_N_TERMS];
	int n_steps;
} descent;

static void descend(hy_ranks *r, void *payload)
{
	descent *d = payload;
	const size_t pixels = (size_t)(d->b.h * d->b.w), per_sample = pixels * (size_t)d->n.config.channels;
	const size_t own = (size_t)d->b.n / (size_t)r->size;
	float *clean = hy_alloc_aligned(own * per_sample, sizeof *clean),
	      *noisy = hy_alloc_aligned(own * per_sample, sizeof *noisy);
	uint8_t *label = hy_alloc(own * pixels, 1);
	for (size_t i = 0; i < own; i++) {
		const size_t at = (size_t)r->rank + i * (size_t)r->size;
		memcpy(clean + i * per_sample, d->b.clean + at * per_sample, per_sample * sizeof *clean);
		memcpy(noisy + i * per_sample, d->b.noisy + at * per_sample, per_sample * sizeof *noisy);
		memcpy(label + i * pixels, d->b.label + at * pixels, pixels);
	}
	d->o.ranks = r;
	d->o.noise = 0;
	hy_step *s = hy_step_new(&d->n, &d->o, &d->err);
	if (!s)
		d->status = d->err.status;
	for (int step = 0; step < d->n_steps && !d->status; step++) {
		d->status = hy_step_run(s, noisy, clean, label, step, 0, d->terms[step], &d->err);
		float *values = hy_params_write_values(&d->n.params);
		for (size_t i = 0; i < d->n.params.n_values; i++)
			values[i] -= 0.02f * d->n.params.grads[i];
	}
	hy_step_free(s);
	hy_free_aligned(clean);
	hy_free_aligned(noisy);
	hy_free(label);
}

static void curve_on_ranks(const cJSON *c)
{
	const cJSON *loss = golden_member(c, "loss"), *tolerance = golden_member(c, "tolerance");
	for (int size = 2; size <= 4; size++) {
		descent ranks[4] = {{.status = HARDY_OK}};
		void *payloads[] = {&ranks[0], &ranks[1], &ranks[2], &ranks[3]};
		batch b = load_batch();
		for (int r = 0; r < size; r++) {
			ranks[r] =
			    (descent){.n = load_network(), .b = b, .o = step_options(&b, false), .n_steps = cJSON_GetArraySize(loss)};
			assert_in_range(ranks[r].n_steps, 1, 16);
		}
		if (b.n % size == 0)
			ranks_run(size, descend, payloads);
		for (int r = 0; r < size && b.n % size == 0; r++) {
			assert_ok(ranks[r].status, &ranks[r].err);
			for (int step = 0; step < ranks[r].n_steps; step++, g.n_checked++)
				for (int k = 0; k < 4; k++)
					close_to("curve on ranks", hy_term_names[k], ranks[r].terms[step][k],
					         cJSON_GetArrayItem(cJSON_GetArrayItem(loss, step), k)->valuedouble,
					         cJSON_GetArrayItem(cJSON_GetArrayItem(tolerance, step), k)->valuedouble);
		}
		for (int r = 0; r < size; r++)
			hy_network_clear(&ranks[r].n);
		batch_clear(&b);
	}
}

static void adam(const cJSON *c)
{
	hardy_error err;
	hy_params p = {0};
	const cJSON *before = golden_member(c, "weights_before"), *grads = golden_member(c, "grads");
	const cJSON *after = golden_member(c, "weights_after_each_step"), *betas = golden_member(c, "betas");
	const int64_t count = cJSON_GetArraySize(before);
	assert_int_equal(hy_params_add(&p, "w", 1, &count, false, HY_INIT_ZERO, 1), 0);
	assert_ok(hy_params_allocate(&p, &err), &err);
	for (int i = 0; i < count; i++)
		hy_params_write_values(&p)[i] = (float)cJSON_GetArrayItem(before, i)->valuedouble;
	for (int step = 0; step < cJSON_GetArraySize(grads); step++) {
		for (int i = 0; i < count; i++)
			p.grads[i] = (float)cJSON_GetArrayItem(cJSON_GetArrayItem(grads, step), i)->valuedouble;
		hy_adam_step(&p, hy_kernels_pick(HY_ISA_AUTO, NULL), golden_number(c, "lr"), cJSON_GetArrayItem(betas, 0)->valuedouble,
		             cJSON_GetArrayItem(betas, 1)->valuedouble, golden_number(c, "eps"), 0);
		for (int i = 0; i < count; i++) {
			/* recorded in double: each step's storage in single precision may round by half a unit in the last place */
			const double want = cJSON_GetArrayItem(cJSON_GetArrayItem(after, step), i)->valuedouble;
			const double rounding = (step + 1) * 0.5 * ldexp(1, ilogb(want) - 23);
			close_to("adam", "weight", (double)p.values[i], want, golden_number(c, "tolerance") + rounding);
		}
		g.n_checked++;
	}
	hy_params_clear(&p);
}

static void all_cases(void **state)
{
	(void)state;
	const setup *native = &setups[0];
	for (size_t i = 0; i < sizeof setups / sizeof *setups; i++)
		if (available(&setups[i]))
			native = &setups[i];
	for (size_t i = 0; i < sizeof setups / sizeof *setups; i++) {
		now = &setups[i];
		if (!available(now)) {
			print_message("golden engine: %s is not available here\n", now->name);
			continue;
		}
		const bool whole = now == native; /* the others: inference, and one step of each recipe */
		const int before = g.n_checked;
		const cJSON *c;
		cJSON_ArrayForEach(c, golden_member(g.manifest, "cases"))
		{
			if (!whole && (c->string[0] == 'D' || !strncmp(c->string, "C2", 2) || !strncmp(c->string, "C3", 2)))
				continue;
			if (c->string[0] == 'A')
				inference(c);
			else if (c->string[0] == 'B')
				standard(c);
			else if (c->string[0] == 'C')
				cooperative(c);
			else if (c->string[0] == 'D') {
				curve(c);
				curve_on_ranks(c);
			} else if (c->string[0] == 'E')
				adam(c);
			else
				fail_msg("MANIFEST.json: unknown case %s", c->string);
		}
		print_message("golden engine: %s: %d values and tensors\n", now->name, g.n_checked - before);
	}
}

int main(void)
{
	golden_open(&g, "engine");
	const struct CMUnitTest tests[] = {cmocka_unit_test(all_cases)};
	return golden_close(&g, cmocka_run_group_tests(tests, NULL, NULL));
}
