/*
 * png.c: draws on a canvas and writes it as PNG.
 */
#include "draw/png.h"

#include "base/files.h"
#include "base/memory.h"
#include "predict/legend.h"

#include <ctype.h>
#include <math.h>
#include <png.h>
#include <string.h>

#define MAX_SIDE 16384

hardy_status hy_canvas_new(hy_canvas **out, int width, int height, hardy_error *err)
{
	if (width < 1 || height < 1 || width > MAX_SIDE || height > MAX_SIDE)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "a picture of %d x %d pixels, want 1 to %d", width, height, MAX_SIDE);
	hy_canvas *c = hy_alloc(1, sizeof *c);
	uint8_t *rgb = hy_calloc((size_t)width * (size_t)height, 3);
	if (!c || !rgb) {
		hy_free(c);
		hy_free(rgb);
		return hy_fail_memory(err, "picture", (size_t)width * (size_t)height, 3);
	}
	*c = (hy_canvas){.width = width, .height = height, .rgb = rgb};
	*out = c;
	return HARDY_OK;
}

void hy_canvas_free(hy_canvas *c)
{
	if (c)
		hy_free(c->rgb);
	hy_free(c);
}

void hy_canvas_fill(hy_canvas *c, int x, int y, int width, int height, const uint8_t rgb[3])
{
	int x_end = x + width < c->width ? x + width : c->width, y_end = y + height < c->height ? y + height : c->height;
	for (int j = y > 0 ? y : 0; j < y_end; j++) {
		for (int i = x > 0 ? x : 0; i < x_end; i++)
			memcpy(c->rgb + 3 * ((size_t)j * (size_t)c->width + (size_t)i), rgb, 3);
	}
}

void hy_canvas_image(hy_canvas *c, int x, int y, int scale, const float *values, int w, int h)
{
	float low = INFINITY, high = -INFINITY;
	for (int64_t i = 0; i < (int64_t)w * h; i++) {
		if (isfinite(values[i])) {
			low = fminf(low, values[i]);
			high = fmaxf(high, values[i]);
		}
	}
	for (int j = 0; j < h; j++) {
		for (int i = 0; i < w; i++) {
			float v = values[(int64_t)j * w + i];
			double share = isfinite(v) && high > low ? ((double)v - (double)low) / ((double)high - (double)low) : 0;
			uint8_t grey = (uint8_t)lrint(255 * share);
			hy_canvas_fill(c, x + i * scale, y + j * scale, scale, scale, (uint8_t[3]){grey, grey, grey});
		}
	}
}

/* colour NULL: each value's own. */
static void draw_borders(hy_canvas *c, int x, int y, int scale, const uint8_t *labels, int w, int h, const uint8_t *colour)
{
	int line = scale > 3 ? scale / 3 : 1;
	for (int j = 0; j < h; j++) {
		for (int i = 0; i < w; i++) {
			const uint8_t *at = labels + (int64_t)j * w + i;
			uint8_t rgb[3];
			if (!*at)
				continue;
			if (colour)
				memcpy(rgb, colour, sizeof rgb);
			else
				hy_label_colour(*at, rgb);
			int left = x + i * scale, top = y + j * scale;
			if (i == 0 || at[-1] != *at)
				hy_canvas_fill(c, left, top, line, scale, rgb);
			if (i == w - 1 || at[1] != *at)
				hy_canvas_fill(c, left + scale - line, top, line, scale, rgb);
			if (j == 0 || at[-w] != *at)
				hy_canvas_fill(c, left, top, scale, line, rgb);
			if (j == h - 1 || at[w] != *at)
				hy_canvas_fill(c, left, top + scale - line, scale, line, rgb);
		}
	}
}

void hy_canvas_contours(hy_canvas *c, int x, int y, int scale, const uint8_t *labels, int w, int h)
{
	draw_borders(c, x, y, scale, labels, w, h, NULL);
}

void hy_canvas_borders(hy_canvas *c, int x, int y, int scale, const uint8_t *labels, int w, int h, const uint8_t rgb[3])
{
	draw_borders(c, x, y, scale, labels, w, h, rgb);
}

/* ---- text --------------------------------------------------------------------------------------------------------------- */

