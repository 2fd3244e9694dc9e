/*
 * outfile.h: files that appear under their name only when complete, and replace nothing that hardy did not write.
 */
#ifndef HY_BASE_OUTFILE_H
#define HY_BASE_OUTFILE_H

#include "base/error.h"

#include <stddef.h>
#include <stdio.h>

/*
 * An output file that appears under its name only when complete: written to a temporary file beside it, synced, renamed, and
 * the folder synced.
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

/*
 * What may lie at path already and is replaced: nothing (mark NULL; an empty file is nothing), a file whose first 64 KiB, inflated where it
 * is gzipped, hold the text mark, which is how a command knows what it wrote itself; anything with HY_REPLACE_ANY, which a user asks
 * for by --overwrite. Only regular files are ever replaced; through a symbolic link, what it points to.
 */
#define HY_REPLACE_ANY ""
#define HY_MARK_JSON   "\"hardy_version\"" /* a key of every JSON file and model that hardy writes */
hardy_status hy_outfile_open(hy_outfile *f, const char *path, const char *mark, hardy_error *err);
/* Whether hy_outfile_open would refuse for what lies there: to be asked before the work begins. */
hardy_status hy_outfile_check(const char *path, const char *mark, hardy_error *err);
/* The error of a file that is in the way. */
hardy_status hy_outfile_refuse(const char *path, hardy_error *err);
/* Removes the temporary files that dead programs left in a folder, or in the folder of a path. */
void hy_parts_remove(const char *folder);
void hy_parts_remove_beside(const char *path);

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

/*
 * Test hook: the k-th operation on output files from now (1-based) fails as on a full disk, once; 0 turns it off. Opening, each write, the
 * syncs and the rename count, which hy_outfile_calls() tells.
 */
void hy_outfile_fail_at(int64_t k);
int64_t hy_outfile_calls(void);

/* Formatted text to a sink, at once; nothing when sink is NULL or memory runs out. For text whose loss is no error. */
void hy_sink_printf(const hardy_sink *sink, const char *format, ...) HY_PRINTF(2, 3);

#endif
