/*
 * resample.c: bilinear and nearest resampling by per-axis tables, and windows.
 */
#include "image/resample.h"

#include "base/memory.h"
#include "base/text.h"

#include <math.h>
#include <string.h>

int64_t hy_resample_count(int64_t n, double old_mm, double new_mm)
{
	const double count = nearbyint((double)n / (new_mm / old_mm));
	return count < 1 ? 1 : (int64_t)fmin(count, 0x1p40);
}

hardy_status hy_resample_axes(int64_t ny, int64_t nx, double old_y_mm, double old_x_mm, double new_y_mm, double new_x_mm,
                              hy_resample_axis *y, hy_resample_axis *x, hardy_error *err)
{
	const double mm[4] = {old_y_mm, old_x_mm, new_y_mm, new_x_mm};
	for (int i = 0; i < 4; i++)
		if (!(isfinite(mm[i]) && mm[i] > 0))
			return hy_fail(err, HARDY_ERROR_DATA, "in-plane spacing is %g mm, want a positive number", mm[i]);
	const double ay = new_y_mm / old_y_mm, ax = new_x_mm / old_x_mm;
	if (fabs(ay - 1) + fabs(ax - 1) < 1e-4) {
		*y = (hy_resample_axis){ny, ny, 1};
		*x = (hy_resample_axis){nx, nx, 1};
		return HARDY_OK;
	}
	const int64_t cy = hy_resample_count(ny, old_y_mm, new_y_mm), cx = hy_resample_count(nx, old_x_mm, new_x_mm);
	if (cy > HY_RESAMPLE_MAX || cx > HY_RESAMPLE_MAX)
		return hy_fail(err, HARDY_ERROR_DATA,
		               "%lld x %lld pixels of %g x %g mm would become %lld x %lld of %g x %g mm, want at most %d each way",
		               (long long)nx, (long long)ny, old_x_mm, old_y_mm, (long long)cx, (long long)cy, new_x_mm, new_y_mm,
		               HY_RESAMPLE_MAX);
	*y = (hy_resample_axis){ny, cy, ay};
	*x = (hy_resample_axis){nx, cx, ax};
	return HARDY_OK;
}

hy_resample_axis hy_resample_inverse(hy_resample_axis a)
{
	return (hy_resample_axis){a.n_out, a.n_in, 1 / a.step};
}

/* For each new sample the two old voxels, the weight of the second, and whether it lies on the old grid (counted up to n_on).
 */
typedef struct table {
	int32_t *low, *high;
	double *weight;
	int64_t n_on;
} table;

static bool make_table(table *t, hy_resample_axis a, bool nearest, hy_resample_beyond beyond)
{
	*t = (table){hy_alloc((size_t)a.n_out, sizeof *t->low), hy_alloc((size_t)a.n_out, sizeof *t->high),
	             hy_alloc((size_t)a.n_out, sizeof *t->weight), a.n_out};
	if (!t->low || !t->high || !t->weight)
		return false;
	for (int64_t i = 0; i < a.n_out; i++) {
		const double q = (double)i * a.step;
		if (q >= (double)a.n_in - 0.5 && beyond == HY_BEYOND_ZERO && t->n_on == a.n_out)
			t->n_on = i;
		const double last = (double)(a.n_in - 1), at = fmin(nearest ? floor(q + 0.5) : floor(q), last);
		t->low[i] = (int32_t)at;
		t->high[i] = (int32_t)fmin(at + 1, last);
		t->weight[i] = fmin(q - at, 1);
	}
	return true;
}

static void clear_table(table *t)
{
	hy_free(t->low);
	hy_free(t->high);
	hy_free(t->weight);
}

static void linear_slice(const float *restrict in, int64_t in_w, const table *y, const table *x, double *restrict row,
                         float *restrict out, int64_t out_h, int64_t out_w)
{
	for (int64_t r = 0; r < y->n_on; r++, out += out_w) {
		const float *a = in + y->low[r] * in_w, *b = in + y->high[r] * in_w;
		const double w = y->weight[r];
		for (int64_t c = 0; c < in_w; c++)
			row[c] = (double)a[c] + w * ((double)b[c] - (double)a[c]);
		for (int64_t c = 0; c < x->n_on; c++) {
			const double low = row[x->low[c]], high = row[x->high[c]];
			out[c] = (float)(low + x->weight[c] * (high - low));
		}
		for (int64_t c = x->n_on; c < out_w; c++)
			out[c] = 0;
	}
	memset(out, 0, (size_t)((out_h - y->n_on) * out_w) * sizeof *out);
}

