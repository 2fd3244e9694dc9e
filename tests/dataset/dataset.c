/*
 * dataset.c: small data sets of every layout, read back: cases, classes and their mapping, channels, frames, and bad input.
 */
#include "dataset/dataset.h"

#include "base/memory.h"
#include "base/rng.h"
#include "image/nifti.h"
#include "support/json_memory.h"
#include "support/test.h"
#include "support/tree.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* Label values 0 to 3 at voxels 0 to 4, two of value 3. */
static const uint8_t one_each[] = {0, 1, 2, 3, 3};

/* Warnings of one call. */
typedef struct heard {
	int n_warnings;
	char last[2048];
} heard;

static void hear(void *payload, hardy_log_level level, const char *line)
{
	heard *h = payload;
	if (level != HARDY_LOG_WARNING)
		return;
	h->n_warnings++;
	strncpy(h->last, line, sizeof h->last - 1);
}

static void note_unusable(void *payload, const char *subject, const char *phase, const char *text)
{
	if (!strstr(text, "want a frame's number"))
		hear(payload, HARDY_LOG_WARNING, text);
}

static hy_dataset open_with(const char *labels)
{
	hy_dataset d;
	hardy_error err = {0};
	const hy_dataset_options o = {.labels = labels};
	assert_ok(hy_dataset_open(&d, tree_path(""), &o, NULL, &err), &err);
	return d;
}

static void refuse_with(const char *labels, hardy_status wanted, const char *part)
{
	hy_dataset d;
	hardy_error err = {0};
	const hy_dataset_options o = {.labels = labels};
	memset(&d, 0x5a, sizeof d);
	assert_int_equal(hy_dataset_open(&d, tree_path(""), &o, NULL, &err), wanted);
	if (!strstr(err.message, part))
		fail_msg("\"%s\" does not contain \"%s\"", err.message, part);
	assert_int_equal(((unsigned char *)&d)[0], 0x5a); /* output untouched */
}

/* Loads case i; checks the first voxel of each channel, and the class of the first voxels. */
static void expect_case(const hy_dataset *d, size_t i, float first, const uint8_t *classes, int n)
{
	hardy_error err = {0};
	hy_volume v;
	hy_labels l;
	assert_ok(hy_case_load(d, i, NULL, &v, &l, NULL, &err), &err);
	assert_int_equal(v.nt, d->n_channels);
	assert_int_equal(hy_grid_voxels(&v.grid), TREE_VOXELS);
	assert_float_equal(v.data[0], first, 0);
	for (int k = 0; k < n; k++)
		assert_int_equal(l.data[k], classes[k]);
	assert_int_equal(l.data[TREE_VOXELS - 1], 0);
	hy_volume_clear(&v);
	hy_labels_clear(&l);
}

static void refuse_case(const hy_dataset *d, size_t i, hardy_status wanted, const char *part, const char *other)
{
	hardy_error err = {0};
	hy_volume v;
	hy_labels l;
	memset(&v, 0x5a, sizeof v);
	assert_int_equal(hy_case_load(d, i, NULL, &v, &l, NULL, &err), wanted);
	if (!strstr(err.message, part) || !strstr(err.message, other))
		fail_msg("\"%s\" does not contain \"%s\" and \"%s\"", err.message, part, other);
	assert_int_equal(((unsigned char *)&v)[0], 0x5a);
}

static void expect_heart(const hy_dataset *d, int lv, int myo, int rv)
{
	const char *const names[] = {"background", "LV", "MYO", "RV"};
	const int values[] = {0, lv, myo, rv};
	assert_true(d->heart);
	assert_int_equal(d->n_classes, 4);
	for (int k = 0; k < 4; k++) {
		assert_string_equal(d->classes[k].name, names[k]);
		assert_int_equal(d->classes[k].value, values[k]);
		assert_int_equal(d->classes[k].present, values[k] >= 0);
		if (values[k] >= 0)
			assert_int_equal(hy_dataset_class(d, values[k]), k);
	}
}

/* ---- ACDC --------------------------------------------------------------------------------------------------------------- */

static void acdc_subject(const char *folder, const char *name, float base)
{
	char path[256];
	snprintf(path, sizeof path, "%s%s/Info.cfg", folder, name);
	tree_text(path, "ED: 2\r\nES: 11\r\nGroup: DCM\r\nNbFrame: 12\r\n");
	for (int k = 0; k < 2; k++) {
		const char *frame = k ? "frame11" : "frame02";
		snprintf(path, sizeof path, "%s%s/%s_%s.nii.gz", folder, name, name, frame);
		tree_image(path, 1, base + (float)k);
		snprintf(path, sizeof path, "%s%s/%s_%s_gt.nii.gz", folder, name, name, frame);
		tree_labels(path, 1, one_each, 5, 0);
	}
}

static void acdc_maps_right_ventricle_from_1(void **state)
{
	static const uint8_t classes[] = {0, 3, 2, 1, 1};
	tree_new();
	acdc_subject("training/", "patient002", 20);
	acdc_subject("training/", "patient001", 10);
	acdc_subject("testing/", "patient101", 30);
	tree_text("training/._patient003", "not a folder");
	hy_dataset d = open_with(NULL);
	assert_int_equal(d.layout, HY_LAYOUT_ACDC);
	assert_int_equal(d.n_cases, 6);
	assert_int_equal(d.n_channels, 1);
	expect_heart(&d, 3, 2, 1);
	assert_string_equal(d.cases[0].subject, "patient001");
	assert_string_equal(d.cases[0].phase, "ED");
	assert_string_equal(d.cases[1].phase, "ES");
	assert_false(d.cases[3].held_out);
	assert_true(d.cases[4].held_out);
	expect_case(&d, 0, 10, classes, 5);
	expect_case(&d, 1, 11, classes, 5);
	expect_case(&d, 3, 21, classes, 5);
	char(*names)[HY_NAME_SIZE];
	size_t n;
	hardy_error err = {0};
	assert_ok(hy_dataset_subjects(&d, &names, &n, &err), &err);
	assert_int_equal(n, 3);
	assert_string_equal(names[2], "patient101");
	hy_free(names);
	hy_dataset_clear(&d);
}

