/*
 * scores.c: hardy/evaluate.h: two label maps in memory, every label scored.
 */
#include "base/memory.h"
#include "image/geometry.h"
#include "library/view.h"
#include "metric/score.h"

#include <math.h>
#include <string.h>

enum { PALETTE = 256, VALUES = 65536 };

typedef struct row {
	int64_t label;
	hardy_row_state state;
	double value[HARDY_N_SCORES];
} row;

struct hardy_scores {
	size_t n;
	row *rows; /* owned */
};

/* The label values that occur, each with the index that stands for it in both maps; 0 is 0. */
typedef struct palette {
	int16_t *index; /* owned, by value; -1: not seen */
	int64_t value[PALETTE];
	int n;
} palette;

static hardy_status palette_init(palette *p, hardy_error *err)
{
	p->index = hy_alloc(VALUES, sizeof *p->index);
	if (!p->index)
		return hy_fail_memory(err, "label values", VALUES, sizeof *p->index);
	for (int i = 0; i < VALUES; i++)
		p->index[i] = -1;
	p->index[0] = 0;
	p->value[0] = 0;
	p->n = 1;
	return HARDY_OK;
}

/* The index of a value, a new one if it has none; -1 when there is none left. */
static int palette_add(palette *p, int64_t value)
{
	if (p->index[value] < 0 && p->n < PALETTE) {
		p->value[p->n] = value;
		p->index[value] = (int16_t)p->n++;
	}
	return p->index[value];
}

/* ---- maps --------------------------------------------------------------------------------------------------------------- */

static hardy_status read_row(palette *p, const double *voxels, int64_t n, int64_t y, int64_t z, const char *what, uint8_t *out,
                             hardy_error *err)
{
	for (int64_t x = 0; x < n; x++) {
		const double v = voxels[x];
		if (!(v >= 0 && v < VALUES) || v != floor(v))
			return hy_fail(err, HARDY_ERROR_DATA, "%s: voxel (%lld, %lld, %lld) is %g, want whole numbers from 0 to %d", what,
			               (long long)x, (long long)y, (long long)z, v, VALUES - 1);
		const int index = palette_add(p, (int64_t)v);
		if (index < 0)
			return hy_fail(err, HARDY_ERROR_DATA, "%s: more than %d different values in both maps: no label map", what,
			               PALETTE);
		out[x] = (uint8_t)index;
	}
	return HARDY_OK;
}

/* Indices of the palette into *out, owned by the caller. */
static hardy_status read_map(palette *p, const hy_view *v, const char *what, uint8_t **out, hardy_error *err)
{
	const hy_grid *g = &v->grid;
	const size_t n = (size_t)hy_grid_voxels(g);
	double *line = hy_alloc((size_t)g->nx, sizeof *line);
	uint8_t *map = hy_alloc(n, 1);
	hardy_status status = line && map ? HARDY_OK : hy_fail_memory(err, what, n, 1);
	for (int64_t i = 0; i < g->ny * g->nz && !status; i++) {
		hy_view_row(v, i % g->ny, i / g->ny, 0, line);
		status = read_row(p, line, g->nx, i % g->ny, i / g->ny, what, map + i * g->nx, err);
	}
	hy_free(line);
	if (status)
		hy_free(map);
	else
		*out = map;
	return status;
}

static hardy_status check_fit(const hy_view *a, const hy_view *b, hardy_error *err)
{
	const hy_grid *g = &a->grid, *h = &b->grid;
	if (a->nt != 1 || b->nt != 1)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "a label map has %lld frames, want one: make a view of each",
		               (long long)(a->nt != 1 ? a->nt : b->nt));
	if (g->nx != h->nx || g->ny != h->ny || g->nz != h->nz)
		return hy_fail(err, HARDY_ERROR_DATA, "the prediction has %lld x %lld x %lld voxels, the reference %lld x %lld x %lld",
		               (long long)g->nx, (long long)g->ny, (long long)g->nz, (long long)h->nx, (long long)h->ny,
		               (long long)h->nz);
	const double *s = h->spacing_mm, limit = 0.5 * fmin(fmin(s[0], s[1]), s[2]);
	if (!g->located || !h->located)
		return HARDY_OK;
	const double apart = hy_grid_difference_mm(g, h);
	if (apart > limit)
		return hy_fail(err, HARDY_ERROR_DATA,
		               "by their affines the prediction lies up to %.3g mm away from the reference, want at most %.3g", apart,
		               limit);
	return HARDY_OK;
}

/* ---- scores ------------------------------------------------------------------------------------------------------------- */

