/*
 * cmd_figures.c: `hardy figures MODEL DATA -o DIR`: pictures of what makes examples hard.
 */
#include "options.h"

#include <stdio.h>

static int run(const command *self, int argc, char **argv)
{
	hardy_figures_options o;
	hardy_figures_options_init(&o);
	const option table[] = {
	    {"--output", OPTION_STRING, &o.output, "DIR", "Folder for the pictures.", 0, 0, NULL},
	    {"--case", OPTION_STRING, &o.scan, "SUBJECT_PHASE", "The scan to show; the first labelled one without it.", 0, 0, NULL},
	    {"--seed", OPTION_INT, &o.seed, "N", "Seed of masks and draws.", 0, 9007199254740992.0, NULL},
	    {"--labels", OPTION_STRING, &o.labels, "NAME=V,...", "What the data set's label values mean, where nothing says it.", 0,
	     0, NULL},
	    {"--overwrite", OPTION_FLAG, &o.overwrite, NULL, "Replace also files of these names that hardy figures did not write.",
	     0, 0, NULL},
	};
	const size_t n_table = sizeof table / sizeof *table;
	string_list rest = {0};
	int code = options_parse(self, table, n_table, argc, argv, 2, 2, &rest);
	if (code < 0 && !o.output)
		code = usage_error(self, "no output; want -o DIR");
	if (code < 0) {
		const hardy_log log = terminal_log();
		hardy_error err = {0};
		o.model = rest.items[0];
		o.data = rest.items[1];
		const hardy_status status = hardy_figures(&o, &log, &err);
		code = status ? report_error(self, status, &err) : EXIT_DONE;
		if (!status)
			printf("%s/figures.json\n", o.output);
	}
	options_clear(table, n_table, &rest);
	return code;
}

const command cmd_figures = {
    .name = "figures",
    .arguments = "MODEL DATA -o DIR",
    .examples = {"hardy figures RUN scans -o FIGURES", NULL},
    .summary = "pictures of hard examples: latent masks, augmentations, artefacts",
    .details =
        "Shows one slice of a labelled scan as training makes it hard: fig2.png has segmentations corrupted by latent masks, "
        "hard\n"
        "and soft, by threshold; fig3.png the three schemes with their entropy; fig7.png the image after every augmentation\n"
        "and artefact; figures.json the captions. `hardy report` embeds DIR/figures of its folder, or --figures DIR.",
    .run = run,
};
