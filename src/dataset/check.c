/*
 * check.c: reads a whole data set and reports what is in it, what is wrong, and the remedy.
 */
#include "base/files.h"
#include "base/json.h"
#include "base/memory.h"
#include "base/option.h"
#include "base/text.h"
#include "dataset/layout.h"
#include "dataset/preprocess.h"
#include "dataset/survey.h"
#include "image/dicom.h"
#include "image/geometry.h"
#include "image/series.h"

#include <cJSON.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Of a case whose image or label can be read: more than a kilobyte, which a hundred thousand damaged files do not need. */
typedef struct measures {
	hy_grid grid;
	float low, high;
	int64_t voxels[HY_MAX_CLASSES];
	double ml[HY_MAX_CLASSES];
	hy_survey_scan scan; /* of this label, where n_foreground is above 0 */
	double n_foreground;
	hy_cover cover; /* of this label by the network's slices */
	uint64_t hash;  /* of the image's voxels */
} measures;

/* What one case turned out to be. */
typedef struct facts {
	bool has_image, has_label;
	measures *m; /* owned; there where one of both is */
	hy_problems problems;
} facts;

typedef struct report {
	hy_dataset d;
	facts *facts;        /* per case */
	hy_plan plan;        /* of the network's slices: whether they show the labels */
	bool is_planned;     /* the plan's grid is the one that training would take from the labels */
	size_t n_surveyed;   /* labels that say what it should be; 0: nothing is told of it */
	hy_problems general; /* found while listing the files, or about the whole data set */
	size_t n_subjects, n_usable, n_bad, n_look;
} report;

/* ---- one case ----------------------------------------------------------------------------------------------------------- */

static const char restore[] = "restore the file from where it came from";

/* A log that keeps warnings as problems of the case. */
typedef struct listener {
	const hy_case *c;
	hy_problems *problems;
} listener;

static void keep_warning(void *payload, hardy_log_level level, const char *line)
{
	const listener *l = payload;
	if (level == HARDY_LOG_WARNING)
		hy_problem_add(l->problems, false, l->c->subject, l->c->phase,
		               "none needed unless lengths and volumes come out wrong: then correct the header, or give the spacing",
		               "%s", line);
}

static void add_error(facts *f, const hy_case *c, const char *remedy, const hardy_error *err)
{
	if (err->status == HARDY_ERROR_MEMORY) { /* no fault of the case: the whole check fails */
		f->problems.lost = true;
		return;
	}
	hy_problem_add(&f->problems, true, c->subject, c->phase, remedy, "%s", err->message);
}

/* Room for measures; without memory the whole check fails. */
static bool measure(facts *f)
{
	if (!f->m && !(f->m = hy_calloc(1, sizeof *f->m)))
		f->problems.lost = true;
	return f->m;
}

#define LOOK(f, c, remedy, ...) hy_problem_add(&(f)->problems, false, (c)->subject, (c)->phase, remedy, __VA_ARGS__)

/* FNV-1a over the shape and the voxels' words: equal scans under two names. */
static uint64_t hash_voxels(const hy_volume *v)
{
	const int64_t n = hy_grid_voxels(&v->grid) * v->nt;
	uint64_t h = 0xcbf29ce484222325u ^ (uint64_t)v->grid.nx ^ (uint64_t)v->grid.ny << 20 ^ (uint64_t)v->grid.nz << 40;
	for (int64_t i = 0; i < n; i++) {
		uint32_t word;
		memcpy(&word, &v->data[i], sizeof word);
		h = (h ^ word) * 0x100000001b3u;
	}
	return h;
}

static void examine_spacing(facts *f, const hy_dataset *d, const hy_case *c)
{
	static const char remedy[] = "look the spacing up where the data come from; give it as the spacing if the file is wrong";
	const int stack = hy_stack_axis(&f->m->grid);
	const hy_order order = hy_order_stack(stack);
	const hy_grid grid = hy_order_grid(&order, &f->m->grid);
	const double *s = grid.spacing_mm;
	const char *path = c->image_path[0];
	if (stack < 2)
		LOOK(f, c, "none needed where that is so; give the spacing if the file is wrong",
		     "%s: slices lie along %c, %.4g mm apart: taken across that axis", path, "xyz"[stack], s[2]);
	if (s[0] == 1 && s[1] == 1 && s[2] == 1)
		LOOK(f, c, remedy, "%s: spacing is 1 x 1 x 1 mm: probably never set", path);
	else if (fmin(fmin(s[0], s[1]), s[2]) < 0.02 || fmax(fmax(s[0], s[1]), s[2]) > 50)
		LOOK(f, c, remedy, "%s: spacing of %.4g x %.4g x %.4g mm is suspicious", path, s[0], s[1], s[2]);
	else if (fabs(s[0] - s[1]) > 0.01 * s[0])
		LOOK(f, c, remedy, "%s: spacing of %.4g x %.4g mm differs between rows and columns", path, s[0], s[1]);
	const double wide = s[0] * (double)grid.nx, high = s[1] * (double)grid.ny;
	if (d->heart && (fmin(wide, high) < 80 || fmax(wide, high) > 700))
		LOOK(f, c, remedy, "%s: field of view of %.0f x %.0f mm is unusual for a heart: suspicious spacing", path, wide, high);
}

