/*
 * cmd_report.c: `hardy report DIR`: a training, an experiment, or a folder of predictions, as one HTML file.
 */
#include "options.h"

#include <stdio.h>
#include <stdlib.h>

static int run(const command *self, int argc, char **argv)
{
	hardy_report_options o;
	hardy_report_options_init(&o);
	const option table[] = {
	    {"--output", OPTION_STRING, &o.output, "FILE", "The HTML file to write; DIR/report.html without it.", 0, 0, NULL},
	    {"--figures", OPTION_STRING, &o.figures, "FOLDER", "Pictures by `hardy figures`; DIR/figures without it.", 0, 0, NULL},
	    {"--cases", OPTION_INT, &o.cases, "N",
	     "Cases of each test set in the viewer; of a training that many of the worst, middle and best; 0: none.", 0, 1000,
	     NULL},
	    {"--overwrite", OPTION_FLAG, &o.overwrite, NULL, "Replace also a file that hardy report did not write.", 0, 0, NULL},
	};
	const size_t n_table = sizeof table / sizeof *table;
	string_list rest = {0};
	int code = options_parse(self, table, n_table, argc, argv, 1, 1, &rest);
	if (code < 0) {
		const hardy_log log = terminal_log();
		hardy_error err = {0};
		o.scratch = getenv("TMPDIR");
		const hardy_status status = hardy_report(rest.items[0], &o, &log, &err);
		code = status ? report_error(self, status, &err) : EXIT_DONE;
		if (!status)
			printf("%s%s\n", o.output ? o.output : rest.items[0], o.output ? "" : "/report.html");
	}
	options_clear(table, n_table, &rest);
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
