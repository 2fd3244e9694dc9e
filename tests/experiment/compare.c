/*
 * compare.c: statistics of results written by hand: means, spread, failures, groups, intervals, paired tests, and the tables.
 */
#include "support/json_memory.h"
#include "support/listen.h"
#include "support/test.h"
#include "support/tree.h"

#include "base/files.h"
#include "base/memory.h"
#include "base/rng.h"
#include "experiment/compare.h"
#include "experiment/results.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { N_METHODS = 3, N_SEEDS = 2, N_SETS = 6, N_HOME = 6, N_AWAY = 30, N_DRAWS = 2 };

static const hy_method methods[N_METHODS] = {
    {"latent-vs-image", "standard", "Standard", "standard", "", false},
    {"latent-vs-image", "mwm", "Rand|MWM_&", "mwm", "", false},
    {"latent-vs-image", "cooperative", "Both, x^ and p^", "cooperative", "", false},
};
static const hy_method *const method_list[N_METHODS] = {&methods[0], &methods[1], &methods[2]};
static const hy_experiment experiment = {"latent-vs-image", "A title", false};
static hy_source sources[2] = {{.name = "acdc", .title = "ACDC"}, {.name = "mnms", .title = "M&Ms"}};
static hy_test_set sets[N_SETS] = {
    {HY_SET_INTRA, 0, 0, "acdc", "ACDC test"},
    {HY_SET_SITE, 1, 0, "mnms", "M&Ms"},
    {HY_SET_ARTEFACT, 0, HY_ARTEFACT_BIAS, "bias", "bias"},
    {HY_SET_ARTEFACT, 0, HY_ARTEFACT_GHOSTING, "ghosting", "ghosting"},
    {HY_SET_ARTEFACT, 0, HY_ARTEFACT_MOTION, "motion", "motion"},
    {HY_SET_ARTEFACT, 0, HY_ARTEFACT_SPIKE, "spike", "spike"},
};
static hardy_experiment_options options;
static hy_study_run runs[N_METHODS * N_SEEDS];
static hy_study study;

/* ---- results ------------------------------------------------------------------------------------------------------------ */

static size_t n_cases(size_t set)
{
	return sets[set].kind == HY_SET_SITE ? N_AWAY : N_HOME;
}

/* The mean Dice of a case; LV and RV lie 0.02 above and below it. */
static double truth(size_t m, size_t seed, size_t set, int w, size_t i, int draw)
{
	hy_rng g = hy_rng_make(1, HY_RNG_TEST, set, i);
	double v = 0.3 + 0.4 * hy_rng_uniform(&g) + 0.01 * (double)seed + 0.002 * draw + 0.005 * w;
	if (m == 1)
		v -= 0.01 * (double)(i + 1) / (double)n_cases(set); /* lower, each case by another amount */
	if (m == 2)
		v += set == 1 ? 0.001 * ((double)(i % 7) - 3) + 0.0001 * (double)i : 0.03;
	if (m == 0 && set == 5)
		v = i ? 0.05 : v; /* most of them fail */
	return floor(v * 1e4 + .5) / 1e4;
}

/* The third method's models foretell 0.05 too much, and for every other scan a bound that the Dice lies below; at home nonsense. */
static size_t put_forecast(char *text, size_t size, size_t m, size_t seed, size_t set, size_t i, int draw)
{
	const double v = truth(m, seed, set, 1, i, draw), low = i % 2 ? v + .01 : v - .01;
	if (m != 2)
		return 0;
	return (size_t)snprintf(text, size, ",\"predicted\":%.4f,\"predicted_low\":%.4f", set ? v + .05 : 0, set ? low : 0);
}

