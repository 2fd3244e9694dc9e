/*
 * evaluate.h: a label map against another, in memory: Dice, Hausdorff distances, surface distances and volumes of each label.
 *
 * The figures are those of `hardy evaluate` (docs/METRICS.md), in mm and mL by the reference's spacing. Functions may be called from any threads.
 *
 * Example: two squares of one slice, a voxel apart.
 *
 *     #include <hardy.h>
 *     #include <stdio.h>
 *
 *     int main(void)
 *     {
 *         unsigned char a[8][8] = {{0}}, b[8][8] = {{0}};
 *         hardy_image reference, prediction;
 *         hardy_scores *scores;
 *         hardy_error err;
 *         HARDY_INIT(reference);
 *         for (int y = 2; y < 6; y++)
 *             for (int x = 2; x < 6; x++)
 *                 a[y][x] = b[y][x + 1] = 1;
 *         reference.data = a;
 *         reference.type = HARDY_TYPE_UINT8;
 *         reference.shape[0] = reference.shape[1] = 8;
 *         reference.spacing_mm[0] = reference.spacing_mm[1] = 1.5;
 *         reference.spacing_mm[2] = 10;
 *         prediction = reference;
 *         prediction.data = b;
 *         if (hardy_scores_new(&prediction, &reference, NULL, &scores, &err)) {
 *             fprintf(stderr, "%s\n", err.message);
 *             return 1;
 *         }
 *         printf("label %d: Dice %.2f, HD95 %.1f mm\n", (int)hardy_scores_label(scores, 0),
 *                hardy_scores_value(scores, 0, HARDY_SCORE_DICE), hardy_scores_value(scores, 0, HARDY_SCORE_HD95));
 *         hardy_scores_free(scores);
 *         return 0;
 *     }
 */
#ifndef HARDY_EVALUATE_H
#define HARDY_EVALUATE_H

#include "error.h"
#include "image.h"
#include "version.h"

#ifdef __cplusplus
extern "C" {
#endif

/* What a score measures; P is the prediction's object of one class, R the reference's. Undefined values are NaN. */
typedef enum hardy_score {
	HARDY_SCORE_DICE,              /* 2 |P and R| / (|P| + |R|) */
	HARDY_SCORE_JACCARD,           /* |P and R| / |P or R| */
	HARDY_SCORE_PRECISION,         /* |P and R| / |P| */
	HARDY_SCORE_RECALL,            /* |P and R| / |R| */
	HARDY_SCORE_HD,                /* Hausdorff distance, mm */
	HARDY_SCORE_HD95,              /* its 95th percentile, mm */
	HARDY_SCORE_ASSD,              /* average symmetric surface distance, mm */
	HARDY_SCORE_NSD,               /* share of both surfaces within the tolerance of the other */
	HARDY_SCORE_VOLUME_PREDICTION, /* mL */
	HARDY_SCORE_VOLUME_REFERENCE,  /* mL */
	HARDY_SCORE_VOLUME_DIFFERENCE, /* prediction minus reference, mL */
	HARDY_N_SCORES
} hardy_score;

/* The column name in CSV and JSON: "dice", "hd95_mm" ... */
HARDY_API const char *hardy_score_name(hardy_score score);

/* What Dice, Jaccard, precision, recall and NSD are when neither prediction nor reference has the class. */
typedef enum hardy_empty_rule { HARDY_EMPTY_UNDEFINED, HARDY_EMPTY_ONE, HARDY_EMPTY_ZERO } hardy_empty_rule;

typedef enum hardy_row_state {
	HARDY_ROW_BOTH,          /* both have the class */
	HARDY_ROW_NO_PREDICTION, /* the prediction lacks it: Dice 0, distances undefined */
	HARDY_ROW_NO_REFERENCE,  /* the reference lacks it: Dice 0, distances undefined */
	HARDY_ROW_NEITHER,       /* both lack it: see hardy_empty_rule, distances undefined */
	HARDY_ROW_NOT_LABELLED,  /* with labelled_slices, the reference lacks the class in the whole case: all undefined */
	HARDY_N_ROW_STATES
} hardy_row_state;

HARDY_API const char *hardy_row_state_name(hardy_row_state state); /* "both", "no prediction" ... */

/* Begin with HARDY_INIT, which is every default. */
typedef struct hardy_scores_options {
	size_t size;           /* sizeof(hardy_scores_options) */
	const int64_t *labels; /* score these, n_labels of them, 1 to 65535 each; NULL: all but 0 that either map has */
	size_t n_labels;
	double tolerance_mm; /* of NSD, more than 0; 0: 2 */
	hardy_empty_rule empty;
	bool hd95_directed; /* larger of the two directed percentiles instead of the percentile of both lists pooled */
	bool assd_directed; /* half the sum of the directed means instead of the mean of both lists pooled */
	bool nsd_surfels;   /* surfaces weighted by area instead of voxels counted */
} hardy_scores_options;

typedef struct hardy_scores hardy_scores;

/*
 * Both maps hold whole numbers from 0 to 65535, of any type, at most 256 different ones, have one shape and no fourth axis (of a cine make a view a frame).
 * The reference's spacing counts; where both say where they lie, they must lie at the same place, within half a voxel. o: NULL for the defaults. *out is
 * released with hardy_scores_free.
 */
HARDY_API hardy_status hardy_scores_new(const hardy_image *prediction, const hardy_image *reference,
                                        const hardy_scores_options *o, hardy_scores **out, hardy_error *err);
HARDY_API void hardy_scores_free(hardy_scores *s); /* NULL allowed */

HARDY_API size_t hardy_scores_n(const hardy_scores *s); /* labels scored, in the order of the options, else rising */
HARDY_API int64_t hardy_scores_label(const hardy_scores *s, size_t i); /* -1 when there is no such one */
/* Which of the maps have it; HARDY_N_ROW_STATES when there is no such one. */
HARDY_API hardy_row_state hardy_scores_state(const hardy_scores *s, size_t i);
/* NaN when undefined, or when there is no such one. */
HARDY_API double hardy_scores_value(const hardy_scores *s, size_t i, hardy_score score);

#ifdef __cplusplus
}
#endif
#endif
