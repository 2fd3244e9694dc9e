/*
 * stress_report.c: means, shares of failures, and how hardy_stress writes them.
 */
#include "base/files.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "experiment/stress.h"
#include "metric/statistics.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const networks[2] = {"FTN", "FTN+STN"};

const char *hy_stress_name(int kind)
{
	return kind == HY_STRESS_NONE ? "none" : kind == HY_STRESS_SHIFT ? "shift" : hy_artefact_name((hy_artefact_kind)kind);
}

double hy_stress_severity(int kind, int level)
{
	static const double shift_mm[HY_N_LEVELS] = {10, 20, 30, 40, 50};
	return kind == HY_STRESS_SHIFT ? shift_mm[level - 1] : hy_artefact_severity((hy_artefact_kind)kind, level);
}

/* ---- cells -------------------------------------------------------------------------------------------------------------- */

static bool belongs(const hy_stress_row *row, int kind, int level)
{
	return row->level == level && (row->kind == kind || (kind == HY_STRESS_END && row->kind >= 0 && row->kind < HY_N_ACDCC));
}

hardy_status hy_stress_cell_of(const hy_stress_result *r, int kind, int level, int which, hy_stress_cell *cell,
                               hardy_error *err)
{
	double *values = hy_alloc(r->n_rows, sizeof *values);
	hy_stress_cell c = {.below_half = NAN, .below_tenth = NAN};
	size_t n = 0, half = 0, tenth = 0;
	if (!values)
		return hy_fail_memory(err, "scores", r->n_rows, sizeof *values);
	for (size_t i = 0; i < r->n_rows; i++) {
		const double v = r->rows[i].mean[which];
		if (!belongs(&r->rows[i], kind, level))
			continue;
		values[n++] = v;
		half += v < .5;
		tenth += v < .1;
	}
	const hy_summary s = hy_summarise(values, n);
	c.n = s.n;
	c.mean = s.mean;
	c.sd = s.sd;
	if (s.n) {
		c.below_half = (double)half / (double)s.n;
		c.below_tenth = (double)tenth / (double)s.n;
	}
	for (int k = 1; k < r->n_classes; k++) {
		n = 0;
		for (size_t i = 0; i < r->n_rows; i++) {
			if (belongs(&r->rows[i], kind, level))
				values[n++] = r->rows[i].dice[which][k];
		}
		c.dice[k] = hy_summarise(values, n).mean;
	}
	hy_free(values);
	*cell = c;
	return HARDY_OK;
}

hardy_status hy_stress_forecast(const hy_stress_result *r, bool sweep, hardy_forecast *f, hardy_error *err)
{
	size_t n = 0;
	hy_foretold *items = hy_alloc(r->n_rows, sizeof *items);
	if (!items)
		return hy_fail_memory(err, "scores", r->n_rows, sizeof *items);
	for (size_t i = 0; i < r->n_rows; i++) {
		const hy_stress_row *row = &r->rows[i];
		if ((row->level > 0) == sweep)
			items[n++] = (hy_foretold){row->subject, row->predicted, row->low, row->mean[1]};
	}
	const hardy_status status = hy_forecast_judge(f, items, n, err);
	hy_free(items);
	return status;
}

/* ---- CSV ---------------------------------------------------------------------------------------------------------------- */

static void put_number(hy_outfile *f, double v)
{
	hy_outfile_csv_number(f, v, 6);
}

static void put_class_titles(hy_outfile *f, const hy_stress_result *r)
{
	for (int k = 1; k < r->n_classes; k++) {
		char title[HY_NAME_SIZE + 8];
		snprintf(title, sizeof title, "dice_%s", r->classes[k].name);
		hy_outfile_csv_text(f, title);
	}
}

#define CASE_TITLES  "subject,phase,artefact,level,copy,network"
#define SWEEP_TITLES "artefact,level,severity,network,n,mean_dice,sd,below_0.5,below_0.1"

const char *hy_stress_mark(const hardy_stress_options *o, int i)
{
	static const char *const marks[3] = {CASE_TITLES, HY_MARK_JSON, SWEEP_TITLES};
	return o->overwrite ? HY_REPLACE_ANY : marks[i];
}