static void acdc_subjects_at_the_root(void **state)
{
	hardy_error err = {0};
	hy_dataset one;
	tree_new();
	acdc_subject("", "patient001", 10);
	acdc_subject("", "phantom_a", 10); /* any name with an Info.cfg */
	hy_dataset d = open_with(NULL);
	assert_int_equal(d.n_cases, 4);
	assert_string_equal(d.cases[2].subject, "phantom_a");
	hy_dataset_clear(&d);
	assert_ok(hy_dataset_open(&one, tree_path("patient001/"), NULL, NULL, &err), &err);
	assert_int_equal(one.n_cases, 2);
	assert_string_equal(one.cases[0].subject, "patient001");
	hy_dataset_clear(&one);
}

static void acdc_cine_replaces_a_missing_frame(void **state)
{
	static const uint8_t classes[] = {0, 3, 2, 1, 1};
	tree_new();
	acdc_subject("", "patient001", 10);
	tree_delete("patient001/patient001_frame11.nii.gz");
	tree_image("patient001/patient001_4d.nii.gz", 12, 0);
	hy_dataset d = open_with(NULL);
	assert_int_equal(d.cases[0].frame, -1);
	assert_int_equal(d.cases[1].frame, 10); /* 11 counted from 1 */
	expect_case(&d, 1, 1000, classes, 5);
	hy_dataset_clear(&d);

	tree_image("patient001/patient001_4d.nii.gz", 9, 0);
	d = open_with(NULL);
	refuse_case(&d, 1, HARDY_ERROR_DATA, "patient001_4d.nii.gz: frame 10", "has 9");
	hy_dataset_clear(&d);
}

static void acdc_names_what_is_missing(void **state)
{
	tree_new();
	acdc_subject("", "patient001", 10);
	tree_delete("patient001/patient001_frame11.nii.gz");
	refuse_with(NULL, HARDY_ERROR_DATA, "patient001_frame11.nii.gz: missing, though Info.cfg says ES: 11");
	tree_text("patient001/Info.cfg", "ED: 2\nGroup: NOR\n");
	refuse_with(NULL, HARDY_ERROR_DATA, "Info.cfg: no line \"ES: N\"");
	tree_text("patient001/Info.cfg", "ED: 2\nES: 2");
	refuse_with(NULL, HARDY_ERROR_DATA, "ED and ES are both frame 2");
	tree_text("patient001/Info.cfg", "ED: two\nES: -4");
	refuse_with(NULL, HARDY_ERROR_DATA, "2 problems");
	tree_delete("patient001/Info.cfg");
	refuse_with(NULL, HARDY_ERROR_DATA, "Info.cfg: cannot be opened");
}

static void acdc_without_a_label_is_a_warning(void **state)
{
	heard h = {0};
	const hardy_log log = {hear, &h};
	hardy_error err = {0};
	hy_dataset d;
	hy_volume v;
	hy_labels l;
	tree_new();
	acdc_subject("", "patient001", 10);
	tree_delete("patient001/patient001_frame11_gt.nii.gz");
	assert_ok(hy_dataset_open(&d, tree_path(""), NULL, &log, &err), &err);
	assert_int_equal(h.n_warnings, 1);
	assert_non_null(strstr(h.last, "patient001_frame11_gt.nii.gz: missing"));
	assert_null(d.cases[1].label_path);
	assert_ok(hy_case_load(&d, 1, NULL, &v, NULL, NULL, &err), &err); /* the image alone is fine */
	hy_volume_clear(&v);
	assert_int_equal(hy_case_load(&d, 1, NULL, &v, &l, NULL, &err), HARDY_ERROR_DATA);
	assert_non_null(strstr(err.message, "has no label file"));
	hy_dataset_clear(&d);
}

static void one_subject_twice_is_refused(void **state)
{
	tree_new();
	acdc_subject("training/", "patient001", 10);
	acdc_subject("testing/", "patient001", 10);
	refuse_with(NULL, HARDY_ERROR_DATA, "the same subject and phase as");
}

/* ---- M&Ms --------------------------------------------------------------------------------------------------------------- */

static void mnms_maps_left_ventricle_from_1(void **state)
{
	static const uint8_t classes[] = {0, 1, 2, 3, 3};
	static const uint8_t first[] = {0, 1, 1, 1, 1}, es[] = {0, 2, 2, 2, 2}; /* a label of frame t has the value 1 + t */
	tree_new();
	tree_text("info.csv",
	          "\xEF\xBB\xBF,External code,VendorName,Vendor,Centre,ED,ES\r\n"
	          "0,A1,\"Sie\"\"mens, AG\",A,1,0,1\r\n1,B2,Philips,B,3, 5 ,9.0\r\n2,C3,GE,C,4,0,1\r\n3,Z9,GE,C,4,0,1\r\n");
	tree_image("Training/Labeled/A1/A1_sa.nii.gz", 2, 0);
	tree_labels("Training/Labeled/A1/A1_sa_gt.nii.gz", 2, one_each, 5, 0);
	tree_image("Testing/B2/B2_sa.nii.gz", 10, 0); /* a whole cine */
	tree_labels("Testing/B2/B2_sa_gt.nii.gz", 10, one_each, 5, 0);
	tree_image("Training/Unlabeled/C3/C3_sa.nii.gz", 2, 0);
	hy_dataset d = open_with(NULL);
	assert_int_equal(d.layout, HY_LAYOUT_MNMS);
	assert_int_equal(d.n_cases, 6);
	expect_heart(&d, 1, 2, 3);
	assert_string_equal(d.cases[0].site, "Sie\"mens, AG, centre 1");
	expect_case(&d, 0, 0, classes, 5);
	expect_case(&d, 1, 100, classes, 5);
	assert_true(d.cases[2].held_out);
	assert_int_equal(d.cases[2].frame, 5);
	expect_case(&d, 2, 500, classes, 5);
	expect_case(&d, 3, 900, classes, 5);
	assert_null(d.cases[4].label_path);
	hy_dataset_clear(&d);

	/* The label's frame follows the image's. */
	tree_labels("Training/Labeled/A1/A1_sa_gt.nii.gz", 2, (const uint8_t[]){0, 1, 1, 1, 1}, 5, 1);
	d = open_with(NULL);
	expect_case(&d, 0, 0, first, 5);
	expect_case(&d, 1, 100, es, 5);
	hy_dataset_clear(&d);
}

