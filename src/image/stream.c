/*
 * stream.c: plain and gzipped files, read forwards and written atomically.
 */
#define _XOPEN_SOURCE 700 /* pread */
#include "image/stream.h"

#include "base/memory.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { BUFFER = 65536, DEFLATE_RATIO = 1032 };

static void *z_alloc(void *payload, unsigned n, unsigned size)
{
	return hy_alloc(n, size);
}

static void z_free(void *payload, void *p)
{
	hy_free(p);
}

/* Descriptors, not streams of stdio, which asks for more than it reads: folders may hold a hundred thousand files. */
static hardy_status read_some(const hy_stream *s, void *data, size_t size, size_t *got, hardy_error *err)
{
	ssize_t n;
	do
		n = read(s->file, data, size < 1u << 30 ? size : 1u << 30);
	while (n < 0 && errno == EINTR);
	*got = n < 0 ? 0 : (size_t)n;
	return n < 0 ? hy_fail_errno(err, HARDY_ERROR_IO, "%s: cannot be read", s->path) : HARDY_OK;
}

hardy_status hy_stream_open(hy_stream *s, const char *path, hardy_error *err)
{
	struct stat about;
	memset(s, 0, sizeof *s);
	s->path = path;
	s->file = open(path, O_RDONLY | O_CLOEXEC);
	if (s->file < 0)
		return hy_fail_errno(err, HARDY_ERROR_IO, "%s: cannot be opened", path);
	s->open = true;
	if (fstat(s->file, &about))
		return hy_fail_errno(err, HARDY_ERROR_IO, "%s: cannot be read", path);
	if (!S_ISREG(about.st_mode))
		return hy_fail(err, HARDY_ERROR_IO, "%s: is %s, want a file", path,
		               S_ISDIR(about.st_mode) ? "a folder" : "not a regular file");
	s->file_size = about.st_size;
	unsigned char magic[2];
	const ssize_t n = s->file_size ? pread(s->file, magic, 2, 0) : 0;
	if (n < 0)
		return hy_fail_errno(err, HARDY_ERROR_IO, "%s: cannot be read", path);
	s->gzipped = n == 2 && magic[0] == 0x1f && magic[1] == 0x8b;
	if (!s->gzipped)
		return HARDY_OK;
	s->in = hy_alloc(BUFFER, 1);
	if (!s->in)
		return hy_fail_memory(err, path, BUFFER, 1);
	s->z.zalloc = z_alloc;
	s->z.zfree = z_free;
	if (inflateInit2(&s->z, 15 + 16) != Z_OK)
		return hy_fail_memory(err, "inflating", 1, 65536);
	s->z_open = true;
	return HARDY_OK;
}

void hy_stream_close(hy_stream *s)
{
	if (s->z_open)
		inflateEnd(&s->z);
	if (s->open)
		close(s->file);
	hy_free(s->in);
	memset(s, 0, sizeof *s);
}

int64_t hy_stream_limit(const hy_stream *s)
{
	if (!s->gzipped)
		return s->file_size;
	return s->file_size > INT64_MAX / DEFLATE_RATIO ? INT64_MAX : s->file_size * DEFLATE_RATIO;
}

/* Reads the next piece of the gzipped file; at its end z.avail_in stays 0. */
static hardy_status refill(hy_stream *s, hardy_error *err)
{
	size_t n;
	const hardy_status status = read_some(s, s->in, BUFFER, &n, err);
	s->z.next_in = s->in;
	s->z.avail_in = (uInt)n;
	return status;
}

/* A member has ended: another one may follow; anything else after it is padding, which gzip ignores too. */
static hardy_status next_member(hy_stream *s, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	if (!s->z.avail_in && (status = refill(s, err)))
		return status;
	if (s->z.avail_in && s->z.next_in[0] == 0x1f)
		inflateReset(&s->z);
	else
		s->end = true;
	return HARDY_OK;
}

