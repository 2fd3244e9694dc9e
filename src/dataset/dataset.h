/*
 * dataset.h: a labelled data set as it lies on disk, whatever its layout: cases, classes, channels.
 */
#ifndef HY_DATASET_DATASET_H
#define HY_DATASET_DATASET_H

#include "base/files.h"
#include "image/order.h"

#include <cJSON.h>

enum { HY_MAX_CLASSES = 32, HY_MAX_CHANNELS = 8, HY_NAME_SIZE = HARDY_NAME_SIZE, HY_NO_CLASS = 255, HY_MAX_VALUES = 257 };

typedef enum hy_layout {
	HY_LAYOUT_ACDC,
	HY_LAYOUT_MNMS,
	HY_LAYOUT_NNUNET,
	HY_LAYOUT_FOLDERS, /* images/ + labels/ */
	HY_LAYOUT_FLAT,    /* NAME and NAME_gt */
	HY_LAYOUT_DICOM    /* series without labels, for hardy_check */
} hy_layout;

const char *hy_layout_name(hy_layout layout); /* as messages call it, "ACDC" */

/* Class 0 is background. value is the data set's own label value. Hearts are always LV, MYO, RV in this order. */
typedef struct hy_class {
	char name[HY_NAME_SIZE];
	int value;
	bool present; /* false: the data set has no such label (Sunnybrook has no RV), value is -1; scores of it are undefined */
} hy_class;

/* One scan to train on or to score: one phase of one subject. */
typedef struct hy_case {
	const char *subject, *site;        /* below HY_NAME_SIZE letters; site: vendor or centre, "" unknown */
	char *names;                       /* owned: holds both; NULL where they are somebody else's */
	char phase[16];                    /* "ED", "ES" or "" */
	char *image_path[HY_MAX_CHANNELS]; /* owned; with several channels and only the first path, that file's frames are them */
	char *label_path;                  /* owned; NULL when there is none */
	int64_t frame, label_frame;        /* in a 4-D file, -1 when the file is 3-D */
	int64_t cine_frame;                /* where ACDC's frame file lies in SUBJECT_4d, from 0; -1 when there is no such cine */
	bool held_out;                     /* lies in the data set's own validation or test folder */
} hy_case;

typedef struct hy_dataset {
	char *root;     /* owned */
	char name[256]; /* of its folder, through links; "" of loose scans */
	hy_layout layout;
	int n_classes, n_channels; /* n_classes includes background */
	hy_class classes[HY_MAX_CLASSES];
	char channels[HY_MAX_CHANNELS][HY_NAME_SIZE];
	bool heart;   /* classes begin with LV, MYO, RV */
	int n_values; /* declared: those of the classes and those that count as background */
	struct hy_value_class {
		uint16_t value;
		uint8_t class;
	} values[HY_MAX_VALUES]; /* own label value to class index */
	hy_case *cases;          /* owned, sorted by subject, then ED before ES */
	size_t n_cases;
	char (*lost)[HY_NAME_SIZE]; /* owned: subjects of which no case can be used; only of hy_dataset_open_usable */
	size_t n_lost;
} hy_dataset;

typedef struct hy_dataset_options {
	const char *labels; /* "lv=3,myo=2": names of the data set's own values, overriding the layout's ("background=4" drops one);
	                     * NULL */
	double spacing_mm[3]; /* as in hy_nifti_options */
} hy_dataset_options;

/* Finds the layout and lists classes, channels and cases. Voxels are read only where nothing else tells the label values. Any
 * case that cannot be used is an error that counts them and tells the first; hardy_check lists all. */
hardy_status hy_dataset_open(hy_dataset *d, const char *root, const hy_dataset_options *o, const hardy_log *log,
                             hardy_error *err);
/*
 * The same, but goes on without the cases that cannot be used: each is told to unusable (phase "" where all are meant), which is
 * called once a problem, in no stated order. No case left is no error.
 */
hardy_status hy_dataset_open_usable(hy_dataset *d, const char *root, const hy_dataset_options *o,
                                    void (*unusable)(void *payload, const char *subject, const char *phase, const char *text),
                                    void *payload, const hardy_log *log, hardy_error *err);
/* Whether the path is a folder with one of the layouts. An error only where memory runs out. */
hardy_status hy_dataset_is(const char *root, bool *found, hardy_error *err);
void hy_dataset_clear(hy_dataset *d);

/* The class index of an own label value; HY_NO_CLASS where the data set declares none. */
uint8_t hy_dataset_class(const hy_dataset *d, int value);

