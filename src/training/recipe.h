/*
 * recipe.h: the ways to train: a recipe is the standard step and any number of perturbations, each with weight, probability and
 * parameters.
 *
 * As text: "standard", or members with a plus between: "randconv+cooperative", each with settings if wanted:
 * "randconv:weight=0.5,lambda=5+cooperative:probability=0.5". A member is a row of the table below, itself a composition, or a kind
 * of perturbation. A name that ends in .yaml or .yml is a file (docs/RECIPES.md).
 */
#ifndef HY_TRAINING_RECIPE_H
#define HY_TRAINING_RECIPE_H

#include "base/json.h"
#include "dataset/randomise.h"
#include "training/step.h"

typedef struct hy_recipe_row {
	const char *name, *text, *summary;
	const char *settings[8][2]; /* other training options that it asks for, name and value */
	bool fits;                  /* the data decide on the grid and the geometry of the augmentation (hy_fit_asked) */
	double length;              /* times the preset's epochs or steps; 0: as long */
} hy_recipe_row;

extern const hy_recipe_row hy_recipes[]; /* ends with a NULL name */
const hy_recipe_row *hy_recipe_find(const char *name);
/* The row among the members of a recipe's text that asks something of the other options, or NULL: "hardy" of "hardy+waves". */
const hy_recipe_row *hy_recipe_asks(const char *text);

typedef struct hy_recipe_member {
	hy_perturbation_options o;
	bool given[HY_MAX_PARAMETERS]; /* the recipe sets it */
} hy_recipe_member;

typedef struct hy_recipe {
	int n;
	hy_recipe_member members[HY_MAX_PERTURBATIONS];
	char text[512];    /* the canonical form: the same recipe, however it is written, with what differs from the usual alone */
	char summary[256]; /* one line */
} hy_recipe;

bool hy_recipe_is_file(const char *text); /* by its ending */
/* Reads text, or the file that it names. Unknown names, values out of range and repetitions are HARDY_ERROR_ARGUMENT. */
hardy_status hy_recipe_read(const char *text, hy_recipe *out, hardy_error *err);

/* Whether the composition can work with these options (already in range); the error says why not. */
hardy_status hy_recipe_check(const hy_recipe *r, const hardy_train_options *o, hardy_error *err);

/* Every member with every value; NULL when memory runs out. */
cJSON *hy_recipe_to_json(const hy_recipe *r, const hardy_train_options *o);

/* The step's options for valid training options (hy_options_check). */
void hy_recipe_options(hy_step_options *step, const hy_recipe *r, const hardy_train_options *o);

/* The randomisation of batches that the recipe has, or none (out unchanged). false: what the network reconstructs is the randomised image,
 * not the clean one. */
bool hy_recipe_randomises(const hy_recipe *r, hy_randomise_options *out);

/* For readers of other forms: adds a member (a row's name may add several), then sets its values. where names it in messages. */
hardy_status hy_recipe_add(hy_recipe *r, const char *name, hardy_error *err);
hardy_status hy_recipe_set(hy_recipe_member *m, const char *key, const char *value, hardy_error *err);
/* The members that a YAML file lists, added to *out; path names the text in messages. */
hardy_status hy_recipe_parse_yaml(const char *text, size_t size, const char *path, hy_recipe *out, hardy_error *err);
hardy_status hy_recipe_read_yaml(const char *path, hy_recipe *out, hardy_error *err);

#endif
