/*
 * jobs.c: turns arguments into models and scans.
 */
#include "predict/jobs.h"

#include "base/files.h"
#include "base/json.h"
#include "base/machine.h"
#include "base/memory.h"
#include "base/text.h"
#include "image/dicom.h"
#include "image/nifti.h"
#include "predict/bids.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* ---- models ------------------------------------------------------------------------------------------------------------- */

const char *hy_model_that_counts(const char *schedule, bool has_best)
{
	return has_best && strcmp(schedule, "one-cycle") != 0 ? "best.safetensors" : "last.safetensors";
}

/* FOLDER/NAME into *model if it is there. */
static hardy_status model_if_there(const char *folder, const char *name, char **model, hardy_error *err)
{
	char *path = hy_path_join(folder, name);
	if (!path)
		return hy_fail_memory(err, folder, 1, strlen(folder) + strlen(name) + 2);
	if (hy_path_exists(path))
		*model = path;
	else
		hy_free(path);
	return HARDY_OK;
}

/* What run.json says; of earlier versions, which did not, by the same rule. */
static const char *model_of_run(const cJSON *run)
{
	const cJSON *name = cJSON_GetObjectItemCaseSensitive(run, "model");
	const cJSON *schedule = cJSON_GetObjectItemCaseSensitive(cJSON_GetObjectItemCaseSensitive(run, "options"), "schedule");
	if (cJSON_IsString(name))
		return name->valuestring;
	return hy_model_that_counts(cJSON_IsString(schedule) ? schedule->valuestring : "",
	                            cJSON_GetObjectItemCaseSensitive(run, "epoch_of_best") != NULL);
}

static hardy_status model_of_run_file(const char *folder, const char *path, char **model, hardy_error *err)
{
	cJSON *run = NULL;
	hardy_status status = hy_json_read(path, &run, err);
	if (status)
		return status;
	const char *name = model_of_run(run);
	if (!hy_ends_with(name, ".safetensors") || strchr(name, '/'))
		status = hy_fail(err, HARDY_ERROR_FORMAT, "%s: \"model\" is \"%s\", want the name of a .safetensors file", path, name);
	if (!status)
		status = model_if_there(folder, name, model, err);
	if (!status && !*model)
		status = hy_fail(
		    err, HARDY_ERROR_DATA,
		    "%s: the run's model, %s, is not there: finish the training (train with resume), or name a .safetensors file",
		    folder, name);
	cJSON_Delete(run);
	return status;
}

static hardy_status model_in(const char *folder, char **model, hardy_error *err)
{
	static const char *const names[] = {"best.safetensors", "model.safetensors", "last.safetensors"};
	char *json = NULL;
	hardy_status status = model_if_there(folder, "run.json", &json, err);
	if (!status && json)
		status = model_of_run_file(folder, json, model, err);
	for (int i = 0; i < 3 && !status && !json && !*model; i++)
		status = model_if_there(folder, names[i], model, err);
	hy_free(json);
	return status;
}

/* FOLDER/folds.json, or NULL where a cross-validation left none. */
static hardy_status read_folds(const char *folder, cJSON **out, hardy_error *err)
{
	char *path = NULL;
	*out = NULL;
	hardy_status status = hy_path_is_folder(folder) ? model_if_there(folder, "folds.json", &path, err) : HARDY_OK;
	if (!status && path)
		status = hy_json_read(path, out, err);
	hy_free(path);
	if (status == HARDY_ERROR_FORMAT)
		status = HARDY_OK;
	if (!cJSON_GetObjectItemCaseSensitive(*out, "hardy_version")) { /* somebody else's */
		cJSON_Delete(*out);
		*out = NULL;
	}
	return status;
}

hardy_status hy_model_argument(const char *argument, char **model, hardy_error *err)
{
	*model = NULL;
	if (hy_ends_with(argument, ".safetensors")) {
		*model = hy_strdup(argument);
		return *model ? HARDY_OK : hy_fail_memory(err, argument, 1, strlen(argument) + 1);
	}
	if (!hy_path_is_folder(argument))
		return HARDY_OK;
	cJSON *folds = NULL;
	hardy_status status = model_in(argument, model, err);
	if (!status && !*model)
		status = read_folds(argument, &folds, err);
	const bool several = folds != NULL;
	cJSON_Delete(folds);
	if (!several)
		return status;
	return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: holds the models of a cross-validation; want one, such as %s/fold_0",
	               argument, argument);
}

