/*
 * commands.h: the program's commands as functions: they take paths and write files.
 *
 * Outputs are written only on success, under a name that is free or whose file the same function wrote; options named overwrite lift that. Option
 * structs are initialised by their `_init` function, which sets every default; strings stay the caller's. Functions are safe to call from several
 * threads on different outputs. A hardy_sink and a hardy_stop are called from the calling thread.
 *
 * Example (arguments: a folder to make):
 *
 *     #include <hardy.h>
 *     #include <stdio.h>
 *
 *     int main(int argc, char **argv)
 *     {
 *         hardy_phantom_options o;
 *         hardy_error err;
 *         hardy_phantom_options_init(&o);
 *         o.sites = "1";
 *         o.subjects = 1;
 *         o.size = 64;
 *         if (argc < 2 || hardy_phantom_make(argv[1], &o, NULL, &err)) {
 *             fprintf(stderr, "%s\n", argc < 2 ? "want a folder" : err.message);
 *             return 1;
 *         }
 *         printf("%s: one subject\n", argv[1]);
 *         return 0;
 *     }
 */
#ifndef HARDY_COMMANDS_H
#define HARDY_COMMANDS_H

#include "artefact.h"
#include "error.h"
#include "evaluate.h"
#include "version.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Room for a name with its zero byte, as long as file systems have them, and for SUBJECT_PHASE. */
enum { HARDY_NAME_SIZE = 256, HARDY_CASE_SIZE = HARDY_NAME_SIZE + 16 };

/* ---- phantom ------------------------------------------------------------------------------------------------------------ */

/* A synthetic short-axis cine data set with known volumes (docs/PHANTOM.md). */
typedef struct hardy_phantom_options {
	const char *sites; /* a number, 1 or more: the first sites of the table; or names with commas between, "A,C"; default "4" */
	int64_t subjects;  /* at each site, 1 to 99; the groups DCM, HCM, MINF, NOR, RV take turns; default 14 */
	uint64_t seed;     /* same seed, same bytes, whatever the number of threads */
	int64_t size;      /* pixels of an image's side, 64 to 512; 0: the site's own */
	int64_t frames;    /* 4 to 60: write the whole cine (patientNNN_4d.nii.gz) too; 0: end diastole and end systole only */
	int64_t threads;   /* 0: as many as OpenMP gives */
} hardy_phantom_options;

HARDY_API void hardy_phantom_options_init(hardy_phantom_options *o);

/*
 * Writes folder/siteX/patientNNN/ in the layout of the ACDC challenge (Info.cfg, frames, _gt with 1 RV, 2 myocardium, 3 LV),
 * folder/truth.csv with the volumes of the continuous shapes, and folder/phantom.json with the sites. folder must not exist or be
 * empty; it appears when everything is written.
 */
HARDY_API hardy_status hardy_phantom_make(const char *folder, const hardy_phantom_options *o, const hardy_log *log,
                                          hardy_error *err);

/* Name and description of site i of the table, or false behind its end. */
HARDY_API bool hardy_phantom_site(size_t i, const char **name, const char **about);

/* ---- data sets ---------------------------------------------------------------------------------------------------------- */

/* Receives a piece of a report; text has size bytes and a terminating zero. */
typedef struct hardy_sink {
	void (*write)(void *payload, const char *text, size_t size);
	void *payload;
} hardy_sink;

/* Asked between steps, from the calling thread; true ends the work after saving. */
typedef struct hardy_stop {
	bool (*asked)(void *payload);
	void *payload;
} hardy_stop;

typedef struct hardy_check_options {
	/* folder of a data set: ACDC, M&Ms, nnU-Net raw, images/ and labels/, or NAME with NAME_gt; or of DICOM, which dcm2niix converts */
	const char *data;
	const char *labels;   /* "lv=3,myo=2": what the data set's label values mean, overriding its layout's; NULL */
	double spacing_mm[3]; /* x, y, z; > 0 overrides the files' spacing on that axis */
	/*
	 * Labels outside of slices of size x size pixels of grid_spacing_mm are told; 0 and 0: of the grid that hardy_train takes from the
	 * labels, one of them 0: 96 pixels, or 2 mm.
	 */
	int64_t size;
	double grid_spacing_mm;
	bool json;              /* the report as one JSON object instead of text */
	bool verbose;           /* in text, everything to look at; else the first of each kind and how many more there are */
	const char *scratch;    /* where a private folder for scans that are converted may be made; NULL: /tmp */
	const hardy_stop *stop; /* asked while they are converted: HARDY_ERROR_INTERRUPTED; NULL */
} hardy_check_options;

HARDY_API void hardy_check_options_init(hardy_check_options *o);

/*
 * Reads every scan and label of a data set and reports subjects, phases, shapes, spacing, label volumes, and everything wrong
 * with the remedy. Goes on after a bad case. HARDY_ERROR_PARTIAL when some scans cannot be used, HARDY_ERROR_DATA when none
 * can; the report is complete then, too. Other errors come without a report.
 */
HARDY_API hardy_status hardy_check(const hardy_check_options *o, const hardy_sink *report, const hardy_log *log,
                                   hardy_error *err);

/* ---- training ----------------------------------------------------------------------------------------------------------- */

/*
 * How a model is trained. Chen et al., "Cooperative training and latent space data augmentation for robust medical image
 * segmentation", MICCAI 2021, is "as published" below. Strings are the caller's.
 */
