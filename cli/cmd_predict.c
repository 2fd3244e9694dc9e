/*
 * cmd_predict.c: `hardy predict MODEL... SCAN... -o OUT`: label maps in the scans' own grids, and how far to trust them.
 */
#include "options.h"

#include <stdio.h>

/* The page of what was predicted; of a file's folder there is none. */
static int write_page(const command *self, const hardy_predict_options *o, int code)
{
	const hardy_log log = terminal_log();
	hardy_report_options page;
	hardy_error err = {0};
	hardy_report_options_init(&page);
	page.overwrite = o->overwrite;
	const hardy_status status = hardy_report(o->output, &page, &log, &err);
	if (status)
		return report_error(self, status, &err);
	printf("%s/report.html\n", o->output);
	return code;
}

static int run(const command *self, int argc, char **argv)
{
	hardy_predict_options o;
	bool page = false;
	hardy_predict_options_init(&o);
	const option table[] = {
	    {"--output", OPTION_STRING, &o.output, "OUT", "Folder for the label maps, or for one scan a file NAME.nii.gz.", 0, 0,
	     NULL},
	    {"--network", OPTION_STRING, &o.network, "NAME",
	     "Whose label map: ftn, the fast network alone, or stn, with the shape corrected; of a model that has both. Without "
	     "it, what was "
	     "best on the validation subjects, as for the two that follow.",
	     0, 0, "ftn|stn"},
	    {"--components", OPTION_STRING, &o.components, "WHICH",
	     "The largest 3-D component of each class alone (voxels that share a corner touch: 26-connectivity), or all.", 0, 0,
	     "all|largest"},
	    {"--tta", OPTION_STRING, &o.tta, "WHAT",
	     "Average over variants of each slice: mirrored (4 runs), of other contrast (3 runs), or both (12).", 0, 0,
	     "none|flips|intensity|both"},
	    {"--window", OPTION_STRING, &o.window, "WHICH",
	     "The network's field of view: moved onto structures that reach its edge, or always the slices' middle. Without it, "
	     "moved for all but the study's networks.",
	     0, 0, "follow|middle"},
	    {"--probabilities", OPTION_FLAG, &o.probabilities, NULL, "Write a probability map for each class.", 0, 0, NULL},
	    {"--uncertainty", OPTION_FLAG, &o.uncertainty, NULL,
	     "Write an entropy map (0 certain, 1 all classes alike); with --network ftn, measure every quality signal.", 0, 0,
	     NULL},
	    {"--class-numbers", OPTION_FLAG, &o.class_numbers, NULL,
	     "Write class numbers (hearts: LV 1, MYO 2, RV 3) instead of the label values of the training data.", 0, 0, NULL},
	    {"--report", OPTION_FLAG, &page, NULL, "Write OUT/report.html, too: every label map, the least trusted first.", 0, 0,
	     NULL},
	    {"--spacing", OPTION_SPACING, o.spacing_mm, "X,Y,Z", "Spacing in mm to believe instead of the files'.", 0, 0, NULL},
	    {"--labels", OPTION_STRING, &o.labels, "NAME=V,...", "What a data set's label values mean, where nothing says it.", 0,
	     0, NULL},
	    {"--subjects", OPTION_STRING, &o.subjects, "FILE|NAME,...", "Of data sets, these subjects only; in a file one a line.",
	     0, 0, NULL},
	    {"--split", OPTION_STRING, &o.split, "NAME", "Of data sets, the subjects of this list of --splits only, e.g. test.", 0,
	     0, NULL},
	    {"--splits", OPTION_STRING, &o.splits, "FILE", "JSON file with lists of subjects.", 0, 0, NULL},
	    {"--fold", OPTION_INT, &o.fold, "N", "Of --splits that are a list of folds, as nnU-Net writes; from 0.", 0, 1e6, NULL},
	    {"--adapt", OPTION_FLAG, &o.adapt, NULL,
	     "Adapt batch-norm statistics to each scan: the model's own count as one more batch of its slices.", 0, 0, NULL},
	    {"--stn-iterations", OPTION_INT, &o.stn_iterations, "N", "Let the STN refine its own result until it has run N times.",
	     1, 20, NULL},
	    {"--precision", OPTION_STRING, &o.precision, "NAME",
	     "Of activations and products in convolutions; bf16 needs a processor with AVX-512 BF16.", 0, 0, "f32|bf16"},
	    {"--warn-dice", OPTION_DOUBLE, &o.warn_dice, "DICE", "Warn when the predicted Dice is below this; 0: never.", 0, 1,
	     NULL},
	    {"--strict", OPTION_FLAG, &o.strict, NULL, "Exit with 4 when a scan has warnings in the quality table.", 0, 0, NULL},
	    {"--threads", OPTION_INT, &o.threads, "N", "Threads to use; 0: one a core.", 0, 1024, NULL},
	    {"--batch", OPTION_INT, &o.batch, "N", "Slices a run; 0: chosen by the number of slices.", 0, 1024, NULL},
	    {"--part", OPTION_STRING, &o.part, "K/N", "Every N-th scan from the K-th on, beside jobs that do the others.", 0, 0,
	     NULL},
	    {"--missing", OPTION_FLAG, &o.missing, NULL,
	     "Only scans without label map and row in OUT yet, whatever model made them: go on with work that was cut short.", 0, 0,
	     NULL},
	    {"--overwrite", OPTION_FLAG, &o.overwrite, NULL,
	     "Replace also what hardy predict did not write, or what was changed since; never a scan or label that is read.", 0, 0,
	     NULL},
	};
	const size_t n_table = sizeof table / sizeof *table;
	string_list rest = {0};
	int code = options_parse(self, table, n_table, argc, argv, 2, 1000000, &rest);
	if (code < 0 && !o.output)
		code = usage_error(self, "no output; want -o FOLDER, or -o FILE.nii.gz for one scan");
	if (code < 0) {
		const hardy_log log = terminal_log();
		hardy_error err = {0};
		o.inputs = rest.items;
		o.n_inputs = rest.n;
		const hardy_status status = hardy_predict(&o, &log, &err);
		code = status ? report_error(self, status, &err) : EXIT_DONE;
		if (page && (!status || status == HARDY_ERROR_PARTIAL || status == HARDY_ERROR_THRESHOLD))
			code = write_page(self, &o, code);
	}
	options_clear(table, n_table, &rest);
	return code;
}

