/*
 * volume.h: what is behind a hardy_volume (hardy/image.h).
 */
#ifndef HY_LIBRARY_VOLUME_H
#define HY_LIBRARY_VOLUME_H

#include "image/volume.h"

struct hardy_volume {
	hy_volume volume; /* of a label map: grid and header alone */
	uint8_t *labels;  /* owned; NULL of an image */
	hardy_image view; /* of what it holds */
};

/* Takes over voxels and header (on failure, too). label: take over these instead of voxels; NULL. */
hardy_status hy_volume_give(hy_volume *volume, hy_labels *label, hardy_volume **out, hardy_error *err);

#endif