static hardy_status add_fold(const char *folder, const cJSON *fold, char **model, hardy_error *err)
{
	const cJSON *name = cJSON_GetObjectItemCaseSensitive(fold, "run");
	if (!cJSON_IsString(name) || strchr(name->valuestring, '/'))
		return hy_fail(err, HARDY_ERROR_FORMAT, "%s/folds.json: a fold has no \"run\", the name of a folder", folder);
	char *run = hy_path_join(folder, name->valuestring);
	hardy_status status = run ? hy_model_argument(run, model, err) : hy_fail_memory(err, folder, strlen(folder), 1);
	if (!status && !*model)
		status = hy_fail(err, HARDY_ERROR_DATA, "%s: holds no model", run);
	hy_free(run);
	return status;
}

void hy_models_free(char **models, size_t n)
{
	for (size_t i = 0; i < n; i++)
		hy_free(models[i]);
	hy_free(models);
}

hardy_status hy_model_arguments(const char *argument, char ***models, size_t *n, hardy_error *err)
{
	cJSON *json = NULL;
	*models = NULL;
	*n = 0;
	hardy_status status = read_folds(argument, &json, err);
	const cJSON *done = cJSON_GetObjectItemCaseSensitive(json, "status");
	if (!status && json && !(cJSON_IsString(done) && !strcmp(done->valuestring, "done"))) {
		cJSON_Delete(json);
		return hy_fail(err, HARDY_ERROR_DATA,
		               "%s: the cross-validation is not finished: training the folds with resume goes on", argument);
	}
	if (status)
		return status;
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(json, "folds"), *fold;
	const size_t room = json ? (size_t)cJSON_GetArraySize(list) : 1;
	char **found = hy_calloc(room + 1, sizeof *found);
	size_t count = 0;
	if (!found)
		status = hy_fail_memory(err, "models", room, sizeof *found);
	if (!status && !json) {
		status = hy_model_argument(argument, found, err);
		count = found[0] != NULL;
	}
	cJSON_ArrayForEach(fold, list)
	{
		if (status)
			break;
		status = add_fold(argument, fold, &found[count], err);
		count += !status;
	}
	if (!status && json && !count)
		status = hy_fail(err, HARDY_ERROR_FORMAT, "%s/folds.json: names no fold", argument);
	cJSON_Delete(json);
	if (status) {
		hy_models_free(found, count);
		return status;
	}
	*models = found;
	*n = count;
	return HARDY_OK;
}

/* ---- subjects ----------------------------------------------------------------------------------------------------------- */

typedef struct wanted {
	char (*name)[HY_NAME_SIZE]; /* owned */
	bool *found;                /* owned */
	size_t n;
	bool all;
	const char *source; /* for messages */
} wanted;

static void wanted_clear(wanted *w)
{
	hy_free(w->name);
	hy_free(w->found);
}

/* Adds the length bytes at text without surrounding blanks; empty ones are skipped. */
static hardy_status want(wanted *w, const char *text, size_t length, hardy_error *err)
{
	while (length && strchr(" \t\r", text[0])) {
		text++;
		length--;
	}
	while (length && strchr(" \t\r", text[length - 1]))
		length--;
	if (!length)
		return HARDY_OK;
	if (length >= HY_NAME_SIZE)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: subject \"%.*s\" has more than %d letters", w->source, (int)length, text,
		               HY_NAME_SIZE - 1);
	char(*larger)[HY_NAME_SIZE] = hy_realloc(w->name, w->n + 1, sizeof *larger);
	if (!larger)
		return hy_fail_memory(err, "subjects", w->n + 1, sizeof *larger);
	w->name = larger;
	memcpy(w->name[w->n], text, length);
	w->name[w->n++][length] = 0;
	return HARDY_OK;
}

static hardy_status want_each(wanted *w, const char *text, const char *separators, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	for (const char *p = text; !status;) {
		const size_t length = strcspn(p, separators);
		status = want(w, p, length, err);
		if (!p[length])
			break;
		p += length + 1;
	}
	return status;
}