static void mnms_refuses_a_frame_out_of_range(void **state)
{
	tree_new();
	tree_text("info.csv", "External code,Vendor,Centre,ED,ES\nA1,A,1,0,9\n");
	tree_image("Labeled/A1/A1_sa.nii.gz", 2, 0);
	tree_labels("Labeled/A1/A1_sa_gt.nii.gz", 2, one_each, 5, 0);
	hy_dataset d = open_with(NULL);
	refuse_case(&d, 1, HARDY_ERROR_DATA, "A1_sa.nii.gz: frame 9", "has 2");
	hy_dataset_clear(&d);
	tree_image("Labeled/A1/A1_sa.nii.gz", 10, 0); /* now only the label lacks it */
	d = open_with(NULL);
	refuse_case(&d, 1, HARDY_ERROR_DATA, "A1_sa_gt.nii.gz: frame 9", "has 2");
	hy_dataset_clear(&d);

	tree_text("info.csv", "External code,Vendor,Centre,ED,ES\nA1,A,1,-1,\n");
	refuse_with(NULL, HARDY_ERROR_DATA, "column ED is \"-1\", want a frame's number");
	tree_text("info.csv", "External code,Vendor,Centre,ED\nA1,A,1,0");
	refuse_with(NULL, HARDY_ERROR_FORMAT, "no column \"ES\"");
	tree_text("info.csv", "External code,Vendor,Centre,ED,ES\nA1,A,1,0,1");
	tree_delete("Labeled/A1/A1_sa.nii.gz");
	refuse_with(NULL, HARDY_ERROR_DATA, "A1_sa.nii.gz: missing");
}

/* ---- nnU-Net and folders ------------------------------------------------------------------------------------------------ */

static void nnunet_two_classes_two_channels(void **state)
{
	static const uint8_t own[] = {0, 4, 9, 9}, classes[] = {0, 1, 2, 2};
	hardy_error err = {0};
	hy_volume v;
	tree_new();
	tree_text("dataset.json",
	          "{\"channel_names\": {\"0\": \"T2\", \"1\": \"ADC\"}, \"labels\": {\"background\": 0, \"zone\": 4, "
	          "\"lesion\": 9}, \"numTraining\": 1, \"file_ending\": \".nii.gz\"}");
	tree_image("imagesTr/case_01_0000.nii.gz", 1, 10);
	tree_image("imagesTr/case_01_0001.nii.gz", 1, 500);
	tree_labels("labelsTr/case_01.nii.gz", 1, own, 4, 0);
	tree_image("imagesTs/case_02_0000.nii.gz", 1, 10);
	tree_image("imagesTs/case_02_0001.nii.gz", 1, 500);
	hy_dataset d = open_with(NULL);
	assert_int_equal(d.layout, HY_LAYOUT_NNUNET);
	assert_int_equal(d.n_cases, 2);
	assert_int_equal(d.n_channels, 2);
	assert_string_equal(d.channels[1], "ADC");
	assert_int_equal(d.n_classes, 3);
	assert_false(d.heart);
	assert_string_equal(d.classes[2].name, "lesion");
	assert_string_equal(d.cases[0].subject, "case_01");
	assert_true(d.cases[1].held_out);
	expect_case(&d, 0, 10, classes, 4);
	assert_ok(hy_case_load(&d, 0, NULL, &v, NULL, NULL, &err), &err);
	assert_float_equal(v.data[TREE_VOXELS], 500, 0);
	hy_volume_clear(&v);
	hy_dataset_clear(&d);

	tree_delete("imagesTr/case_01_0001.nii.gz");
	refuse_with(NULL, HARDY_ERROR_DATA, "case_01_0000.nii.gz: 1 file of channels, want 2");
	tree_image("imagesTr/case_01_0002.nii.gz", 1, 500);
	refuse_with(NULL, HARDY_ERROR_DATA, "channel 0001 is missing");
}

static void nnunet_version_1_and_4d_images(void **state)
{
	static const uint8_t classes[] = {0, 1, 1, 2};
	hardy_error err = {0};
	hy_volume v;
	tree_new();
	tree_text("dataset.json",
	          "{\"modality\": {\"0\": \"FLAIR\", \"1\": \"T1\", \"2\": \"T2\"}, \"labels\": {\"0\": \"background\", "
	          "\"1\": \"edema\", \"2\": \"tumour\"}}");
	tree_image("imagesTr/b_1.nii.gz", 3, 7);
	tree_labels("labelsTr/b_1.nii.gz", 1, (const uint8_t[]){0, 1, 1, 2}, 4, 0);
	hy_dataset d = open_with(NULL);
	assert_int_equal(d.n_channels, 3);
	expect_case(&d, 0, 7, classes, 4);
	assert_ok(hy_case_load(&d, 0, NULL, &v, NULL, NULL, &err), &err);
	assert_float_equal(v.data[2 * TREE_VOXELS + 3], 210, 0);
	hy_volume_clear(&v);
	hy_dataset_clear(&d);
	tree_image("imagesTr/b_1.nii.gz", 2, 7);
	d = open_with(NULL);
	refuse_case(&d, 0, HARDY_ERROR_DATA, "2 frames along the fourth axis", "want 3");
	hy_dataset_clear(&d);
}

static void nnunet_without_dataset_json(void **state)
{
	tree_new();
	tree_image("imagesTr/c_0000.nii.gz", 1, 7);
	tree_image("imagesTr/c_0001.nii.gz", 1, 9);
	tree_labels("labelsTr/c.nii.gz", 1, (const uint8_t[]){0, 5, 5, 8}, 4, 0);
	hy_dataset d = open_with(NULL);
	assert_int_equal(d.layout, HY_LAYOUT_NNUNET);
	assert_int_equal(d.n_channels, 2);
	assert_string_equal(d.classes[2].name, "class_8");
	expect_case(&d, 0, 7, (const uint8_t[]){0, 1, 1, 2}, 4);
	hy_dataset_clear(&d);
	tree_delete("labelsTr/c.nii.gz");
	tree_labels("labelsTr/label.nii.gz", 1, one_each, 5, 0);
	refuse_with(NULL, HARDY_ERROR_DATA, "none of 1 image has a label of its name: imagesTr/c_0000.nii.gz, but labelsTr/label");
}