/* Seven rows of five pixels, the leftmost in the highest bit. A glyph of all zeroes other than the space's is missing. */
/* clang-format off */
static const uint8_t glyphs[128][7] = {
	[' '] = {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00},
	['#'] = {0x0a, 0x0a, 0x1f, 0x0a, 0x1f, 0x0a, 0x0a},
	['%'] = {0x19, 0x19, 0x02, 0x04, 0x08, 0x13, 0x13},
	['&'] = {0x0c, 0x12, 0x14, 0x08, 0x15, 0x12, 0x0d},
	['('] = {0x02, 0x04, 0x08, 0x08, 0x08, 0x04, 0x02},
	[')'] = {0x08, 0x04, 0x02, 0x02, 0x02, 0x04, 0x08},
	['+'] = {0x00, 0x04, 0x04, 0x1f, 0x04, 0x04, 0x00},
	[','] = {0x00, 0x00, 0x00, 0x00, 0x04, 0x04, 0x08},
	['-'] = {0x00, 0x00, 0x00, 0x0e, 0x00, 0x00, 0x00},
	['.'] = {0x00, 0x00, 0x00, 0x00, 0x00, 0x0c, 0x0c},
	['/'] = {0x01, 0x01, 0x02, 0x04, 0x08, 0x10, 0x10},
	['0'] = {0x0e, 0x11, 0x13, 0x15, 0x19, 0x11, 0x0e},
	['1'] = {0x04, 0x0c, 0x04, 0x04, 0x04, 0x04, 0x0e},
	['2'] = {0x0e, 0x11, 0x01, 0x02, 0x04, 0x08, 0x1f},
	['3'] = {0x1e, 0x01, 0x01, 0x0e, 0x01, 0x01, 0x1e},
	['4'] = {0x02, 0x06, 0x0a, 0x12, 0x1f, 0x02, 0x02},
	['5'] = {0x1f, 0x10, 0x1e, 0x01, 0x01, 0x11, 0x0e},
	['6'] = {0x0e, 0x10, 0x10, 0x1e, 0x11, 0x11, 0x0e},
	['7'] = {0x1f, 0x01, 0x02, 0x04, 0x04, 0x08, 0x08},
	['8'] = {0x0e, 0x11, 0x11, 0x0e, 0x11, 0x11, 0x0e},
	['9'] = {0x0e, 0x11, 0x11, 0x0f, 0x01, 0x01, 0x0e},
	[':'] = {0x00, 0x04, 0x04, 0x00, 0x04, 0x04, 0x00},
	['<'] = {0x02, 0x04, 0x08, 0x10, 0x08, 0x04, 0x02},
	['='] = {0x00, 0x00, 0x1f, 0x00, 0x1f, 0x00, 0x00},
	['>'] = {0x08, 0x04, 0x02, 0x01, 0x02, 0x04, 0x08},
	['A'] = {0x0e, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11},
	['B'] = {0x1e, 0x11, 0x11, 0x1e, 0x11, 0x11, 0x1e},
	['C'] = {0x0f, 0x10, 0x10, 0x10, 0x10, 0x10, 0x0f},
	['D'] = {0x1e, 0x11, 0x11, 0x11, 0x11, 0x11, 0x1e},
	['E'] = {0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x1f},
	['F'] = {0x1f, 0x10, 0x10, 0x1e, 0x10, 0x10, 0x10},
	['G'] = {0x0f, 0x10, 0x10, 0x17, 0x11, 0x11, 0x0e},
	['H'] = {0x11, 0x11, 0x11, 0x1f, 0x11, 0x11, 0x11},
	['I'] = {0x0e, 0x04, 0x04, 0x04, 0x04, 0x04, 0x0e},
	['J'] = {0x01, 0x01, 0x01, 0x01, 0x11, 0x11, 0x0e},
	['K'] = {0x11, 0x12, 0x14, 0x18, 0x14, 0x12, 0x11},
	['L'] = {0x10, 0x10, 0x10, 0x10, 0x10, 0x10, 0x1f},
	['M'] = {0x11, 0x1b, 0x15, 0x15, 0x11, 0x11, 0x11},
	['N'] = {0x11, 0x19, 0x19, 0x15, 0x13, 0x13, 0x11},
	['O'] = {0x0e, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e},
	['P'] = {0x1e, 0x11, 0x11, 0x1e, 0x10, 0x10, 0x10},
	['Q'] = {0x0e, 0x11, 0x11, 0x11, 0x15, 0x12, 0x0d},
	['R'] = {0x1e, 0x11, 0x11, 0x1e, 0x14, 0x12, 0x11},
	['S'] = {0x0f, 0x10, 0x10, 0x0e, 0x01, 0x01, 0x1e},
	['T'] = {0x1f, 0x04, 0x04, 0x04, 0x04, 0x04, 0x04},
	['U'] = {0x11, 0x11, 0x11, 0x11, 0x11, 0x11, 0x0e},
	['V'] = {0x11, 0x11, 0x11, 0x11, 0x0a, 0x0a, 0x04},
	['W'] = {0x11, 0x11, 0x11, 0x15, 0x15, 0x1b, 0x11},
	['X'] = {0x11, 0x11, 0x0a, 0x04, 0x0a, 0x11, 0x11},
	['Y'] = {0x11, 0x11, 0x0a, 0x04, 0x04, 0x04, 0x04},
	['Z'] = {0x1f, 0x01, 0x02, 0x04, 0x08, 0x10, 0x1f},
	['_'] = {0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x1f},
};
/* clang-format on */

