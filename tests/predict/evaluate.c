/*
 * evaluate.c: `hardy evaluate` on small synthetic label maps: pairing, scores, volumes, heart function, conventions, exit
 * codes.
 */
#include "base/files.h"
#include "base/machine.h"
#include "base/memory.h"
#include "image/order.h"
#include "support/test.h"
#include "support/tree.h"

#include <cJSON.h>
#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

static const double voxel_ml = 2 * 2 * 8 / 1000.0; /* of tree_labels */

/* ---- running the program ------------------------------------------------------------------------------------------------ */

/* Runs `hardy evaluate ARGUMENTS` in the tree, output in the files out and err; returns its exit code. */
static int evaluate(const char *arguments)
{
	char line[2048];
	const char *program = getenv("HARDY_PROGRAM");
	assert_non_null(program);
	snprintf(line, sizeof line, "cd '%s' && '%s' evaluate %s >out 2>err", tree_path(""), program, arguments);
	int code = system(line);
	assert_true(WIFEXITED(code));
	return WEXITSTATUS(code);
}

/* The text of a file of the tree, valid until the next call. */
static const char *text_of(const char *name)
{
	static char *text;
	hardy_error err = {0};
	size_t size;
	hy_free(text);
	text = NULL;
	if (!hy_path_exists(tree_path(name)))
		return "";
	assert_ok(hy_file_read(tree_path(name), &text, &size, &err), &err);
	return text;
}

static void expect(const char *arguments, int code, const char *file, const char *part)
{
	int found = evaluate(arguments);
	if (found != code)
		fail_msg("evaluate %s: exit code %d, want %d: %s", arguments, found, code, text_of("err"));
	if (!strstr(text_of(file), part))
		fail_msg("evaluate %s: \"%s\" is not in %s: %s", arguments, part, file, text_of(file));
}

/* Field number k (from 0) of a CSV line, quotes removed, into out. */
static void csv_field(const char *line, int k, char out[128])
{
	bool quoted = false;
	size_t n = 0;
	for (; *line && *line != '\n' && (k > 0 || quoted || *line != ','); line++) {
		if (*line == '"')
			quoted = !quoted;
		else if (k == 0 && n < 127)
			out[n++] = *line;
		if (*line == ',' && !quoted)
			k--;
	}
	out[n] = 0;
}

/* The named column of the first row whose fields of the given columns are as wanted (key2 NULL: any). */
static const char *csv_at(const char *file, const char *key1, const char *want1, const char *key2, const char *want2,
                          const char *column)
{
	static char value[128];
	const char *text = text_of(file);
	int index[3] = {-1, -1, -1};
	char field[128];
	for (int k = 0; k < 64; k++) {
		csv_field(text, k, field);
		index[0] = strcmp(field, key1) == 0 ? k : index[0];
		index[1] = key2 && strcmp(field, key2) == 0 ? k : index[1];
		index[2] = strcmp(field, column) == 0 ? k : index[2];
	}
	assert_true(index[0] >= 0 && index[2] >= 0 && (!key2 || index[1] >= 0));
	for (const char *line = strchr(text, '\n'); line && line[1]; line = strchr(line + 1, '\n')) {
		csv_field(line + 1, index[0], field);
		if (strcmp(field, want1) != 0)
			continue;
		if (key2) {
			csv_field(line + 1, index[1], field);
			if (strcmp(field, want2) != 0)
				continue;
		}
		csv_field(line + 1, index[2], value);
		return value;
	}
	fail_msg("%s has no row %s, %s", file, want1, want2 ? want2 : "");
	return NULL;
}

/* The score in csv "s.csv". */
static double score(const char *name, const char *class_name, const char *column)
{
	const char *v = csv_at("s.csv", "case", name, "class", class_name, column);
	return *v ? strtod(v, NULL) : NAN;
}

static double heart(const char *subject, const char *column)
{
	const char *v = csv_at("h.csv", "subject", subject, NULL, NULL, column);
	return *v ? strtod(v, NULL) : NAN;
}

static void expect_near(double found, double want)
{
	if (!(fabs(found - want) < 1e-9))
		fail_msg("%.12g, want %.12g", found, want);
}

/* ---- label maps --------------------------------------------------------------------------------------------------------- */

/* n1 voxels of value v1, then n2 of v2, then n3 of v3. */
static void labels(const char *name, int n1, int v1, int n2, int v2, int n3, int v3)
{
	uint8_t v[TREE_VOXELS] = {0};
	assert_true(n1 + n2 + n3 <= TREE_VOXELS);
	for (int i = 0; i < n1 + n2 + n3; i++)
		v[i] = (uint8_t)(i < n1 ? v1 : i < n1 + n2 ? v2 : v3);
	tree_labels(name, 1, v, TREE_VOXELS, 0);
}

/* One ACDC subject. Own values: RV 1, MYO 2, LV 3. LV 20 voxels at ED, 8 at ES: EF 60 %. RV 12 and 9: EF 25 %. */
static void acdc_subject(const char *subject)
{
	char name[200];
	snprintf(name, sizeof name, "acdc/training/%s/Info.cfg", subject);
	tree_text(name, "ED: 1\nES: 12\nGroup: NOR\n");
	for (int k = 0; k < 2; k++) {
		snprintf(name, sizeof name, "acdc/training/%s/%s_frame%s.nii.gz", subject, subject, k ? "12" : "01");
		tree_image(name, 1, 0);
	}
	snprintf(name, sizeof name, "acdc/training/%s/%s_frame01_gt.nii.gz", subject, subject);
	labels(name, 20, 3, 10, 2, 12, 1);
	snprintf(name, sizeof name, "acdc/training/%s/%s_frame12_gt.nii.gz", subject, subject);
	labels(name, 8, 3, 14, 2, 9, 1);
}

/* ---- tests -------------------------------------------------------------------------------------------------------------- */

