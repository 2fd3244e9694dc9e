/*
 * trainer.c: hardy/train.h: the steps of a trainer end in the bytes of hardy_train, whatever is done between them, from whatever threads; runs
 * go on from one to the other; and refusals.
 */
#include "base/files.h"
#include "base/memory.h"
#include "support/test.h"
#include "support/tree.h"

#include <math.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

enum { N_SUBJECTS = 5, N_STEPS = 7 };

static int make_data(void **state)
{
	(void)state;
	char name[16];
	tree_new();
	for (int i = 0; i < N_SUBJECTS; i++) {
		snprintf(name, sizeof name, "p%d", i);
		tree_ring_case("data", name, 2, true, (uint64_t)i);
	}
	return 0;
}

static int remove_data(void **state)
{
	(void)state;
	tree_remove();
	return 0;
}

/* Of 3 subjects and 2 to validate, 2 or 3 steps an epoch; texts last. */
static hardy_train_options tiny(const char *run, const char *recipe)
{
	static char data[512], output[32][512];
	static int next;
	hardy_train_options o;
	hardy_error err = {0};
	assert_ok(hardy_train_options_init(&o, NULL, recipe, &err), &err);
	hardy_train_options_drop_length(&o);
	snprintf(data, sizeof data, "%s", tree_path("data"));
	char *out = output[next++ % 32];
	snprintf(out, sizeof *output, "%s", tree_path(run));
	o.data = data;
	o.output = out;
	o.subjects = 3;
	o.validation = 2;
	o.size = 16;
	o.spacing_mm = 6;
	o.rotation_deg = 180;
	o.mirror = 0.5;
	o.batch = 4;
	o.iterations = N_STEPS;
	o.validate_every = 1;
	o.threads = 1;
	o.calibrate = false;
	o.overwrite = true;
	return o;
}

static hardy_trainer *open_trainer(const hardy_train_options *o)
{
	hardy_error err = {0};
	hardy_trainer *t = NULL;
	assert_ok(hardy_trainer_new(o, NULL, NULL, &t, &err), &err);
	return t;
}

static hardy_training steps(hardy_trainer *t, int n)
{
	hardy_error err = {0};
	hardy_training now;
	HARDY_INIT(now);
	for (int i = 0; i < n; i++)
		assert_ok(hardy_trainer_step(t, &now, &err), &err);
	return now;
}

static void finish(hardy_trainer *t)
{
	hardy_error err = {0};
	assert_ok(hardy_trainer_finish(t, &err), &err);
	hardy_trainer_free(t);
}

static char *read_file(const char *run, const char *name, size_t *size)
{
	char path[128], *data = NULL;
	hardy_error err = {0};
	snprintf(path, sizeof path, "%s/%s", run, name);
	assert_ok(hy_file_read(tree_path(path), &data, size, &err), &err);
	return data;
}

static void assert_same_models(const char *a, const char *b)
{
	static const char *const names[] = {"last.safetensors", "best.safetensors"};
	for (int k = 0; k < 2; k++) {
		size_t n, m;
		char *x = read_file(a, names[k], &n), *y = read_file(b, names[k], &m);
		if (n != m || memcmp(x, y, n))
			fail_msg("%s of %s (%zu bytes) and %s (%zu bytes) differ", names[k], a, n, b, m);
		hy_free(x);
		hy_free(y);
	}
}

static bool says(const char *run, const char *part)
{
	size_t n;
	char *json = read_file(run, "run.json", &n), *text = hy_alloc(n + 1, 1);
	assert_non_null(text);
	memcpy(text, json, n);
	text[n] = 0;
	const bool found = strstr(text, part) != NULL;
	hy_free(text);
	hy_free(json);
	return found;
}

/* ---- bytes -------------------------------------------------------------------------------------------------------------- */

/* What is told at the end of an epoch is what metrics.csv of hardy_train has. */
static void expect_row(const char *run, int row, const hardy_training *now)
{
	size_t n;
	char *csv = read_file(run, "metrics.csv", &n), *at = csv;
	double value[32];
	int columns = 0;
	for (int i = 0; i < row; i++)
		at = strchr(at, '\n') + 1;
	*strchr(at, '\n') = 0;
	for (char *end = at; columns < 32; columns++, at = end + 1) {
		end = strchr(at, ',');
		value[columns] = end == at || !*at ? NAN : strtod(at, NULL);
		if (!end)
			break;
	}
	assert_true(value[0] == (double)now->epoch && value[1] == (double)now->step);
	assert_true(fabs(value[2] - now->learning_rate) <= 1e-8 * now->learning_rate);
	assert_true(fabs(value[columns - 2] - now->stn_dice) < 1e-8);
	assert_true(fabs(value[columns - 4] - now->ftn_dice) < 1e-8);
	hy_free(csv);
}

