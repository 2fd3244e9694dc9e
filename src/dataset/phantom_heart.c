/*
 * phantom_heart.c: the heart of the phantom as continuous shapes: left ventricle, wall, right ventricle; their volumes.
 *
 * Every cross-section is star-shaped about the LV axis, so that a heart is a few radii by angle and height, an area is a sum
 * over angles, and a label is a comparison of radii.
 */
#include "dataset/phantom.h"

#include <math.h>

static const double pi = 3.14159265358979323846;
static const double myocardial_density = 1.05; /* g/mL */

/*
 * Ranges of the groups, mean and standard deviation. Inclusion rules of the groups: Bernard et al., IEEE TMI 37, 2514, 2018
 * (DCM: EF < 40 %, large LV; HCM: EF > 55 %, wall > 15 mm; MINF: EF < 40 %, infarct; RV: large or weak RV); normal values of
 * volumes, mass and shortening: Kawel-Boehm et al., J Cardiovasc Magn Reson 22:87, 2020.
 */
typedef struct group_range {
	const char *name;
	double edv[2], ef[2], mass[2]; /* mL, %, g */
	double rv_edv[2], rv_ef[2];    /* mL, % */
	double shortening[2];          /* mm, of the valve plane */
	double length;                 /* of the cavity against a normal one of this volume */
	double septum[2];              /* extra thickness, range */
	double flattening_ed, flattening_es;
} group_range;

static const group_range groups[HY_N_HEART_GROUPS] = {
    [HY_HEART_DCM] = {"DCM", {215, 30}, {24, 5}, {150, 18}, {155, 20}, {42, 6}, {6, 1.5}, 0.93, {0, .1}, 0, 0},
    [HY_HEART_HCM] = {"HCM", {125, 15}, {67, 4}, {185, 22}, {135, 15}, {60, 4}, {10, 1.5}, 1.0, {.3, .8}, 0, 0},
    [HY_HEART_MINF] = {"MINF", {170, 22}, {33, 4}, {125, 14}, {140, 15}, {50, 5}, {8, 1.5}, 0.97, {0, .1}, 0, 0},
    [HY_HEART_NOR] = {"NOR", {135, 18}, {60, 4}, {105, 12}, {150, 18}, {55, 4}, {13, 1.5}, 1.0, {0, .1}, 0, 0},
    [HY_HEART_RV] = {"RV", {115, 15}, {55, 5}, {95, 12}, {205, 22}, {38, 5}, {11, 1.5}, 1.0, {0, .1}, .07, .16},
};

const char *hy_heart_group_name(hy_heart_group group)
{
	return groups[group].name;
}

/* A normal number held within two standard deviations. */
static double draw(hy_rng *g, const double range[2])
{
	return range[0] + range[1] * fmax(-2, fmin(2, hy_rng_normal(g)));
}

/* Radius along the axis, 1 at the base, 0 at the apex (z = 1). The area, its square, ends without a kink, so that sums over
 * slices converge fast. */
static double taper(double z)
{
	return z <= 0 ? 1 : z >= 1 ? 0 : pow(1 - z * z * z, .7);
}

static double rv_taper(double z)
{
	return z <= 0 ? 1 : z >= 1 ? 0 : pow(1 - z * z, 1.3);
}

static double wrap(double angle)
{
	return angle - 2 * pi * floor(angle / (2 * pi) + .5);
}

/* The factors of the radii that depend on the angle alone. */
typedef struct outline {
	double endo, wall, rv, scar, tilt;
} outline;

static outline outline_at(const hy_heart *h, const hy_heart_pose *p, double angle)
{
	const double a = wrap(angle), s = a / .55, t = a / .9, c = (a - h->rv_skew * .15) / h->rv_width;
	const double k = wrap(angle - h->scar_angle) / h->scar_width;
	outline o;
	o.endo = 1 + h->oval * cos(2 * (a - h->oval_angle)) + h->triangular * cos(3 * a) - p->flattening * exp(-s * s);
	o.wall = 1 + h->septal_thickening * exp(-t * t);
	o.rv = fabs(c) < 1 ? pow(cos(.5 * pi * c), .75) * (1 + h->rv_skew * sin(a)) : 0;
	o.scar = h->scar_akinesia > 0 ? exp(-k * k * k * k) : 0;
	o.tilt = h->tilt * cos(a - h->tilt_angle);
	return o;
}

