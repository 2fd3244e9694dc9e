/*
 * nifti.c: any bytes as a scan, once as one file and once cut into header and image: refused or read, never harmful; and what
 * was read can be written and read again.
 */
#include "fuzz.h"
#include "place.h"

#include "base/memory.h"
#include "image/nifti.h"

#include <stdio.h>
#include <stdlib.h>

static void read_both_ways(const char *path)
{
	hy_volume v = {0}, again = {0};
	hy_labels l = {0};
	int64_t values[256];
	hardy_error err;
	if (!hy_nifti_read(path, NULL, &v, NULL, &err)) {
		volatile float sum = 0;
		for (int64_t i = 0; i < hy_grid_voxels(&v.grid) * v.nt; i++)
			sum += v.data[i];
		(void)sum;
		const char *out = place_path("b.nii");
		if (hy_nifti_write_float(out, &v, v.data, v.nt, &(hy_origin){.overwrite = true}, &err) ||
		    hy_nifti_read(out, NULL, &again, NULL, &err) || again.nt != v.nt ||
		    hy_grid_voxels(&again.grid) != hy_grid_voxels(&v.grid)) {
			fprintf(stderr, "what was read does not survive writing: %s\n", err.message);
			abort();
		}
	}
	if (!hy_nifti_read_labels(path, NULL, &l, values, NULL, &err)) {
		volatile uint8_t sum = 0;
		for (int64_t i = 0; i < hy_grid_voxels(&l.grid); i++)
			sum ^= l.data[i];
		(void)sum;
	}
	hy_volume_clear(&v);
	hy_volume_clear(&again);
	hy_labels_clear(&l);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	read_both_ways(place_kept("a.nii", data, size));
	/* A NIfTI-2 header starts with 540 in either byte order. */
	const size_t wanted = size > 2 && (data[0] == 0x1c || data[2] == 0x02) ? 540 : 348;
	const size_t header = size < wanted ? size : wanted;
	place_kept("a.img", data + header, size - header);
	read_both_ways(place_kept("a.hdr", data, header));
	return 0;
}
