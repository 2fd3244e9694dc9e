/*
 * threads.c: the thread contract of hardy/predict.h: predictors that share a model in threads of the caller's give, byte for byte, what one after
 * the other gives; so do predictors in a parallel region of the caller's, one that wanders from thread to thread, and label maps scored beside
 * one another. In a build with -Db_sanitize=thread -Dopenmp=disabled ThreadSanitizer watches (script/test-threads).
 */
#include "base/machine.h"
#include "base/memory.h"
#include "library/models.h"
#include "support/scratch.h"
#include "support/test.h"

#include <pthread.h>
#include <string.h>

enum { NX = 30, NY = 26, NZ = 4, VOXELS = NX * NY * NZ, N_SCANS = 3, N_THREADS = 3 };

static const hardy_model *model;
static float *scans[N_SCANS];

/* Of every scan: labels, a probability map, entropy. */
typedef struct result {
	uint8_t label[N_SCANS][VOXELS];
	float map[N_SCANS][VOXELS], entropy[N_SCANS][VOXELS];
	double dice[N_SCANS];
} result;

typedef struct task {
	hardy_predictor *predictor; /* NULL: makes its own */
	bool adapt;
	hardy_status status;
	hardy_error err;
	result *out;
} task;

/* cmocka's assertions belong to the main thread: what fails is kept. */
static hardy_status predict_scan(hardy_predictor *p, int i, result *out, hardy_error *err)
{
	const hardy_image image = view_voxels(scans[i], NX, NY, NZ, 1);
	hardy_prediction *found;
	hardy_scores *scores;
	hardy_status status = hardy_predictor_run(p, &image, &found, err);
	if (status)
		return status;
	memcpy(out->label[i], hardy_prediction_labels(found)->data, VOXELS);
	memcpy(out->map[i], hardy_prediction_probabilities(found, 1)->data, VOXELS * sizeof(float));
	memcpy(out->entropy[i], hardy_prediction_entropy(found)->data, VOXELS * sizeof(float));
	hardy_image turned = *hardy_prediction_labels(found);
	turned.data = (const uint8_t *)turned.data + VOXELS - 1;
	turned.stride[0] = -1;
	turned.stride[1] = -NX;
	turned.stride[2] = -NX * NY;
	status = hardy_scores_new(hardy_prediction_labels(found), &turned, NULL, &scores, err);
	if (!status) {
		out->dice[i] = hardy_scores_value(scores, 0, HARDY_SCORE_DICE);
		hardy_scores_free(scores);
	}
	hardy_prediction_free(found);
	return status;
}

static void *work(void *payload)
{
	task *t = payload;
	hardy_predictor_options o = {.size = sizeof o};
	hardy_predictor *own = t->predictor;
	o.probabilities = o.entropy = true;
	o.adapt = t->adapt;
	if (!own)
		t->status = hardy_predictor_new(model, &o, &own, &t->err);
	for (int i = 0; i < N_SCANS && !t->status; i++)
		t->status = predict_scan(own, i, t->out, &t->err);
	if (!t->predictor)
		hardy_predictor_free(own);
	return NULL;
}

static result *run_here(bool adapt)
{
	task t = {.adapt = adapt, .out = hy_calloc(1, sizeof *t.out)};
	assert_non_null(t.out);
	work(&t);
	assert_ok(t.status, &t.err);
	return t.out;
}

static void assert_same(const result *a, const result *b)
{
	assert_memory_equal(a->label, b->label, sizeof a->label);
	assert_memory_equal(a->map, b->map, sizeof a->map);
	assert_memory_equal(a->entropy, b->entropy, sizeof a->entropy);
	assert_memory_equal(a->dice, b->dice, sizeof a->dice);
}

static void predictors_on_one_model_run_beside_one_another(void **state)
{
	(void)state;
	result *plain = run_here(false), *adapted = run_here(true);
	assert_memory_not_equal(plain->entropy, adapted->entropy, sizeof plain->entropy);
	pthread_t threads[N_THREADS];
	task tasks[N_THREADS] = {0};
	for (int i = 0; i < N_THREADS; i++) {
		tasks[i].adapt = i == 1; /* which changes statistics, though not the model's */
		tasks[i].out = hy_calloc(1, sizeof *tasks[i].out);
		assert_non_null(tasks[i].out);
		assert_int_equal(pthread_create(&threads[i], NULL, work, &tasks[i]), 0);
	}
	for (int i = 0; i < N_THREADS; i++)
		assert_int_equal(pthread_join(threads[i], NULL), 0);
	for (int i = 0; i < N_THREADS; i++) {
		assert_ok(tasks[i].status, &tasks[i].err);
		assert_same(tasks[i].out, tasks[i].adapt ? adapted : plain);
		hy_free(tasks[i].out);
	}
	hy_free(plain);
	hy_free(adapted);
}

