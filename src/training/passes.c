/*
 * passes.c: pieces of a training step that occur in several passes.
 */
#include "training/passes.h"

void hy_pass_norm(hy_passes *s, hy_norm_mode mode, bool frozen)
{
	s->tape.norm = mode;
	s->tape.norm_frozen = frozen;
}

double hy_pass_share(const hy_passes *s, double weight)
{
	return weight / s->ranks->size;
}

hy_loss hy_pass_classes_loss(const hy_passes *s, const char *name, double weight)
{
	weight = hy_pass_share(s, weight);
	return (hy_loss){.name = name, .w_ce = (float)(weight * (double)s->w_ce), .w_dice = (float)(weight * (double)s->w_dice)};
}

hy_loss hy_pass_image_loss(const hy_passes *s, const char *name, double weight)
{
	return (hy_loss){.name = name, .w_ce = (float)(0.5 * hy_pass_share(s, weight))};
}

int hy_pass_label_map(hy_passes *s)
{
	hy_tape *t = &s->tape;
	const int y = hy_tape_value(t, s->batch, s->network->config.classes, s->height, s->width, false);
	hy_tape_constant(t, y);
	hy_op_one_hot(t, &s->label, y);
	return y;
}

void hy_pass_stn(hy_passes *s, int q, hy_loss *loss)
{
	hy_tape *t = &s->tape;
	const int from = hy_tape_mark(t);
	const int refined = hy_stn_refine(t, s->network, q);
	hy_op_cross_entropy(t, refined, loss);
	hy_tape_back(t, from, hy_tape_mark(t), HY_PASS_TRAIN);
}

void hy_pass_stn_on_prediction(hy_passes *s, int p, bool into_p, hy_loss *loss)
{
	hy_tape *t = &s->tape;
	if (!hy_network_has(s->network, HY_PART_SHAPE))
		return;
	const int from = hy_tape_mark(t), q = hy_op_softmax(t, p, HY_STN_SOFTENING);
	if (!into_p)
		hy_tape_constant(t, q);
	hy_pass_stn(s, q, loss);
	hy_tape_back(t, from, from + 1, 0);
}

void hy_pass_reconstruction(hy_passes *s, int z_i, hy_loss *loss)
{
	hy_tape *t = &s->tape;
	if (!hy_network_has(s->network, HY_PART_IMAGE_DECODER))
		return;
	const int from = hy_tape_mark(t);
	const int x0 = hy_op_sigmoid(t, hy_ftn_reconstruct(t, s->network, z_i));
	hy_op_sigmoid_mse(t, x0, s->x, loss);
	hy_tape_back(t, from, hy_tape_mark(t), HY_PASS_TRAIN);
}

void hy_pass_example(hy_passes *s, int image, hy_loss *seg, hy_loss *rec, hy_loss *shape)
{
	hy_tape *t = &s->tape;
	hy_tape_gradients_begin(t);
	const int encoder = hy_tape_mark(t);
	const hy_forward f = hy_network_forward(t, s->network, image);
	const int decoded = hy_tape_mark(t);
	hy_pass_reconstruction(s, f.z_i, rec);
	hy_op_cross_entropy(t, f.p, seg);
	hy_pass_stn_on_prediction(s, f.p, !s->separate, shape);
	hy_tape_back(t, encoder, decoded, HY_PASS_TRAIN);
}
