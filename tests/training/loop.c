/*
 * loop.c: whole trainings on tiny data: what they leave behind, that a resumed one ends with the same bytes, that an easy task is
 * learnt, and what is refused.
 */
#define _XOPEN_SOURCE 700
#include "base/files.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/rng.h"
#include "predict/model.h"
#include "support/test.h"
#include "support/tree.h"
#include "training/trainer.h"

#include <math.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { N_SUBJECTS = 5, SIDE = 24, DEPTH = 2, N_VOXELS = SIDE * SIDE * DEPTH };

/* ---- data: two channels, two classes, nnU-Net layout ---------------------------------------------------------------------- */

/* Class 1 is a disc that channel 0 shows bright, class 2 a bar that channel 1 shows bright; they move from case to case. */
static void draw_case(int subject, float *image[2], uint8_t *label)
{
	hy_rng g = hy_rng_make(5, HY_RNG_TEST, (uint64_t)subject, 0);
	const double cx = hy_rng_between(&g, 8, 15), cy = hy_rng_between(&g, 9, 11);
	const int bar = 16 + (int)hy_rng_below(&g, 4);
	for (int i = 0; i < N_VOXELS; i++) {
		const int x = i % SIDE, y = i / SIDE % SIDE;
		const bool disc = hypot(x - cx, y - cy) < 5, in_bar = y >= bar && y < bar + 4;
		label[i] = disc ? 1 : in_bar ? 2 : 0;
		image[0][i] = (float)((disc ? 200 : 60) + 10 * hy_rng_normal(&g));
		image[1][i] = (float)((in_bar ? 150 : 40) + 10 * hy_rng_normal(&g));
	}
}

static void make_data(void)
{
	static float first[N_VOXELS], second[N_VOXELS];
	static uint8_t label[N_VOXELS];
	float *image[2] = {first, second};
	hy_grid g;
	char name[64];
	hy_grid_set_simple(&g, SIDE, SIDE, DEPTH, 2, 2, 8);
	tree_new();
	for (int s = 0; s < N_SUBJECTS; s++) {
		draw_case(s, image, label);
		for (int c = 0; c < 2; c++) {
			snprintf(name, sizeof name, "data/imagesTr/case%d_%04d.nii.gz", s, c);
			tree_image_grid(name, &g, 1, image[c]);
		}
		snprintf(name, sizeof name, "data/labelsTr/case%d.nii.gz", s);
		tree_labels_grid(name, &g, 1, label);
	}
	tree_text("data/dataset.json",
	          "{\"channel_names\": {\"0\": \"T1\", \"1\": \"T2\"}, \"labels\": {\"background\": 0, \"disc\": 1, "
	          "\"bar\": 2}, \"numTraining\": 5, \"file_ending\": \".nii.gz\"}");
}

/* ---- calls -------------------------------------------------------------------------------------------------------------- */

static hardy_train_options tiny(const char *run, const char *recipe)
{
	static char data[512], output[8][512];
	static int next;
	hardy_train_options o;
	hardy_error err = {0};
	assert_ok(hardy_train_options_init(&o, NULL, recipe, &err), &err);
	snprintf(data, sizeof data, "%s", tree_path("data"));
	char *out = output[next++ % 8];
	snprintf(out, sizeof *output, "%s", tree_path(run));
	o.data = data;
	o.output = out;
	o.subjects = 3;
	o.validation = 2;
	o.size = 16;
	o.spacing_mm = 3;
	o.rotation_deg = 180; /* else the labels are looked at first */
	o.mirror = 0.5;
	o.neighbours = 0;
	o.planes = 1;
	o.batch = 4;
	o.iterations = 7;
	o.validate_every = 1;
	o.threads = 1;
	o.calibrate = false;
	return o;
}

/* Says stop when asked for the n-th time from now. */
static bool countdown(void *payload)
{
	int *n = payload;
	return --*n <= 0;
}

static char *read_file(const char *name, size_t *size)
{
	char *data = NULL;
	hardy_error err = {0};
	assert_ok(hy_file_read(tree_path(name), &data, size, &err), &err);
	return data;
}

static void assert_same_file(const char *a, const char *b)
{
	size_t n_a, n_b;
	char *x = read_file(a, &n_a), *y = read_file(b, &n_b);
	if (n_a != n_b || memcmp(x, y, n_a))
		fail_msg("%s (%zu bytes) and %s (%zu bytes) differ", a, n_a, b, n_b);
	hy_free(x);
	hy_free(y);
}

/* Compares metrics.csv but for the last two columns, which are times. */
static void assert_same_metrics(const char *a, const char *b)
{
	size_t n_a, n_b;
	char *x = read_file(a, &n_a), *y = read_file(b, &n_b), *s = x, *t = y;
	int n = 0;
	for (char *p, *q; (p = strchr(s, '\n')) && (q = strchr(t, '\n')); s = p + 1, t = q + 1, n++) {
		*p = *q = 0;
		for (int k = 0; k < 2; k++) {
			*strrchr(s, ',') = 0;
			*strrchr(t, ',') = 0;
		}
		assert_string_equal(s, t);
	}
	assert_true(!*s && !*t && n > 1);
	hy_free(x);
	hy_free(y);
}

static void assert_part(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("\"%s\" does not contain \"%s\"", text, part);
}

static void refuse(const hardy_train_options *o, hardy_status wanted, const char *part)
{
	hardy_error err = {0};
	const hardy_status status = hardy_train(o, NULL, NULL, &err);
	assert_part(err.message, part);
	assert_int_equal(status, wanted);
}

/* ---- tests -------------------------------------------------------------------------------------------------------------- */

