/*
 * scan.h: scans and label maps to measure on when the user names none: from the phantom.
 */
#ifndef HY_BENCH_SCAN_H
#define HY_BENCH_SCAN_H

#include "image/volume.h"

/* Writes a scan of 256 x 256 and n_slices, the phantom's slices in turn, to path. Uses the folder `phantom` in folder, new. */
hardy_status hy_phantom_scan(const char *folder, const char *path, int64_t n_slices, hardy_error *err);
/* Two label maps of one grid: the phantom at end systole and at end diastole. */
hardy_status hy_phantom_pair(const char *folder, hy_labels *es, hy_labels *ed, hardy_error *err);

#endif
