/*
 * report_run.c: a training as one HTML file: how good it became first, then how it came about.
 */
#include "report/report_run.h"

#include "base/csv.h"
#include "base/memory.h"
#include "base/text.h"
#include "draw/chart.h"
#include "predict/legend.h"
#include "report/report.h"
#include "training/curves.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

typedef struct page {
	const char *folder;
	int64_t cases;
	hy_trained t;
	hy_outfile f;
} page;

static const char *text_option(const page *p, const char *name, const char *other)
{
	const cJSON *item = hy_trained_option(&p->t, name);
	return cJSON_IsString(item) ? item->valuestring : other;
}

static double option(const page *p, const char *name)
{
	const cJSON *item = hy_trained_option(&p->t, name);
	return cJSON_IsNumber(item) ? item->valuedouble : NAN;
}

static bool is_on(const page *p, const char *name)
{
	return cJSON_IsTrue(hy_trained_option(&p->t, name));
}

static double of_record(const page *p, const char *name)
{
	return hy_json_number(p->t.parts[0].json, name, NAN);
}

static size_t n_listed(const page *p, const char *list)
{
	return (size_t)cJSON_GetArraySize(hy_trained_data(&p->t, list));
}

/* What the recipe does. Runs of earlier versions have it where the recipe's name is now. */
static const char *summary_of(const page *p)
{
	const cJSON *json = p->t.parts[0].json;
	return hy_results_text(json, "summary", hy_results_text(json, "recipe", ""));
}

/* ---- the verdict -------------------------------------------------------------------------------------------------------- */

static void put_time(hy_outfile *f, double s)
{
	if (s < 90)
		hy_html_printf(f, "%s", HY_COUNT(s + 0.5, "second"));
	else if (s < 5400)
		hy_html_printf(f, "%.0f minutes", s / 60);
	else
		hy_html_printf(f, "%.1f hours", s / 3600);
}

/* A column of the last row of metrics.csv; 0 without one. run.json is written when a training begins and ends, the table on the way. */
static double last_metric(page *p, const char *name)
{
	char *field[64], *copy = p->t.parts[0].metrics ? hy_strdup(p->t.parts[0].metrics) : NULL;
	double last = 0;
	size_t at = 0;
	if (!copy) {
		if (p->t.parts[0].metrics && !p->f.error)
			p->f.error = ENOMEM;
		return 0;
	}
	hy_csv csv = hy_csv_begin(copy);
	const size_t n = hy_csv_row(&csv, field, 64);
	while (at < n && at < 64 && strcmp(field[at], name) != 0)
		at++;
	while (at < n && at < 64 && hy_csv_row(&csv, field, 64) == n)
		last = hy_number(field[at]);
	hy_free(copy);
	return last;
}

/* How far it came. */
static void write_state(page *p)
{
	const char *state = hy_results_text(p->t.parts[0].json, "status", "");
	const double steps = of_record(p, "steps"), made = fmax(of_record(p, "steps_made"), last_metric(p, "step"));
	const double s = fmax(of_record(p, "seconds"), last_metric(p, "seconds"));
	if (!strcmp(state, "done"))
		hy_html_printf(&p->f, "The training is finished: %s in ", HY_COUNT(made, "step"));
	else if (!strcmp(state, "interrupted"))
		hy_html_printf(&p->f, "The training was interrupted: %.0f of %s in ", made, HY_COUNT(steps, "step"));
	else if (!strcmp(state, "failed"))
		hy_html_printf(&p->f, "The training failed: %.0f of %s in ", made, HY_COUNT(steps, "step"));
	else
		hy_html_printf(&p->f,
		               "The training is not finished: it goes on, or its program was killed; so far it has made %.0f of %s in ",
		               made, HY_COUNT(steps, "step"));
	put_time(&p->f, isfinite(s) ? s : 0);
	hy_html_printf(&p->f, ". ");
}

