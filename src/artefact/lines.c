/*
 * lines.c: lines of a block to buffers and back, and filtering along one axis.
 */
#include "artefact/lines.h"

#include "base/memory.h"
#include "base/simd.h"

#include <string.h>

hy_line_set hy_line_set_of(const hy_block *b, int axis)
{
	int64_t step = 1;
	for (int a = 0; a < 3; a++)
		step *= (b->last_fastest ? a > axis : a < axis) ? b->n[a] : 1;
	return (hy_line_set){.n = b->n[axis], .step = step, .n_lines = b->n[0] * b->n[1] * b->n[2] / b->n[axis]};
}

int64_t hy_line_start(const hy_line_set *s, int64_t line)
{
	return line / s->step * s->step * s->n + line % s->step;
}

/* Whether HY_LINES lines from first on lie side by side. */
static bool adjacent(const hy_line_set *s, int64_t first)
{
	return first % s->step + HY_LINES <= s->step && first + HY_LINES <= s->n_lines;
}

void hy_lines_load(const hy_line_set *s, const float *data, int64_t first, float *buffer)
{
	if (adjacent(s, first)) {
		const float *from = data + hy_line_start(s, first);
		for (int64_t x = 0; x < s->n; x++)
			memcpy(buffer + x * HY_LINES, from + x * s->step, HY_LINES * sizeof *buffer);
		return;
	}
	for (int64_t j = 0; j < HY_LINES; j++) {
		const bool there = first + j < s->n_lines;
		const float *from = data + (there ? hy_line_start(s, first + j) : 0);
		for (int64_t x = 0; x < s->n; x++)
			buffer[x * HY_LINES + j] = there ? from[x * s->step] : 0;
	}
}

void hy_lines_store(const hy_line_set *s, float *data, int64_t first, const float *buffer)
{
	if (adjacent(s, first)) {
		float *to = data + hy_line_start(s, first);
		for (int64_t x = 0; x < s->n; x++)
			memcpy(to + x * s->step, buffer + x * HY_LINES, HY_LINES * sizeof *buffer);
		return;
	}
	for (int64_t j = 0; j < HY_LINES && first + j < s->n_lines; j++) {
		float *to = data + hy_line_start(s, first + j);
		for (int64_t x = 0; x < s->n; x++)
			to[x * s->step] = buffer[x * HY_LINES + j];
	}
}

int64_t hy_line_row(int64_t n, int64_t q)
{
	return (q + n - n / 2) % n;
}

void hy_lines_symmetrise(int64_t n, const double *weight, float *row)
{
	for (int64_t q = 0; q < n; q++) {
		const int64_t mirror = (2 * (n / 2) - q + n) % n;
		row[hy_line_row(n, q)] = (float)((weight[q] + weight[mirror]) / (2 * (double)n));
	}
}

HY_CLONES static void weigh(float *restrict buffer, const float *restrict row, int64_t n)
{
	for (int64_t k = 0; k < n; k++)
		for (int j = 0; j < HY_LINES; j++)
			buffer[k * HY_LINES + j] *= row[k];
}

hardy_status hy_lines_filter(const hy_block *b, int axis, const double *weight, hardy_error *err)
{
	const hy_line_set s = hy_line_set_of(b, axis);
	hardy_status status = HARDY_OK;
	bool failed = false;
	float *row = NULL;
	hy_line_plan *plan = hy_line_plan_new(s.n, err);
	if (!plan)
		return err ? err->status : HARDY_ERROR_MEMORY;
	row = hy_alloc((size_t)s.n, sizeof *row);
	if (!row) {
		status = hy_fail_memory(err, "a filter", (size_t)s.n, sizeof *row);
		goto out;
	}
	hy_lines_symmetrise(s.n, weight, row);
#pragma omp parallel
	{
		float *buffer = hy_line_buffer(plan);
		if (!buffer) {
#pragma omp atomic write
			failed = true;
		}
#pragma omp for
		for (int64_t l = 0; l < s.n_lines; l += HY_LINES) {
			if (!buffer)
				continue;
			hy_lines_load(&s, b->data, l, buffer);
			hy_line_forward(plan, buffer);
			weigh(buffer, row, s.n);
			hy_line_backward(plan, buffer);
			hy_lines_store(&s, b->data, l, buffer);
		}
		hy_free_aligned(buffer);
	}
	if (failed)
		status = hy_fail_memory(err, "lines of k-space", (size_t)s.n, HY_LINES * sizeof(float));
out:
	hy_free(row);
	hy_line_plan_free(plan);
	return status;
}
