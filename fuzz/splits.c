/*
 * splits.c: any bytes as a file of subjects, as lists and as folds: refused, or parts that hold known subjects, none of them twice.
 */
#include "fuzz.h"
#include "place.h"

#include "dataset/dataset.h"

#include <stdlib.h>
#include <string.h>

enum { N_CASES = 6 };

static void check(const hy_split *s)
{
	for (size_t i = 0; i < s->n_train; i++)
		if (hy_split_has(s->test, s->n_test, s->train[i]) || hy_split_has(s->validation, s->n_validation, s->train[i]))
			abort();
	if (s->n_train + s->n_validation + s->n_test > N_CASES)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const char *const names[N_CASES] = {"a", "b", "c", "d", "e", "f"};
	static char label[] = "label.nii";
	hy_case cases[N_CASES] = {0};
	hy_dataset d = {.root = label, .cases = cases, .n_cases = N_CASES};
	hardy_error err;
	for (int i = 0; i < N_CASES; i++) {
		cases[i].subject = names[i];
		cases[i].label_path = label;
	}
	const char *path = place_kept("splits.json", data, size);
	for (int64_t fold = -1; fold < 2; fold++) {
		hy_split s = {0};
		if (hy_split_make(&s, &d, path, fold, HY_SPLIT_AUTO, HY_SPLIT_AUTO, 3, NULL, &err))
			continue;
		check(&s);
		hy_split_clear(&s);
	}
	hy_split s = {0};
	if (!hy_split_make(&s, &d, path, -1, 2, 1, 7, NULL, &err)) {
		check(&s);
		hy_split_clear(&s);
	}
	return 0;
}
