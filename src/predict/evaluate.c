/*
 * evaluate.c: scores predictions against a reference: loads pairs, scores every class, sums up. Scores may be kept (kept.h), by parts.
 */
#include "base/files.h"
#include "base/machine.h"
#include "base/memory.h"
#include "base/option.h"
#include "base/text.h"
#include "image/geometry.h"
#include "image/nifti.h"
#include "metric/clinical.h"
#include "metric/score.h"
#include "metric/statistics.h"
#include "predict/forecast.h"
#include "predict/jobs.h"
#include "predict/kept.h"
#include "predict/legend.h"
#include "predict/pairing.h"
#include "predict/quality.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#ifdef _OPENMP
#include <omp.h>
#endif

/* Why a pair has no scores. */
typedef struct failure {
	hardy_status status;
	char *message; /* owned; NULL where memory ran out */
} failure;

typedef struct evaluator {
	const hardy_evaluate_options *o;
	const hardy_log *log;
	hy_dataset_options data_options;
	hy_score_options score_options;
	hy_pairing pairing;
	hy_legend legend;            /* of the predictions */
	bool legendary;              /* it says what their values mean */
	int classes[HY_MAX_CLASSES]; /* indices of the classes that are scored */
	size_t n_classes;
	hy_kept_score *scores; /* owned, pairs by classes */
	failure *failures;     /* owned, one a pair; status OK when scored */
	int64_t *crossed;      /* owned: voxels by class of the prediction (rows) and of the reference */
	hy_share part;         /* of the pairs */
	hy_kept kept;          /* with o->keep; else empty */
	size_t n_kept, n_done; /* pairs whose scores were kept before; these and those that were tried */
	bool stopped;
	char (*class_names)[HY_NAME_SIZE]; /* owned: of the classes that are scored */
} evaluator;

#define AT(member) offsetof(hardy_evaluate_options, member)

static const hardy_option option_rows[] = {
    HY_OPTION_ARGUMENT(hardy_evaluate_options, prediction, "PREDICTION", "A label map, or a folder of them."),
    HY_OPTION_ARGUMENT(hardy_evaluate_options, reference, "REFERENCE", "The same, or a labelled data set."),
    {"labels", HARDY_OPTION_TEXT, AT(labels), "NAME=V,...", "What the reference's values mean, e.g. lv=3,myo=2,rv=1.",
     .use = 0},
    {"own_labels", HARDY_OPTION_SWITCH, AT(own_labels), NULL,
     "Predictions hold the reference's own values, whatever the labels.json beside them says.", .use = 0},
    {"class_numbers", HARDY_OPTION_SWITCH, AT(class_numbers), NULL,
     "Predictions hold the numbers of the classes (hearts: LV 1, MYO 2, RV 3).", .use = 0},
    {"with_training", HARDY_OPTION_SWITCH, AT(with_training), NULL,
     "Score also subjects that the predicting model was trained on.", .use = 0},
    {"classes", HARDY_OPTION_TEXT, AT(classes), "NAME,...", "Score these classes only.", .use = 0},
    HY_OPTION_SPACING(hardy_evaluate_options),
    {"tolerance_mm", HARDY_OPTION_REAL, AT(tolerance_mm), "MM", "Tolerance of NSD.", .usual = "2", .low = 0, .high = 1e6,
     .word = "tolerance"},
    {"empty", HARDY_OPTION_CHOICE, AT(empty), "RULE", "Dice and NSD where prediction and reference both lack a class.",
     .usual = "undefined", .choices = "undefined|one|zero"},
    {"labelled_slices", HARDY_OPTION_SWITCH, AT(labelled_slices), NULL,
     "Score only slices in which the reference has a label; Dice over all of them, distances in each one's plane, averaged.",
     .use = 0},
    {"hd95_directed", HARDY_OPTION_SWITCH, AT(hd95_directed), "FORM",
     "Percentile of both directions pooled (MedPy), or the larger of both (MONAI).", .usual = "pooled",
     .choices = "pooled|directed", .word = "hd95"},
    {"assd_directed", HARDY_OPTION_SWITCH, AT(assd_directed), "FORM",
     "Mean of both directions pooled (MedPy 0.5), or the mean of both means.", .usual = "pooled", .choices = "pooled|directed",
     .word = "assd"},
    {"nsd_surfels", HARDY_OPTION_SWITCH, AT(nsd_surfels), "FORM",
     "Surface voxels counted, or surface elements weighted by area.", .usual = "voxels", .choices = "voxels|surfels",
     .word = "nsd"},
    {"allow_missing", HARDY_OPTION_SWITCH, AT(allow_missing), NULL, "A case without its counterpart is listed, but no failure.",
     .use = 0},
    {"strict", HARDY_OPTION_SWITCH, AT(strict), NULL, "A case that cannot be used or scored fails everything.", .use = 0},
    {"quality", HARDY_OPTION_TEXT, AT(quality), "FILE",
     "Quality table of the predictions: tell how well its predicted Dice agrees with the true one.", .use = 0},
    {"threshold_dice", HARDY_OPTION_REAL, AT(threshold_dice), "X", "Exit with 4 when the mean Dice is below.", .usual = "nan",
     .low = 0, .high = 1},
    {"keep", HARDY_OPTION_TEXT, AT(keep), "FOLDER",
     "Keep the scores of cases there, and take those that are kept there already: go on with work that was cut short.",
     .use = 0},
    {"part", HARDY_OPTION_TEXT, AT(part), "K/N",
     "Score every N-th case from the K-th on, beside jobs that do the others; no table. Later, without it, one of all.",
     .use = 0},
    {"keep_every_s", HARDY_OPTION_TIME, AT(keep_every_s), "TIME", "Time after which scores are kept meanwhile.", .usual = "30s",
     .low = 0, .high = 1e9, .word = "keep-every"},
};

