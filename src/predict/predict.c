/*
 * predict.c: hardy_predict: models and scans from disk, label maps, further maps and the quality table to disk.
 */
#include "base/files.h"
#include "base/json.h"
#include "base/lock.h"
#include "base/machine.h"
#include "base/memory.h"
#include "base/option.h"
#include "base/text.h"
#include "image/nifti.h"
#include "predict/bids.h"
#include "predict/ensemble.h"
#include "predict/legend.h"
#include "predict/places.h"
#include "predict/rows.h"

#include <ctype.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <unistd.h>

#define AT(member) offsetof(hardy_predict_options, member)

static const hardy_option option_rows[] = {
    HY_OPTION_ARGUMENTS(hardy_predict_options, inputs, "MODEL... SCAN|FOLDER...",
                        "Models, several are an ensemble, and scans."),
    HY_OPTION_OUTPUT(hardy_predict_options, "OUT", "Folder for the label maps, or for one scan a file NAME.nii.gz."),
    {"network", HARDY_OPTION_TEXT, AT(network), "NAME",
     "Whose label map: ftn, the fast network alone, or stn, with the shape corrected; of a model that has both. Without it, "
     "what was best on the validation subjects, as for the two that follow.",
     .choices = "ftn|stn"},
    {"components", HARDY_OPTION_TEXT, AT(components), "WHICH",
     "The largest 3-D component of each class alone (voxels that share a corner touch: 26-connectivity), or all.",
     .choices = "all|largest"},
    HY_OPTION_TTA(hardy_predict_options),
    {"window", HARDY_OPTION_TEXT, AT(window), "WHICH",
     "The network's field of view: moved onto structures that reach its edge, or always the slices' middle. Without it, moved "
     "for all but the study's networks.",
     .choices = "follow|middle"},
    {"probabilities", HARDY_OPTION_SWITCH, AT(probabilities), NULL, "Write a probability map for each class.", .use = 0},
    {"uncertainty", HARDY_OPTION_SWITCH, AT(uncertainty), NULL,
     "Write an entropy map (0 certain, 1 all classes alike); with network ftn, measure every quality signal.", .use = 0},
    {"class_numbers", HARDY_OPTION_SWITCH, AT(class_numbers), NULL,
     "Write class numbers (hearts: LV 1, MYO 2, RV 3) instead of the label values of the training data.", .use = 0},
    {"bids", HARDY_OPTION_SWITCH, AT(bids), NULL,
     "Lay OUT out as a derivative data set of BIDS: sub-NAME/anat/sub-NAME_dseg.nii.gz with sidecars.", .use = 0},
    HY_OPTION_SPACING(hardy_predict_options),
    HY_OPTION_LABELS(hardy_predict_options),
    HY_OPTIONS_SUBJECTS(hardy_predict_options),
    HY_OPTION_ADAPT(hardy_predict_options),
    HY_OPTION_STN_ITERATIONS(hardy_predict_options),
    {"precision", HARDY_OPTION_TEXT, AT(precision), "NAME",
     "Of activations and products in convolutions; bf16 needs a processor with AVX-512 BF16.", .usual = "f32",
     .choices = "f32|bf16", .use = HARDY_OPTION_NEEDED},
    {"warn_dice", HARDY_OPTION_REAL, AT(warn_dice), "DICE", "Warn when the predicted Dice is below this; 0: never.",
     .usual = "0.7", .low = 0, .high = 1},
    {"strict", HARDY_OPTION_SWITCH, AT(strict), NULL, "Exit with 4 when a scan has warnings in the quality table.", .use = 0},
    HY_OPTION_THREADS(hardy_predict_options),
    HY_OPTION_BATCH(hardy_predict_options),
    {"part", HARDY_OPTION_TEXT, AT(part), "K/N", "Every N-th scan from the K-th on, beside jobs that do the others.", .use = 0},
    {"missing", HARDY_OPTION_SWITCH, AT(missing), NULL,
     "Only scans without label map and row in OUT yet, whatever model made them: go on with work that was cut short.",
     .use = 0},
    {"table_every_s", HARDY_OPTION_TIME, AT(table_every_s), "TIME",
     "With one of both, time after which the quality table is written meanwhile.", .usual = "30s", .low = 0, .high = 1e9,
     .word = "table-every"},
    HY_OPTION_OVERWRITE(
        hardy_predict_options,
        "Replace also what hardy predict did not write, or what was changed since; never a scan or label that is read."),
};

const hardy_options hy_predict_table = {"predict", HY_TABLE_ROWS(option_rows), sizeof(hardy_predict_options), NULL};

void hardy_predict_options_init(hardy_predict_options *o)
{
	hardy_options_default(&hy_predict_table, o);
}

#define ENTROPY "entropy"

/* Everything that lives as long as the command. */
typedef struct session {
	const hardy_predict_options *o;
	const hardy_log *log, *own_log; /* the second is the caller's, behind the first when scans are converted ones */
	hardy_log saying;
	hy_dataset_options dataset;
	hy_ensemble ensemble;
	hy_jobs jobs;
	const char *ending;            /* of the output, when it is a file; else NULL */
	char *folder;                  /* owned: where outputs go; "" the working folder */
	char *table, *lock;            /* owned: paths of the quality table and of its lock */
	char *stem;                    /* owned: of the table of label values, without its ending */
	bool made_folder, made_legend; /* they were not there before */
	bool made_bids;
	cJSON *described;    /* owned: the models, for sidecars of BIDS */
	uint16_t value[256]; /* class index to what is written */
	bool unvalued[256];  /* the training data set has no value for this class */
	hy_legend legend;
	char words[HY_MAX_CLASSES][HY_NAME_SIZE + 16]; /* classes in names of files */
	hy_places places;                              /* what must not be written over */
	hy_origin origin;                              /* of what is written */
	hy_outfile quality;
	char **outputs; /* owned: names in the table of what this run makes, sorted */
	size_t n_outputs;
	hy_rows rows;
	size_t n_done, n_failed, n_warned; /* scans; rows with warnings */
	bool stopped, so_far;              /* so_far: the table is written while the work goes on */
	hy_share part;                     /* of the scans */
	double written_s;                  /* clock when the table was written last */
	hardy_error first;                 /* of the failures */
} session;

