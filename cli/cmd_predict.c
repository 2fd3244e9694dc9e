/*
 * cmd_predict.c: `hardy predict MODEL... SCAN... -o OUT`: label maps in the scans' own grids, and how far to trust them.
 */
#include "options.h"

#include <stdio.h>
#include <stdlib.h>

/* The page of what was predicted; of a file's folder there is none. */
static int write_page(const command *self, const hardy_predict_options *o, int code)
{
	const hardy_log log = terminal_log();
	hardy_report_options page;
	hardy_error err = {0};
	hardy_report_options_init(&page);
	page.overwrite = o->overwrite;
	page.scratch = o->scratch;
	const hardy_status status = hardy_report(o->output, &page, &log, &err);
	if (status)
		return report_error(self, status, &err);
	printf("%s/report.html\n", o->output);
	return code;
}

/* What is the program's own. */
typedef struct own {
	bool report;
} own;

static const hardy_option own_rows[] = {
    {"report", HARDY_OPTION_SWITCH, offsetof(own, report), NULL,
     "Write OUT/report.html, too: every label map, the least trusted first.", .use = 0},
};

static const hardy_options own_table = {"predict", own_rows, sizeof own_rows / sizeof *own_rows, sizeof(own), NULL};

static int run(const command *self, int argc, char **argv)
{
	hardy_predict_options o;
	own w = {0};
	const option_set mine = {&own_table, &w};
	arguments a;
	int code = arguments_take(&a, self, &o, &mine, argc, argv, 2, 1000000);
	if (code < 0 && !o.output)
		code = usage_error(self, "no output; want -o FOLDER, or -o FILE.nii.gz for one scan");
	if (code < 0) {
		const hardy_log log = terminal_log();
		hardy_error err = {0};
		const hardy_stop stop = interrupt_stop();
		o.scratch = getenv("TMPDIR");
		o.stop = &stop;
		o.inputs = a.rest;
		o.n_inputs = a.n_rest;
		const hardy_status status = hardy_predict(&o, &log, &err);
		code = status ? report_error(self, status, &err) : EXIT_DONE;
		if (w.report && (!status || status == HARDY_ERROR_PARTIAL || status == HARDY_ERROR_THRESHOLD))
			code = write_page(self, &o, code);
	}
	arguments_clear(&a);
	return code;
}

const command cmd_predict = {
    .name = "predict",
    .arguments = "MODEL... SCAN|FOLDER... -o OUT",
    .examples = {"hardy predict RUN scans -o LABELS", "hardy predict RUN scan.nii.gz -o label.nii.gz --probabilities", NULL},
    .summary = "label maps of new scans in their own grids, and how far to trust them",
    .details =
        "MODEL is a .safetensors file, a run folder (the model that its run.json names) or one with model.safetensors;\n"
        "several are an ensemble (mean of their probabilities). The other arguments are NIfTI scans, folders of them, data\n"
        "sets as downloaded, or folders of DICOM, which the program dcm2niix converts: one scan a series, a cine with its\n"
        "frames in order.\n"
        "Every frame of a 4-D scan is predicted; NAME_0000.nii.gz, NAME_0001.nii.gz ... are the channels of one scan.\n"
        "\n"
        "Writes OUT/NAME.nii.gz for each scan (in a data set SUBJECT_PHASE.nii.gz) with the label values of the training\n"
        "data, OUT/labels.json that names them (labels.label for ITK-SNAP, labels.ctbl for 3D Slicer), and\n"
        "OUT/quality.csv with a row a scan: predicted Dice and its lower bound, volumes, of hearts EDV, ESV and EF, warnings\n"
        "when the scan is unlike the training scans, and what these rest on: entropy in the foreground, disagreement of two\n"
        "opinions (of the study's models: of the fast network, FTN, and of what the slow one, STN, makes of it), error of the\n"
        "reconstruction. Exits with 3 when some scans failed.",
    .run = run,
};
