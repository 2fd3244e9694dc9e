/*
 * unet.c: the U-Net against values recorded by unet.py from one written in PyTorch: logits, losses, every gradient, running statistics,
 * twelve steps of gradient descent; for every kernel table and convolution library that this machine has. And its definition: sizes,
 * weights by name, what it refuses.
 */
#include "base/memory.h"
#include "engine/safetensors.h"
#include "network/infer.h"
#include "predict/model.h"
#include "support/golden.h"
#include "support/scratch.h"
#include "support/test.h"
#include "training/step.h"

#include <math.h>
#include <string.h>

static golden g;

static const struct setup {
	const char *name;
	hy_tape_options engine;
} setups[] = {
    {"plain", {HY_ISA_PLAIN, HY_CONV_PLAIN}},      {"avx2", {HY_ISA_AVX2, HY_CONV_PLAIN}},
    {"avx512", {HY_ISA_AVX512, HY_CONV_PLAIN}},    {"avx2 by taps", {HY_ISA_AVX2, HY_CONV_DIRECT}},
    {"avx2 own", {HY_ISA_AVX2, HY_CONV_AUTO}},     {"avx512 by taps", {HY_ISA_AVX512, HY_CONV_DIRECT}},
    {"avx512 own", {HY_ISA_AVX512, HY_CONV_AUTO}},
};

typedef struct batch {
	int64_t n, channels, h, w;
	float *image;
	uint8_t *label;
} batch;

/* The recorded weights, read by name as a file of another program's is. */
static hy_model load_model(void)
{
	hardy_error err;
	hy_model m;
	char *path = golden_path(&g, "weights.safetensors");
	assert_ok(hy_model_load(&m, path, NULL, &err), &err);
	hy_free(path);
	assert_int_equal(m.network.config.kind, HY_NETWORK_UNET);
	assert_int_equal(m.network.config.width, (int)golden_number(g.manifest, "width"));
	assert_int_equal(m.network.config.levels, (int)golden_number(g.manifest, "levels"));
	return m;
}

static batch load_batch(void)
{
	npy image = golden_member_array(&g, g.manifest, "image"), label = golden_member_array(&g, g.manifest, "label");
	const batch b = {.n = image.shape[0],
	                 .channels = image.shape[1],
	                 .h = image.shape[2],
	                 .w = image.shape[3],
	                 .image = npy_floats(&image),
	                 .label = npy_bytes(&label)};
	npy_clear(&image);
	npy_clear(&label);
	return b;
}

static void inference(const struct setup *s, int64_t together)
{
	hy_model m = load_model();
	batch b = load_batch();
	hardy_error err;
	const hy_infer_options o = {.batch = together,
	                            .height = b.h,
	                            .width = b.w,
	                            .stn = true,
	                            .reconstruct = true,
	                            .norm = HY_NORM_RUNNING,
	                            .engine = s->engine};
	hy_infer *f = hy_infer_new(&m.network, &o, &err);
	if (!f)
		fail_msg("%s", err.message);
	const size_t map = (size_t)(b.n * m.network.config.classes * b.h * b.w);
	float *p = hy_alloc(map, sizeof *p), *p0 = hy_alloc(map, sizeof *p0);
	assert_ok(hy_infer_run(f, b.image, b.n, p, p0, NULL, &err), &err);
	golden_close_array(&g, s->name, "logits", golden_member(g.manifest, "logits"), p);
	assert_memory_equal(p, p0, map * sizeof *p); /* there is no second network */
	hy_infer_free(f);
	hy_free(p);
	hy_free(p0);
	hy_free(b.image);
	hy_free(b.label);
	hy_model_clear(&m);
}

static hy_step *make_step(const struct setup *s, hy_model *m, const batch *b)
{
	hardy_error err;
	hy_step_options o;
	hy_step_options_init(&o);
	o.batch = b->n;
	o.height = b->h;
	o.width = b->w;
	o.w_dice = 1;
	o.engine = s->engine;
	hy_step *step = hy_step_new(&m->network, &o, &err);
	if (!step)
		fail_msg("%s", err.message);
	return step;
}