/* ---- arguments ---------------------------------------------------------------------------------------------------------- */

static hy_predictor_words words_of(const hardy_predict_options *o)
{
	return (hy_predictor_words){o->network, o->components, o->tta, o->window, o->precision};
}

static hardy_status check_options(const hardy_predict_options *o, hardy_error *err)
{
	if (!o->output || !o->output[0])
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "no output is named");
	if (o->bids && o->class_numbers)
		return hy_fail(err, HARDY_ERROR_ARGUMENT,
		               "BIDS has one table of values for a data set, those of the training data; want no "
		               "class numbers with it");
	const hy_predictor_words words = words_of(o);
	const hardy_status status = hardy_options_check(&hy_predict_table, o, err);
	return status ? status : hy_predictor_words_check(&words, err);
}

static hardy_status make_predictor(session *s, hardy_error *err)
{
	const hardy_predict_options *o = s->o;
	const hy_predictor_words words = words_of(o);
	hy_predictor_options p;
	hy_predictor_options_init(&p);
	hy_predictor_options_use(&p, &s->ensemble.models[0]);
	hy_predictor_options_say(&p, &words);
	p.both = p.reconstruct = p.which == HY_STN || o->uncertainty;
	p.entropy = true;
	p.probabilities = o->probabilities;
	p.adapt = o->adapt;
	p.stn_iterations = (int)o->stn_iterations;
	p.batch = o->batch;
	return hy_ensemble_start(&s->ensemble, &p, err);
}

static void map_values(session *s)
{
	const hy_model *m = &s->ensemble.models[0];
	for (int c = 0; c < 256; c++) {
		const bool own = !s->o->class_numbers && c < m->n_classes;
		s->unvalued[c] = own && m->classes[c].value < 0;
		s->value[c] = !own ? (uint16_t)c : s->unvalued[c] ? 0 : (uint16_t)m->classes[c].value;
	}
}

static hardy_status make_legend(session *s, hardy_error *err)
{
	const hy_model *m = &s->ensemble.models[0];
	hy_legend *l = &s->legend;
	l->n = m->n_classes;
	for (int c = 0; c < l->n; c++) {
		l->classes[c] = (hy_class){.value = s->unvalued[c] ? -1 : s->value[c], .present = !s->unvalued[c]};
		memcpy(l->classes[c].name, m->classes[c].name, sizeof l->classes[c].name);
	}
	return hy_ensemble_training(&s->ensemble, &l->training, err);
}

/* ---- output ------------------------------------------------------------------------------------------------------------- */

enum map { MAP_LABEL, MAP_ENTROPY, MAP_PROBABILITY };

/* A case that cannot be tried, as what it would have been; name is room for its name. */
static hy_job lost_job(const session *s, size_t i, char name[HARDY_CASE_SIZE])
{
	char subject[HY_NAME_SIZE], phase[16];
	memcpy(name, s->jobs.lost[i].name, HARDY_CASE_SIZE);
	if (s->o->bids && hy_split_phase(s->jobs.lost[i].name, subject, phase)) /* a name that none can be made of stays */
		hy_bids_name(s->jobs.lost[i].name, subject, phase, name, NULL);
	return (hy_job){.name = name};
}

/* Class names may hold anything; file names hold letters, digits, - and _. */
static void file_word(const char *name, char out[HY_NAME_SIZE])
{
	size_t i = 0;
	for (; name[i] && i < HY_NAME_SIZE - 1; i++)
		out[i] = isalnum((unsigned char)name[i]) || name[i] == '-' ? name[i] : '_';
	out[i] = 0;
}

static bool is_word_taken(const session *s, int n, const char *word)
{
	bool taken = !strcasecmp(word, ENTROPY);
	for (int c = 0; c < n; c++)
		taken = taken || !strcasecmp(word, s->words[c]);
	return taken;
}

/* Each class its own word, also where names differ in nothing else, or in case, which some file systems do not tell apart. */
static void choose_words(session *s)
{
	for (int c = 0; c < s->ensemble.models[0].n_classes; c++) {
		char word[HY_NAME_SIZE];
		file_word(s->ensemble.models[0].classes[c].name, word);
		snprintf(s->words[c], sizeof s->words[c], "%s", word);
		for (int k = c; is_word_taken(s, c, s->words[c]); k++)
			snprintf(s->words[c], sizeof s->words[c], "%s_%d", word, k);
	}
}

/* The path of a scan's map, newly allocated; NULL when memory runs out. */
static char *output_path(const session *s, const hy_job *job, enum map map, int class)
{
	const char *output = s->o->output, *ending = s->ending ? s->ending : ".nii.gz";
	const char *word = map == MAP_PROBABILITY ? s->words[class] : ENTROPY;
	const size_t room = strlen(output) + strlen(job->name) + HY_NAME_SIZE + 64;
	char *path = hy_alloc(room, 1);
	if (!path)
		return NULL;
	const int stem = (int)(strlen(output) - (s->ending ? strlen(ending) : 0));
	if (s->ending && map == MAP_LABEL)
		snprintf(path, room, "%s", output);
	else if (s->ending)
		snprintf(path, room, "%.*s_%s%s", stem, output, word, ending);
	else if (map == MAP_LABEL)
		snprintf(path, room, "%s/%s%s", output, job->name, ending);
	else if (map == MAP_ENTROPY)
		snprintf(path, room, "%s/entropy/%s%s", output, job->name, ending);
	else
		snprintf(path, room, "%s/probabilities/%s_%s%s", output, job->name, word, ending);
	return path;
}

