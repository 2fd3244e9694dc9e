/*
 * model.c: a model file gives back what was put in, byte for byte; everything else is refused by name.
 */
#include "support/json_memory.h"
#include "support/listen.h"
#include "support/scratch.h"
#include "support/test.h"

#include "base/files.h"
#include "base/json.h"
#include "base/memory.h"
#include "engine/safetensors.h"
#include "predict/jobs.h"
#include "predict/model.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static hy_model model; /* small, drawn once */

static int make_model(void **state)
{
	(void)state;
	hardy_error err;
	const hy_network_config config = {.channels = 2, .classes = 3, .decoupler = true};
	assert_ok(hy_network_init(&model.network, &config, &err), &err);
	hy_params *p = &model.network.params;
	hy_params_draw(p, 7);
	p->n_batches_tracked = 41;
	p->adam_steps = 12;
	for (size_t i = 0; i < p->n_values; i++) {
		p->first_moment[i] = 1e-3f * (float)(i % 17);
		p->second_moment[i] = 1e-6f * (float)(i % 13);
	}
	hy_plan_init(&model.plan);
	model.plan.spacing_mm = 2.1;
	model.plan.size = 32;
	model.n_classes = 3;
	model.n_channels = 2;
	const hy_class classes[] = {{"background", 0, true}, {"lesion", 7, true}, {"caf\xc3\xa9 \"x\"", -1, false}};
	memcpy(model.classes, classes, sizeof classes);
	strcpy(model.channels[0], "T1");
	strcpy(model.channels[1], "T2");
	model.fingerprint = (hy_fingerprint){.n_volumes = 20,
	                                     .spacing_low_mm = {1, 1.1, 5},
	                                     .spacing_high_mm = {1.9, 1.8, 10.000000001},
	                                     .matrix_low = {150, 160, 6},
	                                     .matrix_high = {300, 310, 18},
	                                     .mean_low = {0.1, 0.2},
	                                     .mean_high = {0.3, 0.4},
	                                     .sd_low = {0.05, 0.06},
	                                     .sd_high = {1.0 / 3, 0.4},
	                                     .reconstruction_mean = 0.0123456789012345678,
	                                     .reconstruction_sd = 0.001};
	model.calibration = (hy_calibration){.version = HY_CALIBRATION_VERSION,
	                                     .n_subjects = 10,
	                                     .n_scans = 20,
	                                     .n_predictions = 460,
	                                     .n_below = 200,
	                                     .presence = {1, 0.95, 1.0 / 3},
	                                     .weight = {0.1, [HY_N_SIGNALS - 1] = -0.2},
	                                     .intercept = 0.7,
	                                     .n_knots = 2,
	                                     .knot_x = {0.1, 0.8},
	                                     .knot_y = {0, 0.9},
	                                     .margin_x = {0.1, 0.5, 0.9},
	                                     .margin = {0.05, 0.1, 0.02},
	                                     .error = 0.06,
	                                     .auc = -1};
	for (int k = 0; k < HY_N_SIGNALS; k++)
		model.calibration.sd[k] = 0.25 * (k + 1);
	model.card = hy_strdup("{\"data\":\"phantom\",\"subjects\":[\"a\",\"b\"]}");
	assert_non_null(model.card);
	return 0;
}

static int clear_all(void **state)
{
	(void)state;
	hy_model_clear(&model);
	scratch_remove();
	return 0;
}

static void save(const char *name, const char *state_text)
{
	hardy_error err;
	assert_ok(hy_model_save(&model, scratch_path(name), state_text, HY_REPLACE_ANY, &err), &err);
}

static void same_bytes(const char *a, const char *b)
{
	hardy_error err;
	char *x = NULL, *y = NULL;
	size_t n = 0, m = 0;
	assert_ok(hy_file_read(scratch_path(a), &x, &n, &err), &err);
	assert_ok(hy_file_read(scratch_path(b), &y, &m, &err), &err);
	assert_int_equal(n, m);
	assert_memory_equal(x, y, n);
	hy_free(x);
	hy_free(y);
}