/* Sets the classes of a data set without cases from names like o->labels ("lv=3,myo=2"): for label maps outside a layout. */
hardy_status hy_dataset_name_classes(hy_dataset *d, const char *labels, hardy_error *err);

/*
 * Loads a case: image with nt = n_channels, labels as class indices (own values mapped; an unknown value is an error that names
 * file, value and count). labels may be NULL. NaN or infinite voxels and labels that are not the image's points are errors; the same
 * points in another axis order are brought into the image's with a warning, slightly different headers are a warning in mm. Without
 * foreground: a warning.
 */
hardy_status hy_case_load(const hy_dataset *d, size_t i, const hy_dataset_options *o, hy_volume *image, hy_labels *labels,
                          const hardy_log *log, hardy_error *err);

/* An error when a channel holds one grey value only: nothing can be learned from it. */
hardy_status hy_case_check_grey(const hy_case *c, const hy_volume *image, hardy_error *err);

/*
 * The order that brings the voxels of grid g, read from path, to the points of want; whose says in messages what that belongs to. Another
 * shape and points that are elsewhere (half a voxel or more) are errors; another order is a warning, and so is a small difference. Where
 * one of the headers does not say where its voxels lie, they are taken as they are stored.
 */
hardy_status hy_fit_grid(const char *path, const hy_grid *g, const char *whose, const hy_grid *want, hy_order *order,
                         const hardy_log *log, hardy_error *err);

/* Index of the subject's first case, of those behind it otherwise: cases are sorted by subject. */
size_t hy_dataset_find(const hy_dataset *d, const char *subject);

/* Sorted unique subject names; indices into cases by subject come from comparing names. */
hardy_status hy_dataset_subjects(const hy_dataset *d, char (**out)[HY_NAME_SIZE], size_t *n, hardy_error *err);

/* Which subjects serve for what. */
typedef struct hy_split {
	char (*train)[HY_NAME_SIZE], (*validation)[HY_NAME_SIZE], (*test)[HY_NAME_SIZE]; /* owned */
	size_t n_train, n_validation, n_test;
} hy_split;

/*
 * The object of lists in a splits file: the whole of it with fold -1, else that entry of a list of folds (nnU-Net's splits_final.json,
 * whose lists are "train" and "val"). A key that means nothing is an error. *json is released with cJSON_Delete; *lists lies within.
 */
hardy_status hy_splits_read(const char *path, int64_t fold, cJSON **json, const cJSON **lists, hardy_error *err);

/*
 * path names a JSON file with lists of subjects pool, validation, test (and large_extra), or one with train, validation, test, or a list
 * of folds of which one is wanted (-1: none);
 * NULL: subjects of d are drawn by seed. n_train > 0 draws that many from the pool by seed (sorted); 0 takes the pool whole.
 * Without a file: n_validation subjects are held out first (by seed), then n_train drawn, from labelled subjects outside the
 * data set's own test folder; test gets that folder's labelled subjects, or the remaining ones when there is none. Unknown or
 * doubled subjects, and subjects to train on without a label, are errors. Lost subjects are drawn like the others and then left out, so
 * that what is wrong with one changes no other's part. More than the pool: `large_extra` of the file joins
 * it.
 *
 * HY_SPLIT_AUTO for n_train: all that do not validate, but ten of a file's "pool", which is a protocol's. For n_validation, where no file
 * lists any: of n labelled subjects 3 in 10, five at most, and none of fewer than five; with n_train given those that are left,
 * five at most. What was decided goes to log.
 */
enum { HY_SPLIT_AUTO = -1, HY_SPLIT_POOL = 10, HY_SPLIT_VALIDATION = 5, HY_SPLIT_LEAST = 5 };
hardy_status hy_split_make(hy_split *s, const hy_dataset *d, const char *path, int64_t fold, int64_t n_train,
                           int64_t n_validation, uint64_t seed, const hardy_log *log, hardy_error *err);
void hy_split_clear(hy_split *s);

/* Names as a list of strings; NULL when memory runs out. */
cJSON *hy_names_to_json(char (*names)[HY_NAME_SIZE], size_t n);

bool hy_split_has(char (*names)[HY_NAME_SIZE], size_t n, const char *subject);

/* The name of another scan of a folder that differs from file i in the extension alone, or in its case; NULL when there is none. */
const char *hy_twin(const hy_names *files, size_t i);

/* "p7_ED" is subject p7, phase ED; likewise _ES and _frame07; else phase is "". Fails when subject is too long. */
bool hy_split_phase(const char *stem, char subject[HY_NAME_SIZE], char phase[16]);

#endif