static void write_state_of_folds(page *p)
{
	const size_t n = (size_t)hy_json_number(p->t.folds, "n_folds", 0),
	             done = (size_t)cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(p->t.folds, "folds"));
	double s = 0;
	for (size_t k = 0; k < p->t.n_parts; k++)
		s += hy_json_number(p->t.parts[k].json, "seconds", 0);
	if (!strcmp(hy_results_text(p->t.folds, "status", ""), "done"))
		hy_html_printf(&p->f, "The cross-validation is finished: %zu folds in ", n);
	else
		hy_html_printf(&p->f, "The cross-validation is not finished: %zu of %zu folds in ", done, n);
	put_time(&p->f, s);
	hy_html_printf(&p->f, ". ");
}

/* What the training itself found: on the network's grid, or for folds in the scans' own. */
static double recorded_dice(const page *p)
{
	const cJSON *json = p->t.parts[0].json;
	if (p->t.folds)
		return hy_json_number(cJSON_GetObjectItemCaseSensitive(p->t.folds, "dice"), "mean", NAN);
	const char *model = hy_results_text(json, "model", "");
	const cJSON *v =
	    cJSON_GetObjectItemCaseSensitive(json, strstr(model, "best") ? "validation_of_best" : "validation_of_last");
	return hy_json_number(v, "stn_dice", NAN);
}

static void write_quality(page *p)
{
	const hy_trained *t = &p->t;
	const double dice = hy_trained_dice(t, 0), recorded = recorded_dice(p);
	if (!t->folds && !n_listed(p, "validation")) {
		hy_html_printf(&p->f, "<strong>No subject was held out, so that nothing says how good the model is</strong>: score it "
		                      "on scans that it has not seen (<code>hardy evaluate</code>).");
		return;
	}
	if (!isfinite(dice)) {
		if (isfinite(recorded))
			hy_html_printf(&p->f, "<strong>Mean Dice on %s: %.3f</strong>, as it was found in training.",
			               t->folds ? "subjects that a fold's model has not seen" : "the validation subjects", recorded);
		else
			hy_html_printf(&p->f, "Nothing says yet how good the model is.");
		return;
	}
	hy_html_printf(&p->f, "<strong>Mean Dice %.3f</strong> on %s of %s (", dice, HY_COUNT(t->n_cases, "scan"),
	               t->folds ? "subjects that the model of their fold has not seen"
	                        : "validation subjects, which it was not trained on");
	for (int k = 1; k < t->n_classes; k++) {
		const double one = hy_trained_dice(t, k);
		hy_html_printf(&p->f, isfinite(one) ? "%s%s %.3f" : "%s%s –", k > 1 ? ", " : "", t->classes[k].name, one);
	}
	hy_html_printf(&p->f, "), each scan in its own grid.");
	const size_t n = t->n_cases;
	if (n > 1 && isfinite(t->cases[0].mean))
		hy_html_printf(&p->f, " The worst scan has %.3f.", t->cases[0].mean);
}

static void write_name(page *p)
{
	const size_t n = strlen(p->folder);
	hy_html_printf(&p->f, "%s", n > 1 && p->folder[n - 1] == '/' ? p->folder : hy_path_name(p->folder));
}

static void write_header(page *p, bool has_curves)
{
	hy_html_printf(&p->f, "<header>\n<h1>%s ", p->t.folds ? "Cross-validation" : "Training");
	write_name(p);
	hy_html_printf(&p->f, "</h1>\n<p class=\"verdict\">");
	if (p->t.folds)
		write_state_of_folds(p);
	else
		write_state(p);
	write_quality(p);
	hy_html_printf(&p->f, "</p>\n<p>Trained by hardy %s; last written on %s.</p>\n</header>\n",
	               hy_results_text(p->t.parts[0].json, "hardy_version", "?"), *p->t.date ? p->t.date : "an unknown day");
	hy_html_printf(&p->f, "<nav aria-label=\"Sections\"><ul>\n<li><a href=\"#cases\">Validation scans</a></li>\n");
	if (has_curves)
		hy_html_printf(&p->f, "<li><a href=\"#curves\">Learning curves</a></li>\n");
	hy_html_printf(&p->f, "<li><a href=\"#plan\">Plan</a></li>\n<li><a href=\"#data\">Data</a></li>\n"
	                      "<li><a href=\"#methods\">Methods</a></li>\n</ul></nav>\n");
}

