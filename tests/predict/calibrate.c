/*
 * calibrate.c: hardy_calibrate on a tiny data set with a small random model: what it writes, leaves out and refuses, and what
 * hardy_predict makes of it.
 */
#include "support/listen.h"
#include "support/test.h"
#include "support/tree.h"

#include "base/files.h"
#include "base/memory.h"
#include "base/rng.h"
#include "predict/calibrate.h"
#include "predict/predictor.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SIDE = 20, DEPTH = 2, N_VOXELS = SIDE * SIDE * DEPTH, N_SUBJECTS = 4 };

static void save_case(int s)
{
	static float image[N_VOXELS];
	static uint8_t label[N_VOXELS];
	char name[64];
	hy_grid g;
	hy_rng r = hy_rng_make((uint64_t)s, HY_RNG_TEST, 3, 0);
	hy_grid_set_simple(&g, SIDE, SIDE, DEPTH, 2, 2, 8);
	for (int i = 0; i < N_VOXELS; i++) {
		const int x = i % SIDE, y = i / SIDE % SIDE;
		label[i] = hypot(x - 9, y - 10) < 5 ? 1 : y > 15 ? 2 : 0;
		image[i] = (float)(80 * label[i] + 20 * hy_rng_normal(&r));
	}
	snprintf(name, sizeof name, "data/images/case%d.nii.gz", s);
	tree_image_grid(name, &g, 1, image);
	snprintf(name, sizeof name, "data/labels/case%d.nii.gz", s);
	tree_labels_grid(name, &g, 1, label);
}

/* card: JSON or NULL. */
static void save_model(const char *name, uint64_t seed, const char *card, const char *state)
{
	hardy_error err;
	const hy_network_config config = {.channels = 1, .classes = 3, .decoupler = true};
	hy_model m = {.n_classes = 3, .n_channels = 1};
	assert_ok(hy_network_init(&m.network, &config, &err), &err);
	hy_params_draw(&m.network.params, seed);
	hy_plan_init(&m.plan);
	m.plan.size = 16;
	m.plan.spacing_mm = 2.5;
	const hy_class classes[] = {{"background", 0, true}, {"disc", 1, true}, {"bar", 2, true}};
	memcpy(m.classes, classes, sizeof classes);
	snprintf(m.channels[0], HY_NAME_SIZE, "image");
	m.card = card ? hy_strdup(card) : NULL;
	assert_ok(hy_model_save(&m, tree_path(name), state, HY_REPLACE_ANY, &err), &err);
	hy_model_clear(&m);
}

static int make_all(void **state)
{
	(void)state;
	tree_new();
	for (int s = 0; s < N_SUBJECTS; s++)
		save_case(s);
	save_model("model.safetensors", 5, NULL, NULL);
	return 0;
}

static int remove_all(void **state)
{
	(void)state;
	tree_remove();
	return 0;
}

static hardy_status call(const char *model, const char *output, const char *subjects, hardy_error *err)
{
	char paths[3][600];
	hardy_calibrate_options o;
	hardy_calibrate_options_init(&o);
	snprintf(paths[0], sizeof paths[0], "%s", tree_path(model));
	snprintf(paths[1], sizeof paths[1], "%s", tree_path("data"));
	snprintf(paths[2], sizeof paths[2], "%s", output ? tree_path(output) : "");
	o.model = paths[0];
	o.data = paths[1];
	o.output = output ? paths[2] : NULL;
	o.labels = "disc=1,bar=2";
	o.overwrite = true;
	o.subjects = subjects;
	listen_anew();
	return hardy_calibrate(&o, &listen_sink, &listen_log, &listen_stop, err);
}

static hy_calibration read_calibration(const char *name)
{
	hardy_error err;
	hy_model m;
	assert_ok(hy_model_load(&m, tree_path(name), NULL, &err), &err);
	const hy_calibration c = m.calibration;
	hy_model_clear(&m);
	return c;
}

static void same_bytes(const char *a, const char *b, bool same)
{
	hardy_error err;
	char *x = NULL, *y = NULL;
	size_t n = 0, m = 0;
	assert_ok(hy_file_read(tree_path(a), &x, &n, &err), &err);
	assert_ok(hy_file_read(tree_path(b), &y, &m, &err), &err);
	assert_int_equal(n == m && !memcmp(x, y, n), same);
	hy_free(x);
	hy_free(y);
}

