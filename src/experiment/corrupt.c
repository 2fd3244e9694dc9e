/*
 * corrupt.c: hardy_corrupt: scans from disk, spoiled, to disk, with a record of the parameters beside each.
 */
#include "artefact/spoil.h"
#include "base/files.h"
#include "base/json.h"
#include "base/machine.h"
#include "base/memory.h"
#include "base/option.h"
#include "base/text.h"
#include "image/nifti.h"
#include "predict/places.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define AT(member) offsetof(hardy_corrupt_options, member)

static const hardy_option option_rows[] = {
    HY_OPTION_ARGUMENTS(hardy_corrupt_options, inputs, "SCAN|FOLDER...", "Scans, folders of them, data sets."),
    HY_OPTION_OUTPUT(hardy_corrupt_options, "OUT", "Folder for the spoiled scans, or for one result a file NAME.nii.gz."),
    {"artefacts", HARDY_OPTION_TEXTS, AT(artefacts), "NAME",
     "What to do to the scans: bias, ghosting, motion, spike, noise, blur, resolution, contrast; or acdc-c, the first four as "
     "that protocol has them.",
     .word = "artefact"},
    {"parameters", HARDY_OPTION_TEXT, AT(parameters), "FILE|JSON|NAME=V,...",
     "Parameters instead of drawn ones; a file written by this command makes the same again.", .use = 0},
    HY_OPTION_SEED(hardy_corrupt_options, "Seed of the draws."),
    {"copies", HARDY_OPTION_WHOLE, AT(copies), "N", "Draws of each artefact.", .usual = "1", .low = 1, .high = 1000},
    {"level", HARDY_OPTION_WHOLE, AT(level), "N", "Severity, 1 to 5; 0: drawn as in ACDC-C.", .usual = "0", .low = 0,
     .high = HY_N_LEVELS},
    {"centre", HARDY_OPTION_TEXT, AT(centre), "WHICH",
     "What motion rotates about: the origin of space, as TorchIO does, or the image's centre.", .usual = "origin",
     .choices = "origin|image", .use = HARDY_OPTION_NEEDED},
    HY_OPTION_SPACING(hardy_corrupt_options),
    HY_OPTION_LABELS(hardy_corrupt_options),
    HY_OPTIONS_SUBJECTS(hardy_corrupt_options),
    HY_OPTION_THREADS(hardy_corrupt_options),
    HY_OPTION_OVERWRITE(
        hardy_corrupt_options,
        "Replace also what hardy corrupt did not write, or what was changed since; never a scan or label that is read."),
};

const hardy_options hy_corrupt_table = {"corrupt", HY_TABLE_ROWS(option_rows), sizeof(hardy_corrupt_options), NULL};

void hardy_corrupt_options_init(hardy_corrupt_options *o)
{
	hardy_options_default(&hy_corrupt_table, o);
}

/* One way of spoiling; each scan goes through each. */
typedef struct task {
	hy_artefact_kind kind;
	bool chain; /* within the steps of ACDC-C */
	int64_t copy;
} task;

typedef struct session {
	const hardy_corrupt_options *o;
	const hardy_log *log;
	hy_dataset_options dataset;
	bool about_image;
	cJSON *given;        /* owned: parameters for every frame, or NULL */
	const cJSON *frames; /* of a record: parameters of each frame; NULL without one */
	task *tasks;         /* owned */
	size_t n_tasks;
	hy_jobs jobs;
	const char *ending; /* of the output, when it is a file; else NULL */
	hy_places places;   /* what must not be written over */
	hy_origin origin;   /* of what is written */
	size_t n_failed, n_done;
	hardy_error first; /* of the failures */
} session;

/* ---- options ------------------------------------------------------------------------------------------------------------ */

static hardy_status check_options(session *s, hardy_error *err)
{
	const hardy_corrupt_options *o = s->o;
	if (!o->output || !o->output[0])
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "no output is named");
	if (!o->n_inputs)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "no scan is named");
	const hardy_status status = hardy_options_check(&hy_corrupt_table, o, err);
	s->about_image = !status && o->centre[0] == 'i';
	return status;
}