static hardy_status make_folder(const char *output, const char *name, hardy_error *err)
{
	char *path = hy_path_join(output, name);
	if (!path)
		return hy_fail_memory(err, output, 1, strlen(output));
	const hardy_status status = hy_make_output_folder(path, err);
	hy_free(path);
	return status;
}

/* The folder that a file lies in, and those above it, below the output's. */
static hardy_status make_parent(const char *path, hardy_error *err)
{
	char *parent = hy_strdup(path);
	if (!parent)
		return hy_fail_memory(err, path, 1, strlen(path));
	parent[hy_path_name(path) - path - 1] = 0;
	const hardy_status status = hy_make_output_folder(parent, err);
	hy_free(parent);
	return status;
}

/* Folders of a file, as long as they are empty, up to the output's. */
static void remove_parents(const session *s, char *path)
{
	const size_t least = strlen(s->folder);
	for (char *cut; (cut = strrchr(path, '/')) && (size_t)(cut - path) > least;) {
		*cut = 0;
		if (rmdir(path))
			return;
	}
}

static void remove_bids(const session *s)
{
	static const enum map maps[] = {MAP_LABEL, MAP_ENTROPY, MAP_PROBABILITY};
	for (size_t i = 0; i < s->jobs.n; i++)
		for (int m = 0; m < 3; m++) {
			char *path = output_path(s, &s->jobs.items[i], maps[m], 0);
			if (path)
				remove_parents(s, path);
			hy_free(path);
		}
	if (s->made_bids)
		hy_bids_remove(s->folder);
}

/* Takes back folders that were made in vain; one with something in it stays. */
static void remove_folders(const session *s)
{
	static const char *const names[] = {"entropy", "probabilities"};
	if (s->o->bids)
		remove_bids(s);
	for (int i = 0; i < 2 && s->made_folder; i++) {
		char *path = hy_path_join(s->folder, names[i]);
		if (path && hy_path_is_folder(path))
			rmdir(path);
		hy_free(path);
	}
	if (s->made_legend)
		hy_legend_remove(s->stem);
	if (s->made_folder)
		rmdir(s->folder);
}

static const char *table_mark(const session *s)
{
	return s->o->overwrite ? HY_REPLACE_ANY : HY_QUALITY_MARK;
}

/* Folder and quality table. */
static hardy_status place_output(session *s, hardy_error *err)
{
	const char *output = s->o->output, *name = hy_path_name(output);
	const int stem = (int)(strlen(output) - (s->ending ? strlen(s->ending) : 0));
	const size_t room = strlen(output) + 32;
	s->table = hy_alloc(room, 1);
	s->lock = hy_alloc(room, 1);
	s->folder = hy_alloc(room, 1);
	s->stem = hy_alloc(room, 1);
	if (!s->table || !s->lock || !s->folder || !s->stem)
		return hy_fail_memory(err, output, room, 1);
	if (s->ending) {
		snprintf(s->folder, room, "%.*s", (int)(name - output), output);
		snprintf(s->table, room, "%.*s_quality.csv", stem, output);
		snprintf(s->stem, room, "%.*s_labels", stem, output);
	} else {
		snprintf(s->folder, room, "%s", output);
		snprintf(s->table, room, "%s/quality.csv", output);
		snprintf(s->stem, room, "%s/labels", output);
	}
	snprintf(s->lock, room, "%s.lock", s->table);
	hardy_status status = hy_outfile_check(s->table, table_mark(s), err);
	if (!status && s->o->bids)
		status = hy_bids_check(s->folder, &s->legend, s->o->overwrite, err);
	return status ? status : hy_legend_check(s->stem, &s->legend, s->o->overwrite, err);
}

/* One program at a time. */
static hardy_status write_legend(session *s, hardy_error *err)
{
	hy_lock lock;
	hardy_status status = hy_lock_take(&lock, s->lock, true, s->table, s->log, err);
	if (!status)
		status = hy_legend_write(s->stem, &s->legend, s->o->overwrite, &s->made_legend, err);
	if (!status && s->o->bids) {
		s->made_bids = s->made_legend;
		status = hy_bids_begin(s->folder, &s->legend, s->o->overwrite, err);
	}
	hy_lock_drop(&lock);
	return status;
}

/* Makes the folders and begins the quality table, so that an output that cannot be written is known at once. */
static hardy_status open_output(session *s, hardy_error *err)
{
	s->made_folder = s->folder[0] && !hy_path_exists(s->folder);
	hardy_status status = hy_make_output_folder(s->folder[0] ? s->folder : ".", err);
	if (!status && !s->ending && s->o->uncertainty)
		status = make_folder(s->folder, "entropy", err);
	if (!status && !s->ending && s->o->probabilities)
		status = make_folder(s->folder, "probabilities", err);
	if (!status)
		status = hy_outfile_open(&s->quality, s->table, table_mark(s), err);
	if (!status)
		hy_quality_header(&s->quality, s->ensemble.models[0].classes, s->ensemble.models[0].n_classes);
	return status ? status : write_legend(s, err);
}

