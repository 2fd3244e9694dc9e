/*
 * run.c: what a training writes besides models. Every file is replaced whole, so that none is ever half-written.
 */
#include "training/run.h"

#include "base/files.h"
#include "base/json.h"
#include "base/memory.h"
#include "predict/jobs.h"
#include "training/curves.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define CSV_MARK   "epoch,step,learning_rate,"
#define JSONL_MARK "{\"epoch\": "

/* ---- paths -------------------------------------------------------------------------------------------------------------- */

hardy_status hy_run_init(hy_run *r, const char *folder, hardy_error *err)
{
	*r = (hy_run){
	    .json = hy_path_join(folder, "run.json"),
	    .csv = hy_path_join(folder, "metrics.csv"),
	    .jsonl = hy_path_join(folder, "metrics.jsonl"),
	    .curves = hy_path_join(folder, "progress.svg"),
	    .page = hy_path_join(folder, "progress.html"),
	    .best = hy_path_join(folder, "best.safetensors"),
	    .last = hy_path_join(folder, "last.safetensors"),
	    .checkpoint = hy_path_join(folder, "checkpoint.safetensors"),
	    .lock_path = hy_path_join(folder, "training.lock"),
	};
	if (r->json && r->csv && r->jsonl && r->curves && r->page && r->best && r->last && r->checkpoint && r->lock_path)
		return HARDY_OK;
	hy_run_clear(r);
	return hy_fail_memory(err, folder, strlen(folder), 1);
}

void hy_run_clear(hy_run *r)
{
	hy_free(r->json);
	hy_free(r->csv);
	hy_free(r->jsonl);
	hy_free(r->curves);
	hy_free(r->page);
	hy_free(r->best);
	hy_free(r->last);
	hy_free(r->checkpoint);
	hy_free(r->lock_path);
	hy_text_clear(&r->text[0]);
	hy_text_clear(&r->text[1]);
	memset(r, 0, sizeof *r);
}

/* The files of a run, and what each holds when a run wrote it. */
typedef struct run_file {
	const char *path, *mark;
} run_file;

enum { N_FILES = 8 };

static void list_files(const hy_run *r, run_file out[N_FILES])
{
	const run_file list[N_FILES] = {{r->json, HY_MARK_JSON},     {r->csv, CSV_MARK},
	                                {r->jsonl, JSONL_MARK},      {r->best, HY_MARK_JSON},
	                                {r->last, HY_MARK_JSON},     {r->checkpoint, HY_MARK_JSON},
	                                {r->curves, HY_CURVES_MARK}, {r->page, HY_PROGRESS_PAGE_MARK}};
	memcpy(out, list, sizeof list);
}

hardy_status hy_run_check(const hy_run *r, const hardy_train_options *o, hardy_error *err)
{
	run_file files[N_FILES];
	hardy_status status = HARDY_OK;
	if (o->resume)
		return HARDY_OK;
	if (hy_path_exists(r->json) && !o->overwrite)
		return hy_fail(err, HARDY_ERROR_ARGUMENT,
		               "%s: holds a run already: go on with it (resume), replace it (overwrite), or name another folder",
		               o->output);
	list_files(r, files);
	for (int i = 0; i < N_FILES && !status; i++)
		status = hy_outfile_check(files[i].path, o->overwrite ? HY_REPLACE_ANY : files[i].mark, err);
	return status;
}

hardy_status hy_run_open(const hy_run *r, const hardy_train_options *o, hardy_error *err)
{
	run_file files[N_FILES];
	hardy_status status = hy_run_check(r, o, err);
	list_files(r, files);
	for (int i = 0; i < N_FILES && !status && !o->resume; i++)
		if (hy_path_exists(files[i].path) && unlink(files[i].path))
			status = hy_fail_errno(err, HARDY_ERROR_IO, "%s: cannot be removed", files[i].path);
	return status;
}

