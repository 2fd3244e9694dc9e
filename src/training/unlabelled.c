/*
 * unlabelled.c: reading scans without labels.
 */
#include "training/unlabelled.h"

#include "base/files.h"
#include "base/memory.h"
#include "image/nifti.h"
#include "predict/jobs.h"

#include <string.h>

/* Slices of one frame and plane, with labels that say nothing. */
static hardy_status add_plane(hy_unlabelled *u, const hy_plan *plan, const hy_volume *image, int scan, hardy_error *err)
{
	hy_slices *cases = hy_realloc(u->cases, u->n_cases + 1, sizeof *cases);
	u->cases = cases ? cases : u->cases;
	int *scans = hy_realloc(u->scan, u->n_cases + 1, sizeof *scans);
	u->scan = scans ? scans : u->scan;
	if (!cases || !scans)
		return hy_fail_memory(err, "unlabelled scans", u->n_cases + 1, sizeof *cases);
	hy_slices s = {0};
	const hardy_status status = hy_preprocess_train(plan, image, NULL, &s, err);
	if (status)
		return status;
	s.label = hy_calloc((size_t)s.n, (size_t)(s.height * s.width));
	if (!s.label) {
		const size_t n = (size_t)s.n, plane = (size_t)(s.height * s.width);
		hy_slices_clear(&s);
		return hy_fail_memory(err, "unlabelled slices", n, plane);
	}
	u->scan[u->n_cases] = scan;
	u->cases[u->n_cases++] = s;
	u->n_slices += s.n;
	return HARDY_OK;
}

static hardy_status add_frame(hy_unlabelled *u, const hy_plan *plan, const hy_volume *image, int scan, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	for (int k = 0; k < plan->planes && !status; k++) {
		const hy_plan own = hy_plan_plane(plan, k);
		status = add_plane(u, &own, image, scan, err);
	}
	return status;
}

/* A case of a data set is a frame; a loose file for one channel may be a cine. */
static hardy_status add_scan(hy_unlabelled *u, const hy_jobs *jobs, const hy_job *job, const hy_dataset_options *d,
                             const hy_plan *plan, const hardy_log *log, hardy_error *err)
{
	const hy_dataset *set = &jobs->sets[job->set];
	const hy_case *c = &set->cases[job->index];
	hy_volume image = {0};
	hardy_status status;
	const bool cine = job->set == 0 && set->n_channels == 1;
	if (cine) {
		hy_nifti_options n;
		hy_nifti_options_init(&n);
		memcpy(n.spacing_mm, d->spacing_mm, sizeof n.spacing_mm);
		status = hy_nifti_read(c->image_path[0], &n, &image, log, err);
	} else {
		status = hy_case_load(set, job->index, d, &image, NULL, log, err);
	}
	const int64_t frames = cine ? image.nt : 1, used = frames < HY_UNLABELLED_FRAMES ? frames : HY_UNLABELLED_FRAMES;
	for (int64_t k = 0; k < used && !status; k++) {
		hy_volume frame = image; /* a view */
		if (cine) {
			frame.data += k * frames / used * hy_grid_voxels(&image.grid);
			frame.nt = 1;
		}
		status = add_frame(u, plan, &frame, (int)u->n_scans, err);
	}
	if (status)
		status = hy_prefix(err, status, "%s", c->image_path[0]);
	else
		u->n_scans++;
	hy_volume_clear(&image);
	return status;
}

static bool is_reserved(const hy_split *s, const char *subject)
{
	return hy_split_has(s->train, s->n_train, subject) || hy_split_has(s->validation, s->n_validation, subject) ||
	       hy_split_has(s->test, s->n_test, subject);
}

hardy_status hy_unlabelled_load(hy_unlabelled *u, const hardy_train_options *o, const hy_plan *plan, const hy_training_set *set,
                                const hardy_log *log, const hardy_stop *stop, hardy_error *err)
{
	hy_jobs jobs = {0};
	hy_jobs_options wanted = {.n_channels = set->dataset.n_channels};
	const bool same = hy_path_same(o->data, o->unlabelled);
	memset(u, 0, sizeof *u);
	memcpy(wanted.dataset.spacing_mm, o->header_spacing_mm, sizeof wanted.dataset.spacing_mm);
	if (same)
		wanted.dataset.labels = o->labels;
	hardy_status status = hy_jobs_collect(&jobs, &o->unlabelled, 1, &wanted, log, err);
	for (size_t i = 0; i < jobs.n && !status; i++) {
		const char *subject = jobs.sets[jobs.items[i].set].cases[jobs.items[i].index].subject;
		if (same && is_reserved(&set->split, subject))
			continue;
		if (hy_stop_asked(stop))
			status = hy_fail(err, HARDY_ERROR_INTERRUPTED, "interrupted while reading scans, nothing was written");
		hy_log(log, HARDY_LOG_PROGRESS, "reading unlabelled %s", jobs.items[i].name);
		if (!status)
			status = add_scan(u, &jobs, &jobs.items[i], &wanted.dataset, plan, log, err);
	}
	if (!status && !u->n_cases)
		status = hy_fail(err, HARDY_ERROR_DATA,
		                 "%s: no scan is left for unlabelled training: all subjects are trained on or held out", o->unlabelled);
	hy_jobs_clear(&jobs);
	if (status)
		hy_unlabelled_clear(u);
	return status;
}

void hy_unlabelled_clear(hy_unlabelled *u)
{
	for (size_t i = 0; i < u->n_cases; i++)
		hy_slices_clear(&u->cases[i]);
	hy_free(u->cases);
	hy_free(u->scan);
	memset(u, 0, sizeof *u);
}