static void resumes_with_the_same_bytes(void **state)
{
	static const char *const recipes[] = {"standard", "cooperative"};
	static const int stops[] = {1, 3, 5}; /* within the first epoch of 3 steps, at its end, in the second one */
	(void)state;
	make_data();
	for (size_t r = 0; r < 2; r++) {
		hardy_error err = {0};
		hardy_train_options o = tiny("whole", recipes[r]);
		o.overwrite = true;
		assert_ok(hardy_train(&o, NULL, NULL, &err), &err);
		for (size_t k = 0; k < sizeof stops / sizeof *stops; k++) {
			if ((r == 0 || TEST_STRIDE > 1) && k != 1)
				continue; /* the recipes share all of it but the masks */
			/* reading scans asks once a scan */
			int left = 5 + stops[k];
			const hardy_stop stop = {countdown, &left};
			o = tiny("parts", recipes[r]);
			o.overwrite = true;
			assert_int_equal(hardy_train(&o, NULL, &stop, &err), HARDY_ERROR_INTERRUPTED);
			assert_part(err.message, "saved: resume goes on");
			assert_false(hy_path_exists(tree_path("parts/last.safetensors")));
			hardy_train_options again;
			char *texts;
			assert_ok(hardy_train_options_read(&again, &texts, tree_path("parts"), &err), &err);
			again.output = tree_path("parts");
			again.resume = true;
			again.threads = 1;
			assert_ok(hardy_train(&again, NULL, NULL, &err), &err);
			hardy_texts_free(texts);
			assert_same_file("whole/last.safetensors", "parts/last.safetensors");
			assert_same_file("whole/best.safetensors", "parts/best.safetensors");
			assert_same_metrics("whole/metrics.csv", "parts/metrics.csv");
		}
	}
}

static hy_calibration calibration_of(const char *name)
{
	hardy_error err = {0};
	hy_model m;
	assert_ok(hy_model_load(&m, tree_path(name), NULL, &err), &err);
	const hy_calibration c = m.calibration;
	hy_model_clear(&m);
	return c;
}

/* At the end, also when that is cut short; with too few validation subjects there is none, and no failure. */
static void calibrates_the_predicted_dice(void **state)
{
	(void)state;
	make_data();
	hardy_error err = {0};
	hardy_train_options o = tiny("whole", "standard");
	o.subjects = 2;
	o.validation = 3;
	o.iterations = 4;
	o.calibrate = true;
	assert_ok(hardy_train(&o, NULL, NULL, &err), &err);
	const hy_calibration c = calibration_of("whole/last.safetensors");
	assert_int_equal(c.version, HY_CALIBRATION_VERSION);
	assert_int_equal(c.n_subjects, 3);
	assert_int_equal(calibration_of("whole/best.safetensors").n_scans, 3);
	/* reading scans asks once a scan, the loop after each step but the last */
	int left = 5 + 3 + 2;
	const hardy_stop stop = {countdown, &left};
	o.output = tree_path("parts");
	assert_int_equal(hardy_train(&o, NULL, &stop, &err), HARDY_ERROR_INTERRUPTED);
	assert_part(err.message, "interrupted after the last step: resume finishes");
	assert_false(hy_path_exists(tree_path("parts/last.safetensors")));
	o.resume = true;
	assert_ok(hardy_train(&o, NULL, NULL, &err), &err);
	assert_same_file("whole/last.safetensors", "parts/last.safetensors");
	assert_same_file("whole/best.safetensors", "parts/best.safetensors");
	o.resume = false;
	o.output = tree_path("two");
	o.validation = 2;
	assert_ok(hardy_train(&o, NULL, NULL, &err), &err);
	assert_int_equal(calibration_of("two/last.safetensors").version, 0);
}

/* Recipes keep nothing but what the checkpoint holds; averaged weights are in it. */
static void every_recipe_resumes_with_the_same_bytes(void **state)
{
	static const char *const recipes[] = {
	    "mwm:probability=0.5",
	    "randomise+cooperative:probability=0.5",
	    "randconv:views=2",
	    "adv-noise",
	    "adv-bias:iterations=2",
	    "rsc",
	    "mixstyle+dsu",
	    "maxstyle:iterations=1+cooperative:probability=0.5",
	    "hardy",
	    "hardy+waves+adv-noise",
	};
	(void)state;
	make_data();
	for (size_t r = 0; r < sizeof recipes / sizeof *recipes; r += TEST_STRIDE) {
		const size_t at = (r + 2) % (sizeof recipes / sizeof *recipes); /* "hardy" is among the few */
		hardy_error err = {0};
		hardy_train_options o = tiny("whole", recipes[at]);
		o.overwrite = true;
		o.iterations = 4;
		o.validate_every = 10;
		o.ema = at % 2 ? 0.9 : 0;
		assert_string_equal(o.network, strstr(recipes[at], "hardy") ? "unet" : "study");
		assert_ok(hardy_train(&o, NULL, NULL, &err), &err);
		int left = 5 + 2;
		const hardy_stop stop = {countdown, &left};
		o.output = tree_path("parts");
		assert_int_equal(hardy_train(&o, NULL, &stop, &err), HARDY_ERROR_INTERRUPTED);
		hardy_train_options again;
		char *texts;
		assert_ok(hardy_train_options_read(&again, &texts, tree_path("parts"), &err), &err);
		assert_string_equal(again.recipe, recipes[at]);
		again.output = tree_path("parts");
		again.resume = true;
		again.threads = 1;
		assert_ok(hardy_train(&again, NULL, NULL, &err), &err);
		hardy_texts_free(texts);
		assert_same_file("whole/last.safetensors", "parts/last.safetensors");
		assert_same_metrics("whole/metrics.csv", "parts/metrics.csv");
	}
}

/* Where epochs are long, those between validations are fewer than asked for: five validations there are. */
static void a_training_is_validated_five_times(void **state)
{
	(void)state;
	hardy_error err = {0};
	make_data();
	hardy_train_options o = tiny("run", "hardy");
	o.network_levels = 2;
	o.validate_every = 100;
	o.iterations = 40;
	assert_ok(hardy_train(&o, NULL, NULL, &err), &err);
	size_t size;
	char *text = read_file("run/metrics.jsonl", &size);
	int epochs = 0, validated = 0;
	for (char *line = strtok(text, "\n"); line; line = strtok(NULL, "\n"), epochs++)
		validated += !strstr(line, "\"val_ftn_dice\": null");
	assert_true(epochs >= 10 && epochs < 100);
	assert_in_range(validated, 5, 6);
	hy_free(text);
}

