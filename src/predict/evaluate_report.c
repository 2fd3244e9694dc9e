/*
 * evaluate_report.c: an evaluation as a table for people, JSON and CSV.
 */
#include "base/files.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "predict/forecast.h"

#include <cJSON.h>
#include <math.h>

enum { DIGITS = 10 }; /* of a number in a table */

#define CSV_TITLES "case,subject,phase,site,class,state,n_slices"

/* ---- CSV ---------------------------------------------------------------------------------------------------------------- */

static void write_csv(hy_outfile *f, const hardy_evaluation *e)
{
	hy_outfile_csv_plain(f, CSV_TITLES);
	for (int k = 0; k < HARDY_N_SCORES; k++)
		hy_outfile_csv_plain(f, hardy_score_name((hardy_score)k));
	hy_outfile_csv_end(f);
	for (size_t i = 0; i < e->n_rows; i++) {
		const hardy_score_row *row = &e->rows[i];
		hy_outfile_csv_text(f, row->name);
		hy_outfile_csv_text(f, row->subject);
		hy_outfile_csv_text(f, row->phase);
		hy_outfile_csv_text(f, row->site);
		hy_outfile_csv_text(f, row->class_name);
		hy_outfile_csv_text(f, hardy_row_state_name(row->state));
		hy_outfile_csv_number(f, (double)row->n_slices, 15);
		for (int k = 0; k < HARDY_N_SCORES; k++)
			hy_outfile_csv_number(f, row->value[k], DIGITS);
		hy_outfile_csv_end(f);
	}
	for (size_t c = 0; c < e->n_classes; c++) {
		hy_outfile_csv_plain(f, "MEAN,,,");
		hy_outfile_csv_text(f, e->classes[c].class_name);
		hy_outfile_csv_plain(f, ",");
		for (int k = 0; k < HARDY_N_SCORES; k++)
			hy_outfile_csv_number(f, e->classes[c].score[k].mean, DIGITS);
		hy_outfile_csv_end(f);
	}
	hy_outfile_csv_plain(f, "MEAN,,,,,,");
	for (int k = 0; k < HARDY_N_SCORES; k++)
		hy_outfile_csv_number(f, e->mean[k], DIGITS);
	hy_outfile_csv_end(f);
}

static void write_heart_csv(hy_outfile *f, const hardy_evaluation *e)
{
	static const char *const suffix[3] = {"", "_ref", "_diff"};
	hy_outfile_csv_plain(f, "subject,site");
	for (int k = 0; k < HARDY_N_HEART_INDICES; k++)
		for (int j = 0; j < 3; j++) {
			hy_outfile_csv_plain(f, hardy_heart_index_name((hardy_heart_index)k));
			hy_outfile_printf(f, "%s", suffix[j]);
		}
	hy_outfile_csv_end(f);
	for (size_t i = 0; i < e->n_hearts; i++) {
		const hardy_heart_row *row = &e->hearts[i];
		hy_outfile_csv_text(f, row->subject);
		hy_outfile_csv_text(f, row->site);
		for (int k = 0; k < HARDY_N_HEART_INDICES; k++) {
			hy_outfile_csv_number(f, row->prediction[k], DIGITS);
			hy_outfile_csv_number(f, row->reference[k], DIGITS);
			hy_outfile_csv_number(f, row->prediction[k] - row->reference[k], DIGITS);
		}
		hy_outfile_csv_end(f);
	}
}

/* ---- JSON --------------------------------------------------------------------------------------------------------------- */

/* cJSON returns NULL when memory runs out and takes NULL without harm; what is lost is noticed by counting. */
typedef struct tree {
	bool lost;
} tree;

static cJSON *kept(tree *t, cJSON *item)
{
	t->lost |= item == NULL;
	return item;
}

/* NaN and infinity become null. */
static void add_number(tree *t, cJSON *to, const char *name, double v)
{
	kept(t, isfinite(v) ? cJSON_AddNumberToObject(to, name, v) : cJSON_AddNullToObject(to, name));
}

static void add_text(tree *t, cJSON *to, const char *name, const char *text)
{
	kept(t, cJSON_AddStringToObject(to, name, text));
}

static void add_flag(tree *t, cJSON *to, const char *name, bool v)
{
	kept(t, cJSON_AddBoolToObject(to, name, v));
}

/* An object at the end of an array. */
static cJSON *append_object(tree *t, cJSON *array)
{
	cJSON *item = kept(t, cJSON_CreateObject());
	if (!hy_json_append(array, item)) {
		t->lost = true;
		return NULL;
	}
	return item;
}

