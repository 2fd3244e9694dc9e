/*
 * results.c: reads the folder of an experiment for a report.
 */
#include "report/results.h"

#include "base/files.h"
#include "base/memory.h"

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

static hardy_status set_of(hy_results *s, const cJSON *object, size_t *out, hardy_error *err)
{
	const char *name = hy_results_text(object, "name", "");
	for (*out = 0; *out < s->n_sets; ++*out)
		if (!strcmp(s->sets[*out].name, name))
			return HARDY_OK;
	void *larger = grow(s->sets, s->n_sets, sizeof *s->sets, err);
	if (!larger)
		return HARDY_ERROR_MEMORY;
	s->sets = larger;
	hy_results_set *set = &s->sets[s->n_sets++];
	snprintf(set->name, sizeof set->name, "%s", name);
	snprintf(set->title, sizeof set->title, "%s", hy_results_text(object, "title", name));
	snprintf(set->kind, sizeof set->kind, "%s", hy_results_text(object, "kind", "site"));
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

/* ---- results.jsonl ------------------------------------------------------------------------------------------------------ */

static hardy_status read_dice(hy_results *s, const cJSON *object, double *dice, double *mean, hardy_error *err)
{
	double sum = 0;
	int n = 0;
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
		sum += item->valuedouble;
		n++;
	}
	*mean = n ? sum / n : NAN;
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
	                        .draw = hy_json_whole(object, "draw", 0),
	                        .predicted = hy_json_number(object, "predicted", NAN),
	                        .low = hy_json_number(object, "predicted_low", NAN)};
	snprintf(c->name, sizeof c->name, "%s", hy_results_text(object, "case", ""));
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

/* Takes over line, whatever the result. */
static hardy_status read_run(hy_results *s, cJSON *line, hardy_error *err)
{
	const char *state = hy_results_text(line, "status", "done");
	if (strcmp(state, "done") != 0) {
		cJSON_Delete(line);
		return HARDY_OK;
	}
	void *lines = grow(s->lines, s->n_runs, sizeof *s->lines, err);
	s->lines = lines ? lines : s->lines;
	void *runs = lines ? grow(s->runs, s->n_runs, sizeof *s->runs, err) : NULL;
	s->runs = runs ? runs : s->runs;
	if (!runs) {
		cJSON_Delete(line);
		return HARDY_ERROR_MEMORY;
	}
	s->lines[s->n_runs] = line;
	hy_results_run *r = &s->runs[s->n_runs];
	*r = (hy_results_run){.seed = hy_json_whole(line, "seed", 0),
	                      .steps = hy_json_whole(line, "steps", 0),
	                      .train_s = hy_json_number(line, "train_s", NAN),
	                      .line = line};
	s->n_runs++;
	hardy_status status = method_of(s, line, "method", &r->method, err);
	const cJSON *sets = cJSON_GetObjectItemCaseSensitive(line, "sets"), *set, *item;
	if (!status && !cJSON_IsArray(sets))
		status = hy_fail(err, HARDY_ERROR_FORMAT, "\"sets\" is missing: want a list of test sets");
	cJSON_ArrayForEach(set, sets)
	{
		size_t at = 0;
		if (!status)
			status = set_of(s, set, &at, err);
		cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(set, "cases"))
		{
			if (!status)
				status = read_case(s, s->n_runs - 1, at, item, err);
		}
	}
	return status;
}

static hardy_status read_results(hy_results *s, const char *path, hardy_error *err)
{
	char *text = NULL;
	size_t size, number = 0;
	hardy_status status = hy_file_read(path, &text, &size, err);
	for (char *line = text, *end; !status && line && *line; line = end) {
		end = line + strcspn(line, "\n");
		if (*end)
			*end++ = 0;
		number++;
		if (line[strspn(line, " \t\r")] == 0)
			continue;
		cJSON *json = cJSON_Parse(line);
		if (cJSON_IsObject(json))
			status = read_run(s, json, err);
		else {
			cJSON_Delete(json);
			status = hy_fail(err, HARDY_ERROR_FORMAT, "no JSON object; want the results of one run");
		}
		if (status)
			hy_prefix(err, status, "%s: line %zu", path, number);
	}
	hy_free(text);
	if (!status && !s->n_runs)
		status = hy_fail(err, HARDY_ERROR_DATA, "%s: holds no finished run", path);
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
		            "hardy train (run.json), of its cross-validation (folds.json) or of hardy predict (quality.csv)",
		            results);
	if (!status)
		status = read_optional(folder, "experiment.json", &s->experiment, err);
	if (!status)
		status = read_optional(folder, "statistics.json", &s->statistics, err);
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
	for (size_t i = 0; i < s->n_scores; i++) {
		const hy_results_score *c = &s->scores[i];
		if (c->run != run || c->set != set || !isfinite(c->mean[which]))
			continue;
		sum += c->mean[which];
		++*n;
		*half += c->mean[which] < .5;
		*tenth += c->mean[which] < .1;
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
