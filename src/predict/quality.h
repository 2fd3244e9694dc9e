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

/* One row of such a table. */
typedef struct hy_quality_line {
	char output[192];
	int64_t frame;         /* -1: empty */
	double predicted, low; /* NaN: empty */
} hy_quality_line;

/* Reads a table back, those rows that name an output; *lines is released with hy_free. One without these columns is an error. */
hardy_status hy_quality_read(const char *path, hy_quality_line **lines, size_t *n, hardy_error *err);

#endif
