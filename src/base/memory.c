/*
 * memory.c: checked allocation with fault injection.
 */
#include "base/memory.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

static atomic_llong calls;
static atomic_llong fail_at;
static atomic_llong live;

static bool refused(size_t n, size_t size)
{
	const long long call = atomic_fetch_add(&calls, 1) + 1;
	if (call == atomic_load(&fail_at)) {
		atomic_store(&fail_at, 0);
		return true;
	}
	return size && n > (SIZE_MAX - 64) / size;
}

void hy_memory_fail_at(int64_t k)
{
	atomic_store(&fail_at, k > 0 ? atomic_load(&calls) + k : 0);
}

int64_t hy_memory_calls(void)
{
	return atomic_load(&calls);
}

int64_t hy_memory_live(void)
{
	return atomic_load(&live);
}

static void *given(void *p)
{
	if (p)
		atomic_fetch_add(&live, 1);
	return p;
}

void *hy_alloc(size_t n, size_t size)
{
	return refused(n, size) ? NULL : given(malloc(n * size > 0 ? n * size : 1));
}

void *hy_calloc(size_t n, size_t size)
{
	return refused(n, size) ? NULL : given(calloc(n ? n : 1, size ? size : 1));
}

void *hy_realloc(void *p, size_t n, size_t size)
{
	const size_t bytes = n * size > 0 ? n * size : 1;
	if (refused(n, size))
		return NULL;
	return p ? realloc(p, bytes) : given(malloc(bytes));
}

char *hy_strdup(const char *s)
{
	const size_t size = strlen(s) + 1;
	char *copy = hy_alloc(size, 1);
	if (copy)
		memcpy(copy, s, size);
	return copy;
}

void *hy_alloc_aligned(size_t n, size_t size)
{
	if (refused(n, size))
		return NULL;
	return given(aligned_alloc(64, (n * size + 64) / 64 * 64));
}

void hy_free(void *p)
{
	if (p)
		atomic_fetch_sub(&live, 1);
	free(p);
}

void hy_free_aligned(void *p)
{
	hy_free(p);
}

hardy_status hy_fail_memory(hardy_error *err, const char *what, size_t n, size_t size)
{
	return hy_fail(err, HARDY_ERROR_MEMORY, "out of memory for %s: %zu x %zu bytes wanted", what, n, size);
}
