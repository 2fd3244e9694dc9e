/*
 * predictor.h: prediction in memory: a scan in its own grid in, label map, maps and quality signals out.
 *
 * A predictor holds one or more models (an ensemble: the mean of their class probabilities) and their recorded forward passes,
 * which are made once and run for any number of scans. One thread at a time.
 */
#ifndef HY_PREDICT_PREDICTOR_H
#define HY_PREDICT_PREDICTOR_H

#include "network/infer.h"
#include "predict/model.h"
#include "predict/signals.h"

typedef enum hy_which { HY_FTN, HY_STN /* FTN+STN */ } hy_which;

typedef struct hy_predictor_options {
	hy_which which;        /* whose label map, probabilities and entropy are wanted; HY_STN */
	bool both;             /* run the other one, too: its label map and how far both disagree */
	bool reconstruct;      /* reconstruction error */
	bool probabilities;    /* keep them, in the scan's grid */
	bool entropy;          /* entropy map and its mean in the foreground */
	bool keep_largest;     /* hy_keep_largest on the label maps */
	bool recentre;         /* structures at the edge of a plan's field of view move it, see hy_predictor_run */
	bool adapt;            /* batch-norm statistics adapted to the scan, see hy_predictor_run */
	int stn_iterations;    /* how often the STN refines its own result; 0 and 1: once */
	bool signals;          /* needs FTN+STN, and both: prediction.signals */
	bool flips, intensity; /* probabilities averaged over variants of the slices: variants.h */
	int64_t batch; /* slices a run; 0: chosen from the number of slices, so that a scan's result never depends on others */
	hy_tape_options engine;
} hy_predictor_options;

void hy_predictor_options_init(hy_predictor_options *o);
/* Sets which, keep_largest and flips to what was chosen for the model, if anything was; recentre for all networks but the study's. */
void hy_predictor_options_use(hy_predictor_options *o, const hy_model *m);

/* tta: "none", "flips", "intensity", "both"; NULL leaves the options as they are. */
void hy_tta_set(hy_predictor_options *o, const char *tta);

/* How a model is to predict, in the words of options; NULL leaves it as it is. */
typedef struct hy_predictor_words {
	const char *network;    /* "ftn", "stn" */
	const char *components; /* "largest", "all" */
	const char *tta;        /* as in hy_tta_set */
	const char *window;     /* "follow", "middle" */
	const char *precision;  /* "f32", "bf16"; not NULL */
} hy_predictor_words;

/* Whether they are known, and the processor can do it. */
hardy_status hy_predictor_words_check(const hy_predictor_words *w, hardy_error *err);
void hy_predictor_options_say(hy_predictor_options *o, const hy_predictor_words *w);

typedef struct hy_prediction {
	hy_labels label;             /* of options.which, class indices */
	hy_labels other;             /* of the other one when options.both, else data is NULL */
	float *probabilities;        /* owned: classes x nz x ny x nx, or NULL */
	float *entropy;              /* owned: nz x ny x nx, Shannon entropy of the class probabilities / log(classes), or NULL */
	double mean_entropy;         /* over the voxels that label calls foreground; NaN without any */
	double disagreement;         /* 1 - mean Dice of both label maps over foreground classes that either has; 0 if none has */
	double reconstruction_error; /* mean over slices of mean (x0 - x)^2, mean over models */
	double reconstruction_z;     /* hy_fingerprint_z, mean over models that know it */
	double predicted_dice; /* mean over the models that are calibrated, each on its own signals; needs FTN+STN, and both */
	double predicted_low;  /* likewise: nine in ten scans like those of the calibration are better */
	hy_signals signals;    /* of the first model */
	int64_t n_voxels[HY_MAX_CLASSES];
	double volume_ml[HY_MAX_CLASSES];
	int n_warnings;      /* what lies outside the training fingerprint of every model; no foreground */
	char warnings[1024]; /* joined by "; " */
} hy_prediction;         /* a signal that was not asked for is NaN */

void hy_prediction_clear(hy_prediction *p);

typedef struct hy_predictor hy_predictor;

/* The models must agree in channels and classes, and stay the caller's; with adapt their statistics change during a run. */
hy_predictor *hy_predictor_new(hy_model *const *models, size_t n_models, const hy_predictor_options *o, hardy_error *err);
void hy_predictor_free(hy_predictor *p);

/*
 * image: nt = channels. Each model sees the scan through its own plan; probabilities come back to the scan's grid linearly, are
 * averaged there, and the label is their arg max (background outside of a plan's field of view).
 *
 * With recentre, a plan's field of view that structures reach the edge of (hy_recentre) is moved onto them, twice at most, and all models run
 * again. It moves only where one model, on the slices as they are, finds 2 % more of them there.
 *
 * With adapt the running statistics of every batch norm are replaced, for this scan only, by the mean over the model's own and
 * those of the scan's batches of slices, each weighing the same (the last batch is filled up with the first slices); so the
 * model's own weigh as much as one batch.
 */
hardy_status hy_predictor_run(hy_predictor *p, const hy_volume *image, hy_prediction *out, hardy_error *err);

/* Slices a run for a scan of n: at most 8 (as many of 192 x 192; fewer of larger ones), so that the last run lacks as few as it can;
 * of equals the most. With running statistics nothing is padded, a short run is only less work for all cores. */
int64_t hy_predictor_batch(int64_t n, int64_t size);

#endif
