/*
 * loop.c: training from a data set to finished models: what happens when.
 */
#include "base/files.h"
#include "base/machine.h"
#include "base/memory.h"
#include "base/ranks.h"
#include "engine/average.h"
#include "predict/calibrate.h"
#include "training/card.h"
#include "training/checkpoint.h"
#include "training/recalibrate.h"
#include "training/run.h"
#include "training/start.h"
#include "training/teacher.h"
#include "training/unlabelled.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

enum { N_TIMED_STEPS = 10, N_SHOTS = 6, COMPARED_EVERY = 100 };

typedef struct trainer {
	hardy_train_options o, recorded; /* recorded: with paths that can be understood from any working directory */
	hy_recipe recipe;
	hy_ranks *ranks; /* that train together: all do the same steps on their parts of the batches, and rank 0 alone writes */
	const hardy_log *log; /* NULL on other ranks */
	const hardy_stop *stop;
	hy_training_set set;
	hy_model model;
	hy_model init;  /* what it starts from; empty without */
	cJSON *history; /* owned: what that one has seen; NULL without */
	hy_batches *batches;
	hy_unlabelled unlabelled;
	hy_batches *unlabelled_batches; /* NULL without */
	hy_teacher *teacher;            /* the same */
	uint8_t *pseudo;                /* owned: its labels */
	hy_step *step;
	hy_validator *validator; /* NULL without validation subjects */
	hy_run run;
	hy_progress at;
	bool clean_target; /* the network reconstructs the image as it was before randomisation */
	int64_t per_epoch;
	double step_s;                   /* timed for a budget, or 0 */
	double started_s, epoch_start_s; /* clock, less what earlier sessions spent */
	double steps_s, wait_s;          /* this session's steps took, and of that they waited for batches */
	int64_t first_step;              /* of this session */
	hy_ranks_times spent;            /* in its steps */
	double session_s;                /* clock at its first step */
	double saved_s;                  /* clock at the last checkpoint */
	int threads;
	hy_validation last, best; /* of the finished models */
	double dice;              /* of this session's last validation, NaN before */
} trainer;

static hardy_status failed(hardy_error *err)
{
	return err && err->status ? err->status : HARDY_ERROR_MEMORY;
}

/* ---- preparation -------------------------------------------------------------------------------------------------------- */

/* As they are before the first step. */
static hardy_status start_weights(trainer *t, hardy_error *err)
{
	size_t n_kept;
	hy_params_draw(&t->model.network.params, (uint64_t)t->o.seed);
	if (!t->init.network.params.n)
		return HARDY_OK;
	const hardy_status status = hy_start_copy(&t->model, &t->init, &n_kept, err);
	if (status)
		return hy_prefix(err, status, "%s", t->o.init);
	hy_info(t->log, "%s: %zu of %zu tensors are its own%s", t->o.init, t->model.network.params.n - n_kept,
	        t->model.network.params.n, n_kept ? ", the others are made for other classes and start anew" : "");
	return HARDY_OK;
}

static hardy_status make_model(trainer *t, hardy_error *err)
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
}

static void batch_options(trainer *t, hy_batch_options *o)
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

/* This rank's slices of a batch. */
static int64_t own_batch(const trainer *t)
{
	return t->o.batch / t->ranks->size;
}

static hardy_status make_batches(trainer *t, hardy_error *err)
{
	hy_batch_options o;
	batch_options(t, &o);
	t->batches = hy_batches_new(&o, t->set.cases, t->set.subject, t->set.n_cases, err);
	if (!t->batches)
		return failed(err);
	t->per_epoch = hy_batches_per_epoch(t->batches);
	if (!t->o.unlabelled)
		return HARDY_OK;
	o.seed ^= UINT64_C(0x756e6c6162656c); /* other draws than the labelled slices' */
	t->unlabelled_batches = hy_batches_new(&o, t->unlabelled.cases, t->unlabelled.scan, t->unlabelled.n_cases, err);
	t->pseudo = hy_alloc((size_t)own_batch(t), (size_t)(t->o.size * t->o.size));
	if (t->unlabelled_batches && !t->pseudo)
		return hy_fail_memory(err, "labels of unlabelled slices", (size_t)own_batch(t), (size_t)(t->o.size * t->o.size));
	return t->unlabelled_batches ? HARDY_OK : failed(err);
}

