/*
 * mnms.c: any bytes as the table of the M&Ms challenge, with two subjects' folders: refused or listed, never harmful.
 */
#include "fuzz.h"
#include "place.h"

#include "dataset/dataset.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const files[] = {"mnms/Training/Labeled/A0S9V9/A0S9V9_sa.nii.gz",
	                                    "mnms/Training/Labeled/A0S9V9/A0S9V9_sa_gt.nii.gz", "mnms/Testing/B1/B1_sa.nii.gz"};
	static bool made;
	hy_dataset d = {0};
	hardy_error err;
	for (size_t i = 0; i < sizeof files / sizeof *files && !made; i++)
		place_put(files[i], "", 0);
	made = true;
	place_kept("mnms/table.csv", data, size);
	if (hy_dataset_open_usable(&d, place_path("mnms"), NULL, place_pass_over, NULL, NULL, &err))
		return 0;
	for (size_t i = 0; i < d.n_cases; i++)
		if (d.cases[i].frame < 0 || !d.cases[i].image_path[0])
			abort();
	hy_dataset_clear(&d);
	return 0;
}
