/*
 * predictor.c: from a scan to its label maps through one or more models.
 */
#include "predict/predictor.h"

#include "base/memory.h"
#include "base/option.h"
#include "metric/clinical.h"
#include "metric/overlap.h"
#include "metric/statistics.h"
#include "predict/components.h"
#include "predict/fingerprint.h"
#include "predict/recentre.h"
#include "predict/variants.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* A forward pass recorded for a number of slices. */
typedef struct pass {
	hy_infer *infer;
	int64_t batch;
} pass;

/* A model on the slices of one plane. */
typedef struct member {
	hy_model *model;
	int view;     /* models of one plan see the same slices */
	bool first;   /* of its model's planes: the one whose signals count */
	double share; /* of the result */
	pass run, track;
} member;

/* What the models of one plan share while a scan is predicted. */
typedef struct view {
	hy_plan plan;
	hy_slices full, slices; /* whole, and what lies in the window */
	hy_window_shift shift;  /* of the window */
	double share;           /* of the members */
	float *q[2];            /* owned: n x classes x size x size, probabilities by hy_which times share; NULL where unwanted */
} view;

struct hy_predictor {
	hy_predictor_options o;
	int n_classes, n_channels;
	bool alone;     /* no model has an STN */
	bool wanted[2]; /* by hy_which; of models that are alone one result serves both */
	size_t n_members, n_views;
	member *members; /* owned */
	view *views;     /* owned */
};

void hy_predictor_options_init(hy_predictor_options *o)
{
	*o = (hy_predictor_options){.which = HY_STN};
}

void hy_tta_set(hy_predictor_options *o, const char *tta)
{
	if (!tta)
		return;
	o->flips = !strcmp(tta, "flips") || !strcmp(tta, "both");
	o->intensity = !strcmp(tta, "intensity") || !strcmp(tta, "both");
}

hardy_status hy_predictor_words_check(const hy_predictor_words *w, hardy_error *err)
{
	hardy_predict_options o;
	hardy_options_default(&hy_predict_table, &o);
	o.network = w->network;
	o.components = w->components;
	o.tta = w->tta;
	o.window = w->window;
	o.precision = w->precision;
	const hardy_status status = hardy_options_check(&hy_predict_table, &o, err);
	if (!status && !strcmp(w->precision, "bf16") && !hy_kernels_pick(HY_ISA_AVX512_BF16, err))
		return hy_prefix(err, HARDY_ERROR_UNSUPPORTED, "precision bf16");
	return status;
}

void hy_predictor_options_say(hy_predictor_options *o, const hy_predictor_words *w)
{
	if (w->network)
		o->which = strcmp(w->network, "ftn") ? HY_STN : HY_FTN;
	if (w->components)
		o->keep_largest = !strcmp(w->components, "largest");
	if (w->window)
		o->recentre = !strcmp(w->window, "follow");
	hy_tta_set(o, w->tta);
	o->engine.isa = strcmp(w->precision, "bf16") ? HY_ISA_AUTO : HY_ISA_AVX512_BF16;
}

/* Without an STN: versions of the slices (hy_opinions) give the second opinion. */
static bool is_alone(const hy_model *m)
{
	return !hy_network_has(&m->network, HY_PART_SHAPE);
}

void hy_predictor_options_use(hy_predictor_options *o, const hy_model *m)
{
	o->recentre = is_alone(m);
	if (!m->use.chosen)
		return;
	o->which = m->use.ftn ? HY_FTN : HY_STN;
	o->keep_largest = m->use.keep_largest;
	o->flips = m->use.flips;
}

void hy_prediction_clear(hy_prediction *p)
{
	hy_labels_clear(&p->label);
	hy_labels_clear(&p->other);
	hy_free(p->probabilities);
	hy_free(p->entropy);
	*p = (hy_prediction){0};
}

/* ---- models ------------------------------------------------------------------------------------------------------------- */

