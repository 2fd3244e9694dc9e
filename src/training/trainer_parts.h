/*
 * trainer_parts.h: what trainer_open.c, trainer_step.c and trainer_finish.c have in common.
 */
#ifndef HY_TRAINING_TRAINER_PARTS_H
#define HY_TRAINING_TRAINER_PARTS_H

#include "base/ranks.h"
#include "training/checkpoint.h"
#include "training/run.h"
#include "training/teacher.h"
#include "training/trainer.h"
#include "training/unlabelled.h"

struct hy_trainer {
	hardy_train_options o, recorded; /* recorded: with paths that can be understood from any working directory */
	hy_recipe recipe;
	hy_ranks *ranks; /* that train together: all do the same steps on their parts of the batches, and rank 0 alone writes */
	const hardy_log *log;   /* of own_log; NULL on other ranks and where none was given */
	const hardy_stop *stop; /* likewise */
	hardy_log own_log;
	hardy_stop own_stop;
	char *data, *splits, *unlabelled_path, *start; /* owned: paths of recorded */
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
	hy_ranks_times before;           /* its first step */
	double session_s, in_steps_s;    /* clock at its first step, and spent in it so far, as started_s */
	double saved_s;                  /* clock at the last checkpoint */
	int threads;
	hy_validation last, best;                /* of the finished models */
	hy_validation seen;                      /* this session's last validation, NaN before */
	bool validated;                          /* by the last step */
	double terms[HY_N_TERMS], learning_rate; /* of the last step; NaN before */
	bool failed, done;
};

/* This rank's slices of a batch. */
int64_t hy_trainer_own_batch(const hy_trainer *t);

/* One step of the method and nothing around it: iteration of total. */
hardy_status hy_trainer_advance(hy_trainer *t, int64_t iteration, int64_t total, double *terms, double *learning_rate,
                                hardy_error *err);

/* run.json; finished: with the scores of the models. */
hardy_status hy_trainer_write_run(const hy_trainer *t, const char *status, bool finished, hardy_error *err);
hardy_status hy_trainer_save_checkpoint(hy_trainer *t, hardy_error *err);

/* Models that are scored or saved have the averaged weights, if the run averages them; a second call takes it back. */
void hy_trainer_exchange_average(hy_trainer *t);

/* Epochs between validations of a training of so many steps: as asked for, but five where it has as many epochs. */
int64_t hy_trainer_validate_every(const hy_trainer *t, int64_t steps);

/* "Dice ..." of both networks where there are two; returns text. */
const char *hy_trainer_dice(const hy_trainer *t, const hy_validation *v, char *text, size_t size);

#endif
