/*
 * check.c: a data set in which everything is wrong at once is reported whole, with remedies, as text and as JSON.
 */
#include "hardy.h"

#include "base/memory.h"
#include "image/order.h"
#include "support/json_memory.h"
#include "support/test.h"
#include "support/tree.h"

#include <cJSON.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

static char report[1 << 16];
static size_t used;

static void collect(void *payload, const char *text, size_t size)
{
	(void)payload;
	assert_int_equal(text[size], 0);
	assert_true(used + size < sizeof report);
	memcpy(report + used, text, size + 1);
	used += size;
}

static void check_as(const char *folder, const char *labels, bool json, bool verbose, hardy_status wanted)
{
	const hardy_sink sink = {collect, NULL};
	hardy_error err = {0};
	hardy_check_options o;
	hardy_check_options_init(&o);
	o.size = 512; /* no label lies outside of so much */
	o.data = tree_path(folder);
	o.labels = labels;
	o.json = json;
	o.verbose = verbose;
	used = 0;
	report[0] = 0;
	const hardy_status status = hardy_check(&o, &sink, NULL, &err);
	if (status != wanted)
		fail_msg("status %d, want %d: %s", (int)status, (int)wanted, err.message);
}

static void check(const char *folder, const char *labels, bool json, hardy_status wanted)
{
	check_as(folder, labels, json, false, wanted);
}

static void says(const char *part)
{
	if (!strstr(report, part))
		fail_msg("the report does not say \"%s\":\n%s", part, report);
}

static void says_not(const char *part)
{
	if (strstr(report, part))
		fail_msg("the report says \"%s\":\n%s", part, report);
}

static const uint8_t heart[] = {0, 1, 2, 3, 3};

/* An image of 100 x 100 x 2 voxels of 2 x 2 x 10 mm, and a label with an LV of 10 mL. */
static void put_pair(const char *stem, float base)
{
	static float image[100 * 100 * 2];
	static uint8_t label[100 * 100 * 2];
	char name[128];
	hy_grid g;
	hy_grid_set_simple(&g, 100, 100, 2, 2, 2, 10);
	for (int i = 0; i < 20000; i++) {
		image[i] = base + (float)(i % 100);
		label[i] = (uint8_t)(i < 250 ? 3 : i < 500 ? 2 : i < 600 ? 1 : 0);
	}
	snprintf(name, sizeof name, "%s.nii.gz", stem);
	tree_image_grid(name, &g, 1, image);
	snprintf(name, sizeof name, "%s_gt.nii.gz", stem);
	tree_labels_grid(name, &g, 1, label);
}

/* 128 x 128 x 2 voxels of mm in the plane, and a label whose voxels are a square, [from, to) each way. */
static void put_square(const char *image, const char *label, double mm, int from, int to)
{
	static float v[128 * 128 * 2];
	static uint8_t l[128 * 128 * 2];
	char name[128];
	hy_grid g;
	hy_grid_set_simple(&g, 128, 128, 2, mm, mm, 10);
	for (int i = 0; i < 128 * 128 * 2; i++) {
		const int x = i % 128, y = i / 128 % 128;
		l[i] = x >= from && x < to && y >= from && y < to;
		v[i] = (float)(i % 100 + from);
	}
	snprintf(name, sizeof name, "%s.nii.gz", image);
	tree_image_grid(name, &g, 1, v);
	snprintf(name, sizeof name, "%s.nii.gz", label);
	tree_labels_grid(name, &g, 1, l);
}

static void put_subject(const char *name, float base)
{
	char path[128];
	snprintf(path, sizeof path, "%s/Info.cfg", name);
	tree_text(path, "ED: 1\nES: 2\n");
	for (int k = 1; k <= 2; k++) {
		snprintf(path, sizeof path, "%s/%s_frame%02d", name, name, k);
		put_pair(path, base + (float)k);
	}
}

static void a_sound_data_set(void **state)
{
	(void)state;
	tree_new();
	put_subject("patient001", 0);
	put_subject("patient002", 10);
	check("", NULL, false, HARDY_OK);
	says("ACDC layout, 2 subjects, 4 scans, 1 channel (cine MR)");
	says("classes: 1 LV (value 3), 2 MYO (value 2), 3 RV (value 1)");
	says("100x100x2");
	says("2.000x2.000x10");
	says("    250    10.0 mL      250    10.0 mL      100     4.0 mL");
	says("4 scans can be used, 0 cannot; things to look at: 0");
	says_not("remedy");
}

