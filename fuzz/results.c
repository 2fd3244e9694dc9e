/*
 * results.c: any bytes as the lines of results.jsonl: refused or made into statistics and a report's tables, never harmful.
 */
#define _XOPEN_SOURCE 700
#include "fuzz.h"

#include "base/files.h"
#include "base/memory.h"
#include "experiment/compare.h"
#include "experiment/ledger.h"
#include "experiment/results.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { N_METHODS = 2, N_SETS = 3 };

static const hy_method methods[N_METHODS] = {
    {"latent-vs-image", "standard", "Standard", "standard", "", false},
    {"latent-vs-image", "cooperative", "Proposed", "cooperative", "", false},
};
static const hy_method *const method_list[N_METHODS] = {&methods[0], &methods[1]};
static const hy_experiment experiment = {"latent-vs-image", "A title", false};
static hy_source sources[2] = {{.name = "home", .title = "Home"}, {.name = "away", .title = "Away"}};
static hy_test_set sets[N_SETS] = {
    {HY_SET_INTRA, 0, 0, "home", "Home test"},
    {HY_SET_SITE, 1, 0, "away", "Away"},
    {HY_SET_ARTEFACT, 0, HY_ARTEFACT_BIAS, "bias", "RandBias"},
};

static char folder[] = "/tmp/hardy-fuzz-XXXXXX";

static void remove_folder(void)
{
	rmdir(folder);
}

static void read_folder(const uint8_t *data, size_t size)
{
	hy_results r = {0};
	char path[64];
	snprintf(path, sizeof path, "%s/results.jsonl", folder);
	FILE *f = fopen(path, "wb");
	if (!f)
		abort();
	fwrite(data, 1, size, f);
	fclose(f);
	if (!hy_results_read(&r, folder, NULL)) {
		for (size_t m = 0; m < r.n_methods; m++)
			for (size_t k = 0; k < r.n_sets; k++)
				(void)hy_results_cell_of(&r, m, k, 1);
		hy_results_clear(&r);
	}
	unlink(path);
}

/* One seed of two methods: the first two lines. */
static void compare(char *text)
{
	hardy_experiment_options o;
	hy_study_run runs[N_METHODS] = {{.method = method_list[0]}, {.method = method_list[1]}};
	hy_compare c;
	hardy_experiment_options_init(&o);
	o.seeds = 1;
	o.output = folder;
	const hy_study study = {.o = &o,
	                        .experiment = &experiment,
	                        .sources = sources,
	                        .n_sources = 2,
	                        .sets = sets,
	                        .n_sets = N_SETS,
	                        .methods = method_list,
	                        .n_methods = N_METHODS,
	                        .runs = runs,
	                        .n_runs = N_METHODS};
	for (int i = 0; i < N_METHODS && *text; i++) {
		char *end = text + strcspn(text, "\n");
		const bool more = *end;
		*end = 0;
		runs[i].line = text;
		text = end + more;
	}
	if (!hy_compare_make(&c, &study, NULL))
		hy_compare_clear(&c);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static bool made;
	if (!made) {
		if (!mkdtemp(folder))
			abort();
		atexit(remove_folder);
		made = true;
	}
	char *text = hy_alloc(size + 1, 1);
	if (!text)
		return 0;
	memcpy(text, data, size);
	text[size] = 0;
	read_folder(data, size);
	compare(text);
	hy_free(text);
	return 0;
}