static hardy_status add_task(session *s, hy_artefact_kind kind, bool chain, int64_t copy, hardy_error *err)
{
	for (size_t i = 0; i < s->n_tasks; i++) {
		if (s->tasks[i].kind == kind && s->tasks[i].chain == chain && s->tasks[i].copy == copy)
			return HARDY_OK; /* named twice */
	}
	task *larger = hy_realloc(s->tasks, s->n_tasks + 1, sizeof *larger);
	if (!larger)
		return hy_fail_memory(err, "artefacts", s->n_tasks + 1, sizeof *larger);
	s->tasks = larger;
	s->tasks[s->n_tasks++] = (task){kind, chain, copy};
	return HARDY_OK;
}

static hardy_status add_named(session *s, const char *name, hardy_error *err)
{
	hy_artefact_kind kind = HY_ARTEFACT_BIAS;
	const bool chain = !strcmp(name, "acdc-c");
	hardy_status status = chain ? HARDY_OK : hy_artefact_find(name, &kind, err);
	for (int i = 0; i < (chain ? HY_N_ACDCC : 1) && !status; i++)
		for (int64_t copy = 0; copy < s->o->copies && !status; copy++)
			status = add_task(s, chain ? (hy_artefact_kind)i : kind, chain, copy, err);
	return status;
}

static hardy_status read_parameters(session *s, hardy_error *err)
{
	const char *text = s->o->parameters;
	if (!text)
		return HARDY_OK;
	if (text[0] == '{' || (!hy_path_exists(text) && strchr(text, '=')))
		return hy_artefact_parse(text, &s->given, err);
	return hy_json_read(text, &s->given, err);
}

/* The one task of a record; artefacts, when named, must agree. */
static hardy_status take_record(session *s, hardy_error *err)
{
	const char *file = s->o->parameters;
	const cJSON *name = cJSON_GetObjectItemCaseSensitive(s->given, "artefact");
	const cJSON *chain = cJSON_GetObjectItemCaseSensitive(s->given, "chain");
	const cJSON *copy = cJSON_GetObjectItemCaseSensitive(s->given, "copy");
	hy_artefact_kind kind = HY_ARTEFACT_BIAS;
	if (!cJSON_IsString(name))
		return hy_fail(err, HARDY_ERROR_FORMAT, "%s: artefact is no text", file);
	if (chain && !cJSON_IsNull(chain) && (!cJSON_IsString(chain) || strcmp(chain->valuestring, "acdc-c") != 0))
		return hy_fail(err, HARDY_ERROR_FORMAT, "%s: chain is neither null nor \"acdc-c\"", file);
	if (!cJSON_IsNumber(copy) || !(copy->valuedouble >= 0 && copy->valuedouble < 1000))
		return hy_fail(err, HARDY_ERROR_FORMAT, "%s: copy is no number from 0 to 999", file);
	if (!cJSON_IsArray(s->frames))
		return hy_fail(err, HARDY_ERROR_FORMAT, "%s: frames is no list", file);
	hardy_status status = hy_artefact_find(name->valuestring, &kind, err);
	if (status)
		return hy_prefix(err, status, "%s", file);
	const bool in_chain = cJSON_IsString(chain);
	for (size_t i = 0; i < s->o->n_artefacts; i++) {
		if (strcmp(s->o->artefacts[i], in_chain ? "acdc-c" : name->valuestring) != 0)
			return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: is a record of %s%s, but %s is wanted", file,
			               in_chain ? "acdc-c " : "", name->valuestring, s->o->artefacts[i]);
	}
	return add_task(s, kind, in_chain, (int64_t)copy->valuedouble, err);
}

static hardy_status make_tasks(session *s, hardy_error *err)
{
	hardy_status status = read_parameters(s, err);
	if (status)
		return status;
	s->frames = cJSON_GetObjectItemCaseSensitive(s->given, "frames");
	if (s->frames)
		return take_record(s, err);
	for (size_t i = 0; i < s->o->n_artefacts && !status; i++)
		status = add_named(s, s->o->artefacts[i], err);
	if (status)
		return status;
	if (!s->n_tasks)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "no artefact is named");
	for (size_t i = 1; i < s->n_tasks && s->given; i++) {
		if (s->tasks[i].kind != s->tasks[0].kind || s->tasks[i].chain != s->tasks[0].chain)
			return hy_fail(err, HARDY_ERROR_ARGUMENT, "parameters are given for several artefacts; name one");
	}
	if (!s->given)
		return HARDY_OK;
	const hy_spoil spoil = {
	    .kind = s->tasks[0].kind, .level = (int)s->o->level, .about_image = s->about_image, .given = s->given};
	return hy_spoil_check(&spoil, err);
}