static char *make_line(size_t m, size_t seed)
{
	enum { ROOM = 200000 };
	char *text = hy_alloc(ROOM, 1);
	assert_non_null(text);
	size_t n = (size_t)snprintf(text, ROOM, "{\"key\":\"k%zu%zu\",\"sets\":[", m, seed);
	for (size_t k = 0; k < N_SETS; k++) {
		const int draws = sets[k].kind == HY_SET_ARTEFACT ? N_DRAWS : 1;
		n += (size_t)snprintf(text + n, ROOM - n, "%s{\"name\":\"%s\",\"cases\":[", k ? "," : "", sets[k].name);
		for (size_t i = 0; i < n_cases(k); i++)
			for (int draw = 0; draw < draws; draw++) {
				n += (size_t)snprintf(text + n, ROOM - n, "%s{\"case\":\"%c%zu_ED\",\"draw\":%d", i || draw ? "," : "",
				                      k == 1 ? 'm' : 'p', i, draw);
				for (int w = 0; w < 2; w++) {
					const double v = truth(m, seed, k, w, i, draw);
					n += (size_t)snprintf(text + n, ROOM - n, ",\"%s\":{\"LV\":%.4f,\"MYO\":null,\"RV\":%.4f}",
					                      w ? "stn" : "ftn", v + .02, v - .02);
				}
				n += put_forecast(text + n, ROOM - n, m, seed, k, i, draw);
				n += (size_t)snprintf(text + n, ROOM - n, "}");
			}
		n += (size_t)snprintf(text + n, ROOM - n, "]}");
	}
	snprintf(text + n, ROOM - n, "]}");
	return text;
}

static int make_all(void **state)
{
	(void)state;
	tree_new();
	static char folder[600];
	snprintf(folder, sizeof folder, "%s", tree_path("out"));
	hardy_experiment_options_init(&options);
	options.seeds = N_SEEDS;
	options.output = folder;
	study = (hy_study){.o = &options,
	                   .experiment = &experiment,
	                   .sources = sources,
	                   .n_sources = 2,
	                   .sets = sets,
	                   .n_sets = N_SETS,
	                   .methods = method_list,
	                   .n_methods = N_METHODS,
	                   .runs = runs,
	                   .n_runs = N_METHODS * N_SEEDS};
	hardy_train_options_init(&study.base, "short", "standard", NULL);
	for (size_t seed = 0; seed < N_SEEDS; seed++)
		for (size_t m = 0; m < N_METHODS; m++)
			runs[seed * N_METHODS + m] =
			    (hy_study_run){.method = method_list[m], .state = HY_RUN_DONE, .line = make_line(m, seed)};
	return 0;
}

static int remove_all(void **state)
{
	(void)state;
	for (size_t i = 0; i < study.n_runs; i++)
		hy_free(runs[i].line);
	tree_remove();
	return 0;
}

/* ---- the same by other means -------------------------------------------------------------------------------------------- */

static double case_mean(size_t m, int w, size_t set, size_t i)
{
	const int draws = sets[set].kind == HY_SET_ARTEFACT ? N_DRAWS : 1;
	double sum = 0;
	for (size_t seed = 0; seed < N_SEEDS; seed++)
		for (int draw = 0; draw < draws; draw++)
			sum += truth(m, seed, set, w, i, draw);
	return sum / (N_SEEDS * draws);
}

static double set_mean(size_t m, int w, size_t set)
{
	double sum = 0;
	for (size_t i = 0; i < n_cases(set); i++)
		sum += case_mean(m, w, set, i);
	return sum / (double)n_cases(set);
}

static size_t target_of(const hy_compare *c, const char *name)
{
	for (size_t t = 0; t < c->n_targets; t++)
		if (!strcmp(c->targets[t].name, name))
			return t;
	fail_msg("no target %s", name);
	return 0;
}

static bool is_near(double a, double b)
{
	return fabs(a - b) < 1e-9;
}