static void steps_end_in_the_same_bytes(void **state)
{
	static const char *const recipes[] = {"standard", "cooperative", "hardy"};
	(void)state;
	for (size_t r = 0; r < 3; r += TEST_STRIDE) {
		hardy_error err = {0};
		hardy_train_options whole = tiny("whole", recipes[r]), o = tiny("steps", recipes[r]);
		whole.ema = o.ema = r == 1 ? 0.9 : 0;
		assert_ok(hardy_train(&whole, NULL, NULL, &err), &err);
		hardy_trainer *t = open_trainer(&o);
		hardy_training now, out_of_turn;
		HARDY_INIT(now);
		HARDY_INIT(out_of_turn);
		assert_ok(hardy_trainer_look(t, &now, &err), &err);
		assert_true(now.step == 0 && now.steps == N_STEPS && now.epoch == 0 && isnan(now.loss) && isnan(now.stn_dice));
		const int each = (int)now.steps_per_epoch; /* 3, or 2 where the whole batch is augmented */
		assert_true(each == (r == 2 ? 2 : 3));
		now = steps(t, each - 1);
		assert_true(now.step == each - 1 && !now.validated && now.loss > 0 && isnan(now.stn_dice));
		/* between steps: a validation, a model, a checkpoint */
		assert_ok(hardy_trainer_validate(t, &out_of_turn, &err), &err);
		assert_true(out_of_turn.stn_dice >= 0 && out_of_turn.stn_dice <= 1 && out_of_turn.step == now.step);
		assert_ok(hardy_trainer_save_model(t, tree_path("now.safetensors"), true, &err), &err);
		hardy_model *model = NULL;
		assert_ok(hardy_model_load(tree_path("now.safetensors"), &model, &err), &err);
		assert_int_equal(hardy_model_n_classes(model), 3);
		hardy_model_free(model);
		assert_ok(hardy_trainer_save(t, &err), &err);
		assert_true(says("steps", "\"interrupted\""));
		now = steps(t, 1);
		assert_true(now.validated && now.epoch == 1 && now.stn_dice >= 0);
		expect_row("whole", 1, &now);
		now = steps(t, N_STEPS - each);
		assert_true(now.step == N_STEPS && now.epoch == (N_STEPS + each - 1) / each && now.best_epoch >= 1 && now.seconds > 0);
		expect_row("whole", (int)now.epoch, &now);
		double sum = 0;
		for (size_t i = 0; hardy_trainer_term_name(i); i++)
			sum += isnan(hardy_trainer_term(t, i)) ? 0 : hardy_trainer_term(t, i);
		assert_true(fabs(sum - now.loss) < 1e-9 && isnan(hardy_trainer_term(t, 999)));
		assert_int_equal(hardy_trainer_step(t, &now, &err), HARDY_ERROR_ARGUMENT);
		assert_non_null(strstr(err.message, "all 7 steps are made"));
		assert_false(hy_path_exists(tree_path("steps/last.safetensors")));
		finish(t);
		assert_same_models("whole", "steps");
		assert_true(says("steps", "\"done\""));
	}
}

/* A trainer goes on with what hardy_train saved, and the other way round; what was not saved is made again. */
static bool after_three(void *payload)
{
	int *asked = payload;
	return ++*asked >= N_SUBJECTS + 3;
}

