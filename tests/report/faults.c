/*
 * faults.c: memory runs out, and the disk is full, at the k-th call of whole commands: train, predict, evaluate, corrupt, experiment
 * (collecting), report. Each time: an error with a message, or else all that was to be written, to the byte, but for what holds a time;
 * nothing leaked, nothing half-written.
 *
 * Some samples of k in the test, more in gcc's plain build; with a number as argument so many, with "all" every k (script/torture).
 */
#define _XOPEN_SOURCE 700 /* nftw */
#include "support/json_memory.h"
#include "support/test.h"
#include "support/tree.h"

#include "base/files.h"
#include "base/json.h"
#include "base/memory.h"

#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { DEEP = 2 };

static bool every_k;
static int64_t samples = TEST_STRIDE == 1 ? 16 : 2;
static char root[600], data[600], splits[600], run_folder[600], maps[600], study[600], spoiled[600], kept[600];

/* ---- commands ----------------------------------------------------------------------------------------------------------- */

static void drop(void *payload, const char *text, size_t size)
{
	(void)payload;
	(void)text;
	(void)size;
}

static const hardy_sink sink = {drop, NULL};

/* What a command says beside its files. */
static char told[1 << 16];
static size_t n_told;

static void keep_text(void *payload, const char *text, size_t size)
{
	(void)payload;
	assert_true(n_told + size < sizeof told);
	memcpy(told + n_told, text, size);
	n_told += size;
	told[n_told] = 0;
}

static hardy_status train(hardy_error *err)
{
	hardy_train_options o;
	const hardy_status status = hardy_train_options_init(&o, NULL, NULL, err);
	if (status)
		return status;
	o.data = data;
	o.labels = "ring=1,core=2";
	o.output = run_folder;
	o.subjects = 2;
	o.validation = 1;
	o.size = 16;
	o.spacing_mm = 5;
	o.batch = 2;
	o.iterations = 2;
	o.validate_every = 1;
	o.network_levels = 2;
	o.calibrate = false;
	o.checkpoint_every_s = 0;
	o.threads = 1;
	o.overwrite = true;
	return hardy_train(&o, NULL, NULL, err);
}

static hardy_status predict(hardy_error *err)
{
	hardy_predict_options o;
	char images[700];
	snprintf(images, sizeof images, "%s/images", data);
	hardy_predict_options_init(&o);
	o.inputs = (const char *const[]){run_folder, images};
	o.n_inputs = 2;
	o.output = maps;
	o.threads = 1;
	o.warn_dice = 0;
	return hardy_predict(&o, NULL, err);
}

static hardy_status evaluate(hardy_error *err)
{
	hardy_evaluate_options o;
	hardy_evaluation e;
	hardy_evaluate_options_init(&o);
	o.prediction = maps;
	o.reference = data;
	o.labels = "ring=1,core=2";
	o.keep = kept;
	o.keep_every_s = 0;
	hardy_status status = hardy_evaluate(&o, &e, NULL, err);
	const bool complete = !status || status == HARDY_ERROR_PARTIAL || status == HARDY_ERROR_THRESHOLD;
	const hardy_sink out = {keep_text, NULL};
	if (!status)
		status = hardy_evaluation_write(&e, HARDY_EVALUATION_JSON, &out, err);
	if (complete)
		hardy_evaluation_clear(&e);
	return status;
}

static hardy_status corrupt(hardy_error *err)
{
	hardy_corrupt_options o;
	hardy_corrupt_options_init(&o);
	o.inputs = (const char *const[]){data};
	o.n_inputs = 1;
	o.output = spoiled;
	o.artefacts = (const char *const[]){"bias"};
	o.n_artefacts = 1;
	o.labels = "ring=1,core=2";
	o.copies = 1;
	o.subjects = "s1";
	o.threads = 1;
	o.overwrite = true;
	return hardy_corrupt(&o, NULL, err);
}

static const char *const settings[] = {"size=16,spacing_mm=5,iterations=1,batch=2,subjects=1,validation=0"};

static hardy_status experiment(bool collect, hardy_error *err)
{
	hardy_experiment_options o;
	char source[700];
	snprintf(source, sizeof source, "home=%s:labels=ring=1,core=2", data);
	hardy_experiment_options_init(&o);
	o.name = "latent-vs-image";
	o.data = (const char *const[]){source};
	o.n_data = 1;
	o.output = study;
	o.splits = splits;
	o.methods = "standard";
	o.seeds = 1;
	o.copies = 1;
	o.threads = 1;
	o.settings = settings;
	o.n_settings = 1;
	o.collect = collect;
	return hardy_experiment(&o, &sink, NULL, NULL, err);
}

static hardy_status collect(hardy_error *err)
{
	return experiment(true, err);
}

