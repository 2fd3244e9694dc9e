/*
 * inspect.c: what a file or folder is: a scan, a model, or a run.
 */
#include "base/files.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "engine/safetensors.h"
#include "image/describe.h"
#include "image/dicom.h"
#include "image/nifti.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- models ------------------------------------------------------------------------------------------------------------- */

static const char *dtype_name(hy_dtype dtype)
{
	switch (dtype) {
	case HY_F32:
		return "F32";
	case HY_F64:
		return "F64";
	case HY_I64:
		return "I64";
	case HY_I32:
		return "I32";
	default:
		return "U8";
	}
}

static double n_elements(const hy_st_tensor *t)
{
	double n = 1;
	for (int i = 0; i < t->n_dims; i++)
		n *= (double)t->shape[i];
	return n;
}

/* Running statistics of batch norm are state, not parameters. */
static bool is_parameter(const hy_st_tensor *t)
{
	return t->dtype == HY_F32 && !hy_ends_with(t->name, "running_mean") && !hy_ends_with(t->name, "running_var");
}

static void add_summary(hy_json_maker *m, cJSON *o, const hy_st_file *f)
{
	double n = 0;
	for (size_t i = 0; i < f->n_tensors; i++)
		if (is_parameter(&f->tensors[i]))
			n += n_elements(&f->tensors[i]);
	hy_json_put_number(m, o, "bytes", (double)f->size);
	hy_json_put_number(m, o, "n_tensors", (double)f->n_tensors);
	hy_json_put_number(m, o, "n_parameters", n);
}

/* Metadata are strings; one that holds a JSON object or array is shown as what it holds. */
static void put_metadata(hy_json_maker *m, cJSON *metadata, const char *key, const char *text)
{
	cJSON *value = NULL;
	const bool structure = text[0] == '{' || text[0] == '[';
	const hardy_status status = structure ? hy_json_parse(text, strlen(text), &value, NULL) : HARDY_ERROR_FORMAT;
	hy_json_put(m, metadata, key, status == HARDY_ERROR_FORMAT ? cJSON_CreateString(text) : value);
}

static hardy_status describe_model(const char *path, hy_json_maker *m, cJSON *o, hardy_error *err)
{
	hy_st_file f;
	const hardy_status status = hy_st_read(&f, path, err);
	if (status)
		return status;
	hy_json_put_text(m, o, "kind", "model");
	hy_json_put_text(m, o, "path", path);
	add_summary(m, o, &f);
	cJSON *metadata = hy_json_put_object(m, o, "metadata");
	for (size_t i = 0; i < f.n_metadata; i++)
		put_metadata(m, metadata, f.keys[i], f.values[i]);
	cJSON *tensors = hy_json_put_list(m, o, "tensors");
	for (size_t i = 0; i < f.n_tensors; i++) {
		const hy_st_tensor *t = &f.tensors[i];
		cJSON *row = hy_json_put_object(m, tensors, NULL), *shape = hy_json_put_list(m, row, "shape");
		hy_json_put_text(m, row, "name", t->name);
		hy_json_put_text(m, row, "dtype", dtype_name(t->dtype));
		for (int d = 0; d < t->n_dims; d++)
			hy_json_put_number(m, shape, NULL, (double)t->shape[d]);
	}
	hy_st_clear(&f);
	return HARDY_OK;
}

/* ---- runs --------------------------------------------------------------------------------------------------------------- */

/* A model of the run in short; one that cannot be read is listed with its error. */
static void add_model_of_run(hy_json_maker *m, cJSON *models, const char *folder, const char *name)
{
	hy_st_file f;
	hardy_error err;
	char *path = hy_path_join(folder, name);
	cJSON *row = hy_json_put_object(m, models, NULL);
	hy_json_put_text(m, row, "file", name);
	const hardy_status status = path ? hy_st_read(&f, path, &err) : HARDY_ERROR_MEMORY;
	m->lost = m->lost || status == HARDY_ERROR_MEMORY;
	if (status) {
		hy_json_put_text(m, row, "error", path ? err.message : "");
	} else {
		add_summary(m, row, &f);
		hy_st_clear(&f);
	}
	hy_free(path);
}

static hardy_status describe_run(const char *path, hy_json_maker *m, cJSON *o, hardy_error *err)
{
	hy_names names = {0};
	cJSON *run = NULL;
	char *run_path = hy_path_join(path, "run.json");
	hardy_status status = HARDY_OK;
	if (!run_path)
		return hy_fail_memory(err, path, strlen(path), 1);
	if (!hy_path_exists(run_path))
		status =
		    hy_fail(err, HARDY_ERROR_DATA, "%s: holds no run.json, so it is no run; `hardy check` looks at data sets", path);
	if (!status)
		status = hy_json_read(run_path, &run, err);
	if (!status)
		status = hy_list_folder(path, &names, err);
	if (status)
		goto out;
	hy_json_put_text(m, o, "kind", "run");
	hy_json_put_text(m, o, "path", path);
	hy_json_put(m, o, "run", run);
	run = NULL;
	cJSON *models = hy_json_put_list(m, o, "models"), *files = hy_json_put_list(m, o, "files");
	for (size_t i = 0; i < names.n; i++) {
		if (hy_ends_with(names.name[i], ".safetensors"))
			add_model_of_run(m, models, path, names.name[i]);
		hy_json_put_text(m, files, NULL, names.name[i]);
	}
out:
	cJSON_Delete(run);
	hy_names_free(&names);
	hy_free(run_path);
	return status;
}

