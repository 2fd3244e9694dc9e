/*
 * parameters.c: parameters of artefacts as JSON, and the ranges that they must keep.
 */
#include "artefact/artefact.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- writing ------------------------------------------------------------------------------------------------------------ */

static cJSON *reals(const double *x, int n)
{
	cJSON *list = cJSON_CreateArray();
	for (int i = 0; list && i < n; i++) {
		cJSON *item = hy_json_real(x[i]);
		if (!item || !cJSON_AddItemToArray(list, item)) {
			cJSON_Delete(item);
			cJSON_Delete(list);
			return NULL;
		}
	}
	return list;
}

static cJSON *triples(const double (*x)[3], int n)
{
	cJSON *list = cJSON_CreateArray();
	for (int i = 0; list && i < n; i++) {
		cJSON *item = reals(x[i], 3);
		if (!item || !cJSON_AddItemToArray(list, item)) {
			cJSON_Delete(item);
			cJSON_Delete(list);
			return NULL;
		}
	}
	return list;
}

static bool write_members(const hy_artefact *a, cJSON *o)
{
	switch (a->kind) {
	case HY_ARTEFACT_BIAS: {
		const int k = a->bias.order;
		return hy_json_add(o, "order", cJSON_CreateNumber(k)) &&
		       hy_json_add(o, "coefficients", reals(a->bias.coefficients, (k + 1) * (k + 2) * (k + 3) / 6));
	}
	case HY_ARTEFACT_GHOSTING:
		return hy_json_add(o, "num_ghosts", cJSON_CreateNumber((double)a->ghosting.num_ghosts)) &&
		       hy_json_add(o, "axis", cJSON_CreateNumber(a->ghosting.axis)) &&
		       hy_json_add(o, "intensity", hy_json_real(a->ghosting.intensity)) &&
		       hy_json_add(o, "restore", hy_json_real(a->ghosting.restore));
	case HY_ARTEFACT_MOTION:
		return hy_json_add(o, "degrees", triples(a->motion.degrees, a->motion.n)) &&
		       hy_json_add(o, "translation", triples(a->motion.translation, a->motion.n)) &&
		       hy_json_add(o, "times", reals(a->motion.times, a->motion.n)) &&
		       hy_json_add(o, "centre", cJSON_CreateString(a->motion.about_image ? "image" : "origin"));
	case HY_ARTEFACT_SPIKE:
		return hy_json_add(o, "spikes_positions", triples(a->spike.positions, a->spike.n)) &&
		       hy_json_add(o, "intensity", hy_json_real(a->spike.intensity));
	case HY_ARTEFACT_NOISE:
		return hy_json_add(o, "sd", hy_json_real(a->noise.sd)) && hy_json_add(o, "seed", hy_json_real((double)a->noise.seed));
	case HY_ARTEFACT_BLUR:
		return hy_json_add(o, "sd_mm", hy_json_real(a->blur.sd_mm));
	case HY_ARTEFACT_RESOLUTION:
		return hy_json_add(o, "factor", hy_json_real(a->resolution.factor));
	default:
		return hy_json_add(o, "gamma", hy_json_real(a->contrast.gamma));
	}
}

cJSON *hy_artefact_to_json(const hy_artefact *a)
{
	cJSON *o = cJSON_CreateObject();
	if (o && write_members(a, o))
		return o;
	cJSON_Delete(o);
	return NULL;
}

/* ---- reading ------------------------------------------------------------------------------------------------------------ */

/* Where a value stands, for messages. */
typedef struct reader {
	const cJSON *json;
	const char *where;
	hardy_error *err;
} reader;

static hardy_status fail_range(const reader *r, const char *name, double value, double low, double high, const char *kind)
{
	return hy_fail(r->err, HARDY_ERROR_ARGUMENT, "%s: %s is %.10g, want %s from %g to %g", r->where, name, value, kind, low,
	               high);
}

static hardy_status check_real(const reader *r, const char *name, const cJSON *v, double low, double high, double *out)
{
	if (!cJSON_IsNumber(v))
		return hy_fail(r->err, HARDY_ERROR_ARGUMENT, "%s: %s is no number, want one from %g to %g", r->where, name, low, high);
	if (!(v->valuedouble >= low && v->valuedouble <= high))
		return fail_range(r, name, v->valuedouble, low, high, "a number");
	*out = v->valuedouble;
	return HARDY_OK;
}

