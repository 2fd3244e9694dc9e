/*
 * artefact.c: names, random draws and the entry to every artefact.
 */
#include "artefact/artefact.h"

#include "artefact/effects.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

static const struct {
	const char *name, *about;
	hardy_status (*apply)(const hy_artefact *a, const hy_block *b, hardy_error *err);
	double severity[HY_N_LEVELS];
} table[HY_N_ARTEFACTS] = {
    {"bias", "smooth brightness, the exponential of a random polynomial", hy_effect_bias, {.1, .3, .5, .7, .9}},
    {"ghosting", "faint copies along one axis", hy_effect_ghosting, {.2, .4, .6, .8, 1}},
    {"motion", "k-space put together from images before and after movements", hy_effect_motion, {2, 5, 10, 20, 30}},
    {"spike", "stripes from a single wrong sample of k-space", hy_effect_spike, {.2, .5, 1, 2, 3}},
    {"noise", "noise of a magnitude image (Rician)", hy_effect_noise, {.02, .05, .1, .15, .2}},
    {"blur", "Gaussian blur in the plane of the slices", hy_effect_blur, {1, 2, 3, 4, 5}},
    {"resolution", "fewer frequencies in the plane of the slices", hy_effect_resolution, {1.5, 2, 3, 4, 6}},
    {"contrast", "another grey scale (gamma)", hy_effect_contrast, {1.25, 1.6, 2, 2.5, 3.2}},
};

const char *hy_artefact_name(hy_artefact_kind kind)
{
	return (unsigned)kind < HY_N_ARTEFACTS ? table[kind].name : NULL;
}

bool hardy_artefact(size_t i, const char **name, const char **about)
{
	if (i >= HY_N_ARTEFACTS)
		return false;
	*name = table[i].name;
	*about = table[i].about;
	return true;
}

hardy_status hy_artefact_find(const char *name, hy_artefact_kind *kind, hardy_error *err)
{
	char known[256] = "";
	size_t used = 0;
	for (int i = 0; i < HY_N_ARTEFACTS; i++) {
		if (!strcmp(name, table[i].name)) {
			*kind = (hy_artefact_kind)i;
			return HARDY_OK;
		}
		used += (size_t)snprintf(known + used, sizeof known - used, i ? ", %s" : "%s", table[i].name);
	}
	return hy_fail(err, HARDY_ERROR_ARGUMENT, "unknown artefact '%s'%s; known are %s, and acdc-c for the first four", name,
	               hy_meant(name, strlen(name), known).text, known);
}

/* ---- blocks ------------------------------------------------------------------------------------------------------------- */

hy_block hy_block_of_scan(float *frame, const hy_grid *grid)
{
	hy_block b = {.data = frame, .n = {grid->nx, grid->ny, grid->nz}, .slice_axis = 2};
	memcpy(b.affine, grid->affine, sizeof b.affine);
	return b;
}

hy_block hy_block_of_stack(float *stack, int64_t n, int64_t height, int64_t width)
{
	return (hy_block){.data = stack,
	                  .n = {n, height, width},
	                  .last_fastest = true,
	                  .affine = {{1, 0, 0, 0}, {0, 1, 0, 0}, {0, 0, 1, 0}},
	                  .slice_axis = 0};
}

/* ---- draws -------------------------------------------------------------------------------------------------------------- */

hy_rng hy_artefact_stream(uint64_t seed, hy_artefact_kind kind, const char *subject, int64_t frame, int64_t copy)
{
	uint64_t hash = 0xcbf29ce484222325u; /* FNV-1a */
	for (const char *c = subject; *c; c++)
		hash = (hash ^ (unsigned char)*c) * 0x100000001b3u;
	return hy_rng_make(seed, HY_RNG_ARTEFACT, hash, (uint64_t)kind << 56 | (uint64_t)copy << 32 | (uint64_t)frame);
}

double hy_artefact_severity(hy_artefact_kind kind, int level)
{
	return table[kind].severity[(level < 1 ? 3 : level > HY_N_LEVELS ? HY_N_LEVELS : level) - 1];
}

static void draw_bias(hy_artefact *a, double range, hy_rng *g)
{
	a->bias.order = 3;
	for (int m = 0; m < 20; m++)
		a->bias.coefficients[m] = hy_rng_between(g, -range, range);
}

static void draw_ghosting(hy_artefact *a, const int64_t n[3], double intensity, hy_rng *g)
{
	a->ghosting.num_ghosts = 4 + (int64_t)hy_rng_below(g, 7);
	a->ghosting.axis = (int)hy_rng_below(g, n[2] == 1 ? 2 : 3);
	a->ghosting.intensity = intensity > 0 ? intensity : hy_rng_between(g, .5, 1);
	a->ghosting.restore = NAN;
}

