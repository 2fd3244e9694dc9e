/*
 * predictor.c: models and predictors as programs use them: the same bytes as the library's own predictor whatever the type and order of the
 * caller's voxels, frames and channels, what is kept and what is not, ensembles, options of other versions, and every refusal.
 */
#include "predict/predictor.h"

#include "base/files.h"
#include "base/memory.h"
#include "library/models.h"
#include "support/scratch.h"
#include "support/test.h"

#include <math.h>
#include <string.h>

enum { NX = 30, NY = 26, NZ = 3, VOXELS = NX * NY * NZ };

static hardy_prediction *run(hardy_predictor *p, const hardy_image *image)
{
	hardy_error err;
	hardy_prediction *out = NULL;
	assert_ok(hardy_predictor_run(p, image, &out, &err), &err);
	return out;
}

static hardy_predictor *new_predictor(const hardy_model *m, const hardy_predictor_options *o)
{
	hardy_error err;
	hardy_predictor *p = NULL;
	assert_ok(hardy_predictor_new(m, o, &p, &err), &err);
	return p;
}

static hardy_prediction *predict(const hardy_model *m, const hardy_predictor_options *o, const hardy_image *image)
{
	hardy_predictor *p = new_predictor(m, o);
	hardy_prediction *out = run(p, image);
	hardy_predictor_free(p);
	return out;
}

static hardy_predictor_options everything(void)
{
	hardy_predictor_options o = {.size = sizeof o};
	o.probabilities = o.entropy = true;
	return o;
}

static void assert_same_image(const hardy_image *a, const hardy_image *b, size_t element)
{
	assert_memory_equal(a->shape, b->shape, sizeof a->shape);
	assert_memory_equal(a->data, b->data, (size_t)(a->shape[0] * a->shape[1] * a->shape[2] * a->shape[3]) * element);
}

static void assert_same(const hardy_prediction *a, const hardy_prediction *b)
{
	hardy_error err;
	hardy_quality q = {.size = sizeof q}, r = {.size = sizeof r};
	assert_same_image(hardy_prediction_labels(a), hardy_prediction_labels(b), 1);
	assert_same_image(hardy_prediction_entropy(a), hardy_prediction_entropy(b), sizeof(float));
	for (int c = 0; c < MODEL_CLASSES; c++)
		assert_same_image(hardy_prediction_probabilities(a, c), hardy_prediction_probabilities(b, c), sizeof(float));
	assert_ok(hardy_prediction_quality(a, 0, &q, &err), &err);
	assert_ok(hardy_prediction_quality(b, 0, &r, &err), &err);
	assert_memory_equal(&q.predicted_dice, &r.predicted_dice, 6 * sizeof(double));
	assert_string_equal(q.warnings, r.warnings);
}

/* What the program itself computes. */
static void it_gives_what_the_library_computes(void **state)
{
	(void)state;
	hardy_error err;
	for (hy_network_kind kind = 0; kind < HY_N_NETWORKS; kind++) {
		hy_model m;
		hy_prediction wanted;
		hy_predictor_options own;
		const hardy_predictor_options o = everything();
		make_model(&m, kind, 1, 1);
		hardy_model *model = load_model("model.safetensors", kind, 1, 1);
		float *v = make_voxels(NX, NY, NZ, 1, 1);
		const hardy_image image = view_voxels(v, NX, NY, NZ, 1);
		hardy_prediction *found = predict(model, &o, &image);
		hy_volume volume = {.nt = 1, .data = v};
		hy_grid_set_simple(&volume.grid, NX, NY, NZ, 2, 2, 8);
		hy_predictor_options_init(&own);
		hy_predictor_options_use(&own, &m);
		own.both = own.reconstruct = own.probabilities = own.entropy = true;
		hy_predictor *p = hy_predictor_new((hy_model *[]){&m}, 1, &own, &err);
		assert_non_null(p);
		assert_ok(hy_predictor_run(p, &volume, &wanted, &err), &err);
		assert_memory_equal(hardy_prediction_labels(found)->data, wanted.label.data, VOXELS);
		assert_memory_equal(hardy_prediction_entropy(found)->data, wanted.entropy, VOXELS * sizeof(float));
		for (int c = 0; c < MODEL_CLASSES; c++) {
			assert_memory_equal(hardy_prediction_probabilities(found, c)->data, wanted.probabilities + c * VOXELS,
			                    VOXELS * sizeof(float));
			assert_true(hardy_prediction_volume_ml(found, 0, c) == wanted.volume_ml[c]);
		}
		hardy_quality q = {.size = sizeof q};
		assert_ok(hardy_prediction_quality(found, 0, &q, &err), &err);
		assert_true(q.mean_entropy == wanted.mean_entropy && q.disagreement == wanted.disagreement);
		assert_true(kind != HY_NETWORK_STUDY || q.reconstruction_error == wanted.reconstruction_error);
		assert_true(isnan(q.predicted_dice)); /* nobody calibrated it */
		assert_int_equal(q.n_warnings, wanted.n_warnings);
		assert_string_equal(q.warnings, wanted.warnings);
		hy_prediction_clear(&wanted);
		hy_predictor_free(p);
		hardy_prediction_free(found);
		hardy_model_free(model);
		hy_model_clear(&m);
		hy_free(v);
	}
}

