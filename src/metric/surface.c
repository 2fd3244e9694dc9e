/*
 * surface.c: boxes, surface voxels and surface elements (see surface.h).
 */
#include "metric/surface.h"

#include "base/memory.h"

#include <string.h>

int64_t hy_surface_size(const hy_surface_grid *g)
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

hardy_status hy_surface_crop(const hy_object_pair *p, hy_surface_grid *out, hy_overlap *overlap, hardy_error *err)
{
	box b = find_box(p);
	int64_t margin[3] = {p->n_dims == 3 ? 1 : 0, 1, 1}, low[3], n[3];
	memset(out, 0, sizeof(*out));
	*overlap = (hy_overlap){0, 0, 0};
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
		return hy_fail_memory(err, "the box around two objects", (size_t)hy_surface_size(out), 1);
	for (int64_t z = 0; z < n[0]; z++) {
		for (int64_t y = 0; y < n[1]; y++) {
			size_t from = (size_t)(((z + low[0]) * p->n[1] + y + low[1]) * p->n[2] + low[2]);
			const uint8_t *pred = p->pred + from, *ref = p->ref + from;
			uint8_t *to = out->bits + ((z + margin[0]) * out->n[1] + y + 1) * out->n[2] + 1;
			int64_t n_pred = 0, n_ref = 0, n_both = 0;
			for (int64_t x = 0; x < n[2]; x++) {
				uint8_t in_pred = pred[x] == p->value, in_ref = ref[x] == p->value;
				to[x] = (uint8_t)(in_pred | in_ref << 1);
				n_pred += in_pred;
				n_ref += in_ref;
				n_both += in_pred & in_ref;
			}
			overlap->n_pred += n_pred;
			overlap->n_ref += n_ref;
			overlap->n_both += n_both;
		}
	}
	return HARDY_OK;
}

/* ---- surfaces ---- */

hardy_status hy_surface_voxels(const hy_surface_grid *g, int n_dims, hy_connectivity connectivity, hy_surface_grid *out,
                               hardy_error *err)
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
		return hy_fail_memory(err, "surface voxels", (size_t)hy_surface_size(g), 1);
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

hardy_status hy_surface_surfels(const hy_surface_grid *g, int n_dims, hy_surface_grid *out, uint16_t **codes, hardy_error *err)
{
	uint16_t full = n_dims == 3 ? 255 : 15;
	int64_t sy = g->n[2], sz = g->n[1] * g->n[2];
	*out = *g;
	out->n[0] -= n_dims == 3 ? 1 : 0;
	out->n[1] -= 1;
	out->n[2] -= 1;
	size_t size = (size_t)hy_surface_size(out);
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
				out->bits[i] = (uint8_t)((pred != 0 && pred != full ? HY_SURFACE_PRED : 0) |
				                         (ref != 0 && ref != full ? HY_SURFACE_REF : 0));
			}
		}
	}
	return HARDY_OK;
}
