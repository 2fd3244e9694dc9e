/*
 * cases.c: chooses cases, runs the experiment's models on them, and packs images, truth and predictions on the network's grid.
 */
#include "report/cases.h"

#include "base/files.h"
#include "base/memory.h"
#include "base/text.h"
#include "draw/part.h"
#include "experiment/stress.h"
#include "predict/ensemble.h"
#include "predict/jobs.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { PANEL = 304, MIN_CROP = 24 };

/* The model of a method's first seed that is at hand. */
typedef struct loaded {
	size_t run;
	hy_ensemble model; /* one */
} loaded;

typedef struct maker {
	hy_shown *out;
	const hy_results *s;
	const hardy_log *log;
	loaded *models;
	hy_plan plan;     /* of the first model, on whose grid everything is shown */
	hy_dataset *sets; /* by set of the results; root NULL: not opened */
	hy_dataset_options *options;
} maker;

/* ---- notes -------------------------------------------------------------------------------------------------------------- */

static void note(maker *m, const char *format, ...) HY_PRINTF(2, 3);
static void note(maker *m, const char *format, ...)
{
	char *text = m->out->note;
	const size_t used = strlen(text), room = sizeof m->out->note - used;
	va_list args;
	va_start(args, format);
	if (used)
		snprintf(text + used, room, "; ");
	vsnprintf(text + strlen(text), sizeof m->out->note - strlen(text), format, args);
	va_end(args);
}

/* What cannot be used is noted, and no error unless memory ran out. */
static hardy_status note_error(maker *m, hardy_status status, const hardy_error *err)
{
	if (!status || status == HARDY_ERROR_MEMORY)
		return status;
	hy_warn(m->log, "%s", err->message);
	note(m, "%s", err->message);
	return HARDY_OK;
}

/* ---- models ------------------------------------------------------------------------------------------------------------- */

/* FOLDER/runs/METHOD-SEED and the model that counted; when that never came (no validation score was defined), what the run names. NULL when memory
 * runs out. */
static char *model_path(const maker *m, const hy_results_run *run)
{
	char folder[HY_NAME_SIZE + 32], name[2 * HY_NAME_SIZE];
	const cJSON *entry = hy_results_entry(m->s, run);
	snprintf(folder, sizeof folder, "runs/%s-%lld", m->s->methods[run->method].name, (long long)run->seed);
	snprintf(name, sizeof name, "%s/%s.safetensors", hy_results_text(entry, "folder", folder),
	         hy_results_text(entry, "model", "last"));
	char *path = hy_path_join(m->s->folder, name);
	if (!path || hy_path_exists(path))
		return path;
	char *run_folder = hy_path_join(m->s->folder, hy_results_text(entry, "folder", folder)), *other = NULL;
	const hardy_status status = run_folder ? hy_model_argument(run_folder, &other, NULL) : HARDY_ERROR_MEMORY;
	hy_free(run_folder);
	if (status != HARDY_ERROR_MEMORY && !other)
		return path;
	hy_free(path);
	return other;
}

static hardy_status load_model(const maker *m, loaded *l, const char *path, hardy_error *err)
{
	hy_predictor_options o;
	hardy_status status = hy_ensemble_load(&l->model, path, err);
	if (status)
		return status;
	hy_predictor_options_init(&o);
	hy_predictor_options_use(&o, &l->model.models[0]);
	o.which = HY_STN;
	o.both = true;
	o.adapt = cJSON_IsTrue(cJSON_GetObjectItemCaseSensitive(m->s->experiment, "adapt"));
	status = hy_ensemble_start(&l->model, &o, err);
	if (status)
		hy_ensemble_clear(&l->model);
	return status;
}

/* The first seed of each method whose model is there. A model that cannot be used is noted. */
static hardy_status load_models(maker *m, hardy_error *err)
{
	const hy_results *s = m->s;
	m->models = hy_calloc(s->n_methods, sizeof *m->models);
	if (!m->models)
		return hy_fail_memory(err, "models", s->n_methods, sizeof *m->models);
	for (size_t k = 0; k < s->n_methods; k++) {
		for (size_t r = 0; r < s->n_runs; r++) {
			loaded *l = &m->models[m->out->n_models];
			if (s->runs[r].method != k)
				continue;
			char *path = model_path(m, &s->runs[r]);
			if (!path)
				return hy_fail_memory(err, s->folder, 1, 1);
			const bool there = hy_path_exists(path);
			const hardy_status status = there ? load_model(m, l, path, err) : HARDY_OK;
			hy_free(path);
			if (note_error(m, status, err))
				return status;
			if (!there || status)
				continue;
			l->run = r;
			m->out->n_models++;
			break;
		}
	}
	if (!m->out->n_models)
		note(m, "%s/runs holds no model of a finished run", s->folder);
	return HARDY_OK;
}

