/*
 * effects.h: what each artefact does to a block (internal to the artefacts). Parameters are in range, voxels finite.
 */
#ifndef HY_ARTEFACT_EFFECTS_H
#define HY_ARTEFACT_EFFECTS_H

#include "artefact/artefact.h"

hardy_status hy_effect_bias(const hy_artefact *a, const hy_block *b, hardy_error *err);
hardy_status hy_effect_ghosting(const hy_artefact *a, const hy_block *b, hardy_error *err);
hardy_status hy_effect_motion(const hy_artefact *a, const hy_block *b, hardy_error *err);
hardy_status hy_effect_spike(const hy_artefact *a, const hy_block *b, hardy_error *err);
hardy_status hy_effect_noise(const hy_artefact *a, const hy_block *b, hardy_error *err);
hardy_status hy_effect_blur(const hy_artefact *a, const hy_block *b, hardy_error *err);
hardy_status hy_effect_resolution(const hy_artefact *a, const hy_block *b, hardy_error *err);
hardy_status hy_effect_contrast(const hy_artefact *a, const hy_block *b, hardy_error *err);

#endif