static void examine_image(facts *f, const hy_dataset *d, const hy_case *c, const hy_dataset_options *o, const hardy_log *log)
{
	hy_volume v = {0};
	hardy_error err = {0};
	const hardy_status status = hy_case_read_image(d, c, o, &v, log, &err);
	if (status) {
		add_error(f, c,
		          status == HARDY_ERROR_NUMERIC ? "export the scan again, or replace these voxels"
		          : status != HARDY_ERROR_DATA  ? restore
		          : d->layout == HY_LAYOUT_MNMS ? "correct ED and ES in the table: they count the frames of this file from 0"
		          : d->layout == HY_LAYOUT_ACDC ? "correct ED and ES in Info.cfg: they count the frames of the cine from 1"
		                                        : "bring all channels to one grid and one file each, as dataset.json declares",
		          &err);
		return;
	}
	if (!measure(f)) {
		hy_volume_clear(&v);
		return;
	}
	f->has_image = true;
	f->m->grid = v.grid;
	f->m->hash = hash_voxels(&v);
	const int64_t n = hy_grid_voxels(&v.grid);
	for (int64_t t = 0; t < v.nt; t++) {
		const float *data = v.data + t * n;
		float low = data[0], high = data[0];
		for (int64_t i = 1; i < n; i++) {
			low = data[i] < low ? data[i] : low;
			high = data[i] > high ? data[i] : high;
		}
		f->m->low = t && f->m->low < low ? f->m->low : low;
		f->m->high = t && f->m->high > high ? f->m->high : high;
	}
	if (hy_case_check_grey(c, &v, &err))
		add_error(f, c, restore, &err);
	if (v.grid.nz == 1)
		LOOK(f, c, "give the whole stack if there is one; surfaces and volumes of one slice mean little", "%s: only one slice",
		     c->image_path[0]);
	examine_spacing(f, d, c);
	hy_volume_clear(&v);
}

static void count_voxels(facts *f, const hy_dataset *d, const hy_case *c, hy_labels *l, const hy_label_values *values)
{
	int64_t n_foreground = 0, n_values = 0;
	const double *s = l->grid.spacing_mm;
	uint8_t class[256] = {0};
	for (int v = 0; v < values->n; v++) {
		const uint8_t k = hy_dataset_class(d, values->value[v]);
		n_values += values->value[v] > 0 ? values->count[v] : 0;
		class[v] = k == HY_NO_CLASS ? 0 : k;
		if (k == HY_NO_CLASS)
			continue;
		f->m->voxels[k] += values->count[v];
		f->m->ml[k] = (double)f->m->voxels[k] * s[0] * s[1] * s[2] / 1000;
		n_foreground += k > 0 ? values->count[v] : 0;
	}
	for (int64_t i = 0, n = hy_grid_voxels(&l->grid); i < n; i++)
		l->data[i] = class[l->data[i]];
	if (!n_foreground)
		LOOK(f, c,
		     "fine where there is nothing to draw; else draw the label, or remove it: training takes all of it for background",
		     "%s: no foreground: %s", c->label_path, n_values ? "no value belongs to a class" : "every voxel is 0");
	if (d->heart && d->classes[1].present && f->m->voxels[1] && (f->m->ml[1] > 800 || f->m->ml[1] < 1))
		LOOK(f, c, "check spacing and label values; a left ventricle has some 20 to 400 mL", "%s: LV of %.1f mL is suspicious",
		     c->label_path, f->m->ml[1]);
}

static const char *label_remedy(hardy_status status, bool has_grid)
{
	return status != HARDY_ERROR_DATA ? restore
	       : has_grid ? "pair the image with its own label, drawn on this scan's grid: whole numbers at the same points"
	                  : "want a label map: whole numbers from 0 to 65535";
}

/* What the network would see of a label. */
static void cover_label(facts *f, const report *r, const hy_labels *l)
{
	if (hy_cover_add(&f->m->cover, &r->plan, &l->grid, l->data, NULL) == HARDY_ERROR_MEMORY)
		f->problems.lost = true;
}

/* What grid it asks for. */
static void survey_label(facts *f, const report *r, const hy_labels *l)
{
	if (hy_survey_measure(&f->m->scan, &r->plan, &l->grid, l->data, &f->m->n_foreground, NULL))
		f->problems.lost = true;
}

