/*
 * recentre.c: the field of view moves onto structures that reach its edge, and only then.
 */
#include "support/test.h"

#include "predict/predictor.h"
#include "predict/recentre.h"

#include <math.h>
#include <string.h>

enum { SIZE = 48, SIDE = 96, DEEP = 3 };

static void set(hy_network *n, const char *name, int64_t at, float value)
{
	const int i = hy_params_find(&n->params, name);
	if (i < 0)
		fail_msg("no tensor %s", name);
	assert_true((size_t)at < n->params.list[i].n);
	hy_params_write_values(&n->params)[n->params.list[i].offset + (size_t)at] = value;
}

/* A U-Net that calls bright what is above half of the slice's range: its first channel goes through the topmost skip unchanged. */
static void make_threshold(hy_model *m)
{
	hardy_error err;
	const hy_network_config config = {.channels = 1, .classes = 2, .kind = HY_NETWORK_UNET, .width = 16, .levels = 2};
	*m = (hy_model){.n_classes = 2, .n_channels = 1};
	assert_ok(hy_network_init(&m->network, &config, &err), &err);
	hy_params_draw(&m->network.params, 1);
	for (size_t i = 0; i < m->network.params.n; i++) {
		const hy_param *q = &m->network.params.list[i];
		for (size_t k = 0; !q->is_buffer && !strstr(q->name, ".1.weight") && k < q->n; k++)
			hy_params_write_values(&m->network.params)[q->offset + k] = 0;
	}
	set(&m->network, "down.0.0.0.weight", 4, 1);
	set(&m->network, "down.0.1.0.weight", 4, 1);
	set(&m->network, "up.0.0.0.weight", 32 * 9 + 4, 1);
	set(&m->network, "up.0.1.0.weight", 4, 1);
	set(&m->network, "out.weight", 16, 20);
	set(&m->network, "out.bias", 1, -10);
	hy_plan_init(&m->plan);
	m->plan.size = SIZE;
	m->plan.spacing_mm = 2;
	m->plan.percentile_low = 0;
	m->plan.percentile_high = 100;
	memcpy(m->classes, (hy_class[]){{"background", 0, true}, {"A", 1, true}}, 2 * sizeof(hy_class));
	strcpy(m->channels[0], "image");
}

/* Dark, with a bright box from (x, y), of 16 x 16 pixels. */
static void make_scan(hy_volume *v, int64_t x, int64_t y)
{
	hardy_error err;
	hy_grid g;
	hy_grid_set_simple(&g, SIDE, SIDE, DEEP, 2, 2, 8);
	assert_ok(hy_volume_alloc(v, &g, 1, &err), &err);
	for (int64_t i = 0; i < SIDE * SIDE * DEEP; i++) {
		const int64_t c = i % SIDE, r = i / SIDE % SIDE;
		const bool box = c >= x && c < x + 16 && r >= y && r < y + 16;
		v->data[i] = box ? 100 : 0;
	}
}

static int64_t found(const hy_model *m, const hy_volume *v, bool recentre, bool flips)
{
	hardy_error err;
	hy_predictor_options o;
	hy_predictor_options_init(&o);
	hy_predictor_options_use(&o, m);
	assert_true(o.recentre); /* no study network */
	o.recentre = recentre;
	o.flips = flips;
	o.both = o.entropy = o.probabilities = true;
	hy_model *list[] = {(hy_model *)m, (hy_model *)m};
	hy_predictor *p = hy_predictor_new(list, 2, &o, &err);
	assert_non_null(p);
	hy_prediction out;
	assert_ok(hy_predictor_run(p, v, &out, &err), &err);
	hy_predictor_free(p);
	for (int64_t i = 0; i < SIDE * SIDE * DEEP; i++) /* nothing but the box, wherever the window lies */
		assert_true(!out.label.data[i] || v->data[i] > 50);
	const int64_t n = out.n_voxels[1];
	hy_prediction_clear(&out);
	return n;
}

static void finds_what_the_middle_cuts_off(void **state)
{
	(void)state;
	static const int64_t places[][2] = {{40, 40}, {12, 40}, {14, 66}, {0, 0}, {80, 80}, {68, 10}};
	const int64_t whole = 16 * 16 * DEEP;
	hy_model m;
	make_threshold(&m);
	for (size_t k = 0; k < sizeof places / sizeof *places; k++) {
		hy_volume v;
		make_scan(&v, places[k][0], places[k][1]);
		int64_t inside = 1;
		for (int a = 0; a < 2; a++) {
			const int64_t low = places[k][a] < 24 ? 24 : places[k][a], high = places[k][a] + 16 > 72 ? 72 : places[k][a] + 16;
			inside *= high > low ? high - low : 0;
		}
		assert_int_equal(found(&m, &v, false, false), inside * DEEP);
		/* what the middle does not show at all cannot be followed */
		assert_int_equal(found(&m, &v, true, k % 2), inside ? whole : 0);
		hy_volume_clear(&v);
	}
	hy_model_clear(&m);
}

