/*
 * published.c: the finished runs in docs/results/hearts.jsonl are of the presets as they are now, so that the commands in docs/RESULTS.md find
 * them again instead of training: those of `quick` and of `short`, which is the same; and they say what README.md, docs/RESULTS.md and
 * docs/PREDICTION.md say they do. Needs the real data (folder HARDY_DATA).
 */
#include "experiment/compare.h"
#include "experiment/results.h"
#include "support/test.h"

#include "base/files.h"
#include "base/memory.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { N_METHODS = 3, N_RIVALS = 9, N_SEEDS = 3, N_RIVAL_SEEDS = 1, N_SITES = 3, N_SETS = 7 };

static const char *const sets[N_SETS] = {"acdc", "mnms", "sunnybrook", "bias", "ghosting", "motion", "spike"};
static const char three_seeds_of[] = "standard,cooperative,hardy";
static const char *source;
static char finished[700], splits[700], acdc[600], mnms[600], sunnybrook[600];
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

static hardy_experiment_options options_of(const char *preset, const char *methods)
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
	o.methods = methods;
	return o;
}

static void are_of_the_present_presets(void **state)
{
	static const char *const presets[] = {"quick", "short"};
	(void)state;
	for (size_t i = 0; i < sizeof presets / sizeof *presets; i++) {
		hardy_error err = {0};
		hy_study s = {0};
		const hardy_experiment_options o = options_of(presets[i], "all");
		n_lines = n_of_these_scans = 0;
		assert_ok(hy_study_make(&s, &o, NULL, NULL, &err), &err);
		assert_ok(hy_results_each(finished, compare, &s, &err), &err);
		hy_study_clear(&s);
		assert_int_equal(n_lines, N_METHODS * N_SEEDS + N_RIVALS * N_RIVAL_SEEDS);
		print_message("%s: %d finished runs, %d of them of the scans at hand\n", presets[i], n_lines, n_of_these_scans);
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

/* A number as pages write it: .894, or signed -.019. */
static void put(hy_text *t, const char *before, double value, bool sign, const char *after)
{
	char number[16];
	snprintf(number, sizeof number, "%.3f", fabs(value));
	hy_text_printf(t, "%s%s%s%s", before, sign ? value < 0 ? "-" : "+" : "", number + (number[0] == '0'), after);
}

static void put_interval(hy_text *t, const char *before, double low, double high, const char *after)
{
	put(t, before, low, false, " to ");
	put(t, "", high, false, after);
}

/* The text stands on the page, whatever its line breaks. */
static void stands_in(const char *page, hy_text *t)
{
	hardy_error err = {0};
	char path[700], *text, *to;
	size_t size;
	snprintf(path, sizeof path, "%s/%s", source, page);
	assert_ok(hy_file_read(path, &text, &size, &err), &err);
	to = text;
	for (const char *at = text; *at; at++)
		if (!strchr(" \n", *at) || (at[1] && !strchr(" \n", at[1])))
			*to++ = (char)(*at == '\n' ? ' ' : *at);
	*to = 0;
	assert_false(t->failed);
	if (!strstr(text, t->data))
		fail_msg("%s does not say \"%s\"", page, t->data);
	hy_free(text);
	hy_text_clear(t);
}

static size_t method_of(const hy_study *s, const char *name)
{
	for (size_t m = 0; m < s->n_methods; m++)
		if (!strcmp(s->methods[m]->name, name))
			return m;
	fail_msg("no method %s", name);
	return 0;
}

static size_t target_of(const hy_compare *c, const char *name)
{
	for (size_t t = 0; t < c->n_targets; t++)
		if (!strcmp(c->targets[t].name, name))
			return t;
	fail_msg("no set %s", name);
	return 0;
}

/* Rows of README's first table: means and intervals of the three sites. */
static void readme_says(const hy_compare *c, const char *method, const char *begin, const char *bold)
{
	hy_text t = {0};
	char end[8];
	snprintf(end, sizeof end, "%s (", bold);
	hy_text_printf(&t, "| %s |", begin);
	for (size_t i = 0; i < N_SITES; i++) {
		const hy_compare_cell *cell = hy_compare_cell_at(c, method_of(c->s, method), 0, target_of(c, sets[i]));
		hy_text_printf(&t, " %s", bold);
		put(&t, "", cell->mean, false, end);
		put_interval(&t, "", cell->low, cell->high, ") |");
	}
	stands_in("README.md", &t);
}

/* A row of docs/RESULTS.md: means, or intervals, of the sets from `first` on. */
static void results_say(const hy_compare *c, const char *method, int network, const char *begin, size_t first, bool interval,
                        const char *bold)
{
	hy_text t = {0};
	hy_text_printf(&t, "%s |", begin);
	for (size_t i = first; i < N_SETS; i++) {
		const hy_compare_cell *cell = hy_compare_cell_at(c, method_of(c->s, method), network, target_of(c, sets[i]));
		hy_text_printf(&t, " %s", bold);
		if (interval)
			put_interval(&t, "", cell->low, cell->high, bold);
		else
			put(&t, "", cell->mean, false, bold);
		hy_text_printf(&t, " |");
	}
	stands_in("docs/RESULTS.md", &t);
}

static const hy_compare_pair *cooperative_less_standard(const hy_compare *c, int network, const char *set)
{
	return hy_compare_pair_at(c, HY_AGAINST_STANDARD, method_of(c->s, "cooperative"), network, target_of(c, set));
}

static void results_say_differences(const hy_compare *c, int network)
{
	hy_text t = {0};
	hy_text_printf(&t, "| difference |");
	for (size_t i = 0; i < N_SETS; i++) {
		const hy_compare_pair *p = cooperative_less_standard(c, network, sets[i]);
		put(&t, " ", p->difference, true, p->p_holm < .05 ? " * |" : " |");
	}
	stands_in("docs/RESULTS.md", &t);
}

typedef struct finished_study {
	hy_study s;
	hy_compare c;
} finished_study;

static void open_study(finished_study *f, const char *methods, size_t n_seeds)
{
	hardy_error err = {0};
	hardy_experiment_options o = options_of("quick", methods);
	o.seeds = (int64_t)n_seeds;
	assert_ok(hy_study_make(&f->s, &o, NULL, NULL, &err), &err);
	assert_ok(hy_results_each(finished, keep, &f->s, &err), &err);
	assert_ok(hy_compare_make(&f->c, &f->s, &err), &err);
	for (size_t m = 0; m < f->s.n_methods; m++)
		assert_int_equal(hy_compare_cell_at(&f->c, m, 1, target_of(&f->c, "average"))->n_seeds, n_seeds);
}

static void close_study(finished_study *f)
{
	hy_compare_clear(&f->c);
	hy_study_clear(&f->s);
}

/* Means and intervals of `hardy` and of the study's two trainings, to the digit. And the quality signal of `hardy` off site is what
 * docs/PREDICTION.md says was reached, in each seed. */
static void say_what_is_claimed(void **state)
{
	finished_study f = {0};
	const hy_compare *c = &f.c;
	(void)state;
	open_study(&f, three_seeds_of, N_SEEDS);
	const size_t all = target_of(c, "average"), best = method_of(&f.s, "hardy");
	for (size_t m = 0; m < f.s.n_methods; m++)
		assert_true(m == best || hy_compare_cell_at(c, best, 1, all)->mean > hy_compare_cell_at(c, m, 1, all)->mean + .05);
	for (size_t seed = 0; seed < N_SEEDS; seed++) {
		const hardy_forecast *forecast = &c->forecasts[best * N_SEEDS + seed];
		assert_true(forecast->n == 500 && forecast->auc >= .9 && forecast->error <= .08);
	}
	readme_says(c, "hardy", "`hardy train`", "**");
	readme_says(c, "standard", "the study's networks, standard training", "");
	results_say(c, "standard", 0, "| standard", 0, false, "");
	results_say(c, "standard", 0, "|", 0, true, "");
	results_say(c, "cooperative", 0, "| cooperative", 0, false, "");
	results_say(c, "cooperative", 0, "|", 0, true, "");
	results_say(c, "standard", 1, "| standard", 0, false, "");
	results_say(c, "cooperative", 1, "| cooperative", 0, false, "");
	results_say(c, "hardy", 0, "| `hardy`, one network", 0, false, "**");
	results_say(c, "hardy", 0, "| three draws, mean of three seeds |", N_SITES, false, "**");
	results_say(c, "hardy", 0, "| 95 % interval of these over subjects |", N_SITES, true, "");
	close_study(&f);
}

/* What docs/RESULTS.md says of cooperative against standard training, which it compares alone: a third method would have more tests corrected. */
static void say_what_cooperative_training_gives(void **state)
{
	finished_study f = {0};
	const hy_compare *c = &f.c;
	hy_text t = {0};
	double least = 1, most = -1;
	(void)state;
	open_study(&f, "standard,cooperative", N_SEEDS);
	results_say_differences(c, 0);
	results_say_differences(c, 1);
	const hy_compare_pair *p = cooperative_less_standard(c, 0, "artefacts");
	put(&t, "", p->difference, false, " over the four artefacts together (interval ");
	put_interval(&t, "", p->low, p->high, ")");
	stands_in("docs/RESULTS.md", &t);
	for (size_t m = 0; m < f.s.n_methods; m++)
		for (size_t i = 0; i < N_SETS; i++) {
			const double gain = hy_compare_stn_at(c, m, target_of(c, sets[i]))->difference;
			least = fmin(least, gain);
			most = fmax(most, gain);
		}
	put(&t, "The slow network's correction gives ", least, true, "");
	put(&t, " to ", most, true, ".");
	stands_in("docs/RESULTS.md", &t);
	close_study(&f);
}

static double mean_of(const finished_study *f, const char *method, const char *set)
{
	return hy_compare_cell_at(&f->c, method_of(&f->s, method), 0, target_of(&f->c, set))->mean;
}

/* The rivals' rows, those of the study's trainings and of `hardy` with the same subjects, and what the page says of them. */
static void say_what_the_rivals_reach(void **state)
{
	finished_study f = {0};
	(void)state;
	open_study(&f, "all", N_RIVAL_SEEDS);
	assert_int_equal(f.s.n_methods, N_METHODS + N_RIVALS);
	for (size_t m = 0; m < f.s.n_methods; m++) {
		const char *name = f.s.methods[m]->name;
		char begin[80];
		snprintf(begin, sizeof begin, "| `%s`", name);
		results_say(&f.c, name, 0, begin, 0, false, strcmp(name, "hardy") ? "" : "**");
		if (!strcmp(name, "hardy"))
			continue;
		const double home = mean_of(&f, name, "acdc"), above = mean_of(&f, "hardy", "acdc") - home;
		assert_true(fabs(home - mean_of(&f, "standard", "acdc")) < .03 && above > .135 && above < .185);
		assert_true(home <= mean_of(&f, "adv-bias", "acdc") && mean_of(&f, name, "bias") <= mean_of(&f, "adv-bias", "bias"));
		if (strcmp(name, "maxstyle") && strcmp(name, "mwm") && strcmp(name, "cooperative"))
			assert_true(mean_of(&f, name, "spike") < mean_of(&f, "cooperative", "spike"));
	}
	assert_true(mean_of(&f, "maxstyle", "spike") > mean_of(&f, "mwm", "spike"));
	assert_true(mean_of(&f, "mwm", "spike") > mean_of(&f, "cooperative", "spike"));
	close_study(&f);
}

int main(void)
{
	const char *given = getenv("HARDY_DATA");
	char data[500];
	source = getenv("HARDY_SOURCE") ? getenv("HARDY_SOURCE") : ".";
	snprintf(data, sizeof data, "%s%s", given ? given : source, given ? "" : "/../shared/data");
	if (!given && !hy_path_is_folder(data)) {
		printf("skipped: no real data in %s; HARDY_DATA says where they are\n", data);
		return 77;
	}
	snprintf(finished, sizeof finished, "%s/docs/results/hearts.jsonl", source);
	snprintf(splits, sizeof splits, "%s/docs/results/splits.json", source);
	snprintf(acdc, sizeof acdc, "acdc=%s/acdc", data);
	snprintf(mnms, sizeof mnms, "mnms=%s/mnms:title=M&Ms", data);
	snprintf(sunnybrook, sizeof sunnybrook, "sunnybrook=%s/sunnybrook:labels=lv=3,myo=2:classes=LV:labelled-slices", data);
	const struct CMUnitTest tests[] = {cmocka_unit_test(are_of_the_present_presets), cmocka_unit_test(say_what_is_claimed),
	                                   cmocka_unit_test(say_what_cooperative_training_gives),
	                                   cmocka_unit_test(say_what_the_rivals_reach)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
