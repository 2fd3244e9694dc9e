/*
 * batch.c: the order of slices, the filling of one batch, and the thread that runs ahead.
 */
#include "dataset/batch.h"

#include "base/memory.h"
#include "image/intensity.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <time.h>

enum { N_SLOTS = 3 }; /* one with the caller, two ahead */

typedef struct place {
	size_t c;  /* case */
	int64_t z; /* slice */
} place;

typedef struct slot {
	float *image;
	float *input; /* NULL: the images */
	uint8_t *label;
} slot;

struct hy_batches {
	hy_batch_options options;
	const hy_slices *cases;
	int64_t channels, k, per_epoch;
	size_t n; /* slices */
	place *all;
	place *filled;     /* slices with foreground, grouped by patient */
	size_t *group;     /* per slice: where its patient's group begins in filled */
	size_t *group_n;   /* and its length */
	uint8_t *is_empty; /* per slice */

	hy_augment *work;
	hy_randomise *randomise; /* NULL: none */
	size_t *order;           /* permutation of epoch order_epoch */
	int64_t order_epoch;
	slot slots[N_SLOTS];
	int64_t ready[N_SLOTS]; /* the iteration that a slot holds, -1 for none */

	/* the thread prepares iterations next, next + 1, ... as long as slots are free; all below is guarded by lock */
	bool running, stop;
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t changed;
	int held;          /* the caller's slot, -1 at first */
	int busy;          /* the slot being filled, -1 for none */
	int64_t busy_with; /* its iteration */
	int64_t next;
	hy_batch_times times;
};

/* Of this thread. */
static double processor_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
	return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

void hy_batch_options_init(hy_batch_options *o, int64_t size)
{
	*o = (hy_batch_options){.batch = 20, .content = HY_BATCH_HALF, .ahead = true, .parts = 1};
	hy_augment_options_init(&o->augment, size);
	hy_warp_options_init(&o->warp);
	hy_randomise_options_init(&o->randomise);
}

/* ---- which slices ------------------------------------------------------------------------------------------------------- */

static bool is_empty(const uint8_t *label, int64_t n)
{
	int any = 0;
	for (int64_t i = 0; i < n; i++)
		any |= label[i];
	return !any;
}

static void list_slices(hy_batches *b, const int *patient, size_t n_cases)
{
	size_t i = 0, n_filled = 0;
	for (size_t c = 0; c < n_cases; c++) {
		const hy_slices *s = &b->cases[c];
		const int64_t plane = s->height * s->width;
		for (int64_t z = 0; z < s->n; z++, i++) {
			b->all[i] = (place){c, z};
			b->is_empty[i] = is_empty(s->label + z * plane, plane);
		}
	}
	/* one group per patient, made at its first case; group_n marks slices that have theirs */
	for (size_t first = 0; first < b->n; first++) {
		if (b->group_n[first] != SIZE_MAX)
			continue;
		const int who = patient[b->all[first].c];
		const size_t begin = n_filled;
		for (size_t j = first; j < b->n; j++)
			if (patient[b->all[j].c] == who && !b->is_empty[j])
				b->filled[n_filled++] = b->all[j];
		for (size_t j = first; j < b->n; j++)
			if (patient[b->all[j].c] == who) {
				b->group[j] = begin;
				b->group_n[j] = n_filled - begin;
			}
	}
}

static void order_make(const hy_batches *b, int64_t epoch, size_t *order)
{
	hy_rng g = hy_rng_make(b->options.seed, HY_RNG_ORDER, (uint64_t)epoch, 0);
	hy_rng_permutation(&g, b->n, order);
}

/* Sample j of iteration, given its epoch's permutation. */
static place choose(const hy_batches *b, const size_t *order, int64_t iteration, int64_t j)
{
	const uint64_t epoch = (uint64_t)(iteration / b->per_epoch), at = (uint64_t)(iteration % b->per_epoch * b->k + j);
	const size_t i = order[at % b->n];
	if (!b->is_empty[i] || !b->group_n[i])
		return b->all[i];
	hy_rng g = hy_rng_make(b->options.seed, HY_RNG_ORDER, epoch, 1 + at);
	return b->filled[b->group[i] + hy_rng_below(&g, b->group_n[i])];
}

int64_t hy_batches_per_epoch(const hy_batches *b)
{
	return b->per_epoch;
}

/* ---- one batch ---------------------------------------------------------------------------------------------------------- */

