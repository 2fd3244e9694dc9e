/*
 * trainer_open.c: a training before its first step: options, data, networks, how many steps there are, the run directory.
 */
#include "base/files.h"
#include "base/machine.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/average.h"
#include "predict/calibrate.h"
#include "training/card.h"
#include "training/start.h"
#include "training/trainer_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

enum { N_TIMED_STEPS = 10 };

static hardy_status failed(hardy_error *err)
{
	return err && err->status ? err->status : HARDY_ERROR_MEMORY;
}

/* ---- preparation --------------------------------------------------------------------------------------------------- */

/* As they are before the first step. */
static hardy_status start_weights(hy_trainer *t, hardy_error *err)
{
	size_t n_kept;
	hy_params_draw(&t->model.network.params, (uint64_t)t->o.seed);
	if (!t->init.network.params.n)
		return HARDY_OK;
	const hardy_status status = hy_start_copy(&t->model, &t->init, &n_kept, err);
	if (status)
		return hy_prefix(err, status, "%s", t->o.init);
	hy_info(t->log, "%s: %zu of %zu tensors are taken from it%s", t->o.init, t->model.network.params.n - n_kept,
	        t->model.network.params.n, n_kept ? ", the others are made for other classes and start anew" : "");
	return HARDY_OK;
}

static hardy_status make_model(hy_trainer *t, hardy_error *err)
{
	const hy_dataset *d = &t->set.dataset;
	hy_model *m = &t->model;
	const hy_network_config config = hy_options_network(&t->o, d->n_channels, d->n_classes);
	m->n_classes = d->n_classes;
	m->n_channels = d->n_channels;
	memcpy(m->classes, d->classes, sizeof m->classes);
	memcpy(m->channels, d->channels, sizeof m->channels);
	m->fingerprint = t->set.fingerprint;
	const hardy_status status = hy_network_init(&m->network, &config, err);
	return status ? status : start_weights(t, err);
}

static void make_plan(hy_plan *plan, const hardy_train_options *o)
{
	hy_plan_init(plan);
	plan->size = o->size;
	plan->spacing_mm = o->spacing_mm;
	plan->percentile_low = o->percentile_low;
	plan->percentile_high = o->percentile_high;
	plan->neighbours = o->neighbours > 0 ? (int)o->neighbours : 0;
	plan->planes = o->planes > 1 ? (int)o->planes : 1;
}

static void batch_options(hy_trainer *t, hy_batch_options *o)
{
	hy_batch_options_init(o, t->o.size);
	o->batch = t->o.batch;
	o->part = t->ranks->rank;
	o->parts = t->ranks->size;
	o->seed = (uint64_t)t->o.seed;
	o->minmax_plain = t->o.minmax;
	if (!strcmp(t->o.augment, "none"))
		o->content = HY_BATCH_PLAIN;
	if (!strcmp(t->o.augment, "wide")) {
		o->content = HY_BATCH_AUGMENTED;
		o->warps = true;
		o->warp.rotation_deg = t->o.rotation_deg;
		o->warp.mirror = t->o.mirror;
	}
	if (!strcmp(t->o.augment, "no-elastic"))
		o->augment.elastic_probability = 0;
	t->clean_target = hy_recipe_randomises(&t->recipe, &o->randomise);
}

int64_t hy_trainer_own_batch(const hy_trainer *t)
{
	return t->o.batch / t->ranks->size;
}

