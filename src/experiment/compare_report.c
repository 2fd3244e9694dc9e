/*
 * compare_report.c: statistics as tables for people: Markdown, LaTeX and plain, methods by test sets.
 */
#include "base/files.h"
#include "base/memory.h"
#include "base/text.h"
#include "experiment/compare.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *const hy_compare_networks[2] = {"FTN", "FTN+STN"};
const char *const hy_compare_references[HY_N_REFERENCES] = {HY_METHOD_STANDARD, HY_METHOD_PROPOSED};

const char hy_compare_note[] =
    "A scan's score is the mean Dice of its defined classes, averaged over draws of an artefact and over "
    "seeds; means are over scans, a group's over its sets. Spread is the standard deviation of the seeds' "
    "means. The unit of intervals and tests is a subject, whose ED and ES are alike: intervals are 95 % "
    "percentile bootstrap intervals over subjects, given these seeds; differences are paired, over the "
    "seeds that both methods have; p is Wilcoxon's signed-rank test, one value a subject, corrected by "
    "Holm over all methods and test sets of a table (groups of sets apart).";

/* ---- text --------------------------------------------------------------------------------------------------------------- */

static hardy_status save(const hy_compare *c, const char *name, const char *mark, const hy_text *t, hardy_error *err)
{
	hy_outfile f;
	char *path = t->failed ? NULL : hy_study_path(c->s, name);
	hardy_status status =
	    path ? hy_outfile_open(&f, path, hy_study_mark(c->s, mark), err) : hy_fail_memory(err, name, t->used, 1);
	if (!status) {
		hy_outfile_write(&f, t->data, t->used);
		status = hy_outfile_commit(&f, err);
	}
	hy_free(path);
	return status;
}

/* ---- tables of methods by targets --------------------------------------------------------------------------------------- */

enum format { MARKDOWN, LATEX, PLAIN };

static void put_escaped(hy_text *t, const char *word, enum format format)
{
	for (const char *p = word; *p; p++) {
		if (format == LATEX && *p == '^')
			hy_text_printf(t, "\\^{}");
		else if (format == LATEX && strchr("&%$#_{}", *p))
			hy_text_printf(t, "\\%c", *p);
		else if (format == MARKDOWN && *p == '|')
			hy_text_printf(t, "\\|");
		else
			hy_text_printf(t, "%c", *p);
	}
}

/* What one cell says. */
typedef void (*writer)(const hy_compare *c, size_t method, int network, size_t target, enum format format, char *out,
                       size_t size);

static bool is_wanted(const hy_compare *c, size_t target, enum format format)
{
	const hy_compare_target *t = &c->targets[target];
	return format != PLAIN || t->set || !strcmp(t->name, "shifted") || !strcmp(t->name, "average");
}

enum { METHOD_WIDTH = 24, CELL_WIDTH = 14 };

/* The parts of a table, from its title to its end; widths are those of plain text. */
static void begin_table(hy_text *t, const char *title, size_t n_columns, int name_width, enum format format)
{
	if (format == MARKDOWN)
		hy_text_printf(t, "\n### %s\n\n| method |", title);
	else if (format == LATEX)
		hy_text_printf(t, "%% %s\n\\begin{tabular}{l*{%zu}{r}}\n\\hline\nmethod", title, n_columns);
	else
		hy_text_printf(t, "\n%s\n%-*s", title, name_width, "");
}

static void end_head(hy_text *t, size_t n_columns, enum format format)
{
	if (format == MARKDOWN) {
		hy_text_printf(t, "\n|---|");
		for (size_t k = 0; k < n_columns; k++)
			hy_text_printf(t, "---:|");
	}
	hy_text_printf(t, format == LATEX ? " \\\\\n\\hline\n" : "\n");
}