static void scores_two_files(void **state)
{
	(void)state;
	tree_new();
	labels("a.nii.gz", 8, 1, 4, 2, 0, 0);
	labels("b.nii.gz", 10, 1, 2, 2, 0, 0);
	expect("a.nii.gz b.nii.gz --csv s.csv", 0, "out", "class_1");
	assert_non_null(strstr(text_of("err"), "nothing names the label values 1, 2"));
	expect_near(score("b", "class_1", "dice"), 2 * 8.0 / 18);
	expect_near(score("b", "class_1", "jaccard"), .8);
	expect_near(score("b", "class_1", "precision"), 1);
	expect_near(score("b", "class_1", "recall"), .8);
	expect_near(score("b", "class_2", "dice"), 2 * 2.0 / 6);
	expect_near(score("b", "class_1", "volume_ml"), 8 * voxel_ml);
	expect_near(score("b", "class_1", "volume_ref_ml"), 10 * voxel_ml);
	expect_near(score("b", "class_1", "volume_diff_ml"), -2 * voxel_ml);
	/* Every object voxel is surface; the two that lack are 1 and 2 voxels of 2 mm away in the row above or beside. */
	expect_near(score("b", "class_1", "hd_mm"), 2);
	expect_near(score("b", "class_1", "assd_mm"), 2 * 2.0 / 18);
	expect_near(score("b", "class_1", "nsd"), 1);
	expect_near(score("MEAN", "class_1", "dice"), 2 * 8.0 / 18);
	expect_near(score("MEAN", "", "dice"), (2 * 8.0 / 18 + 2.0 / 3) / 2);
	expect("a.nii.gz b.nii.gz --tolerance 1.9 --csv s.csv", 0, "out", "NSD at 1.9 mm");
	expect_near(score("b", "class_1", "nsd"), 16.0 / 18);
	expect("a.nii.gz b.nii.gz --spacing 1,1,8 --csv s.csv", 0, "out", "");
	expect_near(score("b", "class_1", "hd_mm"), 1);
	expect_near(score("b", "class_1", "volume_ml"), 8 * voxel_ml / 4);
	tree_remove();
}

static void scores_a_data_set(void **state)
{
	(void)state;
	tree_new();
	acdc_subject("patient001");
	acdc_subject("patient002");
	/* Class numbers: LV 1, MYO 2, RV 3. One name of each kind. */
	labels("pred/patient001_ED.nii.gz", 20, 1, 10, 2, 12, 3);
	labels("pred/patient001_frame12.nii.gz", 10, 1, 12, 2, 9, 3);
	labels("pred/patient002_frame01_gt.nii.gz", 20, 1, 10, 2, 12, 3);
	labels("pred/patient002_ES.nii", 8, 1, 14, 2, 9, 3);
	expect("pred acdc --class-numbers --csv s.csv --heart-csv h.csv --json e.json", 0, "out", "4 cases");
	expect_near(score("patient001_ED", "LV", "dice"), 1);
	expect_near(score("patient001_ES", "LV", "dice"), 2 * 8.0 / 18);
	expect_near(score("MEAN", "LV", "dice"), (3 + 2 * 8.0 / 18) / 4);
	expect_near(heart("patient001", "lv_ef_percent"), 50);
	expect_near(heart("patient001", "lv_ef_percent_ref"), 60);
	expect_near(heart("patient001", "lv_ef_percent_diff"), -10);
	expect_near(heart("patient001", "lv_edv_ml"), 20 * voxel_ml);
	expect_near(heart("patient001", "lv_esv_ml_ref"), 8 * voxel_ml);
	expect_near(heart("patient001", "lv_sv_ml"), 10 * voxel_ml);
	expect_near(heart("patient001", "lv_mass_g"), 10 * voxel_ml * 1.05);
	expect_near(heart("patient001", "rv_ef_percent_ref"), 25);
	expect_near(heart("patient002", "lv_ef_percent_diff"), 0);
	cJSON *root = cJSON_Parse(text_of("e.json"));
	const cJSON *ef = cJSON_GetObjectItem(cJSON_GetObjectItem(root, "subject_difference"), "lv_ef_percent");
	expect_near(cJSON_GetNumberValue(cJSON_GetObjectItem(ef, "mean")), -5);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(root, "cases")), 4);
	assert_int_equal(cJSON_GetArraySize(cJSON_GetObjectItem(root, "failures")), 0);
	cJSON_Delete(root);

	/* The reference's own values; as class numbers RV and LV are exchanged and Dice shows it. */
	labels("own/patient001_ED.nii.gz", 20, 3, 10, 2, 12, 1);
	expect("own acdc --allow-missing --csv s.csv", 0, "err", "taken for the reference's own; say so");
	expect_near(score("patient001_ED", "LV", "dice"), 1);
	expect("own/patient001_ED.nii.gz acdc --class-numbers --csv s.csv", 0, "out", "1 case");
	expect_near(score("patient001_ED", "LV", "dice"), 0);
	tree_remove();
}

/* The predicted Dice of the quality table beside the true one; what was not predicted does not count. */
static void judges_the_predicted_dice(void **state)
{
	(void)state;
	tree_new();
	acdc_subject("patient001");
	acdc_subject("patient002");
	labels("pred/patient001_ED.nii.gz", 20, 1, 10, 2, 12, 3); /* all right */
	labels("pred/patient001_ES.nii.gz", 8, 1, 14, 2, 9, 3);
	labels("pred/patient002_ED.nii.gz", 2, 1, 0, 0, 0, 0); /* Dice of LV 4 / 22, of the others 0 */
	labels("pred/patient002_ES.nii.gz", 8, 1, 14, 2, 9, 3);
	tree_text("pred/quality.csv", "scan,output,frame,status,predicted_dice,predicted_dice_low,warnings\n"
	                              "\"a, \"\"b\"\"\",patient001_ED.nii.gz,,ok,0.9,0.8,\"two\nlines\"\r\n"
	                              "c,patient002_ED.nii.gz,,ok,0.4,0.3,\n"
	                              "d,patient002_ES.nii.gz,,ok,,,\n"
	                              "e,,,failed,,,no such scan\n"
	                              "f,patient001_ES.nii.gz,,ok,0.8,0.7,\n"
	                              "g,stranger.nii.gz,,ok,0.1,0,");
	expect("pred acdc --class-numbers --quality pred/quality.csv --json e.json", 0, "out",
	       "predicted Dice of 3 scans, 1 of them below 0.7: area under the curve 1.000 (");
	cJSON *root = cJSON_Parse(text_of("e.json"));
	const cJSON *f = cJSON_GetObjectItem(root, "predicted_dice");
	expect_near(cJSON_GetNumberValue(cJSON_GetObjectItem(f, "n")), 3);
	expect_near(cJSON_GetNumberValue(cJSON_GetObjectItem(f, "subjects")), 2);
	expect_near(cJSON_GetNumberValue(cJSON_GetObjectItem(f, "auc")), 1);
	expect_near(cJSON_GetNumberValue(cJSON_GetObjectItem(f, "mean_absolute_error")), (0.1 + 0.2 + 0.4 - 4. / 66) / 3);
	expect_near(cJSON_GetNumberValue(cJSON_GetObjectItem(f, "below_bound")), 1. / 3);
	cJSON_Delete(root);
	expect("pred acdc --class-numbers", 0, "out", "4 cases");
	assert_null(strstr(text_of("out"), "predicted Dice"));
	tree_text("q.csv", "scan,output,frame\n");
	expect("pred acdc --class-numbers --quality q.csv", 1, "err", "q.csv: no column \"predicted_dice\"");
	tree_text("q.csv", "output,frame,predicted_dice,predicted_dice_low\npatient001_ED.nii.gz,,,\n");
	expect("pred acdc --class-numbers --quality q.csv", 1, "err", "q.csv: no predicted Dice of any scored case");
	expect("pred acdc --class-numbers --quality absent.csv", 1, "err", "absent.csv");
	tree_remove();
}