static double number(const cJSON *list, int i)
{
	return cJSON_GetArrayItem(list, i)->valuedouble;
}

static void training(const struct setup *s)
{
	hy_model m = load_model();
	batch b = load_batch();
	hardy_error err;
	double terms[HY_N_TERMS];
	hy_step *step = make_step(s, &m, &b);
	assert_ok(hy_step_gradients(step, b.image, b.image, b.label, NULL, 0, terms, &err), &err);
	const cJSON *loss = golden_member(g.manifest, "loss"), *values = golden_member(loss, "values");
	golden_close_to(s->name, "loss", "sum", terms[HY_TERM_SEG], number(values, 0) + number(values, 1),
	                2 * golden_number(loss, "tolerance"));
	for (int k = HY_TERM_SEG + 1; k < HY_N_TERMS; k++) {
		assert_true(terms[k] == 0);
		assert_false(hy_step_has_term(step, (enum hy_term)k));
	}
	golden_close_tensors(&g, s->name, "gradient", golden_member(g.manifest, "grad"), &m.network.params, true);
	golden_close_tensors(&g, s->name, "statistics", golden_member(g.manifest, "running_stats_after"), &m.network.params, false);
	hy_step_free(step);
	hy_free(b.image);
	hy_free(b.label);
	hy_model_clear(&m);
}

static void curve(const struct setup *s)
{
	hy_model m = load_model();
	batch b = load_batch();
	hardy_error err;
	hy_params *p = &m.network.params;
	hy_step *step = make_step(s, &m, &b);
	const cJSON *c = golden_member(g.manifest, "curve"), *values = golden_member(c, "values"),
	            *tolerance = golden_member(c, "tolerance");
	const float rate = (float)golden_number(c, "rate");
	for (int k = 0; k < cJSON_GetArraySize(values); k++) {
		double terms[HY_N_TERMS];
		const cJSON *want = cJSON_GetArrayItem(values, k);
		assert_ok(hy_step_gradients(step, b.image, b.image, b.label, NULL, k, terms, &err), &err);
		golden_close_to(s->name, "curve", "loss", terms[HY_TERM_SEG], number(want, 0) + number(want, 1),
		                2 * number(tolerance, k));
		float *to = hy_params_write_values(p);
		for (size_t i = 0; i < p->n_values; i++)
			to[i] -= rate * p->grads[i];
		g.n_checked++;
	}
	hy_step_free(step);
	hy_free(b.image);
	hy_free(b.label);
	hy_model_clear(&m);
}

static void recorded_values(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof setups / sizeof *setups; i++) {
		const struct setup *s = &setups[i];
		if (!hy_kernels_pick(s->engine.isa, NULL)) {
			print_message("%s is not available here\n", s->name);
			continue;
		}
		inference(s, 1);
		inference(s, 2);
		inference(s, 3);
		training(s);
		curve(s);
	}
}

/* Every batch-norm mode of a step, twice with the same bytes: no instruction relies on what the run before left. */
static void is_repeatable(void **state)
{
	(void)state;
	hy_model m = load_model();
	batch b = load_batch();
	hardy_error err;
	double terms[2][HY_N_TERMS];
	hy_step *step = make_step(&(struct setup){"native", {HY_ISA_AUTO, HY_CONV_AUTO}}, &m, &b);
	const size_t n = m.network.params.n_values;
	float *first = hy_alloc(n, sizeof *first);
	for (int k = 0; k < 2; k++) {
		assert_ok(hy_step_gradients(step, b.image, b.image, b.label, NULL, 0, terms[k], &err), &err);
		if (!k)
			memcpy(first, m.network.params.grads, n * sizeof *first);
	}
	assert_memory_equal(terms[0], terms[1], sizeof terms[0]);
	assert_memory_equal(first, m.network.params.grads, n * sizeof *first);
	hy_free(first);
	hy_step_free(step);
	hy_free(b.image);
	hy_free(b.label);
	hy_model_clear(&m);
}