const hardy_options hy_evaluate_table = {"evaluate", HY_TABLE_ROWS(option_rows), sizeof(hardy_evaluate_options), NULL};

void hardy_evaluate_options_init(hardy_evaluate_options *o)
{
	hardy_options_default(&hy_evaluate_table, o);
}

const char *hardy_heart_index_name(hardy_heart_index index)
{
	static const char *const names[HARDY_N_HEART_INDICES] = {"lv_edv_ml", "lv_esv_ml", "lv_sv_ml", "lv_ef_percent", "lv_mass_g",
	                                                         "rv_edv_ml", "rv_esv_ml", "rv_sv_ml", "rv_ef_percent"};
	return (unsigned)index < HARDY_N_HEART_INDICES ? names[index] : NULL;
}

/* ---- options ------------------------------------------------------------------------------------------------------------ */

static hardy_status check_options(const hardy_evaluate_options *o, hardy_error *err)
{
	if (!o->prediction || !o->reference)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "evaluate: prediction and reference must be named");
	if (o->own_labels && o->class_numbers)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "evaluate: own labels and class numbers exclude each other");
	if (o->part && !o->keep)
		return hy_fail(err, HARDY_ERROR_ARGUMENT,
		               "evaluate: a part of the cases is asked for, but no folder to keep scores in");
	if (o->part && (o->quality || !isnan(o->threshold_dice)))
		return hy_fail(err, HARDY_ERROR_ARGUMENT,
		               "evaluate: a part of the cases has no %s; ask for it when all parts are done, without a part",
		               o->quality ? "judgement of the quality table" : "threshold of Dice");
	return hardy_options_check(&hy_evaluate_table, o, err);
}

/* The index of the class called name[0..n-1], 0 when there is none. */
static int find_class(const hy_dataset *d, const char *name, size_t n)
{
	for (int c = 1; c < d->n_classes; c++)
		if (strlen(d->classes[c].name) == n && strncasecmp(d->classes[c].name, name, n) == 0)
			return c;
	return 0;
}

static hardy_status choose_classes(evaluator *e, hardy_error *err)
{
	const hy_dataset *d = &e->pairing.data;
	bool wanted[HY_MAX_CLASSES] = {false};
	char known[1024] = "";
	for (int c = 1; c < d->n_classes; c++) {
		size_t used = strlen(known);
		wanted[c] = !e->o->classes && d->classes[c].present;
		if (d->classes[c].present)
			snprintf(known + used, sizeof(known) - used, "%s%s", used ? ", " : "", d->classes[c].name);
	}
	for (const char *at = e->o->classes; at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL) {
		size_t n = strcspn(at, ",");
		int c = find_class(d, at, n);
		if (c == 0 || !d->classes[c].present)
			return hy_fail(err, HARDY_ERROR_ARGUMENT, "classes: the reference has no class \"%.*s\"%s, want some of %s", (int)n,
			               at, hy_meant(at, n, known).text, known);
		wanted[c] = true;
	}
	for (int c = 1; c < d->n_classes; c++)
		if (wanted[c])
			e->classes[e->n_classes++] = c;
	return e->n_classes > 0 ? HARDY_OK
	                        : hy_fail(err, HARDY_ERROR_DATA, "%s: no class to score besides the background", e->o->reference);
}

/* ---- one pair ----------------------------------------------------------------------------------------------------------- */

/* What label values are: a data set's own, the numbers of its classes, or what a table beside them says, where the table is not NULL. */
typedef struct meaning {
	bool numbers;
	const hy_legend *legend;
} meaning;

/* The table of the predictions, NULL where there is none or it is not to be believed. */
static const hy_legend *believed(const evaluator *e)
{
	return e->legendary && !e->o->own_labels && !e->o->class_numbers ? &e->legend : NULL;
}

static meaning of_predictions(const evaluator *e)
{
	return (meaning){.numbers = e->o->class_numbers, .legend = e->pairing.unnamed ? NULL : believed(e)};
}

/* The reference's class of the same name; by its own values where it has none of that name. */
static uint8_t class_by_legend(const hy_dataset *d, const hy_legend *l, int value)
{
	for (int i = 1; i < l->n; i++) {
		if (l->classes[i].value != value)
			continue;
		const int c = find_class(d, l->classes[i].name, strlen(l->classes[i].name));
		if (c)
			return (uint8_t)c;
	}
	return hy_dataset_class(d, value);
}

static uint8_t class_of(const hy_dataset *d, meaning m, int value)
{
	if (m.numbers)
		return value < d->n_classes ? (uint8_t)value : HY_NO_CLASS;
	return m.legend && value ? class_by_legend(d, m.legend, value) : hy_dataset_class(d, value);
}

static void list_values(const hy_dataset *d, meaning m, char *text, size_t size)
{
	snprintf(text, size, "0");
	for (int c = 1; c < d->n_classes; c++) {
		size_t used = strlen(text);
		if (m.numbers || d->classes[c].present)
			snprintf(text + used, size - used, ", %d (%.40s)", m.numbers ? c : d->classes[c].value, d->classes[c].name);
	}
	const size_t used = strlen(text);
	if (m.legend)
		snprintf(text + used, size - used, ", or what the labels.json beside it says");
}

