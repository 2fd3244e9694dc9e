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
	const char *nearest = nearest_name(name, names, n);
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

static int work(const command *self, hardy_experiment_options *o, const string_list *rest)
{
	const hardy_sink sink = stdout_sink();
	const hardy_log log = terminal_log();
	const hardy_stop stop = interrupt_stop();
	hardy_error err = {0};
	if (!is_known(rest->items[0]))
		return unknown_name(self, rest->items[0]);
	if (!o->output)
		return usage_error(self, "no output; want -o FOLDER");
	o->name = rest->items[0];
	o->data = rest->items + 1;
	o->n_data = rest->n - 1;
	o->program = own_path();
	const hardy_status status = hardy_experiment(o, &sink, &log, &stop, &err);
	return status ? report_error(self, status, &err) : EXIT_DONE;
}

static int run(const command *self, int argc, char **argv)
{
	hardy_experiment_options o;
	string_list settings = {0}, results = {0};
	hardy_experiment_options_init(&o);
	const option table[] = {
	    {"--output", OPTION_STRING, &o.output, "DIR", "Folder of the experiment; an existing one goes on.", 0, 0, NULL},
	    {"--preset", OPTION_STRING, &o.preset, "NAME", "Defaults of the training.", 0, 0, "quick|short|paper"},
	    {"--seeds", OPTION_INT, &o.seeds, "N", "Runs of each method, each with its own subjects.", 1, 1000, NULL},
	    {"--first-seed", OPTION_INT, &o.first_seed, "N", "The first of the seeds.", 0, 1e9, NULL},
	    {"--methods", OPTION_STRING, &o.methods, "NAME,...",
	     "These of the experiment's methods only; all: also those beyond the study.", 0, 0, NULL},
	    {"--splits", OPTION_STRING, &o.splits, "FILE",
	     "JSON with subjects: pool or train, validation, test; without it they are drawn, into DIR/splits.json.", 0, 0, NULL},
	    {"--precision", OPTION_STRING, &o.precision, "NAME", "Of training, as for hardy train.", 0, 0, "f32|bf16"},
	    {"--set", OPTION_STRINGS, &settings, "NAME=VALUE", "A training option by its name in run.json, e.g. iterations=3000.",
	     0, 0, NULL},
	    {"--copies", OPTION_INT, &o.copies, "N", "Draws of each artefact and test scan.", 1, 100, NULL},
	    {"--adapt", OPTION_FLAG, &o.adapt, NULL, "Score with batch-norm statistics adapted to each scan.", 0, 0, NULL},
	    {"--strict", OPTION_FLAG, &o.strict, NULL, "A scan that cannot be used is an error; else the others do.", 0, 0, NULL},
	    {"--jobs", OPTION_INT, &o.jobs, "N", "Runs at a time, each a process.", 1, 1024, NULL},
	    {"--threads", OPTION_INT, &o.threads, "N", "Threads of a run; 0: all cores, shared among the jobs.", 0, 1024, NULL},
	    {"--results", OPTION_STRINGS, &results, "FILE|DIR",
	     "Results that are at hand (.jsonl files, or a folder of them): their runs are not repeated.", 0, 0, NULL},
	    {"--dry-run", OPTION_FLAG, &o.dry_run, NULL, "Show runs, subjects and estimated time; do nothing.", 0, 0, NULL},
	    {"--retry-failed", OPTION_FLAG, &o.retry_failed, NULL, "Try runs again that failed before.", 0, 0, NULL},
	    {"--run", OPTION_STRING, &o.run, "METHOD-SEED",
	     "Make this run alone; the same command without --run collects its result.", 0, 0, NULL},
	    {"--collect", OPTION_FLAG, &o.collect, NULL, "Make no run, only collect those that are done.", 0, 0, NULL},
	    {"--emit", OPTION_STRING, &o.emit, "HOW",
	     "Print a script instead: one command a run, or what submits them to Slurm as a job array.", 0, 0, "shell|slurm"},
	    {"--overwrite", OPTION_FLAG, &o.overwrite, NULL, "Replace also files of an experiment's names that none wrote.", 0, 0,
	     NULL},
	};
	const size_t n_table = sizeof table / sizeof *table;
	string_list rest = {0};
	int code = options_parse(self, table, n_table, argc, argv, 2, 1000, &rest);
	o.settings = settings.items;
	o.n_settings = settings.n;
	o.results = results.items;
	o.n_results = results.n;
	if (code < 0)
		code = work(self, &o, &rest);
	options_clear(table, n_table, &rest);
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
