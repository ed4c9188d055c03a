/*
 * dense_avx2.c
 *		The dense kernels for x86 CPUs with AVX2 (without fused multiply-add, which would change the bits).
 */
#include "postgres.h"

#include "core/dense_internal.h"

#if defined(__x86_64__)

#define DENSE_TARGET __attribute__((target("avx2")))
#define DENSE_LANES 4
#define DENSE_TABLE avx2_kernels
#define DENSE_LINKAGE static
#include "core/dense_kernels_internal.h"

const DenseKernels *
dense_avx2(void)
{
	return __builtin_cpu_supports("avx2") ? &avx2_kernels : NULL;
}

#else

const DenseKernels *
dense_avx2(void)
{
	return NULL;
}

#endif