static void nnunet_knows_spellings_of_the_heart(void **state)
{
	static const uint8_t classes[] = {0, 3, 2, 1, 4};
	tree_new();
	tree_text("dataset.json",
	          "{\"channel_names\": {\"0\": \"cineMRI\"}, \"labels\": {\"background\": 0, \"RVC\": 1, \"MLV\": 2, "
	          "\"LVC\": 3, \"atrium\": 7}}");
	tree_image("imagesTr/patient001_frame01_0000.nii.gz", 1, 7);
	tree_labels("labelsTr/patient001_frame01.nii.gz", 1, (const uint8_t[]){0, 1, 2, 3, 7}, 5, 0);
	hy_dataset d = open_with(NULL);
	assert_int_equal(d.n_classes, 5);
	assert_string_equal(d.classes[1].name, "LV");
	assert_int_equal(d.classes[1].value, 3);
	assert_string_equal(d.classes[4].name, "atrium");
	assert_string_equal(d.cases[0].subject, "patient001"); /* so that a subject's frames never part in a split */
	assert_string_equal(d.cases[0].phase, "frame01");
	expect_case(&d, 0, 7, classes, 5);
	hy_dataset_clear(&d);
}

static void nnunet_refuses_what_it_cannot_use(void **state)
{
	tree_new();
	tree_image("imagesTr/a_0000.nii.gz", 1, 7);
	tree_labels("labelsTr/a.nii.gz", 1, one_each, 5, 0);
	tree_text("dataset.json", "{\"labels\": {\"background\": 0,\n \"a\" 1}}");
	refuse_with(NULL, HARDY_ERROR_FORMAT, "dataset.json: line 2: not valid JSON");
	tree_text("dataset.json", "{\"channel_names\": {\"0\": \"T1\"}}");
	refuse_with(NULL, HARDY_ERROR_FORMAT, "no object \"labels\"");
	tree_text("dataset.json", "{\"labels\": {\"background\": 0, \"whole\": [1, 2]}}");
	refuse_with(NULL, HARDY_ERROR_UNSUPPORTED, "regions of several values");
	tree_text("dataset.json", "{\"labels\": {\"background\": 0, \"a\": 1.5}}");
	refuse_with(NULL, HARDY_ERROR_FORMAT, "label \"a\" has no whole number");
	tree_text("dataset.json", "{\"labels\": {\"background\": 0, \"a\": 1, \"b\": 1}}");
	refuse_with(NULL, HARDY_ERROR_DATA, "label value 1 is named twice");
	tree_text("dataset.json", "{\"labels\": {\"background\": 0, \"myo\": 1, \"LV wall\": 2}}");
	refuse_with(NULL, HARDY_ERROR_DATA, "are the same class");
	tree_text("dataset.json", "{\"labels\": {\"heart\": 0}}");
	refuse_with(NULL, HARDY_ERROR_DATA, "0 is the background");
	tree_text("dataset.json", "{\"labels\": {\"background\": 0}}");
	refuse_with(NULL, HARDY_ERROR_DATA, "no class besides");
	tree_text("dataset.json", "{\"labels\": {\"background\": 0, \"a\": 70000}}");
	refuse_with(NULL, HARDY_ERROR_FORMAT, "label \"a\" has no whole number from 0 to 65535");
	tree_text("dataset.json", "{\"file_ending\": \".png\", \"labels\": {\"background\": 0, \"a\": 1}}");
	refuse_with(NULL, HARDY_ERROR_UNSUPPORTED, "file_ending is \".png\"");
	tree_text("dataset.json", "{\"channel_names\": {\"1\": \"T1\"}, \"labels\": {\"background\": 0, \"a\": 1}}");
	refuse_with(NULL, HARDY_ERROR_FORMAT, "channel \"1\"");
}

static void folders_take_classes_from_the_labels(void **state)
{
	static const uint8_t classes[] = {0, 1, 2, 0};
	heard h = {0};
	const hardy_log log = {hear, &h};
	hardy_error err = {0};
	hy_dataset d;
	tree_new();
	tree_image("images/a.nii.gz", 1, 1);
	tree_image("images/b.nii", 1, 2);
	tree_labels("labels/a.nii.gz", 1, (const uint8_t[]){0, 5, 0, 0}, 4, 0);
	tree_labels("labels/b.nii.gz", 1, (const uint8_t[]){0, 5, 8, 0}, 4, 0);
	assert_ok(hy_dataset_open(&d, tree_path(""), NULL, &log, &err), &err);
	assert_non_null(strstr(h.last, "label values 5, 8"));
	assert_int_equal(d.layout, HY_LAYOUT_FOLDERS);
	assert_int_equal(d.n_classes, 3);
	assert_string_equal(d.classes[2].name, "class_8");
	expect_case(&d, 1, 2, classes, 4);
	hy_dataset_clear(&d);

	d = open_with("tumour=8,background=5");
	assert_int_equal(d.n_classes, 2);
	expect_case(&d, 1, 2, (const uint8_t[]){0, 0, 1, 0}, 4);
	hy_dataset_clear(&d);

	tree_text("dataset.json", "{\"labels\": {\"background\": 0, \"kidney\": 5, \"cyst\": 8}}");
	d = open_with(NULL);
	assert_string_equal(d.classes[1].name, "kidney");
	hy_dataset_clear(&d);

	/* Channels by name, without a dataset.json. */
	tree_new();
	tree_image("images/a_0000.nii.gz", 1, 1);
	tree_image("images/a_0001.nii.gz", 1, 2);
	tree_labels("labels/a.nii.gz", 1, one_each, 5, 0);
	d = open_with("x=1,y=2,z=3");
	assert_int_equal(d.n_channels, 2);
	assert_string_equal(d.cases[0].subject, "a");
	hy_dataset_clear(&d);

	/* Channels along the fourth axis. */
	tree_new();
	tree_image("images/a.nii.gz", 2, 1);
	tree_labels("labels/a.nii.gz", 1, one_each, 5, 0);
	d = open_with(NULL);
	assert_int_equal(d.n_channels, 2);
	expect_case(&d, 0, 1, one_each, 5);
	hy_dataset_clear(&d);

	tree_labels("labels/a.nii.gz", 1, NULL, 0, 0);
	refuse_with(NULL, HARDY_ERROR_DATA, "none of 1 label file has a value other than 0");
}

/* ---- flat --------------------------------------------------------------------------------------------------------------- */

