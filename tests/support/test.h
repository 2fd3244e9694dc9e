/*
 * test.h: cmocka with what it needs before it, and what the tests share.
 */
#ifndef HY_TESTS_SUPPORT_TEST_H
#define HY_TESTS_SUPPORT_TEST_H

/* clang-format off */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <cmocka.h>
/* clang-format on */

#include "base/error.h"

/* Fails the test with the error's message unless status is HARDY_OK. */
#define assert_ok(call, err)                                                                                                   \
	do {                                                                                                                       \
		if ((call) != HARDY_OK)                                                                                                \
			fail_msg("%s", (err)->message);                                                                                    \
	} while (0)

/*
 * Loops over many cases that are alike run whole in gcc's plain build, and take every third case where that costs most and other tests pass
 * through the same code: under a sanitizer, and with clang.
 */
#if defined(__has_feature)
#define TEST_SANITIZED __has_feature(address_sanitizer)
#elif defined(__SANITIZE_ADDRESS__)
#define TEST_SANITIZED 1
#else
#define TEST_SANITIZED 0
#endif
#if TEST_SANITIZED || defined(__clang__)
enum { TEST_STRIDE = 3 };
#else
enum { TEST_STRIDE = 1 };
#endif

/*
 * ThreadSanitizer looks at each load and store, which makes a step a hundred times as long: under it tests keep what threads do beside one another
 * and leave out the rest, fewer cases and what memory does when it runs out (script/test-threads).
 */
#if defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define TEST_RACES 1
#endif
#elif defined(__SANITIZE_THREAD__)
#define TEST_RACES 1
#endif
#ifndef TEST_RACES
#define TEST_RACES 0
#endif

#endif