/* A model with a calibration that says more of surer networks. */
static void the_predicted_dice_is_there_when_the_model_is_calibrated(void **state)
{
	(void)state;
	hardy_error err;
	hy_model m;
	hardy_model *model = NULL;
	make_model(&m, HY_NETWORK_STUDY, 1, 1);
	m.calibration = (hy_calibration){.version = HY_CALIBRATION_VERSION,
	                                 .n_subjects = 5,
	                                 .n_scans = 10,
	                                 .n_predictions = 40,
	                                 .intercept = 0.6,
	                                 .n_knots = 2,
	                                 .knot_x = {0, 1},
	                                 .knot_y = {0.1, 0.9},
	                                 .margin_x = {0.2, 0.5, 0.8},
	                                 .margin = {0.3, 0.2, 0.1},
	                                 .auc = -1};
	for (int i = 0; i < HY_N_SIGNALS; i++) {
		m.calibration.sd[i] = 1;
		m.calibration.weight[i] = 0.01;
	}
	for (int c = 1; c < MODEL_CLASSES; c++)
		m.calibration.presence[c] = 1;
	assert_ok(hy_model_save(&m, scratch_path("calibrated.safetensors"), NULL, HY_REPLACE_ANY, &err), &err);
	assert_ok(hardy_model_load(scratch_path("calibrated.safetensors"), &model, &err), &err);
	assert_true(hardy_model_is_calibrated(model));
	float *v = make_voxels(NX, NY, NZ, 1, 1);
	const hardy_image image = view_voxels(v, NX, NY, NZ, 1);
	hardy_prediction *found = predict(model, NULL, &image);
	hardy_quality q = {.size = sizeof q};
	double dice, low;
	assert_ok(hardy_prediction_quality(found, 0, &q, &err), &err);
	hy_volume volume = {.nt = 1, .data = v};
	hy_prediction wanted;
	hy_grid_set_simple(&volume.grid, NX, NY, NZ, 2, 2, 8);
	const hy_predictor_options own = {.which = HY_STN, .both = true};
	hy_predictor *p = hy_predictor_new((hy_model *[]){&m}, 1, &own, &err);
	assert_non_null(p);
	assert_ok(hy_predictor_run(p, &volume, &wanted, &err), &err);
	hy_calibration_apply(&m.calibration, &wanted.signals, &dice, &low);
	assert_true(dice > 0.1 && dice < 0.9 && low < dice);
	assert_true(q.predicted_dice == dice && q.predicted_low == low);
	hy_prediction_clear(&wanted);
	hy_predictor_free(p);
	hardy_prediction_free(found);
	hardy_model_free(model);
	hy_model_clear(&m);
	hy_free(v);
}

/* Voxel (x, y, z) of a packed float scan as another type at another place. */
static void put(char *at, hardy_type type, float v)
{
	const uint8_t u8 = (uint8_t)v;
	const int16_t i16 = (int16_t)v;
	const uint64_t u64 = (uint64_t)v;
	const double f64 = (double)v;
	if (type == HARDY_TYPE_UINT8)
		memcpy(at, &u8, sizeof u8);
	else if (type == HARDY_TYPE_INT16)
		memcpy(at, &i16, sizeof i16);
	else if (type == HARDY_TYPE_UINT64)
		memcpy(at, &u64, sizeof u64);
	else
		memcpy(at, &f64, sizeof f64);
}

