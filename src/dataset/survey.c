/*
 * survey.c: grid and directions from labels.
 */
#include "dataset/survey.h"

#include "base/memory.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>

static const double pi = 3.14159265358979323846;

/* ---- one scan ----------------------------------------------------------------------------------------------------------- */

typedef struct moments {
	double n, x, y, xx, xy, yy;
} moments;

static void add_row(hy_survey_scan *scan, moments *m, const hy_grid *g, int64_t j, const uint8_t *row)
{
	const double y = ((double)j - (double)(g->ny - 1) / 2) * g->spacing_mm[1];
	for (int64_t i = 0; i < g->nx; i++) {
		if (!row[i] || row[i] >= HY_MAX_CLASSES)
			continue;
		const double x = ((double)i - (double)(g->nx - 1) / 2) * g->spacing_mm[0];
		scan->n[row[i]]++;
		scan->centre_mm[row[i]][0] += x;
		scan->centre_mm[row[i]][1] += y;
		scan->reach_mm = fmax(scan->reach_mm, fmax(fabs(x) + g->spacing_mm[0] / 2, fabs(y) + g->spacing_mm[1] / 2));
		m->n++;
		m->x += x;
		m->y += y;
		m->xx += x * x;
		m->xy += x * y;
		m->yy += y * y;
	}
}

/* Size, direction of the greatest variance, and how much longer than the other. */
static void measure_shape(hy_survey_scan *scan, const moments *m)
{
	const double xx = m->xx / m->n - m->x / m->n * (m->x / m->n), yy = m->yy / m->n - m->y / m->n * (m->y / m->n);
	const double xy = m->xy / m->n - m->x / m->n * (m->y / m->n);
	const double mean = (xx + yy) / 2, apart = hypot((xx - yy) / 2, xy);
	scan->radius_mm = sqrt(xx + yy);
	scan->axis_deg = 0.5 * atan2(2 * xy, xx - yy) * 180 / pi;
	scan->elongation = mean > apart ? sqrt((mean + apart) / (mean - apart)) : 1e3;
}

static hardy_status make_room(hy_survey *s, hardy_error *err)
{
	if (s->n < s->room)
		return HARDY_OK;
	const size_t room = s->room ? 2 * s->room : 64;
	hy_survey_scan *more = hy_realloc(s->scans, room, sizeof *more);
	s->scans = more ? more : s->scans;
	double *sorted = more ? hy_realloc(s->sorted, room, sizeof *sorted) : NULL;
	if (!sorted)
		return hy_fail_memory(err, "a survey of scans", room, sizeof *more);
	s->sorted = sorted;
	s->room = room;
	return HARDY_OK;
}

hardy_status hy_survey_measure(hy_survey_scan *scan, const hy_plan *p, const hy_grid *g, const uint8_t *labels, double *n,
                               hardy_error *err)
{
	const hy_order order = hy_plan_order(p, g);
	const hy_grid moved = hy_order_grid(&order, g);
	moments m = {0};
	uint8_t *own;
	const uint8_t *row = hy_order_labels(&order, g, labels, &own);
	if (!row)
		return hy_fail_memory(err, "labels", (size_t)hy_grid_voxels(g), 1);
	*scan = (hy_survey_scan){.spacing_mm = (moved.spacing_mm[0] + moved.spacing_mm[1]) / 2};
	scan->thickness = moved.spacing_mm[2] / scan->spacing_mm;
	scan->image_mm = fmax((double)moved.nx * moved.spacing_mm[0], (double)moved.ny * moved.spacing_mm[1]);
	for (int64_t k = 0; k < moved.nz * moved.ny; k++) {
		const double before = m.n, z = ((double)(k / moved.ny) - (double)(moved.nz - 1) / 2) * moved.spacing_mm[2];
		add_row(scan, &m, &moved, k % moved.ny, row + k * moved.nx);
		if (m.n > before)
			scan->depth_mm = fmax(scan->depth_mm, fabs(z) + moved.spacing_mm[2] / 2);
	}
	hy_free(own);
	*n = m.n;
	if (m.n < 1)
		return HARDY_OK;
	for (int c = 1; c < HY_MAX_CLASSES; c++)
		for (int a = 0; a < 2 && scan->n[c] > 0; a++)
			scan->centre_mm[c][a] /= scan->n[c];
	scan->n[0] = m.n;
	scan->centre_mm[0][0] = m.x / m.n;
	scan->centre_mm[0][1] = m.y / m.n;
	measure_shape(scan, &m);
	return HARDY_OK;
}

hardy_status hy_survey_put(hy_survey *s, const hy_survey_scan *scan, hardy_error *err)
{
	const hardy_status status = make_room(s, err);
	if (!status)
		s->scans[s->n++] = *scan;
	return status;
}

hardy_status hy_survey_add(hy_survey *s, const hy_plan *p, const hy_grid *g, const uint8_t *labels, int subject,
                           hardy_error *err)
{
	hy_survey_scan scan;
	double n;
	const hardy_status status = hy_survey_measure(&scan, p, g, labels, &n, err);
	scan.subject = subject;
	return status || n < 1 ? status : hy_survey_put(s, &scan, err);
}

void hy_survey_clear(hy_survey *s)
{
	hy_free(s->scans);
	hy_free(s->sorted);
	*s = (hy_survey){0};
}

/* ---- the grid ----------------------------------------------------------------------------------------------------------- */

static int ascending(const void *a, const void *b)
{
	const double x = *(const double *)a, y = *(const double *)b;
	return (x > y) - (x < y);
}