/* ---- validation scans --------------------------------------------------------------------------------------------------- */

static void put_dice(hy_outfile *f, double v)
{
	hy_html_printf(f, isfinite(v) ? "%.3f" : "–", v);
}

static void write_legend(page *p)
{
	hy_html_printf(&p->f, "<ul class=\"legend\" aria-label=\"Colours of the borders\">");
	for (int k = 1; k < p->t.n_classes; k++) {
		uint8_t rgb[3];
		hy_label_colour(hy_class_shown(p->t.classes, k), rgb);
		hy_html_printf(&p->f, "<li><span style=\"background:rgb(%d,%d,%d)\"></span>%s, predicted</li>", rgb[0], rgb[1], rgb[2],
		               p->t.classes[k].name);
	}
	hy_html_printf(&p->f, "<li><span style=\"background:#fff\"></span>truth, where the prediction differs from it</li></ul>\n");
}

static void write_card(page *p, const hy_trained_case *c)
{
	const hy_trained *t = &p->t;
	hy_html_printf(&p->f,
	               "<figure class=\"card\">\n<img alt=\"Three slices of %s with predicted and true borders\" "
	               "src=\"data:image/png;base64,",
	               c->name);
	hy_html_base64(&p->f, c->picture.data, c->picture.size);
	hy_html_printf(&p->f, "\">\n<figcaption><strong>%s</strong>, Dice <strong>", c->name);
	put_dice(&p->f, c->mean);
	hy_html_printf(&p->f, "</strong>");
	if (t->folds)
		hy_html_printf(&p->f, ", fold %zu", c->part + 1);
	for (int k = 1; k < t->n_classes; k++) {
		hy_html_printf(&p->f, "<br>%s ", t->classes[k].name);
		put_dice(&p->f, c->dice[k]);
		hy_html_printf(&p->f, ": %.1f mL predicted, %.1f mL true", c->found_ml[k], c->truth_ml[k]);
	}
	hy_html_printf(&p->f, "<br><small>slices %lld, %lld and %lld of %lld</small></figcaption>\n</figure>\n",
	               (long long)c->slice[0] + 1, (long long)c->slice[1] + 1, (long long)c->slice[2] + 1, (long long)c->n_slices);
}

static void write_cards(page *p, const char *title, size_t from, size_t n)
{
	if (title)
		hy_html_printf(&p->f, "<h3>%s</h3>\n", title);
	hy_html_printf(&p->f, "<div class=\"sheet\">\n");
	for (size_t i = from; i < from + n; i++)
		write_card(p, &p->t.cases[i]);
	hy_html_printf(&p->f, "</div>\n");
}

static void write_case_table(page *p)
{
	const hy_trained *t = &p->t;
	hy_html_printf(&p->f, "<details><summary>Table of %s</summary>\n", HY_COUNT(t->n_cases, "scan"));
	hy_report_table_begin(&p->f, "Dice of every validation scan; small: volumes in mL, predicted and true",
	                      (size_t)t->n_classes + 1);
	hy_html_printf(&p->f, "<thead><tr><th scope=\"col\">Scan</th><th scope=\"col\">Mean</th>");
	for (int k = 1; k < t->n_classes; k++)
		hy_html_printf(&p->f, "<th scope=\"col\">%s</th>", t->classes[k].name);
	hy_html_printf(&p->f, "</tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < t->n_cases; i++) {
		const hy_trained_case *c = &t->cases[i];
		hy_html_printf(&p->f, "<tr><th scope=\"row\">%s</th><td data-head=\"Mean\">", c->name);
		put_dice(&p->f, c->mean);
		hy_html_printf(&p->f, "</td>");
		for (int k = 1; k < t->n_classes; k++) {
			hy_html_printf(&p->f, "<td data-head=\"%s\">", t->classes[k].name);
			put_dice(&p->f, c->dice[k]);
			hy_html_printf(&p->f, "<small>%.1f / %.1f</small></td>", c->found_ml[k], c->truth_ml[k]);
		}
		hy_html_printf(&p->f, "</tr>\n");
	}
	hy_html_printf(&p->f, "</tbody>");
	hy_report_table_end(&p->f);
	hy_html_printf(&p->f, "</details>\n");
}

