/*
 * ensemble.h: the models that a command works with, loaded from its arguments, and their predictor: one model, or several whose probabilities
 * are averaged.
 */
#ifndef HY_PREDICT_ENSEMBLE_H
#define HY_PREDICT_ENSEMBLE_H

#include "predict/predictor.h"

/* {0} to begin with; release with hy_ensemble_clear. */
typedef struct hy_ensemble {
	hy_model *models; /* owned */
	char **paths;     /* owned, and each: their files */
	size_t n;
	hy_predictor *predictor; /* owned; NULL before hy_ensemble_start */
} hy_ensemble;

/* Loads the model files that an argument stands for (hy_model_arguments); *n_found 0 when it is no model. */
hardy_status hy_ensemble_add(hy_ensemble *e, const char *argument, size_t *n_found, hardy_error *err);

/* The one model that an argument stands for; HARDY_ERROR_DATA when it stands for none, or for several. *e is
 * empty then. */
hardy_status hy_ensemble_load(hy_ensemble *e, const char *argument, hardy_error *err);

/* Loads the models among n inputs; rest, with room for n, gets the others in their order. HARDY_ERROR_ARGUMENT when there is no model. */
hardy_status hy_ensemble_take(hy_ensemble *e, const char *const *inputs, size_t n, const char **rest, size_t *n_rest,
                              hardy_error *err);

/* The predictor of all models; the first one's choices are the caller's to take (hy_predictor_options_use). */
hardy_status hy_ensemble_start(hy_ensemble *e, const hy_predictor_options *o, hardy_error *err);

/* What its models have seen, by their cards, as a list for hy_seen; *out is released with cJSON_Delete. */
hardy_status hy_ensemble_training(const hy_ensemble *e, cJSON **out, hardy_error *err);

void hy_ensemble_clear(hy_ensemble *e);

#endif
