/*
 * bids.c: names and sidecars of BIDS derivatives.
 */
#include "predict/bids.h"

#include "base/files.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/sha256.h"
#include "base/text.h"
#include "image/nifti.h"
#include "predict/meta.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#define VERSION "1.10.0"

static const char description[] = "dataset_description.json", table[] = "dseg.tsv", ignored[] = ".bidsignore";

/* What hardy writes beside and BIDS does not know. */
static const char ignore_lines[] = "quality.csv\nlabels.*\nreport.html\nentropy\nprobabilities\n";

/* ---- names -------------------------------------------------------------------------------------------------------------- */

/* Bytes of KEY-LABEL at text, letters and digits both; 0 where it is none. */
static size_t entity_length(const char *text)
{
	size_t key = 0, label = 0;
	while (isalnum((unsigned char)text[key]))
		key++;
	while (text[key] == '-' && isalnum((unsigned char)text[key + 1 + label]))
		label++;
	return key && label ? key + 1 + label : 0;
}

/* Bytes of sub-LABEL_KEY-LABEL..., of a name that goes on with one suffix; 0 where the name is none of BIDS. */
static size_t entities_length(const char *stem, size_t n)
{
	size_t used = 0, length;
	if (n < 5 || strncmp(stem, "sub-", 4) != 0)
		return 0;
	while ((length = entity_length(stem + used)) && used + length < n && stem[used + length] == '_')
		used += length + 1;
	const size_t suffix = strspn(stem + used, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789");
	return used && suffix && used + suffix == n ? used - 1 : 0;
}

/* anat, unless the scan's folder says func or dwi: others have no segmentations. */
static const char *kind_of_folder(const char *scan)
{
	static const char *const kinds[] = {"func", "dwi"};
	const size_t n = (size_t)(hy_path_name(scan) - scan);
	for (size_t i = 0; i < 2; i++) {
		const size_t length = strlen(kinds[i]);
		if (n >= length + 1 && !strncmp(scan + n - length - 1, kinds[i], length) &&
		    (n == length + 1 || scan[n - length - 2] == '/'))
			return kinds[i];
	}
	return "anat";
}

static void plain(const char *text, char *out, size_t room)
{
	size_t used = 0;
	for (; *text && used + 1 < room; text++)
		if (isalnum((unsigned char)*text))
			out[used++] = *text;
	out[used] = 0;
}

static hardy_status name_of_bids(const char *scan, size_t n, char name[HARDY_CASE_SIZE], hardy_error *err)
{
	const char *stem = hy_path_name(scan), *session = strstr(stem, "_ses-");
	const int subject = (int)entity_length(stem);
	if (session && (size_t)(session - stem) >= n)
		session = NULL;
	const int length = session ? (int)entity_length(session + 1) : 0;
	const int made = snprintf(name, HARDY_CASE_SIZE, "%.*s/%.*s%s%s/%.*s_dseg", subject, stem, length,
	                          session ? session + 1 : "", session ? "/" : "", kind_of_folder(scan), (int)n, stem);
	return made < HARDY_CASE_SIZE ? HARDY_OK : hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: its name is too long for BIDS", scan);
}

hardy_status hy_bids_name(const char *scan, const char *subject, const char *phase, char name[HARDY_CASE_SIZE],
                          hardy_error *err)
{
	char label[HY_NAME_SIZE], what[16];
	const size_t n = entities_length(hy_path_name(scan), hy_nifti_stem(hy_path_name(scan)));
	if (n)
		return name_of_bids(scan, n, name, err);
	plain(subject, label, sizeof label);
	plain(phase, what, sizeof what);
	if (!*label)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: its name has no letter or digit, which BIDS wants of a subject", scan);
	const int made = snprintf(name, HARDY_CASE_SIZE, "sub-%s/anat/sub-%s%s%s_dseg", label, label, *what ? "_desc-" : "", what);
	return made < HARDY_CASE_SIZE ? HARDY_OK : hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: its name is too long for BIDS", scan);
}

/* ---- the data set ------------------------------------------------------------------------------------------------------- */

/* index, name, colour; tabs and line ends of a name would end it. */
static void write_table(hy_text *t, const hy_legend *l)
{
	hy_text_printf(t, "index\tname\tcolor\n0\tbackground\t#000000\n");
	for (int c = 1; c < l->n; c++) {
		uint8_t rgb[3];
		char name[HY_NAME_SIZE];
		size_t i = 0;
		if (l->classes[c].value <= 0)
			continue;
		for (; l->classes[c].name[i]; i++)
			name[i] = (unsigned char)l->classes[c].name[i] < 32 ? '_' : l->classes[c].name[i];
		name[i] = 0;
		hy_label_colour(l->classes[c].value, rgb);
		hy_text_printf(t, "%d\t%s\t#%02x%02x%02x\n", l->classes[c].value, name, rgb[0], rgb[1], rgb[2]);
	}
}

/* *same: the file is there and holds this text. One that is there and does not is an error unless it may be overwritten. */
static hardy_status look(const char *path, const char *text, bool overwrite, bool *same, hardy_error *err)
{
	char *old = NULL;
	size_t size = 0;
	*same = false;
	if (!hy_path_exists(path))
		return HARDY_OK;
	hardy_status status = hy_file_read(path, &old, &size, err);
	*same = !status && size == strlen(text) && !memcmp(old, text, size);
	hy_free(old);
	if (!status && !*same && !overwrite)
		status =
		    hy_fail(err, HARDY_ERROR_ARGUMENT,
		            "%s: says something else of label values than these maps would: name another folder, or overwrite", path);
	return status;
}

static hardy_status write_text(const char *path, const char *text, const char *mark, hardy_error *err)
{
	hy_outfile f = {0};
	const hardy_status status = hy_outfile_open(&f, path, mark, err);
	if (status)
		return status;
	hy_outfile_printf(&f, hy_ends_with(text, "\n") ? "%s" : "%s\n", text);
	return hy_outfile_commit(&f, err);
}

static char *describe(void)
{
	cJSON *o = cJSON_CreateObject(), *list = cJSON_CreateArray(), *by = cJSON_CreateObject();
	bool good =
	    hy_json_add(by, "Name", cJSON_CreateString("hardy")) && hy_json_add(by, "Version", cJSON_CreateString(hardy_version()));
	good = hy_json_append(list, hy_json_keep(good, by));
	good = good && hy_json_add(o, "Name", cJSON_CreateString("Segmentations by hardy")) &&
	       hy_json_add(o, "BIDSVersion", cJSON_CreateString(VERSION)) &&
	       hy_json_add(o, "DatasetType", cJSON_CreateString("derivative")) &&
	       hy_json_add(o, "hardy_version", cJSON_CreateString(hardy_version()));
	good = hy_json_add(o, "GeneratedBy", hy_json_keep(good, list));
	char *text = good ? hy_json_print(o, true) : NULL;
	cJSON_Delete(o);
	return text;
}

/* check: nothing is written. */
static hardy_status begin(const char *folder, const hy_legend *l, bool overwrite, bool check, hardy_error *err)
{
	char *paths[] = {hy_path_join(folder, description), hy_path_join(folder, table), hy_path_join(folder, ignored)};
	const char *mark = overwrite ? HY_REPLACE_ANY : HY_MARK_JSON;
	hy_text rows = {0};
	bool same = false;
	write_table(&rows, l);
	char *text = describe();
	hardy_status status = paths[0] && paths[1] && paths[2] && text && !rows.failed
	                          ? HARDY_OK
	                          : hy_fail_memory(err, "a description of a data set", 1, 1);
	if (!status)
		status = hy_outfile_check(paths[0], mark, err);
	if (!status)
		status = look(paths[1], rows.data, overwrite, &same, err);
	if (!status && !check)
		status = write_text(paths[0], text, mark, err);
	if (!status && !check && !same)
		status = write_text(paths[1], rows.data, HY_REPLACE_ANY, err);
	if (!status && !check && !hy_path_exists(paths[2]))
		status = write_text(paths[2], ignore_lines, NULL, err);
	cJSON_free(text);
	hy_text_clear(&rows);
	for (int i = 0; i < 3; i++)
		hy_free(paths[i]);
	return status;
}

hardy_status hy_bids_check(const char *folder, const hy_legend *l, bool overwrite, hardy_error *err)
{
	return begin(folder, l, overwrite, true, err);
}

hardy_status hy_bids_begin(const char *folder, const hy_legend *l, bool overwrite, hardy_error *err)
{
	return begin(folder, l, overwrite, false, err);
}

void hy_bids_remove(const char *folder)
{
	const char *const names[] = {description, table, ignored};
	for (int i = 0; i < 3; i++) {
		char *path = hy_path_join(folder, names[i]);
		if (path)
			remove(path);
		hy_free(path);
	}
}

/* ---- sidecars ----------------------------------------------------------------------------------------------------------- */

hardy_status hy_bids_add_model(cJSON *models, const hy_model *m, const char *path, hardy_error *err)
{
	char hash[HY_SHA256_TEXT];
	hardy_status status = hy_sha256_of_file(path, hash, err);
	if (status)
		return status;
	cJSON *o = cJSON_CreateObject();
	const bool good = hy_json_add(o, "File", cJSON_CreateString(hy_path_name(path))) &&
	                  hy_json_add(o, "SHA256", cJSON_CreateString(hash)) &&
	                  hy_json_add(o, "Network", hy_network_config_to_json(&m->network.config)) &&
	                  hy_json_add(o, "Plan", hy_plan_to_json(&m->plan));
	return hy_json_append(models, hy_json_keep(good, o)) ? HARDY_OK : hy_fail_memory(err, path, 1, 1);
}

char *hy_bids_sidecar(const char *label_path)
{
	const size_t n = strlen(label_path), stem = n - (hy_ends_with(label_path, ".nii.gz") ? 7 : 0);
	char *path = hy_alloc(stem + 6, 1);
	if (path)
		snprintf(path, stem + 6, "%.*s.json", (int)stem, label_path);
	return path;
}

static cJSON *list_labels(const hy_legend *l)
{
	cJSON *labels = cJSON_CreateObject();
	bool good = labels != NULL;
	for (int c = 1; c < l->n && good; c++)
		if (l->classes[c].value > 0)
			good = hy_json_add(labels, l->classes[c].name, cJSON_CreateNumber(l->classes[c].value));
	return hy_json_keep(good, labels);
}

hardy_status hy_bids_write_sidecar(const char *path, const char *scan, const hy_legend *l, const cJSON *models, bool overwrite,
                                   hardy_error *err)
{
	cJSON *o = cJSON_CreateObject();
	const bool good = o && hy_json_add(o, "Description", cJSON_CreateString("Discrete segmentation by hardy")) &&
	                  hy_json_add(o, "SpatialReference", cJSON_CreateString("orig")) &&
	                  hy_json_add(o, "Manual", cJSON_CreateBool(false)) &&
	                  hy_json_add(o, "hardy_version", cJSON_CreateString(hardy_version())) &&
	                  hy_json_add(o, "Scan", cJSON_CreateString(hy_path_name(scan))) &&
	                  hy_json_add(o, "Labels", list_labels(l)) && hy_json_add(o, "Models", cJSON_Duplicate(models, true));
	char *text = good ? hy_json_print(o, true) : NULL;
	const hardy_status status =
	    text ? write_text(path, text, overwrite ? HY_REPLACE_ANY : HY_MARK_JSON, err) : hy_fail_memory(err, path, 1, 1);
	cJSON_free(text);
	cJSON_Delete(o);
	return status;
}