/* ---- output ------------------------------------------------------------------------------------------------------------- */

static void task_folder(const task *t, char out[64])
{
	snprintf(out, 64, "%s%s_%lld", t->chain ? "acdc-c_" : "", hy_artefact_name(t->kind), (long long)t->copy);
}

/* The path of a result, newly allocated, and where its extension begins; NULL when memory runs out. */
static char *output_path(const session *s, const task *t, const char *name, size_t *stem)
{
	const char *output = s->o->output;
	const size_t room = strlen(output) + strlen(name) + 96;
	char folder[64], *path = hy_alloc(room, 1);
	if (!path)
		return NULL;
	task_folder(t, folder);
	if (s->ending) {
		snprintf(path, room, "%s", output);
		*stem = strlen(output) - strlen(s->ending);
	} else {
		*stem = (size_t)snprintf(path, room, "%s/%s/%s", output, folder, name);
		snprintf(path + *stem, room - *stem, ".nii.gz");
	}
	return path;
}

static hardy_status make_folders(const session *s, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	const char *output = s->o->output, *name = hy_path_name(output);
	const size_t room = strlen(output) + 80;
	char *path = hy_alloc(room, 1), folder[64];
	if (!path)
		return hy_fail_memory(err, output, room, 1);
	if (s->ending) {
		snprintf(path, room, "%.*s", (int)(name - output), output);
		status = hy_make_output_folder(path[0] ? path : ".", err);
	}
	for (size_t i = 0; i < s->n_tasks && !s->ending && !status; i++) {
		task_folder(&s->tasks[i], folder);
		snprintf(path, room, "%s/%s", output, folder);
		status = hy_make_output_folder(path, err);
	}
	hy_free(path);
	return status;
}

/* Takes back folders with nothing in them. */
static void remove_folders(const session *s)
{
	const size_t room = strlen(s->o->output) + 80;
	char *path = s->ending ? NULL : hy_alloc(room, 1), folder[64];
	for (size_t i = 0; i < s->n_tasks && path; i++) {
		task_folder(&s->tasks[i], folder);
		snprintf(path, room, "%s/%s", s->o->output, folder);
		rmdir(path);
	}
	if (path)
		rmdir(s->o->output);
	hy_free(path);
}

static const char *record_mark(const session *s)
{
	return s->o->overwrite ? HY_REPLACE_ANY : HY_MARK_JSON;
}

/* A result never takes the place of a scan, nor of what hardy corrupt did not write; beside it lies its record. */
static hardy_status check_result(const session *s, const task *t, const char *name, hardy_error *err)
{
	size_t stem = 0;
	char *path = output_path(s, t, name, &stem), *beside = path ? hy_alloc(stem + 8, 1) : NULL;
	hardy_status status =
	    beside ? hy_places_check(&s->places, path, "the result", err) : hy_fail_memory(err, s->o->output, 1, 1);
	if (!status)
		status = hy_origin_check(path, &s->origin, err);
	if (!status) {
		snprintf(beside, stem + 8, "%.*s.json", (int)stem, path);
		status = hy_outfile_check(beside, record_mark(s), err);
	}
	hy_free(beside);
	hy_free(path);
	return status;
}

/* Known before any scan is read. */
static hardy_status check_results(session *s, hardy_error *err)
{
	hardy_status status = hy_places_make(&s->places, &s->jobs, err);
	for (size_t i = 0; i < s->jobs.n && !status; i++)
		for (size_t k = 0; k < s->n_tasks && !status; k++)
			status = check_result(s, &s->tasks[k], s->jobs.items[i].name, err);
	return status;
}

/* ---- one scan ----------------------------------------------------------------------------------------------------------- */

