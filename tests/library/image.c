/*
 * image.c: NIfTI files into views and back, where a view lies in space, and label maps scored as hardy_evaluate scores files.
 */
#include "base/memory.h"
#include "image/nifti.h"
#include "library/models.h"
#include "library/view.h"
#include "support/scratch.h"
#include "support/test.h"
#include "support/tree.h"

#include <math.h>
#include <string.h>

enum { N = TREE_VOXELS };

static hardy_volume *read(const char *path)
{
	hardy_error err;
	hardy_volume *v = NULL;
	assert_ok(hardy_volume_read(path, &v, NULL, &err), &err);
	return v;
}

static void a_file_comes_back_as_it_was(void **state)
{
	(void)state;
	hardy_error err;
	tree_new();
	tree_image("scan.nii.gz", 2, 7);
	hardy_volume *v = read(tree_path("scan.nii.gz"));
	const hardy_image *view = hardy_volume_image(v);
	const int64_t shape[] = {TREE_NX, TREE_NY, TREE_NZ, 2};
	const double spacing[] = {2, 2, 8};
	assert_memory_equal(view->shape, shape, sizeof shape);
	assert_memory_equal(view->spacing_mm, spacing, sizeof spacing);
	assert_int_equal(view->type, HARDY_TYPE_FLOAT32);
	for (int i = 0; i < 2 * N; i++)
		assert_true(((const float *)view->data)[i] == (float)(7 + 100 * (i / N) + i % N));
	assert_ok(hardy_image_write(view, tree_path("copy.nii"), v, false, &err), &err);
	hardy_volume *copy = read(tree_path("copy.nii"));
	assert_memory_equal(hardy_volume_image(copy)->data, view->data, 2 * N * sizeof(float));
	assert_memory_equal(hardy_volume_image(copy)->affine, view->affine, sizeof view->affine);
	/* what is there stays, unless it may be replaced */
	assert_int_equal(hardy_image_write(view, tree_path("copy.nii"), v, false, &err), HARDY_ERROR_ARGUMENT);
	assert_ok(hardy_image_write(view, tree_path("copy.nii"), v, true, &err), &err);
	assert_int_equal(hardy_image_write(view, tree_path("copy.txt"), v, true, &err), HARDY_ERROR_ARGUMENT);
	assert_int_equal(hardy_image_write(view, NULL, v, true, &err), HARDY_ERROR_ARGUMENT);
	hardy_volume *none = NULL;
	assert_int_equal(hardy_volume_read(tree_path("nothing.nii"), &none, NULL, &err), HARDY_ERROR_IO);
	assert_null(none);
	hardy_volume_free(none);
	hardy_volume_free(copy);
	hardy_volume_free(v);
	tree_remove();
}

static void every_type_that_can_be_written(void **state)
{
	(void)state;
	static const hardy_type types[] = {HARDY_TYPE_UINT8, HARDY_TYPE_UINT16, HARDY_TYPE_INT16, HARDY_TYPE_FLOAT32};
	hardy_error err;
	union {
		uint8_t u8[N];
		uint16_t u16[N];
		int16_t i16[N];
		float f32[N];
	} v[4];
	tree_new();
	for (int i = 0; i < N; i++) {
		v[0].u8[i] = (uint8_t)(4 * i);
		v[1].u16[i] = (uint16_t)(1000 * i);
		v[2].i16[i] = (int16_t)(500 * (i - 30));
		v[3].f32[i] = (float)i / 3;
	}
	for (int k = 0; k < 4; k++) {
		hardy_image view = {.size = sizeof view, .data = &v[k], .type = types[k], .shape = {TREE_NX, TREE_NY, TREE_NZ}};
		view.affine[0][1] = -1.5; /* y runs to the left, x to the back */
		view.affine[1][0] = -2;
		view.affine[2][2] = 7;
		view.affine[0][3] = 40;
		assert_ok(hardy_image_write(&view, tree_path("typed.nii.gz"), NULL, true, &err), &err);
		hardy_volume *back = read(tree_path("typed.nii.gz"));
		const hardy_image *found = hardy_volume_image(back);
		assert_memory_equal(found->affine, view.affine, sizeof view.affine);
		assert_true(found->spacing_mm[0] == 2 && found->spacing_mm[1] == 1.5 && found->spacing_mm[2] == 7);
		for (int i = 0; i < N; i++) {
			const float wanted = k == 0   ? (float)v[0].u8[i]
			                     : k == 1 ? (float)v[1].u16[i]
			                     : k == 2 ? (float)v[2].i16[i]
			                              : v[3].f32[i];
			assert_true(((const float *)found->data)[i] == wanted);
		}
		hardy_volume_free(back);
	}
	hardy_image view = {
	    .size = sizeof view, .data = v, .type = HARDY_TYPE_FLOAT64, .shape = {4, 4, 1}, .spacing_mm = {1, 1, 1}};
	assert_int_equal(hardy_image_write(&view, tree_path("typed.nii.gz"), NULL, true, &err), HARDY_ERROR_UNSUPPORTED);
	tree_image("scan.nii.gz", 1, 7);
	hardy_volume *like = read(tree_path("scan.nii.gz"));
	view.type = HARDY_TYPE_UINT8;
	assert_int_equal(hardy_image_write(&view, tree_path("typed.nii.gz"), like, true, &err), HARDY_ERROR_ARGUMENT);
	assert_non_null(strstr(err.message, "4 x 4 x 1 voxels do not fit the header of a scan of 6 x 5 x 2"));
	hardy_volume_free(like);
	tree_remove();
}

