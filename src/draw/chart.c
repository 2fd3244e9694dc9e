/*
 * chart.c: histograms, forest plots and scatter plots as SVG.
 */
#include "draw/chart.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { WIDTH = HY_CHART_WIDTH, EDGE = 8 };

const char *hy_chart_class(size_t series)
{
	static const char *const names[HY_CHART_SERIES] = {"s0", "s1", "s2",  "s3",  "s4",  "s5",  "s6",  "s7",
	                                                   "s8", "s9", "s10", "s11", "s12", "s13", "s14", "s15"};
	return names[series % HY_CHART_SERIES];
}

static void begin(hy_outfile *f, const char *title, double height)
{
	hy_html_printf(f, "<svg class=\"chart\" role=\"img\" viewBox=\"0 0 %d %.0f\" aria-label=\"%s\">\n", WIDTH, height, title);
}

static void end(hy_outfile *f)
{
	hy_html_printf(f, "</svg>\n");
}

void hy_chart_mark(hy_outfile *f, size_t series, double x, double y)
{
	const char *kind = hy_chart_class(series), *hollow = series / 4 % 2 ? " hollow" : "";
	if (series % 4 == 0)
		hy_html_printf(f, "<circle class=\"mark %s%s\" cx=\"%.1f\" cy=\"%.1f\" r=\"3.4\"/>", kind, hollow, x, y);
	else if (series % 4 == 1)
		hy_html_printf(f, "<path class=\"mark %s%s\" d=\"M%.1f %.1fh6v6h-6z\"/>", kind, hollow, x - 3, y - 3);
	else if (series % 4 == 2)
		hy_html_printf(f, "<path class=\"mark %s%s\" d=\"M%.1f %.1fl4 7h-8z\"/>", kind, hollow, x, y - 4);
	else
		hy_html_printf(f, "<path class=\"mark %s%s\" d=\"M%.1f %.1fl4.2 4.2l-4.2 4.2l-4.2 -4.2z\"/>", kind, hollow, x, y - 4.2);
}

void hy_chart_legend(hy_outfile *f, const char *label, const char *const *names, size_t n)
{
	hy_html_printf(f, "<ul class=\"legend\" aria-label=\"%s\">", label);
	for (size_t i = 0; i < n; i++) {
		hy_html_printf(f, "<li><svg class=\"key\" viewBox=\"0 0 12 12\" aria-hidden=\"true\">");
		hy_chart_mark(f, i, 6, 6);
		hy_html_printf(f, "</svg>%s</li>", names[i]);
	}
	hy_html_printf(f, "</ul>\n");
}

/* ---- histogram ---------------------------------------------------------------------------------------------------------- */

enum { BINS = 12, BAR_TOP = 22, BAR_HEIGHT = 70, HISTOGRAM_HEIGHT = BAR_TOP + BAR_HEIGHT + 20, MOST_SERIES = 4 };

typedef struct bins {
	size_t n[BINS][MOST_SERIES], most, counted;
	double low, high;
} bins;

static void count(const hy_histogram *h, bins *b)
{
	*b = (bins){.low = INFINITY, .high = -INFINITY};
	for (size_t i = 0; i < h->n; i++) {
		if (!isfinite(h->values[i]))
			continue;
		b->low = fmin(b->low, h->values[i]);
		b->high = fmax(b->high, h->values[i]);
		b->counted++;
	}
	for (size_t i = 0; i < h->n && b->high > b->low; i++) {
		if (!isfinite(h->values[i]))
			continue;
		const int64_t at = hy_clamp((int64_t)((h->values[i] - b->low) / (b->high - b->low) * BINS), 0, BINS - 1);
		const size_t series = h->series ? h->series[i] : 0;
		b->n[at][series < MOST_SERIES ? series : MOST_SERIES - 1]++;
	}
	for (int k = 0; k < BINS; k++) {
		size_t sum = 0;
		for (int s = 0; s < MOST_SERIES; s++)
			sum += b->n[k][s];
		b->most = sum > b->most ? sum : b->most;
	}
}

static void put_real(hy_outfile *f, double v, int digits)
{
	char text[64];
	snprintf(text, sizeof text, "%.*f", digits, v);
	hy_html_printf(f, "%s", text);
}

static void put_value(hy_outfile *f, const hy_histogram *h, double v)
{
	put_real(f, v, h->digits);
	hy_html_printf(f, " %s", h->unit);
}

