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

#endif
