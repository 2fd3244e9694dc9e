/*
 * places.h: where the scans that a command writes may go: a folder or a file, never over what it reads.
 */
#ifndef HY_PREDICT_PLACES_H
#define HY_PREDICT_PLACES_H

#include "predict/jobs.h"

#include <sys/types.h>

/*
 * Whether output is a file, for one scan: *ending gets ".nii.gz" or ".nii", or NULL where output is a folder. A name that other programs give
 * to scans and pictures, of no folder that is there, is an error.
 */
hardy_status hy_places_ending(const char *output, const char **ending, hardy_error *err);

/* The files that jobs read. */
typedef struct hy_places {
	struct hy_place {
		dev_t device;
		ino_t file;
		bool label;
	} * items; /* owned, sorted */
	size_t n;
} hy_places;

hardy_status hy_places_make(hy_places *p, const hy_jobs *jobs, hardy_error *err);
void hy_places_clear(hy_places *p);

/* HARDY_ERROR_ARGUMENT when path is one of them; what: "the label map". */
hardy_status hy_places_check(const hy_places *p, const char *path, const char *what, hardy_error *err);

#endif
