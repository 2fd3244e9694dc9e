/*
 * phantom.c: the phantom's anatomy is sound, its labels hold the analytic volumes, its files are those of the ACDC layout and
 * the same for the same seed whatever the number of threads, and bad options leave nothing behind.
 */
#include "dataset/phantom.h"
#include "base/files.h"
#include "base/memory.h"
#include "dataset/dataset.h"
#include "image/nifti.h"
#include "support/test.h"
#include "support/tree.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const double pi = 3.14159265358979323846;

static double ejection(double edv, double esv)
{
	return 100 * (edv - esv) / edv;
}

static int64_t count(const uint8_t *labels, size_t n, int value)
{
	int64_t sum = 0;
	for (size_t i = 0; i < n; i++)
		sum += labels[i] == value;
	return sum;
}

/* A shape whose volume is known in closed form: no tilt, round, no RV: a body of revolution. */
static void test_measure_closed_form(void **state)
{
	(void)state;
	hy_heart h = {.group = HY_HEART_NOR, .rv_width = 1.3};
	const hy_heart_pose p = {.apex_endo_mm = 80, .apex_epi_mm = 90, .radius_mm = 25, .wall_mm = 10, .reference_radius_mm = 25};
	const hy_heart_volumes v = hy_heart_measure(&h, &p, .1);
	/* integral of (1 - z^3)^1.4 over 0..1 is B(1/3, 2.4) / 3 */
	const double share = exp(lgamma(1. / 3) + lgamma(2.4) - lgamma(1. / 3 + 2.4)) / 3;
	const double lv = pi * 25 * 25 * 80 * share / 1000, all = pi * 35 * 35 * 90 * share / 1000;
	assert_true(fabs(v.lv_ml - lv) < 2e-4 * lv);
	assert_true(fabs(v.lv_ml + v.myocardium_ml - all) < 2e-4 * all);
	assert_true(v.rv_ml == 0);

	/* A plane tilted about the axis takes away on one side what it adds on the other, as long as the cavity is a cylinder
	 * there. */
	h.tilt = .2;
	const hy_heart_volumes tilted = hy_heart_measure(&h, &p, .1);
	double ring = 0; /* below the base the cavity narrows: integrate the difference exactly enough by thin rings */
	for (int i = 0; i < 2000; i++) {
		const double w = -5 + (i + .5) * .005, r = 25 * pow(1 - (w > 0 ? pow(w / 80, 3) : 0), .7);
		const double c = fmax(-1, fmin(1, w / .2 / r)), below = acos(-c) * r * r + c * r * r * sqrt(1 - c * c);
		ring += (below - (w > 0 ? pi * r * r : 0)) * .005 / 1000;
	}
	assert_true(fabs(tilted.lv_ml - v.lv_ml - ring) < 2e-4 * lv);
}

/* The groups' hearts have the volumes of their kind. */
static void test_groups(void **state)
{
	(void)state;
	double ef[HY_N_HEART_GROUPS] = {0}, edv[HY_N_HEART_GROUPS] = {0}, wall[HY_N_HEART_GROUPS] = {0},
	       rv[HY_N_HEART_GROUPS] = {0};
	for (int group = 0; group < HY_N_HEART_GROUPS; group++)
		for (uint64_t i = 0; i < 10; i++) {
			hy_rng g = hy_rng_make(3, HY_RNG_TEST, (uint64_t)group, i);
			hy_heart h;
			hy_heart_draw(&h, (hy_heart_group)group, 10, &g);
			const hy_heart_volumes ed = hy_heart_measure(&h, &h.ed, 1), es = hy_heart_measure(&h, &h.es, 1);
			/* muscle keeps its volume, thickens, and the ventricle shortens */
			assert_true(fabs(es.myocardium_ml / ed.myocardium_ml - 1) < .01);
			assert_true(h.es.wall_mm > h.ed.wall_mm && h.es.base_mm > 0 && es.lv_ml < ed.lv_ml && es.rv_ml < ed.rv_ml);
			ef[group] += ejection(ed.lv_ml, es.lv_ml) / 10;
			edv[group] += ed.lv_ml / 10;
			wall[group] += h.ed.wall_mm * (1 + h.septal_thickening) / 10;
			rv[group] += ed.rv_ml / 10;
		}
	assert_true(ef[HY_HEART_DCM] < 40 && ef[HY_HEART_MINF] < 40 && ef[HY_HEART_HCM] > 55 && ef[HY_HEART_NOR] > 50);
	assert_true(edv[HY_HEART_DCM] > 1.3 * edv[HY_HEART_NOR]);
	assert_true(wall[HY_HEART_HCM] > 15 && wall[HY_HEART_NOR] < 12);
	assert_true(rv[HY_HEART_RV] > 1.2 * rv[HY_HEART_NOR]);
}