/* The value that a share of the scans does not exceed, of the member at offset; NaN where there is no scan. */
static double quantile(const hy_survey *s, size_t offset, double share)
{
	if (!s->n)
		return NAN;
	for (size_t i = 0; i < s->n; i++)
		s->sorted[i] = *(const double *)(const void *)((const char *)&s->scans[i] + offset);
	qsort(s->sorted, s->n, sizeof *s->sorted, ascending);
	return s->sorted[(size_t)(share * (double)(s->n - 1) + 0.5)];
}

int hy_survey_neighbours(const hy_survey *s)
{
	return quantile(s, offsetof(hy_survey_scan, thickness), 0.5) <= 2;
}

int hy_survey_planes(const hy_survey *s, double view_mm)
{
	const bool fits = 2 * quantile(s, offsetof(hy_survey_scan, depth_mm), 0.9) <= view_mm;
	return hy_survey_neighbours(s) && fits ? 3 : 1;
}

/* Three digits are enough for anyone to type. */
static double three_digits(double v)
{
	const double unit = pow(10, floor(log10(v)) - 2);
	return ceil(v / unit - 1e-6) * unit;
}

void hy_survey_grid(const hy_survey *s, int64_t *size, double *spacing_mm)
{
	const double margin = 1.25, usual_mm = (double)*size * *spacing_mm;
	const double need_mm = 2 * quantile(s, offsetof(hy_survey_scan, reach_mm), 0.9);
	const double image_mm = quantile(s, offsetof(hy_survey_scan, image_mm), 1);
	const double own_mm = quantile(s, offsetof(hy_survey_scan, spacing_mm), 0.5);
	const double most_mm = 1.1 * usual_mm; /* prediction follows what reaches the edge of its window */
	if (!(need_mm > 0) || (need_mm <= most_mm && need_mm > usual_mm / 2))
		return;
	if (need_mm > usual_mm) {
		*spacing_mm = three_digits(need_mm / (double)*size);
		return;
	}
	/* what lies around a small object helps to find it: whole slices where they are not much larger */
	const double view_mm = image_mm <= 2 * need_mm ? image_mm : margin * need_mm;
	*spacing_mm = three_digits(fmax(own_mm, view_mm / (double)*size));
	const int64_t wanted = ((int64_t)ceil(view_mm / *spacing_mm - 1e-6) + 15) / 16 * 16;
	*size = wanted < 32 ? 32 : wanted < *size ? wanted : *size;
}

/* ---- directions --------------------------------------------------------------------------------------------------------- */

/* The vector from the centre of class a to that of b; false where the scan lacks one. */
static bool between(const hy_survey_scan *scan, int a, int b, double v[2])
{
	if (!(scan->n[a] > 0) || !(scan->n[b] > 0))
		return false;
	for (int k = 0; k < 2; k++)
		v[k] = scan->centre_mm[b][k] - scan->centre_mm[a][k];
	return hypot(v[0], v[1]) > 0;
}

/* The pair of classes whose centres lie farthest apart, in the mean, of those that most scans have; in mm. */
static double farthest(const hy_survey *s, int *from, int *to)
{
	double most = 0;
	for (int a = 1; a < HY_MAX_CLASSES; a++) {
		for (int b = a + 1; b < HY_MAX_CLASSES; b++) {
			double sum = 0, v[2];
			size_t n = 0;
			for (size_t i = 0; i < s->n; i++) {
				if (!between(&s->scans[i], a, b, v))
					continue;
				sum += hypot(v[0], v[1]);
				n++;
			}
			if (2 * n > s->n && sum / (double)n > most) {
				most = sum / (double)n;
				*from = a;
				*to = b;
			}
		}
	}
	return most;
}

/* One direction of each subject, the mean of its scans; fold 2: directions that are 180 degrees apart are one. */
static double spread(const hy_survey *s, int from, int to, int fold)
{
	double x = 0, y = 0;
	int n = 0;
	for (size_t i = 0; i < s->n; i++) {
		double at[2] = {0, 0};
		bool first = true;
		for (size_t k = 0; k < s->n; k++) {
			const hy_survey_scan *scan = &s->scans[k];
			double v[2] = {cos(scan->axis_deg * pi / 180), sin(scan->axis_deg * pi / 180)};
			if (scan->subject != s->scans[i].subject)
				continue;
			first &= k >= i;
			if (from && !between(scan, from, to, v))
				continue;
			const double angle = fold * atan2(v[1], v[0]);
			at[0] += cos(angle);
			at[1] += sin(angle);
		}
		const double length = hypot(at[0], at[1]);
		if (!first || !(length > 1e-6))
			continue;
		x += at[0] / length;
		y += at[1] / length;
		n++;
	}
	if (n < 3)
		return NAN;
	/* Mardia and Jupp, Directional Statistics: sqrt(-2 log R); as few subjects as there are say too little, as with a variance */
	const double r = fmin(hypot(x, y) / n, 1), degrees = sqrt(-2 * log(fmax(r, 1e-12))) * 180 / pi / fold;
	return degrees * sqrt((double)n / (n - 1));
}

hy_alike hy_survey_alike(const hy_survey *s)
{
	hy_alike a = {.spread_deg = NAN};
	const double apart = farthest(s, &a.from, &a.to), radius = quantile(s, offsetof(hy_survey_scan, radius_mm), 0.5);
	if (apart > radius / 2) {
		a.spread_deg = spread(s, a.from, a.to, 1);
		return a;
	}
	a.from = a.to = 0;
	if (quantile(s, offsetof(hy_survey_scan, elongation), 0.5) >= 1.5)
		a.spread_deg = spread(s, 0, 0, 2);
	return a;
}
