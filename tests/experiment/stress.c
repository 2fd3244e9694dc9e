/*
 * stress.c: hardy_stress on a tiny data set with a small random model: its rows against the protocol written out here, its tables
 * against its rows, and what goes wrong.
 */
#include "support/listen.h"
#include "support/test.h"
#include "support/tree.h"

#include "artefact/artefact.h"
#include "base/files.h"
#include "base/memory.h"
#include "dataset/preprocess.h"
#include "metric/overlap.h"
#include "predict/predictor.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const CLASSES[3] = {"background", "ring", "core"};

/* What a fit leaves; the numbers are made up. */
static hy_calibration some_calibration(void)
{
	hy_calibration c = {.version = HY_CALIBRATION_VERSION,
	                    .presence = {1, 1, 1},
	                    .intercept = 0.4,
	                    .n_knots = 2,
	                    .knot_x = {0, 1},
	                    .knot_y = {0, 1},
	                    .margin_x = {0, 0.5, 1},
	                    .margin = {0.1, 0.2, 0.1}};
	for (int k = 0; k < HY_N_SIGNALS; k++) {
		c.mean[k] = k % 3 < 2 ? 0.5 : 0;
		c.sd[k] = 1;
		c.weight[k] = 0.1;
	}
	return c;
}

static void save_model(const char *name, const char *last_class, const char *card)
{
	hardy_error err;
	hy_model m = {.n_classes = 3, .n_channels = 1};
	const hy_network_config config = {.channels = 1, .classes = 3, .decoupler = true};
	assert_ok(hy_network_init(&m.network, &config, &err), &err);
	hy_params_draw(&m.network.params, 5);
	hy_plan_init(&m.plan);
	m.plan.size = 32;
	m.plan.spacing_mm = 3;
	for (int c = 0; c < 3; c++) {
		snprintf(m.classes[c].name, HY_NAME_SIZE, "%s", c == 2 ? last_class : CLASSES[c]);
		m.classes[c].present = true;
		m.classes[c].value = c;
	}
	snprintf(m.channels[0], HY_NAME_SIZE, "image");
	m.calibration = some_calibration();
	m.card = card ? hy_strdup(card) : NULL;
	assert_ok(hy_model_save(&m, tree_path(name), NULL, HY_REPLACE_ANY, &err), &err);
	hy_model_clear(&m);
}

static int make_all(void **state)
{
	(void)state;
	tree_new();
	tree_ring_case("set", "s1", 2, true, 1);
	tree_ring_case("set", "s2", 2, true, 2);
	save_model("model.safetensors", "core", NULL);
	save_model("other.safetensors", "rim", NULL);
	return 0;
}

static int remove_all(void **state)
{
	(void)state;
	tree_remove();
	return 0;
}

/* ---- calls -------------------------------------------------------------------------------------------------------------- */

static hardy_stress_options plain(void)
{
	hardy_stress_options o;
	hardy_stress_options_init(&o);
	o.labels = "ring=1,core=2";
	return o;
}

static hardy_status call(hardy_stress_options o, const char *model, const char *data, const char *output, hardy_error *err)
{
	char paths[3][600];
	snprintf(paths[0], sizeof paths[0], "%s", tree_path(model));
	snprintf(paths[1], sizeof paths[1], "%s", tree_path(data));
	snprintf(paths[2], sizeof paths[2], "%s", tree_path(output));
	const char *inputs[2] = {paths[0], paths[1]};
	o.inputs = inputs;
	o.n_inputs = 2;
	o.output = paths[2];
	listen_anew();
	return hardy_stress(&o, &listen_sink, &listen_log, &listen_stop, err);
}

/* ---- reading cases.csv -------------------------------------------------------------------------------------------------- */

typedef struct row {
	char subject[32], artefact[32], network[32];
	int level, copy;
	double ring, core, mean, predicted, low;
} row;

static row rows[512];
static size_t n_rows;

static double number(const char *field)
{
	return *field ? strtod(field, NULL) : NAN;
}

