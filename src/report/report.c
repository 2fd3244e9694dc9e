/*
 * report.c: hardy_report: the folder of an experiment as one HTML file that needs nothing else, not even a network.
 */
#include "report/report.h"

#include "base/memory.h"
#include "base/option.h"
#include "base/text.h"
#include "report/demo_page.h"
#include "report/predictions.h"
#include "report/report_run.h"
#include "report/viewer.h"
#include "report/web.h"

#include <stdio.h>
#include <string.h>

const char *const hy_report_networks[2] = {"FTN", "FTN+STN"};

#define AT(member) offsetof(hardy_report_options, member)

static const hardy_option option_rows[] = {
    HY_OPTION_OUTPUT(hardy_report_options, "FILE", "The HTML file to write; DIR/report.html without it."),
    {"figures", HARDY_OPTION_TEXT, AT(figures), "FOLDER", "Pictures by `hardy figures`; DIR/figures without it.", .use = 0},
    {"cases", HARDY_OPTION_WHOLE, AT(cases), "N",
     "Cases of each test set in the viewer; of a training that many of the worst, middle and best; 0: none.", .usual = "4",
     .low = 0, .high = 1000},
    HY_OPTION_OVERWRITE(hardy_report_options, "Replace also a file that hardy report did not write."),
};

const hardy_options hy_report_table = {"report", HY_TABLE_ROWS(option_rows), sizeof(hardy_report_options), NULL};

void hardy_report_options_init(hardy_report_options *o)
{
	hardy_options_default(&hy_report_table, o);
}

/* ---- pieces ------------------------------------------------------------------------------------------------------------- */

void hy_report_table_begin(hy_outfile *f, const char *caption, size_t n_columns)
{
	hy_html_printf(f,
	               "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"%s\">\n<table class=\"sortable%s\">\n"
	               "<caption>%s</caption>\n",
	               caption,
	               n_columns > 14  ? " dense denser"
	               : n_columns > 6 ? " dense"
	                               : "",
	               caption);
}

void hy_report_table_end(hy_outfile *f)
{
	hy_html_printf(f, "\n</table>\n</div>\n");
}

void hy_report_cell(hy_outfile *f, const char *kind, const char *head)
{
	if (*kind)
		hy_html_printf(f, "<td class=\"%s\" data-head=\"%s\">", kind, head);
	else
		hy_html_printf(f, "<td data-head=\"%s\">", head);
}

void hy_report_plot_begin(hy_report *r, const char *id, const char *caption)
{
	hy_html_printf(&r->f, "<figure class=\"plot\" data-spec=\"%s\"><figcaption>%s</figcaption>\n<div class=\"canvas\">", id,
	               caption);
	if (hy_web_bundle_size)
		hy_html_printf(&r->f, "<noscript>This plot needs JavaScript.</noscript>");
	else
		hy_html_printf(&r->f, "This plot needs a hardy that was built with npm at hand; the figures are in the tables.");
	hy_html_printf(&r->f, "</div>\n<script type=\"application/json\" id=\"%s\">", id);
}

void hy_report_plot_end(hy_report *r)
{
	hy_html_printf(&r->f, "</script></figure>\n");
}

/* ---- head and foot ------------------------------------------------------------------------------------------------------ */

static const char *study_title(const hy_report *r)
{
	const hy_results *s = &r->results;
	const char *name = hy_results_text(s->lines[0], "experiment", "Experiment");
	return hy_results_text(s->experiment, "title", hy_results_text(s->experiment, "experiment", name));
}

/*
 * The policy makes the browser refuse every request to a network, whatever the scripts might try: all they may load is what lies in the
 * page. Vega compiles its expressions, hence unsafe-eval.
 */
void hy_report_head(hy_outfile *f, const char *title)
{
	hy_html_printf(f, "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
	                  "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
	                  "<meta name=\"color-scheme\" content=\"light dark\">\n"
	                  "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src 'unsafe-inline' "
	                  "'unsafe-eval' blob:; worker-src blob:; style-src 'unsafe-inline'; img-src data: blob:; font-src data:; "
	                  "connect-src data: blob:\">\n<link rel=\"icon\" href=\"data:,\">\n");
	hy_html_printf(f, HY_REPORT_MARK "%s\">\n<title>%s</title>\n<style>\n", hardy_version(), title);
	hy_outfile_write(f, hy_web_style, hy_web_style_size);
	hy_html_printf(f, "</style>\n</head>\n<body>\n<a class=\"skip\" href=\"#main\">Skip to the results</a>\n");
}

void hy_report_foot(hy_outfile *f)
{
	hy_html_printf(f,
	               "<footer><p>Written by hardy %s. A research tool and no medical device: its label maps are not for "
	               "diagnosis.</p></footer>\n",
	               hardy_version());
}

void hy_report_sorter(hy_outfile *f)
{
	hy_html_printf(f, "<script>\n");
	hy_outfile_write(f, hy_web_sort, hy_web_sort_size);
	hy_html_printf(f, "</script>\n");
}

static size_t n_methods_run(const hy_results *s)
{
	size_t n = 0;
	for (size_t m = 0; m < s->n_methods; m++) {
		bool has = false;
		for (size_t i = 0; i < s->n_runs; i++)
			has = has || s->runs[i].method == m;
		n += has;
	}
	return n;
}

/* The day of the last result, "" where none has one. */
static void last_date(const hy_results *s, char date[16])
{
	date[0] = 0;
	for (size_t i = 0; i < s->n_runs; i++) {
		const char *day = hy_results_text(s->runs[i].line, "date", "");
		if (strncmp(day, date, 10) > 0)
			snprintf(date, 16, "%.10s", day);
	}
}