/* Nothing is there: not even the folder that a path lies in. */
static bool is_absent(const char *path)
{
	struct stat about;
	return stat(path, &about) && errno == ENOENT;
}

static hardy_status check_map(const session *s, const hy_job *job, enum map map, int class, hardy_error *err)
{
	static const char *const what[] = {"the label map", "the entropy map", "a probability map"};
	char *path = output_path(s, job, map, class);
	hardy_status status = path ? HARDY_OK : hy_fail_memory(err, s->o->output, 1, 1);
	if (!status && !is_absent(path)) {
		status = hy_places_check(&s->places, path, what[map], err);
		if (!status)
			status = hy_origin_check(path, &s->origin, err);
	}
	hy_free(path);
	return status;
}

/* The path of a label map's sidecar of BIDS, newly allocated; NULL when memory runs out. */
static char *sidecar_path(const session *s, const hy_job *job)
{
	char *label = output_path(s, job, MAP_LABEL, 0), *path = label ? hy_bids_sidecar(label) : NULL;
	hy_free(label);
	return path;
}

static hardy_status check_sidecar(const session *s, const hy_job *job, hardy_error *err)
{
	char *path = sidecar_path(s, job);
	const hardy_status status = path ? hy_outfile_check(path, s->o->overwrite ? HY_REPLACE_ANY : HY_MARK_JSON, err)
	                                 : hy_fail_memory(err, s->o->output, 1, 1);
	hy_free(path);
	return status;
}

/* All that a scan's prediction writes, or removes when it fails. */
static hardy_status check_maps(const session *s, const hy_job *job, hardy_error *err)
{
	hardy_status status = check_map(s, job, MAP_LABEL, 0, err);
	if (!status && s->o->bids)
		status = check_sidecar(s, job, err);
	if (!status && s->o->uncertainty)
		status = check_map(s, job, MAP_ENTROPY, 0, err);
	for (int c = 0; s->o->probabilities && c < s->ensemble.models[0].n_classes && !status; c++)
		status = check_map(s, job, MAP_PROBABILITY, c, err);
	return status;
}

enum { OUTPUT_SIZE = HARDY_CASE_SIZE + 8 };

/* As it stands in the table. */
static void output_name(const session *s, const hy_job *job, char name[OUTPUT_SIZE])
{
	snprintf(name, OUTPUT_SIZE, s->ending ? "%.*s" : "%.*s.nii.gz", HARDY_CASE_SIZE,
	         s->ending ? hy_path_name(s->o->output) : job->name);
}

