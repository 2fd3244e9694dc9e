/*
 * halves.c: operators on blocked tensors in bfloat16 give what they give in single precision, within its rounding. The table is one of plain C
 * (halves_table.c), and the real one where the processor has it.
 */
#include "base/memory.h"
#include "base/rng.h"
#include "engine/ops.h"
#include "support/test.h"

#include <math.h>
#include <string.h>

extern const hy_kernels hy_kernels_halves;

enum { N = 2, C = 32, H = 16, W = 16, CLASSES = 3 };

static void draw(float *to, size_t n, uint64_t stream)
{
	hy_rng g = hy_rng_make(5, HY_RNG_TEST, stream, 0);
	for (size_t i = 0; i < n; i++)
		to[i] = (float)hy_rng_normal(&g);
}

/*
 * The gradient of the first convolution's weights, C x 1 x 3 x 3, where its result goes to a last convolution twice: masked, and as it is. The second
 * is recorded later, so that the mask's gradient is added to its.
 */
static void masked_twice(const hy_kernels *kernels, const hy_mask *mask, float gradient[C * 9])
{
	static float image[N * H * W], upper[2][N * CLASSES * H * W];
	hardy_error err;
	hy_params params = {0};
	hy_tape t;
	const int stem = hy_params_add(&params, "stem", 4, (const int64_t[]){C, 1, 3, 3}, false, HY_INIT_ZERO, 9);
	const int head = hy_params_add(&params, "head", 4, (const int64_t[]){CLASSES, C, 1, 1}, false, HY_INIT_ZERO, C);
	assert_ok(hy_params_allocate(&params, &err), &err);
	draw(hy_params_write_values(&params), params.n_values, 0);
	draw(image, N * H * W, 1);
	draw(upper[0], N * CLASSES * H * W, 2);
	draw(upper[1], N * CLASSES * H * W, 3);
	assert_ok(hy_tape_init(&t, &params, &(hy_tape_options){HY_ISA_PLAIN, HY_CONV_PLAIN}, &err), &err);
	t.kernels = kernels;
	hy_tape_segment(&t);
	const int x = hy_tape_input(&t, N, 1, H, W), z = hy_op_conv(&t, x, stem, -1, 3, 1, false, false);
	int up[2], y[2];
	for (int i = 0; i < 2; i++) {
		y[i] = hy_op_conv(&t, i ? z : hy_op_mask_through(&t, z, mask), head, -1, 1, 1, true, false);
		up[i] = hy_tape_input(&t, N, CLASSES, H, W);
	}
	const int end = hy_tape_mark(&t);
	hy_tape_gradients_begin(&t);
	hy_tape_gradient_set(&t, y[0], up[0]);
	hy_tape_gradient_set(&t, y[1], up[1]);
	hy_tape_back(&t, 0, end, HY_BACK_WEIGHTS);
	assert_ok(hy_tape_compile(&t, &err), &err);
	t.values[x].data = image;
	t.values[up[0]].data = upper[0];
	t.values[up[1]].data = upper[1];
	assert_ok(hy_tape_run(&t, 0, &err), &err);
	memcpy(gradient, hy_tape_grad(&t, stem), C * 9 * sizeof *gradient);
	hy_tape_clear(&t);
	hy_params_clear(&params);
}

static void close_to_single(const hy_kernels *halves)
{
	static float data[N * H * W];
	draw(data, N * H * W, 4);
	for (int spatial = 0; spatial < 2; spatial++) {
		float want[C * 9], got[C * 9];
		const hy_mask mask = {.spatial = spatial, .data = data};
		double difference = 0, norm = 0;
		masked_twice(&hy_kernels_plain, &mask, want);
		masked_twice(halves, &mask, got);
		for (int i = 0; i < C * 9; i++) {
			difference += ((double)got[i] - (double)want[i]) * ((double)got[i] - (double)want[i]);
			norm += (double)want[i] * (double)want[i];
		}
		if (!(sqrt(difference) < 0x1p-8 * sqrt(norm))) /* a rounding to 8 bits, and errors of many places cancel */
			fail_msg("%s: %s mask: the gradient differs by %g of %g", halves->name, spatial ? "spatial" : "channel",
			         sqrt(difference), sqrt(norm));
	}
}

static void masks_add_their_gradient(void **state)
{
	(void)state;
	close_to_single(&hy_kernels_halves);
}

static void masks_add_their_gradient_here(void **state)
{
	(void)state;
	const hy_kernels *k = hy_kernels_pick(HY_ISA_AVX512_BF16, NULL);
	if (!k) {
		print_message("this processor has no AVX-512 BF16\n");
		skip();
	}
	close_to_single(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(masks_add_their_gradient),
	                                   cmocka_unit_test(masks_add_their_gradient_here)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
