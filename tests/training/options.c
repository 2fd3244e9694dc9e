/*
 * options.c: presets, validity, and the way of options through run.json and back.
 */
#include "training/options.h"

#include "base/memory.h"
#include "support/test.h"

#include <math.h>
#include <string.h>

static hardy_train_options valid(const char *preset)
{
	hardy_train_options o;
	hardy_error err = {0};
	assert_ok(hardy_train_options_init(&o, preset, "standard", &err), &err);
	o.data = "data";
	o.output = "run";
	return o;
}

static void refuse(const hardy_train_options *o, const char *part)
{
	hardy_error err = {0};
	assert_int_equal(hy_options_check(o, &err), HARDY_ERROR_ARGUMENT);
	if (!strstr(err.message, part))
		fail_msg("\"%s\" does not contain \"%s\"", err.message, part);
}

static void fill_step(hy_step_options *step, const hardy_train_options *o)
{
	hy_recipe r;
	hardy_error err = {0};
	assert_ok(hy_recipe_read(o->recipe, &r, &err), &err);
	hy_recipe_options(step, &r, o);
}

static void paper_is_as_published(void **state)
{
	(void)state;
	const hardy_train_options o = valid("paper");
	assert_int_equal(o.size, 192);
	assert_true(o.spacing_mm == 1.36719 && o.percentile_low == 2 && o.percentile_high == 98);
	assert_true(o.batch == 20 && o.epochs == 600 && o.iterations == 0 && o.budget_s == 0);
	assert_true(o.learning_rate == 1e-4 && o.noise == 0.05);
	assert_string_equal(o.schedule, "constant");
	assert_string_equal(o.loss, "ce");
	assert_string_equal(o.augment, "published");
	assert_true(!o.minmax && !o.recalibrate && o.validate_every == 1);
	assert_true(o.threshold_low == 0 && o.threshold_high == 0.5 && !o.hard_masks && !o.only_x_hat && !o.separate);
	hy_step_options step;
	fill_step(&step, &o);
	assert_true(!step.cooperative && step.w_ce == 1 && step.w_dice == 0 && step.beta1 == 0.9 && step.beta2 == 0.999);
}

/* What docs/TRAINING.md says of them; runs of "short" count as runs of "quick" (docs/results). */
static void quick_and_short_are_one_training(void **state)
{
	(void)state;
	hardy_train_options o = valid("quick"), other = valid("short");
	assert_string_equal(valid(NULL).preset, "quick");
	assert_true(o.size == 96 && o.spacing_mm == 2 && o.batch == 10 && o.iterations == 600 && o.epochs == 0);
	assert_true(o.learning_rate == 4e-3 && o.minmax && !o.recalibrate && o.validate_every == 5);
	assert_string_equal(o.schedule, "one-cycle");
	assert_string_equal(o.loss, "ce+dice");
	assert_string_equal(o.augment, "no-elastic");
	other.preset = o.preset;
	cJSON *a = hy_options_to_json(&o, false), *b = hy_options_to_json(&other, false);
	assert_true(a && cJSON_Compare(a, b, true));
	cJSON_Delete(a);
	cJSON_Delete(b);
}

static void recipes_fill_the_step(void **state)
{
	(void)state;
	hardy_train_options o = valid(NULL);
	hy_step_options step;
	o.recipe = "cooperative";
	o.scheme_image = "channel";
	o.scheme_shape = "spatial";
	o.hard_masks = o.only_x_hat = o.separate = true;
	o.threshold_low = 0.25;
	o.threshold_high = 0.75;
	o.seed = 7;
	fill_step(&step, &o);
	assert_true(step.cooperative && !step.use_p_hat && step.separate && step.w_dice == 1 && step.seed == 7);
	assert_int_equal(step.mask_i.scheme, HY_SCHEME_CHANNEL);
	assert_int_equal(step.mask_s.scheme, HY_SCHEME_SPATIAL);
	assert_true(step.mask_i.hard && step.mask_s.hard && step.mask_s.p_low == 0.25 && step.mask_s.p_high == 0.75);
	o.scheme_image = "dropout";
	o.scheme_shape = "random";
	o.only_x_hat = false;
	fill_step(&step, &o);
	assert_true(step.use_p_hat && step.mask_i.scheme == HY_SCHEME_DROPOUT && step.mask_s.scheme == HY_SCHEME_RANDOM);
}

static void bad_options_are_named(void **state)
{
	(void)state;
	hardy_error err = {0};
	hardy_train_options o;
	assert_int_equal(hardy_train_options_init(&o, "slow", NULL, &err), HARDY_ERROR_ARGUMENT);
	assert_non_null(strstr(err.message, "preset is \"slow\", want quick, hour, short or paper"));
	assert_int_equal(hardy_train_options_init(&o, "quik", NULL, &err), HARDY_ERROR_ARGUMENT);
	assert_non_null(strstr(err.message, "preset is \"quik\" (did you mean quick?), want quick, hour, short or paper"));
#define REFUSE(assignment, part)                                                                                               \
	do {                                                                                                                       \
		o = valid(NULL);                                                                                                       \
		o.assignment;                                                                                                          \
		refuse(&o, part);                                                                                                      \
	} while (0)
	REFUSE(data = NULL, "data is missing");
	REFUSE(output = "", "output is missing");
	REFUSE(recipe = "x", "recipe is \"x\", want one of standard, cooperative");
	REFUSE(loss = "dice", "loss is \"dice\", want one of ce|ce+dice");
	REFUSE(schedule = "", "schedule is \"\"");
	REFUSE(scheme_image = "rand", "scheme_image is \"rand\"");
	REFUSE(seed = -1, "seed is -1, want 0 or more");
	REFUSE(size = -16, "size is -16, want 0 to 512");
	REFUSE(size = 8, "size is 8, want a multiple of 16");
	REFUSE(spacing_mm = 0.01, "spacing_mm is 0.01, want 0.05 to 100, or 0: from the data");
	REFUSE(mirror = -0.5, "want 0 or more, or -1: from the data");
	REFUSE(size = 100, "size is 100, want a multiple of 16");
	REFUSE(batch = 7, "batch is 7, want an even number");
	REFUSE(spacing_mm = -2, "spacing_mm is -2");
	REFUSE(spacing_mm = NAN, "spacing_mm is nan");
	REFUSE(learning_rate = 0, "learning_rate is 0");
	REFUSE(percentile_low = 98, "percentiles are 98 and 98");
	REFUSE(threshold_low = 0.6, "threshold range is 0.6 to 0.5");
	REFUSE(iterations = 0, "epochs, iterations and budget are all 0");
	REFUSE(validate_every = 0, "validate_every is 0");
	o = valid(NULL);
	o.resume = o.overwrite = true;
	refuse(&o, "exclude each other");
	o = valid(NULL);
	assert_ok(hy_options_check(&o, &err), &err);
}

