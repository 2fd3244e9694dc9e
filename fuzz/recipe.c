/*
 * recipe.c: any bytes as a recipe, as a YAML file and as text: refused or read, never harmful, and what is read prints as something that
 * reads as the same.
 */
#include "fuzz.h"

#include "base/memory.h"
#include "training/recipe.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hardy_error err;
	hy_recipe r = {0}, again;
	char *text = hy_alloc(size + 1, 1);
	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = 0;
	if (!hy_recipe_parse_yaml(text, size, "input", &r, &err) && (r.n < 0 || r.n > HY_MAX_PERTURBATIONS))
		abort();
	const char *dot = strrchr(text, '.'); /* no files here */
	const bool file = dot && (!strcmp(dot, ".yaml") || !strcmp(dot, ".yml"));
	if (!file && !hy_recipe_read(text, &r, &err) && (hy_recipe_read(r.text, &again, &err) || strcmp(r.text, again.text) != 0))
		abort();
	hy_free(text);
	return 0;
}
