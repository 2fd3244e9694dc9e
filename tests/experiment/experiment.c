/*
 * experiment.c: hardy_experiment on a tiny data set: results against hardy_predict and hardy_evaluate, what is not repeated, what goes on
 * after an interruption, failures, processes, and errors of arguments.
 */
#include "support/listen.h"
#include "support/test.h"
#include "support/tree.h"

#include "base/files.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/rng.h"
#include "experiment/methods.h"
#include "experiment/stress.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char home[700], other[700], splits[700];

static int make_all(void **state)
{
	(void)state;
	tree_new();
	for (int i = 1; i <= 4; i++) {
		char name[8];
		snprintf(name, sizeof name, "s%d", i);
		tree_ring_case("first", name, 3, false, (uint64_t)i);
	}
	tree_ring_case("second", "t1", 3, false, 11);
	tree_ring_case("second", "t2", 3, false, 12);
	tree_text("splits.json", "{\"pool\": [\"s1\", \"s2\"], \"validation\": [], \"test\": [\"s4\"]}");
	snprintf(home, sizeof home, "home=%s:labels=ring=1,core=2", tree_path("first"));
	snprintf(other, sizeof other, "%s:labels=ring=1,core=2:classes=core:title=The other:labelled-slices", tree_path("second"));
	snprintf(splits, sizeof splits, "%s", tree_path("splits.json"));
	return 0;
}

static int remove_all(void **state)
{
	(void)state;
	tree_remove();
	return 0;
}

/* ---- calls -------------------------------------------------------------------------------------------------------------- */

static const char *const settings[] = {"size=32,spacing_mm=4", "iterations=3", "batch=4", "subjects=1,validation=0"};
static char output[600];

static hardy_experiment_options plain(void)
{
	static const char *data[2];
	hardy_experiment_options o;
	data[0] = home;
	data[1] = other;
	hardy_experiment_options_init(&o);
	o.name = "latent-vs-image";
	o.data = data;
	o.n_data = 2;
	o.splits = splits;
	o.methods = "standard,cooperative";
	o.seeds = 1;
	o.copies = 1;
	o.threads = 1;
	o.settings = settings;
	o.n_settings = sizeof settings / sizeof *settings;
	return o;
}

static hardy_status call(hardy_experiment_options o, const char *folder, hardy_error *err)
{
	snprintf(output, sizeof output, "%s", tree_path(folder));
	o.output = output;
	listen_anew();
	memset(err, 0, sizeof *err);
	return hardy_experiment(&o, &listen_sink, &listen_log, &listen_stop, err);
}

/* ---- results ------------------------------------------------------------------------------------------------------------ */

/* Line i of a file, parsed; NULL behind the last. */
static cJSON *line_of(const char *path, int i)
{
	hardy_error err;
	char *text;
	size_t size;
	assert_ok(hy_file_read(tree_path(path), &text, &size, &err), &err);
	char *at = text;
	for (; i && at; i--) {
		at = strchr(at, '\n');
		at += at != NULL;
	}
	char *end = at ? strchr(at, '\n') : NULL;
	if (end)
		*end = 0;
	cJSON *json = end ? cJSON_Parse(at) : NULL;
	assert_true(!end || json);
	hy_free(text);
	return json;
}

static const char *text_in(const cJSON *json, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);
	assert_true(cJSON_IsString(item));
	return item->valuestring;
}

static const cJSON *set_of(const cJSON *line, const char *name)
{
	const cJSON *set;
	cJSON_ArrayForEach(set, cJSON_GetObjectItemCaseSensitive(line, "sets")) if (!strcmp(text_in(set, "name"), name)) return set;
	fail_msg("no set %s", name);
	return NULL;
}

/* A class of a case, as scored; NaN where it is null. */
static double dice_in(const cJSON *set, const char *name, const char *network, const char *class_name)
{
	const cJSON *c;
	cJSON_ArrayForEach(c, cJSON_GetObjectItemCaseSensitive(set, "cases"))
	{
		if (strcmp(text_in(c, "case"), name) != 0)
			continue;
		const cJSON *v = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(c, network), class_name);
		assert_true(cJSON_IsNumber(v) || cJSON_IsNull(v));
		return cJSON_IsNumber(v) ? v->valuedouble : NAN;
	}
	fail_msg("no case %s", name);
	return NAN;
}

