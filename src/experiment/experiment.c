/*
 * experiment.c: hardy_experiment: what happens when.
 */
#include "base/files.h"
#include "base/lock.h"
#include "base/machine.h"
#include "base/memory.h"
#include "base/option.h"
#include "base/text.h"
#include "experiment/compare.h"
#include "experiment/emit.h"
#include "experiment/estimate.h"
#include "experiment/ledger.h"
#include "experiment/process.h"
#include "experiment/score.h"
#include "predict/jobs.h"
#include "training/options.h"
#include "training/set.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define AT(member) offsetof(hardy_experiment_options, member)

static const hardy_option option_rows[] = {
    HY_OPTION_ARGUMENT(hardy_experiment_options, name, "EXPERIMENT", "Of the table."),
    HY_OPTION_ARGUMENTS(hardy_experiment_options, data, "[NAME=]FOLDER...", "The training set first, then other sites."),
    HY_OPTION_OUTPUT(hardy_experiment_options, "DIR", "Folder of the experiment; an existing one goes on."),
    {"preset", HARDY_OPTION_TEXT, AT(preset), "NAME", "Defaults of the training.", .usual = "quick",
     .choices = "quick|hour|short|paper", .use = HARDY_OPTION_NEEDED},
    {"seeds", HARDY_OPTION_WHOLE, AT(seeds), "N", "Runs of each method, each with its own subjects.", .usual = "3", .low = 1,
     .high = 1000},
    {"first_seed", HARDY_OPTION_WHOLE, AT(first_seed), "N", "The first of the seeds.", .usual = "0", .low = 0, .high = 1e9},
    {"methods", HARDY_OPTION_TEXT, AT(methods), "NAME,...",
     "These of the experiment's methods only; all: also those beyond the study.", .use = 0},
    {"splits", HARDY_OPTION_TEXT, AT(splits), "FILE",
     "JSON with subjects: pool or train, validation, test; without it they are drawn, into DIR/splits.json.", .use = 0},
    {"precision", HARDY_OPTION_TEXT, AT(precision), "NAME", "Of training, as for hardy train.", .choices = "f32|bf16"},
    {"settings", HARDY_OPTION_TEXTS, AT(settings), "NAME=VALUE",
     "A training option by its name in run.json, e.g. iterations=3000.", .word = "set"},
    {"copies", HARDY_OPTION_WHOLE, AT(copies), "N", "Draws of each artefact and test scan.", .usual = "3", .low = 1,
     .high = 100},
    {"adapt", HARDY_OPTION_SWITCH, AT(adapt), NULL, "Score with batch-norm statistics adapted to each scan.", .use = 0},
    {"strict", HARDY_OPTION_SWITCH, AT(strict), NULL, "A scan that cannot be used is an error; else the others do.", .use = 0},
    {"jobs", HARDY_OPTION_WHOLE, AT(jobs), "N", "Runs at a time, each a process.", .usual = "1", .low = 1, .high = 1024},
    {"threads", HARDY_OPTION_WHOLE, AT(threads), "N", "Threads of a run; 0: all cores, shared among the jobs.", .usual = "0",
     .low = 0, .high = 1024},
    {"results", HARDY_OPTION_TEXTS, AT(results), "FILE|DIR",
     "Results that are at hand (.jsonl files, or a folder of them): their runs are not repeated.", .use = 0},
    {"dry_run", HARDY_OPTION_SWITCH, AT(dry_run), NULL, "Show runs, subjects and estimated time; do nothing.", .use = 0},
    {"retry_failed", HARDY_OPTION_SWITCH, AT(retry_failed), NULL, "Try runs again that failed before.", .use = 0},
    {"run", HARDY_OPTION_TEXT, AT(run), "METHOD-SEED", "Make this run alone; the same command without it collects its result.",
     .use = 0},
    {"collect", HARDY_OPTION_SWITCH, AT(collect), NULL, "Make no run, only collect those that are done.", .use = 0},
    {"emit", HARDY_OPTION_TEXT, AT(emit), "HOW",
     "Print a script instead: one command a run, or what submits them to Slurm as a job array.", .choices = "shell|slurm"},
    HY_OPTION_OVERWRITE(hardy_experiment_options, "Replace also files of an experiment's names that none wrote."),
};

