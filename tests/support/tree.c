/*
 * tree.c: a temporary folder in which a test builds a small data set.
 */
#define _XOPEN_SOURCE 700
#include "support/tree.h"

#include "base/files.h"
#include "base/memory.h"
#include "base/rng.h"
#include "image/nifti.h"
#include "support/test.h"

#include <ftw.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static char root[256];

static int remove_one(const char *path, const struct stat *s, int kind, struct FTW *f)
{
	(void)s;
	(void)kind;
	(void)f;
	return remove(path);
}

void tree_remove(void)
{
	if (root[0])
		nftw(root, remove_one, 16, FTW_DEPTH | FTW_PHYS);
	root[0] = 0;
}

void tree_new(void)
{
	tree_remove();
	const char *base = getenv("TMPDIR");
	snprintf(root, sizeof root, "%.200s/hardy-tree-XXXXXX", base ? base : "/tmp");
	if (!mkdtemp(root)) {
		perror(root);
		exit(1);
	}
}

const char *tree_path(const char *name)
{
	static char paths[8][600];
	static int next;
	char *path = paths[next++ % 8];
	snprintf(path, sizeof paths[0], *name ? "%s/%.300s" : "%s", root, name);
	return path;
}

/* The path of a file to write, its folder made. */
static const char *place(const char *name)
{
	hardy_error err = {0};
	char folder[600];
	const char *path = tree_path(name);
	snprintf(folder, sizeof folder, "%s", path);
	*strrchr(folder, '/') = 0;
	assert_ok(hy_make_folders(folder, &err), &err);
	return path;
}

void tree_text(const char *name, const char *text)
{
	FILE *f = fopen(place(name), "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(text, 1, strlen(text), f), strlen(text));
	assert_int_equal(fclose(f), 0);
}

void tree_delete(const char *name)
{
	assert_int_equal(remove(tree_path(name)), 0);
}

void tree_truncate(const char *name, long size)
{
	assert_int_equal(truncate(tree_path(name), size), 0);
}

hy_grid tree_grid(void)
{
	hy_grid g;
	hy_grid_set_simple(&g, TREE_NX, TREE_NY, TREE_NZ, 2, 2, 8);
	return g;
}

void tree_image_grid(const char *name, const hy_grid *grid, int nt, const float *data)
{
	hardy_error err = {0};
	hy_volume v = {0};
	assert_ok(hy_volume_alloc(&v, grid, nt, &err), &err);
	assert_ok(hy_nifti_write_float(place(name), &v, data ? data : v.data, nt, &(hy_origin){.overwrite = true}, &err), &err);
	hy_volume_clear(&v);
}

void tree_labels_grid(const char *name, const hy_grid *grid, int nt, const uint8_t *data)
{
	hardy_error err = {0};
	hy_volume v = {.grid = *grid, .nt = nt};
	uint8_t *zero = hy_calloc((size_t)hy_grid_voxels(grid) * (size_t)nt, 1);
	assert_non_null(zero);
	assert_ok(hy_nifti_write_labels(place(name), &v, data ? data : zero, nt, &(hy_origin){.overwrite = true}, &err), &err);
	hy_free(zero);
}

void tree_image(const char *name, int nt, float base)
{
	const hy_grid g = tree_grid();
	float *data = hy_alloc((size_t)nt * TREE_VOXELS, sizeof *data);
	assert_non_null(data);
	for (int t = 0; t < nt; t++)
		for (int i = 0; i < TREE_VOXELS; i++)
			data[t * TREE_VOXELS + i] = base + 100 * (float)t + (float)i;
	tree_image_grid(name, &g, nt, data);
	hy_free(data);
}

void tree_labels(const char *name, int nt, const uint8_t *v, int n, int step)
{
	const hy_grid g = tree_grid();
	uint8_t *data = hy_calloc((size_t)nt * TREE_VOXELS, 1);
	assert_non_null(data);
	for (int t = 0; t < nt; t++)
		for (int i = 0; i < n; i++)
			data[t * TREE_VOXELS + i] = (uint8_t)(v[i] ? v[i] + step * t : 0);
	tree_labels_grid(name, &g, nt, data);
	hy_free(data);
}

void tree_ring_case(const char *folder, const char *name, int nz, bool last_labelled, uint64_t seed)
{
	enum { NX = 40, NY = 36, MOST = 3 };
	static float x[NX * NY * MOST];
	static uint8_t label[NX * NY * MOST];
	char path[128];
	hy_grid g;
	hy_rng r = hy_rng_make(seed, HY_RNG_TEST, 0, 0);
	assert_in_range(nz, 1, MOST);
	hy_grid_set_simple(&g, NX, NY, nz, 2.5, 2.5, 8);
	for (int i = 0; i < NX * NY * nz; i++) {
		const double dx = i % NX - NX / 2., dy = i / NX % NY - NY / 2., radius = hypot(dx, dy);
		const bool labelled = last_labelled || i / (NX * NY) < nz - 1;
		label[i] = !labelled ? 0 : radius < 6 ? 2 : radius < 9 + (double)(seed % 8) ? 1 : 0;
		x[i] = (float)(100 * label[i] + hy_rng_between(&r, 0, 60));
	}
	snprintf(path, sizeof path, "%s/images/%s.nii.gz", folder, name);
	tree_image_grid(path, &g, 1, x);
	snprintf(path, sizeof path, "%s/labels/%s.nii.gz", folder, name);
	tree_labels_grid(path, &g, 1, label);
}