/* Replaces indices into values by class indices. */
static hardy_status map_values(const char *path, const hy_dataset *d, meaning m, const hy_label_values *values, hy_labels *l,
                               hardy_error *err)
{
	uint8_t class[256] = {0};
	char wanted[512];
	for (int i = 0; i < values->n; i++) {
		const int v = values->value[i];
		class[i] = class_of(d, m, v);
		if (!values->count[i] || class[i] != HY_NO_CLASS)
			continue;
		list_values(d, m, wanted, sizeof wanted);
		return hy_fail(err, HARDY_ERROR_DATA, "%s: unknown label value %d (%s), want %s%s", path, v,
		               HY_COUNT(values->count[i], "voxel"), wanted,
		               m.numbers && hy_dataset_class(d, v) != HY_NO_CLASS
		                   ? "; it is one of the reference's own values: leave class numbers out"
		                   : "");
	}
	int64_t n = hy_grid_voxels(&l->grid);
	for (int64_t i = 0; i < n; i++)
		l->data[i] = class[l->data[i]];
	return HARDY_OK;
}

static hardy_status load_reference(const evaluator *e, const hy_pair *pair, hy_labels *out, const hardy_log *log,
                                   hardy_error *err)
{
	const hy_dataset *d = &e->pairing.data;
	if (!pair->reference) {
		hy_volume image = {0};
		hardy_status status = hy_case_load(d, pair->case_index, &e->data_options, &image, out, log, err);
		hy_volume_clear(&image);
		return status;
	}
	hy_nifti_options o;
	hy_labels l = {0};
	hy_label_values values;
	hy_nifti_options_init(&o);
	memcpy(o.spacing_mm, e->o->spacing_mm, sizeof(o.spacing_mm));
	hardy_status status = hy_nifti_read_values(pair->reference, &o, &l, &values, log, err);
	if (status != HARDY_OK)
		return status;
	status = map_values(pair->reference, d, (meaning){false, NULL}, &values, &l, err);
	if (status == HARDY_OK)
		*out = l;
	else
		hy_labels_clear(&l);
	return status;
}

static hardy_status load_prediction(const evaluator *e, const hy_pair *pair, hy_labels *out, const hardy_log *log,
                                    hardy_error *err)
{
	const hy_dataset *d = &e->pairing.data;
	hy_nifti_options o;
	hy_labels l = {0};
	hy_label_values values;
	hy_nifti_options_init(&o);
	memcpy(o.spacing_mm, e->o->spacing_mm, sizeof(o.spacing_mm)); /* else it would lie elsewhere than the reference */
	o.frame = pair->frame;
	if (pair->frame >= 0) {
		hy_volume header = {0};
		o.header_only = true;
		o.frame = -1;
		hardy_status status = hy_nifti_read(pair->prediction, &o, &header, NULL, err);
		if (status != HARDY_OK)
			return status;
		int64_t nt = header.nt;
		hy_volume_clear(&header);
		o.header_only = false;
		o.frame = pair->frame;
		if (nt == 1)
			return hy_fail(err, HARDY_ERROR_DATA,
			               "%s: one frame, want all frames of the scan it is named after, or a file named %s", pair->prediction,
			               pair->name);
	}
	hardy_status status = hy_nifti_read_values(pair->prediction, &o, &l, &values, log, err);
	if (status != HARDY_OK)
		return status;
	status = map_values(pair->prediction, d, of_predictions(e), &values, &l, err);
	if (status == HARDY_OK)
		*out = l;
	else
		hy_labels_clear(&l);
	return status;
}

/* The prediction into the reference's order, and both with their slices along the third axis. */
static hardy_status bring_together(const hy_pair *pair, hy_labels *pred, hy_labels *ref, const hardy_log *log, hardy_error *err)
{
	char whose[HARDY_CASE_SIZE + 16];
	hy_order order;
	snprintf(whose, sizeof whose, "the reference %s", pair->name);
	hardy_status status = hy_fit_grid(pair->prediction, &pred->grid, whose, &ref->grid, &order, log, err);
	if (status == HARDY_OK)
		status = hy_labels_reorder(pred, &order, err);
	const hy_order stack = hy_order_stack(hy_stack_axis(&ref->grid));
	if (status == HARDY_OK)
		status = hy_labels_reorder(pred, &stack, err);
	if (status == HARDY_OK)
		status = hy_labels_reorder(ref, &stack, err);
	return status;
}

/* Moves the slices in which the reference has a label to the front of both maps; returns their number. */
static int64_t keep_labelled_slices(hy_labels *pred, hy_labels *ref)
{
	size_t size = (size_t)(ref->grid.nx * ref->grid.ny);
	int64_t n = 0;
	for (int64_t z = 0; z < ref->grid.nz; z++) {
		const uint8_t *from = ref->data + (size_t)z * size;
		bool any = false;
		for (size_t i = 0; i < size && !any; i++)
			any = from[i] != 0;
		if (!any)
			continue;
		if (n != z) {
			memcpy(ref->data + (size_t)n * size, from, size);
			memcpy(pred->data + (size_t)n * size, pred->data + (size_t)z * size, size);
		}
		n++;
	}
	return n;
}

static void fill_undefined(hy_kept_score *row)
{
	row->state = HARDY_ROW_NOT_LABELLED;
	for (int k = 0; k < HARDY_N_SCORES; k++)
		row->value[k] = NAN;
}

static hardy_status score_classes(const evaluator *e, hy_labels *pred, hy_labels *ref, hy_kept_score *scores, hardy_error *err)
{
	const hy_grid *g = &ref->grid;
	int64_t nz = e->o->labelled_slices ? keep_labelled_slices(pred, ref) : g->nz;
	hy_object_pair objects = {.pred = pred->data,
	                          .ref = ref->data,
	                          .n_dims = 3,
	                          .n = {nz, g->ny, g->nx},
	                          .spacing_mm = {g->spacing_mm[2], g->spacing_mm[1], g->spacing_mm[0]}};
	for (size_t k = 0; k < e->n_classes; k++) {
		hy_kept_score *row = &scores[k];
		row->n_slices = nz;
		objects.value = (uint8_t)e->classes[k];
		if (e->o->labelled_slices && !memchr(ref->data, objects.value, (size_t)(nz * g->ny * g->nx))) {
			fill_undefined(row);
			continue;
		}
		hardy_status status = hy_score_object(&objects, &e->score_options, row->value, &row->state, err);
		if (status != HARDY_OK)
			return status;
	}
	return HARDY_OK;
}

