/*
 * kept.h: scores of cases that an evaluation keeps in a folder, so that several programs divide the work and one that was cut short goes on.
 */
#ifndef HY_PREDICT_KEPT_H
#define HY_PREDICT_KEPT_H

#include "base/files.h"
#include "base/lock.h"
#include "base/sha256.h"
#include "predict/legend.h"
#include "predict/pairing.h"

/* Of one class of a case. */
typedef struct hy_kept_score {
	hardy_row_state state;
	int64_t n_slices;
	double value[HARDY_N_SCORES];
} hy_kept_score;

/* A case, and what its scores were made of: the hash of settings and files; "" where it is not kept. */
typedef struct hy_kept_case {
	char stamp[HY_SHA256_TEXT];
	bool done;     /* its scores are those of this program, or of a file */
	bool ours;     /* it has a row in this program's file */
	char *crossed; /* owned: voxels by classes P of the prediction and R of the reference, "P:R:COUNT ..." */
} hy_kept_case;

/*
 * FOLDER/scores-KEY-K-of-N.csv, a row a case: the file of part K of N of an evaluation whose settings have this key. One program writes
 * it, every program reads those of all parts.
 */
typedef struct hy_kept {
	const char *folder;    /* the caller's, as are the three that follow */
	const hy_pair *pairs;  /* n */
	hy_kept_score *scores; /* n cases by n_classes */
	const char (*class_names)[HY_NAME_SIZE];
	size_t n, n_classes;
	hy_kept_case *cases; /* owned, n */
	char *start;         /* owned: of the names of these files, "scores-KEY-" */
	char *path, *guard;  /* owned: this program's file, and its lock's */
	hy_lock lock;
	bool changed;     /* since the file was written */
	double written_s; /* clock */
} hy_kept;

/* What the scores of every case depend on. */
typedef struct hy_kept_settings {
	const hardy_evaluate_options *o;
	const hy_dataset *data;
	const int *classes; /* indices of those that are scored */
	size_t n_classes;
	const hy_legend *legend; /* what predictions' values mean; NULL: the options say it */
} hy_kept_settings;

/* The hash of this version, these settings and where both sides lie. HARDY_ERROR_IO, HARDY_ERROR_MEMORY. */
hardy_status hy_kept_key(const hy_kept_settings *s, char key[HY_SHA256_TEXT], hardy_error *err);

/* The hash of the key and a pair's files: names, frames, sizes and times of change. "" where one of them is not there. */
void hy_kept_stamp(const char *key, const hy_pair *pair, const hy_dataset *d, char stamp[HY_SHA256_TEXT]);

/*
 * Fills in memory; folder, pairs, scores, class_names, n and n_classes are set. Makes the folder, and takes the lock of this part's file: another
 * program that does the same part is HARDY_ERROR_ARGUMENT, and so is a file of that name that this did not write. The first digits of the
 * key stand in the name.
 */
hardy_status hy_kept_open(hy_kept *k, const char *key, int64_t part, int64_t parts, const hardy_log *log, hardy_error *err);

/* Takes the scores of cases with the same stamp from all files; crossed (HY_MAX_CLASSES squared) gets their voxels added. Damaged rows are none. */
hardy_status hy_kept_read(hy_kept *k, int64_t *crossed, hardy_error *err);

/* Case i is scored: adds its voxels by class. One thread at a time. HARDY_ERROR_MEMORY. */
hardy_status hy_kept_add(hy_kept *k, size_t i, const int64_t *crossed, int n_classes, hardy_error *err);

/* Writes this program's file, if a case came since. */
hardy_status hy_kept_write(hy_kept *k, hardy_error *err);

void hy_kept_close(hy_kept *k); /* releases the lock, too; writes nothing */

#endif
