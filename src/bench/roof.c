/*
 * roof.c: measures multiply-adds and memory bandwidth. The fastest of several short runs counts.
 */
#define _DEFAULT_SOURCE
#include "bench/roof.h"

#include "base/machine.h"
#include "base/memory.h"
#include "base/simd.h"
#include "bench/clock.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

#if defined(__SSE2__)
#include <immintrin.h>
#endif

/* ---- arithmetic --------------------------------------------------------------------------------------------------------- */

/* So many sums run side by side that no multiply-add waits for the one before; their values tend to 1. */
enum { N_SUMS = 12 };

/* Each returns its sums added up, so that they cannot be left out. */
typedef float (*multiply_adds)(int64_t rounds);

static float plain_multiply_adds(int64_t rounds)
{
	hy_f4 sum[N_SUMS];
	const hy_f4 m = {.5f, .5f, .5f, .5f};
	float total = 0;
	for (int k = 0; k < N_SUMS; k++)
		sum[k] = m * (float)k;
	for (int64_t i = 0; i < rounds; i++)
		for (int k = 0; k < N_SUMS; k++)
			sum[k] = sum[k] * m + m;
	for (int k = 0; k < N_SUMS; k++)
		total += sum[k][0];
	return total;
}

#if defined(HY_HAVE_X86_TABLES)
__attribute__((target("avx2,fma"))) static float avx2_multiply_adds(int64_t rounds)
{
	__m256 sum[N_SUMS];
	const __m256 m = _mm256_set1_ps(.5f);
	float total = 0;
	for (int k = 0; k < N_SUMS; k++)
		sum[k] = _mm256_set1_ps((float)k);
	for (int64_t i = 0; i < rounds; i++)
		for (int k = 0; k < N_SUMS; k++)
			sum[k] = _mm256_fmadd_ps(sum[k], m, m);
	for (int k = 0; k < N_SUMS; k++)
		total += _mm256_cvtss_f32(sum[k]);
	return total;
}

__attribute__((target("avx512f"))) static float avx512_multiply_adds(int64_t rounds)
{
	__m512 sum[N_SUMS];
	const __m512 m = _mm512_set1_ps(.5f);
	float total = 0;
	for (int k = 0; k < N_SUMS; k++)
		sum[k] = _mm512_set1_ps((float)k);
	for (int64_t i = 0; i < rounds; i++)
		for (int k = 0; k < N_SUMS; k++)
			sum[k] = _mm512_fmadd_ps(sum[k], m, m);
	for (int k = 0; k < N_SUMS; k++)
		total += _mm512_cvtss_f32(sum[k]);
	return total;
}
#if defined(HY_HAVE_BF16_TABLE)
__attribute__((target("avx512f,avx512bf16"))) static float bf16_multiply_adds(int64_t rounds)
{
	__m512 sum[N_SUMS];
	const __m512bh m = (__m512bh)_mm512_set1_epi32(0x3e803e80); /* 1/4 */
	float total = 0;
	for (int k = 0; k < N_SUMS; k++)
		sum[k] = _mm512_set1_ps((float)k);
	for (int64_t i = 0; i < rounds; i++)
		for (int k = 0; k < N_SUMS; k++)
			sum[k] = _mm512_dpbf16_ps(sum[k], m, m);
	for (int k = 0; k < N_SUMS; k++)
		total += _mm512_cvtss_f32(sum[k]);
	return total;
}
#endif
#endif

/* *n_threads: of the team that came, which may be another one every time. */
static double seconds_of(multiply_adds run, int64_t rounds, float *total, int *n_threads)
{
	float sum = 0;
	int n = 0;
	const double start = hy_clock_s();
#pragma omp parallel reduction(+ : sum, n)
	{
		sum += run(rounds);
		n++;
	}
	*total += sum;
	*n_threads = n;
	return hy_clock_s() - start;
}

static double measure_arithmetic(const hy_kernels *kernels, bool rough, hardy_error *err)
{
	multiply_adds run = plain_multiply_adds;
	int width = 4, n_threads = 0;
	float total = 0;
#if defined(HY_HAVE_X86_TABLES)
	if (kernels == &hy_kernels_avx2 || HY_EMULATED)
		run = avx2_multiply_adds, width = 8;
	else if (kernels == &hy_kernels_avx512)
		run = avx512_multiply_adds, width = 16;
#if defined(HY_HAVE_BF16_TABLE)
	if (kernels == &hy_kernels_avx512_bf16)
		run = bf16_multiply_adds, width = 32;
#endif
#else
	(void)kernels;
#endif
	int64_t rounds = 10000;
	while (seconds_of(run, rounds, &total, &n_threads) < (rough ? .0005 : .005))
		rounds *= 2;
	double best = 0; /* rounds a second, of all threads */
	for (int i = 0; i < (rough ? 3 : 12); i++) {
		const double s = seconds_of(run, rounds, &total, &n_threads);
		best = fmax(best, n_threads * (double)rounds / s);
	}
	if (!(total > 0)) { /* never so: the sums tend to 1 */
		hy_fail(err, HARDY_ERROR_NUMERIC, "the sums of the arithmetic measurement are %g, want above 0", (double)total);
		return 0;
	}
	return 2.0 * N_SUMS * width * best * 1e-9;
}

/* ---- memory ------------------------------------------------------------------------------------------------------------- */

