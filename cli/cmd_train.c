/*
 * cmd_train.c: `hardy train DATA -o RUN`: a model from labelled scans.
 */
#define _POSIX_C_SOURCE 200809L
#include "options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- options ------------------------------------------------------------------------------------------------------------ */

/* The value of an option that decides on the defaults of the others; NULL when it is not given. */
static const char *find_value(int argc, char **argv, const char *name)
{
	const size_t n = strlen(name);
	const char *found = NULL;
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++) {
		if (strcmp(argv[i], name) == 0 && i + 1 < argc)
			found = argv[i + 1];
		else if (strncmp(argv[i], name, n) == 0 && argv[i][n] == '=')
			found = argv[i] + n + 1;
	}
	return found;
}

static bool is_given(int argc, char **argv, const char *name)
{
	const size_t n = strlen(name);
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strncmp(argv[i], name, n) == 0 && (!argv[i][n] || argv[i][n] == '='))
			return true;
	return false;
}

/* "0,0.5" */
static int read_pair(const command *self, const char *name, const char *text, double *low, double *high)
{
	char *end = NULL;
	if (!text)
		return -1;
	const double a = strtod(text, &end);
	bool good = end != text && *end == ',';
	const char *second = good ? end + 1 : text;
	const double b = strtod(second, &end);
	good = good && end != second && !*end && isfinite(a) && isfinite(b);
	if (!good)
		return usage_error(self, "%s is \"%s\", want two numbers: LOW,HIGH", name, text);
	*low = a;
	*high = b;
	return -1;
}

/* Defaults: those of the preset, or those of the run that is resumed. */
static int defaults(const command *self, int argc, char **argv, hardy_train_options *o)
{
	hardy_error err = {0};
	const char *preset = find_value(argc, argv, "--preset"), *run = find_value(argc, argv, "--output"),
	           *recipe = find_value(argc, argv, "--recipe");
	if (!run)
		run = find_value(argc, argv, "-o");
	const bool help = is_given(argc, argv, "--help") || is_given(argc, argv, "-h");
	const bool fresh = !is_given(argc, argv, "--resume");
	const bool folds = is_given(argc, argv, "--folds"); /* each fold reads its own */
	hardy_status status = hardy_train_options_init(o, help ? NULL : preset, (fresh || folds) && !help ? recipe : NULL, &err);
	if (!status && !fresh && run && !help && !folds)
		status = hardy_train_options_read(o, run, &err);
	if (status)
		return report_error(self, status, &err);
	/* A length on the command line replaces the preset's. */
	if (!help &&
	    (is_given(argc, argv, "--epochs") || is_given(argc, argv, "--iterations") || is_given(argc, argv, "--budget"))) {
		o->epochs = o->iterations = 0;
		o->budget_s = 0;
	}
	return -1;
}

/* Options whose form on the command line is not that of hardy_train_options. */
typedef struct words {
	const char *scheme, *threshold_range, *percentiles, *recalibrate, *calibrate;
	bool no_minmax;
} words;