/* Absent members leave *out. */
static hardy_status read_real(const reader *r, const char *name, double low, double high, double *out)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(r->json, name);
	return v ? check_real(r, name, v, low, high, out) : HARDY_OK;
}

static hardy_status read_whole(const reader *r, const char *name, double low, double high, int64_t *out)
{
	double v = (double)*out;
	const hardy_status status = read_real(r, name, low, high, &v);
	if (!status && v != floor(v))
		return fail_range(r, name, v, low, high, "a whole number");
	if (!status)
		*out = (int64_t)v;
	return status;
}

/* A list of most numbers at the utmost; *n (-1 when absent) gets their number. */
static hardy_status read_list(const reader *r, const char *name, const cJSON *v, int most, double low, double high, double *out,
                              int *n)
{
	const cJSON *item;
	int i = 0;
	*n = -1;
	if (!v)
		return HARDY_OK;
	if (!cJSON_IsArray(v) || cJSON_GetArraySize(v) > most)
		return hy_fail(r->err, HARDY_ERROR_ARGUMENT, "%s: %s is no list of at most %d numbers", r->where, name, most);
	cJSON_ArrayForEach(item, v)
	{
		const hardy_status status = check_real(r, name, item, low, high, &out[i++]);
		if (status)
			return status;
	}
	*n = i;
	return HARDY_OK;
}

static hardy_status read_triples(const reader *r, const char *name, int most, double low, double high, double (*out)[3], int *n)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(r->json, name), *item;
	int i = 0;
	*n = -1;
	if (!v)
		return HARDY_OK;
	if (!cJSON_IsArray(v) || cJSON_GetArraySize(v) > most)
		return hy_fail(r->err, HARDY_ERROR_ARGUMENT, "%s: %s is no list of at most %d lists of 3 numbers", r->where, name,
		               most);
	cJSON_ArrayForEach(item, v)
	{
		int got = 0;
		const hardy_status status = read_list(r, name, item, 3, low, high, out[i++], &got);
		if (status)
			return status;
		if (got != 3)
			return hy_fail(r->err, HARDY_ERROR_ARGUMENT, "%s: %s has %d numbers in its list %d, want 3", r->where, name, got,
			               i);
	}
	*n = i;
	return HARDY_OK;
}

static hardy_status read_bias(const reader *r, hy_artefact *a)
{
	int64_t order = a->bias.order;
	int n;
	hardy_status status = read_whole(r, "order", 0, HY_BIAS_MAX_ORDER, &order);
	if (!status)
		status = read_list(r, "coefficients", cJSON_GetObjectItemCaseSensitive(r->json, "coefficients"), HY_BIAS_MAX, -100, 100,
		                   a->bias.coefficients, &n);
	if (status)
		return status;
	const int want = (int)((order + 1) * (order + 2) * (order + 3) / 6);
	const int have = n >= 0 ? n : (a->bias.order + 1) * (a->bias.order + 2) * (a->bias.order + 3) / 6;
	if (have != want)
		return hy_fail(r->err, HARDY_ERROR_ARGUMENT, "%s: there are %d coefficients, want %d for order %d", r->where, have,
		               want, (int)order);
	a->bias.order = (int)order;
	return HARDY_OK;
}

static hardy_status read_ghosting(const reader *r, hy_artefact *a)
{
	int64_t axis = a->ghosting.axis;
	hardy_status status = read_whole(r, "num_ghosts", 0, 1000, &a->ghosting.num_ghosts);
	if (!status)
		status = read_whole(r, "axis", 0, 2, &axis);
	if (!status)
		status = read_real(r, "intensity", 0, 100, &a->ghosting.intensity);
	a->ghosting.axis = (int)axis;
	if (cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(r->json, "restore")))
		a->ghosting.restore = NAN;
	else if (!status)
		status = read_real(r, "restore", 0, 1, &a->ghosting.restore);
	return status;
}

