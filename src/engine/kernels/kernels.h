/*
 * kernels.h: the table of arithmetic kernels that the operators call, one table per instruction set.
 *
 * Layouts. A blocked tensor of n x c x h x w holds x[n][c / B][h][w][B], B = table->block, c a multiple of B. A planar tensor
 * holds x[n][c][h][w]; images, class maps and logits are planar, everything inside the network is blocked. h * w is a multiple
 * of 16. Kernels use OpenMP over samples and channel blocks; sums are formed in an order that does not depend on the thread
 * count, but for the weight gradient and batch sums of a batch that the threads cannot share evenly.
 */
#ifndef HY_ENGINE_KERNELS_KERNELS_H
#define HY_ENGINE_KERNELS_KERNELS_H

#include "base/error.h"
#include "engine/kernels/direct.h"

#include <stddef.h>
#include <stdint.h>

enum { HY_NO_LABEL = 255 }; /* a pixel that no loss counts */

/* AVX512_BF16 keeps blocked tensors in bfloat16; AUTO never picks it. */
typedef enum hy_isa { HY_ISA_AUTO, HY_ISA_PLAIN, HY_ISA_AVX2, HY_ISA_AVX512, HY_ISA_AVX512_BF16 } hy_isa;

/*
 * A convolution: y[n][oc][oh][ow] = sum w[oc][ic][kh][kw] x[n][ic][oh*stride+kh-pad][ow*stride+kw-pad] (+ bias). Square kernel
 * k. doubled: that many of the first input channels are given on half the grid, each pixel standing for four, the others in a tensor of
 * their own (hy_fused.beside): a convolution of a doubled grid and what lies beside it.
 */
typedef struct hy_conv_shape {
	int64_t n, ic, ih, iw, oc, oh, ow;
	int k, stride, pad;
	int64_t doubled;
} hy_conv_shape;

/* Adds up sums over the processes that share a batch, in place. */
typedef struct hy_reduce {
	void (*sum)(void *payload, double *sums, size_t n);
	void *payload;
} hy_reduce;