static void read_rows(const char *path)
{
	hardy_error err;
	char *text;
	size_t size;
	n_rows = 0;
	assert_ok(hy_file_read(tree_path(path), &text, &size, &err), &err);
	char *line = strchr(text, '\n');
	assert_non_null(line);
	assert_int_equal(strncmp(text,
	                         "subject,phase,artefact,level,copy,network,dice_ring,dice_core,mean_dice,predicted_dice,"
	                         "predicted_dice_low\n",
	                         (size_t)(line - text)),
	                 0);
	while (*++line) {
		char *field[11], *end = strchr(line, '\n');
		assert_non_null(end);
		*end = 0;
		for (int i = 0; i < 11; i++) {
			field[i] = line;
			line += strcspn(line, ",");
			assert_true((*line == 0) == (i == 10));
			*line++ = 0;
		}
		row *r = &rows[n_rows++];
		snprintf(r->subject, sizeof r->subject, "%s", field[0]);
		snprintf(r->artefact, sizeof r->artefact, "%s", field[2]);
		snprintf(r->network, sizeof r->network, "%s", field[5]);
		r->level = (int)strtol(field[3], NULL, 10);
		r->copy = (int)strtol(field[4], NULL, 10);
		r->ring = number(field[6]);
		r->core = number(field[7]);
		r->mean = number(field[8]);
		r->predicted = number(field[9]);
		r->low = number(field[10]);
		line = end;
	}
	hy_free(text);
}

static const row *find(const char *subject, const char *artefact, int level, int copy, const char *network)
{
	for (size_t i = 0; i < n_rows; i++) {
		const row *r = &rows[i];
		if (!strcmp(r->subject, subject) && !strcmp(r->artefact, artefact) && r->level == level && r->copy == copy &&
		    !strcmp(r->network, network))
			return r;
	}
	fail_msg("no row %s %s %d %d %s", subject, artefact, level, copy, network);
	return NULL;
}

/* ---- tests -------------------------------------------------------------------------------------------------------------- */

static bool is_near(double a, double b)
{
	return (isnan(a) && isnan(b)) || fabs(a - b) <= 1e-5;
}

/* The protocol by other means: the published test path makes the slices, which are spoiled and predicted at its own grid. */
static void check_protocol(const char *subject, int kind, int copy)
{
	hardy_error err;
	hy_dataset d;
	hy_volume image, stack = {0};
	hy_labels labels;
	hy_slices s;
	hy_plan plan;
	hy_model m;
	hy_prediction p;
	hy_predictor_options po;
	const hy_dataset_options o = {.labels = "ring=1,core=2"};
	hy_plan_init(&plan);
	hy_predictor_options_init(&po);
	po.both = true;
	assert_ok(hy_dataset_open(&d, tree_path("set"), &o, NULL, &err), &err);
	assert_ok(hy_case_load(&d, strcmp(subject, "s1") ? 1 : 0, &o, &image, &labels, NULL, &err), &err);
	assert_ok(hy_preprocess_test(&plan, &image, &labels, &s, &err), &err);
	if (kind >= 0) {
		const int64_t n[3] = {s.n, s.height, s.width};
		hy_rng g = hy_artefact_stream(9, (hy_artefact_kind)kind, subject, 0, copy);
		const hy_artefact a = hy_artefact_draw((hy_artefact_kind)kind, 0, n, false, &g);
		assert_ok(hy_acdcc_apply(&a, s.image, s.n, s.height, s.width, 0, &err), &err);
	}
	hy_grid_set_simple(&stack.grid, s.width, s.height, s.n, plan.spacing_mm, plan.spacing_mm, 8);
	stack.nt = 1;
	stack.data = s.image;
	assert_ok(hy_model_load(&m, tree_path("model.safetensors"), NULL, &err), &err);
	m.plan.percentile_low = 0;
	m.plan.percentile_high = 100;
	hy_predictor *predictor = hy_predictor_new((hy_model *[]){&m}, 1, &po, &err);
	assert_non_null(predictor);
	assert_ok(hy_predictor_run(predictor, &stack, &p, &err), &err);
	for (int which = 0; which < 2; which++) {
		const row *r =
		    find(subject, kind < 0 ? "none" : hy_artefact_name((hy_artefact_kind)kind), 0, copy, which ? "FTN+STN" : "FTN");
		const uint8_t *map = which ? p.label.data : p.other.data;
		const size_t n = (size_t)(s.n * s.height * s.width);
		hy_overlap ring = hy_overlap_count(map, s.label, n, 1), core = hy_overlap_count(map, s.label, n, 2);
		assert_true(is_near(r->ring, hy_overlap_dice(&ring)) && is_near(r->core, hy_overlap_dice(&core)));
		assert_true(is_near(r->mean, (r->ring + r->core) / 2));
		assert_true(is_near(r->predicted, which ? p.predicted_dice : NAN));
		assert_true(is_near(r->low, which ? p.predicted_low : NAN));
	}
	hy_prediction_clear(&p);
	hy_predictor_free(predictor);
	hy_model_clear(&m);
	hy_slices_clear(&s);
	hy_volume_clear(&image);
	hy_labels_clear(&labels);
	hy_dataset_clear(&d);
}

