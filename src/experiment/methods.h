/*
 * methods.h: the study's experiments and the methods that each compares: one row each.
 */
#ifndef HY_EXPERIMENT_METHODS_H
#define HY_EXPERIMENT_METHODS_H

#include "base/error.h"

typedef struct hy_method {
	const char *experiment, *name, *title;
	const char *recipe;  /* as for hardy train */
	const char *options; /* training options that differ, "name=value,name=value" */
	bool extra;          /* beyond the study: made only when it is named */
} hy_method;

typedef struct hy_experiment {
	const char *name, *title;
	bool large; /* all subjects of the pool train, not some drawn by seed */
} hy_experiment;

extern const hy_experiment hy_experiments[]; /* ends with a NULL name, as the next */
extern const hy_method hy_methods[];

/* Unknown names are HARDY_ERROR_ARGUMENT and listed. */
hardy_status hy_experiment_find(const char *name, const hy_experiment **out, hardy_error *err);
/*
 * The experiment's methods in the table's order: without a list those that are not extra, or all with "all", or those of a list "a,b".
 * *out (hy_free) points into the table.
 */
hardy_status hy_methods_of(const hy_experiment *e, const char *list, const hy_method *const **out, size_t *n, hardy_error *err);

/* The two that others are compared with. */
#define HY_METHOD_STANDARD "standard"
#define HY_METHOD_PROPOSED "cooperative"

#endif
