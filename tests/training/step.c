/*
 * step.c: the training step beyond the recorded values: gradients of other shapes and ablations against differences of the loss,
 * repeatability, ablations that change what they should, and no allocation once it runs.
 */
#include "training/step.h"

#include "base/machine.h"
#include "base/memory.h"
#include "support/engine.h"
#include "support/test.h"

#include <math.h>
#include <string.h>

typedef struct fixture {
	hy_network network;
	hy_step *step;
	float *image;
	uint8_t *label;
	hardy_error err;
} fixture;

static void make(fixture *f, hy_network_config config, hy_step_options o)
{
	memset(f, 0, sizeof *f);
	assert_ok(hy_network_init(&f->network, &config, &f->err), &f->err);
	hy_params_draw(&f->network.params, 5);
	f->step = hy_step_new(&f->network, &o, &f->err);
	if (!f->step)
		fail_msg("%s", f->err.message);
	const size_t plane = (size_t)(o.height * o.width), n = (size_t)o.batch;
	f->image = hy_alloc(n * (size_t)config.channels * plane, sizeof *f->image);
	f->label = hy_alloc(n * plane, 1);
	hy_rng g = hy_rng_make(3, HY_RNG_TEST, 0, 0);
	for (size_t i = 0; i < n * (size_t)config.channels * plane; i++)
		f->image[i] = (float)hy_rng_uniform(&g);
	for (size_t i = 0; i < n * plane; i++)
		f->label[i] = (uint8_t)hy_rng_below(&g, (uint64_t)config.classes);
}

static void drop(fixture *f)
{
	hy_step_free(f->step);
	hy_network_clear(&f->network);
	hy_free(f->image);
	hy_free(f->label);
}

static hy_step_options options(bool cooperative)
{
	hy_step_options o;
	hy_step_options_init(&o);
	o.batch = TEST_RACES ? 2 : 4;
	o.height = 16;
	o.width = TEST_RACES ? 16 : 32;
	o.cooperative = cooperative;
	o.engine = test_engine();
	return o;
}

static double loss_at(fixture *f)
{
	double terms[HY_N_TERMS], sum = 0;
	assert_ok(hy_step_gradients(f->step, f->image, f->image, f->label, NULL, 0, terms, &f->err), &f->err);
	for (int k = 0; k < HY_N_TERMS; k++)
		sum += terms[k];
	return sum;
}

/* Along the gradient the loss must change at the rate of the gradient's length. (Not for cooperative: x^ and p^ are constants.) */
static void gradient_is_slope(void **state)
{
	(void)state;
	if (TEST_RACES) /* arithmetic, which the other tests' threads do, too */
		skip();
	static const hy_network_config configs[] = {{.channels = 1, .classes = 4, .decoupler = true},
	                                            {.channels = 2, .classes = 2, .decoupler = true},
	                                            {.channels = 3, .classes = 5}};
	for (int i = 0; i < 3; i++) {
		hy_step_options o = options(false);
		o.w_dice = i == 1 ? 1 : 0;
		o.w_ce = i == 1 ? 0.5f : 1;
		fixture f;
		make(&f, configs[i], o);
		loss_at(&f);
		const size_t n = f.network.params.n_values;
		float *direction = hy_alloc(n, sizeof *direction), *start = hy_alloc(n, sizeof *start);
		double square = 0;
		for (size_t k = 0; k < n; k++)
			square += (double)f.network.params.grads[k] * (double)f.network.params.grads[k];
		const double length = sqrt(square), step = 2e-3 / length; /* the loss is strongly curved here */
		memcpy(start, f.network.params.values, n * sizeof *start);
		for (size_t k = 0; k < n; k++)
			direction[k] = (float)((double)f.network.params.grads[k] / length);
		double at[2];
		for (int side = 0; side < 2; side++) {
			float *values = hy_params_write_values(&f.network.params);
			for (size_t k = 0; k < n; k++)
				values[k] = start[k] + (float)(side ? step : -step) * direction[k];
			at[side] = loss_at(&f);
		}
		const double slope = (at[1] - at[0]) / (2 * step);
		if (!(fabs(slope - length) < 0.02 * length))
			fail_msg("%d channels, %d classes: slope %g, gradient %g", configs[i].channels, configs[i].classes, slope, length);
		hy_free(direction);
		hy_free(start);
		drop(&f);
	}
}