/* A mean and a share of a group against the rows. */
static void check_group(const cJSON *cell)
{
	const char *artefact = cJSON_GetObjectItem(cell, "artefact")->valuestring;
	const char *network = cJSON_GetObjectItem(cell, "network")->valuestring;
	const cJSON *level = cJSON_GetObjectItem(cell, "level");
	const bool pooled = !strcmp(artefact, "acdc-c");
	double sum = 0, core = 0, n = 0, half = 0, tenth = 0;
	for (size_t i = 0; i < n_rows; i++) {
		const row *r = &rows[i];
		if (strcmp(r->network, network) != 0 || r->level != (level ? level->valueint : 0) ||
		    (pooled ? !strcmp(r->artefact, "none") : strcmp(r->artefact, artefact) != 0))
			continue;
		n++;
		sum += r->mean;
		core += r->core;
		half += r->mean < .5;
		tenth += r->mean < .1;
	}
	assert_true(n > 0 && cJSON_GetObjectItem(cell, "n")->valuedouble == n);
	assert_true(is_near(cJSON_GetObjectItem(cell, "mean_dice")->valuedouble, sum / n));
	assert_true(is_near(cJSON_GetObjectItem(cell, "below_0.5")->valuedouble, half / n));
	assert_true(is_near(cJSON_GetObjectItem(cell, "below_0.1")->valuedouble, tenth / n));
	assert_true(is_near(cJSON_GetObjectItem(cJSON_GetObjectItem(cell, "dice"), "core")->valuedouble, core / n));
}

/* The forecast against the rows; every Dice of a random model is below 0.7, which leaves no area. */
static void check_forecast(const cJSON *f, int level_from)
{
	double error = 0, below = 0, n = 0;
	for (size_t i = 0; i < n_rows; i++) {
		const row *r = &rows[i];
		if (strcmp(r->network, "FTN+STN") != 0 || (r->level > 0) != (level_from > 0))
			continue;
		error += fabs(r->predicted - r->mean);
		below += r->mean < r->low;
		n++;
	}
	assert_true(n > 0 && cJSON_GetObjectItem(f, "n")->valuedouble == n);
	assert_int_equal(cJSON_GetObjectItem(f, "subjects")->valueint, 2);
	assert_int_equal(cJSON_GetObjectItem(f, "below_0.7")->valueint, (int)n);
	assert_true(cJSON_IsNull(cJSON_GetObjectItem(f, "auc")));
	assert_true(is_near(cJSON_GetObjectItem(f, "mean_absolute_error")->valuedouble, error / n));
	assert_true(is_near(cJSON_GetObjectItem(f, "below_bound")->valuedouble, below / n));
}

