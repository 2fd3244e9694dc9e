/*
 * geometry.c: affines, quaternions, distances between grids.
 */
#include "image/geometry.h"

#include <math.h>
#include <string.h>

static double determinant(const double m[3][3])
{
	return m[0][0] * (m[1][1] * m[2][2] - m[1][2] * m[2][1]) - m[0][1] * (m[1][0] * m[2][2] - m[1][2] * m[2][0]) +
	       m[0][2] * (m[1][0] * m[2][1] - m[1][1] * m[2][0]);
}

void hy_affine_spacing(const double (*affine)[4], double spacing_mm[3])
{
	for (int c = 0; c < 3; c++)
		spacing_mm[c] = sqrt(affine[0][c] * affine[0][c] + affine[1][c] * affine[1][c] + affine[2][c] * affine[2][c]);
}

/* Columns of unit length; a column of length 0 stays 0. */
static void directions(const double (*affine)[4], double m[3][3])
{
	double length[3];
	hy_affine_spacing(affine, length);
	for (int r = 0; r < 3; r++)
		for (int c = 0; c < 3; c++)
			m[r][c] = length[c] > 0 ? affine[r][c] / length[c] : 0;
}

bool hy_affine_usable(const double (*affine)[4])
{
	double length[3], m[3][3];
	for (int r = 0; r < 3; r++)
		for (int c = 0; c < 4; c++)
			if (!isfinite(affine[r][c]) || fabs(affine[r][c]) > 1e9)
				return false;
	hy_affine_spacing(affine, length);
	for (int c = 0; c < 3; c++)
		if (length[c] < 1e-6 || length[c] > 1e5)
			return false;
	directions(affine, m);
	return fabs(determinant(m)) > 1e-3;
}

void hy_affine_rescale(double (*affine)[4], const double spacing_mm[3])
{
	double length[3];
	hy_affine_spacing(affine, length);
	for (int c = 0; c < 3; c++)
		for (int r = 0; r < 3; r++)
			affine[r][c] *= spacing_mm[c] / length[c];
}

bool hy_affine_from_quaternion(const double bcd[3], const double offset[3], const double spacing_mm[3], double qfac,
                               double (*affine)[4])
{
	double b = bcd[0], c = bcd[1], d = bcd[2];
	for (int i = 0; i < 3; i++)
		if (!isfinite(bcd[i]) || fabs(bcd[i]) > 1e9 || !isfinite(offset[i]))
			return false;
	double a = 1 - (b * b + c * c + d * d);
	if (a < 1e-7) { /* a half turn, up to the rounding of float fields */
		const double scale = 1 / sqrt(b * b + c * c + d * d);
		b *= scale, c *= scale, d *= scale;
		a = 0;
	} else {
		a = sqrt(a);
	}
	const double r[3][3] = {
	    {a * a + b * b - c * c - d * d, 2 * (b * c - a * d), 2 * (b * d + a * c)},
	    {2 * (b * c + a * d), a * a + c * c - b * b - d * d, 2 * (c * d - a * b)},
	    {2 * (b * d - a * c), 2 * (c * d + a * b), a * a + d * d - b * b - c * c},
	};
	for (int i = 0; i < 3; i++) {
		for (int j = 0; j < 3; j++)
			affine[i][j] = r[i][j] * spacing_mm[j] * (j == 2 ? qfac : 1);
		affine[i][3] = offset[i];
	}
	return true;
}

/* Nearest orthonormal matrix by Newton's iteration for the polar decomposition (Higham 1986): X <- (X + X^-T) / 2. */
static bool orthonormalise(double m[3][3])
{
	for (int step = 0; step < 100; step++) {
		const double det = determinant(m);
		if (!isfinite(det) || fabs(det) < 1e-12)
			return false;
		double next[3][3], change = 0;
		for (int r = 0; r < 3; r++)
			for (int c = 0; c < 3; c++) {
				const int r1 = (r + 1) % 3, r2 = (r + 2) % 3, c1 = (c + 1) % 3, c2 = (c + 2) % 3;
				const double inverse_transposed = (m[r1][c1] * m[r2][c2] - m[r1][c2] * m[r2][c1]) / det;
				next[r][c] = 0.5 * (m[r][c] + inverse_transposed);
				change = fmax(change, fabs(next[r][c] - m[r][c]));
			}
		memcpy(m, next, sizeof next);
		if (change < 1e-14)
			break;
	}
	return true;
}

