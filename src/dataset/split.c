/*
 * split.c: which subjects train, validate and test. Draws are by subject, so that no one's ED trains while the ES tests.
 */
#include "base/json.h"
#include "base/memory.h"
#include "base/rng.h"
#include "base/text.h"
#include "dataset/dataset.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct list {
	char (*name)[HY_NAME_SIZE]; /* owned */
	size_t n;
} list;

static int by_bytes(const void *a, const void *b)
{
	return strcmp(a, b);
}

cJSON *hy_names_to_json(char (*names)[HY_NAME_SIZE], size_t n)
{
	cJSON *all = cJSON_CreateArray();
	bool good = true;
	for (size_t i = 0; i < n && good; i++)
		good = hy_json_append(all, cJSON_CreateString(names[i]));
	return hy_json_keep(good, all);
}

bool hy_split_has(char (*names)[HY_NAME_SIZE], size_t n, const char *subject)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(names[i], subject))
			return true;
	return false;
}

static hardy_status append(list *l, const char *name, hardy_error *err)
{
	char(*larger)[HY_NAME_SIZE] = hy_realloc(l->name, l->n + 1, sizeof *larger);
	if (!larger)
		return hy_fail_memory(err, "subjects", l->n + 1, sizeof *larger);
	l->name = larger;
	memset(l->name[l->n], 0, HY_NAME_SIZE); /* equal lists are equal bytes */
	snprintf(l->name[l->n++], HY_NAME_SIZE, "%s", name);
	return HARDY_OK;
}

static void sort(list *l)
{
	if (l->n)
		qsort(l->name, l->n, sizeof *l->name, by_bytes);
}

/* Reads a list of the file; an absent key gives an empty list. */
static hardy_status read_list(list *l, const cJSON *json, const char *key, const char *path, hardy_error *err)
{
	const cJSON *array = cJSON_GetObjectItemCaseSensitive(json, key);
	if (!array)
		return HARDY_OK;
	if (!cJSON_IsArray(array))
		return hy_fail(err, HARDY_ERROR_FORMAT, "%s: \"%s\" is not a list of subjects", path, key);
	const cJSON *item;
	cJSON_ArrayForEach(item, array)
	{
		if (!cJSON_IsString(item) || !*item->valuestring || strlen(item->valuestring) >= HY_NAME_SIZE)
			return hy_fail(err, HARDY_ERROR_FORMAT,
			               "%s: \"%s\" holds something that is not a subject's name of at most %d letters", path, key,
			               HY_NAME_SIZE - 1);
		const hardy_status status = append(l, item->valuestring, err);
		if (status)
			return status;
		hy_json_bytes(l->name[l->n - 1]);
	}
	sort(l);
	return HARDY_OK;
}

/* Moves n names, drawn by seed, from `from` to `to`; both stay sorted. */
static hardy_status draw(list *from, list *to, size_t n, uint64_t seed, uint64_t what, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	size_t *order = hy_alloc(from->n, sizeof *order);
	if (!order)
		return hy_fail_memory(err, "a draw of subjects", from->n, sizeof *order);
	hy_rng g = hy_rng_make(seed, HY_RNG_SPLIT, what, 0);
	hy_rng_permutation(&g, from->n, order);
	for (size_t i = 0; i < n && !status; i++) {
		status = append(to, from->name[order[i]], err);
		from->name[order[i]][0] = 0;
	}
	size_t kept = 0;
	for (size_t i = 0; i < from->n; i++)
		if (from->name[i][0])
			memmove(from->name[kept++], from->name[i], HY_NAME_SIZE);
	from->n = kept;
	sort(to);
	hy_free(order);
	return status;
}

/* Names of l that the data set lacks. */
static hardy_status check_known(const list *l, const char *key, const char *path, const list *known, hardy_error *err)
{
	char first[256] = "";
	size_t n = 0;
	for (size_t i = 0; i < l->n; i++) {
		if (hy_split_has(known->name, known->n, l->name[i]))
			continue;
		const size_t used = strlen(first);
		if (n++ < 3)
			snprintf(first + used, sizeof first - used, used ? ", %s" : "%s", l->name[i]);
	}
	if (!n)
		return HARDY_OK;
	return hy_fail(err, HARDY_ERROR_DATA, "%s: %zu of %s of \"%s\" %s not in the data set: %s%s", path, n,
	               HY_COUNT(l->n, "subject"), key, HY_IS(n), first, n > 3 ? ", ..." : "");
}

