/*
 * checkpoint.c: the training's state as the state string of a model file.
 */
#include "training/checkpoint.h"

#include "base/json.h"
#include "base/memory.h"
#include "base/outfile.h"

#include <math.h>
#include <string.h>

/* Numbers of the state by name, in one table for writing and reading. */
typedef struct entry {
	const char *name;
	int64_t *whole;
	double *real;
} entry;

enum { N_ENTRIES = 9 };

static void list_entries(hy_progress *p, entry out[N_ENTRIES])
{
	const entry list[N_ENTRIES] = {
	    {"step", &p->step, NULL},         {"steps", &p->steps, NULL},           {"epoch", &p->epoch, NULL},
	    {"rows", &p->n_rows, NULL},       {"steps_of_epoch", &p->n_sums, NULL}, {"best_epoch", &p->best_epoch, NULL},
	    {"best_iou", NULL, &p->best_iou}, {"seconds", NULL, &p->seconds},       {"epoch_seconds", NULL, &p->epoch_seconds},
	};
	memcpy(out, list, sizeof list);
}

static char *print_state(const hy_progress *progress)
{
	hy_progress p = *progress;
	entry list[N_ENTRIES];
	list_entries(&p, list);
	cJSON *json = cJSON_CreateObject(), *sums = cJSON_CreateArray();
	bool good = hy_json_add(json, "sums", sums) && hy_json_add(json, "checksum", cJSON_CreateNumber(p.checksum));
	for (int k = 0; k < HY_N_TERMS && good; k++) /* the array fails only when the item could not be made */
		good = hy_json_append(sums, hy_json_real(p.sums[k]));
	for (int i = 0; i < N_ENTRIES && good; i++)
		good = hy_json_add(json, list[i].name, hy_json_real(list[i].whole ? (double)*list[i].whole : *list[i].real));
	char *text = good ? hy_json_print(json, false) : NULL;
	cJSON_Delete(json);
	return text;
}

hardy_status hy_checkpoint_save(const char *path, const hy_model *model, const hy_progress *p, hardy_error *err)
{
	char *state = print_state(p);
	if (!state)
		return hy_fail(err, HARDY_ERROR_MEMORY, "%s: out of memory", path);
	const hardy_status status = hy_model_save(model, path, state, HY_MARK_JSON, err);
	cJSON_free(state);
	return status;
}

static bool read_whole(const cJSON *json, const char *name, double high, int64_t *out)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, name);
	if (!cJSON_IsNumber(item) || !(item->valuedouble >= 0 && item->valuedouble <= high) ||
	    item->valuedouble != floor(item->valuedouble))
		return false;
	*out = (int64_t)item->valuedouble;
	return true;
}

static bool read_real(const cJSON *item, double *out)
{
	if (!cJSON_IsNumber(item) || !isfinite(item->valuedouble))
		return false;
	*out = item->valuedouble;
	return true;
}

static hardy_status read_state(const char *path, const char *state, hy_progress *p, hardy_error *err)
{
	hy_progress read = {0};
	entry list[N_ENTRIES];
	list_entries(&read, list);
	cJSON *json = NULL;
	if (state && hy_json_parse(state, strlen(state), &json, err) == HARDY_ERROR_MEMORY)
		return hy_prefix(err, HARDY_ERROR_MEMORY, "%s", path);
	const char *bad = json ? NULL : "it";
	for (int i = 0; i < N_ENTRIES && !bad; i++) {
		const bool good = list[i].whole ? read_whole(json, list[i].name, 9007199254740992, list[i].whole)
		                                : read_real(cJSON_GetObjectItemCaseSensitive(json, list[i].name), list[i].real);
		if (!good)
			bad = list[i].name;
	}
	int64_t checksum = 0;
	if (!bad && !read_whole(json, "checksum", UINT32_MAX, &checksum))
		bad = "checksum";
	read.checksum = (uint32_t)checksum;
	const cJSON *sums = json ? cJSON_GetObjectItemCaseSensitive(json, "sums") : NULL;
	for (int k = 0; k < HY_N_TERMS && !bad; k++) /* earlier versions had the first terms only */
		if ((k < HY_TERM_PERTURBED_SEG || cJSON_GetArrayItem(sums, k)) &&
		    !read_real(cJSON_GetArrayItem(sums, k), &read.sums[k]))
			bad = "sums";
	if (!bad && read.step > read.steps)
		bad = "step";
	cJSON_Delete(json);
	if (bad)
		return hy_fail(err, HARDY_ERROR_FORMAT, "%s: the state of the training is damaged or missing (%s)", path, bad);
	*p = read;
	return HARDY_OK;
}

hardy_status hy_checkpoint_load(const char *path, hy_model *model, hy_progress *p, hardy_error *err)
{
	hy_model read = {0};
	char *state = NULL;
	hardy_status status = hy_model_load(&read, path, &state, err);
	if (status)
		return status;
	const hy_network_config *a = &read.network.config, *b = &model->network.config;
	if (a->channels != b->channels || a->classes != b->classes || a->decoupler != b->decoupler)
		status = hy_fail(err, HARDY_ERROR_DATA, "%s: holds a network of %d channels and %d classes, want %d and %d", path,
		                 a->channels, a->classes, b->channels, b->classes);
	if (!status)
		status = read_state(path, state, p, err);
	if (!status) {
		const hy_network swapped = model->network;
		model->network = read.network;
		read.network = swapped;
		char *const card = model->card;
		model->card = read.card;
		read.card = card;
	}
	hy_model_clear(&read);
	hy_free(state);
	return status;
}
