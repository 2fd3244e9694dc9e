/*
 * outfile.c: files that appear only when complete, and replace nothing of others (POSIX, and flock).
 */
#define _DEFAULT_SOURCE /* flock, realpath */
#include "base/outfile.h"

#include "base/files.h"
#include "base/memory.h"
#include "base/text.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <math.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>

/* ---- faults on purpose -------------------------------------------------------------------------------------------------- */

static atomic_llong calls;
static atomic_llong fail_at;

/* Whether this operation is to fail; errno says why then. */
static bool refused(void)
{
	const long long call = atomic_fetch_add(&calls, 1) + 1;
	if (call != atomic_load(&fail_at))
		return false;
	atomic_store(&fail_at, 0);
	errno = ENOSPC;
	return true;
}

void hy_outfile_fail_at(int64_t k)
{
	atomic_store(&fail_at, k > 0 ? atomic_load(&calls) + k : 0);
}

int64_t hy_outfile_calls(void)
{
	return atomic_load(&calls);
}

/* ---- what may be replaced ----------------------------------------------------------------------------------------------- */

enum { LOOK = 65536 }; /* bytes of a file, after inflation, among which its mark is looked for */

/* Whether the file's beginning, inflated where it is gzipped, holds the mark. */
static bool holds_mark(const char *path, const char *mark)
{
	const size_t n_mark = strlen(mark);
	gzFile f = gzopen(path, "rbe");
	char *text = f ? hy_alloc(LOOK, 1) : NULL;
	const int got = text ? gzread(f, text, LOOK) : -1;
	bool found = false;
	for (size_t i = 0; got > 0 && i + n_mark <= (size_t)got && !found; i++)
		found = !memcmp(text + i, mark, n_mark);
	hy_free(text);
	if (f)
		gzclose(f);
	return found;
}

hardy_status hy_outfile_refuse(const char *path, hardy_error *err)
{
	return hy_fail(err, HARDY_ERROR_ARGUMENT,
	               "%s: is there already, and not as this command writes it: name another output, or overwrite it", path);
}

hardy_status hy_outfile_check(const char *path, const char *mark, hardy_error *err)
{
	struct stat s;
	if (stat(path, &s))
		return errno == ENOENT || errno == ENOTDIR ? HARDY_OK : hy_fail_errno(err, HARDY_ERROR_IO, "%s", path);
	if (!S_ISREG(s.st_mode))
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: is no regular file and cannot be replaced by one", path);
	if (!s.st_size || (mark && (!*mark || holds_mark(path, mark))))
		return HARDY_OK;
	return hy_outfile_refuse(path, err);
}

/* ---- temporary files ---------------------------------------------------------------------------------------------------- */

enum { N_RANDOM = 6 };

/* "NAME.part-XXXXXX", where NAME is one of a file that hardy writes. */
static bool is_part(const char *name)
{
	static const char *const endings[] = {".nii", ".gz",  ".csv", ".json", ".jsonl", ".safetensors", ".png", ".html",
	                                      ".md",  ".tex", ".key", "hardy", ".label", ".ctbl",        ".svg"};
	const char *part = strstr(name, ".part-");
	size_t n = 0;
	if (!part)
		return false;
	while (isalnum((unsigned char)part[6 + n]))
		n++;
	if (n != N_RANDOM || part[6 + n])
		return false;
	for (size_t i = 0; i < sizeof endings / sizeof *endings; i++) {
		const size_t m = strlen(endings[i]);
		if ((size_t)(part - name) >= m && !strncmp(part - m, endings[i], m))
			return true;
	}
	return false;
}

/* A writer holds a lock on its temporary file as long as it lives. */
static void remove_if_dead(int folder, const char *name)
{
	struct stat s;
	const int fd = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (fd < 0)
		return;
	if (!fstat(fd, &s) && S_ISREG(s.st_mode) && !flock(fd, LOCK_EX | LOCK_NB))
		unlinkat(folder, name, 0);
	close(fd);
}

void hy_parts_remove(const char *folder)
{
	DIR *dir = opendir(folder[0] ? folder : ".");
	for (struct dirent *e; dir && (e = readdir(dir));)
		if (is_part(e->d_name))
			remove_if_dead(dirfd(dir), e->d_name);
	if (dir)
		closedir(dir);
}

/* The folder part of a path, "" when it has none; false when it is too long to be one. */
static bool folder_of(const char *path, char out[PATH_MAX])
{
	const size_t n = (size_t)(hy_path_name(path) - path);
	if (n >= PATH_MAX)
		return false;
	memcpy(out, path, n);
	out[n] = 0;
	return true;
}

void hy_parts_remove_beside(const char *path)
{
	char folder[PATH_MAX];
	if (folder_of(path, folder))
		hy_parts_remove(folder);
}