static hardy_status write_cases(const hy_stress_result *r, const char *path, hardy_error *err)
{
	hy_outfile f = {0};
	const hardy_status status = hy_outfile_open(&f, path, hy_stress_mark(r->o, 0), err);
	if (status)
		return status;
	hy_outfile_csv_plain(&f, CASE_TITLES);
	put_class_titles(&f, r);
	hy_outfile_csv_plain(&f, "mean_dice,predicted_dice,predicted_dice_low");
	hy_outfile_csv_end(&f);
	for (size_t i = 0; i < r->n_rows; i++)
		for (int which = 0; which < 2; which++) {
			const hy_stress_row *row = &r->rows[i];
			hy_outfile_csv_text(&f, row->subject);
			hy_outfile_csv_text(&f, row->phase);
			hy_outfile_csv_plain(&f, hy_stress_name(row->kind));
			put_number(&f, row->level);
			put_number(&f, (double)row->copy);
			hy_outfile_csv_plain(&f, networks[which]);
			for (int k = 1; k < r->n_classes; k++)
				put_number(&f, row->dice[which][k]);
			put_number(&f, row->mean[which]);
			put_number(&f, which ? row->predicted : NAN);
			put_number(&f, which ? row->low : NAN);
			hy_outfile_csv_end(&f);
		}
	return hy_outfile_commit(&f, err);
}

/* Curves; level 0 is the unspoiled scan. */
static hardy_status write_sweep(const hy_stress_result *r, const char *path, hardy_error *err)
{
	hy_outfile f = {0};
	hardy_status status = hy_outfile_open(&f, path, hy_stress_mark(r->o, 2), err);
	if (status)
		return status;
	hy_outfile_csv_plain(&f, SWEEP_TITLES);
	put_class_titles(&f, r);
	hy_outfile_csv_end(&f);
	for (int kind = 0; kind < HY_STRESS_END; kind++)
		for (int level = 0; level <= HY_N_LEVELS; level++)
			for (int which = 0; which < 2 && !status; which++) {
				hy_stress_cell c;
				status = hy_stress_cell_of(r, level ? kind : HY_STRESS_NONE, level, which, &c, err);
				if (status)
					break;
				hy_outfile_csv_plain(&f, hy_stress_name(kind));
				put_number(&f, level);
				put_number(&f, level ? hy_stress_severity(kind, level) : NAN);
				hy_outfile_csv_plain(&f, networks[which]);
				put_number(&f, (double)c.n);
				put_number(&f, c.mean);
				put_number(&f, c.sd);
				put_number(&f, c.below_half);
				put_number(&f, c.below_tenth);
				for (int k = 1; k < r->n_classes; k++)
					put_number(&f, c.dice[k]);
				hy_outfile_csv_end(&f);
			}
	if (!status)
		status = hy_outfile_commit(&f, err);
	hy_outfile_discard(&f);
	return status;
}

/* ---- JSON --------------------------------------------------------------------------------------------------------------- */

static bool add_cell(const hy_stress_result *r, cJSON *list, int kind, int level, int which)
{
	hy_stress_cell c;
	cJSON *o = cJSON_CreateObject(), *dice = NULL;
	bool good = !hy_stress_cell_of(r, kind, level, which, &c, NULL) &&
	            hy_json_add(o, "artefact", cJSON_CreateString(kind == HY_STRESS_END ? "acdc-c" : hy_stress_name(kind))) &&
	            (!level || (hy_json_add(o, "level", cJSON_CreateNumber(level)) &&
	                        hy_json_add(o, "severity", hy_json_real(hy_stress_severity(kind, level))))) &&
	            hy_json_add(o, "network", cJSON_CreateString(networks[which])) &&
	            hy_json_add(o, "n", cJSON_CreateNumber((double)c.n)) && hy_json_add(o, "mean_dice", hy_json_real(c.mean)) &&
	            hy_json_add(o, "sd", hy_json_real(c.sd)) && hy_json_add(o, "below_0.5", hy_json_real(c.below_half)) &&
	            hy_json_add(o, "below_0.1", hy_json_real(c.below_tenth)) && hy_json_add(o, "dice", dice = cJSON_CreateObject());
	for (int k = 1; k < r->n_classes && good; k++)
		good = hy_json_add(dice, r->classes[k].name, hy_json_real(c.dice[k]));
	return hy_json_append(list, hy_json_keep(good, o));
}

