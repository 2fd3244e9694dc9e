/*
 * artefact.c: artefacts put into scans in memory: voxel for voxel what `hardy corrupt` writes, made again from what was told, and refusals.
 */
#include "base/memory.h"
#include "base/rng.h"
#include "image/geometry.h"
#include "support/test.h"
#include "support/tree.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

enum { NX = 20, NY = 18, NZ = 5, NT = 2, N = NX * NY * NZ };

/* A cine of two frames, turned and away from the origin: motion looks at where it lies. */
static int make_scan(void **state)
{
	static float x[NT * N];
	hy_grid g;
	hy_rng r = hy_rng_make(11, HY_RNG_TEST, 0, 0);
	(void)state;
	tree_new();
	hy_grid_set_simple(&g, NX, NY, NZ, 1.5, 1.25, 8);
	const double affine[3][4] = {{0, -1.25, 0, 31.5}, {1.5, 0, 0, -12.25}, {0, 0, 8, 7}};
	memcpy(g.affine, affine, sizeof affine);
	g.located = true;
	for (int i = 0; i < NT * N; i++)
		x[i] = (float)(100 + 80 * sin(i % NX / 3.) + hy_rng_between(&r, 0, 20));
	tree_image_grid("scans/cine.nii.gz", &g, NT, x);
	return 0;
}

static int remove_scan(void **state)
{
	(void)state;
	tree_remove();
	return 0;
}

static hardy_volume *read(const char *name)
{
	hardy_error err;
	hardy_volume *v = NULL;
	assert_ok(hardy_volume_read(tree_path(name), &v, NULL, &err), &err);
	return v;
}

/* What hardy corrupt writes with these options: the volume in out/FOLDER_2. */
static hardy_volume *corrupt(const char *artefact, bool acdcc, const hardy_artefact_options *a)
{
	hardy_error err;
	hardy_corrupt_options o;
	char in[600], out[600], name[128];
	const char *inputs[1] = {in}, *artefacts[1] = {acdcc ? "acdc-c" : artefact};
	hardy_corrupt_options_init(&o);
	snprintf(in, sizeof in, "%s", tree_path("scans/cine.nii.gz"));
	snprintf(out, sizeof out, "%s", tree_path("out"));
	o.inputs = inputs;
	o.n_inputs = 1;
	o.output = out;
	o.artefacts = artefacts;
	o.n_artefacts = 1;
	o.seed = a->seed;
	o.copies = a->copy + 1;
	o.level = a->level;
	o.parameters = a->parameters;
	o.centre = a->centre ? a->centre : o.centre;
	o.overwrite = true;
	assert_ok(hardy_corrupt(&o, NULL, &err), &err);
	snprintf(name, sizeof name, "out/%s%s_%d/cine.nii.gz", acdcc ? "acdc-c_" : "", artefact, (int)a->copy);
	return read(name);
}

static void assert_same(const hardy_image *a, const hardy_image *b)
{
	assert_memory_equal(a->shape, b->shape, sizeof a->shape);
	assert_memory_equal(a->affine, b->affine, sizeof a->affine);
	assert_int_equal(a->type, HARDY_TYPE_FLOAT32);
	assert_memory_equal(a->data, b->data, NT * N * sizeof(float));
}

static void voxels_are_those_of_corrupt(void **state)
{
	(void)state;
	const char *name, *about;
	hardy_error err;
	hardy_volume *scan = read("scans/cine.nii.gz");
	for (size_t i = 0; hardy_artefact(i, &name, &about); i++)
		for (int way = 0; way < 3; way++) { /* as drawn by default; by level, copy and centre; within ACDC-C */
			hardy_artefact_options o;
			hardy_volume *found = NULL;
			HARDY_INIT(o);
			o.scan = "cine";
			o.seed = 5;
			o.copy = way == 1 ? 2 : 0;
			o.level = way == 1 ? 4 : 0;
			o.centre = way == 1 ? "image" : NULL;
			o.acdcc = way == 2;
			if (o.acdcc && i >= 4)
				continue;
			assert_ok(hardy_artefact_apply(name, hardy_volume_image(scan), &o, &found, NULL, &err), &err);
			hardy_volume *wanted = corrupt(name, o.acdcc, &o);
			assert_same(hardy_volume_image(found), hardy_volume_image(wanted));
			assert_memory_not_equal(hardy_volume_image(found)->data, hardy_volume_image(scan)->data, N * sizeof(float));
			hardy_volume_free(wanted);
			hardy_volume_free(found);
		}
	hardy_volume_free(scan);
}

