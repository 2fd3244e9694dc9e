/*
 * dataset.c: hardy/dataset.h: data sets in the caller's hands.
 */
#include "dataset/dataset.h"

#include "base/memory.h"
#include "base/text.h"
#include "image/nifti.h"
#include "library/view.h"
#include "library/volume.h"

#include <math.h>
#include <string.h>

struct hardy_dataset {
	hy_dataset dataset;
	hy_dataset_options o;
	char *labels;                   /* owned: of o; NULL */
	char (*subjects)[HY_NAME_SIZE]; /* owned */
	size_t n_subjects;
};

/* ---- opening ------------------------------------------------------------------------------------------------------------ */

/* Cases that are left out: a warning each, and the first for an error when none is left. */
typedef struct left_out {
	const hardy_log *log;
	hardy_error first;
} left_out;

static void leave_out(void *payload, const char *subject, const char *phase, const char *text)
{
	(void)subject, (void)phase; /* the text names them */
	left_out *l = payload;
	if (!l->first.status)
		hy_fail(&l->first, HARDY_ERROR_DATA, "%s", text);
	hy_warn(l->log, "left out: %s", text);
}

static hardy_status take_options(hardy_dataset *d, const hardy_dataset_options *o, hardy_error *err)
{
	for (int i = 0; i < 3; i++)
		if (!(o->spacing_mm[i] >= 0 && o->spacing_mm[i] <= 1000))
			return hy_fail(err, HARDY_ERROR_ARGUMENT, "spacing_mm[%d] is %g, want 0 to 1000", i, o->spacing_mm[i]);
	memcpy(d->o.spacing_mm, o->spacing_mm, sizeof d->o.spacing_mm);
	if (!o->labels)
		return HARDY_OK;
	d->o.labels = d->labels = hy_strdup(o->labels);
	return d->labels ? HARDY_OK : hy_fail_memory(err, "options of a data set", strlen(o->labels), 1);
}

static hardy_status open_folder(hardy_dataset *d, const char *folder, bool tolerant, const hardy_log *log, hardy_error *err)
{
	if (!tolerant)
		return hy_dataset_open(&d->dataset, folder, &d->o, log, err);
	left_out l = {.log = log};
	const hardy_status status = hy_dataset_open_usable(&d->dataset, folder, &d->o, leave_out, &l, log, err);
	if (status || d->dataset.n_cases)
		return status;
	return hy_fail(err, HARDY_ERROR_DATA, l.first.status ? "%s: no scan can be used; the first: %s" : "%s: holds no scan",
	               folder, l.first.message);
}

hardy_status hardy_dataset_open(const char *folder, const hardy_dataset_options *given, hardy_dataset **out,
                                const hardy_log *log, hardy_error *err)
{
	hardy_dataset_options o = {.size = sizeof o};
	if (!folder || !out)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s is NULL", folder ? "out" : "folder");
	hardy_status status = given ? hy_struct_take(&o, sizeof o, given, "options of a data set", err) : HARDY_OK;
	hardy_dataset *made = status ? NULL : hy_calloc(1, sizeof *made);
	if (!status && !made)
		status = hy_fail_memory(err, folder, 1, sizeof *made);
	if (!status)
		status = take_options(made, &o, err);
	if (!status)
		status = open_folder(made, folder, o.tolerant, log, err);
	if (!status)
		status = hy_dataset_subjects(&made->dataset, &made->subjects, &made->n_subjects, err);
	if (status)
		hardy_dataset_free(made);
	else
		*out = made;
	return status;
}

void hardy_dataset_free(hardy_dataset *d)
{
	if (!d)
		return;
	hy_dataset_clear(&d->dataset);
	hy_free(d->subjects);
	hy_free(d->labels);
	hy_free(d);
}

/* ---- what is in it ------------------------------------------------------------------------------------------------------ */

const char *hardy_dataset_layout(const hardy_dataset *d)
{
	return hy_layout_name(d->dataset.layout);
}

int hardy_dataset_n_classes(const hardy_dataset *d)
{
	return d->dataset.n_classes;
}

const char *hardy_dataset_class_name(const hardy_dataset *d, int i)
{
	return i >= 0 && i < d->dataset.n_classes ? d->dataset.classes[i].name : NULL;
}

int hardy_dataset_class_value(const hardy_dataset *d, int i)
{
	return i >= 0 && i < d->dataset.n_classes ? d->dataset.classes[i].value : -1;
}

int hardy_dataset_n_channels(const hardy_dataset *d)
{
	return d->dataset.n_channels;
}

const char *hardy_dataset_channel_name(const hardy_dataset *d, int i)
{
	return i >= 0 && i < d->dataset.n_channels ? d->dataset.channels[i] : NULL;
}

size_t hardy_dataset_n_subjects(const hardy_dataset *d)
{
	return d->n_subjects;
}

const char *hardy_dataset_subject(const hardy_dataset *d, size_t i)
{
	return i < d->n_subjects ? d->subjects[i] : NULL;
}

size_t hardy_dataset_n_cases(const hardy_dataset *d)
{
	return d->dataset.n_cases;
}

const char *hardy_dataset_channel_path(const hardy_dataset *d, size_t i, int channel)
{
	return i < d->dataset.n_cases && channel >= 0 && channel < d->dataset.n_channels ? d->dataset.cases[i].image_path[channel]
	                                                                                 : NULL;
}

