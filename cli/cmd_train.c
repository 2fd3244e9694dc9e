/*
 * cmd_train.c: `hardy train DATA -o RUN`: a model from labelled scans.
 */
#define _POSIX_C_SOURCE 200809L
#include "options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* What is the program's own. */
typedef struct own {
	int64_t folds;
	bool list_recipes;
	const char *scheme; /* of both codes */
	char *texts;        /* owned: of the options of a run that goes on */
} own;

static const hardy_option own_rows[] = {
    {"folds", HARDY_OPTION_WHOLE, offsetof(own, folds), "K",
     "Cross-validation: K models, each scored on subjects that it has not seen; RUN is then their ensemble.", .low = 2,
     .high = 20},
    {"list_recipes", HARDY_OPTION_SWITCH, offsetof(own, list_recipes), NULL, "Print the table of recipes and stop.", .use = 0},
    {"scheme", HARDY_OPTION_TEXT, offsetof(own, scheme), "NAME", "Masks of both latent codes (cooperative).",
     .choices = "random|dropout|channel|spatial", .heading = 6},
};

static const hardy_options own_table = {"train", own_rows, sizeof own_rows / sizeof *own_rows, sizeof(own), NULL};

/* A length replaces the preset's. */
static bool has_length(const arguments *a)
{
	return arguments_find(a, "epochs") || arguments_find(a, "iterations") || arguments_find(a, "budget_s");
}

/* Defaults: those of the preset and the recipe, or those of the run that goes on, which its folds read by themselves. */
static hardy_status defaults(const arguments *a, own *w, hardy_train_options *o, hardy_error *err)
{
	const char *run = arguments_find(a, "output");
	const bool goes_on = arguments_find(a, "resume") && !arguments_find(a, "folds");
	hardy_status status =
	    hardy_train_options_init(o, arguments_find(a, "preset"), goes_on ? NULL : arguments_find(a, "recipe"), err);
	if (!status && goes_on && run)
		status = hardy_train_options_read(o, &w->texts, run, err);
	if (!status && has_length(a))
		hardy_train_options_drop_length(o);
	return status;
}

static int apply(arguments *a, const command *self, own *w, hardy_train_options *o)
{
	hardy_error err = {0};
	const hardy_status status = defaults(a, w, o, &err);
	const int code = status ? report_error(self, status, &err) : arguments_apply(a, self);
	if (w->scheme && !arguments_find(a, "scheme_image"))
		o->scheme_image = w->scheme;
	if (w->scheme && !arguments_find(a, "scheme_shape"))
		o->scheme_shape = w->scheme;
	return code;
}

/* The folder as it stands in a command line, where it can stand there without quotes. */
static const char *word_of(const char *run)
{
	const char *plain = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+-";
	return run[strspn(run, plain)] || run[0] == '-' ? "RUN" : run;
}

/* How many processes mpirun, mpiexec or srun started together with this one, by what they leave in the environment; 1 without. */
static long launched(void)
{
	static const char *const sizes[] = {"OMPI_COMM_WORLD_SIZE", "PMI_SIZE"}; /* Open MPI; MPICH, and Slurm's PMI-2 */
	for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
		if (getenv(sizes[i]))
			return strtol(getenv(sizes[i]), NULL, 10);
	return getenv("PMIX_RANK") && getenv("SLURM_NTASKS") ? strtol(getenv("SLURM_NTASKS"), NULL, 10) : 1;
}

/* -1, or an exit code; *rank: of this process. */
static int join_ranks(const command *self, int *rank)
{
	hardy_error err = {0};
	int size = 1;
	const long n = launched();
	*rank = 0;
	if (n < 2)
		return -1;
	if (hardy_ranks_join(rank, &size, &err))
		return usage_error(self, "%ld processes were started together, but %s", n, err.message);
	if (size == n)
		return -1;
	return usage_error(self,
	                   "%ld processes were started together, but MPI knows %d: was hardy built with another MPI than mpirun's?",
	                   n, size);
}

/* Of several ranks. What all meet at once, a loss that is not finite, is told by rank 0, which ends the others while they wait. */
static int report_rank(const command *self, int rank, hardy_status status, const hardy_error *err)
{
	hardy_error named = *err;
	if (rank && hardy_rank_speaks()) {
		nanosleep(&(struct timespec){.tv_sec = 2}, NULL);
		snprintf(named.message, sizeof named.message, "rank %d: %.*s", rank, (int)sizeof named.message - 24, err->message);
	}
	return report_error(self, status, &named);
}

static int train(const command *self, hardy_train_options *o, int64_t folds, const arguments *a)
{
	const hardy_log log = terminal_log();
	const hardy_stop stop = interrupt_stop();
	hardy_error err = {0};
	int rank;
	if (a->n_rest)
		o->data = a->rest[0];
	if (!o->output)
		return usage_error(self, "-o RUN is missing: the folder of the run");
	if (!o->data)
		return usage_error(self, "an argument is missing");
	int code = join_ranks(self, &rank);
	if (code >= 0)
		return code;
	const hardy_status status = folds ? hardy_train_folds(o, folds, &log, &stop, &err) : hardy_train(o, &log, &stop, &err);
	code = status ? report_rank(self, rank, status, &err) : EXIT_DONE;
	const char *name = word_of(o->output);
	hardy_ranks_leave(code);
	if (rank)
		return code;
	if (!status && !options_quiet)
		fprintf(stderr, "to look at it: hardy report %s\nnext: hardy predict %s SCANS -o LABELS\n", name, name);
	else if (status == HARDY_ERROR_INTERRUPTED && !folds)
		fprintf(stderr, "go on with: hardy train --resume -o %s\n", name);
	return code;
}

static int list_recipes(void)
{
	const char *name, *about;
	for (size_t i = 0; hardy_train_recipe(i, &name, &about); i++)
		printf("%-12s %s\n", name, about);
	return EXIT_DONE;
}

static int run(const command *self, int argc, char **argv)
{
	hardy_train_options o;
	own w = {0};
	arguments a = {.sets = {{hardy_options_of("train"), &o}, {&own_table, &w}}};
	hardy_error err = {0};
	hardy_status status = hardy_train_options_init(&o, NULL, NULL, &err); /* what --help shows */
	int code = status ? report_error(self, status, &err) : arguments_read(&a, self, argc, argv, 0, 1);
	if (code < 0 && arguments_find(&a, "list_recipes"))
		code = list_recipes();
	if (code < 0)
		code = apply(&a, self, &w, &o);
	if (code < 0)
		code = train(self, &o, w.folds, &a);
	arguments_clear(&a);
	hardy_texts_free(w.texts);
	return code;
}

const command cmd_train = {
    .name = "train",
    .arguments = "DATA",
    .examples = {"hardy train scans -o RUN", "hardy train scans --preset hour --folds 5 -o RUN", NULL},
    .summary = "a model from a few labelled scans",
    .details = "Trains a U-Net (--recipe hardy, the default), or the two networks of the study, a fast one (FTN) that\n"
               "segments and a slow one (STN) that corrects shapes, by one of its recipes, on subjects of DATA (any layout\n"
               "that `hardy check` reads). Says first who trains, on which grid and how scans are varied, and writes into\n"
               "RUN: run.json (what was done), progress.html, metrics.csv and metrics.jsonl (a row an epoch),\n"
               "best.safetensors and last.safetensors (models), checkpoint.safetensors. Ctrl-C finishes the step, saves and\n"
               "exits with 130; `hardy train --resume -o RUN` goes on.",
    .run = run,
};
