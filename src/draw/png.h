/*
 * png.h: a small picture: grey images, label contours, captions; written as an 8-bit RGB PNG.
 */
#ifndef HY_DRAW_PNG_H
#define HY_DRAW_PNG_H

#include "base/files.h"

#include <stdint.h>

/* Row by row from the top left, three bytes a pixel. */
typedef struct hy_canvas {
	int width, height;
	uint8_t *rgb; /* owned */
} hy_canvas;

enum { HY_GLYPH_WIDTH = 6, HY_GLYPH_HEIGHT = 8 }; /* a character with the gap behind and below it, in pixels */

/* A black canvas; width and height are 1 to 16384. Release with hy_canvas_free. */
hardy_status hy_canvas_new(hy_canvas **out, int width, int height, hardy_error *err);
void hy_canvas_free(hy_canvas *c); /* NULL allowed */

/* All drawing is cut at the canvas' border. */
void hy_canvas_fill(hy_canvas *c, int x, int y, int width, int height, const uint8_t rgb[3]);

/*
 * An image of h rows and w columns at (x, y), every pixel enlarged to scale by scale. Black is its smallest and white its largest
 * finite value; what is not finite is black.
 */
void hy_canvas_image(hy_canvas *c, int x, int y, int scale, const float *values, int w, int h);

/* The inner borders of the labels of an image placed like that, one colour a value; 0 is background. */
void hy_canvas_contours(hy_canvas *c, int x, int y, int scale, const uint8_t *labels, int w, int h);

/* The same in one colour. */
void hy_canvas_borders(hy_canvas *c, int x, int y, int scale, const uint8_t *labels, int w, int h, const uint8_t rgb[3]);

/* White text, its top left at (x, y); characters without a glyph are drawn as a box. */
void hy_canvas_text(hy_canvas *c, int x, int y, int scale, const char *text);

/* Into a file or sink that is open; false when libpng fails, which is to say when memory runs out. */
bool hy_png_encode(const hy_canvas *c, hy_outfile *file);
/* Atomic. mark: as in hy_outfile_open; every picture holds HY_PNG_MARK. */
#define HY_PNG_MARK "drawn by hardy"
hardy_status hy_png_write(const hy_canvas *c, const char *path, const char *mark, hardy_error *err);

#endif
