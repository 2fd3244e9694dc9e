/*
 * results.c: reads lines of results, and the folder of an experiment.
 */
#include "experiment/results.h"

#include "base/files.h"
#include "base/json.h"
#include "base/memory.h"
#include "metric/statistics.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

const char *hy_results_text(const cJSON *object, const char *name, const char *other)
{
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(object, name);
	return cJSON_IsString(item) ? item->valuestring : other;
}

/* ---- lists that grow ---------------------------------------------------------------------------------------------------- */

/* The list with room for one more element behind n, grown to powers of two; NULL when memory runs out. */
static void *grow(void *list, size_t n, size_t size, hardy_error *err)
{
	if (n && (n & (n - 1)))
		return list;
	void *larger = hy_realloc(list, n ? 2 * n : 1, size);
	if (!larger)
		hy_fail_memory(err, "a study", n ? 2 * n : 1, size);
	return larger;
}

static hardy_status method_of(hy_results *s, const cJSON *object, const char *key, size_t *out, hardy_error *err)
{
	const char *name = hy_results_text(object, key, "");
	for (*out = 0; *out < s->n_methods; ++*out)
		if (!strcmp(s->methods[*out].name, name))
			return HARDY_OK;
	void *larger = grow(s->methods, s->n_methods, sizeof *s->methods, err);
	if (!larger)
		return HARDY_ERROR_MEMORY;
	s->methods = larger;
	hy_results_method *m = &s->methods[s->n_methods++];
	snprintf(m->name, sizeof m->name, "%s", name);
	snprintf(m->title, sizeof m->title, "%s", hy_results_text(object, "title", name));
	snprintf(m->recipe, sizeof m->recipe, "%s", hy_results_text(object, "recipe", ""));
	return HARDY_OK;
}

size_t hy_results_set_named(const hy_results *s, const char *name)
{
	size_t k = 0;
	while (k < s->n_sets && strcmp(s->sets[k].name, name) != 0)
		k++;
	return k;
}

/* An artefact has one name, whatever earlier versions called it in their results. */
static void name_targets(cJSON *statistics)
{
	cJSON *target;
	cJSON_ArrayForEach(target, cJSON_GetObjectItemCaseSensitive(statistics, "targets"))
	{
		const char *name = hy_results_text(target, "name", NULL);
		if (name && !strcmp(hy_results_text(target, "kind", ""), "artefact"))
			cJSON_DeleteItemFromObjectCaseSensitive(target, "title"); /* where there is none, the name stands */
	}
}

static hardy_status set_of(hy_results *s, const cJSON *object, size_t *out, hardy_error *err)
{
	const char *name = hy_results_text(object, "name", "");
	*out = hy_results_set_named(s, name);
	if (*out < s->n_sets)
		return HARDY_OK;
	void *larger = grow(s->sets, s->n_sets, sizeof *s->sets, err);
	if (!larger)
		return HARDY_ERROR_MEMORY;
	s->sets = larger;
	hy_results_set *set = &s->sets[s->n_sets++];
	snprintf(set->name, sizeof set->name, "%s", name);
	snprintf(set->kind, sizeof set->kind, "%s", hy_results_text(object, "kind", "site"));
	snprintf(set->title, sizeof set->title, "%s",
	         strcmp(set->kind, "artefact") ? hy_results_text(object, "title", name) : name);
	return HARDY_OK;
}

static hardy_status class_of(hy_results *s, const char *name, size_t *out, hardy_error *err)
{
	for (*out = 0; *out < s->n_classes; ++*out)
		if (!strcmp(s->classes[*out], name))
			return HARDY_OK;
	if (s->n_classes == HY_MAX_CLASSES)
		return hy_fail(err, HARDY_ERROR_UNSUPPORTED, "more than %d classes", HY_MAX_CLASSES);
	void *larger = grow(s->classes, s->n_classes, sizeof *s->classes, err);
	if (!larger)
		return HARDY_ERROR_MEMORY;
	s->classes = larger;
	snprintf(s->classes[s->n_classes++], HY_NAME_SIZE, "%s", name);
	return HARDY_OK;
}

/* ---- one run ----------------------------------------------------------------------------------------------------- */

static hardy_status read_dice(hy_results *s, const cJSON *object, double *dice, double *mean, hardy_error *err)
{
	double defined[HY_MAX_CLASSES];
	size_t n = 0;
	const cJSON *item;
	cJSON_ArrayForEach(item, object)
	{
		size_t k;
		const hardy_status status = class_of(s, item->string ? item->string : "", &k, err);
		if (status)
			return status;
		if (!cJSON_IsNumber(item))
			continue;
		dice[k] = item->valuedouble;
		if (n < HY_MAX_CLASSES)
			defined[n++] = item->valuedouble;
	}
	*mean = hy_mean_defined(defined, n);
	return HARDY_OK;
}

