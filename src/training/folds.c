/*
 * folds.c: cross-validation: as many models as folds, each scored on the subjects that it has not seen, and kept as one ensemble.
 *
 * RUN/splits.json says who is in which fold, RUN/fold_K is a run of its own, with the label maps of its fold in fold_K/validation, and
 * RUN/folds.json has the scores and names the models.
 */
#include "base/files.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/ranks.h"
#include "base/rng.h"
#include "base/text.h"
#include "dataset/dataset.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { MOST_FOLDS = 20 };

typedef struct folds {
	const hardy_train_options *o;
	const hardy_log *log;
	const hardy_stop *stop;
	int64_t n;
	char *splits, *result; /* owned paths */
	cJSON *scores;         /* owned: a list, one object a fold that is done */
	double sum[HY_MAX_CLASSES];
	size_t count[HY_MAX_CLASSES]; /* of all folds: defined Dice by class */
	char names[HY_MAX_CLASSES][HY_NAME_SIZE];
	size_t n_classes;
} folds;

/* ---- who is where ------------------------------------------------------------------------------------------------------- */

static void pass_over(void *payload, const char *subject, const char *phase, const char *text)
{
	(void)payload, (void)subject, (void)phase, (void)text; /* the trainings tell */
}

static cJSON *fold_of(char (*subjects)[HY_NAME_SIZE], const size_t *order, size_t n, int64_t n_folds, int64_t fold)
{
	cJSON *o = cJSON_CreateObject(), *train = cJSON_CreateArray(), *val = cJSON_CreateArray();
	bool good = o && train && val;
	for (size_t i = 0; i < n && good; i++) {
		good = hy_json_append((int64_t)i % n_folds == fold ? val : train, cJSON_CreateString(subjects[order[i]]));
	}
	good = hy_json_add(o, "train", train) && good;
	good = hy_json_add(o, "val", val) && good;
	return hy_json_keep(good, o);
}

/* A list of folds, as nnU-Net's: subjects with labels, drawn by seed, one after the other into each fold. */
static hardy_status make_splits(folds *f, hardy_error *err)
{
	const hy_dataset_options options = {
	    .labels = f->o->labels,
	    .spacing_mm = {f->o->header_spacing_mm[0], f->o->header_spacing_mm[1], f->o->header_spacing_mm[2]}};
	hy_dataset d = {0};
	char(*subjects)[HY_NAME_SIZE] = NULL;
	size_t n = 0, *order = NULL;
	cJSON *list = cJSON_CreateArray();
	hy_outfile file = {0};
	hardy_status status = hy_dataset_open_usable(&d, f->o->data, &options, pass_over, NULL, NULL, err);
	if (!status)
		status = hy_dataset_subjects(&d, &subjects, &n, err);
	if (!status && n < (size_t)f->n)
		status = hy_fail(err, HARDY_ERROR_DATA, "%s: %lld folds of %s: want as many subjects as folds, or more", f->o->data,
		                 (long long)f->n, HY_COUNT(n, "labelled subject"));
	if (!status && (!list || !(order = hy_alloc(n, sizeof *order))))
		status = hy_fail_memory(err, "subjects", n, sizeof *order);
	if (!status) {
		hy_rng g = hy_rng_make((uint64_t)f->o->seed, HY_RNG_SPLIT, 0, 0);
		hy_rng_permutation(&g, n, order);
	}
	for (int64_t k = 0; k < f->n && !status; k++) {
		cJSON *fold = fold_of(subjects, order, n, f->n, k);
		if (!hy_json_append(list, fold))
			status = hy_fail_memory(err, "folds", n, HY_NAME_SIZE);
	}
	char *text = status ? NULL : hy_json_print(list, true);
	if (!status && !text)
		status = hy_fail_memory(err, "folds", n, HY_NAME_SIZE);
	if (!status)
		status = hy_outfile_open(&file, f->splits, f->o->overwrite ? HY_REPLACE_ANY : NULL, err);
	if (!status) {
		hy_outfile_printf(&file, "%s\n", text);
		status = hy_outfile_commit(&file, err);
	}
	cJSON_free(text);
	cJSON_Delete(list);
	hy_free(order);
	hy_free(subjects);
	hy_dataset_clear(&d);
	return status;
}

/* ---- the result --------------------------------------------------------------------------------------------------------- */

static double mean_of_classes(const folds *f)
{
	double sum = 0;
	int n = 0;
	for (size_t c = 0; c < f->n_classes; c++) {
		sum += f->count[c] ? f->sum[c] / (double)f->count[c] : 0;
		n += f->count[c] > 0;
	}
	return n ? sum / n : NAN;
}

