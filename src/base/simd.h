/*
 * simd.h: hot loops compiled for several vector widths, the widest that the processor has chosen when the program is loaded.
 *
 * The loops stay plain C. Without fused multiply-add (-ffp-contract=off) and without reordering, every width gives the same
 * bytes.
 */
#ifndef HY_BASE_SIMD_H
#define HY_BASE_SIMD_H

#if defined(__x86_64__) && defined(__GNUC__) && !defined(__clang__) && !defined(__SANITIZE_ADDRESS__) &&                       \
    !defined(__SANITIZE_THREAD__)
#define HY_CLONES __attribute__((target_clones("default", "avx2", "avx512f")))
#else
#define HY_CLONES
#endif

/* Sixteen floats; the compiler splits them into the registers it has. Loads and stores by hy_f16_load and _store. */
typedef float hy_f16 __attribute__((vector_size(64)));
typedef float hy_f4 __attribute__((vector_size(16)));

#endif
