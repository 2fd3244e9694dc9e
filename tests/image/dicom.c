/*
 * dicom.c: DICOM is recognised wherever scans are named, and the message says what to do.
 */
#include "support/fake_dicom.h"
#include "support/test.h"
#include "support/tree.h"

#include "dataset/dataset.h"
#include "image/dicom.h"
#include "image/nifti.h"

#include <math.h>
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

static bool is_dicom(const char *path)
{
	hardy_error err;
	bool found;
	assert_ok(hy_dicom_is(path, &found, &err), &err);
	return found;
}

static void files_and_folders_are_recognised(void **state)
{
	(void)state;
	tree_new();
	write_dicom("study/series/000001.dcm");
	write_dicom("without-an-ending");
	write_dicom("a/b/c/d/e.dcm");
	tree_text("other/notes.txt", "DICM");
	assert_true(is_dicom(tree_path("study/series/000001.dcm")));
	assert_true(is_dicom(tree_path("without-an-ending")));
	assert_true(is_dicom(tree_path("study/series")));
	assert_true(is_dicom(tree_path("study")));
	assert_false(is_dicom(tree_path("a"))); /* too deep */
	assert_false(is_dicom(tree_path("other")));
	assert_false(is_dicom(tree_path("absent")));
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

/* ---- headers ------------------------------------------------------------------------------------------------------------ */

static const fake_dicom usual = {
    .patient = "p7", .series = "1.2.3", .series_number = 12, .instance = 4, .place_mm = 8, .trigger_ms = 40.5, .value = 7};

static void assert_usual(const hy_dicom *d)
{
	assert_true(d->image);
	assert_string_equal(d->patient, "p7");
	assert_string_equal(d->series, "1.2.3"); /* without the zero byte that makes its length even */
	assert_string_equal(d->position, "-12\\-12\\8");
	assert_string_equal(d->direction, "1\\0\\0\\0\\1\\0");
	assert_true(d->series_number == 12 && d->instance == 4 && d->trigger_ms == 40.5);
}

static void headers_are_read_in_both_forms(void **state)
{
	(void)state;
	uint8_t bytes[FAKE_DICOM_ROOM];
	for (int k = 0; k < 4; k++) {
		fake_dicom one = usual;
		hy_dicom d;
		one.implicit = k & 1;
		one.with_sequence = k & 2;
		const size_t size = fake_dicom_make(&one, bytes);
		assert_true(hy_dicom_parse(bytes, size, &d));
		assert_usual(&d);
	}
}

static void what_is_missing_is_known_to_be(void **state)
{
	(void)state;
	uint8_t bytes[FAKE_DICOM_ROOM];
	fake_dicom one = usual;
	hy_dicom d;
	one.trigger_ms = NAN;
	one.no_pixels = true;
	assert_true(hy_dicom_parse(bytes, fake_dicom_make(&one, bytes), &d));
	assert_false(d.image);
	assert_true(isnan(d.trigger_ms));
}

/* Each byte may be the last, and each may be wrong: nothing outside of them is read (sanitizers tell). */
static void cut_and_damaged_headers_do_no_harm(void **state)
{
	(void)state;
	uint8_t bytes[FAKE_DICOM_ROOM];
	fake_dicom one = usual;
	one.with_sequence = true;
	const size_t size = fake_dicom_make(&one, bytes);
	for (size_t n = 0; n < 900 && n < size; n++) {
		hy_dicom d;
		uint8_t *own = malloc(n ? n : 1);
		assert_non_null(own);
		memcpy(own, bytes, n);
		assert_false(hy_dicom_parse(own, n, &d) && d.image && n < 300);
		if (n > HY_DICOM_START) {
			own[n - 1] ^= 0xFF;
			hy_dicom_parse(own, n, &d);
		}
		free(own);
	}
}

static void other_transfer_syntaxes_are_refused(void **state)
{
	(void)state;
	uint8_t bytes[FAKE_DICOM_ROOM];
	hy_dicom d;
	const size_t size = fake_dicom_make(&usual, bytes);
	for (size_t i = HY_DICOM_START; i + 19 < size; i++)
		if (!memcmp(bytes + i, "1.2.840.10008.1.2.1", 19)) {
			bytes[i + 18] = '2'; /* big-endian */
			break;
		}
	assert_false(hy_dicom_parse(bytes, size, &d));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(first_bytes_tell),
	    cmocka_unit_test(files_and_folders_are_recognised),
	    cmocka_unit_test(messages_say_what_to_do),
	    cmocka_unit_test(headers_are_read_in_both_forms),
	    cmocka_unit_test(what_is_missing_is_known_to_be),
	    cmocka_unit_test(cut_and_damaged_headers_do_no_harm),
	    cmocka_unit_test(other_transfer_syntaxes_are_refused),
	};
	return cmocka_run_group_tests_name("image/dicom", tests, NULL, NULL);
}