static void add_options(tree *t, cJSON *root, const hardy_evaluate_options *o)
{
	static const char *const rules[] = {"undefined", "one", "zero"};
	cJSON *to = kept(t, cJSON_AddObjectToObject(root, "options"));
	add_number(t, to, "tolerance_mm", o->tolerance_mm);
	add_text(t, to, "empty", rules[o->empty]);
	add_text(t, to, "hd95", o->hd95_directed ? "directed" : "pooled");
	add_text(t, to, "assd", o->assd_directed ? "directed" : "pooled");
	add_text(t, to, "nsd", o->nsd_surfels ? "surfels" : "voxels");
	add_flag(t, to, "labelled_slices", o->labelled_slices);
	add_flag(t, to, "own_labels", o->own_labels);
	add_flag(t, to, "class_numbers", o->class_numbers);
	add_flag(t, to, "with_training", o->with_training);
}

static void add_mean(tree *t, cJSON *to, const char *name, const hardy_score_mean *m)
{
	cJSON *item = kept(t, cJSON_AddObjectToObject(to, name));
	add_number(t, item, "mean", m->mean);
	add_number(t, item, "sd", m->sd);
	add_number(t, item, "n", (double)m->n);
	add_number(t, item, "n_undefined", (double)m->n_undefined);
}

static void add_cases(tree *t, cJSON *root, const hardy_evaluation *e)
{
	cJSON *cases = kept(t, cJSON_AddArrayToObject(root, "cases"));
	for (size_t i = 0; i < e->n_cases; i++) {
		const hardy_score_row *row = &e->rows[i * e->n_classes];
		cJSON *item = append_object(t, cases);
		add_text(t, item, "case", row->name);
		add_text(t, item, "subject", row->subject);
		add_text(t, item, "phase", row->phase);
		add_text(t, item, "site", row->site);
		add_number(t, item, "n_slices", (double)row->n_slices);
		cJSON *classes = kept(t, cJSON_AddObjectToObject(item, "classes"));
		for (size_t c = 0; c < e->n_classes; c++, row++) {
			cJSON *scores = kept(t, cJSON_AddObjectToObject(classes, row->class_name));
			add_text(t, scores, "state", hardy_row_state_name(row->state));
			for (int k = 0; k < HARDY_N_SCORES; k++)
				add_number(t, scores, hardy_score_name((hardy_score)k), row->value[k]);
		}
	}
}

static void add_classes(tree *t, cJSON *root, const hardy_evaluation *e)
{
	cJSON *classes = kept(t, cJSON_AddObjectToObject(root, "classes"));
	for (size_t c = 0; c < e->n_classes; c++) {
		const hardy_class_scores *s = &e->classes[c];
		cJSON *item = kept(t, cJSON_AddObjectToObject(classes, s->class_name));
		cJSON *states = kept(t, cJSON_AddObjectToObject(item, "states"));
		for (int k = 0; k < HARDY_N_ROW_STATES; k++)
			add_number(t, states, hardy_row_state_name((hardy_row_state)k), (double)s->n_state[k]);
		for (int k = 0; k < HARDY_N_SCORES; k++)
			add_mean(t, item, hardy_score_name((hardy_score)k), &s->score[k]);
	}
	cJSON *mean = kept(t, cJSON_AddObjectToObject(root, "mean"));
	for (int k = 0; k < HARDY_N_SCORES; k++)
		add_number(t, mean, hardy_score_name((hardy_score)k), e->mean[k]);
}

static void add_hearts(tree *t, cJSON *root, const hardy_evaluation *e)
{
	cJSON *hearts = kept(t, cJSON_AddArrayToObject(root, "subjects"));
	for (size_t i = 0; i < e->n_hearts; i++) {
		const hardy_heart_row *row = &e->hearts[i];
		cJSON *item = append_object(t, hearts);
		add_text(t, item, "subject", row->subject);
		add_text(t, item, "site", row->site);
		cJSON *prediction = kept(t, cJSON_AddObjectToObject(item, "prediction"));
		cJSON *reference = kept(t, cJSON_AddObjectToObject(item, "reference"));
		cJSON *difference = kept(t, cJSON_AddObjectToObject(item, "difference"));
		for (int k = 0; k < HARDY_N_HEART_INDICES; k++) {
			const char *name = hardy_heart_index_name((hardy_heart_index)k);
			add_number(t, prediction, name, row->prediction[k]);
			add_number(t, reference, name, row->reference[k]);
			add_number(t, difference, name, row->prediction[k] - row->reference[k]);
		}
	}
	cJSON *difference = kept(t, cJSON_AddObjectToObject(root, "subject_difference"));
	for (int k = 0; k < HARDY_N_HEART_INDICES; k++)
		add_mean(t, difference, hardy_heart_index_name((hardy_heart_index)k), &e->heart_difference[k]);
}