static void a_model_gets_its_calibration(void **state)
{
	(void)state;
	hardy_error err;
	assert_ok(call("model.safetensors", "one.safetensors", NULL, &err), &err);
	const hy_calibration c = read_calibration("one.safetensors");
	assert_int_equal(c.version, HY_CALIBRATION_VERSION);
	assert_int_equal(c.n_subjects, N_SUBJECTS);
	assert_int_equal(c.n_scans, N_SUBJECTS);
	assert_true(c.n_predictions > 15 * N_SUBJECTS && c.n_predictions <= HY_CALIBRATION_COPIES * N_SUBJECTS);
	assert_true(c.presence[0] == 1 && c.presence[1] == 1 && c.presence[2] == 1);
	assert_int_equal(read_calibration("model.safetensors").version, 0);
	assert_non_null(strstr(printed, "calibrated on 4 scans of 4 subjects"));
	/* the same again; in place; and over what was there */
	assert_ok(call("model.safetensors", "two.safetensors", NULL, &err), &err);
	same_bytes("one.safetensors", "two.safetensors", true);
	assert_ok(call("two.safetensors", NULL, "case0,case1,case2", &err), &err);
	assert_int_equal(read_calibration("two.safetensors").n_subjects, 3);
	assert_ok(call("two.safetensors", NULL, NULL, &err), &err);
	same_bytes("one.safetensors", "two.safetensors", true);
}

/* A scan that cannot be read keeps nobody from the others. */
static void a_broken_scan_is_left_out(void **state)
{
	(void)state;
	hardy_error err;
	tree_truncate("data/labels/case3.nii.gz", 60);
	assert_ok(call("model.safetensors", "others.safetensors", NULL, &err), &err);
	assert_non_null(strstr(heard, "left out: "));
	assert_non_null(strstr(heard, "case3.nii.gz"));
	assert_int_equal(read_calibration("others.safetensors").n_scans, N_SUBJECTS - 1);
	assert_int_equal(call("model.safetensors", "few.safetensors", "case0,case1,case3", &err), HARDY_ERROR_DATA);
	assert_non_null(strstr(err.message, "2 subjects are too few"));
	save_case(3);
}

static void a_checkpoint_stays_one(void **state)
{
	(void)state;
	hardy_error err;
	char *text = NULL;
	hy_model m;
	save_model("checkpoint.safetensors", 5, NULL, "{\"step\":3}");
	assert_ok(call("checkpoint.safetensors", NULL, NULL, &err), &err);
	assert_ok(hy_model_load(&m, tree_path("checkpoint.safetensors"), &text, &err), &err);
	assert_string_equal(text, "{\"step\":3}");
	assert_int_equal(m.calibration.n_subjects, N_SUBJECTS);
	hy_model_clear(&m);
	hy_free(text);
}

static void subjects_it_was_trained_on_are_left_out(void **state)
{
	(void)state;
	hardy_error err;
	save_model("trained.safetensors", 5, "{\"data\":\"data\",\"subjects\":[\"case3\",\"case9\"]}", NULL);
	assert_ok(call("trained.safetensors", "out.safetensors", NULL, &err), &err);
	assert_int_equal(read_calibration("out.safetensors").n_subjects, 3);
	assert_non_null(strstr(heard, "1 scan is left out"));
	/* another data set's subjects may have the same names */
	save_model("trained.safetensors", 5, "{\"data\":\"other\",\"subjects\":[\"case3\"]}", NULL);
	assert_ok(call("trained.safetensors", "out.safetensors", NULL, &err), &err);
	assert_int_equal(read_calibration("out.safetensors").n_subjects, 4);
	save_model("trained.safetensors", 5, "{\"data\":\"data\",\"subjects\":[\"case0\",\"case1\",\"case2\",\"case3\"]}", NULL);
	assert_int_equal(call("trained.safetensors", NULL, NULL, &err), HARDY_ERROR_DATA);
	assert_non_null(strstr(err.message, "not trained on"));
	/* what it started from has seen the rest */
	save_model("trained.safetensors", 5,
	           "{\"data\":\"data\",\"subjects\":[\"case0\",\"case1\"],\"started_from\":{\"data\":\"data\",\"subjects\":["
	           "\"case2\",\"case3\"]}}",
	           NULL);
	assert_int_equal(call("trained.safetensors", NULL, NULL, &err), HARDY_ERROR_DATA);
	assert_non_null(strstr(err.message, "not trained on"));
}

