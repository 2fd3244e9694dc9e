/*
 * affine.c: padding by minima, flips, and affine maps in float32.
 */
#include "image/affine.h"

#include "base/simd.h"

#include <math.h>
#include <string.h>

/* ---- padding ------------------------------------------------------------------------------------------------------------ */

#define DEFINE_PAD(NAME, T)                                                                                                    \
	void NAME(const T *in, int64_t h, int64_t w, int64_t th, int64_t tw, T *out)                                               \
	{                                                                                                                          \
		const int64_t dh = th > h ? th - h : 0, dw = tw > w ? tw - w : 0, oh = h + dh, ow = w + dw;                            \
		const int64_t top = (dh + 1) / 2, left = (dw + 1) / 2;                                                                 \
		T *least = out + left; /* the first row of the output collects the columns' minima */                                  \
		if (top)                                                                                                               \
			memcpy(least, in, (size_t)w * sizeof *in);                                                                         \
		for (int64_t r = 0; r < h; r++) {                                                                                      \
			memcpy(out + (top + r) * ow + left, in + r * w, (size_t)w * sizeof *in);                                           \
			for (int64_t c = 0; top && c < w; c++)                                                                             \
				least[c] = in[r * w + c] < least[c] ? in[r * w + c] : least[c];                                                \
		}                                                                                                                      \
		for (int64_t r = 1; r < oh; r++)                                                                                       \
			if (r < top || r >= top + h)                                                                                       \
				memcpy(out + r * ow + left, least, (size_t)w * sizeof *in);                                                    \
		for (int64_t r = 0; dw && r < oh; r++) {                                                                               \
			T *row = out + r * ow, m = row[left];                                                                              \
			for (int64_t c = 1; c < w; c++)                                                                                    \
				m = row[left + c] < m ? row[left + c] : m;                                                                     \
			for (int64_t c = 0; c < ow; c++)                                                                                   \
				row[c] = c < left || c >= left + w ? m : row[c];                                                               \
		}                                                                                                                      \
	}

DEFINE_PAD(hy_pad_minimum_f32, float)
DEFINE_PAD(hy_pad_minimum_u8, uint8_t)

/* ---- flips -------------------------------------------------------------------------------------------------------------- */

#define DEFINE_FLIP(NAME, T)                                                                                                   \
	void NAME(T *x, int64_t h, int64_t w, bool horizontal, bool vertical)                                                      \
	{                                                                                                                          \
		for (int64_t r = 0; horizontal && r < h; r++) {                                                                        \
			T *row = x + r * w;                                                                                                \
			for (int64_t c = 0; c < w / 2; c++) {                                                                              \
				const T t = row[c];                                                                                            \
				row[c] = row[w - 1 - c];                                                                                       \
				row[w - 1 - c] = t;                                                                                            \
			}                                                                                                                  \
		}                                                                                                                      \
		for (int64_t r = 0; vertical && r < h / 2; r++) {                                                                      \
			T *a = x + r * w, *b = x + (h - 1 - r) * w;                                                                        \
			for (int64_t c = 0; c < w; c++) {                                                                                  \
				const T t = a[c];                                                                                              \
				a[c] = b[c];                                                                                                   \
				b[c] = t;                                                                                                      \
			}                                                                                                                  \
		}                                                                                                                      \
	}

DEFINE_FLIP(hy_flip_f32, float)
DEFINE_FLIP(hy_flip_u8, uint8_t)

/* ---- affine maps -------------------------------------------------------------------------------------------------------- */

static const double radians = 3.14159265358979323846 / 180;

hy_affine hy_affine_make(double rotation_deg, double shift_row, double shift_col, double zoom_row, double zoom_col, int64_t h,
                         int64_t w)
{
	const double c = cos(rotation_deg * radians), s = sin(rotation_deg * radians);
	const double ty = shift_row * (double)h, tx = shift_col * (double)w;
	return (hy_affine){{{(float)(c * zoom_row), (float)(-s * zoom_col), (float)(c * ty - s * tx)},
	                    {(float)(s * zoom_row), (float)(c * zoom_col), (float)(s * ty + c * tx)}}};
}

