/*
 * fingerprint.c: ranges over training volumes, and the comparison of a scan with them.
 */
#include "predict/fingerprint.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static void measure(const hy_slices *s, int64_t channel, double *mean, double *sd)
{
	const int64_t plane = s->height * s->width;
	double sum = 0, squares = 0;
	for (int64_t z = 0; z < s->n; z++) {
		const float *v = s->image + (z * s->channels + channel) * plane;
		for (int64_t i = 0; i < plane; i++) {
			sum += (double)v[i];
			squares += (double)v[i] * (double)v[i];
		}
	}
	const double n = (double)(s->n * plane), m = sum / n, variance = squares / n - m * m;
	*mean = m;
	*sd = variance > 0 ? sqrt(variance) : 0;
}

static void widen(double *low, double *high, double v, bool first)
{
	if (first || v < *low)
		*low = v;
	if (first || v > *high)
		*high = v;
}

/* Slices along z, as the network takes them. */
static hy_grid stacked(const hy_grid *grid)
{
	const hy_order order = hy_order_stack(hy_stack_axis(grid));
	return hy_order_grid(&order, grid);
}

void hy_fingerprint_add(hy_fingerprint *f, const hy_grid *stored, const hy_slices *slices, int n_channels)
{
	const hy_grid moved = stacked(stored), *grid = &moved;
	const bool first = f->n_volumes == 0;
	const int64_t matrix[3] = {grid->nx, grid->ny, grid->nz};
	for (int k = 0; k < 3; k++) {
		widen(&f->spacing_low_mm[k], &f->spacing_high_mm[k], grid->spacing_mm[k], first);
		widen(&f->matrix_low[k], &f->matrix_high[k], (double)matrix[k], first);
	}
	for (int c = 0; c < n_channels; c++) {
		double mean, sd;
		measure(slices, c, &mean, &sd);
		widen(&f->mean_low[c], &f->mean_high[c], mean, first);
		widen(&f->sd_low[c], &f->sd_high[c], sd, first);
	}
	f->n_volumes++;
}

/* "1.250 to 1.875", or one number where both read alike. */
static const char *range(double low, double high, char text[64])
{
	char last[32];
	snprintf(text, 32, "%.3f", low);
	snprintf(last, sizeof last, "%.3f", high);
	if (strcmp(text, last) != 0)
		snprintf(text + strlen(text), 32, " to %.24s", last);
	return text;
}

static void check_intensity(const char *what, int64_t channel, double v, double low, double high,
                            void (*found)(void *, const char *), void *payload)
{
	const double margin = fmax(HY_FINGERPRINT_INTENSITY_MARGIN * (high - low), HY_FINGERPRINT_INTENSITY_LEAST);
	char text[200], where[32] = "", both[64];
	if (v >= low - margin && v <= high + margin)
		return;
	if (channel)
		snprintf(where, sizeof where, " of channel %lld", (long long)channel);
	snprintf(text, sizeof text, "%s of the scaled intensities%s is %.3f, training scans have %s", what, where, v,
	         range(low, high, both));
	found(payload, text);
}

void hy_fingerprint_check(const hy_fingerprint *f, const hy_grid *stored, const hy_slices *slices, int n_channels,
                          void (*found)(void *payload, const char *text), void *payload)
{
	const hy_grid moved = stacked(stored), *grid = &moved;
	static const char axes[] = "xyz";
	char text[200], both[64];
	if (f->n_volumes < 1)
		return;
	for (int k = 0; k < 3; k++) {
		const double v = grid->spacing_mm[k], low = f->spacing_low_mm[k], high = f->spacing_high_mm[k];
		if (v >= low / HY_FINGERPRINT_SPACING_FACTOR && v <= high * HY_FINGERPRINT_SPACING_FACTOR)
			continue;
		snprintf(text, sizeof text, "spacing along %c is %.3f mm, training scans have %s mm", axes[k], v,
		         range(low, high, both));
		found(payload, text);
	}
	for (int c = 0; c < n_channels; c++) {
		double mean, sd;
		measure(slices, c, &mean, &sd);
		check_intensity("mean", c, mean, f->mean_low[c], f->mean_high[c], found, payload);
		check_intensity("standard deviation", c, sd, f->sd_low[c], f->sd_high[c], found, payload);
	}
}

double hy_fingerprint_z(const hy_fingerprint *f, double reconstruction_error)
{
	if (!(f->reconstruction_sd > 0))
		return NAN;
	return (reconstruction_error - f->reconstruction_mean) / f->reconstruction_sd;
}
