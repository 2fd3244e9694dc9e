/*
 * kspace.c: ghosting, lower resolution, spikes and motion against the definition: the three-dimensional transform, changed sample
 * by sample, and back.
 */
#include "artefact/artefact.h"
#include "support/naive_dft.h"
#include "support/test.h"

#include <math.h>
#include <string.h>

enum { MOST = 7 * 6 * 5 };
static const int64_t sizes[3][3] = {{7, 6, 5}, {4, 5, 8}, {1, 6, 7}};

static double image[MOST], wanted[MOST];
static double complex k_space[MOST];
static float voxels[MOST];

static int64_t size_of(const int64_t n[3])
{
	return n[0] * n[1] * n[2];
}

static void fill(const int64_t n[3], double low, double high)
{
	hy_rng g = hy_rng_make(11, HY_RNG_TEST, 0, 0);
	for (int64_t i = 0; i < size_of(n); i++) {
		voxels[i] = (float)hy_rng_between(&g, low, high);
		image[i] = (double)voxels[i];
	}
	naive_forward(image, n, k_space);
}

static void check(const hy_artefact *a, const int64_t n[3])
{
	hardy_error err;
	const hy_block b = hy_block_of_stack(voxels, n[0], n[1], n[2]);
	naive_backward(k_space, n, wanted);
	assert_ok(hy_artefact_apply(a, &b, &err), &err);
	double most = 1;
	for (int64_t i = 0; i < size_of(n); i++)
		most = fmax(most, fabs(wanted[i]));
	for (int64_t i = 0; i < size_of(n); i++)
		assert_true(fabs((double)voxels[i] - wanted[i]) < 1e-6 * most);
}

/* Index of a sample on one axis. */
static int64_t place(const int64_t n[3], int64_t i, int axis)
{
	return axis == 2 ? i % n[2] : axis == 1 ? i / n[2] % n[1] : i / n[2] / n[1];
}

static void test_ghosting(void **state)
{
	static const double restore[4] = {NAN, 0, .5, 1};
	(void)state;
	for (int s = 0; s < 3; s++)
		for (int axis = 0; axis < 3; axis++)
			for (int r = 0; r < 4; r++) {
				const int64_t *n = sizes[s], m = n[axis] / 2, half = (int64_t)(nearbyint(restore[r] * (double)n[axis]) / 2);
				hy_artefact a = {.kind = HY_ARTEFACT_GHOSTING};
				a.ghosting.num_ghosts = 2 + r;
				a.ghosting.axis = axis;
				a.ghosting.intensity = .8;
				a.ghosting.restore = restore[r];
				fill(n, 0, 1);
				for (int64_t i = 0; i < size_of(n); i++) {
					const int64_t q = place(n, i, axis);
					const bool kept = r == 0 ? q == m : q >= m - half && q < m + half;
					if (q % (2 + r) == 0 && !kept)
						k_space[i] *= .2;
				}
				check(&a, n);
			}
}

static void test_resolution(void **state)
{
	(void)state;
	for (int s = 0; s < 3; s++) {
		const int64_t *n = sizes[s];
		hy_artefact a = {.kind = HY_ARTEFACT_RESOLUTION};
		a.resolution.factor = 2;
		fill(n, 0, 1);
		for (int64_t i = 0; i < size_of(n); i++)
			for (int axis = 1; axis < 3; axis++) {
				if (4 * llabs(place(n, i, axis) - n[axis] / 2) > n[axis])
					k_space[i] = 0;
			}
		check(&a, n);
	}
}

/* Spikes one after the other, each relative to the maximum that the one before left; also where the image is negative, at the
 * centre of k-space, twice at one place, and with a sign that lowers the maximum. */
static void test_spikes(void **state)
{
	static const struct {
		double low, high, intensity;
		int n;
		double positions[3][3];
	} cases[] = {
	    {0, 1, 1.5, 1, {{.3, .8, .1}}},
	    {0, 1, 1.5, 3, {{.3, .8, .1}, {.99, 0, .5}, {.3, .8, .1}}},
	    {-1, 1, 2, 3, {{.3, .8, .1}, {.1, .2, .9}, {.7, .7, .2}}},
	    {-1, .9, -.7, 3, {{.5, .5, .5}, {.5, .5, .5}, {.1, .1, .1}}},
	    {0, 1, -.9, 3, {{.5, .5, .5}, {.2, .9, .5}, {.5, .5, .5}}},
	    {0, 1, .4, 2, {{.5, .5, .5}, {.2, .9, .5}}},
	};
	(void)state;
	for (int s = 0; s < 3; s++)
		for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
			const int64_t *n = sizes[s];
			hy_artefact a = {.kind = HY_ARTEFACT_SPIKE};
			a.spike.n = cases[c].n;
			a.spike.intensity = cases[c].intensity;
			memcpy(a.spike.positions, cases[c].positions, sizeof cases[c].positions);
			fill(n, cases[c].low, cases[c].high);
			for (int p = 0; p < cases[c].n; p++) {
				double most = 0;
				int64_t at = 0;
				for (int64_t i = 0; i < size_of(n); i++)
					most = fmax(most, cabs(k_space[i]));
				for (int axis = 0; axis < 3; axis++)
					at = at * n[axis] + (int64_t)(cases[c].positions[p][axis] * (double)n[axis]);
				k_space[at] += cases[c].intensity * most;
			}
			check(&a, n);
		}
}