/* As NumPy has it (last axis fastest), backwards along y, at odd addresses. */
static void voxels_may_be_of_any_type_and_order(void **state)
{
	(void)state;
	static const struct {
		hardy_type type;
		int size;
	} types[] = {{HARDY_TYPE_UINT8, 1}, {HARDY_TYPE_INT16, 2}, {HARDY_TYPE_UINT64, 8}, {HARDY_TYPE_FLOAT64, 8}};
	const hardy_predictor_options o = everything();
	hardy_model *model = load_model("model.safetensors", HY_NETWORK_STUDY, 1, 1);
	float *v = make_voxels(NX, NY, NZ, 1, 1);
	for (int i = 0; i < VOXELS; i++)
		v[i] = v[i] < 0 ? 0 : v[i] > 255 ? 255 : v[i];
	hardy_image image = view_voxels(v, NX, NY, NZ, 1);
	hardy_prediction *wanted = predict(model, &o, &image);
	char *other = hy_alloc(VOXELS + 1, 9);
	assert_non_null(other);
	for (size_t k = 0; k < sizeof types / sizeof *types; k++) {
		const int64_t step = types[k].size + 1, stride[4] = {NY * NZ * step, -NZ * step, step, 0};
		char *first = other + 1 + (NY - 1) * NZ * step;
		for (int64_t i = 0; i < VOXELS; i++)
			put(first + i % NX * stride[0] + i / NX % NY * stride[1] + i / NX / NY * stride[2], types[k].type, v[i]);
		image.data = first;
		image.type = types[k].type;
		memcpy(image.stride, stride, sizeof stride);
		hardy_prediction *found = predict(model, &o, &image);
		assert_same(wanted, found);
		hardy_prediction_free(found);
	}
	hy_free(other);
	hardy_prediction_free(wanted);
	hardy_model_free(model);
	hy_free(v);
}

static void every_frame_is_a_scan_of_its_own(void **state)
{
	(void)state;
	hardy_error err;
	hardy_predictor_options o = everything();
	hardy_model *model = load_model("model.safetensors", HY_NETWORK_STUDY, 1, 1);
	float *v = make_voxels(NX, NY, NZ, 3, 2);
	const hardy_image all = view_voxels(v, NX, NY, NZ, 3);
	hardy_predictor *p = new_predictor(model, &o);
	hardy_prediction *cine = run(p, &all);
	assert_int_equal(hardy_prediction_n_frames(cine), 3);
	assert_int_equal(hardy_prediction_labels(cine)->shape[3], 3);
	for (int t = 0; t < 3; t++) {
		const hardy_image one = view_voxels(v + t * VOXELS, NX, NY, NZ, 1);
		hardy_prediction *alone = run(p, &one);
		hardy_quality q = {.size = sizeof q}, r = {.size = sizeof r};
		assert_memory_equal((const char *)hardy_prediction_labels(cine)->data + t * VOXELS,
		                    hardy_prediction_labels(alone)->data, VOXELS);
		for (int c = 0; c < MODEL_CLASSES; c++)
			assert_memory_equal((const float *)hardy_prediction_probabilities(cine, c)->data + t * VOXELS,
			                    hardy_prediction_probabilities(alone, c)->data, VOXELS * sizeof(float));
		assert_ok(hardy_prediction_quality(cine, t, &q, &err), &err);
		assert_ok(hardy_prediction_quality(alone, 0, &r, &err), &err);
		assert_true(q.mean_entropy == r.mean_entropy && q.reconstruction_z == r.reconstruction_z);
		hardy_prediction_free(alone);
	}
	/* what was found needs neither predictor nor model nor scan any more */
	hardy_predictor_free(p);
	hardy_model_free(model);
	hy_free(v);
	double total = 0;
	for (int c = 0; c < MODEL_CLASSES; c++)
		total += hardy_prediction_volume_ml(cine, 2, c);
	assert_true(fabs(total - VOXELS * 0.032) < 1e-9); /* 2 x 2 x 8 mm */
	assert_true(isnan(hardy_prediction_volume_ml(cine, 3, 0)) && isnan(hardy_prediction_volume_ml(cine, 0, MODEL_CLASSES)));
	hardy_prediction_free(cine);
}

