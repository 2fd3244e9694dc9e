/*
 * cmd_inspect.c: `hardy inspect FILE|DIR`: what a scan, model or run is.
 */
#include "options.h"

#include <stdio.h>

static int run(const command *self, int argc, char **argv)
{
	bool json = false, verify = false;
	const option table[] = {
	    {"--json", OPTION_FLAG, &json, NULL, "Report as one JSON object.", 0, 0, NULL},
	    {"--verify", OPTION_FLAG, &verify, NULL, "Only check a model's tensors against the SHA-256 in its metadata.", 0, 0,
	     NULL},
	};
	const size_t n_table = sizeof table / sizeof *table;
	string_list rest = {0};
	int code = options_parse(self, table, n_table, argc, argv, 1, 1, &rest);
	if (code < 0) {
		const hardy_sink sink = stdout_sink();
		hardy_error err = {0};
		const hardy_status status =
		    verify ? hardy_verify(rest.items[0], &sink, &err) : hardy_inspect(rest.items[0], json, &sink, &err);
		code = status ? report_error(self, status, &err) : EXIT_DONE;
	}
	options_clear(table, n_table, &rest);
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