static hardy_status read_scan(const session *s, const hy_job *job, hy_volume *image, hardy_error *err)
{
	if (job->set)
		return hy_case_load(&s->jobs.sets[job->set], job->index, &s->dataset, image, NULL, s->log, err);
	hy_nifti_options n;
	hy_nifti_options_init(&n);
	memcpy(n.spacing_mm, s->dataset.spacing_mm, sizeof n.spacing_mm);
	return hy_nifti_read(s->jobs.sets[0].cases[job->index].image_path[0], &n, image, s->log, err);
}

static hardy_status write_record(const session *s, const char *path, const cJSON *record, hardy_error *err)
{
	hy_outfile f = {0};
	char *text = hy_json_print(record, true);
	if (!text)
		return hy_fail_memory(err, path, 1, 1);
	hardy_status status = hy_outfile_open(&f, path, record_mark(s), err);
	if (!status) {
		hy_outfile_printf(&f, "%s\n", text);
		status = hy_outfile_commit(&f, err);
	}
	hy_outfile_discard(&f);
	cJSON_free(text);
	return status;
}

static cJSON *number_or_null(const cJSON *v)
{
	return cJSON_IsNumber(v) ? hy_json_real(v->valuedouble) : cJSON_CreateNull();
}

/* What is written beside a result; a remade one keeps the seed and level of its record. */
static cJSON *new_record(const session *s, const task *t, const char *name, cJSON **frames)
{
	cJSON *o = cJSON_CreateObject();
	const cJSON *seed = s->frames ? cJSON_GetObjectItemCaseSensitive(s->given, "seed") : NULL;
	const cJSON *level = s->frames ? cJSON_GetObjectItemCaseSensitive(s->given, "level") : NULL;
	if (hy_json_add(o, "hardy_version", cJSON_CreateString(hardy_version())) &&
	    hy_json_add(o, "scan", cJSON_CreateString(name)) &&
	    hy_json_add(o, "artefact", cJSON_CreateString(hy_artefact_name(t->kind))) &&
	    hy_json_add(o, "chain", t->chain ? cJSON_CreateString("acdc-c") : cJSON_CreateNull()) &&
	    hy_json_add(o, "copy", cJSON_CreateNumber((double)t->copy)) &&
	    hy_json_add(o, "level", s->frames ? number_or_null(level) : cJSON_CreateNumber((double)s->o->level)) &&
	    hy_json_add(o, "seed", s->frames ? number_or_null(seed) : hy_json_real((double)s->o->seed)) &&
	    hy_json_add(o, "frames", *frames = cJSON_CreateArray()))
		return o;
	cJSON_Delete(o);
	return NULL;
}

/* The scan comes last: where it is, its parameters are. */
static hardy_status write_result(const session *s, const task *t, const char *name, const hy_volume *image, const cJSON *record,
                                 hardy_error *err)
{
	size_t stem = 0;
	char *path = output_path(s, t, name, &stem), *beside = path ? hy_alloc(stem + 8, 1) : NULL;
	hardy_status status = beside ? HARDY_OK : hy_fail_memory(err, s->o->output, 1, 1);
	if (!status) {
		snprintf(beside, stem + 8, "%.*s.json", (int)stem, path);
		status = write_record(s, beside, record, err);
		if (!status && (status = hy_nifti_write_float(path, image, image->data, image->nt, &s->origin, err)))
			remove(beside);
	}
	hy_free(beside);
	hy_free(path);
	return status;
}

static hardy_status run_task(const session *s, const task *t, const char *name, const char *path, const hy_volume *image,
                             hardy_error *err)
{
	const size_t n = (size_t)(hy_grid_voxels(&image->grid) * image->nt);
	hy_volume copy = *image; /* a view of all but the voxels */
	cJSON *frames = NULL, *record = new_record(s, t, name, &frames);
	copy.data = hy_alloc(n, sizeof *copy.data);
	hardy_status status = record && copy.data ? HARDY_OK : hy_fail_memory(err, path, n, sizeof *copy.data);
	if (!status) {
		memcpy(copy.data, image->data, n * sizeof *copy.data);
		const hy_spoil spoil = {.kind = t->kind,
		                        .chain = t->chain,
		                        .scan = name,
		                        .seed = (uint64_t)s->o->seed,
		                        .copy = t->copy,
		                        .level = (int)s->o->level,
		                        .about_image = s->about_image,
		                        .given = s->frames ? s->frames : s->given,
		                        .source = s->o->parameters};
		status = hy_spoil_volume(&spoil, &copy, frames, err);
		if (status)
			hy_prefix(err, status, "%s: %s", path, hy_artefact_name(t->kind));
	}
	if (!status)
		status = write_result(s, t, name, &copy, record, err);
	hy_free(copy.data);
	cJSON_Delete(record);
	return status;
}