static void add_forecast(tree *t, cJSON *root, const hardy_forecast *f)
{
	cJSON *item = kept(t, cJSON_AddObjectToObject(root, "predicted_dice"));
	add_number(t, item, "n", (double)f->n);
	add_number(t, item, "subjects", (double)f->n_subjects);
	add_number(t, item, "below_0.7", (double)f->n_below);
	add_number(t, item, "auc", f->auc);
	add_number(t, item, "auc_low", f->auc_low);
	add_number(t, item, "auc_high", f->auc_high);
	add_number(t, item, "mean_absolute_error", f->error);
	add_number(t, item, "below_bound", f->below_low);
}

static hardy_status write_json(hy_outfile *f, const hardy_evaluation *e, hardy_error *err)
{
	tree t = {false};
	cJSON *root = kept(&t, cJSON_CreateObject());
	add_text(&t, root, "version", HARDY_VERSION);
	add_options(&t, root, &e->options);
	add_number(&t, root, "n_cases", (double)e->n_cases);
	add_classes(&t, root, e);
	add_hearts(&t, root, e);
	if (e->forecast.n)
		add_forecast(&t, root, &e->forecast);
	add_cases(&t, root, e);
	cJSON *failures = kept(&t, cJSON_AddArrayToObject(root, "failures"));
	for (size_t i = 0; i < e->n_failures; i++) {
		cJSON *item = append_object(&t, failures);
		add_text(&t, item, "case", e->failures[i].name);
		add_flag(&t, item, "missing", e->failures[i].missing);
		add_text(&t, item, "message", e->failures[i].message);
	}
	char *text = t.lost ? NULL : hy_json_print(root, true);
	cJSON_Delete(root);
	if (!text)
		return hy_fail(err, HARDY_ERROR_MEMORY, "evaluation as JSON: out of memory");
	hy_outfile_printf(f, "%s", text);
	hy_outfile_printf(f, "\n");
	cJSON_free(text);
	return HARDY_OK;
}

/* ---- table -------------------------------------------------------------------------------------------------------------- */

static void put_cell(hy_outfile *f, int width, int decimals, double v)
{
	if (isnan(v))
		hy_outfile_printf(f, " %*s", width, "-");
	else
		hy_outfile_printf(f, " %*.*f", width, decimals, v);
}

static void put_class_line(hy_outfile *f, const char *name, const hardy_evaluation *e, const hardy_class_scores *s)
{
	static const struct {
		hardy_score score;
		int width, decimals;
	} columns[] = {{HARDY_SCORE_DICE, 7, 4},
	               {HARDY_SCORE_HD95, 9, 2},
	               {HARDY_SCORE_ASSD, 9, 2},
	               {HARDY_SCORE_NSD, 7, 4},
	               {HARDY_SCORE_VOLUME_PREDICTION, 10, 1},
	               {HARDY_SCORE_VOLUME_REFERENCE, 10, 1}};
	hy_outfile_printf(f, "%-14.14s", name);
	for (size_t k = 0; k < sizeof(columns) / sizeof(columns[0]); k++) {
		hardy_score score = columns[k].score;
		put_cell(f, columns[k].width, columns[k].decimals, s ? s->score[score].mean : e->mean[score]);
		if (score == HARDY_SCORE_DICE)
			put_cell(f, 6, 4, s ? s->score[score].sd : NAN);
	}
	hy_outfile_printf(f, "\n");
}

/* What the means leave out. */
static void put_states(hy_outfile *f, const hardy_evaluation *e)
{
	static const char *const text[HARDY_N_ROW_STATES] = {"", "missing from the prediction (Dice 0, distances undefined)",
	                                                     "missing from the reference (Dice 0, distances undefined)",
	                                                     "in neither (distances undefined)", "not labelled (undefined)"};
	static const char *const rules[] = {"Dice undefined", "Dice set to 1", "Dice set to 0"};
	for (size_t c = 0; c < e->n_classes; c++) {
		for (int k = 1; k < HARDY_N_ROW_STATES; k++) {
			size_t n = e->classes[c].n_state[k];
			if (n > 0)
				hy_outfile_printf(f, "%s: in %zu of %s %s%s%s\n", e->classes[c].class_name, n, HY_COUNT(e->n_cases, "case"),
				                  text[k], k == HARDY_ROW_NEITHER ? ", " : "",
				                  k == HARDY_ROW_NEITHER ? rules[e->options.empty] : "");
		}
	}
}

