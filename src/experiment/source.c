/*
 * source.c: DATA arguments, and names and sizes of a data set's files.
 */
#include "experiment/source.h"

#include "base/files.h"
#include "base/memory.h"
#include "base/text.h"

#include <ctype.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>

/* ---- arguments ---------------------------------------------------------------------------------------------------------- */

/* Takes the last ":word" or ":word=value" off the text. false: there is none that is known. */
static bool take_setting(hy_source *s)
{
	static const char *const words[] = {"labels=", "classes=", "title=", "labelled-slices"};
	char **const targets[] = {&s->labels, &s->classes, &s->title};
	char *colon = strrchr(s->text, ':');
	for (size_t i = 0; colon && i < sizeof words / sizeof *words; i++) {
		const size_t n = strlen(words[i]);
		if (strncmp(colon + 1, words[i], n) != 0 || (i == 3 && colon[1 + n]))
			continue;
		*colon = 0;
		if (i == 3)
			s->labelled_slices = true;
		else
			*targets[i] = colon + 1 + n;
		return true;
	}
	return false;
}

/* What stands behind the last colon may be a setting with a slip in it. */
static hy_words meant_setting(const char *folder)
{
	const char *colon = strrchr(folder, ':');
	return colon ? hy_meant(colon + 1, strcspn(colon + 1, "="), "labels, classes, title, labelled-slices") : (hy_words){""};
}

/* The length of "NAME" in "NAME=FOLDER", 0 without. */
static size_t name_length(const char *text)
{
	size_t n = 0;
	while (isalnum((unsigned char)text[n]) || (text[n] && strchr("_-.", text[n])))
		n++;
	return text[n] == '=' ? n : 0;
}

hardy_status hy_source_read(hy_source *s, const char *argument, hardy_error *err)
{
	hy_source r = {.text = hy_strdup(argument)};
	if (!r.text)
		return hy_fail_memory(err, argument, strlen(argument), 1);
	hardy_status status = HARDY_OK;
	bool found;
	while (take_setting(&r))
		;
	const size_t n = name_length(r.text);
	r.folder = n ? r.text + n + 1 : r.text;
	for (size_t k = strlen(r.folder); k > 1 && r.folder[k - 1] == '/'; k--)
		r.folder[k - 1] = 0;
	r.name = n ? r.text : (char *)hy_path_name(r.folder);
	if (n)
		r.text[n] = 0;
	if (!r.title)
		r.title = r.name;
	if (!r.name[0] || strlen(r.name) >= HY_NAME_SIZE || strlen(r.title) >= HY_NAME_SIZE)
		status =
		    hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: want a name of 1 to %d letters: NAME=FOLDER", argument, HY_NAME_SIZE - 1);
	else if (!hy_path_is_folder(r.folder))
		status = hy_fail(err, HARDY_ERROR_IO, "%s: no such folder%s", r.folder, meant_setting(r.folder).text);
	else if (!(status = hy_dataset_is(r.folder, &found, err)) && !found)
		status = hy_fail(err, HARDY_ERROR_DATA, "%s: no data set; want scans with labels (hardy check says more)", r.folder);
	if (!status && r.labels) { /* a slip shows now, not after the training */
		hy_dataset d = {0};
		status = hy_dataset_name_classes(&d, r.labels, err);
		hy_dataset_clear(&d);
	}
	if (status)
		hy_source_clear(&r);
	else
		*s = r;
	return status;
}

void hy_source_clear(hy_source *s)
{
	hy_free(s->text);
	memset(s, 0, sizeof *s);
}

/* ---- names and sizes ---------------------------------------------------------------------------------------------------- */

static bool is_nifti(const char *name)
{
	static const char *const ends[] = {".nii", ".nii.gz", ".hdr", ".hdr.gz", ".img", ".img.gz"};
	const size_t n = strlen(name);
	for (size_t i = 0; i < sizeof ends / sizeof *ends; i++)
		if (n > strlen(ends[i]) && !strcasecmp(name + n - strlen(ends[i]), ends[i]))
			return name[0] != '.';
	return false;
}

static void add_line(hy_sha256 *hash, const char *name, intmax_t size)
{
	char text[64];
	const int n = snprintf(text, sizeof text, " %" PRIdMAX "\n", size);
	hy_sha256_add(hash, name, strlen(name));
	hy_sha256_add(hash, text, (size_t)n);
}

static hardy_status size_of(const char *path, intmax_t *size, hardy_error *err)
{
	struct stat s;
	if (stat(path, &s))
		return hy_fail_errno(err, HARDY_ERROR_IO, "%s", path);
	*size = s.st_size;
	return HARDY_OK;
}

hardy_status hy_source_hash_file(const char *path, hy_sha256 *hash, hardy_error *err)
{
	intmax_t size = 0;
	const hardy_status status = size_of(path, &size, err);
	if (!status)
		add_line(hash, hy_path_name(path), size);
	return status;
}

static hardy_status hash_folder(const char *folder, const char *below, int depth, hy_sha256 *hash, size_t *n, hardy_error *err)
{
	hy_names names = {0};
	hardy_status status = hy_list_folder(folder, &names, err);
	for (size_t i = 0; i < names.n && !status; i++) {
		char *path = hy_path_join(folder, names.name[i]), *shown = hy_path_join(below, names.name[i]);
		intmax_t size = 0;
		if (!path || !shown) {
			status = hy_fail_memory(err, folder, strlen(folder), 1);
		} else if (hy_path_is_folder(path)) {
			if (depth < 8 && names.name[i][0] != '.')
				status = hash_folder(path, shown, depth + 1, hash, n, err);
		} else if (is_nifti(names.name[i])) {
			status = size_of(path, &size, err);
			if (!status)
				add_line(hash, shown, size);
			++*n;
		}
		hy_free(path);
		hy_free(shown);
	}
	hy_names_free(&names);
	return status;
}

hardy_status hy_source_hash(const hy_source *s, hy_sha256 *hash, size_t *n_files, hardy_error *err)
{
	*n_files = 0;
	return hash_folder(s->folder, "", 0, hash, n_files, err);
}
