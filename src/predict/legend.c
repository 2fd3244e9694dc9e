/*
 * legend.c: the table of label values beside predicted label maps.
 */
#include "predict/legend.h"

#include "base/files.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static const char *const endings[] = {".json", ".label", ".ctbl"};
static const char *const marks[] = {HY_MARK_JSON, "# values of label maps, by hardy predict",
                                    "# values of label maps, by hardy predict"};
enum { N_FILES = 3, MOST_VALUE = 65535 };

void hy_legend_clear(hy_legend *l)
{
	cJSON_Delete(l->training);
	*l = (hy_legend){0};
}

void hy_label_colour(int value, uint8_t rgb[3])
{
	/* Told apart by colour-blind readers too: Okabe and Ito, "Color universal design", 2008. */
	static const uint8_t palette[][3] = {{230, 159, 0},  {86, 180, 233},  {0, 158, 115},
	                                     {240, 228, 66}, {204, 121, 167}, {213, 94, 0}};
	const int n = sizeof palette / sizeof *palette;
	memcpy(rgb, palette[(value + n - 1) % n], 3);
}

int hy_class_shown(const hy_class *classes, int index)
{
	const int value = classes[index].value;
	return !index ? 0 : value <= 0 ? index : value <= 255 ? value : 1 + (value - 1) % 6;
}

static char *join(const char *stem, const char *ending)
{
	const size_t room = strlen(stem) + strlen(ending) + 1;
	char *path = hy_alloc(room, 1);
	if (path)
		snprintf(path, room, "%s%s", stem, ending);
	return path;
}

/* ---- reading ------------------------------------------------------------------------------------------------------------ */

static bool take_class(const cJSON *item, hy_class *c)
{
	const cJSON *name = cJSON_GetObjectItemCaseSensitive(item, "name"),
	            *value = cJSON_GetObjectItemCaseSensitive(item, "value");
	if (!cJSON_IsString(name))
		return false;
	hy_json_bytes(name->valuestring); /* its length counts as it is, not as it is written */
	if (strlen(name->valuestring) >= sizeof c->name || !(cJSON_IsNumber(value) || cJSON_IsNull(value)))
		return false;
	const double v = cJSON_IsNumber(value) ? value->valuedouble : -1;
	if (cJSON_IsNumber(value) && !(v >= 0 && v <= MOST_VALUE && v == floor(v)))
		return false;
	*c = (hy_class){.value = (int)v, .present = v >= 0};
	memcpy(c->name, name->valuestring, strlen(name->valuestring) + 1);
	return true;
}

static hardy_status take(const char *path, cJSON *json, hy_legend *l, hardy_error *err)
{
	const cJSON *labels = cJSON_GetObjectItemCaseSensitive(json, "labels"), *item;
	if (!cJSON_IsArray(labels) || !labels->child)
		return hy_fail(err, HARDY_ERROR_FORMAT, "%s: no list \"labels\": not a table of label values that hardy predict wrote",
		               path);
	cJSON_ArrayForEach(item, labels)
	{
		if (l->n == HY_MAX_CLASSES || !take_class(item, &l->classes[l->n]))
			return hy_fail(
			    err, HARDY_ERROR_FORMAT,
			    "%s: entry %d of \"labels\" is not a name with a value from 0 to %d or null, or there are more than %d", path,
			    l->n, MOST_VALUE, HY_MAX_CLASSES);
		l->n++;
	}
	l->training = cJSON_DetachItemFromObjectCaseSensitive(json, "training");
	return HARDY_OK;
}

static hardy_status read_table(const char *stem, hy_legend *l, bool *found, hardy_error *err)
{
	char *path = join(stem, endings[0]);
	cJSON *json = NULL;
	*l = (hy_legend){0};
	*found = false;
	if (!path)
		return hy_fail_memory(err, stem, strlen(stem), 1);
	hardy_status status = HARDY_OK;
	if (hy_path_exists(path) && !hy_path_is_folder(path))
		status = hy_json_read(path, &json, err);
	*found = cJSON_GetObjectItemCaseSensitive(json, "hardy_version") != NULL; /* else somebody else's */
	if (*found)
		status = take(path, json, l, err);
	if (status)
		hy_legend_clear(l);
	cJSON_Delete(json);
	hy_free(path);
	return status;
}

