/*
 * options.c: the tables of options by the names of their commands.
 */
#include "base/option.h"

#include <string.h>

static const hardy_options *const tables[] = {
    &hy_bench_table,    &hy_calibrate_table,  &hy_check_table,  &hy_corrupt_table, &hy_demo_table,
    &hy_evaluate_table, &hy_experiment_table, &hy_export_table, &hy_figures_table, &hy_phantom_table,
    &hy_predict_table,  &hy_report_table,     &hy_stress_table, &hy_train_table,
};

const hardy_options *hardy_options_of(const char *command)
{
	for (size_t i = 0; command && i < sizeof tables / sizeof *tables; i++)
		if (!strcmp(tables[i]->command, command))
			return tables[i];
	return NULL;
}