static hardy_status check_doubled(const list *const *lists, const char *const *keys, size_t n_lists, const char *path,
                                  hardy_error *err)
{
	for (size_t a = 0; a < n_lists; a++) {
		for (size_t i = 0; i < lists[a]->n; i++) {
			const char *name = lists[a]->name[i];
			if (i && !strcmp(lists[a]->name[i - 1], name))
				return hy_fail(err, HARDY_ERROR_DATA, "%s: subject %s is twice in \"%s\"", path, name, keys[a]);
			for (size_t b = a + 1; b < n_lists; b++)
				if (hy_split_has(lists[b]->name, lists[b]->n, name))
					return hy_fail(err, HARDY_ERROR_DATA, "%s: subject %s is in \"%s\" and in \"%s\"", path, name, keys[a],
					               keys[b]);
		}
	}
	return HARDY_OK;
}

static bool has_label(const hy_dataset *d, const char *subject)
{
	bool found = hy_split_has(d->lost, d->n_lost, subject);
	for (size_t i = hy_dataset_find(d, subject); i < d->n_cases && !found && !strcmp(d->cases[i].subject, subject); i++)
		found = d->cases[i].label_path != NULL;
	return found;
}

static bool is_held_out(const hy_dataset *d, const char *subject)
{
	bool found = false;
	for (size_t i = hy_dataset_find(d, subject); i < d->n_cases && !found && !strcmp(d->cases[i].subject, subject); i++)
		found = d->cases[i].held_out;
	return found;
}

static hardy_status check_labelled(const hy_dataset *d, const list *l, const char *use, hardy_error *err)
{
	for (size_t i = 0; i < l->n; i++)
		if (!has_label(d, l->name[i]))
			return hy_fail(err, HARDY_ERROR_DATA, "%s: subject %s is meant for %s but has no label", d->root, l->name[i], use);
	return HARDY_OK;
}

/* Keys of a splits file. */
static const char *const known_keys[] = {"pool", "train", "validation", "test", "large_extra", "what"};
/* Of a fold as nnU-Net writes it. */
static const char *const fold_keys[] = {"train", "val"};

static hy_words meant_key(const char *key, const char *const *keys, size_t n_keys)
{
	hy_words w = {""};
	const char *nearest = hardy_nearest_name(key, keys, n_keys);
	if (nearest)
		snprintf(w.text, sizeof w.text, " (did you mean %s?)", nearest);
	return w;
}

/* What is not known may be meant: "val" is no "validation" here, and were it passed over, others would validate. */
static hardy_status check_keys(const cJSON *object, const char *path, const char *const *keys, size_t n_keys, hardy_error *err)
{
	const cJSON *item;
	cJSON_ArrayForEach(item, object)
	{
		size_t k = 0;
		while (k < n_keys && strcmp(item->string, keys[k]))
			k++;
		if (k == n_keys)
			return hy_fail(err, HARDY_ERROR_FORMAT, "%s: \"%s\" is no key of a splits file%s: want %s", path, item->string,
			               meant_key(item->string, keys, n_keys).text,
			               n_keys == 2 ? "\"train\" and \"val\" in each fold"
			                           : "pool or train, validation, test, large_extra, and what for a remark");
	}
	return HARDY_OK;
}

