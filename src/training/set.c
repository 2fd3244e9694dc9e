/*
 * set.c: reading the scans of a training, once and before it starts, so that every fault of theirs shows then.
 */
#include "training/set.h"

#include "base/memory.h"
#include "base/text.h"
#include "image/nifti.h"
#include "predict/fingerprint.h"
#include "training/options.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <zlib.h>

/* ---- stacks ------------------------------------------------------------------------------------------------------------- */

static void stack_clear(hy_stack *s)
{
	hy_free_aligned(s->image);
	hy_free(s->label);
	hy_free(s->n_slice);
	memset(s, 0, sizeof *s);
}

/* Puts the slices of n cases one after the other, and clears them. */
static hardy_status stack_make(hy_stack *s, hy_slices *parts, size_t n, int64_t channels, int64_t size, hardy_error *err)
{
	const size_t pixels = (size_t)(size * size);
	hardy_status status = HARDY_OK;
	hy_stack made = {.n_cases = n};
	for (size_t i = 0; i < n; i++)
		made.n += parts[i].n;
	made.image = hy_alloc_aligned((size_t)(made.n * channels) * pixels, sizeof *made.image);
	made.label = hy_alloc((size_t)made.n, pixels);
	made.n_slice = hy_alloc(n, sizeof *made.n_slice);
	if (!made.image || !made.label || !made.n_slice) {
		status = hy_fail_memory(err, "slices", (size_t)(made.n * channels) * pixels, sizeof *made.image);
		stack_clear(&made);
	}
	size_t at = 0;
	for (size_t i = 0; i < n; i++) {
		const size_t count = (size_t)parts[i].n;
		if (!status) {
			memcpy(made.image + at * (size_t)channels * pixels, parts[i].image,
			       count * (size_t)channels * pixels * sizeof *made.image);
			memcpy(made.label + at * pixels, parts[i].label, count * pixels);
			made.n_slice[i] = parts[i].n;
			at += count;
		}
		hy_slices_clear(&parts[i]);
	}
	if (!status)
		*s = made;
	return status;
}

/* ---- cases -------------------------------------------------------------------------------------------------------------- */

typedef struct loader {
	hy_training_set *set;
	hy_plan *plan;
	hy_dataset_options options;
	const hardy_log *log;
	const hardy_stop *stop;
	bool strict;
	bool seen[256];    /* classes in the training labels */
	hy_cover cover;    /* of the training labels */
	hardy_error first; /* of the cases that were left out */
} loader;

static bool is_wanted(const hy_case *c, char (*names)[HY_NAME_SIZE], size_t n)
{
	return c->label_path && hy_split_has(names, n, c->subject);
}

static int index_of(const char *subject, char (*names)[HY_NAME_SIZE], size_t n)
{
	size_t i = 0;
	while (i < n && strcmp(names[i], subject))
		i++;
	return (int)i;
}

static void note_training_case(loader *l, const hy_grid *grid, const hy_slices *s)
{
	const size_t n_label = (size_t)(s->n * s->height * s->width), n_image = n_label * (size_t)s->channels * sizeof *s->image;
	for (size_t i = 0; i < n_label; i++)
		l->seen[s->label[i]] = true;
	hy_fingerprint_add(&l->set->fingerprint, grid, s, l->set->dataset.n_channels);
	uLong sum = l->set->checksum;
	sum = crc32_z(sum, (const unsigned char *)s->image, n_image);
	l->set->checksum = (uint32_t)crc32_z(sum, s->label, n_label);
}

/* Slices of one plane by the test path, and by the training path too when `training` is not NULL. */
static hardy_status load_plane(loader *l, int plane, const hy_volume *image, const hy_labels *labels, hy_slices *test,
                               hy_slices *training, hardy_error *err)
{
	const hy_plan plan = hy_plan_plane(l->plan, plane);
	hy_slices full = {0};
	hardy_status status = hy_preprocess_train(&plan, image, labels, &full, err);
	if (!status)
		status = hy_preprocess_window(&plan, &full, NULL, test, err);
	if (!status && training)
		status = hy_cover_add(&l->cover, &plan, &image->grid, labels->data, err);
	if (status || !training)
		hy_slices_clear(&full);
	else
		*training = full;
	return status;
}

