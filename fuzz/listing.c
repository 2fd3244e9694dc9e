/*
 * listing.c: the lines of the input as names of files in a folder, a / making folders, a D in front making DICOM of them: the folder is a
 * data set, a folder of scans to predict, DICOM, or refused, and never harmful.
 */
#define _DEFAULT_SOURCE /* strsep */
#include "fuzz.h"
#include "place.h"

#include "dataset/dataset.h"
#include "image/dicom.h"
#include "predict/jobs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_FILES = 24 };

/* false: no name that a file can have here. */
static bool usable(const char *name)
{
	static const char *const bad[] = {"", ".", ".."};
	char copy[200], *rest = copy;
	if (!*name || *name == '/' || strlen(name) >= sizeof copy)
		return false;
	strcpy(copy, name);
	for (char *part; (part = strsep(&rest, "/"));)
		for (int i = 0; i < 3; i++)
			if (!strcmp(part, bad[i]))
				return false;
	return true;
}

static void make_files(char *text)
{
	for (int n = 0; n < MOST_FILES && text; n++) {
		char *line = strsep(&text, "\n");
		char name[256];
		if (!usable(line))
			continue;
		snprintf(name, sizeof name, "tree/%s", line);
		place_link(*line == 'D' ? "dicom" : "empty", name); /* what is there already is passed over */
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = place_text(data, size);
	hy_dataset d = {0};
	hy_jobs jobs = {0};
	hardy_error err;
	const hy_jobs_options o = {.n_channels = 1, .fold = -1};
	static bool made;
	if (!made) {
		char start[HY_DICOM_START] = {0};
		memcpy(start + HY_DICOM_START - 4, "DICM", 4);
		place_put("dicom", start, sizeof start);
		place_put("empty", "", 0);
		place_put("tree/.keep", "", 0);
	}
	made = true;
	make_files(text);
	free(text);
	const char *tree = place_path("tree");
	bool found;
	if (hy_dicom_is(tree, &found, &err) || hy_dataset_is(tree, &found, &err))
		abort();
	if (!hy_dataset_open_usable(&d, tree, NULL, place_pass_over, NULL, NULL, &err))
		hy_dataset_clear(&d);
	if (!hy_jobs_collect(&jobs, (const char *const[]){tree}, 1, &o, NULL, &err) && !jobs.n)
		abort();
	hy_jobs_clear(&jobs);
	place_empty("tree");
	return 0;
}
