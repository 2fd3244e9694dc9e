/*
 * fourier.c: lines through FFTW, eight complex ones at a time so that its vector code finds them side by side.
 */
#include "image/fourier.h"

#include "base/memory.h"

#include <fftw3.h>
#include <limits.h>
#include <pthread.h>

static pthread_mutex_t planner = PTHREAD_MUTEX_INITIALIZER;

void hy_fourier_lock(void)
{
	pthread_mutex_lock(&planner);
}

void hy_fourier_unlock(void)
{
	pthread_mutex_unlock(&planner);
}

struct hy_line_plan {
	int64_t n;
	fftwf_plan forward, backward;
};

hy_line_plan *hy_line_plan_new(int64_t n, hardy_error *err)
{
	enum { PAIRS = HY_LINES / 2 };
	if (n < 1 || n > INT_MAX / HY_LINES) {
		hy_fail(err, HARDY_ERROR_ARGUMENT, "lines of %lld samples to transform, want 1 to %d", (long long)n,
		        INT_MAX / HY_LINES);
		return NULL;
	}
	hy_line_plan *p = hy_calloc(1, sizeof *p);
	float *buffer = NULL;
	if (p) {
		p->n = n;
		buffer = hy_line_buffer(p);
	}
	if (buffer) {
		const int length = (int)n;
		fftwf_complex *b = (fftwf_complex *)(void *)buffer;
		hy_fourier_lock();
		p->forward = fftwf_plan_many_dft(1, &length, PAIRS, b, NULL, PAIRS, 1, b, NULL, PAIRS, 1, FFTW_FORWARD, FFTW_ESTIMATE);
		p->backward =
		    fftwf_plan_many_dft(1, &length, PAIRS, b, NULL, PAIRS, 1, b, NULL, PAIRS, 1, FFTW_BACKWARD, FFTW_ESTIMATE);
		hy_fourier_unlock();
	}
	hy_free_aligned(buffer);
	if (!p || !p->forward || !p->backward) {
		hy_fail_memory(err, "a Fourier transform", (size_t)n, HY_LINES * sizeof(float));
		hy_line_plan_free(p);
		return NULL;
	}
	return p;
}

void hy_line_plan_free(hy_line_plan *p)
{
	if (!p)
		return;
	hy_fourier_lock();
	if (p->forward)
		fftwf_destroy_plan(p->forward);
	if (p->backward)
		fftwf_destroy_plan(p->backward);
	hy_fourier_unlock();
	hy_free(p);
}

float *hy_line_buffer(const hy_line_plan *p)
{
	return hy_alloc_aligned((size_t)p->n, HY_LINES * sizeof(float));
}

void hy_line_forward(const hy_line_plan *p, float *buffer)
{
	fftwf_complex *b = (fftwf_complex *)(void *)buffer;
	fftwf_execute_dft(p->forward, b, b);
}

void hy_line_backward(const hy_line_plan *p, float *buffer)
{
	fftwf_complex *b = (fftwf_complex *)(void *)buffer;
	fftwf_execute_dft(p->backward, b, b);
}
