/*
 * report_methods.c: how the results of a report came about: a paragraph for a paper, the runs, and the commands that repeat them.
 */
#include "base/text.h"
#include "report/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static bool always(const hy_report *r)
{
	(void)r;
	return true;
}

/* A text or a number of the experiment's options as text, or NULL. */
static const char *option(const hy_report *r, const char *name, char text[64])
{
	const cJSON *options = cJSON_GetObjectItemCaseSensitive(r->results.experiment, "options");
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(options, name);
	if (cJSON_IsString(item))
		return item->valuestring;
	if (!cJSON_IsNumber(item))
		return NULL;
	snprintf(text, 64, "%g", item->valuedouble);
	return text;
}

/* An option that a run was trained with: of its configuration, else of the experiment, else other. */
static const char *trained_with(const hy_report *r, size_t run, const char *name, const char *other)
{
	const cJSON *entry = hy_results_entry(&r->results, &r->results.runs[run]);
	const cJSON *training =
	    cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(entry, "configuration"), "training");
	const cJSON *options = cJSON_GetObjectItemCaseSensitive(r->results.experiment, "options");
	return hy_results_text(training, name, training ? other : hy_results_text(options, name, other));
}

static bool is_unet(const hy_report *r, size_t method)
{
	for (size_t i = 0; i < r->results.n_runs; i++)
		if (r->results.runs[i].method == method)
			return !strcmp(trained_with(r, i, "network", "study"), "unet");
	return false;
}

static bool has_runs(const hy_results *s, size_t method)
{
	for (size_t i = 0; i < s->n_runs; i++)
		if (s->runs[i].method == method)
			return true;
	return false;
}

static void put_networks(hy_report *r)
{
	const hy_results *s = &r->results;
	size_t n = 0, n_unet = 0;
	for (size_t m = 0; m < s->n_methods; m++) {
		n += has_runs(s, m);
		n_unet += is_unet(r, m);
	}
	if (n_unet < n)
		hy_html_printf(&r->f,
		               "%s network consists of a segmentation network (FTN) and a denoising network of label maps (STN) that "
		               "refines its result (Chen et al., MICCAI 2021). ",
		               n_unet ? "Unless another is named, a" : "Every");
	for (size_t m = 0, at = 0; m < s->n_methods && n_unet; m++) {
		if (!is_unet(r, m))
			continue;
		hy_html_printf(&r->f, at++ ? ", %s" : "A U-Net, whose scores stand for both, was trained by %s", s->methods[m].title);
	}
	hy_html_printf(&r->f, n_unet ? ". " : "");
}

/* Smallest and largest of a number of the runs of a method, or of all (n_methods). */
static void range_of(const hy_results *s, size_t method, double (*number)(const hy_results_run *), double *low, double *high)
{
	*low = INFINITY;
	*high = -INFINITY;
	for (size_t i = 0; i < s->n_runs; i++) {
		if (method < s->n_methods && s->runs[i].method != method)
			continue;
		*low = fmin(*low, number(&s->runs[i]));
		*high = fmax(*high, number(&s->runs[i]));
	}
}

static double n_subjects(const hy_results_run *run)
{
	return cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(run->line, "subjects"));
}

static double n_steps(const hy_results_run *run)
{
	return (double)run->steps;
}

static void put_range(hy_outfile *f, double low, double high)
{
	hy_html_printf(f, low < high ? "%.0f to %.0f" : "%.0f", low, high);
}

/* One number where all runs agree, else one for each method. */
static void put_steps(hy_report *r)
{
	const hy_results *s = &r->results;
	double low, high;
	range_of(s, s->n_methods, n_steps, &low, &high);
	if (!(high > 0))
		return;
	hy_html_printf(&r->f, " for ");
	if (low < high) {
		bool any = false;
		for (size_t m = 0; m < s->n_methods; m++) {
			if (!has_runs(s, m))
				continue;
			range_of(s, m, n_steps, &low, &high);
			hy_html_printf(&r->f, any ? ", " : "");
			put_range(&r->f, low, high);
			hy_html_printf(&r->f, any ? " (%s)" : " steps (%s)", s->methods[m].title);
			any = true;
		}
	} else {
		hy_html_printf(&r->f, "%s", HY_COUNT(low, "step"));
	}
}