static void a_model_of_two_channels_takes_them_as_the_fourth_axis(void **state)
{
	(void)state;
	hardy_error err;
	hardy_model *model = load_model("two.safetensors", HY_NETWORK_UNET, 2, 3);
	hardy_prediction *found = NULL;
	float *v = make_voxels(NX, NY, NZ, 2, 2);
	const hardy_image two = view_voxels(v, NX, NY, NZ, 2), one = view_voxels(v, NX, NY, NZ, 1);
	hardy_predictor *p = new_predictor(model, NULL);
	assert_int_equal(hardy_predictor_run(p, &one, &found, &err), HARDY_ERROR_DATA);
	assert_string_equal(err.message, "the scan has 1 channel along its fourth axis, the model wants 2");
	assert_null(found);
	found = run(p, &two);
	assert_int_equal(hardy_prediction_n_frames(found), 1);
	assert_int_equal(hardy_prediction_labels(found)->shape[3], 1);
	assert_null(hardy_prediction_probabilities(found, 1)); /* nobody asked */
	assert_null(hardy_prediction_entropy(found));
	hardy_prediction_free(found);
	hardy_predictor_free(p);
	hardy_model_free(model);
	hy_free(v);
}

static void a_model_says_what_it_is_from_file_and_from_memory(void **state)
{
	(void)state;
	hardy_error err;
	hardy_model *file = load_model("model.safetensors", HY_NETWORK_STUDY, 1, 1), *memory = NULL;
	char *bytes;
	size_t size;
	assert_ok(hy_file_read(scratch_path("model.safetensors"), &bytes, &size, &err), &err);
	assert_ok(hardy_model_load_memory(bytes, size, "built in", &memory, &err), &err);
	assert_int_equal(hardy_model_n_classes(memory), 3);
	assert_string_equal(hardy_model_class_name(memory, 2), "B");
	assert_int_equal(hardy_model_class_value(memory, 2), 9);
	assert_null(hardy_model_class_name(memory, 3));
	assert_null(hardy_model_class_name(memory, -1));
	assert_int_equal(hardy_model_class_value(memory, 3), -1);
	assert_int_equal(hardy_model_n_channels(memory), 1);
	assert_string_equal(hardy_model_channel_name(memory, 0), "channel_0");
	assert_string_equal(hardy_model_network(memory), "study");
	assert_false(hardy_model_is_calibrated(memory));
	assert_non_null(strstr(hardy_model_plan(memory), "\"spacing_mm\":2"));
	assert_null(hardy_model_card(memory));
	/* the same weights */
	bytes[size / 2] = (char)~bytes[size / 2]; /* which the model does not look at any more */
	const hardy_predictor_options o = everything();
	float *v = make_voxels(NX, NY, NZ, 1, 1);
	const hardy_image image = view_voxels(v, NX, NY, NZ, 1);
	hardy_prediction *a = predict(file, &o, &image), *b = predict(memory, &o, &image);
	assert_same(a, b);
	hardy_prediction_free(a);
	hardy_prediction_free(b);
	hardy_model_free(memory);
	memory = NULL;
	assert_int_equal(hardy_model_load_memory(bytes, size / 2, "built in", &memory, &err), HARDY_ERROR_FORMAT);
	assert_int_equal(strncmp(err.message, "built in: ", 10), 0);
	assert_int_equal(hardy_model_load_memory(NULL, 0, NULL, &memory, NULL), HARDY_ERROR_FORMAT);
	assert_int_equal(hardy_model_load("/no/such/folder", &memory, &err), HARDY_ERROR_ARGUMENT);
	assert_string_equal(err.message, "/no/such/folder: no model: want a .safetensors file or the folder of a training");
	assert_int_equal(hardy_model_load("/no/such.safetensors", &memory, &err), HARDY_ERROR_IO);
	assert_null(memory);
	hardy_model_free(NULL);
	hardy_model_free(file);
	hy_free(bytes);
	hy_free(v);
}

