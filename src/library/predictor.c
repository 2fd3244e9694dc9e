/*
 * predictor.c: hardy/predict.h: predictions on the caller's scans.
 *
 * Models are shared and never written: each predictor has a description of its own of every model, whose weights are the shared ones, and whose
 * batch-norm statistics are a copy where predicting changes them (adapt).
 */
#include "predict/predictor.h"

#include "base/machine.h"
#include "base/memory.h"
#include "base/text.h"
#include "library/model.h"
#include "library/view.h"

#include <math.h>
#include <string.h>

struct hardy_predictor {
	hy_predictor_options o;
	int64_t threads;
	bool keep_entropy;
	hy_model **models; /* owned, as each of them; their tensors are the caller's but for the statistics with adapt */
	size_t n;
	hy_predictor *predictor; /* owned */
};

/* ---- options ------------------------------------------------------------------------------------------------------------ */

static hardy_status check_number(const char *name, int64_t value, int64_t most, hardy_error *err)
{
	if (value >= 0 && value <= most)
		return HARDY_OK;
	return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s is %lld, want 1 to %lld, or 0 for the default", name, (long long)value,
	               (long long)most);
}

static hardy_status take_options(hardy_predictor *p, const hy_model *m, const hardy_predictor_options *given, hardy_error *err)
{
	hardy_predictor_options o = {.size = sizeof o};
	hardy_status status = given ? hy_struct_take(&o, sizeof o, given, "options of a predictor", err) : HARDY_OK;
	const hy_predictor_words words = {.network = o.network,
	                                  .components = o.components,
	                                  .tta = o.tta,
	                                  .window = o.window,
	                                  .precision = o.precision ? o.precision : "f32"};
	if (!status)
		status = check_number("stn_iterations", o.stn_iterations, 20, err);
	if (!status)
		status = check_number("batch", o.batch, 1024, err);
	if (!status)
		status = check_number("threads", o.threads, 1024, err);
	if (!status)
		status = hy_predictor_words_check(&words, err);
	if (status)
		return status;
	hy_predictor_options_init(&p->o);
	hy_predictor_options_use(&p->o, m);
	hy_predictor_options_say(&p->o, &words);
	p->o.both = p->o.reconstruct = !o.labels_only;
	p->o.entropy = true;
	p->o.probabilities = o.probabilities;
	p->keep_entropy = o.entropy;
	p->o.adapt = o.adapt;
	p->o.stn_iterations = (int)o.stn_iterations;
	p->o.batch = o.batch;
	const int before = hy_threads_set(o.threads);
	p->threads = hy_threads();
	hy_threads_set(before);
	return HARDY_OK;
}

/* ---- models ------------------------------------------------------------------------------------------------------------- */

static void free_model(hy_model *own, bool adapt)
{
	if (own && adapt)
		hy_free_aligned(own->network.params.own_buffers);
	hy_free(own);
}

/* The caller's model under a description that may be written. */
static hy_model *borrow(const hy_model *m, bool adapt, hardy_error *err)
{
	hy_model *own = hy_alloc(1, sizeof *own);
	if (!own) {
		hy_fail_memory(err, "a model", 1, sizeof *own);
		return NULL;
	}
	*own = *m;
	if (!adapt)
		return own;
	hy_params *params = &own->network.params;
	params->own_buffers = hy_alloc_aligned(params->n_buffers, sizeof(float));
	if (!params->own_buffers) {
		hy_fail_memory(err, "batch-norm statistics", params->n_buffers, sizeof(float));
		hy_free(own);
		return NULL;
	}
	memcpy(params->own_buffers, m->network.params.buffers, params->n_buffers * sizeof(float));
	params->buffers = hy_params_write_buffers(params);
	return own;
}