static hardy_status check_models(hy_model *const *models, size_t n, hardy_error *err)
{
	if (n < 1)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "no model to predict with");
	for (size_t i = 1; i < n; i++) {
		const hy_model *a = models[0], *b = models[i];
		bool same = a->n_classes == b->n_classes && a->n_channels == b->n_channels;
		for (int k = 0; same && k < a->n_classes; k++)
			same = !strcmp(a->classes[k].name, b->classes[k].name);
		if (!same)
			return hy_fail(err, HARDY_ERROR_ARGUMENT,
			               "model %zu is for %d channels and %d classes (%s, ...), the first for %d and %d (%s, ...): an "
			               "ensemble wants the same",
			               i + 1, b->n_channels, b->n_classes, b->classes[1].name, a->n_channels, a->n_classes,
			               a->classes[1].name);
	}
	return HARDY_OK;
}

static void add_member(hy_predictor *p, hy_model *m, int plane, double share)
{
	const hy_plan plan = hy_plan_plane(&m->plan, plane);
	size_t v = 0;
	while (v < p->n_views && !hy_plan_same(&p->views[v].plan, &plan))
		v++;
	if (v == p->n_views)
		p->views[p->n_views++].plan = plan;
	p->views[v].share += share;
	p->members[p->n_members++] = (member){.model = m, .view = (int)v, .first = plane == 0, .share = share};
}

hy_predictor *hy_predictor_new(hy_model *const *models, size_t n_models, const hy_predictor_options *o, hardy_error *err)
{
	if (check_models(models, n_models, err))
		return NULL;
	size_t most = 0;
	for (size_t i = 0; i < n_models; i++)
		most += (size_t)models[i]->plan.planes;
	hy_predictor *p = hy_calloc(1, sizeof *p);
	if (p) {
		p->members = hy_calloc(most, sizeof *p->members);
		p->views = hy_calloc(most, sizeof *p->views);
	}
	if (!p || !p->members || !p->views) {
		hy_fail_memory(err, "a predictor", most, sizeof *p->members + sizeof *p->views);
		hy_predictor_free(p);
		return NULL;
	}
	p->o = *o;
	p->n_classes = models[0]->n_classes;
	p->n_channels = models[0]->n_channels;
	p->alone = true;
	for (size_t i = 0; i < n_models; i++) {
		for (int k = 0; k < models[i]->plan.planes; k++)
			add_member(p, models[i], k, 1.0 / (double)n_models / models[i]->plan.planes);
		p->alone = p->alone && is_alone(models[i]);
	}
	p->wanted[HY_FTN] = o->which == HY_FTN || (o->both && !p->alone);
	p->wanted[HY_STN] = o->which == HY_STN || (o->both && !p->alone);
	return p;
}

void hy_predictor_free(hy_predictor *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n_members; i++) {
		hy_infer_free(p->members[i].run.infer);
		hy_infer_free(p->members[i].track.infer);
	}
	hy_free(p->members);
	hy_free(p->views);
	hy_free(p);
}

int64_t hy_predictor_batch(int64_t n, int64_t size)
{
	const double area = (double)size / 192;
	int64_t most = (int64_t)(8 / (area * area)), best = 1;
	most = most < 1 ? 1 : most > 8 ? 8 : most;
	most = most < n ? most : n;
	for (int64_t b = most > 1 ? 2 : 1, least = INT64_MAX; b <= most; b++) {
		const int64_t room = (n + b - 1) / b * b;
		if (room <= least) {
			least = room;
			best = b;
		}
	}
	return best;
}

/* Makes the pass anew when its number of slices changes. */
static hardy_status prepare(const hy_predictor *p, member *m, pass *a, hy_norm_mode norm, int64_t n, hardy_error *err)
{
	const int64_t size = m->model->plan.size,
	              batch = p->o.batch ? (p->o.batch < n ? p->o.batch : n) : hy_predictor_batch(n, size);
	if (a->infer && a->batch == batch)
		return HARDY_OK;
	const hy_infer_options o = {.batch = batch,
	                            .height = size,
	                            .width = size,
	                            .stn = p->wanted[HY_STN] && !is_alone(m->model),
	                            .reconstruct = p->o.reconstruct,
	                            .stn_iterations = p->o.stn_iterations,
	                            .norm = norm,
	                            .engine = p->o.engine};
	hy_infer_free(a->infer);
	a->infer = hy_infer_new(&m->model->network, &o, err);
	a->batch = batch;
	return a->infer ? HARDY_OK : err ? err->status : HARDY_ERROR_MEMORY;
}

