/*
 * trainer.h: a training from a data set to finished models, one step at a time. hardy_train is a loop over these; hardy/train.h has them for others.
 *
 * On several ranks all call the same functions in the same order. Errors of hy_trainer_step and hy_trainer_finish are in run.json, too.
 */
#ifndef HY_TRAINING_TRAINER_H
#define HY_TRAINING_TRAINER_H

#include "training/step.h"
#include "training/validate.h"

typedef struct hy_trainer hy_trainer;

/* Texts of *o stay the caller's and must last as long as the trainer; of log and stop (NULL allowed) their payloads. */
hardy_status hy_trainer_open(hy_trainer **out, const hardy_train_options *o, const hardy_log *log, const hardy_stop *stop,
                             hardy_error *err);
void hy_trainer_close(hy_trainer *t); /* NULL allowed */

int64_t hy_trainer_left(const hy_trainer *t); /* steps */

/* As hardy_trainer_step, _validate, _save, _save_model, _finish and _look. */
hardy_status hy_trainer_step(hy_trainer *t, hardy_error *err);
hardy_status hy_trainer_validate(hy_trainer *t, hy_validation *out, hardy_error *err);
hardy_status hy_trainer_save(hy_trainer *t, hardy_error *err);
hardy_status hy_trainer_save_model(hy_trainer *t, const char *path, bool overwrite, hardy_error *err);
hardy_status hy_trainer_finish(hy_trainer *t, hardy_error *err);
void hy_trainer_look(const hy_trainer *t, hardy_training *out);
double hy_trainer_term(const hy_trainer *t, enum hy_term term); /* of the last step; NaN: the recipe has none */

#endif
