/*
 * start.c: the weights that a training starts from.
 */
#include "training/start.h"

#include "base/json.h"
#include "base/memory.h"
#include "predict/jobs.h"

#include <string.h>

hardy_status hy_start_load(hy_model *m, hardy_train_options *o, hardy_error *err)
{
	char *path = NULL;
	hardy_status status = hy_model_argument(o->init, &path, err);
	if (!status && !path)
		status = hy_fail(err, HARDY_ERROR_ARGUMENT,
		                 "%s: no model to start from: want a .safetensors file, or the folder of a run", o->init);
	if (!status)
		status = hy_model_load(m, path, NULL, err);
	hy_free(path);
	if (status)
		return status;
	const hy_network_config *c = &m->network.config;
	if (strcmp(o->network, hy_network_names[c->kind]) != 0) {
		status =
		    hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: has the network \"%s\", but this recipe trains \"%s\": want another recipe",
		            o->init, hy_network_names[c->kind], o->network);
		hy_model_clear(m);
		return status;
	}
	if (c->kind == HY_NETWORK_UNET) {
		o->network_width = c->width;
		o->network_levels = c->levels;
		o->network_no_top_skip = c->no_top_skip;
	} else {
		o->no_decoupler = !c->decoupler;
	}
	o->percentile_low = m->plan.percentile_low;
	o->percentile_high = m->plan.percentile_high;
	if (hy_fit_asked(o).grid) {
		o->size = m->plan.size;
		o->spacing_mm = m->plan.spacing_mm;
	}
	if (o->neighbours < 0)
		o->neighbours = m->plan.neighbours;
	if (o->planes < 0)
		o->planes = m->plan.planes;
	return HARDY_OK;
}

static bool are_same_classes(const hy_model *a, const hy_model *b)
{
	bool same = a->n_classes == b->n_classes;
	for (int c = 1; c < a->n_classes && same; c++)
		same = !strcmp(a->classes[c].name, b->classes[c].name);
	return same;
}

static bool is_same_shape(const hy_param *a, const hy_param *b)
{
	return a->n_dims == b->n_dims && a->is_buffer == b->is_buffer && !memcmp(a->shape, b->shape, a->n_dims * sizeof *a->shape);
}

/* Whether a tensor would have another shape with another number of classes: then it is made for these. */
static bool depends_on_classes(const hy_network *other, const hy_param *p)
{
	const int i = hy_params_find(&other->params, p->name);
	return i < 0 || !is_same_shape(p, &other->params.list[i]);
}

static bool copy_tensor(hy_params *to, const hy_params *from, const hy_param *p)
{
	const int i = hy_params_find(from, p->name);
	if (i < 0 || !is_same_shape(p, &from->list[i]))
		return false;
	float *into = p->is_buffer ? hy_params_write_buffers(to) : hy_params_write_values(to);
	memcpy(into + p->offset, (p->is_buffer ? from->buffers : from->values) + from->list[i].offset, p->n * sizeof *into);
	return true;
}

hardy_status hy_start_copy(hy_model *to, const hy_model *from, size_t *n_kept, hardy_error *err)
{
	*n_kept = 0;
	if (to->n_channels != from->n_channels)
		return hy_fail(err, HARDY_ERROR_DATA, "the model to start from takes %d channels, the scans have %d", from->n_channels,
		               to->n_channels);
	if (to->plan.neighbours != from->plan.neighbours)
		return hy_fail(err, HARDY_ERROR_ARGUMENT,
		               "the model to start from sees %d neighbours of a slice on each side, %d are asked for",
		               from->plan.neighbours, to->plan.neighbours);
	hy_network_config config = to->network.config;
	hy_network other = {0};
	config.classes += config.classes < HY_MAX_CLASSES ? 1 : -1;
	const hardy_status status = hy_network_init(&other, &config, err);
	const bool same = are_same_classes(to, from);
	for (size_t i = 0; i < to->network.params.n && !status; i++) {
		const hy_param *p = &to->network.params.list[i];
		const bool left = !same && depends_on_classes(&other, p);
		*n_kept += left || !copy_tensor(&to->network.params, &from->network.params, p);
	}
	hy_network_clear(&other);
	return status;
}

hardy_status hy_start_history(const hy_model *from, cJSON **history, hardy_error *err)
{
	static const char *const parts[] = {"data", "subjects", "started_from"};
	cJSON *card = NULL;
	*history = NULL;
	const hardy_status status = from->card ? hy_json_parse(from->card, strlen(from->card), &card, err) : HARDY_OK;
	if (status || !card)
		return status;
	cJSON *made = cJSON_CreateObject();
	bool good = made != NULL;
	for (int i = 0; i < 3; i++) {
		cJSON *part = cJSON_DetachItemFromObjectCaseSensitive(card, parts[i]);
		good = (!part || hy_json_add(made, parts[i], part)) && good;
	}
	cJSON_Delete(card);
	*history = hy_json_keep(good, made);
	return good ? HARDY_OK : hy_fail_memory(err, "what a model has seen", 1, 1);
}