static hardy_status read_case(hy_results *s, size_t run, size_t set, const cJSON *object, hardy_error *err)
{
	static const char *const networks[2] = {"ftn", "stn"};
	hardy_status status = HARDY_OK;
	void *larger = grow(s->scores, s->n_scores, sizeof *s->scores, err);
	if (!larger)
		return HARDY_ERROR_MEMORY;
	s->scores = larger;
	hy_results_score *c = &s->scores[s->n_scores];
	*c = (hy_results_score){.run = run,
	                        .set = set,
	                        .name = hy_results_text(object, "case", ""),
	                        .draw = hy_json_whole(object, "draw", 0),
	                        .predicted = hy_json_number(object, "predicted", NAN),
	                        .low = hy_json_number(object, "predicted_low", NAN)};
	for (int w = 0; w < 2; w++) {
		for (int k = 0; k < HY_MAX_CLASSES; k++)
			c->dice[w][k] = NAN;
		status = read_dice(s, cJSON_GetObjectItemCaseSensitive(object, networks[w]), c->dice[w], &c->mean[w], err);
		if (status)
			return status;
	}
	s->n_scores++;
	return HARDY_OK;
}

/* Room for a run and its line. */
static hardy_status make_room(hy_results *s, hardy_error *err)
{
	void *lines = grow(s->lines, s->n_runs, sizeof *s->lines, err);
	s->lines = lines ? lines : s->lines;
	void *runs = lines ? grow(s->runs, s->n_runs, sizeof *s->runs, err) : NULL;
	s->runs = runs ? runs : s->runs;
	return runs ? HARDY_OK : HARDY_ERROR_MEMORY;
}

hardy_status hy_results_add(hy_results *s, cJSON *json, hardy_error *err)
{
	hardy_status status = make_room(s, err);
	if (status) {
		cJSON_Delete(json);
		return status;
	}
	const size_t at = s->n_runs++;
	hy_results_run *r = &s->runs[at];
	s->lines[at] = json;
	*r = (hy_results_run){.seed = hy_json_whole(json, "seed", 0),
	                      .steps = hy_json_whole(json, "steps", 0),
	                      .train_s = hy_json_number(json, "train_s", NAN),
	                      .line = json,
	                      .first = s->n_scores};
	status = method_of(s, json, "method", &r->method, err);
	const cJSON *sets = cJSON_GetObjectItemCaseSensitive(json, "sets"), *set, *item;
	if (!status && !cJSON_IsArray(sets))
		status = hy_fail(err, HARDY_ERROR_FORMAT, "\"sets\" is missing: want a list of test sets");
	cJSON_ArrayForEach(set, sets)
	{
		size_t k = 0;
		if (!status)
			status = set_of(s, set, &k, err);
		cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(set, "cases"))
		{
			if (!status)
				status = read_case(s, at, k, item, err);
		}
	}
	r->n = s->n_scores - r->first;
	return status;
}

const hy_results_score *hy_results_cases(const hy_results *s, size_t run, size_t set, size_t *n)
{
	const hy_results_run *r = &s->runs[run];
	const size_t end = r->first + r->n;
	size_t at = r->first;
	while (at < end && s->scores[at].set != set)
		at++;
	for (*n = 0; at + *n < end && s->scores[at + *n].set == set;)
		++*n;
	return *n ? &s->scores[at] : NULL;
}

/* ---- lines -------------------------------------------------------------------------------------------------------------- */

hardy_status hy_results_each(const char *path, hardy_status (*take)(void *payload, hy_results_line *line), void *payload,
                             hardy_error *err)
{
	char *text = NULL;
	size_t size = 0, number = 0;
	hardy_status status = hy_file_read(path, &text, &size, err);
	for (char *at = text, *end; !status && *at; at = end) {
		hy_results_line line = {.text = at, .n = strcspn(at, "\n"), .number = ++number};
		end = at + line.n;
		if (*end)
			*end++ = 0;
		if (hy_json_parse(at, line.n, &line.json, NULL) == HARDY_ERROR_MEMORY) {
			status = hy_fail_memory(err, path, line.n, 1);
			break;
		}
		if (!cJSON_IsObject(line.json)) {
			cJSON_Delete(line.json);
			line.json = NULL;
		}
		line.key = hy_results_text(line.json, "key", NULL);
		line.done = !strcmp(hy_results_text(line.json, "status", "done"), "done");
		status = take(payload, &line);
		cJSON_Delete(line.json);
	}
	hy_free(text);
	return status;
}

/* ---- the folder --------------------------------------------------------------------------------------------------------- */

/* Absent is no error. */
static hardy_status read_optional(const char *folder, const char *name, cJSON **out, hardy_error *err)
{
	char *path = hy_path_join(folder, name);
	hardy_status status = path ? HARDY_OK : hy_fail_memory(err, folder, 1, 1);
	if (!status && hy_path_exists(path))
		status = hy_json_read(path, out, err);
	hy_free(path);
	return status;
}

typedef struct reader {
	hy_results *s;
	const char *path;
	hardy_error *err;
} reader;

