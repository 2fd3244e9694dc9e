/*
 * ranks.c: a step whose batch lies on several ranks is the step of one: losses, gradients, masks, statistics and weights, for every recipe that
 * can be divided; the others are refused. The ranks are threads (support/ranks.h), so that this runs without MPI.
 */
#include "support/ranks.h"
#include "base/memory.h"
#include "support/engine.h"
#include "support/test.h"
#include "training/recipe.h"

#include <math.h>
#include <string.h>
#if defined(_OPENMP)
#include <omp.h>
#endif

enum { BATCH = 4, SIDE = 16, WIDE = 32, MOST_STEPS = 5 };

typedef struct setting {
	const char *recipe;
	bool unet, dice, unlabelled, norm_local;
	int steps;
} setting;

/* What a rank leaves. */
typedef struct outcome {
	const setting *s;
	float *image; /* of the whole batch */
	uint8_t *label;
	hardy_status status;
	hardy_error err;
	double terms[MOST_STEPS][HY_N_TERMS];
	float *first_gradient, *values, *buffers; /* owned */
	size_t n_values, n_buffers;
} outcome;

static hy_step_options options(const setting *s)
{
	hy_step_options o;
	hy_recipe r;
	hardy_error err = {0};
	hardy_train_options t;
	hardy_train_options_init(&t, "paper", "standard", &err);
	hy_recipe_read(s->recipe, &r, &err);
	hy_recipe_options(&o, &r, &t);
	o.batch = BATCH;
	o.height = SIDE;
	o.width = WIDE;
	o.seed = 3;
	o.w_dice = s->dice;
	o.norm_local = s->norm_local;
	o.unlabelled = s->unlabelled ? BATCH : 0;
	o.engine = test_engine();
	return o;
}

/* This rank's samples of n bytes each. */
static void deal(const hy_ranks *r, const void *all, size_t n, void *own)
{
	for (int i = 0; i < BATCH / r->size; i++)
		memcpy((char *)own + (size_t)i * n, (const char *)all + (size_t)(r->rank + i * r->size) * n, n);
}

static void *copy_of(const void *from, size_t n)
{
	return memcpy(hy_alloc(n, 1), from, n);
}

/* Gradient descent; the step itself moves nothing at a learning rate of 0, but its running statistics. */
static void descend(hy_ranks *r, void *payload)
{
	outcome *out = payload;
	const hy_network_config config = {.kind = out->s->unet ? HY_NETWORK_UNET : HY_NETWORK_STUDY,
	                                  .channels = 1,
	                                  .classes = 4,
	                                  .decoupler = !out->s->unet,
	                                  .width = 16,
	                                  .levels = 4};
	hy_step_options o = options(out->s);
	const size_t pixels = SIDE * WIDE, n = (size_t)(BATCH / r->size);
	float *image = hy_alloc_aligned(n * pixels, sizeof *image);
	uint8_t *label = hy_alloc(n * pixels, 1);
	hy_network net;
	hy_step *step = NULL;
#if defined(_OPENMP)
	omp_set_num_threads(1); /* of this thread */
#endif
	o.ranks = r;
	deal(r, out->image, pixels * sizeof *image, image);
	deal(r, out->label, pixels, label);
	out->status = hy_network_init(&net, &config, &out->err);
	hy_params_draw(&net.params, 5);
	hy_network_reset_statistics(&net);
	if (!out->status && !(step = hy_step_new(&net, &o, &out->err)))
		out->status = out->err.status;
	if (step && o.unlabelled)
		hy_step_unlabelled(step, image, label, 0.5);
	for (int i = 0; i < out->s->steps && !out->status; i++) {
		out->status = hy_step_run(step, image, image, label, i, 0, out->terms[i], &out->err);
		if (!i)
			out->first_gradient = copy_of(net.params.grads, net.params.n_values * sizeof(float));
		float *values = hy_params_write_values(&net.params);
		for (size_t k = 0; k < net.params.n_values; k++)
			values[k] -= 0.02f * net.params.grads[k];
	}
	out->n_values = net.params.n_values;
	out->n_buffers = net.params.n_buffers;
	out->values = copy_of(net.params.values, out->n_values * sizeof(float));
	out->buffers = copy_of(net.params.buffers, out->n_buffers * sizeof(float));
	hy_step_free(step);
	hy_network_clear(&net);
	hy_free_aligned(image);
	hy_free(label);
}