/* Predictions of a cine are taken by frame; a site's name with a comma is quoted. */
static void takes_frames_of_a_cine(void **state)
{
	(void)state;
	static const uint8_t one_each[] = {0, 1, 2, 3, 3}, none[] = {0};
	tree_new();
	tree_text("mnms/info.csv", "External code,VendorName,Vendor,Centre,ED,ES\nA1,\"Siemens, AG\",A,1,0,3\n");
	tree_image("mnms/Labeled/A1/A1_sa.nii.gz", 4, 0);
	tree_labels("mnms/Labeled/A1/A1_sa_gt.nii.gz", 4, one_each, 5, 0);
	tree_labels("pred/A1_sa.nii.gz", 4, one_each, 5, 0);
	expect("pred mnms --csv s.csv", 0, "out", "2 cases");
	expect_near(score("A1_ES", "RV", "dice"), 1);
	assert_string_equal(csv_at("s.csv", "case", "A1_ES", "class", "RV", "site"), "Siemens, AG, centre 1");
	/* One frame cannot be both phases. */
	tree_labels("pred/A1_sa.nii.gz", 1, none, 1, 0);
	expect("pred mnms", 1, "err", "one frame, want all frames");
	tree_remove();
}

static void counts_empty_objects(void **state)
{
	(void)state;
	tree_new();
	/* A: class 1 on both sides, 2 in neither. B: 1 only in the reference, 2 only in the prediction. */
	labels("ref/A.nii.gz", 10, 1, 0, 0, 0, 0);
	labels("ref/B.nii.gz", 10, 1, 0, 0, 0, 0);
	labels("pred/A.nii.gz", 10, 1, 0, 0, 0, 0);
	labels("pred/B.nii.gz", 0, 0, 0, 0, 5, 2);
	expect("pred ref --labels first=1,second=2 --csv s.csv --json e.json", 0, "out",
	       "second: in 1 of 2 cases missing from the reference (Dice 0, distances undefined)");
	assert_non_null(strstr(text_of("out"), "second: in 1 of 2 cases in neither (distances undefined), Dice undefined"));
	assert_true(isnan(score("A", "second", "dice")) && isnan(score("A", "second", "hd_mm")));
	assert_true(isnan(score("A", "second", "nsd")) && isnan(score("B", "first", "assd_mm")));
	expect_near(score("B", "first", "dice"), 0);
	expect_near(score("B", "first", "nsd"), 0);
	expect_near(score("B", "second", "dice"), 0);
	assert_string_equal(csv_at("s.csv", "case", "A", "class", "second", "state"), "neither");
	assert_string_equal(csv_at("s.csv", "case", "B", "class", "first", "state"), "no prediction");
	expect_near(score("MEAN", "first", "dice"), .5);
	expect_near(score("MEAN", "second", "dice"), 0);
	cJSON *root = cJSON_Parse(text_of("e.json"));
	const cJSON *second = cJSON_GetObjectItem(cJSON_GetObjectItem(root, "classes"), "second");
	const cJSON *dice = cJSON_GetObjectItem(second, "dice");
	expect_near(cJSON_GetNumberValue(cJSON_GetObjectItem(dice, "n_undefined")), 1);
	assert_true(cJSON_IsNull(cJSON_GetObjectItem(cJSON_GetObjectItem(second, "hd95_mm"), "mean")));
	const cJSON *first =
	    cJSON_GetObjectItem(cJSON_GetObjectItem(cJSON_GetArrayItem(cJSON_GetObjectItem(root, "cases"), 1), "classes"), "first");
	assert_true(cJSON_IsNull(cJSON_GetObjectItem(first, "hd_mm")));
	cJSON_Delete(root);

	expect("pred ref --labels first=1,second=2 --empty one --csv s.csv", 0, "out", "Dice set to 1");
	expect_near(score("A", "second", "dice"), 1);
	expect_near(score("A", "second", "nsd"), 1);
	assert_true(isnan(score("A", "second", "hd_mm")));
	expect_near(score("MEAN", "second", "dice"), .5);
	expect("pred ref --labels first=1,second=2 --empty zero --csv s.csv", 0, "out", "Dice set to 0");
	expect_near(score("A", "second", "dice"), 0);
	tree_remove();
}

/* Flat data set without RV, labels on one of two slices, MYO in ED only. */
static void scores_labelled_slices(void **state)
{
	(void)state;
	tree_new();
	tree_image("flat/S1_ED.nii.gz", 1, 0);
	tree_image("flat/S1_ES.nii.gz", 1, 0);
	labels("flat/S1_ED_gt.nii.gz", 12, 3, 6, 2, 0, 0);
	labels("flat/S1_ES_gt.nii.gz", 9, 3, 0, 0, 0, 0);
	/* The prediction agrees on the first slice (30 voxels) and has more on the second; MYO also at ES, and RV. */
	uint8_t ed[TREE_VOXELS] = {0}, es[TREE_VOXELS] = {0};
	for (int i = 0; i < TREE_VOXELS; i++) {
		ed[i] = (uint8_t)(i % 30 < 12 ? 1 : i % 30 < 18 ? 2 : 3);
		es[i] = (uint8_t)(i % 30 < 9 ? 1 : i % 30 < 14 ? 2 : 0);
	}
	tree_labels("pred/S1_ED.nii.gz", 1, ed, TREE_VOXELS, 0);
	tree_labels("pred/S1_ES.nii.gz", 1, es, TREE_VOXELS, 0);
	expect("pred flat --class-numbers --labels lv=3,myo=2 --labelled-slices --csv s.csv --heart-csv h.csv", 0, "out",
	       "MYO: in 1 of 2 cases not labelled (undefined)");
	assert_null(strstr(text_of("out"), "RV"));
	expect_near(score("S1_ED", "LV", "dice"), 1);
	expect_near(score("S1_ED", "LV", "hd95_mm"), 0);
	expect_near(score("S1_ED", "LV", "n_slices"), 1);
	expect_near(score("S1_ED", "LV", "volume_ml"), 12 * voxel_ml);
	expect_near(score("S1_ES", "LV", "dice"), 1);
	assert_true(isnan(score("S1_ES", "MYO", "dice")) && isnan(score("S1_ES", "MYO", "volume_ml")));
	expect_near(heart("S1", "lv_ef_percent"), 25);
	assert_true(isnan(heart("S1", "rv_edv_ml")));
	/* All slices: the second counts against. */
	expect("pred flat --class-numbers --labels lv=3,myo=2 --classes lv --csv s.csv", 0, "out", "LV");
	expect_near(score("S1_ED", "LV", "dice"), 2.0 / 3);
	expect_near(score("S1_ED", "LV", "hd_mm"), 8);
	assert_null(strstr(text_of("s.csv"), "MYO"));
	tree_remove();
}

