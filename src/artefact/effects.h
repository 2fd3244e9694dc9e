/*
 * effects.h: what each artefact does to a block (internal to the artefacts). Parameters are in range, voxels finite.
 */
#ifndef HY_ARTEFACT_EFFECTS_H
#define HY_ARTEFACT_EFFECTS_H

#include "artefact/artefact.h"

hardy_status hy_bias_apply(const hy_artefact *a, const hy_block *b, hardy_error *err);
hardy_status hy_ghosting_apply(const hy_artefact *a, const hy_block *b, hardy_error *err);
hardy_status hy_motion_apply(const hy_artefact *a, const hy_block *b, hardy_error *err);
hardy_status hy_spike_apply(const hy_artefact *a, const hy_block *b, hardy_error *err);
hardy_status hy_noise_apply(const hy_artefact *a, const hy_block *b, hardy_error *err);
hardy_status hy_blur_apply(const hy_artefact *a, const hy_block *b, hardy_error *err);
hardy_status hy_resolution_apply(const hy_artefact *a, const hy_block *b, hardy_error *err);
hardy_status hy_contrast_apply(const hy_artefact *a, const hy_block *b, hardy_error *err);

#endif
