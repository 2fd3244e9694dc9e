/*
 * predictor.c: prediction in memory with small random networks: what is restored, averaged, adapted and measured.
 */
#include "support/engine.h"
#include "support/models.h"
#include "support/scratch.h"
#include "support/test.h"

#include "base/memory.h"
#include "base/rng.h"
#include "predict/components.h"
#include "predict/fingerprint.h"
#include "predict/predictor.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { SIZE = TEST_RACES ? 16 : 32 };

/* 3 classes, one channel, a plan of SIZE x SIZE at 2 mm. */
static void make_model_of(hy_model *m, hy_network_kind kind, uint64_t seed)
{
	const hy_network_config config = {.channels = 1, .classes = 3, .decoupler = true, .kind = kind};
	drawn_model(m, &config, drawn_a_b, SIZE, 2, seed);
}

static void make_model(hy_model *m, uint64_t seed)
{
	make_model_of(m, HY_NETWORK_STUDY, seed);
}

static void make_volume(hy_volume *v, int64_t nx, int64_t ny, int64_t nz, double spacing_mm, uint64_t seed)
{
	hardy_error err;
	hy_grid g;
	hy_grid_set_simple(&g, nx, ny, nz, spacing_mm, spacing_mm, 8);
	assert_ok(hy_volume_alloc(v, &g, 1, &err), &err);
	hy_rng r = hy_rng_make(seed, HY_RNG_TEST, 2, 0);
	for (int64_t i = 0; i < nx * ny * nz; i++) {
		const double x = (double)(i % nx), y = (double)(i / nx % ny), z = (double)(i / nx / ny);
		v->data[i] = (float)(100 + 60 * sin(x / 3 + z) * cos(y / 4) + 10 * hy_rng_normal(&r));
	}
}

static hy_predictor *make_predictor(hy_model *const *models, size_t n, const hy_predictor_options *o)
{
	hardy_error err;
	hy_predictor *p = hy_predictor_new(models, n, o, &err);
	if (!p)
		fail_msg("%s", err.message);
	return p;
}

static hy_prediction predict(hy_model *const *models, size_t n, const hy_predictor_options *o, const hy_volume *v)
{
	hardy_error err;
	hy_predictor *p = make_predictor(models, n, o);
	hy_prediction out;
	assert_ok(hy_predictor_run(p, v, &out, &err), &err);
	hy_predictor_free(p);
	return out;
}

static void same_prediction(const hy_prediction *a, const hy_prediction *b)
{
	const size_t n = (size_t)hy_grid_voxels(&a->label.grid);
	assert_int_equal(n, hy_grid_voxels(&b->label.grid));
	assert_memory_equal(a->label.data, b->label.data, n);
	if (a->other.data)
		assert_memory_equal(a->other.data, b->other.data, n);
	if (a->entropy)
		assert_memory_equal(a->entropy, b->entropy, n * sizeof(float));
	if (a->probabilities)
		assert_memory_equal(a->probabilities, b->probabilities, 3 * n * sizeof(float));
	assert_true(a->reconstruction_error == b->reconstruction_error);
}

static hy_predictor_options everything(void)
{
	hy_predictor_options o;
	hy_predictor_options_init(&o);
	o.both = o.reconstruct = o.probabilities = o.entropy = true;
	o.engine = test_engine();
	return o;
}

/* With the plan's spacing and size nothing is resampled: the label is the arg max of the network's own logits. */
static void label_is_the_arg_max_of_the_logits(void **state)
{
	(void)state;
	hardy_error err;
	hy_model m;
	hy_volume v;
	hy_slices s;
	make_model(&m, 1);
	make_volume(&v, SIZE, SIZE, 5, 2, 1);
	hy_prediction out = predict((hy_model *[]){&m}, 1, &(hy_predictor_options){.which = HY_STN, .both = true}, &v);
	assert_ok(hy_preprocess_test(&m.plan, &v, NULL, &s, &err), &err);
	const hy_infer_options o = {.batch = 5, .height = SIZE, .width = SIZE, .stn = true, .norm = HY_NORM_RUNNING};
	hy_infer *f = hy_infer_new(&m.network, &o, &err);
	assert_non_null(f);
	float *p[2] = {hy_alloc(5 * 3 * SIZE * SIZE, sizeof(float)), hy_alloc(5 * 3 * SIZE * SIZE, sizeof(float))};
	assert_ok(hy_infer_run(f, s.image, 5, p[0], p[1], NULL, &err), &err);
	const uint8_t *found[2] = {out.other.data, out.label.data};
	int n_seen[3] = {0};
	for (int w = 0; w < 2; w++) {
		for (int64_t i = 0; i < 5; i++) {
			for (int64_t k = 0; k < SIZE * SIZE; k++) {
				const float *q = p[w] + i * 3 * SIZE * SIZE + k;
				int best = 0;
				for (int c = 1; c < 3; c++)
					best = q[c * SIZE * SIZE] > q[best * SIZE * SIZE] ? c : best;
				assert_int_equal(found[w][i * SIZE * SIZE + k], best);
				n_seen[best]++;
			}
		}
	}
	assert_true((n_seen[0] > 0) + (n_seen[1] > 0) + (n_seen[2] > 0) >= 2); /* else this test shows nothing */
	hy_free(p[0]);
	hy_free(p[1]);
	hy_infer_free(f);
	hy_slices_clear(&s);
	hy_prediction_clear(&out);
	hy_volume_clear(&v);
	hy_model_clear(&m);
}

