/*
 * lines.h: the lines of a block along one axis, HY_LINES at a time (internal to the artefacts).
 *
 * A k-space effect that weighs whole planes across one axis needs the Fourier transform along that axis alone: the transforms
 * along the others cancel. Because the real part is kept, weights w(k) act as (w(k) + w(-k)) / 2.
 */
#ifndef HY_ARTEFACT_LINES_H
#define HY_ARTEFACT_LINES_H

#include "artefact/artefact.h"
#include "image/fourier.h"

/* Lines along axis: line l begins at voxel hy_line_start and goes on every `step` voxels. */
typedef struct hy_line_set {
	int64_t n, step, n_lines; /* samples a line, voxels between them, lines */
} hy_line_set;

hy_line_set hy_line_set_of(const hy_block *b, int axis);
int64_t hy_line_start(const hy_line_set *s, int64_t line);

/* Lines first .. first + HY_LINES - 1 to and from a line buffer; those behind the last are zeros. */
void hy_lines_load(const hy_line_set *s, const float *data, int64_t first, float *buffer);
void hy_lines_store(const hy_line_set *s, float *data, int64_t first, const float *buffer);

/* Frequency of shifted index q of n (the centre of k-space lies at floor(n / 2)), in FFT order. */
int64_t hy_line_row(int64_t n, int64_t q);

/* weight: n values in shifted order; row: n values in FFT order, the weights of k and -k averaged, divided by n. */
void hy_lines_symmetrise(int64_t n, const double *weight, float *row);

/* Filters the block along one axis with these n weights (shifted order). */
hardy_status hy_lines_filter(const hy_block *b, int axis, const double *weight, hardy_error *err);

#endif
