/*
 * result.c: what is written about a run that is done or failed, and about the whole experiment.
 */
#include "base/files.h"
#include "base/json.h"
#include "base/machine.h"
#include "base/memory.h"
#include "experiment/ledger.h"
#include "experiment/process.h"
#include "training/options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { MOST_CURVE_ROWS = 60 };

/* ---- small parts -------------------------------------------------------------------------------------------------------- */

static cJSON *text_or_null(const char *text)
{
	return text ? cJSON_CreateString(text) : cJSON_CreateNull();
}

/* A number as short as `digits` behind the point allow. */
static cJSON *rounded(double value, const char *format)
{
	char text[48];
	if (!isfinite(value))
		return cJSON_CreateNull();
	snprintf(text, sizeof text, format, value);
	if (strchr(text, '.') && !strchr(text, 'e')) {
		size_t n = strlen(text);
		while (text[n - 1] == '0')
			text[--n] = 0;
		if (text[n - 1] == '.')
			text[n - 1] = 0;
	}
	return cJSON_CreateRaw(strcmp(text, "-0") ? text : "0");
}

static void print_date(char text[32])
{
	const time_t now = time(NULL);
	struct tm t;
	text[0] = 0;
	if (gmtime_r(&now, &t))
		strftime(text, 32, "%Y-%m-%dT%H:%M:%SZ", &t);
}

static void print_machine(char *text, size_t size)
{
	char name[160];
	hy_machine_name(name, sizeof name);
	snprintf(text, size, "%s, %ld processors", name, sysconf(_SC_NPROCESSORS_ONLN));
}

/* ---- from the run's folder ---------------------------------------------------------------------------------------------- */

static const char *const curve_columns[] = {
    "step",
    "loss",
    "seg",
    "rec",
    "shape_gt",
    "shape_pred",
    "hard_seg",
    "hard_rec",
    "hard_shape_pred",
    "hard_p",
    "perturbed_seg",
    "perturbed_rec",
    "perturbed_shape",
    "perturbed_consistency",
    "val_ftn_dice",
    "val_stn_dice",
};
enum { N_CURVE_COLUMNS = sizeof curve_columns / sizeof *curve_columns };

static cJSON *curve_row(const cJSON *row, const bool *used)
{
	cJSON *out = cJSON_CreateArray();
	for (int k = 0; k < N_CURVE_COLUMNS && out; k++) {
		const cJSON *value = cJSON_GetObjectItemCaseSensitive(row, curve_columns[k]);
		if (!used[k])
			continue;
		cJSON *item = cJSON_IsNumber(value) ? rounded(value->valuedouble, k ? "%.4g" : "%.0f") : cJSON_CreateNull();
		if (!hy_json_append(out, item)) {
			cJSON_Delete(out);
			return NULL;
		}
	}
	return out;
}

/* Rows of metrics.jsonl, thinned; rows with validation stay as far as there is room. */
static hardy_status add_curve(cJSON *result, const hy_study_run *run, hardy_error *err)
{
	char *path = hy_path_join(run->folder, "metrics.jsonl"), *text = NULL;
	size_t size = 0, n = 0;
	bool used[N_CURVE_COLUMNS] = {false};
	cJSON *rows = cJSON_CreateArray(), *names = cJSON_CreateArray(), *curve = cJSON_CreateArray();
	bool good = path && rows && names && curve;
	hardy_status status = good ? hy_file_read(path, &text, &size, err) : hy_fail_memory(err, "a curve", 1, size);
	for (char *at = text, *end; !status && good && at && (end = strchr(at, '\n')); at = end + 1) {
		cJSON *row = NULL;
		if ((status = hy_json_parse(at, (size_t)(end - at), &row, err)))
			hy_prefix(err, status, "%s: line %d", path, cJSON_GetArraySize(rows) + 1);
		else
			good = hy_json_append(rows, row);
	}
	if (!status && good) {
		const int total = cJSON_GetArraySize(rows);
		const cJSON *row;
		cJSON_ArrayForEach(row, rows) for (int k = 0; k < N_CURVE_COLUMNS; k++) used[k] |=
		    cJSON_IsNumber(cJSON_GetObjectItemCaseSensitive(row, curve_columns[k])) != 0;
		for (int k = 0; k < N_CURVE_COLUMNS && good; k++)
			if (used[k])
				good = hy_json_append(names, cJSON_CreateString(curve_columns[k]));
		cJSON_ArrayForEach(row, rows)
		{
			const size_t before = n * MOST_CURVE_ROWS / (size_t)total, after = (n + 1) * MOST_CURVE_ROWS / (size_t)total;
			n++;
			if (good && (total <= MOST_CURVE_ROWS || after > before))
				good = hy_json_append(curve, curve_row(row, used));
		}
	}
	if (!status && good) {
		good = hy_json_add(result, "curve_columns", names);
		names = NULL;
		good = hy_json_add(result, "curve", curve) && good;
		curve = NULL;
	}
	if (!status && !good)
		status = hy_fail_memory(err, "a curve", 1, size);
	cJSON_Delete(rows);
	cJSON_Delete(names);
	cJSON_Delete(curve);
	hy_free(text);
	hy_free(path);
	return status;
}

