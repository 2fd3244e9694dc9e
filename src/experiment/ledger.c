/*
 * ledger.c: which runs are done, here or elsewhere.
 */
#include "experiment/ledger.h"

#include "base/files.h"
#include "base/memory.h"
#include "experiment/results.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* ---- reading ------------------------------------------------------------------------------------------------------------ */

typedef struct reader {
	hy_study *s;
	hy_study_run *only; /* NULL: any run */
	hardy_error *err;
} reader;

static hardy_status take_result(void *payload, hy_results_line *line)
{
	const reader *r = payload;
	for (size_t i = 0; i < r->s->n_runs && line->key && line->done; i++) {
		hy_study_run *run = &r->s->runs[i];
		if (strcmp(run->key, line->key) != 0 || run->line || (r->only && r->only != run))
			continue;
		if (!(run->line = hy_strdup(line->text)))
			return hy_fail_memory(r->err, "a result", line->n, 1);
		run->state = HY_RUN_DONE;
	}
	return HARDY_OK;
}

static hardy_status take_failure(void *payload, hy_results_line *line)
{
	const reader *r = payload;
	if (!line->key || strcmp(r->only->key, line->key) != 0)
		return HARDY_OK;
	snprintf(r->only->failure, sizeof r->only->failure, "%s", hy_results_text(line->json, "error", "unknown"));
	r->only->state = HY_RUN_FAILED;
	return HARDY_OK;
}

static hardy_status read_if_there(const hy_study *s, hy_study_run *run, const char *folder, const char *name,
                                  hardy_status (*take)(void *, hy_results_line *), hardy_error *err)
{
	reader r = {(hy_study *)s, run, err};
	char *path = hy_path_join(folder, name);
	hardy_status status = path ? HARDY_OK : hy_fail_memory(err, name, 1, 1);
	if (!status && hy_path_exists(path))
		status = hy_results_each(path, take, &r, err);
	hy_free(path);
	return status;
}

hardy_status hy_ledger_look(const hy_study *s, hy_study_run *run, hardy_error *err)
{
	char *begun = hy_path_join(run->folder, "run.json");
	hardy_status status =
	    begun ? read_if_there(s, run, run->folder, "result.json", take_result, err) : hy_fail_memory(err, run->folder, 1, 1);
	if (!status && !run->line) {
		run->state = hy_path_exists(begun) ? HY_RUN_BEGUN : HY_RUN_WAITING;
		status = read_if_there(s, run, run->folder, "failed.json", take_failure, err);
	}
	hy_free(begun);
	return status;
}

/* A file, or a folder whose files that end in .jsonl are meant. */
static hardy_status read_results(hy_study *s, const char *path, hardy_error *err)
{
	reader r = {s, NULL, err};
	hy_names names = {0};
	if (!hy_path_exists(path))
		return hy_fail(err, HARDY_ERROR_IO, "%s: no such file or folder of results", path);
	if (!hy_path_is_folder(path))
		return hy_results_each(path, take_result, &r, err);
	hardy_status status = hy_list_folder(path, &names, err);
	for (size_t i = 0; i < names.n && !status; i++) {
		const char *dot = strrchr(names.name[i], '.');
		if (dot && !strcmp(dot, ".jsonl"))
			status = read_if_there(s, NULL, path, names.name[i], take_result, err);
	}
	hy_names_free(&names);
	return status;
}

hardy_status hy_ledger_read(hy_study *s, hardy_error *err)
{
	hardy_status status = read_if_there(s, NULL, s->o->output, "results.jsonl", take_result, err);
	for (size_t i = 0; i < s->o->n_results && !status; i++)
		status = read_results(s, s->o->results[i], err);
	for (size_t i = 0; i < s->n_runs && !status; i++)
		if (!s->runs[i].line)
			status = hy_ledger_look(s, &s->runs[i], err);
	return status;
}

/* ---- writing ------------------------------------------------------------------------------------------------------------ */

typedef struct writer {
	const hy_study *s;
	bool *written; /* owned: runs that are in the file already */
	hy_outfile f;
} writer;

/* Every line that is there stays, also what this program does not understand. */
static hardy_status keep_line(void *payload, hy_results_line *line)
{
	writer *w = payload;
	for (size_t i = 0; i < w->s->n_runs && line->key; i++)
		w->written[i] |= !strcmp(w->s->runs[i].key, line->key);
	hy_outfile_printf(&w->f, "%s\n", line->text);
	return HARDY_OK;
}

static hardy_status write_results(const hy_study *s, const char *path, hardy_error *err)
{
	writer w = {.s = s, .written = hy_calloc(s->n_runs, sizeof *w.written)};
	hardy_status status =
	    w.written ? hy_outfile_open(&w.f, path, hy_study_mark(s, HY_MARK_JSON), err) : hy_fail_memory(err, path, s->n_runs, 1);
	if (!status) {
		if (hy_path_exists(path))
			status = hy_results_each(path, keep_line, &w, err);
		for (size_t i = 0; i < s->n_runs; i++)
			if (s->runs[i].line && !w.written[i])
				hy_outfile_printf(&w.f, "%s\n", s->runs[i].line);
		if (!status)
			status = hy_outfile_commit(&w.f, err);
		hy_outfile_discard(&w.f);
	}
	hy_free(w.written);
	return status;
}

/* failed.json of every run that failed, as it stands in the run's folder. */
static hardy_status write_failures(const hy_study *s, const char *path, hardy_error *err)
{
	hy_outfile f;
	size_t n = 0;
	for (size_t i = 0; i < s->n_runs; i++)
		n += s->runs[i].state == HY_RUN_FAILED;
	if (!n) {
		const hardy_status ours = hy_outfile_check(path, hy_study_mark(s, HY_MARK_JSON), err);
		if (!ours)
			unlink(path);
		return ours;
	}
	hardy_status status = hy_outfile_open(&f, path, hy_study_mark(s, HY_MARK_JSON), err);
	if (status)
		return status;
	for (size_t i = 0; i < s->n_runs && !status; i++) {
		char *from = hy_path_join(s->runs[i].folder, "failed.json"), *text = NULL;
		size_t size = 0;
		if (from && s->runs[i].state == HY_RUN_FAILED && hy_path_exists(from))
			status = hy_file_read(from, &text, &size, err);
		if (text)
			hy_outfile_write(&f, text, size);
		hy_free(text);
		hy_free(from);
	}
	if (!status)
		status = hy_outfile_commit(&f, err);
	hy_outfile_discard(&f);
	return status;
}

hardy_status hy_ledger_write(const hy_study *s, hardy_error *err)
{
	char *results = hy_study_path(s, "results.jsonl"), *failed = hy_study_path(s, "failed.jsonl");
	hardy_status status = results && failed ? HARDY_OK : hy_fail_memory(err, s->o->output, 1, 1);
	bool any = false;
	for (size_t i = 0; i < s->n_runs; i++)
		any |= s->runs[i].line != NULL;
	if (!status && any)
		status = write_results(s, results, err);
	if (!status)
		status = write_failures(s, failed, err);
	hy_free(results);
	hy_free(failed);
	return status;
}
