/*
 * places.c: files that must not be written, each looked up once.
 */
#include "predict/places.h"

#include "base/files.h"
#include "base/memory.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

hardy_status hy_places_ending(const char *output, const char **ending, hardy_error *err)
{
	static const char *const own[] = {".nii.gz", ".nii"};
	static const char *const others[] = {".hdr",  ".img",  ".hdr.gz", ".img.gz", ".gz",   ".mha", ".mhd",
	                                     ".nrrd", ".nhdr", ".mgz",    ".mgh",    ".mnc",  ".dcm", ".ima",
	                                     ".zip",  ".png",  ".jpg",    ".tif",    ".tiff", ".npy"};
	*ending = NULL;
	if (hy_path_is_folder(output))
		return HARDY_OK;
	for (size_t i = 0; i < sizeof own / sizeof *own; i++)
		if (hy_ends_with(output, own[i])) {
			*ending = own[i];
			return HARDY_OK;
		}
	for (size_t i = 0; i < sizeof others / sizeof *others; i++)
		if (hy_ends_with(output, others[i]))
			return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: a scan is written as .nii or .nii.gz", output);
	return HARDY_OK;
}

static int by_file(const void *a, const void *b)
{
	const struct hy_place *x = a, *y = b;
	if (x->device != y->device)
		return x->device < y->device ? -1 : 1;
	return (x->file > y->file) - (x->file < y->file);
}

static void add(hy_places *p, const char *path, bool label)
{
	struct stat s;
	if (path && !stat(path, &s))
		p->items[p->n++] = (struct hy_place){s.st_dev, s.st_ino, label};
}

hardy_status hy_places_make(hy_places *p, const hy_jobs *jobs, hardy_error *err)
{
	*p = (hy_places){0};
	size_t room = 0;
	for (size_t i = 0; i < jobs->n_sets; i++)
		room += jobs->sets[i].n_cases * (HY_MAX_CHANNELS + 1);
	p->items = hy_alloc(room, sizeof *p->items);
	if (!p->items)
		return hy_fail_memory(err, "scans", room, sizeof *p->items);
	for (size_t i = 0; i < jobs->n_sets; i++) /* whole data sets, also what is not wanted of them */
		for (size_t k = 0; k < jobs->sets[i].n_cases; k++) {
			const hy_case *c = &jobs->sets[i].cases[k];
			for (int m = 0; m < HY_MAX_CHANNELS; m++)
				add(p, c->image_path[m], false);
			add(p, c->label_path, true);
		}
	qsort(p->items, p->n, sizeof *p->items, by_file);
	return HARDY_OK;
}

void hy_places_clear(hy_places *p)
{
	hy_free(p->items);
	*p = (hy_places){0};
}

hardy_status hy_places_check(const hy_places *p, const char *path, const char *what, hardy_error *err)
{
	struct stat s;
	if (!p->n || stat(path, &s))
		return HARDY_OK;
	const struct hy_place key = {s.st_dev, s.st_ino, false}, *found = bsearch(&key, p->items, p->n, sizeof key, by_file);
	if (!found)
		return HARDY_OK;
	return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: %s would overwrite a %s; name another output", path, what,
	               found->label ? "label of the data set" : "scan");
}