/* adapt changes statistics while it runs: those of the predictor, not the model's. */
static void a_model_is_never_changed(void **state)
{
	(void)state;
	hardy_predictor_options o = everything(), adapting = everything();
	hardy_model *model = load_model("model.safetensors", HY_NETWORK_STUDY, 1, 1);
	float *v = make_voxels(NX, NY, NZ, 1, 1);
	const hardy_image image = view_voxels(v, NX, NY, NZ, 1);
	hardy_prediction *before = predict(model, &o, &image);
	adapting.adapt = true;
	hardy_predictor *p = new_predictor(model, &adapting);
	hardy_prediction *adapted = run(p, &image), *again = run(p, &image), *after = predict(model, &o, &image);
	assert_same(before, after);
	assert_same(adapted, again);
	assert_memory_not_equal(hardy_prediction_entropy(before)->data, hardy_prediction_entropy(adapted)->data,
	                        VOXELS * sizeof(float));
	hardy_prediction_free(before);
	hardy_prediction_free(adapted);
	hardy_prediction_free(again);
	hardy_prediction_free(after);
	hardy_predictor_free(p);
	hardy_model_free(model);
	hy_free(v);
}

static void several_models_are_an_ensemble(void **state)
{
	(void)state;
	hardy_error err;
	const hardy_predictor_options o = everything();
	hardy_model *a = load_model("a.safetensors", HY_NETWORK_STUDY, 1, 1),
	            *b = load_model("b.safetensors", HY_NETWORK_STUDY, 1, 2),
	            *two = load_model("two.safetensors", HY_NETWORK_STUDY, 2, 2);
	float *v = make_voxels(NX, NY, NZ, 1, 1);
	const hardy_image image = view_voxels(v, NX, NY, NZ, 1);
	hardy_predictor *p = new_predictor(a, &o);
	assert_int_equal(hardy_predictor_add(p, two, &err), HARDY_ERROR_ARGUMENT);
	hardy_prediction *of_a = predict(a, &o, &image), *of_b = predict(b, &o, &image), *still_a = run(p, &image);
	assert_same(of_a, still_a);
	assert_ok(hardy_predictor_add(p, b, &err), &err);
	hardy_prediction *both = run(p, &image);
	for (int c = 0; c < MODEL_CLASSES; c++) {
		const float *x = hardy_prediction_probabilities(of_a, c)->data, *y = hardy_prediction_probabilities(of_b, c)->data,
		            *mean = hardy_prediction_probabilities(both, c)->data;
		for (int i = 0; i < VOXELS; i++)
			assert_true(fabsf(mean[i] - (x[i] + y[i]) / 2) < 1e-5F);
	}
	hardy_prediction_free(of_a);
	hardy_prediction_free(of_b);
	hardy_prediction_free(still_a);
	hardy_prediction_free(both);
	hardy_predictor_free(p);
	hardy_model_free(a);
	hardy_model_free(b);
	hardy_model_free(two);
	hy_free(v);
}

static void options_do_what_they_say(void **state)
{
	(void)state;
	hardy_error err;
	hardy_model *model = load_model("model.safetensors", HY_NETWORK_STUDY, 1, 1);
	float *v = make_voxels(NX, NY, NZ, 1, 1);
	const hardy_image image = view_voxels(v, NX, NY, NZ, 1);
	hardy_quality q = {.size = sizeof q};
	hardy_predictor_options fast = {.size = sizeof fast}, ftn = {.size = sizeof ftn};
	fast.labels_only = true;
	hardy_prediction *a = predict(model, NULL, &image), *b = predict(model, &fast, &image);
	assert_same_image(hardy_prediction_labels(a), hardy_prediction_labels(b), 1);
	assert_ok(hardy_prediction_quality(b, 0, &q, &err), &err);
	assert_true(isnan(q.disagreement) && isnan(q.reconstruction_error) && isfinite(q.mean_entropy));
	assert_ok(hardy_prediction_quality(a, 0, &q, &err), &err);
	assert_true(isfinite(q.disagreement) && isfinite(q.reconstruction_error));
	ftn.network = "ftn";
	hardy_prediction *c = predict(model, &ftn, &image);
	assert_memory_not_equal(hardy_prediction_labels(a)->data, hardy_prediction_labels(c)->data, VOXELS);
	hardy_prediction_free(a);
	hardy_prediction_free(b);
	hardy_prediction_free(c);
	hardy_model_free(model);
	hy_free(v);
}