/* The same, of whatever word of the results' lines. */
static const char *common_text(const hy_results *s, const char *name, const char *other)
{
	const char *first = hy_results_text(s->runs[0].line, name, other);
	for (size_t i = 1; i < s->n_runs; i++)
		if (strcmp(first, hy_results_text(s->runs[i].line, name, other)) != 0)
			return NULL;
	return first;
}

static void put_training(hy_report *r)
{
	const hy_results *s = &r->results;
	hy_outfile *f = &r->f;
	char text[64];
	double low, high;
	range_of(s, s->n_methods, n_subjects, &low, &high);
	hy_html_printf(f, "Each was trained");
	if (high > 0) {
		hy_html_printf(f, " on ");
		put_range(f, low, high);
		hy_html_printf(f, " labelled subject%s", high > 1 ? "s" : "");
	}
	put_steps(r);
	const char *size = option(r, "size", text);
	if (size)
		hy_html_printf(f, ", slices on a grid of %s × %s", size, size);
	const char *spacing = size ? option(r, "spacing_mm", text) : NULL;
	if (spacing)
		hy_html_printf(f, " at %s mm", spacing);
	const char *version = common_text(s, "hardy_version", "?"), *precision = common_text(s, "precision", "f32");
	if (version)
		hy_html_printf(f, ", with hardy %s", version);
	else
		hy_html_printf(f, ", with several versions of hardy");
	hy_html_printf(f, " in %s. ",
	               !precision                   ? "single precision or bfloat16, as the table of runs says"
	               : !strcmp(precision, "bf16") ? "bfloat16 with single-precision sums and weights"
	                                            : "single precision");
}

/* Which classes the means are over, as they were scored. */
static void put_scores(hy_report *r)
{
	const hy_results *s = &r->results;
	bool first[HY_MAX_CLASSES], other[HY_MAX_CLASSES], same = true;
	hy_report_scored(r, 0, first);
	for (size_t k = 1; k < s->n_sets; k++) {
		hy_report_scored(r, k, other);
		same = same && !memcmp(first, other, sizeof first);
	}
	hy_html_printf(&r->f, "Scores are Dice coefficients of whole volumes, the mean of the classes ");
	if (same && s->n_sets) {
		hy_report_put_classes(r, 0);
	} else {
		for (size_t k = 0; k < s->n_sets; k++) {
			hy_html_printf(&r->f, k ? "; " : "");
			hy_report_put_classes(r, k);
			hy_html_printf(&r->f, " (%s)", s->sets[k].title);
		}
	}
	hy_html_printf(&r->f, "; a class that a reference lacks does not count. ");
}

static void write_paragraph(hy_report *r)
{
	const hy_results *s = &r->results;
	hy_outfile *f = &r->f;
	hy_html_printf(f, "<p>");
	put_networks(r);
	put_training(r);
	put_scores(r);
	hy_html_printf(f, "The test sets were: ");
	for (size_t k = 0; k < s->n_sets; k++)
		hy_html_printf(f, "%s%s (%s)", k ? "; " : "", s->sets[k].title,
		               !strcmp(s->sets[k].kind, "intra")      ? "the training site, other subjects"
		               : !strcmp(s->sets[k].kind, "artefact") ? "the same subjects, spoiled by an artefact"
		                                                      : "another site");
	hy_html_printf(f, ". Nothing of a test set was read before a model was final.</p>\n");
}

static void write_recipes(hy_report *r)
{
	const hy_results *s = &r->results;
	hy_report_table_begin(&r->f, "Methods and their recipes, as hardy train takes them.", 2);
	hy_html_printf(
	    &r->f, "<thead><tr><th scope=\"col\">Method</th><th scope=\"col\" class=\"wrap\">Recipe</th></tr></thead>\n<tbody>\n");
	for (size_t m = 0; m < s->n_methods; m++) {
		const char *recipe = s->methods[m].recipe;
		hy_html_printf(&r->f,
		               "<tr><th scope=\"row\">%s</th><td class=\"wrap\" data-head=\"Recipe\"><code>%s</code></td></tr>\n",
		               s->methods[m].title, *recipe ? recipe : s->methods[m].name);
	}
	hy_html_printf(&r->f, "</tbody>");
	hy_report_table_end(&r->f);
}

