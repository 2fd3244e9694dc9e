/*
 * safetensors.c: any bytes as a model file: refused or read, never harmful.
 */
#include "fuzz.h"

#include "base/memory.h"
#include "engine/safetensors.h"

#include <string.h>

static volatile unsigned char sink;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *copy = hy_alloc(size, 1);
	if (!copy)
		return 0;
	if (size)
		memcpy(copy, data, size);
	hy_st_file f;
	hardy_error err;
	if (hy_st_parse(&f, copy, size, "input", &err))
		return 0;
	/* What was accepted must be readable to its last byte. */
	for (size_t i = 0; i < f.n_tensors; i++) {
		for (size_t k = 0; k < f.tensors[i].n_bytes; k++)
			sink ^= ((const unsigned char *)f.tensors[i].data)[k];
	}
	hy_st_clear(&f);
	return 0;
}
