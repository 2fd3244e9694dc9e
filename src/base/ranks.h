/*
 * ranks.h: several processes that do one thing together, one to a rank; what they have to tell one another.
 *
 * ranks.c makes them of the processes that mpirun started, and is the only file that knows MPI. A test makes them of threads.
 *
 * Every function below is called by all ranks, in the same order and with the same sizes; all get the same bytes. With one rank they do
 * nothing.
 */
#ifndef HY_BASE_RANKS_H
#define HY_BASE_RANKS_H

#include "base/error.h"

#include <stddef.h>
#include <stdint.h>

typedef struct hy_ranks {
	int rank, size; /* which of how many; 0 of 1 */
	bool agreed;    /* all ranks know of the failure (hy_ranks_agree) */
	bool silent;    /* and another one tells the user */
	void *payload;
	/* of size 1: NULL */
	void (*sum)(void *payload, double *values, size_t n);
	void (*least)(void *payload, double *value);
	void (*begin)(void *payload, float *values, size_t n);
	void (*go_on)(void *payload);
	void (*end)(void *payload);
	void (*merge)(void *payload, uint8_t *bytes, size_t n);
	void (*give)(void *payload, void *bytes, size_t n);
} hy_ranks;

/* The processes that hardy_ranks_join joined; before, and without MPI, this one alone. */
hy_ranks *hy_ranks_here(void);

void hy_ranks_sum(const hy_ranks *r, double *values, size_t n); /* over the ranks, in place */
double hy_ranks_least(const hy_ranks *r, double value);
bool hy_ranks_any(const hy_ranks *r, bool here); /* whether it is so on a rank */

/*
 * Sums that may go on beside other work: begin hands over a range of floats, which is nobody's business until end, where all that were begun
 * are there. go_on gives them time: MPI moves data while it is called.
 */
void hy_ranks_begin(const hy_ranks *r, float *values, size_t n);
void hy_ranks_go_on(const hy_ranks *r);
void hy_ranks_end(const hy_ranks *r);

void hy_ranks_merge(const hy_ranks *r, uint8_t *bytes, size_t n); /* what one rank wrote where the others have zeros */
void hy_ranks_give(const hy_ranks *r, void *bytes, size_t n);     /* those of rank 0 to all */

/*
 * What became of something that each rank did by itself: HARDY_OK if all are well. Else all fail: the first of the ranks that did with its
 * own error, the others with one that names it, and they are silent from then on.
 */
hardy_status hy_ranks_agree(hy_ranks *r, hardy_status status, hardy_error *err);

/* What the processes that hardy_ranks_join joined have said to one another since: how often, how much, and how long this one waited for it. */
typedef struct hy_ranks_times {
	int64_t n_sums; /* that were waited for at once */
	double sent_mb; /* handed over by begin */
	double wait_s;
} hy_ranks_times;
hy_ranks_times hy_ranks_spent(void);

/* Of a failure that all ranks meet alike, without a word between them: rank 0 tells. */
void hy_ranks_same(hy_ranks *r);

#endif