static void everything_wrong_is_listed(void **state)
{
	(void)state;
	static float bad[100 * 100 * 2] = {NAN, NAN};
	hy_grid g;
	tree_new();
	for (int i = 1; i <= 9; i++) {
		char name[32];
		snprintf(name, sizeof name, "patient%03d", i);
		put_subject(name, 10 * (float)i);
	}
	tree_delete("patient001/patient001_frame01.nii.gz");
	tree_delete("patient002/patient002_frame02_gt.nii.gz");
	tree_truncate("patient003/patient003_frame01.nii.gz", 400);
	hy_grid_set_simple(&g, 100, 100, 3, 2, 2, 10);
	tree_labels_grid("patient004/patient004_frame01_gt.nii.gz", &g, 1, NULL);
	hy_grid_set_simple(&g, 100, 100, 2, 2, 2, 10);
	tree_image_grid("patient005/patient005_frame01.nii.gz", &g, 1, bad);
	tree_labels("patient005/patient005_frame02_gt.nii.gz", 1, heart, 5, 0);
	tree_labels_grid("patient006/patient006_frame01_gt.nii.gz", &g, 1, NULL);
	tree_image_grid("patient006/patient006_frame02.nii.gz", &g, 1, NULL);
	hy_grid_set_simple(&g, 100, 100, 1, 1, 1, 1);
	tree_image_grid("patient007/patient007_frame01.nii.gz", &g, 1, bad + 2);
	tree_labels_grid("patient007/patient007_frame01_gt.nii.gz", &g, 1, (uint8_t[10000]){0, 9, 9, 9, 3});
	put_subject("patient008", 20); /* a copy of patient002 */
	put_pair("patient009/patient009_frame05", 1);
	tree_delete("patient009/Info.cfg");
	check_as("", NULL, false, true, HARDY_ERROR_PARTIAL);
	says("BAD   patient001 ED: ");
	says("patient001_frame01.nii.gz: missing, though Info.cfg says ED: 1\n        remedy: restore the file");
	says("look  patient002 ES: ");
	says("patient002_frame02_gt.nii.gz: missing\n        remedy: restore it");
	says("BAD   patient003 ED: ");
	says("patient003_frame01.nii.gz: ");
	says("BAD   patient004 ED: ");
	says("patient004_frame01_gt.nii.gz: 100 x 100 x 3 voxels, but its image");
	says("patient004_frame01_gt.nii.gz: no foreground: every voxel is 0");
	says("patient005_frame01.nii.gz: 2 voxels are NaN or infinite");
	says("patient005_frame02_gt.nii.gz: 6 x 5 x 2 voxels");
	says("patient006_frame01_gt.nii.gz: no foreground");
	says("patient006_frame02.nii.gz: every voxel is 0");
	says("patient007_frame01.nii.gz: only one slice");
	says("spacing is 1 x 1 x 1 mm: probably never set");
	says("unknown label value 9 (3 voxels), want one of 0, 3 (LV), 2 (MYO), 1 (RV)");
	says("LV of 0.0 mL is suspicious");
	says("BAD   patient009: ");
	says("Info.cfg: cannot be opened");
	says("patient008_frame01.nii.gz, ED: the same voxels as patient002 ED");
	says("class RV (value 1) is in");
	says("9 scans can be used, 8 cannot");
}

static void bad_copies(void **state)
{
	(void)state;
	tree_new();
	put_pair("a_ED", 1);
	put_pair("b_ED", 1);
	tree_image("c_ED_gt.nii.gz", 1, 1); /* a label without its image */
	check("", "lv=3,myo=2,rv=1", false, HARDY_OK);
	says("b_ED.nii.gz, ED: the same voxels as a ED");
	says("c_ED_gt.nii.gz: a label without its image c_ED; not used");
	says("2 scans can be used, 0 cannot; things to look at: 2");
}

/* One fault of many files takes two lines; each file that cannot be used has its own. */
static void one_fault_of_many_files(void **state)
{
	(void)state;
	static const float base[] = {1, 2, 3, 4};
	tree_new();
	for (int i = 0; i < 4; i++) {
		char stem[64];
		snprintf(stem, sizeof stem, "case%d_ED", i);
		put_pair(stem, base[i]);
		snprintf(stem, sizeof stem, "more%d_ED_gt.nii.gz", i);
		tree_image(stem, 1, 1);
	}
	for (int verbose = 0; verbose < 2; verbose++) {
		check_as("", "lv=3,myo=2,rv=1", false, verbose, HARDY_OK);
		says("more0_ED_gt.nii.gz: a label without its image");
		if (verbose) {
			says("more1_ED_gt.nii.gz: a label without its image");
			says_not("more of this kind");
		} else {
			says_not("more1_ED_gt");
			says("        and 3 more of this kind (verbose shows all)\n        remedy: ");
		}
		says("4 scans can be used, 0 cannot; things to look at: 4");
	}
	check("", "lv=3,myo=2,rv=1", true, HARDY_OK);
	says("more3_ED_gt.nii.gz: a label without its image");
}