static void maps_and_measures_fit_together(void **state)
{
	(void)state;
	hy_model m;
	hy_volume v;
	make_model(&m, 2);
	make_volume(&v, 90, 80, 4, 1.3, 2); /* larger than the plan's field of view: 117 x 104 mm against 64 x 64 */
	const hy_predictor_options o = everything();
	hy_prediction out = predict((hy_model *[]){&m}, 1, &o, &v);
	const int64_t n = hy_grid_voxels(&v.grid);
	int64_t count[3] = {0}, n_foreground = 0;
	double entropy = 0;
	for (int64_t i = 0; i < n; i++) {
		double sum = 0, e = 0;
		int best = 0;
		for (int c = 0; c < 3; c++) {
			const double q = (double)out.probabilities[c * n + i];
			sum += q;
			e -= q > 0 ? q * log(q) / log(3) : 0;
			best = out.probabilities[c * n + i] > out.probabilities[best * n + i] ? c : best;
		}
		assert_true(fabs(sum - 1) < 1e-5);
		assert_true(fabs(e - (double)out.entropy[i]) < 1e-4);
		assert_int_equal(out.label.data[i], best);
		count[best]++;
		if (best) {
			n_foreground++;
			entropy += e;
		}
	}
	assert_int_equal(out.label.data[0], 0); /* outside of the field of view */
	assert_true(out.probabilities[0] == 1 && out.entropy[0] == 0);
	assert_true(n_foreground > 0);
	assert_true(fabs(out.mean_entropy - entropy / (double)n_foreground) < 1e-4);
	for (int c = 0; c < 3; c++) {
		assert_int_equal(out.n_voxels[c], count[c]);
		assert_true(fabs(out.volume_ml[c] - (double)count[c] * 1.3 * 1.3 * 8 / 1000) < 1e-9);
	}
	assert_true(out.disagreement >= 0 && out.disagreement <= 1);
	assert_true(out.reconstruction_error > 0 && out.reconstruction_error < 1);
	assert_true(isnan(out.reconstruction_z)); /* the model has no fingerprint */
	hy_prediction_clear(&out);
	hy_volume_clear(&v);
	hy_model_clear(&m);
}

static void ensembles(void **state)
{
	(void)state;
	hy_model a, b;
	hy_volume v;
	const hy_predictor_options o = everything();
	make_model(&a, 3);
	make_model(&b, 4);
	make_volume(&v, 40, 36, 3, 1.7, 3);
	hy_prediction one = predict((hy_model *[]){&a}, 1, &o, &v), other = predict((hy_model *[]){&b}, 1, &o, &v);
	hy_prediction twice = predict((hy_model *[]){&a, &a}, 2, &o, &v), both = predict((hy_model *[]){&a, &b}, 2, &o, &v);
	same_prediction(&one, &twice);
	const int64_t n = 3 * hy_grid_voxels(&v.grid);
	for (int64_t i = 0; i < n; i++)
		assert_true(fabsf(both.probabilities[i] - (one.probabilities[i] + other.probabilities[i]) / 2) < 1e-5f);
	hy_prediction_clear(&other);
	hy_prediction_clear(&both);
	/* models with plans of their own are averaged in the scan's grid */
	b.plan.spacing_mm = 2.5;
	b.plan.size = 48;
	other = predict((hy_model *[]){&b}, 1, &o, &v);
	both = predict((hy_model *[]){&a, &b}, 2, &o, &v);
	for (int64_t i = 0; i < n; i++)
		assert_true(fabsf(both.probabilities[i] - (one.probabilities[i] + other.probabilities[i]) / 2) < 1e-5f);
	hy_prediction_clear(&one);
	hy_prediction_clear(&other);
	hy_prediction_clear(&twice);
	hy_prediction_clear(&both);
	hardy_error err;
	strcpy(b.classes[2].name, "C");
	assert_null(hy_predictor_new((hy_model *[]){&a, &b}, 2, &o, &err));
	assert_int_equal(err.status, HARDY_ERROR_ARGUMENT);
	hy_volume_clear(&v);
	hy_model_clear(&a);
	hy_model_clear(&b);
}

/* Whatever was predicted before, and whatever is computed besides, the result has the same bytes. */
static void a_scan_does_not_depend_on_others(void **state)
{
	(void)state;
	hardy_error err;
	hy_model m;
	hy_volume v, w;
	const hy_predictor_options o = everything();
	make_model(&m, 5);
	make_volume(&v, 40, 36, 5, 1.7, 4);
	make_volume(&w, 33, 50, 9, 2.2, 5);
	hy_predictor *p = make_predictor((hy_model *[]){&m}, 1, &o);
	hy_prediction first, between, again;
	assert_ok(hy_predictor_run(p, &v, &first, &err), &err);
	assert_ok(hy_predictor_run(p, &w, &between, &err), &err);
	assert_ok(hy_predictor_run(p, &v, &again, &err), &err);
	same_prediction(&first, &again);
	hy_prediction fast = predict((hy_model *[]){&m}, 1, &(hy_predictor_options){.which = HY_FTN}, &v);
	assert_memory_equal(fast.label.data, first.other.data, (size_t)hy_grid_voxels(&v.grid));
	assert_null(fast.other.data);
	assert_true(isnan(fast.disagreement) && isnan(fast.reconstruction_error) && isnan(fast.mean_entropy));
	hy_prediction_clear(&fast);
	hy_prediction_clear(&first);
	hy_prediction_clear(&between);
	hy_prediction_clear(&again);
	hy_predictor_free(p);
	hy_volume_clear(&v);
	hy_volume_clear(&w);
	hy_model_clear(&m);
}

