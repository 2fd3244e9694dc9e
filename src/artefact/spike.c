/*
 * spike.c: single wrong samples of k-space: each adds a plane wave.
 *
 * The wave's amplitude follows from the maximum of |S| over the spectrum as the spikes so far left it. For voxels that are not
 * negative that is the sum of them all, at the centre, or a spiked sample; else the spectrum has to be looked at.
 */
#include "artefact/effects.h"
#include "artefact/lines.h"
#include "base/memory.h"
#include "base/simd.h"

#include <complex.h>
#include <fftw3.h>
#include <limits.h>
#include <math.h>
#include <string.h>

static const double two_pi = 6.283185307179586;

/* A sample of the spectrum that has been changed: its frequency on each axis, 0 to n - 1, and its value now. */
typedef struct sample {
	int64_t k[3];
	double complex value;
} sample;

typedef struct spectrum {
	const hy_block *b;
	double complex *wave[3]; /* exp(-2 pi i x / n) for x = 0 .. n - 1 */
	double complex *sums;    /* one a slow plane */
	double centre;           /* the sum of all voxels */
	bool negative;           /* a voxel is below 0 */
	sample spiked[HY_SPIKE_MAX];
	int n_spiked;
	float complex *half; /* of the unchanged block, axis of the fastest voxels up to n / 2; made when needed */
} spectrum;

/* ---- samples of the spectrum -------------------------------------------------------------------------------------------- */

HY_CLONES static double sum_line(const float *x, int64_t n, bool *negative)
{
	enum { LANES = 16 };
	double s[LANES] = {0}, total = 0;
	int below[LANES] = {0}, any = 0;
	int64_t i = 0;
	for (; i + LANES <= n; i += LANES)
		for (int j = 0; j < LANES; j++) {
			s[j] += (double)x[i + j];
			below[j] |= x[i + j] < 0;
		}
	for (; i < n; i++) {
		s[0] += (double)x[i];
		below[0] |= x[i] < 0;
	}
	for (int j = 0; j < LANES; j++) {
		total += s[j];
		any |= below[j];
	}
	*negative = *negative || any;
	return total;
}

static int64_t slow_axis(const hy_block *b)
{
	return b->last_fastest ? 0 : 2;
}

static void measure(spectrum *s)
{
	const hy_block *b = s->b;
	const int64_t n = b->n[slow_axis(b)], plane = b->n[0] * b->n[1] * b->n[2] / n;
	bool negative = false;
#pragma omp parallel for reduction(|| : negative)
	for (int64_t i = 0; i < n; i++) {
		bool below = false;
		s->sums[i] = sum_line(b->data + i * plane, plane, &below);
		negative = negative || below;
	}
	s->negative = negative;
	for (int64_t i = 0; i < n; i++)
		s->centre += creal(s->sums[i]);
}

/* The unchanged sample at k, in double: one axis after the other. */
static double complex transform_at(const spectrum *s, const int64_t k[3])
{
	const hy_block *b = s->b;
	const int fast = b->last_fastest ? 2 : 0, slow = 2 - fast;
	const int64_t nf = b->n[fast], n1 = b->n[1], ns = b->n[slow];
	double complex total = 0;
#pragma omp parallel for
	for (int64_t z = 0; z < ns; z++) {
		double complex plane = 0;
		for (int64_t y = 0; y < n1; y++) {
			const float *x = b->data + (z * n1 + y) * nf;
			double re = 0, im = 0;
			for (int64_t i = 0, at = 0; i < nf; i++) {
				re += (double)x[i] * creal(s->wave[fast][at]);
				im += (double)x[i] * cimag(s->wave[fast][at]);
				at = at + k[fast] < nf ? at + k[fast] : at + k[fast] - nf;
			}
			plane += (re + im * I) * s->wave[1][y * k[1] % n1];
		}
		s->sums[z] = plane * s->wave[slow][z * k[slow] % ns];
	}
	for (int64_t z = 0; z < ns; z++)
		total += s->sums[z];
	return total;
}

static sample *find(spectrum *s, const int64_t k[3])
{
	for (int i = 0; i < s->n_spiked; i++) {
		if (!memcmp(s->spiked[i].k, k, sizeof s->spiked[i].k))
			return &s->spiked[i];
	}
	return NULL;
}

/* ---- its maximum -------------------------------------------------------------------------------------------------------- */

static hardy_status make_half(spectrum *s, hardy_error *err)
{
	const hy_block *b = s->b;
	const int fast = b->last_fastest ? 2 : 0, slow = 2 - fast;
	const int64_t row = b->n[fast] / 2 + 1, size = b->n[slow] * b->n[1] * row;
	if (b->n[0] > INT_MAX || b->n[1] > INT_MAX || b->n[2] > INT_MAX)
		return hy_fail(err, HARDY_ERROR_UNSUPPORTED, "spike: an axis has more than %d voxels", INT_MAX);
	s->half = hy_alloc_aligned((size_t)size, sizeof *s->half);
	if (!s->half)
		return hy_fail_memory(err, "a spectrum", (size_t)size, sizeof *s->half);
	hy_fourier_lock();
	fftwf_plan plan = fftwf_plan_dft_r2c_3d((int)b->n[slow], (int)b->n[1], (int)b->n[fast], b->data, (fftwf_complex *)s->half,
	                                        FFTW_ESTIMATE | FFTW_PRESERVE_INPUT);
	hy_fourier_unlock();
	if (!plan)
		return hy_fail_memory(err, "a Fourier transform", (size_t)size, sizeof *s->half);
	fftwf_execute(plan);
	hy_fourier_lock();
	fftwf_destroy_plan(plan);
	hy_fourier_unlock();
	return HARDY_OK;
}

