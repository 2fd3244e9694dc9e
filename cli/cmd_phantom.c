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

static int run(const command *self, int argc, char **argv)
{
	hardy_phantom_options o;
	hardy_phantom_options_init(&o);
	int64_t seed = (int64_t)o.seed;
	bool list = false;
	const option table[] = {
	    {"--sites", OPTION_STRING, &o.sites, "N|NAMES", "How many sites, from the first, or their names, such as A,C.", 0, 0,
	     NULL},
	    {"--subjects", OPTION_INT, &o.subjects, "N", "Subjects at each site; the groups DCM, HCM, MINF, NOR and RV take turns.",
	     1, 99, NULL},
	    {"--seed", OPTION_INT, &seed, "S", "Same seed, same files.", 0, (double)INT32_MAX, NULL},
	    {"--size", OPTION_INT, &o.size, "N", "Pixels of an image's side, 64 to 512; 0 takes the site's own.", 0, 512, NULL},
	    {"--frames", OPTION_INT, &o.frames, "N", "Frames of the cine to write as well, 4 to 60; 0 writes ED and ES only.", 0,
	     60, NULL},
	    {"--threads", OPTION_INT, &o.threads, "N", "Threads; 0 takes all. The files do not depend on it.", 0, 1024, NULL},
	    {"--list-sites", OPTION_FLAG, &list, NULL, "Print the table of sites and stop.", 0, 0, NULL},
	};
	enum { N_OPTIONS = sizeof table / sizeof *table };
	string_list rest = {0};
	int code = options_parse(self, table, N_OPTIONS, argc, argv, 0, 1, &rest);
	if (code >= 0)
		goto out;
	if (list) {
		code = list_sites();
		goto out;
	}
	if (rest.n != 1) {
		code = usage_error(self, "the folder to write is missing");
		goto out;
	}
	o.seed = (uint64_t)seed;
	const hardy_log log = terminal_log();
	hardy_error err = {0};
	const hardy_status status = hardy_phantom_make(rest.items[0], &o, &log, &err);
	code = status ? report_error(self, status, &err) : EXIT_DONE;
out:
	options_clear(table, N_OPTIONS, &rest);
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