/* ---- data --------------------------------------------------------------------------------------------------------------- */

static const cJSON *set_entry(const maker *m, size_t set)
{
	const cJSON *item;
	cJSON_ArrayForEach(item, cJSON_GetObjectItemCaseSensitive(m->s->experiment, "sets"))
	{
		if (!strcmp(hy_results_text(item, "name", ""), m->s->sets[set].name))
			return item;
	}
	return NULL;
}

/* What the experiment left out has no scores, and is not shown. */
static void pass_over(void *payload, const char *subject, const char *phase, const char *text)
{
	(void)payload;
	(void)subject;
	(void)phase;
	(void)text;
}

/* A data set that was moved or lost is noted. */
static hardy_status open_set(maker *m, size_t set, hardy_error *err)
{
	const cJSON *entry = set_entry(m, set);
	const char *path = hy_results_text(entry, "path", NULL);
	hy_dataset *d = &m->sets[set];
	if (!path) {
		note(m, "experiment.json does not say where %s lies", m->s->sets[set].title);
		return HARDY_OK;
	}
	m->options[set].labels = hy_results_text(entry, "labels", NULL);
	const hardy_status status = hy_dataset_open_usable(d, path, &m->options[set], pass_over, NULL, m->log, err);
	if (status)
		*d = (hy_dataset){0};
	return note_error(m, status, err);
}

static void name_of(const hy_case *c, char name[2 * HY_NAME_SIZE])
{
	snprintf(name, 2 * HY_NAME_SIZE, *c->phase ? "%s_%s" : "%s", c->subject, c->phase);
}

/* The kind of an artefact set, HY_STRESS_NONE for others. */
static int artefact_of(const hy_results_set *set)
{
	hy_artefact_kind kind;
	if (strcmp(set->kind, "artefact") != 0)
		return HY_STRESS_NONE;
	return hy_artefact_find(set->name, &kind, NULL) ? HY_STRESS_NONE : (int)kind;
}

/* Class indices of the data set become the model's, by name. */
static void rename_classes(const maker *m, const hy_dataset *d, hy_labels *truth)
{
	uint8_t map[256] = {0};
	for (int c = 1; c < d->n_classes; c++)
		for (int k = 1; k < m->out->n_classes; k++)
			if (!strcmp(d->classes[c].name, m->out->classes[k].name))
				map[c] = (uint8_t)k;
	for (int64_t i = 0; i < hy_grid_voxels(&truth->grid); i++)
		truth->data[i] = map[truth->data[i]];
}

static hardy_status load_case(const maker *m, const hy_shown_case *c, hy_volume *image, hy_labels *truth, hardy_error *err)
{
	const hy_dataset *d = &m->sets[c->set];
	char name[2 * HY_NAME_SIZE];
	const int kind = artefact_of(&m->s->sets[c->set]);
	for (size_t i = 0; i < d->n_cases; i++) {
		name_of(&d->cases[i], name);
		if (strcmp(name, c->name) != 0)
			continue;
		const hardy_status status = kind == HY_STRESS_NONE
		                                ? hy_case_load(d, i, &m->options[c->set], image, truth, m->log, err)
		                                : hy_stress_example(d, i, &m->options[c->set], name, kind, c->draw, image, truth, err);
		if (!status)
			rename_classes(m, d, truth);
		return status;
	}
	return hy_fail(err, HARDY_ERROR_DATA, "%s: has no case %s", d->root, c->name);
}

/* ---- pictures ----------------------------------------------------------------------------------------------------------- */

/* The maps of a case on the network's grid: the truth, then the predictions. */
typedef struct stack {
	int64_t n, height, width;
	const float *image;
	const uint8_t **map;
	size_t n_maps;
	const hy_class *classes; /* of the maps' indices */
} stack;