typedef struct hardy_train_options {
	const char *data;   /* folder of a data set, as in hardy_check_options */
	const char *output; /* run directory */
	const char *preset; /* set by hardy_train_options_init */
	const char
	    *recipe;  /* "hardy", "standard", "cooperative", a rival, several with + between, or a .yaml file: docs/RECIPES.md */
	int64_t seed; /* 0 to 2^53 */
	/* which scans */
	int64_t subjects;   /* to train on, drawn by seed; 0: all; -1: all, but ten of the pool of splits */
	int64_t validation; /* subjects held out when splits names none; -1: 3 in 10, five at most, none of fewer than five */
	const char *splits; /* JSON file with lists of subjects (pool or train, validation, test), or NULL */
	int64_t fold;       /* of splits that are a list of folds ("train" and "val", as nnU-Net writes), from 0; -1: no folds */
	bool strict;        /* a scan that cannot be used is an error; false: a warning, the others train */
	const char *labels; /* as in hardy_check_options */
	double header_spacing_mm[3]; /* x, y, z; > 0 overrides the files' spacing on that axis */
	const char *
	    unlabelled; /* scans without labels that join in, as inputs of hardy_predict; of `data` itself, subjects in no list; NULL */
	/* a model to start from instead of drawn weights, as in hardy_predict_options: its network, percentiles and, where size and spacing_mm are
	 * both 0, its grid are taken over, and all tensors but those made for other classes than these; NULL */
	const char *init;
	const char *data_terms; /* terms of use of the data, for the model card; NULL */
	/* slices */
	int64_t size;       /* height and width of the network's grid, a multiple of 16; 0: the preset's */
	double spacing_mm;  /* in-plane, of that grid; 0: likewise. Both 0: what the labels need, if that is much less or more */
	int64_t neighbours; /* slices on each side that the U-Net sees beside each slice, 0 to 3; -1: by the scans' spacing */
	int64_t planes;     /* across how many axes slices are taken, 1 or 3, for one U-Net; -1: by the scans' spacing and labels */
	double percentile_low, percentile_high; /* of a volume, scaled to 0 and 1 */
	const char *augment;                    /* of half of each batch: "published", "no-elastic", "none"; of all of it: "wide" */
	double rotation_deg, mirror;            /* of "wide": at most, both ways; probability; -1: by how alike the objects lie */
	bool minmax;                            /* scale un-augmented slices to [0, 1] one by one, as prediction does */
	const char *network;                    /* "study": the two networks of the study; "unet": a U-Net with skip connections */
	int64_t network_width, network_levels;  /* of the U-Net: channels of the whole grid, 16, 32, 48 or 64; grids, 2 to 6 */
	bool network_no_top_skip;               /* of the U-Net: no skip connection on the whole grid */
	/* optimisation. The least of epochs, iterations and budget that is not 0 ends the training */
	int64_t epochs, iterations;
	double budget_s; /* the number of steps is fixed after timing a few */
	int64_t batch;   /* half of it augmented slices, half the same slices as they are; even */
	double learning_rate;
	double weight_decay;  /* decoupled from the gradient: weights lose learning rate times this of themselves at each step; 0 */
	const char *schedule; /* "constant", "one-cycle" */
	const char *loss;     /* "ce", "ce+dice" */
	const char *precision; /* of activations and products in convolutions: "f32"; "bf16" where the processor has AVX-512 BF16 */
	const char *
	    norm_statistics; /* of a training on several ranks, batch norm's: "global", of the whole batch; "local", of a rank's part */
	bool recalibrate; /* batch-norm statistics from the training slices at the end */
	double ema;       /* decay of the weights' moving average, which is validated and saved instead of them; 0: none */
	/* unlabelled scans: the averaged weights label them, where their probability is at least `confidence` (0.5 to 1) */
	double unlabelled_weight, confidence;
	/* ablations of the method */
	const char *scheme_image, *scheme_shape; /* masks of z_i and z_s: "random", "dropout", "channel", "spatial" */
	bool hard_masks;
	double threshold_low, threshold_high; /* p ~ U(low, high) */
	bool only_x_hat;                      /* hard images alone, no hard segmentations */
	bool separate;                        /* no gradient from the STN into the FTN */
	bool no_decoupler;                    /* z_s = z_i */
	double noise;                         /* standard deviation, on the FTN's input */
	/* the run */
	int64_t validate_every;    /* epochs */
	bool calibrate;            /* predicted Dice, from the validation subjects */
	double checkpoint_every_s; /* seconds */
	int64_t threads;           /* 0: as many as there are */
	bool resume;               /* go on with the run in output */
	bool overwrite;            /* replace the run in output */
} hardy_train_options;

/* Name and description of recipe i of the table (docs/RECIPES.md), or false behind its end. */
HARDY_API bool hardy_train_recipe(size_t i, const char **name, const char **about);

/*
 * Every default, from a preset, "quick" (NULL), "hour", "short" or "paper", and what a recipe (NULL: "hardy") asks of the options beside it
 * (docs/RECIPES.md). HARDY_ERROR_ARGUMENT when there is none of that name. recipe stays the caller's.
 */
HARDY_API hardy_status hardy_train_options_init(hardy_train_options *o, const char *preset, const char *recipe,
                                                hardy_error *err);