/* Who predicts what the model was trained on is told. */
static void predictions_of_its_own_subjects_are_told(void **state)
{
	(void)state;
	hardy_error err;
	char paths[3][600];
	hardy_predict_options o;
	hardy_predict_options_init(&o);
	save_model("trained.safetensors", 5, "{\"data\":\"data\",\"subjects\":[\"case1\",\"case3\",\"case9\"]}", NULL);
	snprintf(paths[0], sizeof paths[0], "%s", tree_path("trained.safetensors"));
	snprintf(paths[1], sizeof paths[1], "%s", tree_path("data"));
	snprintf(paths[2], sizeof paths[2], "%s", tree_path("own"));
	o.inputs = (const char *const[]){paths[0], paths[1]};
	o.n_inputs = 2;
	o.output = paths[2];
	o.labels = "disc=1,bar=2";
	listen_anew();
	assert_ok(hardy_predict(&o, &listen_log, &err), &err);
	assert_non_null(strstr(heard, "2 of 4 scans are of subjects that the model was trained on (case1 and others)"));
	o.subjects = "case0,case2";
	o.overwrite = true;
	listen_anew();
	assert_ok(hardy_predict(&o, &listen_log, &err), &err);
	assert_null(strstr(heard, "trained on"));
	snprintf(paths[1], sizeof paths[1], "%s", tree_path("data/images")); /* loose scans: nobody knows whose they are */
	o.subjects = NULL;
	listen_anew();
	assert_ok(hardy_predict(&o, &listen_log, &err), &err);
	assert_null(strstr(heard, "trained on"));
}

static void what_it_refuses(void **state)
{
	(void)state;
	hardy_error err;
	assert_int_equal(call("model.safetensors", "no.safetensors", "case0,case1", &err), HARDY_ERROR_DATA);
	assert_non_null(strstr(err.message, "2 subjects are too few"));
	stop_at = 1;
	const hardy_status stopped = call("model.safetensors", "no.safetensors", NULL, &err);
	stop_at = 0;
	assert_int_equal(stopped, HARDY_ERROR_INTERRUPTED);
	assert_int_equal(call("data", "no.safetensors", NULL, &err), HARDY_ERROR_ARGUMENT);
	assert_int_equal(call("absent.safetensors", "no.safetensors", NULL, &err), HARDY_ERROR_IO);
	assert_int_equal(call("model.safetensors", "no.safetensors", "case7", &err), HARDY_ERROR_ARGUMENT);
	assert_false(hy_path_exists(tree_path("no.safetensors")));
	assert_int_equal(printed[0], 0);
}

/* ---- predictions -------------------------------------------------------------------------------------------------------- */

static hy_prediction predict(hy_model *const *models, size_t n)
{
	hardy_error err;
	hy_predictor_options o;
	hy_predictor_options_init(&o);
	o.both = true;
	hy_volume v = {0};
	hy_grid g;
	hy_rng r = hy_rng_make(9, HY_RNG_TEST, 4, 0);
	hy_grid_set_simple(&g, SIDE, SIDE, 3, 2, 2, 8);
	assert_ok(hy_volume_alloc(&v, &g, 1, &err), &err);
	for (int i = 0; i < 3 * SIDE * SIDE; i++)
		v.data[i] = (float)hy_rng_between(&r, 0, 100);
	hy_predictor *p = hy_predictor_new(models, n, &o, &err);
	hy_prediction out;
	assert_non_null(p);
	assert_ok(hy_predictor_run(p, &v, &out, &err), &err);
	hy_predictor_free(p);
	hy_volume_clear(&v);
	return out;
}

