/*
 * recipe.c: recipes as text and as files: what they are composed of, their canonical form, and what is refused and why.
 */
#include "training/recipe.h"

#include "base/memory.h"
#include "support/test.h"
#include "support/tree.h"
#include "training/options.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static hardy_train_options valid(void)
{
	hardy_train_options o;
	hardy_error err = {0};
	assert_ok(hardy_train_options_init(&o, NULL, "standard", &err), &err);
	o.data = "data";
	o.output = "run";
	return o;
}

static hy_recipe read(const char *text)
{
	hy_recipe r;
	hardy_error err = {0};
	assert_ok(hy_recipe_read(text, &r, &err), &err);
	return r;
}

static void refuse(const char *text, const char *part)
{
	hardy_error err = {0};
	hardy_train_options o = valid();
	o.recipe = text;
	const hardy_status status = hy_options_check(&o, &err);
	if (!strstr(err.message, part))
		fail_msg("%s: \"%s\" does not contain \"%s\"", text, err.message, part);
	assert_int_equal(status, HARDY_ERROR_ARGUMENT);
}

static void every_row_and_kind_is_a_recipe(void **state)
{
	(void)state;
	hardy_train_options o = valid();
	hardy_error err = {0};
	for (const hy_recipe_row *row = hy_recipes; row->name; row++) {
		const hy_recipe r = read(row->name);
		assert_string_equal(r.text, *row->text ? row->text : row->name);
		assert_true(r.summary[0]);
		assert_ok(hy_recipe_check(&r, &o, &err), &err);
	}
	for (int i = 0; hy_perturbation_kinds[i]; i++) {
		const hy_recipe r = read(hy_perturbation_kinds[i]->name);
		assert_int_equal(r.n, 1);
		assert_ptr_equal(r.members[0].o.kind, hy_perturbation_kinds[i]);
		for (int k = 0; k < i; k++)
			assert_true(hy_perturbation_kinds[k]->stream != hy_perturbation_kinds[i]->stream);
		for (const hy_parameter *p = hy_perturbation_kinds[i]->parameters; p->name; p++)
			assert_true(p->choices || (p->usual >= p->low && p->usual <= p->high));
	}
}

static void text_is_brought_to_one_form(void **state)
{
	(void)state;
	static const char *const forms[][2] = {
	    {"standard", "standard"},
	    {"standard+cooperative", "cooperative"},
	    {"randconv+cooperative", "randconv+cooperative"},
	    {"randconv:lambda=10,views=3", "randconv"},
	    {"randconv:views=4,weight=0.5,lambda=5", "randconv:weight=0.5,views=4,lambda=5"},
	    {"adv-noise:xi=1e-2,epsilon=1000", "adv-noise:epsilon=1000,xi=0.01"},
	    {"adv-noise:xi=1e-6", "adv-noise"},
	    {"adv-bias:space=linear,probability=0.3333333333333333", "adv-bias:probability=0.3333333333333333,space=linear"},
	    {"cooperative:scheme_image=random,probability=0.5", "cooperative:probability=0.5,scheme_image=random"},
	};
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		const hy_recipe r = read(forms[i][0]), again = read(r.text);
		assert_string_equal(r.text, forms[i][1]);
		assert_string_equal(again.text, forms[i][1]);
		assert_string_equal(again.summary, r.summary);
	}
}

