/*
 * report_plots.c: the plots of a report, as Vega-Lite specifications with their data: box plots of Dice by method for every test set
 * (Figs. 5 and 8 of the study), and training curves.
 */
#include "base/csv.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "report/report.h"
#include "report/web.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static void put(hy_report *r, const char *text)
{
	hy_outfile_write(&r->f, text, strlen(text));
}

static void put_number(hy_report *r, const char *name, double v)
{
	if (isfinite(v))
		hy_outfile_printf(&r->f, ",\"%s\":%.4g", name, v);
}

/* ---- specifications ----------------------------------------------------------------------------------------------------- */

/* A specification that the program carries; NULL when memory runs out. */
static cJSON *read_spec(const unsigned char *text, size_t size)
{
	cJSON *spec = NULL;
	return hy_json_parse((const char *)text, size, &spec, NULL) ? NULL : spec;
}

/* A member of a member of a specification, "encoding.y"; "layer.1.encoding" counts in lists from 0. */
static cJSON *at(cJSON *spec, const char *path)
{
	char name[32];
	while (spec && *path) {
		const size_t n = strcspn(path, ".");
		snprintf(name, sizeof name, "%.*s", (int)n, path);
		spec = cJSON_IsArray(spec) ? cJSON_GetArrayItem(spec, name[0] - '0') : cJSON_GetObjectItemCaseSensitive(spec, name);
		path += n + (path[n] == '.');
	}
	return spec;
}

/* Titles of the methods, in their order, into a list of the specification. */
static bool put_methods(const hy_report *r, cJSON *list)
{
	bool ok = list;
	for (size_t m = 0; m < r->results.n_methods && ok; m++)
		ok = hy_json_append(list, cJSON_CreateString(r->results.methods[m].title));
	return ok;
}

/* A plot's JSON begins with its data, row by row; the specification's other members follow. */
static void begin_data(hy_report *r, const char *id, const char *caption)
{
	hy_report_plot_begin(r, id, caption);
	put(r, "{\"data\":{\"values\":[");
}

static void begin_row(hy_report *r, bool *first, size_t method)
{
	put(r, *first ? "{\"method\":" : ",\n{\"method\":");
	*first = false;
	hy_html_json_string(&r->f, r->results.methods[method].title);
}

/* Takes over spec. */
static void end_data(hy_report *r, cJSON *spec, bool ok)
{
	put(r, "]},");
	hy_html_json_members(&r->f, ok ? spec : NULL);
	cJSON_Delete(spec);
	hy_report_plot_end(r);
}

/* ---- box plots ---------------------------------------------------------------------------------------------------------- */

/* A case of a set, its scores averaged over a method's seeds and the draws of an artefact. */
typedef struct point {
	const char *name;
	double mean[2], dice[2][HY_MAX_CLASSES];
	size_t n, n_mean[2], n_dice[2][HY_MAX_CLASSES];
} point;

static point *find(point *points, size_t *n, const char *name)
{
	for (size_t i = 0; i < *n; i++)
		if (!strcmp(points[i].name, name))
			return &points[i];
	points[*n] = (point){.name = name};
	return &points[(*n)++];
}

static void add(double *sum, size_t *n, double v)
{
	if (isfinite(v)) {
		*sum += v;
		++*n;
	}
}

/* points has room for every score. */
static size_t collect(const hy_results *s, size_t method, size_t set, point *points)
{
	size_t n = 0;
	for (size_t i = 0; i < s->n_scores; i++) {
		const hy_results_score *c = &s->scores[i];
		if (c->set != set || s->runs[c->run].method != method)
			continue;
		point *p = find(points, &n, c->name);
		p->n++;
		for (int w = 0; w < 2; w++) {
			add(&p->mean[w], &p->n_mean[w], c->mean[w]);
			for (size_t k = 0; k < s->n_classes; k++)
				add(&p->dice[w][k], &p->n_dice[w][k], c->dice[w][k]);
		}
	}
	return n;
}

