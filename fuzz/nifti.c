/*
 * nifti.c: any bytes as a scan, once as one file and once cut into header and image: refused or read, never harmful; and what
 * was read can be written and read again.
 */
#define _POSIX_C_SOURCE 200809L
#include "fuzz.h"

#include "base/memory.h"
#include "image/nifti.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static char folder[64];

static const char *in_folder(const char *name)
{
	static char path[4][128];
	static int next;
	char *p = path[next++ % 4];
	snprintf(p, sizeof path[0], "%s/%s", folder, name);
	return p;
}

static void remove_folder(void)
{
	static const char *const names[] = {"a.nii", "a.hdr", "a.img", "b.nii"};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		unlink(in_folder(names[i]));
	rmdir(folder);
}

static int make_folder(void)
{
	if (folder[0])
		return 0;
	snprintf(folder, sizeof folder, "%s/hardy-fuzz-XXXXXX", access("/dev/shm", W_OK) ? "/tmp" : "/dev/shm");
	if (!mkdtemp(folder))
		return -1;
	atexit(remove_folder);
	return 0;
}

static int put(const char *name, const uint8_t *data, size_t size)
{
	FILE *f = fopen(in_folder(name), "wb");
	if (!f)
		return -1;
	const size_t done = size ? fwrite(data, 1, size, f) : 0;
	return fclose(f) || done != size ? -1 : 0;
}

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
		const char *out = in_folder("b.nii");
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
	if (make_folder() || put("a.nii", data, size))
		return 0;
	read_both_ways(in_folder("a.nii"));
	/* A NIfTI-2 header starts with 540 in either byte order. */
	const size_t wanted = size > 2 && (data[0] == 0x1c || data[2] == 0x02) ? 540 : 348;
	const size_t header = size < wanted ? size : wanted;
	if (put("a.hdr", data, header) || put("a.img", data + header, size - header))
		return 0;
	read_both_ways(in_folder("a.hdr"));
	return 0;
}
