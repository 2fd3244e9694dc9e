/*
 * score.c: all scores of one class of one case (see score.h).
 */
#include "metric/score.h"

#include "metric/clinical.h"

#include <math.h>

const char *hardy_score_name(hardy_score score)
{
	static const char *const names[HARDY_N_SCORES] = {"dice",      "jaccard",       "precision",     "recall",
	                                                  "hd_mm",     "hd95_mm",       "assd_mm",       "nsd",
	                                                  "volume_ml", "volume_ref_ml", "volume_diff_ml"};
	return (unsigned)score < HARDY_N_SCORES ? names[score] : NULL;
}

const char *hardy_row_state_name(hardy_row_state state)
{
	static const char *const names[HARDY_N_ROW_STATES] = {"both", "no prediction", "no reference", "neither", "not labelled"};
	return (unsigned)state < HARDY_N_ROW_STATES ? names[state] : NULL;
}

/* The four surface scores; NaN where undefined. */
static hardy_status score_surfaces(const hy_object_pair *pair, const hy_score_options *o, double value[HARDY_N_SCORES],
                                   hy_overlap *overlap, hardy_error *err)
{
	hy_surface_distances d = {0}, surfels = {0};
	hardy_status status = hy_distance_voxels(pair, HY_CONNECTIVITY_FACE, &d, err);
	if (status == HARDY_OK && o->nsd_surfels)
		status = hy_distance_surfels(pair, &surfels, err);
	if (status != HARDY_OK)
		goto out;
	*overlap = d.overlap;
	value[HARDY_SCORE_HD] = hy_distance_hd(&d);
	value[HARDY_SCORE_ASSD] = o->assd_directed ? hy_distance_assd_directed(&d) : hy_distance_assd(&d);
	value[HARDY_SCORE_NSD] = hy_distance_nsd(o->nsd_surfels ? &surfels : &d, o->tolerance_mm);
	status = o->hd95_directed ? hy_distance_hd_directed(&d, .95, &value[HARDY_SCORE_HD95], err)
	                          : hy_distance_hd_pooled(&d, .95, &value[HARDY_SCORE_HD95], err);
out:
	hy_distance_clear(&d);
	hy_distance_clear(&surfels);
	return status;
}

static hardy_status score_slices(const hy_object_pair *pair, const hy_score_options *o, double value[HARDY_N_SCORES],
                                 hy_overlap *overlap, hardy_error *err)
{
	static const hardy_score kinds[4] = {HARDY_SCORE_HD, HARDY_SCORE_HD95, HARDY_SCORE_ASSD, HARDY_SCORE_NSD};
	double total[4] = {0};
	int64_t n[4] = {0};
	*overlap = (hy_overlap){0, 0, 0};
	for (int64_t z = 0; z < pair->n[0]; z++) {
		hy_object_pair slice = *pair;
		double v[HARDY_N_SCORES];
		hy_overlap part;
		slice.pred += z * pair->n[1] * pair->n[2];
		slice.ref += z * pair->n[1] * pair->n[2];
		slice.n_dims = 2;
		slice.n[0] = 1;
		hardy_status status = score_surfaces(&slice, o, v, &part, err);
		if (status != HARDY_OK)
			return status;
		overlap->n_pred += part.n_pred;
		overlap->n_ref += part.n_ref;
		overlap->n_both += part.n_both;
		for (int k = 0; k < 4; k++) {
			if (isnan(v[kinds[k]]))
				continue;
			total[k] += v[kinds[k]];
			n[k]++;
		}
	}
	for (int k = 0; k < 4; k++)
		value[kinds[k]] = n[k] > 0 ? total[k] / (double)n[k] : NAN;
	return HARDY_OK;
}

hardy_status hy_score_object(const hy_object_pair *pair, const hy_score_options *o, double value[HARDY_N_SCORES],
                             hardy_row_state *state, hardy_error *err)
{
	hy_overlap overlap;
	double v[HARDY_N_SCORES];
	hardy_status status = o->per_slice ? score_slices(pair, o, v, &overlap, err) : score_surfaces(pair, o, v, &overlap, err);
	if (status != HARDY_OK)
		return status;
	v[HARDY_SCORE_DICE] = hy_overlap_dice(&overlap);
	v[HARDY_SCORE_JACCARD] = hy_overlap_jaccard(&overlap);
	v[HARDY_SCORE_PRECISION] = hy_overlap_precision(&overlap);
	v[HARDY_SCORE_RECALL] = hy_overlap_recall(&overlap);
	v[HARDY_SCORE_VOLUME_PREDICTION] = hy_volume_ml(overlap.n_pred, pair->spacing_mm);
	v[HARDY_SCORE_VOLUME_REFERENCE] = hy_volume_ml(overlap.n_ref, pair->spacing_mm);
	v[HARDY_SCORE_VOLUME_DIFFERENCE] = v[HARDY_SCORE_VOLUME_PREDICTION] - v[HARDY_SCORE_VOLUME_REFERENCE];
	if (overlap.n_pred == 0 && overlap.n_ref == 0 && o->empty != HARDY_EMPTY_UNDEFINED) {
		static const hardy_score shares[] = {HARDY_SCORE_DICE, HARDY_SCORE_JACCARD, HARDY_SCORE_PRECISION, HARDY_SCORE_RECALL,
		                                     HARDY_SCORE_NSD};
		for (size_t k = 0; k < sizeof(shares) / sizeof(shares[0]); k++)
			v[shares[k]] = o->empty == HARDY_EMPTY_ONE ? 1 : 0;
	}
	for (int k = 0; k < HARDY_N_SCORES; k++)
		value[k] = v[k];
	if (overlap.n_pred > 0)
		*state = overlap.n_ref > 0 ? HARDY_ROW_BOTH : HARDY_ROW_NO_REFERENCE;
	else
		*state = overlap.n_ref > 0 ? HARDY_ROW_NO_PREDICTION : HARDY_ROW_NEITHER;
	return HARDY_OK;
}
