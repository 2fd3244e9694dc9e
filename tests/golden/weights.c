/*
 * weights.c: the recorded network's weights load as they are: every parameter and statistic that the record names is there, and
 * a file of ours keeps them byte for byte.
 */
#include "support/golden.h"
#include "support/test.h"

#include "base/memory.h"
#include "base/outfile.h"
#include "engine/safetensors.h"
#include "predict/model.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

static golden g;
static hy_st_file weights;

/* Every member of the object names a tensor of "n" float32 values. */
static void check_names(const cJSON *object)
{
	for (const cJSON *item = object->child; item; item = item->next) {
		const hy_st_tensor *t = hy_st_find(&weights, item->string);
		if (!t)
			fail_msg("%s is not in the file", item->string);
		if (t->dtype != HY_F32 || (double)(t->n_bytes / sizeof(float)) != golden_number(item, "n"))
			fail_msg("%s: %zu bytes of type %d, want %g float32", t->name, t->n_bytes, (int)t->dtype, golden_number(item, "n"));
		g.n_checked++;
	}
}

static void holds_every_recorded_name(void **state)
{
	(void)state;
	const cJSON *cases = golden_member(g.manifest, "cases");
	for (const cJSON *c = cases->child; c; c = c->next) {
		const cJSON *grad = cJSON_GetObjectItemCaseSensitive(c, "grad");
		const cJSON *statistics = cJSON_GetObjectItemCaseSensitive(c, "running_stats_after");
		if (grad)
			check_names(grad);
		if (statistics)
			check_names(statistics);
	}
}

static void round_trip_keeps_every_byte(void **state)
{
	(void)state;
	hardy_error err;
	char path[] = "/tmp/hardy-weights-XXXXXX";
	int fd = mkstemp(path);
	assert_true(fd >= 0);
	close(fd);
	hy_st_file copy;
	hardy_status status = hy_st_write(path, weights.tensors, weights.n_tensors, (const char *const *)weights.keys,
	                                  (const char *const *)weights.values, weights.n_metadata, HY_REPLACE_ANY, &err);
	if (!status)
		status = hy_st_read(&copy, path, &err);
	unlink(path);
	assert_ok(status, &err);
	assert_int_equal(copy.n_tensors, weights.n_tensors);
	for (size_t i = 0; i < weights.n_tensors; i++) {
		const hy_st_tensor *a = &weights.tensors[i], *b = hy_st_find(&copy, a->name);
		assert_non_null(b);
		assert_int_equal(a->dtype, b->dtype);
		assert_int_equal(a->n_dims, b->n_dims);
		assert_memory_equal(a->shape, b->shape, sizeof a->shape);
		assert_int_equal(a->n_bytes, b->n_bytes);
		assert_memory_equal(a->data, b->data, a->n_bytes);
	}
	hy_st_clear(&copy);
}

/* The file as the authors' weights come: no metadata of ours, no counts. */
static void loads_as_a_model(void **state)
{
	(void)state;
	hardy_error err;
	hy_model m;
	char *path = golden_path(&g, "weights.safetensors");
	assert_ok(hy_model_load(&m, path, NULL, &err), &err);
	hy_free(path);
	assert_int_equal(m.network.params.n, weights.n_tensors);
	assert_string_equal(m.classes[1].name, "LV");
	assert_string_equal(m.classes[3].name, "RV");
	for (size_t i = 0; i < m.network.params.n; i++) {
		const hy_param *p = &m.network.params.list[i];
		const hy_st_tensor *t = hy_st_find(&weights, p->name);
		assert_non_null(t);
		const float *v = (p->is_buffer ? m.network.params.buffers : m.network.params.values) + p->offset;
		assert_memory_equal(v, t->data, t->n_bytes);
		g.n_checked++;
	}
	hy_model_clear(&m);
}

int main(void)
{
	golden_open(&g, "engine");
	char *path = golden_path(&g, "weights.safetensors");
	hardy_error err;
	if (hy_st_read(&weights, path, &err)) {
		fprintf(stderr, "golden engine: %s\n", err.message);
		return 1;
	}
	hy_free(path);
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(holds_every_recorded_name),
	    cmocka_unit_test(round_trip_keeps_every_byte),
	    cmocka_unit_test(loads_as_a_model),
	};
	int n_failed = cmocka_run_group_tests(tests, NULL, NULL);
	hy_st_clear(&weights);
	return golden_close(&g, n_failed);
}