/* The predicted Dice is that of FTN+STN, or of a network that is alone, whose disagreement is a signal, too. */
static bool wants_signals(const hy_predictor *p, const member *m)
{
	return m->first && p->o.which == HY_STN && p->o.both &&
	       (p->o.signals || m->model->calibration.version || is_alone(m->model));
}

/* ---- one model on its slices -------------------------------------------------------------------------------------------- */

static double sum_of_squares(const float *a, const float *b, int64_t n)
{
	double sum = 0;
	for (int64_t i = 0; i < n; i++)
		sum += ((double)a[i] - (double)b[i]) * ((double)a[i] - (double)b[i]);
	return sum;
}

/* Memory of a batch. */
typedef struct scratch {
	float *logits[2], *x0, *changed; /* owned; NULL where unwanted */
} scratch;

static void scratch_clear(scratch *s)
{
	hy_free(s->logits[0]);
	hy_free(s->logits[1]);
	hy_free(s->x0);
	hy_free(s->changed);
}

static hardy_status scratch_init(scratch *s, const hy_predictor *p, const member *m, int64_t batch, int64_t plane, bool changes,
                                 hardy_error *err)
{
	const bool reconstructs = p->o.reconstruct && hy_network_has(&m->model->network, HY_PART_IMAGE_DECODER);
	const size_t maps = (size_t)(batch * p->n_classes), images = (size_t)(batch * m->model->network.config.channels);
	const size_t size = (size_t)plane * sizeof(float);
	s->logits[0] = hy_alloc(maps, size);
	const bool stn = p->wanted[HY_STN] && !is_alone(m->model);
	s->logits[1] = stn ? hy_alloc(maps, size) : NULL;
	s->x0 = reconstructs ? hy_alloc(images, size) : NULL;
	s->changed = changes ? hy_alloc(images, size) : NULL;
	if (!s->logits[0] || (stn && !s->logits[1]) || (reconstructs && !s->x0) || (changes && !s->changed))
		return hy_fail_memory(err, "the network's output", maps, size);
	return HARDY_OK;
}

/* One variant of a batch of slices; the logits come back as of the slices themselves. */
static hardy_status run_variant(const hy_predictor *p, member *m, const hy_variant *variant, const float *x, int64_t n,
                                const scratch *s, bool first, hardy_error *err)
{
	const int64_t size = m->model->plan.size;
	if (!first) {
		hy_variant_apply(variant, x, n * m->model->network.config.channels, size, size, s->changed);
		x = s->changed;
	}
	const hardy_status status = hy_infer_run(m->run.infer, x, n, s->logits[0], s->logits[1], first ? s->x0 : NULL, err);
	for (int w = 0; w < 2 && !status && !first; w++)
		if (s->logits[w])
			hy_variant_restore(variant, n * p->n_classes, size, size, s->logits[w]);
	return status;
}

/* Versions of a slice; those from n_averaged on count for the second opinion alone. */
typedef struct versions {
	hy_variant list[HY_MAX_VARIANTS];
	int n, n_averaged;
} versions;

/* One model's two opinions, apart from the mean of an ensemble: of FTN and FTN+STN, or of a network that is alone on the slices as they are
 * and on their versions. */
typedef struct own_maps {
	float *q[2]; /* owned; NULL where unwanted */
} own_maps;

static hardy_status own_maps_init(own_maps *own, const hy_predictor *p, const member *m, const view *v, hardy_error *err)
{
	const size_t n = (size_t)(v->slices.n * p->n_classes), size = (size_t)(v->slices.height * v->slices.width) * sizeof(float);
	*own = (own_maps){{NULL, NULL}};
	if (!wants_signals(p, m) || (p->n_members < 2 && !is_alone(m->model)))
		return HARDY_OK;
	for (int w = 0; w < 2; w++)
		if (!(own->q[w] = hy_calloc(n, size)))
			return hy_fail_memory(err, "class probabilities", n, size);
	return HARDY_OK;
}

static void own_maps_clear(own_maps *own)
{
	hy_free(own->q[0]);
	hy_free(own->q[1]);
}

