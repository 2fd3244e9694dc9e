/*
 * published.c: the finished runs in docs/results are of the presets as they are now, so that the commands in docs/RESULTS.md find them
 * again instead of training: those of `quick` and of `short`, which is the same. Needs the real data (folder HARDY_DATA).
 */
#include "experiment/ledger.h"
#include "support/test.h"

#include "base/files.h"
#include "base/memory.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static char results[500], splits[600], acdc[600], mnms[600], sunnybrook[600];
static int n_lines, n_of_these_scans;

static const char *text_in(const cJSON *json, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);
	assert_true(cJSON_IsString(item));
	return item->valuestring;
}

/* A line of results against the run of its method and seed; with other scans at hand the data are others, the configuration is not. */
static hardy_status compare(void *payload, const char *line, size_t n, const char *key)
{
	const hy_study *s = payload;
	cJSON *json = cJSON_ParseWithLength(line, n);
	assert_non_null(json);
	const cJSON *seed = cJSON_GetObjectItemCaseSensitive(json, "seed");
	bool found = false;
	for (size_t i = 0; i < s->n_runs; i++) {
		const hy_study_run *run = &s->runs[i];
		if (strcmp(run->method->name, text_in(json, "method")) != 0 || run->train.seed != (int64_t)seed->valuedouble)
			continue;
		found = true;
		assert_string_equal(run->config_hash, text_in(json, "config_hash"));
		if (!strcmp(run->data_hash, text_in(json, "data_hash"))) {
			assert_string_equal(run->key, key);
			n_of_these_scans++;
		}
	}
	assert_true(found);
	n_lines++;
	cJSON_Delete(json);
	return HARDY_OK;
}

static void are_of_the_present_presets(void **state)
{
	static const struct {
		const char *file, *preset, *setting;
		bool adapt;
	} sets[] = {{"latent-vs-image", "quick", NULL, false},
	            {"latent-vs-image", "short", NULL, false},
	            {"latent-vs-image-adapted", "quick", NULL, true},
	            {"latent-vs-image-recalibrated", "quick", "recalibrate=on", false},
	            {"latent-vs-image-twice", "quick", "iterations=1200", false}};
	(void)state;
	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
		hardy_error err = {0};
		hardy_experiment_options o;
		hy_study s = {0};
		char path[600];
		snprintf(path, sizeof path, "%s/%s.jsonl", results, sets[i].file);
		hardy_experiment_options_init(&o);
		o.name = "latent-vs-image";
		o.data = (const char *const[]){acdc, mnms, sunnybrook};
		o.n_data = 3;
		o.splits = splits;
		o.output = "absent";
		o.preset = sets[i].preset;
		o.adapt = sets[i].adapt;
		o.settings = &sets[i].setting;
		o.n_settings = sets[i].setting != NULL;
		o.methods = "all";
		n_lines = n_of_these_scans = 0;
		assert_ok(hy_study_make(&s, &o, NULL, NULL, &err), &err);
		assert_ok(hy_ledger_each(path, compare, &s, &err), &err);
		hy_study_clear(&s);
		assert_true(n_lines > 0);
		print_message("%s, %s: %d finished runs, %d of them of the scans at hand\n", sets[i].file, sets[i].preset, n_lines,
		              n_of_these_scans);
	}
	assert_false(hy_path_exists("absent"));
}

int main(void)
{
	const char *given = getenv("HARDY_DATA"), *source = getenv("HARDY_SOURCE");
	char data[500];
	source = source ? source : ".";
	snprintf(data, sizeof data, "%s%s", given ? given : source, given ? "" : "/../shared/data");
	snprintf(results, sizeof results, "%s/docs/results", source);
	if (!given && !hy_path_is_folder(data)) {
		printf("skipped: no real data in %s; HARDY_DATA says where they are\n", data);
		return 77;
	}
	snprintf(splits, sizeof splits, "%s/splits.json", data);
	snprintf(acdc, sizeof acdc, "acdc=%s/acdc", data);
	snprintf(mnms, sizeof mnms, "mnms=%s/mnms", data);
	snprintf(sunnybrook, sizeof sunnybrook, "sunnybrook=%s/sunnybrook:labels=lv=3,myo=2:classes=LV:labelled-slices", data);
	const struct CMUnitTest tests[] = {cmocka_unit_test(are_of_the_present_presets)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
