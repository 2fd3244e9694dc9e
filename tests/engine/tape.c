/*
 * tape.c: what a tape promises beyond right numbers: buffers that live at the same time never overlap, a pass leaves nothing behind,
 * taps see and may replace named inner values, the reduce callback sees every sum over the batch, and errors while recording.
 */
#include "engine/tape.h"

#include "base/memory.h"
#include "network/network.h"
#include "support/test.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static hy_network make_network(void)
{
	hy_network n;
	hardy_error err;
	const hy_network_config config = {.channels = 1, .classes = 4, .decoupler = true};
	assert_ok(hy_network_init(&n, &config, &err), &err);
	hy_params_draw(&n.params, 2);
	return n;
}

static const hy_tape_options PLAIN = {HY_ISA_AUTO, HY_CONV_PLAIN};

typedef struct pass {
	hy_tape tape;
	int x, p;
	float image[2 * 16 * 16];
} pass;

/* Records the FTN's segmentation of two 16 x 16 slices; prepare may change the tape before. */
static void record(pass *s, hy_network *n, hy_norm_mode norm, void (*prepare)(hy_tape *, void *), void *payload)
{
	hardy_error err;
	hy_tape *t = &s->tape;
	assert_ok(hy_tape_init(t, &n->params, &PLAIN, &err), &err);
	t->norm = norm;
	if (prepare)
		prepare(t, payload);
	s->x = hy_tape_input(t, 2, 1, 16, 16);
	s->p = hy_ftn_segment(t, n, hy_ftn_decouple(t, n, hy_ftn_encode(t, n, s->x)));
	hy_tape_keep(t, s->p);
	assert_ok(hy_tape_compile(t, &err), &err);
	hy_rng g = hy_rng_make(1, HY_RNG_TEST, 0, 0);
	for (int i = 0; i < 2 * 16 * 16; i++)
		s->image[i] = (float)hy_rng_uniform(&g);
	t->values[s->x].data = s->image;
	assert_ok(hy_tape_run(t, 0, &err), &err);
}

static void live_buffers_do_not_overlap(void **state)
{
	(void)state;
	hy_network n = make_network();
	pass s;
	record(&s, &n, HY_NORM_RUNNING, NULL, NULL);
	const hy_tape *t = &s.tape;
	size_t sum = 0;
	for (size_t i = 0; i < t->n_values; i++) {
		const hy_value *a = &t->values[i];
		const size_t size = (size_t)(a->n * a->c * a->h * a->w);
		if (a->external || a->first < 0)
			continue;
		sum += size;
		assert_true(a->offset + size <= t->slab_floats);
		for (size_t k = 0; k < i; k++) {
			const hy_value *b = &t->values[k];
			const size_t other = (size_t)(b->n * b->c * b->h * b->w);
			if (b->external || b->first < 0 || b->last < a->first || b->first > a->last)
				continue;
			if (a->offset < b->offset + other && b->offset < a->offset + size)
				fail_msg("values %zu and %zu share memory while both are in use", i, k);
		}
	}
	assert_true(t->slab_floats < sum / 3); /* and memory is used again */
	hy_tape_clear(&s.tape);
	hy_network_clear(&n);
}

/* ---- taps ---- */

typedef struct tapped {
	char names[512];
	const char *replace; /* this value is replaced by itself masked with zeros */
	hy_mask mask;
} tapped;

static int tap(void *payload, hy_tape *t, const char *name, int value)
{
	tapped *p = payload;
	const size_t used = strlen(p->names);
	snprintf(p->names + used, sizeof p->names - used, "%s ", name);
	return p->replace && !strcmp(name, p->replace) ? hy_op_mask(t, value, &p->mask) : value;
}

static void set_tap(hy_tape *t, void *payload)
{
	t->tap = tap;
	t->tap_payload = payload;
}

