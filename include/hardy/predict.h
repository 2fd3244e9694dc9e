/*
 * predict.h: segmentation in memory: a scan in, label map, maps and quality signals out.
 *
 * A hardy_predictor holds one or more models (an ensemble: the mean of their class probabilities) and the memory that their networks run in, made
 * at the first scan and used again for all others of its size. It computes what `hardy predict` writes, byte for byte.
 *
 * Threads. A predictor serves one thread at a time, any thread. Predictors that share models may run at the same time: each gives the bytes that
 * it gives alone. A run uses OpenMP threads (options.threads); called from a parallel region of the caller's it uses its one. The calling
 * thread's number of OpenMP threads is as before when a function returns. No callback is made.
 *
 * Example (arguments: a model, a scan, a file to write):
 *
 *     #include <hardy.h>
 *     #include <stdio.h>
 *
 *     int main(int argc, char **argv)
 *     {
 *         hardy_error err = {HARDY_OK, "want a model, a scan and a file"};
 *         hardy_model *model = NULL;
 *         hardy_volume *scan = NULL;
 *         hardy_predictor *predictor = NULL;
 *         hardy_prediction *prediction = NULL;
 *         hardy_quality quality;
 *         HARDY_INIT(quality);
 *         hardy_status status = argc < 4 ? HARDY_ERROR_ARGUMENT : hardy_model_load(argv[1], &model, &err);
 *         if (!status)
 *             status = hardy_predictor_new(model, NULL, &predictor, &err);
 *         if (!status)
 *             status = hardy_volume_read(argv[2], &scan, NULL, &err);
 *         if (!status) // and again for the next scan: the predictor stays
 *             status = hardy_predictor_run(predictor, hardy_volume_image(scan), &prediction, &err);
 *         if (!status)
 *             status = hardy_image_write(hardy_prediction_labels(prediction), argv[3], scan, true, &err);
 *         if (!status)
 *             status = hardy_prediction_quality(prediction, 0, &quality, &err);
 *         if (status)
 *             fprintf(stderr, "%s\n", err.message);
 *         else
 *             printf("predicted Dice %.2f, %d warnings\n", quality.predicted_dice, quality.n_warnings);
 *         hardy_prediction_free(prediction);
 *         hardy_predictor_free(predictor);
 *         hardy_volume_free(scan);
 *         hardy_model_free(model);
 *         return status ? 1 : 0;
 *     }
 */
#ifndef HARDY_PREDICT_H
#define HARDY_PREDICT_H

#include "error.h"
#include "image.h"
#include "model.h"
#include "version.h"

#ifdef __cplusplus
extern "C" {
#endif

/* Begin with HARDY_INIT: what is 0 or NULL is as documented here. */
typedef struct hardy_predictor_options {
	size_t size; /* sizeof(hardy_predictor_options) */
	/* These four are as the model was trained to predict where they are NULL; window then follows but for the study's networks. */
	const char *network;    /* whose label map: "ftn", the fast one alone, or "stn", FTN+STN */
	const char *components; /* "largest": the largest 3-D component of each class alone (26-connectivity); "all" */
	const char *tta;        /* mean over variants of each slice: "none", "flips", "intensity", "both" */
	const char *window;     /* field of view: "follow", moved onto structures that reach its edge; "middle" */
	const char *precision;  /* "f32"; "bf16" where the processor has AVX-512 BF16; NULL: f32 */
	bool probabilities;     /* keep a map of each class */
	bool entropy;           /* keep the entropy map */
	bool labels_only;       /* no second opinion: no quality signals but the mean entropy, in about half the time */
	bool adapt;             /* batch-norm statistics adapted to each scan; the predictor then has a copy of them */
	int64_t stn_iterations; /* how often the STN refines its own result, 1 to 20; 0: 1 */
	int64_t batch;          /* slices a run, 1 to 1024; 0: chosen by the number of slices */
	int64_t threads;        /* 1 to 1024; 0: as many as OpenMP gives the thread that calls hardy_predictor_new */
} hardy_predictor_options;

typedef struct hardy_predictor hardy_predictor;

/* model is borrowed. o: NULL for the defaults; its strings are not kept. *out is released with hardy_predictor_free. */
HARDY_API hardy_status hardy_predictor_new(const hardy_model *model, const hardy_predictor_options *o, hardy_predictor **out,
                                           hardy_error *err);
/*
 * Makes it an ensemble with one model more, borrowed, of the same channels and classes: HARDY_ERROR_ARGUMENT else, and the predictor is as before.
 * How it predicts stays as the first model was trained to.
 */
HARDY_API hardy_status hardy_predictor_add(hardy_predictor *p, const hardy_model *model, hardy_error *err);
HARDY_API void hardy_predictor_free(hardy_predictor *p); /* NULL allowed */

/* What was found, apart from models and predictor: it may outlive both. Never changed: threads may share it. */
typedef struct hardy_prediction hardy_prediction;

/*
 * image: x, y, z of one scan; its fourth axis are the frames of a cine, each a scan of its own, or for a model of several channels these. Only its
 * voxels are read, during the call. *out is released with hardy_prediction_free.
 */
HARDY_API hardy_status hardy_predictor_run(hardy_predictor *p, const hardy_image *image, hardy_prediction **out,
                                           hardy_error *err);
HARDY_API void hardy_prediction_free(hardy_prediction *p); /* NULL allowed */

/* Frames of the scan, 1 or more, which are the fourth axis of its maps. The maps lie as the scan does, packed, and are good until
 * hardy_prediction_free. */
HARDY_API int64_t hardy_prediction_n_frames(const hardy_prediction *p);
/* uint8: class indices, 0 the background. */
HARDY_API const hardy_image *hardy_prediction_labels(const hardy_prediction *p);
/* float32: the probability of class i; NULL when not kept, or when there is no class i. */
HARDY_API const hardy_image *hardy_prediction_probabilities(const hardy_prediction *p, int i);
/* float32: Shannon entropy of the class probabilities / log(classes), 0 to 1; NULL when not kept. */
HARDY_API const hardy_image *hardy_prediction_entropy(const hardy_prediction *p);
/* mL of class i in a frame; NaN when there is none of these. */
HARDY_API double hardy_prediction_volume_ml(const hardy_prediction *p, int64_t frame, int i);

/* How far to trust a frame's label map (docs/PREDICTION.md). NaN: not measured. */
typedef struct hardy_quality {
	size_t size;                 /* sizeof(hardy_quality): the caller's, by HARDY_INIT */
	double predicted_dice;       /* mean over classes, 0 to 1; NaN when the model is not calibrated */
	double predicted_low;        /* nine in ten scans like those of the calibration are better */
	double mean_entropy;         /* over the voxels that are labelled */
	double disagreement;         /* 1 - mean Dice of both networks' label maps */
	double reconstruction_error; /* mean squared error of the network's image */
	double reconstruction_z;     /* the same in standard deviations of the training slices */
	int n_warnings;              /* what lies outside of what the models were trained on */
	const char *warnings;        /* joined by "; ", the prediction's */
} hardy_quality;

HARDY_API hardy_status hardy_prediction_quality(const hardy_prediction *p, int64_t frame, hardy_quality *out, hardy_error *err);

#ifdef __cplusplus
}
#endif
#endif