hardy_status hy_resample_linear(const float *in, int64_t in_stride, hy_resample_axis y, hy_resample_axis x, int64_t n_slices,
                                hy_resample_beyond beyond, float *out, int64_t out_stride, hardy_error *err)
{
	if (y.step == 1 && x.step == 1 && y.n_in == y.n_out && x.n_in == x.n_out) {
		for (int64_t z = 0; z < n_slices; z++)
			memcpy(out + z * out_stride, in + z * in_stride, (size_t)(y.n_in * x.n_in) * sizeof *out);
		return HARDY_OK;
	}
	table ty = {0}, tx = {0};
	bool failed = !make_table(&ty, y, false, beyond) || !make_table(&tx, x, false, beyond);
	if (!failed) {
#pragma omp parallel if (n_slices > 1)
		{
			double *row = hy_alloc_aligned((size_t)x.n_in, sizeof *row);
			if (!row) {
#pragma omp atomic write
				failed = true;
			}
#pragma omp for
			for (int64_t z = 0; z < n_slices; z++)
				if (row)
					linear_slice(in + z * in_stride, x.n_in, &ty, &tx, row, out + z * out_stride, y.n_out, x.n_out);
			hy_free_aligned(row);
		}
	}
	clear_table(&ty);
	clear_table(&tx);
	return failed ? hy_fail_memory(err, "resampling", (size_t)(x.n_in + x.n_out), sizeof(double)) : HARDY_OK;
}

hardy_status hy_resample_nearest(const uint8_t *in, int64_t in_stride, hy_resample_axis y, hy_resample_axis x, int64_t n_slices,
                                 hy_resample_beyond beyond, uint8_t *out, int64_t out_stride, hardy_error *err)
{
	table ty = {0}, tx = {0};
	const bool made = make_table(&ty, y, true, beyond) && make_table(&tx, x, true, beyond);
	for (int64_t z = 0; made && z < n_slices; z++)
		for (int64_t r = 0; r < y.n_out; r++) {
			uint8_t *to = out + z * out_stride + r * x.n_out;
			const int64_t on = r < ty.n_on ? tx.n_on : 0;
			const uint8_t *from = in + z * in_stride + ty.low[r] * x.n_in;
			for (int64_t c = 0; c < on; c++)
				to[c] = from[tx.low[c]];
			memset(to + on, 0, (size_t)(x.n_out - on));
		}
	clear_table(&ty);
	clear_table(&tx);
	return made ? HARDY_OK : hy_fail_memory(err, "resampling", (size_t)x.n_out, sizeof(double));
}

int64_t hy_window_offset(int64_t have, int64_t want)
{
	const int64_t d = have - want;
	return d >= 0 ? d / 2 : -((1 - d) / 2);
}

void hy_window_f32(const float *in, int64_t in_h, int64_t in_w, int64_t offset_y, int64_t offset_x, float fill, float *out,
                   int64_t out_h, int64_t out_w)
{
	const int64_t begin = hy_clamp(-offset_x, 0, out_w), end = hy_clamp(in_w - offset_x, begin, out_w);
	for (int64_t r = 0; r < out_h; r++, out += out_w) {
		const int64_t from = r + offset_y;
		const bool on = from >= 0 && from < in_h && end > begin;
		const int64_t left = on ? begin : out_w;
		for (int64_t c = 0; c < left; c++)
			out[c] = fill;
		if (!on)
			continue;
		memcpy(out + begin, in + from * in_w + begin + offset_x, (size_t)(end - begin) * sizeof *out);
		for (int64_t c = end; c < out_w; c++)
			out[c] = fill;
	}
}

void hy_window_u8(const uint8_t *in, int64_t in_h, int64_t in_w, int64_t offset_y, int64_t offset_x, uint8_t fill, uint8_t *out,
                  int64_t out_h, int64_t out_w)
{
	const int64_t begin = hy_clamp(-offset_x, 0, out_w), end = hy_clamp(in_w - offset_x, begin, out_w);
	for (int64_t r = 0; r < out_h; r++, out += out_w) {
		const int64_t from = r + offset_y;
		memset(out, fill, (size_t)out_w);
		if (from >= 0 && from < in_h && end > begin)
			memcpy(out + begin, in + from * in_w + begin + offset_x, (size_t)(end - begin));
	}
}
