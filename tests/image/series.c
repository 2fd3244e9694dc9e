/*
 * series.c: folders of DICOM become scans, one a series; a cine has its frames in order and its times. What needs dcm2niix is skipped where it is not
 * installed; failures are tried with programs of that name that fail.
 */
#define _XOPEN_SOURCE 700
#include "support/fake_dicom.h"
#include "support/listen.h"
#include "support/test.h"
#include "support/tree.h"

#include "base/files.h"
#include "base/memory.h"
#include "image/nifti.h"
#include "image/series.h"

#include <math.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

static char usual_path[4096];

static const fake_dicom patient = {.patient = "p7", .series = "1.2.3", .series_number = 12, .trigger_ms = NAN};

static bool has_dcm2niix(void)
{
	char path[sizeof usual_path];
	snprintf(path, sizeof path, "%s", usual_path);
	for (char *at = path, *next; at; at = next) {
		next = strchr(at, ':');
		if (next)
			*next++ = 0;
		char *program = hy_path_join(at, "dcm2niix");
		const bool there = program && hy_path_exists(program);
		hy_free(program);
		if (there)
			return true;
	}
	return false;
}

#define NEED_DCM2NIIX()                                                                                                        \
	do {                                                                                                                       \
		if (!has_dcm2niix()) {                                                                                                 \
			print_message("dcm2niix is not installed\n");                                                                      \
			skip();                                                                                                            \
		}                                                                                                                      \
	} while (0)

static int begin(void **state)
{
	(void)state;
	tree_new();
	listen_anew();
	setenv("PATH", usual_path, 1);
	hardy_error err = {0};
	return hy_make_folders(tree_path("scratch"), &err);
}

static int end(void **state)
{
	(void)state;
	stop_at = 0;
	setenv("PATH", usual_path, 1);
	tree_remove();
	return 0;
}

static hardy_status convert(hy_converted *c, hardy_error *err)
{
	return hy_series_convert(c, tree_path("dicom"), tree_path("scratch"), &listen_stop, &listen_log, err);
}

static size_t n_in(const char *folder)
{
	hy_names names;
	hardy_error err = {0};
	assert_ok(hy_list_folder(tree_path(folder), &names, &err), &err);
	const size_t n = names.n;
	hy_names_free(&names);
	return n;
}

/* A dcm2niix of ours that comes before, or instead of, any other. */
static void put_program(const char *script)
{
	char path[sizeof usual_path + 700];
	tree_text("bin/dcm2niix", script);
	assert_int_equal(chmod(tree_path("bin/dcm2niix"), 0700), 0);
	snprintf(path, sizeof path, "%s:%s", tree_path("bin"), usual_path);
	setenv("PATH", path, 1);
}

/* ---- with the program --------------------------------------------------------------------------------------------------- */

static void assert_cine(const hy_series *s, int nz, int nt)
{
	hy_volume v = {0};
	hardy_error err = {0};
	double first, step;
	assert_null(s->fault);
	assert_non_null(s->path);
	assert_ok(hy_nifti_read(s->path, NULL, &v, NULL, &err), &err);
	assert_int_equal(v.nt, nt);
	assert_int_equal(v.grid.nz, nz);
	assert_true(fabs(v.grid.spacing_mm[0] - 1.5) < 1e-5 && fabs(v.grid.spacing_mm[2] - 8) < 1e-5);
	assert_true(hy_nifti_times(&v, &first, &step));
	assert_true(fabs(first) < 1e-3 && fabs(step - 40) < 1e-3);
	assert_true(fabs(s->step_ms - 40) < 1e-6);
	const int64_t n = FAKE_DICOM_SIDE * FAKE_DICOM_SIDE;
	for (int t = 0; t < nt; t++)
		for (int z = 0; z < nz; z++) { /* slices from below, as their places say; the affine maps index to mm */
			const double mm = v.grid.affine[2][3] + v.grid.affine[2][2] * z;
			const double want = 100 * round(mm / 8) + 10 * t;
			assert_true(v.data[(t * nz + z) * n + 100] == (float)want);
		}
	hy_volume_clear(&v);
}

