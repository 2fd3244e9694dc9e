/*
 * network.h: the two networks of the method. FTN = encoder E, decoupler H, segmentation decoder D_s, image decoder D_i; STN = a
 * denoising autoencoder of class maps. Chen et al., MICCAI 2021; parameter names are those of the authors' state dict.
 */
#ifndef HY_NETWORK_NETWORK_H
#define HY_NETWORK_NETWORK_H

#include "network/blocks.h"

typedef struct hy_network_config {
	int channels;   /* of the image, 1 or more */
	int classes;    /* background included, 2 to 32 */
	bool decoupler; /* false: z_s = z_i (ablation) */
} hy_network_config;

typedef struct hy_network {
	hy_network_config config;
	hy_params params;
} hy_network;

/* Adds every tensor and allocates them; values are zero until drawn or loaded. */
hardy_status hy_network_init(hy_network *n, const hy_network_config *config, hardy_error *err);
void hy_network_clear(hy_network *n);

/* Softening between FTN and STN: softmax(p / 2). */
#define HY_STN_SOFTENING 0.5f

/* Recording. x: planar image; p: planar logits; q: planar class probabilities. */
int hy_ftn_encode(hy_tape *t, const hy_network *n, int x);        /* z_i = E(x) */
int hy_ftn_decouple(hy_tape *t, const hy_network *n, int z_i);    /* z_s = H(z_i) */
int hy_ftn_segment(hy_tape *t, const hy_network *n, int z_s);     /* p = D_s(z_s) */
int hy_ftn_reconstruct(hy_tape *t, const hy_network *n, int z_i); /* D_i(z_i) before the sigmoid */
int hy_stn_refine(hy_tape *t, const hy_network *n, int q);        /* STN(q), logits */

/* The definitions that hy_network_init runs (blocks.h says how one text defines and records). */
void hy_ftn_define(hy_scope *s, const hy_network_config *config);
void hy_stn_define(hy_scope *s, const hy_network_config *config);

/* Sets every running mean to 0 and variance to 1, before a recalibration. */
void hy_network_reset_statistics(hy_network *n);

#endif
