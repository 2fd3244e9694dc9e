/*
 * geometry.c: affines and quaternions against rotations built from axis and angle, and which geometry of a header is believed.
 */
#include "image/geometry.h"

#include "base/memory.h"
#include "base/rng.h"
#include "image/nifti.h"
#include "support/fake_nifti.h"
#include "support/scratch.h"

#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Rotation about a unit axis (Rodrigues' formula). */
static void rotation(const double k[3], double angle, double m[3][3])
{
	const double c = cos(angle), s = sin(angle);
	const double cross[3][3] = {{0, -k[2], k[1]}, {k[2], 0, -k[0]}, {-k[1], k[0], 0}};
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 3; j++)
			m[i][j] = (i == j ? c : 0) + s * cross[i][j] + (1 - c) * k[i] * k[j];
}

static void random_axis(hy_rng *g, double k[3])
{
	double length = 0;
	for (int i = 0; i < 3; i++)
		k[i] = hy_rng_normal(g);
	length = sqrt(k[0] * k[0] + k[1] * k[1] + k[2] * k[2]);
	for (int i = 0; i < 3; i++)
		k[i] /= length;
}

static double difference(const double a[3][4], const double b[3][4])
{
	double greatest = 0;
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 4; j++)
			greatest = fmax(greatest, fabs(a[i][j] - b[i][j]));
	return greatest;
}

static void quaternions_are_rotations(void **state)
{
	hy_rng g = hy_rng_make(3, HY_RNG_TEST, 0, 0);
	for (int trial = 0; trial < 200; trial++) {
		double k[3], m[3][3], want[3][4], got[3][4], bcd[3], offset[3], qfac;
		const double spacing[3] = {1.25, 1.5, 8}, pi = 3.14159265358979323846;
		const double angle = trial % 5 == 0 ? pi : hy_rng_between(&g, -pi, pi), handed = trial % 2 ? -1 : 1;
		random_axis(&g, k);
		rotation(k, angle, m);
		for (int i = 0; i < 3; i++) {
			for (int j = 0; j < 3; j++)
				want[i][j] = m[i][j] * spacing[j] * (j == 2 ? handed : 1);
			want[i][3] = 10 * i - 5;
		}
		/* (cos, k sin) of the half angle with a >= 0 is the file's form. */
		const double sign = cos(angle / 2) < 0 ? -1 : 1;
		for (int i = 0; i < 3; i++)
			bcd[i] = sign * sin(angle / 2) * k[i];
		const double origin[3] = {-5, 5, 15};
		assert_true(hy_affine_from_quaternion(bcd, origin, spacing, handed, got));
		assert_true(difference(got, want) < 1e-6);
		hy_affine_to_quaternion(want, bcd, offset, &qfac);
		assert_true(qfac == handed);
		assert_true(hy_affine_from_quaternion(bcd, offset, spacing, qfac, got));
		assert_true(difference(got, want) < 1e-6);
	}
	double affine[3][4];
	const double bad[3] = {0.5, NAN, 0}, zero[3] = {0, 0, 0}, one[3] = {1, 1, 1}, long_one[3] = {3, 0, 0};
	assert_false(hy_affine_from_quaternion(bad, zero, one, 1, affine));
	assert_false(hy_affine_from_quaternion(zero, bad, one, 1, affine));
	/* Longer than a unit quaternion: a half turn about x. */
	assert_true(hy_affine_from_quaternion(long_one, zero, one, 1, affine));
	assert_true(affine[0][0] == 1 && affine[1][1] == -1 && affine[2][2] == -1);
}

static void usable_affines(void **state)
{
	const double good[3][4] = {{-1.5, 0, 0, 9}, {0, 0, 3, 0}, {0, 2, 0, -1}};
	double a[3][4];
	assert_true(hy_affine_usable(good));
	memcpy(a, good, sizeof a), a[1][2] = 0;
	assert_false(hy_affine_usable(a)); /* a column of zeros */
	memcpy(a, good, sizeof a), a[0][3] = INFINITY;
	assert_false(hy_affine_usable(a));
	memcpy(a, good, sizeof a), a[0][2] = 3, a[1][2] = 0;
	assert_false(hy_affine_usable(a)); /* two columns in line */
	memcpy(a, good, sizeof a), a[1][2] = 1e7;
	assert_false(hy_affine_usable(a));
}