/* Voxels by class of the prediction (rows) and of the reference. */
static void count_crossed(const hy_labels *pred, const hy_labels *ref, int64_t *crossed)
{
	const int64_t n = hy_grid_voxels(&ref->grid);
	memset(crossed, 0, (size_t)HY_MAX_CLASSES * HY_MAX_CLASSES * sizeof *crossed);
	for (int64_t i = 0; i < n; i++)
		crossed[pred->data[i] * HY_MAX_CLASSES + ref->data[i]]++;
}

static hardy_status score_pair(const evaluator *e, const hy_pair *pair, hy_kept_score *scores, int64_t *crossed,
                               const hardy_log *log, hardy_error *err)
{
	hy_labels pred = {0}, ref = {0};
	if (!pair->prediction)
		return hy_fail(err, HARDY_ERROR_DATA, "%s: no prediction of this name in %s", pair->name, e->o->prediction);
	if (pair->problem)
		return hy_fail(err, HARDY_ERROR_DATA, "%s", pair->problem);
	hardy_status status = load_reference(e, pair, &ref, log, err);
	if (status == HARDY_OK)
		status = load_prediction(e, pair, &pred, log, err);
	if (status == HARDY_OK)
		status = bring_together(pair, &pred, &ref, log, err);
	if (status == HARDY_OK)
		count_crossed(&pred, &ref, crossed);
	if (status == HARDY_OK)
		status = score_classes(e, &pred, &ref, scores, err);
	hy_labels_clear(&pred);
	hy_labels_clear(&ref);
	return status;
}

/* A log that several threads may write to. */
static void emit_one_at_a_time(void *payload, hardy_log_level level, const char *line)
{
	const hardy_log *log = payload;
#pragma omp critical(hy_evaluate_log)
	log->emit(log->payload, level, line);
}

/* A stop is asked for by the thread that called. */
static bool asks_to_stop(const evaluator *e)
{
#ifdef _OPENMP
	if (omp_get_thread_num() != 0)
		return false;
#endif
	return hy_stop_asked(e->o->stop);
}

static void note_failure(evaluator *e, size_t i, const hardy_error *err)
{
	e->failures[i] = (failure){err->status, hy_strdup(err->message)};
}

static const char *message_of(const evaluator *e, size_t i)
{
	return e->failures[i].message ? e->failures[i].message : "out of memory";
}

/* Pair i was scored. One thread at a time; *status gets what fails. */
static void note_scored(evaluator *e, size_t i, const int64_t *crossed, hardy_status *status, hardy_error *err)
{
	for (int k = 0; k < HY_MAX_CLASSES * HY_MAX_CLASSES; k++)
		e->crossed[k] += crossed[k];
	if (*status || !e->o->keep || !e->kept.cases[i].stamp[0])
		return;
	*status = hy_kept_add(&e->kept, i, crossed, e->pairing.data.n_classes, err);
	if (!*status && hy_clock_s() - e->kept.written_s >= e->o->keep_every_s)
		*status = hy_kept_write(&e->kept, err);
}

static hardy_status score_pairs(evaluator *e, hardy_error *err)
{
	size_t n = e->pairing.n_pairs, n_done = e->n_kept;
	hardy_log shared = {emit_one_at_a_time, (void *)e->log};
	const hardy_log *log = e->log && e->log->emit ? &shared : NULL;
	hardy_status status = HARDY_OK;
	bool stopped = false;
#pragma omp parallel for schedule(dynamic)
	for (size_t i = 0; i < n; i++) {
		int64_t crossed[HY_MAX_CLASSES * HY_MAX_CLASSES];
		hardy_error failed = {0};
		size_t done;
		bool over;
		if (e->o->keep && e->kept.cases[i].done)
			continue;
		if (asks_to_stop(e)) {
#pragma omp atomic write
			stopped = true;
		}
#pragma omp atomic read
		over = stopped;
		if (over)
			continue;
		score_pair(e, &e->pairing.pairs[i], &e->scores[i * e->n_classes], crossed, log, &failed);
#pragma omp critical(hy_evaluate_scored)
		{
			if (failed.status)
				note_failure(e, i, &failed);
			else
				note_scored(e, i, crossed, &status, err);
			done = ++n_done;
			if (status) {
#pragma omp atomic write
				stopped = true;
			}
		}
		hy_log(log, HARDY_LOG_PROGRESS, "%zu of %s scored", done, HY_COUNT(n, "case"));
	}
	e->stopped = stopped;
	e->n_done = n_done;
	return status;
}

/* What others have kept, and a file for what this program scores. */
static hardy_status begin_keeping(evaluator *e, hardy_error *err)
{
	const hy_kept_settings settings = {e->o, &e->pairing.data, e->classes, e->n_classes, of_predictions(e).legend};
	char key[HY_SHA256_TEXT];
	hy_kept *k = &e->kept;
	*k = (hy_kept){.folder = e->o->keep,
	               .pairs = e->pairing.pairs,
	               .scores = e->scores,
	               .class_names = (const char(*)[HY_NAME_SIZE])e->class_names,
	               .n = e->pairing.n_pairs,
	               .n_classes = e->n_classes};
	hardy_status status = hy_kept_key(&settings, key, err);
	if (!status)
		status = hy_kept_open(k, key, e->part.number, e->part.of, e->log, err);
	for (size_t i = 0; i < k->n && !status; i++)
		if (e->pairing.pairs[i].prediction && !e->pairing.pairs[i].problem)
			hy_kept_stamp(key, &e->pairing.pairs[i], &e->pairing.data, k->cases[i].stamp);
	if (!status)
		status = hy_kept_read(k, e->crossed, err);
	for (size_t i = 0; i < k->n && !status; i++)
		e->n_kept += k->cases[i].done;
	return status;
}