enum { KEY = 8 }; /* digits of a key that are shown */

/* The first bytes of a text of ASCII. */
static void put_start(hy_outfile *f, const char *text, size_t n)
{
	char start[64];
	snprintf(start, sizeof start, "%.*s", (int)(n < sizeof start ? n : sizeof start - 1), text);
	hy_html_printf(f, "%s", start);
}

static void write_runs(hy_report *r)
{
	static const char *const heads[] = {"Seed", "Steps", "Training, minutes", "Precision", "Machine", "Date", "Key"};
	const hy_results *s = &r->results;
	hy_report_table_begin(&r->f, "Runs. The key stands for everything that the result depends on: configuration and data.", 8);
	hy_html_printf(&r->f, "<thead><tr><th scope=\"col\">Method</th>");
	for (size_t k = 0; k < sizeof heads / sizeof *heads; k++)
		hy_html_printf(&r->f, "<th scope=\"col\">%s</th>", heads[k]);
	hy_html_printf(&r->f, "</tr></thead>\n<tbody>\n");
	for (size_t i = 0; i < s->n_runs; i++) {
		const hy_results_run *run = &s->runs[i];
		const cJSON *line = run->line;
		const char *date = hy_results_text(line, "date", ""), *key = hy_results_text(line, "key", "");
		hy_html_printf(&r->f, "<tr><th scope=\"row\">%s</th>", s->methods[run->method].title);
		hy_report_cell(&r->f, "", heads[0]);
		hy_html_printf(&r->f, "%lld</td>", (long long)run->seed);
		hy_report_cell(&r->f, "", heads[1]);
		hy_html_printf(&r->f, "%lld</td>", (long long)run->steps);
		hy_report_cell(&r->f, "", heads[2]);
		hy_html_printf(&r->f, isfinite(run->train_s) ? "%.1f</td>" : "–</td>", run->train_s / 60);
		hy_report_cell(&r->f, "", heads[3]);
		hy_html_printf(&r->f, "%s</td>", hy_results_text(line, "precision", ""));
		hy_report_cell(&r->f, "wrap", heads[4]);
		hy_html_printf(&r->f, "%s</td>", hy_results_text(line, "machine", ""));
		hy_report_cell(&r->f, "", heads[5]);
		put_start(&r->f, date, strcspn(date, "T"));
		hy_html_printf(&r->f, "</td>");
		hy_report_cell(&r->f, "key", heads[6]);
		hy_html_printf(&r->f, "<code title=\"%s\">", key);
		put_start(&r->f, key, KEY);
		hy_html_printf(&r->f, "</code></td></tr>\n");
	}
	hy_html_printf(&r->f, "</tbody>");
	hy_report_table_end(&r->f);
}

static void write_commands(hy_report *r)
{
	const cJSON *commands = cJSON_GetObjectItemCaseSensitive(r->results.experiment, "commands"), *item;
	if (!cJSON_IsArray(commands) && !cJSON_IsString(commands))
		return;
	hy_html_printf(&r->f, "<h3>To repeat it</h3>\n<pre tabindex=\"0\" aria-label=\"Commands\"><code>");
	if (cJSON_IsString(commands))
		hy_html_printf(&r->f, "%s\n", commands->valuestring);
	cJSON_ArrayForEach(item, commands)
	{
		if (cJSON_IsString(item))
			hy_html_printf(&r->f, "%s\n", item->valuestring);
	}
	hy_html_printf(&r->f, "</code></pre>\n");
}

static void write_methods(hy_report *r)
{
	write_paragraph(r);
	write_recipes(r);
	write_runs(r);
	write_commands(r);
}

const hy_section hy_section_methods = {"methods", "Methods", always, write_methods};