static void members_fill_the_step(void **state)
{
	(void)state;
	hardy_train_options o = valid();
	hy_step_options step;
	o.hard_masks = true;
	o.scheme_image = o.scheme_shape = "channel";
	o.threshold_low = 0.25;
	hy_recipe r = read("randconv:weight=2,lambda=7+cooperative:probability=0.5,scheme_image=spatial,threshold_high=0.75+dsu");
	hy_recipe_options(&step, &r, &o);
	assert_true(step.cooperative && step.use_p_hat && step.probability == 0.5 && step.weight == 1);
	assert_int_equal(step.mask_i.scheme, HY_SCHEME_SPATIAL);
	assert_int_equal(step.mask_s.scheme, HY_SCHEME_CHANNEL);
	assert_true(step.mask_i.hard && step.mask_i.p_low == 0.25 && step.mask_s.p_high == 0.75);
	assert_int_equal(step.n_perturbations, 2);
	assert_ptr_equal(step.perturbations[0].kind, &hy_perturb_randconv);
	assert_ptr_equal(step.perturbations[1].kind, &hy_perturb_dsu);
	assert_true(step.perturbations[0].weight == 2 && step.perturbations[0].values[1] == 7);
	r = read("cooperative:hard_masks=0,only_x_hat=1");
	hy_recipe_options(&step, &r, &o);
	assert_true(!step.mask_i.hard && !step.use_p_hat && step.n_perturbations == 0);
}

static void randomisation_is_of_the_batches(void **state)
{
	(void)state;
	const hardy_train_options o = valid();
	hy_step_options step;
	hy_randomise_options z = {.share = -1};
	hy_recipe r = read("randomise:share=0.75,share_plain=0.25,strength=2,curve=0.01,invert=0.02,clip=0.03,"
	                   "sharpness=0.05,noise=0.06,shade=0.04+cooperative+lines:share=0.07+waves:share=0.08,strength=2");
	assert_true(hy_recipe_randomises(&r, &z));
	assert_true(z.share == 0.75 && z.share_plain == 0.25 && z.strength == 2 && z.curve == 0.01 && z.invert == 0.02);
	assert_true(z.clip == 0.03 && z.shade == 0.04 && z.sharpness == 0.05 && z.noise == 0.06 && z.lines == 0.07);
	assert_true(z.waves == 0.08 && z.wave_strength == 2);
	hy_recipe_options(&step, &r, &o);
	assert_true(step.cooperative && !step.n_perturbations);
	r = read("randomise:target=same");
	assert_false(hy_recipe_randomises(&r, &z));
	hy_randomise_options usual;
	hy_randomise_options_init(&usual);
	assert_true(z.share == 1 && z.curve == usual.curve && z.noise == usual.noise && z.strength == usual.strength);
	assert_true(z.clip == usual.clip && z.sharpness == usual.sharpness);
	assert_true(z.shade == 0 && z.lines == 0 && z.waves == 0); /* what resembles a test artefact is asked for by name */
	r = read("hardy");                                         /* but for shading, which coils do */
	assert_true(hy_recipe_randomises(&r, &z));
	assert_true(z.strength == 0.7 && z.shade == 0.5 && z.lines == 0 && z.waves == 0);
	r = read("hardy:shade=0+waves");
	assert_true(hy_recipe_randomises(&r, &z));
	assert_true(z.strength == 0.7 && z.shade == 0 && z.lines == 0 && z.waves == usual.waves);
	r = read("waves");
	assert_true(hy_recipe_randomises(&r, &z));
	assert_true(z.share == 1 && z.waves == usual.waves && z.wave_strength == usual.wave_strength && z.curve == 0 &&
	            z.noise == 0);
	z.share = -1;
	r = read("cooperative");
	assert_true(hy_recipe_randomises(&r, &z) && z.share == -1);
}