static void round_trip(const char *text)
{
	hardy_error err;
	hy_model back = {0};
	char *got = (char *)1;
	save("a.safetensors", text);
	assert_ok(hy_model_load(&back, scratch_path("a.safetensors"), &got, &err), &err);
	assert_ok(hy_model_save(&back, scratch_path("b.safetensors"), text, HY_REPLACE_ANY, &err), &err);
	same_bytes("a.safetensors", "b.safetensors");
	const hy_params *p = &model.network.params, *q = &back.network.params;
	assert_int_equal(q->n, p->n);
	assert_memory_equal(q->values, p->values, p->n_values * sizeof(float));
	assert_memory_equal(q->buffers, p->buffers, p->n_buffers * sizeof(float));
	assert_int_equal(q->n_batches_tracked, 41);
	assert_memory_equal(&back.fingerprint, &model.fingerprint, sizeof model.fingerprint);
	assert_memory_equal(&back.calibration, &model.calibration, sizeof model.calibration);
	assert_true(back.plan.spacing_mm == model.plan.spacing_mm && back.plan.size == model.plan.size);
	assert_true(back.plan.percentile_low == model.plan.percentile_low);
	assert_true(back.plan.percentile_high == model.plan.percentile_high);
	assert_true(back.plan.normalise_first && back.plan.minmax_slice);
	assert_int_equal(back.n_classes, 3);
	for (int i = 0; i < 3; i++) {
		assert_string_equal(back.classes[i].name, model.classes[i].name);
		assert_int_equal(back.classes[i].value, model.classes[i].value);
		assert_int_equal(back.classes[i].present, model.classes[i].present);
	}
	assert_string_equal(back.channels[1], "T2");
	assert_string_equal(back.card, model.card);
	if (text) {
		assert_string_equal(got, text);
		assert_int_equal(q->adam_steps, 12);
		for (size_t i = 0; i < p->n; i++) {
			const hy_param *t = &p->list[i];
			if (t->is_buffer)
				continue;
			assert_memory_equal(q->first_moment + t->offset, p->first_moment + t->offset, t->n * sizeof(float));
			assert_memory_equal(q->second_moment + t->offset, p->second_moment + t->offset, t->n * sizeof(float));
		}
	} else {
		assert_null(got);
		assert_int_equal(q->adam_steps, 0);
	}
	hy_free(got);
	hy_model_clear(&back);
}

static void model_comes_back(void **state)
{
	(void)state;
	round_trip(NULL);
}

static void checkpoint_comes_back(void **state)
{
	(void)state;
	round_trip("{\"epoch\": 3, \"rng\": \"\\u0001 \\\"\"}");
}

/* A file with the model's tensors and metadata, changed by the caller before writing. */
typedef struct edit {
	hy_st_file file;
	const char *keys[16], *values[16];
	size_t n_metadata;
} edit;

static edit begin_edit(void)
{
	hardy_error err;
	edit e = {0};
	save("base.safetensors", NULL);
	assert_ok(hy_st_read(&e.file, scratch_path("base.safetensors"), &err), &err);
	for (size_t i = 0; i < e.file.n_metadata; i++) {
		e.keys[i] = e.file.keys[i];
		e.values[i] = e.file.values[i];
	}
	e.n_metadata = e.file.n_metadata;
	return e;
}

static void set_metadata(edit *e, const char *key, const char *value)
{
	for (size_t i = 0; i < e->n_metadata; i++) {
		if (!strcmp(e->keys[i], key))
			e->values[i] = value;
	}
}

static size_t tensor_index(const edit *e, const char *name)
{
	const hy_st_tensor *t = hy_st_find(&e->file, name);
	assert_non_null(t);
	return (size_t)(t - e->file.tensors);
}

/* Writes what was edited and expects the loader to refuse it, with the words in its message. */
static void refuse(edit *e, hardy_status wanted, const char *words)
{
	hardy_error err;
	hy_model back;
	memset(&back, 0x5a, sizeof back);
	const hy_model before = back;
	char *state_text = (char *)1;
	const char *path = scratch_path("edited.safetensors");
	assert_ok(hy_st_write(path, e->file.tensors, e->file.n_tensors, e->keys, e->values, e->n_metadata, HY_REPLACE_ANY, &err),
	          &err);
	assert_int_equal(hy_model_load(&back, path, &state_text, &err), wanted);
	assert_int_equal(err.status, wanted);
	if (!strstr(err.message, words) || !strstr(err.message, "edited.safetensors"))
		fail_msg("\"%s\" does not say \"%s\"", err.message, words);
	assert_memory_equal(&back, &before, sizeof back);
	assert_ptr_equal(state_text, (char *)1);
}

#define SOME "segmentation_decoder.up2.conv.0.weight"