static void runs_go_on(void **state)
{
	(void)state;
	hardy_error err = {0};
	hardy_train_options o = tiny("whole", "standard");
	assert_ok(hardy_train(&o, NULL, NULL, &err), &err);
	/* begun by a trainer */
	o = tiny("begun", "standard");
	hardy_trainer *t = open_trainer(&o);
	steps(t, 2);
	assert_ok(hardy_trainer_save(t, &err), &err);
	steps(t, 3);
	hardy_trainer_free(t);
	o.resume = true;
	o.overwrite = false;
	assert_ok(hardy_train(&o, NULL, NULL, &err), &err);
	assert_same_models("whole", "begun");
	/* begun by hardy_train, gone on with twice */
	int asked = 0;
	const hardy_stop stop = {after_three, &asked};
	o = tiny("other", "standard");
	assert_int_equal(hardy_train(&o, NULL, &stop, &err), HARDY_ERROR_INTERRUPTED);
	o.resume = true;
	o.overwrite = false;
	t = open_trainer(&o);
	hardy_training now;
	HARDY_INIT(now);
	assert_ok(hardy_trainer_look(t, &now, &err), &err);
	assert_int_equal(now.step, 3);
	steps(t, 1);
	assert_ok(hardy_trainer_save(t, &err), &err);
	hardy_trainer_free(t);
	t = open_trainer(&o);
	now = steps(t, 3);
	assert_int_equal(now.step, N_STEPS);
	finish(t);
	assert_same_models("whole", "other");
	/* stop of a trainer: saved, and it can go on itself */
	asked = 0;
	o = tiny("stopped", "standard");
	t = NULL;
	assert_ok(hardy_trainer_new(&o, NULL, &stop, &t, &err), &err);
	steps(t, 2);
	assert_int_equal(hardy_trainer_step(t, &now, &err), HARDY_ERROR_INTERRUPTED);
	assert_int_equal(now.step, 3);
	asked = -100;
	steps(t, 4);
	finish(t);
	assert_same_models("whole", "stopped");
}

/* ---- threads ------------------------------------------------------------------------------------------------------------ */

typedef struct task {
	hardy_trainer *t;
	int n;
	hardy_status status;
} task;

static void *work(void *payload)
{
	task *k = payload;
	for (int i = 0; i < k->n && !k->status; i++)
		k->status = hardy_trainer_step(k->t, NULL, NULL);
	return NULL;
}

static void threads(void **state)
{
	(void)state;
	hardy_error err = {0};
	hardy_train_options o = tiny("whole", "cooperative");
	assert_ok(hardy_train(&o, NULL, NULL, &err), &err);
	/* one that wanders: a thread of its own for each step */
	o = tiny("wanders", "cooperative");
	hardy_trainer *t = open_trainer(&o);
	for (int i = 0; i < N_STEPS; i++) {
		pthread_t thread;
		task k = {t, 1, HARDY_OK};
		assert_int_equal(pthread_create(&thread, NULL, work, &k), 0);
		pthread_join(thread, NULL);
		assert_int_equal(k.status, HARDY_OK);
	}
	finish(t);
	assert_same_models("whole", "wanders");
	/* two at the same time */
	hardy_train_options a = tiny("left", "cooperative"), b = tiny("right", "cooperative");
	task tasks[2] = {{open_trainer(&a), N_STEPS, HARDY_OK}, {open_trainer(&b), N_STEPS, HARDY_OK}};
	pthread_t thread[2];
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&thread[i], NULL, work, &tasks[i]), 0);
	for (int i = 0; i < 2; i++)
		pthread_join(thread[i], NULL);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(tasks[i].status, HARDY_OK);
		finish(tasks[i].t);
	}
	assert_same_models("whole", "left");
	assert_same_models("whole", "right");
}

/* ---- refusals ----------------------------------------------------------------------------------------------------------- */