static cJSON *dice_to_json(const folds *f)
{
	cJSON *o = cJSON_CreateObject();
	bool good = hy_json_add(o, "mean", hy_json_real(mean_of_classes(f)));
	for (size_t c = 0; c < f->n_classes && good; c++)
		good = hy_json_add(o, f->names[c], hy_json_real(f->count[c] ? f->sum[c] / (double)f->count[c] : NAN));
	return hy_json_keep(good, o);
}

static hardy_status write_result(const folds *f, bool done, hardy_error *err)
{
	hy_outfile file = {0};
	cJSON *o = cJSON_CreateObject();
	const bool good = hy_json_add(o, "hardy_version", cJSON_CreateString(hardy_version())) &&
	                  hy_json_add(o, "status", cJSON_CreateString(done ? "done" : "running")) &&
	                  hy_json_add(o, "n_folds", cJSON_CreateNumber((double)f->n)) &&
	                  (!f->n_classes || hy_json_add(o, "dice", dice_to_json(f))) &&
	                  hy_json_add(o, "folds", cJSON_Duplicate(f->scores, true));
	char *text = good ? hy_json_print(o, true) : NULL;
	cJSON_Delete(o);
	if (!text)
		return hy_fail_memory(err, f->result, 1, 1);
	hardy_status status = hy_outfile_open(&file, f->result, f->o->overwrite ? HY_REPLACE_ANY : HY_MARK_JSON, err);
	if (!status) {
		hy_outfile_printf(&file, "%s\n", text);
		status = hy_outfile_commit(&file, err);
	}
	cJSON_free(text);
	return status;
}

/* ---- one fold ----------------------------------------------------------------------------------------------------------- */

static bool is_done(const char *run)
{
	char *path = hy_path_join(run, "run.json");
	cJSON *json = NULL;
	if (path && hy_path_exists(path) && hy_json_read(path, &json, NULL))
		json = NULL;
	const cJSON *status = cJSON_GetObjectItemCaseSensitive(json, "status");
	const bool done = cJSON_IsString(status) && !strcmp(status->valuestring, "done");
	cJSON_Delete(json);
	hy_free(path);
	return done;
}

static hardy_status train_fold(const folds *f, int64_t k, const char *run, hardy_error *err)
{
	char *json = hy_path_join(run, "run.json");
	char *texts = NULL;
	hardy_train_options t = *f->o;
	hardy_status status = json ? HARDY_OK : hy_fail_memory(err, run, strlen(run), 1);
	const bool begun = !status && f->o->resume && hy_path_exists(json);
	if (begun && is_done(run)) {
		hy_free(json);
		return HARDY_OK;
	}
	if (begun) {
		status = hardy_train_options_read(&t, &texts, run, err);
	} else {
		t.splits = f->splits;
		t.fold = k;
		t.subjects = 0;
		t.validation = HY_SPLIT_AUTO;
	}
	t.output = run;
	t.resume = begun;
	t.overwrite = f->o->overwrite;
	t.threads = f->o->threads;
	hy_free(json);
	if (!status) {
		hy_info(f->log, "fold %lld of %lld", (long long)k + 1, (long long)f->n);
		status = hardy_train(&t, f->log, f->stop, err);
	}
	hardy_texts_free(texts);
	return status;
}

static void add_scores(folds *f, const hardy_evaluation *e)
{
	if (!f->n_classes) {
		f->n_classes = e->n_classes < HY_MAX_CLASSES ? e->n_classes : HY_MAX_CLASSES;
		for (size_t c = 0; c < f->n_classes; c++)
			memcpy(f->names[c], e->classes[c].class_name, sizeof f->names[c]);
	}
	for (size_t i = 0; i < e->n_rows; i++) {
		const double dice = e->rows[i].value[HARDY_SCORE_DICE];
		const size_t c = i % e->n_classes;
		if (c >= f->n_classes || !isfinite(dice))
			continue;
		f->sum[c] += dice;
		f->count[c]++;
	}
}

