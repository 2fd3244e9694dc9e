/*
 * meta.c: the objects of a model file's metadata to and from JSON. One table of fields per struct serves both directions.
 */
#include "predict/meta.h"

#include "base/json.h"

#include <math.h>
#include <string.h>

enum kind { KIND_DOUBLE, KIND_INT64, KIND_INT, KIND_BOOL };

typedef struct field {
	const char *name;
	enum kind kind;
	size_t offset;
	int n; /* 1: a number; more: a list; 0: a list of a length that the caller gives, e.g. one entry a channel */
	double low, high;
} field;

/* clang-format off */
#define BIG 1e30
static const field plan_fields[] = {
    {"spacing_mm", KIND_DOUBLE, offsetof(hy_plan, spacing_mm), 1, 1e-3, 1e3},
    {"size", KIND_INT64, offsetof(hy_plan, size), 1, 16, 4096},
    {"percentile_low", KIND_DOUBLE, offsetof(hy_plan, percentile_low), 1, 0, 100},
    {"percentile_high", KIND_DOUBLE, offsetof(hy_plan, percentile_high), 1, 0, 100},
    {"normalise_first", KIND_BOOL, offsetof(hy_plan, normalise_first), 1, 0, 1},
    {"minmax_slice", KIND_BOOL, offsetof(hy_plan, minmax_slice), 1, 0, 1},
};

/* Only of a plan that is directed: older models take scans as they are stored. */
static const field direction_fields[] = {
    {"direction_x", KIND_DOUBLE, offsetof(hy_plan, direction[0]), 3, -1.001, 1.001},
    {"direction_y", KIND_DOUBLE, offsetof(hy_plan, direction[1]), 3, -1.001, 1.001},
};

/* Each only where it is not the usual: no neighbours, one plane. */
enum { NEIGHBOURS, PLANES, N_OPTIONAL };
static const field optional_fields[N_OPTIONAL] = {
    {"neighbours", KIND_INT, offsetof(hy_plan, neighbours), 1, 0, HY_MOST_NEIGHBOURS},
    {"planes", KIND_INT, offsetof(hy_plan, planes), 1, 1, HY_MOST_PLANES},
};

static const field fingerprint_fields[] = {
    {"n_volumes", KIND_INT64, offsetof(hy_fingerprint, n_volumes), 1, 0, 1e12},
    {"spacing_low_mm", KIND_DOUBLE, offsetof(hy_fingerprint, spacing_low_mm), 3, 0, BIG},
    {"spacing_high_mm", KIND_DOUBLE, offsetof(hy_fingerprint, spacing_high_mm), 3, 0, BIG},
    {"matrix_low", KIND_DOUBLE, offsetof(hy_fingerprint, matrix_low), 3, 0, BIG},
    {"matrix_high", KIND_DOUBLE, offsetof(hy_fingerprint, matrix_high), 3, 0, BIG},
    {"mean_low", KIND_DOUBLE, offsetof(hy_fingerprint, mean_low), 0, -BIG, BIG},
    {"mean_high", KIND_DOUBLE, offsetof(hy_fingerprint, mean_high), 0, -BIG, BIG},
    {"sd_low", KIND_DOUBLE, offsetof(hy_fingerprint, sd_low), 0, 0, BIG},
    {"sd_high", KIND_DOUBLE, offsetof(hy_fingerprint, sd_high), 0, 0, BIG},
    {"reconstruction_mean", KIND_DOUBLE, offsetof(hy_fingerprint, reconstruction_mean), 1, 0, BIG},
    {"reconstruction_sd", KIND_DOUBLE, offsetof(hy_fingerprint, reconstruction_sd), 1, 0, BIG},
};

