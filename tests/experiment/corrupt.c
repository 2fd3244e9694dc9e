/*
 * corrupt.c: hardy_corrupt from files to files: what it writes, that it can be made again, and bad input.
 */
#include "support/listen.h"
#include "support/test.h"
#include "support/tree.h"

#include "artefact/artefact.h"
#include "base/files.h"
#include "base/memory.h"
#include "image/nifti.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

enum { NX = 20, NY = 18, NZ = 5, N = NX * NY * NZ };

static void save_scan(const char *name, int nt, uint64_t seed, float last)
{
	static float x[3 * N];
	hy_grid g;
	hy_rng r = hy_rng_make(seed, HY_RNG_TEST, 0, 0);
	hy_grid_set_simple(&g, NX, NY, NZ, 1.5, 1.25, 8);
	for (int i = 0; i < nt * N; i++)
		x[i] = (float)hy_rng_between(&r, 0, 200);
	if (isnan(last))
		x[nt * N - 1] = last;
	tree_image_grid(name, &g, nt, x);
}

static int make_all(void **state)
{
	(void)state;
	tree_new();
	save_scan("scans/a.nii.gz", 1, 1, 0);
	save_scan("scans/cine.nii.gz", 3, 2, 0);
	save_scan("bad.nii.gz", 2, 3, NAN);
	return 0;
}

static int remove_all(void **state)
{
	(void)state;
	tree_remove();
	return 0;
}

static hardy_status call(hardy_corrupt_options o, const char *artefact, const char *input, const char *output, hardy_error *err)
{
	const char *inputs[2], *artefacts[1] = {artefact};
	char in[600], out[600];
	snprintf(in, sizeof in, "%s", tree_path(input));
	snprintf(out, sizeof out, "%s", tree_path(output));
	inputs[0] = in;
	inputs[1] = tree_path("scans/a.nii.gz");
	o.inputs = inputs;
	o.n_inputs = strcmp(input, "bad.nii.gz") || strcmp(output, "alone") == 0 ? 1 : 2;
	o.output = out;
	o.artefacts = artefacts;
	o.n_artefacts = artefact ? 1 : 0;
	listen_anew();
	return hardy_corrupt(&o, &listen_log, err);
}

static hardy_corrupt_options plain(void)
{
	hardy_corrupt_options o;
	hardy_corrupt_options_init(&o);
	return o;
}

static void same_files(const char *a, const char *b)
{
	hardy_error err;
	char *x, *y;
	size_t n, m;
	assert_ok(hy_file_read(tree_path(a), &x, &n, &err), &err);
	assert_ok(hy_file_read(tree_path(b), &y, &m, &err), &err);
	assert_int_equal(n, m);
	assert_memory_equal(x, y, n);
	hy_free(x);
	hy_free(y);
}

static hy_volume read_scan(const char *name)
{
	hardy_error err;
	hy_volume v;
	assert_ok(hy_nifti_read(tree_path(name), NULL, &v, NULL, &err), &err);
	return v;
}

/* Every kind: the file holds what the recorded parameters do to the scan, and made again from its record it is the same. */
static void made_again(void **state)
{
	const char *kind, *about;
	(void)state;
	for (size_t i = 0; hardy_artefact(i, &kind, &about); i++) {
		hardy_error err;
		hardy_corrupt_options o = plain();
		char scan[64], record[64], again[64];
		snprintf(scan, sizeof scan, "out/%s_0/cine.nii.gz", kind);
		snprintf(record, sizeof record, "out/%s_0/cine.json", kind);
		snprintf(again, sizeof again, "again/%s_0/cine.nii.gz", kind);
		o.seed = 3;
		assert_ok(call(o, kind, "scans/cine.nii.gz", "out", &err), &err);
		hy_volume v = read_scan("scans/cine.nii.gz"), w = read_scan(scan);
		assert_memory_equal(v.grid.affine, w.grid.affine, sizeof v.grid.affine);
		assert_int_equal(w.nt, 3);
		for (int64_t f = 0; f < 3; f++) {
			const hy_block b = hy_block_of_scan(v.data + f * N, &v.grid);
			hy_rng g = hy_artefact_stream(3, (hy_artefact_kind)i, "cine", f, 0);
			const hy_artefact a = hy_artefact_draw((hy_artefact_kind)i, 0, b.n, false, &g);
			assert_ok(hy_artefact_apply(&a, &b, &err), &err);
		}
		assert_memory_equal(v.data, w.data, 3 * N * sizeof *v.data);
		hy_volume_clear(&v);
		hy_volume_clear(&w);
		o.seed = 4;
		char parameters[600];
		snprintf(parameters, sizeof parameters, "%s", tree_path(record));
		o.parameters = parameters;
		assert_ok(call(o, NULL, "scans/cine.nii.gz", "again", &err), &err);
		same_files(scan, again);
		snprintf(again, sizeof again, "again/%s_0/cine.json", kind);
		same_files(record, again);
	}
}