/* What a variant's logits add to: the result, as far as its share goes, and the model's own opinions. */
static void add_variant(const hy_predictor *p, const member *m, const scratch *s, int k, const versions *all, int64_t now,
                        int64_t plane, size_t at, view *v, const own_maps *own)
{
	const bool alone = is_alone(m->model);
	for (int w = 0; w < 2; w++) {
		const float *logits = s->logits[alone ? 0 : w];
		if (p->wanted[w] && k < all->n_averaged)
			hy_variant_add(logits, now, p->n_classes, plane, (float)(m->share / all->n_averaged), v->q[w] + at);
		if (!own->q[w] || (alone && w != (k > 0)))
			continue;
		const int n = !alone ? all->n_averaged : w ? all->n - 1 : 1;
		hy_variant_add(logits, now, p->n_classes, plane, 1.0F / (float)n, own->q[w] + at);
	}
}

/* Probabilities go to the view, and to own; *error gets the mean squared reconstruction error, NaN where nothing reconstructs. */
static hardy_status run_member(const hy_predictor *p, member *m, view *v, const own_maps *own, double *error, hardy_error *err)
{
	const int64_t n = v->slices.n, plane = v->slices.height * v->slices.width, image = v->slices.channels * plane;
	hardy_status status = prepare(p, m, &m->run, HY_NORM_RUNNING, n, err);
	if (status)
		return status;
	const int64_t batch = m->run.batch;
	versions all;
	all.n = all.n_averaged = hy_variants(p->o.flips, p->o.intensity, all.list);
	if (all.n == 1 && own->q[1] && is_alone(m->model))
		all.n += hy_opinions(all.list + 1);
	scratch s = {0};
	double squares = 0;
	status = scratch_init(&s, p, m, batch, plane, all.n > 1, err);
	for (int64_t at = 0; at < n && !status; at += batch) {
		const int64_t now = n - at < batch ? n - at : batch;
		const float *x = v->slices.image + at * image;
		for (int k = 0; k < all.n && !status; k++) {
			status = run_variant(p, m, &all.list[k], x, now, &s, k == 0, err);
			if (!status)
				add_variant(p, m, &s, k, &all, now, plane, (size_t)(at * p->n_classes * plane), v, own);
		}
		if (s.x0 && !status)
			squares += sum_of_squares(s.x0, x, now * image);
	}
	*error = s.x0 ? squares / (double)(n * image) : NAN;
	scratch_clear(&s);
	return status;
}

/* Moves the running statistics towards the scan; the caller restores them. */
static hardy_status adapt(const hy_predictor *p, member *m, const hy_slices *s, hardy_error *err)
{
	const int64_t image = s->channels * s->height * s->width;
	hardy_status status = prepare(p, m, &m->track, HY_NORM_TRACK, s->n, err);
	if (status)
		return status;
	const int64_t batch = m->track.batch;
	float *x = hy_alloc((size_t)batch, (size_t)image * sizeof *x);
	if (!x)
		return hy_fail_memory(err, "a batch of slices", (size_t)batch, (size_t)image * sizeof *x);
	int64_t n_seen = 1; /* the model's own count as one batch */
	for (int64_t at = 0; at < s->n && !status; at += batch, n_seen++) {
		for (int64_t i = 0; i < batch; i++)
			memcpy(x + i * image, s->image + (at + i) % s->n * image, (size_t)image * sizeof *x);
		hy_infer_momentum(m->track.infer, 1.0 / (double)(n_seen + 1));
		status = hy_infer_run(m->track.infer, x, batch, NULL, NULL, NULL, err);
	}
	hy_free(x);
	return status;
}

static hardy_status run_adapted(const hy_predictor *p, member *m, view *v, const own_maps *maps, double *error,
                                hardy_error *err)
{
	hy_params *params = &m->model->network.params;
	float *own = hy_alloc(params->n_buffers, sizeof *own);
	if (!own)
		return hy_fail_memory(err, "batch-norm statistics", params->n_buffers, sizeof *own);
	memcpy(own, params->buffers, params->n_buffers * sizeof *own);
	hardy_status status = adapt(p, m, &v->slices, err);
	if (!status)
		status = run_member(p, m, v, maps, error, err);
	memcpy(hy_params_write_buffers(params), own, params->n_buffers * sizeof *own);
	hy_free(own);
	return status;
}