hardy_status hy_run_lock(hy_run *r, const hardy_train_options *o, const hardy_log *log, hardy_error *err)
{
	const size_t room = strlen(o->output) + 32;
	char *what = hy_alloc(room, 1);
	if (!what)
		return hy_fail_memory(err, o->output, room, 1);
	snprintf(what, room, "%s: is being trained already", o->output);
	r->made_folder = !hy_path_exists(o->output);
	hardy_status status = HARDY_OK;
	if (!r->made_folder || !o->resume)
		status = hy_make_output_folder(o->output, err);
	if (!status && hy_path_is_folder(o->output))
		status = hy_lock_take(&r->lock, r->lock_path, false, what, log, err);
	hy_free(what);
	return status;
}

void hy_run_unlock(hy_run *r, const hardy_train_options *o)
{
	hy_lock_drop(&r->lock);
	if (r->made_folder)
		rmdir(o->output); /* stays when something is in it */
}

/* ---- run.json ----------------------------------------------------------------------------------------------------------- */

static cJSON *number(double value)
{
	return isfinite(value) ? cJSON_CreateNumber(value) : cJSON_CreateNull();
}

static cJSON *data_to_json(const hy_training_set *set, const char *data)
{
	const hy_dataset *d = &set->dataset;
	char names[HY_MAX_CLASSES][HY_NAME_SIZE], channels[HY_MAX_CHANNELS][HY_NAME_SIZE];
	for (int i = 0; i < d->n_classes; i++)
		snprintf(names[i], HY_NAME_SIZE, "%s", d->classes[i].name);
	memcpy(channels, d->channels, sizeof channels);
	cJSON *json = cJSON_CreateObject();
	const bool good = hy_json_add(json, "name", cJSON_CreateString(hy_path_name(data))) &&
	                  hy_json_add(json, "layout", cJSON_CreateString(hy_layout_name(d->layout))) &&
	                  hy_json_add(json, "channels", hy_names_to_json(channels, (size_t)d->n_channels)) &&
	                  hy_json_add(json, "classes", hy_names_to_json(names, (size_t)d->n_classes)) &&
	                  hy_json_add(json, "train", hy_names_to_json(set->split.train, set->split.n_train)) &&
	                  hy_json_add(json, "validation", hy_names_to_json(set->split.validation, set->split.n_validation)) &&
	                  hy_json_add(json, "test", hy_names_to_json(set->split.test, set->split.n_test)) &&
	                  hy_json_add(json, "training_cases", cJSON_CreateNumber((double)set->n_cases)) &&
	                  hy_json_add(json, "training_slices", cJSON_CreateNumber((double)set->calibration.n)) &&
	                  hy_json_add(json, "validation_slices", cJSON_CreateNumber((double)set->validation.n)) &&
	                  hy_json_add(json, "checksum", cJSON_CreateNumber(set->checksum));
	return hy_json_keep(good, json);
}

static cJSON *validation_to_json(const hy_validation *v)
{
	cJSON *json = cJSON_CreateObject();
	if (hy_json_add(json, "ftn_iou", number(v->iou[0])) && hy_json_add(json, "ftn_dice", number(v->dice[0])) &&
	    hy_json_add(json, "stn_iou", number(v->iou[1])) && hy_json_add(json, "stn_dice", number(v->dice[1])))
		return json;
	cJSON_Delete(json);
	return NULL;
}

