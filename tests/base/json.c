/*
 * json.c: documents that stay valid whatever names they hold, and names that come back.
 */
#include "base/json.h"

#include "support/test.h"

#include <string.h>

static void prints(const char *name, const char *wanted)
{
	cJSON *json = cJSON_CreateObject();
	assert_non_null(cJSON_AddStringToObject(json, "n", name));
	char *text = hy_json_print(json, false);
	assert_non_null(text);
	assert_string_equal(text, wanted);
	cJSON *back = cJSON_Parse(text);
	char *read = cJSON_GetObjectItem(back, "n")->valuestring;
	hy_json_bytes(read);
	assert_string_equal(read, name);
	cJSON_Delete(back);
	cJSON_free(text);
	cJSON_Delete(json);
}

static void strings_are_utf_8(void **state)
{
	(void)state;
	prints("plain", "{\"n\":\"plain\"}");
	prints("caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\xab\x80", "{\"n\":\"caf\xc3\xa9 \xe2\x82\xac \xf0\x9f\xab\x80\"}");
	prints("M\xfcller", "{\"n\":\"M\\\\xfcller\"}");             /* Latin-1 */
	prints("\xc3", "{\"n\":\"\\\\xc3\"}");                       /* cut short */
	prints("\xc0\xaf", "{\"n\":\"\\\\xc0\\\\xaf\"}");            /* too long a form */
	prints("\xed\xa0\x80", "{\"n\":\"\\\\xed\\\\xa0\\\\x80\"}"); /* a surrogate */
	prints("\xf4\x90\x80\x80", "{\"n\":\"\\\\xf4\\\\x90\\\\x80\\\\x80\"}");
	prints("a\\x41", "{\"n\":\"a\\\\x41\"}"); /* no byte of a name */
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(strings_are_utf_8)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