static void examine_label(facts *f, const report *r, const hy_case *c, const hy_dataset_options *o, const hardy_log *log)
{
	const hy_dataset *d = &r->d;
	hy_labels l = {0};
	hy_label_values values;
	hardy_error err = {0};
	hardy_status status = hy_case_read_values(c, o, f->has_image ? &f->m->grid : NULL, &l, &values, log, &err);
	bool fits = !status;
	if (status) {
		/* Whether the label itself is at fault, or how it fits; in the latter case what it contains can be wrong as well. */
		const bool readable =
		    status == HARDY_ERROR_DATA && f->has_image && !hy_case_read_values(c, o, NULL, &l, &values, NULL, NULL);
		add_error(f, c, label_remedy(status, readable), &err);
		if (!readable)
			return;
	}
	if (!measure(f)) {
		hy_labels_clear(&l);
		return;
	}
	if (hy_case_check_values(d, c, &values, &err))
		add_error(f, c, "correct the label, or say what the values mean by labels (background=V drops one)", &err);
	count_voxels(f, d, c, &l, &values);
	if (fits)
		cover_label(f, r, &l);
	if (fits && r->is_planned)
		survey_label(f, r, &l);
	f->has_label = true;
	hy_labels_clear(&l);
}

/* The labels once more, where training would take another grid than what they were measured for. */
static void examine_view(facts *f, const report *r, const hy_case *c, const hy_dataset_options *o)
{
	hy_labels l = {0};
	hy_label_values values;
	hardy_error err = {0};
	f->m->cover = (hy_cover){0};
	const hardy_status status = hy_case_read_values(c, o, f->has_image ? &f->m->grid : NULL, &l, &values, NULL, &err);
	if (!status)
		cover_label(f, r, &l);
	f->problems.lost = f->problems.lost || status == HARDY_ERROR_MEMORY;
	hy_labels_clear(&l);
}

static void examine_case(facts *f, const report *r, const hy_case *c, const hy_dataset_options *o)
{
	listener l = {c, &f->problems};
	const hardy_log log = {keep_warning, &l};
	examine_image(f, &r->d, c, o, &log);
	if (c->label_path)
		examine_label(f, r, c, o, &log);
}

/* ---- the whole data set ------------------------------------------------------------------------------------------------- */

typedef struct hashed {
	uint64_t hash;
	size_t at; /* index of the case */
} hashed;

static int by_hash(const void *a, const void *b)
{
	const hashed *x = a, *y = b;
	return x->hash != y->hash ? (x->hash < y->hash ? -1 : 1) : (x->at > y->at) - (x->at < y->at);
}

/* Each that has the voxels of one before it is told with the first of these. */
static void find_duplicates(report *r)
{
	hashed *list = hy_alloc(r->d.n_cases, sizeof *list);
	size_t n = 0, first = 0;
	r->general.lost = r->general.lost || !list;
	for (size_t i = 0; list && i < r->d.n_cases; i++)
		if (r->facts[i].has_image)
			list[n++] = (hashed){r->facts[i].m->hash, i};
	if (n)
		qsort(list, n, sizeof *list, by_hash);
	for (size_t i = 1; i < n; i++) {
		if (list[i].hash != list[first].hash) {
			first = i;
			continue;
		}
		const hy_case *c = &r->d.cases[list[i].at], *other = &r->d.cases[list[first].at];
		LOOK(&r->facts[list[i].at], c, "remove one, lest a subject both trains and tests", "%s%s%s: the same voxels as %s %s",
		     c->image_path[0], *c->phase ? ", " : "", c->phase, other->subject, other->phase);
	}
	hy_free(list);
}

static void examine_classes(report *r)
{
	int64_t n_foreground = 0;
	size_t n_all = 0;
	for (size_t i = 0; i < r->d.n_cases; i++) {
		n_all += r->facts[i].has_label;
		for (int k = 1; k < r->d.n_classes && r->facts[i].has_label; k++)
			n_foreground += r->facts[i].m->voxels[k];
	}
	if (n_all && !n_foreground)
		hy_problem_add(&r->general, true, "", "", "draw labels: nothing can be learned or scored",
		               "%s: no label holds any class", r->d.root);
	for (int k = 1; k < r->d.n_classes; k++) {
		size_t n_with = 0, n_labels = 0;
		const hy_case *without = NULL;
		for (size_t i = 0; i < r->d.n_cases; i++) {
			if (!r->facts[i].has_label)
				continue;
			n_labels++;
			n_with += r->facts[i].m->voxels[k] > 0;
			if (!r->facts[i].m->voxels[k] && !without)
				without = &r->d.cases[i];
		}
		if (r->d.classes[k].present && without)
			hy_problem_add(
			    &r->general, false, "", "",
			    n_with ? "fine where the structure is not there; where it was not drawn, training takes it for background"
			           : "correct the names, or leave the class out by labels",
			    "%s: class %s (value %d) is in %zu of %s, not in %s %s", r->d.root, r->d.classes[k].name, r->d.classes[k].value,
			    n_with, HY_COUNT(n_labels, "label"), without->subject, without->phase);
	}
}

