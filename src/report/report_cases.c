/*
 * report_cases.c: the cases of a report: pictures of each test set's worst case, and the viewer with its volumes.
 */
#include "predict/legend.h"
#include "report/report.h"
#include "report/viewer.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void put_title(hy_outfile *f, const hy_results *s, const hy_shown_case *c)
{
	hy_html_printf(f, "%s: %s", s->sets[c->set].title, c->name);
	if (!strcmp(s->sets[c->set].kind, "artefact"))
		hy_html_printf(f, ", draw %lld", (long long)c->draw + 1);
}

static void put_dice(hy_outfile *f, double v)
{
	if (isfinite(v))
		hy_html_printf(f, "%.3f", v);
	else
		hy_html_printf(f, "–");
}

static void write_legend(hy_report *r)
{
	hy_html_printf(&r->f, "<ul class=\"legend\" aria-label=\"Colours of the classes\">");
	for (int k = 1; k < r->shown.n_classes; k++) {
		uint8_t rgb[3];
		hy_label_colour(hy_class_shown(r->shown.classes, k), rgb);
		hy_html_printf(&r->f, "<li><span style=\"background:rgb(%d,%d,%d)\"></span>%s</li>", rgb[0], rgb[1], rgb[2],
		               r->shown.classes[k].name);
	}
	hy_html_printf(&r->f, "</ul>\n");
}

/* ---- the lowest scores -------------------------------------------------------------------------------------------------- */

enum { N_LOWEST = 10 };

static void write_lowest(hy_report *r)
{
	const hy_results *s = &r->results;
	size_t lowest[N_LOWEST], n = 0;
	for (size_t i = 0; i < s->n_scores; i++) {
		if (!isfinite(s->scores[i].mean[1]))
			continue;
		size_t at = n < N_LOWEST ? n : N_LOWEST;
		while (at > 0 && s->scores[lowest[at - 1]].mean[1] > s->scores[i].mean[1])
			at--;
		if (at == N_LOWEST)
			continue;
		n += n < N_LOWEST;
		memmove(lowest + at + 1, lowest + at, (n - at - 1) * sizeof *lowest);
		lowest[at] = i;
	}
	hy_report_table_begin(&r->f, "The lowest scores of all, FTN+STN", 6);
	hy_html_printf(
	    &r->f,
	    "<thead><tr><th scope=\"col\">Case</th><th scope=\"col\" class=\"wrap\">Test set</th><th scope=\"col\" class=\"wrap\">"
	    "Method</th><th scope=\"col\">Seed</th><th scope=\"col\">Draw</th><th scope=\"col\">Dice</th></tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < n; i++) {
		const hy_results_score *c = &s->scores[lowest[i]];
		const hy_results_run *run = &s->runs[c->run];
		hy_html_printf(&r->f,
		               "<tr><th scope=\"row\">%s</th><td class=\"wrap\" data-head=\"Test set\">%s</td><td class=\"wrap\" "
		               "data-head=\"Method\">%s</td><td data-head=\"Seed\">%lld</td>",
		               c->name, s->sets[c->set].title, s->methods[run->method].title, (long long)run->seed);
		hy_report_cell(&r->f, "", "Draw");
		if (!strcmp(s->sets[c->set].kind, "artefact"))
			hy_html_printf(&r->f, "%lld</td>", (long long)c->draw + 1);
		else
			hy_html_printf(&r->f, "–</td>");
		hy_report_cell(&r->f, "", "Dice");
		hy_html_printf(&r->f, "%.3f</td></tr>\n", c->mean[1]);
	}
	hy_html_printf(&r->f, "</tbody>");
	hy_report_table_end(&r->f);
}

/* ---- pictures ----------------------------------------------------------------------------------------------------------- */

static void begin_picture(hy_report *r, const hy_blob *png)
{
	hy_html_printf(&r->f, "<li><img width=\"192\" height=\"192\" loading=\"lazy\" src=\"data:image/png;base64,");
	hy_html_base64(&r->f, png->data, png->size);
	hy_html_printf(&r->f, "\" alt=\"");
}

