/*
 * options.c: the table of training options, and the presets.
 */
#include "training/options.h"

#include "base/files.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/option.h"
#include "base/text.h"
#include "dataset/dataset.h"
#include "dataset/preprocess.h"

#include <math.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

/* ---- the table ---------------------------------------------------------------------------------------------------------- */

#define AT(member) offsetof(hardy_train_options, member)

enum heading { IN_DATA = 1, IN_INPUT, IN_NETWORK, IN_LENGTH, IN_VALIDATION, IN_ABLATIONS };

static const char *const headings[] = {"",
                                       "Data",
                                       "What the network sees",
                                       "The network",
                                       "Length, losses and rates",
                                       "Validation and what follows",
                                       "Ablations of the study's method"};

/* In the order in which run.json has them, on which the hash of an experiment's run rests: new ones go to their heading's end. The defaults are
 * those of the first preset. */
static const hardy_option rows[] = {
    {"output", HARDY_OPTION_TEXT, AT(output), "RUN", "Folder of the run.", .use = 0},
    {"preset", HARDY_OPTION_TEXT, AT(preset), "NAME",
     "Minutes, an hour, or as the study trained: a row of defaults for the options below.", .usual = "quick",
     .choices = "quick|hour|paper|short",
     .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES | HARDY_OPTION_FREE | HARDY_OPTION_NEEDED},
    {"recipe", HARDY_OPTION_TEXT, AT(recipe), "NAME+...|FILE",
     "How to train: names with + between (list-recipes shows them), or a YAML file (docs/RECIPES.md).", .usual = "hardy",
     .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES | HARDY_OPTION_NEEDED},
    {"seed", HARDY_OPTION_WHOLE, AT(seed), "N", "Seed of everything random.", .usual = "0", .low = 0, .high = 9007199254740992,
     .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES},
    {"data", HARDY_OPTION_TEXT, AT(data), "DATA", "A data set.",
     .use = HARDY_OPTION_RECORDED | HARDY_OPTION_FREE | HARDY_OPTION_NEEDED | HARDY_OPTION_ARGUMENT},
    {"subjects", HARDY_OPTION_WHOLE, AT(subjects), "N",
     "Subjects to train on, drawn by seed; 0: all. Without it all, but ten of the pool of a splits file.", .usual = "-1",
     .low = -1, .high = 1e6, .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES, .heading = IN_DATA},
    {"validation", HARDY_OPTION_WHOLE, AT(validation), "N",
     "Subjects to hold out when no splits file names them. Without it 3 in 10, five at most, none of fewer than five.",
     .usual = "-1", .low = -1, .high = 1e6, .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES, .heading = IN_DATA},
    {"splits", HARDY_OPTION_TEXT, AT(splits), "FILE", "JSON with subjects: pool or train, validation, test.",
     .use = HARDY_OPTION_RECORDED, .heading = IN_DATA},
    {"fold", HARDY_OPTION_WHOLE, AT(fold), "N", "Of splits that are a list of folds, as nnU-Net writes; from 0.", .usual = "-1",
     .low = -1, .high = 1e6, .use = HARDY_OPTION_RECORDED | HARDY_OPTION_LATER, .heading = IN_DATA},
    {"strict", HARDY_OPTION_SWITCH, AT(strict), NULL, "A scan that cannot be used is an error; else the others train.",
     .use = HARDY_OPTION_RECORDED | HARDY_OPTION_FREE | HARDY_OPTION_LATER, .heading = IN_DATA},
    {"labels", HARDY_OPTION_TEXT, AT(labels), "NAME=V,...", "What label values mean, e.g. lv=3,myo=2.",
     .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES, .heading = IN_DATA},
    {"header_spacing", HARDY_OPTION_SPACING, AT(header_spacing_mm), "X,Y,Z", "Spacing in mm to believe instead of the files'.",
     .low = 0, .high = 1000, .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES, .heading = IN_DATA},
    {"unlabelled", HARDY_OPTION_TEXT, AT(unlabelled), "PATH",
     "Scans without labels that join in: files, a folder, a data set; of DATA itself, subjects in no list.",
     .use = HARDY_OPTION_RECORDED | HARDY_OPTION_LATER},
    {"unlabelled_weight", HARDY_OPTION_REAL, AT(unlabelled_weight), "W", "Weight of their loss.", .usual = "1", .low = 0,
     .high = 1000, .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES | HARDY_OPTION_LATER, .heading = IN_LENGTH},
    {"confidence", HARDY_OPTION_REAL, AT(confidence), "P", "Least probability of a pixel's class for it to count.",
     .usual = "0.9", .low = 0.5, .high = 1, .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES | HARDY_OPTION_LATER,
     .heading = IN_LENGTH},
    {"init", HARDY_OPTION_TEXT, AT(init), "MODEL",
     "Start from this model instead of drawn weights: another site, other classes (a new last layer).",
     .use = HARDY_OPTION_RECORDED | HARDY_OPTION_FREE | HARDY_OPTION_LATER},
    {"data_terms", HARDY_OPTION_TEXT, AT(data_terms), "TEXT", "Terms of use of the data, for the model card.",
     .use = HARDY_OPTION_RECORDED, .heading = IN_DATA},
    {"size", HARDY_OPTION_WHOLE, AT(size), "N",
     "Height and width of the network's grid, a multiple of 16; 0: the preset's, or what the labels need.", .usual = "96",
     .low = 0, .high = 512, .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES | HARDY_OPTION_FITTED, .heading = IN_INPUT},
    {"spacing_mm", HARDY_OPTION_REAL, AT(spacing_mm), "MM", "In-plane spacing of that grid; 0: likewise.", .usual = "2",
     .low = 0, .high = 100, .word = "spacing", .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES | HARDY_OPTION_FITTED,
     .heading = IN_INPUT},
    {"neighbours", HARDY_OPTION_WHOLE, AT(neighbours), "N",
     "Slices on each side that the U-Net sees beside each slice (2.5-D). Without it 1 where slices are nearly as thin as "
     "pixels.",
     .usual = "0", .low = -1, .high = HY_MOST_NEIGHBOURS,
     .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES | HARDY_OPTION_LATER | HARDY_OPTION_FITTED, .heading = IN_INPUT},
    {"planes", HARDY_OPTION_WHOLE, AT(planes), "N",
     "1, or 3: slices across all three axes train one U-Net, and their probabilities are averaged. Without it 1, with preset "
     "hour 3 where slices are nearly as thin as pixels.",
     .usual = "1", .low = -1, .high = HY_MOST_PLANES,
     .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES | HARDY_OPTION_LATER | HARDY_OPTION_FITTED, .heading = IN_INPUT},
    {"percentile", HARDY_OPTION_PAIR, AT(percentile_low), "LOW,HIGH", "Intensities of a volume that become 0 and 1.",
     .usual = "2,98", .low = 0, .high = 100, .word = "percentiles", .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES,
     .heading = IN_INPUT},
    {"augment", HARDY_OPTION_TEXT, AT(augment), "HOW",
     "Classic augmentation of half of each batch, or strong geometry of all: wide.", .usual = "no-elastic",
     .choices = "published|no-elastic|none|wide", .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES | HARDY_OPTION_NEEDED,
     .heading = IN_INPUT},
    {"rotation_deg", HARDY_OPTION_REAL, AT(rotation_deg), "DEG",
     "Largest rotation of wide, both ways; 180: any. Without it by how alike the labelled objects lie.", .usual = "180",
     .low = -1, .high = 180, .word = "rotation",
     .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES | HARDY_OPTION_LATER | HARDY_OPTION_FITTED, .heading = IN_INPUT},
    {"mirror", HARDY_OPTION_REAL, AT(mirror), "P", "Probability with which wide mirrors. Without it likewise.", .usual = "0.5",
     .low = -1, .high = 1, .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES | HARDY_OPTION_LATER | HARDY_OPTION_FITTED,
     .heading = IN_INPUT},
    {"minmax", HARDY_OPTION_SWITCH, AT(minmax), NULL,
     "Scale un-augmented slices to 0..1 one by one, as prediction does, or leave them on the scale of their volume.",
     .usual = "on", .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES | HARDY_OPTION_EITHER, .heading = IN_INPUT},
    {"network", HARDY_OPTION_TEXT, AT(network), "NAME",
     "study: the two networks of the study; unet: a U-Net with skip connections.", .usual = "study", .choices = "study|unet",
     .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES | HARDY_OPTION_NEEDED | HARDY_OPTION_LATER, .heading = IN_NETWORK},
    {"network_width", HARDY_OPTION_WHOLE, AT(network_width), "N", "Channels of the U-Net on the whole grid: 16, 32, 48 or 64.",
     .usual = "16", .low = 16, .high = HY_UNET_MOST_WIDTH,
     .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES | HARDY_OPTION_LATER, .heading = IN_NETWORK},
    {"network_no_top_skip", HARDY_OPTION_SWITCH, AT(network_no_top_skip), NULL,
     "A U-Net without skip connection on the whole grid.", .word = "no-top-skip",
     .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES | HARDY_OPTION_LATER, .heading = IN_NETWORK},
    {"network_levels", HARDY_OPTION_WHOLE, AT(network_levels), "N", "Grids of the U-Net, each half of the one before.",
     .usual = "5", .low = HY_UNET_LEAST_LEVELS, .high = HY_UNET_MOST_LEVELS,
     .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES | HARDY_OPTION_LATER, .heading = IN_NETWORK},
    {"epochs", HARDY_OPTION_WHOLE, AT(epochs), "N", "Length of the training in epochs; 0: not limited by them.", .usual = "0",
     .low = 0, .high = 1e7, .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES | HARDY_OPTION_LENGTH, .heading = IN_LENGTH},
    {"iterations", HARDY_OPTION_WHOLE, AT(iterations), "N", "Length in steps.", .usual = "600", .low = 0, .high = 1e9,
     .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES | HARDY_OPTION_LENGTH, .heading = IN_LENGTH},
    {"budget_s", HARDY_OPTION_TIME, AT(budget_s), "TIME",
     "Length in time, e.g. 45m: steps are timed, then their number is fixed.", .low = 0, .high = 1e9, .word = "budget",
     .use = HARDY_OPTION_RECORDED},
    {"batch", HARDY_OPTION_WHOLE, AT(batch), "N", "Slices a step, half of them augmented; even.", .usual = "10", .low = 2,
     .high = 1024, .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES, .heading = IN_LENGTH},
    {"learning_rate", HARDY_OPTION_REAL, AT(learning_rate), "RATE", "Learning rate of Adam, the largest of a schedule.",
     .usual = "4e-3", .low = 0, .high = 1e30, .word = "lr", .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES,
     .heading = IN_LENGTH},
    {"weight_decay", HARDY_OPTION_REAL, AT(weight_decay), "W", "Weights lose rate times W of themselves at each step (AdamW).",
     .usual = "0", .low = 0, .high = 100, .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES | HARDY_OPTION_LATER,
     .heading = IN_LENGTH},
    {"schedule", HARDY_OPTION_TEXT, AT(schedule), "NAME", "Course of the learning rate.", .usual = "one-cycle",
     .choices = "constant|one-cycle", .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES | HARDY_OPTION_NEEDED,
     .heading = IN_LENGTH},
    {"loss", HARDY_OPTION_TEXT, AT(loss), "NAME", "Cross-entropy, or with soft Dice.", .usual = "ce+dice",
     .choices = "ce|ce+dice", .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES | HARDY_OPTION_NEEDED, .heading = IN_LENGTH},
    {"precision", HARDY_OPTION_TEXT, AT(precision), "NAME",
     "Of activations and products in convolutions; bf16 needs a processor with AVX-512 BF16.", .usual = "f32",
     .choices = "f32|bf16", .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES | HARDY_OPTION_NEEDED | HARDY_OPTION_LATER,
     .heading = IN_LENGTH},
    {"norm_statistics", HARDY_OPTION_TEXT, AT(norm_statistics), "NAME",
     "Under mpirun, of batch norm: of the whole batch, or of each rank's part of it.", .usual = "global",
     .choices = "global|local", .use = HARDY_OPTION_RECORDED | HARDY_OPTION_NEEDED | HARDY_OPTION_LATER, .heading = IN_LENGTH},
    {"recalibrate", HARDY_OPTION_SWITCH, AT(recalibrate), "off|on",
     "Batch-norm statistics from the training slices at the end.", .usual = "off", .choices = "off|on",
     .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES, .heading = IN_VALIDATION},
    {"ema", HARDY_OPTION_REAL, AT(ema), "DECAY",
     "Validate and save a moving average of the weights with this decay, e.g. 0.999; 0: the weights.", .usual = "0", .low = 0,
     .high = 0.999999, .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES | HARDY_OPTION_LATER, .heading = IN_LENGTH},
    {"scheme_image", HARDY_OPTION_TEXT, AT(scheme_image), "NAME", "Masks of the image code.", .usual = "random",
     .choices = "random|dropout|channel|spatial", .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES | HARDY_OPTION_NEEDED,
     .heading = IN_ABLATIONS},
    {"scheme_shape", HARDY_OPTION_TEXT, AT(scheme_shape), "NAME", "Masks of the shape code.", .usual = "random",
     .choices = "random|dropout|channel|spatial", .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES | HARDY_OPTION_NEEDED,
     .heading = IN_ABLATIONS},
    {"hard_masks", HARDY_OPTION_SWITCH, AT(hard_masks), NULL, "Mask with 0 instead of a random factor.",
     .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES, .heading = IN_ABLATIONS},
    {"threshold", HARDY_OPTION_PAIR, AT(threshold_low), "LOW,HIGH", "Share of a code that is masked.", .usual = "0,0.5",
     .low = 0, .high = 1, .word = "threshold-range", .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES,
     .heading = IN_ABLATIONS},
    {"only_x_hat", HARDY_OPTION_SWITCH, AT(only_x_hat), NULL, "Hard images only, no hard segmentations.",
     .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES, .heading = IN_ABLATIONS},
    {"separate", HARDY_OPTION_SWITCH, AT(separate), NULL, "No gradient from the slow network (STN) into the fast one (FTN).",
     .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES, .heading = IN_ABLATIONS},
    {"no_decoupler", HARDY_OPTION_SWITCH, AT(no_decoupler), NULL, "One latent code for image and shape.",
     .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES, .heading = IN_ABLATIONS},
    {"noise", HARDY_OPTION_REAL, AT(noise), "SD", "Noise on the input image.", .usual = "0.05", .low = 0, .high = 10,
     .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES, .heading = IN_INPUT},
    {"validate_every", HARDY_OPTION_WHOLE, AT(validate_every), "N",
     "Epochs between validations; fewer where a training would see less than five.", .usual = "5", .low = 1, .high = 1e7,
     .use = HARDY_OPTION_RECORDED | HARDY_OPTION_CHANGES, .heading = IN_VALIDATION},
    {"calibrate", HARDY_OPTION_SWITCH, AT(calibrate), "off|on",
     "Predicted Dice for the quality table, from the validation subjects at the end.", .usual = "on", .choices = "off|on",
     .use = HARDY_OPTION_RECORDED | HARDY_OPTION_FREE | HARDY_OPTION_LATER, .heading = IN_VALIDATION},
    {"checkpoint_every_s", HARDY_OPTION_TIME, AT(checkpoint_every_s), "TIME", "Time between checkpoints.", .usual = "5m",
     .low = 0, .high = 1e9, .word = "checkpoint-every", .use = HARDY_OPTION_RECORDED | HARDY_OPTION_FREE,
     .heading = IN_VALIDATION},
    {"threads", HARDY_OPTION_WHOLE, AT(threads), "N", "Threads; 0: as many as there are.", .usual = "0", .low = 0, .high = 1024,
     .use = HARDY_OPTION_RECORDED | HARDY_OPTION_FREE},
    {"resume", HARDY_OPTION_SWITCH, AT(resume), NULL, "Go on with the run in RUN; its options are known.", .use = 0},
    {"overwrite", HARDY_OPTION_SWITCH, AT(overwrite), NULL, "Replace the run in RUN.", .use = 0},
};

