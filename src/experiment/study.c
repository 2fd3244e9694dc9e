/*
 * study.c: from the arguments of an experiment to its runs and their keys.
 */
#define _XOPEN_SOURCE 700 /* mkstemp */
#include "experiment/study.h"

#include "base/files.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/option.h"
#include "base/rng.h"
#include "base/text.h"
#include "experiment/source.h"
#include "predict/jobs.h"
#include "training/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

const char *const hy_set_kind_names[HY_N_SET_KINDS] = {"intra", "site", "artefact"};

char *hy_study_path(const hy_study *s, const char *name)
{
	return hy_path_join(s->o->output, name);
}

const char *hy_study_mark(const hy_study *s, const char *mark)
{
	return s->o->overwrite ? HY_REPLACE_ANY : mark;
}

hy_dataset_options hy_study_dataset_options(const hy_study *s, size_t source)
{
	hy_dataset_options o = {.labels = s->sources[source].labels};
	if (!source)
		memcpy(o.spacing_mm, s->base.header_spacing_mm, sizeof o.spacing_mm);
	return o;
}

bool hy_study_has_case(const hy_study_run *run, const hy_test_set *set, const hy_case *c)
{
	return c->label_path && (set->kind == HY_SET_SITE || hy_split_has(run->split.test, run->split.n_test, c->subject));
}

/* ---- options ------------------------------------------------------------------------------------------------------------ */

/* What an experiment decides, nobody else may. */
static bool is_taken(const char *name)
{
	static const char *const taken[] = {"preset",   "recipe",  "seed",      "data", "splits", "labels",
	                                    "budget_s", "threads", "precision", "fold", "strict"};
	for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
		if (!strcmp(name, taken[i]))
			return true;
	return false;
}

static char *keep_word(hy_study *s, const char *text, size_t n)
{
	char **larger = hy_realloc(s->words, s->n_words + 1, sizeof *larger);
	if (!larger)
		return NULL;
	s->words = larger;
	char *copy = hy_alloc(n + 1, 1);
	if (copy) {
		memcpy(copy, text, n);
		copy[n] = 0;
		s->words[s->n_words++] = copy;
	}
	return copy;
}

/* "name=value,name=value" */
static hardy_status apply(hy_study *s, hardy_train_options *t, const char *settings, const char *where, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	for (const char *at = settings; *at && !status; at += strcspn(at, ","), at += *at == ',') {
		const size_t n = strcspn(at, ",");
		char *name = keep_word(s, at, n), *equals = name ? strchr(name, '=') : NULL;
		if (!name)
			return hy_fail_memory(err, "options", n, 1);
		if (!equals)
			return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: \"%s\" has no value, want NAME=VALUE", where, name);
		*equals = 0;
		if (is_taken(name))
			return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: the experiment itself decides on %s", where, name);
		status = hy_options_set(t, name, equals + 1, err);
		if (status)
			return hy_prefix(err, status, "%s", where);
		/* a length replaces the preset's */
		if (!strcmp(name, "iterations"))
			t->epochs = 0;
		else if (!strcmp(name, "epochs"))
			t->iterations = 0;
	}
	return status;
}

/* The preset, what the recipe asks, and what the command says. */
static hardy_status make_base(hy_study *s, const char *recipe, hardy_train_options *t, hardy_error *err)
{
	const hardy_experiment_options *o = s->o;
	hardy_status status = hardy_train_options_init(t, o->preset, recipe, err);
	t->subjects = HY_SPLIT_POOL; /* whatever the splits, as finished runs have it */
	t->validation = HY_SPLIT_VALIDATION;
	if (!status)
		hy_fit_usual(t);
	if (!status && o->precision)
		status = hy_options_set(t, "precision", o->precision, err);
	for (size_t i = 0; i < o->n_settings && !status; i++)
		status = apply(s, t, o->settings[i], "settings", err);
	t->budget_s = 0;
	t->strict = o->strict;
	return status;
}

static hardy_status read_options(hy_study *s, hardy_error *err)
{
	const hardy_experiment_options *o = s->o;
	hardy_status status = hy_experiment_find(o->name, &s->experiment, err);
	if (status)
		return status;
	if (!o->output || !*o->output)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "no output is named");
	if ((status = hardy_options_check(&hy_experiment_table, o, err)) || (status = make_base(s, "standard", &s->base, err)))
		return status;
	return hy_methods_of(s->experiment, o->methods, &s->methods, &s->n_methods, err);
}