static void write_pictures_of(hy_report *r, const hy_shown_case *c, size_t index)
{
	const hy_results *s = &r->results;
	hy_html_printf(&r->f, "<figure class=\"case\"><figcaption><strong>");
	put_title(&r->f, s, c);
	hy_html_printf(&r->f,
	               c->rank == 1       ? "</strong>, the worst of %zu"
	               : c->rank == c->of ? "</strong>, the best of %zu"
	                                  : "</strong>",
	               c->of);
	if (c->rank > 1 && c->rank < c->of)
		hy_html_printf(&r->f, ", number %zu from below of %zu", c->rank, c->of);
	hy_html_printf(&r->f, ": slice %lld of %lld, where the maps differ most from the truth. ", (long long)c->slice + 1,
	               (long long)c->n_slices);
	if (r->o->cases > 0)
		hy_html_printf(&r->f, "<button type=\"button\" data-open-case=\"case-%zu\" hidden>Open in the viewer</button>", index);
	hy_html_printf(&r->f, "</figcaption>\n<ul class=\"row\">\n");
	begin_picture(r, &c->image_picture);
	hy_html_printf(&r->f, "The image\"><span>Image</span></li>\n");
	begin_picture(r, &c->truth_picture);
	hy_html_printf(&r->f, "The image with the borders of the true labels\"><span>Truth</span></li>\n");
	for (size_t k = 0; k < c->n_maps; k++) {
		const hy_case_map *m = &c->maps[k];
		if (m->which == 0)
			continue;
		begin_picture(r, &m->picture);
		hy_html_printf(&r->f, "The image with the borders that %s drew\"><span>%s</span><small>Dice ",
		               s->methods[m->method].title, s->methods[m->method].title);
		put_dice(&r->f, m->score ? m->score->mean[1] : NAN);
		hy_html_printf(&r->f, "</small></li>\n");
	}
	hy_html_printf(&r->f, "</ul></figure>\n");
}

static void write_worst(hy_report *r)
{
	hy_html_printf(
	    &r->f,
	    "<p>Where the methods fail. Scores are of the whole volume, not of the slice that is shown; pictures and viewer show "
	    "FTN+STN of each method's first seed.</p>\n");
	write_lowest(r);
	if (!r->shown.n) {
		hy_html_printf(&r->f, "<p class=\"note\" role=\"note\">There are no pictures and no viewer: %s.</p>\n",
		               r->o->cases ? r->shown.note : "they were not asked for");
		return;
	}
	if (r->shown.note[0])
		hy_html_printf(&r->f, "<p class=\"note\" role=\"note\">Not shown: %s.</p>\n", r->shown.note);
	hy_html_printf(&r->f, "<h3>The worst, a middle and the best case of each test set</h3>\n");
	write_legend(r);
	for (size_t i = 0; i < r->shown.n; i++)
		if (r->shown.cases[i].drawn)
			write_pictures_of(r, &r->shown.cases[i], i);
}

static bool has_scores(const hy_report *r)
{
	return r->results.n_scores > 0;
}

const hy_section hy_section_worst = {"worst", "Worst and best cases", has_scores, write_worst};

/* ---- viewer ------------------------------------------------------------------------------------------------------------- */

static void put_map(hy_report *r, const hy_case_map *m)
{
	const hy_results *s = &r->results;
	hy_outfile *f = &r->f;
	char title[256];
	snprintf(title, sizeof title, "%s, %s", s->methods[m->method].title, hy_report_networks[m->which]);
	hy_outfile_printf(f, "{\"name\":\"m%zu-%d\",\"title\":", m->method, m->which);
	hy_html_json_string(f, title);
	hy_outfile_printf(f, ",\"dice\":{");
	bool first = true;
	for (size_t k = 0; m->score && k < s->n_classes; k++) {
		if (!isfinite(m->score->dice[m->which][k]))
			continue;
		hy_outfile_printf(f, first ? "" : ",");
		first = false;
		hy_html_json_string(f, s->classes[k]);
		hy_outfile_printf(f, ":%.4f", m->score->dice[m->which][k]);
	}
	hy_outfile_printf(f, "}");
	if (m->score && isfinite(m->score->mean[m->which]))
		hy_outfile_printf(f, ",\"mean\":%.4f", m->score->mean[m->which]);
	hy_viewer_volume(f, "volume", &m->volume);
	hy_outfile_printf(f, "}");
}