static void put_points(hy_report *r, const point *points, size_t n, size_t method, bool *first)
{
	const hy_results *s = &r->results;
	for (size_t i = 0; i < n; i++)
		for (int w = 0; w < 2; w++) {
			const point *p = &points[i];
			if (!p->n_mean[w])
				continue;
			begin_row(r, first, method);
			hy_outfile_printf(&r->f, ",\"network\":\"%s\",\"case\":", hy_report_networks[w]);
			hy_html_json_string(&r->f, p->name);
			put_number(r, "dice", p->mean[w] / (double)p->n_mean[w]);
			hy_outfile_printf(&r->f, ",\"n\":%zu", p->n);
			for (size_t k = 0; k < s->n_classes; k++) {
				char name[24];
				snprintf(name, sizeof name, "c%zu", k);
				if (p->n_dice[w][k])
					put_number(r, name, p->dice[w][k] / (double)p->n_dice[w][k]);
			}
			put(r, "}");
		}
}

static cJSON *box_spec(const hy_report *r, bool *ok)
{
	const hy_results *s = &r->results;
	cJSON *spec = read_spec(hy_web_boxes, hy_web_boxes_size);
	cJSON *height = at(spec, "height");
	*ok = height && put_methods(r, at(spec, "encoding.y.sort"));
	if (height)
		cJSON_SetNumberHelper(height, 36 * (double)s->n_methods);
	for (size_t k = 0; k <= s->n_classes && *ok; k++) {
		char name[16];
		snprintf(name, sizeof name, "c%zu", k);
		cJSON *item = cJSON_CreateObject();
		const bool last = k == s->n_classes;
		*ok = hy_json_append(at(spec, "layer.1.encoding.tooltip"), item) &&
		      hy_json_add(item, "field", cJSON_CreateString(last ? "n" : name)) &&
		      hy_json_add(item, "type", cJSON_CreateString("quantitative")) &&
		      hy_json_add(item, "format", cJSON_CreateString(last ? "d" : ".3f")) &&
		      hy_json_add(item, "title", cJSON_CreateString(last ? "predictions averaged" : s->classes[k]));
	}
	return spec;
}

static void write_boxes(hy_report *r)
{
	const hy_results *s = &r->results;
	point *points = hy_calloc(s->n_scores, sizeof *points);
	hy_html_printf(
	    &r->f,
	    "<p>A point is a case, averaged over seeds and, for artefacts, over draws; pointing at it tells its name and its "
	    "Dice by class. A box holds the middle half of the cases, its line is the median, whiskers reach to the last case "
	    "within 1.5 times the box.</p>\n<div class=\"plots\">\n");
	for (size_t k = 0; k < s->n_sets && points; k++) {
		char id[32], caption[256];
		snprintf(id, sizeof id, "boxes-%zu", k);
		snprintf(caption, sizeof caption, "%s: Dice of every case, by method", s->sets[k].title);
		begin_data(r, id, caption);
		bool first = true, ok;
		for (size_t m = 0; m < s->n_methods; m++)
			put_points(r, points, collect(s, m, k, points), m, &first);
		cJSON *spec = box_spec(r, &ok);
		end_data(r, spec, ok);
	}
	hy_html_printf(&r->f, "</div>\n");
	if (!points && !r->f.error)
		r->f.error = ENOMEM;
	hy_free(points);
}

static bool has_scores(const hy_report *r)
{
	return r->results.n_scores > 0;
}

const hy_section hy_section_boxes = {"case-by-case", "Case by case", has_scores, write_boxes};

/* ---- training curves ---------------------------------------------------------------------------------------------------- */

/* Columns of a curve that every recipe has. */
static const struct {
	const char *column, *title, *axis;
	bool log;
} CURVES[] = {{"seg", "Loss: segmentation by the FTN", "loss", true},
              {"rec", "Loss: reconstruction of the image", "loss", true},
              {"shape_gt", "Loss: STN on the true labels", "loss", true},
              {"shape_pred", "Loss: STN on the prediction", "loss", true},
              {"val_ftn_dice", "Validation subjects: Dice of the FTN", "Dice", false},
              {"val_stn_dice", "Validation subjects: Dice of FTN+STN", "Dice", false}};
enum { N_CURVES = sizeof CURVES / sizeof CURVES[0] };