static int by_text(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static hardy_status list_outputs(session *s, hardy_error *err)
{
	char name[OUTPUT_SIZE], lost[HARDY_CASE_SIZE];
	const size_t n = s->jobs.n + s->jobs.n_lost;
	s->outputs = hy_alloc(n + 1, sizeof *s->outputs);
	if (!s->outputs)
		return hy_fail_memory(err, "scans", n, sizeof *s->outputs);
	for (size_t i = 0; i < n; i++) {
		const hy_job job = i < s->jobs.n ? s->jobs.items[i] : lost_job(s, i - s->jobs.n, lost);
		output_name(s, &job, name);
		if (!(s->outputs[i] = hy_strdup(name)))
			return hy_fail_memory(err, name, sizeof name, 1);
		s->n_outputs++;
	}
	qsort(s->outputs, n, sizeof *s->outputs, by_text);
	return HARDY_OK;
}

static int by_output(const void *a, const void *b)
{
	return strcmp(((const hy_quality_line *)a)->output, ((const hy_quality_line *)b)->output);
}

/* Whether a row of an earlier run and the label map that it is about are there. */
static bool is_there(const session *s, const hy_job *job, const hy_quality_line *lines, size_t n)
{
	char name[OUTPUT_SIZE];
	hy_quality_line key = {.frame = 0};
	output_name(s, job, name);
	if (strlen(name) >= sizeof key.output || !lines)
		return false;
	memcpy(key.output, name, strlen(name) + 1);
	if (!bsearch(&key, lines, n, sizeof *lines, by_output))
		return false;
	char *path = output_path(s, job, MAP_LABEL, 0);
	const bool there = path && hy_path_exists(path);
	hy_free(path);
	return there;
}

/* Leaves out what others do, and what is there. */
static hardy_status choose_scans(session *s, hardy_error *err)
{
	hy_jobs *jobs = &s->jobs;
	hy_quality_line *lines = NULL;
	size_t n_lines = 0, n = 0, n_lost = 0, n_there = 0;
	const size_t n_all = jobs->n;
	if (s->o->missing && hy_path_exists(s->table)) {
		const hardy_status status = hy_quality_read(s->table, &lines, &n_lines, err);
		if (status)
			return status;
		qsort(lines, n_lines, sizeof *lines, by_output);
	}
	for (size_t i = 0; i < jobs->n; i++) {
		if (!hy_share_has(&s->part, i)) {
			hy_job_clear(&jobs->items[i]);
			continue;
		}
		const bool there = is_there(s, &jobs->items[i], lines, n_lines);
		n_there += there;
		if (there)
			hy_job_clear(&jobs->items[i]);
		else
			jobs->items[n++] = jobs->items[i];
	}
	for (size_t i = 0; i < jobs->n_lost; i++)
		if (hy_share_has(&s->part, n_all + i))
			jobs->lost[n_lost++] = jobs->lost[i];
	hy_free(lines);
	jobs->n = n;
	jobs->n_lost = n_lost;
	if (s->o->part)
		hy_info(s->log, "part %lld of %lld: %zu of %s", (long long)s->part.number, (long long)s->part.of, n + n_there,
		        HY_COUNT(n_all, "scan"));
	if (n_there)
		hy_info(s->log, "%s %s label map and row already", HY_COUNT(n_there, "scan"), HY_HAS(n_there));
	return HARDY_OK;
}

/* No scan, no label, and nothing that hardy predict did not write is ever replaced; known before any scan is read. */
static hardy_status check_outputs(session *s, hardy_error *err)
{
	hardy_status status = place_output(s, err);
	if (!status && (s->o->part || s->o->missing))
		status = choose_scans(s, err);
	if (!status)
		status = list_outputs(s, err);
	if (status || (s->folder[0] && is_absent(s->folder))) /* nothing in it can be replaced */
		return status;
	status = hy_places_make(&s->places, &s->jobs, err);
	for (size_t i = 0; i < s->jobs.n && !status; i++)
		status = check_maps(s, &s->jobs.items[i], err);
	for (size_t i = 0; i < s->jobs.n_lost && !status; i++) {
		char name[HARDY_CASE_SIZE];
		const hy_job job = lost_job(s, i, name);
		status = check_maps(s, &job, err);
	}
	return status;
}

/* ---- one scan ----------------------------------------------------------------------------------------------------------- */

/* What is kept of a scan's frames until all are done. */
typedef struct scan {
	hy_volume image;
	int64_t n_frames, n; /* voxels a frame */
	uint8_t *label;      /* owned: frames x voxels, class indices */
	float *entropy;      /* owned: frames x voxels, or NULL */
	float *maps;         /* owned: classes x frames x voxels, or NULL */
	hy_prediction *rows; /* owned: the measures of each frame, without arrays */
} scan;

static void scan_clear(scan *x)
{
	hy_volume_clear(&x->image);
	hy_free(x->label);
	hy_free(x->entropy);
	hy_free(x->maps);
	hy_free(x->rows);
	*x = (scan){0};
}

/* A loose file is read with all its frames; where they are channels, or one of many is meant, the case says so. */
static hardy_status read_scan(const session *s, const hy_job *job, scan *x, hardy_error *err)
{
	const hy_dataset *d = &s->jobs.sets[job->set];
	const hy_case *c = &d->cases[job->index];
	const bool loose = job->set == 0, cine = loose && d->n_channels == 1;
	hardy_status status;
	if (cine) {
		hy_nifti_options n;
		hy_nifti_options_init(&n);
		memcpy(n.spacing_mm, s->dataset.spacing_mm, sizeof n.spacing_mm);
		status = hy_nifti_read(c->image_path[0], &n, &x->image, s->log, err);
	} else {
		status = hy_case_load(d, job->index, &s->dataset, &x->image, NULL, s->log, err);
	}
	if (status)
		return status;
	x->n_frames = cine ? x->image.nt : 1;
	x->n = hy_grid_voxels(&x->image.grid);
	const size_t size = (size_t)(x->n_frames * x->n);
	const int n_classes = s->ensemble.models[0].n_classes;
	x->label = hy_alloc(size, 1);
	x->entropy = s->o->uncertainty ? hy_alloc(size, sizeof *x->entropy) : NULL;
	x->maps = s->o->probabilities ? hy_alloc(size, (size_t)n_classes * sizeof *x->maps) : NULL;
	x->rows = hy_calloc((size_t)x->n_frames, sizeof *x->rows);
	if (!x->label || !x->rows || (s->o->uncertainty && !x->entropy) || (s->o->probabilities && !x->maps))
		return hy_fail_memory(err, c->image_path[0], size, 1 + (size_t)n_classes * sizeof(float));
	return HARDY_OK;
}

static void warn_of_unvalued(const session *s, hy_prediction *p)
{
	for (int c = 1; c < s->ensemble.models[0].n_classes; c++) {
		const size_t used = strlen(p->warnings);
		if (!s->unvalued[c] || !p->n_voxels[c])
			continue;
		snprintf(p->warnings + used, sizeof p->warnings - used,
		         "%s%s of %s written as 0: the training data has no value for it", used ? "; " : "",
		         HY_COUNT(p->n_voxels[c], "voxel"), s->ensemble.models[0].classes[c].name);
		p->n_warnings++;
	}
}

/* Where it is below the threshold; without a calibrated model there is none. */
static void warn_of_dice(const session *s, hy_prediction *p)
{
	if (!(p->predicted_dice < s->o->warn_dice))
		return;
	const size_t used = strlen(p->warnings);
	snprintf(p->warnings + used, sizeof p->warnings - used, "%spredicted Dice is %.2f: check the label map", used ? "; " : "",
	         p->predicted_dice);
	p->n_warnings++;
}

static hardy_status predict_frame(session *s, scan *x, int64_t t, hardy_error *err)
{
	hy_volume frame = x->image; /* a view */
	hy_prediction p;
	if (x->n_frames > 1 || x->image.nt == 1) {
		frame.data += t * x->n;
		frame.nt = 1;
	}
	const hardy_status status = hy_predictor_run(s->ensemble.predictor, &frame, &p, err);
	if (status)
		return status;
	memcpy(x->label + t * x->n, p.label.data, (size_t)x->n);
	if (x->entropy)
		memcpy(x->entropy + t * x->n, p.entropy, (size_t)x->n * sizeof *x->entropy);
	for (int64_t c = 0; x->maps && c < s->ensemble.models[0].n_classes; c++)
		memcpy(x->maps + (c * x->n_frames + t) * x->n, p.probabilities + c * x->n, (size_t)x->n * sizeof *x->maps);
	warn_of_dice(s, &p);
	warn_of_unvalued(s, &p);
	x->rows[t] = p;
	x->rows[t].label.data = x->rows[t].other.data = NULL;
	x->rows[t].entropy = x->rows[t].probabilities = NULL;
	hy_prediction_clear(&p);
	return HARDY_OK;
}

/* One map of a scan; a map once written is listed, so that it can be taken back. */
static hardy_status write_map(const session *s, const hy_job *job, const scan *x, enum map map, int class, char **written,
                              hardy_error *err)
{
	char *path = output_path(s, job, map, class);
	hardy_status status;
	if (!path)
		return hy_fail_memory(err, s->o->output, 1, 1);
	status = s->o->bids ? make_parent(path, err) : HARDY_OK;
	if (status)
		;
	else if (map == MAP_LABEL)
		status = hy_nifti_write_values(path, &x->image, x->label, s->value, x->n_frames, &s->origin, err);
	else if (map == MAP_ENTROPY)
		status = hy_nifti_write_float(path, &x->image, x->entropy, x->n_frames, &s->origin, err);
	else
		status = hy_nifti_write_float(path, &x->image, x->maps + class * x->n_frames * x->n, x->n_frames, &s->origin, err);
	if (status)
		hy_free(path);
	else
		*written = path;
	return status;
}

static hardy_status write_sidecar(const session *s, const hy_job *job, char **written, hardy_error *err)
{
	char *path = sidecar_path(s, job);
	hardy_status status = path ? make_parent(path, err) : hy_fail_memory(err, s->o->output, 1, 1);
	if (!status)
		status = hy_bids_write_sidecar(path, hy_job_scan(&s->jobs, job), &s->legend, s->described, s->o->overwrite, err);
	if (status)
		hy_free(path);
	else
		*written = path;
	return status;
}

/* The label map comes last: where it is, the others are. */
static hardy_status write_scan(const session *s, const hy_job *job, const scan *x, hardy_error *err)
{
	char *written[HY_MAX_CLASSES + 3] = {0};
	int n = 0;
	hardy_status status = HARDY_OK;
	for (int c = 0; x->maps && c < s->ensemble.models[0].n_classes && !status; c++)
		status = write_map(s, job, x, MAP_PROBABILITY, c, &written[n++], err);
	if (x->entropy && !status)
		status = write_map(s, job, x, MAP_ENTROPY, 0, &written[n++], err);
	if (!status && s->o->bids)
		status = write_sidecar(s, job, &written[n++], err);
	if (!status)
		status = write_map(s, job, x, MAP_LABEL, 0, &written[n++], err);
	for (int i = 0; i < n; i++) {
		if (status && written[i])
			remove(written[i]);
		hy_free(written[i]);
	}
	return status;
}

/* A map of an earlier run under a failed scan's name would be taken for this run's. */
static void remove_old_map(const session *s, const hy_job *job, enum map map, int class)
{
	char *path = output_path(s, job, map, class);
	if (path && hy_path_exists(path) && !remove(path))
		hy_warn(s->log, "%s: removed: it was of an earlier run", path);
	hy_free(path);
}

static void remove_old_maps(const session *s, const hy_job *job)
{
	if (s->made_folder)
		return;
	char *sidecar = s->o->bids ? sidecar_path(s, job) : NULL;
	if (sidecar)
		remove(sidecar);
	hy_free(sidecar);
	remove_old_map(s, job, MAP_LABEL, 0);
	if (s->o->uncertainty)
		remove_old_map(s, job, MAP_ENTROPY, 0);
	for (int c = 0; s->o->probabilities && c < s->ensemble.models[0].n_classes; c++)
		remove_old_map(s, job, MAP_PROBABILITY, c);
}

static void note_failure(session *s, const char *scan_path, const hardy_error *err)
{
	hardy_error said = *err;
	hy_jobs_say(&s->jobs, said.message, sizeof said.message);
	if (!s->n_failed++)
		s->first = said;
	hy_rows_fail(&s->rows, scan_path, said.message);
	if (s->jobs.n + s->jobs.n_lost > 1)
		hy_warn(s->log, "failed: %s", said.message);
}

/* A data set says whose scan it is and which phase; else the name of a file may, as the loader of data sets would read it. */
static hy_row *add_row(session *s, const hy_job *job, const char *scan_path, const char *output, int64_t frame,
                       const hy_prediction *p)
{
	char subject[HY_NAME_SIZE] = "", phase[16] = "";
	const bool known = frame < 0 && hy_job_phase(&s->jobs, job, subject, phase);
	hy_row *row = hy_rows_add(&s->rows, scan_path, output, frame, known ? subject : "", p, s->ensemble.models[0].n_classes);
	if (!row || !known)
		return row;
	row->group = job->set;
	if (!strcmp(phase, "ED") || !strcmp(phase, "ES"))
		memcpy(row->heart.phase, phase, 3);
	return row;
}

/* The rows of a scan, before anything of it is written: what lies in the folder stands in the table. */
static hardy_status keep_rows(session *s, const hy_job *job, const char *scan_path, const scan *x, hardy_error *err)
{
	char name[OUTPUT_SIZE];
	double first_ms = 0, step_ms = 0;
	const bool timed = x->n_frames > 1 && hy_nifti_times(&x->image, &first_ms, &step_ms);
	output_name(s, job, name);
	for (int64_t t = 0; t < x->n_frames; t++) {
		hy_row *row = add_row(s, job, scan_path, name, x->n_frames > 1 ? t : -1, &x->rows[t]);
		if (!row)
			return hy_fail_memory(err, "rows of the quality table", s->rows.n + 1, sizeof *row);
		if (timed)
			row->heart.time_ms = first_ms + (double)t * step_ms;
	}
	return HARDY_OK;
}

static void tell_warnings(session *s, const char *scan_path, const scan *x)
{
	for (int64_t t = 0; t < x->n_frames; t++) {
		const hy_prediction *p = &x->rows[t];
		if (!p->n_warnings)
			continue;
		s->n_warned++;
		if (x->n_frames > 1)
			hy_warn(s->log, "%s: frame %lld: %s", scan_path, (long long)t, p->warnings);
		else
			hy_warn(s->log, "%s: %s", scan_path, p->warnings);
	}
}

static void predict_scan(session *s, const hy_job *job)
{
	const char *path = hy_job_scan(&s->jobs, job);
	hardy_error err = {0};
	scan x = {0};
	hardy_status status = read_scan(s, job, &x, &err);
	for (int64_t t = 0; t < x.n_frames && !status; t++) {
		if (t && hy_stop_asked(s->o->stop)) {
			s->stopped = true;
			scan_clear(&x);
			return;
		}
		status = predict_frame(s, &x, t, &err);
		if (status && x.n_frames > 1)
			status = hy_prefix(&err, status, "%s: frame %lld", path, (long long)t);
		else if (status)
			status = hy_prefix(&err, status, "%s", path);
	}
	const size_t n_rows = s->rows.n;
	if (!status)
		status = keep_rows(s, job, path, &x, &err);
	if (!status)
		status = write_scan(s, job, &x, &err);
	if (status) {
		hy_rows_cut(&s->rows, n_rows);
		note_failure(s, path, &err);
		remove_old_maps(s, job);
	} else {
		tell_warnings(s, path, &x);
		s->n_done++;
	}
	scan_clear(&x);
}

/* ---- all scans ---------------------------------------------------------------------------------------------------------- */

/* Whether this run has a row of its own for what an earlier row is about. */
static bool is_ours(void *payload, const char *scan_path, const char *output)
{
	const session *s = payload;
	const bool part_way = s->stopped || s->so_far;
	for (size_t i = 0; i < s->rows.n && part_way; i++) /* of the others the earlier maps are still there */
		if (!strcmp(output, s->rows.items[i].output) && (*output || !strcmp(scan_path, s->rows.items[i].scan)))
			return true;
	if (part_way)
		return false;
	if (output[0])
		return bsearch(&output, s->outputs, s->n_outputs, sizeof *s->outputs, by_text);
	for (size_t i = 0; i < s->jobs.n; i++)
		if (!strcmp(scan_path, hy_job_scan(&s->jobs, &s->jobs.items[i])))
			return true;
	for (size_t i = 0; i < s->jobs.n_lost; i++)
		if (!strcmp(scan_path, s->jobs.lost[i].name))
			return true;
	return false;
}

/* This run's rows, then those of label maps that earlier runs left in the folder; one program at a time. */
static hardy_status finish_table(session *s, hardy_error *err)
{
	const hy_model *m = &s->ensemble.models[0];
	hy_lock lock;
	if (s->rows.failed)
		return hy_fail_memory(err, "rows of the quality table", s->rows.n, sizeof *s->rows.items);
	hy_rows_find_hearts(&s->rows, m->classes, m->n_classes);
	hy_rows_write(&s->rows, &s->quality, m->classes, m->n_classes);
	hardy_status status = hy_lock_take(&lock, s->lock, true, s->table, s->log, err);
	if (!status)
		status = hy_quality_keep(&s->quality, s->table, s->folder, m->classes, m->n_classes, is_ours, s, err);
	if (!status)
		status = hy_outfile_commit(&s->quality, err);
	hy_lock_drop(&lock);
	return status;
}

/* Of work that may be cut short and go on: the table as it is now. */
static hardy_status write_table_so_far(session *s, hardy_error *err)
{
	s->so_far = true;
	hardy_status status = finish_table(s, err);
	s->so_far = false;
	if (!status)
		status = hy_outfile_open(&s->quality, s->table, table_mark(s), err);
	if (!status)
		hy_quality_header(&s->quality, s->ensemble.models[0].classes, s->ensemble.models[0].n_classes);
	s->written_s = hy_clock_s();
	return status;
}

static hardy_status predict_all(session *s, hardy_error *err)
{
	const double start = s->written_s = hy_clock_s();
	for (size_t i = 0; i < s->jobs.n_lost; i++) {
		hardy_error e = {0};
		hy_fail(&e, HARDY_ERROR_DATA, "%s", s->jobs.lost[i].text);
		note_failure(s, s->jobs.lost[i].name, &e);
		char name[HARDY_CASE_SIZE];
		const hy_job job = lost_job(s, i, name);
		remove_old_maps(s, &job);
	}
	for (size_t i = 0; i < s->jobs.n && !s->stopped; i++) {
		if (hy_stop_asked(s->o->stop)) {
			s->stopped = true;
			break;
		}
		hy_jobs_tell_progress(&s->jobs, i, start, "scan", s->log);
		predict_scan(s, &s->jobs.items[i]);
		if ((s->o->part || s->o->missing) && hy_clock_s() - s->written_s >= s->o->table_every_s) {
			const hardy_status status = write_table_so_far(s, err);
			if (status)
				return status;
		}
	}
	const size_t n = s->jobs.n + s->jobs.n_lost;
	s->made_legend = s->made_legend && !s->n_done; /* else it stays, whatever comes */
	if (s->n_done)
		hy_info(s->log, "%zu of %s predicted into %s in %.1f s", s->n_done, HY_COUNT(n, "scan"), s->o->output,
		        hy_clock_s() - start);
	return HARDY_OK;
}

static hardy_status conclude(session *s, hardy_error *err)
{
	const size_t n = s->jobs.n + s->jobs.n_lost;
	if (s->stopped && !s->n_done)
		return hy_fail(err, HARDY_ERROR_INTERRUPTED, "interrupted before a scan was done: nothing was written");
	if (s->n_failed == n && n == 1)
		return hy_fail(err, s->first.status, "%s", s->first.message);
	if (s->n_failed == n)
		return hy_fail(err, s->first.status, "all %zu scans failed; the first: %s", n, s->first.message);
	const hardy_status status = finish_table(s, err);
	if (status)
		return status;
	if (s->stopped)
		return hy_fail(err, HARDY_ERROR_INTERRUPTED, "interrupted: %zu of %s %s done and in the quality table", s->n_done,
		               HY_COUNT(n, "scan"), HY_IS(s->n_done));
	if (s->n_failed)
		return hy_fail(err, HARDY_ERROR_PARTIAL, "%zu of %s failed; the first: %s", s->n_failed, HY_COUNT(n, "scan"),
		               s->first.message);
	if (s->o->strict && s->n_warned)
		return hy_fail(err, HARDY_ERROR_THRESHOLD, "%s of the quality table %s warnings", HY_COUNT(s->n_warned, "row"),
		               HY_HAS(s->n_warned));
	return HARDY_OK;
}

/* Lines name scans as their user does, not the files that were made of them. */
static void say(void *payload, hardy_log_level level, const char *line)
{
	const session *s = payload;
	char text[2048];
	snprintf(text, sizeof text, "%s", line);
	hy_jobs_say(&s->jobs, text, sizeof text);
	hy_log(s->own_log, level, "%s", text);
}

static hardy_status run(session *s, hardy_error *err)
{
	size_t n_rest = 0;
	const char **rest = hy_alloc(s->o->n_inputs, sizeof *rest);
	if (!rest)
		return hy_fail_memory(err, "arguments", s->o->n_inputs, sizeof *rest);
	hardy_status status = hy_ensemble_take(&s->ensemble, s->o->inputs, s->o->n_inputs, rest, &n_rest, err);
	if (!status && !n_rest)
		status = hy_fail(err, HARDY_ERROR_ARGUMENT, "no scan is named");
	for (size_t i = 0; i < s->ensemble.n && s->o->bids && !status; i++)
		status = hy_bids_add_model(s->described, &s->ensemble.models[i], s->ensemble.paths[i], err);
	if (!status)
		status = make_predictor(s, err);
	if (!status) {
		const hy_jobs_options o = {.n_channels = s->ensemble.models[0].n_channels,
		                           .dataset = s->dataset,
		                           .subjects = s->o->subjects,
		                           .split = s->o->split,
		                           .splits = s->o->splits,
		                           .fold = s->o->fold,
		                           .scratch = s->o->scratch,
		                           .bids = s->o->bids,
		                           .stop = s->o->stop};
		map_values(s);
		choose_words(s);
		status = make_legend(s, err);
		if (!status)
			status = hy_jobs_collect(&s->jobs, rest, n_rest, &o, s->log, err);
		if (!status && s->jobs.n_converted)
			s->log = &s->saying;
		if (!status)
			hy_jobs_warn_trained_on(&s->jobs, s->legend.training, "their label maps say nothing about how good others will be",
			                        s->log);
	}
	hy_free(rest);
	if (!status && s->ending && (s->o->part || s->o->missing))
		status = hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: parts of many scans, or those that are missing, want a folder",
		                 s->o->output);
	if (!status && s->ending && s->o->bids)
		status = hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: a data set of BIDS is a folder; name one", s->o->output);
	if (!status && s->ending && s->jobs.n > 1)
		status = hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: one file for %zu scans; name a folder", s->o->output, s->jobs.n);
	if (!status)
		status = check_outputs(s, err);
	if (!status && !(s->jobs.n + s->jobs.n_lost)) { /* others have this part's, or all are there */
		hy_info(s->log, "no scan is left to predict");
		return HARDY_OK;
	}
	if (!status)
		status = open_output(s, err);
	if (!status)
		status = predict_all(s, err);
	return status ? status : conclude(s, err);
}

