/*
 * export.c: hardy_export: a model file as an ONNX file, with what prediction needs to know beside the network as metadata.
 */
#include "base/json.h"
#include "base/memory.h"
#include "base/option.h"
#include "base/outfile.h"
#include "export/onnx.h"
#include "predict/jobs.h"
#include "predict/meta.h"
#include "predict/predictor.h"

#include <string.h>

#define AT(member) offsetof(hardy_export_options, member)

static const hardy_option option_rows[] = {
    HY_OPTION_ARGUMENT(hardy_export_options, model, "MODEL", "The model."),
    HY_OPTION_OUTPUT(hardy_export_options, "FILE", "The file to write, whose name ends in .onnx."),
    {"network", HARDY_OPTION_TEXT, AT(network), "NAME",
     "Of the study's models. ftn: the fast network alone; stn: with its shapes corrected by the slow one. Without it: as the "
     "model predicts.",
     .choices = "ftn|stn"},
    HY_OPTION_OVERWRITE(hardy_export_options, "Replace also a file that hardy did not write."),
};

const hardy_options hy_export_table = {"export", HY_TABLE_ROWS(option_rows), sizeof(hardy_export_options), NULL};

void hardy_export_options_init(hardy_export_options *o)
{
	hardy_options_default(&hy_export_table, o);
}

enum { MOST_NOTES = 10 };

typedef struct notes {
	hy_onnx_note list[MOST_NOTES];
	char *printed[MOST_NOTES]; /* of cJSON */
	size_t n;
} notes;

static void add_note(notes *all, const char *key, const char *value)
{
	all->list[all->n++] = (hy_onnx_note){key, value};
}

/* Takes json, NULL when memory ran out. */
static bool add_json(notes *all, const char *key, cJSON *json)
{
	char *text = json ? hy_json_print(json, false) : NULL;
	cJSON_Delete(json);
	if (!text)
		return false;
	all->printed[all->n] = text;
	add_note(all, key, text);
	return true;
}

static hardy_status collect_notes(notes *all, const hy_model *m, bool stn, hardy_error *err)
{
	add_note(all, "hardy_version", HARDY_VERSION);
	add_note(all, "exported", hy_network_has(&m->network, HY_PART_SHAPE) ? (stn ? "stn" : "ftn") : "unet");
	if (m->card)
		add_note(all, "card", m->card);
	const bool done = add_json(all, "network", hy_network_config_to_json(&m->network.config)) &&
	                  add_json(all, "plan", hy_plan_to_json(&m->plan)) &&
	                  add_json(all, "classes", hy_classes_to_json(m->classes, m->n_classes)) &&
	                  add_json(all, "channels", hy_channels_to_json(m->channels, m->n_channels)) &&
	                  add_json(all, "fingerprint", hy_fingerprint_to_json(&m->fingerprint, m->n_channels)) &&
	                  (!m->use.chosen || add_json(all, "use", hy_use_to_json(&m->use)));
	return done ? HARDY_OK : hy_fail_memory(err, "the metadata of an ONNX file", 1, 1);
}

static hardy_status write_file(const hardy_export_options *o, const hy_text *bytes, hardy_error *err)
{
	hy_outfile f = {0};
	const hardy_status status = hy_outfile_open(&f, o->output, o->overwrite ? HY_REPLACE_ANY : HY_ONNX_MARK, err);
	if (status)
		return status;
	hy_outfile_write(&f, bytes->data, bytes->used);
	return hy_outfile_commit(&f, err);
}

static hardy_status export_model(const hardy_export_options *o, const hy_model *m, hardy_error *err)
{
	const bool both = hy_network_has(&m->network, HY_PART_SHAPE);
	const bool stn = both && (o->network ? !strcmp(o->network, "stn") : !(m->use.chosen && m->use.ftn));
	notes all = {0};
	hy_text bytes = {0};
	hardy_status status =
	    both || !o->network || strcmp(o->network, "stn")
	        ? HARDY_OK
	        : hy_fail(err, HARDY_ERROR_ARGUMENT, "network is \"stn\", but %s holds a network without one", o->model);
	if (!status)
		status = collect_notes(&all, m, stn, err);
	if (!status)
		status = hy_onnx_make(m, stn, all.list, all.n, &bytes, err);
	if (!status)
		status = write_file(o, &bytes, err);
	hy_text_clear(&bytes);
	for (size_t i = 0; i < all.n; i++)
		cJSON_free(all.printed[i]);
	return status;
}

hardy_status hardy_export(const hardy_export_options *o, hardy_error *err)
{
	hy_model m = {0};
	char *path = NULL;
	if (!o->model || !o->output)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s is not named", o->model ? "the output" : "the model");
	if (!hy_ends_with(o->output, ".onnx"))
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: want a name that ends in .onnx", o->output);
	hardy_status status = hardy_options_check(&hy_export_table, o, err);
	if (!status)
		status = hy_outfile_check(o->output, o->overwrite ? HY_REPLACE_ANY : HY_ONNX_MARK, err);
	if (!status)
		status = hy_model_argument(o->model, &path, err);
	if (!status && !path)
		status =
		    hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: no model: want a .safetensors file or the folder of a training", o->model);
	if (!status)
		status = hy_model_load(&m, path, NULL, err);
	if (!status)
		status = export_model(o, &m, err);
	hy_model_clear(&m);
	hy_free(path);
	return status;
}
