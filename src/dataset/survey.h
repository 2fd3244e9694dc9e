/*
 * survey.h: what the labels to train on say about a data set: how fine the network's grid must be, how far it must reach, and whether the
 * objects lie alike.
 */
#ifndef HY_DATASET_SURVEY_H
#define HY_DATASET_SURVEY_H

#include "dataset/preprocess.h"

/* Of one labelled scan, in mm, in the plane of its slices. */
typedef struct hy_survey_scan {
	int subject;
	double spacing_mm;                   /* mean of both axes */
	double thickness;                    /* from slice to slice, in units of it */
	double image_mm;                     /* the longer side */
	double reach_mm;                     /* greatest distance of a label's edge from the middle, along an axis */
	double depth_mm;                     /* likewise across the slices */
	double n[HY_MAX_CLASSES];            /* voxels */
	double centre_mm[HY_MAX_CLASSES][2]; /* x, y; of class 0: of all classes but the background */
	double radius_mm;                    /* of all of them: root mean square distance from their centre */
	double axis_deg, elongation;         /* direction of the greatest variance, and ratio of standard deviations */
} hy_survey_scan;

/* Begin with a zeroed one. */
typedef struct hy_survey {
	hy_survey_scan *scans; /* owned */
	double *sorted;        /* owned: as many, for what asks how most scans are */
	size_t n, room;
} hy_survey;

/* labels: class indices on grid g, brought into the plan's order. *n is the number of foreground voxels: a scan without any is not measured. */
hardy_status hy_survey_measure(hy_survey_scan *scan, const hy_plan *p, const hy_grid *g, const uint8_t *labels, double *n,
                               hardy_error *err);
hardy_status hy_survey_put(hy_survey *s, const hy_survey_scan *scan, hardy_error *err);
/* Both: scans without foreground do not count. */
hardy_status hy_survey_add(hy_survey *s, const hy_plan *p, const hy_grid *g, const uint8_t *labels, int subject,
                           hardy_error *err);
void hy_survey_clear(hy_survey *s);

/* The grid that is usual: that of `hardy train`'s usual preset. */
enum { HY_USUAL_SIZE = 96 };
#define HY_USUAL_SPACING_MM 2.0

/*
 * The grid. size, spacing_mm: what is usual; it stays where the labels of nine scans in ten fit into it, or nearly, and need more than half of its side.
 * Smaller objects get a finer one (no finer than the scans, nor larger than usual), larger ones a coarser one.
 */
void hy_survey_grid(const hy_survey *s, int64_t *size, double *spacing_mm);

/* How many neighbours on each side a slice should be seen with: 1 where half of the scans have slices that are no more than twice as far apart as their
 * pixels, so that what lies in a slice goes on in the next; else 0. */
int hy_survey_neighbours(const hy_survey *s);

/* In how many planes slices should be taken, 1 or 3: 3 where neighbours should be seen, and nine scans in ten have labels that fit into view_mm across
 * their slices, too. */
int hy_survey_planes(const hy_survey *s, double view_mm);

/* How alike the objects lie. */
typedef struct hy_alike {
	int from, to; /* the classes between whose centres the direction was taken; 0, 0: the long axis of all classes */
	double
	    spread_deg; /* circular standard deviation of its subjects; NaN where nothing tells a direction, or fewer than three subjects do */
} hy_alike;

/*
 * The direction from one class to another, of the two whose centres are farthest apart, if that is more than half of the object's radius;
 * else the long axis, if it is half as long again as the short one. Scans of one subject count as one.
 */
hy_alike hy_survey_alike(const hy_survey *s);

#endif