/* Takes away the preset's length (epochs, iterations, budget), for those who set one of their own. */
HARDY_API void hardy_train_options_drop_length(hardy_train_options *o);
/* The options of a run that was started before, for going on with it. Their texts lie in *texts, newly allocated: release it with
 * hardy_texts_free when the options are no longer wanted. */
HARDY_API hardy_status hardy_train_options_read(hardy_train_options *o, char **texts, const char *run, hardy_error *err);

/*
 * A training may be divided over processes, one to a rank, that mpirun started (docs/SCALING.md): each calls hardy_ranks_join first, then
 * hardy_train with the same options, then hardy_ranks_leave, all from its main thread. Only hardy_train divides its work.
 */
HARDY_API bool hardy_ranks_built(void); /* whether this library was built with MPI */
/* Which of how many ranks this process is. HARDY_ERROR_UNSUPPORTED in a build without MPI. */
HARDY_API hardy_status hardy_ranks_join(int *rank, int *size, hardy_error *err);
/* Whether this rank is to tell the user why hardy_train failed: false where another one does. */
HARDY_API bool hardy_rank_speaks(void);
/* Waits for the others; with an exit_code that is not 0, of a failure that they do not know of, ends all of them. Harmless without a join. */
HARDY_API void hardy_ranks_leave(int exit_code);

/*
 * Trains a model. The run directory gets run.json (resolved options, subjects, machine), metrics.csv and metrics.jsonl (a row an
 * epoch), best.safetensors (best validation mean IoU of FTN+STN) and last.safetensors, and checkpoint.safetensors on the way.
 * HARDY_ERROR_INTERRUPTED when stop (NULL allowed) asked for it: the state is saved, and the same call with resume goes on with
 * the same bytes as an uninterrupted run (same machine, same number of threads). A non-finite loss is HARDY_ERROR_NUMERIC and
 * leaves the last checkpoint in place. Changes the calling thread's number of OpenMP threads while it runs.
 */
HARDY_API hardy_status hardy_train(const hardy_train_options *o, const hardy_log *log, const hardy_stop *stop,
                                   hardy_error *err);

/*
 * Cross-validation: n models (2 to 20), each trained on all labelled subjects but those of its fold, which are drawn by seed and which it then
 * predicts: OUTPUT/fold_K is a run, with its fold's label maps in validation/ and their scores in validation.csv; OUTPUT/folds.json has the
 * mean Dice over all scans, each by the model that has not seen it. hardy_predict takes OUTPUT as the ensemble of all. With resume, folds
 * that are done are left alone. splits, subjects and validation of o must be left open.
 */
HARDY_API hardy_status hardy_train_folds(const hardy_train_options *o, int64_t n, const hardy_log *log, const hardy_stop *stop,
                                         hardy_error *err);

/* ---- prediction --------------------------------------------------------------------------------------------------------- */

typedef struct hardy_predict_options {
	/*
	 * Models (.safetensors files, or run folders with best.safetensors or model.safetensors) and scans (NIfTI files, folders of
	 * them, data sets, folders of DICOM, which dcm2niix converts), in any order. NAME_0000 ... NAME_000k are the channels of one scan.
	 */
	const char *const *inputs;
	size_t n_inputs;
	const char *output; /* a folder, made when absent, or for one scan a name that ends in .nii.gz or .nii */
	/* These three are as the model was trained to predict (docs/MODELS.md) unless they say otherwise. */
	const char *network;    /* whose label map: "ftn", the fast one alone, "stn", FTN+STN; NULL */
	const char *components; /* "largest": the largest 3-D component of each class alone (26-connectivity); "all"; NULL */
	const char *tta;        /* mean over variants of each slice: "none", "flips", "intensity", "both"; NULL */
	const char *window;     /* field of view: "follow", moved onto structures that reach its edge, "middle"; NULL: follow, but
	                           for the study's networks */
	bool probabilities;     /* a map for every class, too */
	bool uncertainty;       /* an entropy map, too, and every quality signal also with the FTN alone */
	bool class_numbers;     /* 0, 1, 2 ... instead of the label values of the data set that the model was trained on */
	bool adapt;             /* batch-norm statistics adapted to each scan */
	int64_t stn_iterations; /* how often the STN refines its own result, 1 to 20; 1 */
	const char *precision; /* of activations and products in convolutions: "f32"; "bf16" where the processor has AVX-512 BF16 */
	double warn_dice;      /* a predicted Dice below this is a warning; 0.7 */
	bool strict;           /* warnings about a scan's quality are HARDY_ERROR_THRESHOLD */
	double spacing_mm[3];  /* x, y, z; > 0 overrides the files' spacing on that axis */
	const char *labels;    /* for data sets whose labels nothing names: "lv=3,myo=2"; NULL */
	const char *subjects;  /* a file with a subject a line, or "a,b,c": only these of the data sets; NULL: all */
	const char *split;     /* with splits: the subjects of this list only, e.g. "test"; NULL */
	const char *splits;    /* a JSON file of lists of subjects; NULL */
	int64_t fold;          /* of splits that are a list of folds, from 0; -1: no folds */
	int64_t batch;         /* slices a run; 0: chosen by the number of slices */
	int64_t threads;       /* 0: all cores */
	const char
	    *part; /* "K/N", K from 1 to N: every N-th scan from the K-th on, beside processes that take the others; NULL: all */
	bool
	    missing; /* only scans that have no label map and row in output yet, whatever model made them: goes on with such a run */
	double table_every_s; /* with one of both, seconds after which quality.csv is written meanwhile; 30 */
	bool overwrite; /* also files that hardy_predict did not write, or that were changed since; scans and labels read never */
	bool
	    bids; /* a derivative data set of BIDS: OUTPUT/sub-SUBJECT/anat/sub-SUBJECT_dseg.nii.gz with sidecars (docs/PREDICTION.md) */
	const char *scratch;    /* as in hardy_check_options */
	const hardy_stop *stop; /* asked between scans, frames of a cine and while scans are converted; NULL */
} hardy_predict_options;

