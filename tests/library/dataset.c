/*
 * dataset.c: small data sets of every layout through hardy/dataset.h: classes, subjects, cases, voxels in class numbers, splits, and refusals.
 */
#include "base/memory.h"
#include "support/test.h"
#include "support/tree.h"

#include <stdio.h>
#include <string.h>

/* Label values 0 to 3 at voxels 0 to 4, two of value 3. */
static const uint8_t one_each[] = {0, 1, 2, 3, 3};

static int n_warnings;

static void hear(void *payload, hardy_log_level level, const char *line)
{
	(void)payload, (void)line;
	n_warnings += level == HARDY_LOG_WARNING;
}

static const hardy_log log_warnings = {hear, NULL};

/* ---- the layouts -------------------------------------------------------------------------------------------------------- */

static void acdc_subject(const char *name, float base)
{
	char path[256];
	snprintf(path, sizeof path, "%s/Info.cfg", name);
	tree_text(path, "ED: 2\r\nES: 11\r\nGroup: DCM\r\nNbFrame: 12\r\n");
	for (int k = 0; k < 2; k++) {
		snprintf(path, sizeof path, "%s/%s_frame%s.nii.gz", name, strrchr(name, '/') + 1, k ? "11" : "02");
		tree_image(path, 1, base + (float)k);
		snprintf(path, sizeof path, "%s/%s_frame%s_gt.nii.gz", name, strrchr(name, '/') + 1, k ? "11" : "02");
		tree_labels(path, 1, one_each, 5, 0);
	}
}

static void make_acdc(void)
{
	acdc_subject("training/patient002", 20);
	acdc_subject("training/patient001", 10);
	acdc_subject("testing/patient101", 30);
}

static void make_mnms(void)
{
	tree_text("info.csv", "External code,Vendor,Centre,ED,ES\nA1,A,1,0,1\nB2,B,3,5,9\n");
	tree_image("Training/Labeled/A1/A1_sa.nii.gz", 2, 0);
	tree_labels("Training/Labeled/A1/A1_sa_gt.nii.gz", 2, one_each, 5, 0);
	tree_image("Testing/B2/B2_sa.nii.gz", 10, 0);
	tree_labels("Testing/B2/B2_sa_gt.nii.gz", 10, one_each, 5, 0);
}

static void make_nnunet(void)
{
	tree_text("dataset.json", "{\"channel_names\": {\"0\": \"T2\", \"1\": \"ADC\"}, \"labels\": {\"background\": 0, "
	                          "\"zone\": 4, \"lesion\": 9}, \"numTraining\": 1, \"file_ending\": \".nii.gz\"}");
	tree_image("imagesTr/case_01_0000.nii.gz", 1, 10);
	tree_image("imagesTr/case_01_0001.nii.gz", 1, 500);
	tree_labels("labelsTr/case_01.nii.gz", 1, (const uint8_t[]){0, 4, 9, 9}, 4, 0);
	tree_image("imagesTs/case_02_0000.nii.gz", 1, 10);
	tree_image("imagesTs/case_02_0001.nii.gz", 1, 500);
}

static void make_folders(void)
{
	tree_image("images/a.nii.gz", 1, 7);
	tree_labels("labels/a.nii.gz", 1, (const uint8_t[]){0, 5, 5, 8}, 4, 0);
}

static void make_flat(void)
{
	tree_image("s1_ED.nii.gz", 1, 7);
	tree_labels("s1_ED_gt.nii.gz", 1, one_each, 5, 0);
	tree_image("s1_ES.nii.gz", 1, 8);
	tree_labels("s1_ES_gt.nii.gz", 1, one_each, 5, 0);
}