static void write_header(hy_report *r, const hy_section *const *sections)
{
	const hy_results *s = &r->results;
	const size_t n = n_methods_run(s);
	char date[16];
	last_date(s, date);
	hy_html_printf(&r->f, "<header>\n<h1>%s</h1>\n", study_title(r));
	hy_report_verdict(r);
	hy_html_printf(&r->f, "<p>%s: %s, scored on %s", HY_COUNT(s->n_runs, "trained network"), HY_COUNT(n, "method"),
	               HY_COUNT(s->n_sets, "test set"));
	if (*date)
		hy_html_printf(&r->f, "; last result of %s", date);
	hy_html_printf(&r->f, ". hardy %s.</p>\n</header>\n", hardy_version());
	hy_html_printf(&r->f, "<nav aria-label=\"Sections\"><ul>\n");
	for (size_t i = 0; sections[i]; i++)
		if (sections[i]->present(r))
			hy_html_printf(&r->f, "<li><a href=\"#%s\">%s</a></li>\n", sections[i]->id, sections[i]->title);
	hy_html_printf(&r->f, "</ul></nav>\n");
}

static void write_page(hy_report *r)
{
	static const hy_section *const sections[] = {&hy_section_forest,
	                                             &hy_section_results,
	                                             &hy_section_compare,
	                                             &hy_section_forecast,
	                                             &hy_section_boxes,
	                                             &hy_section_sweeps,
	                                             &hy_section_worst,
	                                             &hy_section_viewer,
	                                             &hy_section_figures,
	                                             &hy_section_training,
	                                             &hy_section_data,
	                                             &hy_section_methods,
	                                             NULL};
	char title[256], date[16];
	last_date(&r->results, date);
	snprintf(title, sizeof title, *date ? "%.200s, %s" : "%.200s", study_title(r), date);
	hy_report_head(&r->f, title);
	write_header(r, sections);
	hy_html_printf(&r->f, "<main id=\"main\" tabindex=\"-1\">\n");
	if (!hy_web_bundle_size)
		hy_html_printf(
		    &r->f,
		    "<p class=\"note\" role=\"note\">This report was written by a hardy that was built without npm: its plots and "
		    "the case viewer are missing, tables and pictures are complete.</p>\n");
	for (size_t i = 0; sections[i]; i++) {
		if (!sections[i]->present(r))
			continue;
		hy_html_printf(&r->f, "<section aria-labelledby=\"%s\">\n<h2 id=\"%s\">%s</h2>\n", sections[i]->id, sections[i]->id,
		               sections[i]->title);
		sections[i]->write(r);
		hy_html_printf(&r->f, "</section>\n");
	}
	hy_html_printf(&r->f, "</main>\n");
	hy_report_foot(&r->f);
	hy_report_sorter(&r->f);
	hy_viewer_scripts(&r->f);
	hy_html_printf(&r->f, "</body>\n</html>\n");
}

static hardy_status report_experiment(const char *folder, const char *path, const char *mark, const hardy_report_options *o,
                                      const hardy_log *log, hardy_error *err)
{
	hy_report r = {.o = o, .log = log};
	hardy_status status = hy_results_read(&r.results, folder, err);
	if (!status)
		status = hy_report_read_sweeps(&r, err);
	if (!status)
		status = hy_report_read_figures(&r, err);
	if (!status && o->cases)
		status = hy_shown_make(&r.shown, &r.results, o->cases, log, err);
	if (!status)
		status = hy_outfile_open(&r.f, path, mark, err);
	if (!status) {
		write_page(&r);
		status = hy_outfile_commit(&r.f, err);
	}
	hy_outfile_discard(&r.f);
	hy_report_clear_figures(&r);
	hy_free(r.sweeps);
	hy_shown_clear(&r.shown);
	hy_results_clear(&r.results);
	return status;
}

/* By what lies in the folder. */
static hardy_status report_folder(const char *folder, const char *path, const char *mark, const hardy_report_options *o,
                                  const hardy_log *log, hardy_error *err)
{
	bool of_predictions = false, of_run = false, of_demo = false;
	if (!hy_path_is_folder(folder))
		return hy_fail(err, HARDY_ERROR_IO, "%s: no such folder; want that of hardy train, hardy predict or hardy experiment",
		               folder);
	hardy_status status = hy_predictions_look(folder, &of_predictions, err);
	if (!status)
		status = hy_trained_look(folder, &of_run, err);
	if (!status)
		status = hy_demo_look(folder, &of_demo, err);
	if (status)
		return status;
	if (of_predictions)
		return hy_predictions_write(folder, path, mark, o->cases > 0, o->scratch, log, err);
	if (of_run)
		return hy_run_write_page(folder, path, mark, o->cases, log, err);
	if (of_demo)
		return hy_demo_write_page(folder, path, mark, err);
	return report_experiment(folder, path, mark, o, log, err);
}

hardy_status hardy_report(const char *folder, const hardy_report_options *o, const hardy_log *log, hardy_error *err)
{
	hardy_error unseen;
	char *path = o->output ? hy_strdup(o->output) : hy_path_join(folder, "report.html");
	err = err ? err : &unseen;
	if (!path)
		return hy_fail_memory(err, folder, 1, 1);
	const char *mark = o->overwrite ? HY_REPLACE_ANY : HY_REPORT_MARK;
	hardy_status status = hardy_options_check(&hy_report_table, o, err);
	if (!status)
		status = hy_outfile_check(path, mark, err);
	if (!status) {
		hy_parts_remove_beside(path);
		status = report_folder(folder, path, mark, o, log, err);
	}
	hy_free(path);
	return status;
}