static void run(const setting *s, int size, outcome *out)
{
	static float image[BATCH * SIDE * WIDE];
	static uint8_t label[BATCH * SIDE * WIDE];
	void *payloads[TEST_MOST_RANKS];
	hy_rng g = hy_rng_make(3, HY_RNG_TEST, 0, 0);
	for (int i = 0; i < BATCH * SIDE * WIDE; i++) {
		image[i] = (float)hy_rng_uniform(&g);
		label[i] = (uint8_t)hy_rng_below(&g, 4);
	}
	for (int r = 0; r < size; r++) {
		out[r] = (outcome){.s = s, .image = image, .label = label};
		payloads[r] = &out[r];
	}
	ranks_run(size, descend, payloads);
}

static void drop(outcome *out, int size)
{
	for (int r = 0; r < size; r++) {
		hy_free(out[r].first_gradient);
		hy_free(out[r].values);
		hy_free(out[r].buffers);
	}
}

/* Largest difference, in parts of the largest value. */
static double apart(const float *a, const float *b, size_t n)
{
	double most = 0, largest = 0;
	for (size_t i = 0; i < n; i++) {
		most = fmax(most, fabs((double)a[i] - (double)b[i]));
		largest = fmax(largest, fabs((double)b[i]));
	}
	return most / largest;
}

/*
 * The first step differs by rounding alone, and sums of batch norm are in double precision. From there on rounding grows tenfold with each step and
 * more: codes are tiny here, and labels random. Twelve steps on an image of a heart are held to the bounds of the recorded curve
 * (tests/golden/engine.c).
 */
static void compare(const setting *s, const outcome *one, const outcome *out, int size)
{
	for (int r = 0; r < size; r++) {
		if (out[r].status)
			fail_msg("%s, rank %d of %d: %s", s->recipe, r, size, out[r].err.message);
		for (int i = 0; i < s->steps; i++)
			for (int k = 0; k < HY_N_TERMS; k++) {
				const double want = one->terms[i][k], got = out[r].terms[i][k];
				if (!(fabs(got - want) <= (i ? 1e-3 : 1e-5) * (1 + want)))
					fail_msg("%s, rank %d of %d, step %d: %s is %.9g, want %.9g", s->recipe, r, size, i, hy_term_names[k], got,
					         want);
			}
		const double gradient = apart(out[r].first_gradient, one->first_gradient, one->n_values);
		if (!(gradient < 1e-5))
			fail_msg("%s, rank %d of %d: gradients %g apart", s->recipe, r, size, gradient);
		assert_memory_equal(out[r].values, out[0].values, one->n_values * sizeof(float));
		assert_memory_equal(out[r].buffers, out[0].buffers, one->n_buffers * sizeof(float));
	}
}

static void as_one(void **state)
{
	(void)state;
	static const setting settings[] = {
	    {.recipe = "standard", .unet = true, .dice = true, .steps = MOST_STEPS},
	    {.recipe = "cooperative", .dice = true, .steps = 2},
	    {.recipe = "standard", .unet = true, .dice = true, .unlabelled = true, .steps = 2},
	    {.recipe = "standard", .steps = 2},
	    {.recipe = "mwm", .steps = 1},
	    {.recipe = "randconv:labelled=1", .steps = 1},
	    {.recipe = "adv-noise", .steps = 1},
	    {.recipe = "adv-bias", .steps = 1},
	    {.recipe = "rsc", .steps = 1},
	};
	for (size_t i = 0; i < (TEST_RACES ? 2 : sizeof settings / sizeof *settings); i += TEST_RACES ? 1 : TEST_STRIDE) {
		outcome one, out[TEST_MOST_RANKS];
		setting s = settings[i];
		s.steps = TEST_RACES ? 1 : s.steps;
		run(&s, 1, &one);
		if (one.status)
			fail_msg("%s: %s", s.recipe, one.err.message);
		for (int size = i && !TEST_RACES ? 4 : 2; size <= (TEST_RACES ? 2 : 4); size += 2) {
			run(&s, size, out);
			compare(&s, &one, out, size);
			drop(out, size);
		}
		drop(&one, 1);
	}
}