/* null without predictions */
static bool add_forecast(const hy_stress_result *r, cJSON *to, const char *name, bool sweep)
{
	hardy_forecast f;
	if (hy_stress_forecast(r, sweep, &f, NULL))
		return false;
	cJSON *o = f.n ? cJSON_CreateObject() : cJSON_CreateNull();
	if (f.n &&
	    (!hy_json_add(o, "n", cJSON_CreateNumber((double)f.n)) ||
	     !hy_json_add(o, "subjects", cJSON_CreateNumber((double)f.n_subjects)) ||
	     !hy_json_add(o, "below_0.7", cJSON_CreateNumber((double)f.n_below)) || !hy_json_add(o, "auc", hy_json_real(f.auc)) ||
	     !hy_json_add(o, "auc_low", hy_json_real(f.auc_low)) || !hy_json_add(o, "auc_high", hy_json_real(f.auc_high)) ||
	     !hy_json_add(o, "mean_absolute_error", hy_json_real(f.error)) ||
	     !hy_json_add(o, "below_bound", hy_json_real(f.below_low)))) {
		cJSON_Delete(o);
		return false;
	}
	return hy_json_add(to, name, o);
}

static bool add_models(const hy_stress_result *r, cJSON *o)
{
	cJSON *list = cJSON_CreateArray();
	for (size_t i = 0; list && i < r->n_models; i++) {
		cJSON *text = cJSON_CreateString(r->models[i]);
		if (!hy_json_append(list, text))
			return cJSON_Delete(list), false;
	}
	return hy_json_add(o, "models", list);
}

static bool add_cells(const hy_stress_result *r, cJSON *o)
{
	cJSON *protocol, *sweep = NULL;
	bool ok = hy_json_add(o, "protocol", protocol = cJSON_CreateArray()) &&
	          hy_json_add(o, "sweep", r->o->sweep ? (sweep = cJSON_CreateArray()) : cJSON_CreateNull());
	for (int kind = HY_STRESS_NONE; kind < HY_N_ACDCC && ok; kind++)
		ok = add_cell(r, protocol, kind, 0, 0) && add_cell(r, protocol, kind, 0, 1);
	ok = ok && add_cell(r, protocol, HY_STRESS_END, 0, 0) && add_cell(r, protocol, HY_STRESS_END, 0, 1);
	for (int kind = 0; kind < HY_STRESS_END && ok && sweep; kind++)
		for (int level = 1; level <= HY_N_LEVELS && ok; level++)
			ok = add_cell(r, sweep, kind, level, 0) && add_cell(r, sweep, kind, level, 1);
	return ok;
}

static hardy_status write_json(const hy_stress_result *r, const char *path, hardy_error *err)
{
	cJSON *o = cJSON_CreateObject();
	char *text = NULL;
	if (o && hy_json_add(o, "hardy_version", cJSON_CreateString(hardy_version())) && add_models(r, o) &&
	    hy_json_add(o, "data", cJSON_CreateString(r->data)) &&
	    hy_json_add(o, "split", r->o->split ? cJSON_CreateString(r->o->split) : cJSON_CreateNull()) &&
	    hy_json_add(o, "seed", hy_json_real((double)r->o->seed)) &&
	    hy_json_add(o, "copies", cJSON_CreateNumber((double)r->o->copies)) &&
	    hy_json_add(o, "sweep_copies", cJSON_CreateNumber((double)r->o->sweep_copies)) &&
	    hy_json_add(o, "adapt", cJSON_CreateBool(r->o->adapt)) &&
	    hy_json_add(o, "stn_iterations", cJSON_CreateNumber((double)r->o->stn_iterations)) &&
	    hy_json_add(o, "tta", r->o->tta ? cJSON_CreateString(r->o->tta) : cJSON_CreateNull()) &&
	    hy_json_add(o, "cases", cJSON_CreateNumber((double)r->n_cases)) &&
	    hy_json_add(o, "cases_failed", cJSON_CreateNumber((double)r->n_failed)) &&
	    hy_json_add(o, "complete", cJSON_CreateBool(r->complete)) && add_cells(r, o) &&
	    add_forecast(r, o, "predicted_dice", false) && add_forecast(r, o, "predicted_dice_sweep", true))
		text = hy_json_print(o, true);
	cJSON_Delete(o);
	if (!text)
		return hy_fail_memory(err, path, 1, 1);
	hy_outfile f = {0};
	hardy_status status = hy_outfile_open(&f, path, hy_stress_mark(r->o, 1), err);
	if (!status) {
		hy_outfile_printf(&f, "%s\n", text);
		status = hy_outfile_commit(&f, err);
	}
	cJSON_free(text);
	return status;
}