static void conventions_can_be_chosen(void **state)
{
	(void)state;
	tree_new();
	labels("a.nii.gz", 30, 1, 0, 0, 0, 0);
	labels("b.nii.gz", 3, 1, 0, 0, 0, 0);
	expect("a.nii.gz b.nii.gz --csv s.csv", 0, "out", "");
	double hd95 = score("b", "class_1", "hd95_mm"), assd = score("b", "class_1", "assd_mm"), nsd = score("b", "class_1", "nsd");
	expect("a.nii.gz b.nii.gz --hd95 directed --assd directed --nsd surfels --csv s.csv", 0, "out", "");
	assert_true(score("b", "class_1", "hd95_mm") > hd95); /* the shorter list no longer dilutes the longer */
	assert_true(score("b", "class_1", "assd_mm") < assd);
	assert_true(fabs(score("b", "class_1", "nsd") - nsd) > 1e-6);
	tree_remove();
}

static void lists_missing_counterparts(void **state)
{
	(void)state;
	tree_new();
	labels("ref/A.nii.gz", 10, 1, 0, 0, 0, 0);
	labels("ref/B.nii.gz", 10, 1, 0, 0, 0, 0);
	labels("pred/A.nii.gz", 10, 1, 0, 0, 0, 0);
	labels("pred/C.nii.gz", 10, 1, 0, 0, 0, 0);
	expect("pred ref --csv s.csv", 3, "out", "B: no prediction of this name in pred");
	assert_non_null(strstr(text_of("out"), "C.nii.gz: no reference of this name in ref"));
	assert_non_null(strstr(text_of("err"), "2 without counterpart"));
	expect_near(score("A", "class_1", "dice"), 1);
	expect("pred ref --allow-missing", 0, "out", "2 not scored");
	tree_delete("pred/A.nii.gz");
	expect("pred ref", 1, "err", "none of 2 cases can be scored; the first: A: no prediction");
	tree_remove();
}

static void refuses_what_does_not_fit(void **state)
{
	(void)state;
	tree_new();
	hy_grid other = tree_grid();
	other.nz = 3;
	labels("ref/A.nii.gz", 10, 1, 0, 0, 0, 0);
	labels("ref/B.nii.gz", 10, 1, 0, 0, 0, 0);
	labels("pred/A.nii.gz", 10, 1, 0, 0, 0, 0);
	tree_labels_grid("pred/B.nii.gz", &other, 1, NULL);
	expect("pred/B.nii.gz ref/B.nii.gz", 1, "err", "pred/B.nii.gz: 6 x 5 x 3 voxels, but the reference B has 6 x 5 x 2");
	expect("pred ref --csv s.csv", 3, "out", "6 x 5 x 3 voxels");
	expect_near(score("A", "class_1", "dice"), 1);
	labels("pred/B.nii.gz", 10, 1, 4, 7, 0, 0);
	expect("pred/B.nii.gz ref/B.nii.gz", 1, "err", "pred/B.nii.gz: unknown label value 7 (4 voxels), want 0, 1 (class_1)");
	expect("ref/A.nii.gz pred/B.nii.gz --labels lv=1", 1, "err",
	       "pred/B.nii.gz: unknown label value 7 (4 voxels), want 0, 1 (LV)");
	labels("pred/B.nii.gz", 10, 1, 0, 0, 0, 0);
	tree_truncate("pred/B.nii.gz", 40);
	expect("pred ref", 3, "out", "B.nii.gz");
	expect("pred/B.nii.gz ref/B.nii.gz", 1, "err", "pred/B.nii.gz");
	expect("pred absent", 1, "err", "absent: no such file or folder");
	expect("absent ref", 1, "err", "absent: no such file or folder");
	expect("pred ref --classes LV", 2, "err", "the reference has no class \"LV\", want some of class_1");
	expect("pred ref --labels lv", 2, "err", "labels: \"lv\" is not NAME=VALUE");
	expect("pred", 2, "err", "");
	expect("pred ref --empty maybe", 2, "err", "--empty");
	expect("pred/A.nii.gz ref/A.nii.gz --csv absent/s.csv", 1, "err", "absent/s.csv");
	assert_false(hy_path_exists(tree_path("absent")));
	tree_text("none/readme.txt", "nothing");
	expect("none ref", 1, "err", "none: no NIfTI file in the folder");
	tree_remove();
}

static void warns_of_another_place_in_space(void **state)
{
	(void)state;
	tree_new();
	hy_grid moved = tree_grid();
	moved.affine[0][3] += 30;
	uint8_t v[TREE_VOXELS] = {1, 1, 1};
	labels("a.nii.gz", 3, 1, 0, 0, 0, 0);
	tree_labels_grid("b.nii.gz", &moved, 1, v);
	expect("a.nii.gz b.nii.gz", 1, "err", "a.nii.gz: the header puts voxels up to 30.00 mm away from those of the reference b");
	tree_remove();
}

static void another_axis_order_scores_the_same(void **state)
{
	(void)state;
	static const hy_order order = {{2, 1, 0}, {true, false, true}};
	const hy_grid g = tree_grid(), other = hy_order_grid(&order, &g);
	uint8_t v[TREE_VOXELS] = {1, 1, 1, 2, 2, 0, 2}, turned[TREE_VOXELS];
	hy_order_voxels(&order, &g, 1, 1, v, turned);
	tree_new();
	tree_labels_grid("ref/a.nii.gz", &g, 1, v);
	tree_labels_grid("pred/a.nii.gz", &other, 1, turned);
	expect("pred ref --csv s.csv", 0, "err", "in another axis order (IAL, there RAS); reordered");
	expect_near(score("a", "class_1", "dice"), 1);
	expect_near(score("a", "class_2", "dice"), 1);
	/* One that is elsewhere keeps no other from being scored. */
	hy_grid moved = g;
	moved.affine[0][3] += 30;
	tree_labels_grid("ref/b.nii.gz", &g, 1, v);
	tree_labels_grid("pred/b.nii.gz", &moved, 1, v);
	expect("pred ref", 3, "err", "1 case scored; 0 without counterpart, 1 that cannot be scored");
	tree_remove();
}