static cJSON *run_to_json(const hardy_train_options *o, const hy_training_set *set, const hy_run_facts *f)
{
	cJSON *json = cJSON_CreateObject();
	bool good = hy_json_add(json, "hardy_version", cJSON_CreateString(HARDY_VERSION)) &&
	            hy_json_add(json, "status", cJSON_CreateString(f->status)) &&
	            hy_json_add(json, "recipe", cJSON_CreateString(o->recipe)) &&
	            hy_json_add(json, "summary", cJSON_CreateString(f->recipe->summary)) &&
	            hy_json_add(json, "perturbations", hy_recipe_to_json(f->recipe, o)) &&
	            hy_json_add(json, "options", hy_options_to_json(o, false)) &&
	            hy_json_add(json, "data_set", data_to_json(set, o->data)) &&
	            hy_json_add(json, "steps", number((double)f->steps)) &&
	            hy_json_add(json, "steps_made", number((double)f->step)) &&
	            hy_json_add(json, "steps_per_epoch", number((double)f->steps_per_epoch)) &&
	            hy_json_add(json, "threads", number(f->threads)) && hy_json_add(json, "seconds", number(f->seconds));
	if (good && f->ranks > 1)
		good = hy_json_add(json, "ranks", number(f->ranks));
	good = good && hy_json_add(json, "model", cJSON_CreateString(hy_model_that_counts(o->schedule, f->best_epoch > 0)));
	if (good && f->step_s > 0)
		good = hy_json_add(json, "timed_seconds_per_step", number(f->step_s));
	if (good && f->last)
		good = hy_json_add(json, "validation_of_last", validation_to_json(f->last));
	if (good && f->best)
		good = hy_json_add(json, "validation_of_best", validation_to_json(f->best)) &&
		       hy_json_add(json, "epoch_of_best", number((double)f->best_epoch));
	return hy_json_keep(good, json);
}

static hardy_status write_text(const char *path, const char *mark, const char *text, size_t size, hardy_error *err)
{
	hy_outfile f;
	const hardy_status status = hy_outfile_open(&f, path, mark, err);
	if (status)
		return status;
	hy_outfile_write(&f, text, size);
	return hy_outfile_commit(&f, err);
}

hardy_status hy_run_write(const hy_run *r, const hardy_train_options *o, const hy_training_set *set, const hy_run_facts *facts,
                          hardy_error *err)
{
	cJSON *json = run_to_json(o, set, facts);
	char *text = json ? hy_json_print(json, true) : NULL;
	cJSON_Delete(json);
	if (!text)
		return hy_fail(err, HARDY_ERROR_MEMORY, "%s: out of memory", r->json);
	const size_t n = strlen(text);
	text[n] = '\n'; /* instead of the terminating zero */
	const hardy_status status = write_text(r->json, HY_MARK_JSON, text, n + 1, err);
	cJSON_free(text);
	return status;
}

/* ---- metrics ------------------------------------------------------------------------------------------------------------ */

enum { CSV, JSONL, N_COLUMNS = 4 + HY_N_TERMS + 6 };

typedef struct column {
	const char *name;
	double value;
	bool whole;
} column;

static void list_columns(const hy_metrics_row *row, column out[N_COLUMNS])
{
	int n = 0;
	out[n++] = (column){"epoch", (double)row->epoch, true};
	out[n++] = (column){"step", (double)row->step, true};
	out[n++] = (column){"learning_rate", row->learning_rate, false};
	out[n++] = (column){"loss", row->loss, false};
	for (int k = 0; k < HY_N_TERMS; k++)
		out[n++] = (column){hy_term_names[k], row->terms[k], false};
	out[n++] = (column){"val_ftn_iou", row->validation.iou[0], false};
	out[n++] = (column){"val_ftn_dice", row->validation.dice[0], false};
	out[n++] = (column){"val_stn_iou", row->validation.iou[1], false};
	out[n++] = (column){"val_stn_dice", row->validation.dice[1], false};
	out[n++] = (column){"seconds", row->seconds, false};
	out[n++] = (column){"steps_per_s", row->steps_per_s, false};
}

static void put_value(hy_text *t, const column *c, const char *absent)
{
	if (!isfinite(c->value))
		hy_text_printf(t, "%s", absent);
	else
		hy_text_printf(t, c->whole ? "%.0f" : "%.9g", c->value);
}

static void put_header(hy_text *t, const column *columns)
{
	for (int i = 0; i < N_COLUMNS; i++)
		hy_text_printf(t, "%s%s", columns[i].name, i + 1 < N_COLUMNS ? "," : "\n");
}

static void put_row(hy_run *r, const column *columns)
{
	if (!r->text[CSV].used)
		put_header(&r->text[CSV], columns);
	for (int i = 0; i < N_COLUMNS; i++) {
		put_value(&r->text[CSV], &columns[i], "");
		hy_text_printf(&r->text[CSV], i + 1 < N_COLUMNS ? "," : "\n");
		hy_text_printf(&r->text[JSONL], "%s\"%s\": ", i ? ", " : "{", columns[i].name);
		put_value(&r->text[JSONL], &columns[i], "null");
	}
	hy_text_printf(&r->text[JSONL], "}\n");
}

