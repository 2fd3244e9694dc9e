/*
 * quiet.c: nothing is built while a training runs: in steps 3 to 10 no memory is asked for, by our code or by a library, but for
 * the few bytes in which oneDNN, where it is asked for, and clang's OpenMP runtime hand over arguments; so no convolution is prepared
 * then, either.
 *
 * The C library's allocation functions are replaced by ones that count.
 */
#include "support/test.h"

#include "base/memory.h"
#include "training/step.h"

#include <errno.h>
#include <stdio.h>

#if !defined(__GLIBC__) || defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define CANNOT_COUNT 1
#endif
#if defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(memory_sanitizer) || __has_feature(thread_sanitizer)
#define CANNOT_COUNT 1
#endif
#endif

#if defined(CANNOT_COUNT)

int main(void)
{
	fprintf(stderr, "allocations cannot be counted: the allocation functions are a sanitizer's or not glibc's\n");
	return 77;
}

#else

#include <malloc.h>

extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t n, size_t size);
extern void *__libc_realloc(void *p, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);

static volatile int counting;
static size_t n_calls, largest;

static void seen(size_t size)
{
	if (!counting)
		return;
	__atomic_add_fetch(&n_calls, 1, __ATOMIC_RELAXED);
	size_t now = __atomic_load_n(&largest, __ATOMIC_RELAXED);
	while (size > now && !__atomic_compare_exchange_n(&largest, &now, size, 0, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
		;
}

void *malloc(size_t size)
{
	seen(size);
	return __libc_malloc(size);
}

void *calloc(size_t n, size_t size)
{
	seen(n * size);
	return __libc_calloc(n, size);
}

void *realloc(void *p, size_t size)
{
	seen(size);
	return __libc_realloc(p, size);
}

void *memalign(size_t alignment, size_t size)
{
	seen(size);
	return __libc_memalign(alignment, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
	seen(size);
	return __libc_memalign(alignment, size);
}

int posix_memalign(void **p, size_t alignment, size_t size)
{
	seen(size);
	*p = __libc_memalign(alignment, size);
	return *p ? 0 : ENOMEM;
}

static void count_from_here(void)
{
	n_calls = largest = 0;
	counting = 1;
}

/*
 * Arguments of one call are a few words each: oneDNN asks for them, and clang's OpenMP runtime for those of a parallel region. Preparing a
 * convolution takes kilobytes.
 */
enum { DNNL_BYTES = 256 };
#ifdef __clang__
enum { RUNTIME_BYTES = 512 };
#else
enum { RUNTIME_BYTES = 0 };
#endif

static void run_steps(hy_tape_options engine, bool cooperative, size_t *calls, size_t *most)
{
	const hy_network_config config = {.channels = 1, .classes = 4, .decoupler = true};
	hardy_error err;
	hy_network network;
	hy_step_options o;
	assert_ok(hy_network_init(&network, &config, &err), &err);
	hy_params_draw(&network.params, 1);
	hy_step_options_init(&o);
	o.batch = 2;
	o.height = 32;
	o.width = 16;
	o.cooperative = cooperative;
	o.engine = engine;
	hy_step *s = hy_step_new(&network, &o, &err);
	if (!s)
		fail_msg("%s", err.message);
	float image[2 * 32 * 16];
	uint8_t label[2 * 32 * 16];
	for (int i = 0; i < 2 * 32 * 16; i++) {
		image[i] = (float)(i % 97) / 97;
		label[i] = (uint8_t)(i / 7 % 4);
	}
	double terms[HY_N_TERMS];
	hardy_status status = HARDY_OK;
	for (int i = 1; i <= 10 && !status; i++) {
		if (i == 3)
			count_from_here();
		status = hy_step_run(s, image, image, label, i, 1e-3, terms, &err);
	}
	counting = 0;
	*calls = n_calls;
	*most = largest;
	hy_step_free(s);
	hy_network_clear(&network);
	assert_int_equal(status, HARDY_OK);
}

static void check_steps(hy_conv_library library, size_t allowed)
{
	for (int cooperative = 0; cooperative < 2; cooperative++) {
		size_t calls, most;
		run_steps((hy_tape_options){.library = library}, cooperative, &calls, &most);
		if (most > allowed)
			fail_msg("%zu allocations in steps 3 to 10, the largest of %zu bytes, want at most %zu", calls, most, allowed);
	}
}

static void steps_ask_for_nothing(void **state)
{
	(void)state;
	check_steps(HY_CONV_PLAIN, RUNTIME_BYTES);
	check_steps(HY_CONV_AUTO, RUNTIME_BYTES);
}

static void steps_prepare_nothing(void **state)
{
	(void)state;
	if (hy_dnnl_version())
		check_steps(HY_CONV_DNNL, DNNL_BYTES);
}

/* So that the tests above can fail. */
static void the_count_counts(void **state)
{
	(void)state;
	hardy_error err;
	hy_conv c;
	const hy_conv_shape shape = {
	    .n = 2, .ic = 16, .ih = 16, .iw = 16, .oc = 32, .oh = 16, .ow = 16, .k = 3, .stride = 1, .pad = 1};
	const hy_kernels *kernels = hy_kernels_pick(HY_ISA_AUTO, &err);
	assert_non_null(kernels);
	count_from_here();
	void *p = hy_alloc(1000, 1);
	counting = 0;
	assert_int_equal(n_calls, 1);
	assert_int_equal(largest, 1000);
	hy_free(p);
	if (!hy_dnnl_version())
		return;
	count_from_here();
	const hardy_status status = hy_conv_make(&c, kernels, HY_CONV_DNNL, &shape, HY_CONV_FORWARD, false, true, &err);
	counting = 0;
	assert_ok(status, &err);
	assert_true(largest > 4 * DNNL_BYTES);
	hy_conv_clear(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(steps_ask_for_nothing),
	    cmocka_unit_test(steps_prepare_nothing),
	    cmocka_unit_test(the_count_counts),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
