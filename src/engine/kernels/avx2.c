/*
 * avx2.c: the kernel table for AVX2.
 */
#define HY_B          8
#define HY_TABLE      hy_kernels_avx2
#define HY_TABLE_NAME "avx2"
#define HY_DIRECT
#include "engine/kernels/table.inc"
