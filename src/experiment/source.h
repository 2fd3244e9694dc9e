/*
 * source.h: DATA arguments of an experiment, and what is known of a data set without reading it.
 */
#ifndef HY_EXPERIMENT_SOURCE_H
#define HY_EXPERIMENT_SOURCE_H

#include "experiment/study.h"

/* Takes the argument apart; the folder must hold a data set. */
hardy_status hy_source_read(hy_source *s, const char *argument, hardy_error *err);
void hy_source_clear(hy_source *s);

/* Adds names (from the folder on) and sizes of all NIfTI files below the folder. */
hardy_status hy_source_hash(const hy_source *s, hy_sha256 *hash, size_t *n_files, hardy_error *err);

/* Adds name and size of one file. */
hardy_status hy_source_hash_file(const char *path, hy_sha256 *hash, hardy_error *err);

#endif
