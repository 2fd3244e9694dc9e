/*
 * stress.c: hardy_stress: a model on scans spoiled in memory, as ACDC-C has it and by levels of severity.
 *
 * Everything happens on the grid of the published protocol (1.36719 mm, 192 x 192), whatever the model's own: so that every model
 * sees the same spoiled scans. Its predictor resamples them to the model's grid and the label map back.
 */
#include "experiment/stress.h"

#include "base/files.h"
#include "base/machine.h"
#include "base/memory.h"
#include "base/option.h"
#include "base/text.h"
#include "dataset/preprocess.h"
#include "image/resample.h"
#include "metric/overlap.h"
#include "predict/ensemble.h"
#include "predict/jobs.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define AT(member) offsetof(hardy_stress_options, member)

static const hardy_option option_rows[] = {
    HY_OPTION_ARGUMENTS(hardy_stress_options, inputs, "MODEL... DATA",
                        "Models, several are an ensemble, and one labelled data set."),
    HY_OPTION_OUTPUT(hardy_stress_options, "OUT", "Folder for the tables."),
    {"sweep", HARDY_OPTION_SWITCH, AT(sweep), NULL,
     "Also five levels of each artefact, of noise, blur, resolution, contrast and a shifted field of view.", .use = 0},
    {"copies", HARDY_OPTION_WHOLE, AT(copies), "N", "Draws of each artefact.", .usual = "3", .low = 1, .high = 100},
    {"sweep_copies", HARDY_OPTION_WHOLE, AT(sweep_copies), "N", "Draws of each artefact and level.", .usual = "1", .low = 1,
     .high = 100},
    HY_OPTION_SEED(hardy_stress_options, "Seed of the draws."),
    HY_OPTIONS_SUBJECTS(hardy_stress_options),
    HY_OPTIONS_PREDICTOR(hardy_stress_options),
    HY_OPTION_SPACING(hardy_stress_options),
    HY_OPTION_LABELS(hardy_stress_options),
    HY_OPTION_THREADS(hardy_stress_options),
    HY_OPTION_BATCH(hardy_stress_options),
    HY_OPTION_OVERWRITE(hardy_stress_options, "Replace also files of these names that hardy stress did not write."),
};

const hardy_options hy_stress_table = {"stress", HY_TABLE_ROWS(option_rows), sizeof(hardy_stress_options), NULL};

void hardy_stress_options_init(hardy_stress_options *o)
{
	hardy_options_default(&hy_stress_table, o);
}

typedef struct session {
	const hardy_stress_options *o;
	const hardy_log *log;
	const hardy_stop *stop;
	hy_dataset_options dataset;
	hy_ensemble ensemble;
	hy_plan plan; /* of the protocol */
	hy_jobs jobs;
	hy_stress_result result;
	size_t room;
	bool stopped;
	bool made_folder;  /* the output was not there before */
	hardy_error first; /* of the failures */
	bool out_of_memory;
} session;

/* A case on the protocol's grid. */
typedef struct subject {
	const hy_case *c;
	const char *name;
	hy_slices full;  /* resampled, before crop or pad */
	hy_volume image; /* what the predictor sees */
	uint8_t *label;  /* owned: in the image's grid */
	int64_t oy, ox;  /* window of the image in full */
} subject;

/* ---- models and data ---------------------------------------------------------------------------------------------------- */

static hardy_status check_options(const hardy_stress_options *o, hardy_error *err)
{
	if (!o->output || !o->output[0])
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "no output is named");
	return hardy_options_check(&hy_stress_table, o, err);
}

/* Loads the models among the inputs; *data gets the one that is none. */
static hardy_status load_models(session *s, const char **data, hardy_error *err)
{
	const char **rest = hy_alloc(s->o->n_inputs, sizeof *rest);
	size_t n = 0;
	hardy_status status = rest ? hy_ensemble_take(&s->ensemble, s->o->inputs, s->o->n_inputs, rest, &n, err)
	                           : hy_fail_memory(err, "inputs", s->o->n_inputs, sizeof *rest);
	*data = status || !n ? NULL : rest[0];
	if (!status && n > 1)
		status = hy_fail(err, HARDY_ERROR_ARGUMENT, "%s and %s are no models; want one data set", rest[0], rest[1]);
	hy_free(rest);
	if (status)
		return status;
	if (s->ensemble.models[0].n_channels != 1)
		return hy_fail(err, HARDY_ERROR_UNSUPPORTED, "%s: has %d channels; the protocol is for one", s->ensemble.paths[0],
		               s->ensemble.models[0].n_channels);
	return *data ? HARDY_OK : hy_fail(err, HARDY_ERROR_ARGUMENT, "no data set is named");
}

