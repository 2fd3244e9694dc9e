/*
 * cmd_evaluate.c: `hardy evaluate PRED REF`: Dice, surface distances, volumes and heart function.
 */
#include "options.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Where results go besides the table. */
typedef struct outputs {
	const char *csv, *heart_csv, *json;
	bool overwrite;
} outputs;

static hardy_status write_outputs(const hardy_evaluation *e, const outputs *out, hardy_error *err)
{
	const hardy_sink sink = stdout_sink();
	bool json_only = out->json && strcmp(out->json, "-") == 0;
	hardy_status status = hardy_evaluation_write(e, json_only ? HARDY_EVALUATION_JSON : HARDY_EVALUATION_TEXT, &sink, err);
	if (status == HARDY_OK && out->json && !json_only)
		status = hardy_evaluation_save(e, HARDY_EVALUATION_JSON, out->json, out->overwrite, err);
	if (status == HARDY_OK && out->csv)
		status = hardy_evaluation_save(e, HARDY_EVALUATION_CSV, out->csv, out->overwrite, err);
	if (status == HARDY_OK && out->heart_csv)
		status = hardy_evaluation_save(e, HARDY_EVALUATION_CSV_HEART, out->heart_csv, out->overwrite, err);
	return status;
}

/* Known before the work. */
static hardy_status check_outputs(const outputs *out, hardy_error *err)
{
	const struct {
		hardy_evaluation_format format;
		const char *path;
	} files[] = {
	    {HARDY_EVALUATION_JSON, out->json}, {HARDY_EVALUATION_CSV, out->csv}, {HARDY_EVALUATION_CSV_HEART, out->heart_csv}};
	hardy_status status = HARDY_OK;
	for (int i = 0; i < 3 && !status; i++)
		if (files[i].path && strcmp(files[i].path, "-") != 0)
			status = hardy_evaluation_check(files[i].format, files[i].path, out->overwrite, err);
	return status;
}

static int evaluate(const command *self, const hardy_evaluate_options *o, const outputs *out)
{
	const hardy_log log = terminal_log();
	hardy_evaluation e = {0};
	hardy_error err = {0}, write_err = {0};
	hardy_status status = check_outputs(out, &err);
	if (status)
		return report_error(self, status, &err);
	status = hardy_evaluate(o, &e, &log, &err);
	if (status == HARDY_OK || status == HARDY_ERROR_PARTIAL || status == HARDY_ERROR_THRESHOLD) {
		hardy_status written = write_outputs(&e, out, &write_err);
		if (written != HARDY_OK) {
			status = written;
			err = write_err;
		}
	}
	int code = status == HARDY_OK ? EXIT_DONE : report_error(self, status, &err);
	hardy_evaluation_clear(&e);
	return code;
}

