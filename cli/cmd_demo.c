/*
 * cmd_demo.c: `hardy demo DIR`: the whole job on the built-in phantom.
 */
#include "options.h"

static int run(const command *self, int argc, char **argv)
{
	hardy_demo_options o;
	arguments a;
	int code = arguments_take(&a, self, &o, NULL, argc, argv, 1, 1);
	if (code < 0) {
		const hardy_sink sink = stdout_sink();
		const hardy_log log = terminal_log();
		const hardy_stop stop = interrupt_stop();
		hardy_error err = {0};
		const hardy_status status = hardy_demo(a.rest[0], &o, &sink, &log, &stop, &err);
		code = status ? report_error(self, status, &err) : EXIT_DONE;
	}
	arguments_clear(&a);
	return code;
}

const command cmd_demo = {
    .name = "demo",
    .arguments = "DIR",
    .examples = {"hardy demo DIR", "hardy demo DIR --sites 2", NULL},
    .summary = "the whole job on the built-in phantom, in minutes",
    .details =
        "Makes phantom data of several sites, trains on the first by three recipes (the study's standard and cooperative\n"
        "training, and hardy), scores all sites, prints the table and writes scores.csv, worst.png and report.html into\n"
        "DIR, which must not exist. FTN is the study's fast network, STN its slow one, which corrects shapes.",
    .run = run,
};