static void bad_arguments(void **state)
{
	(void)state;
	hardy_error err = {0};
	hardy_train_options o = tiny("alone", "standard");
	hardy_trainer *t = NULL, *second = NULL;
	hardy_training now;
	HARDY_INIT(now);
	o.validation = 0;
	o.batch = 3;
	assert_int_equal(hardy_trainer_new(&o, NULL, NULL, &t, &err), HARDY_ERROR_ARGUMENT);
	assert_null(t);
	assert_false(hy_path_exists(tree_path("alone")));
	o.batch = 4;
	assert_int_equal(hardy_trainer_new(NULL, NULL, NULL, &t, &err), HARDY_ERROR_ARGUMENT);
	assert_int_equal(hardy_trainer_new(&o, NULL, NULL, NULL, &err), HARDY_ERROR_ARGUMENT);
	t = open_trainer(&o);
	assert_int_equal(hardy_trainer_new(&o, NULL, NULL, &second, &err), HARDY_ERROR_ARGUMENT);
	assert_non_null(strstr(err.message, "is being trained already"));
	assert_null(second);
	assert_int_equal(hardy_trainer_validate(t, &now, &err), HARDY_ERROR_DATA);
	assert_non_null(strstr(err.message, "no validation subjects"));
	assert_int_equal(hardy_trainer_finish(t, &err), HARDY_ERROR_ARGUMENT);
	assert_non_null(strstr(err.message, "0 of 7 steps are made, want all of them"));
	assert_int_equal(hardy_trainer_save_model(t, tree_path("model.pt"), false, &err), HARDY_ERROR_ARGUMENT);
	tree_text("taken.safetensors", "not ours");
	assert_int_equal(hardy_trainer_save_model(t, tree_path("taken.safetensors"), false, &err), HARDY_ERROR_ARGUMENT);
	assert_int_equal(hardy_trainer_step(NULL, &now, &err), HARDY_ERROR_ARGUMENT);
	assert_int_equal(hardy_trainer_look(t, NULL, &err), HARDY_ERROR_ARGUMENT);
	now.size = 1;
	assert_int_equal(hardy_trainer_step(t, &now, &err), HARDY_ERROR_ARGUMENT); /* and no step is made */
	HARDY_INIT(now);
	assert_ok(hardy_trainer_look(t, &now, &err), &err);
	assert_int_equal(now.step, 0);
	steps(t, N_STEPS);
	assert_ok(hardy_trainer_finish(t, &err), &err);
	assert_int_equal(hardy_trainer_finish(t, &err), HARDY_ERROR_ARGUMENT);
	assert_int_equal(hardy_trainer_save(t, &err), HARDY_ERROR_ARGUMENT);
	assert_non_null(strstr(err.message, "the training is finished"));
	hardy_trainer_free(t);
	hardy_trainer_free(NULL);
	assert_false(hy_path_exists(tree_path("alone/best.safetensors")));
}

/* A loss that is not finite is told with its step, and the trainer can then only be released. */
static void a_step_that_fails(void **state)
{
	(void)state;
	hardy_error err = {0};
	hardy_train_options o = tiny("failing", "standard");
	o.learning_rate = 1; /* the largest that is allowed */
	o.iterations = 400;
	hardy_trainer *t = open_trainer(&o);
	hardy_status status = HARDY_OK;
	for (int64_t k = 1; k < 40 && !status; k++) { /* memory: of the end of an epoch, if nothing else */
		hy_memory_fail_at(k);
		status = hardy_trainer_step(t, NULL, &err);
		hy_memory_fail_at(0);
	}
	assert_int_equal(status, HARDY_ERROR_MEMORY);
	assert_true(says("failing", "\"failed\""));
	assert_int_equal(hardy_trainer_step(t, NULL, &err), HARDY_ERROR_ARGUMENT);
	assert_non_null(strstr(err.message, "the training has failed"));
	assert_int_equal(hardy_trainer_save(t, &err), HARDY_ERROR_ARGUMENT);
	hardy_trainer_free(t);
}

/* Memory that runs out while a trainer is made is an error, or makes no difference; nothing is leaked. */
static void every_allocation_may_fail(void **state)
{
	(void)state;
	const hardy_train_options o = tiny("memory", "hardy");
	const int64_t before = hy_memory_calls();
	hardy_trainer_free(open_trainer(&o));
	const int64_t n = hy_memory_calls() - before;
	int n_failed = 0;
	/* what opens data sets and makes networks is tested for itself: of these thousands a few */
	for (int64_t k = 1; k <= n; k += k < 40 ? 1 : 1 + n / (40 / TEST_STRIDE)) {
		hardy_error err = {0};
		hardy_trainer *t = NULL;
		const int64_t live = hy_memory_live();
		hy_memory_fail_at(k);
		const hardy_status status = hardy_trainer_new(&o, NULL, NULL, &t, &err);
		hy_memory_fail_at(0);
		if (status)
			assert_true(status == HARDY_ERROR_MEMORY && !t && err.message[0]);
		n_failed += status == HARDY_ERROR_MEMORY;
		hardy_trainer_free(t);
		assert_int_equal(hy_memory_live(), live);
	}
	assert_true(n > 100 && n_failed > 20);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(steps_end_in_the_same_bytes),
	    cmocka_unit_test(runs_go_on),
	    cmocka_unit_test(threads),
	    cmocka_unit_test(bad_arguments),
	    cmocka_unit_test(a_step_that_fails),
	    cmocka_unit_test(every_allocation_may_fail),
	};
	return cmocka_run_group_tests(tests, make_data, remove_data);
}
