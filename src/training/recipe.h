/*
 * recipe.h: the ways to train, by name.
 */
#ifndef HY_TRAINING_RECIPE_H
#define HY_TRAINING_RECIPE_H

#include "training/step.h"

typedef struct hy_recipe {
	const char *name, *summary;
	/* Sets what makes the recipe; o comes from hy_step_options_init with the options of every recipe filled in. */
	void (*fill)(hy_step_options *o, const hardy_train_options *options);
} hy_recipe;

extern const hy_recipe hy_recipes[]; /* ends with a NULL name */

/* NULL when there is none of that name. */
const hy_recipe *hy_recipe_find(const char *name);

/* The step's options for valid training options (hy_train_options_check). */
void hy_recipe_options(hy_step_options *step, const hardy_train_options *o);

#endif