HARDY_API void hardy_predict_options_init(hardy_predict_options *o);

/*
 * Predicts every scan in its own grid: OUTPUT/NAME.nii.gz, NAME being the scan's or SUBJECT_PHASE in a data set; with several
 * models the arg max of their mean probabilities. Every frame of a 4-D scan is a scan of its own in a 4-D label map. Further
 * maps go to OUTPUT/entropy/NAME.nii.gz and OUTPUT/probabilities/NAME_CLASS.nii.gz, a row a scan (or frame) to
 * OUTPUT/quality.csv; what the label values mean to OUTPUT/labels.json, for ITK-SNAP to labels.label and for 3D Slicer to labels.ctbl. With
 * a file as output these are called like it: NAME_entropy.nii.gz, NAME_quality.csv, NAME_labels.json ...
 *
 * A file appears only when it is complete; a scan's files appear together or, when one cannot be written, not at all. A scan
 * that fails is a warning and a row in quality.csv, what an earlier run wrote under its name is removed, and the others go on:
 * HARDY_ERROR_PARTIAL. When all fail, the first one's error is returned. HARDY_ERROR_THRESHOLD: see strict. HARDY_ERROR_INTERRUPTED when stop
 * asked: what was done until then stands in OUTPUT and in its quality.csv.
 */
HARDY_API hardy_status hardy_predict(const hardy_predict_options *o, const hardy_log *log, hardy_error *err);

/* ---- export -------------------------------------------------------------------------------------------------------------- */

typedef struct hardy_export_options {
	const char *model;  /* a .safetensors file, or the folder of a training */
	const char *output; /* the file, whose name ends in .onnx */
	const char *
	    network; /* of the study's networks "ftn", the fast one alone, or "stn", FTN+STN; NULL: as the model was trained to predict */
	bool overwrite; /* also a file that hardy_export did not write */
} hardy_export_options;

HARDY_API void hardy_export_options_init(hardy_export_options *o);

/*
 * Writes a model as an ONNX file (operator set 13) for other programs to run. Input "image": n x channels x height x width, float32, prepared
 * by the plan; any n, height and width multiples of the network's stride. Outputs "logits" and "probabilities": n x classes x height x width.
 * Metadata: plan, classes, channels, fingerprint, card (docs/ONNX.md). The same model gives the same bytes.
 */
HARDY_API hardy_status hardy_export(const hardy_export_options *o, hardy_error *err);

/* ---- predicted Dice ----------------------------------------------------------------------------------------------------- */

typedef struct hardy_calibrate_options {
	const char *model;    /* a .safetensors file, or a run folder with best.safetensors or model.safetensors */
	const char *data;     /* a labelled data set of the model's channels and classes */
	const char *output;   /* the model with its calibration; NULL: the model's own file is replaced */
	double spacing_mm[3]; /* as in hardy_predict_options, as the next four */
	const char *labels, *subjects, *split, *splits;
	int64_t fold; /* as in hardy_predict_options */
	int64_t threads;
	bool overwrite; /* whatever is at output */
} hardy_calibrate_options;

HARDY_API void hardy_calibrate_options_init(hardy_calibrate_options *o);

/*
 * Fits the predicted Dice of a model: how the Dice of a scan's label map follows from signals that need no truth (how sure the networks
 * are, how far they agree), on labelled scans and copies of them spoiled in memory (docs/PREDICTION.md). hardy_train does the same
 * with its validation subjects. Scans of subjects that the model was trained on are left out, by its card. report gets how many
 * scans it rests on, and its error on subjects that were held out. HARDY_ERROR_DATA below 3 subjects. When stop (NULL allowed) asks
 * nothing is written: HARDY_ERROR_INTERRUPTED.
 */
HARDY_API hardy_status hardy_calibrate(const hardy_calibrate_options *o, const hardy_sink *report, const hardy_log *log,
                                       const hardy_stop *stop, hardy_error *err);

/* ---- evaluation --------------------------------------------------------------------------------------------------------- */

/* Heart function from volumes at end diastole (ED) and end systole (ES). */
typedef enum hardy_heart_index {
	HARDY_HEART_LV_EDV, /* mL */
	HARDY_HEART_LV_ESV,
	HARDY_HEART_LV_SV,   /* EDV - ESV */
	HARDY_HEART_LV_EF,   /* 100 SV / EDV, percent */
	HARDY_HEART_LV_MASS, /* g: myocardium at ED, 1.05 g/mL */
	HARDY_HEART_RV_EDV,
	HARDY_HEART_RV_ESV,
	HARDY_HEART_RV_SV,
	HARDY_HEART_RV_EF,
	HARDY_N_HEART_INDICES
} hardy_heart_index;

HARDY_API const char *hardy_heart_index_name(hardy_heart_index index); /* "lv_edv_ml", "lv_ef_percent" ... */

