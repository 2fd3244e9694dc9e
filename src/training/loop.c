/*
 * loop.c: hardy_train: every step of a training, one after the other.
 */
#include "training/trainer.h"

hardy_status hardy_train(const hardy_train_options *o, const hardy_log *log, const hardy_stop *stop, hardy_error *err)
{
	hardy_error unseen;
	hy_trainer *t = NULL;
	err = err ? err : &unseen;
	hardy_status status = hy_trainer_open(&t, o, log, stop, err);
	while (!status && hy_trainer_left(t))
		status = hy_trainer_step(t, err);
	if (!status)
		status = hy_trainer_finish(t, err);
	hy_trainer_close(t);
	return status;
}
