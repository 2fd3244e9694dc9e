/*
 * cmd_stress.c: `hardy stress MODEL... DATA -o OUT`: a model on spoiled scans.
 */
#include "options.h"

static int run(const command *self, int argc, char **argv)
{
	hardy_stress_options o;
	hardy_stress_options_init(&o);
	const option table[] = {
	    {"--output", OPTION_STRING, &o.output, "OUT", "Folder for the tables.", 0, 0, NULL},
	    {"--sweep", OPTION_FLAG, &o.sweep, NULL,
	     "Also five levels of each artefact, of noise, blur, resolution, contrast and a shifted field of view.", 0, 0, NULL},
	    {"--copies", OPTION_INT, &o.copies, "N", "Draws of each artefact.", 1, 100, NULL},
	    {"--sweep-copies", OPTION_INT, &o.sweep_copies, "N", "Draws of each artefact and level.", 1, 100, NULL},
	    {"--seed", OPTION_INT, &o.seed, "N", "Seed of the draws.", 0, 9007199254740992.0, NULL},
	    {"--subjects", OPTION_STRING, &o.subjects, "FILE|NAME,...", "These subjects only; in a file one a line.", 0, 0, NULL},
	    {"--split", OPTION_STRING, &o.split, "NAME", "The subjects of this list of --splits only, e.g. test.", 0, 0, NULL},
	    {"--splits", OPTION_STRING, &o.splits, "FILE", "JSON file with lists of subjects.", 0, 0, NULL},
	    {"--fold", OPTION_INT, &o.fold, "N", "Of --splits that are a list of folds, as nnU-Net writes; from 0.", 0, 1e6, NULL},
	    {"--adapt", OPTION_FLAG, &o.adapt, NULL,
	     "Adapt batch-norm statistics to each scan: the model's own count as one more batch of its slices.", 0, 0, NULL},
	    {"--stn-iterations", OPTION_INT, &o.stn_iterations, "N", "Let the STN refine its own result until it has run N times.",
	     1, 20, NULL},
	    {"--tta", OPTION_STRING, &o.tta, "WHAT",
	     "Average over variants of each slice: mirrored (4 runs), of other contrast (3 runs), or both (12).", 0, 0,
	     "none|flips|intensity|both"},
	    {"--spacing", OPTION_SPACING, o.spacing_mm, "X,Y,Z", "Spacing in mm to believe instead of the files'.", 0, 0, NULL},
	    {"--labels", OPTION_STRING, &o.labels, "NAME=V,...", "What the data set's label values mean, where nothing says it.", 0,
	     0, NULL},
	    {"--threads", OPTION_INT, &o.threads, "N", "Threads to use; 0: one a core.", 0, 1024, NULL},
	    {"--batch", OPTION_INT, &o.batch, "N", "Slices a run; 0: chosen by the number of slices.", 0, 1024, NULL},
	    {"--overwrite", OPTION_FLAG, &o.overwrite, NULL, "Replace also files of these names that hardy stress did not write.",
	     0, 0, NULL},
	};
	const size_t n_table = sizeof table / sizeof *table;
	string_list rest = {0};
	int code = options_parse(self, table, n_table, argc, argv, 2, 1000, &rest);
	if (code < 0 && !o.output)
		code = usage_error(self, "no output; want -o FOLDER");
	if (code < 0) {
		const hardy_sink sink = stdout_sink();
		const hardy_log log = terminal_log();
		const hardy_stop stop = interrupt_stop();
		hardy_error err = {0};
		o.inputs = rest.items;
		o.n_inputs = rest.n;
		const hardy_status status = hardy_stress(&o, &sink, &log, &stop, &err);
		code = status ? report_error(self, status, &err) : EXIT_DONE;
	}
	options_clear(table, n_table, &rest);
	return code;
}

const command cmd_stress = {
    .name = "stress",
    .arguments = "MODEL... DATA -o OUT",
    .examples = {"hardy stress RUN scans -o STRESS", "hardy stress RUN scans --sweep --copies 1 -o STRESS", NULL},
    .summary = "a model on spoiled scans: the ACDC-C protocol, and curves by severity",
    .details =
        "Spoils every labelled scan of DATA in memory by bias field, ghosting, motion and spike as ACDC-C does, three draws\n"
        "each, and scores FTN and FTN+STN. Prints mean Dice and the share of failures beside it; writes OUT/cases.csv (a row\n"
        "a case, artefact, copy and network), OUT/stress.json and with --sweep OUT/sweep.csv. Several models are an ensemble.\n"
        "Ctrl-C writes the cases that are done and exits with 130. docs/ARTEFACTS.md explains all of it.",
    .run = run,
};