static void write_note(page *p, const char *before, const char *text)
{
	hy_html_printf(&p->f, "<p class=\"note\" role=\"note\">%s: %s.</p>\n", before, text);
}

static void write_cases(page *p)
{
	const hy_trained *t = &p->t;
	const size_t n = t->n_cases, each = (size_t)p->cases;
	hy_html_printf(&p->f, "<section aria-labelledby=\"cases\">\n<h2 id=\"cases\">Validation scans</h2>\n");
	if (!p->cases)
		hy_html_printf(&p->f, "<p class=\"note\" role=\"note\">There are no pictures: they were not asked for.</p>\n");
	else if (!t->folds && !n_listed(p, "validation"))
		hy_html_printf(&p->f, "<p>No subject was held out.</p>\n");
	else if (!n)
		write_note(p, "There are no pictures", t->note ? t->note : "no validation scan can be read");
	else if (t->note)
		write_note(p, "Not all is shown", t->note);
	if (n) {
		hy_html_printf(
		    &p->f,
		    "<p>As <code>hardy predict</code> segments them%s, the worst first. Of each scan the slice that differs most "
		    "from the truth is shown, and those a quarter and three quarters of the way through the labels.</p>\n",
		    t->folds ? ", each by the model of its fold" : "");
		write_legend(p);
	}
	if (n > 3 * each && each) {
		write_cards(p, "The worst", 0, each);
		write_cards(p, "In the middle", (n - each) / 2, each);
		write_cards(p, "The best", n - each, each);
	} else if (n && each) {
		write_cards(p, NULL, 0, n);
	}
	if (n)
		write_case_table(p);
	hy_html_printf(&p->f, "</section>\n");
}

/* ---- learning curves ---------------------------------------------------------------------------------------------------- */

static bool has_curves(const page *p)
{
	for (size_t k = 0; k < p->t.n_parts; k++)
		if (p->t.parts[k].metrics)
			return true;
	return false;
}

/* Cuts up the tables. */
static void write_curves(page *p)
{
	hy_html_printf(&p->f,
	               "<section aria-labelledby=\"curves\">\n<h2 id=\"curves\">Learning curves</h2>\n<div class=\"plots\">\n");
	for (size_t k = 0; k < p->t.n_parts; k++) {
		hy_text svg = {0};
		char title[48] = "Loss, learning rate and Dice over steps";
		if (!p->t.parts[k].metrics)
			continue;
		if (p->t.folds)
			snprintf(title, sizeof title, "Fold %zu", k + 1);
		hy_curves_draw(&svg, p->t.parts[k].metrics, title);
		if (svg.failed && !p->f.error)
			p->f.error = ENOMEM;
		hy_html_printf(&p->f, "<figure class=\"curves\"><figcaption>%s</figcaption>\n", title);
		hy_outfile_write(&p->f, svg.data, svg.used);
		hy_html_printf(&p->f, "</figure>\n");
		hy_text_clear(&svg);
	}
	hy_html_printf(&p->f, "</div>\n</section>\n");
}

/* ---- the plan ----------------------------------------------------------------------------------------------------------- */

static void put_geometry(page *p)
{
	const char *augment = text_option(p, "augment", "");
	if (!strcmp(augment, "wide"))
		hy_html_printf(&p->f, "every slice moved, scaled and bent, turned by up to %g degrees, %s", option(p, "rotation_deg"),
		               option(p, "mirror") > 0 ? "mirrored" : "not mirrored");
	else if (!strcmp(augment, "none"))
		hy_html_printf(&p->f, "slices as they are");
	else
		hy_html_printf(&p->f, "half of the slices moved, turned, scaled and mirrored as published%s",
		               !strcmp(augment, "no-elastic") ? ", without elastic deformation" : "");
}

