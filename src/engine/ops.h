/*
 * ops.h: the operators that a network's definition is made of. Each records its forward instruction and knows its backward
 * ones. Values and parameters are indices of the tape and of its hy_params. Shapes are checked while recording.
 */
#ifndef HY_ENGINE_OPS_H
#define HY_ENGINE_OPS_H

#include "engine/tape.h"

/*
 * Square convolution of odd size k, padding k / 2, stride 1 or 2. Planar x (an encoder's first, k = 3, stride 1) or blocked x;
 * planar result (a decoder's last, k = 1) when planar_out. The bias (-1: none) gets no gradient when a batch norm follows: it
 * is zero.
 */
int hy_op_conv(hy_tape *t, int x, int weight, int bias, int k, int stride, bool planar_out, bool norm_follows);
/* Transposed convolution 2 x 2, stride 2: doubles the grid. weight: in x out x 2 x 2. */
int hy_op_conv_up(hy_tape *t, int x, int weight, int bias);
/*
 * Nearest-neighbour doubling and then a 3 x 3 convolution with padding 1, in one: as a transposed convolution, 4 x 4 with stride 2 and
 * padding 1, whose kernel is the flipped 3 x 3 one summed over 2 x 2 boxes. 4/9 of the arithmetic, and the doubled input is never
 * made. No bias: give it to the batch norm that follows.
 */
int hy_op_up2_conv(hy_tape *t, int x, int weight);
/*
 * The same of x doubled with skip, of the doubled grid, beside it: a convolution of their concatenation, x's channels first, which is never
 * made. weight: out x (channels of x + channels of skip) x 3 x 3. skip may be lazy.
 */
int hy_op_up2_conv_beside(hy_tape *t, int x, int skip, int weight);
/* The largest of 2 x 2; halves the grid, which is even. Its gradient goes to the first of equals. x may be lazy. */
int hy_op_max_pool(hy_tape *t, int x);

/*
 * Batch norm, activation (v > 0 ? v : slope v) and, when skip >= 0, the sum with skip (of x's grid or of half of it) in between.
 * bias (-1: none) is one that the convolution before left out: it only moves the running mean. lazy: only convolutions with k > 1, as
 * such or beside, and max pooling will read the result; where they can, it is never written to memory.
 */
int hy_op_norm_act(hy_tape *t, int x, int bias, int gamma, int beta, int running_mean, int running_var, int skip, float slope,
                   bool lazy);

int hy_op_softmax(hy_tape *t, int x, float scale);
int hy_op_sigmoid(hy_tape *t, int x);

/* A loss at run time. */
typedef struct hy_loss {
	const char *name;     /* in messages; NULL allowed */
	const uint8_t *label; /* cross-entropy: n x hw class indices, the caller's */
	float w_ce, w_dice;   /* cross-entropy: weights of the two terms in the gradient; half-MSE: w_ce */
	double value;         /* cross-entropy or weight * MSE, weighted by w_ce */
	double dice;          /* 1 - soft Dice, weighted by w_dice */
} hy_loss;

/* Cross-entropy (and soft Dice) of logits against loss->label; adds its gradient to that of logits. w_dice is fixed when
 * recorded. */
void hy_op_cross_entropy(hy_tape *t, int logits, hy_loss *loss);
/* w_ce * mean (y - target)^2 with y = sigmoid(x) recorded by hy_op_sigmoid; writes the gradient of x directly. */
void hy_op_sigmoid_mse(hy_tape *t, int y, int target, hy_loss *loss);

void hy_op_one_hot(hy_tape *t, const uint8_t *const *label, int out); /* writes a planar value */

/* A latent mask at run time: data per (n, c) or, when spatial, per (n, pixel). No gradient: hard examples are constants. */
typedef struct hy_mask {
	bool spatial;
	float *data;
} hy_mask;
int hy_op_mask(hy_tape *t, int x, const hy_mask *mask);
int hy_op_mask_through(hy_tape *t, int x, const hy_mask *mask); /* with a gradient: the mask alone is constant */
/* Mean over pixels and over channels of a blocked value, into two kept planar values (n x c x 1 x 1 and n x 1 x h x w). */
void hy_op_score(hy_tape *t, int x, int *channel, int *spatial);

#endif