static void nothing_usable(void **state)
{
	(void)state;
	tree_new();
	put_pair("a", 1);
	check("", "lv=3", false, HARDY_ERROR_DATA);
	says("unknown label value 1 (100 voxels), 2 (250 voxels), want one of 0, 3 (LV)");
	says("remedy: correct the label, or say what the values mean by labels");
	tree_truncate("a_gt.nii.gz", 0);
	check("", "lv=3", false, HARDY_ERROR_DATA);
	says("BAD   a: ");
}

static void frames_out_of_range(void **state)
{
	(void)state;
	tree_new();
	tree_text("info.csv", "External code,Vendor,Centre,ED,ES\nA1,A,1,0,1\nB2,B,1,0,1\nC3,B,1,0,25\n");
	tree_image("Labeled/A1/A1_sa.nii.gz", 2, 1);
	tree_labels("Labeled/A1/A1_sa_gt.nii.gz", 2, heart, 5, 0);
	tree_image("Labeled/C3/C3_sa.nii.gz", 2, 5);
	tree_labels("Labeled/C3/C3_sa_gt.nii.gz", 2, heart, 5, 0);
	tree_image("Labeled/D4/D4_sa.nii.gz", 2, 9);
	check("", NULL, false, HARDY_ERROR_PARTIAL);
	says("1 of 3 subjects has no folder, the first is B2");
	says("D4: not in");
	says("C3_sa.nii.gz: frame 25 (counted from 0) is wanted, but the file has 2");
	says("remedy: correct ED and ES in the table");
	says("C3_sa_gt.nii.gz: frame 25");
	says("3 scans can be used, 1 cannot");
}

static void the_same_as_json(void **state)
{
	(void)state;
	tree_new();
	put_subject("patient001", 0);
	put_subject("patient002", 10);
	tree_delete("patient002/patient002_frame02.nii.gz");
	check("", NULL, true, HARDY_ERROR_PARTIAL);
	cJSON *json = cJSON_Parse(report);
	assert_non_null(json);
	assert_string_equal(cJSON_GetObjectItem(json, "layout")->valuestring, "ACDC");
	assert_float_equal(cJSON_GetObjectItem(json, "usable")->valuedouble, 3, 0);
	assert_float_equal(cJSON_GetObjectItem(json, "bad")->valuedouble, 1, 0);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(json, "classes")), 4);
	const cJSON *cases = cJSON_GetObjectItem(json, "cases"), *one = cJSON_GetArrayItem(cases, 0);
	assert_int_equal(cJSON_GetArraySize(cases), 3);
	const cJSON *lv = cJSON_GetObjectItem(cJSON_GetObjectItem(one, "classes"), "LV");
	assert_float_equal(cJSON_GetObjectItem(lv, "voxels")->valuedouble, 250, 0);
	assert_float_equal(cJSON_GetObjectItem(lv, "volume_ml")->valuedouble, 10, 1e-9);
	assert_float_equal(cJSON_GetArrayItem(cJSON_GetObjectItem(one, "spacing_mm"), 2)->valuedouble, 10, 1e-6);
	const cJSON *problems = cJSON_GetObjectItem(json, "problems");
	assert_int_equal(cJSON_GetArraySize(problems), 1);
	assert_string_equal(cJSON_GetObjectItem(cJSON_GetArrayItem(problems, 0), "level")->valuestring, "bad");
	assert_string_equal(cJSON_GetObjectItem(cJSON_GetArrayItem(problems, 0), "subject")->valuestring, "patient002");
	cJSON_Delete(json);
}