const command cmd_predict = {
    .name = "predict",
    .arguments = "MODEL... SCAN|FOLDER... -o OUT",
    .examples = {"hardy predict RUN scans -o LABELS", "hardy predict RUN scan.nii.gz -o label.nii.gz --probabilities", NULL},
    .summary = "label maps of new scans in their own grids, and how far to trust them",
    .details =
        "MODEL is a .safetensors file, a run folder (the model that its run.json names) or one with model.safetensors; several "
        "are an ensemble\n"
        "(mean of their probabilities). The other arguments are NIfTI scans, folders of them, or data sets as downloaded.\n"
        "Every frame of a 4-D scan is predicted; NAME_0000.nii.gz, NAME_0001.nii.gz ... are the channels of one scan.\n"
        "\n"
        "Writes OUT/NAME.nii.gz for each scan (in a data set SUBJECT_PHASE.nii.gz) with the label values of the training\n"
        "data, OUT/labels.json that names them (labels.label for ITK-SNAP, labels.ctbl for 3D Slicer), and\n"
        "OUT/quality.csv with a row a scan:\n"
        "mean entropy in the foreground, disagreement of FTN and FTN+STN (1 - mean Dice), reconstruction error and its z\n"
        "score, volumes, and warnings when the scan is unlike the training scans. Exits with 3 when some scans failed.",
    .run = run,
};
