/*
 * card.c: the model card as JSON text.
 */
#include "training/card.h"

#include "base/files.h"
#include "base/json.h"
#include "base/memory.h"

#include <string.h>

static const char intended_use[] =
    "Research on segmentation of scans like those it was trained on. Not a medical device: its results "
    "must be checked by an expert before anyone relies on them.";
static const char unknown_terms[] = "not stated; the terms of the data set apply";

hardy_status hy_card_write(hy_model *model, const hardy_train_options *o, const hy_training_set *set, const cJSON *history,
                           int64_t steps, hardy_error *err)
{
	hy_recipe recipe;
	const hardy_status status = hy_recipe_read(o->recipe, &recipe, err);
	if (status)
		return status;
	cJSON *card = cJSON_CreateObject();
	const bool good = hy_json_add(card, "data", cJSON_CreateString(hy_path_name(o->data))) &&
	                  hy_json_add(card, "layout", cJSON_CreateString(hy_layout_name(set->dataset.layout))) &&
	                  hy_json_add(card, "subjects", hy_names_to_json(set->split.train, set->split.n_train)) &&
	                  hy_json_add(card, "slices", cJSON_CreateNumber((double)set->calibration.n)) &&
	                  hy_json_add(card, "terms", cJSON_CreateString(o->data_terms ? o->data_terms : unknown_terms)) &&
	                  hy_json_add(card, "intended_use", cJSON_CreateString(intended_use)) &&
	                  hy_json_add(card, "recipe", cJSON_CreateString(o->recipe)) &&
	                  hy_json_add(card, "recipe_summary", cJSON_CreateString(recipe.summary)) &&
	                  hy_json_add(card, "perturbations", hy_recipe_to_json(&recipe, o)) &&
	                  hy_json_add(card, "seed", cJSON_CreateNumber((double)o->seed)) &&
	                  hy_json_add(card, "steps", cJSON_CreateNumber((double)steps)) &&
	                  hy_json_add(card, "options", hy_options_to_json(o, true)) &&
	                  (!history || hy_json_add(card, "started_from", cJSON_Duplicate(history, true)));
	char *printed = good ? hy_json_print(card, false) : NULL;
	char *text = printed ? hy_strdup(printed) : NULL;
	cJSON_free(printed);
	cJSON_Delete(card);
	if (!text)
		return hy_fail(err, HARDY_ERROR_MEMORY, "out of memory for the model card");
	hy_free(model->card);
	model->card = text;
	return HARDY_OK;
}