/* Where the column stands in a run's rows, or -1. */
static int column_of(const hy_results_run *run, const char *name)
{
	const cJSON *item;
	int i = 0;
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(run->line, "curve_columns"))
	{
		if (cJSON_IsString(item) && !strcmp(item->valuestring, name))
			return i;
		i++;
	}
	return -1;
}

static void put_curve(hy_report *r, const hy_results_run *run, size_t curve, bool *first)
{
	const int column = column_of(run, CURVES[curve].column);
	const cJSON *row;
	cJSON_ArrayForEach(row, cJSON_GetObjectItemCaseSensitive(run->line, "curve"))
	{
		const cJSON *step = cJSON_GetArrayItem(row, 0), *value = column < 0 ? NULL : cJSON_GetArrayItem(row, column);
		if (!cJSON_IsNumber(step) || !cJSON_IsNumber(value) || (CURVES[curve].log && value->valuedouble <= 0))
			continue;
		begin_row(r, first, run->method);
		hy_outfile_printf(&r->f, ",\"seed\":%lld", (long long)run->seed);
		put_number(r, "x", step->valuedouble);
		put_number(r, "y", value->valuedouble);
		put(r, "}");
	}
}

/* Whether any run has a line to draw. */
static bool has_curve(const hy_report *r, size_t curve)
{
	for (size_t i = 0; i < r->results.n_runs; i++)
		if (column_of(&r->results.runs[i], CURVES[curve].column) >= 0 &&
		    cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(r->results.runs[i].line, "curve")) > 1)
			return true;
	return false;
}

static bool has_curves(const hy_report *r)
{
	bool any = false;
	for (size_t c = 0; c < N_CURVES && !any; c++)
		any = has_curve(r, c);
	return any;
}

static cJSON *curve_spec(const hy_report *r, size_t curve, bool *ok)
{
	cJSON *spec = read_spec(hy_web_curves, hy_web_curves_size);
	*ok = spec && put_methods(r, at(spec, "encoding.color.scale.domain")) &&
	      put_methods(r, at(spec, "encoding.strokeDash.scale.domain")) &&
	      cJSON_SetValuestring(at(spec, "encoding.y.title"), CURVES[curve].axis) &&
	      cJSON_SetValuestring(at(spec, "encoding.tooltip.3.title"), CURVES[curve].axis) &&
	      cJSON_SetValuestring(at(spec, "encoding.y.scale.type"), CURVES[curve].log ? "log" : "linear");
	return spec;
}

static void write_training(hy_report *r)
{
	hy_html_printf(
	    &r->f, "<p>A line is a run; methods differ in colour. Losses have a logarithmic scale.</p>\n<div class=\"plots\">\n");
	for (size_t c = 0; c < N_CURVES; c++) {
		char id[48];
		bool first = true, ok;
		if (!has_curve(r, c))
			continue;
		snprintf(id, sizeof id, "curve-%s", CURVES[c].column);
		begin_data(r, id, CURVES[c].title);
		for (size_t i = 0; i < r->results.n_runs; i++)
			put_curve(r, &r->results.runs[i], c, &first);
		cJSON *spec = curve_spec(r, c, &ok);
		end_data(r, spec, ok);
	}
	hy_html_printf(&r->f, "</div>\n");
}

const hy_section hy_section_training = {"training", "Training", has_curves, write_training};

/* ---- robustness --------------------------------------------------------------------------------------------------------- */

/* Adds the lines of FTN+STN: artefact, level, severity, network, n, mean Dice. */
static hardy_status read_sweep(hy_report *r, size_t run, const char *path, hardy_error *err)
{
	enum { ARTEFACT, LEVEL, NETWORK = 3, DICE = 5, N_FIELDS };
	char *text = NULL, *field[N_FIELDS];
	size_t size, n;
	hardy_status status = hy_file_read(path, &text, &size, err);
	if (status)
		return status;
	hy_csv csv = hy_csv_begin(text);
	while ((n = hy_csv_row(&csv, field, N_FIELDS))) {
		const double level = n < N_FIELDS ? NAN : hy_number(field[LEVEL]), dice = n < N_FIELDS ? NAN : hy_number(field[DICE]);
		if (!(fabs(level) < 1000) || isnan(dice) || strcmp(field[NETWORK], "FTN+STN") != 0)
			continue;
		hy_report_sweep *larger = hy_realloc(r->sweeps, r->n_sweeps + 1, sizeof *larger);
		if (!larger) {
			status = hy_fail_memory(err, path, r->n_sweeps + 1, sizeof *larger);
			break;
		}
		r->sweeps = larger;
		hy_report_sweep *row = &r->sweeps[r->n_sweeps++];
		*row = (hy_report_sweep){.run = run, .level = (int)level, .dice = dice};
		snprintf(row->artefact, sizeof row->artefact, "%s", field[ARTEFACT]);
	}
	hy_free(text);
	return status;
}

