/*
 * model.h: a model as it is kept on disk: the network's tensors and everything that prediction needs to know, in one
 * safetensors file.
 *
 * Tensors are named as in the authors' state dict (num_batches_tracked of every batch norm included, I64 scalars).
 * `__metadata__` holds strings: "hardy_version", "plan" (JSON of hy_plan), "classes" (JSON list of {name, value}), "channels"
 * (JSON list of names), "network" (JSON: channels, classes, decoupler), "fingerprint" (JSON of hy_fingerprint), "use" (JSON of hy_use, if chosen), "quality" (JSON of hy_calibration, if there is one), "tensors_sha256", "card" (JSON:
 * data, subjects, terms, intended use, recipe, seed, date-free so that the same run gives the same bytes), "state" in
 * checkpoints.
 */
#ifndef HY_PREDICT_MODEL_H
#define HY_PREDICT_MODEL_H

#include "dataset/dataset.h"
#include "dataset/preprocess.h"
#include "network/network.h"
#include "predict/calibration.h"

/* What the training scans looked like; prediction warns outside of it. Ranges over the training volumes, before normalisation.
 */
typedef struct hy_fingerprint {
	int64_t n_volumes;
	double spacing_low_mm[3], spacing_high_mm[3];
	double matrix_low[3], matrix_high[3];
	/* per channel, of the intensities as the network sees them (after percentiles and scaling): mean and standard deviation */
	double mean_low[HY_MAX_CHANNELS], mean_high[HY_MAX_CHANNELS], sd_low[HY_MAX_CHANNELS], sd_high[HY_MAX_CHANNELS];
	/* reconstruction error (mean squared) on the training slices: mean and standard deviation; 0 when unknown */
	double reconstruction_mean, reconstruction_sd;
} hy_fingerprint;

/* How the model is to predict unless its user says otherwise: what was best on validation subjects. */
typedef struct hy_use {
	bool chosen;             /* false: nobody chose, FTN+STN (or the network alone) and nothing else */
	bool ftn;                /* the FTN's label map, not FTN+STN's */
	bool keep_largest;       /* hy_keep_largest on it */
	bool flips;              /* probabilities averaged over mirrored slices (variants.h) */
	double dice, plain_dice; /* mean over validation cases on the network's grid, so and without any of it */
} hy_use;

typedef struct hy_model {
	hy_network network;
	hy_plan plan;
	int n_classes;
	hy_class classes[HY_MAX_CLASSES]; /* names, and the training data set's own values */
	int n_channels;
	char channels[HY_MAX_CHANNELS][HY_NAME_SIZE];
	hy_fingerprint fingerprint;
	hy_use use;
	hy_calibration calibration; /* of the predicted Dice; version 0: none */
	char *card;                 /* owned JSON text, or NULL */
} hy_model;

/*
 * Adam's moments, averaged weights if there are any, and the caller's own state string go along in a checkpoint (tensors
 * "adam.first_moment.NAME", "adam.second_moment.NAME", "average.NAME", metadata "adam_steps" and "state"). state NULL: a plain model. mark: as in hy_outfile_open; HY_MARK_JSON for models of hardy.
 */
hardy_status hy_model_save(const hy_model *m, const char *path, const char *state, const char *mark, hardy_error *err);

/*
 * Loads a model or a checkpoint. A bare state dict without metadata (the authors' weights, converted) is read with the
 * published plan and heart classes; missing num_batches_tracked is allowed; any other missing, extra or misshapen tensor is an
 * error that names it, as are non-finite values. *state (may be NULL) gets the checkpoint's state string (hy_free) or NULL.
 */
hardy_status hy_model_load(hy_model *m, const char *path, char **state, hardy_error *err);
/* The same from the bytes of such a file. Takes the buffer (from hy_alloc), whatever the result; name stands for the file in messages. */
hardy_status hy_model_parse(hy_model *m, char *buffer, size_t size, const char *name, hardy_error *err);
void hy_model_clear(hy_model *m);

/* Metadata "tensors_sha256": hy_st_hash of all tensors, which hy_model_save writes and hardy_verify checks. */
#define HY_MODEL_HASH "tensors_sha256"

#endif