/* The factors that depend on height alone. */
typedef struct height {
	double endo, epi, rv, scar;
} height;

static height height_at(const hy_heart *h, const hy_heart_pose *p, double w)
{
	const double z = (w - p->base_mm) / (p->apex_endo_mm - p->base_mm), q = (z - h->scar_from) / .15;
	height f;
	f.endo = taper(z);
	f.epi = taper((w - p->base_mm) / (p->apex_epi_mm - p->base_mm));
	f.rv = rv_taper((w - p->base_mm) / (.86 * p->apex_epi_mm - p->base_mm));
	f.scar = q <= 0 ? 0 : q >= 1 ? 1 : q * q * (3 - 2 * q);
	return f;
}

typedef struct radii {
	double endo, epi, rv;
} radii;

static radii radii_at(const hy_heart *h, const hy_heart_pose *p, const outline *o, const height *f)
{
	const double scar = o->scar * f->scar, free_endo = p->radius_mm * o->endo;
	/* an akinetic wall keeps the radius that it had at end diastole */
	const double held = (p->reference_radius_mm - p->radius_mm) * o->endo * scar * h->scar_akinesia;
	const double wall = (free_endo + p->wall_mm * o->wall) * f->epi - free_endo * f->endo;
	radii r;
	r.endo = (free_endo + held) * f->endo;
	r.epi = r.endo + wall * (1 - h->scar_thinning * scar);
	r.rv = r.epi + p->rv_mm * o->rv * f->rv;
	return r;
}

/* Integral of s ds over low..high where s * tilt <= above: the part below the valve plane. */
static double wedge(double low, double high, double above, double tilt)
{
	if (tilt > 0)
		high = fmin(high, above / tilt);
	else if (tilt < 0)
		low = fmax(low, above / tilt);
	else if (above < 0)
		return 0;
	return high > low ? .5 * (high * high - low * low) : 0;
}

/* Largest radius of anything labelled. */
static double widest(const hy_heart_pose *p)
{
	return 1.3 * (p->radius_mm > p->reference_radius_mm ? p->radius_mm : p->reference_radius_mm) + 2 * p->wall_mm +
	       1.4 * p->rv_mm;
}

static hy_heart_volumes measure(const hy_heart *h, const hy_heart_pose *p, double step, int n_angles)
{
	outline o[HY_PHANTOM_ANGLES];
	for (int i = 0; i < n_angles; i++)
		o[i] = outline_at(h, p, 2 * pi * i / n_angles);
	const double low = p->base_mm - h->tilt * widest(p) + fmin(0, p->rv_base_mm);
	const int n = (int)ceil((p->apex_epi_mm - low) / step);
	double lv = 0, rv = 0, wall = 0;
	for (int k = 0; k < n; k++) {
		const double w = low + (k + .5) * (p->apex_epi_mm - low) / n;
		const height f = height_at(h, p, w);
		for (int i = 0; i < n_angles; i++) {
			const radii r = radii_at(h, p, &o[i], &f);
			lv += wedge(0, r.endo, w - p->base_mm, o[i].tilt);
			wall += wedge(r.endo, r.epi, w - p->base_mm, o[i].tilt);
			rv += wedge(r.epi, r.rv, w - p->base_mm - p->rv_base_mm, o[i].tilt);
		}
	}
	const double unit = (p->apex_epi_mm - low) / n * 2 * pi / n_angles / 1000;
	return (hy_heart_volumes){.lv_ml = lv * unit, .rv_ml = rv * unit, .myocardium_ml = wall * unit};
}

