/*
 * artefact.c: hardy/artefact.h: artefacts put into the caller's scans.
 */
#include "artefact/spoil.h"

#include "base/memory.h"
#include "library/view.h"
#include "library/volume.h"

#include <math.h>
#include <string.h>

/* ---- the table ---------------------------------------------------------------------------------------------------------- */

hardy_status hardy_artefact_parameter_of(const char *artefact, size_t i, hardy_artefact_parameter *out, size_t *n,
                                         hardy_error *err)
{
	hy_artefact_kind kind;
	if (!artefact)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "artefact is NULL");
	hardy_status status = hy_artefact_find(artefact, &kind, err);
	if (status)
		return status;
	const hardy_artefact_parameter *p = hy_artefact_parameter(kind, i);
	if (!p)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s has %zu parameters, there is none of number %zu", artefact,
		               hy_artefact_n_parameters(kind), i);
	status = hy_struct_give(out, p, sizeof *p, "the parameter to fill in", err);
	if (!status && n)
		*n = hy_artefact_n_parameters(kind);
	return status;
}

double hardy_artefact_severity(const char *artefact, int level)
{
	hy_artefact_kind kind;
	if (!artefact || level < 1 || level > HY_N_LEVELS || hy_artefact_find(artefact, &kind, NULL))
		return NAN;
	return hy_artefact_severity(kind, level);
}

/* ---- effects ------------------------------------------------------------------------------------------------------------ */

static hardy_status check_whole(const char *name, int64_t value, int64_t most, hardy_error *err)
{
	if (value >= 0 && value <= most)
		return HARDY_OK;
	return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s is %lld, want 0 to %lld", name, (long long)value, (long long)most);
}

/* *given is released with cJSON_Delete by the caller, whatever the result. */
static hardy_status take_options(hy_spoil *s, const char *artefact, const hardy_artefact_options *given_options, cJSON **given,
                                 hardy_error *err)
{
	hardy_artefact_options o = {.size = sizeof o};
	if (!artefact)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "artefact is NULL");
	hardy_status status = given_options ? hy_struct_take(&o, sizeof o, given_options, "options of an artefact", err) : HARDY_OK;
	if (!status)
		status = hy_artefact_find(artefact, &s->kind, err);
	if (!status)
		status = check_whole("seed", o.seed, INT64_C(1) << 53, err);
	if (!status)
		status = check_whole("copy", o.copy, 999, err);
	if (!status)
		status = check_whole("level", o.level, HY_N_LEVELS, err);
	if (!status && o.centre && strcmp(o.centre, "origin") != 0 && strcmp(o.centre, "image") != 0)
		status = hy_fail(err, HARDY_ERROR_ARGUMENT, "centre is '%s', want origin or image", o.centre);
	if (!status && o.acdcc && s->kind >= HY_N_ACDCC)
		status =
		    hy_fail(err, HARDY_ERROR_ARGUMENT, "%s is no artefact of ACDC-C: want bias, ghosting, motion or spike", artefact);
	if (status)
		return status;
	s->chain = o.acdcc;
	s->scan = o.scan ? o.scan : "";
	s->seed = (uint64_t)o.seed;
	s->copy = o.copy;
	s->level = (int)o.level;
	s->about_image = o.centre && o.centre[0] == 'i';
	s->source = "the list of parameters";
	if (!o.parameters)
		return HARDY_OK;
	status = hy_artefact_parse(o.parameters, given, err);
	s->given = *given;
	return status || cJSON_IsArray(*given) ? status : hy_spoil_check(s, err);
}

hardy_status hardy_artefact_apply(const char *artefact, const hardy_image *image, const hardy_artefact_options *o,
                                  hardy_volume **out, char **parameters, hardy_error *err)
{
	hy_spoil s = {.scan = ""};
	hy_view v;
	hy_volume copy = {0};
	cJSON *given = NULL, *frames = cJSON_CreateArray();
	char *text = NULL;
	if (!out) {
		cJSON_Delete(frames);
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "out is NULL");
	}
	hardy_status status = frames ? take_options(&s, artefact, o, &given, err) : hy_fail_memory(err, "parameters", 1, 1);
	if (!status)
		status = hy_view_make(&v, image, "the image to spoil", err);
	if (!status)
		status = hy_view_volume(&v, 0, v.nt, &copy, err);
	if (!status)
		status = hy_spoil_volume(&s, &copy, frames, err);
	if (!status && parameters) {
		char *printed = hy_json_print(frames, false);
		text = printed ? hy_strdup(printed) : NULL;
		cJSON_free(printed);
		if (!text)
			status = hy_fail_memory(err, "parameters", 1, 1);
	}
	cJSON_Delete(frames);
	cJSON_Delete(given);
	if (!status)
		status = hy_volume_give(&copy, NULL, out, err);
	if (status) {
		hy_volume_clear(&copy);
		hy_free(text);
		return status;
	}
	if (parameters)
		*parameters = text;
	return HARDY_OK;
}
