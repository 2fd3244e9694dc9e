/*
 * files.c: whole-file reading, paths and folders (POSIX).
 */
#define _DEFAULT_SOURCE /* POSIX.1-2008 with realpath, and d_type */
#include "base/files.h"

#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

hardy_status hy_file_read(const char *path, char **data, size_t *size, hardy_error *err)
{
	struct stat about;
	const int f = open(path, O_RDONLY | O_CLOEXEC);
	if (f < 0)
		return hy_fail_errno(err, HARDY_ERROR_IO, "%s: cannot be opened", path);
	/* a length that is stated is believed as far as one read goes: what is read decides */
	const bool stated = !fstat(f, &about) && S_ISREG(about.st_mode) && about.st_size > 0 && about.st_size < 1 << 30;
	hardy_status status = HARDY_OK;
	char *buffer = NULL;
	size_t used = 0, room = 0;
	for (;;) {
		if (room - used < 2) {
			const size_t wanted = room ? room * 2 : stated ? (size_t)about.st_size + 2 : 4096;
			char *larger = hy_realloc(buffer, wanted, 1);
			if (!larger) {
				status = hy_fail_memory(err, path, wanted, 1);
				goto out;
			}
			buffer = larger;
			room = wanted;
		}
		const ssize_t got = read(f, buffer + used, room - used - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0) {
			status = hy_fail_errno(err, HARDY_ERROR_IO, "%s: cannot be read", path);
			goto out;
		}
		used += (size_t)got;
		if (!got)
			break;
	}
	buffer[used] = 0;
	*data = buffer;
	*size = used;
	buffer = NULL;
out:
	hy_free(buffer);
	close(f);
	return status;
}

char *hy_text_start(char *text)
{
	return strncmp(text, "\xEF\xBB\xBF", 3) ? text : text + 3;
}

bool hy_path_exists(const char *path)
{
	struct stat s;
	return stat(path, &s) == 0;
}

bool hy_path_is_folder(const char *path)
{
	struct stat s;
	return stat(path, &s) == 0 && S_ISDIR(s.st_mode);
}

bool hy_path_same(const char *a, const char *b)
{
	struct stat x, y;
	return stat(a, &x) == 0 && stat(b, &y) == 0 && x.st_dev == y.st_dev && x.st_ino == y.st_ino;
}

char *hy_path_join(const char *folder, const char *name)
{
	const size_t n = strlen(folder) + strlen(name) + 2;
	char *path = hy_alloc(n, 1);
	if (path) {
		const size_t used = strlen(folder);
		snprintf(path, n, used && folder[used - 1] == '/' ? "%s%s" : "%s/%s", folder, name);
	}
	return path;
}

const char *hy_path_name(const char *path)
{
	const char *slash = strrchr(path, '/');
	return slash ? slash + 1 : path;
}

hardy_status hy_path_resolve(const char *path, char **out, hardy_error *err)
{
	char resolved[PATH_MAX];
	if (!realpath(path, resolved))
		return hy_fail_errno(err, HARDY_ERROR_IO, "%s", path);
	char *copy = hy_strdup(resolved);
	if (!copy)
		return hy_fail_memory(err, path, strlen(path), 1);
	*out = copy;
	return HARDY_OK;
}

hardy_status hy_make_folders(const char *path, hardy_error *err)
{
	char *copy = hy_strdup(path);
	if (!copy)
		return hy_fail_memory(err, path, strlen(path), 1);
	hardy_status status = HARDY_OK;
	for (char *p = copy + 1;; p++) {
		if (*p && *p != '/')
			continue;
		const char kept = *p;
		*p = 0;
		if (mkdir(copy, 0777) && errno != EEXIST) {
			status = hy_fail_errno(err, HARDY_ERROR_IO, "%s: folder cannot be made", copy);
			break;
		}
		*p = kept;
		if (!kept)
			break;
	}
	if (!status && !hy_path_is_folder(path))
		status = hy_fail(err, HARDY_ERROR_IO, "%s: exists and is not a folder", path);
	hy_free(copy);
	return status;
}

hardy_status hy_make_output_folder(const char *path, hardy_error *err)
{
	const hardy_status status = hy_make_folders(path, err);
	if (!status)
		hy_parts_remove(path);
	return status;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

/* Most file systems say what an entry is; where they do not, or of a link, the file is looked at. */
static bool is_folder(DIR *folder, const struct dirent *e)
{
	struct stat s;
	if (e->d_type != DT_UNKNOWN && e->d_type != DT_LNK)
		return e->d_type == DT_DIR;
	return !fstatat(dirfd(folder), e->d_name, &s, 0) && S_ISDIR(s.st_mode);
}

enum wanted { EVERYTHING, FILES, FOLDERS };

static hardy_status list(const char *path, enum wanted wanted, hy_names *out, hardy_error *err)
{
	DIR *folder = opendir(path);
	if (!folder)
		return hy_fail_errno(err, HARDY_ERROR_IO, "%s: folder cannot be opened", path);
	hy_names names = {0};
	size_t room = 0;
	for (struct dirent *e; (e = readdir(folder));) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..") || (wanted && is_folder(folder, e) != (wanted == FOLDERS)))
			continue;
		if (names.n == room) {
			room = room ? room * 2 : 64;
			char **larger = hy_realloc(names.name, room, sizeof *larger);
			if (!larger)
				goto memory;
			names.name = larger;
		}
		if (!(names.name[names.n] = hy_strdup(e->d_name)))
			goto memory;
		names.n++;
	}
	closedir(folder);
	if (names.n)
		qsort(names.name, names.n, sizeof *names.name, by_name);
	*out = names;
	return HARDY_OK;
memory:
	closedir(folder);
	hy_names_free(&names);
	return hy_fail_memory(err, path, room, sizeof(char *));
}

hardy_status hy_list_folder(const char *path, hy_names *out, hardy_error *err)
{
	return list(path, EVERYTHING, out, err);
}

hardy_status hy_list_files(const char *path, hy_names *out, hardy_error *err)
{
	return list(path, FILES, out, err);
}

hardy_status hy_list_folders(const char *path, hy_names *out, hardy_error *err)
{
	return list(path, FOLDERS, out, err);
}

void hy_names_free(hy_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		hy_free(names->name[i]);
	hy_free(names->name);
	memset(names, 0, sizeof *names);
}

size_t hy_names_find(const hy_names *names, const char *start, size_t n)
{
	size_t low = 0, high = names->n;
	while (low < high) {
		const size_t middle = low + (high - low) / 2;
		if (strncmp(names->name[middle], start, n) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

bool hy_names_begin(const hy_names *names, size_t i, const char *start, size_t n)
{
	return i < names->n && !strncmp(names->name[i], start, n);
}
