/*
 * real.c: real data sets of three layouts (folder HARDY_DATA). That the mapping is right shows in the anatomy: the left
 * ventricle lies inside the myocardium and hardly touches the right one, whatever values the data set uses.
 */
#define _POSIX_C_SOURCE 200809L
#include "dataset/dataset.h"

#include "base/files.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

static char data[512];

static hy_dataset open_data(const char *name, const char *labels, size_t n_subjects, size_t n_cases)
{
	char path[600];
	hardy_error err = {0};
	hy_dataset d;
	char(*names)[HY_NAME_SIZE];
	size_t n;
	const hy_dataset_options o = {.labels = labels};
	snprintf(path, sizeof path, "%s/%s", data, name);
	assert_ok(hy_dataset_open(&d, path, &o, NULL, &err), &err);
	assert_int_equal(d.n_cases, n_cases);
	assert_ok(hy_dataset_subjects(&d, &names, &n, &err), &err);
	assert_int_equal(n, n_subjects);
	free(names);
	return d;
}

/* Counts in-plane neighbours of different classes: contact[a][b]. */
static void add_contacts(const hy_labels *l, int64_t contact[4][4], int64_t voxels[4])
{
	const int64_t nx = l->grid.nx, ny = l->grid.ny;
	for (int64_t i = 0; i < hy_grid_voxels(&l->grid); i++) {
		const int a = l->data[i];
		assert_in_range(a, 0, 3);
		voxels[a]++;
		if (i % nx + 1 < nx) {
			contact[a][l->data[i + 1]]++;
			contact[l->data[i + 1]][a]++;
		}
		if (i / nx % ny + 1 < ny) {
			contact[a][l->data[i + nx]]++;
			contact[l->data[i + nx]][a]++;
		}
	}
}

static void examine(const hy_dataset *d, size_t step, int64_t contact[4][4], int64_t voxels[4])
{
	hardy_error err = {0};
	memset(contact, 0, 16 * sizeof contact[0][0]);
	memset(voxels, 0, 4 * sizeof voxels[0]);
	for (size_t i = 0; i < d->n_cases; i += step) {
		hy_volume v;
		hy_labels l;
		assert_ok(hy_case_load(d, i, NULL, &v, &l, NULL, &err), &err);
		assert_int_equal(v.nt, 1);
		assert_true(v.grid.nx == l.grid.nx && v.grid.ny == l.grid.ny && v.grid.nz == l.grid.nz);
		add_contacts(&l, contact, voxels);
		hy_volume_clear(&v);
		hy_labels_clear(&l);
	}
}

static void expect_anatomy(const hy_dataset *d, size_t step)
{
	int64_t contact[4][4], voxels[4];
	examine(d, step, contact, voxels);
	printf("  LV touches MYO %lld, RV %lld, background %lld; RV touches background %lld, MYO %lld\n", (long long)contact[1][2],
	       (long long)contact[1][3], (long long)contact[1][0], (long long)contact[3][0], (long long)contact[3][2]);
	assert_true(contact[1][2] > 9 * (contact[1][3] + contact[1][0])); /* the LV is inside the myocardium */
	assert_true(contact[3][0] > contact[3][2]);                       /* the RV is not */
}

static void acdc(void **state)
{
	(void)state;
	hy_dataset d = open_data("acdc", NULL, 80, 160);
	assert_int_equal(d.layout, HY_LAYOUT_ACDC);
	assert_int_equal(d.classes[1].value, 3);
	expect_anatomy(&d, 7);
	hy_dataset_clear(&d);
}

static void mnms(void **state)
{
	(void)state;
	hy_dataset d = open_data("mnms", NULL, 3, 6);
	assert_int_equal(d.layout, HY_LAYOUT_MNMS);
	assert_int_equal(d.classes[1].value, 1);
	expect_anatomy(&d, 1);
	for (size_t i = 0; i < 6; i += 2) { /* the cavity is larger at ED: the right frame was read */
		hardy_error err = {0};
		int64_t n[2] = {0};
		for (size_t k = 0; k < 2; k++) {
			hy_volume v;
			hy_labels l;
			assert_ok(hy_case_load(&d, i + k, NULL, &v, &l, NULL, &err), &err);
			for (int64_t j = 0; j < hy_grid_voxels(&l.grid); j++)
				n[k] += l.data[j] == 1;
			hy_volume_clear(&v);
			hy_labels_clear(&l);
		}
		assert_true(n[0] > n[1] && n[1] > 0);
	}
	hy_dataset_clear(&d);
}

static void sunnybrook(void **state)
{
	(void)state;
	int64_t contact[4][4], voxels[4];
	hy_dataset d = open_data("sunnybrook", "lv=3,myo=2", 7, 14);
	assert_int_equal(d.layout, HY_LAYOUT_FLAT);
	assert_false(d.classes[3].present);
	examine(&d, 2, contact, voxels); /* ED: the myocardium is drawn there alone */
	assert_true(contact[1][2] > 9 * contact[1][0]);
	assert_int_equal(voxels[3], 0);
	hy_dataset_clear(&d);
}

static void splits(void **state)
{
	(void)state;
	char path[600];
	hardy_error err = {0};
	hy_split s;
	hy_dataset d = open_data("acdc", NULL, 80, 160);
	snprintf(path, sizeof path, "%s/splits.json", data);
	assert_ok(hy_split_make(&s, &d, path, -1, 10, 0, 0, NULL, &err), &err);
	assert_int_equal(s.n_train, 10);
	assert_int_equal(s.n_validation, 10);
	assert_int_equal(s.n_test, 20);
	hy_split_clear(&s);
	assert_ok(hy_split_make(&s, &d, path, -1, 49, 0, 0, NULL, &err), &err); /* with large_extra */
	assert_int_equal(s.n_train, 49);
	hy_split_clear(&s);
	hy_dataset_clear(&d);
	hy_dataset other = open_data("mnms", NULL, 3, 6);
	assert_int_equal(hy_split_make(&s, &other, path, -1, 10, 0, 0, NULL, &err), HARDY_ERROR_DATA);
	assert_non_null(strstr(err.message, "40 of 40 subjects of \"pool\" are not in the data set: patient001, patient002, "));
	hy_dataset_clear(&other);
}

int main(void)
{
	const char *given = getenv("HARDY_DATA"), *source = getenv("HARDY_SOURCE");
	if (given)
		snprintf(data, sizeof data, "%s", given);
	else
		snprintf(data, sizeof data, "%s/../shared/data", source ? source : ".");
	if (!given && !hy_path_is_folder(data)) {
		printf("skipped: no real data in %s; HARDY_DATA says where they are\n", data);
		return 77;
	}
	const struct CMUnitTest tests[] = {cmocka_unit_test(acdc), cmocka_unit_test(mnms), cmocka_unit_test(sunnybrook),
	                                   cmocka_unit_test(splits)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
