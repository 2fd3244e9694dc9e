/*
 * scratch.c: a temporary folder for tests; plain files only.
 */
#define _POSIX_C_SOURCE 200809L
#include "support/scratch.h"

#include "support/test.h"

#include <dirent.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char folder[256];

const char *scratch_folder(void)
{
	if (!folder[0]) {
		const char *base = getenv("TMPDIR");
		if (!base) /* tests write thousands of small files: in memory where there is a folder for that */
			base = access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm";
		snprintf(folder, sizeof folder, "%.200s/hardy-test-XXXXXX", base);
		if (!mkdtemp(folder)) {
			perror(folder);
			exit(1);
		}
	}
	return folder;
}

const char *scratch_path(const char *name)
{
	static char paths[8][512];
	static int next;
	char *path = paths[next++ % 8];
	snprintf(path, sizeof paths[0], "%s/%.200s", scratch_folder(), name);
	return path;
}

void scratch_write(const char *name, const void *data, size_t size)
{
	FILE *f = fopen(scratch_path(name), "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	assert_int_equal(fclose(f), 0);
}

static int each_file(int remove_them)
{
	int n = 0;
	DIR *d = opendir(scratch_folder());
	if (!d)
		return -1;
	for (struct dirent *e; (e = readdir(d));) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		n++;
		if (remove_them)
			unlink(scratch_path(e->d_name));
	}
	closedir(d);
	return n;
}

int scratch_n_files(void)
{
	return each_file(0);
}

void scratch_empty(void)
{
	each_file(1);
}

void scratch_remove(void)
{
	if (!folder[0])
		return;
	each_file(1);
	rmdir(folder);
	folder[0] = 0;
}

int scratch_setup(void **state)
{
	(void)state;
	scratch_empty();
	return 0;
}

int scratch_teardown(void **state)
{
	(void)state;
	scratch_remove();
	return 0;
}