/* A struct of an earlier version is shorter; one of a later version longer, which does no harm until it sets what is new. */
static void structs_of_other_versions(void **state)
{
	(void)state;
	hardy_error err;
	struct {
		hardy_predictor_options now;
		int64_t new_option;
	} later = {{.size = sizeof later}, 0};
	struct {
		hardy_quality now;
		int64_t canary;
	} q = {{.size = offsetof(hardy_quality, mean_entropy)}, 77};
	hardy_predictor_options earlier = {.size = offsetof(hardy_predictor_options, stn_iterations)}, none = {0};
	hardy_predictor *p = NULL;
	hardy_model *model = load_model("model.safetensors", HY_NETWORK_STUDY, 1, 1);
	earlier.stn_iterations = -5; /* behind its end: not looked at */
	assert_ok(hardy_predictor_new(model, &earlier, &p, &err), &err);
	hardy_predictor_free(p);
	p = NULL;
	assert_ok(hardy_predictor_new(model, &later.now, &p, &err), &err);
	later.new_option = 1;
	hardy_predictor *unset = NULL;
	assert_int_equal(hardy_predictor_new(model, &later.now, &unset, &err), HARDY_ERROR_ARGUMENT);
	assert_string_equal(err.message, "options of a predictor: it sets something that hardy " HARDY_VERSION " does not know");
	assert_int_equal(hardy_predictor_new(model, &none, &unset, &err), HARDY_ERROR_ARGUMENT);
	assert_string_equal(err.message, "options of a predictor: its first field is 0, want its sizeof: begin with HARDY_INIT");
	assert_null(unset);
	float *v = make_voxels(NX, NY, NZ, 1, 1);
	const hardy_image image = view_voxels(v, NX, NY, NZ, 1);
	hardy_prediction *found = run(p, &image);
	q.now.mean_entropy = 5;
	assert_ok(hardy_prediction_quality(found, 0, &q.now, &err), &err);
	assert_true(q.now.mean_entropy == 5 && q.canary == 77); /* behind its end: not written */
	assert_int_equal(hardy_prediction_quality(found, 1, &q.now, &err), HARDY_ERROR_ARGUMENT);
	assert_string_equal(err.message, "frame is 1, want 0 to 0");
	hardy_prediction_free(found);
	hardy_predictor_free(p);
	hardy_model_free(model);
	hy_free(v);
}

static void wrong_arguments_are_named(void **state)
{
	(void)state;
	hardy_error err;
	hardy_model *model = load_model("model.safetensors", HY_NETWORK_STUDY, 1, 1);
	hardy_predictor *none = NULL, *p = new_predictor(model, NULL);
	hardy_prediction *found = NULL;
	float *v = make_voxels(NX, NY, NZ, 1, 1);
	const struct {
		hardy_predictor_options o;
		const char *message;
	} options[] = {
	    {{.size = sizeof *options, .network = "both"}, "network is \"both\", want one of ftn|stn"},
	    {{.size = sizeof *options, .threads = 1025}, "threads is 1025, want 1 to 1024, or 0 for the default"},
	    {{.size = sizeof *options, .batch = -1}, "batch is -1, want 1 to 1024, or 0 for the default"},
	    {{.size = sizeof *options, .stn_iterations = 21}, "stn_iterations is 21, want 1 to 20, or 0 for the default"},
	    {{.size = sizeof *options, .precision = "f16"}, "precision is \"f16\" (did you mean bf16?), want one of f32|bf16"}};
	for (size_t i = 0; i < sizeof options / sizeof *options; i++) {
		hardy_predictor_options o = options[i].o;
		o.size = sizeof o;
		assert_int_equal(hardy_predictor_new(model, &o, &none, &err), HARDY_ERROR_ARGUMENT);
		assert_string_equal(err.message, options[i].message);
		assert_null(none);
	}
	hardy_image image = view_voxels(v, NX, NY, NZ, 1);
	image.spacing_mm[2] = 0;
	assert_int_equal(hardy_predictor_run(p, &image, &found, &err), HARDY_ERROR_ARGUMENT);
	assert_string_equal(err.message, "the scan: spacing_mm is 0 along z and there is no affine: want one of them");
	image.spacing_mm[2] = NAN;
	assert_int_equal(hardy_predictor_run(p, &image, &found, NULL), HARDY_ERROR_ARGUMENT);
	image = view_voxels(v, NX, -1, NZ, 1);
	assert_int_equal(hardy_predictor_run(p, &image, &found, &err), HARDY_ERROR_ARGUMENT);
	assert_string_equal(err.message, "the scan: shape[1] is -1, want 1 or more");
	image = view_voxels(v, INT64_MAX / 2, INT64_MAX / 2, 1, 1);
	assert_int_equal(hardy_predictor_run(p, &image, &found, &err), HARDY_ERROR_ARGUMENT);
	image = view_voxels(NULL, NX, NY, NZ, 1);
	assert_int_equal(hardy_predictor_run(p, &image, &found, &err), HARDY_ERROR_ARGUMENT);
	assert_string_equal(err.message, "the scan: data is NULL");
	image = view_voxels(v, NX, NY, NZ, 1);
	image.type = (hardy_type)99;
	assert_int_equal(hardy_predictor_run(p, &image, &found, &err), HARDY_ERROR_ARGUMENT);
	assert_int_equal(hardy_predictor_run(p, NULL, &found, &err), HARDY_ERROR_ARGUMENT);
	assert_int_equal(hardy_predictor_run(NULL, &image, &found, &err), HARDY_ERROR_ARGUMENT);
	assert_int_equal(hardy_predictor_new(NULL, NULL, &none, &err), HARDY_ERROR_ARGUMENT);
	assert_null(found);
	hardy_prediction_free(NULL);
	hardy_predictor_free(NULL);
	hardy_predictor_free(p);
	hardy_model_free(model);
	hy_free(v);
}

