/*
 * models.h: small models with drawn weights and scans to run them on, for the tests of what programs call.
 */
#ifndef HY_TESTS_LIBRARY_MODELS_H
#define HY_TESTS_LIBRARY_MODELS_H

#include "predict/model.h"

enum { MODEL_SIZE = 32, MODEL_CLASSES = 3 };

/* Of 3 classes (background, A with value 5, B with value 9), on a grid of 32 x 32 at 2 mm; statistics as if trained. */
void make_model(hy_model *m, hy_network_kind kind, int channels, uint64_t seed);
/* The same, saved in the scratch folder under name and loaded through the public function. */
hardy_model *load_model(const char *name, hy_network_kind kind, int channels, uint64_t seed);

/* Waves and noise; voxels of 2 x 2 x 8 mm, packed float32 (hy_free). */
float *make_voxels(int64_t nx, int64_t ny, int64_t nz, int64_t nt, uint64_t seed);
hardy_image view_voxels(const float *data, int64_t nx, int64_t ny, int64_t nz, int64_t nt);

#endif
