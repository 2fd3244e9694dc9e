/*
 * metrics.c: overlap, surface distances and surface Dice against values recorded from MedPy, MONAI and surface-distance.
 */
#include "support/golden.h"
#include "support/test.h"

#include "base/memory.h"
#include "metric/distance.h"
#include "metric/overlap.h"
#include "metric/surfel.h"

#include <math.h>
#include <string.h>

static golden set;

/* A recorded value: a number; null or "nan" or "undefined ..." for NaN; "inf". */
static double recorded(const cJSON *v)
{
	if (cJSON_IsNumber(v))
		return v->valuedouble;
	if (cJSON_IsNull(v))
		return NAN;
	if (!cJSON_IsString(v))
		fail_msg("a value is neither a number nor null nor a word");
	if (strcmp(v->valuestring, "inf") == 0)
		return INFINITY;
	if (strcmp(v->valuestring, "nan") != 0 && strncmp(v->valuestring, "undefined", 9) != 0)
		fail_msg("the word \"%s\" is not known", v->valuestring);
	return NAN;
}

static void check(const char *name, const char *field, double found, double want, double tolerance)
{
	bool same = isnan(want) ? isnan(found) : isinf(want) ? found == want : fabs(found - want) <= tolerance;
	if (!same)
		fail_msg("%s: %s is %.17g, want %.17g", name, field, found, want);
}

/* Every field of the manifest's object "medpy". */
static void check_medpy(const char *name, const cJSON *medpy, const hy_overlap *o, const hy_surface_distances *face,
                        const hy_surface_distances *edge)
{
	hardy_error err;
	const hy_surface_distances *d[2] = {face, edge};
	double hd95[2];
	for (int k = 0; k < 2; k++)
		assert_ok(hy_distance_hd_pooled(d[k], .95, &hd95[k], &err), &err);
	struct {
		const char *field;
		double value, tolerance;
	} known[] = {{"dice", hy_overlap_dice(o), 1e-12},
	             {"jaccard", hy_overlap_jaccard(o), 1e-12},
	             {"precision", hy_overlap_precision(o), 1e-12},
	             {"recall", hy_overlap_recall(o), 1e-12},
	             {"ravd", o->n_ref ? (double)(o->n_pred - o->n_ref) / (double)o->n_ref : NAN, 1e-12},
	             {"hd", hy_distance_hd(face), 1e-6},
	             {"hd95", hd95[0], 1e-6},
	             {"asd_pred_to_ref", hy_distance_asd(face), 1e-6},
	             {"asd_ref_to_pred", hy_distance_asd_reverse(face), 1e-6},
	             {"assd", hy_distance_assd(face), 1e-6},
	             {"assd_mean_of_directed", hy_distance_assd_directed(face), 1e-6},
	             {"hd_conn2", hy_distance_hd(edge), 1e-6},
	             {"hd95_conn2", hd95[1], 1e-6},
	             {"asd_pred_to_ref_conn2", hy_distance_asd(edge), 1e-6},
	             {"asd_ref_to_pred_conn2", hy_distance_asd_reverse(edge), 1e-6},
	             {"assd_conn2", hy_distance_assd(edge), 1e-6},
	             {"assd_mean_of_directed_conn2", hy_distance_assd_directed(edge), 1e-6}};
	int n = 0;
	for (const cJSON *v = medpy->child; v; v = v->next, n++) {
		size_t k = 0;
		while (k < sizeof(known) / sizeof(known[0]) && strcmp(known[k].field, v->string) != 0)
			k++;
		if (k == sizeof(known) / sizeof(known[0]))
			fail_msg("%s: medpy.%s is not known", name, v->string);
		check(name, v->string, known[k].value, recorded(v), known[k].tolerance);
	}
	if (n == 0)
		fail_msg("%s: no value of medpy", name);
}

static void check_surface_dice(const char *name, const cJSON *all, const hy_surface_distances *voxels,
                               const hy_surface_distances *surfels)
{
	for (const cJSON *at = all->child; at; at = at->next) {
		char *end;
		double tolerance = strtod(at->string, &end);
		if (*end != 0 || end == at->string)
			fail_msg("%s: surface_dice has a tolerance \"%s\"", name, at->string);
		for (const cJSON *v = at->child; v; v = v->next) {
			bool voxel = strcmp(v->string, "monai_voxel") == 0 || strcmp(v->string, "voxel_count_double_check") == 0;
			if (!voxel && strcmp(v->string, "monai_subvoxel") != 0 && strcmp(v->string, "deepmind") != 0)
				fail_msg("%s: surface_dice.%s is not known", name, v->string);
			check(name, v->string, hy_distance_nsd(voxel ? voxels : surfels, tolerance), recorded(v), 1e-6);
		}
	}
}

