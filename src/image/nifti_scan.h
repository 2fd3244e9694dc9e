/*
 * nifti_scan.h: an opened scan whose header has been understood and whose voxels can be read; for the reader and for
 * inspection.
 */
#ifndef HY_IMAGE_NIFTI_SCAN_H
#define HY_IMAGE_NIFTI_SCAN_H

#include "image/nifti_header.h"
#include "image/stream.h"

typedef struct hy_nifti_scan {
	char *header_path, *image_path; /* the same for a single file */
	hy_nifti_header h;
	hy_stream stream; /* at the start of the image's file */
} hy_nifti_scan;

/*
 * Finds the file or files, checks the header, and that the image can hold what the header promises (exactly, unless gzipped).
 * spacing_mm as in hy_nifti_options, or NULL. hy_nifti_close releases it.
 */
hardy_status hy_nifti_open(const char *path, const double *spacing_mm, hy_nifti_scan *out, const hardy_log *log,
                           hardy_error *err);
void hy_nifti_close(hy_nifti_scan *s);

#endif
