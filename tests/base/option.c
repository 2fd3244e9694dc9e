/*
 * option.c: the tables of all commands: every default can be set and is in range, every row is told and kept as JSON as it is, names are found;
 * and the words of a command line that come of them.
 */
#include "base/option.h"
#include "dataset/survey.h"

#include "base/memory.h"
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const commands[] = {"bench",  "calibrate", "check",   "corrupt", "demo",   "evaluate", "experiment",
                                       "export", "figures",   "phantom", "predict", "report", "stress",   "train"};
enum { N_COMMANDS = sizeof commands / sizeof *commands };

static void every_default_is_as_its_row_says(void **state)
{
	for (size_t k = 0; k < N_COMMANDS; k++) {
		const hardy_options *t = hardy_options_of(commands[k]);
		hardy_error err = {0};
		assert_non_null(t);
		assert_string_equal(t->command, commands[k]);
		void *a = hy_calloc(1, t->size), *b = hy_calloc(1, t->size);
		hardy_options_default(t, a);
		for (size_t i = 0; i < t->n; i++) {
			const hardy_option *r = &t->rows[i];
			char text[256];
			if (r->usual && (r->type != HARDY_OPTION_REAL || !isnan(strtod(r->usual, NULL))))
				assert_ok(hardy_option_set(r, a, r->usual, &err), &err);
			hardy_option_text(r, a, text, sizeof text);
			if (*text)
				assert_ok(hardy_option_set(r, b, text, &err), &err);
			else if (r->type == HARDY_OPTION_REAL)
				memcpy((char *)b + r->offset, (char *)a + r->offset, sizeof(double)); /* NaN */
			if (!hy_option_equal(r, a, b))
				fail_msg("%s: %s: \"%s\" does not read back", commands[k], r->name, text);
			const bool given = r->type != HARDY_OPTION_TEXT || r->usual;
			if (given && hy_option_check(r, a, &err) && !(r->low > 0 && hy_option_number(r, a) == 0))
				fail_msg("%s: %s", commands[k], err.message);
			assert_ptr_equal(hardy_option_find(t, r->name), r); /* no name is there twice */
			if (r->word)
				assert_ptr_equal(hardy_option_find(t, r->word), r);
			assert_int_equal(strcspn(r->name, "- "), strlen(r->name));
			assert_true(r->offset < t->size);
			if (r->heading)
				assert_non_null(t->headings[r->heading]);
		}
		hy_free(a);
		hy_free(b);
	}
	assert_null(hardy_options_of("brave"));
	assert_null(hardy_options_of(NULL));
	assert_null(hardy_option_find(hardy_options_of("train"), "brave"));
}

static void numbers_choices_and_ranges_are_checked(void **state)
{
	const hardy_options *t = hardy_options_of("stress");
	hardy_stress_options o;
	hardy_error err = {0};
	hardy_stress_options_init(&o);
	assert_int_equal(o.copies, 3);
	assert_int_equal(o.fold, -1);
	assert_int_equal(hardy_option_set(hardy_option_find(t, "copies"), &o, "0", &err), HARDY_ERROR_ARGUMENT);
	assert_string_equal(err.message, "copies is 0, want 1 to 100");
	assert_int_equal(hardy_option_set(hardy_option_find(t, "tta"), &o, "sideways", &err), HARDY_ERROR_ARGUMENT);
	assert_string_equal(err.message, "tta is \"sideways\", want one of none|flips|intensity|both");
	assert_int_equal(hardy_option_set(hardy_option_find(t, "tta"), &o, "flip", &err), HARDY_ERROR_ARGUMENT);
	assert_string_equal(err.message, "tta is \"flip\" (did you mean flips?), want one of none|flips|intensity|both");
	assert_int_equal(hardy_option_set(hardy_option_find(t, "copied"), &o, "1", &err), HARDY_ERROR_ARGUMENT);
	assert_int_equal(hardy_option_set(hardy_option_find(t, "copies"), &o, NULL, &err), HARDY_ERROR_ARGUMENT);
	assert_int_equal(hardy_option_set(hardy_option_find(t, "inputs"), &o, "x", &err), HARDY_ERROR_ARGUMENT);
	assert_int_equal(o.copies, 3);
	o.copies = 101;
	assert_int_equal(hardy_options_check(t, &o, &err), HARDY_ERROR_ARGUMENT);
	assert_string_equal(err.message, "copies is 101, want 1 to 100");
	o.copies = 3;
	o.tta = "up";
	assert_int_equal(hardy_options_check(t, &o, &err), HARDY_ERROR_ARGUMENT);
	o.tta = NULL;
	o.spacing_mm[1] = NAN;
	assert_int_equal(hardy_options_check(t, &o, &err), HARDY_ERROR_ARGUMENT);
	o.spacing_mm[1] = 0;
	assert_ok(hardy_options_check(t, &o, &err), &err);
	const char *const two[] = {"a", "b"};
	assert_ok(hardy_option_set_texts(hardy_option_find(t, "inputs"), &o, two, 2, &err), &err);
	assert_ptr_equal(o.inputs, two);
	assert_int_equal(o.n_inputs, 2);
	assert_int_equal(hardy_option_set_texts(hardy_option_find(t, "copies"), &o, two, 2, &err), HARDY_ERROR_ARGUMENT);
	hardy_evaluate_options e;
	hardy_evaluate_options_init(&e);
	assert_true(isnan(e.threshold_dice));
	assert_ok(hardy_option_set(hardy_option_find(hardy_options_of("evaluate"), "empty"), &e, "zero", &err), &err);
	assert_int_equal(e.empty, HARDY_EMPTY_ZERO);
	assert_ok(hardy_option_set(hardy_option_find(hardy_options_of("evaluate"), "hd95"), &e, "directed", &err), &err);
	assert_true(e.hd95_directed);
	e.empty = (hardy_empty_rule)7;
	assert_int_equal(hardy_options_check(hardy_options_of("evaluate"), &e, &err), HARDY_ERROR_ARGUMENT);
}