static void flat_takes_the_phase_from_the_name(void **state)
{
	static const uint8_t classes[] = {0, 0, 2, 1, 1};
	tree_new();
	tree_image("SC-1_es.nii.gz", 1, 2);
	tree_labels("SC-1_es_gt.nii.gz", 1, (const uint8_t[]){0, 0, 2, 3, 3}, 5, 0);
	tree_image("SC-1_ED.nii.gz", 1, 1);
	tree_labels("SC-1_ED_gt.nii.gz", 1, (const uint8_t[]){0, 0, 2, 3, 3}, 5, 0);
	tree_image("new.nii.gz", 1, 3); /* to be predicted: no label */
	tree_text("notes.txt", "not a scan");
	hy_dataset d = open_with("lv=3,Myocardium=2");
	assert_int_equal(d.layout, HY_LAYOUT_FLAT);
	assert_int_equal(d.n_cases, 3);
	expect_heart(&d, 3, 2, -1);
	assert_int_equal(hy_dataset_class(&d, 1), HY_NO_CLASS);
	assert_string_equal(d.cases[0].subject, "SC-1");
	assert_string_equal(d.cases[0].phase, "ED");
	assert_string_equal(d.cases[1].phase, "ES");
	assert_string_equal(d.cases[2].subject, "new");
	assert_null(d.cases[2].label_path);
	expect_case(&d, 0, 1, classes, 5);
	expect_case(&d, 1, 2, classes, 5);
	hy_dataset_clear(&d);
}

static void labels_option_is_checked(void **state)
{
	tree_new();
	tree_image("a.nii.gz", 1, 1);
	tree_labels("a_gt.nii.gz", 1, one_each, 5, 0);
	static const char *const bad[] = {"lv", "=3", "lv=", "lv=70000", "lv=-1", "lv=1,", "lv=1x", "", "lv=1,,rv=2", "lv= 1"};
	for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
		refuse_with(bad[i], HARDY_ERROR_ARGUMENT, "is not NAME=VALUE");
	refuse_with("lv=0", HARDY_ERROR_DATA, "labels: label value 0");
	refuse_with("lv=1,LVC=2", HARDY_ERROR_DATA, "are the same class");
	refuse_with("a=1,b=1", HARDY_ERROR_DATA, "named twice");
	hy_dataset d = open_with("A=1,b=2,bg=3");
	assert_string_equal(d.classes[1].name, "A"); /* verbatim */
	hy_dataset_clear(&d);
}

static void nothing_known_is_refused(void **state)
{
	tree_new();
	refuse_with(NULL, HARDY_ERROR_DATA, "not a data set; want");
	tree_image("below/a.nii.gz", 1, 1);
	tree_labels("below/a_gt.nii.gz", 1, one_each, 5, 0);
	refuse_with(NULL, HARDY_ERROR_DATA, "not a data set (but its folder below is)");
	tree_delete("below/a_gt.nii.gz");
	tree_image("img01.nii.gz", 1, 1);
	tree_labels("label01.nii.gz", 1, one_each, 5, 0);
	refuse_with(NULL, HARDY_ERROR_DATA, "not a data set (2 NIfTI files, img01.nii.gz to label01.nii.gz; no pairs of NAME and");
	hy_dataset d;
	hardy_error err = {0};
	assert_int_equal(hy_dataset_open(&d, tree_path("absent"), NULL, NULL, &err), HARDY_ERROR_IO);
	assert_non_null(strstr(err.message, "absent: no such folder"));
	assert_int_equal(hy_dataset_open(&d, tree_path("below/a.nii.gz"), NULL, NULL, &err), HARDY_ERROR_IO);
	assert_non_null(strstr(err.message, "not a folder"));
}

/* ---- bad cases ---------------------------------------------------------------------------------------------------------- */

static void flat_pair(void)
{
	tree_new();
	tree_image("a.nii.gz", 1, 1);
	tree_labels("a_gt.nii.gz", 1, one_each, 5, 0);
}

static void label_of_another_shape(void **state)
{
	flat_pair();
	hy_dataset d = open_with("x=1,y=2,z=3");
	hy_grid g = tree_grid();
	g.ny++;
	tree_labels_grid("a_gt.nii.gz", &g, 1, NULL);
	refuse_case(&d, 0, HARDY_ERROR_DATA, "a_gt.nii.gz: 6 x 6 x 2 voxels", "has 6 x 5 x 2");
	hy_dataset_clear(&d);
}

static void label_header_a_little_off_is_a_warning(void **state)
{
	heard h = {0};
	const hardy_log log = {hear, &h};
	hardy_error err = {0};
	hy_volume v;
	hy_labels l;
	flat_pair();
	hy_dataset d = open_with("x=1,y=2,z=3");
	hy_grid g = tree_grid();
	g.affine[0][3] += 0.75;
	tree_labels_grid("a_gt.nii.gz", &g, 1, (uint8_t[TREE_VOXELS]){0, 1, 2, 3});
	assert_ok(hy_case_load(&d, 0, NULL, &v, &l, &log, &err), &err);
	assert_int_equal(h.n_warnings, 1);
	assert_non_null(strstr(h.last, "0.75 mm away from those of its image"));
	assert_memory_equal(&v.grid, &l.grid, sizeof v.grid);
	assert_int_equal(l.data[3], 3);
	hy_volume_clear(&v);
	hy_labels_clear(&l);
	hy_dataset_clear(&d);
}

static void label_in_another_axis_order_is_turned(void **state)
{
	heard h = {0};
	const hardy_log log = {hear, &h};
	hardy_error err = {0};
	hy_volume v;
	hy_labels l;
	uint8_t label[TREE_VOXELS], turned[TREE_VOXELS];
	const hy_order order = {{2, 0, 1}, {false, true, false}};
	const hy_grid g = tree_grid();
	hy_grid other = hy_order_grid(&order, &g);
	flat_pair();
	for (int i = 0; i < TREE_VOXELS; i++)
		label[i] = (uint8_t)(i * 7 % 4);
	hy_order_voxels(&order, &g, 1, 1, label, turned);
	tree_labels_grid("a_gt.nii.gz", &other, 1, turned);
	hy_dataset d = open_with("x=1,y=2,z=3");
	assert_ok(hy_case_load(&d, 0, NULL, &v, &l, &log, &err), &err);
	assert_int_equal(h.n_warnings, 1);
	assert_non_null(strstr(h.last, "in another axis order (SLA, there RAS); reordered"));
	assert_memory_equal(l.data, label, sizeof label);
	assert_memory_equal(&v.grid, &l.grid, sizeof v.grid);
	hy_volume_clear(&v);
	hy_labels_clear(&l);
	/* Elsewhere in any order: how far. */
	other.affine[0][3] += 12;
	tree_labels_grid("a_gt.nii.gz", &other, 1, turned);
	refuse_case(&d, 0, HARDY_ERROR_DATA, "a_gt.nii.gz: the header puts voxels up to 12.00 mm away from those of its image",
	            "in any axis order");
	hy_dataset_clear(&d);
}