/* A recipe from a file is written into the run: the file may be gone when it goes on. */
static void a_recipe_file_is_resolved(void **state)
{
	(void)state;
	hardy_error err = {0};
	make_data();
	tree_text("r.yaml", "members:\n  - name: mwm\n    weight: 0.5\n");
	char path[512];
	snprintf(path, sizeof path, "%s", tree_path("r.yaml"));
	hardy_train_options o = tiny("run", path);
	o.validation = 0;
	o.iterations = 3;
	int left = 3 + 1;
	const hardy_stop stop = {countdown, &left};
	assert_int_equal(hardy_train(&o, NULL, &stop, &err), HARDY_ERROR_INTERRUPTED);
	cJSON *json = NULL;
	assert_ok(hy_json_read(tree_path("run/run.json"), &json, &err), &err);
	const cJSON *options = cJSON_GetObjectItem(json, "options"),
	            *first = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "perturbations"), 0);
	assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(options, "recipe")), "mwm:weight=0.5");
	assert_true(cJSON_GetNumberValue(cJSON_GetObjectItem(first, "windows")) == 5);
	cJSON_Delete(json);
	o.resume = true;
	tree_text("r.yaml", "members:\n  - name: mwm\n    weight: 0.25\n");
	refuse(&o, HARDY_ERROR_ARGUMENT, "started with recipe mwm:weight=0.5, now it is mwm:weight=0.25");
	tree_delete("r.yaml");
	o.recipe = "mwm:weight=0.5";
	assert_ok(hardy_train(&o, NULL, NULL, &err), &err);
}

/* Saved models hold the average, checkpoints both. */
static void averages_weights(void **state)
{
	(void)state;
	hardy_error err = {0};
	make_data();
	hardy_train_options o = tiny("plain", "standard");
	assert_ok(hardy_train(&o, NULL, NULL, &err), &err);
	o.output = tree_path("averaged");
	o.ema = 0.999;
	assert_ok(hardy_train(&o, NULL, NULL, &err), &err);
	hy_model m[3] = {0};
	static const char *const files[] = {"averaged/last.safetensors", "averaged/checkpoint.safetensors",
	                                    "plain/checkpoint.safetensors"};
	for (int i = 0; i < 3; i++) {
		char *state_text = NULL;
		assert_ok(hy_model_load(&m[i], tree_path(files[i]), i ? &state_text : NULL, &err), &err);
		hy_free(state_text);
	}
	const hy_params *last = &m[0].network.params, *both = &m[1].network.params, *plain = &m[2].network.params;
	assert_null(last->average_values);
	assert_null(plain->average_values);
	assert_non_null(both->average_values);
	double difference = 0;
	for (size_t i = 0; i < last->n; i++) {
		const hy_param *p = &last->list[i];
		const size_t n = p->n * sizeof(float);
		if (p->is_buffer) {
			assert_memory_equal(last->buffers + p->offset, both->average_buffers + p->offset, n);
			continue;
		}
		assert_memory_equal(last->values + p->offset, both->average_values + p->offset, n);
		assert_memory_equal(plain->values + p->offset, both->values + p->offset, n); /* the weights themselves go on as ever */
		difference += fabs((double)last->values[p->offset] - (double)plain->values[p->offset]);
	}
	assert_true(difference > 0);
	for (int i = 0; i < 3; i++)
		hy_model_clear(&m[i]);
}

/* Weights of a model of run b, tensor by tensor: those of run a, but for tensors whose name begins with other, which must differ. */
static void compare_weights(const char *a, const char *b, const char *other)
{
	hardy_error err = {0};
	hy_model x = {0}, y = {0};
	assert_ok(hy_model_load(&x, tree_path(a), NULL, &err), &err);
	assert_ok(hy_model_load(&y, tree_path(b), NULL, &err), &err);
	for (size_t i = 0; i < x.network.params.n; i++) {
		const hy_param *p = &x.network.params.list[i];
		if (p->is_buffer)
			continue;
		const bool same =
		    !memcmp(x.network.params.values + p->offset, y.network.params.values + p->offset, p->n * sizeof(float));
		if (same == (*other && !strncmp(p->name, other, strlen(other))))
			fail_msg("%s: %s in %s and %s", p->name, same ? "the same" : "not the same", a, b);
	}
	assert_true(hy_plan_same(&x.plan, &y.plan));
	assert_null(x.card ? strstr(x.card, "started_from") : NULL);
	assert_non_null(strstr(y.card, "\"started_from\":{\"data\":\"data\",\"subjects\":[\"case"));
	hy_model_clear(&x);
	hy_model_clear(&y);
}

static void starts_from_a_model(void **state)
{
	(void)state;
	hardy_error err = {0};
	make_data();
	hardy_train_options o = tiny("first", "hardy");
	o.network_levels = 2;
	o.validation = 0; /* the last model counts */
	assert_ok(hardy_train(&o, NULL, NULL, &err), &err);
	hardy_train_options next = tiny("second", "hardy");
	char first[512];
	snprintf(first, sizeof first, "%s", tree_path("first"));
	next.init = first;
	next.size = 0; /* levels, percentiles and grid are the model's */
	next.spacing_mm = 0;
	next.seed = 3;
	next.iterations = 2;
	next.learning_rate = 1e-30;
	next.ema = 0;
	next.subjects = next.validation = 0;
	assert_ok(hardy_train(&next, NULL, NULL, &err), &err);
	compare_weights("first/last.safetensors", "second/last.safetensors", "");
	/* it goes on without the model, which may be gone */
	hardy_train_options again;
	char *texts;
	assert_ok(hardy_train_options_read(&again, &texts, tree_path("second"), &err), &err);
	again.output = next.output;
	again.resume = true;
	char away[520];
	snprintf(away, sizeof away, "%s-away", first);
	assert_int_equal(rename(first, away), 0);
	assert_ok(hardy_train(&again, NULL, NULL, &err), &err);
	hardy_texts_free(texts);
	assert_int_equal(rename(away, first), 0);
	compare_weights("first/last.safetensors", "second/last.safetensors", "");
	/* the same number of other classes */
	next = tiny("third", "hardy");
	next.init = first;
	next.size = 0;
	next.spacing_mm = 0;
	next.iterations = 1;
	next.learning_rate = 1e-30;
	next.ema = 0;
	tree_text("data/dataset.json",
	          "{\"channel_names\": {\"0\": \"T1\", \"1\": \"T2\"}, \"labels\": {\"background\": 0, \"disc\": 1, "
	          "\"rod\": 2}, \"numTraining\": 5, \"file_ending\": \".nii.gz\"}");
	assert_ok(hardy_train(&next, NULL, NULL, &err), &err);
	compare_weights("first/last.safetensors", "third/last.safetensors", "out.");
	next = tiny("fourth", "standard");
	next.init = first;
	refuse(&next, HARDY_ERROR_ARGUMENT, "has the network \"unet\", but this recipe trains \"study\"");
	next = tiny("fourth", "hardy");
	next.init = tree_path("data");
	refuse(&next, HARDY_ERROR_ARGUMENT, "no model to start from");
	assert_false(hy_path_exists(tree_path("fourth")));
}