const hardy_options hy_experiment_table = {"experiment", HY_TABLE_ROWS(option_rows), sizeof(hardy_experiment_options), NULL};

void hardy_experiment_options_init(hardy_experiment_options *o)
{
	hardy_options_default(&hy_experiment_table, o);
}

bool hardy_experiment_name(size_t i, const char **name, const char **title)
{
	for (size_t k = 0; hy_experiments[k].name; k++)
		if (k == i) {
			*name = hy_experiments[k].name;
			*title = hy_experiments[k].title;
			return true;
		}
	return false;
}

/* ---- locks -------------------------------------------------------------------------------------------------------------- */

/* Two programs must not work in one folder. */
typedef struct folder_lock {
	hy_lock lock;
	char *path; /* owned */
} folder_lock;

static void unlock(folder_lock *l)
{
	hy_lock_drop(&l->lock);
	hy_free(l->path);
}

static hardy_status lock_folder(const hy_study *s, const char *folder, folder_lock *l, hardy_error *err)
{
	char what[512];
	*l = (folder_lock){.path = hy_path_join(folder, "lock")};
	hardy_status status = l->path ? hy_make_output_folder(folder, err) : hy_fail_memory(err, folder, 1, 1);
	snprintf(what, sizeof what, "%.400s: another hardy experiment is working there", folder);
	if (!status)
		status = hy_lock_take(&l->lock, l->path, false, what, s->log, err);
	if (status)
		unlock(l);
	return status;
}

/* ---- one run ------------------------------------------------------------------------------------------------------------ */

/* training.key in a run's folder: of which training what lies there is. */
static hardy_status check_training_key(const hy_study_run *run, const char *path, hardy_error *err)
{
	char *text = NULL;
	size_t size = 0;
	char *texts = NULL;
	hardy_train_options started;
	bool longer;
	hardy_status status = hy_file_read(path, &text, &size, err);
	if (!status && (size < HY_SHA256_TEXT - 1 || strncmp(text, run->training_key, HY_SHA256_TEXT - 1) != 0)) {
		status = hardy_train_options_read(&started, &texts, run->folder, err);
		if (!status)
			status = hy_options_compare(&started, &run->train, run->folder, &longer, err);
		if (!status)
			status =
			    hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: holds a training on other scans: name another output", run->folder);
	}
	hardy_texts_free(texts);
	hy_free(text);
	return status;
}

/* Whether the file holds a hash and nothing else. */
static bool is_key(const char *path)
{
	char *text = NULL;
	size_t size = 0;
	const bool good = !hy_file_read(path, &text, &size, NULL) && size == HY_SHA256_TEXT &&
	                  strspn(text, "0123456789abcdef") == HY_SHA256_TEXT - 1 && text[size - 1] == '\n';
	hy_free(text);
	return good;
}

static hardy_status write_training_key(const hy_study *s, const hy_study_run *run, const char *path, hardy_error *err)
{
	hy_outfile f;
	hardy_status status = hy_make_output_folder(run->folder, err);
	if (!status)
		status = hy_outfile_open(&f, path, hy_study_mark(s, is_key(path) ? HY_REPLACE_ANY : NULL), err);
	if (status)
		return status;
	hy_outfile_printf(&f, "%s\n", run->training_key);
	return hy_outfile_commit(&f, err);
}

static hardy_status is_trained(const char *path, bool *done, hardy_error *err)
{
	cJSON *json = NULL;
	const hardy_status status = hy_json_read(path, &json, err);
	const cJSON *state = cJSON_GetObjectItemCaseSensitive(json, "status");
	*done = cJSON_IsString(state) && !strcmp(state->valuestring, "done");
	cJSON_Delete(json);
	return status;
}

