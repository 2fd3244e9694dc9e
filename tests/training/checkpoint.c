/*
 * checkpoint.c: the training's state in a model file, and files that hold something else.
 */
#include "training/checkpoint.h"
#include "training/start.h"

#include "base/files.h"
#include "base/json.h"
#include "base/memory.h"
#include "support/json_memory.h"
#include "support/scratch.h"
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void make_model(hy_model *m, int classes)
{
	hardy_error err = {0};
	const hy_network_config config = {.channels = 1, .classes = classes, .decoupler = true};
	memset(m, 0, sizeof *m);
	hy_plan_init(&m->plan);
	m->n_classes = classes;
	m->n_channels = 1;
	snprintf(m->channels[0], HY_NAME_SIZE, "T1");
	for (int c = 0; c < classes; c++) {
		snprintf(m->classes[c].name, HY_NAME_SIZE, "class %d", c);
		m->classes[c].value = c;
		m->classes[c].present = true;
	}
	assert_ok(hy_network_init(&m->network, &config, &err), &err);
	hy_params_draw(&m->network.params, 1);
	m->network.params.adam_steps = 41;
	m->network.params.n_batches_tracked = 41;
	for (size_t i = 0; i < m->network.params.n; i++) {
		const hy_param *p = &m->network.params.list[i];
		if (!p->is_buffer)
			m->network.params.first_moment[p->offset] = m->network.params.second_moment[p->offset] = (float)i + 0.5f;
	}
}

static void what_is_saved_comes_back(void **state)
{
	(void)state;
	hardy_error err = {0};
	hy_model m, back;
	make_model(&m, 3);
	make_model(&back, 3);
	memset(hy_params_write_values(&back.network.params), 0, back.network.params.n_values * sizeof(float));
	const hy_progress p = {.step = 41,
	                       .steps = 100,
	                       .epoch = 4,
	                       .n_rows = 4,
	                       .sums = {0.1, 0.2, 1.0 / 3, 0, 5},
	                       .n_sums = 1,
	                       .best_iou = 0.1 + 0.7,
	                       .best_epoch = 3,
	                       .seconds = 12.25,
	                       .epoch_seconds = 0.5,
	                       .checksum = 0xfffffff1u};
	hy_progress q;
	assert_ok(hy_checkpoint_save(scratch_path("c.safetensors"), &m, &p, &err), &err);
	assert_ok(hy_checkpoint_load(scratch_path("c.safetensors"), &back, &q, &err), &err);
	assert_true(q.step == 41 && q.steps == 100 && q.epoch == 4 && q.n_rows == 4 && q.n_sums == 1 && q.best_epoch == 3);
	assert_true(q.best_iou == p.best_iou && q.seconds == p.seconds && q.epoch_seconds == p.epoch_seconds);
	assert_true(q.checksum == p.checksum);
	assert_memory_equal(q.sums, p.sums, sizeof p.sums);
	const hy_params *a = &m.network.params, *b = &back.network.params;
	assert_memory_equal(a->values, b->values, a->n_values * sizeof(float));
	assert_memory_equal(a->first_moment, b->first_moment, a->n_values * sizeof(float));
	assert_memory_equal(a->second_moment, b->second_moment, a->n_values * sizeof(float));
	assert_memory_equal(a->buffers, b->buffers, a->n_buffers * sizeof(float));
	assert_true(b->adam_steps == 41 && b->n_batches_tracked == 41);
	hy_model_clear(&m);
	hy_model_clear(&back);
}

static void damaged_states_are_refused(void **state)
{
	static const struct {
		const char *state, *part;
	} t[] = {
	    {"", "(it)"},
	    {"not json", "(it)"},
	    {"{}", "(step)"},
	    {"{\"step\": 1.5}", "(step)"},
	    {"{\"step\": -1}", "(step)"},
	    {"{\"step\":1,\"steps\":2,\"epoch\":0,\"rows\":0,\"steps_of_epoch\":1,\"best_epoch\":0,\"best_iou\":null}",
	     "(best_iou)"},
	    {"{\"step\":1,\"steps\":2,\"epoch\":0,\"rows\":0,\"steps_of_epoch\":1,\"best_epoch\":0,\"best_iou\":-1,\"seconds\":1,"
	     "\"epoch_seconds\":1,\"checksum\":4294967296}",
	     "(checksum)"},
	    {"{\"step\":1,\"steps\":2,\"epoch\":0,\"rows\":0,\"steps_of_epoch\":1,\"best_epoch\":0,\"best_iou\":-1,\"seconds\":1,"
	     "\"epoch_seconds\":1,\"checksum\":1,\"sums\":[1,2,3]}",
	     "(sums)"},
	    {"{\"step\":3,\"steps\":2,\"epoch\":0,\"rows\":0,\"steps_of_epoch\":1,\"best_epoch\":0,\"best_iou\":-1,\"seconds\":1,"
	     "\"epoch_seconds\":1,\"checksum\":1,\"sums\":[1,2,3,4,5,6,7,8]}",
	     "(step)"},
	};
	(void)state;
	hy_model m;
	make_model(&m, 2);
	for (size_t i = 0; i < sizeof t / sizeof *t; i++) {
		hardy_error err = {0};
		hy_progress p = {.step = 77};
		assert_ok(hy_model_save(&m, scratch_path("c.safetensors"), t[i].state, HY_REPLACE_ANY, &err), &err);
		assert_int_equal(hy_checkpoint_load(scratch_path("c.safetensors"), &m, &p, &err), HARDY_ERROR_FORMAT);
		if (!strstr(err.message, t[i].part))
			fail_msg("\"%s\" does not contain \"%s\"", err.message, t[i].part);
		assert_int_equal(p.step, 77);
	}
	hy_model_clear(&m);
}

