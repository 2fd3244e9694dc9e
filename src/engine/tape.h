/*
 * tape.h: a computation recorded once and run many times.
 *
 * Recording. Operators (ops.h) append instructions to the tape and return values. hy_tape_back appends the backward
 * instructions of a range of nodes. Instructions are grouped in segments; between segments the caller may read and write kept
 * values. Compiling (hy_tape_compile) fixes every buffer in one slab by liveness, every convolution and every packed weight.
 * Running (hy_tape_run) executes one segment: it allocates nothing and builds nothing.
 *
 * Recording functions keep the first error in the tape and then do nothing, so that a network's definition needs no checks;
 * hy_tape_compile reports it.
 *
 * Batch norm has three modes, and gradients are asked for by flags, so that one network's definition serves every pass of the
 * method. A tap may replace any named inner value while recording (feature-space augmentation); a reduce callback sees every
 * sum over the batch before it is used (data-parallel training).
 */
#ifndef HY_ENGINE_TAPE_H
#define HY_ENGINE_TAPE_H

#include "engine/kernels/conv.h"
#include "engine/params.h"

typedef enum hy_norm_mode {
	HY_NORM_TRACK,  /* batch statistics, running ones updated */
	HY_NORM_BATCH,  /* batch statistics, running ones untouched */
	HY_NORM_RUNNING /* running statistics */
} hy_norm_mode;

/* What a backward pass computes besides the gradients that flow between nodes. */
enum hy_back_flags {
	HY_BACK_WEIGHTS = 1, /* gradients of convolution weights and biases */
	HY_BACK_NORM = 2     /* gradients of batch norm's scale and shift; a node recorded with norm_frozen never has them */
};

typedef struct hy_value {
	int64_t n, c, h, w;
	bool blocked;       /* layout: blocked or planar */
	bool external;      /* memory is the caller's: set `data` before running */
	bool kept;          /* its memory is shared with no other value */
	bool constant;      /* no gradient flows into it */
	float *data;        /* planar: valid after compiling; else NULL */
	hy_blocked *blocks; /* blocked: the same */
	int first, last;    /* instructions that use it; -1: none */
	size_t offset;      /* floats in the slab */
	/* A lazy value has no memory: it is act(scale x + shift) of a batch norm's input, computed by the convolutions that read it. */
	int lazy_x, lazy_aux; /* x, or -1; the batch norm's own memory */
	float lazy_slope;
} hy_value;

typedef struct hy_tape hy_tape;
typedef struct hy_node hy_node;

/* One recorded operator. What the fields mean is the operator's business. */
struct hy_node {
	const char *name;
	int in[3], out, n_in; /* values */
	int param[5];         /* tensors of hy_params; -1 none */
	int aux;              /* first float of the node's own memory (batch statistics and the like) */
	float slope, scale;
	bool flag, frozen;
	hy_norm_mode norm;
	int64_t k, stride, pad;
	int64_t first;        /* of the weights' input channels, where an operator takes some of them */
	bool doubles;         /* a convolution of a doubled input and one beside it */
	bool adds;            /* to what the operator before wrote */
	int conv[3], pack[2]; /* convolution handles by role, and their packed weights */
	struct {
		int in_aux; /* a convolution that reads a lazy value: the batch norm's memory, or -1 */
		float in_slope;
		hy_finish finish; /* what it does with the rows it wrote (hy_fused), and for which batch norm */
		int aux;
		float slope;
		bool half, folded;
	} fuse;
	void *link; /* memory of the caller's that the operator reads or writes at run time (a loss, a mask) */
	/* Appends the backward instructions; the gradient of `out` is gradient_of(out). NULL: not differentiable. */
	void (*back)(hy_tape *t, const hy_node *node, int flags);
};

typedef struct hy_instruction hy_instruction;
struct hy_instruction {
	const char *name;
	hardy_status (*run)(hy_tape *t, const hy_instruction *i, hardy_error *err);
	hy_node node;          /* a copy: what the operator needs to know */
	int value[6];          /* values used, meaning by operator; -1 none */
	bool accumulate;       /* the output is added to */
	bool on_norm;          /* batch norm's scale and shift get their gradient */
	bool finishes_samples; /* no convolution, but it can do hy_fused's BACK, a sample a job */
	double flop, seconds;  /* arithmetic (a multiply-add is 2); time spent while profiling */
	int64_t n_runs;
};

/* Weights that are made from a tensor: of its input channels [first, first + count). */
typedef struct hy_derived {
	void (*make)(const hy_param *p, const float *w, int64_t first, int64_t count,
	             float *derived); /* NULL: the tensor as it is */
	int64_t first, count;
	size_t n_floats;
} hy_derived;

typedef struct hy_pack_slot {
	int param, conv;
	hy_derived derived;
	size_t offset; /* floats */
	int fold[5];   /* batch norm to multiply in: scale, shift, mean, variance, bias of the convolution (-1); fold[0] -1: none */
} hy_pack_slot;

typedef struct hy_tape_options {
	hy_isa isa;
	hy_conv_library library;
} hy_tape_options;

