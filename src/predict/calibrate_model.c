/*
 * calibrate_model.c: hardy_calibrate: a model file, a data set, and the model file again with a predicted Dice.
 */
#include "base/files.h"
#include "base/machine.h"
#include "base/memory.h"
#include "base/option.h"
#include "base/text.h"
#include "predict/calibrate.h"
#include "predict/jobs.h"

#include <cJSON.h>
#include <stdio.h>
#include <string.h>

#define AT(member) offsetof(hardy_calibrate_options, member)

static const hardy_option option_rows[] = {
    HY_OPTION_ARGUMENT(hardy_calibrate_options, model, "MODEL", "The model."),
    HY_OPTION_ARGUMENT(hardy_calibrate_options, data, "DATA", "A labelled data set."),
    HY_OPTION_OUTPUT(hardy_calibrate_options, "FILE", "Write the model there; without it, the model's own file is replaced."),
    HY_OPTIONS_SUBJECTS(hardy_calibrate_options),
    HY_OPTION_SPACING(hardy_calibrate_options),
    HY_OPTION_LABELS(hardy_calibrate_options),
    HY_OPTION_THREADS(hardy_calibrate_options),
    HY_OPTION_OVERWRITE(hardy_calibrate_options, "Replace what is at -o FILE."),
};

const hardy_options hy_calibrate_table = {"calibrate", HY_TABLE_ROWS(option_rows), sizeof(hardy_calibrate_options), NULL};

void hardy_calibrate_options_init(hardy_calibrate_options *o)
{
	hardy_options_default(&hy_calibrate_table, o);
}

typedef struct session {
	const hardy_calibrate_options *o;
	const hardy_log *log;
	const hardy_stop *stop;
	hy_dataset_options dataset;
	char *path, *state; /* owned: of the model; of a checkpoint */
	hy_model model;
	hy_jobs jobs;
	size_t *cases; /* owned */
	size_t n_cases;
} session;

static hardy_status load_model(session *s, hardy_error *err)
{
	hardy_status status = hy_model_argument(s->o->model, &s->path, err);
	if (!status && !s->path)
		status =
		    hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: no model: want a .safetensors file, or the folder of a run", s->o->model);
	return status ? status : hy_model_load(&s->model, s->path, &s->state, err);
}

/* Labelled cases; those that the model was trained on say nothing about others. */
static hardy_status choose_cases(session *s, const hy_dataset *d, hardy_error *err)
{
	cJSON *training = cJSON_CreateArray();
	size_t n_trained = 0;
	const hardy_status status =
	    training ? hy_training_add(training, &s->model, err) : hy_fail_memory(err, "what a model has seen", 1, 1);
	s->cases = status ? NULL : hy_alloc(s->jobs.n, sizeof *s->cases);
	for (size_t i = 0; s->cases && i < s->jobs.n; i++) {
		const size_t index = s->jobs.items[i].index;
		const hy_case *c = &d->cases[index];
		if (!c->label_path)
			continue;
		if (hy_seen(training, d, c->subject))
			n_trained++;
		else
			s->cases[s->n_cases++] = index;
	}
	cJSON_Delete(training);
	if (status)
		return status;
	if (!s->cases)
		return hy_fail_memory(err, "cases", s->jobs.n, sizeof *s->cases);
	if (n_trained)
		hy_warn(s->log, "%s: %s %s left out, the model was trained on %s", d->root, HY_COUNT(n_trained, "scan"),
		        HY_IS(n_trained), n_trained == 1 ? "it" : "them");
	if (!s->n_cases)
		return hy_fail(err, HARDY_ERROR_DATA, "%s: no labelled scan that the model was not trained on", d->root);
	return HARDY_OK;
}

static void print_result(const hy_calibration *c, const hardy_sink *report)
{
	hy_outfile f = {.sink = report};
	if (!report)
		return;
	hy_outfile_printf(&f,
	                  "predicted Dice: calibrated on %s of %s, %s with their spoiled copies, "
	                  "%lld of them below %g\n",
	                  HY_COUNT(c->n_scans, "scan"), HY_COUNT(c->n_subjects, "subject"),
	                  HY_COUNT(c->n_predictions, "prediction"), (long long)c->n_below, HY_DICE_POOR);
	hy_outfile_printf(&f, "subjects predicted by the others: mean absolute error %.3f", c->error);
	if (c->auc >= 0)
		hy_outfile_printf(&f, ", area under the curve for those below %g: %.3f", HY_DICE_POOR, c->auc);
	hy_outfile_printf(&f, "\n");
}

/* A model is hours of work: only the one that was named to be calibrated is replaced without being asked for. */
static bool is_in_place(const session *s)
{
	return !s->o->output || hy_path_same(s->o->output, s->path);
}

static hardy_status save(const session *s, hardy_error *err)
{
	const bool any = s->o->overwrite || is_in_place(s);
	const char *path = s->o->output ? s->o->output : s->path;
	hy_parts_remove_beside(path);
	return hy_model_save(&s->model, path, s->state, any ? HY_REPLACE_ANY : NULL, err);
}

static hardy_status run(session *s, const hardy_sink *report, hardy_error *err)
{
	hardy_status status = load_model(s, err);
	if (!status && !is_in_place(s))
		status = hy_outfile_check(s->o->output, s->o->overwrite ? HY_REPLACE_ANY : NULL, err);
	if (status)
		return status;
	const hy_jobs_options o = {.n_channels = s->model.n_channels,
	                           .dataset = s->dataset,
	                           .subjects = s->o->subjects,
	                           .split = s->o->split,
	                           .splits = s->o->splits,
	                           .fold = s->o->fold};
	status = hy_jobs_collect_for(&s->jobs, s->o->data, &o, &s->model, s->path, s->log, err);
	const hy_dataset *d = status ? NULL : &s->jobs.sets[1];
	for (size_t i = 0; i < s->jobs.n_lost; i++)
		hy_warn(s->log, "left out: %s", s->jobs.lost[i].text);
	if (!status)
		status = choose_cases(s, d, err);
	if (!status)
		status = hy_calibrate(&s->model, d, s->cases, s->n_cases, &s->dataset, s->log, s->stop, &s->model.calibration, err);
	if (!status)
		status = save(s, err);
	if (!status)
		print_result(&s->model.calibration, report);
	return status;
}

hardy_status hardy_calibrate(const hardy_calibrate_options *o, const hardy_sink *report, const hardy_log *log,
                             const hardy_stop *stop, hardy_error *err)
{
	session s = {.o = o, .log = log, .stop = stop};
	if (!o->model || !o->data)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "calibrate: model and data must be named");
	if (hardy_options_check(&hy_calibrate_table, o, err))
		return HARDY_ERROR_ARGUMENT;
	s.dataset.labels = o->labels;
	memcpy(s.dataset.spacing_mm, o->spacing_mm, sizeof s.dataset.spacing_mm);
	const int threads = hy_threads_set(o->threads);
	const hardy_status status = run(&s, report, err);
	hy_threads_set(threads);
	hy_jobs_clear(&s.jobs);
	hy_model_clear(&s.model);
	hy_free(s.path);
	hy_free(s.state);
	hy_free(s.cases);
	return status;
}