static void write_volumes(hy_report *r)
{
	hy_outfile *f = &r->f;
	hy_html_printf(f, "<script type=\"application/json\" id=\"cases\">{\"classes\":[");
	for (int k = 1; k < r->shown.n_classes; k++) {
		uint8_t rgb[3];
		hy_label_colour(hy_class_shown(r->shown.classes, k), rgb); /* the volumes hold indices */
		hy_outfile_printf(f, "%s{\"value\":%d,\"rgb\":[%d,%d,%d],\"name\":", k > 1 ? "," : "", k, rgb[0], rgb[1], rgb[2]);
		hy_html_json_string(f, r->shown.classes[k].name);
		hy_outfile_printf(f, "}");
	}
	hy_outfile_printf(f, "],\"cases\":[");
	for (size_t i = 0; i < r->shown.n; i++) {
		const hy_shown_case *c = &r->shown.cases[i];
		hy_outfile_printf(f, "%s\n{\"id\":\"case-%zu\",\"slices\":%lld,\"start\":%lld,\"title\":", i ? "," : "", i,
		                  (long long)c->n_slices, (long long)c->slice + 1);
		char title[400];
		snprintf(title, sizeof title, "%s: %s", r->results.sets[c->set].title, c->name);
		hy_html_json_string(f, title);
		hy_viewer_volume(f, "image", &c->image);
		hy_viewer_volume(f, "truth", &c->truth);
		hy_outfile_printf(f, ",\"predictions\":[");
		for (size_t k = 0; k < c->n_maps; k++) {
			hy_outfile_printf(f, k ? "," : "");
			put_map(r, &c->maps[k]);
		}
		hy_outfile_printf(f, "]}");
	}
	hy_outfile_printf(f, "]}</script>\n");
}

/* The list of cases stands in the page itself; a group a test set. */
static void write_choice(hy_report *r)
{
	const hy_results *s = &r->results;
	hy_html_printf(&r->f, "<div><label for=\"viewer-case\">Case</label><select id=\"viewer-case\">\n");
	for (size_t i = 0; i < r->shown.n; i++) {
		const hy_shown_case *c = &r->shown.cases[i];
		if (!i || c[-1].set != c->set)
			hy_html_printf(&r->f, "<optgroup label=\"%s\">\n", s->sets[c->set].title);
		hy_html_printf(&r->f, "<option value=\"%zu\">%s", i, c->name);
		if (!strcmp(s->sets[c->set].kind, "artefact"))
			hy_html_printf(&r->f, ", draw %lld", (long long)c->draw + 1);
		hy_html_printf(&r->f, " (Dice %.2f%s)</option>\n", c->mean, c->rank == 1 ? ", the worst" : "");
		if (i + 1 == r->shown.n || c[1].set != c->set)
			hy_html_printf(&r->f, "</optgroup>\n");
	}
	hy_html_printf(&r->f, "</select></div>\n");
}

static void write_viewer(hy_report *r)
{
	hy_outfile *f = &r->f;
	hy_viewer_open(
	    f, "Image and truth beside the prediction of one method, both at the same slice. Volumes are shown on the network's "
	       "grid; the Dice in the list is the mean over methods.");
	write_choice(r);
	hy_html_printf(f, "<div><label for=\"viewer-method\">Prediction</label><select id=\"viewer-method\"></select></div>\n");
	hy_viewer_controls(f);
	write_legend(r);
	hy_viewer_panels(f, "Truth", "Slice of the scan with the true labels");
	hy_report_table_begin(&r->f, "Dice of the chosen case by method and class", (size_t)r->shown.n_classes + 1);
	hy_html_printf(f, "<thead><tr><th scope=\"col\">Prediction</th>");
	for (int k = 1; k < r->shown.n_classes; k++)
		hy_html_printf(f, "<th scope=\"col\">%s</th>", r->shown.classes[k].name);
	hy_html_printf(f, "<th scope=\"col\">Mean</th></tr></thead>\n<tbody id=\"viewer-scores\"></tbody>");
	hy_report_table_end(&r->f);
	hy_viewer_close(f);
	write_volumes(r);
}

static bool has_volumes(const hy_report *r)
{
	return r->shown.n > 0;
}

const hy_section hy_section_viewer = {"viewer-section", "Viewer", has_volumes, write_viewer};
