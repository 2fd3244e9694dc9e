/*
 * predictions.c: hardy_report on a folder of predictions: the least trusted first, pictures, what is missing, what breaks out of nothing.
 */
#include "base/files.h"
#include "base/memory.h"
#include "image/nifti.h"
#include "report/viewer.h"
#include "support/test.h"
#include "support/tree.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#define HEAD                                                                                                                   \
	"scan,output,frame,status,mean_entropy,disagreement,reconstruction_error,reconstruction_z,predicted_dice,predicted_dice_"  \
	"low,"                                                                                                                     \
	"volume_LV_ml,volume_MYO_ml,n_warnings,warnings\n"

static char *page_of(const char *name, hardy_error *err)
{
	hardy_report_options o;
	char *page = NULL;
	size_t size;
	hardy_report_options_init(&o);
	assert_ok(hardy_report(tree_path("out"), &o, NULL, err), err);
	assert_ok(hy_file_read(tree_path(name), &page, &size, err), err);
	assert_int_equal(strlen(page), size);
	return page;
}

static const char *find(const char *page, const char *part)
{
	const char *at = strstr(page, part);
	if (!at)
		fail_msg("\"%s\" is not in the page", part);
	return at;
}

static size_t count(const char *page, const char *part)
{
	size_t n = 0;
	for (; (page = strstr(page, part)); page += strlen(part))
		n++;
	return n;
}

static void make_folder(void)
{
	char text[4096], scan[512];
	tree_new();
	tree_image("scans/a.nii.gz", 1, 0);
	tree_image("scans/cine.nii.gz", 2, 0);
	tree_labels("out/a.nii.gz", 1, (const uint8_t[]){0, 3, 3, 2, 2}, 5, 0);
	tree_labels("out/cine.nii.gz", 2, (const uint8_t[]){0, 3, 3, 2}, 4, 0);
	tree_labels("out/gone.nii.gz", 1, (const uint8_t[]){3}, 1, 0);
	snprintf(scan, sizeof scan, "%s", tree_path("scans"));
	snprintf(text, sizeof text,
	         HEAD "%s/a.nii.gz,a.nii.gz,,ok,.1,.02,,,.95,.9,12.5,30,0,\n"
	              "%s/cine.nii.gz,cine.nii.gz,0,ok,.1,.2,,,.62,.4,1,2,1,spacing <b>odd</b>\n"
	              "%s/cine.nii.gz,cine.nii.gz,1,ok,.1,.2,,,.71,.5,1,2,0,\n"
	              "%s/gone.nii.gz,gone.nii.gz,,ok,.1,.3,,,,,1,2,0,\n"
	              "%s/<script>alert(1)</script>.nii,,,failed,,,,,,,,,,\"truncated, 3 bytes\"\n",
	         scan, scan, scan, scan, scan);
	tree_text("out/quality.csv", text);
	tree_text("out/labels.json", "{\"hardy_version\": \"0\", \"labels\": [{\"name\": \"background\", \"value\": 0}, "
	                             "{\"name\": \"LV\", \"value\": 3}, {\"name\": \"MYO\", \"value\": 2}], \"training\": []}");
}

static void the_least_trusted_come_first(void **state)
{
	(void)state;
	hardy_error err = {0};
	make_folder();
	char *page = page_of("out/report.html", &err);
	const char *failed = find(page, "truncated, 3 bytes"), *first = find(page, "frame 0"),
	           *gone = find(page, "<strong>gone.nii.gz"), *second = find(page, "frame 1"),
	           *best = find(page, "<strong>a.nii.gz");
	assert_true(failed < first && first < gone && gone < second && second < best); /* -1, .62, 1 - .3, .71, .95 */
	find(page,
	     "4 label maps, 1 scan that failed. Predicted Dice: median 0.710, from 0.620 to 0.950; 1 below 0.7. 1 with a warning.");
	find(page, "predicted Dice <strong>0.950</strong>, nine in ten are above 0.900");
	find(page, "two opinions disagree by 0.300");
	find(page, "<br>LV 12.5 mL, MYO 30.0 mL");
	find(page, "LV (3)");
	assert_int_equal(count(page, "src=\"data:image/png;base64,"), 3);
	assert_int_equal(count(page, "No picture: "), 1); /* its scan is gone */
	assert_null(strstr(page, "<script>alert"));
	assert_null(strstr(page, "<b>odd"));
	/* as many voxels in another shape are no picture either */
	hy_grid g = tree_grid();
	g.nx = TREE_NY;
	g.ny = TREE_NX;
	tree_image_grid("scans/a.nii.gz", &g, 1, NULL);
	hy_free(page);
	page = page_of("out/report.html", &err);
	assert_int_equal(count(page, "No picture: "), 2);
	/* it is its own, and may be made again; a table of somebody else is not replaced, and no page comes from one */
	hy_free(page);
	page = page_of("out/report.html", &err);
	hy_free(page);
	tree_text("out/report.html", "mine");
	hardy_report_options o;
	hardy_report_options_init(&o);
	assert_int_equal(hardy_report(tree_path("out"), &o, NULL, &err), HARDY_ERROR_ARGUMENT);
	tree_delete("out/report.html");
	tree_text("out/quality.csv", "a,b\n1,2\n");
	assert_int_equal(hardy_report(tree_path("out"), &o, NULL, &err), HARDY_ERROR_FORMAT);
	assert_non_null(strstr(err.message, "no column \"scan\""));
	tree_text("out/quality.csv", HEAD);
	assert_int_equal(hardy_report(tree_path("out"), &o, NULL, &err), HARDY_ERROR_DATA);
	assert_false(hy_path_exists(tree_path("out/report.html")));
	tree_remove();
}

