/*
 * order.c: grids counted in another order are the same points, the order between two of them is found, and voxels follow and come back.
 */
#include "image/order.h"

#include "image/geometry.h"
#include "support/test.h"

#include <math.h>
#include <string.h>

enum { NX = 4, NY = 3, NZ = 2, N = NX * NY * NZ };

/* An oblique grid of three different counts and spacings. */
static hy_grid oblique(void)
{
	hy_grid g;
	hy_grid_set_simple(&g, NX, NY, NZ, 1.5, 2, 8);
	const double c = cos(0.3), s = sin(0.3);
	g.affine[0][0] = 1.5 * c, g.affine[1][0] = 1.5 * s;
	g.affine[0][1] = -2 * s, g.affine[1][1] = 2 * c;
	g.affine[0][3] = -20, g.affine[1][3] = 7;
	g.located = true;
	return g;
}

static void point(const hy_grid *g, const int64_t i[3], double p[3])
{
	for (int r = 0; r < 3; r++)
		p[r] =
		    g->affine[r][3] + g->affine[r][0] * (double)i[0] + g->affine[r][1] * (double)i[1] + g->affine[r][2] * (double)i[2];
}

static void voxels_keep_their_points(void **state)
{
	(void)state;
	const hy_grid g = oblique();
	static const int axes[6][3] = {{0, 1, 2}, {1, 0, 2}, {0, 2, 1}, {2, 1, 0}, {1, 2, 0}, {2, 0, 1}};
	for (int k = 0; k < 48; k++) {
		hy_order o = {{axes[k / 8][0], axes[k / 8][1], axes[k / 8][2]}, {k & 1, k >> 1 & 1, k >> 2 & 1}}, found;
		const hy_grid m = hy_order_grid(&o, &g);
		uint8_t data[N], moved[N], back[N];
		for (int i = 0; i < N; i++)
			data[i] = (uint8_t)i;
		hy_order_voxels(&o, &g, 1, 1, data, moved);
		int64_t i[3], at = 0;
		for (i[2] = 0; i[2] < m.nz; i[2]++)
			for (i[1] = 0; i[1] < m.ny; i[1]++)
				for (i[0] = 0; i[0] < m.nx; i[0]++, at++) {
					const int64_t old[3] = {moved[at] % NX, moved[at] / NX % NY, moved[at] / (NX * NY)};
					double p[3], q[3];
					point(&m, i, p);
					point(&g, old, q);
					for (int r = 0; r < 3; r++)
						assert_true(fabs(p[r] - q[r]) < 1e-9);
				}
		hy_order_voxels_back(&o, &g, 1, 1, moved, back);
		assert_memory_equal(back, data, N);
		assert_true(hy_order_between(&g, &m, &found) < 1e-9);
		assert_memory_equal(found.axis, o.axis, sizeof o.axis);
		assert_true(found.flip[0] == o.flip[0] && found.flip[1] == o.flip[1] && found.flip[2] == o.flip[2]);
		assert_int_equal(hy_order_is_identity(&o), k == 0);
	}
}

static void two_orders_join(void **state)
{
	(void)state;
	const hy_grid g = oblique();
	const hy_order a = {{1, 2, 0}, {true, false, true}}, b = {{2, 0, 1}, {false, true, true}}, both = hy_order_join(&a, &b);
	uint8_t data[N], one[N], two[N], at_once[N];
	for (int i = 0; i < N; i++)
		data[i] = (uint8_t)i;
	const hy_grid m = hy_order_grid(&a, &g);
	hy_order_voxels(&a, &g, 1, 1, data, one);
	hy_order_voxels(&b, &m, 1, 1, one, two);
	hy_order_voxels(&both, &g, 1, 1, data, at_once);
	assert_memory_equal(two, at_once, N);
}

static void other_points_are_told_in_mm(void **state)
{
	(void)state;
	const hy_grid g = oblique();
	hy_grid moved = g, other = g;
	hy_order o;
	moved.affine[2][3] += 3;
	assert_true(fabs(hy_order_between(&moved, &g, &o) - 3) < 1e-9);
	assert_true(hy_order_is_identity(&o));
	other.nx++;
	assert_true(isinf(hy_order_between(&other, &g, &o)));
}

static void the_stack_runs_along_the_widest_axis(void **state)
{
	(void)state;
	static const struct {
		double s[3];
		int axis;
	} cases[] = {{{1.4, 1.4, 8}, 2}, {{10, 4, 4}, 0}, {{4, 10, 4}, 1},  {{1, 1, 1}, 2},
	             {{1.2, 1, 1}, 2},   {{3, 1, 5}, 2},  {{5, 1, 4.5}, 2}, {{0.7, 3, 0.9}, 1}};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		hy_grid g;
		hy_grid_set_simple(&g, 8, 8, 8, cases[i].s[0], cases[i].s[1], cases[i].s[2]);
		assert_int_equal(hy_stack_axis(&g), cases[i].axis);
		const hy_order o = hy_order_stack(cases[i].axis);
		assert_int_equal(o.axis[2], cases[i].axis);
		assert_true(o.axis[0] < o.axis[1]);
	}
}

static void slices_turn_towards_directions(void **state)
{
	(void)state;
	const hy_grid g = oblique();
	static const double straight[2][3] = {{1, 0, 0}, {0, 1, 0}}, turned[2][3] = {{0, -1, 0}, {1, 0, 0}};
	static const double elsewhere[2][3] = {{1, 0, 0}, {0, 0, 1}};
	hy_order o = hy_order_towards(&g, straight); /* 17 degrees off */
	assert_true(hy_order_is_identity(&o));
	o = hy_order_towards(&g, turned);
	const hy_grid m = hy_order_grid(&o, &g);
	assert_true(m.affine[1][0] < 0 && m.affine[0][1] > 0);
	o = hy_order_towards(&g, elsewhere); /* another plane: nobody knows */
	assert_true(hy_order_is_identity(&o));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(voxels_keep_their_points),       cmocka_unit_test(two_orders_join),
	    cmocka_unit_test(other_points_are_told_in_mm),    cmocka_unit_test(the_stack_runs_along_the_widest_axis),
	    cmocka_unit_test(slices_turn_towards_directions),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