/* A U-Net with weights of its own; without_skip: the same ones, as far as it has them. The topmost skip of the other weighs nothing. */
static void make_pair(hy_network *full, hy_network *without_skip)
{
	enum { WIDTH = 16 };
	hardy_error err;
	hy_network_config c = {.channels = 1, .classes = 3, .kind = HY_NETWORK_UNET, .width = WIDTH, .levels = 3};
	assert_ok(hy_network_init(full, &c, &err), &err);
	c.no_top_skip = true;
	assert_ok(hy_network_init(without_skip, &c, &err), &err);
	hy_params_draw(&full->params, 7);
	float *from = hy_params_write_values(&full->params), *to = hy_params_write_values(&without_skip->params);
	for (size_t i = 0; i < full->params.n; i++) {
		const hy_param *q = &full->params.list[i];
		if (q->is_buffer)
			continue;
		const int at = hy_params_find(&without_skip->params, q->name);
		assert_true(at >= 0);
		const hy_param *r = &without_skip->params.list[at];
		if (q->n == r->n) {
			memcpy(to + r->offset, from + q->offset, q->n * sizeof *to);
			continue;
		}
		assert_string_equal(q->name, "up.1.0.0.weight");
		assert_true(q->n == 3 * WIDTH * WIDTH * 9 && r->n == 2 * WIDTH * WIDTH * 9);
		for (size_t o = 0; o < WIDTH; o++) {
			const size_t have = 2 * WIDTH * 9, skip = WIDTH * 9;
			memcpy(to + r->offset + o * have, from + q->offset + o * (have + skip), have * sizeof *to);
			memset(from + q->offset + o * (have + skip) + have, 0, skip * sizeof *from);
		}
	}
}

/* Losses and gradients are those of a whole U-Net whose topmost skip weighs nothing, for every kernel table. */
static void without_the_topmost_skip(void **state)
{
	(void)state;
	enum { N = 2, SIDE = 32 };
	float image[N * SIDE * SIDE];
	uint8_t label[N * SIDE * SIDE];
	hy_rng rng = hy_rng_make(3, HY_RNG_TEST, 0, 0);
	for (int i = 0; i < N * SIDE * SIDE; i++) {
		image[i] = (float)hy_rng_uniform(&rng);
		label[i] = (uint8_t)(i / 9 % 3);
	}
	const batch b = {.n = N, .channels = 1, .h = SIDE, .w = SIDE, .image = image, .label = label};
	for (size_t i = 0; i < sizeof setups / sizeof *setups; i++) {
		hardy_error err;
		hy_model m[2] = {{.n_classes = 3, .n_channels = 1}, {.n_classes = 3, .n_channels = 1}};
		double terms[2][HY_N_TERMS];
		if (!hy_kernels_pick(setups[i].engine.isa, NULL))
			continue;
		make_pair(&m[0].network, &m[1].network);
		for (int k = 0; k < 2; k++) {
			hy_step *step = make_step(&setups[i], &m[k], &b);
			assert_ok(hy_step_gradients(step, image, image, label, NULL, 0, terms[k], &err), &err);
			hy_step_free(step);
		}
		for (int k = 0; k < HY_N_TERMS; k++)
			assert_true(fabs(terms[0][k] - terms[1][k]) < 1e-5);
		const hy_params *full = &m[0].network.params, *part = &m[1].network.params;
		for (size_t k = 0; k < full->n; k++) {
			const hy_param *q = &full->list[k], *r = &part->list[hy_params_find(part, full->list[k].name)];
			double largest = 0, off = 0;
			for (size_t j = 0; !q->is_buffer && q->n == r->n && j < q->n; j++) {
				largest = fmax(largest, fabs((double)full->grads[q->offset + j]));
				off = fmax(off, fabs((double)full->grads[q->offset + j] - (double)part->grads[r->offset + j]));
			}
			if (off > 1e-3 * largest + 1e-6)
				fail_msg("%s, %s: gradients differ by %g of %g", setups[i].name, q->name, off, largest);
		}
		hy_model_clear(&m[0]);
		hy_model_clear(&m[1]);
	}
}