static hardy_status want_split(wanted *w, const char *path, int64_t fold, const char *split, hardy_error *err)
{
	cJSON *json = NULL;
	const cJSON *lists = NULL;
	hardy_status status = hy_splits_read(path, fold, &json, &lists, err);
	if (status)
		return status;
	if (fold >= 0 && !strcmp(split, "validation"))
		split = "val";
	const cJSON *list = cJSON_GetObjectItemCaseSensitive(lists, split), *item;
	if (!cJSON_IsArray(list)) {
		char known[256] = "";
		cJSON_ArrayForEach(item, lists)
		{
			const size_t used = strlen(known);
			if (cJSON_IsArray(item))
				snprintf(known + used, sizeof known - used, "%s%s", used ? ", " : "", item->string);
		}
		status = hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: no list \"%s\" of subjects%s, want one of %s", path, split,
		                 hy_meant(split, strlen(split), known).text, known);
	}
	cJSON_ArrayForEach(item, list)
	{
		if (!status && !cJSON_IsString(item))
			status = hy_fail(err, HARDY_ERROR_FORMAT, "%s: \"%s\" holds something that is not a subject's name", path, split);
		if (!status) {
			hy_json_bytes(item->valuestring);
			status = want(w, item->valuestring, strlen(item->valuestring), err);
		}
	}
	cJSON_Delete(json);
	return status;
}

static hardy_status want_subjects(wanted *w, const hy_jobs_options *o, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	w->all = !o->subjects && !o->split;
	w->source = o->subjects ? o->subjects : o->splits;
	if (o->split && !o->splits)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "a split %s is asked for, but no file of splits", o->split);
	if (o->split && o->subjects)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "subjects and a split are asked for; want one of them");
	if (o->split) {
		status = want_split(w, o->splits, o->fold, o->split, err);
	} else if (o->subjects && hy_path_exists(o->subjects)) {
		char *text = NULL;
		size_t size = 0;
		status = hy_file_read(o->subjects, &text, &size, err);
		if (!status)
			status = want_each(w, hy_text_start(text), "\n,;", err);
		hy_free(text);
	} else if (o->subjects) {
		status = want_each(w, o->subjects, ",", err);
	}
	if (!status && !w->all && !w->n)
		status = hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: names no subject", w->source);
	if (!status && !(w->found = hy_calloc(w->n, sizeof *w->found)))
		status = hy_fail_memory(err, "subjects", w->n, sizeof *w->found);
	return status;
}

static bool is_wanted(wanted *w, const char *subject)
{
	bool found = w->all;
	for (size_t i = 0; i < w->n; i++) {
		if (!strcmp(w->name[i], subject))
			found = w->found[i] = true;
	}
	return found;
}

/* ---- scans -------------------------------------------------------------------------------------------------------------- */

typedef struct collector {
	hy_jobs *jobs;
	const hy_jobs_options *o;
	wanted wanted;
	bool out_of_memory;
	size_t room_cases; /* of the set of loose scans, which is the first */
	const hardy_log *log;
	hardy_error *err;
} collector;

static hardy_status add_job(collector *c, size_t set, size_t index, const char *name)
{
	hy_jobs *jobs = c->jobs;
	hy_job *larger = hy_realloc(jobs->items, jobs->n + 1, sizeof *larger);
	if (!larger)
		return hy_fail_memory(c->err, "scans", jobs->n + 1, sizeof *larger);
	jobs->items = larger;
	hy_job *job = &jobs->items[jobs->n];
	*job = (hy_job){.set = set, .index = index, .name = hy_strdup(name)};
	if (!job->name)
		return hy_fail_memory(c->err, "scans", strlen(name), 1);
	jobs->n++;
	return HARDY_OK;
}

static hardy_status add_set(collector *c, hy_dataset **out)
{
	hy_dataset *larger = hy_realloc(c->jobs->sets, c->jobs->n_sets + 1, sizeof *larger);
	if (!larger)
		return hy_fail_memory(c->err, "data sets", c->jobs->n_sets + 1, sizeof *larger);
	c->jobs->sets = larger;
	*out = &larger[c->jobs->n_sets++];
	**out = (hy_dataset){0};
	return HARDY_OK;
}

static void add_lost_name(collector *c, const char *name, const char *text)
{
	hy_lost *larger = hy_realloc(c->jobs->lost, c->jobs->n_lost + 1, sizeof *larger);
	if (!larger) {
		c->out_of_memory = true;
		return;
	}
	c->jobs->lost = larger;
	hy_lost *l = &larger[c->jobs->n_lost++];
	snprintf(l->name, sizeof l->name, "%s", name);
	snprintf(l->text, sizeof l->text, "%s", text);
}