/* Scans that are stored in another order than most. */
static hardy_status examine_orientation(report *r, hardy_error *err)
{
	hy_plan common = {0};
	hy_grid *grids = hy_calloc(r->d.n_cases, sizeof *grids);
	size_t n = 0;
	if (!grids)
		return hy_fail_memory(err, "grids", r->d.n_cases, sizeof *grids);
	for (size_t i = 0; i < r->d.n_cases; i++)
		if (r->facts[i].has_image)
			grids[n++] = r->facts[i].m->grid;
	const size_t n_turned = hy_plan_direct(&common, grids, n);
	char most[4] = "";
	for (size_t i = 0; i < n && n_turned && !*most; i++) {
		const hy_order stack = hy_order_stack(hy_stack_axis(&grids[i])), order = hy_plan_order(&common, &grids[i]);
		if (hy_order_same(&stack, &order) && grids[i].located)
			hy_affine_orientation(grids[i].affine, most);
	}
	for (size_t i = 0; i < r->d.n_cases && n_turned; i++) {
		facts *f = &r->facts[i];
		char own[4];
		if (!f->has_image)
			continue;
		const hy_order stack = hy_order_stack(hy_stack_axis(&f->m->grid)), order = hy_plan_order(&common, &f->m->grid);
		if (hy_order_same(&stack, &order))
			continue;
		hy_affine_orientation(f->m->grid.affine, own);
		LOOK(f, &r->d.cases[i], "none needed: training brings all scans into one order; correct the header where it is wrong",
		     "%s: orientation %s, most scans have %s: brought into their order", r->d.cases[i].image_path[0], own,
		     *most ? most : "another");
	}
	hy_free(grids);
	return HARDY_OK;
}

/* Labels that the network would not see with a grid. */
static void tell_cover(report *r, const hy_plan *p, const char *remedy)
{
	char text[768];
	hy_cover all = {0};
	for (size_t i = 0; i < r->d.n_cases; i++) {
		if (!r->facts[i].m)
			continue;
		const hy_cover *c = &r->facts[i].m->cover;
		all.pixels = fmax(all.pixels, c->pixels);
		for (int k = 0; k < HY_MAX_CLASSES; k++) {
			all.inside[k] += c->inside[k];
			all.outside[k] += c->outside[k];
		}
	}
	if (hy_cover_say(&all, p, r->d.classes, r->d.n_classes, text, sizeof text))
		hy_problem_add(&r->general, false, "", "", remedy, "%s: %s", r->d.root, text);
}

/* The grid that training would take from these labels, and what the usual one would leave out. */
static hardy_status examine_plan(report *r, const hy_dataset_options *o, const hardy_log *log, hardy_error *err)
{
	const hy_plan usual = r->plan;
	hy_survey s = {0};
	hardy_status status = HARDY_OK;
	for (size_t i = 0; i < r->d.n_cases && !status; i++) {
		const facts *f = &r->facts[i];
		if (f->has_label && f->m->n_foreground > 0)
			status = hy_survey_put(&s, &f->m->scan, err);
	}
	if (!status)
		hy_survey_grid(&s, &r->plan.size, &r->plan.spacing_mm);
	r->n_surveyed = s.n;
	hy_survey_clear(&s);
	if (status || hy_plan_same(&r->plan, &usual))
		return status;
	if (r->plan.spacing_mm > usual.spacing_mm)
		tell_cover(r, &usual, "hardy train takes coarser pixels by itself; give it the size to keep finer ones");
	int64_t n_done = 0;
#pragma omp parallel for schedule(dynamic)
	for (int64_t i = 0; i < (int64_t)r->d.n_cases; i++) {
		facts *f = &r->facts[i];
		if (f->has_label && f->m->n_foreground > 0)
			examine_view(f, r, &r->d.cases[i], o);
#pragma omp critical(hy_check_progress)
		hy_log(log, HARDY_LOG_PROGRESS, "looked again at %lld of %s", (long long)++n_done, HY_COUNT(r->d.n_cases, "label"));
	}
	return HARDY_OK;
}

/* The cavity is largest at end diastole. */
static void examine_phases(report *r)
{
	for (size_t i = 0; r->d.heart && i + 1 < r->d.n_cases; i++) {
		const hy_case *ed = &r->d.cases[i], *es = &r->d.cases[i + 1];
		if (strcmp(ed->phase, "ED") || strcmp(es->phase, "ES") || strcmp(ed->subject, es->subject))
			continue;
		if (!r->facts[i].has_label || !r->facts[i + 1].has_label)
			continue;
		const double *v = r->facts[i].m->ml, *w = r->facts[i + 1].m->ml;
		if (v[1] > 0 && v[1] < w[1])
			hy_problem_add(&r->facts[i].problems, false, ed->subject, "", "correct the frames' numbers where they come from",
			               "LV of %.1f mL at ED, %.1f mL at ES: are ED and ES exchanged?", v[1], w[1]);
	}
}