static void exchanged_classes_are_asked_about(void **state)
{
	(void)state;
	tree_new();
	tree_image("ref/a.nii.gz", 1, 0);
	tree_labels("ref/a_gt.nii.gz", 1, (const uint8_t[]){1, 1, 2, 3, 3, 3}, 6, 0);
	tree_labels("pred/a.nii.gz", 1, (const uint8_t[]){1, 1, 2, 3, 3, 3}, 6, 0);
	expect("pred ref --labels rv=1,myo=2,lv=3 --class-numbers", 0, "err",
	       "classes look exchanged: the predictions' RV lies where the reference has LV, LV lies where the reference has RV");
	assert_non_null(strstr(text_of("err"), "leave class numbers out"));
	expect("pred ref --labels rv=1,myo=2,lv=3", 0, "out", "1.0000");
	assert_null(strstr(text_of("err"), "exchanged"));
	/* Values that are no class numbers. */
	expect("pred ref --labels rv=3,myo=2,lv=1", 0, "out", "1.0000");
	tree_labels("ref/a_gt.nii.gz", 1, (const uint8_t[]){9, 9, 7, 5, 5, 5}, 6, 0);
	tree_labels("pred/a.nii.gz", 1, (const uint8_t[]){9, 9, 7, 5, 5, 5}, 6, 0);
	expect("pred ref --labels rv=9,myo=7,lv=5 --class-numbers", 1, "err",
	       "it is one of the reference's own values: leave class numbers out");
	tree_remove();
}

static void a_cine_serves_the_frames_of_acdc(void **state)
{
	(void)state;
	static const uint8_t v[] = {0, 1, 2, 3, 3};
	uint8_t cine[3 * TREE_VOXELS] = {0};
	const hy_grid g = tree_grid();
	tree_new();
	tree_text("acdc/patient001/Info.cfg", "\xEF\xBB\xBF"
	                                      "ED: 1\nES: 3\n");
	for (int k = 1; k <= 3; k += 2) {
		char name[100];
		snprintf(name, sizeof name, "acdc/patient001/patient001_frame%02d.nii.gz", k);
		tree_image(name, 1, (float)k);
		snprintf(name, sizeof name, "acdc/patient001/patient001_frame%02d_gt.nii.gz", k);
		tree_labels(name, 1, v, 5, 0);
		memcpy(cine + (k - 1) * TREE_VOXELS, v, sizeof v);
	}
	cine[2 * TREE_VOXELS + 4] = 0;
	tree_labels_grid("pred/patient001_4d.nii.gz", &g, 3, cine);
	expect("pred acdc --csv s.csv", 0, "out", "2 cases");
	expect_near(score("patient001_ED", "LV", "dice"), 1);
	expect_near(score("patient001_ES", "LV", "dice"), 2.0 / 3);
	tree_remove();
}

static void the_table_beside_predictions_says_what_values_are(void **state)
{
	(void)state;
	const char *table =
	    "{\"hardy_version\": \"0\", \"labels\": [{\"name\": \"background\", \"value\": 0}, {\"name\": \"LV\", \"value\": 300},"
	    "{\"name\": \"MYO\", \"value\": 3}, {\"name\": \"RV\", \"value\": null}], \"training\": [%s]}";
	char text[512];
	tree_new();
	for (int k = 1; k <= 2; k++) {
		char name[100];
		snprintf(name, sizeof name, "acdc/patient%03d/Info.cfg", k);
		tree_text(name, "ED: 1\nES: 2\n");
		for (int f = 1; f <= 2; f++) {
			snprintf(name, sizeof name, "acdc/patient%03d/patient%03d_frame%02d.nii.gz", k, k, f);
			tree_image(name, 1, 0);
			snprintf(name, sizeof name, "acdc/patient%03d/patient%03d_frame%02d_gt.nii.gz", k, k, f);
			tree_labels(name, 1, (const uint8_t[]){3, 3, 2, 0, 0}, 5, 0);
			snprintf(name, sizeof name, "pred/patient%03d_%s.nii.gz", k, f > 1 ? "ES" : "ED");
			tree_labels(name, 1, k > 1 ? (const uint8_t[]){0, 0, 3, 0, 0} : (const uint8_t[]){0, 0, 0, 3, 0}, 5, 0);
		}
	}
	/* MYO has the value 3 here, which is the LV of the reference */
	snprintf(text, sizeof text, table, "");
	tree_text("pred/labels.json", text);
	expect("pred acdc --csv s.csv", 0, "out", "4 cases");
	expect_near(score("patient002_ED", "MYO", "dice"), 1);
	expect_near(score("patient002_ED", "LV", "dice"), 0);
	expect_near(score("patient001_ES", "MYO", "dice"), 0);
	expect("pred/patient002_ED.nii.gz acdc --csv s.csv", 0, "out", "1 case");
	expect_near(score("patient002_ED", "MYO", "dice"), 1);
	expect("pred acdc --own-labels --csv s.csv", 0, "out", "4 cases");
	expect_near(score("patient002_ED", "MYO", "dice"), 0);
	expect("pred acdc --own-labels --class-numbers", 2, "err", "exclude each other");
	/* who was trained on does not count */
	snprintf(text, sizeof text, table, "{\"data\": \"acdc\", \"subjects\": [\"patient001\"]}");
	tree_text("pred/labels.json", text);
	expect("pred acdc --csv s.csv", 0, "err",
	       "2 of 4 predictions are of subjects that their model was trained on (patient001 and others): left out");
	expect_near(score("MEAN", "MYO", "dice"), 1);
	expect("pred acdc --with-training --csv s.csv", 0, "out", "4 cases");
	expect_near(score("MEAN", "MYO", "dice"), 0.5);
	snprintf(text, sizeof text, table, "{\"data\": \"acdc\", \"subjects\": [\"patient001\", \"patient002\"]}");
	tree_text("pred/labels.json", text);
	expect("pred acdc --csv s.csv", 0, "err", "their scores say nothing about other scans");
	expect_near(score("MEAN", "MYO", "dice"), 0.5);
	/* a table of somebody else is none; one that hardy wrote and that is broken is an error */
	tree_text("pred/labels.json", "{\"labels\": 7}");
	expect("pred acdc --csv s.csv", 0, "out", "4 cases");
	tree_text("pred/labels.json", "{\"hardy_version\": \"0\", \"labels\": [{\"name\": \"LV\", \"value\": -4}]}");
	expect("pred acdc", 1, "err", "pred/labels.json: entry 0 of");
	tree_remove();
}

