/*
 * text.c: counted things as messages say them, and what an unknown word was probably meant to be.
 */
#include "base/text.h"

#include "support/test.h"

#include <string.h>

static void one_is_no_plural(void **state)
{
	assert_string_equal(HY_COUNT(0, "subject"), "0 subjects");
	assert_string_equal(HY_COUNT(1, "subject"), "1 subject");
	assert_string_equal(HY_COUNT((size_t)2, "labelled subject"), "2 labelled subjects");
	assert_string_equal(HY_COUNT(-1, "class"), "-1 classes");
	assert_string_equal(HY_COUNT(3, "box"), "3 boxes");
	assert_string_equal(HY_COUNT(2, "entry"), "2 entries");
	assert_string_equal(HY_COUNT(1, "entry"), "1 entry");
	assert_string_equal(HY_COUNT(5, "series"), "5 series");
	assert_string_equal(HY_IS(1), "is");
	assert_string_equal(HY_HAS(2), "have");
}

static void meant(const char *word, const char *wanted)
{
	static const char list[] = "standard, cooperative, mwm, hardy|quick,hour, LV";
	assert_string_equal(hy_meant(word, strlen(word), list).text, wanted);
}

static void the_nearest_name_is_told(void **state)
{
	meant("hrdy", " (did you mean hardy?)");
	meant("Hardy", " (did you mean hardy?)");
	meant("quik", " (did you mean quick?)");
	meant("coop", " (did you mean cooperative?)"); /* by its beginning */
	meant("lv", " (did you mean LV?)");
	assert_string_equal(hy_meant("lin", 3, "log|linear").text,
	                    " (did you mean linear?)"); /* two wrong letters of three are no likeness */
	assert_string_equal(hy_meant("dice", 4, "ce|ce+dice").text, "");
	assert_string_equal(hy_meant("la", 2, "lv, rv").text, "");
	meant("x", "");
	meant("up", "");
	meant("", "");
	meant("segmentation", "");
	assert_string_equal(hy_meant("hrdy:strength=1", 4, "hardy").text, " (did you mean hardy?)");
	assert_string_equal(hy_meant("hardy", 5, "").text, "");
	char word[300];
	memset(word, 'a', sizeof word - 1);
	word[sizeof word - 1] = 0;
	assert_string_equal(hy_meant(word, strlen(word), "hardy").text, "");
	assert_true(strlen(hy_meant(word, strlen(word), word).text) < sizeof(hy_words)); /* a long name is cut, and ends */
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(one_is_no_plural),
	    cmocka_unit_test(the_nearest_name_is_told),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