static hardy_status prepare(evaluator *e, hardy_error *err)
{
	const size_t n = e->pairing.n_pairs;
	e->class_names = hy_alloc(e->n_classes, sizeof(*e->class_names));
	e->scores = hy_calloc(n * e->n_classes, sizeof(*e->scores));
	e->failures = hy_calloc(n, sizeof(*e->failures));
	e->crossed = hy_calloc((size_t)HY_MAX_CLASSES * HY_MAX_CLASSES, sizeof(*e->crossed));
	if (!e->class_names || !e->scores || !e->failures || !e->crossed)
		return hy_fail_memory(err, "scores", n * e->n_classes, sizeof(*e->scores));
	for (size_t k = 0; k < e->n_classes; k++)
		memcpy(e->class_names[k], e->pairing.data.classes[e->classes[k]].name, sizeof(e->class_names[k]));
	return e->o->keep && n ? begin_keeping(e, err) : HARDY_OK;
}

/* The pairs of this part; what has no counterpart or cannot be used at all is told without parts. */
static void take_part(evaluator *e)
{
	hy_pairing *p = &e->pairing;
	size_t n = 0;
	for (size_t i = 0; i < p->n_pairs; i++) {
		if (hy_share_has(&e->part, i))
			p->pairs[n++] = p->pairs[i];
		else
			hy_pair_clear(&p->pairs[i]);
	}
	hy_info(e->log, "part %lld of %lld: %zu of %s", (long long)e->part.number, (long long)e->part.of, n,
	        HY_COUNT(p->n_pairs, "case"));
	p->n_pairs = n;
	for (size_t i = 0; i < p->n_unused; i++)
		hy_free(p->unused[i]);
	p->n_unused = p->n_unusable = 0;
}

/* Keeps what was scored, whatever becomes of the rest. */
static hardy_status score_and_keep(evaluator *e, hardy_error *err)
{
	hardy_status status = prepare(e, err);
	if (!status && e->n_kept)
		hy_info(e->log, "%zu of %s %s scored in %s already", e->n_kept, HY_COUNT(e->pairing.n_pairs, "case"),
		        HY_IS(e->pairing.n_pairs), e->o->keep);
	if (!status)
		status = score_pairs(e, err);
	if (!status && e->kept.path)
		status = hy_kept_write(&e->kept, err);
	if (!status && e->stopped)
		status = hy_fail(err, HARDY_ERROR_INTERRUPTED,
		                 e->o->keep ? "interrupted: %zu of %s %s done, scores kept in %s"
		                            : "interrupted: %zu of %s %s done; nothing is kept",
		                 e->n_done, HY_COUNT(e->pairing.n_pairs, "case"), HY_IS(e->pairing.n_pairs), e->o->keep);
	return status;
}

/* ---- classes that look exchanged ---------------------------------------------------------------------------------------- */

/* Dice of the prediction's class p with the reference's class r, over all cases. */
static double crossed_dice(const int64_t *crossed, int n_classes, int p, int r)
{
	int64_t of_p = 0, of_r = 0;
	for (int c = 0; c < n_classes; c++) {
		of_p += crossed[p * HY_MAX_CLASSES + c];
		of_r += crossed[c * HY_MAX_CLASSES + r];
	}
	return of_p + of_r ? 2 * (double)crossed[p * HY_MAX_CLASSES + r] / (double)(of_p + of_r) : 0;
}

/* The other class of the prediction that lies where the reference has r, much better than r itself; r when there is none. */
static int better_class(const int64_t *crossed, int n_classes, int r)
{
	double most = crossed_dice(crossed, n_classes, r, r) + 0.25;
	int best = r;
	for (int p = 1; p < n_classes; p++) {
		const double dice = crossed_dice(crossed, n_classes, p, r);
		if (p != r && dice > 0.4 && dice > most) {
			most = dice;
			best = p;
		}
	}
	return best;
}

/* Says which classes lie where others are wanted: the sign of label values in another numbering. */
static void warn_of_exchange(const evaluator *e)
{
	const hy_dataset *d = &e->pairing.data;
	const meaning m = of_predictions(e);
	char text[512] = "";
	for (int r = 1; r < d->n_classes; r++) {
		const int p = better_class(e->crossed, d->n_classes, r);
		const size_t used = strlen(text);
		if (p != r)
			snprintf(text + used, sizeof(text) - used, "%s%.40s lies where the reference has %.40s", used ? ", " : "",
			         d->classes[p].name, d->classes[r].name);
	}
	if (*text)
		hy_warn(e->log, "classes look exchanged: the predictions' %s; %s", text,
		        m.numbers  ? "do the predictions hold the reference's own values (then leave class numbers out)?"
		        : m.legend ? "are the values not those that the labels.json beside them says (own labels, class numbers)?"
		                   : "do the predictions hold class numbers (say so), or the values of another data set?");
}

/* Where nothing says what the values mean, and the two numberings differ, says which one is taken. */
static void tell_meaning(const evaluator *e)
{
	const hy_dataset *d = &e->pairing.data;
	bool differ = false;
	for (int c = 1; c < d->n_classes; c++)
		differ |= d->classes[c].present && d->classes[c].value != c;
	if (differ && !e->legendary && !e->o->own_labels && !e->o->class_numbers)
		hy_info(e->log, "no labels.json beside the predictions: their values are taken for the reference's own; say so if they "
		                "were swapped "
		                "for class numbers (counted: hearts LV 1, MYO 2, RV 3)");
}

/* ---- subjects that the models have seen --------------------------------------------------------------------------------- */

