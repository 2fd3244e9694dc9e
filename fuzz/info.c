/*
 * info.c: any bytes as the Info.cfg of a patient of the ACDC challenge, whose files lie beside it: refused or listed, never harmful.
 */
#include "fuzz.h"
#include "place.h"

#include "dataset/dataset.h"

#include <stdlib.h>
#include <string.h>

static void count(void *payload, const char *subject, const char *phase, const char *text)
{
	(void)subject;
	(void)phase;
	*(size_t *)payload += strlen(text) > 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const files[] = {"frame01.nii.gz", "frame01_gt.nii.gz", "frame12.nii.gz", "4d.nii.gz"};
	static bool made;
	hy_dataset d = {0};
	hardy_error err;
	size_t n_bad = 0;
	for (int i = 0; i < 4 && !made; i++) {
		char name[64] = "acdc/patient001/patient001_";
		place_put(strcat(name, files[i]), "", 0);
	}
	made = true;
	place_kept("acdc/patient001/Info.cfg", data, size);
	if (hy_dataset_open_usable(&d, place_path("acdc"), NULL, count, &n_bad, NULL, &err))
		abort(); /* two phases: each is a case or a problem */
	if (d.n_cases > 2 || (d.n_cases < 2 && !n_bad))
		abort();
	for (size_t i = 0; i < d.n_cases; i++)
		if (!d.cases[i].image_path[0] || d.cases[i].frame >= 100000)
			abort();
	hy_dataset_clear(&d);
	return 0;
}
