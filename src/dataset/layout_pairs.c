/*
 * layout_pairs.c: folders of images beside folders of labels.
 *
 *     nnU-Net raw  dataset.json, imagesTr/X_0000.nii.gz (one file a channel), labelsTr/X.nii.gz, imagesTs, labelsTs
 *                  (Isensee et al., Nature Methods 2021; its version 1, and the Medical Segmentation Decathlon's 4-D images)
 *                  Without dataset.json, names and channels are taken from the files.
 *     folders      images/X.nii.gz, labels/X.nii.gz, a dataset.json like nnU-Net's if there is one
 */
#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"
#include "dataset/layout.h"
#include "image/nifti.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

hardy_status hy_nnunet_matches(const char *root, bool *found, hardy_error *err)
{
	*found = hy_has_folder(root, "imagesTr") && (hy_has_file(root, "dataset.json") || hy_has_folder(root, "labelsTr"));
	return HARDY_OK;
}

hardy_status hy_folders_matches(const char *root, bool *found, hardy_error *err)
{
	*found = hy_has_folder(root, "images") && hy_has_folder(root, "labels");
	return HARDY_OK;
}

/* ---- dataset.json ------------------------------------------------------------------------------------------------------- */

/* A whole number in text or as number; -1 otherwise. */
static int whole(const cJSON *item, const char *text)
{
	if (text) {
		char *end = NULL;
		const long v = strtol(text, &end, 10);
		return end != text && !*end && v >= 0 && v < 65536 ? (int)v : -1;
	}
	return cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble < 65536 &&
	               item->valuedouble == (double)(int)item->valuedouble
	           ? (int)item->valuedouble
	           : -1;
}

/* "labels": {"LV": 1} in version 2, {"1": "LV"} in version 1. */
static hardy_status read_classes(hy_scan *s, const char *path, const cJSON *json, hardy_error *err)
{
	const cJSON *labels = cJSON_GetObjectItemCaseSensitive(json, "labels");
	if (s->o && s->o->labels)
		return hy_scan_set_classes(s, NULL, 0, path, err);
	if (!cJSON_IsObject(labels))
		return hy_fail(err, HARDY_ERROR_FORMAT, "%s: no object \"labels\"", path);
	hy_label_name *names = hy_calloc(256, sizeof *names);
	if (!names)
		return hy_fail_memory(err, path, 256, sizeof *names);
	size_t n = 0;
	hardy_status status = HARDY_OK;
	const cJSON *item;
	cJSON_ArrayForEach(item, labels)
	{
		const bool version_1 = cJSON_IsString(item);
		const char *name = version_1 ? item->valuestring : item->string;
		const int value = version_1 ? whole(NULL, item->string) : whole(item, NULL);
		if (cJSON_IsArray(item) || !strcmp(name, "ignore"))
			status = hy_fail(
			    err, HARDY_ERROR_UNSUPPORTED,
			    "%s: label \"%s\": regions of several values and \"ignore\" are not handled; name the plain values with "
			    "labels",
			    path, name);
		else if (value < 0)
			status =
			    hy_fail(err, HARDY_ERROR_FORMAT, "%s: label \"%s\" has no whole number from 0 to 65535", path, item->string);
		else if (n == 256 || strlen(name) >= HY_NAME_SIZE)
			status = hy_fail(err, HARDY_ERROR_UNSUPPORTED,
			                 "%s: label \"%s\": more than 256 labels, or a name of more than %d letters", path, name,
			                 HY_NAME_SIZE - 1);
		if (status)
			break;
		snprintf(names[n].name, sizeof names[n].name, "%s", name);
		names[n++].value = value;
	}
	if (!status)
		status = hy_scan_set_classes(s, names, n, path, err);
	hy_free(names);
	return status;
}

/* "channel_names" (version 2) or "modality" (version 1): {"0": "T2"}. Absent: n_channels stays 0. */
static hardy_status read_channels(hy_dataset *d, const char *path, const cJSON *json, hardy_error *err)
{
	const cJSON *channels = cJSON_GetObjectItemCaseSensitive(json, "channel_names");
	if (!channels)
		channels = cJSON_GetObjectItemCaseSensitive(json, "modality");
	if (!channels)
		return HARDY_OK;
	const int n = cJSON_GetArraySize(channels);
	if (!cJSON_IsObject(channels) || n < 1 || n > HY_MAX_CHANNELS)
		return hy_fail(err, HARDY_ERROR_UNSUPPORTED, "%s: %s, want an object of 1 to %d", path, HY_COUNT(n, "channel"),
		               HY_MAX_CHANNELS);
	const cJSON *item;
	cJSON_ArrayForEach(item, channels)
	{
		const int i = whole(NULL, item->string);
		if (i < 0 || i >= n || !cJSON_IsString(item))
			return hy_fail(err, HARDY_ERROR_FORMAT, "%s: channel \"%s\": want numbers 0 to %d, each with a name", path,
			               item->string, n - 1);
		snprintf(d->channels[i], HY_NAME_SIZE, "%s", item->valuestring);
	}
	d->n_channels = n;
	return HARDY_OK;
}