static hardy_status make_step(trainer *t, hardy_error *err)
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
		t->teacher = hy_teacher_new(&t->model.network, own_batch(t), t->o.size, &o.engine, err);
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

/* Models that are scored or saved have the averaged weights, if the run averages them. */
static void exchange_average(trainer *t)
{
	if (t->model.network.params.average_values)
		hy_average_swap(&t->model.network.params);
}

/* ---- one step ----------------------------------------------------------------------------------------------------------- */

/* A batch of unlabelled slices: the teacher labels them as they lie, the network sees them randomised. */
static hardy_status give_unlabelled(trainer *t, int64_t iteration, int64_t total, hardy_error *err)
{
	const float *image;
	const uint8_t *none;
	const double weight = t->o.unlabelled_weight * hy_teacher_ramp(iteration, total);
	hardy_status status = hy_batches_get(t->unlabelled_batches, iteration, &image, &none, err);
	if (!status)
		status = hy_teacher_label(t->teacher, image, own_batch(t), t->o.confidence, t->pseudo, err);
	if (!status)
		hy_step_unlabelled(t->step, hy_batches_input(t->unlabelled_batches), t->pseudo, weight);
	return status;
}

static hardy_status make_one_step(trainer *t, int64_t iteration, int64_t total, double *terms, double *learning_rate,
                                  hardy_error *err)
{
	const float *image;
	const uint8_t *label;
	const double before_s = hy_clock_s();
	hardy_status status = hy_batches_get(t->batches, iteration, &image, &label, err);
	if (status)
		return status;
	t->wait_s += hy_clock_s() - before_s;
	if (t->unlabelled_batches && (status = give_unlabelled(t, iteration, total, err)))
		return status;
	const float *input = hy_batches_input(t->batches);
	const hy_rate rate = hy_schedule_at(hy_options_schedule(&t->o), t->o.learning_rate, iteration, total);
	hy_step_set_beta1(t->step, rate.beta1);
	*learning_rate = rate.learning_rate;
	status = hy_step_run(t->step, input, t->clean_target ? image : input, label, iteration, rate.learning_rate, terms, err);
	if (!status && t->model.network.params.average_values)
		hy_average_step(&t->model.network.params, t->o.ema, t->model.network.params.adam_steps);
	t->steps_s += hy_clock_s() - before_s;
	return status;
}

/* Weights that ranks hold in common drift apart by nothing but a fault: of memory, of a machine, of ours. */
static hardy_status compare_weights(const trainer *t, hardy_error *err)
{
	const hy_params *p = &t->model.network.params;
	const struct {
		const float *data;
		size_t n;
	} parts[] = {{p->values, p->n_values},
	             {p->buffers, p->n_buffers},
	             {p->average_values, p->average_values ? p->n_values : 0},
	             {p->average_buffers, p->average_buffers ? p->n_buffers : 0}};
	uLong sum = crc32(0, NULL, 0);
	for (int i = 0; i < 4; i++)
		sum = crc32_z(sum, (const void *)parts[i].data, parts[i].n * sizeof(float));
	const double least = hy_ranks_least(t->ranks, (double)sum), most = -hy_ranks_least(t->ranks, -(double)sum);
	if (least == most)
		return HARDY_OK;
	hy_ranks_same(t->ranks);
	return hy_fail(err, HARDY_ERROR_NUMERIC, "step %lld: the weights are no longer the same on all %d ranks",
	               (long long)t->at.step, t->ranks->size);
}

/* ---- how long ----------------------------------------------------------------------------------------------------------- */

static int64_t least(int64_t a, int64_t b)
{
	return a && (!b || a < b) ? a : b;
}

/* A copy of a scan is spoiled, predicted and scored in its own grid: about twice the time of its slices in a validation. */
static double calibration_s(const trainer *t, double validation_s)
{
	const double scans = (double)t->set.validation.n_cases, used = fmin(scans, HY_CALIBRATION_SCANS);
	return scans > 0 ? 2 * HY_CALIBRATION_COPIES * validation_s * used / scans : 0;
}

