/*
 * parameters.c: parameters of artefacts: their table, with the ranges that they must keep, and their forms as JSON and as a list of pairs.
 */
#include "artefact/artefact.h"

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- the table ---------------------------------------------------------------------------------------------------------- */

enum { MOST_PARAMETERS = 4 };

#define NUMBER(called, text, least, most)                                                                                      \
	{                                                                                                                          \
		.name = called, .about = text, .low = least, .high = most, .n_each = 1                                                 \
	}
#define WHOLE(called, text, least, most)                                                                                       \
	{                                                                                                                          \
		.name = called, .about = text, .low = least, .high = most, .n_each = 1, .whole = true                                  \
	}
#define LIST(called, text, least, most, n, each)                                                                               \
	{                                                                                                                          \
		.name = called, .about = text, .low = least, .high = most, .n_most = n, .n_each = each                                 \
	}

static const hardy_artefact_parameter table[HY_N_ARTEFACTS][MOST_PARAMETERS] = {
    [HY_ARTEFACT_BIAS] = {WHOLE("order", "Of the polynomial.", 0, HY_BIAS_MAX_ORDER),
                          LIST("coefficients",
                               "Of x^a y^b z^d: (order + 1) (order + 2) (order + 3) / 6, d running fastest, then b, then a.",
                               -100, 100, HY_BIAS_MAX, 1)},
    [HY_ARTEFACT_GHOSTING] = {WHOLE("num_ghosts", "Every so many planes of k-space one is weakened.", 0, 1000),
                              WHOLE("axis", "Planes across x, y or z.", 0, 2), NUMBER("intensity", "By this share.", 0, 100),
                              NUMBER("restore",
                                     "Share of planes about the centre left as they were; null: the central one alone.", 0, 1)},
    [HY_ARTEFACT_MOTION] = {LIST("degrees", "Of each movement, about x, y, z.", -360, 360, HY_MOTION_MAX, 3),
                            LIST("translation", "Of each movement along x, y, z, in mm.", -10000, 10000, HY_MOTION_MAX, 3),
                            LIST("times", "Of each movement, as a share of k-space.", 0, 1, HY_MOTION_MAX, 1),
                            {.name = "centre", .about = "Of the rotations.", .choices = "origin|image", .n_each = 1}},
    [HY_ARTEFACT_SPIKE] = {LIST("spikes_positions", "In k-space, below 1, its centre at n / 2.", 0, 0x1.fffffffffffffp-1,
                                HY_SPIKE_MAX, 3),
                           NUMBER("intensity", "Relative to the spectrum's maximum.", -100, 100)},
    [HY_ARTEFACT_NOISE] = {NUMBER("sd", "Standard deviation, relative to the range between the percentiles 2 and 98.", 0, 10),
                           WHOLE("seed", "Of the noise.", 0, 9007199254740991.)},
    [HY_ARTEFACT_BLUR] = {NUMBER("sd_mm", "Standard deviation in the plane of the slices, in mm.", 0, 100)},
    [HY_ARTEFACT_RESOLUTION] = {NUMBER("factor", "One in so many frequencies is kept on each axis of the slices.", 1, 1000)},
    [HY_ARTEFACT_CONTRAST] = {NUMBER("gamma", "Power of grey values scaled to [0, 1].", .01, 100)},
};

size_t hy_artefact_n_parameters(hy_artefact_kind kind)
{
	size_t n = 0;
	while (n < MOST_PARAMETERS && table[kind][n].name)
		n++;
	return n;
}

const hardy_artefact_parameter *hy_artefact_parameter(hy_artefact_kind kind, size_t i)
{
	return i < hy_artefact_n_parameters(kind) ? &table[kind][i] : NULL;
}

/* ---- writing ------------------------------------------------------------------------------------------------------------ */

static cJSON *reals(const double *x, int n)
{
	cJSON *list = cJSON_CreateArray();
	bool good = true;
	for (int i = 0; i < n && good; i++)
		good = hy_json_append(list, hy_json_real(x[i]));
	return hy_json_keep(good, list);
}

