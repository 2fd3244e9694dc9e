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
	const char *nearest = hardy_nearest_name(name, things, N_THINGS);
	if (nearest)
		return usage_error(self, "unknown measurement \"%s\"; did you mean %s?", name, nearest);
	return usage_error(self, "unknown measurement \"%s\", want step, infer, predict, kernels, artefacts or metrics", name);
}

/* The measurement and its files. */
static int take_arguments(const command *self, const arguments *a, hardy_bench_options *o)
{
	int known = 0;
	if (a->n_rest == 0)
		return -1;
	while (known < N_THINGS && strcmp(a->rest[0], things[known]))
		known++;
	if (known == N_THINGS)
		return unknown_thing(self, a->rest[0]);
	o->what = things[known];
	o->files = a->rest + 1;
	o->n_files = a->n_rest - 1;
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
	arguments a;
	int code = arguments_take(&a, self, &o, NULL, argc, argv, 0, 3);
	if (code < 0)
		code = take_arguments(self, &a, &o);
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
	arguments_clear(&a);
	return code;
}

const command cmd_bench = {
    .name = "bench",
    .arguments = "[step|infer|predict|kernels|artefacts|metrics] [FILE FILE]",
    .examples = {"hardy bench", "hardy bench --json", NULL},
    .summary = "time, arithmetic and memory on this machine",
    .details = "  step       a training step\n"
               "  infer      a model on slices, as prediction runs it\n"
               "  predict    hardy predict from start to end, on MODEL SCAN or a phantom\n"
               "  kernels    every convolution of a step, by each library\n"
               "  artefacts  each artefact on a volume of --size x --size x --slices\n"
               "  metrics    Dice, HD95, ASSD and NSD of two label maps, or the phantom's\n"
               "\n"
               "What arithmetic and memory the machine can do at most is measured in the same run, on the same threads.",
    .run = run,
};