static hardy_status examine(report *r, const hy_dataset_options *o, const hardy_log *log, hardy_error *err)
{
	hy_dataset *d = &r->d;
	r->facts = hy_calloc(d->n_cases, sizeof *r->facts);
	if (!r->facts)
		return hy_fail_memory(err, "a report", d->n_cases, sizeof *r->facts);
	int64_t n_done = 0;
#pragma omp parallel for schedule(dynamic)
	for (int64_t i = 0; i < (int64_t)d->n_cases; i++) {
		examine_case(&r->facts[i], r, &d->cases[i], o);
#pragma omp critical(hy_check_progress)
		hy_log(log, HARDY_LOG_PROGRESS, "checked %lld of %s", (long long)++n_done, HY_COUNT(d->n_cases, "scan"));
	}
	find_duplicates(r);
	examine_classes(r);
	hardy_status status = r->is_planned ? examine_plan(r, o, log, err) : HARDY_OK;
	tell_cover(r, &r->plan, "give hardy train one of them");
	examine_phases(r);
	if (!status)
		status = examine_orientation(r, err);
	if (status)
		return status;
	r->n_bad = r->general.n_bad;
	r->n_look = r->general.n - r->general.n_bad;
	bool lost = r->general.lost;
	for (size_t i = 0; i < d->n_cases; i++) {
		const facts *f = &r->facts[i];
		r->n_usable += !f->problems.n_bad;
		r->n_bad += f->problems.n_bad > 0;
		r->n_look += f->problems.n - f->problems.n_bad;
		r->n_subjects += !i || strcmp(d->cases[i].subject, d->cases[i - 1].subject);
		lost = lost || f->problems.lost;
	}
	return lost ? hy_fail_memory(err, "a report", 1, sizeof(hy_problem)) : HARDY_OK;
}

/* ---- DICOM -------------------------------------------------------------------------------------------------------------- */

static hardy_status list_series(report *r, const hy_converted *from, const hardy_log *log, hardy_error *err)
{
	hy_scan s = {.d = &r->d, .problems = &r->general, .log = log};
	r->d.root = hy_strdup(from->root);
	if (!r->d.root)
		return hy_fail_memory(err, from->root, 1, 1);
	r->d.layout = HY_LAYOUT_DICOM;
	r->d.n_channels = r->d.n_classes = 1;
	snprintf(r->d.channels[0], sizeof r->d.channels[0], "image");
	for (size_t i = 0; i < from->n; i++) {
		const hy_series *series = &from->items[i];
		char phase[16] = "";
		hy_case *c = NULL;
		if (series->fault) {
			hy_problem_add(&r->general, true, series->name, "", "convert it by hand, then look at what came of it", "%s",
			               series->fault);
			continue;
		}
		if (series->n_frames > 1)
			snprintf(phase, sizeof phase, "%d frames", (int)(series->n_frames % 1000000));
		const hardy_status status = hy_scan_add(&s, series->name, phase, "", &c, err);
		if (status)
			return status;
		c->frame = series->n_frames > 1 ? 0 : -1;
		if (!(c->image_path[0] = hy_strdup(series->path)))
			return hy_fail_memory(err, series->path, 1, 1);
	}
	return HARDY_OK;
}

/* What a user knows instead of a file that is gone when it is read. */
static hardy_status name_text(const hy_converted *from, char **text, hardy_error *err)
{
	char room[2048];
	snprintf(room, sizeof room, "%s", *text);
	hy_converted_name(from, room, sizeof room);
	char *named = hy_strdup(room);
	if (!named)
		return hy_fail_memory(err, *text, 1, 1);
	hy_free(*text);
	*text = named;
	return HARDY_OK;
}

static hardy_status name_all(report *r, const hy_converted *from, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	for (size_t i = 0; i < r->d.n_cases && !status; i++) {
		hy_problems *p = &r->facts[i].problems;
		for (size_t k = 0; k < p->n && !status; k++)
			status = name_text(from, &p->items[k].text, err);
		if (!status)
			status = name_text(from, &r->d.cases[i].image_path[0], err);
	}
	return status;
}

static hardy_status examine_dicom(report *r, const hardy_check_options *o, const hy_dataset_options *options,
                                  const hardy_log *log, hardy_error *err)
{
	hy_converted from = {0};
	hardy_status status = hy_series_convert(&from, o->data, o->scratch, o->stop, log, err);
	if (!status)
		status = list_series(r, &from, log, err);
	if (!status)
		status = examine(r, options, log, err);
	if (!status)
		status = name_all(r, &from, err);
	hy_converted_clear(&from);
	return status;
}

static void report_clear(report *r)
{
	for (size_t i = 0; r->facts && i < r->d.n_cases; i++) {
		hy_problems_clear(&r->facts[i].problems);
		hy_free(r->facts[i].m);
	}
	hy_free(r->facts);
	hy_problems_clear(&r->general);
	hy_dataset_clear(&r->d);
}

/* ---- as text ------------------------------------------------------------------------------------------------------------ */