static hardy_status make_batches(hy_trainer *t, hardy_error *err)
{
	hy_batch_options o;
	batch_options(t, &o);
	t->batches = hy_batches_new(&o, t->set.parts, t->set.subject, t->set.n_parts, err);
	if (!t->batches)
		return failed(err);
	t->per_epoch = hy_batches_per_epoch(t->batches);
	if (!t->o.unlabelled)
		return HARDY_OK;
	o.seed ^= UINT64_C(0x756e6c6162656c); /* other draws than the labelled slices' */
	t->unlabelled_batches = hy_batches_new(&o, t->unlabelled.cases, t->unlabelled.scan, t->unlabelled.n_cases, err);
	t->pseudo = hy_alloc((size_t)hy_trainer_own_batch(t), (size_t)(t->o.size * t->o.size));
	if (t->unlabelled_batches && !t->pseudo)
		return hy_fail_memory(err, "labels of unlabelled slices", (size_t)hy_trainer_own_batch(t),
		                      (size_t)(t->o.size * t->o.size));
	return t->unlabelled_batches ? HARDY_OK : failed(err);
}

static hardy_status make_step(hy_trainer *t, hardy_error *err)
{
	hy_step_options o;
	hy_recipe_options(&o, &t->recipe, &t->o);
	o.unlabelled = t->o.unlabelled ? t->o.batch : 0;
	o.ranks = t->ranks;
	if (o.unlabelled) {
		/* the average must be there before the teacher is made; a resumed run fills it in */
		const hardy_status status = hy_average_start(&t->model.network.params, err);
		if (status)
			return status;
		t->teacher = hy_teacher_new(&t->model.network, hy_trainer_own_batch(t), t->o.size, &o.engine, err);
		if (!t->teacher)
			return failed(err);
	}
	t->step = hy_step_new(&t->model.network, &o, err);
	if (!t->step)
		return failed(err);
	if (!t->set.validation.n)
		return HARDY_OK;
	t->validator = hy_validator_new(&t->model.network, &t->set.validation, t->o.size, err);
	if (!t->validator)
		return failed(err);
	hy_validator_share(t->validator, t->ranks);
	return HARDY_OK;
}

/* ---- how long ------------------------------------------------------------------------------------------------------ */

static int64_t least(int64_t a, int64_t b)
{
	return a && (!b || a < b) ? a : b;
}

/* A copy of a scan is spoiled, predicted and scored in its own grid: about twice the time of its slices in a validation. */
static double calibration_s(const hy_trainer *t, double validation_s)
{
	const double scans = (double)t->set.validation.n_cases / t->model.plan.planes, used = fmin(scans, HY_CALIBRATION_SCANS);
	return scans > 0 ? 2 * HY_CALIBRATION_COPIES * validation_s * used / scans : 0;
}

/*
 * Times a few steps and a validation, then forgets what they did: the steps that fit the budget, with validations and what comes
 * at the end.
 */
static hardy_status fit_budget(hy_trainer *t, int64_t *steps, hardy_error *err)
{
	double terms[HY_N_TERMS], learning_rate, start = hy_clock_s(), validation_s = 0;
	const double begin = start;
	hardy_status status = HARDY_OK;
	for (int64_t i = 0; i <= N_TIMED_STEPS && !status; i++) {
		if (hy_ranks_any(t->ranks, hy_stop_asked(t->stop))) {
			hy_ranks_same(t->ranks);
			return hy_fail(err, HARDY_ERROR_INTERRUPTED, "interrupted while timing steps, nothing was written");
		}
		hy_log(t->log, HARDY_LOG_PROGRESS, "timing step %lld of %d", (long long)i, N_TIMED_STEPS);
		status = hy_trainer_advance(t, i, INT64_C(1000000), terms, &learning_rate, err);
		if (i == 0)
			start = hy_clock_s();
	}
	if (status)
		return status;
	t->step_s = (hy_clock_s() - start) / N_TIMED_STEPS;
	if (t->validator) {
		hy_validation v;
		start = hy_clock_s();
		status = hy_validator_run(t->validator, &v, err);
		validation_s = hy_clock_s() - start;
	}
	hy_network_reset_statistics(&t->model.network);
	if (!status)
		status = start_weights(t, err);
	/* finishing two models: recalibration and reconstruction go through the training slices forwards, about half a step a batch */
	const double batches = (double)t->set.calibration.n / (double)t->o.batch;
	double finish_s = 2 * (validation_s + 0.6 * t->step_s * batches);
	if (t->o.calibrate)
		finish_s += 2 * calibration_s(t, validation_s);
	double left_s = t->o.budget_s - (hy_clock_s() - begin) - finish_s;
	if (status)
		return status;
	/* every clock measures something else */
	double step_s = t->step_s;
	hy_ranks_give(t->ranks, &left_s, sizeof left_s);
	hy_ranks_give(t->ranks, &step_s, sizeof step_s);
	hy_ranks_give(t->ranks, &validation_s, sizeof validation_s);
	/* a short training is validated more often than it was asked for: how often the steps say, as if there were no validations */
	const int64_t every = hy_trainer_validate_every(t, left_s > 0 ? (int64_t)(left_s / step_s) : 0);
	const double one_s = step_s + validation_s / (double)(t->per_epoch * every);
	if (left_s < one_s) {
		hy_ranks_same(t->ranks);
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "budget is %.0f s, but preparing and finishing take %.0f s and a step %.2f s",
		               t->o.budget_s, t->o.budget_s - left_s, one_s);
	}
	*steps = (int64_t)(left_s / one_s);
	hy_info(t->log, "a step takes %.2f s: %s in %.0f s", t->step_s, HY_COUNT(*steps, "step"), t->o.budget_s);
	return status;
}