static void values_to_65535(void **state)
{
	hardy_error err = {0};
	hy_volume v, like = {.grid = tree_grid(), .nt = 1};
	hy_labels l;
	uint8_t label[TREE_VOXELS] = {0, 1, 2};
	const uint16_t own[256] = {0, 500, 40000};
	flat_pair();
	tree_delete("a_gt.nii.gz");
	assert_ok(hy_nifti_write_values(tree_path("a_gt.nii.gz"), &like, label, own, 1, NULL, &err), &err);
	hy_dataset d = open_with("lv=500,myo=40000");
	expect_heart(&d, 500, 40000, -1);
	assert_ok(hy_case_load(&d, 0, NULL, &v, &l, NULL, &err), &err);
	assert_true(l.data[1] == 1 && l.data[2] == 2 && l.data[3] == 0);
	hy_volume_clear(&v);
	hy_labels_clear(&l);
	hy_dataset_clear(&d);
	d = open_with(NULL);
	assert_string_equal(d.classes[2].name, "class_40000");
	hy_dataset_clear(&d);
	refuse_with("lv=65536", HARDY_ERROR_ARGUMENT, "with a value of 0 to 65535");
}

/* Expects both files of one name to be told, and no case of them. */
static void expect_twins(const char *labels, const char *first, const char *second)
{
	hy_dataset d;
	hardy_error err = {0};
	heard h = {0};
	const hy_dataset_options o = {.labels = labels};
	assert_ok(hy_dataset_open_usable(&d, tree_path(""), &o, note_unusable, &h, NULL, &err), &err);
	if (h.n_warnings != 1 || !strstr(h.last, first) || !strstr(h.last, second))
		fail_msg("%s and %s: %d problems, the last: %s", first, second, h.n_warnings, h.last);
	assert_non_null(strstr(h.last, "two files of one name, which is meant?"));
	assert_int_equal(d.n_cases, 1);
	hy_dataset_clear(&d);
}

static void two_files_of_one_name_are_both_named(void **state)
{
	for (int label = 0; label < 2; label++) {
		tree_new();
		for (int k = 0; k < 2; k++) {
			tree_image(k ? "images/b.nii.gz" : "images/a.nii.gz", 1, 1);
			tree_labels(k ? "labels/b.nii.gz" : "labels/a.nii.gz", 1, one_each, 5, 0);
		}
		if (label)
			tree_labels("labels/a.NII", 1, one_each, 5, 0);
		else
			tree_image("images/a.nii", 1, 1);
		expect_twins("lv=3", "a.nii.gz", label ? "a.NII" : "a.nii");
		tree_new();
		tree_image("a_ED.nii.gz", 1, 1);
		tree_labels("a_ED_gt.nii.gz", 1, one_each, 5, 0);
		tree_image("b_ED.nii.gz", 1, 1);
		tree_labels("b_ED_gt.nii.gz", 1, one_each, 5, 0);
		if (label)
			tree_labels("a_ED_gt.nii", 1, one_each, 5, 0);
		else
			tree_image("a_ED.nii", 1, 1);
		expect_twins("lv=3", label ? "a_ED_gt.nii.gz" : "a_ED.nii.gz", label ? "a_ED_gt.nii" : "a_ED.nii");
		tree_new();
		acdc_subject("", "patient001", 10);
		if (label)
			tree_labels("patient001/patient001_frame02_gt.nii", 1, one_each, 5, 0);
		else
			tree_image("patient001/patient001_frame02.nii", 1, 1);
		expect_twins(NULL, label ? "frame02_gt.nii.gz" : "frame02.nii.gz", label ? "frame02_gt.nii" : "frame02.nii");
	}
	tree_new();
	tree_text("info.csv", "External code,Vendor,Centre,ED,ES\nA1,A,1,0,1\nB2,A,1,0,x\n");
	tree_image("Labeled/A1/A1_sa.nii.gz", 2, 0);
	tree_image("Labeled/A1/A1_sa.nii", 2, 0);
	tree_image("Labeled/B2/B2_sa.nii.gz", 2, 0);
	expect_twins(NULL, "A1_sa.nii.gz", "A1_sa.nii");
}

static void labels_named_otherwise_are_told(void **state)
{
	tree_new();
	tree_image("images/img01.nii.gz", 1, 1);
	tree_labels("labels/label01.nii", 1, one_each, 5, 0);
	refuse_with(NULL, HARDY_ERROR_DATA,
	            "none of 1 image has a label of its name: images/img01.nii.gz, but labels/label01.nii; want labels/img01.nii");
}

static void names_as_long_as_the_file_system_has_them(void **state)
{
	char name[256], path[300];
	memset(name, 'x', sizeof name);
	tree_new();
	for (int k = 0; k < 2; k++) {
		snprintf(name + 230, sizeof name - 230, "%d_ED", k); /* the last letters differ */
		snprintf(path, sizeof path, "images/%s.nii.gz", name);
		tree_image(path, 1, (float)k);
		snprintf(path, sizeof path, "labels/%s.nii.gz", name);
		tree_labels(path, 1, one_each, 5, 0);
	}
	hy_dataset d = open_with("lv=1,myo=2,rv=3");
	assert_int_equal(d.n_cases, 2);
	assert_int_equal(strlen(d.cases[0].subject), 231);
	assert_true(d.cases[0].label_path && d.cases[1].label_path);
	assert_string_equal(d.cases[1].phase, "ED");
	hy_dataset_clear(&d);
}