/* Starts the training, goes on with it, or finds it done. */
static hardy_status train(const hy_study *s, const hy_study_run *run, hardy_error *err)
{
	hardy_train_options o = run->train;
	char *key = hy_path_join(run->folder, "training.key"), *json = hy_path_join(run->folder, "run.json");
	bool done = false;
	hardy_status status = key && json ? HARDY_OK : hy_fail_memory(err, run->folder, 1, 1);
	if (!status)
		o.resume = hy_path_exists(json);
	if (!status)
		status = o.resume && hy_path_exists(key) ? check_training_key(run, key, err) : write_training_key(s, run, key, err);
	if (!status && o.resume)
		status = is_trained(json, &done, err);
	if (!status && !done)
		status = hardy_train(&o, s->log, s->stop, err);
	hy_free(key);
	hy_free(json);
	return status;
}

static hardy_status score(const hy_study *s, const hy_study_run *run, char **line, hardy_error *err)
{
	hy_scored_set *sets = hy_calloc(s->n_sets, sizeof *sets);
	char *model = NULL;
	const double start = hy_clock_s();
	hardy_status status =
	    sets ? hy_model_argument(run->folder, &model, err) : hy_fail_memory(err, "scores", s->n_sets, sizeof *sets);
	if (!status && !model)
		status = hy_fail(err, HARDY_ERROR_DATA, "%s: holds no model", run->folder);
	const int threads = hy_threads_set(run->train.threads);
	if (!status)
		status = hy_score_sets(s, run, model, sets, err);
	hy_threads_set(threads);
	if (!status)
		status = hy_result_write(s, run, sets, hy_clock_s() - start, line, err);
	if (sets)
		hy_scored_clear(sets, s->n_sets);
	hy_free(sets);
	hy_free(model);
	return status;
}

/* What a failed run said before counts no longer. */
static void forget_failure(hy_study_run *run)
{
	char *path = hy_path_join(run->folder, "failed.json");
	if (path)
		unlink(path);
	hy_free(path);
	run->failure[0] = 0;
}

/*
 * Trains and scores. A failure is the run's state, not the caller's: only an interruption, and what keeps failures from being written, is
 * returned.
 */
static hardy_status make_run(const hy_study *s, hy_study_run *run, hardy_error *err)
{
	folder_lock lock;
	hardy_error own = {0};
	hardy_status status = lock_folder(s, run->folder, &lock, err);
	if (status)
		return status;
	forget_failure(run);
	run->state = HY_RUN_BEGUN;
	status = train(s, run, &own);
	if (!status)
		status = score(s, run, &run->line, &own);
	if (!status) {
		run->state = HY_RUN_DONE;
	} else if (status == HARDY_ERROR_INTERRUPTED) {
		status = hy_fail(err, status, "%s", own.message);
	} else {
		run->state = HY_RUN_FAILED;
		snprintf(run->failure, sizeof run->failure, "%s", own.message);
		hy_warn(s->log, "%s failed: %s", run->name, own.message);
		status = hy_failure_write(s, run, &own, err);
	}
	unlock(&lock);
	return status;
}

static hy_words meant_run(const hy_study *s)
{
	char known[2048] = "";
	for (size_t i = 0, used = 0; i < s->n_runs && used < sizeof known; i++)
		used += (size_t)snprintf(known + used, sizeof known - used, "%s%s", i ? ", " : "", s->runs[i].name);
	return hy_meant(s->o->run, strlen(s->o->run), known);
}

/* One run alone, for whoever collects. */
static hardy_status run_alone(hy_study *s, hardy_error *err)
{
	hy_study_run *run = NULL;
	for (size_t i = 0; i < s->n_runs; i++)
		if (!strcmp(s->runs[i].name, s->o->run))
			run = &s->runs[i];
	if (!run)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "there is no run \"%s\"%s; want METHOD-SEED, the first is %s", s->o->run,
		               meant_run(s).text, s->runs[0].name);
	hardy_status status = hy_ledger_look(s, run, err);
	if (!status && !run->line)
		status = make_run(s, run, err);
	if (!status && run->state == HY_RUN_FAILED)
		status = hy_fail(err, HARDY_ERROR_DATA, "%s failed: %s", run->name, run->failure);
	return status;
}

