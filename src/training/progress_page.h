/*
 * progress_page.h: how a training goes, as a page that a browser shows: the curves, and a few validation slices with the borders of truth and
 * prediction. It is renewed after every validation, and asks a browser to load it again until the training is done.
 */
#ifndef HY_TRAINING_PROGRESS_PAGE_H
#define HY_TRAINING_PROGRESS_PAGE_H

#include "base/text.h"
#include "training/validate.h"

#define HY_PROGRESS_PAGE_MARK "<!-- a page by hardy train -->"

typedef struct hy_progress_facts {
	const char *title; /* text, whatever it holds */
	int64_t step, steps;
	double dice;           /* of this validation; NaN: none */
	const hy_text *curves; /* SVG by hy_curves_draw */
	const hy_shot *shots;  /* n_shots slices of size x size pixels */
	size_t n_shots;
	int64_t size;
	const hy_class *classes; /* n_classes with background */
	int n_classes;
} hy_progress_facts;

/* Replaces the page at path, which appears only when complete. */
hardy_status hy_progress_page_write(const char *path, const hy_progress_facts *p, hardy_error *err);

#endif
