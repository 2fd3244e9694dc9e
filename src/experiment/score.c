/*
 * score.c: predictions and their 3-D Dice: of scans on their own grid, as `hardy evaluate` has it, and of spoiled ones on the
 * protocol's, as `hardy stress` has it.
 */
#include "experiment/score.h"

#include "base/memory.h"
#include "experiment/stress.h"
#include "metric/overlap.h"
#include "predict/ensemble.h"
#include "training/set.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void hy_scored_clear(hy_scored_set *sets, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		hy_free(sets[i].cases);
		memset(&sets[i], 0, sizeof sets[i]);
	}
}

static void name_case(hy_scored_case *c, const char *subject, const char *phase)
{
	snprintf(c->name, sizeof c->name, *phase ? "%s_%s" : "%s", subject, phase);
}

/* ---- classes ------------------------------------------------------------------------------------------------------------ */

typedef struct pairing {
	int n;
	int of_set[HY_MAX_CLASSES], of_model[HY_MAX_CLASSES];
} pairing;

static bool is_listed(const char *list, const char *name)
{
	const size_t n = strlen(name);
	for (const char *at = list; *at; at += strcspn(at, ","), at += *at == ',')
		if (strcspn(at, ",") == n && !memcmp(at, name, n))
			return true;
	return false;
}

/* Classes of the set by name, those that it lacks and that are not wanted left out. */
static hardy_status pair_classes(const hy_model *m, const hy_dataset *d, const char *wanted, hy_scored_set *out, pairing *p,
                                 hardy_error *err)
{
	*p = (pairing){0};
	size_t n_found = 0, n_wanted = 0;
	for (const char *at = wanted; at && *at; at += strcspn(at, ","), at += *at == ',')
		n_wanted++;
	for (int c = 1; c < d->n_classes; c++) {
		int k = 1;
		while (k < m->n_classes && strcmp(m->classes[k].name, d->classes[c].name) != 0)
			k++;
		if (wanted && !is_listed(wanted, d->classes[c].name))
			continue;
		n_found++;
		if (!d->classes[c].present || k == m->n_classes)
			continue;
		snprintf(out->classes[p->n], HY_NAME_SIZE, "%s", d->classes[c].name);
		p->of_set[p->n] = c;
		p->of_model[p->n++] = k;
	}
	out->n_classes = p->n;
	if (n_found < n_wanted)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s: not all of the classes \"%s\" are known there", d->root, wanted);
	if (!p->n)
		return hy_fail(err, HARDY_ERROR_DATA, "%s: has none of the model's classes", d->root);
	return HARDY_OK;
}

/* ---- scans -------------------------------------------------------------------------------------------------------------- */

/* Dice of one class; with labelled_slices of the slices in which the truth has any label, undefined when none has this one. */
static double dice_of(const hy_labels *map, const hy_labels *truth, int of_model, int of_set, bool labelled_slices)
{
	const size_t plane = (size_t)(truth->grid.nx * truth->grid.ny);
	hy_overlap sum = {0, 0, 0};
	for (int64_t z = 0; z < truth->grid.nz; z++) {
		const uint8_t *p = map->data + (size_t)z * plane, *t = truth->data + (size_t)z * plane;
		bool any = !labelled_slices;
		for (size_t i = 0; i < plane && !any; i++)
			any = t[i] != 0;
		for (size_t i = 0; i < plane && any; i++) {
			sum.n_pred += p[i] == of_model;
			sum.n_ref += t[i] == of_set;
			sum.n_both += p[i] == of_model && t[i] == of_set;
		}
	}
	return labelled_slices && !sum.n_ref ? NAN : hy_overlap_dice(&sum);
}

static hardy_status score_case(const hy_study *s, const hy_test_set *set, const hy_dataset *d, size_t i,
                               hy_predictor *predictor, const pairing *p, hy_scored_case *out, hardy_error *err)
{
	const hy_dataset_options o = hy_study_dataset_options(s, set->source);
	const bool slices = s->sources[set->source].labelled_slices;
	hy_volume image = {0};
	hy_labels truth = {0};
	hy_prediction found = {0};
	name_case(out, d->cases[i].subject, d->cases[i].phase);
	hardy_status status = hy_case_load(d, i, &o, &image, &truth, NULL, err);
	if (!status)
		status = hy_predictor_run(predictor, &image, &found, err);
	for (int c = 0; c < p->n && !status; c++) {
		out->dice[0][c] = dice_of(&found.other, &truth, p->of_model[c], p->of_set[c], slices);
		out->dice[1][c] = dice_of(&found.label, &truth, p->of_model[c], p->of_set[c], slices);
	}
	out->predicted = found.predicted_dice;
	out->low = found.predicted_low;
	hy_prediction_clear(&found);
	hy_volume_clear(&image);
	hy_labels_clear(&truth);
	return status ? hy_prefix(err, status, "%s, %s", set->name, out->name) : HARDY_OK;
}