typedef struct hy_kernels {
	const char *name;
	int block, element;

	/* Batch norm. sums: partial[(i * c + k) * 2] = sum of x, +1 = sum of squares, of sample i and channel k. */
	void (*norm_sums)(const hy_blocked *x, int64_t n, int64_t c, int64_t hw, double *partial);
	/*
	 * y = act(scale[k] x + shift[k] + skip), act(v) = v > 0 ? v : slope v (0 <= slope <= 1). skip NULL, of x's shape, or (half)
	 * of half height and width, read at [row / 2][column / 2]. scale NULL: 1.
	 */
	void (*norm_act)(const hy_blocked *x, const float *scale, const float *shift, const hy_blocked *skip, bool half,
	                 float slope, int64_t n, int64_t c, int64_t h, int64_t w, hy_blocked *y);
	/* The sums of hy_fused's BACK on whole tensors (a job is a sample), dy becoming g. Then dx = a[k] g + b[k] x + d[k]. */
	void (*norm_back_sums)(const hy_fused *f, int64_t n, int64_t c, int64_t h, int64_t w, hy_blocked *dy);
	void (*norm_back)(const hy_blocked *g, const hy_blocked *x, const float *a, const float *b, const float *d, int64_t n,
	                  int64_t c, int64_t hw, hy_blocked *dx);

	/*
	 * Largest of 2 x 2 (h and w of x, even) of act(scale x + shift); scale NULL: of x as it is. back: dx (+)= dy at the first of the
	 * largest of each four, 0 elsewhere; f: NULL, or BACK is done to dx (a job is a sample).
	 */
	void (*max_pool)(const hy_blocked *x, const float *scale, const float *shift, float slope, int64_t n, int64_t c, int64_t h,
	                 int64_t w, hy_blocked *y);
	void (*max_pool_back)(const hy_fused *f, const hy_blocked *dy, const hy_blocked *x, const float *scale, const float *shift,
	                      float slope, int64_t n, int64_t c, int64_t h, int64_t w, bool accumulate, hy_blocked *dx);

	void (*bias_add)(const float *bias, int64_t n, int64_t c, int64_t hw, hy_blocked *y);
	void (*channel_sums)(const hy_blocked *x, int64_t n, int64_t c, int64_t hw, double *partial); /* partial[i * c + k] */

	/* Latent masks, blocked: y (+)= x * mask, mask per (n, c) or per (n, pixel). */
	void (*mask_channel)(const hy_blocked *x, const float *mask, int64_t n, int64_t c, int64_t hw, bool accumulate,
	                     hy_blocked *y);
	void (*mask_spatial)(const hy_blocked *x, const float *mask, int64_t n, int64_t c, int64_t hw, bool accumulate,
	                     hy_blocked *y);
	/* Mean over pixels (n x c) and mean over channels (n x hw) of a blocked tensor. */
	void (*score)(const hy_blocked *x, int64_t n, int64_t c, int64_t hw, float *channel, float *spatial);

	/* First convolution of an encoder: 3 x 3, padding 1, planar x, blocked y. w and dw are OIHW; dw accumulates. work: as
	 * sized. */
	void (*stem)(const float *x, const float *w, const float *bias, int64_t n, int64_t ic, int64_t h, int64_t width, int64_t oc,
	             hy_blocked *y);
	void (*stem_data)(const hy_blocked *dy, const float *w, int64_t n, int64_t ic, int64_t h, int64_t width, int64_t oc,
	                  bool accumulate, float *dx);
	void (*stem_weights)(const float *x, const hy_blocked *dy, int64_t n, int64_t ic, int64_t h, int64_t width, int64_t oc,
	                     float *work, float *dw);
	/* Last convolution of a decoder: 1 x 1, blocked x, planar y. db accumulates too. f: NULL, or BACK is done to dx (a job is a
	 * sample). */
	void (*head)(const hy_blocked *x, const float *w, const float *bias, int64_t n, int64_t ic, int64_t hw, int64_t oc,
	             float *y);
	void (*head_data)(const hy_fused *f, const float *dy, const float *w, int64_t n, int64_t ic, int64_t h, int64_t width,
	                  int64_t oc, bool accumulate, hy_blocked *dx);
	void (*head_weights)(const hy_blocked *x, const float *dy, int64_t n, int64_t ic, int64_t hw, int64_t oc, float *work,
	                     float *dw, float *db);

	/* Planar class maps. softmax of x * scale; adjoint dx (+)= scale y (dy - sum_c y dy). */
	void (*softmax)(const float *x, float scale, int64_t n, int64_t c, int64_t hw, float *y);
	void (*softmax_back)(const float *y, const float *dy, float scale, int64_t n, int64_t c, int64_t hw, bool accumulate,
	                     float *dx);
	/*
	 * Cross-entropy: *loss = mean over n, hw of -log softmax(x)[label]. Soft Dice: *dice = 1 - mean over the foreground classes
	 * of (2 sum p y + 1) / (sum p + sum y + 1), sums over the batch. A pixel labelled HY_NO_LABEL adds nothing to either (the mean is still
	 * over n, hw). dx (+)= gradient of w_ce * loss + w_dice * dice; dx NULL: none. over, NULL allowed: the sums of soft Dice go on over the
	 * batches of other processes.
	 */
	void (*cross_entropy)(const float *x, const uint8_t *label, int64_t n, int64_t c, int64_t hw, float w_ce, float w_dice,
	                      bool accumulate, const hy_reduce *over, double *work, float *dx, double *loss, double *dice);
	/* y = sigmoid(x); *loss = mean (y - target)^2; dx = gradient of weight * loss with respect to x. dx NULL: none. */
	void (*sigmoid)(const float *x, int64_t count, float *y);
	void (*sigmoid_mse)(const float *y, const float *target, int64_t n, int64_t per_sample, float weight, double *work,
	                    float *dx, double *loss);
	void (*one_hot)(const uint8_t *label, int64_t n, int64_t c, int64_t hw, float *y);

	/* The plain convolution, blocked on both sides, weights packed by conv_pack (role: enum hy_conv_role). */
	void (*conv_pack)(const hy_conv_shape *s, int role, const float *oihw, float *packed);
	void (*conv_forward)(const hy_conv_shape *s, const hy_blocked *x, const float *packed, const float *bias, bool accumulate,
	                     hy_blocked *y);
	void (*conv_data)(const hy_conv_shape *s, const hy_blocked *dy, const float *packed, bool accumulate, hy_blocked *dx);
	void (*conv_weights)(const hy_conv_shape *s, const hy_blocked *x, const hy_blocked *dy, float *dw);

	/* Our own convolutions, planned by direct.c (NULL: this table has none); y, dw as hy_conv writes them. f: may be NULL.
	 * most_tile: positions that are summed at once in tiles of one and of two channel blocks. */
	int most_tile[2];
	void (*direct_forward)(const hy_direct *d, const hy_fused *f, const hy_blocked *x, const float *packed, const float *bias,
	                       bool accumulate, hy_blocked *y, float *work);
	void (*direct_weights)(const hy_direct *d, const hy_fused *f, const hy_blocked *x, const hy_blocked *dy, float *dw,
	                       float *work);

	/* Adam as torch.optim.Adam: m, v updated, w -= lr_t m / (sqrt(v) / root_c2 + eps), lr_t = lr / (1 - beta1^t), root_c2 =
	 * sqrt(1 - beta2^t). */
	void (*adam)(float *w, const float *g, float *m, float *v, int64_t count, float lr_t, float beta1, float beta2,
	             float root_c2, float eps);
} hy_kernels;

extern const hy_kernels hy_kernels_plain, hy_kernels_avx2, hy_kernels_avx512, hy_kernels_avx512_bf16;

/* Whether the table of AVX-512 is compiled for AVX2 (meson setup -Demulate_avx512=true): a trial of its code where no
 * processor has it, which AUTO does not pick. */
#if defined(HY_EMULATE_AVX512)
enum { HY_EMULATED = 1 };
#else
enum { HY_EMULATED = 0 };
#endif

/* The table for isa; AUTO picks the widest that this processor has. NULL with an error when the processor lacks what is asked
 * for. */
const hy_kernels *hy_kernels_pick(hy_isa isa, hardy_error *err);

#endif
