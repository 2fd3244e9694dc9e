/*
 * parameters.c: parameters through JSON and back, and messages about what is wrong with them.
 */
#include "artefact/artefact.h"
#include "base/memory.h"
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const int64_t n[3] = {10, 64, 64};

static void test_round_trip(void **state)
{
	(void)state;
	for (int kind = 0; kind < HY_N_ARTEFACTS; kind++)
		for (int level = 0; level <= HY_N_LEVELS; level++) {
			hardy_error err;
			hy_rng g = hy_artefact_stream(5, (hy_artefact_kind)kind, "x", 0, level);
			hy_artefact a = hy_artefact_draw((hy_artefact_kind)kind, level, n, level % 2, &g);
			hy_artefact b = hy_artefact_draw((hy_artefact_kind)kind, 1, n, false, &g); /* others, all to be replaced */
			if (kind == HY_ARTEFACT_GHOSTING && level == 2)
				a.ghosting.restore = .1 + .2;
			cJSON *json = hy_artefact_to_json(&a);
			assert_non_null(json);
			char *text = cJSON_Print(json);
			cJSON *back = cJSON_Parse(text);
			assert_ok(hy_artefact_from_json(&b, back, "x", &err), &err);
			if (kind == HY_ARTEFACT_GHOSTING && isnan(a.ghosting.restore)) {
				assert_true(isnan(b.ghosting.restore));
				a.ghosting.restore = b.ghosting.restore = 0;
			}
			assert_memory_equal(&a, &b, sizeof a);
			cJSON_free(text);
			cJSON_Delete(json);
			cJSON_Delete(back);
		}
}

static void test_part(void **state)
{
	(void)state;
	hardy_error err;
	hy_rng g = hy_artefact_stream(5, HY_ARTEFACT_GHOSTING, "x", 0, 0);
	hy_artefact a = hy_artefact_draw(HY_ARTEFACT_GHOSTING, 0, n, false, &g), b = a;
	cJSON *json = cJSON_Parse("{\"axis\": 1, \"restore\": 0.02}");
	assert_ok(hy_artefact_from_json(&b, json, "x", &err), &err);
	assert_int_equal(b.ghosting.axis, 1);
	assert_true(b.ghosting.restore == .02 && b.ghosting.intensity == a.ghosting.intensity);
	cJSON_Delete(json);
}

static void test_faults(void **state)
{
	static const struct {
		hy_artefact_kind kind;
		const char *json, *message;
	} cases[] = {
	    {HY_ARTEFACT_GHOSTING, "{\"intensity\": -1}", "p.json: intensity is -1, want a number from 0 to 100"},
	    {HY_ARTEFACT_GHOSTING, "{\"axis\": 3}", "p.json: axis is 3, want a number from 0 to 2"},
	    {HY_ARTEFACT_GHOSTING, "{\"axis\": 0.5}", "p.json: axis is 0.5, want a whole number from 0 to 2"},
	    {HY_ARTEFACT_GHOSTING, "{\"num_ghosts\": \"many\"}", "p.json: num_ghosts is no number, want one from 0 to 1000"},
	    {HY_ARTEFACT_GHOSTING, "{\"restore\": 1e999}", "p.json: restore is inf, want a number from 0 to 1"},
	    {HY_ARTEFACT_GHOSTING, "{\"ghosts\": 4}",
	     "ghosting has no parameter 'ghosts'; it has num_ghosts, axis, intensity, restore"},
	    {HY_ARTEFACT_BIAS, "{\"order\": 2}", "p.json: there are 20 coefficients, want 10 for order 2"},
	    {HY_ARTEFACT_BIAS, "{\"coefficients\": [1, 2]}", "p.json: there are 2 coefficients, want 20 for order 3"},
	    {HY_ARTEFACT_BIAS, "{\"order\": 9}", "p.json: order is 9, want a number from 0 to 8"},
	    {HY_ARTEFACT_BIAS, "{\"coefficients\": 1}", "p.json: coefficients is no list of at most 165 numbers"},
	    {HY_ARTEFACT_BIAS, "[]", "p.json: no JSON object with parameters of bias: order, coefficients"},
	    {HY_ARTEFACT_MOTION, "{\"degrees\": [[1, 2, 3]]}", "p.json: degrees, translation and times have 1, 2 and 2 entries"},
	    {HY_ARTEFACT_MOTION, "{\"degrees\": [[1, 2], [1, 2, 3]]}", "p.json: degrees has 2 numbers in its list 1, want 3"},
	    {HY_ARTEFACT_MOTION, "{\"times\": [0.1, 1.1]}", "p.json: times is 1.1, want a number from 0 to 1"},
	    {HY_ARTEFACT_MOTION, "{\"centre\": \"middle\"}", "p.json: centre is 'middle', want origin or image"},
	    {HY_ARTEFACT_SPIKE, "{\"spikes_positions\": [[0, 0, 1]]}", "p.json: spikes_positions is 1, want a number from 0 to 1"},
	    {HY_ARTEFACT_NOISE, "{\"sd\": 11}", "p.json: sd is 11, want a number from 0 to 10"},
	    {HY_ARTEFACT_BLUR, "{\"sd_mm\": -1}", "p.json: sd_mm is -1, want a number from 0 to 100"},
	    {HY_ARTEFACT_RESOLUTION, "{\"factor\": 0}", "p.json: factor is 0, want a number from 1 to 1000"},
	    {HY_ARTEFACT_CONTRAST, "{\"gamma\": 0}", "p.json: gamma is 0, want a number from 0.01 to 100"},
	};
	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		hardy_error err = {0};
		hy_rng g = hy_artefact_stream(5, cases[i].kind, "x", 0, 0);
		hy_artefact a = hy_artefact_draw(cases[i].kind, 0, n, false, &g), before = a;
		cJSON *json = cJSON_Parse(cases[i].json);
		assert_non_null(json);
		assert_int_equal(hy_artefact_from_json(&a, json, "p.json", &err), HARDY_ERROR_ARGUMENT);
		if (!strstr(err.message, cases[i].message))
			fail_msg("%s: '%s', want '%s'", cases[i].json, err.message, cases[i].message);
		assert_memory_equal(&a, &before, sizeof a);
		cJSON_Delete(json);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(test_round_trip),
	    cmocka_unit_test(test_part),
	    cmocka_unit_test(test_faults),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
