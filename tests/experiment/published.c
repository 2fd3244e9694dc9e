/*
 * published.c: the finished runs in docs/results are of the presets as they are now, so that the commands in docs/RESULTS.md find them
 * again instead of training: those of `quick` and of `short`, which is the same; and they say what README.md and docs/PREDICTION.md
 * say they do. Needs the real data (folder HARDY_DATA).
 */
#include "experiment/compare.h"
#include "experiment/results.h"
#include "support/test.h"

#include "base/files.h"
#include "base/memory.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *source;
static char results[600], splits[600], acdc[600], mnms[600], sunnybrook[600];
static int n_lines, n_of_these_scans;

static const char *text_in(const cJSON *json, const char *key)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(json, key);
	assert_true(cJSON_IsString(item));
	return item->valuestring;
}

/* A line of results against the run of its method and seed; with other scans at hand the data are others, the configuration is not. */
static hardy_status compare(void *payload, hy_results_line *line)
{
	const hy_study *s = payload;
	const cJSON *json = line->json;
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
			assert_string_equal(run->key, line->key);
			n_of_these_scans++;
		}
	}
	assert_true(found);
	n_lines++;
	return HARDY_OK;
}

static hardy_experiment_options options_of(const char *preset)
{
	static const char *data[3];
	hardy_experiment_options o;
	data[0] = acdc;
	data[1] = mnms;
	data[2] = sunnybrook;
	hardy_experiment_options_init(&o);
	o.name = "latent-vs-image";
	o.data = data;
	o.n_data = 3;
	o.splits = splits;
	o.output = "absent";
	o.preset = preset;
	o.methods = "all";
	return o;
}

static void are_of_the_present_presets(void **state)
{
	static const struct {
		const char *file, *preset, *setting;
	} sets[] = {{"latent-vs-image", "quick", NULL}, {"latent-vs-image", "short", NULL}};
	(void)state;
	for (size_t i = 0; i < sizeof sets / sizeof *sets; i++) {
		hardy_error err = {0};
		hardy_experiment_options o;
		hy_study s = {0};
		char path[700];
		snprintf(path, sizeof path, "%s/%s.jsonl", results, sets[i].file);
		o = options_of(sets[i].preset);
		o.settings = &sets[i].setting;
		o.n_settings = sets[i].setting != NULL;
		n_lines = n_of_these_scans = 0;
		assert_ok(hy_study_make(&s, &o, NULL, NULL, &err), &err);
		assert_ok(hy_results_each(path, compare, &s, &err), &err);
		hy_study_clear(&s);
		assert_true(n_lines > 0);
		print_message("%s, %s: %d finished runs, %d of them of the scans at hand\n", sets[i].file, sets[i].preset, n_lines,
		              n_of_these_scans);
	}
	assert_false(hy_path_exists("absent"));
}

/* A finished run's line, for the run of its method and seed. */
static hardy_status keep(void *payload, hy_results_line *line)
{
	const hy_study *s = payload;
	const cJSON *json = line->json;
	assert_non_null(json);
	assert_non_null(line->key);
	for (size_t i = 0; i < s->n_runs; i++) {
		hy_study_run *run = &s->runs[i];
		if (!strcmp(run->method->name, text_in(json, "method")) &&
		    run->train.seed == (int64_t)cJSON_GetObjectItemCaseSensitive(json, "seed")->valuedouble) {
			run->line = hy_strdup(line->text);
			assert_non_null(run->line);
		}
	}
	return HARDY_OK;
}

static void is_in_readme(double mean)
{
	hardy_error err = {0};
	char path[700], number[16], *text;
	size_t size;
	snprintf(path, sizeof path, "%s/README.md", source);
	snprintf(number, sizeof number, "%.3f", mean);
	assert_ok(hy_file_read(path, &text, &size, &err), &err);
	if (!strstr(text, number + 1))
		fail_msg("README.md does not say %s", number + 1);
	hy_free(text);
}

/* README.md has the means over all sets of FTN+STN: of `hardy`, of the study's two trainings, of the best rival. And the quality signal
 * of `hardy` off site is what docs/PREDICTION.md says was reached, in each seed. */
static void say_what_is_claimed(void **state)
{
	hardy_error err = {0};
	hardy_experiment_options o = options_of("quick");
	hy_study s = {0};
	hy_compare c;
	char path[700];
	double ours = 0, best_rival = 0;
	(void)state;
	snprintf(path, sizeof path, "%s/latent-vs-image.jsonl", results);
	assert_ok(hy_study_make(&s, &o, NULL, NULL, &err), &err);
	assert_ok(hy_results_each(path, keep, &s, &err), &err);
	assert_ok(hy_compare_make(&c, &s, &err), &err);
	const size_t all = c.n_targets - 1;
	assert_string_equal(c.targets[all].name, "average");
	for (size_t m = 0; m < s.n_methods; m++) {
		const char *name = s.methods[m]->name;
		const double mean = hy_compare_cell_at(&c, m, 1, all)->mean;
		assert_int_equal(hy_compare_cell_at(&c, m, 1, all)->n_seeds, 3);
		if (!strcmp(name, "standard") || !strcmp(name, "cooperative")) {
			is_in_readme(mean);
		} else if (strcmp(name, "hardy") != 0) {
			best_rival = fmax(best_rival, mean);
		} else {
			ours = mean;
			for (size_t seed = 0; seed < (size_t)o.seeds; seed++) {
				const hardy_forecast *f = &c.forecasts[m * (size_t)o.seeds + seed];
				assert_true(f->n == 500 && f->auc >= .9 && f->error <= .08);
			}
		}
	}
	is_in_readme(ours);
	is_in_readme(best_rival);
	assert_true(ours > best_rival + .05);
	hy_compare_clear(&c);
	hy_study_clear(&s);
}

int main(void)
{
	const char *given = getenv("HARDY_DATA");
	char data[500];
	source = getenv("HARDY_SOURCE") ? getenv("HARDY_SOURCE") : ".";
	snprintf(data, sizeof data, "%s%s", given ? given : source, given ? "" : "/../shared/data");
	snprintf(results, sizeof results, "%s/docs/results", source);
	if (!given && !hy_path_is_folder(data)) {
		printf("skipped: no real data in %s; HARDY_DATA says where they are\n", data);
		return 77;
	}
	char finished[700];
	snprintf(finished, sizeof finished, "%s/latent-vs-image.jsonl", results);
	if (!hy_path_exists(finished)) {
		printf("skipped: docs/results holds no finished runs on these data\n");
		return 77;
	}
	snprintf(splits, sizeof splits, "%s/splits.json", data);
	snprintf(acdc, sizeof acdc, "acdc=%s/acdc", data);
	snprintf(mnms, sizeof mnms, "mnms=%s/mnms", data);
	snprintf(sunnybrook, sizeof sunnybrook, "sunnybrook=%s/sunnybrook:labels=lv=3,myo=2:classes=LV:labelled-slices", data);
	const struct CMUnitTest tests[] = {cmocka_unit_test(are_of_the_present_presets), cmocka_unit_test(say_what_is_claimed)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