static void where_a_view_lies(void **state)
{
	(void)state;
	hardy_error err;
	hy_view v;
	const uint8_t data[8] = {0};
	hardy_image view = {.size = sizeof view, .data = data, .type = HARDY_TYPE_UINT8, .shape = {2, 2, 2}};
	view.affine[0][0] = 3;
	view.affine[1][1] = 2;
	view.affine[2][2] = 1;
	assert_ok(hy_view_make(&v, &view, "x", &err), &err);
	assert_true(v.grid.located && v.grid.spacing_mm[0] == 3 && v.grid.spacing_mm[2] == 1);
	view.spacing_mm[2] = 8; /* counts: the affine's third column becomes as long */
	assert_ok(hy_view_make(&v, &view, "x", &err), &err);
	assert_true(v.grid.spacing_mm[2] == 8 && fabs(v.grid.affine[2][2] - 8) < 1e-12 && v.grid.affine[0][0] == 3);
	view.affine[2][2] = 0;
	view.affine[2][0] = 1;
	assert_int_equal(hy_view_make(&v, &view, "x", &err), HARDY_ERROR_ARGUMENT);
	view.affine[2][2] = NAN;
	assert_int_equal(hy_view_make(&v, &view, "x", &err), HARDY_ERROR_ARGUMENT);
	const hardy_image flat = {
	    .size = sizeof flat, .data = data, .type = HARDY_TYPE_UINT8, .shape = {8}, .spacing_mm = {1, 1, 1}};
	assert_ok(hy_view_make(&v, &flat, "x", &err), &err);
	assert_true(v.grid.nx == 8 && v.grid.ny == 1 && v.nt == 1 && !v.grid.located);
}

/* ---- scores ------------------------------------------------------------------------------------------------------------- */

static void draw(uint16_t *a, uint8_t *b)
{
	memset(a, 0, N * sizeof *a);
	memset(b, 0, N);
	for (int i = 0; i < N; i++) {
		a[i] = i % 6 < 3 ? 3 : i / 6 % 5 < 2 ? 7 : 0;
		b[i] = i % 6 < 2 ? 3 : i / 6 % 5 < 4 ? 7 : 0;
	}
}

