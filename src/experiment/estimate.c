/*
 * estimate.c: a few steps and one scan, timed with random weights.
 */
#include "experiment/estimate.h"

#include "base/machine.h"
#include "base/memory.h"
#include "base/rng.h"
#include "experiment/process.h"
#include "experiment/source.h"
#include "image/nifti.h"
#include "predict/predictor.h"
#include "training/options.h"

#include <math.h>
#include <string.h>

enum { N_TIMED = 2, SCAN_SLICES = 10, SCAN_SIZE = 192 };

/* Slices of the training subjects, from headers. */
static hardy_status count_slices(const hy_study *s, const hy_study_run *run, double *n, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	*n = 0;
	for (size_t i = 0; i < s->training.n_cases && !status; i++) {
		const hy_case *c = &s->training.cases[i];
		hy_nifti_options o;
		hy_volume header = {0};
		if (!c->label_path || !hy_split_has(run->split.train, run->split.n_train, c->subject))
			continue;
		hy_nifti_options_init(&o);
		o.header_only = true;
		status = hy_nifti_read(c->image_path[0], &o, &header, NULL, err);
		if (status && status != HARDY_ERROR_MEMORY && !s->o->strict) { /* the training leaves it out and says so */
			status = HARDY_OK;
			continue;
		}
		*n += (double)header.grid.nz;
		hy_volume_clear(&header);
	}
	return status;
}

static hardy_status count_steps(const hy_study *s, const hy_study_run *run, double *steps, hardy_error *err)
{
	const hardy_train_options *o = &run->train;
	double slices = 0;
	hardy_status status = HARDY_OK;
	*steps = (double)o->iterations;
	if (!o->epochs)
		return HARDY_OK;
	status = count_slices(s, run, &slices, err);
	const double of_epochs = (double)o->epochs * ceil(slices / ((double)o->batch / 2));
	if (!o->iterations || of_epochs < *steps)
		*steps = of_epochs;
	return status;
}

static hardy_status time_step(const hy_study *s, const hy_study_run *run, double *seconds, hardy_error *err)
{
	const hardy_train_options *o = &run->train;
	const int channels = s->training.n_channels, classes = s->training.n_classes;
	const hy_network_config config = hy_options_network(o, channels, classes);
	const size_t n = (size_t)(o->batch * o->size * o->size), n_image = n * (size_t)config.channels;
	hy_network network = {0};
	hy_step_options options;
	double terms[HY_N_TERMS];
	hy_rng g = hy_rng_make(0, HY_RNG_TEST, 0, 0);
	float *image = hy_alloc_aligned(n_image, sizeof *image);
	uint8_t *label = hy_alloc(n, 1);
	hy_step *step = NULL;
	hardy_status status = image && label ? hy_network_init(&network, &config, err) : hy_fail_memory(err, "a batch", n, 1);
	if (status)
		goto out;
	hy_params_draw(&network.params, 0);
	for (size_t i = 0; i < n_image; i++)
		image[i] = (float)hy_rng_uniform(&g);
	for (size_t i = 0; i < n; i++)
		label[i] = (uint8_t)((i / 16) % (size_t)classes);
	hy_recipe_options(&options, &run->recipe, o);
	step = hy_step_new(&network, &options, err);
	status = step ? hy_step_run(step, image, image, label, 0, 1e-6, terms, err) : err->status;
	const double start = hy_clock_s();
	for (int i = 1; i <= N_TIMED && !status; i++)
		status = hy_step_run(step, image, image, label, i, 1e-6, terms, err);
	*seconds = (hy_clock_s() - start) / N_TIMED;
out:
	hy_step_free(step);
	hy_network_clear(&network);
	hy_free_aligned(image);
	hy_free(label);
	return status;
}