/*
 * Times a few steps and a validation, then forgets what they did: the steps that fit the budget, with validations and what comes
 * at the end.
 */
static hardy_status fit_budget(trainer *t, int64_t *steps, hardy_error *err)
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
		status = make_one_step(t, i, INT64_C(1000000), terms, &learning_rate, err);
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
	double one_s = t->step_s + validation_s / (double)(t->per_epoch * t->o.validate_every);
	if (status)
		return status;
	/* every clock measures something else */
	hy_ranks_give(t->ranks, &left_s, sizeof left_s);
	hy_ranks_give(t->ranks, &one_s, sizeof one_s);
	if (left_s < one_s) {
		hy_ranks_same(t->ranks);
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "budget is %.0f s, but preparing and finishing take %.0f s and a step %.2f s",
		               t->o.budget_s, t->o.budget_s - left_s, one_s);
	}
	*steps = (int64_t)(left_s / one_s);
	hy_info(t->log, "a step takes %.2f s: %lld steps fit into %.0f s", t->step_s, (long long)*steps, t->o.budget_s);
	return status;
}

static hardy_status fix_length(trainer *t, hardy_error *err)
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

/* ---- the run directory -------------------------------------------------------------------------------------------------- */

static hardy_status write_run(const trainer *t, const char *status, bool finished, hardy_error *err)
{
	const hy_run_facts facts = {
	    .status = status,
	    .recipe = &t->recipe,
	    .steps = t->at.steps,
	    .steps_per_epoch = t->per_epoch,
	    .step = t->at.step,
	    .threads = t->threads,
	    .ranks = t->ranks->size,
	    .step_s = t->step_s,
	    .seconds = t->at.seconds,
	    .last = finished && t->validator ? &t->last : NULL,
	    .best = finished && t->at.best_epoch ? &t->best : NULL,
	    .best_epoch = t->at.best_epoch,
	};
	return t->ranks->rank ? HARDY_OK : hy_run_write(&t->run, &t->recorded, &t->set, &facts, err);
}

static hardy_status save_checkpoint(trainer *t, hardy_error *err)
{
	const hardy_status status = t->ranks->rank ? HARDY_OK : hy_checkpoint_save(t->run.checkpoint, &t->model, &t->at, err);
	t->saved_s = hy_clock_s();
	return status;
}

static hardy_status start_run(trainer *t, hardy_error *err)
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
static hardy_status load_run(trainer *t, bool longer, hardy_error *err)
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

static hardy_status resume_run(trainer *t, bool longer, hardy_error *err)
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

/* ---- epochs ------------------------------------------------------------------------------------------------------------- */

static hardy_status keep_if_best(trainer *t, const hy_validation *v, hardy_error *err)
{
	if (!isfinite(v->iou[1]) || v->iou[1] <= t->at.best_iou)
		return HARDY_OK;
	const hardy_status status = t->ranks->rank ? HARDY_OK : hy_model_save(&t->model, t->run.best, NULL, HY_MARK_JSON, err);
	if (status)
		return status;
	t->at.best_iou = v->iou[1];
	t->at.best_epoch = t->at.epoch;
	return HARDY_OK;
}

/* Of both networks where there are two. */
static const char *dice_of(const trainer *t, const hy_validation *v, char *text, size_t size)
{
	if (hy_network_has(&t->model.network, HY_PART_SHAPE))
		snprintf(text, size, "Dice FTN %.4f, FTN+STN %.4f", v->dice[0], v->dice[1]);
	else
		snprintf(text, size, "Dice %.4f", v->dice[0]);
	return text;
}

/* The page of a run is renewed when there is something new to see on it: with a validation, or without any with every row. */
static hardy_status show_run(trainer *t, double dice, hardy_error *err)
{
	hy_shot shots[N_SHOTS];
	hy_progress_facts p = {.step = t->at.step,
	                       .steps = t->at.steps,
	                       .dice = dice,
	                       .shots = shots,
	                       .n_shots = t->validator ? hy_validator_shots(t->validator, shots, N_SHOTS) : 0,
	                       .size = t->o.size,
	                       .classes = t->model.classes,
	                       .n_classes = t->model.n_classes};
	return hy_run_show(&t->run, &p, err);
}

