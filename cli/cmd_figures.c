/*
 * cmd_figures.c: `hardy figures MODEL DATA -o DIR`: pictures of what makes examples hard.
 */
#include "options.h"

#include <stdio.h>

static int run(const command *self, int argc, char **argv)
{
	hardy_figures_options o;
	arguments a;
	int code = arguments_take(&a, self, &o, NULL, argc, argv, 2, 2);
	if (code < 0 && !o.output)
		code = usage_error(self, "no output; want -o DIR");
	if (code < 0) {
		const hardy_log log = terminal_log();
		hardy_error err = {0};
		o.model = a.rest[0];
		o.data = a.rest[1];
		const hardy_status status = hardy_figures(&o, &log, &err);
		code = status ? report_error(self, status, &err) : EXIT_DONE;
		if (!status)
			printf("%s/figures.json\n", o.output);
	}
	arguments_clear(&a);
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