/* Where sample j of the batch lies in this process's part of it, or -1: it is another's. */
static int64_t place_of(const hy_batches *b, int64_t j)
{
	return j % b->options.parts == b->options.part ? j / b->options.parts : -1;
}

/* Some of the samples as another scanner might have made them. */
static void randomise(const hy_batches *b, int64_t iteration, slot *s)
{
	const hy_batch_options *o = &b->options;
	const int64_t n = b->channels * o->augment.size * o->augment.size;
	const int64_t n_augmented = o->content == HY_BATCH_PLAIN ? 0 : b->k;
	memcpy(s->input, s->image, (size_t)(o->batch / o->parts * n) * sizeof *s->input);
	for (int64_t j = o->part; j < o->batch; j += o->parts) {
		hy_rng g = hy_rng_make(o->seed, HY_RNG_RANDOMISE, (uint64_t)iteration, (uint64_t)j);
		if (hy_rng_uniform(&g) >= (j < n_augmented ? o->randomise.share : o->randomise.share_plain))
			continue;
		const hy_randomise_draw d = hy_randomise_draw_make(&o->randomise, &g);
		hy_randomise_apply(b->randomise, &d, s->input + place_of(b, j) * n, b->channels);
	}
}

/* Allocates nothing, so it cannot fail. One caller at a time: work and order are shared. */
static void fill(hy_batches *b, int64_t iteration, slot *s)
{
	const hy_batch_options *o = &b->options;
	const int64_t size = o->augment.size, plane = size * size, epoch = iteration / b->per_epoch;
	if (b->order_epoch != epoch) {
		order_make(b, epoch, b->order);
		b->order_epoch = epoch;
	}
	const int64_t first_plain = o->content == HY_BATCH_HALF ? b->k : 0;
	for (int64_t j = 0; j < b->k; j++) {
		const place p = choose(b, b->order, iteration, j);
		const hy_slices *c = &b->cases[p.c];
		const int64_t plane_in = c->height * c->width;
		const float *image = c->image + p.z * b->channels * plane_in;
		const uint8_t *label = c->label + p.z * plane_in;
		const int64_t at = o->content == HY_BATCH_PLAIN ? -1 : place_of(b, j),
		              at_plain = o->content == HY_BATCH_AUGMENTED ? -1 : place_of(b, first_plain + j);
		if (at >= 0 && o->warps) {
			hy_rng g = hy_rng_make(o->seed, HY_RNG_AUGMENT, (uint64_t)iteration, (uint64_t)j);
			const hy_warp_draw d = hy_warp_draw_make(&o->warp, &g);
			float *to = s->image + at * b->channels * plane;
			hy_warp_apply(&d, image, label, b->channels, c->height, c->width, size, to, s->label + at * plane);
			for (int64_t k = 0; k < b->channels; k++)
				hy_minmax_test(to + k * plane, plane);
		} else if (at >= 0) {
			hy_rng g = hy_rng_make(o->seed, HY_RNG_AUGMENT, (uint64_t)iteration, (uint64_t)j);
			const hy_augment_draw d = hy_augment_draw_make(&o->augment, &g);
			hy_augment_apply(b->work, &d, image, label, c->height, c->width, s->image + at * b->channels * plane,
			                 s->label + at * plane);
		}
		if (at_plain >= 0)
			hy_augment_plain(size, o->minmax_plain, image, label, b->channels, c->height, c->width,
			                 s->image + at_plain * b->channels * plane, s->label + at_plain * plane);
	}
	if (b->randomise)
		randomise(b, iteration, s);
}

/* ---- running ahead ------------------------------------------------------------------------------------------------------ */

/* The slot that holds iteration, or a free one for -1; -1 when there is none. */
static int find_slot(const hy_batches *b, int64_t iteration)
{
	for (int i = 0; i < N_SLOTS; i++)
		if (b->ready[i] == iteration && (iteration >= 0 || (i != b->held && i != b->busy)))
			return i;
	return -1;
}

static void *run_ahead(void *argument)
{
	hy_batches *b = argument;
	pthread_mutex_lock(&b->lock);
	while (!b->stop) {
		const int i = find_slot(b, -1);
		if (i < 0) {
			pthread_cond_wait(&b->changed, &b->lock);
			continue;
		}
		const int64_t iteration = b->next++;
		b->busy = i;
		b->busy_with = iteration;
		pthread_mutex_unlock(&b->lock);
		const double before_s = processor_s();
		fill(b, iteration, &b->slots[i]);
		const double spent_s = processor_s() - before_s;
		pthread_mutex_lock(&b->lock);
		b->times.prepare_s += spent_s;
		b->times.n++;
		/* a batch that was overtaken by a request out of order (busy_with < 0) is dropped */
		b->ready[i] = b->busy_with;
		b->busy = -1;
		pthread_cond_broadcast(&b->changed);
	}
	pthread_mutex_unlock(&b->lock);
	return NULL;
}

