/*
 * stn.c: the slow-thinking network: a denoising autoencoder that corrects the shape of a class map.
 */
#include "network/network.h"

static int refine(hy_scope *s, int q, int classes)
{
	s->name = "shape_encoder";
	const int z = hy_block_encoder(s, q, classes);
	s->name = "shape_decoder";
	return hy_block_decoder(s, z, classes, HY_UP_NEAREST);
}

int hy_stn_refine(hy_tape *t, const hy_network *n, int q)
{
	hy_scope s = {.tape = t, .params = t->params};
	return refine(&s, q, n->config.classes);
}

void hy_stn_define(hy_scope *s, const hy_network_config *config)
{
	refine(s, -1, config->classes);
}
