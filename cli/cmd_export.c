/*
 * cmd_export.c: `hardy export MODEL -o FILE.onnx`: a model for other programs.
 */
#include "options.h"

static int run(const command *self, int argc, char **argv)
{
	hardy_export_options o;
	arguments a;
	int code = arguments_take(&a, self, &o, NULL, argc, argv, 1, 1);
	if (code < 0 && !o.output)
		code = usage_error(self, "-o FILE is missing");
	if (code < 0) {
		hardy_error err = {0};
		o.model = a.rest[0];
		const hardy_status status = hardy_export(&o, &err);
		code = status ? report_error(self, status, &err) : EXIT_DONE;
	}
	arguments_clear(&a);
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
