/*
 * dicom.c: DICOM is recognised wherever scans are named, and the message says what to do.
 */
#include "support/test.h"
#include "support/tree.h"

#include "dataset/dataset.h"
#include "image/dicom.h"
#include "image/nifti.h"

#include <stdio.h>
#include <string.h>

static void write_dicom(const char *name)
{
	char start[400] = "";
	tree_text(name, "");
	FILE *f = fopen(tree_path(name), "wb");
	assert_non_null(f);
	memcpy(start + 128, "DICM", 4);
	assert_int_equal(fwrite(start, 1, sizeof start, f), sizeof start);
	assert_int_equal(fclose(f), 0);
}

static void first_bytes_tell(void **state)
{
	(void)state;
	uint8_t bytes[HY_DICOM_START] = {0};
	assert_false(hy_dicom_starts(bytes, sizeof bytes));
	memcpy(bytes + 128, "DICM", 4);
	assert_true(hy_dicom_starts(bytes, sizeof bytes));
	assert_false(hy_dicom_starts(bytes, sizeof bytes - 1));
}

static void files_and_folders_are_recognised(void **state)
{
	(void)state;
	tree_new();
	write_dicom("study/series/000001.dcm");
	write_dicom("without-an-ending");
	write_dicom("a/b/c/d/e.dcm");
	tree_text("other/notes.txt", "DICM");
	assert_true(hy_dicom_is(tree_path("study/series/000001.dcm")));
	assert_true(hy_dicom_is(tree_path("without-an-ending")));
	assert_true(hy_dicom_is(tree_path("study/series")));
	assert_true(hy_dicom_is(tree_path("study")));
	assert_false(hy_dicom_is(tree_path("a"))); /* too deep */
	assert_false(hy_dicom_is(tree_path("other")));
	assert_false(hy_dicom_is(tree_path("absent")));
	tree_remove();
}

static void messages_say_what_to_do(void **state)
{
	(void)state;
	hardy_error err = {0};
	hy_dataset d;
	hy_volume v;
	tree_new();
	write_dicom("study/series/000001.dcm");
	assert_int_equal(hy_dataset_open(&d, tree_path("study"), NULL, NULL, &err), HARDY_ERROR_DATA);
	assert_non_null(strstr(err.message, "holds DICOM"));
	assert_non_null(strstr(err.message, "dcm2niix"));
	assert_int_equal(hy_nifti_read(tree_path("study/series/000001.dcm"), NULL, &v, NULL, &err), HARDY_ERROR_FORMAT);
	assert_non_null(strstr(err.message, "is DICOM"));
	tree_remove();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(first_bytes_tell),
	    cmocka_unit_test(files_and_folders_are_recognised),
	    cmocka_unit_test(messages_say_what_to_do),
	};
	return cmocka_run_group_tests_name("image/dicom", tests, NULL, NULL);
}
