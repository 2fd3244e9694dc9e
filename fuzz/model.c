/*
 * model.c: any bytes as a model or checkpoint: refused or read and verified, never harmful, and never more memory than the file vouches for.
 */
#include "fuzz.h"
#include "place.h"

#include "base/memory.h"
#include "predict/model.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hy_model m;
	char *state = NULL;
	hardy_error err;
	const char *path = place_kept("a.safetensors", data, size);
	hardy_verify(path, NULL, &err);
	if (hy_model_load(&m, path, &state, &err))
		return 0;
	hy_free(state);
	hy_model_clear(&m);
	return 0;
}