hardy_status hy_splits_read(const char *path, int64_t fold, cJSON **json, const cJSON **lists, hardy_error *err)
{
	cJSON *read = NULL;
	hardy_status status = hy_json_read(path, &read, err);
	if (status)
		return status;
	const int n = cJSON_IsArray(read) ? cJSON_GetArraySize(read) : -1;
	if (n < 0 && !cJSON_IsObject(read))
		status = hy_fail(err, HARDY_ERROR_FORMAT, "%s: want an object with lists of subjects, or a list of folds", path);
	else if (n < 0 && fold >= 0)
		status = hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: fold %lld is wanted, but the file is no list of folds", path,
		                 (long long)fold);
	else if (n >= 0 && fold < 0)
		status = hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: a list of %d folds: want a fold from 0 to %d", path, n, n - 1);
	else if (fold >= n && n >= 0)
		status = hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: fold %lld is wanted, the file holds folds 0 to %d", path,
		                 (long long)fold, n - 1);
	if (status)
		goto out;
	*lists = n < 0 ? read : cJSON_GetArrayItem(read, (int)fold);
	if (!cJSON_IsObject(*lists))
		status = hy_fail(err, HARDY_ERROR_FORMAT, "%s: fold %lld is no object with lists of subjects", path, (long long)fold);
	else if (n < 0)
		status = check_keys(*lists, path, known_keys, sizeof known_keys / sizeof *known_keys, err);
	else
		status = check_keys(*lists, path, fold_keys, sizeof fold_keys / sizeof *fold_keys, err);
out:
	if (status)
		cJSON_Delete(read);
	else
		*json = read;
	return status;
}

/* *draws: the file has a pool to draw from, not a list to train on. */
static hardy_status read_split(const hy_dataset *d, const char *path, int64_t fold, const list *known, int64_t n_train,
                               list *pool, list *validation, list *test, bool *draws, const hardy_log *log, hardy_error *err)
{
	cJSON *whole = NULL;
	const cJSON *json = NULL;
	list extra = {0};
	const char *pool_key = "train";
	const char *const held_key = fold >= 0 ? "val" : "validation";
	hardy_status status = hy_splits_read(path, fold, &whole, &json, err);
	if (status)
		return status;
	if (cJSON_GetObjectItemCaseSensitive(json, "train") && cJSON_GetObjectItemCaseSensitive(json, "pool")) {
		status = hy_fail(err, HARDY_ERROR_FORMAT, "%s: both \"train\" and \"pool\" are there: want one of them", path);
		goto out;
	}
	*draws = !cJSON_GetObjectItemCaseSensitive(json, "train");
	if (*draws)
		pool_key = "pool";
	if (!cJSON_GetObjectItemCaseSensitive(json, pool_key)) {
		status = hy_fail(err, HARDY_ERROR_FORMAT, "%s: neither \"train\" nor \"pool\" is there: want lists of subjects", path);
		goto out;
	}
	if ((status = read_list(pool, json, pool_key, path, err)) || (status = read_list(validation, json, held_key, path, err)) ||
	    (status = read_list(test, json, "test", path, err)) || (status = read_list(&extra, json, "large_extra", path, err)))
		goto out;
	const list *const lists[] = {pool, validation, test, &extra};
	const char *const keys[] = {pool_key, held_key, "test", "large_extra"};
	if ((status = check_doubled(lists, keys, 4, path, err)))
		goto out;
	const bool large = n_train > (int64_t)pool->n && extra.n;
	for (int k = 0; k < (large ? 4 : 3); k++)
		if ((status = check_known(lists[k], keys[k], path, known, err)))
			goto out;
	if (large) {
		hy_info(log, "%s: %s to train on: \"large_extra\" (%zu) joins \"%s\" (%zu)", path, HY_COUNT(n_train, "subject"),
		        extra.n, pool_key, pool->n);
		for (size_t i = 0; i < extra.n && !status; i++)
			status = append(pool, extra.name[i], err);
		sort(pool);
	}
out:
	cJSON_Delete(whole);
	hy_free(extra.name);
	return status;
}

/* Without a file: labelled subjects, those of the data set's own test folder apart. */
static hardy_status list_labelled(const hy_dataset *d, const list *known, list *pool, list *test, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	for (size_t i = 0; i < known->n && !status; i++)
		if (has_label(d, known->name[i]))
			status = append(is_held_out(d, known->name[i]) ? test : pool, known->name[i], err);
	return status;
}

static void drop_lost(const hy_dataset *d, list *l)
{
	size_t kept = 0;
	for (size_t i = 0; i < l->n; i++)
		if (!hy_split_has(d->lost, d->n_lost, l->name[i]))
			memmove(l->name[kept++], l->name[i], HY_NAME_SIZE);
	l->n = kept;
}