static hardy_status end_epoch(trainer *t, double learning_rate, hardy_error *err)
{
	char text[64];
	const double n = (double)t->at.n_sums, epoch_s = t->at.epoch_seconds;
	hy_metrics_row row = {.learning_rate = learning_rate, .validation = {{NAN, NAN}, {NAN, NAN}}};
	hardy_status status = HARDY_OK;
	t->at.epoch++;
	for (int k = 0; k < HY_N_TERMS; k++) {
		const bool used = hy_step_has_term(t->step, (enum hy_term)k);
		row.terms[k] = used ? t->at.sums[k] / n : NAN;
		row.loss += used ? t->at.sums[k] / n : 0;
	}
	const bool validate = t->validator && (t->at.epoch % t->o.validate_every == 0 || t->at.step == t->at.steps);
	if (validate) {
		exchange_average(t);
		status = hy_validator_run(t->validator, &row.validation, err);
		if (!status)
			status = keep_if_best(t, &row.validation, err);
		exchange_average(t);
		if (status)
			return status;
	}
	t->at.seconds = hy_clock_s() - t->started_s;
	row.epoch = t->at.epoch;
	row.step = t->at.step;
	row.seconds = t->at.seconds;
	row.steps_per_s = epoch_s > 0 ? n / epoch_s : NAN;
	if (!t->ranks->rank)
		status = hy_run_add(&t->run, &row, err);
	if (!status && !t->ranks->rank && (validate || !t->validator))
		status = show_run(t, row.validation.dice[1], err);
	if (status)
		return status;
	if (validate)
		t->dice = row.validation.dice[1];
	if (validate)
		hy_info(t->log, "epoch %lld, step %lld: loss %.4f, validation %s%s", (long long)t->at.epoch, (long long)t->at.step,
		        row.loss, dice_of(t, &row.validation, text, sizeof text),
		        t->at.best_epoch == t->at.epoch ? " (best so far)" : "");
	t->at.n_rows = t->run.n_rows;
	t->at.n_sums = 0;
	memset(t->at.sums, 0, sizeof t->at.sums);
	t->epoch_start_s = hy_clock_s();
	t->at.epoch_seconds = 0;
	/* best.safetensors and the progress that knows of it stay together */
	return t->at.best_epoch == t->at.epoch ? save_checkpoint(t, err) : HARDY_OK;
}

static void show_progress(const trainer *t, const double *terms)
{
	const double spent_s = hy_clock_s() - t->session_s, made = (double)(t->at.step - t->first_step);
	const double left_s = spent_s / made * (double)(t->at.steps - t->at.step);
	double loss = 0;
	for (int k = 0; k < HY_N_TERMS; k++)
		loss += terms[k];
	char left[32];
	if (left_s >= 3600)
		snprintf(left, sizeof left, "%.0f h %02.0f m", floor(left_s / 3600), floor(fmod(left_s, 3600) / 60));
	else if (left_s >= 60)
		snprintf(left, sizeof left, "%.0f m", ceil(left_s / 60));
	else
		snprintf(left, sizeof left, "%.0f s", left_s);
	char dice[32] = "";
	if (isfinite(t->dice))
		snprintf(dice, sizeof dice, ", Dice %.3f", t->dice);
	hy_log(t->log, HARDY_LOG_PROGRESS, "%s left, step %lld of %lld, loss %.3f%s, %.*f steps/s", left, (long long)t->at.step,
	       (long long)t->at.steps, loss, dice, made / spent_s < 10 ? 2 : 0, made / spent_s);
}

static hardy_status interrupt(trainer *t, hardy_error *err)
{
	hardy_status status = save_checkpoint(t, err);
	if (!status)
		status = write_run(t, "interrupted", false, err);
	if (status)
		return status;
	hy_ranks_same(t->ranks);
	return hy_fail(err, HARDY_ERROR_INTERRUPTED, "%s: interrupted after step %lld of %lld, saved: resume goes on", t->o.output,
	               (long long)t->at.step, (long long)t->at.steps);
}