/* Digits of a number that no other writer has, as far as that can be had: a name that is taken is tried again. */
static void put_random(char *to)
{
	static const char digits[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
	uint64_t v = 0;
	if (getentropy(&v, sizeof v))
		v = (uint64_t)getpid() * 2654435761u ^ (uint64_t)(uintptr_t)to;
	for (int i = 0; i < N_RANDOM; i++, v /= 62)
		to[i] = digits[v % 62];
}

/*
 * Makes and locks the temporary file; errno and -1 when that fails. The kernel applies the umask, which belongs to the whole process. A
 * cleaner that came between making and locking has unlinked the file: then another one is made. Where files cannot be locked the file
 * is as good, but stays when its writer dies.
 */
static int make_temporary(char *path)
{
	char *random = path + strlen(path) - N_RANDOM;
	for (int tries = 0; tries < 1000; tries++) {
		struct stat s;
		put_random(random);
		const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0666);
		if (fd < 0 && errno != EEXIST)
			return -1;
		if (fd < 0)
			continue;
		flock(fd, LOCK_EX);
		if (!fstat(fd, &s) && s.st_nlink)
			return fd;
		close(fd);
	}
	errno = EEXIST;
	return -1;
}

/* The path with what makes it temporary behind it; where the name would be too long for a file, another one in its folder. */
static char *temporary_path(const char *path)
{
	const size_t n = strlen(path) + 32;
	const char *name = hy_path_name(path);
	char *made = hy_alloc(n, 1);
	if (made && strlen(name) + strlen(".part-") + N_RANDOM > 255)
		snprintf(made, n, "%.*shardy.part-XXXXXX", (int)(name - path), path);
	else if (made)
		snprintf(made, n, "%s.part-XXXXXX", path);
	return made;
}

/* The file that a path means: of a symbolic link, what it points to. */
static hardy_status find_target(const char *path, char **out, hardy_error *err)
{
	struct stat s;
	if (!lstat(path, &s) && S_ISLNK(s.st_mode))
		return hy_path_resolve(path, out, err);
	*out = hy_strdup(path);
	return *out ? HARDY_OK : hy_fail_memory(err, path, strlen(path), 1);
}

hardy_status hy_outfile_open(hy_outfile *f, const char *path, const char *mark, hardy_error *err)
{
	memset(f, 0, sizeof *f);
	hardy_status status = hy_outfile_check(path, mark, err);
	if (!status)
		status = find_target(path, &f->path, err);
	if (status)
		return status;
	char *temporary = temporary_path(f->path);
	if (!temporary) {
		hy_outfile_discard(f);
		return hy_fail_memory(err, path, strlen(path), 1);
	}
	const int fd = refused() ? -1 : make_temporary(temporary);
	if (fd < 0) {
		const int saved = errno;
		hy_free(temporary);
		hy_outfile_discard(f);
		errno = saved;
		return hy_fail_errno(err, HARDY_ERROR_IO, "%s: cannot be written", path);
	}
	f->temporary = temporary;
	f->stream = fdopen(fd, "wb");
	if (!f->stream) {
		close(fd);
		hy_outfile_discard(f);
		return hy_fail(err, HARDY_ERROR_IO, "%s: cannot be written", path);
	}
	return HARDY_OK;
}

/* ---- writing ------------------------------------------------------------------------------------------------------------ */

static void keep_error(hy_outfile *f)
{
	if (!f->error)
		f->error = errno ? errno : EIO;
}

void hy_outfile_write(hy_outfile *f, const void *data, size_t size)
{
	if (f->sink)
		f->sink->write(f->sink->payload, data, size);
	else if (size && (refused() || fwrite(data, 1, size, f->stream) != size))
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
	} else if (refused() || vfprintf(f->stream, format, args) < 0) {
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

/* The new name is on the disk when its folder is. */
static void sync_folder(hy_outfile *f)
{
	char folder[PATH_MAX];
	const int fd = folder_of(f->path, folder) ? open(folder[0] ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -1;
	if (fd < 0 || ((refused() || fsync(fd)) && errno != EINVAL && errno != EROFS && errno != EBADF))
		keep_error(f);
	if (fd >= 0)
		close(fd);
}

hardy_status hy_outfile_commit(hy_outfile *f, hardy_error *err)
{
	errno = 0;
	if (f->sink)
		return commit_sink(f, err);
	if (refused() || fflush(f->stream) || ferror(f->stream))
		keep_error(f);
	if (!f->error && (refused() || fsync(fileno(f->stream))) && errno != EINVAL && errno != EROFS)
		keep_error(f);
	/* renamed while locked: what is unlocked is dead */
	if (!f->error && (refused() || rename(f->temporary, f->path)))
		keep_error(f);
	if (fclose(f->stream))
		keep_error(f);
	f->stream = NULL;
	if (!f->error)
		sync_folder(f);
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
