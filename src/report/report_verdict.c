/*
 * report_verdict.c: what an experiment shows, before all tables: one sentence made from the statistics, differences with their intervals as a
 * plot, and what the test sets are.
 */
#include "base/memory.h"
#include "base/text.h"
#include "draw/chart.h"
#include "report/report.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const cJSON *targets(const hy_report *r)
{
	return cJSON_GetObjectItemCaseSensitive(r->results.statistics, "targets");
}

static const cJSON *find_target(const hy_report *r, const char *name)
{
	const cJSON *target;
	cJSON_ArrayForEach(target, targets(r))
	{
		if (!strcmp(hy_results_text(target, "name", ""), name))
			return target;
	}
	return NULL;
}

static const char *title_of(const cJSON *target)
{
	return hy_results_text(target, "title", hy_results_text(target, "name", ""));
}

static bool is_group(const cJSON *target)
{
	return !strcmp(hy_results_text(target, "kind", ""), "group");
}

/* The difference of a method's FTN+STN from the reference on a target, or NULL. */
static const cJSON *pair_of(const hy_report *r, size_t method, const cJSON *target, const char *reference)
{
	const cJSON *pair = hy_report_statistic(r, "paired", r->results.methods[method].name, hy_report_networks[1],
	                                        hy_results_text(target, "name", ""), reference);
	return isfinite(hy_json_number(pair, "difference", NAN)) ? pair : NULL;
}

/* What most methods can be compared with: standard training, else cooperative training; NULL without any pair. */
static const char *reference_of(const hy_report *r)
{
	static const char *const names[] = {"standard", "cooperative"};
	const cJSON *target;
	for (size_t k = 0; k < sizeof names / sizeof *names; k++)
		for (size_t m = 0; m < r->results.n_methods; m++)
			cJSON_ArrayForEach(target, targets(r))
			{
				if (pair_of(r, m, target, names[k]))
					return names[k];
			}
	return NULL;
}

static const char *method_title(const hy_report *r, const char *name)
{
	for (size_t m = 0; m < r->results.n_methods; m++)
		if (!strcmp(r->results.methods[m].name, name))
			return r->results.methods[m].title;
	return name;
}

/* ---- the sentence ------------------------------------------------------------------------------------------------------- */

/* What the sentence is about: all sets away from the training site, else all, else the first. */
static const cJSON *main_target(const hy_report *r)
{
	static const char *const names[] = {"shifted", "average"};
	for (size_t k = 0; k < sizeof names / sizeof *names; k++)
		if (find_target(r, names[k]))
			return find_target(r, names[k]);
	return cJSON_GetArrayItem(targets(r), 0);
}

static void put_interval(hy_outfile *f, const cJSON *pair)
{
	hy_html_printf(f, "%+.3f (95 %% interval %+.3f to %+.3f)", hy_json_number(pair, "difference", NAN),
	               hy_json_number(pair, "low", NAN), hy_json_number(pair, "high", NAN));
}

/* 1: the interval is above 0, -1: below; 0: it holds 0, or there is none. */
static int side_of(const cJSON *pair)
{
	const double low = hy_json_number(pair, "low", NAN), high = hy_json_number(pair, "high", NAN);
	return low > 0 ? 1 : high < 0 ? -1 : 0;
}

/* The methods of one side, with their differences. */
static void put_side(hy_report *r, const cJSON *target, const char *reference, int side, const char *what)
{
	bool any = false;
	for (size_t m = 0; m < r->results.n_methods; m++) {
		const cJSON *pair = pair_of(r, m, target, reference);
		if (!pair || side_of(pair) != side)
			continue;
		hy_html_printf(&r->f, any ? ", %s%s" : "%s%s", any ? "" : what, r->results.methods[m].title);
		hy_html_printf(&r->f, " by ");
		put_interval(&r->f, pair);
		any = true;
	}
	hy_html_printf(&r->f, any ? ". " : "");
}

static void put_undecided(hy_report *r, const cJSON *target, const char *reference)
{
	bool any = false;
	for (size_t m = 0; m < r->results.n_methods; m++) {
		const cJSON *pair = pair_of(r, m, target, reference);
		if (!pair || side_of(pair))
			continue;
		hy_html_printf(&r->f, any ? ", %s " : "No difference is shown for %s ", r->results.methods[m].title);
		put_interval(&r->f, pair);
		any = true;
	}
	hy_html_printf(&r->f, any ? ". " : "");
}