/* Spoiled slices are in [0, 1] already: the percentiles of a scan are taken before they are spoiled, not after. */
static hardy_status make_predictor(session *s, hardy_error *err)
{
	hy_predictor_options p;
	hy_predictor_options_init(&p);
	hy_predictor_options_use(&p, &s->ensemble.models[0]);
	p.which = HY_STN; /* both networks are scored */
	p.both = true;
	p.batch = s->o->batch;
	p.adapt = s->o->adapt;
	p.stn_iterations = (int)s->o->stn_iterations;
	hy_tta_set(&p, s->o->tta);
	for (size_t i = 0; i < s->ensemble.n; i++) {
		s->ensemble.models[i].plan.percentile_low = 0;
		s->ensemble.models[i].plan.percentile_high = 100;
	}
	return hy_ensemble_start(&s->ensemble, &p, err);
}

/* ---- one case ----------------------------------------------------------------------------------------------------------- */

static void subject_clear(subject *x)
{
	hy_slices_clear(&x->full);
	hy_volume_clear(&x->image);
	hy_free(x->label);
}

static hardy_status load_subject(const session *s, const hy_job *job, subject *x, hardy_error *err)
{
	const hy_dataset *d = &s->jobs.sets[job->set];
	hy_volume image = {0};
	hy_labels labels = {0};
	hy_grid g;
	*x = (subject){.c = &d->cases[job->index], .name = job->name};
	if (!x->c->label_path)
		return hy_fail(err, HARDY_ERROR_DATA, "%s: has no label", job->name);
	hardy_status status = hy_case_load(d, job->index, &s->dataset, &image, &labels, s->log, err);
	if (status)
		return status;
	status = hy_preprocess_train(&s->plan, &image, &labels, &x->full, err);
	if (status) {
		hy_prefix(err, status, "%s", x->c->image_path[0]);
		goto out;
	}
	const int64_t size = s->plan.size;
	hy_grid_set_simple(&g, size, size, x->full.n, s->plan.spacing_mm, s->plan.spacing_mm, image.grid.spacing_mm[2]);
	status = hy_volume_alloc(&x->image, &g, 1, err);
	x->label = status ? NULL : hy_alloc((size_t)hy_grid_voxels(&g), 1);
	if (!status && !x->label)
		status = hy_fail_memory(err, "labels", (size_t)hy_grid_voxels(&g), 1);
	x->oy = hy_window_offset(x->full.height, size);
	x->ox = hy_window_offset(x->full.width, size);
out:
	hy_volume_clear(&image);
	hy_labels_clear(&labels);
	if (status)
		subject_clear(x);
	return status;
}

/* Image and label through a window that is moved by dy, dx pixels. */
static void take_window(subject *x, int64_t dy, int64_t dx)
{
	const int64_t h = x->full.height, w = x->full.width, size = x->image.grid.nx, plane = size * size;
	for (int64_t z = 0; z < x->full.n; z++) {
		hy_window_f32(x->full.image + z * h * w, h, w, x->oy + dy, x->ox + dx, 0, x->image.data + z * plane, size, size);
		hy_window_u8(x->full.label + z * h * w, h, w, x->oy + dy, x->ox + dx, 0, x->label + z * plane, size, size);
	}
}

/* What a sweep does beyond the protocol: lengths are true millimetres, rotations about the image's centre. */
static hardy_status spoil_by_level(subject *x, const hy_artefact *a, hardy_error *err)
{
	const hy_grid *g = &x->image.grid;
	hy_block b = hy_block_of_stack(x->image.data, g->nz, g->ny, g->nx);
	for (int i = 0; i < 3; i++)
		b.affine[i][i] = g->spacing_mm[2 - i];
	hardy_status status = hy_acdcc_apply(NULL, b.data, g->nz, g->ny, g->nx, 0, err);
	if (!status)
		status = hy_artefact_apply(a, &b, err);
	return status ? status : hy_acdcc_apply(NULL, b.data, g->nz, g->ny, g->nx, 0, err);
}