/* Reads case i: l->plan->planes slices of each kind. */
static hardy_status load_case(loader *l, size_t i, hy_slices *test, hy_slices *training, hardy_error *err)
{
	const hy_case *c = &l->set->dataset.cases[i];
	hy_volume image = {0};
	hy_labels labels = {0};
	hardy_status status;
	if (hy_stop_asked(l->stop))
		return hy_fail(err, HARDY_ERROR_INTERRUPTED, "interrupted while reading scans, nothing was written");
	if ((status = hy_case_load(&l->set->dataset, i, &l->options, &image, &labels, l->log, err)))
		return status;
	if ((status = hy_case_check_grey(c, &image, err)))
		goto out;
	for (int k = 0; k < l->plan->planes && !status; k++)
		status = load_plane(l, k, &image, &labels, &test[k], training ? &training[k] : NULL, err);
	if (!status && training)
		note_training_case(l, &image.grid, training);
	if (status)
		status = hy_prefix(err, status, "%s", c->image_path[0]);
out:
	hy_volume_clear(&image);
	hy_labels_clear(&labels);
	return status;
}

/* What is wrong with one scan does not keep the others from training. */
static bool is_left_out(loader *l, hardy_status status, const hardy_error *err)
{
	if (l->strict || !status || status == HARDY_ERROR_MEMORY || status == HARDY_ERROR_INTERRUPTED)
		return false;
	if (!l->first.status)
		l->first = *err;
	hy_warn(l->log, "left out: %s", err->message);
	return true;
}

/* Takes the subjects without any case out of the list; index of the cases' subjects, NULL for those that have none. */
static void drop_subjects(char (*names)[HY_NAME_SIZE], size_t *n, const bool *has_case, int *index, size_t n_cases)
{
	size_t kept = 0;
	for (size_t i = 0; i < *n; i++) {
		if (!has_case[i])
			continue;
		for (size_t k = 0; k < n_cases && index; k++)
			if (index[k] == (int)i)
				index[k] = (int)kept;
		memmove(names[kept++], names[i], HY_NAME_SIZE);
	}
	*n = kept;
}

static hardy_status load_cases(loader *l, char (*names)[HY_NAME_SIZE], size_t *n_names, bool training, hy_stack *out,
                               hardy_error *err)
{
	hy_training_set *s = l->set;
	const hy_dataset *d = &s->dataset;
	hardy_status status = HARDY_OK;
	const size_t planes = (size_t)l->plan->planes, room = d->n_cases * planes;
	size_t n = 0;
	hy_slices *parts = hy_calloc(room, sizeof *parts);
	bool *has_case = hy_calloc(*n_names, sizeof *has_case);
	if (training) {
		s->parts = hy_calloc(room, sizeof *s->parts);
		s->subject = hy_calloc(room, sizeof *s->subject);
		s->room = room;
	}
	if (!parts || !has_case || (training && (!s->parts || !s->subject)))
		status = hy_fail_memory(err, "cases", room, sizeof *parts);
	for (size_t i = 0; i < d->n_cases && !status; i++) {
		if (!is_wanted(&d->cases[i], names, *n_names))
			continue;
		hy_log(l->log, HARDY_LOG_PROGRESS, "reading %s %s", d->cases[i].subject, d->cases[i].phase);
		status = load_case(l, i, &parts[n], training ? &s->parts[n] : NULL, err);
		if (is_left_out(l, status, err)) {
			for (size_t k = n; k < n + planes; k++) {
				hy_slices_clear(&parts[k]);
				if (training)
					hy_slices_clear(&s->parts[k]);
			}
			status = HARDY_OK;
			continue;
		}
		if (status)
			break;
		const int subject = index_of(d->cases[i].subject, names, *n_names);
		has_case[subject] = true;
		for (size_t k = n; k < n + planes && training; k++)
			s->subject[k] = subject;
		n += planes;
		if (training) {
			s->n_parts = n;
			s->n_cases++;
		}
	}
	if (!status)
		drop_subjects(names, n_names, has_case, training ? s->subject : NULL, n);
	if (!status && training && !n)
		status = hy_fail(err, l->first.status ? l->first.status : HARDY_ERROR_DATA,
		                 "%s: no scan to train on is left; the first: %s", d->root, l->first.message);
	if (!status)
		status = stack_make(out, parts, n, hy_plan_channels(l->plan, d->n_channels), l->plan->size, err);
	for (size_t i = 0; parts && i < room; i++)
		hy_slices_clear(&parts[i]);
	hy_free(parts);
	hy_free(has_case);
	return status;
}