/* ---- data --------------------------------------------------------------------------------------------------------------- */

static void add_set(hy_study *s, hy_set_kind kind, size_t source, const char *name, const char *title, const char *more)
{
	hy_test_set *set = &s->sets[s->n_sets++];
	*set = (hy_test_set){.kind = kind, .source = source};
	snprintf(set->name, sizeof set->name, "%s", name);
	snprintf(set->title, sizeof set->title, "%s%s", title, more);
}

static hardy_status read_sources(hy_study *s, hardy_error *err)
{
	const size_t n = s->o->n_data;
	if (!n)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "no data set is named");
	s->sources = hy_calloc(n, sizeof *s->sources);
	s->sets = hy_calloc(n + HY_N_ACDCC, sizeof *s->sets);
	if (!s->sources || !s->sets)
		return hy_fail_memory(err, "data sets", n + HY_N_ACDCC, sizeof *s->sets);
	for (size_t i = 0; i < n; i++) {
		const hardy_status status = hy_source_read(&s->sources[i], s->o->data[i], err);
		if (status)
			return status;
		s->n_sources++;
		add_set(s, i ? HY_SET_SITE : HY_SET_INTRA, i, s->sources[i].name, s->sources[i].title, i ? "" : " test");
	}
	if (s->sources[0].labelled_slices || s->sources[0].classes)
		return hy_fail(err, HARDY_ERROR_UNSUPPORTED,
		               "%s: classes and labelled-slices are for other sites, not for the training set", s->sources[0].name);
	for (int k = 0; k < HY_N_ACDCC; k++) {
		const char *name = hy_artefact_name((hy_artefact_kind)k);
		add_set(s, HY_SET_ARTEFACT, 0, name, name, "");
		s->sets[s->n_sets - 1].artefact = (hy_artefact_kind)k;
	}
	for (size_t a = 0; a < s->n_sets; a++)
		for (size_t b = a + 1; b < s->n_sets; b++)
			if (!strcmp(s->sets[a].name, s->sets[b].name))
				return hy_fail(err, HARDY_ERROR_ARGUMENT, "two test sets are called \"%s\": want NAME=FOLDER with another name",
				               s->sets[a].name);
	return HARDY_OK;
}

bool hy_study_leaves_out(const hy_study *s, hardy_status status, const hardy_error *err)
{
	if (s->o->strict || !status || status == HARDY_ERROR_MEMORY || status == HARDY_ERROR_INTERRUPTED)
		return false;
	hy_warn(s->log, "left out: %s", err->message);
	return true;
}

typedef struct lost {
	const hy_study *s;
	hardy_error first;
	size_t n;
} lost;

static void leave_out(void *payload, const char *subject, const char *phase, const char *text)
{
	(void)subject;
	(void)phase;
	lost *l = payload;
	hardy_error err = {0};
	hy_fail(&err, HARDY_ERROR_DATA, "%s", text);
	hy_study_leaves_out(l->s, HARDY_ERROR_DATA, &err);
	if (!l->first.status)
		l->first = err;
	l->n++;
}

hardy_status hy_study_open(const hy_study *s, size_t source, hy_dataset *d, size_t *n_lost, hardy_error *err)
{
	const char *folder = s->sources[source].folder;
	const hy_dataset_options o = hy_study_dataset_options(s, source);
	lost l = {.s = s};
	if (s->o->strict)
		return hy_dataset_open(d, folder, &o, s->log, err);
	const hardy_status status = hy_dataset_open_usable(d, folder, &o, leave_out, &l, s->log, err);
	if (n_lost)
		*n_lost = l.n;
	if (status || d->n_cases)
		return status;
	hy_dataset_clear(d);
	return hy_fail(err, HARDY_ERROR_DATA, l.first.status ? "%s: no scan can be used; the first: %s" : "%s: holds no scan",
	               folder, l.first.message);
}

