/*
 * clinical.h: volumes and indices of heart function from voxel counts.
 */
#ifndef HY_METRIC_CLINICAL_H
#define HY_METRIC_CLINICAL_H

#include <stdint.h>

/* Density of myocardium used for left-ventricular mass in cardiac MR (Schulz-Menger et al., J Cardiovasc Magn Reson 22:19,
 * 2020). */
#define HY_MYOCARDIUM_G_PER_ML 1.05

/* Voxels times the voxel's volume: 1 mL is 1000 mm^3. */
double hy_volume_ml(int64_t n_voxels, const double spacing_mm[3]);

/* One ventricle over the cycle. A value that cannot be formed is NaN. */
typedef struct hy_ventricle {
	double edv_ml, esv_ml; /* end-diastolic and end-systolic volume */
	double sv_ml;          /* stroke volume EDV - ESV */
	double ef_percent;     /* ejection fraction 100 SV / EDV; NaN when EDV is 0 */
} hy_ventricle;

hy_ventricle hy_ventricle_make(double edv_ml, double esv_ml);
double hy_myocardial_mass_g(double volume_ml);

#endif
