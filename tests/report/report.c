/*
 * report.c: hardy_report on small folders of results: what the page says, what it never lets through, and what it refuses.
 */
#include "base/files.h"
#include "base/memory.h"
#include "support/scratch.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static void write_text(const char *name, const char *text)
{
	scratch_write(name, text, strlen(text));
}

/* A run of one method: two cases at home, two draws of one artefact. The reference of the second case has no RV. */
static void write_run(char *text, size_t size, const char *method, const char *title, int seed, double ftn, double stn)
{
	const size_t n = strlen(text);
	snprintf(
	    text + n, size - n,
	    "{\"key\":\"k%d\",\"method\":\"%s\",\"title\":\"%s\",\"recipe\":\"%s\",\"seed\":%d,\"status\":\"done\",\"steps\":7,"
	    "\"train_s\":90,\"precision\":\"f32\",\"machine\":\"a "
	    "<b>machine</b>\",\"date\":\"2026-01-02\",\"subjects\":[\"a\",\"b\"],"
	    "\"curve_columns\":[\"step\",\"seg\"],\"curve\":[[1,2.5],[7,1.25]],\"sets\":["
	    "{\"name\":\"home\",\"title\":\"Home\",\"kind\":\"intra\",\"cases\":["
	    "{\"case\":\"p1_ED\",\"ftn\":{\"LV\":%g,\"RV\":%g},\"stn\":{\"LV\":%g,\"RV\":%g}},"
	    "{\"case\":\"p2_ED\",\"ftn\":{\"LV\":%g,\"RV\":null},\"stn\":{\"LV\":%g,\"RV\":null}}]},"
	    "{\"name\":\"bias\",\"title\":\"RandBias\",\"kind\":\"artefact\",\"cases\":["
	    "{\"case\":\"p1_ED\",\"draw\":0,\"ftn\":{\"LV\":0.25},\"stn\":{\"LV\":0.5}},"
	    "{\"case\":\"p1_ED\",\"draw\":1,\"ftn\":{\"LV\":0.75},\"stn\":{\"LV\":0.0625}}]}]}\n",
	    seed, method, title, method, seed, ftn, ftn, stn, stn, ftn, stn);
}

static char *make_report(const hardy_report_options *o, hardy_error *err)
{
	char *page;
	size_t size;
	assert_ok(hardy_report(scratch_folder(), o, NULL, err), err);
	assert_ok(hy_file_read(o->output ? o->output : scratch_path("report.html"), &page, &size, err), err);
	assert_int_equal(strlen(page), size);
	return page;
}

#define assert_has(page, text)                                                                                                 \
	do {                                                                                                                       \
		if (!strstr(page, text))                                                                                               \
			fail_msg("the page lacks %s", text);                                                                               \
	} while (0)
#define assert_lacks(page, text)                                                                                               \
	do {                                                                                                                       \
		if (strstr(page, text))                                                                                                \
			fail_msg("the page has %s", text);                                                                                 \
	} while (0)

static void means_and_spread(void **state)
{
	(void)state;
	hardy_error err = {0};
	hardy_report_options o;
	char text[8192] = "";
	write_run(text, sizeof text, "standard", "Standard", 0, 0.25, 0.5);
	write_run(text, sizeof text, "standard", "Standard", 1, 0.75, 0.5);
	write_run(text, sizeof text, "other", "Other", 0, 0.625, 0.375);
	write_text("results.jsonl", text);
	hardy_report_options_init(&o);
	char *page = make_report(&o, &err);
	/* Home, FTN: the mean of 0.25 and 0.75, their standard deviation; the other method is the better one. */
	assert_has(page, "<td data-head=\"Home\">0.500<small>± 0.354</small></td>");
	assert_has(page, "<td class=\"best\" data-head=\"Home\">0.625</td>");
	/* Off site is bias alone: (0.25 + 0.75) / 2, and for FTN+STN (0.5 + 0.0625) / 2. */
	assert_has(page, "<span>0.500</span></dd>");
	assert_has(page, "<span>0.281</span></dd>");
	/* One of two draws is below 0.5 and below 0.1. */
	assert_has(page, "<td data-head=\"bias\">50 %<small>50 %</small></td>");
	/* A point is a case: its draws averaged. */
	assert_has(page, "\"case\":\"p1_ED\",\"dice\":0.2812,\"n\":4");
	assert_has(page, "\"x\":7,\"y\":1.25");
	/* Landmarks, names of tables, headers, and the way past the navigation. */
	assert_has(page, "<html lang=\"en\">");
	assert_has(page, "<main id=\"main\"");
	assert_has(page, "<nav aria-label=");
	assert_has(page, "href=\"#main\"");
	assert_has(page, "<caption>");
	assert_has(page, "<th scope=\"row\">Standard</th>");
	hy_free(page);
}

