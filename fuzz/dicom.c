/*
 * dicom.c: any bytes as the start of a DICOM file: understood or refused, never read beyond.
 */
#include "fuzz.h"

#include "image/dicom.h"

#include <stdlib.h>
#include <string.h>

static void judge(const char *text)
{
	if (!memchr(text, 0, HY_DICOM_TEXT))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hy_dicom d;
	const bool good = hy_dicom_parse(data, size, &d);
	if (good && !hy_dicom_starts(data, size))
		abort();
	judge(d.patient);
	judge(d.series);
	judge(d.position);
	judge(d.direction);
	return 0;
}