void hy_chart_histogram(hy_outfile *f, const hy_histogram *h)
{
	const double width = (WIDTH - 2 * EDGE) / (double)BINS, bottom = BAR_TOP + BAR_HEIGHT;
	bins b;
	count(h, &b);
	begin(f, h->title, b.high > b.low ? HISTOGRAM_HEIGHT : BAR_TOP);
	hy_html_printf(f, "<text x=\"%d\" y=\"14\" class=\"title\">%s", EDGE, h->title);
	if (!b.counted)
		hy_html_printf(f, ": none");
	if (b.counted && !(b.high > b.low)) {
		hy_html_printf(f, ": all ");
		put_value(f, h, b.low);
	}
	hy_html_printf(f, "</text>\n");
	for (int k = 0; k < BINS && b.high > b.low; k++) {
		double y = bottom;
		const double from = b.low + (b.high - b.low) * k / BINS, to = b.low + (b.high - b.low) * (k + 1) / BINS;
		for (size_t s = 0; s < MOST_SERIES; s++) {
			const double height = BAR_HEIGHT * (double)b.n[k][s] / (double)b.most;
			if (!b.n[k][s])
				continue;
			y -= height;
			hy_html_printf(f, "<rect class=\"bar-of %s\" x=\"%.1f\" y=\"%.1f\" width=\"%.1f\" height=\"%.1f\">",
			               hy_chart_class(s), EDGE + width * k + .5, y, width - 1, height);
			hy_html_printf(f, "<title>%zu from ", b.n[k][s]);
			put_real(f, from, h->digits);
			hy_html_printf(f, " to ");
			put_value(f, h, to);
			hy_html_printf(f, "</title></rect>\n");
		}
	}
	if (b.high > b.low) {
		hy_html_printf(f, "<path class=\"axis\" d=\"M%d %.1fH%d\"/>\n", EDGE, bottom, WIDTH - EDGE);
		hy_html_printf(f, "<text x=\"%d\" y=\"%.1f\">", EDGE, bottom + 13);
		put_value(f, h, b.low);
		hy_html_printf(f, "</text><text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">", WIDTH - EDGE, bottom + 13);
		put_value(f, h, b.high);
		hy_html_printf(f, "</text>\n");
	}
	end(f);
}

/* ---- forest plot -------------------------------------------------------------------------------------------------------- */

enum { ROW = 30, HEADING = 22, MOST_LABEL = 34 };

/* A text that is not wider than the chart: cut between characters. */
static void put_short(hy_outfile *f, const char *text)
{
	char cut[MOST_LABEL * 4 + 8];
	size_t n = 0, at = 0;
	while (text[at] && n < MOST_LABEL && at + 4 < sizeof cut) {
		at++;
		while (((unsigned char)text[at] & 0xc0) == 0x80 && at + 4 < sizeof cut)
			at++;
		n++;
	}
	memcpy(cut, text, at);
	cut[at] = 0;
	hy_html_printf(f, text[at] ? "%s…" : "%s", cut);
}

/* 1, 2 or 5 times a power of ten, with two to five of them on either side of 0. */
static double tick_of(double reach)
{
	const double power = pow(10, floor(log10(reach / 2)));
	return reach / 2 >= 5 * power ? 5 * power : reach / 2 >= 2 * power ? 2 * power : power;
}

static double place(double v, double reach)
{
	return WIDTH / 2. + (WIDTH / 2. - EDGE) * hy_clamp_real(v / reach, -1, 1);
}

static void put_row(hy_outfile *f, const hy_forest_row *r, double reach, double y)
{
	const bool has_interval = isfinite(r->low) && isfinite(r->high);
	hy_html_printf(f, "<text x=\"%d\" y=\"%.1f\">", EDGE, y + 11);
	put_short(f, r->label);
	hy_html_printf(f, "<title>%s</title></text><text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%+.3f", r->label, WIDTH - EDGE,
	               y + 11, r->value);
	if (has_interval)
		hy_html_printf(f, " (%+.3f to %+.3f)", r->low, r->high);
	hy_html_printf(f, "</text>\n");
	if (has_interval)
		hy_html_printf(f, "<path class=\"whisker %s\" d=\"M%.1f %.1fH%.1f\"/>", hy_chart_class(r->series), place(r->low, reach),
		               y + 20, place(r->high, reach));
	hy_chart_mark(f, r->series, place(r->value, reach), y + 20);
	hy_html_printf(f, "\n");
}

void hy_chart_forest(hy_outfile *f, const char *title, const hy_forest_row *rows, size_t n)
{
	double reach = 0, height = 4;
	for (size_t i = 0; i < n; i++) {
		const double ends[] = {rows[i].value, rows[i].low, rows[i].high};
		for (int k = 0; k < 3; k++)
			reach = isfinite(ends[k]) ? fmax(reach, fabs(ends[k])) : reach;
		height += isfinite(rows[i].value) ? ROW : HEADING;
	}
	reach = fmax(1.05 * reach, 1e-3);
	const double bottom = height, tick = tick_of(reach);
	begin(f, title, bottom + 32);
	for (int k = -5; k <= 5; k++) {
		const double x = place(k * tick, reach);
		if (fabs(k * tick) > reach)
			continue;
		hy_html_printf(f, "<path class=\"%s\" d=\"M%.1f 2V%.1f\"/>", k ? "grid" : "axis", x, bottom);
		hy_html_printf(f, "<text x=\"%.1f\" y=\"%.1f\" text-anchor=\"middle\">", x, bottom + 12);
		hy_html_printf(f, k ? "%+g</text>\n" : "0</text>\n", k * tick);
	}
	hy_html_printf(f, "<text x=\"%d\" y=\"%.1f\">worse</text><text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">better</text>\n",
	               EDGE, bottom + 26, WIDTH - EDGE, bottom + 26);
	double y = 4;
	for (size_t i = 0; i < n; i++) {
		if (isfinite(rows[i].value)) {
			put_row(f, &rows[i], reach, y);
			y += ROW;
			continue;
		}
		hy_html_printf(f, "<text class=\"title\" x=\"%d\" y=\"%.1f\">", EDGE, y + 15);
		put_short(f, rows[i].label);
		hy_html_printf(f, "<title>%s</title></text>\n", rows[i].label);
		y += HEADING;
	}
	end(f);
}

/* ---- scatter plot ------------------------------------------------------------------------------------------------------- */

enum { LEFT = 40, TOP = 8, SIDE = WIDTH - LEFT - 12, BOTTOM = TOP + SIDE };

static double right_of(double v)
{
	return LEFT + SIDE * hy_clamp_real(v, 0, 1);
}

static double down_of(double v)
{
	return BOTTOM - SIDE * hy_clamp_real(v, 0, 1);
}

void hy_chart_scatter(hy_outfile *f, const char *title, const char *x_title, const char *y_title, const hy_dot *dots, size_t n)
{
	begin(f, title, BOTTOM + 34);
	for (int k = 0; k <= 5; k++) {
		const double v = k / 5.;
		hy_html_printf(f, "<path class=\"grid\" d=\"M%.1f %dV%dM%d %.1fH%d\"/>", right_of(v), TOP, BOTTOM, LEFT, down_of(v),
		               LEFT + SIDE);
		hy_html_printf(f, "<text x=\"%.1f\" y=\"%d\" text-anchor=\"middle\">%.1f</text>", right_of(v), BOTTOM + 13, v);
		hy_html_printf(f, "<text x=\"%d\" y=\"%.1f\" text-anchor=\"end\">%.1f</text>\n", LEFT - 5, down_of(v) + 3.5, v);
	}
	hy_html_printf(f, "<path class=\"axis\" d=\"M%.1f %.1fL%.1f %.1f\"/>\n", right_of(0), down_of(0), right_of(1), down_of(1));
	hy_html_printf(f, "<text x=\"%d\" y=\"%d\" text-anchor=\"middle\">%s</text>", LEFT + SIDE / 2, BOTTOM + 28, x_title);
	hy_html_printf(f, "<text transform=\"translate(11 %d) rotate(-90)\" text-anchor=\"middle\">%s</text>\n", TOP + SIDE / 2,
	               y_title);
	for (size_t i = 0; i < n; i++) {
		const hy_dot *d = &dots[i];
		if (!isfinite(d->x) || !isfinite(d->y))
			continue;
		hy_html_printf(f, "<g class=\"dot\">");
		if (d->label)
			hy_html_printf(f, "<title>%s: %.3f predicted, %.3f found</title>", d->label, d->x, d->y);
		if (isfinite(d->low))
			hy_html_printf(f, "<path class=\"whisker %s\" d=\"M%.1f %.1fH%.1f\"/>", hy_chart_class(d->series), right_of(d->low),
			               down_of(d->y), right_of(d->x));
		hy_chart_mark(f, d->series, right_of(d->x), down_of(d->y));
		hy_html_printf(f, "</g>\n");
	}
	end(f);
}
