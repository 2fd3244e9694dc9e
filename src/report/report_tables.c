/*
 * report_tables.c: the tables of a report: means by method and test set, failures, and the comparison at a glance.
 */
#include "report/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void put_score(hy_outfile *f, double v)
{
	if (isfinite(v))
		hy_html_printf(f, "%.3f", v);
	else
		hy_html_printf(f, "–");
}

/* The mean over sets, each weighing the same; only sets that every method has would be fair, so all must be there. */
static double mean_over(const hy_results *s, size_t method, int which, bool off_site)
{
	double sum = 0;
	size_t n = 0;
	for (size_t k = 0; k < s->n_sets; k++) {
		if (off_site && !strcmp(s->sets[k].kind, "intra"))
			continue;
		sum += hy_results_cell_of(s, method, k, which).mean;
		n++;
	}
	return n ? sum / (double)n : NAN;
}

static bool has_runs(const hy_results *s, size_t method)
{
	for (size_t r = 0; r < s->n_runs; r++)
		if (s->runs[r].method == method)
			return true;
	return false;
}

/* ---- at a glance -------------------------------------------------------------------------------------------------------- */

static void put_bar(hy_outfile *f, int which, double v)
{
	const double width = isfinite(v) ? 100 * fmin(fmax(v, 0), 1) : 0;
	hy_html_printf(
	    f, "<dd><span>%s</span><span class=\"bar %s\" aria-hidden=\"true\"><span style=\"width:%.1f%%\"></span></span><span>",
	    hy_report_networks[which], which ? "stn" : "ftn", width);
	put_score(f, v);
	hy_html_printf(f, "</span></dd>\n");
}

static void write_glance(hy_report *r)
{
	const hy_results *s = &r->results;
	bool off = false;
	for (size_t k = 0; k < s->n_sets; k++)
		off = off || strcmp(s->sets[k].kind, "intra") != 0;
	hy_html_printf(&r->f, "<h3>At a glance</h3>\n<p>Mean Dice over %s, every set weighing the same.</p>\n<dl class=\"bars\">\n",
	               off ? "the test sets outside of the training site: other sites, and scans with artefacts" : "the test sets");
	for (size_t m = 0; m < s->n_methods; m++) {
		if (!has_runs(s, m))
			continue;
		hy_html_printf(&r->f, "<dt>%s</dt>\n", s->methods[m].title);
		for (int w = 0; w < 2; w++)
			put_bar(&r->f, w, mean_over(s, m, w, off));
	}
	hy_html_printf(&r->f, "</dl>\n");
}

/* ---- means -------------------------------------------------------------------------------------------------------------- */

/* What stands in a cell of the table of means. Columns are the targets of statistics.json, or without it the sets and their mean. */
typedef struct shown {
	double mean, spread, low, high;
} shown;

static size_t n_columns(const hy_report *r, const cJSON **targets)
{
	*targets = cJSON_GetObjectItemCaseSensitive(r->results.statistics, "targets");
	const int n = cJSON_GetArraySize(*targets);
	if (n > 0)
		return (size_t)n;
	*targets = NULL;
	return r->results.n_sets + 1;
}

static shown cell_at(const hy_report *r, const cJSON *targets, size_t method, size_t column, int which)
{
	const hy_results *s = &r->results;
	shown c = {NAN, NAN, NAN, NAN};
	if (targets) {
		const char *set = hy_results_text(cJSON_GetArrayItem(targets, (int)column), "name", "");
		const cJSON *item = hy_report_statistic(r, "summary", s->methods[method].name, hy_report_networks[which], set, NULL);
		c.mean = hy_json_number(item, "mean", NAN);
		c.spread = hy_json_number(item, "seed_sd", NAN);
		c.low = hy_json_number(item, "low", NAN);
		c.high = hy_json_number(item, "high", NAN);
	} else if (column < s->n_sets) {
		const hy_results_cell cell = hy_results_cell_of(s, method, column, which);
		c.mean = cell.mean;
		c.spread = cell.spread;
	} else {
		c.mean = mean_over(s, method, which, false);
	}
	return c;
}

static const char *column_title(const hy_report *r, const cJSON *targets, size_t column)
{
	const cJSON *target = cJSON_GetArrayItem(targets, (int)column);
	if (targets)
		return hy_results_text(target, "title", hy_results_text(target, "name", ""));
	return column < r->results.n_sets ? r->results.sets[column].title : "Mean of the sets";
}