static hardy_status read_motion(const reader *r, hy_artefact *a)
{
	const cJSON *centre = cJSON_GetObjectItemCaseSensitive(r->json, "centre");
	int n[3];
	hardy_status status = read_triples(r, "degrees", HY_MOTION_MAX, -360, 360, a->motion.degrees, &n[0]);
	if (!status)
		status = read_triples(r, "translation", HY_MOTION_MAX, -10000, 10000, a->motion.translation, &n[1]);
	if (!status)
		status = read_list(r, "times", cJSON_GetObjectItemCaseSensitive(r->json, "times"), HY_MOTION_MAX, 0, 1, a->motion.times,
		                   &n[2]);
	if (status)
		return status;
	for (int i = 0; i < 3; i++)
		n[i] = n[i] < 0 ? a->motion.n : n[i];
	if (n[0] != n[1] || n[0] != n[2])
		return hy_fail(r->err, HARDY_ERROR_ARGUMENT,
		               "%s: degrees, translation and times have %d, %d and %d entries, want as many", r->where, n[0], n[1],
		               n[2]);
	a->motion.n = n[0];
	if (!centre)
		return HARDY_OK;
	if (!cJSON_IsString(centre) || (strcmp(centre->valuestring, "origin") != 0 && strcmp(centre->valuestring, "image") != 0))
		return hy_fail(r->err, HARDY_ERROR_ARGUMENT, "%s: centre is '%s', want origin or image", r->where,
		               cJSON_IsString(centre) ? centre->valuestring : "no text");
	a->motion.about_image = centre->valuestring[0] == 'i';
	return HARDY_OK;
}

static hardy_status read_spike(const reader *r, hy_artefact *a)
{
	int n;
	hardy_status status = read_triples(r, "spikes_positions", HY_SPIKE_MAX, 0, nextafter(1, 0), a->spike.positions, &n);
	if (!status)
		status = read_real(r, "intensity", -100, 100, &a->spike.intensity);
	if (!status && n >= 0)
		a->spike.n = n;
	return status;
}

static hardy_status read_noise(const reader *r, hy_artefact *a)
{
	int64_t seed = (int64_t)a->noise.seed;
	hardy_status status = read_real(r, "sd", 0, 10, &a->noise.sd);
	if (!status)
		status = read_whole(r, "seed", 0, 9007199254740991., &seed);
	a->noise.seed = (uint64_t)seed;
	return status;
}

static const char *const members[HY_N_ARTEFACTS][5] = {
    {"order", "coefficients"},
    {"num_ghosts", "axis", "intensity", "restore"},
    {"degrees", "translation", "times", "centre"},
    {"spikes_positions", "intensity"},
    {"sd", "seed"},
    {"sd_mm"},
    {"factor"},
    {"gamma"},
};

static hardy_status check_members(const reader *r, hy_artefact_kind kind)
{
	const cJSON *m;
	char known[128] = "";
	size_t used = 0;
	for (int i = 0; members[kind][i]; i++)
		used += (size_t)snprintf(known + used, sizeof known - used, i ? ", %s" : "%s", members[kind][i]);
	if (!cJSON_IsObject(r->json))
		return hy_fail(r->err, HARDY_ERROR_ARGUMENT, "%s: no JSON object with parameters of %s: %s", r->where,
		               hy_artefact_name(kind), known);
	cJSON_ArrayForEach(m, r->json)
	{
		bool found = false;
		for (int i = 0; members[kind][i]; i++)
			found = found || !strcmp(m->string, members[kind][i]);
		if (!found)
			return hy_fail(r->err, HARDY_ERROR_ARGUMENT, "%s: %s has no parameter '%s'; it has %s", r->where,
			               hy_artefact_name(kind), m->string, known);
	}
	return HARDY_OK;
}

hardy_status hy_artefact_from_json(hy_artefact *a, const cJSON *json, const char *where, hardy_error *err)
{
	static hardy_status (*const read[HY_ARTEFACT_BLUR])(const reader *r, hy_artefact *a) = {
	    read_bias, read_ghosting, read_motion, read_spike, read_noise};
	const reader r = {json, where, err};
	hy_artefact made = *a;
	hardy_status status = check_members(&r, a->kind);
	if (status)
		return status;
	switch (a->kind) {
	case HY_ARTEFACT_BLUR:
		status = read_real(&r, "sd_mm", 0, 100, &made.blur.sd_mm);
		break;
	case HY_ARTEFACT_RESOLUTION:
		status = read_real(&r, "factor", 1, 1000, &made.resolution.factor);
		break;
	case HY_ARTEFACT_CONTRAST:
		status = read_real(&r, "gamma", .01, 100, &made.contrast.gamma);
		break;
	default:
		status = read[a->kind](&r, &made);
		break;
	}
	if (!status)
		*a = made;
	return status;
}
