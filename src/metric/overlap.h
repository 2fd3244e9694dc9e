/*
 * overlap.h: how much two objects in label maps cover each other: Dice, Jaccard, precision, recall.
 *
 * An object is the set of voxels equal to one value. A ratio whose denominator is 0 is undefined and returned as NaN: both
 * objects empty for Dice and Jaccard, an empty prediction for precision, an empty reference for recall.
 */
#ifndef HY_METRIC_OVERLAP_H
#define HY_METRIC_OVERLAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct hy_overlap {
	int64_t n_pred, n_ref, n_both; /* voxels of the prediction P, the reference R and their intersection */
} hy_overlap;

hy_overlap hy_overlap_count(const uint8_t *pred, const uint8_t *ref, size_t n, uint8_t value);

double hy_overlap_dice(const hy_overlap *o);      /* 2 |P and R| / (|P| + |R|); Dice, Ecology 26, 1945 */
double hy_overlap_jaccard(const hy_overlap *o);   /* |P and R| / |P or R| */
double hy_overlap_precision(const hy_overlap *o); /* |P and R| / |P| */
double hy_overlap_recall(const hy_overlap *o);    /* |P and R| / |R| */

/*
 * Dice of the classes 1 to n_classes - 1 of two maps of n voxels, into dice (n_classes values, the first NaN; NULL allowed): NaN where neither
 * map has the class, or counted (NULL: all) leaves it out. Returns their mean (hy_mean_defined).
 */
double hy_overlap_mean_dice(const uint8_t *pred, const uint8_t *ref, size_t n, int n_classes, const bool *counted,
                            double *dice);

#endif