static void put_cell(hy_report *r, const shown *c, bool best, const char *head)
{
	hy_report_cell(&r->f, best ? "best" : "", head);
	put_score(&r->f, c->mean);
	if (isfinite(c->spread))
		hy_html_printf(&r->f, "<small>± %.3f</small>", c->spread);
	if (isfinite(c->low) && isfinite(c->high))
		hy_html_printf(&r->f, "<small>%.3f–%.3f</small>", c->low, c->high);
	hy_html_printf(&r->f, "</td>");
}

static void write_means(hy_report *r, int which)
{
	const hy_results *s = &r->results;
	const cJSON *targets;
	const size_t n = n_columns(r, &targets);
	char caption[256];
	snprintf(caption, sizeof caption,
	         "%s: mean Dice by method and test set. Small: standard deviation over seeds%s. The best of each column is marked.",
	         hy_report_networks[which], targets ? ", 95 % interval over subjects" : "");
	hy_report_table_begin(&r->f, caption, n + 2);
	hy_html_printf(&r->f, "<thead><tr><th scope=\"col\">%s</th>", hy_report_networks[which]);
	for (size_t k = 0; k < n; k++)
		hy_html_printf(&r->f, "<th scope=\"col\">%s</th>", column_title(r, targets, k));
	hy_html_printf(&r->f, "<th scope=\"col\">Seeds</th></tr></thead>\n<tbody>\n");
	for (size_t m = 0; m < s->n_methods; m++) {
		size_t n_seeds = 0;
		for (size_t i = 0; i < s->n_runs; i++)
			n_seeds += s->runs[i].method == m;
		if (!n_seeds)
			continue;
		hy_html_printf(&r->f, "<tr><th scope=\"row\">%s</th>", s->methods[m].title);
		for (size_t k = 0; k < n; k++) {
			const shown c = cell_at(r, targets, m, k, which);
			double best = -1;
			for (size_t other = 0; other < s->n_methods; other++)
				best = fmax(best, cell_at(r, targets, other, k, which).mean);
			/* what rounds to the best is the best */
			put_cell(r, &c, isfinite(c.mean) && c.mean > best - .0005, column_title(r, targets, k));
		}
		hy_report_cell(&r->f, "", "Seeds");
		hy_html_printf(&r->f, "%zu</td></tr>\n", n_seeds);
	}
	hy_html_printf(&r->f, "</tbody>");
	hy_report_table_end(&r->f);
}

/* ---- failures ----------------------------------------------------------------------------------------------------------- */

static void write_failures(hy_report *r)
{
	const hy_results *s = &r->results;
	hy_html_printf(&r->f, "<h3>Failures</h3>\n");
	hy_report_table_begin(&r->f, "Share of cases whose mean Dice is below 0.5 and, small, below 0.1; FTN+STN, all seeds.",
	                      s->n_sets + 1);
	hy_html_printf(&r->f, "<thead><tr><th scope=\"col\">Method</th>");
	for (size_t k = 0; k < s->n_sets; k++)
		hy_html_printf(&r->f, "<th scope=\"col\">%s</th>", s->sets[k].title);
	hy_html_printf(&r->f, "</tr></thead>\n<tbody>\n");
	for (size_t m = 0; m < s->n_methods; m++) {
		if (!has_runs(s, m))
			continue;
		hy_html_printf(&r->f, "<tr><th scope=\"row\">%s</th>", s->methods[m].title);
		for (size_t k = 0; k < s->n_sets; k++) {
			const hy_results_cell c = hy_results_cell_of(s, m, k, 1);
			hy_report_cell(&r->f, "", s->sets[k].title);
			if (c.n_seeds)
				hy_html_printf(&r->f, "%.0f %%<small>%.0f %%</small></td>", 100 * c.below_half, 100 * c.below_tenth);
			else
				hy_html_printf(&r->f, "–</td>");
		}
		hy_html_printf(&r->f, "</tr>\n");
	}
	hy_html_printf(&r->f, "</tbody>");
	hy_report_table_end(&r->f);
}

static bool always(const hy_report *r)
{
	(void)r;
	return true;
}

static void write_results(hy_report *r)
{
	write_glance(r);
	hy_html_printf(&r->f, "<h3>By test set</h3>\n");
	for (int w = 0; w < 2; w++)
		write_means(r, w);
	write_failures(r);
}

const hy_section hy_section_results = {"results", "Results", always, write_results};
