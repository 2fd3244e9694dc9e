/*
 * demo_page.h: the folder of a demo as one HTML file (internal to hardy_report and hardy_demo).
 */
#ifndef HY_REPORT_DEMO_PAGE_H
#define HY_REPORT_DEMO_PAGE_H

#include "base/error.h"

/* What a page of ours begins with, for hy_outfile. */
#define HY_REPORT_MARK "<meta name=\"generator\" content=\"hardy "

/* Whether a folder looks like one of hardy demo: scores.csv whose first column is the seed, and worst.png. */
hardy_status hy_demo_look(const char *folder, bool *found, hardy_error *err);

/*
 * Verdict, table by site, picture of the worst scans, and what to look at next, from the folder's scores.csv and worst.png alone. mark: what a
 * file that may be replaced holds (base/outfile.h).
 */
hardy_status hy_demo_write_page(const char *folder, const char *path, const char *mark, hardy_error *err);

#endif