static void scores_are_those_of_files(void **state)
{
	(void)state;
	hardy_error err;
	uint16_t a[N];
	uint8_t b[N], narrow[N];
	hardy_scores *s;
	hardy_evaluation e;
	hardy_evaluate_options files;
	tree_new();
	draw(a, b);
	for (int i = 0; i < N; i++)
		narrow[i] = (uint8_t)a[i];
	const hy_grid g = tree_grid();
	tree_labels_grid("a.nii.gz", &g, 1, narrow);
	tree_labels_grid("b.nii.gz", &g, 1, b);
	const char *const names[] = {tree_path("a.nii.gz"), tree_path("b.nii.gz")};
	for (int k = 0; k < 4; k++) { /* conventions one after the other */
		hardy_scores_options o = {.size = sizeof o};
		hardy_evaluate_options_init(&files);
		files.prediction = names[0];
		files.reference = names[1];
		files.labels = "three=3,seven=7";
		files.tolerance_mm = o.tolerance_mm = k ? 2.5 : 2;
		files.hd95_directed = o.hd95_directed = k == 1;
		files.assd_directed = o.assd_directed = k == 2;
		files.nsd_surfels = o.nsd_surfels = k == 3;
		const hardy_image pred = {.size = sizeof pred,
		                          .data = a,
		                          .type = HARDY_TYPE_UINT16,
		                          .shape = {TREE_NX, TREE_NY, TREE_NZ},
		                          .spacing_mm = {2, 2, 8}},
		                  ref = {.size = sizeof ref,
		                         .data = b,
		                         .type = HARDY_TYPE_UINT8,
		                         .shape = {TREE_NX, TREE_NY, TREE_NZ},
		                         .spacing_mm = {2, 2, 8}};
		assert_ok(hardy_evaluate(&files, &e, NULL, &err), &err);
		assert_ok(hardy_scores_new(&pred, &ref, k ? &o : NULL, &s, &err), &err);
		assert_int_equal(hardy_scores_n(s), 2);
		assert_int_equal(e.n_rows, 2);
		for (size_t i = 0; i < 2; i++) {
			const hardy_score_row *row = &e.rows[!strcmp(e.rows[0].class_name, i ? "seven" : "three") ? 0 : 1];
			assert_int_equal(hardy_scores_label(s, i), i ? 7 : 3);
			assert_int_equal(hardy_scores_state(s, i), row->state);
			for (int m = 0; m < HARDY_N_SCORES; m++)
				assert_true(fabs(hardy_scores_value(s, i, m) - row->value[m]) < 1e-12);
		}
		hardy_scores_free(s);
		hardy_evaluation_clear(&e);
	}
	tree_remove();
}

static void labels_that_are_asked_for_and_missing_ones(void **state)
{
	(void)state;
	hardy_error err;
	uint16_t a[N];
	uint8_t b[N];
	hardy_scores *s = NULL;
	const int64_t labels[] = {7, 40000, 3};
	hardy_scores_options o = {.size = sizeof o, .labels = labels, .n_labels = 3};
	draw(a, b);
	for (int i = 0; i < N; i++)
		a[i] = a[i] == 3 ? 40000 : a[i];
	hardy_image pred = {.size = sizeof pred,
	                    .data = a,
	                    .type = HARDY_TYPE_UINT16,
	                    .shape = {TREE_NX, TREE_NY, TREE_NZ},
	                    .spacing_mm = {2, 2, 8}},
	            ref = {.size = sizeof ref,
	                   .data = b,
	                   .type = HARDY_TYPE_UINT8,
	                   .shape = {TREE_NX, TREE_NY, TREE_NZ},
	                   .spacing_mm = {2, 2, 8}};
	assert_ok(hardy_scores_new(&pred, &ref, &o, &s, &err), &err);
	assert_int_equal(hardy_scores_label(s, 0), 7);
	assert_int_equal(hardy_scores_state(s, 1), HARDY_ROW_NO_REFERENCE);
	assert_int_equal(hardy_scores_state(s, 2), HARDY_ROW_NO_PREDICTION);
	assert_true(hardy_scores_value(s, 2, HARDY_SCORE_DICE) == 0 && isnan(hardy_scores_value(s, 2, HARDY_SCORE_HD95)));
	assert_int_equal(hardy_scores_label(s, 3), -1);
	assert_int_equal(hardy_scores_state(s, 3), HARDY_N_ROW_STATES);
	assert_true(isnan(hardy_scores_value(s, 3, HARDY_SCORE_DICE)) && isnan(hardy_scores_value(s, 0, HARDY_N_SCORES)));
	hardy_scores_free(s);
	s = NULL;
	const int64_t absent[] = {5}; /* neither has it */
	o.labels = absent;
	o.n_labels = 1;
	o.empty = HARDY_EMPTY_ONE;
	assert_ok(hardy_scores_new(&pred, &ref, &o, &s, &err), &err);
	assert_int_equal(hardy_scores_state(s, 0), HARDY_ROW_NEITHER);
	assert_true(hardy_scores_value(s, 0, HARDY_SCORE_DICE) == 1);
	hardy_scores_free(s);
	s = NULL;
	const int64_t wrong[] = {0};
	o.labels = wrong;
	assert_int_equal(hardy_scores_new(&pred, &ref, &o, &s, &err), HARDY_ERROR_ARGUMENT);
	assert_string_equal(err.message, "labels[0] is 0, want 1 to 65535");
	assert_null(s);
	hardy_scores_free(NULL);
}

