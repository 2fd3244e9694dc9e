/*
 * calibration.c: quality signals of known maps, and the predicted Dice fitted to signals that follow a known rule.
 */
#include "predict/calibration.h"

#include "base/memory.h"
#include "base/rng.h"
#include "support/test.h"

#include <math.h>
#include <string.h>

/* ---- signals ------------------------------------------------------------------------------------------------------------ */

enum { SLICES = 3, CLASSES = 4, PLANE = 50, N_MAP = SLICES * CLASSES * PLANE };

static float ftn[N_MAP], stn[N_MAP];

/* Random probabilities; class 3 is never the largest. */
static void draw_maps(void)
{
	hy_rng g = hy_rng_make(4, HY_RNG_TEST, 0, 0);
	float *const maps[2] = {ftn, stn};
	for (int w = 0; w < 2; w++)
		for (int i = 0; i < SLICES; i++)
			for (int k = 0; k < PLANE; k++) {
				float e[CLASSES], sum = 0;
				for (int c = 0; c < CLASSES; c++)
					sum += e[c] = (float)(c == 3 ? 0.01 : hy_rng_between(&g, 0.02, 1));
				for (int c = 0; c < CLASSES; c++)
					maps[w][(i * CLASSES + c) * PLANE + k] = e[c] / sum;
			}
}

static int largest(const float *q, int i, int k)
{
	int best = 0;
	for (int c = 1; c < CLASSES; c++)
		if (q[(i * CLASSES + c) * PLANE + k] > q[(i * CLASSES + best) * PLANE + k])
			best = c;
	return best;
}

static void signals_by_their_formulas(void **state)
{
	(void)state;
	hardy_error err;
	hy_signals s;
	draw_maps();
	assert_ok(hy_signals_measure(&s, ftn, stn, SLICES, CLASSES, PLANE, &err), &err);
	assert_int_equal(s.n_classes, CLASSES);
	for (int c = 1; c < CLASSES; c++) {
		double na = 0, nb = 0, both = 0, a = 0, b = 0, in_a = 0, in_b = 0, aa = 0, bb = 0, ab = 0;
		for (int i = 0; i < SLICES; i++)
			for (int k = 0; k < PLANE; k++) {
				const double p = (double)ftn[(i * CLASSES + c) * PLANE + k], q = (double)stn[(i * CLASSES + c) * PLANE + k];
				const bool in_ftn = largest(ftn, i, k) == c, in_stn = largest(stn, i, k) == c;
				na += in_ftn;
				nb += in_stn;
				both += in_ftn && in_stn;
				a += p;
				b += q;
				in_a += in_ftn ? p : 0;
				in_b += in_stn ? q : 0;
				aa += p * p;
				bb += q * q;
				ab += p * q;
			}
		assert_int_equal(s.absent[c], c == 3);
		if (c == 3)
			continue;
		assert_true(fabs(s.measure[HY_CONFIDENCE_FTN][c] - 2 * in_a / (na + a)) < 1e-9);
		assert_true(fabs(s.measure[HY_CONFIDENCE_STN][c] - 2 * in_b / (nb + b)) < 1e-9);
		assert_true(fabs(s.measure[HY_AGREEMENT_LABELS][c] - 2 * both / (na + nb)) < 1e-9);
		assert_true(fabs(s.measure[HY_AGREEMENT_PROBABILITIES][c] - 2 * ab / (aa + bb)) < 1e-9);
	}
	for (int m = 0; m < HY_N_MEASURES; m++)
		assert_true(s.measure[m][3] == 0);
}

static void a_missed_class_counts_by_how_often_it_is_there(void **state)
{
	(void)state;
	hy_signals s = {.n_classes = 4, .absent = {false, false, false, true}};
	double often[HY_MAX_CLASSES] = {1, 1, 1, 0.8}, seldom[HY_MAX_CLASSES] = {1, 1, 1, 0.25}, x[HY_N_SIGNALS];
	for (int m = 0; m < HY_N_MEASURES; m++) {
		s.measure[m][1] = 0.9;
		s.measure[m][2] = 0.6;
	}
	hy_signals_vector(&s, often, x);
	assert_true(fabs(x[0] - 1.5 / 2.8) < 1e-12 && x[1] == 0);
	assert_true(fabs(x[2] - log(0.01 / 0.99)) < 1e-12);
	hy_signals_vector(&s, seldom, x);
	assert_true(fabs(x[0] - 1.5 / 2.25) < 1e-12 && x[1] == 0.6);
	assert_true(fabs(x[2] - log(0.6 / 0.4)) < 1e-12);
	/* nothing that had to be there */
	const hy_signals nothing = {.n_classes = 2, .absent = {false, true}};
	const double never[HY_MAX_CLASSES] = {1, 0};
	hy_signals_vector(&nothing, never, x);
	assert_true(x[0] == 0 && x[1] == 0);
}

/* ---- the fit ------------------------------------------------------------------------------------------------------------ */

enum { N_SUBJECTS = 10, EACH = 30, N_KNOWN = N_SUBJECTS * EACH };

/* Signals that follow a hidden quality from 0 to 1; the Dice is its square root, with an error of 0.04. */
static void draw_known(hy_known *known, size_t n, uint64_t seed)
{
	hy_rng g = hy_rng_make(seed, HY_RNG_TEST, 1, 0);
	for (size_t i = 0; i < n; i++) {
		const double quality = hy_rng_uniform(&g);
		known[i] = (hy_known){.subject = (int)(i % N_SUBJECTS), .signals = {.n_classes = 3}};
		for (int m = 0; m < HY_N_MEASURES; m++)
			for (int c = 1; c < 3; c++)
				known[i].signals.measure[m][c] = 0.4 + 0.55 * quality + 0.02 * hy_rng_normal(&g);
		known[i].dice = fmin(fmax(sqrt(quality) + 0.04 * hy_rng_normal(&g), 0), 1);
	}
}