/* Masks are those of the whole batch: each scheme, and both codes at once, on ranks that hold one sample. */
static void masks_of_the_whole_batch(void **state)
{
	(void)state;
	static const setting settings[] = {{.recipe = "cooperative:scheme_image=dropout,scheme_shape=spatial", .steps = 1},
	                                   {.recipe = "cooperative:scheme_image=channel,scheme_shape=dropout", .steps = 1},
	                                   {.recipe = "cooperative:scheme_image=spatial,scheme_shape=channel", .steps = 1}};
	for (size_t i = 0; i < (TEST_RACES ? 1 : sizeof settings / sizeof *settings); i++) {
		outcome one, out[TEST_MOST_RANKS];
		run(&settings[i], 1, &one);
		run(&settings[i], BATCH, out);
		compare(&settings[i], &one, out, BATCH);
		assert_true(one.terms[0][HY_TERM_HARD_SEG] > 0 && one.terms[0][HY_TERM_HARD_P] > 0);
		drop(out, BATCH);
		drop(&one, 1);
	}
}

/* With statistics of their own samples ranks compute something else than one, but all the same: weights and running statistics are one. */
static void local_statistics(void **state)
{
	(void)state;
	const setting local = {.recipe = "standard", .unet = true, .norm_local = true, .steps = TEST_RACES ? 1 : 2};
	outcome one, out[TEST_MOST_RANKS];
	run(&local, 1, &one);
	run(&local, 2, out);
	for (int r = 0; r < 2; r++)
		if (out[r].status)
			fail_msg("%s", out[r].err.message);
	assert_memory_equal(out[0].terms, out[1].terms, sizeof out[0].terms);
	assert_memory_equal(out[0].values, out[1].values, one.n_values * sizeof(float));
	assert_memory_equal(out[0].buffers, out[1].buffers, one.n_buffers * sizeof(float));
	const double first = fabs(out[0].terms[0][HY_TERM_SEG] - one.terms[0][HY_TERM_SEG]);
	assert_true(first > 1e-5 && first < 0.2 * one.terms[0][HY_TERM_SEG]);
	drop(out, 2);
	drop(&one, 1);
}

static void what_cannot_be_divided(void **state)
{
	(void)state;
	static const struct {
		setting s;
		int size;
		const char *why;
	} cases[] = {
	    {{.recipe = "mixstyle", .steps = 1}, 2, "mixstyle makes an example of several slices"},
	    {{.recipe = "dsu", .steps = 1}, 2, "dsu makes"},
	    {{.recipe = "maxstyle", .steps = 1}, 2, "maxstyle makes"},
	    {{.recipe = "adv-noise:range=clamp", .steps = 1}, 2, "adv-noise makes"},
	    {{.recipe = "standard", .steps = 1}, 3, "batch is 4, want a multiple of the 3 ranks"},
	    {{.recipe = "standard", .norm_local = true, .steps = 1}, 4, "want 2 slices a rank or more"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		outcome out[TEST_MOST_RANKS];
		run(&cases[i].s, cases[i].size, out);
		for (int r = 0; r < cases[i].size; r++) {
			assert_true(out[r].status == HARDY_ERROR_ARGUMENT || out[r].status == HARDY_ERROR_UNSUPPORTED);
			if (!strstr(out[r].err.message, cases[i].why))
				fail_msg("\"%s\", want \"%s\"", out[r].err.message, cases[i].why);
		}
		drop(out, cases[i].size);
	}
}

/* Who failed tells; the others know. */
static void agree(hy_ranks *r, void *payload)
{
	outcome *out = payload;
	out->n_values = hy_ranks_any(r, r->rank == 2);
	out->status = hy_ranks_agree(r, HARDY_OK, &out->err);
	if (!out->status && !r->agreed)
		out->status = hy_ranks_agree(r, r->rank < 1 ? HARDY_OK : hy_fail(&out->err, HARDY_ERROR_DATA, "bad"), &out->err);
	out->n_buffers = r->silent;
}

static void agreement(void **state)
{
	(void)state;
	outcome out[3] = {{0}};
	void *payloads[] = {&out[0], &out[1], &out[2]};
	ranks_run(3, agree, payloads);
	for (int r = 0; r < 3; r++) {
		assert_int_equal(out[r].n_values, 1);
		assert_int_equal(out[r].status, HARDY_ERROR_DATA);
		assert_int_equal(out[r].n_buffers, r != 1);
		assert_string_equal(out[r].err.message, r == 1 ? "bad" : "rank 1 failed and says why");
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(as_one),           cmocka_unit_test(masks_of_the_whole_batch),
	    cmocka_unit_test(local_statistics), cmocka_unit_test(what_cannot_be_divided),
	    cmocka_unit_test(agreement),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
