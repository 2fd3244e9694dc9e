/*
 * trained.c: hardy_report on the folder of a training: scores and volumes of the validation scans are those of hardy_evaluate, the sentences
 * are the run's, what is missing is said, and nothing that a record holds breaks out of the page.
 */
#include "report/trained.h"

#include "base/files.h"
#include "base/memory.h"
#include "base/rng.h"
#include "support/models.h"
#include "support/test.h"
#include "support/tree.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NZ = 3 };

static void save_model(const char *name)
{
	hardy_error err;
	hy_model m;
	const hy_network_config config = {.channels = 1, .classes = 3, .kind = HY_NETWORK_UNET, .width = 16, .levels = 2};
	drawn_model(&m, &config, drawn_ring, 32, 3, 3);
	assert_ok(hy_model_save(&m, tree_path(name), NULL, HY_REPLACE_ANY, &err), &err);
	hy_model_clear(&m);
}

/* keys: those of the record that say what the recipe is, the last of them with the text. */
static void write_record_as(const char *status, const char *keys, const char *recipe)
{
	char text[4096];
	snprintf(
	    text, sizeof text,
	    "{\"hardy_version\":\"9\",\"status\":\"%s\",%s:\"%s\",\"options\":{\"data\":\"%s\","
	    "\"labels\":\"ring=1,core="
	    "2\","
	    "\"network\":\"unet\",\"network_width\":16,\"network_levels\":2,\"size\":32,\"spacing_mm\":3,\"recipe\":\"x\","
	    "\"augment\":\"wide\",\"rotation_deg\":30,\"mirror\":0,\"batch\":4,\"schedule\":\"constant\",\"loss\":\"ce\"},"
	    "\"data_set\":{\"name\":\"set\",\"layout\":\"folders\",\"train\":[\"s1\"],\"validation\":[\"s2\",\"s3\"],\"test\":[]},"
	    "\"steps\":12,\"steps_made\":7,\"seconds\":30,\"model\":\"last.safetensors\","
	    "\"validation_of_last\":{\"stn_dice\":0.625}}\n",
	    status, keys, recipe, tree_path("set"));
	tree_text("run/run.json", text);
}

static void write_record(const char *status, const char *recipe)
{
	write_record_as(status, "\"recipe\":\"x\",\"summary\"", recipe);
}

static int make_all(void **state)
{
	(void)state;
	hardy_error err = {0};
	tree_new();
	tree_ring_case("set", "s1", NZ, true, 1);
	tree_ring_case("set", "s2", NZ, true, 2);
	tree_ring_case("set", "s3", NZ, true, 3);
	assert_ok(hy_make_folders(tree_path("run"), &err), &err);
	save_model("run/last.safetensors");
	write_record("done", "a recipe");
	tree_text("run/metrics.csv", "epoch,step,learning_rate,loss,val_stn_dice\n1,3,0.1,2,0.5\n2,7,0.1,1,0.625\n");
	return 0;
}

static int remove_all(void **state)
{
	(void)state;
	tree_remove();
	return 0;
}

/* Like hardy predict and hardy evaluate, and the worst first. */
static void scores_are_those_of_evaluate(void **state)
{
	(void)state;
	hardy_error err = {0};
	hy_trained t;
	char model[512], data[512];
	snprintf(model, sizeof model, "%s", tree_path("run"));
	snprintf(data, sizeof data, "%s", tree_path("set"));
	const char *const inputs[] = {model, data};
	hardy_predict_options p;
	hardy_evaluate_options o;
	hardy_evaluation e;
	hardy_predict_options_init(&p);
	p.inputs = inputs;
	p.n_inputs = 2;
	p.output = tree_path("labels");
	p.labels = "ring=1,core=2";
	assert_ok(hardy_predict(&p, NULL, &err), &err);
	hardy_evaluate_options_init(&o);
	o.prediction = tree_path("labels");
	o.reference = data;
	o.labels = "ring=1,core=2";
	assert_ok(hardy_evaluate(&o, &e, NULL, &err), &err);
	assert_ok(hy_trained_read(&t, model, true, NULL, &err), &err);
	assert_null(t.note);
	assert_int_equal(t.n_cases, 2);
	assert_int_equal(t.n_scans, 3);
	assert_true(t.cases[0].mean <= t.cases[1].mean);
	size_t n_compared = 0;
	for (size_t i = 0; i < e.n_rows; i++)
		for (size_t k = 0; k < t.n_cases; k++) {
			const int class = !strcmp(e.rows[i].class_name, "core") ? 2 : 1;
			if (strcmp(t.cases[k].name, e.rows[i].name) != 0)
				continue;
			assert_true(fabs(t.cases[k].dice[class] - e.rows[i].value[HARDY_SCORE_DICE]) < 1e-9);
			n_compared++;
		}
	assert_int_equal(n_compared, 4);
	assert_true(fabs(hy_trained_dice(&t, 1) - (t.cases[0].dice[1] + t.cases[1].dice[1]) / 2) < 1e-12);
	assert_true(fabs(hy_trained_dice(&t, 0) - (hy_trained_dice(&t, 1) + hy_trained_dice(&t, 2)) / 2) < 1e-12);
	/* the ring of s3 is wider than that of s2 */
	assert_int_equal(t.scans[1].role, HY_ROLE_VALIDATION);
	assert_true(t.scans[2].volume_ml[1] > t.scans[1].volume_ml[1]);
	assert_true(fabs(t.scans[1].volume_ml[2] - t.scans[2].volume_ml[2]) < 1e-9);
	assert_int_equal(t.scans[0].shape[2], NZ);
	assert_true(fabs(t.scans[0].spacing_mm[2] - 8) < 1e-6);
	hy_trained_clear(&t);
	hardy_evaluation_clear(&e);
}

