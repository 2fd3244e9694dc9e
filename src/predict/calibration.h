/*
 * calibration.h: from quality signals to a predicted Dice, as fitted for one model on scans that it was not trained on.
 *
 * The prediction is a ridge regression on hy_signals_vector followed by a monotone map; its lower bound subtracts a margin
 * that nine in ten of the held-out scans kept.
 */
#ifndef HY_PREDICT_CALIBRATION_H
#define HY_PREDICT_CALIBRATION_H

#include "predict/signals.h"

enum { HY_CALIBRATION_VERSION = 1, HY_MAX_KNOTS = 24, HY_N_MARGINS = 3, HY_CALIBRATION_SUBJECTS = 3 /* at least */ };

typedef struct hy_calibration {
	int version;                                /* 0: none */
	int64_t n_subjects, n_scans, n_predictions; /* it rests on; predictions: of scans and of their spoiled copies */
	int64_t n_below;                            /* predictions with a Dice below HY_DICE_POOR */
	double presence[HY_MAX_CLASSES];            /* share of the scans that have the class */
	double mean[HY_N_SIGNALS], sd[HY_N_SIGNALS], weight[HY_N_SIGNALS], intercept;
	int n_knots;
	double knot_x[HY_MAX_KNOTS], knot_y[HY_MAX_KNOTS];   /* of the monotone map: linear between knots, level outside */
	double margin_x[HY_N_MARGINS], margin[HY_N_MARGINS]; /* likewise: the margin by predicted Dice */
	double error,
	    auc; /* each subject predicted by the others: mean absolute error, area under the curve for n_below; -1: undefined */
} hy_calibration;

/* A Dice that calls for a look at the label map. */
#define HY_DICE_POOR 0.7

/* One prediction whose Dice (mean over classes) is known. */
typedef struct hy_known {
	int subject; /* 0, 1 ...: what is left out together */
	hy_signals signals;
	double dice;
} hy_known;

/*
 * Fits everything but presence, which is given, and n_scans. Deterministic. HARDY_ERROR_DATA with fewer than HY_CALIBRATION_SUBJECTS
 * subjects.
 */
hardy_status hy_calibration_fit(hy_calibration *c, const hy_known *known, size_t n, hardy_error *err);

/* low: nine in ten scans like those of the calibration are better. */
void hy_calibration_apply(const hy_calibration *c, const hy_signals *s, double *dice, double *low);

#endif