/* ---- as text ------------------------------------------------------------------------------------------------------------ */

static void put(const hardy_sink *sink, const char *text)
{
	sink->write(sink->payload, text, strlen(text));
}

static void put_scalar(const hardy_sink *sink, const cJSON *v)
{
	char number[40];
	if (cJSON_IsString(v)) {
		put(sink, v->valuestring);
	} else if (cJSON_IsNumber(v)) {
		const bool whole = v->valuedouble == floor(v->valuedouble) && fabs(v->valuedouble) < 1e15;
		snprintf(number, sizeof number, whole ? "%.0f" : "%.6g", v->valuedouble);
		put(sink, number);
	} else {
		put(sink, cJSON_IsTrue(v) ? "yes" : cJSON_IsFalse(v) ? "no" : "none");
	}
}

static bool is_scalar(const cJSON *v)
{
	return !cJSON_IsObject(v) && !cJSON_IsArray(v);
}

/* An array of scalars that fits on a line; sentences do not. */
static bool is_short_list(const cJSON *v)
{
	if (!cJSON_IsArray(v))
		return false;
	for (const cJSON *e = v->child; e; e = e->next)
		if (!is_scalar(e) || (cJSON_IsString(e) && strlen(e->valuestring) > 40))
			return false;
	return true;
}

/* A tensor as one line: {"name", "dtype", "shape"}. */
static bool put_tensor(const hardy_sink *sink, const cJSON *v)
{
	const cJSON *name = cJSON_GetObjectItem(v, "name"), *dtype = cJSON_GetObjectItem(v, "dtype");
	const cJSON *shape = cJSON_GetObjectItem(v, "shape");
	if (!cJSON_IsString(name) || !cJSON_IsString(dtype) || !is_short_list(shape))
		return false;
	put_scalar(sink, name);
	put(sink, "  ");
	put_scalar(sink, dtype);
	for (const cJSON *e = shape->child; e; e = e->next) {
		put(sink, e == shape->child ? "  " : " x ");
		put_scalar(sink, e);
	}
	put(sink, "\n");
	return true;
}

static void put_value(const hardy_sink *sink, const cJSON *v, int depth);

static void put_indent(const hardy_sink *sink, int depth)
{
	for (int i = 0; i < depth; i++)
		put(sink, "  ");
}

static void put_children(const hardy_sink *sink, const cJSON *v, int depth)
{
	for (const cJSON *e = v->child; e; e = e->next) {
		put_indent(sink, depth);
		if (e->string) {
			put(sink, e->string);
			put(sink, is_scalar(e) || is_short_list(e) ? ": " : ":\n");
		} else if (put_tensor(sink, e)) {
			continue;
		} else {
			put(sink, is_scalar(e) || is_short_list(e) ? "- " : "-\n");
		}
		put_value(sink, e, depth + 1);
	}
}

/* The rest of a line for scalars and short lists; the lines below for everything else. */
static void put_value(const hardy_sink *sink, const cJSON *v, int depth)
{
	if (is_scalar(v)) {
		put_scalar(sink, v);
		put(sink, "\n");
	} else if (is_short_list(v)) {
		if (!v->child)
			put(sink, "none");
		for (const cJSON *e = v->child; e; e = e->next) {
			put_scalar(sink, e);
			put(sink, e->next ? ", " : "");
		}
		put(sink, "\n");
	} else {
		put_children(sink, v, depth);
	}
}

/* ---- the command -------------------------------------------------------------------------------------------------------- */

hardy_status hardy_inspect(const char *path, bool json, const hardy_sink *report, hardy_error *err)
{
	cJSON *o = NULL;
	char *text = NULL;
	hy_json_maker m = {false};
	hardy_status status;
	const bool scan = !hy_path_is_folder(path) && hy_nifti_is_name(path);
	if (scan) {
		status = hy_scan_describe(path, &o, err);
	} else if (!(o = cJSON_CreateObject())) {
		status = hy_fail_memory(err, path, 1, sizeof *o);
	} else if (hy_path_is_folder(path)) {
		status = describe_run(path, &m, o, err);
	} else if (hy_ends_with(path, ".safetensors")) {
		status = describe_model(path, &m, o, err);
	} else if (!hy_path_exists(path)) {
		status = hy_fail(err, HARDY_ERROR_IO, "%s: cannot be opened: no such file or folder", path);
	} else {
		bool dicom;
		status = hy_dicom_is(path, &dicom, err);
		if (!status)
			status =
			    hy_fail(err, HARDY_ERROR_UNSUPPORTED,
			            dicom ? "%s: is DICOM, " HY_DICOM_REMEDY
			                  : "%s: want a scan (.nii, .nii.gz, .hdr, .img), a model (.safetensors) or the folder of a run",
			            path);
	}
	if (!status && m.lost)
		status = hy_fail_memory(err, path, 1, 1);
	if (status)
		goto out;
	if (json) {
		text = hy_json_print(o, true);
		if (!text) {
			status = hy_fail_memory(err, path, 1, 1);
			goto out;
		}
		put(report, text);
		put(report, "\n");
	} else {
		put_children(report, o, 0);
	}
out:
	cJSON_free(text);
	cJSON_Delete(o);
	return status;
}
