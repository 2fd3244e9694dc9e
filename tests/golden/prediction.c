/*
 * prediction.c: the recorded network, loaded as a model, calls the recorded arg max on the recorded slices, FTN and FTN+STN.
 */
#include "support/golden.h"
#include "support/test.h"

#include "base/memory.h"
#include "network/infer.h"
#include "predict/model.h"

#include <math.h>

static golden g;

/* Class of each pixel; *margin gets how far the largest logit is above the second. */
static int arg_max(const float *logits, int64_t classes, int64_t plane, int64_t pixel, double *margin)
{
	int best = 0;
	for (int c = 1; c < classes; c++)
		best = logits[c * plane + pixel] > logits[best * plane + pixel] ? c : best;
	*margin = INFINITY;
	for (int c = 0; c < classes; c++) {
		const double apart = (double)logits[best * plane + pixel] - (double)logits[c * plane + pixel];
		if (c != best && apart < *margin)
			*margin = apart;
	}
	return best;
}

/* Pixels whose two largest logits are nearer than the recorded tolerance may go either way. */
static void check(const cJSON *record, const float *found, const npy *image, int classes)
{
	npy wanted = golden_member_array(&g, record, "file");
	float *logits = npy_floats(&wanted);
	const double tolerance = golden_number(record, "tolerance");
	const int64_t n = image->shape[0], plane = image->shape[2] * image->shape[3];
	int64_t n_near = 0;
	assert_non_null(logits);
	assert_int_equal(wanted.n, (size_t)(n * classes * plane));
	for (int64_t i = 0; i < n; i++) {
		for (int64_t k = 0; k < plane; k++) {
			double margin, own;
			const int want = arg_max(logits + i * classes * plane, classes, plane, k, &margin);
			const int got = arg_max(found + i * classes * plane, classes, plane, k, &own);
			if (margin < 2 * tolerance)
				n_near++;
			else if (want != got)
				fail_msg("slice %lld, pixel %lld: class %d, want %d (margin %g)", (long long)i, (long long)k, got, want,
				         margin);
		}
	}
	assert_true(n_near * 100 < n * plane); /* or the test shows little */
	g.n_checked++;
	hy_free(logits);
	npy_clear(&wanted);
}

static void calls_the_recorded_classes(void **state)
{
	(void)state;
	hardy_error err;
	hy_model m;
	char *path = golden_path(&g, "weights.safetensors");
	assert_ok(hy_model_load(&m, path, NULL, &err), &err);
	hy_free(path);
	npy image = golden_member_array(&g, golden_member(g.manifest, "input"), "clean_image");
	const cJSON *record = golden_member(golden_member(g.manifest, "cases"), "A_inference");
	assert_int_equal(image.n_dims, 4);
	const int64_t n = image.shape[0];
	float *x = npy_floats(&image), *p[2];
	for (int i = 0; i < 2; i++)
		p[i] = hy_alloc(image.n * (size_t)m.n_classes, sizeof(float));
	assert_true(x && p[0] && p[1]);
	/* slices that do not fill the last run, too */
	for (int64_t batch = 1; batch <= n; batch += 2) {
		const hy_infer_options o = {
		    .batch = batch, .height = image.shape[2], .width = image.shape[3], .stn = true, .norm = HY_NORM_RUNNING};
		hy_infer *f = hy_infer_new(&m.network, &o, &err);
		if (!f)
			fail_msg("%s", err.message);
		assert_ok(hy_infer_run(f, x, n, p[0], p[1], NULL, &err), &err);
		check(golden_member(record, "logits"), p[0], &image, m.n_classes);
		check(golden_member(record, "stn_logits"), p[1], &image, m.n_classes);
		hy_infer_free(f);
	}
	hy_free(x);
	hy_free(p[0]);
	hy_free(p[1]);
	npy_clear(&image);
	hy_model_clear(&m);
}

int main(void)
{
	golden_open(&g, "engine");
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(calls_the_recorded_classes),
	};
	return golden_close(&g, cmocka_run_group_tests(tests, NULL, NULL));
}