static void begin_row(hy_text *t, const char *name, int name_width, enum format format)
{
	hy_text_printf(t, format == MARKDOWN ? "| " : "");
	if (format == PLAIN)
		hy_text_printf(t, "%-*.*s", name_width, name_width, name);
	else
		put_escaped(t, name, format);
	hy_text_printf(t, format == MARKDOWN ? " |" : "");
}

static void put_cell(hy_text *t, const char *cell, int width, enum format format)
{
	if (format == PLAIN)
		hy_text_printf(t, " %*s", width, cell);
	else
		hy_text_printf(t, format == LATEX ? " & %s" : " %s |", cell);
}

static void end_row(hy_text *t, enum format format)
{
	hy_text_printf(t, format == LATEX ? " \\\\\n" : "\n");
}

static void end_table(hy_text *t, enum format format)
{
	hy_text_printf(t, format == LATEX ? "\\hline\n\\end{tabular}\n\n" : "");
}

/* Title and head of a table whose columns are the targets. */
static void begin_targets(hy_text *t, const hy_compare *c, const char *title, enum format format)
{
	size_t n = 0;
	for (size_t k = 0; k < c->n_targets; k++)
		n += is_wanted(c, k, format);
	begin_table(t, title, n, METHOD_WIDTH, format);
	for (size_t k = 0; k < c->n_targets; k++) {
		if (!is_wanted(c, k, format))
			continue;
		hy_text_printf(t, format == LATEX ? " & " : format == MARKDOWN ? " " : "");
		if (format == PLAIN)
			hy_text_printf(t, " %*.*s", CELL_WIDTH, CELL_WIDTH, c->targets[k].title);
		else
			put_escaped(t, c->targets[k].title, format);
		hy_text_printf(t, format == MARKDOWN ? " |" : "");
	}
	end_head(t, n, format);
}

static void put_table(hy_text *t, const hy_compare *c, const char *title, int network, size_t leave_out, writer write,
                      enum format format)
{
	begin_targets(t, c, title, format);
	for (size_t m = 0; m < c->s->n_methods; m++) {
		if (m == leave_out || !hy_compare_has_runs(c, m))
			continue;
		begin_row(t, c->s->methods[m]->title, METHOD_WIDTH, format);
		for (size_t k = 0; k < c->n_targets; k++) {
			char cell[96];
			if (!is_wanted(c, k, format))
				continue;
			write(c, m, network, k, format, cell, sizeof cell);
			put_cell(t, cell, CELL_WIDTH, format);
		}
		end_row(t, format);
	}
	end_table(t, format);
}

static const char *const plus_minus[] = {"\u00b1", "$\\pm$", "+-"};

static void write_mean(const hy_compare *c, size_t m, int w, size_t t, enum format format, char *out, size_t size)
{
	const hy_compare_cell *cell = hy_compare_cell_at(c, m, w, t);
	if (!isfinite(cell->mean))
		snprintf(out, size, "-");
	else if (isfinite(cell->seed_sd))
		snprintf(out, size, "%.3f %s%.3f", cell->mean, plus_minus[format], cell->seed_sd);
	else
		snprintf(out, size, "%.3f", cell->mean);
}

static void write_interval(const hy_compare *c, size_t m, int w, size_t t, enum format format, char *out, size_t size)
{
	const hy_compare_cell *cell = hy_compare_cell_at(c, m, w, t);
	if (isfinite(cell->low))
		snprintf(out, size, "%.3f to %.3f", cell->low, cell->high);
	else
		snprintf(out, size, "-");
}

static void write_failures(const hy_compare *c, size_t m, int w, size_t t, enum format format, char *out, size_t size)
{
	const hy_compare_cell *cell = hy_compare_cell_at(c, m, w, t);
	if (isfinite(cell->below_half))
		snprintf(out, size, "%.1f / %.1f", 100 * cell->below_half, 100 * cell->below_tenth);
	else
		snprintf(out, size, "-");
}