static void add_lost(void *payload, const char *subject, const char *phase, const char *text)
{
	collector *c = payload;
	char name[HARDY_CASE_SIZE];
	if (subject[0] && !is_wanted(&c->wanted, subject))
		return;
	snprintf(name, sizeof name, phase[0] ? "%s_%s" : "%s", subject, phase);
	add_lost_name(c, name, text);
}

static hardy_status add_dataset(collector *c, const char *root)
{
	hy_dataset *d = NULL;
	hardy_status status = add_set(c, &d);
	if (status)
		return status;
	status = hy_dataset_open_usable(d, root, &c->o->dataset, add_lost, c, c->log, c->err);
	if (!status && c->out_of_memory)
		status = hy_fail_memory(c->err, "cases that cannot be used", c->jobs->n_lost + 1, sizeof *c->jobs->lost);
	if (status)
		return status;
	if (d->n_channels != c->o->n_channels)
		return hy_fail(c->err, HARDY_ERROR_DATA, "%s: its scans have %s, want %d", root, HY_COUNT(d->n_channels, "channel"),
		               c->o->n_channels);
	const size_t set = c->jobs->n_sets - 1;
	for (size_t i = 0; i < d->n_cases && !status; i++) {
		const hy_case *k = &d->cases[i];
		char name[HARDY_CASE_SIZE];
		if (!is_wanted(&c->wanted, k->subject))
			continue;
		snprintf(name, sizeof name, k->phase[0] ? "%s_%s" : "%s", k->subject, k->phase);
		status = add_job(c, set, i, name);
	}
	return status;
}

/*
 * The name without folder and extension; *extension gets what was cut. *channel: the number of a name that ends in _0000 ...
 * as the channels of one scan do, which is cut, too; else -1.
 */
static bool split_name(const char *path, int n_channels, char stem[HY_NAME_SIZE], const char **extension, int *channel)
{
	const char *name = hy_path_name(path);
	const size_t n = hy_nifti_stem(name);
	*extension = name + n;
	if (!n || n >= HY_NAME_SIZE)
		return false;
	memcpy(stem, name, n);
	stem[n] = 0;
	*channel = -1;
	if (n > 5 && stem[n - 5] == '_' && strspn(stem + n - 4, "0123456789") == 4) {
		const long number = strtol(stem + n - 4, NULL, 10);
		if (number < n_channels) {
			*channel = (int)number;
			stem[n - 5] = 0;
		}
	}
	return true;
}

/* Whether NAME_0001 lies beside NAME_0000. */
static bool has_second(const char *path, const char *stem, const char *extension)
{
	const size_t folder = (size_t)(hy_path_name(path) - path), room = strlen(path) + 16;
	char *second = hy_alloc(room, 1);
	if (!second)
		return false;
	snprintf(second, room, "%.*s%s_0001%s", (int)folder, path, stem, extension);
	const bool found = hy_path_exists(second);
	hy_free(second);
	return found;
}

static hardy_status add_case(collector *c, const char *name, hy_case **out)
{
	hy_dataset *d = &c->jobs->sets[0];
	if (d->n_cases == c->room_cases) {
		const size_t room = c->room_cases ? 2 * c->room_cases : 16;
		hy_case *larger = hy_realloc(d->cases, room, sizeof *larger);
		if (!larger)
			return hy_fail_memory(c->err, "scans", room, sizeof *larger);
		d->cases = larger;
		c->room_cases = room;
	}
	const hardy_status status = add_job(c, 0, d->n_cases, name);
	if (status)
		return status;
	*out = &d->cases[d->n_cases++];
	**out = (hy_case){.subject = "", .site = "", .frame = -1, .label_frame = -1, .cine_frame = -1};
	return HARDY_OK;
}