static hardy_status time_scan(const hy_study *s, double *seconds, hardy_error *err)
{
	const hardy_train_options *o = &s->runs[0].train;
	hy_model m = {.n_classes = s->training.n_classes, .n_channels = s->training.n_channels};
	const hy_network_config config = {.channels = m.n_channels, .classes = m.n_classes, .decoupler = true};
	hy_volume scan = {0};
	hy_prediction found = {0};
	hy_predictor_options p;
	hy_grid grid;
	hy_rng g = hy_rng_make(0, HY_RNG_TEST, 1, 0);
	hy_predictor_options_init(&p);
	p.both = true;
	hy_plan_init(&m.plan);
	m.plan.size = o->size;
	m.plan.spacing_mm = o->spacing_mm;
	hy_grid_set_simple(&grid, SCAN_SIZE, SCAN_SIZE, SCAN_SLICES, 1.36719, 1.36719, 10);
	hardy_status status = hy_network_init(&m.network, &config, err);
	if (!status)
		status = hy_volume_alloc(&scan, &grid, m.n_channels, err);
	if (status) {
		hy_network_clear(&m.network);
		return status;
	}
	hy_params_draw(&m.network.params, 0);
	for (int64_t i = 0; i < hy_grid_voxels(&grid) * m.n_channels; i++)
		scan.data[i] = (float)hy_rng_uniform(&g);
	hy_predictor *predictor = hy_predictor_new((hy_model *const[]){&m}, 1, &p, err);
	status = predictor ? hy_predictor_run(predictor, &scan, &found, err) : err->status; /* the first one compiles */
	hy_prediction_clear(&found);
	const double start = hy_clock_s();
	if (!status)
		status = hy_predictor_run(predictor, &scan, &found, err);
	*seconds = hy_clock_s() - start;
	hy_prediction_clear(&found);
	hy_predictor_free(predictor);
	hy_volume_clear(&scan);
	hy_model_clear(&m);
	return status;
}

/* Scans of a run's test sets: those of the training set are known, of other sites half of the NIfTI files are labels. */
static hardy_status count_scans(const hy_study *s, double *scans, double *spoiled, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	double own = 0, others = 0;
	for (size_t i = 0; i < s->training.n_cases; i++)
		own += hy_study_has_case(&s->runs[0], &s->sets[0], &s->training.cases[i]);
	for (size_t k = 1; k < s->n_sources && !status; k++) {
		hy_sha256 unused;
		size_t n = 0;
		hy_sha256_init(&unused);
		status = hy_source_hash(&s->sources[k], &unused, &n, err);
		others += (double)n / 2;
	}
	*scans = own + others;
	*spoiled = own * (1 + HY_N_ACDCC * (double)s->o->copies);
	return status;
}

hardy_status hy_estimate_make(const hy_study *s, hy_estimate *out, hardy_error *err)
{
	hy_estimate e = {.steps = hy_calloc(s->n_methods, sizeof *e.steps), .step_s = hy_calloc(s->n_methods, sizeof *e.step_s)};
	double scan_s = 0, scans = 0, spoiled = 0;
	hardy_status status = e.steps && e.step_s ? HARDY_OK : hy_fail_memory(err, "times", s->n_methods, sizeof *e.steps);
	const int threads = hy_threads_set(hy_process_threads(s));
	for (size_t m = 0; m < s->n_methods && !status; m++) {
		hy_log(s->log, HARDY_LOG_PROGRESS, "timing %s", s->methods[m]->name);
		status = count_steps(s, &s->runs[m], &e.steps[m], err);
		if (!status)
			status = time_step(s, &s->runs[m], &e.step_s[m], err);
	}
	if (!status)
		status = time_scan(s, &scan_s, err);
	hy_threads_set(threads);
	if (!status)
		status = count_scans(s, &scans, &spoiled, err);
	e.score_s = scan_s * (scans + 1.5 * spoiled); /* spoiling takes about half as long as predicting */
	if (status)
		hy_estimate_clear(&e);
	else
		*out = e;
	return status;
}

void hy_estimate_clear(hy_estimate *e)
{
	hy_free(e->steps);
	hy_free(e->step_s);
	memset(e, 0, sizeof *e);
}