static hardy_status score_scans(const hy_study *s, const hy_study_run *run, const hy_test_set *set, const hy_model *m,
                                hy_predictor *predictor, hy_scored_set *out, hardy_error *err)
{
	const hy_source *source = &s->sources[set->source];
	hy_dataset d = {0};
	pairing p;
	hardy_error first = {0};
	hardy_status status = hy_study_open(s, set->source, &d, set->kind == HY_SET_SITE ? &out->n_left_out : NULL, err);
	if (!status)
		status = pair_classes(m, &d, source->classes, out, &p, err);
	if (!status && !(out->cases = hy_calloc(d.n_cases, sizeof *out->cases)))
		status = hy_fail_memory(err, "scores", d.n_cases, sizeof *out->cases);
	for (size_t i = 0; i < d.n_cases && !status; i++) {
		if (!hy_study_has_case(run, set, &d.cases[i]))
			continue;
		hy_log(s->log, HARDY_LOG_PROGRESS, "%s: scoring %s, case %zu", run->name, set->name, out->n + 1);
		if (hy_stop_asked(s->stop))
			status = hy_fail(err, HARDY_ERROR_INTERRUPTED, "interrupted while %s was scored", set->name);
		else
			status = score_case(s, set, &d, i, predictor, &p, &out->cases[out->n], err);
		out->n += !status;
		if (!hy_study_leaves_out(s, status, err))
			continue;
		if (!first.status)
			first = *err;
		out->n_left_out++;
		status = HARDY_OK;
	}
	if (!status && !out->n)
		status = hy_fail(err, HARDY_ERROR_DATA,
		                 first.status ? "%s: no scan can be scored; the first: %s" : "%s: no labelled scan to score",
		                 source->folder, first.message);
	hy_dataset_clear(&d);
	return status;
}

/* ---- artefacts ---------------------------------------------------------------------------------------------------------- */

static hardy_status list_subjects(const hy_study_run *run, char **out, hardy_error *err)
{
	const size_t room = run->split.n_test * HY_NAME_SIZE + 1;
	char *text = hy_alloc(room, 1);
	if (!text)
		return hy_fail_memory(err, "subjects", room, 1);
	text[0] = 0;
	size_t used = 0;
	for (size_t i = 0; i < run->split.n_test; i++)
		used += (size_t)snprintf(text + used, room - used, "%s%s", i ? "," : "", run->split.test[i]);
	*out = text;
	return HARDY_OK;
}

static hardy_status take_rows(const hy_study *s, const hy_stress_row *rows, size_t n_rows, hy_scored_set *out, hardy_error *err)
{
	for (size_t k = 0; k < s->n_sets; k++) {
		const hy_test_set *set = &s->sets[k];
		hy_scored_set *to = &out[k];
		if (set->kind != HY_SET_ARTEFACT)
			continue;
		to->n_classes = s->training.n_classes - 1;
		for (int c = 0; c < to->n_classes; c++)
			snprintf(to->classes[c], HY_NAME_SIZE, "%s", s->training.classes[c + 1].name);
		to->cases = hy_calloc(n_rows, sizeof *to->cases);
		if (!to->cases)
			return hy_fail_memory(err, "scores", n_rows, sizeof *to->cases);
		for (size_t i = 0; i < n_rows; i++) {
			if (rows[i].kind != (int)set->artefact || rows[i].level)
				continue;
			hy_scored_case *c = &to->cases[to->n++];
			name_case(c, rows[i].subject, rows[i].phase);
			c->draw = rows[i].copy;
			c->predicted = rows[i].predicted;
			c->low = rows[i].low;
			for (int which = 0; which < 2; which++)
				memcpy(c->dice[which], rows[i].dice[which] + 1, (size_t)to->n_classes * sizeof **c->dice);
		}
	}
	return HARDY_OK;
}

/* The draws are the same for every run. */
static hardy_status score_artefacts(const hy_study *s, const hy_study_run *run, const char *model_path, hy_scored_set *out,
                                    hardy_error *err)
{
	hardy_stress_options o;
	hy_stress_row *rows = NULL;
	size_t n_rows = 0;
	char *subjects = NULL;
	const hy_dataset_options d = hy_study_dataset_options(s, 0);
	const char *const inputs[] = {model_path, s->sources[0].folder};
	hardy_stress_options_init(&o);
	o.inputs = inputs;
	o.n_inputs = 2;
	o.copies = s->o->copies;
	o.adapt = s->o->adapt;
	o.labels = d.labels;
	memcpy(o.spacing_mm, d.spacing_mm, sizeof o.spacing_mm);
	hardy_status status = list_subjects(run, &subjects, err);
	o.subjects = subjects;
	if (!status)
		status = hy_stress_collect(&o, s->o->strict, &rows, &n_rows, s->log, s->stop, err);
	if (!status)
		status = take_rows(s, rows, n_rows, out, err);
	hy_free(rows);
	hy_free(subjects);
	return status;
}

/* ---- all sets ----------------------------------------------------------------------------------------------------------- */

hardy_status hy_score_sets(const hy_study *s, const hy_study_run *run, const char *model_path, hy_scored_set *out,
                           hardy_error *err)
{
	hardy_error own = {0};
	hy_ensemble e = {0};
	hy_predictor_options o;
	err = err ? err : &own;
	hardy_status status = hy_ensemble_load(&e, model_path, err);
	if (status)
		return status;
	hy_predictor_options_init(&o);
	hy_predictor_options_use(&o, &e.models[0]);
	o.which = HY_STN;
	o.both = true;
	o.adapt = s->o->adapt;
	status = hy_ensemble_start(&e, &o, err);
	for (size_t i = 0; i < s->n_sets && !status; i++)
		if (s->sets[i].kind != HY_SET_ARTEFACT)
			status = score_scans(s, run, &s->sets[i], &e.models[0], e.predictor, &out[i], err);
	hy_ensemble_clear(&e);
	return status ? status : score_artefacts(s, run, model_path, out, err);
}
