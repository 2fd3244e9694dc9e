/*
 * cmd_corrupt.c: `hardy corrupt SCAN... --artefact NAME -o OUT`: scans with artefacts, and the parameters beside them.
 */
#include "options.h"

static int run(const command *self, int argc, char **argv)
{
	hardy_corrupt_options o;
	arguments a;
	int code = arguments_take(&a, self, &o, NULL, argc, argv, 1, 1000000);
	if (code < 0 && !o.output)
		code = usage_error(self, "no output; want -o FOLDER, or -o FILE.nii.gz for one result");
	if (code < 0 && !o.n_artefacts && !o.parameters)
		code = usage_error(self, "no artefact; want --artefact NAME, which may be repeated");
	if (code < 0) {
		const hardy_log log = terminal_log();
		hardy_error err = {0};
		o.inputs = a.rest;
		o.n_inputs = a.n_rest;
		const hardy_status status = hardy_corrupt(&o, &log, &err);
		code = status ? report_error(self, status, &err) : EXIT_DONE;
	}
	arguments_clear(&a);
	return code;
}

const command cmd_corrupt = {
    .name = "corrupt",
    .arguments = "SCAN|FOLDER... --artefact NAME -o OUT",
    .examples = {"hardy corrupt scan.nii.gz --artefact ghosting -o OUT",
                 "hardy corrupt scans --artefact acdc-c --seed 1 -o OUT", NULL},
    .summary = "scans with artefacts: bias field, ghosting, motion, spike and more",
    .details =
        "Writes OUT/NAME_COPY/SCAN.nii.gz for each artefact NAME (of acdc-c: OUT/acdc-c_NAME_COPY/), as float32 in the scan's\n"
        "own grid and header, and beside it SCAN.json with the drawn parameters: `hardy corrupt SCAN --parameters SCAN.json`\n"
        "makes it again. Every frame of a 4-D scan has a draw of its own; in a data set scans are called SUBJECT_PHASE.\n"
        "docs/ARTEFACTS.md says what each artefact is. Exits with 3 when some scans failed.",
    .run = run,
};