static hy_calibration fitted(void)
{
	static hy_known known[N_KNOWN];
	hardy_error err;
	hy_calibration c = {.n_scans = 20, .presence = {1, 1, 1}};
	draw_known(known, N_KNOWN, 1);
	assert_ok(hy_calibration_fit(&c, known, N_KNOWN, &err), &err);
	return c;
}

static void a_known_rule_is_found(void **state)
{
	(void)state;
	static hy_known fresh[1000];
	const hy_calibration c = fitted();
	assert_int_equal(c.version, HY_CALIBRATION_VERSION);
	assert_int_equal(c.n_subjects, N_SUBJECTS);
	assert_int_equal(c.n_predictions, N_KNOWN);
	assert_true(c.n_below > N_KNOWN / 3 && c.n_below < 2 * N_KNOWN / 3);
	assert_true(c.auc > 0.98 && c.error < 0.05);
	draw_known(fresh, 1000, 2);
	double error = 0, covered = 0;
	for (int i = 0; i < 1000; i++) {
		double dice, low;
		hy_calibration_apply(&c, &fresh[i].signals, &dice, &low);
		assert_true(dice >= 0 && dice <= 1 && low >= 0 && low <= dice);
		error += fabs(dice - fresh[i].dice) / 1000;
		covered += fresh[i].dice >= low ? 0.001 : 0;
	}
	/* what it says of itself on held-out subjects is what it does on others */
	assert_true(fabs(error - c.error) < 0.01);
	assert_true(covered > 0.85 && covered < 0.95);
}

static void better_signals_never_predict_less(void **state)
{
	(void)state;
	const hy_calibration c = fitted();
	double last = 0;
	for (int i = 0; i <= 100; i++) {
		hy_signals s = {.n_classes = 3};
		double dice, low;
		for (int m = 0; m < HY_N_MEASURES; m++)
			s.measure[m][1] = s.measure[m][2] = i / 100.;
		hy_calibration_apply(&c, &s, &dice, &low);
		assert_true(dice >= last);
		last = dice;
	}
	assert_true(last > 0.9);
}

static void order_does_not_matter(void **state)
{
	(void)state;
	static hy_known known[N_KNOWN], turned[N_KNOWN];
	hardy_error err;
	hy_calibration a = {.presence = {1, 1, 1}}, b = a;
	draw_known(known, N_KNOWN, 1);
	for (int i = 0; i < N_KNOWN; i++)
		turned[i] = known[N_KNOWN - 1 - i];
	assert_ok(hy_calibration_fit(&a, known, N_KNOWN, &err), &err);
	assert_ok(hy_calibration_fit(&b, turned, N_KNOWN, &err), &err);
	assert_int_equal(a.n_knots, b.n_knots);
	for (int k = 0; k < HY_N_SIGNALS; k++)
		assert_true(fabs(a.weight[k] - b.weight[k]) < 1e-9);
	assert_true(fabs(a.error - b.error) < 1e-9 && fabs(a.auc - b.auc) < 1e-9);
}

static void signals_that_say_nothing_predict_the_mean(void **state)
{
	(void)state;
	static hy_known known[N_KNOWN];
	hardy_error err;
	hy_calibration c = {.presence = {1, 1, 1}};
	double mean = 0, dice, low;
	draw_known(known, N_KNOWN, 1);
	for (int i = 0; i < N_KNOWN; i++) {
		known[i].signals = known[0].signals;
		mean += known[i].dice / N_KNOWN;
	}
	assert_ok(hy_calibration_fit(&c, known, N_KNOWN, &err), &err);
	hy_calibration_apply(&c, &known[0].signals, &dice, &low);
	assert_true(fabs(dice - mean) < 1e-6);
	assert_true(isfinite(low) && low < dice && isfinite(c.error) && isfinite(c.auc));
}

static void too_few_subjects(void **state)
{
	(void)state;
	static hy_known known[N_KNOWN];
	hardy_error err;
	hy_calibration c = {.n_scans = 7};
	draw_known(known, N_KNOWN, 1);
	for (int i = 0; i < N_KNOWN; i++)
		known[i].subject %= 2;
	assert_int_equal(hy_calibration_fit(&c, known, N_KNOWN, &err), HARDY_ERROR_DATA);
	assert_non_null(strstr(err.message, "2 subjects"));
	assert_int_equal(c.version, 0);
	assert_int_equal(c.n_scans, 7);
	assert_int_equal(hy_calibration_fit(&c, known, 5, &err), HARDY_ERROR_DATA);
}

static void memory_runs_out(void **state)
{
	(void)state;
	static hy_known known[N_KNOWN];
	draw_known(known, N_KNOWN, 1);
	for (int k = 1; k <= 4; k++) {
		hardy_error err = {0};
		hy_calibration c = {.presence = {1, 1, 1}};
		hy_memory_fail_at(k);
		assert_int_equal(hy_calibration_fit(&c, known, N_KNOWN, &err), HARDY_ERROR_MEMORY);
		hy_memory_fail_at(0);
		assert_int_equal(c.version, 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(signals_by_their_formulas), cmocka_unit_test(a_missed_class_counts_by_how_often_it_is_there),
	    cmocka_unit_test(a_known_rule_is_found),     cmocka_unit_test(better_signals_never_predict_less),
	    cmocka_unit_test(order_does_not_matter),     cmocka_unit_test(signals_that_say_nothing_predict_the_mean),
	    cmocka_unit_test(too_few_subjects),          cmocka_unit_test(memory_runs_out),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