/* The slice in which the maps differ from the truth in most voxels, of those that the truth has labels in. */
static int64_t worst_slice(const stack *s)
{
	const int64_t n = s->height * s->width;
	int64_t best = s->n / 2, most = -1;
	for (int64_t z = 0; z < s->n; z++) {
		int64_t differing = 0, labelled = 0;
		for (int64_t i = z * n; i < (z + 1) * n; i++) {
			labelled += s->map[0][i] != 0;
			for (size_t k = 1; k < s->n_maps; k++)
				differing += s->map[k][i] != s->map[0][i];
		}
		if (labelled && differing > most) {
			best = z;
			most = differing;
		}
	}
	return best;
}

/* A square around every label of the slice, with a margin. */
static hy_part around_labels(const stack *s, int64_t z)
{
	const int least = (int)(s->width < s->height ? s->width : s->height);
	hy_box box = hy_box_empty();
	for (size_t k = 0; k < s->n_maps; k++)
		hy_box_add(&box, s->map[k] + z * s->height * s->width, s->width, s->height, 1);
	return hy_part_around(&box, s->width, s->height, 1.5, MIN_CROP < least ? MIN_CROP : least, least, PANEL);
}

/* map NULL: the image alone. */
static hardy_status draw_part(const stack *s, int64_t z, const hy_part *p, const uint8_t *map, hy_blob *out, hardy_error *err)
{
	const int64_t at = z * s->height * s->width;
	const hy_borders b = {.label = map ? map + at : NULL, .classes = s->classes};
	hy_canvas *c = NULL;
	hardy_status status = hy_canvas_new(&c, p->side * p->scale, p->side * p->scale, err);
	if (!status)
		status = hy_part_draw(c, 0, 0, p, s->image + at, &b, s->width, s->height, err);
	if (!status)
		status = hy_blob_png(out, c, err);
	hy_canvas_free(c);
	return status;
}

static hardy_status draw_case(hy_shown_case *c, const stack *s, hardy_error *err)
{
	const hy_part p = around_labels(s, c->slice);
	hardy_status status = draw_part(s, c->slice, &p, NULL, &c->image_picture, err);
	if (!status)
		status = draw_part(s, c->slice, &p, s->map[0], &c->truth_picture, err);
	for (size_t k = 0; k < c->n_maps && !status; k++)
		if (c->maps[k].which == 1)
			status = draw_part(s, c->slice, &p, s->map[1 + k], &c->maps[k].picture, err);
	return status;
}

/* ---- one case ----------------------------------------------------------------------------------------------------------- */

static const hy_results_score *score_of(const hy_results *s, size_t run, const hy_shown_case *c)
{
	for (size_t i = 0; i < s->n_scores; i++) {
		const hy_results_score *x = &s->scores[i];
		if (x->run == run && x->set == c->set && x->draw == c->draw && !strcmp(x->name, c->name))
			return x;
	}
	return NULL;
}

/* Rows run downwards on a screen, and NIfTI's y axis upwards. */
static hy_grid grid_of(const maker *m, const hy_slices *s, const hy_grid *native)
{
	hy_grid g;
	hy_grid_set_simple(&g, s->width, s->height, s->n, m->plan.spacing_mm, m->plan.spacing_mm, native->spacing_mm[2]);
	g.affine[1][1] = -g.affine[1][1];
	g.affine[1][3] = (double)(s->height - 1) * m->plan.spacing_mm;
	return g;
}

static hardy_status pack(hy_shown_case *c, const stack *s, const hy_grid *g, hardy_error *err)
{
	const size_t n = (size_t)(s->n * s->height * s->width);
	uint8_t *grey = hy_alloc(n, 1);
	if (!grey)
		return hy_fail_memory(err, "a volume", n, 1);
	for (size_t i = 0; i < n; i++)
		grey[i] = (uint8_t)lrintf(255 * fminf(fmaxf(s->image[i], 0), 1));
	hardy_status status = hy_blob_nifti(&c->image, g, grey, err);
	hy_free(grey);
	if (!status)
		status = hy_blob_nifti(&c->truth, g, s->map[0], err);
	for (size_t k = 0; k < c->n_maps && !status; k++)
		status = hy_blob_nifti(&c->maps[k].volume, g, s->map[1 + k], err);
	return status;
}

/* A spoiled scan is in [0, 1] already. */
static hy_plan plan_for(const hy_plan *plan, bool spoiled)
{
	hy_plan p = *plan;
	p.percentile_low = spoiled ? 0 : p.percentile_low;
	p.percentile_high = spoiled ? 100 : p.percentile_high;
	return p;
}

