/*
 * forecast.c: what is said of predicted Dice where there is truth.
 */
#include "predict/forecast.h"

#include "base/memory.h"
#include "support/test.h"

#include <math.h>
#include <string.h>

static void numbers_and_line(void **state)
{
	(void)state;
	hardy_error err;
	hardy_forecast f;
	char text[256];
	const hy_foretold items[] = {
	    {"b", 0.9, 0.8, 0.85}, {"a", 0.6, 0.4, 0.5}, {"b", 0.8, 0.75, 0.72}, {"a", NAN, NAN, 0.2},
	    {"c", 0.7, 0.5, 0.3},  {"c", 0.5, 0.4, NAN}, {"a", 0.65, 0.6, 0.75}, {"d", 0.3, 0.1, 0.1},
	};
	assert_ok(hy_forecast_judge(&f, items, 8, &err), &err);
	assert_int_equal(f.n, 6);
	assert_int_equal(f.n_subjects, 4);
	assert_int_equal(f.n_below, 3);
	assert_true(fabs(f.error - (0.05 + 0.1 + 0.08 + 0.4 + 0.1 + 0.2) / 6) < 1e-12);
	assert_true(fabs(f.below_low - 2. / 6) < 1e-12); /* 0.72 < 0.75 and 0.3 < 0.5 */
	/* poor ones at .6 .7 .3, good ones at .9 .8 .65: only .7 against .65 is wrong */
	assert_true(fabs(f.auc - 8. / 9) < 1e-12);
	assert_true(f.auc_low <= f.auc && f.auc_high >= f.auc && f.auc_high <= 1);
	hy_forecast_print(&f, text, sizeof text);
	assert_non_null(strstr(text, "predicted Dice of 6 scans, 3 of them below 0.7: area under the curve 0.889 ("));
	assert_non_null(strstr(text, "mean absolute error 0.155, 33.3 % below the bound"));
}

static void nothing_was_predicted(void **state)
{
	(void)state;
	hardy_error err;
	hardy_forecast f;
	char text[16] = "x";
	const hy_foretold item = {"a", NAN, NAN, 0.5};
	assert_ok(hy_forecast_judge(&f, &item, 1, &err), &err);
	assert_int_equal(f.n, 0);
	assert_true(isnan(f.auc) && isnan(f.error));
	hy_forecast_print(&f, text, sizeof text);
	assert_int_equal(text[0], 0);
	assert_ok(hy_forecast_judge(&f, NULL, 0, &err), &err);
}

static void memory_runs_out(void **state)
{
	(void)state;
	const hy_foretold items[2] = {{"a", 0.5, 0.4, 0.4}, {"b", 0.8, 0.7, 0.9}};
	for (int k = 1; k <= 8; k++) {
		hardy_error err = {0};
		hardy_forecast f = {.n = 99};
		hy_memory_fail_at(k);
		assert_int_equal(hy_forecast_judge(&f, items, 2, &err), HARDY_ERROR_MEMORY);
		hy_memory_fail_at(0);
		assert_int_equal(f.n, 99);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(numbers_and_line),
	    cmocka_unit_test(nothing_was_predicted),
	    cmocka_unit_test(memory_runs_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
