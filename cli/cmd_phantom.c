/*
 * cmd_phantom.c: hardy phantom: the synthetic cine data set.
 */
#include "options.h"

#include <inttypes.h>
#include <stdio.h>

static int list_sites(void)
{
	const char *name, *about;
	for (size_t i = 0; hardy_phantom_site(i, &name, &about); i++)
		printf("%s  %s\n", name, about);
	return EXIT_DONE;
}

/* What is the program's own. */
typedef struct own {
	bool list_sites;
} own;

static const hardy_option own_rows[] = {
    {"list_sites", HARDY_OPTION_SWITCH, offsetof(own, list_sites), NULL, "Print the table of sites and stop.", .use = 0},
};

static const hardy_options own_table = {"phantom", own_rows, sizeof own_rows / sizeof *own_rows, sizeof(own), NULL};

static int run(const command *self, int argc, char **argv)
{
	hardy_phantom_options o;
	own w = {0};
	const option_set mine = {&own_table, &w};
	arguments a;
	int code = arguments_take(&a, self, &o, &mine, argc, argv, 0, 1);
	if (code < 0 && w.list_sites)
		code = list_sites();
	if (code < 0 && !a.n_rest)
		code = usage_error(self, "the folder to write is missing");
	if (code < 0) {
		const hardy_log log = terminal_log();
		hardy_error err = {0};
		const hardy_status status = hardy_phantom_make(a.rest[0], &o, &log, &err);
		code = status ? report_error(self, status, &err) : EXIT_DONE;
	}
	arguments_clear(&a);
	return code;
}

const command cmd_phantom = {
    .name = "phantom",
    .arguments = "DIR",
    .examples = {"hardy phantom DIR", "hardy phantom DIR --sites A,B --subjects 6", NULL},
    .summary = "write a synthetic short-axis cine data set with known volumes",
    .details = "Writes DIR/siteX/patientNNN in the layout of the ACDC challenge, with end-diastolic and end-systolic images "
               "and labels,\n"
               "DIR/truth.csv with the volumes of the continuous shapes, and DIR/phantom.json. DIR must be new or empty.",
    .run = run,
};