/* Their scores say nothing about other scans: they are not scored, unless all are such or it is asked for. */
static void leave_out_trained(evaluator *e)
{
	hy_pairing *p = &e->pairing;
	size_t n = 0, n_predicted = 0;
	const char *first = NULL;
	for (size_t i = 0; i < p->n_pairs; i++) {
		const bool seen = p->pairs[i].prediction && hy_seen(e->legend.training, &p->data, p->pairs[i].subject);
		n_predicted += p->pairs[i].prediction != NULL;
		n += seen;
		if (seen && !first)
			first = p->pairs[i].subject;
	}
	if (!n)
		return;
	const bool keep = e->o->with_training || n == n_predicted;
	hy_warn(e->log, "%zu of %s %s of subjects that their model was trained on (%.80s%s): %s", n,
	        HY_COUNT(n_predicted, "prediction"), HY_IS(n), first, n > 1 ? " and others" : "",
	        !keep              ? "left out (scored, too, with training)"
	        : n == n_predicted ? "their scores say nothing about other scans"
	                           : "scored with the others, as asked");
	size_t kept = 0;
	for (size_t i = 0; i < p->n_pairs && !keep; i++) {
		hy_pair *pair = &p->pairs[i];
		if (pair->prediction && hy_seen(e->legend.training, &p->data, pair->subject))
			hy_pair_clear(pair);
		else
			p->pairs[kept++] = *pair;
	}
	if (!keep)
		p->n_pairs = kept;
}

/* ---- summary ------------------------------------------------------------------------------------------------------------ */

static hardy_score_mean mean_of(const double *values, size_t n)
{
	hy_summary s = hy_summarise(values, n);
	return (hardy_score_mean){s.mean, s.sd, s.n, s.n_undefined};
}

/* A case's rows: whose it is, and its scores. */
static void fill_rows(const evaluator *e, const hy_pair *pair, const hy_kept_score *scores, hardy_score_row *rows)
{
	for (size_t k = 0; k < e->n_classes; k++) {
		snprintf(rows[k].name, sizeof(rows[k].name), "%s", pair->name);
		snprintf(rows[k].subject, sizeof(rows[k].subject), "%s", pair->subject);
		memcpy(rows[k].phase, pair->phase, sizeof(rows[k].phase));
		snprintf(rows[k].site, sizeof(rows[k].site), "%s", pair->site);
		memcpy(rows[k].class_name, e->class_names[k], sizeof(rows[k].class_name));
		memcpy(rows[k].value, scores[k].value, sizeof(rows[k].value));
		rows[k].state = scores[k].state;
		rows[k].n_slices = scores[k].n_slices;
	}
}

/* Rows of the pairs that were scored, in order. */
static hardy_status collect_rows(const evaluator *e, hardy_evaluation *out, hardy_error *err)
{
	size_t n = 0;
	for (size_t i = 0; i < e->pairing.n_pairs; i++)
		n += e->failures[i].status == HARDY_OK;
	out->rows = hy_calloc(n * e->n_classes, sizeof(*out->rows));
	out->classes = hy_calloc(e->n_classes, sizeof(*out->classes));
	if (!out->rows || !out->classes)
		return hy_fail_memory(err, "scores", n * e->n_classes, sizeof(*out->rows));
	for (size_t i = 0; i < e->pairing.n_pairs; i++) {
		if (e->failures[i].status != HARDY_OK)
			continue;
		fill_rows(e, &e->pairing.pairs[i], &e->scores[i * e->n_classes], &out->rows[out->n_rows]);
		out->n_rows += e->n_classes;
		out->n_cases++;
	}
	out->n_classes = e->n_classes;
	return HARDY_OK;
}

static hardy_status summarise_classes(const evaluator *e, hardy_evaluation *out, hardy_error *err)
{
	double *column = hy_alloc(out->n_cases, sizeof(*column));
	if (!column)
		return hy_fail_memory(err, "scores", out->n_cases, sizeof(*column));
	for (size_t c = 0; c < out->n_classes; c++) {
		hardy_class_scores *s = &out->classes[c];
		memcpy(s->class_name, e->pairing.data.classes[e->classes[c]].name, sizeof(s->class_name));
		for (size_t i = 0; i < out->n_cases; i++)
			s->n_state[out->rows[i * out->n_classes + c].state]++;
		for (int k = 0; k < HARDY_N_SCORES; k++) {
			for (size_t i = 0; i < out->n_cases; i++)
				column[i] = out->rows[i * out->n_classes + c].value[k];
			s->score[k] = mean_of(column, out->n_cases);
		}
	}
	hy_free(column);
	for (int k = 0; k < HARDY_N_SCORES; k++) {
		double means[HY_MAX_CLASSES];
		for (size_t c = 0; c < out->n_classes; c++)
			means[c] = out->classes[c].score[k].mean;
		out->mean[k] = hy_summarise(means, out->n_classes).mean;
	}
	return HARDY_OK;
}

/* A volume of a case by class name, NaN where it was not scored. */
static double volume_of(const hardy_evaluation *e, size_t i, const char *class_name, hardy_score which)
{
	for (size_t c = 0; c < e->n_classes; c++) {
		const hardy_score_row *row = &e->rows[i * e->n_classes + c];
		if (strcmp(row->class_name, class_name) == 0)
			return row->value[which];
	}
	return NAN;
}