/* Averaged over mirror images, the prediction of a mirrored scan is the mirrored prediction. */
static void flips_commute_with_prediction(void **state)
{
	(void)state;
	hy_model m;
	hy_volume v, mirrored;
	make_model(&m, 3);
	make_volume(&v, SIZE, SIZE, 3, 2, 4);
	make_volume(&mirrored, SIZE, SIZE, 3, 2, 4);
	for (int64_t i = 0; i < 3 * SIZE * SIZE; i++)
		mirrored.data[i] = v.data[i / SIZE * SIZE + SIZE - 1 - i % SIZE];
	double change[2] = {0, 0};
	for (int tta = 0; tta < 2; tta++) {
		hy_predictor_options o = everything();
		o.flips = tta;
		o.intensity = tta;
		hy_prediction a = predict((hy_model *[]){&m}, 1, &o, &v), b = predict((hy_model *[]){&m}, 1, &o, &mirrored);
		for (int64_t i = 0; i < 3 * 3 * SIZE * SIZE; i++)
			change[tta] = fmax(
			    change[tta], fabs((double)a.probabilities[i] - (double)b.probabilities[i / SIZE * SIZE + SIZE - 1 - i % SIZE]));
		for (int64_t i = 0; i < 3 * SIZE * SIZE; i++) {
			double sum = 0;
			for (int c = 0; c < 3; c++)
				sum += (double)a.probabilities[c * 3 * SIZE * SIZE + i];
			assert_true(fabs(sum - 1) < 1e-5);
		}
		hy_prediction_clear(&a);
		hy_prediction_clear(&b);
	}
	assert_true(change[0] > 1e-2);
	assert_true(change[1] < 1e-4);
	hy_volume_clear(&v);
	hy_volume_clear(&mirrored);
	hy_model_clear(&m);
}

/* The STN given its own result by hand. */
static void stn_refines_its_own_result(void **state)
{
	(void)state;
	hardy_error err;
	hy_model m;
	make_model(&m, 4);
	hy_tape t;
	float x[SIZE * SIZE], twice[3 * SIZE * SIZE], once[3 * SIZE * SIZE];
	hy_rng g = hy_rng_make(4, HY_RNG_TEST, 3, 0);
	for (int i = 0; i < SIZE * SIZE; i++)
		x[i] = (float)hy_rng_uniform(&g);
	for (int n = 1; n <= 2; n++) {
		const hy_infer_options o = {
		    .batch = 1, .height = SIZE, .width = SIZE, .stn = true, .stn_iterations = n, .norm = HY_NORM_RUNNING};
		hy_infer *f = hy_infer_new(&m.network, &o, &err);
		assert_non_null(f);
		assert_ok(hy_infer_run(f, x, 1, NULL, n == 1 ? once : twice, NULL, &err), &err);
		hy_infer_free(f);
	}
	assert_ok(hy_tape_init(&t, &m.network.params, NULL, &err), &err);
	t.norm = HY_NORM_RUNNING;
	const int p = hy_tape_input(&t, 1, 3, SIZE, SIZE);
	const int q = hy_stn_refine(&t, &m.network, hy_op_softmax(&t, p, HY_STN_SOFTENING));
	hy_tape_keep(&t, q);
	assert_ok(hy_tape_compile(&t, &err), &err);
	t.values[p].data = once;
	assert_ok(hy_tape_run(&t, 0, &err), &err);
	double difference = 0;
	for (int i = 0; i < 3 * SIZE * SIZE; i++) {
		assert_true(fabs((double)hy_tape_planar(&t, q)[i] - (double)twice[i]) < 1e-3 * (1 + fabs((double)twice[i])));
		difference += fabs((double)once[i] - (double)twice[i]);
	}
	assert_true(difference > 1);
	hy_tape_clear(&t);
	hy_model_clear(&m);
}

static void near_prediction(const hy_prediction *a, const hy_prediction *b, int64_t batch, int scan)
{
	const int64_t n = hy_grid_voxels(&a->label.grid);
	int64_t differ = 0;
	double most = 0;
	for (int64_t i = 0; i < n; i++) {
		differ += a->label.data[i] != b->label.data[i];
		most = fmax(most, fabs((double)a->entropy[i] - (double)b->entropy[i]));
	}
	if (!(most < 5e-3 && differ <= n / 500))
		fail_msg("batches of %d, scan %d: entropy off by %g, %d labels of %d differ", (int)batch, scan, most, (int)differ,
		         (int)n);
}

