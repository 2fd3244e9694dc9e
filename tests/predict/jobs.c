/*
 * jobs.c: what arguments stand for (scans, models, splits, tables of labels) is found whole, or memory ran out: nothing is overlooked.
 */
#include "predict/jobs.h"

#include "base/memory.h"
#include "dataset/dataset.h"
#include "predict/legend.h"
#include "support/json_memory.h"
#include "support/test.h"
#include "support/tree.h"

#include <stdio.h>
#include <string.h>

/* Each tells how much it found. */
static hardy_status collect(const char *input, size_t *n, hardy_error *err)
{
	hy_jobs jobs = {0};
	const hy_jobs_options o = {.n_channels = 1};
	const hardy_status status = hy_jobs_collect(&jobs, &input, 1, &o, NULL, err);
	*n = status ? 0 : jobs.n + 1000 * jobs.n_lost;
	hy_jobs_clear(&jobs);
	return status;
}

static hardy_status models(const char *argument, size_t *n, hardy_error *err)
{
	char **list = NULL;
	const hardy_status status = hy_model_arguments(argument, &list, n, err);
	if (!status)
		hy_models_free(list, *n);
	return status;
}

static hardy_status legend(const char *folder, size_t *n, hardy_error *err)
{
	static hy_legend l;
	bool found = false;
	const hardy_status status = hy_legend_read(folder, &l, &found, err);
	*n = !status && found ? (size_t)(10 * l.n + cJSON_GetArraySize(l.training)) : 0;
	if (!status && found)
		hy_legend_clear(&l);
	return status;
}

static hardy_status split(const char *data, size_t *n, hardy_error *err)
{
	hy_dataset d = {0};
	hy_split s = {0};
	char path[700];
	snprintf(path, sizeof path, "%s/../splits.json", data);
	hardy_status status = hy_dataset_open(&d, data, NULL, NULL, err);
	if (!status)
		status = hy_split_make(&s, &d, path, -1, HY_SPLIT_AUTO, HY_SPLIT_AUTO, 0, NULL, err);
	*n = status ? 0 : 100 * s.n_train + 10 * s.n_validation + s.n_test;
	hy_split_clear(&s);
	hy_dataset_clear(&d);
	return status;
}

/* At each allocation. */
static void fail_everywhere(hardy_status (*call)(const char *argument, size_t *n, hardy_error *err), const char *name,
                            size_t wanted)
{
	hardy_error err = {0};
	size_t n = 0;
	char argument[600];
	snprintf(argument, sizeof argument, "%s", tree_path(name));
	json_memory_counts(true);
	const int64_t live = hy_memory_live(), before = hy_memory_calls();
	assert_ok(call(argument, &n, &err), &err);
	assert_int_equal(n, wanted);
	const int64_t n_calls = hy_memory_calls() - before;
	assert_in_range(n_calls, 2, 2000);
	for (int64_t k = 1; k <= n_calls; k++) {
		hy_memory_fail_at(k);
		const hardy_status status = call(argument, &n, &err);
		hy_memory_fail_at(0);
		if (status != HARDY_ERROR_MEMORY)
			fail_msg("%s, allocation %lld of %lld: status %d: %s", name, (long long)k, (long long)n_calls, (int)status,
			         err.message);
		if (hy_memory_live() != live)
			fail_msg("%s, allocation %lld of %lld: %lld blocks are left", name, (long long)k, (long long)n_calls,
			         (long long)(hy_memory_live() - live));
	}
	json_memory_counts(false);
}

static void lack_of_memory_overlooks_nothing(void **state)
{
	(void)state;
	tree_new();
	for (int i = 1; i <= 3; i++) {
		char name[8];
		snprintf(name, sizeof name, "s%d", i);
		tree_ring_case("data", name, 2, true, (uint64_t)i);
	}
	tree_text("splits.json", "{\"pool\": [\"s1\"], \"validation\": [\"s2\"], \"test\": [\"s3\"]}");
	tree_image("scans/a_ED.nii.gz", 1, 0);
	tree_image("scans/a_ED.nii", 1, 0); /* a twin: lost */
	tree_image("scans/b.nii.gz", 1, 0);
	fail_everywhere(collect, "data", 3);
	fail_everywhere(collect, "scans", 1001);
	fail_everywhere(collect, "scans/b.nii.gz", 1);
	fail_everywhere(split, "data", 111);
	tree_text("run/run.json", "{\"status\": \"done\", \"model\": \"best.safetensors\"}");
	tree_text("run/best.safetensors", "");
	fail_everywhere(models, "run", 1);
	tree_text("folds/folds.json",
	          "{\"hardy_version\": \"0.1.0\", \"status\": \"done\", \"folds\": [{\"run\": \"a\"}, {\"run\": \"b\"}]}");
	tree_text("folds/a/run.json", "{\"status\": \"done\", \"model\": \"last.safetensors\"}");
	tree_text("folds/a/last.safetensors", "");
	tree_text("folds/b/last.safetensors", "");
	fail_everywhere(models, "folds", 2);
	tree_text("maps/labels.json", "{\"hardy_version\": \"0.1.0\", \"labels\": [{\"name\": \"background\", \"value\": 0}, "
	                              "{\"name\": \"core\", \"value\": 2}],"
	                              " \"training\": [{\"data\": \"d\", \"subjects\": [\"s1\"]}]}");
	fail_everywhere(legend, "maps", 21);
}

static int finish(void **state)
{
	(void)state;
	tree_remove();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(lack_of_memory_overlooks_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, finish);
}