static hardy_status add_training(cJSON *result, const hy_study_run *run, hardy_error *err)
{
	cJSON *json = NULL;
	char *path = hy_path_join(run->folder, "run.json");
	hardy_status status = path ? hy_json_read(path, &json, err) : hy_fail_memory(err, run->folder, 1, 1);
	if (!status && !(hy_json_add(result, "train_s", rounded(hy_json_number(json, "seconds", NAN), "%.1f")) &&
	                 hy_json_add(result, "steps", rounded(hy_json_number(json, "steps", NAN), "%.0f")) &&
	                 hy_json_add(result, "threads", rounded(hy_json_number(json, "threads", NAN), "%.0f"))))
		status = hy_fail_memory(err, "a result", 1, 1);
	cJSON_Delete(json);
	hy_free(path);
	return status;
}

/* ---- scores ------------------------------------------------------------------------------------------------------------- */

static cJSON *dice_to_json(const hy_scored_set *set, const double *dice)
{
	cJSON *json = cJSON_CreateObject();
	for (int c = 0; c < set->n_classes && json; c++)
		if (!hy_json_add(json, set->classes[c], rounded(dice[c], "%.4f"))) {
			cJSON_Delete(json);
			return NULL;
		}
	return json;
}

static cJSON *cases_to_json(const hy_test_set *what, const hy_scored_set *set)
{
	cJSON *list = cJSON_CreateArray();
	for (size_t i = 0; i < set->n && list; i++) {
		const hy_scored_case *c = &set->cases[i];
		cJSON *item = cJSON_CreateObject();
		bool good = hy_json_add(item, "case", cJSON_CreateString(c->name)) &&
		            (what->kind != HY_SET_ARTEFACT || hy_json_add(item, "draw", cJSON_CreateNumber((double)c->draw))) &&
		            hy_json_add(item, "ftn", dice_to_json(set, c->dice[0])) &&
		            hy_json_add(item, "stn", dice_to_json(set, c->dice[1]));
		if (isfinite(c->predicted))
			good = good && hy_json_add(item, "predicted", rounded(c->predicted, "%.4f")) &&
			       hy_json_add(item, "predicted_low", rounded(c->low, "%.4f"));
		if (!hy_json_append(list, hy_json_keep(good, item))) {
			cJSON_Delete(list);
			return NULL;
		}
	}
	return list;
}

static cJSON *scores_to_json(const hy_study *s, const hy_scored_set *sets)
{
	cJSON *list = cJSON_CreateArray();
	for (size_t i = 0; i < s->n_sets && list; i++) {
		cJSON *item = cJSON_CreateObject();
		const bool good =
		    hy_json_add(item, "name", cJSON_CreateString(s->sets[i].name)) &&
		    hy_json_add(item, "title", cJSON_CreateString(s->sets[i].title)) &&
		    hy_json_add(item, "kind", cJSON_CreateString(hy_set_kind_names[s->sets[i].kind])) &&
		    hy_json_add(item, "cases", cases_to_json(&s->sets[i], &sets[i])) &&
		    (!sets[i].n_left_out || hy_json_add(item, "left_out", cJSON_CreateNumber((double)sets[i].n_left_out)));
		if (!hy_json_append(list, hy_json_keep(good, item))) {
			cJSON_Delete(list);
			return NULL;
		}
	}
	return list;
}

/* ---- lines -------------------------------------------------------------------------------------------------------------- */

/* What results and failures begin with. */
static cJSON *begin_line(const hy_study *s, const hy_study_run *run, const char *status)
{
	char date[32], machine[200];
	cJSON *json = cJSON_CreateObject();
	print_date(date);
	print_machine(machine, sizeof machine);
	if (hy_json_add(json, "key", cJSON_CreateString(run->key)) &&
	    hy_json_add(json, "config_hash", cJSON_CreateString(run->config_hash)) &&
	    hy_json_add(json, "data_hash", cJSON_CreateString(run->data_hash)) &&
	    hy_json_add(json, "experiment", cJSON_CreateString(s->experiment->name)) &&
	    hy_json_add(json, "preset", cJSON_CreateString(s->base.preset)) &&
	    hy_json_add(json, "method", cJSON_CreateString(run->method->name)) &&
	    hy_json_add(json, "title", cJSON_CreateString(run->method->title)) &&
	    hy_json_add(json, "recipe", cJSON_CreateString(run->recipe.text)) &&
	    hy_json_add(json, "seed", cJSON_CreateNumber((double)run->train.seed)) &&
	    hy_json_add(json, "status", cJSON_CreateString(status)) &&
	    hy_json_add(json, "hardy_version", cJSON_CreateString(HARDY_VERSION)) &&
	    hy_json_add(json, "precision", cJSON_CreateString(run->train.precision)) &&
	    hy_json_add(json, "machine", cJSON_CreateString(machine)) && hy_json_add(json, "date", cJSON_CreateString(date)))
		return json;
	cJSON_Delete(json);
	return NULL;
}

