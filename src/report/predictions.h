/*
 * predictions.h: a folder of predictions as one HTML file (internal to hardy_report).
 */
#ifndef HY_REPORT_PREDICTIONS_H
#define HY_REPORT_PREDICTIONS_H

#include "base/error.h"

/* Whether `hardy predict` wrote into this folder, and no experiment did; an error only when memory runs out. */
hardy_status hy_predictions_look(const char *folder, bool *are, hardy_error *err);

/*
 * Every row of FOLDER/quality.csv as a card with three slices, the least trusted first; a scan that is not where it was has none. DICOM is converted again
 * (scratch as in hy_series_convert). A card's picture opens the viewer (unless none is wanted), which carries the scans of the first cards, as long as
 * all of them together take no more than 16 MB.
 */
hardy_status hy_predictions_write(const char *folder, const char *path, const char *mark, bool viewer, const char *scratch,
                                  const hardy_log *log, hardy_error *err);

#endif