/* Whichever allocation fails: an error of memory or of a file that could not be opened, or the report as ever. */
static void memory_may_run_out(void **state)
{
	(void)state;
	const hardy_sink sink = {collect, NULL};
	static char whole[sizeof report];
	tree_new();
	put_square("images/s", "labels/s", 3, 4, 124);
	put_square("images/t", "labels/t", 3, 64, 70);
	json_memory_counts(true);
	for (int json = 0; json <= 1; json++) {
		hardy_check_options here;
		hardy_check_options_init(&here);
		here.data = tree_path("");
		here.labels = "lesion=1";
		here.json = json == 1;
		hardy_error err = {0};
		int64_t n_errors = 0, n_calls = hy_memory_calls();
		used = 0;
		assert_ok(hardy_check(&here, &sink, NULL, &err), &err);
		n_calls = hy_memory_calls() - n_calls;
		memcpy(whole, report, sizeof whole);
		says("outside of the network's field of view"); /* what the labels ask for, and what they are looked at again for */
		says(json ? "training_grid" : "to train on");
		for (int64_t k = 1; k <= n_calls; k++) {
			err = (hardy_error){0};
			used = 0;
			hy_memory_fail_at(k);
			const hardy_status status = hardy_check(&here, &sink, NULL, &err);
			hy_memory_fail_at(0);
			if (status == HARDY_OK)
				assert_string_equal(report, whole);
			else
				assert_true(err.message[0]);
			n_errors += status != HARDY_OK;
		}
		assert_in_range(n_errors, n_calls / 4, n_calls);
	}
	json_memory_counts(false);
}

static void not_a_data_set(void **state)
{
	(void)state;
	tree_new();
	check("", NULL, false, HARDY_ERROR_DATA);
	assert_int_equal(used, 0);
	check("absent", NULL, false, HARDY_ERROR_IO);
	hardy_error err = {0};
	assert_int_equal(hardy_check(NULL, NULL, NULL, &err), HARDY_ERROR_ARGUMENT);
}

static int finish(void **state)
{
	(void)state;
	tree_remove();
	return 0;
}

/* One pair of folder/images and labels on grid g, in order o of it. */
static void put_turned(const char *name, const hy_grid *g, const hy_order *o, const float *image, const uint8_t *label)
{
	static float turned[100 * 100 * 2];
	static uint8_t turned_label[100 * 100 * 2];
	char path[100];
	const hy_grid m = hy_order_grid(o, g);
	hy_order_voxels(o, g, 1, sizeof *image, image, turned);
	hy_order_voxels(o, g, 1, 1, label, turned_label);
	snprintf(path, sizeof path, "images/%s.nii.gz", name);
	tree_image_grid(path, &m, 1, turned);
	snprintf(path, sizeof path, "labels/%s.nii.gz", name);
	tree_labels_grid(path, &m, 1, turned_label);
}

static void scans_of_another_order_are_named(void **state)
{
	(void)state;
	static float image[100 * 100 * 2];
	static uint8_t label[100 * 100 * 2];
	static const hy_order as_stored = {{0, 1, 2}, {false}}, turned = {{1, 0, 2}, {true, false, false}},
	                      stacked = {{2, 0, 1}, {false}};
	hy_grid g;
	hy_grid_set_simple(&g, 100, 100, 2, 2, 2, 10);
	for (int i = 0; i < 20000; i++)
		label[i] = i < 250;
	tree_new();
	for (int k = 0; k < 4; k++) {
		char name[8];
		for (int i = 0; i < 20000; i++)
			image[i] = (float)(k * 1000 + i % 100);
		snprintf(name, sizeof name, "s%d", k);
		put_turned(name, &g, k == 2 ? &turned : k == 3 ? &stacked : &as_stored, image, label);
	}
	check("", "lesion=1", false, HARDY_OK);
	says("s2: ");
	says("images/s2.nii.gz: orientation PRS, most scans have RAS: brought into their order");
	says("images/s3.nii.gz: slices lie along x, 10 mm apart: taken across that axis");
	says_not("rows and columns");
	says("4 scans can be used, 0 cannot; things to look at: 2");
}

static void ed_smaller_than_es_is_asked_about(void **state)
{
	(void)state;
	static uint8_t label[100 * 100 * 2];
	hy_grid g;
	hy_grid_set_simple(&g, 100, 100, 2, 2, 2, 10);
	tree_new();
	put_pair("a_ED", 1);
	put_pair("a_ES", 2);
	for (int i = 0; i < 20000; i++)
		label[i] = (uint8_t)(i < 400 ? 3 : i < 500 ? 2 : i < 600 ? 1 : 0);
	tree_labels_grid("a_ES_gt.nii.gz", &g, 1, label);
	check("", "lv=3,myo=2,rv=1", false, HARDY_OK);
	says("LV of 10.0 mL at ED, 16.0 mL at ES: are ED and ES exchanged?");
}

