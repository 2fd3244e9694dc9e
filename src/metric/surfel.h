/*
 * surfel.h: size of the piece of surface that separates object from background between neighbouring voxel centres.
 *
 * The 2 x 2 (x 2) neighbourhood of a voxel corner gives a code: one bit a voxel, the first axis outermost, the first voxel the
 * highest bit (2-D: [[8, 4], [2, 1]]). The surface cuts every edge between an object and a background voxel in its middle, as
 * marching cubes do (Lorensen and Cline, SIGGRAPH 1987). Nikolov et al. (J Med Internet Res 23:e26151, 2021) weight surface
 * distances by these sizes.
 */
#ifndef HY_METRIC_SURFEL_H
#define HY_METRIC_SURFEL_H

/* Contour length in mm for each 2-D code; spacing_mm in axis order. Codes 0 and 15 have 0. */
void hy_surfel_lengths(const double spacing_mm[2], double length_mm[16]);

/* Surface area in mm^2 for each 3-D code; spacing_mm in axis order. Codes 0 and 255 have 0. */
void hy_surfel_areas(const double spacing_mm[3], double area_mm2[256]);

#endif