static void fill_heart(const hardy_evaluation *e, size_t ed, size_t es, hardy_score which, double out[HARDY_N_HEART_INDICES])
{
	hy_ventricle lv = hy_ventricle_make(volume_of(e, ed, "LV", which), volume_of(e, es, "LV", which));
	hy_ventricle rv = hy_ventricle_make(volume_of(e, ed, "RV", which), volume_of(e, es, "RV", which));
	out[HARDY_HEART_LV_EDV] = lv.edv_ml;
	out[HARDY_HEART_LV_ESV] = lv.esv_ml;
	out[HARDY_HEART_LV_SV] = lv.sv_ml;
	out[HARDY_HEART_LV_EF] = lv.ef_percent;
	out[HARDY_HEART_LV_MASS] = hy_myocardial_mass_g(volume_of(e, ed, "MYO", which));
	out[HARDY_HEART_RV_EDV] = rv.edv_ml;
	out[HARDY_HEART_RV_ESV] = rv.esv_ml;
	out[HARDY_HEART_RV_SV] = rv.sv_ml;
	out[HARDY_HEART_RV_EF] = rv.ef_percent;
}

/* The case of the same subject at end systole, n_cases when there is none. */
static size_t find_systole(const hardy_evaluation *e, size_t ed)
{
	const hardy_score_row *row = &e->rows[ed * e->n_classes];
	for (size_t i = 0; i < e->n_cases; i++) {
		const hardy_score_row *other = &e->rows[i * e->n_classes];
		if (strcmp(other->phase, "ES") == 0 && strcmp(other->subject, row->subject) == 0)
			return i;
	}
	return e->n_cases;
}

static hardy_status summarise_hearts(const evaluator *e, hardy_evaluation *out, hardy_error *err)
{
	out->hearts = hy_calloc(out->n_cases, sizeof(*out->hearts));
	double *column = hy_alloc(out->n_cases, sizeof(*column));
	if (!out->hearts || !column) {
		hy_free(column);
		return hy_fail_memory(err, "heart function", out->n_cases, sizeof(*out->hearts));
	}
	for (size_t i = 0; e->pairing.data.heart && i < out->n_cases; i++) {
		const hardy_score_row *row = &out->rows[i * out->n_classes];
		size_t es = strcmp(row->phase, "ED") == 0 ? find_systole(out, i) : out->n_cases;
		if (es == out->n_cases)
			continue;
		hardy_heart_row *heart = &out->hearts[out->n_hearts++];
		memcpy(heart->subject, row->subject, sizeof(heart->subject));
		memcpy(heart->site, row->site, sizeof(heart->site));
		fill_heart(out, i, es, HARDY_SCORE_VOLUME_PREDICTION, heart->prediction);
		fill_heart(out, i, es, HARDY_SCORE_VOLUME_REFERENCE, heart->reference);
	}
	for (int k = 0; k < HARDY_N_HEART_INDICES; k++) {
		for (size_t i = 0; i < out->n_hearts; i++)
			column[i] = out->hearts[i].prediction[k] - out->hearts[i].reference[k];
		out->heart_difference[k] = mean_of(column, out->n_hearts);
	}
	hy_free(column);
	return HARDY_OK;
}

/* What the quality table says of a pair's prediction. */
static const hy_quality_line *find_line(const hy_quality_line *lines, size_t n, const hy_pair *pair)
{
	for (size_t i = 0; i < n; i++)
		if (!strcmp(lines[i].output, hy_path_name(pair->prediction)) && (pair->frame < 0 || lines[i].frame == pair->frame))
			return &lines[i];
	return NULL;
}

static double mean_dice(const hardy_score_row *rows, size_t n_classes)
{
	double dice[HY_MAX_CLASSES];
	for (size_t c = 0; c < n_classes; c++)
		dice[c] = rows[c].value[HARDY_SCORE_DICE];
	return hy_summarise(dice, n_classes).mean;
}

static hardy_status judge_quality(const evaluator *e, hardy_evaluation *out, hardy_error *err)
{
	hy_quality_line *lines = NULL;
	hy_foretold *items = NULL;
	size_t n_lines = 0, n = 0, scored = 0;
	if (!e->o->quality)
		return HARDY_OK;
	hardy_status status = hy_quality_read(e->o->quality, &lines, &n_lines, err);
	if (status)
		return status;
	items = hy_alloc(out->n_cases, sizeof *items);
	if (!items)
		status = hy_fail_memory(err, "predicted Dice", out->n_cases, sizeof *items);
	for (size_t i = 0; i < e->pairing.n_pairs && !status; i++) {
		if (e->failures[i].status != HARDY_OK)
			continue;
		const hardy_score_row *rows = &out->rows[scored++ * out->n_classes];
		const hy_quality_line *line = find_line(lines, n_lines, &e->pairing.pairs[i]);
		if (line)
			items[n++] = (hy_foretold){rows->subject, line->predicted, line->low, mean_dice(rows, out->n_classes)};
	}
	if (!status)
		status = hy_forecast_judge(&out->forecast, items, n, err);
	if (!status && !out->forecast.n)
		status = hy_fail(
		    err, HARDY_ERROR_DATA,
		    "%s: no predicted Dice of any scored case: not the table of these predictions, or the model is not calibrated",
		    e->o->quality);
	hy_free(lines);
	hy_free(items);
	return status;
}

static hardy_status collect_failures(const evaluator *e, hardy_evaluation *out, hardy_error *err)
{
	const hy_pairing *p = &e->pairing;
	size_t most = p->n_unused + p->n_unusable;
	for (size_t i = 0; i < p->n_pairs; i++)
		most += e->failures[i].status != HARDY_OK;
	out->failures = hy_calloc(most, sizeof(*out->failures));
	if (!out->failures)
		return hy_fail_memory(err, "failures", most, sizeof(*out->failures));
	for (size_t i = 0; i < p->n_unusable; i++) {
		hardy_evaluation_failure *f = &out->failures[out->n_failures++];
		memcpy(f->name, p->unusable[i].name, sizeof(f->name));
		memcpy(f->message, p->unusable[i].text, sizeof(f->message));
	}
	for (size_t i = 0; i < p->n_pairs; i++) {
		if (e->failures[i].status == HARDY_OK)
			continue;
		hardy_evaluation_failure *f = &out->failures[out->n_failures++];
		snprintf(f->name, sizeof(f->name), "%s", p->pairs[i].name);
		snprintf(f->message, sizeof(f->message), "%s", message_of(e, i));
		f->missing = !p->pairs[i].prediction;
	}
	for (size_t i = 0; i < p->n_unused; i++) {
		hardy_evaluation_failure *f = &out->failures[out->n_failures++];
		snprintf(f->name, sizeof(f->name), "%s", p->unused[i]);
		snprintf(f->message, sizeof(f->message), "%.400s: no reference of this name in %.500s", p->unused[i], e->o->reference);
		f->missing = true;
	}
	return HARDY_OK;
}