static hardy_status read_json(hy_scan *s, hardy_error *err)
{
	cJSON *json = NULL;
	char *path = hy_path_join(s->d->root, "dataset.json");
	hardy_status status = path ? hy_json_read(path, &json, err) : hy_fail_memory(err, s->d->root, 1, 1);
	if (!status)
		status = read_channels(s->d, path, json, err);
	const cJSON *ending = cJSON_GetObjectItemCaseSensitive(json, "file_ending");
	if (!status && cJSON_IsString(ending) && strcasecmp(ending->valuestring, ".nii.gz") &&
	    strcasecmp(ending->valuestring, ".nii"))
		status =
		    hy_fail(err, HARDY_ERROR_UNSUPPORTED, "%s: file_ending is \"%s\", want .nii.gz or .nii", path, ending->valuestring);
	if (!status)
		status = read_classes(s, path, json, err);
	cJSON_Delete(json);
	hy_free(path);
	return status;
}

static void compare_count(hy_scan *s, size_t n)
{
	cJSON *json = NULL;
	char *path = hy_path_join(s->d->root, "dataset.json");
	const hardy_status status = path ? hy_json_read(path, &json, NULL) : HARDY_ERROR_MEMORY;
	s->problems->lost = s->problems->lost || status == HARDY_ERROR_MEMORY;
	if (!status) {
		const cJSON *wanted = cJSON_GetObjectItemCaseSensitive(json, "numTraining");
		if (cJSON_IsNumber(wanted) && wanted->valuedouble != (double)n)
			hy_problem_add(s->problems, false, "", "", "restore what is missing, or correct the number",
			               "%s: numTraining is %g, but %s found with a label", path, wanted->valuedouble, HY_COUNT(n, "image"));
	}
	cJSON_Delete(json);
	hy_free(path);
}

/* ---- files -------------------------------------------------------------------------------------------------------------- */

typedef struct folder {
	char *path; /* NULL: there is none */
	hy_names files;
	bool *used;
} folder;

static hardy_status open_folder(folder *f, const char *root, const char *name, hardy_error *err)
{
	*f = (folder){0};
	if (!hy_has_folder(root, name))
		return HARDY_OK;
	if (!(f->path = hy_path_join(root, name)))
		return hy_fail_memory(err, root, 1, 1);
	hardy_status status = hy_list_folder(f->path, &f->files, err);
	if (!status && !(f->used = hy_calloc(f->files.n, sizeof *f->used)))
		status = hy_fail_memory(err, root, f->files.n, sizeof *f->used);
	return status;
}

static void close_folder(folder *f)
{
	hy_free(f->path);
	hy_free(f->used);
	hy_names_free(&f->files);
}

/* Index of the file with this stem, -1 when there is none. */
static int64_t find_stem(const folder *f, const char *stem)
{
	const size_t n = strlen(stem);
	for (size_t i = hy_names_find(&f->files, stem, n); hy_names_begin(&f->files, i, stem, n); i++) {
		char other[256];
		if (hy_stem(f->files.name[i], other, sizeof other) && !strcmp(stem, other))
			return (int64_t)i;
	}
	return -1;
}

/* X_0001 is channel 1 of X; -1 when stem has no such ending. Cuts the ending off. */
static int cut_channel(char *stem)
{
	const size_t n = strlen(stem);
	if (n < 6 || stem[n - 5] != '_')
		return -1;
	int v = 0;
	for (size_t i = n - 4; i < n; i++) {
		if (!isdigit((unsigned char)stem[i]))
			return -1;
		v = v * 10 + (stem[i] - '0');
	}
	stem[n - 5] = 0;
	return v;
}

typedef struct image_name {
	const char *name; /* of the file; that of the case is its first n bytes */
	size_t n;
	size_t file;
	int channel; /* -1: a file that holds all channels */
} image_name;

static int by_stem(const void *a, const void *b)
{
	const image_name *x = a, *y = b;
	const int begin = strncmp(x->name, y->name, x->n < y->n ? x->n : y->n), length = (x->n > y->n) - (x->n < y->n);
	const int order = begin ? begin : length;
	return order ? order : (x->channel > y->channel) - (x->channel < y->channel);
}

