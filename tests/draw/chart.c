/*
 * chart.c: charts as SVG: bars, marks and lines lie where the values say, and titles break out of nothing.
 */
#include "draw/chart.h"
#include "draw/blob.h"
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* What a chart writes; free with hy_blob_clear. */
static hy_blob text;

static hy_outfile begin(hardy_sink *sink)
{
	text = (hy_blob){0};
	*sink = hy_blob_sink(&text);
	return (hy_outfile){.sink = sink};
}

static const char *finish(hy_outfile *f)
{
	hy_outfile_write(f, "", 1); /* the zero byte at the end */
	assert_false(text.failed);
	return (const char *)text.data;
}

static size_t count(const char *svg, const char *part)
{
	size_t n = 0;
	for (; (svg = strstr(svg, part)); svg += strlen(part))
		n++;
	return n;
}

static void has(const char *svg, const char *part)
{
	if (!strstr(svg, part))
		fail_msg("\"%s\" is not in %s", part, svg);
}

static void bars_are_stacked(void **state)
{
	(void)state;
	hardy_sink sink;
	hy_outfile f = begin(&sink);
	const double values[] = {1, 1, 1, 13, NAN};
	const uint8_t series[] = {0, 0, 1, 1, 0};
	hy_chart_histogram(
	    &f,
	    &(hy_histogram){.title = "<b>", .unit = "mm", .values = values, .series = series, .n = 5, .n_series = 2, .digits = 1});
	const char *svg = finish(&f);
	/* at 1 two of the first and one of the second upon them, a third as high each; at 13 one */
	assert_int_equal(count(svg, "<rect"), 3);
	has(svg, "<title>2 from 1.0 to 2.0 mm</title>");
	has(svg, "y=\"45.3\" width=\"29.3\" height=\"46.7\"");
	has(svg, "y=\"22.0\" width=\"29.3\" height=\"23.3\"");
	has(svg, "text-anchor=\"end\">13.0 mm</text>");
	assert_null(strstr(svg, "<b>"));
	hy_blob_clear(&text);
	f = begin(&sink);
	hy_chart_histogram(&f, &(hy_histogram){.title = "T", .unit = "mm", .values = values, .n = 2, .digits = 2});
	has(finish(&f), "T: all 1.00 mm");
	hy_blob_clear(&text);
	f = begin(&sink);
	hy_chart_histogram(&f, &(hy_histogram){.title = "T", .unit = "mm", .values = values + 4, .n = 1});
	has(finish(&f), "T: none");
	hy_blob_clear(&text);
}

static void intervals_around_zero(void **state)
{
	(void)state;
	hardy_sink sink;
	hy_outfile f = begin(&sink);
	const hy_forest_row rows[] = {
	    {.label = "Group", .value = NAN},
	    {.label = "a method with a name that is by far too long for it", .value = .1, .low = 0, .high = .2, .series = 5},
	    {.label = "\xc3\xa4 & b", .value = -.2, .low = NAN, .high = NAN}};
	hy_chart_forest(&f, "<i>", rows, 3);
	const char *svg = finish(&f);
	/* 0 is in the middle, 190; the reach is 1.05 times the largest, 0.2, over 182 pixels */
	has(svg, "class=\"whisker s5\" d=\"M190.0 46.0H363.3\"");
	has(svg, "a method with a name that is by fa…");
	has(svg, "<title>a method with a name that is by far too long for it</title>");
	has(svg, "+0.100 (+0.000 to +0.200)");
	has(svg, "-0.200</text>");
	has(svg, "\xc3\xa4 &amp; b");
	assert_int_equal(count(svg, "whisker"), 1);
	assert_null(strstr(svg, "<i>"));
	hy_blob_clear(&text);
}

static void dots_and_bounds(void **state)
{
	(void)state;
	hardy_sink sink;
	hy_outfile f = begin(&sink);
	const hy_dot dots[] = {{.5, 1, .25, 0, "s & t"}, {NAN, .5, NAN, 0, NULL}, {0, 0, NAN, 2, NULL}};
	hy_chart_scatter(&f, "title", "x", "y", dots, 3);
	const char *svg = finish(&f);
	assert_int_equal(count(svg, "class=\"dot\""), 2);
	has(svg, "<title>s &amp; t: 0.500 predicted, 1.000 found</title>");
	has(svg, "class=\"whisker s0\" d=\"M122.0 8.0H204.0\""); /* from 40 + 328 / 4 to 40 + 328 / 2 */
	has(svg, "class=\"mark s0\" cx=\"204.0\" cy=\"8.0\"");
	hy_blob_clear(&text);
}

/* Sixteen colours, and marks that differ where eight methods meet. */
static void series_can_be_told_apart(void **state)
{
	(void)state;
	hardy_sink sink;
	char seen[HY_CHART_SERIES][160];
	for (size_t i = 0; i < HY_CHART_SERIES; i++) {
		hy_outfile f = begin(&sink);
		hy_chart_mark(&f, i, 0, 0);
		snprintf(seen[i], sizeof seen[i], "%s", finish(&f));
		hy_blob_clear(&text);
		for (size_t k = 0; k < i; k++)
			assert_string_not_equal(seen[i], seen[k]);
	}
	assert_string_equal(hy_chart_class(17), "s1");
	assert_non_null(strstr(seen[4], "hollow"));
	assert_null(strstr(seen[3], "hollow"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(bars_are_stacked), cmocka_unit_test(intervals_around_zero),
	                                   cmocka_unit_test(dots_and_bounds), cmocka_unit_test(series_can_be_told_apart)};
	return cmocka_run_group_tests_name("draw/chart", tests, NULL, NULL);
}
