/*
 * dicom.h: what DICOM files say of themselves; hardy reads no voxels of them, series.h has them converted.
 */
#ifndef HY_IMAGE_DICOM_H
#define HY_IMAGE_DICOM_H

#include "base/error.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HY_DICOM_START = 132 }; /* bytes that tell: a preamble of 128, then DICM (DICOM PS3.10, 7.1) */

/* What to do with DICOM where it is not converted, for messages: "... is DICOM, " and this. */
#define HY_DICOM_REMEDY                                                                                                        \
	"which this does not read: convert it first, with the Debian package dcm2niix: dcm2niix -z y -o SCANS FOLDER, then name "  \
	"SCANS"

bool hy_dicom_starts(const uint8_t *bytes, size_t size);

/* Whether the path is a DICOM file, or a folder with one among the first entries of it and of the folders in it. An error only where memory
 * runs out. */
hardy_status hy_dicom_is(const char *path, bool *found, hardy_error *err);

enum { HY_DICOM_TEXT = 65 }; /* longest value that is kept, and a zero byte */

/* Of one file. Texts are "" where they are missing, numbers NaN. */
typedef struct hy_dicom {
	bool image;                    /* it has rows of pixels */
	char patient[HY_DICOM_TEXT];   /* ID (0010,0020) */
	char series[HY_DICOM_TEXT];    /* instance UID (0020,000E) */
	char position[HY_DICOM_TEXT];  /* of the first voxel (0020,0032), as it is written */
	char direction[HY_DICOM_TEXT]; /* of rows and columns (0020,0037) */
	double series_number;          /* (0020,0011) */
	double instance;               /* number (0020,0013) */
	double trigger_ms;             /* time behind the R wave (0018,1060) */
} hy_dicom;

/*
 * Reads size bytes from the start of a file, as far as they go: explicit or implicit little-endian (DICOM PS3.5, 7.1). false where they are no
 * DICOM, or of a transfer syntax whose header is compressed or big-endian.
 */
bool hy_dicom_parse(const uint8_t *bytes, size_t size, hy_dicom *out);

#endif