/* What of each is wanted: case `at`, whose first voxels are of these classes. */
static const struct layout {
	void (*make)(void);
	const char *labels, *name;
	int n_classes, n_channels;
	size_t n_subjects, n_cases, at;
	const char *class_name, *subject, *phase;
	int class_value;
	int64_t frame;
	bool held_out;
	float first;
	uint8_t classes[5];
} layouts[] = {
    {make_acdc, NULL, "ACDC", 4, 1, 3, 6, 4, "LV", "patient101", "ED", 3, -1, true, 30, {0, 3, 2, 1, 1}},
    {make_mnms, NULL, "M&Ms", 4, 1, 2, 4, 3, "LV", "B2", "ES", 1, 9, true, 900, {0, 1, 2, 3, 3}},
    {make_nnunet, NULL, "nnU-Net", 3, 2, 2, 2, 0, "zone", "case_01", "", 4, -1, false, 10, {0, 1, 2, 2, 0}},
    {make_folders, NULL, "images and labels", 3, 1, 1, 1, 0, "class_5", "a", "", 5, -1, false, 7, {0, 1, 1, 2, 0}},
    {make_flat, "lv=3,myo=2,rv=1", "flat", 4, 1, 1, 2, 1, "LV", "s1", "ES", 3, -1, false, 8, {0, 3, 2, 1, 1}},
};
enum { N_LAYOUTS = sizeof layouts / sizeof *layouts };

static hardy_dataset *open_tree(const char *labels)
{
	hardy_error err;
	hardy_dataset_options o;
	hardy_dataset *d = NULL;
	HARDY_INIT(o);
	o.labels = labels;
	assert_ok(hardy_dataset_open(tree_path(""), &o, &d, NULL, &err), &err);
	return d;
}

static void expect_voxels(const hardy_dataset *d, const struct layout *l)
{
	hardy_error err;
	hardy_volume *image = NULL, *labels = NULL, *alone = NULL;
	assert_ok(hardy_dataset_read(d, l->at, &image, &labels, NULL, &err), &err);
	const hardy_image *i = hardy_volume_image(image), *m = hardy_volume_image(labels);
	assert_int_equal(i->type, HARDY_TYPE_FLOAT32);
	assert_int_equal(i->shape[3], l->n_channels);
	assert_true(((const float *)i->data)[0] == l->first);
	if (l->n_channels == 2)
		assert_true(((const float *)i->data)[TREE_VOXELS] == 500);
	assert_int_equal(m->type, HARDY_TYPE_UINT8);
	assert_memory_equal(m->data, l->classes, 5);
	assert_memory_equal(i->shape, m->shape, 3 * sizeof *i->shape);
	assert_memory_equal(i->affine, m->affine, sizeof i->affine);
	/* the label map goes into a file and comes back */
	assert_ok(hardy_image_write(m, tree_path("copy.nii"), labels, true, &err), &err);
	hardy_volume *copy = NULL;
	assert_ok(hardy_volume_read(tree_path("copy.nii"), &copy, NULL, &err), &err);
	for (int k = 0; k < 5; k++)
		assert_true(((const float *)hardy_volume_image(copy)->data)[k] == (float)l->classes[k]);
	tree_delete("copy.nii");
	hardy_volume_free(copy);
	assert_ok(hardy_dataset_read(d, l->at, &alone, NULL, NULL, &err), &err);
	assert_memory_equal(hardy_volume_image(alone)->data, i->data, TREE_VOXELS * sizeof(float));
	hardy_volume_free(alone);
	hardy_volume_free(labels);
	hardy_volume_free(image);
}

