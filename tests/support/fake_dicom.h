/*
 * fake_dicom.h: small DICOM files for tests: MR images of one slice, with as much of a header as tells scans apart.
 */
#ifndef HY_TESTS_SUPPORT_FAKE_DICOM_H
#define HY_TESTS_SUPPORT_FAKE_DICOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { FAKE_DICOM_SIDE = 16, FAKE_DICOM_ROOM = 4096 };

typedef struct fake_dicom {
	const char *patient, *series; /* "1", "1.2.3" */
	const char *maker;            /* "SIEMENS"; NULL: not said */
	int series_number, instance;
	double place_mm;    /* of the slice; all lie in planes z = place */
	double trigger_ms;  /* NaN: not said */
	uint16_t value;     /* of all pixels but the first, which is 1000 */
	bool implicit;      /* no value representations */
	bool with_sequence; /* of undefined length, before what is looked for */
	bool no_pixels;
} fake_dicom;

/* Into bytes; returns how many. */
size_t fake_dicom_make(const fake_dicom *d, uint8_t bytes[FAKE_DICOM_ROOM]);
/* Into a file of the tree (tree.h). */
void fake_dicom_write(const char *name, const fake_dicom *d);

/* folder/NNNN.dcm: nz slices 8 mm apart, nt frames 40 ms apart, all frames of a slice before the next, numbered against their order in space. Pixels of
 * slice z in frame t are 100 z + 10 t. first: of its instance numbers and files. */
void fake_dicom_cine(const char *folder, const fake_dicom *like, int nz, int nt, int first);

#endif