/* The viewer is there where the program has scripts for it: a case a picture, in the order of the cards. */
static void pictures_open_the_viewer(void **state)
{
	(void)state;
	hardy_error err = {0};
	make_folder();
	char *page = page_of("out/report.html", &err);
	const size_t n = hy_viewer_can() ? 3 : 0;
	assert_int_equal(count(page, "data-open-case=\"case-"), n);
	assert_int_equal(count(page, "{\"id\":\"case-"), n);
	assert_int_equal(count(page, "id=\"bundle\""), n > 0);
	if (n) {
		assert_true(find(page, "\"title\":\"cine.nii.gz, frame 0\"") < find(page, "\"title\":\"a.nii.gz\""));
		find(page, "{\"value\":2,\"rgb\":[86,180,233],\"name\":\"MYO\"},{\"value\":3,");
		assert_int_equal(count(page, "too large"), 0);
	} else {
		find(page, "built without npm");
	}
	hy_free(page);
	hardy_report_options o;
	size_t size;
	hardy_report_options_init(&o);
	o.cases = 0;
	assert_ok(hardy_report(tree_path("out"), &o, NULL, &err), &err);
	assert_ok(hy_file_read(tree_path("out/report.html"), &page, &size, &err), &err);
	assert_int_equal(count(page, "data-open-case"), 0);
	assert_int_equal(count(page, "id=\"cases\""), 0);
	assert_int_equal(count(page, "src=\"data:image/png;base64,"), 3);
	hy_free(page);
	tree_remove();
}

static hy_volume unpack(const hy_blob *b)
{
	hardy_error err = {0};
	hy_volume v = {0};
	tree_text("packed.nii.gz", "");
	FILE *f = fopen(tree_path("packed.nii.gz"), "wb");
	assert_non_null(f);
	assert_int_equal(fwrite(b->data, 1, b->size, f), b->size);
	assert_int_equal(fclose(f), 0);
	assert_ok(hy_nifti_read(tree_path("packed.nii.gz"), NULL, &v, NULL, &err), &err);
	return v;
}

/* 700 x 640 x 200 voxels, labels from 100 to 499 of the columns, 150 to 349 of the rows, in slices 60 and 61. */
static void large_scans_are_made_small(void **state)
{
	(void)state;
	hardy_error err = {0};
	hy_grid g;
	hy_volume image = {0};
	hy_labels label = {0};
	hy_packed p;
	hy_grid_set_simple(&g, 700, 640, 200, 0.5, 0.5, 2);
	assert_ok(hy_volume_alloc(&image, &g, 1, &err), &err);
	assert_ok(hy_labels_alloc(&label, &g, &err), &err);
	for (int z = 60; z < 62; z++)
		for (int y = 150; y < 350; y++)
			for (int x = 100; x < 500; x++) {
				label.data[((int64_t)z * 640 + y) * 700 + x] = 7;
				image.data[((int64_t)z * 640 + y) * 700 + x] = 50;
			}
	tree_new();
	assert_ok(hy_packed_make(&p, &image, &label, &err), &err);
	hy_volume small = unpack(&p.image), labels = unpack(&p.label);
	assert_true(small.grid.nx <= HY_PACKED_SIDE && small.grid.ny <= HY_PACKED_SIDE && small.grid.nx > HY_PACKED_SIDE / 2);
	assert_int_equal(small.grid.nz, 67); /* every third */
	assert_int_equal(p.n_slices, 67);
	assert_int_equal(p.slice, 20);
	assert_true(small.grid.spacing_mm[2] == 6 && small.grid.spacing_mm[0] == small.grid.spacing_mm[1]);
	int64_t n_label = 0, n_light = 0;
	for (int64_t i = 0; i < hy_grid_voxels(&small.grid); i++) {
		n_label += labels.data[i] == 7.0f;
		n_light += small.data[i] > 127;
		assert_true(labels.data[i] == 0.0f || labels.data[i] == 7.0f);
	}
	const double step = small.grid.spacing_mm[0] / 0.5;
	assert_true(fabs((double)n_label - 400 / step * 200 / step) < 0.06 * (double)n_label);
	assert_true(fabs((double)n_light - (double)n_label) < 0.06 * (double)n_label);
	hy_volume_clear(&small);
	hy_volume_clear(&labels);
	hy_volume_clear(&image);
	hy_labels_clear(&label);
	hy_packed_clear(&p);
	tree_remove();
}

/* Every allocation in turn fails: an error, and no page. */
static void memory_runs_out(void **state)
{
	(void)state;
	hardy_report_options o;
	hardy_error err = {0};
	make_folder();
	hardy_report_options_init(&o);
	const int64_t before = hy_memory_calls();
	assert_ok(hardy_report(tree_path("out"), &o, NULL, &err), &err);
	const int64_t n = hy_memory_calls() - before;
	tree_delete("out/report.html");
	assert_true(n > 20);
	for (int64_t k = 1; k <= n; k++) {
		hy_memory_fail_at(k);
		const hardy_status status = hardy_report(tree_path("out"), &o, NULL, &err);
		hy_memory_fail_at(0);
		if (!status || hy_path_exists(tree_path("out/report.html")))
			fail_msg("allocation %lld of %lld failed, and there is a page", (long long)k, (long long)n);
	}
	tree_remove();
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_least_trusted_come_first),
	                                   cmocka_unit_test(pictures_open_the_viewer), cmocka_unit_test(large_scans_are_made_small),
	                                   cmocka_unit_test(memory_runs_out)};
	return cmocka_run_group_tests_name("report/predictions", tests, NULL, NULL);
}