static hardy_status take_line(void *payload, hy_results_line *line)
{
	const reader *r = payload;
	hardy_status status = HARDY_OK;
	if (line->json && line->done) {
		status = hy_results_add(r->s, line->json, r->err);
		line->json = NULL;
	} else if (!line->json && line->text[strspn(line->text, " \t\r")]) {
		status = hy_fail(r->err, HARDY_ERROR_FORMAT, "no JSON object; want the results of one run");
	}
	return status ? hy_prefix(r->err, status, "%s: line %zu", r->path, line->number) : HARDY_OK;
}

static hardy_status read_results(hy_results *s, const char *path, hardy_error *err)
{
	reader r = {s, path, err};
	const hardy_status status = hy_results_each(path, take_line, &r, err);
	if (!status && !s->n_runs)
		return hy_fail(err, HARDY_ERROR_DATA, "%s: holds no finished run", path);
	return status;
}

/* The order of methods and sets is the experiment's. */
static hardy_status read_order(hy_results *s, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	size_t at;
	const cJSON *item;
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(s->experiment, "methods"))
	{
		if (!status && cJSON_IsObject(item))
			status = method_of(s, item, "name", &at, err);
	}
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(s->experiment, "sets"))
	{
		if (!status && cJSON_IsObject(item))
			status = set_of(s, item, &at, err);
	}
	return status;
}

hardy_status hy_results_read(hy_results *s, const char *folder, hardy_error *err)
{
	*s = (hy_results){.folder = hy_strdup(folder)};
	char *results = hy_path_join(folder, "results.jsonl");
	hardy_status status = s->folder && results ? HARDY_OK : hy_fail_memory(err, folder, 1, 1);
	if (!status && !hy_path_is_folder(folder))
		status = hy_fail(err, HARDY_ERROR_IO, "%s: no such folder; want one that `hardy experiment` made", folder);
	if (!status && !hy_path_exists(results))
		status =
		    hy_fail(err, HARDY_ERROR_IO,
		            "%s: no such file; want the folder of hardy experiment (results.jsonl, from its first finished run on), of "
		            "hardy train (run.json), of its cross-validation (folds.json), of hardy predict (quality.csv) or of hardy "
		            "demo (scores.csv)",
		            results);
	if (!status)
		status = read_optional(folder, "experiment.json", &s->experiment, err);
	if (!status)
		status = read_optional(folder, "statistics.json", &s->statistics, err);
	if (!status)
		name_targets(s->statistics);
	if (!status)
		status = read_order(s, err);
	if (!status)
		status = read_results(s, results, err);
	hy_free(results);
	if (status)
		hy_results_clear(s);
	return status;
}

void hy_results_clear(hy_results *s)
{
	for (size_t i = 0; i < s->n_runs; i++)
		cJSON_Delete(s->lines[i]);
	cJSON_Delete(s->experiment);
	cJSON_Delete(s->statistics);
	hy_free(s->lines);
	hy_free(s->methods);
	hy_free(s->sets);
	hy_free(s->runs);
	hy_free(s->scores);
	hy_free(s->classes);
	hy_free(s->folder);
	*s = (hy_results){0};
}

const cJSON *hy_results_entry(const hy_results *s, const hy_results_run *run)
{
	const cJSON *item;
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(s->experiment, "runs"))
	{
		if (!strcmp(hy_results_text(item, "method", ""), s->methods[run->method].name) &&
		    hy_json_whole(item, "seed", -1) == run->seed)
			return item;
	}
	return NULL;
}

/* ---- means -------------------------------------------------------------------------------------------------------------- */

/* Mean of the run's cases; counts them. */
static double run_mean(const hy_results *s, size_t run, size_t set, int which, size_t *n, size_t *half, size_t *tenth)
{
	double sum = 0;
	*n = 0;
	size_t n_cases;
	const hy_results_score *c = hy_results_cases(s, run, set, &n_cases);
	for (size_t i = 0; i < n_cases; i++) {
		const double mean = c[i].mean[which];
		if (!isfinite(mean))
			continue;
		sum += mean;
		++*n;
		*half += mean < .5;
		*tenth += mean < .1;
	}
	return *n ? sum / (double)*n : NAN;
}

hy_results_cell hy_results_cell_of(const hy_results *s, size_t method, size_t set, int which)
{
	hy_results_cell cell = {.mean = NAN, .spread = NAN, .below_half = NAN, .below_tenth = NAN};
	size_t half = 0, tenth = 0, n = 0, total = 0;
	double sum = 0, squares = 0;
	for (size_t r = 0; r < s->n_runs; r++) {
		if (s->runs[r].method != method)
			continue;
		const double mean = run_mean(s, r, set, which, &n, &half, &tenth);
		if (isnan(mean))
			continue;
		cell.n_cases = n;
		cell.n_seeds++;
		total += n;
		sum += mean;
		squares += mean * mean;
	}
	if (!cell.n_seeds)
		return cell;
	const double k = (double)cell.n_seeds;
	cell.mean = sum / k;
	if (cell.n_seeds > 1)
		cell.spread = sqrt(fmax(0, (squares - sum * sum / k) / (k - 1)));
	cell.below_half = (double)half / (double)total;
	cell.below_tenth = (double)tenth / (double)total;
	return cell;
}
