/*
 * sha256.c: the examples of FIPS 180-4 and its successors, and pieces that cross blocks.
 */
#include "support/scratch.h"
#include "support/test.h"

#include "base/sha256.h"

#include <string.h>

static void known(void **state)
{
	(void)state;
	static const struct {
		const char *text, *hash;
	} cases[] = {
	    {"", "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
	    {"abc", "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"},
	    {"abcdbcdecdefdefgefghfghighijhijkijkljklmklmnlmnomnopnopq",
	     "248d6a61d20638b8e5c026930c3e6039a33ce45964ff2167f6ecedd419db06c1"},
	};
	char text[HY_SHA256_TEXT];
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		hy_sha256_of(cases[i].text, strlen(cases[i].text), text);
		assert_string_equal(text, cases[i].hash);
	}
}

/* A million letters a, in pieces of 977; by the processor's instructions, where it has them, and without. */
static void pieces(void **state)
{
	(void)state;
	char a[977], text[HY_SHA256_TEXT];
	memset(a, 'a', sizeof a);
	for (int plain = 0; plain < 2; plain++) {
		hy_sha256 s;
		if (plain)
			hy_sha256_init_plain(&s);
		else
			hy_sha256_init(&s);
		for (size_t left = 1000000; left;) {
			const size_t n = left < sizeof a ? left : sizeof a;
			hy_sha256_add(&s, a, n);
			left -= n;
		}
		hy_sha256_end(&s, text);
		assert_string_equal(text, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
	}
}

static void files(void **state)
{
	(void)state;
	hardy_error err;
	char text[HY_SHA256_TEXT];
	scratch_write("abc", "abc", 3);
	assert_ok(hy_sha256_of_file(scratch_path("abc"), text, &err), &err);
	assert_string_equal(text, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
	assert_int_equal(hy_sha256_of_file(scratch_path("absent"), text, &err), HARDY_ERROR_IO);
	scratch_remove();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(known),
	    cmocka_unit_test(pieces),
	    cmocka_unit_test(files),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