/* Some parameters given, the others drawn; all of them told, which makes the same again, whatever the seed; the caller's voxels stay. */
static void what_was_done_makes_it_again(void **state)
{
	(void)state;
	hardy_error err;
	hardy_volume *scan = read("scans/cine.nii.gz"), *found = NULL, *again = NULL;
	char *told = NULL;
	float *before = hy_alloc(NT * N, sizeof *before);
	assert_non_null(before);
	memcpy(before, hardy_volume_image(scan)->data, NT * N * sizeof *before);
	hardy_artefact_options o;
	HARDY_INIT(o);
	o.scan = "cine";
	o.parameters = "intensity=0.75";
	assert_ok(hardy_artefact_apply("ghosting", hardy_volume_image(scan), &o, &found, &told, &err), &err);
	hardy_volume *wanted = corrupt("ghosting", false, &o);
	assert_same(hardy_volume_image(found), hardy_volume_image(wanted));
	assert_int_equal(told[0], '[');
	assert_non_null(strstr(told, "\"intensity\":0.75"));
	o.parameters = told;
	o.seed = 99;
	assert_ok(hardy_artefact_apply("ghosting", hardy_volume_image(scan), &o, &again, NULL, &err), &err);
	assert_same(hardy_volume_image(again), hardy_volume_image(found));
	assert_memory_equal(hardy_volume_image(scan)->data, before, NT * N * sizeof *before);
	/* a list is of as many frames as the scan */
	hardy_image view = *hardy_volume_image(scan);
	view.shape[3] = 1;
	hardy_volume *third = NULL;
	assert_int_equal(hardy_artefact_apply("ghosting", &view, &o, &third, NULL, &err), HARDY_ERROR_ARGUMENT);
	assert_string_equal(err.message, "the scan has 1 frame, the list of parameters is of 2");
	assert_null(third);
	hardy_texts_free(told);
	hardy_volume_free(wanted);
	hardy_volume_free(again);
	hardy_volume_free(found);
	hardy_volume_free(scan);
	hy_free(before);
}

/* Every parameter of the table is one that artefacts tell and take, at both ends of its range, and no further. */
static void the_table_is_what_is_taken(void **state)
{
	(void)state;
	const char *name, *about;
	hardy_error err;
	hardy_volume *scan = read("scans/cine.nii.gz");
	size_t n_ranges = 0;
	for (size_t i = 0; hardy_artefact(i, &name, &about); i++) {
		hardy_artefact_options o;
		hardy_artefact_parameter p;
		hardy_volume *found = NULL;
		char *told = NULL, key[64];
		size_t n = 0;
		HARDY_INIT(o);
		HARDY_INIT(p);
		assert_ok(hardy_artefact_apply(name, hardy_volume_image(scan), NULL, &found, &told, &err), &err);
		hardy_volume_free(found);
		assert_ok(hardy_artefact_parameter_of(name, 0, &p, &n, &err), &err);
		for (size_t k = 0; k < n; k++) {
			assert_ok(hardy_artefact_parameter_of(name, k, &p, NULL, &err), &err);
			snprintf(key, sizeof key, "\"%s\":", p.name);
			assert_non_null(strstr(told, key));
			assert_true(p.about && strlen(p.about) > 4 && p.n_each >= 1);
			if (p.choices || p.n_most)
				continue;
			for (int end = 0; end < 2; end++) {
				char text[96];
				hardy_volume *none = NULL;
				snprintf(text, sizeof text, "%s=%.17g", p.name, end ? p.high * 2 + 1 : p.low - 1);
				o.parameters = text;
				assert_int_equal(hardy_artefact_apply(name, hardy_volume_image(scan), &o, &none, NULL, &err),
				                 HARDY_ERROR_ARGUMENT);
				assert_non_null(strstr(err.message, p.name));
				assert_null(none);
				n_ranges++;
			}
		}
		hardy_texts_free(told);
		assert_int_equal(hardy_artefact_parameter_of(name, n, &p, NULL, &err), HARDY_ERROR_ARGUMENT);
		for (int level = 1; level < 5; level++)
			assert_true(hardy_artefact_severity(name, level) < hardy_artefact_severity(name, level + 1));
	}
	assert_true(n_ranges >= 20);
	assert_true(isnan(hardy_artefact_severity("bias", 0)) && isnan(hardy_artefact_severity("rain", 1)));
	hardy_volume_free(scan);
}