/* A file, or the files NAME_0000 to NAME_000k of one scan, whichever of them is named; all of them may be. */
static hardy_status add_file(collector *c, const char *path)
{
	const hy_dataset *loose = &c->jobs->sets[0];
	const size_t folder = (size_t)(hy_path_name(path) - path), room = strlen(path) + 16;
	char stem[HY_NAME_SIZE];
	const char *extension;
	int channel;
	hy_case *k = NULL;
	if (!split_name(path, c->o->n_channels, stem, &extension, &channel))
		return hy_fail(c->err, HARDY_ERROR_ARGUMENT, "%s: its name is empty, or longer than %d letters", path,
		               HY_NAME_SIZE - 1);
	if (channel == 0 && c->o->n_channels == 1 && has_second(path, stem, extension)) {
		hy_warn(c->log,
		        "%s: %s_0001%s lies beside it; the model has one channel, so that they are taken for scans of their own, not "
		        "for channels of "
		        "one scan",
		        path, stem, extension);
		stem[strlen(stem)] = '_'; /* what was cut off is still there */
		channel = -1;
	}
	const int n = channel < 0 ? 1 : c->o->n_channels;
	char *first = hy_alloc(room, 1);
	if (!first)
		return hy_fail_memory(c->err, path, room, 1);
	if (channel < 0)
		snprintf(first, room, "%s", path);
	else
		snprintf(first, room, "%.*s%s_0000%s", (int)folder, path, stem, extension);
	for (size_t i = 0; n > 1 && i < loose->n_cases; i++) {
		if (!strcmp(loose->cases[i].image_path[0], first)) {
			hy_free(first);
			return HARDY_OK;
		}
	}
	hardy_status status = add_case(c, stem, &k);
	if (status) {
		hy_free(first);
		return status;
	}
	k->image_path[0] = first;
	for (int i = 1; i < n; i++) {
		k->image_path[i] = hy_alloc(room, 1);
		if (!k->image_path[i])
			return hy_fail_memory(c->err, path, room, 1);
		snprintf(k->image_path[i], room, "%.*s%s_%04d%s", (int)folder, path, stem, i, extension);
	}
	return HARDY_OK;
}

/* A file of a folder that differs from another in the extension alone: neither is predicted, both are named, once. */
static hardy_status lose_twin(collector *c, const char *folder, const hy_names *names, size_t i, bool *lost)
{
	char text[1024], stem[HY_NAME_SIZE];
	const char *other = hy_twin(names, i);
	*lost = other != NULL;
	if (!other || strcmp(names->name[i], other) > 0)
		return HARDY_OK;
	snprintf(stem, sizeof stem, "%.*s", (int)hy_nifti_stem(names->name[i]), names->name[i]);
	snprintf(text, sizeof text, "%.400s: %s and %s: two files of one name, which is meant?", folder, names->name[i], other);
	add_lost_name(c, stem, text);
	return c->out_of_memory ? hy_fail_memory(c->err, "scans", c->jobs->n_lost + 1, sizeof *c->jobs->lost) : HARDY_OK;
}

/* A case for each scan of a converted folder; what could not be converted is lost. */
static hardy_status add_converted(collector *c, const hy_converted *from)
{
	hardy_status status = HARDY_OK;
	for (size_t i = 0; i < from->n && !status; i++) {
		const hy_series *s = &from->items[i];
		hy_case *k = NULL;
		hy_text source = {0};
		hy_text_printf(&source, "%s/%s", from->root, s->name);
		if (source.failed) {
			status = hy_fail_memory(c->err, from->root, 1, 1);
		} else if (s->fault) {
			hy_text_printf(&source, ": %s", s->fault);
			add_lost_name(c, s->name, source.failed ? s->fault : source.data);
			status = c->out_of_memory ? hy_fail_memory(c->err, s->name, 1, 1) : HARDY_OK;
		} else {
			status = add_case(c, s->name, &k);
		}
		if (!status && k && !(k->image_path[0] = hy_strdup(s->path)))
			status = hy_fail_memory(c->err, s->path, 1, 1);
		if (status || !k) {
			hy_text_clear(&source);
			continue;
		}
		c->jobs->items[c->jobs->n - 1].source = source.data;
	}
	return status;
}

static hardy_status add_dicom(collector *c, const char *folder)
{
	hy_jobs *jobs = c->jobs;
	if (c->o->n_channels != 1)
		return hy_fail(c->err, HARDY_ERROR_DATA, "%s: holds DICOM, whose series are scans of one channel; want %d channels",
		               folder, c->o->n_channels);
	hy_converted *larger = hy_realloc(jobs->converted, jobs->n_converted + 1, sizeof *larger);
	if (!larger)
		return hy_fail_memory(c->err, folder, jobs->n_converted + 1, sizeof *larger);
	jobs->converted = larger;
	const hardy_status status =
	    hy_series_convert(&larger[jobs->n_converted], folder, c->o->scratch, c->o->stop, c->log, c->err);
	return status ? status : add_converted(c, &larger[jobs->n_converted++]);
}

