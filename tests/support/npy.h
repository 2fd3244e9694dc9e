/*
 * npy.h: reads arrays that NumPy wrote (.npy versions 1 and 2, little-endian, C order), for tests.
 */
#ifndef HY_TESTS_SUPPORT_NPY_H
#define HY_TESTS_SUPPORT_NPY_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

enum { NPY_MAX_DIMS = 8 };

/* type is NumPy's code without the byte order: f4, f8, i8, i4, i2, u1, b1. */
typedef struct npy {
	char type[3];
	int n_dims; /* 0 for a scalar, which has n = 1 */
	int64_t shape[NPY_MAX_DIMS];
	size_t n;   /* product of shape */
	void *data; /* owned; elements as in the file */
} npy;

hardy_status npy_read(const char *path, npy *out, hardy_error *err);
void npy_clear(npy *a);

/* Element i as a double, whatever the type. */
double npy_at(const npy *a, size_t i);

/* The values converted, newly allocated (hy_free); NULL when memory runs out. */
float *npy_floats(const npy *a);
double *npy_doubles(const npy *a);
uint8_t *npy_bytes(const npy *a);

#endif