static void taps_see_and_replace(void **state)
{
	(void)state;
	hy_network n = make_network();
	float ones[2 * 128], zeros[2 * 128] = {0}, first[64];
	for (int i = 0; i < 2 * 128; i++)
		ones[i] = 1;
	tapped see = {.names = ""};
	pass s;
	record(&s, &n, HY_NORM_RUNNING, set_tap, &see);
	assert_non_null(strstr(see.names, "image_encoder.general_encoder.inc "));
	assert_non_null(strstr(see.names, "image_encoder.general_encoder.down4 "));
	assert_non_null(strstr(see.names, "segmentation_decoder.up4 "));
	memcpy(first, hy_tape_planar(&s.tape, s.p), sizeof first);
	hy_tape_clear(&s.tape);
	for (int same = 0; same < 2; same++) {
		tapped change = {.replace = "image_encoder.general_encoder.down1", .mask = {.data = same ? ones : zeros}};
		record(&s, &n, HY_NORM_RUNNING, set_tap, &change);
		assert_true(same == !memcmp(first, hy_tape_planar(&s.tape, s.p), sizeof first));
		hy_tape_clear(&s.tape);
	}
	hy_network_clear(&n);
}

/* ---- the sums over a batch that is spread over ranks ---- */

typedef struct reduced {
	int64_t calls, ranks;
	size_t most;
} reduced;

/* As if every rank had the same slices. */
static void reduce(void *payload, double *sums, size_t count)
{
	reduced *r = payload;
	r->calls++;
	r->most = count > r->most ? count : r->most;
	for (size_t i = 0; i < count; i++)
		sums[i] *= (double)r->ranks;
}

static void set_reduce(hy_tape *t, void *payload)
{
	t->over = (hy_reduce){reduce, payload};
	t->n_ranks = ((reduced *)payload)->ranks;
}

static void ranks_with_equal_slices_change_nothing(void **state)
{
	(void)state;
	hy_network n = make_network();
	pass s;
	float alone[64];
	record(&s, &n, HY_NORM_BATCH, NULL, NULL);
	memcpy(alone, hy_tape_planar(&s.tape, s.p), sizeof alone);
	hy_tape_clear(&s.tape);
	reduced r = {.ranks = 4};
	record(&s, &n, HY_NORM_BATCH, set_reduce, &r);
	int64_t norms = 0;
	for (size_t i = 0; i < s.tape.n_instructions; i++)
		norms += !strcmp(s.tape.instructions[i].name, "norm");
	assert_int_equal(r.calls, norms);
	assert_int_equal(r.most, 2 * 128);
	for (int i = 0; i < 64; i++)
		assert_true(fabsf(alone[i] - hy_tape_planar(&s.tape, s.p)[i]) < 1e-5f);
	hy_tape_clear(&s.tape);
	hy_network_clear(&n);
}

/* Running statistics move only in the mode that tracks. */
static void modes_of_batch_norm(void **state)
{
	(void)state;
	for (int mode = HY_NORM_TRACK; mode <= HY_NORM_RUNNING; mode++) {
		hy_network n = make_network();
		float *before = hy_alloc(n.params.n_buffers, sizeof *before);
		memcpy(before, n.params.buffers, n.params.n_buffers * sizeof *before);
		pass s;
		record(&s, &n, (hy_norm_mode)mode, NULL, NULL);
		assert_true((mode == HY_NORM_TRACK) == (memcmp(before, n.params.buffers, n.params.n_buffers * sizeof *before) != 0));
		hy_free(before);
		hy_tape_clear(&s.tape);
		hy_network_clear(&n);
	}
}

static void errors_wait_for_compiling(void **state)
{
	(void)state;
	hy_network n = make_network();
	hardy_error err;
	hy_tape t;
	assert_ok(hy_tape_init(&t, &n.params, &PLAIN, &err), &err);
	const int x = hy_tape_input(&t, 2, 3, 16, 16); /* the network has one channel */
	const int z = hy_ftn_encode(&t, &n, x);
	hy_ftn_segment(&t, &n, z);
	assert_int_equal(hy_tape_compile(&t, &err), HARDY_ERROR_ARGUMENT);
	assert_non_null(strstr(err.message, "inc.0.weight"));
	hy_tape_clear(&t);
	assert_ok(hy_tape_init(&t, &n.params, &PLAIN, &err), &err);
	hy_ftn_encode(&t, &n, hy_tape_input(&t, 2, 1, 24, 24));
	assert_int_equal(hy_tape_compile(&t, &err), HARDY_ERROR_ARGUMENT);
	assert_non_null(strstr(err.message, "3 x 3"));
	hy_tape_clear(&t);
	hy_network_clear(&n);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(live_buffers_do_not_overlap),
	    cmocka_unit_test(taps_see_and_replace),
	    cmocka_unit_test(ranks_with_equal_slices_change_nothing),
	    cmocka_unit_test(modes_of_batch_norm),
	    cmocka_unit_test(errors_wait_for_compiling),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
