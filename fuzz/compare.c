/*
 * compare.c: any bytes as the results of two runs, a line each: refused or made into statistics, never harmful. With fewer bootstrap replicates than
 * a report has (HY_FUZZING), since these are the same loop again and again.
 */
#include "fuzz.h"
#include "place.h"

#include "experiment/compare.h"
#include "experiment/ledger.h"

#include <stdlib.h>
#include <string.h>

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

/* One seed of two methods: the first two lines. */
static void compare(char *text)
{
	hardy_experiment_options o;
	hy_study_run runs[N_METHODS] = {{.method = method_list[0]}, {.method = method_list[1]}};
	hy_compare c;
	hardy_experiment_options_init(&o);
	o.seeds = 1;
	o.output = "nowhere"; /* nothing is written */
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
	char *text = place_text(data, size);
	compare(text);
	free(text);
	return 0;
}