static hardy_status list_images(const folder *images, const folder *labels, image_name **out, size_t *n, hardy_error *err)
{
	image_name *list = hy_calloc(images->files.n, sizeof *list);
	if (!list)
		return hy_fail_memory(err, images->path, images->files.n, sizeof *list);
	*n = 0;
	for (size_t i = 0; i < images->files.n; i++) {
		image_name *m = &list[*n];
		char stem[256];
		m->name = images->files.name[i];
		if (!hy_stem(m->name, stem, sizeof stem))
			continue;
		m->file = i;
		m->channel = find_stem(labels, stem) >= 0 ? -1 : cut_channel(stem);
		m->n = strlen(stem);
		++*n;
	}
	qsort(list, *n, sizeof *list, by_stem);
	*out = list;
	return HARDY_OK;
}

/* One case of n_files image files. */
static hardy_status add_pair(hy_scan *s, const folder *images, const folder *labels, const image_name *files, size_t n_files,
                             bool held_out, hardy_error *err)
{
	char subject[HY_NAME_SIZE], phase[16], stem[256];
	const char *first = images->files.name[files[0].file];
	snprintf(stem, sizeof stem, "%.*s", (int)files[0].n, files[0].name);
	if (!hy_split_phase(stem, subject, phase)) {
		hy_problem_add(s->problems, true, "", "", "give it a shorter name", "%s/%s: the name has more than %d letters",
		               images->path, first, HY_NAME_SIZE - 1);
		return HARDY_OK;
	}
	const bool whole_file = files[0].channel < 0;
	const int64_t label = labels->path ? find_stem(labels, stem) : -1;
	if (label >= 0)
		labels->used[label] = true;
	bool twin = label >= 0 && hy_problem_of_twin(s->problems, subject, phase, labels->path, &labels->files, (size_t)label);
	for (size_t k = 0; k < n_files && !twin; k++)
		twin = hy_problem_of_twin(s->problems, subject, phase, images->path, &images->files, files[k].file);
	if (twin)
		return HARDY_OK;
	for (size_t k = 0; k < n_files; k++) {
		if (whole_file ? k > 0 : files[k].channel != (int)k) {
			hy_problem_add(s->problems, true, subject, phase, "each channel wants one file: _0000, _0001 and so on",
			               "%s/%s: channel %04zu is missing or there twice", images->path, images->files.name[files[k].file],
			               whole_file ? 0 : k);
			return HARDY_OK;
		}
	}
	if (n_files > HY_MAX_CHANNELS)
		return hy_fail(err, HARDY_ERROR_UNSUPPORTED, "%s/%s: %zu channels, want at most %d", images->path, first, n_files,
		               HY_MAX_CHANNELS);
	hy_case *c = NULL;
	const hardy_status status = hy_scan_add(s, subject, phase, "", &c, err);
	if (status)
		return status;
	c->held_out = held_out;
	for (size_t k = 0; k < n_files; k++)
		if (!(c->image_path[k] = hy_path_join(images->path, images->files.name[files[k].file])))
			return hy_fail_memory(err, images->path, 1, 1);
	if (label >= 0) {
		if (!(c->label_path = hy_path_join(labels->path, labels->files.name[label])))
			return hy_fail_memory(err, labels->path, 1, 1);
	} else if (!held_out || labels->path) {
		hy_problem_add(s->problems, false, subject, phase,
		               "restore it if there should be one; without it the scan can be predicted but not learned from",
		               "%s/%s: no label of that name in the folder of labels", images->path, first);
	}
	return HARDY_OK;
}

/* Labels are there, but none of them belongs to an image: img0001 beside label0001. */
static void say_none_pairs(hy_scan *s, const folder *images, const folder *labels, const image_name *list, size_t n)
{
	char stem[256];
	size_t first = 0;
	for (size_t i = 0; i < labels->files.n; i++)
		if (labels->used[i])
			return;
	while (first < labels->files.n && !hy_stem(labels->files.name[first], stem, sizeof stem))
		first++;
	if (!n || first == labels->files.n)
		return;
	const char *label = labels->files.name[first];
	hy_problem_add(s->problems, false, "", "", "name each label like its image",
	               "%s: none of %s has a label of its name: %s/%s, but %s/%s; want %s/%.*s%s", s->d->root, HY_COUNT(n, "image"),
	               hy_path_name(images->path), images->files.name[list[0].file], hy_path_name(labels->path), label,
	               hy_path_name(labels->path), (int)list[0].n, list[0].name, label + hy_nifti_stem(label));
	s->none_pairs = true;
}

