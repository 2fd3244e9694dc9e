/*
 * nifti.h: reading and writing NIfTI-1 and NIfTI-2 (.nii, .nii.gz, .hdr/.img), both byte orders.
 */
#ifndef HY_IMAGE_NIFTI_H
#define HY_IMAGE_NIFTI_H

#include "image/geometry.h"
#include "image/origin.h"
#include "image/volume.h"

typedef struct hy_nifti_options {
	double spacing_mm[3]; /* > 0 overrides the file's spacing on that axis; 0 believes the file */
	bool header_only;     /* leave data NULL */
	int64_t frame;        /* >= 0: only this frame of a 4-D file (0-based; nt becomes 1); -1: all */
} hy_nifti_options;

void hy_nifti_options_init(hy_nifti_options *o);

/* o may be NULL for the defaults. */
/* Voxels with scl_slope and scl_inter applied. Warnings (header faults, what was believed) go to log. Non-finite voxels are
 * kept. */
hardy_status hy_nifti_read(const char *path, const hy_nifti_options *o, hy_volume *out, const hardy_log *log, hardy_error *err);

/* The different values of a label map, sorted; the first is 0, whether it occurs or not. */
typedef struct hy_label_values {
	int n;
	uint16_t value[256];
	int64_t count[256]; /* voxels */
} hy_label_values;

/*
 * A label map of one frame, whose values must be whole numbers 0 to 65535 (up to 0.01: rounded, with a warning), at most 256
 * different ones. out->data holds indices into *values, not the values.
 */
hardy_status hy_nifti_read_values(const char *path, const hy_nifti_options *o, hy_labels *out, hy_label_values *values,
                                  const hardy_log *log, hardy_error *err);

/* The same with the values themselves in out->data: 0 to 255. values[] counts voxels per value; it may be NULL. */
hardy_status hy_nifti_read_labels(const char *path, const hy_nifti_options *o, hy_labels *out, int64_t values[256],
                                  const hardy_log *log, hardy_error *err);

/*
 * Writes uint8 voxels (nt frames) in the grid and with the header of like (its qform, sform, pixdim, units and description
 * kept; datatype, scaling and dimensions set for labels). Gzipped when path ends in .gz. Atomic.
 * o NULL: no stamp, and nothing that is there is replaced.
 */
hardy_status hy_nifti_write_labels(const char *path, const hy_volume *like, const uint8_t *data, int64_t nt, const hy_origin *o,
                                   hardy_error *err);
/* The same of value[data[i]]: as uint16 when one of the 256 is above 255. */
hardy_status hy_nifti_write_values(const char *path, const hy_volume *like, const uint8_t *data, const uint16_t value[256],
                                   int64_t nt, const hy_origin *o, hardy_error *err);
/* The same for float32 voxels. */
hardy_status hy_nifti_write_float(const char *path, const hy_volume *like, const float *data, int64_t nt, const hy_origin *o,
                                  hardy_error *err);

/* The same for uint16 voxels, and for int16 ones. */
hardy_status hy_nifti_write_uint16(const char *path, const hy_volume *like, const uint16_t *data, int64_t nt,
                                   const hy_origin *o, hardy_error *err);
hardy_status hy_nifti_write_int16(const char *path, const hy_volume *like, const int16_t *data, int64_t nt, const hy_origin *o,
                                  hardy_error *err);

/* Times of a cine's frames, as the header has them; false where it does not say a unit of time and a step of more than 0. */
bool hy_nifti_times(const hy_volume *v, double *first_ms, double *step_ms);
/* The same into the kept header, if there is one, for what is written like this volume. */
void hy_nifti_set_times(hy_volume *v, double first_ms, double step_ms);
/* Blanks what the kept header says in words, which may tell of a patient. */
void hy_nifti_forget_texts(hy_volume *v);

/* True when the name ends in .nii, .nii.gz, .hdr, .hdr.gz, .img or .img.gz, in any case. */
bool hy_nifti_is_name(const char *path);
/* True when a file of a folder is a scan to look at: such a name, not hidden, and .img only through its .hdr. */
bool hy_nifti_is_scan(const char *name);
/* Length of the name without such an ending. */
size_t hy_nifti_stem(const char *name);

#endif