enum { N_ROWS = sizeof rows / sizeof *rows };

const hardy_options hy_train_table = {"train", HY_TABLE_ROWS(rows), sizeof(hardy_train_options), headings};

static bool is_recorded(const hardy_option *r)
{
	return (r->use & HARDY_OPTION_RECORDED) != 0;
}

/* ---- presets ------------------------------------------------------------------------------------------------------------ */

/*
 * What differs from the table's defaults, which are "quick": it reaches a useful model within minutes, "hour" what an hour of the machine at hand can
 * do. "paper" is Chen et al., MICCAI 2021. "short" is for comparisons of many runs: since batch and learning rate of "quick" were tuned
 * (docs/TRAINING.md) it need not be shorter, and the same runs serve both.
 */
static const struct preset {
	const char *name;
	const char *settings[14][2];
} presets[] = {
    {"quick", {{NULL, NULL}}},
    {"short", {{NULL, NULL}}},
    {"hour",
     {{"network_width", "32"},
      {"size", "128"},
      {"spacing_mm", "1.5"},
      {"iterations", "0"},
      {"budget_s", "1h"},
      {"planes", "-1"},
      {"validate_every", "20"}}},
    {"paper",
     {{"size", "192"},
      {"spacing_mm", "1.36719"},
      {"epochs", "600"},
      {"iterations", "0"},
      {"batch", "20"},
      {"learning_rate", "1e-4"},
      {"schedule", "constant"},
      {"loss", "ce"},
      {"augment", "published"},
      {"minmax", "off"},
      {"validate_every", "1"}}},
};