static hardy_status take_options(hardy_scores_options *o, const hardy_scores_options *given, hardy_error *err)
{
	*o = (hardy_scores_options){.size = sizeof *o};
	const hardy_status status = given ? hy_struct_take(o, sizeof *o, given, "options of scores", err) : HARDY_OK;
	if (status)
		return status;
	if (!(o->tolerance_mm >= 0) || !isfinite(o->tolerance_mm))
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "tolerance_mm is %g, want more than 0, or 0 for the default",
		               o->tolerance_mm);
	if ((unsigned)o->empty > HARDY_EMPTY_ZERO)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "rule %d for empty objects is unknown", (int)o->empty);
	for (size_t i = 0; o->labels && i < o->n_labels; i++)
		if (o->labels[i] < 1 || o->labels[i] >= VALUES)
			return hy_fail(err, HARDY_ERROR_ARGUMENT, "labels[%zu] is %lld, want 1 to %d", i, (long long)o->labels[i],
			               VALUES - 1);
	o->tolerance_mm = o->tolerance_mm > 0 ? o->tolerance_mm : 2;
	return HARDY_OK;
}

/* The labels to score: those asked for, or all but 0 by value. */
static hardy_status list_labels(const palette *p, const hardy_scores_options *o, hardy_scores *s, hardy_error *err)
{
	const size_t n = o->labels ? o->n_labels : (size_t)(p->n - 1);
	s->rows = hy_calloc(n, sizeof *s->rows);
	if (!s->rows)
		return hy_fail_memory(err, "scores", n, sizeof *s->rows);
	for (size_t i = 0; o->labels && i < n; i++)
		s->rows[s->n++].label = o->labels[i];
	for (int64_t v = 1; !o->labels && v < VALUES; v++)
		if (p->index[v] >= 0)
			s->rows[s->n++].label = v;
	return HARDY_OK;
}

static hardy_status score_all(hardy_scores *s, const palette *p, const uint8_t *pred, const uint8_t *ref, const hy_grid *g,
                              const hardy_scores_options *o, hardy_error *err)
{
	const hy_score_options options = {.tolerance_mm = o->tolerance_mm,
	                                  .empty = o->empty,
	                                  .hd95_directed = o->hd95_directed,
	                                  .assd_directed = o->assd_directed,
	                                  .nsd_surfels = o->nsd_surfels};
	hy_object_pair pair = {.pred = pred,
	                       .ref = ref,
	                       .n_dims = 3,
	                       .n = {g->nz, g->ny, g->nx},
	                       .spacing_mm = {g->spacing_mm[2], g->spacing_mm[1], g->spacing_mm[0]}};
	hardy_status status = HARDY_OK;
	for (size_t i = 0; i < s->n && !status; i++) {
		const int index = p->index[s->rows[i].label];
		pair.value = (uint8_t)index;
		status = hy_score_object(&pair, &options, s->rows[i].value, &s->rows[i].state, err);
	}
	return status;
}

hardy_status hardy_scores_new(const hardy_image *prediction, const hardy_image *reference, const hardy_scores_options *given,
                              hardy_scores **out, hardy_error *err)
{
	hardy_scores_options o;
	hy_view a, b;
	palette p = {0};
	uint8_t *pred = NULL, *ref = NULL;
	if (!out)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "out is NULL");
	hardy_scores *made = hy_calloc(1, sizeof *made);
	hardy_status status = made ? take_options(&o, given, err) : hy_fail_memory(err, "scores", 1, sizeof *made);
	if (!status)
		status = hy_view_make(&a, prediction, "the prediction", err);
	if (!status)
		status = hy_view_make(&b, reference, "the reference", err);
	if (!status)
		status = check_fit(&a, &b, err);
	if (!status)
		status = palette_init(&p, err);
	if (!status)
		status = read_map(&p, &a, "the prediction", &pred, err);
	if (!status)
		status = read_map(&p, &b, "the reference", &ref, err);
	if (!status)
		status = list_labels(&p, &o, made, err);
	for (size_t i = 0; !status && i < made->n; i++) /* one that neither map has needs an index, too */
		if (palette_add(&p, made->rows[i].label) < 0)
			status = hy_fail(err, HARDY_ERROR_DATA, "more than %d different label values", PALETTE);
	if (!status)
		status = score_all(made, &p, pred, ref, &b.grid, &o, err);
	hy_free(pred);
	hy_free(ref);
	hy_free(p.index);
	if (status)
		hardy_scores_free(made);
	else
		*out = made;
	return status;
}

void hardy_scores_free(hardy_scores *s)
{
	if (!s)
		return;
	hy_free(s->rows);
	hy_free(s);
}

size_t hardy_scores_n(const hardy_scores *s)
{
	return s->n;
}

int64_t hardy_scores_label(const hardy_scores *s, size_t i)
{
	return i < s->n ? s->rows[i].label : -1;
}

hardy_row_state hardy_scores_state(const hardy_scores *s, size_t i)
{
	return i < s->n ? s->rows[i].state : HARDY_N_ROW_STATES;
}

double hardy_scores_value(const hardy_scores *s, size_t i, hardy_score score)
{
	return i < s->n && (unsigned)score < HARDY_N_SCORES ? s->rows[i].value[score] : NAN;
}