static int apply(const command *self, const words *w, int argc, char **argv, hardy_train_options *o)
{
	if (w->scheme && !is_given(argc, argv, "--scheme-image"))
		o->scheme_image = w->scheme;
	if (w->scheme && !is_given(argc, argv, "--scheme-shape"))
		o->scheme_shape = w->scheme;
	if (w->recalibrate)
		o->recalibrate = strcmp(w->recalibrate, "on") == 0;
	if (w->calibrate)
		o->calibrate = strcmp(w->calibrate, "on") == 0;
	if (w->no_minmax)
		o->minmax = false;
	int code = read_pair(self, "--threshold-range", w->threshold_range, &o->threshold_low, &o->threshold_high);
	if (code < 0)
		code = read_pair(self, "--percentiles", w->percentiles, &o->percentile_low, &o->percentile_high);
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

static int train(const command *self, hardy_train_options *o, int64_t folds, const string_list *rest)
{
	const hardy_log log = terminal_log();
	const hardy_stop stop = interrupt_stop();
	hardy_error err = {0};
	int rank;
	if (rest->n)
		o->data = rest->items[0];
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
	words w = {0};
	bool list = false;
	int64_t folds = 0;
	int code = defaults(self, argc, argv, &o);
	if (code >= 0)
		return code;
	const char *schemes = "random|dropout|channel|spatial";
	const option table[] = {
	    {"--output", OPTION_STRING, &o.output, "RUN", "Folder of the run.", 0, 0, NULL},
	    {"--recipe", OPTION_STRING, &o.recipe, "NAME+...|FILE",
	     "How to train: names with + between (--list-recipes), or a YAML file (docs/RECIPES.md).", 0, 0, NULL},
	    {"--preset", OPTION_STRING, &o.preset, "NAME",
	     "Minutes, an hour, or as the study trained: a row of defaults for the options below.", 0, 0, "quick|hour|paper|short"},
	    {"--budget", OPTION_DURATION, &o.budget_s, "TIME",
	     "Length in time, e.g. 45m: steps are timed, then their number is fixed.", 0, 0, NULL},
	    {"--folds", OPTION_INT, &folds, "K",
	     "Cross-validation: K models, each scored on subjects that it has not seen; RUN is then their ensemble.", 2, 20, NULL},
	    {"--init", OPTION_STRING, &o.init, "MODEL",
	     "Start from this model instead of drawn weights: another site, other classes (a new last layer).", 0, 0, NULL},
	    {"--unlabelled", OPTION_STRING, &o.unlabelled, "PATH",
	     "Scans without labels that join in: files, a folder, a data set; of DATA itself, subjects in no list.", 0, 0, NULL},
	    {"--seed", OPTION_INT, &o.seed, "N", "Seed of everything random.", 0, 9007199254740992, NULL},
	    {"--threads", OPTION_INT, &o.threads, "N", "Threads; 0: as many as there are.", 0, 1024, NULL},
	    {"--resume", OPTION_FLAG, &o.resume, NULL, "Go on with the run in RUN; its options are known.", 0, 0, NULL},
	    {"--overwrite", OPTION_FLAG, &o.overwrite, NULL, "Replace the run in RUN.", 0, 0, NULL},
	    {"--list-recipes", OPTION_FLAG, &list, NULL, "Print the table of recipes and stop.", 0, 0, NULL},
	    {NULL, OPTION_HEADING, NULL, NULL, "Data", 0, 0, NULL},
	    {"--subjects", OPTION_INT, &o.subjects, "N",
	     "Subjects to train on, drawn by seed; 0: all. Without it all, but ten of the pool of a splits file.", -1, 1e6, NULL},
	    {"--validation", OPTION_INT, &o.validation, "N",
	     "Subjects to hold out when no splits file names them. Without it 3 in 10, five at most, none of fewer than five.", -1,
	     1e6, NULL},
	    {"--splits", OPTION_STRING, &o.splits, "FILE", "JSON with subjects: pool or train, validation, test.", 0, 0, NULL},
	    {"--fold", OPTION_INT, &o.fold, "N", "Of --splits that are a list of folds, as nnU-Net writes; from 0.", 0, 1e6, NULL},
	    {"--strict", OPTION_FLAG, &o.strict, NULL, "A scan that cannot be used is an error; else the others train.", 0, 0,
	     NULL},
	    {"--labels", OPTION_STRING, &o.labels, "NAME=V,...", "What label values mean, e.g. lv=3,myo=2.", 0, 0, NULL},
	    {"--header-spacing", OPTION_SPACING, o.header_spacing_mm, "X,Y,Z", "Spacing in mm to believe instead of the files'.", 0,
	     0, NULL},
	    {"--data-terms", OPTION_STRING, &o.data_terms, "TEXT", "Terms of use of the data, for the model card.", 0, 0, NULL},
	    {NULL, OPTION_HEADING, NULL, NULL, "What the network sees", 0, 0, NULL},
	    {"--size", OPTION_INT, &o.size, "N",
	     "Height and width of the network's grid, a multiple of 16; 0: the preset's, or what the labels need.", 0, 512, NULL},
	    {"--spacing", OPTION_DOUBLE, &o.spacing_mm, "MM", "In-plane spacing of that grid; 0: likewise.", 0, 100, NULL},
	    {"--percentiles", OPTION_STRING, &w.percentiles, "LOW,HIGH", "Intensities of a volume that become 0 and 1 (2,98).", 0,
	     0, NULL},
	    {"--augment", OPTION_STRING, &o.augment, "HOW",
	     "Classic augmentation of half of each batch, or strong geometry of all: wide.", 0, 0,
	     "published|no-elastic|none|wide"},
	    {"--rotation", OPTION_DOUBLE, &o.rotation_deg, "DEG",
	     "Largest rotation of wide, both ways; 180: any. Without it by how alike the labelled objects lie.", -1, 180, NULL},
	    {"--mirror", OPTION_DOUBLE, &o.mirror, "P", "Probability with which wide mirrors. Without it likewise.", -1, 1, NULL},
	    {"--minmax", OPTION_FLAG, &o.minmax, NULL, "Scale un-augmented slices to 0..1 one by one, as prediction does.", 0, 0,
	     NULL},
	    {"--no-minmax", OPTION_FLAG, &w.no_minmax, NULL, "Leave them on the scale of their volume.", 0, 0, NULL},
	    {"--noise", OPTION_DOUBLE, &o.noise, "SD", "Noise on the input image.", 0, 10, NULL},
	    {NULL, OPTION_HEADING, NULL, NULL, "The network", 0, 0, NULL},
	    {"--network", OPTION_STRING, &o.network, "NAME",
	     "study: the two networks of the study; unet: a U-Net with skip connections.", 0, 0, "study|unet"},
	    {"--network-width", OPTION_INT, &o.network_width, "N", "Channels of the U-Net on the whole grid: 16, 32, 48 or 64.", 16,
	     64, NULL},
	    {"--network-levels", OPTION_INT, &o.network_levels, "N", "Grids of the U-Net, each half of the one before.", 2, 6,
	     NULL},
	    {"--no-top-skip", OPTION_FLAG, &o.network_no_top_skip, NULL, "A U-Net without skip connection on the whole grid.", 0, 0,
	     NULL},
	    {NULL, OPTION_HEADING, NULL, NULL, "Length, losses and rates", 0, 0, NULL},
	    {"--iterations", OPTION_INT, &o.iterations, "N", "Length in steps.", 0, 1e9, NULL},
	    {"--epochs", OPTION_INT, &o.epochs, "N", "Length of the training in epochs; 0: not limited by them.", 0, 1e7, NULL},
	    {"--batch", OPTION_INT, &o.batch, "N", "Slices a step, half of them augmented; even.", 2, 1024, NULL},
	    {"--lr", OPTION_DOUBLE, &o.learning_rate, "RATE", "Learning rate of Adam, the largest of a schedule.", 0, 1e30, NULL},
	    {"--weight-decay", OPTION_DOUBLE, &o.weight_decay, "W", "Weights lose rate times W of themselves at each step (AdamW).",
	     0, 100, NULL},
	    {"--schedule", OPTION_STRING, &o.schedule, "NAME", "Course of the learning rate.", 0, 0, "constant|one-cycle"},
	    {"--loss", OPTION_STRING, &o.loss, "NAME", "Cross-entropy, or with soft Dice.", 0, 0, "ce|ce+dice"},
	    {"--ema", OPTION_DOUBLE, &o.ema, "DECAY",
	     "Validate and save a moving average of the weights with this decay, e.g. 0.999; 0: the weights.", 0, 0.999999, NULL},
	    {"--unlabelled-weight", OPTION_DOUBLE, &o.unlabelled_weight, "W", "Weight of their loss.", 0, 1000, NULL},
	    {"--confidence", OPTION_DOUBLE, &o.confidence, "P", "Least probability of a pixel's class for it to count.", 0.5, 1,
	     NULL},
	    {"--precision", OPTION_STRING, &o.precision, "NAME",
	     "Of activations and products in convolutions; bf16 needs a processor with AVX-512 BF16.", 0, 0, "f32|bf16"},
	    {"--norm-statistics", OPTION_STRING, &o.norm_statistics, "NAME",
	     "Under mpirun, of batch norm: of the whole batch, or of each rank's part of it.", 0, 0, "global|local"},
	    {NULL, OPTION_HEADING, NULL, NULL, "Validation and what follows", 0, 0, NULL},
	    {"--validate-every", OPTION_INT, &o.validate_every, "N", "Epochs between validations.", 1, 1e7, NULL},
	    {"--checkpoint-every", OPTION_DURATION, &o.checkpoint_every_s, "TIME", "Time between checkpoints.", 0, 0, NULL},
	    {"--recalibrate", OPTION_STRING, &w.recalibrate, "on|off", "Batch-norm statistics from the training slices at the end.",
	     0, 0, "on|off"},
	    {"--calibrate", OPTION_STRING, &w.calibrate, "on|off",
	     "Predicted Dice for the quality table, from the validation subjects at the end (on).", 0, 0, "on|off"},
	    {NULL, OPTION_HEADING, NULL, NULL, "Ablations of the study's method", 0, 0, NULL},
	    {"--scheme", OPTION_STRING, &w.scheme, "NAME", "Masks of both latent codes (cooperative).", 0, 0, schemes},
	    {"--scheme-image", OPTION_STRING, &o.scheme_image, "NAME", "Masks of the image code.", 0, 0, schemes},
	    {"--scheme-shape", OPTION_STRING, &o.scheme_shape, "NAME", "Masks of the shape code.", 0, 0, schemes},
	    {"--hard-masks", OPTION_FLAG, &o.hard_masks, NULL, "Mask with 0 instead of a random factor.", 0, 0, NULL},
	    {"--threshold-range", OPTION_STRING, &w.threshold_range, "LOW,HIGH", "Share of a code that is masked (0,0.5).", 0, 0,
	     NULL},
	    {"--only-x-hat", OPTION_FLAG, &o.only_x_hat, NULL, "Hard images only, no hard segmentations.", 0, 0, NULL},
	    {"--separate", OPTION_FLAG, &o.separate, NULL, "No gradient from the STN into the FTN.", 0, 0, NULL},
	    {"--no-decoupler", OPTION_FLAG, &o.no_decoupler, NULL, "One latent code for image and shape.", 0, 0, NULL},
	};
	const size_t n_table = sizeof table / sizeof *table;
	string_list rest = {0};
	code = options_parse(self, table, n_table, argc, argv, 0, 1, &rest);
	if (code < 0 && list)
		code = list_recipes();
	if (code < 0)
		code = apply(self, &w, argc, argv, &o);
	if (code < 0)
		code = train(self, &o, folds, &rest);
	options_clear(table, n_table, &rest);
	hardy_train_options_clear(&o);
	return code;
}

const command cmd_train = {
    .name = "train",
    .arguments = "DATA",
    .examples = {"hardy train scans -o RUN", "hardy train scans --preset hour --folds 5 -o RUN", NULL},
    .summary = "a model from a few labelled scans",
    .details = "Trains a U-Net (--recipe hardy, the default), or the two networks of the study by one of its recipes, on\n"
               "subjects of DATA (any layout that `hardy check` reads), and writes into RUN: run.json (what was done),\n"
               "metrics.csv and metrics.jsonl (a row an epoch), best.safetensors and last.safetensors (models),\n"
               "checkpoint.safetensors. Ctrl-C finishes the step, saves and exits with 130; `hardy train --resume -o RUN`\n"
               "goes on.",
    .run = run,
};