typedef struct hardy_evaluate_options {
	const char *prediction; /* a label map, or a folder of them named like the cases */
	const char *reference;  /* a label map, a folder of label maps, or a labelled data set of any layout */
	const char *labels;     /* "lv=3,myo=2,rv=1": what the reference's values mean, overriding a data set's layout; NULL */
	const char *classes;    /* "LV,RV": score these only; NULL: all that the reference has */
	/* What the values of predictions mean is said by the table that hardy_predict wrote beside them (OUTPUT/labels.json); without one, or with
	 * own_labels, they are the reference's own; with class_numbers they count its classes (hearts: LV 1, MYO 2, RV 3). */
	bool own_labels, class_numbers;
	bool with_training;   /* score also cases of subjects that the predicting models were trained on, as that table has it */
	double spacing_mm[3]; /* x, y, z; > 0 overrides the reference's spacing on that axis */
	double tolerance_mm;  /* of NSD; 2 */
	hardy_empty_rule empty;
	bool labelled_slices; /* score only slices in which the reference has a label; distances in the plane, mean over slices */
	bool hd95_directed;   /* larger of the two directed percentiles instead of the percentile of both lists pooled */
	bool assd_directed;   /* half the sum of the directed means instead of the mean of both lists pooled */
	bool nsd_surfels;     /* surfaces weighted by area instead of voxels counted */
	bool allow_missing;   /* a case without its counterpart is listed, but no failure */
	bool
	    strict; /* a reference that cannot be used, or a case that cannot be scored, is an error; false: the others are scored */
	const char *quality;   /* the quality table of the predictions: how well its predicted Dice agrees; NULL */
	double threshold_dice; /* NaN: none; else HARDY_ERROR_THRESHOLD when the mean Dice is below or undefined */
	/*
	 * A folder, made when absent, where scores of cases are kept: what is kept there already, by any call with these settings and of the
	 * same files (names, sizes, times of change), is not scored again. NULL: none.
	 */
	const char *keep;
	const char *part; /* "K/N", with keep: every N-th case from the K-th on, beside processes that take the others; NULL: all */
	double keep_every_s;    /* seconds after which what was scored is written meanwhile; 30 */
	const hardy_stop *stop; /* asked between cases: HARDY_ERROR_INTERRUPTED, and what was scored is kept; NULL */
} hardy_evaluate_options;

HARDY_API void hardy_evaluate_options_init(hardy_evaluate_options *o);

/* One class of one case. */
typedef struct hardy_score_row {
	char name[HARDY_CASE_SIZE], subject[HARDY_NAME_SIZE], phase[16], site[HARDY_NAME_SIZE], class_name[HARDY_NAME_SIZE];
	hardy_row_state state;
	int64_t n_slices; /* scored */
	double value[HARDY_N_SCORES];
} hardy_score_row;

/* Over the defined values. */
typedef struct hardy_score_mean {
	double mean, sd; /* NaN without enough values */
	size_t n, n_undefined;
} hardy_score_mean;

typedef struct hardy_class_scores {
	char class_name[HARDY_NAME_SIZE];
	hardy_score_mean score[HARDY_N_SCORES];
	size_t n_state[HARDY_N_ROW_STATES];
} hardy_class_scores;

typedef struct hardy_heart_row {
	char subject[HARDY_NAME_SIZE], site[HARDY_NAME_SIZE];
	double prediction[HARDY_N_HEART_INDICES], reference[HARDY_N_HEART_INDICES]; /* NaN where a class is not scored */
} hardy_heart_row;

/* A case that could not be scored. */
typedef struct hardy_evaluation_failure {
	char name[HARDY_CASE_SIZE];
	bool missing; /* no counterpart, as opposed to unreadable or not fitting */
	char message[1024];
} hardy_evaluation_failure;

/* How well predicted Dice agrees with the true one, mean over the classes that are scored. */
typedef struct hardy_forecast {
	size_t n, n_subjects; /* predictions whose Dice is known, and whose they are; n 0: none */
	size_t n_below;       /* with a Dice below 0.7 */
	double auc, auc_low,
	    auc_high;     /* area under the curve for telling these, 95 % interval (bootstrap over subjects); NaN: undefined */
	double error;     /* mean absolute */
	double below_low; /* share whose Dice lies below the predicted lower bound */
} hardy_forecast;

/* Owned by the caller, released by hardy_evaluation_clear. */
typedef struct hardy_evaluation {
	hardy_evaluate_options options; /* strings not kept: NULL */
	size_t n_cases;                 /* scored */
	size_t n_rows;                  /* cases by classes, in the reference's order */
	hardy_score_row *rows;
	size_t n_classes;
	hardy_class_scores *classes;
	double mean[HARDY_N_SCORES]; /* mean over classes of the classes' means */
	size_t n_hearts;
	hardy_heart_row *hearts;                                  /* subjects with ED and ES, when the classes are LV, MYO, RV */
	hardy_score_mean heart_difference[HARDY_N_HEART_INDICES]; /* prediction minus reference */
	hardy_forecast forecast;                                  /* with options.quality */
	size_t n_failures;
	hardy_evaluation_failure *failures;
} hardy_evaluation;

