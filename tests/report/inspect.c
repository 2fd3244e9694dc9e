/*
 * inspect.c: descriptions of scans, models and runs, as text and as JSON.
 */
#include "base/files.h"
#include "base/json.h"
#include "base/memory.h"
#include "engine/safetensors.h"
#include "image/nifti.h"
#include "support/fake_nifti.h"
#include "support/json_memory.h"
#include "support/scratch.h"

#include "support/test.h"

#include <stdio.h>
#include <string.h>

static char report[20000];

static void keep(void *payload, const char *text, size_t size)
{
	const size_t used = strlen(report);
	assert_true(used + size < sizeof report);
	memcpy(report + used, text, size + 1);
}

static const hardy_sink sink = {keep, NULL};

static void inspect_text(const char *name)
{
	hardy_error err;
	report[0] = 0;
	assert_ok(hardy_inspect(scratch_path(name), false, &sink, &err), &err);
}

static cJSON *inspect_json(const char *name)
{
	hardy_error err;
	report[0] = 0;
	assert_ok(hardy_inspect(scratch_path(name), true, &sink, &err), &err);
	cJSON *o = cJSON_Parse(report);
	assert_non_null(o);
	return o;
}

static double number(const cJSON *o, const char *key)
{
	const cJSON *v = cJSON_GetObjectItem(o, key);
	assert_true(cJSON_IsNumber(v));
	return v->valuedouble;
}

static void assert_line(const char *line)
{
	if (!strstr(report, line))
		fail_msg("no '%s' in:\n%s", line, report);
}

static void scans(void **state)
{
	fake_nifti f = fake_nifti_make(HY_NIFTI_INT16);
	f.big_endian = true;
	fake_nifti_update(&f);
	hy_nifti_put_real(f.raw, 1, HY_F_SCL_SLOPE, 0, 0.5);
	hy_nifti_put_int(f.raw, 1, HY_F_SFORM_CODE, 0, 1);
	hy_nifti_put_real(f.raw, 1, HY_F_SROW, 1, -1); /* x of the world from y, y from x, z reversed: unit scale */
	hy_nifti_put_real(f.raw, 1, HY_F_SROW, 4, -1);
	hy_nifti_put_real(f.raw, 1, HY_F_SROW, 10, -1);
	f.raw[148] = 7; /* a control character in the description */
	size_t size;
	uint8_t *bytes = fake_nifti_file(&f, &size);
	scratch_write("a.nii", bytes, size);
	hy_free(bytes);
	inspect_text("a.nii");
	assert_line("format: NIfTI-1, one file, big-endian\n");
	assert_line("shape: 5, 4, 3, 2\n");
	assert_line("spacing_mm: 1.5, 1.25, 8\n");
	assert_line("geometry: sform for directions, pixdim for lengths\n");
	assert_line("orientation: PLI\n");
	assert_line("datatype: int16\n");
	assert_line("  slope: 0.5\n");
	assert_line("description: ?ade for a test\n");
	assert_line("  min: -16384\n");
	assert_line("believing pixdim");
	cJSON *o = inspect_json("a.nii");
	const cJSON *values = cJSON_GetObjectItem(o, "values");
	assert_true(number(values, "max") == 16383.5 && number(values, "not_finite") == 0);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(o, "warnings")), 1);
	assert_null(cJSON_GetObjectItem(o, "voxels_per_value"));
	cJSON_Delete(o);
}

static void label_maps(void **state)
{
	uint8_t map[24] = {0, 0, 3, 3, 3, 1};
	hy_volume like = {.nt = 1};
	hardy_error err;
	hy_grid_set_simple(&like.grid, 4, 3, 2, 1, 1, 5);
	assert_ok(hy_nifti_write_labels(scratch_path("b.nii.gz"), &like, map, 1, &(hy_origin){.overwrite = true}, &err), &err);
	cJSON *o = inspect_json("b.nii.gz");
	const cJSON *voxels = cJSON_GetObjectItem(o, "voxels_per_value");
	assert_true(number(voxels, "0") == 20 && number(voxels, "1") == 1 && number(voxels, "3") == 3);
	assert_int_equal(cJSON_GetArraySize(voxels), 3);
	assert_string_equal(cJSON_GetObjectItem(o, "orientation")->valuestring, "RAS");
	cJSON_Delete(o);
}

static void write_model(const char *path)
{
	float values[12] = {0};
	const int64_t tracked = 5;
	char *const names[] = {hy_strdup("a.weight"), hy_strdup("a.running_mean"), hy_strdup("a.num_batches_tracked")};
	hy_st_tensor tensors[3] = {
	    {.name = names[0], .dtype = HY_F32, .n_dims = 2, .shape = {3, 4}, .data = values, .n_bytes = 48},
	    {.name = names[1], .dtype = HY_F32, .n_dims = 1, .shape = {3}, .data = values, .n_bytes = 12},
	    {.name = names[2], .dtype = HY_I64, .n_dims = 0, .data = &tracked, .n_bytes = 8},
	};
	const char *const keys[] = {"plan", "note"}, *const texts[] = {"{\"spacing\": [1.5, 1.5]}", "{not json"};
	hardy_error err;
	assert_ok(hy_st_write(path, tensors, 3, keys, texts, 2, HY_REPLACE_ANY, &err), &err);
	for (int i = 0; i < 3; i++)
		hy_free(names[i]);
}

