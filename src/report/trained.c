/*
 * trained.c: reads the folder of a training, and segments its validation scans again.
 */
#include "report/trained.h"

#include "base/memory.h"
#include "base/text.h"
#include "draw/part.h"
#include "image/nifti.h"
#include "metric/clinical.h"
#include "metric/overlap.h"
#include "metric/statistics.h"
#include "predict/ensemble.h"
#include "predict/jobs.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

enum { N_PANELS = 3, PANEL = 176 };

/* ---- records ------------------------------------------------------------------------------------------------------------ */

static bool holds(const char *folder, const char *name, bool *failed)
{
	char *path = hy_path_join(folder, name);
	const bool there = path && hy_path_exists(path);
	*failed = *failed || !path;
	hy_free(path);
	return there;
}

hardy_status hy_trained_look(const char *folder, bool *is, hardy_error *err)
{
	bool failed = false;
	*is = (holds(folder, "run.json", &failed) || holds(folder, "folds.json", &failed)) &&
	      !holds(folder, "results.jsonl", &failed);
	return failed ? hy_fail_memory(err, folder, 1, 1) : HARDY_OK;
}

static const cJSON *member(const cJSON *object, const char *name)
{
	return cJSON_GetObjectItemCaseSensitive(object, name);
}

const cJSON *hy_trained_option(const hy_trained *t, const char *name)
{
	return t->n_parts ? member(member(t->parts[0].json, "options"), name) : NULL;
}

const cJSON *hy_trained_data(const hy_trained *t, const char *name)
{
	return t->n_parts ? member(member(t->parts[0].json, "data_set"), name) : NULL;
}

/* What every record of a training has. */
static hardy_status check_record(const cJSON *json, const char *path, hardy_error *err)
{
	static const char *const objects[] = {"options", "data_set"};
	for (size_t i = 0; i < sizeof objects / sizeof *objects; i++)
		if (!cJSON_IsObject(member(json, objects[i])))
			return hy_fail(err, HARDY_ERROR_FORMAT, "%s: no \"%s\": want the run.json of a training", path, objects[i]);
	if (!cJSON_IsString(member(json, "status")))
		return hy_fail(err, HARDY_ERROR_FORMAT, "%s: no \"status\": want the run.json of a training", path);
	return HARDY_OK;
}

/* Takes over folder, NULL: memory ran out. */
static hardy_status add_part(hy_trained *t, char *folder, hardy_error *err)
{
	size_t size;
	hy_trained_part *p = &t->parts[t->n_parts];
	*p = (hy_trained_part){.folder = folder};
	char *record = folder ? hy_path_join(folder, "run.json") : NULL;
	char *metrics = folder ? hy_path_join(folder, "metrics.csv") : NULL;
	hardy_status status = record && metrics ? hy_json_read(record, &p->json, err) : hy_fail_memory(err, "a run", 1, 1);
	if (!status)
		status = check_record(p->json, record, err);
	if (!status && hy_path_exists(metrics))
		status = hy_file_read(metrics, &p->metrics, &size, err);
	hy_free(record);
	hy_free(metrics);
	t->n_parts++;
	return status;
}

/* The folds that have begun: those of folds.json are done, the one behind them may be on its way. */
static hardy_status read_folds(hy_trained *t, const char *folder, const char *path, hardy_error *err)
{
	hardy_status status = hy_json_read(path, &t->folds, err);
	const cJSON *list = member(t->folds, "folds");
	if (!status && !cJSON_IsArray(list))
		status = hy_fail(err, HARDY_ERROR_FORMAT, "%s: no \"folds\": want the folds.json of a cross-validation", path);
	if (status)
		return status;
	const size_t room = (size_t)cJSON_GetArraySize(list) + 1;
	t->parts = hy_calloc(room, sizeof *t->parts);
	if (!t->parts)
		return hy_fail_memory(err, "folds", room, sizeof *t->parts);
	for (size_t k = 0; k < room && !status; k++) {
		char name[32];
		bool failed = false;
		snprintf(name, sizeof name, "fold_%zu", k);
		char *part = hy_path_join(folder, name);
		if (part && k + 1 == room && !holds(part, "run.json", &failed)) {
			hy_free(part);
			break;
		}
		status = add_part(t, part, err);
	}
	if (!status && !t->n_parts)
		status = hy_fail(err, HARDY_ERROR_DATA, "%s: no fold has begun to train yet", folder);
	return status;
}