/*
 * Scores predictions against a reference, case by case on all cores. Voxel grids must have one shape; the reference's spacing
 * counts. A prediction for a data set's case is named SUBJECT_PHASE or like the case's image or label file. Conventions:
 * docs/METRICS.md. HARDY_ERROR_PARTIAL when some cases failed or lack their counterpart (listed in failures),
 * HARDY_ERROR_THRESHOLD below threshold_dice: out is complete then, too. When no case can be scored the first failure's error
 * is returned. With keep and part, out is of the part's cases, whose number may be 0; a call without part, when all parts are done, has what one
 * call for all would have, byte for byte.
 */
HARDY_API hardy_status hardy_evaluate(const hardy_evaluate_options *o, hardy_evaluation *out, const hardy_log *log,
                                      hardy_error *err);
HARDY_API void hardy_evaluation_clear(hardy_evaluation *e);

typedef enum hardy_evaluation_format {
	HARDY_EVALUATION_TEXT,     /* a table for people */
	HARDY_EVALUATION_JSON,     /* everything, undefined values null */
	HARDY_EVALUATION_CSV,      /* a row a case and class, then rows named MEAN; undefined fields are empty */
	HARDY_EVALUATION_CSV_HEART /* a row a subject; undefined fields are empty */
} hardy_evaluation_format;

HARDY_API hardy_status hardy_evaluation_write(const hardy_evaluation *e, hardy_evaluation_format format, const hardy_sink *sink,
                                              hardy_error *err);
/* To a file, atomically. overwrite: also one that is not of this format. */
HARDY_API hardy_status hardy_evaluation_save(const hardy_evaluation *e, hardy_evaluation_format format, const char *path,
                                             bool overwrite, hardy_error *err);
/* The error that hardy_evaluation_save would have for what lies at path, to be known before the work. */
HARDY_API hardy_status hardy_evaluation_check(hardy_evaluation_format format, const char *path, bool overwrite,
                                              hardy_error *err);

/* ---- artefacts ---------------------------------------------------------------------------------------------------------- */

typedef struct hardy_corrupt_options {
	const char *const *inputs; /* scans (NIfTI files, every frame of them), folders of them, data sets */
	size_t n_inputs;
	const char *output;           /* a folder, made when absent, or for one result a name that ends in .nii.gz or .nii */
	const char *const *artefacts; /* names of the table, or "acdc-c": the first four within the steps of that protocol */
	size_t n_artefacts;
	/*
	 * Instead of drawing: a file that hardy_corrupt wrote beside a scan, which makes the same again (artefacts may be empty then);
	 * or for one artefact some of its parameters, as such a file, as JSON text, or as "intensity=0.8,axis=1". NULL: draw all.
	 */
	const char *parameters;
	int64_t seed;         /* 0 to 2^53 */
	int64_t copies;       /* draws of each, 1 to 1000; 1 */
	int64_t level;        /* 1 to 5: severity; 0: as ACDC-C draws */
	const char *centre;   /* of motion's rotations: "origin" of space, as TorchIO and ACDC-C have it, or "image" */
	double spacing_mm[3]; /* x, y, z; > 0 overrides the files' spacing on that axis */
	const char *labels;   /* as in hardy_predict_options, as the next three */
	const char *subjects, *split, *splits;
	int64_t fold;    /* as in hardy_predict_options */
	int64_t threads; /* 0: all cores */
	bool overwrite;  /* also files that hardy_corrupt did not write, or that were changed since; scans and labels read never */
} hardy_corrupt_options;

HARDY_API void hardy_corrupt_options_init(hardy_corrupt_options *o);

/*
 * Spoils every scan with every artefact: OUTPUT/ARTEFACT_COPY/NAME.nii.gz (of acdc-c: OUTPUT/acdc-c_ARTEFACT_COPY/) in the scan's own
 * grid and with its header, as float32, and beside it NAME.json with the parameters. NAME is the scan's or SUBJECT_PHASE in a data
 * set. With a file as output: that file, and the same with .json. Same seed, same bytes. A scan that fails is a warning, and the
 * others go on: HARDY_ERROR_PARTIAL. When all fail, the first one's error is returned.
 */
HARDY_API hardy_status hardy_corrupt(const hardy_corrupt_options *o, const hardy_log *log, hardy_error *err);

typedef struct hardy_stress_options {
	const char *const *inputs; /* models (several are an ensemble) and one labelled data set, in any order; one channel */
	size_t n_inputs;
	const char *output;   /* folder, made when absent */
	bool sweep;           /* also five levels of each artefact, and of a shifted field of view */
	int64_t seed;         /* of the draws, 0 to 2^53 */
	int64_t copies;       /* draws of each artefact, 1 to 100; 3 */
	int64_t sweep_copies; /* draws of each artefact and level; 1 */
	bool adapt;           /* as in hardy_predict_options, as all that follow */
	int64_t stn_iterations;
	const char *tta;
	double spacing_mm[3];
	const char *labels, *subjects, *split, *splits;
	int64_t fold; /* as in hardy_predict_options */
	int64_t batch, threads;
	bool overwrite; /* also files of these names that hardy_stress did not write */
} hardy_stress_options;

HARDY_API void hardy_stress_options_init(hardy_stress_options *o);

