/*
 * trainer_step.c: the steps of a training, and what is due behind them: progress, epochs, validations, checkpoints.
 */
#include "base/files.h"
#include "base/machine.h"
#include "engine/average.h"
#include "training/trainer_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <zlib.h>

enum { N_SHOTS = 6, COMPARED_EVERY = 100 };

/* ---- the method ---------------------------------------------------------------------------------------------------- */

void hy_trainer_exchange_average(hy_trainer *t)
{
	if (t->model.network.params.average_values)
		hy_average_swap(&t->model.network.params);
}

/* A batch of unlabelled slices: the teacher labels them as they lie, the network sees them randomised. */
static hardy_status give_unlabelled(hy_trainer *t, int64_t iteration, int64_t total, hardy_error *err)
{
	const float *image;
	const uint8_t *none;
	const double weight = t->o.unlabelled_weight * hy_teacher_ramp(iteration, total);
	hardy_status status = hy_batches_get(t->unlabelled_batches, iteration, &image, &none, err);
	if (!status)
		status = hy_teacher_label(t->teacher, image, hy_trainer_own_batch(t), t->o.confidence, t->pseudo, err);
	if (!status)
		hy_step_unlabelled(t->step, hy_batches_input(t->unlabelled_batches), t->pseudo, weight);
	return status;
}