static hardy_status report(hardy_error *err)
{
	hardy_report_options o;
	hardy_report_options_init(&o);
	o.cases = every_k ? 2 : 0; /* pictures want predictions, which take the longest */
	return hardy_report(study, &o, NULL, err);
}

static const struct command {
	const char *name;
	hardy_status (*call)(hardy_error *err);
	const char *output; /* what it makes anew, removed before each call; NULL: it writes over what it wrote */
} commands[] = {
    {"train", train, "run"},         {"predict", predict, "maps"}, {"evaluate", evaluate, "kept"},
    {"corrupt", corrupt, "spoiled"}, {"collect", collect, NULL},   {"report", report, NULL},
};

/* ---- what lies there ---------------------------------------------------------------------------------------------------- */

/* A file of a good call; one that two good calls do not leave the same holds a time, and is not compared. */
typedef struct left {
	char path[1200];
	uint64_t hash;
	bool timed;
} left;

static left first[256], now[256];
static size_t n_first, n_now;
static char first_told[sizeof told];

/* FNV-1a */
static uint64_t hash_file(const char *path)
{
	char *text = NULL;
	size_t size = 0;
	hardy_error err = {0};
	uint64_t h = 0xcbf29ce484222325u;
	assert_ok(hy_file_read(path, &text, &size, &err), &err);
	for (size_t i = 0; i < size; i++)
		h = (h ^ (unsigned char)text[i]) * 0x100000001b3u;
	hy_free(text);
	return h;
}

/* Files below a folder, and that each is whole; into now. */
static size_t check_files(const char *folder, const char *what)
{
	hy_names names = {0};
	size_t n = 0;
	hardy_error err = {0};
	if (!hy_path_is_folder(folder))
		return 0;
	assert_ok(hy_list_folder(folder, &names, &err), &err);
	for (size_t i = 0; i < names.n; i++) {
		const char *name = names.name[i];
		char path[1200];
		cJSON *json = NULL;
		snprintf(path, sizeof path, "%s/%s", folder, name);
		if (strstr(name, ".part-"))
			fail_msg("%s: %s is left", what, path);
		if (hy_path_is_folder(path)) {
			n += check_files(path, what);
			continue;
		}
		n++;
		assert_true(n_now < sizeof now / sizeof *now);
		snprintf(now[n_now].path, sizeof now[n_now].path, "%s", path);
		now[n_now++].hash = hash_file(path);
		if (strstr(name, ".safetensors") && hardy_verify(path, &sink, &err))
			fail_msg("%s: %s", what, err.message);
		if (strstr(name, ".nii") && hardy_inspect(path, true, &sink, &err))
			fail_msg("%s: %s", what, err.message);
		if (!strcmp(name + strlen(name) - 5, ".json") && hy_json_read(path, &json, &err))
			fail_msg("%s: %s", what, err.message);
		cJSON_Delete(json);
	}
	hy_names_free(&names);
	return n;
}

/* ---- faults ------------------------------------------------------------------------------------------------------------- */

static int remove_one(const char *path, const struct stat *about, int kind, struct FTW *at)
{
	(void)about;
	(void)kind;
	(void)at;
	return remove(path);
}

static void remove_folder(const char *name)
{
	if (hy_path_exists(tree_path(name)))
		assert_int_equal(nftw(tree_path(name), remove_one, 16, FTW_DEPTH | FTW_PHYS), 0);
}

/* Nothing said, and nothing left of an earlier call. */
static void begin(const struct command *c, hardy_error *err)
{
	*err = (hardy_error){0};
	n_told = 0;
	told[0] = 0;
	if (c->output)
		remove_folder(c->output);
}

static hardy_status run(const struct command *c, hardy_error *err)
{
	begin(c, err);
	return c->call(err);
}

static size_t look(const struct command *c, const char *what)
{
	n_now = 0;
	return check_files(c->output ? tree_path(c->output) : root, what);
}

/* What a good call leaves; what a second one leaves otherwise holds a time. */
static void learn(bool again)
{
	size_t n_timed = 0;
	assert_true(!again || n_first == n_now);
	for (size_t i = 0; i < n_now && again; i++) {
		assert_string_equal(first[i].path, now[i].path);
		n_timed += first[i].timed = first[i].hash != now[i].hash;
	}
	if (again) {
		assert_true(n_timed < n_first);
		assert_string_equal(told, first_told);
		return;
	}
	memcpy(first, now, sizeof first);
	memcpy(first_told, told, sizeof told);
	n_first = n_now;
}