/* The training of o, interrupted after two questions whether to stop, ends with the model that it made in one go. */
static void goes_on_to_the_same_model(hardy_train_options o, const char *whole)
{
	hardy_error err = {0};
	hardy_train_options again;
	int n = 5 + 2; /* reading scans asks once a scan */
	char *texts;
	o.output = tree_path("cut");
	assert_int_equal(hardy_train(&o, NULL, &(hardy_stop){countdown, &n}, &err), HARDY_ERROR_INTERRUPTED);
	assert_ok(hardy_train_options_read(&again, &texts, tree_path("cut"), &err), &err);
	again.output = tree_path("cut");
	again.resume = true;
	assert_ok(hardy_train(&again, NULL, NULL, &err), &err);
	hardy_texts_free(texts);
	assert_same_file(whole, "cut/last.safetensors");
}

/* Of two channels with a neighbour on either side the network sees six; the model is one of two. */
static void sees_neighbours(void **state)
{
	(void)state;
	hardy_error err = {0};
	make_data();
	hardy_train_options o = tiny("beside", "hardy");
	o.network_levels = 2;
	o.neighbours = 1;
	o.iterations = 4;
	assert_ok(hardy_train(&o, NULL, NULL, &err), &err);
	hy_model m = {0};
	assert_ok(hy_model_load(&m, tree_path("beside/last.safetensors"), NULL, &err), &err);
	assert_int_equal(m.n_channels, 2);
	assert_int_equal(m.network.config.channels, 6);
	assert_int_equal(m.plan.neighbours, 1);
	hy_model_clear(&m);
	goes_on_to_the_same_model(o, "beside/last.safetensors");
	/* to start from it is to see as many */
	char from[512];
	snprintf(from, sizeof from, "%s", tree_path("beside"));
	hardy_train_options next = tiny("next", "hardy");
	next.init = from;
	next.iterations = 1;
	refuse(&next, HARDY_ERROR_ARGUMENT, "sees 1 neighbours of a slice on each side, 0 are asked for");
	next.neighbours = -1;
	assert_ok(hardy_train(&next, NULL, NULL, &err), &err);
	o = tiny("many", "hardy");
	o.neighbours = 2;
	refuse(&o, HARDY_ERROR_ARGUMENT, "with 2 channels the network would have 10, want 8 at most");
	o = tiny("study", "standard");
	o.neighbours = 1;
	refuse(&o, HARDY_ERROR_ARGUMENT, "the study's networks see single slices");
}

/* Slices across all axes are three times a case's; the model knows it, and goes on alike. */
static void slices_across_all_axes(void **state)
{
	(void)state;
	hardy_error err = {0};
	size_t size;
	make_data();
	hardy_train_options o = tiny("planes", "hardy"), one = tiny("plane", "hardy");
	o.network_levels = one.network_levels = 2;
	o.iterations = one.iterations = 4;
	o.planes = 3;
	assert_ok(hardy_train(&o, NULL, NULL, &err), &err);
	assert_ok(hardy_train(&one, NULL, NULL, &err), &err);
	hy_model m = {0};
	assert_ok(hy_model_load(&m, tree_path("planes/last.safetensors"), NULL, &err), &err);
	assert_int_equal(m.plan.planes, 3);
	assert_int_equal(m.plan.plane, 0);
	hy_model_clear(&m);
	assert_ok(hy_model_load(&m, tree_path("plane/last.safetensors"), NULL, &err), &err);
	assert_int_equal(m.plan.planes, 1);
	hy_model_clear(&m);
	double slices[2], cases[2];
	for (int i = 0; i < 2; i++) {
		char *text = read_file(i ? "plane/run.json" : "planes/run.json", &size);
		cJSON *json = cJSON_ParseWithLength(text, size);
		const cJSON *d = cJSON_GetObjectItem(json, "data_set");
		slices[i] = cJSON_GetNumberValue(cJSON_GetObjectItem(d, "training_slices"));
		cases[i] = cJSON_GetNumberValue(cJSON_GetObjectItem(d, "training_cases"));
		cJSON_Delete(json);
		hy_free(text);
	}
	assert_true(cases[0] == cases[1] && slices[0] > 2 * slices[1]);
	goes_on_to_the_same_model(o, "planes/last.safetensors");
	o = tiny("two", "hardy");
	o.planes = 2;
	refuse(&o, HARDY_ERROR_ARGUMENT, "planes is 2, want 1 or 3");
	o = tiny("study", "standard");
	o.planes = 3;
	refuse(&o, HARDY_ERROR_ARGUMENT, "the study's networks see slices across one axis");
}

