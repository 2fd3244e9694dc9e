/*
 * series.h: a folder of DICOM files as NIfTI scans, one a series, made by the program dcm2niix.
 *
 * Series are told apart, and the frames of a cine put in order, by the files' headers (dicom.h); dcm2niix decodes the voxels and says where they lie.
 */
#ifndef HY_IMAGE_SERIES_H
#define HY_IMAGE_SERIES_H

#include "base/error.h"

#include <stddef.h>

enum { HY_SERIES_NAME = 200 };

typedef struct hy_series {
	char name[HY_SERIES_NAME]; /* letters, digits, - and _; no other has it */
	char *path;                /* owned: the scan, an uncompressed NIfTI file of float32; NULL where it could not be made */
	char *fault;               /* owned: why not; NULL */
	int64_t n_frames;          /* 1, or those of a cine or of what dcm2niix takes for time */
	double step_ms;            /* between the frames of a cine; else NaN */
} hy_series;

typedef struct hy_converted {
	char *root, *folder; /* owned: the folder as it was named, and the private one of the scans */
	hy_series *items;    /* owned, by name */
	size_t n;
} hy_converted;

/*
 * Converts what lies in the folder and up to eight folders deep; the files are read, and nothing is written there. scratch: where a private folder may be made,
 * NULL for /tmp; hy_converted_clear removes it.
 *
 * A scan is called like the folder that holds the series' files, seen from root (root itself: its own name), with the series' number behind it where that folder
 * holds several. A series whose files have trigger times, each place of a slice the same number of them, is a cine: frame k has of each
 * place the k-th in time; the step is the mean over frames and places. What else comes in one series is left to dcm2niix.
 *
 * HARDY_ERROR_DATA when there is no image, when one folder holds series of several patients, and, with the remedy, when dcm2niix cannot be started. A series that
 * cannot be converted has a fault. HARDY_ERROR_INTERRUPTED when stop asks.
 */
hardy_status hy_series_convert(hy_converted *c, const char *root, const char *scratch, const hardy_stop *stop,
                               const hardy_log *log, hardy_error *err);
void hy_converted_clear(hy_converted *c);

/* Replaces each path of a converted scan in text by ROOT/NAME, which is what a user can know; room bytes. */
void hy_converted_name(const hy_converted *c, char *text, size_t room);

#endif