static void protocol(void **state)
{
	(void)state;
	hardy_error err;
	hardy_stress_options o = plain();
	cJSON *json;
	o.seed = 9;
	o.copies = 2;
	assert_ok(call(o, "model.safetensors", "set", "out", &err), &err);
	read_rows("out/cases.csv");
	assert_int_equal(n_rows, 2 * (1 + 4 * 2) * 2);
	assert_true(find("s1", "none", 0, 0, "FTN")->mean > .02); /* a model that finds nothing would test nothing */
	check_protocol("s1", HY_ARTEFACT_BIAS, 1);
	check_protocol("s2", HY_ARTEFACT_MOTION, 0);
	check_protocol("s2", -1, 0);
	assert_ok(hy_json_read(tree_path("out/stress.json"), &json, &err), &err);
	const cJSON *list = cJSON_GetObjectItem(json, "protocol"), *cell;
	assert_int_equal(cJSON_GetArraySize(list), 12);
	cJSON_ArrayForEach(cell, list) check_group(cell);
	check_forecast(cJSON_GetObjectItem(json, "predicted_dice"), 0);
	assert_true(cJSON_IsNull(cJSON_GetObjectItem(json, "predicted_dice_sweep")));
	assert_non_null(strstr(printed, "\npredicted Dice of 18 scans, 18 of them below 0.7: no area"));
	assert_true(cJSON_IsTrue(cJSON_GetObjectItem(json, "complete")) && cJSON_IsNull(cJSON_GetObjectItem(json, "sweep")));
	cJSON_Delete(json);
	assert_non_null(strstr(printed, "\nnone           2   "));
	assert_non_null(strstr(printed, "\nall four      16   "));
	assert_false(hy_path_exists(tree_path("out/sweep.csv")));
	/* the same seed again is the same bytes, another is not */
	char *a, *b;
	size_t n, m;
	assert_ok(hy_file_read(tree_path("out/cases.csv"), &a, &n, &err), &err);
	assert_ok(call(o, "model.safetensors", "set", "again", &err), &err);
	assert_ok(hy_file_read(tree_path("again/cases.csv"), &b, &m, &err), &err);
	assert_string_equal(a, b);
	hy_free(b);
	o.seed = 10;
	assert_ok(call(o, "model.safetensors", "set", "again", &err), &err);
	assert_ok(hy_file_read(tree_path("again/cases.csv"), &b, &m, &err), &err);
	assert_string_not_equal(a, b);
	hy_free(a);
	/* every way to predict is another result */
	for (int way = 0; way < 3; way++) {
		hardy_stress_options p = o;
		p.adapt = way == 0;
		p.stn_iterations = way == 1 ? 3 : 1;
		p.tta = way == 2 ? "flips" : "none";
		assert_ok(call(p, "model.safetensors", "set", "again", &err), &err);
		assert_ok(hy_file_read(tree_path("again/cases.csv"), &a, &n, &err), &err);
		assert_string_not_equal(a, b);
		hy_free(a);
	}
	hy_free(b);
}

static void sweep(void **state)
{
	(void)state;
	hardy_error err;
	hardy_stress_options o = plain();
	cJSON *json;
	o.sweep = true;
	o.copies = 1;
	o.subjects = "s1";
	assert_ok(call(o, "model.safetensors", "set", "swept", &err), &err);
	read_rows("swept/cases.csv");
	assert_int_equal(n_rows, (1 + 4 + 9 * 5) * 2);
	for (int level = 1; level <= 5; level++)
		find("s1", "shift", level, 0, "FTN");
	assert_ok(hy_json_read(tree_path("swept/stress.json"), &json, &err), &err);
	const cJSON *list = cJSON_GetObjectItem(json, "sweep"), *cell;
	assert_int_equal(cJSON_GetArraySize(list), 9 * 5 * 2);
	cJSON_ArrayForEach(cell, list) check_group(cell);
	cJSON_Delete(json);
	char *text, line[128];
	size_t size, n_lines = 0;
	assert_ok(hy_file_read(tree_path("swept/sweep.csv"), &text, &size, &err), &err);
	for (const char *p = text; *p; p++)
		n_lines += *p == '\n';
	assert_int_equal(n_lines, 1 + 9 * 6 * 2);
	snprintf(line, sizeof line, "\nblur,2,2,FTN+STN,1,%.6g,", find("s1", "blur", 2, 0, "FTN+STN")->mean);
	assert_non_null(strstr(text, line));
	hy_free(text);
}

/* Interrupted: whole cases only, and it says so. */
static void interrupted(void **state)
{
	(void)state;
	hardy_error err;
	hardy_stress_options o = plain();
	cJSON *json;
	o.copies = 1;
	stop_at = 8; /* within the second case */
	const hardy_status status = call(o, "model.safetensors", "set", "stopped", &err);
	stop_at = 1;
	assert_int_equal(status, HARDY_ERROR_INTERRUPTED);
	assert_string_equal(err.message, "interrupted after 1 of 2 cases, which are written");
	read_rows("stopped/cases.csv");
	assert_int_equal(n_rows, (1 + 4) * 2);
	assert_ok(hy_json_read(tree_path("stopped/stress.json"), &json, &err), &err);
	assert_true(cJSON_IsFalse(cJSON_GetObjectItem(json, "complete")));
	cJSON_Delete(json);
	const hardy_status at_once = call(o, "model.safetensors", "set", "never", &err);
	stop_at = 0;
	assert_int_equal(at_once, HARDY_ERROR_INTERRUPTED);
	assert_false(hy_path_exists(tree_path("never")));
}