/* What lies in the folders of runs to make must be of the same training: known before hours of work, not after. */
static hardy_status check_folders(const hy_study *s, const bool *todo, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	for (size_t i = 0; i < s->n_runs && !status; i++) {
		char *key = todo[i] ? hy_path_join(s->runs[i].folder, "training.key") : NULL;
		char *json = todo[i] ? hy_path_join(s->runs[i].folder, "run.json") : NULL;
		if (todo[i] && (!key || !json))
			status = hy_fail_memory(err, s->runs[i].folder, 1, 1);
		else if (todo[i] && hy_path_exists(key) && hy_path_exists(json))
			status = check_training_key(&s->runs[i], key, err);
		hy_free(key);
		hy_free(json);
	}
	return status;
}

/* ---- all runs ----------------------------------------------------------------------------------------------------------- */

typedef struct collector {
	hy_study *s;
	size_t n_done, n_all; /* of those to make */
} collector;

static hardy_status note_end(collector *c, const hy_study_run *run, hardy_error *err)
{
	const hardy_status status = hy_ledger_write(c->s, err);
	c->n_done++;
	hy_info(c->s->log, "%s: %s (%zu of %zu)", run->name, run->state == HY_RUN_DONE ? "done" : "failed", c->n_done, c->n_all);
	return status ? status : hy_study_write(c->s, err);
}

/* A process ended: its result or failure lies in the run's folder, unless it was ended by force. */
static hardy_status take_end(void *payload, size_t i, const char *message, hardy_error *err)
{
	collector *c = payload;
	hy_study_run *run = &c->s->runs[i];
	hardy_error why = {0};
	hardy_status status = hy_ledger_look(c->s, run, err);
	if (status || (hy_stop_asked(c->s->stop) && run->state == HY_RUN_BEGUN))
		return status;
	if (run->state != HY_RUN_DONE && run->state != HY_RUN_FAILED) {
		hy_fail(&why, HARDY_ERROR_DATA, "%s; see %s/log.txt", message ? message : "the process left no result", run->folder);
		run->state = HY_RUN_FAILED;
		snprintf(run->failure, sizeof run->failure, "%s", why.message);
		status = hy_failure_write(c->s, run, &why, err);
	}
	if (run->state == HY_RUN_FAILED)
		hy_warn(c->s->log, "%s failed: %s", run->name, run->failure);
	return status ? status : note_end(c, run, err);
}

static hardy_status make_all(collector *c, const bool *todo, hardy_error *err)
{
	hy_study *s = c->s;
	hardy_status status = HARDY_OK;
	if (s->o->jobs > 1) {
		for (size_t i = 0; i < s->n_runs; i++)
			if (todo[i])
				forget_failure(&s->runs[i]);
		return hy_process_runs(s, todo, take_end, c, err);
	}
	for (size_t i = 0; i < s->n_runs && !status; i++) {
		if (!todo[i])
			continue;
		hy_info(s->log, "%s: run %zu of %zu", s->runs[i].name, c->n_done + 1, c->n_all);
		status = make_run(s, &s->runs[i], err);
		if (!status)
			status = note_end(c, &s->runs[i], err);
	}
	return status;
}

static size_t count(const hy_study *s, hy_run_state state)
{
	size_t n = 0;
	for (size_t i = 0; i < s->n_runs; i++)
		n += s->runs[i].state == state;
	return n;
}

/* Statistics of what is done, also of a part. */
static hardy_status tell_results(const hy_study *s, const hardy_sink *report, hardy_error *err)
{
	hy_compare c;
	hardy_status status = count(s, HY_RUN_DONE) ? hy_compare_make(&c, s, err) : HARDY_OK;
	if (status || !count(s, HY_RUN_DONE))
		return status;
	status = hy_compare_write(&c, err);
	if (!status)
		status = hy_compare_print(&c, report, err);
	if (!status)
		hy_sink_printf(report, "\nmore in %s/tables and %s/statistics.json\n", s->o->output, s->o->output);
	hy_compare_clear(&c);
	return status;
}