static void note_failure(session *s, const hardy_error *err)
{
	if (!s->n_failed++)
		s->first = *err;
	if (s->jobs.n + s->jobs.n_lost > 1)
		hy_warn(s->log, "failed: %s", err->message);
}

static void run_scan(session *s, const hy_job *job)
{
	hardy_error err = {0};
	hy_volume image = {0};
	hardy_status status = read_scan(s, job, &image, &err);
	for (size_t i = 0; i < s->n_tasks && !status; i++)
		status = run_task(s, &s->tasks[i], job->name, s->jobs.sets[job->set].cases[job->index].image_path[0], &image, &err);
	if (status)
		note_failure(s, &err);
	else
		s->n_done++;
	hy_volume_clear(&image);
}

/* ---- all scans ---------------------------------------------------------------------------------------------------------- */

static hardy_status run(session *s, hardy_error *err)
{
	const hy_jobs_options o = {.n_channels = 1,
	                           .dataset = s->dataset,
	                           .subjects = s->o->subjects,
	                           .split = s->o->split,
	                           .splits = s->o->splits,
	                           .fold = s->o->fold};
	hardy_status status = make_tasks(s, err);
	if (!status)
		status = hy_jobs_collect(&s->jobs, s->o->inputs, s->o->n_inputs, &o, s->log, err);
	if (!status && s->ending && s->jobs.n * s->n_tasks > 1)
		status = hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: one file for %zu results; name a folder", s->o->output,
		                 s->jobs.n * s->n_tasks);
	if (!status)
		status = check_results(s, err);
	if (!status)
		status = make_folders(s, err);
	if (status)
		return status;
	for (size_t i = 0; i < s->jobs.n_lost; i++) {
		hardy_error e = {0};
		hy_fail(&e, HARDY_ERROR_DATA, "%s", s->jobs.lost[i].text);
		note_failure(s, &e);
	}
	for (size_t i = 0; i < s->jobs.n; i++) {
		hy_log(s->log, HARDY_LOG_PROGRESS, "%zu of %zu: %s", i + 1, s->jobs.n, s->jobs.items[i].name);
		run_scan(s, &s->jobs.items[i]);
	}
	const size_t n = s->n_done + s->n_failed;
	if (s->n_done)
		hy_info(s->log, "%zu of %s, %s each, written to %s", s->n_done, HY_COUNT(n, "scan"), HY_COUNT(s->n_tasks, "result"),
		        s->o->output);
	if (s->n_failed == n && n > 1)
		return hy_fail(err, s->first.status, "all %zu scans failed; the first: %s", n, s->first.message);
	if (s->n_failed == n)
		return hy_fail(err, s->first.status, "%s", s->first.message);
	if (s->n_failed)
		return hy_fail(err, HARDY_ERROR_PARTIAL, "%zu of %s failed; the first: %s", s->n_failed, HY_COUNT(n, "scan"),
		               s->first.message);
	return HARDY_OK;
}

hardy_status hardy_corrupt(const hardy_corrupt_options *o, const hardy_log *log, hardy_error *err)
{
	hardy_error own = {0};
	session s = {.o = o, .log = log};
	err = err ? err : &own;
	hardy_status status = check_options(&s, err);
	if (status)
		return status;
	s.dataset.labels = o->labels;
	memcpy(s.dataset.spacing_mm, o->spacing_mm, sizeof s.dataset.spacing_mm);
	s.origin = (hy_origin){HY_MAKER_CORRUPT, o->overwrite};
	status = hy_places_ending(o->output, &s.ending, err);
	if (status)
		return status;
	const int threads = hy_threads_set(o->threads);
	status = run(&s, err);
	hy_threads_set(threads);
	if (status)
		remove_folders(&s);
	cJSON_Delete(s.given);
	hy_free(s.tasks);
	hy_places_clear(&s.places);
	hy_jobs_clear(&s.jobs);
	return status;
}
