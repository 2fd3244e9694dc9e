/*
 * forecast.h: how well predicted Dice agrees with the true one, where there is truth.
 */
#ifndef HY_PREDICT_FORECAST_H
#define HY_PREDICT_FORECAST_H

#include "predict/calibration.h"

typedef struct hy_forecast {
	size_t n, n_subjects;          /* predictions whose Dice is known, and whose they are */
	size_t n_below;                /* with a Dice below HY_DICE_POOR */
	double auc, auc_low, auc_high; /* for telling these, with the 95 % interval over subjects; NaN: undefined */
	double error;                  /* mean absolute; NaN without predictions */
	double below_low;              /* share whose Dice lies below the predicted lower bound; NaN likewise */
} hy_forecast;

/* One prediction; left out where predicted or dice is NaN. */
typedef struct hy_foretold {
	const char *subject;
	double predicted, low, dice;
} hy_foretold;

/* Items of one subject may lie anywhere. Deterministic. */
hardy_status hy_forecast_judge(hy_forecast *f, const hy_foretold *items, size_t n, hardy_error *err);

/* One line, without its end; empty when nothing was predicted. */
void hy_forecast_print(const hy_forecast *f, char *text, size_t size);

#endif
