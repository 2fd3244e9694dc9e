/*
 * calibrate.c: predictions of scans and of their spoiled copies, whose Dice is known, for the calibration of the predicted Dice.
 */
#include "predict/calibrate.h"

#include "artefact/artefact.h"
#include "base/memory.h"
#include "base/text.h"
#include "metric/overlap.h"
#include "predict/predictor.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Another seed than a user's stress test is likely to have. */
static const uint64_t SEED = 20211001;

/* One way to spoil a scan. */
typedef struct copy {
	int kind;      /* of artefact; PLAIN, SPACING */
	int level;     /* 0: the chain of ACDC-C */
	double factor; /* of SPACING */
} copy;

enum { PLAIN = -1, SPACING = -2 };

static int list_copies(copy out[HY_CALIBRATION_COPIES])
{
	int n = 0;
	out[n++] = (copy){.kind = PLAIN};
	for (int k = 0; k < HY_N_ACDCC; k++)
		out[n++] = (copy){.kind = k};
	for (int k = 0; k < HY_N_ARTEFACTS; k++)
		for (int level = 2; level <= 4; level += 2)
			out[n++] = (copy){.kind = k, .level = level};
	out[n++] = (copy){.kind = SPACING, .factor = 0.7};
	out[n++] = (copy){.kind = SPACING, .factor = 1.4};
	return n;
}

typedef struct work {
	hy_predictor *predictor;
	const hy_dataset *d;
	const hy_dataset_options *o;
	const hardy_log *log;
	hy_known *known; /* owned */
	size_t n_known;
} work;

/* All channels alike. image is changed. */
static hardy_status spoil(const copy *c, const char *name, hy_volume *image, hardy_error *err)
{
	const hy_grid *g = &image->grid;
	const int64_t frame = hy_grid_voxels(g), n_scan[3] = {g->nx, g->ny, g->nz}, n_stack[3] = {g->nz, g->ny, g->nx};
	if (c->kind == PLAIN)
		return HARDY_OK;
	if (c->kind == SPACING) {
		for (int k = 0; k < 2; k++) {
			image->grid.spacing_mm[k] *= c->factor;
			for (int i = 0; i < 3; i++)
				image->grid.affine[i][k] *= c->factor;
		}
		return HARDY_OK;
	}
	hy_rng stream = hy_artefact_stream(SEED, (hy_artefact_kind)c->kind, name, 0, c->level);
	const hy_artefact a =
	    hy_artefact_draw((hy_artefact_kind)c->kind, c->level, c->level ? n_scan : n_stack, c->level > 0, &stream);
	hardy_status status = HARDY_OK;
	for (int64_t t = 0; t < image->nt && !status; t++) {
		float *data = image->data + t * frame;
		const hy_block block = hy_block_of_scan(data, g);
		status = c->level ? hy_artefact_apply(&a, &block, err) : hy_acdcc_apply(&a, data, g->nz, g->ny, g->nx, 0, err);
	}
	return status;
}

/* Mean Dice over the classes that the data set labels and that either map has; false when there are none. */
static bool score(const hy_dataset *d, const hy_labels *map, const hy_labels *truth, double *dice)
{
	bool labelled[HY_MAX_CLASSES];
	for (int c = 0; c < d->n_classes; c++)
		labelled[c] = d->classes[c].present;
	*dice = hy_overlap_mean_dice(map->data, truth->data, (size_t)hy_grid_voxels(&truth->grid), d->n_classes, labelled, NULL);
	return isfinite(*dice);
}

static hardy_status predict_copy(work *w, const hy_volume *image, const hy_labels *truth, int subject, hardy_error *err)
{
	hy_prediction p;
	hy_known *known = &w->known[w->n_known];
	const hardy_status status = hy_predictor_run(w->predictor, image, &p, err);
	if (status)
		return status;
	*known = (hy_known){.subject = subject, .signals = p.signals};
	w->n_known += score(w->d, &p.label, truth, &known->dice);
	hy_prediction_clear(&p);
	return HARDY_OK;
}

/* A copy that cannot be made (a scan of one slice takes no ghosts, say) is left out. */
static hardy_status predict_copies(work *w, const char *name, const hy_volume *image, const hy_labels *truth, int subject,
                                   hardy_error *err)
{
	copy copies[HY_CALIBRATION_COPIES];
	const int n = list_copies(copies);
	hy_volume spoiled = *image;
	const size_t size = (size_t)(image->nt * hy_grid_voxels(&image->grid));
	hardy_status status = HARDY_OK;
	spoiled.data = hy_alloc(size, sizeof *spoiled.data);
	if (!spoiled.data)
		return hy_fail_memory(err, name, size, sizeof *spoiled.data);
	for (int i = 0; i < n && !status; i++) {
		memcpy(spoiled.data, image->data, size * sizeof *spoiled.data);
		spoiled.grid = image->grid;
		status = spoil(&copies[i], name, &spoiled, err);
		if (!status)
			status = predict_copy(w, &spoiled, truth, subject, err);
		if (status && status != HARDY_ERROR_MEMORY && i > 0)
			status = HARDY_OK;
	}
	hy_free(spoiled.data);
	return status;
}

