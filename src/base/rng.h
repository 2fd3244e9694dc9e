/*
 * rng.h: counter-based random numbers (Philox4x32-10: Salmon et al., "Parallel random numbers: as easy as 1, 2, 3", SC 2011).
 *
 * A stream is fixed by (seed, purpose, a, b), for instance (run seed, HY_RNG_AUGMENT, epoch, sample): what one consumer draws
 * never depends on scheduling or on what another drew. The state is passed, never global.
 */
#ifndef HY_BASE_RNG_H
#define HY_BASE_RNG_H

#include <stddef.h>
#include <stdint.h>

typedef enum hy_rng_purpose {
	HY_RNG_INIT = 1, /* start values of parameters */
	HY_RNG_SPLIT,    /* draw of subjects */
	HY_RNG_ORDER,    /* order of slices within an epoch */
	HY_RNG_AUGMENT,  /* classic augmentation of one sample */
	HY_RNG_NOISE,    /* input noise of the FTN */
	HY_RNG_MASK,     /* latent masks */
	HY_RNG_PHANTOM,  /* anatomy and images of the phantom */
	HY_RNG_ARTEFACT, /* artefact parameters */
	HY_RNG_TEST,
	HY_RNG_PERTURB,   /* perturbations other than latent masks */
	HY_RNG_RANDOMISE, /* randomisation of one sample */
	HY_RNG_BOOTSTRAP  /* scans, or groups of them, of a replicate */
} hy_rng_purpose;

typedef struct hy_rng {
	uint32_t key[2];
	uint32_t counter[4];
	uint32_t block[4];
	int n_left; /* unused words in block */
} hy_rng;

/* a and b are hashed into key and counter; a stream holds 2^34 words. */
hy_rng hy_rng_make(uint64_t seed, hy_rng_purpose purpose, uint64_t a, uint64_t b);

uint32_t hy_rng_u32(hy_rng *g);
double hy_rng_uniform(hy_rng *g);                          /* [0, 1), 53 bits */
double hy_rng_between(hy_rng *g, double low, double high); /* [low, high) */
double hy_rng_normal(hy_rng *g);                           /* mean 0, variance 1; two uniforms a call (Box-Muller) */
/* n of them in single precision, for noise on images: two words a pair, four times faster. Below 5.9 in size. */
void hy_rng_normals(hy_rng *g, float *out, size_t n);
uint64_t hy_rng_below(hy_rng *g, uint64_t n);              /* 0 .. n-1 without bias, n >= 1 */
void hy_rng_permutation(hy_rng *g, size_t n, size_t *out); /* Fisher-Yates */

#endif
