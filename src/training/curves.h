/*
 * curves.h: how a training goes, as a picture that a browser shows and that is renewed with every row of metrics.csv.
 */
#ifndef HY_TRAINING_CURVES_H
#define HY_TRAINING_CURVES_H

#include "base/text.h"

#define HY_CURVES_MARK "<!-- by hardy train -->"

/*
 * Adds an SVG of the columns step, loss (on a logarithmic scale), learning_rate and val_stn_dice (where there are any) of a table in CSV,
 * which is cut up. title is text, whatever it holds. What cannot be drawn is left out; memory that runs out shows in *out.
 */
void hy_curves_draw(hy_text *out, char *csv, const char *title);

#endif
