/*
 * cmd_check.c: `hardy check DATA`: what is in a data set, what is wrong with it, and how to mend it.
 */
#include "options.h"

static int run(const command *self, int argc, char **argv)
{
	hardy_check_options o;
	arguments a;
	int code = arguments_take(&a, self, &o, NULL, argc, argv, 1, 1);
	if (code < 0) {
		const hardy_sink sink = stdout_sink();
		const hardy_log log = terminal_log();
		hardy_error err = {0};
		o.data = a.rest[0];
		o.verbose = options_verbose;
		const hardy_status status = hardy_check(&o, &sink, &log, &err);
		code = status ? report_error(self, status, &err) : EXIT_DONE;
	}
	arguments_clear(&a);
	return code;
}

const command cmd_check = {
    .name = "check",
    .arguments = "DATA",
    .examples = {"hardy check scans", "hardy check scans --labels lv=3,myo=2,rv=1", NULL},
    .summary = "what is wrong with a data set, and how to mend it",
    .details = "Reads every scan and label of DATA and lists subjects, phases, shapes, spacing and label volumes, then\n"
               "everything wrong with its remedy. DATA is a folder as downloaded: ACDC, M&Ms, nnU-Net raw, images/ with\n"
               "labels/, or NAME.nii.gz with NAME_gt.nii.gz. Exits with 3 when some scans cannot be used.",
    .run = run,
};