static void missing_tensor(void **state)
{
	(void)state;
	edit e = begin_edit();
	const size_t i = tensor_index(&e, SOME);
	hy_free(e.file.tensors[i].name);
	memmove(e.file.tensors + i, e.file.tensors + i + 1, (--e.file.n_tensors - i) * sizeof *e.file.tensors);
	refuse(&e, HARDY_ERROR_FORMAT, "\"" SOME "\" is missing");
	hy_st_clear(&e.file);
}

static void extra_tensor(void **state)
{
	(void)state;
	edit e = begin_edit();
	hy_st_tensor *t = hy_realloc(e.file.tensors, e.file.n_tensors + 1, sizeof *t);
	assert_non_null(t);
	e.file.tensors = t;
	t[e.file.n_tensors] = t[0];
	t[e.file.n_tensors++].name = hy_strdup("stranger");
	refuse(&e, HARDY_ERROR_FORMAT, "\"stranger\" does not belong");
	hy_st_clear(&e.file);
}

static void misshapen_tensor(void **state)
{
	(void)state;
	edit e = begin_edit();
	hy_st_tensor *t = &e.file.tensors[tensor_index(&e, SOME)];
	t->shape[0] = 64;
	t->shape[1] = 32;
	refuse(&e, HARDY_ERROR_FORMAT, "\"" SOME "\" is 64 x 32 x 3 x 3, want 32 x 64 x 3 x 3");
	hy_st_clear(&e.file);
}

static void tensor_of_another_type(void **state)
{
	(void)state;
	edit e = begin_edit();
	e.file.tensors[tensor_index(&e, SOME)].dtype = HY_I32;
	refuse(&e, HARDY_ERROR_FORMAT, "\"" SOME "\" is not of type F32");
	hy_st_clear(&e.file);
}

static void value_that_is_not_finite(void **state)
{
	(void)state;
	edit e = begin_edit();
	hy_st_tensor *t = &e.file.tensors[tensor_index(&e, SOME)];
	float *v = hy_alloc(t->n_bytes, 1);
	memcpy(v, t->data, t->n_bytes);
	v[5] = NAN;
	t->data = v;
	refuse(&e, HARDY_ERROR_NUMERIC, "\"" SOME "\" holds a value that is not finite");
	hy_free(v);
	hy_st_clear(&e.file);
}

static void negative_variance(void **state)
{
	(void)state;
	edit e = begin_edit();
	hy_st_tensor *t = &e.file.tensors[tensor_index(&e, "shape_encoder.inc.1.running_var")];
	float v[16] = {1, 1, -0.5f};
	t->data = v;
	refuse(&e, HARDY_ERROR_FORMAT, "negative variance -0.5");
	hy_st_clear(&e.file);
}

