/*
 * batch.c: batches are a pure function of seed and iteration, cover every slice, and keep the rule on empty slices.
 */
#include "dataset/batch.h"

#include "base/memory.h"
#include "support/test.h"

#include <math.h>
#include <string.h>

enum { N_CASES = 4, SIZE = 32, CHANNELS = 2 };

static const int patients[N_CASES] = {7, 7, 3, 5};

/*
 * Cases of different shapes whose pixels tell where they are from: channel 0 is (case + 1) / 10, channel 1 slice / 100.
 * Patient 7 (cases 0 and 1) has empty slices; patient 5 (case 3) has nothing else.
 */
static void make_cases(hy_slices cases[N_CASES])
{
	static const int64_t n[N_CASES] = {4, 3, 5, 2}, h[N_CASES] = {30, 36, 20, 33}, w[N_CASES] = {34, 31, 50, 32};
	for (int c = 0; c < N_CASES; c++) {
		const int64_t plane = h[c] * w[c];
		hy_slices *s = &cases[c];
		*s = (hy_slices){.n = n[c], .channels = CHANNELS, .height = h[c], .width = w[c]};
		s->image = hy_alloc((size_t)(n[c] * CHANNELS * plane), sizeof *s->image);
		s->label = hy_calloc((size_t)(n[c] * plane), 1);
		assert_true(s->image && s->label);
		for (int64_t z = 0; z < n[c]; z++) {
			const bool empty = c == 3 || (c == 0 && z % 2 == 0) || (c == 1 && z == 2);
			for (int64_t i = 0; i < plane; i++) {
				s->image[z * CHANNELS * plane + i] = (float)(c + 1) / 10;
				s->image[(z * CHANNELS + 1) * plane + i] = (float)z / 100;
				const int64_t y = i / w[c], x = i % w[c];
				s->label[z * plane + i] = !empty && y > 8 && y < 16 && x > 10 && x < 20 ? 2 : 0;
			}
		}
	}
}

static void clear_cases(hy_slices cases[N_CASES])
{
	for (int c = 0; c < N_CASES; c++)
		hy_slices_clear(&cases[c]);
}

static hy_batch_options options(bool ahead)
{
	hy_batch_options o;
	hy_batch_options_init(&o, SIZE);
	o.batch = 8;
	o.ahead = ahead;
	o.seed = 11;
	return o;
}

/* A hash of a batch's bytes (FNV-1a). */
static uint64_t hash_batch(const hy_batch_options *o, const float *image, const uint8_t *label)
{
	const size_t plane = (size_t)(o->augment.size * o->augment.size);
	uint64_t h = 0xcbf29ce484222325u;
	const uint8_t *p = (const uint8_t *)image;
	for (size_t i = 0; i < (size_t)o->batch * CHANNELS * plane * sizeof *image; i++)
		h = (h ^ p[i]) * 0x100000001b3u;
	for (size_t i = 0; i < (size_t)o->batch * plane; i++)
		h = (h ^ label[i]) * 0x100000001b3u;
	return h;
}

static uint64_t batch_hash(hy_batches *b, const hy_batch_options *o, int64_t iteration)
{
	const float *image;
	const uint8_t *label;
	hardy_error err;
	assert_ok(hy_batches_get(b, iteration, &image, &label, &err), &err);
	return hash_batch(o, image, label);
}

static void a_batch_depends_on_seed_and_iteration_alone(void **state)
{
	(void)state;
	enum { N = 12 };
	/* repeated, backwards, far ahead, and a restart in the middle */
	static const int64_t order[] = {0, 0, 1, 2, 3, 5, 4, 4, 11, 10, 3, 4, 5, 6, 7, 8, 9, 10, 11};
	hy_slices cases[N_CASES];
	hardy_error err;
	uint64_t want[N];
	make_cases(cases);
	hy_batch_options o = options(false), other = o;
	other.seed++;
	hy_batches *b = hy_batches_new(&o, cases, patients, N_CASES, &err);
	hy_batches *c = hy_batches_new(&other, cases, patients, N_CASES, &err);
	assert_true(b && c);
	for (int i = 0; i < N; i++) {
		want[i] = batch_hash(b, &o, i);
		assert_true(want[i] != batch_hash(c, &other, i));
		for (int j = 0; j < i; j++)
			assert_true(want[i] != want[j]);
	}
	hy_batches_free(b);
	hy_batches_free(c);
	o.ahead = true;
	for (int mode = 0; mode < 2; mode++) {
		b = hy_batches_new(&o, cases, patients, N_CASES, &err);
		assert_non_null(b);
		for (size_t i = 0; i < sizeof order / sizeof *order; i++)
			assert_true(batch_hash(b, &o, order[i]) == want[order[i]]);
		hy_batches_free(b);
		o.ahead = false;
	}
	clear_cases(cases);
}