static void put_network(page *p)
{
	const double neighbours = option(p, "neighbours");
	if (!strcmp(text_option(p, "network", "study"), "unet"))
		hy_html_printf(&p->f, "a U-Net of %.0f levels with %.0f channels on the finest%s", option(p, "network_levels"),
		               option(p, "network_width"), is_on(p, "network_no_top_skip") ? ", without a skip connection there" : "");
	if (neighbours > 0)
		hy_html_printf(&p->f, " on slices with %s on either side", HY_COUNT(neighbours, "neighbour"));
	if (option(p, "planes") > 1)
		hy_html_printf(&p->f, " across each of the three axes");
	if (strcmp(text_option(p, "network", "study"), "unet") != 0)
		hy_html_printf(&p->f, "the two networks of Chen et al. (MICCAI 2021): segmentation (FTN) and its refinement (STN)");
}

static void put_use(page *p)
{
	const hy_use *u = &p->t.use;
	const bool study = !strcmp(text_option(p, "network", "study"), "study");
	if (!u->chosen) {
		hy_html_printf(&p->f, "each slice once");
		return;
	}
	hy_html_printf(&p->f, "%s%s%s, chosen on validation subjects (Dice %.3f on the network's grid, plainly %.3f)",
	               u->flips ? "the mean over mirrored slices" : "each slice once",
	               u->keep_largest ? ", the largest component of each class" : "", u->ftn && study ? ", by the FTN alone" : "",
	               u->dice, u->plain_dice);
}

static void begin_fact(page *p, const char *name)
{
	hy_html_printf(&p->f, "<div><dt>%s</dt><dd>", name);
}

static void end_fact(page *p)
{
	hy_html_printf(&p->f, "</dd></div>\n");
}

static void write_command(page *p)
{
	char *word = hy_shell_word(p->folder);
	if (!word && !p->f.error)
		p->f.error = ENOMEM;
	hy_html_printf(&p->f, "<pre tabindex=\"0\" aria-label=\"Command\"><code>hardy predict %s SCANS -o LABELS</code></pre>\n",
	               word ? word : "");
	hy_free(word);
}

static void write_plan(page *p)
{
	hy_html_printf(&p->f, "<section aria-labelledby=\"plan\">\n<h2 id=\"plan\">Plan</h2>\n<dl class=\"facts\">\n");
	begin_fact(p, "Grid");
	hy_html_printf(&p->f, "slices of %.0f × %.0f pixels of %g mm", option(p, "size"), option(p, "size"),
	               option(p, "spacing_mm"));
	end_fact(p);
	begin_fact(p, "Intensities");
	hy_html_printf(&p->f, "percentiles %g and %g of a volume become 0 and 1", option(p, "percentile_low"),
	               option(p, "percentile_high"));
	end_fact(p);
	begin_fact(p, "Geometry");
	put_geometry(p);
	end_fact(p);
	begin_fact(p, "Recipe");
	const char *recipe = text_option(p, "recipe", "?");
	hy_html_printf(&p->f, "%s: %s", strchr(recipe, '\n') ? "a file" : recipe, summary_of(p));
	end_fact(p);
	begin_fact(p, "Network");
	put_network(p);
	end_fact(p);
	begin_fact(p, "Length");
	hy_html_printf(&p->f, "%.0f steps of %.0f slices, %.0f steps an epoch", of_record(p, "steps"), option(p, "batch"),
	               of_record(p, "steps_per_epoch"));
	end_fact(p);
	begin_fact(p, "Prediction");
	put_use(p);
	end_fact(p);
	hy_html_printf(&p->f, "</dl>\n<p>To segment scans%s:</p>\n", p->t.folds ? " with the models of all folds together" : "");
	write_command(p);
	hy_html_printf(&p->f, "</section>\n");
}

/* ---- data --------------------------------------------------------------------------------------------------------------- */

static const char *const role_names[HY_N_ROLES] = {"training", "validation", "test", "cross-validation"};

/* Of the scans of a role: smallest and largest. */
static void put_range(page *p, enum hy_role role, int axis, bool shape)
{
	double low = INFINITY, high = -INFINITY;
	for (size_t i = 0; i < p->t.n_scans; i++) {
		const hy_trained_scan *s = &p->t.scans[i];
		const double v = shape ? (double)s->shape[axis] : s->spacing_mm[axis];
		if (s->role != role)
			continue;
		low = fmin(low, v);
		high = fmax(high, v);
	}
	if (shape)
		hy_html_printf(&p->f, low < high ? "%.0f–%.0f" : "%.0f", low, high);
	else
		hy_html_printf(&p->f, low < high ? "%.2f–%.2f" : "%.2f", low, high);
}