static void write_without_statistics(hy_report *r)
{
	const hy_results *s = &r->results;
	double best = -1;
	size_t at = 0, set = 0;
	for (size_t k = 0; k < s->n_sets; k++)
		if (strcmp(s->sets[k].kind, "intra") != 0) {
			set = k;
			break;
		}
	for (size_t m = 0; m < s->n_methods; m++) {
		const double mean = hy_results_cell_of(s, m, set, 1).mean;
		if (mean > best) {
			best = mean;
			at = m;
		}
	}
	if (best < 0)
		return;
	hy_html_printf(
	    &r->f,
	    "<p class=\"verdict\">The highest mean Dice on %s is that of %s: %.3f (FTN+STN: the fast network, corrected by the "
	    "slow one). ",
	    s->sets[set].title, s->methods[at].title, best);
	hy_html_printf(&r->f, "No statistics say whether methods differ.</p>\n");
}

void hy_report_verdict(hy_report *r)
{
	const char *reference = reference_of(r);
	const cJSON *target = main_target(r);
	if (!reference || !target) {
		write_without_statistics(r);
		return;
	}
	hy_html_printf(&r->f,
	               "<p class=\"verdict\"><strong>%s</strong> (%s), mean Dice of FTN+STN (the fast network, "
	               "corrected by the slow one) against %s: ",
	               title_of(target), HY_COUNT(hy_json_number(target, "n_subjects", 0), "subject"), method_title(r, reference));
	put_side(r, target, reference, 1, "ahead: ");
	put_side(r, target, reference, -1, "behind: ");
	put_undecided(r, target, reference);
	hy_html_printf(&r->f, "</p>\n");
}

/* ---- the plot ----------------------------------------------------------------------------------------------------------- */

/* Rows of a target: its heading, then every method that was compared there. Returns how many. */
static size_t add_target(const hy_report *r, const cJSON *target, const char *reference, hy_forest_row *rows)
{
	size_t n = 0;
	for (size_t m = 0; m < r->results.n_methods; m++) {
		const cJSON *pair = pair_of(r, m, target, reference);
		if (!pair)
			continue;
		if (!n)
			rows[n++] = (hy_forest_row){.label = title_of(target), .value = NAN};
		rows[n++] = (hy_forest_row){.label = r->results.methods[m].title,
		                            .value = hy_json_number(pair, "difference", NAN),
		                            .low = hy_json_number(pair, "low", NAN),
		                            .high = hy_json_number(pair, "high", NAN),
		                            .series = m};
	}
	return n;
}

/* Home, other sites, artefacts, then whatever other groups there are. */
static size_t add_groups(const hy_report *r, const char *reference, hy_forest_row *rows)
{
	static const char *const first[] = {"sites", "artefacts"};
	size_t n = 0;
	const cJSON *target;
	cJSON_ArrayForEach(target, targets(r))
	{
		if (!strcmp(hy_results_text(target, "kind", ""), "intra"))
			n += add_target(r, target, reference, rows + n);
	}
	for (size_t k = 0; k < sizeof first / sizeof *first; k++)
		if (find_target(r, first[k]))
			n += add_target(r, find_target(r, first[k]), reference, rows + n);
	cJSON_ArrayForEach(target, targets(r))
	{
		const char *name = hy_results_text(target, "name", "");
		if (is_group(target) && strcmp(name, first[0]) != 0 && strcmp(name, first[1]) != 0)
			n += add_target(r, target, reference, rows + n);
	}
	return n;
}

static size_t add_sets(const hy_report *r, const char *reference, hy_forest_row *rows)
{
	size_t n = 0;
	const cJSON *target;
	cJSON_ArrayForEach(target, targets(r))
	{
		if (!is_group(target) && strcmp(hy_results_text(target, "kind", ""), "intra") != 0)
			n += add_target(r, target, reference, rows + n);
	}
	return n;
}

