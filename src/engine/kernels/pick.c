/*
 * pick.c: chooses the kernel table by what the processor has.
 */
#include "engine/kernels/kernels.h"

static bool has(hy_isa isa)
{
#if defined(HY_HAVE_X86_TABLES)
	__builtin_cpu_init();
	const bool avx2 = __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma");
	const bool avx512 = avx2 && (HY_EMULATED || (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq") &&
	                                             __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")));
#if defined(HY_HAVE_BF16_TABLE)
	const bool bf16 = avx512 && __builtin_cpu_supports("avx512bf16");
#else
	const bool bf16 = false;
#endif
#else
	const bool avx2 = false, avx512 = false, bf16 = false;
#endif
	return isa == HY_ISA_AVX512_BF16 ? bf16 : isa == HY_ISA_AVX512 ? avx512 : isa == HY_ISA_AVX2 ? avx2 : true;
}

static const hy_kernels *table(hy_isa isa)
{
#if defined(HY_HAVE_BF16_TABLE)
	if (isa == HY_ISA_AVX512_BF16)
		return &hy_kernels_avx512_bf16;
#endif
#if defined(HY_HAVE_X86_TABLES)
	if (isa == HY_ISA_AVX512)
		return &hy_kernels_avx512;
	if (isa == HY_ISA_AVX2)
		return &hy_kernels_avx2;
#endif
	return &hy_kernels_plain;
}

const hy_kernels *hy_kernels_pick(hy_isa isa, hardy_error *err)
{
	if (isa == HY_ISA_AUTO)
		isa = has(HY_ISA_AVX512) && !HY_EMULATED ? HY_ISA_AVX512 : has(HY_ISA_AVX2) ? HY_ISA_AVX2 : HY_ISA_PLAIN;
	if (has(isa))
		return table(isa);
	hy_fail(err, HARDY_ERROR_UNSUPPORTED, "this processor (or build) lacks %s",
	        isa == HY_ISA_AVX512_BF16 ? "AVX-512 with BF16"
	        : isa == HY_ISA_AVX512    ? "AVX-512 (F, DQ, BW, VL)"
	                                  : "AVX2 with FMA");
	return NULL;
}
