/*
 * bias.c: a smooth multiplicative field, the exponential of a polynomial (van Leemput et al., IEEE TMI 18, 885, 1999).
 */
#include "artefact/effects.h"
#include "base/simd.h"

#include <math.h>
#include <string.h>

/* -1 at the first voxel, 1 at the last, 0 where there is one. */
static double coordinate(int64_t i, int64_t n)
{
	return n > 1 ? (double)(2 * i - (n - 1)) / (double)(n - 1) : 0;
}

/*
 * x <- x * (float)exp(p(t)), t running from -1 to 1. exp is 2^k times a Taylor polynomial on [-ln 2 / 2, ln 2 / 2] (relative
 * error below 1e-14), without branches, so that the loop becomes vectors.
 */
HY_CLONES static void multiply_line(float *x, int64_t n, const double *p, int order)
{
	enum { PART = 64 };
	const double magic = 0x1.8p52, log2e = 1.4426950408889634, ln2_high = 0x1.62e42fee00000p-1, ln2_low = 0x1.a39ef35793c76p-33;
	const double first = coordinate(0, n), step = n > 1 ? 2. / (double)(n - 1) : 0;
	for (int64_t at = 0; at < n; at += PART) {
		const int m = n - at < PART ? (int)(n - at) : PART;
		double e[PART];
		for (int i = 0; i < m; i++) {
			const double t = first + step * (double)(int)(at + i);
			double v = p[order];
			for (int k = order - 1; k >= 0; k--)
				v = v * t + p[k];
			e[i] = v;
		}
		for (int i = 0; i < m; i++) {
			double v = e[i];
			v = v < -700 ? -700 : v;
			v = v > 700 ? 700 : v;
			const double shifted = v * log2e + magic, k = shifted - magic;
			const double r = (v - k * ln2_high) - k * ln2_low;
			double s = 1. / 39916800;
			s = s * r + 1. / 3628800;
			s = s * r + 1. / 362880;
			s = s * r + 1. / 40320;
			s = s * r + 1. / 5040;
			s = s * r + 1. / 720;
			s = s * r + 1. / 120;
			s = s * r + 1. / 24;
			s = s * r + 1. / 6;
			s = s * r + .5;
			s = s * r + 1;
			s = s * r + 1;
			uint64_t bits;
			memcpy(&bits, &shifted, sizeof bits);
			bits = (bits + 1023) << 52; /* the low bits of shifted are k */
			double power;
			memcpy(&power, &bits, sizeof power);
			x[at + i] *= (float)(s * power);
		}
	}
}

hardy_status hy_effect_bias(const hy_artefact *a, const hy_block *b, hardy_error *err)
{
	const int order = a->bias.order, fast = b->last_fastest ? 2 : 0, slow = 2 - fast;
	(void)err;
#pragma omp parallel for collapse(2)
	for (int64_t s = 0; s < b->n[slow]; s++) {
		for (int64_t m = 0; m < b->n[1]; m++) {
			/* Gathers the polynomial in the coordinate of the line. */
			double power[3][HY_BIAS_MAX_ORDER + 1], line[HY_BIAS_MAX_ORDER + 1] = {0};
			const double t[2] = {coordinate(s, b->n[slow]), coordinate(m, b->n[1])};
			power[slow][0] = power[1][0] = 1;
			for (int k = 0; k < order; k++) {
				power[slow][k + 1] = power[slow][k] * t[0];
				power[1][k + 1] = power[1][k] * t[1];
			}
			const double *c = a->bias.coefficients;
			for (int i = 0; i <= order; i++)
				for (int j = 0; j <= order - i; j++)
					for (int k = 0; k <= order - i - j; k++) {
						const int e[3] = {i, j, k};
						line[e[fast]] += *c++ * power[slow][e[slow]] * power[1][j];
					}
			multiply_line(b->data + (s * b->n[1] + m) * b->n[fast], b->n[fast], line, order);
		}
	}
	return HARDY_OK;
}