/* Sweeps lie beside a run or in a folder of their own; the scan as it is has no severity. */
static void sweeps_become_curves(void **state)
{
	(void)state;
	hardy_error err = {0};
	hardy_report_options o;
	char text[8192] = "";
	static const char sweep[] =
	    "artefact,level,severity,network,n,mean_dice,sd\nbias,0,,FTN,4,0.9,0\nbias,0,,FTN+STN,4,0.875,0\n"
	    "bias,1,0.1,FTN+STN,4,0.625,0\nspike,1,0.1,FTN+STN,0,,\n";
	write_run(text, sizeof text, "standard", "Standard", 3, 0.25, 0.5);
	write_text("results.jsonl", text);
	char folder[600], path[640];
	snprintf(folder, sizeof folder, "%s/standard-3", scratch_path("stress"));
	assert_ok(hy_make_folders(folder, &err), &err);
	snprintf(path, sizeof path, "%s/sweep.csv", folder);
	hy_outfile f;
	assert_ok(hy_outfile_open(&f, path, HY_REPLACE_ANY, &err), &err);
	hy_outfile_write(&f, sweep, sizeof sweep - 1);
	assert_ok(hy_outfile_commit(&f, &err), &err);
	hardy_report_options_init(&o);
	char *page = make_report(&o, &err);
	assert_has(page, "Robustness: bias");
	assert_has(page, "\"seed\":3,\"x\":0,\"y\":0.875}");
	assert_has(page, "\"seed\":3,\"x\":1,\"y\":0.625}");
	assert_lacks(page, "Robustness: spike");
	hy_free(page);
	unlink(path);
	rmdir(folder);
	rmdir(scratch_path("stress"));
}

/* How right predicted Dice was, where statistics.json says so; its texts are texts. */
static void quality_signal(void **state)
{
	(void)state;
	hardy_error err = {0};
	hardy_report_options o;
	char text[8192] = "";
	write_run(text, sizeof text, "standard", "Standard", 3, 0.25, 0.5);
	write_text("results.jsonl", text);
	hardy_report_options_init(&o);
	char *page = make_report(&o, &err);
	assert_lacks(page, "Quality signal");
	hy_free(page);
	write_text(
	    "statistics.json",
	    "{\"predicted_dice_note\":\"A <b>note</b>.\",\"predicted_dice\":[{\"method\":\"standard\",\"seed\":3,\"n_scans\":12,"
	    "\"n_subjects\":5,\"n_below\":4,\"auc\":0.875,\"auc_low\":0.75,\"auc_high\":1,\"error\":0.0625,\"below_bound\":0.25},"
	    "{\"method\":\"standard\",\"seed\":4,\"n_scans\":2,\"n_subjects\":1,\"n_below\":0,\"auc\":null,\"auc_low\":null,"
	    "\"auc_high\":null,\"error\":0.5,\"below_bound\":0}]}");
	page = make_report(&o, &err);
	assert_has(page, "<h2 id=\"quality\">Quality signal</h2>");
	assert_has(page, "A &lt;b&gt;note&lt;/b&gt;.");
	assert_has(page, "Standard, seed 3</th><td data-head=\"Scans\">12<small>5 subjects</small></td>"
	                 "<td data-head=\"Dice below 0.7\">4</td><td data-head=\"Area\">0.875<small>0.750–1.000</small></td>"
	                 "<td data-head=\"Error\">0.062</td><td data-head=\"Below the bound\">25.0 %</td>");
	assert_has(page, "<td data-head=\"Dice below 0.7\">0</td><td data-head=\"Area\">–</td><td data-head=\"Error\">0.500</td>");
	hy_free(page);
}