/* How it ended. */
static hardy_status conclude(const hy_study *s, hardy_status status, hardy_error *err)
{
	const size_t n_done = count(s, HY_RUN_DONE), n_failed = count(s, HY_RUN_FAILED);
	if (status == HARDY_ERROR_INTERRUPTED)
		return hy_fail(err, status, "interrupted, %zu of %s %s done; the same command goes on", n_done,
		               HY_COUNT(s->n_runs, "run"), HY_IS(s->n_runs));
	if (status)
		return status;
	for (size_t i = 0; i < s->n_runs && n_failed; i++)
		if (s->runs[i].state == HY_RUN_FAILED)
			return hy_fail(err, HARDY_ERROR_PARTIAL,
			               "%zu of %s failed, listed in %s/failed.jsonl (retry_failed tries them again); the first: %s: %s",
			               n_failed, HY_COUNT(s->n_runs, "run"), s->o->output, s->runs[i].name, s->runs[i].failure);
	if (n_done < s->n_runs)
		return hy_fail(err, HARDY_ERROR_PARTIAL, "%zu of %s %s not done yet; the same without collect makes them",
		               s->n_runs - n_done, HY_COUNT(s->n_runs, "run"), HY_IS(s->n_runs));
	return HARDY_OK;
}

static hardy_status work(hy_study *s, const hardy_sink *report, hardy_error *err)
{
	collector c = {.s = s};
	bool *todo = hy_calloc(s->n_runs, sizeof *todo);
	if (!todo)
		return hy_fail_memory(err, "runs", s->n_runs, sizeof *todo);
	for (size_t i = 0; i < s->n_runs; i++) {
		const hy_run_state state = s->runs[i].state;
		todo[i] = !s->o->collect && state != HY_RUN_DONE && (state != HY_RUN_FAILED || s->o->retry_failed);
		c.n_all += todo[i];
	}
	if (c.n_all < s->n_runs && !s->o->collect)
		hy_info(s->log, "%zu of %s: %zu done, %zu failed before", c.n_all, HY_COUNT(s->n_runs, "run"), count(s, HY_RUN_DONE),
		        count(s, HY_RUN_FAILED));
	hardy_status status = check_folders(s, todo, err);
	if (!status)
		status = hy_ledger_write(s, err);
	if (!status)
		status = hy_study_write(s, err);
	if (!status)
		status = make_all(&c, todo, err);
	hy_free(todo);
	if (status && status != HARDY_ERROR_INTERRUPTED)
		return status;
	hardy_error own = {0};
	hardy_status written = hy_study_write(s, status ? &own : err);
	hy_sink_printf(report, "%s: %zu of %s %s done, results in %s/results.jsonl\n", s->experiment->name, count(s, HY_RUN_DONE),
	               HY_COUNT(s->n_runs, "run"), HY_IS(s->n_runs), s->o->output);
	if (!written)
		written = tell_results(s, report, status ? &own : err);
	return conclude(s, status ? status : written, err);
}

/* ---- what would be done ------------------------------------------------------------------------------------------------- */

static void print_time(const hardy_sink *report, double seconds)
{
	if (!isfinite(seconds))
		hy_sink_printf(report, "unknown");
	else if (seconds >= 5400)
		hy_sink_printf(report, "%.1f h", seconds / 3600);
	else if (seconds >= 90)
		hy_sink_printf(report, "%.0f min", seconds / 60);
	else
		hy_sink_printf(report, "%.0f s", seconds);
}

static void print_subjects(const hardy_sink *report, const char *title, char (*names)[HY_NAME_SIZE], size_t n)
{
	hy_sink_printf(report, "    %-10s %3zu:", title, n);
	for (size_t i = 0; i < n; i++)
		hy_sink_printf(report, " %s", names[i]);
	hy_sink_printf(report, "\n");
}

/* Steps that a run has before it: none when its training is done and only scoring is missing. */
static hardy_status steps_left(const hy_study_run *r, double *steps, const char **word, hardy_error *err)
{
	bool done = false;
	char *json = hy_path_join(r->folder, "run.json");
	hardy_status status = json ? HARDY_OK : hy_fail_memory(err, r->folder, 1, 1);
	if (!status && hy_path_exists(json))
		status = is_trained(json, &done, err);
	hy_free(json);
	if (!status && done) {
		*steps = 0;
		*word = "trained";
	}
	return status;
}

