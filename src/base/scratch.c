/*
 * scratch.c: private folders to work in.
 */
#define _DEFAULT_SOURCE
#define _XOPEN_SOURCE 700
#include "base/scratch.h"

#include "base/files.h"
#include "base/memory.h"
#include "base/text.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>

hardy_status hy_scratch_make(const char *parent, const char *name, char **out, hardy_error *err)
{
	hy_text path = {0};
	hy_text_printf(&path, "%s/%s-XXXXXX", parent, name);
	if (path.failed) {
		hy_text_clear(&path);
		return hy_fail_memory(err, "a path", 1, 1);
	}
	if (!mkdtemp(path.data)) {
		const hardy_status status = hy_fail_errno(err, HARDY_ERROR_IO, "%s: no folder can be made in it", parent);
		hy_text_clear(&path);
		return status;
	}
	*out = path.data;
	return HARDY_OK;
}

static int remove_one(const char *path, const struct stat *s, int kind, struct FTW *at)
{
	(void)s, (void)kind, (void)at;
	remove(path);
	return 0;
}

void hy_scratch_remove(char *folder)
{
	if (folder)
		nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	hy_free(folder);
}
