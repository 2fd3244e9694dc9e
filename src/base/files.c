/*
 * files.c: whole-file reading, atomic writing, paths and folders (POSIX).
 */
#define _XOPEN_SOURCE 700 /* POSIX.1-2008 with realpath */
#include "base/files.h"

#include "base/memory.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

hardy_status hy_file_read(const char *path, char **data, size_t *size, hardy_error *err)
{
	FILE *f = fopen(path, "rb");
	if (!f)
		return hy_fail_errno(err, HARDY_ERROR_IO, "%s: cannot be opened", path);
	hardy_status status = HARDY_OK;
	char *buffer = NULL;
	size_t used = 0, room = 0;
	for (;;) {
		if (room - used < 2) {
			const size_t wanted = room ? room * 2 : 65536;
			char *larger = hy_realloc(buffer, wanted, 1);
			if (!larger) {
				status = hy_fail_memory(err, path, wanted, 1);
				goto out;
			}
			buffer = larger;
			room = wanted;
		}
		const size_t got = fread(buffer + used, 1, room - used - 1, f);
		used += got;
		if (!got)
			break;
	}
	if (ferror(f)) {
		status = hy_fail_errno(err, HARDY_ERROR_IO, "%s: cannot be read", path);
		goto out;
	}
	buffer[used] = 0;
	*data = buffer;
	*size = used;
	buffer = NULL;
out:
	hy_free(buffer);
	fclose(f);
	return status;
}

hardy_status hy_outfile_open(hy_outfile *f, const char *path, hardy_error *err)
{
	memset(f, 0, sizeof *f);
	const size_t n = strlen(path) + 32;
	f->path = hy_strdup(path);
	f->temporary = hy_alloc(n, 1);
	if (!f->path || !f->temporary) {
		hy_outfile_discard(f);
		return hy_fail_memory(err, path, n, 1);
	}
	snprintf(f->temporary, n, "%s.part-XXXXXX", path);
	const int fd = mkstemp(f->temporary);
	if (fd < 0) {
		const int saved = errno;
		hy_free(f->temporary);
		f->temporary = NULL;
		hy_outfile_discard(f);
		errno = saved;
		return hy_fail_errno(err, HARDY_ERROR_IO, "%s: cannot be written", path);
	}
	const mode_t mask = umask(0);
	umask(mask);
	fchmod(fd, 0666 & ~mask);
	f->stream = fdopen(fd, "wb");
	if (!f->stream) {
		close(fd);
		hy_outfile_discard(f);
		return hy_fail(err, HARDY_ERROR_IO, "%s: cannot be written", path);
	}
	return HARDY_OK;
}

static void keep_error(hy_outfile *f)
{
	if (!f->error)
		f->error = errno ? errno : EIO;
}

void hy_outfile_write(hy_outfile *f, const void *data, size_t size)
{
	if (f->sink)
		f->sink->write(f->sink->payload, data, size);
	else if (size && fwrite(data, 1, size, f->stream) != size)
		keep_error(f);
}

/* Formats into memory first; false when that runs out. */
static bool print_to_sink(const hardy_sink *sink, const char *format, va_list args)
{
	char line[512], *text = line;
	va_list again;
	va_copy(again, args);
	const int n = vsnprintf(line, sizeof line, format, args);
	if (n >= (int)sizeof line && (text = hy_alloc((size_t)n + 1, 1)))
		vsnprintf(text, (size_t)n + 1, format, again);
	va_end(again);
	const bool good = n >= 0 && text;
	if (good)
		sink->write(sink->payload, text, (size_t)n);
	if (text != line)
		hy_free(text);
	return good;
}

void hy_sink_printf(const hardy_sink *sink, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	if (sink)
		print_to_sink(sink, format, args);
	va_end(args);
}

void hy_outfile_printf(hy_outfile *f, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	if (f->sink) {
		if (!print_to_sink(f->sink, format, args)) {
			errno = ENOMEM;
			keep_error(f);
		}
	} else if (vfprintf(f->stream, format, args) < 0) {
		keep_error(f);
	}
	va_end(args);
}

static void begin_field(hy_outfile *f)
{
	if (f->in_row)
		hy_outfile_write(f, ",", 1);
	f->in_row = true;
}

void hy_outfile_csv_text(hy_outfile *f, const char *text)
{
	begin_field(f);
	if (!strpbrk(text, ",\"\r\n")) {
		hy_outfile_write(f, text, strlen(text));
		return;
	}
	hy_outfile_write(f, "\"", 1);
	for (; *text; text++)
		hy_outfile_write(f, *text == '"' ? "\"\"" : text, *text == '"' ? 2 : 1);
	hy_outfile_write(f, "\"", 1);
}

void hy_outfile_csv_number(hy_outfile *f, double v, int digits)
{
	begin_field(f);
	if (isfinite(v))
		hy_outfile_printf(f, "%.*g", digits, v);
}

void hy_outfile_csv_plain(hy_outfile *f, const char *fields)
{
	begin_field(f);
	hy_outfile_write(f, fields, strlen(fields));
}

void hy_outfile_csv_end(hy_outfile *f)
{
	hy_outfile_write(f, "\n", 1);
	f->in_row = false;
}

static hardy_status commit_sink(hy_outfile *f, hardy_error *err)
{
	const int error = f->error;
	memset(f, 0, sizeof *f);
	return error ? hy_fail(err, HARDY_ERROR_MEMORY, "a report: out of memory") : HARDY_OK;
}

hardy_status hy_outfile_commit(hy_outfile *f, hardy_error *err)
{
	errno = 0;
	if (f->sink)
		return commit_sink(f, err);
	if (fflush(f->stream) || ferror(f->stream))
		keep_error(f);
	if (!f->error && fsync(fileno(f->stream)) && errno != EINVAL && errno != EROFS)
		keep_error(f);
	if (fclose(f->stream))
		keep_error(f);
	f->stream = NULL;
	if (!f->error && rename(f->temporary, f->path))
		keep_error(f);
	hardy_status status = HARDY_OK;
	if (f->error) {
		errno = f->error;
		status = hy_fail_errno(err, HARDY_ERROR_IO, "%s: cannot be written", f->path);
	} else {
		hy_free(f->temporary);
		f->temporary = NULL;
	}
	hy_outfile_discard(f);
	return status;
}

void hy_outfile_discard(hy_outfile *f)
{
	if (f->stream)
		fclose(f->stream);
	if (f->temporary)
		unlink(f->temporary);
	hy_free(f->temporary);
	hy_free(f->path);
	memset(f, 0, sizeof *f);
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

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

hardy_status hy_list_folder(const char *path, hy_names *out, hardy_error *err)
{
	DIR *folder = opendir(path);
	if (!folder)
		return hy_fail_errno(err, HARDY_ERROR_IO, "%s: folder cannot be opened", path);
	hy_names names = {0};
	size_t room = 0;
	for (struct dirent *e; (e = readdir(folder));) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
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

void hy_names_free(hy_names *names)
{
	for (size_t i = 0; i < names->n; i++)
		hy_free(names->name[i]);
	hy_free(names->name);
	memset(names, 0, sizeof *names);
}