/* Things to look at are of one kind when they read the same behind the file's name, whatever the numbers. */
enum { KIND_SIZE = 200, MOST_KINDS = 64 };

typedef struct kind {
	char text[KIND_SIZE];
	size_t n; /* that were not said yet */
} kind;

typedef struct kinds {
	kind items[MOST_KINDS];
	size_t n;
} kinds;

/* NULL beyond MOST_KINDS: of no kind, always said. */
static kind *find_kind(kinds *k, const hy_problem *q)
{
	char text[KIND_SIZE];
	hardy_message_kind(q->text, text, sizeof text);
	for (size_t i = 0; i < k->n; i++)
		if (!strcmp(k->items[i].text, text))
			return &k->items[i];
	if (k->n == MOST_KINDS)
		return NULL;
	kind *made = &k->items[k->n++];
	memcpy(made->text, text, sizeof text);
	made->n = 0;
	return made;
}

static void count_kinds(kinds *k, const hy_problems *p)
{
	for (size_t i = 0; i < p->n; i++) {
		kind *of = p->items[i].bad ? NULL : find_kind(k, &p->items[i]);
		if (of)
			of->n++;
	}
}

/* k: the first of each kind and how many more there are; NULL: all. What cannot be used is always named. */
static void say_problems(const hardy_sink *sink, kinds *k, const hy_problems *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const hy_problem *q = &p->items[i];
		kind *of = !k || q->bad ? NULL : find_kind(k, q);
		if (of && !of->n)
			continue;
		hy_sink_printf(sink, "  %s  %s%s%s%s%s\n", q->bad ? "BAD " : "look", q->subject, *q->phase ? " " : "", q->phase,
		               *q->subject ? ": " : "", q->text);
		if (of && of->n > 1)
			hy_sink_printf(sink, "        and %zu more of this kind (verbose shows all)\n", of->n - 1);
		hy_sink_printf(sink, "        remedy: %s\n", q->remedy);
		if (of)
			of->n = 0;
	}
}

static void say_head(const hardy_sink *sink, const report *r)
{
	const hy_dataset *d = &r->d;
	hy_sink_printf(sink, "%s: %s layout, %s, %s, %s (", d->root, hy_layout_name(d->layout), HY_COUNT(r->n_subjects, "subject"),
	               HY_COUNT(d->n_cases, "scan"), HY_COUNT(d->n_channels, "channel"));
	for (int k = 0; k < d->n_channels; k++)
		hy_sink_printf(sink, "%s%s", k ? ", " : "", d->channels[k]);
	hy_sink_printf(sink, ")\nclasses:");
	for (int k = 1; k < d->n_classes; k++) {
		if (d->classes[k].present)
			hy_sink_printf(sink, "%s %d %s (value %d)", k > 1 ? "," : "", k, d->classes[k].name, d->classes[k].value);
		else
			hy_sink_printf(sink, "%s %d %s (not in this data set)", k > 1 ? "," : "", k, d->classes[k].name);
	}
	hy_sink_printf(sink, d->n_classes > 1 ? "\n" : " none\n");
	if (r->n_surveyed)
		hy_sink_printf(sink, "to train on: %lld x %lld pixels of %g mm, unless options say otherwise\n",
		               (long long)r->plan.size, (long long)r->plan.size, r->plan.spacing_mm);
	hy_sink_printf(sink, "\n");
}

static int subject_width(const hy_dataset *d)
{
	size_t width = 7;
	for (size_t i = 0; i < d->n_cases; i++)
		width = strlen(d->cases[i].subject) > width ? strlen(d->cases[i].subject) : width;
	return (int)width;
}

static void say_cases(const hardy_sink *sink, const report *r)
{
	const hy_dataset *d = &r->d;
	const int width = subject_width(d);
	bool sites = false;
	for (size_t i = 0; i < d->n_cases; i++)
		sites = sites || d->cases[i].site[0];
	hy_sink_printf(sink, "%-*s  %-7s  %-14s  %-18s  %-16s", width, "subject", "phase", "voxels", "spacing mm", "grey values");
	for (int k = 1; k < d->n_classes; k++)
		if (d->classes[k].present)
			hy_sink_printf(sink, "  %18.12s", d->classes[k].name);
	hy_sink_printf(sink, sites ? "  site\n" : "\n");
	for (size_t i = 0; i < d->n_cases; i++) {
		const hy_case *c = &d->cases[i];
		const facts *f = &r->facts[i];
		char voxels[64] = "unreadable", spacing[64] = "", range[64] = "";
		if (f->has_image) {
			snprintf(voxels, sizeof voxels, "%lldx%lldx%lld", (long long)f->m->grid.nx, (long long)f->m->grid.ny,
			         (long long)f->m->grid.nz);
			snprintf(spacing, sizeof spacing, "%.3fx%.3fx%.3g", f->m->grid.spacing_mm[0], f->m->grid.spacing_mm[1],
			         f->m->grid.spacing_mm[2]);
			snprintf(range, sizeof range, "%g..%g", (double)f->m->low, (double)f->m->high);
		}
		hy_sink_printf(sink, "%-*s  %-7s  %-14s  %-18s  %-16s", width, c->subject, c->phase, voxels, spacing, range);
		for (int k = 1; k < d->n_classes; k++) {
			if (d->classes[k].present && f->has_label)
				hy_sink_printf(sink, "  %7lld %7.1f mL", (long long)f->m->voxels[k], f->m->ml[k]);
			else if (d->classes[k].present)
				hy_sink_printf(sink, "  %18s", c->label_path ? "bad label" : "no label");
		}
		hy_sink_printf(sink, "%s%s%s\n", sites ? "  " : "", c->site, f->problems.n_bad ? "  BAD" : "");
	}
}

