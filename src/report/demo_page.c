/*
 * demo_page.c: what came of a demo as a page without plots: how far each recipe came on the site that it was trained on and on those that it never
 * saw, and the worst scans.
 */
#include "report/demo_page.h"

#include "base/csv.h"
#include "base/files.h"
#include "base/memory.h"
#include "base/text.h"
#include "metric/ranking.h"
#include "metric/statistics.h"
#include "report/report.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { KEYS = 4 /* seed, site, subject, phase */, MOST_COLUMNS = 8, MOST_SITES = 32, DRAWS = 2000 /* of the bootstrap */ };

typedef struct row {
	size_t site, subject; /* the how manieth of the site's subjects, whose scans stand together */
	double dice[MOST_COLUMNS];
} row;

typedef struct site_row {
	const char *name, *last; /* last: the subject of its last row */
	size_t n, n_subjects;
	double mean[MOST_COLUMNS], low[MOST_COLUMNS], high[MOST_COLUMNS]; /* 95 % interval over subjects */
} site_row;

typedef struct demo_scores {
	char *text; /* owned; all names point into it */
	const char *columns[MOST_COLUMNS];
	size_t n_columns;
	site_row sites[MOST_SITES]; /* the first is the one that was trained on */
	size_t n_sites;
	row *rows; /* owned: a scan each, in the order of the file */
	size_t n_rows;
} demo_scores;

hardy_status hy_demo_look(const char *folder, bool *found, hardy_error *err)
{
	char *table = hy_path_join(folder, "scores.csv"), *picture = hy_path_join(folder, "worst.png");
	const hardy_status status = table && picture ? HARDY_OK : hy_fail_memory(err, folder, 1, 1);
	*found = !status && hy_path_exists(table) && hy_path_exists(picture);
	hy_free(table);
	hy_free(picture);
	return status;
}

/* "hardy_ftn" is "hardy, FTN" to a reader. */
static void put_column(hy_outfile *f, const char *name)
{
	static const char *const ends[2][2] = {{"_ftn", ", fast network alone (FTN)"}, {"_stn", ", shapes corrected (FTN+STN)"}};
	char recipe[64];
	snprintf(recipe, sizeof recipe, "%s", name);
	char *end = strrchr(recipe, '_');
	const char *more = "";
	for (int k = 0; k < 2 && end; k++)
		more = !strcmp(end, ends[k][0]) ? ends[k][1] : more;
	if (*more)
		*end = 0;
	hy_html_printf(f, "%s%s", recipe, more);
}

static hardy_status add_row(demo_scores *d, char **field, const char *path, int line, hardy_error *err)
{
	size_t k = 0;
	while (k < d->n_sites && strcmp(d->sites[k].name, field[1]) != 0)
		k++;
	if (k == MOST_SITES)
		return hy_fail(err, HARDY_ERROR_FORMAT, "%s: line %d: more than %d sites", path, line, MOST_SITES);
	if (k == d->n_sites)
		d->sites[d->n_sites++] = (site_row){.name = field[1]};
	site_row *s = &d->sites[k];
	row *to = &d->rows[d->n_rows++];
	s->n++;
	s->n_subjects += !s->last || strcmp(s->last, field[2]) != 0;
	s->last = field[2];
	to->site = k;
	to->subject = s->n_subjects - 1;
	for (size_t c = 0; c < d->n_columns; c++) {
		const double v = hy_number(field[KEYS + c]);
		if (!(v >= 0 && v <= 1))
			return hy_fail(err, HARDY_ERROR_FORMAT, "%s: line %d: %s is \"%s\", want a Dice of 0 to 1", path, line,
			               d->columns[c], field[KEYS + c]);
		to->dice[c] = v;
	}
	return HARDY_OK;
}

/* Means and intervals of a site. */
static hardy_status summarise(demo_scores *d, size_t site, hardy_error *err)
{
	site_row *s = &d->sites[site];
	double *values = hy_alloc(s->n, sizeof *values);
	size_t *subject = hy_alloc(s->n, sizeof *subject);
	hardy_status status = values && subject ? HARDY_OK : hy_fail_memory(err, "scores", s->n, sizeof *values);
	for (size_t c = 0; c < d->n_columns && !status; c++) {
		size_t n = 0;
		for (size_t i = 0; i < d->n_rows; i++) {
			if (d->rows[i].site != site)
				continue;
			subject[n] = d->rows[i].subject;
			values[n++] = d->rows[i].dice[c];
		}
		s->mean[c] = hy_mean_defined(values, n);
		status = hy_mean_interval(values, subject, n, s->n_subjects, DRAWS, 0, &s->low[c], &s->high[c], err);
	}
	hy_free(values);
	hy_free(subject);
	return status;
}