static void same_seed_same_bytes(void **state)
{
	(void)state;
	float *kept = NULL;
	for (int run = 0; run < 2; run++) {
		fixture f;
		make(&f, (hy_network_config){.channels = 1, .classes = 4, .decoupler = true}, options(true));
		double terms[HY_N_TERMS];
		for (int i = 0; i < (TEST_RACES ? 2 : 4); i++)
			assert_ok(hy_step_run(f.step, f.image, f.image, f.label, i, 1e-3, terms, &f.err), &f.err);
		const size_t n = f.network.params.n_values;
		if (!run) {
			kept = hy_alloc(n, sizeof *kept);
			memcpy(kept, f.network.params.values, n * sizeof *kept);
		} else {
			assert_memory_equal(kept, f.network.params.values, n * sizeof *kept);
		}
		drop(&f);
	}
	hy_free(kept);
}

/*
 * One thread and two: the losses of the first step differ by rounding alone, and steps of plain gradient descent stay together as those of ranks do
 * (tests/training/ranks.c; twelve steps on an image of a heart are held to the recorded curve by tests/golden/engine.c, with as many threads as
 * there are). The same number of threads: the same bytes.
 */
static void threads_agree(void **state)
{
	(void)state;
	enum { STEPS = TEST_RACES ? 1 : 3 };
	const int threads[3] = {1, 2, 2}, before = hy_threads();
	double terms[3][STEPS][HY_N_TERMS];
	for (int run = 0; run < 3; run++) {
		fixture f;
		hy_threads_set(threads[run]);
		make(&f, (hy_network_config){.channels = 1, .classes = 4, .decoupler = true}, options(false));
		for (int i = 0; i < STEPS; i++) {
			assert_ok(hy_step_run(f.step, f.image, f.image, f.label, i, 0, terms[run][i], &f.err), &f.err);
			float *values = hy_params_write_values(&f.network.params);
			for (size_t k = 0; k < f.network.params.n_values; k++)
				values[k] -= 0.02f * f.network.params.grads[k];
		}
		drop(&f);
	}
	hy_threads_set(before);
	for (int i = 0; i < STEPS; i++)
		for (int k = 0; k < HY_N_TERMS; k++)
			if (!(fabs(terms[0][i][k] - terms[1][i][k]) <= (i ? 1e-3 : 1e-5) * (1 + terms[0][i][k])))
				fail_msg("step %d: %s is %.9g with one thread, %.9g with two", i, hy_term_names[k], terms[0][i][k],
				         terms[1][i][k]);
	assert_memory_equal(terms[1], terms[2], sizeof terms[1]);
}

/*
 * In bfloat16 losses and gradients are the same within its rounding, 8 bits at every operator, which adds up on the way back: with random
 * labels, whose gradients nearly cancel, the encoder's keep a cosine of about 0.75 (PyTorch's bfloat16 autocast: the same), the image
 * decoder's of 0.97.
 */
static void bfloat16_is_near(void **state)
{
	(void)state;
	if (!hy_kernels_pick(HY_ISA_AVX512_BF16, NULL)) {
		print_message("this processor has no AVX-512 BF16\n");
		skip();
	}
	double loss[2];
	float *kept = NULL;
	for (int half = 0; half < 2; half++) {
		hy_step_options o = options(false);
		o.batch = 6;
		o.height = o.width = 48;
		o.engine.isa = half ? HY_ISA_AVX512_BF16 : HY_ISA_AUTO;
		fixture f;
		make(&f, (hy_network_config){.channels = 1, .classes = 4, .decoupler = true}, o);
		loss[half] = loss_at(&f);
		const float *g = f.network.params.grads;
		const size_t n = f.network.params.n_values;
		if (!half) {
			kept = hy_alloc(n, sizeof *kept);
			memcpy(kept, g, n * sizeof *kept);
		} else {
			static const struct {
				const char *module;
				double cosine;
			} least[] = {{"", .6}, {"image_encoder", .6}, {"image_decoder", .95}, {"shape_decoder.up4", .99}};
			for (size_t m = 0; m < sizeof least / sizeof *least; m++) {
				double both = 0, first = 0, second = 0;
				for (size_t q = 0; q < f.network.params.n; q++) {
					const hy_param *p = &f.network.params.list[q];
					for (size_t k = p->offset; k < p->offset + p->n && !p->is_buffer; k++) {
						if (strncmp(p->name, least[m].module, strlen(least[m].module)))
							break;
						both += (double)kept[k] * (double)g[k];
						first += (double)kept[k] * (double)kept[k];
						second += (double)g[k] * (double)g[k];
					}
				}
				const double cosine = both / sqrt(first * second);
				if (!(cosine > least[m].cosine && fabs(loss[1] / loss[0] - 1) < 0.01))
					fail_msg("bf16: loss %g against %g, cosine of the gradients of %s %g", loss[1], loss[0], least[m].module,
					         cosine);
			}
		}
		drop(&f);
	}
	hy_free(kept);
}