/* Probabilities of 2 classes on n slices of SIZE x SIZE: a box of rows and columns low .. high on every slice. */
static void box_map(float *q, int64_t n, int64_t row_low, int64_t row_high, int64_t col_low, int64_t col_high)
{
	for (int64_t i = 0; i < n * SIZE * SIZE; i++) {
		const int64_t z = i / (SIZE * SIZE), k = i % (SIZE * SIZE), r = k / SIZE, c = k % SIZE;
		const bool in = r >= row_low && r <= row_high && c >= col_low && c <= col_high;
		q[(2 * z + 1) * SIZE * SIZE + k] = in ? 0.9F : 0.1F;
		q[2 * z * SIZE * SIZE + k] = in ? 0.1F : 0.9F;
	}
}

static void measures_the_largest_piece(void **state)
{
	(void)state;
	hardy_error err;
	static float q[DEEP * 2 * SIZE * SIZE];
	hy_extent e;
	box_map(q, DEEP, 10, 20, 5, 30);
	q[SIZE * SIZE + 47 * SIZE + 47] = 0.95F; /* a speck in the corner */
	assert_ok(hy_extent_measure(q, DEEP, 2, SIZE, &e, &err), &err);
	assert_int_equal(e.n, 11 * 26 * DEEP);
	assert_int_equal(e.low[0], 10);
	assert_int_equal(e.high[0], 20);
	assert_int_equal(e.low[1], 5);
	assert_int_equal(e.high[1], 30);
	box_map(q, DEEP, 1, 0, 1, 0);
	assert_ok(hy_extent_measure(q, DEEP, 2, SIZE, &e, &err), &err);
	assert_int_equal(e.n, 0);
}

static void moves_only_where_the_slice_goes_on(void **state)
{
	(void)state;
	const hy_extent inside = {.n = 9, .low = {2, 10}, .high = {45, 30}}, top = {.n = 9, .low = {0, 10}, .high = {15, 30}};
	hy_window_shift s = {0, 0};
	assert_false(hy_recentre(&inside, SIZE, 96, 96, &s));
	assert_false(hy_recentre(&(hy_extent){.n = 0}, SIZE, 96, 96, &s));
	assert_false(hy_recentre(&top, SIZE, 48, 96, &s)); /* nothing lies above */
	assert_false(hy_recentre(&top, SIZE, 30, 96, &s)); /* smaller than the window */
	assert_true(s.y == 0 && s.x == 0);
	assert_true(hy_recentre(&top, SIZE, 96, 96, &s));
	assert_int_equal(s.y, -16); /* rows 0 to 15 about the middle */
	assert_int_equal(s.x, 0);
	s = (hy_window_shift){0, 0};
	assert_true(hy_recentre(&top, SIZE, 60, 96, &s));
	assert_int_equal(s.y, -6); /* as far as the slice goes */
	assert_false(hy_recentre(&top, SIZE, 60, 96, &s));
}

/* A map that was cut from a shifted window comes back to where it was cut. */
static void maps_come_back_from_a_shifted_window(void **state)
{
	(void)state;
	hardy_error err;
	hy_volume v;
	hy_slices full = {0}, s = {0};
	hy_plan plan;
	hy_plan_init(&plan);
	plan.size = SIZE;
	plan.spacing_mm = 2;
	plan.percentile_low = 0;
	plan.percentile_high = 100;
	plan.minmax_slice = false;
	make_scan(&v, 60, 20);
	const hy_window_shift shift = {-20, 17};
	assert_ok(hy_preprocess_train(&plan, &v, NULL, &full, &err), &err);
	assert_ok(hy_preprocess_window(&plan, &full, &shift, &s, &err), &err);
	static float back[SIDE * SIDE * DEEP];
	assert_ok(hy_restore_map(&plan, &v.grid, &shift, 1, 0, s.image, -1, back, &err), &err);
	for (int64_t i = 0; i < SIDE * SIDE * DEEP; i++) {
		const int64_t c = i % SIDE, r = i / SIDE % SIDE;
		const bool inside = r >= 4 && r < 52 && c >= 41 && c < 89;
		assert_true(fabsf(back[i] - (inside ? v.data[i] / 100 : -1)) < 1e-6F);
	}
	hy_slices_clear(&full);
	hy_slices_clear(&s);
	hy_volume_clear(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(finds_what_the_middle_cuts_off),
	    cmocka_unit_test(measures_the_largest_piece),
	    cmocka_unit_test(moves_only_where_the_slice_goes_on),
	    cmocka_unit_test(maps_come_back_from_a_shifted_window),
	};
	return cmocka_run_group_tests_name("predict/recentre", tests, NULL, NULL);
}
