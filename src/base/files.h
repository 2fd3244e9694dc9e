/*
 * files.h: whole-file reading, atomic writing, paths and folders.
 */
#ifndef HY_BASE_FILES_H
#define HY_BASE_FILES_H

#include "base/error.h"

#include <stddef.h>
#include <stdio.h>

/* Reads a whole file; *data gets size bytes plus a terminating zero byte (free with hy_free). */
hardy_status hy_file_read(const char *path, char **data, size_t *size, hardy_error *err);

/*
 * An output file that appears under its name only when complete: written to a temporary file beside it, synced, renamed.
 * Life cycle: hy_outfile_open, hy_outfile_write / _printf any number of times (errors are kept), then hy_outfile_commit, which
 * reports the first error, or hy_outfile_discard. Both release everything; discard after commit is harmless.
 */
typedef struct hy_outfile {
	FILE *stream; /* may be used directly; NULL with a sink */
	char *path, *temporary;
	const hardy_sink *sink; /* instead of a file: what is written goes there at once */
	int error;              /* errno of the first failure */
	bool in_row;            /* of a CSV table */
} hy_outfile;

hardy_status hy_outfile_open(hy_outfile *f, const char *path, hardy_error *err);
void hy_outfile_write(hy_outfile *f, const void *data, size_t size);
void hy_outfile_printf(hy_outfile *f, const char *format, ...) HY_PRINTF(2, 3);
/*
 * A CSV table, field by field (RFC 4180): a field puts a comma before itself unless it begins a row. Text is quoted where it must be;
 * a number has so many significant digits, and is empty unless finite.
 */
void hy_outfile_csv_text(hy_outfile *f, const char *text);
void hy_outfile_csv_number(hy_outfile *f, double v, int digits);
void hy_outfile_csv_plain(hy_outfile *f, const char *fields); /* fields with commas between, none of which needs quotes */
void hy_outfile_csv_end(hy_outfile *f);                       /* of the row */
hardy_status hy_outfile_commit(hy_outfile *f, hardy_error *err);
void hy_outfile_discard(hy_outfile *f);

/* Formatted text to a sink, at once; nothing when sink is NULL or memory runs out. For text whose loss is no error. */
void hy_sink_printf(const hardy_sink *sink, const char *format, ...) HY_PRINTF(2, 3);

bool hy_path_exists(const char *path);
bool hy_path_is_folder(const char *path);
bool hy_path_same(const char *a, const char *b); /* both exist and are one file, whatever they are called */
/* folder/name, newly allocated (hy_free); NULL when memory runs out. */
char *hy_path_join(const char *folder, const char *name) HY_MUST_USE;
/* The path from the root, without symbolic links; *out is newly allocated (hy_free). It must exist. */
hardy_status hy_path_resolve(const char *path, char **out, hardy_error *err);
const char *hy_path_name(const char *path);                       /* behind the last slash */
hardy_status hy_make_folders(const char *path, hardy_error *err); /* like mkdir -p */

/* Names in a folder, sorted by bytes, without . and ..; free with hy_names_free. */
typedef struct hy_names {
	char **name;
	size_t n;
} hy_names;
hardy_status hy_list_folder(const char *path, hy_names *out, hardy_error *err);
void hy_names_free(hy_names *names);

#endif
