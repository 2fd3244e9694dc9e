/*
 * calibration.c: ridge regression, then isotonic regression (pool adjacent violators) over groups of equal size.
 *
 * Few subjects stand behind many spoiled copies, so that a free fit would learn those subjects: the penalty is as large as a
 * standardised signal's own variance, which makes the regression little more than a weighted mean of the signals.
 */
#include "predict/calibration.h"

#include "base/memory.h"
#include "base/text.h"
#include "metric/ranking.h"
#include "metric/statistics.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const double PENALTY = 1, COVERAGE = 0.9, LEAST_STEP = 1e-9;
enum { LEAST_PREDICTIONS = 2 * HY_MAX_KNOTS };

/* One prediction while it is fitted. */
typedef struct row {
	double x[HY_N_SIGNALS], dice, score;
	int subject;
} row;

/* ---- regression --------------------------------------------------------------------------------------------------------- */

static double regress(const hy_calibration *c, const double x[HY_N_SIGNALS])
{
	double sum = c->intercept;
	for (int k = 0; k < HY_N_SIGNALS; k++)
		sum += c->weight[k] * (x[k] - c->mean[k]) / c->sd[k];
	return sum;
}

/* Solves a w = b for a symmetric positive definite a, which is overwritten by its Cholesky factor; b becomes w. */
static void solve(double a[HY_N_SIGNALS][HY_N_SIGNALS], double b[HY_N_SIGNALS])
{
	for (int i = 0; i < HY_N_SIGNALS; i++) {
		for (int j = 0; j <= i; j++) {
			double sum = a[i][j];
			for (int k = 0; k < j; k++)
				sum -= a[i][k] * a[j][k];
			a[i][j] = i == j ? sqrt(sum) : sum / a[j][j];
		}
		for (int k = 0; k < i; k++)
			b[i] -= a[i][k] * b[k];
		b[i] /= a[i][i];
	}
	for (int i = HY_N_SIGNALS - 1; i >= 0; i--) {
		for (int k = i + 1; k < HY_N_SIGNALS; k++)
			b[i] -= a[k][i] * b[k];
		b[i] /= a[i][i];
	}
}

static void standardise(hy_calibration *c, const row *rows, size_t n)
{
	for (int k = 0; k < HY_N_SIGNALS; k++) {
		double sum = 0, squares = 0;
		for (size_t i = 0; i < n; i++)
			sum += rows[i].x[k];
		c->mean[k] = sum / (double)n;
		for (size_t i = 0; i < n; i++)
			squares += (rows[i].x[k] - c->mean[k]) * (rows[i].x[k] - c->mean[k]);
		c->sd[k] = fmax(sqrt(squares / (double)n), 1e-6);
	}
}

static void fit_regression(hy_calibration *c, const row *rows, size_t n)
{
	double a[HY_N_SIGNALS][HY_N_SIGNALS] = {{0}}, b[HY_N_SIGNALS] = {0}, z[HY_N_SIGNALS], sum = 0;
	standardise(c, rows, n);
	for (size_t i = 0; i < n; i++)
		sum += rows[i].dice;
	c->intercept = sum / (double)n;
	for (size_t i = 0; i < n; i++) {
		for (int k = 0; k < HY_N_SIGNALS; k++) {
			z[k] = (rows[i].x[k] - c->mean[k]) / c->sd[k];
			b[k] += z[k] * (rows[i].dice - c->intercept) / (double)n;
			for (int j = 0; j <= k; j++)
				a[k][j] += z[k] * z[j] / (double)n;
		}
	}
	for (int k = 0; k < HY_N_SIGNALS; k++)
		a[k][k] += PENALTY;
	solve(a, b);
	memcpy(c->weight, b, sizeof b);
}

/* ---- monotone map ------------------------------------------------------------------------------------------------------- */

static double interpolate(const double *x, const double *y, int n, double at)
{
	if (!(at > x[0]))
		return y[0];
	for (int k = 1; k < n; k++)
		if (at < x[k])
			return y[k - 1] + (y[k] - y[k - 1]) * (at - x[k - 1]) / (x[k] - x[k - 1]);
	return y[n - 1];
}

/* By score, and where these agree by what does not depend on the sort. */
static int by_score(const void *a, const void *b)
{
	const row *p = a, *q = b;
	if (p->score != q->score)
		return p->score < q->score ? -1 : 1;
	return p->dice != q->dice ? (p->dice < q->dice ? -1 : 1) : p->subject - q->subject;
}

/* rows are sorted by score. Groups of equal size, then neighbours in the wrong order are joined. */
static void fit_map(hy_calibration *c, const row *rows, size_t n)
{
	double weight[HY_MAX_KNOTS];
	int n_knots = 0;
	for (size_t g = 0, at = 0; g < HY_MAX_KNOTS; g++) {
		const size_t end = (g + 1) * n / HY_MAX_KNOTS;
		double x = 0, y = 0, w = (double)(end - at);
		if (end == at)
			continue;
		for (; at < end; at++) {
			x += rows[at].score;
			y += rows[at].dice;
		}
		x /= w;
		y /= w;
		while (n_knots && (c->knot_y[n_knots - 1] >= y || c->knot_x[n_knots - 1] >= x - LEAST_STEP)) {
			const double v = weight[--n_knots];
			x = (x * w + c->knot_x[n_knots] * v) / (w + v);
			y = (y * w + c->knot_y[n_knots] * v) / (w + v);
			w += v;
		}
		c->knot_x[n_knots] = x;
		c->knot_y[n_knots] = y;
		weight[n_knots++] = w;
	}
	c->n_knots = n_knots;
}