static hardy_status inflate_some(hy_stream *s, unsigned char *data, size_t size, size_t *got, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	s->z.next_out = data;
	s->z.avail_out = size > 1u << 30 ? 1u << 30 : (uInt)size;
	const uInt room = s->z.avail_out;
	while (s->z.avail_out && !s->end) {
		if (!s->z.avail_in && (status = refill(s, err)))
			return status;
		if (!s->z.avail_in)
			return hy_fail(err, HARDY_ERROR_FORMAT, "%s: gzip stream is truncated after %lld bytes of content", s->path,
			               (long long)(s->position + room - s->z.avail_out));
		const int z = inflate(&s->z, Z_NO_FLUSH);
		if (z == Z_STREAM_END) {
			if ((status = next_member(s, err)))
				return status;
		} else if (z == Z_MEM_ERROR) {
			return hy_fail_memory(err, "inflating", 1, 65536);
		} else if (z != Z_OK && z != Z_BUF_ERROR) {
			return hy_fail(err, HARDY_ERROR_FORMAT, "%s: gzip stream is damaged after %lld bytes of content (%s)", s->path,
			               (long long)(s->position + room - s->z.avail_out), s->z.msg ? s->z.msg : "bad data");
		}
	}
	*got = room - s->z.avail_out;
	return HARDY_OK;
}

hardy_status hy_stream_read(hy_stream *s, void *data, size_t size, size_t *got, hardy_error *err)
{
	size_t used = 0;
	while (used < size) {
		unsigned char *const to = (unsigned char *)data + used;
		size_t n = 0;
		const hardy_status status =
		    s->gzipped ? inflate_some(s, to, size - used, &n, err) : read_some(s, to, size - used, &n, err);
		if (status)
			return status;
		if (!n)
			break;
		used += n;
		s->position += (int64_t)n;
	}
	*got = used;
	return HARDY_OK;
}

hardy_status hy_stream_skip(hy_stream *s, int64_t size, int64_t *skipped, hardy_error *err)
{
	int64_t done = 0;
	if (!s->gzipped) {
		const int64_t left = s->file_size - s->position;
		done = size < left ? size : left > 0 ? left : 0;
		if (lseek(s->file, (off_t)done, SEEK_CUR) < 0)
			return hy_fail_errno(err, HARDY_ERROR_IO, "%s: cannot be read", s->path);
		s->position += done;
	} else {
		unsigned char scratch[16384];
		while (done < size) {
			const int64_t want = size - done < (int64_t)sizeof scratch ? size - done : (int64_t)sizeof scratch;
			size_t got = 0;
			const hardy_status status = hy_stream_read(s, scratch, (size_t)want, &got, err);
			if (status)
				return status;
			if (!got)
				break;
			done += (int64_t)got;
		}
	}
	*skipped = done;
	return HARDY_OK;
}

hardy_status hy_sink_open(hy_sink *s, const char *path, const char *mark, hardy_error *err)
{
	memset(s, 0, sizeof *s);
	s->gzipped = hy_ends_with(path, ".gz");
	if (s->gzipped) {
		s->out = hy_alloc(BUFFER, 1);
		if (!s->out)
			return hy_fail_memory(err, path, BUFFER, 1);
		s->z.zalloc = z_alloc;
		s->z.zfree = z_free;
		if (deflateInit2(&s->z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK) {
			hy_sink_discard(s);
			return hy_fail_memory(err, "deflating", 1, 268000);
		}
		s->z_open = true;
	}
	const hardy_status status = hy_outfile_open(&s->file, path, mark, err);
	if (status)
		hy_sink_discard(s);
	return status;
}

static void deflate_some(hy_sink *s, const void *data, size_t size, int flush)
{
	s->z.next_in = (Bytef *)(uintptr_t)data; /* zlib does not write here */
	s->z.avail_in = (uInt)size;
	do {
		s->z.next_out = s->out;
		s->z.avail_out = BUFFER;
		deflate(&s->z, flush);
		hy_outfile_write(&s->file, s->out, BUFFER - s->z.avail_out);
	} while (!s->z.avail_out);
}

void hy_sink_write(hy_sink *s, const void *data, size_t size)
{
	if (!s->gzipped) {
		hy_outfile_write(&s->file, data, size);
		return;
	}
	for (size_t done = 0; done < size;) {
		const size_t n = size - done < 1u << 20 ? size - done : 1u << 20;
		deflate_some(s, (const unsigned char *)data + done, n, Z_NO_FLUSH);
		done += n;
	}
}

hardy_status hy_sink_commit(hy_sink *s, hardy_error *err)
{
	if (s->gzipped)
		deflate_some(s, NULL, 0, Z_FINISH);
	const hardy_status status = hy_outfile_commit(&s->file, err);
	hy_sink_discard(s);
	return status;
}

void hy_sink_discard(hy_sink *s)
{
	if (s->z_open)
		deflateEnd(&s->z);
	hy_free(s->out);
	hy_outfile_discard(&s->file);
	memset(s, 0, sizeof *s);
}