/* At whichever allocation memory runs out: an error, nothing given out, and the predictor goes on. */
static void memory_that_runs_out_is_an_error(void **state)
{
	(void)state;
	hardy_error err;
	const hardy_predictor_options o = everything();
	hardy_model *model = load_model("model.safetensors", HY_NETWORK_UNET, 1, 1);
	float *v = make_voxels(NX, NY, NZ, 1, 1);
	const hardy_image image = view_voxels(v, NX, NY, NZ, 1);
	hardy_predictor *p = new_predictor(model, &o);
	hardy_prediction *found = NULL, *wanted = run(p, &image);
	int n_failed = 0;
	for (int64_t k = 1;; k += 1 + k / 8) {
		hy_memory_fail_at(k);
		const hardy_status status = hardy_predictor_run(p, &image, &found, &err);
		hy_memory_fail_at(0);
		if (!status)
			break;
		assert_int_equal(status, HARDY_ERROR_MEMORY);
		assert_null(found);
		n_failed++;
	}
	assert_true(n_failed > 10);
	assert_same(wanted, found);
	hardy_prediction_free(found);
	hardy_prediction_free(wanted);
	hardy_predictor_free(p);
	p = NULL;
	for (int64_t k = 1; !p && k < 100; k++) {
		hy_memory_fail_at(k);
		const hardy_status status = hardy_predictor_new(model, &o, &p, &err);
		hy_memory_fail_at(0);
		assert_true(status == HARDY_OK ? p != NULL : status == HARDY_ERROR_MEMORY && !p);
	}
	hardy_predictor_free(p);
	hardy_model_free(model);
	hy_free(v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(it_gives_what_the_library_computes),
	    cmocka_unit_test(the_predicted_dice_is_there_when_the_model_is_calibrated),
	    cmocka_unit_test(voxels_may_be_of_any_type_and_order),
	    cmocka_unit_test(every_frame_is_a_scan_of_its_own),
	    cmocka_unit_test(a_model_of_two_channels_takes_them_as_the_fourth_axis),
	    cmocka_unit_test(a_model_says_what_it_is_from_file_and_from_memory),
	    cmocka_unit_test(a_model_is_never_changed),
	    cmocka_unit_test(several_models_are_an_ensemble),
	    cmocka_unit_test(options_do_what_they_say),
	    cmocka_unit_test(structs_of_other_versions),
	    cmocka_unit_test(wrong_arguments_are_named),
	    cmocka_unit_test(memory_that_runs_out_is_an_error),
	};
	return cmocka_run_group_tests(tests, NULL, scratch_teardown);
}
