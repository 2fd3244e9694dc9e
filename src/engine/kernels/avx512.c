/*
 * avx512.c: the kernel table for AVX-512.
 */
#define HY_B          16
#define HY_TABLE      hy_kernels_avx512
#define HY_TABLE_NAME "avx512"
#define HY_DIRECT
#include "engine/kernels/table.inc"
