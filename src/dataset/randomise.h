/*
 * randomise.h: slices as another scanner might have made them: random grey-scale curves, shading, sharpness, noise, and changes in
 * k-space. Shapes stay, so labels do.
 *
 * Strong random changes of intensity and quality let a network do well at sites that it has not seen (Zhang et al., "Generalizing deep
 * learning for medical image segmentation to unseen domains via deep stacked transformation", IEEE TMI 39, 2531, 2020). Random monotone
 * curves: Zhou et al., "Models Genesis", MICCAI 2019. Waves: Vaish et al., "Fourier-basis functions to bridge augmentation gap", CVPR 2024.
 * docs/RECIPES.md says which of these resemble the artefacts that models are tested with.
 */
#ifndef HY_DATASET_RANDOMISE_H
#define HY_DATASET_RANDOMISE_H

#include "base/error.h"
#include "base/rng.h"

#include <stdint.h>

enum { HY_RANDOM_WAVES = 3, HY_RANDOM_SHADES = 3 };

/* Probabilities with which a slice is changed at all, and then by each of the changes; and the ranges of these. 0: never. */
typedef struct hy_randomise_options {
	double share, share_plain; /* of augmented slices, of slices as they are */
	double curve;              /* monotone grey-scale curve */
	double invert;             /* curve upside down */
	double clip;               /* both ends of the scale cut off */
	double shade;              /* smooth multiplicative field */
	double sharpness;          /* blur or sharpening, by axis */
	double noise;              /* Rician or Gaussian */
	double lines;              /* k-space lines along an axis weakened: every n-th, outer ones, or each by chance */
	double waves;              /* plane waves added */
	double strength;           /* of all but the waves: their ranges times that */
	double wave_strength;      /* greatest amplitude, in mean values of the slice */
} hy_randomise_options;

void hy_randomise_options_init(hy_randomise_options *o); /* share 0: off */

/* What chance decided for one slice. */
typedef struct hy_randomise_draw {
	bool curve, invert, clip, shade, noise, rician;
	double knots[4];                    /* of the curve: its rises between 0, 1/4, 1/2, 3/4, 1; sum 1 */
	double clip_low, clip_high;         /* these shares of the scale */
	double shades[HY_RANDOM_SHADES][4]; /* amplitude, half periods along rows and columns, phase */
	double blur[2];                     /* standard deviation in pixels along rows, columns; 0: none */
	double sharpen;                     /* unsharp masking by that much instead */
	double sd;                          /* of the noise */
	int line_axis;                      /* -1: none; 0: lines of rows' frequencies, 1: of columns' */
	int line_kind;                      /* 0: every line_step-th, 1: outer ones, 2: each by chance */
	int line_step, line_first;          /* of kind 0 */
	double line_weight, line_cut;       /* what is left of a line; cut in shares of the greatest frequency */
	int n_waves;
	double waves[HY_RANDOM_WAVES][4]; /* amplitude in means, cycles a pixel down and across, phase */
	hy_rng field;                     /* of noise, and of lines by chance */
} hy_randomise_draw;

/* The same for slices of all sizes, except for noise. */
hy_randomise_draw hy_randomise_draw_make(const hy_randomise_options *o, hy_rng *g);

/* Scratch for slices of h x w; one per thread. NULL on failure. */
typedef struct hy_randomise hy_randomise;
hy_randomise *hy_randomise_new(int64_t h, int64_t w, hardy_error *err);
void hy_randomise_free(hy_randomise *r); /* NULL allowed */

/*
 * image: channels x h x w in [0, 1], changed in place and scaled to [0, 1] again, channel by channel with the same draw; a constant
 * channel becomes 0. No allocation, one thread.
 */
void hy_randomise_apply(hy_randomise *r, const hy_randomise_draw *d, float *image, int64_t channels);

#endif