static void put_hearts(hy_outfile *f, const hardy_evaluation *e)
{
	if (e->n_hearts == 0)
		return;
	hy_outfile_printf(f, "\nHeart function of %s, prediction minus reference: mean (sd)\n", HY_COUNT(e->n_hearts, "subject"));
	for (int k = 0; k < HARDY_N_HEART_INDICES; k++) {
		const hardy_score_mean *m = &e->heart_difference[k];
		if (m->n == 0)
			continue;
		hy_outfile_printf(f, "  %-14s %+9.2f", hardy_heart_index_name((hardy_heart_index)k), m->mean);
		if (!isnan(m->sd))
			hy_outfile_printf(f, " (%.2f)", m->sd);
		hy_outfile_printf(f, "%s", m->n_undefined > 0 ? "" : "\n");
		if (m->n_undefined > 0)
			hy_outfile_printf(f, ", undefined for %zu\n", m->n_undefined);
	}
}

static void write_text(hy_outfile *f, const hardy_evaluation *e)
{
	enum { MOST_LISTED = 10 };
	hy_outfile_printf(f, "%s, NSD at %g mm%s\n", HY_COUNT(e->n_cases, "case"), e->options.tolerance_mm,
	                  e->options.labelled_slices ? ", labelled slices only, distances in the plane" : "");
	hy_outfile_printf(f, "class             Dice     sd   HD95 mm   ASSD mm     NSD    pred mL     ref mL\n");
	for (size_t c = 0; c < e->n_classes; c++)
		put_class_line(f, e->classes[c].class_name, e, &e->classes[c]);
	put_class_line(f, "mean", e, NULL);
	put_states(f, e);
	put_hearts(f, e);
	char forecast[256];
	hy_forecast_print(&e->forecast, forecast, sizeof forecast);
	if (forecast[0])
		hy_outfile_printf(f, "\n%s\n", forecast);
	if (e->n_failures > 0)
		hy_outfile_printf(f, "\n%zu not scored:\n", e->n_failures);
	for (size_t i = 0; i < e->n_failures && i < MOST_LISTED; i++) {
		hy_outfile_printf(f, "  ");
		hy_outfile_printf(f, "%s", e->failures[i].message);
		hy_outfile_printf(f, "\n");
	}
	if (e->n_failures > MOST_LISTED)
		hy_outfile_printf(f, "  and %zu more (the JSON form lists all)\n", e->n_failures - MOST_LISTED);
}

/* ---- public ------------------------------------------------------------------------------------------------------------- */

static hardy_status write_format(hy_outfile *f, const hardy_evaluation *e, hardy_evaluation_format format, hardy_error *err)
{
	switch (format) {
	case HARDY_EVALUATION_TEXT:
		write_text(f, e);
		return HARDY_OK;
	case HARDY_EVALUATION_JSON:
		return write_json(f, e, err);
	case HARDY_EVALUATION_CSV:
		write_csv(f, e);
		return HARDY_OK;
	case HARDY_EVALUATION_CSV_HEART:
		write_heart_csv(f, e);
		return HARDY_OK;
	}
	return hy_fail(err, HARDY_ERROR_ARGUMENT, "evaluation: format %d is unknown", (int)format);
}

hardy_status hardy_evaluation_write(const hardy_evaluation *e, hardy_evaluation_format format, const hardy_sink *sink,
                                    hardy_error *err)
{
	hy_outfile f = {.sink = sink};
	const hardy_status status = write_format(&f, e, format, err);
	return status ? status : hy_outfile_commit(&f, err);
}

/* How tables of a format begin, or what they hold. */
static const char *mark_of(hardy_evaluation_format format, bool overwrite)
{
	if (overwrite)
		return HY_REPLACE_ANY;
	return format == HARDY_EVALUATION_CSV         ? CSV_TITLES
	       : format == HARDY_EVALUATION_CSV_HEART ? ",lv_edv_ml,lv_edv_ml_ref,"
	       : format == HARDY_EVALUATION_JSON      ? "\"tolerance_mm\""
	                                              : NULL;
}

hardy_status hardy_evaluation_check(hardy_evaluation_format format, const char *path, bool overwrite, hardy_error *err)
{
	return hy_outfile_check(path, mark_of(format, overwrite), err);
}

hardy_status hardy_evaluation_save(const hardy_evaluation *e, hardy_evaluation_format format, const char *path, bool overwrite,
                                   hardy_error *err)
{
	hy_outfile file;
	hy_parts_remove_beside(path);
	hardy_status status = hy_outfile_open(&file, path, mark_of(format, overwrite), err);
	if (status != HARDY_OK)
		return status;
	status = write_format(&file, e, format, err);
	if (status != HARDY_OK) {
		hy_outfile_discard(&file);
		return status;
	}
	return hy_outfile_commit(&file, err);
}
