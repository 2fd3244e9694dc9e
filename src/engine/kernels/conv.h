/*
 * conv.h: one convolution prepared for one shape, role and library; packed weights belong to the caller.
 */
#ifndef HY_ENGINE_KERNELS_CONV_H
#define HY_ENGINE_KERNELS_CONV_H

#include "engine/kernels/kernels.h"

enum hy_conv_role { HY_CONV_FORWARD, HY_CONV_DATA, HY_CONV_WEIGHTS };

/*
 * Whose loops do the convolutions. AUTO: what measured fastest for the table and shape. DIRECT: our own, as sums over taps; WINOGRAD: our own,
 * by transforms where they fit, else as DIRECT.
 */
typedef enum hy_conv_library { HY_CONV_AUTO, HY_CONV_PLAIN, HY_CONV_DNNL, HY_CONV_DIRECT, HY_CONV_WINOGRAD } hy_conv_library;

typedef struct hy_conv hy_conv;
struct hy_conv {
	hy_conv_shape shape;
	enum hy_conv_role role;
	bool accumulate; /* forward, data: add to the output */
	bool bias;       /* forward, data: adds one; weights: its gradient is wanted */
	bool fuses;      /* running takes hy_fused; reads_fused: what it says of reading too */
	bool reads_fused;
	const hy_kernels *kernels;
	size_t packed_floats; /* size of the packed weights (forward, data) */
	size_t work_floats;   /* size of the scratch memory that running needs */
	void *state;          /* of the library */

	/* w is OIHW, or IOHW when the tensor belongs to a transposed convolution (then it is the OIHW of the convolution it
	 * reverses). */
	void (*pack)(const hy_conv *c, const float *w, float *packed);
	/* forward: x to y, with the bias or NULL; data: dy to dx, bias NULL. fused: NULL, unless the convolution fuses. */
	hardy_status (*run)(const hy_conv *c, const hy_fused *fused, const hy_blocked *in, const float *bias, const float *packed,
	                    hy_blocked *out, float *work, hardy_error *err);
	/* weights: adds to dw (OIHW) and db (may be NULL). */
	hardy_status (*run_weights)(const hy_conv *c, const hy_fused *fused, const hy_blocked *x, const hy_blocked *dy, float *dw,
	                            float *db, float *work, hardy_error *err);
	void (*free_state)(void *state);
};

hardy_status hy_conv_make(hy_conv *c, const hy_kernels *kernels, hy_conv_library library, const hy_conv_shape *shape,
                          enum hy_conv_role role, bool accumulate, bool bias, hardy_error *err);
void hy_conv_clear(hy_conv *c);

/* db (may be NULL) += the sums of dy by channel; work: 2 n oc floats. */
void hy_conv_bias_gradient(const hy_conv *c, const hy_blocked *dy, float *db, float *work);

/* engine/kernels/direct.c */
bool hy_conv_direct_fits(const hy_kernels *k, const hy_conv_shape *s);
int hy_conv_tile(const hy_kernels *k, const hy_conv_shape *s); /* tile x tile outputs by transforms; 0: by taps */
hardy_status hy_conv_make_direct(hy_conv *c, int tile, hardy_error *err);
int64_t hy_conv_jobs(const hy_conv *c); /* rows of hy_fused's partial sums; 0 when it does not fuse */

/* engine/kernels/dnnl.c; HARDY_ERROR_UNSUPPORTED when built without oneDNN. */
hardy_status hy_conv_make_dnnl(hy_conv *c, hardy_error *err);
const char *hy_dnnl_version(void); /* "2.6.0", or NULL when built without */

#endif