/* The same through files: predictions of the run's model, then their evaluation. */
static void check_against_files(const cJSON *line, const char *model, const char *data, const char *set, bool ftn)
{
	hardy_error err;
	hardy_predict_options p;
	hardy_evaluate_options e;
	hardy_evaluation found = {0};
	char paths[3][600];
	hardy_predict_options_init(&p);
	hardy_evaluate_options_init(&e);
	snprintf(paths[0], sizeof paths[0], "%s", tree_path(model));
	snprintf(paths[1], sizeof paths[1], "%s", tree_path(data));
	snprintf(paths[2], sizeof paths[2], "%s", tree_path(ftn ? "maps-ftn" : "maps-stn"));
	const char *inputs[2] = {paths[0], paths[1]};
	const bool at_home = !strcmp(set, "home");
	p.inputs = inputs;
	p.n_inputs = 2;
	p.output = paths[2];
	p.network = ftn ? "ftn" : "stn";
	p.threads = 1;
	p.labels = e.labels = "ring=1,core=2";
	p.subjects = at_home ? "s4" : NULL;
	assert_ok(hardy_predict(&p, NULL, &err), &err);
	e.prediction = paths[2];
	e.reference = paths[1];
	e.allow_missing = true;
	e.labelled_slices = !at_home;
	e.classes = at_home ? NULL : "core";
	assert_ok(hardy_evaluate(&e, &found, NULL, &err), &err);
	const cJSON *cases = cJSON_GetObjectItemCaseSensitive(set_of(line, set), "cases");
	assert_int_equal(cJSON_GetArraySize(cases), at_home ? 1 : 2);
	assert_int_equal(found.n_rows, 2);
	for (size_t i = 0; i < found.n_rows; i++) {
		const hardy_score_row *r = &found.rows[i];
		const double v = dice_in(set_of(line, set), r->name, ftn ? "ftn" : "stn", r->class_name);
		assert_true(isnan(v) == isnan(r->value[HARDY_SCORE_DICE]));
		assert_true(isnan(v) || fabs(v - r->value[HARDY_SCORE_DICE]) <= 5.1e-5);
	}
	hardy_evaluation_clear(&found);
}

static void runs_and_is_not_repeated(void **state)
{
	(void)state;
	hardy_error err;
	hardy_experiment_options o = plain();
	assert_ok(call(o, "a", &err), &err);
	assert_non_null(strstr(printed, "latent-vs-image: 2 of 2 runs are done"));
	cJSON *line = line_of("a/results.jsonl", 1);
	assert_non_null(line);
	assert_int_equal(strlen(text_in(line, "key")), 64);
	assert_string_equal(text_in(line, "method"), "cooperative");
	assert_string_equal(text_in(line, "status"), "done");
	assert_int_equal(cJSON_GetObjectItem(line, "steps")->valueint, 3);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(line, "subjects")), 1);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(line, "sets")), 6);
	assert_string_equal(text_in(set_of(line, "second"), "title"), "The other");
	assert_string_equal(text_in(set_of(line, "home"), "kind"), "intra");
	assert_string_equal(text_in(set_of(line, "spike"), "kind"), "artefact");
	const cJSON *curve = cJSON_GetArrayItem(cJSON_GetObjectItem(line, "curve"), 1);
	assert_int_equal(cJSON_GetArraySize(curve), cJSON_GetArraySize(cJSON_GetObjectItem(line, "curve_columns")));
	assert_int_equal(cJSON_GetArrayItem(curve, 0)->valueint, 3);
	check_against_files(line, "a/runs/cooperative-0/last.safetensors", "first", "home", true);
	check_against_files(line, "a/runs/cooperative-0/last.safetensors", "second", "second", false);
	cJSON_Delete(line);
	assert_null(line_of("a/results.jsonl", 2));
	/* nothing left to do, here or elsewhere, and nothing is done */
	assert_ok(call(o, "a", &err), &err);
	assert_non_null(strstr(logged, "0 of 2 runs: 2 done"));
	char from[600];
	snprintf(from, sizeof from, "%s", tree_path("a"));
	o.results = (const char *const[]){from};
	o.n_results = 1;
	assert_ok(call(o, "b", &err), &err);
	assert_false(hy_path_exists(tree_path("b/runs")));
	cJSON *first = line_of("a/results.jsonl", 0), *copy = line_of("b/results.jsonl", 0);
	assert_true(cJSON_Compare(first, copy, true));
	cJSON_Delete(first);
	cJSON_Delete(copy);
	/* another seed is another run, the first one stays */
	o.seeds = 2;
	o.methods = "standard";
	o.dry_run = true;
	assert_ok(call(o, "b", &err), &err);
	assert_non_null(strstr(printed, "standard-0           done "));
	assert_non_null(strstr(printed, "standard-1           to do "));
	assert_non_null(strstr(printed, ", 1 at a time "));
	assert_false(hy_path_exists(tree_path("b/runs")));
	/* a training that is done is only scored: here with other statistics of batch norm */
	o = plain();
	o.methods = "standard";
	o.adapt = o.dry_run = true;
	assert_ok(call(o, "a", &err), &err);
	assert_non_null(strstr(printed, "standard-0           trained        0 "));
	/* jobs of one thread go side by side as far as there are processors */
	o.jobs = 2;
	o.threads = 1;
	o.program = "unused";
	assert_ok(call(o, "a", &err), &err);
	assert_non_null(strstr(printed, sysconf(_SC_NPROCESSORS_ONLN) > 1 ? ", 2 at a time " : ", 1 at a time "));
}