static void say_report(const hardy_sink *sink, const report *r, bool all)
{
	kinds found = {.n = 0}, *k = all ? NULL : &found;
	say_head(sink, r);
	say_cases(sink, r);
	if (r->n_bad || r->n_look)
		hy_sink_printf(sink, "\nproblems:\n");
	count_kinds(&found, &r->general);
	for (size_t i = 0; i < r->d.n_cases; i++)
		count_kinds(&found, &r->facts[i].problems);
	say_problems(sink, k, &r->general);
	for (size_t i = 0; i < r->d.n_cases; i++)
		say_problems(sink, k, &r->facts[i].problems);
	hy_sink_printf(sink, "\n%s can be used, %zu cannot; things to look at: %zu\n", HY_COUNT(r->n_usable, "scan"), r->n_bad,
	               r->n_look);
}

/* ---- as JSON ------------------------------------------------------------------------------------------------------------ */

static void json_problems(hy_json_maker *m, cJSON *array, const hy_problems *p)
{
	for (size_t i = 0; i < p->n; i++) {
		const hy_problem *q = &p->items[i];
		cJSON *item = hy_json_put_object(m, array, NULL);
		hy_json_put_text(m, item, "level", q->bad ? "bad" : "look");
		hy_json_put_text(m, item, "subject", q->subject);
		hy_json_put_text(m, item, "phase", q->phase);
		hy_json_put_text(m, item, "text", q->text);
		hy_json_put_text(m, item, "remedy", q->remedy);
	}
}

static void json_case(hy_json_maker *m, cJSON *cases, const hy_dataset *d, const hy_case *c, const facts *f)
{
	cJSON *item = hy_json_put_object(m, cases, NULL);
	hy_json_put_text(m, item, "subject", c->subject);
	hy_json_put_text(m, item, "phase", c->phase);
	hy_json_put_text(m, item, "site", c->site);
	cJSON *images = hy_json_put_list(m, item, "images");
	for (int k = 0; k < d->n_channels && c->image_path[k]; k++)
		hy_json_put_text(m, images, NULL, c->image_path[k]);
	if (c->label_path)
		hy_json_put_text(m, item, "label", c->label_path);
	else
		hy_json_put(m, item, "label", cJSON_CreateNull());
	hy_json_put_number(m, item, "frame", (double)c->frame);
	hy_json_put_flag(m, item, "held_out", c->held_out);
	hy_json_put_flag(m, item, "usable", !f->problems.n_bad);
	if (f->has_image) {
		const double shape[3] = {(double)f->m->grid.nx, (double)f->m->grid.ny, (double)f->m->grid.nz};
		const double range[2] = {(double)f->m->low, (double)f->m->high};
		hy_json_put_numbers(m, item, "shape", shape, 3);
		hy_json_put_numbers(m, item, "spacing_mm", f->m->grid.spacing_mm, 3);
		hy_json_put_numbers(m, item, "range", range, 2);
	}
	if (f->has_label) {
		cJSON *classes = hy_json_put_object(m, item, "classes");
		for (int k = 1; k < d->n_classes; k++) {
			if (!d->classes[k].present)
				continue;
			cJSON *one = hy_json_put_object(m, classes, d->classes[k].name);
			hy_json_put_number(m, one, "voxels", (double)f->m->voxels[k]);
			hy_json_put_number(m, one, "volume_ml", f->m->ml[k]);
		}
	}
}

