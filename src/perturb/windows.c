/*
 * windows.c: drawing and painting of windows.
 */
#include "perturb/windows.h"

#include <string.h>

static int64_t between(hy_rng *g, int64_t low, int64_t high)
{
	return low + (int64_t)hy_rng_below(g, (uint64_t)(high - low + 1));
}

int hy_windows_draw(hy_rng *g, int most, double go_on, int64_t h, int64_t w, hy_window *out)
{
	int n = 0;
	while (n < most && hy_rng_uniform(g) < go_on) {
		hy_window *o = &out[n++];
		o->height = between(g, h / 6, h / 3);
		o->width = between(g, w / 6, w / 3);
		o->row = between(g, HY_WINDOWS_BORDER, h - o->height - HY_WINDOWS_BORDER);
		o->column = between(g, HY_WINDOWS_BORDER, w - o->width - HY_WINDOWS_BORDER);
	}
	return n;
}

int64_t hy_windows_noise(const hy_window *list, int n, int64_t c)
{
	int64_t sum = 0;
	for (int i = 0; i < n; i++)
		sum += c * list[i].height * list[i].width;
	return sum;
}

void hy_windows_in(const hy_window *list, int n, const float *noise, int64_t c, int64_t h, int64_t w, float *image)
{
	for (int i = 0; i < n; i++)
		for (int64_t k = 0; k < c; k++)
			for (int64_t y = 0; y < list[i].height; y++, noise += list[i].width)
				memcpy(image + (k * h + list[i].row + y) * w + list[i].column, noise, (size_t)list[i].width * sizeof *noise);
}

void hy_windows_out(const hy_window *list, int n, const float *image, int64_t c, int64_t h, int64_t w, float *out)
{
	for (int i = 0; i < n; i++)
		for (int64_t k = 0; k < c; k++)
			for (int64_t y = 0; y < list[i].height; y++) {
				const int64_t at = (k * h + list[i].row + y) * w + list[i].column;
				memcpy(out + at, image + at, (size_t)list[i].width * sizeof *out);
			}
}