static void every_layout(void **state)
{
	(void)state;
	for (int k = 0; k < N_LAYOUTS; k++) {
		const struct layout *l = &layouts[k];
		hardy_error err;
		hardy_case c;
		HARDY_INIT(c);
		tree_new();
		l->make();
		hardy_dataset *d = open_tree(l->labels);
		assert_string_equal(hardy_dataset_layout(d), l->name);
		assert_int_equal(hardy_dataset_n_classes(d), l->n_classes);
		assert_string_equal(hardy_dataset_class_name(d, 0), "background");
		assert_string_equal(hardy_dataset_class_name(d, 1), l->class_name);
		assert_int_equal(hardy_dataset_class_value(d, 1), l->class_value);
		assert_null(hardy_dataset_class_name(d, l->n_classes));
		assert_int_equal(hardy_dataset_class_value(d, -1), -1);
		assert_int_equal(hardy_dataset_n_channels(d), l->n_channels);
		assert_non_null(hardy_dataset_channel_name(d, 0));
		assert_null(hardy_dataset_channel_name(d, l->n_channels));
		assert_int_equal(hardy_dataset_n_subjects(d), l->n_subjects);
		assert_null(hardy_dataset_subject(d, l->n_subjects));
		assert_int_equal(hardy_dataset_n_cases(d), l->n_cases);
		assert_ok(hardy_dataset_case(d, l->at, &c, &err), &err);
		assert_string_equal(c.subject, l->subject);
		assert_string_equal(c.phase, l->phase);
		assert_string_equal(c.image_path, hardy_dataset_channel_path(d, l->at, 0));
		assert_true(!l->frame || c.frame == l->frame);
		assert_int_equal(c.held_out, l->held_out);
		assert_non_null(c.label_path);
		const int64_t shape[] = {TREE_NX, TREE_NY, TREE_NZ};
		const double spacing[] = {2, 2, 8};
		assert_memory_equal(c.shape, shape, sizeof shape);
		assert_memory_equal(c.spacing_mm, spacing, sizeof spacing);
		bool known = false;
		for (size_t i = 0; i < l->n_subjects; i++)
			known = known || !strcmp(hardy_dataset_subject(d, i), c.subject);
		assert_true(known);
		expect_voxels(d, l);
		hardy_dataset_free(d);
	}
	tree_remove();
}

/* ---- options, what is missing ------------------------------------------------------------------------------------------- */

static void spacing_is_overridden(void **state)
{
	(void)state;
	hardy_error err;
	hardy_dataset_options o;
	hardy_dataset *d = NULL;
	hardy_case c;
	hardy_volume *image = NULL;
	HARDY_INIT(o);
	HARDY_INIT(c);
	o.spacing_mm[2] = 5;
	tree_new();
	make_folders();
	assert_ok(hardy_dataset_open(tree_path(""), &o, &d, NULL, &err), &err);
	assert_ok(hardy_dataset_case(d, 0, &c, &err), &err);
	assert_true(c.spacing_mm[0] == 2 && c.spacing_mm[2] == 5);
	assert_ok(hardy_dataset_read(d, 0, &image, NULL, NULL, &err), &err);
	assert_true(hardy_volume_image(image)->spacing_mm[2] == 5);
	hardy_volume_free(image);
	hardy_dataset_free(d);
	tree_remove();
}