static void means(void **state)
{
	(void)state;
	hardy_error err;
	hy_compare c;
	assert_ok(hy_compare_make(&c, &study, &err), &err);
	assert_int_equal(c.n_targets, N_SETS + 4); /* artefacts, sites, shifted, average; the published six are all */
	for (size_t m = 0; m < N_METHODS; m++)
		for (int w = 0; w < 2; w++) {
			double artefacts = 0, all = 0;
			for (size_t k = 0; k < N_SETS; k++) {
				const hy_compare_cell *cell = hy_compare_cell_at(&c, m, w, k);
				const double want = set_mean(m, w, k);
				assert_true(is_near(cell->mean, want) && cell->n_seeds == N_SEEDS);
				assert_true(is_near(cell->seed_sd, fabs(cell->seeds[0] - cell->seeds[1]) / sqrt(2)));
				assert_true(is_near(cell->classes[0], want + .02) && is_near(cell->classes[1], want - .02));
				assert_true(cell->low < want && want < cell->high);
				artefacts += sets[k].kind == HY_SET_ARTEFACT ? want / 4 : 0;
				all += want / N_SETS;
			}
			assert_true(is_near(hy_compare_cell_at(&c, m, w, target_of(&c, "artefacts"))->mean, artefacts));
			assert_true(is_near(hy_compare_cell_at(&c, m, w, target_of(&c, "average"))->mean, all));
		}
	assert_int_equal(c.n_classes, 2); /* MYO is never defined */
	assert_int_equal(c.targets[target_of(&c, "average")].n_cases, N_HOME + N_AWAY);
	/* five of six scans of the spike set fail */
	const hy_compare_cell *spike = hy_compare_cell_at(&c, 0, 0, 5);
	size_t half = 0;
	for (size_t seed = 0; seed < N_SEEDS; seed++)
		for (int draw = 0; draw < N_DRAWS; draw++)
			for (size_t i = 0; i < N_HOME; i++)
				half += truth(0, seed, 5, 0, i, draw) < .5;
	assert_true(is_near(spike->below_tenth, 5. / 6) && is_near(spike->below_half, (double)half / (N_SEEDS * N_DRAWS * N_HOME)));
	hy_compare_clear(&c);
}

/* Many scans: close to what the standard error says. */
static void intervals(void **state)
{
	(void)state;
	hardy_error err;
	hy_compare c;
	assert_ok(hy_compare_make(&c, &study, &err), &err);
	const hy_compare_cell *cell = hy_compare_cell_at(&c, 0, 0, 1);
	double squares = 0;
	for (size_t i = 0; i < N_AWAY; i++)
		squares += pow(case_mean(0, 0, 1, i) - cell->mean, 2);
	const double error = sqrt(squares / N_AWAY / N_AWAY);
	assert_true(fabs(cell->low - (cell->mean - 1.96 * error)) < .15 * error);
	assert_true(fabs(cell->high - (cell->mean + 1.96 * error)) < .15 * error);
	hy_compare_clear(&c);
}

/* The other site's scans in pairs, ED and ES of a subject: half as many units. */
static void subjects(void **state)
{
	(void)state;
	enum { N = N_AWAY / 2 };
	hardy_error err;
	hy_compare c;
	char *kept[N_METHODS * N_SEEDS], name[32];
	for (size_t r = 0; r < study.n_runs; r++) {
		kept[r] = runs[r].line;
		runs[r].line = hy_strdup(kept[r]);
		assert_non_null(runs[r].line);
		for (int i = 1; i < N_AWAY; i += 2) { /* m0_ED m1_ED become ma_ED ma_ES, which is as long; then b, c ... */
			for (int phase = 0; phase < 2; phase++) {
				snprintf(name, sizeof name, "\"m%d_ED\"", i - 1 + phase);
				char *at = strstr(runs[r].line, name);
				assert_non_null(at);
				memset(at + 2, 'a' + i / 2, strlen(name) - 6);
				at[strlen(name) - 2] = phase ? 'S' : 'D';
			}
		}
	}
	assert_ok(hy_compare_make(&c, &study, &err), &err);
	assert_int_equal(c.targets[1].n_cases, N_AWAY);
	assert_int_equal(c.targets[1].n_subjects, N);
	assert_int_equal(c.targets[target_of(&c, "average")].n_subjects, N_HOME + N);
	const hy_compare_cell *cell = hy_compare_cell_at(&c, 0, 0, 1);
	assert_true(is_near(cell->mean, set_mean(0, 0, 1)));
	double squares = 0;
	for (size_t k = 0; k < N; k++)
		squares += pow((case_mean(0, 0, 1, 2 * k) + case_mean(0, 0, 1, 2 * k + 1)) / 2 - cell->mean, 2);
	const double error = sqrt(squares / N / N);
	assert_true(fabs(cell->low - (cell->mean - 1.96 * error)) < .2 * error);
	assert_true(fabs(cell->high - (cell->mean + 1.96 * error)) < .2 * error);
	/* all lower: the least p that 15 can have */
	const hy_compare_pair *p = hy_compare_pair_at(&c, HY_AGAINST_STANDARD, 1, 0, 1);
	assert_true(p->n == N && p->exact && is_near(p->p, 2. / (1 << N)));
	assert_true(is_near(p->difference, set_mean(1, 0, 1) - set_mean(0, 0, 1)));
	hy_compare_clear(&c);
	for (size_t r = 0; r < study.n_runs; r++) {
		hy_free(runs[r].line);
		runs[r].line = kept[r];
	}
}