static void write_published(const hy_compare *c, size_t m, int w, size_t t, enum format format, char *out, size_t size)
{
	const double v = hy_published(c, m, w, t);
	if (isfinite(v))
		snprintf(out, size, "%.4f", v);
	else
		snprintf(out, size, "-");
}

static void write_pair(const hy_compare_pair *p, char *out, size_t size)
{
	if (!isfinite(p->difference))
		snprintf(out, size, "-");
	else
		snprintf(out, size, "%+.3f (%+.3f to %+.3f), p %.3g", p->difference, p->low, p->high, p->p_holm);
}

static void write_standard(const hy_compare *c, size_t m, int w, size_t t, enum format format, char *out, size_t size)
{
	write_pair(hy_compare_pair_at(c, HY_AGAINST_STANDARD, m, w, t), out, size);
}

static void write_proposed(const hy_compare *c, size_t m, int w, size_t t, enum format format, char *out, size_t size)
{
	write_pair(hy_compare_pair_at(c, HY_AGAINST_PROPOSED, m, w, t), out, size);
}

static void write_stn(const hy_compare *c, size_t m, int w, size_t t, enum format format, char *out, size_t size)
{
	(void)w;
	write_pair(hy_compare_stn_at(c, m, t), out, size);
}

/* The same without interval and p. */
static void write_short(const hy_compare_pair *p, char *out, size_t size)
{
	if (isfinite(p->difference))
		snprintf(out, size, "%+.3f%s", p->difference, p->p_holm < 0.05 ? " *" : "");
	else
		snprintf(out, size, "-");
}

static void write_standard_short(const hy_compare *c, size_t m, int w, size_t t, enum format format, char *out, size_t size)
{
	write_short(hy_compare_pair_at(c, HY_AGAINST_STANDARD, m, w, t), out, size);
}

static void write_stn_short(const hy_compare *c, size_t m, int w, size_t t, enum format format, char *out, size_t size)
{
	(void)w;
	write_short(hy_compare_stn_at(c, m, t), out, size);
}

static void put_summary(hy_text *t, const hy_compare *c, enum format format)
{
	const size_t none = c->s->n_methods;
	char title[160];
	for (int w = 0; w < 2; w++) {
		snprintf(title, sizeof title, "Dice of %s, mean and spread over seeds", hy_compare_networks[w]);
		put_table(t, c, title, w, none, write_mean, format);
	}
	if (format == PLAIN)
		return;
	for (int w = 0; w < 2; w++) {
		snprintf(title, sizeof title, "95 %% intervals of these means, %s", hy_compare_networks[w]);
		put_table(t, c, title, w, none, write_interval, format);
	}
	for (int w = 0; w < 2; w++) {
		snprintf(title, sizeof title, "Failures of %s: share of scores below 0.5 and below 0.1, %%", hy_compare_networks[w]);
		if (format == LATEX)
			snprintf(title, sizeof title, "Failures of %s: share of scores below 0.5 and below 0.1, percent",
			         hy_compare_networks[w]);
		put_table(t, c, title, w, none, write_failures, format);
	}
	for (int w = 0; w < 2 && hy_published_any(c, w); w++) {
		snprintf(title, sizeof title, "Published, %s", hy_compare_networks[w]);
		put_table(t, c, title, w, none, write_published, format);
	}
}

static void put_paired(hy_text *t, const hy_compare *c, enum format format)
{
	static const writer writers[HY_N_REFERENCES] = {write_standard, write_proposed};
	char title[160];
	for (int r = 0; r < HY_N_REFERENCES; r++)
		for (int w = 0; w < 2 && c->reference[r] < c->s->n_methods; w++) {
			snprintf(title, sizeof title, "%s: difference to %s", hy_compare_networks[w], hy_compare_references[r]);
			put_table(t, c, title, w, c->reference[r], writers[r], format);
		}
	put_table(t, c, "FTN+STN less FTN", 0, c->s->n_methods, write_stn, format);
}

