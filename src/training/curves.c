/*
 * curves.c: losses, rate and Dice over the steps of a training, as SVG.
 */
#include "training/curves.h"

#include "base/csv.h"
#include "base/memory.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

enum { STEP, LOSS, RATE, DICE, N_CURVES, MAX_FIELDS = 64, WIDTH = 720, LEFT = 56, RIGHT = 16, TOP = 40, PANEL = 180, GAP = 44 };

static const char *const columns[N_CURVES] = {"step", "loss", "learning_rate", "val_stn_dice"};
static const char *const colours[N_CURVES] = {"", "#0072b2", "#999999", "#d55e00"};

typedef struct points {
	double (*v)[N_CURVES]; /* owned; NaN where there is none */
	size_t n, room;
} points;

/* A panel: values from low (at the bottom) to high. */
typedef struct axis {
	double top, low, high;
	bool logarithmic;
} axis;

static bool add_point(points *p, char *const *field, const size_t *at, size_t n)
{
	if (p->n == p->room) {
		const size_t room = p->room ? 2 * p->room : 256;
		double(*more)[N_CURVES] = hy_realloc(p->v, room, sizeof *more);
		if (!more)
			return false;
		p->v = more;
		p->room = room;
	}
	for (int k = 0; k < N_CURVES; k++)
		p->v[p->n][k] = at[k] < n ? hy_number(field[at[k]]) : NAN;
	p->n += isfinite(p->v[p->n][STEP]);
	return true;
}

static bool read_points(points *p, char *text)
{
	char *field[MAX_FIELDS];
	size_t at[N_CURVES];
	hy_csv csv = hy_csv_begin(text);
	const size_t all = hy_csv_row(&csv, field, MAX_FIELDS), n = all < MAX_FIELDS ? all : MAX_FIELDS;
	for (int k = 0; k < N_CURVES; k++)
		for (at[k] = 0; at[k] < n && strcmp(field[at[k]], columns[k]) != 0; at[k]++)
			;
	bool good = all > 0; /* no table, no points */
	while (good && hy_csv_row(&csv, field, MAX_FIELDS) == all)
		good = add_point(p, field, at, n);
	return good || !all;
}

static void range(const points *p, int curve, double *low, double *high)
{
	*low = INFINITY;
	*high = -INFINITY;
	for (size_t i = 0; i < p->n; i++) {
		*low = fmin(*low, p->v[i][curve]); /* passes over NaN */
		*high = fmax(*high, p->v[i][curve]);
	}
}

static double height_of(const axis *a, double v)
{
	const double share = a->logarithmic ? log(v / a->low) / log(a->high / a->low) : (v - a->low) / (a->high - a->low);
	return a->top + PANEL * (1 - hy_clamp_real(share, 0, 1));
}

static double place_of(const points *p, double step)
{
	const double last = p->v[p->n - 1][STEP];
	return LEFT + (WIDTH - LEFT - RIGHT) * (last > 0 ? step / last : 0);
}

