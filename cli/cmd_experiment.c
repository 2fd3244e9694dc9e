/*
 * cmd_experiment.c: `hardy experiment NAME DATA... -o DIR`: the study's comparisons.
 */
#define _POSIX_C_SOURCE 200809L
#include "options.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The program itself, which makes the runs when there are several at a time. */
static const char *own_path(void)
{
	static char path[4096];
	const ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
	if (n < 0)
		return NULL;
	path[n] = 0;
	return path;
}

static int unknown_name(const command *self, const char *name)
{
	const char *names[16], *title;
	size_t n = 0;
	char list[256] = "";
	while (n < sizeof names / sizeof *names && hardy_experiment_name(n, &names[n], &title)) {
		const size_t used = strlen(list);
		snprintf(list + used, sizeof list - used, n ? ", %s" : "%s", names[n]);
		n++;
	}
	const char *nearest = hardy_nearest_name(name, names, n);
	if (nearest)
		return usage_error(self, "unknown experiment \"%s\"; did you mean %s?", name, nearest);
	return usage_error(self, "unknown experiment \"%s\", want one of %s", name, list);
}

static bool is_known(const char *wanted)
{
	const char *name, *title;
	for (size_t i = 0; hardy_experiment_name(i, &name, &title); i++)
		if (!strcmp(name, wanted))
			return true;
	return false;
}

static int work(const command *self, hardy_experiment_options *o, const arguments *a)
{
	const hardy_sink sink = stdout_sink();
	const hardy_log log = terminal_log();
	const hardy_stop stop = interrupt_stop();
	hardy_error err = {0};
	if (!is_known(a->rest[0]))
		return unknown_name(self, a->rest[0]);
	if (!o->output)
		return usage_error(self, "no output; want -o FOLDER");
	o->name = a->rest[0];
	o->data = a->rest + 1;
	o->n_data = a->n_rest - 1;
	o->program = own_path();
	const hardy_status status = hardy_experiment(o, &sink, &log, &stop, &err);
	return status ? report_error(self, status, &err) : EXIT_DONE;
}

static int run(const command *self, int argc, char **argv)
{
	hardy_experiment_options o;
	arguments a;
	int code = arguments_take(&a, self, &o, NULL, argc, argv, 2, 1000);
	if (code < 0)
		code = work(self, &o, &a);
	arguments_clear(&a);
	return code;
}

const command cmd_experiment = {
    .name = "experiment",
    .arguments = "NAME DATA... -o DIR",
    .examples = {"hardy experiment latent-vs-image home=scansA away=scansB -o DIR",
                 "hardy experiment latent-vs-image home=scansA away=scansB --dry-run -o DIR", NULL},
    .summary = "the study's comparisons: methods by seeds, scored at home, elsewhere and on spoiled scans",
    .details =
        "  cooperative-vs-standard  the two ways to train\n"
        "  latent-vs-image          cooperative training and its rivals, which augment images\n"
        "  large-data               the same with all subjects to train on\n"
        "  ablation                 what the parts of cooperative training contribute\n"
        "\n"
        "The first DATA trains and tests; further ones are other sites: [NAME=]FOLDER, with any of :labels=lv=3,myo=2\n"
        ":classes=LV :title=TEXT :labelled-slices behind it. DIR gets results.jsonl (a line a run, under a key that is the\n"
        "hash of configuration and data), experiment.json, and a folder a run. Ctrl-C saves; the same command goes on, and\n"
        "repeats no run whose result is known. docs/EXPERIMENTS.md explains all of it.",
    .run = run,
};