/* What a row asks of the other options; a composition of the same members asks nothing. */
static void rows_ask_for_options(void **state)
{
	(void)state;
	hardy_error err = {0};
	hardy_train_options usual, o;
	assert_ok(hardy_train_options_init(&usual, NULL, "standard", &err), &err);
	for (const hy_recipe_row *row = hy_recipes; row->name; row++) {
		assert_ok(hardy_train_options_init(&o, NULL, row->name, &err), &err);
		assert_string_equal(o.recipe, row->name);
		const double length = row->length > 0 ? row->length : 1;
		assert_true(fabs((double)o.iterations - (double)usual.iterations * length) <= 1);
		assert_string_equal(o.network, strcmp(row->name, "hardy") ? "study" : "unet");
		assert_string_equal(o.augment, strcmp(row->name, "hardy") ? usual.augment : "wide");
		assert_true(strcmp(row->name, "hardy") ? o.noise == usual.noise && o.ema == 0 : o.noise == 0 && o.ema > 0);
	}
	assert_ok(hardy_train_options_init(&o, NULL, NULL, &err), &err); /* what users get */
	assert_string_equal(o.recipe, "hardy");
	assert_string_equal(o.network, "unet");
	assert_ok(hardy_train_options_init(&o, NULL, hy_recipe_find("hardy")->text, &err), &err);
	assert_string_equal(o.network, "study");
	assert_int_equal(o.iterations, usual.iterations);
	assert_ok(hardy_train_options_init(&o, "paper", "hardy", &err), &err);
	assert_true(o.epochs > 600 && !o.iterations);
	assert_ok(hardy_train_options_init(&o, "hour", NULL, &err), &err);
	assert_true(!o.epochs && !o.iterations && o.budget_s == 3600 && o.network_width == 32 && o.network_levels == 4);
	assert_true(hy_fit_asked(&o).planes);
	assert_ok(hardy_train_options_init(&o, "hour", "cooperative", &err), &err);
	assert_false(hy_fit_asked(&o).planes);
	hy_fit_usual(&o);
	assert_int_equal(o.planes, 1);
	assert_ok(hardy_train_options_init(&o, NULL, NULL, &err), &err);
	assert_int_equal(o.planes, 1);
	o.recipe = "as it was";
	assert_int_equal(hardy_train_options_init(&o, NULL, "brave", &err), HARDY_ERROR_ARGUMENT);
	assert_string_equal(o.recipe, "as it was");
}

/* Members that act within the study's networks are refused by name with another. */
static void networks_are_checked(void **state)
{
	(void)state;
	static const char *const within[] = {"cooperative", "rsc", "mixstyle", "dsu", "maxstyle"}, *const any[] = {
	                                                                                               "standard", "mwm",
	                                                                                               "randconv", "adv-noise",
	                                                                                               "adv-bias", "randomise",
	                                                                                               "lines",    "waves"};
	hardy_train_options o = valid();
	o.network = "unet";
	for (size_t i = 0; i < sizeof within / sizeof *within; i++) {
		const hy_recipe r = read(within[i]);
		hardy_error err = {0};
		assert_int_equal(hy_recipe_check(&r, &o, &err), HARDY_ERROR_ARGUMENT);
		assert_non_null(strstr(err.message, within[i]));
		assert_non_null(strstr(err.message, "unet"));
	}
	for (size_t i = 0; i < sizeof any / sizeof *any; i++) {
		const hy_recipe r = read(any[i]);
		hardy_error err = {0};
		assert_ok(hy_recipe_check(&r, &o, &err), &err);
	}
}

