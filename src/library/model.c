/*
 * model.c: hardy/model.h: loading a model and asking it what it is.
 */
#include "library/model.h"

#include "base/json.h"
#include "base/memory.h"
#include "predict/jobs.h"
#include "predict/meta.h"

#include <string.h>

static hardy_status finish(hardy_model *made, hardy_status status, hardy_model **out, hardy_error *err)
{
	if (!status) {
		cJSON *plan = hy_plan_to_json(&made->model.plan);
		made->plan = plan ? hy_json_print(plan, false) : NULL;
		cJSON_Delete(plan);
		if (!made->plan)
			status = hy_fail_memory(err, "a model's plan", 1, 1);
	}
	if (status)
		hardy_model_free(made);
	else
		*out = made;
	return status;
}

hardy_status hardy_model_load(const char *path, hardy_model **out, hardy_error *err)
{
	if (!path || !out)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s is NULL", path ? "out" : "path");
	char *file = NULL;
	hardy_status status = hy_model_argument(path, &file, err);
	if (!status && !file)
		status = hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: no model: want a .safetensors file or the folder of a training", path);
	hardy_model *made = status ? NULL : hy_calloc(1, sizeof *made);
	if (!status && !made)
		status = hy_fail_memory(err, path, 1, sizeof *made);
	if (!status)
		status = finish(made, hy_model_load(&made->model, file, NULL, err), out, err);
	hy_free(file);
	return status;
}

hardy_status hardy_model_load_memory(const void *bytes, size_t n_bytes, const char *name, hardy_model **out, hardy_error *err)
{
	if (!out || (!bytes && n_bytes))
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s is NULL", out ? "bytes" : "out");
	name = name ? name : "a model in memory";
	char *copy = hy_alloc(n_bytes, 1);
	hardy_model *made = copy ? hy_calloc(1, sizeof *made) : NULL;
	if (!made) {
		hy_free(copy);
		return hy_fail_memory(err, name, n_bytes, 1);
	}
	if (n_bytes)
		memcpy(copy, bytes, n_bytes);
	return finish(made, hy_model_parse(&made->model, copy, n_bytes, name, err), out, err);
}

void hardy_model_free(hardy_model *m)
{
	if (!m)
		return;
	hy_model_clear(&m->model);
	cJSON_free(m->plan);
	hy_free(m);
}

int hardy_model_n_classes(const hardy_model *m)
{
	return m->model.n_classes;
}

const char *hardy_model_class_name(const hardy_model *m, int i)
{
	return i >= 0 && i < m->model.n_classes ? m->model.classes[i].name : NULL;
}

int hardy_model_class_value(const hardy_model *m, int i)
{
	return i >= 0 && i < m->model.n_classes ? (int)m->model.classes[i].value : -1;
}

int hardy_model_n_channels(const hardy_model *m)
{
	return m->model.n_channels;
}

const char *hardy_model_channel_name(const hardy_model *m, int i)
{
	return i >= 0 && i < m->model.n_channels ? m->model.channels[i] : NULL;
}

const char *hardy_model_network(const hardy_model *m)
{
	return hy_network_names[m->model.network.config.kind];
}

bool hardy_model_is_calibrated(const hardy_model *m)
{
	return m->model.calibration.version != 0;
}

const char *hardy_model_plan(const hardy_model *m)
{
	return m->plan;
}

const char *hardy_model_card(const hardy_model *m)
{
	return m->model.card;
}