static void pairs(void **state)
{
	(void)state;
	hardy_error err;
	hy_compare c;
	assert_ok(hy_compare_make(&c, &study, &err), &err);
	assert_true(c.reference[HY_AGAINST_STANDARD] == 0 && c.reference[HY_AGAINST_PROPOSED] == 2);
	/* lower in all six scans: the least p that six can have, and the smallest of 12 (two methods, six sets) that are not ties */
	const hy_compare_pair *p = hy_compare_pair_at(&c, HY_AGAINST_STANDARD, 1, 0, 0);
	assert_true(p->exact && p->n == N_HOME && p->n_seeds == N_SEEDS && p->w_plus == 0 && is_near(p->p, 2. / 64));
	assert_true(is_near(p->difference, set_mean(1, 0, 0) - set_mean(0, 0, 0)) && p->low < p->difference && p->high < 0);
	/* 30 scans, all lower: as small as can be, times 12 */
	p = hy_compare_pair_at(&c, HY_AGAINST_STANDARD, 1, 0, 1);
	assert_true(p->n == N_AWAY && p->w_plus == 0 && p->p < 1e-5 && p->p_holm < 12.001 * p->p && p->p_holm > 10.999 * p->p);
	/* 0.03 more everywhere: no spread */
	p = hy_compare_pair_at(&c, HY_AGAINST_STANDARD, 2, 0, 2);
	assert_true(fabs(p->difference - .03) < 2e-4 && p->high - p->low < 2e-4);
	/* the other way round */
	const hy_compare_pair *back = hy_compare_pair_at(&c, HY_AGAINST_PROPOSED, 0, 0, 2);
	assert_true(is_near(p->difference, -back->difference) && is_near(p->p, back->p));
	assert_true(isnan(hy_compare_pair_at(&c, HY_AGAINST_STANDARD, 0, 0, 0)->difference));
	/* FTN+STN is 0.005 above FTN */
	p = hy_compare_stn_at(&c, 1, target_of(&c, "average"));
	assert_true(fabs(p->difference - .005) < 2e-4 && p->n == N_HOME + N_AWAY && p->p_holm < .001);
	hy_compare_clear(&c);
}

static void forecasts(void **state)
{
	(void)state;
	hardy_error err;
	hy_compare c;
	assert_ok(hy_compare_make(&c, &study, &err), &err);
	assert_true(hy_compare_foretells(&c));
	for (size_t seed = 0; seed < N_SEEDS; seed++) {
		size_t n = 0, n_below = 0, n_odd = 0;
		for (size_t k = 1; k < N_SETS; k++)
			for (size_t i = 0; i < n_cases(k); i++)
				for (int draw = 0; draw < (sets[k].kind == HY_SET_ARTEFACT ? N_DRAWS : 1); draw++, n++) {
					n_below += truth(2, seed, k, 1, i, draw) < .7;
					n_odd += i % 2;
				}
		const hardy_forecast *f = &c.forecasts[2 * N_SEEDS + seed];
		assert_true(f->n == n && f->n_below == n_below && n_below > 0 && n_below < n);
		assert_int_equal(f->n_subjects, N_HOME + N_AWAY);
		assert_true(f->auc == 1 && fabs(f->error - .05) < 1e-6 && is_near(f->below_low, (double)n_odd / (double)n));
		assert_int_equal(c.forecasts[seed].n, 0);
	}
	hy_compare_clear(&c);
}