static void write_roles(page *p)
{
	hy_report_table_begin(&p->f, "Labelled scans of the data set, as their label maps are stored", 6);
	hy_html_printf(&p->f,
	               "<thead><tr><th scope=\"col\">For</th><th scope=\"col\">Subjects</th><th scope=\"col\">Scans</th>"
	               "<th scope=\"col\">Slices</th><th scope=\"col\">Pixels, mm</th><th scope=\"col\">Between slices, mm</th>"
	               "<th scope=\"col\">Matrix</th></tr></thead>\n<tbody>\n");
	for (int role = 0; role < HY_N_ROLES; role++) {
		size_t n = 0, n_subjects = 0;
		const char *last = "";
		for (size_t i = 0; i < p->t.n_scans; i++) {
			if (p->t.scans[i].role != (enum hy_role)role)
				continue;
			n++;
			n_subjects += strcmp(last, p->t.scans[i].subject) != 0; /* sorted by subject */
			last = p->t.scans[i].subject;
		}
		if (!n)
			continue;
		hy_html_printf(&p->f,
		               "<tr><th scope=\"row\">%s</th><td data-head=\"Subjects\">%zu</td><td data-head=\"Scans\">%zu</td>",
		               role_names[role], n_subjects, n);
		hy_html_printf(&p->f, "<td data-head=\"Slices\">");
		put_range(p, (enum hy_role)role, 2, true);
		hy_html_printf(&p->f, "</td><td data-head=\"Pixels, mm\">");
		put_range(p, (enum hy_role)role, 0, false);
		hy_html_printf(&p->f, "</td><td data-head=\"Between slices, mm\">");
		put_range(p, (enum hy_role)role, 2, false);
		hy_html_printf(&p->f, "</td><td data-head=\"Matrix\">");
		put_range(p, (enum hy_role)role, 0, true);
		hy_html_printf(&p->f, " × ");
		put_range(p, (enum hy_role)role, 1, true);
		hy_html_printf(&p->f, "</td></tr>\n");
	}
	hy_html_printf(&p->f, "</tbody>");
	hy_report_table_end(&p->f);
}

/* Vendors or centres, where the data set names them. */
static void write_sites(page *p)
{
	const hy_trained *t = &p->t;
	bool any = false;
	for (size_t i = 0; i < t->n_scans; i++) {
		size_t n = 0;
		bool seen = !*t->scans[i].site;
		for (size_t k = 0; k < i && !seen; k++)
			seen = !strcmp(t->scans[k].site, t->scans[i].site);
		for (size_t k = i; k < t->n_scans && !seen; k++)
			n += !strcmp(t->scans[k].site, t->scans[i].site);
		if (seen)
			continue;
		hy_html_printf(&p->f, any ? ", %s (%zu)" : "<p>Scans by vendor or centre: %s (%zu)", t->scans[i].site, n);
		any = true;
	}
	hy_html_printf(&p->f, any ? ".</p>\n" : "");
}