hardy_status hardy_predictor_add(hardy_predictor *p, const hardy_model *model, hardy_error *err)
{
	hardy_error own_error = {0};
	err = err ? err : &own_error;
	if (!p || !model)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s is NULL", p ? "model" : "the predictor");
	hy_model **larger = hy_realloc(p->models, p->n + 1, sizeof *larger);
	if (!larger)
		return hy_fail_memory(err, "models", p->n + 1, sizeof *larger);
	p->models = larger;
	hy_model *own = borrow(&model->model, p->o.adapt, err);
	if (!own)
		return HARDY_ERROR_MEMORY;
	p->models[p->n] = own;
	hy_predictor *made = hy_predictor_new(p->models, p->n + 1, &p->o, err);
	if (!made) {
		free_model(own, p->o.adapt);
		return err->status;
	}
	hy_predictor_free(p->predictor);
	p->predictor = made;
	p->n++;
	return HARDY_OK;
}

hardy_status hardy_predictor_new(const hardy_model *model, const hardy_predictor_options *o, hardy_predictor **out,
                                 hardy_error *err)
{
	if (!model || !out)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s is NULL", model ? "out" : "model");
	hardy_predictor *made = hy_calloc(1, sizeof *made);
	if (!made)
		return hy_fail_memory(err, "a predictor", 1, sizeof *made);
	hardy_status status = take_options(made, &model->model, o, err);
	if (!status)
		status = hardy_predictor_add(made, model, err);
	if (status)
		hardy_predictor_free(made);
	else
		*out = made;
	return status;
}

void hardy_predictor_free(hardy_predictor *p)
{
	if (!p)
		return;
	hy_predictor_free(p->predictor);
	for (size_t i = 0; i < p->n; i++)
		free_model(p->models[i], p->o.adapt);
	hy_free(p->models);
	hy_free(p);
}

/* ---- predictions -------------------------------------------------------------------------------------------------------- */

struct hardy_prediction {
	hy_grid grid;
	int64_t n_frames;
	int n_classes;
	uint8_t *label;        /* owned: frames x voxels */
	float *entropy, *maps; /* owned, or NULL: frames x voxels; classes x frames x voxels */
	hy_prediction *rows;   /* owned: the measures of each frame, without arrays */
	hardy_image label_view, entropy_view, map_view[HY_MAX_CLASSES];
};

void hardy_prediction_free(hardy_prediction *p)
{
	if (!p)
		return;
	hy_free(p->label);
	hy_free(p->entropy);
	hy_free(p->maps);
	hy_free(p->rows);
	hy_free(p);
}

static hardy_prediction *new_prediction(const hy_grid *grid, int64_t n_frames, int n_classes, bool entropy, bool maps,
                                        hardy_error *err)
{
	const size_t n = (size_t)(hy_grid_voxels(grid) * n_frames);
	hardy_prediction *p = hy_calloc(1, sizeof *p);
	if (p) {
		*p = (hardy_prediction){.grid = *grid, .n_frames = n_frames, .n_classes = n_classes};
		p->label = hy_alloc(n, 1);
		p->entropy = entropy ? hy_alloc(n, sizeof *p->entropy) : NULL;
		p->maps = maps ? hy_alloc(n, (size_t)n_classes * sizeof *p->maps) : NULL;
		p->rows = hy_calloc((size_t)n_frames, sizeof *p->rows);
	}
	if (!p || !p->label || !p->rows || (entropy && !p->entropy) || (maps && !p->maps)) {
		hy_fail_memory(err, "a prediction", n, 1 + (maps ? (size_t)n_classes * sizeof(float) : 0));
		hardy_prediction_free(p);
		return NULL;
	}
	p->label_view = hy_view_of(grid, n_frames, HARDY_TYPE_UINT8, p->label);
	p->entropy_view = hy_view_of(grid, n_frames, HARDY_TYPE_FLOAT32, p->entropy);
	for (int c = 0; c < n_classes; c++)
		p->map_view[c] = hy_view_of(grid, n_frames, HARDY_TYPE_FLOAT32, p->maps ? p->maps + (size_t)c * n : NULL);
	return p;
}