/* The protocol: four artefacts, copies that differ, each slice within [0, 1], and again from a record. */
static void protocol(void **state)
{
	(void)state;
	hardy_error err;
	hardy_corrupt_options o = plain();
	o.copies = 2;
	assert_ok(call(o, "acdc-c", "scans/a.nii.gz", "c", &err), &err);
	static const char *const kinds[] = {"bias", "ghosting", "motion", "spike"};
	for (int i = 0; i < 4; i++) {
		char name[2][64];
		hy_volume v[2];
		for (int k = 0; k < 2; k++) {
			snprintf(name[k], sizeof name[k], "c/acdc-c_%s_%d/a.nii.gz", kinds[i], k);
			v[k] = read_scan(name[k]);
			float low = 1, high = 0;
			for (int j = 0; j < N; j++) {
				low = fminf(low, v[k].data[j]);
				high = fmaxf(high, v[k].data[j]);
			}
			assert_true(low >= 0 && high <= 1 && high > 0.5f);
		}
		assert_memory_not_equal(v[0].data, v[1].data, N * sizeof(float));
		hy_volume_clear(&v[0]);
		hy_volume_clear(&v[1]);
	}
	char record[600];
	snprintf(record, sizeof record, "%s", tree_path("c/acdc-c_spike_1/a.json"));
	o = plain();
	o.parameters = record;
	assert_ok(call(o, "acdc-c", "scans/a.nii.gz", "one.nii.gz", &err), &err);
	same_files("c/acdc-c_spike_1/a.nii.gz", "one.nii.gz");
	same_files("c/acdc-c_spike_1/a.json", "one.json");
	assert_int_equal(call(o, "motion", "scans/a.nii.gz", "two.nii.gz", &err), HARDY_ERROR_ARGUMENT);
	assert_non_null(strstr(err.message, "is a record of acdc-c spike, but motion is wanted"));
	assert_int_equal(call(o, NULL, "scans/cine.nii.gz", "two.nii.gz", &err), HARDY_ERROR_ARGUMENT);
	assert_non_null(strstr(err.message, "the scan has 3 frames"));
	assert_false(hy_path_exists(tree_path("two.nii.gz")) || hy_path_exists(tree_path("two.json")));
}

static void some_parameters(void **state)
{
	(void)state;
	hardy_error err;
	hardy_corrupt_options o = plain();
	cJSON *json;
	o.parameters = "axis=2,intensity=.75,restore=null";
	assert_ok(call(o, "ghosting", "scans/a.nii.gz", "p.nii.gz", &err), &err);
	assert_ok(hy_json_read(tree_path("p.json"), &json, &err), &err);
	const cJSON *frame = cJSON_GetArrayItem(cJSON_GetObjectItem(json, "frames"), 0);
	assert_true(cJSON_GetObjectItem(frame, "axis")->valuedouble == 2 &&
	            cJSON_GetObjectItem(frame, "intensity")->valuedouble == .75);
	assert_true(cJSON_GetObjectItem(frame, "num_ghosts")->valuedouble >= 4);
	cJSON_Delete(json);
	o.parameters = "{\"num_ghosts\": 4, \"axis\": 2, \"intensity\": 0.75}";
	assert_ok(call(o, "ghosting", "scans/a.nii.gz", "q.nii.gz", &err), &err);
}

