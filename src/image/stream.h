/*
 * stream.h: reading a file forwards, gzipped or not (told from its first bytes, not from its name), and writing one.
 */
#ifndef HY_IMAGE_STREAM_H
#define HY_IMAGE_STREAM_H

#include "base/files.h"

#include <stdint.h>
#include <zlib.h>

typedef struct hy_stream {
	const char *path; /* the caller's; must outlive the stream */
	int file;         /* descriptor, where open */
	bool open, gzipped;
	int64_t file_size; /* bytes on disk */
	int64_t position;  /* bytes delivered or skipped, after inflation */
	/* for gzip */
	z_stream z;
	unsigned char *in;
	bool z_open, end;
} hy_stream;

/* Opens a regular file. hy_stream_close releases it, also after a failure. */
hardy_status hy_stream_open(hy_stream *s, const char *path, hardy_error *err);
void hy_stream_close(hy_stream *s);

/*
 * Delivers up to size bytes; *got is less than size only at the end of the file. A gzip stream that ends early or whose
 * checksum does not match is HARDY_ERROR_FORMAT; the checksum is compared when the end is reached, so a reader that wants to be
 * sure asks until *got is 0.
 */
hardy_status hy_stream_read(hy_stream *s, void *data, size_t size, size_t *got, hardy_error *err);

/* Skips up to size bytes; *skipped is less only at the end of the file. */
hardy_status hy_stream_skip(hy_stream *s, int64_t size, int64_t *skipped, hardy_error *err);

/*
 * The most bytes that the file can hold after inflation: exact when it is not gzipped. No deflate stream grows by more than a
 * factor of 1032 (zlib's technical notes), so a header that promises more than this is wrong before anything is allocated.
 */
int64_t hy_stream_limit(const hy_stream *s);

/* An atomic output file, gzipped when its name ends in .gz; the same bytes for the same content. */
typedef struct hy_sink {
	hy_outfile file;
	bool gzipped, z_open;
	z_stream z;
	unsigned char *out;
} hy_sink;

/* mark: as in hy_outfile_open. */
hardy_status hy_sink_open(hy_sink *s, const char *path, const char *mark, hardy_error *err);
void hy_sink_write(hy_sink *s, const void *data, size_t size); /* errors are kept for hy_sink_commit */
hardy_status hy_sink_commit(hy_sink *s, hardy_error *err);     /* puts the file in place; releases everything */
void hy_sink_discard(hy_sink *s);                              /* harmless after commit or a failed open */

#endif