struct hy_tape {
	const hy_kernels *kernels;
	hy_conv_library library;
	hy_params *params;
	/* recorded */
	hy_value *values;
	hy_node *nodes;
	hy_instruction *instructions;
	int *segments; /* first instruction of each */
	hy_conv *convs;
	hy_pack_slot *packs;
	size_t n_values, room_values, n_nodes, room_nodes, n_instructions, room_instructions, n_segments, room_segments;
	size_t n_convs, room_convs, n_packs, room_packs;
	size_t aux_floats, pack_floats, work_floats, n_sums;
	int *gradient; /* per value, while a backward pass is recorded: the value that holds its gradient, or -1 */
	size_t room_gradient;
	hardy_error error; /* the first one while recording */
	/* recording context, free to change between operators */
	hy_norm_mode norm;
	bool norm_frozen;     /* batch norm's scale and shift get no gradient */
	bool fold;            /* running statistics may go into the convolutions' weights: no backward pass will follow */
	double norm_momentum; /* 0.1; of the running statistics */
	int (*tap)(void *payload, hy_tape *t, const char *name, int value);
	void *tap_payload;
	hy_reduce over;  /* sums over a batch, at run time, go on over those of other processes; NULL: there is none */
	int64_t n_ranks; /* how many batches these sums cover; 1 */
	bool norm_local; /* but batch norm's statistics are those of this process's batch */
	void (*after)(void *payload, int instruction); /* at run time, behind each instruction; NULL */
	void *after_payload;
	/* compiled */
	float *slab, *aux, *packed, *work;
	double *sums;            /* partial sums, from the instruction that forms them to the next one */
	const hy_tape *packs_of; /* another tape, recorded alike, whose packed weights this one uses (set before compiling) */
	uint64_t packed_values, packed_buffers; /* hy_params' generations that the packed weights were made of; 0: none yet */
	size_t slab_floats;
	bool compiled, profile, folds; /* folds: batch norm's buffers go into packed weights */
};

hardy_status hy_tape_init(hy_tape *t, hy_params *params, const hy_tape_options *o, hardy_error *err);
void hy_tape_clear(hy_tape *t);

/* ---- recording ---- */

int hy_tape_value(hy_tape *t, int64_t n, int64_t c, int64_t h, int64_t w, bool blocked);
/* A planar value in the caller's memory, constant. */
int hy_tape_input(hy_tape *t, int64_t n, int64_t c, int64_t h, int64_t w);
void hy_tape_keep(hy_tape *t, int value);     /* its memory stays valid between and after segments */
void hy_tape_constant(hy_tape *t, int value); /* from here on no gradient flows into it */
int hy_tape_segment(hy_tape *t);              /* starts a segment; returns its number */
int hy_tape_mark(const hy_tape *t);           /* the number of nodes so far, for hy_tape_back */
int hy_tape_tap(hy_tape *t, const char *name, int value);

/* Forget all gradients: a new backward pass begins. */
void hy_tape_gradients_begin(hy_tape *t);
int hy_tape_gradient(const hy_tape *t, int value); /* the value that holds it, or -1 */
/*
 * For an operator about to write the gradient of `value`: the value to write to; *accumulate is set when another operator wrote
 * before. -1 when value is constant.
 */
int hy_tape_gradient_out(hy_tape *t, int value, bool *accumulate);
/* Says that `value`'s gradient is held by `gradient` (already computed). */
void hy_tape_gradient_set(hy_tape *t, int value, int gradient);
/* Appends the backward instructions of nodes [from, to), in reverse, for those whose output has a gradient. */
void hy_tape_back(hy_tape *t, int from, int to, int flags);

/* ---- for operators ---- */

void hy_tape_fail(hy_tape *t, hardy_status status, const char *format, ...) HY_PRINTF(3, 4);
bool hy_tape_failed(const hy_tape *t);
hy_node *hy_tape_node(hy_tape *t, const char *name); /* zeroed, indices -1; valid until the next node. Never NULL */
/* Appends an instruction that uses these values (at most 6, -1 skipped when tracking use). */
hy_instruction *hy_tape_emit(hy_tape *t, const char *name,
                             hardy_status (*run)(hy_tape *, const hy_instruction *, hardy_error *), const hy_node *node,
                             const int *values, int n_values);
int hy_tape_aux(hy_tape *t, size_t n_floats);   /* memory of a node that lives as long as the tape */
void hy_tape_work(hy_tape *t, size_t n_floats); /* asks for scratch memory */
void hy_tape_sums(hy_tape *t, size_t n);        /* asks for partial sums */
int hy_tape_raw(const hy_tape *t, int value);   /* the value in memory behind a lazy one; else itself */
int hy_tape_conv(hy_tape *t, const hy_conv_shape *s, enum hy_conv_role role, bool accumulate, bool bias);
int hy_tape_pack(hy_tape *t, int param, int conv);
int hy_tape_pack_derived(hy_tape *t, int param, int conv, hy_derived derived);
/* A copy of slot `old` for another convolution, with a batch norm (hy_pack_slot.fold) multiplied in; its bias lies behind the weights. */
int hy_tape_pack_folded(hy_tape *t, const hy_pack_slot *old, int conv, const int fold[5]);
/* The memory of a value of this layout (asserted); NULL for -1. */
float *hy_tape_planar(const hy_tape *t, int value);
hy_blocked *hy_tape_blocked(const hy_tape *t, int value);
/* Of either layout, for operators that refuse tables whose elements are no floats. */
float *hy_tape_floats(const hy_tape *t, int value);
const float *hy_tape_param(const hy_tape *t, int param); /* its values (or buffer) */
float *hy_tape_grad(const hy_tape *t, int param);

/* ---- running ---- */

hardy_status hy_tape_compile(hy_tape *t, hardy_error *err);
/*
 * Packs the weights that changed since. hy_tape_run does so by itself; whoever runs tapes of shared weights beside one another calls it before, on the
 * one that owns them.
 */
void hy_tape_refresh(hy_tape *t);
hardy_status hy_tape_run(hy_tape *t, int segment, hardy_error *err);
void hy_tape_range(const hy_tape *t, int segment, int *from, int *to); /* its instructions: [from, to) */
size_t hy_tape_bytes(const hy_tape *t);                                /* memory held */

#endif
