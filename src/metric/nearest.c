/*
 * nearest.c: distance transform and search for the nearest surface element (see nearest.h).
 */
#include "metric/nearest.h"

#include "base/memory.h"

#include <math.h>

static int64_t max_i64(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* ---- distance transform ---- */

/* gap[x]: voxels along the row to the nearest with (bits & mask), n when there is none. */
static void row_gaps(const uint8_t *bits, uint8_t mask, int64_t n, int32_t *gap)
{
	int32_t g = (int32_t)n;
	for (int64_t x = 0; x < n; x++) {
		g = bits[x] & mask ? 0 : g + (g < n);
		gap[x] = g;
	}
	g = (int32_t)n;
	for (int64_t x = n - 1; x >= 0; x--) {
		g = bits[x] & mask ? 0 : g + (g < n);
		gap[x] = g < gap[x] ? g : gap[x];
	}
}

/* In place over a line of squared distances f[0], f[stride] ...: min over q of f[q] + (spacing (p - q))^2. */
static void envelope(double *f, int64_t n, int64_t stride, double spacing, double *value, double *start, int64_t *apex)
{
	int64_t k = -1;
	for (int64_t q = 0; q < n; q++) {
		double fq = f[q * stride];
		if (isinf(fq))
			continue;
		double cross = -INFINITY;
		while (k >= 0) {
			/* Where the parabola of q meets that of apex[k], in voxels. */
			double dq = (double)(q - apex[k]);
			cross = (fq - value[k]) / (2 * spacing * spacing * dq) + 0.5 * (double)(q + apex[k]);
			if (cross > start[k])
				break;
			k--;
			cross = -INFINITY;
		}
		k++;
		apex[k] = q;
		value[k] = fq;
		start[k] = cross;
	}
	if (k < 0)
		return;
	int64_t j = 0;
	for (int64_t p = 0; p < n; p++) {
		while (j < k && start[j + 1] < (double)p)
			j++;
		double step = spacing * (double)(p - apex[j]);
		f[p * stride] = value[j] + step * step;
	}
}

hardy_status hy_distance_transform(const uint8_t *feature, uint8_t mask, const int64_t n[3], const double spacing_mm[3],
                                   double *out, hardy_error *err)
{
	hardy_status status = HARDY_OK;
	size_t longest = (size_t)max_i64(n[0], max_i64(n[1], n[2])), size = (size_t)(n[0] * n[1] * n[2]);
	int32_t *gap = hy_alloc((size_t)n[2], sizeof(*gap));
	double *value = hy_alloc(longest, sizeof(*value)), *start = hy_alloc(longest, sizeof(*start));
	int64_t *apex = hy_alloc(longest, sizeof(*apex));
	if (!gap || !value || !start || !apex) {
		status = hy_fail_memory(err, "distance transform", longest, sizeof(*value));
		goto out;
	}
	for (int64_t row = 0; row < n[0] * n[1]; row++) {
		row_gaps(feature + row * n[2], mask, n[2], gap);
		for (int64_t x = 0; x < n[2]; x++) {
			double d = (double)gap[x] * spacing_mm[2];
			out[row * n[2] + x] = gap[x] == n[2] ? INFINITY : d * d;
		}
	}
	if (n[1] > 1)
		for (int64_t z = 0; z < n[0]; z++)
			for (int64_t x = 0; x < n[2]; x++)
				envelope(out + z * n[1] * n[2] + x, n[1], n[2], spacing_mm[1], value, start, apex);
	if (n[0] > 1)
		for (int64_t i = 0; i < n[1] * n[2]; i++)
			envelope(out + i, n[0], n[1] * n[2], spacing_mm[0], value, start, apex);
	for (size_t i = 0; i < size; i++)
		out[i] = sqrt(out[i]);
out:
	hy_free(gap);
	hy_free(value);
	hy_free(start);
	hy_free(apex);
	return status;
}

/* ---- directed distances ---- */

/* What the search for the nearest element needs of the surface searched in. */
typedef struct searcher {
	const hy_surface_grid *g;
	int32_t *gap;      /* owned, one a position: row_gaps */
	double *square[3]; /* owned; square[a][k] = (k spacing_a)^2, square[2][n] infinite */
	double *map;       /* owned; the distance transform once the budget is spent, else NULL */
	uint8_t mask;      /* bit of the surface */
	int64_t budget;    /* looks that are left */
} searcher;

static void searcher_clear(searcher *s)
{
	hy_free(s->gap);
	for (int a = 0; a < 3; a++)
		hy_free(s->square[a]);
	hy_free(s->map);
}

static hardy_status searcher_init(searcher *s, const hy_surface_grid *g, uint8_t mask, hardy_error *err)
{
	/* A transform costs about as much a position as ten looks. */
	*s = (searcher){.g = g, .mask = mask, .budget = 10 * hy_surface_size(g)};
	s->gap = hy_alloc((size_t)hy_surface_size(g), sizeof(*s->gap));
	if (!s->gap)
		return hy_fail_memory(err, "distances between surfaces", (size_t)hy_surface_size(g), sizeof(*s->gap));
	for (int a = 0; a < 3; a++) {
		s->square[a] = hy_alloc((size_t)g->n[a] + 1, sizeof(double));
		if (!s->square[a])
			return hy_fail_memory(err, "distances between surfaces", (size_t)g->n[a] + 1, sizeof(double));
		for (int64_t k = 0; k <= g->n[a]; k++) {
			double d = (double)k * g->spacing_mm[a];
			s->square[a][k] = d * d;
		}
	}
	s->square[2][g->n[2]] = INFINITY;
	for (int64_t row = 0; row < g->n[0] * g->n[1]; row++)
		row_gaps(g->bits + row * g->n[2], mask, g->n[2], s->gap + row * g->n[2]);
	return HARDY_OK;
}

/* Least squared distance within plane z2, offset_z2 = its squared distance along axis 0; starts from best. */
static double search_plane(searcher *s, double best, double square_z, int64_t z2, int64_t y, int64_t x)
{
	const hy_surface_grid *g = s->g;
	const int32_t *gap = s->gap + z2 * g->n[1] * g->n[2] + x;
	int64_t reach = max_i64(y, g->n[1] - 1 - y), dy = 0;
	for (; dy <= reach; dy++) {
		double near = square_z + s->square[1][dy];
		if (near >= best)
			break;
		if (y - dy >= 0) {
			double d = near + s->square[2][gap[(y - dy) * g->n[2]]];
			best = d < best ? d : best;
		}
		if (dy > 0 && y + dy < g->n[1]) {
			double d = near + s->square[2][gap[(y + dy) * g->n[2]]];
			best = d < best ? d : best;
		}
	}
	s->budget -= 2 * dy + 1;
	return best;
}

/* Distance in mm from a position to the surface; all axes from near to far. Sums run in axis order. */
static double search(searcher *s, int64_t z, int64_t y, int64_t x)
{
	int64_t reach = max_i64(z, s->g->n[0] - 1 - z);
	double best = INFINITY;
	for (int64_t dz = 0; dz <= reach; dz++) {
		double square_z = s->square[0][dz];
		if (square_z >= best)
			break;
		if (z - dz >= 0)
			best = search_plane(s, best, square_z, z - dz, y, x);
		if (dz > 0 && z + dz < s->g->n[0])
			best = search_plane(s, best, square_z, z + dz, y, x);
	}
	return sqrt(best);
}

hardy_status hy_nearest_distances(const hy_surface_grid *g, uint8_t from_bit, uint8_t to_bit, double *out, hardy_error *err)
{
	searcher s;
	hardy_status status = searcher_init(&s, g, to_bit, err);
	if (status != HARDY_OK)
		goto out;
	const uint8_t *bits = g->bits;
	for (int64_t z = 0; z < g->n[0]; z++) {
		for (int64_t y = 0; y < g->n[1]; y++, bits += g->n[2]) {
			for (int64_t x = 0; x < g->n[2]; x++) {
				if (!(bits[x] & from_bit))
					continue;
				if (bits[x] & to_bit) {
					*out++ = 0;
					continue;
				}
				if (s.budget < 0 && !s.map) {
					s.map = hy_alloc((size_t)hy_surface_size(g), sizeof(double));
					if (!s.map)
						status = hy_fail_memory(err, "distance transform", (size_t)hy_surface_size(g), sizeof(double));
					else
						status = hy_distance_transform(g->bits, to_bit, g->n, g->spacing_mm, s.map, err);
					if (status != HARDY_OK)
						goto out;
				}
				*out++ = s.map ? s.map[bits + x - g->bits] : search(&s, z, y, x);
			}
		}
	}
out:
	searcher_clear(&s);
	return status;
}
