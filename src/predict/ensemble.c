/*
 * ensemble.c: the models that a command works with, and their predictor.
 */
#include "predict/ensemble.h"

#include "base/files.h"
#include "base/memory.h"
#include "predict/jobs.h"

/* Takes nothing over. */
static hardy_status load(hy_ensemble *e, const char *path, hardy_error *err)
{
	hy_model *models = hy_realloc(e->models, e->n + 1, sizeof *models);
	e->models = models ? models : e->models;
	char **paths = models ? hy_realloc(e->paths, e->n + 1, sizeof *paths) : NULL;
	e->paths = paths ? paths : e->paths;
	char *copy = paths ? hy_strdup(path) : NULL;
	if (!copy)
		return hy_fail_memory(err, "models", e->n + 1, sizeof *models);
	const hardy_status status = hy_model_load(&e->models[e->n], path, NULL, err);
	if (status) {
		hy_free(copy);
		return status;
	}
	e->paths[e->n++] = copy;
	return HARDY_OK;
}

hardy_status hy_ensemble_add(hy_ensemble *e, const char *argument, size_t *n_found, hardy_error *err)
{
	char **paths;
	*n_found = 0;
	hardy_status status = hy_model_arguments(argument, &paths, n_found, err);
	if (status)
		return status;
	for (size_t k = 0; k < *n_found && !status; k++)
		status = load(e, paths[k], err);
	hy_models_free(paths, *n_found);
	return status;
}

hardy_status hy_ensemble_load(hy_ensemble *e, const char *argument, hardy_error *err)
{
	size_t n;
	hardy_status status = hy_ensemble_add(e, argument, &n, err);
	if (!status && n != 1)
		status = hy_fail(err, HARDY_ERROR_DATA, n ? "%s: stands for %zu models, want one" : "%s: holds no model", argument, n);
	if (status)
		hy_ensemble_clear(e);
	return status;
}

hardy_status hy_ensemble_take(hy_ensemble *e, const char *const *inputs, size_t n, const char **rest, size_t *n_rest,
                              hardy_error *err)
{
	hardy_status status = HARDY_OK;
	*n_rest = 0;
	for (size_t i = 0; i < n && !status; i++) {
		size_t found;
		status = hy_ensemble_add(e, inputs[i], &found, err);
		if (!status && !found)
			rest[(*n_rest)++] = inputs[i];
	}
	if (!status && !e->n) /* the first is meant to be one */
		status = hy_fail(err, HARDY_ERROR_ARGUMENT,
		                 n && !hy_path_exists(inputs[0])
		                     ? "%s: no such file or folder; want a model: a .safetensors file, a run folder, or one with "
		                       "model.safetensors"
		                     : "%s: no model; want a .safetensors file, a run folder, or one with model.safetensors",
		                 n ? inputs[0] : "nothing");
	return status;
}

hardy_status hy_ensemble_start(hy_ensemble *e, const hy_predictor_options *o, hardy_error *err)
{
	hardy_error own = {0};
	hy_model **list = hy_alloc(e->n, sizeof *list);
	err = err ? err : &own;
	if (!list)
		return hy_fail_memory(err, "models", e->n, sizeof *list);
	for (size_t i = 0; i < e->n; i++)
		list[i] = &e->models[i];
	e->predictor = hy_predictor_new(list, e->n, o, err);
	hy_free(list);
	return e->predictor ? HARDY_OK : err->status;
}

hardy_status hy_ensemble_training(const hy_ensemble *e, cJSON **out, hardy_error *err)
{
	*out = cJSON_CreateArray();
	hardy_status status = *out ? HARDY_OK : hy_fail_memory(err, "what models have seen", 1, 1);
	for (size_t i = 0; i < e->n && !status; i++)
		status = hy_training_add(*out, &e->models[i], err);
	return status;
}

void hy_ensemble_clear(hy_ensemble *e)
{
	hy_predictor_free(e->predictor);
	for (size_t i = 0; i < e->n; i++) {
		hy_model_clear(&e->models[i]);
		hy_free(e->paths[i]);
	}
	hy_free(e->models);
	hy_free(e->paths);
	*e = (hy_ensemble){0};
}