static void read_date(hy_trained *t, const char *path)
{
	struct stat s;
	struct tm day;
	if (!stat(path, &s) && gmtime_r(&s.st_mtime, &day))
		strftime(t->date, sizeof t->date, "%Y-%m-%d", &day);
}

static hardy_status read_records(hy_trained *t, const char *folder, hardy_error *err)
{
	char *folds = hy_path_join(folder, "folds.json"), *run = hy_path_join(folder, "run.json");
	hardy_status status = folds && run ? HARDY_OK : hy_fail_memory(err, folder, 1, 1);
	const bool one = !status && hy_path_exists(run);
	if (!status)
		read_date(t, one ? run : folds);
	if (!status && one) {
		t->parts = hy_calloc(1, sizeof *t->parts);
		status = t->parts ? add_part(t, hy_strdup(folder), err) : hy_fail_memory(err, folder, 1, sizeof *t->parts);
	} else if (!status) {
		status = read_folds(t, folder, folds, err);
	}
	hy_free(folds);
	hy_free(run);
	return status;
}

/* ---- notes -------------------------------------------------------------------------------------------------------------- */

/* Adds to the note; what was said already is not said again. */
static hardy_status add_note(hy_trained *t, const char *text, hardy_error *err)
{
	hy_text all = {0};
	if (t->note && strstr(t->note, text))
		return HARDY_OK;
	hy_text_printf(&all, "%s%s%s", t->note ? t->note : "", t->note ? "; " : "", text);
	if (all.failed) {
		hy_text_clear(&all);
		return hy_fail_memory(err, "a note", strlen(text), 1);
	}
	hy_free(t->note);
	t->note = all.data;
	return HARDY_OK;
}

/* What cannot be read is a note, and no error unless memory ran out. */
static hardy_status note_error(hy_trained *t, hardy_status status, const hardy_log *log, hardy_error *err)
{
	if (!status || status == HARDY_ERROR_MEMORY)
		return status;
	char text[sizeof err->message];
	snprintf(text, sizeof text, "%s", err->message);
	hy_warn(log, "%s", text);
	return add_note(t, text, err);
}

/* ---- the data set ------------------------------------------------------------------------------------------------------- */

typedef struct reader {
	hy_trained *t;
	const hardy_log *log;
	hy_dataset set;
	hy_dataset_options options;
} reader;

static void pass_over(void *payload, const char *subject, const char *phase, const char *text)
{
	(void)payload, (void)subject, (void)phase, (void)text; /* the training told */
}

static bool is_listed(const cJSON *list, const char *subject)
{
	const cJSON *item;
	cJSON_ArrayForEach(item, list)
	{
		if (cJSON_IsString(item) && !strcmp(item->valuestring, subject))
			return true;
	}
	return false;
}

static const cJSON *subjects_of(const hy_trained_part *p, const char *list)
{
	return member(member(p->json, "data_set"), list);
}

/* false: served for nothing. */
static bool role_of(const hy_trained *t, const char *subject, enum hy_role *role)
{
	static const char *const lists[] = {"train", "validation", "test"};
	for (int k = 0; k < 3; k++) {
		*role = t->folds ? HY_ROLE_FOLDS : (enum hy_role)k;
		if (is_listed(subjects_of(&t->parts[0], lists[k]), subject))
			return true;
	}
	return false;
}

static const char *path_option(const hy_trained *t, const char *name)
{
	const cJSON *item = hy_trained_option(t, name);
	return cJSON_IsString(item) ? item->valuestring : NULL;
}

static hardy_status open_data(reader *r, hardy_error *err)
{
	const hy_trained *t = r->t;
	const char *path = path_option(t, "data");
	const cJSON *options = member(t->parts[0].json, "options");
	if (!path)
		return hy_fail(err, HARDY_ERROR_DATA, "run.json does not say where the data set lies");
	if (!hy_path_exists(path))
		return hy_fail(err, HARDY_ERROR_DATA, "the data set is not at %s any more", path);
	r->options.labels = path_option(t, "labels");
	r->options.spacing_mm[0] = hy_json_number(options, "header_spacing_x_mm", 0);
	r->options.spacing_mm[1] = hy_json_number(options, "header_spacing_y_mm", 0);
	r->options.spacing_mm[2] = hy_json_number(options, "header_spacing_z_mm", 0);
	return hy_dataset_open_usable(&r->set, path, &r->options, pass_over, NULL, NULL, err);
}