/* Each scan by its own statistics, whatever came before: as a predictor of its own does with plain loops, which pack and fold nothing in advance. */
static void every_scan_is_adapted_to_itself(void **state)
{
	(void)state;
	hardy_error err;
	hy_model m;
	hy_volume v[2];
	hy_predictor_options o = everything(), plain;
	make_model(&m, 6);
	make_volume(&v[0], 40, 36, 3, 1.7, 6);
	make_volume(&v[1], 36, 36, 5, 1.7, 7);
	for (int64_t i = 0; i < hy_grid_voxels(&v[1].grid); i++)
		v[1].data[i] = v[1].data[i] > 110 ? 400 : v[1].data[i] / 2;
	o.adapt = true;
	plain = o;
	plain.engine = (hy_tape_options){HY_ISA_PLAIN, HY_CONV_PLAIN};
	for (int64_t batch = 0; batch <= 5; batch += TEST_RACES ? 3 : 1) {
		hy_prediction want[2];
		o.batch = plain.batch = batch;
		for (int i = 0; i < 2; i++)
			want[i] = predict((hy_model *[]){&m}, 1, &plain, &v[i]);
		for (int first = 0; first < (TEST_RACES ? 1 : 2); first++) {
			hy_predictor *p = make_predictor((hy_model *[]){&m}, 1, &o);
			for (int i = 0; i < 3; i++) {
				const int scan = (first + i) % 2;
				hy_prediction got;
				assert_ok(hy_predictor_run(p, &v[scan], &got, &err), &err);
				near_prediction(&got, &want[scan], batch, scan);
				hy_prediction_clear(&got);
			}
			hy_predictor_free(p);
		}
		hy_prediction_clear(&want[0]);
		hy_prediction_clear(&want[1]);
	}
	hy_volume_clear(&v[0]);
	hy_volume_clear(&v[1]);
	hy_model_clear(&m);
}

static void adapting_leaves_the_model_alone(void **state)
{
	(void)state;
	hardy_error err;
	hy_model m;
	hy_volume v;
	hy_predictor_options o = everything();
	make_model(&m, 6);
	make_volume(&v, 40, 36, 11, 1.7, 6);
	const size_t n = m.network.params.n_buffers;
	float *before = hy_alloc(n, sizeof *before);
	memcpy(before, m.network.params.buffers, n * sizeof *before);
	hy_prediction plain = predict((hy_model *[]){&m}, 1, &o, &v);
	o.adapt = true;
	hy_predictor *p = make_predictor((hy_model *[]){&m}, 1, &o);
	hy_prediction adapted, again;
	assert_ok(hy_predictor_run(p, &v, &adapted, &err), &err);
	assert_memory_equal(before, m.network.params.buffers, n * sizeof *before);
	assert_ok(hy_predictor_run(p, &v, &again, &err), &err);
	same_prediction(&adapted, &again);
	assert_memory_not_equal(plain.entropy, adapted.entropy, (size_t)hy_grid_voxels(&v.grid) * sizeof(float));
	hy_prediction_clear(&plain);
	hy_prediction_clear(&adapted);
	hy_prediction_clear(&again);
	hy_predictor_free(p);
	hy_free(before);
	hy_volume_clear(&v);
	hy_model_clear(&m);
}

static void batches_fit_the_number_of_slices(void **state)
{
	(void)state;
	for (int64_t n = 1; n < 40; n++) {
		const int64_t b = hy_predictor_batch(n, 192), runs = (n + b - 1) / b;
		assert_true(b >= 1 && b <= 8 && b <= n);
		assert_true(runs * b - n <= 1);
	}
	assert_int_equal(hy_predictor_batch(10, 192), 5);
	assert_int_equal(hy_predictor_batch(10, 384), 2);
	assert_int_equal(hy_predictor_batch(10, 4096), 1);
	assert_int_equal(hy_predictor_batch(1, 96), 1);
}

static void collect(void *payload, const char *text)
{
	char *all = payload;
	const size_t used = strlen(all);
	snprintf(all + used, 1024 - used, "%s\n", text);
}

static void fingerprint_warns_outside_of_its_ranges(void **state)
{
	(void)state;
	hardy_error err;
	hy_fingerprint f = {0};
	hy_plan plan;
	hy_plan_init(&plan);
	char text[1024] = "";
	for (uint64_t i = 0; i < 3; i++) {
		hy_volume v;
		hy_slices s;
		make_volume(&v, 40 + (int64_t)i, 36, 4 + (int64_t)i, 1.4 + 0.1 * (double)i, i);
		assert_ok(hy_preprocess_train(&plan, &v, NULL, &s, &err), &err);
		hy_fingerprint_add(&f, &v.grid, &s, 1);
		hy_slices_clear(&s);
		hy_volume_clear(&v);
	}
	assert_int_equal(f.n_volumes, 3);
	assert_true(f.spacing_low_mm[0] == 1.4 && fabs(f.spacing_high_mm[1] - 1.6) < 1e-12 && f.spacing_high_mm[2] == 8);
	assert_true(f.matrix_low[0] == 40 && f.matrix_high[0] == 42 && f.matrix_high[2] == 6);
	hy_volume v;
	hy_slices s;
	make_volume(&v, 44, 36, 5, 2.3, 9); /* not half as wide again as the widest */
	assert_ok(hy_preprocess_train(&plan, &v, NULL, &s, &err), &err);
	hy_fingerprint_check(&f, &v.grid, &s, 1, collect, text);
	assert_string_equal(text, "");
	v.grid.spacing_mm[2] = 3;
	for (int64_t i = 0; i < s.n * s.height * s.width; i++)
		s.image[i] = 0.1f * s.image[i] + 0.9f;
	hy_fingerprint_check(&f, &v.grid, &s, 1, collect, text);
	assert_non_null(strstr(text, "spacing along z is 3.000 mm, training scans have 8.000 mm\n"));
	assert_non_null(strstr(text, "mean of the scaled intensities is 0.9"));
	assert_non_null(strstr(text, "standard deviation of the scaled intensities is 0.0"));
	assert_null(strstr(text, "along x"));
	text[0] = 0;
	hy_fingerprint_check(&(hy_fingerprint){0}, &v.grid, &s, 1, collect, text);
	assert_string_equal(text, "");
	f.reconstruction_mean = 0.01;
	f.reconstruction_sd = 0.002;
	assert_true(fabs(hy_fingerprint_z(&f, 0.016) - 3) < 1e-9);
	assert_true(isnan(hy_fingerprint_z(&(hy_fingerprint){0}, 0.016)));
	hy_slices_clear(&s);
	hy_volume_clear(&v);
}