/* Label maps alone have no names: those of the table beside them, of the predictions' where it knows all their values, or of the values. */
static void reference_without_names(void **state)
{
	(void)state;
	const char *table =
	    "{\"hardy_version\": \"0\", \"labels\": [{\"name\": \"background\", \"value\": 0}, {\"name\": \"liver\", "
	    "\"value\": 1}, {\"name\": \"spleen\", \"value\": 4}]}";
	tree_new();
	labels("ref/a.nii.gz", 8, 1, 4, 4, 0, 0);
	labels("pred/a.nii.gz", 8, 1, 4, 4, 0, 0);
	expect("pred ref --csv s.csv", 0, "err",
	       "predictions are taken to hold the same; name them by the option labels, such as NAME=1,NAME=4\n");
	expect_near(score("a", "class_4", "dice"), 1);
	tree_text("pred/labels.json", table);
	expect("pred ref --csv s.csv", 0, "err",
	       "ref: nothing names the label values 1, 4; they are taken to mean what the predictions' table "
	       "says: liver=1,spleen=4\n");
	expect_near(score("a", "spleen", "dice"), 1);
	expect("pred ref --own-labels --csv s.csv", 0, "err", "predictions are taken to hold the same");
	expect_near(score("a", "class_4", "dice"), 1);
	expect("pred ref --labels x=4,y=1 --own-labels --csv s.csv", 0, "out", "1 case");
	expect_near(score("a", "x", "dice"), 1);
	labels("ref/a.nii.gz", 8, 1, 4, 2, 0, 0);
	expect("pred ref --csv s.csv", 1, "err",
	       "name them by the option labels, such as NAME=1,NAME=2\n"); /* 4 is no value of it */
	/* a name that the option could not write: the values name themselves */
	labels("ref/a.nii.gz", 8, 1, 4, 4, 0, 0);
	tree_text("pred/labels.json",
	          "{\"hardy_version\": \"0\", \"labels\": [{\"name\": \"background\", \"value\": 0}, {\"name\": "
	          "\"liver\", \"value\": 1}, {\"name\": \"spleen, left\", \"value\": 4}]}");
	expect("pred ref --csv s.csv", 0, "err", "predictions are taken to hold the same");
	expect_near(score("a", "class_1", "dice"), 1);
	expect_near(score("a", "class_4", "dice"), 1);
	tree_text("pred/labels.json", table);
	/* the reference's own table, as of predictions that are compared with others */
	labels("ref/a.nii.gz", 8, 7, 4, 9, 0, 0);
	tree_text("ref/labels.json", "{\"hardy_version\": \"0\", \"labels\": [{\"name\": \"background\", \"value\": 0}, {\"name\": "
	                             "\"spleen\", \"value\": 9}, {\"name\": \"liver\", \"value\": 7}]}");
	expect("pred ref --csv s.csv", 0, "out", "1 case");
	assert_string_equal(text_of("err"), "");
	expect_near(score("a", "spleen", "dice"), 1);
	expect_near(score("a", "liver", "dice"), 1);
	tree_remove();
}

static void two_files_of_one_name_are_not_scored(void **state)
{
	(void)state;
	tree_new();
	labels("ref/A.nii.gz", 3, 1, 0, 0, 0, 0);
	labels("ref/B.nii.gz", 3, 1, 0, 0, 0, 0);
	labels("pred/A.nii.gz", 3, 1, 0, 0, 0, 0);
	labels("pred/A.NII", 3, 1, 0, 0, 0, 0);
	labels("pred/B.nii.gz", 3, 1, 0, 0, 0, 0);
	expect("pred ref", 3, "err", "pred: A.NII and A.nii.gz: two files of one name, which is meant?");
	expect("pred ref --strict", 1, "err", "two files of one name");
	tree_delete("pred/A.NII");
	labels("ref/B.nii", 3, 1, 0, 0, 0, 0);
	expect("pred ref", 3, "err", "ref: B.nii and B.nii.gz: two files of one name, which is meant?");
	tree_remove();
}

static void long_names_are_compared_whole(void **state)
{
	(void)state;
	char name[256], path[300];
	tree_new();
	memset(name, 'y', sizeof name);
	for (int k = 0; k < 3; k++) {
		snprintf(name + 230, sizeof name - 230, "%d", k); /* with room for a file that is being written */
		snprintf(path, sizeof path, "ref/%s.nii.gz", name);
		labels(path, 3 + k, 1, 0, 0, 0, 0);
		snprintf(path, sizeof path, "pred/%s.nii.gz", name);
		labels(path, 3 + k, 1, 0, 0, 0, 0);
	}
	expect("pred ref --threshold-dice 1", 0, "out", "3 cases");
	tree_remove();
}

static void a_bad_subject_keeps_none_from_being_scored(void **state)
{
	(void)state;
	tree_new();
	tree_text("acdc/patient001/Info.cfg", "ED: 1\n"); /* no ES */
	tree_image("acdc/patient001/patient001_frame01.nii.gz", 1, 0);
	tree_labels("acdc/patient001/patient001_frame01_gt.nii.gz", 1, (const uint8_t[]){1, 2, 3}, 3, 0);
	tree_labels("pred/patient001_ED.nii.gz", 1, (const uint8_t[]){1, 2, 3}, 3, 0);
	expect("pred acdc", 3, "out", "1.0000");
	assert_non_null(strstr(text_of("err"), "no line \"ES: N\""));
	expect("pred acdc --strict", 1, "err", "no line \"ES: N\"");
	tree_remove();
}

static void exits_below_a_threshold(void **state)
{
	(void)state;
	tree_new();
	labels("a.nii.gz", 8, 1, 0, 0, 0, 0);
	labels("b.nii.gz", 10, 1, 0, 0, 0, 0);
	expect("a.nii.gz b.nii.gz --threshold-dice .9 --csv s.csv", 4, "err", "mean Dice is 0.8889, want 0.9 or more");
	expect_near(score("b", "class_1", "dice"), 2 * 8.0 / 18);
	expect("a.nii.gz b.nii.gz --threshold-dice .88", 0, "out", "0.8889");
	/* Nothing defined is not enough. */
	labels("none.nii.gz", 0, 0, 0, 0, 0, 0);
	expect("none.nii.gz none.nii.gz --labels lv=1 --threshold-dice 0", 4, "err", "mean Dice is nan");
	tree_remove();
}

static void writes_json_alone_to_stdout(void **state)
{
	(void)state;
	tree_new();
	labels("a.nii.gz", 8, 1, 0, 0, 0, 0);
	expect("a.nii.gz a.nii.gz --json -", 0, "out", "{");
	cJSON *root = cJSON_Parse(text_of("out"));
	assert_non_null(root);
	expect_near(cJSON_GetNumberValue(cJSON_GetObjectItem(cJSON_GetObjectItem(root, "mean"), "dice")), 1);
	cJSON_Delete(root);
	tree_remove();
}

/* In this process, so that allocations can be made to fail one after the other. */
/* ---- scores that are kept ----------------------------------------------------------------------------------------------- */

enum { MANY_SUBJECTS = 4, MANY_CASES = 2 * MANY_SUBJECTS };

