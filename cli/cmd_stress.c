/*
 * cmd_stress.c: `hardy stress MODEL... DATA -o OUT`: a model on spoiled scans.
 */
#include "options.h"

static int run(const command *self, int argc, char **argv)
{
	hardy_stress_options o;
	arguments a;
	int code = arguments_take(&a, self, &o, NULL, argc, argv, 2, 1000);
	if (code < 0 && !o.output)
		code = usage_error(self, "no output; want -o FOLDER");
	if (code < 0) {
		const hardy_sink sink = stdout_sink();
		const hardy_log log = terminal_log();
		const hardy_stop stop = interrupt_stop();
		hardy_error err = {0};
		o.inputs = a.rest;
		o.n_inputs = a.n_rest;
		const hardy_status status = hardy_stress(&o, &sink, &log, &stop, &err);
		code = status ? report_error(self, status, &err) : EXIT_DONE;
	}
	arguments_clear(&a);
	return code;
}

const command cmd_stress = {
    .name = "stress",
    .arguments = "MODEL... DATA -o OUT",
    .examples = {"hardy stress RUN scans -o STRESS", "hardy stress RUN scans --sweep --copies 1 -o STRESS", NULL},
    .summary = "a model on spoiled scans: the ACDC-C protocol, and curves by severity",
    .details =
        "Spoils every labelled scan of DATA in memory by bias field, ghosting, motion and spike as ACDC-C does, three draws\n"
        "each, and scores the model; of the study's models the fast network alone (FTN) and with its shapes corrected by the\n"
        "slow one (FTN+STN). Prints mean Dice and the share of failures beside it; writes OUT/cases.csv (a row a case,\n"
        "artefact, copy and network), OUT/stress.json and with --sweep OUT/sweep.csv. Several models are an ensemble. Ctrl-C\n"
        "writes the cases that are done and exits with 130. docs/ARTEFACTS.md explains all of it.",
    .run = run,
};
