/*
 * train.h: a training in the caller's hands: step by step what hardy_train does, with the same bytes at the end.
 *
 * A hardy_trainer reads its data set once, holds networks, optimiser and batches in memory, and keeps a run directory as hardy_train does: run.json,
 * metrics, checkpoint, models. What it makes can be resumed by hardy_train, and the other way round.
 *
 * Threads. A trainer serves one thread at a time, any thread; batches are prepared on threads of its own. Every call works with the number of OpenMP
 * threads that the trainer was made with, and leaves the calling thread's as it was; from a parallel region of the caller's it has one, and
 * the last digits may differ. Several trainers may run at the same time in different folders. log and stop are called from the calling thread, or
 * from threads that work for it, during calls alone.
 *
 * Example (arguments: a data set, a folder to make): eight steps on small slices, and what each was like.
 *
 *     #include <hardy.h>
 *     #include <stdio.h>
 *
 *     int main(int argc, char **argv)
 *     {
 *         hardy_error err = {HARDY_OK, "want a data set and a folder"};
 *         hardy_train_options o;
 *         hardy_trainer *trainer = NULL;
 *         hardy_training now;
 *         HARDY_INIT(now);
 *         hardy_status status = argc < 3 ? HARDY_ERROR_ARGUMENT : hardy_train_options_init(&o, "quick", "standard", &err);
 *         if (!status) {
 *             hardy_train_options_drop_length(&o);
 *             o.data = argv[1];
 *             o.output = argv[2];
 *             o.iterations = 8;
 *             o.batch = 2;
 *             o.size = 16;
 *             o.spacing_mm = 8;
 *             o.validation = 0;
 *             o.calibrate = false;
 *             status = hardy_trainer_new(&o, NULL, NULL, &trainer, &err);
 *         }
 *         do {
 *             if (!status)
 *                 status = hardy_trainer_step(trainer, &now, &err);
 *             if (!status)
 *                 printf("step %d of %d: loss %.3f\n", (int)now.step, (int)now.steps, now.loss);
 *         } while (!status && now.step < now.steps);
 *         if (!status)
 *             status = hardy_trainer_finish(trainer, &err); // OUTPUT/last.safetensors is there now
 *         if (status)
 *             fprintf(stderr, "%s\n", err.message);
 *         hardy_trainer_free(trainer);
 *         return status ? 1 : 0;
 *     }
 */
#ifndef HARDY_TRAIN_H
#define HARDY_TRAIN_H

#include "commands.h"
#include "error.h"
#include "version.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hardy_trainer hardy_trainer;

/* Where a training stands. NaN: not measured. */
typedef struct hardy_training {
	size_t size;                    /* sizeof(hardy_training): the caller's, by HARDY_INIT */
	int64_t step, steps;            /* made, and in all */
	int64_t epoch, steps_per_epoch; /* epochs completed */
	double loss;                    /* of the last step: the sum of its terms */
	double learning_rate;           /* of the last step */
	bool validated;                 /* the last step ended an epoch with a validation: */
	double ftn_dice,
	    stn_dice; /* mean over classes of the last validation, by the FTN alone and by FTN+STN; one network: both its */
	double ftn_iou, stn_iou; /* likewise */
	int64_t best_epoch;      /* with the best stn_iou so far; 0: none yet */
	double seconds;          /* spent in calls, in all sessions of the run */
} hardy_training;

/*
 * Reads the data set, fixes the number of steps and opens the run directory, which is kept from others until hardy_trainer_free. o is as for
 * hardy_train; with resume the run in o->output goes on after its last checkpoint. o and its texts must last as long as the trainer, as must what log
 * and stop (NULL allowed) point to. stop is asked as hardy_train asks it: a step after which it says yes saves and is
 * HARDY_ERROR_INTERRUPTED. HARDY_ERROR_UNSUPPORTED on several ranks. *out is released with hardy_trainer_free.
 */
HARDY_API hardy_status hardy_trainer_new(const hardy_train_options *o, const hardy_log *log, const hardy_stop *stop,
                                         hardy_trainer **out, hardy_error *err);
/* Steps that were not saved are lost, unless the training was finished: the run can go on from its last checkpoint. NULL allowed. */
HARDY_API void hardy_trainer_free(hardy_trainer *t);

/*
 * Makes one step, and what is due behind it: at an epoch's end its row of metrics, a validation and best.safetensors; every checkpoint_every_s a
 * checkpoint. now (NULL allowed) is filled in. HARDY_ERROR_ARGUMENT, and nothing done, when all steps are made. A non-finite loss is
 * HARDY_ERROR_NUMERIC; after that and after any other failure the trainer can only be released.
 */
HARDY_API hardy_status hardy_trainer_step(hardy_trainer *t, hardy_training *now, hardy_error *err);

/* Where the training stands, without doing anything. */
HARDY_API hardy_status hardy_trainer_look(const hardy_trainer *t, hardy_training *now, hardy_error *err);

/* The i-th term of a loss, "seg", "hard_p" ..., NULL behind the last; and what it was in the last step, NaN where the recipe has none of it. */
HARDY_API const char *hardy_trainer_term_name(size_t i);
HARDY_API double hardy_trainer_term(const hardy_trainer *t, size_t i);

/*
 * Scores the network as it is on the validation subjects, out of turn: nothing is written, and the training goes on as without it. The Dice and IoU
 * of now are of this validation. HARDY_ERROR_DATA when there are no validation subjects.
 */
HARDY_API hardy_status hardy_trainer_validate(hardy_trainer *t, hardy_training *now, hardy_error *err);

/* Saves the run so that it can go on from here: its checkpoint, and run.json, which then says "interrupted" if steps are left. */
HARDY_API hardy_status hardy_trainer_save(hardy_trainer *t, hardy_error *err);

/*
 * Writes the model as it is now to path (a name that ends in .safetensors), apart from the run: with averaged weights where the run averages them, and
 * without what hardy_trainer_finish does to models. overwrite: whatever is at path.
 */
HARDY_API hardy_status hardy_trainer_save_model(hardy_trainer *t, const char *path, bool overwrite, hardy_error *err);

/*
 * Once all steps are made: batch-norm statistics, scores, predicted Dice, last.safetensors and best.safetensors, run.json. Before, it is
 * HARDY_ERROR_ARGUMENT. Afterwards the trainer can be looked at and released.
 */
HARDY_API hardy_status hardy_trainer_finish(hardy_trainer *t, hardy_error *err);

#ifdef __cplusplus
}
#endif
#endif