/* Predictions that are wrong here and there, so that scores are no round numbers; one class is missing from one of them. */
static void many_predictions(void)
{
	for (int i = 0; i < MANY_SUBJECTS; i++) {
		char name[64];
		snprintf(name, sizeof name, "patient%03d", i + 1);
		acdc_subject(name);
		snprintf(name, sizeof name, "pred/patient%03d_ED.nii.gz", i + 1);
		labels(name, 17 + i, 3, 11, 2, i ? 12 : 0, 1);
		snprintf(name, sizeof name, "pred/patient%03d_ES.nii.gz", i + 1);
		labels(name, 7 + i, 3, 13, 2, 9, 1);
	}
}

static char *copy_of(const char *name)
{
	char *copy = hy_strdup(text_of(name));
	assert_non_null(copy);
	return copy;
}

/* The call prints and writes these tables of all cases. */
static void expect_tables(const char *options, char *const want[4])
{
	static const char *const names[4] = {"out", "s.csv", "h.csv", "e.json"};
	char line[512];
	snprintf(line, sizeof line, "pred acdc %s --csv s.csv --heart-csv h.csv --json e.json --overwrite", options);
	expect(line, 0, "out", "8 cases");
	for (int i = 0; i < 4; i++)
		if (strcmp(text_of(names[i]), want[i]) != 0)
			fail_msg("evaluate %s: %s is\n%s\nwant\n%s", options, names[i], text_of(names[i]), want[i]);
}

static void make_tables(const char *options, char *made[4])
{
	static const char *const names[4] = {"out", "s.csv", "h.csv", "e.json"};
	char line[512];
	snprintf(line, sizeof line, "pred acdc %s --csv s.csv --heart-csv h.csv --json e.json --overwrite", options);
	expect(line, 0, "out", "8 cases");
	for (int i = 0; i < 4; i++)
		made[i] = copy_of(names[i]);
}

static void drop_tables(char *tables[4])
{
	for (int i = 0; i < 4; i++)
		hy_free(tables[i]);
}

static size_t files_in(const char *folder)
{
	hy_names names = {0};
	hardy_error err = {0};
	assert_ok(hy_list_folder(tree_path(folder), &names, &err), &err);
	const size_t n = names.n;
	hy_names_free(&names);
	return n;
}

/* The path in the tree of the file that part K/N keeps. */
static const char *kept_file(const char *part)
{
	static char path[300];
	hy_names names = {0};
	hardy_error err = {0};
	path[0] = 0;
	assert_ok(hy_list_folder(tree_path("kept"), &names, &err), &err);
	for (size_t i = 0; i < names.n; i++)
		if (strstr(names.name[i], part))
			snprintf(path, sizeof path, "kept/%s", names.name[i]);
	hy_names_free(&names);
	assert_true(path[0]);
	return path;
}

/* Work in parts, cut short and begun again, ends with the bytes of work in one piece, and scores nothing twice. */
static void parts_make_the_same_tables(void **state)
{
	(void)state;
	char *whole[4], *other[4], line[200];
	tree_new();
	many_predictions();
	make_tables("", whole);
	for (int k = 3; k >= 1; k--) {
		snprintf(line, sizeof line, "pred acdc --keep kept --keep-every 0.001s --part %d/3", k);
		expect(line, 0, "err", k == 3 ? "2 of 8 cases" : "3 of 8 cases");
		assert_string_equal(text_of("out"), "");
		assert_int_equal(files_in("kept"), 4 - k); /* and no lock */
	}
	expect_tables("--keep kept", whole);
	assert_non_null(strstr(text_of("err"), "8 of 8 cases are scored in kept already"));
	assert_int_equal(files_in("kept"), 3);

	/* parts of another number take what is there */
	expect("pred acdc --keep kept --part 2/2", 0, "err", "4 of 4 cases are scored in kept already");

	/* one part's work is lost: the last call does it */
	tree_delete(kept_file("-2-of-3"));
	expect_tables("--keep kept", whole);
	assert_non_null(strstr(text_of("err"), "5 of 8 cases are scored in kept already"));
	expect_tables("--keep kept", whole);
	assert_non_null(strstr(text_of("err"), "8 of 8 cases are scored in kept already"));

	/* other conventions are other scores, beside the first ones */
	make_tables("--tolerance 1.9 --hd95 directed", other);
	expect_tables("--tolerance 1.9 --hd95 directed --keep kept", other);
	assert_null(strstr(text_of("err"), "already"));
	expect_tables("--keep kept", whole);
	drop_tables(other);

	/* a label map that was made again is scored again */
	labels("pred/patient003_ED.nii.gz", 12, 3, 8, 2, 12, 1);
	make_tables("", other);
	expect_tables("--keep kept", other);
	assert_non_null(strstr(text_of("err"), "7 of 8 cases are scored in kept already"));
	drop_tables(other);
	drop_tables(whole);
	tree_remove();
}

/* What is damaged there, or is somebody else's, is not believed, and not written over. */
static void kept_scores_are_checked(void **state)
{
	(void)state;
	char *whole[4], *text;
	tree_new();
	many_predictions();
	make_tables("", whole);
	expect("pred acdc --keep kept --part 1/1", 0, "err", "8 of 8 cases");
	const char *path = kept_file("-1-of-1");
	text = copy_of(path);
	tree_truncate(path, (long)strlen(text) - 20); /* the last row has fewer columns, or a shorter number */
	expect_tables("--keep kept", whole);
	assert_string_equal(text_of(path), text);
	static const char *const rows[][2] = {
	    {",both,", ",nothing,"}, {":", ";"}, {",2,\"", ",-2,\""}, {",1,", ",one,"}, {",1,", ",nan,"}};
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		char *damaged = hy_strdup(text), *at = strstr(strchr(damaged, '\n'), rows[i][0]);
		if (at) { /* every spelling that a row has is tried, in its first place */
			const size_t rest = strlen(at + strlen(rows[i][0])) + 1;
			char *longer = hy_alloc(strlen(damaged) + 64, 1);
			assert_non_null(longer);
			sprintf(longer, "%.*s%s%.*s", (int)(at - damaged), damaged, rows[i][1], (int)rest, at + strlen(rows[i][0]));
			tree_text(path, longer);
			hy_free(longer);
			expect_tables("--keep kept", whole);
			assert_non_null(strstr(text_of("err"), "7 of 8 cases are scored in kept already"));
			assert_string_equal(text_of(path), text);
		}
		hy_free(damaged);
	}
	tree_text(path, "a poem\n");
	expect("pred acdc --keep kept", 2, "err", "no table of kept scores");
	assert_string_equal(text_of(path), "a poem\n");
	hy_free(text);
	drop_tables(whole);
	tree_remove();
}