static char *page_of(hardy_error *err)
{
	hardy_report_options o;
	char *page = NULL;
	size_t size;
	hardy_report_options_init(&o);
	assert_ok(hardy_report(tree_path("run"), &o, NULL, err), err);
	assert_ok(hy_file_read(tree_path("run/report.html"), &page, &size, err), err);
	assert_int_equal(strlen(page), size);
	return page;
}

static void has(const char *page, const char *part)
{
	if (!strstr(page, part))
		fail_msg("\"%s\" is not in the page", part);
}

static void the_page_says_what_was_done(void **state)
{
	(void)state;
	hardy_error err = {0};
	char *page = page_of(&err);
	has(page, "The training is finished: 7 steps in 30 seconds. <strong>Mean Dice ");
	has(page, "on 2 scans of validation subjects, which it was not trained on (ring ");
	has(page, "slices of 32 × 32 pixels of 3 mm");
	has(page, "turned by up to 30 degrees, not mirrored");
	has(page, "a U-Net of 2 levels with 16 channels");
	has(page, "Adam made 7 steps of 4 slices on cross-entropy, with a constant learning rate of ");
	has(page, "Volume of core: all ");
	has(page, "data:image/png;base64,");
	hy_free(page);
	write_record("interrupted", "<b>bold</b>");
	page = page_of(&err);
	has(page, "The training was interrupted: 7 of 12 steps");
	has(page, "&lt;b&gt;bold&lt;/b&gt;");
	assert_null(strstr(page, "<b>bold"));
	hy_free(page);
	/* as earlier versions wrote it */
	write_record_as("interrupted", "\"recipe\"", "in other words");
	page = page_of(&err);
	has(page, "x: in other words");
	hy_free(page);
	/* while it trains the table is ahead of the record */
	write_record("running", "a recipe");
	tree_text("run/metrics.csv", "epoch,step,learning_rate,loss,seconds\n1,3,0.1,2,20\n2,9,0.1,1,65\n");
	page = page_of(&err);
	has(page, "so far it has made 9 of 12 steps in 65 seconds");
	hy_free(page);
}

static void what_is_missing_is_said(void **state)
{
	(void)state;
	hardy_error err = {0};
	tree_delete("run/last.safetensors");
	char *page = page_of(&err);
	has(page, "There are no pictures: ");
	has(page, "last.safetensors, is not there");
	has(page, "<strong>Mean Dice on the validation subjects: 0.625</strong>");
	hy_free(page);
	tree_delete("run/metrics.csv");
	page = page_of(&err);
	assert_null(strstr(page, "Learning curves"));
	hy_free(page);
	/* a record of something else is refused, and the page stays what it was */
	hardy_report_options o;
	hardy_report_options_init(&o);
	tree_text("run/run.json", "{\"status\":\"done\",\"options\":{}}");
	assert_int_equal(hardy_report(tree_path("run"), &o, NULL, &err), HARDY_ERROR_FORMAT);
	has(err.message, "run.json: no \"data_set\"");
	tree_delete("run/report.html");
	tree_text("run/run.json", "{");
	assert_int_equal(hardy_report(tree_path("run"), &o, NULL, &err), HARDY_ERROR_FORMAT);
	assert_false(hy_path_exists(tree_path("run/report.html")));
}

/* A failing allocation is an error and no page, but where a data set's layout is guessed, which then is another; one of a few, for there are
 * thousands. */
static void memory_runs_out(void **state)
{
	(void)state;
	hardy_report_options o;
	hardy_error err = {0};
	hardy_report_options_init(&o);
	const int64_t before = hy_memory_calls();
	assert_ok(hardy_report(tree_path("run"), &o, NULL, &err), &err);
	const int64_t n = hy_memory_calls() - before;
	int n_tried = 0, n_refused = 0;
	assert_true(n > 100);
	for (int64_t k = 1; k <= n; k += k < 12 || n - k < 12 ? 1 : n / 24 + 1) {
		if (hy_path_exists(tree_path("run/report.html")))
			tree_delete("run/report.html");
		hy_memory_fail_at(k);
		const hardy_status status = hardy_report(tree_path("run"), &o, NULL, &err);
		hy_memory_fail_at(0);
		const bool there = hy_path_exists(tree_path("run/report.html"));
		if (there != !status)
			fail_msg("allocation %lld of %lld failed: status %d: %s", (long long)k, (long long)n, (int)status, err.message);
		n_refused += status != HARDY_OK;
		n_tried++;
	}
	assert_true(n_refused > n_tried * 9 / 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup_teardown(scores_are_those_of_evaluate, make_all, remove_all),
	    cmocka_unit_test_setup_teardown(the_page_says_what_was_done, make_all, remove_all),
	    cmocka_unit_test_setup_teardown(what_is_missing_is_said, make_all, remove_all),
	    cmocka_unit_test_setup_teardown(memory_runs_out, make_all, remove_all),
	};
	return cmocka_run_group_tests_name("report/trained", tests, NULL, NULL);
}