static hardy_status fix_length(hy_trainer *t, hardy_error *err)
{
	int64_t steps = least(t->o.iterations, t->o.epochs * t->per_epoch), fitting = 0;
	if (t->o.budget_s > 0) {
		const hardy_status status = fit_budget(t, &fitting, err);
		if (status)
			return status;
	}
	t->at.steps = least(steps, fitting);
	return HARDY_OK;
}

/* ---- the run directory --------------------------------------------------------------------------------------------- */

static hardy_status start_run(hy_trainer *t, hardy_error *err)
{
	t->at.best_iou = -1;
	t->at.checksum = t->set.checksum;
	hardy_status status = fix_length(t, err);
	if (status)
		return status; /* the steps that were timed are the ranks' common work */
	if (t->o.ema > 0)
		status = hy_average_start(&t->model.network.params, err);
	if (!status && !t->ranks->rank)
		status = hy_run_open(&t->run, &t->o, err);
	return hy_ranks_agree(t->ranks, status, err);
}

/* Where the run in the folder stands: options from run.json, the rest from the checkpoint. */
static hardy_status load_run(hy_trainer *t, bool longer, hardy_error *err)
{
	hardy_status status;
	if ((status = hy_checkpoint_load(t->run.checkpoint, &t->model, &t->at, err)))
		return status;
	if (t->o.ema > 0 && !t->model.network.params.average_values)
		return hy_fail(err, HARDY_ERROR_FORMAT, "%s: averaged weights are missing", t->run.checkpoint);
	if (t->at.checksum != t->set.checksum)
		return hy_fail(err, HARDY_ERROR_DATA, "%s: the training slices are not those that the run in %s was started with",
		               t->o.data, t->o.output);
	if (longer) {
		const int64_t steps = least(t->o.iterations, t->o.epochs * t->per_epoch);
		if (steps < t->at.step)
			return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: the run has made %lld steps already, want more than %lld",
			               t->o.output, (long long)t->at.step, (long long)steps);
		t->at.steps = steps;
	}
	hy_info(t->log, "going on after step %lld of %lld", (long long)t->at.step, (long long)t->at.steps);
	return HARDY_OK;
}

static hardy_status resume_run(hy_trainer *t, bool longer, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	const bool begun = hy_path_exists(t->run.checkpoint);
	if (hy_ranks_any(t->ranks, !begun)) {
		hy_info(t->log, "%s: no checkpoint was saved yet: starting again", t->o.output);
		return start_run(t, err);
	}
	status = hy_ranks_agree(t->ranks, load_run(t, longer, err), err); /* all have read before one writes */
	if (!status && !t->ranks->rank)
		status = hy_run_truncate(&t->run, t->at.n_rows, t->log, err);
	return status;
}

