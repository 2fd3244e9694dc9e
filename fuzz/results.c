/*
 * results.c: any bytes as results.jsonl in the folder of an experiment: refused, or read, with means of each method's sets, never harmful.
 */
#include "fuzz.h"
#include "place.h"

#include "experiment/results.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	hy_results r = {0};
	place_kept("run/results.jsonl", data, size);
	if (hy_results_read(&r, place_path("run"), NULL))
		return 0;
	for (size_t m = 0; m < r.n_methods; m++)
		for (size_t k = 0; k < r.n_sets; k++)
			if (hy_results_cell_of(&r, m, k, 1).n_seeds > r.n_runs)
				abort();
	hy_results_clear(&r);
	return 0;
}
