/*
 * dataset.h: a labelled data set as it lies on disk, whatever its layout: classes, subjects, cases, and their voxels.
 *
 * Layouts: ACDC, M&Ms, nnU-Net raw, images/ and labels/, NAME beside NAME_gt (docs/DATA.md). Data sets use the same label values for different
 * structures; classes are numbered by what they mean: 0 is the background, and hearts have 1 LV, 2 myocardium, 3 RV.
 *
 * Threads. A hardy_dataset and a hardy_split are never changed once made: threads may share them, and read cases at the same time.
 *
 * Example (arguments: the folder of a data set): what is in it, and the volume of class 1 in the first case.
 *
 *     #include <hardy.h>
 *     #include <stdio.h>
 *
 *     int main(int argc, char **argv)
 *     {
 *         hardy_error err = {HARDY_OK, "want the folder of a data set"};
 *         hardy_dataset *data = NULL;
 *         hardy_volume *image = NULL, *labels = NULL;
 *         hardy_case first;
 *         HARDY_INIT(first);
 *         hardy_status status = argc < 2 ? HARDY_ERROR_ARGUMENT : hardy_dataset_open(argv[1], NULL, &data, NULL, &err);
 *         if (!status)
 *             printf("%s: %d subjects, %d scans\n", hardy_dataset_layout(data), (int)hardy_dataset_n_subjects(data),
 *                    (int)hardy_dataset_n_cases(data));
 *         if (!status)
 *             status = hardy_dataset_case(data, 0, &first, &err);
 *         if (!status)
 *             status = hardy_dataset_read(data, 0, &image, &labels, NULL, &err);
 *         if (!status) {
 *             const hardy_image *l = hardy_volume_image(labels);
 *             int64_t n = 0;
 *             for (int64_t i = 0; i < l->shape[0] * l->shape[1] * l->shape[2]; i++)
 *                 n += ((const unsigned char *)l->data)[i] == 1;
 *             printf("%s %s: %.1f mL of %s\n", first.subject, first.phase,
 *                    1e-3 * (double)n * first.spacing_mm[0] * first.spacing_mm[1] * first.spacing_mm[2],
 *                    hardy_dataset_class_name(data, 1));
 *         } else {
 *             fprintf(stderr, "%s\n", err.message);
 *         }
 *         hardy_volume_free(labels);
 *         hardy_volume_free(image);
 *         hardy_dataset_free(data);
 *         return status ? 1 : 0;
 *     }
 */
#ifndef HARDY_DATASET_H
#define HARDY_DATASET_H

#include "error.h"
#include "image.h"
#include "version.h"

