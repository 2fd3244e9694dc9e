/*
 * order.c: the 48 orders in which the voxels of a box can be counted.
 */
#include "image/order.h"

#include "base/memory.h"
#include "image/geometry.h"

#include <math.h>
#include <string.h>

static const hy_order identity = {{0, 1, 2}, {false, false, false}};

enum { N_ORDERS = 48 };

/* Number 0 is the identity. */
static hy_order order_of(int number)
{
	static const int axes[6][3] = {{0, 1, 2}, {1, 0, 2}, {0, 2, 1}, {2, 1, 0}, {1, 2, 0}, {2, 0, 1}};
	hy_order o;
	for (int k = 0; k < 3; k++) {
		o.axis[k] = axes[number / 8][k];
		o.flip[k] = number >> k & 1;
	}
	return o;
}

bool hy_order_same(const hy_order *a, const hy_order *b)
{
	bool same = true;
	for (int k = 0; k < 3; k++)
		same = same && a->axis[k] == b->axis[k] && a->flip[k] == b->flip[k];
	return same;
}

bool hy_order_is_identity(const hy_order *o)
{
	return hy_order_same(o, &identity);
}

static void sizes(const hy_grid *g, int64_t n[3])
{
	n[0] = g->nx;
	n[1] = g->ny;
	n[2] = g->nz;
}

hy_grid hy_order_grid(const hy_order *o, const hy_grid *g)
{
	hy_grid out = *g;
	int64_t n[3];
	sizes(g, n);
	out.nx = n[o->axis[0]];
	out.ny = n[o->axis[1]];
	out.nz = n[o->axis[2]];
	for (int k = 0; k < 3; k++) {
		const int a = o->axis[k];
		out.spacing_mm[k] = g->spacing_mm[a];
		for (int r = 0; r < 3; r++) {
			out.affine[r][k] = o->flip[k] ? -g->affine[r][a] : g->affine[r][a];
			if (o->flip[k])
				out.affine[r][3] += g->affine[r][a] * (double)(n[a] - 1);
		}
	}
	return out;
}

double hy_order_between(const hy_grid *from, const hy_grid *to, hy_order *o)
{
	static const double equal_mm = 1e-3;
	double least = INFINITY;
	*o = identity;
	for (int i = 0; i < N_ORDERS; i++) {
		const hy_order tried = order_of(i);
		const hy_grid g = hy_order_grid(&tried, from);
		if (g.nx != to->nx || g.ny != to->ny || g.nz != to->nz)
			continue;
		const double apart = hy_grid_difference_mm(&g, to);
		if (apart < least - equal_mm || (isinf(least) && isfinite(apart))) {
			least = apart;
			*o = tried;
		}
	}
	return least;
}

/* Steps through the old voxels that go with one step along each new axis, and where the new first voxel lies. */
static int64_t steps_of(const hy_order *o, const hy_grid *g, int64_t step[3])
{
	int64_t n[3], first = 0;
	sizes(g, n);
	const int64_t stride[3] = {1, n[0], n[0] * n[1]};
	for (int k = 0; k < 3; k++) {
		const int a = o->axis[k];
		step[k] = o->flip[k] ? -stride[a] : stride[a];
		first += o->flip[k] ? stride[a] * (n[a] - 1) : 0;
	}
	return first;
}

/* Copies between a volume in the old order and one in the new. */
static void copy_voxels(const hy_order *o, const hy_grid *g, int64_t n, size_t size, const char *from, char *to, bool back)
{
	int64_t step[3];
	const int64_t first = steps_of(o, g, step), voxels = hy_grid_voxels(g);
	const hy_grid new = hy_order_grid(o, g);
	for (int64_t t = 0; t < n; t++) {
		int64_t at = t * voxels;
		for (int64_t z = 0; z < new.nz; z++)
			for (int64_t y = 0; y < new.ny; y++)
				for (int64_t x = 0; x < new.nx; x++, at++) {
					const int64_t old = t * voxels + first + x * step[0] + y * step[1] + z * step[2];
					const int64_t a = back ? at : old, b = back ? old : at;
					memcpy(to + (size_t)b * size, from + (size_t)a * size, size);
				}
	}
}