/* What is asked of a data set by default is what the labels ask of training; what that begins with is the usual preset's grid. */
static void check_asks_for_the_slices_of_training(void **state)
{
	hardy_check_options c;
	hardy_train_options t;
	hardy_error err = {0};
	hardy_check_options_init(&c);
	assert_ok(hardy_train_options_init(&t, NULL, "standard", &err), &err);
	assert_int_equal(c.size, 0);
	assert_true(c.grid_spacing_mm == 0);
	assert_int_equal(t.size, HY_USUAL_SIZE);
	assert_true(t.spacing_mm == HY_USUAL_SPACING_MM);
}

static void json_holds_what_a_row_holds(void **state)
{
	const hardy_options *t = hardy_options_of("train");
	hardy_train_options o, back;
	hardy_error err = {0};
	char room[4096], *text = room;
	assert_ok(hardy_train_options_init(&o, "paper", "standard", &err), &err);
	o.header_spacing_mm[2] = 8;
	o.data = "d";
	cJSON *json = cJSON_CreateObject();
	for (size_t i = 0; i < t->n; i++)
		assert_true(hy_option_to_json(&t->rows[i], &o, json));
	char *printed = cJSON_PrintUnformatted(json);
	cJSON *read = cJSON_Parse(printed);
	assert_true(hy_json_number(read, "header_spacing_z_mm", 0) == 8);
	assert_true(hy_json_number(read, "percentile_high", 0) == 98);
	hardy_options_default(t, &back);
	for (size_t i = 0; i < t->n; i++) {
		assert_int_equal(hy_option_from_json(&t->rows[i], &back, read, &text), HY_OPTION_READ);
		assert_true(hy_option_equal(&t->rows[i], &o, &back));
	}
	cJSON_ReplaceItemInObjectCaseSensitive(read, "percentile_high", cJSON_CreateString("x"));
	cJSON_DeleteItemFromObjectCaseSensitive(read, "batch");
	assert_int_equal(hy_option_from_json(hardy_option_find(t, "percentiles"), &back, read, &text), HY_OPTION_WRONG);
	assert_int_equal(hy_option_from_json(hardy_option_find(t, "batch"), &back, read, &text), HY_OPTION_MISSING);
	assert_ok(hy_options_set_key(t, &back, "percentile_high", "95", &err), &err);
	assert_true(back.percentile_high == 95 && back.percentile_low == o.percentile_low);
	assert_int_equal(hy_options_set_key(t, &back, "percentile_high", "101", &err), HARDY_ERROR_ARGUMENT);
	assert_int_equal(hy_options_set_key(t, &back, "percentile_middle", "1", &err), HARDY_ERROR_ARGUMENT);
	hy_option_drop(hardy_option_find(t, "header_spacing"), read);
	assert_null(cJSON_GetObjectItem(read, "header_spacing_x_mm"));
	cJSON_free(printed);
	cJSON_Delete(json);
	cJSON_Delete(read);
}

static void add_word(void *to, const char *word, const char *value)
{
	char *line = to;
	const size_t used = strlen(line);
	snprintf(line + used, 512 - used, " %s%s%s", word, value ? "=" : "", value ? value : "");
}

static void words_say_what_differs(void **state)
{
	char line[512] = "";
	hardy_experiment_options o;
	hardy_experiment_options_init(&o);
	assert_true(hy_options_words(hardy_options_of("experiment"), &o, add_word, line));
	assert_string_equal(line, "");
	const char *const settings[] = {"iterations=3", "ema=0"};
	o.name = "latent-vs-image"; /* an argument */
	o.settings = settings;
	o.n_settings = 2;
	o.first_seed = 4;
	o.adapt = true;
	o.output = "x y";
	assert_true(hy_options_words(hardy_options_of("experiment"), &o, add_word, line));
	assert_string_equal(line, " output=x y first-seed=4 set=iterations=3 set=ema=0 adapt");
	line[0] = 0;
	hardy_train_options t;
	hardy_options_default(hardy_options_of("train"), &t);
	t.minmax = false;
	t.calibrate = false;
	t.budget_s = 5400;
	t.threshold_high = 0.25;
	assert_true(hy_options_words(hardy_options_of("train"), &t, add_word, line));
	assert_string_equal(line, " no-minmax budget=90m threshold-range=0,0.25 calibrate=off");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_default_is_as_its_row_says),
	    cmocka_unit_test(numbers_choices_and_ranges_are_checked),
	    cmocka_unit_test(check_asks_for_the_slices_of_training),
	    cmocka_unit_test(json_holds_what_a_row_holds),
	    cmocka_unit_test(words_say_what_differs),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