hardy_status hy_report_read_sweeps(hy_report *r, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	for (size_t i = 0; i < r->results.n_runs && !status; i++)
		for (int k = 0; k < 2 && !status; k++) {
			const hy_results_run *run = &r->results.runs[i];
			char name[HY_NAME_SIZE + 64];
			if (k)
				snprintf(name, sizeof name, "runs/%s-%lld/stress/sweep.csv", r->results.methods[run->method].name,
				         (long long)run->seed);
			else
				snprintf(name, sizeof name, "stress/%s-%lld/sweep.csv", r->results.methods[run->method].name,
				         (long long)run->seed);
			char *path = hy_path_join(r->results.folder, name);
			if (!path)
				status = hy_fail_memory(err, name, 1, 1);
			else if (hy_path_exists(path))
				status = read_sweep(r, i, path, err);
			hy_free(path);
		}
	return status;
}

static cJSON *sweep_spec(const hy_report *r, bool *ok)
{
	cJSON *spec = read_spec(hy_web_curves, hy_web_curves_size);
	cJSON *scale = at(spec, "encoding.y.scale");
	*ok = spec && put_methods(r, at(spec, "encoding.color.scale.domain")) &&
	      put_methods(r, at(spec, "encoding.strokeDash.scale.domain")) &&
	      cJSON_SetValuestring(at(spec, "encoding.x.title"), "level") &&
	      cJSON_SetValuestring(at(spec, "encoding.tooltip.2.title"), "level") &&
	      cJSON_SetValuestring(at(spec, "encoding.y.title"), "Dice") &&
	      cJSON_SetValuestring(at(spec, "encoding.tooltip.3.title"), "Dice") &&
	      cJSON_SetValuestring(at(scale, "type"), "linear") &&
	      hy_json_add(scale, "domain", cJSON_CreateIntArray((const int[]){0, 1}, 2));
	return spec;
}

static void write_sweeps(hy_report *r)
{
	hy_html_printf(
	    &r->f,
	    "<p>Mean Dice of FTN+STN by severity, as the sweep of <code>hardy stress</code> measures it; level 0 is the scan as it "
	    "is.</p>\n<div class=\"plots\">\n");
	for (size_t i = 0; i < r->n_sweeps; i++) {
		const char *artefact = r->sweeps[i].artefact;
		char id[64], caption[128];
		bool first = true, ok, seen = false;
		for (size_t k = 0; k < i && !seen; k++)
			seen = !strcmp(r->sweeps[k].artefact, artefact);
		if (seen)
			continue;
		snprintf(id, sizeof id, "sweep-%zu", i);
		snprintf(caption, sizeof caption, "Robustness: %s", artefact);
		begin_data(r, id, caption);
		for (size_t k = i; k < r->n_sweeps; k++) {
			const hy_report_sweep *row = &r->sweeps[k];
			if (strcmp(row->artefact, artefact) != 0)
				continue;
			begin_row(r, &first, r->results.runs[row->run].method);
			hy_outfile_printf(&r->f, ",\"seed\":%lld,\"x\":%d", (long long)r->results.runs[row->run].seed, row->level);
			put_number(r, "y", row->dice);
			put(r, "}");
		}
		cJSON *spec = sweep_spec(r, &ok);
		end_data(r, spec, ok);
	}
	hy_html_printf(&r->f, "</div>\n");
}

static bool has_sweeps(const hy_report *r)
{
	return r->n_sweeps > 0;
}

const hy_section hy_section_sweeps = {"robustness", "Robustness", has_sweeps, write_sweeps};