/* A shift by whole voxels is a moved image that can be written down; the composition follows from the times. */
static void test_motion(void **state)
{
	static const double times[4][2] = {{.3, .7}, {.1, .2}, {.6, .9}, {0, 1}};
	static const int64_t n[3] = {4, 5, 8};
	static double moved[MOST];
	static double complex other[MOST];
	(void)state;
	for (int c = 0; c < 4; c++) {
		hy_artefact a = {.kind = HY_ARTEFACT_MOTION};
		a.motion.n = 2;
		for (int t = 0; t < 2; t++) {
			/* Index space is (-x, -y, z) of LPS: 1 voxel back on axis 0, 2 on along axis 2. */
			a.motion.translation[t][0] = 1;
			a.motion.translation[t][2] = 2;
			a.motion.times[t] = times[c][t];
		}
		fill(n, .2, 1);
		double floor = 1;
		for (int64_t i = 0; i < size_of(n); i++)
			floor = fmin(floor, image[i]);
		for (int64_t i = 0; i < n[0]; i++)
			for (int64_t j = 0; j < n[1]; j++)
				for (int64_t k = 0; k < n[2]; k++)
					moved[(i * n[1] + j) * n[2] + k] =
					    i >= 1 && k + 2 < n[2] ? image[((i - 1) * n[1] + j) * n[2] + k + 2] : floor;
		naive_forward(moved, n, other);
		/* The scan supplies the segment that ends with the first time beyond one half, else the last one. */
		const int own = times[c][0] > .5 ? 0 : times[c][1] > .5 ? 1 : 2;
		const double ends[4] = {0, times[c][0], times[c][1], 1};
		for (int64_t i = 0; i < size_of(n); i++) {
			const int64_t q = place(n, i, 2);
			if (q < (int64_t)(8 * ends[own]) || q >= (int64_t)(8 * ends[own + 1]))
				k_space[i] = other[i];
		}
		check(&a, n);
	}
}

/* About the image's centre half a turn turns the image over; about the origin it moves it out of sight. */
static void test_centre(void **state)
{
	static const int64_t n[3] = {1, 5, 6};
	hardy_error err;
	(void)state;
	for (int about_image = 0; about_image < 2; about_image++) {
		hy_artefact a = {.kind = HY_ARTEFACT_MOTION};
		a.motion.n = 1;
		a.motion.about_image = about_image;
		a.motion.degrees[0][0] = 180; /* about axis 0, the slice's normal */
		a.motion.times[0] = 1;        /* the first image supplies all of k-space; it changes places with the scan */
		fill(n, .1, 1);
		float floor = 1;
		for (int i = 0; i < 30; i++)
			floor = fminf(floor, voxels[i]);
		hy_block b = hy_block_of_stack(voxels, 1, 5, 6);
		b.affine[1][3] = 100; /* away from the origin, so that rotating about it cannot be mistaken for the other */
		assert_ok(hy_artefact_apply(&a, &b, &err), &err);
		for (int i = 0; i < 30; i++) /* times[0] > 1/2: the scan itself supplies everything */
			assert_true(fabs((double)voxels[i] - image[i]) < 1e-6);
		a.motion.times[0] = 0; /* now the movement comes first and last: the scan supplies nothing but what is behind it */
		a.motion.n = 2;
		a.motion.times[1] = 0;
		memcpy(a.motion.degrees[1], a.motion.degrees[0], sizeof a.motion.degrees[0]);
		assert_ok(hy_artefact_apply(&a, &b, &err), &err);
		for (int i = 0; i < 30; i++)
			assert_true(fabs((double)voxels[i] - image[i]) < 1e-6);
		a.motion.n = 2;
		a.motion.times[0] = .6; /* the scan is first to be exchanged, and its segment is [0, .6); the rest is moved */
		a.motion.times[1] = .6;
		fill(n, .1, 1);
		assert_ok(hy_artefact_apply(&a, &b, &err), &err);
		double complex other[30];
		double moved[30];
		for (int i = 0; i < 30; i++)
			moved[i] = about_image ? image[29 - i] : (double)floor;
		naive_forward(moved, n, other);
		for (int i = 0; i < 30; i++)
			if (i % 6 >= 3)
				k_space[i] = other[i];
		naive_backward(k_space, n, wanted);
		for (int i = 0; i < 30; i++)
			assert_true(fabs((double)voxels[i] - wanted[i]) < 1e-6);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_ghosting), cmocka_unit_test(test_resolution), cmocka_unit_test(test_spikes),
	    cmocka_unit_test(test_motion),   cmocka_unit_test(test_centre),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