static void bad_metadata(void **state)
{
	(void)state;
	const struct {
		const char *key, *value;
		hardy_status status;
		const char *words;
	} cases[] = {
	    {"hardy_version", "9.0.0", HARDY_ERROR_UNSUPPORTED, "written by hardy 9.0.0"},
	    {"hardy_version", "new", HARDY_ERROR_FORMAT, "\"hardy_version\" is \"new\""},
	    {"plan", "{", HARDY_ERROR_FORMAT, "\"plan\": line 1: not valid JSON"},
	    {"plan", "[]", HARDY_ERROR_FORMAT, "\"plan\": not a JSON object"},
	    {"plan", "{\"spacing_mm\":2}", HARDY_ERROR_FORMAT, "\"size\" is missing"},
	    {"plan",
	     "{\"spacing_mm\":2,\"size\":40,\"percentile_low\":2,\"percentile_high\":98,\"normalise_first\":true,\"minmax_slice\":"
	     "true}",
	     HARDY_ERROR_FORMAT, "\"size\" is 40, want a multiple of 16"},
	    {"plan",
	     "{\"spacing_mm\":0,\"size\":32,\"percentile_low\":2,\"percentile_high\":98,\"normalise_first\":true,\"minmax_slice\":"
	     "true}",
	     HARDY_ERROR_FORMAT, "\"spacing_mm\" is 0"},
	    {"plan",
	     "{\"spacing_mm\":2,\"size\":32,\"percentile_low\":9,\"percentile_high\":8,\"normalise_first\":true,\"minmax_slice\":"
	     "true}",
	     HARDY_ERROR_FORMAT, "percentiles are 9 and 8"},
	    {"plan",
	     "{\"spacing_mm\":2,\"size\":32,\"percentile_low\":2,\"percentile_high\":98,\"normalise_first\":1,\"minmax_slice\":"
	     "true}",
	     HARDY_ERROR_FORMAT, "\"normalise_first\" is not true or false"},
	    {"network", "{\"channels\":2,\"classes\":4,\"decoupler\":true}", HARDY_ERROR_FORMAT, "3 entries, want a list of 4"},
	    {"network", "{\"channels\":99,\"classes\":3,\"decoupler\":true}", HARDY_ERROR_FORMAT, "\"channels\" is 99"},
	    {"network", "{\"channels\":2,\"classes\":3,\"decoupler\":false}", HARDY_ERROR_FORMAT, "does not belong"},
	    {"classes", "[{\"value\":0,\"name\":\"a\"},{\"value\":1},{\"value\":2,\"name\":\"c\"}]", HARDY_ERROR_FORMAT,
	     "entry 1 has no name"},
	    {"classes", "[{\"value\":0,\"name\":\"a\"},{\"value\":70000,\"name\":\"b\"},{\"value\":2,\"name\":\"c\"}]",
	     HARDY_ERROR_FORMAT, "\"value\" is 70000"},
	    {"channels", "[\"T1\",\"T\\n2\"]", HARDY_ERROR_FORMAT, "control character"},
	    {"fingerprint", "{}", HARDY_ERROR_FORMAT, "\"n_volumes\" is missing"},
	    {"quality", "{\"version\":1}", HARDY_ERROR_FORMAT, "\"subjects\" is missing"},
	    {"quality", "[", HARDY_ERROR_FORMAT, "\"quality\": line 1: not valid JSON"},
	    {"quality", "3", HARDY_ERROR_FORMAT, "not a JSON object"},
	    {"card", "3", HARDY_ERROR_FORMAT, "\"card\": not a JSON object"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		edit e = begin_edit();
		set_metadata(&e, cases[i].key, cases[i].value);
		refuse(&e, cases[i].status, cases[i].words);
		hy_st_clear(&e.file);
	}
	edit e = begin_edit();
	e.n_metadata = 1; /* the version alone */
	refuse(&e, HARDY_ERROR_FORMAT, "metadata \"network\" is missing");
	hy_st_clear(&e.file);
}

static void checkpoint_without_moments(void **state)
{
	(void)state;
	edit e = begin_edit();
	e.keys[e.n_metadata] = "state";
	e.values[e.n_metadata++] = "{}";
	refuse(&e, HARDY_ERROR_FORMAT, "\"adam.first_moment.");
	hy_st_clear(&e.file);
}

static void bare_state_dict(void **state)
{
	(void)state;
	hardy_error err;
	hy_model back = {0};
	char *text = NULL;
	edit e = begin_edit();
	/* as exported without the counts */
	size_t n = 0;
	for (size_t i = 0; i < e.file.n_tensors; i++) {
		if (strstr(e.file.tensors[i].name, "num_batches_tracked"))
			hy_free(e.file.tensors[i].name);
		else
			e.file.tensors[n++] = e.file.tensors[i];
	}
	assert_true(n < e.file.n_tensors);
	e.file.n_tensors = n;
	const char *path = scratch_path("bare.safetensors");
	assert_ok(hy_st_write(path, e.file.tensors, n, NULL, NULL, 0, HY_REPLACE_ANY, &err), &err);
	assert_ok(hy_model_load(&back, path, &text, &err), &err);
	assert_null(text);
	assert_int_equal(back.network.config.channels, 2);
	assert_int_equal(back.n_classes, 3);
	assert_true(back.network.config.decoupler);
	assert_int_equal(back.plan.size, 192);
	assert_string_equal(back.classes[2].name, "class_2");
	assert_int_equal(back.network.params.n_batches_tracked, 0);
	assert_memory_equal(back.network.params.values, model.network.params.values, model.network.params.n_values * sizeof(float));
	hy_model_clear(&back);
	hy_st_clear(&e.file);
}

static void cut_at_every_part(void **state)
{
	(void)state;
	hardy_error err;
	hy_model back;
	char *bytes = NULL;
	size_t n = 0;
	save("whole.safetensors", NULL);
	assert_ok(hy_file_read(scratch_path("whole.safetensors"), &bytes, &n, &err), &err);
	for (int i = 0; i < 24; i++) {
		const size_t keep = i < 12 ? (size_t)i * 3 : n - (size_t)(i - 11) * (n / 14);
		scratch_write("cut.safetensors", bytes, keep);
		assert_int_not_equal(hy_model_load(&back, scratch_path("cut.safetensors"), NULL, &err), HARDY_OK);
		assert_non_null(strstr(err.message, "cut.safetensors"));
	}
	hy_free(bytes);
	assert_int_equal(hy_model_load(&back, scratch_path("nowhere.safetensors"), NULL, &err), HARDY_ERROR_IO);
}

/* A later program's calibration is none for this one. */
static void calibration_of_another_version(void **state)
{
	(void)state;
	hardy_error err;
	hy_model back = {0};
	edit e = begin_edit();
	const char *path = scratch_path("later.safetensors");
	set_metadata(&e, "quality", "{\"version\":2,\"forest\":[1,2,3]}");
	assert_ok(hy_st_write(path, e.file.tensors, e.file.n_tensors, e.keys, e.values, e.n_metadata, HY_REPLACE_ANY, &err), &err);
	assert_ok(hy_model_load(&back, path, NULL, &err), &err);
	assert_int_equal(back.calibration.version, 0);
	hy_model_clear(&back);
	hy_st_clear(&e.file);
}

static void what_cannot_be_read_is_not_written(void **state)
{
	(void)state;
	hardy_error err;
	const char *path = scratch_path("bad.safetensors");
	float *v = hy_params_write_values(&model.network.params) + 3;
	const float kept = *v;
	*v = INFINITY;
	assert_int_equal(hy_model_save(&model, path, NULL, HY_REPLACE_ANY, &err), HARDY_ERROR_NUMERIC);
	*v = kept;
	model.fingerprint.mean_high[1] = NAN;
	assert_int_equal(hy_model_save(&model, path, NULL, HY_REPLACE_ANY, &err), HARDY_ERROR_FORMAT);
	assert_non_null(strstr(err.message, "mean_high"));
	model.fingerprint.mean_high[1] = 0.4;
	model.calibration.margin[1] = NAN;
	assert_int_equal(hy_model_save(&model, path, NULL, HY_REPLACE_ANY, &err), HARDY_ERROR_FORMAT);
	assert_non_null(strstr(err.message, "margin"));
	model.calibration.margin[1] = 0.1;
	model.calibration.knot_x[1] = 0.1;
	assert_int_equal(hy_model_save(&model, path, NULL, HY_REPLACE_ANY, &err), HARDY_ERROR_FORMAT);
	assert_non_null(strstr(err.message, "\"knot_x\" does not increase"));
	model.calibration.knot_x[1] = 0.8;
	char *card = model.card;
	model.card = (char[]){"not json"};
	assert_int_equal(hy_model_save(&model, path, NULL, HY_REPLACE_ANY, &err), HARDY_ERROR_ARGUMENT);
	model.card = card;
	assert_false(hy_path_exists(path));
	assert_int_equal(hy_model_save(&model, "/nowhere/at/all.safetensors", NULL, HY_REPLACE_ANY, &err), HARDY_ERROR_IO);
}

/* The last byte of the tensors changed, or the metadata's hash: both are told; a file without a hash says so. */
static void tensors_are_verified(void **state)
{
	(void)state;
	hardy_error err;
	char *text = NULL, *key;
	size_t size = 0;
	const char *path = scratch_path("verified.safetensors");
	assert_ok(hy_model_save(&model, path, "{}", HY_REPLACE_ANY, &err), &err);
	listen_anew();
	assert_ok(hardy_verify(path, &listen_sink, &err), &err);
	assert_non_null(strstr(printed, "tensors are those that were written, SHA-256 "));
	assert_ok(hy_file_read(path, &text, &size, &err), &err);
	text[size - 1] ^= 1;
	scratch_write("changed.safetensors", text, size);
	assert_int_equal(hardy_verify(scratch_path("changed.safetensors"), NULL, &err), HARDY_ERROR_DATA);
	assert_non_null(strstr(err.message, "changed.safetensors: its tensors have the SHA-256 "));
	text[size - 1] ^= 1;
	for (key = text; memcmp(key, HY_MODEL_HASH, strlen(HY_MODEL_HASH)); key++)
		assert_true(key < text + size);
	key[0] = 'T'; /* a key that no reader knows */
	scratch_write("without.safetensors", text, size);
	listen_anew();
	assert_ok(hardy_verify(scratch_path("without.safetensors"), &listen_sink, &err), &err);
	assert_non_null(strstr(printed, "says no SHA-256 of its tensors"));
	hy_model old;
	assert_ok(hy_model_load(&old, scratch_path("without.safetensors"), NULL, &err), &err);
	hy_model_clear(&old);
	hy_free(text);
	assert_int_equal(hardy_verify(scratch_path("nowhere.safetensors"), NULL, &err), HARDY_ERROR_IO);
}

/* Every call near both ends, some between. */
static int64_t after(int64_t k, int64_t n, int64_t stride)
{
	return k + (k > 8 && n - k > 24 ? stride : 1);
}

static void fail_allocations(int64_t load_stride, int64_t save_stride)
{
	hardy_error err;
	const char *path = scratch_path("memory.safetensors");
	hy_model back = {0};
	char *text = NULL;
	hy_memory_fail_at(0);
	int64_t before = hy_memory_calls();
	assert_ok(hy_model_load(&back, path, &text, &err), &err);
	const int64_t n_load = hy_memory_calls() - before;
	hy_model_clear(&back);
	hy_free(text);
	for (int64_t k = 1; k <= n_load; k = after(k, n_load, load_stride)) {
		text = (char *)1;
		hy_memory_fail_at(k);
		const hardy_status status = hy_model_load(&back, path, &text, &err);
		hy_memory_fail_at(0);
		assert_int_equal(status, HARDY_ERROR_MEMORY);
		assert_ptr_equal(text, (char *)1);
	}
	before = hy_memory_calls();
	save("again.safetensors", "{}");
	const int64_t n_save = hy_memory_calls() - before;
	for (int64_t k = 1; k <= n_save; k = after(k, n_save, save_stride)) {
		hy_memory_fail_at(k);
		const hardy_status status = hy_model_save(&model, scratch_path("other.safetensors"), "{}", HY_REPLACE_ANY, &err);
		hy_memory_fail_at(0);
		assert_int_equal(status, HARDY_ERROR_MEMORY);
		assert_false(hy_path_exists(scratch_path("other.safetensors")));
	}
}

static void survives_lack_of_memory(void **state)
{
	(void)state;
	save("memory.safetensors", "{}");
	fail_allocations(61, 1);
	json_memory_counts(true); /* that of header and metadata runs out, too: a hundred times as many */
	fail_allocations(61 * TEST_STRIDE, 61 * TEST_STRIDE);
	json_memory_counts(false);
}

/* What a model has seen is told whole, or an error: subjects that are forgotten would be scored as if they were new. */
static void lack_of_memory_forgets_no_subject(void **state)
{
	(void)state;
	hardy_error err;
	hy_model m = {.card = (char *)"{\"data\":{\"name\":\"a\"},\"subjects\":{\"train\":[\"p1\"]},"
	                              "\"started_from\":{\"data\":{\"name\":\"b\"},\"subjects\":{\"train\":[\"q1\"]}}}"};
	int64_t n = 1;
	json_memory_counts(true);
	const int64_t live = hy_memory_live();
	for (int64_t k = 0; k <= n; k++) {
		cJSON *list = cJSON_CreateArray();
		const int64_t before = hy_memory_calls();
		hy_memory_fail_at(k);
		const hardy_status status = hy_training_add(list, &m, &err);
		hy_memory_fail_at(0);
		assert_int_equal(status, k ? HARDY_ERROR_MEMORY : HARDY_OK);
		if (!k) {
			n = hy_memory_calls() - before;
			assert_int_equal(cJSON_GetArraySize(list), 2);
		}
		cJSON_Delete(list);
		assert_int_equal(hy_memory_live(), live);
	}
	assert_in_range(n, 20, 200);
	json_memory_counts(false);
	m.card = (char *)"{";
	assert_int_equal(hy_training_add(NULL, &m, &err), HARDY_ERROR_FORMAT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(model_comes_back),
	    cmocka_unit_test(checkpoint_comes_back),
	    cmocka_unit_test(missing_tensor),
	    cmocka_unit_test(extra_tensor),
	    cmocka_unit_test(misshapen_tensor),
	    cmocka_unit_test(tensor_of_another_type),
	    cmocka_unit_test(value_that_is_not_finite),
	    cmocka_unit_test(negative_variance),
	    cmocka_unit_test(bad_metadata),
	    cmocka_unit_test(checkpoint_without_moments),
	    cmocka_unit_test(bare_state_dict),
	    cmocka_unit_test(cut_at_every_part),
	    cmocka_unit_test(calibration_of_another_version),
	    cmocka_unit_test(what_cannot_be_read_is_not_written),
	    cmocka_unit_test(tensors_are_verified),
	    cmocka_unit_test(survives_lack_of_memory),
	    cmocka_unit_test(lack_of_memory_forgets_no_subject),
	};
	return cmocka_run_group_tests(tests, make_model, clear_all);
}