static const field calibration_fields[] = {
    {"version", KIND_INT, offsetof(hy_calibration, version), 1, HY_CALIBRATION_VERSION, HY_CALIBRATION_VERSION},
    {"subjects", KIND_INT64, offsetof(hy_calibration, n_subjects), 1, 0, 1e12},
    {"scans", KIND_INT64, offsetof(hy_calibration, n_scans), 1, 0, 1e12},
    {"predictions", KIND_INT64, offsetof(hy_calibration, n_predictions), 1, 0, 1e12},
    {"below_0.7", KIND_INT64, offsetof(hy_calibration, n_below), 1, 0, 1e12},
    {"presence", KIND_DOUBLE, offsetof(hy_calibration, presence), 0, 0, 1},
    {"mean", KIND_DOUBLE, offsetof(hy_calibration, mean), HY_N_SIGNALS, -BIG, BIG},
    {"sd", KIND_DOUBLE, offsetof(hy_calibration, sd), HY_N_SIGNALS, 1e-9, BIG},
    {"weight", KIND_DOUBLE, offsetof(hy_calibration, weight), HY_N_SIGNALS, -BIG, BIG},
    {"intercept", KIND_DOUBLE, offsetof(hy_calibration, intercept), 1, -BIG, BIG},
    {"knots", KIND_INT, offsetof(hy_calibration, n_knots), 1, 1, HY_MAX_KNOTS},
    {"margin_x", KIND_DOUBLE, offsetof(hy_calibration, margin_x), HY_N_MARGINS, -1, 2},
    {"margin", KIND_DOUBLE, offsetof(hy_calibration, margin), HY_N_MARGINS, 0, 1},
    {"held_out_error", KIND_DOUBLE, offsetof(hy_calibration, error), 1, 0, 1},
    {"held_out_auc", KIND_DOUBLE, offsetof(hy_calibration, auc), 1, -1, 1},
};

/* Lists of the length "knots". */
static const field knot_fields[] = {
    {"knot_x", KIND_DOUBLE, offsetof(hy_calibration, knot_x), 0, -BIG, BIG},
    {"knot_y", KIND_DOUBLE, offsetof(hy_calibration, knot_y), 0, 0, 1},
};

static const field network_fields[] = {
    {"channels", KIND_INT, offsetof(hy_network_config, channels), 1, 1, HY_MAX_CHANNELS},
    {"classes", KIND_INT, offsetof(hy_network_config, classes), 1, 2, HY_MAX_CLASSES},
    {"decoupler", KIND_BOOL, offsetof(hy_network_config, decoupler), 1, 0, 1},
};

static const field unet_fields[] = {
    {"width", KIND_INT, offsetof(hy_network_config, width), 1, 16, HY_UNET_MOST_WIDTH},
    {"levels", KIND_INT, offsetof(hy_network_config, levels), 1, HY_UNET_LEAST_LEVELS, HY_UNET_MOST_LEVELS},
};

/* Absent from a U-Net with every skip connection. */
static const field skip_fields[] = {
    {"no_top_skip", KIND_BOOL, offsetof(hy_network_config, no_top_skip), 1, 0, 1},
};

static const field use_fields[] = {
    {"ftn", KIND_BOOL, offsetof(hy_use, ftn), 1, 0, 1},
    {"keep_largest", KIND_BOOL, offsetof(hy_use, keep_largest), 1, 0, 1},
    {"flips", KIND_BOOL, offsetof(hy_use, flips), 1, 0, 1},
    {"dice", KIND_DOUBLE, offsetof(hy_use, dice), 1, 0, 1},
    {"plain_dice", KIND_DOUBLE, offsetof(hy_use, plain_dice), 1, 0, 1},
};

static const field class_fields[] = {
    {"value", KIND_INT, offsetof(hy_class, value), 1, -1, 65535},
};
/* clang-format on */

#define COUNT(table) (sizeof(table) / sizeof *(table))

/* ---- writing ------------------------------------------------------------------------------------------------------------ */

static cJSON *one_to_json(const field *f, const char *at, int i)
{
	switch (f->kind) {
	case KIND_DOUBLE:
		return cJSON_CreateNumber(((const double *)(const void *)at)[i]);
	case KIND_INT64:
		return cJSON_CreateNumber((double)((const int64_t *)(const void *)at)[i]);
	case KIND_INT:
		return cJSON_CreateNumber(((const int *)(const void *)at)[i]);
	case KIND_BOOL:
		break;
	}
	return cJSON_CreateBool(((const bool *)(const void *)at)[i]);
}

static cJSON *field_to_json(const field *f, const char *at, int n_channels)
{
	if (f->n == 1)
		return one_to_json(f, at, 0);
	cJSON *list = cJSON_CreateArray();
	bool good = true;
	for (int i = 0; i < (f->n ? f->n : n_channels) && good; i++)
		good = hy_json_append(list, one_to_json(f, at, i));
	return hy_json_keep(good, list);
}

/* Adds to object, which is deleted when memory runs out. */
static cJSON *add_fields(cJSON *object, const field *table, size_t n, const void *from, int n_channels)
{
	for (size_t i = 0; object && i < n; i++) {
		cJSON *value = field_to_json(&table[i], (const char *)from + table[i].offset, n_channels);
		if (!hy_json_add(object, table[i].name, value)) {
			cJSON_Delete(object);
			return NULL;
		}
	}
	return object;
}

