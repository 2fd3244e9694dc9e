/*
 * report_compare.c: what statistics.json says: paired differences with intervals and tests, and published figures beside ours.
 */
#include "report/report.h"

#include <math.h>
#include <string.h>

static const cJSON *statistics(const hy_report *r, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(r->results.statistics, name);
}

const cJSON *hy_report_statistic(const hy_report *r, const char *list, const char *method, const char *network, const char *set,
                                 const char *reference)
{
	const cJSON *item;
	cJSON_ArrayForEach(item, statistics(r, list))
	{
		if (!strcmp(hy_results_text(item, "method", ""), method) && !strcmp(hy_results_text(item, "network", ""), network) &&
		    !strcmp(hy_results_text(item, "set", ""), set) &&
		    (!reference || !strcmp(hy_results_text(item, "reference", ""), reference)))
			return item;
	}
	return NULL;
}

void hy_report_target_heads(hy_report *r)
{
	const cJSON *target;
	cJSON_ArrayForEach(target, statistics(r, "targets")) hy_html_printf(
	    &r->f, "<th scope=\"col\">%s</th>", hy_results_text(target, "title", hy_results_text(target, "name", "")));
}

/* ---- differences -------------------------------------------------------------------------------------------------------- */

static void put_difference(hy_report *r, const cJSON *pair, const char *head)
{
	const double d = hy_json_number(pair, "difference", NAN), p = hy_json_number(pair, "p_holm", NAN);
	const double low = hy_json_number(pair, "low", NAN), high = hy_json_number(pair, "high", NAN);
	if (!isfinite(d)) {
		hy_report_cell(&r->f, "", head);
		hy_html_printf(&r->f, "–</td>");
		return;
	}
	const bool sure = isfinite(p) && p < .05;
	hy_report_cell(&r->f, !sure ? "" : d > 0 ? "best" : "worse", head);
	hy_html_printf(&r->f, "%+.3f", d);
	hy_outfile_printf(&r->f, sure ? "<span aria-label=\"significant\"> *</span>" : "");
	if (isfinite(low) && isfinite(high))
		hy_html_printf(&r->f, "<small>%+.3f to %+.3f</small>", low, high);
	if (isfinite(p))
		hy_outfile_printf(&r->f, p < .001 ? "<small>p &lt; 0.001</small>" : "<small>p = %.3f</small>", p);
	hy_html_printf(&r->f, "</td>");
}

static bool has_pair(const hy_report *r, const char *list, const char *method, const char *network, const char *reference)
{
	const cJSON *target;
	cJSON_ArrayForEach(target, statistics(r, "targets"))
	{
		const cJSON *pair = hy_report_statistic(r, list, method, network, hy_results_text(target, "name", ""), reference);
		if (isfinite(hy_json_number(pair, "difference", NAN)))
			return true;
	}
	return false;
}

static void write_pairs(hy_report *r, const char *list, const char *network, const char *reference, const char *caption)
{
	const hy_results *s = &r->results;
	bool any = false;
	for (size_t m = 0; m < s->n_methods; m++)
		any = any || has_pair(r, list, s->methods[m].name, network, reference);
	if (!any)
		return;
	hy_report_table_begin(&r->f, caption, (size_t)cJSON_GetArraySize(statistics(r, "targets")) + 1);
	hy_html_printf(&r->f, "<thead><tr><th scope=\"col\">%s</th>", network);
	hy_report_target_heads(r);
	hy_html_printf(&r->f, "</tr></thead>\n<tbody>\n");
	for (size_t m = 0; m < s->n_methods; m++) {
		if (!has_pair(r, list, s->methods[m].name, network, reference))
			continue;
		hy_html_printf(&r->f, "<tr><th scope=\"row\">%s</th>", s->methods[m].title);
		const cJSON *target;
		cJSON_ArrayForEach(target, statistics(r, "targets"))
		{
			const char *name = hy_results_text(target, "name", "");
			put_difference(r, hy_report_statistic(r, list, s->methods[m].name, network, name, reference),
			               hy_results_text(target, "title", name));
		}
		hy_html_printf(&r->f, "</tr>\n");
	}
	hy_html_printf(&r->f, "</tbody>");
	hy_report_table_end(&r->f);
}