static void warnings_reach_the_prediction(void **state)
{
	(void)state;
	hy_model m;
	hy_volume v;
	hy_predictor_options o = everything();
	make_model(&m, 7);
	make_volume(&v, 40, 36, 3, 1.7, 8);
	m.fingerprint = (hy_fingerprint){.n_volumes = 2,
	                                 .spacing_low_mm = {3, 3, 8},
	                                 .spacing_high_mm = {3, 3, 8},
	                                 .mean_low = {0.5},
	                                 .mean_high = {0.5},
	                                 .sd_low = {0.25},
	                                 .sd_high = {0.3},
	                                 .reconstruction_mean = 1e-6,
	                                 .reconstruction_sd = 1e-6};
	hy_prediction out = predict((hy_model *[]){&m}, 1, &o, &v);
	assert_true(out.n_warnings >= 3);
	assert_non_null(strstr(out.warnings, "spacing along x is 1.700 mm"));
	assert_non_null(strstr(out.warnings, "; reconstruction error is"));
	assert_true(out.reconstruction_z > 4);
	hy_prediction_clear(&out);
	/* a network that sees background only */
	const int i = hy_params_find(&m.network.params, "shape_decoder.final_conv.bias");
	assert_true(i >= 0);
	hy_params_write_values(&m.network.params)[m.network.params.list[i].offset] = 1e4f;
	out = predict((hy_model *[]){&m}, 1, &o, &v);
	assert_non_null(strstr(out.warnings, "no foreground was found"));
	assert_true(isnan(out.mean_entropy));
	assert_true(out.disagreement == 1);
	hy_prediction_clear(&out);
	hy_volume_clear(&v);
	hy_model_clear(&m);
}

static void keeps_the_largest_component(void **state)
{
	(void)state;
	hardy_error err;
	hy_labels l;
	hy_grid g;
	int64_t n_removed = -1;
	hy_grid_set_simple(&g, 6, 5, 3, 1, 1, 1);
	assert_ok(hy_labels_alloc(&l, &g, &err), &err);
#define AT(x, y, z) l.data[((z)*5 + (y)) * 6 + (x)]
	/* class 1: three voxels that touch by corners from slice to slice, and two that are apart */
	AT(0, 0, 0) = AT(1, 1, 1) = AT(2, 2, 2) = 1;
	AT(5, 4, 0) = AT(4, 4, 0) = 1;
	/* class 2: two of equal size, the first is kept; it touches class 1 */
	AT(1, 0, 0) = 2;
	AT(5, 0, 2) = 2;
	/* class 3: more than n_classes, left alone */
	AT(0, 4, 0) = AT(3, 0, 2) = 3;
	assert_ok(hy_keep_largest(&l, 3, &n_removed, &err), &err);
	assert_int_equal(n_removed, 3);
	assert_int_equal(AT(0, 0, 0) + AT(1, 1, 1) + AT(2, 2, 2), 3);
	assert_int_equal(AT(5, 4, 0) + AT(4, 4, 0), 0);
	assert_int_equal(AT(1, 0, 0), 2);
	assert_int_equal(AT(5, 0, 2), 0);
	assert_int_equal(AT(0, 4, 0) + AT(3, 0, 2), 6);
	memset(l.data, 0, 90);
	assert_ok(hy_keep_largest(&l, 3, &n_removed, &err), &err);
	assert_int_equal(n_removed, 0);
	memset(l.data, 2, 90);
	assert_ok(hy_keep_largest(&l, 3, &n_removed, &err), &err);
	assert_int_equal(n_removed, 0);
	assert_int_equal(AT(5, 4, 2), 2);
	hy_labels_clear(&l);
}

static void keep_largest_is_applied(void **state)
{
	(void)state;
	hardy_error err;
	hy_model m;
	hy_volume v;
	hy_predictor_options o = {.which = HY_FTN};
	make_model(&m, 8);
	make_volume(&v, 40, 36, 3, 1.7, 10);
	hy_prediction plain = predict((hy_model *[]){&m}, 1, &o, &v);
	assert_ok(hy_keep_largest(&plain.label, 3, NULL, &err), &err);
	o.keep_largest = true;
	hy_prediction kept = predict((hy_model *[]){&m}, 1, &o, &v);
	assert_memory_equal(plain.label.data, kept.label.data, (size_t)hy_grid_voxels(&v.grid));
	hy_prediction_clear(&plain);
	hy_prediction_clear(&kept);
	hy_volume_clear(&v);
	hy_model_clear(&m);
}