static void folds_are_scored_by_who_has_not_seen_them(void **state)
{
	(void)state;
	hardy_error err = {0};
	make_data();
	hardy_train_options o = tiny("cross", "hardy");
	o.network_levels = 2;
	o.iterations = 2;
	o.subjects = o.validation = -1;
	char out[512];
	snprintf(out, sizeof out, "%s", o.output);
	assert_int_equal(hardy_train_folds(&o, 1, NULL, NULL, &err), HARDY_ERROR_ARGUMENT);
	assert_int_equal(hardy_train_folds(&o, 6, NULL, NULL, &err), HARDY_ERROR_DATA);
	assert_non_null(strstr(err.message, "6 folds of 5 labelled subjects"));
	int left = 12; /* in the second fold: reading 5 scans and 2 steps are the first's */
	const hardy_stop stop = {countdown, &left};
	assert_int_equal(hardy_train_folds(&o, 2, NULL, &stop, &err), HARDY_ERROR_INTERRUPTED);
	assert_true(hy_path_exists(tree_path("cross/fold_0/last.safetensors")));
	assert_false(hy_path_exists(tree_path("cross/fold_1/last.safetensors")));
	hardy_predict_options p;
	hardy_predict_options_init(&p);
	char data[512], both[512], one[512], two[512];
	snprintf(data, sizeof data, "%s", tree_path("data"));
	snprintf(both, sizeof both, "%s", tree_path("both"));
	snprintf(one, sizeof one, "%s", tree_path("cross/fold_0"));
	snprintf(two, sizeof two, "%s", tree_path("cross/fold_1"));
	const char *inputs[] = {out, data}, *apart[] = {one, two, data};
	p.inputs = inputs;
	p.n_inputs = 2;
	p.output = both;
	p.threads = 1;
	assert_int_equal(hardy_predict(&p, NULL, &err), HARDY_ERROR_DATA);
	assert_non_null(strstr(err.message, "the cross-validation is not finished"));
	/* what is there is not begun again by mistake, and goes on where it stopped */
	assert_int_equal(hardy_train_folds(&o, 2, NULL, NULL, &err), HARDY_ERROR_ARGUMENT);
	o.resume = true;
	size_t n_before, n_after;
	char *before = read_file("cross/fold_0/run.json", &n_before);
	assert_ok(hardy_train_folds(&o, 2, NULL, NULL, &err), &err);
	char *after = read_file("cross/fold_0/run.json", &n_after);
	assert_true(n_before == n_after && !memcmp(before, after, n_after));
	hy_free(before);
	hy_free(after);
	/* each subject has its label map in one fold's folder, and the run that made it was trained on the others */
	cJSON *folds = NULL;
	assert_ok(hy_json_read(tree_path("cross/folds.json"), &folds, &err), &err);
	assert_string_equal(cJSON_GetObjectItem(folds, "status")->valuestring, "done");
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(folds, "folds")), 2);
	assert_true(cJSON_IsNumber(cJSON_GetObjectItem(cJSON_GetObjectItem(folds, "dice"), "disc")));
	cJSON_Delete(folds);
	for (int s = 0; s < N_SUBJECTS; s++) {
		char name[64], quoted[16];
		int n = 0;
		snprintf(quoted, sizeof quoted, "\"case%d\"", s);
		for (int k = 0; k < 2; k++) {
			hy_model m = {0};
			snprintf(name, sizeof name, "cross/fold_%d/last.safetensors", k);
			assert_ok(hy_model_load(&m, tree_path(name), NULL, &err), &err);
			snprintf(name, sizeof name, "cross/fold_%d/validation/case%d.nii.gz", k, s);
			const bool predicted = hy_path_exists(tree_path(name));
			assert_true(predicted == !strstr(m.card, quoted));
			n += predicted;
			hy_model_clear(&m);
		}
		assert_int_equal(n, 1);
	}
	/* a file of that name that somebody else wrote among scans means nothing */
	tree_text("data/folds.json", "{ no JSON at all");
	/* and all of it predicts as the ensemble that it is */
	assert_ok(hardy_predict(&p, NULL, &err), &err);
	p.inputs = apart;
	p.n_inputs = 3;
	p.output = tree_path("apart");
	assert_ok(hardy_predict(&p, NULL, &err), &err);
	assert_same_file("both/case0.nii.gz", "apart/case0.nii.gz");
	assert_same_file("both/quality.csv", "apart/quality.csv");
}

/* A killed run has rows and a best model that its checkpoint does not know of. */
static void forgets_what_follows_the_checkpoint(void **state)
{
	(void)state;
	hardy_error err = {0};
	make_data();
	hardy_train_options o = tiny("whole", "standard");
	assert_ok(hardy_train(&o, NULL, NULL, &err), &err);
	int left = 5 + 2;
	const hardy_stop stop = {countdown, &left};
	o = tiny("parts", "standard");
	assert_int_equal(hardy_train(&o, NULL, &stop, &err), HARDY_ERROR_INTERRUPTED);
	size_t n;
	char *text = read_file("whole/metrics.csv", &n);
	tree_text("parts/metrics.csv", text);
	hy_free(text);
	text = read_file("whole/metrics.jsonl", &n);
	tree_text("parts/metrics.jsonl", text);
	hy_free(text);
	o.resume = true;
	assert_ok(hardy_train(&o, NULL, NULL, &err), &err);
	assert_same_metrics("whole/metrics.csv", "parts/metrics.csv");
	assert_same_file("whole/last.safetensors", "parts/last.safetensors");
	text = read_file("parts/metrics.jsonl", &n);
	int lines = 0;
	for (const char *p = text; (p = strchr(p, '\n')); p++)
		lines++;
	assert_int_equal(lines, 3); /* 7 steps, 3 an epoch */
	hy_free(text);
}

static void goes_on_longer_at_a_constant_rate(void **state)
{
	(void)state;
	hardy_error err = {0};
	make_data();
	hardy_train_options o = tiny("whole", "standard");
	o.schedule = "constant";
	o.validation = 0;
	o.iterations = 6;
	assert_ok(hardy_train(&o, NULL, NULL, &err), &err);
	assert_false(hy_path_exists(tree_path("whole/best.safetensors")));
	o.output = tree_path("parts");
	o.iterations = 3;
	assert_ok(hardy_train(&o, NULL, NULL, &err), &err);
	o.iterations = 6;
	o.resume = true;
	assert_ok(hardy_train(&o, NULL, NULL, &err), &err);
	assert_same_metrics("whole/metrics.csv", "parts/metrics.csv");
	assert_same_file("whole/last.safetensors", "parts/last.safetensors");
	o.iterations = 2;
	refuse(&o, HARDY_ERROR_ARGUMENT, "has made 6 steps already, want more than 2");
}

