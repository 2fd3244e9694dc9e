/*
 * json_memory.h: memory of JSON documents from the library's own functions, so that it is counted, and runs out, with the rest.
 */
#ifndef HY_TESTS_SUPPORT_JSON_MEMORY_H
#define HY_TESTS_SUPPORT_JSON_MEMORY_H

#include <stdbool.h>

/* on: from now on cJSON's memory comes from hy_alloc; else from malloc again. No document may live across the call. */
void json_memory_counts(bool on);

#endif