static hardy_status make_steps(trainer *t, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	t->started_s = hy_clock_s() - t->at.seconds;
	t->epoch_start_s = hy_clock_s() - t->at.epoch_seconds;
	t->steps_s = t->wait_s = 0;
	t->session_s = t->saved_s = hy_clock_s();
	t->first_step = t->at.step;
	const hy_ranks_times before = hy_ranks_spent();
	while (t->at.step < t->at.steps && !status) {
		double terms[HY_N_TERMS], learning_rate;
		if ((status = make_one_step(t, t->at.step, t->at.steps, terms, &learning_rate, err)))
			break;
		for (int k = 0; k < HY_N_TERMS; k++)
			t->at.sums[k] += terms[k];
		t->at.n_sums++;
		t->at.step++;
		t->at.seconds = hy_clock_s() - t->started_s;
		t->at.epoch_seconds = hy_clock_s() - t->epoch_start_s;
		show_progress(t, terms);
		if (t->at.step == t->first_step + 1 || t->at.step % COMPARED_EVERY == 0)
			status = compare_weights(t, err);
		if (status)
			break;
		if (t->at.step % t->per_epoch == 0 || t->at.step == t->at.steps)
			status = end_epoch(t, learning_rate, err);
		if (!status && t->at.step < t->at.steps && hy_ranks_any(t->ranks, hy_stop_asked(t->stop)))
			return interrupt(t, err);
		if (!status && hy_clock_s() - t->saved_s >= t->o.checkpoint_every_s)
			status = save_checkpoint(t, err);
	}
	const hy_ranks_times after = hy_ranks_spent();
	t->spent = (hy_ranks_times){after.n_sums - before.n_sums, after.sent_mb - before.sent_mb, after.wait_s - before.wait_s};
	return status;
}

/* ---- the end ------------------------------------------------------------------------------------------------------------ */

/* The predicted Dice, from the validation subjects; too few of them are no failure. */
static hardy_status calibrate(trainer *t, hardy_error *err)
{
	const hy_dataset *d = &t->set.dataset;
	hy_dataset_options o = {.labels = t->o.labels};
	size_t n = 0, *cases = hy_alloc(d->n_cases, sizeof *cases);
	if (!cases)
		return hy_fail_memory(err, "cases", d->n_cases, sizeof *cases);
	memcpy(o.spacing_mm, t->o.header_spacing_mm, sizeof o.spacing_mm);
	for (size_t i = 0; i < d->n_cases; i++)
		if (d->cases[i].label_path && hy_split_has(t->set.split.validation, t->set.split.n_validation, d->cases[i].subject))
			cases[n++] = i;
	hardy_error few = {0};
	hardy_status status = hy_calibrate(&t->model, d, cases, n, &o, t->log, t->stop, &t->model.calibration, &few);
	hy_free(cases);
	if (status == HARDY_ERROR_DATA) {
		hy_warn(t->log, "no predicted Dice: %s", few.message);
		status = HARDY_OK;
	} else if (status && err) {
		*err = few;
	}
	return status;
}

/* Recalibrates the network in t->model, scores it, and saves it as path. */
static hardy_status finish_model(trainer *t, const char *path, hy_validation *score, hardy_error *err)
{
	hy_model *m = &t->model;
	const hy_stack *s = &t->set.calibration;
	hardy_status status = HARDY_OK;
	if (t->o.recalibrate)
		status = hy_recalibrate(&m->network, s->image, s->n, t->o.size, t->o.batch, (uint64_t)t->o.seed, err);
	if (!status && hy_network_has(&m->network, HY_PART_IMAGE_DECODER))
		status = hy_reconstruction_error(&m->network, s->image, s->n, t->o.size, &m->fingerprint.reconstruction_mean,
		                                 &m->fingerprint.reconstruction_sd, err);
	if (!status && t->validator)
		status = hy_validator_run(t->validator, score, err);
	/* the study's models predict as the study does */
	if (!status && t->validator && m->network.config.kind != HY_NETWORK_STUDY)
		status = hy_validator_choose(t->validator, !strcmp(t->o.augment, "wide") && t->o.mirror > 0, &m->use, err);
	/* best and last are often the same weights */
	if (!status && t->o.calibrate && t->validator && !(m->calibration.version && t->at.best_epoch == t->at.epoch))
		status = calibrate(t, err);
	return status ? status : hy_model_save(m, path, NULL, HY_MARK_JSON, err);
}