static hardy_status of_preset(hardy_train_options *o, const char *name, hardy_error *err)
{
	const struct preset *p = name ? NULL : presets;
	for (size_t i = 0; i < sizeof presets / sizeof *presets && !p; i++)
		if (!strcmp(presets[i].name, name))
			p = &presets[i];
	if (!p)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "preset is \"%s\"%s, want quick, hour, short or paper", name,
		               hy_meant(name, strlen(name), "quick, hour, short, paper").text);
	hardy_status status = HARDY_OK;
	hardy_options_default(&hy_train_table, o);
	o->preset = p->name;
	for (int i = 0; p->settings[i][0] && !status; i++)
		status = hy_options_set(o, p->settings[i][0], p->settings[i][1], err);
	return status;
}

/* ---- validity ----------------------------------------------------------------------------------------------------------- */

static hardy_status check_recipe(const hardy_train_options *o, hardy_error *err)
{
	hy_recipe r;
	const hardy_status status = hy_recipe_read(o->recipe, &r, err);
	return status ? status : hy_recipe_check(&r, o, err);
}

static const double LEAST_SPACING_MM = 0.05;

static bool is_unet(const hardy_train_options *o)
{
	return !strcmp(o->network, hy_network_names[HY_NETWORK_UNET]);
}

hardy_status hy_options_check(const hardy_train_options *o, hardy_error *err)
{
	const hardy_status status = hardy_options_check(&hy_train_table, o, err);
	if (status)
		return status;
	if (o->spacing_mm > 0 && o->spacing_mm < LEAST_SPACING_MM)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "spacing_mm is %g, want %g to 100, or 0: from the data", o->spacing_mm,
		               LEAST_SPACING_MM);
	if ((o->rotation_deg < 0 && o->rotation_deg > -1) || (o->mirror < 0 && o->mirror > -1))
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "rotation_deg is %g and mirror %g, want 0 or more, or -1: from the data",
		               o->rotation_deg, o->mirror);
	if (o->neighbours > 0 && !is_unet(o))
		return hy_fail(err, HARDY_ERROR_ARGUMENT,
		               "neighbours is %lld, but the study's networks see single slices: want 0 or network unet",
		               (long long)o->neighbours);
	if (o->planes == 0 || o->planes == 2)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "planes is %lld, want 1 or %d", (long long)o->planes, HY_MOST_PLANES);
	if (o->planes > 1 && !is_unet(o))
		return hy_fail(err, HARDY_ERROR_ARGUMENT,
		               "planes is %lld, but the study's networks see slices across one axis: want 1 or network unet",
		               (long long)o->planes);
	if (!o->output || !*o->output)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "output is missing, want the folder of the run");
	if (o->size % 16)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "size is %lld, want a multiple of 16", (long long)o->size);
	if (o->batch % 2)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "batch is %lld, want an even number: one half is augmented",
		               (long long)o->batch);
	if (!(o->percentile_low < o->percentile_high))
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "percentiles are %g and %g, want the first below the second",
		               o->percentile_low, o->percentile_high);
	if (o->threshold_low > o->threshold_high)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "threshold range is %g to %g, want the first at most the second",
		               o->threshold_low, o->threshold_high);
	if (!(o->learning_rate > 0))
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "learning_rate is %g, want more than 0", o->learning_rate);
	if (!o->epochs && !o->iterations && !(o->budget_s > 0))
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "epochs, iterations and budget are all 0, want one of them");
	if (o->unlabelled && !(o->ema > 0))
		return hy_fail(err, HARDY_ERROR_ARGUMENT,
		               "unlabelled scans are labelled by averaged weights, and ema is 0: want a decay such as 0.99");
	if (o->resume && o->overwrite)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "resume and overwrite exclude each other");
	return check_recipe(o, err);
}

