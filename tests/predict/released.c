/*
 * released.c: models as earlier versions wrote them (tests/released) are read, verified and used.
 */
#include "support/scratch.h"
#include "support/test.h"

#include "base/files.h"
#include "base/memory.h"
#include "engine/safetensors.h"
#include "predict/model.h"
#include "predict/predictor.h"

#include <stdio.h>
#include <string.h>

static const char *released(const char *name)
{
	static char path[1024];
	const char *source = getenv("HARDY_SOURCE");
	if (!source)
		skip();
	snprintf(path, sizeof path, "%s/tests/released/%s", source, name);
	return path;
}

static void check_heart(const hy_model *m)
{
	static const char *const names[] = {"background", "LV", "MYO", "RV"};
	static const int values[] = {0, 3, 2, 1};
	assert_int_equal(m->n_classes, 4);
	for (int c = 0; c < 4; c++) {
		assert_string_equal(m->classes[c].name, names[c]);
		assert_int_equal(m->classes[c].value, values[c]);
	}
	assert_int_equal(m->n_channels, 1);
	assert_string_equal(m->channels[0], "cine MR");
	assert_int_equal(m->plan.size, 16);
	assert_true(m->plan.spacing_mm == 8);
	assert_int_equal(m->fingerprint.n_volumes, 4);
	assert_non_null(m->card);
}

/* A scan through the model: every voxel gets one of its classes. */
static void predict(hy_model *m)
{
	hardy_error err = {0};
	hy_predictor_options o;
	hy_volume scan = {0};
	hy_prediction found = {0};
	hy_grid g;
	hy_grid_set_simple(&g, 16, 16, 2, 8, 8, 10);
	assert_ok(hy_volume_alloc(&scan, &g, 1, &err), &err);
	for (int64_t i = 0; i < hy_grid_voxels(&g); i++)
		scan.data[i] = (float)(i * 37 % 101);
	hy_predictor_options_init(&o);
	hy_predictor_options_use(&o, m);
	hy_predictor *p = hy_predictor_new((hy_model *const[]){m}, 1, &o, &err);
	assert_non_null(p);
	assert_ok(hy_predictor_run(p, &scan, &found, &err), &err);
	for (int64_t i = 0; i < hy_grid_voxels(&g); i++)
		assert_in_range(found.label.data[i], 0, 3);
	hy_prediction_clear(&found);
	hy_predictor_free(p);
	hy_volume_clear(&scan);
}

static void unet_of_0_1(void **state)
{
	(void)state;
	hardy_error err = {0};
	hy_model m;
	hy_st_file f;
	const char *path = released("unet-0.1.safetensors");
	assert_ok(hardy_verify(path, NULL, &err), &err);
	assert_ok(hy_st_read(&f, path, &err), &err);
	assert_string_equal(hy_st_metadata(&f, HY_MODEL_HASH), "37508b9664a6aec6fb85e9282cd3a2b867b8e9da02b8940725922d5f2b266ce7");
	hy_st_clear(&f);
	assert_ok(hy_model_load(&m, path, NULL, &err), &err);
	check_heart(&m);
	assert_int_equal(m.network.config.kind, HY_NETWORK_UNET);
	assert_int_equal(m.network.config.width, 16);
	assert_int_equal(m.network.config.levels, 2);
	assert_true(m.use.chosen);
	predict(&m);
	hy_model_clear(&m);
}

/* Behind the header, which says how long they are: variances of 1, counts of 0, and weights small enough for any depth. */
static void fill(const char *header, size_t n_header, char **file, size_t *size)
{
	cJSON *json = cJSON_ParseWithLength(header, n_header), *item;
	size_t n_data = 0;
	assert_non_null(json);
	cJSON_ArrayForEach(item, json)
	{
		const cJSON *end = cJSON_GetArrayItem(cJSON_GetObjectItem(item, "data_offsets"), 1);
		n_data = end && (size_t)end->valuedouble > n_data ? (size_t)end->valuedouble : n_data;
	}
	*size = 8 + n_header + n_data;
	*file = hy_calloc(*size, 1);
	assert_non_null(*file);
	for (int i = 0; i < 8; i++)
		(*file)[i] = (char)((uint64_t)n_header >> (8 * i));
	memcpy(*file + 8, header, n_header);
	cJSON_ArrayForEach(item, json)
	{
		const cJSON *type = cJSON_GetObjectItem(item, "dtype"), *offsets = cJSON_GetObjectItem(item, "data_offsets");
		if (!cJSON_IsString(type) || strcmp(type->valuestring, "F32"))
			continue;
		const float value = strstr(item->string, "running_var") ? 1.f : 0.0078125f;
		for (size_t at = (size_t)cJSON_GetArrayItem(offsets, 0)->valuedouble;
		     at < (size_t)cJSON_GetArrayItem(offsets, 1)->valuedouble; at += sizeof value)
			memcpy(*file + 8 + n_header + at, &value, sizeof value);
	}
	cJSON_Delete(json);
}

static void study_of_0_1(void **state)
{
	(void)state;
	hardy_error err = {0};
	char *header = NULL, *file = NULL;
	size_t n = 0, size = 0;
	hy_model m;
	assert_ok(hy_file_read(released("study-0.1.header.json"), &header, &n, &err), &err);
	fill(header, n, &file, &size);
	assert_true(size > 7000000);
	scratch_write("study.safetensors", file, size);
	assert_ok(hy_model_load(&m, scratch_path("study.safetensors"), NULL, &err), &err);
	check_heart(&m);
	assert_int_equal(m.network.config.kind, HY_NETWORK_STUDY);
	assert_true(m.network.config.decoupler);
	/* all of it was read, none is what it was before */
	for (size_t i = 0; i < m.network.params.n; i++) {
		const hy_param *q = &m.network.params.list[i];
		const float *v = (q->is_buffer ? m.network.params.buffers : m.network.params.values) + q->offset;
		assert_true(v[q->n - 1] == 1.f || v[q->n - 1] == 0.0078125f);
	}
	hy_model_clear(&m);
	/* these are not the tensors that were released, and that is seen */
	assert_int_equal(hardy_verify(scratch_path("study.safetensors"), NULL, &err), HARDY_ERROR_DATA);
	hy_free(header);
	hy_free(file);
}

static int remove_all(void **state)
{
	(void)state;
	scratch_remove();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(unet_of_0_1),
	    cmocka_unit_test(study_of_0_1),
	};
	return cmocka_run_group_tests(tests, NULL, remove_all);
}
