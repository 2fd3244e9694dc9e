/*
 * ranks.h: ranks made of threads of the test itself, for what base/ranks.h's functions are to be called by.
 */
#ifndef HY_TESTS_SUPPORT_RANKS_H
#define HY_TESTS_SUPPORT_RANKS_H

#include "base/ranks.h"

enum { TEST_MOST_RANKS = 8 };

/* Runs body on each of size ranks, at the same time; payloads[rank] is what it gets. A test's assertions belong behind it: not in body. */
void ranks_run(int size, void (*body)(hy_ranks *r, void *payload), void *const *payloads);

#endif