/* How many of n labelled subjects validate where nobody says so. */
static size_t share(size_t n, int64_t n_train)
{
	const size_t left = n_train < (int64_t)n ? n - (size_t)n_train : 0;
	const size_t wanted = n_train > 0 ? left : n < HY_SPLIT_LEAST ? 0 : 3 * n / 10;
	return wanted < HY_SPLIT_VALIDATION ? wanted : HY_SPLIT_VALIDATION;
}

/* Numbers for HY_SPLIT_AUTO; *n_train 0: all that are left. */
static void decide(const char *source, size_t n, bool listed, bool draws, int64_t *n_train, int64_t *n_validation,
                   const hardy_log *log)
{
	const bool says = *n_train == HY_SPLIT_AUTO && !draws;
	const bool shares = *n_validation == HY_SPLIT_AUTO && !listed;
	if (listed)
		*n_validation = 0;
	else if (shares)
		*n_validation = (int64_t)share(n, *n_train);
	if (*n_train == HY_SPLIT_AUTO)
		*n_train = draws && (int64_t)n - *n_validation > HY_SPLIT_POOL ? HY_SPLIT_POOL : 0;
	if (!says || !shares || !n)
		return;
	if (*n_validation)
		hy_info(log, "%s: %s: %lld train, %lld validate", source, HY_COUNT(n, "labelled subject"), (long long)n - *n_validation,
		        (long long)*n_validation);
	else
		hy_info(log, "%s: %s, fewer than %d: all train, none validates", source, HY_COUNT(n, "labelled subject"),
		        HY_SPLIT_LEAST);
}

hardy_status hy_split_make(hy_split *s, const hy_dataset *d, const char *path, int64_t fold, int64_t n_train,
                           int64_t n_validation, uint64_t seed, const hardy_log *log, hardy_error *err)
{
	list known = {0}, pool = {0}, train = {0}, validation = {0}, test = {0};
	const char *source = path ? path : d->root;
	hardy_status status = hy_dataset_subjects(d, &known.name, &known.n, err);
	for (size_t i = 0; i < d->n_lost && !status; i++)
		status = append(&known, d->lost[i], err);
	if (status)
		goto out;
	sort(&known);
	bool draws = false;
	status = path ? read_split(d, path, fold, &known, n_train, &pool, &validation, &test, &draws, log, err)
	              : list_labelled(d, &known, &pool, &test, err);
	if (status)
		goto out;
	decide(source, pool.n, validation.n > 0, draws, &n_train, &n_validation, log);
	const size_t n_drawn = (size_t)n_train, hold_out = (size_t)n_validation;
	if (n_drawn > pool.n || hold_out > pool.n - n_drawn || (!n_drawn && hold_out >= pool.n)) {
		status =
		    hy_fail(err, HARDY_ERROR_DATA, "%s: %s to draw from, want at least %zu (%zu to train, %zu to validate)", source,
		            HY_COUNT(pool.n, "labelled subject"), hold_out + (n_drawn ? n_drawn : 1), n_drawn ? n_drawn : 1, hold_out);
		goto out;
	}
	const bool own_test = path || test.n;
	if (hold_out && (status = draw(&pool, &validation, hold_out, seed, 0, err)))
		goto out;
	if ((status = draw(&pool, &train, n_drawn ? n_drawn : pool.n, seed, 1, err)))
		goto out;
	for (size_t i = 0; i < pool.n && !own_test && !status; i++)
		status = append(&test, pool.name[i], err);
	if (!status)
		status = check_labelled(d, &train, "training", err);
	if (!status)
		status = check_labelled(d, &validation, "validation", err);
	if (status)
		goto out;
	drop_lost(d, &train);
	drop_lost(d, &validation);
	drop_lost(d, &test);
	*s = (hy_split){.train = train.name,
	                .validation = validation.name,
	                .test = test.name,
	                .n_train = train.n,
	                .n_validation = validation.n,
	                .n_test = test.n};
	train.name = validation.name = test.name = NULL;
out:
	hy_free(known.name);
	hy_free(pool.name);
	hy_free(train.name);
	hy_free(validation.name);
	hy_free(test.name);
	return status;
}

void hy_split_clear(hy_split *s)
{
	hy_free(s->train);
	hy_free(s->validation);
	hy_free(s->test);
	memset(s, 0, sizeof *s);
}