static void labels_outside_of_the_view_are_told(void **state)
{
	(void)state;
	hardy_error err = {0};
	const hardy_sink sink = {collect, NULL};
	hardy_check_options o;
	tree_new();
	put_pair("a_ED", 1); /* labels in the first rows */
	hardy_check_options_init(&o);
	o.data = tree_path("");
	o.labels = "lv=3,myo=2,rv=1";
	o.size = 64;
	o.grid_spacing_mm = 2;
	used = 0;
	assert_ok(hardy_check(&o, &sink, NULL, &err), &err);
	says("100 % of LV, 100 % of MYO, 100 % of RV lie outside of the network's field of view, 64 x 64 pixels of 2 mm: a size "
	     "of 112 or a spacing of "
	     "3.13 mm would hold all");
	o.size = 112;
	used = 0;
	assert_ok(hardy_check(&o, &sink, NULL, &err), &err);
	says_not("field of view, ");
	says_not("to train on");
}

/* Without a size: the grid that training takes, and what it is there for. */
static void the_grid_to_train_on_is_told(void **state)
{
	(void)state;
	hardy_error err = {0};
	const hardy_sink sink = {collect, NULL};
	hardy_check_options o;
	tree_new();
	put_square("images/s", "labels/s", 3, 4, 124);
	put_square("images/t", "labels/t", 3, 64, 70);
	hardy_check_options_init(&o);
	o.data = tree_path("");
	o.labels = "lesion=1";
	used = 0;
	assert_ok(hardy_check(&o, &sink, NULL, &err), &err);
	says("to train on: 96 x 96 pixels of 3.75 mm, unless options say otherwise\n");
	says("lies outside of the network's field of view, 96 x 96 pixels of 2 mm: a size of 192 or a spacing of 3.75 mm would "
	     "hold all");
	says("remedy: hardy train takes coarser pixels by itself; give it the size to keep finer ones");
	says("things to look at: 1");
	o.json = true;
	used = 0;
	assert_ok(hardy_check(&o, &sink, NULL, &err), &err);
	cJSON *json = cJSON_Parse(report);
	const cJSON *grid = cJSON_GetObjectItem(json, "training_grid");
	assert_int_equal(cJSON_GetObjectItem(grid, "size")->valueint, 96);
	assert_true(cJSON_GetObjectItem(grid, "spacing_mm")->valuedouble == 3.75);
	cJSON_Delete(json);
	/* a small one in the middle: nothing lies outside, and pixels as fine as the scan's */
	tree_new();
	put_square("images/s", "labels/s", 0.5, 54, 74);
	o.json = false;
	o.data = tree_path("");
	used = 0;
	assert_ok(hardy_check(&o, &sink, NULL, &err), &err);
	says("to train on: 32 x 32 pixels of 0.5 mm");
	says("things to look at: 0");
	/* most are small: one that is not lies outside of what they ask for */
	for (int i = 0; i < 10; i++) {
		char image[32], label[32];
		snprintf(image, sizeof image, "images/%d", i);
		snprintf(label, sizeof label, "labels/%d", i);
		put_square(image, label, 0.5, 54 - i % 2, 74);
	}
	put_square("images/t", "labels/t", 0.5, 24, 104);
	o.data = tree_path("");
	used = 0;
	assert_ok(hardy_check(&o, &sink, NULL, &err), &err);
	says("to train on: 32 x 32 pixels of ");
	says("lies outside of the network's field of view, 32 x 32 pixels of ");
	says("remedy: give hardy train one of them");
	/* nor would the usual grid hold it: but training takes a finer one all the same */
	put_square("images/t", "labels/t", 3, 0, 40);
	o.data = tree_path("");
	used = 0;
	assert_ok(hardy_check(&o, &sink, NULL, &err), &err);
	says("to train on: 32 x 32 pixels of ");
	says_not("coarser pixels");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_sound_data_set),
	    cmocka_unit_test(everything_wrong_is_listed),
	    cmocka_unit_test(bad_copies),
	    cmocka_unit_test(one_fault_of_many_files),
	    cmocka_unit_test(nothing_usable),
	    cmocka_unit_test(frames_out_of_range),
	    cmocka_unit_test(the_same_as_json),
	    cmocka_unit_test(scans_of_another_order_are_named),
	    cmocka_unit_test(ed_smaller_than_es_is_asked_about),
	    cmocka_unit_test(labels_outside_of_the_view_are_told),
	    cmocka_unit_test(the_grid_to_train_on_is_told),
	    cmocka_unit_test(not_a_data_set),
	    cmocka_unit_test(memory_may_run_out),
	};
	return cmocka_run_group_tests(tests, NULL, finish);
}
