/*
 * json_memory.c: see json_memory.h.
 */
#include "support/json_memory.h"

#include "base/memory.h"

#include <cJSON.h>

static void *give(size_t size)
{
	return hy_alloc(size, 1);
}

void json_memory_counts(bool on)
{
	cJSON_InitHooks(on ? &(cJSON_Hooks){give, hy_free} : NULL);
}