static double sum_of_terms(hy_step_options o, int from, int to, bool decoupler)
{
	fixture f;
	make(&f, (hy_network_config){.channels = 1, .classes = 4, .decoupler = decoupler}, o);
	double terms[HY_N_TERMS], sum = 0;
	assert_ok(hy_step_run(f.step, f.image, f.image, f.label, 7, 1e-3, terms, &f.err), &f.err);
	for (int k = 0; k < HY_N_TERMS; k++) {
		assert_true(isfinite(terms[k]));
		if (k >= from && k < to)
			sum += terms[k];
	}
	drop(&f);
	return sum;
}

static void ablations(void **state)
{
	(void)state;
	hy_step_options o = options(true);
	const double full = sum_of_terms(o, HY_TERM_HARD_SEG, HY_N_TERMS, true);
	assert_true(sum_of_terms(o, HY_TERM_SEG, HY_TERM_HARD_SEG, true) ==
	            sum_of_terms(options(false), HY_TERM_SEG, HY_TERM_HARD_SEG, true));
	assert_true(sum_of_terms(options(false), HY_TERM_HARD_SEG, HY_N_TERMS, true) == 0);
	for (int scheme = HY_SCHEME_DROPOUT; scheme <= HY_SCHEME_SPATIAL; scheme++)
		for (int hard = 0; hard < 2; hard++) {
			hy_step_options v = o;
			v.mask_i.scheme = v.mask_s.scheme = (hy_scheme)scheme;
			v.mask_i.hard = v.mask_s.hard = hard;
			if (!TEST_RACES || hard == scheme % 2)
				assert_true(sum_of_terms(v, HY_TERM_HARD_SEG, HY_N_TERMS, true) > 0);
		}
	o.use_p_hat = false;
	assert_true(sum_of_terms(o, HY_TERM_HARD_P, HY_N_TERMS, true) == 0);
	assert_true(sum_of_terms(o, HY_TERM_HARD_SEG, HY_N_TERMS, true) < full);
	o = options(true);
	assert_true(sum_of_terms(o, HY_TERM_HARD_SEG, HY_N_TERMS, false) != full);
}

/* Separate training: the FTN's gradient is that of its own two terms. */
static void separate_training(void **state)
{
	(void)state;
	double sums[2];
	for (int separate = 0; separate < 2; separate++) {
		hy_step_options o = options(false);
		o.separate = separate;
		fixture f;
		make(&f, (hy_network_config){.channels = 1, .classes = 4, .decoupler = true}, o);
		loss_at(&f);
		const hy_param *p = &f.network.params.list[hy_params_find(&f.network.params, "segmentation_decoder.final_conv.weight")];
		sums[separate] = 0;
		for (size_t k = 0; k < p->n; k++)
			sums[separate] += fabs((double)f.network.params.grads[p->offset + k]);
		drop(&f);
	}
	assert_true(sums[0] != sums[1]);
}