static void what_cannot_be_used(void **state)
{
	(void)state;
	hardy_error err;
	hardy_dataset_options o;
	hardy_dataset *d = NULL;
	hardy_volume *image = NULL, *labels = NULL;
	hardy_case c;
	HARDY_INIT(o);
	HARDY_INIT(c);
	tree_new();
	make_acdc();
	tree_text("training/patient002/Info.cfg", "ED: two\n");
	assert_int_equal(hardy_dataset_open(tree_path(""), &o, &d, NULL, &err), HARDY_ERROR_DATA);
	assert_null(d);
	o.tolerant = true;
	n_warnings = 0;
	assert_ok(hardy_dataset_open(tree_path(""), &o, &d, &log_warnings, &err), &err);
	assert_true(n_warnings >= 1);
	assert_int_equal(hardy_dataset_n_subjects(d), 2);
	assert_int_equal(hardy_dataset_case(d, 99, &c, &err), HARDY_ERROR_ARGUMENT);
	assert_non_null(strstr(err.message, "has 4 cases, there is none of number 99"));
	c.size = 0;
	assert_int_equal(hardy_dataset_case(d, 0, &c, &err), HARDY_ERROR_ARGUMENT);
	assert_int_equal(hardy_dataset_read(d, 4, &image, NULL, NULL, &err), HARDY_ERROR_ARGUMENT);
	assert_int_equal(hardy_dataset_read(d, 0, NULL, NULL, NULL, &err), HARDY_ERROR_ARGUMENT);
	assert_null(hardy_dataset_channel_path(d, 0, 1));
	hardy_dataset_free(d);
	d = NULL;
	/* nothing left */
	tree_new();
	acdc_subject("training/patient002", 20);
	tree_text("training/patient002/Info.cfg", "ED: two\n");
	assert_int_equal(hardy_dataset_open(tree_path(""), &o, &d, NULL, &err), HARDY_ERROR_DATA);
	assert_non_null(strstr(err.message, "no scan can be used; the first: "));
	/* no label map, and labels of another value */
	tree_new();
	make_nnunet();
	d = open_tree(NULL);
	HARDY_INIT(c);
	assert_ok(hardy_dataset_case(d, 1, &c, &err), &err);
	assert_true(!c.label_path && c.label_frame == -1 && c.held_out);
	assert_int_equal(hardy_dataset_read(d, 1, &image, &labels, NULL, &err), HARDY_ERROR_DATA);
	assert_non_null(strstr(err.message, "case_02_0000.nii.gz: has no label map"));
	tree_labels("labelsTr/case_01.nii.gz", 1, (const uint8_t[]){0, 4, 7, 9}, 4, 0);
	assert_int_equal(hardy_dataset_read(d, 0, &image, &labels, NULL, &err), HARDY_ERROR_DATA);
	assert_null(image);
	assert_null(labels);
	hardy_dataset_free(d);
	d = NULL;
	tree_new();
	tree_text("notes.txt", "nothing");
	assert_int_equal(hardy_dataset_open(tree_path(""), NULL, &d, NULL, &err), HARDY_ERROR_DATA);
	assert_int_equal(hardy_dataset_open(NULL, NULL, &d, NULL, &err), HARDY_ERROR_ARGUMENT);
	o.spacing_mm[1] = -2;
	assert_int_equal(hardy_dataset_open(tree_path(""), &o, &d, NULL, &err), HARDY_ERROR_ARGUMENT);
	assert_null(d);
	hardy_dataset_free(NULL);
	tree_remove();
}

/* ---- splits ------------------------------------------------------------------------------------------------------------- */

static hardy_split *split(const hardy_dataset *d, const hardy_split_options *o)
{
	hardy_error err;
	hardy_split *s = NULL;
	assert_ok(hardy_split_new(d, o, &s, NULL, &err), &err);
	return s;
}