hardy_status hy_legend_read(const char *labels, hy_legend *l, bool *found, hardy_error *err)
{
	const bool folder = hy_path_is_folder(labels);
	const int parent = (int)(hy_path_name(labels) - labels);
	int stem = (int)strlen(labels);
	stem -= hy_ends_with(labels, ".nii.gz") ? 7 : hy_ends_with(labels, ".nii") ? 4 : 0;
	hy_text t = {0};
	if (folder)
		hy_text_printf(&t, "%s/labels", labels);
	else
		hy_text_printf(&t, "%.*s_labels", stem, labels);
	hardy_status status = t.failed ? hy_fail_memory(err, labels, strlen(labels), 1) : read_table(t.data, l, found, err);
	if (!status && !*found && !folder) {
		hy_text_clear(&t);
		hy_text_printf(&t, "%.*slabels", parent, labels);
		status = t.failed ? hy_fail_memory(err, labels, strlen(labels), 1) : read_table(t.data, l, found, err);
	}
	hy_text_clear(&t);
	return status;
}

/* ---- what lies there ---------------------------------------------------------------------------------------------------- */

static bool is_same(const hy_legend *a, const hy_legend *b)
{
	for (int i = 0; i < a->n && a->n == b->n; i++)
		if (a->classes[i].value != b->classes[i].value || strcmp(a->classes[i].name, b->classes[i].name) != 0)
			return false;
	return a->n == b->n;
}

static void list(const hy_legend *l, char *text, size_t room)
{
	*text = 0;
	for (int i = 1; i < l->n; i++) {
		const size_t used = strlen(text);
		snprintf(text + used, room - used, "%s%.30s %d", i > 1 ? ", " : "", l->classes[i].name, l->classes[i].value);
	}
}

static hardy_status check_same(const char *stem, const hy_legend *l, const hy_legend *old, hardy_error *err)
{
	char was[256], is[256];
	if (is_same(l, old))
		return HARDY_OK;
	list(old, was, sizeof was);
	list(l, is, sizeof is);
	return hy_fail(err, HARDY_ERROR_ARGUMENT,
	               "%s.json: the label maps beside it hold %s, these would hold %s: name another folder, or overwrite", stem,
	               was, is);
}

/* old: what is read of a table that stays valid; empty without one, or where it is to be replaced. */
static hardy_status look(const char *stem, const hy_legend *l, bool overwrite, hy_legend *old, bool *found, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	*old = (hy_legend){0};
	*found = false;
	for (int i = 0; i < N_FILES && !status; i++) {
		char *path = join(stem, endings[i]);
		status = path ? hy_outfile_check(path, overwrite ? HY_REPLACE_ANY : marks[i], err) : hy_fail_memory(err, stem, 1, 1);
		hy_free(path);
	}
	if (status || overwrite)
		return status;
	status = read_table(stem, old, found, err);
	if (!status && *found)
		status = check_same(stem, l, old, err);
	if (status)
		hy_legend_clear(old);
	return status;
}

hardy_status hy_legend_check(const char *stem, const hy_legend *l, bool overwrite, hardy_error *err)
{
	hy_legend old;
	bool found;
	const hardy_status status = look(stem, l, overwrite, &old, &found, err);
	hy_legend_clear(&old);
	return status;
}

/* ---- writing ------------------------------------------------------------------------------------------------------------ */

static cJSON *class_to_json(const hy_class *c)
{
	uint8_t rgb[3] = {0, 0, 0};
	cJSON *o = cJSON_CreateObject();
	if (c->value > 0)
		hy_label_colour(c->value, rgb);
	const int colour[3] = {rgb[0], rgb[1], rgb[2]};
	if (o && hy_json_add(o, "name", cJSON_CreateString(c->name)) &&
	    hy_json_add(o, "value", c->value < 0 ? cJSON_CreateNull() : cJSON_CreateNumber(c->value)) &&
	    hy_json_add(o, "colour", cJSON_CreateIntArray(colour, 3)))
		return o;
	cJSON_Delete(o);
	return NULL;
}

/* Those of l, then those of old that are not the same. */
static cJSON *join_training(const hy_legend *l, const hy_legend *old)
{
	cJSON *all = l->training ? cJSON_Duplicate(l->training, true) : cJSON_CreateArray();
	const cJSON *item, *own;
	bool good = all != NULL;
	cJSON_ArrayForEach(item, old->training)
	{
		bool known = false;
		cJSON_ArrayForEach(own, l->training) known |= cJSON_Compare(own, item, true);
		cJSON *copy = known || !good ? NULL : cJSON_Duplicate(item, true);
		good = good && (known || hy_json_append(all, copy));
	}
	return hy_json_keep(good, all);
}