/* The weights of best.safetensors, into the network that validator and step are made for. */
static hardy_status load_best(trainer *t, hardy_error *err)
{
	hy_model best = {0};
	const hardy_status status = hy_model_load(&best, t->run.best, NULL, err);
	if (status)
		return status;
	const hy_params *from = &best.network.params;
	hy_params *to = &t->model.network.params;
	memcpy(hy_params_write_values(to), from->values, to->n_values * sizeof *to->values);
	memcpy(hy_params_write_buffers(to), from->buffers, to->n_buffers * sizeof *to->buffers);
	to->n_batches_tracked = from->n_batches_tracked;
	hy_model_clear(&best);
	return HARDY_OK;
}

static void report_use(const trainer *t)
{
	const hy_use *u = &t->model.use;
	if (u->chosen)
		hy_info(t->log, "prediction: %s%s, chosen on validation subjects: Dice %.4f, plainly %.4f",
		        u->flips ? "mean over mirrored slices" : "each slice once",
		        u->keep_largest ? ", largest component of each class" : "", u->dice, u->plain_dice);
}

static void report(const trainer *t)
{
	char text[64];
	hy_info(t->log, "%s: %lld steps in %.0f s", t->o.output, (long long)t->at.steps, t->at.seconds);
	const hy_batch_times b = hy_batches_times(t->batches);
	if (b.n && t->steps_s > 0)
		hy_info(t->log,
		        "preparing a batch took %.1f ms of a processor, a step %.0f ms; steps waited for batches %.2f %% of the time",
		        1e3 * b.prepare_s / (double)b.n, 1e3 * t->steps_s / (double)(t->at.step - t->first_step),
		        100 * t->wait_s / t->steps_s);
	const double made = (double)(t->at.step - t->first_step);
	if (t->ranks->size > 1 && t->steps_s > 0)
		hy_info(t->log, "%d ranks: %.0f sums and %.1f MB of gradients a step; rank 0 waited for them %.1f %% of the time",
		        t->ranks->size, (double)t->spent.n_sums / made, t->spent.sent_mb / made, 100 * t->spent.wait_s / t->steps_s);
	if (t->validator)
		hy_info(t->log, "last.safetensors: validation %s", dice_of(t, &t->last, text, sizeof text));
	if (t->at.best_epoch)
		hy_info(t->log, "best.safetensors (epoch %lld): validation %s", (long long)t->at.best_epoch,
		        dice_of(t, &t->best, text, sizeof text));
}

/* Every stage can be repeated from the checkpoint when it is cut short. Rank 0 does it alone: the others wait in hardy_ranks_leave. */
static hardy_status finish(trainer *t, hardy_error *err)
{
	static const hy_ranks alone = {.rank = 0, .size = 1};
	t->ranks->agreed = true; /* whatever becomes of it */
	if (t->ranks->rank)
		return HARDY_OK;
	if (t->validator)
		hy_validator_share(t->validator, &alone);
	hardy_status status = save_checkpoint(t, err);
	hy_log(t->log, HARDY_LOG_PROGRESS, "finishing");
	exchange_average(t); /* for good */
	if (!status)
		status = finish_model(t, t->run.last, &t->last, err);
	if (!status && t->at.best_epoch) {
		status = load_best(t, err);
		if (!status)
			status = finish_model(t, t->run.best, &t->best, err);
	}
	if (status == HARDY_ERROR_INTERRUPTED) {
		status = write_run(t, "interrupted", false, err);
		if (!status)
			status = hy_fail(err, HARDY_ERROR_INTERRUPTED, "%s: interrupted after the last step: resume finishes", t->o.output);
		return status;
	}
	if (!status)
		status = write_run(t, "done", true, err);
	if (!status) {
		report(t);
		report_use(t);
	}
	return status;
}

