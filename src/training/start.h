/*
 * start.h: a training that goes on from a model instead of drawn weights.
 */
#ifndef HY_TRAINING_START_H
#define HY_TRAINING_START_H

#include "training/options.h"

#include "predict/model.h"

/*
 * Loads the model that o->init names. The options get its network, percentiles and, where both are left to the data, size and spacing. A model
 * of another kind of network than o->network is HARDY_ERROR_ARGUMENT.
 */
hardy_status hy_start_load(hy_model *m, hardy_train_options *o, hardy_error *err);

/*
 * Weights and running statistics of from into to, whose weights are drawn. Other classes (by name and order) keep what is drawn of the tensors
 * that depend on them: *n_kept tells how many. HARDY_ERROR_DATA for another number of channels.
 */
hardy_status hy_start_copy(hy_model *to, const hy_model *from, size_t *n_kept, hardy_error *err);

/* What both models have seen: data set and subjects of from's card, for the card of what is trained, which releases it; NULL without. */
hardy_status hy_start_history(const hy_model *from, cJSON **history, hardy_error *err);

#endif