/* ---- cases -------------------------------------------------------------------------------------------------------------- */

static hardy_status check_index(const hardy_dataset *d, size_t i, hardy_error *err)
{
	if (i < d->dataset.n_cases)
		return HARDY_OK;
	return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: has %s, there is none of number %zu", d->dataset.root,
	               HY_COUNT(d->dataset.n_cases, "case"), i);
}

hardy_status hardy_dataset_case(const hardy_dataset *d, size_t i, hardy_case *out, hardy_error *err)
{
	hardy_status status = check_index(d, i, err);
	if (status)
		return status;
	const hy_case *c = &d->dataset.cases[i];
	hy_volume header = {0};
	hy_nifti_options o;
	hy_nifti_options_init(&o);
	memcpy(o.spacing_mm, d->o.spacing_mm, sizeof o.spacing_mm);
	o.header_only = true;
	status = hy_nifti_read(c->image_path[0], &o, &header, NULL, err);
	if (status)
		return status;
	hardy_case found = {.size = sizeof found,
	                    .subject = c->subject,
	                    .phase = c->phase,
	                    .site = c->site,
	                    .image_path = c->image_path[0],
	                    .label_path = c->label_path,
	                    .frame = c->frame,
	                    .label_frame = c->label_path ? c->label_frame : -1,
	                    .held_out = c->held_out,
	                    .shape = {header.grid.nx, header.grid.ny, header.grid.nz}};
	memcpy(found.spacing_mm, header.grid.spacing_mm, sizeof found.spacing_mm);
	hy_volume_clear(&header);
	return hy_struct_give(out, &found, sizeof found, "the case to fill in", err);
}

hardy_status hardy_dataset_read(const hardy_dataset *d, size_t i, hardy_volume **image, hardy_volume **labels,
                                const hardy_log *log, hardy_error *err)
{
	hy_volume voxels = {0};
	hy_labels map = {0};
	hardy_volume *one = NULL, *other = NULL;
	if (!image)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "image is NULL");
	hardy_status status = check_index(d, i, err);
	if (!status && labels && !d->dataset.cases[i].label_path)
		status = hy_fail(err, HARDY_ERROR_DATA, "%s: has no label map", d->dataset.cases[i].image_path[0]);
	if (!status)
		status = hy_case_load(&d->dataset, i, &d->o, &voxels, labels ? &map : NULL, log, err);
	if (status)
		return status;
	hy_volume place = {.grid = map.grid, .nt = 1};
	if (labels)
		status = hy_volume_give(&place, &map, &other, err);
	if (!status)
		status = hy_volume_give(&voxels, NULL, &one, err);
	hy_volume_clear(&voxels);
	if (status) {
		hardy_volume_free(other);
		return status;
	}
	*image = one;
	if (labels)
		*labels = other;
	return HARDY_OK;
}

/* ---- splits ------------------------------------------------------------------------------------------------------------- */

struct hardy_split {
	hy_split split;
};

hardy_status hardy_split_new(const hardy_dataset *d, const hardy_split_options *given, hardy_split **out, const hardy_log *log,
                             hardy_error *err)
{
	hardy_split_options o = {.size = sizeof o};
	if (!d || !out)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s is NULL", d ? "out" : "the data set");
	hardy_status status = given ? hy_struct_take(&o, sizeof o, given, "options of a split", err) : HARDY_OK;
	if (!status && (o.subjects < HY_SPLIT_AUTO || o.validation < HY_SPLIT_AUTO || o.fold < 0))
		status = hy_fail(err, HARDY_ERROR_ARGUMENT, "%s is %lld, want %d or more",
		                 o.fold < 0                   ? "fold"
		                 : o.subjects < HY_SPLIT_AUTO ? "subjects"
		                                              : "validation",
		                 (long long)(o.fold < 0                   ? o.fold
		                             : o.subjects < HY_SPLIT_AUTO ? o.subjects
		                                                          : o.validation),
		                 o.fold < 0 ? 0 : HY_SPLIT_AUTO);
	hardy_split *made = status ? NULL : hy_calloc(1, sizeof *made);
	if (!status && !made)
		status = hy_fail_memory(err, "a split", 1, sizeof *made);
	if (!status)
		status = hy_split_make(&made->split, &d->dataset, o.splits, o.folds ? o.fold : -1, o.subjects, o.validation, o.seed,
		                       log, err);
	if (status)
		hy_free(made);
	else
		*out = made;
	return status;
}

void hardy_split_free(hardy_split *s)
{
	if (!s)
		return;
	hy_split_clear(&s->split);
	hy_free(s);
}

size_t hardy_split_n(const hardy_split *s, hardy_split_list list)
{
	switch (list) {
	case HARDY_SPLIT_TRAIN:
		return s->split.n_train;
	case HARDY_SPLIT_VALIDATION:
		return s->split.n_validation;
	case HARDY_SPLIT_TEST:
		return s->split.n_test;
	default:
		return 0;
	}
}

const char *hardy_split_subject(const hardy_split *s, hardy_split_list list, size_t i)
{
	if (i >= hardy_split_n(s, list))
		return NULL;
	return list == HARDY_SPLIT_TRAIN        ? s->split.train[i]
	       : list == HARDY_SPLIT_VALIDATION ? s->split.validation[i]
	                                        : s->split.test[i];
}