hardy_status hy_options_set(hardy_train_options *o, const char *name, const char *value, hardy_error *err)
{
	const hardy_option *row = hardy_option_find(&hy_train_table, name);
	if (row && !is_recorded(row))
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "\"%s\" is of one run, not of trainings", name);
	return hy_options_set_key(&hy_train_table, o, name, value, err);
}

hy_network_config hy_options_network(const hardy_train_options *o, int channels, int classes)
{
	channels *= 2 * (o->neighbours > 0 ? (int)o->neighbours : 0) + 1; /* hy_plan_channels */
	if (is_unet(o))
		return (hy_network_config){.channels = channels,
		                           .classes = classes,
		                           .kind = HY_NETWORK_UNET,
		                           .width = (int)o->network_width,
		                           .levels = (int)o->network_levels,
		                           .no_top_skip = o->network_no_top_skip};
	return (hy_network_config){.channels = channels, .classes = classes, .decoupler = !o->no_decoupler};
}

hy_schedule hy_options_schedule(const hardy_train_options *o)
{
	return strcmp(o->schedule, "one-cycle") ? HY_SCHEDULE_CONSTANT : HY_SCHEDULE_ONE_CYCLE;
}

/* ---- presets and recipes ------------------------------------------------------------------------------------------------ */

hardy_status hardy_train_options_init(hardy_train_options *o, const char *preset, const char *recipe, hardy_error *err)
{
	hy_recipe read;
	hardy_train_options made;
	recipe = recipe ? recipe : "hardy";
	hardy_status status = hy_recipe_read(recipe, &read, err);
	if (!status)
		status = of_preset(&made, preset, err);
	const hy_recipe_row *row = status ? NULL : hy_recipe_asks(recipe);
	made.recipe = recipe;
	if (row && row->length > 0) {
		made.epochs = llround((double)made.epochs * row->length);
		made.iterations = llround((double)made.iterations * row->length);
	}
	if (row && row->fits) {
		made.size = 0;
		made.spacing_mm = 0;
		made.rotation_deg = made.mirror = -1;
		made.neighbours = -1;
	}
	for (int i = 0; row && row->settings[i][0] && !status; i++)
		status = hy_options_set(&made, row->settings[i][0], row->settings[i][1], err);
	if (!status)
		*o = made;
	return status;
}