static hardy_status read_scores(demo_scores *d, const char *path, hardy_error *err)
{
	size_t size;
	char *field[KEYS + MOST_COLUMNS];
	hardy_status status = hy_file_read(path, &d->text, &size, err);
	if (status)
		return status;
	hy_csv csv = hy_csv_begin(d->text);
	size_t n = hy_csv_row(&csv, field, KEYS + MOST_COLUMNS);
	if (n <= KEYS || n > KEYS + MOST_COLUMNS || strcmp(field[0], "seed") != 0)
		return hy_fail(err, HARDY_ERROR_FORMAT, "%s: %zu columns, want seed, site, subject, phase and 1 to %d of Dice", path, n,
		               MOST_COLUMNS);
	d->n_columns = n - KEYS;
	memcpy(d->columns, field + KEYS, d->n_columns * sizeof *field);
	size_t room = 1; /* a row may want its line end */
	for (const char *at = csv.at; *at; at++)
		room += *at == '\n' || *at == '\r';
	if (!(d->rows = hy_alloc(room, sizeof *d->rows)))
		return hy_fail_memory(err, path, room, sizeof *d->rows);
	while (!status && (n = hy_csv_row(&csv, field, KEYS + MOST_COLUMNS)))
		status = n == KEYS + d->n_columns ? add_row(d, field, path, csv.line, err)
		                                  : hy_fail(err, HARDY_ERROR_FORMAT, "%s: line %d: %zu columns, want %zu", path,
		                                            csv.line, n, KEYS + d->n_columns);
	for (size_t k = 0; k < d->n_sites && !status; k++)
		status = summarise(d, k, err);
	return !status && !d->n_sites ? hy_fail(err, HARDY_ERROR_FORMAT, "%s: no scan is scored", path) : status;
}

/* Mean of the sites that were not trained on; NaN when there is none. */
static double away(const demo_scores *d, size_t column)
{
	double sum = 0;
	for (size_t k = 1; k < d->n_sites; k++)
		sum += d->sites[k].mean[column];
	return d->n_sites > 1 ? sum / (double)(d->n_sites - 1) : NAN;
}

static void write_verdict(hy_outfile *f, const demo_scores *d)
{
	size_t best = 0, worst = 0;
	for (size_t c = 1; c < d->n_columns; c++) {
		const double v = d->n_sites > 1 ? away(d, c) : d->sites[0].mean[c];
		best = v > (d->n_sites > 1 ? away(d, best) : d->sites[0].mean[best]) ? c : best;
		worst = v < (d->n_sites > 1 ? away(d, worst) : d->sites[0].mean[worst]) ? c : worst;
	}
	hy_html_printf(f, "<p class=\"verdict\">Trained on site %s alone, <strong>", d->sites[0].name);
	put_column(f, d->columns[best]);
	hy_html_printf(f, "</strong> has a mean Dice of <strong>%.3f</strong> there", d->sites[0].mean[best]);
	if (d->n_sites > 1)
		hy_html_printf(f, " and <strong>%.3f</strong> on the %zu site%s that it never saw", away(d, best), d->n_sites - 1,
		               d->n_sites > 2 ? "s" : "");
	if (best != worst) {
		hy_html_printf(f, "; ");
		put_column(f, d->columns[worst]);
		hy_html_printf(f, " has %.3f", d->sites[0].mean[worst]);
		if (d->n_sites > 1)
			hy_html_printf(f, " and %.3f", away(d, worst));
	}
	hy_html_printf(f, ".</p>\n");
}

/* of: the site whose intervals stand below the values; NULL: none. */
static void write_row(hy_outfile *f, const demo_scores *d, const char *name, const char *what, size_t n, const double *values,
                      const site_row *of)
{
	hy_html_printf(f, "<tr><th scope=\"row\">%s %s</th>", name, what);
	hy_report_cell(f, "number", "Scans");
	hy_html_printf(f, "%zu</td>", n);
	for (size_t c = 0; c < d->n_columns; c++) {
		hy_report_cell(f, "number", d->columns[c]);
		hy_html_printf(f, "%.3f", values[c]);
		if (of)
			hy_html_printf(f, "<small>%.3f–%.3f</small>", of->low[c], of->high[c]);
		hy_html_printf(f, "</td>");
	}
	hy_html_printf(f, "</tr>\n");
}

