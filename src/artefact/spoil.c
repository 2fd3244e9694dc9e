/*
 * spoil.c: draws an artefact's parameters for each frame of a scan and applies it.
 */
#include "artefact/spoil.h"

#include "base/json.h"
#include "base/memory.h"
#include "base/text.h"

#include <stdio.h>

hardy_status hy_spoil_check(const hy_spoil *s, hardy_error *err)
{
	const int64_t n[3] = {2, 2, 2};
	hy_rng g = hy_artefact_stream(0, s->kind, "", 0, 0);
	hy_artefact trial = hy_artefact_draw(s->kind, s->level, n, s->about_image, &g);
	return hy_artefact_from_json(&trial, s->given, "parameters", err);
}

/* Draws the parameters of a frame, or takes those given. */
static hardy_status choose(const hy_spoil *s, const hy_grid *g, int64_t frame, hy_artefact *a, hardy_error *err)
{
	const int64_t size[2][3] = {{g->nx, g->ny, g->nz}, {g->nz, HY_ACDCC_SIZE, HY_ACDCC_SIZE}};
	hy_rng stream = hy_artefact_stream(s->seed, s->kind, s->scan, frame, s->copy);
	const bool listed = cJSON_IsArray(s->given);
	char where[96] = "parameters";
	*a = hy_artefact_draw(s->kind, s->level, size[s->chain], s->about_image, &stream);
	if (!s->given)
		return HARDY_OK;
	if (listed)
		snprintf(where, sizeof where, "parameters of frame %lld", (long long)frame);
	return hy_artefact_from_json(a, listed ? cJSON_GetArrayItem(s->given, (int)frame) : s->given, where, err);
}

hardy_status hy_spoil_volume(const hy_spoil *s, hy_volume *image, cJSON *frames, hardy_error *err)
{
	const hy_grid *g = &image->grid;
	hardy_status status = HARDY_OK;
	if (cJSON_IsArray(s->given) && cJSON_GetArraySize(s->given) != image->nt)
		return hy_fail(err, HARDY_ERROR_ARGUMENT, "the scan has %s, %s is of %d", HY_COUNT(image->nt, "frame"), s->source,
		               cJSON_GetArraySize(s->given));
	for (int64_t f = 0; f < image->nt && !status; f++) {
		float *voxels = image->data + f * hy_grid_voxels(g);
		hy_artefact a;
		status = choose(s, g, f, &a, err);
		if (!status && s->chain) {
			status = hy_acdcc_apply(&a, voxels, g->nz, g->ny, g->nx, HY_ACDCC_SIZE, err);
		} else if (!status) {
			const hy_block b = hy_block_of_scan(voxels, g);
			status = hy_artefact_apply(&a, &b, err);
		}
		if (status) {
			if (image->nt > 1)
				hy_prefix(err, status, "frame %lld", (long long)f);
			return status;
		}
		if (!hy_json_append(frames, hy_artefact_to_json(&a)))
			status = hy_fail_memory(err, "parameters", 1, sizeof a);
	}
	return status;
}
