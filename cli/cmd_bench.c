/*
 * cmd_bench.c: `hardy bench WHAT`: how fast this machine trains and predicts, against what it can do at most.
 */
#define _POSIX_C_SOURCE 200809L
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char *const things[] = {"step", "infer", "predict", "kernels", "artefacts", "metrics"};
enum { N_THINGS = sizeof things / sizeof *things };

/* The program itself, which predict starts anew. */
static const char *own_path(void)
{
	static char path[4096];
	const ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
	if (n < 0)
		return NULL;
	path[n] = 0;
	return path;
}

static int unknown_thing(const command *self, const char *name)
{
	const char *nearest = nearest_name(name, things, N_THINGS);
	if (nearest)
		return usage_error(self, "unknown measurement \"%s\"; did you mean %s?", name, nearest);
	return usage_error(self, "unknown measurement \"%s\", want step, infer, predict, kernels, artefacts or metrics", name);
}

/* The measurement and its files. */
static int take_arguments(const command *self, const string_list *rest, hardy_bench_options *o)
{
	int known = 0;
	if (rest->n == 0)
		return -1;
	while (known < N_THINGS && strcmp(rest->items[0], things[known]))
		known++;
	if (known == N_THINGS)
		return unknown_thing(self, rest->items[0]);
	o->what = things[known];
	o->files = rest->items + 1;
	o->n_files = rest->n - 1;
	const bool takes_files = !strcmp(o->what, "predict") || !strcmp(o->what, "metrics");
	if (o->n_files && !takes_files)
		return usage_error(self, "unexpected argument \"%s\": %s takes no files", o->files[0], o->what);
	if (o->n_files == 1)
		return usage_error(self, "%s takes %s, or nothing", o->what,
		                   !strcmp(o->what, "predict") ? "a model and a scan" : "two label maps");
	return -1;
}

static int run(const command *self, int argc, char **argv)
{
	hardy_bench_options o;
	hardy_bench_options_init(&o);
	const option table[] = {
	    {"--size", OPTION_INT, &o.size, "N", "Height and width of slices, a multiple of 16.", 16, 512, NULL},
	    {"--batch", OPTION_INT, &o.batch, "N", "Slices of a training step.", 2, 1024, NULL},
	    {"--slices", OPTION_INT, &o.slices, "N", "Slices of infer, of artefacts and of predict's phantom scan.", 1, 10000,
	     NULL},
	    {"--threads", OPTION_STRING, &o.threads, "N[,N...]", "Numbers of threads, each in turn; without it, all.", 0, 0, NULL},
	    {"--steps", OPTION_INT, &o.steps, "N", "Timed runs of everything, at least; 5 for figures to keep.", 1, 1000, NULL},
	    {"--seconds", OPTION_DOUBLE, &o.seconds, "S",
	     "Time that the runs of a short measurement take together, at least; 0: a trial, the machine measured roughly.", 0,
	     3600, NULL},
	    {"--schemes", OPTION_STRING, &o.schemes, "A,B",
	     "Masks of z_i and z_s: random, dropout, channel or spatial; fixed so that steps are alike.", 0, 0, NULL},
	    {"--network", OPTION_STRING, &o.network, "NAME", "The study's networks, or the U-Net.", 0, 0, "study|unet"},
	    {"--standard", OPTION_FLAG, &o.standard, NULL, "Standard training instead of cooperative.", 0, 0, NULL},
	    {"--profile", OPTION_FLAG, &o.profile, NULL,
	     "step, infer: time, arithmetic, bytes and share of the bound of each operator; the bound on more threads.", 0, 0,
	     NULL},
	    {"--shapes", OPTION_FLAG, &o.shapes, NULL, "With --profile, a row for each operator and shape.", 0, 0, NULL},
	    {"--isa", OPTION_STRING, &o.isa, "NAME", "Kernels.", 0, 0, "auto|plain|avx2|avx512|avx512-bf16"},
	    {"--library", OPTION_STRING, &o.library, "NAME", "Convolutions.", 0, 0, "auto|plain|onednn|taps|ours"},
	    {"--label", OPTION_INT, &o.label, "N", "metrics: the class that is scored.", 1, 255, NULL},
	    {"--tolerance", OPTION_DOUBLE, &o.tolerance_mm, "MM", "metrics: of NSD.", 0, 1000, NULL},
	    {"--json", OPTION_FLAG, &o.json, NULL, "One JSON object a line.", 0, 0, NULL},
	};
	const size_t n_table = sizeof table / sizeof *table;
	string_list rest = {0};
	int code = options_parse(self, table, n_table, argc, argv, 0, 3, &rest);
	if (code < 0)
		code = take_arguments(self, &rest, &o);
	if (code < 0) {
		const hardy_sink sink = stdout_sink();
		const hardy_log log = terminal_log();
		hardy_error err = {0};
		const char *folder = getenv("TMPDIR");
		o.folder = folder && folder[0] ? folder : o.folder;
		o.program = own_path();
		const hardy_status status = hardy_bench(&o, &sink, &log, &err);
		code = status ? report_error(self, status, &err) : EXIT_DONE;
	}
	options_clear(table, n_table, &rest);
	return code;
}

const command cmd_bench = {
    .name = "bench",
    .arguments = "[step|infer|predict|kernels|artefacts|metrics] [FILE FILE]",
    .examples = {"hardy bench", "hardy bench --json", NULL},
    .summary = "time, arithmetic and memory on this machine",
    .details = "  step       a training step\n"
               "  infer      FTN and STN on slices, as prediction runs them\n"
               "  predict    hardy predict from start to end, on MODEL SCAN or a phantom\n"
               "  kernels    every convolution of a step, by each library\n"
               "  artefacts  each artefact on a volume of --size x --size x --slices\n"
               "  metrics    Dice, HD95, ASSD and NSD of two label maps, or the phantom's\n"
               "\n"
               "What arithmetic and memory the machine can do at most is measured in the same run, on the same threads.",
    .run = run,
};