/* What was chosen for a model holds until somebody says otherwise. */
static void a_model_says_how_it_predicts(void **state)
{
	(void)state;
	hy_model m = {.use = {.ftn = true, .keep_largest = true, .flips = true}};
	hy_predictor_options o;
	hy_predictor_options_init(&o);
	hy_predictor_options_use(&o, &m); /* nobody chose */
	assert_true(o.which == HY_STN && !o.keep_largest && !o.flips);
	m.use.chosen = true;
	hy_predictor_options_use(&o, &m);
	assert_true(o.which == HY_FTN && o.keep_largest && o.flips && !o.intensity);
	hy_tta_set(&o, NULL);
	assert_true(o.flips);
	hy_tta_set(&o, "intensity");
	assert_true(!o.flips && o.intensity);
	hardy_error err = {0};
	hy_predictor_words words = {.precision = "f32", .tta = "both"};
	assert_ok(hy_predictor_words_check(&words, &err), &err);
	words.window = "sideways";
	assert_int_equal(hy_predictor_words_check(&words, &err), HARDY_ERROR_ARGUMENT);
	assert_string_equal(err.message, "window is \"sideways\", want one of follow|middle");
}

static void refuses_what_it_cannot_predict(void **state)
{
	(void)state;
	hardy_error err;
	hy_model m;
	hy_volume v;
	hy_prediction out;
	const hy_predictor_options o = everything();
	make_model(&m, 9);
	make_volume(&v, 40, 36, 3, 1.7, 11);
	hy_predictor *p = make_predictor((hy_model *[]){&m}, 1, &o);
	v.nt = 2;
	assert_int_equal(hy_predictor_run(p, &v, &out, &err), HARDY_ERROR_DATA);
	assert_non_null(strstr(err.message, "2 channels, the model wants 1"));
	v.nt = 1;
	v.data[77] = NAN;
	assert_int_equal(hy_predictor_run(p, &v, &out, &err), HARDY_ERROR_NUMERIC);
	v.data[77] = 3;
	assert_ok(hy_predictor_run(p, &v, &out, &err), &err); /* still usable */
	hy_prediction_clear(&out);
	hy_predictor_free(p);
	assert_null(hy_predictor_new(NULL, 0, &o, &err));
	hy_volume_clear(&v);
	hy_model_clear(&m);
}

static void survives_lack_of_memory(void **state)
{
	(void)state;
	hardy_error err;
	hy_model a, b;
	hy_volume v;
	hy_predictor_options o = everything();
	if (TEST_RACES)
		skip();
	make_model(&a, 10);
	make_model(&b, 11);
	b.plan.size = 48;
	o.adapt = o.keep_largest = true;
	make_volume(&v, 20, 20, 2, 2, 12);
	hy_model *const models[] = {&a, &b};
	const int64_t before = hy_memory_calls();
	hy_prediction out = predict(models, 2, &o, &v);
	hy_prediction_clear(&out);
	const int64_t n = hy_memory_calls() - before;
	int n_failed = 0, n_tried = 0;
	/* recording the network asks for memory hundreds of times: a part of them, another part for each model */
	for (int64_t k = 1; k <= n; k += k < 8 || n - k < 40 ? 1 : 41) {
		n_tried++;
		hy_memory_fail_at(k);
		hy_predictor *p = hy_predictor_new(models, 2, &o, &err);
		const hardy_status status = p ? hy_predictor_run(p, &v, &out, &err) : err.status;
		hy_memory_fail_at(0);
		hy_predictor_free(p);
		if (!status)
			hy_prediction_clear(&out);
		else
			assert_int_equal(status, HARDY_ERROR_MEMORY);
		n_failed += status != HARDY_OK;
	}
	assert_int_equal(n_failed, n_tried);
	hy_volume_clear(&v);
	hy_model_clear(&a);
	hy_model_clear(&b);
}

/* Versions of the slices are the second opinion of a U-Net; they change its signals, not its label map. */
static void a_network_alone_has_a_second_opinion(void **state)
{
	(void)state;
	hy_model m, twin;
	hy_volume v;
	make_model_of(&m, HY_NETWORK_UNET, 31);
	make_model_of(&twin, HY_NETWORK_UNET, 32);
	make_volume(&v, 40, 36, 5, 1.7, 33);
	hy_prediction plain = predict((hy_model *[]){&m}, 1, &(hy_predictor_options){.which = HY_STN}, &v);
	assert_true(isnan(plain.disagreement) && !plain.signals.n_classes && !plain.other.data);
	const hy_predictor_options both = {.which = HY_STN, .both = true};
	hy_prediction p = predict((hy_model *[]){&m}, 1, &both, &v), again = predict((hy_model *[]){&m}, 1, &both, &v);
	const size_t n = (size_t)hy_grid_voxels(&v.grid);
	assert_memory_equal(p.label.data, plain.label.data, n);
	assert_memory_equal(p.other.data, plain.label.data, n);
	assert_true(p.disagreement > 0 && p.disagreement < 1 && p.disagreement == again.disagreement);
	assert_int_equal(p.signals.n_classes, 3);
	assert_true(p.signals.measure[HY_CONFIDENCE_FTN][1] != p.signals.measure[HY_CONFIDENCE_STN][1]);
	/* averaged over mirrored slices, these are the second opinion; the first one is the slice as it is */
	hy_predictor_options o = both;
	o.flips = true;
	hy_prediction mirrored = predict((hy_model *[]){&m}, 1, &o, &v);
	assert_true(mirrored.signals.measure[HY_CONFIDENCE_FTN][1] == p.signals.measure[HY_CONFIDENCE_FTN][1]);
	assert_true(mirrored.disagreement > 0 && mirrored.disagreement != p.disagreement);
	/* of an ensemble, the first model's */
	hy_prediction two = predict((hy_model *[]){&m, &twin}, 2, &both, &v);
	assert_memory_equal(&two.signals, &p.signals, sizeof p.signals);
	assert_true(two.disagreement == p.disagreement);
	hy_prediction *all[] = {&p, &again, &mirrored, &two};
	for (int i = 0; i < 4; i++)
		hy_prediction_clear(all[i]);
	hy_prediction_clear(&plain);
	hy_volume_clear(&v);
	hy_model_clear(&m);
	hy_model_clear(&twin);
}

