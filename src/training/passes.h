/*
 * passes.h: what the passes of a training step share: the tape that they are recorded on, the batch at hand, and the pieces that
 * occur in several of them. Equations are those of Chen et al., MICCAI 2021.
 */
#ifndef HY_TRAINING_PASSES_H
#define HY_TRAINING_PASSES_H

#include "base/ranks.h"
#include "network/network.h"

/* Backward passes that train: gradients of convolutions and of batch norm. */
enum { HY_PASS_TRAIN = HY_BACK_WEIGHTS | HY_BACK_NORM };

typedef struct hy_passes {
	hy_tape tape;
	hy_network *network;
	const hy_ranks *ranks;        /* that share the batch */
	int64_t batch, height, width; /* batch: this rank's part of it */
	uint64_t seed;
	float w_ce, w_dice; /* each cross-entropy term is w_ce CE + w_dice (1 - soft Dice) */
	bool separate;      /* no gradient from the STN into the FTN */
	/* the batch at hand */
	const float *image, *noisy; /* clean, and the FTN's input */
	const uint8_t *label;
	/* values: clean and noisy image; both codes and the logits of the standard pass. Whoever reads one of the latter in a segment that
	 * runs again keeps it (hy_tape_keep). */
	int x, x_noisy, z_i, z_s, p;
} hy_passes;

/* Which sample of the whole batch this rank's sample i is: random numbers go by it. Samples are dealt out like cards (dataset/batch.h). */
static inline int64_t hy_pass_sample(const hy_passes *s, int64_t i)
{
	return s->ranks->rank + i * s->ranks->size;
}

/* How batch norm acts in what is recorded next; frozen: its scale and shift get no gradient. */
void hy_pass_norm(hy_passes *s, hy_norm_mode mode, bool frozen);

/*
 * Losses of this step's form, weighted; name is for messages. They are means over this rank's samples, and each rank's weight is its share of
 * the batch: gradients and values, added up over the ranks, are those of the mean over the batch. hy_pass_share: the same for other losses.
 */
double hy_pass_share(const hy_passes *s, double weight);
hy_loss hy_pass_classes_loss(const hy_passes *s, const char *name, double weight);
hy_loss hy_pass_image_loss(const hy_passes *s, const char *name, double weight); /* weight * 1/2 MSE */

/* The one-hot label map of the batch at hand, constant. */
int hy_pass_label_map(hy_passes *s);

/* The STN's pass on a class map q: forward, loss, backward. The gradient flows on into q's origin unless q is constant. */
void hy_pass_stn(hy_passes *s, int q, hy_loss *loss);

/* CE(STN(softmax(p / 2)), y); its gradient adds to that of p when into_p. Nothing for a network without an STN. */
void hy_pass_stn_on_prediction(hy_passes *s, int p, bool into_p, hy_loss *loss);

/* D_i's pass: forward, 1/2 MSE against the clean image, backward into z_i. Nothing for a network without an image decoder. */
void hy_pass_reconstruction(hy_passes *s, int z_i, hy_loss *loss);

/*
 * The whole pass on a changed image, a constant: CE(p, y) + 1/2 MSE(D_i(E(image)), x) + CE(STN(softmax(p / 2)), y), the latter two
 * where the network has what they need, forward and backward. Begins a new backward pass; batch norm acts as set.
 */
void hy_pass_example(hy_passes *s, int image, hy_loss *seg, hy_loss *rec, hy_loss *shape);

#endif