hy_heart_volumes hy_heart_measure(const hy_heart *h, const hy_heart_pose *pose, double step_mm)
{
	return measure(h, pose, step_mm, HY_PHANTOM_ANGLES);
}

void hy_heart_extent(const hy_heart *h, const hy_heart_pose *p, double *low_mm, double *high_mm)
{
	const height f = height_at(h, p, p->base_mm);
	double low = 0;
	for (int i = 0; i < HY_PHANTOM_ANGLES; i++) {
		const outline o = outline_at(h, p, 2 * pi * i / HY_PHANTOM_ANGLES);
		low = fmin(low, o.tilt * radii_at(h, p, &o, &f).rv);
	}
	*low_mm = p->base_mm + low + fmin(0, p->rv_base_mm);
	*high_mm = p->apex_epi_mm;
}

/*
 * Moves the tricuspid part of the valve plane so that the height at which it cuts the RV, in the mean over the cross-section,
 * is the border of a slice: what a slice counts too much on one side it then counts too little on the other.
 */
static void align_rv(const hy_heart *h, hy_heart_pose *p, double pitch)
{
	const height f = height_at(h, p, p->base_mm);
	double rise = 0, area = 0;
	for (int i = 0; i < 96; i++) {
		const outline o = outline_at(h, p, 2 * pi * i / 96);
		const radii r = radii_at(h, p, &o, &f);
		area += (r.rv * r.rv - r.epi * r.epi) / 2;
		rise += o.tilt * (r.rv * r.rv * r.rv - r.epi * r.epi * r.epi) / 3;
	}
	const double cut = p->base_mm + rise / area;
	p->rv_base_mm = floor(cut / pitch + .5) * pitch - cut;
}

/* Radius, wall and RV depth that give the wanted volumes; apex_fixed: the epicardial apex stays and the cavity's end follows.
 */
static void fit(const hy_heart *h, hy_heart_pose *p, const hy_heart_volumes *want, double half_pitch, bool apex_fixed)
{
	const double apical_wall = .75;
	for (int i = 0; i < 14; i++) {
		if (apex_fixed)
			p->apex_endo_mm = p->apex_epi_mm - apical_wall * p->wall_mm;
		else {
			p->apex_epi_mm = p->apex_endo_mm + apical_wall * p->wall_mm;
			p->reference_radius_mm = p->radius_mm;
		}
		align_rv(h, p, 2 * half_pitch);
		const hy_heart_volumes v = measure(h, p, 1, 96);
		p->radius_mm *= fmax(.6, fmin(1.6, pow(want->lv_ml / v.lv_ml, .55)));
		p->wall_mm *= fmax(.6, fmin(1.6, pow(want->myocardium_ml / v.myocardium_ml, .8)));
		p->rv_mm *= fmax(.6, fmin(1.6, pow(want->rv_ml / v.rv_ml, .9)));
	}
}

