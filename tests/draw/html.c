/*
 * html.c: text, numbers, JSON and base64 in a page: what comes from names and files cannot become markup or script.
 */
#include "draw/html.h"

#include "support/test.h"

#include <math.h>
#include <string.h>

static char page[16384];
static size_t used;

static void take(void *payload, const char *data, size_t size)
{
	(void)payload;
	assert_true(used + size < sizeof page);
	memcpy(page + used, data, size);
	used += size;
	page[used] = 0;
}

static hy_outfile open_page(void)
{
	static const hardy_sink sink = {take, NULL};
	used = 0;
	page[0] = 0;
	return (hy_outfile){.sink = &sink};
}

static void text_is_escaped(void **state)
{
	(void)state;
	hy_outfile f = open_page();
	hy_html_text(&f, "<script>alert(\"1\" + '2' & 3)</script>");
	assert_string_equal(page, "&lt;script&gt;alert(&quot;1&quot; + &#39;2&#39; &amp; 3)&lt;/script&gt;");
}

static void bytes_that_are_no_text_are_replaced(void **state)
{
	(void)state;
	/* Good: two, three and four bytes. Bad: overlong, cut, surrogate, beyond the last, stray, control characters. */
	static const struct {
		const char *in, *out;
	} cases[] = {
	    {"x\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\n\t", "x\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\n\t"},
	    {"\xc0\xaf", "\xef\xbf\xbd\xef\xbf\xbd"},
	    {"\xe2\x82", "\xef\xbf\xbd\xef\xbf\xbd"},
	    {"\xe2\x82<", "\xef\xbf\xbd\xef\xbf\xbd&lt;"},
	    {"\xed\xa0\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
	    {"\xf4\x90\x80\x80", "\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbd"},
	    {"a\xff"
	     "b\x01\x7f",
	     "a\xef\xbf\xbd"
	     "b\xef\xbf\xbd\xef\xbf\xbd"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		hy_outfile f = open_page();
		hy_html_text(&f, cases[i].in);
		assert_string_equal(page, cases[i].out);
	}
}

static void format_escapes_its_strings_only(void **state)
{
	(void)state;
	hy_outfile f = open_page();
	hy_html_printf(&f, "<b title=\"%s\">%s</b> %d %zu %lld %.3f %5.1f%% %g", "a\"b", "<&>", -7, (size_t)12, (long long)1 << 40,
	               0.12345, 50.0, NAN);
	assert_string_equal(page, "<b title=\"a&quot;b\">&lt;&amp;&gt;</b> -7 12 1099511627776 0.123  50.0% nan");
}

static void json_cannot_end_its_element(void **state)
{
	(void)state;
	hy_outfile f = open_page();
	cJSON *json = cJSON_CreateObject(), *back;
	assert_true(hy_json_add(json, "</script><!--", cJSON_CreateString("a & \"b\" <script>")));
	hy_html_json(&f, json);
	assert_null(strpbrk(page, "<>&"));
	back = cJSON_Parse(page);
	assert_true(cJSON_Compare(json, back, true));
	cJSON_Delete(back);
	f = open_page();
	hy_html_json_string(&f, "</script>");
	assert_string_equal(page, "\"\\u003c/script\\u003e\"");
	f = open_page();
	hy_html_json_members(&f, json);
	assert_int_equal(page[0], '"');
	assert_int_equal(page[used - 1], '}');
	cJSON_Delete(json);
	f = open_page();
	hy_html_json(&f, NULL); /* memory ran out before */
	assert_int_not_equal(f.error, 0);
}

static void base64_of_every_length(void **state)
{
	(void)state;
	/* RFC 4648, section 10. */
	static const char *const cases[][2] = {{"", ""},
	                                       {"f", "Zg=="},
	                                       {"fo", "Zm8="},
	                                       {"foo", "Zm9v"},
	                                       {"foob", "Zm9vYg=="},
	                                       {"fooba", "Zm9vYmE="},
	                                       {"foobar", "Zm9vYmFy"}};
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		hy_outfile f = open_page();
		hy_html_base64(&f, cases[i][0], strlen(cases[i][0]));
		assert_string_equal(page, cases[i][1]);
	}
	uint8_t many[9000];
	memset(many, 0xff, sizeof many);
	hy_outfile f = open_page();
	hy_html_base64(&f, many, sizeof many);
	assert_int_equal(used, 12000);
	assert_int_equal(strspn(page, "/"), 12000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(text_is_escaped),
	    cmocka_unit_test(bytes_that_are_no_text_are_replaced),
	    cmocka_unit_test(format_escapes_its_strings_only),
	    cmocka_unit_test(json_cannot_end_its_element),
	    cmocka_unit_test(base64_of_every_length),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