static const char *const artefacts[] = {"bias", "ghosting", "motion", "spike"};

/* A stress test of a model on subject s4 of a folder of the tree, as a run does it; rows to be freed. */
static hy_stress_row *spoil(const char *model, const char *folder, bool adapt, size_t *n_rows)
{
	hardy_error err;
	hardy_stress_options o;
	hy_stress_row *rows;
	char paths[2][600];
	hardy_stress_options_init(&o);
	snprintf(paths[0], sizeof paths[0], "%s", tree_path(model));
	snprintf(paths[1], sizeof paths[1], "%s", tree_path(folder));
	o.inputs = (const char *const[]){paths[0], paths[1]};
	o.n_inputs = 2;
	o.copies = 1;
	o.adapt = adapt;
	o.labels = "ring=1,core=2";
	o.subjects = "s4";
	assert_ok(hy_stress_collect(&o, true, &rows, n_rows, NULL, NULL, &err), &err);
	return rows;
}

/* How many scores of a run's spoiled scans differ from those of a stress test of its model. */
static int count_differences(const cJSON *line, const char *model, bool adapt)
{
	size_t n_rows;
	hy_stress_row *rows = spoil(model, "first", adapt, &n_rows);
	int n = 0, n_compared = 0;
	for (size_t i = 0; i < n_rows; i++) {
		if (rows[i].kind < 0 || rows[i].kind >= 4)
			continue;
		for (int which = 0; which < 2; which++)
			for (int c = 1; c <= 2; c++, n_compared++) {
				const double a = rows[i].dice[which][c];
				const double b = dice_in(set_of(line, artefacts[rows[i].kind]), rows[i].subject, which ? "stn" : "ftn",
				                         c == 1 ? "ring" : "core");
				n += isnan(a) != isnan(b) || (!isnan(a) && !(fabs(a - b) <= 5.1e-5));
			}
	}
	hy_free(rows);
	assert_int_equal(n_compared, 16);
	return n;
}

/* Spoiled scans are scored as hardy_stress does it, with adapted statistics when these are asked for. */
static void adapts_to_spoiled_scans_too(void **state)
{
	(void)state;
	hardy_error err;
	hardy_experiment_options o = plain();
	o.methods = "standard";
	for (int adapt = 0; adapt < 2; adapt++) {
		char model[100], results[100];
		snprintf(results, sizeof results, "adapt%d/results.jsonl", adapt);
		snprintf(model, sizeof model, "adapt%d/runs/standard-0/last.safetensors", adapt);
		o.adapt = adapt;
		char folder[16];
		snprintf(folder, sizeof folder, "adapt%d", adapt);
		assert_ok(call(o, folder, &err), &err);
		cJSON *line = line_of(results, 0);
		assert_int_equal(count_differences(line, model, adapt), 0);
		assert_true(count_differences(line, model, !adapt) > 0);
		cJSON_Delete(line);
	}
}