static void maps_that_do_not_fit(void **state)
{
	(void)state;
	hardy_error err;
	float a[N] = {0};
	uint8_t b[N] = {0};
	hardy_scores *s = NULL;
	hardy_image pred = {.size = sizeof pred,
	                    .data = a,
	                    .type = HARDY_TYPE_FLOAT32,
	                    .shape = {TREE_NX, TREE_NY, TREE_NZ},
	                    .spacing_mm = {2, 2, 8}},
	            ref = {.size = sizeof ref,
	                   .data = b,
	                   .type = HARDY_TYPE_UINT8,
	                   .shape = {TREE_NX, TREE_NY, TREE_NZ},
	                   .spacing_mm = {2, 2, 8}};
	assert_ok(hardy_scores_new(&pred, &ref, NULL, &s, &err), &err);
	assert_int_equal(hardy_scores_n(s), 0);
	hardy_scores_free(s);
	s = NULL;
	a[TREE_NX + 2] = 0.5F;
	assert_int_equal(hardy_scores_new(&pred, &ref, NULL, &s, &err), HARDY_ERROR_DATA);
	assert_string_equal(err.message, "the prediction: voxel (2, 1, 0) is 0.5, want whole numbers from 0 to 65535");
	a[TREE_NX + 2] = NAN;
	assert_int_equal(hardy_scores_new(&pred, &ref, NULL, &s, &err), HARDY_ERROR_DATA);
	a[TREE_NX + 2] = 65536;
	assert_int_equal(hardy_scores_new(&pred, &ref, NULL, &s, &err), HARDY_ERROR_DATA);
	a[TREE_NX + 2] = 0;
	pred.shape[0] = 3;
	assert_int_equal(hardy_scores_new(&pred, &ref, NULL, &s, &err), HARDY_ERROR_DATA);
	assert_string_equal(err.message, "the prediction has 3 x 5 x 2 voxels, the reference 6 x 5 x 2");
	pred.shape[0] = TREE_NX;
	pred.shape[2] = 1;
	pred.shape[3] = 2;
	assert_int_equal(hardy_scores_new(&pred, &ref, NULL, &s, &err), HARDY_ERROR_ARGUMENT);
	pred.shape[2] = TREE_NZ;
	pred.shape[3] = 0;
	for (int i = 0; i < 3; i++)
		pred.affine[i][i] = ref.affine[i][i] = ref.spacing_mm[i];
	pred.affine[1][3] = 1.5;
	assert_int_equal(hardy_scores_new(&pred, &ref, NULL, &s, &err), HARDY_ERROR_DATA);
	assert_string_equal(err.message,
	                    "by their affines the prediction lies up to 1.5 mm away from the reference, want at most 1");
	pred.affine[1][3] = 0.5;
	assert_ok(hardy_scores_new(&pred, &ref, NULL, &s, &err), &err);
	hardy_scores_free(s);
	s = NULL;
	/* more values than a label map has */
	enum { LARGE = 300 };
	int32_t wide[LARGE];
	for (int i = 0; i < LARGE; i++)
		wide[i] = i;
	const hardy_image w = {
	    .size = sizeof w, .data = wide, .type = HARDY_TYPE_INT32, .shape = {LARGE, 1, 1}, .spacing_mm = {1, 1, 1}};
	assert_int_equal(hardy_scores_new(&w, &w, NULL, &s, &err), HARDY_ERROR_DATA);
	assert_string_equal(err.message, "the prediction: more than 256 different values in both maps: no label map");
	assert_null(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(a_file_comes_back_as_it_was),
	    cmocka_unit_test(every_type_that_can_be_written),
	    cmocka_unit_test(where_a_view_lies),
	    cmocka_unit_test(scores_are_those_of_files),
	    cmocka_unit_test(labels_that_are_asked_for_and_missing_ones),
	    cmocka_unit_test(maps_that_do_not_fit),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