void hy_heart_draw(hy_heart *h, hy_heart_group group, double pitch_mm, hy_rng *g)
{
	const group_range *range = &groups[group];
	*h = (hy_heart){.group = group};
	h->tilt = tan(hy_rng_between(g, 10, 14) * pi / 180);
	h->tilt_angle = hy_rng_between(g, -pi, pi);
	h->oval = hy_rng_between(g, 0, .05);
	h->oval_angle = hy_rng_between(g, -pi, pi);
	h->triangular = hy_rng_between(g, -.02, .02);
	h->septal_thickening = hy_rng_between(g, range->septum[0], range->septum[1]);
	h->rv_width = hy_rng_between(g, 1.15, 1.4);
	h->rv_skew = hy_rng_between(g, -.35, .35);
	h->rv_wall_mm = group == HY_HEART_RV ? hy_rng_between(g, 3.5, 5) : hy_rng_between(g, 2, 3);
	h->fat_mm = hy_rng_between(g, 2, 7);
	h->rotation = hy_rng_between(g, 155, 200) * pi / 180;
	h->drift_x = hy_rng_between(g, -.12, .12);
	h->drift_y = hy_rng_between(g, -.12, .12);
	for (int i = 0; i < 2; i++) {
		h->papillary_mm[i] = hy_rng_between(g, 3.2, 4.8);
		h->papillary_angle[i] = (i ? -1 : 1) * hy_rng_between(g, 110, 150) * pi / 180;
	}
	const double scar_angle = hy_rng_between(g, -pi, pi), scar_width = hy_rng_between(g, .6, 1.1);
	const double scar_from = hy_rng_between(g, .1, .45);
	h->scar_angle = scar_angle, h->scar_width = scar_width, h->scar_from = scar_from;
	if (group == HY_HEART_MINF) {
		h->scar_akinesia = hy_rng_between(g, .75, 1);
		h->scar_thinning = hy_rng_between(g, .3, .5);
	}

	const double edv = draw(g, range->edv), ef = draw(g, range->ef), mass = draw(g, range->mass);
	const double rv_edv = draw(g, range->rv_edv), rv_ef = draw(g, range->rv_ef);
	const double length = 84 * cbrt(edv / 130) * range->length * (1 + .04 * fmax(-2, fmin(2, hy_rng_normal(g))));
	const double half = .5 * pitch_mm, shortening = fmax(1, floor(draw(g, range->shortening) / half + .5)) * half;

	const hy_heart_volumes ed = {edv, rv_edv, mass / myocardial_density};
	/* muscle does not shrink: it thickens as it shortens */
	const hy_heart_volumes es = {edv * (1 - ef / 100), rv_edv * (1 - rv_ef / 100), ed.myocardium_ml};
	h->ed =
	    (hy_heart_pose){.apex_endo_mm = length, .radius_mm = 27, .wall_mm = 9, .rv_mm = 30, .flattening = range->flattening_ed};
	fit(h, &h->ed, &ed, half, false);
	h->es = h->ed;
	h->es.base_mm = shortening;
	h->es.radius_mm = .7 * h->ed.radius_mm;
	h->es.flattening = range->flattening_es;
	fit(h, &h->es, &es, half, true);
}

hy_heart_pose hy_heart_pose_at(const hy_heart *h, double t)
{
	const hy_heart_pose *a = &h->ed, *b = &h->es;
	if (t <= 0)
		return *a;
	if (t >= 1)
		return *b;
	return (hy_heart_pose){
	    .base_mm = a->base_mm + t * (b->base_mm - a->base_mm),
	    .apex_endo_mm = a->apex_endo_mm + t * (b->apex_endo_mm - a->apex_endo_mm),
	    .apex_epi_mm = a->apex_epi_mm + t * (b->apex_epi_mm - a->apex_epi_mm),
	    .radius_mm = a->radius_mm + t * (b->radius_mm - a->radius_mm),
	    .wall_mm = a->wall_mm + t * (b->wall_mm - a->wall_mm),
	    .rv_mm = a->rv_mm + t * (b->rv_mm - a->rv_mm),
	    .rv_base_mm = a->rv_base_mm + t * (b->rv_base_mm - a->rv_base_mm),
	    .flattening = a->flattening + t * (b->flattening - a->flattening),
	    .reference_radius_mm = a->reference_radius_mm,
	};
}