void hardy_train_options_drop_length(hardy_train_options *o)
{
	o->epochs = o->iterations = 0;
	o->budget_s = 0;
}

/* ---- what the data decide ----------------------------------------------------------------------------------------------- */

hy_fit hy_fit_asked(const hardy_train_options *o)
{
	const bool wide = !strcmp(o->augment, "wide");
	return (hy_fit){.grid = !o->size && !(o->spacing_mm > 0),
	                .rotation = o->rotation_deg < 0 && wide,
	                .mirror = o->mirror < 0 && wide,
	                .neighbours = o->neighbours < 0 && is_unet(o),
	                .planes = o->planes < 0 && is_unet(o)};
}

void hy_fit_usual(hardy_train_options *o)
{
	hardy_train_options usual = *o;
	if (of_preset(&usual, o->preset, NULL))
		return; /* no such preset: o was never valid */
	o->size = o->size ? o->size : usual.size;
	o->spacing_mm = o->spacing_mm > 0 ? o->spacing_mm : usual.spacing_mm;
	o->rotation_deg = o->rotation_deg < 0 ? usual.rotation_deg : o->rotation_deg;
	o->mirror = o->mirror < 0 ? usual.mirror : o->mirror;
	o->neighbours = o->neighbours < 0 ? 0 : o->neighbours;
	o->planes = o->planes < 0 ? 1 : o->planes;
}

