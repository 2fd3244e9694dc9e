/*
 * cmd_picture.c: `hardy picture TABLE -o FILE`: scans and the borders of their label maps side by side.
 */
#include "options.h"

typedef struct own {
	const char *output;
	bool overwrite;
} own;

static const hardy_option own_rows[] = {
    {"output", HARDY_OPTION_TEXT, offsetof(own, output), "FILE", "The PNG to write.", .use = 0},
    {"overwrite", HARDY_OPTION_SWITCH, offsetof(own, overwrite), NULL, "Replace also a file that hardy did not draw.",
     .use = 0},
};

static const hardy_options own_table = {"picture", own_rows, sizeof own_rows / sizeof *own_rows, sizeof(own), NULL};

static int run(const command *self, int argc, char **argv)
{
	own w = {0};
	const option_set mine = {&own_table, &w};
	arguments a;
	int code = arguments_take(&a, self, NULL, &mine, argc, argv, 1, 1);
	if (code < 0 && !w.output)
		code = usage_error(self, "-o FILE is missing");
	if (code < 0) {
		const hardy_log log = terminal_log();
		hardy_error err = {0};
		code = report_error(self, hardy_picture(a.rest[0], w.output, w.overwrite, &log, &err), &err);
	}
	arguments_clear(&a);
	return code;
}

const command cmd_picture = {
    .name = "picture",
    .arguments = "TABLE",
    .examples = {"hardy picture table.csv -o picture.png", NULL},
    .summary = "scans with the borders of their label maps, side by side, as PNG",
    .details = "TABLE is a CSV file without quotes. Its first row holds titles. In each further row the first column is a\n"
               "caption, the second a scan, every other a label map of that scan, the reference first. Shown is the slice\n"
               "in which the maps differ most from the reference, cut to the labels' surroundings.",
    .run = run,
};
