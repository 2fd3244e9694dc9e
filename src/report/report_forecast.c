/*
 * report_forecast.c: how far the Dice that models foretold can be trusted, from statistics.json.
 */
#include "base/memory.h"
#include "base/text.h"
#include "draw/chart.h"
#include "report/report.h"

#include <errno.h>
#include <math.h>
#include <string.h>

static const cJSON *forecasts(const hy_report *r)
{
	return cJSON_GetObjectItemCaseSensitive(r->results.statistics, "predicted_dice");
}

static const char *title_of(const hy_report *r, const char *method)
{
	for (size_t m = 0; m < r->results.n_methods; m++)
		if (!strcmp(r->results.methods[m].name, method))
			return r->results.methods[m].title;
	return method;
}

static void put_row(hy_report *r, const cJSON *item)
{
	const double area = hy_json_number(item, "auc", NAN), low = hy_json_number(item, "auc_low", NAN),
	             high = hy_json_number(item, "auc_high", NAN);
	hy_html_printf(&r->f, "<tr><th scope=\"row\">%s, seed %.0f</th>", title_of(r, hy_results_text(item, "method", "")),
	               hy_json_number(item, "seed", 0));
	hy_report_cell(&r->f, "", "Scans");
	hy_html_printf(&r->f, "%.0f<small>%s</small></td>", hy_json_number(item, "n_scans", 0),
	               HY_COUNT(hy_json_number(item, "n_subjects", 0), "subject"));
	hy_report_cell(&r->f, "", "Dice below 0.7");
	hy_html_printf(&r->f, "%.0f</td>", hy_json_number(item, "n_below", 0));
	hy_report_cell(&r->f, "", "Area");
	hy_html_printf(&r->f, isfinite(area) ? "%.3f" : "–", area);
	if (isfinite(low) && isfinite(high))
		hy_html_printf(&r->f, "<small>%.3f–%.3f</small>", low, high);
	hy_html_printf(&r->f, "</td>");
	hy_report_cell(&r->f, "", "Error");
	hy_html_printf(&r->f, "%.3f</td>", hy_json_number(item, "error", NAN));
	hy_report_cell(&r->f, "", "Below the bound");
	hy_html_printf(&r->f, "%.1f %%</td></tr>\n", 100 * hy_json_number(item, "below_bound", NAN));
}

/* ---- every scan --------------------------------------------------------------------------------------------------------- */

enum { MOST_DOTS = 1500 };

static bool is_foretold(const hy_report *r, const hy_results_score *c)
{
	return isfinite(c->predicted) && isfinite(c->mean[1]) && strcmp(r->results.sets[c->set].kind, "intra") != 0;
}

static size_t n_foretold(const hy_report *r)
{
	size_t n = 0;
	for (size_t i = 0; i < r->results.n_scores; i++)
		n += is_foretold(r, &r->results.scores[i]);
	return n;
}

static void write_scatter(hy_report *r)
{
	const hy_results *s = &r->results;
	const size_t n = n_foretold(r), shown = n < MOST_DOTS ? n : MOST_DOTS;
	hy_dot *dots = hy_alloc(shown, sizeof *dots);
	const char **names = hy_alloc(s->n_methods, sizeof *names);
	size_t at = 0, used = 0;
	if ((!dots || !names) && !r->f.error)
		r->f.error = ENOMEM;
	/* evenly among them */
	for (size_t i = 0; i < s->n_scores && dots && names; i++) {
		const hy_results_score *c = &s->scores[i];
		if (!is_foretold(r, c))
			continue;
		if ((at + 1) * shown / n > at * shown / n)
			dots[used++] = (hy_dot){c->predicted, c->mean[1], c->low, s->runs[c->run].method, c->name};
		at++;
	}
	for (size_t m = 0; m < s->n_methods && names; m++)
		names[m] = s->methods[m].title;
	if (dots && names && used) {
		hy_html_printf(&r->f,
		               "<figure class=\"forest\"><figcaption>Found over predicted Dice away from the training site: %zu of %s. "
		               "On the line the prediction is right, below it the scan is worse than predicted; a thin line "
		               "reaches to the lower bound.</figcaption>\n",
		               used, HY_COUNT(n, "scan"));
		hy_chart_legend(&r->f, "Methods", names, s->n_methods);
		hy_chart_scatter(&r->f, "Found over predicted Dice", "predicted Dice", "Dice", dots, used);
		hy_html_printf(&r->f, "</figure>\n");
	}
	hy_free(dots);
	hy_free(names);
}

static void write_forecasts(hy_report *r)
{
	const cJSON *item;
	hy_html_printf(&r->f, "<p>%s</p>\n", hy_results_text(r->results.statistics, "predicted_dice_note", ""));
	if (n_foretold(r))
		write_scatter(r);
	hy_report_table_begin(&r->f, "Predicted against found: how well poor results are told without looking at the truth", 6);
	hy_html_printf(
	    &r->f, "<thead><tr><th scope=\"col\">Model</th><th scope=\"col\">Scans</th><th scope=\"col\">Dice below 0.7</th>"
	           "<th scope=\"col\">Area</th><th scope=\"col\">Error</th><th scope=\"col\">Below the bound</th></tr></thead>\n"
	           "<tbody>\n");
	cJSON_ArrayForEach(item, forecasts(r)) put_row(r, item);
	hy_html_printf(&r->f, "</tbody>");
	hy_report_table_end(&r->f);
}

static bool has_forecasts(const hy_report *r)
{
	return cJSON_GetArraySize(forecasts(r)) > 0;
}

const hy_section hy_section_forecast = {"quality", "Quality signal", has_forecasts, write_forecasts};
