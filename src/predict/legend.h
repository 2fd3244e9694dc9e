/*
 * legend.h: what the values of label maps mean: a table that lies beside them, for hardy, ITK-SNAP and 3D Slicer.
 */
#ifndef HY_PREDICT_LEGEND_H
#define HY_PREDICT_LEGEND_H

#include "dataset/dataset.h"

typedef struct hy_legend {
	int n;
	hy_class classes[HY_MAX_CLASSES]; /* background first; value -1, not present: written as 0 */
	cJSON *
	    training; /* owned; a list of objects with "data", a data set's name, and "subjects", as cards have them: seen by the models */
} hy_legend;

void hy_legend_clear(hy_legend *l);

/* The colour of a label value, the same in pictures, reports and tables; 0 is background. */
void hy_label_colour(int value, uint8_t rgb[3]);

/* The value, 1 to 255, in whose colour pictures show the class of that index: the one that label maps hold, as far as there is one, so that a
 * structure has one colour in the page of a training, in that of its predictions, and in a viewer. */
int hy_class_shown(const hy_class *classes, int index);

/*
 * STEM.json (names, values, colours, training), STEM.label for ITK-SNAP and STEM.ctbl for 3D Slicer. If a table lies there already, the label
 * maps beside it must hold the same values; the subjects of its models are kept. HARDY_ERROR_ARGUMENT otherwise, and where something else
 * has one of the names, unless overwrite. *made: the table was not there before.
 */
hardy_status hy_legend_write(const char *stem, const hy_legend *l, bool overwrite, bool *made, hardy_error *err);
/* Whether it would refuse, to be asked before the work begins. */
hardy_status hy_legend_check(const char *stem, const hy_legend *l, bool overwrite, hardy_error *err);
void hy_legend_remove(const char *stem);

/*
 * The table of a label map (NAME_labels.json, or labels.json in its folder) or of a folder of them; *found false without one. A file that
 * is no such table is an error.
 */
hardy_status hy_legend_read(const char *labels, hy_legend *l, bool *found, hardy_error *err);

#endif
