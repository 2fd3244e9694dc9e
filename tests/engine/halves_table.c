/*
 * halves_table.c: a kernel table of plain C that keeps blocked tensors in bfloat16, so that operators can be tested with such tensors on
 * any processor.
 */
#pragma GCC diagnostic ignored "-Wpsabi"
#define HY_B          8
#define HY_TABLE      hy_kernels_halves
#define HY_TABLE_NAME "plain, bfloat16"
#define HY_BF16
#include "engine/kernels/table.inc"
