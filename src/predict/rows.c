/*
 * rows.c: the rows of a quality table before they are written, and the hearts in them.
 */
#include "predict/rows.h"

#include "base/memory.h"
#include "metric/clinical.h"

#include <math.h>
#include <string.h>

void hy_rows_cut(hy_rows *r, size_t n)
{
	while (r->n > n) {
		hy_row *row = &r->items[--r->n];
		hy_free(row->output);
		hy_free(row->message);
		hy_free(row->subject);
		hy_free(row->v.volume_ml);
		hy_free(row->v.warnings);
	}
}

void hy_rows_clear(hy_rows *r)
{
	hy_rows_cut(r, 0);
	hy_free(r->items);
	*r = (hy_rows){0};
}

static hy_row *add(hy_rows *r, const char *scan, const char *output, const char *subject, const char *message)
{
	if (r->n == r->room) {
		const size_t room = r->room ? 2 * r->room : 64;
		hy_row *larger = hy_realloc(r->items, room, sizeof *larger);
		if (!larger)
			return NULL;
		r->items = larger;
		r->room = room;
	}
	hy_row *row = &r->items[r->n++];
	*row = (hy_row){.scan = scan, .output = hy_strdup(output), .subject = hy_strdup(subject), .frame = -1};
	row->message = message ? hy_strdup(message) : NULL;
	row->heart = hy_quality_no_heart;
	if (row->output && row->subject && (!message || row->message))
		return row;
	hy_rows_cut(r, r->n - 1);
	return NULL;
}

hy_row *hy_rows_add(hy_rows *r, const char *scan, const char *output, int64_t frame, const char *subject,
                    const hy_prediction *p, int n_classes)
{
	hy_row *row = add(r, scan, output, subject, NULL);
	if (!row)
		return NULL;
	row->frame = frame;
	row->v = (hy_quality_values){.mean_entropy = p->mean_entropy,
	                             .disagreement = p->disagreement,
	                             .reconstruction_error = p->reconstruction_error,
	                             .reconstruction_z = p->reconstruction_z,
	                             .predicted_dice = p->predicted_dice,
	                             .predicted_low = p->predicted_low,
	                             .volume_ml = hy_alloc((size_t)n_classes, sizeof *p->volume_ml),
	                             .n_warnings = p->n_warnings,
	                             .warnings = hy_strdup(p->warnings)};
	if (!row->v.volume_ml || !row->v.warnings) {
		hy_rows_cut(r, r->n - 1);
		return NULL;
	}
	memcpy(row->v.volume_ml, p->volume_ml, (size_t)n_classes * sizeof *p->volume_ml);
	return row;
}

void hy_rows_fail(hy_rows *r, const char *scan, const char *message)
{
	if (!add(r, scan, "", "", message))
		r->failed = true;
}

/* ---- hearts ------------------------------------------------------------------------------------------------------------- */

static void measure(hy_row *ed, const hy_row *es, int lv, int rv)
{
	if (lv)
		ed->heart.lv = hy_ventricle_make(ed->v.volume_ml[lv], es->v.volume_ml[lv]);
	if (rv)
		ed->heart.rv = hy_ventricle_make(ed->v.volume_ml[rv], es->v.volume_ml[rv]);
}

static void say_phase(hy_row *row, const char *phase)
{
	memcpy(row->heart.phase, phase, strlen(phase) + 1);
}

/* Rows first to end - 1 are the frames of one scan. */
static void find_in_cine(hy_rows *r, size_t first, size_t end, int lv, int rv)
{
	const int by = lv ? lv : rv;
	hy_row *ed = NULL, *es = NULL;
	for (size_t i = first; i < end; i++) {
		hy_row *row = &r->items[i];
		const double ml = row->v.volume_ml[by];
		if (ml > 0 && (!ed || ml > ed->v.volume_ml[by]))
			ed = row;
		if (ml > 0 && (!es || ml < es->v.volume_ml[by]))
			es = row;
	}
	if (!ed || ed == es)
		return;
	say_phase(ed, "ED");
	say_phase(es, "ES");
	measure(ed, es, lv, rv);
}

static void find_pair(hy_rows *r, size_t at, int lv, int rv)
{
	hy_row *ed = &r->items[at];
	if (ed->frame >= 0 || ed->message || strcmp(ed->heart.phase, "ED") != 0)
		return;
	for (size_t i = 0; i < r->n; i++) {
		const hy_row *es = &r->items[i];
		if (es->frame < 0 && !es->message && es->group == ed->group && !strcmp(es->heart.phase, "ES") &&
		    !strcmp(es->subject, ed->subject)) {
			measure(ed, es, lv, rv);
			return;
		}
	}
}

void hy_rows_find_hearts(hy_rows *r, const hy_class *classes, int n_classes)
{
	const int lv = hy_quality_class("LV", classes, n_classes), rv = hy_quality_class("RV", classes, n_classes);
	for (size_t i = 0, end; (lv || rv) && i < r->n; i = end) {
		const hy_row *row = &r->items[i];
		end = i + 1;
		if (row->frame < 0) {
			find_pair(r, i, lv, rv);
			continue;
		}
		while (end < r->n && r->items[end].frame >= 0 && !strcmp(r->items[end].scan, row->scan) &&
		       !strcmp(r->items[end].output, row->output))
			end++;
		find_in_cine(r, i, end, lv, rv);
	}
}

void hy_rows_write(const hy_rows *r, hy_outfile *f, const hy_class *classes, int n_classes)
{
	for (size_t i = 0; i < r->n; i++) {
		const hy_row *row = &r->items[i];
		if (row->message)
			hy_quality_failure(f, row->scan, row->message, classes, n_classes);
		else
			hy_quality_row(f, row->scan, row->output, row->frame, &row->v, &row->heart, classes, n_classes);
	}
}