/* dcm2niix alone makes slices of frames from some makers' cines, and of others a scan a frame. */
static void a_cine_of_any_maker_has_its_frames_in_order(void **state)
{
	(void)state;
	NEED_DCM2NIIX();
	static const char *const makers[] = {"SIEMENS", "Philips", "GE MEDICAL SYSTEMS", NULL};
	for (int i = 0; i < 4; i++) {
		char folder[64];
		fake_dicom like = patient;
		char series[32];
		snprintf(series, sizeof series, "1.2.%d", i + 1);
		snprintf(folder, sizeof folder, "dicom/m%d", i);
		like.series = series;
		like.maker = makers[i];
		like.implicit = i == 1;
		fake_dicom_cine(folder, &like, 3, 5, 1);
	}
	hy_converted c;
	hardy_error err = {0};
	assert_ok(convert(&c, &err), &err);
	assert_int_equal(c.n, 4);
	for (size_t i = 0; i < c.n; i++) {
		char name[32];
		snprintf(name, sizeof name, "m%zu", i);
		assert_string_equal(c.items[i].name, name);
		assert_cine(&c.items[i], 3, 5);
	}
	char text[256];
	snprintf(text, sizeof text, "%.200s: is odd", c.items[1].path);
	hy_converted_name(&c, text, sizeof text);
	assert_non_null(strstr(text, "dicom/m1: is odd"));
	assert_null(strstr(text, "scratch"));
	assert_int_equal(n_in("scratch"), 1);
	hy_converted_clear(&c);
	assert_int_equal(n_in("scratch"), 0);
	assert_int_equal(n_in("dicom/m0"), 15); /* nothing was written there */
}

static void series_of_one_folder_are_told_apart(void **state)
{
	(void)state;
	NEED_DCM2NIIX();
	hy_converted c;
	hardy_error err = {0};
	fake_dicom_cine("dicom", &patient, 2, 3, 1);
	for (int z = 0; z < 3; z++) {
		char name[32];
		fake_dicom d = patient;
		d.series = "1.2.4";
		d.series_number = 13;
		d.instance = 100 + z;
		d.place_mm = 8 * z;
		d.value = (uint16_t)(z + 1);
		snprintf(name, sizeof name, "dicom/still%d", z);
		fake_dicom_write(name, &d);
	}
	fake_dicom report = patient;
	report.series = "1.2.5";
	report.no_pixels = true;
	fake_dicom_write("dicom/report", &report);
	tree_text("dicom/notes.txt", "not DICOM");
	assert_ok(convert(&c, &err), &err);
	assert_int_equal(c.n, 2);
	assert_string_equal(c.items[0].name, "dicom_12");
	assert_cine(&c.items[0], 2, 3);
	assert_string_equal(c.items[1].name, "dicom_13");
	assert_int_equal(c.items[1].n_frames, 1);
	hy_converted_clear(&c);
}

/* ---- without it, and with one that fails -------------------------------------------------------------------------------- */

static void without_the_program_the_message_says_what_to_do(void **state)
{
	(void)state;
	hy_converted c;
	hardy_error err = {0};
	fake_dicom_cine("dicom", &patient, 2, 2, 1);
	setenv("PATH", tree_path("nothing"), 1);
	assert_int_equal(convert(&c, &err), HARDY_ERROR_DATA);
	assert_non_null(strstr(err.message, "dicom: holds DICOM"));
	assert_non_null(strstr(err.message, "install the Debian package dcm2niix"));
	assert_int_equal(n_in("scratch"), 0);
}

static void its_failure_is_told_with_its_last_lines(void **state)
{
	(void)state;
	static const struct {
		const char *script, *told;
	} fails[] = {
	    {"#!/bin/sh\necho first\necho second\necho third >&2\necho fourth\nexit 3\n",
	     "dcm2niix failed: the process ended with exit code 3; its last lines: second; third; fourth"},
	    {"#!/bin/sh\necho hello\necho 'Error: Check sorted order'\n",
	     "dcm2niix failed; its last lines: Error: Check sorted order"},
	    {"#!/bin/sh\nexit 0\n", "dcm2niix made no scan of it"},
	};
	fake_dicom_cine("dicom/a", &patient, 2, 2, 1);
	for (size_t i = 0; i < 3; i++) {
		hy_converted c;
		hardy_error err = {0};
		put_program(fails[i].script);
		assert_ok(convert(&c, &err), &err);
		assert_int_equal(c.n, 1);
		assert_null(c.items[0].path);
		assert_string_equal(c.items[0].fault, fails[i].told);
		hy_converted_clear(&c);
		assert_int_equal(n_in("scratch"), 0);
	}
}

