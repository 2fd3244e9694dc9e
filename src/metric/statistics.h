/*
 * statistics.h: mean, spread and order statistics of scores, some of which may be undefined (NaN).
 */
#ifndef HY_METRIC_STATISTICS_H
#define HY_METRIC_STATISTICS_H

#include <stddef.h>

typedef struct hy_summary {
	size_t n;           /* finite values */
	size_t n_undefined; /* NaN or infinite, left out of the rest */
	double mean, sd;    /* sd with n - 1; NaN below two values */
	double min, max;    /* NaN without a value, as mean */
} hy_summary;

hy_summary hy_summarise(const double *values, size_t n);

/* The mean of the values that are defined (finite), as of the Dice of classes; NaN without one. */
double hy_mean_defined(const double *values, size_t n);

/*
 * The quantile q in [0, 1] with linear interpolation at position q (n - 1), as NumPy's default. Reorders values (selection, not
 * a sort: linear time in the mean). NaN when n is 0; no value may be NaN.
 */
double hy_quantile(double *values, size_t n, double q);

#endif
