/*
 * compare_report.c: statistics as JSON, and tables as CSV (a row a figure), Markdown and LaTeX (methods by test sets).
 */
#include "base/files.h"
#include "base/json.h"
#include "base/memory.h"
#include "experiment/compare.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

static const char *const networks[2] = {"FTN", "FTN+STN"};
static const char *const references[HY_N_REFERENCES] = {HY_METHOD_STANDARD, HY_METHOD_PROPOSED};

static const char unit_note[] =
    "A scan's score is the mean Dice of its defined classes, averaged over draws of an artefact and over "
    "seeds; means are over scans, a group's over its sets. Spread is the standard deviation of the seeds' "
    "means. The unit of intervals and tests is a subject, whose ED and ES are alike: intervals are 95 % "
    "percentile bootstrap intervals over subjects, given these seeds; differences are paired, over the "
    "seeds that both methods have; p is Wilcoxon's signed-rank test, one value a subject, corrected by "
    "Holm over all methods and test sets of a table (groups of sets apart).";

/* ---- text --------------------------------------------------------------------------------------------------------------- */

/* A growing text; what does not fit in memory is noticed at the end. */
typedef struct text {
	char *data; /* owned */
	size_t used, room;
	bool failed;
} text;

static void put(text *t, const char *format, ...) HY_PRINTF(2, 3);

static void put(text *t, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	const int n = vsnprintf(NULL, 0, format, args);
	va_end(args);
	if (t->used + (size_t)n + 1 > t->room) {
		const size_t room = 2 * t->room + (size_t)n + 4096;
		char *larger = hy_realloc(t->data, room, 1);
		if (!larger) {
			t->failed = true;
			return;
		}
		t->data = larger;
		t->room = room;
	}
	va_start(args, format);
	vsnprintf(t->data + t->used, t->room - t->used, format, args);
	va_end(args);
	t->used += (size_t)n;
}

static hardy_status save(const hy_compare *c, const char *name, const text *t, hardy_error *err)
{
	hy_outfile f;
	char *path = t->failed ? NULL : hy_study_path(c->s, name);
	hardy_status status = path ? hy_outfile_open(&f, path, err) : hy_fail_memory(err, name, t->used, 1);
	if (!status) {
		hy_outfile_write(&f, t->data, t->used);
		status = hy_outfile_commit(&f, err);
	}
	hy_free(path);
	return status;
}

/* ---- tables of methods by targets --------------------------------------------------------------------------------------- */

enum format { MARKDOWN, LATEX, PLAIN };