static void compare(const char *what)
{
	for (size_t i = 0; i < n_first; i++) {
		if (strcmp(first[i].path, now[i].path) != 0)
			fail_msg("%s: done, but without %s", what, first[i].path);
		if (!first[i].timed && first[i].hash != now[i].hash)
			fail_msg("%s: done, but with another %s", what, first[i].path);
	}
	if (strcmp(told, first_told) != 0)
		fail_msg("%s: done, but it tells %s\ninstead of %s", what, told, first_told);
}

static bool said(const hardy_error *err, hardy_status status)
{
	return err->message[0] && err->status == status;
}

/* disk: writing fails, else memory. n_files: what a good call leaves. */
static void fail_at(const struct command *c, bool disk, int64_t k, size_t n_files)
{
	hardy_error err;
	char what[96];
	snprintf(what, sizeof what, "%s, %s %lld", c->name, disk ? "write" : "allocation", (long long)k);
	begin(c, &err);
	const int64_t before = hy_memory_live();
	const int64_t writes = hy_outfile_calls();
	if (disk)
		hy_outfile_fail_at(k);
	else
		hy_memory_fail_at(k);
	const hardy_status status = c->call(&err);
	hy_memory_fail_at(0);
	hy_outfile_fail_at(0);
	if (hy_memory_live() != before)
		fail_msg("%s: %lld blocks are leaked (%s)", what, (long long)(hy_memory_live() - before), err.message);
	if (status && !said(&err, status))
		fail_msg("%s: status %d, but the error says %d \"%s\"", what, status, err.status, err.message);
	const size_t n = look(c, what);
	if (!status && n != n_files) /* the loss of a line of a log is none */
		fail_msg("%s: done, but with %zu files instead of %zu", what, n, n_files);
	if (!status)
		compare(what);
	if (disk && !status &&
	    hy_outfile_calls() - writes >= k) /* the times in a log are longer or shorter, so calls differ by a few */
		fail_msg("%s: a full disk went unnoticed", what);
}

/* The first calls, where most is opened, and a few spread over the rest. */
static void fail_often(const struct command *c, bool disk, int64_t n_calls, size_t n_files)
{
	for (int64_t k = 1; k <= n_calls; k += every_k || k < DEEP ? 1 : n_calls / samples + 1)
		fail_at(c, disk, k, n_files);
	fail_at(c, disk, n_calls, n_files);
}

static void commands_fail_cleanly(void **state)
{
	(void)state;
	hardy_error err;
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++) {
		const struct command *c = &commands[i];
		assert_ok(run(c, &err), &err); /* tables that are made once */
		look(c, c->name);
		learn(false);
		sleep(1); /* dates in files have seconds */
		const int64_t allocations = hy_memory_calls(), writes = hy_outfile_calls();
		assert_ok(run(c, &err), &err);
		const int64_t n_allocations = hy_memory_calls() - allocations, n_writes = hy_outfile_calls() - writes;
		const size_t n_files = look(c, c->name);
		learn(true);
		assert_true(n_allocations > 10);
		printf("%s: %lld allocations, %lld writes\n", c->name, (long long)n_allocations, (long long)n_writes);
		fail_often(c, false, n_allocations, n_files);
		if (n_writes)
			fail_often(c, true, n_writes, n_files);
		assert_ok(run(c, &err), &err); /* and goes on as if nothing had been */
	}
}

static int make_all(void **state)
{
	(void)state;
	hardy_error err = {0};
	json_memory_counts(true); /* its memory runs out, too */
	tree_new();
	for (int i = 1; i <= 4; i++) {
		char name[8];
		snprintf(name, sizeof name, "s%d", i);
		tree_ring_case("data", name, 2, true, (uint64_t)i);
	}
	tree_text("splits.json", "{\"pool\": [\"s1\", \"s2\"], \"validation\": [], \"test\": [\"s4\"]}");
	snprintf(root, sizeof root, "%s", tree_path(""));
	snprintf(data, sizeof data, "%s", tree_path("data"));
	snprintf(splits, sizeof splits, "%s", tree_path("splits.json"));
	snprintf(run_folder, sizeof run_folder, "%s", tree_path("run"));
	snprintf(maps, sizeof maps, "%s", tree_path("maps"));
	snprintf(study, sizeof study, "%s", tree_path("study"));
	snprintf(spoiled, sizeof spoiled, "%s", tree_path("spoiled"));
	snprintf(kept, sizeof kept, "%s", tree_path("kept"));
	assert_ok(experiment(false, &err), &err);
	return 0;
}

static int remove_all(void **state)
{
	(void)state;
	tree_remove();
	return 0;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(commands_fail_cleanly),
	};
	every_k = argc > 1 && !strcmp(argv[1], "all");
	if (argc > 1 && !every_k)
		samples = strtoll(argv[1], NULL, 10) > 0 ? strtoll(argv[1], NULL, 10) : samples;
	return cmocka_run_group_tests(tests, make_all, remove_all);
}