hardy_status hy_trainer_advance(hy_trainer *t, int64_t iteration, int64_t total, double *terms, double *learning_rate,
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
static hardy_status compare_weights(const hy_trainer *t, hardy_error *err)
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

/* ---- the run directory --------------------------------------------------------------------------------------------- */

hardy_status hy_trainer_write_run(const hy_trainer *t, const char *status, bool finished, hardy_error *err)
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

hardy_status hy_trainer_save_checkpoint(hy_trainer *t, hardy_error *err)
{
	const hardy_status status = t->ranks->rank ? HARDY_OK : hy_checkpoint_save(t->run.checkpoint, &t->model, &t->at, err);
	t->saved_s = hy_clock_s();
	return status;
}

/* ---- epochs -------------------------------------------------------------------------------------------------------- */

static hardy_status keep_if_best(hy_trainer *t, const hy_validation *v, hardy_error *err)
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

const char *hy_trainer_dice(const hy_trainer *t, const hy_validation *v, char *text, size_t size)
{
	if (hy_network_has(&t->model.network, HY_PART_SHAPE))
		snprintf(text, size, "Dice FTN %.4f, FTN+STN %.4f", v->dice[0], v->dice[1]);
	else
		snprintf(text, size, "Dice %.4f", v->dice[0]);
	return text;
}

/* The page of a run is renewed when there is something new to see on it: with a validation, or without any with every row. */
static hardy_status show_run(hy_trainer *t, double dice, hardy_error *err)
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

int64_t hy_trainer_validate_every(const hy_trainer *t, int64_t steps)
{
	const int64_t fifth = steps / t->per_epoch / 5, most = fifth > 1 ? fifth : 1;
	return t->o.validate_every < most ? t->o.validate_every : most;
}

static hardy_status end_epoch(hy_trainer *t, double learning_rate, hardy_error *err)
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
	const bool validate =
	    t->validator && (t->at.epoch % hy_trainer_validate_every(t, t->at.steps) == 0 || t->at.step == t->at.steps);
	if (validate) {
		hy_trainer_exchange_average(t);
		status = hy_validator_run(t->validator, &row.validation, err);
		if (!status)
			status = keep_if_best(t, &row.validation, err);
		hy_trainer_exchange_average(t);
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
		t->seen = row.validation;
	t->validated = validate;
	if (validate)
		hy_info(t->log, "epoch %lld, step %lld: loss %.4f, validation %s%s", (long long)t->at.epoch, (long long)t->at.step,
		        row.loss, hy_trainer_dice(t, &row.validation, text, sizeof text),
		        t->at.best_epoch == t->at.epoch ? " (best so far)" : "");
	t->at.n_rows = t->run.n_rows;
	t->at.n_sums = 0;
	memset(t->at.sums, 0, sizeof t->at.sums);
	t->epoch_start_s = hy_clock_s();
	t->at.epoch_seconds = 0;
	/* best.safetensors and the progress that knows of it stay together */
	return t->at.best_epoch == t->at.epoch ? hy_trainer_save_checkpoint(t, err) : HARDY_OK;
}

/* ---- one step ------------------------------------------------------------------------------------------------------ */

static void show_progress(const hy_trainer *t)
{
	const double spent_s = hy_clock_s() - t->session_s, made = (double)(t->at.step - t->first_step);
	const double left_s = spent_s / made * (double)(t->at.steps - t->at.step);
	double loss = 0;
	for (int k = 0; k < HY_N_TERMS; k++)
		loss += t->terms[k];
	char left[32];
	if (left_s >= 3600)
		snprintf(left, sizeof left, "%.0f h %02.0f m", floor(left_s / 3600), floor(fmod(left_s, 3600) / 60));
	else if (left_s >= 60)
		snprintf(left, sizeof left, "%.0f m", ceil(left_s / 60));
	else
		snprintf(left, sizeof left, "%.0f s", left_s);
	char dice[32] = "";
	if (isfinite(t->seen.dice[1]))
		snprintf(dice, sizeof dice, ", Dice %.3f", t->seen.dice[1]);
	hy_log(t->log, HARDY_LOG_PROGRESS, "%s left, step %lld of %lld, loss %.3f%s, %.*f steps/s", left, (long long)t->at.step,
	       (long long)t->at.steps, loss, dice, made / spent_s < 10 ? 2 : 0, made / spent_s);
}

static hardy_status interrupt(hy_trainer *t, hardy_error *err)
{
	hardy_status status = hy_trainer_save_checkpoint(t, err);
	if (!status)
		status = hy_trainer_write_run(t, "interrupted", false, err);
	if (status)
		return status;
	hy_ranks_same(t->ranks);
	return hy_fail(err, HARDY_ERROR_INTERRUPTED, "%s: interrupted after step %lld of %lld, saved: resume goes on", t->o.output,
	               (long long)t->at.step, (long long)t->at.steps);
}

static hardy_status step(hy_trainer *t, hardy_error *err)
{
	hardy_status status = hy_trainer_advance(t, t->at.step, t->at.steps, t->terms, &t->learning_rate, err);
	t->validated = false;
	if (status)
		return status;
	for (int k = 0; k < HY_N_TERMS; k++)
		t->at.sums[k] += t->terms[k];
	t->at.n_sums++;
	t->at.step++;
	t->at.seconds = hy_clock_s() - t->started_s;
	t->at.epoch_seconds = hy_clock_s() - t->epoch_start_s;
	show_progress(t);
	if (t->at.step == t->first_step + 1 || t->at.step % COMPARED_EVERY == 0)
		status = compare_weights(t, err);
	if (!status && (t->at.step % t->per_epoch == 0 || t->at.step == t->at.steps))
		status = end_epoch(t, t->learning_rate, err);
	if (!status && t->at.step < t->at.steps && hy_ranks_any(t->ranks, hy_stop_asked(t->stop)))
		return interrupt(t, err);
	if (!status && hy_clock_s() - t->saved_s >= t->o.checkpoint_every_s)
		status = hy_trainer_save_checkpoint(t, err);
	return status;
}

static hardy_status check_usable(const hy_trainer *t, hardy_error *err)
{
	if (!t->failed && !t->done)
		return HARDY_OK;
	return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: the training %s", t->o.output, t->done ? "is finished" : "has failed");
}

/* Time counts while the training works, not while its caller does something else. */
hardy_status hy_trainer_step(hy_trainer *t, hardy_error *err)
{
	hardy_status status = check_usable(t, err);
	if (!status && !hy_trainer_left(t))
		status = hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: all %lld steps are made", t->o.output, (long long)t->at.steps);
	if (status)
		return status;
	const int before = hy_threads_set(t->threads);
	const double now_s = hy_clock_s();
	t->started_s = now_s - t->at.seconds;
	t->epoch_start_s = now_s - t->at.epoch_seconds;
	t->session_s = now_s - t->in_steps_s;
	status = step(t, err);
	if (status && status != HARDY_ERROR_INTERRUPTED) {
		hy_trainer_write_run(t, "failed", false, NULL);
		t->failed = true;
	}
	t->at.seconds = hy_clock_s() - t->started_s;
	t->at.epoch_seconds = hy_clock_s() - t->epoch_start_s;
	t->in_steps_s = hy_clock_s() - t->session_s;
	hy_threads_set(before);
	return status;
}

int64_t hy_trainer_left(const hy_trainer *t)
{
	return t->at.steps - t->at.step;
}

/* ---- between steps ------------------------------------------------------------------------------------------------- */

hardy_status hy_trainer_validate(hy_trainer *t, hy_validation *out, hardy_error *err)
{
	hardy_status status = check_usable(t, err);
	if (!status && !t->validator)
		status = hy_fail(err, HARDY_ERROR_DATA, "%s: there are no validation subjects", t->o.data);
	if (status)
		return status;
	const int before = hy_threads_set(t->threads);
	hy_trainer_exchange_average(t);
	status = hy_validator_run(t->validator, out, err);
	hy_trainer_exchange_average(t);
	hy_threads_set(before);
	return status;
}

hardy_status hy_trainer_save(hy_trainer *t, hardy_error *err)
{
	hardy_status status = check_usable(t, err);
	if (!status)
		status = hy_trainer_save_checkpoint(t, err);
	return status ? status : hy_trainer_write_run(t, hy_trainer_left(t) ? "interrupted" : "running", false, err);
}

hardy_status hy_trainer_save_model(hy_trainer *t, const char *path, bool overwrite, hardy_error *err)
{
	static const char ending[] = ".safetensors";
	hardy_status status = check_usable(t, err);
	const size_t n = path ? strlen(path) : 0;
	if (!status && (n < sizeof ending || strcmp(path + n + 1 - sizeof ending, ending) != 0))
		status = hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: want a name that ends in %s", path ? path : "NULL", ending);
	if (status)
		return status;
	hy_trainer_exchange_average(t);
	status = hy_model_save(&t->model, path, NULL, overwrite ? HY_REPLACE_ANY : NULL, err);
	hy_trainer_exchange_average(t);
	return status;
}

void hy_trainer_look(const hy_trainer *t, hardy_training *out)
{
	double loss = 0;
	for (int k = 0; k < HY_N_TERMS; k++)
		loss += t->terms[k];
	*out = (hardy_training){.size = sizeof *out,
	                        .step = t->at.step,
	                        .steps = t->at.steps,
	                        .epoch = t->at.epoch,
	                        .steps_per_epoch = t->per_epoch,
	                        .loss = loss,
	                        .learning_rate = t->learning_rate,
	                        .validated = t->validated,
	                        .ftn_dice = t->seen.dice[0],
	                        .stn_dice = t->seen.dice[1],
	                        .ftn_iou = t->seen.iou[0],
	                        .stn_iou = t->seen.iou[1],
	                        .best_epoch = t->at.best_epoch,
	                        .seconds = t->at.seconds};
}

double hy_trainer_term(const hy_trainer *t, enum hy_term term)
{
	return hy_step_has_term(t->step, term) ? t->terms[term] : NAN;
}