/* Seeing neighbours is seeing them as channels: a model of three channels and a scan that holds each slice, the one below and the one above. */
static void neighbours_are_seen(void **state)
{
	(void)state;
	enum { NX = 40, NY = 36, NZ = 5, PLANE = NX * NY };
	hardy_error err;
	hy_model beside, stacked;
	hy_volume v, three;
	const hy_network_config config = {.channels = 3, .classes = 3, .kind = HY_NETWORK_UNET};
	drawn_model(&stacked, &config, drawn_a_b, SIZE, 2, 31);
	drawn_model(&beside, &config, drawn_a_b, SIZE, 2, 31);
	beside.n_channels = 1;
	beside.plan.neighbours = 1;
	make_volume(&v, NX, NY, NZ, 1.7, 42);
	v.data[2 * PLANE] = -20;
	v.data[2 * PLANE + 1] = 240;
	assert_ok(hy_volume_alloc(&three, &v.grid, 3, &err), &err);
	for (int c = 0; c < 3; c++)
		for (int z = 0; z < NZ; z++) {
			const int there = z + (c == 1 ? -1 : c == 2), from = there < 0 ? 0 : there < NZ ? there : NZ - 1;
			memcpy(three.data + (c * NZ + z) * PLANE, v.data + from * PLANE, PLANE * sizeof *v.data);
		}
	/* each channel is scaled by itself: all hold the middle slice, and the least and the greatest value */
	beside.plan.percentile_low = stacked.plan.percentile_low = 0;
	beside.plan.percentile_high = stacked.plan.percentile_high = 100;
	const hy_predictor_options o = {.which = HY_STN, .both = true, .flips = true};
	hy_prediction p = predict((hy_model *[]){&beside}, 1, &o, &v), want = predict((hy_model *[]){&stacked}, 1, &o, &three);
	assert_memory_equal(p.label.data, want.label.data, (size_t)hy_grid_voxels(&v.grid));
	assert_true(p.disagreement > 0 && p.disagreement == want.disagreement);
	/* it comes back from a file, with what the scans have, not the network */
	hy_model back;
	assert_ok(hy_model_save(&beside, scratch_path("beside.safetensors"), NULL, HY_REPLACE_ANY, &err), &err);
	assert_ok(hy_model_load(&back, scratch_path("beside.safetensors"), NULL, &err), &err);
	assert_int_equal(back.n_channels, 1);
	assert_int_equal(back.plan.neighbours, 1);
	hy_prediction again = predict((hy_model *[]){&back}, 1, &o, &v);
	assert_memory_equal(again.label.data, p.label.data, (size_t)hy_grid_voxels(&v.grid));
	hy_predictor *predictor = make_predictor((hy_model *[]){&back}, 1, &o);
	assert_int_equal(hy_predictor_run(predictor, &three, &again, &err), HARDY_ERROR_DATA);
	assert_non_null(strstr(err.message, "3 channels, the model wants 1"));
	hy_predictor_free(predictor);
	beside.plan.neighbours = 2; /* of three channels */
	assert_int_not_equal(hy_model_save(&beside, scratch_path("beside.safetensors"), NULL, HY_REPLACE_ANY, &err), HARDY_OK);
	hy_prediction_clear(&p);
	hy_prediction_clear(&want);
	hy_prediction_clear(&again);
	hy_volume_clear(&v);
	hy_volume_clear(&three);
	hy_model_clear(&beside);
	hy_model_clear(&stacked);
	hy_model_clear(&back);
	scratch_remove();
}

/* What a scan looks like stored across another axis. */
static hy_volume across(const hy_volume *v, const hy_order *o)
{
	hardy_error err;
	hy_volume turned;
	assert_ok(hy_volume_alloc(&turned, &v->grid, 1, &err), &err);
	memcpy(turned.data, v->data, (size_t)hy_grid_voxels(&v->grid) * sizeof *v->data);
	assert_ok(hy_volume_reorder(&turned, o, &err), &err);
	return turned;
}

/* A model of three planes gives the mean of what it makes of the scan stored across each axis; where the window of a plane
 * ends the others say alone what there is. */