#define PAIR(method, set, difference, low, high)                                                                               \
	"{\"method\":\"" method "\",\"network\":\"FTN+STN\",\"set\":\"" set                                                        \
	"\",\"reference\":\"standard\",\"difference\":" difference ",\"low\":" low ",\"high\":" high ",\"p_holm\":0.5}"

/* The sentence on top: who is ahead, who behind, and where the interval holds 0 nobody is; then the plot, groups before sets. */
static void the_verdict_comes_first(void **state)
{
	(void)state;
	hardy_error err = {0};
	hardy_report_options o;
	char text[8192] = "";
	write_run(text, sizeof text, "standard", "Standard", 0, 0.25, 0.5);
	write_run(text, sizeof text, "a", "Better", 0, 0.25, 0.5);
	write_run(text, sizeof text, "b", "Worse", 0, 0.25, 0.5);
	write_run(text, sizeof text, "c", "Alike", 0, 0.25, 0.5);
	write_text("results.jsonl", text);
	write_text(
	    "statistics.json",
	    "{\"targets\":[{\"name\":\"home\",\"title\":\"Home\",\"kind\":\"intra\",\"n_subjects\":2,\"n_cases\":2},"
	    "{\"name\":\"bias\",\"title\":\"RandBias\",\"kind\":\"artefact\",\"n_subjects\":1,\"n_cases\":1},"
	    "{\"name\":\"shifted\",\"title\":\"Out of domain\",\"kind\":\"group\",\"n_subjects\":7,\"n_cases\":1}],"
	    "\"paired\":[" PAIR("a", "shifted", "0.25", "0.125", "0.375") "," PAIR(
	        "b", "shifted", "-0.25", "-0.375", "-0.125") "," PAIR("c", "shifted", "0.0625", "-0.125",
	                                                              "0.25") "," PAIR("a", "bias", "0.5", "0.25", "0.75") "]}");
	hardy_report_options_init(&o);
	char *page = make_report(&o, &err);
	assert_has(page,
	           "<p class=\"verdict\"><strong>Out of domain</strong> (7 subjects), mean Dice of FTN+STN (the fast network, "
	           "corrected by the slow one) against Standard: "
	           "ahead: Better by +0.250 (95 % interval +0.125 to +0.375). behind: Worse by -0.250 (95 % interval -0.375 to "
	           "-0.125). No difference is shown for Alike +0.062 (95 % interval -0.125 to +0.250). </p>");
	assert_has(page, "At home, and groups of test sets");
	assert_true(strstr(page, "aria-label=\"Differences by group") < strstr(page, "aria-label=\"Differences by test set"));
	assert_true(strstr(page, "id=\"differences\"") < strstr(page, "id=\"results\""));
	/* date, short keys, and what each set was scored by */
	assert_has(page, "<title>Experiment, 2026-01-02</title>");
	assert_has(page, "2 subjects, 2 scans; scored: LV and RV");
	assert_has(page, "the mean of the classes LV and RV (Home); LV (bias)");
	hy_free(page);
}