static hardy_status add_folder(collector *c, const char *folder)
{
	hy_names names = {0};
	hardy_status status = hy_list_files(folder, &names, c->err);
	size_t n_found = 0;
	bool lost = false;
	for (size_t i = 0; i < names.n && !status; i++) {
		const char *name = names.name[i];
		if (!hy_nifti_is_scan(name))
			continue;
		char *path = hy_path_join(folder, name);
		status = path ? lose_twin(c, folder, &names, i, &lost) : hy_fail_memory(c->err, folder, 1, 1);
		if (!status && !lost)
			status = add_file(c, path);
		n_found++;
		hy_free(path);
	}
	hy_names_free(&names);
	bool dicom = false;
	if (!status && !n_found)
		status = hy_dicom_is(folder, &dicom, c->err);
	if (dicom)
		return add_dicom(c, folder);
	if (!status && !n_found)
		status = hy_fail(c->err, HARDY_ERROR_DATA, "%s: neither a data set nor a folder with NIfTI files", folder);
	return status;
}

static hardy_status add_input(collector *c, const char *input)
{
	if (!hy_path_exists(input))
		return hy_fail(c->err, HARDY_ERROR_IO, "%s: no such file or folder", input);
	const bool folder = hy_path_is_folder(input);
	bool found;
	const hardy_status status = folder ? hy_dataset_is(input, &found, c->err) : hy_dicom_is(input, &found, c->err);
	if (status)
		return status;
	if (folder)
		return found ? add_dataset(c, input) : add_folder(c, input);
	return found ? hy_fail(c->err, HARDY_ERROR_ARGUMENT, "%s: is a DICOM file; want the folder that holds its series", input)
	             : add_file(c, input);
}