static void ensembles_take_the_mean(void **state)
{
	(void)state;
	hardy_error err;
	hy_model a, b, plain;
	save_model("other.safetensors", 6, NULL, NULL);
	assert_ok(call("other.safetensors", NULL, NULL, &err), &err);
	assert_ok(hy_model_load(&a, tree_path("one.safetensors"), NULL, &err), &err);
	assert_ok(hy_model_load(&b, tree_path("other.safetensors"), NULL, &err), &err);
	assert_ok(hy_model_load(&plain, tree_path("model.safetensors"), NULL, &err), &err);
	hy_model *const both[2] = {&a, &b}, *const mixed[2] = {&plain, &a}, *const none[1] = {&plain};
	hy_prediction p = predict(both, 1), q = predict(both + 1, 1), r = predict(both, 2), s = predict(mixed, 2),
	              t = predict(none, 1);
	assert_true(p.predicted_dice >= 0 && p.predicted_dice <= 1 && p.predicted_low <= p.predicted_dice);
	assert_true(fabs(r.predicted_dice - (p.predicted_dice + q.predicted_dice) / 2) < 1e-6);
	assert_true(fabs(r.predicted_low - (p.predicted_low + q.predicted_low) / 2) < 1e-6);
	assert_true(fabs(s.predicted_dice - p.predicted_dice) < 1e-6);
	assert_true(isnan(t.predicted_dice) && isnan(t.predicted_low));
	hy_prediction *const all[] = {&p, &q, &r, &s, &t};
	for (int i = 0; i < 5; i++)
		hy_prediction_clear(all[i]);
	hy_model_clear(&a);
	hy_model_clear(&b);
	hy_model_clear(&plain);
}

static void the_quality_table_has_it(void **state)
{
	(void)state;
	hardy_error err;
	char paths[3][600], *table = NULL;
	size_t size;
	hardy_predict_options o;
	hardy_predict_options_init(&o);
	snprintf(paths[0], sizeof paths[0], "%s", tree_path("one.safetensors"));
	snprintf(paths[1], sizeof paths[1], "%s", tree_path("data/images/case1.nii.gz"));
	snprintf(paths[2], sizeof paths[2], "%s", tree_path("predicted"));
	o.inputs = (const char *const[]){paths[0], paths[1]};
	o.n_inputs = 2;
	o.output = paths[2];
	o.warn_dice = 1;
	listen_anew();
	assert_ok(hardy_predict(&o, &listen_log, &err), &err);
	assert_non_null(strstr(heard, "predicted Dice is 0."));
	assert_ok(hy_file_read(tree_path("predicted/quality.csv"), &table, &size, &err), &err);
	assert_non_null(strstr(table, "reconstruction_z,predicted_dice,predicted_dice_low,"));
	assert_non_null(strstr(table, ": check the label map"));
	hy_free(table);
	o.strict = true;
	assert_int_equal(hardy_predict(&o, &listen_log, &err), HARDY_ERROR_THRESHOLD);
	o.warn_dice = 0;
	listen_anew();
	assert_ok(hardy_predict(&o, &listen_log, &err), &err);
	assert_null(strstr(heard, "predicted Dice"));
	o.warn_dice = 1.5;
	assert_int_equal(hardy_predict(&o, &listen_log, &err), HARDY_ERROR_ARGUMENT);
	/* of the FTN alone nothing is predicted */
	o = (hardy_predict_options){.inputs = o.inputs,
	                            .n_inputs = 2,
	                            .output = paths[2],
	                            .network = "ftn",
	                            .stn_iterations = 1,
	                            .precision = "f32",
	                            .tta = "none"};
	assert_ok(hardy_predict(&o, &listen_log, &err), &err);
	assert_ok(hy_file_read(tree_path("predicted/quality.csv"), &table, &size, &err), &err);
	assert_non_null(strstr(table, ",,,,,"));
	hy_free(table);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_model_gets_its_calibration),
	    cmocka_unit_test(a_broken_scan_is_left_out),
	    cmocka_unit_test(a_checkpoint_stays_one),
	    cmocka_unit_test(subjects_it_was_trained_on_are_left_out),
	    cmocka_unit_test(predictions_of_its_own_subjects_are_told),
	    cmocka_unit_test(what_it_refuses),
	    cmocka_unit_test(ensembles_take_the_mean),
	    cmocka_unit_test(the_quality_table_has_it),
	};
	return cmocka_run_group_tests(tests, make_all, remove_all);
}