/* Shaw et al., "MRI k-space motion artefact augmentation", MIDL 2019, as TorchIO draws it. */
static void draw_motion(hy_artefact *a, const int64_t n[3], double degrees, double mm, bool about_image, hy_rng *g)
{
	a->motion.n = 2;
	a->motion.about_image = about_image;
	for (int t = 0; t < 2; t++)
		for (int i = 0; i < 3; i++)
			a->motion.degrees[t][i] = hy_rng_between(g, -degrees, degrees);
	for (int t = 0; t < 2; t++)
		for (int i = 0; i < 3; i++)
			a->motion.translation[t][i] = hy_rng_between(g, -mm, mm);
	for (int t = 0; t < 2; t++) {
		a->motion.times[t] = (t + 1) / 3. + hy_rng_between(g, -.1, .1);
		if (n[2] == 1)
			a->motion.degrees[t][0] = a->motion.degrees[t][1] = a->motion.translation[t][2] = 0;
	}
}

static void draw_spike(hy_artefact *a, double intensity, hy_rng *g)
{
	a->spike.n = 1;
	a->spike.intensity = intensity > 0 ? intensity : hy_rng_between(g, 1, 3);
	for (int i = 0; i < 3; i++)
		a->spike.positions[0][i] = hy_rng_uniform(g);
}

hy_artefact hy_artefact_draw(hy_artefact_kind kind, int level, const int64_t n[3], bool about_image, hy_rng *g)
{
	hy_artefact a = {.kind = kind};
	const double severity = hy_artefact_severity(kind, level);
	switch (kind) {
	case HY_ARTEFACT_BIAS:
		draw_bias(&a, level ? severity : .5, g);
		break;
	case HY_ARTEFACT_GHOSTING:
		draw_ghosting(&a, n, level ? severity : 0, g);
		break;
	case HY_ARTEFACT_MOTION:
		draw_motion(&a, n, level ? severity : 30, level ? severity / 3 : 10, about_image, g);
		break;
	case HY_ARTEFACT_SPIKE:
		draw_spike(&a, level ? severity : 0, g);
		break;
	case HY_ARTEFACT_NOISE:
		a.noise.sd = severity;
		a.noise.seed = hy_rng_below(g, (uint64_t)1 << 53);
		break;
	case HY_ARTEFACT_BLUR:
		a.blur.sd_mm = severity;
		break;
	case HY_ARTEFACT_RESOLUTION:
		a.resolution.factor = severity;
		break;
	default: /* brighter or darker alike */
		a.contrast.gamma = hy_rng_below(g, 2) ? severity : 1 / severity;
		break;
	}
	return a;
}

/* ---- application -------------------------------------------------------------------------------------------------------- */

/* Voxels that are not finite, and the first of them. */
static int64_t count_bad(const hy_block *b, int64_t *first)
{
	const int64_t n = b->n[0] * b->n[1] * b->n[2];
	int64_t bad = 0;
#pragma omp parallel for reduction(+ : bad)
	for (int64_t i = 0; i < n; i++) {
		/* all exponent bits are set in infinities and NaNs alone; a sum of integers is a vector loop */
		uint32_t bits;
		memcpy(&bits, b->data + i, sizeof bits);
		bad += (bits & 0x7f800000u) == 0x7f800000u;
	}
	for (*first = 0; bad && isfinite(b->data[*first]);)
		++*first;
	return bad;
}

/* by: what was done to it; NULL */
static hardy_status check_finite(const hy_block *b, const char *by, hardy_error *err)
{
	int64_t first, at[3];
	const int64_t bad = count_bad(b, &first);
	if (!bad)
		return HARDY_OK;
	for (int i = 0; i < 3; i++) {
		const int axis = b->last_fastest ? 2 - i : i;
		at[axis] = first % b->n[axis];
		first /= b->n[axis];
	}
	return hy_fail(err, HARDY_ERROR_NUMERIC, "%s %s NaN or infinite%s%s%s, the first at (%lld, %lld, %lld), want finite ones",
	               HY_COUNT(bad, "voxel"), HY_IS(bad), by ? " after " : "", by ? by : "", by ? " with these parameters" : "",
	               (long long)at[0], (long long)at[1], (long long)at[2]);
}

hardy_status hy_artefact_apply(const hy_artefact *a, const hy_block *b, hardy_error *err)
{
	hardy_status status = check_finite(b, NULL, err);
	if (!status)
		status = table[a->kind].apply(a, b, err);
	if (!status)
		status = check_finite(b, table[a->kind].name, err);
	return status;
}