/* signals are measured where they are wanted of this model. */
static hardy_status predict_member(const hy_predictor *p, member *m, view *v, double *error, hy_signals *signals,
                                   hardy_error *err)
{
	own_maps own;
	hardy_status status = own_maps_init(&own, p, m, v, err);
	if (!status)
		status = p->o.adapt ? run_adapted(p, m, v, &own, error, err) : run_member(p, m, v, &own, error, err);
	if (!status && wants_signals(p, m)) {
		const bool apart = own.q[0] != NULL;
		status = hy_signals_measure(signals, apart ? own.q[0] : v->q[0], apart ? own.q[1] : v->q[1], v->slices.n, p->n_classes,
		                            v->slices.height * v->slices.width, err);
	}
	own_maps_clear(&own);
	return status;
}

/* ---- the scan ----------------------------------------------------------------------------------------------------------- */

static void clear_views(hy_predictor *p)
{
	for (size_t i = 0; i < p->n_views; i++) {
		view *v = &p->views[i];
		hy_slices_clear(&v->full);
		hy_slices_clear(&v->slices);
		hy_free(v->q[0]);
		hy_free(v->q[1]);
		v->q[0] = v->q[1] = NULL;
	}
}

static void add_warning(void *payload, const char *text)
{
	hy_prediction *p = payload;
	const size_t used = strlen(p->warnings);
	snprintf(p->warnings + used, sizeof p->warnings - used, used ? "; %s" : "%s", text);
	p->n_warnings++;
}

/* Slices of every plan, and warnings by the fingerprint of the first model that has one. */
static hardy_status open_views(hy_predictor *p, const hy_volume *image, hy_prediction *out, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	const member *known = p->members;
	while (known + 1 < p->members + p->n_members && known->model->fingerprint.n_volumes < 1)
		known++;
	for (size_t i = 0; i < p->n_views && !status; i++) {
		view *v = &p->views[i];
		v->shift = (hy_window_shift){0, 0};
		status = hy_preprocess_train(&v->plan, image, NULL, &v->full, err);
		if (!status && known->view == (int)i)
			hy_fingerprint_check(&known->model->fingerprint, &image->grid, &v->full, p->n_channels, add_warning, out);
		if (!status)
			status = hy_preprocess_window(&v->plan, &v->full, NULL, &v->slices, err);
		const size_t size = (size_t)(v->plan.size * v->plan.size) * sizeof(float);
		for (int w = 0; w < 2 && !status; w++) {
			if (!p->wanted[w])
				continue;
			v->q[w] = hy_calloc((size_t)(v->slices.n * p->n_classes), size);
			if (!v->q[w])
				status = hy_fail_memory(err, "class probabilities", (size_t)(v->slices.n * p->n_classes), size);
		}
	}
	return status;
}

static hardy_status run_members(hy_predictor *p, hy_prediction *out, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	double errors = 0, z = 0, dice = 0, low = 0;
	int n_z = 0, n_dice = 0;
	for (size_t i = 0; i < p->n_members && !status; i++) {
		member *m = &p->members[i];
		double error = 0;
		hy_signals signals = {0};
		status = predict_member(p, m, &p->views[m->view], &error, &signals, err);
		if (i == 0)
			out->signals = signals;
		if (!status && signals.n_classes && m->model->calibration.version) {
			double one, bound;
			hy_calibration_apply(&m->model->calibration, &signals, &one, &bound);
			dice += one;
			low += bound;
			n_dice++;
		}
		const double score = hy_fingerprint_z(&m->model->fingerprint, error);
		errors += error * m->share;
		if (isfinite(score)) {
			z += score;
			n_z++;
		}
	}
	if (n_dice) {
		out->predicted_dice = dice / n_dice;
		out->predicted_low = low / n_dice;
	}
	if (!status && p->o.reconstruct) {
		out->reconstruction_error = errors;
		if (n_z)
			out->reconstruction_z = z / n_z;
	}
	if (out->reconstruction_z > HY_FINGERPRINT_Z_LIMIT) {
		char text[160];
		snprintf(text, sizeof text, "reconstruction error is %.3g, %.1f standard deviations above the training slices'",
		         out->reconstruction_error, out->reconstruction_z);
		add_warning(out, text);
	}
	return status;
}

/* ---- the field of view -------------------------------------------------------------------------------------------------- */

enum { MOST_MOVES = 2, LEAST_GAIN = 50 /* a move pays where it finds more by one in so many */ };

