/*
 * card.h: the model card: what a model was made from, by what, and for what.
 */
#ifndef HY_TRAINING_CARD_H
#define HY_TRAINING_CARD_H

#include "training/options.h"
#include "training/set.h"

/* Writes the card of a model trained with these options for so many steps into model->card. history: of the model that it started from, NULL
 * without. No dates, times or paths: the same
 * run gives the same bytes. */
hardy_status hy_card_write(hy_model *model, const hardy_train_options *o, const hy_training_set *set, const cJSON *history,
                           int64_t steps, hardy_error *err);

#endif
