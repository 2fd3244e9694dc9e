/*
 * geometry.h: where voxels lie in space: affines, quaternions, and how far two grids are apart.
 */
#ifndef HY_IMAGE_GEOMETRY_H
#define HY_IMAGE_GEOMETRY_H

#include "image/volume.h"

/* affine: three rows of four, as in hy_grid (written as a pointer to rows: gcc 12 misjudges [3][4] in sanitized builds). */

/* Lengths of the affine's three columns: the spacing it implies. */
void hy_affine_spacing(const double (*affine)[4], double spacing_mm[3]);

/* False when an element is not finite, a column is shorter than 1e-6 or longer than 1e5, or the columns do not span space. */
bool hy_affine_usable(const double (*affine)[4]);

/* Makes the columns as long as spacing_mm; directions and origin stay. */
void hy_affine_rescale(double (*affine)[4], const double spacing_mm[3]);

/*
 * Rotation from the quaternion (sqrt(1 - b^2 - c^2 - d^2), b, c, d), columns times spacing, third column times qfac (-1 or 1):
 * NIfTI-1 specification, method 2. A quaternion longer than 1 is shortened to a = 0. False when an input is not finite.
 */
bool hy_affine_from_quaternion(const double bcd[3], const double offset[3], const double spacing_mm[3], double qfac,
                               double (*affine)[4]);

/* The inverse, for the rotation next to the affine's directions; *qfac is -1 when they are left-handed. */
void hy_affine_to_quaternion(const double (*affine)[4], double bcd[3], double offset[3], double *qfac);

/* The anatomical direction next to each axis, "LPS" when x runs to the left, y to the back and z upwards. */
void hy_affine_orientation(const double (*affine)[4], char code[4]);

/*
 * How far the grid's corner voxels move, at most and about its centre, when the directions are replaced by the nearest
 * orthonormal ones (polar decomposition): 0 for a grid without shear.
 */
double hy_grid_shear_mm(const hy_grid *g);

/* Greatest distance in mm between corresponding corner voxels of two grids. */
double hy_grid_difference_mm(const hy_grid *a, const hy_grid *b);

#endif
