/*
 * corrupt.c: artefacts against values recorded from TorchIO, from arrays whose last axis runs fastest and from the same volumes
 * as NIfTI files, whose first one does; and the chain of ACDC-C around them.
 */
#include "artefact/artefact.h"
#include "base/memory.h"
#include "image/nifti.h"
#include "support/golden.h"
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static golden set;

/* The number behind a word in the manifest's recommended tolerance. */
static double limit(const char *field, const char *before)
{
	const char *text = golden_string(golden_member(set.manifest, "recommended_tolerance"), field), *at = strstr(text, before);
	if (!at)
		fail_msg("the manifest's %s is '%s', want '%s' in it", field, text, before);
	for (at += strlen(before); *at && !strchr("0123456789.", *at);)
		at++;
	return strtod(at, NULL);
}

static double relative_limit(const cJSON *c)
{
	const char *text = golden_string(golden_member(set.manifest, "recommended_tolerance"), "rel_l2");
	char *end;
	const double bias = strtod(text, &end), others = strtod(end + strcspn(end, "0123456789"), NULL);
	assert_true(bias > 0 && others > 0 && strstr(text, "(bias)"));
	return strcmp(golden_string(c, "transform"), "BiasField") ? others : bias;
}

static hy_artefact_kind kind_of(const cJSON *c)
{
	static const char *const names[] = {"BiasField", "Ghosting", "Motion", "Spike"};
	for (int i = 0; i < 4; i++) {
		if (!strcmp(golden_string(c, "transform"), names[i]))
			return (hy_artefact_kind)i;
	}
	fail_msg("%s: unknown transform %s", golden_string(c, "name"), golden_string(c, "transform"));
	return HY_ARTEFACT_BIAS;
}

static const cJSON *input_of(const cJSON *c)
{
	const cJSON *in;
	cJSON_ArrayForEach(in, golden_member(set.manifest, "inputs"))
	{
		if (!strcmp(golden_string(in, "name"), golden_string(c, "input")))
			return in;
	}
	fail_msg("%s: no input %s", golden_string(c, "name"), golden_string(c, "input"));
	return NULL;
}

/* Element i of the recording against ours, which lies in memory as last_fastest says. */
static void compare(const cJSON *c, const hy_block *b, const npy *want)
{
	const char *name = golden_string(c, "name");
	double most = 0, squares = 0, total = 0, share = 0;
	size_t n_beyond = 0, at = 0;
	assert_int_equal(want->n_dims, 3);
	for (int a = 0; a < 3; a++)
		assert_int_equal(want->shape[a], b->n[a]);
	for (size_t i = 0; i < want->n; i++)
		most = fmax(most, fabs(npy_at(want, i)));
	const double allowed = limit("max_abs", "") * fmax(1, most);
	if (!strcmp(golden_string(c, "transform"), "Motion"))
		share = limit("motion_note", "up to") / 100;
	for (int64_t i = 0; i < b->n[0]; i++)
		for (int64_t j = 0; j < b->n[1]; j++)
			for (int64_t k = 0; k < b->n[2]; k++, at++) {
				const int64_t ours = b->last_fastest ? (i * b->n[1] + j) * b->n[2] + k : (k * b->n[1] + j) * b->n[0] + i;
				const double w = npy_at(want, at), d = (double)b->data[ours] - w;
				n_beyond += !(fabs(d) <= allowed);
				if (fabs(d) <= allowed || share == 0)
					squares += d * d;
				total += w * w;
			}
	if ((double)n_beyond > share * (double)want->n)
		fail_msg("%s: %zu of %zu voxels differ by more than %g", name, n_beyond, want->n, allowed);
	if (!(sqrt(squares) <= relative_limit(c) * sqrt(total)))
		fail_msg("%s: relative difference %g, at most %g", name, sqrt(squares / total), relative_limit(c));
}

static void read_affine(const cJSON *in, double (*affine)[4])
{
	int row = 0;
	const cJSON *r;
	cJSON_ArrayForEach(r, golden_member(in, "affine_ras"))
	{
		for (int k = 0; k < 4 && row < 3; k++)
			affine[row][k] = cJSON_GetArrayItem(r, k)->valuedouble;
		row++;
	}
	assert_int_equal(row, 4);
}

static void check_chain(const cJSON *c, const hy_artefact *a, const npy *in, float *data, const npy *want)
{
	hardy_error err;
	hy_block b = hy_block_of_stack(data, in->shape[0], in->shape[1], in->shape[2]);
	assert_ok(hy_acdcc_apply(a, data, b.n[0], b.n[1], b.n[2], 0, &err), &err);
	compare(c, &b, want);
}

static void check_array(const cJSON *c, const hy_artefact *a, const npy *in, float *data, const npy *want)
{
	hardy_error err;
	hy_block b = {.data = data, .n = {in->shape[0], in->shape[1], in->shape[2]}, .last_fastest = true, .slice_axis = 2};
	read_affine(input_of(c), b.affine);
	assert_ok(hy_artefact_apply(a, &b, &err), &err);
	compare(c, &b, want);
}

static void check_file(const cJSON *c, const hy_artefact *a, const npy *want)
{
	hardy_error err;
	hy_volume v = {0};
	char *path = golden_path(&set, golden_string(input_of(c), "nifti"));
	assert_ok(hy_nifti_read(path, NULL, &v, NULL, &err), &err);
	const hy_block b = hy_block_of_scan(v.data, &v.grid);
	assert_ok(hy_artefact_apply(a, &b, &err), &err);
	compare(c, &b, want);
	hy_volume_clear(&v);
	hy_free(path);
}

static void check_case(const cJSON *c)
{
	hardy_error err;
	hy_artefact a = {.kind = kind_of(c)};
	a.ghosting.restore = a.kind == HY_ARTEFACT_GHOSTING ? NAN : a.ghosting.restore;
	assert_ok(hy_artefact_from_json(&a, golden_member(c, "params"), golden_string(c, "name"), &err), &err);
	npy in = golden_member_array(&set, input_of(c), "file"), want = golden_member_array(&set, c, "file");
	assert_int_equal(in.n_dims, 3);
	float *data = npy_floats(&in);
	assert_non_null(data);
	if (strstr(golden_string(c, "pipeline"), "min-max")) {
		check_chain(c, &a, &in, data, &want);
	} else {
		check_array(c, &a, &in, data, &want);
		check_file(c, &a, &want);
	}
	hy_free(data);
	npy_clear(&in);
	npy_clear(&want);
	set.n_checked++;
}

static void test_cases(void **state)
{
	(void)state;
	const cJSON *c;
	cJSON_ArrayForEach(c, golden_member(set.manifest, "cases")) check_case(c);
}

int main(void)
{
	golden_open(&set, "corrupt");
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases)};
	return golden_close(&set, cmocka_run_group_tests(tests, NULL, NULL));
}
