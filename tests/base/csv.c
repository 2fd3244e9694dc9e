/*
 * csv.c: tables as programs and people write them.
 */
#include "base/csv.h"

#include "base/memory.h"
#include "base/text.h"
#include "support/test.h"

#include <stdio.h>
#include <string.h>

/* Fields in order, each in brackets, rows with their line and a bar between. */
static void reads(const char *table, char separator, const char *wanted)
{
	char text[512], *fields[4];
	hy_text out = {0};
	snprintf(text, sizeof text, "%s", table);
	hy_csv c = hy_csv_begin(text);
	assert_int_equal(c.separator, separator);
	for (size_t n; (n = hy_csv_row(&c, fields, 4));) {
		hy_text_printf(&out, "%d%zu", c.line, n);
		for (size_t i = 0; i < n && i < 4; i++)
			hy_text_printf(&out, "[%s]", fields[i]);
		hy_text_add(&out, "|", 1);
	}
	assert_false(out.failed);
	assert_string_equal(out.data ? out.data : "", wanted);
	hy_text_clear(&out);
}

static void tables(void **state)
{
	(void)state;
	reads("", ',', "");
	reads("a,b\n1,2\n", ',', "12[a][b]|22[1][2]|");
	reads("a,b\r\n\r\n1,\r\n", ',', "12[a][b]|32[1][]|");
	reads("a,b\r1,2", ',', "12[a][b]|22[1][2]|");
	reads("\xEF\xBB\xBFx;y\n\"1;\"\"2\"\"\";3,5\n", ';', "12[x][y]|22[1;\"2\"][3,5]|");
	reads("a\tb\n 1 \t\n", '\t', "12[a][b]|22[1][]|");
	reads("\"a,\nb\" , c\nd,e,f,g,h\n", ',', "12[a,\nb][c]|35[d][e][f][g]|");
	reads("a,\"open\n1,2", ',', "12[a][open\n1,2]|");
	reads("  \"kept  \"  ,say \"so\"\n", ',', "12[kept  ][say \"so\"]|");
}

static void texts(void **state)
{
	(void)state;
	hy_text t = {0};
	for (int i = 0; i < 3000; i++)
		hy_text_printf(&t, "%d,", i % 10);
	assert_int_equal(t.used, 6000);
	assert_int_equal(strlen(t.data), 6000);
	hy_memory_fail_at(1);
	char *large = hy_alloc(40000, 1);
	hy_memory_fail_at(0);
	assert_null(large);
	hy_memory_fail_at(1);
	for (int i = 0; i < 9000; i++)
		hy_text_add(&t, "xx", 2);
	hy_memory_fail_at(0);
	assert_true(t.failed);
	assert_true(t.used < 24000);
	hy_text_clear(&t);
	assert_true(hy_ends_with("A.NII.GZ", ".nii.gz") && hy_ends_with(".nii", ".nii") && !hy_ends_with("nii", ".nii"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(tables), cmocka_unit_test(texts)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
