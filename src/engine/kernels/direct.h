/*
 * direct.h: our own convolutions of blocked tensors, as sums over taps.
 *
 * Every convolution of the networks, forward or backward by data, is for each output position a sum over taps (a row offset, a
 * column offset, a matrix of weights) of input positions. A data gradient of stride 2 has four phases, output positions of equal
 * row and column parity, with taps of their own; each phase is such a sum on the small grid. The weight gradient sums over positions
 * instead of taps. A plan (hy_direct) holds the taps and sizes; the kernel tables hold the loops.
 */
#ifndef HY_ENGINE_KERNELS_DIRECT_H
#define HY_ENGINE_KERNELS_DIRECT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The elements of a blocked tensor, hy_kernels.element bytes each: float or bfloat16. Never complete, so that it passes for no other
 * type: only the kernel tables know what is behind it.
 */
typedef struct hy_blocked hy_blocked;

enum { HY_MAX_TAPS = 16, HY_MAX_PHASES = 4 };

typedef struct hy_phase {
	int n_taps, run;                        /* taps come in runs of neighbouring columns, this long, from left to right */
	int row[HY_MAX_TAPS], col[HY_MAX_TAPS]; /* input position = in_step * position + offset */
	int weight[HY_MAX_TAPS];                /* index in the k x k kernel */
	int y, x;                               /* output position = out_step * position + these */
	size_t packed;                          /* first float of its weights */
} hy_phase;

typedef struct hy_direct {
	int64_t n, in_c, in_h, in_w, out_c, out_h, out_w; /* of the tensors read and written; weight gradient: of x and dy */
	int64_t in_doubled, out_doubled; /* channels of them that come first and are read from, or summed to, half the grid */
	int in_step, out_step, k;
	int n_phases;
	hy_phase phase[HY_MAX_PHASES];
	int64_t left, right;       /* columns of zeros beside a row that is read */
	int64_t row_low, row_high; /* least and largest row offset */
	bool padded;               /* rows are copied between zeros before they are read */
	int64_t rows, columns;     /* positions of a phase */
	int64_t chunks;            /* row ranges into which a sample is divided among threads */
	int64_t block_rows;        /* weight gradient: rows summed before they go to memory */
	int group;                 /* channel blocks of the output handled together: 2, or 1 */
	int64_t lines;             /* rows of the grid in one of `rows` (a 1 x 1 convolution takes several at once) */
	int threads;               /* at most: a team may come smaller, and each thread has scratch memory of its own */
	int tile;                  /* by transforms (winograd.inc): tiles have tile x tile outputs, 2 or 4; 0: by taps */
	int64_t tiles_a_row;       /* beside one another */
	size_t ring_floats;        /* copied rows, a thread */
	size_t transform_floats;   /* tiles being transformed, a thread */
	size_t pair_floats;        /* weight gradient of bfloat16: pairs of gradients and a plain row, a thread */
	size_t gradient_floats;    /* weight gradient, a thread */
} hy_direct;

/* What is done with rows of the result while they are in the cache. */
typedef enum hy_finish { HY_FINISH_NOTHING, HY_FINISH_ACT, HY_FINISH_SUMS, HY_FINISH_BACK } hy_finish;

/* What a convolution does besides: with values as it reads them, with rows as it has written them. */
typedef struct hy_fused {
	/* Of a shape with doubled channels: the other input, or where its gradient goes (added to what is there, if so). */
	hy_blocked *beside;
	bool beside_accumulate;
	/* Padded plans: a value x of channel k is read as act(in_scale[k] x + in_shift[k]) of slope in_slope; NULL: as it is. With doubled
	 * channels: those beside them. */
	const float *in_scale, *in_shift;
	float in_slope;
	hy_finish finish;
	/*
	 * ACT: y = act(y + skip); skip NULL, of y's shape or (half) of half height and width.
	 * SUMS: partial[(job * c + k) * 2] = sum of y, +1 = of its squares; jobs: see hy_conv_jobs.
	 * BACK: y holds the gradient of act(scale x + shift + skip), whose value is `value` (NULL: no skip; it is computed again). It becomes
	 * g = y act'; partial gets the sums of g and of g (x - mean); dskip (half only) the sums of g over 2 x 2.
	 */
	const hy_blocked *skip;
	bool half;
	float slope;
	double *partial;
	const hy_blocked *x, *value;
	const float *scale, *shift, *mean;
	hy_blocked *dskip;
} hy_fused;

#endif