/* Randomisation leaves images and labels as they were, and the input of a batch depends on seed and iteration alone. */
static void inputs_are_randomised_by_their_shares(void **state)
{
	(void)state;
	enum { N = 6 };
	static const int64_t order[] = {3, 0, 1, 2, 3, 5, 4};
	hy_slices cases[N_CASES];
	hardy_error err;
	uint64_t want[N], input[N] = {0};
	make_cases(cases);
	/* structure, which constant slices lack */
	for (int c = 0; c < N_CASES; c++)
		for (int64_t i = 0; i < cases[c].n * CHANNELS * cases[c].height * cases[c].width; i++)
			cases[c].image[i] += (float)(i % 7) / 100;
	hy_batch_options o = options(false);
	const size_t half = (size_t)(o.batch / 2 * CHANNELS * SIZE * SIZE);
	hy_batches *b = hy_batches_new(&o, cases, patients, N_CASES, &err);
	assert_non_null(b);
	for (int i = 0; i < N; i++) {
		const float *image;
		const uint8_t *label;
		assert_ok(hy_batches_get(b, i, &image, &label, &err), &err);
		want[i] = hash_batch(&o, image, label);
		assert_ptr_equal(hy_batches_input(b), image);
	}
	hy_batches_free(b);
	/* the plain half, the augmented half, and the same ahead and out of order */
	for (int mode = 0; mode < 3; mode++) {
		o.randomise.share = mode > 0;
		o.randomise.share_plain = mode == 0;
		o.ahead = mode == 2;
		b = hy_batches_new(&o, cases, patients, N_CASES, &err);
		assert_non_null(b);
		for (size_t k = 0; k < sizeof order / sizeof *order; k++) {
			const float *image;
			const uint8_t *label;
			const int64_t i = order[k];
			assert_ok(hy_batches_get(b, i, &image, &label, &err), &err);
			const float *in = hy_batches_input(b);
			assert_true(hash_batch(&o, image, label) == want[i]);
			assert_true((memcmp(in, image, half * sizeof *in) != 0) == (mode > 0));
			assert_true((memcmp(in + half, image + half, half * sizeof *in) != 0) == (mode == 0));
			if (mode == 2)
				assert_true(hash_batch(&o, in, label) == input[i]);
			input[i] = hash_batch(&o, in, label);
		}
		hy_batches_free(b);
	}
	clear_cases(cases);
}

/* Case and slice of each of n samples of a batch, as the middle pixels of the plain ones, from the first-th on, tell. */
static void slices_of(hy_batches *b, int64_t iteration, int first, int n, int *c, int *z)
{
	enum { PLANE = SIZE * SIZE };
	const float *image;
	const uint8_t *label;
	hardy_error err;
	assert_ok(hy_batches_get(b, iteration, &image, &label, &err), &err);
	for (int j = 0; j < n; j++) {
		const float *pixel = image + (first + j) * CHANNELS * PLANE + PLANE / 2 + SIZE / 2;
		c[j] = (int)lroundf(pixel[0] * 10) - 1;
		z[j] = (int)lroundf(pixel[PLANE] * 100);
		assert_true(pixel[0] == (float)(c[j] + 1) / 10 && pixel[PLANE] == (float)z[j] / 100);
		assert_true(c[j] >= 0 && c[j] < N_CASES);
	}
}

static void an_epoch_covers_every_slice_once(void **state)
{
	(void)state;
	hy_slices cases[N_CASES];
	hardy_error err;
	make_cases(cases);
	/* all labels full: no slice is replaced */
	for (int c = 0; c < N_CASES; c++)
		memset(cases[c].label, 1, (size_t)(cases[c].n * cases[c].height * cases[c].width));
	hy_batch_options o = options(false);
	hy_batches *b = hy_batches_new(&o, cases, patients, N_CASES, &err);
	assert_non_null(b);
	/* 14 slices, 4 a batch: the fourth batch repeats the first two */
	assert_int_equal(hy_batches_per_epoch(b), 4);
	int first[4] = {0};
	for (int epoch = 0; epoch < 3; epoch++) {
		int seen[N_CASES][5] = {{0}};
		for (int i = 0; i < 4; i++) {
			int c[4], z[4];
			slices_of(b, epoch * 4 + i, 4, 4, c, z);
			for (int j = 0; j < 4; j++) {
				if (i == 0)
					first[j] = c[j] * 10 + z[j];
				if (i == 3 && j >= 2)
					assert_int_equal(first[j - 2], c[j] * 10 + z[j]);
				else
					seen[c[j]][z[j]]++;
			}
		}
		for (int c = 0; c < N_CASES; c++)
			for (int64_t z = 0; z < cases[c].n; z++)
				assert_int_equal(seen[c][z], 1);
	}
	hy_batches_free(b);
	clear_cases(cases);
}