#ifdef __cplusplus
extern "C" {
#endif

typedef struct hardy_dataset hardy_dataset;

/* Begin with HARDY_INIT, which is every default. Strings are kept as copies. */
typedef struct hardy_dataset_options {
	size_t size;          /* sizeof(hardy_dataset_options) */
	const char *labels;   /* "lv=3,myo=2": what the data set's label values mean, overriding its layout's; NULL */
	double spacing_mm[3]; /* x, y, z; > 0 overrides the files' spacing on that axis */
	bool tolerant; /* cases that cannot be used are warnings, and left out; false: they are an error that tells the first */
} hardy_dataset_options;

/*
 * Finds the layout and lists classes, channels and cases; voxels are read only where nothing else tells the label values. o: NULL for the defaults.
 * *out is released with hardy_dataset_free. A folder of no known layout is HARDY_ERROR_DATA, as is one without any case that can be used.
 */
HARDY_API hardy_status hardy_dataset_open(const char *folder, const hardy_dataset_options *o, hardy_dataset **out,
                                          const hardy_log *log, hardy_error *err);
HARDY_API void hardy_dataset_free(hardy_dataset *d); /* NULL allowed */

/* Texts are the data set's, good until hardy_dataset_free. */

HARDY_API const char *hardy_dataset_layout(const hardy_dataset *d); /* "ACDC", "M&Ms", "nnU-Net", "images and labels", "flat" */
HARDY_API int hardy_dataset_n_classes(const hardy_dataset *d);      /* with the background, which is class 0: 2 to 32 */
HARDY_API const char *hardy_dataset_class_name(const hardy_dataset *d, int i); /* NULL when there is no class i */
/* What its own label maps hold for the class; -1 when they have no value for it, or there is no class i. */
HARDY_API int hardy_dataset_class_value(const hardy_dataset *d, int i);
HARDY_API int hardy_dataset_n_channels(const hardy_dataset *d);                  /* of every image: 1 to 8 */
HARDY_API const char *hardy_dataset_channel_name(const hardy_dataset *d, int i); /* NULL when there is no channel i */
HARDY_API size_t hardy_dataset_n_subjects(const hardy_dataset *d);               /* of whom there is a case */
HARDY_API const char *hardy_dataset_subject(const hardy_dataset *d, size_t i);   /* sorted; NULL when there is no such one */
HARDY_API size_t hardy_dataset_n_cases(const hardy_dataset *d);                  /* scans, by subject, ED before ES */

/* One scan, one phase of one subject. */
typedef struct hardy_case {
	size_t size;            /* sizeof(hardy_case): the caller's, by HARDY_INIT */
	const char *subject;    /* "patient001" */
	const char *phase;      /* "ED", "ES", or "" */
	const char *site;       /* vendor or centre; "" when it is not known */
	const char *image_path; /* of the first channel */
	const char *label_path; /* NULL when there is no label map */
	int64_t frame;          /* in a 4-D file, from 0; -1: the file is 3-D */
	int64_t label_frame;    /* likewise of the label map */
	bool held_out;          /* lies in the data set's own validation or test folder */
	int64_t shape[3];       /* x, y, z, by the image's header */
	double spacing_mm[3];   /* x, y, z: by the header, or what the options override it with */
} hardy_case;

/* Reads the image's header. HARDY_ERROR_ARGUMENT when there is no case i. */
HARDY_API hardy_status hardy_dataset_case(const hardy_dataset *d, size_t i, hardy_case *out, hardy_error *err);

/* The files of a case's channels; NULL when there is no such one. One file whose fourth axis are the channels is the first one's alone. */
HARDY_API const char *hardy_dataset_channel_path(const hardy_dataset *d, size_t i, int channel);

/*
 * Reads case i: the image as float32, its fourth axis the channels; the labels (NULL allowed: not read) as uint8 class numbers on the image's grid.
 * What is wrong with them is an error, what is doubtful is told to log. Release both with hardy_volume_free.
 */
HARDY_API hardy_status hardy_dataset_read(const hardy_dataset *d, size_t i, hardy_volume **image, hardy_volume **labels,
                                          const hardy_log *log, hardy_error *err);

/* ---- who serves for what -------------------------------------------------------------------------------------------------- */

typedef enum hardy_split_list {
	HARDY_SPLIT_TRAIN,
	HARDY_SPLIT_VALIDATION,
	HARDY_SPLIT_TEST,
	HARDY_N_SPLIT_LISTS
} hardy_split_list;

/* As the options of `hardy train` of the same names. Begin with HARDY_INIT. */
typedef struct hardy_split_options {
	size_t size;        /* sizeof(hardy_split_options) */
	const char *splits; /* JSON file with lists of subjects, or of folds; NULL: they are drawn by seed */
	bool folds;         /* splits is a list of folds, as nnU-Net writes it, */
	int64_t fold;       /* of which this one counts, from 0 */
	int64_t subjects;   /* to train on; 0: all of the pool; -1: all that do not validate, but ten of a file's pool */
	int64_t validation; /* without splits: subjects held out to validate; 0: none; -1: 3 in 10, five at most */
	uint64_t seed;
} hardy_split_options;

typedef struct hardy_split hardy_split;

/* o: NULL for the defaults. What was decided is told to log. *out is released with hardy_split_free, and may outlive the data set. */
HARDY_API hardy_status hardy_split_new(const hardy_dataset *d, const hardy_split_options *o, hardy_split **out,
                                       const hardy_log *log, hardy_error *err);
HARDY_API void hardy_split_free(hardy_split *s); /* NULL allowed */
HARDY_API size_t hardy_split_n(const hardy_split *s, hardy_split_list list);
HARDY_API const char *hardy_split_subject(const hardy_split *s, hardy_split_list list,
                                          size_t i); /* NULL when there is no such one */

#ifdef __cplusplus
}
#endif
#endif