/* Grid and volumes from the label map alone. */
static hardy_status read_labels(const reader *r, const hy_case *c, hy_trained_scan *out, hardy_error *err)
{
	hy_nifti_options o;
	hy_label_values values;
	hy_labels labels = {0};
	hy_nifti_options_init(&o);
	o.frame = c->label_frame;
	memcpy(o.spacing_mm, r->options.spacing_mm, sizeof o.spacing_mm);
	const hardy_status status = hy_nifti_read_values(c->label_path, &o, &labels, &values, NULL, err);
	if (status)
		return status;
	const hy_order stack = hy_order_stack(hy_stack_axis(&labels.grid));
	const hy_grid g = hy_order_grid(&stack, &labels.grid);
	hy_labels_clear(&labels);
	out->shape[0] = g.nx;
	out->shape[1] = g.ny;
	out->shape[2] = g.nz;
	memcpy(out->spacing_mm, g.spacing_mm, sizeof out->spacing_mm);
	int64_t n[HY_MAX_CLASSES] = {0};
	for (int k = 0; k < values.n; k++) {
		const uint8_t class = hy_dataset_class(&r->set, values.value[k]);
		if (class < HY_MAX_CLASSES)
			n[class] += values.count[k];
	}
	for (int k = 0; k < HY_MAX_CLASSES; k++)
		out->volume_ml[k] = n[k] ? hy_volume_ml(n[k], g.spacing_mm) : NAN;
	return HARDY_OK;
}

static hardy_status read_scans(reader *r, hardy_error *err)
{
	hy_trained *t = r->t;
	hardy_status status = HARDY_OK;
	t->scans = hy_calloc(r->set.n_cases, sizeof *t->scans);
	if (r->set.n_cases && !t->scans)
		return hy_fail_memory(err, "scans", r->set.n_cases, sizeof *t->scans);
	for (size_t i = 0; i < r->set.n_cases && !status; i++) {
		const hy_case *c = &r->set.cases[i];
		hy_trained_scan *s = &t->scans[t->n_scans];
		if (!c->label_path || !role_of(t, c->subject, &s->role))
			continue;
		snprintf(s->subject, sizeof s->subject, "%s", c->subject);
		snprintf(s->phase, sizeof s->phase, "%s", c->phase);
		snprintf(s->site, sizeof s->site, "%s", c->site);
		status = read_labels(r, c, s, err);
		t->n_scans += !status;
		status = note_error(t, status, r->log, err);
	}
	return status;
}

/* ---- validation scans --------------------------------------------------------------------------------------------------- */

typedef struct scan {
	hy_volume image;
	hy_labels truth;
	hy_prediction found;
} scan;

static void scan_clear(scan *s)
{
	hy_volume_clear(&s->image);
	hy_labels_clear(&s->truth);
	hy_prediction_clear(&s->found);
}

static int ascending(const void *a, const void *b)
{
	const int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
	return (x > y) - (x < y);
}

/* The slice in which both differ most, and those at a quarter and three quarters of the way through the labels. */
static void choose_slices(const hy_labels *truth, const hy_labels *found, const hy_box *box, int64_t out[N_PANELS])
{
	const hy_grid *g = &truth->grid;
	const bool any = !hy_box_is_empty(box);
	const int64_t low = any ? box->low[2] : 0, high = any ? box->high[2] : g->nz - 1;
	out[0] = low + (high - low) / 4;
	out[1] = low + (high - low) * 3 / 4;
	out[2] = hy_slice_of_difference(truth->data, found->data, g->nx, g->ny, g->nz);
	for (int k = 0; k < 2; k++)
		if (out[2] == out[k])
			out[2] = low + (high - low) / 2;
	qsort(out, N_PANELS, sizeof *out, ascending);
}

