/*
 * progress_page.c: the page that shows how a training goes: its slices, its own text, that it loads itself again until the end, and that it
 * replaces nothing else.
 */
#include "training/progress_page.h"

#include "base/files.h"
#include "base/memory.h"
#include "support/scratch.h"
#include "support/test.h"

#include <math.h>
#include <string.h>
#include <unistd.h>

enum { SIZE = 16 };

static size_t count(const char *page, const char *part)
{
	size_t n = 0;
	for (; (page = strstr(page, part)); page += strlen(part))
		n++;
	return n;
}

static char *page_of(const hy_progress_facts *p)
{
	hardy_error err = {0};
	char *page = NULL;
	size_t size;
	assert_ok(hy_progress_page_write(scratch_path("progress.html"), p, &err), &err);
	assert_ok(hy_file_read(scratch_path("progress.html"), &page, &size, &err), &err);
	assert_int_equal(strlen(page), size);
	return page;
}

static void slices_and_curves(void **state)
{
	(void)state;
	float image[SIZE * SIZE];
	uint8_t truth[SIZE * SIZE] = {0}, label[SIZE * SIZE] = {0};
	hy_class classes[2] = {{.name = "background"}, {.name = "a <b>"}};
	hy_text svg = {0};
	for (int i = 0; i < SIZE * SIZE; i++)
		image[i] = (float)(i % 7);
	truth[5 * SIZE + 5] = label[5 * SIZE + 6] = 1;
	const hy_shot shots[2] = {{image, truth, label, 0, 3, 8}, {image, truth, truth, 4, 0, 8}};
	hy_text_printf(&svg, "<svg id=\"curves\"></svg>");
	hy_progress_facts p = {.title = "<i>run",
	                       .step = 30,
	                       .steps = 100,
	                       .dice = 0.625,
	                       .curves = &svg,
	                       .shots = shots,
	                       .n_shots = 2,
	                       .size = SIZE,
	                       .classes = classes,
	                       .n_classes = 2};
	char *page = page_of(&p);
	assert_int_equal(count(page, "data:image/png;base64,iVBOR"), 2);
	assert_non_null(strstr(page, "scan 1, slice 4 of 8"));
	assert_non_null(strstr(page, "scan 5, slice 1 of 8"));
	assert_non_null(strstr(page, "Step 30 of 100; mean Dice of the validation subjects <strong>0.625</strong>"));
	assert_non_null(strstr(page, "<svg id=\"curves\"></svg>"));
	assert_non_null(strstr(page, "http-equiv=\"refresh\""));
	assert_non_null(strstr(page, "&lt;i&gt;run"));
	assert_null(strstr(page, "a <b>"));
	assert_null(strstr(page, "<script"));
	hy_free(page);
	/* done: it stays as it is; no validation: no slices, no score */
	p.step = 100;
	p.dice = NAN;
	p.n_shots = 0;
	page = page_of(&p);
	assert_null(strstr(page, "http-equiv=\"refresh\""));
	assert_null(strstr(page, "<img"));
	assert_null(strstr(page, "Dice"));
	hy_free(page);
	hy_text_clear(&svg);
}

static void replaces_its_own_only(void **state)
{
	(void)state;
	hardy_error err = {0};
	hy_text svg = {0};
	const hy_progress_facts p = {.title = "run", .steps = 1, .dice = NAN, .curves = &svg, .size = SIZE};
	scratch_write("progress.html", "mine", 4);
	assert_int_equal(hy_progress_page_write(scratch_path("progress.html"), &p, &err), HARDY_ERROR_ARGUMENT);
	assert_int_equal(scratch_n_files(), 1);
	unlink(scratch_path("progress.html"));
	hy_free(page_of(&p));
	hy_free(page_of(&p));
	assert_int_equal(scratch_n_files(), 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test_setup(slices_and_curves, scratch_setup),
	                                   cmocka_unit_test_setup(replaces_its_own_only, scratch_setup)};
	return cmocka_run_group_tests_name("training/progress_page", tests, NULL, scratch_teardown);
}