/* ---- JSON --------------------------------------------------------------------------------------------------------------- */

cJSON *hy_options_to_json(const hardy_train_options *o, bool card)
{
	cJSON *json = cJSON_CreateObject();
	for (int i = 0; i < N_ROWS && json; i++) {
		if (!is_recorded(&rows[i]) || (card && !(rows[i].use & HARDY_OPTION_CHANGES)))
			continue;
		if (!hy_option_to_json(&rows[i], o, json)) {
			cJSON_Delete(json);
			return NULL;
		}
	}
	return json;
}

cJSON *hy_options_identity(const hardy_train_options *o)
{
	hardy_train_options usual;
	cJSON *json = hardy_train_options_init(&usual, NULL, "standard", NULL) ? NULL : hy_options_to_json(o, true);
	for (int i = 0; i < N_ROWS && json; i++)
		if (rows[i].use & HARDY_OPTION_LATER && hy_option_equal(&rows[i], o, &usual))
			hy_option_drop(&rows[i], json);
	cJSON_DeleteItemFromObjectCaseSensitive(json, "preset");
	cJSON_DeleteItemFromObjectCaseSensitive(json, "recipe");
	cJSON_DeleteItemFromObjectCaseSensitive(json, "strict"); /* refuses, or changes nothing */
	return json;
}

