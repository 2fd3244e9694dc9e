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

static void add_options(hy_json_maker *m, cJSON *root, const hardy_evaluate_options *o)
{
	static const char *const rules[] = {"undefined", "one", "zero"};
	cJSON *to = hy_json_put_object(m, root, "options");
	hy_json_put_number(m, to, "tolerance_mm", o->tolerance_mm);
	hy_json_put_text(m, to, "empty", rules[o->empty]);
	hy_json_put_text(m, to, "hd95", o->hd95_directed ? "directed" : "pooled");
	hy_json_put_text(m, to, "assd", o->assd_directed ? "directed" : "pooled");
	hy_json_put_text(m, to, "nsd", o->nsd_surfels ? "surfels" : "voxels");
	hy_json_put_flag(m, to, "labelled_slices", o->labelled_slices);
	hy_json_put_flag(m, to, "own_labels", o->own_labels);
	hy_json_put_flag(m, to, "class_numbers", o->class_numbers);
	hy_json_put_flag(m, to, "with_training", o->with_training);
}

static void add_mean(hy_json_maker *m, cJSON *to, const char *name, const hardy_score_mean *s)
{
	cJSON *item = hy_json_put_object(m, to, name);
	hy_json_put_number(m, item, "mean", s->mean);
	hy_json_put_number(m, item, "sd", s->sd);
	hy_json_put_number(m, item, "n", (double)s->n);
	hy_json_put_number(m, item, "n_undefined", (double)s->n_undefined);
}

static void add_cases(hy_json_maker *m, cJSON *root, const hardy_evaluation *e)
{
	cJSON *cases = hy_json_put_list(m, root, "cases");
	for (size_t i = 0; i < e->n_cases; i++) {
		const hardy_score_row *row = &e->rows[i * e->n_classes];
		cJSON *item = hy_json_put_object(m, cases, NULL);
		hy_json_put_text(m, item, "case", row->name);
		hy_json_put_text(m, item, "subject", row->subject);
		hy_json_put_text(m, item, "phase", row->phase);
		hy_json_put_text(m, item, "site", row->site);
		hy_json_put_number(m, item, "n_slices", (double)row->n_slices);
		cJSON *classes = hy_json_put_object(m, item, "classes");
		for (size_t c = 0; c < e->n_classes; c++, row++) {
			cJSON *scores = hy_json_put_object(m, classes, row->class_name);
			hy_json_put_text(m, scores, "state", hardy_row_state_name(row->state));
			for (int k = 0; k < HARDY_N_SCORES; k++)
				hy_json_put_number(m, scores, hardy_score_name((hardy_score)k), row->value[k]);
		}
	}
}

static void add_classes(hy_json_maker *m, cJSON *root, const hardy_evaluation *e)
{
	cJSON *classes = hy_json_put_object(m, root, "classes");
	for (size_t c = 0; c < e->n_classes; c++) {
		const hardy_class_scores *s = &e->classes[c];
		cJSON *item = hy_json_put_object(m, classes, s->class_name);
		cJSON *states = hy_json_put_object(m, item, "states");
		for (int k = 0; k < HARDY_N_ROW_STATES; k++)
			hy_json_put_number(m, states, hardy_row_state_name((hardy_row_state)k), (double)s->n_state[k]);
		for (int k = 0; k < HARDY_N_SCORES; k++)
			add_mean(m, item, hardy_score_name((hardy_score)k), &s->score[k]);
	}
	cJSON *mean = hy_json_put_object(m, root, "mean");
	for (int k = 0; k < HARDY_N_SCORES; k++)
		hy_json_put_number(m, mean, hardy_score_name((hardy_score)k), e->mean[k]);
}

static void add_hearts(hy_json_maker *m, cJSON *root, const hardy_evaluation *e)
{
	cJSON *hearts = hy_json_put_list(m, root, "subjects");
	for (size_t i = 0; i < e->n_hearts; i++) {
		const hardy_heart_row *row = &e->hearts[i];
		cJSON *item = hy_json_put_object(m, hearts, NULL);
		hy_json_put_text(m, item, "subject", row->subject);
		hy_json_put_text(m, item, "site", row->site);
		cJSON *prediction = hy_json_put_object(m, item, "prediction");
		cJSON *reference = hy_json_put_object(m, item, "reference");
		cJSON *difference = hy_json_put_object(m, item, "difference");
		for (int k = 0; k < HARDY_N_HEART_INDICES; k++) {
			const char *name = hardy_heart_index_name((hardy_heart_index)k);
			hy_json_put_number(m, prediction, name, row->prediction[k]);
			hy_json_put_number(m, reference, name, row->reference[k]);
			hy_json_put_number(m, difference, name, row->prediction[k] - row->reference[k]);
		}
	}
	cJSON *difference = hy_json_put_object(m, root, "subject_difference");
	for (int k = 0; k < HARDY_N_HEART_INDICES; k++)
		add_mean(m, difference, hardy_heart_index_name((hardy_heart_index)k), &e->heart_difference[k]);
}

static void add_forecast(hy_json_maker *m, cJSON *root, const hardy_forecast *f)
{
	cJSON *item = hy_json_put_object(m, root, "predicted_dice");
	hy_json_put_number(m, item, "n", (double)f->n);
	hy_json_put_number(m, item, "subjects", (double)f->n_subjects);
	hy_json_put_number(m, item, "below_0.7", (double)f->n_below);
	hy_json_put_number(m, item, "auc", f->auc);
	hy_json_put_number(m, item, "auc_low", f->auc_low);
	hy_json_put_number(m, item, "auc_high", f->auc_high);
	hy_json_put_number(m, item, "mean_absolute_error", f->error);
	hy_json_put_number(m, item, "below_bound", f->below_low);
}

static hardy_status write_json(hy_outfile *f, const hardy_evaluation *e, hardy_error *err)
{
	hy_json_maker m = {false};
	cJSON *root = cJSON_CreateObject();
	hy_json_put_text(&m, root, "version", HARDY_VERSION);
	add_options(&m, root, &e->options);
	hy_json_put_number(&m, root, "n_cases", (double)e->n_cases);
	add_classes(&m, root, e);
	add_hearts(&m, root, e);
	if (e->forecast.n)
		add_forecast(&m, root, &e->forecast);
	add_cases(&m, root, e);
	cJSON *failures = hy_json_put_list(&m, root, "failures");
	for (size_t i = 0; i < e->n_failures; i++) {
		cJSON *item = hy_json_put_object(&m, failures, NULL);
		hy_json_put_text(&m, item, "case", e->failures[i].name);
		hy_json_put_flag(&m, item, "missing", e->failures[i].missing);
		hy_json_put_text(&m, item, "message", e->failures[i].message);
	}
	char *text = hy_json_made(&m, root, true);
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