/* The infarct moves less than the rest, and is thinner. */
static void test_akinesia(void **state)
{
	(void)state;
	hy_rng g = hy_rng_make(1, HY_RNG_TEST, 0, 0);
	hy_heart h;
	hy_heart_draw(&h, HY_HEART_MINF, 10, &g);
	hy_section ed, es;
	hy_section_make(&h, &h.ed, .75 * h.ed.apex_endo_mm, &ed);
	hy_section_make(&h, &h.es, h.es.base_mm + .75 * (h.es.apex_endo_mm - h.es.base_mm), &es);
	const int scar = (int)lrint((h.scar_angle / (2 * pi) + 1) * HY_PHANTOM_ANGLES) % HY_PHANTOM_ANGLES;
	const int remote = (scar + HY_PHANTOM_ANGLES / 2) % HY_PHANTOM_ANGLES;
	assert_true((ed.endo[scar] - es.endo[scar]) < .5 * (ed.endo[remote] - es.endo[remote]));
	assert_true(es.epi[scar] - es.endo[scar] < .8 * (es.epi[remote] - es.endo[remote]));
}

/* Ejection fraction from voxel counts against that of the continuous shapes: 60 subjects, all sites, all groups. */
static void test_ejection_fraction(void **state)
{
	(void)state;
	double worst = 0, worst_relative = 0, worst_volume = 0, worst_rv = 0;
	int n_subjects = 0;
	for (size_t site = 0; site < hy_n_sites(); site++)
		for (uint64_t i = 0; i < 10; i++) {
			hy_phantom_subject p;
			hardy_error err = {0};
			hy_phantom_subject_draw(&p, hy_site_at(site), (hy_heart_group)(i % HY_N_HEART_GROUPS), 11, site * 100 + i);
			const size_t n = (size_t)p.n_slices * (size_t)p.site.matrix * (size_t)p.site.matrix;
			uint8_t *labels = hy_alloc(n, 2);
			assert_non_null(labels);
			assert_ok(hy_phantom_labels(&p, &p.heart.ed, labels, &err), &err);
			assert_ok(hy_phantom_labels(&p, &p.heart.es, labels + n, &err), &err);
			const double voxel = pow(p.site.fov_mm / p.site.matrix, 2) * p.site.pitch_mm / 1000;
			const double edv = (double)count(labels, n, 3) * voxel, esv = (double)count(labels + n, n, 3) * voxel;
			const hy_heart_volumes ed = hy_heart_measure(&p.heart, &p.heart.ed, .25),
			                       es = hy_heart_measure(&p.heart, &p.heart.es, .25);
			const double truth = ejection(ed.lv_ml, es.lv_ml), found = ejection(edv, esv);
			worst = fmax(worst, fabs(found - truth));
			worst_relative = fmax(worst_relative, 100 * fabs(found / truth - 1));
			worst_volume = fmax(worst_volume, 100 * fmax(fabs(edv / ed.lv_ml - 1), fabs(esv / es.lv_ml - 1)));
			const double rv_truth = ejection(ed.rv_ml, es.rv_ml);
			const double rv_found = ejection((double)count(labels, n, 1), (double)count(labels + n, n, 1));
			worst_rv = fmax(worst_rv, fabs(rv_found - rv_truth));
			n_subjects++;
			hy_free(labels);
		}
	print_message(
	    "LV ejection fraction of %d subjects: worst %.2f points, %.2f %% of the value; LV volumes %.2f %%; RV %.2f points\n",
	    n_subjects, worst, worst_relative, worst_volume, worst_rv);
	assert_true(worst < 1 && worst_relative < 1 && worst_volume < 1 && worst_rv < 2);
}

typedef struct slice_view {
	const uint8_t *labels;
	int side;
} slice_view;

static int at(const slice_view *v, int x, int y)
{
	return v->labels[y * v->side + x];
}

/* In slices wholly below the valve plane the wall closes around the cavity: LV touches myocardium only; and RV touches the
 * wall. */
