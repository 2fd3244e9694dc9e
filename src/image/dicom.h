/*
 * dicom.h: recognising DICOM, which hardy does not read, so that messages can say what to do with it.
 */
#ifndef HY_IMAGE_DICOM_H
#define HY_IMAGE_DICOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HY_DICOM_START = 132 }; /* bytes that tell: a preamble of 128, then DICM (DICOM PS3.10, 7.1) */

/* What to do with DICOM, for messages: "... holds DICOM, " and this. */
#define HY_DICOM_REMEDY                                                                                                        \
	"which hardy does not read: convert it first, with the Debian package dcm2niix: dcm2niix -z y -o SCANS FOLDER, then name " \
	"SCANS"

bool hy_dicom_starts(const uint8_t *bytes, size_t size);

/* Whether the path is a DICOM file, or a folder with one among the first entries of it and of the folders in it. */
bool hy_dicom_is(const char *path);

#endif