/* ---- all of it ---------------------------------------------------------------------------------------------------------- */

static void clear(trainer *t)
{
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
}

/* The record says what the data decided, and so does the first line. */
static void take_fitted(trainer *t)
{
	const hy_fitted *f = &t->set.fitted;
	const hy_class *class = t->set.dataset.classes;
	char how[256] = "";
	t->recorded.size = t->o.size;
	t->recorded.spacing_mm = t->o.spacing_mm;
	t->recorded.rotation_deg = t->o.rotation_deg;
	t->recorded.mirror = t->o.mirror;
	t->recorded.neighbours = t->o.neighbours;
	if (f->alike_asked && isnan(f->alike.spread_deg))
		snprintf(how, sizeof how, " (the labels tell no direction)");
	else if (f->alike_asked && f->alike.from)
		snprintf(how, sizeof how, " (%.60s to %.60s: within %.0f degrees between subjects)", class[f->alike.from].name,
		         class[f->alike.to].name, f->alike.spread_deg);
	else if (f->alike_asked)
		snprintf(how, sizeof how, " (the long axis: within %.0f degrees between subjects)", f->alike.spread_deg);
	char beside[64] = "";
	if (t->o.neighbours)
		snprintf(beside, sizeof beside, ", each slice with %d neighbour%s on either side", (int)t->o.neighbours,
		         t->o.neighbours > 1 ? "s" : "");
	if (strcmp(t->o.augment, "wide") != 0)
		hy_info(t->log, "plan: %lld x %lld pixels of %g mm%s", (long long)t->o.size, (long long)t->o.size, t->o.spacing_mm,
		        beside);
	else
		hy_info(t->log, "plan: %lld x %lld pixels of %g mm%s; turned by up to %g degrees, %s%s", (long long)t->o.size,
		        (long long)t->o.size, t->o.spacing_mm, beside, t->o.rotation_deg, t->o.mirror > 0 ? "mirrored" : "not mirrored",
		        how);
}

/* The model to start from, whose network and plan the options get; a run that goes on has its own weights. */
static hardy_status load_start(trainer *t, hardy_error *err)
{
	if (!t->o.init || (t->o.resume && hy_path_exists(t->run.checkpoint)))
		return HARDY_OK;
	const hardy_status status = hy_start_load(&t->init, &t->o, err);
	if (status)
		return status;
	t->history = hy_start_history(&t->init);
	t->recorded.network_width = t->o.network_width;
	t->recorded.network_levels = t->o.network_levels;
	t->recorded.network_no_top_skip = t->o.network_no_top_skip;
	t->recorded.no_decoupler = t->o.no_decoupler;
	t->recorded.percentile_low = t->o.percentile_low;
	t->recorded.percentile_high = t->o.percentile_high;
	return HARDY_OK;
}

/* A run that goes on: its card says what it started from. */
static void recall_history(trainer *t)
{
	cJSON *card = !t->history && t->model.card ? cJSON_Parse(t->model.card) : NULL;
	if (card)
		t->history = cJSON_DetachItemFromObjectCaseSensitive(card, "started_from");
	cJSON_Delete(card);
}

/* Everything that a rank can do by itself. */
static hardy_status prepare(trainer *t, hardy_error *err)
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

static hardy_status train(trainer *t, bool longer, hardy_error *err)
{
	hardy_status status = hy_ranks_agree(t->ranks, prepare(t, err), err);
	if (!status)
		status = t->o.resume ? resume_run(t, longer, err) : start_run(t, err);
	recall_history(t);
	if (!status)
		status = hy_card_write(&t->model, &t->recorded, &t->set, t->history, t->at.steps, err);
	if (!status)
		status = write_run(t, "running", false, err);
	const bool begun = !status;
	if (!status)
		hy_info(t->log, "%s: %zu subjects, %lld slices, %lld steps of %lld slices (%lld steps an epoch)", t->o.recipe,
		        t->set.split.n_train, (long long)t->set.calibration.n, (long long)t->at.steps, (long long)t->o.batch,
		        (long long)t->per_epoch);
	if (!status && t->ranks->size > 1)
		hy_info(t->log, "%d ranks, of %lld slices each; batch norm's statistics are those of %s", t->ranks->size,
		        (long long)own_batch(t), !strcmp(t->o.norm_statistics, "local") ? "a rank" : "the whole batch");
	if (!status && t->o.unlabelled)
		hy_info(t->log, "%s: %zu scans without labels join in, %lld slices", t->o.unlabelled, t->unlabelled.n_scans,
		        (long long)t->unlabelled.n_slices);
	/* from here on there is always a checkpoint */
	if (!status && !t->at.step)
		status = save_checkpoint(t, err);
	if (!status)
		status = make_steps(t, err);
	if (!status)
		status = finish(t, err);
	if (begun && status && status != HARDY_ERROR_INTERRUPTED)
		write_run(t, "failed", false, NULL);
	return status;
}

