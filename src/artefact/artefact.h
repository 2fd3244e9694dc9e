/*
 * artefact.h: image artefacts of magnetic resonance: their parameters, random draws, JSON form and effect (docs/ARTEFACTS.md).
 *
 * Bias field, ghosting, motion and spike are those of TorchIO (Perez-Garcia et al., Comput Methods Programs Biomed 208, 106236,
 * 2021), on which ACDC-C (Chen et al., MICCAI 2021) rests, with TorchIO's names for the parameters.
 */
#ifndef HY_ARTEFACT_ARTEFACT_H
#define HY_ARTEFACT_ARTEFACT_H

#include "base/json.h"
#include "base/rng.h"
#include "image/volume.h"

typedef enum hy_artefact_kind {
	HY_ARTEFACT_BIAS,
	HY_ARTEFACT_GHOSTING,
	HY_ARTEFACT_MOTION,
	HY_ARTEFACT_SPIKE,
	HY_N_ACDCC, /* the four above make up ACDC-C */
	HY_ARTEFACT_NOISE = HY_N_ACDCC,
	HY_ARTEFACT_BLUR,
	HY_ARTEFACT_RESOLUTION,
	HY_ARTEFACT_CONTRAST,
	HY_N_ARTEFACTS
} hy_artefact_kind;

enum { HY_BIAS_MAX_ORDER = 8, HY_BIAS_MAX = 165, HY_MOTION_MAX = 32, HY_SPIKE_MAX = 64, HY_N_LEVELS = 5 };

typedef struct hy_artefact {
	hy_artefact_kind kind;
	union {
		struct {
			int order; /* of the polynomial */
			double
			    coefficients[HY_BIAS_MAX]; /* for a = 0 .. order, b = 0 .. order - a, d = 0 .. order - a - b: of x^a y^b z^d */
		} bias;
		struct {
			int64_t num_ghosts; /* every num_ghosts-th plane of k-space is weakened */
			int axis;           /* planes across this axis */
			double intensity;   /* by this share */
			double restore;     /* share of planes about the centre that are left as they were; NaN: the central one alone */
		} ghosting;
		struct {
			int n;                                                      /* movements */
			double degrees[HY_MOTION_MAX][3];                           /* about x, y, z of LPS space */
			double translation[HY_MOTION_MAX][3], times[HY_MOTION_MAX]; /* mm in LPS space; share of k-space */
			bool about_image; /* rotation about the image's centre; false: about the origin of space, as TorchIO does */
		} motion;
		struct {
			int n;
			double positions[HY_SPIKE_MAX][3]; /* in k-space, [0, 1), its centre at n / 2 */
			double intensity;                  /* relative to the spectrum's maximum */
		} spike;
		struct {
			double sd;     /* relative to the range between the percentiles 2 and 98 */
			uint64_t seed; /* below 2^53 */
		} noise;
		struct {
			double sd_mm; /* in the plane of the slices */
		} blur;
		struct {
			double factor; /* 1 / factor of the frequencies is kept on each axis of the slices */
		} resolution;
		struct {
			double gamma;
		} contrast;
	};
} hy_artefact;

/* "bias", "ghosting" ...; NULL behind the last. */
const char *hy_artefact_name(hy_artefact_kind kind);
/* The kind of that name; an unknown one is an error that lists those known. */
hardy_status hy_artefact_find(const char *name, hy_artefact_kind *kind, hardy_error *err);

/* A volume to spoil in place: axes 0, 1, 2 are those of the formulas. */
typedef struct hy_block {
	float *data; /* voxels without gaps */
	int64_t n[3];
	bool last_fastest;   /* axis 2 runs fastest in memory; false: axis 0 does */
	double affine[3][4]; /* index to RAS mm */
	int slice_axis;      /* the axis across slices */
} hy_block;

/* A frame of a scan: axes x, y, z. */
hy_block hy_block_of_scan(float *frame, const hy_grid *grid);
/* A stack of slices as ACDC-C hands it over: axes slice, row, column, and no affine, so that a voxel counts as a millimetre. */
hy_block hy_block_of_stack(float *stack, int64_t n, int64_t height, int64_t width);

/*
 * Draws every parameter. level 0: as ACDC-C does (TorchIO's defaults; motion up to 30 degrees and 10 mm); 1 to HY_N_LEVELS: of
 * this severity. Kinds outside ACDC-C take level 3 for 0. n: the volume's size.
 */
hy_artefact hy_artefact_draw(hy_artefact_kind kind, int level, const int64_t n[3], bool about_image, hy_rng *g);
/* What a level stands for, the number that its draws scale with. */
double hy_artefact_severity(hy_artefact_kind kind, int level);
/* The stream of draws of one subject (by name), frame and copy. */
hy_rng hy_artefact_stream(uint64_t seed, hy_artefact_kind kind, const char *subject, int64_t frame, int64_t copy);

/* New object with every parameter (cJSON_Delete; numbers print so that they read back alike); NULL when memory runs out. */
cJSON *hy_artefact_to_json(const hy_artefact *a);
/* The table of an artefact's parameters; NULL behind the last. */
size_t hy_artefact_n_parameters(hy_artefact_kind kind);
const hardy_artefact_parameter *hy_artefact_parameter(hy_artefact_kind kind, size_t i);

/* Parameters as text: JSON, or "name=value,name=value", which becomes an object. *out is released with cJSON_Delete. */
hardy_status hy_artefact_parse(const char *text, cJSON **out, hardy_error *err);

/* Sets the parameters that json has, after which all must be in range and fit together. where begins the messages. */
hardy_status hy_artefact_from_json(hy_artefact *a, const cJSON *json, const char *where, hardy_error *err);

/*
 * Spoils the block. HARDY_ERROR_NUMERIC when a voxel is not finite before, or would not be afterwards; HARDY_ERROR_ARGUMENT when
 * the parameters do not fit the block. On failure the block's voxels are undefined. The same parameters give the same bytes,
 * whatever the number of threads.
 */
hardy_status hy_artefact_apply(const hy_artefact *a, const hy_block *b, hardy_error *err);

/*
 * The chain of ACDC-C on a stack of slices, in place: crop or pad each to size x size (0: leave), scale it to [0, 1], spoil the
 * stack (NULL: leave), scale again, put back; what the crop left out becomes 0. A constant slice becomes 0.
 */
hardy_status hy_acdcc_apply(const hy_artefact *a, float *stack, int64_t n, int64_t height, int64_t width, int64_t size,
                            hardy_error *err);
/* The size of the published protocol. */
enum { HY_ACDCC_SIZE = 192 };

#endif
