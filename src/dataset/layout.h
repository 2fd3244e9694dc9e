/*
 * layout.h: what the layouts share while a data set is read from disk (internal to this directory).
 *
 * To add a layout: one file with a `_matches` and a `_read` function, one row in the table of dataset.c.
 */
#ifndef HY_DATASET_LAYOUT_H
#define HY_DATASET_LAYOUT_H

#include "base/files.h"
#include "dataset/dataset.h"
#include "image/nifti.h"

/* Something wrong with a data set and what to do about it. */
typedef struct hy_problem {
	bool bad;             /* true: the case cannot be used; false: it can, but look */
	char *subject, *text; /* owned */
	char phase[16];
	const char *remedy; /* a literal */
} hy_problem;

typedef struct hy_problems {
	hy_problem *items; /* owned */
	size_t n, room, n_bad;
	bool lost; /* memory ran out while adding */
} hy_problems;

/* remedy must outlive the list: a literal. subject "" where the whole data set is meant; phase "" where all phases are. */
void hy_problem_add(hy_problems *p, bool bad, const char *subject, const char *phase, const char *remedy, const char *format,
                    ...) HY_PRINTF(6, 7);
void hy_problems_clear(hy_problems *p);

/* A data set being read. */
typedef struct hy_scan {
	hy_dataset *d;
	const hy_dataset_options *o;
	hy_problems *problems;
	const hardy_log *log;
	size_t room;     /* of d->cases */
	bool none_pairs; /* labels are there, but no image has one */
} hy_scan;

/* Like hy_dataset_open, but goes on after a bad case: what is wrong goes to problems, cases lists the rest (maybe none). */
hardy_status hy_dataset_scan(hy_dataset *d, const char *root, const hy_dataset_options *o, hy_problems *problems,
                             const hardy_log *log, hardy_error *err);

/* A new case at the end of d->cases, frames -1, valid until the next call. site "" where nothing says it. */
hardy_status hy_scan_add(hy_scan *s, const char *subject, const char *phase, const char *site, hy_case **out, hardy_error *err);
void hy_case_clear(hy_case *c);

/* A label value and what it is called. */
typedef struct hy_label_name {
	char name[HY_NAME_SIZE];
	int value;
} hy_label_name;

/*
 * Sets the classes from names (at most 256, any order; the user's --labels override them). When one of them is a part of the
 * heart by a usual spelling, the classes are LV, MYO, RV, then the others by value. source names the origin in messages.
 */
hardy_status hy_scan_set_classes(hy_scan *s, const hy_label_name *names, size_t n, const char *source, hardy_error *err);

/* Sets the classes from the values that occur in the cases' label files, when nothing names them. */
hardy_status hy_scan_guess_classes(hy_scan *s, hardy_error *err);

/* Whether folder/name exists, and as a folder; without memory that could run out and hide a file. */
bool hy_has_file(const char *folder, const char *name);
bool hy_has_folder(const char *folder, const char *name);

/* One channel, or as many as the first image that can be read, of a thousand, has frames (an image that holds its channels as the fourth axis). */
hardy_status hy_scan_guess_channels(hy_scan *s, hardy_error *err);

/* The name without .nii, .nii.gz ... and whether it is a NIfTI name to look at (not hidden; .img counts with its .hdr). */
bool hy_stem(const char *name, char *out, size_t size);

/* Reads one channel, or all of a file that holds several; checks shape and finite voxels (gate of hy_case_load and check). */
hardy_status hy_case_read_image(const hy_dataset *d, const hy_case *c, const hy_dataset_options *o, hy_volume *out,
                                const hardy_log *log, hardy_error *err);
/* Own values and their counts as in the file, labels holding indices into them, in the image's order; grid is the image's, NULL to skip
 * the comparison. */
hardy_status hy_case_read_values(const hy_case *c, const hy_dataset_options *o, const hy_grid *grid, hy_labels *out,
                                 hy_label_values *values, const hardy_log *log, hardy_error *err);
/* An error when values has one that d does not declare. */
hardy_status hy_case_check_values(const hy_dataset *d, const hy_case *c, const hy_label_values *values, hardy_error *err);

/* A problem of the case when there is one; true then. */
bool hy_problem_of_twin(hy_problems *p, const char *subject, const char *phase, const char *folder, const hy_names *files,
                        size_t i);

/* Whether a folder has the layout. An error only where memory runs out: what cannot be listed has none. */
hardy_status hy_acdc_matches(const char *root, bool *found, hardy_error *err);
hardy_status hy_acdc_read(hy_scan *s, hardy_error *err);
hardy_status hy_mnms_matches(const char *root, bool *found, hardy_error *err);
hardy_status hy_mnms_read(hy_scan *s, hardy_error *err);
hardy_status hy_nnunet_matches(const char *root, bool *found, hardy_error *err);
hardy_status hy_nnunet_read(hy_scan *s, hardy_error *err);
hardy_status hy_folders_matches(const char *root, bool *found, hardy_error *err);
hardy_status hy_folders_read(hy_scan *s, hardy_error *err);
hardy_status hy_flat_matches(const char *root, bool *found, hardy_error *err);
hardy_status hy_flat_read(hy_scan *s, hardy_error *err);

#endif