/* A seed is missing for one method: pairs are made of the other one. */
static void incomplete(void **state)
{
	(void)state;
	hardy_error err;
	hy_compare c;
	char *kept = runs[N_METHODS + 1].line;
	runs[N_METHODS + 1].line = NULL;
	assert_ok(hy_compare_make(&c, &study, &err), &err);
	const hy_compare_cell *cell = hy_compare_cell_at(&c, 1, 0, 0);
	assert_true(cell->n_seeds == 1 && isnan(cell->seed_sd) && isnan(cell->seeds[1]));
	const hy_compare_pair *p = hy_compare_pair_at(&c, HY_AGAINST_STANDARD, 1, 0, 0);
	double want = 0;
	for (size_t i = 0; i < N_HOME; i++)
		want += (truth(1, 0, 0, 0, i, 0) - truth(0, 0, 0, 0, i, 0)) / N_HOME;
	assert_true(p->n_seeds == 1 && is_near(p->difference, want));
	hy_compare_clear(&c);
	/* other scans */
	char *other = hy_strdup(kept), *at = strstr(other, "p3_ED");
	assert_non_null(at);
	at[0] = 'q';
	runs[N_METHODS + 1].line = other;
	assert_int_equal(hy_compare_make(&c, &study, &err), HARDY_ERROR_DATA);
	assert_non_null(strstr(err.message, "q3_ED"));
	hy_free(other);
	runs[N_METHODS + 1].line = kept;
	/* none at all */
	hy_study none = study;
	hy_study_run waiting[N_METHODS * N_SEEDS] = {{0}};
	none.runs = waiting;
	assert_int_equal(hy_compare_make(&c, &none, &err), HARDY_ERROR_DATA);
}

static void has(const char *path, const char *part)
{
	hardy_error err;
	char *text;
	size_t size;
	assert_ok(hy_file_read(tree_path(path), &text, &size, &err), &err);
	if (!strstr(text, part))
		fail_msg("%s lacks \"%s\":\n%.3000s", path, part, text);
	hy_free(text);
}

