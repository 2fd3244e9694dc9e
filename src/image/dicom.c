/*
 * dicom.c: recognising DICOM files by their first bytes.
 */
#include "image/dicom.h"

#include "base/files.h"
#include "base/memory.h"

#include <stdio.h>
#include <string.h>

enum { TRIED = 8, DEEP = 2 }; /* entries of a folder that are looked at, and how far below */

bool hy_dicom_starts(const uint8_t *bytes, size_t size)
{
	return size >= HY_DICOM_START && !memcmp(bytes + HY_DICOM_START - 4, "DICM", 4);
}

static bool is_file(const char *path)
{
	uint8_t start[HY_DICOM_START];
	FILE *f = fopen(path, "rb");
	if (!f)
		return false;
	const size_t n = fread(start, 1, sizeof start, f);
	fclose(f);
	return hy_dicom_starts(start, n);
}

static bool is_there(const char *path, int deep)
{
	hy_names names = {0};
	bool found = false;
	if (!hy_path_is_folder(path))
		return is_file(path);
	if (deep < 0 || hy_list_folder(path, &names, NULL))
		return false;
	for (size_t i = 0; i < names.n && i < TRIED && !found; i++) {
		char *below = hy_path_join(path, names.name[i]);
		found = below && is_there(below, deep - 1);
		hy_free(below);
	}
	hy_names_free(&names);
	return found;
}

bool hy_dicom_is(const char *path)
{
	return is_there(path, DEEP);
}
