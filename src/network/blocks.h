/*
 * blocks.h: the building blocks that FTN and STN share.
 *
 * A block function does two things with one text: with scope->tape NULL it adds its tensors to scope->params, else it records
 * its operators with the tensors found there. Values are -1 while defining.
 */
#ifndef HY_NETWORK_BLOCKS_H
#define HY_NETWORK_BLOCKS_H

#include "engine/ops.h"

typedef struct hy_scope {
	hy_tape *tape; /* NULL: define */
	hy_params *params;
	const char *name; /* of the module, e.g. "image_encoder.general_encoder", or "" */
	bool failed;      /* out of memory while defining */
} hy_scope;

/* The index of tensor NAME.suffix; while defining it is added. */
int hy_block_tensor(hy_scope *s, const char *name, const char *suffix, int n_dims, const int64_t *shape, bool buffer, int init,
                    int64_t fan_in);
/* Batch norm and activation, tensors NAME.weight and so on (hy_op_norm_act). scale_init: of its scale, enum hy_init. */
int hy_block_norm(hy_scope *s, const char *name, int x, int bias, int64_t channels, int skip, float slope, int scale_init,
                  bool lazy);

enum hy_up_kind { HY_UP_NEAREST, HY_UP_LEARNED };

/* conv3 BN LReLU conv3 BN [+ skip] act(slope), of x or of x doubled by nearest neighbour; tensors NAME.0, .1, .3, .4. */
int hy_block_double(hy_scope *s, const char *name, int x, bool doubled, int64_t in, int64_t out, int skip, float slope);
/* Encoder: in channels (planar) at 1/1 to 128 at 1/16, after ReLU. Grid: multiples of 16. */
int hy_block_encoder(hy_scope *s, int x, int64_t channels);
/* Decoder: 128 at 1/16 to `channels` planar logits at 1/1. */
int hy_block_decoder(hy_scope *s, int z, int64_t channels, enum hy_up_kind kind);

enum { HY_CODE_CHANNELS = 128, HY_CODE_STRIDE = 16 };

#endif
