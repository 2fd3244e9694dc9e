/*
 * quality.h: the table of quality signals that goes along with predictions.
 */
#ifndef HY_PREDICT_QUALITY_H
#define HY_PREDICT_QUALITY_H

#include "base/files.h"
#include "predict/predictor.h"

/*
 * A row a scan or frame: scan, output, frame (empty for 3-D scans), status (ok or failed), mean_entropy, disagreement,
 * reconstruction_error, reconstruction_z, predicted_dice, predicted_dice_low, volume_CLASS_ml ..., n_warnings, warnings (or what failed). Undefined fields are empty.
 */
void hy_quality_header(hy_outfile *f, const hy_class *classes, int n_classes);
void hy_quality_row(hy_outfile *f, const char *scan, const char *output, int64_t frame, const hy_prediction *p, int n_classes);
void hy_quality_failure(hy_outfile *f, const char *scan, const char *message, int n_classes);

#endif