static hardy_status spoil(const session *s, subject *x, int kind, int level, int64_t copy, hardy_error *err)
{
	const hy_grid *g = &x->image.grid;
	const int64_t n[3] = {g->nz, g->ny, g->nx};
	/* Copies of a level are streams of their own. */
	hy_rng stream = hy_artefact_stream((uint64_t)s->o->seed, (hy_artefact_kind)kind, x->name, 0, copy + 1000 * level);
	if (kind == HY_STRESS_SHIFT) {
		const double angle = hy_rng_between(&stream, 0, 6.283185307179586);
		const double pixels = hy_stress_severity(kind, level) / s->plan.spacing_mm;
		take_window(x, llround(pixels * sin(angle)), llround(pixels * cos(angle)));
	} else {
		take_window(x, 0, 0);
	}
	if (kind == HY_STRESS_NONE || kind == HY_STRESS_SHIFT)
		return hy_acdcc_apply(NULL, x->image.data, n[0], n[1], n[2], 0, err);
	const hy_artefact a = hy_artefact_draw((hy_artefact_kind)kind, level, n, level > 0, &stream);
	return level ? spoil_by_level(x, &a, err) : hy_acdcc_apply(&a, x->image.data, n[0], n[1], n[2], 0, err);
}

hardy_status hy_stress_example(const hy_dataset *d, size_t i, const hy_dataset_options *o, const char *name, int kind,
                               int64_t copy, hy_volume *image, hy_labels *truth, hardy_error *err)
{
	hardy_stress_options protocol;
	hy_dataset set = *d;
	char copied[HARDY_CASE_SIZE];
	const hy_job job = {.index = i, .name = copied};
	subject x;
	hardy_stress_options_init(&protocol);
	session s = {.o = &protocol, .dataset = *o, .jobs = {.sets = &set, .n_sets = 1}};
	hy_plan_init(&s.plan);
	snprintf(copied, sizeof copied, "%s", name);
	hardy_status status = load_subject(&s, &job, &x, err);
	if (status)
		return status;
	status = spoil(&s, &x, kind, 0, copy, err);
	if (!status) {
		*image = x.image;
		*truth = (hy_labels){.grid = x.image.grid, .data = x.label};
		x.image = (hy_volume){0};
		x.label = NULL;
	}
	subject_clear(&x);
	return status;
}

static void score(const session *s, const subject *x, const hy_labels *map, double dice[HY_MAX_CLASSES], double *mean)
{
	bool labelled[HY_MAX_CLASSES];
	for (int c = 0; c < s->result.n_classes; c++)
		labelled[c] = s->result.classes[c].present;
	*mean =
	    hy_overlap_mean_dice(map->data, x->label, (size_t)hy_grid_voxels(&x->image.grid), s->result.n_classes, labelled, dice);
}

static hardy_status add_row(session *s, const hy_stress_row *row, hardy_error *err)
{
	hy_stress_result *r = &s->result;
	if (r->n_rows == s->room) {
		const size_t room = s->room ? 2 * s->room : 64;
		hy_stress_row *larger = hy_realloc(r->rows, room, sizeof *larger);
		if (!larger)
			return hy_fail_memory(err, "scores", room, sizeof *larger);
		r->rows = larger;
		s->room = room;
	}
	r->rows[r->n_rows++] = *row;
	return HARDY_OK;
}

static hardy_status try_one(session *s, subject *x, int kind, int level, int64_t copy, hardy_error *err)
{
	hy_prediction p;
	hy_stress_row row = {.kind = kind, .level = level, .copy = copy};
	snprintf(row.subject, sizeof row.subject, "%s", x->c->subject);
	snprintf(row.phase, sizeof row.phase, "%s", x->c->phase);
	hardy_status status = spoil(s, x, kind, level, copy, err);
	if (!status)
		status = hy_predictor_run(s->ensemble.predictor, &x->image, &p, err);
	if (status)
		return hy_prefix(err, status, "%s: %s", x->name, hy_stress_name(kind));
	score(s, x, &p.other, row.dice[0], &row.mean[0]);
	score(s, x, &p.label, row.dice[1], &row.mean[1]);
	row.predicted = p.predicted_dice;
	row.low = p.predicted_low;
	hy_prediction_clear(&p);
	return add_row(s, &row, err);
}