/* Signals are the main thread's business. */
static int start_thread(hy_batches *b)
{
	sigset_t all, before;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	const int failed = pthread_create(&b->thread, NULL, run_ahead, b);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return failed;
}

/* Called with the lock held: makes `iteration` what the thread prepares next, unless it is at hand or under way. */
static void redirect(hy_batches *b, int64_t iteration)
{
	if (find_slot(b, iteration) >= 0 || (b->busy >= 0 && b->busy_with == iteration))
		return;
	for (int i = 0; i < N_SLOTS; i++)
		b->ready[i] = -1;
	b->busy_with = -1;
	b->next = iteration;
}

hardy_status hy_batches_get(hy_batches *b, int64_t iteration, const float **image, const uint8_t **label, hardy_error *err)
{
	if (iteration < 0)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "batch %lld, want 0 or more", (long long)iteration);
	int i = 0;
	if (b->running) {
		pthread_mutex_lock(&b->lock);
		b->held = -1;
		for (int j = 0; j < N_SLOTS; j++)
			b->ready[j] = b->ready[j] < iteration ? -1 : b->ready[j];
		redirect(b, iteration);
		pthread_cond_broadcast(&b->changed);
		while ((i = find_slot(b, iteration)) < 0)
			pthread_cond_wait(&b->changed, &b->lock);
		b->held = i;
		pthread_mutex_unlock(&b->lock);
	} else if (b->ready[0] != iteration) {
		const double before_s = processor_s();
		fill(b, iteration, &b->slots[0]);
		b->ready[0] = iteration;
		b->times.n++;
		b->times.prepare_s += processor_s() - before_s;
	}
	*image = b->slots[i].image;
	*label = b->slots[i].label;
	return HARDY_OK;
}

hy_batch_times hy_batches_times(hy_batches *b)
{
	if (!b->running)
		return b->times;
	pthread_mutex_lock(&b->lock);
	const hy_batch_times t = b->times;
	pthread_mutex_unlock(&b->lock);
	return t;
}

const float *hy_batches_input(const hy_batches *b)
{
	const slot *s = &b->slots[b->running ? b->held : 0];
	return s->input ? s->input : s->image;
}

/* ---- life cycle --------------------------------------------------------------------------------------------------------- */

static hardy_status check(const hy_batch_options *o, const hy_slices *cases, size_t n_cases, hardy_error *err)
{
	if (o->batch < 1 || (o->content == HY_BATCH_HALF && o->batch % 2))
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "batch is %lld, want %s", (long long)o->batch,
		               o->content == HY_BATCH_HALF ? "an even number, for half of it stays un-augmented" : "1 or more");
	if (o->part < 0 || o->part >= o->parts || o->batch % o->parts)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "batch is %lld, want a multiple of the %lld processes that share it",
		               (long long)o->batch, (long long)o->parts);
	int64_t slices = 0;
	for (size_t i = 0; i < n_cases; i++) {
		const hy_slices *s = &cases[i];
		if (!s->image || !s->label || s->n < 1 || s->height < 1 || s->width < 1 || s->channels < 1)
			return hy_fail(err, HARDY_ERROR_DATA, "training case %zu has no %s", i, s->image ? "labels" : "slices");
		if (s->channels != cases[0].channels)
			return hy_fail(err, HARDY_ERROR_DATA, "training case %zu has %lld channels, want %lld as the first has", i,
			               (long long)s->channels, (long long)cases[0].channels);
		slices += s->n;
	}
	if (!slices)
		return hy_fail(err, HARDY_ERROR_DATA, "no training slices");
	if (o->augment.size > HY_WARP_MOST && o->warps)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "size is %lld, want %d or less", (long long)o->augment.size, HY_WARP_MOST);
	const hardy_status status = o->warps ? hy_warp_options_check(&o->warp, err) : HARDY_OK;
	return status ? status : hy_augment_options_check(&o->augment, err);
}

static bool is_randomised(const hy_batch_options *o)
{
	return o->randomise.share > 0 || o->randomise.share_plain > 0;
}

