/*
 * cmd_inspect.c: `hardy inspect FILE|DIR`: what a scan, model or run is.
 */
#include "options.h"

#include <stdio.h>

typedef struct own {
	bool json, verify;
} own;

static const hardy_option own_rows[] = {
    {"json", HARDY_OPTION_SWITCH, offsetof(own, json), NULL, "Report as one JSON object.", .use = 0},
    {"verify", HARDY_OPTION_SWITCH, offsetof(own, verify), NULL,
     "Only check a model's tensors against the SHA-256 in its metadata.", .use = 0},
};

static const hardy_options own_table = {"inspect", own_rows, sizeof own_rows / sizeof *own_rows, sizeof(own), NULL};

static int run(const command *self, int argc, char **argv)
{
	own w = {0};
	const option_set mine = {&own_table, &w};
	arguments a;
	int code = arguments_take(&a, self, NULL, &mine, argc, argv, 1, 1);
	if (code < 0) {
		const hardy_sink sink = stdout_sink();
		hardy_error err = {0};
		const hardy_status status =
		    w.verify ? hardy_verify(a.rest[0], &sink, &err) : hardy_inspect(a.rest[0], w.json, &sink, &err);
		code = status ? report_error(self, status, &err) : EXIT_DONE;
	}
	arguments_clear(&a);
	return code;
}

const command cmd_inspect = {
    .name = "inspect",
    .arguments = "FILE|DIR",
    .examples = {"hardy inspect scan.nii.gz", "hardy inspect RUN", NULL},
    .summary = "what a scan, model or run is",
    .details =
        "A scan (.nii, .nii.gz, .hdr, .img): shape, spacing and which geometry is believed, datatype, range of values,\n"
        "voxels per value of a label map, and what is odd about its header. A model (.safetensors): parameters, metadata\n"
        "and tensors. The folder of a run: what its run.json says, its models and files.",
    .run = run,
};