static void refuses_other_options_on_resume(void **state)
{
	(void)state;
	hardy_error err = {0};
	make_data();
	int left = 5 + 1;
	const hardy_stop stop = {countdown, &left};
	hardy_train_options o = tiny("run", "standard");
	refuse(&(hardy_train_options){0}, HARDY_ERROR_ARGUMENT, "preset is missing");
	o.resume = true;
	refuse(&o, HARDY_ERROR_IO, "no run to go on with");
	o.resume = false;
	assert_int_equal(hardy_train(&o, NULL, &stop, &err), HARDY_ERROR_INTERRUPTED);
	refuse(&o, HARDY_ERROR_ARGUMENT, "holds a run already");
	o.resume = true;
	o.size = 32;
	refuse(&o, HARDY_ERROR_ARGUMENT, "started with size 16, now it is 32");
	o.size = 16;
	o.iterations = 9;
	refuse(&o, HARDY_ERROR_ARGUMENT, "schedule is made for that length");
	o.iterations = 7;
	o.recipe = "cooperative";
	refuse(&o, HARDY_ERROR_ARGUMENT, "started with recipe standard");
	o.recipe = "standard";
	/* other scans under the same names */
	tree_delete("data/labelsTr/case0.nii.gz");
	hy_grid g;
	static uint8_t label[N_VOXELS];
	label[0] = 1;
	hy_grid_set_simple(&g, SIDE, SIDE, DEPTH, 2, 2, 8);
	for (int s = 0; s < N_SUBJECTS; s++) {
		char name[64];
		snprintf(name, sizeof name, "data/labelsTr/case%d.nii.gz", s);
		tree_labels_grid(name, &g, 1, label);
	}
	refuse(&o, HARDY_ERROR_DATA, "are not those that the run");
	tree_text("run/checkpoint.safetensors", "torn");
	refuse(&o, HARDY_ERROR_FORMAT, "checkpoint.safetensors");
}

static void refuses_unusable_input(void **state)
{
	(void)state;
	static float nan_image[N_VOXELS];
	static uint8_t empty[N_VOXELS];
	hy_grid g;
	make_data();
	hy_grid_set_simple(&g, SIDE, SIDE, DEPTH, 2, 2, 8);
	hardy_train_options o = tiny("run", "standard");
	o.subjects = 9;
	refuse(&o, HARDY_ERROR_DATA, "5 labelled subjects to draw from, want at least 11");
	o.subjects = 3;
	o.recipe = "brave";
	refuse(&o, HARDY_ERROR_ARGUMENT, "recipe is \"brave\", want one of standard, cooperative");
	o.recipe = "standard";
	o.size = 40;
	refuse(&o, HARDY_ERROR_ARGUMENT, "size is 40, want a multiple of 16");
	o.size = 16;
	o.batch = 5;
	refuse(&o, HARDY_ERROR_ARGUMENT, "batch is 5");
	o.batch = 4;
	o.learning_rate = NAN;
	refuse(&o, HARDY_ERROR_ARGUMENT, "learning_rate is nan");
	o.learning_rate = 1e-3;
	o.data = "/nonexistent";
	refuse(&o, HARDY_ERROR_IO, "/nonexistent");
	o = tiny("run", "standard");
	o.output = "/proc/hardy-run";
	refuse(&o, HARDY_ERROR_IO, "/proc/hardy-run");
	o = tiny("run", "standard");
	for (int s = 0; s < N_SUBJECTS; s++) {
		char name[64];
		snprintf(name, sizeof name, "data/labelsTr/case%d.nii.gz", s);
		tree_labels_grid(name, &g, 1, empty);
	}
	refuse(&o, HARDY_ERROR_DATA, "nothing to learn");
	make_data();
	nan_image[7] = NAN;
	for (int s = 0; s < N_SUBJECTS; s++) {
		char name[64];
		snprintf(name, sizeof name, "data/imagesTr/case%d_0001.nii.gz", s);
		tree_image_grid(name, &g, 1, nan_image);
	}
	o = tiny("run", "standard");
	refuse(&o, HARDY_ERROR_NUMERIC, "_0001.nii.gz");
	assert_false(hy_path_exists(tree_path("run")));
}

/* Step and tensor are named, the run is marked as failed, and the last checkpoint is a model of finite values. */
static void reports_a_loss_that_is_not_finite(void **state)
{
	(void)state;
	static const char *const networks[] = {"study", "unet"};
	make_data();
	for (int i = 0; i < 2; i++) {
		hardy_error err = {0};
		hardy_train_options o = tiny(i ? "run-unet" : "run", "standard");
		char name[64];
		o.network = networks[i];
		o.learning_rate = 1e25;
		o.schedule = "constant";
		o.checkpoint_every_s = 0; /* after every step */
		assert_int_equal(hardy_train(&o, NULL, NULL, &err), HARDY_ERROR_NUMERIC);
		assert_part(err.message, "step ");
		assert_part(err.message, " finite");
		if (!strstr(err.message, "\"") && !strstr(err.message, "before "))
			fail_msg("no tensor is named: %s", err.message);
		snprintf(name, sizeof name, "%s/last.safetensors", i ? "run-unet" : "run");
		assert_false(hy_path_exists(tree_path(name)));
		snprintf(name, sizeof name, "%s/checkpoint.safetensors", i ? "run-unet" : "run");
		hy_model m = {0};
		assert_ok(hy_model_load(&m, tree_path(name), NULL, &err), &err);
		hy_model_clear(&m);
		assert_ok(hardy_verify(tree_path(name), NULL, &err), &err);
		cJSON *json = NULL;
		snprintf(name, sizeof name, "%s/run.json", i ? "run-unet" : "run");
		assert_ok(hy_json_read(tree_path(name), &json, &err), &err);
		assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(json, "status")), "failed");
		cJSON_Delete(json);
	}
}

