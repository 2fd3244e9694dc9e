/*
 * rows.h: what a prediction says of its scans, kept until all are done: only then is a heart's end diastole and end systole known.
 */
#ifndef HY_PREDICT_ROWS_H
#define HY_PREDICT_ROWS_H

#include "predict/quality.h"

typedef struct hy_row {
	const char *scan;    /* the caller's, who keeps it as long as the rows; it and the output as they stand in the table */
	char *output;        /* owned */
	char *message;       /* owned: what failed; NULL */
	char *subject;       /* owned; "" where nothing says it */
	int64_t frame;       /* of a 4-D scan; -1 */
	size_t group;        /* rows of one group may be of one heart: frames of a scan, or scans of one data set */
	hy_quality_values v; /* its arrays are owned, NULL where something failed */
	hy_quality_heart heart;
} hy_row;

typedef struct hy_rows {
	hy_row *items; /* owned */
	size_t n, room;
	bool failed; /* memory ran out while a failure was added */
} hy_rows;

void hy_rows_clear(hy_rows *r);

/* r gets copies, but of scan. The heart of the row has neither time nor phase yet. NULL without memory. */
hy_row *hy_rows_add(hy_rows *r, const char *scan, const char *output, int64_t frame, const char *subject,
                    const hy_prediction *p, int n_classes);
void hy_rows_fail(hy_rows *r, const char *scan, const char *message);

/* Forgets all rows from the n-th on. */
void hy_rows_cut(hy_rows *r, size_t n);

/*
 * Heart function, where a class is called LV or RV. Of a 4-D scan ED is the frame with the largest volume of the left ventricle (of the right
 * one where no LV is known), ES that with the smallest above 0: the first of several. Of other scans those of one subject and group that are called ED and ES belong
 * together. The row of ED gets the volumes and ejection fraction of both ventricles, at these two.
 */
void hy_rows_find_hearts(hy_rows *r, const hy_class *classes, int n_classes);

/* All of them, in the order in which they came. */
void hy_rows_write(const hy_rows *r, hy_outfile *f, const hy_class *classes, int n_classes);

#endif