static void models(void **state)
{
	write_model(scratch_path("m.safetensors"));
	inspect_text("m.safetensors");
	assert_line("kind: model\n");
	assert_line("n_tensors: 3\nn_parameters: 12\n");
	assert_line("  plan:\n    spacing: 1.5, 1.5\n");
	assert_line("  note: {not json\n");
	assert_line("  a.weight  F32  3 x 4\n");
	assert_line("  a.num_batches_tracked  I64\n");
	cJSON *o = inspect_json("m.safetensors");
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(o, "tensors")), 3);
	cJSON_Delete(o);
}

static void runs(void **state)
{
	scratch_empty();
	hardy_error err;
	report[0] = 0;
	assert_int_equal(hardy_inspect(scratch_folder(), false, &sink, &err), HARDY_ERROR_DATA);
	assert_non_null(strstr(err.message, "run.json"));
	assert_string_equal(report, "");
	write_model(scratch_path("last.safetensors"));
	scratch_write("best.safetensors", "damaged", 7);
	scratch_write("run.json", "{\"recipe\": \"standard\", \"seed\": 3}", 33);
	cJSON *o = inspect_json(".");
	assert_true(number(cJSON_GetObjectItem(o, "run"), "seed") == 3);
	const cJSON *list = cJSON_GetObjectItem(o, "models");
	assert_int_equal(cJSON_GetArraySize(list), 2);
	assert_non_null(cJSON_GetObjectItem(cJSON_GetArrayItem(list, 0), "error"));
	assert_true(number(cJSON_GetArrayItem(list, 1), "n_parameters") == 12);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(o, "files")), 3);
	cJSON_Delete(o);
	scratch_write("run.json", "{\"recipe\": ", 11);
	assert_int_equal(hardy_inspect(scratch_folder(), false, &sink, &err), HARDY_ERROR_FORMAT);
}

static void what_is_neither(void **state)
{
	hardy_error err;
	report[0] = 0;
	scratch_write("a.txt", "hello", 5);
	scratch_write("a.nii", "hello", 5);
	scratch_write("a.safetensors", "hello", 5);
	assert_int_equal(hardy_inspect(scratch_path("a.txt"), false, &sink, &err), HARDY_ERROR_UNSUPPORTED);
	assert_int_equal(hardy_inspect(scratch_path("a.nii"), false, &sink, &err), HARDY_ERROR_FORMAT);
	assert_int_equal(hardy_inspect(scratch_path("a.safetensors"), false, &sink, &err), HARDY_ERROR_FORMAT);
	assert_int_equal(hardy_inspect(scratch_path("none"), false, &sink, &err), HARDY_ERROR_IO);
	assert_int_equal(hardy_inspect(scratch_path("none.nii"), false, &sink, &err), HARDY_ERROR_IO);
	assert_string_equal(report, "");
}

/* Where memory runs out nothing is described, instead of all but what found none. */
static void whole_or_not_at_all(void **state)
{
	static char whole[sizeof report];
	scratch_empty();
	fake_nifti f = fake_nifti_make(HY_NIFTI_INT16);
	size_t size;
	uint8_t *bytes = fake_nifti_file(&f, &size);
	scratch_write("a.nii", bytes, size);
	hy_free(bytes);
	write_model(scratch_path("last.safetensors"));
	scratch_write("run.json", "{\"recipe\": \"standard\", \"seed\": 3}", 33);
	static const char *const names[] = {"a.nii", "."};
	json_memory_counts(true);
	for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
		hardy_error err;
		const int64_t before = hy_memory_calls(), live = hy_memory_live();
		inspect_text(names[i]);
		const int64_t n = hy_memory_calls() - before;
		assert_in_range(n, 30, 1000);
		int64_t n_errors = 0;
		memcpy(whole, report, sizeof whole);
		for (int64_t k = 1; k <= n; k++) {
			report[0] = 0;
			hy_memory_fail_at(k);
			const hardy_status status = hardy_inspect(scratch_path(names[i]), false, &sink, &err);
			hy_memory_fail_at(0);
			assert_string_equal(report, status ? "" : whole);
			n_errors += status != HARDY_OK;
			if (hy_memory_live() != live)
				fail_msg("%s, allocation %lld of %lld: %lld blocks are left", names[i], (long long)k, (long long)n,
				         (long long)(hy_memory_live() - live));
		}
		assert_in_range(n_errors, n / 3, n);
	}
	json_memory_counts(false);
}

static void orientations(void **state)
{
	const double oblique[3][4] = {{0.1, -0.2, 3, 0}, {1.4, 0.3, 0.1, 0}, {0.2, -1.2, 0.4, 0}};
	const double even[3][4] = {{1, 1, 0, 0}, {1, -1, 0, 0}, {0, 0, 1, 0}};
	char code[4];
	hy_affine_orientation(oblique, code);
	assert_string_equal(code, "AIR");
	hy_affine_orientation(even, code);
	assert_true(code[0] != code[1] && code[2] == 'S');
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(scans),           cmocka_unit_test(label_maps),
	                                   cmocka_unit_test(models),          cmocka_unit_test(runs),
	                                   cmocka_unit_test(what_is_neither), cmocka_unit_test(whole_or_not_at_all),
	                                   cmocka_unit_test(orientations)};
	const int failed = cmocka_run_group_tests(tests, NULL, NULL);
	scratch_remove();
	return failed;
}
