/*
 * recipe.c: one row per recipe. A recipe says how a step differs from the standard one; everything else is common.
 */
#include "training/recipe.h"

#include <string.h>

static void fill_standard(hy_step_options *o, const hardy_train_options *options)
{
	(void)options;
	o->cooperative = false;
}

static hy_scheme scheme_of(const char *name)
{
	static const char *const names[] = {
	    [HY_SCHEME_RANDOM] = "random",
	    [HY_SCHEME_DROPOUT] = "dropout",
	    [HY_SCHEME_CHANNEL] = "channel",
	    [HY_SCHEME_SPATIAL] = "spatial",
	};
	for (int i = HY_SCHEME_DROPOUT; i <= HY_SCHEME_SPATIAL; i++)
		if (!strcmp(name, names[i]))
			return (hy_scheme)i;
	return HY_SCHEME_RANDOM;
}

static void fill_masks(hy_mask_options *m, const char *scheme, const hardy_train_options *options)
{
	m->scheme = scheme_of(scheme);
	m->hard = options->hard_masks;
	m->p_low = options->threshold_low;
	m->p_high = options->threshold_high;
}

static void fill_cooperative(hy_step_options *o, const hardy_train_options *options)
{
	o->cooperative = true;
	o->use_p_hat = !options->only_x_hat;
	fill_masks(&o->mask_i, options->scheme_image, options);
	fill_masks(&o->mask_s, options->scheme_shape, options);
}

const hy_recipe hy_recipes[] = {
    {"standard", "both networks on clean examples", fill_standard},
    {"cooperative", "and on hard examples from masked latent codes", fill_cooperative},
    {NULL, NULL, NULL},
};

const hy_recipe *hy_recipe_find(const char *name)
{
	for (const hy_recipe *r = hy_recipes; name && r->name; r++)
		if (!strcmp(r->name, name))
			return r;
	return NULL;
}

void hy_recipe_options(hy_step_options *step, const hardy_train_options *o)
{
	hy_step_options_init(step);
	step->batch = o->batch;
	step->height = step->width = o->size;
	step->seed = (uint64_t)o->seed;
	step->separate = o->separate;
	step->noise = o->noise;
	step->w_dice = strcmp(o->loss, "ce+dice") ? 0 : 1;
	hy_recipe_find(o->recipe)->fill(step, o);
}