/* ---- published figures -------------------------------------------------------------------------------------------------- */

static double published(const hy_report *r, size_t method, const char *network, const cJSON *target, double *ours)
{
	const cJSON *cell =
	    hy_report_statistic(r, "summary", r->results.methods[method].name, network, hy_results_text(target, "name", ""), NULL);
	*ours = hy_json_number(cell, "mean", NAN);
	return hy_json_number(cell, "published", NAN);
}

static bool is_published(const hy_report *r, const char *network)
{
	double ours;
	const cJSON *target;
	for (size_t m = 0; m < r->results.n_methods; m++)
		cJSON_ArrayForEach(target, statistics(r, "targets"))
		{
			if (isfinite(published(r, m, network, target, &ours)))
				return true;
		}
	return false;
}

static void write_published(hy_report *r, const char *network)
{
	if (!is_published(r, network))
		return;
	hy_report_table_begin(&r->f, "Ours and, small, what the paper reports",
	                      (size_t)cJSON_GetArraySize(statistics(r, "targets")) + 1);
	hy_html_printf(&r->f, "<thead><tr><th scope=\"col\">%s</th>", network);
	hy_report_target_heads(r);
	hy_html_printf(&r->f, "</tr></thead>\n<tbody>\n");
	for (size_t m = 0; m < r->results.n_methods; m++) {
		hy_html_printf(&r->f, "<tr><th scope=\"row\">%s</th>", r->results.methods[m].title);
		const cJSON *target;
		cJSON_ArrayForEach(target, statistics(r, "targets"))
		{
			double ours;
			const double theirs = published(r, m, network, target, &ours);
			hy_report_cell(&r->f, "", hy_results_text(target, "title", hy_results_text(target, "name", "")));
			hy_outfile_printf(&r->f, isfinite(ours) ? "%.3f" : "–", ours);
			hy_outfile_printf(&r->f, isfinite(theirs) ? "<small>paper %.3f</small></td>" : "</td>", theirs);
		}
		hy_html_printf(&r->f, "</tr>\n");
	}
	hy_html_printf(&r->f, "</tbody>");
	hy_report_table_end(&r->f);
}

/* ---- the section -------------------------------------------------------------------------------------------------------- */

static void write_compare(hy_report *r)
{
	const char *note = hy_results_text(r->results.statistics, "note", ""),
	           *published_note = hy_results_text(r->results.statistics, "published_note", "");
	hy_html_printf(
	    &r->f,
	    "<p>Differences of mean Dice; small: the 95 %% interval, and p after Holm's correction. Marked: p below 0.05. %s</p>\n",
	    note);
	for (int w = 0; w < 2; w++)
		write_pairs(r, "paired", hy_report_networks[w], "standard",
		            w ? "FTN+STN: each method less standard training" : "FTN: each method less standard training");
	for (int w = 0; w < 2; w++)
		write_pairs(r, "paired", hy_report_networks[w], "cooperative",
		            w ? "FTN+STN: each method less cooperative training" : "FTN: each method less cooperative training");
	write_pairs(r, "stn", "FTN+STN", "FTN", "FTN+STN less FTN: what the refinement by the STN adds");
	if (published_note[0] || is_published(r, "FTN") || is_published(r, "FTN+STN"))
		hy_html_printf(&r->f, "<h3>Beside the paper</h3>\n<p>%s</p>\n", published_note);
	for (int w = 0; w < 2; w++)
		write_published(r, hy_report_networks[w]);
}

static bool has_pairs(const hy_report *r)
{
	return cJSON_GetArraySize(statistics(r, "paired")) > 0 || cJSON_GetArraySize(statistics(r, "stn")) > 0;
}

const hy_section hy_section_compare = {"comparisons", "Comparisons", has_pairs, write_compare};
