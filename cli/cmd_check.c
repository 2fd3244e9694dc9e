/*
 * cmd_check.c: `hardy check DATA`: what is in a data set, what is wrong with it, and how to mend it.
 */
#include "options.h"

#include <stdlib.h>

static int run(const command *self, int argc, char **argv)
{
	hardy_check_options o;
	hardy_check_options_init(&o);
	hardy_train_options train;
	if (!hardy_train_options_init(&train, NULL, "standard", NULL)) { /* what training would take of hearts */
		o.size = train.size;
		o.grid_spacing_mm = train.spacing_mm;
		hardy_train_options_clear(&train);
	}
	const option table[] = {
	    {"--labels", OPTION_STRING, &o.labels, "NAME=V,...", "What label values mean, e.g. lv=3,myo=2; background=V drops one.",
	     0, 0, NULL},
	    {"--spacing", OPTION_SPACING, o.spacing_mm, "X,Y,Z", "Spacing in mm to believe instead of the files'.", 0, 0, NULL},
	    {"--size", OPTION_INT, &o.size, "N", "Side of the network's slices: labels outside of them are told; 0: not asked.", 0,
	     512, NULL},
	    {"--grid-spacing", OPTION_DOUBLE, &o.grid_spacing_mm, "MM", "In-plane spacing of these slices.", 0.05, 100, NULL},
	    {"--json", OPTION_FLAG, &o.json, NULL, "Report as one JSON object.", 0, 0, NULL},
	};
	const size_t n_table = sizeof table / sizeof *table;
	string_list rest = {0};
	int code = options_parse(self, table, n_table, argc, argv, 1, 1, &rest);
	if (code < 0) {
		const hardy_sink sink = stdout_sink();
		const hardy_log log = terminal_log();
		hardy_error err = {0};
		const hardy_stop stop = interrupt_stop();
		o.scratch = getenv("TMPDIR");
		o.stop = &stop;
		o.data = rest.items[0];
		o.verbose = options_verbose;
		const hardy_status status = hardy_check(&o, &sink, &log, &err);
		code = status ? report_error(self, status, &err) : EXIT_DONE;
	}
	options_clear(table, n_table, &rest);
	return code;
}

const command cmd_check = {
    .name = "check",
    .arguments = "DATA",
    .examples = {"hardy check scans", "hardy check scans --labels lv=3,myo=2,rv=1", NULL},
    .summary = "what is wrong with a data set, and how to mend it",
    .details = "Reads every scan and label of DATA and lists subjects, phases, shapes, spacing and label volumes, then\n"
               "everything wrong with its remedy. DATA is a folder as downloaded: ACDC, M&Ms, nnU-Net raw, images/ with\n"
               "labels/, or NAME.nii.gz with NAME_gt.nii.gz; or one of DICOM, which the program dcm2niix converts.\n"
               "Exits with 3 when some scans cannot be used.",
    .run = run,
};
