/*
 * ranks.c: ranks made of threads that meet at a barrier.
 */
#define _POSIX_C_SOURCE 200809L
#include "support/ranks.h"

#include "base/memory.h"

#include <pthread.h>
#include <string.h>

typedef struct meeting {
	int size;
	pthread_barrier_t barrier;
	const void *values[TEST_MOST_RANKS]; /* each rank's, while all look at them */
} meeting;

typedef struct seat {
	hy_ranks ranks;
	meeting *m;
	void (*body)(hy_ranks *r, void *payload);
	void *payload;
	pthread_t thread;
} seat;

/* All ranks' values are at hand from lay to rise. */
static void lay(const seat *s, const void *values)
{
	s->m->values[s->ranks.rank] = values;
	pthread_barrier_wait(&s->m->barrier);
}

static void rise(const seat *s)
{
	pthread_barrier_wait(&s->m->barrier);
}

/* In the order of the ranks, so that all get the same bytes. */
static void sum(void *payload, double *values, size_t n)
{
	const seat *s = payload;
	double *total = hy_calloc(n, sizeof *total);
	lay(s, values);
	for (int r = 0; r < s->m->size; r++)
		for (size_t i = 0; i < n; i++)
			total[i] += ((const double *)s->m->values[r])[i];
	rise(s);
	memcpy(values, total, n * sizeof *total);
	hy_free(total);
}

static void least(void *payload, double *value)
{
	const seat *s = payload;
	double all = *value;
	lay(s, value);
	for (int r = 0; r < s->m->size; r++)
		all = *(const double *)s->m->values[r] < all ? *(const double *)s->m->values[r] : all;
	rise(s);
	*value = all;
}

static void begin(void *payload, float *values, size_t n)
{
	const seat *s = payload;
	float *total = hy_calloc(n, sizeof *total);
	lay(s, values);
	for (int r = 0; r < s->m->size; r++)
		for (size_t i = 0; i < n; i++)
			total[i] += ((const float *)s->m->values[r])[i];
	rise(s);
	memcpy(values, total, n * sizeof *total);
	hy_free(total);
}

static void nothing(void *payload)
{
	(void)payload;
}

static void merge(void *payload, uint8_t *bytes, size_t n)
{
	const seat *s = payload;
	uint8_t *all = hy_calloc(n, 1);
	lay(s, bytes);
	for (int r = 0; r < s->m->size; r++)
		for (size_t i = 0; i < n; i++)
			all[i] |= ((const uint8_t *)s->m->values[r])[i];
	rise(s);
	memcpy(bytes, all, n);
	hy_free(all);
}

static void give(void *payload, void *bytes, size_t n)
{
	const seat *s = payload;
	lay(s, bytes);
	if (s->ranks.rank)
		memcpy(bytes, s->m->values[0], n);
	rise(s);
}

static void *sit(void *argument)
{
	seat *s = argument;
	s->body(&s->ranks, s->payload);
	return NULL;
}

void ranks_run(int size, void (*body)(hy_ranks *r, void *payload), void *const *payloads)
{
	meeting m = {.size = size};
	seat seats[TEST_MOST_RANKS];
	pthread_barrier_init(&m.barrier, NULL, (unsigned)size);
	for (int r = 0; r < size; r++) {
		seats[r] = (seat){.ranks = {.rank = r,
		                            .size = size,
		                            .payload = &seats[r],
		                            .sum = sum,
		                            .least = least,
		                            .begin = begin,
		                            .go_on = nothing,
		                            .end = nothing,
		                            .merge = merge,
		                            .give = give},
		                  .m = &m,
		                  .body = body,
		                  .payload = payloads[r]};
		pthread_create(&seats[r].thread, NULL, sit, &seats[r]);
	}
	for (int r = 0; r < size; r++)
		pthread_join(seats[r].thread, NULL);
	pthread_barrier_destroy(&m.barrier);
}