/*
 * The ACDC-C protocol in memory (docs/ARTEFACTS.md): every labelled case, as it is and spoiled by bias field, ghosting, motion and
 * spike, segmented by FTN and FTN+STN and scored by 3-D Dice on the protocol's grid. OUTPUT gets cases.csv (a row a case,
 * artefact, level, copy and network), stress.json (means, and the share of cases with a mean Dice below 0.5 and 0.1) and with sweep
 * sweep.csv (the same by level). report gets the tables. A case that fails is a warning: HARDY_ERROR_PARTIAL. When stop (NULL
 * allowed) asks, what is done so far is written: HARDY_ERROR_INTERRUPTED.
 */
HARDY_API hardy_status hardy_stress(const hardy_stress_options *o, const hardy_sink *report, const hardy_log *log,
                                    const hardy_stop *stop, hardy_error *err);

/* ---- experiments -------------------------------------------------------------------------------------------------------- */

/* Name and title of experiment i of the table (docs/EXPERIMENTS.md), or false behind its end. */
HARDY_API bool hardy_experiment_name(size_t i, const char **name, const char **title);

typedef struct hardy_experiment_options {
	const char *name; /* of the table: "latent-vs-image" ... */
	/*
	 * The training set first, then other sites: "[NAME=]FOLDER", with any of ":labels=lv=3,myo=2", ":classes=LV", ":title=TEXT" and
	 * ":labelled-slices" behind it. Test sets are the first one's test subjects, the others, and the former with each artefact.
	 */
	const char *const *data;
	size_t n_data;
	const char *output;    /* folder, made when absent */
	const char *preset;    /* of hardy_train_options_init */
	const char *splits;    /* JSON file of subjects: pool, validation, test; NULL: drawn once, OUTPUT/splits.json */
	const char *methods;   /* "a,b" of the experiment's; NULL: the study's; "all": also those beyond it */
	const char *precision; /* of the training, as in hardy_train_options; NULL: the preset's */
	/* training options that differ from the preset, by their names in run.json: "iterations=3000", "recalibrate=on" */
	const char *const *settings;
	size_t n_settings;
	int64_t seeds, first_seed; /* 3 from 0 */
	int64_t copies;            /* draws of each artefact and test scan; 3 */
	bool adapt;                /* score with batch-norm statistics adapted to each scan */
	bool strict;         /* a scan that cannot be used is an error; false: a warning, and the others train and are scored */
	int64_t jobs;        /* runs at a time, as processes of `program`; 1: one after the other in this process */
	int64_t threads;     /* of each run; 0: all, shared among the jobs */
	const char *program; /* path of the program hardy; wanted for jobs */
	bool dry_run;        /* tell runs, subjects and time, and do nothing */
	bool retry_failed;
	const char *const *results; /* files of results, or folders with files that end in .jsonl: their runs are not repeated */
	size_t n_results;
	const char *run; /* "METHOD-SEED": do this run alone and leave the ledger to whoever collects; NULL */
	bool collect;    /* make no run, only collect those that are done */
	/* write commands to the report instead: "shell", a script of one command a run; "slurm", one that submits a job array and a job that
	 * collects; NULL */
	const char *emit;
	bool overwrite; /* also files of its names in output that are no experiment's */
} hardy_experiment_options;

HARDY_API void hardy_experiment_options_init(hardy_experiment_options *o);

/*
 * Trains every method with every seed and scores FTN and FTN+STN of each model on every test set. OUTPUT gets experiment.json (what is
 * compared on what), results.jsonl (a line a finished run, under a key that is the hash of configuration and data), failed.jsonl,
 * and runs/METHOD-SEED. A run whose key is known is not made again, an interrupted one goes on, a failed one waits for
 * retry_failed. HARDY_ERROR_PARTIAL when runs failed; HARDY_ERROR_INTERRUPTED when stop asked: the same call goes on.
 */
HARDY_API hardy_status hardy_experiment(const hardy_experiment_options *o, const hardy_sink *report, const hardy_log *log,
                                        const hardy_stop *stop, hardy_error *err);

/* ---- demonstration ------------------------------------------------------------------------------------------------------ */

/* The whole job on the phantom: training on the first site by the recipes standard, cooperative and hardy, all sites scored. */
typedef struct hardy_demo_options {
	const char *sites;         /* as in hardy_phantom_options; 2 or more; default "4" */
	int64_t subjects;          /* at each site; default 16 */
	int64_t train;             /* of the first site's subjects, to train on; at least 2 fewer; default 10 */
	uint64_t seed;             /* of anatomy, split and training */
	int64_t size;              /* of the network's grid; default 80 */
	double spacing_mm;         /* of that grid; default 2.4 */
	int64_t iterations, batch; /* training steps (hardy makes five times as many) and slices a step */
	int64_t threads;           /* 0: as many as there are */
} hardy_demo_options;

HARDY_API void hardy_demo_options_init(hardy_demo_options *o);

/*
 * Writes into folder (which must not exist): data/ (the phantom), standard/, cooperative/ and hardy/ (the runs), scores.csv (Dice of
 * every scan), worst.png (each site's worst scan: image, truth, all predictions). report gets the table.
 */
HARDY_API hardy_status hardy_demo(const char *folder, const hardy_demo_options *o, const hardy_sink *report,
                                  const hardy_log *log, const hardy_stop *stop, hardy_error *err);

/* ---- inspection and benchmarks ------------------------------------------------------------------------------------------ */

/*
 * Describes a scan, a model (.safetensors) or the folder of a run (run.json) as text or, with json, as one JSON object.
 * Nothing is written to the report when there is an error.
 */
HARDY_API hardy_status hardy_inspect(const char *path, bool json, const hardy_sink *report, hardy_error *err);