static void refuse(const char *artefact, const hardy_image *image, const hardy_artefact_options *o, hardy_status wanted,
                   const char *part)
{
	hardy_error err;
	hardy_volume *none = NULL;
	char *told = NULL;
	assert_int_equal(hardy_artefact_apply(artefact, image, o, &none, &told, &err), wanted);
	if (!strstr(err.message, part))
		fail_msg("\"%s\" does not contain \"%s\"", err.message, part);
	assert_null(none);
	assert_null(told);
}

static void bad_arguments(void **state)
{
	(void)state;
	hardy_error err;
	hardy_volume *scan = read("scans/cine.nii.gz");
	const hardy_image *image = hardy_volume_image(scan);
	hardy_artefact_options o;
	HARDY_INIT(o);
	refuse("rain", image, &o, HARDY_ERROR_ARGUMENT, "unknown artefact 'rain'; known are bias, ghosting");
	refuse(NULL, image, &o, HARDY_ERROR_ARGUMENT, "artefact is NULL");
	refuse("bias", NULL, &o, HARDY_ERROR_ARGUMENT, "the image to spoil is NULL");
	o.level = 6;
	refuse("bias", image, &o, HARDY_ERROR_ARGUMENT, "level is 6, want 0 to 5");
	o.level = 0;
	o.seed = -1;
	refuse("bias", image, &o, HARDY_ERROR_ARGUMENT, "seed is -1");
	o.seed = 0;
	o.centre = "middle";
	refuse("motion", image, &o, HARDY_ERROR_ARGUMENT, "centre is 'middle', want origin or image");
	o.centre = NULL;
	o.acdcc = true;
	refuse("blur", image, &o, HARDY_ERROR_ARGUMENT, "blur is no artefact of ACDC-C");
	o.acdcc = false;
	o.parameters = "sd_mm";
	refuse("blur", image, &o, HARDY_ERROR_ARGUMENT, "parameters 'sd_mm' are neither");
	o.parameters = "width=3";
	refuse("blur", image, &o, HARDY_ERROR_ARGUMENT, "blur has no parameter 'width'; it has sd_mm");
	o.parameters = "{\"sd_mm\": 3";
	refuse("blur", image, &o, HARDY_ERROR_ARGUMENT, "are no JSON");
	o.size = 3;
	refuse("blur", image, &o, HARDY_ERROR_ARGUMENT, "begin with HARDY_INIT");
	float voxels[4] = {0, 1, INFINITY, 3};
	const hardy_image bad = {
	    .size = sizeof bad, .data = voxels, .type = HARDY_TYPE_FLOAT32, .shape = {2, 2, 1}, .spacing_mm = {1, 1, 1}};
	refuse("noise", &bad, NULL, HARDY_ERROR_NUMERIC, "1 voxel is NaN or infinite, the first at (0, 1, 0)");
	assert_int_equal(hardy_artefact_apply("bias", image, NULL, NULL, NULL, &err), HARDY_ERROR_ARGUMENT);
	hardy_volume_free(scan);
}

static void every_allocation_may_fail(void **state)
{
	(void)state;
	hardy_volume *scan = read("scans/cine.nii.gz");
	hardy_artefact_options o;
	HARDY_INIT(o);
	o.parameters = "intensity=0.5";
	const int64_t before = hy_memory_calls();
	int64_t n = 1;
	for (int64_t k = 0; k <= n; k++) { /* 0: none */
		hardy_error err = {0};
		hardy_volume *found = NULL;
		char *told = NULL;
		const int64_t live = hy_memory_live();
		hy_memory_fail_at(k);
		const hardy_status status = hardy_artefact_apply("spike", hardy_volume_image(scan), &o, &found, &told, &err);
		hy_memory_fail_at(0);
		n = k ? n : hy_memory_calls() - before;
		assert_int_equal(status, k ? HARDY_ERROR_MEMORY : HARDY_OK);
		assert_true(!status == (found && told) && (!status || err.message[0]));
		hardy_volume_free(found);
		hardy_texts_free(told);
		assert_int_equal(hy_memory_live(), live);
	}
	assert_true(n > 4);
	hardy_volume_free(scan);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(voxels_are_those_of_corrupt), cmocka_unit_test(what_was_done_makes_it_again),
	    cmocka_unit_test(the_table_is_what_is_taken),  cmocka_unit_test(bad_arguments),
	    cmocka_unit_test(every_allocation_may_fail),
	};
	return cmocka_run_group_tests(tests, make_scan, remove_scan);
}