static void write_histograms(page *p)
{
	const hy_trained *t = &p->t;
	double *values = hy_alloc(t->n_scans, sizeof *values);
	uint8_t *series = hy_alloc(t->n_scans, 1);
	const char *names[HY_N_ROLES];
	size_t n_names = 0, of_role[HY_N_ROLES];
	if ((!values || !series) && !p->f.error)
		p->f.error = ENOMEM;
	for (int role = 0; role < HY_N_ROLES; role++) {
		bool any = false;
		for (size_t i = 0; i < t->n_scans; i++)
			any = any || t->scans[i].role == (enum hy_role)role;
		of_role[role] = n_names;
		if (any)
			names[n_names++] = role_names[role];
	}
	for (size_t i = 0; i < t->n_scans && series; i++)
		series[i] = (uint8_t)of_role[t->scans[i].role];
	hy_chart_legend(&p->f, "Colours of the bars", names, n_names);
	hy_html_printf(&p->f, "<div class=\"charts\">\n");
	for (int c = -1; c < t->n_classes && values && series; c++) {
		char title[HY_NAME_SIZE + 32] = "Pixels", unit[] = "mm";
		if (c == 0)
			snprintf(title, sizeof title, "Distance of slices");
		else if (c > 0)
			snprintf(title, sizeof title, "Volume of %s", t->classes[c].name);
		for (size_t i = 0; i < t->n_scans; i++)
			values[i] = c > 0 ? t->scans[i].volume_ml[c] : t->scans[i].spacing_mm[c < 0 ? 0 : 2];
		hy_chart_histogram(&p->f, &(hy_histogram){.title = title,
		                                          .unit = c > 0 ? "mL" : unit,
		                                          .values = values,
		                                          .series = series,
		                                          .n = t->n_scans,
		                                          .n_series = n_names,
		                                          .digits = c > 0 ? 1 : 2});
	}
	hy_html_printf(&p->f, "</div>\n");
	hy_free(values);
	hy_free(series);
}

static void write_subjects(page *p)
{
	static const char *const lists[] = {"train", "validation", "test"};
	hy_html_printf(&p->f, "<details><summary>Names of the subjects</summary>\n");
	for (int k = 0; k < 3; k++) {
		const cJSON *item;
		bool first = true;
		if (!n_listed(p, lists[k]))
			continue;
		hy_html_printf(&p->f, "<p><strong>%s%s:</strong> ", role_names[k], p->t.folds ? " in the first fold" : "");
		cJSON_ArrayForEach(item, hy_trained_data(&p->t, lists[k]))
		{
			if (cJSON_IsString(item))
				hy_html_printf(&p->f, first ? "%s" : ", %s", item->valuestring);
			first = false;
		}
		hy_html_printf(&p->f, "</p>\n");
	}
	hy_html_printf(&p->f, "</details>\n");
}

static const char *data_text(const page *p, const char *name, const char *other)
{
	const cJSON *item = hy_trained_data(&p->t, name);
	return cJSON_IsString(item) ? item->valuestring : other;
}

static void write_data(page *p)
{
	const cJSON *set = cJSON_GetObjectItemCaseSensitive(p->t.parts[0].json, "data_set");
	hy_html_printf(&p->f, "<section aria-labelledby=\"data\">\n<h2 id=\"data\">Data</h2>\n<p>%s (%s): ",
	               data_text(p, "name", "a data set"), data_text(p, "layout", "layout unknown"));
	if (p->t.folds)
		hy_html_printf(&p->f, "%zu subjects, each of them validating in one fold and training in the others.</p>\n",
		               n_listed(p, "train") + n_listed(p, "validation"));
	else
		hy_html_printf(&p->f, "%s to train on (%s, %s), %zu to validate with, %zu left for tests.</p>\n",
		               HY_COUNT(n_listed(p, "train"), "subject"), HY_COUNT(hy_json_number(set, "training_cases", 0), "scan"),
		               HY_COUNT(hy_json_number(set, "training_slices", 0), "slice"), n_listed(p, "validation"),
		               n_listed(p, "test"));
	const hy_fingerprint *g = &p->t.fingerprint;
	if (p->t.n_scans) {
		write_sites(p);
		write_roles(p);
		write_histograms(p);
	} else if (g->n_volumes) {
		hy_html_printf(&p->f, "<p>Pixels of the training scans: %.2f to %.2f mm; between slices %.2f to %.2f mm.</p>\n",
		               fmin(g->spacing_low_mm[0], g->spacing_low_mm[1]), fmax(g->spacing_high_mm[0], g->spacing_high_mm[1]),
		               g->spacing_low_mm[2], g->spacing_high_mm[2]);
	}
	write_subjects(p);
	hy_html_printf(&p->f, "</section>\n");
}

/* ---- methods ------------------------------------------------------------------------------------------------------------ */

