/*
 * schedule.c: learning rates and betas against values of PyTorch 2's OneCycleLR(Adam, 1e-3, total_steps, pct_start=0.1).
 */
#include "training/schedule.h"

#include "support/test.h"

#include <math.h>

static const struct {
	int64_t total, step;
	double learning_rate, beta1;
} recorded[] = {
    {7, 0, 0.000994415435450912, 0.850558458688744},
    {7, 1, 0.000898566659346447, 0.860143374638854},
    {7, 3, 0.000462637102666975, 0.903736504679321},
    {7, 5, 6.08929697580324e-05, 0.943911078668511},
    {7, 6, 4e-09, 0.95},
    {11, 0, 4e-05, 0.95},
    {11, 1, 0.000979746567821302, 0.852025351319275},
    {11, 9, 2.49683412717628e-05, 0.947503555887047},
    {11, 10, 4e-09, 0.95},
    {600, 0, 4e-05, 0.95},
    {600, 1, 4.06803060751543e-05, 0.949929134783838},
    {600, 59, 0.001, 0.85},
    {600, 60, 0.000999991538462718, 0.850000846157113},
    {600, 300, 0.000583959610193605, 0.891604205397461},
    {600, 599, 4e-09, 0.95},
    {1500, 149, 0.001, 0.85},
    {1500, 500, 0.000842274183870132, 0.865772644703566},
    {1500, 1498, 5.35384917268587e-09, 0.949999864614541},
};

static void one_cycle_is_pytorchs(void **state)
{
	(void)state;
	for (size_t i = 0; i < sizeof recorded / sizeof *recorded; i++) {
		const hy_rate r = hy_schedule_at(HY_SCHEDULE_ONE_CYCLE, 1e-3, recorded[i].step, recorded[i].total);
		assert_true(fabs(r.learning_rate - recorded[i].learning_rate) <= 1e-12 * recorded[i].learning_rate + 1e-17);
		assert_true(fabs(r.beta1 - recorded[i].beta1) <= 1e-13);
	}
}

static void every_length_has_rates(void **state)
{
	(void)state;
	for (int64_t total = 1; total <= 30; total++) {
		for (int64_t step = 0; step < total; step++) {
			const hy_rate r = hy_schedule_at(HY_SCHEDULE_ONE_CYCLE, 1e-3, step, total);
			assert_true(r.learning_rate > 3.9e-9 && r.learning_rate <= 1e-3);
			assert_true(r.beta1 >= 0.85 - 1e-12 && r.beta1 <= 0.95 + 1e-12);
		}
	}
}

static void constant_is_constant(void **state)
{
	(void)state;
	for (int64_t step = 0; step < 100; step += 33) {
		const hy_rate r = hy_schedule_at(HY_SCHEDULE_CONSTANT, 1e-4, step, 100);
		assert_true(r.learning_rate == 1e-4 && r.beta1 == 0.9);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_cycle_is_pytorchs),
	    cmocka_unit_test(every_length_has_rates),
	    cmocka_unit_test(constant_is_constant),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