/* Label maps of the subjects that the fold's model has not seen, and their scores in the scans' own grids. */
static hardy_status score_fold(folds *f, int64_t k, const char *run, hardy_error *err)
{
	char *labels = hy_path_join(run, "validation"), *table = hy_path_join(run, "validation.csv");
	hardy_status status = labels && table ? HARDY_OK : hy_fail_memory(err, run, strlen(run), 1);
	const char *inputs[] = {run, f->o->data};
	hardy_predict_options p;
	hardy_evaluate_options q;
	hardy_evaluation e = {0};
	hardy_predict_options_init(&p);
	hardy_evaluate_options_init(&q);
	p.inputs = inputs;
	p.n_inputs = 2;
	p.output = labels;
	p.labels = f->o->labels;
	p.splits = f->splits;
	p.fold = k;
	p.split = "val";
	p.threads = f->o->threads;
	p.overwrite = true; /* of an earlier attempt */
	memcpy(p.spacing_mm, f->o->header_spacing_mm, sizeof p.spacing_mm);
	q.prediction = labels;
	q.reference = f->o->data;
	q.labels = f->o->labels;
	q.allow_missing = true;
	memcpy(q.spacing_mm, f->o->header_spacing_mm, sizeof q.spacing_mm);
	if (!status)
		status = hardy_predict(&p, NULL, err);
	if (!status || status == HARDY_ERROR_PARTIAL)
		status = hardy_evaluate(&q, &e, NULL, err);
	if (!status || status == HARDY_ERROR_PARTIAL)
		status = hardy_evaluation_save(&e, HARDY_EVALUATION_CSV, table, true, err);
	if (!status) {
		cJSON *item = cJSON_CreateObject();
		char name[32];
		snprintf(name, sizeof name, "fold_%lld", (long long)k);
		add_scores(f, &e);
		hy_info(f->log, "fold %lld of %lld: Dice %.4f on %s that its model has not seen", (long long)k + 1, (long long)f->n,
		        e.mean[HARDY_SCORE_DICE], HY_COUNT(e.n_cases, "scan"));
		const bool good = hy_json_add(item, "run", cJSON_CreateString(name)) &&
		                  hy_json_add(item, "scans", cJSON_CreateNumber((double)e.n_cases)) &&
		                  hy_json_add(item, "dice", hy_json_real(e.mean[HARDY_SCORE_DICE]));
		if (!hy_json_append(f->scores, hy_json_keep(good, item)))
			status = hy_fail_memory(err, "scores", 1, 1);
	}
	hardy_evaluation_clear(&e);
	hy_free(labels);
	hy_free(table);
	return status;
}

static hardy_status do_fold(folds *f, int64_t k, hardy_error *err)
{
	const size_t room = strlen(f->o->output) + 32;
	char *run = hy_alloc(room, 1);
	if (!run)
		return hy_fail_memory(err, f->o->output, room, 1);
	snprintf(run, room, "%s/fold_%lld", f->o->output, (long long)k);
	hardy_status status = train_fold(f, k, run, err);
	if (!status)
		status = score_fold(f, k, run, err);
	hy_free(run);
	return status;
}

/* ---- all of them -------------------------------------------------------------------------------------------------------- */

static hardy_status check(const folds *f, hardy_error *err)
{
	const hardy_train_options *o = f->o;
	if (f->n < 2 || f->n > MOST_FOLDS)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "folds is %lld, want 2 to %d", (long long)f->n, MOST_FOLDS);
	if (!o->data || !o->output || !*o->output)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "folds: data and output must be named");
	if (o->splits || o->subjects > 0 || o->validation > 0)
		return hy_fail(err, HARDY_ERROR_ARGUMENT,
		               "folds are made of all labelled subjects: splits, subjects and validation must be left out");
	if (hy_path_exists(f->splits) && !o->resume && !o->overwrite)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: is there already: resume it, or overwrite it", f->splits);
	return HARDY_OK;
}

static hardy_status run(folds *f, hardy_error *err)
{
	hardy_status status = check(f, err);
	if (!status)
		status = hy_make_output_folder(f->o->output, err);
	if (!status && !(f->o->resume && hy_path_exists(f->splits)))
		status = make_splits(f, err);
	if (!status)
		status = write_result(f, false, err);
	for (int64_t k = 0; k < f->n && !status; k++) {
		status = do_fold(f, k, err);
		if (!status)
			status = write_result(f, k + 1 == f->n, err);
	}
	if (!status)
		hy_info(f->log, "%s: mean Dice %.4f over %lld folds, every scan by the model that has not seen it", f->o->output,
		        mean_of_classes(f), (long long)f->n);
	return status;
}

hardy_status hardy_train_folds(const hardy_train_options *o, int64_t n, const hardy_log *log, const hardy_stop *stop,
                               hardy_error *err)
{
	hardy_error unseen;
	folds f = {.o = o, .log = log, .stop = stop, .n = n};
	err = err ? err : &unseen;
	if (hy_ranks_here()->size > 1) {
		hy_ranks_same(hy_ranks_here());
		return hy_fail(err, HARDY_ERROR_UNSUPPORTED,
		               "cross-validation trains its folds one after another, on one rank: start a "
		               "training on %d ranks for each fold of a splits file",
		               hy_ranks_here()->size);
	}
	f.splits = hy_path_join(o->output ? o->output : "", "splits.json");
	f.result = hy_path_join(o->output ? o->output : "", "folds.json");
	f.scores = cJSON_CreateArray();
	const hardy_status status = f.splits && f.result && f.scores ? run(&f, err) : hy_fail_memory(err, "folds", 1, sizeof f);
	hy_free(f.splits);
	hy_free(f.result);
	cJSON_Delete(f.scores);
	return status;
}