static bool allocate(hy_batches *b, hardy_error *err)
{
	const hy_batch_options *o = &b->options;
	const size_t plane = (size_t)o->augment.size * (size_t)o->augment.size, batch = (size_t)(o->batch / o->parts);
	bool ok = true;
	b->all = hy_alloc(b->n, sizeof *b->all);
	b->filled = hy_alloc(b->n, sizeof *b->filled);
	b->group = hy_alloc(b->n, sizeof *b->group);
	b->group_n = hy_alloc(b->n, sizeof *b->group_n);
	b->is_empty = hy_alloc(b->n, 1);
	b->order = hy_alloc(b->n, sizeof *b->order);
	for (int i = 0; i < (o->ahead ? N_SLOTS : 1); i++) {
		b->slots[i].image = hy_alloc_aligned(batch * (size_t)b->channels, plane * sizeof(float));
		b->slots[i].label = hy_alloc_aligned(batch, plane);
		if (is_randomised(o))
			b->slots[i].input = hy_alloc_aligned(batch * (size_t)b->channels, plane * sizeof(float));
		ok = ok && b->slots[i].image && b->slots[i].label && (b->slots[i].input || !is_randomised(o));
	}
	if (ok && b->all && b->filled && b->group && b->group_n && b->is_empty && b->order) {
		memset(b->group_n, 0xff, b->n * sizeof *b->group_n);
		return true;
	}
	hy_fail_memory(err, "batches", batch * (size_t)b->channels, plane * sizeof(float));
	return false;
}

hy_batches *hy_batches_new(const hy_batch_options *o, const hy_slices *cases, const int *patient_of_case, size_t n_cases,
                           hardy_error *err)
{
	if (check(o, cases, n_cases, err))
		return NULL;
	hy_batches *b = hy_calloc(1, sizeof *b);
	if (!b) {
		hy_fail_memory(err, "batches", 1, sizeof *b);
		return NULL;
	}
	b->options = *o;
	b->cases = cases;
	b->channels = cases[0].channels;
	b->k = o->content == HY_BATCH_HALF ? o->batch / 2 : o->batch;
	b->order_epoch = b->held = b->busy = -1;
	b->busy_with = -1;
	int64_t max_h = 0, max_w = 0;
	for (size_t i = 0; i < n_cases; i++) {
		b->n += (size_t)cases[i].n;
		max_h = cases[i].height > max_h ? cases[i].height : max_h;
		max_w = cases[i].width > max_w ? cases[i].width : max_w;
	}
	b->per_epoch = ((int64_t)b->n + b->k - 1) / b->k;
	for (int i = 0; i < N_SLOTS; i++)
		b->ready[i] = -1;
	if (!allocate(b, err))
		goto fail;
	list_slices(b, patient_of_case, n_cases);
	if (o->content != HY_BATCH_PLAIN && !o->warps) {
		b->work = hy_augment_new(&o->augment, max_h, max_w, b->channels, err);
		if (!b->work)
			goto fail;
	}
	if (is_randomised(o) && !(b->randomise = hy_randomise_new(o->augment.size, o->augment.size, err)))
		goto fail;
	if (o->ahead) {
		pthread_mutex_init(&b->lock, NULL);
		pthread_cond_init(&b->changed, NULL);
		b->running = true;
		if (start_thread(b)) {
			b->running = false;
			pthread_mutex_destroy(&b->lock);
			pthread_cond_destroy(&b->changed);
			/* without a thread batches are prepared when asked for */
		}
	}
	return b;
fail:
	hy_batches_free(b);
	return NULL;
}

void hy_batches_free(hy_batches *b)
{
	if (!b)
		return;
	if (b->running) {
		pthread_mutex_lock(&b->lock);
		b->stop = true;
		pthread_cond_broadcast(&b->changed);
		pthread_mutex_unlock(&b->lock);
		pthread_join(b->thread, NULL);
		pthread_mutex_destroy(&b->lock);
		pthread_cond_destroy(&b->changed);
	}
	hy_augment_free(b->work);
	hy_randomise_free(b->randomise);
	for (int i = 0; i < N_SLOTS; i++) {
		hy_free_aligned(b->slots[i].image);
		hy_free_aligned(b->slots[i].input);
		hy_free_aligned(b->slots[i].label);
	}
	hy_free(b->all);
	hy_free(b->filled);
	hy_free(b->group);
	hy_free(b->group_n);
	hy_free(b->is_empty);
	hy_free(b->order);
	hy_free(b);
}
