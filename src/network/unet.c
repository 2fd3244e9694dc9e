/*
 * unet.c: a U-Net with skip connections, the network that users get: image to logits.
 *
 * Ronneberger et al., MICCAI 2015, with batch norm (Ioffe and Szegedy, ICML 2015) behind every 3 x 3 convolution, LeakyReLU, max pooling,
 * and nearest-neighbour doubling in place of transposed convolutions. A doubled grid and its skip are one convolution's two inputs: neither
 * the doubling nor the concatenation is carried out. Tensor names are those of a PyTorch module with lists `down` and `up` of pairs
 * (convolution, batch norm, activation) and a last convolution `out`.
 */
#include "network/network.h"

#include <stdio.h>

static const float SLOPE = 0.01f; /* of every LeakyReLU */

/* BN LReLU of a convolution's output x; tensors NAME.1. lazy: see hy_op_norm_act. */
static int norm(hy_scope *s, const char *name, int x, int64_t channels, bool lazy)
{
	char part[80];
	snprintf(part, sizeof part, "%s.1", name);
	return hy_block_norm(s, part, x, -1, channels, -1, SLOPE, HY_INIT_ONE, lazy);
}

/* The 3 x 3 convolution NAME.0. */
static int weight_of(hy_scope *s, const char *name, int64_t in, int64_t out)
{
	const int64_t shape[] = {out, in, 3, 3};
	char part[80];
	snprintf(part, sizeof part, "%s.0", name);
	return hy_block_tensor(s, part, "weight", 4, shape, false, HY_INIT_UNIFORM_FAN, in * 9);
}

static int conv_norm(hy_scope *s, const char *name, int x, int64_t in, int64_t out, bool lazy)
{
	const int weight = weight_of(s, name, in, out);
	if (s->tape)
		x = hy_op_conv(s->tape, x, weight, -1, 3, 1, false, true);
	return norm(s, name, x, out, lazy);
}

/* Of x doubled, twice as many channels as come out, with the skip beside it or (has_skip false) alone. */
static int up_norm(hy_scope *s, const char *name, int x, int skip, bool has_skip, int64_t out)
{
	const int weight = weight_of(s, name, has_skip ? 3 * out : 2 * out, out);
	if (s->tape)
		x = has_skip ? hy_op_up2_conv_beside(s->tape, x, skip, weight) : hy_op_up2_conv(s->tape, x, weight);
	return norm(s, name, x, out, true);
}

int hy_unet(hy_scope *s, int x, const hy_network_config *c)
{
	enum { MOST = HY_UNET_MOST_LEVELS };
	int kept[MOST] = {0};
	char name[64];
	s->name = "";
	for (int i = 0; i < c->levels; i++) {
		const int64_t width = (int64_t)c->width << i, in = i ? width / 2 : c->channels;
		if (i && s->tape)
			x = hy_op_max_pool(s->tape, x);
		snprintf(name, sizeof name, "down.%d.0", i);
		x = conv_norm(s, name, x, in, width, true);
		snprintf(name, sizeof name, "down.%d.1", i);
		kept[i] = x = conv_norm(s, name, x, width, width, i + 1 < c->levels);
	}
	for (int i = c->levels - 2; i >= 0; i--) {
		const int64_t width = (int64_t)c->width << i;
		snprintf(name, sizeof name, "up.%d.0", c->levels - 2 - i);
		x = up_norm(s, name, x, kept[i], i > 0 || !c->no_top_skip, width);
		snprintf(name, sizeof name, "up.%d.1", c->levels - 2 - i);
		x = conv_norm(s, name, x, width, width, false);
	}
	const int64_t shape[] = {c->classes, c->width, 1, 1};
	const int weight = hy_block_tensor(s, "out", "weight", 4, shape, false, HY_INIT_UNIFORM_FAN, c->width);
	const int bias = hy_block_tensor(s, "out", "bias", 1, shape, false, HY_INIT_UNIFORM_FAN, c->width);
	return s->tape ? hy_op_conv(s->tape, x, weight, bias, 1, 1, true, false) : -1;
}
