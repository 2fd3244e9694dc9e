/*
 * clinical.c: volumes, ejection fraction and mass on shapes whose values are known.
 */
#include "support/test.h"

#include "metric/clinical.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

/* Voxels whose centre lies in the ellipsoid with these half axes (mm) around a point off the grid. */
static int64_t ellipsoid_voxels(double a, double b, double c, const double spacing[3])
{
	int64_t n = 0, n_half[3];
	const double half[3] = {a, b, c}, centre[3] = {.137, -.241, .318};
	for (int k = 0; k < 3; k++)
		n_half[k] = (int64_t)(half[k] / spacing[k]) + 2;
	for (int64_t z = -n_half[2]; z <= n_half[2]; z++)
		for (int64_t y = -n_half[1]; y <= n_half[1]; y++)
			for (int64_t x = -n_half[0]; x <= n_half[0]; x++) {
				double u = ((double)x * spacing[0] - centre[0]) / a, v = ((double)y * spacing[1] - centre[1]) / b,
				       w = ((double)z * spacing[2] - centre[2]) / c;
				n += u * u + v * v + w * w <= 1;
			}
	return n;
}

static void box_volume(void **state)
{
	(void)state;
	const double spacing[3] = {1.25, 1.25, 8};
	/* 20 x 30 x 5 voxels: 25 x 37.5 x 40 mm. */
	assert_true(fabs(hy_volume_ml(20 * 30 * 5, spacing) - 37.5) < 1e-12);
	assert_true(hy_volume_ml(0, spacing) == 0);
}

static void sphere_volume(void **state)
{
	(void)state;
	const double spacing[3] = {.8, .9, 1.1}, want = 4.0 / 3 * pi * 25 * 25 * 25 / 1000;
	assert_true(fabs(hy_volume_ml(ellipsoid_voxels(25, 25, 25, spacing), spacing) / want - 1) < .005);
}

/* End diastole 25 x 25 x 45 mm, end systole 18 x 18 x 40 mm. */
static void ellipsoid_ejection_fraction(void **state)
{
	(void)state;
	const double spacing[3] = {.7, .7, .7};
	hy_ventricle v = hy_ventricle_make(hy_volume_ml(ellipsoid_voxels(25, 25, 45, spacing), spacing),
	                                   hy_volume_ml(ellipsoid_voxels(18, 18, 40, spacing), spacing));
	double edv = 4.0 / 3 * pi * 25 * 25 * 45 / 1000, esv = 4.0 / 3 * pi * 18 * 18 * 40 / 1000;
	assert_true(fabs(v.edv_ml - edv) < .005 * edv && fabs(v.esv_ml - esv) < .005 * esv);
	assert_true(fabs(v.sv_ml - (edv - esv)) < .01 * edv);
	assert_true(fabs(v.ef_percent - 100 * (edv - esv) / edv) < .5);
}

/* A shell between two ellipsoids. */
static void shell_mass(void **state)
{
	(void)state;
	const double spacing[3] = {.7, .7, .7};
	int64_t shell = ellipsoid_voxels(33, 33, 53, spacing) - ellipsoid_voxels(25, 25, 45, spacing);
	double want = 1.05 * 4.0 / 3 * pi * (33.0 * 33 * 53 - 25.0 * 25 * 45) / 1000;
	assert_true(fabs(hy_myocardial_mass_g(hy_volume_ml(shell, spacing)) / want - 1) < .01);
}

static void nothing_to_eject(void **state)
{
	(void)state;
	hy_ventricle v = hy_ventricle_make(0, 0);
	assert_true(isnan(v.ef_percent) && v.sv_ml == 0);
	v = hy_ventricle_make(NAN, 50);
	assert_true(isnan(v.ef_percent) && isnan(v.sv_ml));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(box_volume), cmocka_unit_test(sphere_volume),
	                                   cmocka_unit_test(ellipsoid_ejection_fraction), cmocka_unit_test(shell_mass),
	                                   cmocka_unit_test(nothing_to_eject)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
