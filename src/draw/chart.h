/*
 * chart.h: small charts as SVG that lies in a page: no script, colours from the page's style sheet, narrow enough for a phone.
 *
 * Series are told apart by colour and by the shape of their marks: the classes s0 to s15 of the style sheet, and hy_chart_mark.
 */
#ifndef HY_DRAW_CHART_H
#define HY_DRAW_CHART_H

#include "draw/html.h"

enum { HY_CHART_SERIES = 16, HY_CHART_WIDTH = 380 };

/* The class of a series' colour, "s3"; series beyond the last begin anew. */
const char *hy_chart_class(size_t series);

/* A mark of a series around (x, y): circle, square, triangle, diamond, and from the fifth on the same hollow. */
void hy_chart_mark(hy_outfile *f, size_t series, double x, double y);

/* A list of names with colour and mark, as a legend. */
void hy_chart_legend(hy_outfile *f, const char *label, const char *const *names, size_t n);

/* How often values occur, in stacked bars. Values that are not finite do not count. */
typedef struct hy_histogram {
	const char *title, *unit; /* text, whatever it holds */
	const double *values;
	const uint8_t *series; /* of each value; NULL: all of the first */
	size_t n, n_series;
	int digits; /* behind the point, at the axis */
} hy_histogram;
void hy_chart_histogram(hy_outfile *f, const hy_histogram *h);

/* A row of a forest plot: a difference with its interval, or, with value NaN, a heading. */
typedef struct hy_forest_row {
	const char *label;
	double value, low, high;
	size_t series;
} hy_forest_row;
/* Differences from 0, one below the other. title names the chart for screen readers. */
void hy_chart_forest(hy_outfile *f, const char *title, const hy_forest_row *rows, size_t n);

/* y over x, both 0 to 1, with the line where they are the same. low: a bound of x for the same y, NaN for none: a line from it to the mark. */
typedef struct hy_dot {
	double x, y, low;
	size_t series;
	const char *label; /* shown when pointed at; NULL */
} hy_dot;
void hy_chart_scatter(hy_outfile *f, const char *title, const char *x_title, const char *y_title, const hy_dot *dots, size_t n);

#endif