hardy_status hardy_predict(const hardy_predict_options *o, const hardy_log *log, hardy_error *err)
{
	hardy_error own = {0};
	session s = {.o = o, .log = log, .own_log = log};
	s.saying = (hardy_log){say, &s};
	err = err ? err : &own;
	hardy_status status = check_options(o, err);
	if (!status)
		status = hy_share_read(o->part, &s.part, err);
	if (status)
		return status;
	s.dataset.labels = o->labels;
	memcpy(s.dataset.spacing_mm, o->spacing_mm, sizeof s.dataset.spacing_mm);
	s.origin = (hy_origin){HY_MAKER_PREDICT, o->overwrite};
	status = hy_places_ending(o->output, &s.ending, err);
	if (status)
		return status;
	if (o->bids && !(s.described = cJSON_CreateArray()))
		return hy_fail_memory(err, "a description of the models", 1, 1);
	const int threads = hy_threads_set(o->threads);
	status = run(&s, err);
	hy_threads_set(threads);
	hy_outfile_discard(&s.quality);
	hy_places_clear(&s.places);
	for (size_t i = 0; i < s.n_outputs; i++)
		hy_free(s.outputs[i]);
	hy_free(s.outputs);
	hy_free(s.table);
	hy_free(s.lock);
	if (status && s.folder)
		remove_folders(&s);
	hy_free(s.folder);
	hy_free(s.stem);
	hy_legend_clear(&s.legend);
	cJSON_Delete(s.described);
	hy_rows_clear(&s.rows);
	hy_jobs_clear(&s.jobs);
	hy_ensemble_clear(&s.ensemble);
	return status;
}