/* Classes: one table for each network and set would be many; rows are method and class here. */
static void put_classes(hy_text *t, const hy_compare *c, enum format format)
{
	for (int w = 0; w < 2; w++) {
		char title[160];
		snprintf(title, sizeof title, "Dice of %s by class", hy_compare_networks[w]);
		begin_targets(t, c, title, format);
		for (size_t m = 0; m < c->s->n_methods; m++)
			for (size_t k = 0; k < c->n_classes && hy_compare_has_runs(c, m); k++) {
				char name[2 * HY_NAME_SIZE + 64];
				snprintf(name, sizeof name, "%s, %s", c->s->methods[m]->title, c->classes[k]);
				begin_row(t, name, METHOD_WIDTH, format);
				for (size_t i = 0; i < c->n_targets; i++) {
					const double v = hy_compare_cell_at(c, m, w, i)->classes[k];
					char cell[32] = "-";
					if (isfinite(v))
						snprintf(cell, sizeof cell, "%.3f", v);
					put_cell(t, cell, CELL_WIDTH, format);
				}
				end_row(t, format);
			}
		end_table(t, format);
	}
}

static void put_notes(hy_text *t, const hy_compare *c, enum format format)
{
	char note[2048];
	const char *before = format == LATEX ? "% " : "";
	hy_published_note(c, note, sizeof note);
	hy_text_printf(t, "\n%s%s\n", before, hy_compare_note);
	if (note[0])
		hy_text_printf(t, "\n%s%s\n", before, note);
}

/* ---- predicted Dice ----------------------------------------------------------------------------------------------------- */

const char hy_compare_forecast_note[] =
    "Predicted Dice of FTN+STN away from the training site: other sites and spoiled scans pooled, every draw a scan of "
    "its own, a model a row. Area: under the ROC curve for telling scans with a Dice below 0.7, with its 95 % bootstrap "
    "interval over subjects; error: mean absolute; below the bound: share of scans whose Dice lies below the lower "
    "bound, a tenth where they are like those of the calibration.";

static const struct {
	const char *title;
	int width;
} columns[] = {{"Scans", CELL_WIDTH}, {"Subjects", CELL_WIDTH}, {"Dice below 0.7", CELL_WIDTH},
               {"Area", 23},          {"Error", CELL_WIDTH},    {"Below the bound", CELL_WIDTH}};
enum { N_COLUMNS = sizeof columns / sizeof *columns, MODEL_WIDTH = 32 };

static void forecast_cells(const hardy_forecast *f, enum format format, char out[N_COLUMNS][64])
{
	snprintf(out[0], sizeof *out, "%zu", f->n);
	snprintf(out[1], sizeof *out, "%zu", f->n_subjects);
	snprintf(out[2], sizeof *out, "%zu", f->n_below);
	snprintf(out[3], sizeof *out, isfinite(f->auc) ? "%.3f (%.3f to %.3f)" : "-", f->auc, f->auc_low, f->auc_high);
	snprintf(out[4], sizeof *out, "%.3f", f->error);
	snprintf(out[5], sizeof *out, "%.1f %s", 100 * f->below_low, format == LATEX ? "\\%" : "%");
}

static void put_forecasts(hy_text *t, const hy_compare *c, enum format format)
{
	const size_t n_seeds = (size_t)c->s->o->seeds;
	const char *title = "Predicted Dice away from the training site";
	if (!hy_compare_foretells(c)) {
		hy_text_printf(t, format == PLAIN   ? ""
		                  : format == LATEX ? "%% no predicted Dice\n"
		                                    : "\nNo predicted Dice: no calibrated model.\n");
		return;
	}
	begin_table(t, title, N_COLUMNS, MODEL_WIDTH, format);
	for (int k = 0; k < N_COLUMNS; k++)
		put_cell(t, columns[k].title, columns[k].width, format);
	end_head(t, N_COLUMNS, format);
	for (size_t i = 0; i < c->s->n_methods * n_seeds; i++) {
		char cells[N_COLUMNS][64], name[128];
		if (!c->forecasts[i].n)
			continue;
		forecast_cells(&c->forecasts[i], format, cells);
		snprintf(name, sizeof name, "%s, seed %lld", c->s->methods[i / n_seeds]->title,
		         (long long)(c->s->o->first_seed + (int64_t)(i % n_seeds)));
		begin_row(t, name, MODEL_WIDTH, format);
		for (int k = 0; k < N_COLUMNS; k++)
			put_cell(t, cells[k], columns[k].width, format);
		end_row(t, format);
	}
	end_table(t, format);
}

