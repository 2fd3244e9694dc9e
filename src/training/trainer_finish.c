/*
 * trainer_finish.c: a training after its last step: batch-norm statistics, scores, how to predict, predicted Dice, and the two models.
 */
#include "base/machine.h"
#include "base/memory.h"
#include "base/text.h"
#include "predict/calibrate.h"
#include "training/recalibrate.h"
#include "training/trainer_parts.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* The predicted Dice, from the validation subjects; too few of them are no failure. */
static hardy_status calibrate(hy_trainer *t, hardy_error *err)
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
static hardy_status finish_model(hy_trainer *t, const char *path, hy_validation *score, hardy_error *err)
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
static hardy_status load_best(hy_trainer *t, hardy_error *err)
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

static void report_use(const hy_trainer *t)
{
	const hy_use *u = &t->model.use;
	if (u->chosen)
		hy_info(t->log, "prediction: %s%s, chosen on validation subjects: Dice %.4f, plainly %.4f",
		        u->flips ? "mean over mirrored slices" : "each slice once",
		        u->keep_largest ? ", largest component of each class" : "", u->dice, u->plain_dice);
}

static void report(const hy_trainer *t)
{
	char text[64];
	hy_info(t->log, "%s: %s in %.0f s", t->o.output, HY_COUNT(t->at.steps, "step"), t->at.seconds);
	const hy_batch_times b = hy_batches_times(t->batches);
	if (b.n && t->steps_s > 0)
		hy_info(t->log,
		        "preparing a batch took %.1f ms of a processor, a step %.0f ms; steps waited for batches %.2f %% of the time",
		        1e3 * b.prepare_s / (double)b.n, 1e3 * t->steps_s / (double)(t->at.step - t->first_step),
		        100 * t->wait_s / t->steps_s);
	const hy_ranks_times now = hy_ranks_spent();
	const double made = (double)(t->at.step - t->first_step);
	if (t->ranks->size > 1 && t->steps_s > 0)
		hy_info(t->log, "%d ranks: %.0f sums and %.1f MB of gradients a step; rank 0 waited for them %.1f %% of the time",
		        t->ranks->size, (double)(now.n_sums - t->before.n_sums) / made, (now.sent_mb - t->before.sent_mb) / made,
		        100 * (now.wait_s - t->before.wait_s) / t->steps_s);
	if (t->validator)
		hy_info(t->log, "last.safetensors: validation %s", hy_trainer_dice(t, &t->last, text, sizeof text));
	if (t->at.best_epoch)
		hy_info(t->log, "best.safetensors (epoch %lld): validation %s", (long long)t->at.best_epoch,
		        hy_trainer_dice(t, &t->best, text, sizeof text));
}

/* Every stage can be repeated from the checkpoint when it is cut short. Rank 0 does it alone: the others wait in hardy_ranks_leave. */
static hardy_status finish(hy_trainer *t, hardy_error *err)
{
	static const hy_ranks alone = {.rank = 0, .size = 1};
	t->ranks->agreed = true; /* whatever becomes of it */
	if (t->ranks->rank)
		return HARDY_OK;
	if (t->validator)
		hy_validator_share(t->validator, &alone);
	hardy_status status = hy_trainer_save_checkpoint(t, err);
	hy_log(t->log, HARDY_LOG_PROGRESS, "finishing");
	hy_trainer_exchange_average(t); /* for good */
	if (!status)
		status = finish_model(t, t->run.last, &t->last, err);
	if (!status && t->at.best_epoch) {
		status = load_best(t, err);
		if (!status)
			status = finish_model(t, t->run.best, &t->best, err);
	}
	if (status == HARDY_ERROR_INTERRUPTED) {
		status = hy_trainer_write_run(t, "interrupted", false, err);
		if (!status)
			status = hy_fail(err, HARDY_ERROR_INTERRUPTED, "%s: interrupted after the last step: resume finishes", t->o.output);
		return status;
	}
	if (!status)
		status = hy_trainer_write_run(t, "done", true, err);
	if (!status) {
		report(t);
		report_use(t);
	}
	return status;
}

hardy_status hy_trainer_finish(hy_trainer *t, hardy_error *err)
{
	if (t->failed || t->done)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: the training %s", t->o.output, t->done ? "is finished" : "has failed");
	if (hy_trainer_left(t))
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: %lld of %lld steps are made, want all of them", t->o.output,
		               (long long)t->at.step, (long long)t->at.steps);
	const int before = hy_threads_set(t->threads);
	const hardy_status status = finish(t, err);
	t->done = !status;
	t->failed = status != HARDY_OK;
	if (status && status != HARDY_ERROR_INTERRUPTED)
		hy_trainer_write_run(t, "failed", false, NULL);
	hy_threads_set(before);
	return status;
}