static void it_is_stopped_and_leaves_nothing(void **state)
{
	(void)state;
	fake_dicom_cine("dicom", &patient, 2, 2, 1);
	put_program("#!/bin/sh\nexec sleep 1000\n");
	for (stop_at = 1; stop_at < 9; stop_at += 3) { /* among the files, and while the program runs */
		hy_converted c;
		hardy_error err = {0};
		const int at = stop_at;
		listen_anew();
		stop_at = at;
		assert_int_equal(convert(&c, &err), HARDY_ERROR_INTERRUPTED);
		assert_int_equal(n_in("scratch"), 0);
		stop_at = at;
	}
}

/* Its arguments are words: nothing in a name of a folder means anything. */
static void names_of_folders_mean_nothing(void **state)
{
	(void)state;
	NEED_DCM2NIIX();
	hy_converted c;
	hardy_error err = {0};
	fake_dicom_cine("dicom/a b; touch 'x' $(y) %s -o", &patient, 2, 2, 1);
	assert_ok(convert(&c, &err), &err);
	assert_int_equal(c.n, 1);
	assert_string_equal(c.items[0].name, "a_b__touch__x____y___s_-o");
	assert_cine(&c.items[0], 2, 2);
	hy_converted_clear(&c);
}

static void patients_are_not_mixed(void **state)
{
	(void)state;
	hy_converted c;
	hardy_error err = {0};
	fake_dicom other = patient;
	fake_dicom_cine("dicom", &patient, 2, 2, 1);
	other.patient = "p8";
	other.series = "1.2.9";
	other.instance = 900;
	fake_dicom_write("dicom/z.dcm", &other);
	assert_int_equal(convert(&c, &err), HARDY_ERROR_DATA);
	assert_non_null(strstr(err.message, "several patients"));
	assert_null(strstr(err.message, "p8"));
	assert_int_equal(n_in("scratch"), 0);
}

static void folders_without_images_are_refused(void **state)
{
	(void)state;
	hy_converted c;
	hardy_error err = {0};
	fake_dicom report = patient;
	report.no_pixels = true;
	fake_dicom_write("dicom/report.dcm", &report);
	assert_int_equal(convert(&c, &err), HARDY_ERROR_DATA);
	assert_non_null(strstr(err.message, "no image"));
}

static void every_allocation_may_fail(void **state)
{
	(void)state;
	NEED_DCM2NIIX();
	fake_dicom_cine("dicom", &patient, 1, 2, 1);
	const int64_t live = hy_memory_live();
	hardy_status status = HARDY_ERROR_MEMORY;
	for (int64_t k = 1; status; k += TEST_STRIDE) {
		hy_converted c;
		hardy_error err = {0};
		hy_memory_fail_at(k);
		status = convert(&c, &err);
		hy_memory_fail_at(0);
		if (!status)
			hy_converted_clear(&c);
		else
			assert_int_equal(status, HARDY_ERROR_MEMORY);
		assert_int_equal(hy_memory_live(), live);
		assert_int_equal(n_in("scratch"), 0);
		assert_true(k < 2000);
	}
}

int main(void)
{
	snprintf(usual_path, sizeof usual_path, "%s", getenv("PATH"));
#define T(f) cmocka_unit_test_setup_teardown(f, begin, end)
	const struct CMUnitTest tests[] = {
	    T(a_cine_of_any_maker_has_its_frames_in_order),
	    T(series_of_one_folder_are_told_apart),
	    T(without_the_program_the_message_says_what_to_do),
	    T(its_failure_is_told_with_its_last_lines),
	    T(it_is_stopped_and_leaves_nothing),
	    T(names_of_folders_mean_nothing),
	    T(patients_are_not_mixed),
	    T(folders_without_images_are_refused),
	    T(every_allocation_may_fail),
	};
#undef T
	return cmocka_run_group_tests_name("image/series", tests, NULL, NULL);
}