static cJSON *struct_to_json(const field *table, size_t n, const void *from, int n_channels)
{
	return add_fields(cJSON_CreateObject(), table, n, from, n_channels);
}

cJSON *hy_plan_to_json(const hy_plan *p)
{
	cJSON *object = struct_to_json(plan_fields, COUNT(plan_fields), p, 1);
	if (p->directed)
		object = add_fields(object, direction_fields, COUNT(direction_fields), p, 1);
	if (p->neighbours)
		object = add_fields(object, &optional_fields[NEIGHBOURS], 1, p, 1);
	return p->planes > 1 ? add_fields(object, &optional_fields[PLANES], 1, p, 1) : object;
}

cJSON *hy_fingerprint_to_json(const hy_fingerprint *f, int n_channels)
{
	return struct_to_json(fingerprint_fields, COUNT(fingerprint_fields), f, n_channels);
}

cJSON *hy_calibration_to_json(const hy_calibration *c, int n_classes)
{
	cJSON *object = struct_to_json(calibration_fields, COUNT(calibration_fields), c, n_classes);
	return add_fields(object, knot_fields, COUNT(knot_fields), c, c->n_knots);
}

cJSON *hy_use_to_json(const hy_use *u)
{
	return struct_to_json(use_fields, COUNT(use_fields), u, 1);
}

cJSON *hy_network_config_to_json(const hy_network_config *c)
{
	cJSON *object = struct_to_json(network_fields, COUNT(network_fields), c, 1);
	if (c->kind == HY_NETWORK_UNET)
		object = add_fields(object, unet_fields, COUNT(unet_fields), c, 1);
	if (c->no_top_skip)
		object = add_fields(object, skip_fields, COUNT(skip_fields), c, 1);
	if (object && !hy_json_add(object, "network", cJSON_CreateString(hy_network_names[c->kind]))) {
		cJSON_Delete(object);
		return NULL;
	}
	return object;
}

/* A list whose items are made by `make`; NULL when memory runs out. */
static cJSON *list_of(cJSON *(*make)(const void *item), const void *items, size_t size, int n)
{
	cJSON *list = cJSON_CreateArray();
	bool good = true;
	for (int i = 0; i < n && good; i++)
		good = hy_json_append(list, make((const char *)items + (size_t)i * size));
	return hy_json_keep(good, list);
}

static cJSON *class_to_json(const void *item)
{
	const hy_class *c = item;
	cJSON *object = struct_to_json(class_fields, COUNT(class_fields), c, 1);
	if (object && !hy_json_add(object, "name", cJSON_CreateString(c->name))) {
		cJSON_Delete(object);
		return NULL;
	}
	return object;
}

static cJSON *name_to_json(const void *item)
{
	return cJSON_CreateString(item);
}

cJSON *hy_classes_to_json(const hy_class *classes, int n)
{
	return list_of(class_to_json, classes, sizeof *classes, n);
}

cJSON *hy_channels_to_json(const char (*names)[HY_NAME_SIZE], int n)
{
	return list_of(name_to_json, names, sizeof *names, n);
}

/* ---- reading ------------------------------------------------------------------------------------------------------------ */

static hardy_status one_from_json(const field *f, char *at, int i, const cJSON *item, const char *where, hardy_error *err)
{
	if (f->kind == KIND_BOOL) {
		if (!cJSON_IsBool(item))
			return hy_fail(err, HARDY_ERROR_FORMAT, "%s: \"%s\" is not true or false", where, f->name);
		((bool *)(void *)at)[i] = cJSON_IsTrue(item);
		return HARDY_OK;
	}
	const double v = cJSON_IsNumber(item) ? item->valuedouble : NAN;
	if (!(v >= f->low && v <= f->high))
		return hy_fail(err, HARDY_ERROR_FORMAT, "%s: \"%s\" is %g, want a number from %g to %g", where, f->name, v, f->low,
		               f->high);
	if (f->kind != KIND_DOUBLE && v != floor(v))
		return hy_fail(err, HARDY_ERROR_FORMAT, "%s: \"%s\" is %g, want a whole number", where, f->name, v);
	if (f->kind == KIND_DOUBLE)
		((double *)(void *)at)[i] = v;
	else if (f->kind == KIND_INT64)
		((int64_t *)(void *)at)[i] = (int64_t)v;
	else
		((int *)(void *)at)[i] = (int)v;
	return HARDY_OK;
}