static void json_keeps_every_option(void **state)
{
	(void)state;
	hardy_error err = {0};
	hardy_train_options o = valid("paper"), back = valid(NULL);
	bool longer = true;
	o.recipe = "cooperative";
	o.splits = "some/splits.json";
	o.data_terms = "all rights \"reserved\"";
	o.seed = 9007199254740992;
	o.learning_rate = 0.1 + 0.2; /* needs 17 digits */
	o.hard_masks = true;
	o.header_spacing_mm[2] = 7.5;
	cJSON *json = hy_options_to_json(&o, false);
	assert_non_null(json);
	char *text = cJSON_PrintUnformatted(json);
	cJSON_Delete(json);
	json = cJSON_Parse(text);
	cJSON_free(text);
	char *texts = NULL;
	assert_ok(hy_options_from_json(&back, json, "run.json", &texts, &err), &err);
	assert_ok(hy_options_compare(&o, &back, "run.json", &longer, &err), &err);
	assert_false(longer);
	assert_string_equal(back.data, "data");
	assert_string_equal(back.data_terms, o.data_terms);
	assert_null(back.labels);
	assert_true(back.learning_rate == o.learning_rate);
	hardy_texts_free(texts);

	cJSON_ReplaceItemInObject(json, "hard_masks", cJSON_CreateNumber(1));
	back = valid(NULL);
	assert_int_equal(hy_options_from_json(&back, json, "run.json", &texts, &err), HARDY_ERROR_FORMAT);
	assert_string_equal(err.message, "run.json: option \"hard_masks\" is of the wrong type");
	cJSON_DeleteItemFromObject(json, "hard_masks");
	assert_int_equal(hy_options_from_json(&back, json, "run.json", &texts, &err), HARDY_ERROR_FORMAT);
	assert_string_equal(err.message, "run.json: option \"hard_masks\" is missing");
	cJSON_Delete(json);
}

static void a_card_holds_no_paths(void **state)
{
	(void)state;
	hardy_train_options o = valid(NULL);
	o.splits = "/secret/splits.json";
	o.data = "/secret/data";
	cJSON *json = hy_options_to_json(&o, true);
	char *text = cJSON_PrintUnformatted(json);
	assert_null(strstr(text, "secret"));
	assert_null(strstr(text, "threads"));
	assert_non_null(strstr(text, "\"size\":96"));
	cJSON_free(text);
	cJSON_Delete(json);
}

static void only_some_options_may_change(void **state)
{
	(void)state;
	hardy_error err = {0};
	const hardy_train_options started = valid("paper");
	hardy_train_options o = started;
	bool longer = false;
	o.threads = 3;
	o.checkpoint_every_s = 1;
	o.data = "moved";
	assert_ok(hy_options_compare(&started, &o, "run.json", &longer, &err), &err);
	assert_false(longer);
	o.epochs = 700;
	assert_ok(hy_options_compare(&started, &o, "run.json", &longer, &err), &err);
	assert_true(longer);
	o.noise = 0.1;
	assert_int_equal(hy_options_compare(&started, &o, "run.json", &longer, &err), HARDY_ERROR_ARGUMENT);
	assert_string_equal(
	    err.message,
	    "run.json: the run was started with noise 0.05, now it is 0.1: leave the option out, or start another run");
}

/* Where a run lies, and whether it goes on, is no option of a recipe or an experiment. */
static void what_is_of_one_run_is_not_set(void **state)
{
	hardy_train_options o;
	hardy_error err = {0};
	assert_ok(hardy_train_options_init(&o, NULL, NULL, &err), &err);
	assert_ok(hy_options_set(&o, "batch", "8", &err), &err);
	assert_ok(hy_options_set(&o, "threshold_high", "0.25", &err), &err);
	assert_true(o.batch == 8 && o.threshold_high == 0.25);
	static const char *const names[][2] = {{"output", "x"}, {"resume", "on"}, {"overwrite", "on"}, {"brave", "1"}};
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		assert_int_equal(hy_options_set(&o, names[i][0], names[i][1], &err), HARDY_ERROR_ARGUMENT);
	assert_null(o.output);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(paper_is_as_published),        cmocka_unit_test(quick_and_short_are_one_training),
	    cmocka_unit_test(recipes_fill_the_step),        cmocka_unit_test(bad_options_are_named),
	    cmocka_unit_test(json_keeps_every_option),      cmocka_unit_test(a_card_holds_no_paths),
	    cmocka_unit_test(only_some_options_may_change), cmocka_unit_test(what_is_of_one_run_is_not_set),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
