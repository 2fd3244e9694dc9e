/*
 * report_methods.c: how the results of a report came about: a paragraph for a paper, the runs, and the commands that repeat them.
 */
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

static void write_paragraph(hy_report *r)
{
	const hy_results *s = &r->results;
	const hy_results_run *first = &s->runs[0];
	hy_outfile *f = &r->f;
	char text[64];
	const int n_subjects = cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(first->line, "subjects"));
	const char *size = option(r, "size", text);
	hy_html_printf(f, "<p>Every network consists of a segmentation network (FTN) and a denoising network of label maps (STN) "
	                  "that refines its "
	                  "result (Chen et al., MICCAI 2021). ");
	if (n_subjects)
		hy_html_printf(f, "Each was trained on %d labelled subject%s", n_subjects, n_subjects == 1 ? "" : "s");
	else
		hy_html_printf(f, "Each was trained");
	if (first->steps)
		hy_html_printf(f, " for %lld steps", (long long)first->steps);
	if (size)
		hy_html_printf(f, ", slices on a grid of %s × %s", size, size);
	const char *spacing = option(r, "spacing_mm", text);
	if (size && spacing)
		hy_html_printf(f, " at %s mm", spacing);
	hy_html_printf(f, ", with hardy %s in %s. ", hy_results_text(first->line, "hardy_version", hardy_version()),
	               !strcmp(hy_results_text(first->line, "precision", "f32"), "bf16")
	                   ? "bfloat16 with single-precision sums and weights"
	                   : "single precision");
	hy_html_printf(f, "Scores are Dice coefficients of whole volumes, the mean of the classes ");
	for (size_t k = 0; k < s->n_classes; k++)
		hy_html_printf(f, "%s%s", k ? k + 1 == s->n_classes ? " and " : ", " : "", s->classes[k]);
	hy_html_printf(f, "; a class that a reference lacks does not count. The test sets were: ");
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