static hardy_status struct_from_json(const field *table, size_t n, void *to, int n_channels, const cJSON *json,
                                     const char *where, hardy_error *err)
{
	if (!cJSON_IsObject(json))
		return hy_fail(err, HARDY_ERROR_FORMAT, "%s: not a JSON object", where);
	for (size_t k = 0; k < n; k++) {
		const field *f = &table[k];
		char *at = (char *)to + f->offset;
		const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, f->name);
		if (!item)
			return hy_fail(err, HARDY_ERROR_FORMAT, "%s: \"%s\" is missing", where, f->name);
		const int want = f->n ? f->n : n_channels;
		const bool is_list = f->n != 1;
		if (is_list && (!cJSON_IsArray(item) || cJSON_GetArraySize(item) != want))
			return hy_fail(err, HARDY_ERROR_FORMAT, "%s: \"%s\" is not a list of %d", where, f->name, want);
		const cJSON *entry = is_list ? item->child : item;
		for (int i = 0; i < want; i++, entry = entry->next) {
			const hardy_status status = one_from_json(f, at, i, entry, where, err);
			if (status)
				return status;
		}
	}
	return HARDY_OK;
}

hardy_status hy_plan_from_json(hy_plan *p, const cJSON *json, const char *where, hardy_error *err)
{
	hy_plan read;
	hy_plan_init(&read);
	const hardy_status status = struct_from_json(plan_fields, COUNT(plan_fields), &read, 1, json, where, err);
	if (status)
		return status;
	if (cJSON_GetObjectItemCaseSensitive(json, direction_fields[0].name)) {
		const hardy_status directed = struct_from_json(direction_fields, COUNT(direction_fields), &read, 1, json, where, err);
		if (directed)
			return directed;
		read.directed = true;
	}
	for (int i = 0; i < N_OPTIONAL; i++) {
		if (!cJSON_GetObjectItemCaseSensitive(json, optional_fields[i].name))
			continue;
		const hardy_status optional = struct_from_json(&optional_fields[i], 1, &read, 1, json, where, err);
		if (optional)
			return optional;
	}
	if (read.planes != 1 && read.planes != HY_MOST_PLANES)
		return hy_fail(err, HARDY_ERROR_FORMAT, "%s: \"planes\" is %d, want 1 or %d", where, read.planes, HY_MOST_PLANES);
	if (read.size % 16)
		return hy_fail(err, HARDY_ERROR_FORMAT, "%s: \"size\" is %lld, want a multiple of 16", where, (long long)read.size);
	if (read.percentile_low >= read.percentile_high)
		return hy_fail(err, HARDY_ERROR_FORMAT, "%s: percentiles are %g and %g, want low < high", where, read.percentile_low,
		               read.percentile_high);
	*p = read;
	return HARDY_OK;
}

hardy_status hy_fingerprint_from_json(hy_fingerprint *f, int n_channels, const cJSON *json, const char *where, hardy_error *err)
{
	hy_fingerprint read = {0};
	const hardy_status status =
	    struct_from_json(fingerprint_fields, COUNT(fingerprint_fields), &read, n_channels, json, where, err);
	if (!status)
		*f = read;
	return status;
}

static bool increases(const double *x, int n)
{
	for (int i = 1; i < n; i++)
		if (!(x[i] > x[i - 1]))
			return false;
	return true;
}

hardy_status hy_calibration_from_json(hy_calibration *c, int n_classes, const cJSON *json, const char *where, hardy_error *err)
{
	hy_calibration read = {0};
	const cJSON *version = cJSON_GetObjectItemCaseSensitive(json, "version");
	if (cJSON_IsNumber(version) && version->valuedouble != HY_CALIBRATION_VERSION) {
		*c = read;
		return HARDY_OK;
	}
	hardy_status status = struct_from_json(calibration_fields, COUNT(calibration_fields), &read, n_classes, json, where, err);
	if (!status)
		status = struct_from_json(knot_fields, COUNT(knot_fields), &read, read.n_knots, json, where, err);
	if (!status && !increases(read.knot_x, read.n_knots))
		status = hy_fail(err, HARDY_ERROR_FORMAT, "%s: \"knot_x\" does not increase", where);
	if (!status && !increases(read.margin_x, HY_N_MARGINS))
		status = hy_fail(err, HARDY_ERROR_FORMAT, "%s: \"margin_x\" does not increase", where);
	if (!status)
		*c = read;
	return status;
}