hardy_status hy_stress_write(const hy_stress_result *r, const char *folder, hardy_error *err)
{
	static hardy_status (*const write[3])(const hy_stress_result *r, const char *path,
	                                      hardy_error *err) = {write_cases, write_json, write_sweep};
	static const char *const names[3] = {"cases.csv", "stress.json", "sweep.csv"};
	hardy_status status = HARDY_OK;
	for (int i = 0; i < (r->o->sweep ? 3 : 2) && !status; i++) {
		char *path = hy_path_join(folder, names[i]);
		status = path ? write[i](r, path, err) : hy_fail_memory(err, folder, 1, 1);
		hy_free(path);
	}
	return status;
}

/* ---- text --------------------------------------------------------------------------------------------------------------- */

static hardy_status print_row(const hy_stress_result *r, const hardy_sink *report, int kind, hardy_error *err)
{
	hy_stress_cell c[2];
	for (int which = 0; which < 2; which++) {
		const hardy_status status = hy_stress_cell_of(r, kind, 0, which, &c[which], err);
		if (status)
			return status;
	}
	hy_sink_printf(report, "%-10s %5zu", kind == HY_STRESS_END ? "all four" : hy_stress_name(kind), c[0].n);
	for (int which = 0; which < 2; which++)
		hy_sink_printf(report, "   %5.3f %5.3f %5.1f%% %5.1f%%", c[which].mean, c[which].sd, 100 * c[which].below_half,
		               100 * c[which].below_tenth);
	hy_sink_printf(report, "\n");
	return HARDY_OK;
}

static hardy_status print_forecast(const hy_stress_result *r, const hardy_sink *report, bool sweep, hardy_error *err)
{
	char text[256];
	hardy_forecast f;
	const hardy_status status = hy_stress_forecast(r, sweep, &f, err);
	if (status)
		return status;
	hy_forecast_print(&f, text, sizeof text);
	if (text[0])
		hy_sink_printf(report, "\n%s\n", text);
	return HARDY_OK;
}

static hardy_status print_curves(const hy_stress_result *r, const hardy_sink *report, int kind, hardy_error *err)
{
	hy_sink_printf(report, "%-10s", hy_stress_name(kind));
	for (int level = 1; level <= HY_N_LEVELS; level++) {
		hy_stress_cell c;
		const hardy_status status = hy_stress_cell_of(r, kind, level, 1, &c, err);
		if (status)
			return status;
		hy_sink_printf(report, "   %5.3f %4.0f%%", c.mean, 100 * c.below_half);
	}
	hy_sink_printf(report, "\n");
	return HARDY_OK;
}

hardy_status hy_stress_print(const hy_stress_result *r, const hardy_sink *report, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	hy_sink_printf(report, "Dice of %s, mean over classes; share of cases below 0.5 and 0.1\n",
	               HY_COUNT(r->n_cases - r->n_failed, "case"));
	hy_sink_printf(report, "                           FTN                        FTN+STN\n");
	hy_sink_printf(report, "artefact       n    Dice    sd   <0.5   <0.1    Dice    sd   <0.5   <0.1\n");
	for (int kind = HY_STRESS_NONE; kind < HY_N_ACDCC && !status; kind++)
		status = print_row(r, report, kind, err);
	if (!status)
		status = print_row(r, report, HY_STRESS_END, err);
	if (!status)
		status = print_forecast(r, report, false, err);
	if (status || !r->o->sweep)
		return status;
	hy_sink_printf(report, "\nBy severity, FTN+STN: Dice and share below 0.5 at levels 1 to 5\n");
	for (int kind = 0; kind < HY_STRESS_END && !status; kind++)
		status = print_curves(r, report, kind, err);
	return status ? status : print_forecast(r, report, true, err);
}
