/*
 * dataset_json.c: any bytes as nnU-Net's dataset.json, with a few scans: refused or listed, never harmful.
 */
#include "fuzz.h"
#include "place.h"

#include "dataset/dataset.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const files[] = {"imagesTr/a_0000.nii.gz", "imagesTr/a_0001.nii.gz", "imagesTr/b_0000.nii.gz",
	                                    "labelsTr/a.nii.gz",      "labelsTr/b.nii.gz",      "imagesTs/c.nii.gz"};
	static bool made;
	hy_dataset d = {0};
	hardy_error err;
	for (size_t i = 0; i < sizeof files / sizeof *files && !made; i++)
		place_put(files[i], "", 0);
	made = true;
	place_kept("dataset.json", data, size);
	if (hy_dataset_open_usable(&d, place_path(""), NULL, place_pass_over, NULL, NULL, &err))
		return 0;
	if (d.n_classes < 1 || d.n_classes > HY_MAX_CLASSES || d.n_channels < 1 || d.n_channels > HY_MAX_CHANNELS)
		abort();
	for (int v = 0; v < d.n_values; v++)
		if (d.values[v].class >= d.n_classes)
			abort();
	hy_dataset_clear(&d);
	return 0;
}
