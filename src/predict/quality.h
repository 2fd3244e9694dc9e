/*
 * quality.h: the table of quality signals that goes along with predictions.
 */
#ifndef HY_PREDICT_QUALITY_H
#define HY_PREDICT_QUALITY_H

#include "base/files.h"
#include "metric/clinical.h"
#include "predict/predictor.h"

/*
 * A row a scan or frame: scan, output, frame (empty for 3-D scans), status (ok or failed), mean_entropy, disagreement,
 * reconstruction_error, reconstruction_z, predicted_dice, predicted_dice_low, volume_CLASS_ml ..., with a class LV or RV time_ms, phase, and of each of
 * them lv_edv_ml, lv_esv_ml, lv_ef_percent, n_warnings, warnings (or what failed). Undefined fields are empty.
 */
typedef struct hy_quality_heart {
	double time_ms; /* of a cine's frame; NaN: unknown */
	char phase[4];  /* "ED", "ES" or "" */
	hy_ventricle lv, rv;
} hy_quality_heart;

/* What a row says of a label map; signals that were not measured are NaN. */
typedef struct hy_quality_values {
	double mean_entropy, disagreement, reconstruction_error, reconstruction_z, predicted_dice, predicted_low;
	double *volume_ml; /* by class */
	int n_warnings;
	char *warnings;
} hy_quality_values;

extern const hy_quality_heart hy_quality_no_heart; /* nothing is known of it */

/* Index of the class of that name; 0 where there is none. */
int hy_quality_class(const char *name, const hy_class *classes, int n_classes);

void hy_quality_header(hy_outfile *f, const hy_class *classes, int n_classes);
void hy_quality_row(hy_outfile *f, const char *scan, const char *output, int64_t frame, const hy_quality_values *v,
                    const hy_quality_heart *heart, const hy_class *classes, int n_classes);
void hy_quality_failure(hy_outfile *f, const char *scan, const char *message, const hy_class *classes, int n_classes);

#define HY_QUALITY_MARK "scan,output,frame,status,"

/*
 * Copies from a table that was there before, to a row each, what is said of label maps that still lie in folder and of scans that failed,
 * unless taken says that this run has a row for the scan or output (NULL: none). Columns go by their titles. A table that is not there
 * has no rows.
 */
hardy_status hy_quality_keep(hy_outfile *f, const char *path, const char *folder, const hy_class *classes, int n_classes,
                             bool (*taken)(void *payload, const char *scan, const char *output), void *payload,
                             hardy_error *err);

/* One row of such a table. */
typedef struct hy_quality_line {
	char output[192];
	int64_t frame;         /* -1: empty */
	double predicted, low; /* NaN: empty */
} hy_quality_line;

/* Reads a table back, those rows that name an output; *lines is released with hy_free. One without these columns is an error. */
hardy_status hy_quality_read(const char *path, hy_quality_line **lines, size_t *n, hardy_error *err);

#endif