static void shear_and_difference_in_mm(void **state)
{
	hy_grid a, b;
	hy_grid_set_simple(&a, 101, 51, 11, 1, 2, 10);
	assert_true(hy_grid_shear_mm(&a) < 1e-9);
	assert_true(hy_grid_difference_mm(&a, &a) == 0);
	b = a;
	b.affine[2][3] = -3;
	assert_true(fabs(hy_grid_difference_mm(&a, &b) - 3) < 1e-12);
	/* Rotated by a small angle about the origin: the corner (100, 100, 100) mm moves by angle times its distance to the axis.
	 */
	const double k[3] = {0, 0, 1};
	double m[3][3];
	rotation(k, 0.01, m);
	for (int i = 0; i < 3; i++)
		for (int j = 0; j < 3; j++)
			b.affine[i][j] = m[i][j] * b.spacing_mm[j];
	b.affine[2][3] = 0;
	assert_true(fabs(hy_grid_difference_mm(&a, &b) - 2 * sin(0.005) * sqrt(20000)) < 1e-9);
	assert_true(hy_grid_shear_mm(&b) < 1e-9);
	/* y leaning towards x by the angle e: squaring turns both axes by e/2, so a corner moves by about e/2 * half diagonal. */
	b = a;
	b.affine[0][1] = 2 * sin(0.02);
	b.affine[1][1] = 2 * cos(0.02);
	assert_true(fabs(hy_grid_shear_mm(&b) - 0.01 * sqrt(5000)) < 0.02);
}

/* ---- which geometry a header's reader believes ---- */

static char warnings[4096];

static void keep_warnings(void *payload, hardy_log_level level, const char *line)
{
	if (level == HARDY_LOG_WARNING)
		strncat(warnings, line, sizeof warnings - 1 - strlen(warnings));
}

static hy_grid read_grid(const fake_nifti *f, const double *spacing)
{
	size_t size;
	uint8_t *bytes = fake_nifti_file(f, &size);
	hy_nifti_options o;
	hy_volume v;
	hardy_error err;
	const hardy_log log = {keep_warnings, NULL};
	scratch_write("a.nii", bytes, size);
	hy_free(bytes);
	warnings[0] = 0;
	hy_nifti_options_init(&o);
	o.header_only = true;
	for (int i = 0; spacing && i < 3; i++)
		o.spacing_mm[i] = spacing[i];
	assert_ok(hy_nifti_read(scratch_path("a.nii"), &o, &v, &log, &err), &err);
	const hy_grid g = v.grid;
	hy_volume_clear(&v);
	return g;
}

static void set_sform(fake_nifti *f, const double m[3][4])
{
	hy_nifti_put_int(f->raw, f->version, HY_F_SFORM_CODE, 0, 1);
	for (int i = 0; i < 12; i++)
		hy_nifti_put_real(f->raw, f->version, HY_F_SROW, i, m[i / 4][i % 4]);
}

/* A quarter turn about z, left-handed. */
static void set_qform(fake_nifti *f)
{
	hy_nifti_put_int(f->raw, f->version, HY_F_QFORM_CODE, 0, 1);
	hy_nifti_put_real(f->raw, f->version, HY_F_QUATERN, 2, sqrt(0.5));
	hy_nifti_put_real(f->raw, f->version, HY_F_PIXDIM, 0, -1);
	hy_nifti_put_real(f->raw, f->version, HY_F_QOFFSET, 0, 7);
}

static const double good_sform[3][4] = {{-1.5, 0, 0, 30}, {0, -1.25, 0, 20}, {0, 0, 8, -10}};
static const double want_qform[3][4] = {{0, -1.25, 0, 7}, {1.5, 0, 0, 0}, {0, 0, -8, 0}};

static void assert_grid(const hy_grid *g, const double want[3][4])
{
	if (difference(g->affine, want) > 1e-5)
		fail_msg("first row is %g %g %g %g, want %g %g %g %g", g->affine[0][0], g->affine[0][1], g->affine[0][2],
		         g->affine[0][3], want[0][0], want[0][1], want[0][2], want[0][3]);
	double spacing[3];
	hy_affine_spacing(want, spacing);
	for (int i = 0; i < 3; i++)
		assert_true(fabs(g->spacing_mm[i] - spacing[i]) < 1e-5);
}

static void sform_then_qform_then_pixdim(void **state)
{
	for (int version = 1; version <= 2; version++) {
		fake_nifti f = fake_nifti_make(HY_NIFTI_UINT8);
		f.version = version;
		fake_nifti_update(&f);
		hy_grid g = read_grid(&f, NULL);
		const double plain[3][4] = {{1.5, 0, 0, 0}, {0, 1.25, 0, 0}, {0, 0, 8, 0}};
		assert_grid(&g, plain);
		assert_string_equal(warnings, "");
		set_qform(&f);
		g = read_grid(&f, NULL);
		assert_grid(&g, want_qform);
		set_sform(&f, good_sform);
		g = read_grid(&f, NULL);
		assert_grid(&g, good_sform);
		assert_non_null(strstr(warnings, "sform and qform put voxels up to 38.3 mm apart; the sform is believed"));
		/* Degenerate ones hand over to the next. */
		hy_nifti_put_real(f.raw, version, HY_F_SROW, 10, 0);
		g = read_grid(&f, NULL);
		assert_grid(&g, want_qform);
		assert_non_null(strstr(warnings, "sform is degenerate"));
		hy_nifti_put_real(f.raw, version, HY_F_QUATERN, 0, NAN);
		g = read_grid(&f, NULL);
		assert_grid(&g, plain);
		assert_non_null(strstr(warnings, "qform is degenerate"));
	}
}