static void check_slice(const slice_view *v, bool *any_lv, bool *rv_on_wall)
{
	for (int y = 1; y < v->side - 1; y++)
		for (int x = 1; x < v->side - 1; x++) {
			const int own = at(v, x, y), near[4] = {at(v, x - 1, y), at(v, x + 1, y), at(v, x, y - 1), at(v, x, y + 1)};
			*any_lv = *any_lv || own == 3;
			for (int k = 0; k < 4; k++) {
				if (own == 3 && near[k] != 3 && near[k] != 2)
					fail_msg("LV touches label %d at %d, %d", near[k], x, y);
				*rv_on_wall = *rv_on_wall || (own == 1 && near[k] == 2);
			}
		}
}

static void check_stack(const hy_phantom_subject *p, const hy_heart_pose *pose, const uint8_t *labels)
{
	const size_t plane = (size_t)p->site.matrix * (size_t)p->site.matrix;
	int n_lv = 0, n_labelled = 0;
	bool rv_on_wall = false;
	for (int k = 0; k < p->n_slices; k++) {
		const slice_view v = {labels + (size_t)k * plane, p->site.matrix};
		const double w = (p->first_slice + k + .5) * p->site.pitch_mm;
		n_labelled += count(v.labels, plane, 0) < (int64_t)plane;
		if (w < pose->base_mm + 15)
			continue;
		bool any_lv = false;
		check_slice(&v, &any_lv, &rv_on_wall);
		n_lv += any_lv;
		/* from base to apex without a gap */
		const bool inside = w < pose->apex_endo_mm - 5;
		if (inside != any_lv && inside)
			fail_msg("no LV in slice %d at w = %.1f", k, w);
	}
	assert_true(rv_on_wall);
	assert_true(n_lv >= 3 && n_labelled >= 5);
}

static void test_anatomy(void **state)
{
	(void)state;
	for (uint64_t i = 0; i < 10; i++) {
		hy_phantom_subject p;
		hardy_error err = {0};
		hy_phantom_subject_draw(&p, hy_site_at(i % 4), (hy_heart_group)(i % HY_N_HEART_GROUPS), 5, i);
		const size_t n = (size_t)p.n_slices * (size_t)p.site.matrix * (size_t)p.site.matrix;
		uint8_t *labels = hy_alloc(n, 2);
		assert_non_null(labels);
		assert_ok(hy_phantom_labels(&p, &p.heart.ed, labels, &err), &err);
		assert_ok(hy_phantom_labels(&p, &p.heart.es, labels + n, &err), &err);
		check_stack(&p, &p.heart.ed, labels);
		check_stack(&p, &p.heart.es, labels + n);
		for (int c = 1; c <= 3; c += 2) /* cavities shrink */
			assert_true(count(labels + n, n, c) < count(labels, n, c));
		hy_free(labels);
	}
}

/* On resonance the general equation is the textbook's; a whole turn off resonance in TR the sign changes; no signal between. */
static void test_signal(void **state)
{
	(void)state;
	const double t1 = 1441, t2 = 290, tr = 3, flip = pi / 3, e1 = exp(-tr / t1), e2 = exp(-tr / t2);
	const double on = sin(flip) * (1 - e1) / (1 - (e1 - e2) * cos(flip) - e1 * e2) * exp(-.5 * tr / t2);
	assert_true(fabs(hy_bssfp_signal(t1, t2, tr, flip, 0) - on) < 1e-9);
	/* Scheffler and Lehnhardt's limit for TR much shorter than T1 and T2 */
	const double limit = sin(flip) / (1 + cos(flip) + (1 - cos(flip)) * t1 / t2);
	assert_true(fabs(hy_bssfp_signal(t1, t2, .01, flip, 0) - limit) < 1e-4);
	assert_true(fabs(hy_bssfp_signal(t1, t2, tr, flip, 1000 / tr) + on) < 1e-9);
	assert_true(fabs(hy_bssfp_signal(t1, t2, tr, flip, 500 / tr)) < .02 * on);
}

/* Means of an image over the LV cavity, the wall and everything. */
static void region_means(const hy_phantom_subject *p, const int16_t *image, const uint8_t *labels, double mean[3])
{
	double sum[3] = {0};
	int64_t number[3] = {0};
	const size_t n = (size_t)p->n_slices * (size_t)p->site.matrix * (size_t)p->site.matrix;
	for (size_t i = 0; i < n; i++) {
		const int k = labels[i] == 3 ? 0 : labels[i] == 2 ? 1 : 2;
		sum[k] += image[i];
		number[k]++;
	}
	for (int k = 0; k < 3; k++)
		mean[k] = sum[k] / (double)number[k];
}

