/*
 * cmd_evaluate.c: `hardy evaluate PRED REF`: Dice, surface distances, volumes and heart function.
 */
#include "options.h"

#include <stdio.h>
#include <string.h>

/* Where results go besides the table. */
typedef struct outputs {
	const char *csv, *heart_csv, *json;
	bool overwrite;
} outputs;

static const hardy_option own_rows[] = {
    {"csv", HARDY_OPTION_TEXT, offsetof(outputs, csv), "FILE", "Write a row a case and class.", .use = 0},
    {"heart_csv", HARDY_OPTION_TEXT, offsetof(outputs, heart_csv), "FILE",
     "Write a row a subject: volumes, ejection fraction, mass.", .use = 0},
    {"json", HARDY_OPTION_TEXT, offsetof(outputs, json), "FILE",
     "Write everything; - for standard output, instead of the table.", .use = 0},
    {"overwrite", HARDY_OPTION_SWITCH, offsetof(outputs, overwrite), NULL,
     "Replace also files that hardy evaluate did not write.", .use = 0},
};

static const hardy_options own_table = {"evaluate", own_rows, sizeof own_rows / sizeof *own_rows, sizeof(outputs), NULL};

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

static int evaluate(const command *self, hardy_evaluate_options *o, const outputs *out)
{
	const hardy_log log = terminal_log();
	const hardy_stop stop = interrupt_stop();
	hardy_evaluation e = {0};
	hardy_error err = {0}, write_err = {0};
	if (o->part && (out->csv || out->heart_csv || out->json))
		return usage_error(self,
		                   "a part of the cases makes no table; want one of all, without --part, when all parts are done");
	hardy_status status = check_outputs(out, &err);
	if (status)
		return report_error(self, status, &err);
	o->stop = &stop;
	status = hardy_evaluate(o, &e, &log, &err);
	if (!o->part && (status == HARDY_OK || status == HARDY_ERROR_PARTIAL || status == HARDY_ERROR_THRESHOLD)) {
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
	const option_set mine = {&own_table, &out};
	arguments a;
	int code = arguments_take(&a, self, &o, &mine, argc, argv, 2, 2);
	if (code < 0) {
		o.prediction = a.rest[0];
		o.reference = a.rest[1];
		code = evaluate(self, &o, &out);
	}
	arguments_clear(&a);
	return code;
}

const command cmd_evaluate = {
    .name = "evaluate",
    .arguments = "PRED REF",
    .examples = {"hardy evaluate LABELS scans --json scores.json", "hardy evaluate LABELS scans --keep SCORES --part 3/100",
                 NULL},
    .summary = "Dice, HD95, ASSD, NSD, volumes and heart function of predictions",
    .details =
        "PRED is a label map or a folder of them. REF is a label map, a folder of label maps, or a labelled data set of\n"
        "any layout. A prediction is named like its case: SUBJECT_PHASE.nii.gz, or like the case's image or label file.\n"
        "What its values mean is read from the labels.json that hardy predict wrote beside it; without one they are the\n"
        "reference's own values.\n"
        "\n"
        "Distances are in mm between surface voxels (6 neighbours), with the reference's spacing. A class that only one\n"
        "side has: Dice and NSD 0, distances undefined. One that neither has: undefined (see --empty). Undefined values\n"
        "are left out of means and counted; they are empty in CSV and null in JSON. With --labelled-slices a class that\n"
        "the reference lacks in the whole case is not scored there. The mean is that of the classes' means.\n"
        "Exits with 3 when a case lacks its counterpart or cannot be scored, with 4 below --threshold-dice.\n"
        "\n"
        "Of very many cases, --keep FOLDER --part K/N scores every N-th one and keeps the scores; when all parts are done,\n"
        "--keep FOLDER alone makes the tables of all.",
    .run = run,
};