/* The plan's directions, from the headers of the scans to train on; scans that cannot be read do not count. */
static hardy_status direct_plan(const loader *l, hardy_error *err)
{
	const hy_dataset *d = &l->set->dataset;
	hy_grid *grids = hy_calloc(d->n_cases, sizeof *grids);
	size_t n = 0, n_stacked = 0;
	if (!grids)
		return hy_fail_memory(err, "grids", d->n_cases, sizeof *grids);
	hy_nifti_options o;
	hy_nifti_options_init(&o);
	o.header_only = true;
	memcpy(o.spacing_mm, l->options.spacing_mm, sizeof o.spacing_mm);
	hardy_status status = HARDY_OK;
	for (size_t i = 0; i < d->n_cases && status != HARDY_ERROR_MEMORY; i++) {
		hy_volume header = {0};
		if (!is_wanted(&d->cases[i], l->set->split.train, l->set->split.n_train) ||
		    (status = hy_nifti_read(d->cases[i].image_path[0], &o, &header, NULL, err)))
			continue;
		n_stacked += hy_stack_axis(&header.grid) < 2;
		grids[n++] = header.grid;
		hy_volume_clear(&header);
	}
	if (status == HARDY_ERROR_MEMORY) {
		hy_free(grids);
		return status;
	}
	const size_t n_turned = hy_plan_direct(l->plan, grids, n);
	if (n_turned)
		hy_warn(l->log,
		        "%s: %zu of %zu scans to train on are stored in another orientation than the others; brought into one order",
		        d->root, n_turned, n);
	if (n_stacked)
		hy_warn(l->log, "%s: the slices of %zu of %zu scans lie along the first or second axis; taken across it", d->root,
		        n_stacked, n);
	hy_free(grids);
	return HARDY_OK;
}

/* ---- what the data decide ----------------------------------------------------------------------------------------------- */

/* Cases that cannot be read do not count here: they are told when they are loaded. */
static hardy_status survey(loader *l, hy_survey *s, hardy_error *err)
{
	const hy_dataset *d = &l->set->dataset;
	hardy_status status = HARDY_OK;
	for (size_t i = 0; i < d->n_cases && !status; i++) {
		hy_volume image = {0};
		hy_labels labels = {0};
		const int subject = index_of(d->cases[i].subject, l->set->split.train, l->set->split.n_train);
		if (!is_wanted(&d->cases[i], l->set->split.train, l->set->split.n_train))
			continue;
		if (hy_stop_asked(l->stop))
			return hy_fail(err, HARDY_ERROR_INTERRUPTED, "interrupted while reading labels, nothing was written");
		hy_log(l->log, HARDY_LOG_PROGRESS, "looking at %s %s", d->cases[i].subject, d->cases[i].phase);
		const hardy_status read = hy_case_load(d, i, &l->options, &image, &labels, NULL, err);
		if (read == HARDY_ERROR_MEMORY)
			return read;
		if (read)
			continue;
		status = hy_survey_add(s, l->plan, &labels.grid, labels.data, subject, err);
		hy_volume_clear(&image);
		hy_labels_clear(&labels);
	}
	return status;
}

/* Objects that lie alike to a few degrees have a front and a back: beyond this they are taken to lie in any direction. */
static const double ALIKE_DEG = 10;

/* Three standard deviations, 10 degrees at least; any, mirrored too, where objects lie in any direction or nothing says how. */
static void fit_geometry(const hy_fit *open, const hy_alike *alike, bool heart, hardy_train_options *o)
{
	const bool fixed = !heart && alike->spread_deg < ALIKE_DEG;
	if (open->rotation)
		o->rotation_deg = fixed ? fmax(10, ceil(3 * alike->spread_deg)) : 180;
	if (open->mirror)
		o->mirror = fixed ? 0 : 0.5;
}

static hardy_status fit(loader *l, hardy_train_options *o, hardy_error *err)
{
	const hy_fit open = hy_fit_asked(o);
	hy_fitted *f = &l->set->fitted;
	hy_survey s = {0};
	hardy_status status = HARDY_OK;
	if (open.grid || open.rotation || open.mirror || open.neighbours || open.planes)
		status = survey(l, &s, err);
	hy_fit_usual(o);
	if (!status && open.grid)
		hy_survey_grid(&s, &o->size, &o->spacing_mm);
	const int channels = l->set->dataset.n_channels;
	if (!status && open.neighbours)
		o->neighbours = 3 * channels <= HY_MAX_CHANNELS ? hy_survey_neighbours(&s) : 0;
	else if (!status && (2 * o->neighbours + 1) * channels > HY_MAX_CHANNELS)
		status = hy_fail(err, HARDY_ERROR_ARGUMENT,
		                 "neighbours is %lld, so with %d channels the network would have %lld, want %d at most",
		                 (long long)o->neighbours, channels, (long long)(2 * o->neighbours + 1) * channels, HY_MAX_CHANNELS);
	if (!status && (open.rotation || open.mirror)) {
		f->alike_asked = true;
		f->alike = hy_survey_alike(&s);
		fit_geometry(&open, &f->alike, l->set->dataset.heart, o);
	}
	if (!status && open.planes)
		o->planes = hy_survey_planes(&s, (double)o->size * o->spacing_mm);
	hy_survey_clear(&s);
	l->plan->size = o->size;
	l->plan->spacing_mm = o->spacing_mm;
	l->plan->neighbours = (int)o->neighbours;
	l->plan->planes = (int)o->planes;
	return status ? status : hy_options_check(o, err);
}