static hardy_status pair_folders(hy_scan *s, const char *images_name, const char *labels_name, bool held_out, hardy_error *err)
{
	folder images = {0}, labels = {0};
	image_name *list = NULL;
	size_t n = 0, n_scans = 0;
	hardy_status status = open_folder(&images, s->d->root, images_name, err);
	if (!status)
		status = open_folder(&labels, s->d->root, labels_name, err);
	if (status || !images.path)
		goto out;
	if ((status = list_images(&images, &labels, &list, &n, err)))
		goto out;
	for (size_t i = 0, k; i < n && !status; i = k, n_scans++) {
		for (k = i + 1; k < n && list[k].n == list[i].n && !strncmp(list[k].name, list[i].name, list[i].n); k++)
			;
		status = add_pair(s, &images, &labels, list + i, k - i, held_out, err);
	}
	for (size_t i = 0; i < labels.files.n && !status; i++) {
		char stem[256];
		if (hy_stem(labels.files.name[i], stem, sizeof stem) && !labels.used[i] && !hy_twin(&labels.files, i))
			hy_problem_add(s->problems, false, "", "", "restore the image, or remove the label",
			               "%s/%s: a label without an image; not used", labels.path, labels.files.name[i]);
	}
	if (!status && !held_out)
		say_none_pairs(s, &images, &labels, list, n_scans);
out:
	close_folder(&images);
	close_folder(&labels);
	hy_free(list);
	return status;
}

/* Every case must have as many channel files as the data set has channels; one that has not is taken out. */
static hardy_status check_channels(hy_scan *s, hardy_error *err)
{
	hy_dataset *d = s->d;
	int most = 0;
	for (size_t i = 0; i < d->n_cases; i++)
		for (int c = 0; c < HY_MAX_CHANNELS; c++)
			if (d->cases[i].image_path[c] && c >= most)
				most = c + 1;
	if (!d->n_channels && most > 1)
		d->n_channels = most;
	const hardy_status status = d->n_channels ? HARDY_OK : hy_scan_guess_channels(s, err);
	if (status)
		return status;
	size_t kept = 0;
	for (size_t i = 0; i < d->n_cases; i++) {
		hy_case *c = &d->cases[i];
		int n = 0;
		while (n < HY_MAX_CHANNELS && c->image_path[n])
			n++;
		char stem[256];
		const bool numbered = hy_stem(hy_path_name(c->image_path[0]), stem, sizeof stem) && cut_channel(stem) >= 0;
		if (n == d->n_channels || (n == 1 && !numbered)) { /* one file may hold all: seen when it is read */
			d->cases[kept++] = *c;
			continue;
		}
		hy_problem_add(s->problems, true, c->subject, c->phase, "restore the missing files, or correct dataset.json",
		               "%s: %s of channels, want %d", c->image_path[0], HY_COUNT(n, "file"), d->n_channels);
		hy_case_clear(c);
	}
	d->n_cases = kept;
	for (int c = 0; c < d->n_channels; c++)
		if (!d->channels[c][0])
			snprintf(d->channels[c], HY_NAME_SIZE, "channel_%d", c);
	return HARDY_OK;
}

/* What dataset.json would have told; files that are all unpaired are then an error, as nothing else says what was meant. */
static hardy_status read_pairs(hy_scan *s, const char *images, const char *labels, hardy_error *err)
{
	const bool named = hy_has_file(s->d->root, "dataset.json");
	hardy_status status = named ? read_json(s, err) : HARDY_OK;
	if (!status)
		status = pair_folders(s, images, labels, false, err);
	if (!status && !named && s->none_pairs && !(s->o && s->o->labels))
		return hy_fail(err, HARDY_ERROR_DATA, "%s", s->problems->items[s->problems->n - 1].text);
	return status || named ? status : hy_scan_guess_classes(s, err);
}

hardy_status hy_nnunet_read(hy_scan *s, hardy_error *err)
{
	hardy_status status = read_pairs(s, "imagesTr", "labelsTr", err);
	if (status)
		return status;
	size_t n_labelled = 0;
	for (size_t i = 0; i < s->d->n_cases; i++)
		n_labelled += s->d->cases[i].label_path != NULL;
	if (hy_has_file(s->d->root, "dataset.json"))
		compare_count(s, n_labelled);
	status = pair_folders(s, "imagesTs", "labelsTs", true, err);
	return status ? status : check_channels(s, err);
}

hardy_status hy_folders_read(hy_scan *s, hardy_error *err)
{
	const hardy_status status = read_pairs(s, "images", "labels", err);
	return status ? status : check_channels(s, err);
}
