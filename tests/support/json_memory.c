/*
 * json_memory.c: see json_memory.h.
 */
#include "support/json_memory.h"

#include "base/memory.h"

#include <cJSON.h>
#include <errno.h>

/* As malloc does, it says why. */
static void *give(size_t size)
{
	void *p = hy_alloc(size, 1);
	if (!p)
		errno = ENOMEM;
	return p;
}

void json_memory_counts(bool on)
{
	cJSON_InitHooks(on ? &(cJSON_Hooks){give, hy_free} : NULL);
}