/* The largest unchanged sample. An entry of the half spectrum stands for k and -k: it counts unless both are changed. */
static double unchanged_maximum(spectrum *s)
{
	const int fast = s->b->last_fastest ? 2 : 0, slow = 2 - fast;
	const int64_t *n = s->b->n, row = n[fast] / 2 + 1;
	double most = 0;
	for (int64_t i = 0; i < n[slow] * n[1] * row; i++) {
		const double re = (double)crealf(s->half[i]), im = (double)cimagf(s->half[i]), square = re * re + im * im;
		if (square <= most)
			continue;
		int64_t k[3], mirror[3];
		k[fast] = i % row;
		k[1] = i / row % n[1];
		k[slow] = i / row / n[1];
		for (int a = 0; a < 3; a++)
			mirror[a] = (n[a] - k[a]) % n[a];
		if (!find(s, k) || !find(s, mirror))
			most = square;
	}
	return sqrt(most);
}

static hardy_status maximum(spectrum *s, double *out, hardy_error *err)
{
	static const int64_t zero[3] = {0, 0, 0};
	const sample *centre = find(s, zero);
	double most = 0;
	for (int i = 0; i < s->n_spiked; i++)
		most = fmax(most, cabs(s->spiked[i].value));
	if (!s->negative && (!centre || most >= s->centre)) {
		*out = centre ? most : fmax(most, s->centre);
		return HARDY_OK;
	}
	const hardy_status status = s->half ? HARDY_OK : make_half(s, err);
	if (!status)
		*out = fmax(most, unchanged_maximum(s));
	return status;
}

/* ---- waves -------------------------------------------------------------------------------------------------------------- */

HY_CLONES static void add_wave(float *restrict x, const float *restrict c, const float *restrict d, int64_t n, float p, float q)
{
	for (int64_t i = 0; i < n; i++)
		x[i] += p * c[i] - q * d[i];
}

/* Adds amplitude * cos(2 pi k x) to every voxel x. */
static hardy_status add_plane_wave(const spectrum *s, const int64_t k[3], double amplitude, hardy_error *err)
{
	const hy_block *b = s->b;
	const int fast = b->last_fastest ? 2 : 0, slow = 2 - fast;
	const int64_t n = b->n[fast], n1 = b->n[1];
	float *c = hy_alloc((size_t)n, 2 * sizeof *c), *d = c + n;
	if (!c)
		return hy_fail_memory(err, "a wave", (size_t)n, 2 * sizeof *c);
	for (int64_t i = 0; i < n; i++) {
		const double complex w = conj(s->wave[fast][i * k[fast] % n]);
		c[i] = (float)creal(w);
		d[i] = (float)cimag(w);
	}
#pragma omp parallel for collapse(2)
	for (int64_t z = 0; z < b->n[slow]; z++)
		for (int64_t y = 0; y < n1; y++) {
			const double complex w = amplitude * conj(s->wave[1][y * k[1] % n1] * s->wave[slow][z * k[slow] % b->n[slow]]);
			add_wave(b->data + (z * n1 + y) * n, c, d, n, (float)creal(w), (float)cimag(w));
		}
	hy_free(c);
	return HARDY_OK;
}

/* Places a spike; *added gets what it adds to the spectrum. */
static hardy_status place(spectrum *s, const int64_t k[3], double intensity, bool last, double *added, hardy_error *err)
{
	double most = 0;
	const hardy_status status = maximum(s, &most, err);
	if (status)
		return status;
	*added = intensity * most;
	sample *known = find(s, k);
	if (!known && !last) {
		known = &s->spiked[s->n_spiked++];
		memcpy(known->k, k, sizeof known->k);
		known->value = transform_at(s, k);
	}
	if (known)
		known->value += *added;
	return HARDY_OK;
}

hardy_status hy_effect_spike(const hy_artefact *a, const hy_block *b, hardy_error *err)
{
	spectrum s = {.b = b};
	int64_t k[HY_SPIKE_MAX][3];
	double added[HY_SPIKE_MAX];
	hardy_status status = HARDY_OK;
	const double n = (double)(b->n[0] * b->n[1] * b->n[2]);
	s.sums = hy_alloc((size_t)b->n[slow_axis(b)], sizeof *s.sums);
	bool ok = s.sums;
	for (int i = 0; i < 3; i++) {
		s.wave[i] = hy_alloc((size_t)b->n[i], sizeof *s.wave[i]);
		ok = ok && s.wave[i];
		for (int64_t x = 0; s.wave[i] && x < b->n[i]; x++) {
			const double angle = two_pi * (double)x / (double)b->n[i];
			s.wave[i][x] = cos(angle) - sin(angle) * I;
		}
	}
	if (!ok) {
		status = hy_fail_memory(err, "waves", (size_t)(b->n[0] + b->n[1] + b->n[2]), sizeof **s.wave);
		goto out;
	}
	measure(&s);
	for (int i = 0; i < a->spike.n && !status; i++) {
		for (int j = 0; j < 3; j++) {
			const int64_t q = (int64_t)(a->spike.positions[i][j] * (double)b->n[j]);
			k[i][j] = hy_line_row(b->n[j], q < b->n[j] ? q : b->n[j] - 1); /* the product may round up to n */
		}
		status = place(&s, k[i], a->spike.intensity, i == a->spike.n - 1, &added[i], err);
	}
	for (int i = 0; i < a->spike.n && !status; i++)
		status = add_plane_wave(&s, k[i], added[i] / n, err);
out:
	for (int i = 0; i < 3; i++)
		hy_free(s.wave[i]);
	hy_free_aligned(s.half);
	hy_free(s.sums);
	return status;
}