void hy_canvas_text(hy_canvas *c, int x, int y, int scale, const char *text)
{
	static const uint8_t white[3] = {255, 255, 255}, none[7] = {0}, box[7] = {0x1f, 0x11, 0x11, 0x11, 0x11, 0x11, 0x1f};
	for (; *text; text++, x += HY_GLYPH_WIDTH * scale) {
		unsigned char letter = (unsigned char)*text;
		const uint8_t *rows = letter < 128 ? glyphs[toupper(letter)] : none;
		if (letter != ' ' && memcmp(rows, none, sizeof none) == 0)
			rows = box;
		for (int j = 0; j < 7; j++) {
			for (int i = 0; i < 5; i++) {
				if (rows[j] >> (4 - i) & 1)
					hy_canvas_fill(c, x + i * scale, y + j * scale, scale, scale, white);
			}
		}
	}
}

/* ---- writing ------------------------------------------------------------------------------------------------------------ */

static void write_bytes(png_structp png, png_bytep data, png_size_t size)
{
	hy_outfile_write(png_get_io_ptr(png), data, size);
}

static void flush_nothing(png_structp png)
{
	(void)png;
}

/* libpng's own handler would print; the status below says what matters. */
static void silent_error(png_structp png, png_const_charp message)
{
	(void)message;
	png_longjmp(png, 1);
}

static void silent_warning(png_structp png, png_const_charp message)
{
	(void)png;
	(void)message;
}

bool hy_png_encode(const hy_canvas *c, hy_outfile *file)
{
	png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, silent_error, silent_warning);
	png_infop info = png ? png_create_info_struct(png) : NULL;
	if (!info) {
		png_destroy_write_struct(&png, NULL);
		return false;
	}
	if (setjmp(png_jmpbuf(png))) {
		png_destroy_write_struct(&png, &info);
		return false;
	}
	png_set_write_fn(png, file, write_bytes, flush_nothing);
	png_set_IHDR(png, info, (png_uint_32)c->width, (png_uint_32)c->height, 8, PNG_COLOR_TYPE_RGB, PNG_INTERLACE_NONE,
	             PNG_COMPRESSION_TYPE_DEFAULT, PNG_FILTER_TYPE_DEFAULT);
	png_text text = {.compression = PNG_TEXT_COMPRESSION_NONE, .key = "Comment", .text = HY_PNG_MARK};
	png_set_text(png, info, &text, 1);
	png_write_info(png, info);
	for (int y = 0; y < c->height; y++)
		png_write_row(png, c->rgb + 3 * (size_t)y * (size_t)c->width);
	png_write_end(png, info);
	png_destroy_write_struct(&png, &info);
	return true;
}

hardy_status hy_png_write(const hy_canvas *c, const char *path, const char *mark, hardy_error *err)
{
	hy_outfile file;
	hardy_status status = hy_outfile_open(&file, path, mark, err);
	if (status)
		return status;
	if (hy_png_encode(c, &file))
		status = hy_outfile_commit(&file, err);
	else
		status = hy_fail_memory(err, "PNG", (size_t)c->width * (size_t)c->height, 3);
	hy_outfile_discard(&file);
	return status;
}