static void a_predictor_may_go_from_thread_to_thread(void **state)
{
	(void)state;
	hardy_error err;
	result *wanted = run_here(false), *found = hy_calloc(1, sizeof *found);
	hardy_predictor_options o = {.size = sizeof o};
	hardy_predictor *p;
	assert_non_null(found);
	o.probabilities = o.entropy = true;
	assert_ok(hardy_predictor_new(model, &o, &p, &err), &err);
	for (int i = 0; i < 2; i++) {
		pthread_t thread;
		task t = {.predictor = p, .out = found};
		memset(found, 0, sizeof *found);
		assert_int_equal(pthread_create(&thread, NULL, work, &t), 0);
		assert_int_equal(pthread_join(thread, NULL), 0);
		assert_ok(t.status, &t.err);
		assert_same(found, wanted);
	}
	hardy_predictor_free(p);
	hy_free(wanted);
	hy_free(found);
}

/* Made outside or inside of the region, with more threads than come or with fewer. */
static void predictors_run_in_the_callers_parallel_region(void **state)
{
	(void)state;
	hardy_error err;
	result *wanted = run_here(false);
	hardy_predictor_options o = {.size = sizeof o};
	task tasks[N_THREADS] = {0};
	o.probabilities = o.entropy = true;
	o.threads = 4;
	for (int i = 0; i < N_THREADS; i++) {
		tasks[i].out = hy_calloc(1, sizeof *tasks[i].out);
		assert_non_null(tasks[i].out);
		if (i)
			assert_ok(hardy_predictor_new(model, &o, &tasks[i].predictor, &err), &err);
	}
	const int before = hy_threads();
#pragma omp parallel for num_threads(N_THREADS)
	for (int i = 0; i < N_THREADS; i++)
		work(&tasks[i]);
	assert_int_equal(hy_threads(), before);
	for (int i = 0; i < N_THREADS; i++) {
		assert_ok(tasks[i].status, &tasks[i].err);
		assert_same(tasks[i].out, wanted);
		hardy_predictor_free(tasks[i].predictor);
		hy_free(tasks[i].out);
	}
	hy_free(wanted);
}

static void the_number_of_threads_is_as_before_and_changes_no_byte(void **state)
{
	(void)state;
	hardy_error err;
	result *wanted = run_here(false), *found = hy_calloc(1, sizeof *found);
	assert_non_null(found);
	for (int threads = 1; threads <= 3; threads++) {
		hardy_predictor_options o = {.size = sizeof o};
		task t = {.out = found};
		o.probabilities = o.entropy = true;
		o.threads = threads;
		const int before = hy_threads();
		assert_ok(hardy_predictor_new(model, &o, &t.predictor, &err), &err);
		work(&t);
		assert_ok(t.status, &t.err);
		assert_int_equal(hy_threads(), before);
		assert_same(found, wanted);
		hardy_predictor_free(t.predictor);
	}
	hy_free(wanted);
	hy_free(found);
}

static int start(void **state)
{
	(void)state;
	model = load_model("model.safetensors", HY_NETWORK_STUDY, 1, 1);
	for (int i = 0; i < N_SCANS; i++)
		scans[i] = make_voxels(NX, NY, NZ, 1, (uint64_t)i);
	return 0;
}

static int end(void **state)
{
	(void)state;
	union {
		const hardy_model *shared;
		hardy_model *own;
	} m = {model};
	hardy_model_free(m.own);
	for (int i = 0; i < N_SCANS; i++)
		hy_free(scans[i]);
	scratch_remove();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(predictors_on_one_model_run_beside_one_another),
	    cmocka_unit_test(a_predictor_may_go_from_thread_to_thread),
	    cmocka_unit_test(predictors_run_in_the_callers_parallel_region),
	    cmocka_unit_test(the_number_of_threads_is_as_before_and_changes_no_byte),
	};
	return cmocka_run_group_tests(tests, start, end);
}