static void files(void **state)
{
	(void)state;
	hardy_error err;
	hy_compare c;
	cJSON *json;
	char line[200];
	assert_ok(hy_compare_make(&c, &study, &err), &err);
	assert_ok(hy_compare_write(&c, &err), &err);
	assert_ok(hy_compare_print(&c, &listen_sink, &err), &err);
	assert_non_null(strstr(printed, "FTN+STN less FTN"));
	assert_non_null(strstr(printed, "Predicted Dice away from the training site"));
	snprintf(line, sizeof line, "mwm,Rand|MWM_&,FTN,mnms,site,30,30,2,%.6g,", hy_compare_cell_at(&c, 1, 0, 1)->mean);
	has("out/tables/summary.csv", line);
	has("out/tables/summary.csv", ",0.3984\n"); /* published */
	has("out/tables/summary.md", "| Rand\\|MWM_& |");
	has("out/tables/summary.md", "### Published, FTN+STN");
	has("out/tables/summary.tex", "Rand|MWM\\_\\& &");
	has("out/tables/summary.tex", "x\\^{} and p\\^{}");
	has("out/tables/summary.md", "M&Ms: 150 subjects of five sites there, 30 scans here.");
	has("out/tables/per_class.csv", "standard,Standard,FTN,acdc,intra,LV,");
	has("out/tables/per_class.md", "Standard, RV |");
	has("out/tables/paired.csv", "cooperative,\"Both, x^ and p^\",FTN,acdc,intra,standard,6,2,");
	has("out/tables/paired.tex", "\\begin{tabular}{l*{10}{r}}");
	snprintf(line, sizeof line, "cooperative,\"Both, x^ and p^\",1,78,36,%zu,1,1,1,0.05,",
	         c.forecasts[2 * N_SEEDS + 1].n_below);
	has("out/tables/predicted_dice.csv", line);
	has("out/tables/predicted_dice.md", "| Both, x^ and p^, seed 1 | 78 | 36 |");
	has("out/tables/predicted_dice.tex", "Both, x\\^{} and p\\^{}, seed 0 & 78 & 36 &");
	assert_ok(hy_json_read(tree_path("out/statistics.json"), &json, &err), &err);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "summary")), N_METHODS * 2 * (N_SETS + 4));
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "paired")), 2 * 2 * 2 * (N_SETS + 4));
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "stn")), N_METHODS * (N_SETS + 4));
	const cJSON *foretold = cJSON_GetObjectItem(json, "predicted_dice");
	assert_int_equal(cJSON_GetArraySize(foretold), N_SEEDS);
	assert_int_equal(cJSON_GetObjectItem(cJSON_GetArrayItem(foretold, 1), "seed")->valueint, 1);
	const cJSON *cell = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "summary"), 1);
	assert_true(fabs(cJSON_GetObjectItem(cell, "mean")->valuedouble - hy_compare_cell_at(&c, 0, 0, 1)->mean) < 1e-6);
	cJSON_Delete(json);
	/* what was published stands beside the same experiment and sets only */
	assert_true(hy_published(&c, 2, 1, target_of(&c, "average")) == .6901);
	assert_true(isnan(hy_published(&c, 2, 0, target_of(&c, "sites"))));
	assert_true(isnan(hy_published(&c, 2, 0, target_of(&c, "artefacts"))));
	sources[0].name = sources[0].title = "elsewhere";
	assert_true(isnan(hy_published(&c, 2, 0, 0)) && !hy_published_any(&c, 0));
	sources[0].name = "acdc";
	sources[0].title = "ACDC";
	hy_compare_clear(&c);
}

static hardy_status count(void *payload, hy_results_line *line)
{
	size_t *n = payload;
	n[0] += line->json && line->done;
	n[1] += !line->json;
	return HARDY_OK;
}

/* A result that finds no memory is no line without a result: its run would be made again. */
static void lack_of_memory_loses_no_run(void **state)
{
	(void)state;
	hardy_error err;
	int64_t n = 1;
	tree_text("lines.jsonl",
	          "{\"key\":\"a\",\"status\":\"done\"}\n{\"key\":\"b\",\"status\":\"failed\"}\nno result\n{} x\n{\"key\":\"c\"}");
	json_memory_counts(true);
	for (int64_t k = 0; k <= n; k++) {
		size_t found[2] = {0};
		const int64_t before = hy_memory_calls(), live = hy_memory_live();
		hy_memory_fail_at(k);
		const hardy_status status = hy_results_each(tree_path("lines.jsonl"), count, found, &err);
		hy_memory_fail_at(0);
		assert_int_equal(status, k ? HARDY_ERROR_MEMORY : HARDY_OK);
		assert_int_equal(hy_memory_live(), live);
		if (!k) {
			n = hy_memory_calls() - before;
			assert_int_equal(found[0], 2);
			assert_int_equal(found[1], 2);
		}
	}
	assert_in_range(n, 15, 100);
	json_memory_counts(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(means),     cmocka_unit_test(intervals),
	    cmocka_unit_test(pairs),     cmocka_unit_test(subjects),
	    cmocka_unit_test(forecasts), cmocka_unit_test(incomplete),
	    cmocka_unit_test(files),     cmocka_unit_test(lack_of_memory_loses_no_run),
	};
	return cmocka_run_group_tests(tests, make_all, remove_all);
}
