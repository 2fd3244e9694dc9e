/*
 * cmd_calibrate.c: `hardy calibrate MODEL DATA`: a predicted Dice for a model that lacks one.
 */
#include "options.h"

static int run(const command *self, int argc, char **argv)
{
	hardy_calibrate_options o;
	arguments a;
	int code = arguments_take(&a, self, &o, NULL, argc, argv, 2, 2);
	if (code < 0) {
		const hardy_sink sink = stdout_sink();
		const hardy_log log = terminal_log();
		const hardy_stop stop = interrupt_stop();
		hardy_error err = {0};
		o.model = a.rest[0];
		o.data = a.rest[1];
		const hardy_status status = hardy_calibrate(&o, &sink, &log, &stop, &err);
		code = status ? report_error(self, status, &err) : EXIT_DONE;
	}
	arguments_clear(&a);
	return code;
}

const command cmd_calibrate = {
    .name = "calibrate",
    .arguments = "MODEL DATA",
    .examples = {"hardy calibrate RUN scans -o calibrated.safetensors",
                 "hardy calibrate RUN scans --splits splits.json --split validation", NULL},
    .summary = "a predicted Dice for a model, from labelled scans it was not trained on",
    .details =
        "Predicts labelled scans of DATA (at most 40) as they are and spoiled in memory, and fits what the model's own\n"
        "signals tell of the Dice. `hardy predict` then writes predicted_dice into the quality table. `hardy train` does\n"
        "this itself with its validation subjects. Subjects that the model was trained on are left out.\n"
        "docs/PREDICTION.md says how far to trust it.",
    .run = run,
};
