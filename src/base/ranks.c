/*
 * ranks.c: the processes that mpirun started, through MPI. No other file knows MPI; a build without it has one rank.
 *
 * MPI is called by one thread, the one that trains. What MPI itself finds wrong ends all processes (MPI_ERRORS_ARE_FATAL, its default).
 */
#include "base/ranks.h"

#include "base/machine.h"

#include <string.h>

static hy_ranks here = {.rank = 0, .size = 1};
static hy_ranks_times spent;

hy_ranks *hy_ranks_here(void)
{
	return &here;
}

hy_ranks_times hy_ranks_spent(void)
{
	return spent;
}

/* ---- for all kinds of ranks --------------------------------------------------------------------------------------------- */

void hy_ranks_sum(const hy_ranks *r, double *values, size_t n)
{
	if (r->size > 1)
		r->sum(r->payload, values, n);
}

double hy_ranks_least(const hy_ranks *r, double value)
{
	if (r->size > 1)
		r->least(r->payload, &value);
	return value;
}

bool hy_ranks_any(const hy_ranks *r, bool here_too)
{
	return hy_ranks_least(r, here_too ? -1 : 0) < 0;
}

void hy_ranks_begin(const hy_ranks *r, float *values, size_t n)
{
	if (r->size > 1)
		r->begin(r->payload, values, n);
}

void hy_ranks_go_on(const hy_ranks *r)
{
	if (r->size > 1)
		r->go_on(r->payload);
}

void hy_ranks_end(const hy_ranks *r)
{
	if (r->size > 1)
		r->end(r->payload);
}

void hy_ranks_merge(const hy_ranks *r, uint8_t *bytes, size_t n)
{
	if (r->size > 1)
		r->merge(r->payload, bytes, n);
}

void hy_ranks_give(const hy_ranks *r, void *bytes, size_t n)
{
	if (r->size > 1)
		r->give(r->payload, bytes, n);
}

hardy_status hy_ranks_agree(hy_ranks *r, hardy_status status, hardy_error *err)
{
	if (r->size == 1)
		return status;
	const int first = (int)hy_ranks_least(r, status ? r->rank : r->size);
	if (first == r->size)
		return HARDY_OK;
	const hardy_status theirs = (hardy_status)hy_ranks_least(r, r->rank == first ? (double)status : 1e9);
	r->agreed = true;
	if (r->rank == first)
		return status;
	r->silent = true;
	return hy_fail(err, theirs, "rank %d failed and says why", first);
}

void hy_ranks_same(hy_ranks *r)
{
	r->agreed = true;
	r->silent = r->rank > 0;
}

/* ---- MPI ---------------------------------------------------------------------------------------------------------------- */

#ifdef HY_HAVE_MPI
#include <mpi.h>

enum {
	MOST_SUMS = 256,     /* begun and not ended; one more waits for the others */
	MOST_COUNT = 1 << 28 /* of one call: MPI counts in int */
};

static MPI_Request begun[MOST_SUMS];
static MPI_Status statuses[MOST_SUMS]; /* gcc warns of MPICH's MPI_STATUSES_IGNORE */
static int n_begun;

static int piece(size_t left)
{
	return left < MOST_COUNT ? (int)left : MOST_COUNT;
}

static void sum(void *payload, double *values, size_t n)
{
	const double before_s = hy_clock_s();
	(void)payload;
	for (size_t at = 0; at < n; at += MOST_COUNT)
		MPI_Allreduce(MPI_IN_PLACE, values + at, piece(n - at), MPI_DOUBLE, MPI_SUM, MPI_COMM_WORLD);
	spent.n_sums++;
	spent.wait_s += hy_clock_s() - before_s;
}

static void least(void *payload, double *value)
{
	(void)payload;
	MPI_Allreduce(MPI_IN_PLACE, value, 1, MPI_DOUBLE, MPI_MIN, MPI_COMM_WORLD);
}

static void end(void *payload)
{
	const double before_s = hy_clock_s();
	(void)payload;
	MPI_Waitall(n_begun, begun, statuses);
	n_begun = 0;
	spent.wait_s += hy_clock_s() - before_s;
}

static void begin(void *payload, float *values, size_t n)
{
	for (size_t at = 0; at < n; at += MOST_COUNT) {
		if (n_begun == MOST_SUMS)
			end(payload);
		MPI_Iallreduce(MPI_IN_PLACE, values + at, piece(n - at), MPI_FLOAT, MPI_SUM, MPI_COMM_WORLD, &begun[n_begun++]);
	}
	spent.sent_mb += 1e-6 * (double)(n * sizeof *values);
}

static void go_on(void *payload)
{
	int all;
	(void)payload;
	if (n_begun)
		MPI_Testall(n_begun, begun, &all, statuses);
}

static void merge(void *payload, uint8_t *bytes, size_t n)
{
	(void)payload;
	for (size_t at = 0; at < n; at += MOST_COUNT)
		MPI_Allreduce(MPI_IN_PLACE, bytes + at, piece(n - at), MPI_UINT8_T, MPI_BOR, MPI_COMM_WORLD);
}

static void give(void *payload, void *bytes, size_t n)
{
	(void)payload;
	for (size_t at = 0; at < n; at += MOST_COUNT)
		MPI_Bcast((char *)bytes + at, piece(n - at), MPI_BYTE, 0, MPI_COMM_WORLD);
}

bool hardy_ranks_built(void)
{
	return true;
}

hardy_status hardy_ranks_join(int *rank, int *size, hardy_error *err)
{
	int level, done;
	MPI_Initialized(&done);
	if (!done)
		MPI_Init_thread(NULL, NULL, MPI_THREAD_FUNNELED, &level);
	else
		MPI_Query_thread(&level);
	if (level < MPI_THREAD_FUNNELED)
		return hy_fail(err, HARDY_ERROR_UNSUPPORTED, "this MPI knows no threads (MPI_THREAD_FUNNELED)");
	here = (hy_ranks){.sum = sum, .least = least, .begin = begin, .go_on = go_on, .end = end, .merge = merge, .give = give};
	MPI_Comm_rank(MPI_COMM_WORLD, &here.rank);
	MPI_Comm_size(MPI_COMM_WORLD, &here.size);
	*rank = here.rank;
	*size = here.size;
	return HARDY_OK;
}

void hardy_ranks_leave(int exit_code)
{
	int done;
	MPI_Initialized(&done);
	if (!done)
		return;
	if (exit_code && here.size > 1 && !here.agreed)
		MPI_Abort(MPI_COMM_WORLD, exit_code);
	MPI_Finalize();
	here = (hy_ranks){.rank = 0, .size = 1};
}

#else

bool hardy_ranks_built(void)
{
	return false;
}

hardy_status hardy_ranks_join(int *rank, int *size, hardy_error *err)
{
	(void)rank, (void)size;
	return hy_fail(err, HARDY_ERROR_UNSUPPORTED, "this hardy was built without MPI (meson setup -Dmpi=enabled)");
}

void hardy_ranks_leave(int exit_code)
{
	(void)exit_code;
}

#endif

bool hardy_rank_speaks(void)
{
	return !here.silent;
}
