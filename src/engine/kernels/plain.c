/*
 * plain.c: the kernel table for any processor.
 */
#define HY_B          8
#define HY_TABLE      hy_kernels_plain
#define HY_TABLE_NAME "plain"
#include "engine/kernels/table.inc"