/* Blood is brighter than the wall everywhere, by a factor that tells the sites apart; thread and order of use change nothing.
 */
static void test_images(void **state)
{
	(void)state;
	double ratio[4];
	for (size_t i = 0; i < 4; i++) {
		hardy_error err = {0};
		hy_site site = *hy_site_at(i);
		site.matrix = 96;
		hy_phantom_subject p;
		hy_phantom_subject_draw(&p, &site, HY_HEART_NOR, 2, 1);
		const size_t n = (size_t)p.n_slices * 96 * 96;
		int16_t *a = hy_alloc(n, 2 * sizeof *a), *b = a + n;
		uint8_t *labels = hy_alloc(n, 1);
		hy_scanner *scanner = NULL;
		assert_non_null(a);
		assert_non_null(labels);
		assert_ok(hy_scanner_new(&scanner, &site, 2, &err), &err);
		assert_ok(hy_scanner_run(scanner, 0, &p, &p.heart.ed, 1, a, &err), &err);
		assert_ok(hy_scanner_run(scanner, 1, &p, &p.heart.ed, 1, b, &err), &err);
		assert_memory_equal(a, b, n * sizeof *a);
		assert_ok(hy_phantom_labels(&p, &p.heart.ed, labels, &err), &err);
		double mean[3];
		region_means(&p, a, labels, mean);
		ratio[i] = mean[0] / mean[1];
		print_message("site %s: blood %.0f, myocardium %.0f, ratio %.2f\n", site.name, mean[0], mean[1], ratio[i]);
		for (size_t k = 0; k < n; k++)
			assert_true(a[k] >= 0 && a[k] < site.levels);
		hy_scanner_free(scanner);
		hy_free(a);
		hy_free(labels);
	}
	for (size_t i = 0; i < 4; i++)
		assert_true(ratio[i] > 1.15);
	assert_true(ratio[0] > 1.3 * ratio[2]);
}

static hardy_phantom_options small_options(void)
{
	hardy_phantom_options o;
	hardy_phantom_options_init(&o);
	o.sites = "A,C";
	o.subjects = 2;
	o.seed = 4;
	o.size = 64;
	return o;
}

static void same_tree(const char *a, const char *b)
{
	hy_names x, y;
	hardy_error err = {0};
	assert_ok(hy_list_folder(a, &x, &err), &err);
	assert_ok(hy_list_folder(b, &y, &err), &err);
	assert_int_equal(x.n, y.n);
	for (size_t i = 0; i < x.n; i++) {
		assert_string_equal(x.name[i], y.name[i]);
		char *p = hy_path_join(a, x.name[i]), *q = hy_path_join(b, x.name[i]), *left, *right;
		size_t n_left, n_right;
		if (hy_path_is_folder(p))
			same_tree(p, q);
		else {
			assert_ok(hy_file_read(p, &left, &n_left, &err), &err);
			assert_ok(hy_file_read(q, &right, &n_right, &err), &err);
			if (n_left != n_right || memcmp(left, right, n_left) != 0)
				fail_msg("%s and %s differ", p, q);
			hy_free(left);
			hy_free(right);
		}
		hy_free(p);
		hy_free(q);
	}
	hy_names_free(&x);
	hy_names_free(&y);
}

static void copy_path(char out[512], const char *name)
{
	snprintf(out, 512, "%s", tree_path(name));
}

static void test_same_bytes(void **state)
{
	(void)state;
	tree_new();
	char one[512], two[512], other[512], file[600];
	copy_path(one, "one");
	copy_path(two, "deep/down/two/");
	copy_path(other, "other");
	hardy_error err = {0};
	hardy_phantom_options o = small_options();
	o.threads = 1;
	assert_ok(hardy_phantom_make(one, &o, NULL, &err), &err);
	o.threads = 2;
	assert_ok(hardy_phantom_make(two, &o, NULL, &err), &err);
	same_tree(one, two);
	/* a site's subjects do not depend on which other sites are made; another seed gives others */
	o.sites = "C";
	o.seed = 5;
	assert_ok(hardy_phantom_make(other, &o, NULL, &err), &err);
	char *a, *b;
	size_t n_a, n_b;
	const char *name = "siteC/patient201/patient201_frame01_gt.nii.gz";
	snprintf(file, sizeof file, "%s/%s", one, name);
	assert_ok(hy_file_read(file, &a, &n_a, &err), &err);
	snprintf(file, sizeof file, "%s/%s", other, name);
	assert_ok(hy_file_read(file, &b, &n_b, &err), &err);
	assert_true(n_a != n_b || memcmp(a, b, n_a) != 0);
	hy_free(a);
	hy_free(b);
	tree_remove();
}