static void put_escaped(text *t, const char *word, enum format format)
{
	for (const char *p = word; *p; p++) {
		if (format == LATEX && *p == '^')
			put(t, "\\^{}");
		else if (format == LATEX && strchr("&%$#_{}", *p))
			put(t, "\\%c", *p);
		else if (format == MARKDOWN && *p == '|')
			put(t, "\\|");
		else
			put(t, "%c", *p);
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

static bool has_runs(const hy_compare *c, size_t method)
{
	return hy_compare_cell_at(c, method, 0, 0)->n_seeds > 0;
}

static void begin_table(text *t, const hy_compare *c, const char *title, enum format format)
{
	size_t n = 0;
	for (size_t k = 0; k < c->n_targets; k++)
		n += is_wanted(c, k, format);
	if (format == MARKDOWN)
		put(t, "\n### %s\n\n| method |", title);
	else if (format == LATEX)
		put(t, "%% %s\n\\begin{tabular}{l*{%zu}{r}}\n\\hline\nmethod", title, n);
	else
		put(t, "\n%s\n%-24s", title, "");
	for (size_t k = 0; k < c->n_targets; k++) {
		if (!is_wanted(c, k, format))
			continue;
		put(t, format == LATEX ? " & " : format == MARKDOWN ? " " : "");
		if (format == PLAIN)
			put(t, " %14.14s", c->targets[k].title);
		else
			put_escaped(t, c->targets[k].title, format);
		put(t, format == MARKDOWN ? " |" : "");
	}
	if (format == MARKDOWN) {
		put(t, "\n|---|");
		for (size_t k = 0; k < n; k++)
			put(t, "---:|");
	}
	put(t, format == LATEX ? " \\\\\n\\hline\n" : "\n");
}

static void put_table(text *t, const hy_compare *c, const char *title, int network, size_t leave_out, writer write,
                      enum format format)
{
	begin_table(t, c, title, format);
	for (size_t m = 0; m < c->s->n_methods; m++) {
		if (m == leave_out || !has_runs(c, m))
			continue;
		put(t, format == MARKDOWN ? "| " : "");
		if (format == PLAIN)
			put(t, "%-24.24s", c->s->methods[m]->title);
		else
			put_escaped(t, c->s->methods[m]->title, format);
		put(t, format == MARKDOWN ? " |" : "");
		for (size_t k = 0; k < c->n_targets; k++) {
			char cell[96];
			if (!is_wanted(c, k, format))
				continue;
			write(c, m, network, k, format, cell, sizeof cell);
			put(t, format == LATEX ? " & %s" : format == MARKDOWN ? " %s |" : " %14s", cell);
		}
		put(t, format == LATEX ? " \\\\\n" : "\n");
	}
	put(t, format == LATEX ? "\\hline\n\\end{tabular}\n\n" : "");
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

static void put_summary(text *t, const hy_compare *c, enum format format)
{
	const size_t none = c->s->n_methods;
	char title[160];
	for (int w = 0; w < 2; w++) {
		snprintf(title, sizeof title, "Dice of %s, mean and spread over seeds", networks[w]);
		put_table(t, c, title, w, none, write_mean, format);
	}
	if (format == PLAIN)
		return;
	for (int w = 0; w < 2; w++) {
		snprintf(title, sizeof title, "95 %% intervals of these means, %s", networks[w]);
		put_table(t, c, title, w, none, write_interval, format);
	}
	for (int w = 0; w < 2; w++) {
		snprintf(title, sizeof title, "Failures of %s: share of scores below 0.5 and below 0.1, %%", networks[w]);
		if (format == LATEX)
			snprintf(title, sizeof title, "Failures of %s: share of scores below 0.5 and below 0.1, percent", networks[w]);
		put_table(t, c, title, w, none, write_failures, format);
	}
	for (int w = 0; w < 2 && hy_published_any(c, w); w++) {
		snprintf(title, sizeof title, "Published, %s", networks[w]);
		put_table(t, c, title, w, none, write_published, format);
	}
}

static void put_paired(text *t, const hy_compare *c, enum format format)
{
	static const writer writers[HY_N_REFERENCES] = {write_standard, write_proposed};
	char title[160];
	for (int r = 0; r < HY_N_REFERENCES; r++)
		for (int w = 0; w < 2 && c->reference[r] < c->s->n_methods; w++) {
			snprintf(title, sizeof title, "%s: difference to %s", networks[w], references[r]);
			put_table(t, c, title, w, c->reference[r], writers[r], format);
		}
	put_table(t, c, "FTN+STN less FTN", 0, c->s->n_methods, write_stn, format);
}

/* Classes: one table for each network and set would be many; rows are method and class here. */
static void put_classes(text *t, const hy_compare *c, enum format format)
{
	for (int w = 0; w < 2; w++) {
		char title[160];
		snprintf(title, sizeof title, "Dice of %s by class", networks[w]);
		begin_table(t, c, title, format);
		for (size_t m = 0; m < c->s->n_methods; m++)
			for (size_t k = 0; k < c->n_classes && has_runs(c, m); k++) {
				put(t, format == MARKDOWN ? "| " : "");
				put_escaped(t, c->s->methods[m]->title, format);
				put(t, ", ");
				put_escaped(t, c->classes[k], format);
				put(t, format == MARKDOWN ? " |" : "");
				for (size_t i = 0; i < c->n_targets; i++) {
					const double v = hy_compare_cell_at(c, m, w, i)->classes[k];
					char cell[32] = "-";
					if (isfinite(v))
						snprintf(cell, sizeof cell, "%.3f", v);
					put(t, format == LATEX ? " & %s" : " %s |", cell);
				}
				put(t, format == LATEX ? " \\\\\n" : "\n");
			}
		put(t, format == LATEX ? "\\hline\n\\end{tabular}\n\n" : "");
	}
}

static void put_notes(text *t, const hy_compare *c, enum format format)
{
	char note[2048];
	const char *before = format == LATEX ? "% " : "";
	hy_published_note(c, note, sizeof note);
	put(t, "\n%s%s\n", before, unit_note);
	if (note[0])
		put(t, "\n%s%s\n", before, note);
}

/* ---- CSV ---------------------------------------------------------------------------------------------------------------- */

static void put_key(hy_outfile *f, const hy_compare *c, size_t m, int w, size_t target)
{
	const hy_compare_target *t = &c->targets[target];
	hy_outfile_csv_text(f, c->s->methods[m]->name);
	hy_outfile_csv_text(f, c->s->methods[m]->title);
	hy_outfile_csv_text(f, networks[w]);
	hy_outfile_csv_text(f, t->name);
	hy_outfile_csv_text(f, t->set ? hy_set_kind_names[t->set->kind] : "group");
}

static void write_summary_rows(hy_outfile *f, const hy_compare *c)
{
	hy_outfile_csv_plain(
	    f, "method,title,network,set,kind,cases,subjects,seeds,mean,seed_sd,low,high,below_0.5,below_0.1,published");
	hy_outfile_csv_end(f);
	for (size_t m = 0; m < c->s->n_methods; m++)
		for (int w = 0; w < 2; w++)
			for (size_t t = 0; t < c->n_targets; t++) {
				const hy_compare_cell *cell = hy_compare_cell_at(c, m, w, t);
				const double v[] = {(double)c->targets[t].n_cases,
				                    (double)c->targets[t].n_subjects,
				                    (double)cell->n_seeds,
				                    cell->mean,
				                    cell->seed_sd,
				                    cell->low,
				                    cell->high,
				                    cell->below_half,
				                    cell->below_tenth,
				                    hy_published(c, m, w, t)};
				if (!cell->n_seeds)
					continue;
				put_key(f, c, m, w, t);
				for (size_t k = 0; k < sizeof v / sizeof *v; k++)
					hy_outfile_csv_number(f, v[k], 6);
				hy_outfile_csv_end(f);
			}
}

static void write_class_rows(hy_outfile *f, const hy_compare *c)
{
	hy_outfile_csv_plain(f, "method,title,network,set,kind,class,mean,seed_sd");
	hy_outfile_csv_end(f);
	for (size_t m = 0; m < c->s->n_methods; m++)
		for (int w = 0; w < 2; w++)
			for (size_t t = 0; t < c->n_targets; t++)
				for (size_t k = 0; k < c->n_classes; k++) {
					const hy_compare_cell *cell = hy_compare_cell_at(c, m, w, t);
					if (!isfinite(cell->classes[k]))
						continue;
					put_key(f, c, m, w, t);
					hy_outfile_csv_text(f, c->classes[k]);
					hy_outfile_csv_number(f, cell->classes[k], 6);
					hy_outfile_csv_number(f, cell->class_sd[k], 6);
					hy_outfile_csv_end(f);
				}
}

static void write_pair_row(hy_outfile *f, const hy_compare *c, size_t m, int w, size_t t, const char *reference,
                           const hy_compare_pair *p)
{
	const double v[] = {(double)p->n, (double)p->n_seeds, p->difference, p->low, p->high, p->w_plus, p->p, p->p_holm};
	if (!isfinite(p->difference))
		return;
	put_key(f, c, m, w, t);
	hy_outfile_csv_text(f, reference);
	for (size_t k = 0; k < sizeof v / sizeof *v; k++)
		hy_outfile_csv_number(f, v[k], 6);
	hy_outfile_csv_text(f, p->exact ? "exact" : "normal");
	hy_outfile_csv_end(f);
}

static void write_pair_rows(hy_outfile *f, const hy_compare *c)
{
	hy_outfile_csv_plain(f, "method,title,network,set,kind,reference,subjects,seeds,difference,low,high,w_plus,p,p_holm,test");
	hy_outfile_csv_end(f);
	for (int r = 0; r < HY_N_REFERENCES; r++)
		for (int w = 0; w < 2; w++)
			for (size_t m = 0; m < c->s->n_methods; m++)
				for (size_t t = 0; t < c->n_targets; t++)
					write_pair_row(f, c, m, w, t, references[r], hy_compare_pair_at(c, r, m, w, t));
	for (size_t m = 0; m < c->s->n_methods; m++)
		for (size_t t = 0; t < c->n_targets; t++)
			write_pair_row(f, c, m, 1, t, "FTN of the same model", hy_compare_stn_at(c, m, t));
}

/* ---- JSON --------------------------------------------------------------------------------------------------------------- */

static cJSON *short_number(double v)
{
	char number[32];
	if (!isfinite(v))
		return cJSON_CreateNull();
	snprintf(number, sizeof number, "%.6g", v);
	return cJSON_CreateRaw(number);
}

static bool add_key(cJSON *json, const hy_compare *c, size_t m, int w, size_t t)
{
	return hy_json_add(json, "method", cJSON_CreateString(c->s->methods[m]->name)) &&
	       hy_json_add(json, "network", cJSON_CreateString(networks[w])) &&
	       hy_json_add(json, "set", cJSON_CreateString(c->targets[t].name));
}

/* Takes the item over. */
static bool append(cJSON *list, bool good, cJSON *item)
{
	if (good && list && item && cJSON_AddItemToArray(list, item))
		return true;
	cJSON_Delete(item);
	return false;
}

static cJSON *cell_to_json(const hy_compare *c, size_t m, int w, size_t t)
{
	const hy_compare_cell *cell = hy_compare_cell_at(c, m, w, t);
	cJSON *json = cJSON_CreateObject(), *seeds = cJSON_CreateArray(), *classes = cJSON_CreateObject();
	bool good = seeds && classes;
	for (int64_t k = 0; k < c->s->o->seeds && good; k++)
		good = append(seeds, true, short_number(cell->seeds[k]));
	for (size_t k = 0; k < c->n_classes && good; k++)
		if (isfinite(cell->classes[k]))
			good = hy_json_add(classes, c->classes[k], short_number(cell->classes[k]));
	good = good && add_key(json, c, m, w, t) && hy_json_add(json, "n_cases", short_number((double)c->targets[t].n_cases)) &&
	       hy_json_add(json, "n_subjects", short_number((double)c->targets[t].n_subjects)) &&
	       hy_json_add(json, "n_seeds", short_number((double)cell->n_seeds)) &&
	       hy_json_add(json, "mean", short_number(cell->mean)) && hy_json_add(json, "seed_sd", short_number(cell->seed_sd)) &&
	       hy_json_add(json, "low", short_number(cell->low)) && hy_json_add(json, "high", short_number(cell->high)) &&
	       hy_json_add(json, "below_0.5", short_number(cell->below_half)) &&
	       hy_json_add(json, "below_0.1", short_number(cell->below_tenth)) &&
	       hy_json_add(json, "published", short_number(hy_published(c, m, w, t)));
	if (good) {
		good = hy_json_add(json, "seeds", seeds);
		seeds = NULL;
	}
	if (good) {
		good = hy_json_add(json, "classes", classes);
		classes = NULL;
	}
	cJSON_Delete(seeds);
	cJSON_Delete(classes);
	if (good)
		return json;
	cJSON_Delete(json);
	return NULL;
}

static cJSON *pair_to_json(const hy_compare *c, size_t m, int w, size_t t, const char *reference, const hy_compare_pair *p)
{
	cJSON *json = cJSON_CreateObject();
	if (add_key(json, c, m, w, t) && hy_json_add(json, "reference", cJSON_CreateString(reference)) &&
	    hy_json_add(json, "n_subjects", short_number((double)p->n)) &&
	    hy_json_add(json, "n_seeds", short_number((double)p->n_seeds)) &&
	    hy_json_add(json, "difference", short_number(p->difference)) && hy_json_add(json, "low", short_number(p->low)) &&
	    hy_json_add(json, "high", short_number(p->high)) && hy_json_add(json, "w_plus", short_number(p->w_plus)) &&
	    hy_json_add(json, "p", short_number(p->p)) && hy_json_add(json, "p_holm", short_number(p->p_holm)) &&
	    hy_json_add(json, "exact", cJSON_CreateBool(p->exact)))
		return json;
	cJSON_Delete(json);
	return NULL;
}

static cJSON *cells_to_json(const hy_compare *c)
{
	cJSON *list = cJSON_CreateArray();
	bool good = list != NULL;
	for (size_t m = 0; m < c->s->n_methods; m++)
		for (int w = 0; w < 2; w++)
			for (size_t t = 0; t < c->n_targets; t++)
				if (good && has_runs(c, m))
					good = append(list, true, cell_to_json(c, m, w, t));
	if (good)
		return list;
	cJSON_Delete(list);
	return NULL;
}

static cJSON *pairs_to_json(const hy_compare *c, bool of_stn)
{
	cJSON *list = cJSON_CreateArray();
	bool good = list != NULL;
	for (int r = 0; r < (of_stn ? 1 : HY_N_REFERENCES); r++)
		for (int w = of_stn; w < 2; w++)
			for (size_t m = 0; m < c->s->n_methods; m++)
				for (size_t t = 0; t < c->n_targets; t++) {
					const hy_compare_pair *p = of_stn ? hy_compare_stn_at(c, m, t) : hy_compare_pair_at(c, r, m, w, t);
					if (good && isfinite(p->difference))
						good = append(list, true, pair_to_json(c, m, w, t, of_stn ? "FTN" : references[r], p));
				}
	if (good)
		return list;
	cJSON_Delete(list);
	return NULL;
}

static cJSON *targets_to_json(const hy_compare *c)
{
	cJSON *list = cJSON_CreateArray();
	bool good = list != NULL;
	for (size_t t = 0; t < c->n_targets && good; t++) {
		const hy_compare_target *target = &c->targets[t];
		cJSON *item = cJSON_CreateObject(), *sets = cJSON_CreateArray();
		for (size_t k = 0; k < target->n_sets && good; k++)
			good = append(sets, true, cJSON_CreateString(c->s->sets[target->sets[k]].name));
		good = good && hy_json_add(item, "name", cJSON_CreateString(target->name)) &&
		       hy_json_add(item, "title", cJSON_CreateString(target->title)) &&
		       hy_json_add(item, "kind", cJSON_CreateString(target->set ? hy_set_kind_names[target->set->kind] : "group")) &&
		       hy_json_add(item, "n_cases", short_number((double)target->n_cases)) &&
		       hy_json_add(item, "n_subjects", short_number((double)target->n_subjects));
		if (good) {
			good = hy_json_add(item, "sets", sets);
			sets = NULL;
		}
		cJSON_Delete(sets);
		good = append(list, good, item);
	}
	if (good)
		return list;
	cJSON_Delete(list);
	return NULL;
}

static hardy_status write_json(const hy_compare *c, hardy_error *err)
{
	char note[2048];
	text t = {0};
	cJSON *json = cJSON_CreateObject();
	hy_published_note(c, note, sizeof note);
	const bool good = hy_json_add(json, "experiment", cJSON_CreateString(c->s->experiment->name)) &&
	                  hy_json_add(json, "title", cJSON_CreateString(c->s->experiment->title)) &&
	                  hy_json_add(json, "hardy_version", cJSON_CreateString(HARDY_VERSION)) &&
	                  hy_json_add(json, "note", cJSON_CreateString(unit_note)) &&
	                  hy_json_add(json, "published_note", cJSON_CreateString(note)) &&
	                  hy_json_add(json, "bootstrap_replicates", cJSON_CreateNumber(HY_BOOTSTRAP)) &&
	                  hy_json_add(json, "targets", targets_to_json(c)) && hy_json_add(json, "summary", cells_to_json(c)) &&
	                  hy_json_add(json, "paired", pairs_to_json(c, false)) && hy_json_add(json, "stn", pairs_to_json(c, true));
	char *printed = good ? cJSON_PrintUnformatted(json) : NULL;
	cJSON_Delete(json);
	if (!printed)
		return hy_fail_memory(err, "statistics", 1, 1);
	put(&t, "%s\n", printed);
	cJSON_free(printed);
	const hardy_status status = save(c, "statistics.json", &t, err);
	hy_free(t.data);
	return status;
}

/* ---- all of it ---------------------------------------------------------------------------------------------------------- */

static const struct {
	const char *name, *title;
	void (*rows)(hy_outfile *f, const hy_compare *c);
	void (*tables)(text *t, const hy_compare *c, enum format format);
} files[] = {
    {"summary", "Means, intervals and failures", write_summary_rows, put_summary},
    {"per_class", "Means by class", write_class_rows, put_classes},
    {"paired", "Paired differences", write_pair_rows, put_paired},
};

static hardy_status write_csv(const hy_compare *c, size_t i, hardy_error *err)
{
	char name[64];
	hy_outfile f;
	snprintf(name, sizeof name, "tables/%s.csv", files[i].name);
	char *path = hy_study_path(c->s, name);
	hardy_status status = path ? hy_outfile_open(&f, path, err) : hy_fail_memory(err, name, 1, 1);
	if (!status) {
		files[i].rows(&f, c);
		status = hy_outfile_commit(&f, err);
	}
	hy_free(path);
	return status;
}

static hardy_status write_tables(const hy_compare *c, size_t i, enum format format, hardy_error *err)
{
	char name[64];
	text t = {0};
	snprintf(name, sizeof name, "tables/%s.%s", files[i].name, format == LATEX ? "tex" : "md");
	if (format == MARKDOWN)
		put(&t, "## %s: %s\n", c->s->experiment->title, files[i].title);
	files[i].tables(&t, c, format);
	put_notes(&t, c, format);
	const hardy_status status = save(c, name, &t, err);
	hy_free(t.data);
	return status;
}

hardy_status hy_compare_write(const hy_compare *c, hardy_error *err)
{
	char *folder = hy_study_path(c->s, "tables");
	hardy_status status = folder ? hy_make_folders(folder, err) : hy_fail_memory(err, "tables", 1, 1);
	for (size_t i = 0; i < sizeof files / sizeof *files && !status; i++) {
		status = write_csv(c, i, err);
		if (!status)
			status = write_tables(c, i, MARKDOWN, err);
		if (!status)
			status = write_tables(c, i, LATEX, err);
	}
	hy_free(folder);
	return status ? status : write_json(c, err);
}

hardy_status hy_compare_print(const hy_compare *c, const hardy_sink *report, hardy_error *err)
{
	text t = {0};
	char title[160], note[2048];
	put_summary(&t, c, PLAIN);
	for (int w = 0; w < 2 && c->reference[HY_AGAINST_STANDARD] < c->s->n_methods && c->s->n_methods > 1; w++) {
		snprintf(title, sizeof title, "%s less that of standard (* p below 0.05 after Holm's correction)", networks[w]);
		put_table(&t, c, title, w, c->reference[HY_AGAINST_STANDARD], write_standard_short, PLAIN);
	}
	put_table(&t, c, "FTN+STN less FTN (*)", 0, c->s->n_methods, write_stn_short, PLAIN);
	hy_published_note(c, note, sizeof note);
	put(&t, note[0] ? "\n%s\n" : "%s", note);
	if (!t.failed && report)
		report->write(report->payload, t.data, t.used);
	hy_free(t.data);
	return t.failed ? hy_fail_memory(err, "a table", t.used, 1) : HARDY_OK;
}