void hy_affine_to_quaternion(const double (*affine)[4], double bcd[3], double offset[3], double *qfac)
{
	double m[3][3];
	directions(affine, m);
	for (int i = 0; i < 3; i++) {
		bcd[i] = 0;
		offset[i] = affine[i][3];
	}
	*qfac = 1;
	if (!orthonormalise(m))
		return;
	if (determinant(m) < 0) {
		*qfac = -1;
		for (int r = 0; r < 3; r++)
			m[r][2] = -m[r][2];
	}
	/* The largest of 4a^2, 4b^2, 4c^2, 4d^2 is the one to take the root of. */
	const double four[4] = {1 + m[0][0] + m[1][1] + m[2][2], 1 + m[0][0] - m[1][1] - m[2][2], 1 - m[0][0] + m[1][1] - m[2][2],
	                        1 - m[0][0] - m[1][1] + m[2][2]};
	int top = 0;
	for (int i = 1; i < 4; i++)
		if (four[i] > four[top])
			top = i;
	const double s = 2 * sqrt(four[top]);
	double q[4];
	q[top] = s / 4;
	const double difference[3] = {m[2][1] - m[1][2], m[0][2] - m[2][0], m[1][0] - m[0][1]};
	if (top == 0) {
		for (int i = 0; i < 3; i++)
			q[i + 1] = difference[i] / s;
	} else {
		const int i = top - 1;
		q[0] = difference[i] / s;
		for (int j = 0; j < 3; j++)
			if (j != i)
				q[j + 1] = (m[i][j] + m[j][i]) / s;
	}
	for (int i = 0; i < 3; i++)
		bcd[i] = q[0] < 0 ? -q[i + 1] : q[i + 1];
}

void hy_affine_orientation(const double (*affine)[4], char code[4])
{
	static const char names[3][2] = {{'R', 'L'}, {'A', 'P'}, {'S', 'I'}};
	double m[3][3];
	bool row_used[3] = {false}, column_used[3] = {false};
	directions(affine, m);
	for (int step = 0; step < 3; step++) {
		/* The strongest of the directions that are left; each is given to one axis only. */
		int row = -1, column = -1;
		for (int r = 0; r < 3; r++)
			for (int c = 0; c < 3; c++)
				if (!row_used[r] && !column_used[c] && (row < 0 || fabs(m[r][c]) > fabs(m[row][column]))) {
					row = r;
					column = c;
				}
		row_used[row] = column_used[column] = true;
		code[column] = names[row][m[row][column] < 0];
	}
	code[3] = 0;
}

/* Corner number 0..7 of the grid as voxel index. */
static void corner(const hy_grid *g, int number, double index[3])
{
	index[0] = number & 1 ? (double)(g->nx - 1) : 0;
	index[1] = number & 2 ? (double)(g->ny - 1) : 0;
	index[2] = number & 4 ? (double)(g->nz - 1) : 0;
}

double hy_grid_shear_mm(const hy_grid *g)
{
	double m[3][3], length[3], greatest = 0;
	const double centre[3] = {(double)(g->nx - 1) / 2, (double)(g->ny - 1) / 2, (double)(g->nz - 1) / 2};
	hy_affine_spacing(g->affine, length);
	directions(g->affine, m);
	if (!orthonormalise(m))
		return INFINITY;
	for (int k = 0; k < 8; k++) {
		double index[3], square = 0;
		corner(g, k, index);
		for (int r = 0; r < 3; r++) {
			double shift = 0;
			for (int c = 0; c < 3; c++)
				shift += (g->affine[r][c] - m[r][c] * length[c]) * (index[c] - centre[c]);
			square += shift * shift;
		}
		greatest = fmax(greatest, sqrt(square));
	}
	return greatest;
}

double hy_grid_difference_mm(const hy_grid *a, const hy_grid *b)
{
	double greatest = 0;
	for (int k = 0; k < 8; k++) {
		double ia[3], ib[3], square = 0;
		corner(a, k, ia);
		corner(b, k, ib);
		for (int r = 0; r < 3; r++) {
			double shift = a->affine[r][3] - b->affine[r][3];
			for (int c = 0; c < 3; c++)
				shift += a->affine[r][c] * ia[c] - b->affine[r][c] * ib[c];
			square += shift * shift;
		}
		greatest = fmax(greatest, sqrt(square));
	}
	return greatest;
}