static void bad_recipes_are_refused(void **state)
{
	(void)state;
	refuse("brave",
	       "recipe is \"brave\", want one of standard, cooperative, mwm, randconv, adv-noise, adv-bias, rsc, mixstyle, dsu, "
	       "maxstyle, randomise, hardy, lines, waves, some of these with + between, or a .yaml file");
	refuse("hrdy", "recipe is \"hrdy\" (did you mean hardy?), want one of standard, ");
	refuse("hardy+wave", "recipe is \"wave\" (did you mean waves?), want one of standard, ");
	refuse("randconv:view=2", "randconv has no parameter \"view\" (did you mean views?), want one of views, lambda, ");
	refuse("randomise:shares=1", "randomise has no parameter \"shares\" (did you mean share?), want one of share, ");
	refuse("adv-bias:space=lin", "space is \"lin\" (did you mean linear?), want one of log|linear");
	refuse("", "recipe is missing");
	refuse("randconv+", "ends with a plus");
	refuse("+randconv", "recipe is \"\", want one of");
	refuse("randconv+randconv", "has randconv twice");
	refuse("standard:weight=1", "standard is no single perturbation");
	refuse("randconv:lamda=1", "randconv has no parameter \"lamda\" (did you mean lambda?), want one of views, lambda");
	refuse("randconv:lambda", "wants settings of the form key=value");
	refuse("randconv:lambda=", "lambda is \"\", want 0 to 1000");
	refuse("randconv:lambda=x", "lambda is \"x\"");
	refuse("randconv:lambda=nan", "lambda is \"nan\"");
	refuse("randconv:lambda=-1", "randconv: lambda is \"-1\", want 0 to 1000");
	refuse("randconv:views=2.5", "views is \"2.5\", want a whole number from 1 to 8");
	refuse("randconv:weight=0", "want more than 0: leave the member out");
	refuse("randconv:probability=1.5", "probability is \"1.5\", want 0 to 1");
	refuse("randomise:weight=2", "randomise has no weight, it adds no loss: want share");
	refuse("randomise:probability=0.5", "randomise has no probability");
	refuse("randomise:target=dirty", "target is \"dirty\", want one of clean|same");
	refuse("randomise:share=1.5", "randomise: share is \"1.5\", want 0 to 1");
	refuse("adv-bias:space=cubic", "space is \"cubic\", want one of log|linear");
	refuse("adv-bias:epsilon=1", "epsilon is \"1\", want 0.001 to 0.99");
	/* what cannot work */
	refuse("randconv:views=1", "one view has no other to agree with");
	refuse("randconv:labelled=4", "labelled is 4, want at most its 3 views");
	refuse("randconv:largest=4", "largest is 4, want an odd number");
	refuse("adv-bias:spacing=0.02,downscale=4",
	       "adv-bias: control points of a bias field 1 pixels apart on a grid 4 times coarser");
	refuse("maxstyle:first_layer=5,last_layer=3", "maxstyle: layers are 5 to 3");
	refuse("mixstyle:first_layer=4", "mixstyle: layers are 4 to 3");
	refuse("cooperative:only_x_hat=1,scheme_shape=channel", "scheme_shape masks the shape code, which only_x_hat leaves alone");
	refuse("cooperative:threshold_low=0.75", "threshold range is 0.75 to 0.5");
}

static void files_are_read(void **state)
{
	(void)state;
	hardy_error err = {0};
	hy_recipe r;
	tree_new();
	tree_text("a.yaml",
	          "# mine\nsummary: hard images of two kinds\nmembers:\n  - name: randconv\n    weight: 0.5\n    lambda: 5\n"
	          "  - name: adv-bias\n    space: linear\n    probability: 0.25\n  - name: cooperative\n");
	assert_ok(hy_recipe_read(tree_path("a.yaml"), &r, &err), &err);
	assert_string_equal(r.text, "randconv:weight=0.5,lambda=5+adv-bias:probability=0.25,space=linear+cooperative");
	tree_text("b.yml", "members: []\n");
	assert_ok(hy_recipe_read(tree_path("b.yml"), &r, &err), &err);
	assert_string_equal(r.text, "standard");
}

