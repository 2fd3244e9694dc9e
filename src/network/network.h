/*
 * network.h: the networks that can be trained: what each has, its parameters, and its forward pass.
 *
 * STUDY: the two networks of Chen et al., MICCAI 2021. FTN = encoder E, decoupler H, segmentation decoder D_s, image decoder D_i; STN = a
 * denoising autoencoder of class maps. Parameter names are those of the authors' state dict. UNET: one U-Net with skip connections
 * (unet.c). Whoever needs more than a segmentation asks hy_network_has first.
 */
#ifndef HY_NETWORK_NETWORK_H
#define HY_NETWORK_NETWORK_H

#include "network/blocks.h"

typedef enum hy_network_kind { HY_NETWORK_STUDY, HY_NETWORK_UNET, HY_N_NETWORKS } hy_network_kind;
extern const char *const hy_network_names[HY_N_NETWORKS]; /* "study", "unet" */

enum { HY_UNET_LEAST_LEVELS = 2, HY_UNET_MOST_LEVELS = 6, HY_UNET_MOST_WIDTH = 64 };

typedef struct hy_network_config {
	int channels;         /* of the image, 1 or more */
	int classes;          /* background included, 2 to 32 */
	bool decoupler;       /* study; false: z_s = z_i (ablation) */
	hy_network_kind kind; /* of the network */
	int width, levels; /* unet: channels of the whole grid, a multiple of 16, doubled with each halving; grids. 0: 16 and 5 */
	bool no_top_skip;  /* unet: the whole grid has no skip connection */
} hy_network_config;

typedef struct hy_network {
	hy_network_config config;
	hy_params params;
} hy_network;

/* Adds every tensor and allocates them; values are zero until drawn or loaded. */
hardy_status hy_network_init(hy_network *n, const hy_network_config *config, hardy_error *err);
/* The same, but more values in all than most are HARDY_ERROR_FORMAT before memory is asked for: for what a file says of itself. */
hardy_status hy_network_init_within(hy_network *n, const hy_network_config *config, size_t most, hardy_error *err);
void hy_network_clear(hy_network *n);

/* What a network may have beside its segmentation: an image decoder on its code, codes to mask, a second network that corrects shapes. */
typedef enum hy_network_part { HY_PART_IMAGE_DECODER, HY_PART_CODES, HY_PART_SHAPE } hy_network_part;
bool hy_network_has(const hy_network *n, hy_network_part part);
/* Heights and widths of slices are multiples of this. */
int64_t hy_network_stride(const hy_network_config *c);

/* Softening between FTN and STN: softmax(p / 2). */
#define HY_STN_SOFTENING 0.5f

/* What a forward pass leaves: logits (planar), and both codes where the network has them, else -1. */
typedef struct hy_forward {
	int z_i, z_s, p;
} hy_forward;

/* Recording the segmentation of a planar image. */
hy_forward hy_network_forward(hy_tape *t, const hy_network *n, int x);

/* Recording the study's parts. x: planar image; p: planar logits; q: planar class probabilities. */
int hy_ftn_encode(hy_tape *t, const hy_network *n, int x);        /* z_i = E(x) */
int hy_ftn_decouple(hy_tape *t, const hy_network *n, int z_i);    /* z_s = H(z_i) */
int hy_ftn_segment(hy_tape *t, const hy_network *n, int z_s);     /* p = D_s(z_s) */
int hy_ftn_reconstruct(hy_tape *t, const hy_network *n, int z_i); /* D_i(z_i) before the sigmoid */
int hy_stn_refine(hy_tape *t, const hy_network *n, int q);        /* STN(q), logits */

/* The definitions that hy_network_init runs (blocks.h says how one text defines and records). */
void hy_ftn_define(hy_scope *s, const hy_network_config *config);
void hy_stn_define(hy_scope *s, const hy_network_config *config);
int hy_unet(hy_scope *s, int x, const hy_network_config *config);

/* Sets every running mean to 0 and variance to 1, before a recalibration. */
void hy_network_reset_statistics(hy_network *n);

#endif
