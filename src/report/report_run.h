/*
 * report_run.h: the folder of a training as one HTML file (internal to hardy_report).
 */
#ifndef HY_REPORT_REPORT_RUN_H
#define HY_REPORT_REPORT_RUN_H

#include "report/trained.h"

/*
 * Verdict, plan, data, learning curves, validation scans and methods of a training or a cross-validation. Of more than three times cases
 * scans, the worst, the middle and the best are shown, so many of each; 0: none.
 */
hardy_status hy_run_write_page(const char *folder, const char *path, const char *mark, int64_t cases, const hardy_log *log,
                               hardy_error *err);

#endif