/* Both networks' label maps of every model, in the scan's grid and then on the network's. slices gets 2 a model. */
static hardy_status predict_case(maker *m, hy_shown_case *c, const hy_plan *plan, const hy_volume *image, bool spoiled,
                                 hy_slices *slices, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	for (size_t i = 0; i < m->out->n_models && !status; i++) {
		loaded *l = &m->models[i];
		hy_prediction p = {0};
		const hy_plan kept = l->model.models[0].plan;
		l->model.models[0].plan = plan_for(&kept, spoiled);
		status = hy_predictor_run(l->model.predictor, image, &p, err);
		l->model.models[0].plan = kept;
		for (int w = 0; w < 2 && !status; w++) {
			c->maps[2 * i + (size_t)w] =
			    (hy_case_map){.method = m->s->runs[l->run].method, .which = w, .score = score_of(m->s, l->run, c)};
			status = hy_preprocess_test(plan, image, w ? &p.label : &p.other, &slices[2 * i + (size_t)w], err);
		}
		hy_prediction_clear(&p);
	}
	return status;
}

static hardy_status make_case(maker *m, hy_shown_case *c, hardy_error *err)
{
	const bool spoiled = artefact_of(&m->s->sets[c->set]) != HY_STRESS_NONE;
	const size_t n = 2 * m->out->n_models;
	hy_volume image = {0};
	hy_labels truth = {0};
	hy_slices own = {0}, *slices = hy_calloc(n, sizeof *slices);
	const hy_plan plan = plan_for(&m->plan, spoiled);
	stack s = {.map = hy_alloc(n + 1, sizeof *s.map), .n_maps = n + 1, .classes = m->out->classes};
	c->maps = hy_calloc(n, sizeof *c->maps);
	hardy_status status =
	    slices && s.map && c->maps ? load_case(m, c, &image, &truth, err) : hy_fail_memory(err, "a case", n, sizeof *slices);
	if (!status)
		status = hy_preprocess_test(&plan, &image, &truth, &own, err);
	c->n_maps = status ? 0 : n;
	if (!status)
		status = predict_case(m, c, &plan, &image, spoiled, slices, err);
	if (!status) {
		const hy_grid g = grid_of(m, &own, &image.grid);
		s.n = c->n_slices = own.n;
		s.height = own.height;
		s.width = own.width;
		s.image = own.image;
		s.map[0] = own.label;
		for (size_t k = 0; k < n; k++)
			s.map[1 + k] = slices[k].label;
		c->slice = worst_slice(&s);
		status = pack(c, &s, &g, err);
		if (!status && c->drawn)
			status = draw_case(c, &s, err);
	}
	for (size_t k = 0; slices && k < n; k++)
		hy_slices_clear(&slices[k]);
	hy_slices_clear(&own);
	hy_free(slices);
	hy_free(s.map);
	hy_volume_clear(&image);
	hy_labels_clear(&truth);
	return status;
}

static void case_clear(hy_shown_case *c)
{
	hy_blob_clear(&c->image);
	hy_blob_clear(&c->truth);
	hy_blob_clear(&c->image_picture);
	hy_blob_clear(&c->truth_picture);
	for (size_t k = 0; k < c->n_maps; k++) {
		hy_blob_clear(&c->maps[k].volume);
		hy_blob_clear(&c->maps[k].picture);
	}
	hy_free(c->maps);
	c->maps = NULL;
	c->n_maps = 0;
}

/* ---- the choice --------------------------------------------------------------------------------------------------------- */

typedef struct candidate {
	const char *name;
	int64_t draw;
	double sum;
	size_t n;
} candidate;

static int by_mean(const void *a, const void *b)
{
	const candidate *x = a, *y = b;
	const double dx = x->sum / (double)x->n, dy = y->sum / (double)y->n;
	return dx < dy ? -1 : dx > dy ? 1 : strcmp(x->name, y->name) ? strcmp(x->name, y->name) : x->draw < y->draw ? -1 : 1;
}

/* The cases of a set with their mean over the models at hand; room for all scores is the caller's. */
static size_t list_candidates(const maker *m, size_t set, candidate *list)
{
	size_t n = 0;
	for (size_t i = 0; i < m->s->n_scores; i++) {
		const hy_results_score *x = &m->s->scores[i];
		bool used = false;
		for (size_t k = 0; k < m->out->n_models; k++)
			used = used || m->models[k].run == x->run;
		if (!used || x->set != set || !isfinite(x->mean[1]))
			continue;
		size_t at = 0;
		while (at < n && (list[at].draw != x->draw || strcmp(list[at].name, x->name) != 0))
			at++;
		if (at == n)
			list[n++] = (candidate){.name = x->name, .draw = x->draw};
		list[at].sum += x->mean[1];
		list[at].n++;
	}
	if (n)
		qsort(list, n, sizeof *list, by_mean);
	return n;
}