/* Slices of a view through its window at shift, and probabilities of zero. */
static hardy_status place_window(const hy_predictor *p, view *v, hy_window_shift shift, hardy_error *err)
{
	const size_t n = (size_t)(v->slices.n * p->n_classes * v->slices.height * v->slices.width);
	hy_slices moved = {0};
	const hardy_status status = hy_preprocess_window(&v->plan, &v->full, &shift, &moved, err);
	if (status)
		return status;
	hy_slices_clear(&v->slices);
	v->slices = moved;
	v->shift = shift;
	for (int w = 0; w < 2; w++)
		if (v->q[w])
			memset(v->q[w], 0, n * sizeof *v->q[w]);
	return HARDY_OK;
}

static hardy_status measure_extent(const hy_predictor *p, const view *v, hy_extent *e, hardy_error *err)
{
	return hy_extent_measure(v->q[p->o.which] ? v->q[p->o.which] : v->q[0], v->slices.n, p->n_classes, v->plan.size, e, err);
}

/* What the first model of a view finds through a window at shift, on the slices as they are: no versions, no opinions. */
static hardy_status look(const hy_predictor *p, const view *v, hy_window_shift shift, hy_extent *e, hardy_error *err)
{
	const size_t n = (size_t)(v->slices.n * v->slices.height * v->slices.width), classes = (size_t)p->n_classes;
	const own_maps none = {{NULL, NULL}};
	hy_predictor plain = *p;
	view there = *v;
	member *m = p->members;
	hardy_status status = HARDY_OK;
	double error;
	while (&p->views[m->view] != v)
		m++;
	plain.o.flips = plain.o.intensity = false;
	there.slices = (hy_slices){0};
	there.q[0] = there.q[1] = NULL;
	for (int w = 0; w < 2 && !status; w++)
		if (v->q[w] && !(there.q[w] = hy_calloc(n, classes * sizeof(float))))
			status = hy_fail_memory(err, "class probabilities", n, classes * sizeof(float));
	if (!status)
		status = hy_preprocess_window(&v->plan, &v->full, &shift, &there.slices, err);
	if (!status)
		status =
		    p->o.adapt ? run_adapted(&plain, m, &there, &none, &error, err) : run_member(&plain, m, &there, &none, &error, err);
	if (!status)
		status = measure_extent(p, &there, e, err);
	hy_slices_clear(&there.slices);
	hy_free(there.q[0]);
	hy_free(there.q[1]);
	return status;
}

/* Where the window of a view should lie, by what lies in it now. */
static hardy_status find_place(const hy_predictor *p, const view *v, hy_window_shift *place, hardy_error *err)
{
	hy_extent e;
	hardy_status status = measure_extent(p, v, &e, err);
	*place = v->shift;
	for (int k = 0; k < MOST_MOVES && !status; k++) {
		hy_window_shift next = *place;
		hy_extent there;
		if (!hy_recentre(&e, v->plan.size, v->full.height, v->full.width, &next))
			break;
		status = look(p, v, next, &there, err);
		if (status || there.n <= e.n + e.n / LEAST_GAIN)
			break;
		e = there;
		*place = next;
	}
	return status;
}

/* Moves the windows that should move, and runs all models again where any did; *fresh is *out without what was found. */
static hardy_status recentre(hy_predictor *p, hy_prediction *out, const hy_prediction *fresh, hardy_error *err)
{
	hy_window_shift *place = hy_calloc(p->n_views, sizeof *place);
	hardy_status status = place ? HARDY_OK : hy_fail_memory(err, "fields of view", p->n_views, sizeof *place);
	bool any = false;
	for (size_t i = 0; i < p->n_views && !status; i++) {
		const hy_window_shift now = p->views[i].shift;
		status = find_place(p, &p->views[i], &place[i], err);
		any |= place[i].x != now.x || place[i].y != now.y;
	}
	for (size_t i = 0; i < p->n_views && any && !status; i++)
		status = place_window(p, &p->views[i], place[i], err);
	if (any && !status) {
		*out = *fresh;
		status = run_members(p, out, err);
	}
	hy_free(place);
	return status;
}

/* ---- back to the scan's grid -------------------------------------------------------------------------------------------- */

/* What restoring one class after the other adds up to. */
typedef struct decision {
	int64_t n;               /* voxels of the scan */
	float *map, *sum, *best; /* owned: one class of one view, its sum over views, the largest so far */
	float *total;            /* owned: what a voxel's sums add up to so far, where that is not 1 in the end; else NULL */
	uint8_t *label;          /* the class of the largest: the first of equals */
	float *entropy, *maps;   /* NULL where unwanted; maps: classes x n */
} decision;