static hardy_status name_as_bids(hy_jobs *jobs, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	for (size_t i = 0; i < jobs->n && !status; i++) {
		hy_job *job = &jobs->items[i];
		char subject[HY_NAME_SIZE], phase[16], name[HARDY_CASE_SIZE];
		if (!hy_job_phase(jobs, job, subject, phase))
			return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: its name is too long for BIDS", hy_job_scan(jobs, job));
		status = hy_bids_name(hy_job_scan(jobs, job), subject, phase, name, err);
		char *copy = status ? NULL : hy_strdup(name);
		if (!status && !copy)
			status = hy_fail_memory(err, name, strlen(name), 1);
		if (status)
			return status;
		hy_free(job->name);
		job->name = copy;
	}
	return status;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static hardy_status check_names(const hy_jobs *jobs, hardy_error *err)
{
	const char **names = hy_alloc(jobs->n, sizeof *names);
	hardy_status status = HARDY_OK;
	if (!names)
		return hy_fail_memory(err, "names", jobs->n, sizeof *names);
	for (size_t i = 0; i < jobs->n; i++)
		names[i] = jobs->items[i].name;
	qsort(names, jobs->n, sizeof *names, by_name);
	for (size_t i = 1; i < jobs->n && !status; i++) {
		if (!strcmp(names[i - 1], names[i]))
			status = hy_fail(err, HARDY_ERROR_ARGUMENT, "two scans would both be written as %s: name them in separate runs",
			                 names[i]);
	}
	hy_free(names);
	return status;
}

static hardy_status check_found(const collector *c)
{
	const wanted *w = &c->wanted;
	if (!w->all && c->jobs->n_sets < 2)
		return hy_fail(c->err, HARDY_ERROR_ARGUMENT, "%s: subjects are chosen, but no data set is given", w->source);
	for (size_t i = 0; i < w->n; i++) {
		if (!w->found[i])
			return hy_fail(c->err, HARDY_ERROR_ARGUMENT, "%s: subject %s is not in the data set", w->source, w->name[i]);
	}
	if (!c->jobs->n && c->jobs->n_lost)
		return hy_fail(c->err, HARDY_ERROR_DATA, "no scan can be used; the first problem: %s", c->jobs->lost[0].text);
	return c->jobs->n ? HARDY_OK : hy_fail(c->err, HARDY_ERROR_ARGUMENT, "no scan is there");
}

hardy_status hy_jobs_collect(hy_jobs *jobs, const char *const *inputs, size_t n_inputs, const hy_jobs_options *o,
                             const hardy_log *log, hardy_error *err)
{
	hy_jobs made = {0};
	collector c = {.jobs = &made, .o = o, .log = log, .err = err};
	hy_dataset *loose = NULL;
	hardy_status status = want_subjects(&c.wanted, o, err);
	if (!status)
		status = add_set(&c, &loose);
	if (!status)
		loose->n_channels = o->n_channels;
	for (size_t i = 0; i < n_inputs && !status; i++)
		status = add_input(&c, inputs[i]);
	if (!status)
		status = check_found(&c);
	if (!status && o->bids)
		status = name_as_bids(&made, err);
	if (!status)
		status = check_names(&made, err);
	if (status)
		hy_jobs_clear(&made);
	else
		*jobs = made;
	wanted_clear(&c.wanted);
	return status;
}

static hardy_status check_classes(const hy_model *m, const char *path, const hy_dataset *d, hardy_error *err)
{
	if (m->n_classes != d->n_classes)
		return hy_fail(err, HARDY_ERROR_DATA, "%s: has %s, %s has %d", path, HY_COUNT(m->n_classes, "class"), d->root,
		               d->n_classes);
	for (int c = 1; c < m->n_classes; c++)
		if (strcmp(m->classes[c].name, d->classes[c].name) != 0)
			return hy_fail(err, HARDY_ERROR_DATA, "%s: class %d is %s, in %s it is %s", path, c, m->classes[c].name, d->root,
			               d->classes[c].name);
	return HARDY_OK;
}

hardy_status hy_jobs_collect_for(hy_jobs *jobs, const char *data, const hy_jobs_options *o, const hy_model *m, const char *path,
                                 const hardy_log *log, hardy_error *err)
{
	hy_jobs made = {0};
	if (!hy_path_exists(data))
		return hy_fail(err, HARDY_ERROR_IO, "%s: no such folder", data);
	bool found;
	hardy_status status = hy_dataset_is(data, &found, err);
	if (!status && !found)
		status = hy_fail(err, HARDY_ERROR_DATA, "%s: no data set; want scans with labels", data);
	if (!status)
		status = hy_jobs_collect(&made, &data, 1, o, log, err);
	if (!status)
		status = check_classes(m, path, &made.sets[1], err);
	if (status)
		hy_jobs_clear(&made);
	else
		*jobs = made;
	return status;
}

void hy_job_clear(hy_job *job)
{
	hy_free(job->name);
	hy_free(job->source);
	*job = (hy_job){0};
}

void hy_jobs_clear(hy_jobs *jobs)
{
	for (size_t i = 0; i < jobs->n_sets; i++)
		hy_dataset_clear(&jobs->sets[i]);
	for (size_t i = 0; i < jobs->n; i++)
		hy_job_clear(&jobs->items[i]);
	for (size_t i = 0; i < jobs->n_converted; i++)
		hy_converted_clear(&jobs->converted[i]);
	hy_free(jobs->converted);
	hy_free(jobs->sets);
	hy_free(jobs->items);
	hy_free(jobs->lost);
	*jobs = (hy_jobs){0};
}

bool hy_job_phase(const hy_jobs *jobs, const hy_job *job, char subject[HY_NAME_SIZE], char phase[16])
{
	const hy_dataset *d = &jobs->sets[job->set];
	const hy_case *c = &d->cases[job->index];
	char stem[HY_NAME_SIZE];
	if (d->root) {
		snprintf(subject, HY_NAME_SIZE, "%s", c->subject);
		memcpy(phase, c->phase, sizeof c->phase);
		return true;
	}
	const char *name = hy_path_name(hy_job_scan(jobs, job));
	const int n = snprintf(stem, sizeof stem, "%.*s", (int)hy_nifti_stem(name), name);
	return n > 0 && n < HY_NAME_SIZE && hy_split_phase(stem, subject, phase);
}

const char *hy_job_scan(const hy_jobs *jobs, const hy_job *job)
{
	return job->source ? job->source : jobs->sets[job->set].cases[job->index].image_path[0];
}

void hy_jobs_say(const hy_jobs *jobs, char *text, size_t room)
{
	for (size_t i = 0; i < jobs->n_converted; i++)
		hy_converted_name(&jobs->converted[i], text, room);
}

/* ---- what a model has seen -------------------------------------------------------------------------------------------------- */

static bool add_seen(cJSON *list, const cJSON *card)
{
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(card, "data"),
	            *subjects = cJSON_GetObjectItemCaseSensitive(card, "subjects");
	if (!data || !subjects)
		return true;
	cJSON *item = cJSON_CreateObject();
	const bool good = hy_json_add(item, "data", cJSON_Duplicate(data, true)) &&
	                  hy_json_add(item, "subjects", cJSON_Duplicate(subjects, true));
	return hy_json_append(list, hy_json_keep(good, item));
}

hardy_status hy_training_add(cJSON *list, const hy_model *m, hardy_error *err)
{
	cJSON *card = NULL;
	const hardy_status status = m->card ? hy_json_parse(m->card, strlen(m->card), &card, err) : HARDY_OK;
	bool good = true;
	for (const cJSON *at = card; at && good; at = cJSON_GetObjectItemCaseSensitive(at, "started_from"))
		good = add_seen(list, at);
	cJSON_Delete(card);
	return status || good ? status : hy_fail_memory(err, "what a model has seen", 1, 1);
}

static const cJSON *trained_subjects(const cJSON *card, const hy_dataset *d)
{
	const cJSON *data = cJSON_GetObjectItemCaseSensitive(card, "data");
	const bool same = d->root && cJSON_IsString(data) && !strcmp(data->valuestring, d->name);
	return same ? cJSON_GetObjectItemCaseSensitive(card, "subjects") : NULL;
}

static bool has_subject(const cJSON *subjects, const char *subject)
{
	const cJSON *item;
	cJSON_ArrayForEach(item, subjects)
	{
		if (cJSON_IsString(item) && !strcmp(item->valuestring, subject))
			return true;
	}
	return false;
}

bool hy_seen(const cJSON *training, const hy_dataset *d, const char *subject)
{
	const cJSON *item;
	cJSON_ArrayForEach(item, training)
	{
		if (has_subject(trained_subjects(item, d), subject))
			return true;
	}
	return false;
}

size_t hy_jobs_trained_on(const hy_jobs *jobs, const cJSON *training, const char **first)
{
	size_t n = 0;
	*first = NULL;
	for (size_t i = 0; i < jobs->n; i++) {
		const hy_job *job = &jobs->items[i];
		const hy_dataset *d = &jobs->sets[job->set];
		const char *subject = d->cases[job->index].subject;
		if (!d->root || !hy_seen(training, d, subject))
			continue;
		*first = *first ? *first : subject;
		n++;
	}
	return n;
}

void hy_jobs_warn_trained_on(const hy_jobs *jobs, const cJSON *training, const char *so, const hardy_log *log)
{
	const char *first;
	const size_t n = hy_jobs_trained_on(jobs, training, &first);
	if (n)
		hy_warn(log, "%zu of %s %s of subjects that the model was trained on (%s%s): %s", n, HY_COUNT(jobs->n, "scan"),
		        HY_IS(n), first, n > 1 ? " and others" : "", so);
}

void hy_jobs_tell_progress(const hy_jobs *jobs, size_t i, double start_s, const char *unit, const hardy_log *log)
{
	const double each = i ? (hy_clock_s() - start_s) / (double)i : 0;
	if (i)
		hy_log(log, HARDY_LOG_PROGRESS, "%zu of %zu: %s (%.2f s a %s, %.0f s left)", i + 1, jobs->n, jobs->items[i].name, each,
		       unit, each * (double)(jobs->n - i));
	else
		hy_log(log, HARDY_LOG_PROGRESS, "1 of %zu: %s", jobs->n, jobs->items[i].name);
}

/* ---- parts -------------------------------------------------------------------------------------------------------------- */

hardy_status hy_share_read(const char *text, hy_share *out, hardy_error *err)
{
	char *end = NULL;
	hy_share p = {1, 1};
	if (text) {
		p.number = isdigit((unsigned char)text[0]) ? strtol(text, &end, 10) : 0;
		p.of = end && *end == '/' && isdigit((unsigned char)end[1]) ? strtol(end + 1, &end, 10) : 0;
		if (!end || *end || p.number < 1 || p.number > p.of || p.of > 1000000)
			return hy_fail(err, HARDY_ERROR_ARGUMENT, "part is \"%s\", want K/N, K from 1 to N, N at most 1000000", text);
	}
	*out = p;
	return HARDY_OK;
}

bool hy_share_has(const hy_share *p, size_t i)
{
	return i % (size_t)p->of == (size_t)p->number - 1;
}
