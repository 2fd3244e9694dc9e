/*
 * models.c: see models.h.
 */
#include "library/models.h"

#include "base/memory.h"
#include "base/rng.h"
#include "support/models.h"
#include "support/scratch.h"
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void make_model(hy_model *m, hy_network_kind kind, int channels, uint64_t seed)
{
	const hy_network_config config = {
	    .channels = channels, .classes = MODEL_CLASSES, .decoupler = true, .kind = kind, .levels = 3};
	drawn_model(m, &config, drawn_a_b, MODEL_SIZE, 2, seed);
	m->fingerprint.reconstruction_mean = 0.1;
	m->fingerprint.reconstruction_sd = 0.05;
}

hardy_model *load_model(const char *name, hy_network_kind kind, int channels, uint64_t seed)
{
	hardy_error err;
	hy_model m;
	hardy_model *loaded = NULL;
	make_model(&m, kind, channels, seed);
	assert_ok(hy_model_save(&m, scratch_path(name), NULL, HY_REPLACE_ANY, &err), &err);
	assert_ok(hardy_model_load(scratch_path(name), &loaded, &err), &err);
	hy_model_clear(&m);
	return loaded;
}

float *make_voxels(int64_t nx, int64_t ny, int64_t nz, int64_t nt, uint64_t seed)
{
	const int64_t n = nx * ny * nz * nt;
	float *v = hy_alloc((size_t)n, sizeof *v);
	assert_non_null(v);
	hy_rng r = hy_rng_make(seed, HY_RNG_TEST, 2, 0);
	for (int64_t i = 0; i < n; i++) {
		const double x = (double)(i % nx), y = (double)(i / nx % ny), z = (double)(i / nx / ny);
		v[i] = (float)floor(100 + 60 * sin(x / 3 + z) * cos(y / 4) + 10 * hy_rng_normal(&r));
	}
	return v;
}

hardy_image view_voxels(const float *data, int64_t nx, int64_t ny, int64_t nz, int64_t nt)
{
	hardy_image view = {.size = sizeof view};
	const int64_t shape[] = {nx, ny, nz, nt};
	const double spacing[] = {2, 2, 8};
	view.data = data;
	view.type = HARDY_TYPE_FLOAT32;
	memcpy(view.shape, shape, sizeof shape);
	memcpy(view.spacing_mm, spacing, sizeof spacing);
	return view;
}