static void unit_sform_beside_another_pixdim(void **state)
{
	const double unit[3][4] = {{-1, 0, 0, 30}, {0, -1, 0, 20}, {0, 0, 1, -10}},
	             mended[3][4] = {{-1.5, 0, 0, 30}, {0, -1.25, 0, 20}, {0, 0, 8, -10}};
	fake_nifti f = fake_nifti_make(HY_NIFTI_UINT8);
	set_sform(&f, unit);
	hy_grid g = read_grid(&f, NULL);
	assert_grid(&g, mended);
	assert_non_null(strstr(warnings, "believing pixdim"));
	/* Really 1 mm: nothing to say. */
	for (int i = 1; i <= 3; i++)
		hy_nifti_put_real(f.raw, 1, HY_F_PIXDIM, i, 1);
	g = read_grid(&f, NULL);
	assert_grid(&g, unit);
	assert_string_equal(warnings, "");
	/* An sform of another scale is believed, and said. */
	set_sform(&f, good_sform);
	g = read_grid(&f, NULL);
	assert_grid(&g, good_sform);
	assert_non_null(strstr(warnings, "believing the sform"));
	/* The user knows better; directions and origin stay. */
	const double wanted[3] = {2, 0, 5}, overridden[3][4] = {{-2, 0, 0, 30}, {0, -1.25, 0, 20}, {0, 0, 5, -10}};
	g = read_grid(&f, wanted);
	assert_grid(&g, overridden);
}

static void odd_pixdim_units_and_shear(void **state)
{
	fake_nifti f = fake_nifti_make(HY_NIFTI_UINT8);
	hy_nifti_put_real(f.raw, 1, HY_F_PIXDIM, 1, -1.5);
	hy_nifti_put_real(f.raw, 1, HY_F_PIXDIM, 2, 0);
	hy_nifti_put_real(f.raw, 1, HY_F_PIXDIM, 3, NAN);
	hy_grid g = read_grid(&f, NULL);
	assert_true(g.spacing_mm[0] == 1.5 && g.spacing_mm[1] == 1 && g.spacing_mm[2] == 1);
	assert_non_null(strstr(warnings, "pixdim[1] is -1.5"));
	assert_non_null(strstr(warnings, "pixdim[2] is 0"));
	assert_non_null(strstr(warnings, "pixdim[3]"));
	/* Micrometres and metres, and metres that cannot be. */
	f = fake_nifti_make(HY_NIFTI_UINT8);
	hy_nifti_put_int(f.raw, 1, HY_F_XYZT_UNITS, 0, 3);
	g = read_grid(&f, NULL);
	assert_true(fabs(g.spacing_mm[0] - 0.0015) < 1e-12);
	assert_non_null(strstr(warnings, "micrometres"));
	hy_nifti_put_int(f.raw, 1, HY_F_XYZT_UNITS, 0, 1);
	g = read_grid(&f, NULL);
	assert_true(fabs(g.spacing_mm[0] - 1.5) < 1e-12);
	for (int i = 1; i <= 3; i++)
		hy_nifti_put_real(f.raw, 1, HY_F_PIXDIM, i, 0.002 * i);
	g = read_grid(&f, NULL);
	assert_true(fabs(g.spacing_mm[2] - 6) < 1e-5);
	/* Shear is tolerated, kept, and told in mm. */
	f = fake_nifti_make(HY_NIFTI_UINT8);
	const double sheared[3][4] = {{1.5, 0.1, 0, 0}, {0, 1.2459936, 0, 0}, {0, 0, 8, 0}};
	set_sform(&f, sheared);
	g = read_grid(&f, NULL);
	assert_grid(&g, sheared);
	assert_non_null(strstr(warnings, "right angles"));
	assert_non_null(strstr(warnings, " mm; tolerated"));
	/* Rounding of float fields is not shear. */
	const double k[3] = {0.48, 0.6, 0.64};
	double m[3][3], turned[3][4];
	rotation(k, 1, m);
	for (int i = 0; i < 12; i++)
		turned[i / 4][i % 4] = i % 4 == 3 ? -100 : m[i / 4][i % 4] * (i % 4 == 0 ? 1.5 : i % 4 == 1 ? 1.25 : 8);
	set_sform(&f, turned);
	g = read_grid(&f, NULL);
	assert_string_equal(warnings, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(quaternions_are_rotations),        cmocka_unit_test(usable_affines),
	    cmocka_unit_test(shear_and_difference_in_mm),       cmocka_unit_test(sform_then_qform_then_pixdim),
	    cmocka_unit_test(unit_sform_beside_another_pixdim), cmocka_unit_test(odd_pixdim_units_and_shear),
	};
	const int failed = cmocka_run_group_tests(tests, NULL, NULL);
	scratch_remove();
	return failed;
}