static hardy_status write_table(const char *path, const char *mark, const hy_text *t, hardy_error *err)
{
	return t->failed ? hy_fail_memory(err, path, t->used, 1) : write_text(path, mark, t->data, t->used, err);
}

/* Adds the curves of all rows to *svg. */
static hardy_status draw_curves(const hy_run *r, hy_text *svg, hardy_error *err)
{
	char *copy = hy_strdup(r->text[CSV].data ? r->text[CSV].data : "");
	if (!copy)
		return hy_fail_memory(err, r->curves, r->text[CSV].used, 1);
	hy_curves_draw(svg, copy, r->curves);
	hy_free(copy);
	return svg->failed ? hy_fail_memory(err, r->curves, svg->used, 1) : HARDY_OK;
}

static hardy_status write_curves(const hy_run *r, hardy_error *err)
{
	hy_text svg = {0};
	hardy_status status = draw_curves(r, &svg, err);
	if (!status)
		status = write_table(r->curves, HY_CURVES_MARK, &svg, err);
	hy_text_clear(&svg);
	return status;
}

hardy_status hy_run_show(const hy_run *r, hy_progress_facts *p, hardy_error *err)
{
	hy_text svg = {0};
	hardy_status status = draw_curves(r, &svg, err);
	char *folder = hy_strdup(r->page);
	if (!status && !folder)
		status = hy_fail_memory(err, r->page, strlen(r->page), 1);
	if (!status) {
		char *slash = strrchr(folder, '/');
		if (slash)
			*slash = 0;
		p->title = folder;
		p->curves = &svg;
		status = hy_progress_page_write(r->page, p, err);
		p->title = NULL;
		p->curves = NULL;
	}
	hy_free(folder);
	hy_text_clear(&svg);
	return status;
}

static hardy_status write_tables(hy_run *r, hardy_error *err)
{
	hardy_status status = write_table(r->csv, CSV_MARK, &r->text[CSV], err);
	if (!status)
		status = write_table(r->jsonl, JSONL_MARK, &r->text[JSONL], err);
	return status ? status : write_curves(r, err);
}

hardy_status hy_run_add(hy_run *r, const hy_metrics_row *row, hardy_error *err)
{
	column columns[N_COLUMNS];
	list_columns(row, columns);
	put_row(r, columns);
	const hardy_status status = write_tables(r, err);
	if (!status)
		r->n_rows++;
	return status;
}

/* Reads a table's first n_lines lines; what is missing is a warning. */
static hardy_status read_lines(hy_run *r, int which, const char *path, int64_t n_lines, const hardy_log *log, hardy_error *err)
{
	char *text = NULL;
	size_t size = 0, used = 0;
	if (hy_path_exists(path)) {
		const hardy_status status = hy_file_read(path, &text, &size, err);
		if (status)
			return status;
	}
	int64_t n = 0;
	for (const char *end; n < n_lines && text && (end = memchr(text + used, '\n', size - used)); n++)
		used = (size_t)(end - text) + 1;
	if (n < n_lines)
		hy_warn(log, "%s: has %lld lines, want %lld: rows are missing", path, (long long)n, (long long)n_lines);
	hy_text_clear(&r->text[which]);
	hy_text_add(&r->text[which], text, used);
	hy_free(text);
	return HARDY_OK;
}

hardy_status hy_run_truncate(hy_run *r, int64_t n_rows, const hardy_log *log, hardy_error *err)
{
	hardy_status status = read_lines(r, CSV, r->csv, n_rows ? n_rows + 1 : 0, log, err);
	if (!status)
		status = read_lines(r, JSONL, r->jsonl, n_rows, log, err);
	if (!status)
		status = write_tables(r, err);
	if (!status)
		r->n_rows = n_rows;
	return status;
}