static void count_warning(void *payload, hardy_log_level level, const char *line)
{
	if (level != HARDY_LOG_WARNING)
		return;
	print_message("warning: %s\n", line);
	++*(int *)payload;
}

/* Read back as a data set: classes, phases, labels, and the volumes of truth.csv. */
static void test_layout(void **state)
{
	(void)state;
	tree_new();
	char root[512], site[600];
	copy_path(root, "phantom");
	hardy_error err = {0};
	hardy_phantom_options o = small_options();
	assert_ok(hardy_phantom_make(root, &o, NULL, &err), &err);
	snprintf(site, sizeof site, "%s/truth.csv", root);
	char *truth;
	size_t n_truth;
	assert_ok(hy_file_read(site, &truth, &n_truth, &err), &err);
	double edv = 0, esv = 0;
	const char *row = strstr(truth, "A,patient001,DCM,");
	assert_non_null(row);
	assert_int_equal(sscanf(row, "A,patient001,DCM,%lf,%lf", &edv, &esv), 2);
	hy_free(truth);

	snprintf(site, sizeof site, "%s/siteA", root);
	int n_warnings = 0;
	const hardy_log log = {count_warning, &n_warnings};
	hy_dataset d;
	assert_ok(hy_dataset_open(&d, site, NULL, &log, &err), &err);
	assert_int_equal(d.layout, HY_LAYOUT_ACDC);
	assert_int_equal(d.n_cases, 4);
	double found[2];
	for (size_t i = 0; i < 2; i++) {
		hy_volume image;
		hy_labels labels;
		assert_string_equal(d.cases[i].phase, i ? "ES" : "ED");
		assert_ok(hy_case_load(&d, i, NULL, &image, &labels, &log, &err), &err);
		assert_int_equal(image.grid.nx, 64);
		assert_true(fabs(image.grid.spacing_mm[0] - 300. / 64) < 1e-5 && fabs(image.grid.spacing_mm[2] - 10) < 1e-5);
		const double voxel = labels.grid.spacing_mm[0] * labels.grid.spacing_mm[1] * labels.grid.spacing_mm[2] / 1000;
		/* class 1 is the LV whatever the files' own values */
		found[i] = (double)count(labels.data, (size_t)hy_grid_voxels(&labels.grid), 1) * voxel;
		hy_volume_clear(&image);
		hy_labels_clear(&labels);
	}
	assert_true(fabs(found[0] / edv - 1) < .02 && fabs(found[1] / esv - 1) < .02);
	assert_int_equal(n_warnings, 0);
	hy_dataset_clear(&d);
	tree_remove();
}

/* The cine runs from ED to ES and back; its frames are those that are labelled. */
static void test_cine(void **state)
{
	(void)state;
	tree_new();
	char root[512], path[700];
	copy_path(root, "cine");
	hardy_error err = {0};
	hardy_phantom_options o = small_options();
	o.sites = "1";
	o.subjects = 1;
	o.frames = 8;
	assert_ok(hardy_phantom_make(root, &o, NULL, &err), &err);
	hy_nifti_options whole;
	hy_nifti_options_init(&whole);
	hy_volume cine, ed, es;
	snprintf(path, sizeof path, "%s/siteA/patient001/patient001_4d.nii.gz", root);
	assert_ok(hy_nifti_read(path, &whole, &cine, NULL, &err), &err);
	assert_int_equal(cine.nt, 8);
	snprintf(path, sizeof path, "%s/siteA/patient001/patient001_frame01.nii.gz", root);
	assert_ok(hy_nifti_read(path, &whole, &ed, NULL, &err), &err);
	snprintf(path, sizeof path, "%s/siteA/patient001/patient001_frame04.nii.gz", root);
	assert_ok(hy_nifti_read(path, &whole, &es, NULL, &err), &err);
	const size_t n = (size_t)hy_grid_voxels(&cine.grid);
	assert_memory_equal(cine.data, ed.data, n * sizeof(float));
	assert_memory_equal(cine.data + 3 * n, es.data, n * sizeof(float));
	hy_volume_clear(&cine);
	hy_volume_clear(&ed);
	hy_volume_clear(&es);
	tree_remove();
}

