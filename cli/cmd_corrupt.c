/*
 * cmd_corrupt.c: `hardy corrupt SCAN... --artefact NAME -o OUT`: scans with artefacts, and the parameters beside them.
 */
#include "options.h"

static int run(const command *self, int argc, char **argv)
{
	hardy_corrupt_options o;
	hardy_corrupt_options_init(&o);
	string_list artefacts = {0};
	const option table[] = {
	    {"--output", OPTION_STRING, &o.output, "OUT", "Folder for the spoiled scans, or for one result a file NAME.nii.gz.", 0,
	     0, NULL},
	    {"--artefact", OPTION_STRINGS, &artefacts, "NAME",
	     "What to do to the scans: bias, ghosting, motion, spike, noise, blur, resolution, contrast; or acdc-c, the first four "
	     "as that protocol has them.",
	     0, 0, NULL},
	    {"--parameters", OPTION_STRING, &o.parameters, "FILE|JSON|NAME=V,...",
	     "Parameters instead of drawn ones; a file written by this command makes the same again.", 0, 0, NULL},
	    {"--seed", OPTION_INT, &o.seed, "N", "Seed of the draws.", 0, 9007199254740992.0, NULL},
	    {"--copies", OPTION_INT, &o.copies, "N", "Draws of each artefact.", 1, 1000, NULL},
	    {"--level", OPTION_INT, &o.level, "N", "Severity, 1 to 5; 0: drawn as in ACDC-C.", 0, 5, NULL},
	    {"--centre", OPTION_STRING, &o.centre, "WHICH",
	     "What motion rotates about: the origin of space, as TorchIO does, or the image's centre.", 0, 0, "origin|image"},
	    {"--spacing", OPTION_SPACING, o.spacing_mm, "X,Y,Z", "Spacing in mm to believe instead of the files'.", 0, 0, NULL},
	    {"--labels", OPTION_STRING, &o.labels, "NAME=V,...", "What a data set's label values mean, where nothing says it.", 0,
	     0, NULL},
	    {"--subjects", OPTION_STRING, &o.subjects, "FILE|NAME,...", "Of data sets, these subjects only; in a file one a line.",
	     0, 0, NULL},
	    {"--split", OPTION_STRING, &o.split, "NAME", "Of data sets, the subjects of this list of --splits only, e.g. test.", 0,
	     0, NULL},
	    {"--splits", OPTION_STRING, &o.splits, "FILE", "JSON file with lists of subjects.", 0, 0, NULL},
	    {"--fold", OPTION_INT, &o.fold, "N", "Of --splits that are a list of folds, as nnU-Net writes; from 0.", 0, 1e6, NULL},
	    {"--threads", OPTION_INT, &o.threads, "N", "Threads to use; 0: one a core.", 0, 1024, NULL},
	    {"--overwrite", OPTION_FLAG, &o.overwrite, NULL,
	     "Replace also what hardy corrupt did not write, or what was changed since; never a scan or label that is read.", 0, 0,
	     NULL},
	};
	const size_t n_table = sizeof table / sizeof *table;
	string_list rest = {0};
	int code = options_parse(self, table, n_table, argc, argv, 1, 1000000, &rest);
	if (code < 0 && !o.output)
		code = usage_error(self, "no output; want -o FOLDER, or -o FILE.nii.gz for one result");
	if (code < 0 && !artefacts.n && !o.parameters)
		code = usage_error(self, "no artefact; want --artefact NAME, which may be repeated");
	if (code < 0) {
		const hardy_log log = terminal_log();
		hardy_error err = {0};
		o.inputs = rest.items;
		o.n_inputs = rest.n;
		o.artefacts = artefacts.items;
		o.n_artefacts = artefacts.n;
		const hardy_status status = hardy_corrupt(&o, &log, &err);
		code = status ? report_error(self, status, &err) : EXIT_DONE;
	}
	options_clear(table, n_table, &rest);
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