static void faults(void **state)
{
	static const struct {
		const char *artefact, *parameters, *message;
	} cases[] = {
	    {"ghost", NULL, "unknown artefact 'ghost' (did you mean ghosting?); known are bias, ghosting"},
	    {NULL, NULL, "no artefact is named"},
	    {"ghosting", "axis=7", "parameters: axis is 7, want a number from 0 to 2"},
	    {"ghosting", "axis", "axis: cannot be opened"},
	    {"ghosting", "=1", "neither a file nor JSON nor a list"},
	    {"ghosting", "{\"axis\": ", "are no JSON object"},
	    {"ghosting", "{\"frames\": 1}", "artefact is no text"},
	    {"ghosting", "{\"artefact\": \"ghosting\", \"copy\": 0, \"frames\": 1}", "frames is no list"},
	    {"ghosting", "{\"artefact\": \"ghosting\", \"copy\": -1, \"frames\": []}", "copy is no number from 0 to 999"},
	    {"ghosting", "{\"artefact\": \"ghosting\", \"copy\": 0, \"chain\": 1, \"frames\": []}", "chain is neither null nor"},
	    {NULL, "{\"artefact\": \"x\", \"copy\": 0, \"frames\": []}", "unknown artefact 'x'"},
	    {NULL, "{\"artefact\": \"blur\", \"copy\": 0, \"frames\": [1]}", "parameters of frame 0: no JSON object"},
	    {NULL, "{\"artefact\": \"blur\", \"copy\": 0, \"frames\": []}", "the scan has 1 frame"},
	    {"acdc-c", "axis=1", "parameters are given for several artefacts; name one"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		hardy_error err = {0};
		hardy_corrupt_options o = plain();
		o.parameters = cases[i].parameters;
		assert_int_not_equal(call(o, cases[i].artefact, "scans/a.nii.gz", "none/x", &err), HARDY_OK);
		if (!strstr(err.message, cases[i].message))
			fail_msg("'%s', want '%s'", err.message, cases[i].message);
		assert_false(hy_path_exists(tree_path("none/x")));
	}
	hardy_error err;
	hardy_corrupt_options o = plain();
	o.copies = 0;
	assert_int_equal(call(o, "bias", "scans/a.nii.gz", "none", &err), HARDY_ERROR_ARGUMENT);
	assert_string_equal(err.message, "copies is 0, want 1 to 1000");
	o = plain();
	o.centre = "middle";
	assert_int_equal(call(o, "bias", "scans/a.nii.gz", "none", &err), HARDY_ERROR_ARGUMENT);
	o = plain();
	assert_int_equal(call(o, "acdc-c", "scans/a.nii.gz", "none.nii.gz", &err), HARDY_ERROR_ARGUMENT);
	assert_non_null(strstr(err.message, "one file for 4 results"));
	assert_int_equal(call(o, "bias", "scans/a.nii.gz", "scans/a.nii.gz", &err), HARDY_ERROR_ARGUMENT);
	assert_non_null(strstr(err.message, "would overwrite a scan"));
	assert_false(hy_path_exists(tree_path("scans/a.json")));
	tree_text("file", "text");
	assert_int_equal(call(o, "bias", "scans/a.nii.gz", "file/out", &err), HARDY_ERROR_IO);
}

/* A scan with a NaN fails alone: named with frame and voxel, nothing of it written, the others done. */
static void bad_voxels(void **state)
{
	(void)state;
	hardy_error err;
	assert_int_equal(call(plain(), "spike", "bad.nii.gz", "mixed", &err), HARDY_ERROR_PARTIAL);
	assert_non_null(strstr(heard, "bad.nii.gz: spike: frame 1: 1 voxel is NaN or infinite, the first at (19, 17, 4)"));
	assert_true(hy_path_exists(tree_path("mixed/spike_0/a.nii.gz")) && hy_path_exists(tree_path("mixed/spike_0/a.json")));
	assert_false(hy_path_exists(tree_path("mixed/spike_0/bad.nii.gz")) || hy_path_exists(tree_path("mixed/spike_0/bad.json")));
	assert_int_equal(call(plain(), "spike", "bad.nii.gz", "alone", &err), HARDY_ERROR_NUMERIC);
	assert_false(hy_path_exists(tree_path("alone")));
}

/* The parameters must not stay behind where the scan could not be written. */
static void scan_in_the_way(void **state)
{
	(void)state;
	hardy_error err;
	hy_make_folders(tree_path("blocked/bias_0/a.nii.gz"), NULL);
	assert_int_not_equal(call(plain(), "bias", "scans/a.nii.gz", "blocked", &err), HARDY_OK);
	assert_false(hy_path_exists(tree_path("blocked/bias_0/a.json")));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(made_again), cmocka_unit_test(protocol),   cmocka_unit_test(some_parameters),
	    cmocka_unit_test(faults),     cmocka_unit_test(bad_voxels), cmocka_unit_test(scan_in_the_way),
	};
	return cmocka_run_group_tests(tests, make_all, remove_all);
}