static cJSON *triples(const double (*x)[3], int n)
{
	cJSON *list = cJSON_CreateArray();
	bool good = true;
	for (int i = 0; i < n && good; i++)
		good = hy_json_append(list, reals(x[i], 3));
	return hy_json_keep(good, list);
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

/* What is read, and where it stands, for messages. */
typedef struct reader {
	const cJSON *json;
	hy_artefact_kind kind;
	const char *where;
	hardy_error *err;
} reader;

static const hardy_artefact_parameter *row_of(const reader *r, const char *name)
{
	for (size_t i = 0; i < hy_artefact_n_parameters(r->kind); i++)
		if (!strcmp(table[r->kind][i].name, name))
			return &table[r->kind][i];
	return NULL;
}

static hardy_status check_real(const reader *r, const hardy_artefact_parameter *p, const cJSON *v, double *out)
{
	if (!cJSON_IsNumber(v))
		return hy_fail(r->err, HARDY_ERROR_ARGUMENT, "%s: %s is no number, want one from %g to %g", r->where, p->name, p->low,
		               p->high);
	const double x = v->valuedouble;
	if (!(x >= p->low && x <= p->high) || (p->whole && x != floor(x)))
		return hy_fail(r->err, HARDY_ERROR_ARGUMENT, "%s: %s is %.10g, want a %s from %g to %g", r->where, p->name, x,
		               p->whole && x >= p->low && x <= p->high ? "whole number" : "number", p->low, p->high);
	*out = x;
	return HARDY_OK;
}

/* Absent members leave *out. */
static hardy_status read_real(const reader *r, const char *name, double *out)
{
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(r->json, name);
	return v ? check_real(r, row_of(r, name), v, out) : HARDY_OK;
}

static hardy_status read_whole(const reader *r, const char *name, int64_t *out)
{
	double v = (double)*out;
	const hardy_status status = read_real(r, name, &v);
	if (!status)
		*out = (int64_t)v;
	return status;
}

/* One number of a list, or the three of one of its entries. */
static hardy_status read_entry(const reader *r, const hardy_artefact_parameter *p, const cJSON *v, int at, double *out)
{
	const cJSON *item;
	int i = 0;
	if (p->n_each == 1)
		return check_real(r, p, v, out);
	if (!cJSON_IsArray(v) || cJSON_GetArraySize(v) > p->n_each)
		return hy_fail(r->err, HARDY_ERROR_ARGUMENT, "%s: %s is no list of at most %d numbers", r->where, p->name, p->n_each);
	cJSON_ArrayForEach(item, v)
	{
		const hardy_status status = check_real(r, p, item, &out[i++]);
		if (status)
			return status;
	}
	if (i != p->n_each)
		return hy_fail(r->err, HARDY_ERROR_ARGUMENT, "%s: %s has %d numbers in its list %d, want %d", r->where, p->name, i,
		               at + 1, p->n_each);
	return HARDY_OK;
}

/* out: entries one after the other; *n (-1 when absent) gets how many there are. */
static hardy_status read_list(const reader *r, const char *name, double *out, int *n)
{
	const hardy_artefact_parameter *p = row_of(r, name);
	const cJSON *v = cJSON_GetObjectItemCaseSensitive(r->json, name), *item;
	int i = 0;
	*n = -1;
	if (!v)
		return HARDY_OK;
	if (!cJSON_IsArray(v) || cJSON_GetArraySize(v) > p->n_most)
		return hy_fail(r->err, HARDY_ERROR_ARGUMENT,
		               p->n_each > 1 ? "%s: %s is no list of at most %d lists of %d numbers"
		                             : "%s: %s is no list of at most %d numbers",
		               r->where, name, p->n_most, p->n_each);
	cJSON_ArrayForEach(item, v)
	{
		const hardy_status status = read_entry(r, p, item, i, out + (size_t)i * (size_t)p->n_each);
		if (status)
			return status;
		i++;
	}
	*n = i;
	return HARDY_OK;
}

static hardy_status read_bias(const reader *r, hy_artefact *a)
{
	int64_t order = a->bias.order;
	int n;
	hardy_status status = read_whole(r, "order", &order);
	if (!status)
		status = read_list(r, "coefficients", a->bias.coefficients, &n);
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
	hardy_status status = read_whole(r, "num_ghosts", &a->ghosting.num_ghosts);
	if (!status)
		status = read_whole(r, "axis", &axis);
	if (!status)
		status = read_real(r, "intensity", &a->ghosting.intensity);
	a->ghosting.axis = (int)axis;
	if (cJSON_IsNull(cJSON_GetObjectItemCaseSensitive(r->json, "restore")))
		a->ghosting.restore = NAN;
	else if (!status)
		status = read_real(r, "restore", &a->ghosting.restore);
	return status;
}

static hardy_status read_motion(const reader *r, hy_artefact *a)
{
	const cJSON *centre = cJSON_GetObjectItemCaseSensitive(r->json, "centre");
	int n[3];
	hardy_status status = read_list(r, "degrees", a->motion.degrees[0], &n[0]);
	if (!status)
		status = read_list(r, "translation", a->motion.translation[0], &n[1]);
	if (!status)
		status = read_list(r, "times", a->motion.times, &n[2]);
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
	hardy_status status = read_list(r, "spikes_positions", a->spike.positions[0], &n);
	if (!status)
		status = read_real(r, "intensity", &a->spike.intensity);
	if (!status && n >= 0)
		a->spike.n = n;
	return status;
}

static hardy_status read_noise(const reader *r, hy_artefact *a)
{
	int64_t seed = (int64_t)a->noise.seed;
	hardy_status status = read_real(r, "sd", &a->noise.sd);
	if (!status)
		status = read_whole(r, "seed", &seed);
	a->noise.seed = (uint64_t)seed;
	return status;
}

static hardy_status check_members(const reader *r)
{
	const cJSON *m;
	char known[128] = "";
	size_t used = 0;
	for (size_t i = 0; i < hy_artefact_n_parameters(r->kind); i++)
		used += (size_t)snprintf(known + used, sizeof known - used, i ? ", %s" : "%s", table[r->kind][i].name);
	if (!cJSON_IsObject(r->json))
		return hy_fail(r->err, HARDY_ERROR_ARGUMENT, "%s: no JSON object with parameters of %s: %s", r->where,
		               hy_artefact_name(r->kind), known);
	cJSON_ArrayForEach(m, r->json)
	{
		if (!row_of(r, m->string))
			return hy_fail(r->err, HARDY_ERROR_ARGUMENT, "%s: %s has no parameter '%s'%s; it has %s", r->where,
			               hy_artefact_name(r->kind), m->string, hy_meant(m->string, strlen(m->string), known).text, known);
	}
	return HARDY_OK;
}

hardy_status hy_artefact_from_json(hy_artefact *a, const cJSON *json, const char *where, hardy_error *err)
{
	static hardy_status (*const read[HY_ARTEFACT_BLUR])(const reader *r, hy_artefact *a) = {
	    read_bias, read_ghosting, read_motion, read_spike, read_noise};
	const reader r = {json, a->kind, where, err};
	hy_artefact made = *a;
	hardy_status status = check_members(&r);
	if (status)
		return status;
	switch (a->kind) {
	case HY_ARTEFACT_BLUR:
		status = read_real(&r, "sd_mm", &made.blur.sd_mm);
		break;
	case HY_ARTEFACT_RESOLUTION:
		status = read_real(&r, "factor", &made.resolution.factor);
		break;
	case HY_ARTEFACT_CONTRAST:
		status = read_real(&r, "gamma", &made.contrast.gamma);
		break;
	default:
		status = read[a->kind](&r, &made);
		break;
	}
	if (!status)
		*a = made;
	return status;
}

/* ---- text --------------------------------------------------------------------------------------------------------------- */

static cJSON *parse_value(const char *text)
{
	const double number = hy_number(text);
	if (isfinite(number))
		return cJSON_CreateNumber(number);
	return strcmp(text, "null") ? cJSON_CreateString(text) : cJSON_CreateNull();
}

hardy_status hy_artefact_parse(const char *text, cJSON **out, hardy_error *err)
{
	if (text[0] == '{' || text[0] == '[') {
		const hardy_status status = hy_json_parse(text, strlen(text), out, err);
		return status == HARDY_ERROR_FORMAT ? hy_fail(err, HARDY_ERROR_ARGUMENT, "parameters '%s' are no JSON object", text)
		                                    : status;
	}
	cJSON *o = cJSON_CreateObject();
	for (const char *p = text; o && *p;) {
		char name[32], value[64];
		const size_t length = strcspn(p, ","), n = strcspn(p, "=,");
		if (n == 0 || n >= sizeof name || p[n] != '=' || length - n - 1 >= sizeof value) {
			cJSON_Delete(o);
			return hy_fail(err, HARDY_ERROR_ARGUMENT,
			               "parameters '%s' are neither a file nor JSON nor a list like intensity=0.8,axis=1", text);
		}
		snprintf(name, sizeof name, "%.*s", (int)n, p);
		snprintf(value, sizeof value, "%.*s", (int)(length - n - 1), p + n + 1);
		cJSON_DeleteItemFromObjectCaseSensitive(o, name);
		if (!hy_json_add(o, name, parse_value(value))) {
			cJSON_Delete(o);
			o = NULL;
		}
		p += length + (p[length] == ',');
	}
	*out = o;
	return o ? HARDY_OK : hy_fail_memory(err, "parameters", 1, strlen(text));
}