static void take_class(const decision *d, int class, float norm)
{
	const float *sum = d->sum;
#pragma omp parallel for
	for (int64_t i = 0; i < d->n; i++) {
		if (class == 0 || sum[i] > d->best[i]) {
			d->best[i] = sum[i];
			d->label[i] = (uint8_t) class;
		}
		if (d->entropy && sum[i] > 0)
			d->entropy[i] -= norm * sum[i] * logf(sum[i]);
		if (d->total)
			d->total[i] += sum[i];
	}
	if (d->maps)
		memcpy(d->maps + class * d->n, sum, (size_t)d->n * sizeof *sum);
}

/* Where planes say nothing the others count as much more: what was taken becomes that of s / T, where the sums s of all classes add up to
 * T. Its entropy is -sum of s/T log(s/T) = log T - (sum of s log s) / T; the arg max is the same. */
static void share_out(const decision *d, int n_classes, float norm)
{
#pragma omp parallel for
	for (int64_t i = 0; i < d->n; i++) {
		if (d->entropy)
			d->entropy[i] = fmaxf(d->entropy[i] / d->total[i] + norm * logf(d->total[i]), 0);
		for (int c = 0; c < n_classes && d->maps; c++)
			d->maps[c * d->n + i] /= d->total[i];
	}
}

/* A class's sum over the views. Outside of its field of view the first plane says background, another one nothing. */
static hardy_status sum_class(const hy_predictor *p, const hy_grid *grid, hy_which which, int class, const decision *d,
                              hardy_error *err)
{
	for (size_t i = 0; i < p->n_views; i++) {
		const view *v = &p->views[i];
		const float outside = class == 0 && v->plan.plane == 0 ? (float)v->share : 0;
		const hardy_status status =
		    hy_restore_map(&v->plan, grid, &v->shift, p->n_classes, class, v->q[which], outside, i ? d->map : d->sum, err);
		if (status)
			return status;
		for (int64_t k = 0; i && k < d->n; k++)
			d->sum[k] += d->map[k];
	}
	return HARDY_OK;
}

static hardy_status decide(const hy_predictor *p, const hy_grid *grid, hy_which which, decision *d, hardy_error *err)
{
	const float norm = (float)(1 / log((double)p->n_classes));
	bool planes = false;
	for (size_t i = 0; i < p->n_views; i++)
		planes |= p->views[i].plan.plane > 0;
	if (planes && (d->maps || d->entropy) && !(d->total = hy_calloc((size_t)d->n, sizeof *d->total)))
		return hy_fail_memory(err, "sums of probabilities", (size_t)d->n, sizeof *d->total);
	for (int c = 0; c < p->n_classes; c++) {
		const hardy_status status = sum_class(p, grid, which, c, d, err);
		if (status)
			return status;
		take_class(d, c, norm);
	}
	if (d->total)
		share_out(d, p->n_classes, norm);
	return HARDY_OK;
}

static hardy_status restore(const hy_predictor *p, const hy_grid *grid, hy_which which, hy_labels *label, float *entropy,
                            float *maps, hardy_error *err)
{
	decision d = {.n = hy_grid_voxels(grid), .entropy = entropy, .maps = maps};
	const size_t n = (size_t)d.n;
	hardy_status status = hy_labels_alloc(label, grid, err);
	if (status)
		return status;
	d.label = label->data;
	d.sum = hy_alloc(n, sizeof *d.sum);
	d.best = hy_alloc(n, sizeof *d.best);
	d.map = p->n_views > 1 ? hy_alloc(n, sizeof *d.map) : NULL;
	if (!d.sum || !d.best || (p->n_views > 1 && !d.map))
		status = hy_fail_memory(err, "probabilities in the scan's grid", n, 3 * sizeof(float));
	if (!status)
		status = decide(p, grid, which, &d, err);
	if (!status && p->o.keep_largest)
		status = hy_keep_largest(label, p->n_classes, NULL, err);
	hy_free(d.map);
	hy_free(d.total);
	hy_free(d.sum);
	hy_free(d.best);
	return status;
}