static double predicted_in(const cJSON *set, const char *name, const char *key)
{
	const cJSON *c;
	cJSON_ArrayForEach(c, cJSON_GetObjectItemCaseSensitive(set, "cases"))
	{
		const cJSON *v = cJSON_GetObjectItemCaseSensitive(c, key);
		if (!strcmp(text_in(c, "case"), name))
			return cJSON_IsNumber(v) ? v->valuedouble : NAN;
	}
	fail_msg("no case %s", name);
	return NAN;
}

/* A model that was calibrated foretells Dice of every scan; results have it, and statistics how right it was. */
static void keeps_predicted_dice(void **state)
{
	(void)state;
	hardy_error err;
	size_t n_rows, n = 0;
	hardy_experiment_options e = plain();
	const char *const calibrated[] = {"size=32,spacing_mm=4", "iterations=3", "batch=4", "subjects=1,validation=3"};
	char split[600], third[700];
	for (int i = 1; i <= 5; i++) {
		char name[8];
		snprintf(name, sizeof name, "s%d", i);
		tree_ring_case("third", name, 3, false, (uint64_t)i + 20);
	}
	tree_text("validated.json", "{\"pool\": [\"s1\"], \"validation\": [\"s2\", \"s3\", \"s5\"], \"test\": [\"s4\"]}");
	snprintf(split, sizeof split, "%s", tree_path("validated.json"));
	snprintf(third, sizeof third, "home=%s:labels=ring=1,core=2", tree_path("third"));
	e.data = (const char *const[]){third, other};
	e.methods = "standard";
	e.settings = calibrated;
	e.splits = split;
	assert_ok(call(e, "foretold", &err), &err);
	assert_non_null(strstr(printed, "Predicted Dice away from the training site"));
	cJSON *line = line_of("foretold/results.jsonl", 0);
	hy_stress_row *rows = spoil("foretold/runs/standard-0/last.safetensors", "third", false, &n_rows);
	for (size_t i = 0; i < n_rows; i++) {
		if (rows[i].kind < 0 || rows[i].kind >= 4)
			continue;
		const cJSON *set = set_of(line, artefacts[rows[i].kind]);
		assert_true(fabs(predicted_in(set, rows[i].subject, "predicted") - rows[i].predicted) <= 5.1e-5);
		assert_true(fabs(predicted_in(set, rows[i].subject, "predicted_low") - rows[i].low) <= 5.1e-5);
		n++;
	}
	hy_free(rows);
	assert_int_equal(n, 4);
	assert_true(predicted_in(set_of(line, "second"), "t2", "predicted") >= 0);
	cJSON_Delete(line);
	cJSON *json;
	assert_ok(hy_json_read(tree_path("foretold/statistics.json"), &json, &err), &err);
	const cJSON *found = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "predicted_dice"), 0);
	assert_int_equal(cJSON_GetObjectItem(found, "n_scans")->valueint, 4 + 2);
	assert_int_equal(cJSON_GetObjectItem(found, "n_subjects")->valueint, 1 + 2);
	cJSON_Delete(json);
	/* of a model without calibration nothing is said */
	assert_ok(call(plain(), "a", &err), &err);
	assert_null(strstr(printed, "Predicted Dice"));
}

/* Interrupted while it trains, then while it scores; the end is that of "a". */
static void goes_on(void **state)
{
	(void)state;
	hardy_error err;
	hardy_experiment_options o = plain();
	int n_stopped = 0;
	hardy_status status;
	for (int k = 4; (stop_at = k, status = call(o, "c", &err)) != HARDY_OK; k += 4, n_stopped++) {
		assert_int_equal(status, HARDY_ERROR_INTERRUPTED);
		assert_non_null(strstr(err.message, "of 2 runs are done; the same command goes on"));
	}
	stop_at = 0;
	assert_true(n_stopped >= 3);
	for (int i = 0; i < 2; i++) {
		cJSON *a = line_of("a/results.jsonl", i), *c = line_of("c/results.jsonl", i);
		assert_string_equal(text_in(a, "key"), text_in(c, "key"));
		assert_true(cJSON_Compare(cJSON_GetObjectItem(a, "sets"), cJSON_GetObjectItem(c, "sets"), true));
		assert_true(cJSON_Compare(cJSON_GetObjectItem(a, "curve"), cJSON_GetObjectItem(c, "curve"), true));
		cJSON_Delete(a);
		cJSON_Delete(c);
	}
	/* what lies there is not taken for another training */
	const char *const longer[] = {"size=32,spacing_mm=4", "iterations=4", "batch=4", "subjects=1,validation=0"};
	o.settings = longer;
	assert_int_equal(call(o, "c", &err), HARDY_ERROR_ARGUMENT);
	assert_non_null(strstr(err.message, "standard-0: the run was started with iterations 3, now it is 4"));
}