static void tables_of_any_separator(void **state)
{
	static const char separators[] = {';', '\t', ','};
	for (int k = 0; k < 3; k++) {
		char text[200];
		const char s = separators[k];
		tree_new();
		snprintf(text, sizeof text,
		         "\xEF\xBB\xBF"
		         "External code%cVendorName%cCentre%cED%cES\r\nA1%c\"Sie; AG\"%c1%c0%c1\r\n",
		         s, s, s, s, s, s, s, s);
		tree_text("info.csv", text);
		tree_image("Labeled/A1/A1_SA.nii", 2, 0); /* another case of SA is another name */
		tree_image("Labeled/A1/A1_sa.NII.GZ", 2, 0);
		tree_labels("Labeled/A1/A1_sa_gt.nii.gz", 2, one_each, 5, 0);
		hy_dataset d = open_with(NULL);
		assert_int_equal(d.n_cases, 2);
		assert_string_equal(d.cases[0].site, "Sie; AG, centre 1");
		assert_int_equal(d.cases[1].frame, 1);
		hy_dataset_clear(&d);
	}
}

static void unknown_value_names_file_value_and_count(void **state)
{
	flat_pair();
	hy_dataset d = open_with("lv=1,rv=2");
	refuse_case(&d, 0, HARDY_ERROR_DATA, "a_gt.nii.gz: unknown label value 3 (2 voxels)", "want one of 0, 1 (LV), 2 (RV)");
	hy_dataset_clear(&d);
}

static void no_foreground_is_a_warning(void **state)
{
	heard h = {0};
	const hardy_log log = {hear, &h};
	hardy_error err = {0};
	hy_volume v;
	hy_labels l;
	flat_pair();
	hy_dataset d = open_with("x=1,y=2,z=3");
	tree_labels("a_gt.nii.gz", 1, NULL, 0, 0);
	assert_ok(hy_case_load(&d, 0, NULL, &v, &l, &log, &err), &err);
	assert_int_equal(h.n_warnings, 1);
	assert_non_null(strstr(h.last, "no voxel belongs to a class"));
	hy_volume_clear(&v);
	hy_labels_clear(&l);
	hy_dataset_clear(&d);
}

static void voxels_that_are_no_numbers(void **state)
{
	float data[TREE_VOXELS] = {0};
	const hy_grid g = tree_grid();
	flat_pair();
	hy_dataset d = open_with("x=1,y=2,z=3");
	data[TREE_NX * TREE_NY + TREE_NX + 2] = NAN;
	data[TREE_VOXELS - 1] = INFINITY;
	tree_image_grid("a.nii.gz", &g, 1, data);
	refuse_case(&d, 0, HARDY_ERROR_NUMERIC, "a.nii.gz: 2 voxels are NaN or infinite", "x 2, y 1, z 1");
	hy_dataset_clear(&d);
}

static void damaged_files(void **state)
{
	flat_pair();
	hy_dataset d = open_with("x=1,y=2,z=3");
	tree_truncate("a_gt.nii.gz", 60);
	refuse_case(&d, 0, HARDY_ERROR_FORMAT, "a_gt.nii.gz", "");
	tree_delete("a.nii.gz");
	refuse_case(&d, 0, HARDY_ERROR_IO, "a.nii.gz", "");
	hy_dataset_clear(&d);
}

static void channels_want_one_grid(void **state)
{
	heard h = {0};
	const hardy_log log = {hear, &h};
	hardy_error err = {0};
	hy_volume v;
	hy_grid g = tree_grid();
	tree_new();
	tree_image("images/a_0000.nii.gz", 1, 1);
	tree_image("images/a_0001.nii.gz", 1, 2);
	tree_labels("labels/a.nii.gz", 1, one_each, 5, 0);
	hy_dataset d = open_with(NULL);
	g.affine[1][3] += 0.25;
	tree_image_grid("images/a_0001.nii.gz", &g, 1, NULL);
	assert_ok(hy_case_load(&d, 0, NULL, &v, NULL, &log, &err), &err);
	assert_int_equal(h.n_warnings, 1);
	hy_volume_clear(&v);
	g.affine[1][3] += 5;
	tree_image_grid("images/a_0001.nii.gz", &g, 1, NULL);
	refuse_case(&d, 0, HARDY_ERROR_DATA, "a_0001.nii.gz", "5.25 mm");
	g.nx++;
	tree_image_grid("images/a_0001.nii.gz", &g, 1, NULL);
	refuse_case(&d, 0, HARDY_ERROR_DATA, "a_0001.nii.gz: 7 x 5 x 2", "a_0000.nii.gz has 6 x 5 x 2");
	hy_dataset_clear(&d);
}

static void spacing_is_overridden_for_both(void **state)
{
	heard h = {0};
	const hardy_log log = {hear, &h};
	hardy_error err = {0};
	const hy_dataset_options o = {.labels = "x=1,y=2,z=3", .spacing_mm = {1.25, 1.25, 0}};
	hy_dataset d;
	hy_volume v;
	hy_labels l;
	flat_pair();
	assert_ok(hy_dataset_open(&d, tree_path(""), &o, NULL, &err), &err);
	assert_ok(hy_case_load(&d, 0, &o, &v, &l, &log, &err), &err);
	assert_float_equal(v.grid.spacing_mm[0], 1.25, 1e-6);
	assert_float_equal(l.grid.spacing_mm[2], 8, 1e-6);
	hy_volume_clear(&v);
	hy_labels_clear(&l);
	hy_dataset_clear(&d);
}

/* Bytes of the text are changed at random: opening may fail, with a message, and never worse. */
static void mutate(const char *name, const char *text)
{
	for (uint64_t k = 0; k < 300; k++) {
		static const char odd[] = "\"\",,\r\n:{}[]0-9\x80"; /* and the end of the text */
		hy_rng g = hy_rng_make(k, HY_RNG_TEST, 0, 0);
		char changed[1024];
		snprintf(changed, sizeof changed, "%s", text);
		for (uint64_t i = hy_rng_below(&g, 5); i-- > 0;)
			changed[hy_rng_below(&g, strlen(text))] = odd[hy_rng_below(&g, sizeof odd)];
		tree_text(name, changed);
		hy_dataset d;
		hardy_error err = {0};
		if (hy_dataset_open(&d, tree_path(""), NULL, NULL, &err))
			assert_true(err.message[0]);
		else
			hy_dataset_clear(&d);
	}
}