static void splits(void **state)
{
	(void)state;
	hardy_error err;
	hardy_split_options o;
	char name[64], path[600];
	HARDY_INIT(o);
	tree_new();
	for (int i = 0; i < 9; i++) {
		snprintf(name, sizeof name, "training/patient%03d", i + 1);
		acdc_subject(name, 10);
	}
	hardy_dataset *d = open_tree(NULL);
	hardy_split *s = split(d, NULL);
	assert_int_equal(hardy_split_n(s, HARDY_SPLIT_TRAIN), 9);
	assert_int_equal(hardy_split_n(s, HARDY_N_SPLIT_LISTS), 0);
	hardy_split_free(s);
	o.subjects = 4;
	o.validation = 2;
	o.seed = 3;
	s = split(d, &o);
	hardy_split *same = split(d, &o);
	assert_int_equal(hardy_split_n(s, HARDY_SPLIT_TRAIN), 4);
	assert_int_equal(hardy_split_n(s, HARDY_SPLIT_VALIDATION), 2);
	assert_int_equal(hardy_split_n(s, HARDY_SPLIT_TEST), 3);
	for (size_t i = 0; i < 4; i++)
		assert_string_equal(hardy_split_subject(s, HARDY_SPLIT_TRAIN, i), hardy_split_subject(same, HARDY_SPLIT_TRAIN, i));
	assert_null(hardy_split_subject(s, HARDY_SPLIT_TRAIN, 4));
	hardy_split_free(same);
	hardy_split_free(s);
	HARDY_INIT(o);
	tree_text("splits.json", "{\"train\": [\"patient003\", \"patient001\"], \"validation\": [\"patient002\"], \"test\": []}");
	snprintf(path, sizeof path, "%s", tree_path("splits.json"));
	o.splits = path;
	s = split(d, &o);
	assert_int_equal(hardy_split_n(s, HARDY_SPLIT_TRAIN), 2);
	assert_string_equal(hardy_split_subject(s, HARDY_SPLIT_VALIDATION, 0), "patient002");
	hardy_split_free(s);
	tree_text("splits.json", "[{\"train\": [\"patient003\"], \"val\": [\"patient002\"]},"
	                         " {\"train\": [\"patient004\"], \"val\": [\"patient005\"]}]");
	o.folds = true;
	o.fold = 1;
	s = split(d, &o);
	assert_string_equal(hardy_split_subject(s, HARDY_SPLIT_TRAIN, 0), "patient004");
	hardy_split_free(s);
	s = NULL;
	o.fold = 2;
	assert_int_equal(hardy_split_new(d, &o, &s, NULL, &err), HARDY_ERROR_ARGUMENT);
	o.fold = -1;
	assert_int_equal(hardy_split_new(d, &o, &s, NULL, &err), HARDY_ERROR_ARGUMENT);
	assert_string_equal(err.message, "fold is -1, want 0 or more");
	HARDY_INIT(o);
	o.validation = 9;
	assert_int_equal(hardy_split_new(d, &o, &s, NULL, &err), HARDY_ERROR_DATA);
	assert_null(s);
	hardy_split_free(NULL);
	hardy_dataset_free(d);
	tree_remove();
}

static hardy_status use_all(hardy_error *err, bool *clean)
{
	hardy_dataset *d = NULL;
	hardy_split *s = NULL;
	hardy_volume *image = NULL, *labels = NULL;
	hardy_status status = hardy_dataset_open(tree_path(""), NULL, &d, NULL, err);
	if (!status)
		status = hardy_dataset_read(d, 0, &image, &labels, NULL, err);
	if (!status)
		status = hardy_split_new(d, NULL, &s, NULL, err);
	*clean = !image == !labels && (!status || !s);
	hardy_split_free(s);
	hardy_volume_free(labels);
	hardy_volume_free(image);
	hardy_dataset_free(d);
	return status;
}

/* Memory that runs out is an error, or makes no difference; nothing is leaked. */
static void every_allocation_may_fail(void **state)
{
	(void)state;
	hardy_error err;
	bool clean;
	int n_failed = 0;
	tree_new();
	make_nnunet();
	const int64_t before = hy_memory_calls();
	assert_ok(use_all(&err, &clean), &err);
	const int64_t n = hy_memory_calls() - before;
	for (int64_t k = 1; k <= n; k++) {
		const int64_t live = hy_memory_live();
		err = (hardy_error){0};
		hy_memory_fail_at(k);
		const hardy_status status = use_all(&err, &clean);
		hy_memory_fail_at(0);
		assert_true(clean && (!status || err.message[0]));
		n_failed += status == HARDY_ERROR_MEMORY;
		assert_int_equal(hy_memory_live(), live);
	}
	assert_true(n > 30 && n_failed > 20);
	tree_remove();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(every_layout), cmocka_unit_test(spacing_is_overridden),     cmocka_unit_test(what_cannot_be_used),
	    cmocka_unit_test(splits),       cmocka_unit_test(every_allocation_may_fail),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