/* Changes a byte in the middle of a file, or changes it back. */
static void flip(const char *path)
{
	FILE *f = fopen(tree_path(path), "r+b");
	assert_non_null(f);
	fseek(f, 200, SEEK_SET);
	const int c = fgetc(f);
	fseek(f, 200, SEEK_SET);
	fputc(c ^ 0x5a, f);
	fclose(f);
}

static void lists_failures(void **state)
{
	(void)state;
	static const char scan[] = "second/images/t2.nii.gz";
	hardy_error err;
	hardy_experiment_options o = plain();
	o.methods = "standard";
	o.strict = true;
	flip(scan);
	assert_int_equal(call(o, "d", &err), HARDY_ERROR_PARTIAL);
	assert_non_null(strstr(err.message, "1 of 1 run failed"));
	assert_non_null(strstr(err.message, "t2"));
	cJSON *line = line_of("d/failed.jsonl", 0);
	assert_string_equal(text_in(line, "status"), "failed");
	assert_non_null(strstr(text_in(line, "error"), "second, t2"));
	cJSON_Delete(line);
	assert_false(hy_path_exists(tree_path("d/results.jsonl")));
	flip(scan);
	assert_int_equal(call(o, "d", &err), HARDY_ERROR_PARTIAL); /* not by itself */
	assert_null(strstr(logged, "standard-0: run"));
	o.retry_failed = true;
	assert_ok(call(o, "d", &err), &err);
	assert_null(strstr(logged, "steps of 4 slices")); /* the model was there */
	assert_false(hy_path_exists(tree_path("d/failed.jsonl")));
	cJSON *a = line_of("a/results.jsonl", 0), *d = line_of("d/results.jsonl", 0);
	assert_true(cJSON_Compare(cJSON_GetObjectItem(a, "sets"), cJSON_GetObjectItem(d, "sets"), true));
	cJSON_Delete(a);
	cJSON_Delete(d);
}

static int n_cases_of(const cJSON *line, const char *name)
{
	return cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(set_of(line, name), "cases"));
}

/* One bad scan on each side: the others train and are scored, and the result counts what is missing; strict refuses. */
static void goes_on_without_bad_scans(void **state)
{
	(void)state;
	hardy_error err;
	hardy_experiment_options o = plain();
	o.methods = "standard";
	/* a test scan and one of the other site cannot be read, another of it is not what its name says */
	tree_text("splits2.json", "{\"pool\": [\"s1\", \"s2\"], \"validation\": [], \"test\": [\"s3\", \"s4\"]}");
	char two[600];
	snprintf(two, sizeof two, "%s", tree_path("splits2.json"));
	o.splits = two;
	tree_ring_case("second", "t3", 3, false, 13);
	tree_text("second/images/t3.nii.gz", "no scan");
	flip("second/images/t2.nii.gz");
	flip("first/images/s3.nii.gz");
	assert_ok(call(o, "bad", &err), &err);
	assert_non_null(strstr(logged, "left out: "));
	assert_non_null(strstr(logged, "t3.nii.gz"));
	cJSON *line = line_of("bad/results.jsonl", 0);
	assert_int_equal(n_cases_of(line, "second"), 1);
	assert_int_equal(cJSON_GetObjectItemCaseSensitive(set_of(line, "second"), "left_out")->valueint, 2);
	assert_int_equal(n_cases_of(line, "home"), 1);
	assert_int_equal(cJSON_GetObjectItemCaseSensitive(set_of(line, "home"), "left_out")->valueint, 1);
	assert_int_equal(n_cases_of(line, artefacts[0]), 1);
	assert_null(cJSON_GetObjectItemCaseSensitive(line, "strict"));
	cJSON *a = line_of("a/results.jsonl", 0); /* what was scored is scored as without the bad ones */
	assert_true(dice_in(set_of(a, "second"), "t1", "stn", "core") == dice_in(set_of(line, "second"), "t1", "stn", "core"));
	cJSON_Delete(a);
	cJSON_Delete(line);
	o.strict = true;
	assert_int_equal(call(o, "bad-strict", &err), HARDY_ERROR_PARTIAL);
	assert_non_null(strstr(err.message, "1 of 1 run failed"));
	/* not one that can be used */
	tree_text("second/images/t1.nii.gz", "no scan");
	tree_text("second/images/t2.nii.gz", "no scan");
	o.strict = false;
	assert_int_equal(call(o, "none", &err), HARDY_ERROR_PARTIAL);
	assert_non_null(strstr(err.message, "no scan can be"));
	tree_delete("second/images/t3.nii.gz");
	tree_delete("second/labels/t3.nii.gz");
	tree_ring_case("second", "t1", 3, false, 11);
	tree_ring_case("second", "t2", 3, false, 12);
	flip("first/images/s3.nii.gz");
}