/*
 * Whether the tensors of a model or checkpoint are those that were written: their SHA-256 against the one in the file's metadata. The report
 * gets a line that says so, or that the file has none (as the files of others and of earlier versions); other tensors are
 * HARDY_ERROR_DATA.
 */
HARDY_API hardy_status hardy_verify(const char *path, const hardy_sink *report, hardy_error *err);

/* What is measured, and on what. Strings are the caller's. docs/PERFORMANCE.md says what the figures mean. */
typedef struct hardy_bench_options {
	const char *what;    /* "step", "infer", "predict", "kernels", "artefacts", "metrics" */
	int64_t size;        /* height and width of slices, a multiple of 16; 192 */
	int64_t batch;       /* slices of a training step; 20 */
	int64_t slices;      /* of infer and predict; 10 */
	int64_t steps;       /* timed runs of everything, at least; 5 */
	double seconds;      /* the timed runs of a short one take together, at least; 0.2. 0: a trial, machine measured roughly */
	const char *network; /* "study" (default) or "unet", of step, infer, predict, kernels */
	bool standard;       /* step, kernels: standard training; false: cooperative, which the U-Net has not */
	bool profile;        /* step, infer: a row for each operator, and what more threads could bring */
	bool shapes;         /* with profile: a row for each operator and shape */
	bool json;           /* one JSON object a line instead of text */
	const char *schemes; /* masks of z_i and z_s, fixed so that steps are alike; "channel,spatial" */
	const char *threads; /* "1,2": each in turn; NULL: as many as there are */
	const char *isa;     /* kernels: "auto", "plain", "avx2", "avx512", "avx512-bf16" */
	const char *library; /* convolutions: "auto", "plain", "onednn", "taps", "ours" */
	const char *program; /* predict: path of the program hardy */
	const char *folder;  /* an existing one for temporary files; "/tmp" */
	/* predict: model and scan; metrics: two label maps; none: of the phantom, with drawn weights */
	const char *const *files;
	size_t n_files;
	int64_t label;       /* metrics: the class; 1 */
	double tolerance_mm; /* metrics: of NSD; 2 */
} hardy_bench_options;

HARDY_API void hardy_bench_options_init(hardy_bench_options *o);

/*
 * Measures and reports as it goes. Changes the calling thread's number of OpenMP threads while it runs, forgets the process's peak
 * memory, and for "predict" starts processes.
 */
HARDY_API hardy_status hardy_bench(const hardy_bench_options *o, const hardy_sink *report, const hardy_log *log,
                                   hardy_error *err);

/* ---- reports ------------------------------------------------------------------------------------------------------------ */

/*
 * Draws scans and the borders of their label maps side by side into a PNG. The table is CSV without quotes: titles first, then a
 * row a scan: caption, scan, label maps (1 to 8, the reference first, all in the scan's grid). Shown is the slice in which the
 * maps differ most from the reference. overwrite: also a file that hardy did not draw.
 */
HARDY_API hardy_status hardy_picture(const char *table_path, const char *png_path, bool overwrite, const hardy_log *log,
                                     hardy_error *err);

typedef struct hardy_figures_options {
	const char *model, *data; /* a model file or run folder; a labelled data set of one channel */
	const char *output;       /* folder, made when absent */
	const char *scan;         /* SUBJECT_PHASE; NULL: the first labelled one */
	const char *labels;       /* as in hardy_check_options */
	int64_t seed;             /* of masks and draws, 0 to 2^53 */
	bool overwrite;           /* also files of these names that hardy_figures did not write */
} hardy_figures_options;

HARDY_API void hardy_figures_options_init(hardy_figures_options *o);

/*
 * Pictures of what makes examples hard, on one slice of a scan: OUTPUT/fig2.png (segmentations corrupted by latent masks, hard and soft, by
 * threshold), fig3.png (by scheme, with their entropy), fig7.png (the image after every augmentation and artefact), and figures.json
 * with captions. Same seed, same bytes.
 */
HARDY_API hardy_status hardy_figures(const hardy_figures_options *o, const hardy_log *log, hardy_error *err);

typedef struct hardy_report_options {
	const char *output;  /* the HTML file; NULL: FOLDER/report.html */
	const char *figures; /* folder of hardy_figures; NULL: FOLDER/figures if it is there */
	/* Of each test set in the viewer: the worst, the best, and others in between; of a training as many of the worst, the middle and the best
	 * validation scans; of predictions all that fit, unless it is 0. 0 to 1000; 4. */
	int64_t cases;
	bool overwrite;      /* also a file that hardy_report did not write */
	const char *scratch; /* as in hardy_check_options, for predictions of DICOM */
} hardy_report_options;

HARDY_API void hardy_report_options_init(hardy_report_options *o);

/*
 * The folder of an experiment as one HTML file: tables, plots, and how it all came about (docs/REPORT.md); that of hardy_train or
 * hardy_train_folds: how good the model is, its validation scans (segmented again, if the data set is where it was) and its plan; or that of
 * hardy_predict: every scan with its label map, the least trusted first. It needs nothing besides itself and asks no network for anything.
 * HARDY_ERROR_IO when folder is none of these.
 */
HARDY_API hardy_status hardy_report(const char *folder, const hardy_report_options *o, const hardy_log *log, hardy_error *err);

#ifdef __cplusplus
}
#endif
#endif
