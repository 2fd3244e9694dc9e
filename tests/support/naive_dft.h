/*
 * naive_dft.h: k-space of a small volume by the defining sum, for tests of effects in k-space.
 *
 * Axis 2 runs fastest; sample q of axis a is frequency q - floor(n[a] / 2), so that the centre lies at floor(n / 2).
 */
#ifndef HY_TESTS_SUPPORT_NAIVE_DFT_H
#define HY_TESTS_SUPPORT_NAIVE_DFT_H

#include <complex.h>
#include <stdint.h>

void naive_forward(const double *x, const int64_t n[3], double complex *k);
void naive_backward(const double complex *k, const int64_t n[3], double *x); /* the real part, divided by the voxels */

#endif