static hardy_status predict_frame(hy_predictor *predictor, const hy_view *v, int64_t t, int64_t n_channels,
                                  hardy_prediction *out, hardy_error *err)
{
	const size_t n = (size_t)hy_grid_voxels(&v->grid);
	hy_volume frame = {0};
	hy_prediction p;
	hardy_status status = hy_view_volume(v, t, n_channels, &frame, err);
	if (!status)
		status = hy_predictor_run(predictor, &frame, &p, err);
	hy_volume_clear(&frame);
	if (status)
		return status;
	memcpy(out->label + (size_t)t * n, p.label.data, n);
	if (out->entropy)
		memcpy(out->entropy + (size_t)t * n, p.entropy, n * sizeof *out->entropy);
	for (size_t c = 0; out->maps && c < (size_t)out->n_classes; c++)
		memcpy(out->maps + (c * (size_t)out->n_frames + (size_t)t) * n, p.probabilities + c * n, n * sizeof *out->maps);
	out->rows[t] = p;
	out->rows[t].label.data = out->rows[t].other.data = NULL;
	out->rows[t].entropy = out->rows[t].probabilities = NULL;
	hy_prediction_clear(&p);
	return HARDY_OK;
}

static hardy_status run(hardy_predictor *p, const hardy_image *image, hardy_prediction **out, hardy_error *err)
{
	const hy_model *m = p->models[0];
	hy_view v;
	hardy_status status = hy_view_make(&v, image, "the scan", err);
	if (status)
		return status;
	if (m->n_channels > 1 && v.nt != m->n_channels)
		return hy_fail(err, HARDY_ERROR_DATA, "the scan has %s along its fourth axis, the model wants %d",
		               HY_COUNT(v.nt, "channel"), m->n_channels);
	const int64_t n_frames = m->n_channels > 1 ? 1 : v.nt;
	hardy_prediction *made = new_prediction(&v.grid, n_frames, m->n_classes, p->keep_entropy, p->o.probabilities, err);
	if (!made)
		return HARDY_ERROR_MEMORY;
	for (int64_t t = 0; t < n_frames && !status; t++) {
		status = predict_frame(p->predictor, &v, t, m->n_channels, made, err);
		if (status && n_frames > 1)
			hy_prefix(err, status, "frame %lld", (long long)t);
	}
	if (status)
		hardy_prediction_free(made);
	else
		*out = made;
	return status;
}

hardy_status hardy_predictor_run(hardy_predictor *p, const hardy_image *image, hardy_prediction **out, hardy_error *err)
{
	if (!p || !out)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s is NULL", p ? "out" : "the predictor");
	const int threads = hy_threads_set(p->threads);
	const hardy_status status = run(p, image, out, err);
	hy_threads_set(threads);
	return status;
}

int64_t hardy_prediction_n_frames(const hardy_prediction *p)
{
	return p->n_frames;
}

const hardy_image *hardy_prediction_labels(const hardy_prediction *p)
{
	return &p->label_view;
}

const hardy_image *hardy_prediction_probabilities(const hardy_prediction *p, int i)
{
	return p->maps && i >= 0 && i < p->n_classes ? &p->map_view[i] : NULL;
}

const hardy_image *hardy_prediction_entropy(const hardy_prediction *p)
{
	return p->entropy ? &p->entropy_view : NULL;
}

double hardy_prediction_volume_ml(const hardy_prediction *p, int64_t frame, int i)
{
	return frame >= 0 && frame < p->n_frames && i >= 0 && i < p->n_classes ? p->rows[frame].volume_ml[i] : NAN;
}

hardy_status hardy_prediction_quality(const hardy_prediction *p, int64_t frame, hardy_quality *out, hardy_error *err)
{
	if (frame < 0 || frame >= p->n_frames)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "frame is %lld, want 0 to %lld", (long long)frame,
		               (long long)p->n_frames - 1);
	const hy_prediction *row = &p->rows[frame];
	const hardy_quality q = {.size = sizeof q,
	                         .predicted_dice = row->predicted_dice,
	                         .predicted_low = row->predicted_low,
	                         .mean_entropy = row->mean_entropy,
	                         .disagreement = row->disagreement,
	                         .reconstruction_error = row->reconstruction_error,
	                         .reconstruction_z = row->reconstruction_z,
	                         .n_warnings = row->n_warnings,
	                         .warnings = row->warnings};
	return hy_struct_give(out, &q, sizeof q, "the quality to fill in", err);
}