/* Who trains, validates and tests does not depend on one scan that cannot be read. */
static void draws_bad_subjects_too(void **state)
{
	(void)state;
	char *text[2];
	hardy_error err;
	size_t size;
	hardy_experiment_options o = plain();
	o.methods = "standard";
	o.splits = NULL;
	o.n_data = 1;
	o.collect = true;
	for (int bad = 0; bad < 2; bad++) {
		if (bad)
			tree_text("first/labels/s2.nii.GZ", "which of the two is meant?");
		assert_int_equal(call(o, bad ? "drawn-bad" : "drawn", &err), HARDY_ERROR_PARTIAL);
		assert_ok(hy_file_read(tree_path(bad ? "drawn-bad/splits.json" : "drawn/splits.json"), &text[bad], &size, &err), &err);
	}
	assert_non_null(strstr(logged, "left out: "));
	assert_non_null(strstr(text[0], "s2"));
	assert_string_equal(text[0], text[1]);
	tree_delete("first/labels/s2.nii.GZ");
	hy_free(text[0]);
	hy_free(text[1]);
}

static void processes(void **state)
{
	(void)state;
	hardy_error err;
	hardy_experiment_options o = plain();
	o.jobs = 2;
	assert_int_equal(call(o, "e", &err), HARDY_ERROR_ARGUMENT);
	o.program = getenv("HARDY_PROGRAM");
	if (!o.program)
		skip();
	assert_ok(call(o, "e", &err), &err);
	for (int i = 0; i < 2; i++) {
		cJSON *e = line_of("e/results.jsonl", i), *a = line_of("a/results.jsonl", 0), *b = line_of("a/results.jsonl", 1);
		const cJSON *same = strcmp(text_in(e, "key"), text_in(a, "key")) ? b : a;
		assert_string_equal(text_in(e, "key"), text_in(same, "key"));
		assert_true(cJSON_Compare(cJSON_GetObjectItem(e, "sets"), cJSON_GetObjectItem(same, "sets"), true));
		cJSON_Delete(e);
		cJSON_Delete(a);
		cJSON_Delete(b);
	}
	/* a program that leaves nothing */
	o.program = "/bin/false";
	o.seeds = 1;
	assert_int_equal(call(o, "f", &err), HARDY_ERROR_PARTIAL);
	assert_non_null(strstr(err.message, "the process ended with exit code 1; see "));
}

/* Subjects are drawn when no file names them, once. */
static void draws_subjects(void **state)
{
	(void)state;
	hardy_error err;
	hardy_experiment_options o = plain();
	o.splits = NULL;
	o.dry_run = true;
	assert_ok(call(o, "g", &err), &err);
	assert_non_null(strstr(printed, "    test         1: s"));
	assert_false(hy_path_exists(tree_path("g"))); /* telling writes nothing */
	o.dry_run = false;
	o.collect = true;
	call(o, "g", &err);
	assert_true(hy_path_exists(tree_path("g/splits.json")));
	assert_non_null(strstr(logged, "to train on (3), to validate (0) and to test (1)"));
	call(o, "g", &err);
	assert_null(strstr(logged, "drawn"));
}

/* In the large-data setting all subjects of the pool train, whatever the preset says. */
static void takes_all_subjects(void **state)
{
	(void)state;
	hardy_error err;
	hardy_experiment_options o = plain();
	o.name = "large-data";
	o.dry_run = true;
	assert_ok(call(o, "h", &err), &err);
	assert_non_null(strstr(printed, "    train        2: s1 s2\n"));
	assert_false(hy_path_exists(tree_path("h")));
}