static void planes_are_averaged(void **state)
{
	(void)state;
	enum { NX = 30, NY = 28, NZ = 26, N = NX * NY * NZ };
	static const hy_order orders[3] = {{{0, 1, 2}, {false}}, {{0, 2, 1}, {false}}, {{1, 2, 0}, {false}}};
	static float sum[3][N];
	hardy_error err;
	hy_model m, one, back;
	hy_volume v;
	make_model_of(&m, HY_NETWORK_UNET, 31);
	make_model_of(&one, HY_NETWORK_UNET, 31);
	m.plan.planes = 3;
	m.plan.spacing_mm = one.plan.spacing_mm = 1.7;
	make_volume(&v, NX, NY, NZ, 1.7, 42);
	v.grid.spacing_mm[2] = 1.7;
	assert_true(m.plan.size >= NX);
	const hy_predictor_options o = {.which = HY_STN, .both = true, .probabilities = true, .entropy = true};
	memset(sum, 0, sizeof sum);
	double disagreement = 0;
	for (int k = 0; k < 3; k++) {
		hy_volume turned = across(&v, &orders[k]);
		hy_prediction p = predict((hy_model *[]){&one}, 1, &o, &turned);
		float *own = hy_alloc(N, sizeof *own);
		assert_non_null(own);
		for (int c = 0; c < 3; c++) {
			hy_order_voxels_back(&orders[k], &v.grid, 1, sizeof *own, p.probabilities + (size_t)c * N, own);
			for (int i = 0; i < N; i++)
				sum[c][i] += own[i] / 3;
		}
		disagreement = k ? disagreement : p.disagreement;
		hy_free(own);
		hy_prediction_clear(&p);
		hy_volume_clear(&turned);
	}
	hy_prediction p = predict((hy_model *[]){&m}, 1, &o, &v);
	int wrong = 0, other = 0;
	for (int i = 0; i < N; i++) {
		int best = 0;
		for (int c = 0; c < 3; c++) {
			wrong += fabsf(p.probabilities[c * N + i] - sum[c][i]) > 1e-5F;
			best = sum[c][i] > sum[best][i] ? c : best;
		}
		other += p.label.data[i] != best;
	}
	assert_int_equal(wrong, 0);
	assert_true(other <= 2);
	assert_true(p.disagreement == disagreement); /* the first plane's */
	/* from a file */
	assert_ok(hy_model_save(&m, scratch_path("planes.safetensors"), NULL, HY_REPLACE_ANY, &err), &err);
	assert_ok(hy_model_load(&back, scratch_path("planes.safetensors"), NULL, &err), &err);
	hy_prediction again = predict((hy_model *[]){&back}, 1, &o, &v);
	assert_memory_equal(again.label.data, p.label.data, N);
	hy_prediction_clear(&again);
	hy_prediction_clear(&p);
	hy_volume_clear(&v);
	/* a scan longer than the window is high: probabilities add up to one, and the first plane decides alone at the ends */
	enum { LONG = 60, FAR = NX * NY * LONG };
	make_volume(&v, NX, NY, LONG, 1.7, 43);
	v.grid.spacing_mm[2] = 1.7;
	p = predict((hy_model *[]){&m}, 1, &o, &v);
	hy_prediction first = predict((hy_model *[]){&one}, 1, &o, &v);
	for (int i = 0; i < FAR; i++) {
		float all = 0, entropy = 0;
		for (int c = 0; c < 3; c++) {
			const float q = p.probabilities[c * FAR + i];
			all += q;
			entropy -= q > 0 ? q * logf(q) / logf(3) : 0;
		}
		assert_true(fabsf(all - 1) < 1e-4F);
		assert_true(p.entropy[i] >= 0 && p.entropy[i] <= 1.0001F && fabsf(p.entropy[i] - entropy) < 1e-4F);
	}
	assert_memory_equal(p.label.data, first.label.data, (size_t)NX * NY * 4);
	hy_prediction_clear(&p);
	hy_prediction_clear(&first);
	hy_volume_clear(&v);
	hy_model_clear(&m);
	hy_model_clear(&one);
	hy_model_clear(&back);
	scratch_remove();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(label_is_the_arg_max_of_the_logits),
	    cmocka_unit_test(maps_and_measures_fit_together),
	    cmocka_unit_test(ensembles),
	    cmocka_unit_test(a_network_alone_has_a_second_opinion),
	    cmocka_unit_test(neighbours_are_seen),
	    cmocka_unit_test(planes_are_averaged),
	    cmocka_unit_test(a_scan_does_not_depend_on_others),
	    cmocka_unit_test(flips_commute_with_prediction),
	    cmocka_unit_test(stn_refines_its_own_result),
	    cmocka_unit_test(every_scan_is_adapted_to_itself),
	    cmocka_unit_test(adapting_leaves_the_model_alone),
	    cmocka_unit_test(batches_fit_the_number_of_slices),
	    cmocka_unit_test(fingerprint_warns_outside_of_its_ranges),
	    cmocka_unit_test(warnings_reach_the_prediction),
	    cmocka_unit_test(keeps_the_largest_component),
	    cmocka_unit_test(keep_largest_is_applied),
	    cmocka_unit_test(a_model_says_how_it_predicts),
	    cmocka_unit_test(refuses_what_it_cannot_predict),
	    cmocka_unit_test(survives_lack_of_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