static void faults(void **state)
{
	(void)state;
	hardy_error err;
	hardy_stress_options o = plain();
	o.copies = 1;
	assert_int_equal(call(o, "other.safetensors", "set", "no", &err), HARDY_ERROR_DATA);
	assert_non_null(strstr(err.message, "class 2 is rim, in "));
	assert_int_equal(call(o, "model.safetensors", "nothing", "no", &err), HARDY_ERROR_IO);
	assert_int_equal(call(o, "model.safetensors", "set/images", "no", &err), HARDY_ERROR_DATA);
	assert_int_equal(call(o, "set", "set", "no", &err), HARDY_ERROR_ARGUMENT);
	assert_non_null(strstr(err.message, "set: no model; want a .safetensors file"));
	assert_int_equal(call(o, "model.safetensors", "model.safetensors", "no", &err), HARDY_ERROR_ARGUMENT);
	assert_string_equal(err.message, "no data set is named");
	o.copies = 0;
	assert_int_equal(call(o, "model.safetensors", "set", "no", &err), HARDY_ERROR_ARGUMENT);
	assert_string_equal(err.message, "copies is 0, want 1 to 100");
	o.copies = 1;
	o.tta = "mirror";
	assert_int_equal(call(o, "model.safetensors", "set", "no", &err), HARDY_ERROR_ARGUMENT);
	assert_string_equal(err.message, "tta is \"mirror\", want one of none|flips|intensity|both");
	o.tta = "none";
	o.stn_iterations = 0;
	assert_int_equal(call(o, "model.safetensors", "set", "no", &err), HARDY_ERROR_ARGUMENT);
	assert_string_equal(err.message, "stn_iterations is 0, want 1 to 20");
	o.stn_iterations = 1;
	assert_false(hy_path_exists(tree_path("no")));
	tree_text("file", "text");
	assert_int_equal(call(o, "model.safetensors", "set", "file", &err), HARDY_ERROR_IO);
	assert_string_equal(heard, ""); /* known before any case */
	/* a damaged scan fails alone */
	tree_ring_case("mixed", "s1", 2, true, 1);
	tree_ring_case("mixed", "s2", 2, true, 2);
	tree_truncate("mixed/images/s2.nii.gz", 2000);
	o.copies = 1;
	assert_int_equal(call(o, "model.safetensors", "mixed", "part", &err), HARDY_ERROR_PARTIAL);
	assert_non_null(strstr(heard, "s2.nii.gz"));
	read_rows("part/cases.csv");
	assert_int_equal(n_rows, (1 + 4) * 2);
	o.subjects = "s2";
	assert_int_not_equal(call(o, "model.safetensors", "mixed", "part2", &err), HARDY_OK);
	assert_false(hy_path_exists(tree_path("part2")));
}

/* The models of a cross-validation are an ensemble; what they were trained on is told. */
static void models_of_a_cross_validation(void **state)
{
	(void)state;
	hardy_error err;
	hardy_stress_options o = plain();
	tree_text("cv/folds.json",
	          "{\"hardy_version\": \"0.1.0\", \"status\": \"done\", \"folds\": [{\"run\": \"a\"}, {\"run\": \"b\"}]}");
	assert_ok(hy_make_folders(tree_path("cv/a"), &err), &err);
	assert_ok(hy_make_folders(tree_path("cv/b"), &err), &err);
	save_model("cv/a/model.safetensors", "core", "{\"data\": \"set\", \"subjects\": [\"s2\"]}");
	save_model("cv/b/model.safetensors", "core", NULL);
	assert_ok(call(o, "cv", "set", "cv_out", &err), &err);
	read_rows("cv_out/cases.csv");
	assert_int_equal(n_rows, 2 * (1 + 4 * 3) * 2);
	assert_non_null(strstr(heard, "1 of 2 scans is of subjects that the model was trained on (s2): their scores"));
	assert_ok(call(o, "cv/b", "set", "cv_b", &err), &err);
	assert_null(strstr(heard, "trained on"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(protocol),    cmocka_unit_test(sweep),
	    cmocka_unit_test(interrupted), cmocka_unit_test(models_of_a_cross_validation),
	    cmocka_unit_test(faults),
	};
	return cmocka_run_group_tests(tests, make_all, remove_all);
}
