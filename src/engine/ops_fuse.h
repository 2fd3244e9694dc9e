/*
 * ops_fuse.h: between the engine's own files: how a convolution takes over work of the batch norm before or behind it.
 */
#ifndef HY_ENGINE_OPS_FUSE_H
#define HY_ENGINE_OPS_FUSE_H

#include "engine/ops.h"

/* The memory of a batch norm: rows of c floats, behind one another from node->aux on. */
enum hy_norm_rows {
	HY_NORM_MEAN,
	HY_NORM_SCALE,
	HY_NORM_SHIFT,
	HY_NORM_INVERSE,
	HY_NORM_ON_G,
	HY_NORM_ON_X,
	HY_NORM_ON_1,
	HY_N_NORM_ROWS
};

static const double HY_NORM_EPS = 1e-5;

static inline float *hy_norm_row(const hy_tape *t, int aux, int64_t c, enum hy_norm_rows row)
{
	return t->aux + aux + row * c;
}

/*
 * What instruction i was asked to do besides: with the values of `in` as it reads them (NULL: nothing), with those of `out` as it has written
 * them. NULL: nothing; else f, filled in.
 */
const hy_fused *hy_conv_fused(const hy_tape *t, const hy_instruction *i, const hy_value *in, const hy_value *out, hy_fused *f);
/* Whether the convolutions of this tape fuse. */
bool hy_conv_fuses(const hy_tape *t);
/*
 * If the last instruction is the convolution that writes x, it sums x and x^2 into t->sums as well; returns the number of rows of partial
 * sums, or 0.
 */
int64_t hy_conv_fuse_sums(hy_tape *t, int x);
/*
 * If the last instruction is the convolution that writes the gradient dy, it turns it into g and forms the sums of hy_fused's BACK for the
 * batch norm `node` (value: its result, -1 when it is computed again); returns as above.
 */
int64_t hy_conv_fuse_back(hy_tape *t, const hy_node *node, int dy, int value, int dskip);
/*
 * If the last instruction is the convolution that writes x, it writes y = act(norm(x) + skip) instead: batch norm with running statistics
 * goes into its weights (packed anew by hy_tape_refresh) and bias.
 */
bool hy_conv_fold(hy_tape *t, const hy_node *node, int x, int y, int skip);

#endif