/* ---- all of it ----------------------------------------------------------------------------------------------------- */

/* The record says what the data decided, and so does the first line. */
static void take_fitted(hy_trainer *t)
{
	const hy_fitted *f = &t->set.fitted;
	const hy_class *class = t->set.dataset.classes;
	char how[256] = "";
	t->recorded.size = t->o.size;
	t->recorded.spacing_mm = t->o.spacing_mm;
	t->recorded.rotation_deg = t->o.rotation_deg;
	t->recorded.mirror = t->o.mirror;
	t->recorded.neighbours = t->o.neighbours;
	t->recorded.planes = t->o.planes;
	if (f->alike_asked && isnan(f->alike.spread_deg))
		snprintf(how, sizeof how, " (the labels tell no direction)");
	else if (f->alike_asked && f->alike.from)
		snprintf(how, sizeof how, " (%.60s to %.60s: within %.0f degrees between subjects)", class[f->alike.from].name,
		         class[f->alike.to].name, f->alike.spread_deg);
	else if (f->alike_asked)
		snprintf(how, sizeof how, " (the long axis: within %.0f degrees between subjects)", f->alike.spread_deg);
	char beside[128] = "";
	if (t->o.neighbours)
		snprintf(beside, sizeof beside, ", each slice with %d neighbour%s on either side", (int)t->o.neighbours,
		         t->o.neighbours > 1 ? "s" : "");
	if (t->o.planes > 1)
		snprintf(beside + strlen(beside), sizeof beside - strlen(beside), ", across each of the three axes");
	if (strcmp(t->o.augment, "wide") != 0)
		hy_info(t->log, "plan: %lld x %lld pixels of %g mm%s", (long long)t->o.size, (long long)t->o.size, t->o.spacing_mm,
		        beside);
	else
		hy_info(t->log, "plan: %lld x %lld pixels of %g mm%s; turned by up to %g degrees, %s%s", (long long)t->o.size,
		        (long long)t->o.size, t->o.spacing_mm, beside, t->o.rotation_deg, t->o.mirror > 0 ? "mirrored" : "not mirrored",
		        how);
}

/* The model to start from, whose network and plan the options get; a run that goes on has its own weights. */
static hardy_status load_start(hy_trainer *t, hardy_error *err)
{
	if (!t->o.init || (t->o.resume && hy_path_exists(t->run.checkpoint)))
		return HARDY_OK;
	const hardy_status status = hy_start_load(&t->init, &t->o, err);
	if (status)
		return status;
	t->recorded.network_width = t->o.network_width;
	t->recorded.network_levels = t->o.network_levels;
	t->recorded.network_no_top_skip = t->o.network_no_top_skip;
	t->recorded.no_decoupler = t->o.no_decoupler;
	t->recorded.percentile_low = t->o.percentile_low;
	t->recorded.percentile_high = t->o.percentile_high;
	return hy_start_history(&t->init, &t->history, err);
}

/* A run that goes on: its card says what it started from. */
static hardy_status recall_history(hy_trainer *t, hardy_error *err)
{
	cJSON *card = NULL;
	if (t->history || !t->model.card)
		return HARDY_OK;
	const hardy_status status = hy_json_parse(t->model.card, strlen(t->model.card), &card, err);
	t->history = cJSON_DetachItemFromObjectCaseSensitive(card, "started_from");
	cJSON_Delete(card);
	return status ? hy_prefix(err, status, "%s: its card", t->run.checkpoint) : HARDY_OK;
}

/* Everything that a rank can do by itself. */
static hardy_status prepare(hy_trainer *t, hardy_error *err)
{
	hardy_status status = load_start(t, err);
	make_plan(&t->model.plan, &t->o);
	if (!status)
		status = hy_training_set_load(&t->set, &t->o, &t->model.plan, t->log, t->stop, err);
	if (!status)
		take_fitted(t);
	if (!status && t->o.unlabelled)
		status = hy_unlabelled_load(&t->unlabelled, &t->o, &t->model.plan, &t->set, t->log, t->stop, err);
	if (!status)
		status = make_model(t, err);
	if (!status)
		status = make_batches(t, err);
	return status ? status : make_step(t, err);
}

