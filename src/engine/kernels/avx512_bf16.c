/*
 * avx512_bf16.c: the kernel table for AVX-512 with BF16: blocked tensors and the products of convolutions in bfloat16, sums in single
 * precision.
 */
#define HY_B          16
#define HY_TABLE      hy_kernels_avx512_bf16
#define HY_TABLE_NAME "avx512-bf16"
#define HY_DIRECT
#define HY_BF16
#include "engine/kernels/table.inc"
