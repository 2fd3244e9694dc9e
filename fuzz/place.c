/*
 * place.c: the temporary folder of fuzz targets.
 */
#define _XOPEN_SOURCE 700 /* nftw, mkdtemp */
#include "place.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[64];

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *at)
{
	(void)about;
	(void)kind;
	return at->level && remove(path) ? -1 : 0;
}

void place_empty(void)
{
	if (folder[0])
		nftw(folder, remove_one, 16, FTW_DEPTH | FTW_PHYS);
}

static void remove_all(void)
{
	place_empty();
	rmdir(folder);
}

const char *place_path(const char *name)
{
	static char path[8][640];
	static unsigned next;
	if (!folder[0]) {
		snprintf(folder, sizeof folder, "%s/hardy-fuzz-XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
		if (!mkdtemp(folder))
			abort();
		atexit(remove_all);
	}
	char *p = path[next++ % 8];
	snprintf(p, sizeof path[0], "%s/%s", folder, name);
	return p;
}

void place_put(const char *name, const void *data, size_t size)
{
	char path[640];
	snprintf(path, sizeof path, "%s", place_path(name));
	for (char *p = path + strlen(folder) + 1; (p = strchr(p, '/')); p++) {
		*p = 0;
		mkdir(path, 0777);
		*p = '/';
	}
	FILE *f = fopen(path, "wb");
	if (!f || (size && fwrite(data, 1, size, f) != size) || fclose(f))
		abort();
}

char *place_text(const uint8_t *data, size_t size)
{
	char *text = malloc(size + 1);
	if (!text)
		abort();
	if (size)
		memcpy(text, data, size);
	text[size] = 0;
	return text;
}

void place_pass_over(void *payload, const char *subject, const char *phase, const char *text)
{
	(void)payload;
	(void)subject;
	(void)phase;
	(void)text;
}