void hy_order_voxels(const hy_order *o, const hy_grid *g, int64_t n, size_t size, const void *data, void *out)
{
	copy_voxels(o, g, n, size, data, out, false);
}

void hy_order_voxels_back(const hy_order *o, const hy_grid *g, int64_t n, size_t size, const void *data, void *out)
{
	copy_voxels(o, g, n, size, data, out, true);
}

const uint8_t *hy_order_labels(const hy_order *o, const hy_grid *g, const uint8_t *labels, uint8_t **own)
{
	*own = NULL;
	if (hy_order_is_identity(o))
		return labels;
	*own = hy_alloc((size_t)hy_grid_voxels(g), 1);
	if (*own)
		hy_order_voxels(o, g, 1, 1, labels, *own);
	return *own;
}

hardy_status hy_labels_reorder(hy_labels *l, const hy_order *o, hardy_error *err)
{
	if (hy_order_is_identity(o))
		return HARDY_OK;
	const size_t n = (size_t)hy_grid_voxels(&l->grid);
	uint8_t *data = hy_alloc(n, 1);
	if (!data)
		return hy_fail_memory(err, "a label map", n, 1);
	hy_order_voxels(o, &l->grid, 1, 1, l->data, data);
	hy_free(l->data);
	l->data = data;
	l->grid = hy_order_grid(o, &l->grid);
	return HARDY_OK;
}

hardy_status hy_volume_reorder(hy_volume *v, const hy_order *o, hardy_error *err)
{
	if (hy_order_is_identity(o))
		return HARDY_OK;
	const size_t n = (size_t)(hy_grid_voxels(&v->grid) * v->nt);
	float *data = hy_alloc(n, sizeof *data);
	if (!data)
		return hy_fail_memory(err, "a volume", n, sizeof *data);
	hy_order_voxels(o, &v->grid, v->nt, sizeof *data, v->data, data);
	hy_free(v->data);
	v->data = data;
	v->grid = hy_order_grid(o, &v->grid);
	return HARDY_OK;
}

int hy_stack_axis(const hy_grid *g)
{
	static const double clearly = 1.3;
	for (int k = 0; k < 2; k++) {
		const double *s = g->spacing_mm, other = fmax(s[(k + 1) % 3], s[(k + 2) % 3]);
		const int64_t n[3] = {g->nx, g->ny, g->nz};
		if (s[k] >= clearly * other && n[2] > 1)
			return n[k] > 0 ? k : 2;
	}
	return 2;
}

hy_order hy_order_stack(int k)
{
	static const hy_order orders[3] = {
	    {{1, 2, 0}, {false, false, false}}, {{0, 2, 1}, {false, false, false}}, {{0, 1, 2}, {false}}};
	return orders[k];
}

static double dot(const double (*affine)[4], int column, const double v[3])
{
	double sum = 0, length = 0;
	for (int r = 0; r < 3; r++) {
		sum += affine[r][column] * v[r];
		length += affine[r][column] * affine[r][column];
	}
	return length > 0 ? sum / sqrt(length) : 0;
}

hy_order hy_order_towards(const hy_grid *g, const double (*direction)[3])
{
	static const double plane = 0.906 /* 25 degrees */, alike = 0.766 /* 40 degrees */;
	const double *u = direction[0], *v = direction[1];
	const double normal[3] = {u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0]};
	hy_order best = identity;
	double most = -INFINITY;
	if (fabs(dot(g->affine, 2, normal)) < plane)
		return identity;
	for (int i = 0; i < 16; i++) {
		const hy_order tried = order_of(i);
		if (tried.flip[2])
			continue;
		const hy_grid moved = hy_order_grid(&tried, g);
		const double x = dot(moved.affine, 0, u), y = dot(moved.affine, 1, v);
		if (fmin(x, y) >= alike && fmin(x, y) > most + 1e-9) {
			most = fmin(x, y);
			best = tried;
		}
	}
	return best;
}

hy_order hy_order_join(const hy_order *a, const hy_order *b)
{
	hy_order o;
	for (int k = 0; k < 3; k++) {
		o.axis[k] = a->axis[b->axis[k]];
		o.flip[k] = a->flip[b->axis[k]] != b->flip[k];
	}
	return o;
}
