/*
 * methods.c: the tables of experiments and methods.
 *
 * Experiments 1 to 3 and the ablations of Chen et al., "Cooperative training and latent space data augmentation for robust medical
 * image segmentation", MICCAI 2021. A recipe that src/training/recipe.c does not know is left out.
 */
#include "experiment/methods.h"

#include "base/memory.h"
#include "base/text.h"
#include "training/recipe.h"

#include <stdio.h>
#include <string.h>

#define COOP   "cooperative-vs-standard"
#define IMAGE  "latent-vs-image"
#define LARGE  "large-data"
#define ABLATE "ablation"

const hy_experiment hy_experiments[] = {
    {COOP, "Cooperative against standard training", false},
    {IMAGE, "Augmentation in latent space against augmentation of images", false},
    {LARGE, "More subjects to train on", true},
    {ABLATE, "What the parts of cooperative training contribute", false},
    {NULL, NULL, false},
};

const hy_method hy_methods[] = {
    {COOP, "standard", "Standard", "standard", "", false},
    {COOP, "cooperative", "Cooperative", "cooperative", "", false},

    {IMAGE, "standard", "Standard", "standard", "", false},
    {IMAGE, "mwm", "Random windows", "mwm", "", false},
    {IMAGE, "randconv", "RandConv", "randconv", "", false},
    {IMAGE, "adv-noise", "Adversarial noise", "adv-noise", "", false},
    {IMAGE, "adv-bias", "Adversarial bias", "adv-bias", "", false},
    {IMAGE, "x-hat", "Cooperative, hard images alone", "cooperative:only_x_hat=1", "", false},
    {IMAGE, "cooperative", "Cooperative", "cooperative", "", false},
    {IMAGE, "hardy", "hardy", "hardy", "", false},
    {IMAGE, "rsc", "RSC", "rsc", "", true},
    {IMAGE, "mixstyle", "MixStyle", "mixstyle", "", true},
    {IMAGE, "dsu", "DSU", "dsu", "", true},
    {IMAGE, "maxstyle", "MaxStyle", "maxstyle", "", true},

    {LARGE, "standard", "Standard", "standard", "", false},
    {LARGE, "adv-bias", "Adversarial bias", "adv-bias", "", false},
    {LARGE, "cooperative", "Cooperative", "cooperative", "", false},

    {ABLATE, "standard", "Standard", "standard", "", false},
    {ABLATE, "cooperative", "Cooperative", "cooperative", "", false},
    {ABLATE, "x-hat", "Hard images alone", "cooperative:only_x_hat=1", "", false},
    {ABLATE, "dropout", "Masks by dropout only", "cooperative:scheme_image=dropout,scheme_shape=dropout", "", false},
    {ABLATE, "channel", "Masks of channels only", "cooperative:scheme_image=channel,scheme_shape=channel", "", false},
    {ABLATE, "spatial", "Masks of positions only", "cooperative:scheme_image=spatial,scheme_shape=spatial", "", false},
    {ABLATE, "hard-masks", "Hard masks", "cooperative:hard_masks=1", "", false},
    {ABLATE, "p-0.25", "p up to 0.25", "cooperative:threshold_high=0.25", "", false},
    {ABLATE, "p-1", "p up to 1", "cooperative:threshold_high=1", "", false},
    {ABLATE, "separate", "Separate training", "cooperative", "separate=on", false},
    {ABLATE, "no-decoupler", "No decoupler (z_s = z_i)", "cooperative", "no_decoupler=on", false},

    {NULL, NULL, NULL, NULL, NULL, false},
};

/* Adds a name to a list for a message. */
static void list_name(char *text, size_t size, const char *name)
{
	const size_t used = strlen(text);
	snprintf(text + used, size - used, used ? ", %s" : "%s", name);
}

hardy_status hy_experiment_find(const char *name, const hy_experiment **out, hardy_error *err)
{
	char known[256] = "";
	for (const hy_experiment *e = hy_experiments; e->name; e++) {
		if (name && !strcmp(e->name, name)) {
			*out = e;
			return HARDY_OK;
		}
		list_name(known, sizeof known, e->name);
	}
	return hy_fail(err, HARDY_ERROR_ARGUMENT, "experiment is \"%s\"%s, want one of %s", name ? name : "",
	               name ? hy_meant(name, strlen(name), known).text : "", known);
}

static bool belongs(const hy_method *m, const hy_experiment *e)
{
	hy_recipe r;
	return !strcmp(m->experiment, e->name) && !hy_recipe_read(m->recipe, &r, NULL);
}

static bool is_listed(const char *list, const char *name)
{
	const size_t n = strlen(name);
	for (const char *at = list; *at; at += strcspn(at, ","), at += *at == ',')
		if (strcspn(at, ",") == n && !memcmp(at, name, n))
			return true;
	return false;
}

static hardy_status check_list(const hy_experiment *e, const char *list, hardy_error *err)
{
	char known[512] = "", name[64];
	for (const hy_method *m = hy_methods; m->name; m++)
		if (belongs(m, e))
			list_name(known, sizeof known, m->name);
	for (const char *at = list; *at; at += strcspn(at, ","), at += *at == ',') {
		bool found = false;
		snprintf(name, sizeof name, "%.*s", (int)strcspn(at, ","), at);
		for (const hy_method *m = hy_methods; m->name && !found; m++)
			found = belongs(m, e) && !strcmp(m->name, name);
		if (!found)
			return hy_fail(err, HARDY_ERROR_ARGUMENT, "%s has no method \"%s\"%s, want all, or some of %s", e->name, name,
			               hy_meant(name, strlen(name), known).text, known);
	}
	return HARDY_OK;
}

hardy_status hy_methods_of(const hy_experiment *e, const char *list, const hy_method *const **out, size_t *n, hardy_error *err)
{
	const bool all = list && !strcmp(list, "all");
	const hardy_status status = list && !all ? check_list(e, list, err) : HARDY_OK;
	if (status)
		return status;
	const size_t room = 64;
	const hy_method **found = hy_alloc(room, sizeof *found);
	if (!found)
		return hy_fail_memory(err, "methods", room, sizeof *found);
	size_t count = 0;
	for (const hy_method *m = hy_methods; m->name && count < room; m++)
		if (belongs(m, e) && (all || (list ? is_listed(list, m->name) : !m->extra)))
			found[count++] = m;
	if (!count) {
		hy_free(found);
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "no method is named");
	}
	*out = found;
	*n = count;
	return HARDY_OK;
}