static void write_forest(hy_report *r)
{
	const char *reference = reference_of(r), *title = method_title(r, reference);
	const size_t room = (size_t)cJSON_GetArraySize(targets(r)) * (r->results.n_methods + 1);
	hy_forest_row *rows = hy_calloc(room, sizeof *rows);
	if (!rows) {
		r->f.error = r->f.error ? r->f.error : ENOMEM;
		return;
	}
	hy_html_printf(
	    &r->f,
	    "<p>Mean Dice of FTN+STN less that of %s, over the same scans; bars are 95 %% intervals over subjects. Where a bar "
	    "crosses 0 no difference is shown. Tests with corrected p are under <a href=\"#comparisons\">Comparisons</a>.</p>\n",
	    title);
	size_t n = add_groups(r, reference, rows);
	if (n) {
		hy_html_printf(&r->f, "<figure class=\"forest\"><figcaption>At home, and groups of test sets</figcaption>\n");
		hy_chart_forest(&r->f, "Differences by group of test sets, with intervals", rows, n);
		hy_html_printf(&r->f, "</figure>\n");
	}
	n = add_sets(r, reference, rows);
	if (n) {
		hy_html_printf(&r->f,
		               "<details><summary>Every test set by itself</summary>\n<figure class=\"forest\"><figcaption>Test sets "
		               "away from the training site</figcaption>\n");
		hy_chart_forest(&r->f, "Differences by test set, with intervals", rows, n);
		hy_html_printf(&r->f, "</figure></details>\n");
	}
	hy_free(rows);
}

static bool has_differences(const hy_report *r)
{
	return reference_of(r) != NULL;
}

const hy_section hy_section_forest = {"differences", "Differences", has_differences, write_forest};

/* ---- data --------------------------------------------------------------------------------------------------------------- */

static const cJSON *entry_of(const hy_report *r, const char *set)
{
	const cJSON *item;
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(r->results.experiment, "sets"))
	{
		if (!strcmp(hy_results_text(item, "name", ""), set))
			return item;
	}
	return NULL;
}

/* Classes that some case of the set has a score of. */
size_t hy_report_scored(const hy_report *r, size_t set, bool scored[HY_MAX_CLASSES])
{
	const hy_results *s = &r->results;
	size_t n = 0;
	memset(scored, 0, HY_MAX_CLASSES * sizeof *scored);
	for (size_t i = 0; i < s->n_scores; i++)
		for (size_t k = 0; k < s->n_classes && s->scores[i].set == set; k++)
			scored[k] = scored[k] || isfinite(s->scores[i].dice[1][k]) || isfinite(s->scores[i].dice[0][k]);
	for (size_t k = 0; k < s->n_classes; k++)
		n += scored[k];
	return n;
}

void hy_report_put_classes(hy_report *r, size_t set)
{
	bool scored[HY_MAX_CLASSES];
	const size_t n = hy_report_scored(r, set, scored);
	size_t at = 0;
	for (size_t k = 0; k < r->results.n_classes; k++) {
		if (!scored[k])
			continue;
		hy_html_printf(&r->f, "%s%s", !at ? "" : at + 1 == n ? " and " : ", ", r->results.classes[k]);
		at++;
	}
	hy_html_printf(&r->f, n ? "" : "none");
}

static void write_set(hy_report *r, size_t set)
{
	const hy_results *s = &r->results;
	const cJSON *target = find_target(r, s->sets[set].name), *entry = entry_of(r, s->sets[set].name);
	const char *path = hy_results_text(entry, "path", NULL), *kind = s->sets[set].kind;
	size_t n_cases = 0;
	for (size_t m = 0; m < s->n_methods && !n_cases; m++)
		n_cases = hy_results_cell_of(s, m, set, 1).n_cases;
	hy_html_printf(&r->f, "<div><dt>%s</dt><dd>%s<br>", s->sets[set].title,
	               !strcmp(kind, "intra")      ? "the training site, other subjects"
	               : !strcmp(kind, "artefact") ? "the same subjects, spoiled by an artefact"
	                                           : "another site");
	if (target)
		hy_html_printf(&r->f, "%s, %s", HY_COUNT(hy_json_number(target, "n_subjects", 0), "subject"),
		               HY_COUNT(hy_json_number(target, "n_cases", 0), "scan"));
	else
		hy_html_printf(&r->f, "%s", HY_COUNT(n_cases, "scored scan"));
	hy_html_printf(&r->f, "; scored: ");
	hy_report_put_classes(r, set);
	if (cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(entry, "labelled_slices")))
		hy_html_printf(&r->f, ", in labelled slices only");
	if (path && strcmp(kind, "artefact") != 0)
		hy_html_printf(&r->f, "<br>folder %s", hy_path_name(path));
	hy_html_printf(&r->f, "</dd></div>\n");
}

static void write_data(hy_report *r)
{
	hy_html_printf(&r->f, "<dl class=\"facts\">\n");
	for (size_t k = 0; k < r->results.n_sets; k++)
		write_set(r, k);
	hy_html_printf(&r->f, "</dl>\n");
}

static bool has_sets(const hy_report *r)
{
	return r->results.n_sets > 0;
}

const hy_section hy_section_data = {"data", "Test sets", has_sets, write_data};
