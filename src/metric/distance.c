/*
 * distance.c: surfaces and the distances between them (see distance.h).
 *
 * Everything happens in the box around both objects. Both objects share one byte a voxel (bit 0 the prediction, bit 1 the
 * reference), so that one pass of byte operations finds both surfaces. A surface element's distance is then looked for from
 * near to far among rows of the other surface, which ends after a few rows where surfaces are close, as they are in a useful
 * segmentation; where they are not, a budget stops the search and the whole distance transform answers the rest.
 */
#include "metric/distance.h"

#include "base/memory.h"
#include "metric/statistics.h"
#include "metric/surfel.h"

#include <math.h>
#include <string.h>

enum { PRED = 1, REF = 2, BOTH = 3 };

/* A grid of positions, one byte each, with bits PRED and REF. */
typedef struct grid {
	int64_t n[3];
	double spacing_mm[3];
	uint8_t *bits; /* owned */
} grid;

static int64_t grid_size(const grid *g)
{
	return g->n[0] * g->n[1] * g->n[2];
}

static int64_t min_i64(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

static int64_t max_i64(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* ---- the box around both objects ---- */

typedef struct box {
	int64_t low[3], high[3]; /* inclusive; low > high when there is no object */
} box;

static void box_add_row(box *b, const uint8_t *row, int64_t n, uint8_t value, int64_t z, int64_t y)
{
	const uint8_t *first = memchr(row, value, (size_t)n);
	if (!first)
		return;
	int64_t x = n - 1;
	while (row[x] != value)
		x--;
	b->low[0] = min_i64(b->low[0], z);
	b->high[0] = max_i64(b->high[0], z);
	b->low[1] = min_i64(b->low[1], y);
	b->high[1] = max_i64(b->high[1], y);
	b->low[2] = min_i64(b->low[2], first - row);
	b->high[2] = max_i64(b->high[2], x);
}

static box find_box(const hy_object_pair *p)
{
	box b = {{INT64_MAX, INT64_MAX, INT64_MAX}, {-1, -1, -1}};
	for (int64_t z = 0; z < p->n[0]; z++) {
		for (int64_t y = 0; y < p->n[1]; y++) {
			size_t at = (size_t)((z * p->n[1] + y) * p->n[2]);
			box_add_row(&b, p->pred + at, p->n[2], p->value, z, y);
			box_add_row(&b, p->ref + at, p->n[2], p->value, z, y);
		}
	}
	return b;
}

/* Both objects in their box with a margin of one background voxel (none along axis 0 in 2-D), and their sizes. */
static hardy_status crop(const hy_object_pair *p, grid *out, int64_t n_voxels[2], hardy_error *err)
{
	box b = find_box(p);
	int64_t margin[3] = {p->n_dims == 3 ? 1 : 0, 1, 1}, low[3], n[3];
	memset(out, 0, sizeof(*out));
	n_voxels[0] = n_voxels[1] = 0;
	if (b.high[0] < 0)
		return HARDY_OK;
	for (int a = 0; a < 3; a++) {
		low[a] = b.low[a];
		n[a] = b.high[a] - b.low[a] + 1;
		out->n[a] = n[a] + 2 * margin[a];
		out->spacing_mm[a] = p->spacing_mm[a];
	}
	out->bits = hy_calloc((size_t)(out->n[0] * out->n[1]), (size_t)out->n[2]);
	if (!out->bits)
		return hy_fail_memory(err, "the box around two objects", (size_t)grid_size(out), 1);
	for (int64_t z = 0; z < n[0]; z++) {
		for (int64_t y = 0; y < n[1]; y++) {
			size_t from = (size_t)(((z + low[0]) * p->n[1] + y + low[1]) * p->n[2] + low[2]);
			const uint8_t *pred = p->pred + from, *ref = p->ref + from;
			uint8_t *to = out->bits + ((z + margin[0]) * out->n[1] + y + 1) * out->n[2] + 1;
			int64_t n_pred = 0, n_ref = 0;
			for (int64_t x = 0; x < n[2]; x++) {
				uint8_t in_pred = pred[x] == p->value, in_ref = ref[x] == p->value;
				to[x] = (uint8_t)(in_pred | in_ref << 1);
				n_pred += in_pred;
				n_ref += in_ref;
			}
			n_voxels[0] += n_pred;
			n_voxels[1] += n_ref;
		}
	}
	return HARDY_OK;
}

/* ---- surfaces ---- */

/* The surface voxels of both objects of a cropped grid, on the same grid. */
static hardy_status find_surface_voxels(const grid *g, int n_dims, hy_connectivity connectivity, grid *out, hardy_error *err)
{
	int64_t sy = g->n[2], sz = g->n[1] * g->n[2], offset[18];
	int n_offsets = 0;
	for (int dz = n_dims == 3 ? -1 : 0; dz <= (n_dims == 3 ? 1 : 0); dz++)
		for (int dy = -1; dy <= 1; dy++)
			for (int dx = -1; dx <= 1; dx++) {
				int steps = (dz != 0) + (dy != 0) + (dx != 0);
				if (steps > 0 && steps <= (int)connectivity)
					offset[n_offsets++] = dz * sz + dy * sy + dx;
			}
	*out = *g;
	out->bits = hy_calloc((size_t)(g->n[0] * g->n[1]), (size_t)g->n[2]);
	if (!out->bits)
		return hy_fail_memory(err, "surface voxels", (size_t)grid_size(g), 1);
	int64_t z0 = n_dims == 3 ? 1 : 0;
	for (int64_t z = z0; z < g->n[0] - z0; z++) {
		for (int64_t y = 1; y < g->n[1] - 1; y++) {
			const uint8_t *m = g->bits + z * sz + y * sy;
			uint8_t *s = out->bits + z * sz + y * sy;
			if (n_dims == 3 && connectivity == HY_CONNECTIVITY_FACE) {
				for (int64_t x = 1; x < g->n[2] - 1; x++)
					s[x] = (uint8_t)(m[x] & ~(m[x - 1] & m[x + 1] & m[x - sy] & m[x + sy] & m[x - sz] & m[x + sz]));
				continue;
			}
			for (int64_t x = 1; x < g->n[2] - 1; x++) {
				uint8_t inside = m[x];
				for (int k = 0; k < n_offsets; k++)
					inside &= m[x + offset[k]];
				s[x] = (uint8_t)(m[x] & ~inside);
			}
		}
	}
	return HARDY_OK;
}

/* Neighbourhood codes of a corner for both objects, packed: code of the prediction in bits 0..7, of the reference in 8..15. */
static uint16_t corner_codes(const uint8_t *m, int64_t sy, int64_t sz, int n_dims)
{
	uint16_t pred = 0, ref = 0;
	for (int64_t z = 0; z < (n_dims == 3 ? 2 : 1); z++) {
		for (int64_t y = 0; y < 2; y++) {
			for (int64_t x = 0; x < 2; x++) {
				uint8_t v = m[z * sz + y * sy + x];
				pred = (uint16_t)(pred << 1 | (v & 1));
				ref = (uint16_t)(ref << 1 | v >> 1);
			}
		}
	}
	return (uint16_t)(ref << 8 | pred);
}

/* The surface elements of both objects on the grid of voxel corners; *codes (owned by the caller) holds corner_codes. */
static hardy_status find_surfels(const grid *g, int n_dims, grid *out, uint16_t **codes, hardy_error *err)
{
	uint16_t full = n_dims == 3 ? 255 : 15;
	int64_t sy = g->n[2], sz = g->n[1] * g->n[2];
	*out = *g;
	out->n[0] -= n_dims == 3 ? 1 : 0;
	out->n[1] -= 1;
	out->n[2] -= 1;
	size_t size = (size_t)grid_size(out);
	out->bits = hy_calloc(size, 1);
	*codes = hy_calloc(size, sizeof(**codes));
	if (!out->bits || !*codes)
		return hy_fail_memory(err, "surface elements", size, 1 + sizeof(**codes));
	size_t i = 0;
	for (int64_t z = 0; z < out->n[0]; z++) {
		for (int64_t y = 0; y < out->n[1]; y++) {
			for (int64_t x = 0; x < out->n[2]; x++, i++) {
				uint16_t c = corner_codes(g->bits + z * sz + y * sy + x, sy, sz, n_dims);
				uint16_t pred = c & 255, ref = c >> 8;
				(*codes)[i] = c;
				out->bits[i] = (uint8_t)((pred != 0 && pred != full ? PRED : 0) | (ref != 0 && ref != full ? REF : 0));
			}
		}
	}
	return HARDY_OK;
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
	const grid *g;
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

static hardy_status searcher_init(searcher *s, const grid *g, uint8_t mask, hardy_error *err)
{
	/* A transform costs about as much a position as ten looks. */
	*s = (searcher){.g = g, .mask = mask, .budget = 10 * grid_size(g)};
	s->gap = hy_alloc((size_t)grid_size(g), sizeof(*s->gap));
	if (!s->gap)
		return hy_fail_memory(err, "distances between surfaces", (size_t)grid_size(g), sizeof(*s->gap));
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
	const grid *g = s->g;
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

/* From every position with from_bit to the surface `to`, in the order of positions. */
static hardy_status directed(const grid *g, uint8_t from_bit, uint8_t to_bit, double *out, hardy_error *err)
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
					s.map = hy_alloc((size_t)grid_size(g), sizeof(double));
					if (!s.map)
						status = hy_fail_memory(err, "distance transform", (size_t)grid_size(g), sizeof(double));
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

static size_t count_bit(const grid *g, uint8_t bit)
{
	size_t n = 0;
	for (int64_t i = 0; i < grid_size(g); i++)
		n += (g->bits[i] & bit) != 0;
	return n;
}

static void fill_infinite(double *v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		v[i] = INFINITY;
}

/* Distances both ways on a grid of surface elements. */
static hardy_status measure(const grid *surface, hy_surface_distances *d, hardy_error *err)
{
	d->n_pred = count_bit(surface, PRED);
	d->n_ref = count_bit(surface, REF);
	d->pred_to_ref = hy_alloc(d->n_pred, sizeof(double));
	d->ref_to_pred = hy_alloc(d->n_ref, sizeof(double));
	if (!d->pred_to_ref || !d->ref_to_pred)
		return hy_fail_memory(err, "surface distances", d->n_pred + d->n_ref, sizeof(double));
	if (d->n_pred == 0 || d->n_ref == 0) {
		fill_infinite(d->pred_to_ref, d->n_pred);
		fill_infinite(d->ref_to_pred, d->n_ref);
		return HARDY_OK;
	}
	hardy_status status = directed(surface, PRED, REF, d->pred_to_ref, err);
	return status == HARDY_OK ? directed(surface, REF, PRED, d->ref_to_pred, err) : status;
}

static hardy_status check_pair(const hy_object_pair *p, hardy_error *err)
{
	if ((p->n_dims != 2 && p->n_dims != 3) || (p->n_dims == 2 && p->n[0] != 1))
		return hy_fail(err, HARDY_ERROR_ARGUMENT,
		               "surface distances: %d dimensions with %lld planes, want 3, or 2 with 1 plane", p->n_dims,
		               (long long)p->n[0]);
	for (int a = p->n_dims == 3 ? 0 : 1; a < 3; a++)
		if (p->n[a] < 1 || p->n[a] >= INT32_MAX || !(p->spacing_mm[a] > 0) || !isfinite(p->spacing_mm[a]))
			return hy_fail(err, HARDY_ERROR_ARGUMENT,
			               "surface distances: axis %d has %lld voxels of %g mm, want 1 or more above 0 mm", a,
			               (long long)p->n[a], p->spacing_mm[a]);
	return HARDY_OK;
}

hardy_status hy_distance_voxels(const hy_object_pair *pair, hy_connectivity connectivity, hy_surface_distances *out,
                                hardy_error *err)
{
	hy_surface_distances d = {0};
	grid objects = {0}, surface = {0};
	int64_t n_voxels[2];
	hardy_status status = check_pair(pair, err);
	if (status == HARDY_OK)
		status = crop(pair, &objects, n_voxels, err);
	if (status == HARDY_OK && objects.bits)
		status = find_surface_voxels(&objects, pair->n_dims, connectivity, &surface, err);
	if (status == HARDY_OK)
		status = measure(&surface, &d, err);
	hy_free(objects.bits);
	hy_free(surface.bits);
	if (status != HARDY_OK) {
		hy_distance_clear(&d);
		return status;
	}
	d.n_pred_voxels = n_voxels[0];
	d.n_ref_voxels = n_voxels[1];
	*out = d;
	return HARDY_OK;
}

/* The sizes of the elements of both surfaces, in the order of measure. */
static hardy_status weigh(const grid *surface, const uint16_t *codes, int n_dims, hy_surface_distances *d, hardy_error *err)
{
	double size[256] = {0};
	if (n_dims == 3)
		hy_surfel_areas(surface->spacing_mm, size);
	else
		hy_surfel_lengths(surface->spacing_mm + 1, size);
	d->pred_weight = hy_alloc(d->n_pred, sizeof(double));
	d->ref_weight = hy_alloc(d->n_ref, sizeof(double));
	if (!d->pred_weight || !d->ref_weight)
		return hy_fail_memory(err, "surface element sizes", d->n_pred + d->n_ref, sizeof(double));
	double *pred = d->pred_weight, *ref = d->ref_weight;
	for (int64_t i = 0; i < grid_size(surface); i++) {
		if (surface->bits[i] & PRED)
			*pred++ = size[codes[i] & 255];
		if (surface->bits[i] & REF)
			*ref++ = size[codes[i] >> 8];
	}
	return HARDY_OK;
}

hardy_status hy_distance_surfels(const hy_object_pair *pair, hy_surface_distances *out, hardy_error *err)
{
	hy_surface_distances d = {0};
	grid objects = {0}, surface = {0};
	uint16_t *codes = NULL;
	int64_t n_voxels[2];
	hardy_status status = check_pair(pair, err);
	if (status == HARDY_OK)
		status = crop(pair, &objects, n_voxels, err);
	if (status == HARDY_OK && objects.bits)
		status = find_surfels(&objects, pair->n_dims, &surface, &codes, err);
	if (status == HARDY_OK)
		status = measure(&surface, &d, err);
	if (status == HARDY_OK)
		status = weigh(&surface, codes, pair->n_dims, &d, err);
	hy_free(objects.bits);
	hy_free(surface.bits);
	hy_free(codes);
	if (status != HARDY_OK) {
		hy_distance_clear(&d);
		return status;
	}
	d.n_pred_voxels = n_voxels[0];
	d.n_ref_voxels = n_voxels[1];
	*out = d;
	return HARDY_OK;
}

void hy_distance_clear(hy_surface_distances *d)
{
	hy_free(d->pred_to_ref);
	hy_free(d->ref_to_pred);
	hy_free(d->pred_weight);
	hy_free(d->ref_weight);
	memset(d, 0, sizeof(*d));
}

/* ---- what is made of the distances ---- */

static bool is_empty(const hy_surface_distances *d)
{
	return d->n_pred == 0 || d->n_ref == 0;
}

static double sum(const double *v, size_t n)
{
	double s = 0;
	for (size_t i = 0; i < n; i++)
		s += v[i];
	return s;
}

static double largest(const double *v, size_t n)
{
	double m = 0;
	for (size_t i = 0; i < n; i++)
		m = v[i] > m ? v[i] : m;
	return m;
}

double hy_distance_hd(const hy_surface_distances *d)
{
	return is_empty(d) ? NAN : fmax(largest(d->pred_to_ref, d->n_pred), largest(d->ref_to_pred, d->n_ref));
}

hardy_status hy_distance_hd_pooled(const hy_surface_distances *d, double q, double *out, hardy_error *err)
{
	if (is_empty(d)) {
		*out = NAN;
		return HARDY_OK;
	}
	double *pool = hy_alloc(d->n_pred + d->n_ref, sizeof(*pool));
	if (!pool)
		return hy_fail_memory(err, "surface distances", d->n_pred + d->n_ref, sizeof(*pool));
	memcpy(pool, d->pred_to_ref, d->n_pred * sizeof(*pool));
	memcpy(pool + d->n_pred, d->ref_to_pred, d->n_ref * sizeof(*pool));
	*out = hy_quantile(pool, d->n_pred + d->n_ref, q);
	hy_free(pool);
	return HARDY_OK;
}

hardy_status hy_distance_hd_directed(const hy_surface_distances *d, double q, double *out, hardy_error *err)
{
	if (is_empty(d)) {
		*out = NAN;
		return HARDY_OK;
	}
	size_t most = d->n_pred > d->n_ref ? d->n_pred : d->n_ref;
	double *copy = hy_alloc(most, sizeof(*copy));
	if (!copy)
		return hy_fail_memory(err, "surface distances", most, sizeof(*copy));
	memcpy(copy, d->pred_to_ref, d->n_pred * sizeof(*copy));
	double pred = hy_quantile(copy, d->n_pred, q);
	memcpy(copy, d->ref_to_pred, d->n_ref * sizeof(*copy));
	double ref = hy_quantile(copy, d->n_ref, q);
	*out = fmax(pred, ref);
	hy_free(copy);
	return HARDY_OK;
}

typedef struct weighted {
	double distance, weight;
} weighted;

static int compare_weighted(const void *a, const void *b)
{
	const weighted *p = a, *q = b;
	if (p->distance != q->distance)
		return p->distance < q->distance ? -1 : 1;
	return (p->weight > q->weight) - (p->weight < q->weight);
}

/* The first distance at which the elements up to it have at least the share q of the whole weight. */
static hardy_status weighted_quantile(const double *distance, const double *weight, size_t n, double q, double *out,
                                      hardy_error *err)
{
	weighted *w = hy_alloc(n, sizeof(*w));
	if (!w)
		return hy_fail_memory(err, "surface distances", n, sizeof(*w));
	for (size_t i = 0; i < n; i++)
		w[i] = (weighted){distance[i], weight[i]};
	qsort(w, n, sizeof(*w), compare_weighted);
	double total = sum(weight, n), part = 0;
	size_t i = 0;
	while (i + 1 < n && (part += w[i].weight) / total < q)
		i++;
	*out = w[i].distance;
	hy_free(w);
	return HARDY_OK;
}

hardy_status hy_distance_hd_weighted(const hy_surface_distances *d, double q, double *out, hardy_error *err)
{
	double pred, ref;
	if (is_empty(d)) {
		*out = INFINITY;
		return HARDY_OK;
	}
	hardy_status status = weighted_quantile(d->pred_to_ref, d->pred_weight, d->n_pred, q, &pred, err);
	if (status == HARDY_OK)
		status = weighted_quantile(d->ref_to_pred, d->ref_weight, d->n_ref, q, &ref, err);
	if (status == HARDY_OK)
		*out = fmax(pred, ref);
	return status;
}

double hy_distance_asd(const hy_surface_distances *d)
{
	return is_empty(d) ? NAN : sum(d->pred_to_ref, d->n_pred) / (double)d->n_pred;
}

double hy_distance_asd_reverse(const hy_surface_distances *d)
{
	return is_empty(d) ? NAN : sum(d->ref_to_pred, d->n_ref) / (double)d->n_ref;
}

double hy_distance_assd(const hy_surface_distances *d)
{
	if (is_empty(d))
		return NAN;
	return (sum(d->pred_to_ref, d->n_pred) + sum(d->ref_to_pred, d->n_ref)) / (double)(d->n_pred + d->n_ref);
}

double hy_distance_assd_directed(const hy_surface_distances *d)
{
	return 0.5 * (hy_distance_asd(d) + hy_distance_asd_reverse(d));
}

static void add_within(const double *distance, const double *weight, size_t n, double tolerance, double *within, double *whole)
{
	for (size_t i = 0; i < n; i++) {
		double w = weight ? weight[i] : 1;
		*whole += w;
		*within += distance[i] <= tolerance ? w : 0;
	}
}

double hy_distance_nsd(const hy_surface_distances *d, double tolerance_mm)
{
	double within = 0, whole = 0;
	add_within(d->pred_to_ref, d->pred_weight, d->n_pred, tolerance_mm, &within, &whole);
	add_within(d->ref_to_pred, d->ref_weight, d->n_ref, tolerance_mm, &within, &whole);
	return whole == 0 ? NAN : within / whole;
}

hardy_status hy_distance_hd_stack(const hy_object_pair *pair, hy_connectivity connectivity, double *out, int64_t *n_slices,
                                  hardy_error *err)
{
	double total = 0;
	int64_t n = 0;
	for (int64_t z = 0; z < pair->n[0]; z++) {
		hy_object_pair slice = *pair;
		hy_surface_distances d;
		slice.pred += z * pair->n[1] * pair->n[2];
		slice.ref += z * pair->n[1] * pair->n[2];
		slice.n_dims = 2;
		slice.n[0] = 1;
		hardy_status status = hy_distance_voxels(&slice, connectivity, &d, err);
		if (status != HARDY_OK)
			return status;
		double hd = hy_distance_hd(&d);
		if (!isnan(hd)) {
			total += hd;
			n++;
		}
		hy_distance_clear(&d);
	}
	*out = n > 0 ? total / (double)n : NAN;
	if (n_slices)
		*n_slices = n;
	return HARDY_OK;
}