/* A list of names under a key. */
static void put_names(hy_json_maker *m, cJSON *json, const char *key, char (*names)[HY_NAME_SIZE], const size_t *order,
                      size_t n)
{
	cJSON *list = hy_json_put_list(m, json, key);
	for (size_t i = 0; i < n; i++)
		hy_json_put_text(m, list, NULL, names[order[i]]);
}

static int by_name(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* All that could train, and those of which no scan can be used now: whose part they take from others must not depend on that. */
static hardy_status list_subjects(const hy_dataset *d, char (**names)[HY_NAME_SIZE], size_t *n, hardy_error *err)
{
	hy_split all = {0};
	const hardy_status status = hy_split_make(&all, d, NULL, -1, 0, 0, 0, NULL, err);
	if (status)
		return status;
	char(*list)[HY_NAME_SIZE] = hy_calloc(all.n_train + d->n_lost, sizeof *list);
	if (list) {
		memcpy(list, all.train, all.n_train * sizeof *list);
		if (d->n_lost)
			memcpy(list + all.n_train, d->lost, d->n_lost * sizeof *list);
		*n = all.n_train + d->n_lost;
		qsort(list, *n, sizeof *list, by_name);
		*names = list;
	}
	hy_split_clear(&all);
	return list ? HARDY_OK : hy_fail_memory(err, "subjects", d->n_lost + 1, sizeof *list);
}

/* Without a file of subjects: a third of the labelled ones tests, drawn once for all runs, some of the rest validate. */
static hardy_status draw_splits(hy_study *s, const char *path, hardy_error *err)
{
	char(*all)[HY_NAME_SIZE] = NULL;
	size_t n = 0;
	hy_outfile f = {0};
	char *text = NULL;
	size_t *order = NULL;
	hardy_status status = list_subjects(&s->training, &all, &n, err);
	if (status)
		return status;
	const size_t n_test = n / 3, left = n - n_test;
	const size_t wanted = (size_t)s->base.validation, n_validation = wanted < left / 3 ? wanted : left / 3;
	if (n < 4) {
		status =
		    hy_fail(err, HARDY_ERROR_DATA, "%s: %s, want 4 or more", s->sources[0].folder, HY_COUNT(n, "labelled subject"));
		goto out;
	}
	order = hy_alloc(n, sizeof *order);
	if (order) {
		hy_json_maker m = {false};
		cJSON *json = cJSON_CreateObject();
		hy_rng g = hy_rng_make(0, HY_RNG_SPLIT, 2, 0);
		hy_rng_permutation(&g, n, order);
		put_names(&m, json, "test", all, order, n_test);
		put_names(&m, json, "validation", all, order + n_test, n_validation);
		put_names(&m, json, "pool", all, order + n_test + n_validation, left - n_validation);
		text = hy_json_made(&m, json, true);
	}
	status = text ? hy_outfile_open(&f, path, NULL, err) : hy_fail_memory(err, "subjects", n, sizeof *order);
	if (status)
		goto out;
	hy_outfile_printf(&f, "%s\n", text);
	status = hy_outfile_commit(&f, err);
	if (!status && !s->shown_splits)
		hy_info(s->log, "%s: subjects to train on (%zu), to validate (%zu) and to test (%zu), drawn for this experiment", path,
		        left - n_validation, n_validation, n_test);
out:
	cJSON_free(text);
	hy_free(order);
	hy_free(all);
	return status;
}

/* Subjects that are only told about: in a file of their own, which hy_study_clear removes. */
static hardy_status draw_for_show(hy_study *s, hardy_error *err)
{
	char path[] = "/tmp/hardy-splits-XXXXXX";
	const int fd = mkstemp(path);
	if (fd < 0)
		return hy_fail_errno(err, HARDY_ERROR_IO, "%s: cannot be made", path);
	close(fd);
	s->splits = hy_strdup(path);
	s->shown_splits = s->splits != NULL;
	if (s->splits)
		return draw_splits(s, path, err);
	unlink(path);
	return hy_fail_memory(err, path, sizeof path, 1);
}

/* Drawn at the first run, also when several begin at a time: they draw the same, and one of them writes it. */
static hardy_status draw_once(hy_study *s, const char *path, hardy_error *err)
{
	hardy_status status = hy_make_output_folder(s->o->output, err);
	if (!status)
		status = draw_splits(s, path, err);
	return status == HARDY_ERROR_ARGUMENT && hy_path_exists(path) ? HARDY_OK : status;
}

static hardy_status find_splits(hy_study *s, hardy_error *err)
{
	if (s->o->splits)
		return hy_path_resolve(s->o->splits, &s->splits, err);
	char *path = hy_study_path(s, "splits.json");
	hardy_status status = path ? HARDY_OK : hy_fail_memory(err, s->o->output, 1, 1);
	const bool there = !status && hy_path_exists(path);
	if (!status && !there && (s->o->dry_run || s->o->emit))
		status = draw_for_show(s, err);
	else if (!status && !there)
		status = draw_once(s, path, err);
	if (!status && !s->splits)
		status = hy_path_resolve(path, &s->splits, err);
	hy_free(path);
	return status;
}

/* ---- runs --------------------------------------------------------------------------------------------------------------- */

/* The pool and large_extra of the file. */
static hardy_status count_large(const hy_study *s, int64_t *n, hardy_error *err)
{
	cJSON *json = NULL;
	const hardy_status status = hy_json_read(s->splits, &json, err);
	if (status)
		return status;
	const cJSON *pool = cJSON_GetObjectItemCaseSensitive(json, "train");
	pool = pool ? pool : cJSON_GetObjectItemCaseSensitive(json, "pool");
	*n = cJSON_GetArraySize(pool) + cJSON_GetArraySize(cJSON_GetObjectItemCaseSensitive(json, "large_extra"));
	cJSON_Delete(json);
	return HARDY_OK;
}

static hardy_status make_run(hy_study *s, hy_study_run *r, const hy_method *m, int64_t seed, hardy_error *err)
{
	*r = (hy_study_run){.method = m};
	snprintf(r->name, sizeof r->name, "%s-%lld", m->name, (long long)seed);
	char folder[128];
	snprintf(folder, sizeof folder, "runs/%s", r->name);
	r->folder = hy_study_path(s, folder);
	if (!r->folder)
		return hy_fail_memory(err, folder, 1, 1);
	hardy_status status = make_base(s, m->recipe, &r->train, err);
	if (!status)
		status = hy_recipe_read(m->recipe, &r->recipe, err);
	if (status)
		return status;
	if (s->experiment->large)
		r->train.subjects = s->base.subjects;
	r->train.recipe = r->recipe.text;
	r->train.seed = seed;
	r->train.data = s->sources[0].folder;
	r->train.labels = s->sources[0].labels;
	r->train.splits = s->splits;
	r->train.output = r->folder;
	r->train.threads = s->o->threads;
	if ((status = apply(s, &r->train, m->options, m->name, err)) || (status = hy_options_check(&r->train, err)))
		return hy_prefix(err, status, "%s", m->name);
	status = hy_split_make(&r->split, &s->training, s->splits, -1, r->train.subjects, r->train.validation, (uint64_t)seed, NULL,
	                       err);
	if (!status && !r->split.n_test)
		status = hy_fail(err, HARDY_ERROR_DATA, "%s: \"test\" names no subject: want some to score", s->splits);
	return status;
}

/* ---- keys --------------------------------------------------------------------------------------------------------------- */

/* The model that is scored: with a schedule that ends at zero the last one, else the best in validation, as published. */
bool hy_study_scores_last(const hy_study_run *r)
{
	return !strcmp(hy_model_that_counts(r->train.schedule, r->split.n_validation > 0), "last.safetensors");
}

static cJSON *sets_to_json(const hy_study *s)
{
	cJSON *list = cJSON_CreateArray();
	for (size_t i = 0; i < s->n_sets && list; i++) {
		const hy_source *source = &s->sources[s->sets[i].source];
		cJSON *item = cJSON_CreateObject();
		bool good = hy_json_add(item, "name", cJSON_CreateString(s->sets[i].name)) &&
		            hy_json_add(item, "kind", cJSON_CreateString(hy_set_kind_names[s->sets[i].kind]));
		if (good && source->labels)
			good = hy_json_add(item, "labels", cJSON_CreateString(source->labels));
		if (good && source->classes)
			good = hy_json_add(item, "classes", cJSON_CreateString(source->classes));
		if (good && source->labelled_slices)
			good = hy_json_add(item, "labelled_slices", cJSON_CreateTrue());
		if (!hy_json_append(list, hy_json_keep(good, item))) {
			cJSON_Delete(list);
			return NULL;
		}
	}
	return list;
}

static bool hash_json(const cJSON *json, char text[HY_SHA256_TEXT])
{
	char *printed = json ? hy_json_print(json, false) : NULL;
	if (printed)
		hy_sha256_of(printed, strlen(printed), text);
	cJSON_free(printed);
	return printed != NULL;
}

/* Everything but the data, and its hash; *training_hash of what only the model depends on. */
static hardy_status make_config(const hy_study *s, hy_study_run *r, char training_hash[HY_SHA256_TEXT], hardy_error *err)
{
	cJSON *config = cJSON_CreateObject(), *scoring = NULL;
	bool good = hy_json_add(config, "result_version", cJSON_CreateNumber(HY_RESULT_VERSION)) &&
	            hy_json_add(config, "training", hy_options_identity(&r->train)) &&
	            hy_json_add(config, "perturbations", hy_recipe_to_json(&r->recipe, &r->train)) &&
	            hash_json(config, training_hash);
	if (good) {
		scoring = cJSON_CreateObject();
		good = hy_json_add(scoring, "model", cJSON_CreateString(hy_study_scores_last(r) ? "last" : "best")) &&
		       hy_json_add(scoring, "adapt", cJSON_CreateBool(s->o->adapt)) &&
		       hy_json_add(scoring, "copies", cJSON_CreateNumber((double)s->o->copies)) &&
		       hy_json_add(scoring, "sets", sets_to_json(s));
		if (good)
			good = hy_json_add(config, "scoring", scoring);
		else
			cJSON_Delete(scoring);
	}
	good = good && hash_json(config, r->config_hash);
	if (!good) {
		cJSON_Delete(config);
		return hy_fail_memory(err, "a configuration", 1, sizeof *r);
	}
	r->config = config;
	return HARDY_OK;
}

/* The bytes of one file of the training set, read once. */
static hardy_status file_hash(hy_study *s, size_t i, int which, hardy_error *err)
{
	char *hash = s->file_hashes[i][which];
	const hy_case *c = &s->training.cases[i];
	hardy_status status = HARDY_OK;
	if (hash[0])
		return HARDY_OK;
	if (which)
		return hy_sha256_of_file(c->label_path, hash, err);
	char each[HY_SHA256_TEXT];
	hy_sha256 all;
	hy_sha256_init(&all);
	for (int k = 0; k < HY_MAX_CHANNELS && c->image_path[k] && !status; k++) {
		status = hy_sha256_of_file(c->image_path[k], each, err);
		hy_sha256_add(&all, each, sizeof each);
	}
	if (!status)
		hy_sha256_end(&all, hash);
	return status;
}

/* Contents of the scans of training and validation. */
static hardy_status hash_training(hy_study *s, const hy_study_run *r, hy_sha256 *hash, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	for (size_t i = 0; i < s->training.n_cases && !status; i++) {
		const hy_case *c = &s->training.cases[i];
		const bool trains = hy_split_has(r->split.train, r->split.n_train, c->subject);
		const bool validates = hy_split_has(r->split.validation, r->split.n_validation, c->subject);
		char line[2 * HY_NAME_SIZE + 2 * HY_SHA256_TEXT];
		if (!c->label_path || (!trains && !validates))
			continue;
		if ((status = file_hash(s, i, 0, err)) || (status = file_hash(s, i, 1, err)))
			return status;
		const int n = snprintf(line, sizeof line, "%s %s %s %lld %s %s\n", trains ? "train" : "validation", c->subject,
		                       c->phase, (long long)c->frame, s->file_hashes[i][0], s->file_hashes[i][1]);
		hy_sha256_add(hash, line, (size_t)n);
	}
	return status;
}

/* Names and sizes of the files of test sets: nothing in them is read before the models are final. */
static hardy_status hash_tests(hy_study *s, const hy_study_run *r, hy_sha256 *hash, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	for (size_t i = 0; i < s->training.n_cases && !status; i++) {
		const hy_case *c = &s->training.cases[i];
		if (!hy_study_has_case(r, &s->sets[0], c))
			continue;
		hy_sha256_add(hash, c->subject, strlen(c->subject));
		hy_sha256_add(hash, c->phase, strlen(c->phase));
		for (int k = 0; k < HY_MAX_CHANNELS && c->image_path[k] && !status; k++)
			status = hy_source_hash_file(c->image_path[k], hash, err);
		if (!status)
			status = hy_source_hash_file(c->label_path, hash, err);
	}
	for (size_t k = 1; k < s->n_sources && !status; k++) {
		size_t n_files;
		hy_sha256_add(hash, s->sources[k].name, strlen(s->sources[k].name));
		status = hy_source_hash(&s->sources[k], hash, &n_files, err);
	}
	return status;
}

static hardy_status make_key(hy_study *s, hy_study_run *r, hardy_error *err)
{
	char training_hash[HY_SHA256_TEXT], scans[HY_SHA256_TEXT], both[2 * HY_SHA256_TEXT];
	hy_sha256 hash;
	hardy_status status = make_config(s, r, training_hash, err);
	hy_sha256_init(&hash);
	if (!status)
		status = hash_training(s, r, &hash, err);
	if (status)
		return status;
	hy_sha256 copy = hash;
	hy_sha256_end(&copy, scans);
	status = hash_tests(s, r, &hash, err);
	if (status)
		return status;
	hy_sha256_end(&hash, r->data_hash);
	const int n = snprintf(both, sizeof both, "%s %s", training_hash, scans);
	hy_sha256_of(both, (size_t)n, r->training_key);
	const int m = snprintf(both, sizeof both, "%s %s", r->config_hash, r->data_hash);
	hy_sha256_of(both, (size_t)m, r->key);
	return HARDY_OK;
}

/* ---- all of it ---------------------------------------------------------------------------------------------------------- */

static hardy_status make_runs(hy_study *s, hardy_error *err)
{
	const size_t n = s->n_methods * (size_t)s->o->seeds;
	hardy_status status = HARDY_OK;
	s->runs = hy_calloc(n, sizeof *s->runs);
	if (!s->runs)
		return hy_fail_memory(err, "runs", n, sizeof *s->runs);
	if (s->experiment->large)
		status = count_large(s, &s->base.subjects, err);
	/* seeds in turn, so that all methods can be compared early */
	for (int64_t seed = 0; seed < s->o->seeds && !status; seed++)
		for (size_t m = 0; m < s->n_methods && !status; m++) {
			hy_study_run *r = &s->runs[s->n_runs++];
			status = make_run(s, r, s->methods[m], s->o->first_seed + seed, err);
			if (!status)
				status = make_key(s, r, err);
		}
	return status;
}

hardy_status hy_study_make(hy_study *s, const hardy_experiment_options *o, const hardy_log *log, const hardy_stop *stop,
                           hardy_error *err)
{
	*s = (hy_study){.o = o, .log = log, .stop = stop};
	hardy_status status = read_options(s, err);
	if (!status)
		status = read_sources(s, err);
	if (!status)
		status = hy_study_open(s, 0, &s->training, NULL, err);
	if (!status && !(s->file_hashes = hy_calloc(s->training.n_cases, sizeof *s->file_hashes)))
		status = hy_fail_memory(err, "hashes", s->training.n_cases, sizeof *s->file_hashes);
	if (!status)
		status = find_splits(s, err);
	if (!status)
		status = make_runs(s, err);
	if (status)
		hy_study_clear(s);
	return status;
}

void hy_study_clear(hy_study *s)
{
	for (size_t i = 0; i < s->n_runs; i++) {
		hy_split_clear(&s->runs[i].split);
		cJSON_Delete(s->runs[i].config);
		hy_free(s->runs[i].folder);
		hy_free(s->runs[i].line);
	}
	for (size_t i = 0; i < s->n_sources; i++)
		hy_source_clear(&s->sources[i]);
	for (size_t i = 0; i < s->n_words; i++)
		hy_free(s->words[i]);
	hy_dataset_clear(&s->training);
	hy_free(s->runs);
	hy_free(s->sources);
	hy_free(s->sets);
	hy_free(s->words);
	hy_free((void *)s->methods);
	if (s->shown_splits)
		unlink(s->splits);
	hy_free(s->splits);
	hy_free(s->file_hashes);
	memset(s, 0, sizeof *s);
}
