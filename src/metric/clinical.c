/*
 * clinical.c: volumes and ejection fraction (see clinical.h).
 */
#include "metric/clinical.h"

#include <math.h>

double hy_volume_ml(int64_t n_voxels, const double spacing_mm[3])
{
	return (double)n_voxels * spacing_mm[0] * spacing_mm[1] * spacing_mm[2] / 1000.0;
}

hy_ventricle hy_ventricle_make(double edv_ml, double esv_ml)
{
	hy_ventricle v = {edv_ml, esv_ml, edv_ml - esv_ml, NAN};
	if (edv_ml > 0)
		v.ef_percent = 100.0 * v.sv_ml / edv_ml;
	return v;
}

double hy_myocardial_mass_g(double volume_ml)
{
	return volume_ml * HY_MYOCARDIUM_G_PER_ML;
}