static void write_json(hy_outfile *f, const hy_legend *l, const hy_legend *old)
{
	cJSON *o = cJSON_CreateObject(), *labels = cJSON_CreateArray();
	bool good = hy_json_add(o, "hardy_version", cJSON_CreateString(hardy_version()));
	for (int i = 0; i < l->n && good; i++)
		good = hy_json_append(labels, class_to_json(&l->classes[i]));
	good = hy_json_add(o, "labels", hy_json_keep(good, labels)) && hy_json_add(o, "training", join_training(l, old));
	char *text = good ? hy_json_print(o, true) : NULL;
	if (text)
		hy_outfile_printf(f, "%s\n", text);
	else if (!f->error)
		f->error = ENOMEM;
	cJSON_free(text);
	cJSON_Delete(o);
}

/* A name without what would end it: quotes in one format, spaces in the other. */
static void plain(const char *name, bool spaces, char out[HY_NAME_SIZE])
{
	size_t i = 0;
	for (; name[i] && i < HY_NAME_SIZE - 1; i++)
		out[i] = name[i] == '"' || (unsigned char)name[i] < 32 || (!spaces && name[i] == ' ') ? '_' : name[i];
	out[i] = 0;
}

/* ITK-SNAP: index, red, green, blue, opacity, shown in slices, shown in 3-D, "name". */
static void write_label(hy_outfile *f, const hy_legend *l)
{
	hy_outfile_printf(f, "%s\n    0     0    0    0        0  0  0    \"Clear Label\"\n", marks[1]);
	for (int i = 1; i < l->n; i++) {
		uint8_t rgb[3];
		char name[HY_NAME_SIZE];
		if (l->classes[i].value <= 0)
			continue;
		plain(l->classes[i].name, true, name);
		hy_label_colour(l->classes[i].value, rgb);
		hy_outfile_printf(f, "%5d  %4d %4d %4d        1  1  1    \"%s\"\n", l->classes[i].value, rgb[0], rgb[1], rgb[2], name);
	}
}

/* 3D Slicer: index, name, red, green, blue, opacity. */
static void write_ctbl(hy_outfile *f, const hy_legend *l)
{
	hy_outfile_printf(f, "%s\n0 background 0 0 0 0\n", marks[2]);
	for (int i = 1; i < l->n; i++) {
		uint8_t rgb[3];
		char name[HY_NAME_SIZE];
		if (l->classes[i].value <= 0)
			continue;
		plain(l->classes[i].name, false, name);
		hy_label_colour(l->classes[i].value, rgb);
		hy_outfile_printf(f, "%d %s %d %d %d 255\n", l->classes[i].value, name, rgb[0], rgb[1], rgb[2]);
	}
}

static hardy_status write_file(const char *stem, int file, const hy_legend *l, const hy_legend *old, bool overwrite,
                               hardy_error *err)
{
	char *path = join(stem, endings[file]);
	hy_outfile f = {0};
	hardy_status status = path ? hy_outfile_open(&f, path, overwrite ? HY_REPLACE_ANY : marks[file], err)
	                           : hy_fail_memory(err, stem, strlen(stem), 1);
	if (!status && file == 0)
		write_json(&f, l, old);
	else if (!status && file == 1)
		write_label(&f, l);
	else if (!status)
		write_ctbl(&f, l);
	if (!status)
		status = hy_outfile_commit(&f, err);
	hy_free(path);
	return status;
}

hardy_status hy_legend_write(const char *stem, const hy_legend *l, bool overwrite, bool *made, hardy_error *err)
{
	hy_legend old;
	bool found;
	hardy_status status = look(stem, l, overwrite, &old, &found, err);
	for (int i = 0; i < N_FILES && !status; i++)
		status = write_file(stem, i, l, &old, overwrite, err);
	*made = !status && !found;
	hy_legend_clear(&old);
	return status;
}

void hy_legend_remove(const char *stem)
{
	for (int i = 0; i < N_FILES; i++) {
		char *path = join(stem, endings[i]);
		if (path)
			remove(path);
		hy_free(path);
	}
}
