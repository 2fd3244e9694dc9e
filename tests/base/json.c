/*
 * json.c: documents that stay valid whatever names they hold, and names that come back.
 */
#include "base/json.h"

#include "base/memory.h"
#include "support/json_memory.h"
#include "support/test.h"

#include <errno.h>
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

static char *build(void)
{
	cJSON *o = cJSON_CreateObject(), *list = cJSON_CreateArray(), *row = cJSON_CreateObject();
	bool good = hy_json_add(row, "name", cJSON_CreateString("a"));
	good = hy_json_append(list, hy_json_keep(good, row)) && hy_json_append(list, cJSON_CreateNumber(1));
	good = hy_json_add(o, "list", hy_json_keep(good, list));
	char *text = good ? hy_json_print(o, false) : NULL;
	cJSON_Delete(o);
	return text;
}

/* At each allocation of a document: no text, and nothing left. */
static void exhausted_memory_leaves_nothing(void **state)
{
	(void)state;
	json_memory_counts(true);
	const int64_t before = hy_memory_calls(), live = hy_memory_live();
	char *text = build();
	const int64_t n = hy_memory_calls() - before;
	assert_string_equal(text, "{\"list\":[{\"name\":\"a\"},1]}");
	cJSON_free(text);
	assert_in_range(n, 8, 100);
	for (int64_t k = 1; k <= n; k++) {
		hy_memory_fail_at(k);
		assert_null(build());
		hy_memory_fail_at(0);
		if (hy_memory_live() != live)
			fail_msg("allocation %lld of %lld: %lld blocks are left", (long long)k, (long long)n,
			         (long long)(hy_memory_live() - live));
	}
	assert_false(hy_json_append(NULL, cJSON_CreateNumber(1)));
	assert_false(hy_json_add(NULL, "a", cJSON_CreateNumber(1)));
	assert_int_equal(hy_memory_live(), live);
	json_memory_counts(false);
}

static void parse(const char *text, hardy_status wanted, const char *message)
{
	hardy_error err = {0};
	cJSON *json = (cJSON *)1;
	assert_int_equal(hy_json_parse(text, strlen(text), &json, &err), wanted);
	assert_string_equal(err.message, message);
	assert_true(wanted ? json == NULL : json != NULL);
	cJSON_Delete(json);
}

static void a_text_is_one_document(void **state)
{
	(void)state;
	hardy_error err;
	cJSON *json = NULL;
	parse("{\"a\": [1, 2]}", HARDY_OK, "");
	parse(" \n[]\r\n\t ", HARDY_OK, "");
	parse("\xef\xbb\xbf{}", HARDY_OK, ""); /* a byte order mark */
	parse("3", HARDY_OK, "");
	parse("", HARDY_ERROR_FORMAT, "line 1: not valid JSON");
	parse(" \n", HARDY_ERROR_FORMAT, "line 1: not valid JSON");
	parse("{\"a\":\n\n1,}", HARDY_ERROR_FORMAT, "line 3: not valid JSON");
	parse("{}\n{}", HARDY_ERROR_FORMAT, "line 2: more behind the end of the JSON document");
	parse("{} x", HARDY_ERROR_FORMAT, "line 1: more behind the end of the JSON document");
	assert_int_equal(hy_json_parse("{}\0", 3, &json, &err), HARDY_ERROR_FORMAT);
	assert_int_equal(hy_json_parse("{}", 1, &json, &err), HARDY_ERROR_FORMAT);
	errno = ENOMEM; /* an earlier failure says nothing of this one */
	parse("{", HARDY_ERROR_FORMAT, "line 1: not valid JSON");
}

/* At each allocation: HARDY_ERROR_MEMORY, and nothing left. */
static void lack_of_memory_is_no_syntax_error(void **state)
{
	(void)state;
	static const char text[] = "{\"name\": \"a\", \"list\": [1, true, null, {\"b\": \"c\"}]}";
	hardy_error err;
	cJSON *json = NULL;
	json_memory_counts(true);
	const int64_t before = hy_memory_calls(), live = hy_memory_live();
	assert_ok(hy_json_parse(text, sizeof text - 1, &json, &err), &err);
	const int64_t n = hy_memory_calls() - before;
	cJSON_Delete(json);
	assert_in_range(n, 12, 20);
	for (int64_t k = 1; k <= n; k++) {
		hy_memory_fail_at(k);
		assert_int_equal(hy_json_parse(text, sizeof text - 1, &json, &err), HARDY_ERROR_MEMORY);
		hy_memory_fail_at(0);
		assert_null(json);
		assert_int_equal(hy_memory_live(), live);
	}
	json_memory_counts(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(strings_are_utf_8),
	    cmocka_unit_test(exhausted_memory_leaves_nothing),
	    cmocka_unit_test(a_text_is_one_document),
	    cmocka_unit_test(lack_of_memory_is_no_syntax_error),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
