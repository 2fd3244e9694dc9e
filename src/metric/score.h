/*
 * score.h: all scores of one class of one case.
 */
#ifndef HY_METRIC_SCORE_H
#define HY_METRIC_SCORE_H

#include "metric/distance.h"

/* What of hardy_evaluate_options concerns a single case. */
typedef struct hy_score_options {
	double tolerance_mm;
	hardy_empty_rule empty;
	bool per_slice; /* distances and NSD in the plane of each slice (axis 0), means over slices; the pair has 3 dimensions */
	bool hd95_directed, assd_directed, nsd_surfels;
} hy_score_options;

/*
 * value[] as documented at hardy_score. With per_slice, distances are means over the slices in which both objects are present,
 * NSD over those in which at least one is (0 where one is missing).
 */
hardy_status hy_score_object(const hy_object_pair *pair, const hy_score_options *o, double value[HARDY_N_SCORES],
                             hardy_row_state *state, hardy_error *err);

#endif
