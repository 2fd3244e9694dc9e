/*
 * place.c: the temporary folder of fuzz targets. What is made in it for each input costs as few system calls as can be: with files opened and
 * closed anew a target made some hundreds of executions in a second.
 */
#define _DEFAULT_SOURCE /* mkdtemp, d_type */
#include "place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { MOST_KEPT = 4 };

static char folder[64];

/* Removes what is in the folder that fd stands for, and closes it. */
static void empty(int fd)
{
	DIR *dir = fdopendir(fd);
	for (struct dirent *e; dir && (e = readdir(dir));) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (e->d_type != DT_DIR && !unlinkat(fd, e->d_name, 0))
			continue;
		const int below = openat(fd, e->d_name, O_RDONLY | O_DIRECTORY);
		if (below >= 0)
			empty(below);
		unlinkat(fd, e->d_name, AT_REMOVEDIR);
	}
	if (dir)
		closedir(dir);
}

void place_empty(const char *name)
{
	const int fd = folder[0] ? open(place_path(name), O_RDONLY | O_DIRECTORY) : -1;
	if (fd >= 0)
		empty(fd);
}

static void remove_all(void)
{
	place_empty("");
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

static void make_folders(const char *name)
{
	char path[640];
	snprintf(path, sizeof path, "%s", place_path(name));
	for (char *p = path + strlen(folder) + 1; (p = strchr(p, '/')); p++) {
		*p = 0;
		mkdir(path, 0777);
		*p = '/';
	}
}

void place_put(const char *name, const void *data, size_t size)
{
	make_folders(name);
	FILE *f = fopen(place_path(name), "wb");
	if (!f || (size && fwrite(data, 1, size, f) != size) || fclose(f))
		abort();
}

const char *place_kept(const char *name, const void *data, size_t size)
{
	static struct {
		char name[64];
		int fd;
		size_t size;
	} kept[MOST_KEPT];
	const char *path = place_path(name);
	int i = 0;
	while (i < MOST_KEPT && kept[i].name[0] && strcmp(kept[i].name, name) != 0)
		i++;
	if (i == MOST_KEPT)
		abort();
	if (!kept[i].name[0]) {
		make_folders(name);
		snprintf(kept[i].name, sizeof kept[i].name, "%s", name);
		kept[i].fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
	}
	if ((size < kept[i].size && ftruncate(kept[i].fd, (off_t)size)) ||
	    (size && pwrite(kept[i].fd, data, size, 0) != (ssize_t)size))
		abort();
	kept[i].size = size;
	return path;
}

void place_link(const char *from, const char *name)
{
	const char *source = place_path(from), *path = place_path(name);
	if (!link(source, path) || errno != ENOENT)
		return;
	make_folders(name);
	if (link(source, path) && errno != ENOTDIR) /* a file stands where a folder is wanted */
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