enum { CHUNK = 64 }; /* pixels whose coordinates are computed together */

typedef struct sampling {
	hy_affine a;
	float cy, cx;
} sampling;

static sampling sampling_make(const hy_affine *a, int64_t h, int64_t w)
{
	return (sampling){*a, (float)h / 2 - 0.5f, (float)w / 2 - 0.5f};
}

/* Input coordinates of the CHUNK pixels from (r, c) on. */
static inline void coordinates(const sampling *s, int64_t r, int64_t c, float *restrict y, float *restrict x)
{
	const float dr = (float)r - s->cy, y0 = s->a.m[0][0] * dr, x0 = s->a.m[1][0] * dr;
	const float my = s->a.m[0][1], mx = s->a.m[1][1], by = s->a.m[0][2], bx = s->a.m[1][2];
	const int first = (int)c;
	for (int j = 0; j < CHUNK; j++) {
		const float dc = (float)(first + j) - s->cx;
		y[j] = y0 + my * dc + by + s->cy;
		x[j] = x0 + mx * dc + bx + s->cx;
	}
}

static inline float clampf(float v, float high)
{
	v = v > 0 ? v : 0;
	return v < high ? v : high;
}

static inline int chunk_length(int64_t c, int64_t w)
{
	return w - c < CHUNK ? (int)(w - c) : CHUNK;
}

HY_CLONES void hy_affine_image(const float *in, int64_t h, int64_t w, const hy_affine *a, float *out)
{
	const sampling s = sampling_make(a, h, w);
	const float top_y = h > 1 ? (float)(h - 2) : 0, top_x = w > 1 ? (float)(w - 2) : 0;
	const int width = (int)w, down = h > 1 ? width : 0, right = w > 1;
	float y[CHUNK], x[CHUNK];
	int at[CHUNK];
	for (int64_t r = 0; r < h; r++)
		for (int64_t c = 0; c < w; c += CHUNK) {
			coordinates(&s, r, c, y, x);
			for (int j = 0; j < CHUNK; j++) {
				const float v = clampf(y[j], top_y), u = clampf(x[j], top_x);
				const int iy = (int)v, ix = (int)u;
				at[j] = iy * width + ix;
				y[j] = v - (float)iy;
				x[j] = u - (float)ix;
			}
			float *to = out + r * w + c;
			const int n = chunk_length(c, w);
			for (int j = 0; j < n; j++) {
				const float *p = in + at[j];
				const float left = p[0] * (1 - y[j]) + p[down] * y[j], beside = p[right] * (1 - y[j]) + p[down + right] * y[j];
				to[j] = left * (1 - x[j]) + beside * x[j];
			}
		}
}

/* Nearest whole number, halves to even: adding 1.5 * 2^23 leaves no bits for a fraction. |v| < 2^22. */
static inline int round_even(float v)
{
	return (int)((v + 12582912.0f) - 12582912.0f);
}

HY_CLONES void hy_affine_label(const uint8_t *in, int64_t h, int64_t w, const hy_affine *a, uint8_t *out)
{
	const sampling s = sampling_make(a, h, w);
	float y[CHUNK], x[CHUNK];
	int at[CHUNK];
	for (int64_t r = 0; r < h; r++)
		for (int64_t c = 0; c < w; c += CHUNK) {
			coordinates(&s, r, c, y, x);
			for (int j = 0; j < CHUNK; j++)
				at[j] = round_even(clampf(y[j], (float)(h - 1))) * (int)w + round_even(clampf(x[j], (float)(w - 1)));
			const int n = chunk_length(c, w);
			for (int j = 0; j < n; j++)
				out[r * w + c + j] = in[at[j]];
		}
}