/* A paragraph for a paper. */
static void write_methods(page *p)
{
	const char *loss = text_option(p, "loss", ""), *schedule = text_option(p, "schedule", "");
	hy_html_printf(&p->f, "<section aria-labelledby=\"methods\">\n<h2 id=\"methods\">Methods</h2>\n<p>We trained ");
	put_network(p);
	hy_html_printf(&p->f, " with hardy %s (recipe: %s) ", hy_results_text(p->t.parts[0].json, "hardy_version", ""),
	               summary_of(p));
	if (p->t.folds)
		hy_html_printf(&p->f, "in a cross-validation of %.0f folds over %zu subjects of %s. ",
		               hy_json_number(p->t.folds, "n_folds", NAN), n_listed(p, "train") + n_listed(p, "validation"),
		               data_text(p, "name", "a data set"));
	else
		hy_html_printf(&p->f, "on %s of %s. ", HY_COUNT(n_listed(p, "train"), "labelled subject"),
		               data_text(p, "name", "a data set"));
	hy_html_printf(
	    &p->f,
	    "Volumes were clipped to their percentiles %g and %g and scaled to 0 and 1; slices were resampled to %g mm and "
	    "cut to %.0f × %.0f pixels. Augmentation: ",
	    option(p, "percentile_low"), option(p, "percentile_high"), option(p, "spacing_mm"), option(p, "size"),
	    option(p, "size"));
	put_geometry(p);
	hy_html_printf(&p->f, ". Adam made %.0f steps of %.0f slices on %s%s, with a %s learning rate of %s%g%s; ",
	               of_record(p, "steps_made"), option(p, "batch"),
	               !strcmp(loss, "ce") ? "cross-entropy" : "cross-entropy and soft Dice", p->t.folds ? " in each fold" : "",
	               schedule, !strcmp(schedule, "constant") ? "" : "up to ", option(p, "learning_rate"),
	               option(p, "weight_decay") > 0 ? " and decoupled weight decay" : "");
	hy_html_printf(&p->f, "%s, seed %.0f, %s. ",
	               !strcmp(text_option(p, "precision", ""), "bf16") ? "bfloat16 with single-precision sums and weights"
	                                                                : "single precision",
	               option(p, "seed"), HY_COUNT(of_record(p, "threads"), "thread"));
	if (option(p, "ema") > 0)
		hy_html_printf(&p->f, "Validated and kept were weights averaged with a decay of %g. ", option(p, "ema"));
	hy_html_printf(&p->f, "At prediction: ");
	put_use(p);
	hy_html_printf(
	    &p->f,
	    ". Scores are Dice coefficients of whole volumes in the scans' own grids, mean over the scans that have a class, then "
	    "over classes.</p>\n</section>\n");
}

/* ---- all of it ---------------------------------------------------------------------------------------------------------- */

static void write_page(page *p)
{
	char title[256];
	const size_t n = strlen(p->folder);
	snprintf(title, sizeof title, "%s %.200s", p->t.folds ? "Cross-validation" : "Training",
	         n > 1 && p->folder[n - 1] == '/' ? p->folder : hy_path_name(p->folder));
	hy_report_head(&p->f, title);
	write_header(p, has_curves(p));
	hy_html_printf(&p->f, "<main id=\"main\" tabindex=\"-1\">\n");
	write_cases(p);
	if (has_curves(p))
		write_curves(p);
	write_plan(p);
	write_data(p);
	write_methods(p);
	hy_html_printf(&p->f, "</main>\n");
	hy_report_foot(&p->f);
	hy_report_sorter(&p->f);
	hy_html_printf(&p->f, "</body>\n</html>\n");
}

hardy_status hy_run_write_page(const char *folder, const char *path, const char *mark, int64_t cases, const hardy_log *log,
                               hardy_error *err)
{
	page p = {.folder = folder, .cases = cases};
	hardy_status status = hy_trained_read(&p.t, folder, cases > 0, log, err);
	if (!status)
		status = hy_outfile_open(&p.f, path, mark, err);
	if (!status) {
		write_page(&p);
		status = hy_outfile_commit(&p.f, err);
	}
	hy_outfile_discard(&p.f);
	hy_trained_clear(&p.t);
	return status;
}
