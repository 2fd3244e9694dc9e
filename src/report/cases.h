/*
 * cases.h: the test cases that a report shows: chosen by their scores, segmented again by the models of the experiment, and packed
 * for the page.
 */
#ifndef HY_REPORT_CASES_H
#define HY_REPORT_CASES_H

#include "draw/blob.h"
#include "experiment/results.h"

/* A case as one network of one method segmented it. */
typedef struct hy_case_map {
	size_t method;
	int which;                     /* 0 FTN, 1 FTN+STN */
	const hy_results_score *score; /* of the same run; in the results */
	hy_blob volume;                /* NIfTI, uint8 class indices, gzipped */
	hy_blob picture;               /* PNG of the shown slice; of FTN+STN, empty unless drawn */
} hy_case_map;

typedef struct hy_shown_case {
	size_t set;
	const char *name; /* in the results */
	int64_t draw;
	double mean;             /* Dice of FTN+STN, over methods */
	size_t rank, of;         /* by mean among the cases of its set, from 1, the worst */
	bool drawn;              /* it has pictures: the worst, the middle one and the best that are shown of its set */
	int64_t n_slices, slice; /* the labelled slice in which the maps differ most from the truth, from 0 */
	hy_blob image, truth, image_picture, truth_picture;
	hy_case_map *maps; /* owned, by method, FTN first */
	size_t n_maps;
} hy_shown_case;

typedef struct hy_shown {
	hy_class classes[HY_MAX_CLASSES];
	int n_classes;        /* with background */
	hy_shown_case *cases; /* owned, by set, from the worst on */
	size_t n;
	size_t n_models;
	char note[1024]; /* what could not be shown, and why; "" when nothing */
} hy_shown;

/*
 * n_each cases of each set: the worst, the best and others evenly between by rank. The models are those of the first seed of each method
 * that has one in FOLDER/runs. A missing model or data set is a note, no error.
 */
hardy_status hy_shown_make(hy_shown *out, const hy_results *s, int64_t n_each, const hardy_log *log, hardy_error *err);
void hy_shown_clear(hy_shown *c);

#endif
