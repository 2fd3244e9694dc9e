/*
 * scan.c: scans and label maps of the phantom.
 */
#include "bench/scan.h"

#include "base/files.h"
#include "base/memory.h"
#include "dataset/dataset.h"
#include "image/nifti.h"

#include <string.h>

enum { SIZE = 256 };

static hardy_status open_phantom(const char *folder, hy_dataset *d, hardy_error *err)
{
	hardy_phantom_options o;
	hardy_phantom_options_init(&o);
	o.sites = "A";
	o.subjects = 1;
	o.size = SIZE;
	char *path = hy_path_join(folder, "phantom"), *site = path ? hy_path_join(path, "siteA") : NULL;
	hardy_status status = site ? hardy_phantom_make(path, &o, NULL, err) : hy_fail_memory(err, "a path", 1, strlen(folder));
	if (!status)
		status = hy_dataset_open(d, site, NULL, NULL, err);
	hy_free(site);
	hy_free(path);
	return status;
}

hardy_status hy_phantom_scan(const char *folder, const char *path, int64_t n_slices, hardy_error *err)
{
	hy_dataset d = {0};
	hy_volume image = {0};
	int16_t *voxels = NULL;
	hardy_status status = open_phantom(folder, &d, err);
	if (!status)
		status = hy_case_load(&d, 0, NULL, &image, NULL, NULL, err);
	if (status)
		goto out;
	const int64_t plane = image.grid.nx * image.grid.ny, nz = image.grid.nz;
	voxels = hy_alloc((size_t)(n_slices * plane), sizeof *voxels);
	if (!voxels) {
		status = hy_fail_memory(err, "a scan", (size_t)(n_slices * plane), sizeof *voxels);
		goto out;
	}
	for (int64_t z = 0; z < n_slices; z++)
		for (int64_t i = 0; i < plane; i++)
			voxels[z * plane + i] = (int16_t)image.data[z % nz * plane + i];
	image.grid.nz = n_slices;
	status = hy_nifti_write_int16(path, &image, voxels, 1, NULL, err);
out:
	hy_free(voxels);
	hy_volume_clear(&image);
	hy_dataset_clear(&d);
	return status;
}

hardy_status hy_phantom_pair(const char *folder, hy_labels *es, hy_labels *ed, hardy_error *err)
{
	hy_dataset d = {0};
	hy_volume image = {0};
	hardy_status status = open_phantom(folder, &d, err);
	for (size_t i = 0; i < d.n_cases && !status; i++) {
		hy_labels *out = !strcmp(d.cases[i].phase, "ED") ? ed : es;
		hy_labels_clear(out);
		status = hy_case_load(&d, i, NULL, &image, out, NULL, err);
		hy_volume_clear(&image);
	}
	if (!status && (!es->data || !ed->data))
		status = hy_fail(err, HARDY_ERROR_DATA, "the phantom has %zu cases, want one at ED and one at ES", d.n_cases);
	hy_dataset_clear(&d);
	return status;
}