/* What the caller is told at the end; out is complete. */
static hardy_status verdict(const hardy_evaluation *out, hardy_error *err)
{
	const hardy_evaluate_options *o = &out->options;
	size_t n_missing = 0, n_counted = 0;
	const char *first = NULL;
	for (size_t i = 0; i < out->n_failures; i++) {
		n_missing += out->failures[i].missing;
		if (out->failures[i].missing && o->allow_missing)
			continue;
		n_counted++;
		first = first ? first : out->failures[i].message;
	}
	if (n_counted > 0)
		return hy_fail(err, o->strict ? HARDY_ERROR_DATA : HARDY_ERROR_PARTIAL,
		               "%s scored; %zu without counterpart, %zu that cannot be scored; the first: %s",
		               HY_COUNT(out->n_cases, "case"), n_missing, out->n_failures - n_missing, first);
	if (!isnan(o->threshold_dice) && !(out->mean[HARDY_SCORE_DICE] >= o->threshold_dice))
		return hy_fail(err, HARDY_ERROR_THRESHOLD, "mean Dice is %.4f, want %g or more", out->mean[HARDY_SCORE_DICE],
		               o->threshold_dice);
	return HARDY_OK;
}

/* The error of the only case, or of the first that has one beside a missing counterpart. */
static hardy_status fail_without_scores(const evaluator *e, hardy_error *err)
{
	size_t n = e->pairing.n_pairs, first = 0;
	while (first + 1 < n && !e->pairing.pairs[first].prediction)
		first++;
	first = e->pairing.pairs[first].prediction ? first : 0;
	if (n == 1)
		return hy_fail(err, e->failures[0].status, "%s", message_of(e, 0));
	return hy_fail(err, e->failures[first].status, "%s: none of %zu cases can be scored; the first: %s", e->o->prediction, n,
	               message_of(e, first));
}

static hardy_status summarise(const evaluator *e, hardy_evaluation *out, hardy_error *err)
{
	hardy_status status = collect_rows(e, out, err);
	if (status == HARDY_OK && out->n_cases == 0 && e->pairing.n_pairs)
		status = fail_without_scores(e, err);
	if (status == HARDY_OK)
		status = summarise_classes(e, out, err);
	if (status == HARDY_OK)
		status = summarise_hearts(e, out, err);
	if (status == HARDY_OK)
		status = judge_quality(e, out, err);
	if (status == HARDY_OK)
		status = collect_failures(e, out, err);
	return status;
}

hardy_status hardy_evaluate(const hardy_evaluate_options *o, hardy_evaluation *out, const hardy_log *log, hardy_error *err)
{
	evaluator e = {.o = o, .log = log};
	hardy_evaluation made = {.options = *o};
	hardy_status status = check_options(o, err);
	if (status == HARDY_OK)
		status = hy_share_read(o->part, &e.part, err);
	if (status != HARDY_OK)
		return status;
	e.data_options = (hy_dataset_options){.labels = o->labels};
	memcpy(e.data_options.spacing_mm, o->spacing_mm, sizeof(o->spacing_mm));
	e.score_options = (hy_score_options){.tolerance_mm = o->tolerance_mm,
	                                     .empty = o->empty,
	                                     .per_slice = o->labelled_slices,
	                                     .hd95_directed = o->hd95_directed,
	                                     .assd_directed = o->assd_directed,
	                                     .nsd_surfels = o->nsd_surfels};
	made.options.prediction = made.options.reference = made.options.labels = made.options.classes = made.options.quality = NULL;
	made.options.keep = made.options.part = NULL;
	made.options.stop = NULL;
	status = hy_legend_read(o->prediction, &e.legend, &e.legendary, err);
	if (status == HARDY_OK)
		status = hy_pairing_make(&e.pairing, o->prediction, o->reference, believed(&e), &e.data_options, o->strict, log, err);
	if (status == HARDY_OK) {
		tell_meaning(&e);
		leave_out_trained(&e);
	}
	if (status == HARDY_OK)
		status = choose_classes(&e, err);
	if (status == HARDY_OK && o->part)
		take_part(&e);
	if (status == HARDY_OK)
		status = score_and_keep(&e, err);
	if (status == HARDY_OK)
		warn_of_exchange(&e);
	if (status == HARDY_OK)
		status = summarise(&e, &made, err);
	if (status == HARDY_OK) {
		*out = made;
		status = verdict(out, err);
	} else {
		hardy_evaluation_clear(&made);
	}
	const size_t n_pairs = e.pairing.n_pairs;
	hy_pairing_clear(&e.pairing);
	hy_legend_clear(&e.legend);
	hy_kept_close(&e.kept);
	for (size_t i = 0; i < n_pairs && e.failures; i++)
		hy_free(e.failures[i].message);
	hy_free(e.failures);
	hy_free(e.class_names);
	hy_free(e.scores);
	hy_free(e.crossed);
	return status;
}

void hardy_evaluation_clear(hardy_evaluation *e)
{
	hy_free(e->rows);
	hy_free(e->classes);
	hy_free(e->hearts);
	hy_free(e->failures);
	memset(e, 0, sizeof(*e));
}
