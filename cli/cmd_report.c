/*
 * cmd_report.c: `hardy report DIR`: a training, an experiment, or a folder of predictions, as one HTML file.
 */
#include "options.h"

#include <stdio.h>

static int run(const command *self, int argc, char **argv)
{
	hardy_report_options o;
	arguments a;
	int code = arguments_take(&a, self, &o, NULL, argc, argv, 1, 1);
	if (code < 0) {
		const hardy_log log = terminal_log();
		hardy_error err = {0};
		const hardy_status status = hardy_report(a.rest[0], &o, &log, &err);
		code = status ? report_error(self, status, &err) : EXIT_DONE;
		if (!status)
			printf("%s%s\n", o.output ? o.output : a.rest[0], o.output ? "" : "/report.html");
	}
	arguments_clear(&a);
	return code;
}

const command cmd_report = {
    .name = "report",
    .arguments = "DIR",
    .examples = {"hardy report RUN", "hardy report LABELS -o labels.html", NULL},
    .summary = "a training, an experiment, or a folder of predictions, as one HTML file",
    .details =
        "DIR is the folder of `hardy train` (also with --folds): how good it became, on which scans, by which plan; of\n"
        "`hardy experiment`: which method is ahead, tables, plots and a viewer; or of `hardy predict`: every scan with its "
        "label\n"
        "map, the least trusted first. The file holds everything that it shows and needs no network: send it, or open it on\n"
        "a phone. docs/REPORT.md says what is in it.",
    .run = run,
};