static void parts_are_asked_for_rightly(void **state)
{
	(void)state;
	tree_new();
	many_predictions();
	expect("pred acdc --part 1/2", 2, "err", "no folder to keep scores in");
	expect("pred acdc --keep kept --part 3/2", 2, "err", "want K/N");
	expect("pred acdc --keep kept --part 1/2 --csv s.csv", 2, "err", "makes no table");
	expect("pred acdc --keep kept --part 1/2 --threshold-dice 0.5", 2, "err", "threshold of Dice");
	expect("pred acdc --keep kept --part 9/9", 0, "err", "part 9 of 9: 0 of 8 cases");
	assert_false(hy_path_exists(tree_path("kept")));
	tree_text("file", "text");
	expect("pred acdc --keep file/kept", 1, "err", "file");
	/* what has no counterpart fails the part that it belongs to, and the table of all */
	tree_delete("pred/patient001_ES.nii.gz");
	labels("pred/stranger.nii.gz", 5, 1, 0, 0, 0, 0);
	expect("pred acdc --keep kept --part 1/2", 0, "err", "4 of 8 cases");
	expect("pred acdc --keep kept --part 2/2", 3, "err", "3 cases scored; 1 without counterpart");
	expect("pred acdc --keep kept", 3, "err", "7 cases scored; 2 without counterpart");
	expect("pred acdc --keep kept --allow-missing", 0, "err", "7 of 8 cases are scored in kept already");
	tree_remove();
}

static bool stop_at_once(void *payload)
{
	int *left = payload;
	return (*left)-- <= 0;
}

/* Asked to stop, it keeps what is scored. */
static void an_interrupted_evaluation_goes_on(void **state)
{
	(void)state;
	tree_new();
	many_predictions();
	char prediction[700], reference[700], keep[700];
	snprintf(prediction, sizeof prediction, "%s", tree_path("pred"));
	snprintf(reference, sizeof reference, "%s", tree_path("acdc"));
	snprintf(keep, sizeof keep, "%s", tree_path("kept"));
	int left = 0;
	const hardy_stop stop = {stop_at_once, &left};
	hardy_evaluate_options o;
	hardy_evaluation e = {0};
	hardy_error err = {0};
	hardy_evaluate_options_init(&o);
	o.prediction = prediction;
	o.reference = reference;
	o.stop = &stop;
	const int threads = hy_threads_set(1);
	left = 3;
	assert_int_equal(hardy_evaluate(&o, &e, NULL, &err), HARDY_ERROR_INTERRUPTED);
	assert_non_null(strstr(err.message, "3 of 8 cases are done; nothing is kept"));
	o.keep = keep;
	left = 3;
	assert_int_equal(hardy_evaluate(&o, &e, NULL, &err), HARDY_ERROR_INTERRUPTED);
	assert_non_null(strstr(err.message, "3 of 8 cases are done"));
	left = 5; /* the others */
	assert_ok(hardy_evaluate(&o, &e, NULL, &err), &err);
	assert_int_equal(e.n_cases, 8);
	hardy_evaluation_clear(&e);
	left = 0; /* nothing is left to be stopped */
	assert_ok(hardy_evaluate(&o, &e, NULL, &err), &err);
	hardy_evaluation_clear(&e);
	hy_threads_set(threads);
	tree_remove();
}

static void memory_runs_out(void **state)
{
	(void)state;
	tree_new();
	labels("ref/A_ED.nii.gz", 20, 1, 5, 2, 0, 0);
	labels("ref/A_ES.nii.gz", 10, 1, 5, 2, 0, 0);
	labels("pred/A_ED.nii.gz", 18, 1, 5, 2, 0, 0);
	labels("pred/A_ES.nii.gz", 10, 1, 6, 2, 0, 0);
	char prediction[700], reference[700];
	snprintf(prediction, sizeof prediction, "%s", tree_path("pred"));
	snprintf(reference, sizeof reference, "%s", tree_path("ref"));
	hardy_evaluate_options o;
	hardy_evaluate_options_init(&o);
	o.prediction = prediction;
	o.reference = reference;
	o.labels = "lv=1,myo=2";
	int n_failures = 0, n_partial = 0;
	for (int64_t k = 1;; k++) {
		hardy_evaluation e = {0};
		hardy_error err = {0};
		hy_memory_fail_at(k);
		hardy_status status = hardy_evaluate(&o, &e, NULL, &err);
		hy_memory_fail_at(0);
		if (status == HARDY_OK) {
			assert_int_equal(e.n_cases, 2);
			assert_int_equal(e.n_hearts, 1);
			hardy_evaluation_clear(&e);
			break;
		}
		assert_true(status == HARDY_ERROR_MEMORY || status == HARDY_ERROR_PARTIAL);
		n_failures += status == HARDY_ERROR_MEMORY;
		n_partial += status == HARDY_ERROR_PARTIAL;
		hardy_evaluation_clear(&e);
	}
	assert_true(n_failures > 5 && n_partial > 5);
	tree_remove();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(scores_two_files),
	    cmocka_unit_test(scores_a_data_set),
	    cmocka_unit_test(judges_the_predicted_dice),
	    cmocka_unit_test(takes_frames_of_a_cine),
	    cmocka_unit_test(counts_empty_objects),
	    cmocka_unit_test(scores_labelled_slices),
	    cmocka_unit_test(conventions_can_be_chosen),
	    cmocka_unit_test(lists_missing_counterparts),
	    cmocka_unit_test(refuses_what_does_not_fit),
	    cmocka_unit_test(warns_of_another_place_in_space),
	    cmocka_unit_test(exits_below_a_threshold),
	    cmocka_unit_test(writes_json_alone_to_stdout),
	    cmocka_unit_test(another_axis_order_scores_the_same),
	    cmocka_unit_test(exchanged_classes_are_asked_about),
	    cmocka_unit_test(a_cine_serves_the_frames_of_acdc),
	    cmocka_unit_test(the_table_beside_predictions_says_what_values_are),
	    cmocka_unit_test(reference_without_names),
	    cmocka_unit_test(two_files_of_one_name_are_not_scored),
	    cmocka_unit_test(long_names_are_compared_whole),
	    cmocka_unit_test(a_bad_subject_keeps_none_from_being_scored),
	    cmocka_unit_test(parts_make_the_same_tables),
	    cmocka_unit_test(kept_scores_are_checked),
	    cmocka_unit_test(parts_are_asked_for_rightly),
	    cmocka_unit_test(an_interrupted_evaluation_goes_on),
	    cmocka_unit_test(memory_runs_out),
	};
	int n_failed = cmocka_run_group_tests(tests, NULL, NULL);
	text_of("none");
	tree_remove();
	return n_failed;
}