static hardy_status draw(hy_trained_case *c, scan *s, const hy_class *classes, hardy_error *err)
{
	const hy_order stack = hy_order_stack(hy_stack_axis(&s->truth.grid));
	hardy_status status = hy_volume_reorder(&s->image, &stack, err);
	if (!status)
		status = hy_labels_reorder(&s->truth, &stack, err);
	if (!status)
		status = hy_labels_reorder(&s->found.label, &stack, err);
	if (status)
		return status;
	const hy_grid *g = &s->truth.grid;
	hy_box box = hy_box_empty();
	hy_box_add(&box, s->truth.data, g->nx, g->ny, g->nz);
	hy_box_add(&box, s->found.label.data, g->nx, g->ny, g->nz);
	choose_slices(&s->truth, &s->found.label, &box, c->slice);
	c->n_slices = g->nz;
	const hy_part p = hy_part_around(&box, g->nx, g->ny, 1.4, 24, 512, PANEL);
	const int side = p.side * p.scale;
	hy_canvas *canvas = NULL;
	status = hy_canvas_new(&canvas, N_PANELS * side, side, err);
	for (int k = 0; k < N_PANELS && !status; k++) {
		const int64_t at = c->slice[k] * g->nx * g->ny;
		const hy_borders b = {s->truth.data + at, s->found.label.data + at, classes};
		status = hy_part_draw(canvas, k * side, 0, &p, s->image.data + at, &b, g->nx, g->ny, err);
	}
	if (!status)
		status = hy_blob_png(&c->picture, canvas, err);
	hy_canvas_free(canvas);
	return status;
}

static void score(hy_trained_case *c, const scan *s, int n_classes)
{
	const size_t n = (size_t)hy_grid_voxels(&s->truth.grid);
	c->mean = hy_overlap_mean_dice(s->found.label.data, s->truth.data, n, n_classes, NULL, c->dice);
	for (int k = 1; k < n_classes; k++) {
		const hy_overlap o = hy_overlap_count(s->found.label.data, s->truth.data, n, (uint8_t)k);
		c->truth_ml[k] = hy_volume_ml(o.n_ref, s->truth.grid.spacing_mm);
		c->found_ml[k] = hy_volume_ml(o.n_pred, s->truth.grid.spacing_mm);
	}
}

/* Adds one scan; room for it is there. */
static hardy_status add_case(reader *r, size_t part, hy_predictor *predictor, size_t i, hardy_error *err)
{
	hy_trained *t = r->t;
	const hy_case *c = &r->set.cases[i];
	hy_trained_case *out = &t->cases[t->n_cases];
	scan s = {0};
	*out = (hy_trained_case){.part = part};
	snprintf(out->name, sizeof out->name, *c->phase ? "%s_%s" : "%s", c->subject, c->phase);
	hardy_status status = hy_case_load(&r->set, i, &r->options, &s.image, &s.truth, NULL, err);
	if (!status)
		status = hy_predictor_run(predictor, &s.image, &s.found, err);
	if (!status) {
		score(out, &s, t->n_classes);
		status = draw(out, &s, t->classes, err);
	}
	scan_clear(&s);
	if (!status)
		t->n_cases++;
	else
		hy_blob_clear(&out->picture);
	return status;
}

/* What the first model says of itself, whether or not there is data to try it on. */
static hardy_status look_at_model(hy_trained *t, const hardy_log *log, hardy_error *err)
{
	hy_ensemble e = {0};
	const hardy_status status = hy_ensemble_load(&e, t->parts[0].folder, err);
	if (!status) {
		const hy_model *m = &e.models[0];
		t->n_classes = m->n_classes;
		memcpy(t->classes, m->classes, sizeof t->classes);
		t->use = m->use;
		t->fingerprint = m->fingerprint;
	}
	hy_ensemble_clear(&e);
	return note_error(t, status, log, err);
}

/* The data set as it is now must have the classes that the model was trained with. */
static hardy_status check_classes(const reader *r, const hy_model *m, hardy_error *err)
{
	bool same = m->n_classes == r->set.n_classes && m->n_channels == r->set.n_channels;
	for (int k = 1; k < m->n_classes && same; k++)
		same = !strcmp(m->classes[k].name, r->set.classes[k].name);
	if (same)
		return HARDY_OK;
	return hy_fail(err, HARDY_ERROR_DATA, "%s: has other classes or channels than the model that was trained on it",
	               r->set.root);
}

