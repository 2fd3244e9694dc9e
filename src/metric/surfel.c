/*
 * surfel.c: surface element sizes from geometry (see surfel.h).
 *
 * A code's surface is found, not looked up. On each face of the cube, every run of object corners is cut off by a segment
 * between the middles of two edges; joined, the segments are closed polygons of three to six corners. Two choices are free, and
 * both are made as the usual marching-cubes table makes them: where a face has two object corners in opposition they are cut
 * off one by one, seen from the rarer of object and background, and a polygon that is not plane is cut into the triangles whose
 * total area in the unit cube is largest.
 */
#include "metric/surfel.h"

#include <math.h>
#include <stdbool.h>

enum { N_EDGES = 12, NONE = -1 };

/* Corner b lies at (b >> 2 & 1, b >> 1 & 1, b & 1) and has bit 7 - b of the code. */
static bool corner_set(int code, int b)
{
	return code >> (7 - b) & 1;
}

/* Number of the edge between corners a and b, which differ in one axis: 4 * axis + position among the four parallel ones. */
static int edge_number(int a, int b)
{
	static const int axis_of[5] = {NONE, 2, 1, NONE, 0};
	int axis = axis_of[a ^ b], low = a & b;
	int c[3] = {low >> 2 & 1, low >> 1 & 1, low & 1};
	return 4 * axis + 2 * c[axis == 0 ? 1 : 0] + c[axis == 2 ? 1 : 2];
}

static void edge_middle(int edge, double p[3])
{
	int axis = edge / 4;
	p[axis] = 0.5;
	p[axis == 0 ? 1 : 0] = edge >> 1 & 1;
	p[axis == 2 ? 1 : 2] = edge & 1;
}

/* next[e]: the cut edge that follows e on its polygon, NONE for an edge that is not cut. */
static void join_segments(int code, int next[N_EDGES])
{
	for (int e = 0; e < N_EDGES; e++)
		next[e] = NONE;
	for (int face = 0; face < 6; face++) {
		int axis = face / 2, side = face % 2;
		int u = axis == 0 ? 1 : 0, v = axis == 2 ? 1 : 2;
		int corner[4];
		for (int i = 0; i < 4; i++) {
			/* Around the face, counter-clockwise seen from outside, so that polygons have one direction on all faces. */
			int k = (side == 1) != (axis == 1) ? 3 - i : i;
			corner[i] = side << (2 - axis) | (k >> 1) << (2 - u) | ((k == 1 || k == 2) ? 1 : 0) << (2 - v);
		}
		for (int i = 0; i < 4; i++) {
			int before = corner[(i + 3) % 4], j = i;
			if (corner_set(code, before) || !corner_set(code, corner[i]))
				continue;
			while (corner_set(code, corner[(j + 1) % 4]))
				j = (j + 1) % 4;
			next[edge_number(before, corner[i])] = edge_number(corner[j], corner[(j + 1) % 4]);
		}
	}
}

/* The area vector (half the cross product) of a triangle. */
static void area_vector(double p[][3], int a, int b, int c, double n[3])
{
	double u[3], v[3];
	for (int i = 0; i < 3; i++) {
		u[i] = p[b][i] - p[a][i];
		v[i] = p[c][i] - p[a][i];
	}
	for (int i = 0; i < 3; i++)
		n[i] = 0.5 * (u[(i + 1) % 3] * v[(i + 2) % 3] - u[(i + 2) % 3] * v[(i + 1) % 3]);
}

static double scaled_norm(const double n[3], const double scale[3])
{
	double a = n[0] * scale[0], b = n[1] * scale[1], c = n[2] * scale[2];
	return sqrt(a * a + b * b + c * c);
}

/* Area of the polygon p[0..n-1] with area vectors scaled, cut into triangles as the file's head says. */
static double polygon_area(double p[][3], int n, const double scale[3])
{
	static const double unit[3] = {1, 1, 1};
	double best[N_EDGES][N_EDGES] = {{0}}, area[N_EDGES][N_EDGES] = {{0}}, normal[3];
	for (int length = 2; length < n; length++) {
		for (int i = 0; i + length < n; i++) {
			int j = i + length;
			best[i][j] = -1;
			for (int k = i + 1; k < j; k++) {
				area_vector(p, i, k, j, normal);
				double value = best[i][k] + best[k][j] + scaled_norm(normal, unit);
				if (value > best[i][j] + 1e-9) {
					best[i][j] = value;
					area[i][j] = area[i][k] + area[k][j] + scaled_norm(normal, scale);
				}
			}
		}
	}
	return area[0][n - 1];
}

static double code_area(int code, const double scale[3])
{
	int n_set = 0, next[N_EDGES];
	for (int b = 0; b < 8; b++)
		n_set += corner_set(code, b);
	join_segments(n_set > 4 ? 255 - code : code, next);
	double sum = 0, p[N_EDGES][3];
	for (int start = 0; start < N_EDGES; start++) {
		int n = 0;
		for (int e = start; next[e] != NONE; n++) {
			int following = next[e];
			edge_middle(e, p[n]);
			next[e] = NONE;
			e = following;
		}
		if (n > 0)
			sum += polygon_area(p, n, scale);
	}
	return sum;
}

void hy_surfel_areas(const double spacing_mm[3], double area_mm2[256])
{
	/* A stretched surface's area vector stretches by the product of the other two axes. */
	double scale[3] = {spacing_mm[1] * spacing_mm[2], spacing_mm[0] * spacing_mm[2], spacing_mm[0] * spacing_mm[1]};
	for (int code = 0; code < 256; code++)
		area_mm2[code] = code_area(code, scale);
}

void hy_surfel_lengths(const double spacing_mm[2], double length_mm[16])
{
	double s0 = spacing_mm[0], s1 = spacing_mm[1], diagonal = sqrt(s0 * s0 + s1 * s1);
	for (int code = 0; code < 16; code++) {
		int n_set = (code & 1) + (code >> 1 & 1) + (code >> 2 & 1) + (code >> 3 & 1);
		length_mm[code] = n_set == 1 || n_set == 3 ? 0.5 * diagonal : 0;
	}
	length_mm[3] = length_mm[12] = s1; /* object in one row: the contour runs along axis 1 */
	length_mm[5] = length_mm[10] = s0;
	length_mm[6] = length_mm[9] = diagonal; /* two corners in opposition, half a diagonal each */
}