static hardy_status tell(const hy_study *s, const hardy_sink *report, hardy_error *err)
{
	static const char *const words[] = {"to do", "begun", "failed", "done"};
	double sum = 0;
	hy_estimate e;
	hardy_status status = hy_estimate_make(s, &e, err);
	if (status)
		return status;
	hy_sink_printf(report, "%s: %s\npreset %s, precision %s, %s x %s\n\ntest sets:\n", s->experiment->name,
	               s->experiment->title, s->base.preset, s->base.precision, HY_COUNT(s->n_methods, "method"),
	               HY_COUNT(s->o->seeds, "seed"));
	for (size_t i = 0; i < s->n_sets; i++)
		hy_sink_printf(report, "  %-14s %-9s %s\n", s->sets[i].name, hy_set_kind_names[s->sets[i].kind],
		               s->sources[s->sets[i].source].folder);
	hy_sink_printf(report, "\nsubjects:\n");
	for (size_t i = 0; i < s->n_runs; i += s->n_methods) {
		hy_sink_printf(report, "  seed %lld\n", (long long)s->runs[i].train.seed);
		print_subjects(report, "train", s->runs[i].split.train, s->runs[i].split.n_train);
		print_subjects(report, "validation", s->runs[i].split.validation, s->runs[i].split.n_validation);
	}
	print_subjects(report, "test", s->runs[0].split.test, s->runs[0].split.n_test);
	hy_sink_printf(report, "\nruns:\n  %-20s %-7s %8s %9s %9s\n", "", "", "steps", "s a step", "scoring");
	for (size_t i = 0; i < s->n_runs && !status; i++) {
		const hy_study_run *r = &s->runs[i];
		const char *word = words[r->state];
		double steps = e.steps[i % s->n_methods];
		const double step_s = e.step_s[i % s->n_methods];
		if (r->state == HY_RUN_BEGUN)
			status = steps_left(r, &steps, &word, err);
		hy_sink_printf(report, "  %-20s %-7s %8.0f %9.2f %7.0f s", r->name, word, steps, step_s, e.score_s);
		if (r->state == HY_RUN_FAILED)
			hy_sink_printf(report, "  %s", r->failure);
		hy_sink_printf(report, "\n");
		if (r->state != HY_RUN_DONE && (r->state != HY_RUN_FAILED || s->o->retry_failed))
			sum += steps * step_s + e.score_s;
	}
	hy_estimate_clear(&e);
	if (status)
		return status;
	const int64_t at_a_time = hy_process_at_a_time(s);
	hy_sink_printf(report, "\nleft to do: about ");
	print_time(report, sum / (double)at_a_time);
	hy_sink_printf(report, ", %lld at a time (two steps of each method and a scan were timed, now, on this machine)\n",
	               (long long)at_a_time);
	return HARDY_OK;
}

/* ---- all of it ---------------------------------------------------------------------------------------------------------- */

hardy_status hardy_experiment(const hardy_experiment_options *o, const hardy_sink *report, const hardy_log *log,
                              const hardy_stop *stop, hardy_error *err)
{
	hy_study s;
	hardy_error own = {0};
	err = err ? err : &own;
	if (o->jobs > 1 && !o->program)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "jobs is %lld, but no program is named to run them", (long long)o->jobs);
	hardy_status status = hy_study_make(&s, o, log, stop, err);
	if (status)
		return status;
	if (o->run) {
		status = run_alone(&s, err);
	} else if (o->dry_run || o->emit) {
		status = hy_ledger_read(&s, err);
		if (!status)
			status = o->emit ? hy_emit(&s, report, err) : tell(&s, report, err);
	} else {
		folder_lock lock;
		status = lock_folder(&s, o->output, &lock, err);
		if (!status) {
			status = hy_ledger_read(&s, err);
			if (!status)
				status = work(&s, report, err);
			unlock(&lock);
		}
	}
	hy_study_clear(&s);
	return status;
}