/* Steps and words that differ between runs are told for each; a key is cut to eight digits. */
static void methods_are_those_of_the_runs(void **state)
{
	(void)state;
	hardy_error err = {0};
	hardy_report_options o;
	char text[8192] = "";
	write_run(text, sizeof text, "standard", "Standard", 0, 0.25, 0.5);
	write_run(text, sizeof text, "a", "Longer", 0, 0.25, 0.5);
	char *second = strstr(strchr(text, '\n'), "\"steps\":7");
	memcpy(second, "\"steps\":9", 9);
	char *key = strstr(text, "{\"key\":\"k0\"");
	assert_ptr_equal(key, text);
	memmove(text + 8 + 10, text + 8 + 2, strlen(text + 8 + 2) + 1);
	memcpy(text + 8, "0123456789", 10);
	write_text("results.jsonl", text);
	write_text("experiment.json", "{\"options\":{\"size\":32},\"runs\":[{\"method\":\"a\",\"seed\":0,\"configuration\":{"
	                              "\"training\":{\"network\":\"unet\"}}}]}");
	hardy_report_options_init(&o);
	char *page = make_report(&o, &err);
	assert_has(page, "on 2 labelled subjects for 7 steps (Standard), 9 (Longer), slices on a grid of 32 × 32");
	assert_has(page, "A U-Net, whose scores stand for both, was trained by Longer. ");
	assert_has(page, "<code title=\"0123456789\">01234567</code>");
	assert_has(page, "No statistics say whether methods differ.");
	hy_free(page);
}

/* What models foretold away from home, a dot a scan. */
static void predicted_over_found(void **state)
{
	(void)state;
	hardy_error err = {0};
	hardy_report_options o;
	write_text("results.jsonl",
	           "{\"method\":\"a\",\"title\":\"A\",\"seed\":0,\"sets\":["
	           "{\"name\":\"home\",\"kind\":\"intra\",\"cases\":[{\"case\":\"h\",\"stn\":{\"LV\":0.5},\"predicted\":0.25}]},"
	           "{\"name\":\"away\",\"kind\":\"site\",\"cases\":[{\"case\":\"p1\",\"stn\":{\"LV\":0.5},\"predicted\":0.75,"
	           "\"predicted_low\":0.5},{\"case\":\"p2\",\"stn\":{\"LV\":0.5}}]}]}\n");
	write_text("statistics.json", "{\"predicted_dice\":[{\"method\":\"a\",\"seed\":0}]}");
	hardy_report_options_init(&o);
	char *page = make_report(&o, &err);
	assert_has(page, "1 of 1 scan");
	assert_has(page, "<title>p1: 0.750 predicted, 0.500 found</title><path class=\"whisker s0\"");
	assert_lacks(page, "<title>h: ");
	hy_free(page);
}

static void names_are_text_and_nothing_else(void **state)
{
	(void)state;
	hardy_error err = {0};
	hardy_report_options o;
	char text[8192] = "";
	write_run(text, sizeof text, "evil", "</script><script>alert(1)</script>", 0, 0.25, 0.5);
	write_text("results.jsonl", text);
	write_text("experiment.json", "{\"title\":\"<img src=x onerror=alert(2)>\",\"commands\":[\"hardy <b> & more\"]}");
	hardy_report_options_init(&o);
	char *page = make_report(&o, &err);
	assert_lacks(page, "<script>alert");
	assert_lacks(page, "<img src=x");
	assert_lacks(page, "<b>");
	assert_has(page, "&lt;img src=x onerror=alert(2)&gt;</h1>");
	assert_has(page, "hardy &lt;b&gt; &amp; more");
	/* Nothing to fetch. */
	assert_has(page, "default-src 'none'");
	assert_lacks(page, " src=\"http");
	assert_lacks(page, " href=\"http");
	hy_free(page);
}

static void order_is_the_experiments(void **state)
{
	(void)state;
	hardy_error err = {0};
	hardy_report_options o;
	char text[8192] = "";
	write_run(text, sizeof text, "b", "Second", 0, 0.25, 0.5);
	write_run(text, sizeof text, "a", "First", 0, 0.25, 0.5);
	write_text("results.jsonl", text);
	write_text("experiment.json", "{\"methods\":[{\"name\":\"a\",\"title\":\"First\"},{\"name\":\"b\",\"title\":\"Second\"},"
	                              "{\"name\":\"c\",\"title\":\"Not run yet\"}]}");
	hardy_report_options_init(&o);
	o.output = scratch_path("elsewhere.html");
	char *page = make_report(&o, &err);
	assert_true(strstr(page, "<dt>First</dt>") < strstr(page, "<dt>Second</dt>"));
	assert_lacks(page, "<dt>Not run yet</dt>");
	assert_false(hy_path_exists(scratch_path("report.html")));
	hy_free(page);
}