static hardy_status begin(hy_trainer *t, bool longer, hardy_error *err)
{
	hardy_status status = hy_ranks_agree(t->ranks, prepare(t, err), err);
	if (!status)
		status = t->o.resume ? resume_run(t, longer, err) : start_run(t, err);
	if (!status)
		status = recall_history(t, err);
	if (!status)
		status = hy_card_write(&t->model, &t->recorded, &t->set, t->history, t->at.steps, err);
	if (!status)
		status = hy_trainer_write_run(t, "running", false, err);
	const bool begun = !status;
	if (!status)
		hy_info(t->log, "%s: %s, %s, %s of %s (%s an epoch)", t->o.recipe, HY_COUNT(t->set.split.n_train, "subject"),
		        HY_COUNT(t->set.calibration.n, "slice"), HY_COUNT(t->at.steps, "step"), HY_COUNT(t->o.batch, "slice"),
		        HY_COUNT(t->per_epoch, "step"));
	if (!status && t->ranks->size > 1)
		hy_info(t->log, "%d ranks, of %lld slices each; batch norm's statistics are those of %s", t->ranks->size,
		        (long long)hy_trainer_own_batch(t), !strcmp(t->o.norm_statistics, "local") ? "a rank" : "the whole batch");
	if (!status && t->o.unlabelled)
		hy_info(t->log, "%s: %s without labels, %s", t->o.unlabelled, HY_COUNT(t->unlabelled.n_scans, "scan"),
		        HY_COUNT(t->unlabelled.n_slices, "slice"));
	/* from here on there is always a checkpoint */
	if (!status && !t->at.step)
		status = hy_trainer_save_checkpoint(t, err);
	if (begun && status)
		hy_trainer_write_run(t, "failed", false, NULL);
	t->steps_s = t->wait_s = 0; /* less what was timed for a budget */
	t->saved_s = hy_clock_s();
	t->first_step = t->at.step;
	t->before = hy_ranks_spent();
	return status;
}

/* Paths that can be understood from any working directory. */
static hardy_status resolve(hy_trainer *t, hardy_error *err)
{
	const hardy_train_options *o = &t->o;
	hardy_status status = hy_path_resolve(o->data, &t->data, err);
	if (!status && o->splits)
		status = hy_path_resolve(o->splits, &t->splits, err);
	if (!status && o->unlabelled)
		status = hy_path_resolve(o->unlabelled, &t->unlabelled_path, err);
	if (!status && o->init && !o->resume)
		status = hy_path_resolve(o->init, &t->start, err);
	if (status)
		return status;
	if (t->start)
		t->recorded.init = t->start;
	t->recorded.data = t->data;
	t->recorded.splits = t->splits;
	t->recorded.unlabelled = t->unlabelled_path;
	return HARDY_OK;
}

/* Options, and the folder, which is kept from others until hy_run_unlock. *longer: the run in it is to become longer than it was started. */
static hardy_status open_run(hy_trainer *t, bool *longer, hardy_error *err)
{
	const hardy_train_options *o = &t->o;
	hardy_train_options started;
	char *texts = NULL; /* of started */
	hardy_status status = hy_options_check(o, err);
	if (!status)
		status = hy_recipe_read(o->recipe, &t->recipe, err);
	if (!status && hy_recipe_is_file(o->recipe))
		t->o.recipe = t->recorded.recipe = t->recipe.text; /* a file may change before the run goes on */
	if (!status)
		status = resolve(t, err);
	if (!status && o->batch % t->ranks->size)
		status = hy_fail(err, HARDY_ERROR_ARGUMENT, "batch is %lld, want a multiple of the %d ranks that share it",
		                 (long long)o->batch, t->ranks->size);
	if (!status)
		status = hy_run_init(&t->run, o->output, err);
	if (!status && !t->ranks->rank)
		status = hy_run_lock(&t->run, o, t->log, err);
	if (!status && !t->ranks->rank)
		status = hy_run_check(&t->run, o, err);
	if (!status && o->resume)
		status = hardy_train_options_read(&started, &texts, o->output, err);
	if (!status && o->resume)
		status = hy_options_compare(&started, &t->recorded, t->run.json, longer, err);
	hardy_texts_free(texts);
	return status;
}

