/*
 * phantom_body.c: what surrounds the heart in a short-axis slice: chest wall, lung, diaphragm, liver, stomach, spleen, aorta,
 * spine.
 */
#include "dataset/phantom.h"

#include <math.h>

static const double pi = 3.14159265358979323846;

void hy_body_draw(hy_body *b, const hy_heart *h, hy_rng *g)
{
	const double turn = hy_rng_between(g, -20, 10) * pi / 180, size = hy_rng_between(g, .92, 1.08);
	const double heart_mm = h->ed.radius_mm + h->ed.wall_mm;
	const double place_x = hy_rng_between(g, 2, 8);
	b->y = size * hy_rng_between(g, 18, 34);
	b->half_x = size * hy_rng_between(g, 124, 142);
	b->half_y = size * hy_rng_between(g, 132, 152);
	b->egg = hy_rng_between(g, .05, .3);
	b->cos_turn = cos(turn), b->sin_turn = sin(turn);
	b->fat_mm = hy_rng_between(g, 7, 20);
	b->fat_side = hy_rng_between(g, -pi, pi);
	b->muscle_mm = hy_rng_between(g, 9, 13);
	/* the RV lies close behind the breastbone */
	b->x = b->half_x - (heart_mm + .8 * h->ed.rv_mm + h->rv_wall_mm + b->fat_mm + b->muscle_mm + place_x);
	b->ribs = floor(hy_rng_between(g, 17, 22));
	b->rib_phase = hy_rng_uniform(g);
	b->diaphragm_mm = heart_mm + hy_rng_between(g, 4, 12);
	b->diaphragm_slope = hy_rng_between(g, .12, .3);
	b->diaphragm_bend = hy_rng_between(g, .0008, .0022);
	b->diaphragm_x = hy_rng_between(g, -15, 45);
	b->liver_x = hy_rng_between(g, -5, 30);
	b->liver_lean = hy_rng_between(g, -.5, .1);
	b->aorta_x = hy_rng_between(g, 12, 34);
	b->aorta_y = heart_mm + hy_rng_between(g, 14, 30);
	b->aorta_mm = hy_rng_between(g, 9, 12.5);
	b->spine_x = b->aorta_x + hy_rng_between(g, -18, 10);
	b->spine_y = b->aorta_y + hy_rng_between(g, 36, 46);
	b->spine_mm = hy_rng_between(g, 16, 20);
	b->stomach_x = hy_rng_between(g, 55, 80);
	b->stomach_y = heart_mm + hy_rng_between(g, 20, 34);
	b->stomach_a = hy_rng_between(g, 18, 30);
	b->stomach_b = hy_rng_between(g, 12, 20);
	b->spleen_x = hy_rng_between(g, 95, 120);
	b->spleen_y = heart_mm + hy_rng_between(g, 30, 55);
	b->spleen_a = hy_rng_between(g, 16, 24);
	b->spleen_b = hy_rng_between(g, 24, 36);
	b->mediastinum_x = -heart_mm - hy_rng_between(g, 5, 20);
	b->mediastinum_y = hy_rng_between(g, -25, 0);
}

static bool in_ellipse(double x, double y, double a, double b)
{
	return x * x * (b * b) + y * y * (a * a) < a * a * b * b;
}

/* Fat under the skin, then muscle with the ribs in it; depth_mm counts from the skin. Returns -1 inside the chest. */
static int wall_tissue(const hy_body *b, double u, double v, double w, double depth_mm)
{
	const double angle = atan2(v, u), fat = b->fat_mm * (1 + .55 * cos(angle - b->fat_side));
	if (depth_mm < fat)
		return HY_TISSUE_FAT;
	const double in_muscle = (depth_mm - fat) / b->muscle_mm;
	if (in_muscle > 1)
		return -1;
	const double turn = angle / (2 * pi) * b->ribs + b->rib_phase + .02 * w, along = 2 * (turn - floor(turn)) - 1;
	const double ring = along * along / (.55 * .55) + (in_muscle - .55) * (in_muscle - .55) / (.38 * .38);
	return ring < .5 ? HY_TISSUE_MARROW : ring < 1 ? HY_TISSUE_BONE : HY_TISSUE_MUSCLE;
}

static hy_tissue abdomen_tissue(const hy_body *b, double x, double y, double w, float coarse, float fine)
{
	const double deep = y - b->diaphragm_mm;
	if (x < b->liver_x + b->liver_lean * deep + 20 - .006 * deep * deep + .25 * w + 3 * coarse)
		return fine > 2.1f ? HY_TISSUE_BLOOD_RIGHT : HY_TISSUE_LIVER;
	if (in_ellipse(x - b->stomach_x + .1 * w, y - b->stomach_y, b->stomach_a, b->stomach_b))
		return fine > 1.2f ? HY_TISSUE_AIR : HY_TISSUE_STOMACH;
	if (in_ellipse(x - b->spleen_x, y - b->spleen_y, b->spleen_a, b->spleen_b))
		return HY_TISSUE_SPLEEN;
	/* bowel and vessels in fat */
	return coarse > .7f ? HY_TISSUE_MUSCLE : coarse < -1.2f ? HY_TISSUE_STOMACH : fine < -1.6f ? HY_TISSUE_AIR : HY_TISSUE_FAT;
}

hy_tissue hy_body_tissue(const hy_body *b, float x, float y, float w, float coarse, float fine)
{
	const double px = x - b->x, py = y - b->y;
	const double u = b->cos_turn * px + b->sin_turn * py, v = b->cos_turn * py - b->sin_turn * px;
	const double half_x = b->half_x * (1 + b->egg * v / b->half_y);
	const double q = half_x > 0 ? u * u / (half_x * half_x) + v * v / (b->half_y * b->half_y) : 2;
	if (q >= 1)
		return HY_TISSUE_AIR;
	if (q > .4) {
		const double depth = (1 - sqrt(q)) * .5 * (b->half_x + b->half_y);
		const int t = wall_tissue(b, u, v, w, depth);
		if (t >= 0)
			return (hy_tissue)t;
	}
	const double sx = x - b->spine_x, sy = y - b->spine_y;
	if (in_ellipse(sx, sy, b->spine_mm, .85 * b->spine_mm))
		return in_ellipse(sx, sy, b->spine_mm - 2, .85 * b->spine_mm - 2) ? HY_TISSUE_MARROW : HY_TISSUE_BONE;
	if (in_ellipse(sx, sy - 1.3 * b->spine_mm, 8, 7))
		return HY_TISSUE_FLUID;
	const double ax = x - b->aorta_x, ay = y - b->aorta_y, aorta = b->aorta_mm;
	if (in_ellipse(ax, ay, aorta + 1.5, aorta + 1.5))
		return in_ellipse(ax, ay, aorta, aorta) ? HY_TISSUE_BLOOD_LEFT : HY_TISSUE_MUSCLE;
	const double dx = x - b->diaphragm_x;
	const double below =
	    y - (b->diaphragm_mm - b->diaphragm_slope * fmax(0, w - 20) + b->diaphragm_bend * dx * dx + .8 * coarse);
	if (below > 0)
		return below < 3 ? HY_TISSUE_MUSCLE : abdomen_tissue(b, x, y, w, coarse, fine);
	/* fat between heart and breastbone, and along the diaphragm */
	if (in_ellipse(x - b->mediastinum_x + 20, y - b->mediastinum_y - 35 - .2 * w, 32 + 3 * coarse, 42) ||
	    below > -5 + 2 * coarse)
		return HY_TISSUE_FAT;
	return fine > 2 ? HY_TISSUE_BLOOD_RIGHT : HY_TISSUE_LUNG;
}