static hardy_status write_line(const hy_study *s, const hy_study_run *run, const char *name, const char *text, hardy_error *err)
{
	hy_outfile f;
	char *path = hy_path_join(run->folder, name);
	hardy_status status = path ? hy_make_output_folder(run->folder, err) : hy_fail_memory(err, name, 1, 1);
	if (!status)
		status = hy_outfile_open(&f, path, hy_study_mark(s, HY_MARK_JSON), err);
	if (!status) {
		hy_outfile_printf(&f, "%s\n", text);
		status = hy_outfile_commit(&f, err);
	}
	hy_free(path);
	return status;
}

hardy_status hy_result_write(const hy_study *s, const hy_study_run *run, const hy_scored_set *sets, double score_s, char **line,
                             hardy_error *err)
{
	cJSON *json = begin_line(s, run, "done");
	char *text = NULL;
	hardy_status status = json ? add_training(json, run, err) : hy_fail_memory(err, "a result", 1, 1);
	if (!status && !(hy_json_add(json, "score_s", rounded(score_s, "%.1f")) &&
	                 hy_json_add(json, "subjects", hy_names_to_json(run->split.train, run->split.n_train))))
		status = hy_fail_memory(err, "a result", 1, 1);
	if (!status)
		status = add_curve(json, run, err);
	if (!status) {
		cJSON *scores = scores_to_json(s, sets);
		text = hy_json_add(json, "sets", scores) ? hy_json_print(json, false) : NULL;
		status = text ? write_line(s, run, "result.json", text, err) : hy_fail_memory(err, "a result", 1, 1);
	}
	if (!status && !(*line = hy_strdup(text)))
		status = hy_fail_memory(err, "a result", strlen(text), 1);
	cJSON_free(text);
	cJSON_Delete(json);
	return status;
}

hardy_status hy_failure_write(const hy_study *s, const hy_study_run *run, const hardy_error *why, hardy_error *err)
{
	cJSON *json = begin_line(s, run, "failed");
	char *text = hy_json_add(json, "error", cJSON_CreateString(why->message)) ? hy_json_print(json, false) : NULL;
	const hardy_status status = text ? write_line(s, run, "failed.json", text, err) : hy_fail_memory(err, "a failure", 1, 1);
	cJSON_free(text);
	cJSON_Delete(json);
	return status;
}

/* ---- experiment.json ---------------------------------------------------------------------------------------------------- */

static const char *const state_names[] = {"waiting", "begun", "failed", "done"};

static cJSON *methods_to_json(const hy_study *s)
{
	cJSON *list = cJSON_CreateArray();
	for (size_t i = 0; i < s->n_methods && list; i++) {
		const hy_method *m = s->methods[i];
		hy_recipe r;
		cJSON *item = cJSON_CreateObject();
		const bool good = !hy_recipe_read(m->recipe, &r, NULL) && hy_json_add(item, "name", cJSON_CreateString(m->name)) &&
		                  hy_json_add(item, "title", cJSON_CreateString(m->title)) &&
		                  hy_json_add(item, "recipe", cJSON_CreateString(m->recipe)) &&
		                  hy_json_add(item, "summary", cJSON_CreateString(r.summary)) &&
		                  hy_json_add(item, "options", cJSON_CreateString(m->options));
		if (!hy_json_append(list, hy_json_keep(good, item))) {
			cJSON_Delete(list);
			return NULL;
		}
	}
	return list;
}

static cJSON *all_sets_to_json(const hy_study *s)
{
	cJSON *list = cJSON_CreateArray();
	for (size_t i = 0; i < s->n_sets && list; i++) {
		const hy_test_set *set = &s->sets[i];
		const hy_source *source = &s->sources[set->source];
		cJSON *item = cJSON_CreateObject();
		bool good = hy_json_add(item, "name", cJSON_CreateString(set->name)) &&
		            hy_json_add(item, "title", cJSON_CreateString(set->title)) &&
		            hy_json_add(item, "kind", cJSON_CreateString(hy_set_kind_names[set->kind])) &&
		            hy_json_add(item, "path", cJSON_CreateString(source->folder)) &&
		            hy_json_add(item, "labels", text_or_null(source->labels)) &&
		            hy_json_add(item, "classes", text_or_null(source->classes)) &&
		            hy_json_add(item, "labelled_slices", cJSON_CreateBool(source->labelled_slices)) &&
		            hy_json_add(item, "grid", cJSON_CreateString(set->kind == HY_SET_ARTEFACT ? "protocol" : "own"));
		if (good && set->kind != HY_SET_SITE)
			good = hy_json_add(item, "subjects", hy_names_to_json(s->runs[0].split.test, s->runs[0].split.n_test));
		if (!hy_json_append(list, hy_json_keep(good, item))) {
			cJSON_Delete(list);
			return NULL;
		}
	}
	return list;
}

