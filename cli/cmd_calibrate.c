/*
 * cmd_calibrate.c: `hardy calibrate MODEL DATA`: a predicted Dice for a model that lacks one.
 */
#include "options.h"

static int run(const command *self, int argc, char **argv)
{
	hardy_calibrate_options o;
	hardy_calibrate_options_init(&o);
	const option table[] = {
	    {"--output", OPTION_STRING, &o.output, "FILE", "Write the model there; without it, the model's own file is replaced.",
	     0, 0, NULL},
	    {"--subjects", OPTION_STRING, &o.subjects, "FILE|NAME,...", "These subjects only; in a file one a line.", 0, 0, NULL},
	    {"--split", OPTION_STRING, &o.split, "NAME", "The subjects of this list of --splits only, e.g. validation.", 0, 0,
	     NULL},
	    {"--splits", OPTION_STRING, &o.splits, "FILE", "JSON file with lists of subjects.", 0, 0, NULL},
	    {"--fold", OPTION_INT, &o.fold, "N", "Of --splits that are a list of folds, as nnU-Net writes; from 0.", 0, 1e6, NULL},
	    {"--spacing", OPTION_SPACING, o.spacing_mm, "X,Y,Z", "Spacing in mm to believe instead of the files'.", 0, 0, NULL},
	    {"--labels", OPTION_STRING, &o.labels, "NAME=V,...", "What the data set's label values mean, where nothing says it.", 0,
	     0, NULL},
	    {"--threads", OPTION_INT, &o.threads, "N", "Threads to use; 0: one a core.", 0, 1024, NULL},
	    {"--overwrite", OPTION_FLAG, &o.overwrite, NULL, "Replace what is at -o FILE.", 0, 0, NULL},
	};
	const size_t n_table = sizeof table / sizeof *table;
	string_list rest = {0};
	int code = options_parse(self, table, n_table, argc, argv, 2, 2, &rest);
	if (code < 0) {
		const hardy_sink sink = stdout_sink();
		const hardy_log log = terminal_log();
		const hardy_stop stop = interrupt_stop();
		hardy_error err = {0};
		o.model = rest.items[0];
		o.data = rest.items[1];
		const hardy_status status = hardy_calibrate(&o, &sink, &log, &stop, &err);
		code = status ? report_error(self, status, &err) : EXIT_DONE;
	}
	options_clear(table, n_table, &rest);
	return code;
}

const command cmd_calibrate = {
    .name = "calibrate",
    .arguments = "MODEL DATA",
    .examples = {"hardy calibrate RUN scans -o calibrated.safetensors",
                 "hardy calibrate RUN scans --splits splits.json --split validation", NULL},
    .summary = "a predicted Dice for a model, from labelled scans it was not trained on",
    .details =
        "Predicts labelled scans of DATA (at most 40) as they are and spoiled in memory, and fits what the model's own\n"
        "signals tell of the Dice. `hardy predict` then writes predicted_dice into the quality table. `hardy train` does\n"
        "this itself with its validation subjects. Subjects that the model was trained on are left out.\n"
        "docs/PREDICTION.md says how far to trust it.",
    .run = run,
};