static void empty_slices_are_replaced_within_the_patient(void **state)
{
	(void)state;
	hy_slices cases[N_CASES];
	hardy_error err;
	make_cases(cases);
	hy_batch_options o = options(false);
	hy_batches *b = hy_batches_new(&o, cases, patients, N_CASES, &err);
	assert_non_null(b);
	int of_patient[8] = {0}, other_phase = 0;
	for (int64_t i = 0; i < 4 * 50; i++) {
		int c[4], z[4];
		slices_of(b, i, 4, 4, c, z);
		for (int j = 0; j < (i % 4 == 3 ? 2 : 4); j++) {
			of_patient[patients[c[j]]]++;
			assert_false(c[j] == 0 && z[j] % 2 == 0);
			assert_false(c[j] == 1 && z[j] == 2);
			other_phase += c[j] == 1;
		}
	}
	/* each patient keeps its share: 7, 5 and 2 slices an epoch */
	assert_int_equal(of_patient[7], 7 * 50);
	assert_int_equal(of_patient[3], 5 * 50);
	assert_int_equal(of_patient[5], 2 * 50);
	/* of patient 7's three empty slices an epoch about half go to case 1, which has two of its own */
	assert_true(other_phase > 50 * 2 + 40 && other_phase < 50 * 2 + 110);
	hy_batches_free(b);
	clear_cases(cases);
}

static void halves_show_the_same_slices(void **state)
{
	(void)state;
	enum { PLANE = SIZE * SIZE };
	hy_slices cases[N_CASES];
	hardy_error err;
	make_cases(cases);
	hy_batch_options o = options(true);
	const float *image;
	const uint8_t *label;
	int c[8], z[8];
	hy_batches *b = hy_batches_new(&o, cases, patients, N_CASES, &err);
	assert_non_null(b);
	for (int64_t i = 0; i < 9; i++) {
		assert_ok(hy_batches_get(b, i, &image, &label, &err), &err);
		slices_of(b, i, 4, 4, c, z);
		for (int j = 0; j < 4; j++) {
			int any = 0, any_plain = 0;
			for (int k = 0; k < PLANE; k++) {
				any |= label[j * PLANE + k];
				any_plain |= label[(4 + j) * PLANE + k];
			}
			assert_int_equal(any_plain, c[j] == 3 ? 0 : 2);
			assert_true(c[j] != 3 || !any);
		}
	}
	hy_batches_free(b);
	o.content = HY_BATCH_PLAIN;
	o.batch = 7;
	b = hy_batches_new(&o, cases, patients, N_CASES, &err);
	assert_non_null(b);
	slices_of(b, 1, 0, 7, c, z);
	hy_batches_free(b);
	clear_cases(cases);
}

static void bad_cases_are_refused(void **state)
{
	(void)state;
	hy_slices cases[N_CASES];
	hardy_error err;
	make_cases(cases);
	hy_batch_options o = options(true);
	o.batch = 7;
	assert_null(hy_batches_new(&o, cases, patients, N_CASES, &err));
	assert_int_equal(err.status, HARDY_ERROR_ARGUMENT);
	o.batch = 8;
	assert_null(hy_batches_new(&o, cases, patients, 0, &err));
	assert_int_equal(err.status, HARDY_ERROR_DATA);
	uint8_t *label = cases[2].label;
	cases[2].label = NULL;
	assert_null(hy_batches_new(&o, cases, patients, N_CASES, &err));
	assert_int_equal(err.status, HARDY_ERROR_DATA);
	assert_non_null(strstr(err.message, "case 2 has no labels"));
	cases[2].label = label;
	cases[1].channels = 1;
	assert_null(hy_batches_new(&o, cases, patients, N_CASES, &err));
	assert_int_equal(err.status, HARDY_ERROR_DATA);
	cases[1].channels = CHANNELS;
	const int64_t before = hy_memory_calls();
	hy_batches *b = hy_batches_new(&o, cases, patients, N_CASES, &err);
	assert_non_null(b);
	hy_batches_free(b);
	const int64_t n = hy_memory_calls() - before;
	for (int64_t k = 1; k <= n; k++) {
		hy_memory_fail_at(k);
		b = hy_batches_new(&o, cases, patients, N_CASES, &err);
		hy_memory_fail_at(0);
		assert_null(b);
		assert_int_equal(err.status, HARDY_ERROR_MEMORY);
	}
	clear_cases(cases);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_batch_depends_on_seed_and_iteration_alone),
	    cmocka_unit_test(inputs_are_randomised_by_their_shares),
	    cmocka_unit_test(an_epoch_covers_every_slice_once),
	    cmocka_unit_test(empty_slices_are_replaced_within_the_patient),
	    cmocka_unit_test(halves_show_the_same_slices),
	    cmocka_unit_test(bad_cases_are_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