static void refuse(const char *folder, const hardy_phantom_options *o, hardy_status status, const char *says)
{
	hardy_error err = {0};
	const hardy_status found = hardy_phantom_make(folder, o, NULL, &err);
	if (found != status || !strstr(err.message, says))
		fail_msg("status %d, \"%s\"; want %d and \"%s\"", (int)found, err.message, (int)status, says);
}

static void test_refusals(void **state)
{
	(void)state;
	tree_new();
	char root[512];
	copy_path(root, "never");
	static const char *const sites[] = {"", "0", "7", "4x", "A,,B", "A,Z", "A,A", "a", "-1"};
	for (size_t i = 0; i < sizeof sites / sizeof *sites; i++) {
		hardy_phantom_options o = small_options();
		o.sites = sites[i];
		refuse(root, &o, HARDY_ERROR_ARGUMENT, "sites: ");
	}
	hardy_phantom_options o = small_options();
	o.subjects = 0;
	refuse(root, &o, HARDY_ERROR_ARGUMENT, "subjects is 0");
	o.subjects = 100;
	refuse(root, &o, HARDY_ERROR_ARGUMENT, "subjects is 100");
	o = small_options();
	o.size = 63;
	refuse(root, &o, HARDY_ERROR_ARGUMENT, "size is 63");
	o = small_options();
	o.frames = 3;
	refuse(root, &o, HARDY_ERROR_ARGUMENT, "frames is 3");
	o = small_options();
	o.threads = -1;
	refuse(root, &o, HARDY_ERROR_ARGUMENT, "threads is -1");
	o = small_options();
	refuse("", &o, HARDY_ERROR_ARGUMENT, "folder");
	assert_false(hy_path_exists(root));

	tree_text("full/notes.txt", "keep me");
	copy_path(root, "full");
	refuse(root, &o, HARDY_ERROR_IO, "want a new or empty folder");
	copy_path(root, "full/notes.txt");
	refuse(root, &o, HARDY_ERROR_IO, "not a folder");
	copy_path(root, "full/notes.txt/below");
	refuse(root, &o, HARDY_ERROR_IO, "notes.txt");
	refuse("/proc/phantom", &o, HARDY_ERROR_IO, "/proc/phantom");
	hy_names names;
	assert_ok(hy_list_folder(tree_path("full"), &names, NULL), &(hardy_error){.message = "full is gone"});
	assert_int_equal(names.n, 1);
	hy_names_free(&names);
	tree_remove();
}

/* Wherever memory runs out, the call fails and leaves no files. One thread, so that the k-th allocation is the same each time.
 */
static void test_memory(void **state)
{
	(void)state;
	tree_new();
	char root[512];
	copy_path(root, "never");
	hardy_phantom_options o = small_options();
	o.sites = "1";
	o.subjects = 1;
	o.threads = 1;
	for (int k = 1; k <= 24; k++) {
		hardy_error err = {0};
		hy_memory_fail_at(k);
		const hardy_status status = hardy_phantom_make(root, &o, NULL, &err);
		hy_memory_fail_at(0);
		hy_names names;
		assert_int_equal(status, HARDY_ERROR_MEMORY);
		assert_int_equal(hy_list_folder(tree_path(""), &names, NULL), HARDY_OK);
		if (names.n)
			fail_msg("allocation %d: %s is left behind", k, names.name[0]);
		hy_names_free(&names);
	}
	tree_remove();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_measure_closed_form),
	    cmocka_unit_test(test_groups),
	    cmocka_unit_test(test_akinesia),
	    cmocka_unit_test(test_ejection_fraction),
	    cmocka_unit_test(test_anatomy),
	    cmocka_unit_test(test_signal),
	    cmocka_unit_test(test_images),
	    cmocka_unit_test(test_same_bytes),
	    cmocka_unit_test(test_layout),
	    cmocka_unit_test(test_cine),
	    cmocka_unit_test(test_refusals),
	    cmocka_unit_test(test_memory),
	};
	return cmocka_run_group_tests_name("dataset/phantom", tests, NULL, NULL);
}