static void write_table(hy_outfile *f, const demo_scores *d)
{
	double values[MOST_COLUMNS];
	size_t n = 0;
	hy_report_table_begin(f, "Dice, mean of LV, myocardium and RV; below it, small, its 95 % interval over subjects",
	                      d->n_columns + 2);
	hy_html_printf(f, "<thead><tr><th scope=\"col\">Site</th><th scope=\"col\">Scans</th>");
	for (size_t c = 0; c < d->n_columns; c++) {
		hy_html_printf(f, "<th scope=\"col\">");
		put_column(f, d->columns[c]);
		hy_html_printf(f, "</th>");
	}
	hy_html_printf(f, "</tr></thead>\n<tbody>\n");
	for (size_t k = 0; k < d->n_sites; k++) {
		n += k ? d->sites[k].n : 0;
		write_row(f, d, d->sites[k].name, k ? "(never seen)" : "(trained here)", d->sites[k].n, d->sites[k].mean, &d->sites[k]);
	}
	for (size_t c = 0; c < d->n_columns; c++)
		values[c] = away(d, c);
	if (d->n_sites > 1)
		write_row(f, d, "Mean", "of the sites never seen", n, values, NULL);
	hy_html_printf(f, "</tbody>");
	hy_report_table_end(f);
}

static hardy_status write_page(hy_outfile *f, const demo_scores *d, const char *folder, hardy_error *err)
{
	char *picture = hy_path_join(folder, "worst.png"), *png = NULL, *word = hy_shell_word(folder);
	size_t size = 0;
	hardy_status status = picture && word ? hy_file_read(picture, &png, &size, err) : hy_fail_memory(err, folder, 1, 1);
	if (!status) {
		hy_report_head(f, "hardy demo");
		hy_html_printf(f, "<main id=\"main\">\n<header>\n<h1>hardy demo</h1>\n");
		write_verdict(f, d);
		hy_html_printf(
		    f, "</header>\n<section aria-labelledby=\"sites\">\n<h2 id=\"sites\">By site</h2>\n<p>Scans of a synthetic heart, "
		       "as scanners of several sites might have made them. Every Dice is of a whole volume in the scan's own grid; all "
		       "of a "
		       "site's scans are in <code>scores.csv</code>.</p>\n");
		write_table(f, d);
		hy_html_printf(f, "</section>\n<section aria-labelledby=\"worst\">\n<h2 id=\"worst\">The worst scan of each "
		                  "site</h2>\n<p>Image, truth, "
		                  "and what each recipe drew.</p>\n<img style=\"max-width:100%%;height:auto\" alt=\"The worst scan of "
		                  "each site: image, "
		                  "truth, and the label map of each recipe\" src=\"data:image/png;base64,");
		hy_html_base64(f, png, size);
		hy_html_printf(
		    f,
		    "\">\n</section>\n<section aria-labelledby=\"next\">\n<h2 id=\"next\">What to do next</h2>\n<pre>hardy report "
		    "%s/hardy                            # how the training went\nhardy predict %s/hardy YOUR-SCANS -o LABELS   # "
		    "label "
		    "your own\nhardy train YOUR-LABELLED-SCANS -o RUN          # train on your own</pre>\n</section>\n</main>\n",
		    word, word);
		hy_report_foot(f);
		hy_report_sorter(f);
		hy_html_printf(f, "</body>\n</html>\n");
	}
	hy_free(picture);
	hy_free(word);
	hy_free(png);
	return status;
}

hardy_status hy_demo_write_page(const char *folder, const char *path, const char *mark, hardy_error *err)
{
	demo_scores d = {0};
	hy_outfile f = {0};
	char *table = hy_path_join(folder, "scores.csv");
	hardy_status status = table ? read_scores(&d, table, err) : hy_fail_memory(err, folder, 1, 1);
	if (!status)
		status = hy_outfile_open(&f, path, mark, err);
	if (!status)
		status = write_page(&f, &d, folder, err);
	if (!status)
		status = hy_outfile_commit(&f, err);
	hy_outfile_discard(&f);
	hy_free(table);
	hy_free(d.text);
	hy_free(d.rows);
	return status;
}