/* A model file says what the network is. */
static void check_kept(bool no_top_skip)
{
	hardy_error err;
	hy_model m = {.n_classes = 3, .n_channels = 2}, back;
	const hy_network_config c = {
	    .channels = 2, .classes = 3, .kind = HY_NETWORK_UNET, .width = 32, .levels = 4, .no_top_skip = no_top_skip};
	assert_ok(hy_network_init(&m.network, &c, &err), &err);
	hy_params_draw(&m.network.params, 1);
	hy_plan_init(&m.plan);
	for (int i = 0; i < 3; i++) {
		m.classes[i] = (hy_class){.value = i, .present = true};
		m.classes[i].name[0] = (char)('a' + i);
	}
	m.channels[0][0] = 'x';
	m.channels[1][0] = 'y';
	m.use = (hy_use){.chosen = true, .keep_largest = true, .dice = 0.75, .plain_dice = 0.5};
	const char *path = scratch_path(no_top_skip ? "no-top-skip.safetensors" : "unet.safetensors");
	assert_ok(hy_model_save(&m, path, NULL, NULL, &err), &err);
	assert_ok(hy_model_load(&back, path, NULL, &err), &err);
	assert_int_equal(back.network.config.kind, HY_NETWORK_UNET);
	assert_int_equal(back.network.config.width, 32);
	assert_int_equal(back.network.config.levels, 4);
	assert_true(back.network.config.no_top_skip == c.no_top_skip);
	assert_true(back.use.chosen && back.use.keep_largest && !back.use.flips && !back.use.ftn);
	assert_true(back.use.dice == 0.75 && back.use.plain_dice == 0.5);
	assert_memory_equal(back.network.params.values, m.network.params.values,
	                    m.network.params.n_values * sizeof *m.network.params.values);
	hy_model_clear(&back);
	/* without metadata the shapes tell */
	hy_st_file file;
	const char *bare = scratch_path(no_top_skip ? "bare-no-top-skip.safetensors" : "bare.safetensors");
	assert_ok(hy_st_read(&file, path, &err), &err);
	assert_ok(hy_st_write(bare, file.tensors, file.n_tensors, NULL, NULL, 0, NULL, &err), &err);
	hy_st_clear(&file);
	assert_ok(hy_model_load(&back, bare, NULL, &err), &err);
	assert_true(back.network.config.levels == 4 && back.network.config.no_top_skip == no_top_skip);
	hy_model_clear(&back);
	hy_model_clear(&m);
}

static void is_kept_in_the_model(void **state)
{
	(void)state;
	check_kept(false);
	check_kept(true);
}

static void refuses(void **state)
{
	(void)state;
	static const struct {
		int width, levels;
		const char *said;
	} wrong[] = {{20, 5, "width 20"}, {8, 5, "width 8"}, {128, 5, "width 128"}, {16, 1, "1 levels"}, {16, 7, "7 levels"}};
	for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
		hy_network n;
		hardy_error err = {0};
		const hy_network_config c = {
		    .channels = 1, .classes = 2, .kind = HY_NETWORK_UNET, .width = wrong[i].width, .levels = wrong[i].levels};
		assert_int_equal(hy_network_init(&n, &c, &err), HARDY_ERROR_ARGUMENT);
		assert_non_null(strstr(err.message, wrong[i].said));
	}
	/* hard examples need codes */
	hy_network n;
	hardy_error err = {0};
	const hy_network_config c = {.channels = 1, .classes = 2, .kind = HY_NETWORK_UNET};
	assert_ok(hy_network_init(&n, &c, &err), &err);
	hy_step_options o;
	hy_step_options_init(&o);
	o.batch = 2;
	o.height = o.width = 32;
	o.cooperative = true;
	assert_null(hy_step_new(&n, &o, &err));
	assert_int_equal(err.status, HARDY_ERROR_UNSUPPORTED);
	assert_non_null(strstr(err.message, "unet"));
	hy_network_clear(&n);
}

int main(void)
{
	golden_open_own(&g, "tests/network/unet");
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(recorded_values),      cmocka_unit_test(is_repeatable), cmocka_unit_test(without_the_topmost_skip),
	    cmocka_unit_test(is_kept_in_the_model), cmocka_unit_test(refuses),
	};
	const int failed = cmocka_run_group_tests(tests, NULL, NULL);
	scratch_remove();
	return golden_close(&g, failed);
}