/* 0 where no map has any class. */
static double disagreement(double mean_dice)
{
	return isfinite(mean_dice) ? 1 - mean_dice : 0;
}

/* Of both opinions of a network that is alone, on its own grid: label agreement is their Dice. */
static double agreement_within(const hy_signals *s)
{
	double dice[HY_MAX_CLASSES] = {NAN};
	for (int c = 1; c < s->n_classes; c++)
		dice[c] = s->absent[c] ? NAN : s->measure[HY_AGREEMENT_LABELS][c];
	return hy_mean_defined(dice, (size_t)s->n_classes);
}

static void measure(const hy_predictor *p, hy_prediction *out)
{
	const hy_grid *g = &out->label.grid;
	const int64_t n = hy_grid_voxels(g);
	double entropy = 0;
	for (int64_t i = 0; i < n; i++) {
		const uint8_t c = out->label.data[i];
		out->n_voxels[c]++;
		if (c && out->entropy)
			entropy += (double)out->entropy[i];
	}
	for (int c = 0; c < p->n_classes; c++)
		out->volume_ml[c] = hy_volume_ml(out->n_voxels[c], g->spacing_mm);
	if (out->n_voxels[0] == n)
		add_warning(out, "no foreground was found");
	else if (out->entropy)
		out->mean_entropy = entropy / (double)(n - out->n_voxels[0]);
	if (p->alone && out->signals.n_classes)
		out->disagreement = disagreement(agreement_within(&out->signals));
	else if (out->other.data)
		out->disagreement =
		    disagreement(hy_overlap_mean_dice(out->label.data, out->other.data, (size_t)n, p->n_classes, NULL, NULL));
}

static hardy_status copy_labels(hy_labels *to, const hy_labels *from, hardy_error *err)
{
	const hardy_status status = hy_labels_alloc(to, &from->grid, err);
	if (!status)
		memcpy(to->data, from->data, (size_t)hy_grid_voxels(&from->grid));
	return status;
}

static hardy_status run(hy_predictor *p, const hy_volume *image, hy_prediction *out, hardy_error *err)
{
	const hy_which which = p->o.which;
	const size_t n = (size_t)hy_grid_voxels(&image->grid);
	hardy_status status = open_views(p, image, out, err);
	const hy_prediction fresh = *out; /* nothing is owned yet */
	if (!status)
		status = run_members(p, out, err);
	if (!status && p->o.recentre)
		status = recentre(p, out, &fresh, err);
	if (status)
		return status;
	for (size_t i = 0; i < p->n_views; i++) {
		hy_slices_clear(&p->views[i].full);
		hy_slices_clear(&p->views[i].slices);
	}
	if (p->o.entropy && !(out->entropy = hy_calloc(n, sizeof *out->entropy)))
		return hy_fail_memory(err, "an entropy map", n, sizeof *out->entropy);
	if (p->o.probabilities && !(out->probabilities = hy_alloc(n, (size_t)p->n_classes * sizeof *out->probabilities)))
		return hy_fail_memory(err, "class probabilities", n, (size_t)p->n_classes * sizeof *out->probabilities);
	status = restore(p, &image->grid, which, &out->label, out->entropy, out->probabilities, err);
	if (!status && p->o.both && p->alone)
		status = copy_labels(&out->other, &out->label, err);
	else if (!status && p->o.both)
		status = restore(p, &image->grid, which == HY_STN ? HY_FTN : HY_STN, &out->other, NULL, NULL, err);
	if (!status)
		measure(p, out);
	return status;
}

hardy_status hy_predictor_run(hy_predictor *p, const hy_volume *image, hy_prediction *out, hardy_error *err)
{
	hardy_error own;
	hy_prediction made = {.mean_entropy = NAN,
	                      .disagreement = NAN,
	                      .reconstruction_error = NAN,
	                      .reconstruction_z = NAN,
	                      .predicted_dice = NAN,
	                      .predicted_low = NAN};
	if (image->nt != p->n_channels)
		return hy_fail(err, HARDY_ERROR_DATA, "the scan has %lld channels, the model wants %d", (long long)image->nt,
		               p->n_channels);
	const hardy_status status = run(p, image, &made, err ? err : &own);
	clear_views(p);
	if (status)
		hy_prediction_clear(&made);
	else
		*out = made;
	return status;
}
