/*
 * cmd_picture.c: `hardy picture TABLE -o FILE`: scans and the borders of their label maps side by side.
 */
#include "options.h"

static int run(const command *self, int argc, char **argv)
{
	const char *output = NULL;
	bool overwrite = false;
	const option table[] = {
	    {"--output", OPTION_STRING, &output, "FILE", "The PNG to write.", 0, 0, NULL},
	    {"--overwrite", OPTION_FLAG, &overwrite, NULL, "Replace also a file that hardy did not draw.", 0, 0, NULL},
	};
	const size_t n_table = sizeof table / sizeof *table;
	string_list rest = {0};
	int code = options_parse(self, table, n_table, argc, argv, 1, 1, &rest);
	if (code < 0 && !output)
		code = usage_error(self, "-o FILE is missing");
	if (code < 0) {
		const hardy_log log = terminal_log();
		hardy_error err = {0};
		code = report_error(self, hardy_picture(rest.items[0], output, overwrite, &log, &err), &err);
	}
	options_clear(table, n_table, &rest);
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