/* What of the labels the network will see. */
static hardy_status check_cover(const loader *l, hardy_error *err)
{
	const hy_dataset *d = &l->set->dataset;
	char text[768];
	if (!hy_cover_say(&l->cover, l->plan, d->classes, d->n_classes, text, sizeof text))
		return HARDY_OK;
	if (hy_cover_is_empty(&l->cover))
		return hy_fail(err, HARDY_ERROR_DATA, "%s: nothing to learn: %s", d->root, text);
	hy_warn(l->log, "%s: %s", d->root, text);
	return HARDY_OK;
}

static hardy_status check_classes(const loader *l, hardy_error *err)
{
	const hy_dataset *d = &l->set->dataset;
	int n = 0;
	for (int c = 1; c < d->n_classes; c++)
		n += l->seen[c];
	if (!n)
		return hy_fail(err, HARDY_ERROR_DATA, "%s: no label in %s to train on: nothing to learn", d->root,
		               HY_COUNT(l->set->n_cases, "case"));
	for (int c = 1; c < d->n_classes; c++)
		if (!l->seen[c])
			hy_warn(l->log, "%s: no training label holds %s: the model will not know it", d->root, d->classes[c].name);
	return HARDY_OK;
}

static void leave_out(void *payload, const char *subject, const char *phase, const char *text)
{
	loader *l = payload;
	hardy_error err = {0};
	hy_fail(&err, HARDY_ERROR_DATA, "%s", text);
	is_left_out(l, HARDY_ERROR_DATA, &err);
}

static hardy_status open_dataset(loader *l, const char *data, hardy_error *err)
{
	hy_dataset *d = &l->set->dataset;
	if (l->strict)
		return hy_dataset_open(d, data, &l->options, l->log, err);
	const hardy_status status = hy_dataset_open_usable(d, data, &l->options, leave_out, l, l->log, err);
	if (status || d->n_cases)
		return status;
	return hy_fail(err, HARDY_ERROR_DATA, l->first.status ? "%s: no scan can be used; the first: %s" : "%s: holds no scan",
	               data, l->first.message);
}

hardy_status hy_training_set_load(hy_training_set *s, hardy_train_options *o, hy_plan *plan, const hardy_log *log,
                                  const hardy_stop *stop, hardy_error *err)
{
	memset(s, 0, sizeof *s);
	loader l = {.set = s, .plan = plan, .log = log, .stop = stop, .strict = o->strict, .options = {.labels = o->labels}};
	memcpy(l.options.spacing_mm, o->header_spacing_mm, sizeof l.options.spacing_mm);
	hardy_status status = open_dataset(&l, o->data, err);
	if (!status)
		status =
		    hy_split_make(&s->split, &s->dataset, o->splits, o->fold, o->subjects, o->validation, (uint64_t)o->seed, log, err);
	if (!status)
		status = direct_plan(&l, err);
	if (!status)
		status = fit(&l, o, err);
	if (!status)
		status = load_cases(&l, s->split.train, &s->split.n_train, true, &s->calibration, err);
	if (!status)
		status = load_cases(&l, s->split.validation, &s->split.n_validation, false, &s->validation, err);
	if (!status)
		status = check_classes(&l, err);
	if (!status)
		status = check_cover(&l, err);
	if (status)
		hy_training_set_clear(s);
	return status;
}

void hy_training_set_clear(hy_training_set *s)
{
	for (size_t i = 0; s->parts && i < s->room; i++)
		hy_slices_clear(&s->parts[i]);
	hy_free(s->parts);
	hy_free(s->subject);
	stack_clear(&s->calibration);
	stack_clear(&s->validation);
	hy_split_clear(&s->split);
	hy_dataset_clear(&s->dataset);
	memset(s, 0, sizeof *s);
}