/* As `hardy predict` would segment them. */
static hardy_status score_part(reader *r, size_t part, hardy_error *err)
{
	hy_trained *t = r->t;
	const hy_trained_part *p = &t->parts[part];
	const cJSON *subjects = subjects_of(p, "validation");
	hy_ensemble e = {0};
	hy_predictor_options o;
	hardy_status status = hy_ensemble_load(&e, p->folder, err);
	if (!status)
		status = check_classes(r, &e.models[0], err);
	if (!status) {
		hy_predictor_options_init(&o);
		hy_predictor_options_use(&o, &e.models[0]);
		status = hy_ensemble_start(&e, &o, err);
	}
	status = note_error(t, status, r->log, err);
	for (size_t i = 0; i < r->set.n_cases && !status && e.predictor; i++) {
		if (!r->set.cases[i].label_path || !is_listed(subjects, r->set.cases[i].subject))
			continue;
		hy_log(r->log, HARDY_LOG_PROGRESS, "segmenting %s %s", r->set.cases[i].subject, r->set.cases[i].phase);
		status = note_error(t, add_case(r, part, e.predictor, i, err), r->log, err);
	}
	hy_ensemble_clear(&e);
	return status;
}

/* The worst first; scans without a score last. */
static int by_dice(const void *a, const void *b)
{
	const hy_trained_case *x = a, *y = b;
	const double dx = isfinite(x->mean) ? x->mean : 2, dy = isfinite(y->mean) ? y->mean : 2;
	return dx < dy ? -1 : dx > dy ? 1 : strcmp(x->name, y->name);
}

static hardy_status read_data(reader *r, hardy_error *err)
{
	hy_trained *t = r->t;
	hardy_status status = open_data(r, err);
	if (status)
		return note_error(t, status, r->log, err);
	status = read_scans(r, err);
	const size_t room = t->n_parts * r->set.n_cases;
	if (!status && room && !(t->cases = hy_calloc(room, sizeof *t->cases)))
		status = hy_fail_memory(err, "cases", room, sizeof *t->cases);
	for (size_t k = 0; k < t->n_parts && !status && room; k++)
		if (cJSON_GetArraySize(subjects_of(&t->parts[k], "validation")))
			status = score_part(r, k, err);
	if (!status && t->n_cases)
		qsort(t->cases, t->n_cases, sizeof *t->cases, by_dice);
	return status;
}

/* ---- all of it ---------------------------------------------------------------------------------------------------------- */

hardy_status hy_trained_read(hy_trained *t, const char *folder, bool scores, const hardy_log *log, hardy_error *err)
{
	*t = (hy_trained){0};
	reader r = {.t = t, .log = log};
	hardy_status status = read_records(t, folder, err);
	if (!status)
		status = look_at_model(t, log, err);
	if (!status && scores)
		status = read_data(&r, err);
	hy_dataset_clear(&r.set);
	if (status)
		hy_trained_clear(t);
	return status;
}

void hy_trained_clear(hy_trained *t)
{
	for (size_t i = 0; i < t->n_parts; i++) {
		hy_free(t->parts[i].folder);
		cJSON_Delete(t->parts[i].json);
		hy_free(t->parts[i].metrics);
	}
	for (size_t i = 0; i < t->n_cases; i++)
		hy_blob_clear(&t->cases[i].picture);
	cJSON_Delete(t->folds);
	hy_free(t->parts);
	hy_free(t->scans);
	hy_free(t->cases);
	hy_free(t->note);
	*t = (hy_trained){0};
}

double hy_trained_dice(const hy_trained *t, int class)
{
	double means[HY_MAX_CLASSES] = {NAN};
	for (int k = 1; k < t->n_classes; k++) {
		double sum = 0;
		size_t n = 0;
		for (size_t i = 0; i < t->n_cases; i++) {
			const double dice = t->cases[i].dice[k];
			sum += isfinite(dice) ? dice : 0;
			n += isfinite(dice);
		}
		means[k] = n ? sum / (double)n : NAN;
	}
	if (class)
		return class < t->n_classes ? means[class] : NAN;
	return t->n_classes ? hy_mean_defined(means, (size_t)t->n_classes) : NAN;
}
