/*
 * pairing.h: which prediction belongs to which reference label map.
 */
#ifndef HY_PREDICT_PAIRING_H
#define HY_PREDICT_PAIRING_H

#include "dataset/dataset.h"
#include "predict/legend.h"

typedef struct hy_pair {
	const char *name, *subject, *site; /* below HARDY_CASE_SIZE and HY_NAME_SIZE letters */
	char *names;                       /* owned: holds those that are not the data set's */
	char phase[16];
	char *prediction; /* owned path; NULL when there is none */
	char *problem;    /* owned: why the pair cannot be scored; NULL */
	int64_t frame;    /* of a 4-D prediction, -1 for a 3-D one */
	char *reference;  /* owned path of a label map; NULL: case_index of the data set */
	size_t case_index;
} hy_pair;

void hy_pair_clear(hy_pair *p);

/* A case of the reference that cannot be used. */
typedef struct hy_unusable {
	char name[HARDY_CASE_SIZE], text[1024];
} hy_unusable;

typedef struct hy_pairing {
	hy_dataset data; /* the data set, or only classes and their values (root NULL) */
	bool unnamed;    /* nothing names the values: predictions hold the same ones */
	hy_pair *pairs;  /* owned, in the reference's order */
	size_t n_pairs;
	char **unused; /* owned: predictions without a reference */
	size_t n_unused;
	hy_unusable *unusable; /* owned */
	size_t n_unusable;
} hy_pairing;

/*
 * prediction: a file, or a folder of files. reference: a file, a folder of label maps (all named NAME_gt, or none), or a data
 * set. Names are compared without extension and "_gt". A data set's case answers to SUBJECT_PHASE (SUBJECT without phase) and
 * to the names of its image and its label file; where these are 4-D, so must the prediction be. ACDC's
 * frames answer to SUBJECT_4d, too. Two predictions or label maps of one name but for the extension are a problem of their pair. One
 * file on both sides is a pair whatever the names. Cases that cannot be used are listed, or with strict an error. predicted: what the
 * predictions' values mean, NULL where that is not known; it names the values of label maps that have no names of their own (o->labels, a table
 * beside them), if it knows them all.
 */
hardy_status hy_pairing_make(hy_pairing *p, const char *prediction, const char *reference, const hy_legend *predicted,
                             const hy_dataset_options *o, bool strict, const hardy_log *log, hardy_error *err);
void hy_pairing_clear(hy_pairing *p);

#endif
