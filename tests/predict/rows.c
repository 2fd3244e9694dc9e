/*
 * rows.c: end diastole and end systole are found in cines and in pairs of scans, and stand in the quality table.
 */
#include "support/scratch.h"
#include "support/test.h"

#include "base/files.h"
#include "base/memory.h"
#include "predict/rows.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const hy_class heart[] = {{"background", 0, true}, {"LV", 3, true}, {"MYO", 2, true}, {"RV", 1, true}};

static void add(hy_rows *r, const char *scan, int64_t frame, double lv, double rv, const char *subject, const char *phase)
{
	hy_prediction p = {.volume_ml = {0, lv, 50, rv}};
	hy_row *row = hy_rows_add(r, scan, "out.nii.gz", frame, subject, &p, 4);
	assert_non_null(row);
	snprintf(row->heart.phase, sizeof row->heart.phase, "%s", phase);
}

static void a_cine_has_the_largest_and_the_smallest(void **state)
{
	(void)state;
	static const double lv[] = {120, 130, 90, 60, 0, 60, 100}; /* in one frame nothing was found */
	hy_rows r = {0};
	for (int t = 0; t < 7; t++)
		add(&r, "cine", t, lv[t], 100 + t, "", "");
	hy_rows_find_hearts(&r, heart, 4);
	for (int t = 0; t < 7; t++) {
		assert_string_equal(r.items[t].heart.phase, t == 1 ? "ED" : t == 3 ? "ES" : "");
		assert_true(t == 1 || isnan(r.items[t].heart.lv.edv_ml));
	}
	const hy_quality_heart *ed = &r.items[1].heart;
	assert_true(ed->lv.edv_ml == 130 && ed->lv.esv_ml == 60 && fabs(ed->lv.ef_percent - 100 * 70.0 / 130) < 1e-9);
	assert_true(ed->rv.edv_ml == 101 && ed->rv.esv_ml == 103); /* at the times of the left one */
	hy_rows_clear(&r);
}

static void cines_side_by_side_are_two_hearts(void **state)
{
	(void)state;
	hy_rows r = {0};
	for (int s = 0; s < 2; s++)
		for (int t = 0; t < 3; t++)
			add(&r, s ? "b" : "a", t, 100 * (s + 1) - 10 * t, 50, "", "");
	hy_rows_find_hearts(&r, heart, 4);
	assert_true(r.items[0].heart.lv.edv_ml == 100 && r.items[0].heart.lv.esv_ml == 80);
	assert_true(r.items[3].heart.lv.edv_ml == 200 && r.items[3].heart.lv.esv_ml == 180);
	hy_rows_clear(&r);
}

static void pairs_go_by_their_names(void **state)
{
	(void)state;
	hy_rows r = {0};
	add(&r, "a_ES", -1, 70, 60, "a", "ES"); /* in any order */
	add(&r, "b_ED", -1, 100, 90, "b", "ED");
	hy_rows_fail(&r, "b_ES", "broken");
	add(&r, "a_ED", -1, 140, 120, "a", "ED");
	add(&r, "c", -1, 140, 120, "c", "");
	hy_rows_find_hearts(&r, heart, 4);
	for (size_t i = 0; i < r.n; i++)
		assert_true(i == 3 || isnan(r.items[i].heart.lv.edv_ml));
	assert_true(r.items[3].heart.lv.ef_percent == 50 && r.items[3].heart.rv.ef_percent == 50);
	hy_rows_clear(&r);
}

static void subjects_of_two_data_sets_are_two(void **state)
{
	(void)state;
	hy_rows r = {0};
	add(&r, "x/a_ED", -1, 140, 120, "a", "ED");
	add(&r, "y/a_ES", -1, 70, 60, "a", "ES");
	r.items[0].group = 1;
	r.items[1].group = 2;
	hy_rows_find_hearts(&r, heart, 4);
	assert_true(isnan(r.items[0].heart.lv.edv_ml));
	hy_rows_clear(&r);
}

static void write(const hy_rows *r, const hy_class *classes, int n, char **text)
{
	hardy_error err = {0};
	hy_outfile f;
	size_t size;
	const char *path = scratch_path("quality.csv");
	assert_ok(hy_outfile_open(&f, path, HY_REPLACE_ANY, &err), &err);
	hy_quality_header(&f, classes, n);
	hy_rows_write(r, &f, classes, n);
	assert_ok(hy_outfile_commit(&f, &err), &err);
	assert_ok(hy_file_read(path, text, &size, &err), &err);
}

static size_t n_commas(const char *line, size_t n)
{
	size_t found = 0;
	for (size_t i = 0; i < n; i++)
		found += line[i] == ',';
	return found;
}

static void the_table_has_them(void **state)
{
	(void)state;
	hy_rows r = {0};
	char *text = NULL;
	add(&r, "cine", 0, 100, 80, "", "");
	add(&r, "cine", 1, 50, 60, "", "");
	r.items[1].heart.time_ms = 40;
	hy_rows_fail(&r, "lost", "it broke");
	hy_rows_find_hearts(&r, heart, 4);
	write(&r, heart, 4, &text);
	assert_non_null(strstr(text,
	                       ",volume_RV_ml,time_ms,phase,lv_edv_ml,lv_esv_ml,lv_ef_percent,rv_edv_ml,rv_esv_ml,rv_ef_percent,"
	                       "n_warnings,"));
	assert_non_null(strstr(text, ",100,50,80,,ED,100,50,50,80,60,25,0,\n"));
	assert_non_null(strstr(text, ",50,50,60,40,ES,,,,,,,0,\n"));
	const size_t wide = n_commas(text, strcspn(text, "\n"));
	for (const char *at = text; *at; at += strcspn(at, "\n") + 1)
		assert_int_equal(n_commas(at, strcspn(at, "\n")), wide);
	hy_free(text);
	hy_rows_clear(&r);
}

/* Other organs have no phases; of a heart with one ventricle that one is told. */
static void columns_go_by_the_classes(void **state)
{
	(void)state;
	static const hy_class organ[] = {{"background", 0, true}, {"Anterior", 1, true}},
	                      right[] = {{"background", 0, true}, {"RV", 1, true}};
	hy_rows r = {0};
	char *text = NULL;
	add(&r, "scan", 0, 100, 80, "", "");
	add(&r, "scan", 1, 50, 60, "", "");
	hy_rows_find_hearts(&r, organ, 2);
	write(&r, organ, 2, &text);
	assert_null(strstr(text, "phase"));
	assert_null(strstr(text, "ED"));
	hy_free(text);
	hy_rows_find_hearts(&r, right, 2);
	write(&r, right, 2, &text);
	assert_non_null(strstr(text, ",volume_RV_ml,time_ms,phase,rv_edv_ml,rv_esv_ml,rv_ef_percent,n_warnings,"));
	assert_non_null(strstr(text, ",100,,ED,100,50,50,0,\n"));
	hy_free(text);
	hy_rows_clear(&r);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_cine_has_the_largest_and_the_smallest),
	    cmocka_unit_test(cines_side_by_side_are_two_hearts),
	    cmocka_unit_test(pairs_go_by_their_names),
	    cmocka_unit_test(subjects_of_two_data_sets_are_two),
	    cmocka_unit_test(the_table_has_them),
	    cmocka_unit_test(columns_go_by_the_classes),
	};
	return cmocka_run_group_tests_name("predict/rows", tests, NULL, scratch_teardown);
}
