/*
 * engine.h: the kernels that a test runs on: the processor's own, or the plain ones where HARDY_TEST_KERNELS is "plain" (script/test-threads).
 */
#ifndef HY_TESTS_SUPPORT_ENGINE_H
#define HY_TESTS_SUPPORT_ENGINE_H

#include "engine/tape.h"

#include <stdlib.h>
#include <string.h>

static inline hy_tape_options test_engine(void)
{
	const char *kernels = getenv("HARDY_TEST_KERNELS");
	if (kernels && !strcmp(kernels, "plain"))
		return (hy_tape_options){HY_ISA_PLAIN, HY_CONV_PLAIN};
	return (hy_tape_options){HY_ISA_AUTO, HY_CONV_AUTO};
}

#endif
