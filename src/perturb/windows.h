/*
 * windows.h: random multi-window masking: noise inside a few random windows of an image, or everywhere but inside them.
 *
 * The windows are those of in-painting in Zhou et al., "Models Genesis", MICCAI 2019, in two dimensions, as published with Chen et al.,
 * MaxStyle, MICCAI 2022; docs/RECIPES.md says what that leaves open.
 */
#ifndef HY_PERTURB_WINDOWS_H
#define HY_PERTURB_WINDOWS_H

#include "base/rng.h"

typedef struct hy_window {
	int64_t row, column, height, width;
} hy_window;

enum { HY_MAX_WINDOWS = 16, HY_WINDOWS_BORDER = 3, HY_WINDOWS_SMALLEST = 10 /* side of an image that has room for them */ };

/*
 * Draws up to `most` windows of an image h x w (both HY_WINDOWS_SMALLEST or more) and returns their number: before each, another
 * one is drawn with probability go_on. Sides are uniform in L/6 .. L/3, places anywhere HY_WINDOWS_BORDER pixels from the border.
 */
int hy_windows_draw(hy_rng *g, int most, double go_on, int64_t h, int64_t w, hy_window *out);

/* The number of values that hy_windows_in reads from noise. */
int64_t hy_windows_noise(const hy_window *list, int n, int64_t c);

/* In-painting: image (c x h x w) gets noise inside the windows; noise: one block c x height x width a window, later ones overwrite. */
void hy_windows_in(const hy_window *list, int n, const float *noise, int64_t c, int64_t h, int64_t w, float *image);

/* Out-painting: out holds noise (c x h x w) on entry, and the image inside the windows on return. */
void hy_windows_out(const hy_window *list, int n, const float *image, int64_t c, int64_t h, int64_t w, float *out);

#endif