/* One training has one command line: what looks like ranks may be runs of their own that a cluster started side by side. */
static hardy_status compare_options(hy_ranks *r, const hardy_train_options *o, hardy_error *err)
{
	if (r->size == 1)
		return HARDY_OK;
	cJSON *json = hy_options_to_json(o, false);
	char *text = json ? hy_json_print(json, false) : NULL;
	uLong sum = text ? crc32_z(crc32(0, NULL, 0), (const void *)text, strlen(text)) : 0;
	sum = crc32_z(sum, (const void *)o->output, o->output ? strlen(o->output) : 0);
	cJSON_free(text);
	cJSON_Delete(json);
	if (hy_ranks_least(r, (double)sum) == -hy_ranks_least(r, -(double)sum))
		return HARDY_OK;
	hy_ranks_same(r);
	return hy_fail(err, HARDY_ERROR_ARGUMENT,
	               "the %d ranks were started with different options, want one training with one "
	               "command line: start runs of their own without mpirun",
	               r->size);
}

hardy_status hy_trainer_open(hy_trainer **out, const hardy_train_options *o, const hardy_log *log, const hardy_stop *stop,
                             hardy_error *err)
{
	hy_ranks *ranks = hy_ranks_here();
	bool longer = false;
	hardy_status status = compare_options(ranks, o, err);
	if (status)
		return status;
	hy_trainer *t = hy_calloc(1, sizeof *t);
	status = hy_ranks_agree(ranks, t ? HARDY_OK : hy_fail_memory(err, "a training", 1, sizeof *t), err);
	if (status) {
		hy_free(t);
		return status;
	}
	t->o = t->recorded = *o;
	t->ranks = ranks;
	t->own_log = log ? *log : (hardy_log){NULL, NULL};
	t->own_stop = stop ? *stop : (hardy_stop){NULL, NULL};
	t->log = log && !ranks->rank ? &t->own_log : NULL;
	t->stop = stop ? &t->own_stop : NULL;
	t->learning_rate = NAN;
	for (int k = 0; k < HY_N_TERMS; k++)
		t->terms[k] = NAN;
	for (int k = 0; k < 2; k++)
		t->seen.iou[k] = t->seen.dice[k] = NAN;
	status = hy_ranks_agree(ranks, open_run(t, &longer, err), err);
	if (!status) {
		const int before = hy_threads_set(o->threads);
		t->threads = hy_threads();
		status = begin(t, longer, err);
		hy_threads_set(before);
	}
	if (status)
		hy_trainer_close(t);
	else
		*out = t;
	return status;
}

void hy_trainer_close(hy_trainer *t)
{
	if (!t)
		return;
	hy_validator_free(t->validator);
	hy_step_free(t->step);
	hy_batches_free(t->batches);
	hy_batches_free(t->unlabelled_batches);
	hy_teacher_free(t->teacher);
	hy_unlabelled_clear(&t->unlabelled);
	hy_free(t->pseudo);
	hy_model_clear(&t->model);
	hy_model_clear(&t->init);
	cJSON_Delete(t->history);
	hy_training_set_clear(&t->set);
	hy_run_unlock(&t->run, &t->o);
	hy_run_clear(&t->run);
	hy_free(t->data);
	hy_free(t->splits);
	hy_free(t->unlabelled_path);
	hy_free(t->start);
	hy_free(t);
}
