/*
 * ftn.c: the fast-thinking network: image to logits and back to the image.
 */
#include "network/network.h"

static int encoder(hy_scope *s, int x, int channels)
{
	s->name = "image_encoder.general_encoder";
	return hy_block_encoder(s, x, channels);
}

static int decoupler(hy_scope *s, int z)
{
	s->name = "image_encoder";
	return hy_block_double(s, "code_decoupler", z, false, HY_CODE_CHANNELS, HY_CODE_CHANNELS, -1, 0);
}

static int segmentation_decoder(hy_scope *s, int z, int classes)
{
	s->name = "segmentation_decoder";
	return hy_block_decoder(s, z, classes, HY_UP_NEAREST);
}

static int image_decoder(hy_scope *s, int z, int channels)
{
	s->name = "image_decoder";
	return hy_block_decoder(s, z, channels, HY_UP_LEARNED);
}

static hy_scope recording(hy_tape *t)
{
	return (hy_scope){.tape = t, .params = t->params};
}

int hy_ftn_encode(hy_tape *t, const hy_network *n, int x)
{
	hy_scope s = recording(t);
	return encoder(&s, x, n->config.channels);
}

int hy_ftn_decouple(hy_tape *t, const hy_network *n, int z_i)
{
	hy_scope s = recording(t);
	return n->config.decoupler ? decoupler(&s, z_i) : z_i;
}

int hy_ftn_segment(hy_tape *t, const hy_network *n, int z_s)
{
	hy_scope s = recording(t);
	return segmentation_decoder(&s, z_s, n->config.classes);
}

int hy_ftn_reconstruct(hy_tape *t, const hy_network *n, int z_i)
{
	hy_scope s = recording(t);
	return image_decoder(&s, z_i, n->config.channels);
}

void hy_ftn_define(hy_scope *s, const hy_network_config *config)
{
	encoder(s, -1, config->channels);
	if (config->decoupler)
		decoupler(s, -1);
	segmentation_decoder(s, -1, config->classes);
	image_decoder(s, -1, config->channels);
}