static double predict(const hy_calibration *c, const double x[HY_N_SIGNALS])
{
	return interpolate(c->knot_x, c->knot_y, c->n_knots, regress(c, x));
}

static void fit_both(hy_calibration *c, row *rows, size_t n)
{
	fit_regression(c, rows, n);
	for (size_t i = 0; i < n; i++)
		rows[i].score = regress(c, rows[i].x);
	qsort(rows, n, sizeof *rows, by_score);
	fit_map(c, rows, n);
}

/* ---- held-out subjects -------------------------------------------------------------------------------------------------- */

/* Gives each row the score that the other subjects predict for it. */
static void hold_out(const hy_calibration *c, row *rows, row *others, size_t n, int n_subjects)
{
	for (int s = 0; s < n_subjects; s++) {
		hy_calibration fold = *c;
		size_t n_others = 0;
		for (size_t i = 0; i < n; i++)
			if (rows[i].subject != s)
				others[n_others++] = rows[i];
		fit_both(&fold, others, n_others);
		for (size_t i = 0; i < n; i++)
			if (rows[i].subject == s)
				rows[i].score = predict(&fold, rows[i].x);
	}
}

/* rows are sorted by held-out score. What nine in ten errors stay below, in thirds. */
static void fit_margins(hy_calibration *c, const row *rows, double *errors, size_t n)
{
	for (size_t g = 0, at = 0; g < HY_N_MARGINS; g++) {
		const size_t begin = at, end = (g + 1) * n / HY_N_MARGINS;
		double x = 0;
		for (; at < end; at++) {
			x += rows[at].score / (double)(end - begin);
			errors[at - begin] = rows[at].score - rows[at].dice;
		}
		c->margin_x[g] = g && x <= c->margin_x[g - 1] ? nextafter(c->margin_x[g - 1], 2) : x;
		c->margin[g] = fmax(hy_quantile(errors, end - begin, COVERAGE), 0);
	}
}

static hardy_status judge(hy_calibration *c, row *rows, row *others, size_t n, int n_subjects, hardy_error *err)
{
	double *values = hy_alloc(n, sizeof *values), error = 0;
	bool *poor = hy_alloc(n, sizeof *poor);
	hardy_status status = HARDY_OK;
	if (!values || !poor) {
		status = hy_fail_memory(err, "a calibration", n, sizeof *values);
		goto out;
	}
	hold_out(c, rows, others, n, n_subjects);
	qsort(rows, n, sizeof *rows, by_score);
	c->n_below = 0;
	for (size_t i = 0; i < n; i++) {
		values[i] = rows[i].score;
		poor[i] = rows[i].dice < HY_DICE_POOR;
		c->n_below += poor[i];
		error += fabs(rows[i].score - rows[i].dice);
	}
	c->error = error / (double)n;
	status = hy_auc(values, poor, n, &c->auc, err);
	c->auc = isnan(c->auc) ? -1 : c->auc;
	if (!status)
		fit_margins(c, rows, values, n);
out:
	hy_free(values);
	hy_free(poor);
	return status;
}

/* ---- public ------------------------------------------------------------------------------------------------------------- */

hardy_status hy_calibration_fit(hy_calibration *c, const hy_known *known, size_t n, hardy_error *err)
{
	hy_calibration made = *c;
	int n_subjects = 0;
	for (size_t i = 0; i < n; i++)
		n_subjects = known[i].subject >= n_subjects ? known[i].subject + 1 : n_subjects;
	if (n_subjects < HY_CALIBRATION_SUBJECTS || n < LEAST_PREDICTIONS)
		return hy_fail(err, HARDY_ERROR_DATA, "%s and %s are too few to calibrate the predicted Dice, want %d and %d or more",
		               HY_COUNT(n_subjects, "subject"), HY_COUNT(n, "prediction"), HY_CALIBRATION_SUBJECTS, LEAST_PREDICTIONS);
	row *rows = hy_alloc(n, 2 * sizeof *rows);
	if (!rows)
		return hy_fail_memory(err, "a calibration", n, 2 * sizeof *rows);
	for (size_t i = 0; i < n; i++) {
		rows[i] = (row){.dice = known[i].dice, .subject = known[i].subject};
		hy_signals_vector(&known[i].signals, c->presence, rows[i].x);
	}
	made.version = HY_CALIBRATION_VERSION;
	made.n_subjects = n_subjects;
	made.n_predictions = (int64_t)n;
	fit_both(&made, rows, n);
	const hardy_status status = judge(&made, rows, rows + n, n, n_subjects, err);
	if (!status)
		*c = made;
	hy_free(rows);
	return status;
}

void hy_calibration_apply(const hy_calibration *c, const hy_signals *s, double *dice, double *low)
{
	double x[HY_N_SIGNALS];
	hy_signals_vector(s, c->presence, x);
	*dice = fmin(fmax(predict(c, x), 0), 1);
	*low = fmax(*dice - interpolate(c->margin_x, c->margin, HY_N_MARGINS, *dice), 0);
}