/* Adds the chosen cases of a set. */
static hardy_status choose(maker *m, size_t set, int64_t n_each, hardy_error *err)
{
	candidate *list = hy_calloc(m->s->n_scores, sizeof *list);
	if (!list)
		return hy_fail_memory(err, "cases", m->s->n_scores, sizeof *list);
	const size_t n = list_candidates(m, set, list), wanted = n < (size_t)n_each ? n : (size_t)n_each;
	hy_shown_case *larger = hy_realloc(m->out->cases, m->out->n + wanted, sizeof *larger);
	if (larger)
		m->out->cases = larger;
	for (size_t i = 0, last = n; larger && i < wanted; i++) {
		size_t at = wanted > 1 ? i * (n - 1) / (wanted - 1) : 0;
		const bool middle = wanted > 2 && i == wanted / 2;
		if (middle && n / 2 > last && n / 2 < n - 1) /* the median, if it is between its neighbours */
			at = n / 2;
		const candidate *c = &list[at];
		m->out->cases[m->out->n++] = (hy_shown_case){.set = set,
		                                             .name = c->name,
		                                             .draw = c->draw,
		                                             .mean = c->sum / (double)c->n,
		                                             .rank = at + 1,
		                                             .of = n,
		                                             .drawn = i == 0 || i + 1 == wanted || middle};
		last = at;
	}
	hy_free(list);
	return larger ? HARDY_OK : hy_fail_memory(err, "cases", m->out->n + wanted, sizeof *larger);
}

static hardy_status make_all(maker *m, int64_t n_each, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	const hy_model *first = &m->models[0].model.models[0];
	m->plan = first->plan;
	m->plan.neighbours = 0; /* a slice is shown by itself */
	m->out->n_classes = first->n_classes;
	memcpy(m->out->classes, first->classes, sizeof m->out->classes);
	for (size_t k = 0; k < m->s->n_sets && !status; k++) {
		status = open_set(m, k, err);
		if (!status && m->sets[k].root)
			status = choose(m, k, n_each, err);
	}
	for (size_t i = 0; i < m->out->n && !status; i++) {
		hy_log(m->log, HARDY_LOG_PROGRESS, "case %zu of %zu: %s %s", i + 1, m->out->n, m->s->sets[m->out->cases[i].set].title,
		       m->out->cases[i].name);
		status = make_case(m, &m->out->cases[i], err);
		if (!status || note_error(m, status, err))
			continue;
		case_clear(&m->out->cases[i]);
		m->out->n--;
		memmove(&m->out->cases[i], &m->out->cases[i + 1], (m->out->n - i) * sizeof *m->out->cases);
		i--;
		status = HARDY_OK;
	}
	return status;
}

hardy_status hy_shown_make(hy_shown *out, const hy_results *s, int64_t n_each, const hardy_log *log, hardy_error *err)
{
	hardy_error own = {0};
	err = err ? err : &own;
	*out = (hy_shown){0};
	maker m = {.out = out, .s = s, .log = log};
	m.sets = hy_calloc(s->n_sets, sizeof *m.sets);
	m.options = hy_calloc(s->n_sets, sizeof *m.options);
	hardy_status status =
	    m.sets && m.options ? load_models(&m, err) : hy_fail_memory(err, "data sets", s->n_sets, sizeof *m.sets);
	if (!status && out->n_models)
		status = make_all(&m, n_each, err);
	for (size_t i = 0; i < out->n_models; i++) {
		hy_ensemble_clear(&m.models[i].model);
	}
	for (size_t k = 0; m.sets && k < s->n_sets; k++)
		hy_dataset_clear(&m.sets[k]);
	hy_free(m.models);
	hy_free(m.sets);
	hy_free(m.options);
	if (status)
		hy_shown_clear(out);
	return status;
}

void hy_shown_clear(hy_shown *c)
{
	for (size_t i = 0; i < c->n; i++)
		case_clear(&c->cases[i]);
	hy_free(c->cases);
	*c = (hy_shown){0};
}
