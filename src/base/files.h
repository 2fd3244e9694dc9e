/*
 * files.h: whole-file reading, paths and folders.
 */
#ifndef HY_BASE_FILES_H
#define HY_BASE_FILES_H

#include "base/outfile.h"

#include <stddef.h>

/* Reads a whole file; *data gets size bytes plus a terminating zero byte (free with hy_free). */
hardy_status hy_file_read(const char *path, char **data, size_t *size, hardy_error *err);

/* Text behind a UTF-8 byte order mark, which editors put there; text itself when there is none. */
char *hy_text_start(char *text);

bool hy_path_exists(const char *path);
bool hy_path_is_folder(const char *path);
bool hy_path_same(const char *a, const char *b); /* both exist and are one file, whatever they are called */
/* folder/name, newly allocated (hy_free); NULL when memory runs out. */
char *hy_path_join(const char *folder, const char *name) HY_MUST_USE;
/* The path from the root, without symbolic links; *out is newly allocated (hy_free). It must exist. */
hardy_status hy_path_resolve(const char *path, char **out, hardy_error *err);
const char *hy_path_name(const char *path);                       /* behind the last slash */
hardy_status hy_make_folders(const char *path, hardy_error *err); /* like mkdir -p */
/* The same for a folder to write into, where what dead programs left half-written is removed. */
hardy_status hy_make_output_folder(const char *path, hardy_error *err);

/* Names in a folder, sorted by bytes, without . and ..; free with hy_names_free. */
typedef struct hy_names {
	char **name;
	size_t n;
} hy_names;
hardy_status hy_list_folder(const char *path, hy_names *out, hardy_error *err);
hardy_status hy_list_files(const char *path, hy_names *out, hardy_error *err);   /* the same without the names of folders */
hardy_status hy_list_folders(const char *path, hy_names *out, hardy_error *err); /* their names alone */
void hy_names_free(hy_names *names);
/* Index of the first of the sorted names that begins with the n bytes of start, or comes after them; those that do follow one another. */
size_t hy_names_find(const hy_names *names, const char *start, size_t n);
/* Whether name i is there and begins so. */
bool hy_names_begin(const hy_names *names, size_t i, const char *start, size_t n);

#endif
