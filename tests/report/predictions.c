/*
 * predictions.c: hardy_report on a folder of predictions: the least trusted first, pictures, what is missing, what breaks out of nothing.
 */
#include "base/files.h"
#include "base/memory.h"
#include "support/test.h"
#include "support/tree.h"

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
	const struct CMUnitTest tests[] = {cmocka_unit_test(the_least_trusted_come_first), cmocka_unit_test(memory_runs_out)};
	return cmocka_run_group_tests_name("report/predictions", tests, NULL, NULL);
}
