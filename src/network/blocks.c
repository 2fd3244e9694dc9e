/*
 * blocks.c: double convolutions, down and up blocks, encoder and decoder ("FCN_16_standard" of Chen et al., MICCAI 2021).
 */
#include "network/blocks.h"

#include <stdio.h>

static const float SLOPE = 0.2f;                       /* of every LeakyReLU */
static const int64_t WIDTH[] = {16, 32, 64, 128, 128}; /* encoder channels at 1/1 to 1/16 */

int hy_block_tensor(hy_scope *s, const char *name, const char *suffix, int n_dims, const int64_t *shape, bool buffer, int init,
                    int64_t fan_in)
{
	char full[160];
	snprintf(full, sizeof full, "%s%s%s.%s", s->name, *s->name ? "." : "", name, suffix);
	if (s->tape) {
		const int found = hy_params_find(s->params, full);
		if (found < 0)
			hy_tape_fail(s->tape, HARDY_ERROR_ARGUMENT, "the network has no tensor %s", full);
		return found;
	}
	const int added = hy_params_add(s->params, full, n_dims, shape, buffer, init, fan_in);
	s->failed |= added < 0;
	return added;
}

/* The 3 x 3 convolution of the doubled grid; its bias is left to the batch norm that follows. */
static int conv_doubled(hy_scope *s, const char *name, int x, int64_t in, int64_t out, int *bias)
{
	const int64_t shape[] = {out, in, 3, 3}, fan_in = in * 9;
	const int weight = hy_block_tensor(s, name, "weight", 4, shape, false, HY_INIT_HE_NORMAL, fan_in);
	*bias = hy_block_tensor(s, name, "bias", 1, shape, false, HY_INIT_UNIFORM_FAN, fan_in);
	return s->tape ? hy_op_up2_conv(s->tape, x, weight) : -1;
}

static int conv(hy_scope *s, const char *name, int x, int64_t in, int64_t out, int k, int stride, bool planar_out,
                bool norm_follows)
{
	const int64_t shape[] = {out, in, k, k}, fan_in = in * k * k;
	const int weight = hy_block_tensor(s, name, "weight", 4, shape, false, HY_INIT_HE_NORMAL, fan_in);
	const int bias = hy_block_tensor(s, name, "bias", 1, shape, false, planar_out ? HY_INIT_ZERO : HY_INIT_UNIFORM_FAN, fan_in);
	return s->tape ? hy_op_conv(s->tape, x, weight, bias, k, stride, planar_out, norm_follows) : -1;
}

int hy_block_norm(hy_scope *s, const char *name, int x, int bias, int64_t channels, int skip, float slope, int scale_init,
                  bool lazy)
{
	const int gamma = hy_block_tensor(s, name, "weight", 1, &channels, false, scale_init, 0);
	const int beta = hy_block_tensor(s, name, "bias", 1, &channels, false, HY_INIT_ZERO, 0);
	const int mean = hy_block_tensor(s, name, "running_mean", 1, &channels, true, HY_INIT_ZERO, 0);
	const int var = hy_block_tensor(s, name, "running_var", 1, &channels, true, HY_INIT_ONE, 0);
	return s->tape ? hy_op_norm_act(s->tape, x, bias, gamma, beta, mean, var, skip, slope, lazy) : -1;
}

static int norm(hy_scope *s, const char *name, int x, int bias, int64_t channels, int skip, float slope, bool lazy)
{
	return hy_block_norm(s, name, x, bias, channels, skip, slope, HY_INIT_BN_SCALE, lazy);
}

static int tap(hy_scope *s, const char *name, int x)
{
	char full[160];
	snprintf(full, sizeof full, "%s.%s", s->name, name);
	return s->tape ? hy_tape_tap(s->tape, full, x) : -1;
}

int hy_block_double(hy_scope *s, const char *name, int x, bool doubled, int64_t in, int64_t out, int skip, float slope)
{
	char part[96];
	int bias = -1;
	snprintf(part, sizeof part, "%s.0", name);
	x = doubled ? conv_doubled(s, part, x, in, out, &bias) : conv(s, part, x, in, out, 3, 1, false, true);
	snprintf(part, sizeof part, "%s.1", name);
	x = norm(s, part, x, bias, out, -1, SLOPE, true);
	snprintf(part, sizeof part, "%s.3", name);
	x = conv(s, part, x, out, out, 3, 1, false, true);
	snprintf(part, sizeof part, "%s.4", name);
	return norm(s, part, x, -1, out, skip, slope, false);
}

/* Halve the grid: conv3(i, i, stride 2), then LReLU(conv1(i, o) + double(i, o)). */
static int down(hy_scope *s, const char *name, int x, int64_t in, int64_t out)
{
	char part[64];
	snprintf(part, sizeof part, "%s.down", name);
	x = conv(s, part, x, in, in, 3, 2, false, false);
	snprintf(part, sizeof part, "%s.conv_input", name);
	const int skip = conv(s, part, x, in, out, 1, 1, false, false);
	snprintf(part, sizeof part, "%s.conv", name);
	return tap(s, name, hy_block_double(s, part, x, false, in, out, skip, SLOPE));
}

/*
 * Double the grid, then LReLU(conv1(i, o) + double(i, o)). Nearest-neighbour doubling is never carried out: the 1 x 1 convolution
 * commutes with it, and the 3 x 3 one behind it is done on the small grid.
 */
static int up(hy_scope *s, const char *name, int x, int64_t in, int64_t out, enum hy_up_kind kind)
{
	char part[64];
	if (kind == HY_UP_LEARNED) {
		const int64_t shape[] = {in, in, 2, 2}, fan_in = in * 4;
		snprintf(part, sizeof part, "%s.up", name);
		const int weight = hy_block_tensor(s, part, "weight", 4, shape, false, HY_INIT_UNIFORM_FAN, fan_in);
		const int bias = hy_block_tensor(s, part, "bias", 1, shape, false, HY_INIT_UNIFORM_FAN, fan_in);
		x = s->tape ? hy_op_conv_up(s->tape, x, weight, bias) : -1;
	}
	snprintf(part, sizeof part, "%s.conv_input", name);
	const int skip = conv(s, part, x, in, out, 1, 1, false, false);
	snprintf(part, sizeof part, "%s.conv", name);
	return tap(s, name, hy_block_double(s, part, x, kind == HY_UP_NEAREST, in, out, skip, SLOPE));
}

int hy_block_encoder(hy_scope *s, int x, int64_t channels)
{
	x = tap(s, "inc", hy_block_double(s, "inc", x, false, channels, WIDTH[0], -1, SLOPE));
	x = down(s, "down1", x, WIDTH[0], WIDTH[1]);
	x = down(s, "down2", x, WIDTH[1], WIDTH[2]);
	x = down(s, "down3", x, WIDTH[2], WIDTH[3]);
	x = down(s, "down4", x, WIDTH[3], WIDTH[4]);
	x = conv(s, "final_conv.0", x, WIDTH[4], WIDTH[4], 1, 1, false, true);
	return norm(s, "final_conv.1", x, -1, WIDTH[4], -1, 0, false);
}

int hy_block_decoder(hy_scope *s, int z, int64_t channels, enum hy_up_kind kind)
{
	z = up(s, "up1", z, WIDTH[4], WIDTH[2], kind);
	z = up(s, "up2", z, WIDTH[2], WIDTH[1], kind);
	z = up(s, "up3", z, WIDTH[1], WIDTH[0], kind);
	z = up(s, "up4", z, WIDTH[0], WIDTH[0], kind);
	return conv(s, "final_conv", z, WIDTH[0], channels, 1, 1, true, false);
}