void hy_section_make(const hy_heart *h, const hy_heart_pose *p, double w, hy_section *s)
{
	const height f = height_at(h, p, w);
	double reach = 0;
	for (int i = 0; i < HY_PHANTOM_ANGLES; i++) {
		const double angle = 2 * pi * i / HY_PHANTOM_ANGLES;
		const outline o = outline_at(h, p, angle);
		const radii r = radii_at(h, p, &o, &f);
		const double wall = r.rv > r.epi ? r.rv + h->rv_wall_mm : r.epi;
		/* fat gathers in the grooves where the RV meets the LV, and over the RV */
		const double groove = fabs(wrap(angle)) - h->rv_width, fat = .35 + .65 * exp(-groove * groove / .18) + .3 * o.rv;
		const double outer = r.epi > 0 ? wall + h->fat_mm * fat : 0;
		s->endo[i] = (float)r.endo;
		s->epi[i] = (float)r.epi;
		s->rv[i] = (float)r.rv;
		s->outer[i] = (float)outer;
		s->tilt[i] = (float)o.tilt;
		reach = fmax(reach, outer);
	}
	s->endo[HY_PHANTOM_ANGLES] = s->endo[0];
	s->epi[HY_PHANTOM_ANGLES] = s->epi[0];
	s->rv[HY_PHANTOM_ANGLES] = s->rv[0];
	s->outer[HY_PHANTOM_ANGLES] = s->outer[0];
	s->tilt[HY_PHANTOM_ANGLES] = s->tilt[0];
	s->above_mm = (float)(w - p->base_mm);
	s->rv_base_mm = (float)p->rv_base_mm;
	s->centre_x = (float)(h->drift_x * (w - 40));
	s->centre_y = (float)(h->drift_y * (w - 40));
	s->turn = (float)(wrap(h->rotation) / (2 * pi) + (wrap(h->rotation) < 0 ? 1 : 0));
	s->rv_wall_mm = (float)h->rv_wall_mm;
	s->reach_mm = (float)reach;
	const double z = (w - p->base_mm) / (p->apex_endo_mm - p->base_mm), middle = 4 * (z - .2) * (.85 - z) / (.65 * .65);
	for (int i = 0; i < 2; i++) {
		const double angle = h->papillary_angle[i] + h->rotation;
		const double size = h->papillary_mm[i] * sqrt(fmax(0, fmin(1, 1.5 * middle)));
		const double at = fmax(0, .97 * p->radius_mm * f.endo - size - 1.5);
		s->papillary_mm[i] = (float)fmin(size, .45 * p->radius_mm * f.endo);
		s->papillary_x[i] = (float)(at * cos(angle));
		s->papillary_y[i] = (float)(at * sin(angle));
	}
}

/*
 * The direction of (x, y) in turns, 0 to 1; error below 1e-6 of a turn, far below what a table of 512 angles resolves. Called
 * for every sample of every slice, where the library's arc tangent took a third of the time.
 */
static float direction(float x, float y)
{
	const float ax = fabsf(x), ay = fabsf(y), large = ax > ay ? ax : ay, small = ax > ay ? ay : ax;
	const float z = large > 0 ? small / large : 0, q = z * z;
	/* minimax polynomial of atan(z) / (2 pi) on 0..1 */
	const float a =
	    z *
	    (0.159151325f + q * (-0.052938667f + q * (0.030803398f + q * (-0.018530866f + q * (0.008380036f - 0.001865488f * q)))));
	const float octant = ax > ay ? a : .25f - a, half = x < 0 ? .5f - octant : octant;
	return y < 0 ? 1 - half : half;
}

/* Where a point lies: its radius, and the section's radii in its direction. */
typedef struct place {
	float r, endo, epi, rv, outer, below_valve_mm;
} place;

static place locate(const hy_section *s, float dx, float dy)
{
	const float turn = direction(dx, dy) + 1 - s->turn, part = turn - (float)(int)turn;
	const float at = part * HY_PHANTOM_ANGLES;
	int i = (int)at;
	if (i >= HY_PHANTOM_ANGLES)
		i = HY_PHANTOM_ANGLES - 1;
	const float b = at - (float)i, a = 1 - b;
	place q;
	q.r = sqrtf(dx * dx + dy * dy);
	q.endo = a * s->endo[i] + b * s->endo[i + 1];
	q.epi = a * s->epi[i] + b * s->epi[i + 1];
	q.rv = a * s->rv[i] + b * s->rv[i + 1];
	q.outer = a * s->outer[i] + b * s->outer[i + 1];
	q.below_valve_mm = s->above_mm - q.r * (a * s->tilt[i] + b * s->tilt[i + 1]);
	if (q.r >= q.epi)
		q.below_valve_mm -= s->rv_base_mm;
	return q;
}