static void bad_files_are_refused(void **state)
{
	(void)state;
	static const struct {
		const char *text, *part;
		hardy_status status;
	} files[] = {
	    {"members:\n  - name: brave\n", "recipe is \"brave\"", HARDY_ERROR_ARGUMENT},
	    {"members:\n  - name: randconv\n    lambda: many\n", "randconv: lambda is \"many\"", HARDY_ERROR_ARGUMENT},
	    {"members:\n  - name: randconv\n    epsilon: 1\n", "randconv has no parameter \"epsilon\"", HARDY_ERROR_ARGUMENT},
	    {"members:\n  - name: randconv\n    lamda: 1\n", "lamda", HARDY_ERROR_FORMAT},
	    {"members:\n  - weight: 1\n", "name", HARDY_ERROR_FORMAT},
	    {"members:\n  - name: standard\n    weight: 2\n", "standard is no single perturbation", HARDY_ERROR_ARGUMENT},
	    {"members: 3\n", "no recipe", HARDY_ERROR_FORMAT},
	    {"stages:\n  - name: mwm\n", "stages", HARDY_ERROR_FORMAT},
	    {"", "no recipe", HARDY_ERROR_FORMAT},
	    {"members: [\n", "no recipe", HARDY_ERROR_FORMAT},
	    {"members:\n  - &a\n    name: mwm\n  - *a\n", "no recipe", HARDY_ERROR_FORMAT},
	};
	hy_recipe r;
	hardy_error err = {0};
	tree_new();
	for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
		tree_text("r.yaml", files[i].text);
		const hardy_status status = hy_recipe_read(tree_path("r.yaml"), &r, &err);
		if (!strstr(err.message, files[i].part) || !strstr(err.message, "r.yaml"))
			fail_msg("file %zu: \"%s\" does not contain \"%s\" and the file's name", i, err.message, files[i].part);
		assert_int_equal(status, files[i].status);
	}
	assert_int_equal(hy_recipe_read(tree_path("absent.yaml"), &r, &err), HARDY_ERROR_IO);
	/* nine members */
	char text[512] = "members:\n";
	for (int i = 0; i < 9; i++)
		strcat(text, "  - name: mwm\n");
	tree_text("r.yaml", text);
	assert_int_equal(hy_recipe_read(tree_path("r.yaml"), &r, &err), HARDY_ERROR_FORMAT);
}

static void every_allocation_of_a_file_may_fail(void **state)
{
	(void)state;
	hardy_error err = {0};
	hy_recipe r;
	tree_new();
	tree_text("a.yaml", "members:\n  - name: randconv\n    lambda: 5\n");
	for (int64_t k = 1;; k++) {
		hy_memory_fail_at(k);
		const hardy_status status = hy_recipe_read(tree_path("a.yaml"), &r, &err);
		hy_memory_fail_at(0);
		if (!status) {
			assert_true(k > 3);
			break;
		}
		assert_int_equal(status, HARDY_ERROR_MEMORY);
	}
}

static void json_holds_every_value(void **state)
{
	(void)state;
	const hardy_train_options o = valid();
	const hy_recipe r = read("adv-bias:space=linear+cooperative");
	cJSON *made = hy_recipe_to_json(&r, &o);
	char *text = cJSON_PrintUnformatted(made);
	cJSON *json = cJSON_Parse(text);
	cJSON_free(text);
	cJSON_Delete(made);
	assert_int_equal(cJSON_GetArraySize(json), 2);
	const cJSON *first = cJSON_GetArrayItem(json, 0), *second = cJSON_GetArrayItem(json, 1);
	assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(first, "space")), "linear");
	assert_true(cJSON_GetNumberValue(cJSON_GetObjectItem(first, "contour")) == 0.5);
	assert_string_equal(cJSON_GetStringValue(cJSON_GetObjectItem(second, "scheme_shape")), "random");
	assert_true(cJSON_GetNumberValue(cJSON_GetObjectItem(second, "threshold_high")) == 0.5);
	cJSON_Delete(json);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_row_and_kind_is_a_recipe), cmocka_unit_test(text_is_brought_to_one_form),
	    cmocka_unit_test(members_fill_the_step),          cmocka_unit_test(randomisation_is_of_the_batches),
	    cmocka_unit_test(rows_ask_for_options),           cmocka_unit_test(networks_are_checked),
	    cmocka_unit_test(bad_recipes_are_refused),        cmocka_unit_test(files_are_read),
	    cmocka_unit_test(bad_files_are_refused),          cmocka_unit_test(every_allocation_of_a_file_may_fail),
	    cmocka_unit_test(json_holds_every_value),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