static bool stop_asked(session *s)
{
	s->stopped = s->stopped || hy_stop_asked(s->stop);
	return s->stopped;
}

/* Everything that is to be done with one case; when it cannot be finished its rows are taken back. */
static hardy_status run_case(session *s, const hy_job *job, hardy_error *err)
{
	subject x;
	const size_t before = s->result.n_rows;
	hardy_status status = load_subject(s, job, &x, err);
	if (status)
		return status;
	status = try_one(s, &x, HY_STRESS_NONE, 0, 0, err);
	for (int kind = 0; kind < HY_N_ACDCC; kind++)
		for (int64_t copy = 0; copy < s->o->copies && !status && !stop_asked(s); copy++)
			status = try_one(s, &x, kind, 0, copy, err);
	for (int kind = 0; kind < HY_STRESS_END && s->o->sweep; kind++)
		for (int level = 1; level <= HY_N_LEVELS; level++)
			for (int64_t copy = 0; copy < s->o->sweep_copies && !status && !stop_asked(s); copy++)
				status = try_one(s, &x, kind, level, copy, err);
	if (status || s->stopped)
		s->result.n_rows = before;
	subject_clear(&x);
	return status;
}

/* ---- all cases ---------------------------------------------------------------------------------------------------------- */

/* Memory that ran out is told before what a case did wrong. */
static void note_failure(session *s, const hardy_error *err)
{
	const bool memory = err->status == HARDY_ERROR_MEMORY;
	if (!s->result.n_failed++ || (memory && !s->out_of_memory))
		s->first = *err;
	s->out_of_memory = s->out_of_memory || memory;
	hy_warn(s->log, "failed: %s", err->message);
}

static void run_cases(session *s)
{
	const double start = hy_clock_s();
	for (size_t i = 0; i < s->jobs.n_lost; i++) {
		hardy_error e = {0};
		hy_fail(&e, HARDY_ERROR_DATA, "%s", s->jobs.lost[i].text);
		note_failure(s, &e);
		s->result.n_cases++;
	}
	for (size_t i = 0; i < s->jobs.n && !stop_asked(s); i++) {
		hardy_error err = {0};
		hy_jobs_tell_progress(&s->jobs, i, start, "case", s->log);
		if (run_case(s, &s->jobs.items[i], &err))
			note_failure(s, &err);
		if (!s->stopped)
			s->result.n_cases++;
	}
	s->result.complete = !s->stopped;
}

static hardy_status conclude(session *s, const hardy_sink *report, hardy_error *err)
{
	const hy_stress_result *r = &s->result;
	if (s->stopped && !r->n_rows)
		return hy_fail(err, HARDY_ERROR_INTERRUPTED, "interrupted before the first case was done");
	if (r->n_failed == r->n_cases && r->n_cases > 1)
		return hy_fail(err, s->first.status, "all of %s failed; the first: %s", HY_COUNT(r->n_cases, "case"), s->first.message);
	if (r->n_failed == r->n_cases)
		return hy_fail(err, s->first.status, "%s", s->first.message);
	hardy_status status = hy_stress_write(r, s->o->output, err);
	if (!status)
		status = hy_stress_print(r, report, err);
	if (status)
		return status;
	if (s->stopped)
		return hy_fail(err, HARDY_ERROR_INTERRUPTED, "interrupted after %zu of %s, which are written", r->n_cases,
		               HY_COUNT(s->jobs.n + s->jobs.n_lost, "case"));
	if (r->n_failed)
		return hy_fail(err, HARDY_ERROR_PARTIAL, "%zu of %s failed; the first: %s", r->n_failed, HY_COUNT(r->n_cases, "case"),
		               s->first.message);
	return HARDY_OK;
}