static void fixes_the_steps_of_a_budget(void **state)
{
	(void)state;
	hardy_error err = {0};
	make_data();
	hardy_train_options o = tiny("budget", "standard");
	o.budget_s = 3600;
	o.iterations = 4; /* fewer than fit */
	assert_ok(hardy_train(&o, NULL, NULL, &err), &err);
	/* timing left no trace */
	o = tiny("whole", "standard");
	o.iterations = 4;
	assert_ok(hardy_train(&o, NULL, NULL, &err), &err);
	assert_same_metrics("whole/metrics.csv", "budget/metrics.csv");
	o = tiny("short", "standard");
	o.budget_s = 1e-3;
	refuse(&o, HARDY_ERROR_ARGUMENT, "budget is 0 s");
	assert_false(hy_path_exists(tree_path("short")));
}

/* ---- the program -------------------------------------------------------------------------------------------------------- */

static pid_t start(const char *const *arguments)
{
	const char *program = getenv("HARDY_PROGRAM");
	assert_non_null(program);
	fflush(NULL);
	const pid_t child = fork();
	if (child == 0) {
		union {
			const char *const *in;
			char *const *out;
		} u = {arguments};
		if (!freopen(tree_path("stderr"), "w", stderr))
			_exit(126);
		execv(program, u.out);
		_exit(127);
	}
	assert_true(child > 0);
	return child;
}

static int finish(pid_t child)
{
	int status = 0;
	assert_int_equal(waitpid(child, &status, 0), child);
	if (!WIFEXITED(status))
		fail_msg("the program ended by signal %d", WTERMSIG(status));
	return WEXITSTATUS(status);
}

static void assert_exit(int code, int wanted)
{
	size_t n;
	if (code == wanted)
		return;
	char *text = read_file("stderr", &n);
	fail_msg("exit code %d, want %d: %s", code, wanted, text);
}

/* The value of a column in the last row. */
static double last_value(const char *table, const char *column)
{
	size_t n;
	char *text = read_file(table, &n), *header = text, *row = strchr(text, '\n') + 1;
	*strchr(text, '\n') = 0;
	for (char *next; (next = strchr(row, '\n')) && next[1]; row = next + 1)
		;
	char *name;
	for (; (name = header) && *name;) {
		char *comma = strchr(header, ',');
		if (comma)
			*comma = 0;
		if (!strcmp(name, column) || !comma)
			break;
		header = comma + 1;
		row = strchr(row, ',') + 1;
	}
	assert_string_equal(name, column);
	const double value = strtod(row, NULL);
	hy_free(text);
	return value;
}

/* Scans without labels join in: of the data set itself, those in no list; the run resumes with the same bytes. */
static void unlabelled_scans_join_in(void **state)
{
	(void)state;
	hardy_error err = {0};
	make_data();
	tree_text("splits.json",
	          "{\"pool\": [\"case0\", \"case1\", \"case2\", \"case3\"], \"validation\": [\"case4\"], \"test\": []}");
	char splits[512];
	snprintf(splits, sizeof splits, "%s", tree_path("splits.json"));
	hardy_train_options o = tiny("plain", "hardy");
	o.splits = splits;
	o.subjects = 2;
	o.iterations = 40;
	assert_ok(hardy_train(&o, NULL, NULL, &err), &err);
	/* a U-Net's model says how it predicts best */
	hy_model m = {0};
	assert_ok(hy_model_load(&m, tree_path("plain/last.safetensors"), NULL, &err), &err);
	assert_true(m.use.chosen && m.use.dice >= m.use.plain_dice && m.use.plain_dice >= 0 && m.use.dice <= 1);
	hy_model_clear(&m);
	o.output = tree_path("whole");
	o.unlabelled = o.data;
	o.confidence = 0.5;
	assert_ok(hardy_train(&o, NULL, NULL, &err), &err);
	assert_true(last_value("plain/metrics.csv", "unlabelled") == 0); /* empty */
	assert_true(last_value("whole/metrics.csv", "unlabelled") > 0);
	assert_true(last_value("whole/metrics.csv", "seg") != last_value("plain/metrics.csv", "seg"));
	int left = 3 + 2 + 3; /* scans are read before steps are made */
	const hardy_stop stop = {countdown, &left};
	o.output = tree_path("parts");
	assert_int_equal(hardy_train(&o, NULL, &stop, &err), HARDY_ERROR_INTERRUPTED);
	hardy_train_options again;
	char *texts;
	assert_ok(hardy_train_options_read(&again, &texts, tree_path("parts"), &err), &err);
	again.output = tree_path("parts");
	again.resume = true;
	again.threads = 1;
	assert_ok(hardy_train(&again, NULL, NULL, &err), &err);
	hardy_texts_free(texts);
	assert_same_file("whole/last.safetensors", "parts/last.safetensors");
	/* nobody is left, and nobody labels */
	o.output = tree_path("none");
	o.subjects = 4;
	refuse(&o, HARDY_ERROR_DATA, "no scan is left");
	o.ema = 0;
	refuse(&o, HARDY_ERROR_ARGUMENT, "ema is 0");
}

