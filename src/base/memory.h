/*
 * memory.h: the one door for heap memory. Sizes are checked for overflow; tests can make the k-th call fail.
 */
#ifndef HY_BASE_MEMORY_H
#define HY_BASE_MEMORY_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

/* All return NULL on overflow or exhaustion; n * size of 0 gives a valid pointer. Release with hy_free. */
void *hy_alloc(size_t n, size_t size) HY_MUST_USE;            /* uninitialised */
void *hy_calloc(size_t n, size_t size) HY_MUST_USE;           /* zeroed */
void *hy_realloc(void *p, size_t n, size_t size) HY_MUST_USE; /* on failure p stays valid */
char *hy_strdup(const char *s) HY_MUST_USE;

/* 64-byte aligned, for vectors; release with hy_free_aligned. */
void *hy_alloc_aligned(size_t n, size_t size) HY_MUST_USE;

void hy_free(void *p);         /* NULL allowed */
void hy_free_aligned(void *p); /* NULL allowed */

/* Returns HARDY_ERROR_MEMORY with a message that names what was wanted. */
hardy_status hy_fail_memory(hardy_error *err, const char *what, size_t n, size_t size);

/* Test hook: the k-th allocation from now (1-based) fails, once; 0 turns it off. Counts calls in hy_memory_calls(). */
void hy_memory_fail_at(int64_t k);
int64_t hy_memory_calls(void);
/* Blocks that were given and not released: the same before and after a call that leaks nothing. */
int64_t hy_memory_live(void);

#endif