static void changed_texts_do_no_harm(void **state)
{
	tree_new();
	acdc_subject("", "patient001", 10);
	mutate("patient001/Info.cfg", "ED: 2\r\nES: 11\r\nGroup: DCM\r\nNbFrame: 12\r\nSite: A\r\n");
	mnms_maps_left_ventricle_from_1(state);
	mutate("info.csv",
	       ",External code,VendorName,Vendor,Centre,ED,ES\r\n0,A1,\"Sie, AG\",A,1,0,1\r\n1,B2,Philips,B,3,5,9.0\r\n");
	nnunet_two_classes_two_channels(state);
	tree_delete("imagesTr/case_01_0002.nii.gz");
	tree_image("imagesTr/case_01_0001.nii.gz", 1, 500);
	mutate("dataset.json", "{\"channel_names\": {\"0\": \"T2\", \"1\": \"ADC\"}, \"labels\": {\"background\": 0, \"zone\": 4, "
	                       "\"lesion\": 9}, \"numTraining\": 1, \"file_ending\": \".nii.gz\"}");
}

static void tables_of_any_line_end(void **state)
{
	static const char *const ends[] = {"\n", "\r\n", "\r"};
	tree_new();
	tree_image("Labeled/A1/A1_sa.nii.gz", 2, 0);
	tree_labels("Labeled/A1/A1_sa_gt.nii.gz", 2, one_each, 5, 0);
	for (int k = 0; k < 3; k++) {
		char text[256];
		snprintf(text, sizeof text, "External code,ED,ES%sA1,0,1%s%sZ9,0,1", ends[k], ends[k], ends[k]);
		tree_text("info.csv", text);
		hy_dataset d = open_with(NULL);
		assert_int_equal(d.n_cases, 2);
		assert_int_equal(d.cases[1].frame, 1);
		hy_dataset_clear(&d);
	}
}

/* ---- memory ------------------------------------------------------------------------------------------------------------- */

/* Whichever allocation fails: that error, whether it is asked what the folder is or opened; never another layout, or a smaller data set. */
static void memory_may_run_out(void)
{
	hardy_error err = {0};
	bool found = false;
	char root[600];
	snprintf(root, sizeof root, "%s", tree_path(""));
	json_memory_counts(true);
	const int64_t live = hy_memory_live(), before = hy_memory_calls();
	assert_ok(hy_dataset_is(root, &found, &err), &err);
	assert_true(found);
	const int64_t n_asked = hy_memory_calls() - before;
	hy_dataset whole = open_with(NULL);
	const int64_t n_opened = hy_memory_calls() - before - n_asked;
	hy_dataset_clear(&whole);
	assert_in_range(n_opened, 20, 5000);
	for (int64_t k = 1; k <= n_asked; k++) {
		hy_memory_fail_at(k);
		assert_int_equal(hy_dataset_is(root, &found, &err), HARDY_ERROR_MEMORY);
		hy_memory_fail_at(0);
		assert_int_equal(hy_memory_live(), live);
	}
	for (int64_t k = 1; k <= n_opened; k++) {
		hy_dataset d;
		hy_memory_fail_at(k);
		const hardy_status status = hy_dataset_open(&d, root, NULL, NULL, &err);
		hy_memory_fail_at(0);
		if (status != HARDY_ERROR_MEMORY)
			fail_msg("allocation %lld of %lld: status %d: %s", (long long)k, (long long)n_opened, (int)status, err.message);
		assert_int_equal(hy_memory_live(), live);
	}
	json_memory_counts(false);
}

static void memory_runs_out_in_every_layout(void **state)
{
	tree_new();
	acdc_subject("training/", "patient001", 10);
	acdc_subject("", "phantom_a", 10);
	memory_may_run_out();
	mnms_maps_left_ventricle_from_1(state);
	memory_may_run_out();
	nnunet_knows_spellings_of_the_heart(state);
	memory_may_run_out();
	flat_pair();
	memory_may_run_out();
}

static int finish(void **state)
{
	(void)state;
	tree_remove();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(acdc_maps_right_ventricle_from_1),
	    cmocka_unit_test(acdc_subjects_at_the_root),
	    cmocka_unit_test(acdc_cine_replaces_a_missing_frame),
	    cmocka_unit_test(acdc_names_what_is_missing),
	    cmocka_unit_test(acdc_without_a_label_is_a_warning),
	    cmocka_unit_test(one_subject_twice_is_refused),
	    cmocka_unit_test(mnms_maps_left_ventricle_from_1),
	    cmocka_unit_test(mnms_refuses_a_frame_out_of_range),
	    cmocka_unit_test(nnunet_two_classes_two_channels),
	    cmocka_unit_test(nnunet_version_1_and_4d_images),
	    cmocka_unit_test(nnunet_without_dataset_json),
	    cmocka_unit_test(nnunet_knows_spellings_of_the_heart),
	    cmocka_unit_test(nnunet_refuses_what_it_cannot_use),
	    cmocka_unit_test(folders_take_classes_from_the_labels),
	    cmocka_unit_test(flat_takes_the_phase_from_the_name),
	    cmocka_unit_test(labels_option_is_checked),
	    cmocka_unit_test(nothing_known_is_refused),
	    cmocka_unit_test(label_of_another_shape),
	    cmocka_unit_test(label_header_a_little_off_is_a_warning),
	    cmocka_unit_test(label_in_another_axis_order_is_turned),
	    cmocka_unit_test(values_to_65535),
	    cmocka_unit_test(two_files_of_one_name_are_both_named),
	    cmocka_unit_test(labels_named_otherwise_are_told),
	    cmocka_unit_test(names_as_long_as_the_file_system_has_them),
	    cmocka_unit_test(tables_of_any_separator),
	    cmocka_unit_test(unknown_value_names_file_value_and_count),
	    cmocka_unit_test(no_foreground_is_a_warning),
	    cmocka_unit_test(voxels_that_are_no_numbers),
	    cmocka_unit_test(damaged_files),
	    cmocka_unit_test(channels_want_one_grid),
	    cmocka_unit_test(spacing_is_overridden_for_both),
	    cmocka_unit_test(changed_texts_do_no_harm),
	    cmocka_unit_test(tables_of_any_line_end),
	    cmocka_unit_test(memory_runs_out_in_every_layout),
	};
	return cmocka_run_group_tests(tests, NULL, finish);
}
