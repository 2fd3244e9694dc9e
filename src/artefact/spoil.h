/*
 * spoil.h: a scan in memory, every frame of it, spoiled by an artefact whose parameters are drawn or given.
 */
#ifndef HY_ARTEFACT_SPOIL_H
#define HY_ARTEFACT_SPOIL_H

#include "artefact/artefact.h"

typedef struct hy_spoil {
	hy_artefact_kind kind;
	bool chain;       /* within the steps of ACDC-C */
	const char *scan; /* draws go by its name, */
	uint64_t seed;
	int64_t copy;
	int level;          /* as in hy_artefact_draw, */
	bool about_image;   /* likewise */
	const cJSON *given; /* parameters: an object for every frame, or a list with one for each; NULL: all are drawn */
	const char *source; /* what messages call a list that is given */
} hy_spoil;

/* HARDY_ERROR_ARGUMENT for parameters that are wrong whatever the scan: to be known before any is read. given is an object. */
hardy_status hy_spoil_check(const hy_spoil *s, hardy_error *err);

/* Spoils the image in place; what was done is added to *frames, an array, an object for each frame. On failure its voxels are undefined. */
hardy_status hy_spoil_volume(const hy_spoil *s, hy_volume *image, cJSON *frames, hardy_error *err);

#endif