static void refuse(const char *folder, const hardy_report_options *o, hardy_status wanted, const char *part)
{
	hardy_error err = {0};
	assert_int_equal(hardy_report(folder, o, NULL, &err), wanted);
	if (!strstr(err.message, part))
		fail_msg("\"%s\" does not say \"%s\"", err.message, part);
}

static void what_is_wrong_is_named(void **state)
{
	(void)state;
	hardy_report_options o;
	hardy_report_options_init(&o);
	refuse(scratch_path("none"), &o, HARDY_ERROR_IO, "none: no such folder");
	refuse(scratch_folder(), &o, HARDY_ERROR_IO, "results.jsonl: no such file");
	write_text("results.jsonl", "\n{\"status\":\"failed\"}\n");
	refuse(scratch_folder(), &o, HARDY_ERROR_DATA, "results.jsonl: holds no finished run");
	write_text("results.jsonl", "\n{\"method\":\"a\"}\n");
	refuse(scratch_folder(), &o, HARDY_ERROR_FORMAT, "results.jsonl: line 2: \"sets\" is missing");
	write_text("results.jsonl", "[1]\n");
	refuse(scratch_folder(), &o, HARDY_ERROR_FORMAT, "results.jsonl: line 1: no JSON object");
	char text[8192] = "";
	write_run(text, sizeof text, "a", "A", 0, 0.25, 0.5);
	write_text("results.jsonl", text);
	write_text("experiment.json", "{");
	refuse(scratch_folder(), &o, HARDY_ERROR_FORMAT, "experiment.json");
	write_text("experiment.json", "{}");
	o.output = "/proc/none/x.html";
	refuse(scratch_folder(), &o, HARDY_ERROR_IO, "/proc/none/x.html");
	assert_int_equal(scratch_n_files(), 2); /* nothing half-written */
}

/* Every allocation in turn fails: an error, and no page. */
static void memory_runs_out(void **state)
{
	(void)state;
	hardy_report_options o;
	char text[8192] = "";
	write_run(text, sizeof text, "a", "A", 0, 0.25, 0.5);
	write_run(text, sizeof text, "b", "B", 0, 0.25, 0.5);
	write_text("results.jsonl", text);
	hardy_report_options_init(&o);
	hardy_error err = {0};
	const int64_t before = hy_memory_calls();
	assert_ok(hardy_report(scratch_folder(), &o, NULL, &err), &err);
	const int64_t n = hy_memory_calls() - before;
	unlink(scratch_path("report.html"));
	assert_true(n > 5);
	for (int64_t k = 1; k <= n; k++) {
		hy_memory_fail_at(k);
		const hardy_status status = hardy_report(scratch_folder(), &o, NULL, &err);
		hy_memory_fail_at(0);
		assert_int_not_equal(status, HARDY_OK);
		assert_int_equal(scratch_n_files(), 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test_setup(means_and_spread, scratch_setup),
	    cmocka_unit_test_setup(sweeps_become_curves, scratch_setup),
	    cmocka_unit_test_setup(quality_signal, scratch_setup),
	    cmocka_unit_test_setup(the_verdict_comes_first, scratch_setup),
	    cmocka_unit_test_setup(methods_are_those_of_the_runs, scratch_setup),
	    cmocka_unit_test_setup(predicted_over_found, scratch_setup),
	    cmocka_unit_test_setup(names_are_text_and_nothing_else, scratch_setup),
	    cmocka_unit_test_setup(order_is_the_experiments, scratch_setup),
	    cmocka_unit_test_setup(what_is_wrong_is_named, scratch_setup),
	    cmocka_unit_test_setup(memory_runs_out, scratch_setup),
	};
	return cmocka_run_group_tests(tests, NULL, scratch_teardown);
}
