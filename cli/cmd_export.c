/*
 * cmd_export.c: `hardy export MODEL -o FILE.onnx`: a model for other programs.
 */
#include "options.h"

static int run(const command *self, int argc, char **argv)
{
	hardy_export_options o;
	hardy_export_options_init(&o);
	const option table[] = {
	    {"--output", OPTION_STRING, &o.output, "FILE", "The file to write, whose name ends in .onnx.", 0, 0, NULL},
	    {"--network", OPTION_STRING, &o.network, "NAME",
	     "ftn: the fast network alone; stn: FTN+STN. Without it: as the model predicts.", 0, 0, "ftn|stn"},
	    {"--overwrite", OPTION_FLAG, &o.overwrite, NULL, "Replace also a file that hardy did not write.", 0, 0, NULL},
	};
	const size_t n_table = sizeof table / sizeof *table;
	string_list rest = {0};
	int code = options_parse(self, table, n_table, argc, argv, 1, 1, &rest);
	if (code < 0 && !o.output)
		code = usage_error(self, "-o FILE is missing");
	if (code < 0) {
		hardy_error err = {0};
		o.model = rest.items[0];
		const hardy_status status = hardy_export(&o, &err);
		code = status ? report_error(self, status, &err) : EXIT_DONE;
	}
	options_clear(table, n_table, &rest);
	return code;
}

const command cmd_export = {
    .name = "export",
    .arguments = "MODEL",
    .examples = {"hardy export RUN -o model.onnx", "hardy export RUN --network stn -o model.onnx", NULL},
    .summary = "a model as an ONNX file, for ONNX Runtime and others",
    .details =
        "MODEL is a .safetensors file or the folder of a training. The file holds the network for any number of slices of\n"
        "any size, and as metadata what prediction needs to know: plan, classes, channels. docs/ONNX.md has the lines of\n"
        "Python that go before and behind it.",
    .run = run,
};
