/*
 * rsc.c: self-challenging: exactly the stated share of the scores is muted.
 */
#include "perturb/rsc.h"

#include "support/test.h"

#include <math.h>

static void mutes_the_share(void **state)
{
	(void)state;
	enum { COUNT = 128 };
	float score[2 * COUNT], mask[2 * COUNT], work[COUNT];
	hy_rng g = hy_rng_make(14, HY_RNG_TEST, 0, 0);
	for (int i = 0; i < 2 * COUNT; i++)
		score[i] = (float)hy_rng_normal(&g);
	for (int p = 0; p < 9; p++) {
		hy_rsc_mask(score, p / 9.0, 2, COUNT, work, mask);
		for (int s = 0; s < 2; s++) {
			float highest_kept = -INFINITY, lowest_muted = INFINITY;
			int n = 0;
			for (int i = s * COUNT; i < (s + 1) * COUNT; i++) {
				assert_true(mask[i] == 0 || mask[i] == 1);
				n += mask[i] == 0;
				if (mask[i] == 0)
					lowest_muted = fminf(lowest_muted, score[i]);
				else
					highest_kept = fmaxf(highest_kept, score[i]);
			}
			assert_int_equal(n, (int)floor(COUNT * (p / 9.0)));
			assert_true(highest_kept < lowest_muted);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(mutes_the_share)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
