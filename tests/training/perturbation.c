/*
 * perturbation.c: every perturbation within a training step: repeatable, finite, no allocation once it runs, independent of what it
 * is stacked with; gradients against differences of the loss; searches that find harder examples; failing allocations.
 */
#include "training/perturbation.h"

#include "base/memory.h"
#include "support/test.h"
#include "training/recipe.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#if defined(_OPENMP)
#include <omp.h>
#endif

typedef struct fixture {
	hy_network network;
	hy_step *step;
	float *image;
	uint8_t *label;
	hardy_error err;
} fixture;

static hy_step_options options(const char *recipe)
{
	hy_step_options o;
	hy_recipe r;
	hardy_error err = {0};
	hardy_train_options t;
	assert_ok(hardy_train_options_init(&t, "paper", "standard", &err), &err);
	assert_ok(hy_recipe_read(recipe, &r, &err), &err);
	hy_recipe_options(&o, &r, &t);
	o.batch = 4;
	o.height = 16;
	o.width = 32;
	o.seed = 3;
	return o;
}

static void make(fixture *f, const hy_step_options *o, hy_network_config config)
{
	memset(f, 0, sizeof *f);
	assert_ok(hy_network_init(&f->network, &config, &f->err), &f->err);
	hy_params_draw(&f->network.params, 5);
	hy_network_reset_statistics(&f->network);
	f->step = hy_step_new(&f->network, o, &f->err);
	if (!f->step)
		fail_msg("%s", f->err.message);
	const size_t plane = (size_t)(o->height * o->width), n = (size_t)o->batch;
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

static const hy_network_config usual = {.channels = 1, .classes = 4, .decoupler = true};

static const char *const recipes[] = {
    "mwm", "randconv", "randconv:labelled=1", "adv-noise", "adv-bias", "rsc", "mixstyle", "dsu", "maxstyle",
};
enum { N_RECIPES = sizeof recipes / sizeof *recipes };

static void repeatable_finite_without_allocation(void **state)
{
	(void)state;
	for (int r = 0; r < N_RECIPES; r += TEST_STRIDE) {
		const hy_step_options o = options(recipes[r]);
		float *kept = NULL;
		for (int run = 0; run < 2; run++) {
			fixture f;
			make(&f, &o, usual);
			double terms[HY_N_TERMS];
			int64_t before = 0;
			for (int i = 0; i < 4; i++) {
				if (i == 2)
					before = hy_memory_calls();
				assert_ok(hy_step_run(f.step, f.image, f.image, f.label, i, 1e-3, terms, &f.err), &f.err);
			}
			if (hy_memory_calls() != before)
				fail_msg("%s allocates while it runs", recipes[r]);
			for (int k = 0; k < HY_N_TERMS; k++) {
				const bool has = hy_step_has_term(f.step, (enum hy_term)k);
				if (!isfinite(terms[k]) || has != (terms[k] > 0))
					fail_msg("%s: term %s is %g", recipes[r], hy_term_names[k], terms[k]);
			}
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
}

/* Other networks: several channels, two classes, no decoupler; soft Dice; separate training. */
static void other_networks(void **state)
{
	(void)state;
	for (int r = 0; r < N_RECIPES; r++) {
		hy_step_options o = options(recipes[r]);
		o.w_dice = 1;
		o.separate = true;
		fixture f;
		make(&f, &o, (hy_network_config){.channels = 2, .classes = 2, .decoupler = false});
		double terms[HY_N_TERMS];
		for (int i = 0; i < 2; i++)
			assert_ok(hy_step_run(f.step, f.image, f.image, f.label, i, 1e-3, terms, &f.err), &f.err);
		drop(&f);
	}
}

static void gradients(fixture *f, int64_t iteration, double *terms)
{
	assert_ok(hy_step_gradients(f->step, f->image, f->image, f->label, NULL, iteration, terms, &f->err), &f->err);
}

/* Stacked perturbations add their losses and gradients, each as if alone; weights scale them; all but the standard ones. */
static void stacking_adds(void **state)
{
	(void)state;
	static const char *const parts[] = {"standard", "mwm", "rsc:weight=0.5", "mwm+rsc:weight=0.5"};
	double terms[4][HY_N_TERMS];
	float *grads[4];
	size_t n = 0;
	for (int i = 0; i < 4; i++) {
		const hy_step_options o = options(parts[i]);
		fixture f;
		make(&f, &o, usual);
		gradients(&f, 5, terms[i]);
		n = f.network.params.n_values;
		grads[i] = hy_alloc(n, sizeof **grads);
		memcpy(grads[i], f.network.params.grads, n * sizeof **grads);
		drop(&f);
	}
	for (int k = 0; k < HY_N_TERMS; k++)
		assert_true(fabs(terms[3][k] - (terms[1][k] + terms[2][k] - terms[0][k])) < 1e-6);
	double square = 0, difference = 0;
	for (size_t k = 0; k < n; k++) {
		const double d = (double)grads[3][k] - ((double)grads[1][k] + (double)grads[2][k] - (double)grads[0][k]);
		square += (double)grads[3][k] * (double)grads[3][k];
		difference += d * d;
	}
	assert_true(difference < 1e-9 * square);
	for (int i = 0; i < 4; i++)
		hy_free(grads[i]);
}

static void weight_scales(void **state)
{
	(void)state;
	for (int r = 0; r < N_RECIPES; r++) {
		double terms[2][HY_N_TERMS];
		char text[64];
		snprintf(text, sizeof text, "%s%sweight=0.25", recipes[r], strchr(recipes[r], ':') ? "," : ":");
		for (int i = 0; i < 2; i++) {
			const hy_step_options o = options(i ? text : recipes[r]);
			fixture f;
			make(&f, &o, usual);
			gradients(&f, 5, terms[i]);
			drop(&f);
		}
		for (int k = HY_TERM_PERTURBED_SEG; k < HY_N_TERMS; k++)
			assert_true(fabs(terms[1][k] - 0.25 * terms[0][k]) < 1e-6 * (1 + terms[0][k]));
	}
}

static void probability_is_a_share_of_steps(void **state)
{
	(void)state;
	const hy_step_options o = options("mwm:probability=0.25+cooperative:probability=0.75");
	int n_mwm = 0, n_cooperative = 0, both = 0;
	for (int i = 0; i < 4000; i++) {
		const hy_perturbation_options latent = {.kind = &hy_perturb_latent, .probability = o.probability};
		const bool a = hy_perturbation_takes_part(&o.perturbations[0], 3, i), b = hy_perturbation_takes_part(&latent, 3, i);
		n_mwm += a;
		n_cooperative += b;
		both += a && b;
	}
	assert_true(abs(n_mwm - 1000) < 120 && abs(n_cooperative - 3000) < 120 && abs(both - 750) < 120);
	fixture f;
	make(&f, &o, usual);
	for (int i = 0; i < 12; i++) {
		double terms[HY_N_TERMS];
		const hy_perturbation_options latent = {.kind = &hy_perturb_latent, .probability = o.probability};
		gradients(&f, i, terms);
		assert_int_equal(terms[HY_TERM_PERTURBED_SEG] > 0, hy_perturbation_takes_part(&o.perturbations[0], 3, i));
		assert_int_equal(terms[HY_TERM_HARD_SEG] > 0, hy_perturbation_takes_part(&latent, 3, i));
	}
	drop(&f);
}

static double total(fixture *f)
{
	double terms[HY_N_TERMS], sum = 0;
	gradients(f, 5, terms);
	for (int k = 0; k < HY_N_TERMS; k++)
		sum += terms[k];
	return sum;
}

/*
 * Along a direction in which only convolution weights change, the loss must change at the rate of the gradient along it. (Batch
 * norm's scale and shift do not train in every pass. Not for what searches an example or holds statistics: those are constants.)
 */
static void gradient_is_slope(void **state)
{
	(void)state;
	static const char *const smooth[] = {"standard",
	                                     "mwm",
	                                     "randconv",
	                                     "randconv:labelled=2,views=2",
	                                     "rsc:share=0",
	                                     "dsu:layer_probability=0",
	                                     "mixstyle:layer_probability=0"};
	for (size_t r = 0; r < sizeof smooth / sizeof *smooth; r += TEST_STRIDE) {
		hy_step_options o = options(smooth[r]);
		o.height = 32;
		o.width = 48;
		fixture f;
		make(&f, &o, usual);
		hy_params *p = &f.network.params;
		total(&f);
		double square = 0;
		float *direction = hy_calloc(p->n_values, sizeof *direction), *start = hy_alloc(p->n_values, sizeof *start);
		for (size_t i = 0; i < p->n; i++)
			for (size_t k = p->list[i].offset; p->list[i].n_dims == 4 && k < p->list[i].offset + p->list[i].n; k++) {
				direction[k] = p->grads[k];
				square += (double)p->grads[k] * (double)p->grads[k];
			}
		const double length = sqrt(square), step = 6e-5; /* the loss is strongly curved here */
		memcpy(start, p->values, p->n_values * sizeof *start);
		double at[2];
		for (int side = 0; side < 2; side++) {
			float *values = hy_params_write_values(p);
			for (size_t k = 0; k < p->n_values; k++)
				values[k] = start[k] + (float)((side ? step : -step) * (double)direction[k] / length);
			at[side] = total(&f);
		}
		const double slope = (at[1] - at[0]) / (2 * step);
		if (!(fabs(slope - length) < 0.01 * length))
			fail_msg("%s: slope %g, gradient %g", smooth[r], slope, length);
		hy_free(direction);
		hy_free(start);
		drop(&f);
	}
}

/* Searches go up: what they maximise is larger at the last look than at the first. Some training before, so that there is something
 * to lose. */
static void searches_go_up(void **state)
{
	static const char *const searches[] = {"adv-bias:iterations=4,step=0.2,decay=0", "adv-noise:iterations=2,xi=1",
	                                       "maxstyle:layer_probability=1,iterations=8"};
	(void)state;
	for (size_t i = 0; i < sizeof searches / sizeof *searches; i++) {
		const hy_step_options o = options(searches[i]);
		fixture f;
		make(&f, &o, usual);
		double terms[HY_N_TERMS];
		for (int k = 0; k < 10; k++)
			assert_ok(hy_step_run(f.step, f.image, f.image, f.label, k, 1e-3, terms, &f.err), &f.err);
		for (int k = 10; k < 12; k++) {
			const double *search = hy_step_perturbation(f.step, 0)->search;
			gradients(&f, k, terms);
			if (!(search[1] > 1.02 * search[0]))
				fail_msg("%s: %g, from %g", searches[i], search[1], search[0]);
		}
		drop(&f);
	}
}

/* Images that are trained on span 0 to 1, differ from the clean ones and from step to step. */
static void examples_are_changed_images(void **state)
{
	(void)state;
	for (int r = 0; r < N_RECIPES; r += TEST_STRIDE) {
		const hy_step_options o = options(recipes[r]);
		fixture f;
		make(&f, &o, usual);
		const int plane = (int)(o.height * o.width);
		float before = -1;
		for (int k = 0; k < 2; k++) {
			double terms[HY_N_TERMS];
			gradients(&f, k, terms);
			const float *x = hy_step_perturbation(f.step, 0)->example;
			const char *name = recipes[r];
			assert_int_equal(x == NULL, !strcmp(name, "rsc") || !strcmp(name, "mixstyle") || !strcmp(name, "dsu"));
			float low = 1, high = 0, difference = 0, sum = 0;
			for (int i = 0; x && i < plane; i++) {
				low = fminf(low, x[i]);
				high = fmaxf(high, x[i]);
				sum += x[i];
				difference = fmaxf(difference, fabsf(x[i] - f.image[i]));
			}
			assert_true(!x || (low == 0 && fabsf(high - 1) < 1e-6f && difference > 1e-3f && sum != before));
			before = sum;
		}
		drop(&f);
	}
}

/* Batch norm's running statistics follow the standard pass, and RandConv's views: nothing else. */
static void running_statistics(void **state)
{
	(void)state;
	float *standard = NULL;
	size_t n = 0;
	for (int r = -1; r < N_RECIPES; r++) {
		const hy_step_options o = options(r < 0 ? "standard" : recipes[r]);
		fixture f;
		make(&f, &o, usual);
		double terms[HY_N_TERMS];
		gradients(&f, 1, terms);
		n = f.network.params.n_buffers;
		if (r < 0) {
			standard = hy_alloc(n, sizeof *standard);
			memcpy(standard, f.network.params.buffers, n * sizeof *standard);
		} else {
			const bool same = !memcmp(standard, f.network.params.buffers, n * sizeof *standard);
			assert_int_equal(same, strncmp(recipes[r], "randconv", 8) != 0);
		}
		drop(&f);
	}
	hy_free(standard);
}

static void non_finite_is_an_error(void **state)
{
	(void)state;
	const hy_step_options o = options("adv-bias");
	fixture f;
	make(&f, &o, usual);
	double terms[HY_N_TERMS];
	f.image[3] = NAN;
	assert_int_equal(hy_step_run(f.step, f.image, f.image, f.label, 12, 1e-3, terms, &f.err), HARDY_ERROR_NUMERIC);
	assert_non_null(strstr(f.err.message, "step 12"));
	drop(&f);
}

static void every_allocation_may_fail(void **state)
{
	(void)state;
	for (int r = 0; r < N_RECIPES; r += TEST_STRIDE) {
		hy_network n;
		hardy_error err;
		assert_ok(hy_network_init(&n, &usual, &err), &err);
		hy_step_options o = options(recipes[r]);
		o.engine = (hy_tape_options){HY_ISA_PLAIN, HY_CONV_PLAIN};
		for (int64_t k = 1;; k += 1 + k / 8) {
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
}

/* ---- docs/RECIPES.md ------------------------------------------------------------------------------------------------------ */

/* A cell's next word, cut out of *at: what stands in backquotes, or between commas. NULL behind the last. */
static char *next_word(char **at, bool quoted)
{
	char *begin = *at + strspn(*at, quoted ? " ,`" : " ,");
	char *end = begin + strcspn(begin, quoted ? "`" : ",");
	if (!*begin)
		return NULL;
	*at = *end ? end + 1 : end;
	*end = '\0';
	for (size_t n = strlen(begin); n && begin[n - 1] == ' ';)
		begin[--n] = '\0';
	return begin;
}

/* "0.5", "1/3", or a choice's name. */
static double usual_as_told(const hy_parameter *p, const char *word)
{
	char *rest;
	const double v = strtod(word, &rest);
	if (!p->choices)
		return *rest == '/' ? v / strtod(rest + 1, NULL) : v;
	int index = 0;
	for (const char *c = p->choices; c; c = strchr(c, '|') ? strchr(c, '|') + 1 : NULL, index++)
		if (!strncmp(c, word, strlen(word)) && (c[strlen(word)] == '|' || !c[strlen(word)]))
			return index;
	return -1;
}

/* The page's table has every parameter of every member once, with the value that it has unless given. */
static void page_tells_parameters(void **state)
{
	(void)state;
	char path[4096], line[4096];
	snprintf(path, sizeof path, "%s/docs/RECIPES.md", getenv("HARDY_SOURCE") ? getenv("HARDY_SOURCE") : ".");
	FILE *f = fopen(path, "r");
	assert_non_null(f);
	const hy_perturbation_kind *kind = NULL;
	bool inside = false;
	size_t n_told = 0, n_there = 0;
	while (fgets(line, sizeof line, f)) {
		if (!strncmp(line, "## ", 3))
			inside = !strcmp(line, "## Parameters\n");
		if (!inside || line[0] != '|' || line[1] == '-' || strstr(line, "| usual |"))
			continue;
		char *cell[3], *at = line + 1;
		for (int k = 0; k < 3; k++) {
			char *end = strchr(at, '|');
			assert_non_null(end);
			*end = '\0';
			cell[k] = at;
			at = end + 1;
		}
		const char *member = next_word(&cell[0], true);
		kind = member ? hy_perturbation_find(member) : kind;
		assert_non_null(kind);
		const char *told = NULL, *value, *name;
		while ((name = next_word(&cell[1], true))) {
			const int i = hy_parameter_find(kind, name);
			if (i < 0)
				fail_msg("%s has no %s", kind->name, name);
			value = next_word(&cell[2], false);
			told = value ? value : told; /* one value may stand for several names */
			assert_non_null(told);
			if (!(fabs(usual_as_told(&kind->parameters[i], told) - kind->parameters[i].usual) < 1e-9))
				fail_msg("%s: %s is told as %s, is %g", kind->name, name, told, kind->parameters[i].usual);
			n_told++;
		}
	}
	fclose(f);
	for (int k = 0; hy_perturbation_kinds[k]; k++)
		for (const hy_parameter *p = hy_perturbation_kinds[k]->parameters; p->name; p++)
			n_there++;
	assert_int_equal(n_told, n_there);
}

int main(void)
{
#if defined(_OPENMP)
	omp_set_num_threads(1); /* the shapes are too small to share */
#endif
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(page_tells_parameters),
	    cmocka_unit_test(repeatable_finite_without_allocation),
	    cmocka_unit_test(other_networks),
	    cmocka_unit_test(stacking_adds),
	    cmocka_unit_test(weight_scales),
	    cmocka_unit_test(probability_is_a_share_of_steps),
	    cmocka_unit_test(gradient_is_slope),
	    cmocka_unit_test(searches_go_up),
	    cmocka_unit_test(examples_are_changed_images),
	    cmocka_unit_test(running_statistics),
	    cmocka_unit_test(non_finite_is_an_error),
	    cmocka_unit_test(every_allocation_may_fail),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