/* The remaining members of a case. */
static void check_rest(const char *name, const cJSON *c, const hy_object_pair *pair, const hy_surface_distances *face,
                       const hy_surface_distances *surfels)
{
	hardy_error err;
	double v;
	const cJSON *item = cJSON_GetObjectItemCaseSensitive(c, "n_surface");
	if (item) {
		double n[2];
		golden_numbers(c, "n_surface", n, 2);
		assert_int_equal(face->n_pred, (size_t)n[0]);
		assert_int_equal(face->n_ref, (size_t)n[1]);
	}
	item = cJSON_GetObjectItemCaseSensitive(c, "double_brute_force_check");
	if (item) {
		check(name, "double hd", hy_distance_hd(face), golden_number(item, "hd"), 1e-9);
		assert_ok(hy_distance_hd_pooled(face, .95, &v, &err), &err);
		check(name, "double hd95", v, golden_number(item, "hd95"), 1e-9);
		check(name, "double assd", hy_distance_assd(face), golden_number(item, "assd"), 1e-9);
	}
	/* MONAI computes in single precision. */
	double monai = recorded(golden_member(c, "monai_hd95_max_of_directed"));
	assert_ok(hy_distance_hd_directed(face, .95, &v, &err), &err);
	check(name, "monai_hd95_max_of_directed", v, monai, 1e-6 * fmax(1, fabs(monai)));
}

static void check_case(const cJSON *c)
{
	const char *name = golden_string(c, "name");
	hardy_error err;
	npy pred = golden_member_array(&set, golden_member(c, "pred"), "file");
	npy ref = golden_member_array(&set, golden_member(c, "ref"), "file");
	uint8_t *p = npy_bytes(&pred), *r = npy_bytes(&ref);
	assert_non_null(p);
	assert_non_null(r);
	if ((pred.n_dims != 2 && pred.n_dims != 3) || pred.n_dims != ref.n_dims || pred.n != ref.n)
		fail_msg("%s: shapes differ, or are neither 2-D nor 3-D", name);
	hy_object_pair pair = {.pred = p, .ref = r, .value = 1, .n_dims = pred.n_dims, .n = {1, 1, 1}, .spacing_mm = {1, 1, 1}};
	for (int a = 0; a < pred.n_dims; a++)
		pair.n[3 - pred.n_dims + a] = pred.shape[a];
	golden_numbers(c, "spacing", pair.spacing_mm + 3 - pred.n_dims, pred.n_dims);

	hy_surface_distances face, edge, surfels;
	hy_overlap o = hy_overlap_count(p, r, pred.n, 1);
	assert_ok(hy_distance_voxels(&pair, HY_CONNECTIVITY_FACE, &face, &err), &err);
	assert_ok(hy_distance_voxels(&pair, HY_CONNECTIVITY_EDGE, &edge, &err), &err);
	assert_ok(hy_distance_surfels(&pair, &surfels, &err), &err);
	check_medpy(name, golden_member(c, "medpy"), &o, &face, &edge);
	check_surface_dice(name, golden_member(c, "surface_dice"), &face, &surfels);
	check_rest(name, c, &pair, &face, &surfels);
	hy_distance_clear(&face);
	hy_distance_clear(&edge);
	hy_distance_clear(&surfels);
	hy_free(p);
	hy_free(r);
	npy_clear(&pred);
	npy_clear(&ref);
	set.n_checked++;
}

static void every_case(void **state)
{
	(void)state;
	const cJSON *cases = golden_member(set.manifest, "cases"), *c;
	cJSON_ArrayForEach(c, cases) check_case(c);
}

/* Areas found from geometry equal those of the recorded normals, whatever the spacing. */
static void surfel_areas(void **state)
{
	(void)state;
	const cJSON *tables = cJSON_GetObjectItemCaseSensitive(set.manifest, "constant_tables"), *t;
	static const double spacing[3][3] = {{1, 1, 1}, {8, 1.4, 1.3}, {.4, 2.5, 6}};
	cJSON_ArrayForEach(t, tables)
	{
		npy normals = golden_member_array(&set, t, "file");
		assert_int_equal(normals.n, 256 * 4 * 3);
		for (int s = 0; s < 3; s++) {
			double area[256];
			const double *mm = spacing[s];
			hy_surfel_areas(mm, area);
			for (size_t code = 0; code < 256; code++) {
				double want = 0;
				for (size_t k = 0; k < 4; k++) {
					double x = npy_at(&normals, (code * 4 + k) * 3) * mm[1] * mm[2];
					double y = npy_at(&normals, (code * 4 + k) * 3 + 1) * mm[0] * mm[2];
					double z = npy_at(&normals, (code * 4 + k) * 3 + 2) * mm[0] * mm[1];
					want += sqrt(x * x + y * y + z * z);
				}
				if (fabs(want - area[code]) > 1e-12)
					fail_msg("code %zu at %g, %g, %g mm: area %.17g, want %.17g", code, mm[0], mm[1], mm[2], area[code], want);
			}
		}
		npy_clear(&normals);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(every_case), cmocka_unit_test(surfel_areas)};
	golden_open(&set, "metrics");
	int n_failed = cmocka_run_group_tests(tests, NULL, NULL);
	return golden_close(&set, n_failed);
}