int hy_section_tissue(const hy_section *s, float x, float y)
{
	const float dx = x - s->centre_x, dy = y - s->centre_y;
	if (dx * dx + dy * dy >= s->reach_mm * s->reach_mm)
		return -1;
	const place q = locate(s, dx, dy);
	const bool valve = fabsf(q.below_valve_mm) < (float)HY_VALVE_HALF_MM, above = q.below_valve_mm < 0;
	if (q.r >= q.outer)
		return -1;
	if (q.r < q.endo) {
		for (int i = 0; i < 2 && !above; i++) {
			const float px = dx - s->papillary_x[i], py = dy - s->papillary_y[i];
			if (px * px + py * py < s->papillary_mm[i] * s->papillary_mm[i])
				return HY_TISSUE_MYOCARDIUM;
		}
		return valve ? HY_TISSUE_VALVE : HY_TISSUE_BLOOD_LEFT;
	}
	if (q.r < q.epi) /* above the valve the thick wall gives way to the thin one of the wider atrium */
		return !above || q.r > q.epi - 2 ? HY_TISSUE_MYOCARDIUM : HY_TISSUE_BLOOD_LEFT;
	if (q.r < q.rv)
		return valve ? HY_TISSUE_VALVE : HY_TISSUE_BLOOD_RIGHT;
	if (q.rv > q.epi && q.r < q.rv + s->rv_wall_mm)
		return HY_TISSUE_MYOCARDIUM;
	return HY_TISSUE_FAT;
}

static int label_of(const place *q)
{
	if (q->below_valve_mm < 0 || q->r >= q->rv)
		return 0;
	return q->r < q->endo ? 3 : q->r < q->epi ? 2 : 1;
}

int hy_section_label(const hy_section *s, float x, float y)
{
	const place q = locate(s, x - s->centre_x, y - s->centre_y);
	return label_of(&q);
}

/* Half the diagonal of a pixel, longer where the RV's outline runs along the ray: further than this from an outline, no need to
 * sample. */
static float clearance(const hy_section *s, float dx, float dy, float r, float pixel_mm)
{
	const float turn = direction(dx, dy) + 1 - s->turn, part = turn - (float)(int)turn;
	const int i = (int)(part * HY_PHANTOM_ANGLES) % HY_PHANTOM_ANGLES;
	const float arc = fmaxf(r, pixel_mm) * (float)(2 * pi / HY_PHANTOM_ANGLES);
	return pixel_mm * (.75f + fabsf(s->rv[i + 1] - s->rv[i]) / arc);
}

void hy_section_cover(const hy_section *s, float x, float y, float pixel_mm, uint8_t cover[3])
{
	const float dx = x - s->centre_x, dy = y - s->centre_y, reach = s->reach_mm + pixel_mm;
	cover[0] = cover[1] = cover[2] = 0;
	if (dx * dx + dy * dy > reach * reach)
		return;
	const place q = locate(s, dx, dy);
	const float clear = clearance(s, dx, dy, q.r, pixel_mm);
	int count[4] = {0};
	if (fabsf(q.below_valve_mm) > pixel_mm + fabsf(s->rv_base_mm) && fabsf(q.r - q.endo) > clear &&
	    fabsf(q.r - q.epi) > clear && fabsf(q.r - q.rv) > clear)
		count[label_of(&q)] = HY_COVER_FULL;
	else
		for (int j = 0; j < HY_COVER_SIDE; j++)
			for (int i = 0; i < HY_COVER_SIDE; i++)
				count[hy_section_label(s, x + (((float)i + .5f) / HY_COVER_SIDE - .5f) * pixel_mm,
				                       y + (((float)j + .5f) / HY_COVER_SIDE - .5f) * pixel_mm)]++;
	cover[0] = (uint8_t)count[3];
	cover[1] = (uint8_t)(count[3] + count[2]);
	cover[2] = (uint8_t)(count[3] + count[2] + count[1]);
}
