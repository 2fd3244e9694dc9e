/*
 * nifti_files.c: holds the reader to tests/nifti_expectations.csv, which says of every real file in the data folders whether it
 * is read (shape, spacing, some voxel values, as nibabel 5 gives them) or refused, and why.
 */
#define _DEFAULT_SOURCE
#include "base/files.h"
#include "base/memory.h"
#include "image/nifti.h"

#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static char *data_folder, *table;
static const char *const folders[] = {"acdc_header_quirk", "nifti"};

/* Cuts the next comma-separated field off *line. */
static char *next_field(char **line)
{
	char *field = *line, *comma = strchr(field, ',');
	if (comma) {
		*comma = 0;
		*line = comma + 1;
	} else {
		*line = field + strlen(field);
	}
	return field;
}

static void check_read(const char *name, const hy_volume *v, const char *shape, const char *spacing, const char *voxels)
{
	long long n[4];
	double mm[3];
	assert_int_equal(sscanf(shape, "%lld %lld %lld %lld", &n[0], &n[1], &n[2], &n[3]), 4);
	assert_int_equal(sscanf(spacing, "%lf %lf %lf", &mm[0], &mm[1], &mm[2]), 3);
	if (n[0] != v->grid.nx || n[1] != v->grid.ny || n[2] != v->grid.nz || n[3] != v->nt)
		fail_msg("%s: shape is %lld %lld %lld %lld, want %s", name, (long long)v->grid.nx, (long long)v->grid.ny,
		         (long long)v->grid.nz, (long long)v->nt, shape);
	for (int i = 0; i < 3; i++)
		if (fabs(v->grid.spacing_mm[i] - mm[i]) > 1e-5 * mm[i])
			fail_msg("%s: spacing %d is %.9g, want %.9g", name, i, v->grid.spacing_mm[i], mm[i]);
	int n_checked = 0;
	for (const char *p = voxels; p && *p; n_checked++) {
		long long x, y, z, t;
		float want;
		assert_int_equal(sscanf(p, "%lld %lld %lld %lld=%f", &x, &y, &z, &t, &want), 5);
		assert_true(x < n[0] && y < n[1] && z < n[2] && t < n[3]);
		const float is = v->data[((t * n[2] + z) * n[1] + y) * n[0] + x];
		if (is != want)
			fail_msg("%s: voxel (%lld, %lld, %lld, %lld) is %.9g, want %.9g", name, x, y, z, t, (double)is, (double)want);
		p = strchr(p, ';');
		p = p ? p + 1 : NULL;
	}
	assert_true(n_checked >= 3);
}

static void every_listed_file(void **state)
{
	char *copy = hy_strdup(table), *rest = copy;
	int n_read = 0, n_refused = 0;
	assert_non_null(copy);
	strsep(&rest, "\n");
	for (char *line; (line = strsep(&rest, "\n"));) {
		if (!*line)
			continue;
		const char *name = next_field(&line), *verdict = next_field(&line), *shape = next_field(&line);
		const char *spacing = next_field(&line), *voxels = next_field(&line), *reason = next_field(&line);
		char *path = hy_path_join(data_folder, name);
		hy_volume v = {0};
		hardy_error err = {0};
		const hardy_status status = hy_nifti_read(path, NULL, &v, NULL, &err);
		if (!strcmp(verdict, "read")) {
			if (status)
				fail_msg("is refused, want read: %s", err.message);
			check_read(name, &v, shape, spacing, voxels);
			n_read++;
		} else {
			assert_string_equal(verdict, "refused");
			assert_true(*reason);
			if (!status)
				fail_msg("%s: is read, want refused: %s", name, reason);
			if (!strstr(err.message, reason) || !strstr(err.message, hy_path_name(name)))
				fail_msg("message '%s' does not say '%s' and the name", err.message, reason);
			n_refused++;
		}
		hy_volume_clear(&v);
		hy_free(path);
	}
	hy_free(copy);
	printf("nifti expectations: %d files read, %d refused\n", n_read, n_refused);
	assert_true(n_read > 0 && n_refused > 0);
}

static void no_file_is_missing_from_the_list(void **state)
{
	for (size_t k = 0; k < sizeof folders / sizeof *folders; k++) {
		char *folder = hy_path_join(data_folder, folders[k]);
		hy_names names;
		hardy_error err;
		assert_ok(hy_list_folder(folder, &names, &err), &err);
		assert_true(names.n > 0);
		for (size_t i = 0; i < names.n; i++) {
			char wanted[512];
			snprintf(wanted, sizeof wanted, "\n%s/%s,", folders[k], names.name[i]);
			if (!strstr(table, wanted))
				fail_msg("%s/%s is not in tests/nifti_expectations.csv", folders[k], names.name[i]);
		}
		hy_names_free(&names);
		hy_free(folder);
	}
}

static void collect_line(void *payload, hardy_log_level level, const char *line)
{
	char *all = payload;
	if (level == HARDY_LOG_WARNING)
		strncat(all, line, 4000 - strlen(all));
}

/* The ACDC header fault is mended, said, and can be overridden. */
static void acdc_fault_is_reported(void **state)
{
	char *path = hy_path_join(data_folder, "acdc_header_quirk/patient002_frame01.nii.gz");
	char warnings[4096] = "";
	const hardy_log log = {collect_line, warnings};
	hy_nifti_options o;
	hy_volume v;
	hardy_error err;
	hy_nifti_options_init(&o);
	o.header_only = true;
	assert_ok(hy_nifti_read(path, &o, &v, &log, &err), &err);
	assert_non_null(strstr(warnings, "believing pixdim"));
	assert_true(v.grid.affine[0][0] == -1.3671875 && v.grid.affine[2][2] == 10);
	hy_volume_clear(&v);
	o.spacing_mm[0] = o.spacing_mm[1] = 1.5;
	assert_ok(hy_nifti_read(path, &o, &v, NULL, &err), &err);
	assert_true(v.grid.spacing_mm[0] == 1.5 && v.grid.spacing_mm[1] == 1.5 && v.grid.spacing_mm[2] == 10);
	assert_true(fabs(v.grid.affine[1][1] + 1.5) < 1e-12);
	hy_volume_clear(&v);
	hy_free(path);
}

int main(void)
{
	const char *source = getenv("HARDY_SOURCE"), *given = getenv("HARDY_DATA");
	hardy_error err;
	size_t size;
	char *list = hy_path_join(source ? source : ".", "tests/nifti_expectations.csv");
	data_folder = given ? hy_strdup(given) : hy_path_join(source ? source : ".", "../shared/data");
	if (!data_folder || !list)
		return 1;
	if (!given && !hy_path_is_folder(data_folder)) {
		printf("skipped: no folder %s, and HARDY_DATA is not set\n", data_folder);
		hy_free(list);
		hy_free(data_folder);
		return 77;
	}
	if (hy_file_read(list, &table, &size, &err)) {
		printf("%s\n", err.message);
		return 1;
	}
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_listed_file), cmocka_unit_test(no_file_is_missing_from_the_list),
	                                   cmocka_unit_test(acdc_fault_is_reported)};
	const int failed = cmocka_run_group_tests(tests, NULL, NULL);
	hy_free(table);
	hy_free(list);
	hy_free(data_folder);
	return failed;
}
