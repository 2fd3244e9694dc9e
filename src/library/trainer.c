/*
 * trainer.c: hardy/train.h: trainings in the caller's hands.
 */
#include "training/trainer.h"

#include "base/memory.h"
#include "base/ranks.h"
#include "library/view.h"
#include "training/step.h"

#include <math.h>

struct hardy_trainer {
	hy_trainer *trainer; /* owned */
};

/* now: the caller's, NULL allowed. */
static hardy_status tell(const hardy_trainer *t, hardy_training *now, const hy_validation *v, hardy_error *err)
{
	hardy_training found;
	if (!now)
		return HARDY_OK;
	hy_trainer_look(t->trainer, &found);
	if (v) {
		found.ftn_dice = v->dice[0];
		found.stn_dice = v->dice[1];
		found.ftn_iou = v->iou[0];
		found.stn_iou = v->iou[1];
	}
	return hy_struct_give(now, &found, sizeof found, "the training to fill in", err);
}

/* Before anything is done: whether the caller's struct can be filled in. */
static hardy_status check(const hardy_trainer *t, hardy_training *now, hardy_error *err)
{
	if (!t)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "the trainer is NULL");
	return tell(t, now, NULL, err);
}

hardy_status hardy_trainer_new(const hardy_train_options *o, const hardy_log *log, const hardy_stop *stop, hardy_trainer **out,
                               hardy_error *err)
{
	hardy_error unseen;
	err = err ? err : &unseen;
	if (!o || !out)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s is NULL", o ? "out" : "options");
	if (hy_ranks_here()->size > 1)
		return hy_fail(err, HARDY_ERROR_UNSUPPORTED, "a trainer works on one rank, here are %d: want hardy_train",
		               hy_ranks_here()->size);
	hardy_trainer *made = hy_calloc(1, sizeof *made);
	if (!made)
		return hy_fail_memory(err, "a trainer", 1, sizeof *made);
	const hardy_status status = hy_trainer_open(&made->trainer, o, log, stop, err);
	if (status)
		hy_free(made);
	else
		*out = made;
	return status;
}

void hardy_trainer_free(hardy_trainer *t)
{
	if (!t)
		return;
	hy_trainer_close(t->trainer);
	hy_free(t);
}

hardy_status hardy_trainer_step(hardy_trainer *t, hardy_training *now, hardy_error *err)
{
	hardy_error unseen;
	err = err ? err : &unseen;
	hardy_status status = check(t, now, err);
	if (status)
		return status;
	status = hy_trainer_step(t->trainer, err);
	tell(t, now, NULL, NULL);
	return status;
}

hardy_status hardy_trainer_look(const hardy_trainer *t, hardy_training *now, hardy_error *err)
{
	if (!now)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "the training to fill in is NULL");
	return check(t, now, err);
}

const char *hardy_trainer_term_name(size_t i)
{
	return i < HY_N_TERMS ? hy_term_names[i] : NULL;
}

double hardy_trainer_term(const hardy_trainer *t, size_t i)
{
	return i < HY_N_TERMS ? hy_trainer_term(t->trainer, (enum hy_term)i) : NAN;
}

hardy_status hardy_trainer_validate(hardy_trainer *t, hardy_training *now, hardy_error *err)
{
	hardy_error unseen;
	hy_validation v;
	err = err ? err : &unseen;
	hardy_status status = now ? check(t, now, err) : hy_fail(err, HARDY_ERROR_ARGUMENT, "the training to fill in is NULL");
	if (!status)
		status = hy_trainer_validate(t->trainer, &v, err);
	return status ? status : tell(t, now, &v, err);
}

hardy_status hardy_trainer_save(hardy_trainer *t, hardy_error *err)
{
	const hardy_status status = check(t, NULL, err);
	return status ? status : hy_trainer_save(t->trainer, err);
}

hardy_status hardy_trainer_save_model(hardy_trainer *t, const char *path, bool overwrite, hardy_error *err)
{
	const hardy_status status = check(t, NULL, err);
	return status ? status : hy_trainer_save_model(t->trainer, path, overwrite, err);
}

hardy_status hardy_trainer_finish(hardy_trainer *t, hardy_error *err)
{
	hardy_error unseen;
	err = err ? err : &unseen;
	const hardy_status status = check(t, NULL, err);
	return status ? status : hy_trainer_finish(t->trainer, err);
}
