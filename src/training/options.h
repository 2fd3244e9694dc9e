/*
 * options.h: training options as a table: what run.json and the model card hold, what a resumed run may change, what is valid.
 */
#ifndef HY_TRAINING_OPTIONS_H
#define HY_TRAINING_OPTIONS_H

#include "base/json.h"
#include "training/recipe.h"
#include "training/schedule.h"

/* Ranges, choices, and combinations. HARDY_ERROR_ARGUMENT names option, value found and values wanted. */
hardy_status hy_options_check(const hardy_train_options *o, hardy_error *err);

/* Sets the option called `name` in run.json from text ("on", "off" for switches); text options keep the pointer. An unknown name and a
 * value out of range are HARDY_ERROR_ARGUMENT. */
hardy_status hy_options_set(hardy_train_options *o, const char *name, const char *value, hardy_error *err);

/* A new JSON object; card: without paths and without what does not change the model. NULL when memory runs out. */
cJSON *hy_options_to_json(const hardy_train_options *o, bool card);

/*
 * All that a model depends on besides data and recipe: no paths, no preset; options that came with later versions only where they
 * differ from their default, so that the same training is the same object in every version.
 */
cJSON *hy_options_identity(const hardy_train_options *o);

/* Reads such an object over *o, whose strings then lie in *texts (hy_free). source names the file in messages. */
hardy_status hy_options_from_json(hardy_train_options *o, const cJSON *json, const char *source, char **texts,
                                  hardy_error *err);

/* HARDY_ERROR_ARGUMENT that names the first option in which wanted differs from what the run in source was started with. The
 * length of a run with constant learning rate may change; *longer says that it did. */
hardy_status hy_options_compare(const hardy_train_options *started, const hardy_train_options *wanted, const char *source,
                                bool *longer, hardy_error *err);

/* Which options the data are to decide. */
typedef struct hy_fit {
	bool grid, rotation, mirror, neighbours, planes; /* grid: both size and spacing; one alone is the preset's */
} hy_fit;

hy_fit hy_fit_asked(const hardy_train_options *o);
/* Replaces what they are to decide by the preset's grid, any rotation, a mirror half of the time, no neighbours, and one plane. */
void hy_fit_usual(hardy_train_options *o);

/* The network that is trained on scans of so many channels and classes. */
hy_network_config hy_options_network(const hardy_train_options *o, int channels, int classes);

hy_schedule hy_options_schedule(const hardy_train_options *o);

#endif
