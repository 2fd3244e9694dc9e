/*
 * naive_dft.c: the discrete Fourier transform as it is written down.
 */
#include "support/naive_dft.h"

#include <math.h>

static double phase(const int64_t n[3], int64_t q, int64_t x)
{
	double turns = 0;
	for (int a = 2; a >= 0; a--) {
		turns += (double)((q % n[a] - n[a] / 2) * (x % n[a])) / (double)n[a];
		q /= n[a];
		x /= n[a];
	}
	return 2 * acos(-1) * turns;
}

void naive_forward(const double *x, const int64_t n[3], double complex *k)
{
	const int64_t size = n[0] * n[1] * n[2];
	for (int64_t q = 0; q < size; q++) {
		k[q] = 0;
		for (int64_t i = 0; i < size; i++)
			k[q] += x[i] * cexp(-I * phase(n, q, i));
	}
}

void naive_backward(const double complex *k, const int64_t n[3], double *x)
{
	const int64_t size = n[0] * n[1] * n[2];
	for (int64_t i = 0; i < size; i++) {
		double complex sum = 0;
		for (int64_t q = 0; q < size; q++)
			sum += k[q] * cexp(I * phase(n, q, i));
		x[i] = creal(sum) / (double)size;
	}
}