static void learns_two_classes_from_two_channels(void **state)
{
	(void)state;
	hardy_error err = {0};
	make_data();
	char data[512], run[512];
	snprintf(data, sizeof data, "%s", tree_path("data"));
	snprintf(run, sizeof run, "%s", tree_path("run"));
	const char *const arguments[] = {"hardy",
	                                 "train",
	                                 data,
	                                 "-o",
	                                 run,
	                                 "--subjects",
	                                 "3",
	                                 "--validation",
	                                 "2",
	                                 "--size",
	                                 "32",
	                                 "--spacing",
	                                 "2",
	                                 "--batch",
	                                 "4",
	                                 "--iterations",
	                                 "80",
	                                 "--lr",
	                                 "3e-3",
	                                 "--validate-every",
	                                 "20",
	                                 "--augment",
	                                 "none",
	                                 "--recipe",
	                                 "standard",
	                                 "--threads",
	                                 "1",
	                                 "--data-terms",
	                                 "made up for a test",
	                                 NULL};
	assert_exit(finish(start(arguments)), 0);
	print_message("loss %.3f, validation Dice FTN %.3f, FTN+STN %.3f\n", last_value("run/metrics.csv", "loss"),
	              last_value("run/metrics.csv", "val_ftn_dice"), last_value("run/metrics.csv", "val_stn_dice"));
	assert_true(last_value("run/metrics.csv", "loss") < 1); /* more than 4 log(3) when nothing is known */
	hy_model m = {0};
	assert_ok(hy_model_load(&m, tree_path("run/last.safetensors"), NULL, &err), &err);
	assert_int_equal(m.n_channels, 2);
	assert_int_equal(m.n_classes, 3);
	assert_string_equal(m.channels[1], "T2");
	assert_string_equal(m.classes[2].name, "bar");
	assert_int_equal(m.plan.size, 32);
	assert_false(m.use.chosen);
	assert_int_equal(m.fingerprint.n_volumes, 3);
	assert_true(m.fingerprint.reconstruction_mean > 0 && m.fingerprint.reconstruction_sd > 0);
	assert_part(m.card, "\"terms\":\"made up for a test\"");
	assert_part(m.card, "\"data\":\"data\"");
	hy_model_clear(&m);
	cJSON *json = NULL;
	assert_ok(hy_json_read(tree_path("run/run.json"), &json, &err), &err);
	assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(json, "status")), "done");
	const cJSON *set = cJSON_GetObjectItem(json, "data_set"), *score = cJSON_GetObjectItem(json, "validation_of_last");
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(set, "train")), 3);
	assert_true(cJSON_GetNumberValue(cJSON_GetObjectItem(score, "ftn_dice")) > 0.7);
	assert_true(cJSON_GetNumberValue(cJSON_GetObjectItem(score, "stn_dice")) > 0.7);
	cJSON_Delete(json);
}

static void an_interrupt_saves(void **state)
{
	static const int signals[] = {SIGINT, SIGTERM};
	(void)state;
	for (size_t k = 0; k < 2; k++) {
		make_data();
		char data[512], run[512];
		snprintf(data, sizeof data, "%s", tree_path("data"));
		snprintf(run, sizeof run, "%s", tree_path("run"));
		const char *const arguments[] = {"hardy",   "train",     data, "-o",        run, "--subjects", "3", "--validation",
		                                 "2",       "--size",    "16", "--spacing", "3", "--batch",    "4", "--iterations",
		                                 "1000000", "--threads", "1",  NULL};
		const pid_t child = start(arguments);
		for (int i = 0; i < 6000 && !hy_path_exists(tree_path("run/metrics.csv")); i++)
			nanosleep(&(struct timespec){.tv_nsec = 10000000}, NULL);
		kill(child, signals[k]);
		assert_exit(finish(child), 130);
		size_t n;
		char *text = read_file("stderr", &n);
		assert_part(text, "go on with: hardy train --resume -o ");
		hy_free(text);
		assert_true(hy_path_exists(tree_path("run/checkpoint.safetensors")));
	}
}

/* Steps, validations, checkpoints and pages leave no block of memory behind: what grows is two tables in memory, a row an epoch. */
static void long_trainings_keep_nothing(void **state)
{
	(void)state;
	static const char *const recipes[] = {"hardy", "cooperative"};
	enum { FIRST = 4, LAST = 9 };
	for (int r = 0; r < 2; r++) {
		make_data();
		hardy_train_options o = tiny("long", recipes[r]);
		hy_trainer *t = NULL;
		hardy_training now = {0};
		hardy_error err = {0};
		int64_t live = 0, n_compared = 0;
		o.iterations = 40;
		o.validate_every = 2;
		o.checkpoint_every_s = r ? 1e9 : 0; /* at each step; of the large networks where validation is best */
		assert_ok(hy_trainer_open(&t, &o, NULL, NULL, &err), &err);
		while (now.epoch < LAST && hy_trainer_left(t)) {
			const int64_t before = now.epoch;
			assert_ok(hy_trainer_step(t, &err), &err);
			hy_trainer_look(t, &now);
			if (now.epoch == before || now.epoch < FIRST)
				continue;
			if (now.epoch == FIRST)
				live = hy_memory_live();
			assert_int_equal(hy_memory_live(), live);
			n_compared++;
		}
		assert_int_equal(n_compared, LAST - FIRST + 1);
		hy_trainer_close(t);
		tree_remove();
	}
}

static int clean(void **state)
{
	(void)state;
	tree_remove();
	return 0;
}

int main(void)
{
	if (!getenv("HARDY_PROGRAM")) {
		puts("HARDY_PROGRAM is not set: run through meson test");
		return 77;
	}
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(resumes_with_the_same_bytes),
	    cmocka_unit_test(calibrates_the_predicted_dice),
	    cmocka_unit_test(every_recipe_resumes_with_the_same_bytes),
	    cmocka_unit_test(unlabelled_scans_join_in),
	    cmocka_unit_test(a_training_is_validated_five_times),
	    cmocka_unit_test(a_recipe_file_is_resolved),
	    cmocka_unit_test(averages_weights),
	    cmocka_unit_test(starts_from_a_model),
	    cmocka_unit_test(sees_neighbours),
	    cmocka_unit_test(slices_across_all_axes),
	    cmocka_unit_test(folds_are_scored_by_who_has_not_seen_them),
	    cmocka_unit_test(forgets_what_follows_the_checkpoint),
	    cmocka_unit_test(goes_on_longer_at_a_constant_rate),
	    cmocka_unit_test(refuses_other_options_on_resume),
	    cmocka_unit_test(refuses_unusable_input),
	    cmocka_unit_test(reports_a_loss_that_is_not_finite),
	    cmocka_unit_test(fixes_the_steps_of_a_budget),
	    cmocka_unit_test(learns_two_classes_from_two_channels),
	    cmocka_unit_test(an_interrupt_saves),
	    cmocka_unit_test(long_trainings_keep_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, clean);
}