static void draw_line(hy_text *out, const axis *a, double v)
{
	const double y = height_of(a, v);
	hy_text_printf(out, "<path d=\"M%d %.1fH%d\" stroke=\"#888\" stroke-opacity=\".35\"/>\n", LEFT, y, WIDTH - RIGHT);
	hy_text_printf(out, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%g</text>\n", LEFT - 6, y + 4, v);
}

static void draw_curve(hy_text *out, const points *p, int curve, const axis *a)
{
	size_t n = 0;
	for (size_t i = 0; i < p->n; i++) {
		const double v = p->v[i][curve];
		if (!isfinite(v) || (a->logarithmic && v <= 0))
			continue;
		hy_text_printf(out, "%s%.1f %.1f", n++ ? "L" : "<path d=\"M", place_of(p, p->v[i][STEP]), height_of(a, v));
	}
	/* one value is a dot */
	if (n)
		hy_text_printf(out, "%s\" fill=\"none\" stroke=\"%s\" stroke-width=\"%s\"%s/>\n", n > 1 ? "" : "h0", colours[curve],
		               n > 1 ? "1.6" : "6", n > 1 ? "" : " stroke-linecap=\"round\"");
}

static void draw_steps(hy_text *out, const points *p, double y)
{
	const double last = p->v[p->n - 1][STEP];
	for (int k = 0; k <= 4; k++)
		hy_text_printf(out, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"%s\">%.0f</text>\n", place_of(p, last * k / 4), y,
		               k == 0   ? "start"
		               : k == 4 ? "end"
		                        : "middle",
		               last * k / 4);
}

/* Loss on whole decades, the rate behind it from 0 to its largest. */
static void draw_losses(hy_text *out, const points *p)
{
	double low, high, none, rate;
	range(p, LOSS, &low, &high);
	range(p, RATE, &none, &rate);
	if (!(low > 0) || !(low <= high))
		return;
	axis a = {TOP, pow(10, floor(log10(low))), pow(10, ceil(log10(high))), true};
	a.high = a.high > a.low ? a.high : 10 * a.low;
	for (double v = a.low; v <= a.high * 1.01; v *= 10)
		draw_line(out, &a, v);
	if (rate > 0)
		draw_curve(out, p, RATE, &(axis){TOP, 0, rate, false});
	draw_curve(out, p, LOSS, &a);
	hy_text_printf(out, "<text x=\"%d\" y=\"%d\"><tspan fill=\"%s\">loss</tspan>, now %.4g; ", LEFT, TOP - 8, colours[LOSS],
	               p->v[p->n - 1][LOSS]);
	hy_text_printf(out, "<tspan fill=\"%s\">learning rate</tspan>, up to %.3g</text>\n", colours[RATE], rate);
	draw_steps(out, p, TOP + PANEL + 16);
}

static void draw_dice(hy_text *out, const points *p)
{
	const double top = TOP + PANEL + GAP;
	double low, high, now = NAN;
	range(p, DICE, &low, &high);
	if (!(low <= high))
		return;
	const axis a = {top, fmin(0.8, floor(low * 5) / 5), 1, false};
	for (int k = 0; k <= 4; k++)
		draw_line(out, &a, a.low + (a.high - a.low) * k / 4);
	draw_curve(out, p, DICE, &a);
	for (size_t i = 0; i < p->n; i++)
		now = isfinite(p->v[i][DICE]) ? p->v[i][DICE] : now;
	hy_text_printf(
	    out,
	    "<text x=\"%d\" y=\"%.0f\"><tspan fill=\"%s\">Dice of the validation subjects</tspan>, now %.4f, best %.4f</text>\n",
	    LEFT, top - 8, colours[DICE], now, high);
	draw_steps(out, p, top + PANEL + 16);
}

static void put_text(hy_text *out, const char *text)
{
	for (; *text; text++) {
		const unsigned char c = (unsigned char)*text;
		if (strchr("&<>\"", c))
			hy_text_printf(out, "&#%d;", c);
		else
			hy_text_printf(out, "%c", c < 32 || c > 126 ? '?' : c);
	}
}

void hy_curves_draw(hy_text *out, char *csv, const char *title)
{
	points p = {0};
	const int height = TOP + 2 * PANEL + GAP + 28;
	if (!read_points(&p, csv))
		out->failed = true;
	hy_text_printf(
	    out,
	    "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 %d %d\" font-family=\"sans-serif\" font-size=\"12\" "
	    "fill=\"#444\">" HY_CURVES_MARK "\n<rect width=\"%d\" height=\"%d\" fill=\"#fff\"/>\n<title>",
	    WIDTH, height, WIDTH, height);
	put_text(out, title);
	hy_text_printf(out, "</title>\n");
	if (p.n) {
		draw_losses(out, &p);
		draw_dice(out, &p);
	}
	hy_text_printf(out, "</svg>\n");
	hy_free(p.v);
}
