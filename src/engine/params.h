/*
 * params.h: the parameters of a model: one slab each for values, gradients, Adam's moments; named tensors are views.
 *
 * Buffers (running statistics of batch norm) live in a slab of their own. Names are the authors' state-dict keys.
 */
#ifndef HY_ENGINE_PARAMS_H
#define HY_ENGINE_PARAMS_H

#include "base/error.h"
#include "base/rng.h"
#include "engine/kernels/kernels.h"

#include <stddef.h>
#include <stdint.h>

typedef struct hy_param {
	char name[96];
	int n_dims;
	int64_t shape[4];
	size_t offset, n; /* floats in the slab */
	bool is_buffer;   /* running_mean, running_var: in the buffer slab, no gradient */
	int init;         /* how start values are drawn: enum hy_init in params.c's header section */
	int64_t fan_in;
} hy_param;

enum hy_init { HY_INIT_ZERO, HY_INIT_ONE, HY_INIT_HE_NORMAL, HY_INIT_UNIFORM_FAN, HY_INIT_BN_SCALE };

typedef struct hy_params {
	hy_param *list; /* owned, in the authors' order */
	size_t n, room;
	size_t n_values, n_buffers;
	const float *values, *buffers;                  /* to read; to write: hy_params_write_values, hy_params_write_buffers */
	float *own_values, *own_buffers;                /* the same memory, owned; 64-byte aligned, like the others */
	float *grads, *first_moment, *second_moment;    /* owned */
	uint64_t values_generation, buffers_generation; /* another number after every change, of any hy_params */
	float *average_values, *average_buffers;        /* owned: average.h; NULL without */
	int64_t n_batches_tracked; /* of every batch norm (they move together; written to every num_batches_tracked) */
	int64_t adam_steps;
} hy_params;

/* Adds a tensor during definition; returns its index or -1 when memory runs out. */
int hy_params_add(hy_params *p, const char *name, int n_dims, const int64_t *shape, bool is_buffer, int init, int64_t fan_in);
hardy_status hy_params_allocate(hy_params *p, hardy_error *err); /* the slabs, zeroed */
void hy_params_draw(hy_params *p, uint64_t seed);                /* start values of spec/method.md section 2 */
void hy_params_clear(hy_params *p);
/*
 * The values or buffers, about to be changed: what was made of them before (a tape's packed weights, with batch norm folded in) is out of date from now
 * on. For writing at once; ask again for the next change.
 */
float *hy_params_write_values(hy_params *p);
float *hy_params_write_buffers(hy_params *p);
int hy_params_find(const hy_params *p, const char *name); /* -1 when absent */

/*
 * One Adam step over the value slab, as torch.optim.Adam, with these kernels. decay > 0: weights shrink by lr decay of themselves before
 * (Loshchilov and Hutter, "Decoupled weight decay regularization", ICLR 2019; torch.optim.AdamW).
 */
void hy_adam_step(hy_params *p, const hy_kernels *k, double lr, double beta1, double beta2, double eps, double decay);

#endif