static void other_files_are_refused(void **state)
{
	(void)state;
	hardy_error err = {0};
	hy_model m, other;
	hy_progress p = {.step = 77};
	make_model(&m, 2);
	make_model(&other, 4);
	assert_ok(hy_checkpoint_save(scratch_path("c.safetensors"), &other, &(hy_progress){.steps = 1}, &err), &err);
	assert_int_equal(hy_checkpoint_load(scratch_path("c.safetensors"), &m, &p, &err), HARDY_ERROR_DATA);
	assert_non_null(strstr(err.message, "1 channels and 4 classes, want 1 and 2"));
	/* a model without a training's state */
	assert_ok(hy_model_save(&m, scratch_path("c.safetensors"), NULL, HY_REPLACE_ANY, &err), &err);
	assert_int_equal(hy_checkpoint_load(scratch_path("c.safetensors"), &m, &p, &err), HARDY_ERROR_FORMAT);
	assert_int_equal(hy_checkpoint_load(scratch_path("absent"), &m, &p, &err), HARDY_ERROR_IO);
	assert_int_equal(p.step, 77);
	assert_int_equal(m.network.config.classes, 2);
	hy_model_clear(&m);
	hy_model_clear(&other);
}

/* For the card of what is trained from a model: whole, or an error. */
static void history_is_whole_or_an_error(void **state)
{
	(void)state;
	hardy_error err;
	hy_model m = {.card = (char *)"{\"recipe\":\"hardy\",\"subjects\":{\"train\":[\"p1\"]},\"started_from\":{\"data\":{}}}"};
	cJSON *history = NULL;
	int64_t n = 1;
	json_memory_counts(true);
	const int64_t live = hy_memory_live();
	for (int64_t k = 0; k <= n; k++) {
		const int64_t before = hy_memory_calls();
		hy_memory_fail_at(k);
		const hardy_status status = hy_start_history(&m, &history, &err);
		hy_memory_fail_at(0);
		assert_int_equal(status, k ? HARDY_ERROR_MEMORY : HARDY_OK);
		if (k) {
			assert_null(history);
			assert_int_equal(hy_memory_live(), live);
			continue;
		}
		n = hy_memory_calls() - before;
		char *text = hy_json_print(history, false);
		assert_string_equal(text, "{\"subjects\":{\"train\":[\"p1\"]},\"started_from\":{\"data\":{}}}");
		cJSON_free(text);
		cJSON_Delete(history);
	}
	assert_in_range(n, 12, 100);
	json_memory_counts(false);
	m.card = (char *)"{";
	assert_int_equal(hy_start_history(&m, &history, &err), HARDY_ERROR_FORMAT);
	m.card = NULL;
	assert_ok(hy_start_history(&m, &history, &err), &err);
	assert_null(history);
}

/* A state that finds no memory is no damaged state: whoever reads so starts anew. */
static void lack_of_memory_is_no_damage(void **state)
{
	(void)state;
	hardy_error err = {0};
	hy_model m;
	make_model(&m, 2);
	hy_progress p = {.steps = 1};
	json_memory_counts(true);
	assert_ok(hy_checkpoint_save(scratch_path("c.safetensors"), &m, &p, &err), &err);
	const int64_t before = hy_memory_calls(), live = hy_memory_live();
	assert_ok(hy_checkpoint_load(scratch_path("c.safetensors"), &m, &p, &err), &err);
	const int64_t n = hy_memory_calls() - before;
	for (int64_t k = 1; k <= n; k += k > 8 && n - k > 90 ? 301 : 1) { /* the state is read near the end */
		hy_memory_fail_at(k);
		const hardy_status status = hy_checkpoint_load(scratch_path("c.safetensors"), &m, &p, &err);
		hy_memory_fail_at(0);
		assert_int_equal(status, HARDY_ERROR_MEMORY);
		assert_int_equal(hy_memory_live(), live);
	}
	json_memory_counts(false);
	hy_model_clear(&m);
}

static int clean(void **state)
{
	(void)state;
	scratch_remove();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(what_is_saved_comes_back),    cmocka_unit_test(damaged_states_are_refused),
	    cmocka_unit_test(other_files_are_refused),     cmocka_unit_test(history_is_whole_or_an_error),
	    cmocka_unit_test(lack_of_memory_is_no_damage),
	};
	return cmocka_run_group_tests(tests, NULL, clean);
}