static void nothing_is_allocated_while_running(void **state)
{
	(void)state;
	fixture f;
	make(&f, (hy_network_config){.channels = 1, .classes = 4, .decoupler = true}, options(true));
	double terms[HY_N_TERMS];
	int64_t before = 0;
	for (int i = 0; i < (TEST_RACES ? 3 : 6); i++) {
		if (i == 2)
			before = hy_memory_calls();
		assert_ok(hy_step_run(f.step, f.image, f.image, f.label, i, 1e-3, terms, &f.err), &f.err);
	}
	assert_int_equal(hy_memory_calls(), before);
	drop(&f);
}

static void bad_options(void **state)
{
	(void)state;
	hy_network n;
	hardy_error err;
	const hy_network_config config = {.channels = 1, .classes = 4, .decoupler = true},
	                        no_class = {.channels = 1, .classes = 1, .decoupler = true};
	assert_int_equal(hy_network_init(&n, &no_class, &err), HARDY_ERROR_ARGUMENT);
	assert_ok(hy_network_init(&n, &config, &err), &err);
	hy_step_options o = options(true);
	o.batch = 1;
	assert_null(hy_step_new(&n, &o, &err));
	o = options(true);
	o.width = 50;
	assert_null(hy_step_new(&n, &o, &err));
	assert_non_null(strstr(err.message, "16 x 50"));
	hy_network_clear(&n);
}

/* A non-finite weight stops the step, names the step, and leaves the parameters as they were. */
static void non_finite_is_an_error(void **state)
{
	(void)state;
	fixture f;
	make(&f, (hy_network_config){.channels = 1, .classes = 4, .decoupler = true}, options(true));
	double terms[HY_N_TERMS];
	hy_params_write_values(&f.network.params)[0] = NAN;
	const float kept = f.network.params.values[100];
	assert_int_equal(hy_step_run(f.step, f.image, f.image, f.label, 12, 1e-3, terms, &f.err), HARDY_ERROR_NUMERIC);
	assert_non_null(strstr(f.err.message, "step 12"));
	assert_true(f.network.params.values[100] == kept);
	drop(&f);
}

static void every_allocation_may_fail(void **state)
{
	(void)state;
	hy_network n;
	hardy_error err;
	if (TEST_RACES)
		skip();
	const hy_network_config config = {.channels = 1, .classes = 4, .decoupler = true};
	assert_ok(hy_network_init(&n, &config, &err), &err);
	hy_step_options o = options(true);
	o.engine = (hy_tape_options){HY_ISA_PLAIN, HY_CONV_PLAIN};
	for (int64_t k = 1;; k++) {
		hy_memory_fail_at(k);
		hy_step *s = hy_step_new(&n, &o, &err);
		hy_memory_fail_at(0);
		if (s) {
			hy_step_free(s);
			assert_true(k > 10);
			break;
		}
		assert_int_equal(err.status, HARDY_ERROR_MEMORY);
	}
	hy_network_clear(&n);
}

/* Without a gradient Adam leaves a weight alone, and decay takes rate times decay of it. */
static void weights_decay(void **state)
{
	(void)state;
	hardy_error err = {0};
	hy_params p = {0};
	const int64_t n = 5;
	assert_int_equal(hy_params_add(&p, "w", 1, &n, false, HY_INIT_ONE, 1), 0);
	assert_ok(hy_params_allocate(&p, &err), &err);
	hy_params_draw(&p, 0);
	hy_adam_step(&p, hy_kernels_pick(HY_ISA_AUTO, NULL), 0.5, 0.9, 0.999, 1e-8, 0);
	assert_true(p.values[3] == 1);
	hy_adam_step(&p, hy_kernels_pick(HY_ISA_AUTO, NULL), 0.5, 0.9, 0.999, 1e-8, 0.25);
	assert_true(p.values[0] == 0.875f && p.values[4] == 0.875f);
	hy_params_clear(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(weights_decay),
	    cmocka_unit_test(gradient_is_slope),
	    cmocka_unit_test(bfloat16_is_near),
	    cmocka_unit_test(same_seed_same_bytes),
	    cmocka_unit_test(threads_agree),
	    cmocka_unit_test(ablations),
	    cmocka_unit_test(separate_training),
	    cmocka_unit_test(nothing_is_allocated_while_running),
	    cmocka_unit_test(bad_options),
	    cmocka_unit_test(non_finite_is_an_error),
	    cmocka_unit_test(every_allocation_may_fail),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
