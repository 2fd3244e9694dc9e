/*
 * runtime.c: exported networks in ONNX Runtime (runtime.py) give what hardy computes, within 1e-4, for numbers of slices and grids that they were not
 * recorded with. Skipped where neither HARDY_PYTHON nor python3 has onnxruntime.
 */
#include "base/files.h"
#include "base/memory.h"
#include "base/rng.h"
#include "export/onnx.h"
#include "network/infer.h"
#include "support/models.h"
#include "support/scratch.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

static const char *python;

static const struct setup {
	const char *name;
	hy_network_config config;
	bool stn;
	int64_t n, h, w;
} setups[] = {
    {"ftn", {.channels = 1, .classes = 4, .decoupler = true}, false, 2, 48, 32},
    {"stn", {.channels = 1, .classes = 4, .decoupler = true}, true, 1, 32, 64},
    {"ftn without decoupler", {.channels = 2, .classes = 3}, false, 1, 16, 16},
    {"unet", {.channels = 1, .classes = 4, .kind = HY_NETWORK_UNET}, false, 3, 48, 16},
    {"small unet",
     {.channels = 3, .classes = 2, .kind = HY_NETWORK_UNET, .width = 32, .levels = 3, .no_top_skip = true},
     false,
     2,
     20,
     28},
};

static void make_network(hy_model *m, const hy_network_config *c)
{
	hardy_error err;
	*m = (hy_model){0};
	assert_ok(hy_network_init(&m->network, c, &err), &err);
	hy_params *p = &m->network.params;
	drawn_params(p, 7);
	float *values = hy_params_write_values(p);
	hy_rng g = hy_rng_make(7, HY_RNG_TEST, 3, 0);
	for (size_t i = 0; i < p->n; i++) /* biases and shifts that are drawn as 0 would show nothing */
		for (size_t k = 0; k < p->list[i].n && !p->list[i].is_buffer && p->list[i].n_dims == 1; k++)
			values[p->list[i].offset + k] += (float)(0.2 * hy_rng_normal(&g));
}

static void compare(const struct setup *s)
{
	hardy_error err;
	hy_model m;
	hy_text bytes = {0};
	char command[4096], shape[128];
	make_network(&m, &s->config);
	assert_ok(hy_onnx_make(&m, s->stn, NULL, 0, &bytes, &err), &err);
	const size_t n_in = (size_t)(s->n * s->config.channels * s->h * s->w),
	             n_out = (size_t)(s->n * s->config.classes * s->h * s->w);
	float *image = hy_alloc(n_in, sizeof *image), *p = hy_alloc(n_out, sizeof *p), *p0 = hy_alloc(n_out, sizeof *p0);
	assert_true(image && p && p0);
	hy_rng g = hy_rng_make(9, HY_RNG_TEST, 4, 0);
	for (size_t i = 0; i < n_in; i++)
		image[i] = (float)hy_rng_between(&g, 0, 1);
	const hy_infer_options o = {.batch = s->n, .height = s->h, .width = s->w, .stn = s->stn, .norm = HY_NORM_RUNNING};
	hy_infer *f = hy_infer_new(&m.network, &o, &err);
	assert_non_null(f);
	assert_ok(hy_infer_run(f, image, s->n, p, p0, NULL, &err), &err);
	scratch_write("model.onnx", bytes.data, bytes.used);
	scratch_write("image.raw", image, n_in * sizeof *image);
	scratch_write("logits.raw", s->stn ? p0 : p, n_out * sizeof *p);
	snprintf(shape, sizeof shape, "%d %d %d %d %d", (int)s->n, s->config.channels, s->config.classes, (int)s->h, (int)s->w);
	snprintf(command, sizeof command, "'%s' '%s/tests/export/runtime.py' '%s' %s", python, getenv("HARDY_SOURCE"),
	         scratch_folder(), shape);
	if (system(command))
		fail_msg("%s: ONNX Runtime gives something else", s->name);
	hy_infer_free(f);
	hy_free(image);
	hy_free(p);
	hy_free(p0);
	hy_text_clear(&bytes);
	hy_model_clear(&m);
}

static void onnx_runtime_gives_the_same(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof setups / sizeof *setups; i++)
		compare(&setups[i]);
}

int main(void)
{
	char command[1024];
	python = getenv("HARDY_PYTHON") ? getenv("HARDY_PYTHON") : "python3";
	snprintf(command, sizeof command, "'%s' -c 'import numpy, onnxruntime' 2>/dev/null", python);
	if (system(command)) {
		fprintf(stderr, "%s has no numpy and onnxruntime: name a Python that has in HARDY_PYTHON\n", python);
		return 77;
	}
	const struct CMUnitTest tests[] = {cmocka_unit_test(onnx_runtime_gives_the_same)};
	return cmocka_run_group_tests(tests, NULL, scratch_teardown);
}
