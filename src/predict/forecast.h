/*
 * forecast.h: how well predicted Dice agrees with the true one, where there is truth; below HY_DICE_POOR it is poor.
 */
#ifndef HY_PREDICT_FORECAST_H
#define HY_PREDICT_FORECAST_H

#include "predict/calibration.h"

/* One prediction; left out where predicted or dice is NaN. */
typedef struct hy_foretold {
	const char *subject;
	double predicted, low, dice;
} hy_foretold;

/* Items of one subject may lie anywhere. Deterministic. */
hardy_status hy_forecast_judge(hardy_forecast *f, const hy_foretold *items, size_t n, hardy_error *err);

/* One line, without its end; empty when nothing was predicted. */
void hy_forecast_print(const hardy_forecast *f, char *text, size_t size);

#endif