hardy_status hy_use_from_json(hy_use *u, const cJSON *json, const char *where, hardy_error *err)
{
	hy_use read = {.chosen = true};
	const hardy_status status = struct_from_json(use_fields, COUNT(use_fields), &read, 1, json, where, err);
	if (!status)
		*u = read;
	return status;
}

hardy_status hy_network_config_from_json(hy_network_config *c, const cJSON *json, const char *where, hardy_error *err)
{
	hy_network_config read = {.kind = HY_NETWORK_STUDY}; /* models of earlier versions do not name it */
	const cJSON *name = cJSON_GetObjectItemCaseSensitive(json, "network");
	hardy_status status = struct_from_json(network_fields, COUNT(network_fields), &read, 1, json, where, err);
	if (!status && name) {
		while (read.kind < HY_N_NETWORKS && !(cJSON_IsString(name) && !strcmp(name->valuestring, hy_network_names[read.kind])))
			read.kind++;
		if (read.kind == HY_N_NETWORKS)
			status = hy_fail(err, HARDY_ERROR_UNSUPPORTED,
			                 "%s: the network is \"%.60s\", want study or unet (a newer hardy may know it)", where,
			                 cJSON_IsString(name) ? name->valuestring : "no text");
	}
	if (!status && read.kind == HY_NETWORK_UNET)
		status = struct_from_json(unet_fields, COUNT(unet_fields), &read, 1, json, where, err);
	if (!status && read.kind == HY_NETWORK_UNET && cJSON_HasObjectItem(json, skip_fields[0].name))
		status = struct_from_json(skip_fields, COUNT(skip_fields), &read, 1, json, where, err);
	if (!status)
		*c = read;
	return status;
}

/* A name that fits and can stand in a table or a file name. */
static hardy_status name_from_json(char name[HY_NAME_SIZE], const cJSON *item, const char *where, int i, hardy_error *err)
{
	const size_t length = cJSON_IsString(item) ? strlen(item->valuestring) : 0;
	if (length < 1 || length >= HY_NAME_SIZE)
		return hy_fail(err, HARDY_ERROR_FORMAT, "%s: entry %d has no name of 1 to %d bytes", where, i, HY_NAME_SIZE - 1);
	for (size_t k = 0; k < length; k++) {
		if ((unsigned char)item->valuestring[k] < ' ')
			return hy_fail(err, HARDY_ERROR_FORMAT, "%s: the name of entry %d holds a control character", where, i);
	}
	memcpy(name, item->valuestring, length + 1);
	return HARDY_OK;
}

static hardy_status check_list(const cJSON *json, int n, const char *where, hardy_error *err)
{
	if (!cJSON_IsArray(json) || cJSON_GetArraySize(json) != n)
		return hy_fail(err, HARDY_ERROR_FORMAT, "%s: %d entries, want a list of %d, one for each of the network's", where,
		               cJSON_IsArray(json) ? cJSON_GetArraySize(json) : 0, n);
	return HARDY_OK;
}

hardy_status hy_classes_from_json(hy_class *classes, int n, const cJSON *json, const char *where, hardy_error *err)
{
	hy_class read[HY_MAX_CLASSES] = {0};
	hardy_status status = check_list(json, n, where, err);
	const cJSON *entry = status ? NULL : json->child;
	for (int i = 0; i < n && !status; i++, entry = entry->next) {
		status = struct_from_json(class_fields, COUNT(class_fields), &read[i], 1, entry, where, err);
		if (!status)
			status = name_from_json(read[i].name, cJSON_GetObjectItemCaseSensitive(entry, "name"), where, i, err);
		read[i].present = read[i].value >= 0;
	}
	if (!status)
		memcpy(classes, read, (size_t)n * sizeof *classes);
	return status;
}

hardy_status hy_channels_from_json(char (*names)[HY_NAME_SIZE], int n, const cJSON *json, const char *where, hardy_error *err)
{
	char read[HY_MAX_CHANNELS][HY_NAME_SIZE] = {{0}};
	hardy_status status = check_list(json, n, where, err);
	const cJSON *entry = status ? NULL : json->child;
	for (int i = 0; i < n && !status; i++, entry = entry->next)
		status = name_from_json(read[i], entry, where, i, err);
	if (!status)
		memcpy(names, read, (size_t)n * sizeof *names);
	return status;
}