/* Methods beyond the study are made only when they are named, or with "all". */
static void lists_methods(void **state)
{
	static const struct {
		const char *list;
		size_t n;
		const char *last;
	} wanted[] = {{NULL, 8, "hardy"}, {"all", 12, "maxstyle"}, {"dsu,standard", 2, "dsu"}};
	const hy_experiment *e;
	hardy_error err = {0};
	(void)state;
	assert_ok(hy_experiment_find("latent-vs-image", &e, &err), &err);
	for (size_t i = 0; i < sizeof wanted / sizeof *wanted; i++) {
		const hy_method *const *found;
		size_t n;
		assert_ok(hy_methods_of(e, wanted[i].list, &found, &n, &err), &err);
		assert_int_equal(n, wanted[i].n);
		assert_string_equal(found[n - 1]->name, wanted[i].last);
		hy_free((void *)(uintptr_t)found);
	}
}

static void refuse(hardy_experiment_options o, hardy_status status, const char *part)
{
	hardy_error err;
	assert_int_equal(call(o, "no", &err), status);
	if (!strstr(err.message, part))
		fail_msg("\"%s\" lacks \"%s\"", err.message, part);
	assert_false(hy_path_exists(tree_path("no")));
}

static void faults(void **state)
{
	(void)state;
	hardy_experiment_options o = plain();
	const char *data[2] = {home, home};
	o.name = "latent";
	refuse(o, HARDY_ERROR_ARGUMENT,
	       "experiment is \"latent\" (did you mean latent-vs-image?), want one of cooperative-vs-standard, latent-vs-image, ");
	o = plain();
	o.methods = "standard,magic";
	refuse(o, HARDY_ERROR_ARGUMENT, "latent-vs-image has no method \"magic\", want all, or some of standard, mwm, ");
	o = plain();
	o.preset = "slow";
	refuse(o, HARDY_ERROR_ARGUMENT, "preset is \"slow\"");
	o = plain();
	o.seeds = 0;
	refuse(o, HARDY_ERROR_ARGUMENT, "seeds is 0, want 1 to 1000");
	o = plain();
	o.data = data;
	refuse(o, HARDY_ERROR_ARGUMENT, "two test sets are called \"home\"");
	data[1] = "/nowhere";
	refuse(o, HARDY_ERROR_IO, "/nowhere: no such folder");
	data[1] = "/:labels=lv=x";
	refuse(o, HARDY_ERROR_ARGUMENT, "want a name of 1 to");
	o.n_data = 0;
	refuse(o, HARDY_ERROR_ARGUMENT, "no data set is named");
	o = plain();
	o.settings = (const char *const[]){"seed=4"};
	o.n_settings = 1;
	refuse(o, HARDY_ERROR_ARGUMENT, "settings: the experiment itself decides on seed");
	o.settings = (const char *const[]){"size=33"};
	refuse(o, HARDY_ERROR_ARGUMENT, "size is 33, want a multiple of 16");
	o.settings = (const char *const[]){"batch=many"};
	refuse(o, HARDY_ERROR_ARGUMENT, "batch is \"many\", want a whole number from 2 to 1024");
	o = plain();
	o.splits = "/nowhere/splits.json";
	refuse(o, HARDY_ERROR_IO, "/nowhere/splits.json");
	o = plain();
	o.run = "standard-9";
	refuse(o, HARDY_ERROR_ARGUMENT, "there is no run \"standard-9\"");
	o = plain();
	o.results = (const char *const[]){"/nowhere"};
	o.n_results = 1;
	o.dry_run = true;
	refuse(o, HARDY_ERROR_IO, "/nowhere: no such file or folder of results");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(runs_and_is_not_repeated),
	    cmocka_unit_test(adapts_to_spoiled_scans_too),
	    cmocka_unit_test(keeps_predicted_dice),
	    cmocka_unit_test(goes_on),
	    cmocka_unit_test(lists_failures),
	    cmocka_unit_test(goes_on_without_bad_scans),
	    cmocka_unit_test(draws_bad_subjects_too),
	    cmocka_unit_test(processes),
	    cmocka_unit_test(draws_subjects),
	    cmocka_unit_test(takes_all_subjects),
	    cmocka_unit_test(lists_methods),
	    cmocka_unit_test(faults),
	};
	return cmocka_run_group_tests(tests, make_all, remove_all);
}