hardy_status hy_options_from_json(hardy_train_options *o, const cJSON *json, const char *source, char **texts, hardy_error *err)
{
	size_t room = 1;
	for (int i = 0; i < N_ROWS; i++)
		room += hy_option_room(&rows[i], json);
	char *block = hy_alloc(room, 1), *text = block; /* the texts, one after the other */
	if (!block)
		return hy_fail_memory(err, source, room, 1);
	hardy_train_options read = *o;
	for (int i = 0; i < N_ROWS; i++) {
		const hy_option_read found = is_recorded(&rows[i]) ? hy_option_from_json(&rows[i], &read, json, &text) : HY_OPTION_READ;
		if (found == HY_OPTION_READ || (found == HY_OPTION_MISSING && rows[i].use & HARDY_OPTION_LATER))
			continue;
		hy_free(block);
		return hy_fail(err, HARDY_ERROR_FORMAT, "%s: option \"%s\" is %s", source, rows[i].name,
		               found == HY_OPTION_WRONG ? "of the wrong type" : "missing");
	}
	*texts = block;
	*o = read;
	return HARDY_OK;
}

/* Left to the data: 0 of what cannot be 0, -1 of the others. */
static bool is_open(const hardy_train_options *o, const hardy_option *r)
{
	const double v = hy_option_number(r, o);
	return v < 0 || (r->low >= 0 && v <= 0);
}

hardy_status hy_options_compare(const hardy_train_options *started, const hardy_train_options *wanted, const char *source,
                                bool *longer, hardy_error *err)
{
	const bool constant = hy_options_schedule(started) == HY_SCHEDULE_CONSTANT;
	bool other_length = false;
	for (int i = 0; i < N_ROWS; i++) {
		const hardy_option *r = &rows[i];
		if (!is_recorded(r) || r->use & HARDY_OPTION_FREE || hy_option_equal(r, started, wanted) ||
		    (r->use & HARDY_OPTION_FITTED && is_open(wanted, r)))
			continue;
		other_length |= (r->use & HARDY_OPTION_LENGTH) != 0;
		if (r->use & HARDY_OPTION_LENGTH && constant)
			continue;
		char was[256], is[256];
		hy_option_describe(r, started, was, sizeof was);
		hy_option_describe(r, wanted, is, sizeof is);
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: the run was started with %s %s, now it is %s: leave the option out%s",
		               source, r->name, was, is,
		               r->use & HARDY_OPTION_LENGTH ? " (its learning-rate schedule is made for that length)"
		                                            : ", or start another run");
	}
	*longer = other_length;
	return HARDY_OK;
}

/* ---- of a run ----------------------------------------------------------------------------------------------------------- */

hardy_status hardy_train_options_read(hardy_train_options *o, char **texts, const char *run, hardy_error *err)
{
	hardy_train_options read;
	cJSON *json = NULL;
	*texts = NULL;
	char *path = hy_path_join(run, "run.json");
	hardy_status status =
	    path ? hardy_train_options_init(&read, NULL, "standard", err) : hy_fail_memory(err, run, strlen(run), 1);
	if (status)
		goto out;
	if (!hy_path_exists(path)) {
		status = hy_fail(err, HARDY_ERROR_IO, "%s: is not there: no run to go on with", path);
		goto out;
	}
	if ((status = hy_json_read(path, &json, err)))
		goto out;
	const cJSON *options = cJSON_GetObjectItemCaseSensitive(json, "options");
	status = cJSON_IsObject(options) ? hy_options_from_json(&read, options, path, texts, err)
	                                 : hy_fail(err, HARDY_ERROR_FORMAT, "%s: \"options\" is missing", path);
	if (!status)
		*o = read;
out:
	cJSON_Delete(json);
	hy_free(path);
	return status;
}