/* Floats of one array: large against the last-level cache. */
static int64_t array_floats(bool rough)
{
	if (rough)
		return (int64_t)1 << 20;
	int64_t cache = 0;
#if defined(_SC_LEVEL3_CACHE_SIZE)
	cache = sysconf(_SC_LEVEL3_CACHE_SIZE);
#endif
	int64_t bytes = 2 * cache;
	const int64_t least = (int64_t)64 << 20, most = (int64_t)512 << 20;
	bytes = bytes < least ? least : bytes > most ? most : bytes;
	return bytes / (int64_t)sizeof(float) / 16 * 16;
}

HY_CLONES static float sum_of(const float *a, int64_t n)
{
	hy_f16 sum[4] = {0};
	for (int64_t i = 0; i + 64 <= n; i += 64)
		for (int k = 0; k < 4; k++) {
			hy_f16 v;
			memcpy(&v, a + i + 16 * k, sizeof v);
			sum[k] += v;
		}
	float total = 0;
	for (int k = 0; k < 16; k++)
		total += (sum[0][k] + sum[1][k]) + (sum[2][k] + sum[3][k]);
	return total;
}

HY_CLONES static void triad(float *restrict a, const float *restrict b, const float *restrict c, int64_t n)
{
	for (int64_t i = 0; i < n; i++)
		a[i] = b[i] + .5f * c[i];
}

/* The same past the caches, which saves reading a. */
static void triad_streamed(float *restrict a, const float *restrict b, const float *restrict c, int64_t n)
{
#if defined(__SSE2__)
	const __m128 half = _mm_set1_ps(.5f);
	for (int64_t i = 0; i < n; i += 4)
		_mm_stream_ps(a + i, _mm_add_ps(_mm_load_ps(b + i), _mm_mul_ps(half, _mm_load_ps(c + i))));
	_mm_sfence();
#else
	triad(a, b, c, n);
#endif
}

typedef enum sweep { READ, TRIAD, TRIAD_STREAMED, N_SWEEPS } sweep;

/* Each thread has its own stretch of the arrays, the same in every sweep. n is a multiple of 16. */
static double seconds_of_sweep(sweep what, float *a, float *b, float *c, int64_t n, float *total)
{
	enum { PIECES = 256 };
	const int64_t step = (n / 16 + PIECES - 1) / PIECES * 16;
	float sum = 0;
	const double start = hy_clock_s();
#pragma omp parallel for schedule(static) reduction(+ : sum)
	for (int64_t at = 0; at < n; at += step) {
		const int64_t here = n - at < step ? n - at : step;
		if (what == READ)
			sum += sum_of(b + at, here);
		else if (what == TRIAD)
			triad(a + at, b + at, c + at, here);
		else
			triad_streamed(a + at, b + at, c + at, here);
	}
	*total += sum;
	return hy_clock_s() - start;
}

static void first_touch(float *a, float *b, float *c, int64_t n)
{
	enum { PIECES = 256 };
	const int64_t step = (n / 16 + PIECES - 1) / PIECES * 16;
#pragma omp parallel for schedule(static)
	for (int64_t at = 0; at < n; at += step) {
		const int64_t end = n - at < step ? n : at + step;
		for (int64_t i = at; i < end; i++) {
			a[i] = 0;
			b[i] = 1;
			c[i] = 2;
		}
	}
}

static hardy_status measure_memory(bool rough, hy_roof *r, hardy_error *err)
{
	const int64_t n = array_floats(rough);
	float *a = hy_alloc_aligned((size_t)n, sizeof *a), *b = hy_alloc_aligned((size_t)n, sizeof *b),
	      *c = hy_alloc_aligned((size_t)n, sizeof *c);
	hardy_status status = HARDY_OK;
	float total = 0;
	double best[N_SWEEPS] = {1e9, 1e9, 1e9};
	if (!a || !b || !c) {
		status = hy_fail_memory(err, "arrays to measure the memory with", (size_t)n * 3, sizeof *a);
		goto out;
	}
	first_touch(a, b, c, n);
	for (int i = 0; i < (rough ? 2 : 6); i++)
		for (sweep k = 0; k < N_SWEEPS; k++) {
			const double s = seconds_of_sweep(k, a, b, c, n, &total);
			best[k] = s < best[k] ? s : best[k];
		}
	if (!(total > 0) || a[n - 1] != 2) {
		status = hy_fail(err, HARDY_ERROR_NUMERIC, "the memory measurement found %g, want 2", (double)a[n - 1]);
		goto out;
	}
	const double bytes = (double)n * sizeof(float),
	             fastest = best[TRIAD] < best[TRIAD_STREAMED] ? best[TRIAD] : best[TRIAD_STREAMED];
	r->read_gbs = bytes / best[READ] * 1e-9;
	r->triad_gbs = 3 * bytes / fastest * 1e-9;
out:
	hy_free_aligned(a);
	hy_free_aligned(b);
	hy_free_aligned(c);
	return status;
}

hardy_status hy_roof_measure(const hy_kernels *kernels, bool rough, hy_roof *out, hardy_error *err)
{
	hy_roof r = {.fma_gflops = measure_arithmetic(kernels, rough, err)};
	if (r.fma_gflops <= 0)
		return HARDY_ERROR_NUMERIC;
	const hardy_status status = measure_memory(rough, &r, err);
	if (!status)
		*out = r;
	return status;
}

double hy_roof_gbs(const hy_roof *r)
{
	return r->read_gbs > r->triad_gbs ? r->read_gbs : r->triad_gbs;
}

double hy_roof_bound(const hy_roof *r, double flop, double bytes)
{
	if (r->fma_gflops <= 0)
		return 0;
	const double arithmetic = flop / r->fma_gflops * 1e-9, memory = bytes / hy_roof_gbs(r) * 1e-9;
	return arithmetic > memory ? arithmetic : memory;
}
