/*
 * latent.c: latent masks: how often each scheme is drawn, what share of a code is masked, and what its elements become.
 */
#include "perturb/latent.h"

#include "support/test.h"

#include <math.h>
#include <string.h>

enum { N = 3, C = 32, HW = 30 };

static hy_rng rng(uint64_t stream)
{
	return hy_rng_make(11, HY_RNG_TEST, stream, 0);
}

static void schemes_take_turns(void **state)
{
	(void)state;
	hy_mask_options o;
	hy_mask_options_init(&o);
	hy_rng g = rng(0);
	int count[4] = {0};
	for (int i = 0; i < 30000; i++)
		count[hy_mask_scheme(&o, &g)]++;
	assert_int_equal(count[HY_SCHEME_RANDOM], 0);
	for (int k = HY_SCHEME_DROPOUT; k <= HY_SCHEME_SPATIAL; k++)
		assert_true(count[k] > 9500 && count[k] < 10500);
	o.scheme = HY_SCHEME_SPATIAL;
	assert_int_equal(hy_mask_scheme(&o, &g), HY_SCHEME_SPATIAL);
}

/* Chen et al.: masked where the score is strictly above the k-th largest, counted from 0: exactly k elements, when scores differ. */
static void threshold_counts(void **state)
{
	(void)state;
	float score[2 * 10], work[10], mask[2 * 10], factors[2 * 10];
	for (int i = 0; i < 20; i++) {
		score[i] = (float)((i * 7) % 10);
		factors[i] = 0.25f;
	}
	for (int tenths = 0; tenths <= 10; tenths++) {
		hy_mask_from_score(score, factors, tenths / 10.0 + 1e-9, 2, 10, work, mask);
		for (int sample = 0; sample < 2; sample++) {
			const int masked = tenths > 9 ? 9 : tenths; /* the smallest score is never above a threshold */
			int n = 0;
			for (int i = 0; i < 10; i++) {
				const float v = mask[sample * 10 + i];
				assert_true(v == 1.0f || v == 0.25f);
				assert_true((v != 1.0f) == (score[sample * 10 + i] > (float)(9 - masked)));
				n += v != 1.0f;
			}
			assert_int_equal(n, masked);
		}
	}
	memset(score, 0, sizeof score); /* equal scores: none is above the threshold */
	hy_mask_from_score(score, NULL, 0.4, 2, 10, work, mask);
	for (int i = 0; i < 20; i++)
		assert_true(mask[i] == 1.0f);
}

static void draws(void **state)
{
	(void)state;
	float channel[N * C], spatial[N * HW], data[N * C], work[C];
	hy_rng g = rng(1);
	for (int i = 0; i < N * C; i++)
		channel[i] = (float)hy_rng_normal(&g);
	for (int i = 0; i < N * HW; i++)
		spatial[i] = (float)hy_rng_normal(&g);
	hy_mask_options o;
	hy_mask_options_init(&o);
	double share = 0, factor = 0, kept = 0;
	int64_t n_factors = 0;
	for (int round = 0; round < 2000; round++) {
		for (int scheme = HY_SCHEME_DROPOUT; scheme <= HY_SCHEME_SPATIAL; scheme++) {
			hy_mask m = {.data = data};
			o.hard = round % 2;
			hy_mask_draw(&o, (hy_scheme)scheme, &g, channel, spatial, N, C, HW, work, &m);
			assert_int_equal(m.spatial, scheme == HY_SCHEME_SPATIAL);
			const int count = m.spatial ? HW : C;
			for (int i = 0; i < N * count; i++) {
				const float v = data[i];
				if (scheme == HY_SCHEME_DROPOUT) {
					assert_true(v == 0 || v == 2.0f);
					kept += v / (2.0 * N * C * 2000);
				} else {
					assert_true(v == 1.0f || (v >= 0 && v < 0.5f && (!o.hard || v == 0)));
					share += (v != 1.0f) / (2.0 * N * count * 2000);
					if (v != 1.0f && !o.hard) {
						factor += (double)v;
						n_factors++;
					}
				}
			}
		}
	}
	assert_true(fabs(kept - 0.5) < 0.01);
	assert_true(fabs(share - 0.235) < 0.02); /* p in U(0, .5), k = floor(n p) */
	assert_true(fabs(factor / (double)n_factors - 0.25) < 0.005);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(schemes_take_turns), cmocka_unit_test(threshold_counts),
	                                   cmocka_unit_test(draws)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
