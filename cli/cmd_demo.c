/*
 * cmd_demo.c: `hardy demo DIR`: the whole job on the built-in phantom.
 */
#include "options.h"

static int run(const command *self, int argc, char **argv)
{
	hardy_demo_options o;
	hardy_demo_options_init(&o);
	int64_t seed = 0;
	const option table[] = {
	    {"--seed", OPTION_INT, &seed, "N", "Seed of anatomy, split and training.", 0, 9007199254740992.0, NULL},
	    {"--sites", OPTION_STRING, &o.sites, "N|NAMES", "How many sites, or which; training is on the first.", 0, 0, NULL},
	    {"--subjects", OPTION_INT, &o.subjects, "N", "Subjects at each site.", 3, 99, NULL},
	    {"--train", OPTION_INT, &o.train, "N", "Of the first site's subjects, how many to train on.", 1, 97, NULL},
	    {"--size", OPTION_INT, &o.size, "N", "Height and width of the network's grid, a multiple of 16.", 16, 512, NULL},
	    {"--spacing", OPTION_DOUBLE, &o.spacing_mm, "MM", "In-plane spacing of that grid.", 0.05, 100, NULL},
	    {"--iterations", OPTION_INT, &o.iterations, "N", "Training steps of each recipe.", 1, 1e9, NULL},
	    {"--batch", OPTION_INT, &o.batch, "N", "Slices a step; even.", 2, 1024, NULL},
	    {"--threads", OPTION_INT, &o.threads, "N", "Threads; 0: as many as there are.", 0, 1024, NULL},
	};
	const size_t n_table = sizeof table / sizeof *table;
	string_list rest = {0};
	int code = options_parse(self, table, n_table, argc, argv, 1, 1, &rest);
	if (code < 0) {
		const hardy_sink sink = stdout_sink();
		const hardy_log log = terminal_log();
		const hardy_stop stop = interrupt_stop();
		hardy_error err = {0};
		o.seed = (uint64_t)seed;
		const hardy_status status = hardy_demo(rest.items[0], &o, &sink, &log, &stop, &err);
		code = status ? report_error(self, status, &err) : EXIT_DONE;
	}
	options_clear(table, n_table, &rest);
	return code;
}

const command cmd_demo = {
    .name = "demo",
    .arguments = "DIR",
    .examples = {"hardy demo DIR", "hardy demo DIR --sites 2", NULL},
    .summary = "the whole job on the built-in phantom, in minutes",
    .details = "Makes phantom data of several sites, trains the standard and the cooperative recipe on the first, scores all\n"
               "sites, prints the table and writes scores.csv and worst.png into DIR, which must not exist.",
    .run = run,
};
