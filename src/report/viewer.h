/*
 * viewer.h: the viewer of scans that a page carries, and what it shows (internal to hardy_report). src/report/web/main.js runs it.
 */
#ifndef HY_REPORT_VIEWER_H
#define HY_REPORT_VIEWER_H

#include "base/files.h"
#include "draw/blob.h"

/* In this order, what the caller adds between them being part of the viewer: hy_viewer_open, the list of cases (id viewer-case), hy_viewer_controls, a legend,
 * hy_viewer_panels, scores, hy_viewer_close. */
void hy_viewer_open(hy_outfile *f, const char *about);
void hy_viewer_controls(hy_outfile *f);
void hy_viewer_panels(hy_outfile *f, const char *first, const char *first_about);
void hy_viewer_close(hy_outfile *f);

/* A member of a case's JSON: a comma, the name and a volume. */
void hy_viewer_volume(hy_outfile *f, const char *name, const hy_blob *b);

/* The scripts, at the end of a page; nothing in a program that was built without npm. */
void hy_viewer_scripts(hy_outfile *f);
bool hy_viewer_can(void);

/* A scan and its label map as the viewer wants them: grey values 0 to 255 and label values, gzipped NIfTI. */
typedef struct hy_packed {
	hy_blob image, label;
	int64_t n_slices, slice; /* slice: the one with most labels, from 0 */
} hy_packed;

enum { HY_PACKED_SIDE = 128, HY_PACKED_SLICES = 96 };

/*
 * The first frame of image and its labels, slices along z: the square around the labels with a third of it as margin, or all of it without labels, made smaller by
 * a whole number to at most 128 pixels a side; all slices, or where there are more than 96 every second, third ... Grey values from the first to the last half percent of
 * what is kept.
 */
hardy_status hy_packed_make(hy_packed *p, const hy_volume *image, const hy_labels *label, hardy_error *err);
void hy_packed_clear(hy_packed *p);

#endif