static void put_forecast_note(hy_text *t, const hy_compare *c, enum format format)
{
	(void)c;
	hy_text_printf(t, "\n%s%s\n", format == LATEX ? "% " : "", hy_compare_forecast_note);
}

/* ---- all of it ---------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name, *title;
	void (*tables)(hy_text *t, const hy_compare *c, enum format format);
	void (*notes)(hy_text *t, const hy_compare *c, enum format format);
} files[] = {
    {"summary", "Means, intervals and failures", put_summary, put_notes},
    {"per_class", "Means by class", put_classes, put_notes},
    {"paired", "Paired differences", put_paired, put_notes},
    {HY_FORECAST_TABLE, "Predicted Dice", put_forecasts, put_forecast_note},
};

static hardy_status write_tables(const hy_compare *c, size_t i, enum format format, hardy_error *err)
{
	char name[64], title[256];
	hy_text t = {0};
	snprintf(name, sizeof name, "tables/%s.%s", files[i].name, format == LATEX ? "tex" : "md");
	snprintf(title, sizeof title, "## %s: %s\n", c->s->experiment->title, files[i].title);
	if (format == MARKDOWN)
		hy_text_add(&t, title, strlen(title));
	files[i].tables(&t, c, format);
	files[i].notes(&t, c, format);
	const hardy_status status = save(c, name,
	                                 format == MARKDOWN            ? title
	                                 : files[i].notes == put_notes ? hy_compare_note
	                                                               : hy_compare_forecast_note,
	                                 &t, err);
	hy_text_clear(&t);
	return status;
}

hardy_status hy_compare_write(const hy_compare *c, hardy_error *err)
{
	char *folder = hy_study_path(c->s, "tables");
	hardy_status status = folder ? hy_make_output_folder(folder, err) : hy_fail_memory(err, "tables", 1, 1);
	if (!status)
		status = hy_compare_write_data(c, err);
	for (size_t i = 0; i < sizeof files / sizeof *files && !status; i++) {
		status = write_tables(c, i, MARKDOWN, err);
		if (!status)
			status = write_tables(c, i, LATEX, err);
	}
	hy_free(folder);
	return status;
}

hardy_status hy_compare_print(const hy_compare *c, const hardy_sink *report, hardy_error *err)
{
	hy_text t = {0};
	char title[160], note[2048];
	put_summary(&t, c, PLAIN);
	for (int w = 0; w < 2 && c->reference[HY_AGAINST_STANDARD] < c->s->n_methods && c->s->n_methods > 1; w++) {
		snprintf(title, sizeof title, "%s less that of standard (* p below 0.05 after Holm's correction)",
		         hy_compare_networks[w]);
		put_table(&t, c, title, w, c->reference[HY_AGAINST_STANDARD], write_standard_short, PLAIN);
	}
	put_table(&t, c, "FTN+STN less FTN (*)", 0, c->s->n_methods, write_stn_short, PLAIN);
	put_forecasts(&t, c, PLAIN);
	hy_published_note(c, note, sizeof note);
	hy_text_printf(&t, note[0] ? "\n%s\n" : "%s", note);
	if (!t.failed && report)
		report->write(report->payload, t.data, t.used);
	hy_text_clear(&t);
	return t.failed ? hy_fail_memory(err, "a table", t.used, 1) : HARDY_OK;
}