static cJSON *runs_to_json(const hy_study *s)
{
	cJSON *list = cJSON_CreateArray();
	for (size_t i = 0; i < s->n_runs && list; i++) {
		const hy_study_run *r = &s->runs[i];
		char folder[128];
		snprintf(folder, sizeof folder, "runs/%s", r->name);
		cJSON *item = cJSON_CreateObject();
		const bool good = hy_json_add(item, "name", cJSON_CreateString(r->name)) &&
		                  hy_json_add(item, "method", cJSON_CreateString(r->method->name)) &&
		                  hy_json_add(item, "seed", cJSON_CreateNumber((double)r->train.seed)) &&
		                  hy_json_add(item, "key", cJSON_CreateString(r->key)) &&
		                  hy_json_add(item, "folder", cJSON_CreateString(folder)) &&
		                  hy_json_add(item, "model", cJSON_CreateString(hy_study_scores_last(r) ? "last" : "best")) &&
		                  hy_json_add(item, "status", cJSON_CreateString(state_names[r->state])) &&
		                  hy_json_add(item, "configuration", cJSON_Duplicate(r->config, true));
		if (!hy_json_append(list, hy_json_keep(good, item))) {
			cJSON_Delete(list);
			return NULL;
		}
	}
	return list;
}

static cJSON *seeds_to_json(const hy_study *s)
{
	cJSON *list = cJSON_CreateArray();
	for (int64_t i = 0; i < s->o->seeds && list; i++)
		if (!hy_json_append(list, cJSON_CreateNumber((double)(s->o->first_seed + i)))) {
			cJSON_Delete(list);
			return NULL;
		}
	return list;
}

static cJSON *commands_to_json(const hy_study *s)
{
	cJSON *list = cJSON_CreateArray();
	char *text = hy_command_text(s, "hardy", HY_COMMAND_ALL, NULL);
	if (list && text && hy_json_append(list, cJSON_CreateString(text))) {
		hy_free(text);
		return list;
	}
	hy_free(text);
	cJSON_Delete(list);
	return NULL;
}

hardy_status hy_study_write(const hy_study *s, hardy_error *err)
{
	char date[32], machine[200];
	hy_outfile f;
	char *path = hy_study_path(s, "experiment.json"), *text = NULL;
	cJSON *json = cJSON_CreateObject();
	print_date(date);
	print_machine(machine, sizeof machine);
	if (path && hy_json_add(json, "experiment", cJSON_CreateString(s->experiment->name)) &&
	    hy_json_add(json, "title", cJSON_CreateString(s->experiment->title)) &&
	    hy_json_add(json, "hardy_version", cJSON_CreateString(HARDY_VERSION)) &&
	    hy_json_add(json, "result_version", cJSON_CreateNumber(HY_RESULT_VERSION)) &&
	    hy_json_add(json, "date", cJSON_CreateString(date)) && hy_json_add(json, "machine", cJSON_CreateString(machine)) &&
	    hy_json_add(json, "preset", cJSON_CreateString(s->base.preset)) &&
	    hy_json_add(json, "precision", cJSON_CreateString(s->base.precision)) && hy_json_add(json, "seeds", seeds_to_json(s)) &&
	    hy_json_add(json, "splits", cJSON_CreateString(s->splits)) && hy_json_add(json, "methods", methods_to_json(s)) &&
	    hy_json_add(json, "sets", all_sets_to_json(s)) && hy_json_add(json, "options", hy_options_to_json(&s->base, true)) &&
	    hy_json_add(json, "copies", cJSON_CreateNumber((double)s->o->copies)) &&
	    hy_json_add(json, "adapt", cJSON_CreateBool(s->o->adapt)) && hy_json_add(json, "commands", commands_to_json(s)) &&
	    hy_json_add(json, "runs", runs_to_json(s)))
		text = hy_json_print(json, true);
	cJSON_Delete(json);
	hardy_status status =
	    text ? hy_outfile_open(&f, path, hy_study_mark(s, HY_MARK_JSON), err) : hy_fail_memory(err, "experiment.json", 1, 1);
	if (!status) {
		hy_outfile_printf(&f, "%s\n", text);
		status = hy_outfile_commit(&f, err);
	}
	cJSON_free(text);
	hy_free(path);
	return status;
}