static int run(const command *self, int argc, char **argv)
{
	hardy_evaluate_options o;
	outputs out = {0};
	const char *empty = "undefined", *hd95 = "pooled", *assd = "pooled", *nsd = "voxels";
	hardy_evaluate_options_init(&o);
	const option table[] = {
	    {"--labels", OPTION_STRING, &o.labels, "NAME=V,...", "What the reference's values mean, e.g. lv=3,myo=2,rv=1.", 0, 0,
	     NULL},
	    {"--own-labels", OPTION_FLAG, &o.own_labels, NULL,
	     "Predictions hold the reference's own values, whatever the labels.json beside them says.", 0, 0, NULL},
	    {"--class-numbers", OPTION_FLAG, &o.class_numbers, NULL,
	     "Predictions hold the numbers of the classes (hearts: LV 1, MYO 2, RV 3).", 0, 0, NULL},
	    {"--with-training", OPTION_FLAG, &o.with_training, NULL,
	     "Score also subjects that the predicting model was trained on.", 0, 0, NULL},
	    {"--classes", OPTION_STRING, &o.classes, "NAME,...", "Score these classes only.", 0, 0, NULL},
	    {"--spacing", OPTION_SPACING, o.spacing_mm, "X,Y,Z", "Spacing in mm to believe instead of the reference's.", 0, 0,
	     NULL},
	    {"--tolerance", OPTION_DOUBLE, &o.tolerance_mm, "MM", "Tolerance of NSD.", 0, 1e6, NULL},
	    {"--empty", OPTION_STRING, &empty, "RULE", "Dice and NSD where prediction and reference both lack a class.", 0, 0,
	     "undefined|one|zero"},
	    {"--labelled-slices", OPTION_FLAG, &o.labelled_slices, NULL,
	     "Score only slices in which the reference has a label; Dice over all of them, distances in each one's plane, "
	     "averaged.",
	     0, 0, NULL},
	    {"--hd95", OPTION_STRING, &hd95, "FORM", "Percentile of both directions pooled (MedPy), or the larger of both (MONAI).",
	     0, 0, "pooled|directed"},
	    {"--assd", OPTION_STRING, &assd, "FORM", "Mean of both directions pooled (MedPy 0.5), or the mean of both means.", 0, 0,
	     "pooled|directed"},
	    {"--nsd", OPTION_STRING, &nsd, "FORM", "Surface voxels counted, or surface elements weighted by area.", 0, 0,
	     "voxels|surfels"},
	    {"--allow-missing", OPTION_FLAG, &o.allow_missing, NULL, "A case without its counterpart is listed, but no failure.", 0,
	     0, NULL},
	    {"--strict", OPTION_FLAG, &o.strict, NULL, "A case that cannot be used or scored fails everything.", 0, 0, NULL},
	    {"--quality", OPTION_STRING, &o.quality, "FILE",
	     "Quality table of the predictions: tell how well its predicted Dice agrees with the true one.", 0, 0, NULL},
	    {"--threshold-dice", OPTION_DOUBLE, &o.threshold_dice, "X", "Exit with 4 when the mean Dice is below.", 0, 1, NULL},
	    {"--csv", OPTION_STRING, &out.csv, "FILE", "Write a row a case and class.", 0, 0, NULL},
	    {"--heart-csv", OPTION_STRING, &out.heart_csv, "FILE", "Write a row a subject: volumes, ejection fraction, mass.", 0, 0,
	     NULL},
	    {"--json", OPTION_STRING, &out.json, "FILE", "Write everything; - for standard output, instead of the table.", 0, 0,
	     NULL},
	    {"--overwrite", OPTION_FLAG, &out.overwrite, NULL, "Replace also files that hardy evaluate did not write.", 0, 0, NULL},
	};
	const size_t n_table = sizeof(table) / sizeof(table[0]);
	string_list rest = {0};
	int code = options_parse(self, table, n_table, argc, argv, 2, 2, &rest);
	if (code < 0) {
		o.prediction = rest.items[0];
		o.reference = rest.items[1];
		o.empty = strcmp(empty, "one") == 0    ? HARDY_EMPTY_ONE
		          : strcmp(empty, "zero") == 0 ? HARDY_EMPTY_ZERO
		                                       : HARDY_EMPTY_UNDEFINED;
		o.hd95_directed = strcmp(hd95, "directed") == 0;
		o.assd_directed = strcmp(assd, "directed") == 0;
		o.nsd_surfels = strcmp(nsd, "surfels") == 0;
		code = evaluate(self, &o, &out);
	}
	options_clear(table, n_table, &rest);
	return code;
}

const command cmd_evaluate = {
    .name = "evaluate",
    .arguments = "PRED REF",
    .examples = {"hardy evaluate LABELS scans", "hardy evaluate LABELS scans --json scores.json", NULL},
    .summary = "Dice, HD95, ASSD, NSD, volumes and heart function of predictions",
    .details =
        "PRED is a label map or a folder of them. REF is a label map, a folder of label maps, or a labelled data set of\n"
        "any layout. A prediction is named like its case: SUBJECT_PHASE.nii.gz, or like the case's image or label file.\n"
        "Class numbers in predictions are LV 1, MYO 2, RV 3 (other data sets: in the order of their values), as hardy\n"
        "predict writes them.\n"
        "\n"
        "Distances are in mm between surface voxels (6 neighbours), with the reference's spacing. A class that only one\n"
        "side has: Dice and NSD 0, distances undefined. One that neither has: undefined (see --empty). Undefined values\n"
        "are left out of means and counted; they are empty in CSV and null in JSON. With --labelled-slices a class that\n"
        "the reference lacks in the whole case is not scored there. The mean is that of the classes' means.\n"
        "Exits with 3 when a case lacks its counterpart or cannot be scored, with 4 below --threshold-dice.",
    .run = run,
};