static hardy_status json_report(const hardy_sink *sink, const report *r, hardy_error *err)
{
	const hy_dataset *d = &r->d;
	hy_json_maker maker = {false}, *m = &maker;
	cJSON *json = cJSON_CreateObject();
	hy_json_put_text(m, json, "data", d->root);
	hy_json_put_text(m, json, "layout", hy_layout_name(d->layout));
	cJSON *channels = hy_json_put_list(m, json, "channels");
	for (int k = 0; k < d->n_channels; k++)
		hy_json_put_text(m, channels, NULL, d->channels[k]);
	cJSON *classes = hy_json_put_list(m, json, "classes");
	for (int k = 0; k < d->n_classes; k++) {
		cJSON *one = hy_json_put_object(m, classes, NULL);
		hy_json_put_text(m, one, "name", d->classes[k].name);
		hy_json_put_number(m, one, "value", d->classes[k].value);
		hy_json_put_flag(m, one, "present", d->classes[k].present);
	}
	if (r->n_surveyed) {
		cJSON *grid = hy_json_put_object(m, json, "training_grid");
		hy_json_put_number(m, grid, "size", (double)r->plan.size);
		hy_json_put_number(m, grid, "spacing_mm", r->plan.spacing_mm);
	}
	hy_json_put_number(m, json, "subjects", (double)r->n_subjects);
	hy_json_put_number(m, json, "usable", (double)r->n_usable);
	hy_json_put_number(m, json, "bad", (double)r->n_bad);
	hy_json_put_number(m, json, "look", (double)r->n_look);
	cJSON *cases = hy_json_put_list(m, json, "cases"), *problems = hy_json_put_list(m, json, "problems");
	json_problems(m, problems, &r->general);
	for (size_t i = 0; i < d->n_cases; i++) {
		json_case(m, cases, d, &d->cases[i], &r->facts[i]);
		json_problems(m, problems, &r->facts[i].problems);
	}
	char *text = hy_json_made(m, json, true);
	if (!text)
		return hy_fail_memory(err, "a report", 1, 1);
	sink->write(sink->payload, text, strlen(text));
	sink->write(sink->payload, "\n", 1);
	cJSON_free(text);
	return HARDY_OK;
}

/* ---- public ------------------------------------------------------------------------------------------------------------- */

#define AT(member) offsetof(hardy_check_options, member)

static const hardy_option option_rows[] = {
    HY_OPTION_ARGUMENT(hardy_check_options, data, "DATA", "The data set."),
    {"labels", HARDY_OPTION_TEXT, AT(labels), "NAME=V,...", "What label values mean, e.g. lv=3,myo=2; background=V drops one.",
     .use = 0},
    HY_OPTION_SPACING(hardy_check_options),
    {"size", HARDY_OPTION_WHOLE, AT(size), "N",
     "Side of the network's slices, for labels that lie outside of them; 0: what training takes from the labels.", .usual = "0",
     .low = 0, .high = 512},
    {"grid_spacing_mm", HARDY_OPTION_REAL, AT(grid_spacing_mm), "MM", "In-plane spacing of these slices; 0: likewise.",
     .usual = "0", .low = 0, .high = 100, .word = "grid-spacing"},
    {"json", HARDY_OPTION_SWITCH, AT(json), NULL, "Report as one JSON object.", .use = 0},
    {"verbose", HARDY_OPTION_SWITCH, AT(verbose), NULL, "Everything to look at.", .use = HARDY_OPTION_ARGUMENT},
};

const hardy_options hy_check_table = {"check", HY_TABLE_ROWS(option_rows), sizeof(hardy_check_options), NULL};

void hardy_check_options_init(hardy_check_options *o)
{
	hardy_options_default(&hy_check_table, o);
}

hardy_status hardy_check(const hardy_check_options *o, const hardy_sink *sink, const hardy_log *log, hardy_error *err)
{
	if (!o || !o->data || !sink || !sink->write)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "a check wants a data set and somewhere to report to");
	if (hardy_options_check(&hy_check_table, o, err))
		return HARDY_ERROR_ARGUMENT;
	hy_dataset_options options = {.labels = o->labels};
	memcpy(options.spacing_mm, o->spacing_mm, sizeof options.spacing_mm);
	report r = {0};
	hy_plan_init(&r.plan);
	r.is_planned = !o->size && !(o->grid_spacing_mm > 0);
	r.plan.size = o->size ? o->size : HY_USUAL_SIZE;
	r.plan.spacing_mm = o->grid_spacing_mm > 0 ? o->grid_spacing_mm : HY_USUAL_SPACING_MM;
	bool found = false, dicom = false;
	hardy_status status = hy_dataset_is(o->data, &found, err);
	if (!status && !found && hy_path_is_folder(o->data))
		status = hy_dicom_is(o->data, &dicom, err);
	if (status)
		return status;
	if (dicom) {
		status = examine_dicom(&r, o, &options, log, err);
	} else {
		status = hy_dataset_scan(&r.d, o->data, &options, &r.general, log, err);
		if (!status)
			status = examine(&r, &options, log, err);
	}
	if (!status && o->json)
		status = json_report(sink, &r, err);
	else if (!status)
		say_report(sink, &r, o->verbose);
	if (!status && !r.n_usable)
		status = hy_fail(err, HARDY_ERROR_DATA, "%s: no scan can be used", o->data);
	else if (!status && r.n_bad)
		status =
		    hy_fail(err, HARDY_ERROR_PARTIAL, "%s: %s can be used, %zu cannot", o->data, HY_COUNT(r.n_usable, "scan"), r.n_bad);
	report_clear(&r);
	return status;
}
