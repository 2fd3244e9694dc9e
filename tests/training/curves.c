/*
 * curves.c: the picture of a training: lines where the values are, nothing where there are none, and titles that stay text.
 */
#include "support/test.h"

#include "base/memory.h"
#include "training/curves.h"

#include <stdio.h>
#include <string.h>

static char *draw(const char *csv, const char *title)
{
	hy_text t = {0};
	char copy[1024];
	snprintf(copy, sizeof copy, "%s", csv);
	hy_curves_draw(&t, copy, title);
	assert_false(t.failed);
	assert_int_equal(strncmp(t.data, "<svg ", 5), 0);
	assert_non_null(strstr(t.data, HY_CURVES_MARK));
	assert_string_equal(t.data + t.used - 7, "</svg>\n");
	return t.data;
}

static void lines_lie_where_the_values_are(void **state)
{
	(void)state;
	char *svg =
	    draw("epoch,step,learning_rate,loss,val_stn_dice\n1,50,0.001,10,\n2,100,0.002,1,0.8\n3,200,0,0.1,0.9\n", "a run");
	/* from 56 to 704 over 200 steps; from 40 to 220 over the decades 10 to 0.1 */
	assert_non_null(strstr(svg, "<path d=\"M218.0 40.0L380.0 130.0L704.0 220.0\" fill=\"none\" stroke=\"#0072b2\""));
	/* the rate from 0 at the bottom to its largest */
	assert_non_null(strstr(svg, "<path d=\"M218.0 130.0L380.0 40.0L704.0 220.0\" fill=\"none\" stroke=\"#999999\""));
	/* Dice from 264 to 444 over 1 to 0.8, where there is one */
	assert_non_null(strstr(svg, "<path d=\"M380.0 444.0L704.0 354.0\" fill=\"none\" stroke=\"#d55e00\""));
	assert_non_null(strstr(svg, "now 0.9000, best 0.9000"));
	hy_free(svg);
}

static void what_is_missing_is_left_out(void **state)
{
	(void)state;
	char *svg = draw("", "<b>&\"x\"</b>\n\xff");
	assert_null(strstr(svg, "<path"));
	assert_null(strstr(svg, "<b>"));
	assert_non_null(strstr(svg, "<title>&#60;b&#62;&#38;&#34;x&#34;&#60;/b&#62;?"
	                            "?</title>"));
	hy_free(svg);
	svg = draw("step,loss\n10,nan\n20,-1\nx,2\n", "");
	assert_null(strstr(svg, "stroke-width"));
	hy_free(svg);
	svg = draw("step,loss\n10,nan\n", "");
	assert_null(strstr(svg, "stroke-width"));
	hy_free(svg);
	svg = draw("step,loss\n10,0.5\n20,0.5\n30\n", ""); /* a torn last row; all values alike */
	assert_non_null(strstr(svg, "<path d=\"M380.0 94.2L704.0 94.2\""));
	assert_null(strstr(svg, "Dice"));
	hy_free(svg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(lines_lie_where_the_values_are),
	                                   cmocka_unit_test(what_is_missing_is_left_out)};
	return cmocka_run_group_tests_name("training/curves", tests, NULL, NULL);
}