static hardy_status use_scan(work *w, size_t index, int subject, int64_t count[HY_MAX_CLASSES], hardy_error *err)
{
	const hy_case *c = &w->d->cases[index];
	hy_volume image = {0};
	hy_labels truth = {0};
	char name[160];
	bool has[256] = {false};
	hardy_status status = hy_case_load(w->d, index, w->o, &image, &truth, NULL, err);
	if (status)
		return status;
	snprintf(name, sizeof name, c->phase[0] ? "%s_%s" : "%s", c->subject, c->phase);
	for (int64_t i = 0; i < hy_grid_voxels(&truth.grid); i++)
		has[truth.data[i]] = true;
	status = predict_copies(w, name, &image, &truth, subject, err);
	for (int k = 0; k < w->d->n_classes && !status; k++)
		count[k] += has[k];
	if (status)
		hy_prefix(err, status, "%s", c->image_path[0]);
	hy_volume_clear(&image);
	hy_labels_clear(&truth);
	return status;
}

static hardy_status enough(int n_subjects, hardy_error *err)
{
	if (n_subjects >= HY_CALIBRATION_SUBJECTS)
		return HARDY_OK;
	return hy_fail(err, HARDY_ERROR_DATA, "%s %s too few to calibrate the predicted Dice, want %d or more",
	               HY_COUNT(n_subjects, "subject"), HY_IS(n_subjects), HY_CALIBRATION_SUBJECTS);
}

/* A scan that cannot be read is told and left out; *n_scans are those that were used. */
static hardy_status use_scans(work *w, const size_t *cases, size_t n, size_t n_used, const hardy_stop *stop,
                              int64_t count[HY_MAX_CLASSES], int64_t *n_scans, hardy_error *err)
{
	int subject = -1, seen = 0, counted = -1;
	const char *last = NULL;
	*n_scans = 0;
	for (size_t i = 0; i < n_used; i++) {
		const size_t index = cases[i * n / n_used];
		const hy_case *c = &w->d->cases[index];
		if (!last || strcmp(last, c->subject) != 0) /* cases are sorted by subject */
			subject++;
		last = c->subject;
		if (hy_stop_asked(stop))
			return hy_fail(err, HARDY_ERROR_INTERRUPTED, "interrupted while calibrating the predicted Dice");
		hy_log(w->log, HARDY_LOG_PROGRESS, "calibrating the predicted Dice: %s %s (%zu of %s)", c->subject, c->phase, i + 1,
		       HY_COUNT(n_used, "scan"));
		const hardy_status status = use_scan(w, index, subject, count, err);
		if (status == HARDY_ERROR_MEMORY)
			return status;
		if (status) {
			hy_warn(w->log, "left out: %s", err->message);
			continue;
		}
		seen += counted != subject;
		counted = subject;
		++*n_scans;
	}
	return enough(seen, err);
}

/* Before minutes go into predictions. */
static hardy_status check_subjects(const hy_dataset *d, const size_t *cases, size_t n, hardy_error *err)
{
	size_t n_subjects = n > 0;
	for (size_t i = 1; i < n; i++)
		n_subjects += strcmp(d->cases[cases[i]].subject, d->cases[cases[i - 1]].subject) != 0;
	return enough((int)n_subjects, err);
}

hardy_status hy_calibrate(hy_model *model, const hy_dataset *d, const size_t *cases, size_t n, const hy_dataset_options *o,
                          const hardy_log *log, const hardy_stop *stop, hy_calibration *out, hardy_error *err)
{
	const size_t n_used = n < HY_CALIBRATION_SCANS ? n : HY_CALIBRATION_SCANS;
	int64_t count[HY_MAX_CLASSES] = {0};
	hy_calibration made = {0};
	work w = {.d = d, .o = o, .log = log};
	hy_predictor_options p;
	hy_predictor_options_init(&p);
	hy_predictor_options_use(&p, model);
	p.which = HY_STN;
	p.both = p.signals = true;
	hardy_error unseen = {0};
	err = err ? err : &unseen;
	hardy_status status = check_subjects(d, cases, n, err);
	if (status)
		return status;
	w.known = hy_alloc(n_used * HY_CALIBRATION_COPIES, sizeof *w.known);
	if (!w.known)
		return hy_fail_memory(err, "a calibration", n_used * HY_CALIBRATION_COPIES, sizeof *w.known);
	w.predictor = hy_predictor_new(&model, 1, &p, err);
	status = w.predictor ? use_scans(&w, cases, n, n_used, stop, count, &made.n_scans, err) : err->status;
	for (int c = 0; c < d->n_classes && made.n_scans; c++)
		made.presence[c] = (double)count[c] / (double)made.n_scans;
	if (!status)
		status = hy_calibration_fit(&made, w.known, w.n_known, err);
	if (!status)
		*out = made;
	hy_predictor_free(w.predictor);
	hy_free(w.known);
	return status;
}