/* An output that cannot be written is known before hours of work, not after. */
static hardy_status try_output(const hardy_stress_options *o, hardy_error *err)
{
	static const char *const names[3] = {"cases.csv", "stress.json", "sweep.csv"};
	hardy_status status = HARDY_OK;
	for (int i = 0; i < (o->sweep ? 3 : 2) && !status; i++) {
		hy_outfile f = {0};
		char *path = hy_path_join(o->output, names[i]);
		status = path ? hy_outfile_open(&f, path, hy_stress_mark(o, i), err) : hy_fail_memory(err, o->output, 1, 1);
		hy_outfile_discard(&f);
		hy_free(path);
	}
	return status;
}

/* Models, cases and the predictor. */
static hardy_status prepare(session *s, hardy_error *err)
{
	const hy_jobs_options o = {.n_channels = 1,
	                           .dataset = s->dataset,
	                           .subjects = s->o->subjects,
	                           .split = s->o->split,
	                           .splits = s->o->splits,
	                           .fold = s->o->fold};
	const char *data = NULL;
	hardy_status status = load_models(s, &data, err);
	if (!status)
		status = hy_jobs_collect_for(&s->jobs, data, &o, &s->ensemble.models[0], s->ensemble.paths[0], s->log, err);
	if (!status)
		status = make_predictor(s, err);
	if (status)
		return status;
	s->result.data = data;
	s->result.models = (const char *const *)s->ensemble.paths;
	s->result.n_models = s->ensemble.n;
	s->result.classes = s->jobs.sets[1].classes;
	s->result.n_classes = s->jobs.sets[1].n_classes;
	return HARDY_OK;
}

static hardy_status tell_trained_on(const session *s, hardy_error *err)
{
	cJSON *training;
	const hardy_status status = hy_ensemble_training(&s->ensemble, &training, err);
	if (!status)
		hy_jobs_warn_trained_on(&s->jobs, training, "their scores say nothing about others", s->log);
	cJSON_Delete(training);
	return status;
}

static hardy_status run(session *s, const hardy_sink *report, hardy_error *err)
{
	hardy_status status = prepare(s, err);
	if (!status)
		status = tell_trained_on(s, err);
	s->made_folder = !status && !hy_path_exists(s->o->output);
	if (!status)
		status = hy_make_output_folder(s->o->output, err);
	if (!status)
		status = try_output(s->o, err);
	if (status)
		return status;
	run_cases(s);
	return conclude(s, report, err);
}

static void session_start(session *s)
{
	s->dataset.labels = s->o->labels;
	memcpy(s->dataset.spacing_mm, s->o->spacing_mm, sizeof s->dataset.spacing_mm);
	hy_plan_init(&s->plan);
}

static void session_end(session *s)
{
	hy_jobs_clear(&s->jobs);
	hy_ensemble_clear(&s->ensemble);
	hy_free(s->result.rows);
}

hardy_status hy_stress_collect(const hardy_stress_options *o, bool strict, hy_stress_row **rows, size_t *n_rows,
                               const hardy_log *log, const hardy_stop *stop, hardy_error *err)
{
	hardy_error own = {0};
	session s = {.o = o, .log = log, .stop = stop, .result = {.o = o}};
	err = err ? err : &own;
	session_start(&s);
	hardy_status status = prepare(&s, err);
	if (!status)
		run_cases(&s);
	if (!status && s.stopped)
		status = hy_fail(err, HARDY_ERROR_INTERRUPTED, "interrupted while artefacts were scored");
	if (!status && s.result.n_failed && (strict || s.out_of_memory || s.result.n_failed == s.result.n_cases))
		status = hy_fail(err, s.first.status, "%s", s.first.message);
	if (!status) {
		*rows = s.result.rows;
		*n_rows = s.result.n_rows;
		s.result.rows = NULL;
	}
	session_end(&s);
	return status;
}

hardy_status hardy_stress(const hardy_stress_options *o, const hardy_sink *report, const hardy_log *log, const hardy_stop *stop,
                          hardy_error *err)
{
	hardy_error own = {0};
	session s = {.o = o, .log = log, .stop = stop, .result = {.o = o}};
	err = err ? err : &own;
	hardy_status status = check_options(o, err);
	if (status)
		return status;
	session_start(&s);
	const int threads = hy_threads_set(o->threads);
	status = run(&s, report, err);
	hy_threads_set(threads);
	if (status && s.made_folder)
		rmdir(o->output); /* stays when something is in it */
	session_end(&s);
	return status;
}