/* Paths that can be understood from any working directory; owned. */
typedef struct paths {
	char *data, *splits, *unlabelled, *init;
} paths;

static hardy_status resolve(const hardy_train_options *o, paths *p, hardy_error *err)
{
	hardy_status status = hy_path_resolve(o->data, &p->data, err);
	if (!status && o->splits)
		status = hy_path_resolve(o->splits, &p->splits, err);
	if (!status && o->unlabelled)
		status = hy_path_resolve(o->unlabelled, &p->unlabelled, err);
	if (!status && o->init && !o->resume)
		status = hy_path_resolve(o->init, &p->init, err);
	return status;
}

/* Options, and the folder, which is kept from others until hy_run_unlock; started: what the run in it was started with. */
static hardy_status open_run(trainer *t, const hardy_train_options *o, paths *p, hardy_train_options *started, char **texts,
                             bool *longer, hardy_error *err)
{
	hardy_status status = hy_options_check(o, err);
	if (!status)
		status = hy_recipe_read(o->recipe, &t->recipe, err);
	if (!status && hy_recipe_is_file(o->recipe))
		t->o.recipe = t->recorded.recipe = t->recipe.text; /* a file may change before the run goes on */
	if (!status)
		status = resolve(o, p, err);
	if (status)
		return status;
	if (p->init)
		t->recorded.init = p->init;
	t->recorded.data = p->data;
	t->recorded.splits = p->splits;
	t->recorded.unlabelled = p->unlabelled;
	if (o->batch % t->ranks->size)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "batch is %lld, want a multiple of the %d ranks that share it",
		               (long long)o->batch, t->ranks->size);
	status = hy_run_init(&t->run, o->output, err);
	if (!status && !t->ranks->rank)
		status = hy_run_lock(&t->run, o, t->log, err);
	if (!status && !t->ranks->rank)
		status = hy_run_check(&t->run, o, err);
	if (!status && o->resume)
		status = hardy_train_options_read(started, texts, o->output, err);
	if (!status && o->resume)
		status = hy_options_compare(started, &t->recorded, t->run.json, longer, err);
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

hardy_status hardy_train(const hardy_train_options *o, const hardy_log *log, const hardy_stop *stop, hardy_error *err)
{
	hardy_error unseen;
	paths p = {NULL, NULL, NULL, NULL};
	hy_ranks *ranks = hy_ranks_here();
	trainer t = {.o = *o, .recorded = *o, .ranks = ranks, .log = ranks->rank ? NULL : log, .stop = stop, .dice = NAN};
	hardy_train_options started;
	char *texts = NULL; /* of started */
	bool longer = false;
	if (!err)
		err = &unseen;
	hardy_status status = compare_options(ranks, o, err);
	if (status)
		return status;
	status = hy_ranks_agree(ranks, open_run(&t, o, &p, &started, &texts, &longer, err), err);
	if (!status) {
		const int before = hy_threads_set(o->threads);
		t.threads = o->threads > 0 ? (int)o->threads : before;
		status = train(&t, longer, err);
		clear(&t);
		hy_threads_set(before);
	}
	hy_run_unlock(&t.run, o);
	hy_run_clear(&t.run);
	hardy_texts_free(texts);
	hy_free(p.data);
	hy_free(p.splits);
	hy_free(p.unlabelled);
	hy_free(p.init);
	return status;
}
